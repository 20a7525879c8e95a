"""``nffa review``: persons decide what pictures show."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal

_MODEL = click.option("--model", default="", metavar="NAME|FILE", help="Whose predictions [the ones of classify].")
_LABELLER = click.option("--labeller", default="", metavar="NAME", help="Who answers [setting, else your account].")
_FOLDER = click.option("--folder", type=click.Path(), help="Only pictures below this folder.")
_ANSWERS = click.option(
    "--answers", metavar="FILE|-", help="Take the answers from a file or stdin, a key or a JSON object a line."
)
_PICTURES = click.option("--no-pictures", is_flag=True, help="Draw no pictures in the terminal.")
_FILTERS = (
    click.option("--label", help="Only what was predicted to be this."),
    click.option("--above", type=click.FloatRange(0, 1), metavar="SCORE", help="Only from this score on."),
    click.option("--below", type=click.FloatRange(0, 1), metavar="SCORE", help="Only below this score."),
    click.option(
        "--decision", type=click.Choice(["accepted", "uncertain", "none"]), help="Only what classify decided so."
    ),
    click.option(
        "--by", "order", type=click.Choice(["uncertain", "random", "path"]), default="uncertain", show_default=True,
        help="The order in which they are asked.",
    ),
    click.option("--second-opinion", is_flag=True, help="Only what others have answered and you have not; blind."),
)  # fmt: skip


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what chooses pictures; the command gets an ``ask`` instead."""

    @functools.wraps(function)
    def wrapper(
        *args: Any, model: str, labeller: str, folder: str | None, label: str | None, above: float | None,
        below: float | None, decision: str | None, order: str, second_opinion: bool, **kwargs: Any,
    ) -> Any:  # fmt: skip
        from nffa_cli.review.sitting import Ask

        ask = Ask(model, labeller, label, above, below, decision, folder, order, second_opinion)  # type: ignore[arg-type]
        return function(*args, ask=ask, **kwargs)

    for option in (*reversed(_FILTERS), _FOLDER, _LABELLER, _MODEL):
        wrapper = option(wrapper)
    return wrapper


class _Group(click.Group):
    """A group that is a command of its own when no subcommand is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Send everything but the name of a subcommand, and the help, to ``ask``."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["ask", *args]
        return super().parse_args(ctx, args)


@click.group("review", cls=_Group, short_help="Confirm or correct what classify says, picture by picture.")
def command() -> None:
    """Confirm or correct what nffa classify says of pictures. Without a subcommand it asks: nffa review = nffa review ask."""


@command.command("ask")
@_filters
@click.option("--alone", is_flag=True, help="Ask each picture for itself, near-duplicates too.")
@_PICTURES
@_ANSWERS
@output_options
def ask_(ask: Any, alone: bool, no_pictures: bool, answers: str | None, terminal: Terminal) -> int:
    """Ask about pictures that nobody has answered yet, the least certain first; near-duplicates are answered together.

    Enter accepts, 1 to 9 and 0 say another category, ? lists all keys. Every answer is stored at once and never changed;
    what was predicted, what you say, who said it and when stay apart. Without a terminal the answers come from --answers.

    \b
    Example:
      nffa review --label Fibres --below 0.7
      nffa review --answers answers.jsonl --json
    """  # noqa: D301
    from dataclasses import replace

    from nffa_cli.review import sitting

    return sitting.review(replace(ask, alone=alone, pictures=not no_pictures, answers=answers), terminal)


@command.command("list")
@_filters
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many lines.")
@output_options
def list_(ask: Any, limit: int, terminal: Terminal) -> int:
    """List what waits for an answer, in the order in which it would be asked."""
    from nffa_cli.review import sitting

    return sitting.tell_waiting(ask, limit, terminal)


@command.command("accept")
@click.option("--class", "label", required=True, help="The predicted category that is to be accepted.")
@click.option("--above", type=click.FloatRange(0, 1), default=0.99, show_default=True, help="From this score on.")
@click.option("--check", type=click.IntRange(0), default=30, show_default=True, help="Pictures to look at first.")
@click.option(
    "--at-most", type=click.FloatRange(0, 1), metavar="SHARE", help="Accept, unasked, up to this error bound."
)
@click.option("--take-back", is_flag=True, help="Take back what you have accepted of this class.")
@_MODEL
@_LABELLER
@_FOLDER
@_PICTURES
@_ANSWERS
@output_options
def accept(
    label: str, above: float, check: int, at_most: float | None, take_back: bool, model: str, labeller: str,
    folder: str | None, no_pictures: bool, answers: str | None, terminal: Terminal,
) -> int:  # fmt: skip
    """Accept a whole class above a score, after you have looked at a few pictures of it, drawn at random.

    Then it says how many of the others may be wrong at most, with 95 % confidence, and asks. What is accepted so is marked:
    nobody has looked at it one by one.

    \b
    Example:
      nffa review accept --above 0.99 --class Nanowires --check 60
    """  # noqa: D301
    from nffa_cli.review import sitting

    ask = sitting.Ask(model, labeller, folder=folder, pictures=not no_pictures, answers=answers, alone=True)
    if take_back:
        return sitting.take_back(ask, label, terminal)
    return sitting.accept(ask, label, above, check, at_most, terminal)


@command.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="A .csv or .jsonl file [a table on the screen].")
@click.option("--looked", is_flag=True, help="Only what persons have looked at: no classes accepted as a whole.")
@output_options
def export(output: str | None, looked: bool, terminal: Terminal) -> int:
    """Export what persons say, sorted by category: label, path, SHA-256, who said it and how; for training, for elsewhere.

    Left out, and counted: what persons disagree on, and what they found not clear.
    """
    from nffa_cli.review import labels

    return labels.export(output, terminal, looked=looked)
