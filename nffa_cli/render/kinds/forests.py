"""Nanowires that stand: forests from above, tilted and cut, arrays with droplets, rods, turfs, edges; see ``nanowires``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform
from nffa_cli.render.crowd import Crowd, Rng, balls, crowd, doubled, put, standing, wires
from nffa_cli.render.fields import Array, Shape, fbm, grid, smooth, step, turned
from nffa_cli.render.habits import lying, table
from nffa_cli.render.scene import Scene, tilt
from nffa_cli.render.shapes import scatter


def _sorted(feet: Array) -> Array:
    return feet[np.argsort(feet[:, 0])]


def _caps(on: Crowd, rng: Rng, tips: Array, size: Array, tone: float) -> None:
    """Put a droplet of metal on each tip."""
    put(
        on,
        balls,
        tips[:, :2],
        size,
        rng.normal(tone, 0.05, len(tips)).clip(0.3, 2),
        z=tips[:, 2],
        lift=0.2,
        first=20_000,
    )


def _flatter(on: Crowd, share: float) -> Scene:
    """Return the scene with its heights compressed: depths of a tilted forest would else drown all ground in shadow."""
    found = on.scene()
    found.height = found.height * np.float32(share)
    return found


def _array(rng: Rng, shape: Shape) -> Scene:
    """Wires in a lattice, all alike, tilted, mostly with droplets; a few missing, thicker or fallen."""
    return _lattice(rng, shape, pitch=log_uniform(rng, 9, 44), slender=rng.uniform(0.8, 5))


def _array_near(rng: Rng, shape: Shape) -> Scene:
    """The same from near: some tens of wires, long against their distance."""
    return _lattice(rng, shape, pitch=log_uniform(rng, 20, 60), slender=rng.uniform(1.8, 4.5))


def _lattice(rng: Rng, shape: Shape, *, pitch: float, slender: float) -> Scene:
    on = crowd(bed(rng, shape, kind="wafer", tone=(0.3, 0.8)))
    view = rng.uniform(12, 55)
    feet = scatter(rng, (int(shape[0] * 1.8), shape[1]), pitch, float(rng.uniform(0, 0.12)), margin=pitch)
    angle = rng.uniform(-0.5, 0.5)
    v, u = feet[:, 0] * math.cos(view * math.pi / 180), feet[:, 1]
    feet = np.column_stack([v, u + (v - shape[0] / 2) * math.tan(angle) * 0.5])
    feet = _sorted(feet[(rng.random(len(feet)) > rng.uniform(0, 0.2))])
    number = len(feet)
    r = pitch * rng.uniform(0.07, 0.22)
    length = pitch * slender * np.clip(rng.normal(1, rng.uniform(0.02, 0.2), number), 0.1, 1.6)
    lean = rng.normal(0, rng.uniform(0.0, 0.04), (number, 2))
    stray = rng.random(number) < rng.uniform(0, 0.12)
    lean[stray] = rng.normal(0, 0.7, (int(stray.sum()), 2))
    found = standing(feet, length, view=view, lean=lean)
    radii = np.stack([np.full(number, r), np.full(number, r * rng.uniform(0.55, 1))], axis=1)
    tone = log_uniform(rng, 0.9, 1.5)
    wires(on, found, radii, rng.normal(tone, 0.04, number), power=float(rng.choice([0.5, 0.25])))
    if rng.random() < 0.75:
        _caps(on, rng, found[:, -1], radii[:, 1] * rng.uniform(0.95, 1.5), tone * rng.choice([0.65, 1.0, 1.5]))
    if rng.random() < 0.3:
        few = int(rng.integers(2, 30))
        put(on, balls, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(0.5, 1.5, few) * r * 1.6, 0.8, z=np.zeros(few))
    return _flatter(on, rng.uniform(0.3, 0.8))


def _tilted(rng: Rng, shape: Shape) -> Scene:
    """A forest without order under an angle: many lengths, leaning, tapered, with or without droplets."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.8)))
    view = rng.uniform(15, 60)
    number = int(log_uniform(rng, 40, 420))
    feet = _sorted(rng.uniform((-5, -10), (shape[0] * 1.6, shape[1] + 10), (number, 2)))
    r = log_uniform(rng, 0.6, 3.2)
    length = log_uniform(rng, 25, 130) * np.clip(rng.normal(1, rng.uniform(0.1, 0.5), number), 0.1, 2)
    lean = rng.normal(0, log_uniform(rng, 0.03, 0.6), (number, 2))
    bowed = rng.random() < 0.4
    bow = rng.normal(0, rng.uniform(0.1, 0.5), (number, 2)) if bowed else None
    points = 7 if bowed else 2
    found = standing(feet, length, view=view, lean=lean, points=points, bow=bow)
    radii = r * np.exp(rng.normal(0, 0.2, (number, 1))) * np.linspace(1, rng.uniform(0.15, 1), points)[None]
    wires(on, found, radii, rng.normal(1.1, 0.06, number))
    if rng.random() < 0.45:
        _caps(on, rng, found[:, -1], np.maximum(radii[:, -1] * rng.uniform(1, 1.8), 0.7), rng.uniform(1, 1.8))
    return _flatter(on, rng.uniform(0.25, 0.7))


