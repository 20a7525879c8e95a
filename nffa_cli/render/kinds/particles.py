"""Particles: distinct objects that one could count.

Written rule, against Powder: sizes are narrow, or one habit is clear (balls, cubes, rods, plates, stars, octahedra,
hollow, core and shell, raspberries, two-faced); they lie dispersed on a ground that is seen, in small clusters, in
patches one or a few layers thick, on membranes, grids or tape, at the grain boundaries of a film, or one of them fills
the picture. Bulk without a ground and with sizes over a decade is Powder. Here: balls and how they lie; shapes are in
``particles_shaped``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, lacey, log_uniform, membrane, part
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, crowd, drop, patches, put
from nffa_cli.render.fields import Array, Shape, blur, cells, fbm, grid, step
from nffa_cli.render.habits import grains, potatoes, spindles
from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import particles_shaped
from nffa_cli.render.scene import Scene
from nffa_cli.render.shapes import scatter


def narrow(rng: Rng, number: int, r: float, *, spread: tuple[float, float] = (0.02, 0.2)) -> Array:
    """Return radii about ``r`` px, of a deviation between those of ``spread``."""
    return (r * np.clip(rng.normal(1, rng.uniform(*spread), number), 0.5, 1.8)).astype(np.float32)


def clutter(on: Crowd, rng: Rng, *, chance: float = 0.4) -> None:
    """Strew a few specks of dirt, now and then."""
    if rng.random() < chance:
        number = int(log_uniform(rng, 3, 120))
        points = rng.uniform((0, 0), on.shape, (number, 2))
        put(on, balls, points, rng.uniform(0.5, 1.5, number), 1.0, lift=rng.uniform(0, 0.8, number), first=50_000)


def _nearly_round(rng: Rng, number: int) -> Form:
    return balls if rng.random() < 0.65 else potatoes(rng, number, least=float(rng.uniform(0.75, 0.95)), flat=0.8)


def _dispersed(rng: Rng, shape: Shape) -> Scene:
    """Balls of one size strewn over a ground, some touching."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 1.3, 22)
    number = int(np.clip(np.prod(shape) * log_uniform(rng, 0.03, 0.6) / (math.pi * r * r), 4, 1500))
    points = rng.uniform((-r, -r), (shape[0] + r, shape[1] + r), (number, 2))
    if rng.random() < 0.6:
        points = scatter(rng, shape, 2 * r, margin=r)[:number]
    points[0] = rng.uniform(0.25, 0.75, 2) * shape
    radii = narrow(rng, len(points), r)
    values = rng.normal(log_uniform(rng, 0.8, 1.6), 0.04, len(points))
    put(on, _nearly_round(rng, len(points)), points, radii, values, z=np.zeros(len(points)), lift=rng.uniform(0.3, 1.0))
    clutter(on, rng)
    return on.scene()


