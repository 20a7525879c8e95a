"""Single thick fibres and bundles of them: tows, broken composites, cut ends, grooved and scaled ones; of `fibres`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.pores import backdrop, between, crossing, crossings, dust, line
from nffa_cli.render.scene import (
    Array,
    Scene,
    Seen,
    Shape,
    cells,
    fbm,
    scatter,
    smooth,
    step,
    tilt,
    tubes,
)

Rng = np.random.Generator


def raised(path: Array, z: float | Array) -> Array:
    """Give a path its heights."""
    return np.column_stack([path, np.broadcast_to(z, len(path))])


def behind(shape: Shape, radius: float, deep: float, rng: Rng) -> Scene:
    """Draw what lies behind a thick mat: nearly nothing."""
    return Scene(np.full(shape, -radius * (deep + 3), np.float32), np.full(shape, rng.uniform(0.25, 0.7), np.float32))


def skin(rng: Rng, scene: Scene, seen: Seen, radius: float) -> None:
    """Give fibres a surface: lengthwise grooves, rough, or smooth."""
    there = seen.index >= 0
    chosen = rng.integers(4)
    if chosen == 0:
        turns = np.arcsin(np.clip(seen.across, -1, 1)) * np.float32(rng.uniform(3, 9)) + seen.along * np.float32(
            rng.normal(0, 0.02)
        )
        scene.height += np.where(there, np.cos(turns) * np.float32(radius * rng.uniform(0.02, 0.07)), np.float32(0))
    elif chosen == 1:
        grain = fbm(rng, scene.shape, max(radius * 0.5, 2.0)) * np.float32(radius * rng.uniform(0.02, 0.07))
        scene.height += np.where(there, grain, np.float32(0))


def _scaled(rng: Rng, shape: Shape) -> Scene:
    """Wool: a thick fibre or a few, with scales whose rims stand out."""
    scene = backdrop(rng, shape, void=0.5)
    if float(np.median(scene.height)) < -50:
        scene.height += np.float32(shape[1] * 0.6)
    radius = between(rng, 9, 60) * shape[1] / 256
    number = 1 + int(rng.integers(0, max(int(70 / radius), 1)))
    lead = float(rng.uniform(0, math.pi))
    central = 0.12 if number == 1 else 0.4
    paths = [
        crossing(rng, shape, float(rng.normal(lead, 0.4)), bend=0.06, period=100, central=central)
        for _ in range(number)
    ]
    heights = np.sort(rng.uniform(0, radius * 1.5, number))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, [raised(p, z) for p, z in zip(paths, heights, strict=True)], [radius] * number,
                 material=material, values=rng.uniform(0.9, 1.2, number))  # fmt: skip
    there = seen.index >= 0
    angle = np.arcsin(np.clip(seen.across, -0.999, 0.999))
    pitch = radius * float(rng.uniform(0.35, 0.9))
    wavy = seen.along + smooth(rng, shape, radius * 0.7) * np.float32(pitch * rng.uniform(0.05, 0.22))
    tilted = wavy + angle * np.float32(radius * rng.normal(0, 0.3))
    if rng.random() < 0.6:
        found = cells(rng, shape, scale=pitch, jitter=0.7, at=(angle * np.float32(radius * 0.5), tilted))
        rim = step(found.border, pitch * 0.1, pitch * 0.15)
        relief = rim * np.float32(0.4) + np.mod(found.label * 0.377, 1).astype(np.float32) * np.float32(0.4)
    else:
        relief = np.mod(tilted / np.float32(pitch), 1)
    scene.height += np.where(there, relief * np.float32(pitch * rng.uniform(0.05, 0.14)), np.float32(0))
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(5, 40)), size=max(radius * 0.06, 1.0), on=there)
    return scene


def _tow(rng: Rng, shape: Shape) -> Scene:
    """Carbon or glass: a bundle of parallel filaments of one width, some broken."""
    radius = between(rng, 2.2, 18.0) * shape[1] / 256
    lead = float(rng.uniform(0, math.pi))
    scene = behind(shape, radius, 3, rng)
    number = int(np.clip(2.2 * 270 / (2 * radius), 8, 110))
    paths, values = [], []
    reach = math.hypot(*shape) / 2
    off = rng.uniform(-reach, reach, number)[:, None] * np.array([math.cos(lead), -math.sin(lead)])
    through = np.array(shape) / 2 + off
    for path in crossings(rng, shape, rng.normal(lead, 0.03, number), bend=0.012, period=150, through=through):
        if rng.random() < 0.18:
            cut = int(rng.integers(5, max(len(path) - 5, 6)))
            path = path[:cut] if rng.random() < 0.5 else path[cut:]  # broken
        if len(path) < 3:
            continue
        paths.append(raised(path, rng.uniform(-3, 0) * radius + rng.normal(0, 0.3 * radius)))
        values.append(float(rng.uniform(0.85, 1.15)))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, [radius] * len(paths), material=material, values=values)
    skin(rng, scene, seen, radius)
    if rng.random() < 0.5:  # resin that was left, or size
        left = smooth(rng, shape, radius * 9) + np.float32(0.3) * smooth(rng, shape, radius * 2) > rng.uniform(0.5, 1.6)
        resin = fbm(rng, shape, radius * 3) * np.float32(0.4 * radius)
        scene.height = np.where(left, np.maximum(scene.height, resin), scene.height)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 60)), size=max(radius * 0.2, 0.8))
    return scene


def _fracture(rng: Rng, shape: Shape) -> Scene:
    """Draw a broken composite seen along its fibres: ends that stand out, and holes where fibres were pulled out."""
    radius = between(rng, 3.5, 18.0) * shape[1] / 256
    rough = fbm(rng, shape, radius * 5, octaves=5, gain=0.55)
    scene = Scene(rough * np.float32(radius * rng.uniform(0.3, 1.2)), np.full(shape, rng.uniform(0.7, 1.1), np.float32))
    material = scene.yields
    spacing = radius * float(rng.uniform(2.15, 3.5))
    high = float(rng.uniform(1, 5))
    base = scene.height.copy()
    for y, x in scatter(rng, shape, spacing, margin=radius * 4):
        lift = float(rng.normal(0.3, high)) * radius
        r = radius * float(np.exp(rng.normal(0, 0.06)))
        top = base[int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))] + lift
        rows = slice(max(int(y - r - 1), 0), max(int(y + r + 2), 0))
        columns = slice(max(int(x - r - 1), 0), max(int(x + r + 2), 0))
        if not scene.height[rows, columns].size:
            continue
        dy = np.arange(rows.start, min(rows.stop, shape[0]), dtype=np.float32)[:, None] - y
        dx = np.arange(columns.start, min(columns.stop, shape[1]), dtype=np.float32)[None, :] - x
        inside = np.square(dy) + np.square(dx) < r * r
        slant = float(rng.normal(0, 0.12)) * dy + float(rng.normal(0, 0.12)) * dx
        scene.height[rows, columns][inside] = (np.float32(top) + slant)[inside]
        material[rows, columns][inside] *= np.float32(1.1 if lift > 0 else 0.5)
    scene.material = material
    return tilt(scene, float(rng.uniform(0, 50)))


def _ends(rng: Rng, shape: Shape) -> Scene:
    """Draw a bundle cut across: round, hollow, lobed or polygonal ends side by side."""
    radius = between(rng, 5.0, 34.0) * shape[1] / 256
    deep = -radius * float(rng.uniform(1.2, 3))
    height = np.full(shape, deep, np.float32)
    material = np.full(shape, rng.uniform(0.2, 0.9), np.float32)
    hollow = float(rng.choice([0, 0, rng.uniform(0.3, 0.75)]))
    lobes, lobed = int(rng.integers(2, 6)), float(rng.choice([0, 0, rng.uniform(0.05, 0.3)]))
    squash = float(rng.uniform(0.5, 1.0)) if rng.random() < 0.3 else 1.0
    half = math.ceil(radius * 1.4)
    at = np.arange(-half, half + 1, dtype=np.float32)
    y, x = at[:, None], at[None, :]
    for cy, cx in scatter(
        rng, shape, radius * float(rng.uniform(2.0, 2.5)), float(rng.uniform(0.2, 0.6)), margin=radius
    ):
        turn, r = float(rng.uniform(0, 6.3)), radius * float(np.exp(rng.normal(0, 0.1)))
        u, v = x * math.cos(turn) + y * math.sin(turn), (y * math.cos(turn) - x * math.sin(turn)) / squash
        far = np.hypot(u, v) / (r * (1 + lobed * np.cos(lobes * np.arctan2(v, u))))
        top = np.float32(rng.normal(0, 0.5) * radius) + float(rng.normal(0, 0.1)) * x + float(rng.normal(0, 0.1)) * y
        body = np.where(far < 1, top - np.float32(0.1 * r) * far**6, np.float32(-1e9))
        if hollow:
            body = np.where(far < hollow, np.float32(deep), body)
        tops = [slice(max(round(cy) - half, 0), min(round(cy) + half + 1, shape[0])),
                slice(max(round(cx) - half, 0), min(round(cx) + half + 1, shape[1]))]  # fmt: skip
        view = height[tops[0], tops[1]]
        if not view.size:
            continue
        oy, ox = tops[0].start - round(cy) + half, tops[1].start - round(cx) + half
        part = body[oy : oy + view.shape[0], ox : ox + view.shape[1]]
        material[tops[0], tops[1]][part > view] = rng.uniform(0.85, 1.1)
        np.maximum(view, part, out=view)
    if rng.random() < 0.35:  # embedded and polished
        height = np.where(height > deep * 0.9, np.float32(0), np.float32(-1)) + fbm(rng, shape, 9) * np.float32(0.05)
    height += fbm(rng, shape, radius * 0.7, octaves=3) * np.float32(radius * 0.02)
    return tilt(Scene(height, material), float(rng.choice([0, rng.uniform(10, 45)])))


def _grooved(rng: Rng, shape: Shape) -> Scene:
    """One man-made or plant fibre, close: lengthwise grooves, pits, cracks, a rough skin."""
    scene = backdrop(rng, shape, void=0.6)
    if float(np.median(scene.height)) < -50:
        scene.height += np.float32(shape[1] * 0.5)
    radius = between(rng, 18, 90) * shape[1] / 256
    path = crossing(rng, shape, float(rng.uniform(0, math.pi)), bend=0.04, period=150, central=0.1)
    paths, radii = [raised(path, 0.0)], [radius]
    if rng.random() < 0.4:
        paths.append(raised(crossing(rng, shape, float(rng.uniform(0, math.pi)), bend=0.05), radius * 1.2))
        radii.append(radius * float(rng.uniform(0.3, 0.8)))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, radii, material=material, values=[1.0, 1.05][: len(paths)])
    there = seen.index >= 0
    angle = np.arcsin(np.clip(seen.across, -0.999, 0.999)) * np.float32(radius)
    lines = line(rng, 1024, between(rng, 3, 24))
    row = np.clip(angle + seen.along * np.float32(rng.normal(0, 0.01)) + 512, 0, 1023).astype(np.int32)
    relief = lines[row] * np.float32(between(rng, 0.1, 1.5))
    relief = relief + fbm(rng, shape, radius * 0.15) * np.float32(rng.uniform(0, 0.6))
    scene.height += np.where(there, relief, np.float32(0))
    dust(scene, rng, number=int(rng.integers(0, 40)), size=max(radius * 0.03, 0.8), on=there)
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("scaled", _scaled, (30e-6, 300e-6)),
    ("tow", _tow, (20e-6, 500e-6)),
    ("composite fracture", _fracture, (30e-6, 500e-6)),
    ("cut ends", _ends, (20e-6, 1e-3)),
    ("one, close", _grooved, (15e-6, 200e-6)),
]
"""Name, drawing, width of the field in metres."""
