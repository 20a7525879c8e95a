"""Sections and etched surfaces of bulk materials: metals, solders, stone, teeth; drawn for "none of the ten"."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    blur,
    cells,
    curve,
    fbm,
    grid,
    lump,
    polyhedron,
    ridged,
    scatter,
    smooth,
    stamp_all,
    step,
    tubes,
    turned,
    warped,
)


def _scale(rng: np.random.Generator, shape: Shape, low: float, high: float) -> float:
    """Draw a feature size in pixels, between parts of the picture's height, log-uniformly."""
    return float(shape[0] * math.exp(rng.uniform(math.log(low), math.log(high))))


def scratches(rng: np.random.Generator, shape: Shape, height: Array, number: int, *, deep: float = 1.0) -> None:
    """Cut polishing scratches into ``height`` in place: straight, mostly along one direction."""
    main = rng.uniform(0, math.pi)
    groove = np.zeros(shape, np.float32)
    lines = []
    for _ in range(number):
        angle = main + rng.normal(0, 0.15 if rng.random() < 0.7 else 1.0)
        start = rng.uniform((-0.2 * shape[0], -0.2 * shape[1]), (1.2 * shape[0], 1.2 * shape[1]))
        lines.append(curve(rng, tuple(start), angle, float(rng.uniform(0.2, 1.6) * shape[1]), bend=0.005))
    if lines:
        tubes(groove, lines, rng.uniform(0.4, 1.1, len(lines)), base=0.0)
    height -= groove * np.float32(0.6 * deep)


def etched_grains(rng: np.random.Generator, shape: Shape) -> Scene:
    """Grains of a metal whose borders are etched into grooves, each at its own level and with its own brightness."""
    grains = cells(rng, shape, scale=_scale(rng, shape, 0.06, 0.5), at=warped(rng, shape, float(rng.uniform(0, 2)), 30))
    levels = rng.normal(0, 1, grains.count).astype(np.float32)
    width = float(rng.uniform(0.7, 2.2))
    height = -np.float32(rng.uniform(1.5, 5)) * np.exp(-np.square(grains.border / np.float32(width)))
    height += grains.values(levels) * np.float32(rng.uniform(0, 1.2))
    height += fbm(rng, shape, float(rng.uniform(2, 12))) * np.float32(rng.uniform(0.05, 0.4))
    material = np.exp(grains.values(levels) * np.float32(rng.uniform(0.02, 0.15)))
    if rng.random() < 0.5:
        points = scatter(rng, shape, _scale(rng, shape, 0.05, 0.15))
        _dots(material, points, float(rng.uniform(0.6, 1.4)), rng.uniform(0.3, 1.6))
    scratches(rng, shape, height, int(rng.integers(0, 12)))
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.5, 1)))


def _dots(a: Array, points: Array, r: float, value: float) -> None:
    """Set small round dots of ``a`` to ``value`` in place."""
    y, x = (np.clip(np.rint(points[:, k]).astype(int), 0, a.shape[k] - 1) for k in (0, 1))
    dots = np.zeros(a.shape, np.float32)
    dots[y, x] = 1
    cover = np.clip(blur(dots, r) * np.float32(2 * math.pi * r * r), 0, 1)
    a += (np.float32(value) - a) * cover


def channelling(rng: np.random.Generator, shape: Shape) -> Scene:
    """Polished metal whose grains differ in brightness by their orientation alone, as backscattered electrons show."""
    stretch = float(rng.choice([1.0, 1.0, rng.uniform(1.5, 5)]))
    grains = cells(
        rng,
        shape,
        scale=_scale(rng, shape, 0.05, 0.4),
        at=warped(rng, shape, float(rng.uniform(0, 3)), float(rng.uniform(10, 40))),
        stretch=stretch,
        angle=float(rng.uniform(0, 3)),
    )
    material = grains.values(rng.uniform(0.55, 1.35, grains.count).astype(np.float32))
    tilt = grains.values(rng.normal(0, 0.004, grains.count).astype(np.float32))
    y, x = grid(shape)
    material = material + tilt * (x - y) * np.float32(rng.uniform(0, 0.6))
    if rng.random() < 0.4:  # subgrains
        inner = cells(rng, shape, scale=_scale(rng, shape, 0.03, 0.08))
        material = material + inner.values(rng.normal(0, 0.07, inner.count).astype(np.float32))
    height = fbm(rng, shape, 20) * np.float32(0.1)
    return Scene(height, blur(np.clip(material, 0.3, 1.8).astype(np.float32), 0.4), shade=0.4)


