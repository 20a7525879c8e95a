"""Random fields and the arithmetic on them: noise, ridges, Voronoi cells, blur, warps; not objects (``shapes``).

All arrays are float32 of shape (H, W), all lengths are in pixels, everything random comes from the generator given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import ndimage, sparse

Array = Any
"""A numpy array; float32 unless said otherwise."""
Shape = tuple[int, int]
"""(H, W): rows, columns."""


def grid(shape: Shape) -> tuple[Array, Array]:
    """Return y of shape (H, 1) and x of shape (1, W), which broadcast to a picture."""
    return np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None, :]


def turned(shape: Shape, angle: float, *, centre: tuple[float, float] | None = None) -> tuple[Array, Array]:
    """Return coordinates (v, u) of shape (H, W), turned by ``angle`` radians about ``centre`` (y, x; default middle)."""
    y, x = grid(shape)
    cy, cx = centre if centre is not None else ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return (y - np.float32(cy)) * c - (x - np.float32(cx)) * s, (x - np.float32(cx)) * c + (y - np.float32(cy)) * s


EDGES = {"nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}
"""How ``blur`` goes on beyond the border, in scipy's words → numpy's."""


def blur(a: Array, sigma: float | tuple[float, float], *, mode: str = "nearest") -> Array:
    """Return ``a`` blurred by a Gaussian of ``sigma`` pixels (or one each for y and x); wide ones at less resolution."""
    tall, wide = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    least = min(tall, wide)
    if least < 3:
        return _blur_rows(_blur_rows(a, tall, mode).T, wide, mode).T
    step = max(int(least / 1.7), 2)
    small = shrink(a, step)
    small = _blur_rows(_blur_rows(small, tall / step, mode).T, wide / step, mode).T
    return enlarge(small, a.shape, step)


def _blur_rows(a: Array, sigma: float, mode: str) -> Array:
    """Blur along the first axis: sums of moved pictures, which for short kernels beats scipy's loop of doubles."""
    reach = min(int(sigma * 2.5 + 0.7), a.shape[0] - 1)
    if reach < 1 or sigma < 0.05:
        return np.asarray(a, np.float32)
    if reach > 14:
        found: Array = ndimage.gaussian_filter1d(a, sigma, axis=0, mode=mode, truncate=2.5, output=np.float32)
        return found
    weights = np.exp(-0.5 * np.square(np.arange(reach + 1) / sigma)).astype(np.float32)
    weights /= weights[0] + 2 * weights[1:].sum()
    rows = a.shape[0]
    padded = np.pad(np.asarray(a, np.float32), ((reach, reach), (0, 0)), mode=EDGES[mode])  # type: ignore[call-overload]
    total = padded[reach : reach + rows] * weights[0]
    for k in range(1, reach + 1):
        both = padded[reach - k : reach - k + rows] + padded[reach + k : reach + k + rows]
        both *= weights[k]
        total += both
    return total


def shrink(a: Array, step: int) -> Array:
    """Return the means of blocks of ``step`` × ``step`` pixels; the last ones are filled up with the border's values."""
    return blocks(a, step, np.add) * np.float32(1 / (step * step))


def blocks(a: Array, step: int, join: np.ufunc) -> Array:
    """Return the pixels of each block of ``step`` × ``step`` joined by a ufunc (np.add, np.maximum); see ``shrink``."""
    rows, columns = -a.shape[0] % step, -a.shape[1] % step
    if rows or columns:
        a = np.pad(a, ((0, rows), (0, columns)), mode="edge")
    found = np.array(a[::step], np.float32)
    for k in range(1, step):
        join(found, a[k::step], out=found)
    narrow = found[:, ::step].copy()
    for k in range(1, step):
        join(narrow, found[:, k::step], out=narrow)
    return narrow


def enlarge(small: Array, shape: Shape, step: float) -> Array:
    """Return what ``shrink`` made small at its full size again, linearly interpolated."""
    return _spread(_linear(shape[0], small.shape[0], step), small, _linear(shape[1], small.shape[1], step))


def _spread(rows: Array, nodes: Array, columns: Array) -> Array:
    """Return rows · nodes · columnsᵀ for sparse weights: quick, and without the threads that a dense product starts."""
    return np.ascontiguousarray(rows @ np.ascontiguousarray((columns @ np.ascontiguousarray(nodes.T)).T))


@lru_cache(maxsize=512)
def _linear(size: int, nodes: int, step: float) -> Array:
    """Sparse weights (size, nodes) of nodes in the middles of blocks of ``step`` pixels."""
    at = np.clip((np.arange(size) + 0.5) / step - 0.5, 0, nodes - 1)
    low = np.minimum(at.astype(int), max(nodes - 2, 0))
    return _sparse(low, (1 - (at - low), at - low), nodes)


