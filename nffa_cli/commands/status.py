"""``nffa status``: what waits, what is damaged, how much there is."""

from __future__ import annotations

import click

from nffa_cli import browse, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("status", short_help="Say what waits, what is damaged, and how much there is.")
@output_options
def command(terminal: Terminal) -> int:
    """Say how much the catalogue holds, and list what waits, is damaged (quarantined) or could not be read, with reasons.

    \b
    Example:
      nffa status --json
    """  # noqa: D301
    from nffa_cli.delivery import standing, telling

    with Store.open(settings.catalogue_path(), readonly=True) as store:
        telling.stand((standing.standing(store, name) for name in telling.used(store)), terminal)
        return browse.status(store.status(), terminal)