def twins(rng: np.random.Generator, shape: Shape) -> Scene:
    """Grains crossed by straight twin bands, etched or by their contrast."""
    grains = cells(rng, shape, scale=_scale(rng, shape, 0.15, 0.6))
    angle = grains.values(rng.uniform(0, math.pi, grains.count).astype(np.float32))
    period = grains.values(rng.uniform(6, 60, grains.count).astype(np.float32))
    phase = grains.values(rng.uniform(0, 9, grains.count).astype(np.float32))
    y, x = grid(shape)
    across = (y * np.cos(angle) - x * np.sin(angle)) / period + phase
    wobble = np.sin(across * 2 * math.pi) + np.float32(0.6) * np.sin(across * 4.3 + phase)
    bands = step(wobble, grains.values(rng.uniform(0.3, 1.3, grains.count).astype(np.float32)), 0.1)
    tone = grains.values(rng.uniform(0.75, 1.2, grains.count).astype(np.float32))
    material = tone * (1 + bands * np.float32(rng.uniform(-0.35, 0.35)))
    height = bands * np.float32(rng.uniform(-1, 1)) - np.float32(rng.uniform(0, 3)) * np.exp(-np.square(grains.border))
    return Scene((height + fbm(rng, shape, 8) * np.float32(0.15)).astype(np.float32), material.astype(np.float32))


def _sheets(rng: np.random.Generator, shape: Shape, period: float, colony: float) -> tuple[Array, Array, Array]:
    """Return lamellae in colonies: a wave (−1..1), the colonies' labels' random tone and the distance to their borders."""
    colonies = cells(rng, shape, scale=colony, at=warped(rng, shape, 4, 25))
    angle = colonies.values(rng.uniform(0, math.pi, colonies.count).astype(np.float32))
    fine = colonies.values(np.exp(rng.normal(0, 0.25, colonies.count)).astype(np.float32))
    y, x = warped(rng, shape, period * float(rng.uniform(0.1, 0.6)), period * 5)
    wave = np.sin((y * np.cos(angle) - x * np.sin(angle)) * np.float32(2 * math.pi / period) / fine)
    tone = colonies.values(rng.normal(0, 1, colonies.count).astype(np.float32))
    return wave, tone, colonies.border


def pearlite(rng: np.random.Generator, shape: Shape) -> Scene:
    """Fine plates of cementite standing out of etched ferrite, in colonies; at times with smooth ferrite grains between."""
    wave, tone, border = _sheets(rng, shape, float(rng.uniform(4, 13)), _scale(rng, shape, 0.2, 0.9))
    plates = step(wave + fbm(rng, shape, 12) * np.float32(0.25), float(rng.uniform(-0.2, 0.6)), 0.5)
    height = plates * np.float32(rng.uniform(1, 3)) + tone * np.float32(0.4)
    if rng.random() < 0.5:
        ferrite = step(fbm(rng, shape, _scale(rng, shape, 0.3, 0.8)), float(rng.uniform(0, 1.2)), 0.1)
        height = height * (1 - ferrite) + (fbm(rng, shape, 6) * np.float32(0.1) - 1) * ferrite
    material = 1 + np.float32(rng.uniform(0, 0.3)) * plates
    height -= np.exp(-np.square(border / 1.5)) * np.float32(rng.uniform(0, 1.5))
    return Scene((height + fbm(rng, shape, 4) * np.float32(0.15)).astype(np.float32), material.astype(np.float32))


def martensite(rng: np.random.Generator, shape: Shape) -> Scene:
    """Laths and needles in packets, hacked across each other; rough after etching."""
    height = np.zeros(shape, np.float32)
    material = np.ones(shape, np.float32)
    for _ in range(int(rng.integers(2, 4))):
        packets = cells(rng, shape, scale=_scale(rng, shape, 0.15, 0.5))
        angle = packets.values((rng.integers(0, 6, packets.count) * (math.pi / 6)).astype(np.float32))
        y, x = warped(rng, shape, 1.5, 20)
        v, u = y * np.cos(angle) - x * np.sin(angle), x * np.cos(angle) + y * np.sin(angle)
        laths = cells(rng, shape, scale=float(rng.uniform(3, 8)), at=(v, u), stretch=float(rng.uniform(5, 14)))
        levels = rng.normal(0, 1, laths.count).astype(np.float32)
        height += laths.values(levels) * np.float32(rng.uniform(0.3, 0.9)) - np.exp(-laths.border) * np.float32(0.8)
        material *= 1 + laths.values(levels) * np.float32(rng.uniform(0.02, 0.08))
    return Scene(height + fbm(rng, shape, 3) * np.float32(rng.uniform(0.1, 0.4)), np.maximum(material, 0.4))


