"""Pictures of other methods: TEM, diffraction, light, scanning probes, maps; drawn for "none of the ten".

All are finished pictures (``Scene.optics`` False): no secondary electrons were there to shade them.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    blur,
    cells,
    curve,
    ellipsoid,
    fbm,
    grid,
    normal,
    polyhedron,
    scatter,
    smooth,
    stamp_all,
    step,
    tubes,
    turned,
    unit,
    warped,
)


def _size(rng: np.random.Generator, shape: Shape, low: float, high: float) -> float:
    return float(shape[0] * math.exp(rng.uniform(math.log(low), math.log(high))))


def finished(rng: np.random.Generator, level: Array, *, stretch: bool = True, noise: float = 0.03) -> Scene:
    """Return a finished picture of ``level``: stretched to a random range of greys, with grain."""
    level = np.asarray(level, np.float32)
    if stretch:
        low, high = np.percentile(level[::3, ::3], (0.5, 99.5))
        dark, bright = rng.uniform(0, 0.3), rng.uniform(0.65, 1)
        level = np.clip((level - low) / max(high - low, 1e-6), -0.1, 1.1) * np.float32(bright - dark) + np.float32(dark)
    level = level + rng.standard_normal(level.shape, dtype=np.float32) * np.float32(noise * rng.uniform(0.2, 1.5))
    return Scene(np.zeros(level.shape, np.float32), np.clip(level, 0, 1).astype(np.float32), optics=False)


def bright_field(rng: np.random.Generator, shape: Shape) -> Scene:
    """Thin metal in the TEM: grains from white to black by diffraction, bend contours, dislocation lines, a hole's edge."""
    grains = cells(rng, shape, scale=_size(rng, shape, 0.08, 0.6), at=warped(rng, shape, 3, 20))
    level = grains.values((rng.uniform(0.25, 1, grains.count) ** rng.uniform(0.4, 1)).astype(np.float32))
    bend = np.sin(fbm(rng, shape, _size(rng, shape, 0.4, 1.2), octaves=2) * np.float32(rng.uniform(2, 6)))
    level = level - np.exp(-np.square(bend * 5)) * np.float32(rng.uniform(0, 0.5))
    lines = np.zeros(shape, np.float32)
    starts = rng.uniform((0, 0), shape, (int(rng.integers(0, 60)), 2))
    angle = float(rng.uniform(0, 3))
    paths = [
        curve(rng, tuple(p), angle + float(rng.normal(0, 0.4)), float(rng.uniform(8, 50)), bend=0.4, period=12)
        for p in starts
    ]
    if paths:
        tubes(lines, paths, [0.9] * len(paths))
        level = level - np.minimum(lines, 1) * np.float32(rng.uniform(0.2, 0.5))
    if rng.random() < 0.3:
        hole = step(fbm(rng, shape, shape[0]), float(rng.uniform(0.4, 1.2)), 0.06)
        level = level * (1 - hole) + hole * np.float32(1.1)
    return finished(rng, blur(level, float(rng.uniform(0.4, 1.0))))


def fringes(rng: np.random.Generator, shape: Shape) -> Scene:
    """Lattice fringes of crystals in the TEM, crossed or not, on an amorphous speckle."""
    speckle = blur(rng.standard_normal(shape, dtype=np.float32), float(rng.uniform(0.8, 1.6)))
    level = normal(speckle) * np.float32(rng.uniform(0.15, 0.6))
    crystals = cells(rng, shape, scale=_size(rng, shape, 0.25, 1.5), at=warped(rng, shape, 5, 25))
    v, u = turned(shape, 0.0)
    base = float(rng.uniform(3.2, 9))
    angle = crystals.values(rng.uniform(0, math.pi, crystals.count).astype(np.float32))
    for k in range(int(rng.integers(1, 4))):
        turn = angle + np.float32(k * rng.choice([math.pi / 3, math.pi / 2, 0.96]))
        wave = np.cos((v * np.cos(turn) - u * np.sin(turn)) * np.float32(2 * math.pi / base))
        level = level + wave * np.float32(rng.uniform(0.2, 0.6)) * crystals.values(
            rng.uniform(0.2, 1, crystals.count).astype(np.float32)
        )
    if rng.random() < 0.5:
        level = level * step(fbm(rng, shape, shape[0] * 0.6), float(rng.uniform(-1, 0.3)), 0.4) + speckle * np.float32(
            0.4
        )
    return finished(rng, level + fbm(rng, shape, shape[0]) * np.float32(0.3))


