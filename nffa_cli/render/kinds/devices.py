"""Devices that move, heat, carry liquids or were cut: combs, membranes, channels, trenches; sub-kinds of ``mems``."""

from __future__ import annotations

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.released import shadow, stage
from nffa_cli.render.plans import (
    Sheet,
    box,
    cover,
    disc,
    fill,
    framing,
    lattice,
    lay,
    log_uniform,
    noise,
    orientation,
    ring,
    rough,
    route,
    scene,
    sheet,
    soil,
    stripes,
    taper,
    union,
    within,
    without,
)
from nffa_cli.render.scene import Array, Scene

Rng = np.random.Generator
Shape = tuple[int, int]


def _comb_drive(rng: Rng, shape: Shape) -> Scene:
    """Draw fixed and moving combs that reach into each other, with spine, beams and etch holes."""
    tall = rng.uniform(4, 25)
    on = stage(rng, shape, relief=tall)
    period, length = rng.uniform(9, 22), rng.uniform(22, 50)
    half_x, spine = rng.uniform(50, 150), rng.uniform(6, 16)
    duty, overlap = rng.uniform(0.25, 0.42), rng.uniform(0.3, 0.8)
    inside = on.u / np.float32(period)
    inside -= np.floor(inside)
    moving = (np.abs(inside - 0.25) - np.float32(duty / 2)) * np.float32(period)
    fixed = (np.abs(inside - 0.75) - np.float32(duty / 2)) * np.float32(period)
    field = np.abs(on.u) - np.float32(half_x)
    parts = [box(on.u, on.v, 0, 0, half_x, spine)]
    shift = length * (1 - overlap)
    for way in (-1, 1) if rng.random() < 0.6 else (1,):
        v = on.v * np.float32(way)
        parts.append(within(moving, field, np.abs(v - np.float32(spine + length / 2)) - np.float32(length / 2)))
        start = spine + shift + 3
        parts.append(within(fixed, field, np.abs(v - np.float32(start + length / 2)) - np.float32(length / 2)))
        parts.append(box(on.u, v, 0, start + length + spine, half_x, spine + 1))
    body = union(parts)
    if rng.random() < 0.6:
        at = lattice(on.u, on.v, spine * 0.9)
        holes = within(box(at.x, at.y, 0, 0, spine * 0.15 + 0.4, spine * 0.15 + 0.4), np.abs(on.v) - np.float32(spine))
        body = without(body, holes)
    for way in (-1, 1):
        beam = [(way * half_x, 0.0), (way * (half_x + 60), 0.0), (way * (half_x + 60), 25.0), (way * half_x, 25.0)]
        body = np.minimum(body, route(on.u, on.v, beam, rng.uniform(1, 2.5)))
    shadow(on, body, 5, rng.uniform(0.1, 0.5))
    fill(on, body, tall, rng.uniform(0.8, 1.4), 1.2)
    soil(rng, on)
    return scene(on)


def _mirror(rng: Rng, shape: Shape) -> Scene:
    """Draw a plate on two torsion hinges in a frame, or a gear on its hub."""
    tall = rng.uniform(4, 20)
    on = stage(rng, shape, relief=tall + 8, depth=20)
    radius = rng.uniform(30, 75)
    if rng.random() < 0.5:
        plate = disc(on.u, on.v, 0, 0, radius) if rng.random() < 0.5 else box(on.u, on.v, 0, 0, radius, radius * 0.8, 5)
        frame = -(plate - np.float32(rng.uniform(6, 25)))
        hinge = box(on.u, on.v, 0, 0, radius + 40, rng.uniform(1, 4))
        fill(on, -frame, -20, rng.uniform(0.3, 0.7), 2)
        tip = on.v * np.float32(rng.normal(0, 0.12))
        fill(on, np.minimum(plate, within(hinge, np.abs(plate) - 30)), tip, rng.uniform(0.9, 1.5), 1.2)
    else:
        teeth = int(rng.integers(8, 30))
        bearing = np.arctan2(on.v, on.u) * np.float32(teeth)
        bite = np.clip(np.cos(bearing) * 3, -1, 1) * np.float32(radius * 0.07)
        gear = disc(on.u, on.v, 0, 0, radius) - bite
        if rng.random() < 0.7:
            spokes = int(rng.integers(3, 7))
            gap = within(
                ring(on.u, on.v, 0, 0, radius * 0.55, radius * 0.2), np.cos(bearing * (spokes / teeth)) * 20 - 10
            )
            gear = without(gear, gap)
        shadow(on, gear, 5, 0.4)
        fill(on, gear, tall, rng.uniform(0.8, 1.3), 1.3)
        fill(on, disc(on.u, on.v, 0, 0, radius * rng.uniform(0.12, 0.25)), tall + 5, 1.2, 2)
    soil(rng, on)
    return scene(on)