def carbides(rng: np.random.Generator, shape: Shape) -> Scene:
    """Bright carbides of several sizes in etched steel: islands at grain borders, fine spheroids, a rough dark ground."""
    height = ridged(rng, shape, float(rng.uniform(4, 14)), octaves=3) * np.float32(rng.uniform(0.5, 3))
    material = np.full(shape, np.float32(rng.uniform(0.55, 0.9)))
    grains = cells(rng, shape, scale=_scale(rng, shape, 0.15, 0.5), at=warped(rng, shape, 5, 20))
    if rng.random() < 0.5:
        network = np.exp(-np.square(grains.border / np.float32(rng.uniform(0.8, 3))))
        height += network * np.float32(rng.uniform(1, 3))
        material += network * np.float32(rng.uniform(0.2, 0.7))
    if rng.random() < 0.3:
        wave, _, _ = _sheets(rng, shape, float(rng.uniform(3.5, 7)), _scale(rng, shape, 0.2, 0.4))
        height += step(wave, 0.3, 0.5) * np.float32(1.5) * step(fbm(rng, shape, 60), 0.3, 0.3)
    for size, spacing in (
        (float(rng.uniform(4, 11)), 0.13),
        (float(rng.uniform(1.2, 3)), float(rng.uniform(0.025, 0.06))),
    ):
        points = scatter(rng, shape, max(shape[0] * spacing, size * 1.6))
        points = points[rng.random(len(points)) < rng.uniform(0.4, 1)]
        bodies = [
            lump(rng, size * float(np.exp(rng.normal(0, 0.35))), rough=0.2, flat=float(rng.uniform(0.25, 0.6)))
            for _ in range(8)
        ]
        stamp_all(height, bodies, points, base=None, material=material, values=rng.uniform(1.1, 1.6, len(points)))
    scratches(rng, shape, height, int(rng.integers(0, 6)))
    return Scene(height.astype(np.float32), material)


def dendrites(rng: np.random.Generator, shape: Shape) -> Scene:
    """A cast alloy: trunks with side arms in rows, the melt between them frozen last and of another brightness."""
    angle = float(rng.uniform(0, math.pi))
    unit = shape[1] / 256
    y, x = warped(rng, shape, float(rng.uniform(1, 4)) * unit, 35 * unit)
    c, s = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    v, u = y * c - x * s, x * c + y * s
    trunk, arm = _scale(rng, shape, 0.16, 0.5), _scale(rng, shape, 0.045, 0.1)
    row = np.floor(v / np.float32(trunk))
    side = v - (row + np.float32(0.5)) * np.float32(trunk)
    table = rng.uniform(0, 1, 64).astype(np.float32)
    phase = table[(row.astype(np.int64) * 2 + (side > 0)) & 63]
    run = (u - np.abs(side) * np.float32(rng.uniform(0, 0.5))) / np.float32(arm) + phase
    number = np.floor(run)
    inside = np.abs(run - number - np.float32(0.5)) * np.float32(arm)
    # Each arm has its own length and ends round, short of the next trunk's.
    long = table[(number.astype(np.int64) * 5 + row.astype(np.int64) * 11 + (side > 0) * 3) & 63]
    reach = np.float32(trunk) * (np.float32(0.3) + np.float32(0.17) * long)
    half = np.float32(arm * rng.uniform(0.3, 0.42))
    beyond = np.maximum(np.abs(side) - reach, 0)
    arms = half - np.hypot(inside, beyond)
    stem = np.float32(arm * rng.uniform(0.3, 0.6)) - np.abs(side)
    over = np.maximum(arms, stem) + smooth(rng, shape, arm * 0.8) * np.float32(arm * 0.09)
    solid = step(over, 0, float(rng.uniform(1.2, 1.2 + 0.3 * arm)))
    between = fbm(rng, shape, float(rng.uniform(3, 7)) * unit, octaves=2)
    material = 1 + solid * np.float32(rng.choice([-1, 1]) * rng.uniform(0.1, 0.5))
    material = material + (1 - solid) * between * np.float32(rng.uniform(0, 0.15))
    height = solid * np.float32(rng.uniform(-1, 2.5)) + (1 - solid) * between * np.float32(rng.uniform(0.1, 0.7))
    return Scene(
        height.astype(np.float32), np.maximum(material, 0.3).astype(np.float32), shade=float(rng.uniform(0.3, 1))
    )


