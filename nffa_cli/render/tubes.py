"""Tubes: curves rasterised as round ridges that pass over and under each other; wires, fibres, threads, cracks' edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.fields import Array

SPACING = 0.7
"""Pixels between the points that a tube is sampled at: a square grid of them, however turned, misses no pixel."""


@dataclass(slots=True)
class Seen:
    """Which tube is seen in each pixel, and where on it.

    Parameters
    ----------
    index
        (H, W) int32: number of the tube, −1 where none is seen.
    along
        (H, W) float32: distance from the tube's start, in pixels.
    across
        (H, W) float32: −1 to 1 from its one side to the other.
    """

    index: Array
    along: Array
    across: Array


def tubes(
    height: Array,
    curves: Sequence[Array],
    radii: Sequence[float] | Sequence[Array] | Array,
    *,
    base: float | None = None,
    flat: float = 1.0,
    power: float = 0.5,
    material: Array | None = None,
    values: Sequence[float] | Array | None = None,
) -> Seen:
    """Put tubes on ``height`` in place, all at once; the highest is seen.

    Parameters
    ----------
    curves
        One array each: (N, 2) as (y, x) or (N, 3) as (y, x, z), z the height of the tube's axis in pixels. Without z
        the axis lies one radius above ``base`` (default 0), so that a tube on the ground touches it.
    radii
        One each: a number, or an array (N,) for a taper.
    flat
        Height of the section over its half width: 1 round, less a ribbon.
    power
        The section is (1 − across²) ** power: 0.5 round, 0.15 nearly a box, 1 a parabola.
    material, values
        Where tube k is seen, ``material`` becomes ``values[k]``.
    """
    shape = height.shape
    seen = Seen(np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.float32))
    if not len(curves):
        return seen
    (y, x, z, r, ny, nx, s), owner = _samples(curves, radii, 0.0 if base is None else base)
    near = (y > -r - 1) & (y < shape[0] + r) & (x > -r - 1) & (x < shape[1] + r)
    y, x, z, r, ny, nx, s, owner = (a[near] for a in (y, x, z, r, ny, nx, s, owner))
    if not len(y):
        return seen
    where, tops, samples = [], [], []
    classes = np.ceil(r / SPACING + 0.8).astype(np.int32)  # steps to each side
    for reach in np.unique(classes):
        k = np.flatnonzero(classes == reach)
        off = (np.arange(-reach, reach + 1, dtype=np.float32) * np.float32(SPACING))[None, :]
        py, px = np.rint(y[k, None] + ny[k, None] * off), np.rint(x[k, None] + nx[k, None] * off)
        across = ((py - y[k, None]) * ny[k, None] + (px - x[k, None]) * nx[k, None]) / r[k, None]
        rest = 1 - np.square(across)
        good = (rest > 0) & (py >= 0) & (py < shape[0]) & (px >= 0) & (px < shape[1])
        at, rest = (py * np.float32(shape[1]) + px)[good].astype(np.int32), rest[good]
        sample = k[np.nonzero(good)[0]]
        bulge = np.sqrt(rest) if power == 0.5 else rest ** np.float32(power)
        where.append(at)
        tops.append(z[sample] + r[sample] * np.float32(flat) * bulge)
        samples.append(sample)
    at, top = np.concatenate(where), np.concatenate(tops)
    surface = np.ascontiguousarray(height).ravel()
    np.maximum.at(surface, at, top)
    visible = np.flatnonzero(top >= surface[at])
    at, k = at[visible], np.concatenate(samples)[visible]
    height[...] = surface.reshape(shape)
    dy, dx = (at // shape[1]).astype(np.float32) - y[k], (at % shape[1]).astype(np.float32) - x[k]
    seen.index.ravel()[at] = owner[k]
    seen.along.ravel()[at] = s[k] + dx * ny[k] - dy * nx[k]
    seen.across.ravel()[at] = (dy * ny[k] + dx * nx[k]) / r[k]
    if material is not None and values is not None:
        there = seen.index >= 0
        material[there] = np.asarray(values, np.float32)[seen.index[there]]
    return seen


def tube(height: Array, points: Array, radius: float | Array, *, base: float | None = None, flat: float = 1.0) -> Seen:
    """Put one tube on ``height`` in place; see ``tubes``."""
    return tubes(height, [points], [radius], base=base, flat=flat)


def _samples(
    curves: Sequence[Array], radii: Sequence[float] | Sequence[Array] | Array, base: float
) -> tuple[Array, Array]:
    """Sample all curves at once, every ``SPACING`` pixels.

    Returns (7, N) float32: y, x, z, radius, unit normal (y, x), distance from the start; and (N,) the curve's number.
    """
    counts = np.array([len(points) for points in curves])
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    points = np.zeros((int(counts.sum()), 4))
    for points_of, radius, start, count in zip(curves, radii, first, counts, strict=True):
        here = points[start : start + count]
        here[:, : points_of.shape[1]] = points_of
        here[:, 3] = radius
        if points_of.shape[1] < 3:
            here[:, 2] = base + here[:, 3]
    steps = np.zeros(len(points))
    steps[1:] = np.hypot(np.diff(points[:, 0]), np.diff(points[:, 1]))
    steps[first] = 1.0  # a gap between curves keeps the whole distance rising
    s = np.cumsum(steps)
    begin, length = s[first], s[first + counts - 1] - s[first]
    behind, ahead = np.arange(len(points)) - 1, np.arange(len(points)) + 1
    behind[first], ahead[first + counts - 1] = first, first + counts - 1
    tangents = points[ahead, :2] - points[behind, :2]
    number = (length / SPACING).astype(int) + 2
    owner = np.repeat(np.arange(len(curves), dtype=np.int32), number)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    at = place / (number - 1)[owner] * length[owner] + begin[owner]
    y, x, z, r = (np.interp(at, s, points[:, k]) for k in range(4))
    ty, tx = (np.interp(at, s, tangents[:, k]) for k in range(2))
    norm = np.maximum(np.hypot(ty, tx), 1e-6)
    found = np.stack([y, x, z, np.maximum(r, 0.35), -tx / norm, ty / norm, at - begin[owner]])
    return found.astype(np.float32), owner