def _membrane(rng: Rng, shape: Shape) -> Scene:
    """Draw a thin membrane in its frame: flat, dished, buckled, holed or broken."""
    zoom, shift = framing(rng)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, 0, rng.uniform(15, 55)]),
        relief=12,
        depth=40,
        zoom=zoom,
        shift=shift,
    )
    half = rng.uniform(35, 85)
    window = (
        box(on.u, on.v, 0, 0, half, half * rng.uniform(0.6, 1)) if rng.random() < 0.6 else disc(on.u, on.v, 0, 0, half)
    )
    chosen = rng.integers(4)
    inside = cover(window, 2)
    on.material += inside * np.float32(rng.uniform(-0.4, 0.2))
    depth = np.clip(-window / np.float32(half), 0, 1)
    if chosen == 0:
        on.height += (1 - (1 - depth) ** 2) * np.float32(rng.normal(0, 12))
    elif chosen == 1:
        on.height += inside * np.minimum(depth * 4, 1) * noise(rng, window.shape, rng.uniform(20, 50), octaves=1) * 4
    elif chosen == 2:
        at = lattice(on.u, on.v, half * rng.uniform(0.12, 0.4))
        holes = within(np.hypot(at.x, at.y) - np.float32(half * 0.05), window + 6)
        fill(on, holes, -15, 0.5)
    else:
        tear = within(noise(rng, window.shape, 50, octaves=3) * 15 - np.float32(rng.uniform(-5, 8)), window)
        fill(on, tear, -35, rng.uniform(0.3, 0.5), 1)
    lay(on, np.abs(window) - np.float32(rng.uniform(0.5, 3)), rng.uniform(0.3, 1.5), rng.uniform(0.9, 1.5))
    if rng.random() < 0.5:
        lead = route(on.u, on.v, [(-160.0, 0.0), (0.0, 0.0), (0.0, 160.0)], rng.uniform(2, 8))
        lay(on, lead, 0.8, rng.uniform(0.9, 1.7))
        lay(on, disc(on.u, on.v, 0, 0, half * rng.uniform(0.15, 0.5)), 0.6, rng.uniform(0.9, 1.7))
    soil(rng, on)
    return scene(on)


def _meander(on: Sheet, half_x: float, half_y: float, period: float, half: float) -> Array:
    """Return a lead that goes to and fro."""
    points: list[tuple[float, float]] = []
    for number in range(int(2 * half_x / period) + 1):
        x = -half_x + number * period
        ends = (-half_y, half_y) if number % 2 == 0 else (half_y, -half_y)
        points += [(x, ends[0]), (x, ends[1])]
    return route(on.u, on.v, [(points[0][0], points[0][1] - 3), *points], half)