def _from_above(rng: Rng, shape: Shape) -> Scene:
    """A forest from above: tips as bright dots, wires leaning outwards, the depth dark."""
    on = crowd(Scene(np.full(shape, -30, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32)))
    r = log_uniform(rng, 0.8, 4.5)
    feet = scatter(rng, shape, r * rng.uniform(2.2, 4.5), margin=15)[:700]
    number = len(feet)
    length = rng.uniform(15, 70) * np.clip(rng.normal(1, 0.2, number), 0.3, 1.6)
    lean = rng.normal(0, log_uniform(rng, 0.03, 0.45), (number, 2))
    found = standing(feet, length, view=rng.choice([0.0, 0.0, 8.0]), lean=lean)
    found[..., 2] -= 30
    wires(on, found, r * np.exp(rng.normal(0, 0.12, number)), rng.normal(0.95, 0.05, number))
    tips = found[:, -1]
    put(on, balls, tips[:, :2], np.full(number, r), rng.uniform(1, 1.5), z=tips[:, 2], lift=0.1, first=20_000)
    if rng.random() < 0.6:
        doubled(on, rng, rng.uniform(4, 15), times=int(rng.integers(1, 4)))
    return _flatter(on, rng.uniform(0.4, 1))


def _clumped(rng: Rng, shape: Shape) -> Scene:
    """Wires whose tips have clumped together as they dried: tents and bundles, from above or tilted."""
    on = crowd(Scene(np.full(shape, -25, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32)))
    apart = log_uniform(rng, 14, 55)
    heads = scatter(rng, shape, apart, margin=apart)
    r = log_uniform(rng, 0.5, 1.6)
    number = int(min(np.prod(shape) * rng.uniform(0.02, 0.035) / r, 800))
    feet = rng.uniform((-20, -20), (shape[0] + 20, shape[1] + 20), (number, 2))
    away = ((feet[:, None] - heads[None]) ** 2).sum(axis=2)
    head = heads[away.argmin(axis=1)]
    gathered = head + (feet - head) * rng.uniform(0.05, 0.35) + rng.normal(0, 1.2 * r, (number, 2))
    t = np.linspace(0, 1, 6)[None, :, None]
    flat = feet[:, None] + (gathered - feet)[:, None] * t ** rng.uniform(0.8, 2)
    tall = rng.uniform(15, 50)
    view = rng.choice([0.0, rng.uniform(10, 35)])
    z = t[..., 0] * tall * np.clip(rng.normal(1, 0.15, (number, 1)), 0.5, 1.4) - 25
    y = flat[..., 0] - (z + 25) * math.sin(math.radians(view))
    wires(on, np.stack([y, flat[..., 1], z], axis=2), r, rng.normal(1.1, 0.06, number))
    return _flatter(on, rng.uniform(0.5, 1))


