"""Particles of a clear shape: cubes, octahedra, rods, plates, stars, shells, raspberries, flowers; see ``particles``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, crowd, doubled, drop, patches, put, standing, wires
from nffa_cli.render.fields import Array, Shape, cells, fbm, grid, step
from nffa_cli.render.habits import lying, potatoes, spindles, table, tumbled
from nffa_cli.render.scene import Scene
from nffa_cli.render.shapes import scatter


def _radii(rng: Rng, number: int, r: float, deviation: float) -> Array:
    return (r * np.clip(rng.normal(1, deviation, number), 0.5, 1.8)).astype(np.float32)


def _places(rng: Rng, shape: Shape, r: float, least: float = 3) -> Array:
    """Return places for bodies of radius ``r``: even, at random, or gathered about some points; one is well inside."""
    points = _spots(
        rng, shape, r, int(np.clip(np.prod(shape) * log_uniform(rng, 0.06, 1) / (math.pi * r * r), least, 420))
    )
    points[0] = rng.uniform(0.25, 0.75, 2) * shape
    return points


def _spots(rng: Rng, shape: Shape, r: float, number: int) -> Array:
    kind = rng.random()
    if kind < 0.45:
        return scatter(rng, shape, r * rng.uniform(1.3, 2.1), margin=r)[:number]
    if kind < 0.65:
        return rng.uniform((-r, -r), (shape[0] + r, shape[1] + r), (number, 2))
    middles = rng.uniform((0, 0), shape, (int(rng.integers(1, 9)), 2))
    spread = r * math.sqrt(number / len(middles)) * rng.uniform(0.5, 1.1)
    return middles[rng.integers(0, len(middles), number)] + rng.standard_normal((number, 2)) * spread


def _laid(rng: Rng, shape: Shape, faces: tuple[Array, Array], r: float, *, down: int | None = None) -> Scene:
    """Lay crystals on a ground: each on a face, or a loose cluster of them in which they lean on each other."""
    on = crowd(bed(rng, shape))
    points = _places(rng, shape, r)
    number, deviation = len(points), rng.uniform(0.02, 0.22)
    tone = log_uniform(rng, 0.9, 1.6)
    if rng.random() < 0.5 and r > 2.5:
        some = 18
        form, _ = lying(rng, some, faces, tip=0.12, down=down) if rng.random() < 0.6 else (tumbled(rng, some, faces), 0)
        pool = patches(form, _radii(rng, some, r, deviation), 1.15)
        near = points[:, None] + rng.normal(0, r * 0.3, (number, 2, 2))
        drop(on, rng, pool, rng.integers(0, some, number), near, sink=0.3, values=rng.normal(tone, 0.05, number))
    else:
        form, lift = lying(rng, number, faces, tip=rng.uniform(0, 0.06), down=down)
        radii = _radii(rng, number, r, deviation)
        put(on, form, points, radii, rng.normal(tone, 0.05, number), z=np.zeros(number), lift=lift, reach=1.15)
    if rng.random() < 0.3:
        few = int(rng.integers(3, 60))
        put(on, balls, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(0.5, 1.6, few), 1.0, lift=0.6, first=50_000)
    return on.scene()


def _cubes(rng: Rng, shape: Shape) -> Scene:
    """Cubes, sharp or with cut corners."""
    return _laid(rng, shape, table("cube", cut=rng.choice([0.0, rng.uniform(0, 0.8)])), log_uniform(rng, 2.5, 26))


def _octahedra(rng: Rng, shape: Shape) -> Scene:
    """Octahedra and their truncated kin, tetrahedra, rhombic dodecahedra."""
    habit = str(rng.choice(["octahedron", "octahedron", "octahedron", "tetrahedron", "dodecahedron"]))
    return _laid(rng, shape, table(habit, cut=rng.choice([0.0, rng.uniform(0, 0.9)])), log_uniform(rng, 4, 32))


def _plates(rng: Rng, shape: Shape) -> Scene:
    """Triangular and hexagonal plates, lying flat or over each other, thin ones half transparent."""
    habit = str(rng.choice(["triangle", "hexagon", "hexagon", "square"]))
    faces = table(habit, long=log_uniform(rng, 0.03, 0.35), cut=rng.uniform(0, 0.9) if habit == "triangle" else 0.0)
    found = _laid(rng, shape, faces, log_uniform(rng, 5, 34), down=int(faces[0][:, 2].argmin()))
    if rng.random() < 0.4:
        found.shade = float(rng.uniform(0.4, 0.8))
    return found


def _bipyramids(rng: Rng, shape: Shape) -> Scene:
    """Bipyramids, long or squat (anatase, gold)."""
    return _laid(rng, shape, table("bipyramid", long=rng.uniform(0.9, 3)), log_uniform(rng, 5, 26))


def _rods(rng: Rng, shape: Shape) -> Scene:
    """Short rods of one length, lying anyhow, side by side or in rafts."""
    on = crowd(bed(rng, shape))
    half, aspect = log_uniform(rng, 4, 22), rng.uniform(2, 6)
    points = _places(rng, shape, half * 0.75)
    number = len(points)
    angle = rng.uniform(0, math.pi, number)
    if rng.random() < 0.4:
        y, x = np.rint(points).astype(int).clip(0, np.array(shape) - 1).T
        angle = fbm(rng, shape, rng.uniform(20, 90), octaves=2)[y, x] * rng.uniform(0.5, 2.5)
    lengths = _radii(rng, number, half, rng.uniform(0.04, 0.2))
    radii = _radii(rng, number, half / aspect, 0.08)
    ends = np.stack([np.sin(angle), np.cos(angle)], axis=1) * np.maximum(lengths - radii, 0.5)[:, None]
    level = radii + (rng.random(number) < 0.2) * radii * 2
    paths = np.stack(
        [np.column_stack([points - ends, level]), np.column_stack([points + ends, level])], axis=1
    )  # fmt: skip
    tone = rng.normal(log_uniform(rng, 1, 1.7), 0.05, number)
    square = rng.random() < 0.25
    wires(on, paths, radii, tone, power=0.15 if square else 0.5)
    if not square:
        caps = np.concatenate([points - ends, points + ends])
        put(on, balls, caps, np.tile(radii, 2), np.tile(tone, 2), z=np.tile(level - radii, 2), first=1000)
    return on.scene()


def _spindles(rng: Rng, shape: Shape) -> Scene:
    """Rice grains, spindles, peanuts of one size."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 4, 24)
    points = _places(rng, shape, r * 0.7)
    number = len(points)
    if rng.random() < 0.35:  # peanuts: two balls each
        angle = rng.uniform(0, 2 * math.pi, number)
        away = np.stack([np.sin(angle), np.cos(angle)], axis=1) * (r * rng.uniform(0.3, 0.5))
        both = np.concatenate([points - away, points + away])
        put(on, balls, both, np.tile(_radii(rng, number, r * 0.55, 0.08), 2), 1.2, z=np.zeros(2 * number))
    else:
        some = 16
        pool = patches(spindles(rng, some, rng.uniform(1.5, 4), tip=0.15), _radii(rng, some, r, rng.uniform(0.05, 0.2)))
        near = points[:, None] + rng.normal(0, 2, (number, 2, 2))
        drop(on, rng, pool, rng.integers(0, some, number), near, sink=0.4, values=rng.normal(1.15, 0.05, number))
    return on.scene()


