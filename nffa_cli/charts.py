"""A spectrum as SVG text: line, round ticks, units, what it shows in words for those who do not see it; pure, without numpy.

Colours come from the page's own style by the classes ``chart``, ``grid``, ``line``, ``range``. ``data-box`` says where the box
lies, so that a page's script can draw another line into it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from nffa_cli import spoken
from nffa_cli.records import Axis

SIZE = (600, 270)
MARGIN = (62, 16, 12, 46)
"""Left, right, top, bottom of the box."""
DECADES = 6
"""That a logarithmic scale shows at most."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of an axis and its round values; ``log``: of a logarithmic one."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies: 0 at the lower end, 1 at the upper one; what is below stays at the end."""
        value = max(self.low, min(self.high, value))
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values in [low, high], roughly ``about`` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def upright(values: Sequence[float], *, log: bool = False) -> Scale:
    """Return the scale for intensities: from nothing on, or over ``DECADES`` at most."""
    high = max(values)
    if log:
        if high <= 0:
            return Scale(0.1, 1.0, (0.1, 1.0), log=True)
        high *= 1.3
        least = min((value for value in values if value > 0), default=high / 10)
        low = max(least * 0.8, high / 10**DECADES)
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        ticks = [10.0**power for power in powers]
        if len(ticks) < 3:
            ticks = [digit * 10.0**power for power in range(powers.start - 1, powers.stop) for digit in (1, 2, 5)]
        return Scale(low, high, tuple(tick for tick in ticks if low <= tick <= high), log=True)
    low = min(0.0, min(values))
    high = high if high > low else low + 1.0
    high += 0.04 * (high - low)
    return Scale(low, high, tuple(nice_ticks(low, high, 4)))


def named_unit(axis: Axis) -> tuple[float, str]:
    """Return by what positions are multiplied and the unit that they then have: m as nm, eV as keV where they are large."""
    furthest = max(abs(axis.offset), abs(axis.offset + axis.scale * (axis.size - 1)))
    unit = axis.unit
    if unit == "1/m":
        return 1e-9, "1/nm"
    if unit not in spoken.PREFIXED or not furthest:
        return 1.0, {"degree": "°", "1": "", None: ""}.get(unit, unit or "")
    power = max(-15, min(9, 3 * math.floor(math.log10(furthest) / 3 + 1e-9)))
    if unit == "eV" and power == 3 and furthest < 1e4:
        power = 0
    return 10.0**-power, f"{spoken.PREFIXES[power]}{unit}"


def heading(axis: Axis) -> str:
    """Return the name of an axis with the unit that it is shown in: Energy loss (eV)."""
    unit, name = named_unit(axis)[1], axis.name or "channel"
    return f"{name} ({unit})" if unit else name


def envelope(values: Sequence[float], columns: int) -> list[float]:
    """Return at most ``2 * columns`` values that keep every peak: the least and the greatest of each column."""
    if len(values) <= 2 * columns:
        return list(values)
    edges = [len(values) * n // columns for n in range(columns + 1)]
    parts = (values[start:stop] for start, stop in pairwise(edges))
    return [end for part in parts for end in (min(part), max(part))]


def line(
    values: Sequence[float], axis: Axis, *, title: str, told: str, ident: str, log: bool = False,
    chosen: tuple[float, float] | None = None, size: tuple[int, int] = SIZE,
) -> str:  # fmt: skip
    """Return a drawing of ``values`` over ``axis``.

    Parameters
    ----------
    title, told
        Its name and what it shows in a sentence or two.
    ident
        Beginning of the ids in it, of letters and digits.
    chosen
        A range of positions that is marked.
    """
    left, top = MARGIN[0], MARGIN[2]
    wide, tall = size[0] - MARGIN[0] - MARGIN[1], size[1] - MARGIN[2] - MARGIN[3]
    factor, _ = named_unit(axis)
    ends = sorted((axis.offset * factor, (axis.offset + axis.scale * max(1, axis.size - 1)) * factor))
    along = Scale(ends[0], ends[1], tuple(nice_ticks(ends[0], ends[1], max(3, size[0] // 100))))
    up = upright(values, log=log)
    parts = []
    for tick in along.ticks:
        x = left + along.place(tick) * wide
        parts.append(f'<path class="grid" d="M{x:.1f},{top}v{tall}"/>')
        parts.append(f'<text x="{x:.1f}" y="{top + tall + 17}" text-anchor="middle">{tick + 0:.6g}</text>')
    parts.append('<g class="up">')
    for tick in up.ticks:
        y = top + (1 - up.place(tick)) * tall
        parts.append(f'<path class="grid" d="M{left},{y:.1f}h{wide}"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    parts.append("</g>")
    if chosen is not None:
        start, stop = (along.place(each * factor) * wide for each in sorted(chosen))
        parts.append(
            f'<rect class="range" x="{left + start:.1f}" y="{top}" width="{max(1.0, stop - start):.1f}" height="{tall}"/>'
        )
    drawn = path(values if axis.scale >= 0 else values[::-1], up, (left, top, wide, tall))
    parts.append(f'<path class="line" d="{drawn}"/>')
    parts.append(f'<path class="frame-line" d="M{left},{top}v{tall}h{wide}"/>')
    parts.append(
        f'<text x="{left + wide / 2:.0f}" y="{top + tall + 37}" text-anchor="middle">{escape(heading(axis))}</text>'
    )
    return (
        f'<svg class="chart" role="img" aria-labelledby="{ident}-title {ident}-told" viewBox="0 0 {size[0]} {size[1]}" '
        f'data-box="{left} {top} {wide} {tall}"{" data-log" if log else ""}>'
        f'<title id="{ident}-title">{escape(title)}</title><desc id="{ident}-told">{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def path(values: Sequence[float], up: Scale, box: tuple[int, int, int, int]) -> str:
    """Return the line itself, as an SVG path; a single value is a level line."""
    left, top, wide, tall = box
    shown = envelope(values, wide)
    shown = shown * 2 if len(shown) == 1 else shown
    step = wide / (len(shown) - 1)
    return "M" + "L".join(f"{left + n * step:.1f},{top + (1 - up.place(y)) * tall:.1f}" for n, y in enumerate(shown))


def short(value: float) -> str:
    """Return a count as people write it on an axis: 0, 0.25, 1500, 20k, 3M, 1e+12."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if factor <= abs(value) < factor * 1e4:
            return f"{value / (1e3 if letter == 'k' else factor):.4g}{letter}"
    return f"{value + 0:.4g}"
