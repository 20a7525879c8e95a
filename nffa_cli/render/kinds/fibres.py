"""Fibres: long threads, a micrometre to a hundred thick.

Written rule: what fills the picture are threads that run on beyond the field, wavy rather than straight, of one or a few
widths, with a surface of their own (grooves, scales, filaments, beads); spun mats, felts, papers, tows, yarns and cloths.
Hard straight needles below half a micrometre are nanowires; collagen between cells or a hair on skin is biological; a
net whose threads are grown together at every knot is a porous sponge. Here: loose fibres and mats; single thick
ones and bundles are in ``bundles``, yarns and cloths in ``textiles``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import bundles, textiles
from nffa_cli.render.kinds.bundles import behind, raised, skin
from nffa_cli.render.pores import backdrop, between, crossing, crossings, dust, softened
from nffa_cli.render.scene import (
    Array,
    Scene,
    Seen,
    Shape,
    ellipsoid,
    fbm,
    ground,
    scatter,
    smooth,
    stamp_all,
    step,
    tilt,
    tubes,
)

Rng = np.random.Generator


def _net(
    scene: Scene,
    rng: Rng,
    *,
    radius: float,
    spread: float,
    cover: float,
    bend: float,
    along: float | None = None,
    fan: float = 0.3,
    deep: float = 5.0,
    flat: float = 1.0,
    power: float = 0.5,
    beads: float = 0.0,
    uneven: float = 0.0,
) -> Seen:
    """Lay a net of fibres over a scene, in place.

    ``cover`` is how many times the fibres would cover the field, ``along`` the main direction (None: any), ``deep`` how far
    down the lowest lie, in radii. Lower fibres are a little darker.
    """
    shape = scene.shape
    number = int(np.clip(cover * shape[0] / (2.3 * radius), 2, 75))
    paths, radii, values = [], [], []
    tone = float(rng.uniform(0.8, 1.2))
    angles = rng.uniform(0, math.pi, number) if along is None else rng.normal(along, fan, number)
    crossed = crossings(rng, shape, angles, bend=bend, period=max(50.0, radius * 12))
    for layer, path in zip(np.sort(rng.uniform(0, 1, number)), crossed, strict=True):
        r = max(radius * float(np.exp(rng.normal(0, spread))), 0.45)
        width: float | Array = r
        if beads and rng.random() < 0.8:
            width = r + _beads(rng, len(path), r, beads)
        elif uneven:
            width = r * (1 + uneven * np.interp(np.arange(len(path)), np.arange(0, 334 * 8, 8), rng.normal(0, 1, 334)))
            width = np.maximum(width, 0.3 * r)
        sag = np.interp(np.linspace(0, 1, len(path)), np.linspace(0, 1, 6), rng.normal(0, 0.8 * r, 6))
        paths.append(raised(path, -deep * radius * (1 - layer) + sag))
        radii.append(width)
        values.append(tone * (0.78 + 0.22 * layer) * float(np.exp(rng.normal(0, 0.05))))
    material = scene.yields
    scene.material = material
    return tubes(scene.height, paths, radii, flat=flat, power=power, material=material, values=values)


def _beads(rng: Rng, number: int, r: float, often: float) -> Array:
    """Widening of a fibre of ``number`` points by spindle-shaped beads."""
    run = number * 4.0
    many = min(int(rng.poisson(run * often / (r * 30))) + 1, 12)
    place, long, wide = rng.uniform(0, run, many), r * rng.uniform(2.5, 7, many), r * rng.uniform(0.8, 3.2, many)
    at = np.arange(number)[:, None] * 4.0
    found: Array = (wide * np.exp(-np.square((at - place) / long) * 1.5)).max(axis=1)
    return found


def _mat(rng: Rng, shape: Shape) -> Scene:
    radius = between(rng, 1.0, 9.0) * shape[1] / 256
    deep = float(rng.uniform(3, 9))
    scene = behind(shape, radius, deep, rng)
    _net(scene, rng, radius=radius, spread=rng.uniform(0.05, 0.45), cover=rng.uniform(1.2, 2.4),
         bend=between(rng, 0.03, 0.6), deep=deep)  # fmt: skip
    if rng.random() < 0.15:
        scene = tilt(scene, float(rng.uniform(10, 40)))
    return scene


def _aligned(rng: Rng, shape: Shape) -> Scene:
    radius = between(rng, 1.0, 7.0) * shape[1] / 256
    scene = behind(shape, radius, 4, rng)
    _net(scene, rng, radius=radius, spread=rng.uniform(0.05, 0.4), cover=rng.uniform(1.2, 2.4), bend=between(rng, 0.02, 0.2),
         along=float(rng.uniform(0, math.pi)), fan=float(rng.uniform(0.03, 0.35)), deep=4)  # fmt: skip
    return scene


def _beaded(rng: Rng, shape: Shape) -> Scene:
    radius = between(rng, 0.6, 3.0) * shape[1] / 256
    scene = behind(shape, radius, 8, rng) if rng.random() < 0.6 else backdrop(rng, shape)
    _net(scene, rng, radius=radius, spread=0.25, cover=rng.uniform(0.5, 1.5), bend=rng.uniform(0.1, 0.5), deep=6,
         beads=rng.uniform(0.3, 1.5))  # fmt: skip
    return scene


def _ribbons(rng: Rng, shape: Shape) -> Scene:
    radius = between(rng, 2.5, 14.0) * shape[1] / 256
    scene = behind(shape, radius, 2.5, rng)
    seen = _net(scene, rng, radius=radius, spread=rng.uniform(0.2, 0.5), cover=rng.uniform(1.2, 2.2),
                bend=rng.uniform(0.05, 0.4), deep=2.5, flat=rng.uniform(0.15, 0.45), power=0.2)  # fmt: skip
    there = seen.index >= 0
    dish = float(rng.uniform(0, 0.5)) * radius * 0.3
    scene.height += np.where(there, np.float32(dish) * np.square(seen.across), np.float32(0))
    return scene


def _few(rng: Rng, shape: Shape) -> Scene:
    scene = backdrop(rng, shape, void=0.15)
    if float(np.median(scene.height)) < -50:
        scene.height += np.float32(shape[1] - 60)
    radius = between(rng, 2.0, 16.0) * shape[1] / 256
    number = int(rng.integers(2, 9))
    scene.height -= np.float32(radius * 0.5)
    seen = _net(scene, rng, radius=radius, spread=0.15, cover=number * 2.3 * radius / shape[0], bend=between(rng, 0.03, 0.5),
                deep=1.0)  # fmt: skip
    skin(rng, scene, seen, radius)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(3, 40)), size=radius * rng.uniform(0.06, 0.25))
    return scene


def _paper(rng: Rng, shape: Shape) -> Scene:
    """Pulp: flat, kinked ribbons of very different widths, fibrils between them, fillers now and then."""
    radius = between(rng, 3.5, 15.0) * shape[1] / 256
    scene = behind(shape, radius, 1.5, rng)
    _net(scene, rng, radius=radius * 0.12, spread=0.5, cover=0.35, bend=0.6, deep=9)
    seen = _net(scene, rng, radius=radius, spread=0.4, cover=rng.uniform(1.4, 2.2), bend=rng.uniform(0.15, 0.5), deep=1.6,
                flat=rng.uniform(0.25, 0.5), power=0.3, uneven=0.15)  # fmt: skip
    _net(scene, rng, radius=max(radius * 0.1, 0.5), spread=0.4, cover=0.1, bend=0.7, deep=2)
    there = seen.index >= 0
    wrinkles = fbm(rng, shape, (radius * 0.8, radius * 0.8), octaves=3) * np.float32(radius * rng.uniform(0.03, 0.1))
    groove = -np.exp(-np.square(seen.across * 3)) * np.float32(radius * rng.uniform(0, 0.2))
    scene.height += np.where(there, wrinkles + groove, np.float32(0))
    if rng.random() < 0.35:
        dust(scene, rng, number=int(rng.integers(50, 300)), size=max(radius * 0.12, 0.8))
    return scene


def _filter(rng: Rng, shape: Shape) -> Scene:
    """Draw a filter of glass microfibres: straight, of widths from fine to coarse, with caught dust."""
    radius = between(rng, 0.6, 2.5) * shape[1] / 256
    scene = behind(shape, radius * 3, 5, rng)
    _net(scene, rng, radius=radius, spread=rng.uniform(0.5, 0.8), cover=rng.uniform(0.8, 1.5), bend=0.02, deep=14)
    _net(scene, rng, radius=radius * 4, spread=0.4, cover=rng.uniform(0.2, 0.6), bend=0.02, deep=2)
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(20, 250)), size=radius * rng.uniform(0.8, 2))
    return scene


def _loaded(rng: Rng, shape: Shape) -> Scene:
    """Fibres that carry particles."""
    radius = between(rng, 3.0, 30.0) * shape[1] / 256
    scene = behind(shape, radius, 5, rng) if rng.random() < 0.7 else backdrop(rng, shape)
    seen = _net(
        scene, rng, radius=radius, spread=0.25, cover=rng.uniform(0.5, 1.6), bend=rng.uniform(0.05, 0.4), deep=4
    )
    patches = []
    size = max(radius * between(rng, 0.05, 0.3), 0.8)
    for _ in range(6):
        r = size * float(np.exp(rng.normal(0, 0.3)))
        patches.append(ellipsoid(r, r * float(rng.uniform(0.6, 1)), r, float(rng.uniform(0, 3)), sunk=0.4))
    rows, columns = np.nonzero((seen.index >= 0) & (smooth(rng, shape, 40) > rng.uniform(-2, 0.5)))
    if len(rows):
        pick = rng.integers(0, len(rows), int(np.clip(len(rows) / size**2 * rng.uniform(0.02, 0.25), 10, 700)))
        material = scene.yields
        stamp_all(scene.height, patches, np.stack([rows[pick], columns[pick]], 1), base=None, material=material,
                  values=np.full(len(pick), rng.uniform(0.9, 1.6)))  # fmt: skip
        scene.material = material
    return scene


def _felt(rng: Rng, shape: Shape) -> Scene:
    """Wadding: curly thick and thin fibres in a deep loose heap."""
    radius = between(rng, 1.2, 8.0) * shape[1] / 256
    scene = behind(shape, radius, 14, rng)
    _net(scene, rng, radius=radius, spread=rng.uniform(0.05, 0.3), cover=rng.uniform(0.7, 1.8), bend=rng.uniform(0.5, 1.1),
         deep=14)  # fmt: skip
    return scene


def _cotton(rng: Rng, shape: Shape) -> Scene:
    """Cotton: flat ribbons that twist, so that their width breathes and their edge turns over."""
    radius = between(rng, 5.0, 24.0) * shape[1] / 256
    scene = behind(shape, radius, 3, rng)
    shape_ = scene.shape
    paths, radii = [], []
    number = int(np.clip(rng.uniform(0.8, 2.0) * shape_[0] / (2 * radius), 2, 40))
    for layer in np.sort(rng.uniform(0, 1, number)):
        path = crossing(rng, shape_, float(rng.uniform(0, math.pi)), bend=0.3, period=radius * 9)
        at = np.arange(len(path)) * 4.0
        turn = at / (radius * rng.uniform(4, 9)) + rng.normal(0, 1) + 0.5 * np.sin(at / (radius * 11))
        paths.append(raised(path, -3 * radius * (1 - layer)))
        radii.append(radius * rng.uniform(0.7, 1.2) * (0.42 + 0.58 * np.abs(np.cos(turn))))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, radii, flat=0.6, material=material, values=np.full(number, 1.0))
    lip = np.exp(-np.square((np.abs(seen.across) - 0.75) * 5)) * np.float32(radius * 0.15)
    grain = fbm(rng, shape, (radius, radius)) * np.float32(0.03 * radius)
    scene.height += np.where(seen.index >= 0, lip + grain, np.float32(0))
    return scene


def _bonded(rng: Rng, shape: Shape) -> Scene:
    """Draw a spun-bonded fleece: fibres pressed to a smooth film in places."""
    radius = between(rng, 1.5, 5.0) * shape[1] / 256
    scene = behind(shape, radius, 8, rng)
    _net(scene, rng, radius=radius, spread=0.08, cover=rng.uniform(1.0, 1.8), bend=0.3, deep=7)
    size = between(rng, 18, 70)
    material = scene.yields
    for y, x in scatter(rng, shape, size * float(rng.uniform(2.0, 3.2)), 0.05, margin=size):
        dy, dx = np.arange(shape[0])[:, None] - y, np.arange(shape[1])[None, :] - x
        inside = step(size * 0.5 - np.maximum(np.abs(dy) * 0.8, np.abs(dx)).astype(np.float32), 0, size * 0.15)
        pressed = np.float32(-radius * 5) + (scene.height + np.float32(radius * 5)) * np.float32(0.12)
        scene.height += inside * (pressed - scene.height)
        material += inside * (np.float32(0.9) - material)
    scene.material = material
    return scene


def _chopped(rng: Rng, shape: Shape) -> Scene:
    """Cut fibres of one width strewn on a ground, ends to be seen."""
    scene = backdrop(rng, shape)
    radius = between(rng, 2.0, 9.0) * shape[1] / 256
    long = radius * float(rng.uniform(14, 60))
    number = int(np.clip(rng.uniform(0.15, 1.0) * shape[0] * shape[1] / (long * 2 * radius), 4, 120))
    paths = []
    for layer in np.sort(rng.uniform(0, 1, number)):
        angle, start = float(rng.uniform(0, math.pi)), rng.uniform(-0.1, 1.1, 2) * shape
        at = np.linspace(-0.5, 0.5, 12)[:, None] * long * rng.uniform(0.6, 1.2)
        bow = np.square(np.linspace(-1, 1, 12))[:, None] * radius * rng.normal(0, 0.5)
        line = start + at * [math.sin(angle), math.cos(angle)] + bow * [math.cos(angle), -math.sin(angle)]
        paths.append(raised(line, radius * (1 + 2.5 * layer) + at[:, 0] * rng.normal(0, 0.02)))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, [radius] * number, material=material, values=rng.uniform(0.9, 1.2, number))
    skin(rng, scene, seen, radius)
    if rng.random() < 0.6:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=radius * 0.3)
    return scene


def _on_matter(rng: Rng, shape: Shape) -> Scene:
    """Draw a mat that covers a part of its collector: the rest is bare."""
    scene = backdrop(rng, shape)
    scene.height -= np.float32(6)
    radius = between(rng, 0.8, 4.0) * shape[1] / 256
    bare = Scene(scene.height.copy(), scene.yields.copy())
    _net(scene, rng, radius=radius, spread=0.25, cover=1.5, bend=0.25, deep=4)
    away = smooth(rng, shape, shape[1] * 0.8) > rng.uniform(0.2, 1.0)
    scene.height = np.where(away, bare.height, scene.height)
    scene.material = np.where(away, bare.yields, scene.yields)
    _net(scene, rng, radius=radius, spread=0.25, cover=0.35, bend=0.25, deep=2)
    return scene


def _bared(rng: Rng, shape: Shape) -> Scene:
    """Fibres half sunk in a matrix or glued by a binder that spans the corners between them."""
    radius = between(rng, 2.5, 12.0) * shape[1] / 256
    scene = ground(rng, shape, radius * 0.3, radius * 6)
    scene.height -= np.float32(radius * rng.uniform(1.0, 3.5))
    scene.material = np.full(shape, rng.uniform(0.5, 1.0), np.float32)
    _net(scene, rng, radius=radius, spread=0.1, cover=rng.uniform(0.6, 1.3), bend=0.06, deep=3.5,
         along=None if rng.random() < 0.5 else 0.3)  # fmt: skip
    level = smooth(rng, shape, radius * 14) * np.float32(radius) - np.float32(radius * 2.2)
    scene.height = np.maximum(scene.height, level + np.float32(radius * 0.15) * smooth(rng, shape, radius * 2))
    return scene


_ROWS = [
    ("mat", _mat, (2e-6, 400e-6)),
    ("aligned mat", _aligned, (3e-6, 400e-6)),
    ("beaded mat", _beaded, (5e-6, 300e-6)),
    ("ribbon mat", _ribbons, (5e-6, 500e-6)),
    ("few on a ground", _few, (10e-6, 1e-3)),
    ("paper", _paper, (50e-6, 2e-3)),
    ("filter", _filter, (8e-6, 400e-6)),
    ("loaded", _loaded, (5e-6, 500e-6)),
    ("felt", _felt, (50e-6, 3e-3)),
    ("cotton", _cotton, (50e-6, 800e-6)),
    ("bonded fleece", _bonded, (200e-6, 4e-3)),
    ("chopped", _chopped, (100e-6, 2e-3)),
    ("mat with a bare part", _on_matter, (10e-6, 500e-6)),
    ("bound", _bared, (30e-6, 800e-6)),
    *bundles.ROWS,
    *textiles.ROWS,
]

KINDS = kinds(*softened(_ROWS))
