"""Porous solids that are broken, skinned or cast: pumice, skinned membranes, inverse opals, gels; see ``porous``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.fields import Array, blur, cells, fbm, resample, ridged, smooth, step, warped
from nffa_cli.render.pores import Rng, between, bubbles, sponge
from nffa_cli.render.scene import Scene, Shape, tilt


def _dimmed(rng: Rng, height: Array, depth: float, dark: float) -> Scene:
    """Return a scene of one matter whose pores, ``depth`` px deep, are dimmed by ``dark``."""
    below = np.clip(-height / np.float32(max(depth, 1e-3)), 0, 1)
    return Scene(height, (np.float32(rng.uniform(0.85, 1.15)) * (1 - np.float32(dark) * below)).astype(np.float32))


def _pumice(rng: Rng, shape: Shape) -> Scene:
    """Draw a broken vesicular solid: bubbles of very unlike sizes, drawn out one way, torn walls between them."""
    radius = between(rng, 7, 22) * shape[1] / 256
    scale = radius * float(rng.uniform(5, 10))
    floor = fbm(rng, shape, scale, octaves=5, gain=0.5) * np.float32(radius * rng.uniform(0.4, 1.2))
    height = bubbles(
        rng, shape, radius, spread=rng.uniform(0.4, 0.65), overlap=rng.uniform(0.05, 0.3), windows=rng.uniform(0, 0.8),
        floor=floor, cut=0.9,
    )  # fmt: skip
    if rng.random() < 0.7:  # drawn out, as it flowed
        y, x = warped(rng, shape, radius * rng.uniform(0.1, 0.3), radius * rng.uniform(3, 6))
        middle, long = shape[0] / 2, rng.uniform(0.5, 1.0)
        height = resample(height, (y - np.float32(middle)) * np.float32(long) + np.float32(middle), x, mode="mirror")
    height += fbm(rng, shape, radius * 0.8, octaves=3) * np.float32(radius * rng.uniform(0.02, 0.12))
    return _dimmed(rng, height, radius * 2.5, rng.uniform(0.2, 0.7))


def _skin(rng: Rng, shape: Shape) -> Scene:
    """Draw a membrane from its skin: smooth and wavy, torn open by pores of all sizes, a net of struts below."""
    scale = between(rng, 7, 30) * shape[1] / 256
    below = sponge(rng, shape, scale * rng.uniform(0.5, 1.2), solid=rng.uniform(0.3, 0.5), depth=2.5, levels=10)
    wavy = smooth(rng, shape, scale * 5) * np.float32(scale * rng.uniform(0.05, 0.4))
    open_ = fbm(rng, shape, scale * rng.uniform(1, 2), octaves=3, gain=rng.uniform(0.3, 0.6))
    if rng.random() < 0.5:
        found = cells(rng, shape, scale=scale * 1.4, at=warped(rng, shape, scale * 0.2, scale))
        size = np.exp(rng.normal(-1.3, 0.5, found.count)).astype(np.float32) * np.float32(scale * 1.4)
        open_ = 2 + (found.values(size) - found.distance) / np.float32(scale * 0.3)
        edge = 2.0
    else:
        edge = float(rng.uniform(-0.2, 1.1))
    hole = step(open_, edge, 0.25)
    rim = np.exp(-np.square((open_ - np.float32(edge - 0.25)) * 3)) * np.float32(scale * 0.08)
    height = wavy + rim - hole * np.float32(scale * 0.3)
    height = np.where(hole > 0.5, np.minimum(below - np.float32(scale * 0.5), height), height)
    return _dimmed(rng, height.astype(np.float32), scale * 3, rng.uniform(0.3, 0.8))


def _opal(rng: Rng, shape: Shape) -> Scene:
    """Draw an inverse opal: bowls in hexagons, each with three dark windows into the bowls below; faults between grains."""
    pitch = between(rng, 7, 40) * shape[1] / 256
    at = warped(rng, shape, pitch * rng.uniform(0.05, 0.4), pitch * rng.uniform(4, 10))
    angle = float(rng.uniform(0, math.pi))
    found = cells(rng, shape, scale=pitch, jitter=float(rng.choice([0.05, 0.15, 0.35])), at=at, angle=angle)
    radius = np.float32(pitch * rng.uniform(0.44, 0.54))
    bowl = np.sqrt(np.clip(1 - np.square(found.distance / radius), 0, None))
    height = -bowl * radius * np.float32(rng.uniform(0.5, 1.0))
    turn, out, wide = rng.uniform(0, 2 * math.pi), 0.5 * radius, radius * rng.uniform(0.14, 0.26)
    for third in range(3):
        a = turn + third * 2 * math.pi / 3
        d = np.hypot(found.down - np.float32(out * math.sin(a)), found.right - np.float32(out * math.cos(a)))
        height -= step(np.float32(wide) - d, 0, 1.2) * radius * np.float32(1.5)
    if rng.random() < 0.4:
        filled = fbm(rng, shape, pitch * 6) > rng.uniform(0.9, 1.8)
        height = np.where(filled, np.float32(pitch * 0.1) + fbm(rng, shape, pitch) * np.float32(pitch * 0.06), height)
    height += smooth(rng, shape, pitch * 8) * np.float32(pitch * rng.uniform(0, 0.4))
    lean = float(rng.choice([0, 0, rng.uniform(15, 35)]))
    return tilt(_dimmed(rng, height.astype(np.float32), pitch, rng.uniform(0.3, 0.7)), lean)


def _gel(rng: Rng, shape: Shape) -> Scene:
    """Draw a thin-walled gel: curved sheets on edge that meet in ridges, one layer behind another, lost in the dark."""
    scale = between(rng, 14, 60) * shape[1] / 256
    height = np.full(shape, -scale * 2.5, np.float32)
    for layer in range(int(rng.integers(1, 3))):
        at = warped(rng, shape, scale * rng.uniform(0.15, 0.4), scale * rng.uniform(0.8, 1.6))
        found = cells(
            rng,
            shape,
            scale=scale * rng.uniform(0.8, 1.5),
            at=at,
            stretch=rng.uniform(1, 2.2),
            angle=rng.uniform(0, 3.1),
        )
        lay = smooth(rng, shape, scale * 2) * np.float32(scale * 0.4) - np.float32(layer * 0.7 * scale)
        # Walls are sheets that lean and widen downwards; threads would have two edges, and cross.
        thin = np.float32(max(scale * rng.uniform(0.015, 0.04), 0.7))
        slant = np.float32(scale) * np.clip(0.12 + 0.1 * smooth(rng, shape, scale), 0.02, 0.3)
        drop = np.clip((found.border - thin) / slant, 0, None)
        height = np.maximum(height, lay - drop * drop * np.float32(scale * rng.uniform(0.5, 1.2)))
    if rng.random() < 0.5:
        skins = fbm(rng, shape, scale * 1.3, octaves=2) > rng.uniform(0.1, 1.0)
        sheet = smooth(rng, shape, scale * 1.5) * np.float32(scale * 0.5) - np.float32(scale * 0.3)
        height = np.where(skins, np.maximum(height, sheet), height)
    height += ridged(rng, shape, scale * 0.5, octaves=2) * np.float32(scale * rng.uniform(0, 0.06))
    return _dimmed(rng, blur(height.astype(np.float32), 0.4), scale * 2.5, rng.uniform(0.3, 0.8))


ROWS = (
    ("pumice", _pumice, (20e-6, 5e-3)),
    ("holed skin", _skin, (2e-6, 300e-6)),
    ("inverse opal", _opal, (1e-6, 50e-6)),
    ("thin-walled gel", _gel, (5e-6, 1e-3)),
)
"""Rows of ``KINDS``."""