def columns(rng: np.random.Generator, shape: Shape) -> Scene:
    """Columns of atoms as bright dots on a lattice (HAADF), of two kinds, with a border, a step or an amorphous rim."""
    a = float(rng.uniform(6, 18))
    v, u = turned(shape, float(rng.uniform(0, 3)))
    v, u = v + smooth(rng, shape, 90) * np.float32(0.4), u + smooth(rng, shape, 90) * np.float32(0.4)
    lattice = float(rng.choice([1.0, 1.0, 0.7, 0.866]))
    level = np.zeros(shape, np.float32)
    for k, (dy, dx) in enumerate(((0.0, 0.0), (0.5, 0.5), (0.5, 0.0))[: int(rng.integers(1, 4))]):
        y, x = v / np.float32(a * lattice) + np.float32(dy), u / np.float32(a) + np.float32(dx)
        near = np.square((y - np.rint(y)) * np.float32(lattice)) + np.square(x - np.rint(x))
        level += np.exp(-near * np.float32(a * a / (2 * (a * 0.16) ** 2))) * np.float32((1.0, 0.55, 0.3)[k])
    region = step(v + fbm(rng, shape, 60) * np.float32(3), float(rng.normal(0, shape[0] * 0.4)), a * 0.5)
    level = level * (1 - region * np.float32(rng.uniform(0, 1)))
    thick = 1 + fbm(rng, shape, shape[0]) * np.float32(rng.uniform(0.02, 0.3))
    return finished(rng, (level + np.float32(0.15)) * thick, noise=0.06)


def dark_blobs(rng: np.random.Generator, shape: Shape) -> Scene:
    """Nanoparticles in the TEM: dark projections on a grey carbon film, overlapping ones darker, no shading."""
    thickness = np.zeros(shape, np.float32)
    size = _size(rng, shape, 0.015, 0.12)
    for _ in range(int(rng.integers(1, 3))):
        points = scatter(rng, shape, size * float(rng.uniform(1.2, 5)))
        points = points[: int(len(points) * rng.uniform(0.2, 1))]
        one = np.zeros(shape, np.float32)
        bodies = [
            polyhedron(rng, size * float(rng.uniform(0.7, 1.2)), 12) if rng.random() < 0.3 else _potato(rng, size)
            for _ in range(10)
        ]
        stamp_all(one, bodies, points)
        thickness += one * np.float32(rng.uniform(0.4, 1.2))
    dark = np.exp(-thickness / np.float32(size) * np.float32(rng.uniform(0.5, 1.6)))
    film = 1 + fbm(rng, shape, 5) * np.float32(rng.uniform(0.01, 0.06)) + fbm(rng, shape, shape[0]) * np.float32(0.06)
    if rng.random() < 0.4:  # lacey carbon: big holes between threads of the film
        holes = cells(rng, shape, scale=_size(rng, shape, 0.3, 0.9), at=warped(rng, shape, 9, 40))
        film = film * (1 - np.float32(0.35) * np.exp(-np.square(holes.border / np.float32(rng.uniform(4, 12)))))
    return finished(rng, blur((dark * film).astype(np.float32), float(rng.uniform(0.4, 1.2))))


def _potato(rng: np.random.Generator, size: float) -> Array:
    a, b, c = (float(v) for v in size * rng.uniform(0.7, 1.1, 3))
    return ellipsoid(a, b, c, float(rng.uniform(0, 3)))


