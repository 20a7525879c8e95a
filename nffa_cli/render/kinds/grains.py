"""Pollen, spores, moulds, diatoms, eggs: small bodies that grew, on what they lie on; sub-kinds of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import skin_cells
from nffa_cli.render.pores import backdrop, between, crossings, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    cells,
    ellipsoid,
    fbm,
    scatter,
    smooth,
    stamp_all,
    stamp_max,
    step,
    tilt,
    tubes,
    turned,
)

Rng = np.random.Generator


def _grain(rng: Rng, r: float, how: int) -> tuple[Array, list[Array], list[Array]]:
    """Draw one pollen grain: its body as a patch (middle at height 0), and the paths and radii of its spines."""
    tall = float(rng.choice([1.0, 1.0, rng.uniform(0.55, 0.85)]))
    turn = float(rng.uniform(0, 3.1))
    body = ellipsoid(r, r * tall, r * tall, turn, sunk=1.0)
    there = np.isfinite(body)
    half = body.shape[0] // 2
    at = np.arange(-half, half + 1, dtype=np.float32)
    y, x = at[:, None], at[None, :]
    u, v = x * math.cos(turn) + y * math.sin(turn), (y * math.cos(turn) - x * math.sin(turn)) / tall
    depth = np.sqrt(np.maximum(1 - (u * u + v * v) / (r * r), 0.02))
    paths: list[Array] = []
    radii: list[Array] = []
    shape = (body.shape[0], body.shape[1])
    if how == 0:  # spines
        number = int(rng.integers(25, 90))
        golden = np.arange(number) * 2.39996 + rng.normal(0, 0.15, number)
        z = 1 - (np.arange(number) + 0.5) / number * 1.25
        flat = np.sqrt(np.maximum(1 - z * z, 0))
        normal = np.column_stack([flat * np.sin(golden), flat * np.cos(golden), z])
        long = r * float(rng.uniform(0.12, 0.42))
        foot = min(r * 2.2 / math.sqrt(number) * 0.5, long * 0.6) * float(rng.uniform(0.5, 1))
        t = np.linspace(0, 1, 7)[:, None]
        for n in normal:
            paths.append(n * (r * 0.93 + t * long))
            radii.append(np.maximum(foot * (1 - t[:, 0]) ** 1.3, 0.45))
        body = np.where(there, body + fbm(rng, shape, max(r * 0.15, 2)) * np.float32(r * 0.015), body)
    elif how == 1:  # a net of ridges
        size = r * float(rng.uniform(0.12, 0.3))
        spread = np.float32(r) * np.arcsin(np.clip(np.hypot(u, v) / r, 0, 0.99)) / np.maximum(np.hypot(u, v), 0.5)
        net = cells(rng, shape, scale=size, jitter=0.8, at=(v * spread, u * spread)).border
        body = np.where(there, body + step(size * 0.16 - net, 0, size * 0.12) * np.float32(size * 0.45), body)
    elif how == 2:  # furrows
        furrow = np.abs(
            np.arcsin(np.clip(v / np.maximum(np.sqrt(np.maximum(r * r - u * u, 1)), 1), -1, 1))
            - float(rng.uniform(-0.5, 0.5))
        )
        cut = np.maximum(0.16 - furrow, 0) / 0.16 * step(1 - np.abs(u) / r, 0.12, 0.1)
        body = np.where(
            there, body - cut * np.float32(r * 0.4) + fbm(rng, shape, max(r * 0.08, 2)) * np.float32(r * 0.012), body
        )
    else:  # collapsed
        dent = np.maximum(smooth(rng, shape, r * 0.9), -0.2) * np.float32(r * rng.uniform(0.15, 0.4))
        body = np.where(there, body - dent * depth, body)
    return body.astype(np.float32), paths, radii


def _pollen(rng: Rng, shape: Shape) -> Scene:
    """Draw pollen: one big grain, or several on an anther, a stigma, a leg or a plain ground."""
    unit = shape[1] / 256
    r = between(rng, 9, 78) * unit
    ground = rng.integers(3)
    if ground == 0:
        scene = backdrop(rng, shape, void=0.6)
        if float(np.median(scene.height)) < -60:
            scene.height += np.float32(shape[1] - 1.5 * r)
    else:
        height, _ = skin_cells(rng, shape, r * float(rng.uniform(0.2, 0.8)), jigsaw=0.1)
        height += smooth(rng, shape, r * 3) * np.float32(r * 0.5)
        scene = Scene(height, np.full(shape, 0.85, np.float32))
        if rng.random() < 0.5:
            away = step(smooth(rng, shape, shape[1] * 0.7), rng.uniform(-0.3, 0.8), 0.05)
            scene.height = scene.height - away * np.float32(3 * r)
            scene.material = scene.yields * (1 - 0.6 * away)
    number = 1 if r > 50 * unit else int(np.clip(rng.poisson(1.2e4 * unit * unit / r**2 * rng.uniform(0.3, 2)), 1, 26))
    how = int(rng.integers(4))
    points = np.array([[0.5, 0.5]]) + rng.normal(0, 0.1, (1, 2)) if number == 1 else rng.normal(0.5, 0.28, (number, 2))
    material = scene.yields
    scene.material = material
    models = [_grain(rng, r * float(np.exp(rng.normal(0, 0.06))), how) for _ in range(min(number, 3))]
    paths, radii = [], []
    for k, (y, x) in enumerate(points * shape):
        body, spines, widths = models[k % len(models)]
        row, column = int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
        base = float(min(scene.height[row, column], r)) + 0.8 * r
        stamp_max(scene.height, body, y, x, base=base, material=material, value=1.05)
        paths += [one + np.array([y, x, base]) for one in spines]
        radii += widths
    if paths:
        tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.1))
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(5, 60)), size=unit * 1.2)
    return scene


def _hyphae(rng: Rng, shape: Shape) -> Scene:
    """Draw mould: branching wavy threads with swellings, spores in chains and heads."""
    unit = shape[1] / 256
    radius = between(rng, 1.2, 6) * unit
    scene = backdrop(rng, shape)
    scene.height -= np.float32(radius * 4)
    trunks = crossings(rng, shape, rng.uniform(0, 3.1, int(rng.integers(5, 22))), bend=rng.uniform(0.3, 0.7), period=60)
    paths, radii = [], []
    for trunk in trunks:
        z = rng.uniform(-4, 0) * radius
        lumpy = radius * (1 + 0.15 * np.sin(np.arange(len(trunk)) * rng.uniform(0.2, 0.6))) * rng.uniform(0.8, 1.2)
        paths.append(np.column_stack([trunk, np.full(len(trunk), z)]))
        radii.append(lumpy)
        for _ in range(int(rng.integers(0, 3))):
            k = int(rng.integers(0, len(trunk)))
            angle, long = float(rng.uniform(0, 6.3)), between(rng, 15, 90) * unit
            t = np.linspace(0, 1, 12)[:, None]
            way = trunk[k] + t * long * [math.sin(angle), math.cos(angle)] + np.square(t) * rng.normal(0, 12 * unit, 2)
            paths.append(np.column_stack([way, np.full(12, z)]))
            radii.append(np.full(12, radius * 0.85))
    material = scene.yields
    scene.material = material
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.05))
    if rng.random() < 0.7:
        patches = [
            ellipsoid(radius * s, radius * s * 0.8, radius * s, float(rng.uniform(0, 3)), sunk=0.4)
            for s in rng.uniform(0.9, 1.6, 6)
        ]
        ends = np.concatenate([path[-1:, :2] for path in paths])
        heads = ends[rng.integers(0, len(ends), int(rng.integers(2, 9)))]
        points = np.repeat(heads, int(rng.integers(3, 30)), axis=0)
        points = points + rng.normal(0, radius * rng.uniform(1, 4), points.shape)
        stamp_all(scene.height, patches, points, base=None, material=material, values=np.full(len(points), 1.15))
    return scene


def _spores(rng: Rng, shape: Shape) -> Scene:
    """Draw a heap of spores, starch or yeast: round and oval, collapsed ones among them, buds and scars."""
    unit = shape[1] / 256
    r = between(rng, 5, 32) * unit
    height, _ = skin_cells(rng, shape, r * 2)
    scene = Scene(height - np.float32(r), np.full(shape, 0.7, np.float32))
    patches = []
    for _ in range(12):
        a = r * float(np.exp(rng.normal(0, 0.12)))
        body = ellipsoid(a, a * float(rng.uniform(0.6, 1)), a * 0.8, float(rng.uniform(0, 3)), sunk=0.5)
        dent = np.maximum(smooth(rng, body.shape, a), 0) * np.float32(a * rng.choice([0, 0.15, 0.5]))
        patches.append(np.where(np.isfinite(body), body - dent, body).astype(np.float32))
    material = scene.yields
    points = scatter(rng, shape, r * float(rng.uniform(1.1, 2.2)), margin=r)
    stamp_all(
        scene.height,
        patches,
        points,
        base=None,
        sink=0.5,
        material=material,
        values=rng.uniform(0.95, 1.1, len(points)),
    )
    if rng.random() < 0.5:
        paths = crossings(rng, shape, rng.uniform(0, 3.1, int(rng.integers(1, 8))), bend=0.5)
        tubes(
            scene.height,
            paths,
            [r * 0.15] * len(paths),
            base=r * 0.5,
            material=material,
            values=np.full(len(paths), 1.1),
        )
    scene.material = material
    return scene


def _diatom(rng: Rng, shape: Shape) -> Scene:
    """Draw diatoms: disc, boat or rod-shaped shells with rows of pores, whole or broken, on a ground."""
    unit = shape[1] / 256
    scene = backdrop(rng, shape)
    big = between(rng, 18, 110) * unit
    number = 1 if big > 55 * unit else int(rng.integers(2, 9))
    points = np.array([[0.5, 0.5]]) + rng.normal(0, 0.08, (1, 2)) if number == 1 else rng.uniform(0, 1, (number, 2))
    material = scene.yields
    for y, x in np.asarray(points) * shape:
        r, narrow = big * float(rng.uniform(0.7, 1.1)), float(rng.choice([1.0, rng.uniform(0.16, 0.5)]))
        v, u = turned(shape, float(rng.uniform(0, 3.1)), centre=(y, x))
        far = np.hypot(u, v)
        angle = np.arctan2(v, u)
        if narrow == 1.0:
            inside = 1 - far / r
            spokes = int(rng.integers(18, 60))
            ring = far / np.float32(r * rng.uniform(0.05, 0.09))
            pores = np.cos(angle * spokes) * np.cos(ring * np.pi)
        else:
            half = r * narrow * np.maximum(1 - np.abs(u / r) ** float(rng.uniform(1.6, 4)), 0)
            inside = (half - np.abs(v)) / (r * narrow)
            pitch = r * float(rng.uniform(0.035, 0.09))
            pores = np.cos(u * np.float32(2 * np.pi / pitch)) * np.cos(
                v * np.float32(2 * np.pi / (pitch * rng.uniform(0.7, 1.5)))
            )
            pores = np.where(np.abs(v) < r * 0.03, np.float32(-1), pores)
        shell = inside > 0
        top = np.float32(r * 0.25) + np.sqrt(np.clip(inside, 0, 0.25)) * np.float32(r * narrow * 0.3)
        top = top - np.where(
            (pores > rng.uniform(0.0, 0.5)) & (inside > 0.06), np.float32(max(r * 0.05, 1.5)), np.float32(0)
        )
        if rng.random() < 0.25:  # broken
            shell &= u + smooth(rng, shape, r * 0.3) * np.float32(r * 0.1) > -r * rng.uniform(-0.2, 0.6)
        scene.height = np.where(shell, np.maximum(scene.height, top), scene.height)
        material = np.where(shell, np.float32(1.1), material)
    scene.material = material.astype(np.float32)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=unit * 1.8)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


def _ball_cells(rng: Rng, shape: Shape) -> Scene:
    """Draw eggs or cysts: a few big round bodies with a sculptured shell, on a leaf, a gel or a plain ground."""
    unit = shape[1] / 256
    r = between(rng, 16, 90) * unit
    if rng.random() < 0.5:
        height, _ = skin_cells(rng, shape, r * float(rng.uniform(0.2, 0.6)))
        scene = Scene(height, np.full(shape, 0.8, np.float32))
    else:
        scene = backdrop(rng, shape, void=0.3)
        if float(np.median(scene.height)) < -60:
            scene.height += np.float32(shape[1] - r)
    material = scene.yields
    base = float(np.median(scene.height))
    number = 1 if r > 55 * unit else int(rng.integers(2, 9))
    points = np.array([[0.5, 0.5]]) + rng.normal(0, 0.1, (1, 2)) if number == 1 else rng.uniform(0, 1, (number, 2))
    long, how, lead = float(rng.uniform(0.6, 1)), int(rng.integers(3)), float(rng.uniform(0, 3))
    body = ball(r) if long > 0.9 else ellipsoid(r, r * long, r * long, lead)
    there = np.isfinite(body)
    shaped = (body.shape[0], body.shape[1])
    if how == 0:
        half = body.shape[0] // 2
        v, u = turned(shaped, lead, centre=(half, half))
        body = body + np.cos(
            v / np.sqrt(np.maximum(1 - np.square(u / r), 0.04)) * np.float32(rng.uniform(14, 30) / r)
        ) * np.float32(r * 0.02)
    elif how == 1:
        net = cells(rng, shaped, scale=r * float(rng.uniform(0.12, 0.3))).border
        body = body - step(net, r * 0.03, r * 0.03) * np.float32(r * 0.03)
    else:
        body = (
            body
            + fbm(rng, shaped, max(r * 0.1, 2)) * np.float32(r * 0.02)
            - np.maximum(smooth(rng, shaped, r), 0.3) * np.float32(r * 0.15)
        )
    body = np.where(there, body, -np.inf).astype(np.float32)
    for y, x in np.asarray(points) * shape:
        stamp_max(scene.height, body, y, x, base=base, material=material, value=1.05)
    scene.material = material
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("pollen", _pollen, (30e-6, 500e-6)),
    ("hyphae", _hyphae, (20e-6, 500e-6)),
    ("spores", _spores, (10e-6, 200e-6)),
    ("diatoms", _diatom, (15e-6, 300e-6)),
    ("eggs and cysts", _ball_cells, (50e-6, 3e-3)),
]
"""Name, drawing, width of the field in metres."""
