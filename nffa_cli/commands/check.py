"""``nffa check``: prove that nothing has rotted."""

from __future__ import annotations

import datetime as dt

import click

from nffa_cli import settings, story, verify
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("check", short_help="Hash the files again and prove that nothing has rotted.")
@click.argument("folder", required=False, type=click.Path())
@click.option(
    "--max-age", type=click.FloatRange(0), default=0.0, help="Leave out what was checked in the last DAYS [0]."
)
@output_options
def command(folder: str | None, max_age: float, terminal: Terminal) -> int:
    """Hash the recorded files again (all, or those below FOLDER) and name those that changed or are gone.

    An interrupted check goes on with --max-age 1: what was proved within a day is left out.

    \b
    Exit status:
      0  every file holds what was recorded      3  some do not
    """  # noqa: D301
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)  # times are kept in whole seconds
    since = (soon - dt.timedelta(days=max_age)).isoformat(timespec="seconds")
    Store.open(settings.catalogue_path(), readonly=True).close()  # says so if there is none, instead of making one
    with Store.open(settings.catalogue_path()) as store:
        return story.Teller(terminal, hint=story.after_check).tell(verify.check(store, since, under=folder))