def _cut(rng: Rng, shape: Shape) -> Scene:
    """A cleaved forest from the side: parallel wires or tubes between a ground and the surface, perhaps with a crust."""
    bottom = shape[0] * rng.choice([rng.uniform(0.6, 0.95), 1.3])
    top = bottom - shape[0] * rng.uniform(0.4, 1.2)
    height, tone = np.full(shape, -30, np.float32), np.full(shape, rng.uniform(0.1, 0.5), np.float32)
    y, _ = grid(shape)
    below = y > bottom + fbm(rng, (1, shape[1]), (1, 40))[0] * rng.uniform(0, 2)
    block = fbm(rng, shape, 40) * np.float32(0.8) + np.float32(12)
    on = crowd(Scene(np.where(below, block, height), np.where(below, np.float32(rng.uniform(0.6, 1.0)), tone)))
    curly = rng.random() < 0.5
    r = log_uniform(rng, 0.45, 1.3) if curly else log_uniform(rng, 0.7, 4)
    number = int(np.clip(shape[1] / r * rng.uniform(0.6, 2.0), 30, 180))
    x0 = np.sort(rng.uniform(-10, shape[1] + 10, number))
    z = rng.uniform(-22, 10, number)
    tall = (bottom - top) * np.clip(rng.normal(1, rng.uniform(0.01, 0.15), number), 0.2, 1.3)
    crusted = rng.random() < 0.4
    if crusted:
        tall = np.minimum(tall, bottom - top)
    points = 18 if curly else 5
    t = np.linspace(0, 1, points)[None]
    sway = rng.standard_normal((number, points)) * (rng.uniform(0.6, 3.5) if curly else rng.uniform(0, 0.6))
    drift = rng.normal(0, rng.uniform(2, 14), (number, 1)) * t
    common = np.cumsum(fbm(rng, (1, points), (1, 6))[0]) * rng.uniform(0, 2.5)
    path_x = x0[:, None] + sway + drift + common
    path_y = bottom + 2 - t * tall[:, None]
    found = np.stack([path_y, path_x, np.broadcast_to(z[:, None], path_y.shape)], axis=2)
    radii = r * np.exp(rng.normal(0, 0.2, (number, 1))) * np.linspace(1, rng.uniform(0.4, 1.1), points)[None]
    wires(on, found, radii, rng.normal(1.0, 0.06, number) * np.interp(z, [-22, 10], [0.6, 1.1]))
    if crusted:  # the crust of the top, seen obliquely
        deep = rng.uniform(4, 28)
        crust = y < top + fbm(rng, (1, shape[1]), (1, 20), octaves=4)[0] * rng.uniform(0.5, 3) + deep
        crust &= y > top - deep * rng.uniform(0, 3)
        relief = fbm(rng, shape, rng.uniform(4, 12), octaves=4) * np.float32(rng.uniform(1, 3)) + np.float32(12)
        on.height = np.where(crust, relief, on.height).astype(np.float32)
        on.material = np.where(crust, np.float32(1.05), on.material)
    elif rng.random() < 0.4 and not curly:
        _caps(on, rng, found[:, -1], radii[:, -1] * rng.uniform(1, 1.5), 1.4)
    return on.scene()


def _hexagonal(rng: Rng, shape: Shape) -> Scene:
    """Zinc oxide rods from above: hexagonal tops side by side, tipped, sides seen; dense or apart."""
    on = crowd(Scene(np.full(shape, -25, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32)))
    r = log_uniform(rng, 3, 17)
    feet = scatter(rng, shape, r * rng.uniform(1.3, 2.4), margin=r)[:380]
    number = len(feet)
    n, d = table("hexagon", long=rng.uniform(1.2, 2.8))
    radii = r * np.exp(rng.normal(0, rng.uniform(0.05, 0.35), number)) / d[0]
    tip = log_uniform(rng, 0.03, 0.35)
    if rng.random() < 0.35:  # pencils
        turn = np.arange(6) * math.pi / 3
        slope = rng.uniform(0.6, 1.5)
        caps = np.stack([np.cos(turn) * slope, np.sin(turn) * slope, np.ones(6)], axis=1) / math.hypot(1, slope)
        n, d = (
            np.concatenate([n, caps]),
            np.concatenate([d, np.full(6, (d[-1] * 0.98 + d[0] * 0.35) / math.hypot(1, slope))]),
        )
    form, _ = lying(rng, number, (n, d), tip=tip, down=7)
    level = rng.normal(0, r * rng.uniform(0.2, 0.8), number) - radii
    reach = float(min(1.05, 2.2 * tip + 1.3 * d[0]))
    few = max(int(7e5 / (2 * reach * float(radii.mean())) ** 2), 12)
    tone = rng.normal(1.05, 0.05, number)
    put(on, form, feet[:few], radii[:few], tone[:few], z=level[:few], lift=0.0, reach=reach)
    if rng.random() < 0.7:
        doubled(on, rng, r * rng.uniform(0.8, 2), times=int(rng.integers(1, 3)))
    if rng.random() < 0.25:
        on.height += np.where(on.owner >= 0, fbm(rng, shape, 3, octaves=2) * np.float32(0.3), 0)
    return on.scene()


