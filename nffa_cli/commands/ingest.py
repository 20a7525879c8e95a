"""``nffa ingest``: a folder into the catalogue."""

from __future__ import annotations

import click

from nffa_cli import pipeline, settings, story
from nffa_cli.commands.options import dry_run_option, jobs_option, output_options
from nffa_cli.terminal import Terminal


@click.command("ingest", short_help="Read a folder into the catalogue: record, preview, provenance.")
@click.argument("folder", type=click.Path())
@click.option("--settle", type=click.FloatRange(0, 86400), help="Seconds without a change before a file is taken [10].")
@click.option("--pictures/--no-pictures", default=None, help="Take pictures without instrument metadata too.")
@click.option("--export/--no-export", default=None, help="Write NXem files of what is recorded, to NFFA_HOME/exports.")
@click.option("--classify/--no-classify", default=None, help="Say what is recorded shows (nffa classify).")
@click.option("--watch", is_flag=True, help="Keep looking until Ctrl-C.")
@click.option("--every", type=click.FloatRange(0.2, 86400), help="Seconds between two looks of --watch [5].")
@click.option("--explain", is_flag=True, help="Say of each acquisition why it is due.")
@dry_run_option
@jobs_option("one a processor")
@output_options
def command(
    folder: str, settle: float | None, pictures: bool | None, export: bool | None, classify: bool | None, watch: bool,
    every: float | None, explain: bool, dry_run: bool, jobs: int | None, terminal: Terminal,
) -> int:  # fmt: skip
    """Read what lies below FOLDER into the catalogue: record, preview, provenance.

    Nothing is ever written to FOLDER. Twice is safe: what has not changed is not read again. A file that is still being
    written waits; a damaged one is listed with the reason and stops nothing.

    \b
    Example:
      nffa ingest D:\\Images
      nffa ingest --watch /data/sem1

    \b
    Exit status:
      0  done, or nothing due
      3  some acquisitions are damaged or could not be read
      6  the disk is full      7  another run holds the lock
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    values = settings.load().over(
        ingest_settle=settle,
        ingest_pictures=pictures,
        ingest_jobs=jobs,
        ingest_every=every,
        ingest_export=export,
        ingest_classify=classify,
    )
    if dry_run:
        return story.tell_plan(pipeline.planned(folder, values), terminal)
    more: dict[str, pipeline.Then] = {}
    if values["ingest.export"] or values["ingest.classify"]:
        from nffa_cli import sights  # an eighth of all that is imported here, and most runs do neither

        more["then"] = sights.after_ingest(folder, values, terminal)
    teller = story.Teller(terminal, explain=explain, changes_only=watch, hint=story.after_ingest)
    run = pipeline.watch if watch else pipeline.ingest
    return teller.tell(run(folder, values, **more))
