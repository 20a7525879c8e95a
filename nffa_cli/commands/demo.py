"""``nffa demo``: the whole story on sample files."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli import tour
from nffa_cli.commands.options import dry_run_option, jobs_option, output_options
from nffa_cli.terminal import Terminal


@click.command("demo", short_help="See the whole story on sample files.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Where to put it [NFFA_HOME/demo].")
@dry_run_option
@jobs_option("one a processor")
@output_options
def command(folder: Path | None, dry_run: bool, jobs: int | None, terminal: Terminal) -> int:
    """Write small made-up files of many instruments and tell the whole story: ingest, classify, export, deliver, find.

    It delivers to a node of its own, which listens on this computer only, for as long as the demo runs. Catalogue,
    exports and node lie beside those files; yours are not touched. Run it twice: the second time nothing is due.

    \b
    Example:
      nffa demo
      nffa demo --folder D:\\nffa-demo

    \b
    Exit status:
      0  done, or nothing due      2  the folder holds other things
    """  # noqa: D301
    folder = folder or tour.default_folder()
    return tour.plan(folder, terminal) if dry_run else tour.run(folder, terminal, jobs=jobs)
