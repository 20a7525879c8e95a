"""``nffa show``: one acquisition."""

from __future__ import annotations

import click

from nffa_cli import browse, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("show", short_help="Show one acquisition: terms, files, versions.")
@click.argument("target")
@click.option("--raw", is_flag=True, help="Add the vendor's own tree, whole.")
@output_options
def command(target: str, raw: bool, terminal: Terminal) -> int:
    """Show all that is known of one acquisition; TARGET is its file, its id or the start of its id.

    \b
    Example:
      nffa show image.tif
      nffa show 3fa9 --json --raw
    """  # noqa: D301
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return browse.one(store, target, terminal, raw=raw)
