"""Few thin wires on a flat chip seen from far: grey, almost empty, with marks, numbers and strips of film; no device.

What makes them Nanowires and no MEMS device: wires lie anyhow all over the field, and no lead touches one on purpose.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.fields import shrink
from nffa_cli.render.plans import Sheet, box, cover, lattice, lay, lettering, log_uniform, orientation, sheet, union
from nffa_cli.render.scene import Array, Scene, curve, smooth, tubes

Rng = np.random.Generator
Shape = tuple[int, int]


def _strip(rng: Rng, on: Sheet) -> None:
    """A strip of film with an edge line, a shoulder and perhaps a narrower end."""
    x, half = float(rng.uniform(-110, 110)), float(rng.uniform(6, 28))
    top = float(rng.uniform(-90, 60))
    strip = box(on.u, on.v, x, top + 200, half, 200, corner=float(rng.uniform(0, 4)))
    if rng.random() < 0.5:
        strip = np.minimum(
            strip, box(on.u, on.v, x + float(rng.normal(0, 4)), top - 12, half * rng.uniform(0.2, 0.5), 16)
        )
    change = float(rng.choice([-1, -1, 1]) * rng.uniform(0.02, 0.12))
    lay(on, strip, float(rng.uniform(0.1, 0.8)), float(on.material.flat[0]) * (1 + change), 1.2)
    if rng.random() < 0.7:
        line = cover(np.abs(strip + np.float32(rng.uniform(0, 1.5))) - np.float32(rng.uniform(0.3, 0.7)), 1.0)
        on.material *= 1 + line * np.float32(rng.uniform(-0.12, 0.2))


def _marks(rng: Rng, on: Sheet) -> None:
    """Numbers, corners, crosses, and a lattice of dots, of metal or etched: faint."""
    bare = float(on.material.flat[0])
    bright = bare * float(1 + rng.choice([-1, 1, 1]) * rng.uniform(0.04, 0.22))
    pieces: list[Array] = []
    u, v = on.u, on.v
    if rng.random() < 0.55:
        text = (
            str(int(rng.integers(1, 99))) if rng.random() < 0.8 else ("A", "B7", "C3", "X", "L2")[int(rng.integers(5))]
        )
        x, y = rng.uniform(-115, 85), rng.uniform(-90, 50)
        pieces.append(lettering(u, v, text, float(x), float(y), float(rng.uniform(18, 48))))
    for _ in range(int(rng.integers(0, 4))):
        x, y = float(rng.uniform(-120, 120)), float(rng.uniform(-90, 90))
        long, half = float(rng.uniform(4, 14)), float(rng.uniform(0.9, 3))
        away = float(rng.choice([0.0, long, -long]))
        pieces += [box(u, v, x, y, long, half), box(u, v, x + away, y + float(rng.choice([0, long])), half, long)]
    if pieces:
        lay(on, union(pieces), float(rng.uniform(0.1, 1.0)), bright, 1.2)
    if rng.random() < 0.55:
        at = lattice(u, v, float(rng.uniform(14, 44)))
        dots = np.hypot(at.x, at.y) - np.float32(rng.uniform(0.35, 1.0))
        on.material += cover(dots, 1.2) * np.float32(bare * rng.choice([-1, 1, 1]) * rng.uniform(0.05, 0.4))


def _sheaves(rng: Rng, shape: Shape, unit: float, longest: float) -> tuple[list[Array], Array]:
    """Return thin straight wires, some side by side or fanned out from one place, and their radii."""
    groups = int(np.exp(rng.uniform(math.log(3), math.log(45))))
    typical = log_uniform(rng, 7, longest) * unit
    thin = log_uniform(rng, 0.24, 0.8) * unit
    together = float(rng.choice([0.0, 0.4, 1.2]))
    found, radii = [], []
    bend = float(rng.choice([0.0, 0.02, 0.1]))
    for _ in range(groups):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        angle = float(rng.uniform(0, 2 * math.pi))
        for _ in range(1 + int(rng.poisson(together))):
            length = typical * float(np.clip(rng.normal(1, 0.35), 0.3, 2))
            start = (y + float(rng.normal(0, 1.5 * unit)), x + float(rng.normal(0, 1.5 * unit)))
            found.append(curve(rng, start, angle + float(rng.normal(0, 0.12)), length, bend=bend, step=length / 4))
            radii.append(thin * float(np.exp(rng.normal(0, 0.25))))
    return found, np.array(radii)


def thin_on_chip(rng: Rng, shape: Shape) -> Scene:
    """Short thin needles strewn over a flat grey chip with marks."""
    return _strewn(rng, shape, marks=0.85, strips=0.5, longest=55)


def thin_on_wafer(rng: Rng, shape: Shape) -> Scene:
    """Thin wires strewn over a bare wafer, with their droplets and crumbs."""
    return _strewn(rng, shape, marks=0.0, strips=0.1, longest=120)


def _strewn(rng: Rng, shape: Shape, *, marks: float, strips: float, longest: float) -> Scene:
    unit = shape[1] / 256
    on = sheet(shape, angle=orientation(rng), ground=float(rng.uniform(0.6, 1.0)), zoom=unit)
    if rng.random() < strips:
        for _ in range(int(rng.integers(1, 3))):
            _strip(rng, on)
    if rng.random() < marks:
        _marks(rng, on)
    if rng.random() < 0.3:
        on.material *= 1 + smooth(rng, shape, float(rng.uniform(30, 120)) * unit) * np.float32(rng.uniform(0.005, 0.03))
    wires, radii = _sheaves(rng, shape, unit, longest)
    bright = float(np.median(on.material)) * log_uniform(rng, 1.25, 2.8)
    # Wires thinner than a pixel are drawn at twice the size, or they would fall to pieces.
    high, yields = (
        np.zeros((2 * shape[0], 2 * shape[1]), np.float32),
        np.zeros((2 * shape[0], 2 * shape[1]), np.float32),
    )
    values = bright * np.exp(rng.normal(0, 0.08, len(wires)))
    tubes(high, [2 * wire for wire in wires], np.maximum(2 * radii, 0.5), material=yields, values=values)
    part = shrink((yields > 0).astype(np.float32), 2)
    on.material = on.material * (1 - part) + shrink(yields, 2)
    on.height = on.height + shrink(high, 2) * np.float32(0.5)
    crumbs = int(rng.integers(3, 40)) if rng.random() < 0.35 else 0
    if crumbs:
        y, x = (np.clip(rng.uniform(0, n, crumbs).astype(int), 0, n - 1) for n in shape)
        on.height[y, x] += np.float32(0.8)
        on.material[y, x] = np.float32(bright)
    return Scene(on.height, np.maximum(on.material, 0.05), shade=float(rng.uniform(0.35, 1)))


ROWS = (
    ("thin wires on a marked chip", thin_on_chip, (5e-6, 80e-6)),
    ("thin wires on a wafer", thin_on_wafer, (3e-6, 80e-6)),
)
