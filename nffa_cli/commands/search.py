"""``nffa search``: find acquisitions here, or measurements that a destination holds."""

from __future__ import annotations

import click

from nffa_cli.commands.options import output_options
from nffa_cli.errors import UsageError
from nffa_cli.terminal import Terminal


@click.command("search", short_help="Find acquisitions by words and by terms.")
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(1), help="At most so many lines [50; with --at: all].")
@click.option("--at", metavar="NAME|URL|FOLDER", help="Ask a destination what it holds, in its own words; none: all.")
@output_options
def command(words: tuple[str, ...], limit: int | None, at: str | None, terminal: Terminal) -> int:
    """Find acquisitions by words (file, folder, sample, operator, detector, instrument, …) and by terms with units.

    All conditions must hold. Words may end in * ; a term is compared with =, <, <=, > or >=, a text with = or ":".

    \b
    Example:
      nffa search nanowire "magnification>5k" accelerating_voltage=10kV
      nffa search category:nanowires decision=accepted
      nffa search sample:wafer format:zeiss-sem-tiff after:2024-05
      nffa search --at https://idrp.example.org nano*
    """  # noqa: D301
    query = " ".join(words)
    if at is not None:
        from nffa_cli.delivery import holdings

        return holdings.found(at, query, limit, terminal)
    if not words:
        raise UsageError("nothing to look for", hint="nffa search WORD, nffa list, or nffa search --at NODE")
    from nffa_cli import browse, settings
    from nffa_cli.catalogue.store import Store

    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return browse.entries(store.find(query, limit=limit or 50), limit or 50, terminal)
