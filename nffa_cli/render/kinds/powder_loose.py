"""Powder without a habit: irregular grains, lumps of lumps, granules of primary grains, hollow and dented ones; see ``powder``.

What separates them from a sponge: each grain ends, lies on others and hides them; what is dark is between grains.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform, part
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, crowd, doubled, put
from nffa_cli.render.fields import Array, Shape, blur, fbm, grid, ridged
from nffa_cli.render.habits import grains, potatoes
from nffa_cli.render.heaps import Sizes, broad, crumpled, fallen, heap, scattered, textured
from nffa_cli.render.scene import Scene, perspective
from nffa_cli.render.spheres import skin


def _start(rng: Rng, shape: Shape, *, bare: float = 0.35) -> tuple[Crowd, Array | None]:
    """Return a floor of the same matter, or tape with a heap, islands or strewn patches on it."""
    if rng.random() > bare:
        floor = Scene(fbm(rng, shape, 30) * np.float32(3) - 4, np.full(shape, rng.uniform(0.4, 0.9), np.float32))
        return crowd(floor), None
    on = crowd(bed(rng, shape, kind=str(rng.choice(["tape", "wafer", "rough"], p=[0.6, 0.2, 0.2])), tone=(0.15, 0.8)))
    if rng.random() < 0.5:
        return on, fbm(rng, shape, log_uniform(rng, 25, 90), octaves=4) > rng.uniform(-1.0, 0.4)
    return on, part(rng, shape, share=float(rng.uniform(0.5, 0.95)), ragged=float(rng.uniform(10, 30)))


def _end(rng: Rng, on: Crowd, where: Array | None, *, charge: float = 0.25) -> Scene:
    """Return the scene; insulators charge: single grains, or whatever stands out."""
    if where is None and rng.random() < 0.6:
        doubled(on, rng, float(rng.uniform(4, 12)))
    found = on.scene(shade=float(rng.uniform(0.7, 1)))
    if rng.random() < charge:
        if rng.random() < 0.5:
            bright = rng.random(64) < rng.uniform(0.05, 0.3)
            lit = np.where(on.owner >= 0, bright[on.owner % 64], False).astype(np.float32)
        else:
            lit = np.clip((on.height - blur(on.height, 20)) / np.float32(12), 0, 1.5)
        found.charge = blur(lit, 1.2) * np.float32(rng.uniform(0.2, 0.9))
    return perspective(found, float(rng.uniform(0.06, 0.22))) if rng.random() < 0.12 else found


def _irregular(rng: Rng, shape: Shape) -> Scene:
    """Grains as they come from a mill or a kiln: no two alike, bays and corners, rough, fines on and between them."""
    on, where = _start(rng, shape)
    angular = rng.random() < 0.55

    def make(n: int) -> Form:
        return grains(rng, n, faces=12, uneven=0.5, flat=0.7) if angular else potatoes(rng, n, least=0.5, flat=0.45)

    sizes = broad(rng, (3.5, 13), 50)
    heap(on, rng, make, sizes, cover=rng.uniform(1, 2.2), where=where, sink=0.4, tone=0.06)
    crumpled(on, rng, rng.uniform(0.1, 0.32) * sizes.middle, sizes.middle * rng.uniform(0.7, 2))
    textured(on, rng, rng.uniform(0.2, 1.6), rng.uniform(3, 12))
    if rng.random() < 0.7:
        number = int(log_uniform(rng, 60, 1800))
        scattered(on, rng, rng.uniform(0.5, 1.6, number), fallen(rng, on, (number,), where))
    return _end(rng, on, where)


def _lumps(rng: Rng, shape: Shape) -> Scene:
    """Agglomerates of every size down to what is just seen, each a lump of smaller ones: oxides, pigments, catalysts."""
    on, where = _start(rng, shape)
    big = Sizes(log_uniform(rng, 7, 22), float(rng.uniform(1.5, 2.2)), 2.5, 60)
    heap(on, rng, lambda n: potatoes(rng, n, least=0.5), big, cover=rng.uniform(0.7, 1.7), where=where, dust=False)
    crumpled(on, rng, big.middle * rng.uniform(0.12, 0.3), big.middle * rng.uniform(0.6, 1.4))
    there = on.owner >= 0
    middling = Sizes(log_uniform(rng, 2.2, 4.5), 1.6, 1.0, 12)
    number = int(np.clip(there.sum() * rng.uniform(0.4, 1.2) / middling.middle**2 / math.pi, 20, 900))
    points = fallen(rng, on, (number,), there if there.any() else None)
    radii = middling.draw(rng, number)
    put(
        on,
        potatoes(rng, number, least=0.5),
        points,
        radii,
        rng.normal(1, 0.05, number),
        lift=rng.uniform(-0.6, 0.4, number),
        first=5000,
    )
    fine = int(np.clip(there.sum() * rng.uniform(0.1, 0.5) / 2, 200, 2600))
    scattered(
        on,
        rng,
        rng.uniform(0.5, 1.7, fine),
        fallen(rng, on, (fine,), there if there.any() else None),
        sunk=(-0.5, 0.5),
        tone=0.05,
    )
    loose = int(log_uniform(rng, 10, 500))
    scattered(on, rng, np.minimum(rng.exponential(0.9, loose) + 0.5, 4), fallen(rng, on, (loose,)))
    textured(on, rng, rng.uniform(0.1, 0.8), rng.uniform(2, 5))
    return _end(rng, on, where)


def _secondary(rng: Rng, shape: Shape) -> Scene:
    """Granules grown together from primary grains, as battery makers use them: round, knobbly, some cracked or broken."""
    on, where = _start(rng, shape)
    sizes = Sizes(log_uniform(rng, 6, 24), float(rng.uniform(1.3, 1.8)), 2.5, 62)
    form = potatoes(rng, 44, least=0.8, flat=0.8)
    grown = heap(on, rng, lambda n: form, sizes, cover=rng.uniform(0.8, 2.2), where=where, sink=0.2, tone=0.04)
    primary = max(sizes.middle * rng.uniform(0.12, 0.4), 1.8)
    skin(on, rng, grown, scale=primary, depth=float(rng.uniform(0.25, 0.5)) * primary)
    if rng.random() < 0.3:
        crack = np.clip(ridged(rng, shape, sizes.middle * 1.5, octaves=2) * 20 - 18.6, 0, 1)
        on.height -= np.where(on.owner >= 0, crack * np.float32(sizes.middle * 0.5), 0).astype(np.float32)
    number = int(log_uniform(rng, 30, 900))
    scattered(on, rng, rng.uniform(0.4, 0.9, number) * min(primary, 4) * 0.7, fallen(rng, on, (number,)))
    return _end(rng, on, where, charge=0.15)


def _hollow(rng: Rng, shape: Shape) -> Scene:
    """Spray-dried drops that fell in or broke: dented, dimpled, folded, or shells with a dark hole and a thin rim."""
    on, where = _start(rng, shape)
    sizes = Sizes(log_uniform(rng, 7, 22), float(rng.uniform(1.4, 1.9)), 2.5, 55)
    form = balls if rng.random() < 0.6 else potatoes(rng, 44, least=0.8, flat=0.7)
    grown = heap(on, rng, lambda n: form, sizes, cover=rng.uniform(0.8, 2.0), where=where, sink=0.15, dust=False)
    y, x = grid(shape)
    dents, holes = rng.uniform(0.2, 1), rng.uniform(0, 0.35)
    uneven = fbm(rng, shape, max(sizes.middle, 10), octaves=2)
    for index, (cy, cx, r) in enumerate(grown[:220]):
        if r < 3:
            continue
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (cy - r, cy + r + 1, cx - r, cx + r + 1))
        mine = on.owner[y0:y1, x0:x1] == index
        draw = rng.random()
        if draw > dents + holes or not mine.any():
            continue
        out, turn = r * rng.uniform(0, 0.6), rng.uniform(0, 2 * math.pi)
        d = np.hypot(
            y[y0:y1] - np.float32(cy + out * math.sin(turn)), x[:, x0:x1] - np.float32(cx + out * math.cos(turn))
        )
        d = d / np.float32(r * rng.uniform(0.35, 0.75)) + np.float32(0.07) * uneven[y0:y1, x0:x1]
        if draw < holes:
            deep = np.clip((1 - d) * 12, 0, 1) * np.float32(1.5 * r) * np.sqrt(np.clip(1.2 - d * d, 0, None))
            on.material[y0:y1, x0:x1] *= np.where(mine & (d < 1), np.float32(0.6), 1)
        else:
            deep = np.exp(-(d**2) * 1.5) * np.float32(r * rng.uniform(0.2, 0.9))
        on.height[y0:y1, x0:x1] -= np.where(mine, deep, 0).astype(np.float32)
    if rng.random() < 0.5:
        folds = ridged(rng, shape, sizes.middle * rng.uniform(0.4, 1), octaves=2)
        on.height += np.where(on.owner >= 0, folds * np.float32(sizes.middle * rng.uniform(0.05, 0.3)), 0).astype(
            np.float32
        )
    number = int(log_uniform(rng, 20, 600))
    scattered(on, rng, rng.uniform(0.5, 2, number), fallen(rng, on, (number,), where))
    return _end(rng, on, where)


def _flour(rng: Rng, shape: Shape) -> Scene:
    """Starch and flour: smooth, rounded grains, large lentils and small balls, crumbs stuck to them."""
    on, where = _start(rng, shape)
    middle = log_uniform(rng, 7, 17)
    least = float(rng.uniform(0.6, 0.85))
    large = Sizes(middle, 1.3, middle * 0.4, 45)
    heap(on, rng, lambda n: potatoes(rng, n, least=least), large, cover=rng.uniform(0.7, 1.6), where=where, dust=False)
    small = Sizes(middle * rng.uniform(0.2, 0.45), 1.5, 1.2, middle)
    heap(on, rng, lambda n: potatoes(rng, n, least=0.7), small, cover=rng.uniform(0.1, 0.7), where=where, sink=0.2)
    number = int(log_uniform(rng, 20, 700))
    scattered(on, rng, rng.uniform(0.5, 1.4, number), fallen(rng, on, (number,), where))
    return _end(rng, on, where, charge=0.35)


def _nano(rng: Rng, shape: Shape) -> Scene:
    """Nanopowder at its highest magnification: small rounded grains grown to irregular heaps, soft for want of signal."""
    on, where = _start(rng, shape, bare=0.3)
    lumps = fbm(rng, shape, log_uniform(rng, 25, 80), octaves=5, gain=0.6) * np.float32(rng.uniform(5, 14))
    on.height += lumps if where is None else np.where(where, np.maximum(lumps, 0) + 2, 0)
    r = log_uniform(rng, 1.6, 5)
    sizes = Sizes(r, float(rng.uniform(1.2, 1.7)), 0.8, 14)
    number = int(np.clip(np.prod(shape) * rng.uniform(1, 2.2) / (math.pi * r * r), 150, 2800))
    points, radii = fallen(rng, on, (number,), where), sizes.draw(rng, number)
    lift = rng.uniform(-0.4, 2.5, number)
    axes = potatoes(rng, number, least=0.6) if number < 1500 else balls
    put(on, axes, points, radii, rng.normal(1, 0.04, number), lift=lift)
    doubled(on, rng, float(rng.uniform(2, 5)), times=int(rng.integers(1, 3)))
    crumpled(on, rng, rng.uniform(0.2, 0.5) * r, r * rng.uniform(1.2, 3))
    found = _end(rng, on, np.ones(shape, bool))
    found.height = blur(found.height, float(rng.uniform(0.3, 0.8)))
    return found


ROWS = (
    ("irregular grains", _irregular, (2e-6, 3e-3)),
    ("lumps of lumps", _lumps, (1e-6, 500e-6)),
    ("secondary granules", _secondary, (5e-6, 200e-6)),
    ("hollow granules", _hollow, (10e-6, 1e-3)),
    ("flour", _flour, (20e-6, 500e-6)),
    ("nanopowder", _nano, (0.5e-6, 10e-6)),
)
"""Rows of ``KINDS``."""
