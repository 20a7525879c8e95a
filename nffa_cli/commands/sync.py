"""``nffa sync``: deliver what is due."""

from __future__ import annotations

import click

from nffa_cli import settings
from nffa_cli.commands.options import dry_run_option, output_options
from nffa_cli.terminal import Terminal


@click.command("sync", short_help="Deliver what is due to a node, a disk or a share; once, exactly.")
@click.option("--to", metavar="NAME|URL|FOLDER", help="One destination [all in nffa.toml].")
@click.option("--proposal", metavar="ID", help="Proposal of what no session names one for.")
@click.option("--experiment", metavar="NAME", help="Experiment of what no session names one for.")
@click.option("--link", is_flag=True, help="Leave the instrument's files where they are and say where that is.")
@click.option("--check", is_flag=True, help="Let the destination prove by digest what it holds.")
@click.option("--watch", is_flag=True, help="Keep delivering until Ctrl-C.")
@click.option("--limit-rate", metavar="RATE", help="Bytes a second to send at most, e.g. 500K or 2M.")
@dry_run_option
@output_options
def command(
    to: str | None, proposal: str | None, experiment: str | None, link: bool, check: bool, watch: bool,
    limit_rate: str | None, dry_run: bool, terminal: Terminal,
) -> int:  # fmt: skip
    """Deliver what the catalogue holds, with files, previews, exports and metadata, and keep the receipts.

    Twice is safe: what has arrived is not sent again; a changed session, profile, label or crosswalk updates it there.
    What has no proposal waits. Without a connection the outbox is kept, and the next run goes on.

    \b
    Example:
      nffa sync --to https://idrp.example.org
      nffa sync --to /media/disk --proposal 161
      nffa sync --check

    \b
    Exit status:
      0  delivered, or nothing due
      3  some acquisitions could not be delivered, or are not what was sent
      4  unreachable: try again later      5  refused (rights, schema)
      6  the disk is full                  7  another sync is running
    """  # noqa: D301
    from nffa_cli.delivery import syncing, telling

    values = settings.load().over(sync_limit_rate=limit_rate)
    wish = syncing.Wish(to, proposal, experiment, link, values["sync.limit_rate"])
    if dry_run:
        return telling.tell_plan(syncing.Sync(wish), terminal)
    if watch:
        return telling.watch(wish, values["sync.every"], terminal)
    return telling.tell(syncing.Sync(wish), terminal, check=check)