@lru_cache(maxsize=1024)
def _spline(size: int, cell: int, phase: int) -> Array:
    """Sparse weights (size, nodes) of a cubic B-spline, its nodes ``RATIO ** cell`` pixels apart, moved by eighths."""
    at = np.arange(size) / RATIO**cell + phase / 8
    low = np.floor(at).astype(int)
    t = at - low
    taps = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    return _sparse(low, taps, int(low[-1]) + 4)


RATIO = 1.04
"""Scales of noise are rounded to powers of this, so that their weights are soon all known."""
FINE, SPLINE = 2.2, 0.577
"""Nodes nearer than this many pixels would be seen as a weave: there, noise of each pixel is blurred, by the deviation
of a cubic B-spline in units of its nodes' distance."""


def _sparse(low: Array, taps: tuple[Array, ...], nodes: int) -> Array:
    """Return the sparse matrix whose row k has ``taps`` from column ``low[k]`` on."""
    number = min(len(taps), nodes)
    data = np.stack(taps[:number], axis=1).astype(np.float32).ravel()
    indices = (low[:, None] + np.arange(number)).astype(np.int32).ravel()
    starts = np.arange(0, len(data) + 1, number, dtype=np.int32)
    return sparse.csr_array((data, indices, starts), shape=(len(low), nodes))


def _cell(scale: float) -> int:
    """Return the power of ``RATIO`` that is nearest to half of ``scale``, at least half a pixel."""
    return round(math.log(max(scale / 2, 0.5)) / math.log(RATIO))


def smooth(rng: np.random.Generator, shape: Shape, scale: float | tuple[float, float]) -> Array:
    """Return one octave of smooth noise, mean 0 and deviation about 1, with hills ``scale`` pixels wide (or y and x)."""
    tall, wide = scale if isinstance(scale, tuple) else (scale, scale)
    phases = rng.integers(0, 8, 2)
    spacing = RATIO ** _cell(tall), RATIO ** _cell(wide)
    if max(spacing) < FINE:
        return normal(blur(rng.standard_normal(shape, dtype=np.float32), (SPLINE * spacing[0], SPLINE * spacing[1])))
    rows = _spline(shape[0], _cell(tall), int(phases[0]))
    columns = _spline(shape[1], _cell(wide), int(phases[1]))
    nodes = rng.standard_normal((rows.shape[1], columns.shape[1]), dtype=np.float32)
    return _spread(rows, nodes, columns) * np.float32(2.08)


def fbm(
    rng: np.random.Generator,
    shape: Shape,
    scale: float | tuple[float, float],
    *,
    octaves: int = 4,
    gain: float = 0.5,
) -> Array:
    """Return fractal noise: octaves of halving scale and amplitudes falling by ``gain``; mean 0, deviation 1."""
    tall, wide = scale if isinstance(scale, tuple) else (scale, scale)
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        part = (tall / 2**octave, wide / 2**octave)
        if octave and max(part) < 1:
            break
        total += smooth(rng, shape, part) * np.float32(gain**octave)
    return normal(total)


def ridged(
    rng: np.random.Generator,
    shape: Shape,
    scale: float | tuple[float, float],
    *,
    octaves: int = 4,
    gain: float = 0.5,
) -> Array:
    """Return noise with sharp crests, 0 in the valleys to 1 on the crests: folds, wrinkles, veins (1 − it: cracks)."""
    tall, wide = scale if isinstance(scale, tuple) else (scale, scale)
    total, weight = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        part = smooth(rng, shape, (tall / 2**octave, wide / 2**octave))
        total += np.clip(1 - np.abs(part), 0, 1) * np.float32(gain**octave)
        weight += gain**octave
    return total / np.float32(weight)


def normal(a: Array) -> Array:
    """Return ``a`` with mean 0 and deviation 1 (a constant stays 0)."""
    a = a - a.mean(dtype=np.float64).astype(np.float32)
    return a / np.float32(max(float(a.std()), 1e-6))


def unit(a: Array) -> Array:
    """Return ``a`` stretched to 0..1."""
    low, high = float(a.min()), float(a.max())
    return (a - np.float32(low)) / np.float32(max(high - low, 1e-6))


def step(a: Array, edge: float | Array = 0.0, width: float = 1.0) -> Array:
    """Return a soft step: 0 where ``a`` is below ``edge`` and 1 above, over a ramp of ``width`` (in units of ``a``)."""
    t = np.clip((a - edge) / np.float32(max(width, 1e-6)) + 0.5, 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)


def resample(a: Array, y: Array, x: Array, *, mode: str = "nearest", order: int = 1) -> Array:
    """Return ``a`` at the coordinates y and x (broadcast), linearly interpolated."""
    y, x = np.broadcast_arrays(y, x)
    return ndimage.map_coordinates(a, (y, x), order=order, mode=mode, prefilter=order > 1, output=np.float32)