def _hot_plate(rng: Rng, shape: Shape) -> Scene:
    """Draw a plate with a meandering heater, held by arms over a pit."""
    deep = rng.uniform(10, 40)
    on = stage(rng, shape, relief=6, depth=deep, flat=0.6)
    half = rng.uniform(25, 55)
    plate = box(on.u, on.v, 0, 0, half, half, rng.choice([0, 4]))
    if rng.random() < 0.75:
        pit = box(on.u, on.v, 0, 0, half * 1.6, half * 1.6)
        fill(on, pit, -deep, rng.uniform(0.3, 0.7), deep * 0.4)
        arm = rng.uniform(3, 9)
        a, b = (on.u + on.v) * np.float32(0.7071), (on.u - on.v) * np.float32(0.7071)
        arms = within(np.minimum(np.abs(a), np.abs(b)) - np.float32(arm), pit - 6)
        shadow(on, np.minimum(plate, arms), 5, 0.4)
        fill(on, np.minimum(plate, arms), 0.0, rng.uniform(0.8, 1.2), 1.2)
    period = half * rng.uniform(0.2, 0.4)
    heater = _meander(on, half * 0.75, half * rng.uniform(0.5, 0.8), period, period * rng.uniform(0.15, 0.3))
    wide = period * 0.3
    out = [route(on.u, on.v, [(-half * 0.75, -half * 0.7), (-half * 1.7, -half * 1.7)], wide)]
    out.append(route(on.u, on.v, [(half * 0.75, -half * 0.7), (half * 1.7, -half * 1.7)], wide))
    out += [box(on.u, on.v, way * half * 2.1, -half * 2.0, half * 0.5, half * 0.5) for way in (-1, 1)]
    lay(on, union([heater, *out]), rng.uniform(0.4, 1.5), rng.uniform(1.1, 1.8))
    soil(rng, on)
    return scene(on)


def _channels(rng: Rng, shape: Shape) -> Scene:
    """Micro-channels: junctions, meanders, chambers with posts; sunk, with steep walls."""
    deep = rng.uniform(4, 30)
    on = stage(rng, shape, relief=4, depth=deep)
    half = log_uniform(rng, 5, 26)
    chosen = rng.integers(5)
    parts = [box(on.u, on.v, 0, 0, 260, half)]
    if chosen == 0:
        parts.append(box(on.u, on.v, rng.normal(0, 20), rng.choice([-1, 1]) * 100, half * rng.uniform(0.4, 1), 100))
    elif chosen == 1:
        for end in (-rng.uniform(40, 130), rng.uniform(40, 130)):
            parts += [taper(on.u, on.v, (0, 0), (-150, end), half * 0.7, half * 0.7)]
        parts[0] = box(on.u, on.v, 100, 0, 105, half)
    elif chosen == 2:
        bend = half * rng.uniform(2, 4)
        parts = [
            np.abs(on.v - np.float32(bend) * np.clip(np.sin(on.u / np.float32(half * 1.6)) * 1.5, -1, 1))
            - np.float32(half * 0.6)
        ]
    elif chosen == 3:
        parts.append(disc(on.u, on.v, 0, 0, rng.uniform(2, 4) * half + 10))
    else:
        parts = [_meander(on, 100, rng.uniform(30, 70), half * 3.2, half * 0.8)]
    channel = union(parts)
    if chosen == 3 or rng.random() < 0.25:
        at = lattice(on.u, on.v, half * rng.uniform(0.9, 1.6), stagger=True)
        channel = without(channel, np.hypot(at.x, at.y) - np.float32(half * rng.uniform(0.15, 0.3)))
    channel = rough(rng, channel, rng.choice([0, 0.3, 1.0]), 6)
    fill(on, channel, -deep, rng.uniform(0.5, 1.0), rng.uniform(1, 6))
    if rng.random() < 0.3:
        on.height += cover(channel) * noise(rng, channel.shape, rng.uniform(3, 8)) * np.float32(rng.uniform(0.1, 0.6))
    soil(rng, on)
    return scene(on)