def _stop(rng: np.random.Generator, shape: Shape, level: Array, cy: float, cx: float) -> Array:
    """Put a beam stop, a dark finger to the middle, over a diffraction pattern; or leave the middle bright."""
    if rng.random() < 0.45:
        return level
    v, u = turned(shape, float(rng.uniform(0, 6.28)), centre=(cy, cx))
    wide = shape[0] * float(rng.uniform(0.02, 0.05))
    finger = step(np.minimum(np.float32(wide) - np.abs(v), u + np.float32(wide)), 0, 1.5)
    return level * (1 - finger)


def spots(rng: np.random.Generator, shape: Shape) -> Scene:
    """An electron diffraction pattern of a single crystal: spots on a lattice, fading outwards, the middle glaring."""
    cy, cx = shape[0] * rng.normal(0.5, 0.04), shape[1] * rng.normal(0.5, 0.04)
    y, x = grid(shape)
    away = np.hypot(y - np.float32(cy), x - np.float32(cx))
    level = np.exp(-away / np.float32(shape[0] * rng.uniform(0.05, 0.2))) * np.float32(rng.uniform(0.2, 0.9))
    a, b = shape[0] * rng.uniform(0.06, 0.2, 2)
    turn, skew = rng.uniform(0, 3), rng.choice([math.pi / 2, math.pi / 3, rng.uniform(0.9, 1.6)])
    first = np.array([math.sin(turn), math.cos(turn)]) * a
    second = np.array([math.sin(turn + skew), math.cos(turn + skew)]) * b
    i, j = np.meshgrid(np.arange(-12, 13), np.arange(-12, 13))
    points = i.ravel()[:, None] * first + j.ravel()[:, None] * second + (cy, cx)
    inside = (points > 1).all(axis=1) & (points < np.array(shape) - 2).all(axis=1)
    points = points[inside]
    bright = rng.exponential(1, len(points)) * np.exp(
        -np.hypot(*(points - (cy, cx)).T) / (shape[0] * rng.uniform(0.15, 0.5))
    )
    dots = np.zeros(shape, np.float32)
    dots[tuple(np.rint(points).astype(int).T)] = np.minimum(bright, 0.9)
    dots[int(cy), int(cx)] = 2.5
    r = float(rng.uniform(0.8, 2.5))
    level = level + blur(dots, r) * np.float32(2 * math.pi * r * r)
    level = np.minimum(_stop(rng, shape, level, cy, cx), 1)
    return finished(rng, level if rng.random() < 0.75 else 1 - level, stretch=False, noise=0.015)


def rings(rng: np.random.Generator, shape: Shape) -> Scene:
    """A diffraction pattern of many grains or of something amorphous: sharp or broad rings, spotty ones too."""
    cy, cx = shape[0] * rng.normal(0.5, 0.05), shape[1] * rng.normal(0.5, 0.05)
    y, x = grid(shape)
    away = np.hypot(y - np.float32(cy), x - np.float32(cx))
    level = np.exp(-away / np.float32(shape[0] * rng.uniform(0.06, 0.2)))
    around = np.arctan2(y - np.float32(cy), x - np.float32(cx))
    for r in np.sort(rng.uniform(0.12, 0.75, int(rng.integers(2, 9)))) * shape[0]:
        wide = float(rng.choice([rng.uniform(0.8, 2), rng.uniform(5, 14)], p=[0.75, 0.25]))
        spotty = np.interp(around, np.linspace(-math.pi, math.pi, 400), np.abs(rng.normal(1, rng.uniform(0, 0.8), 400)))
        level = level + np.exp(-np.square((away - np.float32(r)) / np.float32(wide))) * spotty * np.float32(
            rng.exponential(0.3)
        )
    level = np.clip(_stop(rng, shape, level, cy, cx), 0, 1).astype(np.float32)
    return finished(rng, level if rng.random() < 0.75 else 1 - level, stretch=False, noise=0.02)


