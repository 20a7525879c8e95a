"""Photographs of apparatus, benches and samples, and light pictures of sections; drawn for "none of the ten".

Light falls from one side, metal shines in stripes, things have soft shadows; nothing glows at its edges as under a beam.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kinds.methods import finished
from nffa_cli.render.plans import bar, box, cover, disc, lattice, ring
from nffa_cli.render.scene import Array, Scene, Shape, blur, cells, curve, fbm, grid, smooth, step, tubes, warped

Rng = np.random.Generator


def _put(level: Array, distance: Array, tone: Array | float, shadow: float, far: int) -> Array:
    """Put a thing on the picture, with its soft shadow below and beside it."""
    inside = cover(distance, 1.5)
    dark = np.roll(blur(inside, 3.0), (far, far), (0, 1))
    level = level * (1 - np.float32(shadow) * dark)
    found: Array = level + (tone - level) * inside
    return found


def apparatus(rng: Rng, shape: Shape) -> Scene:
    """Flanges with bolts, shining tubes, boxes with knobs, cables, a wall behind."""
    unit = shape[1] / 256
    y, x = np.broadcast_arrays(*grid(shape))
    u, v = (x - shape[1] / 2) / np.float32(unit), (y - shape[0] / 2) / np.float32(unit)
    level = np.float32(rng.uniform(0.2, 0.8)) + v * np.float32(rng.uniform(-0.002, 0.002))
    level = level + smooth(rng, shape, 70 * unit) * np.float32(rng.uniform(0.01, 0.08))
    if rng.random() < 0.4:  # the table
        table = np.float32(rng.uniform(0, 60)) - v
        level = _put(level, table, float(rng.uniform(0.15, 0.7)), 0.3, 1)
        if rng.random() < 0.5:  # holes of an optical table
            at = lattice(
                u * (1 + v * np.float32(0.002)), v, float(rng.uniform(9, 16)), pitch_y=float(rng.uniform(5, 12))
            )
            level = level * (1 - cover(np.maximum(disc(at.x, at.y, 0, 0, 1.2), table), 1) * np.float32(0.5))
    for _ in range(int(rng.integers(4, 13))):
        cx, cy, size = float(rng.uniform(-110, 110)), float(rng.uniform(-70, 80)), float(rng.uniform(8, 45))
        shadow, far = float(rng.uniform(0.1, 0.6)), int(rng.integers(1, 6))
        what = int(rng.integers(4))
        tone = float(rng.uniform(0.1, 0.95))
        if what == 0:  # a tube or post, brightest along a line
            turn = float(rng.choice([0, math.pi / 2, rng.uniform(0, 3)]))
            ends = (size * 3 * math.cos(turn), size * 3 * math.sin(turn))
            half = size * float(rng.uniform(0.2, 0.5))
            across = ((v - cy) * math.cos(turn) - (u - cx) * math.sin(turn)) / np.float32(half)
            shine = np.exp(-np.square((across + np.float32(0.3)) / np.float32(0.25))) * np.float32(0.5)
            body = tone * (1 - np.float32(0.5) * np.square(across)) + shine
            level = _put(level, bar(u, v, (cx, cy), (cx + ends[0], cy + ends[1]), half), body, shadow, far)
        elif what == 1:  # a flange seen from the front
            level = _put(level, disc(u, v, cx, cy, size), tone + (u - cx + v - cy) * np.float32(0.004), shadow, far)
            level = _put(level, disc(u, v, cx, cy, size * 0.55), tone * float(rng.uniform(0.1, 1.2)), 0.0, 0)
            level = level - cover(ring(u, v, cx, cy, size * 0.97, 0.6), 1) * np.float32(0.2)
            bolts = int(rng.integers(6, 13))
            for number in range(bolts):
                turn = 2 * math.pi * number / bolts
                place = (cx + 0.78 * size * math.cos(turn), cy + 0.78 * size * math.sin(turn))
                level = _put(level, disc(u, v, *place, size * 0.08), 1.2 - tone, 0.3, 1)
        elif what == 2:  # a box with its front
            tall = size * float(rng.uniform(0.4, 1.2))
            level = _put(level, box(u, v, cx, cy, size, tall, 1.5), tone + (v - cy) * np.float32(0.002), shadow, far)
            level = _put(level, box(u, v, cx - size * 0.3, cy - tall * 0.3, size * 0.4, tall * 0.3), 1 - tone, 0.0, 0)
            for number in range(int(rng.integers(0, 6))):
                knob = disc(u, v, cx - size * 0.7 + number * size * 0.28, cy + tall * 0.5, size * 0.08)
                level = _put(level, knob, float(rng.uniform(0, 1)), 0.3, 1)
        else:  # cables
            lines = [
                curve(rng, (float(rng.uniform(0, shape[0])), 0.0), 0.0, shape[1] * 1.6, bend=0.5, period=40 * unit)
                for _ in range(int(rng.integers(1, 4)))
            ]
            round_ = np.zeros(shape, np.float32)
            half = float(rng.uniform(1.2, 3.5)) * unit
            tubes(round_, lines, [half] * len(lines))
            part = np.clip(round_ / np.float32(2 * half), 0, 1)
            level = _put(level, np.float32(0.3) - part, np.float32(tone) * (np.float32(0.3) + part), shadow, far)
    level = level * (1 + smooth(rng, shape, 120 * unit) * np.float32(0.08))
    return finished(rng, blur(np.clip(level, 0, 1).astype(np.float32), float(rng.uniform(0.4, 1.1))), noise=0.02)


def thin_section(rng: Rng, shape: Shape) -> Scene:
    """A thin section of rock in the light microscope: grains of even grey or striped by twins, cracks, dark ore."""
    unit = shape[1] / 256
    grains = cells(rng, shape, scale=float(rng.uniform(14, 70)) * unit, at=warped(rng, shape, 2.5 * unit, 9 * unit))
    tone = grains.values(rng.uniform(0.08, 1, grains.count).astype(np.float32))
    y, x = grid(shape)
    angle = grains.values(rng.uniform(0, math.pi, grains.count).astype(np.float32))
    across = (y * np.cos(angle) - x * np.sin(angle)) / np.float32(unit)
    twins = np.sin(across * grains.values(rng.uniform(0.3, 1.5, grains.count).astype(np.float32)))
    striped = grains.values((rng.random(grains.count) < rng.uniform(0, 0.5)).astype(np.float32))
    level = tone + striped * step(twins, 0.0, 0.4) * np.float32(rng.uniform(-0.4, 0.5))
    level = level + fbm(rng, shape, 4 * unit, octaves=2) * np.float32(rng.uniform(0.01, 0.06))
    level = level - np.exp(-np.square(grains.border / np.float32(0.8 * unit))) * np.float32(rng.uniform(0, 0.4))
    ore = step(smooth(rng, shape, float(rng.uniform(10, 25)) * unit), float(rng.uniform(1.2, 2.2)), 0.1)
    level = level * (1 - ore * np.float32(0.9))
    if rng.random() < 0.4:  # the round field of an eyepiece
        edge = np.hypot(y - shape[0] / 2, x - shape[1] / 2) - np.float32(shape[0] * rng.uniform(0.45, 0.6))
        level = level * (1 - cover(-edge, 2))
    return finished(rng, blur(level.astype(np.float32), float(rng.uniform(0.5, 1.2))), noise=0.015)


ROWS = (
    ("apparatus", apparatus, (1e-2, 1.0)),
    ("thin section", thin_section, (200e-6, 10e-3)),
)
