"""``nffa session``: who measured what, on which sample; asked, not written by hand."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from nffa_cli import context, forms, portal, scan, settings, story
from nffa_cli.commands.options import dry_run_option, output_options
from nffa_cli.errors import UsageError
from nffa_cli.terminal import Terminal

OFFERED = 12
"""How many proposals are told before the first question."""
FOLDER = click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))


@click.group("session", short_help="Say for a folder who measured what, on which sample.")
def command() -> None:
    """Say for a folder who measured what, on which sample; it holds for all folders below too."""


@command.command("new")
@FOLDER
@click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="Answer without being asked, e.g. sample.name=W12."
)
@click.option("--here", is_flag=True, help="Write nffa-session.yaml into FOLDER instead of nffa's own folder.")
@click.option("--replace", is_flag=True, help="Write an existing session anew.")
@dry_run_option
@output_options
def new(
    folder: str, given: tuple[str, ...], here: bool, replace: bool, dry_run: bool, terminal: Terminal
) -> int:  # fmt: skip
    """Ask five questions about FOLDER and keep the answers; Enter leaves one out.

    Where nobody can answer (no terminal), --set gives the answers.

    \b
    Example:
      nffa session new D:\\Images\\2024-05-06
      nffa session new . --set proposal.id=161 --set sample.atom_types=Si,O
    """  # noqa: D301
    values = forms.from_pairs(given, forms.SESSION)
    if sys.stdin.isatty():
        if "proposal.id" not in values:
            _offer(terminal)
        for place, question in forms.QUESTIONS:
            values |= {} if place in values else _ask(place, question)
    home = settings.home() if dry_run else settings.make_home()
    path = context.save_session(home, folder, values, here=here, replace=replace, dry_run=dry_run)
    return story.tell_written({"type": "session", **values}, path, terminal, dry_run=dry_run, then=folder)


def _offer(terminal: Terminal) -> None:
    """Tell the proposals that the portal knows, if it was ever heard."""
    found = portal.offered()
    for each in found[:OFFERED]:
        terminal.say(f"  {each.id:<12} {each.title or ''}")
    if len(found) > OFFERED:
        terminal.say(f"  and {len(found) - OFFERED} more: nffa proposal list")


def _ask(place: str, question: str) -> dict[str, Any]:
    """Ask until the answer is right or left out."""

    def checked(text: str) -> dict[str, Any]:
        try:
            return forms.from_pairs([f"{place}={text}"], forms.SESSION) if text.strip() else {}
        except UsageError as error:
            raise click.UsageError(str(error)) from error

    answer: dict[str, Any] = click.prompt(question, default="", show_default=False, value_proc=checked, err=True)
    return answer or {}


@command.command("show")
@FOLDER
@output_options
def show(folder: str, terminal: Terminal) -> int:
    """Show what is known for FOLDER, its parents' sessions included."""
    found = context.session_of(os.path.abspath(folder), settings.home())  # noqa: PTH100
    for place, value in forms.by_place(found).items():
        terminal.data({"type": "session-value", "key": place, "value": value})
        terminal.line(f"{place:<24} {story.quantity(value, None)}")
    terminal.data({"type": "summary", "values": len(forms.by_place(found))})
    if not found:
        terminal.line("nothing is known for this folder")
        terminal.hint(f"Next: nffa session new {folder}")
    return 0


@command.command("check")
@click.argument("paths", nargs=-1, type=click.Path())
@output_options
def check(paths: tuple[str, ...], terminal: Terminal) -> int:
    """Check the session files below PATHS (folders or files; default: here), each complaint with file:line.

    What nffa keeps in its own folder for the folders that are named is checked too.

    \b
    Exit status:
      0  all are right      3  some are not
    """  # noqa: D301
    paths = paths or (".",)
    for each in paths:
        scan.look_at(each)
    checked = wrong = 0
    for path, problem in context.check_sessions(paths, settings.home()):
        checked += 1
        wrong += problem is not None
        terminal.data({"type": "session-check", "path": path.as_posix(), "problem": problem})
        terminal.line(problem or f"{path}: right")
    terminal.data({"type": "summary", "sessions": checked, "wrong": wrong})
    if not checked:
        terminal.line("no session files here")
    return 3 if wrong else 0
