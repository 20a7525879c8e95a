"""Electrodes: leads, pads, Hall bars, fingers, transistors, gaps, crossings; sub-kinds of ``mems``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.wafers import metal, sample_between, wafer
from nffa_cli.render.plans import (
    bar,
    box,
    cover,
    disc,
    fill,
    lay,
    log_uniform,
    noise,
    rough,
    route,
    scene,
    soil,
    taper,
    union,
    within,
)
from nffa_cli.render.scene import Scene

Rng = np.random.Generator
Shape = tuple[int, int]


def _fan_out(rng: Rng, shape: Shape) -> Scene:
    """Leads that run from pads outside to a small device in the middle."""
    on = wafer(rng, shape)
    count = int(rng.choice([2, 4, 4, 6, 8, 10, 12]))
    reach, core = rng.uniform(70, 190), rng.uniform(6, 40)
    thin, wide = rng.uniform(0.8, 3.5), rng.uniform(3, 16)
    parts = []
    turn0, jog = rng.uniform(0, 2 * math.pi), rng.random() < 0.5
    for number in range(count):
        turn = turn0 + 2 * math.pi * (number + rng.normal(0, 0.08)) / count
        inner = (core * math.cos(turn), core * math.sin(turn))
        middle = (inner[0] + reach * 0.35 * math.cos(turn), inner[1] + reach * 0.35 * math.sin(turn))
        outer = (reach * math.cos(turn), reach * math.sin(turn))
        if jog:
            outer = (outer[0], outer[1]) if abs(outer[0]) < abs(outer[1]) else (outer[0] * 1.2, middle[1])
        parts.append(taper(on.u, on.v, inner, middle, thin, thin + 0.3 * (wide - thin)))
        parts.append(taper(on.u, on.v, middle, outer, thin + 0.3 * (wide - thin), wide))
        if rng.random() < 0.8:
            side = min(rng.uniform(1.2, 2.5) * wide + 6, 2.2 * reach / count)
            parts.append(box(on.u, on.v, outer[0], outer[1], side, side * rng.uniform(0.7, 1.2)))
    if rng.random() < 0.5:
        sample_between(rng, on, core * 2)
        metal(rng, on, union(parts))
    else:
        metal(rng, on, union(parts))
        sample_between(rng, on, core * 2)
    soil(rng, on)
    return scene(on)


def _four_point(rng: Rng, shape: Shape) -> Scene:
    """Parallel contacts across a wire or a flake."""
    on = wafer(rng, shape)
    count, gap = int(rng.integers(2, 8)), rng.uniform(12, 50)
    half = gap * rng.uniform(0.12, 0.35)
    length = gap * count * 0.7
    under = rng.random() < 0.6
    if under:
        sample_between(rng, on, length)
    parts = []
    for number in range(count):
        x = (number - (count - 1) / 2) * gap
        way = rng.choice([-1, 1]) if rng.random() < 0.4 else (-1) ** number
        bend = (x + rng.normal(0, gap) + x * rng.uniform(0.2, 1.5), way * 130)
        elbow = (x, way * rng.uniform(15, 50))
        parts.append(taper(on.u, on.v, (x, -way * rng.uniform(3, 16)), elbow, half, half))
        parts.append(taper(on.u, on.v, elbow, bend, half * 1.05, half * rng.uniform(1.2, 3)))
    metal(rng, on, union(parts))
    if not under:
        sample_between(rng, on, length)
    soil(rng, on)
    return scene(on)


def _hall_bar(rng: Rng, shape: Shape) -> Scene:
    on = wafer(rng, shape)
    half, length = rng.uniform(3, 18), rng.uniform(50, 110)
    arms = int(rng.integers(2, 5))
    parts = [box(on.u, on.v, 0, 0, length, half)]
    pads = [box(on.u, on.v, way * (length + 14), 0, 22, rng.uniform(12, 45)) for way in (-1, 1)]
    for number in range(arms):
        x = (number - (arms - 1) / 2) * length * 1.2 / arms
        arm = rng.uniform(1, half * 0.6 + 1)
        for way in (-1, 1):
            end = way * rng.uniform(35, 70)
            parts.append(box(on.u, on.v, x, end / 2, arm, abs(end) / 2))
            pads.append(box(on.u, on.v, x, end + way * 14, rng.uniform(8, length * 0.5 / arms + 4), 16))
    mesa = union(parts)
    if rng.random() < 0.7:
        fill(on, mesa, rng.uniform(0.5, 5), rng.uniform(0.6, 1.3), 1.5)
        metal(rng, on, union(pads))
    else:
        metal(rng, on, np.minimum(mesa, union(pads)))
    if rng.random() < 0.3:
        lay(on, box(on.u, on.v, 0, 0, length * 0.7, half * 1.8), rng.uniform(0.3, 2), rng.uniform(0.6, 1.6))
    soil(rng, on)
    return scene(on)


def _fingers(rng: Rng, shape: Shape) -> Scene:
    """Interdigitated electrodes with their buses and pads, wholly or partly seen."""
    on = wafer(rng, shape)
    period = log_uniform(rng, 7, 40)
    half_x, half_y = rng.uniform(45, 150), rng.uniform(30, 80)
    x, y = rng.normal(0, 30), rng.normal(0, 22)
    u, v = on.u - np.float32(x), on.v - np.float32(y)
    bus, gap = rng.uniform(4, 20), rng.uniform(2, 10)
    shift = rng.random() * period
    duty = rng.uniform(0.3, 0.7)
    inside = (u + np.float32(shift)) / np.float32(2 * period)
    inside -= np.floor(inside)
    up = (np.abs(inside - 0.25) - np.float32(duty / 4)) * np.float32(2 * period)
    down = (np.abs(inside - 0.75) - np.float32(duty / 4)) * np.float32(2 * period)
    span = np.abs(u) - np.float32(half_x)
    parts = [
        within(up, span, v - np.float32(half_y - gap), -v - np.float32(half_y + bus)),
        within(down, span, -v - np.float32(half_y - gap), v - np.float32(half_y + bus)),
        box(u, v, 0, -half_y - bus, half_x, bus),
        box(u, v, 0, half_y + bus, half_x, bus),
    ]
    for way in (-1, 1):
        side = way * rng.choice([-1, 1])
        lead = (side * (half_x + rng.uniform(20, 60)), way * (half_y + bus))
        parts.append(route(u, v, [(0, lead[1]), lead, (lead[0], lead[1] + way * 80)], bus * rng.uniform(0.5, 1)))
        if rng.random() < 0.5:
            parts.append(box(u, v, lead[0], lead[1], rng.uniform(15, 40), rng.uniform(15, 30)))
    metal(rng, on, union(parts))
    if rng.random() < 0.3:
        spill = rough(rng, disc(u, v, 0, 0, half_y * rng.uniform(0.5, 1.2)), 5, 25)
        lay(on, spill, rng.uniform(0.2, 2), rng.uniform(0.5, 1.3), 3)
        on.height += cover(spill) * noise(rng, spill.shape, 3, octaves=2) * np.float32(rng.uniform(0.2, 0.8))
    soil(rng, on)
    return scene(on)


def _transistor(rng: Rng, shape: Shape) -> Scene:
    """Source and drain with a narrow channel and, now and then, a gate over it."""
    on = wafer(rng, shape)
    gap, wide = log_uniform(rng, 4, 70), rng.uniform(20, 90)
    corner = rng.uniform(0, 25)
    ground = float(on.material.flat[0])
    if rng.random() < 0.5:
        channel = box(on.u, on.v, 0, 0, gap / 2 + 20, wide * rng.uniform(0.3, 0.9))
        lay(on, channel, rng.uniform(-1, 1.5), ground * rng.uniform(0.6, 1.4))
    neck = wide * rng.uniform(1.0, 2.5)
    plates = [box(on.u, on.v, way * (gap / 2 + 120), 0, 120, wide, min(corner, wide * 0.9)) for way in (-1, 1)]
    if rng.random() < 0.5:
        plates += [taper(on.u, on.v, (way * (gap / 2 + 30), 0), (way * 160, 0), wide, neck) for way in (-1, 1)]
    metal(rng, on, union(plates))
    count = int(rng.integers(0, 8))
    for _ in range(count):
        y = rng.uniform(-wide, wide)
        thread = bar(on.u, on.v, (-gap / 2 - 4, y), (gap / 2 + 4, y + rng.normal(0, 3)), 0.6)
        lay(on, thread, 0.8, rng.uniform(1.0, 1.9))
    if rng.random() < 0.6:
        gate = rng.uniform(0.15, 0.8) * gap / 2 + 0.6
        x = rng.normal(0, gap * 0.1)
        parts = [box(on.u, on.v, x, rng.choice([-1, 1]) * 40, gate, 40 + wide * 1.3)]
        if rng.random() < 0.6:
            way = rng.choice([-1, 1])
            parts.append(taper(on.u, on.v, (x, way * wide * 1.2), (x, way * (wide * 1.2 + 60)), gate, gate * 6 + 10))
        metal(rng, on, union(parts))
    soil(rng, on)
    return scene(on)


def _nano_gap(rng: Rng, shape: Shape) -> Scene:
    """Two pointed electrodes with a small gap."""
    on = wafer(rng, shape)
    gap, wide = rng.uniform(1, 14), rng.uniform(30, 90)
    blunt, length = rng.uniform(0.5, 8), rng.uniform(25, 110)
    parts = []
    for way in (-1, 1):
        start, end = (way * gap / 2, 0.0), (way * (gap / 2 + length), rng.normal(0, 6))
        parts.append(taper(on.u, on.v, start, end, blunt, wide * rng.uniform(0.3, 1)))
        parts.append(box(on.u, on.v, way * (gap / 2 + length + 60), end[1], 61, wide))
    if rng.random() < 0.4:
        parts.append(taper(on.u, on.v, (0, gap + blunt * 3), (0, 140), 2, 30))
    metal(rng, on, union(parts))
    if rng.random() < 0.3:
        lay(on, disc(on.u, on.v, 0, 0, gap * 0.8), 1.5, 1.4)
    soil(rng, on)
    return scene(on)


def _crossing(rng: Rng, shape: Shape) -> Scene:
    """Draw a few lines that cross a few others, each ending in a pad or leaving the picture."""
    on = wafer(rng, shape)
    for way in range(2):
        count, half = int(rng.integers(1, 6)), log_uniform(rng, 1, 12)
        u, v = (on.u, on.v) if way == 0 else (on.v, on.u)
        parts = []
        step = half * rng.uniform(2.5, 5) + 3
        for number in range(count):
            place = (number - (count - 1) / 2) * step + rng.normal(0, 1)
            start, end = rng.choice([-200, -70]), rng.choice([200, 70, 60])
            parts.append(box(u, v, (start + end) / 2, place, (end - start) / 2, half))
            if abs(end) < 100 and rng.random() < 0.7:
                parts.append(box(u, v, end, place, half * rng.uniform(1.2, 3), half * 1.3))
        metal(rng, on, union(parts))
    soil(rng, on)
    return scene(on)


def _micro_electrodes(rng: Rng, shape: Shape) -> Scene:
    """Draw a few round or square sites with leads that leave together: electrode arrays for cells, sensors."""
    on = wafer(rng, shape)
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    pitch, radius = rng.uniform(30, 60), rng.uniform(4, 13)
    parts, sites = [], []
    for row in range(rows):
        for column in range(columns):
            x, y = (column - (columns - 1) / 2) * pitch, (row - (rows - 1) / 2) * pitch - 10
            sites.append(disc(on.u, on.v, x, y, radius))
            parts.append(disc(on.u, on.v, x, y, radius * 1.35))
            exit_x = x + (row - (rows - 1) / 2) * radius * 1.5
            knee = [(x, y), (exit_x, y + pitch * 0.4), (exit_x, 150)]
            parts.append(route(on.u, on.v, knee, max(0.8, radius * 0.18)))
    metal(rng, on, union(parts))
    fill(on, union(sites), float(rng.uniform(-2, 1)), rng.uniform(0.4, 1.8), 1.3)
    soil(rng, on)
    return scene(on)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("fan_out", _fan_out, (2e-6, 2e-3)),
    ("four_point", _four_point, (1e-6, 100e-6)),
    ("hall_bar", _hall_bar, (3e-6, 500e-6)),
    ("interdigitated", _fingers, (5e-6, 3e-3)),
    ("transistor", _transistor, (0.5e-6, 300e-6)),
    ("nano_gap", _nano_gap, (0.3e-6, 30e-6)),
    ("crossing_lines", _crossing, (1e-6, 300e-6)),
    ("electrode_sites", _micro_electrodes, (30e-6, 2e-3)),
)
