"""Biological: what grew or lived, told by its context and not by one shape.

Written rule: tissue, cells, microbes, plants, insects, shells and bones: surfaces with many kinds of detail at once,
nothing quite round or quite repeated, drying wrinkles and cracks, hairs, slime, torn walls, a cluttered ground. Loose
thread mats made by man are fibres; a foam without cell contents is a porous sponge; equal balls on a clean ground are
particles. Here: tissue, cells and microbes; plants are in ``plants``, ``tissues`` and (cut across) ``sections``, pollen in
``pollens``, spores and the like in ``grains``, animals in ``animals``, single organs and cells in their surroundings in
``organs``, whole bodies in ``bodies``, their ends and small things in ``parts``, what they are made of in ``flesh``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import animals, bodies, flesh, grains, organs, parts, plants, pollens, sections, tissues
from nffa_cli.render.kinds.plants import skin_cells
from nffa_cli.render.pores import backdrop, between, crossings, dust, softened, sponge, struts
from nffa_cli.render.scene import (
    Scene,
    Shape,
    cells,
    ellipsoid,
    fbm,
    lump,
    ridged,
    rod,
    scatter,
    smooth,
    stamp_all,
    stamp_max,
    tilt,
    tubes,
    warped,
)

Rng = np.random.Generator


def _ground(rng: Rng, shape: Shape, size: float) -> Scene:
    """Draw what cells and microbes lie on: a plain ground, a filter, slime, wrinkled skin, a scaffold, fibrils."""
    kind = int(rng.choice(6, p=[0.28, 0.17, 0.15, 0.15, 0.08, 0.17]))
    if kind <= 1:
        return backdrop(rng, shape)
    if kind == 2:
        height = ridged(rng, shape, size * 2, octaves=3) * np.float32(size * rng.uniform(0.1, 0.5))
    elif kind == 3:
        height, _ = skin_cells(rng, shape, size * 3, puff=0.2)
    elif kind == 4:
        height = struts(rng, shape, size * float(rng.uniform(0.6, 1.2)), layers=2, thick=0.05) * np.float32(0.3)
    else:
        height = fbm(rng, shape, size * 2, octaves=5, gain=0.6) * np.float32(size * rng.uniform(0.05, 0.3))
    return Scene(height.astype(np.float32), np.full(shape, rng.uniform(0.7, 1.0), np.float32))


def _slime(rng: Rng, scene: Scene, size: float) -> None:
    """Let a film cover a part of a scene, its edge drawn out into strings, in place."""
    cover = smooth(rng, scene.shape, size * 5) + np.float32(0.3) * smooth(rng, scene.shape, size) > rng.uniform(
        0.3, 1.4
    )
    level = np.float32(np.quantile(scene.height, rng.uniform(0.4, 0.85))) + smooth(
        rng, scene.shape, size * 3
    ) * np.float32(0.15 * size)
    level = level + ridged(rng, scene.shape, size * 1.5, octaves=2) * np.float32(0.12 * size)
    scene.height = np.where(cover, np.maximum(scene.height, level), scene.height)


def _bacteria(rng: Rng, shape: Shape) -> Scene:
    """Draw bacteria: rods, short rods, cocci, chains or spirals, few or a lawn, with strings, slime and dents."""
    unit = shape[1] / 256
    r = between(rng, 2.2, 14) * unit
    scene = _ground(rng, shape, r * 2)
    material = scene.yields
    scene.material = material
    habit = rng.integers(4)
    crowd = between(rng, 1.1, 5)
    if habit == 3:  # wavy ones
        paths, radii = [], []
        for y, x in rng.uniform(0, 1, (int(np.clip(2500 * unit**2 / (r * r * crowd), 3, 70)), 2)) * shape:
            t = np.linspace(0, 1, 26)
            long, angle = r * float(rng.uniform(7, 20)), float(rng.uniform(0, 6.3))
            side = np.sin(t * rng.uniform(5, 20) + rng.uniform(0, 6)) * r * rng.uniform(0.2, 1.3)
            line = np.column_stack(
                [
                    t * long * math.sin(angle) + side * math.cos(angle),
                    t * long * math.cos(angle) - side * math.sin(angle),
                ]
            )
            z = float(scene.height[int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))])
            paths.append(np.column_stack([line + np.array([y, x]), np.full(26, z + r * rng.uniform(0.3, 1.5))]))
            radii.append(r * np.clip(np.minimum(t, 1 - t) * 14, 0.3, 1) * 0.8)
        tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.1))
    else:
        long = {0: float(rng.uniform(1.8, 5)), 1: float(rng.uniform(0.5, 1.6)), 2: 0.0}[int(habit)] * r
        patches = []
        for _ in range(18):
            a = r * float(np.exp(rng.normal(0, 0.06)))
            body = rod(max(long * float(rng.uniform(0.6, 1.3)), 0.6), a, float(rng.uniform(0, 3.1)))
            dents = np.maximum(smooth(rng, body.shape, r * 1.5) - 0.3, 0) * np.float32(r * rng.choice([0, 0.1, 0.45]))
            patches.append(np.where(np.isfinite(body), body - dents, body).astype(np.float32))
        points = scatter(rng, shape, max((2 * r + long * 0.45) * crowd * 0.75, 2.5), margin=r)
        if rng.random() < 0.5:  # colonies
            points = points[
                smooth(rng, shape, r * 14)[tuple(np.clip(points.astype(int), 0, np.array(shape) - 1).T)]
                > rng.uniform(-0.6, 0.6)
            ]
        if habit == 2 and rng.random() < 0.6:
            points = np.concatenate(
                [points + k * rng.normal(0, 1.1, points.shape) * r for k in range(int(rng.integers(2, 5)))]
            )
        points = points[:420]
        stamp_all(
            scene.height,
            patches,
            points,
            base=None,
            sink=rng.uniform(0.3, 0.9),
            material=material,
            values=rng.uniform(1.0, 1.2, len(points)),
            which=rng.integers(0, 18, len(points)),
        )
    if rng.random() < 0.4:
        paths = crossings(rng, shape, rng.uniform(0, 3.1, int(rng.integers(2, 14))), bend=0.7, period=30)
        tubes(scene.height, paths, [max(0.12 * r, 0.5)] * len(paths), base=float(np.median(scene.height)) + r * 0.5)
    if rng.random() < 0.4:
        _slime(rng, scene, r * 2)
    if rng.random() < 0.3:
        scene.height += fbm(rng, shape, max(r * 0.4, 2)) * np.float32(r * 0.03)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


def _blood(rng: Rng, shape: Shape) -> Scene:
    """Draw red cells, dished, tipped or shrunk with spikes, among platelets and threads of fibrin."""
    unit = shape[1] / 256
    r = between(rng, 9, 48) * unit
    scene = _ground(rng, shape, r)
    material = scene.yields
    scene.material = material
    half = math.ceil(r * 1.2)
    at = np.arange(-half, half + 1, dtype=np.float32)
    y, x = at[:, None], at[None, :]
    patches = []
    for _ in range(9):
        turn, narrow = float(rng.uniform(0, 3.1)), float(rng.choice([1, rng.uniform(0.35, 0.95)]))
        u, v = x * math.cos(turn) + y * math.sin(turn), (y * math.cos(turn) - x * math.sin(turn)) / narrow
        far = np.hypot(u, v) / r * (1 + np.float32(0.06) * smooth(rng, (len(at), len(at)), r))
        dish = float(rng.uniform(0.2, 0.9))
        top = np.sqrt(np.maximum(1 - far**4, 0)) * (1 - dish * np.exp(-np.square(far * 2.0))) * np.float32(0.42 * r)
        top = top + v * np.float32(rng.normal(0, 0.25)) + np.float32(0.25 * r)
        if rng.random() < 0.2:
            knobs = np.maximum(smooth(rng, (len(at), len(at)), r * 0.35), 0) * np.float32(0.15 * r)
            top = np.sqrt(np.maximum(1 - far * far, 0)) * np.float32(0.8 * r) + knobs
        patches.append(np.where(far < 1, top, -np.inf).astype(np.float32))
    points = scatter(rng, shape, r * between(rng, 0.9, 3), margin=r)[:120]
    stamp_all(
        scene.height,
        patches,
        points,
        base=None,
        sink=0.6,
        material=material,
        values=rng.uniform(0.95, 1.1, len(points)),
        which=rng.integers(0, 9, len(points)),
    )
    if rng.random() < 0.55:
        number = int(rng.integers(6, 45))
        paths = crossings(rng, shape, rng.uniform(0, 3.1, number), bend=0.25)
        lifted = [np.column_stack([p, np.full(len(p), rng.uniform(0, 1.2) * r)]) for p in paths]
        tubes(
            scene.height,
            lifted,
            list(np.exp(rng.normal(math.log(0.05), 0.4, number)) * r + 0.3),
            material=material,
            values=np.full(number, 1.1),
        )
    for _ in range(int(rng.integers(0, 8))):
        stamp_max(
            scene.height, lump(rng, r * 0.35), *(rng.uniform(0, 1, 2) * shape), base=None, material=material, value=1.1
        )
    return scene


def _round_cells(rng: Rng, shape: Shape) -> Scene:
    """Draw rounded cells covered with villi, blebs or folds: lymphocytes, detached or dividing cells, clusters."""
    unit = shape[1] / 256
    r = between(rng, 18, 85) * unit
    scene = _ground(rng, shape, r * 0.5)
    material = scene.yields
    scene.material = material
    number = 1 if r > 50 * unit else int(rng.integers(2, 8))
    points = np.array([[0.5, 0.5]]) + rng.normal(0, 0.1, (1, 2)) if number == 1 else rng.normal(0.5, 0.25, (number, 2))
    paths, radii = [], []
    how = rng.integers(3)
    for y, x in points * shape:
        a = r * float(np.exp(rng.normal(0, 0.15)))
        body = lump(rng, a, rough=0.08, flat=0.75)
        if how == 1:  # folds
            folds = ridged(rng, body.shape, a * 0.3, octaves=2) * np.float32(a * 0.14)
            body = np.where(np.isfinite(body), body + folds, body).astype(np.float32)
        stamp_max(scene.height, body, y, x, base=0.0, material=material, value=1.0)
        hairs = int(rng.integers(60, 240) / number) if how == 0 else int(rng.integers(5, 40))
        thick, long = max(a * float(rng.uniform(0.015, 0.045)), 0.9), a * float(rng.uniform(0.08, 0.35))
        if how == 2:  # blebs
            dots = [ellipsoid(q, q, q, sunk=0.5) for q in a * rng.uniform(0.05, 0.22, 6)]
            spots = np.array([y, x]) + rng.normal(0, 0.5, (40, 2)) * a
            stamp_all(scene.height, dots, spots, base=None, sink=0.8, material=material, values=np.full(40, 1.05))
        for _ in range(hairs):
            turn, out = float(rng.uniform(0, 6.3)), math.sqrt(float(rng.uniform(0, 1)))
            way = np.array([math.sin(turn), math.cos(turn)])
            t = np.linspace(0, 1, 5)[:, None]
            top = 0.75 * a * (math.sqrt(max(1 - out * out, 0)) + 0.55)
            line = np.array([y, x]) + way * a * out * 0.97 + t * long * way * out + t * rng.normal(0, 0.2, 2) * long
            paths.append(np.column_stack([line, top + t[:, 0] * long * (1 - 0.6 * out)]))
            radii.append(thick)
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.15))
    return scene


def _villi(rng: Rng, shape: Shape) -> Scene:
    """Draw an epithelium: polygonal cells with short villi, some with tufts of cilia, mucus, a ridge at their borders."""
    unit = shape[1] / 256
    size = between(rng, 26, 120) * unit
    found = cells(rng, shape, scale=size, jitter=0.8, at=warped(rng, shape, size * 0.05, size * 0.6))
    puffed = np.clip(found.border / np.float32(size * 0.4), 0, 1) ** 0.5 * np.float32(size * rng.uniform(0.0, 0.25))
    height = puffed + found.values(rng.normal(0, 0.05 * size, found.count)).astype(np.float32)
    rim = np.exp(-np.square(found.border / np.float32(size * 0.03 + 0.5))) * np.float32(size * rng.uniform(0, 0.06))
    scene = Scene((height + rim).astype(np.float32), np.ones(shape, np.float32))
    grain = between(rng, 2.2, 6) * unit
    knobs = cells(rng, shape, scale=grain).distance
    dense = found.values(rng.uniform(0, 1, found.count)).astype(np.float32)
    scene.height += np.maximum(1 - knobs / np.float32(grain * 0.6), 0) * np.float32(grain * 0.7) * dense
    if rng.random() < 0.6:
        tufted = found.values(rng.uniform(0, 1, found.count) < rng.uniform(0.1, 0.8))
        rows, columns = np.nonzero(tufted & (found.border > size * 0.06))
        if len(rows):
            lead, long = float(rng.uniform(0, 6.3)), size * float(rng.uniform(0.3, 0.7))
            pick = rng.integers(0, len(rows), int(np.clip(len(rows) / 60, 20, 260)))
            paths = []
            for k in pick:
                turn = lead + float(rng.normal(0, 0.5))
                t = np.linspace(0, 1, 6)[:, None]
                line = (
                    [rows[k], columns[k]]
                    + t * long * [math.sin(turn), math.cos(turn)]
                    + np.square(t) * rng.normal(0, 0.2, 2) * long
                )
                paths.append(np.column_stack([line, scene.height[rows[k], columns[k]] + t[:, 0] * long * 0.4]))
            tubes(
                scene.height,
                paths,
                [max(0.02 * size, 0.9)] * len(paths),
                material=scene.yields,
                values=np.full(len(paths), 1.15),
            )
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(15, 45)])))


def _wrinkled(rng: Rng, shape: Shape) -> Scene:
    """Draw dried tissue: folds of several sizes, cracks, scraps."""
    unit = shape[1] / 256
    scale = between(rng, 16, 110) * unit
    lie = float(rng.uniform(1, 3))
    height = ridged(rng, shape, (scale, scale * lie), octaves=4, gain=rng.uniform(0.4, 0.65)) * np.float32(
        scale * rng.uniform(0.3, 1.0)
    )
    height += smooth(rng, shape, scale * 3) * np.float32(scale * 0.4)
    grain = fbm(rng, shape, between(rng, 2, 6) * unit) * np.float32(rng.uniform(0, 0.5))
    scene = Scene((height + grain).astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.4:
        found = cells(rng, shape, scale=scale * 3, at=warped(rng, shape, scale * 0.4, scale))
        crack = found.border < np.float32(max(scale * rng.uniform(0.01, 0.06), 0.7))
        scene.height = np.where(crack, scene.height - np.float32(scale), scene.height)
    for _ in range(int(rng.integers(0, 14))):
        stamp_max(
            scene.height, lump(rng, between(rng, 1.5, 14) * unit), *(rng.uniform(0, 1, 2) * shape), base=None, sink=0.7
        )
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(10, 200)), size=unit)
    return scene


def _collagen(rng: Rng, shape: Shape) -> Scene:
    """Draw a matrix of fibrils: bundles that wave together, thin cross threads, a cell or slime on it."""
    unit = shape[1] / 256
    r = between(rng, 0.8, 4) * unit
    scene = Scene(np.full(shape, -8 * r, np.float32), np.full(shape, rng.uniform(0.4, 0.9), np.float32))
    material = scene.yields
    number = int(np.clip(320 * unit / r, 40, 80))
    lead = float(rng.uniform(0, 3.1))
    fan = float(rng.choice([0.12, 0.35, 1.5]))
    paths = crossings(rng, shape, rng.normal(lead, fan, number), bend=rng.uniform(0.1, 0.3), period=70 * unit)
    wave, turn = between(rng, 25, 90) * unit, float(rng.uniform(0, 6.3))
    swing = float(rng.uniform(0, 0.1)) * wave
    lifted = []
    for path in paths:
        phase = (path[:, 0] * math.sin(lead) + path[:, 1] * math.cos(lead)) * 2 * math.pi / wave
        bent = path + np.sin(phase + turn)[:, None] * swing * np.array([math.cos(lead), -math.sin(lead)])
        lifted.append(np.column_stack([bent, np.full(len(path), rng.uniform(-6, 0) * r) + np.cos(phase) * r]))
    found = tubes(
        scene.height,
        lifted,
        list(r * np.exp(rng.normal(0, 0.15, number))),
        material=material,
        values=rng.uniform(0.9, 1.1, number),
    )
    if r > 1.8 * unit and rng.random() < 0.6:  # the bands of collagen
        band = np.cos(found.along * np.float32(2 * math.pi / max(r * 1.6, 3)))
        scene.height += np.where(found.index >= 0, band * np.float32(0.1 * r), np.float32(0))
    scene.material = material
    if rng.random() < 0.5:
        _slime(rng, scene, r * 8)
    if rng.random() < 0.35:
        stamp_max(
            scene.height,
            lump(rng, between(rng, 15, 45) * unit, flat=0.4),
            *(rng.uniform(0.2, 0.8, 2) * shape),
            base=-2.0,
        )
    return scene


def _bone(rng: Rng, shape: Shape) -> Scene:
    """Draw spongy bone, a nest or a comb: thick rounded beams with a fibrous skin, pits, fat and shreds between."""
    unit = shape[1] / 256
    scale = between(rng, 35, 120) * unit
    height = sponge(rng, shape, scale, solid=rng.uniform(0.42, 0.58), depth=1.4)
    grain = fbm(rng, shape, (3 * unit, 9 * unit), octaves=3) * np.float32(rng.uniform(0.3, 0.9))
    scene = Scene(height + grain, np.ones(shape, np.float32))
    material = scene.yields
    for y, x in scatter(rng, shape, scale * 0.35)[: int(rng.integers(5, 60))]:  # pits of cells
        a = between(rng, 1.2, 4) * unit
        row, column = int(np.clip(y, 0, shape[0] - 1)), int(np.clip(x, 0, shape[1] - 1))
        level = float(scene.height[row, column])
        pit = ellipsoid(a * 1.8, a, a, float(rng.uniform(0, 3)), sunk=1.0)
        low = np.full_like(scene.height, -np.inf)
        stamp_max(low, pit, y, x)
        scene.height = np.where(np.isfinite(low), np.minimum(scene.height, level - low), scene.height)
    if rng.random() < 0.6:
        plants.shreds(rng, scene, scene.height > -scale * 0.5, int(rng.integers(5, 60)), 9 * unit)
    for _ in range(int(rng.integers(0, 9))):
        stamp_max(
            scene.height,
            lump(rng, between(rng, 3, 12) * unit, rough=0.1),
            *(rng.uniform(0, 1, 2) * shape),
            base=None,
            material=material,
        )
    return scene


def _torn(rng: Rng, shape: Shape) -> Scene:
    """Draw broken soft tissue: lobes and globules of many sizes, membranes between them, strings across."""
    unit = shape[1] / 256
    size = between(rng, 14, 60) * unit
    found = cells(rng, shape, scale=size, at=warped(rng, shape, size * 0.25, size * 0.6))
    rise = found.values(rng.normal(0, 0.5 * size, found.count)).astype(np.float32)
    part = np.clip(found.border / np.float32(size * 0.35), 0, 1)
    height = rise + np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(size * 0.35)
    height += fbm(rng, shape, size * 0.3, octaves=4, gain=0.6) * np.float32(size * rng.uniform(0.02, 0.08))
    hollow = found.values(rng.uniform(0, 1, found.count) < rng.uniform(0, 0.35))
    height = np.where(hollow & (found.border > size * 0.06), height - np.float32(0.9 * size), height)
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    globes = [lump(rng, q, rough=0.06) for q in size * rng.uniform(0.05, 0.25, 6)]
    points = rng.uniform(0, 1, (int(rng.integers(5, 120)), 2)) * shape
    stamp_all(scene.height, globes, points, base=None, sink=0.8)
    if rng.random() < 0.7:
        plants.shreds(rng, scene, found.border < 2, int(rng.integers(10, 80)), size * float(rng.uniform(0.2, 0.8)))
    if rng.random() < 0.5:
        _slime(rng, scene, size * 0.5)
    return scene


def _neurons(rng: Rng, shape: Shape) -> Scene:
    """Draw nerve-like cells: small rounded bodies joined by long thin branching threads with beads."""
    unit = shape[1] / 256
    r = between(rng, 6, 28) * unit
    scene = _ground(rng, shape, r)
    material = scene.yields
    scene.material = material
    points = scatter(rng, shape, r * between(rng, 3, 6), margin=r)[:22]
    paths, radii = [], []
    base = float(np.median(scene.height))
    for y, x in points:
        for _ in range(int(rng.integers(2, 6))):
            goal = points[int(rng.integers(len(points)))] if rng.random() < 0.6 else rng.uniform(-0.1, 1.1, 2) * shape
            t = np.linspace(0, 1, 30)[:, None]
            sag = np.sin(t * math.pi) * rng.normal(0, 1.5, 2) * r + np.sin(t * math.pi * 3) * rng.normal(0, 0.3, 2) * r
            line = np.array([y, x]) * (1 - t) + goal * t + sag
            knots = np.exp(rng.normal(0, 0.25, 30))
            paths.append(line)
            radii.append(np.maximum((0.3 * np.exp(-t[:, 0] * 9) + 0.06) * r * knots, 0.5))
    tubes(scene.height, paths, radii, base=base, material=material, values=np.full(len(paths), 1.05))
    for y, x in points:
        body = lump(rng, r * float(rng.uniform(0.7, 1.2)), rough=0.12, flat=0.5)
        stamp_max(scene.height, body, y, x, base=base - 1, material=material, value=1.05)
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(10, 120)), size=unit)
    return scene


_ROWS = [
    ("bacteria", _bacteria, (2e-6, 60e-6)),
    ("blood", _blood, (8e-6, 120e-6)),
    ("round cells", _round_cells, (6e-6, 120e-6)),
    ("epithelium", _villi, (5e-6, 150e-6)),
    ("dried tissue", _wrinkled, (5e-6, 1e-3)),
    ("fibrils", _collagen, (1e-6, 60e-6)),
    ("bone", _bone, (50e-6, 4e-3)),
    ("torn tissue", _torn, (10e-6, 500e-6)),
    ("nerve cells", _neurons, (20e-6, 500e-6)),
    *plants.ROWS,
    *tissues.ROWS,
    *sections.ROWS,
    *organs.ROWS,
    *grains.ROWS,
    *pollens.ROWS,
    *animals.ROWS,
    *bodies.ROWS,
    *flesh.ROWS,
    *parts.ROWS,
]

KINDS = kinds(*softened(_ROWS))
