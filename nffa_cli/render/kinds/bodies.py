"""Single bodies: hair shafts, worms, plankton, moulds with heads, biofilm, cells on a scaffold; sub-kinds of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import hairs
from nffa_cli.render.pores import backdrop, between, crossings, dust
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    blur,
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
)

Rng = np.random.Generator


def _shafts(rng: Rng, shape: Shape) -> Scene:
    """Draw hairs, wool or bristles whose skin is of scales that overlap like tiles, with dirt, splits and worn rims."""
    unit = shape[1] / 256
    r = between(rng, 14, 85) * unit
    scene = backdrop(rng, shape, void=0.4)
    scene.height -= np.float32(np.median(scene.height) + r)
    number = 1 if r > 40 * unit else int(rng.integers(1, 7))
    lead = float(rng.uniform(0, 3.1))
    paths = crossings(rng, shape, rng.normal(lead, 0.3, number), bend=0.06, period=90 * unit)
    lifted = [np.column_stack([p, np.full(len(p), float(rng.uniform(-0.5, 0.5)) * r)]) for p in paths]
    material = scene.yields
    scene.material = material
    radii = list(r * np.exp(rng.normal(0, 0.12, number)))
    seen = tubes(scene.height, lifted, radii, flat=float(rng.uniform(0.6, 1)), material=material, values=[1.0] * number)
    on = seen.index >= 0
    pitch = r * between(rng, 0.25, 1.2)
    bay = np.arcsin(np.clip(seen.across, -1, 1)) * np.float32(r)
    found = cells(
        rng,
        shape,
        scale=pitch * 1.6,
        jitter=0.9,
        at=(seen.along * np.float32(1.6) + seen.index * 997, bay),
    )
    wavy = smooth(rng, shape, r * 0.5) * np.float32(0.2) + smooth(rng, shape, r * 0.12) * np.float32(
        rng.uniform(0, 0.06)
    )
    shift = found.values(rng.uniform(0, 0.4, found.count)).astype(np.float32)
    rise = np.mod(seen.along / np.float32(pitch) + wavy + shift * np.float32(rng.choice([0, 1])), 1)
    lift = np.float32(max(r * rng.uniform(0.05, 0.12), 1.8 * unit))
    scene.height += np.where(on, rise * lift, 0).astype(np.float32)
    scene.height += np.where(on, fbm(rng, shape, max(r * 0.12, 2.5)) * np.float32(rng.uniform(0.02, 0.25)), 0)
    if rng.random() < 0.6:
        dust(scene, rng, number=int(rng.integers(5, 90)), size=unit * float(rng.uniform(0.8, 2.5)), on=on)
    return scene


def _worms(rng: Rng, shape: Shape) -> Scene:
    """Draw worms: long tapered bodies with rings, a crease along them, curled on agar, soil or tissue."""
    unit = shape[1] / 256
    r = between(rng, 7, 42) * unit
    if rng.random() < 0.5:
        scene = backdrop(rng, shape)
        scene.height -= np.float32(np.median(scene.height))
    else:
        height = ridged(rng, shape, r, octaves=3) * np.float32(r * rng.uniform(0.1, 0.8))
        scene = Scene(height.astype(np.float32), np.full(shape, rng.uniform(0.5, 0.9), np.float32))
    number = 1 if r > 22 * unit else int(rng.integers(1, 7))
    paths, radii = [], []
    for _ in range(number):
        t = np.linspace(0, 1, 40)
        heading = rng.uniform(0, 6.3) + t * rng.normal(0, 2.5) + np.sin(t * rng.uniform(3, 9)) * rng.uniform(0, 1.2)
        long = r * between(rng, 9, 30)
        way = np.cumsum(np.column_stack([np.sin(heading), np.cos(heading)]) * long / 40, axis=0)
        at = rng.uniform(0.1, 0.9, 2) * shape - way[int(rng.integers(5, 35))]
        paths.append(np.column_stack([at + way, np.full(40, float(rng.uniform(0.5, 1.0)) * r)]))
        radii.append(np.maximum(r * np.minimum(1, np.minimum(t * 9 + 0.45, (1 - t) * 3.5 + 0.03)) ** 0.7, 0.5))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, radii, material=material, values=rng.uniform(0.95, 1.1, number))
    on = seen.index >= 0
    pitch = max(r * between(rng, 0.08, 0.5), 2.4 * unit)
    rings = np.abs(np.cos(seen.along * np.float32(math.pi / pitch) + smooth(rng, shape, r) * np.float32(0.3)))
    scene.height -= np.where(on, (1 - rings) ** 3 * np.float32(pitch * rng.uniform(0.1, 0.5)), 0).astype(np.float32)
    if rng.random() < 0.5:
        crease = np.exp(-np.square((seen.across - np.float32(rng.uniform(-0.6, 0.6))) / 0.06))
        scene.height += np.where(on, crease * np.float32(r * rng.uniform(-0.12, 0.12)), 0).astype(np.float32)
    if rng.random() < 0.35:
        hairs(rng, scene, int(rng.integers(10, 60)), max(r * 0.04, 0.8), r * float(rng.uniform(0.4, 1.5)), on=on)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 120)), size=unit * float(rng.uniform(0.8, 2.5)))
    return tilt(scene, float(rng.choice([0, rng.uniform(10, 40)])))


def _plankton(rng: Rng, shape: Shape) -> Scene:
    """Draw shells of plankton: lattice balls with spines, spirals of chambers, balls of plates; sediment round them."""
    unit = shape[1] / 256
    r = between(rng, 22, 90) * unit
    scene = backdrop(rng, shape, void=0.25)
    scene.height -= np.float32(np.median(scene.height) + 0.5 * r)
    material = scene.yields
    scene.material = material
    number = 1 if r > 48 * unit else int(rng.integers(2, 7))
    points = (0.5 + rng.normal(0, 0.06 if number == 1 else 0.25, (number, 2))) * shape
    for y, x in points:
        how = rng.random()
        if how < 0.4:
            _lattice(rng, scene, float(y), float(x), r)
        elif how < 0.8:
            _chambers(rng, scene, float(y), float(x), r)
        else:
            body = ball(r * 0.8)
            scales = [
                np.where(np.isfinite(p := ellipsoid(q, q, q * 0.12)), np.maximum(p, 0) + q * 0.05, p)
                for q in r * rng.uniform(0.28, 0.36, 3)
            ]
            stamp_max(scene.height, body, y, x, base=-0.5 * r, material=material, value=1.0)
            around = rng.normal(0, 0.4, (26, 2)) * r
            around = around[np.hypot(*around.T) < 0.8 * r]
            stamp_all(
                scene.height,
                scales,
                around + np.array([y, x]),
                base=None,
                sink=0.15,
                material=material,
                values=[1.05] * 99,
            )
    if rng.random() < 0.7:
        crumbs = [lump(rng, q, rough=0.5) for q in r * rng.uniform(0.02, 0.12, 5)]
        spots = rng.uniform(0, 1, (int(rng.integers(5, 120)), 2)) * shape
        stamp_all(scene.height, crumbs, spots, base=None, sink=0.8, material=material, values=[0.95] * len(spots))
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


def _lattice(rng: Rng, scene: Scene, y: float, x: float, r: float) -> None:
    """Put a lattice ball or bell with spines on a scene in place."""
    body = ellipsoid(r, r * float(rng.uniform(0.6, 1)), r, float(rng.uniform(0, 3)), sunk=1.0)
    half = body.shape[0] // 2
    at = np.arange(-half, half + 1, dtype=np.float32)
    far = np.hypot(at[:, None], at[None, :]) / np.float32(r)
    spread = np.arcsin(np.clip(far, 0, 0.99)) / np.maximum(far, 0.03)
    size = r * float(rng.uniform(0.13, 0.32)) + 2
    shape = (body.shape[0], body.shape[1])
    net = cells(rng, shape, scale=size, jitter=float(rng.uniform(0.1, 0.8)), at=(at[:, None] * spread, at * spread))
    hole = net.border > size * float(rng.uniform(0.1, 0.22))
    body = np.where(hole, body * np.float32(0.3) - np.float32(0.3 * r), body + np.float32(0.02 * r))
    stamp_max(scene.height, body.astype(np.float32), y, x, base=0.3 * r, material=scene.yields, value=1.05)
    number = int(rng.choice([0, 6, 14, 40]))
    if not number:
        return
    turn = rng.uniform(0, 6.3, number)
    z = rng.uniform(-0.2, 0.9, number)
    out = np.sqrt(1 - z * z)
    ways = np.column_stack([out * np.sin(turn), out * np.cos(turn), z])
    t = np.linspace(0, 1, 5)[:, None]
    long = r * float(rng.uniform(0.2, 1.2))
    paths = [np.array([y, x, 0.3 * r]) + way * (0.95 * r + t * long * rng.uniform(0.5, 1.1)) for way in ways]
    taper = np.maximum(r * float(rng.uniform(0.03, 0.08)) * np.linspace(1, 0.2, 5), 0.5)
    tubes(scene.height, paths, [taper] * number, material=scene.yields, values=np.full(number, 1.1))


def _chambers(rng: Rng, scene: Scene, y: float, x: float, r: float) -> None:
    """Put a spiral or a row of round chambers with fine pores on a scene in place."""
    number, turn = int(rng.integers(5, 14)), float(rng.uniform(0, 6.3))
    step_, growth = float(rng.uniform(0.6, 1.0)), float(rng.uniform(1.1, 1.35))
    row = rng.random() < 0.25
    place = np.array([y, x]) - (0.5 * r if row else 0.0)
    pores = between(rng, 1.8, 4.5) * scene.shape[1] / 256
    for k in range(number):
        size = 0.55 * r * growth ** (k - number + 1)
        away = turn + k * step_
        spot = place + np.array([math.sin(away), math.cos(away)]) * (0.0 if row else size * 0.95)
        if row:
            place = place + np.array([math.sin(turn), math.cos(turn)]) * size * 1.1
        body = ellipsoid(size, size * 0.92, size, float(rng.uniform(0, 3)))
        dots = smooth(rng, (body.shape[0], body.shape[1]), pores)
        body = np.where(np.isfinite(body), body - (dots > 0.7) * np.float32(min(0.12 * size, 2)), body)
        stamp_max(scene.height, body.astype(np.float32), *spot, base=-0.3 * r, material=scene.yields, value=1.0)


def _heads(rng: Rng, shape: Shape) -> Scene:
    """Draw mould with stalks that carry heads of spores or chains of them, above a felt of threads."""
    unit = shape[1] / 256
    r = between(rng, 7, 36) * unit
    felt = ridged(rng, shape, r * 1.5, octaves=3) * np.float32(r * 0.5)
    scene = Scene(felt.astype(np.float32) - np.float32(2 * r), np.full(shape, rng.uniform(0.2, 0.7), np.float32))
    material = scene.yields
    number = int(np.clip(40 * unit / r * rng.uniform(1, 4), 1, 9))
    tops = rng.uniform(0.1, 0.9, (number, 2)) * shape
    threads = crossings(rng, shape, rng.uniform(0, 3.1, int(rng.integers(4, 18))), bend=0.5, period=50 * unit)
    paths = [np.column_stack([p, np.full(len(p), float(rng.uniform(-1.8, -0.3)) * r)]) for p in threads]
    radii = [np.full(len(p), max(r * float(rng.uniform(0.08, 0.2)), 0.8)) for p in paths]
    t = np.linspace(0, 1, 14)[:, None]
    for top in tops:
        foot = top + rng.normal(0, 1, 2) * r * 5
        bow = np.sin(t * math.pi) * rng.normal(0, 1, 2) * r
        paths.append(np.column_stack([foot + (top - foot) * t + bow, (-2 + 2.6 * t[:, 0]) * r]))
        radii.append(np.full(14, r * float(rng.uniform(0.14, 0.28))))
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 0.95))
    grain = max(r * float(rng.uniform(0.12, 0.3)), 1.5)
    spores = [ellipsoid(q, q * float(rng.uniform(0.75, 1)), q, sunk=0.5) for q in grain * rng.uniform(0.85, 1.15, 6)]
    how = rng.random()
    for y, x in tops:
        stamp_max(scene.height, ball(r * 0.75, sunk=1.0), y, x, base=0.4 * r, material=material, value=1.0)
        turn = rng.uniform(0, 6.3, int(rng.integers(30, 110)))
        out = np.sqrt(rng.uniform(0, 1, len(turn))) * (r if how < 0.5 else r * 1.7)
        away = np.column_stack([np.sin(turn), np.cos(turn)]) * out[:, None]
        for k in np.argsort(-out):
            base = (
                0.4 * r + math.sqrt(max(1 - (out[k] / (2 * r)) ** 2, 0)) * 0.7 * r + float(rng.uniform(-0.2, 0.2)) * r
            )
            stamp_max(
                scene.height, spores[k % 6], y + away[k, 0], x + away[k, 1], base=base, material=material, value=1.1
            )
    strewn = rng.uniform(0, 1, (int(rng.integers(0, 80)), 2)) * shape
    stamp_all(scene.height, spores, strewn, base=None, sink=0.4, material=material, values=[1.1] * len(strewn))
    scene.material = material
    return scene


def _biofilm(rng: Rng, shape: Shape) -> Scene:
    """Draw a biofilm: rods and balls of one kind in layers, sunk in slime that hangs between them in webs."""
    unit = shape[1] / 256
    r = between(rng, 2.2, 12) * unit
    hills = smooth(rng, shape, r * 12) * np.float32(r * rng.uniform(0.5, 3))
    scene = backdrop(rng, shape)
    flat = scene.height - np.float32(np.median(scene.height))
    scene.height = (flat * np.float32(0.5) + hills).astype(np.float32)
    long = r * float(rng.choice([0.0, rng.uniform(1.5, 4), rng.uniform(2, 7)]))
    material = scene.yields
    scene.material = material
    patches = [
        rod(long * float(rng.uniform(0.6, 1.3)), r * float(rng.uniform(0.85, 1.1)), float(a)) if long else ball(r)
        for a in rng.uniform(0, 3.1, 14)
    ]
    points = scatter(rng, shape, (long + 2 * r) * float(rng.uniform(0.4, 0.8)), margin=r)[:420]
    places = np.clip(points.astype(int), 0, np.array(shape) - 1)
    crowd = smooth(rng, shape, shape[1] * 0.35)[places[:, 0], places[:, 1]]
    points = points[crowd > rng.uniform(-2, 0.6)]
    which = rng.integers(0, 14, len(points))
    stamp_all(
        scene.height, patches, points, base=None, sink=0.7, material=material, values=[1.05] * len(points), which=which
    )
    slime = blur(scene.height, r * 0.9) + smooth(rng, shape, r * 5) * np.float32(r * 0.5)
    slime += (ridged(rng, shape, r * 4, octaves=2) - np.float32(0.5)) * np.float32(r * rng.uniform(0, 1.5))
    cover = step(smooth(rng, shape, r * 9), float(rng.uniform(-0.9, 0.7 if long else 0.1)), 0.8)
    scene.height = np.maximum(scene.height, scene.height + cover * (slime - scene.height))
    number = int(rng.integers(0, 40))
    if number:
        starts, angles = rng.uniform(0, 1, (number, 2)) * shape, rng.uniform(0, 6.3, number)
        t = np.linspace(0, 1, 6)[:, None]
        bends = rng.normal(0, 2.5 * r, (number, 1, 2))
        ways = np.column_stack([np.sin(angles), np.cos(angles)])[:, None, :]
        web = list(starts[:, None, :] + t * r * rng.uniform(2, 8, (number, 1, 1)) * ways + np.square(t) * bends)
        level = float(np.median(scene.height))
        tubes(
            scene.height, web, [max(0.07 * r, 0.45)] * number, base=level + r, material=material, values=[1.0] * number
        )
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))


def _scaffold(rng: Rng, shape: Shape) -> Scene:
    """Draw cells that grow on a scaffold: flat and stretched bodies with feelers, over fibres, a film or a gel."""
    unit = shape[1] / 256
    r = between(rng, 28, 75) * unit
    level = -float(rng.uniform(0.1, 0.8)) * r
    scene = Scene(np.full(shape, level - r, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32))
    material = scene.yields
    scene.material = material
    if rng.random() < 0.6:
        number, thick = int(rng.integers(14, 50)), r * between(rng, 0.03, 0.16) + 0.6
        paths = crossings(rng, shape, rng.uniform(0, 3.1, number), bend=0.15)
        lifted = [np.column_stack([p, np.full(len(p), level + float(rng.uniform(-0.6, 0)) * r)]) for p in paths]
        tubes(scene.height, lifted, [thick] * number, material=material, values=rng.uniform(0.8, 1.05, number))
    else:
        scene.height += np.float32(r) + fbm(rng, shape, r * 0.5) * np.float32(rng.uniform(0.1, 2))
    for y, x in rng.uniform(0.08, 0.92, (int(rng.integers(2, 6)), 2)) * shape:
        sheet = sheet_cell(rng, r * float(np.exp(rng.normal(0, 0.25))))
        stamp_max(scene.height, sheet, y, x, base=level, material=material, value=float(rng.uniform(0.85, 1.1)))
        arms = int(rng.integers(3, 22))
        t = np.linspace(0, 1, 10)[:, None]
        paths, radii = [], []
        for angle in rng.uniform(0, 6.3, arms):
            way = np.array([math.sin(angle), math.cos(angle)])
            long = r * between(rng, 1.2, 2.6)
            paths.append(np.array([y, x]) + way * t * long + np.sin(t * 3) * rng.normal(0, 0.12, 2) * r)
            radii.append(np.maximum(r * (0.2 * np.exp(-t[:, 0] * 4) + 0.02), 0.5))
        tubes(scene.height, paths, radii, base=level, flat=0.6, material=material, values=np.full(arms, 1.0))
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 120)), size=unit * float(rng.uniform(0.8, 1.8)))
    return tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 40)])))


def sheet_cell(rng: Rng, r: float, lead: float | None = None) -> Array:
    """Return a flat cell, long along ``lead``: an uneven outline, a hump over its nucleus, ruffles, fine villi, a thin rim."""
    half = math.ceil(r * 2.2)
    at = np.arange(-half, half + 1, dtype=np.float32) / np.float32(r)
    shape = (len(at), len(at))
    turn = float(rng.uniform(0, 3.1)) if lead is None else float(rng.normal(lead, 0.25))
    narrow = float(rng.uniform(0.35, 1))
    u = at[None, :] * math.cos(turn) + at[:, None] * math.sin(turn)
    v = (at[:, None] * math.cos(turn) - at[None, :] * math.sin(turn)) / np.float32(narrow)
    far = np.hypot(u * np.float32(0.75), v) + smooth(rng, shape, r * 0.9) * np.float32(0.22)
    far += smooth(rng, shape, r * 0.3) * np.float32(0.05)
    inside = 1 - far
    hump = np.exp(-np.square(u / 0.45) - np.square(v / 0.5)) * np.float32(rng.uniform(0.1, 0.45))
    top = np.float32(0.07) + step(inside, 0.1, 0.3) * np.float32(0.05) + hump
    top += ridged(rng, shape, r * 0.35, octaves=3) * np.float32(rng.uniform(0, 0.08))
    top += np.maximum(smooth(rng, shape, max(r * 0.06, 2)), 0.6) * np.float32(rng.uniform(0, 0.03))
    return np.where(inside > 0, top * np.float32(r), -np.inf).astype(np.float32)


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("hair shafts", _shafts, (40e-6, 600e-6)),
    ("worms", _worms, (20e-6, 2e-3)),
    ("plankton", _plankton, (10e-6, 800e-6)),
    ("mould with heads", _heads, (20e-6, 500e-6)),
    ("biofilm", _biofilm, (3e-6, 60e-6)),
    ("cells on a scaffold", _scaffold, (20e-6, 400e-6)),
]
"""Name, drawing, width of the field in metres."""
