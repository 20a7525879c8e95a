"""``nffa model measure``: how good a model is on pictures whose categories are known."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli import settings
from nffa_cli.commands.options import jobs_option, output_options
from nffa_cli.terminal import Terminal


@click.command("measure")
@click.argument("place", metavar="FOLDER|LIST", type=click.Path(exists=True, path_type=Path))
@click.option("--model", default="", metavar="NAME|FILE", help="Model to measure [the one that classify uses].")
@click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.png",
    help="Write a contact sheet, too: pictures with what was said, the surest mistakes first.",
)  # fmt: skip
@jobs_option("one a processor")
@output_options
def command(place: Path, model: str, sheet: Path | None, jobs: int | None, terminal: Terminal) -> int:
    """Classify the pictures of FOLDER, which has a folder for each category, or of a LIST of labels, and compare.

    The pictures should be none that the model has learned from, and of several days and samples: pictures of one series are
    alike. They are classified as nffa classify does it; what is said is kept, but searches go on by what classify said.

    \b
    Example:
      nffa model measure D:\\Labelled --sheet looked.png
      nffa model measure labels.csv --model taught.onnx

    \b
    Exit status:
      0  measured
      3  measured, but some files are damaged or could not be read
    """  # noqa: D301
    from nffa_cli import measuring

    return measuring.measure(place, model, sheet, settings.load().over(classify_jobs=jobs), terminal)
