"""Broken and corroded surfaces of bulk materials; drawn for "none of the ten"."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    fbm,
    lump,
    polyhedron,
    scatter,
    stamp_all,
    step,
    tilt,
    turned,
    warped,
)


def _size(rng: np.random.Generator, shape: Shape, low: float, high: float) -> float:
    return float(shape[0] * math.exp(rng.uniform(math.log(low), math.log(high))))


def dimples(rng: np.random.Generator, shape: Shape) -> Scene:
    """Ductile fracture: cups of several sizes with sharp torn rims, a particle at the bottom of some."""
    stretch, angle = float(rng.choice([1.0, rng.uniform(1.3, 2.5)])), float(rng.uniform(0, 3))
    height = fbm(rng, shape, 90, octaves=3) * np.float32(rng.uniform(2, 12))
    size = _size(rng, shape, 0.08, 0.3)
    for part, weight in ((1.0, 1.0), (0.4, 0.45)):
        cups = cells(
            rng, shape, scale=size * part, at=warped(rng, shape, size * part * 0.12, size), stretch=stretch, angle=angle
        )
        deep = cups.values(np.exp(rng.normal(0, 0.4, cups.count)).astype(np.float32))
        bowl = np.minimum(cups.border / np.float32(size * part * 0.5), 1)
        height -= np.float32(size * part * 0.55 * weight) * deep * (1 - np.square(1 - bowl))
    if rng.random() < 0.5:
        points = scatter(rng, shape, size)
        points = points[: len(points) // 3]
        stamp_all(
            height, [lump(rng, size * float(rng.uniform(0.06, 0.14))) for _ in range(4)], points, base=None, sink=1.0
        )
    return Scene(
        (height + fbm(rng, shape, 4) * np.float32(0.2)).astype(np.float32), 1 + fbm(rng, shape, 40) * np.float32(0.04)
    )


def cleavage(rng: np.random.Generator, shape: Shape) -> Scene:
    """Brittle fracture: flat facets at all angles with river lines that run together, steps and tongues."""
    facets = cells(rng, shape, scale=_size(rng, shape, 0.2, 0.8), at=warped(rng, shape, 3, 20))
    a, b = (facets.values(rng.normal(0, 0.45, facets.count).astype(np.float32)) for _ in range(2))
    level = facets.values(rng.normal(0, 8, facets.count).astype(np.float32))
    angle = facets.values(rng.uniform(0, 2 * math.pi, facets.count).astype(np.float32))
    v, u = turned(shape, 0.0)
    height = a * facets.down * np.float32(0.6) + b * facets.right * np.float32(0.6) + level
    across, along = v * np.cos(angle) - u * np.sin(angle), u * np.cos(angle) + v * np.sin(angle)
    fan = across / (1 + np.abs(along) / np.float32(shape[0]) * np.float32(rng.uniform(0, 2)))
    fan = fan + fbm(rng, shape, 30) * np.float32(2)
    rivers = np.zeros(shape, np.float32)
    for period in rng.uniform(4, 25, 3):
        saw = fan / np.float32(period)
        rivers += (saw - np.floor(saw)) * np.float32(period * rng.uniform(0.05, 0.2))
    height = height + rivers
    return Scene((height + fbm(rng, shape, 5) * np.float32(0.15)).astype(np.float32))


def intergranular(rng: np.random.Generator, shape: Shape) -> Scene:
    """A fracture along grain borders: smooth rounded polyhedra as on rock candy, deep gaps, secondary cracks."""
    size = _size(rng, shape, 0.1, 0.35)
    height = np.zeros(shape, np.float32)
    points = scatter(rng, shape, size * 0.62, margin=size)
    bodies = [polyhedron(rng, size * float(rng.uniform(0.45, 0.7)), 16, uneven=0.14) for _ in range(14)]
    stamp_all(height, bodies, points, base=None, sink=0.97)
    height += fbm(rng, shape, 70, octaves=2) * np.float32(rng.uniform(0, 6)) + fbm(rng, shape, 4) * np.float32(
        rng.uniform(0.05, 0.3)
    )
    gaps = cells(rng, shape, scale=size * 1.6)
    height -= (
        np.exp(-np.square(gaps.border / 1.2))
        * np.float32(size * rng.uniform(0, 0.7))
        * step(fbm(rng, shape, 60), 0.5, 0.4)
    )
    return Scene(height.astype(np.float32), 1 + fbm(rng, shape, 30) * np.float32(0.03))


def striations(rng: np.random.Generator, shape: Shape) -> Scene:
    """Fatigue: fine parallel ripples on patches that each head their own way, with torn steps between."""
    patches = cells(rng, shape, scale=_size(rng, shape, 0.25, 0.9), at=warped(rng, shape, 8, 25))
    turn = patches.values(rng.normal(0, 0.35, patches.count).astype(np.float32)) + np.float32(rng.uniform(0, 3))
    fine = patches.values(np.exp(rng.normal(0, 0.25, patches.count)).astype(np.float32))
    y, x = warped(rng, shape, 2.5, 35)
    period = float(rng.uniform(4, 11))
    phase = (y * np.cos(turn) - x * np.sin(turn)) * np.float32(2 * math.pi / period) * fine
    height = (np.sin(phase) + np.float32(0.3) * np.sin(2 * phase + 1)) * np.float32(period * rng.uniform(0.06, 0.16))
    height = (
        height
        + patches.values(rng.normal(0, 5, patches.count).astype(np.float32))
        + fbm(rng, shape, 60) * np.float32(rng.uniform(1, 6))
    )
    return Scene((height + fbm(rng, shape, 4) * np.float32(rng.uniform(0.1, 0.4))).astype(np.float32))


def broken(rng: np.random.Generator, shape: Shape) -> Scene:
    """Broken stone, ceramic or soil in one piece: jagged at all scales, edges, some plates and grains that grew in gaps."""
    height = fbm(rng, shape, _size(rng, shape, 0.3, 0.9), octaves=3) * np.float32(rng.uniform(4, 14))
    size = _size(rng, shape, 0.12, 0.45)
    for part in (1.0, 0.45, 0.2):
        facets = cells(rng, shape, scale=size * part, at=warped(rng, shape, size * part * 0.1, size * part))
        a, b = (facets.values(rng.normal(0, 0.45, facets.count).astype(np.float32)) for _ in range(2))
        level = facets.values(rng.normal(0, size * part * 0.2, facets.count).astype(np.float32))
        height = height + a * facets.down + b * facets.right + level
    if rng.random() < 0.5:
        points = scatter(rng, shape, shape[0] * 0.06)
        points = points[: int(len(points) * rng.uniform(0.05, 0.5))]
        stamp_all(height, [polyhedron(rng, float(np.exp(rng.uniform(0.5, 2)))) for _ in range(8)], points, base=None)
    scene = Scene((height + fbm(rng, shape, 3) * np.float32(0.3)).astype(np.float32), _tones(rng, shape))
    return tilt(scene, float(rng.uniform(0, 40))) if rng.random() < 0.4 else scene


def _tones(rng: np.random.Generator, shape: Shape) -> Array:
    """Return minerals of a few tones in patches."""
    patches = cells(rng, shape, scale=_size(rng, shape, 0.2, 0.6), at=warped(rng, shape, 6, 15))
    return patches.values(rng.choice(rng.uniform(0.75, 1.3, 3), patches.count).astype(np.float32))


def corrosion(rng: np.random.Generator, shape: Shape) -> Scene:
    """Rust and scale: a cracked crust in blisters on metal with pits, brighter where it charges."""
    height = np.maximum(fbm(rng, shape, _size(rng, shape, 0.15, 0.5)), 0) * np.float32(rng.uniform(4, 14))
    crust = step(fbm(rng, shape, _size(rng, shape, 0.4, 1.2)), float(rng.uniform(-0.8, 0.5)), 0.2)
    plates = cells(rng, shape, scale=_size(rng, shape, 0.1, 0.35), at=warped(rng, shape, 5, 12))
    cracks = np.exp(-np.square(plates.border / np.float32(rng.uniform(0.6, 1.6))))
    rough = fbm(rng, shape, float(rng.uniform(4, 10)), octaves=4, gain=0.7)
    height = height + crust * (np.float32(4) + rough * np.float32(rng.uniform(0.6, 2.2)) - cracks * np.float32(6))
    pits = step(fbm(rng, shape, 12), float(rng.uniform(1.2, 2)), 0.15) * (1 - crust)
    height = height - pits * np.float32(8) + (1 - crust) * fbm(rng, shape, (2, 40)) * np.float32(0.3)
    material = 1 - crust * np.float32(rng.uniform(0.0, 0.4))
    charge = crust * np.maximum(rough, 0) * np.float32(rng.choice([0.0, rng.uniform(0.1, 0.4)]))
    return Scene(height.astype(np.float32), material.astype(np.float32), charge.astype(np.float32))
