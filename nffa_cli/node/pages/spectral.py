"""Spectra on the page of a measurement: what was asked for, drawn as SVG, PNG and CSV from the small file that came with it.

The data file itself is never opened. The small file is somebody's word: ``nffa_cli.spectra`` reads it within bounds, or says why
it cannot be shown.
"""

from __future__ import annotations

import csv
import functools
import io
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from nffa_cli import charts, spectra
from nffa_cli.errors import UnreadableFile
from nffa_cli.node.storage import Storage
from nffa_cli.records import Axis
from nffa_cli.spectra import Cube, View
from nffa_cli.spreadsheet import cell
from nffa_cli.terminal import printable

ROLE = "spectra"
LONGEST, LEAST = 288, 24
"""Pixels of a map's longer side, and of the shorter one at least."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show: a signal, its scale, a position of its map, and the first and last channel of the map."""

    signal: int = 0
    log: bool = False
    row: int = 0
    column: int = 0
    first: int = 0
    last: int = 0


def asset(files: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the file to draw from among those that the viewer may read; None: there is none."""
    return next((each for each in files if each["role"] == ROLE and each["state"] == "available"), None)


def views(stored: Storage, found: Mapping[str, Any]) -> tuple[View, ...]:
    """Return what an asset holds.

    Raises
    ------
    UnreadableFile
        Why it cannot be shown.
    """
    if found["dataSize"] > spectra.LARGEST:
        raise UnreadableFile(f"it has {found['dataSize']:,} bytes, and at most {spectra.LARGEST:,} are read")
    try:
        held = _read(stored, found["sha256"])
    except OSError:  # not kept in memory: it may come back
        held = "the node has lost its bytes"
    if isinstance(held, str):
        raise UnreadableFile(held)
    return held


@functools.lru_cache(maxsize=8)
def _read(stored: Storage, sha256: str) -> tuple[View, ...] | str:
    try:
        found, _ = spectra.unpack(stored.path(sha256).read_bytes())
    except UnreadableFile as error:
        return error.what
    return tuple(_cleaned(view) for view in found)


def _cleaned(view: View) -> View:
    """Return a view whose names hold nothing that controls or turns round what stands beside it."""

    def clean(axis: Axis) -> Axis:
        return replace(axis, name=printable(axis.name), unit=axis.unit and printable(axis.unit))

    cube = view.cube
    if cube is not None:
        y, x, channel = map(clean, cube.axes)
        cube = replace(cube, axes=(y, x, channel))
    return replace(view, name=view.name and printable(view.name), axis=clean(view.axis), cube=cube)


# --- what was asked for ---


def asked(query: Mapping[str, str], found: Sequence[View]) -> Asked:
    """Return what a query asks for, held to what there is; what it does not say is the brightest position, all channels."""
    signal = min(len(found) - 1, _count(query.get("signal")) or 0)
    log, cube = query.get("scale") == "log", found[signal].cube
    if cube is None:
        return Asked(signal, log)
    rows, columns, channels = cube.values.shape
    row, column = _count(query.get("row")), _count(query.get("column"))
    wide, tall = size(found[signal])
    x, y = _count(query.get("at.x")) or 0, _count(query.get("at.y")) or 0
    if x or y:  # Enter in a field says 0, 0 without a click
        row, column = y * rows // tall + 1, x * columns // wide + 1
    if row is None or column is None:
        brightest = int(np.argmax(cube.values.sum(axis=2, dtype=np.float64)))
        row, column = brightest // columns + 1, brightest % columns + 1
    axis = cube.axes[2]
    ends = sorted(_channel(query.get(name), axis, default)
                  for name, default in (("from", 0), ("to", channels - 1)))  # fmt: skip
    return Asked(signal, log, min(rows, max(1, row)) - 1, min(columns, max(1, column)) - 1, ends[0], ends[1])


def _count(text: str | None) -> int | None:
    return int(text) if text and len(text) <= 9 and text.isascii() and text.isdecimal() else None


def _channel(text: str | None, axis: Axis, default: int) -> int:
    """Return the channel at a position that is written in the unit that the page shows; ``default``: it is none."""
    try:
        position = float(text or "")
    except ValueError:
        return default
    number = (position / charts.named_unit(axis)[0] - axis.offset) / axis.scale
    return max(0, min(axis.size - 1, round(number))) if math.isfinite(number) else default


def query(view: View, wanted: Asked, **other: Any) -> str:
    """Return the query by which a page shows what is wanted; ``other``: what is to be different."""
    said: dict[str, Any] = {"signal": wanted.signal or None, "scale": "log" if wanted.log else None}
    if view.cube is not None:
        start, stop = bounds(view.cube, wanted)
        said |= {"row": wanted.row + 1, "column": wanted.column + 1}
        if (wanted.first, wanted.last) != (0, view.cube.axes[2].size - 1):
            said |= {"from": start, "to": stop}
    return urlencode({name: value for name, value in (said | other).items() if value is not None})


def bounds(cube: Cube, wanted: Asked) -> tuple[str, str]:
    """Return the positions of the first and last channel of the map, in the unit that the page shows."""
    axis, factor = cube.axes[2], charts.named_unit(cube.axes[2])[0]
    first, last = (f"{(axis.offset + axis.scale * n) * factor:.6g}" for n in (wanted.first, wanted.last))
    return first, last


# --- what is shown ---


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows: drawings ready to stand on it, and everything else as text."""

    names: list[str]
    asked: Asked
    view: View
    whole: Markup
    at: Markup | None
    place: str
    facts: str
    unit: str
    bounds: tuple[str, str]
    size: tuple[int, int]
    query: str
    other_scale: str
    marks: Mapping[str, str]


def shown(found: Sequence[View], wanted: Asked) -> Shown:
    """Return what the page shows of one signal."""
    view = found[wanted.signal]
    names = [each.name or f"{each.kind} {number + 1}" for number, each in enumerate(found)]
    name, cube = names[wanted.signal], view.cube
    chosen = None if cube is None else _ends(cube, wanted)
    title = f"{'Sum spectrum' if cube else 'Spectrum'} of {name}"
    whole = _drawn(view, view.axis, view.counts, view.binned, wanted, title=title, ident="whole", chosen=chosen)
    at, place, unit = None, "", ""
    if cube is not None:
        place, unit = _place(cube, wanted), charts.named_unit(cube.axes[2])[1]
        values = cube.values[wanted.row, wanted.column].astype(np.float64)
        at = _drawn(view, cube.axes[2], values, cube.binned[2], wanted, title=f"Spectrum at {place}", ident="at")
    return Shown(
        names, wanted, view, whole, at, place, facts(view), unit, ("", "") if cube is None else bounds(cube, wanted),
        size(view), query(view, wanted), query(view, wanted, scale=None if wanted.log else "log"),
        {} if cube is None else _marks(view, cube),
    )  # fmt: skip


def _drawn(
    view: View, axis: Axis, values: NDArray[np.float64], by: int, wanted: Asked, *, title: str, ident: str,
    chosen: tuple[float, float] | None = None,
) -> Markup:  # fmt: skip
    size = _whole_sums(view, axis, by)
    axis, values = replace(axis, size=size), values[:size]
    told = _told(axis, values)
    drawing = charts.line(values.tolist(), axis, title=title, told=told, ident=ident, log=wanted.log, chosen=chosen)
    return Markup(drawing)  # noqa: S704 - charts escapes what it is given


def _whole_sums(view: View, axis: Axis, by: int) -> int:
    """Return how many values are drawn: a last one that adds fewer channels than the others would look like a fall."""
    return axis.size - 1 if view.shape[-1] % by and axis.size > 1 else axis.size


def _ends(cube: Cube, wanted: Asked) -> tuple[float, float] | None:
    axis = cube.axes[2]
    if (wanted.first, wanted.last) == (0, axis.size - 1):
        return None
    return axis.offset + axis.scale * (wanted.first - 0.5), axis.offset + axis.scale * (wanted.last + 0.5)


def _told(axis: Axis, values: NDArray[np.float64]) -> str:
    """Return in words what a drawing shows: from where to where, and the highest point."""
    factor, unit = charts.named_unit(axis)
    start, stop, top = (f"{(axis.offset + axis.scale * n) * factor:.5g} {unit}".rstrip()
                        for n in (0, axis.size - 1, int(np.argmax(values))))  # fmt: skip
    span = f"{axis.name or 'channel'} from {start} to {stop}"
    return f"{span}; the highest of {axis.size} values, {float(values.max()):.5g}, is at {top}."


def _place(cube: Cube, wanted: Asked) -> str:
    """Return a position in words."""
    found = []
    for axis, number in ((cube.axes[1], wanted.column), (cube.axes[0], wanted.row)):
        factor, unit = charts.named_unit(axis)
        if axis.unit is not None:
            found.append(f"{axis.name} {(axis.offset + axis.scale * number) * factor + 0:.4g} {unit}")
    where = f"column {wanted.column + 1}, row {wanted.row + 1}"
    return f"{where} ({', '.join(found)})" if found else where


def _marks(view: View, cube: Cube) -> dict[str, str]:
    """Return how axes are shown, for the page's script: factor and unit of each, and how many channels are drawn."""
    drawn = {"drawn": str(_whole_sums(view, cube.axes[2], cube.binned[2]))}
    return drawn | {name: "{} {}".format(*charts.named_unit(axis)) for name, axis in zip("yxc", cube.axes, strict=True)}


def facts(view: View) -> str:
    """Return in words what was made of the signal in the data file to get what is shown."""
    cube, channels = view.cube, view.shape[-1]
    positions = " × ".join(map(str, view.shape[:-1]))
    parts = [f"{positions} positions, {channels} channels" if positions else f"{channels} channels"]
    if view.binned > 1:
        parts.append(f"{view.binned} channels are added into one")
    if cube is not None:
        down, across, by = cube.binned
        if down * across > 1:
            parts.append(f"each point of the map adds {down} × {across} positions")
        if by > 1:
            parts.append(f"the spectrum at a point adds {by} channels into one")
        if max(cube.every) > 1:
            parts.append(f"one of every {math.prod(cube.every)} positions was read")
    return "; ".join(parts) + "."


# --- the map ---


def size(view: View) -> tuple[int, int]:
    """Return width and height, in pixels, at which the map is shown: as the positions lie in the sample where that is known."""
    if view.cube is None:
        return 0, 0
    y, x, _ = view.cube.axes
    tall, wide = abs(y.scale) * y.size, abs(x.scale) * x.size
    if y.unit != x.unit or not 1 / 32 < tall / wide < 32:
        by, every = view.cube.binned, view.cube.every
        tall, wide = (n.size * many * one for n, many, one in zip((y, x), by[:2], every, strict=True))
    longest = max(tall, wide)
    return max(LEAST, round(LONGEST * wide / longest)), max(LEAST, round(LONGEST * tall / longest))


def picture(view: View, wanted: Asked) -> bytes:
    """Return the map as PNG: what was counted in the channels, from black (least) to white, with the position marked."""
    assert view.cube is not None
    counts = view.cube.values[..., wanted.first : wanted.last + 1].sum(axis=2, dtype=np.float64)
    low, high = float(counts.min()), float(counts.max())
    grey = (
        np.rint((counts - low) * (255 / (high - low))).astype(np.uint8)
        if high > low
        else np.full(counts.shape, 128, np.uint8)
    )
    wide, tall = size(view)
    rows, columns = counts.shape
    down, across = np.arange(tall) * rows // tall, np.arange(wide) * columns // wide
    large = np.ascontiguousarray(grey[np.ix_(down, across)])
    top, left = (int(np.searchsorted(places, at)) for places, at in ((down, wanted.row), (across, wanted.column)))
    bottom, right = (int(np.searchsorted(places, at, "right")) - 1
                     for places, at in ((down, wanted.row), (across, wanted.column)))  # fmt: skip
    for ring, shade in ((2, 0), (1, 255)):
        _outline(
            large,
            (max(0, top - ring), min(tall - 1, bottom + ring)),
            (max(0, left - ring), min(wide - 1, right + ring)),
            shade,
        )
    return _png(large)


def _outline(grey: NDArray[np.uint8], rows: tuple[int, int], columns: tuple[int, int], shade: int) -> None:
    grey[list(rows), columns[0] : columns[1] + 1] = shade
    grey[rows[0] : rows[1] + 1, list(columns)] = shade


def _png(grey: NDArray[np.uint8]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = grey.shape
    lines = np.zeros((height, width + 1), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = grey
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# --- the values ---


def table(view: View, wanted: Asked, *, at: bool) -> str:
    """Return what is drawn as CSV: all of the signal, or (``at``) the spectrum at the position."""
    axis, values, what = view.axis, view.counts, "sum" if view.cube else "intensity"
    if at and view.cube is not None:
        axis, values, what = (
            view.cube.axes[2],
            view.cube.values[wanted.row, wanted.column],
            f"at {_place(view.cube, wanted)}",
        )
    factor, _ = charts.named_unit(axis)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\r\n")
    heads = (charts.heading(axis), what)
    rows.writerow(map(cell, heads))
    rows.writerows(
        (f"{(axis.offset + axis.scale * n) * factor + 0:.9g}", f"{value:.9g}")
        for n, value in enumerate(values.tolist())
    )
    return written.getvalue()
