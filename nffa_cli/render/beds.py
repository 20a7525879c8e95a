"""Grounds that particles, powders and wires lie on: wafers, tape, rough and grainy films, membranes, grids; not bodies."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nffa_cli.render.fields import Array, Shape, cells, fbm, grid, ridged, smooth, step, turned
from nffa_cli.render.scene import Scene
from nffa_cli.render.shapes import scatter

Rng = np.random.Generator


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """Return a number whose logarithm is uniform."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def _wafer(rng: Rng, shape: Shape) -> Scene:
    """Polished: nothing to see but a stain, a little grain, perhaps a few specks."""
    height = fbm(rng, shape, 40, octaves=3) * np.float32(rng.uniform(0.0, 0.25))
    stain = fbm(rng, shape, log_uniform(rng, 20, 150), octaves=3) * np.float32(rng.exponential(0.008))
    return Scene(height, (1 + stain).astype(np.float32))


def _rough(rng: Rng, shape: Shape) -> Scene:
    height = fbm(rng, shape, log_uniform(rng, 3, 25), octaves=4, gain=0.55) * np.float32(log_uniform(rng, 0.2, 1.2))
    return Scene(height, np.ones(shape, np.float32))


def _tape(rng: Rng, shape: Shape) -> Scene:
    """Carbon tape or a stub: smooth and dark, with dimples, folds and dents."""
    height = fbm(rng, shape, log_uniform(rng, 40, 160), octaves=2) * np.float32(rng.uniform(0.5, 4))
    if rng.random() < 0.5:
        height -= ridged(rng, shape, rng.uniform(50, 120), octaves=2) ** 4 * np.float32(rng.uniform(0.5, 3))
    for y, x in scatter(rng, shape, rng.uniform(40, 120))[: int(rng.integers(0, 14))]:
        v, u = grid(shape)
        height -= np.float32(rng.uniform(0.5, 3)) * np.exp(
            -((v - np.float32(y)) ** 2 + (u - np.float32(x)) ** 2) / np.float32(rng.uniform(2, 9) ** 2)
        )
    return Scene(height, np.full(shape, 0.75, np.float32))


def _granular(rng: Rng, shape: Shape) -> Scene:
    """Sputtered: fine even grains."""
    found = cells(rng, shape, scale=log_uniform(rng, 3.5, 12))
    height = np.sqrt(np.maximum(found.border, 0)) * np.float32(rng.uniform(0.2, 0.7))
    return Scene(height.astype(np.float32), np.ones(shape, np.float32))


def _scratched(rng: Rng, shape: Shape) -> Scene:
    """Ground or rolled metal: lines one way and a few across."""
    v, _ = turned(shape, float(rng.uniform(0, math.pi)))
    lines = smooth(rng, (1, 600), (1, log_uniform(rng, 1.5, 6)))[0]
    depth = np.float32(log_uniform(rng, 0.04, 0.6))
    height = depth * np.interp(v, np.linspace(-170, 170, 600), lines).astype(np.float32)
    if rng.random() < 0.4:
        other, _ = turned(shape, float(rng.uniform(0, math.pi)))
        height -= depth * 2 * np.exp(-np.square(other - np.float32(rng.uniform(-60, 60))) / 3)
    return Scene((height + fbm(rng, shape, 30) * np.float32(0.2)).astype(np.float32), np.ones(shape, np.float32))


def _polycrystal(rng: Rng, shape: Shape) -> Scene:
    """Large grains with channelling contrast and grooves between them."""
    found = cells(rng, shape, scale=log_uniform(rng, 30, 120))
    tone = found.values(rng.normal(1, rng.uniform(0.03, 0.09), found.count).clip(0.5, 1.5)).astype(np.float32)
    height = -np.float32(rng.uniform(0.5, 2)) * np.exp(-np.square(found.border / np.float32(rng.uniform(0.8, 2))))
    return Scene(height.astype(np.float32), tone)


