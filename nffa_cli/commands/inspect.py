"""``nffa inspect``: what a file holds and what nffa makes of it."""

from __future__ import annotations

import click

from nffa_cli import settings
from nffa_cli.commands.options import PATHS, jobs_option, output_options
from nffa_cli.pool import Pool, limits
from nffa_cli.terminal import Terminal


@click.command("inspect", short_help="Show what a file holds and what nffa makes of it; nothing is stored.")
@PATHS
@click.option("--raw", is_flag=True, help="Add the vendor's own tree, whole.")
@click.option(
    "--reader", type=click.Choice(["nffa", "hyperspy"]), default="nffa", help="hyperspy: add what HyperSpy makes of it."
)
@jobs_option("1")
@output_options
def command(paths: tuple[str, ...], raw: bool, reader: str, jobs: int | None, terminal: Terminal) -> int:
    """Show what the files in PATHS hold and what nffa makes of it; nothing is stored.

    Prints the record (terms with unit, source and the text as written), what is missing, what looks wrong, and with
    --raw the vendor's whole tree. Files are judged by their format alone.

    \b
    Example:
      nffa inspect image.tif
      nffa inspect --json folder > records.jsonl
    """  # noqa: D301
    values = settings.load()
    with Pool(jobs or 1, limits(values)) as pool:
        pool.start()
        from nffa_cli import look, story  # while the worker starts: both take as long as the reading itself

        teller = story.Teller(terminal)
        for item in look.inspect(list(paths), values, raw=raw, second=reader == "hyperspy", pool=pool):
            line = story.record_line(item)
            if line is not None:
                terminal.data(line)
                story.show_record(line, terminal)
                story.show_trees(item, terminal)
            teller.one(story.inspected(item))
    teller.summary()
    return teller.status()
