"""Planar devices: coils, surface-wave devices, mesas, wiring, marks, wave guides; sub-kinds of ``mems``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.wafers import metal, wafer
from nffa_cli.render.plans import (
    box,
    disc,
    fill,
    framing,
    lay,
    lettering,
    log_uniform,
    noise,
    orientation,
    ring,
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


def _coil(rng: Rng, shape: Shape) -> Scene:
    """Draw a spiral inductor, round or square, with its under-pass and pads."""
    on = wafer(rng, shape)
    pitch, turns = rng.uniform(6, 20), rng.integers(2, 7)
    inner = rng.uniform(8, 35)
    x, y = rng.normal(0, 25, 2)
    u, v = on.u - np.float32(x), on.v - np.float32(y)
    square = rng.random() < 0.5
    far = np.maximum(np.abs(u), np.abs(v)) if square else np.hypot(u, v)
    bearing = np.arctan2(v, u) / np.float32(2 * math.pi)
    wind = far / np.float32(pitch) - (np.round(bearing * 4) / 4 if square and rng.random() < 0.5 else bearing)
    lines = stripes(wind * np.float32(pitch), pitch, rng.uniform(0.35, 0.7))
    outer = inner + pitch * turns
    parts = [within(lines, np.float32(inner) - far, far - np.float32(outer))]
    half = pitch * 0.25
    parts.append(box(u, v, outer + 60, 0, 60, half * rng.uniform(1, 3)))
    if rng.random() < 0.7:
        pad = rng.uniform(10, 28)
        parts.append(box(u, v, outer + pad + 15, rng.normal(0, 20), pad, pad))
    lay(on, box(u, v, -outer / 2 - 50, 0, outer / 2 + 50, half), 0.8, rng.uniform(0.8, 1.4))
    metal(rng, on, union(parts))
    soil(rng, on)
    return scene(on)


def _surface_wave(rng: Rng, shape: Shape) -> Scene:
    """Two transducers of fine fingers with reflectors and pads: a surface-wave device."""
    on = wafer(rng, shape)
    period, high = rng.uniform(4, 9), rng.uniform(22, 60)
    apart, wide = rng.uniform(20, 70), rng.uniform(18, 50)
    fine = stripes(on.u, period, rng.uniform(0.35, 0.6))
    parts = []
    shift = rng.normal(0, 25)
    for way in (-1, 1):
        x = shift + way * (apart + wide)
        parts.append(within(fine, box(on.u, on.v, x, 0, wide, high)))
        for end in (-1, 1):
            parts.append(box(on.u, on.v, x, end * (high + 4), wide, 4))
            parts.append(box(on.u, on.v, x + rng.normal(0, 6), end * (high + 32), wide * rng.uniform(0.4, 1), 18))
            parts.append(box(on.u, on.v, x, end * (high + 12), 3, 10))
        if rng.random() < 0.4:
            parts.append(within(fine, box(on.u, on.v, x + way * (wide + 30), 0, 20, high)))
    metal(rng, on, union(parts))
    soil(rng, on)
    return scene(on)


def _mesa(rng: Rng, shape: Shape) -> Scene:
    """Draw a round mesa with a ring contact and a lead: a photodiode, a laser, a quartz balance."""
    on = wafer(rng, shape, relief=30)
    radius = rng.uniform(25, 85)
    x, y = rng.normal(0, 15, 2)
    u, v = on.u - np.float32(x), on.v - np.float32(y)
    if rng.random() < 0.5:
        fill(on, disc(u, v, 0, 0, radius * rng.uniform(1.15, 1.5)), rng.uniform(0.5, 3), rng.uniform(0.5, 1.3), 2)
    fill(on, disc(u, v, 0, 0, radius), rng.uniform(1, 20), rng.uniform(0.6, 1.3), rng.uniform(1.2, 8))
    half = rng.uniform(2, radius * 0.25)
    parts = [ring(u, v, 0, 0, radius - half * rng.uniform(1.1, 1.6), half)]
    if rng.random() < 0.3:
        parts = [disc(u, v, 0, 0, radius * 0.8)]
    parts.append(taper(u, v, (radius * 0.7, 0), (radius + 90, 0), half, half * rng.uniform(1, 5)))
    if rng.random() < 0.6:
        pad = rng.uniform(15, 40)
        parts.append(box(u, v, radius + pad + 20, 0, pad, pad, rng.choice([0, pad * 0.9])))
    metal(rng, on, union(parts))
    if rng.random() < 0.4:
        outer = without(ring(u, v, 0, 0, radius * 1.5, half), box(u, v, radius * 1.5, 0, radius * 0.6, half * 3))
        metal(rng, on, outer)
    soil(rng, on)
    return scene(on)


def _voltage(rng: Rng, shape: Shape) -> Scene:
    """Metal lines of an integrated circuit at low voltage: bright and dark by their potential, with vias."""
    on = wafer(rng, shape)
    pitch = log_uniform(rng, 9, 34)
    half = pitch * rng.uniform(0.2, 0.38)
    tones = rng.choice([0.45, 0.7, 1.0, 1.6], 2, replace=False)
    lines: list[list[Array]] = [[], []]
    vias = []
    for number in range(-9, 10):
        y = number * pitch
        if rng.random() < 0.15 or abs(y) > 150:
            continue
        x = rng.uniform(-120, 120)
        points = [(-220.0, y), (220.0, y)] if rng.random() < 0.5 else [(-220.0, y), (x, y)]
        if rng.random() < 0.3:
            points = [(-220.0, y), (x, y), (x, y + pitch), (220.0, y + pitch)]
        lines[int(rng.random() < 0.5)].append(route(on.u, on.v, points, half))
        for place in rng.uniform(-120, 120, int(rng.integers(0, 3))):
            vias += [box(on.u, on.v, place, y, half * 0.55, half * 0.55)]
    for tone, group in zip(tones, lines, strict=True):
        if group:
            lay(on, union(group), rng.uniform(1, 3), float(tone), 1.4)
    if vias:
        lay(on, union(vias), rng.choice([-1.5, 1.0]), rng.uniform(0.4, 1.8))
    soil(rng, on)
    return scene(on, shade=rng.uniform(0.4, 1.0))


def _alignment(rng: Rng, shape: Shape) -> Scene:
    """Alignment marks, numbers, verniers, test squares near a pattern."""
    on = wafer(rng, shape)
    parts = []
    for number in range(int(rng.integers(1, 4))):
        x, y, size = *rng.uniform(-45, 45, 2) * (1 + number), rng.uniform(10, 40)
        arm = size * rng.uniform(0.05, 0.25)
        parts.append(box(on.u, on.v, x, y, size, arm))
        parts.append(box(on.u, on.v, x, y, arm, size))
        if rng.random() < 0.4:
            corners = [
                box(on.u, on.v, x + a * size, y + b * size, size * 0.3, size * 0.3) for a in (-1, 1) for b in (-1, 1)
            ]
            parts += corners
        if rng.random() < 0.3:
            parts.append(np.abs(box(on.u, on.v, x, y, size * 1.3, size * 1.3)) - 1.5)
    for _ in range(int(rng.integers(0, 4))):
        text = "".join(rng.choice(list("0123456789ABCDEFHLNPRTX+-."), int(rng.integers(1, 7))))
        parts.append(lettering(on.u, on.v, text, rng.uniform(-110, 60), rng.uniform(-90, 60), rng.uniform(9, 34)))
    if rng.random() < 0.4:
        rows = within(
            stripes(on.u, rng.uniform(6, 14), 0.5),
            box(on.u, on.v, rng.uniform(-60, 60), rng.uniform(-60, 60), rng.uniform(20, 60), 8),
        )
        parts.append(rows)
    if rng.random() < 0.4:
        parts.append(
            box(on.u, on.v, rng.choice([-1, 1]) * 150, rng.normal(0, 30), rng.uniform(40, 90), rng.uniform(10, 60))
        )
    marks = union(parts)
    if rng.random() < 0.25:
        fill(on, marks, -rng.uniform(1, 8), rng.uniform(0.4, 0.9))
    else:
        metal(rng, on, marks)
    soil(rng, on)
    return scene(on)


def _residue(rng: Rng, shape: Shape) -> Scene:
    """Electrodes with resist left on them: scum, flaps, a film that did not lift off."""
    on = wafer(rng, shape)
    half = rng.uniform(8, 45)
    gap = rng.uniform(6, 40)
    parts = [box(on.u, on.v, 0, way * (half + gap / 2), rng.choice([60, 90, 220]), half) for way in (-1, 1)]
    parts.append(box(on.u, on.v, rng.normal(0, 50), 60, rng.uniform(3, 14), 60))
    plates = union(parts)
    metal(rng, on, plates)
    scum = noise(rng, plates.shape, rng.uniform(15, 60), octaves=4) - np.float32(rng.uniform(0.5, 1.5))
    scum = -scum * 10
    if rng.random() < 0.5:
        scum = within(scum, np.abs(plates) - np.float32(rng.uniform(2, 10)))
    lay(on, scum, rng.uniform(0.5, 4), rng.uniform(0.4, 1.6), rng.uniform(1, 4))
    soil(rng, on, 1.5)
    return scene(on)


def _resonator(rng: Rng, shape: Shape) -> Scene:
    """Ring, race-track or disc beside a bus guide; couplers and splitters."""
    zoom, shift = framing(rng)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, 0, rng.uniform(20, 60)]),
        relief=12,
        ground=rng.uniform(0.4, 1.0),
        zoom=zoom,
        shift=shift,
    )
    half, radius = rng.uniform(1.0, 7), rng.uniform(18, 75)
    gap = rng.uniform(1.2, 6)
    parts = []
    chosen = rng.integers(4)
    if chosen < 2:
        stretch = rng.choice([0, rng.uniform(10, 60)])
        far = np.hypot(np.maximum(np.abs(on.u) - np.float32(stretch), 0), on.v) - np.float32(radius)
        parts.append(far if rng.random() < 0.25 else np.abs(far) - np.float32(half))
        sides = (-1, 1) if rng.random() < 0.4 else (1,)
        parts += [box(on.u, on.v, 0, way * (radius + 2 * half + gap), 260, half) for way in sides]
    elif chosen == 2:
        for way in (-1, 1):
            off = (gap / 2 + half) + rng.uniform(20, 40) * (1 - np.exp(-((np.maximum(np.abs(on.u) - 40, 0) / 35) ** 2)))
            parts.append(np.abs(on.v - np.float32(way) * off) - np.float32(half))
    else:
        off = rng.uniform(20, 50) / (1 + np.exp(-(on.u + 40) / 12))
        parts += [within(np.abs(on.v - np.float32(way) * off) - np.float32(half), -on.u - 120) for way in (-1, 1)]
        parts.append(box(on.u, on.v, -160, 0, 90, half * 1.6))
    layout = union(parts)
    if rng.random() < 0.3:
        trench = np.maximum(layout - np.float32(rng.uniform(5, 18)), -layout)
        fill(on, trench, -rng.uniform(1, 6), rng.uniform(0.3, 0.8), 1.5)
    else:
        lay(on, layout, rng.uniform(0.6, 8), rng.uniform(0.8, 1.6), 1.2)
    if rng.random() < 0.3:
        heater = ring(on.u, on.v, 0, 0, radius, half * 0.8)
        lay(on, within(heater, on.v), 1, 1.6)
    soil(rng, on)
    return scene(on)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("coil", _coil, (10e-6, 2e-3)),
    ("surface_wave", _surface_wave, (20e-6, 2e-3)),
    ("mesa", _mesa, (5e-6, 1e-3)),
    ("voltage_contrast", _voltage, (2e-6, 200e-6)),
    ("alignment_marks", _alignment, (10e-6, 2e-3)),
    ("resist_residue", _residue, (2e-6, 300e-6)),
    ("resonator", _resonator, (3e-6, 300e-6)),
)
