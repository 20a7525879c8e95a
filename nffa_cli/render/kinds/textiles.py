"""Yarns and cloths: woven, knitted, braided, twisted, wire meshes; sub-kinds of `fibres`."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.pores import backdrop, bent, between, crossing, dust, threads
from nffa_cli.render.scene import Array, Scene, Seen, Shape, fbm, smooth, tilt, tubes

Rng = np.random.Generator


def _behind(rng: Rng, shape: Shape, depth: float) -> Scene:
    return Scene(np.full(shape, -depth, np.float32), np.full(shape, rng.uniform(0.15, 0.8), np.float32))


def _filaments(rng: Rng, scene: Scene, seen: Seen, radius: float, number: float, twist: float) -> None:
    """Make yarns bundles of filaments: round ridges that run along them, turning with the twist."""
    there = seen.index >= 0
    angle = np.arcsin(np.clip(seen.across, -0.98, 0.98))
    wander = smooth(rng, scene.shape, radius * 6) * np.float32(0.5) + smooth(rng, scene.shape, radius * 2) * np.float32(
        0.1
    )
    phase = angle * np.float32(number / math.pi) + seen.along * np.float32(twist / radius) + wander
    phase = phase + (seen.index * np.float32(0.37))
    ridge = np.sqrt(np.maximum(1 - np.square(2 * (phase - np.floor(phase)) - 1), 0))
    which = np.mod(np.floor(phase) * np.float32(0.618) + seen.index * np.float32(0.31), 1)
    deep = np.float32(radius * 1.6 / number)
    scene.height += np.where(there, ridge * deep + which * deep * np.float32(0.8), np.float32(0))


def _turn(points: Array, angle: float, shape: Shape) -> Array:
    """Turn (N, 3) points about the middle of the picture."""
    c, s = math.cos(angle), math.sin(angle)
    y, x = points[:, 0], points[:, 1]
    return np.column_stack([y * c + x * s + shape[0] / 2, x * c - y * s + shape[1] / 2, points[:, 2]])


def _cloth(rng: Rng, shape: Shape) -> Scene:
    """Plain, twill, satin or basket weave of bundled yarns."""
    pitch = between(rng, 16, 110) * shape[1] / 256
    step = int(rng.choice([1, 1, 2, 3]))
    repeat = {1: 2, 2: int(rng.choice([3, 4])), 3: 5}[step]
    radius = pitch * float(rng.uniform(0.36, 0.5))
    turn = float(rng.choice([rng.normal(0, 0.05), rng.uniform(0, math.pi)]))
    scene = _weave(rng, shape, pitch, radius, repeat, step, turn, flat=float(rng.uniform(0.5, 0.9)))
    if rng.random() < 0.5:
        threads(scene, rng, int(rng.integers(1, 5)), (0.6, max(radius * 0.1, 0.8)), bend=0.6)
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(5, 80)), size=max(pitch * 0.03, 0.8))
    if rng.random() < 0.3:
        scene = tilt(scene, float(rng.uniform(10, 50)))
    return scene


def _weave(
    rng: Rng, shape: Shape, pitch: float, radius: float, repeat: int, step: int, turn: float, *, flat: float,
    solid: bool = False,
) -> Scene:  # fmt: skip
    scene = _behind(rng, shape, radius * 4)
    half = math.hypot(*shape) / 2 + pitch
    at = np.arange(-half, half, pitch / 8)
    number = int(half / pitch) + 1
    paths: list[Array] = []
    swing = radius * flat * float(rng.uniform(0.7, 1.0))
    slack = pitch * float(rng.uniform(0, 0.05))
    for warp in (False, True):
        for k in range(-number, number + 1):
            place = at / pitch
            if repeat == 2:
                z = swing * np.cos(np.pi * (place - k)) * (1 if warp else -1)
            else:
                position = np.mod(place - step * k if warp else place * 1.0, repeat)
                crossed = (
                    np.mod(np.rint(place) - step * k, repeat) if warp else np.mod(k - step * np.rint(place), repeat)
                )
                over = crossed < repeat / 2 if warp else crossed >= repeat / 2
                z = np.where(over, swing, -swing) + 0 * position
                z = np.convolve(np.pad(z, 6, mode="edge"), np.hanning(15)[1:-1] / 7, mode="valid")
            off = np.full(len(at), k * pitch) + np.interp(at, at[::12], rng.normal(0, slack, len(at[::12])))
            points = np.column_stack([off, at, z]) if warp else np.column_stack([at, off, z])
            paths.append(_turn(points, turn, shape))
    material = scene.yields
    scene.material = material
    values = np.concatenate([np.full(2 * number + 1, v) for v in rng.uniform(0.85, 1.15, 2)])
    seen = tubes(scene.height, paths, [radius] * len(paths), flat=flat, material=material, values=values)
    if not solid:
        _filaments(rng, scene, seen, radius, rng.uniform(5, 16), float(rng.choice([0, rng.uniform(0.05, 0.5)])))
    return scene


def _mesh(rng: Rng, shape: Shape) -> Scene:
    """Draw a cloth of single wires or monofilaments with open holes."""
    pitch = between(rng, 12, 90) * shape[1] / 256
    turn = float(rng.choice([rng.normal(0, 0.06), rng.uniform(0, math.pi)]))
    scene = _weave(rng, shape, pitch, pitch * float(rng.uniform(0.12, 0.3)), 2, 1, turn, flat=1.0, solid=True)
    if rng.random() < 0.5:
        scene.height += fbm(rng, shape, 4) * np.float32(rng.uniform(0, 0.4))
    if rng.random() < 0.4:
        dust(scene, rng, number=int(rng.integers(20, 200)), size=max(pitch * 0.015, 0.8))
    return scene


def _knit(rng: Rng, shape: Shape) -> Scene:
    """Stocking stitch: rows of loops drawn through one another."""
    pitch = between(rng, 35, 130) * shape[1] / 256
    radius = pitch * float(rng.uniform(0.08, 0.135))
    rise = pitch * float(rng.uniform(0.55, 0.85))
    scene = _behind(rng, shape, radius * 5)
    turn = float(rng.choice([rng.normal(0, 0.1), rng.uniform(0, math.pi)]))
    half = math.hypot(*shape) / 2 + pitch
    t = np.arange(-half / pitch, half / pitch, 1 / 24)
    paths = []
    for k in range(-int(half / rise) - 1, int(half / rise) + 2):
        x = t * pitch + 0.24 * pitch * np.sin(4 * np.pi * t)
        y = k * rise - 0.75 * rise * np.cos(2 * np.pi * t)
        z = radius * 1.1 * np.cos(4 * np.pi * t + 0.3)
        loose = np.interp(t, t[::14], rng.normal(0, 0.03 * pitch, len(t[::14])))
        paths.append(_turn(np.column_stack([y + loose, x, z]), turn, shape))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, [radius] * len(paths), material=material, values=np.full(len(paths), 1.0))
    if rng.random() < 0.85:
        _filaments(rng, scene, seen, radius, rng.uniform(4, 12), float(rng.uniform(0, 0.4)))
    threads(scene, rng, int(rng.integers(0, 5)), (0.6, max(radius * 0.15, 0.8)), bend=0.7)
    return scene


def _yarn(rng: Rng, shape: Shape) -> Scene:
    """One twisted yarn or a few on a ground, with fibres that stray."""
    scene = backdrop(rng, shape, void=0.5)
    if float(np.median(scene.height)) < -50:
        scene.height += np.float32(shape[1] * 0.5)
    radius = between(rng, 14, 70) * shape[1] / 256
    lead = float(rng.uniform(0, math.pi))
    number = 1 if radius > 30 else int(rng.integers(1, 5))
    paths = []
    for k in range(number):
        central = 0.1 if k == 0 else 0.4
        path = crossing(rng, shape, float(rng.normal(lead, 0.35)), bend=0.1, period=100, central=central)
        paths.append(np.column_stack([path, np.full(len(path), k * radius * 0.8)]))
    radii = []
    for path in paths:
        knots = rng.normal(1, 0.1, len(path) // 12 + 5)
        radii.append(radius * bent(knots, np.linspace(-1, 1, len(path))))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, radii, material=material, values=rng.uniform(0.9, 1.1, number))
    _filaments(rng, scene, seen, radius, rng.uniform(3, 18), float(rng.uniform(0.1, 0.9)) * float(rng.choice([-1, 1])))
    threads(scene, rng, int(rng.integers(1, 14)), (0.6, max(radius * 0.08, 0.9)), bend=0.8)
    return scene


def _rope(rng: Rng, shape: Shape) -> Scene:
    """Plies twisted around one another: cord, thread, wire rope, sewing thread."""
    scene = backdrop(rng, shape, void=0.5)
    if float(np.median(scene.height)) < -50:
        scene.height += np.float32(shape[1] * 0.4)
    radius = between(rng, 8, 45) * shape[1] / 256
    plies = int(rng.integers(2, 5))
    lead = float(rng.uniform(0, math.pi))
    axis = crossing(rng, shape, lead, bend=0.05, period=120, central=0.1)
    heading = np.gradient(axis, axis=0)
    heading /= np.maximum(np.hypot(*heading.T), 1e-6)[:, None]
    normal = np.column_stack([heading[:, 1], -heading[:, 0]])
    run = np.arange(len(axis)) * 4.0 / (radius * float(rng.uniform(2.5, 6))) * float(rng.choice([-1, 1]))
    paths = []
    for k in range(plies):
        turn = run + 2 * math.pi * k / plies
        side = normal * (radius * 0.95 * np.sin(turn))[:, None]
        paths.append(np.column_stack([axis + side, radius * 0.95 * np.cos(turn)]))
    material = scene.yields
    scene.material = material
    seen = tubes(scene.height, paths, [radius] * plies, material=material, values=np.full(plies, 1.0))
    if rng.random() < 0.75:
        _filaments(rng, scene, seen, radius, rng.uniform(3, 12), float(rng.uniform(-0.4, 0.4)))
    threads(scene, rng, int(rng.integers(0, 8)), (0.6, max(radius * 0.1, 0.9)), bend=0.7)
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("cloth", _cloth, (300e-6, 6e-3)),
    ("mesh", _mesh, (100e-6, 5e-3)),
    ("knit", _knit, (600e-6, 8e-3)),
    ("yarn", _yarn, (200e-6, 3e-3)),
    ("plied cord", _rope, (150e-6, 4e-3)),
]
"""Name, drawing, width of the field in metres."""