def _rods_anyhow(rng: Rng, shape: Shape) -> Scene:
    """Hydrothermal rods, thick for wires, crossing at all angles out of the ground, flat or pointed ends."""
    on = crowd(Scene(np.full(shape, -25, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32)))
    r = log_uniform(rng, 1.3, 5)
    number = int(np.clip(np.prod(shape) * rng.uniform(0.4, 1.2) / (r * r * 22), 40, 420))
    feet = rng.uniform((-10, -10), (shape[0] + 30, shape[1] + 10), (number, 2))
    length = r * rng.uniform(8, 22) * np.clip(rng.normal(1, 0.3, number), 0.3, 2)
    lean = rng.normal(0, rng.uniform(0.4, 1.2), (number, 2))
    found = standing(feet, length, view=rng.uniform(0, 35), lean=lean)
    found[..., 2] += rng.uniform(-25, -10, number)[:, None]
    radii = r * np.exp(rng.normal(0, 0.25, (number, 1))) * np.array([[1, rng.choice([1.0, 0.85, 0.3])]])
    wires(on, found, radii, rng.normal(1.05, 0.06, number), power=float(rng.choice([0.5, 0.3, 0.15])))
    if rng.random() < 0.75:
        doubled(on, rng, r * rng.uniform(1, 4), times=int(rng.integers(1, 4)))
    return on.scene()


def _turf(rng: Rng, shape: Shape) -> Scene:
    """The top of a turf of nanotubes: tangled ends and loops over vertical depth, at times combed one way or cracked."""
    hills = fbm(rng, shape, rng.uniform(15, 60), octaves=4) * np.float32(rng.uniform(3, 9))
    on = crowd(Scene(hills - np.float32(18), np.full(shape, rng.uniform(0.4, 0.8), np.float32)))
    r = log_uniform(rng, 0.4, 1.0)
    number = int(rng.integers(180, 420))
    points = 8
    start = rng.uniform((-5, -5), (shape[0] + 5, shape[1] + 5), (number, 2))
    way = rng.uniform(0, 2 * math.pi, number)
    if rng.random() < 0.4:
        way = rng.normal(rng.uniform(0, math.pi), 0.5, number)
    turn = way[:, None] + np.cumsum(rng.normal(0, rng.uniform(0.3, 0.9), (number, points)), axis=1)
    each = rng.uniform(2, 7)
    y = start[:, :1] + np.cumsum(np.sin(turn), axis=1) * each
    x = start[:, 1:] + np.cumsum(np.cos(turn), axis=1) * each
    near_y, near_x = np.rint(y).astype(int).clip(0, shape[0] - 1), np.rint(x).astype(int).clip(0, shape[1] - 1)
    z = hills[near_y, near_x] + rng.uniform(-14, 3, (number, 1)) + np.sin(np.linspace(0, math.pi, points)) * 3
    wires(on, np.stack([y, x, z], axis=2), r, rng.normal(1.05, 0.05, number))
    doubled(on, rng, rng.uniform(1.5, 5), times=int(rng.integers(1, 4)))
    if rng.random() < 0.3:
        v, _ = turned(shape, rng.uniform(0, math.pi))
        crack = np.abs(v - rng.uniform(-60, 60) + fbm(rng, shape, 50) * 8) < rng.uniform(1.5, 8)
        on.height -= crack.astype(np.float32) * 40
    return on.scene()


