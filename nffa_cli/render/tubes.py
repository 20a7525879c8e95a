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
    parts = [
        _samples(np.asarray(points, np.float64), radius, 0.0 if base is None else base)
        for points, radius in zip(curves, radii, strict=True)
    ]
    if not parts:
        return seen
    y, x, z, r, ny, nx, s = (np.concatenate([part[k] for part in parts]).astype(np.float32) for k in range(7))
    owner = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[0]) for part in parts])
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


def _samples(points: Array, radius: float | Array, base: float) -> tuple[Array, ...]:
    """Sample a curve: y, x, z, radius, unit normal (y, x), distance from the start."""
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T) if len(points) > 1 else np.zeros(0)
    s = np.concatenate([[0.0], np.cumsum(steps)])
    number = int(s[-1] / SPACING) + 2
    at = np.linspace(0, s[-1], number)
    y, x = np.interp(at, s, points[:, 0]), np.interp(at, s, points[:, 1])
    r = np.maximum(np.interp(at, s, np.broadcast_to(np.asarray(radius, float), s.shape)), 0.35)
    z = np.interp(at, s, points[:, 2]) if points.shape[1] > 2 else base + r
    ty, tx = np.gradient(y), np.gradient(x)
    norm = np.maximum(np.hypot(ty, tx), 1e-6)
    return y, x, z, r, -tx / norm, ty / norm, at