def eutectic(rng: np.random.Generator, shape: Shape) -> Scene:
    """Two phases grown into each other: a maze or script of one in the other, with islands of a first phase."""
    maze = smooth(rng, shape, float(rng.uniform(6, 18))) + np.float32(0.5) * smooth(
        rng, shape, float(rng.uniform(4, 10))
    )
    phase = step(maze, float(rng.uniform(-0.4, 0.4)), 0.25)
    if rng.random() < 0.6:
        first = step(fbm(rng, shape, _scale(rng, shape, 0.2, 0.5), octaves=2), float(rng.uniform(0.3, 1)), 0.12)
        phase = np.maximum(phase * (1 - first), first * np.float32(rng.choice([0.0, 1.0])))
    height = phase * np.float32(rng.uniform(-2, 3)) + fbm(rng, shape, 5) * np.float32(0.12)
    material = np.float32(0.75) + phase * np.float32(rng.uniform(0.2, 0.7))
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.2, 1)))


def lamellae(rng: np.random.Generator, shape: Shape) -> Scene:
    """Coarse wavy columns of one phase in a finely grained other, pinched here and there, as in as-cast alloys."""
    angle = float(rng.normal(math.pi / 2, 0.3)) if rng.random() < 0.5 else float(rng.uniform(0, 3))
    period = _scale(rng, shape, 0.07, 0.25)
    v, _ = turned(shape, angle)
    wander = fbm(rng, shape, (period * 2.5, period * 2.5), octaves=2) * np.float32(period * 0.28)
    wave = np.sin((v + wander) * np.float32(2 * math.pi / period)) + smooth(rng, shape, period * 2) * np.float32(0.45)
    body = step(wave, float(rng.uniform(-0.3, 0.4)), 0.35)
    fine = fbm(rng, shape, float(rng.uniform(3, 7)), octaves=2)
    height = body * np.float32(rng.uniform(1, 5)) + fine * (1 - body) * np.float32(rng.uniform(0.4, 1.5))
    height += fbm(rng, shape, 20) * np.float32(0.4)
    material = 1 + body * np.float32(rng.uniform(-0.3, 0.4))
    return Scene(height.astype(np.float32), material.astype(np.float32))


def precipitates(rng: np.random.Generator, shape: Shape) -> Scene:
    """Rounded cubes of a second phase in rows in a matrix (a superalloy), or fine dots, flat after etching."""
    size = _scale(rng, shape, 0.04, 0.12)
    v, u = turned(shape, float(rng.uniform(0, math.pi / 2)))
    moved = (
        v + smooth(rng, shape, size * 5) * np.float32(size * 0.35),
        u + smooth(rng, shape, size * 5) * np.float32(size * 0.35),
    )
    y, x = moved[0] / np.float32(size), moved[1] / np.float32(size)
    row, column = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    chance = ((row * 73856093) ^ (column * 19349663)) & 255
    wide = np.float32(0.36) + (chance % 17).astype(np.float32) * np.float32(0.006)
    power = np.float32(rng.uniform(3, 6))
    d = (np.abs(y - row - np.float32(0.5)) ** power + np.abs(x - column - np.float32(0.5)) ** power) ** (1 / power)
    cube = step(wide - d, 0.0, 0.12) * (chance > int(rng.integers(0, 90)))
    height = cube * np.float32(rng.choice([-1, 1]) * rng.uniform(0.5, 2.5)) + fbm(rng, shape, 6) * np.float32(0.12)
    material = 1 + cube * np.float32(rng.uniform(-0.2, 0.3))
    return Scene(height.astype(np.float32), material.astype(np.float32))


