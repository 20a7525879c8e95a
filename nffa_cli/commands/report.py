"""``nffa report``: the evening's work as one page."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("report", short_help="Make one page of pictures, settings and warnings.")
@click.argument("target", required=False, metavar="[FOLDER|QUERY]")
@click.option("-o", "--output", "out", default="report.html", type=click.Path(), help="The page [report.html].")
@output_options
def command(target: str | None, out: str, terminal: Terminal) -> int:
    """Make one HTML page of what the catalogue knows below FOLDER, finds for QUERY, or knows at all.

    It shows the pictures by sitting at the instrument, with settings, categories, sample and proposal, what is to be looked
    at, and the files that were not taken. It is one file that needs nothing beside itself: mail it, print it, keep it.

    \b
    Example:
      nffa report D:\\Images\\2024-05-06
      nffa report "category:nanowires accelerating_voltage=10kV" -o nanowires.html
    """  # noqa: D301
    from nffa_cli.report import page

    reporter = terminal.reporter()
    done = page.write(target, Path(out), reporter)
    reporter.end()
    terminal.data(page.told(done))
    terminal.data({"type": "summary", "acquisitions": done.acquisitions})
    terminal.line(page.sentence(done))
    terminal.hint("Next: open it in a browser")
    return 0
