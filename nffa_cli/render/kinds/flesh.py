"""What bodies are made of, near by: muscle, teeth, villi, cilia, sections in resin, wax; of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import shreds, skin_cells
from nffa_cli.render.pores import backdrop, between, crossings, dust
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
    step,
    tilt,
    tubes,
    turned,
    warped,
)

Rng = np.random.Generator


def _muscle(rng: Rng, shape: Shape) -> Scene:
    """Draw muscle or tendon: fibres side by side with bands across, torn ends, a net of threads and a vessel on them."""
    unit = shape[1] / 256
    r = between(rng, 5, 40) * unit
    lead = float(rng.uniform(0, 3.1))
    number = int(np.clip(300 * unit / r, 8, 60))
    way = np.array([math.cos(lead), -math.sin(lead)])
    offsets = np.linspace(-1, 1, number) * 0.65 * math.hypot(*shape) + rng.normal(0, r * 0.25, number)
    through = np.array(shape) / 2 + offsets[:, None] * way
    paths = crossings(rng, shape, rng.normal(lead, 0.05, number), bend=0.05, period=80 * unit, through=through)
    scene = Scene(np.full(shape, -1.5 * r, np.float32), np.full(shape, 0.7, np.float32))
    material = scene.yields
    lifted, radii = [], []
    for p in paths:
        lifted.append(np.column_stack([p, np.full(len(p), float(rng.normal(-0.3, 0.35)) * r)]))
        radii.append(np.full(len(p), r * float(np.exp(rng.normal(0, 0.2)))))
    seen = tubes(
        scene.height, lifted, radii, flat=0.7, power=0.4, material=material, values=rng.uniform(0.9, 1.05, len(paths))
    )
    on = seen.index >= 0
    pitch = max(r * between(rng, 0.12, 0.5), 3 * unit)
    shift = rng.uniform(0, 6, len(paths)).astype(np.float32)[np.maximum(seen.index, 0)] * np.float32(rng.choice([0, 1]))
    bands = np.cos(seen.along * np.float32(2 * math.pi / pitch) + shift + smooth(rng, shape, r) * np.float32(0.5))
    fine = fbm(rng, shape, (2.5 * unit, 2.5 * unit))
    scene.height += np.where(on, bands * np.float32(pitch * rng.uniform(0.03, 0.2)), 0).astype(np.float32)
    lines = np.cos(seen.across * np.float32(rng.uniform(6, 22)) + smooth(rng, shape, 2 * r))
    scene.height += np.where(on, lines * np.float32(r * rng.uniform(0, 0.05)), 0) + fine * np.float32(0.2)
    if rng.random() < 0.7:  # threads between the fibres
        count = int(rng.integers(10, 60))
        threads = crossings(rng, shape, rng.normal(lead + 1.2, 0.6, count), bend=0.6, period=25 * unit)
        rise = []
        for p in threads:
            at = np.clip(p.astype(int), 0, np.array(shape) - 1)
            first = int(rng.integers(0, max(len(p) - 8, 1)))
            part = slice(first, first + int(rng.integers(6, 24)))
            rise.append(np.column_stack([p, scene.height[at[:, 0], at[:, 1]] + 0.5])[part])
        rise = [p for p in rise if len(p) > 1]
        tubes(scene.height, rise, [max(0.04 * r, 0.5)] * len(rise), material=material, values=np.full(len(rise), 1.1))
    scene.material = material
    if rng.random() < 0.5:
        shreds(rng, scene, on, int(rng.integers(5, 40)), r)
    return scene


def _tooth(rng: Rng, shape: Shape) -> Scene:
    """Draw a broken tooth: bundles of prisms that lie in turn to and fro, or fine tubes in dentine, with smears on them."""
    unit = shape[1] / 256
    size = between(rng, 7, 28) * unit
    lead = float(rng.uniform(0, 3.1))
    v, _ = turned(shape, lead)
    band = np.sin(v / np.float32(size * rng.uniform(3, 9)) + smooth(rng, shape, size * 6))
    if rng.random() < 0.6:
        found = cells(
            rng, shape, scale=size, jitter=0.5, at=warped(rng, shape, size * 0.15, size), stretch=1.5, angle=lead
        )
        tip = np.float32(rng.uniform(0.3, 1.0)) * band
        height = found.down * tip + found.values(rng.normal(0, 0.12 * size, found.count)).astype(np.float32)
        arch = np.sqrt(np.clip(found.border / np.float32(0.4 * size), 0, 1)) * np.float32(size * rng.uniform(0.1, 0.4))
        grain = fbm(rng, shape, (size * 0.12 + 1.5, size * 0.6)) * np.float32(rng.uniform(0.1, 0.5))
        height = height + arch + grain
    else:
        points = scatter(rng, shape, size * 1.1, 0.6)
        height = fbm(rng, shape, size * 2, octaves=5) * np.float32(size * rng.uniform(0.02, 0.12))
        hole = size * float(rng.uniform(0.12, 0.25))
        y, x = np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32)
        for py, px in points:
            top, left = max(int(py - 3 * hole), 0), max(int(px - 3 * hole), 0)
            box = (slice(top, int(py + 3 * hole) + 1), slice(left, int(px + 3 * hole) + 1))
            far = np.hypot(y[box[0], None] - np.float32(py), x[None, box[1]] - np.float32(px))
            height[box] += np.exp(-np.square((far - 1.4 * hole) / (0.5 * hole))) * np.float32(0.3 * hole)
            height[box] -= (far < hole) * np.float32(3 * hole)
        hidden = step(smooth(rng, shape, size * 4), float(rng.uniform(0, 1.5)), 0.3)
        smear = fbm(rng, shape, size, octaves=4) * np.float32(0.08 * size)
        height = height + hidden * (smear + np.float32(0.3 * size) - height)
    crack = ridged(rng, shape, size * 9, octaves=2) > 0.985
    scene = Scene(np.where(crack, height - np.float32(size), height).astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.6:
        crumbs = [lump(rng, q, rough=0.5) for q in size * rng.uniform(0.05, 0.4, 6)]
        stamp_all(scene.height, crumbs, rng.uniform(0, 1, (int(rng.integers(5, 70)), 2)) * shape, base=None, sink=0.7)
    return scene


def _fingers(rng: Rng, shape: Shape) -> Scene:
    """Draw the villi of a gut or the papillae of a tongue: tall fingers or leaves with creased skin, leaning, mucus on them."""
    unit = shape[1] / 256
    r = between(rng, 9, 34) * unit
    ground_, _ = skin_cells(rng, shape, r)
    scene = Scene(ground_, np.full(shape, 0.6, np.float32))
    material = scene.yields
    points = scatter(rng, shape, r * float(rng.uniform(1.7, 2.8)), float(rng.uniform(0.4, 0.9)), margin=2 * r)[:90]
    pointed, lean = float(rng.uniform(0.0, 0.45)), float(rng.uniform(-1, 1))
    tall, lead = r * float(rng.uniform(1.5, 4)), float(rng.uniform(0, 6.3))
    t = np.linspace(0, 1, 8)
    paths, radii = [], []
    for y, x in points:
        angle = lead + float(rng.normal(0, 0.5))
        bow = np.square(t)[:, None] * lean * tall * np.array([math.sin(angle), math.cos(angle)])
        long = tall * float(np.exp(rng.normal(0, 0.15)))
        paths.append(np.column_stack([np.array([y, x]) + bow + t[:, None] * rng.normal(0, 0.2, 2) * r, t * long]))
        radii.append(r * float(np.exp(rng.normal(0, 0.12))) * np.sqrt(1 - 0.96 * t**4) * (1 - pointed * t))
    tubes(scene.height, paths, radii, material=material, values=rng.uniform(0.9, 1.05, len(paths)))
    creases = ridged(rng, shape, r * float(rng.uniform(0.3, 0.8)), octaves=3)
    scene.height += creases * np.float32(r * rng.uniform(0.02, 0.2))
    if rng.random() < 0.5:
        balls = [lump(rng, q, rough=0.1) for q in r * rng.uniform(0.08, 0.3, 5)]
        stamp_all(scene.height, balls, rng.uniform(0, 1, (int(rng.integers(3, 50)), 2)) * shape, base=None, sink=0.5)
    scene.material = material
    return tilt(scene, float(rng.choice([0, rng.uniform(25, 55), rng.uniform(25, 55)])))


def _cilia(rng: Rng, shape: Shape) -> Scene:
    """Draw cilia close by: tufts that lean together in waves, villi and bare cells between them, drops and strings of mucus."""
    unit = shape[1] / 256
    thick = between(rng, 0.9, 3.2) * unit
    size = thick * float(rng.uniform(14, 30))
    height, border = skin_cells(rng, shape, size, jigsaw=0.1)
    scene = Scene(height, np.full(shape, rng.uniform(0.4, 0.8), np.float32))
    knobs = cells(rng, shape, scale=thick * 2.2)
    scene.height += np.maximum(1 - knobs.distance / np.float32(1.3 * thick), 0) * np.float32(thick * 1.4)
    tufts = smooth(rng, shape, size * 1.5) > rng.uniform(-1.2, 0.5)
    spots = np.argwhere(tufts & (border > 0.05 * size))
    material = scene.yields
    if len(spots):
        number = int(np.clip(5e3 * unit * unit / thick**2, 120, 420))
        spots = spots[rng.integers(0, len(spots), number)].astype(float)
        wave = smooth(rng, shape, size * 2.5) * np.float32(rng.uniform(0.2, 1.0)) + np.float32(rng.uniform(0, 6.3))
        t = np.linspace(0, 1, 6)
        long = thick * float(rng.uniform(7, 16))
        paths = []
        for y, x in spots:
            angle = float(wave[int(y), int(x)] + rng.normal(0, 0.15))
            turn = angle + t * float(rng.normal(0, 0.5))
            way = np.column_stack([np.sin(turn), np.cos(turn)]) * t[:, None] * long * rng.uniform(0.7, 1.2)
            rise = scene.height[int(y), int(x)] + long * (t - 0.55 * t**2) * rng.uniform(0.5, 1)
            paths.append(np.column_stack([np.array([y, x]) + way, rise]))
        tubes(scene.height, paths, [thick] * number, material=material, values=rng.uniform(0.95, 1.15, number))
    scene.material = material
    if rng.random() < 0.5:
        balls = [ellipsoid(q, q * 0.9, q) for q in thick * rng.uniform(1.5, 6, 5)]
        stamp_all(scene.height, balls, rng.uniform(0, 1, (int(rng.integers(2, 30)), 2)) * shape, base=None, sink=0.4)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


def _resin(rng: Rng, shape: Shape) -> Scene:
    """Draw tissue in resin, cut flat and stained: membranes, nuclei, dark and light organelles, gaps, marks of the knife."""
    unit = shape[1] / 256
    size = between(rng, 55, 190) * unit
    found = cells(rng, shape, scale=size, jitter=0.9, at=warped(rng, shape, size * 0.12, size * 0.4))
    tone = found.values(rng.normal(0.55, 0.06, found.count)).astype(np.float32)
    tone += fbm(rng, shape, 5 * unit, octaves=3) * np.float32(0.05)
    edge = found.border < np.float32(max(size * 0.015, 0.9))
    tone = np.where(edge, np.float32(rng.uniform(0.75, 1.1)), tone)
    apart = step(smooth(rng, shape, size), float(rng.uniform(0.4, 1.5)), 0.2) * (found.border < size * 0.1)
    tone = tone + apart * (np.float32(0.3) - tone)
    far = np.hypot(found.down, found.right * np.float32(rng.uniform(0.7, 1))) + smooth(
        rng, shape, size * 0.4
    ) * np.float32(size * 0.03)
    has = found.values(rng.uniform(0, 1, found.count) < rng.uniform(0.4, 0.9))
    core = has & (far < size * 0.24)
    chromatin = np.maximum(smooth(rng, shape, size * 0.09), 0) * np.float32(rng.uniform(0.1, 0.35))
    tone = np.where(core, np.float32(rng.uniform(0.45, 0.65)) + chromatin, tone)
    tone = np.where(has & (np.abs(far - size * 0.24) < max(size * 0.012, 0.7)), np.float32(0.95), tone)
    tone = np.where(has & (np.hypot(found.down - size * 0.06, found.right) < size * 0.05), np.float32(1.05), tone)
    material = np.ascontiguousarray(tone, np.float32)
    a = max(size * float(rng.uniform(0.03, 0.07)), 1.5)
    spots = np.argwhere(~core & (found.border > a * 1.3))
    if len(spots):
        flat = np.full(shape, -1, np.float32)
        beans = [
            rod(a * float(rng.uniform(0, 1.5)), a * float(rng.uniform(0.5, 1)), float(k)) for k in rng.uniform(0, 3, 8)
        ]
        number = int(np.clip(0.05 * shape[0] * shape[1] / a**2 * rng.uniform(0.1, 1), 6, 150))
        dark = rng.random() < 0.3
        for k, (y, x) in enumerate(spots[rng.integers(0, len(spots), number)]):
            value = float(rng.normal(0.38 if dark else 0.74, 0.06))
            stamp_max(flat, beans[k % 8], float(y), float(x), material=material, value=value)
    v, _ = turned(shape, float(rng.uniform(0, 3.1)))
    material += np.cos(v / np.float32(between(rng, 4, 60) * unit)) * np.float32(rng.choice([0, 0, 0.02]))
    height = fbm(rng, shape, 20 * unit) * np.float32(0.3) + material * np.float32(rng.uniform(0, 1.5))
    return Scene(
        height.astype(np.float32), np.maximum(material, 0.1).astype(np.float32), shade=float(rng.uniform(0.1, 0.5))
    )


def _waxy(rng: Rng, shape: Shape) -> Scene:
    """Draw wax on a leaf close by: humps of cells covered with tubes, flakes or grains of wax, bare and smeared places."""
    unit = shape[1] / 256
    size = between(rng, 30, 130) * unit
    found = cells(rng, shape, scale=size, jitter=0.8, at=warped(rng, shape, size * 0.06, size * 0.5))
    part = np.clip(found.border / np.float32(size * 0.45), 0, 1)
    height = np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(size * rng.uniform(0.15, 0.6))
    height += fbm(rng, shape, 4 * unit) * np.float32(0.4) + smooth(rng, shape, size * 3) * np.float32(size * 0.2)
    scene = Scene(height.astype(np.float32), np.full(shape, rng.uniform(0.6, 0.9), np.float32))
    long = between(rng, 4, 15) * unit
    thick = max(long * float(rng.uniform(0.06, 0.16)), 0.8)
    number = int(np.clip(3.2e4 * unit * unit / long**2 * rng.uniform(0.3, 1.2), 80, 620))
    bare = smooth(rng, shape, size) > rng.uniform(0.6, 2)
    roots = rng.uniform(0, 1, (number, 2)) * shape
    roots = roots[~bare[roots[:, 0].astype(int), roots[:, 1].astype(int)]]
    angle, up = rng.uniform(0, 6.3, len(roots)), rng.uniform(-0.2, 0.9, len(roots))
    level = scene.height[roots[:, 0].astype(int), roots[:, 1].astype(int)]
    way = np.column_stack([np.sin(angle), np.cos(angle), up]) * long
    paths = [
        np.array([*roots[k], level[k] + thick]) + np.linspace(0, 1, 3)[:, None] * way[k] for k in range(len(roots))
    ]
    material = scene.yields
    flake = rng.random() < 0.5
    tubes(
        scene.height,
        paths,
        list(np.full(len(paths), thick * (2.2 if flake else 1)) * rng.uniform(0.7, 1.3, len(paths))),
        flat=0.35 if flake else 1.0,
        material=material,
        values=rng.uniform(1.0, 1.3, len(paths)),
    )
    scene.material = material
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(3, 30)), size=unit * 2)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


def _scale(rng: Rng, shape: Shape) -> Scene:
    """Draw the scale of a butterfly close by: long ridges, fine ribs and windows between them, a torn rim, the next scale."""
    unit = shape[1] / 256
    pitch = between(rng, 12, 42) * unit
    v, u = turned(shape, float(rng.uniform(0, 3.1)))
    v = (
        v
        + smooth(rng, shape, pitch * 7) * np.float32(pitch * rng.uniform(0.1, 0.6))
        + np.square(u) * np.float32(rng.normal(0, 0.0006) / unit)
    )
    u = u + smooth(rng, shape, pitch * 3) * np.float32(pitch * 0.3)
    part = np.abs(np.mod(v / np.float32(pitch), 1) - 0.5) * 2
    ridge = step(part, float(rng.uniform(0.66, 0.85)), 0.15) * np.float32(pitch * rng.uniform(0.3, 0.8))
    lane = np.mod(np.floor(v / np.float32(pitch)).astype(np.int32), 64)
    every = pitch * float(rng.uniform(0.25, 0.6))
    along = (
        u / np.float32(every)
        + rng.uniform(0, 1, 64).astype(np.float32)[lane]
        + smooth(rng, shape, every * 2) * np.float32(0.15)
    )
    rib = step(np.abs(np.mod(along, 1) - 0.5) * 2, float(rng.uniform(0.45, 0.7)), 0.3)
    window = np.float32(-pitch * rng.uniform(0.35, 0.9))
    height = ridge + (part < 0.75) * window * (1 - rib)
    height += step(part, 0.9, 0.1) * np.cos(u * np.float32(2 * math.pi / (every * 1.7))) * np.float32(pitch * 0.05)
    grains = smooth(rng, shape, max(pitch * 0.18, 2)) > rng.uniform(0.8, 2.5)
    height += (grains & (part < 0.7)) * np.float32(pitch * 0.2)
    scene = Scene((height + smooth(rng, shape, 90 * unit) * 4).astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.5:  # it ends, and what is below it is seen
        below = backdrop(rng, shape, void=0.3)
        line = u + smooth(rng, shape, pitch * 3) * np.float32(pitch) - np.float32(rng.uniform(-0.3, 0.35) * shape[1])
        away = line > 0
        scene.height = np.where(away, below.height - np.float32(np.median(below.height) + 14), scene.height)
        scene.material = np.where(away, below.yields * np.float32(rng.uniform(0.3, 0.9)), scene.yields)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(3, 50)), size=unit * 1.5)
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("muscle", _muscle, (10e-6, 500e-6)),
    ("tooth", _tooth, (10e-6, 200e-6)),
    ("villi of a gut", _fingers, (100e-6, 3e-3)),
    ("cilia", _cilia, (5e-6, 80e-6)),
    ("tissue in resin", _resin, (3e-6, 60e-6)),
    ("wax of a leaf", _waxy, (5e-6, 100e-6)),
    ("scale of a butterfly", _scale, (4e-6, 60e-6)),
]
"""Name, drawing, width of the field in metres."""