def _patches(rng: Rng, shape: Shape) -> Scene:
    """Carpets of tubes grown from patterned catalyst: posts, blocks, walls with fuzzy, streaked sides, tilted."""
    pitch = log_uniform(rng, 28, 130)
    size = pitch * rng.uniform(0.3, 0.8)
    v, u = turned(shape, float(rng.choice([0.0, rng.uniform(0, math.pi)])))
    v, u = (
        v + fbm(rng, shape, 4, octaves=2) * np.float32(rng.uniform(0.2, 1.2)),
        u + fbm(rng, shape, 4) * np.float32(0.6),
    )
    number_v, number_u = np.floor(v / pitch), np.floor(u / pitch)
    a, b = v - (number_v + 0.5) * pitch, u - (number_u + 0.5) * pitch
    form = rng.integers(4)
    apart = (np.hypot(a, b), np.maximum(np.abs(a), np.abs(b)), np.abs(a), np.abs(np.hypot(a, b) - size * 0.35) * 2)[
        form
    ]
    inside = apart < size / 2
    odd = np.sin(number_v * 12.9 + number_u * 78.2) * 43758.5
    odd = odd - np.floor(odd)
    missing = (odd < rng.uniform(0, 0.12)) & (form != 2)
    tall = size * rng.uniform(0.25, 1.3) * (1 + np.float32(rng.uniform(0, 0.3)) * (odd - 0.5))
    grown = np.where(inside & ~missing, tall + smooth(rng, shape, 4) * rng.uniform(0.5, 2.0), 0)
    ground = bed(rng, shape, kind="wafer", tone=(0.3, 0.7))
    on = Scene((ground.height + grown).astype(np.float32), np.where(grown > 0, np.float32(1.1), ground.yields))
    found = tilt(on, float(rng.uniform(10, 52)))
    tubes = step(found.yields, 0.9, 0.2)
    streaks = smooth(rng, shape, (rng.uniform(8, 40), log_uniform(rng, 1.2, 3)))
    curls = smooth(rng, shape, log_uniform(rng, 1.5, 4))
    found.height = found.height + tubes * (streaks * np.float32(rng.uniform(0.4, 1.4)) + curls * np.float32(0.4))
    strays = crowd(found)
    lip = np.argwhere((tubes > 0.5) & (np.roll(tubes, -2, 1) < 0.5))
    few = int(rng.integers(0, 260))
    if len(lip) and few:
        start = lip[rng.integers(0, len(lip), few)]
        z = strays.height[start[:, 0], start[:, 1]][:, None]
        turn = rng.uniform(0, 2 * math.pi, (few, 1)) + np.cumsum(rng.normal(0, 0.5, (few, 5)), axis=1)
        way = np.stack([np.cumsum(np.sin(turn), axis=1), np.cumsum(np.cos(turn), axis=1)], axis=2) * rng.uniform(
            0.8, 2.5
        )
        wires(
            strays,
            np.concatenate([start[:, None] + way, np.broadcast_to(z[..., None], (few, 5, 1))], axis=2),
            0.45,
            1.1,
        )
    return strays.scene()


def _edge(rng: Rng, shape: Shape) -> Scene:
    """Wires that stick out from an edge into the dark, or across a trench."""
    v, _ = turned(shape, rng.uniform(0, 2 * math.pi))
    at = rng.uniform(-60, 30)
    ragged = v + fbm(rng, shape, 20) * np.float32(rng.uniform(0, 4))
    trench = rng.uniform(40, 130) if rng.random() < 0.4 else 1e6
    solid = np.maximum(step(at - ragged, 0, 1.5), step(ragged, at + trench, 1.5))
    base = fbm(rng, shape, 10) * np.float32(rng.uniform(0.2, 1.5))
    on = crowd(Scene(np.float32(-40) + solid * (base + np.float32(45)), np.float32(0.2) + solid * np.float32(0.7)))
    lip = np.argwhere(np.abs(v - at) < 2.5)
    number = int(log_uniform(rng, 6, 220))
    start = lip[rng.integers(0, len(lip), number)] + rng.normal(0, 2, (number, 2))
    gy, gx = np.gradient(v.astype(float))
    outward = math.atan2(float(gy.mean()), float(gx.mean()))
    angle = outward + rng.normal(0, rng.uniform(0.05, 0.6), number)
    length = rng.uniform(20, 130) * np.clip(rng.normal(1, 0.35, number), 0.2, 2)
    r = log_uniform(rng, 0.5, 2.8)
    t = np.linspace(0, 1, 6)[None]
    turn = angle[:, None] + rng.normal(0, rng.choice([0.02, 0.5]), (number, 1)) * t
    y = start[:, :1] + np.sin(turn) * t * length[:, None]
    x = start[:, 1:] + np.cos(turn) * t * length[:, None]
    found = np.stack([y, x, np.broadcast_to(rng.uniform(-8, 6, (number, 1)), y.shape)], axis=2)
    wires(
        on,
        found,
        r * np.linspace(1, rng.uniform(0.2, 1), 6)[None].repeat(number, axis=0),
        rng.normal(1.1, 0.06, number),
    )
    if rng.random() < 0.3:
        _caps(on, rng, found[:, -1], np.full(number, r * 1.2), 1.6)
    return on.scene()


