"""``nffa validate``: whether NeXus files hold what NXem demands."""

from __future__ import annotations

import click

from nffa_cli import settings, validating
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("validate", short_help="Judge NeXus files by the definitions of NXem.")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--full", is_flag=True, help="Ask pynxtools too, which must be installed; takes seconds a file.")
@click.option("--notes", is_flag=True, help="Tell also what is recommended and missing.")
@output_options
def command(files: tuple[str, ...], full: bool, notes: bool, terminal: Terminal) -> int:
    """Judge FILES (or the .nxs and .h5 files in folders) by the definitions of NXem, NeXus v2026.01.

    One line for each defect: where, which rule, what is wrong, and what to do; then a verdict. Names, classes, types,
    units, lists of choices, axes, links and the default plot are checked; values are not compared with the source.

    \b
    Example:
      nffa validate image.nxs
      nffa validate exports --notes

    \b
    Exit status:
      0  all are valid (warnings and notes do not count)      3  some are not
    """  # noqa: D301
    from nffa_cli import story

    teller = story.Teller(terminal)
    for judged in validating.judge(files, settings.load(), full=full):
        story.tell_findings(judged, terminal, notes=notes)
        teller.one(judged.outcome)
    teller.summary()
    return teller.status()
