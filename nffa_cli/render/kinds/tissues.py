"""Plant organs in context: stems cut across in layers, their vessels along, stamens with pollen; of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import hairs, shreds, skin_cells
from nffa_cli.render.pores import between, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    ellipsoid,
    fbm,
    ridged,
    smooth,
    stamp_max,
    step,
    tilt,
    tubes,
    turned,
)

Rng = np.random.Generator

LAYERS: list[tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]] = [
    ((0.5, 1.1), (1.0, 2.2), (0.08, 0.2), (0.8, 1.4)),
    ((0.6, 1.4), (1.0, 1.8), (0.1, 0.24), (2.0, 6.0)),
    ((1.4, 3.2), (1.0, 1.4), (0.02, 0.07), (3.0, 9.0)),
    ((0.7, 1.2), (1.0, 1.5), (0.06, 0.2), (2.0, 6.0)),
]
"""From the skin inwards: size of the cells (in units of the stem's own), how flat they are, thickness of their walls
(in cells), how many cells deep the layer is. Skin, strengthening tissue, pith or cortex, bundles."""


def _stem(rng: Rng, shape: Shape) -> Scene:
    """Draw a stem, stalk, root or needle cut across: rows of skin cells, thick walls, wide thin-walled cells, torn bits."""
    unit = shape[1] / 256
    grain = between(rng, 8, 30) * unit
    v, u = turned(shape, float(rng.choice([0, math.pi, rng.uniform(0, 6.3)])) + float(rng.normal(0, 0.15)))
    v = v + np.square(u) * np.float32(rng.normal(0, 0.0016) / unit) + smooth(rng, shape, 90 * unit) * np.float32(3)
    reach = float(np.abs(v).max())
    edge = -reach * float(rng.uniform(0.55, 1.4)) if rng.random() < 0.8 else -3 * reach
    depth = v - np.float32(edge)
    found = _layered(rng, depth, u, grain)
    size, border, distance, wall, tone = found
    curve = np.float32(rng.uniform(0.42, 0.54)) * size - distance
    soft = size * np.float32(rng.uniform(0.04, 0.12))
    flat = border - wall
    inner = np.minimum(flat, curve) - soft * np.log1p(np.exp(-np.abs(flat - curve) / soft))
    lumen = inner > 0
    far = size * (np.float32(0.5) + tone * np.float32(rng.uniform(0.6, 2.5)))
    slope = float(rng.uniform(2.5, 8))
    height = np.where(lumen, -np.minimum(inner * np.float32(slope), far), np.float32(0))
    along = fbm(rng, shape, (grain * 0.25, grain * 1.2), octaves=3) * np.float32(0.03 * grain)
    cutting = fbm(rng, shape, (30 * unit, 3 * unit), octaves=2) * np.float32(rng.uniform(0, 0.3))
    height += np.where(lumen, along, cutting + fbm(rng, shape, 12 * unit) * np.float32(rng.uniform(0.1, 0.9)))
    lamella = np.exp(-np.square(border / np.float32(0.7 * unit)))
    height -= lamella * np.float32(rng.uniform(0, 0.7))
    rim = np.exp(-np.square((inner + np.float32(1.0)) / np.float32(rng.uniform(0.6, 1.3) * unit)))
    height += rim * np.float32(rng.uniform(0.2, 1.3))
    material = np.where(lumen, np.float32(rng.uniform(0.5, 0.9)), np.float32(1)) * (1 + rim * np.float32(0.2))
    skin = grain * float(rng.uniform(0.05, 0.35))
    height = np.where((depth < skin) & (depth > 0), np.float32(rng.uniform(0, 2)) + cutting, height)
    outside = depth < 0
    side = rng.random() < 0.5  # the stem's own skin goes down, or there is nothing
    drop = np.minimum(-depth * np.float32(rng.uniform(0.5, 2)), 40) + 3 if side else np.full(shape, 40, np.float32)
    height = np.where(outside, -drop + fbm(rng, shape, 25 * unit) * np.float32(0.8), height)
    dark = float(rng.uniform(0.6, 1)) if side else float(rng.uniform(0.1, 0.4))
    material = np.where(outside, np.float32(dark), material).astype(np.float32)
    scene = Scene(height.astype(np.float32), material)
    if rng.random() < 0.85:
        torn = (np.abs(inner) < 1.5) & ~outside
        if rng.random() < 0.5:  # in some places more than in others
            torn &= smooth(rng, shape, 70 * unit) > rng.uniform(-0.3, 0.8)
        shreds(rng, scene, torn, int(rng.integers(10, 120)), grain * float(rng.uniform(0.15, 0.5)))
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(5, 60)), size=unit * 1.5, on=~outside)
    return tilt(scene, float(rng.choice([0, rng.uniform(8, 25), rng.uniform(15, 35)])))


def _layered(rng: Rng, depth: Array, u: Array, grain: float) -> tuple[Array, Array, Array, Array, Array]:
    """Return size of the cells, distance to their borders and middles, half their wall, a tone of each (0..1).

    The layers of ``LAYERS`` follow each other with ``depth`` (px), each with cells of its own, a wall between them.
    """
    shape = (depth.shape[0], depth.shape[1])
    size, border, distance = (np.full(shape, grain, np.float32) for _ in range(3))
    wall, tone = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    start = float(depth.min()) - 1
    order = [LAYERS[k] for k in rng.permutation([1, 2, 3])]
    for n, (sizes, flat, walls, deep) in enumerate([LAYERS[0], *order, LAYERS[2]]):
        own = grain * float(rng.uniform(*sizes))
        end = max(start, 0.0) + own * float(rng.uniform(*deep)) if n < 4 else 1e9
        here = (depth > start) & (depth <= end)
        if here.any():
            rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
            box = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
            here, d = here[box], depth[box]
            part = (d.shape[0], d.shape[1])
            spread = math.sqrt(float(rng.uniform(*flat)))
            bend = smooth(rng, part, own * 3) * np.float32(own * 0.12)
            at = ((d - np.float32(start) + bend) * np.float32(spread), (u[box] + bend) / np.float32(spread))
            found = cells(rng, part, scale=own, jitter=float(rng.uniform(0.45, 0.95)), at=at)
            first, last = np.float32(max(start, 0.0)), np.float32(min(end, 1e6))
            seam = np.minimum(np.abs(d - first), np.abs(d - last))
            np.copyto(border[box], np.minimum(found.border, seam), where=here)
            np.copyto(distance[box], found.distance, where=here)
            np.copyto(size[box], np.float32(own), where=here)
            np.copyto(wall[box], np.float32(own * rng.uniform(*walls) + 0.4), where=here)
            np.copyto(tone[box], found.values(rng.uniform(0, 1, found.count).astype(np.float32)), where=here)
        start = end
    return size, border, distance, wall, tone


def _vessels(rng: Rng, shape: Shape) -> Scene:
    """Draw vessels split along: tubes with rings, spirals or rows of pits in their walls, thin cells beside them."""
    unit = shape[1] / 256
    wide = between(rng, 12, 60) * unit
    v, u = turned(shape, float(rng.normal(0, 0.3)) + float(rng.choice([0, math.pi / 2])))
    v = v + smooth(rng, shape, 80 * unit) * np.float32(0.12 * wide)
    place, height = -0.75 * shape[1], np.zeros(shape, np.float32)
    material = np.ones(shape, np.float32)
    walls = np.zeros(shape, bool)
    while place < 0.75 * shape[1]:
        own = wide * float(np.exp(rng.normal(-0.2, 0.45)))
        here = (v >= place) & (v < place + own)
        across = (v - np.float32(place)) / np.float32(own) * 2 - 1
        round_ = np.sqrt(np.maximum(1 - np.square(across), 0)) * np.float32(own * 0.5)
        how = int(rng.integers(5))
        pitch = between(rng, 3.0, 9) * unit
        wave = np.cos((u + across * np.float32(rng.uniform(-0.8, 0.8) * own * 0.5)) * np.float32(2 * math.pi / pitch))
        if how <= 1:  # cut open: a trough with rings or a spiral inside
            form = -round_ + step(wave, 0.2, 0.8) * np.float32(min(pitch * 0.3, own * 0.15))
        elif how == 2:  # pits in rows
            row = np.cos(across * np.float32(math.pi * max(round(own / pitch / 2), 1)))
            form = -round_ * np.float32(0.6) - step(wave * row, 0.35, 0.5) * np.float32(pitch * 0.6)
        elif how == 3:  # whole
            form = round_ * np.float32(0.6)
        else:  # cells with cross walls
            part = np.mod(u + np.float32(rng.uniform(0, 99)), np.float32(own * rng.uniform(1.2, 4)))
            form = -round_ * np.float32(0.7) + step(np.float32(own * 0.1) - part, 0, 1) * np.float32(own * 0.3)
        height = np.where(here, form, height)
        thin = here & (np.abs(across) > 1 - 2 * max(0.06 * own, 1.0) / own)
        walls |= thin
        place += own
    height = np.where(walls, np.float32(wide * 0.08), height)
    height += fbm(rng, shape, 6 * unit, gain=0.6) * np.float32(rng.uniform(0.1, 0.5))
    scene = Scene(height.astype(np.float32), material)
    if rng.random() < 0.7:
        shreds(rng, scene, walls, int(rng.integers(5, 70)), wide * float(rng.uniform(0.15, 0.7)))
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=unit * 2)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 35)])))


def _stamen(rng: Rng, shape: Shape) -> Scene:
    """Draw spiked or netted pollen in clusters on a part of a flower: a knobbly body, threads, dark depth behind."""
    unit = shape[1] / 256
    r = between(rng, 12, 62) * unit
    scene = Scene(np.full(shape, -2.5 * r, np.float32), np.full(shape, rng.uniform(0.25, 0.8), np.float32))
    back, _ = skin_cells(rng, shape, r * float(rng.uniform(0.5, 2)), jigsaw=0.15)
    scene.height += back + smooth(rng, shape, 3 * r) * np.float32(r * 0.8)
    if rng.random() < 0.5:
        dim = step(smooth(rng, shape, shape[1] * 0.5), float(rng.uniform(-0.8, 0.5)), 0.4)
        scene.material = scene.yields * (1 - dim * np.float32(0.75))
        scene.height -= dim * np.float32(2 * r)
    material = scene.yields
    scene.material = material
    for _ in range(int(rng.integers(1, 3))):  # parts of the flower
        _body(rng, scene, r)
    if rng.random() < 0.4:
        hairs(rng, scene, int(rng.integers(3, 14)), r * float(rng.uniform(0.08, 0.25)), r * float(rng.uniform(3, 8)))
        material = scene.yields
    number = int(np.clip(rng.poisson(9e3 * unit * unit / r**2 * rng.uniform(0.3, 1.6)), 1, 14))
    heart = rng.uniform(0.25, 0.75, 2)
    blunt, long = float(rng.uniform(0.25, 0.9)), float(rng.uniform(0.2, 0.5))
    count, foot = int(rng.integers(30, 110)), float(rng.uniform(0.6, 1.15))
    paths, radii = [], []
    for _ in range(number):
        y, x = (heart + rng.normal(0, 0.04 + 0.2 * min(number / 8, 1), 2)) * shape
        a = r * float(np.exp(rng.normal(0, 0.07)))
        body = ellipsoid(a, a * float(rng.uniform(0.88, 1)), a * 0.95, float(rng.uniform(0, 3)), sunk=1.0)
        body = body + fbm(rng, (body.shape[0], body.shape[1]), max(a * 0.5, 3)) * np.float32(0.02 * a)
        row, column = int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
        base = float(np.clip(scene.height[row, column], -2 * r, 1.5 * r)) + 0.6 * a
        stamp_max(scene.height, body, y, x, base=base, material=material, value=1.05)
        turn = np.arange(count) * 2.39996 + rng.normal(0, 0.12, count) + rng.uniform(0, 6)
        z = 1 - (np.arange(count) + 0.5) / count * 1.3
        out = np.sqrt(np.maximum(1 - z * z, 0))
        t = np.linspace(0, 1, 6)
        width = a * 1.9 / math.sqrt(count) * foot * ((1 - t) ** blunt * 0.8 + 0.12)
        for way in np.column_stack([out * np.sin(turn), out * np.cos(turn), z]):
            paths.append(way * a * (0.9 + t[:, None] * long) + np.array([y, x, base]))
            radii.append(np.maximum(width * np.array([1, 0.62, 0.45, 0.33, 0.22, 0.1]), 0.45))
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.1))
    scene.height += fbm(rng, shape, max(r * 0.12, 2)) * np.float32(r * 0.006)
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=unit * 1.4)
    return scene


def _body(rng: Rng, scene: Scene, r: float) -> None:
    """Put a big knobbly or wrinkled body of a flower on a scene in place, mostly out of the field."""
    shape = scene.shape
    big = r * float(rng.uniform(1.6, 4.0))
    y, x = rng.uniform(0, 1, 2) * shape
    if rng.random() < 0.7:  # at an edge
        x = float(rng.choice([-0.4, 0.3])) * big + (shape[1] if rng.random() < 0.5 else 0)
    v, u = turned(shape, float(rng.uniform(0, 3.1)), centre=(y, x))
    far = np.hypot(v, u * np.float32(rng.uniform(0.5, 1))) / np.float32(big) + smooth(rng, shape, big) * np.float32(
        0.06
    )
    dome = np.sqrt(np.maximum(1 - np.square(far), 0)) * np.float32(big * 0.9) - np.float32(2 * r)
    if rng.random() < 0.7:
        knobs, _ = skin_cells(rng, shape, r * float(rng.uniform(0.2, 0.6)), jigsaw=0.1, puff=0.45)
    else:
        knobs = ridged(rng, shape, r * float(rng.uniform(0.4, 1.2)), octaves=3) * np.float32(0.35 * r)
    higher = (far < 1) & (dome + knobs > scene.height)
    scene.height = np.where(higher, dome + knobs, scene.height)
    material = scene.yields
    material[higher] = 1.0
    scene.material = material


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("stalk in layers", _stem, (60e-6, 2e-3)),
    ("vessels along", _vessels, (30e-6, 800e-6)),
    ("pollen on a flower", _stamen, (40e-6, 600e-6)),
]
"""Name, drawing, width of the field in metres."""