def _stars(rng: Rng, shape: Shape) -> Scene:
    """Stars and urchins: a core with spikes all round."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 5, 40)
    points = _places(rng, shape, r, 1)[:70]
    number, spikes = len(points), int(rng.integers(6, 14)) if rng.random() < 0.5 else int(rng.integers(25, 70))
    spikes = min(spikes, 1600 // number + 5)
    size = _radii(rng, number, r, rng.uniform(0.05, 0.2))
    core = rng.uniform(0.25, 0.55)
    put(on, balls, points, size * core, 1.1, z=size * (1 - core) * 0.6)
    ways = rng.standard_normal((number, spikes, 3))
    ways[..., 2] = np.abs(ways[..., 2]) * 0.9 - 0.2
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    reach = size[:, None] * np.clip(rng.normal(1, rng.uniform(0.03, 0.25), (number, spikes)), 0.5, 1.6)
    middle = np.column_stack([points, size * 0.6 + core * size * 0.4])
    paths = middle[:, None, None, :] + ways[:, :, None, :] * (
        reach[..., None, None] * np.array([0.4 * core, 1.0])[:, None]
    )
    foot = size * (rng.uniform(0.1, 0.25) if spikes < 20 else rng.uniform(0.03, 0.09))
    radii = np.repeat(np.stack([foot, foot * 0.15], axis=1)[:, None], spikes, axis=1)
    wires(on, paths.reshape(-1, 2, 3), radii.reshape(-1, 2), 1.15, first=100)
    return on.scene()


def _shells(rng: Rng, shape: Shape) -> Scene:
    """Hollow balls, some broken open, and bowls: a dark inside with a thin bright rim."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 6, 32)
    points = scatter(rng, shape, 1.9 * r, margin=r)
    points = points[: max(int(len(points) * rng.uniform(0.15, 0.95)), 2)][:120]
    radii = _radii(rng, len(points), r, rng.uniform(0.03, 0.25))
    put(on, balls, points, radii, 1.1, z=np.zeros(len(points)))
    y, x = grid(shape)
    broken = rng.random(len(points)) < rng.uniform(0.15, 0.9)
    wide = rng.uniform(0.4, 0.85)
    for (py, px), size, opened in zip(points, radii, broken, strict=True):
        if not opened:
            continue
        hole = size * np.clip(rng.normal(wide, 0.12), 0.25, 0.9)
        angle, away = rng.uniform(0, 2 * math.pi), (size - hole) * rng.uniform(0, 0.8)
        cy, cx = py + math.sin(angle) * away, px + math.cos(angle) * away
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (cy - hole - 1, cy + hole + 2, cx - hole - 1, cx + hole + 2))
        v, u = y[y0:y1] - np.float32(cy), x[:, x0:x1] - np.float32(cx)
        ragged = 1 + rng.uniform(0, 0.09) * np.sin(np.arctan2(v, u) * int(rng.integers(2, 6)) + rng.uniform(0, 6))
        d = np.hypot(v, u) / np.float32(hole) * ragged
        inner = np.float32(size - 0.95 * size) + size * (1 - np.sqrt(np.clip(1 - np.square(d) * 0.9, 0, 1)))
        part = on.height[y0:y1, x0:x1]
        np.copyto(part, np.minimum(part, inner).astype(np.float32), where=d < 1)
    return on.scene()


