"""Whole small things and ends of things: feet of insects, seeds and buds, a lawn of cells; sub-kinds of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.bodies import sheet_cell
from nffa_cli.render.kinds.plants import hairs, skin_cells
from nffa_cli.render.pores import backdrop, between, crossings, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    fbm,
    ridged,
    scatter,
    smooth,
    stamp_max,
    tilt,
    tubes,
    turned,
)

Rng = np.random.Generator


def _foot(rng: Rng, shape: Shape) -> Scene:
    """Draw the foot of an insect: the last segments of a leg with bristles, two bent claws, pads of fine hairs."""
    unit = shape[1] / 256
    r = between(rng, 13, 42) * unit
    scene = backdrop(rng, shape, void=0.6)
    scene.height -= np.float32(np.median(scene.height) + 2 * r)
    scene.material = scene.yields * np.float32(rng.uniform(0.2, 1.0))
    material = scene.yields
    angle = float(rng.uniform(0, 6.3))
    way = np.array([math.sin(angle), math.cos(angle)])
    end = rng.uniform(0.35, 0.65, 2) * shape
    paths, radii = [], []
    at, size = end.copy(), r
    for _ in range(6):  # segments, from the end towards the body
        long = size * float(rng.uniform(1.5, 3.2))
        t = np.linspace(0, 1, 10)
        paths.append(np.column_stack([at - way * t[:, None] * long, np.full(10, 0.2 * r)]))
        radii.append(size * (0.72 + 0.28 * np.sin(math.pi * np.minimum(t * 0.5 + 0.45 * (1 - t), 1))) * (1 - 0.25 * t))
        at = at - way * long * 0.93
        turn = float(rng.normal(0, 0.15))
        way = np.array(
            [way[0] * math.cos(turn) - way[1] * math.sin(turn), way[1] * math.cos(turn) + way[0] * math.sin(turn)]
        )
        size *= float(rng.uniform(0.95, 1.2))
    seen = tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.0))
    on = seen.index >= 0
    tiles, _ = skin_cells(rng, shape, r * 0.25 + 2, jigsaw=0.05, puff=0.25)
    scene.height += np.where(on, tiles * np.float32(rng.uniform(0.1, 0.8)), 0).astype(np.float32)
    claws, widths = [], []
    for side in (-1, 1):
        t = np.linspace(0, 1, 16)
        bow = angle + side * (float(rng.uniform(0.5, 1.1)) - t * float(rng.uniform(0.8, 2.6)))
        long = r * float(rng.uniform(1.6, 3.2))
        line = np.cumsum(np.column_stack([np.sin(bow), np.cos(bow)]) * long / 16, axis=0)
        claws.append(np.column_stack([end + line - line[0], 0.2 * r + t * r * float(rng.uniform(-0.5, 0.8))]))
        widths.append(np.maximum(r * float(rng.uniform(0.25, 0.45)) * (1 - t) ** 0.7, 0.6))
    tubes(scene.height, claws, widths, material=material, values=[1.05, 1.05])
    scene.material = material
    if rng.random() < 0.6:  # the pads between the claws
        pad = np.hypot(*np.meshgrid(np.arange(shape[0]) - end[0], np.arange(shape[1]) - end[1], indexing="ij"))
        fine = r * float(rng.uniform(0.3, 1.1))
        hairs(rng, scene, int(rng.integers(25, 70)), max(r * 0.03, 0.7), fine, lean=angle, on=pad < 0.8 * r)
    lean = math.pi / 2 - float(rng.uniform(0, 3.1))
    long = r * float(rng.uniform(0.4, 1.6))
    hairs(rng, scene, int(rng.integers(12, 80)), max(r * float(rng.uniform(0.03, 0.08)), 0.8), long, lean=lean, on=on)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 60)), size=unit * 1.4)
    return scene


def _seeds(rng: Rng, shape: Shape) -> Scene:
    """Draw seeds, buds or small fruits as a whole: uneven bodies with a patterned or shrunken coat, a scar, a stalk, hairs."""
    unit = shape[1] / 256
    r = between(rng, 24, 105) * unit
    scene = backdrop(rng, shape, void=0.25)
    scene.height -= np.float32(np.median(scene.height) + 0.4 * r)
    material = scene.yields * np.float32(rng.uniform(0.3, 1.0))
    number = 1 if r > 55 * unit else int(rng.integers(1, 6))
    spots = scatter(rng, shape, 1.8 * r, margin=-0.2 * r if number > 1 else 0.0)[:number]
    if number == 1:
        spots = (0.5 + rng.normal(0, 0.08, (1, 2))) * shape
    size = r * float(rng.uniform(0.07, 0.3)) + 2
    coat = int(rng.integers(4))
    for y, x in spots:
        angle, narrow = float(rng.uniform(0, 3.1)), float(rng.uniform(0.45, 1.0))
        v, u = turned(shape, angle, centre=(float(y), float(x)))
        v = v / np.float32(narrow) + np.square(u) * np.float32(rng.normal(0, 0.25) / r)
        point = np.float32(rng.uniform(0, 0.5)) * np.maximum(u / np.float32(r), 0)
        far = np.hypot(u, v * (1 + point)) / np.float32(r) + smooth(rng, shape, r * 0.7) * np.float32(0.05)
        dome = np.sqrt(np.maximum(1 - far * far, 0))
        if coat == 0:
            relief, _ = skin_cells(rng, shape, size, jigsaw=0.1, puff=rng.uniform(0.2, 0.6))
        elif coat == 1:
            relief = ridged(rng, shape, size * 3, octaves=4) * np.float32(0.5 * size)
        elif coat == 2:  # ribs from end to end
            turnabout = np.arcsin(
                np.clip(v / np.float32(r) / np.maximum(np.sqrt(np.maximum(1 - np.square(u / r), 0)), 0.1), -1, 1)
            )
            relief = np.abs(np.cos(turnabout * np.float32(rng.integers(4, 14)))) * np.float32(size * 0.5)
            relief = relief + fbm(rng, shape, size) * np.float32(size * 0.08)
        else:  # shrunken
            relief = ridged(rng, shape, r * 0.9, octaves=3) * np.float32(0.16 * r)
        top = dome * np.float32(r * narrow * rng.uniform(0.6, 0.95)) + relief * _inside(dome)
        inside = far < 1
        scene.height = np.where(inside, np.maximum(scene.height, top), scene.height).astype(np.float32)
        material = np.where(inside, np.float32(1.0), material)
        if rng.random() < 0.4:  # a stalk
            t = np.linspace(0.9, rng.uniform(1.3, 2.2), 10)[:, None]
            line = (
                np.array([y, x])
                - t * r * np.array([math.sin(angle), math.cos(angle)])
                + np.square(t - 0.9) * rng.normal(0, 0.3, 2) * r
            )
            stalk = np.column_stack([line, np.full(10, 0.15 * r)])
            tubes(scene.height, [stalk], [r * float(rng.uniform(0.06, 0.18))], material=material, values=[1.0])
    scene.material = material.astype(np.float32)
    if rng.random() < 0.35:
        body = material > 0.99
        hairs(rng, scene, int(rng.integers(10, 70)), max(0.03 * r, 0.8), r * float(rng.uniform(0.15, 0.8)), on=body)
    if rng.random() < 0.6:
        dust(scene, rng, number=int(rng.integers(5, 120)), size=unit * between(rng, 0.8, 3))
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


def _inside(dome: Array) -> Array:
    """Return how much of the relief of a coat shows: none at the outline of a body, all of it further in."""
    return np.clip(dome * np.float32(2.5), 0, 1)


def _lawn(rng: Rng, shape: Shape) -> Scene:
    """Draw cultured cells that touch each other, stretched one way or another, on glass, grooves or pillars."""
    unit = shape[1] / 256
    r = between(rng, 14, 48) * unit
    ground = rng.random()
    if ground < 0.45:
        scene = backdrop(rng, shape)
    else:
        pitch = between(rng, 4, 24) * unit
        v, u = turned(shape, float(rng.uniform(0, 3.1)))
        wave = np.cos(v * np.float32(2 * math.pi / pitch))
        if ground > 0.7:
            wave = wave + np.cos(u * np.float32(2 * math.pi / pitch)) - np.float32(0.6)
        scene = Scene(
            np.clip(wave * 3, -1, 1) * np.float32(pitch * 0.15), np.full(shape, rng.uniform(0.5, 1), np.float32)
        )
    scene.height -= np.float32(np.median(scene.height))
    material = scene.yields
    scene.material = material
    points = scatter(rng, shape, r * between(rng, 0.9, 2.2), margin=r)[:46]
    lead = float(rng.uniform(0, 3.1)) if rng.random() < 0.6 else None
    models = [sheet_cell(rng, r * float(np.exp(rng.normal(0, 0.2))), lead) for _ in range(5)]
    for k, (y, x) in enumerate(points):
        value = float(rng.uniform(0.8, 1.05))
        stamp_max(
            scene.height, models[k % 5], y, x, base=float(rng.uniform(0, 0.06)) * r, material=material, value=value
        )
    if rng.random() < 0.7:  # feelers
        number = int(rng.integers(8, 70))
        t = np.linspace(0, 1, 8)[:, None]
        starts = points[rng.integers(0, len(points), number)] + rng.normal(0, 0.6, (number, 2)) * r
        ways = rng.normal(0, 1, (number, 2)) * r
        lines = [starts[k] + t * ways[k] + np.square(t) * rng.normal(0, 0.3, 2) * r for k in range(number)]
        tubes(
            scene.height, lines, [max(0.025 * r, 0.5)] * number, base=0.03 * r, material=material, values=[1.1] * number
        )
    if rng.random() < 0.4:
        lines = crossings(rng, shape, rng.uniform(0, 3.1, int(rng.integers(1, 9))), bend=0.4)
        tubes(
            scene.height,
            lines,
            [max(0.05 * r, 0.6)] * len(lines),
            base=0.1 * r,
            material=material,
            values=[1.0] * len(lines),
        )
    if rng.random() < 0.6:
        dust(scene, rng, number=int(rng.integers(5, 150)), size=unit * between(rng, 0.7, 2))
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("foot of an insect", _foot, (30e-6, 800e-6)),
    ("seeds and buds", _seeds, (200e-6, 6e-3)),
    ("lawn of cells", _lawn, (20e-6, 500e-6)),
]
"""Name, drawing, width of the field in metres."""