def kikuchi(rng: np.random.Generator, shape: Shape) -> Scene:
    """An EBSD pattern: bands of all directions that cross in bright poles, on a broad glow."""
    y, x = grid(shape)
    level = np.exp(
        -(np.square(y / shape[0] - 0.45) + np.square(x / shape[1] - 0.5)) * np.float32(rng.uniform(1, 4))
    ).astype(np.float32)
    for _ in range(int(rng.integers(8, 22))):
        v, _u = turned(shape, float(rng.uniform(0, 3.2)))
        v = v - np.float32(rng.normal(0, shape[0] * 0.3))
        wide = np.float32(shape[0] * rng.uniform(0.02, 0.09))
        band = step(wide - np.abs(v), 0, 2.5) - np.float32(0.7) * np.exp(-np.square((np.abs(v) - wide) / 1.5))
        level = level + band * np.float32(rng.uniform(0.03, 0.14))
    if rng.random() < 0.6:
        level = level * step(
            -np.hypot(y - shape[0] / 2, x - shape[1] / 2), -shape[0] * float(rng.uniform(0.48, 0.6)), 3
        )
    return finished(rng, blur(level.astype(np.float32), 0.6), noise=0.05)


def light(rng: np.random.Generator, shape: Shape) -> Scene:
    """A light micrograph: etched metal, tissue stained in tones, crystals between polars, out-of-focus dust; no shading."""
    what = rng.integers(3)
    if what == 0:
        grains = cells(rng, shape, scale=_size(rng, shape, 0.05, 0.3), at=warped(rng, shape, 2, 15))
        level = grains.values(rng.normal(0.8, 0.08, grains.count).astype(np.float32)) - np.exp(
            -np.square(grains.border)
        ) * np.float32(0.6)
        level = level - step(fbm(rng, shape, 6), 1.6, 0.2) * np.float32(0.6)
    elif what == 1:
        bodies = cells(rng, shape, scale=_size(rng, shape, 0.05, 0.15), at=warped(rng, shape, 3, 12))
        nucleus = step(-bodies.distance, -float(rng.uniform(2, 6)), 1.5)
        tissue = fbm(rng, shape, _size(rng, shape, 0.2, 0.6)) * np.float32(0.15)
        level = np.float32(0.75) + tissue - nucleus * np.float32(0.45) + np.exp(-bodies.border / 2) * np.float32(0.12)
        level = np.maximum(level, step(fbm(rng, shape, 50), 1.0, 0.1))
    else:
        polars = cells(rng, shape, scale=_size(rng, shape, 0.1, 0.5), at=warped(rng, shape, 4, 10))
        level = polars.values((rng.uniform(0, 1, polars.count) ** 1.5).astype(np.float32))
        level = level * (1 + fbm(rng, shape, 3) * np.float32(0.05))
    y, x = grid(shape)
    fall = 1 - np.float32(rng.uniform(0, 0.5)) * (np.square(y / shape[0] - 0.5) + np.square(x / shape[1] - 0.5))
    dust = np.zeros(shape, np.float32)
    points = rng.uniform((0, 0), shape, (int(rng.integers(0, 6)), 2)).astype(int)
    dust[tuple(points.T)] = 1
    level = blur((level * fall).astype(np.float32), float(rng.uniform(0.5, 1.8))) - blur(dust, 4) * np.float32(18)
    return finished(rng, level, noise=0.01)