def _clusters(rng: Rng, shape: Shape) -> Scene:
    """Small clusters: pairs, triangles, dozens, heaped in their middle, ground between."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 2.5, 12)
    clusters = int(np.clip(np.prod(shape) * rng.uniform(0.06, 0.3) / (r * r * 25), 3, 60))
    sizes = np.maximum(rng.exponential(rng.uniform(3, 14), clusters), 1).astype(int)
    of = np.repeat(np.arange(clusters), sizes)[:420]
    middle = rng.uniform((0, 0), shape, (clusters, 2))
    away = rng.standard_normal((len(of), 4, 2)) * (r * 0.75 * np.sqrt(sizes[of]))[:, None, None]
    radii = np.sort(narrow(rng, 16, r))
    pool = patches(_nearly_round(rng, 16), radii)
    values = rng.normal(log_uniform(rng, 0.9, 1.5), 0.05, len(of))
    drop(on, rng, pool, rng.integers(0, 16, len(of)), middle[of][:, None] + away, sink=0.2, values=values)
    clutter(on, rng)
    return on.scene()


def _monolayer(rng: Rng, shape: Shape) -> Scene:
    """Patches of a close-packed layer with vacancies and lines of misfit, ground between, a few on top."""
    on = crowd(bed(rng, shape, kind=None if rng.random() < 0.5 else "wafer"))
    r = log_uniform(rng, 2.0, 10)
    points = scatter(rng, shape, 2.02 * r, float(rng.choice([0.02, 0.1, 0.25, 1.0])), margin=r)
    angle = rng.uniform(0, math.pi / 3)
    c, s = math.cos(angle), math.sin(angle)
    if rng.random() < 0.7:
        wide = scatter(rng, (max(shape) * 2, max(shape) * 2), 2.02 * r, 0.06) - max(shape)
        points = wide @ np.array([[c, -s], [s, c]]) + np.array(shape) / 2
    near = np.rint(points).astype(int)
    inside = ((near >= -r) & (near < np.array(shape) + r)).all(axis=1)
    points, near = points[inside], near[inside].clip(0, np.array(shape) - 1)
    covered = part(rng, shape, share=rng.uniform(0.3, 0.9), ragged=rng.uniform(5, 30))
    if rng.random() < 0.5:
        covered = fbm(rng, shape, rng.uniform(20, 80)) > rng.uniform(-0.7, 0.6)
    kept = covered[near[:, 0], near[:, 1]] & (rng.random(len(points)) > rng.uniform(0.0, 0.12))
    points = points[kept][:2200]
    radii = narrow(rng, len(points), r, spread=(0.0, 0.06))
    put(on, balls, points, radii, rng.normal(1.1, 0.03, len(points)), z=np.zeros(len(points)))
    on_top = points[rng.random(len(points)) < rng.uniform(0, 0.15)] + r * 1.1
    if len(on_top) and rng.random() < 0.5:
        put(on, balls, on_top, narrow(rng, len(on_top), r), 1.1, z=np.full(len(on_top), 1.6 * r), first=5000)
    clutter(on, rng)
    return on.scene()


def _layers(rng: Rng, shape: Shape) -> Scene:
    """Balls of one size a few layers deep, disordered, with the edge of the layers or holes that show the ground."""
    on = crowd(bed(rng, shape, tone=(0.35, 0.8)))
    r = log_uniform(rng, 3.2, 13)
    where = part(rng, shape, share=min(rng.uniform(0.55, 1.25), 1.0), ragged=rng.uniform(5, 25))
    number = int(np.clip(np.prod(shape) * where.mean() * rng.uniform(1.0, 2.2) / (math.pi * r * r), 10, 520))
    chosen = np.flatnonzero(where)[rng.integers(0, where.sum(), (number, 6))]
    points = np.stack([chosen // shape[1], chosen % shape[1]], axis=-1)
    pool = patches(balls, np.sort(narrow(rng, 12, r, spread=(0.01, 0.08))))
    drop(on, rng, pool, rng.integers(0, 12, number), points, sink=0.1, values=rng.normal(1.05, 0.03, number))
    return on.scene()


def _filtered(rng: Rng, shape: Shape) -> Scene:
    """Particles on a track-etched membrane or a holey film, over and beside the holes."""
    on = crowd(membrane(rng, shape) if rng.random() < 0.65 else lacey(rng, shape))
    r = log_uniform(rng, 2, 14)
    number = int(np.clip(np.prod(shape) * log_uniform(rng, 0.03, 0.25) / (math.pi * r * r), 3, 450))
    points = rng.uniform((0, 0), shape, (number, 2))
    radii = narrow(rng, number, r)
    form = _nearly_round(rng, number) if rng.random() < 0.7 else spindles(rng, number, rng.uniform(1.5, 3))
    put(on, form, points, radii, rng.normal(1.2, 0.08, number), z=np.full(number, 0), lift=0.7)
    clutter(on, rng)
    return on.scene()


def _precipitates(rng: Rng, shape: Shape) -> Scene:
    """Particles at the grain boundaries and triple points of a film, a few inside the grains."""
    found = cells(rng, shape, scale=log_uniform(rng, 22, 80))
    tone = found.values(rng.normal(1, 0.06, found.count)).astype(np.float32)
    groove = np.exp(-np.square(found.border / np.float32(1.2))) * np.float32(rng.uniform(0.2, 1.5))
    on = crowd(Scene((fbm(rng, shape, 6) * 0.2 - groove).astype(np.float32), tone * np.float32(rng.uniform(0.5, 0.9))))
    r = log_uniform(rng, 1.3, 6)
    border = np.flatnonzero(found.border < max(r * 0.4, 0.7))
    number = int(np.clip(np.prod(shape) * rng.uniform(0.02, 0.12) / (math.pi * r * r), 10, 900))
    chosen = border[rng.integers(0, len(border), number)]
    points = np.stack([chosen // shape[1], chosen % shape[1]], axis=1) + rng.uniform(-0.5, 0.5, (number, 2))
    inside = rng.random(number) < rng.uniform(0, 0.4)
    points = np.where(inside[:, None], rng.uniform((0, 0), shape, (number, 2)), points)
    radii = narrow(rng, number, r, spread=(0.1, 0.35))
    put(on, _nearly_round(rng, number), points, radii, rng.normal(log_uniform(rng, 0.9, 2), 0.06, number), lift=0.3)
    return on.scene()


def _specks(rng: Rng, shape: Shape) -> Scene:
    """Nanoparticles as bright dots, from afar: dense and even, or in a patchy spread; hardly any relief."""
    ground = bed(rng, shape, tone=(0.3, 0.8))
    on = crowd(ground)
    r = log_uniform(rng, 0.7, 2.2)
    number = int(np.clip(np.prod(shape) * log_uniform(rng, 0.02, 0.3) / (math.pi * r * r), 40, 3500))
    if rng.random() < 0.5:
        points = scatter(rng, shape, r * rng.uniform(2.1, 4))[:number]
    else:
        dense = np.exp(fbm(rng, shape, rng.uniform(20, 90)) * rng.uniform(0.4, 1.4)).ravel().cumsum()
        at = np.searchsorted(dense, rng.uniform(0, dense[-1], number))
        points = np.stack([at // shape[1], at % shape[1]], axis=1) + rng.uniform(-0.5, 0.5, (number, 2))
    radii = narrow(rng, len(points), r, spread=(0.05, 0.3))
    bright = log_uniform(rng, 1.2, 2.2)
    put(on, balls, points, radii, rng.normal(bright, 0.1, len(points)), z=np.zeros(len(points)), lift=0.5)
    return on.scene()


def _droplets(rng: Rng, shape: Shape) -> Scene:
    """Dewetted metal: caps of large and of tiny size, each large one with an empty ring about it."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["wafer", "rough"]))))
    r = log_uniform(rng, 3, 14)
    points = scatter(rng, shape, 2.3 * r, margin=r)
    points = points[: int(len(points) * rng.uniform(0.4, 1))]
    radii = narrow(rng, len(points), r, spread=(0.1, 0.35))
    bright = log_uniform(rng, 1, 1.8)
    little = scatter(rng, shape, rng.uniform(2.2, 5))[:1200]
    y, x = np.rint(little).astype(int).clip(0, np.array(shape) - 1).T
    taken = np.zeros(shape, np.float32)
    near = np.rint(points).astype(int).clip(0, np.array(shape) - 1)
    taken[near[:, 0], near[:, 1]] = 1
    free = blur(taken, r * 0.8)[y, x] < 0.02 / r
    put(on, balls, little[free], narrow(rng, int(free.sum()), rng.uniform(0.7, 1.5)), bright, lift=0.1)
    put(on, balls, points, radii, bright, lift=rng.uniform(-0.2, 0.6), z=np.zeros(len(points)), first=5000)
    return on.scene()


