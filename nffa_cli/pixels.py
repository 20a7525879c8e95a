"""Views of a signal: exact slabs, and frames, spectra and maps small enough to look at.

A view of a 2 GB file reads some megabytes of it: strided rows, averaged in bands. This module knows no file format
(``layouts`` opens them) and does not draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nffa_cli.layouts import BUDGET, RUN, Array, Loaders, Picks, opened
from nffa_cli.records import Signal

HELD_DEPTH = 2
"""Rows of each block that are averaged where reading costs nothing."""


def slab(signal: Signal, picks: Sequence[slice], *, loaders: Loaders | None = None) -> Array:
    """Return exactly the samples that ``picks`` selects.

    Parameters
    ----------
    signal
        A signal with a layout.
    picks
        One slice of positive step per axis of the signal, in its order.
    loaders
        Functions for layout methods that this module does not know itself ("rosetta").

    Returns
    -------
    ndarray
        Native byte order, one dimension per axis.

    Raises
    ------
    UnreadableFile
        Codes ``truncated``, ``corrupt``, ``memory`` (more than 1 GiB would have to be held at once).
    """
    with opened(signal, loaders) as source:
        return source.read(tuple(picks))


def is_colour(signal: Signal) -> bool:
    """Tell whether the last axis of an image holds red, green, blue (and alpha)."""
    return signal.kind in ("image", "stack") and len(signal.shape) > 2 and _is_colour_shape(signal)


def _is_colour_shape(signal: Signal) -> bool:
    has_spare_axis = len(signal.axes) < len(signal.shape) or signal.kind == "image"
    return signal.shape[-1] in (3, 4) and (has_spare_axis or signal.axes[-1].name not in ("x", "kx"))


def frame(
    signal: Signal, index: Sequence[int] = (), *, max_side: int | None = None, loaders: Loaders | None = None
) -> Array:
    """Return one two-dimensional frame (or (y, x, 3|4) in colour), reduced so that no side exceeds ``max_side``.

    Blocks of pixels are averaged (to floats); of a large frame only some rows of each block are read.
    Rows and columns that do not fill a block at the far edge are dropped. A complex frame comes as its modulus.

    Parameters
    ----------
    signal
        Any signal of two or more axes.
    index
        Position on the axes before the last two (three in colour).
    max_side
        None: the frame as it is.

    ``loaders`` and what is raised: as for ``slab``.
    """
    tail = 3 if is_colour(signal) else 2
    lead = _position(signal, index, tail)
    height, width, *colour = signal.shape[-tail:]
    factor = 1 if max_side is None else -(-max(height, width) // max_side)
    rest: Picks = tuple(slice(None) for _ in colour)
    with opened(signal, loaders) as source:
        if factor == 1:
            whole: Array = modulus(source.read((*lead, slice(None), slice(None), *rest)))[(0,) * len(lead)]
            return whole
        down, across = min(factor, height), min(factor, width)
        row_bytes = width * math.prod(colour) * np.dtype(signal.dtype).itemsize
        rows_out = height // down
        # Rows of each block to read: all where rows between cannot be skipped, else as many as the budget allows.
        depth = max(1, min(down, BUDGET // max(1, rows_out * row_bytes))) if source.seekable else down
        if source.in_memory:  # nothing is left to be paid but the sums, and whole rows are many samples
            depth = min(depth, HELD_DEPTH)
        # Rows beyond measure are thinned out too: one sample of each block's width.
        thin = source.seekable and rows_out * row_bytes > 4 * BUDGET
        columns = slice(across // 2, width // across * across, across) if thin else slice(None)
        wide = 1 if thin else across
        tall = 1 if depth < down else down
        band = max(1, RUN // max(1, row_bytes // (across if thin else 1) * tall))
        parts = []
        for start in range(0, rows_out, band):
            stop = min(rows_out, start + band)
            blocks = (
                modulus(source.read((*lead, rows, columns, *rest)))[(0,) * len(lead)]
                for rows in _rows(start, stop, down, depth)
            )
            first = next(blocks)
            total = _sum_rows(first, tall, _accumulator(first.dtype, depth * wide))
            for block in blocks:
                total += block
            parts.append(_divide(_sum_columns(total, wide), wide * depth, first.dtype))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def spectrum(signal: Signal, index: Sequence[int] | None = None, *, loaders: Loaders | None = None) -> Array:
    """Return the samples along the last axis: of a spectrum, a profile, or a spectrum image.

    Parameters
    ----------
    signal
        A signal whose last axis is the one to follow.
    index
        Position on the other axes. None: the mean over them (float64), of a regular sample when they are many.

    ``loaders`` and what is raised: as for ``slab``.
    """
    if index is not None or len(signal.shape) == 1:
        lead = _position(signal, index or (), 1)
        return slab(signal, (*lead, slice(None)), loaders=loaders).reshape(-1)
    *positions, channels = signal.shape
    steps = [1] * len(positions)
    budget = BUDGET // max(1, channels * np.dtype(signal.dtype).itemsize)
    # Where channels lie slowest, a read takes a run of pixels: keep rows whole. Else thin out all axes alike.
    while math.prod(-(-n // s) for n, s in zip(positions, steps, strict=True)) > max(1, budget):
        thin = [i for i, (n, s) in enumerate(zip(positions, steps, strict=True)) if s < n]
        if _channels_slowest(signal):
            steps[thin[0]] *= 2
        else:
            widest = max(thin, key=lambda i: positions[i] / steps[i])
            steps[widest] *= 2
    picks = tuple(slice(s // 2 if s // 2 < n else 0, None, s) for n, s in zip(positions, steps, strict=True))
    sample = slab(signal, (*picks, slice(None)), loaders=loaders)
    return np.asarray(modulus(sample).reshape(-1, channels).mean(axis=0, dtype=np.float64))


def energy_map(signal: Signal, *, max_side: int = 256, loaders: Loaders | None = None) -> Array:
    """Return the (y, x) map of a spectrum image: its sum over channels, at every n-th pixel when it is large.

    Where channels lie slowest in the file and are many, every n-th channel is summed. The outer axes of a series of
    maps are read at their first position. The result is proportional to the sum, float64.

    Raises
    ------
    UnreadableFile
        As ``slab``.
    """
    *outer, height, width, channels = signal.shape
    size = np.dtype(signal.dtype).itemsize
    step = max(1, -(-max(height, width) // max_side))
    every = 1
    if _channels_slowest(signal):
        every = max(1, min(channels // 16, height * width * channels * size // (2 * BUDGET)))
    while max(height, width) // step > 8 and -(-height // step) * -(-width // step) * (channels // every) * size > (
        2 * BUDGET
    ):
        step += 1
    lead: Picks = (slice(0, 1),) * len(outer)
    across = slice(step // 2, None, step) if step // 2 < width else slice(0, 1)
    rows = range(height)[slice(step // 2, None, step) if step // 2 < height else slice(0, 1)]
    with opened(signal, loaders) as source:
        if _channels_slowest(signal):
            down = slice(rows.start, rows.stop, rows.step)
            planes = (slice(n, n + 1) for n in range(0, channels, every))
            blocks = (modulus(source.read((*lead, down, across, plane))) for plane in planes)
            return np.asarray(sum(block.reshape(*block.shape[-3:-1]).astype(np.float64) for block in blocks))
        lines = (source.read((*lead, slice(y, y + 1), across, slice(0, None, every))) for y in rows)
        return np.stack([modulus(line).sum(axis=-1, dtype=np.float64).reshape(-1) for line in lines])


def mean_pattern(signal: Signal, *, loaders: Loaders | None = None) -> Array:
    """Return the mean (ky, kx) pattern, float64, over a regular sample of the other axes of a 4-D STEM signal.

    Raises
    ------
    UnreadableFile
        As ``slab``.
    """
    *positions, height, width = signal.shape
    each = height * width * np.dtype(signal.dtype).itemsize
    wanted = max(1, min(64, BUDGET // max(1, each)))
    count = math.prod(positions)
    chosen = range(count // wanted // 2, count, max(1, count // wanted)) if count > wanted else range(count)
    with opened(signal, loaders) as source:
        total = np.zeros((height, width))
        for number in chosen:
            index = np.unravel_index(number, positions)
            lead = tuple(slice(int(i), int(i) + 1) for i in index)
            total += modulus(source.read((*lead, slice(None), slice(None)))).reshape(height, width)
    return total / len(chosen)


def virtual_image(signal: Signal, *, max_side: int = 64, loaders: Loaders | None = None) -> Array:
    """Return the (y, x) image that a detector over the centre of every pattern would have made, float64.

    The centre is the middle quarter of the pattern's sides, sampled at 8 × 16 pixels at most; every n-th position is
    read when there are more than ``max_side`` along a side.

    Raises
    ------
    UnreadableFile
        As ``slab``.
    """
    *outer, height, width, down, across = signal.shape
    step = max(1, -(-max(height, width) // max_side))
    middle = tuple(
        slice(n * 3 // 8, max(n * 3 // 8 + 1, -(-n * 5 // 8)), max(1, n // 4 // samples))
        for n, samples in ((down, 8), (across, 16))
    )
    lead: Picks = (slice(0, 1),) * len(outer)
    with opened(signal, loaders) as source:
        lines = (source.read((*lead, slice(y, y + 1), slice(0, None, step), *middle)) for y in range(0, height, step))
        return np.stack([modulus(line).sum(axis=(-1, -2), dtype=np.float64).reshape(-1) for line in lines])


def _position(signal: Signal, index: Sequence[int], tail: int) -> Picks:
    sizes = signal.shape[: len(signal.shape) - tail]
    if len(index) != len(sizes) or not all(0 <= i < n for i, n in zip(index, sizes, strict=False)):
        raise ValueError(f"index {tuple(index)} does not address a frame of shape {signal.shape}")
    return tuple(slice(i, i + 1) for i in index)


def _rows(start: int, stop: int, down: int, depth: int) -> Iterator[slice]:
    """Yield slices that together take ``depth`` rows of each block of ``down`` rows, blocks start to stop."""
    if depth == down:
        yield slice(start * down, stop * down)
        return
    for n in range(depth):
        yield slice(start * down + (2 * n + 1) * down // (2 * depth), stop * down, down)


def _accumulator(dtype: np.dtype[Any], count: int) -> np.dtype[Any]:
    """Return the smallest type, so the fastest, in which ``count`` samples can be summed."""
    if dtype.kind not in "iub":
        return np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    bits = next(n for n in (16, 32, 64) if n == 64 or 8 * dtype.itemsize + count.bit_length() <= n)
    return np.dtype(f"{'i' if dtype.kind == 'i' else 'u'}{bits // 8}")


def _sum_rows(block: Array, down: int, dtype: np.dtype[Any]) -> Array:
    """Sum each ``down`` rows of a (y, x, …) array; adding strided views is faster than reshape and sum."""
    height = block.shape[0] // down * down
    if down == 1:
        return block.astype(dtype)
    rows: Array = np.add(block[0:height:down], block[1:height:down], dtype=dtype)
    for n in range(2, down):
        rows += block[n:height:down]
    return rows


def _sum_columns(rows: Array, across: int) -> Array:
    if across == 1:
        return rows
    width = rows.shape[1] // across * across
    sums: Array = rows[:, 0:width:across] + rows[:, 1:width:across]
    for n in range(2, across):
        sums += rows[:, n:width:across]
    return sums


def _divide(total: Array, count: int, dtype: np.dtype[Any]) -> Array:
    """Return the mean; of integers as float, since most blocks of a picture of single counts sum to less than one."""
    single = dtype.itemsize <= (2 if dtype.kind in "iub" else 4)
    mean: Array = total.astype(np.float32 if single else np.float64)
    mean /= count
    return mean


def modulus(block: Array) -> Array:
    """Return the modulus of complex samples, others as they are."""
    return np.asarray(np.abs(block) if block.dtype.kind == "c" else block)


def _channels_slowest(signal: Signal) -> bool:
    layout = signal.layout
    return layout is not None and bool(layout.order) and layout.order[-1] < min(layout.order[:-1])
