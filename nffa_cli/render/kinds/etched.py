"""Etched steels and cast alloys as large particles, columns and rosettes in a ground mass; for "none of the ten".

What tells them from a film or a powder: a second phase sits *in* a felted or mottled ground, smooth bodies of several
sizes, in rows, clusters, along borders or along the direction in which a melt froze. Finer ones are in ``steels``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kinds.bulk import scratches
from nffa_cli.render.plans import waves
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    cells,
    ellipsoid,
    fbm,
    lump,
    place,
    polyhedron,
    ridged,
    rod,
    scatter,
    smooth,
    stamp_all,
    step,
    turned,
    warped,
)

Rng = np.random.Generator


def _felt(rng: Rng, shape: Shape, unit: float) -> Array:
    """Return the height of a ground of fine laths that lie one way here and another there, or torn, or pitted."""
    how = rng.random()
    fine = float(rng.uniform(3, 7)) * unit
    if how < 0.55:
        turn = float(rng.uniform(0, math.pi))
        first = waves(rng, shape, fine, 0.95, spread=0.55, angle=turn)
        other = waves(rng, shape, fine, 0.95, spread=0.55, angle=turn + float(rng.uniform(0.6, 1.6)))
        here = step(smooth(rng, shape, float(rng.uniform(12, 40)) * unit), 0.0, 0.6)
        found: Array = first * here + other * (1 - here) + np.float32(0.6) * smooth(rng, shape, fine * 0.8)
        return found
    if how < 0.8:
        return ridged(rng, shape, fine * 2, octaves=3, gain=0.6) * np.float32(3)
    return fbm(rng, shape, fine, octaves=2, gain=0.6)


def _ground(rng: Rng, shape: Shape) -> tuple[Array, Array, float]:
    """Return (height, yield, unit) of an etched ground mass, darker than what stands in it."""
    unit = shape[1] / 256
    felt = _felt(rng, shape, unit)
    height = felt * np.float32(rng.uniform(0.15, 1.3) * unit)
    tone = np.float32(rng.uniform(0.4, 0.8)) * (1 + felt * np.float32(rng.uniform(0.03, 0.16)))
    tone = tone * (1 + smooth(rng, shape, float(rng.uniform(20, 80)) * unit) * np.float32(rng.uniform(0, 0.08)))
    return height.astype(np.float32), np.maximum(tone, np.float32(0.15)).astype(np.float32), unit


def _bodies(rng: Rng, size: float, number: int) -> list[Array]:
    """Return carbides about ``size`` pixels in radius: rounded, edged or long; they stand out little."""
    made = []
    edged = float(rng.random())
    for _ in range(number):
        r = size * float(np.exp(rng.normal(0, 0.3)))
        flat = float(rng.uniform(0.25, 0.6))
        if r > 2 and rng.random() < edged:
            body = polyhedron(rng, r, int(rng.integers(14, 24)), uneven=0.22, flat=flat)
        elif rng.random() < 0.6:
            body = ellipsoid(r, r * float(rng.uniform(0.55, 1)), r * flat, float(rng.uniform(0, math.pi)), sunk=0.5)
        else:
            body = lump(rng, r, rough=0.15, flat=flat)
        made.append(body)
    return made


def _strew(
    rng: Rng, height: Array, material: Array, size: float, apart: float, *, where: Array | None = None, bright: float
) -> None:
    """Put bodies of one size ``apart`` pixels from each other, where ``where`` is positive."""
    points = scatter(rng, height.shape, max(apart, size * 1.2, 0.018 * height.shape[1]))
    if where is not None and len(points):
        at = np.clip(points.astype(int), 0, np.array(height.shape) - 1)
        points = points[where[at[:, 0], at[:, 1]] > 0]
    number = 10 if size > 2 else 6
    values = bright * np.exp(rng.normal(0, 0.06, len(points)))
    stamp_all(height, _bodies(rng, size, number), points[:600], base=0.0, material=material, values=values)


def proud_carbides(rng: Rng, shape: Shape) -> Scene:
    """A few large smooth carbides, many small ones and rows of short rods in a felted ground."""
    height, material, unit = _ground(rng, shape)
    bright = float(rng.uniform(1.0, 1.7))
    gate = smooth(rng, shape, float(rng.uniform(25, 80)) * unit) + np.float32(rng.uniform(-0.2, 1.2))
    small = float(rng.uniform(0.9, 2.4)) * unit
    _strew(rng, height, material, small, small * float(rng.uniform(3.2, 7)), where=gate, bright=bright)
    if rng.random() < 0.5:  # rods in rows where plates broke up
        lead = float(rng.uniform(0, math.pi))
        points = scatter(rng, shape, float(rng.uniform(5, 9)) * unit)
        at = np.clip(points.astype(int), 0, np.array(shape) - 1)
        points = points[smooth(rng, shape, 30 * unit)[at[:, 0], at[:, 1]] > rng.uniform(0.2, 1.0)]
        rods = [
            rod(
                float(rng.uniform(1.5, 6)) * unit,
                float(rng.uniform(0.6, 1.2)) * unit,
                lead + float(rng.normal(0, 0.15)),
            )
            for _ in range(8)
        ]
        stamp_all(height, rods, points, base=0.0, material=material, values=np.full(len(points), bright))
    large = float(rng.uniform(4, 12)) * unit
    _strew(rng, height, material, large, large * float(rng.uniform(3.0, 7)), bright=bright * float(rng.uniform(0.7, 1)))
    if rng.random() < 0.6:
        middle = (large * small) ** 0.5
        _strew(rng, height, material, middle, middle * float(rng.uniform(4, 8)), bright=bright)
    return Scene(height, material, shade=float(rng.uniform(0.45, 1)))


def carbide_clusters(rng: Rng, shape: Shape) -> Scene:
    """Heaps and strings of round carbides, along former borders or anyhow, and bare felted ground between."""
    height, material, unit = _ground(rng, shape)
    bright = float(rng.uniform(1.0, 1.7))
    if rng.random() < 0.5:
        grains = cells(rng, shape, scale=float(rng.uniform(60, 150)) * unit, at=warped(rng, shape, 6 * unit, 25 * unit))
        gate = np.float32(rng.uniform(4, 11) * unit) - grains.border
    else:
        gate = smooth(rng, shape, float(rng.uniform(18, 45)) * unit) - np.float32(rng.uniform(0.3, 1.0))
    size = float(rng.uniform(1.6, 4)) * unit
    _strew(rng, height, material, size, size * 1.5, where=gate, bright=bright)
    _strew(rng, height, material, size * 1.9, size * 5, where=gate, bright=bright)
    tiny = size * float(rng.uniform(0.35, 0.6))
    _strew(rng, height, material, tiny, tiny * float(rng.uniform(5, 12)), where=-gate, bright=bright)
    return Scene(height, material, shade=float(rng.uniform(0.45, 1)))


def fine_carbides(rng: Rng, shape: Shape) -> Scene:
    """Densely strewn fine carbides, white on a nearly black pitted ground, with a few larger ones."""
    unit = shape[1] / 256
    fine = float(rng.uniform(1.8, 4.5)) * unit
    field = fbm(rng, shape, fine, octaves=2, gain=0.5)
    bits = step(field, float(rng.uniform(0.5, 1.4)), 0.5)
    height = (field * np.float32(0.35) + bits * np.float32(0.8)) * np.float32(rng.uniform(0.5, 1.5) * unit)
    material = np.float32(rng.uniform(0.3, 0.6)) * (1 + np.float32(0.15) * field) + bits * np.float32(
        rng.uniform(0.3, 0.9)
    )
    height, material = height.astype(np.float32), np.maximum(material, 0.12).astype(np.float32)
    size = float(rng.uniform(1.6, 4.5)) * unit
    _strew(rng, height, material, size, size * float(rng.uniform(4, 9)), bright=float(rng.uniform(0.9, 1.5)))
    return Scene(height, material, shade=float(rng.uniform(0.5, 1)))


def cast_columns(rng: Rng, shape: Shape) -> Scene:
    """Long rounded bodies which froze side by side, pinched, forked and ended, a mottled second phase between them."""
    unit = shape[1] / 256
    period = float(np.exp(rng.uniform(math.log(11), math.log(44)))) * unit
    turn = float(rng.choice([0, math.pi / 2])) + float(rng.normal(0, 0.25))
    field = waves(rng, shape, period, float(rng.uniform(0.18, 0.45)), spread=float(rng.uniform(0.15, 0.5)), angle=turn)
    field = field + np.float32(0.2) * smooth(rng, shape, period * 0.8)
    level = float(rng.uniform(-0.5, 0.5))
    over = field - np.float32(level)
    body = step(over, 0, 0.25)
    part = np.clip(over / np.float32(rng.uniform(0.5, 1.4)), 0, 1)
    bulge = np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(period * rng.uniform(0.04, 0.16))
    swell = smooth(rng, shape, period * 0.7) * np.float32(rng.uniform(0.1, 0.5) * unit)
    fine = float(rng.uniform(2.5, 6)) * unit
    mottle = (ridged if rng.random() < 0.5 else fbm)(rng, shape, fine, octaves=2)
    deep = float(rng.uniform(0, 2.5)) * unit
    height = body * (bulge + swell) + (1 - body) * (
        mottle * np.float32(rng.uniform(0.3, 1.1) * unit) - np.float32(deep)
    )
    if rng.random() < 0.5:  # ghosts of bodies that lie deeper
        sunk = step(smooth(rng, shape, period * 0.6), 0.7, 0.3) * (1 - body)
        height += sunk * np.float32(deep * 0.7)
    shift = float(rng.uniform(-0.35, 0.3))
    material = 1 + body * np.float32(shift) + (1 - body) * mottle * np.float32(rng.uniform(0, 0.1))
    seam = np.exp(-np.square((over + np.float32(0.12)) / np.float32(0.16)))
    material = material * (1 - seam * np.float32(rng.uniform(0, 0.4)))
    rim = np.exp(-np.square((over - np.float32(0.15)) / np.float32(0.14)))
    material = material + rim * np.float32(rng.uniform(0, 0.25))
    scratches(rng, shape, height, int(rng.integers(0, 5)) if rng.random() < 0.3 else 0)
    return Scene(
        height.astype(np.float32), np.maximum(material, 0.2).astype(np.float32), shade=float(rng.uniform(0.4, 1))
    )


def breaking_pearlite(rng: Rng, shape: Shape) -> Scene:
    """Plates of cementite broken into rows of rods and beads, colony by colony; bright on a dark ground."""
    unit = shape[1] / 256
    period = float(rng.uniform(4, 11)) * unit
    colonies = cells(rng, shape, scale=float(rng.uniform(35, 140)) * unit, at=warped(rng, shape, 4 * unit, 25 * unit))
    angle = colonies.values(rng.uniform(0, math.pi, colonies.count).astype(np.float32))
    y, x = warped(rng, shape, period * 0.35, period * 5)
    across = (y * np.cos(angle) - x * np.sin(angle)) * np.float32(2 * math.pi / period)
    gaps = fbm(rng, shape, period * float(rng.uniform(0.7, 2.0)), octaves=2)
    plates = np.sin(across) + gaps * colonies.values(rng.uniform(0.2, 1.3, colonies.count).astype(np.float32))
    bright = step(plates, float(rng.uniform(0.2, 0.8)), 0.45)
    height = bright * np.float32(rng.uniform(0.4, 2.0) * unit) + fbm(rng, shape, 3 * unit, octaves=2) * np.float32(0.15)
    material = np.float32(rng.uniform(0.35, 0.8)) + bright * np.float32(rng.uniform(0.4, 1.0))
    if rng.random() < 0.5:
        seam = step(np.float32(rng.uniform(0.6, 2.5) * unit) - colonies.border, 0, 1.2)
        height += seam * np.float32(unit)
        material += (np.float32(1.2) - material) * seam
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.5, 1)))


def rosettes(rng: Rng, shape: Shape) -> Scene:
    """Dendrites of a cast alloy in section: crosses with side arms, each grain turned its way, a frozen melt between."""
    unit = shape[1] / 256
    scale = float(rng.uniform(40, 150)) * unit
    y, x = warped(rng, shape, float(rng.uniform(0.5, 2.5)) * unit, 12 * unit)
    grains = cells(rng, shape, scale=scale, at=(y, x), stretch=float(rng.choice([1.0, rng.uniform(1.3, 3)])))
    angle = grains.values(rng.uniform(0, math.pi / 2, grains.count).astype(np.float32))
    if rng.random() < 0.4:
        angle = angle * np.float32(0.08) + np.float32(rng.uniform(0, 1.5))
    c, s = np.cos(angle), np.sin(angle)
    down, right = np.abs(grains.down * c - grains.right * s), np.abs(grains.right * c + grains.down * s)
    trunk, beside = np.maximum(down, right), np.minimum(down, right)
    arm = float(rng.uniform(6, 15)) * unit
    comb = np.cos(trunk * np.float32(2 * math.pi / arm)) + smooth(rng, shape, arm) * np.float32(0.35)
    core = np.float32(1.2) - beside / np.float32(arm * 0.3)
    solid = np.maximum(core, comb + np.float32(rng.uniform(-0.1, 0.5)))
    solid = np.minimum(solid, (grains.border - np.float32(rng.uniform(0.5, 3) * unit)) / np.float32(2 * unit))
    body = step(solid, float(rng.uniform(-0.1, 0.3)), float(rng.uniform(0.3, 1.2)))
    between = fbm(rng, shape, float(rng.uniform(2.5, 6)) * unit, octaves=2)
    material = 1 + body * np.float32(rng.choice([-1, 1]) * rng.uniform(0.12, 0.5))
    material = material + (1 - body) * between * np.float32(rng.uniform(0, 0.15))
    height = body * np.float32(rng.uniform(-1, 2) * unit) + (1 - body) * between * np.float32(rng.uniform(0.05, 0.6))
    scratches(rng, shape, height, int(rng.integers(0, 8)))
    return Scene(
        height.astype(np.float32), np.maximum(material, 0.3).astype(np.float32), shade=float(rng.uniform(0.2, 0.9))
    )


def plates(rng: Rng, shape: Shape) -> Scene:
    """Straight plates in two directions within grains, from a carbide film on the borders inwards (Widmanstaetten)."""
    height, material, unit = _ground(rng, shape)
    grains = cells(rng, shape, scale=float(rng.uniform(70, 200)) * unit, at=warped(rng, shape, 5 * unit, 30 * unit))
    wide, period = float(rng.uniform(0.7, 2.0)) * unit, float(rng.uniform(9, 26)) * unit
    found = np.float32(rng.uniform(0.5, 2.2) * unit) - grains.border
    v, u = turned(shape, 0.0)
    first = rng.uniform(0, math.pi, grains.count)
    reach = float(rng.uniform(8, 60)) * unit
    for turn in (0.0, float(rng.uniform(0.8, 1.6))):
        angle = grains.values((first + turn).astype(np.float32))
        across = v * np.cos(angle) - u * np.sin(angle)
        number = np.floor(across / np.float32(period))
        table = rng.uniform(0, 1, 256).astype(np.float32)
        chance = table[(number.astype(np.int64) * 37 + grains.label * 11) & 255]
        line = np.abs(across - (number + np.float32(0.25) + np.float32(0.5) * chance) * np.float32(period))
        long = (table[(number.astype(np.int64) * 53 + grains.label * 7) & 255] ** 2) * np.float32(reach * 2)
        found = np.maximum(found, np.minimum(np.float32(wide) - line, long - grains.border))
    body = step(found, 0, 1.2)
    height = height * (1 - body) + body * np.float32(rng.uniform(0.5, 2) * unit)
    material = material + (np.float32(rng.uniform(0.9, 1.6)) - material) * body
    if rng.random() < 0.5:
        size = float(rng.uniform(0.8, 1.6)) * unit
        _strew(rng, height, material, size, size * 5, where=grains.border - 8 * unit, bright=1.3)
    return Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))


def solidified_cells(rng: Rng, shape: Shape) -> Scene:
    """Fine cells with bright or sunk walls, long here and round there, in bands of melt that froze one after another."""
    unit = shape[1] / 256
    fine = float(rng.uniform(4.5, 13)) * unit
    pools = float(rng.uniform(50, 160)) * unit
    y, x = warped(rng, shape, 8 * unit, 50 * unit)
    # Melt pools: arcs one above the other, in rows that are shifted.
    row = np.floor(
        (y + np.float32(0.25) * np.square((x / pools) % 1 - np.float32(0.5)) * pools * 4) / np.float32(pools * 0.5)
    )
    table = rng.uniform(0, 1, 64).astype(np.float32)
    chance = table[(row.astype(np.int64) * 7 + np.floor(x / np.float32(pools)).astype(np.int64) * 13) & 63]
    angle = np.float32(rng.uniform(0, math.pi)) + chance * np.float32(rng.uniform(0, 1.5))
    stretch = 1 + np.float32(rng.uniform(0, 5)) * chance
    v = y * np.cos(angle) - x * np.sin(angle)
    u = (x * np.cos(angle) + y * np.sin(angle)) / stretch
    found = cells(rng, shape, scale=fine, at=(v, u))
    wall = step(np.float32(rng.uniform(0.5, 1.3) * unit) - found.border, 0, 1.2)
    bead = smooth(rng, shape, fine * 0.5)
    wall = wall * np.clip(np.float32(1) + bead * np.float32(rng.uniform(0, 0.7)), 0, 1.4)
    tone = 1 + (chance - np.float32(0.5)) * np.float32(rng.uniform(0, 0.25))
    height = wall * np.float32(rng.choice([-1, 1, 1]) * rng.uniform(0.3, 1.8) * unit)
    height += fbm(rng, shape, 3 * unit, octaves=2) * np.float32(rng.uniform(0.03, 0.2))
    material = tone * (1 + wall * np.float32(rng.uniform(-0.25, 0.7)))
    return Scene(
        height.astype(np.float32), np.maximum(material, 0.2).astype(np.float32), shade=float(rng.uniform(0.3, 1))
    )


CONSTITUENTS = (proud_carbides, fine_carbides, breaking_pearlite, plates)


def two_constituents(rng: Rng, shape: Shape) -> Scene:
    """Two of these side by side in one steel: patches, or grains of one in the other."""
    one, other = (CONSTITUENTS[int(k)](rng, shape) for k in rng.permutation(len(CONSTITUENTS))[:2])
    unit = shape[1] / 256
    if rng.random() < 0.5:
        field = smooth(rng, shape, float(rng.uniform(30, 90)) * unit) - np.float32(rng.uniform(-0.6, 0.6))
        mask = step(field, 0, 0.25)
    else:
        grains = cells(rng, shape, scale=float(rng.uniform(40, 110)) * unit, at=warped(rng, shape, 6 * unit, 25 * unit))
        mask = grains.values((rng.random(grains.count) < rng.uniform(0.25, 0.7)).astype(np.float32))
        mask = mask * step(grains.border, 0.8, 1.2)
    return place(one, other, mask)
