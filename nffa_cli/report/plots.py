"""The page's small plots as SVG text: bars, and points over logarithmic axes; drawn by hand because they are so small.

Colours come from the page's own style, so that they follow light, dark and paper. What a plot says is also in its title, for
those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from nffa_cli import charts, spectra, story
from nffa_cli.errors import UnreadableFile
from nffa_cli.terminal import printable

WIDTH, ROW = 320, 18
"""Units of a plot's width, and of the height of one bar."""
LABELS = 172
"""Units of the width that names take."""
MOST_BARS = 12
SPECTRUM = (300, 210)
"""Of a spectrum's drawing: width and height."""
HEIGHT, EDGE = 180, 34
"""Of a plot of points: its height, and the room for its scales."""


def bars(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """Return a plot of how often each name occurs; of many the first, and the rest as one."""
    shown = list(counts[:MOST_BARS])
    if rest := sum(count for _, count in counts[MOST_BARS:]):
        shown.append((f"{len(counts) - MOST_BARS} others", rest))
    if not shown:
        return ""
    most = max(count for _, count in shown)
    parts = []
    for number, (name, count) in enumerate(shown):
        y = number * ROW
        length = (WIDTH - LABELS - 40) * count / most
        cut = name if len(name) <= 25 else name[:24] + "…"
        parts.append(
            f'<text x="{LABELS - 6}" y="{y + 13}" text-anchor="end">{escape(cut)}</text>'
            f'<rect x="{LABELS}" y="{y + 3}" width="{length:.1f}" height="{ROW - 6}" rx="2"/>'
            f'<text x="{LABELS + length + 5:.1f}" y="{y + 13}">{count}</text>'
        )
    told = ", ".join(f"{name} {count}" for name, count in shown)
    return _svg(f"{title}: {told}", len(shown) * ROW, "".join(parts))


def points(title: str, x_unit: str, y_unit: str, found: Sequence[tuple[float, float]]) -> str:
    """Return a plot of pairs of positive numbers over logarithmic axes; empty where there are none."""
    if not found:
        return ""
    ranges = [_decades([pair[axis] for pair in found]) for axis in (0, 1)]
    spans = [(EDGE + 16, WIDTH - 12), (HEIGHT - EDGE + 10, 10)]

    def place(axis: int, value: float) -> float:
        low, high = (math.log10(end) for end in ranges[axis])
        start, stop = spans[axis]
        return start + (stop - start) * (math.log10(value) - low) / (high - low)

    parts = []
    for tick in _ticks(*ranges[0]):
        x = place(0, tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{spans[1][1]}" y2="{spans[1][0]}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(story.quantity(tick, x_unit))}</text>'
        )
    for tick in _ticks(*ranges[1]):
        y = place(1, tick)
        parts.append(f'<line x1="{spans[0][0]}" x2="{spans[0][1]}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{spans[0][0] - 5}" y="{y + 4:.1f}" text-anchor="end">{escape(story.quantity(tick, y_unit))}</text>'
        )
    counts = {pair: found.count(pair) for pair in dict.fromkeys(found)}
    for (x_value, y_value), count in counts.items():
        radius = 3 + min(5.0, math.log2(count))
        parts.append(f'<circle cx="{place(0, x_value):.1f}" cy="{place(1, y_value):.1f}" r="{radius:.1f}"/>')
    ends = [f"{story.quantity(low, unit)} to {story.quantity(high, unit)}"
            for unit, (low, high) in ((x_unit, _ends(found, 0)), (y_unit, _ends(found, 1)))]  # fmt: skip
    return _svg(f"{title}: {ends[0]}; {ends[1]}; {len(found)} acquisitions", HEIGHT, "".join(parts))


def spectrum(path: Path, title: str, ident: str) -> str | None:
    """Return the first spectrum of a small file as a drawing; None: there is none that can be read."""
    try:
        views, _ = spectra.unpack(path.read_bytes())
    except (OSError, UnreadableFile):
        return None
    view = views[0]
    more = f"; and {len(views) - 1} more" if len(views) > 1 else ""
    told = f"{charts.heading(view.axis)}: {view.axis.size} values{more}"
    return charts.line(view.counts.tolist(), view.axis, title=title, told=printable(told), ident=ident, size=SPECTRUM)


def _ends(found: Sequence[tuple[float, float]], axis: int) -> tuple[float, float]:
    values = [pair[axis] for pair in found]
    return min(values), max(values)


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: a little more than the values, never less than a factor of ten."""
    low, high = min(values), max(values)
    middle, half = math.sqrt(low * high), max(math.sqrt(10), math.sqrt(high / low) * 1.25)
    return middle / half, middle * half


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between the ends, not more than about six."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    wanted: Sequence[int] = (1, 2, 5) if len(powers) <= 3 else (1,)
    found = [digit * 10.0**power for power in powers for digit in wanted if low <= digit * 10.0**power <= high]
    step = max(1, -(-len(found) // 6))
    return found[::step]


def _svg(told: str, height: int, parts: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(told, quote=True)}" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}"><title>{escape(told)}</title>{parts}</svg>'
    )
