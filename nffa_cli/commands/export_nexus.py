"""``nffa export-nexus``: acquisitions as NXem files."""

from __future__ import annotations

import click

from nffa_cli import settings, story
from nffa_cli.commands.options import PATHS, dry_run_option, jobs_option, output_options
from nffa_cli.export.chunks import COMPRESSIONS
from nffa_cli.terminal import Terminal


@click.command("export-nexus", short_help="Write NXem files (NeXus) of files, folders or ids.")
@PATHS
@click.option(
    "-o", "--output", "out", type=click.Path(), help="Folder, or FILE.nxs for one acquisition [NFFA_HOME/exports]."
)
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Say what a session file would, e.g. sample.atom_types=Si,O.",
)
@click.option("--strict", is_flag=True, help="Write nothing that lacks what NXem requires.")
@click.option("--compression", type=click.Choice(list(COMPRESSIONS)), help="How samples are packed [gzip].")
@click.option(
    "--validate", is_flag=True, help="Judge each written file by the NeXus definitions before it gets its name."
)
@dry_run_option
@jobs_option("1")
@output_options
def command(
    paths: tuple[str, ...], out: str | None, pairs: tuple[str, ...], strict: bool, compression: str | None, validate: bool,
    dry_run: bool, jobs: int | None, terminal: Terminal,
) -> int:  # fmt: skip
    """Write an NXem file (NeXus v2026.01) of every acquisition in PATHS: files, folders, or ids that nffa list shows.

    What NXem requires and neither file, profile nor session knows is not invented: the file is written, is named
    incomplete, and you are told who can supply what. A folder is mirrored below -o. Twice is safe: what has not changed
    is not written again, and a file that is no export of the same acquisition is never replaced.

    \b
    Example:
      nffa export-nexus image.dm3 -o image.nxs --set sample.atom_types=Si,O
      nffa export-nexus D:\\Images -o D:\\NeXus --strict

    \b
    Exit status:
      0  every file is written and complete, or nothing was due
      3  some lack what NXem requires, are damaged, or could not be written
      6  the disk is full
    """  # noqa: D301
    from nffa_cli import exporting, forms

    values = settings.load().over(export_compression=compression, export_jobs=jobs)
    given = forms.from_pairs(pairs, forms.SESSION)
    wish = exporting.Wish(out, strict=strict, validate=validate, dry_run=dry_run, given=given)
    outcomes = exporting.export(paths, values, wish)
    return story.tell_export_plan(outcomes, terminal) if dry_run else story.Teller(terminal).tell(outcomes)
