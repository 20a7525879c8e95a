"""``nffa list``: what the catalogue knows."""

from __future__ import annotations

import click

from nffa_cli import browse, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("list", short_help="List what the catalogue knows.")
@click.argument("folder", required=False, type=click.Path())
@click.option("--by", type=click.Choice(["recent", "started", "path"]), default="recent", help="The order.")
@click.option("--limit", type=click.IntRange(1), default=50, help="At most so many lines [50].")
@output_options
def command(folder: str | None, by: str, limit: int, terminal: Terminal) -> int:
    """List the acquisitions of the catalogue (all, or those below FOLDER), newest first.

    \b
    Example:
      nffa list --by started --limit 10
      nffa list --json D:\\Images
    """  # noqa: D301
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return browse.entries(store.find("", under=folder, order=by, limit=limit), limit, terminal)  # type: ignore[arg-type]
