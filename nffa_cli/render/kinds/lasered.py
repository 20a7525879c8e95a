"""Surfaces that a laser or a stylus went over again and again: craters in rows, scales, hatches; for Patterned surface.

The repetition fills the field though each element differs; against a weld (none of the ten), tracks are as wide as the
picture is small: many of them, straight and at one distance.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.plans import (
    Sheet,
    cover,
    dust,
    hexagons,
    lattice,
    log_uniform,
    lot,
    noise,
    orientation,
    scene,
    sheet,
    soil,
    waves,
)
from nffa_cli.render.scene import Array, Scene

Rng = np.random.Generator
Shape = tuple[int, int]


def _field(rng: Rng, shape: Shape, relief: float) -> Sheet:
    return sheet(
        shape,
        angle=orientation(rng),
        tilt=float(rng.choice([0, 0, rng.uniform(20, 58)])),
        relief=relief,
        depth=relief,
        ground=float(rng.uniform(0.6, 1.0)),
        perspective=float(rng.uniform(0, 0.1)),
    )


def _molten(rng: Rng, on: Sheet, where: Array, unit: float) -> None:
    """Roughen what was molten: droplets, ripples of the light's wave length, or nothing."""
    here = on.height.shape
    how = rng.random()
    if how < 0.4:
        on.height += where * noise(rng, here, rng.uniform(2, 5) * unit, octaves=2) * np.float32(rng.uniform(0.1, 0.8))
    elif how < 0.7:
        angle = float(rng.uniform(0, math.pi))
        ripples = waves(rng, here, float(rng.uniform(3.2, 6)) * unit, 0.25, spread=0.25, angle=angle)
        on.height += where * np.tanh(ripples) * np.float32(rng.uniform(0.15, 0.6) * unit)
    if rng.random() < 0.35:
        dust(rng, on, int(rng.integers(10, 60)), float(rng.uniform(0.6, 1.4)) * unit)