def warp(a: Array, rng: np.random.Generator, amplitude: float, scale: float) -> Array:
    """Return ``a`` with its coordinates moved by smooth noise: ``amplitude`` px (one deviation), ``scale`` px wide."""
    y, x = warped(rng, a.shape, amplitude, scale)
    return resample(a, y, x, mode="mirror")


def warped(rng: np.random.Generator, shape: Shape, amplitude: float, scale: float) -> tuple[Array, Array]:
    """Return the coordinates (y, x) of a picture, moved as ``warp`` does: for ``cells`` and formulas."""
    y, x = grid(shape)
    return y + smooth(rng, shape, scale) * np.float32(amplitude), x + smooth(rng, shape, scale) * np.float32(amplitude)


@dataclass(slots=True)
class Cells:
    """Voronoi cells of a picture.

    Parameters
    ----------
    label
        (H, W) int32: the number of the cell, 0 to ``count`` − 1.
    border
        (H, W) float32: distance to the cell's nearest border, in the units of the coordinates (pixels).
    distance
        (H, W) float32: distance to the cell's own point.
    count
        How many cells there may be; some may lie outside the picture.
    down, right
        (H, W) float32: where a pixel is from the cell's own point: ``down · a + right · b`` is a facet of its own tilt.
    """

    label: Array
    border: Array
    distance: Array
    count: int
    down: Array
    right: Array

    def values(self, per_cell: Array) -> Array:
        """Return the picture in which each cell has its value of ``per_cell`` (count,)."""
        return np.asarray(per_cell)[self.label]


def cells(
    rng: np.random.Generator,
    shape: Shape,
    *,
    scale: float | None = None,
    count: int | None = None,
    jitter: float = 1.0,
    at: tuple[Array, Array] | None = None,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> Cells:
    """Return Voronoi cells about ``scale`` pixels wide (or about ``count`` of them).

    Parameters
    ----------
    jitter
        0 makes a hexagonal lattice of cells, 1 irregular ones.
    at
        Coordinates (y, x) to use in place of the pixels' own: ``warped(...)`` makes curved borders.
    stretch, angle
        Cells are ``stretch`` times longer along the direction ``angle`` (radians from the x axis).
    """
    if scale is None:
        scale = float(np.sqrt(shape[0] * shape[1] / max(count or 100, 1)))
    y, x = at if at is not None else grid(shape)
    y, x = (np.asarray(a, np.float32) for a in np.broadcast_arrays(y, x))
    if stretch != 1.0 or angle:
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        y, x = y * c - x * s, (x * c + y * s) / np.float32(stretch)
    tall = np.float32(0.8660254)  # rows of a hexagonal lattice
    v, u = y / np.float32(scale) / tall, x / np.float32(scale)
    low_v, low_u = int(np.floor(v.min())) - 2, int(np.floor(u.min())) - 3
    rows, columns = int(np.floor(v.max())) + 3 - low_v, int(np.floor(u.max())) + 4 - low_u
    moves = rng.uniform(-0.43, 0.43, (2, rows, columns)).astype(np.float32) * np.float32(jitter)
    points_v = np.arange(rows, dtype=np.float32)[:, None] + np.float32(0.5) + moves[0]
    points_u = np.arange(columns, dtype=np.float32)[None, :] + np.float32(0.5) + moves[1]
    points_u += np.float32(0.5) * (np.arange(rows) % 2).astype(np.float32)[:, None]
    points_y, points_x = (points_v * tall).ravel(), points_u.ravel()
    v, u = v - np.float32(low_v), u - np.float32(low_u)
    row, column = v.astype(np.int32), u.astype(np.int32)
    v = v * tall
    first, second = np.full(shape, 1e9, np.float32), np.full(shape, 1e9, np.float32)
    label, other, index = np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.empty(shape, np.int32)
    near, away, part = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, np.float32)
    base = row * np.int32(columns) + column
    for down in (0, -1, 1):
        for across in (0, -1, 1, -2):
            np.add(base, np.int32(down * columns + across), out=index)
            np.take(points_y, index, out=near, mode="clip")
            np.subtract(near, v, out=near)
            np.take(points_x, index, out=part, mode="clip")
            np.subtract(part, u, out=part)
            np.multiply(near, near, out=near)
            np.multiply(part, part, out=part)
            np.add(near, part, out=near)
            nearer = near < first
            np.copyto(other, index, where=near < second)
            np.copyto(other, label, where=nearer)
            np.copyto(label, index, where=nearer)
            np.maximum(first, near, out=away)
            np.minimum(second, away, out=second)
            np.minimum(first, near, out=first)
    apart = np.hypot(points_y[label] - points_y[other], points_x[label] - points_x[other])
    border = (second - first) / np.maximum(2 * apart, np.float32(1e-3)) * np.float32(scale)
    below, beside = (v - points_y[label]) * np.float32(scale), (u - points_x[label]) * np.float32(scale)
    return Cells(label, border, np.sqrt(first) * np.float32(scale), rows * columns, below, beside)
