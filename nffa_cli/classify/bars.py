"""Where a picture's data bar lies, so that texture decides and not the maker's text; pure numpy, no maker's list.

A bar is a band of rows with one even background over most of the width, sharp text on it, and a straight edge to the
picture. It lies at the lower edge (FEI, Hitachi, JEOL, TESCAN), inside the lower part with picture below it (Zeiss), or
at the upper edge; it is light or dark. Even margins around a picture are found too. Panel letters and scale bars that
stand alone in the picture are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVEN = 7
"""Grey levels between neighbours on an even background; JPEG makes a few."""
NEAR = 12
"""Grey levels from the background's own."""
SAME = 7
"""Grey levels between rows of one background, and between its own and what is certainly another's."""
MARGIN = 8
"""Grey levels between the darkest and the brightest pixel of a margin's row."""
STRONG = 48
"""Grey levels by which text differs from its background."""
WIDE = 0.42
"""Share of a row that shows the background."""
LOW = 0.55
"""A bar below this share of the height belongs to the lower edge."""
UPPER = 6
"""A bar of the upper edge lies in the first of so many parts of the height."""
TIGHT = 6
"""Grey levels to which most of a background keeps, JPEG or not."""
END = 0.97
"""A bar of the lower edge reaches below this share of the height."""
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
    return without_margins(grey, between(find(grey), len(grey)))


def middle(height: int) -> slice:
    """Return the rows of a picture of ``height`` rows that no bar reaches."""
    return slice(height // UPPER, int(LOW * height))


def between(found: Sequence[Bar], height: int) -> slice:
    """Return the rows of a picture of ``height`` rows that its bars leave; all, where that would be less than half."""
    top, bottom = 0, height
    for bar in found:
        if bar.top >= LOW * height:
            bottom = min(bottom, bar.top)
        else:
            top = max(top, bar.bottom)
    return slice(top, bottom) if bottom - top >= LEAST_KEPT * height else slice(0, height)


def without_margins(grey: NDArray[np.uint8], rows: slice) -> tuple[slice, slice]:
    """Return the rows and columns that are left of ``rows`` without even rows and columns at their edges.

    Less than half is never left: then it is all of them.
    """
    within = grey[rows]
    spans = []
    for axis in (1, 0):
        uneven = np.flatnonzero(within.max(axis=axis).astype(np.int16) - within.min(axis=axis) > MARGIN)
        length = within.shape[1 - axis]
        first, last = (int(uneven[0]), int(uneven[-1]) + 1) if len(uneven) else (0, length)
        spans.append(slice(first, last) if last - first >= LEAST_KEPT * length else slice(0, length))
    return slice(rows.start + spans[0].start, rows.start + spans[0].stop), spans[1]


def find(grey: NDArray[np.uint8]) -> list[Bar]:
    """Return the data bars of a picture, from top to bottom; see ``kept`` for ``grey``."""
    height, width = grey.shape
    if height < 48 or width < 48:
        return []
    candidates = _even_rows(grey)
    levels = np.full(height, -1, np.int16)
    if len(candidates):
        middle = np.median(grey[candidates, ::3], axis=1).astype(np.int16)
        share = (np.abs(grey[candidates].astype(np.int16) - middle[:, None]) <= NEAR).mean(axis=1)
        levels[candidates[share >= WIDE]] = middle[share >= WIDE]
    found = []
    for top, bottom in _runs(levels, gap=max(3, height // 32)):
        if bottom - top < 4:
            continue
        bar = _bar(grey, top, bottom, int(np.median(levels[top:bottom][levels[top:bottom] >= 0])))
        if bar is not None:
            found.append(bar)
    return found


def _even_rows(grey: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the rows, near enough to an edge for a bar, most of whose neighbours are alike; every second pair is asked."""
    height, width = grey.shape
    found = []
    for start, stop in ((0, middle(height).start), (middle(height).stop, height)):
        left, right = grey[start:stop, 0 : width - 1 : 2], grey[start:stop, 1:width:2]
        alike = np.maximum(left, right) - np.minimum(left, right) <= EVEN
        found.append(np.flatnonzero(np.count_nonzero(alike, axis=1) >= WIDE * alike.shape[1]) + start)
    return np.concatenate(found)


def _runs(levels: NDArray[np.int16], *, gap: int) -> list[tuple[int, int]]:
    """Return the (first, end) of rows whose background is the same.

    Up to ``gap`` rows of dense text, or of lines with a level of their own, may be between.
    """
    runs: list[tuple[int, int]] = []
    for row in map(int, np.flatnonzero(levels >= 0)):
        for n in range(len(runs) - 1, max(-1, len(runs) - 4), -1):
            first, end = runs[n]
            if row - end <= gap and abs(int(levels[row]) - int(levels[first])) <= SAME:
                runs[n] = first, row + 1
                break
        else:
            runs.append((row, row + 1))
    return runs


def _bar(grey: NDArray[np.uint8], top: int, bottom: int, level: int) -> Bar | None:
    """Return the bar that lies in a run of rows with one background, or None."""
    height = len(grey)
    begins = top == 0 or _is_edge(grey, top, level, out=-1)
    ends = bottom >= height - 1 or _is_edge(grey, bottom, level, out=1)
    if not ends or (not begins and bottom < END * height):
        return None
    rows = grey[top:bottom].astype(np.int16)
    away = np.abs(rows - level)
    text = away > STRONG
    sharp = np.abs(np.diff(rows, axis=1)) > STRONG
    written = np.flatnonzero((text.mean(axis=1) >= 0.004) & (sharp.mean(axis=1) >= 0.003))
    if not len(written):
        return None
    if not begins or bottom - top > THICK * height:
        # A dark picture goes on into a dark bar: only the text tells where that begins.
        first = int(written[0]) if begins else int(written[_last_block(written, height // 16)])
        top, written, away, text = top + first, written[written >= first], away[first:], text[first:]
    thick = bottom - top
    if not max(4, THIN * height) <= thick <= THICK * height:
        return None
    blocks = sum(bool(part.any()) for part in np.array_split(text.any(axis=0), 24))
    near, tight = (away <= NEAR).mean(), (away <= TIGHT).mean()
    if (
        blocks < 4
        or len(written) < 0.25 * thick
        or not 0.006 <= text.mean() <= 0.5
        or near < WIDE
        or tight < 0.65 * near
    ):
        return None
    return Bar(top, bottom, level)


def _last_block(rows: NDArray[np.intp], gap: int) -> int:
    """Return where the last group of rows begins that no ``gap`` rows part."""
    parted = np.flatnonzero(np.diff(rows) > gap)
    return int(parted[-1]) + 1 if len(parted) else 0


def _is_edge(grey: NDArray[np.uint8], row: int, level: int, *, out: int) -> bool:
    """Tell whether the background ends at ``row``, over the whole width; ``out``: where the outside is, -1 above."""
    inside = grey[row : row + 4] if out < 0 else grey[max(0, row - 4) : row]
    beyond = grey[max(0, row - 4) : max(0, row - 1)] if out < 0 else grey[row + 1 : row + 4]
    if not len(beyond):
        return True
    within, without = ((np.abs(part.astype(np.int16) - level) <= SAME).mean(axis=1) for part in (inside, beyond))
    return bool(within.max() >= 0.6 and without.mean() < 0.25 and within.max() - without.mean() > 0.45)
