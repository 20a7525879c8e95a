"""``nffa get``: bring measurements back from a destination."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("get", short_help="Bring measurements back from a destination, verified.")
@click.argument("wanted", metavar="ID|QUERY", nargs=-1, required=True)
@click.option(
    "-o", "--to", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for the files [.]."
)
@click.option("--from", "source", metavar="NAME|URL|FOLDER", help="Where from [the only destination in nffa.toml].")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many measurements.")
@output_options
def command(wanted: tuple[str, ...], to: Path, source: str | None, limit: int, terminal: Terminal) -> int:
    """Download the files of a measurement (or of one asset) by its id there, or of all measurements that a query finds.

    Each file grows as .part, goes on where it broke off, and gets its name when its digest is right. Names are made safe; a
    file that is there already is never overwritten.

    \b
    Example:
      nffa get 01932b7e-5a3c-7d10-9c1e-2f6f1f0a7c11 --from https://idrp.example.org
      nffa get nanowires -o from-node

    \b
    Exit status:
      0  all is there, verified      3  some files could not be brought
      4  unreachable: run it again, it goes on      5  refused      6  disk full
    """  # noqa: D301
    from nffa_cli.delivery import getting
    from nffa_cli.story import Teller

    return Teller(terminal).tell(getting.get(getting.source(source), " ".join(wanted), to, limit=limit))
