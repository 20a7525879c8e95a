"""``nffa node proposals``: the portal's proposals in the node's registry."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli import portal, settings, story
from nffa_cli.commands.node import config, place_options
from nffa_cli.commands.options import output_options
from nffa_cli.records import Outcome
from nffa_cli.terminal import Terminal


@click.group("proposals")
def command() -> None:
    """Put the portal's proposals, and who is in them, into the node."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@place_options
@output_options
def import_(file: Path, data: Path | None, database: str | None, terminal: Terminal) -> int:
    """Take proposals from FILE (.csv, .json, .yaml, as docs/portal.md shows): new ones are made, others updated.

    Who has an ORCID there becomes a member with the rights of the role. Policy and embargo stay as the node has them.

    \b
    Example:
      nffa node proposals import /srv/portal/proposals.csv

    \b
    Exit status:
      0  taken, or nothing new      1  the file is wrong      3  some could not be taken
    """  # noqa: D301
    from nffa_cli.node import admin, proposing

    wanted = list(portal.of_file(file, settings.load()))
    with admin.opened(config(data, database)) as known:
        taken = proposing.take(known, wanted)
        return story.Teller(terminal).tell(Outcome(number, "proposals", status, why) for number, status, why in taken)