def probe(rng: np.random.Generator, shape: Shape) -> Scene:
    """A height map of a scanning probe: terraces, grains or dots in grey levels of height, line noise, no shading."""
    what = rng.integers(4)
    if what == 0:
        y, x = warped(rng, shape, 12, 60)
        slope = y * np.float32(rng.normal(0, 0.03)) + x * np.float32(rng.normal(0, 0.03))
        level = np.floor(slope) + step(slope - np.floor(slope), 0.92, 0.15) + fbm(rng, shape, 4) * np.float32(0.04)
    elif what == 1:
        level = np.zeros(shape, np.float32)
        size = _size(rng, shape, 0.02, 0.09)
        stamp_all(
            level,
            [ellipsoid(size, size, size * float(rng.uniform(0.5, 1.2)), sunk=1.0) for _ in range(6)],
            scatter(rng, shape, size * float(rng.uniform(1, 2.5))),
        )
        level = blur(level, size * 0.3)
    elif what == 2:
        level = fbm(rng, shape, _size(rng, shape, 0.1, 0.5))
    else:
        v, u = turned(shape, float(rng.uniform(0, 3)))
        a = float(rng.uniform(5, 15))
        level = sum(
            (
                np.cos((v * math.sin(t) + u * math.cos(t)) * (2 * math.pi / a))
                for t in (0, math.pi / 3, 2 * math.pi / 3)
            ),
            np.zeros(shape),
        )
        level = level + fbm(rng, shape, 80) * np.float32(rng.uniform(0, 2))
    level = normal(np.asarray(level, np.float32))
    lines = rng.standard_normal((shape[0], 1)).astype(np.float32) * np.float32(rng.uniform(0.02, 0.3))
    streaks = (
        (rng.random((shape[0], 1)) < 0.04)
        * rng.normal(0, 1, (shape[0], 1))
        * step(smooth(rng, shape, (1.2, 90)), 0.5, 0.3)
    )
    found = finished(rng, level + lines + streaks.astype(np.float32), noise=0.02)
    if rng.random() < 0.35:  # square scans on wide pages
        margin = (shape[1] - shape[0]) // 2 if shape[1] > shape[0] else 0
        if margin and found.material is not None:
            found.material[:, :margin] = 1
            found.material[:, -margin:] = 1
    return found


def element_map(rng: np.random.Generator, shape: Shape) -> Scene:
    """A map of an element from X-rays: a few counts in each pixel, coarse pixels, regions of more and less."""
    regions = cells(rng, shape, scale=_size(rng, shape, 0.15, 0.6), at=warped(rng, shape, 8, 20))
    rate = regions.values(rng.exponential(1, regions.count).astype(np.float32)) + np.float32(0.1)
    if rng.random() < 0.5:
        rate = np.where(
            fbm(rng, shape, _size(rng, shape, 0.1, 0.5)) > rng.uniform(0, 1), rate.max(), rate * np.float32(0.15)
        )
    pixel = int(rng.choice([1, 1, 2, 3, 4]))
    coarse = rng.poisson(np.clip(rate[::pixel, ::pixel], 0, None) * rng.uniform(0.3, 6))
    level = np.repeat(np.repeat(coarse, pixel, 0), pixel, 1)[: shape[0], : shape[1]].astype(np.float32)
    if rng.random() < 0.3:
        level = blur(level, 1.0)
    return finished(
        rng,
        np.minimum(level / max(float(np.percentile(level, 99.7)), 1), 1) * np.float32(rng.uniform(0.6, 1)),
        stretch=False,
        noise=0.0,
    )


def orientation_map(rng: np.random.Generator, shape: Shape) -> Scene:
    """A map of grains by orientation, flat tones with sharp stepped borders and wrong pixels in black."""
    grains = cells(rng, shape, scale=_size(rng, shape, 0.05, 0.4), at=warped(rng, shape, 2, 15))
    level = grains.values(rng.uniform(0.15, 0.95, grains.count).astype(np.float32))
    pixel = int(rng.choice([1, 2, 3]))
    level = np.repeat(np.repeat(level[::pixel, ::pixel], pixel, 0), pixel, 1)[: shape[0], : shape[1]]
    wrong = rng.random(shape) < rng.uniform(0, 0.02)
    level = np.where(wrong, 0, level)
    if rng.random() < 0.5:
        level = level * (1 - (grains.border < 1))
    if rng.random() < 0.3:
        level = level * unit(fbm(rng, shape, 4)) ** np.float32(0.3)
    return finished(rng, level, stretch=False, noise=0.003)