def _raspberries(rng: Rng, shape: Shape) -> Scene:
    """Balls covered by smaller balls of one size."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 9, 48)
    points = _places(rng, shape, r, 1)[:40]
    size = _radii(rng, len(points), r, rng.uniform(0.03, 0.15))
    put(on, balls, points, size, 1.0, z=np.zeros(len(points)))
    ratio = rng.uniform(0.1, 0.28)
    each = int(np.clip(1.6 / ratio**2 * rng.uniform(0.4, 1.4), 15, 2600 / len(points)))
    k = np.arange(each) + 0.5
    polar, turn = np.arccos(1 - k / each * 1.15), k * math.pi * (1 + 5**0.5)
    ways = np.stack([np.sin(polar) * np.sin(turn), np.sin(polar) * np.cos(turn), np.cos(polar)], axis=1)
    ways = ways[None] + rng.normal(0, ratio * 0.4, (len(points), each, 3))
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    middle = np.column_stack([points, size])
    where = (middle[:, None] + ways * size[:, None, None]).reshape(-1, 3)
    little = np.repeat(size, each) * ratio * np.clip(rng.normal(1, 0.1, len(where)), 0.6, 1.4)
    put(on, balls, where[:, :2], little, 1.15, z=where[:, 2], lift=0.0, first=100)
    return on.scene()


def _two_faced(rng: Rng, shape: Shape) -> Scene:
    """Janus balls: one half of another material, all turned one way or anyhow; patchy ones."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 5, 26)
    points = scatter(rng, shape, 2.05 * r, margin=r)
    points = points[: max(int(len(points) * rng.uniform(0.1, 0.95)), 2)][:260]
    number = len(points)
    put(on, balls, points, _radii(rng, number, r, 0.05), 0.8, z=np.zeros(number))
    angle = rng.normal(rng.uniform(0, 2 * math.pi), rng.choice([0.15, 3.0]), number)[on.owner].astype(np.float32)
    middle = points[on.owner].astype(np.float32)
    y, x = grid(shape)
    along = (y - middle[..., 0]) * np.sin(angle) + (x - middle[..., 1]) * np.cos(angle)
    cap = step(along, r * rng.uniform(-0.3, 0.4), 1.5) * (on.owner >= 0)
    on.material += cap.astype(np.float32) * np.float32(rng.uniform(0.4, 1.2))
    return on.scene()


