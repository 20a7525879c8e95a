"""``nffa open``: look at it where it is best seen."""

from __future__ import annotations

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("open", short_help="Open a node's page, a report, a preview or a NeXus file.")
@click.argument("target", metavar="ID|FILE", type=click.Path())
@click.option("--print", "only_say", is_flag=True, help="Print the address or path; open nothing.")
@output_options
def command(target: str, only_say: bool, terminal: Terminal) -> int:
    """Open an acquisition, a report or a NeXus file with what shows it best.

    Of an acquisition (its file, its id or the start of its id) that is its page at the node where it was delivered last, else
    its preview; of a report the browser; of a .nxs file an installed viewer (silx, NexPy, HDFView, ...).

    \b
    Example:
      nffa open 3fa9
      nffa open image.tif --print
      nffa open report.html
      nffa open exports/image.tif.nxs
    """  # noqa: D301
    from nffa_cli import opening

    thing = opening.find(target)
    program = None if only_say else opening.start(thing)
    terminal.data(thing.as_json() | {"with": program})
    terminal.data({"type": "summary", "opened": int(program is not None)})
    terminal.line(thing.address)
    return 0
