"""Etched steels and cast alloys close up: what lies in their ground mass, how it grew; drawn for "none of the ten"."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kinds.bulk import scratches
from nffa_cli.render.scene import Array, Scene, Shape, cells, fbm, ridged, smooth, step, turned, warped

Rng = np.random.Generator


def _matrix(rng: Rng, shape: Shape) -> tuple[Array, Array]:
    """Return height and yield of an etched ground mass: felted, of laths, pitted, torn or smooth, grain by grain."""
    unit = shape[1] / 256
    how = int(rng.integers(4))
    fine = float(rng.uniform(2.2, 7)) * unit
    if how == 0:
        height = ridged(rng, shape, fine * 2, octaves=3, gain=0.65)
    elif how == 1:
        packets = cells(rng, shape, scale=float(rng.uniform(15, 70)) * unit, at=warped(rng, shape, 3, 15))
        angle = packets.values(rng.uniform(0, math.pi, packets.count).astype(np.float32))
        y, x = warped(rng, shape, fine * 0.3, fine * 3)
        wave = np.sin((y * np.cos(angle) - x * np.sin(angle)) * np.float32(2 * math.pi / fine))
        height = wave * np.float32(0.4) + fbm(rng, shape, fine, octaves=2) * np.float32(0.35)
    elif how == 2:
        height = fbm(rng, shape, fine, octaves=3, gain=0.7) * np.float32(0.4)
    else:
        angle = float(rng.uniform(0, math.pi))
        v, u = turned(shape, angle)
        pieces = cells(
            rng, shape, scale=fine * 1.3, at=(v + smooth(rng, shape, 20) * 2, u), stretch=float(rng.uniform(1.5, 6))
        )
        height = pieces.values(rng.normal(0, 0.4, pieces.count).astype(np.float32)) - np.exp(-pieces.border)
    grains = cells(rng, shape, scale=float(rng.uniform(40, 160)) * unit, at=warped(rng, shape, 6, 25))
    tone = grains.values(np.exp(rng.normal(0, rng.uniform(0.0, 0.12), grains.count)).astype(np.float32))
    tone = tone * (1 + fbm(rng, shape, 20 * unit) * np.float32(rng.uniform(0.0, 0.08)))
    return height * np.float32(rng.uniform(0.3, 2.2)), tone * np.float32(rng.uniform(0.5, 0.9))


def _inside(rng: Rng, shape: Shape, scale: float, share: float, *, full: float, stretch: float, angle: float) -> Array:
    """Return how far (px) a pixel is inside of a particle, negative outside: smooth bodies about ``scale`` px apart.

    ``share`` of the places hold one, of up to ``full`` of the place's half width.
    """
    wander = warped(rng, shape, scale * 0.07, scale * 0.5)
    found = cells(rng, shape, scale=scale, at=wander, stretch=stretch, angle=angle)
    r = scale * full * 0.5 * np.exp(rng.normal(-0.25, 0.35, found.count))
    r[rng.random(found.count) > share] = -9.0
    over = np.minimum(found.values(r.astype(np.float32)) - found.distance, found.border - np.float32(0.05 * scale))
    return over.astype(np.float32)


def spheroidite(rng: Rng, shape: Shape) -> Scene:
    """Bright smooth carbides of two or three sizes in a dark etched ground, round, angular or in rows of short rods."""
    unit = shape[1] / 256
    height, material = _matrix(rng, shape)
    grow = float(rng.uniform(1.3, 2.6))
    size = float(rng.uniform(3.2, 9)) * unit
    lead = float(rng.uniform(0, math.pi))
    for level in range(int(rng.integers(2, 4))):
        scale = size * grow**level * (1 + level * 0.6)
        share = float(rng.uniform(0.25, 0.95)) * (1.0, 0.6, 0.25)[level]
        over = _inside(
            rng,
            shape,
            scale,
            share,
            full=float(rng.uniform(0.45, 0.85)) / (1 + 0.35 * level),
            stretch=float(rng.choice([1.0, rng.uniform(1.2, 3.5)])),
            angle=lead + float(rng.normal(0, 0.5)),
        )
        if rng.random() < 0.6:  # not everywhere
            over = np.where(smooth(rng, shape, float(rng.uniform(30, 90)) * unit) > rng.uniform(-1.2, 0.3), over, -9)
        cover = step(over, 0.0, 1.2)
        bulge = np.sqrt(np.clip(over / np.float32(scale * 0.3), 0, 1)) * np.float32(
            min(scale * 0.12, 2.5) * rng.uniform(0.5, 1.4)
        )
        height = height * (1 - cover) + cover * (bulge + np.float32(rng.uniform(0, 1.5)))
        material = material + (np.float32(rng.uniform(1.0, 1.7)) - material) * cover
    if rng.random() < 0.3:
        scratches(rng, shape, height, int(rng.integers(1, 8)))
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))


def network(rng: Rng, shape: Shape) -> Scene:
    """Carbide or a second phase along the borders of former grains, needles of it into them, dots or plates inside."""
    unit = shape[1] / 256
    height, material = _matrix(rng, shape)
    grains = cells(rng, shape, scale=float(rng.uniform(35, 130)) * unit, at=warped(rng, shape, 4 * unit, 18 * unit))
    wide = float(rng.uniform(0.8, 4)) * unit * (1 + 0.35 * fbm(rng, shape, 12 * unit))
    seam = step(wide - grains.border, 0, 1.2)
    zone = step(np.float32(rng.uniform(3, 16) * unit) - grains.border, 0, 3.0)
    v, u = turned(shape, 0.0)
    angle = grains.values((rng.integers(0, 4, grains.count) * (math.pi / 4) + rng.uniform(0, 1)).astype(np.float32))
    across = v * np.cos(angle) - u * np.sin(angle)
    needles = step(
        np.cos(across * np.float32(2 * math.pi / rng.uniform(7, 20) / unit) + smooth(rng, shape, 8) * 2), 0.86, 0.2
    )
    needles = needles * zone * np.float32(rng.random() < 0.6)
    height, material = height * (1 - zone * np.float32(rng.uniform(0, 1))), material * (1 - zone * np.float32(0.1))
    phase = np.maximum(seam, needles)
    if rng.random() < 0.5:
        dots = _inside(rng, shape, float(rng.uniform(3, 8)) * unit, 0.6, full=0.6, stretch=1.0, angle=0.0)
        phase = np.maximum(phase, step(dots, 0, 1.2) * (1 - zone))
    height = height * (1 - phase) + phase * np.float32(rng.uniform(0.5, 3))
    material = material + (np.float32(rng.uniform(0.9, 1.6)) - material) * phase
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))


def cast_iron(rng: Rng, shape: Shape) -> Scene:
    """Black flakes or nodules of graphite in a polished or etched ground, each nodule in a bright ring."""
    unit = shape[1] / 256
    height, material = _matrix(rng, shape)
    smooth_ = float(rng.choice([0.1, 1.0]))
    height, material = height * np.float32(smooth_), material + np.float32(0.2)
    scale = float(rng.uniform(22, 75)) * unit
    if rng.random() < 0.5:
        over = _inside(rng, shape, scale, 0.7, full=float(rng.uniform(0.4, 0.8)), stretch=1.0, angle=0.0)
        over += fbm(rng, shape, scale * 0.15, octaves=2) * np.float32(0.03 * scale)
        ring = step(over, -0.25 * scale, 1.5) * np.float32(rng.random() < 0.6)
        height, material = height * (1 - ring), material + (np.float32(0.95) - material) * ring
    else:
        curl = np.abs(smooth(rng, shape, scale) + np.float32(0.35) * smooth(rng, shape, scale * 0.4))
        gate = smooth(rng, shape, scale * 1.2) + np.float32(0.3) * smooth(rng, shape, scale * 0.3)
        over = (np.float32(rng.uniform(0.06, 0.16)) * np.clip(gate + np.float32(0.9), 0, 1.4) - curl) * np.float32(
            scale * 0.35
        )
    graphite = step(over, 0, 1.3)
    texture = fbm(rng, shape, 4 * unit) * np.float32(0.5)
    height = height * (1 - graphite) + graphite * (texture - np.float32(rng.uniform(0.5, 4)))
    material = material + (np.float32(rng.uniform(0.12, 0.35)) - material) * graphite
    scratches(rng, shape, height, int(rng.integers(0, 10)))
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.3, 1)))


def relief(rng: Rng, shape: Shape) -> Scene:
    """A cast alloy etched into relief: long rounded bodies of one phase, pinched and branched, a mottled sink between."""
    unit = shape[1] / 256
    scale = float(rng.uniform(14, 55)) * unit
    lie, angle = float(rng.uniform(1.0, 7)), float(rng.uniform(0, math.pi))
    y, x = warped(rng, shape, scale * 0.35, scale * 2)
    found = cells(rng, shape, scale=scale, at=(y, x), stretch=lie, angle=angle)
    joined = smooth(rng, shape, scale * 1.5) * np.float32(0.1 * scale)
    over = found.border - np.float32(scale * rng.uniform(0.08, 0.2)) + joined
    part = np.clip(over / np.float32(scale * 0.22), 0, 1)
    bulge = np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(scale * rng.uniform(0.05, 0.22))
    body = step(over, 0, 1.5)
    sink, _ = _matrix(rng, shape)
    waves = fbm(rng, shape, scale * 0.5, octaves=2) * np.float32(rng.uniform(0.1, 0.6))
    height = np.where(over > 0, bulge + waves, sink * np.float32(0.7) - np.float32(rng.uniform(0, 2)))
    grey = found.values(np.exp(rng.normal(0, 0.05, found.count)).astype(np.float32))
    material = (
        1 + body * (grey * np.float32(rng.uniform(0.8, 1.3)) - 1) - (1 - body) * np.float32(rng.uniform(-0.1, 0.35))
    )
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.5, 1)))


def sintered(rng: Rng, shape: Shape) -> Scene:
    """A polished section with pores left over: angular, round or along former grains; black, bright at their rims."""
    unit = shape[1] / 256
    scale = float(rng.uniform(12, 50)) * unit
    grains = cells(rng, shape, scale=scale, at=warped(rng, shape, scale * 0.15, scale))
    tone = grains.values(np.exp(rng.normal(0, rng.uniform(0, 0.14), grains.count)).astype(np.float32))
    field = fbm(rng, shape, scale * float(rng.uniform(0.5, 1.2)), octaves=3, gain=0.6)
    corner = np.clip(grains.distance / np.float32(scale * 0.7), 0, 1)
    hole = step(field + corner * np.float32(rng.uniform(0, 2)), float(rng.uniform(1.6, 2.8)), 0.15)
    height = -hole * np.float32(rng.uniform(2, 14)) + fbm(rng, shape, 30 * unit) * np.float32(0.2)
    height -= np.exp(-np.square(grains.border)) * np.float32(rng.uniform(0, 0.8))
    scratches(rng, shape, height, int(rng.integers(0, 14)))
    material = tone * (1 - hole * np.float32(0.6))
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))
