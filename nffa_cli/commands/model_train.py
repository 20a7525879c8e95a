"""``nffa model train``: make a model from pictures, from rendered pictures, or from a handful of labelled ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nffa_cli import settings
from nffa_cli.commands.options import jobs_option, output_options
from nffa_cli.terminal import Terminal

PLACE = click.Path(exists=True, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)


@click.command("train", short_help="Make a model: from folders, rendered pictures, a handful, or a review.")
@click.argument("folder", required=False, metavar="[FOLDER|LIST]", type=PLACE)
@click.option("--rendered", type=click.IntRange(0), default=0, metavar="N", help="Draw N pictures of each label, too.")
@click.option("--few-shot", type=PLACE, metavar="FOLDER|LIST", help="Teach --base with 5 to 20 pictures of each label.")
@click.option("--from-review", is_flag=True, help="Teach --base with what persons have said of its pictures.")
@click.option("--base", default="", metavar="NAME|FILE", help="Model to teach [the one that classify uses].")
@click.option(
    "-o", "--out", type=OUT, default="nffa-trained.onnx", show_default=True, help="File to write; its card beside it."
)
@click.option("--measure", type=PLACE, metavar="FOLDER|LIST", help="Measure on these, too; nothing learns from them.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same figures.")
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True, help="Times each picture is seen.")
@click.option("--size", type=click.IntRange(64, 512), default=160, show_default=True, help="Pixels the network sees.")
@click.option("--views", type=click.IntRange(1, 32), default=4, show_default=True, help="Crops judged for a picture.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Folder of drawn pictures [NFFA_HOME].")
@jobs_option("one a processor")
@output_options
def command(terminal: Terminal, **asked: Any) -> int:
    """Make a model: from FOLDER with a folder of pictures for each category, from pictures that nffa draws, or from both.

    A LIST of labels, as nffa review export -o labels.csv writes it, does where FOLDER does.

    Training needs PyTorch (pip install "nffa-cli[train]"); a graphics processor is used when there is one. --few-shot and
    --from-review need neither: they put a new last layer on a model that exists, in a minute. The published NFFA sets are
    understood as they come. The card beside the model says what it was trained and measured on.

    \b
    Example:
      nffa model train D:\\Labelled --out ours.onnx
      nffa model train labels.csv --out reviewed.onnx
      nffa model train --rendered 3000 --out drawn.onnx
      nffa model train --few-shot D:\\Twenty-of-each --out taught.onnx
      nffa model add taught.onnx
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    from nffa_cli import training

    typed = " ".join(["nffa", *(f'"{each}"' if " " in each else each for each in sys.argv[1:])])
    command = typed.encode(errors="replace").decode()
    return training.train(training.Asked(**asked, command=command), settings.load(), terminal)
