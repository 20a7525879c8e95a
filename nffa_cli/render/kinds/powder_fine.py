"""Powder of grains too fine to be seen one by one: agglomerates, fluff, overviews, slopes, ferns; see ``powder``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform, part
from nffa_cli.render.crowd import Crowd, Rng, balls, crowd, doubled, put, wires
from nffa_cli.render.fields import Array, Shape, blur, fbm, ridged
from nffa_cli.render.habits import grains, potatoes, turns
from nffa_cli.render.heaps import Sizes, broad, crumpled, fallen, heap, scattered, textured
from nffa_cli.render.scene import Scene, perspective


def _floor(rng: Rng, shape: Shape) -> Crowd:
    return crowd(Scene(fbm(rng, shape, 40) * np.float32(5), np.full(shape, rng.uniform(0.6, 0.95), np.float32)))


def _cauliflower(rng: Rng, shape: Shape) -> Scene:
    """Agglomerates of agglomerates, the primary grains just resolved."""
    on = _floor(rng, shape)
    heap(on, rng, lambda n: potatoes(rng, n, least=0.6), broad(rng, (9, 22), 55), cover=rng.uniform(1.2, 2), sink=0.6)
    textured(on, rng, rng.uniform(0.8, 2), rng.uniform(6, 14))
    sizes = Sizes(log_uniform(rng, 1.0, 3.0), rng.uniform(1.25, 1.7), 0.7, 7)
    number = int(np.clip(np.prod(shape) * 1.6 / sizes.middle**2 / math.pi, 400, 3000))
    scattered(on, rng, sizes.draw(rng, number), fallen(rng, on, (number,)), sunk=(-0.3, 0.5), tone=0.05)
    found = on.scene()
    if rng.random() < 0.3:
        found.charge = np.maximum(fbm(rng, shape, 50), 0) * np.float32(rng.uniform(0.1, 0.5))
    return found


def _fluff(rng: Rng, shape: Shape) -> Scene:
    """Carbon black, fumed oxide: chains of tiny balls in a loose web with deep gaps."""
    on = crowd(Scene(np.full(shape, -25, np.float32), np.full(shape, rng.uniform(0.4, 0.8), np.float32)))
    r = log_uniform(rng, 1.1, 3.2)
    number = int(np.clip(np.prod(shape) * rng.uniform(0.3, 0.7) / r**2, 1000, 3600))
    layers = fbm(rng, shape, rng.uniform(20, 60), octaves=4) * np.float32(rng.uniform(4, 12))
    chains = int(number / rng.uniform(15, 60)) + 1
    long = number // chains + 1
    start = fallen(rng, on, (chains,))
    steps = rng.standard_normal((chains, long, 3))
    steps += rng.normal(0, rng.uniform(0, 0.5), (chains, 1, 3))
    walk = np.cumsum(steps / np.linalg.norm(steps, axis=2, keepdims=True), axis=1) * r * 1.35
    points = (start[:, None, :] + walk[..., :2]).reshape(-1, 2)
    near = np.rint(points).astype(int)
    z = layers[near[:, 0].clip(0, shape[0] - 1), near[:, 1].clip(0, shape[1] - 1)] + walk[..., 2].ravel() * 0.7
    radii = r * np.exp(rng.normal(0, rng.uniform(0.2, 0.5), len(points)))
    put(on, balls, points, radii, 1.0, z=z, lift=0.0)
    doubled(on, rng, rng.uniform(2, 7), times=int(rng.integers(2, 5)))
    if rng.random() < 0.6:
        crumpled(on, rng, rng.uniform(0.25, 0.6) * r, r * rng.uniform(1.5, 4))
    return on.scene()


def _overview(rng: Rng, shape: Shape) -> Scene:
    """A heap from afar: grains of a few pixels and some larger ones, the edge of the heap on its stub."""
    rim = rng.random() < 0.6
    on = crowd(bed(rng, shape, tone=(0.3, 0.8))) if rim else _floor(rng, shape)
    where = part(rng, shape, share=rng.uniform(0.45, 0.95), ragged=rng.uniform(5, 30)) if rim else np.ones(shape, bool)
    mound = blur(where.astype(np.float32), 12) * np.float32(rng.uniform(6, 25))
    mound += fbm(rng, shape, rng.uniform(20, 80), octaves=4) * np.float32(rng.uniform(1, 5))
    on.height += np.where(where, mound, 0)
    sizes = Sizes(log_uniform(rng, 0.9, 2.2), rng.uniform(1.4, 1.9), 0.6, 14)
    heap(on, rng, lambda n: grains(rng, n, uneven=0.4), sizes, cover=rng.uniform(0.8, 1.8), where=where, sink=0.7)
    number = int(rng.uniform(0, 250))
    scattered(on, rng, sizes.draw(rng, number).clip(0.6, 2), fallen(rng, on, (number,)))
    found = on.scene()
    return perspective(found, rng.uniform(0.1, 0.3)) if rng.random() < 0.35 else found


def _slope(rng: Rng, shape: Shape) -> Scene:
    """A heap seen under an angle: grains get smaller and denser towards the back, a dark background behind the crest."""
    on = _floor(rng, shape)
    rise = np.linspace(rng.uniform(15, 60), 0, shape[0], dtype=np.float32)[:, None]
    on.height += rise
    flat = rng.uniform(0.4, 1)
    heap(on, rng, lambda n: grains(rng, n, uneven=0.4, flat=flat), broad(rng, (3, 9), 30), cover=rng.uniform(1.2, 2.2))
    doubled(on, rng, 5)
    found = perspective(on.scene(), rng.uniform(0.1, 0.28))
    if rng.random() < 0.5:
        crest = shape[0] * rng.uniform(0.05, 0.35) + fbm(rng, (1, shape[1]), (1, 60), octaves=4)[0] * rng.uniform(3, 14)
        crest += fbm(rng, (1, shape[1]), (1, 9), octaves=2)[0] * rng.uniform(0.5, 2.5)
        behind = np.arange(shape[0])[:, None] < crest[None, :]
        found.height = np.where(behind, np.float32(-60), found.height)
        found.material = np.where(behind, np.float32(rng.uniform(0.1, 0.4)), found.yields)
    return found


def _dendrites(rng: Rng, shape: Shape) -> Scene:
    """Electrolytic copper or silver: fern-like bodies with side arms, in a loose heap."""
    on = crowd(Scene(np.full(shape, -32, np.float32), np.full(shape, rng.uniform(0.5, 0.8), np.float32)))
    stems = int(rng.uniform(40, 100))
    length = Sizes(log_uniform(rng, 22, 60), 1.5, 10, 110).draw(rng, stems)
    by = turns(rng, stems) * np.array([1, 1, 0.7])[None, :, None]
    start = fallen(rng, on, (stems,))
    level = rng.uniform(-12, 16, stems)
    arms = int(rng.integers(8, 16))
    t = np.linspace(0.08, 1, arms)
    side = np.where(np.arange(arms) % 2, 1.0, -1.0)
    reach = (1 - t) * rng.uniform(0.3, 0.6) + 0.06
    angle = rng.uniform(0.8, 1.2)
    roots = np.stack([t, np.zeros(arms), np.zeros(arms)], axis=1)
    ends = roots + np.stack([reach * math.cos(angle), reach * side * math.sin(angle), np.zeros(arms)], axis=1)
    branch = np.stack([roots, ends], axis=1).reshape(-1, 2, 3)
    trunk = np.array([[[0, 0, 0], [1, 0, 0]]], float)
    local = np.concatenate([trunk, branch])
    paths = np.einsum("nij,bpj->nbpi", by, local) * length[:, None, None, None]
    paths = paths[..., [1, 0, 2]]
    paths[..., 0] += start[:, None, None, 0]
    paths[..., 1] += start[:, None, None, 1]
    paths[..., 2] += level[:, None, None]
    radii = np.repeat(np.maximum(length * rng.uniform(0.018, 0.045), 0.8)[:, None], len(local), axis=1)
    wires(on, paths.reshape(-1, 2, 3), radii.ravel(), 1.0)
    tips = paths[:, :, 1].reshape(-1, 3)[:: int(rng.integers(1, 3))][:1400]
    if rng.random() < 0.7:
        put(on, balls, tips[:, :2], rng.uniform(0.8, 2.2, len(tips)), 1.0, z=tips[:, 2], lift=0.0)
    doubled(on, rng, rng.uniform(2, 6), times=int(rng.integers(2, 4)))
    return on.scene()


def _caked(rng: Rng, shape: Shape) -> Scene:
    """Fine powder pressed or caked: lumps with cracks between and crumbs on top."""
    crack = ridged(rng, shape, rng.uniform(40, 110), octaves=3)
    height = fbm(rng, shape, rng.uniform(15, 40), octaves=4) * np.float32(rng.uniform(2, 5))
    height -= np.float32(rng.uniform(15, 40)) * np.clip(crack * 6 - rng.uniform(4.2, 5.0), 0, 1).astype(np.float32)
    on = crowd(Scene(height, np.full(shape, 0.95, np.float32)))
    sizes = Sizes(log_uniform(rng, 0.9, 2.0), rng.uniform(1.4, 1.9), 0.6, 12)
    number = int(rng.uniform(1200, 3000))
    scattered(on, rng, sizes.draw(rng, number), fallen(rng, on, (number,)), sunk=(-0.5, 0.4), tone=0.06)
    heap(on, rng, lambda n: grains(rng, n, uneven=0.4), Sizes(3, 1.7, 1.5, 18), cover=rng.uniform(0.02, 0.3), sink=0.6)
    crumpled(on, rng, rng.uniform(0.2, 0.9), rng.uniform(4, 12))
    return on.scene()


def _clumps(rng: Rng, shape: Shape) -> Scene:
    """Loose clumps of fine grains, each a ragged ball of hundreds, on tape or on more of them."""
    bare = rng.random() < 0.35
    on = crowd(bed(rng, shape, kind="tape", tone=(0.35, 0.7))) if bare else _floor(rng, shape)
    clumps = int(rng.uniform(20, 60)) if bare else int(rng.uniform(40, 90))
    size = Sizes(log_uniform(rng, 7, 20), 1.7, 3, 55).draw(rng, clumps)
    middle = fallen(rng, on, (clumps,))
    r = log_uniform(rng, 1.0, 2.6)
    counts = np.minimum(np.square(size / r) * rng.uniform(1.2, 2.2), 700).astype(int) + 1
    of = np.repeat(np.arange(clumps), counts)[:3500]
    ball = rng.standard_normal((len(of), 3))
    ball *= (rng.uniform(0, 1, len(of)) ** 0.45 / np.linalg.norm(ball, axis=1))[:, None]
    ball = np.einsum("nij,nj->ni", (turns(rng, clumps) * rng.uniform(0.6, 1.3, (clumps, 1, 3)))[of], ball)
    points = middle[of] + ball[:, :2] * size[of, None]
    z = size[of] * (0.7 + 0.7 * ball[:, 2]) + rng.uniform(-6, 10, clumps)[of] * (not bare)
    radii = r * np.exp(rng.normal(0, 0.5, len(of)))
    facetted: Array = rng.random() < 0.4
    form = grains(rng, len(of), faces=4) if facetted and len(of) < 2500 else balls
    put(on, form, points, radii, rng.normal(1, 0.06, len(of)), z=z, lift=0.0)
    if not bare:
        doubled(on, rng, rng.uniform(3, 8), times=2)
    crumpled(on, rng, rng.uniform(0.3, 0.7) * r, 2.5 * r)
    number = int(rng.uniform(30, 600))
    scattered(on, rng, rng.uniform(0.5, 1.6, number), fallen(rng, on, (number,)))
    return on.scene()


ROWS = (
    ("cauliflower", _cauliflower, (2e-6, 100e-6)),
    ("fluff", _fluff, (1e-6, 20e-6)),
    ("overview", _overview, (200e-6, 5e-3)),
    ("slope", _slope, (50e-6, 5e-3)),
    ("dendrites", _dendrites, (20e-6, 500e-6)),
    ("caked", _caked, (10e-6, 1e-3)),
    ("clumps", _clumps, (2e-6, 500e-6)),
)
"""Rows of ``KINDS``."""