def inclusions(rng: np.random.Generator, shape: Shape) -> Scene:
    """A polished section: even ground with dark pores and bright or dark inclusions, strings of them, some scratches."""
    height = fbm(rng, shape, 30) * np.float32(0.08)
    material = np.full(shape, np.float32(1.0)) + fbm(rng, shape, 50) * np.float32(0.02)
    for _ in range(int(rng.integers(1, 4))):
        value = float(rng.choice([rng.uniform(0.1, 0.5), rng.uniform(1.3, 1.9)]))
        points = scatter(rng, shape, _scale(rng, shape, 0.05, 0.3))
        points = points[: int(rng.integers(3, 60))]
        if rng.random() < 0.3:
            points[:, 0] = shape[0] * rng.uniform(0.2, 0.8) + rng.normal(0, shape[0] * 0.06, len(points))
        size = float(np.exp(rng.uniform(0, 2.2)))
        holes = np.zeros(shape, np.float32)
        stamp_all(holes, [lump(rng, size * float(np.exp(rng.normal(0, 0.5))), rough=0.3) for _ in range(6)], points)
        inside = blur((holes > 0).astype(np.float32), 0.5)
        material += (np.float32(value) - material) * inside
        if value < 0.6:
            height -= inside * np.float32(min(size, 6))
    scratches(rng, shape, height, int(rng.integers(0, 20)), deep=float(rng.uniform(0.3, 1)))
    return Scene(height, material, shade=float(rng.uniform(0.4, 1)))


def scratched(rng: np.random.Generator, shape: Shape) -> Scene:
    """A ground, rolled, milled or worn metal: lines along one direction, smears, pits, debris."""
    angle = float(rng.uniform(0, math.pi)) if rng.random() < 0.6 else float(rng.choice([0, math.pi / 2]))
    v, u = turned(shape, angle)
    size = int(abs(v).max()) * 2 + 8
    profile = np.cumsum(rng.normal(0, 1, size)) * 0.2 + rng.normal(0, 1, size)
    profile -= blur(profile[:, None].astype(np.float32), (12.0, 0.1))[:, 0]
    lines = np.interp((v + size / 2).ravel(), np.arange(size), profile).reshape(shape).astype(np.float32)
    lines *= 1 + fbm(rng, shape, 60) * np.float32(0.5)
    height = lines * np.float32(rng.uniform(0.2, 1.2)) + fbm(rng, shape, 40) * np.float32(rng.uniform(0.3, 2))
    if rng.random() < 0.5:  # curved tool marks
        height += np.sin(np.hypot(v - 300, u) * np.float32(rng.uniform(0.3, 0.9))) * np.float32(rng.uniform(0.2, 0.8))
    torn = step(fbm(rng, shape, (6, 14)), float(rng.uniform(0.8, 2)), 0.2)
    height -= torn * np.float32(rng.uniform(0.5, 4))
    scratches(rng, shape, height, int(rng.integers(5, 60)))
    return Scene(height.astype(np.float32), 1 + fbm(rng, shape, 30) * np.float32(rng.uniform(0, 0.1)))


def weld(rng: np.random.Generator, shape: Shape) -> Scene:
    """Welded or printed metal: overlapping melt tracks with curved ripples, spatter balls, a crack or pores."""
    track = _scale(rng, shape, 0.2, 0.6)
    v, u = turned(shape, float(rng.normal(0, 0.3)))
    v = v + fbm(rng, shape, track * 2, octaves=2) * np.float32(track * 0.05)
    row = np.floor(v / np.float32(track))
    inside = (v / np.float32(track) - row - np.float32(0.5)) * 2
    ripple = np.sin(
        (u + np.square(inside) * np.float32(track * 0.5) + row * 11) * np.float32(2 * math.pi / rng.uniform(5, 14))
    )
    height = np.float32(track * 0.12) * (1 - np.square(inside)) + ripple * np.float32(rng.uniform(0.1, 0.8))
    height += fbm(rng, shape, 8) * np.float32(0.3)
    points = scatter(rng, shape, shape[0] * 0.15)[: int(rng.integers(0, 14))]
    stamp_all(height, [ball(float(np.exp(rng.uniform(0.6, 2.3)))) for _ in range(6)], points, base=None)
    scratches(rng, shape, height, int(rng.integers(0, 5)), deep=3)
    return Scene(height.astype(np.float32), 1 + fbm(rng, shape, 25) * np.float32(0.06))


