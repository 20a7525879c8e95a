"""Powder: loose bulk, seen as a heap or a filled field.

Written rule, against Particles: sizes go over a decade or more; grains are irregular, angular, flaky or agglomerated
(balls only when their sizes are broad and satellites sit on them); they lie on each other with deep, dark gaps; the
plain ground is absent, or seen at the rim and between grains, and one would weigh what is seen, not count it. One
clear habit or one size, on a ground, in clusters or layers that can be counted, is Particles.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform, part
from nffa_cli.render.crowd import Crowd, Form, Rng, balls, crowd, doubled, put, wires
from nffa_cli.render.fields import Array, Shape, blur, cells, fbm, ridged, turned
from nffa_cli.render.habits import grains, potatoes, spindles, table, tumbled
from nffa_cli.render.heaps import Sizes, broad, crumpled, fallen, heap, satellites, scattered, textured
from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import powder_fine, powder_loose, powder_metal
from nffa_cli.render.scene import Scene, perspective


def _field(rng: Rng, shape: Shape, *, bare: float = 0.25) -> tuple[Crowd, Array | None]:
    """Return where a powder is poured: mostly the whole field on its own like, at times with a rim of tape."""
    if rng.random() > bare:
        floor = Scene(fbm(rng, shape, 30) * np.float32(2), np.full(shape, rng.uniform(0.5, 0.9), np.float32))
        return crowd(floor), None
    on = crowd(bed(rng, shape, kind=str(rng.choice(["tape", "wafer", "rough"])), tone=(0.35, 0.8)))
    return on, part(rng, shape, share=float(rng.uniform(0.6, 0.93)), ragged=float(rng.uniform(8, 25)))


def _done(rng: Rng, on: Crowd, where: Array | None = None, *, charge: float = 0.15, deep: float = 0.85) -> Scene:
    """Return the scene: its gaps filled with more of the same (``deep``: how often), some grains charging, or tilted."""
    if where is None and rng.random() < deep:
        doubled(on, rng, float(rng.uniform(3, 12)), times=int(rng.integers(1, 3)))
    found = on.scene()
    if rng.random() < charge:
        bright = rng.random(64) < 0.12
        lit = np.where(on.owner >= 0, bright[on.owner % 64], False).astype(np.float32)
        found.charge = blur(lit, 1.5) * np.float32(rng.uniform(0.2, 1.0))
    if rng.random() < 0.15:
        found = perspective(found, float(rng.uniform(0.08, 0.25)))
    return found


def _atomised(rng: Rng, shape: Shape) -> Scene:
    """Gas-atomised metal: balls of all sizes with satellites, a few fused or elongated."""
    on, where = _field(rng, shape, bare=0.2)
    sizes = Sizes(log_uniform(rng, 3.5, 13), float(rng.uniform(1.5, 2.1)), 1.2, 45)
    form = balls if rng.random() < 0.5 else potatoes(rng, 44, least=0.8, flat=0.7)
    grown = heap(on, rng, lambda n: form, sizes, cover=rng.uniform(0.8, 2), where=where, sink=0.15)
    satellites(on, rng, grown, rng.uniform(0.3, 4))
    if rng.random() < 0.6:
        textured(on, rng, rng.uniform(0.1, 0.5), rng.uniform(2.5, 7))
    if rng.random() < 0.4:
        heap(on, rng, lambda n: grains(rng, n, uneven=0.5), Sizes(7, 1.5, 3, 16), cover=0.06, dust=False)
    return _done(rng, on, where, deep=0.4)


def _crushed(rng: Rng, shape: Shape) -> Scene:
    """Ground mineral: angular grains of all sizes, with dust on them."""
    on, where = _field(rng, shape)
    flat = float(rng.uniform(0.5, 1))
    faces = int(rng.integers(5, 11))
    heap(
        on, rng, lambda n: grains(rng, n, faces=faces, uneven=0.3, flat=flat), broad(rng), cover=rng.uniform(1, 2),
        where=where, sink=0.45,
    )  # fmt: skip
    if rng.random() < 0.5:  # broken faces are never quite plane
        crumpled(on, rng, rng.uniform(0.4, 1.4), rng.uniform(10, 26))
    if rng.random() < 0.8:
        textured(on, rng, rng.uniform(0.2, 1.1), rng.uniform(2, 8))
    if rng.random() < 0.7:
        number = int(rng.uniform(100, 1800))
        scattered(on, rng, rng.uniform(0.5, 1.4, number), fallen(rng, on, (number,), where))
    return _done(rng, on, where)


def _shards(rng: Rng, shape: Shape) -> Scene:
    """Broken glass or ceramic: few faces, sharp, smooth, thin splinters between."""
    on, where = _field(rng, shape)
    heap(
        on, rng, lambda n: grains(rng, n, faces=3, uneven=0.55, flat=rng.uniform(0.25, 0.6)), broad(rng, (4, 12)),
        cover=rng.uniform(0.9, 2), reach=1.15, where=where, sink=0.5,
    )  # fmt: skip
    return _done(rng, on, where, charge=0.3)


def _flakes(rng: Rng, shape: Shape) -> Scene:
    """Graphite, mica, clay: thin plates one over another at all tilts, sizes broad."""
    on, where = _field(rng, shape)
    thin, tip = float(rng.uniform(0.015, 0.1)), float(rng.uniform(0.2, 0.9))
    heap(
        on, rng, lambda n: grains(rng, n, faces=7, uneven=0.35, flat=thin, tip=tip), broad(rng, (5, 15)),
        cover=rng.uniform(1.4, 3), reach=1.1, where=where, sink=rng.uniform(0.3, 0.7), dust=rng.random() < 0.5,
    )  # fmt: skip
    return _done(rng, on, where)


def _bimodal(rng: Rng, shape: Shape) -> Scene:
    """Coarse grains with fines all over them."""
    on, where = _field(rng, shape, bare=0.15)
    coarse = Sizes(log_uniform(rng, 14, 30), 1.4, 8, 55)
    angular = rng.random() < 0.6
    heap(
        on, rng, lambda n: grains(rng, n, faces=8) if angular else potatoes(rng, n), coarse,
        cover=rng.uniform(0.6, 1.6), where=where,
    )  # fmt: skip
    fine = Sizes(log_uniform(rng, 1.0, 2.4), 1.5, 0.6, 6)
    patchy = fbm(rng, shape, rng.uniform(15, 50)) > rng.normal(-0.2, 0.7)
    if where is not None:
        patchy &= where
    number = int(rng.uniform(500, 2400))
    scattered(on, rng, fine.draw(rng, number), fallen(rng, on, (number,), patchy), tone=0.12)
    heap(on, rng, lambda n: grains(rng, n), Sizes(3.5, 1.3, 2.4, 7), cover=rng.uniform(0.05, 0.4), where=patchy)
    return _done(rng, on, where)


def _granules(rng: Rng, shape: Shape) -> Scene:
    """Spray-dried granules: round bodies of fine grains, dimpled or broken, with loose fines between."""
    on, where = _field(rng, shape)
    sizes = Sizes(log_uniform(rng, 7, 20), float(rng.uniform(1.4, 1.9)), 2.5, 50)
    form = potatoes(rng, 44, least=0.75, flat=0.75)
    grown = heap(on, rng, lambda n: form, sizes, cover=rng.uniform(1, 2.4), where=where, sink=0.2)
    v, u = (np.arange(k, dtype=np.float32) for k in shape)
    for y, x, r in grown[rng.random(len(grown)) < rng.uniform(0, 0.5)][:40]:
        y0, y1, x0, x1 = (int(max(k, 0)) for k in (y - r, y + r, x - r, x + r))
        hole = r * rng.uniform(0.2, 0.5)
        cy, cx = y + rng.normal(0, r * 0.2), x + rng.normal(0, r * 0.2)
        d = np.hypot(v[y0:y1, None] - np.float32(cy), u[None, x0:x1] - np.float32(cx)) / np.float32(hole)
        on.height[y0:y1, x0:x1] -= np.float32(hole * rng.uniform(0.6, 2)) * np.exp(-(d**4)).astype(np.float32)
    textured(on, rng, rng.uniform(0.3, 1.0), rng.uniform(1.6, 4))
    number = int(rng.uniform(50, 1500))
    scattered(on, rng, rng.uniform(0.5, 1.5, number), fallen(rng, on, (number,), where))
    return _done(rng, on, where)


def _salt(rng: Rng, shape: Shape) -> Scene:
    """Salt, sugar: bricks and cubes of very unlike sizes with worn corners, broken bits and dust."""
    on, where = _field(rng, shape)
    cut = float(rng.uniform(0, 0.7))
    stretched = rng.random() < 0.5

    def make(n: int) -> Form:
        if stretched:
            return grains(rng, n, faces=1, uneven=0.1, flat=float(rng.uniform(0.45, 0.8)))
        return tumbled(rng, n, table("cube", cut=cut))

    heap(on, rng, make, broad(rng, (4, 13)), cover=rng.uniform(1, 1.8), where=where, sink=0.5, reach=1.1)
    number = int(rng.uniform(100, 1500))
    scattered(on, rng, rng.uniform(0.5, 1.6, number), fallen(rng, on, (number,), where))
    if rng.random() < 0.5:
        textured(on, rng, rng.uniform(0.1, 0.4), rng.uniform(2, 6))
    return _done(rng, on, where, charge=0.35)


def _needles(rng: Rng, shape: Shape) -> Scene:
    """Acicular crystals in a loose heap: splinters and needles of all lengths, broken, with crumbs."""
    on, where = _field(rng, shape)
    aspect = float(rng.uniform(3.5, 9))
    prismatic = rng.random() < 0.6

    def make(n: int) -> Form:
        if prismatic:
            return tumbled(rng, n, table(str(rng.choice(["square", "hexagon"])), long=aspect))
        return spindles(rng, n, aspect, tip=0.5, spread=0.4)

    sizes = Sizes(log_uniform(rng, 10, 26), float(rng.uniform(1.5, 2)), 3, 60)
    heap(on, rng, make, sizes, cover=rng.uniform(2, 4), where=where, sink=0.45, dust=False)
    heap(on, rng, lambda n: grains(rng, n), Sizes(2.6, 1.6, 1, 9), cover=rng.uniform(0.05, 0.4), where=where)
    return _done(rng, on, where, charge=0.3)


def _atomised_by_water(rng: Rng, shape: Shape) -> Scene:
    """Water-atomised metal: knobbly bodies run together from a few drops."""
    on, where = _field(rng, shape)
    sizes = broad(rng, (4, 10), 30)
    least = float(rng.uniform(0.4, 0.7))
    for _ in range(2):
        grown = heap(
            on, rng, lambda n: potatoes(rng, n, least=least, flat=0.5), sizes, cover=rng.uniform(0.5, 1.0), where=where,
            sink=0.6, dust=False,
        )  # fmt: skip
        satellites(on, rng, grown, rng.uniform(0.8, 2.5), (0.35, 0.75))
    textured(on, rng, rng.uniform(0.2, 1.2), rng.uniform(3, 10))
    return _done(rng, on, where)


def _spongy(rng: Rng, shape: Shape) -> Scene:
    """Grains that are porous themselves: reduced iron, bone char, diatomite."""
    on, where = _field(rng, shape)
    form = rng.random() < 0.5
    heap(
        on, rng, lambda n: potatoes(rng, n) if form else grains(rng, n, faces=8, flat=0.7), broad(rng, (8, 20), 60),
        cover=rng.uniform(1.2, 2.2), where=where,
    )  # fmt: skip
    scale = log_uniform(rng, 4, 12)
    pits = np.clip(1.3 - cells(rng, shape, scale=scale).distance / np.float32(scale * 0.33), 0, 1)
    rough = ridged(rng, shape, scale * 1.5, octaves=3)
    there = on.owner >= 0
    on.height += np.where(there, -pits * np.float32(scale * rng.uniform(0.2, 0.6)) + rough * np.float32(scale * 0.3), 0)
    return _done(rng, on, where)


def _close(rng: Rng, shape: Shape) -> Scene:
    """One or two grains fill the picture, rough or facetted, fines on them, others dark behind."""
    on = crowd(Scene(np.full(shape, -40, np.float32), np.full(shape, 0.7, np.float32)))
    heap(on, rng, lambda n: grains(rng, n), broad(rng, (6, 14)), cover=1.6)
    r = rng.uniform(0.28, 0.6) * shape[1] * np.array([1.0, rng.uniform(0.3, 0.8)])[: int(rng.integers(1, 3))]
    points = rng.uniform((0.2, 0.15), (0.8, 0.85), (len(r), 2)) * shape
    form = grains(rng, len(r), faces=14) if rng.random() < 0.65 else potatoes(rng, len(r))
    put(on, form, points, r, 1.0, z=np.full(len(r), -60), lift=1.0, first=40_000)
    grain = on.owner >= 40_000
    bumps = fbm(rng, shape, rng.uniform(10, 40), octaves=5, gain=rng.uniform(0.4, 0.7))
    steps = np.float32(rng.uniform(2, 6))
    v, _ = turned(shape, rng.uniform(0, math.pi))
    layered = rng.random() < 0.35
    relief = np.abs((v / steps + bumps) % 2 - 1) * steps if layered else bumps * np.float32(rng.uniform(0.8, 4))
    on.height += np.where(grain, relief, 0)
    heap(
        on,
        rng,
        lambda n: grains(rng, n, uneven=0.4),
        Sizes(2.5, 1.9, 0.8, 14),
        cover=rng.uniform(0.1, 0.6),
        where=grain,
    )
    number = int(rng.uniform(0, 900))
    scattered(on, rng, rng.uniform(0.5, 1.5, number), fallen(rng, on, (number,)))
    return _done(rng, on, deep=0)


def _ash(rng: Rng, shape: Shape) -> Scene:
    """Fly ash: smooth balls from tiny to large, slag and shards between."""
    on, where = _field(rng, shape, bare=0.35)
    heap(
        on, rng, lambda n: grains(rng, n, uneven=0.5), broad(rng, (3, 8), 30), cover=rng.uniform(0.5, 1.4), where=where
    )
    sizes = Sizes(log_uniform(rng, 2.2, 6), float(rng.uniform(1.9, 2.6)), 0.8, 50)
    heap(on, rng, lambda n: balls, sizes, cover=rng.uniform(0.4, 1.4), where=where, sink=0.3, tone=0.15)
    return _done(rng, on, where)


def _lamellar(rng: Rng, shape: Shape) -> Scene:
    """Stacked sheets (layered carbides, clays): blocks whose sides show their layers, fanned open."""
    on, where = _field(rng, shape)
    heap(
        on, rng, lambda n: grains(rng, n, faces=6, flat=rng.uniform(0.4, 0.9)), broad(rng, (9, 22), 60),
        cover=rng.uniform(1.2, 2.4), where=where,
    )  # fmt: skip
    directions = rng.uniform(0, 2 * math.pi, 64)[on.owner % 64].astype(np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    period = np.float32(rng.uniform(2.2, 5))
    along = y * np.sin(directions) + x * np.cos(directions) + on.height * np.float32(0.7)
    along += fbm(rng, shape, 25) * np.float32(rng.uniform(1, 5))
    layers = np.abs((along / period) % 2 - 1)
    on.height += np.where(on.owner >= 0, layers * period * np.float32(rng.uniform(0.4, 1.0)), 0)
    return _done(rng, on, where)


def _chips(rng: Rng, shape: Shape) -> Scene:
    """Milled chips and curls: bent strips among crumbs."""
    on, where = _field(rng, shape)
    heap(
        on, rng, lambda n: grains(rng, n, uneven=0.5), broad(rng, (3, 7), 20), cover=rng.uniform(0.8, 1.6), where=where
    )
    number = int(rng.uniform(15, 90))
    length = Sizes(log_uniform(rng, 15, 50), 1.6, 8, 120).draw(rng, number)
    t = np.linspace(0, 1, 9)[None, :]
    direction = rng.uniform(0, 2 * math.pi, (number, 1)) + rng.normal(0, 1.4, (number, 1)) * t
    start = fallen(rng, on, (number,), where)
    near = np.rint(start).astype(int)
    lift = on.height[near[:, 0].clip(0, shape[0] - 1), near[:, 1].clip(0, shape[1] - 1)][:, None]
    lift = (
        lift
        + rng.uniform(0, 5, (number, 1))
        + np.sin(t * math.pi) * rng.uniform(0, 0.25, (number, 1)) * length[:, None]
    )
    paths = np.stack(
        [
            start[:, :1] + np.cumsum(np.sin(direction), axis=1) / 9 * length[:, None],
            start[:, 1:] + np.cumsum(np.cos(direction), axis=1) / 9 * length[:, None],
            lift,
        ],
        axis=2,
    )
    width = length * rng.uniform(0.06, 0.2, number)
    wires(on, paths, np.maximum(width, 1.2), rng.normal(1, 0.1, number), flat=0.3, power=0.2)
    textured(on, rng, 0.5, 3)
    return _done(rng, on, where)


def _dusty_tape(rng: Rng, shape: Shape) -> Scene:
    """Powder strewn on tape: grains and clumps of all sizes in a thin, uneven layer."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["tape", "wafer", "rough"])), tone=(0.3, 0.7)))
    where = fbm(rng, shape, rng.uniform(25, 80), octaves=4) > rng.uniform(-0.8, 0.3)
    kind = rng.integers(3)

    def make(n: int) -> Form:
        return (grains(rng, n, uneven=0.4), potatoes(rng, n, least=0.5), grains(rng, n, flat=0.3, tip=0.5))[kind]

    heap(on, rng, make, broad(rng, (2.5, 7), 40), cover=rng.uniform(0.8, 2), where=where)
    heap(on, rng, make, Sizes(2, 1.8, 0.7, 9), cover=rng.uniform(0.05, 0.3))
    return _done(rng, on, where, deep=0.5)


KINDS = kinds(
    ("gas-atomised", _atomised, (50e-6, 1e-3)),
    ("crushed", _crushed, (5e-6, 3e-3)),
    ("shards", _shards, (10e-6, 2e-3)),
    ("flakes", _flakes, (5e-6, 500e-6)),
    ("coarse and fine", _bimodal, (10e-6, 2e-3)),
    ("granules", _granules, (20e-6, 1e-3)),
    ("salt", _salt, (20e-6, 5e-3)),
    ("needles", _needles, (5e-6, 1e-3)),
    ("water-atomised", _atomised_by_water, (50e-6, 1e-3)),
    ("spongy grains", _spongy, (20e-6, 1e-3)),
    ("close-up", _close, (5e-6, 300e-6)),
    ("ash", _ash, (10e-6, 500e-6)),
    ("lamellar", _lamellar, (5e-6, 200e-6)),
    ("chips", _chips, (50e-6, 5e-3)),
    ("strewn", _dusty_tape, (20e-6, 5e-3)),
    *powder_fine.ROWS,
    *powder_loose.ROWS,
    *powder_metal.ROWS,
)
