"""``nffa doctor``: is this PC fit, and what to type if not."""

from __future__ import annotations

import click

from nffa_cli import fitness
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("doctor", short_help="Find out whether this PC is fit, and what to type if not.")
@click.argument("folder", required=False, type=click.Path())
@output_options
def command(folder: str | None, terminal: Terminal) -> int:
    """Find out whether this PC is fit for nffa, and whether the data in FOLDER can be taken from here.

    One line for each check, and below it what to do where something is amiss. Readers and limits are tried for real, on
    sample files in a temporary folder: this takes some seconds. Nothing is written to FOLDER.

    \b
    Example:
      nffa doctor
      nffa doctor D:\\Images

    \b
    Exit status:
      0  fit (a warning may deserve a look)      3  something is bad
    """  # noqa: D301
    return fitness.tell(fitness.examine(folder), terminal)