def craters(rng: Rng, shape: Shape) -> Scene:
    """Round craters with rims on a lattice, apart or overlapping, molten inside."""
    unit = shape[1] / 256
    pitch = log_uniform(rng, 16, 80) * unit
    on = _field(rng, shape, 0.3 * pitch)
    at = hexagons(on.u, on.v, pitch) if rng.random() < 0.3 else lattice(on.u, on.v, pitch)
    radius = np.float32(pitch * rng.uniform(0.28, 0.52)) * (1 + lot(rng, at, -0.06, 0.06))
    far = np.hypot(at.x, at.y) / radius + noise(rng, on.u.shape, 6 * unit, octaves=2) * np.float32(rng.uniform(0, 0.06))
    inside = np.clip(1 - np.square(far), 0, 1)
    rim = np.exp(-np.square((far - 1) / np.float32(rng.uniform(0.08, 0.25))))
    deep = float(rng.uniform(0.06, 0.5) * pitch)
    on.height += rim * np.float32(rng.uniform(0.02, 0.08) * pitch) - inside * np.float32(deep)
    on.material *= 1 + cover((far - 1) * radius, 2) * np.float32(rng.uniform(-0.3, 0.2))
    _molten(rng, on, cover((far - 1.15) * radius, 4), unit)
    soil(rng, on, 0.5)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def scales(rng: Rng, shape: Shape) -> Scene:
    """Tracks side by side, each a row of overlapping arcs: fish scales."""
    unit = shape[1] / 256
    pitch = log_uniform(rng, 14, 60) * unit
    on = _field(rng, shape, 0.2 * pitch)
    row = np.floor(on.v / np.float32(pitch))
    across = on.v / np.float32(pitch) - row - np.float32(0.5)
    way = np.where(row % 2 == 0, 1, -1) if rng.random() < 0.5 else np.ones_like(row)
    step_ = pitch * float(rng.uniform(0.18, 0.6))
    table = rng.uniform(0, 1, 64).astype(np.float32)
    shift = table[row.astype(np.int64) & 63]
    run = (on.u * way + np.square(across) * np.float32(pitch * rng.uniform(0.8, 2.0))) / np.float32(step_) + shift
    run = run + noise(rng, on.u.shape, pitch * 0.6, octaves=2) * np.float32(rng.uniform(0, 0.2))
    saw = run - np.floor(run)
    on.height += saw * np.float32(step_ * rng.uniform(0.05, 0.3))
    on.height -= np.square(across) * np.float32(pitch * rng.uniform(-0.3, 0.9))
    _molten(rng, on, np.ones_like(on.height), unit)
    soil(rng, on, 0.5)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def hatched(rng: Rng, shape: Shape) -> Scene:
    """Grooves ploughed or burnt in one or two directions, with burr and debris at their sides; plateaus between."""
    unit = shape[1] / 256
    pitch = log_uniform(rng, 12, 70) * unit
    on = _field(rng, shape, 0.4 * pitch)
    turn = float(rng.choice([math.pi / 2, math.pi / 2, rng.uniform(0.6, 1.3)]))
    wide = float(rng.uniform(0.14, 0.32))
    deep = float(rng.uniform(0.06, 0.45) * pitch)
    burr = float(rng.uniform(0, 0.08) * pitch)
    ground = np.zeros_like(on.height)
    for angle in (0.0, turn)[: 1 if rng.random() < 0.4 else 2]:
        along = on.u * np.float32(math.cos(angle)) + on.v * np.float32(math.sin(angle))
        along = along + noise(rng, along.shape, 12 * unit, octaves=2) * np.float32(rng.uniform(0, 0.04) * pitch)
        part = along / np.float32(pitch)
        off = np.abs(part - np.floor(part) - np.float32(0.5))
        ground = np.minimum(ground, -np.clip(1 - np.square(off / np.float32(wide)), 0, 1) * np.float32(deep))
        ground += np.exp(-np.square((off - np.float32(wide * 1.1)) / np.float32(0.05))) * np.float32(burr)
    on.height += ground
    low = np.clip(-ground / np.float32(deep), 0, 1)
    on.material *= 1 + low * np.float32(rng.uniform(-0.3, 0.15))
    _molten(rng, on, np.clip(low + np.float32(0.1), 0, 1), unit)
    soil(rng, on, 0.5)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def moth_eye(rng: Rng, shape: Shape) -> Scene:
    """Fine bumps close together, of one size but hardly in rows; at times with a cleft or a plain corner."""
    unit = shape[1] / 256
    pitch = log_uniform(rng, 5, 16) * unit
    on = _field(rng, shape, pitch)
    move = float(rng.choice([0.04, 0.1, 0.17])) * pitch
    shift = [noise(rng, on.u.shape, pitch * 1.6, octaves=1) * np.float32(move) for _ in range(2)]
    at = hexagons(on.u + shift[0], on.v + shift[1], pitch)
    tall = lot(rng, at, float(rng.uniform(0.6, 0.95)), 1.0)
    far = np.hypot(at.x, at.y) / np.float32(0.5 * pitch)
    bump = np.clip(1 - np.power(far, np.float32(rng.uniform(1.2, 3))), 0, 1) * tall
    on.height += bump * np.float32(pitch * rng.uniform(0.3, 1.3))
    if rng.random() < 0.2:
        bare = noise(rng, on.u.shape, 90 * unit, octaves=2) > rng.uniform(0.8, 1.6)
        on.height = np.where(bare, np.float32(0), on.height)
    soil(rng, on, 0.6)
    return scene(on)


ROWS = (
    ("craters", craters, (20e-6, 2e-3)),
    ("scales", scales, (20e-6, 3e-3)),
    ("hatched", hatched, (10e-6, 2e-3)),
    ("moth_eye", moth_eye, (0.8e-6, 10e-6)),
)