def layers(rng: np.random.Generator, shape: Shape) -> Scene:
    """A section through a stack: flat or wavy layers of different materials, textures and porosity, mount beside it."""
    angle = float(rng.normal(0, 0.08)) + (math.pi / 2 if rng.random() < 0.3 else 0)
    v, _ = turned(shape, angle)
    number = int(rng.integers(3, 9))
    edges = np.sort(rng.uniform(-0.55, 0.55, number)) * max(shape)
    material = np.full(shape, np.float32(rng.uniform(0.1, 1.2)))
    height = fbm(rng, shape, 12) * np.float32(0.15)
    for edge in edges:
        wavy = v + fbm(rng, shape, (40, 40), octaves=3) * np.float32(rng.choice([0.4, 1.5, 5]))
        below = step(wavy, float(edge), 1.2)
        tone = float(rng.uniform(0.3, 1.7))
        texture = np.full(shape, np.float32(tone))
        what = rng.integers(5)
        if what == 0:  # columns across the layer
            grown = cells(rng, shape, scale=float(rng.uniform(4, 9)), stretch=6, angle=angle + math.pi / 2)
            texture = grown.values(rng.uniform(0.8, 1.2, grown.count).astype(np.float32)) * np.float32(tone)
        elif what == 1:  # pores or a filler
            texture = texture * np.float32(1) - step(fbm(rng, shape, float(rng.uniform(4, 16))), 1.0, 0.2) * np.float32(
                tone * 0.6
            )
        elif what == 2:  # grains
            grains = cells(rng, shape, scale=float(rng.uniform(8, 30)))
            texture = grains.values(rng.uniform(0.85, 1.15, grains.count).astype(np.float32)) * np.float32(tone)
        material += (texture - material) * below
        height += below * np.float32(rng.normal(0, 1.5))
    scratches(rng, shape, height, int(rng.integers(0, 10)), deep=0.5)
    return Scene(height.astype(np.float32), np.clip(blur(material, 0.4), 0.05, 2), shade=float(rng.uniform(0.3, 1)))


def joint(rng: np.random.Generator, shape: Shape) -> Scene:
    """A solder joint or a package in section: big flat regions of metal, polymer with round fillers, voids, a thin seam."""
    material = np.full(shape, np.float32(rng.uniform(0.2, 0.4)))
    height = fbm(rng, shape, 20) * np.float32(0.15)
    fillers = scatter(rng, shape, shape[0] * float(rng.uniform(0.03, 0.08)))
    flat = np.zeros(shape, np.float32)
    stamp_all(flat, [ball(float(r)) for r in np.exp(rng.uniform(0.3, 2.2, 8))], fillers)
    material += (flat > 0) * np.float32(rng.uniform(0.1, 0.4))
    y, x = grid(shape)
    for _ in range(int(rng.integers(1, 4))):
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        ry, rx = rng.uniform(0.15, 0.5, 2) * shape[0]
        round_ = np.hypot((y - cy) / ry, (x - cx) / rx)
        inside = step(-round_ + fbm(rng, shape, 60) * np.float32(0.03), -1, 0.03)
        grains = cells(rng, shape, scale=float(rng.uniform(6, 30)), at=warped(rng, shape, 3, 15))
        metal = grains.values(rng.uniform(0.9, 1.5, grains.count).astype(np.float32))
        material += (metal - material) * inside
        seam = np.exp(-np.square((round_ - 1) * np.float32(rx / rng.uniform(1.5, 4))))
        material += seam * np.float32(rng.normal(0, 0.25))
    low, high = np.sort(rng.uniform(0, shape[0], 2))
    pad = ((y > low) & (y < low + (high - low) * 0.4)).astype(np.float32) * np.ones(shape, np.float32)
    material += (np.float32(rng.uniform(0.8, 1.8)) - material) * pad
    return Scene(height, np.clip(blur(material, 0.5), 0.05, 2).astype(np.float32), shade=0.5)


