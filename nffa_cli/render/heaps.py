"""Heaps of grains: sizes over decades, big ones covered by satellites and dust; what powders are made of, not powders."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.beds import log_uniform
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, drop, patches, put
from nffa_cli.render.fields import Array, fbm, grid, resample

FINE = 2.4
"""Radius in pixels below which a grain is dust: put where it falls, not dropped on others."""
POOL, MOST = 26, 330
"""How many different grains a heap has, and how many of those above ``FINE`` it may have."""
DUST = 2500
"""How many grains below it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Radii in pixels: log-normal about ``middle`` with a factor ``spread`` (1.3 narrow, 2.5 broad).

    None is below ``least``; what would be above ``most`` is drawn anew, from half of it up.
    """

    middle: float
    spread: float
    least: float
    most: float

    def draw(self, rng: Rng, number: int) -> Array:
        """Return that many radii."""
        radii = self.middle * np.exp(rng.standard_normal(number) * math.log(self.spread))
        radii = np.where(radii > self.most, self.most * rng.uniform(0.5, 1, number), radii)
        return np.maximum(radii, self.least)


def broad(rng: Rng, middle: tuple[float, float] = (2.4, 10), most: float = 46) -> Sizes:
    """Return the sizes of a powder: a decade or more between the smallest and the largest."""
    return Sizes(log_uniform(rng, *middle), float(rng.uniform(1.55, 2.5)), 1.0, most)


def heap(
    on: Crowd,
    rng: Rng,
    make: Callable[[int], Form],
    sizes: Sizes,
    *,
    cover: float = 2.5,
    reach: float = 1.0,
    sink: float = 0.3,
    tone: float = 0.08,
    tries: int = 3,
    where: Array | None = None,
    dust: bool = True,
) -> Array:
    """Drop grains until they cover the field ``cover`` times; return (N, 3): y, x, radius of those dropped.

    Parameters
    ----------
    make
        ``make(n)`` gives the form of n grains.
    tone
        Deviation of their yields from each other.
    where
        (H, W) bool: they fall only there.
    dust
        Whether grains below ``FINE`` are put as well.
    """
    rows, columns = on.shape
    share = 1.0 if where is None else max(float(where.mean()), 0.02)
    mean = float(np.square(sizes.draw(rng, 400)).mean()) * math.pi
    wanted = int(cover * share * rows * columns / mean) + 1
    radii = sizes.draw(rng, min(wanted, 9000))
    large = radii[radii >= FINE][:MOST]
    large = large[np.argsort(-np.log(large) + rng.normal(0, 0.55, len(large)))]
    grown = np.zeros((0, 3))
    if len(large):
        # The larger a grain, the more one would see that it is there twice: they get more of the pool.
        ranks = np.argsort(np.argsort(large))
        shares = np.cumsum(np.sort(large) ** 1.5)
        number = min(POOL, len(large))
        chosen = np.searchsorted(shares, np.linspace(0, shares[-1], number, endpoint=False))
        kept = np.sort(large)[chosen]
        pool = patches(make(number), kept, reach)
        which = (np.searchsorted(chosen, ranks) + rng.integers(-2, 3, len(large))).clip(0, number - 1)
        points = fallen(rng, on, (len(large), tries), where)
        values = rng.normal(1, tone, len(large)).clip(0.4, 1.8)
        places = drop(on, rng, pool, which, points, sink=sink, values=values)
        grown = np.column_stack([places, kept[which]])
    small = radii[radii < FINE][:DUST]
    if dust and len(small):
        scattered(on, rng, small, fallen(rng, on, (len(small),), where), tone=tone)
    return grown


def fallen(rng: Rng, on: Crowd, shape: tuple[int, ...], where: Array | None = None) -> Array:
    """Return random places (*shape, 2) in the field, or in ``where``."""
    rows, columns = on.shape
    if where is None:
        return rng.uniform((-3, -3), (rows + 3, columns + 3), (*shape, 2))
    inside = np.flatnonzero(where)
    chosen = inside[rng.integers(0, max(len(inside), 1), shape)] if len(inside) else np.zeros(shape, int)
    return np.stack([chosen // columns, chosen % columns], axis=-1) + rng.uniform(-0.5, 0.5, (*shape, 2))


def scattered(
    on: Crowd, rng: Rng, radii: Array, points: Array, *, tone: float = 0.08, sunk: tuple[float, float] = (0.0, 0.9)
) -> None:
    """Put dust on whatever is there: little balls at ``points`` (N, 2), more or less sunk in."""
    order = np.argsort(-radii)
    values = rng.normal(1, tone, len(radii)).clip(0.4, 1.8)
    put(on, balls, points[order], radii[order], values, lift=rng.uniform(*sunk, len(radii)), first=20_000)


def satellites(on: Crowd, rng: Rng, grown: Array, per: float, size: tuple[float, float] = (0.08, 0.3)) -> None:
    """Put about ``per`` small balls on each of the grains (N, 3) of ``heap``, as they stick to atomised metal."""
    chosen = grown[rng.random(len(grown)) < 0.8]
    if not len(chosen):
        return
    chosen = np.repeat(chosen, rng.poisson(per, len(chosen)), axis=0)[:700]
    if not len(chosen):
        return
    angle, out = rng.uniform(0, 2 * math.pi, len(chosen)), np.sqrt(rng.uniform(0, 0.95, len(chosen)))
    points = chosen[:, :2] + (out * chosen[:, 2])[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    radii = np.maximum(chosen[:, 2] * rng.uniform(*size, len(chosen)), 0.7)
    put(on, balls, points, radii, 1.0, lift=rng.uniform(0.1, 0.7, len(chosen)), first=30_000)


def textured(on: Crowd, rng: Rng, amount: float, scale: float) -> None:
    """Roughen the grains (not the ground) by ``amount`` px with bumps ``scale`` px wide."""
    on.height += np.where(on.owner >= 0, fbm(rng, on.shape, scale, octaves=3) * np.float32(amount), 0)


def crumpled(on: Crowd, rng: Rng, amount: float, scale: float) -> None:
    """Bend the outlines of what is there by ``amount`` px (one deviation), ``scale`` px wide: no grain stays convex."""
    y, x = (
        at + fbm(rng, on.shape, scale, octaves=3, gain=0.6) * np.float32(amount)
        for at in np.broadcast_arrays(*grid(on.shape))
    )
    y, x = (np.clip(at, 0, length - 1) for at, length in zip((y, x), on.shape, strict=True))
    near = np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)
    on.height[...] = resample(on.height, y, x)
    on.material[...], on.owner[...] = on.material[near], on.owner[near]