def _trench(rng: Rng, shape: Shape) -> Scene:
    """Draw a deep trench, a few vias or a step close by, often with the scallops of the etching."""
    deep = rng.uniform(20, 110)
    zoom, shift = framing(rng)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, rng.uniform(15, 50)]),
        depth=deep,
        ground=rng.uniform(0.7, 1.1),
        zoom=zoom,
        shift=shift,
    )
    half = rng.uniform(8, 45)
    chosen = rng.integers(4)
    if chosen == 0:
        hole = np.abs(on.v) - np.float32(half)
    elif chosen == 1:
        hole = box(
            on.u, on.v, rng.normal(0, 20), rng.normal(0, 20), rng.uniform(40, 100), half, rng.choice([0, half * 0.8])
        )
    elif chosen == 2:
        hole = union(
            disc(on.u, on.v, x, rng.normal(0, 25), half * 0.8)
            for x in np.arange(int(rng.integers(1, 4))) * 2.5 * half - half
        )
    else:
        hole = on.v * np.float32(rng.choice([-1, 1]))
    hole = rough(rng, hole, rng.uniform(0, 0.8), rng.uniform(4, 12))
    fill(on, hole, -deep, rng.uniform(0.4, 0.9), rng.uniform(1, 9))
    if rng.random() < 0.5:
        film = rng.uniform(1, 8)
        on.material += (
            cover(-hole - np.float32(film)) * cover(hole - np.float32(film * 4)) * np.float32(rng.uniform(0.1, 0.5))
        )
    if rng.random() < 0.4:
        wall = np.exp(-((hole / 6) ** 2)) * np.sin(on.height * np.float32(rng.uniform(0.5, 1.5)))
        on.height += wall.astype(np.float32) * np.float32(0.8)
    soil(rng, on)
    return scene(on)


def _line_edge(rng: Rng, shape: Shape) -> Scene:
    """One line or one corner close by and from the side: striated wall, foot, top layer."""
    tall = rng.uniform(25, 110)
    on = sheet(shape, angle=rng.uniform(-50, 50), tilt=rng.uniform(25, 65), relief=tall, ground=rng.uniform(0.6, 1.0))
    half = rng.uniform(15, 70)
    line = np.abs(on.v + 10) - np.float32(half)
    if rng.random() < 0.4:
        line = within(line, on.u - np.float32(rng.normal(0, 50)))
    if rng.random() < 0.3:
        line = without(line, box(on.u, on.v, 0, 0, rng.uniform(10, 40), 300))
    line = rough(rng, line, rng.uniform(0.2, 1.2), rng.uniform(3, 9))
    fill(on, line - np.float32(rng.uniform(0, 6)), tall * rng.uniform(0, 0.25), rng.uniform(0.6, 1.1), 4)
    fill(on, line, tall, rng.uniform(0.8, 1.4), rng.uniform(1, tall * 0.2))
    if rng.random() < 0.5:
        lay(on, line + np.float32(rng.uniform(0, 6)), rng.uniform(2, 8), rng.uniform(0.7, 1.7), 1.2)
    on.height += noise(rng, line.shape, rng.uniform(2, 8), octaves=2) * np.float32(rng.uniform(0, 0.4))
    soil(rng, on)
    return scene(on)