def _close(rng: Rng, shape: Shape) -> Scene:
    """One ball, two or three fill the picture: smooth, grainy, pitted or wrinkled; the ground with some debris."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.9)))
    number = int(rng.choice([1, 1, 1, 2, 3]))
    r = narrow(rng, number, shape[0] * rng.uniform(0.2, 0.42) / math.sqrt(number), spread=(0.02, 0.25))
    points = np.array(shape) * rng.uniform((0.35, 0.3), (0.65, 0.7), (number, 2))
    points += (np.arange(number) - (number - 1) / 2)[:, None] * rng.standard_normal(2) * r.mean()
    put(on, _nearly_round(rng, number), points, r, rng.uniform(0.9, 1.3), z=np.full(number, -r.mean() * 0.6))
    there = on.owner >= 0
    skin = rng.integers(5)
    if skin == 0:
        on.height += np.where(
            there, fbm(rng, shape, rng.uniform(3, 14), octaves=3) * np.float32(rng.uniform(0.2, 1)), 0
        )
    elif skin == 1:
        found = cells(rng, shape, scale=log_uniform(rng, 4, 14))
        on.height += np.where(there, np.sqrt(found.border.clip(0)) * np.float32(rng.uniform(0.5, 1.6)), 0).astype(
            np.float32
        )
    elif skin == 2:
        scale = log_uniform(rng, 6, 20)
        pits = np.clip(1.5 - cells(rng, shape, scale=scale).distance / np.float32(scale * 0.25), 0, 1)
        on.height -= np.where(there, pits * np.float32(scale * 0.4), 0).astype(np.float32)
    elif skin == 3:
        stripes = np.sin(fbm(rng, shape, rng.uniform(15, 50), octaves=2) * rng.uniform(5, 14))
        on.height += np.where(there, stripes * np.float32(rng.uniform(0.4, 1.2)), 0).astype(np.float32)
    few = int(rng.uniform(0, 40))
    put(on, balls, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(0.8, 5, few), 1.0, lift=0.5, first=100)
    return on.scene()


def _stained(rng: Rng, shape: Shape) -> Scene:
    """A dried drop: particles dense along its rim and in patches, dark residue around them."""
    on = crowd(bed(rng, shape, kind="wafer", tone=(0.5, 1.0)))
    y, x = grid(shape)
    cy, cx, big = rng.uniform(-0.3, 1.3) * shape[0], rng.uniform(-0.3, 1.3) * shape[1], rng.uniform(0.4, 0.9) * shape[1]
    d = np.hypot(y - np.float32(cy), x - np.float32(cx)) + fbm(rng, shape, 50) * np.float32(rng.uniform(3, 15))
    rim = np.exp(-np.square((d - np.float32(big)) / np.float32(rng.uniform(4, 16))))
    inside = step(np.float32(big) - d, 0, 10)
    dense = rim + np.float32(rng.uniform(0.02, 0.2)) * inside + np.float32(0.004)
    on.material *= 1 - np.float32(rng.uniform(0.05, 0.4)) * inside * np.float32(0.5) - np.float32(0.15) * rim
    r = log_uniform(rng, 1.4, 7)
    number = int(np.clip(dense.sum() * rng.uniform(0.4, 0.9) / (math.pi * r * r), 20, 1500))
    total = dense.ravel().cumsum()
    at = np.searchsorted(total, rng.uniform(0, total[-1], number))
    points = np.stack([at // shape[1], at % shape[1]], axis=1) + rng.uniform(-0.5, 0.5, (number, 2))
    if number > 350:
        put(on, balls, points, narrow(rng, number, r), 1.2, z=np.zeros(number))
    else:
        pool = patches(balls, narrow(rng, 10, r))
        drop(on, rng, pool, rng.integers(0, 10, number), points[:, None], sink=0.1, values=np.full(number, 1.2))
    return on.scene()


def _core_and_shell(rng: Rng, shape: Shape) -> Scene:
    """Bright cores in dim, half transparent shells, touching or apart."""
    on = crowd(bed(rng, shape, kind="wafer", tone=(0.3, 0.7)))
    r = log_uniform(rng, 4, 18)
    points = scatter(rng, shape, rng.uniform(1.9, 2.2) * r, margin=r)
    points = points[: int(len(points) * rng.uniform(0.15, 0.9))][:400]
    radii = narrow(rng, len(points), r, spread=(0.02, 0.12))
    put(on, balls, points, radii, rng.uniform(0.7, 1.0), z=np.zeros(len(points)))
    y, x = grid(shape)
    share, bright = rng.uniform(0.35, 0.75), rng.uniform(0.5, 1.4)
    for (cy, cx), size in zip(points + rng.normal(0, r * 0.08, points.shape), radii, strict=True):
        core = share * size
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (cy - core - 1, cy + core + 2, cx - core - 1, cx + core + 2))
        d = np.hypot(y[y0:y1] - np.float32(cy), x[:, x0:x1] - np.float32(cx)) / np.float32(core)
        on.material[y0:y1, x0:x1] += np.float32(bright) * step(1 - d, 0, 2.5 / core)
    return on.scene(shade=float(rng.uniform(0.4, 1)))


def _nanocrystals(rng: Rng, shape: Shape) -> Scene:
    """Colloidal metal on a wafer: nearly round crystals, each a little unlike the next, alone, in pairs and in crowds."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["wafer", "rough", "granular"], p=[0.6, 0.25, 0.15]))))
    r = log_uniform(rng, 2, 11)
    number = int(np.clip(np.prod(shape) * log_uniform(rng, 0.03, 0.5) / (math.pi * r * r), 6, 900))
    dense = np.exp(fbm(rng, shape, rng.uniform(12, 90)) * rng.uniform(0.3, 2.2)).ravel().cumsum()
    at = np.searchsorted(dense, rng.uniform(0, dense[-1], number))
    points = np.stack([at // shape[1], at % shape[1]], axis=1) + rng.uniform(-0.5, 0.5, (number, 2))
    radii = narrow(rng, number, r, spread=(0.08, 0.28))
    facetted = rng.random() < 0.5 and number < 500
    form = grains(rng, number, faces=8, uneven=0.12) if facetted else potatoes(rng, number, least=0.75, flat=0.7)
    bright = log_uniform(rng, 0.9, 2.0)
    put(on, form, points, radii, rng.normal(bright, 0.06, number), z=np.zeros(number), lift=rng.uniform(0.5, 1.0))
    clutter(on, rng)
    return on.scene(shade=float(rng.uniform(0.6, 1)))


def _aggregates(rng: Rng, shape: Shape) -> Scene:
    """Little balls of one size stuck together to branched aggregates, on a ground that stays seen between them."""
    on = crowd(bed(rng, shape))
    r = log_uniform(rng, 1.6, 6)
    number = int(np.clip(np.prod(shape) * log_uniform(rng, 0.06, 0.3) / (math.pi * r * r), 12, 1200))
    chains = max(int(number / log_uniform(rng, 8, 90)), 2)
    long = number // chains + 1
    steps = rng.standard_normal((chains, long, 2))
    steps += rng.normal(0, rng.uniform(0, 0.5), (chains, 1, 2))
    walk = np.cumsum(steps / np.linalg.norm(steps, axis=2, keepdims=True), axis=1) * r * 1.7
    walk = walk - walk.mean(axis=1, keepdims=True) + rng.uniform((0, 0), shape, (chains, 2))[:, None]
    points = walk.reshape(-1, 2)
    near = np.rint(points).astype(int)
    points = points[((near >= -9) & (near < np.array(shape) + 9)).all(axis=1)]
    values = rng.normal(log_uniform(rng, 0.9, 1.7), 0.05, len(points))
    z = np.abs(rng.normal(0, rng.uniform(0, 1), len(points))) * r
    put(on, balls, points, narrow(rng, len(points), r), values, z=z, lift=0.9)
    clutter(on, rng)
    return on.scene()


KINDS = kinds(
    ("dispersed balls", _dispersed, (0.5e-6, 200e-6)),
    ("small clusters", _clusters, (0.5e-6, 100e-6)),
    ("monolayer", _monolayer, (0.5e-6, 100e-6)),
    ("layers", _layers, (0.5e-6, 200e-6)),
    ("filtered", _filtered, (2e-6, 100e-6)),
    ("precipitates", _precipitates, (0.5e-6, 30e-6)),
    ("specks", _specks, (0.2e-6, 10e-6)),
    ("droplets", _droplets, (0.5e-6, 30e-6)),
    ("close-up", _close, (0.2e-6, 300e-6)),
    ("dried drop", _stained, (1e-6, 2e-3)),
    ("core and shell", _core_and_shell, (0.2e-6, 5e-6)),
    ("nanocrystals", _nanocrystals, (0.2e-6, 10e-6)),
    ("aggregates", _aggregates, (0.3e-6, 20e-6)),
    *particles_shaped.ROWS,
)
