"""Plants cut across: several tissues side by side in rings round the middle of the organ; sub-kinds of `biological`.

A sponge has pores of one sort, without order. A cut organ has files and rows of cells, small ones beside wide vessels,
bundles, a skin with nothing outside it, torn rims and things in its cells: all of it is drawn here, whatever the size.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.anatomy import STRAWS, Organ, herb, placed, timber
from nffa_cli.render.kinds.plants import shreds
from nffa_cli.render.pores import between
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ellipsoid,
    fbm,
    grid,
    lump,
    ridged,
    smooth,
    stamp_all,
    stamp_max,
    step,
    tilt,
)

Rng = np.random.Generator
CELLS = 650
"""How many cells are drawn at most: the finest tissue then has the whole picture."""


def _packed(shape: Shape, cells: Array) -> tuple[Array, Array, Array]:
    """Return for each pixel how far it is outside of the nearest cell's round, of the next one's, and which cell it is."""
    first, second = np.full(shape, 1e3, np.float32), np.full(shape, 1e3, np.float32)
    label = np.zeros(shape, np.int32)
    at_y, at_x = grid(shape)
    for k, (y, x, r, squeeze, angle, *_) in enumerate(cells.tolist()):
        half = 1.6 * r * max(squeeze, 1 / squeeze) + 2.5
        top, low = max(int(y - half), 0), min(int(y + half) + 2, shape[0])
        left, right = max(int(x - half), 0), min(int(x + half) + 2, shape[1])
        if top >= low or left >= right:
            continue
        dy, dx = at_y[top:low] - np.float32(y), at_x[:, left:right] - np.float32(x)
        c, s = math.cos(angle), math.sin(angle)
        along = dx * np.float32(c / squeeze) + dy * np.float32(s / squeeze)
        over = dy * np.float32(c * squeeze) - dx * np.float32(s * squeeze)
        away = np.sqrt(along * along + over * over) - np.float32(r)
        one, two = first[top:low, left:right], second[top:low, left:right]
        np.minimum(two, np.maximum(one, away), out=two)
        np.copyto(label[top:low, left:right], k, where=away < one)
        np.minimum(one, away, out=one)
    return first, second, label


def _cut(rng: Rng, shape: Shape, organ: Organ, grain: float) -> Scene:
    """Draw the cut face of an organ: walls with bright rims, slanting lumens, what is torn, what lies in the cells."""
    unit = shape[1] / 256
    cells = organ.cells.astype(np.float32)
    if len(cells) > CELLS:
        cells = cells[np.argsort(-cells[:, 2] + rng.random(len(cells)) * 1e-3)[:CELLS]]
    bend = smooth(rng, shape, 50 * unit) * np.float32(rng.uniform(0, 1.6) * unit)
    first, second, label = _packed(shape, cells)
    y, x = grid(shape)
    size, wall, bulge, deep = (cells[:, k][label] for k in (2, 5, 6, 7))
    inside = np.float32(organ.radius) - np.hypot(y - np.float32(organ.y), x - np.float32(organ.x)) + bend
    border = (second - first) * np.float32(0.5)
    flat, curve = border - wall, (bulge - 1) * size - first
    soft = size * np.float32(rng.uniform(0.04, 0.14))
    inner = np.minimum(flat, curve) - soft * np.log1p(np.exp(-np.minimum(np.abs(flat - curve) / soft, 30)))
    ragged = step(smooth(rng, shape, 60 * unit), float(rng.uniform(-1, 1.5)), 0.6)
    inner -= ragged * np.abs(smooth(rng, shape, 2.4 * unit)) * np.float32(rng.uniform(0, 1) ** 2 * 3.0 * unit)
    inner = np.minimum(inner, inside - np.float32(1.2 * unit))
    lumen = inner > 0
    lead = float(rng.uniform(0, 2 * math.pi))
    lean = float(rng.choice([0.3, rng.uniform(0.4, 1.6)]))
    side = (y - cells[:, 0][label]) * np.float32(math.sin(lead)) + (x - cells[:, 1][label]) * np.float32(math.cos(lead))
    side = np.clip(side / size, -1.2, 1.2)
    far = size * (np.float32(0.4) + deep * np.float32(rng.uniform(1.0, 3.5)))
    steep = np.maximum(1 + np.float32(lean) * side, 0.12) * np.float32(rng.uniform(2, 6))
    hollow = -np.minimum(inner * steep, far)
    streak = fbm(rng, shape, (grain * 1.5, grain * 0.25) if abs(math.sin(lead)) > 0.7 else (grain * 0.25, grain * 1.5))
    hollow += streak * np.float32(0.05 * grain)
    face = fbm(rng, shape, 10 * unit) * np.float32(rng.uniform(0.05, 0.5)) + bend
    height = np.where(lumen, hollow + bend, face)
    lamella = np.exp(-np.square(border / np.float32(0.8 * unit))) * (first < 900)
    height -= lamella * np.float32(rng.normal(0.2, 0.45))
    rim = np.exp(-np.square((inner + np.float32(0.9 * unit)) / np.float32(rng.uniform(0.6, 1.1) * unit)))
    height += rim * np.float32(rng.uniform(0.3, 1.6))
    within = np.float32(rng.uniform(0.2, 0.75)) - side * np.float32(rng.uniform(0, 0.35)) + streak * np.float32(0.05)
    body = np.float32(rng.uniform(0.55, 1.0))
    material = np.where(lumen, within, body + lamella * np.float32(rng.normal(0.05, 0.12)))
    material = np.maximum(material + rim * np.float32(rng.uniform(0.05, 0.5)), 0.08)
    if rng.random() < 0.35:  # gaps between the cells, where three of them meet
        gap = (first > np.float32(rng.uniform(0.12, 0.25)) * size) & (first < 900) & (inside > 2)
        height = np.where(gap, np.float32(-0.6 * grain), height)
        material = np.where(gap, np.float32(0.35), material)
    scene = Scene(height.astype(np.float32), material.astype(np.float32))
    if rng.random() < 0.3:  # crushed in one place
        crush = step(smooth(rng, shape, 60 * unit), float(rng.uniform(0.6, 1.6)), 0.5) * (inside > 0)
        heap = ridged(rng, shape, between(rng, 5, 14) * unit, octaves=3) * np.float32(grain * 1.2) - np.float32(
            grain * 0.4
        )
        scene.height += crush * (heap - scene.height)
        scene.material = scene.yields + crush * (np.float32(1) - scene.yields)
    _outside(rng, scene, inside, grain)
    _filled(rng, scene, cells, grain)
    if rng.random() < 0.85:
        torn = (np.abs(inner) < 1.3) & (inside > 0)
        if rng.random() < 0.65:
            torn &= smooth(rng, shape, 70 * unit) > rng.uniform(-0.3, 1.0)
        shreds(rng, scene, torn, int(rng.integers(10, 150)), grain * float(rng.uniform(0.2, 0.8)))
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(8, 25), rng.uniform(15, 35)])))


def _outside(rng: Rng, scene: Scene, inside: Array, grain: float) -> None:
    """Put in place what is outside of an organ: nothing, the table, or its own skin that goes down; and a cuticle."""
    shape, unit = scene.shape, scene.shape[1] / 256
    skin = grain * float(rng.uniform(0.05, 0.5))
    coat = (inside > 0) & (inside < skin)
    scene.height = np.where(coat, np.float32(rng.uniform(0.2, 1.5)), scene.height)
    out = -inside
    kind = rng.random()
    if kind < 0.5:  # nothing
        below, tone = np.full(shape, -45, np.float32), float(rng.uniform(0.03, 0.2))
    elif kind < 0.7:  # the table, with glue
        below = smooth(rng, shape, 60 * unit) * 3 - np.float32(20)
        tone = float(rng.uniform(0.15, 0.6))
    else:  # its own skin
        ribs = fbm(rng, shape, (9 * unit, 40 * unit)) * np.float32(rng.uniform(0.1, 0.8))
        below, tone = -np.minimum(out * np.float32(rng.uniform(0.3, 1.6)), 40) - 1 + ribs, float(rng.uniform(0.6, 1))
    scene.height = np.where(out > 0, below, scene.height).astype(np.float32)
    scene.material = np.where(out > 0, np.float32(tone), scene.yields).astype(np.float32)


def _filled(rng: Rng, scene: Scene, cells: Array, grain: float) -> None:
    """Put into cells, in place, what is found in them: grains of starch, dried sap, membranes, crystals."""
    shape = scene.shape
    visible = cells[
        (cells[:, 0] > 0) & (cells[:, 0] < shape[0]) & (cells[:, 1] > 0) & (cells[:, 1] < shape[1]) & (cells[:, 2] > 4)
    ]
    if not len(visible):
        return
    material = scene.yields
    scene.material = material
    if rng.random() < 0.3:  # starch, in a part of the field
        where = smooth(rng, shape, shape[1] * 0.3) > rng.uniform(-0.5, 1)
        chosen = [c for c in visible if where[int(c[0]), int(c[1])] and rng.random() < 0.6][:40]
        r = grain * float(rng.uniform(0.12, 0.35))
        balls = [ellipsoid(q, q * 0.85, q * 0.85, rng.uniform(0, 3), sunk=0.5) for q in r * rng.uniform(0.6, 1.2, 5)]
        for y, x, size, *_ in chosen:
            spots = np.array([y, x]) + rng.normal(0, 0.33, (int(rng.integers(1, 8)), 2)) * size
            for spot in spots:
                base = float(-size * rng.uniform(0.2, 1.0))
                stamp_max(scene.height, balls[int(rng.integers(5))], *spot, base=base, material=material, value=0.95)
    if rng.random() < 0.5:  # clots and rags
        chosen = visible[rng.integers(0, len(visible), int(rng.integers(1, 14)))]
        rags = [lump(rng, q, rough=0.8, flat=0.5) for q in grain * rng.uniform(0.2, 0.7, 4)]
        stamp_all(
            scene.height,
            rags,
            chosen[:, :2] + rng.normal(0, 0.3, (len(chosen), 2)) * chosen[:, 2:3],
            base=None,
            sink=0.5,
            material=material,
            values=rng.uniform(0.7, 1.2, len(chosen)),
        )


def _section(rng: Rng, shape: Shape) -> Scene:
    """Draw a stem, root, straw or needle cut across."""
    grain = between(rng, 6.0, 22) * shape[1] / 256
    organ = placed(rng, shape)
    organ.cells = herb(rng, organ, shape, grain)
    return _cut(rng, shape, organ, grain)


def _whole(rng: Rng, shape: Shape) -> Scene:
    """Draw a root, a thin stem or a needle cut across, mostly all of it in the field."""
    grain = between(rng, 5.0, 11) * shape[1] / 256
    organ = placed(rng, shape, whole=0.75)
    organ.cells = herb(rng, organ, shape, grain)
    return _cut(rng, shape, organ, grain)


def _straw(rng: Rng, shape: Shape) -> Scene:
    """Draw a straw or the stalk of flax or hemp cut across: its skin, the rings of thick walls, wide cells, nothing."""
    grain = between(rng, 8, 18) * shape[1] / 256
    organ = placed(rng, shape, whole=0.0)
    organ.cells = herb(rng, organ, shape, grain, plans=STRAWS)
    return _cut(rng, shape, organ, grain)


def _near(rng: Rng, shape: Shape) -> Scene:
    """Draw a few tissues of an organ near by: large cells, their walls and what is in them."""
    grain = between(rng, 11, 32) * shape[1] / 256
    organ = placed(rng, shape, whole=0.0)
    organ.cells = herb(rng, organ, shape, grain)
    return _cut(rng, shape, organ, grain)


def _wood(rng: Rng, shape: Shape) -> Scene:
    """Draw wood cut across."""
    grain = between(rng, 5.0, 16) * shape[1] / 256
    organ = placed(rng, shape)
    if rng.random() < 0.6:
        organ.radius += 0.6 * math.hypot(*shape)
    organ.cells = timber(rng, organ, shape, grain)
    return _cut(rng, shape, organ, grain)


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("stem cut across", _section, (60e-6, 2e-3)),
    ("root cut across", _whole, (60e-6, 2e-3)),
    ("straw cut across", _straw, (60e-6, 1e-3)),
    ("tissues of a stalk", _near, (40e-6, 500e-6)),
    ("wood cut across", _wood, (60e-6, 2e-3)),
]
"""Name, drawing, width of the field in metres."""
