"""Patterned surface: the same element again and again over the field.

Written rule: what fills the picture is a repetition (one period or two) made by lithography, self-assembly or a laser:
gratings, arrays, chequers, zigzags, spirals, fingerprints, colloid crystals. A part of the field may be plain (the edge
of an array, a missing element, a defect line), yet the repetition is what the picture is about. A lay-out of different
parts (pads, leads, a device) is MEMS; grains without an order are a film. Here: gratings and lines, and what
self-assembly makes; arrays of elements are in ``arrays``, photonic gratings in ``couplers``,
laser tracks in ``lasered``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import arrays, couplers, lasered
from nffa_cli.render.plans import (
    Sheet,
    bar,
    box,
    cover,
    disc,
    dust,
    fill,
    hexagons,
    lattice,
    lay,
    log_uniform,
    lot,
    noise,
    orientation,
    rough,
    scene,
    sheet,
    soil,
    stripes,
    waves,
    within,
    without,
)
from nffa_cli.render.scene import Array, Scene, blur, cells

Rng = np.random.Generator
Shape = tuple[int, int]


def _lines(
    rng: Rng, on: Sheet, period: float, duty: float, *, ragged: float = 0.0, wave: float = 0.0, u: Array | None = None
) -> Array:
    """Parallel lines with their raggedness."""
    along = on.u if u is None else u
    if wave:
        along = along + np.float32(wave) * noise(rng, along.shape, max(40, wave * rng.uniform(5, 14)), octaves=2)
    lines = stripes(along, period, duty, rng.random())
    return rough(rng, lines, ragged, max(2.0, period * 0.3)) if ragged else lines


def _ended(rng: Rng, on: Sheet, lines: Array, chance: float = 0.2) -> Array:
    """Lines which end at the edge of the field, now and then."""
    if rng.random() > chance:
        return lines
    side = on.v if rng.random() < 0.6 else on.u
    return within(lines, (side if rng.random() < 0.5 else -side) - np.float32(rng.uniform(-20, 70)))


def _grating(rng: Rng, shape: Shape) -> Scene:
    period, duty = log_uniform(rng, 5, 70), rng.uniform(0.2, 0.75)
    on = sheet(shape, angle=orientation(rng), ground=rng.uniform(0.5, 1.1))
    lines = _lines(rng, on, period, duty, ragged=rng.choice([0, 0.3, 0.5, period * 0.025]))
    lines = _ended(rng, on, lines)
    lay(on, lines, rng.uniform(0.02, 0.5) * period, rng.uniform(0.5, 1.6), rng.uniform(0.8, 0.15 * period + 1))
    soil(rng, on)
    return scene(on, shade=rng.uniform(0.5, 1))


def _grating_tilted(rng: Rng, shape: Shape) -> Scene:
    period, duty, tilt = log_uniform(rng, 10, 80), rng.uniform(0.2, 0.65), rng.uniform(20, 65)
    tall = period * rng.uniform(0.3, 1.6)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=tilt,
        relief=tall,
        ground=rng.uniform(0.6, 1.0),
        perspective=rng.uniform(0, 0.1),
    )
    lines = _ended(rng, on, _lines(rng, on, period, duty, ragged=rng.choice([0, 0.4, period * 0.03])))
    fill(on, lines, tall, rng.uniform(0.7, 1.4), rng.uniform(0.8, 0.12 * period + 0.8))
    soil(rng, on)
    return scene(on)


def _grating_wavy(rng: Rng, shape: Shape) -> Scene:
    period = log_uniform(rng, 6, 50)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(15, 50)]), relief=period)
    swing, length = period * rng.uniform(0.2, 2.5), period * rng.uniform(2, 10)
    if rng.random() < 0.5:
        bent = on.u + np.float32(swing) * np.sin(on.v * np.float32(2 * math.pi / length))
        lines = _lines(rng, on, period, rng.uniform(0.25, 0.6), u=bent)
    else:
        lines = _lines(rng, on, period, rng.uniform(0.25, 0.6), wave=swing, ragged=period * 0.03)
    fill(on, lines, period * rng.uniform(0.1, 0.8), rng.uniform(0.7, 1.5), 1 + 0.1 * period)
    soil(rng, on)
    return scene(on)


def _grating_collapsed(rng: Rng, shape: Shape) -> Scene:
    """Tall resist lines that stick together in pairs here and there."""
    period = log_uniform(rng, 9, 45)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(10, 40)]), relief=period * 1.2)
    number = np.floor(on.u / np.float32(period))
    pull = np.clip(noise(rng, on.u.shape, period * rng.uniform(2, 6), octaves=2) * 1.5 + rng.uniform(-1, 1), 0, 1)
    duty = rng.uniform(0.3, 0.5)
    place = (on.u / np.float32(period) - number - 0.5) + np.where(number % 2 == 0, -1, 1) * pull * (0.5 - duty / 2)
    lines = (np.abs(place) - np.float32(duty / 2)) * np.float32(period)
    fill(on, lines, period * rng.uniform(0.6, 1.2) * (1 - 0.25 * pull), rng.uniform(0.9, 1.4), 1.2)
    soil(rng, on)
    return scene(on)


def _grating_section(rng: Rng, shape: Shape) -> Scene:
    """Draw a cleaved grating: lines above, their profile and the cleavage face in front."""
    period, tilt = log_uniform(rng, 10, 70), rng.uniform(50, 70)
    tall, deep = period * rng.uniform(0.3, 1.6), 500.0
    on = sheet(shape, angle=rng.normal(0, 2), tilt=tilt, relief=tall + 20, ground=0.9)
    fan = on.u + on.v * np.float32(rng.normal(0, 0.3))
    lines = stripes(fan, period, rng.uniform(0.25, 0.65), rng.random())
    slope = rng.uniform(1, 0.3 * period)
    fill(on, lines, tall, rng.uniform(0.9, 1.5), slope)
    edge = np.float32(shape[0] / math.cos(math.radians(tilt)) * rng.uniform(-0.2, 0.25)) - on.v
    edge = edge + noise(rng, on.u.shape, 15, octaves=2) * np.float32(rng.uniform(0.1, 1.0))
    fill(on, edge, -deep, 1.0, 1.0)
    on.material = np.where(edge < 2.5, np.float32(rng.uniform(0.5, 0.9)), on.material)
    soil(rng, on, 0.5)
    return scene(on, shade=rng.uniform(0.4, 0.9))


def _blazed(rng: Rng, shape: Shape) -> Scene:
    """Saw-tooth or stepped profile."""
    period = log_uniform(rng, 10, 60)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(15, 60)]), relief=period)
    inside = on.u / np.float32(period) + noise(rng, on.u.shape, 40, octaves=2) * np.float32(rng.choice([0, 0.03]))
    inside = inside - np.floor(inside)
    if rng.random() < 0.4:
        steps = rng.integers(2, 5)
        inside = np.floor(inside * steps) / steps
    elif rng.random() < 0.4:
        inside = 1 - np.abs(2 * inside - 1)
    on.height = blur(inside * np.float32(period * rng.uniform(0.2, 0.7)), rng.uniform(0.4, 1.2))
    soil(rng, on)
    return scene(on)


def _crossed(rng: Rng, shape: Shape) -> Scene:
    """Lines over lines, a mesh or a woodpile, from above or tilted."""
    period = log_uniform(rng, 9, 60)
    tall = period * rng.uniform(0.1, 0.5)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, rng.uniform(20, 55)]),
        relief=2 * tall,
        ground=rng.uniform(0.4, 1),
    )
    one = _lines(rng, on, period, rng.uniform(0.15, 0.5), ragged=rng.choice([0, 0.5]))
    other = stripes(
        on.v + on.u * np.float32(rng.choice([0, 0.5])), period * rng.uniform(0.8, 1.6), rng.uniform(0.15, 0.5)
    )
    bright = rng.uniform(0.8, 1.5)
    if rng.random() < 0.5:
        lay(on, one, tall, bright)
        lay(on, other, tall, bright if rng.random() < 0.6 else rng.uniform(0.6, 1.6))
    else:
        fill(on, np.minimum(one, other), tall, bright, 1 + 0.08 * period)
    soil(rng, on)
    return scene(on)


def _dashes(rng: Rng, shape: Shape) -> Scene:
    period = log_uniform(rng, 7, 40)
    long = period * rng.uniform(1.5, 6)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, 0, rng.uniform(20, 55)]), relief=period * 0.7)
    at = lattice(on.v, on.u, long, pitch_y=period, stagger=rng.random() < 0.5)
    dashes = box(at.x, at.y, 0, 0, long * rng.uniform(0.3, 0.45), period * rng.uniform(0.15, 0.38), period * 0.12)
    dashes = np.where(lot(rng, at, 0, 1) < rng.choice([0, 0, 0.04]), 1e3, dashes)
    sink = rng.random() < 0.3
    fill(on, _ended(rng, on, dashes), period * rng.uniform(0.1, 0.6) * (-1 if sink else 1), rng.uniform(0.5, 1.6), 1.3)
    soil(rng, on)
    return scene(on)


def _zigzag(rng: Rng, shape: Shape) -> Scene:
    period = log_uniform(rng, 7, 45)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, 0, rng.uniform(15, 50)]), relief=period * 0.6)
    length = period * rng.uniform(1.5, 8)
    fold = np.abs((on.v / np.float32(length)) % 1 - 0.5) * np.float32(2 * length * rng.uniform(0.3, 0.9))
    lines = _ended(rng, on, _lines(rng, on, period, rng.uniform(0.25, 0.6), u=on.u + fold))
    fill(on, lines, period * rng.uniform(0.05, 0.6), rng.uniform(0.5, 1.6), 1.2)
    soil(rng, on)
    return scene(on)


def _chequers(rng: Rng, shape: Shape) -> Scene:
    pitch = log_uniform(rng, 8, 60)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(15, 60)]), relief=pitch * 0.5)
    at = lattice(on.u, on.v, pitch)
    edge = np.float32(pitch / 2) - np.maximum(np.abs(at.x), np.abs(at.y))
    field = np.where((at.row + at.column) % 2 == 0, -edge, edge)
    if rng.random() < 0.3:
        edge = pitch * rng.uniform(0.06, 0.2)
        field = field + np.float32(edge)
    fill(on, field, pitch * rng.uniform(0, 0.5), rng.uniform(0.4, 1.7), 1.2)
    soil(rng, on)
    return scene(on)


def _circles(rng: Rng, shape: Shape) -> Scene:
    """Concentric rings or a spiral over the whole field: zone plates, ring gratings."""
    period = log_uniform(rng, 6, 30)
    on = sheet(shape, tilt=rng.choice([0, 0, rng.uniform(20, 50)]), relief=period)
    x, y = rng.normal(0, 70), rng.normal(0, 50)
    far, bearing = np.hypot(on.u - x, on.v - y), np.arctan2(on.v - y, on.u - x)
    kind = rng.integers(3)
    if kind == 0:
        far = far + bearing * np.float32(period / (2 * math.pi) * rng.integers(1, 4))
    elif kind == 1:
        far = far * far / np.float32(rng.uniform(60, 160))
    lines = stripes(far, period, rng.uniform(0.3, 0.6))
    if kind != 1 and rng.random() < 0.3:
        lines = without(lines, stripes(bearing * 40, 40 * math.pi / rng.integers(2, 7), 0.06))
    fill(on, lines, period * rng.uniform(0.05, 0.6), rng.uniform(0.5, 1.6), 1.2)
    soil(rng, on)
    return scene(on)


def _fingerprint(rng: Rng, shape: Shape) -> Scene:
    """Lamellae of a block copolymer."""
    on = sheet(shape, ground=rng.uniform(0.5, 0.9))
    period = log_uniform(rng, 4.5, 18)
    field = waves(rng, shape, period, rng.uniform(0.12, 0.3))
    if rng.random() < 0.3:
        field = np.maximum(field, waves(rng, shape, period, 0.2, spread=0.15, angle=rng.uniform(0, 3)) * 0.8)
    lines = np.tanh(field * rng.uniform(1, 4))
    on.height += lines * np.float32(period * rng.uniform(0.03, 0.15))
    on.material += (lines + 1) * np.float32(rng.uniform(0.1, 0.4))
    soil(rng, on, 0.6)
    return scene(on, shade=rng.uniform(0.5, 1))


def _ripples(rng: Rng, shape: Shape) -> Scene:
    """Laser-induced ripples: nearly parallel, forking, on a molten and littered ground."""
    on = sheet(shape, angle=0, tilt=rng.choice([0, 0, rng.uniform(10, 45)]), relief=10)
    period, angle = log_uniform(rng, 5, 22), rng.choice([0, math.pi / 2]) + rng.normal(0, 0.15)
    here = on.u.shape
    field = waves(rng, here, period, rng.uniform(0.12, 0.35), spread=rng.uniform(0.08, 0.35), angle=angle)
    field = np.tanh(field * rng.uniform(0.8, 2.5))
    on.height += field * np.float32(period * rng.uniform(0.1, 0.3))
    on.height += noise(rng, here, rng.uniform(2, 5), octaves=2) * np.float32(rng.uniform(0.1, 0.7))
    on.height += noise(rng, here, 50, octaves=2) * np.float32(rng.uniform(0, 4))
    on.material += field * np.float32(rng.uniform(0, 0.25))
    if rng.random() < 0.4:
        dust(rng, on, int(rng.integers(10, 60)), rng.uniform(0.7, 1.6))
    if rng.random() < 0.3:
        far = disc(on.u, on.v, rng.normal(0, 90), rng.normal(0, 60), rng.uniform(60, 140))
        inside = cover(far + noise(rng, here, 12) * 4, 25)
        on.height = blur(on.height, 0.6) * inside + (1 - inside) * on.height * 0.1
    return scene(on)


def _colloids(rng: Rng, shape: Shape) -> Scene:
    """Draw a monolayer of spheres: crystal grains, vacancies, stray spheres on top."""
    pitch = log_uniform(rng, 7, 70)
    on = sheet(shape, tilt=rng.choice([0, 0, rng.uniform(20, 50)]), relief=pitch, ground=rng.uniform(0.4, 0.9))
    here = on.u.shape
    u, v = on.u, on.v
    gap = None
    if pitch < 35 and rng.random() < 0.75:
        seeds = rng.uniform(-0.6, 0.6, (int(rng.integers(2, 6)), 2)) * [here[1], here[0]]
        off = np.stack([np.hypot(u - np.float32(x), v - np.float32(y)) for x, y in seeds])
        off += noise(rng, here, 30)[None] * np.float32(5)
        grain = off.argmin(axis=0)
        near = np.sort(off, axis=0)
        gap = near[1] - near[0] < pitch * rng.uniform(0.95, 1.5)
        turns = rng.uniform(0, math.pi / 3, len(seeds)) if rng.random() < 0.6 else rng.normal(0.3, 0.06, len(seeds))
        cos, sin = np.cos(turns).astype(np.float32)[grain], np.sin(turns).astype(np.float32)[grain]
        shift = (rng.uniform(0, 50, len(seeds)).astype(np.float32))[grain]
    else:
        turn = rng.uniform(0, math.pi)
        cos, sin, shift = np.float32(math.cos(turn)), np.float32(math.sin(turn)), np.float32(0)
    u, v = u * cos + v * sin + shift, v * cos - u * sin
    at = hexagons(u, v, pitch)
    radius = np.float32(pitch / 2) * lot(rng, at, rng.choice([0.82, 0.94, 1.0]), 1.0)
    there = lot(rng, at, 0, 1) > rng.choice([0, 0.02, 0.08])
    row, column = np.indices(here)
    row = np.clip(np.rint(row - at.y * cos - at.x * sin), 0, here[0] - 1).astype(np.int32)
    column = np.clip(np.rint(column - at.x * cos + at.y * sin), 0, here[1] - 1).astype(np.int32)
    if gap is not None:
        there &= ~gap[row, column]
    if rng.random() < 0.25:
        there &= (noise(rng, here, pitch * 3, octaves=2) < rng.uniform(0.3, 1.3))[row, column]
    ball = np.sqrt(np.maximum(radius**2 - at.x**2 - at.y**2, 0)) * there
    on.height = (ball + np.where(ball > 0, radius * rng.uniform(0.2, 0.8), 0)).astype(np.float32)
    on.material = np.where(ball > 0, np.float32(rng.uniform(0.8, 1.3)), on.material)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 6))):
            high = disc(on.u, on.v, rng.uniform(-120, 120), rng.uniform(-90, 90), 0)
            top = np.sqrt(np.maximum((pitch / 2) ** 2 - high**2, 0))
            on.height = np.maximum(on.height, np.where(top > 0, top + pitch * 0.8, 0)).astype(np.float32)
    soil(rng, on, 0.4)
    return scene(on)


def _bowls(rng: Rng, shape: Shape) -> Scene:
    """Draw rounded hollows left by spheres or drops, or embossed dimples."""
    pitch = log_uniform(rng, 8, 60)
    on = sheet(shape, angle=rng.uniform(0, 90), tilt=rng.choice([0, rng.uniform(15, 50)]), relief=2, depth=pitch * 0.5)
    at = hexagons(on.u, on.v, pitch)
    radius = np.float32(pitch * rng.uniform(0.35, 0.55)) * lot(rng, at, rng.choice([0.75, 0.95]), 1.0)
    far = np.hypot(at.x, at.y)
    depth = rng.uniform(0.3, 1.0)
    on.height -= np.sqrt(np.maximum(radius**2 - far**2, 0)).astype(np.float32) * np.float32(depth)
    if rng.random() < 0.4:
        on.height += noise(rng, on.u.shape, 3, octaves=2) * np.float32(rng.uniform(0.1, 0.4))
    soil(rng, on)
    return scene(on)


def _patches(rng: Rng, shape: Shape) -> Scene:
    """Arrays of fields, each filled with a finer pattern."""
    pitch = log_uniform(rng, 45, 140)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, 0, rng.uniform(20, 50)]),
        relief=5,
        ground=rng.uniform(0.5, 1),
    )
    at = lattice(on.u, on.v, pitch)
    half = pitch * rng.uniform(0.3, 0.45)
    field = box(at.x, at.y, 0, 0, half, half) if rng.random() < 0.7 else np.hypot(at.x, at.y) - np.float32(half)
    fine = max(3.5, pitch * rng.uniform(0.06, 0.16))
    if rng.random() < 0.5:
        turned = (lot(rng, at, 0, 1) < rng.choice([0.0, 0.5])) if rng.random() < 0.6 else (at.row + at.column) % 2 == 0
        inner = stripes(np.where(turned, at.x, at.y), fine, rng.uniform(0.3, 0.6))
        inner = inner + np.float32(fine) * (lot(rng, at, -0.12, 0.12))
    else:
        small = lattice(at.x, at.y, fine)
        inner = np.hypot(small.x, small.y) - np.float32(fine) * lot(rng, at, 0.15, 0.42)
    fill(on, within(field, inner), rng.uniform(0.3, 2.5), rng.uniform(0.6, 1.6), 1.1)
    if rng.random() < 0.3:
        lay(on, np.abs(field) - 0.8, 0.5, rng.uniform(0.7, 1.5))
    soil(rng, on)
    return scene(on)


def _half_plain(rng: Rng, shape: Shape) -> Scene:
    """Two patterns, or pattern and plain ground, meeting along a line or at a corner."""
    pitch = log_uniform(rng, 6, 34)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, 0, rng.uniform(15, 50)]), relief=pitch * 0.5)
    first = stripes(on.u, pitch, rng.uniform(0.3, 0.6), rng.random())
    at = hexagons(on.u, on.v, pitch) if rng.random() < 0.5 else lattice(on.u, on.v, pitch)
    second = np.hypot(at.x, at.y) - np.float32(pitch * rng.uniform(0.2, 0.4))
    if rng.random() < 0.5:
        first, second = second, stripes(on.v, pitch * rng.uniform(0.5, 2), rng.uniform(0.3, 0.6), rng.random())
    place = rng.normal(0, 35, 2)
    here = (
        on.u - np.float32(place[0])
        if rng.random() < 0.6
        else box(on.u, on.v, -160 + place[0], 120 + place[1], 160, 120)
    )
    pattern = within(first, here)
    if rng.random() < 0.6:
        pattern = np.minimum(pattern, within(second, rng.uniform(0, 15) - here))
    fill(on, pattern, pitch * rng.uniform(0.05, 0.5) * rng.choice([1, 1, -1]), rng.uniform(0.5, 1.6), 1.2)
    soil(rng, on)
    return scene(on)


def _line_close(rng: Rng, shape: Shape) -> Scene:
    """Draw a few lines of a grating, very near: edge roughness, top and side, residue."""
    period, tilt = rng.uniform(70, 170), rng.choice([0, rng.uniform(15, 50)])
    tall = period * rng.uniform(0.1, 0.6)
    on = sheet(shape, angle=orientation(rng), tilt=tilt, relief=tall, ground=rng.uniform(0.5, 0.9))
    lines = stripes(on.u, period, rng.uniform(0.3, 0.6), rng.random())
    lines = rough(rng, lines, rng.uniform(0.4, 1.5), rng.uniform(6, 20))
    fill(on, lines, tall, rng.uniform(0.8, 1.4), rng.uniform(1, 8))
    grain = noise(rng, on.u.shape, rng.uniform(2, 6), octaves=2)
    on.height += grain * np.float32(rng.uniform(0.1, 0.7)) * np.where(rng.random() < 0.5, cover(lines), 1)
    soil(rng, on)
    return scene(on)


def _domains(rng: Rng, shape: Shape) -> Scene:
    """Stripes or dots in many grains of different direction: directed self-assembly, anodised or rubbed domains."""
    on = sheet(shape, ground=rng.uniform(0.5, 1.0))
    labels = cells(rng, shape, count=int(rng.integers(4, 30))).label
    turns = rng.uniform(0, math.pi, int(labels.max()) + 1).astype(np.float32)
    turn = turns[labels]
    u, v = on.u * np.cos(turn) + on.v * np.sin(turn), on.v * np.cos(turn) - on.u * np.sin(turn)
    pitch = log_uniform(rng, 4.5, 12)
    if rng.random() < 0.4:
        pattern = stripes(u, pitch, 0.5)
    else:
        at = hexagons(u, v, pitch)
        pattern = np.hypot(at.x, at.y) - np.float32(pitch * 0.3)
    fill(on, pattern, rng.uniform(0.3, 1.5) * rng.choice([1, -1]), rng.uniform(0.5, 1.5), pitch * 0.3)
    return scene(on)


def _knife(rng: Rng, shape: Shape) -> Scene:
    """Lines of several pitches side by side: a resolution test, a dose test."""
    on = sheet(shape, angle=orientation(rng), ground=rng.uniform(0.5, 1.1))
    wide = rng.uniform(35, 90)
    number = np.floor(on.v / np.float32(wide) + rng.random()).astype(int)
    periods = (log_uniform(rng, 4, 8) * rng.uniform(1.15, 1.5) ** np.arange(16))[
        rng.permutation(16)[:12] if rng.random() < 0.2 else np.arange(12)
    ]
    period = periods[np.clip(number + 5, 0, 11)].astype(np.float32)
    inside = on.u / period
    lines = (np.abs(inside - np.floor(inside) - 0.5) - np.float32(rng.uniform(0.15, 0.3))) * period
    inside = on.v / np.float32(wide)
    field = (np.abs(inside - np.floor(inside) - 0.5) - np.float32(rng.uniform(0.35, 0.5))) * np.float32(wide)
    lay(on, within(lines, field), rng.uniform(0.3, 3), rng.uniform(0.5, 1.6))
    if rng.random() < 0.3:
        lay(on, bar(on.u, on.v, (-200, 0), (200, 0), rng.uniform(2, 6)), 1, rng.uniform(0.6, 1.5))
    soil(rng, on)
    return scene(on)


KINDS = kinds(
    ("grating", _grating, (0.5e-6, 100e-6)),
    ("grating_tilted", _grating_tilted, (0.5e-6, 50e-6)),
    ("grating_wavy", _grating_wavy, (1e-6, 200e-6)),
    ("grating_collapsed", _grating_collapsed, (0.8e-6, 20e-6)),
    ("grating_section", _grating_section, (0.4e-6, 30e-6)),
    ("blazed", _blazed, (2e-6, 200e-6)),
    ("crossed", _crossed, (1e-6, 300e-6)),
    ("dashes", _dashes, (1e-6, 100e-6)),
    ("zigzag", _zigzag, (1e-6, 100e-6)),
    ("chequers", _chequers, (1e-6, 300e-6)),
    ("circles", _circles, (1e-6, 200e-6)),
    ("fingerprint", _fingerprint, (0.3e-6, 3e-6)),
    ("ripples", _ripples, (2e-6, 80e-6)),
    ("colloids", _colloids, (1e-6, 60e-6)),
    ("bowls", _bowls, (0.8e-6, 200e-6)),
    ("patches", _patches, (5e-6, 1e-3)),
    ("half_plain", _half_plain, (1e-6, 200e-6)),
    ("line_close", _line_close, (0.2e-6, 10e-6)),
    ("domains", _domains, (0.3e-6, 5e-6)),
    ("resolution_test", _knife, (2e-6, 200e-6)),
    *arrays.ROWS,
    *couplers.ROWS,
    *lasered.ROWS,
)