def _flowers(rng: Rng, shape: Shape) -> Scene:
    """Hierarchical balls of petals: thin sheets that stand out from a middle."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 12, 60)
    points = _places(rng, shape, r, 1)[:22]
    size = _radii(rng, len(points), r, rng.uniform(0.05, 0.2))
    put(on, potatoes(rng, len(points), least=0.9, flat=0.9), points, size, 1.0, z=np.zeros(len(points)))
    found = cells(rng, shape, scale=float(np.clip(r * rng.uniform(0.12, 0.3), 3, 14)), jitter=1.0)
    there = on.owner >= 0
    thick = np.float32(rng.uniform(0.7, 1.6))
    petals = np.exp(-np.square(found.border / thick)) - np.float32(0.5)
    on.height += np.where(there, petals * np.float32(r * rng.uniform(0.12, 0.3)), 0).astype(np.float32)
    return on.scene()


def _crystal_close(rng: Rng, shape: Shape) -> Scene:
    """One large crystal, or a few, with facets, steps and little ones on them, on a ground."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.9)))
    habit = str(rng.choice(["cube", "octahedron", "dodecahedron", "hexagon", "bipyramid", "square"]))
    long = rng.uniform(0.2, 2.5)
    faces = table(habit, cut=rng.uniform(0, 0.8), long=long)
    number = int(rng.choice([1, 1, 2, 4]))
    radii = _radii(rng, number, shape[0] * rng.uniform(0.28, 0.5) / number**0.5, 0.15)
    points = np.array(shape) * rng.uniform((0.3, 0.3), (0.7, 0.7), (number, 2))
    form: Form = tumbled(rng, number, faces)
    put(on, form, points, radii, 1.1, z=np.zeros(number), lift=None, reach=1.15)
    there = on.owner >= 0
    kind = rng.integers(3)
    if kind == 0:
        terraces = np.floor(fbm(rng, shape, rng.uniform(20, 60), octaves=2) * rng.uniform(2, 6))
        on.height += np.where(there, terraces * np.float32(rng.uniform(0.5, 1.4)), 0).astype(np.float32)
    elif kind == 1:
        on.height += np.where(there, fbm(rng, shape, rng.uniform(3, 20)) * np.float32(rng.uniform(0.1, 0.8)), 0)
    few = int(rng.uniform(0, 50))
    small, lift = lying(rng, few, faces) if few else (balls, np.zeros(0))
    put(on, small, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(1.5, 7, few), 1.1, lift=lift, reach=1.15, first=10)
    return on.scene()


def _two_kinds(rng: Rng, shape: Shape) -> Scene:
    """Two sorts together: large balls and small crystals, or rods among plates; each of one size."""
    on = crowd(bed(rng, shape))
    sorts = [str(k) for k in rng.choice(["ball", "cube", "octahedron", "hexagon", "rod"], 2, replace=False)]
    for sort, r in zip(sorts, (log_uniform(rng, 7, 22), log_uniform(rng, 2.5, 8)), strict=True):
        points = _places(rng, shape, r)[:220]
        radii = _radii(rng, len(points), r, rng.uniform(0.02, 0.15))
        tone = rng.normal(log_uniform(rng, 0.8, 1.6), 0.04, len(points))
        if sort == "ball":
            put(on, balls, points, radii, tone)
        elif sort == "rod":
            put(on, spindles(rng, len(points), rng.uniform(2.5, 5)), points, radii * 1.5, tone, lift=0.35)
        else:
            form, lift = lying(rng, len(points), table(sort, long=0.25))
            put(on, form, points, radii, tone, lift=lift, reach=1.1)
    return on.scene()


