"""``nffa search``: find acquisitions."""

from __future__ import annotations

import click

from nffa_cli import browse, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("search", short_help="Find acquisitions by words and by terms.")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=click.IntRange(1), default=50, help="At most so many lines [50].")
@output_options
def command(words: tuple[str, ...], limit: int, terminal: Terminal) -> int:
    """Find acquisitions by words (file, folder, sample, operator, detector, instrument, …) and by terms with units.

    All conditions must hold. Words may end in * ; a term is compared with =, <, <=, > or >=, a text with = or ":".

    \b
    Example:
      nffa search nanowire "magnification>5k" accelerating_voltage=10kV
      nffa search category:nanowires decision=accepted
      nffa search sample:wafer format:zeiss-sem-tiff after:2024-05
    """  # noqa: D301
    query = " ".join(words)
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        return browse.entries(store.find(query, limit=limit), limit, terminal)
