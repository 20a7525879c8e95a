"""Contact sheets of rendered pictures, for people who write sub-kinds: what looks wrong is wrong. Not for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nffa_cli.render import MODULES, render, sub_kinds
from nffa_cli.render.bars import save, write
from nffa_cli.render.fields import Array

GAP, NAME = 2, 90
"""Pixels between pictures, and for the names at the left."""


def sheet(label: str, path: Path, *, only: Sequence[str] | None = None, count: int = 6, seed: int = 0) -> None:
    """Write a PNG with a row of ``count`` pictures for each sub-kind of ``label`` (its name or its module's)."""
    label = next((name for name, module in MODULES.items() if module == label), label)
    names = only or sorted(sub_kinds(label))
    rows = [[render(label, seed + k, kind=name).image for k in range(count)] for name in names]
    save(_joined(names, rows), path)


def _joined(names: Sequence[str], rows: Sequence[Sequence[Array]]) -> Array:
    tall, wide = rows[0][0].shape
    page = np.full((len(rows) * (tall + GAP), NAME + len(rows[0]) * (wide + GAP)), 255, np.float32)
    for row, (name, images) in enumerate(zip(names, rows, strict=True)):
        top = row * (tall + GAP)
        for line, word in enumerate(name.split()):
            write(page, word, top + 4 + 14 * line, 3, 12, 0)
        for column, image in enumerate(images):
            left = NAME + column * (wide + GAP)
            page[top : top + tall, left : left + wide] = image
    return page.astype(np.uint8)
