"""Solidified drops: how they lie on a plane, their skins, satellites and debris; not what powders they make."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import log_uniform
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, ellipsoids, put
from nffa_cli.render.fields import Array, cells, fbm, grid
from nffa_cli.render.habits import turns
from nffa_cli.render.heaps import Sizes

BATCH, TRIES = 64, 5
"""Balls that are laid together, and how often each may look for a place."""
MOST = 760
"""How many balls are laid."""
SEEN = 3.0
"""Meshes narrower than this many pixels are drawn as grain."""


def laid(
    rng: Rng, on: Crowd, sizes: Sizes, *, cover: float, where: Array | None = None, among: Array | None = None
) -> Array:
    """Return (N, 3): y, x, radius of balls that lie on a plane without running into each other, large ones first.

    Two balls on a plane touch at a horizontal distance of 2 √(r₁ r₂): little ones reach under large ones.

    Parameters
    ----------
    cover
        Area of all balls over that of the field; less where no more places are found.
    where
        (H, W) bool: their centres are there only.
    among
        (M, 3) balls that lie there already; they come first in what is returned.
    """
    rows, columns = on.shape
    share = 1.0 if where is None else max(float(where.mean()), 0.02)
    radii = sizes.draw(rng, MOST)
    wanted = int(np.searchsorted(np.cumsum(np.square(radii)) * math.pi, cover * share * rows * columns)) + 1
    radii = np.sort(radii[:wanted])[::-1]
    inside = None if where is None else np.flatnonzero(where)
    found = np.zeros((0, 3)) if among is None else among
    for start in range(0, len(radii), BATCH):
        left = radii[start : start + BATCH]
        for _ in range(TRIES):
            if inside is None or not len(inside):
                points = rng.uniform((-8, -8), (rows + 8, columns + 8), (len(left), 2))
            else:
                at = inside[rng.integers(0, len(inside), len(left))]
                points = np.stack([at // columns, at % columns], axis=1) + rng.uniform(-0.5, 0.5, (len(left), 2))
            new = np.column_stack([points, left])
            free = ~_meeting(new, found).any(axis=1)
            own = np.tril(_meeting(new, new), -1) & free[None, :]
            free &= ~own.any(axis=1)
            found = np.concatenate([found, new[free]])
            left = left[~free]
            if not len(left):
                break
    return found


def _meeting(a: Array, b: Array) -> Array:
    """Return (A, B) bool: which balls of two groups on a plane run into each other."""
    one, two = a.astype(np.float32), b.T.astype(np.float32)
    apart, across = np.subtract.outer(one[:, 0], two[0]), np.subtract.outer(one[:, 1], two[1])
    apart *= apart
    across *= across
    apart += across
    met: Array = apart < np.outer(one[:, 2] * np.float32(3.7), two[2])
    return met


def drops(rng: Rng, number: int, *, odd: float = 0.1) -> Form:
    """Return balls that are a little out of round; the part ``odd`` of them is long or flat."""
    off = 1 - np.minimum(np.abs(rng.normal(0, 0.04, (number, 2))), 0.25)
    strange = rng.random(number) < odd
    off[strange] = rng.uniform(0.45, 0.85, (int(strange.sum()), 1)) * rng.uniform(0.85, 1, (int(strange.sum()), 2))
    return ellipsoids(np.column_stack([np.ones(number), off]), turns(rng, number))


def freckled(on: Crowd, rng: Rng, lying: Array, *, per: float, size: tuple[float, float] = (0.1, 0.4)) -> None:
    """Put satellites on balls (N, 3) that lie on a plane at height 0: about ``per`` on a middling one, sunk in a little."""
    number = rng.poisson(per * np.minimum(np.square(lying[:, 2] / max(float(lying[:, 2].mean()), 1)), 4))
    host = np.repeat(lying, number, axis=0)[:500]
    if not len(host):
        return
    up = rng.uniform(-0.1, 1, len(host))
    turn, out = rng.uniform(0, 2 * math.pi, len(host)), np.sqrt(1 - np.square(up))
    r = np.maximum(host[:, 2] * np.exp(rng.uniform(math.log(size[0]), math.log(size[1]), len(host))), 0.7)
    away = host[:, 2] + r * rng.uniform(-0.5, 0.7, len(host))
    points = host[:, :2] + (away * out)[:, None] * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    put(
        on, balls, points, r, rng.normal(1.02, 0.08, len(r)), z=host[:, 2] + away * up, lift=0.0, first=30_000
    )  # fmt: skip


def skin(on: Crowd, rng: Rng, lying: Array, *, scale: float, depth: float, first: int = 0) -> None:
    """Cut a net of grooves into balls (N, 3), as solidified metal has it: ``scale`` px wide, ``depth`` px deep.

    The net is laid around each ball, so that its meshes get narrow towards the rim. ``first`` is the number of the first
    ball in ``on.owner``.
    """
    mine = on.owner - first
    there = (mine >= 0) & (mine < len(lying))
    if scale < SEEN:  # a net so fine is but a grain
        grain = np.where(there, fbm(rng, on.shape, scale, octaves=1), 0).astype(np.float32)
        on.height += grain * np.float32(depth * 0.45)
        on.material *= 1 + grain * np.float32(0.05)
        return
    k = np.where(there, mine, 0)
    y, x = grid(on.shape)
    cy, cx, r = (lying[:, axis].astype(np.float32)[k] for axis in range(3))
    v, u = (y - cy) / r, (x - cx) / r
    out = np.clip(np.hypot(v, u), 0.01, 0.99)
    wider = r * np.arcsin(out) / out
    # Balls of one net are cut from different places of it.
    moved = rng.uniform(-1, 1, (2, len(lying))).astype(np.float32)[:, k] * np.float32(3 * scale)
    found = cells(rng, on.shape, scale=scale, at=(cy + v * wider + moved[0], cx + u * wider + moved[1]))
    narrow = np.float32(max(scale * 0.14, 0.5))
    groove = np.exp(-np.square(found.border / narrow)) + np.float32(0.35) * (found.distance / np.float32(scale))
    grain = found.values(rng.normal(1, 0.05, found.count)).astype(np.float32)
    on.height -= np.where(there, groove * np.float32(depth), 0).astype(np.float32)
    on.material *= np.where(there, grain * (1 - np.float32(0.12) * groove), 1).astype(np.float32)


def craters(on: Crowd, rng: Rng, lying: Array, *, per: float) -> None:
    """Dent balls (N, 3): round dimples with a raised seam, where others touched them or gas came out."""
    host = np.repeat(lying, rng.poisson(per, len(lying)), axis=0)[:120]
    y, x = grid(on.shape)
    for cy, cx, r in host[host[:, 2] > 4]:
        turn, out, size = rng.uniform(0, 2 * math.pi), r * math.sqrt(rng.uniform(0, 0.6)), r * rng.uniform(0.12, 0.35)
        py, px = cy + out * math.sin(turn), cx + out * math.cos(turn)
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (py - 2 * size, py + 2 * size + 1, px - 2 * size, px + 2 * size + 1))
        d = np.hypot(y[y0:y1] - np.float32(py), x[:, x0:x1] - np.float32(px)) / np.float32(size)
        ring = np.exp(-np.square((d - 1) * 3)) * np.float32(0.25) - np.exp(-(d**4)) * np.float32(0.5)
        on.height[y0:y1, x0:x1] += ring.astype(np.float32) * np.float32(size * rng.uniform(0.3, 1.2))


def debris(on: Crowd, rng: Rng, number: int, size: float) -> None:
    """Put ragged, spongy lumps about ``size`` px wide between balls: spatter, broken shells, slag."""
    if number <= 0:
        return
    middle = rng.uniform((0, 0), on.shape, (number, 2))
    wide = size * np.exp(rng.normal(0, 0.4, number))
    grain = log_uniform(rng, 0.9, 1.8)
    count = np.clip(np.square(wide / grain) * rng.uniform(0.8, 1.6), 6, 220).astype(int)
    of = np.repeat(np.arange(number), count)[:1800]
    cloud = rng.standard_normal((len(of), 3))
    cloud *= (rng.uniform(0, 1, len(of)) ** 0.4 / np.linalg.norm(cloud, axis=1))[:, None]
    shapes = turns(rng, number) * np.array([1, 0.65, 0.5])[None, None, :]
    cloud = np.einsum("nij,nj->ni", shapes[of], cloud)
    points = middle[of] + cloud[:, :2] * wide[of, None]
    z = wide[of] * (0.6 + 0.8 * cloud[:, 2])
    radii = grain * np.exp(rng.normal(0, 0.4, len(of)))
    put(on, balls, points, radii, rng.normal(1.0, 0.12, len(of)), z=z, lift=0.0, first=40_000)
    lumps = on.owner >= 40_000
    on.height += np.where(lumps, fbm(rng, on.shape, 4, octaves=2) * np.float32(rng.uniform(0.3, 1.2)), 0)


def toned(on: Crowd, rng: Rng, lying: Array, values: Array, *, rim: float = 0.0, speckle: float = 0.0) -> None:
    """Give each ball (N, 3) its yield of ``values`` (N,), a seam brighter by ``rim``, and dark freckles ``speckle`` deep.

    The balls are the first ones in ``on.owner``.
    """
    there = (on.owner >= 0) & (on.owner < len(lying))
    k = np.where(there, on.owner, 0)
    y, x = grid(on.shape)
    cy, cx, r = (lying[:, axis].astype(np.float32)[k] for axis in range(3))
    out = np.minimum((np.square(y - cy) + np.square(x - cx)) / np.square(r), 1)
    tone = values.astype(np.float32)[k] * (1 + np.float32(rim) * out * out * out)
    if speckle:
        tone *= 1 - np.float32(speckle) * np.clip(fbm(rng, on.shape, 2.2, octaves=1) - np.float32(0.9), 0, 1.5)
    on.material = np.where(there, on.material * tone, on.material)