def _broken(rng: Rng, shape: Shape) -> Scene:
    """Where a forest ends: standing on one side, on the other bare ground with stumps and wires that have fallen."""
    on = crowd(bed(rng, shape, tone=(0.4, 0.8)))
    view = rng.uniform(20, 50)
    v, _ = turned(shape, rng.uniform(0, 2 * math.pi))
    line = v + fbm(rng, shape, 40) * np.float32(8)
    forest = line > np.quantile(line, rng.uniform(0.25, 0.65))
    number = int(rng.integers(160, 420))
    feet = _sorted(rng.uniform((0, 0), shape, (number, 2)))
    near = feet.astype(int)
    stands = forest[near[:, 0], near[:, 1]]
    r = log_uniform(rng, 0.6, 2.2)
    length = rng.uniform(22, 75) * np.clip(rng.normal(1, 0.12, number), 0.4, 1.4)
    bare = ~stands
    length[bare] *= rng.uniform(0.02, 0.15)
    lean = rng.normal(0, rng.uniform(0.02, 0.2), (number, 2))
    wires(on, standing(feet, length, view=view, lean=lean), r, rng.normal(1.1, 0.05, number))
    lain = int(rng.integers(3, 50))
    start = feet[bare][rng.integers(0, max(int(bare.sum()), 1), lain)] if bare.any() else feet[:lain]
    angle, long = rng.uniform(0, 2 * math.pi, len(start)), rng.uniform(20, 70, len(start))
    ends = start + np.stack([np.sin(angle), np.cos(angle)], axis=1) * long[:, None]
    level = np.full((len(start), 1), r * 1.5)
    wires(on, np.stack([np.hstack([start, level]), np.hstack([ends, level])], axis=1), r, 1.1, first=5000)
    return _flatter(on, rng.uniform(0.3, 0.7))


def _sparse(rng: Rng, shape: Shape) -> Scene:
    """Low density growth: few wires, short or crawling, droplets without wires, from above or tilted."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["wafer", "rough", "granular"])), tone=(0.35, 0.85)))
    view = rng.choice([0.0, rng.uniform(10, 50)])
    number = int(log_uniform(rng, 15, 420))
    feet = _sorted(rng.uniform((-5, -5), (shape[0] + 20, shape[1] + 5), (number, 2)))
    r = log_uniform(rng, 0.5, 2.5)
    length = r * rng.uniform(8, 30) * np.clip(rng.normal(1, 0.4, number), 0.05, 2.2)
    lean = rng.normal(0, 0.1, (number, 2))
    if view < 5 or rng.random() < 0.4:  # along a few crystal directions
        way = rng.uniform(0, math.pi) + rng.integers(0, 4, number) * math.pi / 2
        lean = np.stack([np.sin(way), np.cos(way)], axis=1) * rng.uniform(0.6, 3)
    found = standing(feet, length, view=view, lean=lean)
    found[..., 2] += r
    wires(on, found, np.array([[r, r * rng.uniform(0.4, 1)]]).repeat(number, axis=0), rng.normal(1.2, 0.08, number))
    if rng.random() < 0.7:
        _caps(on, rng, found[:, -1], np.full(number, max(r * 1.2, 0.7)), 1.6)
    few = int(log_uniform(rng, 3, 200))
    put(on, balls, rng.uniform((0, 0), shape, (few, 2)), r * rng.uniform(0.6, 1.6, few), 1.4, lift=0.3, first=9000)
    return _flatter(on, rng.uniform(0.4, 1))


ROWS = (
    ("array with droplets", _array, (0.5e-6, 20e-6)),
    ("array, near", _array_near, (0.5e-6, 10e-6)),
    ("tilted forest", _tilted, (1e-6, 60e-6)),
    ("forest from above", _from_above, (0.5e-6, 20e-6)),
    ("clumped tips", _clumped, (2e-6, 60e-6)),
    ("cut forest", _cut, (1e-6, 60e-6)),
    ("hexagonal rods", _hexagonal, (0.5e-6, 10e-6)),
    ("rods anyhow", _rods_anyhow, (1e-6, 30e-6)),
    ("turf", _turf, (0.5e-6, 20e-6)),
    ("patches of tubes", _patches, (5e-6, 60e-6)),
    ("from an edge", _edge, (1e-6, 40e-6)),
    ("broken forest", _broken, (1e-6, 60e-6)),
    ("sparse growth", _sparse, (0.5e-6, 30e-6)),
)
"""Rows of ``KINDS``."""
