"""Single organs and single cells in their surroundings: spread cells, heads of insects, stalks, glands; of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import hairs, shreds, skin_cells
from nffa_cli.render.pores import backdrop, between, crossing, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    ellipsoid,
    fbm,
    ridged,
    smooth,
    stamp_all,
    stamp_max,
    step,
    tilt,
    tubes,
    turned,
)

Rng = np.random.Generator


def _outline(rng: Rng, shape: Shape, y: float, x: float, r: float, arms: int, reach: float) -> tuple[Array, Array]:
    """Return how far inside of a star-like body a pixel is (1 at its middle, below 0 outside), and the arms' angles."""
    v, u = turned(shape, 0.0, centre=(y, x))
    angle, far = np.arctan2(v, u), np.hypot(v, u)
    at = np.sort(rng.uniform(0, 2 * math.pi, arms))
    edge = np.full(shape, np.float32(0.55))
    for a in at:
        off = np.abs(np.mod(angle - a + math.pi, 2 * math.pi) - math.pi)
        edge = np.maximum(
            edge, np.float32(reach * rng.uniform(0.6, 1.1)) * np.exp(-off * np.float32(rng.uniform(2.2, 6)))
        )
    edge = edge * (1 + np.float32(0.06) * smooth(rng, shape, r * 0.2))
    return 1 - far / (np.float32(r) * edge), at


def _spread(rng: Rng, shape: Shape) -> Scene:
    """Draw cells in culture: a thin veil with ruffled edges, a raised middle, arms, many long threads to the ground."""
    unit = shape[1] / 256
    r = between(rng, 32, 150) * unit
    scene = backdrop(rng, shape)
    material = scene.yields.astype(np.float32, copy=True)
    scene.height = scene.height.astype(np.float32, copy=True)
    number = 1 if r > 70 * unit else int(rng.integers(1, 5))
    paths, radii = [], []
    for _ in range(number):
        y, x = (rng.normal(0.5, 0.12 if number == 1 else 0.27, 2)) * shape
        inside, _ = _outline(rng, shape, y, x, r, int(rng.integers(2, 8)), float(rng.uniform(0.9, 2.0)))
        veil = np.sqrt(np.clip(inside * 4, 0, 1)) * np.float32(r * rng.uniform(0.02, 0.06))
        core = np.exp(-np.square((1 - np.clip(inside, 0, 1)) / np.float32(rng.uniform(0.35, 0.7)))) * np.float32(
            r * rng.uniform(0.1, 0.5)
        )
        folds = ridged(rng, shape, r * float(rng.uniform(0.12, 0.4)), octaves=3) * np.float32(
            r * rng.uniform(0.0, 0.07)
        )
        fine = fbm(rng, shape, 3 * unit, octaves=2) * np.float32(rng.uniform(0, 0.5))
        on = inside > 0
        scene.height = np.where(on, np.maximum(scene.height, veil + core + folds + fine), scene.height)
        material[on] = np.float32(rng.uniform(0.85, 1.25))
        rim = on & (inside < 0.06)
        rows, columns = np.nonzero(rim)
        if not len(rows):
            continue
        for k in rng.integers(0, len(rows), int(rng.integers(15, 90))):
            way = np.array([rows[k] - y, columns[k] - x])
            way = way / max(float(np.hypot(*way)), 1e-3)
            turn = float(rng.normal(0, 0.45))
            way = np.array(
                [way[0] * math.cos(turn) - way[1] * math.sin(turn), way[1] * math.cos(turn) + way[0] * math.sin(turn)]
            )
            t = np.linspace(-0.1, 1, 10)[:, None]
            long = r * float(np.exp(rng.normal(-1.2, 0.6)))
            line = np.array([rows[k], columns[k]]) + t * long * way + np.square(t) * rng.normal(0, 0.12, 2) * long
            paths.append(np.column_stack([line, np.linspace(0.03 * r, 0.4, 10)]))
            radii.append(np.linspace(1, 0.5, 10) * max(r * float(rng.uniform(0.006, 0.02)), 0.6))
    if paths:
        tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.15))
    scene.material = material
    if rng.random() < 0.6:  # villi and scraps on the cells
        rows, columns = np.nonzero(material > np.median(material) * 1.02)
        if len(rows):
            pick = rng.integers(0, len(rows), int(rng.integers(20, 260)))
            dots = [ellipsoid(q, q, q, sunk=0.4) for q in np.maximum(r * rng.uniform(0.008, 0.03, 5), 0.7)]
            stamp_all(scene.height, dots, np.stack([rows[pick], columns[pick]], axis=1).astype(float), base=None)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(15, 55)])))