def _upright_rods(rng: Rng, shape: Shape) -> Scene:
    """Short hexagonal pillars and platelets standing apart on a ground seen under an angle."""
    ground = bed(rng, shape)
    on: Crowd = crowd(ground)
    r = log_uniform(rng, 3, 11)
    feet = scatter(rng, shape, r * rng.uniform(2.2, 5), margin=2 * r)[:260]
    lengths = r * rng.uniform(1.0, 2.6) * np.clip(rng.normal(1, 0.15, len(feet)), 0.5, 1.6)
    view = rng.uniform(15, 50)
    paths = standing(feet, lengths, view=view, lean=rng.normal(0, rng.uniform(0.02, 0.25), (len(feet), 2)))
    order = np.argsort(feet[:, 0])
    radii = _radii(rng, len(feet), r, rng.uniform(0.05, 0.25))
    wires(on, paths[order], radii[order], rng.normal(1.0, 0.05, len(feet)), power=0.3)
    tops = paths[order][:, 1]
    squash = math.cos(math.radians(view))
    n, d = table("hexagon", long=0.05)
    form, _ = lying(rng, len(feet), (n, d), tip=0.0, down=int(n[:, 2].argmin()))

    def seen(v: Array, u: Array, which: Array) -> tuple[Array, Array]:
        return form(v / np.float32(squash), u, which)

    put(on, seen, tops[:, :2], radii[order] * 1.12, 1.15, z=tops[:, 2] + radii[order], lift=0.0, first=1000)
    return on.scene()


def _packed(rng: Rng, shape: Shape) -> Scene:
    """Crystals of one habit and size packed over the whole field, one or two deep."""
    on = crowd(Scene(np.zeros(shape, np.float32), np.full(shape, rng.uniform(0.4, 0.8), np.float32)))
    habit = str(rng.choice(["cube", "octahedron", "dodecahedron", "hexagon", "ball", "rice"]))
    r = log_uniform(rng, 4, 16)
    some = 24
    radii = _radii(rng, some, r, rng.uniform(0.02, 0.15))
    form: Form = balls
    if habit == "rice":
        form = spindles(rng, some, rng.uniform(1.5, 3), tip=0.3)
    elif habit != "ball":
        faces = table(habit, cut=rng.uniform(0, 0.6), long=rng.uniform(0.1, 0.6))
        form = (
            lying(rng, some, faces, tip=rng.uniform(0.02, 0.3))[0] if rng.random() < 0.6 else tumbled(rng, some, faces)
        )
    number = int(np.clip(np.prod(shape) * rng.uniform(0.7, 1.4) / (2.2 * r * r), 20, 430))
    points = rng.uniform((-4, -4), (shape[0] + 4, shape[1] + 4), (number, 7, 2))
    pool = patches(form, radii, 1.15)
    drop(on, rng, pool, rng.integers(0, some, number), points, sink=0.25, values=rng.normal(1.05, 0.04, number))
    doubled(on, rng, r * rng.uniform(0.3, 1.0), times=int(rng.integers(1, 3)))
    return on.scene()


ROWS = (
    ("packed", _packed, (0.3e-6, 100e-6)),
    ("cubes", _cubes, (0.2e-6, 500e-6)),
    ("octahedra", _octahedra, (0.2e-6, 200e-6)),
    ("plates", _plates, (0.5e-6, 100e-6)),
    ("bipyramids", _bipyramids, (0.2e-6, 50e-6)),
    ("rods", _rods, (0.2e-6, 20e-6)),
    ("rice and peanuts", _spindles, (0.5e-6, 50e-6)),
    ("stars and urchins", _stars, (0.3e-6, 50e-6)),
    ("shells", _shells, (0.5e-6, 200e-6)),
    ("raspberries", _raspberries, (0.3e-6, 100e-6)),
    ("two-faced", _two_faced, (0.5e-6, 100e-6)),
    ("flowers", _flowers, (1e-6, 100e-6)),
    ("crystal close-up", _crystal_close, (0.3e-6, 2e-3)),
    ("two sorts", _two_kinds, (0.5e-6, 200e-6)),
    ("upright pillars", _upright_rods, (0.5e-6, 20e-6)),
)
"""Rows of ``KINDS``."""