def membrane(rng: Rng, shape: Shape) -> Scene:
    """Return a track-etched filter: round holes of one size at random, some overlapping, in a smooth film."""
    r = log_uniform(rng, 2.5, 16)
    height, dark = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    number = int(np.prod(shape) * rng.uniform(0.04, 0.22) / (math.pi * r * r)) + 2
    v, u = grid(shape)
    for y, x in rng.uniform((-r, -r), (shape[0] + r, shape[1] + r), (min(number, 260), 2)):
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (y - r - 2, y + r + 3, x - r - 2, x + r + 3))
        d = np.hypot(v[y0:y1] - np.float32(y), u[:, x0:x1] - np.float32(x))
        hole = step(np.float32(r) - d, 0, 1.4)
        height[y0:y1, x0:x1] = np.minimum(height[y0:y1, x0:x1], -hole * np.float32(3 * r))
        dark[y0:y1, x0:x1] = np.minimum(dark[y0:y1, x0:x1], 1 - np.float32(0.85) * hole)
    return Scene(height + fbm(rng, shape, 20) * np.float32(0.15), dark)


def lacey(rng: Rng, shape: Shape) -> Scene:
    """Return a holey carbon film, as on a grid for transmission: irregular or round holes that are black."""
    scale = log_uniform(rng, 18, 70)
    if rng.random() < 0.5:
        found = cells(rng, shape, scale=scale, jitter=1.0)
        open_ = step(found.border, rng.uniform(1.2, 5), 1.2)
    else:
        found = cells(rng, shape, scale=scale, jitter=0.0)
        open_ = step(np.float32(scale * rng.uniform(0.22, 0.4)) - found.distance, 0, 1.4)
    return Scene(-open_ * np.float32(25), (1 - np.float32(0.9) * open_).astype(np.float32))


BEDS: dict[str, tuple[Callable[[Rng, Shape], Scene], float]] = {
    "wafer": (_wafer, 0.39),
    "rough": (_rough, 0.2),
    "tape": (_tape, 0.17),
    "granular": (_granular, 0.1),
    "scratched": (_scratched, 0.08),
    "polycrystal": (_polycrystal, 0.06),
}
"""Name → how it is drawn, and how often."""


DULL = 0.18
"""How often a ground is carbon beside something heavy, and nearly black."""


def bed(rng: Rng, shape: Shape, *, kind: str | None = None, tone: tuple[float, float] = (0.4, 1.05)) -> Scene:
    """Return a ground of a kind in ``BEDS`` (None: any), its yield scaled by a number between those of ``tone``."""
    names = list(BEDS)
    name = kind or names[int(rng.choice(len(names), p=[BEDS[k][1] for k in names]))]
    found = BEDS[name][0](rng, shape)
    dull = log_uniform(rng, 0.2, 0.6) if rng.random() < DULL else 1.0
    found.material = found.yields * np.float32(log_uniform(rng, *tone) * dull)
    if rng.random() < 0.15:
        found.height = found.height + ramp(rng, shape, float(rng.uniform(0.05, 0.25)))
    return found


def ramp(rng: Rng, shape: Shape, slope: float) -> Array:
    """Return a plane that rises by ``slope`` in a random direction."""
    v, _ = turned(shape, float(rng.uniform(0, 2 * math.pi)))
    return v * np.float32(slope)


def part(rng: Rng, shape: Shape, *, share: float = 0.6, ragged: float = 10.0) -> Array:
    """Return a mask (H, W) that covers about ``share`` of the field from one side or as an island, its edge ragged."""
    v, u = turned(shape, float(rng.uniform(0, 2 * math.pi)))
    base = v if rng.random() < 0.6 else np.hypot(v * np.float32(rng.uniform(0.8, 1.6)), u)
    base = base + fbm(rng, shape, rng.uniform(20, 70), octaves=4) * np.float32(ragged)
    return base < np.quantile(base[::4, ::4], share)