def _ion_cut(rng: Rng, shape: Shape) -> Scene:
    """Trenches cut by an ion beam about a lamella, under a protecting bar."""
    deep = rng.uniform(30, 110)
    zoom, shift = framing(rng)
    on = sheet(
        shape,
        angle=rng.normal(0, 4),
        tilt=rng.uniform(35, 58),
        depth=deep,
        relief=14,
        ground=rng.uniform(0.7, 1.1),
        zoom=zoom,
        shift=shift,
    )
    on.height += noise(rng, on.u.shape, rng.uniform(4, 30)) * np.float32(rng.uniform(0.05, 0.8))
    half, thin = rng.uniform(40, 85), log_uniform(rng, 2.5, 14)
    ramp = rng.uniform(40, 90)
    for way in (-1, 1) if rng.random() < 0.65 else (-1,):
        far = on.v * np.float32(way) - np.float32(thin)
        pit = within(np.abs(on.u) - np.float32(half) + far * np.float32(0.05), -far, far - np.float32(ramp))
        slope = -np.float32(deep) * np.clip(1 - far / np.float32(ramp), 0, 1)
        if rng.random() < 0.4:
            slope = -np.float32(deep) * np.ceil(np.clip(1 - far / np.float32(ramp), 0, 1) * 5) / 5
        fill(on, pit, slope, rng.uniform(0.5, 0.9), 1.5)
        spill = np.exp(-np.maximum(pit, 0) / np.float32(12)) * (pit > 0)
        on.height += spill.astype(np.float32) * np.float32(rng.uniform(0, 4))
    strap = rough(rng, box(on.u, on.v, 0, 0, half * rng.uniform(0.8, 1.05), thin, thin * 0.6), 0.3, 6)
    lay(on, strap, rng.uniform(1, 8), rng.uniform(1.1, 1.7), thin * 0.5)
    if rng.random() < 0.4:
        undercut = union(box(on.u, on.v, way * half * 0.95, 0, 2.5, thin + 3) for way in (-1, 1))
        fill(on, undercut, -deep * 0.7, 0.5, 1.2)
    for _ in range(int(rng.integers(0, 3))):
        cross = rng.uniform(-110, 110), rng.choice([-1, 1]) * rng.uniform(40, 80)
        mark = np.minimum(box(on.u, on.v, *cross, 8, 1.5), box(on.u, on.v, *cross, 1.5, 8))
        fill(on, mark, -3, 0.7)
    soil(rng, on)
    return scene(on)


def _needle_row(rng: Rng, shape: Shape) -> Scene:
    """Draw a probe shaft or a few micro-machined needles with electrode sites, over nothing."""
    on = sheet(shape, angle=rng.normal(0, 25), tilt=0, ground=rng.uniform(0.15, 0.5))
    count, half = int(rng.choice([1, 2, 3, 4])), rng.uniform(7, 22)
    parts, sites = [box(on.u, on.v, -150, 0, 70, count * half * 2.5)], []
    for number in range(count):
        y = (number - (count - 1) / 2) * half * rng.uniform(3.2, 4)
        end = rng.uniform(60, 110)
        parts.append(taper(on.u, on.v, (-90, y), (end - 50, y), half, half * rng.uniform(0.6, 1)))
        parts.append(taper(on.u, on.v, (end - 51, y), (end, y), half * 0.7, 0.4))
        sites += [disc(on.u, on.v, x, y, half * 0.25) for x in np.arange(-60, end - 50, half * rng.uniform(1.2, 3))]
    fill(on, union(parts), 14, rng.uniform(0.9, 1.3), 1.5)
    lay(on, union(sites), rng.choice([-1, 0.8]), rng.uniform(0.6, 1.8))
    lines = within(stripes(on.v, 3.5, 0.4), union(parts) + 3)
    if rng.random() < 0.5:
        lay(on, lines, 0.3, 1.3)
    soil(rng, on)
    return scene(on)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("comb_drive", _comb_drive, (20e-6, 800e-6)),
    ("mirror_or_gear", _mirror, (20e-6, 2e-3)),
    ("membrane", _membrane, (10e-6, 2e-3)),
    ("hot_plate", _hot_plate, (30e-6, 2e-3)),
    ("channels", _channels, (30e-6, 3e-3)),
    ("trench", _trench, (0.5e-6, 200e-6)),
    ("line_edge", _line_edge, (0.3e-6, 30e-6)),
    ("ion_cut", _ion_cut, (5e-6, 80e-6)),
    ("probe_shafts", _needle_row, (50e-6, 3e-3)),
)