def _head(rng: Rng, shape: Shape) -> Scene:
    """Draw the head or body of an insect: domed eyes, plates, feelers and legs, bristles, dark void behind."""
    unit = shape[1] / 256
    scene = backdrop(rng, shape, void=0.6)
    scene.height = scene.height.astype(np.float32, copy=True)
    if float(np.median(scene.height)) < -60:
        scene.height += np.float32(shape[1] - 60)
    material = scene.yields.astype(np.float32, copy=True)
    big = shape[1] * between(rng, 0.25, 0.7)
    body = np.zeros(shape, bool)
    lead = float(rng.uniform(0, 6.3))
    centre = rng.normal(0.5, 0.18, 2) * shape
    way, across = np.array([math.sin(lead), math.cos(lead)]), np.array([math.cos(lead), -math.sin(lead)])
    for k in range(int(rng.integers(2, 5))):  # plates, one behind another
        middle = centre - way * big * 0.75 * k
        v, u = turned(shape, lead, centre=(float(middle[0]), float(middle[1])))
        far = np.hypot(u / np.float32(big * rng.uniform(0.5, 0.75)), v / np.float32(big * rng.uniform(0.45, 0.8)))
        dome = np.sqrt(np.maximum(1 - np.square(far), 0)) * np.float32(big * 0.45) - np.float32(0.1 * big * k)
        net = cells(rng, shape, scale=between(rng, 4, 14) * unit, jitter=0.7).border
        dome = (
            dome + np.minimum(net, 1.5) * np.float32(rng.uniform(0, 0.4)) + fbm(rng, shape, 8 * unit) * np.float32(0.2)
        )
        on = (far < 1) & (dome > scene.height)
        scene.height = np.where(on, dome, scene.height)
        material[on] = 1.0
        body |= on
    for sign in (-1, 1):  # eyes
        spot = centre + way * big * 0.2 + across * sign * big * float(rng.uniform(0.3, 0.5))
        v, u = turned(shape, lead, centre=(float(spot[0]), float(spot[1])))
        r = big * float(rng.uniform(0.18, 0.38))
        far = np.hypot(u, v * np.float32(rng.uniform(0.8, 1.4))) / np.float32(r)
        lens = cells(rng, shape, scale=max(r * 0.09, 3.0), jitter=0.05)
        bump = np.sqrt(np.clip(lens.border, 0, 3)) * np.float32(0.5)
        dome = np.sqrt(np.maximum(1 - np.square(far), 0)) * np.float32(r * 0.9) + np.float32(big * 0.2) + bump
        on = (far < 1) & (dome > scene.height)
        scene.height = np.where(on, dome, scene.height)
        material[on] = 1.1
    paths, radii = [], []
    for sign in (-1, 1):
        for k in range(int(rng.integers(1, 4))):
            start = centre + way * big * (0.35 - 0.5 * k) + across * sign * big * 0.2
            t = np.linspace(0, 1, 40)
            turn = lead + sign * float(rng.uniform(0.2, 1.3)) + sign * t * float(rng.normal(0, 0.8))
            line = (
                start
                + np.cumsum(np.column_stack([np.sin(turn), np.cos(turn)]), axis=0) * big * rng.uniform(0.6, 1.4) / 40
            )
            joints = 1 + 0.25 * np.sin(t * rng.uniform(15, 50))
            paths.append(np.column_stack([line, np.full(40, big * 0.35) * (1 - 0.6 * t)]))
            radii.append(np.maximum(big * float(rng.uniform(0.025, 0.08)) * joints * (1 - 0.5 * t), 1.0))
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.05))
    scene.material = material
    long = big * float(rng.uniform(0.06, 0.3))
    hairs(rng, scene, int(rng.integers(20, 140)), max(big * 0.006, 0.8), long, lean=lead + math.pi, on=body)
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(5, 90)), size=unit * 1.5)
    return scene


