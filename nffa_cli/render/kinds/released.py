"""Parts that were released and float over their ground: beams, bridges, springs, strips; sub-kinds of ``mems``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.plans import (
    Sheet,
    box,
    cover,
    fill,
    framing,
    lattice,
    lay,
    log_uniform,
    orientation,
    polygon,
    rough,
    route,
    scene,
    sheet,
    soil,
    union,
    within,
    without,
)
from nffa_cli.render.scene import Array, Scene

Rng = np.random.Generator
Shape = tuple[int, int]


def stage(rng: Rng, shape: Shape, *, relief: float, depth: float = 0.0, flat: float = 0.35) -> Sheet:
    """Return a wafer that is mostly tilted, since such devices are looked at from the side."""
    tilt = 0.0 if rng.random() < flat else rng.uniform(15, 65)
    zoom, shift = framing(rng)
    return sheet(
        shape,
        angle=orientation(rng),
        tilt=tilt,
        relief=relief,
        depth=depth,
        ground=rng.uniform(0.5, 1.1),
        perspective=rng.uniform(0, 0.15),
        zoom=zoom,
        shift=shift,
    )


def shadow(on: Sheet, part: Array, reach: float, dark: float) -> None:
    """Darken the floor under the rim of a released part."""
    on.material *= 1 - np.float32(dark) * np.exp(-np.maximum(part, 0) / np.float32(reach))


def floating(on: Sheet, part: Array, level: Array, thick: float, bright: float) -> Scene:
    """Return the sheet seen with a plate above it, under which one can look.

    Parameters
    ----------
    part
        Distance from the plate's outline, pixels, negative inside.
    level
        Height of the plate's top everywhere; it should change slowly.
    thick, bright
        Its thickness in pixels, and its yield.
    """
    if not on.tilt:
        fill(on, part, level, bright, 1.2)
        return scene(on)
    below = scene(on)
    rows, columns = on.shape
    lean = math.radians(on.tilt)
    rise = math.tan(lean)
    inside, tall = cover(part, 1.2), part.shape[0]
    start = np.arange(rows, dtype=np.float32)[:, None] / np.float32(math.cos(lean)) + on.behind
    start = np.repeat(start, columns, axis=1)

    def at(values: Array, row: Array) -> Array:
        row = np.clip(row, 0, tall - 1.001)
        low = row.astype(np.int64)
        share = row - low
        return np.take_along_axis(values, low, 0) * (1 - share) + np.take_along_axis(values, low + 1, 0) * share

    row = start
    for _ in range(3):
        row = start + at(level, row) * np.float32(rise)
    top, side = at(inside, row), np.zeros(on.shape, np.float32)
    for share in (0.34, 0.67, 1.0):
        np.maximum(side, at(inside, row - np.float32(share * thick * rise)), out=side)
    high = at(level, row)
    height = below.height + side * (high - np.float32(thick) - below.height)
    height += top * (high - height)
    material = below.yields + np.maximum(side, top) * (np.float32(bright) - below.yields)
    return Scene(height.astype(np.float32), material.astype(np.float32))


def _cantilever(rng: Rng, shape: Shape) -> Scene:
    """One beam or a row of beams over a cavity, fixed at one end."""
    deep = rng.uniform(6, 40)
    on = stage(rng, shape, relief=15, depth=deep)
    count, half = int(rng.choice([1, 1, 2, 3, 5, 8])), log_uniform(rng, 3, 22)
    length, gap = rng.uniform(50, 130), rng.uniform(1.4, 3) * half
    bright = float(rng.uniform(0.8, 1.4))
    beams = []
    for number in range(count):
        y = (number - (count - 1) / 2) * (2 * half + gap)
        long = length * (rng.uniform(0.4, 1.0) if rng.random() < 0.5 else 1.0)
        end = -60 + long
        beam = box(on.u, on.v, (-60 + end) / 2, y, long / 2 + 5, half)
        if rng.random() < 0.35:
            beam = np.minimum(beam, polygon(on.u, on.v, [(end - 1, y - half), (end + half, y), (end - 1, y + half)]))
        if rng.random() < 0.25:
            beam = without(beam, box(on.u, on.v, -40, y, long * 0.25, half * 0.4))
        beams.append(beam)
    part = union(beams)
    pit = box(on.u, on.v, 30, 0, 90, count * (half + gap / 2) + rng.uniform(6, 40))
    if rng.random() < 0.5:
        pit = -on.u - np.float32(60)
    fill(on, pit, -deep, rng.uniform(0.4, 0.9), rng.uniform(1, deep * 0.5))
    shadow(on, part, rng.uniform(3, 12), rng.uniform(0.2, 0.6))
    soil(rng, on)
    curl = np.minimum(np.clip((on.u + 60) / 130, 0, 1) ** 2 * np.float32(rng.normal(0, 7)), 14)
    return floating(on, part, curl, rng.uniform(1, 5), bright)


def _bridge(rng: Rng, shape: Shape) -> Scene:
    """Beams fixed at both ends, plain, waisted or holed, over a trench."""
    deep, span = rng.uniform(4, 35), rng.uniform(30, 95)
    on = stage(rng, shape, relief=10, depth=deep)
    half = log_uniform(rng, 1, 16)
    trench = np.abs(on.u) - np.float32(span)
    if rng.random() < 0.5:
        trench = within(trench, np.abs(on.v) - np.float32(rng.uniform(25, 80)))
    trench = rough(rng, trench, rng.uniform(0, 1), 10)
    fill(on, trench, -deep, rng.uniform(0.3, 0.9), rng.uniform(1, 5))
    count = int(rng.choice([1, 1, 2, 3, 4]))
    bridges = []
    for number in range(count):
        y = (number - (count - 1) / 2) * (half * 4 + 8)
        v = on.v - np.float32(y) - np.float32(rng.choice([0, 0, half])) * np.cos(on.u * np.float32(math.pi / 2 / span))
        bridge = within(np.abs(v) - np.float32(half), np.abs(on.u) - np.float32(span + 25))
        if rng.random() < 0.3:
            middle = half * rng.uniform(1.5, 3)
            bridge = np.minimum(bridge, box(on.u, v, 0, 0, middle, middle))
        bridges.append(bridge)
    part = union(bridges)
    if rng.random() < 0.3 and half > 6:
        at = lattice(on.u, on.v, half * 0.8)
        part = without(part, np.hypot(at.x, at.y) - np.float32(half * 0.22))
    shadow(on, part, rng.uniform(2, 8), rng.uniform(0.2, 0.6))
    if rng.random() < 0.5:
        pads = union(box(on.u, on.v, way * (span + 60), 0, 50, rng.uniform(15, 70)) for way in (-1, 1))
        lay(on, pads, rng.uniform(0.4, 2), rng.uniform(0.8, 1.7))
    soil(rng, on)
    sag = np.maximum(1 - (on.u / np.float32(span)) ** 2, 0) * np.float32(rng.choice([0, 0, rng.normal(0, 4)]))
    return floating(on, part, sag + 1, rng.uniform(0.8, 4), rng.uniform(0.8, 1.5))


def _spring(rng: Rng, shape: Shape) -> Scene:
    """Draw a mass on folded or meandering beams."""
    tall = rng.uniform(3, 20)
    on = stage(rng, shape, relief=tall)
    half, mass = rng.uniform(1, 4), rng.uniform(18, 50)
    parts = [box(on.u, on.v, 0, 0, mass, mass * rng.uniform(0.5, 1.2), rng.choice([0, mass * 0.3]))]
    folds, step = int(rng.integers(2, 7)), half * rng.uniform(3, 6)
    swing = rng.uniform(12, 45)
    for way in (-1, 1):
        x, y = way * mass, 0.0
        points = [(way * mass * 0.8, 0.0)]
        for fold in range(folds):
            x += way * step
            points += [(x, y), (x, (-1) ** fold * swing)]
            y = (-1) ** fold * swing
        points += [(x + way * step, y), (x + way * step, 0.0), (x + way * 2 * step, 0.0)]
        parts.append(route(on.u, on.v, points, half))
        parts.append(box(on.u, on.v, x + way * (2 * step + 15), 0, 16, rng.uniform(10, 40)))
    body = union(parts)
    if rng.random() < 0.6:
        at = lattice(on.u, on.v, mass * rng.uniform(0.2, 0.4))
        holes = within(np.hypot(at.x, at.y) - np.float32(mass * 0.06), parts[0] + 3)
        body = without(body, holes)
    shadow(on, body, 5, rng.uniform(0.1, 0.5))
    soil(rng, on)
    return floating(on, body, np.full_like(on.height, tall), tall * rng.uniform(0.4, 1.0), rng.uniform(0.8, 1.4))


def _bent_strips(rng: Rng, shape: Shape) -> Scene:
    """Draw stressed strips that bend up after release, from the edge of their film."""
    on = stage(rng, shape, relief=45, flat=0.1)
    count, half = int(rng.integers(2, 7)), rng.uniform(4, 14)
    strips, rise = [], np.zeros_like(on.height)
    for number in range(count):
        y, long = (number - (count - 1) / 2) * (half * 3 + 6), rng.uniform(40, 110)
        along = np.clip((on.u + 60) / np.float32(long), 0, 1)
        strips.append(box(on.u, on.v, -60 + long / 2, y, long / 2, half))
        near = np.abs(on.v - np.float32(y)) < half * 1.5 + 3
        rise = np.where(near, along**2 * np.float32(rng.uniform(0, 42)), rise)
    part = np.minimum(union(strips), box(on.u, on.v, -110, 0, 52, 120))
    shadow(on, part, 5, rng.uniform(0.2, 0.5))
    soil(rng, on)
    return floating(on, part, rise + 2, rng.uniform(1, 4), rng.uniform(0.9, 1.5))


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("cantilever", _cantilever, (10e-6, 1e-3)),
    ("bridge", _bridge, (2e-6, 500e-6)),
    ("spring", _spring, (20e-6, 2e-3)),
    ("bent_strips", _bent_strips, (20e-6, 1e-3)),
)
