"""Where a picture's data bar lies, so that texture decides and not the maker's text; pure numpy, no maker's list.

A bar is a band of rows with one even background over most of the width, sharp text on it, and a straight edge to the
picture. It lies at the lower edge (FEI, Hitachi, JEOL, TESCAN), inside the lower part with picture below it (Zeiss), or
at the upper edge; it is light or dark. Even margins around a picture are found too. Panel letters and scale bars that
stand alone in the picture are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVEN = 4
"""Grey levels between neighbours on an even background; JPEG makes a few."""
NEAR = 10
"""Grey levels from the background's own."""
STRONG = 48
"""Grey levels by which text differs from its background."""
WIDE = 0.42
"""Share of a row that shows the background."""
LOW = 0.55
"""A bar below this share of the height belongs to the lower edge."""
THIN, THICK = 0.016, 0.32
"""Share of the height that a bar takes."""
LEAST_KEPT = 0.5
"""No less of the picture's height is kept, whatever is found."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Rows ``top`` to ``bottom`` (not included) with the grey level of their background."""

    top: int
    bottom: int
    level: int


def kept(grey: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return the rows and columns of the picture proper: without even margins and without its data bar.

    Parameters
    ----------
    grey
        (height, width), 8 bits, two or more pixels a side.
    """
    rows, columns = _margins(grey)
    inner = grey[rows, columns]
    top, bottom = 0, len(inner)
    for bar in find(inner):
        if bar.top >= LOW * len(inner):
            bottom = min(bottom, bar.top)
        else:
            top = max(top, bar.bottom)
    if bottom - top < LEAST_KEPT * len(inner):
        top, bottom = 0, len(inner)
    return slice(rows.start + top, rows.start + bottom), columns


def _margins(grey: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Return what is left without even rows and columns at the edges; all, where that would be less than half."""
    spans = []
    for axis in (1, 0):
        uneven = np.flatnonzero(grey.max(axis=axis).astype(np.int16) - grey.min(axis=axis) > 2 * NEAR)
        length = grey.shape[1 - axis]
        first, last = (int(uneven[0]), int(uneven[-1]) + 1) if len(uneven) else (0, length)
        spans.append(slice(first, last) if last - first >= LEAST_KEPT * length else slice(0, length))
    return spans[0], spans[1]


def find(grey: NDArray[np.uint8]) -> list[Bar]:
    """Return the data bars of a picture, from top to bottom; see ``kept`` for ``grey``."""
    height, width = grey.shape
    if height < 48 or width < 48:
        return []
    steps = np.abs(np.diff(grey.astype(np.int16), axis=1))
    zone = np.ones(height, bool)
    zone[height // 6 : int(LOW * height)] = False
    candidates = np.flatnonzero(((steps <= EVEN).mean(axis=1) >= WIDE) & zone)
    levels = np.full(height, -1, np.int16)
    if len(candidates):
        middle = np.median(grey[candidates], axis=1).astype(np.int16)
        share = (np.abs(grey[candidates].astype(np.int16) - middle[:, None]) <= NEAR).mean(axis=1)
        levels[candidates[share >= WIDE]] = middle[share >= WIDE]
    found = []
    for top, bottom in _runs(levels, gap=max(2, height // 60)):
        bar = _bar(grey, steps, top, bottom, int(np.median(levels[top:bottom][levels[top:bottom] >= 0])))
        if bar is not None:
            found.append(bar)
    return found


def _runs(levels: NDArray[np.int16], *, gap: int) -> list[tuple[int, int]]:
    """Return the (first, end) of rows whose background is the same; ``gap`` rows of dense text or lines may be between."""
    runs: list[tuple[int, int]] = []
    for row in np.flatnonzero(levels >= 0):
        if runs and row - runs[-1][1] <= gap and abs(int(levels[row]) - int(levels[runs[-1][1] - 1])) <= NEAR:
            runs[-1] = runs[-1][0], int(row) + 1
        else:
            runs.append((int(row), int(row) + 1))
    return runs


def _bar(grey: NDArray[np.uint8], steps: NDArray[Any], top: int, bottom: int, level: int) -> Bar | None:
    """Return the bar that lies in a run of rows with one background, or None."""
    height = len(grey)
    away = np.abs(grey[top:bottom].astype(np.int16) - level)
    written = (away > STRONG).mean(axis=1)
    sharp = (steps[top:bottom] > STRONG).mean(axis=1)
    rows = np.flatnonzero((written >= 0.004) & (sharp >= 0.003))
    if not len(rows):
        return None
    if not _has_edge(grey, top, level) or bottom - top > THICK * height:
        # A dark picture goes on into a dark bar: only the text tells where that begins.
        top, rows = top + int(rows[0]), rows - rows[0]
        away = away[-(bottom - top) :]
        if bottom < 0.97 * height and not _has_edge(grey, bottom, level, below=True):
            return None
    thick = bottom - top
    if not max(4, THIN * height) <= thick <= THICK * height:
        return None
    text = away > STRONG
    columns = np.array_split(text.any(axis=0), 24)
    blocks = sum(bool(part.any()) for part in columns)
    filled = len(rows) / thick
    if blocks < 4 or filled < 0.25 or not 0.006 <= text.mean() <= 0.5 or (away <= NEAR).mean() < WIDE:
        return None
    return Bar(top, bottom, level)


def _has_edge(grey: NDArray[np.uint8], row: int, level: int, *, below: bool = False) -> bool:
    """Tell whether the background ends at ``row``: next to it few pixels have its level, or the picture ends."""
    beyond = grey[row : row + 3] if below else grey[max(0, row - 4) : max(0, row - 1)]
    if not len(beyond):
        return True
    return bool((np.abs(beyond.astype(np.int16) - level) <= NEAR).mean() < 0.6 * WIDE)
