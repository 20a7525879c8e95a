"""``nffa outbox``: what is still to be delivered."""

from __future__ import annotations

from itertools import chain

import click

from nffa_cli import settings
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal

TO = click.option("--to", metavar="NAME", help="One destination only, as nffa status calls it.")


@click.group("outbox", short_help="List, retry or drop what is still to be delivered.")
def command() -> None:
    """List what was begun and has not arrived, have it tried again, or give it up."""


@command.command("list", short_help="List what has not arrived, with the reason.")
@output_options
def list_(terminal: Terminal) -> int:
    """List what has not arrived, with the reason; what no sync has seen yet is counted by nffa status.

    \b
    Example:
      nffa outbox list
    """  # noqa: D301
    from nffa_cli.delivery import telling

    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return telling.outbox(chain(store.outbox.rows(), store.imports.rows()), terminal)


@command.command("retry", short_help="Have deliveries tried again at the next sync.")
@click.argument("acquisition", required=False)
@TO
@output_options
def retry(acquisition: str | None, to: str | None, terminal: Terminal) -> int:
    """Have ACQUISITION (all that failed, were given up or are in conflict) sent anew at the next sync.

    A conflict means that somebody changed the measurement at the destination: after retry, what is here replaces that.

    \b
    Example:
      nffa outbox retry 3fa9
    """  # noqa: D301
    from nffa_cli.delivery import telling

    with Store.open(settings.catalogue_path(), full_sync=True) as store:
        return telling.change(store, acquisition, to, terminal, drop=False)


@command.command("drop", short_help="Give a delivery up; it is not sent any more.")
@click.argument("acquisition")
@TO
@output_options
def drop(acquisition: str, to: str | None, terminal: Terminal) -> int:
    """Give the delivery of ACQUISITION up; what has arrived stays there, and retry takes this back.

    \b
    Example:
      nffa outbox drop 3fa9
    """  # noqa: D301
    from nffa_cli.delivery import telling

    with Store.open(settings.catalogue_path(), full_sync=True) as store:
        return telling.change(store, acquisition, to, terminal, drop=True)
