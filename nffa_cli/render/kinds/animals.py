"""Insects and other animals: eyes, bristles, wing scales, legs, skin, hair, feathers, shells; sub-kinds of `biological`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.plants import hairs, skin_cells
from nffa_cli.render.pores import backdrop, between, crossing, crossings, dust
from nffa_cli.render.scene import (
    Scene,
    Shape,
    cells,
    fbm,
    ridged,
    smooth,
    step,
    tilt,
    tubes,
    turned,
    warped,
)

Rng = np.random.Generator


def _eye(rng: Rng, shape: Shape) -> Scene:
    """Draw a compound eye: hexagonal lenses on a dome, bristles between them, the rim and the head beside it."""
    unit = shape[1] / 256
    pitch = between(rng, 5, 50) * unit
    dome = shape[1] * between(rng, 0.4, 1.6)
    centre = tuple(rng.uniform(0.2, 0.8, 2) * shape)
    v, u = turned(shape, float(rng.uniform(0, 1.1)), centre=centre)
    far = np.hypot(u, v * np.float32(rng.uniform(0.7, 1))) / np.float32(dome)
    on = far < 0.97
    spread = np.arcsin(np.clip(far, 0, 0.97)) / np.maximum(far, 1e-3)
    found = cells(rng, shape, scale=pitch, jitter=rng.uniform(0.0, 0.15), at=(v * spread, u * spread))
    bulge = np.sqrt(np.maximum(1 - np.square(found.distance / np.float32(pitch * 0.62)), 0)) * np.float32(
        pitch * rng.uniform(0.15, 0.4)
    )
    height = np.sqrt(np.maximum(1 - far * far, 0.03)) * np.float32(dome) + np.where(on, bulge, 0)
    head = fbm(rng, shape, 30 * unit, octaves=4) * np.float32(2) + np.float32(dome * 0.1)
    scene = Scene(np.where(on, height, head).astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.6:
        rows, columns = np.nonzero(on & (found.border < pitch * 0.08) & (found.distance > pitch * 0.52))
        if len(rows):
            paths = []
            lead, long = float(rng.uniform(0, 6.3)), pitch * float(rng.uniform(0.6, 2.2))
            for k in rng.integers(0, len(rows), int(np.clip(2.0 * shape[0] * shape[1] / pitch**2, 10, 160))):
                turn = lead + float(rng.normal(0, 0.25))
                t = np.linspace(0, 1, 5)[:, None]
                line = [rows[k], columns[k]] + t * long * [math.sin(turn), math.cos(turn)]
                paths.append(np.column_stack([line, scene.height[rows[k], columns[k]] + t[:, 0] * long]))
            tubes(
                scene.height,
                paths,
                [np.linspace(1, 0.3, 5) * max(pitch * 0.05, 0.8)] * len(paths),
                material=scene.yields,
                values=np.full(len(paths), 1.15),
            )
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=unit)
    return scene


def _cuticle(rng: Rng, shape: Shape) -> Scene:
    """Draw the skin of an insect: plates with scales or spines in rows, bristles in sockets, folds at the joints."""
    unit = shape[1] / 256
    size = between(rng, 7, 40) * unit
    lead = float(rng.uniform(0, 6.3))
    v, u = turned(shape, lead)
    found = cells(rng, shape, scale=size, jitter=rng.uniform(0.2, 0.8), stretch=float(rng.uniform(1, 2.5)), angle=lead)
    if rng.random() < 0.5:
        relief = np.mod(v / np.float32(size) + found.values(rng.uniform(0, 1, found.count)), 1).astype(
            np.float32
        ) * np.float32(0.2 * size)
    else:
        relief = step(found.border, size * 0.1, size * 0.1) * np.float32(size * rng.uniform(0.03, 0.15))
    folds = np.abs(np.mod(u / np.float32(shape[1] * rng.uniform(0.3, 0.9)), 1) - 0.5)
    height = relief + np.sqrt(np.clip(folds * 2, 0, 1)) * np.float32(shape[1] * rng.uniform(0, 0.15))
    height += smooth(rng, shape, 90 * unit) * np.float32(8 * unit)
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    scene = tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 45)])))
    hairs(rng, scene, int(rng.integers(3, 60)), between(rng, 0.9, 5) * unit, between(rng, 20, 130) * unit, lean=lead)
    return scene


def _wing(rng: Rng, shape: Shape) -> Scene:
    """Draw the scales of a wing: rows of overlapping ridged tongues."""
    unit = shape[1] / 256
    wide = between(rng, 21, 85) * unit
    long = wide * float(rng.uniform(1.6, 3))
    lead = float(rng.uniform(0, 6.3))
    v, u = turned(shape, lead)
    height, material = np.full(shape, -wide, np.float32), np.full(shape, 0.8, np.float32)
    pitch = wide / float(rng.uniform(6, 16))
    lobes = int(rng.choice([0, 2, 3, 5]))
    half = math.hypot(*shape) / 2
    gap = long * float(rng.uniform(0.4, 0.7))
    lean = float(rng.uniform(0.12, 0.35))
    for k in range(-int(half / gap) - 2, int(half / gap) + 2):
        y0 = k * gap
        lane = u / np.float32(wide * 0.92) + np.float32(0.5 * (k % 2)) + np.float32(rng.normal(0, 0.1))
        which = np.mod(np.floor(lane).astype(np.int32), 64)
        x = lane - np.floor(lane) - 0.5
        end = y0 + (long + rng.normal(0, 0.08 * long, 64).astype(np.float32)[which])
        turn = rng.normal(0, 0.12, 64).astype(np.float32)[which]
        s = (v + x * wide * turn - y0) / np.maximum(end - y0, 1)
        outline = 0.53 * np.clip(1.15 - np.abs(s - 0.35) ** 3 * 1.2, 0, 1) + 0 * x
        tip = 1 - 0.12 * np.square(x * 2) - (0.07 * np.cos(x * lobes * 2 * np.pi) if lobes else 0)
        inside = (np.abs(x) < outline) & (s > 0) & (s < tip)
        top = s * np.float32(long * lean) + (0.25 - x * x) * np.float32(0.25 * wide)
        top = top + np.cos(x * np.float32(2 * np.pi * wide / pitch)) * np.float32(min(pitch * 0.12, 0.8))
        better = inside & (top > height)
        height = np.where(better, top, height)
        material = np.where(better, rng.uniform(0.85, 1.15, 64).astype(np.float32)[which], material)
    gone = smooth(rng, shape, wide * 3) > rng.uniform(1.2, 3)
    height = np.where(gone, np.float32(-wide * 0.3) + fbm(rng, shape, wide * 0.3) * np.float32(0.5), height)
    height += fbm(rng, shape, 5 * unit) * np.float32(0.15)
    return tilt(
        Scene(height.astype(np.float32), material.astype(np.float32)), float(rng.choice([0, rng.uniform(10, 45)]))
    )


def _limb(rng: Rng, shape: Shape) -> Scene:
    """Draw legs, feelers or worms: jointed or ringed bodies with bristles, on a plain ground or in the void."""
    unit = shape[1] / 256
    scene = backdrop(rng, shape, void=0.5)
    if float(np.median(scene.height)) < -60:
        scene.height += np.float32(shape[1] - 50)
    material = scene.yields
    scene.material = material
    number = int(rng.integers(1, 5))
    r = between(rng, 9, 50) * unit / math.sqrt(number)
    joint = r * float(rng.uniform(1.2, 7))
    for k in range(number):
        path = crossing(
            rng, shape, float(rng.uniform(0, 3.1)), bend=0.15, period=120 * unit, central=0.15 if number == 1 else 0.3
        )
        at = np.arange(len(path)) * 4.0
        part = np.mod(at / joint + rng.uniform(), 1)
        radius = (
            r
            * (0.7 + 0.3 * np.sin(part * math.pi) ** 0.5 + 0.12 * part)
            * np.linspace(1, rng.uniform(0.3, 1), len(path))
        )
        z = k * r * 0.6
        one = tubes(
            scene.height, [np.column_stack([path, np.full(len(path), z)])], [radius], material=material, values=[1.0]
        )
        there = one.index >= 0
        skin = cells(
            rng, shape, scale=max(r * float(rng.uniform(0.12, 0.4)), 3), at=(one.across * np.float32(r), one.along)
        ).border
        scene.height += np.where(there, np.minimum(skin, r * 0.1) * np.float32(rng.uniform(0, 0.8)), np.float32(0))
        paths, radii = [], []
        thick, long = max(r * float(rng.uniform(0.02, 0.07)), 0.9), r * float(rng.uniform(0.3, 1.8))
        side = np.gradient(path, axis=0)
        side /= np.maximum(np.hypot(*side.T), 1e-6)[:, None]
        for j in rng.integers(0, len(path), int(rng.integers(10, 80) / number)):
            out = float(rng.uniform(-1, 1))
            normal = np.array([side[j, 1], -side[j, 0]])
            t = np.linspace(0, 1, 6)[:, None]
            line = (
                path[j] + normal * out * radius[j] * 0.95 + t * long * (normal * out + side[j] * rng.uniform(0.3, 1.0))
            )
            paths.append(np.column_stack([line, z + radius[j] * math.sqrt(1 - out * out * 0.9) + t[:, 0] * long * 0.4]))
            radii.append(np.linspace(1, 0.3, 6) * thick)
        tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.15))
    return scene


def _skin(rng: Rng, shape: Shape) -> Scene:
    """Draw skin with hair: flakes that lift at their edges, furrows, shafts with scales coming out of it."""
    unit = shape[1] / 256
    size = between(rng, 18, 80) * unit
    found = cells(rng, shape, scale=size, at=warped(rng, shape, size * 0.12, size * 0.4))
    lift = found.values(rng.normal(0, 1, found.count)).astype(np.float32)
    slope = found.distance * found.values(rng.uniform(-0.1, 0.3, found.count)).astype(np.float32)
    height = (
        lift * np.float32(size * 0.06)
        + slope
        + ridged(rng, shape, size * 2.5, octaves=2) * np.float32(-size * rng.uniform(0, 0.5))
    )
    height += fbm(rng, shape, 6 * unit) * np.float32(0.3)
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    material = scene.yields
    number = int(rng.integers(0, 8))
    if number:
        r = between(rng, 3, 22) * unit
        lead = float(rng.uniform(0, 3.1))
        paths = crossings(rng, shape, rng.normal(lead, 0.35, number), bend=0.1, period=120 * unit)
        lifted = [np.column_stack([p, np.full(len(p), (1 + 0.5 * k) * r)]) for k, p in enumerate(paths)]
        one = tubes(
            scene.height,
            lifted,
            list(r * np.exp(rng.normal(0, 0.15, number))),
            material=material,
            values=np.full(number, 1.1),
        )
        scale = np.float32(r * rng.uniform(0.5, 1.2))
        wavy = np.mod((one.along + smooth(rng, shape, r) * scale * np.float32(0.25)) / scale, 1)
        scene.height += np.where(one.index >= 0, wavy * scale * np.float32(0.08), np.float32(0))
    scene.material = material
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=unit * 1.5)
    return scene


def _feather(rng: Rng, shape: Shape) -> Scene:
    """Draw a feather: parallel branches with finer barbs leaving them at an angle, hooked into one another."""
    unit = shape[1] / 256
    pitch = between(rng, 24, 90) * unit
    lead = float(rng.uniform(0, 3.1))
    scene = Scene(np.full(shape, -0.6 * pitch, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32))
    material = scene.yields
    half = math.hypot(*shape) / 2
    way, across = np.array([math.sin(lead), math.cos(lead)]), np.array([math.cos(lead), -math.sin(lead)])
    paths, radii = [], []
    fine = pitch / float(rng.uniform(5, 9))
    sides = [float(rng.uniform(0.5, 1.1)), -float(rng.uniform(0.5, 1.1))]
    middle = np.array(shape) / 2
    for k in np.arange(-half, half, pitch):
        t = np.linspace(-half, half, 30)
        bow = np.sin(t / half * 2 + rng.normal(0, 0.2)) * 4 * unit
        trunk = middle + t[:, None] * way + (k + bow)[:, None] * across
        paths.append(np.column_stack([trunk, np.full(30, 0.05 * pitch)]))
        radii.append(np.full(30, pitch * 0.07))
        for s in np.arange(-half, half, max(fine, half / 11)):
            for angle in sides:
                q = np.linspace(0, 1, 6)[:, None]
                turn = lead + angle * (1 - 0.3 * q)
                long = pitch * float(rng.uniform(0.7, 1.1))
                line = middle + s * way + k * across + q * long * np.column_stack([np.sin(turn), np.cos(turn)])
                if np.all((line < -20) | (line > np.array(shape) + 20)):
                    continue
                paths.append(np.column_stack([line, -q[:, 0] * pitch * 0.15]))
                radii.append(np.linspace(1, 0.4, 6) * max(fine * 0.14, 0.7))
    tubes(scene.height, paths[:520], radii[:520], flat=0.7, material=material, values=np.full(len(paths[:520]), 1.0))
    scene.material = material
    return scene


def _shell(rng: Rng, shape: Shape) -> Scene:
    """Draw a shell broken across: bricks of nacre, crossed lamellae or prisms, in steps."""
    unit = shape[1] / 256
    thick = between(rng, 3, 16) * unit
    v, u = turned(shape, float(rng.normal(0, 0.4)))
    v = v + smooth(rng, shape, 80 * unit) * np.float32(thick * 0.8)
    row = np.floor(v / np.float32(thick)).astype(np.int32)
    part = v / np.float32(thick) - row
    long = thick * float(rng.uniform(2.5, 9))
    shift = rng.uniform(0, 1, 256).astype(np.float32)[np.mod(row, 256)]
    brick = u / np.float32(long) + shift
    number = np.mod(row * 131 + np.floor(brick).astype(np.int32) * 17, 1024)
    ahead = rng.normal(0, 1, 1024).astype(np.float32)[number] * np.float32(thick * rng.uniform(0.2, 0.9))
    ahead = ahead + fbm(rng, shape, 40 * unit, octaves=3) * np.float32(thick)
    edge = np.minimum(
        np.minimum(part, 1 - part) * thick, np.minimum(brick - np.floor(brick), 1 - brick + np.floor(brick)) * long
    )
    height = ahead - np.maximum(1 - edge / np.float32(max(thick * 0.12, 0.8)), 0) * np.float32(thick * 0.35)
    height += fbm(rng, shape, 4 * unit) * np.float32(rng.uniform(0, 0.4))
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.3:
        scene = tilt(scene, float(rng.uniform(10, 40)))
    return scene


def _scaled_skin(rng: Rng, shape: Shape) -> Scene:
    """Draw scales of fish, shark, snake or lizard: overlapping plates or teeth with ribs, in rows."""
    unit = shape[1] / 256
    size = between(rng, 22, 90) * unit
    lead = float(rng.uniform(0, 6.3))
    v, u = turned(shape, lead)
    bend = smooth(rng, shape, size * 3) * np.float32(size * rng.uniform(0, 0.25))
    found = cells(rng, shape, scale=size, jitter=rng.uniform(0.15, 0.6), at=(v + bend, u + bend))
    plate = np.sqrt(np.maximum(1 - np.square(found.distance / np.float32(size * 0.72)), 0)) * np.float32(size * 0.25)
    ribs = np.cos(u * np.float32(2 * math.pi / (size / float(rng.uniform(3, 9))))) * np.float32(size * 0.03)
    rings = np.cos(found.distance * np.float32(2 * math.pi / max(size * 0.07, 2.4))) * np.float32(size * 0.012)
    height = plate + (ribs if rng.random() < 0.6 else rings) * step(found.border, size * 0.08, size * 0.1)
    height += step(found.border, size * 0.05, size * 0.06) * np.float32(size * 0.12) + smooth(
        rng, shape, 100 * unit
    ) * np.float32(4 * unit)
    scene = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.5:
        dust(scene, rng, number=int(rng.integers(10, 120)), size=unit * 1.3)
    return tilt(scene, float(rng.choice([0, rng.uniform(10, 50)])))


def _small_animal(rng: Rng, shape: Shape) -> Scene:
    """Draw a whole mite, larva or beetle: an oval body with plates, legs and bristles on a leaf or a plain ground."""
    unit = shape[1] / 256
    if rng.random() < 0.5:
        height, _ = skin_cells(rng, shape, between(rng, 10, 35) * unit)
        scene = Scene(height - np.float32(6), np.full(shape, 0.75, np.float32))
    else:
        scene = backdrop(rng, shape)
    material = scene.yields
    scene.material = material
    r = between(rng, 26, 80) * unit
    lead = float(rng.uniform(0, 6.3))
    centre = np.array(shape) * rng.uniform(0.35, 0.65, 2)
    v, u = turned(shape, lead, centre=(float(centre[0]), float(centre[1])))
    way, across = np.array([math.sin(lead), math.cos(lead)]), np.array([math.cos(lead), -math.sin(lead)])
    base = float(np.median(scene.height))
    paths, radii = [], []
    for sign in (-1, 1):
        for k in range(int(rng.integers(3, 5))):
            start = centre + way * r * (0.5 - 0.35 * k) + across * sign * r * 0.45
            knee = start + across * sign * r * rng.uniform(0.4, 0.8) + way * r * rng.uniform(-0.3, 0.4)
            foot = knee + across * sign * r * rng.uniform(0.1, 0.6) + way * r * rng.uniform(-0.6, 0.5)
            paths.append(np.column_stack([np.array([start, knee, foot]), base + np.array([0.35, 0.55, 0.1]) * r]))
            radii.append(np.array([0.11, 0.09, 0.04]) * r)
    tubes(scene.height, paths, radii, material=material, values=np.full(len(paths), 1.0))
    narrow = float(rng.uniform(0.5, 0.75))
    far = np.hypot(u, v / np.float32(narrow)) / np.float32(r) * (1 + np.float32(0.03) * smooth(rng, shape, r * 0.5))
    ring = np.abs(np.mod(u / np.float32(r * rng.uniform(0.18, 0.6)), 1) - 0.5) * 2
    net = cells(rng, shape, scale=max(r * float(rng.uniform(0.06, 0.15)), 3)).border
    top = np.sqrt(np.maximum(1 - far * far, 0)) * np.float32(r * 0.6) + np.sqrt(ring) * np.float32(0.07 * r)
    top += np.minimum(net, 1.5) * np.float32(rng.uniform(0, 0.5)) + np.float32(base + 0.15 * r)
    scene.height = np.where(far < 1, np.maximum(top, scene.height), scene.height).astype(np.float32)
    material[far < 1] = 1.0
    return scene


def _membrane(rng: Rng, shape: Shape) -> Scene:
    """Draw a wing or a skin of an insect: veins that branch, small hairs in rows, folds."""
    unit = shape[1] / 256
    size = between(rng, 50, 160) * unit
    found = cells(
        rng, shape, scale=size, at=warped(rng, shape, size * 0.1, size), stretch=2.0, angle=float(rng.uniform(0, 3.1))
    )
    half = np.float32(size * rng.uniform(0.03, 0.08))
    vein = np.sqrt(np.maximum(half * half - np.square(found.border), 0))
    height = vein + smooth(rng, shape, size) * np.float32(size * 0.08)
    scene = Scene(height.astype(np.float32), np.where(vein > 0, np.float32(1.0), np.float32(rng.uniform(0.6, 1.0))))
    scene = tilt(scene, float(rng.choice([0, rng.uniform(10, 40)])))
    hairs(rng, scene, int(rng.integers(40, 130)), between(rng, 0.8, 1.6) * unit, between(rng, 5, 16) * unit)
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("compound eye", _eye, (40e-6, 1.5e-3)),
    ("cuticle with bristles", _cuticle, (15e-6, 1e-3)),
    ("wing scales", _wing, (60e-6, 1e-3)),
    ("wing membrane", _membrane, (80e-6, 2e-3)),
    ("limbs", _limb, (50e-6, 3e-3)),
    ("skin and hair", _skin, (60e-6, 2e-3)),
    ("feather", _feather, (50e-6, 2e-3)),
    ("shell", _shell, (3e-6, 200e-6)),
    ("scales", _scaled_skin, (50e-6, 5e-3)),
    ("small animal", _small_animal, (100e-6, 5e-3)),
]
"""Name, drawing, width of the field in metres."""
