"""Wires and tubes under contacts, pads that face each other across a channel, routed leads; sub-kinds of ``mems``.

A wire makes a device where leads were laid on it: broad bright metal fills much of the field, wires are few.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kinds.wafers import metal, wafer
from nffa_cli.render.plans import (
    Sheet,
    bar,
    box,
    cover,
    disc,
    lay,
    log_uniform,
    rough,
    route,
    scene,
    sheet,
    soil,
    taper,
    union,
    within,
)
from nffa_cli.render.scene import Array, Scene

Rng = np.random.Generator
Shape = tuple[int, int]


def _glowing(rng: Rng, on: Sheet, distance: Array, strength: float) -> None:
    """Give the edges of a shape the bright line that charge and thin metal have there."""
    wide = float(rng.uniform(0.7, 1.8))
    on.material += np.float32(strength) * np.exp(-np.square(distance / np.float32(wide)))


def bridged_pads(rng: Rng, shape: Shape) -> Scene:
    """Two large pads with round corners fill the sides, a darker channel between them, wires across it in a row."""
    unit = shape[1] / 256
    on = sheet(
        shape,
        angle=float(rng.choice([0, 0, 0, 90])) + float(rng.normal(0, 1.5)),
        tilt=float(rng.choice([0, 0, 0, rng.uniform(10, 45)])),
        relief=6,
        ground=float(rng.uniform(0.5, 0.9)),
        zoom=unit,
        shift=(float(rng.normal(0, 18)) * unit, float(rng.normal(0, 12)) * unit),
    )
    gap, wide = float(rng.uniform(14, 75)), float(rng.uniform(35, 120))
    corner = float(rng.uniform(2, 28))
    u, v = on.u, on.v
    pads = union(box(u, v, way * (gap / 2 + 160), 0, 160, wide, corner) for way in (-1, 1))
    if rng.random() < 0.5:
        pads = np.minimum(pads, union(box(u, v, way * (gap / 2 + 190), 0, 150, wide * 1.6, corner) for way in (-1, 1)))
    bare = float(on.material.flat[0])
    if rng.random() < 0.5:  # an isolated or cleaned stripe between
        stripe = within(np.abs(u) - np.float32(gap * rng.uniform(0.5, 0.7)), np.abs(v) - np.float32(wide * 0.95))
        lay(on, stripe, float(rng.uniform(-1, 0.3)), bare * float(rng.uniform(0.7, 1.1)))
    wires = []
    straight = float(rng.choice([0.0, 1.5, 5.0]))
    count = int(rng.choice([1, 2, 4, 7, 12]))
    for _ in range(count):
        y = float(rng.uniform(-0.9, 0.9)) * wide
        over = gap / 2 + float(rng.uniform(0, 14))
        wires.append(bar(u, v, (-over, y), (over, y + float(rng.normal(0, straight))), float(rng.uniform(0.35, 1.2))))
    under = rng.random() < 0.5
    if not under:
        lay(on, pads, float(rng.uniform(0.4, 3)), bare * float(rng.uniform(1.05, 1.7)))
    lay(on, union(wires), float(rng.uniform(0.5, 1.5)), bare * float(rng.uniform(1.3, 2.4)), 1.2)
    if under:
        lay(on, pads, float(rng.uniform(0.4, 3)), bare * float(rng.uniform(1.05, 1.7)))
    if rng.random() < 0.75:
        _glowing(rng, on, pads, float(rng.uniform(0.15, 1.0)))
    if rng.random() < 0.4:  # residue of the resist on the pads
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(-110, 110), rng.uniform(-0.8, 0.8) * wide
            patch = rough(rng, disc(u, v, float(x), float(y), float(rng.uniform(5, 22))), 4, 9)
            lay(on, patch, float(rng.uniform(0, 0.6)), bare * float(rng.uniform(0.8, 1.4)))
            _glowing(rng, on, patch, float(rng.uniform(0, 0.3)))
    soil(rng, on, 0.7)
    return scene(on, shade=float(rng.uniform(0.4, 1)))


def wire_with_leads(rng: Rng, shape: Shape) -> Scene:
    """One wire or tube with two to six leads laid across it, which widen outwards."""
    on = wafer(rng, shape)
    half = log_uniform(rng, 0.6, 3.0)
    length = float(rng.uniform(40, 120))
    lean = float(rng.normal(0, 0.15))
    end = (length * math.cos(lean), length * math.sin(lean))
    wire = bar(on.u, on.v, (-end[0], -end[1]), end, half)
    lay(on, wire, half, float(on.material.flat[0]) * float(rng.uniform(1.1, 1.8)), 1.2)
    count = int(rng.integers(2, 7))
    at = np.linspace(-0.75, 0.75, count) * length + rng.normal(0, 2, count)
    thin = min(float(rng.uniform(1.5, 9)), 0.5 * length / count)
    parts = []
    for number, x in enumerate(at):
        way = (-1) ** number if rng.random() < 0.75 else 1
        y = float(x) * math.tan(lean)
        elbow = (float(x) * float(rng.uniform(1.0, 1.5)), y + way * float(rng.uniform(18, 45)))
        far = (elbow[0] * float(rng.uniform(1.0, 2.2)) + float(rng.normal(0, 10)), way * 170.0)
        parts.append(taper(on.u, on.v, (float(x), y - way * float(rng.uniform(2, 9))), elbow, thin, thin))
        parts.append(taper(on.u, on.v, elbow, far, thin, thin * float(rng.uniform(1.5, 6))))
        parts.append(disc(on.u, on.v, *elbow, thin))
    layout = union(parts)
    metal(rng, on, layout)
    if rng.random() < 0.4:
        _glowing(rng, on, layout, float(rng.uniform(0.1, 0.6)))
    soil(rng, on, 0.8)
    return scene(on)


def routed(rng: Rng, shape: Shape) -> Scene:
    """Leads side by side that turn corners together, end in pads or holes for contacts, over blocks of another level."""
    on = wafer(rng, shape)
    bare = float(on.material.flat[0])
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(-110, 110), rng.uniform(-80, 80)
        block = box(on.u, on.v, float(x), float(y), float(rng.uniform(10, 50)), float(rng.uniform(6, 35)), 1.5)
        lay(on, block, float(rng.uniform(0.3, 2)), bare * float(rng.uniform(0.75, 1.4)))
    half = log_uniform(rng, 1.2, 6)
    pitch = half * float(rng.uniform(2.8, 6))
    parts, ends = [], []
    count = int(rng.integers(2, 9))
    side = float(rng.choice([-1, 1]))
    x0, y0 = float(rng.uniform(-60, 40)), float(rng.uniform(-50, 20))
    for number in range(count):
        x, y = x0 - side * number * pitch, y0 + number * pitch
        stop = x0 + side * float(rng.choice([200, rng.uniform(30, 110)]))
        parts.append(route(on.u, on.v, [(x, -170), (x, y), (stop, y)], half))
        ends.append((stop, y))
    if rng.random() < 0.6:
        size = min(float(rng.uniform(1.3, 2.6)) * half, 0.49 * pitch)
        parts += [box(on.u, on.v, *place, size, size, 0.3 * size) for place in ends]
    for _ in range(int(rng.integers(0, 3))):
        x, y = float(rng.uniform(-110, 110)), float(rng.uniform(-85, 85))
        parts.append(
            box(on.u, on.v, x, y, float(rng.uniform(12, 34)), float(rng.uniform(12, 30)), float(rng.uniform(0, 4)))
        )
    layout = union(parts)
    metal(rng, on, layout)
    if rng.random() < 0.5:
        holes = union(disc(on.u, on.v, *place, 0.5 * half) for place in ends)
        on.height -= cover(holes, 1.2) * np.float32(rng.uniform(0.5, 3))
        on.material *= 1 - cover(holes, 1.2) * np.float32(rng.uniform(0.2, 0.7))
    if rng.random() < 0.3:
        _glowing(rng, on, layout, float(rng.uniform(0.1, 0.5)))
    soil(rng, on, 0.8)
    return scene(on)


ROWS = (
    ("bridged_pads", bridged_pads, (2e-6, 100e-6)),
    ("wire_with_leads", wire_with_leads, (1e-6, 50e-6)),
    ("routed_leads", routed, (2e-6, 1e-3)),
)
