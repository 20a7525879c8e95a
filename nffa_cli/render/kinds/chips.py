"""Dies, bonds, probes and packages, seen from far away; sub-kinds of ``mems``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.wafers import metal
from nffa_cli.render.plans import (
    Sheet,
    box,
    disc,
    fill,
    framing,
    lattice,
    lay,
    lettering,
    lot,
    noise,
    orientation,
    rough,
    route,
    scene,
    sheet,
    soil,
    stripes,
    taper,
    union,
    within,
)
from nffa_cli.render.scene import Array, Scene, blur

Rng = np.random.Generator
Shape = tuple[int, int]


def _stripes_and_blocks(rng: Rng, on: Sheet, field: Array) -> None:
    """Fill a die with the blocks of a circuit: memories, rows, wide lines."""
    at = lattice(on.u, on.v, rng.uniform(16, 45), pitch_y=rng.uniform(12, 35))
    block = box(at.x, at.y, 0, 0, rng.uniform(5, 18), rng.uniform(4, 14)) + lot(rng, at, -2, 3)
    lay(on, within(block, field), 0.3, 0.8 + lot(rng, at, -0.3, 0.5))
    for _ in range(int(rng.integers(1, 4))):
        turned = rng.random() < 0.5
        fine = stripes(on.u if turned else on.v, rng.uniform(3, 8), rng.uniform(0.3, 0.6))
        x, y = rng.uniform(-80, 80), rng.uniform(-60, 60)
        lay(
            on,
            within(fine, field, box(on.u, on.v, x, y, rng.uniform(15, 60), rng.uniform(10, 40))),
            0.5,
            rng.uniform(0.6, 1.5),
        )


def _die_corner(rng: Rng, shape: Shape) -> Scene:
    """Draw the corner or the edge of a die: seal ring, pads, circuit blocks, saw street with its chips."""
    tilt = rng.choice([0, 0, rng.uniform(15, 50)])
    on = sheet(shape, angle=orientation(rng), tilt=tilt, depth=60, relief=6, ground=rng.uniform(0.6, 1.0))
    x, y = rng.uniform(20, 110), rng.uniform(10, 80)
    die = np.maximum(on.u - np.float32(x), on.v - np.float32(y)) if rng.random() < 0.6 else on.u - np.float32(x)
    _stripes_and_blocks(rng, on, die + np.float32(rng.uniform(28, 50)))
    if rng.random() < 0.7:
        lay(on, np.abs(die + np.float32(rng.uniform(4, 10))) - 1, 0.6, rng.uniform(0.8, 1.6))
    pitch = rng.uniform(22, 50)
    at = lattice(on.u, on.v, pitch)
    row = within(
        box(at.x, at.y, 0, 0, pitch * 0.32, pitch * 0.32),
        np.abs(die + np.float32(pitch * 0.9)) - np.float32(pitch * 0.5),
    )
    if rng.random() < 0.8:
        metal(rng, on, row)
    if rng.random() < 0.75:
        street = rough(rng, die, rng.uniform(0.5, 2.5), rng.uniform(4, 14))
        fill(on, -street, -rng.uniform(10, 60), rng.uniform(0.4, 0.9), rng.uniform(1, 4))
    if rng.random() < 0.5:
        text = "".join(rng.choice(list("0123456789ABCDEFHLNPRTX"), int(rng.integers(2, 8))))
        lay(on, lettering(on.u, on.v, text, rng.uniform(-110, 20), rng.uniform(-80, 30), rng.uniform(8, 22)), 0.6, 1.5)
    soil(rng, on)
    return scene(on)


def _wire(
    on: Sheet, start: tuple[float, float], end: tuple[float, float], radius: float, arch: float, bright: float
) -> None:
    """Lay a wire that rises from one end and comes down at the other."""
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    along = (on.u - np.float32(start[0])) * np.float32(dx) + (on.v - np.float32(start[1])) * np.float32(dy)
    across = (on.v - np.float32(start[1])) * np.float32(dx) - (on.u - np.float32(start[0])) * np.float32(dy)
    inside = (np.abs(across) < radius) & (along > 0) & (along < length)
    part, across = along[inside] / np.float32(length), across[inside]
    rise = np.float32(arch) * (4 * part * (1 - part)) ** np.float32(0.6)
    on.height[inside] = np.maximum(on.height[inside], rise + np.sqrt(np.float32(radius**2) - across**2))
    on.material[inside] = bright


def _bond(rng: Rng, shape: Shape) -> Scene:
    """Draw a ball or wedge bond on its pad, with the wire leaving."""
    tilt = rng.uniform(20, 60)
    zoom, shift = framing(rng)
    on = sheet(
        shape, angle=rng.normal(0, 15), tilt=tilt, relief=70, ground=rng.uniform(0.5, 1.0), zoom=zoom, shift=shift
    )
    count = int(rng.choice([1, 1, 2, 3]))
    radius = rng.uniform(20, 45) / count**0.5
    pad = radius * rng.uniform(1.3, 1.9)
    for number in range(count):
        x, y = (number - (count - 1) / 2) * pad * 2.6 + rng.normal(0, 4), rng.normal(15, 5)
        metal(rng, on, box(on.u, on.v, x, y, pad, pad))
        bright = rng.uniform(1.0, 1.6)
        wire = radius * rng.uniform(0.28, 0.45)
        away = (x + rng.normal(0, 40), y - 220)
        if rng.random() < 0.65:
            ball = np.maximum(1 - (disc(on.u, on.v, x, y, 0) / np.float32(radius)) ** 2, 0)
            bump = np.where(ball > 0, np.sqrt(ball) * np.float32(radius * 0.6) + 2, 0)
            on.height += np.minimum(bump, radius * 0.5)
            on.material = np.where(ball > 0, np.float32(bright), on.material)
            on.height += np.sqrt(np.maximum(np.float32((radius * 0.55) ** 2) - disc(on.u, on.v, x, y, 0) ** 2, 0))
        else:
            foot = taper(on.u, on.v, (x, y + radius), (x, y - radius), radius * 0.55, wire)
            fill(on, foot, wire, bright, wire * 0.6)
        _wire(on, (x, y), away, wire, rng.uniform(20, 50), bright)
    on.height += noise(rng, on.u.shape, rng.uniform(2, 10), octaves=2) * np.float32(rng.uniform(0.05, 0.4))
    soil(rng, on)
    return scene(on)


def _probes(rng: Rng, shape: Shape) -> Scene:
    """Draw probe needles that touch pads or a device; needles are far above and out of focus at their back."""
    on = sheet(shape, angle=orientation(rng), ground=rng.uniform(0.4, 1.0))
    pad, count = rng.uniform(10, 30), int(rng.integers(1, 5))
    places = [(rng.uniform(-60, 60), rng.uniform(-45, 45)) for _ in range(count)]
    metal(rng, on, union(box(on.u, on.v, x, y, pad, pad) for x, y in places))
    lay(on, route(on.u, on.v, [*places, (0.0, 0.0), (120.0, 0.0)], pad * 0.15), 0.5, 1.2)
    soil(rng, on)
    sharp_height, sharp_material = on.height.copy(), on.material.copy()
    away = np.zeros_like(on.height)
    for x, y in places:
        turn = math.atan2(y, x) + rng.normal(0, 0.4)
        end = (x + 320 * math.cos(turn), y + 320 * math.sin(turn))
        half = rng.uniform(14, 45)
        needle = taper(on.u, on.v, (x, y), end, rng.uniform(0.8, 4), half)
        far = np.hypot(on.u - np.float32(x), on.v - np.float32(y))
        level = np.sqrt(np.maximum(-needle, 0) * 6) + far * np.float32(0.25) + 2
        inside = needle < 0
        on.height = np.where(inside, level, on.height)
        on.material = np.where(inside, np.float32(rng.uniform(0.5, 1.6)), on.material)
        away = np.maximum(away, np.where(needle < 6, np.clip(far / 120, 0, 1), 0))
    soft = blur(away, 2)
    on.height = on.height + (blur(on.height, 2.5) - on.height) * soft
    on.material = on.material + (blur(on.material, 2.5) - on.material) * soft
    if rng.random() < 0.2:
        on.height, on.material = (on.height + sharp_height) / 2, (on.material + sharp_material) / 2
    return scene(on)


def _package(rng: Rng, shape: Shape) -> Scene:
    """Draw a die in its package: cavity, pads around, wires to the lead frame."""
    tilt = rng.choice([0, rng.uniform(10, 50)])
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=tilt,
        depth=25,
        relief=25,
        perspective=rng.uniform(0, 0.25),
        ground=rng.uniform(0.5, 1.0),
    )
    half_x, half_y = rng.uniform(35, 60), rng.uniform(28, 50)
    x, y = rng.normal(0, 25), rng.normal(0, 18)
    u, v = on.u - np.float32(x), on.v - np.float32(y)
    rim = rng.uniform(1.25, 1.6)
    fill(on, box(u, v, 0, 0, half_x * rim, half_y * rim, rng.choice([0, 6])), -18, rng.uniform(0.5, 1.1), 2)
    die = box(u, v, 0, 0, half_x, half_y)
    fill(on, die, -8, rng.uniform(0.5, 1.1), 1)
    saved = on.u, on.v
    on.u, on.v = u, v
    _stripes_and_blocks(rng, on, die + 14)
    sides = [("x", way) for way in (-1, 1)] + [("y", way) for way in (-1, 1)]
    bright = rng.uniform(1.1, 1.8)
    pads: list[Array] = []
    wires: list[tuple[tuple[float, float], tuple[float, float]]] = []
    for side, way in sides:
        if rng.random() < 0.2:
            continue
        count = int(rng.integers(2, 7))
        for number in range(count):
            t = (number - (count - 1) / 2) / count * 1.7
            start = (way * (half_x - 6), t * half_y) if side == "x" else (t * half_x, way * (half_y - 6))
            end = (start[0] * rim * 1.12, start[1] * rim * (1.12 if side == "y" else 1.3))
            if side == "y":
                end = (start[0] * 1.3, way * half_y * rim * 1.12)
            pads += [box(u, v, start[0], start[1], 3.2, 3.2), box(u, v, end[0], end[1], 5, 3.5)]
            if rng.random() < 0.85:
                wires.append((start, end))
    if pads:
        lay(on, union(pads), 0.6, bright)
    radius, arch = rng.uniform(0.8, 1.4), rng.uniform(4, 14)
    for start, end in wires:
        _wire(on, start, end, radius, arch * rng.uniform(0.7, 1.3), bright)
    on.u, on.v = saved
    soil(rng, on)
    return scene(on)


def _die_overview(rng: Rng, shape: Shape) -> Scene:
    """Draw several test devices with their large pads, numbers and streets, at low magnification."""
    zoom, shift = framing(rng)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=rng.choice([0, 0, rng.uniform(15, 50)]),
        ground=rng.uniform(0.4, 1.0),
        zoom=zoom,
        shift=shift,
    )
    parts = []
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(-110, 110), rng.uniform(-80, 80)
        half, apart = rng.uniform(7, 16), rng.uniform(22, 50)
        legs = int(rng.choice([2, 2, 3, 4]))
        for leg in range(legs):
            turn = 2 * math.pi * leg / legs
            px, py = x + apart * math.cos(turn), y + apart * math.sin(turn)
            parts += [box(on.u, on.v, px, py, half, half), route(on.u, on.v, [(px, py), (x, y)], rng.uniform(0.6, 2))]
        if rng.random() < 0.5:
            parts.append(disc(on.u, on.v, x, y, rng.uniform(3, 9)))
    if rng.random() < 0.6:
        parts.append(
            lettering(
                on.u, on.v, str(rng.integers(1, 9999)), rng.uniform(-100, 60), rng.uniform(-80, 60), rng.uniform(8, 18)
            )
        )
    if rng.random() < 0.4:
        parts.append(
            np.minimum(np.abs(on.u - np.float32(rng.normal(0, 60))), np.abs(on.v - np.float32(rng.normal(0, 50)))) - 2
        )
    metal(rng, on, union(parts))
    soil(rng, on)
    return scene(on)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("die_corner", _die_corner, (50e-6, 3e-3)),
    ("bond", _bond, (50e-6, 800e-6)),
    ("probes", _probes, (20e-6, 1e-3)),
    ("package", _package, (0.5e-3, 10e-3)),
    ("test_devices", _die_overview, (100e-6, 5e-3)),
)
