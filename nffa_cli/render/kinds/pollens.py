"""Pollen grains of many plants, alone, in clumps and in heaps, where they are found; sub-kinds of `biological`.

Round and alike as they are, they are no particles: spines that stand on the whole body, nets, furrows, bladders, bodies
that collapsed, and the flower, the leg or the tape that they lie on.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import hairs, skin_cells
from nffa_cli.render.pores import backdrop, between, crossings, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    fbm,
    ridged,
    rotation,
    scatter,
    smooth,
    stamp_max,
    step,
    tilt,
    tubes,
    turned,
)

Rng = np.random.Generator
SORTS = {
    "long spines": 4.0,
    "short spines": 2.0,
    "knobs": 1.0,
    "net": 2.0,
    "furrows": 2.0,
    "pores": 1.0,
    "collapsed": 1.5,
    "bladders": 1.0,
    "triangle": 0.7,
    "four together": 0.7,
}
"""What grains look like → how often."""
Grain = tuple[Array, list[Array], list[Array]]
"""A patch, its middle at height 0, and the paths and radii of the spines on it."""


def _spines(rng: Rng, r: float, sort: str) -> tuple[list[Array], list[Array]]:
    """Return paths and radii of the spines of a grain of radius ``r``: cones, clubs, needles or knobs."""
    if sort == "long spines":
        number, long, foot = int(rng.integers(36, 130)), float(rng.uniform(0.18, 0.5)), float(rng.uniform(0.75, 1.35))
    elif sort == "short spines":
        number, long, foot = int(rng.integers(90, 260)), float(rng.uniform(0.05, 0.14)), float(rng.uniform(0.5, 1.0))
    else:
        number, long, foot = int(rng.integers(60, 220)), float(rng.uniform(0.04, 0.12)), float(rng.uniform(1.0, 1.4))
    t = np.linspace(0, 1, 6)
    profile = np.array(
        {
            0: [1, 0.7, 0.5, 0.36, 0.25, 0.08],  # cone on a foot
            1: [1, 0.8, 0.62, 0.5, 0.42, 0.3],  # blunt
            2: [1, 0.45, 0.32, 0.26, 0.2, 0.1],  # needle
            3: [0.8, 0.8, 0.85, 0.95, 0.95, 0.6],  # club
        }[3 if sort == "knobs" else int(rng.choice([0, 0, 1, 2]))]
    )
    width = r * 1.9 / math.sqrt(number) * foot * 0.5 * profile
    turn = np.arange(number) * 2.39996 + rng.normal(0, 0.2, number)
    z = 1 - (np.arange(number) + 0.5) / number * 2
    out = np.sqrt(np.maximum(1 - z * z, 0))
    ways = np.column_stack([out * np.sin(turn), out * np.cos(turn), z]) @ rotation(rng).T
    ways = ways[ways[:, 2] > -0.35]
    paths, radii = [], []
    for way in ways:
        bend = np.square(t)[:, None] * rng.normal(0, 0.08, 3) * long
        height = long * float(np.exp(rng.normal(0, 0.12)))
        paths.append(r * (way * (0.92 + t[:, None] * height) + bend))
        radii.append(np.maximum(width * float(np.exp(rng.normal(0, 0.1))), 0.45))
    return paths, radii


def _grain(rng: Rng, r: float, sort: str) -> Grain:
    """Return a grain of radius ``r`` seen from a random side."""
    half = math.ceil(r * 1.45)
    at = np.arange(-half, half + 1, dtype=np.float32) / np.float32(r)
    shape = (len(at), len(at))
    lie = float(rng.uniform(0, 3.1))
    squeeze = 1.0 if "spines" in sort else float(rng.choice([1.0, rng.uniform(0.55, 0.95)]))
    v = (at[:, None] * math.cos(lie) - at[None, :] * math.sin(lie)) / np.float32(squeeze)
    u = at[None, :] * math.cos(lie) + at[:, None] * math.sin(lie)
    wobble = smooth(rng, shape, r) * np.float32(rng.uniform(0.0, 0.06))
    far = np.sqrt(u * u + v * v) + wobble
    if sort == "triangle":
        far = far * (1 + np.float32(0.16) * np.cos(3 * np.arctan2(v, u)))
    z = np.sqrt(np.maximum(1 - far * far, 0))
    top = z * np.float32(squeeze)
    if sort == "bladders":
        for s in (-1, 1):
            ball_ = np.square((u - 0.85 * s) / 0.55) + np.square((v + 0.25) / 0.62)
            top = np.maximum(top, np.sqrt(np.maximum(1 - ball_, 0)) * np.float32(0.6))
    elif sort == "four together":
        top = np.zeros(shape, np.float32)
        for k in range(4):
            y, x, up = (0, 0, 0.35) if k == 3 else (0.55 * math.sin(k * 2.094), 0.55 * math.cos(k * 2.094), 0.0)
            one = np.square(u - np.float32(x)) + np.square(v - np.float32(y))
            top = np.maximum(top, np.sqrt(np.maximum(0.42 - one, 0)) + np.float32(up) * (one < 0.42))
    there = top > 0.02
    turn = rotation(rng).astype(np.float32)
    a, b, c = (turn[k, 0] * u + turn[k, 1] * v + turn[k, 2] * z for k in range(3))
    paths, radii = _spines(rng, r, sort) if sort in ("long spines", "short spines", "knobs") else ([], [])
    if sort in ("net", "bladders") or (sort in ("four together", "furrows", "triangle") and rng.random() < 0.4):
        size = r * float(rng.uniform(0.08, 0.3)) + 1.5
        spread = np.float32(r) * np.arcsin(np.clip(far, 0, 0.99)) / np.maximum(far, 0.05)
        net = cells(rng, shape, scale=size, jitter=0.8, at=(v * spread, u * spread)).border
        top = top + step(size * 0.18 - net, 0, size * 0.14) * np.float32(size * 0.4 / r)
    else:
        grain = fbm(rng, shape, max(r * float(rng.uniform(0.08, 0.3)), 2))
        top = top + grain * np.float32(rng.uniform(0.003, 0.02))
    if sort == "furrows" or (sort == "net" and rng.random() < 0.6):
        number, wide = int(rng.choice([1, 3, 3, 3, 6])), float(rng.uniform(0.06, 0.2))
        around = np.arctan2(b, a)
        part = np.abs(np.mod(around * number / (2 * math.pi), 1) - 0.5) * np.float32(2 * math.pi / number)
        cut = np.clip(1 - part * np.sqrt(np.maximum(1 - c * c, 0)) / wide, 0, 1) * step(0.85 - np.abs(c), 0, 0.2)
        top = top - cut * np.float32(rng.uniform(0.12, 0.35))
    if sort == "pores":
        number = int(rng.choice([1, 3, 20, 40]))
        turns = np.arange(number) * 2.39996
        level = 1 - (np.arange(number) + 0.5) / number * 2 if number > 3 else np.zeros(number)
        if number <= 3:
            turns = np.arange(number) * 2.094
        size = float(rng.uniform(0.08, 0.16)) * (1.3 if number <= 3 else 1)
        for angle, h in zip(turns, level, strict=True):
            flat = math.sqrt(1 - h * h)
            near = np.sqrt(np.maximum(2 - 2 * (a * flat * math.cos(angle) + b * flat * math.sin(angle) + c * h), 0))
            top = top - step(size - near, 0, 0.03) * np.float32(0.12)
            top = top + np.exp(-np.square((near - 1.2 * size) / 0.04)) * np.float32(0.04)
    if sort == "collapsed" or rng.random() < 0.15:
        dent = np.maximum(smooth(rng, shape, r * float(rng.uniform(0.6, 1.3))) + 0.3, 0)
        folds = ridged(rng, shape, r * 0.6, octaves=2)
        top = top - z * (dent * np.float32(rng.uniform(0.15, 0.5)) + folds * np.float32(rng.uniform(0, 0.25)))
    return np.where(there, top * np.float32(r), -np.inf).astype(np.float32), paths, radii


def _bed(rng: Rng, shape: Shape, r: float) -> Scene:
    """Draw what pollen lies on: nothing far below, tape, the skin of a petal, papillae of a stigma, a wrinkled anther."""
    kind = rng.random()
    if kind < 0.35:
        height = smooth(rng, shape, 3 * r) * np.float32(r) - np.float32(5 * r)
        rags = step(smooth(rng, shape, 1.5 * r), 1.0, 0.5) * np.float32(rng.uniform(0, 0.15))
        return Scene(height, (np.float32(rng.uniform(0.04, 0.22)) + rags).astype(np.float32))
    if kind < 0.55:
        scene = backdrop(rng, shape)
        scene.height -= np.float32(np.median(scene.height) + r)
        scene.material = scene.yields * np.float32(rng.uniform(0.3, 0.9))
        return scene
    size = r * between(rng, 0.25, 1.2)
    if kind < 0.75:
        height, _ = skin_cells(rng, shape, size, jigsaw=rng.uniform(0.03, 0.2), puff=rng.uniform(0.2, 0.7))
    elif kind < 0.87:
        height = ridged(rng, shape, size, octaves=3) * np.float32(0.5 * r)
    else:
        found = cells(rng, shape, scale=size, jitter=0.7)
        height = np.sqrt(np.maximum(1 - np.square(found.distance / (0.6 * size)), 0)) * np.float32(size)
        height += found.values(rng.normal(0, 0.4 * size, found.count)).astype(np.float32)
    height = height + smooth(rng, shape, 3 * r) * np.float32(r * 0.8) - np.float32(r)
    return Scene(height.astype(np.float32), np.full(shape, rng.uniform(0.5, 1.0), np.float32))


def _organ(rng: Rng, scene: Scene, r: float) -> None:
    """Put a big part of the flower into the field, in place: an anther or a stigma of puffed cells, round, from an edge."""
    shape = scene.shape
    big = shape[1] * between(rng, 0.22, 0.7)
    away = float(rng.uniform(0, 6.3))
    y, x = np.array([0.5, 0.5]) * shape + np.array([math.sin(away), math.cos(away)]) * (
        np.array(shape) * 0.45 + big * rng.uniform(-0.2, 0.35)
    )
    v, u = turned(shape, float(rng.uniform(0, 3.1)), centre=(float(y), float(x)))
    far = np.hypot(v, u * np.float32(rng.uniform(0.4, 1))) / np.float32(big)
    far = far + smooth(rng, shape, big) * np.float32(0.06)
    size = r * between(rng, 0.15, 0.7) + 2
    how = rng.random()
    if how < 0.65:
        knobs, _ = skin_cells(rng, shape, size, jigsaw=0.08, puff=rng.uniform(0.3, 0.8))
    else:
        knobs = ridged(rng, shape, size * 2, octaves=3) * np.float32(size)
    dome = np.sqrt(np.maximum(1 - np.square(far), 0)) * np.float32(big * 0.8) - np.float32(2.5 * r) + knobs
    higher = (far < 1) & (dome > scene.height)
    scene.height = np.where(higher, dome, scene.height).astype(np.float32)
    scene.material = np.where(higher, np.float32(rng.uniform(0.75, 1.05)), scene.yields).astype(np.float32)


def _put(rng: Rng, scene: Scene, points: Array, r: float, sort: str, *, pile: float = 0.0) -> None:
    """Lay grains at ``points`` (N, 2), in place; ``pile`` lets them lie on each other."""
    models = [_grain(rng, r * float(np.exp(rng.normal(0, 0.07))), sort) for _ in range(1 if r > 40 else 3)]
    material = scene.yields
    scene.material = material
    paths, radii = [], []
    for k, (y, x) in enumerate(points):
        body, spines, widths = models[k % len(models)]
        row, column = int(np.clip(y, 0, scene.shape[0] - 1)), int(np.clip(x, 0, scene.shape[1] - 1))
        under = float(scene.height[row, column])
        base = max(under, -1.5 * r) + (pile if under > 0 and pile else 0.6) * r
        stamp_max(scene.height, body, y, x, base=base, material=material, value=1.03)
        paths += [one + np.array([y, x, base]) for one in spines]
        radii += widths
    if paths:
        tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), float(rng.uniform(1.0, 1.15))))


def _sort(rng: Rng) -> str:
    weights = np.array(list(SORTS.values()))
    return str(rng.choice(list(SORTS), p=weights / weights.sum()))


def _close(rng: Rng, shape: Shape) -> Scene:
    """Draw one to four large grains with a part of the flower, dark depth behind."""
    r = between(rng, 0.1, 0.32) * shape[1]
    scene = _bed(rng, shape, r * 0.6)
    if rng.random() < 0.6:
        _organ(rng, scene, r * 0.5)
    number = 1 if r > 0.24 * shape[1] else int(rng.integers(1, 5))
    heart = rng.uniform(0.25, 0.75, 2)
    way = rng.normal(0, 1, 2)
    points = (heart + np.zeros((number, 2))) * shape
    for k in range(1, number):
        turn = math.atan2(way[0], way[1]) + float(rng.normal(0, 0.6))
        points[k] = points[k - 1] + np.array([math.sin(turn), math.cos(turn)]) * r * rng.uniform(1.3, 2.3)
    sort = "long spines" if rng.random() < 0.35 else _sort(rng)
    _put(rng, scene, points, r, sort)
    _strands(rng, scene, r)
    return scene


def _clump(rng: Rng, shape: Shape) -> Scene:
    """Draw a clump of grains that hang together, on or beside a part of the flower."""
    r = between(rng, 0.035, 0.11) * shape[1]
    scene = _bed(rng, shape, r)
    for _ in range(int(rng.integers(0, 3))):
        _organ(rng, scene, r)
    number = int(rng.integers(4, 16))
    points = [rng.uniform(0.2, 0.8, 2) * shape]
    for _ in range(number):
        turn = float(rng.uniform(0, 6.3))
        near = points[int(rng.integers(len(points)))]
        points.append(near + np.array([math.sin(turn), math.cos(turn)]) * r * rng.uniform(1.4, 2.4))
    _put(rng, scene, np.array(points), r, _sort(rng), pile=0.5)
    _strands(rng, scene, r)
    return scene


def _mass(rng: Rng, shape: Shape) -> Scene:
    """Draw many grains: all over an open anther, or strewn on tape; a few of another plant, shreds among them."""
    r = between(rng, 0.02, 0.075) * shape[1]
    scene = _bed(rng, shape, r)
    dense = rng.random() < 0.55
    points = scatter(rng, shape, r * float(rng.uniform(1.5, 2.0) if dense else rng.uniform(2.2, 5)), margin=r)
    if dense and rng.random() < 0.6:
        field = smooth(rng, shape, shape[1] * 0.4)
        at = np.clip(points.astype(int), 0, np.array(shape) - 1)
        points = points[field[at[:, 0], at[:, 1]] > rng.uniform(-1.2, 0.3)]
    points = points[:90]
    sort = _sort(rng)
    if r < 0.04 * shape[1] and "spines" in sort:
        points = points[:36]
    _put(rng, scene, points, r, sort, pile=0.4)
    if rng.random() < 0.3 and len(points):
        _put(
            rng, scene, rng.uniform(0, 1, (int(rng.integers(1, 6)), 2)) * shape, r * between(rng, 0.5, 1.6), _sort(rng)
        )
    _strands(rng, scene, r)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


def _strands(rng: Rng, scene: Scene, r: float) -> None:
    """Lay sticky threads, hairs of the flower and crumbs over a scene, in place."""
    shape = scene.shape
    if rng.random() < 0.25:
        number = int(rng.integers(2, 12))
        lines = crossings(rng, shape, rng.uniform(0, 3.1, number), bend=0.4, period=r * 3 + 20)
        lifted = [np.column_stack([p, np.full(len(p), float(rng.uniform(-0.5, 0.7)) * r)]) for p in lines]
        material = scene.yields
        tubes(scene.height, lifted, [max(0.03 * r, 0.5)] * number, material=material, values=np.full(number, 1.1))
        scene.material = material
    if rng.random() < 0.2:
        hairs(rng, scene, int(rng.integers(2, 10)), r * float(rng.uniform(0.08, 0.3)), r * float(rng.uniform(2, 7)))
    if rng.random() < 0.45:
        dust(scene, rng, number=int(rng.integers(5, 90)), size=max(r * float(rng.uniform(0.02, 0.07)), 0.8))


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("pollen close by", _close, (20e-6, 300e-6)),
    ("pollen in clumps", _clump, (60e-6, 800e-6)),
    ("pollen in mass", _mass, (80e-6, 1e-3)),
]
"""Name, drawing, width of the field in metres."""
