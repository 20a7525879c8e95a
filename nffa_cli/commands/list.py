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
@click.option("--safe-to-delete", is_flag=True, help="The files that a destination was proved to hold, unchanged here.")
@output_options
def command(folder: str | None, by: str, limit: int, safe_to_delete: bool, terminal: Terminal) -> int:
    """List the acquisitions of the catalogue (all, or those below FOLDER), newest first.

    With --safe-to-delete: the files that were delivered, proved by digest on the destination (nffa sync --check), and have
    not changed here since. Nothing is deleted.

    \b
    Example:
      nffa list --by started --limit 10
      nffa list --json D:\\Images
    """  # noqa: D301
    if safe_to_delete:
        from nffa_cli.delivery import standing, telling

        with Store.open(settings.catalogue_path(), readonly=True) as store:
            return telling.safe(standing.safe_to_delete(store, folder), terminal)
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return browse.entries(store.find("", under=folder, order=by, limit=limit), limit, terminal)  # type: ignore[arg-type]
