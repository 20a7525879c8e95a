"""Spectra and spectrum images made small enough to be looked at elsewhere: read in strides, added up, packed by ``spectra``.

Every sample that is read is added to one sum, so that counts stay counts. It knows no file format (``layouts`` opens them) and
draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nffa_cli.layouts import RUN, Array, Loaders, Source, opened
from nffa_cli.pixels import modulus
from nffa_cli.records import SPECTRAL, Axis, Signal
from nffa_cli.spectra import BEYOND, CHANNELS, COARSE, MOST_BYTES, SIDE, Cube, View, binned_axis, pack

MOST_SPECTRA, MOST_CUBES = 16, 3
MOST_CHANNELS = 1 << 20
"""Of a signal that is read at all."""
READ = 128 << 20
"""Bytes of a spectrum image that are read at most; of a larger one every n-th position is."""
SAMPLES = 1 << 20
"""Of all cubes of one file together."""
LEAST_SIDE = 8
"""Positions along a side below which a cube is not made smaller to save bytes."""


def write(signals: Sequence[Signal], out: str, *, loaders: Loaders | None = None) -> bool:
    """Write the file of the spectra among ``signals`` to ``out``; tell whether there are any.

    Raises
    ------
    UnreadableFile
        When the samples cannot be read.
    """
    found = [each for each in signals if each.kind in SPECTRAL and each.layout is not None and all(each.shape)]
    short = [each for each in found if each.shape[-1] <= MOST_CHANNELS]
    cubes = [each for each in short if _is_cube(each)][:MOST_CUBES]
    lines = [each for each in short if not _is_cube(each)][:MOST_SPECTRA]
    views = [_cube(each, SAMPLES // len(cubes), loaders) for each in cubes] + [_line(each, loaders) for each in lines]
    kept = [view for view in views if _is_sound(view)]
    if not kept:
        return False
    left_out = len(found) - len(kept)
    written = pack(kept, left_out=left_out)
    while len(written) > MOST_BYTES and any(_is_large(view) for view in kept):
        kept = [_halved(view) for view in kept]
        written = pack(kept, left_out=left_out)
    Path(out).write_bytes(written)
    return True


def _is_cube(signal: Signal) -> bool:
    return signal.kind == "spectrum-image" and len(signal.shape) > 1


def _is_sound(view: View) -> bool:
    """Tell whether its numbers can be counted with; a damaged file may hold anything."""
    held = [view.counts] if view.cube is None else [view.counts, view.cube.values]
    return all(bool((np.abs(each) < BEYOND).all()) for each in held)


def _axes(signal: Signal) -> tuple[Axis, ...]:
    if len(signal.axes) == len(signal.shape):
        return signal.axes
    return tuple(Axis("channel" if n == len(signal.shape) - 1 else "", size) for n, size in enumerate(signal.shape))


def _line(signal: Signal, loaders: Loaders | None) -> View:
    """Return one spectrum; of several in one signal, their sum."""
    *outer, channels = signal.shape
    total = np.zeros(channels)
    with opened(signal, loaders) as source:
        for lead in _runs(outer, channels * np.dtype(signal.dtype).itemsize):
            block = _finite(source.read((*lead, slice(None))))
            total += block.reshape(-1, channels).sum(axis=0, dtype=np.float64)
    counts, by = _added(total, CHANNELS)
    axis = binned_axis(_axes(signal)[-1], counts.size, by)
    return View(signal.name, signal.kind, signal.shape, axis, counts, by)


def _runs(outer: Sequence[int], size: int) -> Iterator[tuple[slice, ...]]:
    """Yield slices that go over all positions before the last axis, a few MB at a time, ``READ`` bytes in all at most."""
    if not outer:
        yield ()
        return
    first, *rest = outer
    row = math.prod(rest) * size
    every = -(-first * row // READ)
    many = max(1, RUN // max(1, row)) * every
    for start in range(0, first, many):
        yield (slice(start, min(first, start + many), every), *(slice(None) for _ in rest))


def _cube(signal: Signal, samples: int, loaders: Loaders | None) -> View:
    """Return a spectrum image: its sum over positions, and the cube of sums of neighbours, of ``samples`` at most.

    A line of spectra is one row. The outer axes of a series of maps are read at their first position.
    """
    *outer, height, width, channels = signal.shape if len(signal.shape) > 2 else (1, *signal.shape)
    named = _axes(signal)
    y, x, channel = named[-3:] if len(named) > 2 else (Axis("y", 1), *named)
    coarse = -(-channels // COARSE)
    side = min(SIDE, math.isqrt(samples // -(-channels // coarse)))
    every = _strides(height, width, channels * np.dtype(signal.dtype).itemsize)
    rows, columns = (range(n)[slice(step // 2 if step // 2 < n else 0, None, step)]
                     for n, step in zip((height, width), every, strict=True))  # fmt: skip
    down, across = (-(-len(taken) // side) for taken in (rows, columns))
    small = np.zeros((-(-len(rows) // down), -(-len(columns) // across), -(-channels // coarse)))
    total = np.zeros(channels)
    lead = tuple(slice(0, 1) for _ in outer) if len(signal.shape) > 2 else None
    with opened(signal, loaders) as source:
        for at, into, block in _blocks(source, signal, lead, rows, columns):
            wide = _neighbours(_finite(block), across)
            total[into] += wide.sum(axis=(0, 1))
            _add_channels(small, wide, at, down, into.start, coarse)
    counts, by = _added(total, CHANNELS)
    taken = (rows.step, columns.step)
    cube = Cube(
        (binned_axis(y, small.shape[0], down, rows.step), binned_axis(x, small.shape[1], across, columns.step),
         binned_axis(channel, small.shape[2], coarse)),
        small, (down, across, coarse), taken,
    )  # fmt: skip
    return View(signal.name, signal.kind, signal.shape, binned_axis(channel, counts.size, by), counts, by, cube)


def _strides(height: int, width: int, size: int) -> tuple[int, int]:
    """Return of how many rows and columns one is read, so that ``READ`` is kept to.

    Rows first, as long as more are left than are shown: what lies between them is skipped, between columns it is read.
    """
    steps = [1, 1]
    while -(-height // steps[0]) * -(-width // steps[1]) * size > READ and (steps[0] < height or steps[1] < width):
        rows, columns = height / steps[0], width / steps[1]
        steps[0 if rows > SIDE or rows >= columns else 1] *= 2
    return steps[0], steps[1]


def _blocks(
    source: Source, signal: Signal, lead: tuple[slice, ...] | None, rows: range, columns: range
) -> Iterator[tuple[int, slice, Array]]:
    """Yield (first row's number among those taken, channels, samples as (row, column, channel)), some MB at a time."""
    item, channels = np.dtype(signal.dtype).itemsize, signal.shape[-1]
    across = slice(columns.start, columns.stop, columns.step)
    layout = signal.layout
    if layout is not None and layout.order and layout.order[-1] < min(layout.order[:-1]):  # plane by plane
        many = max(1, RUN // max(1, len(rows) * len(columns) * item))
        for first in range(0, channels, many):
            part = slice(first, min(channels, first + many))
            picks = (across, part) if lead is None else (*lead, slice(rows.start, rows.stop, rows.step), across, part)
            yield 0, part, source.read(picks).reshape(len(rows), len(columns), -1)
        return
    many = max(1, 2 * RUN // max(1, len(columns) * channels * item))
    if not source.seekable:  # what lies in pieces is unpacked a piece at a time
        many = max(many, min(len(rows), 4 * RUN // max(1, len(columns) * channels * item)))
    for first in range(0, len(rows), many):
        some = rows[first : first + many]
        down = slice(some.start, some[-1] + 1, some.step)
        picks = (across, slice(None)) if lead is None else (*lead, down, across, slice(None))
        yield first, slice(0, channels), source.read(picks).reshape(len(some), len(columns), channels)


def _finite(block: Array) -> Array:
    """Return samples that can be added: moduli of complex ones, nothing for those that are no numbers."""
    plain = modulus(block)
    return np.nan_to_num(plain, nan=0.0, posinf=0.0, neginf=0.0) if plain.dtype.kind == "f" else plain


def _neighbours(block: Array, by: int) -> Array:
    """Return sums of ``by`` neighbours along the second axis, float64; the last may hold fewer."""
    if by == 1:
        return block.astype(np.float64)
    size = -(-block.shape[1] // by)
    made = np.zeros((block.shape[0], size, block.shape[2]))
    for n in range(by):
        part = block[:, n::by]
        made[:, : part.shape[1]] += part
    return made


def _add_channels(small: Array, wide: Array, row: int, down: int, first: int, by: int) -> None:
    """Add rows from ``row`` on, and channels from ``first`` on, to the sums that they belong to."""
    into = slice(first // by, (first + wide.shape[2] - 1) // by + 1)
    starts = [max(0, n * by - first) for n in range(into.start, into.stop)]
    for number in range(row // down, (row + wide.shape[0] - 1) // down + 1):
        rows = wide[max(0, number * down - row) : (number + 1) * down - row].sum(axis=0)
        small[number, :, into] += rows if by == 1 else np.add.reduceat(rows, starts, axis=1)


def _added(values: Array, most: int) -> tuple[Array, int]:
    """Return sums of so many neighbours that there are ``most`` at most, and how many that is."""
    by = -(-values.size // most)
    return (values if by == 1 else np.add.reduceat(values, range(0, values.size, by))), by


def _is_large(view: View) -> bool:
    return view.cube is not None and max(view.cube.values.shape[:2]) > LEAST_SIDE


def _halved(view: View) -> View:
    """Return a view whose cube has half as many positions along each side that is long."""
    if view.cube is None or not _is_large(view):
        return view
    values, axes, by = view.cube.values, list(view.cube.axes), list(view.cube.binned)
    for n in (0, 1):
        if values.shape[n] > LEAST_SIDE:
            values = np.add.reduceat(values, range(0, values.shape[n], 2), axis=n)
            axes[n], by[n] = binned_axis(axes[n], values.shape[n], 2), by[n] * 2
    cube = Cube((axes[0], axes[1], axes[2]), values, (by[0], by[1], by[2]), view.cube.every)
    return replace(view, cube=cube)
