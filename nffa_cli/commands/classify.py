"""``nffa classify``: what SEM pictures show."""

from __future__ import annotations

import click

from nffa_cli import settings
from nffa_cli.commands.options import PATHS, jobs_option, output_options
from nffa_cli.terminal import Terminal


@click.command("classify", short_help="Say what SEM pictures show, how sure that is, or none of it.")
@PATHS
@click.option("--model", default="", metavar="NAME|FILE", help="Model to use [the shipped one].")
@click.option("--top", type=click.IntRange(1, 10), default=3, show_default=True, help="Labels shown of each picture.")
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Score from which a label is accepted [the model's own]."
)
@click.option("--csv", "csv_path", type=click.Path(dir_okay=False), metavar="FILE", help="Write a table (.csv), too.")
@jobs_option("one a processor")
@output_options
def command(
    paths: tuple[str, ...], model: str, top: int, threshold: float | None, csv_path: str | None, jobs: int | None,
    terminal: Terminal,
) -> int:  # fmt: skip
    """Say what the pictures in PATHS show: files, folders, ids that nffa list shows, or what nffa search would find.

    Every label gets a score; accepted, uncertain, or none of these is the answer. Results are kept by content and model,
    so that twice costs nothing and a stopped run goes on. The pictures are only read. A score is the model's opinion:
    nffa review lets persons decide.

    \b
    Example:
      nffa classify D:\\Images --csv labels.csv
      nffa classify "detector:InLens magnification>5k"

    \b
    Exit status:
      0  done, or nothing due
      1  there is no model, or it was refused
      3  some files are damaged or could not be read
    """  # noqa: D301
    from nffa_cli import classifying, sights

    sights.check_table(csv_path)
    values = settings.load().over(classify_jobs=jobs)
    seen = classifying.classify(paths, values, classifying.Wish(model, threshold))
    return sights.tell(seen, terminal, top=top, csv_path=csv_path, total=lambda: classifying.count(paths))
