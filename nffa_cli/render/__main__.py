"""``python -m nffa_cli.render sheet LABEL -o sheet.png``: a contact sheet of rendered pictures, a row for each sub-kind."""

from __future__ import annotations

import argparse
from pathlib import Path

from nffa_cli.render.sheet import sheet

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m nffa_cli.render", description="Look at rendered pictures.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    drawing = commands.add_parser("sheet", help="write a contact sheet, a row for each sub-kind of a label")
    drawing.add_argument("label", help="a label as it is spelled, or its module (mems, none, …)")
    drawing.add_argument("-o", "--output", type=Path, default=Path("sheet.png"), help="PNG to write (sheet.png)")
    drawing.add_argument("--kind", action="append", help="only this sub-kind; may be given again")
    drawing.add_argument("--count", type=int, default=6, help="pictures in a row (6)")
    drawing.add_argument("--seed", type=int, default=0, help="seed of the first picture (0)")
    given = parser.parse_args()
    sheet(given.label, given.output, only=given.kind, count=given.count, seed=given.seed)
