"""Plants: wood along the grain, leaves, petals, hairs, seeds; sub-kinds of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.pores import backdrop, between, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    ellipsoid,
    fbm,
    lump,
    ridged,
    scatter,
    smooth,
    stamp_max,
    step,
    tilt,
    tubes,
    turned,
    warped,
)

Rng = np.random.Generator


def shreds(rng: Rng, scene: Scene, where: Array, number: int, long: float) -> None:
    """Hang torn bits of wall on a scene in place, rooted where ``where`` is True."""
    rows, columns = np.nonzero(where)
    if not len(rows):
        return
    paths, radii = [], []
    for k in rng.integers(0, len(rows), number):
        length, angle = long * float(np.exp(rng.normal(0, 0.5))), float(rng.uniform(0, 6.3))
        t = np.linspace(0, 1, 6)[:, None]
        way = t * length * [math.sin(angle), math.cos(angle)] + np.square(t) * rng.normal(0, length * 0.4, 2)
        base = float(scene.height[rows[k], columns[k]])
        paths.append(
            np.column_stack(
                [np.array([rows[k], columns[k]]) + way, base + 1 + np.linspace(0, 1, 6) * rng.uniform(-2, 4)]
            )
        )
        radii.append(np.linspace(1, 0.35, 6) * max(length * float(rng.uniform(0.05, 0.3)), 0.5))
    material = scene.yields
    scene.material = material
    tubes(scene.height, paths, radii, flat=0.4, material=material, values=rng.uniform(1.0, 1.4, number))


def _wood(rng: Rng, shape: Shape) -> Scene:
    """Draw wood split along its grain: long open tubes side by side, rows of pits in their walls, rays across."""
    unit = shape[1] / 256
    pitch = between(rng, 7, 40) * unit
    v, u = turned(shape, float(rng.uniform(0, math.pi)))
    lane = (v + smooth(rng, shape, (60, 90)) * np.float32(pitch * 0.2)) / np.float32(pitch)
    which = np.mod(np.floor(lane).astype(np.int32), 128)
    part = lane - np.floor(lane)
    open_ = (rng.uniform(0, 1, 128) < 0.7)[which]
    trough = np.sqrt(np.maximum(1 - np.square(part * 2 - 1), 0)) * np.float32(pitch * 0.5)
    height = np.where(open_, -trough, trough * np.float32(0.3))
    walls = np.minimum(part, 1 - part) * np.float32(pitch) < max(pitch * 0.07, 0.8)
    height = np.where(walls, np.float32(pitch * 0.1), height)
    every = pitch * float(rng.uniform(0.35, 1.2))
    along = u / np.float32(every) + rng.uniform(0, 1, 128).astype(np.float32)[which]
    pits = np.hypot((part - 0.5) * pitch, (along - np.floor(along) - 0.5) * every)
    holds = (rng.uniform(0, 1, 128) < rng.uniform(0, 0.6))[which] & open_
    r = min(pitch, every) * float(rng.uniform(0.15, 0.32))
    height += np.where(holds & (pits < r), np.float32(pitch * 0.12), 0) - np.where(
        holds & (pits < r * 0.4), np.float32(pitch * 0.5), 0
    )
    height += fbm(rng, shape, (5 * unit, 5 * unit), gain=0.6) * np.float32(rng.uniform(0.1, 0.6))
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.2:  # a ray
        band = np.abs(u - np.float32(rng.normal(0, 0.25) * shape[1])) < pitch * rng.uniform(0.5, 2.5)
        bricks = cells(rng, shape, scale=pitch * 0.7, jitter=0.9).border
        scene.height = np.where(
            band, np.where(bricks > pitch * 0.1, np.float32(-pitch * 0.6), np.float32(0.5)), scene.height
        )
    if rng.random() < 0.6:
        shreds(rng, scene, walls, int(rng.integers(5, 60)), pitch * float(rng.uniform(0.3, 1.2)))
    return scene


def skin_cells(rng: Rng, shape: Shape, size: float, *, jigsaw: float = 0.25, puff: float = 0.3) -> tuple[Array, Array]:
    """Return the height of a skin of puffed cells with wavy borders, and the distance to the borders."""
    found = cells(
        rng,
        shape,
        scale=size,
        jitter=0.8,
        at=warped(rng, shape, size * 0.75 * jigsaw, size * 0.6),
        stretch=float(rng.uniform(1, 2.5)),
        angle=float(rng.uniform(0, 3.1)),
    )
    part = np.clip(found.border / np.float32(size * 0.4), 0, 1)
    return np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(size * puff), found.border


def _stomata(rng: Rng, scene: Scene, r: float, spacing: float) -> None:
    """Set pores between two lips in a leaf, in place."""
    lean = float(rng.uniform(0, 3.1)) if rng.random() < 0.5 else None
    for y, x in scatter(rng, scene.shape, spacing, margin=r):
        v, u = turned(scene.shape, lean if lean is not None else float(rng.uniform(0, 3.1)), centre=(y, x))
        top, low = max(int(y - 2 * r), 0), int(y + 2 * r) + 1
        left, right = max(int(x - 2 * r), 0), int(x + 2 * r) + 1
        v, u = v[top:low, left:right], u[top:low, left:right]
        if not v.size:
            continue
        part = scene.height[top:low, left:right]
        far = np.hypot(u / np.float32(r), v / np.float32(0.62 * r))
        lips = np.where(far < 1, np.sqrt(np.maximum(1 - np.square(2 * far - 1), 0)) * np.float32(0.45 * r), 0)
        slit = np.hypot(u / np.float32(0.62 * r), v / np.float32(max(0.16 * r, 0.7))) < 1
        mean = np.float32(np.mean(part))
        mix = step(1.25 - far, 0, 0.4)
        part += mix * (mean + lips - part)
        part[slit] -= np.float32(r)


def _leaf(rng: Rng, shape: Shape) -> Scene:
    """Draw the surface of a leaf: jigsaw cells or wax, stomata, hairs."""
    unit = shape[1] / 256
    size = between(rng, 14, 70) * unit
    height, _ = skin_cells(rng, shape, size, jigsaw=rng.uniform(0.05, 0.4), puff=rng.uniform(0.08, 0.4))
    height += smooth(rng, shape, size * 4) * np.float32(size * rng.uniform(0, 0.5))
    scene = Scene(height, np.ones(shape, np.float32))
    if rng.random() < 0.75:
        r = size * float(rng.uniform(0.3, 0.8))
        _stomata(rng, scene, r, max(r * float(rng.uniform(2.6, 6)), 20 * unit))
    wax = rng.random()
    if wax < 0.35:
        grain = between(rng, 1.5, 4) * unit
        scene.height += fbm(rng, shape, grain, octaves=2) * np.float32(rng.uniform(0.2, 0.8))
    elif wax < 0.65:
        v, _ = turned(shape, float(rng.uniform(0, 3.1)))
        waves = np.sin(
            (v + smooth(rng, shape, size) * np.float32(size * 0.2))
            * np.float32(2 * math.pi / between(rng, 2.5, 7) / unit)
        )
        scene.height += waves * np.float32(rng.uniform(0.1, 0.5))
    scene = tilt(scene, float(rng.choice([0, rng.uniform(10, 50)])))
    if rng.random() < 0.35:
        hairs(
            rng,
            scene,
            int(rng.integers(2, 30)),
            size * float(rng.uniform(0.06, 0.18)),
            size * float(rng.uniform(0.8, 3)),
        )
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(3, 60)), size=unit * 1.5)
    return scene


def hairs(
    rng: Rng,
    scene: Scene,
    number: int,
    radius: float,
    length: float,
    *,
    lean: float | None = None,
    on: Array | None = None,
) -> None:
    """Set tapered hairs on a scene in place; ``lean`` is the direction in which they lie, about, ``on`` where they root."""
    paths, radii = [], []
    shape = scene.shape
    lead = float(rng.uniform(0, 6.3)) if lean is None else lean
    roots = rng.uniform(-0.1, 1.1, (number, 2)) * shape
    if on is not None and on.any():
        roots = np.argwhere(on)[rng.integers(0, int(on.sum()), number)].astype(float)
    for y, x in roots:
        angle = float(rng.normal(lead, 0.5))
        t = np.linspace(0, 1, 14)
        long = length * float(np.exp(rng.normal(0, 0.25)))
        turn = angle + t * float(rng.normal(0, 0.7))
        way = np.cumsum(np.column_stack([np.sin(turn), np.cos(turn)]) * long / 14, axis=0)
        row, column = int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
        rise = scene.height[row, column] + radius + t * long * rng.uniform(0.1, 0.7)
        paths.append(np.column_stack([np.array([y, x]) + way, rise]))
        radii.append(np.maximum(radius * float(np.exp(rng.normal(0, 0.15))) * (1 - 0.85 * t**1.5), 0.8))
    material = scene.yields
    scene.material = material
    tubes(scene.height, paths, radii, material=material, values=rng.uniform(0.95, 1.25, number))


def _hairy(rng: Rng, shape: Shape) -> Scene:
    """Draw a coat of hairs: a woolly leaf, a bud, root hairs, moss."""
    unit = shape[1] / 256
    size = between(rng, 14, 40) * unit
    height, _ = skin_cells(rng, shape, size)
    scene = Scene(height - np.float32(4), np.full(shape, 0.8, np.float32))
    radius = between(rng, 1.0, 6) * unit
    scene = tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))
    hairs(rng, scene, int(np.clip(200 / radius**1.2, 12, 110)), radius, between(rng, 25, 120) * unit)
    return scene


def _petal(rng: Rng, shape: Shape) -> Scene:
    """Draw a petal: a cone or a dome on each cell, with fine ridges that run up to its top."""
    unit = shape[1] / 256
    size = between(rng, 12, 60) * unit
    found = cells(rng, shape, scale=size, jitter=rng.uniform(0.2, 0.7), at=warped(rng, shape, size * 0.08, size))
    far = np.clip(found.distance / np.float32(size * 0.62), 0, 1)
    power = float(rng.uniform(0.9, 2.2))
    height = (1 - far**power) * np.float32(size * rng.uniform(0.25, 1.1)) * step(found.border, size * 0.06, size * 0.12)
    stripe = np.cos(found.distance * np.float32(2 * math.pi / max(size * 0.09, 2.2)) + smooth(rng, shape, size) * 3)
    lines = np.cos(fbm(rng, shape, size * 0.6, octaves=2) * np.float32(rng.uniform(4, 12)))
    height += (stripe if rng.random() < 0.3 else lines) * np.float32(size * rng.uniform(0.0, 0.025))
    height += smooth(rng, shape, size * 5) * np.float32(size * 0.5)
    return tilt(
        Scene(height.astype(np.float32), np.ones(shape, np.float32)), float(rng.choice([0, rng.uniform(15, 50)]))
    )


def _seed(rng: Rng, shape: Shape) -> Scene:
    """Draw a seed coat or a fruit skin: a net of raised walls with sunken, wrinkled fields."""
    unit = shape[1] / 256
    size = between(rng, 12, 60) * unit
    found = cells(
        rng,
        shape,
        scale=size,
        jitter=0.7,
        at=warped(rng, shape, size * rng.uniform(0.03, 0.2), size * 0.5),
        stretch=float(rng.uniform(1, 2.5)),
        angle=float(rng.uniform(0, 3.1)),
    )
    wall = np.float32(size * rng.uniform(0.05, 0.16))
    ridge = np.sqrt(np.maximum(1 - np.square(found.border / wall), 0)) * wall
    sunk = -(np.clip(found.border / np.float32(size * 0.4), 0, 1) ** 0.5) * np.float32(size * rng.uniform(0.05, 0.4))
    wrinkles = ridged(rng, shape, size * 0.35, octaves=3) * np.float32(size * rng.uniform(0.0, 0.15))
    height = ridge + sunk + wrinkles + smooth(rng, shape, size * 4) * np.float32(size * 0.4)
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.4:  # the seed is round and ends in the field
        v, u = turned(shape, float(rng.uniform(0, 3)), centre=tuple(rng.uniform(0.2, 0.8, 2) * shape))
        far = np.hypot(
            u / np.float32(shape[1] * rng.uniform(0.35, 0.7)), v / np.float32(shape[1] * rng.uniform(0.3, 0.6))
        )
        scene.height += np.sqrt(np.maximum(1 - far * far, 0)) * np.float32(shape[1] * 0.25)
        behind = backdrop(rng, shape, void=0.5)
        scene.height = np.where(far < 1, scene.height, behind.height - 20)
        scene.material = np.where(far < 1, scene.yields, behind.yields)
    return scene


def _spongy(rng: Rng, shape: Shape) -> Scene:
    """Draw a leaf broken across: a skin, upright cells under it, loose round cells with air between, a vein."""
    unit = shape[1] / 256
    r = between(rng, 6, 20) * unit
    v, u = turned(shape, float(rng.normal(0, 0.15)))
    scene = Scene(np.full(shape, -3 * r, np.float32), np.full(shape, 0.8, np.float32))
    material = scene.yields
    top = -0.38 * shape[0]
    points = scatter(rng, shape, r * 1.6, margin=r)
    for y, x in points:
        if y < shape[0] * 0.14:
            continue
        upright = y < shape[0] * rng.uniform(0.35, 0.5)
        body = ellipsoid(
            r * (2.0 if upright else 1.1),
            r * 0.8,
            r * 0.8,
            math.pi / 2 if upright else float(rng.uniform(0, 3)),
            sunk=1.0,
        )
        stamp_max(scene.height, body, y, x, base=float(rng.normal(-0.6, 0.9)) * r, material=material, value=1.0)
    scene.height += fbm(rng, shape, r * 0.4) * np.float32(r * 0.04)
    edge = v - top + smooth(rng, shape, 50 * unit) * np.float32(2)
    bricks = np.abs(np.mod(u / np.float32(r * 2.4), 1) - 0.5) * 2
    skin = (edge > 0) & (edge < r * 1.5)
    scene.height = np.where(
        skin,
        np.where(bricks > 0.85, np.float32(r), np.float32(-0.4 * r)) + fbm(rng, shape, 6 * unit) * 0.4,
        scene.height,
    )
    scene.height = np.where(edge < 0, np.float32(-40), scene.height)
    scene.material = np.where(edge < 0, np.float32(rng.uniform(0.1, 0.5)), material)
    if rng.random() < 0.6:
        stamp_max(
            scene.height,
            lump(rng, r * float(rng.uniform(2, 4))),
            shape[0] * 0.7,
            shape[1] * float(rng.uniform(0.2, 0.8)),
            base=0.0,
        )
        shreds(rng, scene, scene.height > 0, int(rng.integers(5, 50)), r)
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("wood along the grain", _wood, (50e-6, 1e-3)),
    ("leaf", _leaf, (40e-6, 1e-3)),
    ("hairs of a plant", _hairy, (100e-6, 3e-3)),
    ("petal", _petal, (60e-6, 800e-6)),
    ("seed coat", _seed, (60e-6, 2e-3)),
    ("leaf broken across", _spongy, (100e-6, 800e-6)),
]
"""Name, drawing, width of the field in metres."""