def _stalk(rng: Rng, shape: Shape) -> Scene:
    """Draw the outside of a stalk, root or needle across the field: rows of long cells on a round body, hairs, pores."""
    unit = shape[1] / 256
    scene = backdrop(rng, shape, void=0.7)
    scene.height = scene.height.astype(np.float32, copy=True)
    if float(np.median(scene.height)) < -60:
        scene.height += np.float32(shape[1] - 80)
    material = scene.yields.astype(np.float32, copy=True)
    r = between(rng, 30, 110) * unit
    path = crossing(rng, shape, float(rng.uniform(0, 3.1)), bend=0.1, period=120 * unit, central=0.15)
    taper = np.linspace(1, float(rng.uniform(0.5, 1)), len(path))
    found = tubes(scene.height, [path], [r * taper], material=material, values=[1.0])
    there = found.index >= 0
    own = r * float(rng.uniform(0.12, 0.35))
    around = np.arcsin(np.clip(found.across, -0.99, 0.99)) * np.float32(r)
    bend = smooth(rng, shape, own * 2) * np.float32(own * 0.1)
    net = cells(rng, shape, scale=own, jitter=0.8, at=(around + bend, found.along), stretch=float(rng.uniform(1.3, 5)))
    puff = np.sqrt(np.clip(net.border / np.float32(own * 0.4), 0, 1)) * np.float32(own * rng.uniform(0.05, 0.3))
    wrinkles = ridged(rng, shape, own, octaves=3) * np.float32(own * rng.uniform(0, 0.15))
    scene.height += np.where(there, puff + wrinkles, 0).astype(np.float32)
    scene.material = material
    if rng.random() < 0.6:
        number = int(rng.integers(10, 110))
        side = np.gradient(path, axis=0)
        side /= np.maximum(np.hypot(*side.T), 1e-6)[:, None]
        paths, radii = [], []
        thick, long = max(r * float(rng.uniform(0.015, 0.06)), 0.8), r * float(rng.uniform(0.4, 2.2))
        for j in rng.integers(0, len(path), number):
            out = float(rng.uniform(-1, 1))
            normal = np.array([side[j, 1], -side[j, 0]])
            t = np.linspace(0, 1, 8)[:, None]
            line = (
                path[j] + normal * out * r * taper[j] * 0.95 + t * long * (normal * out + side[j] * rng.normal(0, 0.4))
            )
            line = line + np.square(t) * rng.normal(0, 0.25, 2) * long
            paths.append(np.column_stack([line, r * (1 + 0.9 * math.sqrt(1 - out * out * 0.9)) + t[:, 0] * long * 0.3]))
            radii.append(np.linspace(1, 0.4, 8) * thick)
        tubes(scene.height, paths, radii, material=material, values=np.full(number, 1.1))
    if rng.random() < 0.4:
        shreds(rng, scene, there, int(rng.integers(4, 40)), own)
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(5, 120)), size=unit * 1.6, on=there)
    return scene


def _glands(rng: Rng, shape: Shape) -> Scene:
    """Draw a leaf with glands on stalks, star-shaped hairs or warts, standing or fallen over, on puffed cells."""
    unit = shape[1] / 256
    size = between(rng, 12, 45) * unit
    height, border = skin_cells(
        rng, shape, size, jigsaw=float(rng.uniform(0.05, 0.35)), puff=float(rng.uniform(0.1, 0.4))
    )
    height = height + smooth(rng, shape, size * 4) * np.float32(size * rng.uniform(0.1, 0.6))
    scene = Scene(height, np.full(shape, rng.uniform(0.75, 1.0), np.float32))
    scene.height -= step(np.float32(size * 0.05) - border, 0, 1) * np.float32(rng.uniform(0, 1.5))
    scene = tilt(scene, float(rng.choice([0, rng.uniform(10, 45)])))
    material = scene.yields
    scene.material = material
    star = rng.random() < 0.5
    paths, radii = [], []
    number = int(rng.integers(3, 26))
    heads = []
    for y, x in rng.uniform(-0.05, 1.05, (number, 2)) * shape:
        row, column = int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
        base = float(scene.height[row, column])
        long = size * float(rng.uniform(0.6, 1.8))
        if star:
            rays = int(rng.integers(4, 10))
            for k in range(rays):
                turn = 2 * math.pi * k / rays + float(rng.normal(0, 0.2))
                t = np.linspace(0, 1, 9)[:, None]
                line = (
                    np.array([y, x])
                    + t * long * [math.sin(turn), math.cos(turn)]
                    + np.square(t) * rng.normal(0, 0.15, 2) * long
                )
                paths.append(np.column_stack([line, base + size * 0.35 + t[:, 0] * long * rng.uniform(-0.1, 0.3)]))
                radii.append(np.maximum(np.linspace(1, 0.15, 9) * size * 0.09, 0.6))
        else:
            lean = rng.normal(0, 0.5, 2) * long
            t = np.linspace(0, 1, 7)[:, None]
            paths.append(np.column_stack([np.array([y, x]) + t * lean, base + t[:, 0] * long]))
            radii.append(np.full(7, max(size * float(rng.uniform(0.08, 0.16)), 1.0)))
            heads.append((y + lean[0], x + lean[1], base + long))
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.1))
    for y, x, base in heads:
        a = size * float(rng.uniform(0.2, 0.42))
        body = ellipsoid(a, a * 0.9, a * 0.8, float(rng.uniform(0, 3)), sunk=1.0)
        dent = np.maximum(smooth(rng, (body.shape[0], body.shape[1]), a * 1.2), 0) * np.float32(
            a * rng.choice([0, 0.3])
        )
        stamp_max(scene.height, (body - dent).astype(np.float32), y, x, base=base, material=material, value=1.15)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 100)), size=unit * 1.4)
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("spread cells", _spread, (15e-6, 300e-6)),
    ("head of an insect", _head, (150e-6, 5e-3)),
    ("stalk or root", _stalk, (80e-6, 3e-3)),
    ("leaf with glands", _glands, (60e-6, 1.5e-3)),
]
"""Name, drawing, width of the field in metres."""