def rock(rng: np.random.Generator, shape: Shape) -> Scene:
    """Concrete or rock, polished, with backscattered electrons: angular grains of many sizes and greys, cracks, pores."""
    material = np.float32(0.7) + fbm(rng, shape, float(rng.uniform(4, 10)), octaves=3) * np.float32(0.1)
    height = fbm(rng, shape, 20) * np.float32(0.1)
    tops = np.zeros(shape, np.float32)
    for size in np.exp(rng.uniform(1.0, 3.3, int(rng.integers(2, 5)))):
        points = scatter(rng, shape, float(size) * 2.2)
        bodies = [polyhedron(rng, float(size) * float(rng.uniform(0.6, 1.2)), 7, uneven=0.4) for _ in range(8)]
        values = rng.choice(rng.uniform(0.45, 1.6, 4), len(points))
        stamp_all(tops, bodies, points, material=material, values=values)
    material *= 1 + fbm(rng, shape, 5) * np.float32(rng.uniform(0.01, 0.08))
    cracks = np.exp(
        -np.square(cells(rng, shape, scale=_scale(rng, shape, 0.3, 0.8), at=warped(rng, shape, 6, 14)).border)
    )
    cracks *= step(fbm(rng, shape, 80), float(rng.uniform(-0.5, 1)), 0.3)
    material *= 1 - np.float32(0.8) * cracks
    pores = step(fbm(rng, shape, float(rng.uniform(5, 25))), float(rng.uniform(1.3, 2.2)), 0.15)
    material *= 1 - np.float32(0.8) * pores
    return Scene(height - pores * 2, np.clip(material, 0.05, 2).astype(np.float32), shade=0.5)


def tubules(rng: np.random.Generator, shape: Shape) -> Scene:
    """A polished tooth or bone: fine tubules cut across or along in rows, or rings of bone around canals."""
    material = 1 + fbm(rng, shape, 40) * np.float32(0.06)
    height = fbm(rng, shape, 10) * np.float32(0.15)
    if rng.random() < 0.55:
        spacing = _scale(rng, shape, 0.035, 0.1)
        points = scatter(rng, shape, spacing, 0.7)
        holes = np.zeros(shape, np.float32)
        slant, angle = float(rng.uniform(1, 2.5)), float(rng.uniform(0, 3))
        y, x = (np.rint(points[:, k]).astype(int).clip(0, shape[k] - 1) for k in (0, 1))
        holes[y, x] = 1
        r = spacing * float(rng.uniform(0.1, 0.2))
        long = blur(holes, (r * (1 + (slant - 1) * abs(math.sin(angle))), r * (1 + (slant - 1) * abs(math.cos(angle)))))
        hole = step(long / max(float(long.max()), 1e-6), 0.3, 0.3)
        rim = blur(hole, spacing * 0.12) * (1 - hole)
        return Scene(height - hole * np.float32(spacing * 0.6), (material + rim * np.float32(0.5)).astype(np.float32))
    bones = cells(rng, shape, scale=_scale(rng, shape, 0.3, 0.6), jitter=0.8, at=warped(rng, shape, 4, 30))
    rings = np.sin(bones.distance * np.float32(2 * math.pi / rng.uniform(7, 14)))
    material = material + rings * np.float32(0.06) + bones.values(rng.normal(0, 0.12, bones.count).astype(np.float32))
    canal = step(-bones.distance, -shape[0] * float(rng.uniform(0.02, 0.05)), 1.5)
    lacunae = scatter(rng, shape, 9.0)
    _dots(material, lacunae, 0.8, 0.3)
    return Scene(height - canal * 12, (material * (1 - canal * np.float32(0.7))).astype(np.float32), shade=0.6)


def indents(rng: np.random.Generator, shape: Shape) -> Scene:
    """Hardness indents in a polished surface: one, or a few in a row, with cracks or pile-up."""
    height = fbm(rng, shape, 15) * np.float32(rng.uniform(0.1, 0.4))
    material = 1 + fbm(rng, shape, 30) * np.float32(0.03)
    sides, size = int(rng.choice([3, 4, 4])), _scale(rng, shape, 0.06, 0.3)
    number = 1 if rng.random() < 0.5 else int(rng.integers(2, 7))
    angle = float(rng.uniform(0, 2))
    y, x = grid(shape)
    for k in range(number):
        cy = shape[0] * (0.5 + float(rng.normal(0, 0.04)))
        cx = shape[1] * (k + 0.5) / number + float(rng.normal(0, 3))
        planes = [
            (x - cx) * math.cos(angle + t) + (y - cy) * math.sin(angle + t)
            for t in np.arange(sides) * 2 * math.pi / sides
        ]
        d = np.max(planes, axis=0) / np.float32(size * 0.5)
        height -= np.maximum(1 - d, 0).astype(np.float32) * np.float32(size * 0.22)
        height += np.exp(-np.square((d - np.float32(1.15)) * 5)).astype(np.float32) * np.float32(
            size * rng.uniform(0, 0.05)
        )
    scratches(rng, shape, height, int(rng.integers(0, 15)))
    return Scene(height.astype(np.float32), material)
