"""Probes on cantilevers, and what all tips have: empty space behind, a profile, a skin, dirt; sub-kinds of `tips`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.pores import backdrop, between, dust, line
from nffa_cli.render.scene import (
    Array,
    Scene,
    Seen,
    Shape,
    ball,
    blur,
    cells,
    fbm,
    grid,
    lump,
    smooth,
    stamp_max,
    tubes,
)
from nffa_cli.render.solids import Face, camera, draw, lathe, pyramid, seen, slab, spot

Rng = np.random.Generator


def empty(rng: Rng, shape: Shape) -> Scene:
    """Return what lies behind a tip: dark space, at times with a gradient, a blurred holder or a bright glow."""
    y, x = grid(shape)
    dim = float(rng.uniform(0.03, 0.45))
    slope = rng.normal(0, 0.15, 2).astype(np.float32)
    material = np.float32(dim) + slope[0] * (y / shape[0] - 0.5) + slope[1] * (x / shape[1] - 0.5)
    kind = rng.random()
    if kind < 0.25:  # something far below, out of focus
        material = material + np.float32(rng.uniform(0.02, 0.08)) * fbm(
            rng, shape, shape[1] * rng.uniform(0.25, 0.9), octaves=2
        )
    elif kind < 0.4:  # the edge of a holder, out of focus
        side = np.cos(rng.uniform(0, 6.3)) * (y - shape[0] * rng.uniform(0, 1)) + np.sin(rng.uniform(0, 6.3)) * (
            x - shape[1] * rng.uniform(0, 1)
        )
        material = material + np.float32(rng.uniform(0.1, 0.4)) / (1 + np.exp(-side / np.float32(rng.uniform(2, 15))))
    elif kind < 0.5:
        tape = backdrop(rng, shape)
        rough = tape.yields + np.float32(0.1) * fbm(rng, shape, 14)
        material = material + np.float32(0.4) * blur(rough, float(rng.uniform(1.5, 4)))
    return Scene(np.full(shape, -FAR * shape[1], np.float32), np.clip(material, 0.02, 1.2).astype(np.float32))


FAR = 4.0
"""How far below its tip empty space lies while a scene is drawn, in widths of the picture."""


def settled(rows: Iterable[tuple[str, Draw, tuple[float, float]]]) -> Iterator[tuple[str, Draw, tuple[float, float]]]:
    """Go through a table of sub-kinds and raise the empty space in what they draw to a little below the tip.

    Space takes no shadow, however deep it is; what is left is the seam of the outline.
    """

    def drawn(plan: Draw) -> Draw:
        def raised(rng: Rng, shape: Shape) -> Scene:
            scene = plan(rng, shape)
            solid = scene.height > -0.75 * FAR * shape[1]
            below = between(rng, 3, 30)
            if solid.any() and not solid.all():
                lowest = np.quantile(scene.height[solid][::7], rng.uniform(0.02, 0.2))
                scene.height = np.where(solid, scene.height, np.float32(lowest - below))
            return scene

        return raised

    for name, plan, width in rows:
        yield name, drawn(plan), width


def plain(rng: Rng, shape: Shape) -> Scene:
    """Return a plain ground of any kind, well below."""
    scene = backdrop(rng, shape)
    scene.height -= np.float32(shape[1] * 0.4)
    return scene


def side_profile(s: Array, end: float, cone: float, flare: float = 0.0, stop: float | None = None) -> Array:
    """Return the radius of a tip at distances ``s`` from its point.

    A ball of radius ``end`` on a cone of half angle ``cone`` (a hyperboloid); ``flare`` bends the flanks outwards (over a
    hundred pixels, as a part of the distance), ``stop`` is the radius of the shaft it comes from.
    """
    radius = np.sqrt(2 * end * s + np.square(s * math.tan(cone))) + flare * np.square(s) / 200
    radius = np.maximum(radius, 0.3 + 0 * s)
    return radius if stop is None else stop * np.tanh(radius / stop)


def skin(rng: Rng, scene: Scene, found: Seen, *, along: bool, strength: float = 1.0) -> None:
    """Give a tip its surface, in place: drawing or etching lines along it, rings, grains of a coating, roughness, none."""
    there = found.index >= 0
    shape = scene.shape
    kind = rng.random()
    relief = np.zeros(shape, np.float32)
    if along and kind < 0.7:
        lines = line(rng, 512, between(rng, 5, 60), octaves=4)
        at = np.clip((np.arcsin(np.clip(found.across, -1, 1)) / 3.2 + 0.5) * 511, 0, 511).astype(np.int32)
        relief = lines[at] * np.float32(rng.uniform(0.1, 1.2) * strength)
    elif kind < 0.8:
        relief = fbm(rng, shape, between(rng, 2.5, 25), gain=0.6) * np.float32(between(rng, 0.1, 1.2) * strength)
    elif kind < 0.9:
        grain = between(rng, 3, 10)
        bumps = cells(rng, shape, scale=grain).border
        relief = np.minimum(bumps, np.float32(grain * 0.4)) * np.float32(strength)
    scene.height += np.where(there, relief, np.float32(0))


def contaminate(rng: Rng, scene: Scene, around: tuple[float, float], size: float, found: Seen | None) -> None:
    """Stick lumps of dirt to a tip around a place, in place."""
    number = int(rng.integers(1, 7))
    material = scene.yields
    scene.material = material
    bright = float(rng.uniform(0.6, 1.5))
    for _ in range(number):
        y, x = np.array(around) + rng.normal(0, size * 0.7, 2)
        r = max(size * float(np.exp(rng.normal(-1.6, 0.6))), 0.9)
        row, column = round(float(y)), round(float(x))
        if not (0 <= row < scene.shape[0] and 0 <= column < scene.shape[1]):
            continue
        if found is not None and found.index[row, column] < 0:
            continue
        base = float(scene.height[row, column])
        stamp_max(scene.height, lump(rng, r), y, x, base=base - 0.5 * r, material=material, value=bright)


def apex(rng: Rng, base: float, tall: float, at: tuple[float, float], *, low: float, sides: int = 20) -> list[Face]:
    """Return the tip of a probe on its lever: a pyramid, a cone, a cone on a foot, a sail or a stepped needle."""
    kind = rng.integers(5)
    x, y = at
    square = [(x - base, y - base), (x + base, y - base), (x + base, y + base), (x - base, y + base)]
    if kind == 0:
        return pyramid(square, low, (x + rng.normal(0, 0.1) * base, y, low + tall))
    if kind == 1:  # polygonal, set back as etched silicon is
        turn = np.arange(3) * 2 * math.pi / 3 + float(rng.choice([0, math.pi]))
        outline = [(x + 1.3 * base * math.cos(t), y + 1.3 * base * math.sin(t)) for t in turn]
        return pyramid(outline, low, (x - rng.uniform(0, 1.0) * base, y, low + tall))
    t = np.array([0, 0.12, 0.3, 0.5, 0.75, 0.93, 1.0])
    if kind == 2:
        radii = np.array([1, 0.8, 0.6, 0.42, 0.21, 0.07, 0.015])
    elif kind == 3:
        radii = np.array([1, 0.62, 0.38, 0.25, 0.13, 0.05, 0.015])
    else:
        radii = np.array([1, 0.93, 0.8, 0.3, 0.15, 0.06, 0.015])
    return lathe(low + t * tall, radii * base, sides=sides, foot=(x, y, 0))


def _lever(rng: Rng, *, length: float, half: float, thick: float, pointed: float) -> list[Face]:
    """Return a lever whose free end is at x = 0, running to x = ``length``; its upper side is z = 0."""
    taper = half * float(rng.choice([1, 1, 0.6]))
    nose = [(-pointed, taper * 0.15), (-pointed, -taper * 0.15)] if pointed else []
    outline = [(0.0, -taper), (length, -half), (length, half), (0.0, taper), *nose]
    return slab(outline, -thick, 0.0, inset=0.0)


def _finish(rng: Rng, scene: Scene, mask: Array, rough: float) -> Scene:
    """Roughen what is solid a little, and dirty it."""
    scene.height += np.where(mask, fbm(rng, scene.shape, between(rng, 3, 30)) * np.float32(rough), np.float32(0))
    if rng.random() < 0.45:
        dust(scene, rng, number=int(rng.integers(2, 40)), size=between(rng, 0.8, 2.0) * scene.shape[1] / 256, on=mask)
    return scene


def _on_lever(rng: Rng, shape: Shape) -> Scene:
    """Draw a tip at the end of its lever, aslant."""
    scene = empty(rng, shape) if rng.random() < 0.75 else plain(rng, shape)
    scale = between(rng, 14, 60) * shape[1] / 256
    half = float(rng.uniform(0.8, 2.2))
    tall = float(rng.uniform(1.0, 3.0))
    lean = math.radians(float(rng.choice([rng.uniform(25, 85), rng.uniform(95, 120)], p=[0.9, 0.1])))
    view = camera(
        float(rng.choice([rng.normal(math.pi / 2, 0.3), rng.normal(0, 0.4), rng.uniform(0, 6.3)])),
        lean,
        float(rng.choice([0, 0, math.pi, rng.normal(0, 0.2)])),
    )
    at = float(rng.uniform(0.3, 2.0))
    about = (at, 0, tall * 0.5)
    centre = (shape[0] * float(rng.uniform(0.35, 0.65)), shape[1] * float(rng.uniform(0.35, 0.65)))
    solid = _lever(
        rng, length=40, half=half, thick=rng.uniform(0.2, 0.7), pointed=float(rng.choice([0, rng.uniform(0.3, 1.2)]))
    )
    mask = draw(scene, seen(solid, view, scale, centre, about), float(rng.uniform(0.8, 1.1)))
    tip = apex(rng, float(rng.uniform(0.35, 0.75)) * min(half, 1.2), tall, (at, 0.0), low=0.0)
    mask |= draw(scene, seen(tip, view, scale, centre, about), float(rng.uniform(0.9, 1.2)))
    if rng.random() < 0.3:
        y, x, _ = spot((at, 0, tall), view, scale, centre, about)
        contaminate(rng, scene, (float(y), float(x)), scale * 0.2, None)
    return _finish(rng, scene, mask, rng.uniform(0, 0.5))


def _tip_close(rng: Rng, shape: Shape) -> Scene:
    """Draw the tip of a lever so near that the lever is only the ground it stands on."""
    scene = empty(rng, shape)
    scale = between(rng, 35, 110) * shape[1] / 256
    tall = float(rng.uniform(1.2, 2.8))
    view = camera(float(rng.uniform(0, 6.3)), math.radians(float(rng.uniform(15, 88))))
    centre = (shape[0] * float(rng.uniform(0.35, 0.6)), shape[1] * float(rng.uniform(0.35, 0.65)))
    about = (0, 0, tall * float(rng.uniform(0.4, 0.9)))
    ground = slab([(-2.5, -3), (40, -3), (40, 3), (-2.5, 3)], -0.5, 0.0)
    mask = draw(scene, seen(ground, view, scale, centre, about), float(rng.uniform(0.6, 1.0)))
    tip = apex(rng, float(rng.uniform(0.5, 1.2)), tall, (0.0, 0.0), low=0.0, sides=30)
    mask |= draw(scene, seen(tip, view, scale, centre, about), float(rng.uniform(0.9, 1.1)))
    if rng.random() < 0.4:
        y, x, _ = spot((0, 0, tall), view, scale, centre, about)
        contaminate(rng, scene, (float(y), float(x)), scale * 0.15, None)
    return _finish(rng, scene, mask, rng.uniform(0, 0.6))


def _chip(rng: Rng, shape: Shape) -> Scene:
    """Draw levers that stand out from the edge of their chip: beams or triangles, one or several."""
    scene = empty(rng, shape) if rng.random() < 0.7 else plain(rng, shape)
    unit = shape[1] / 256
    number = int(rng.choice([1, 1, 1, 2, 3, 4]))
    longest = between(rng, 70, 190)
    view = camera(
        float(rng.choice([0, math.pi / 2, math.pi, rng.uniform(0, 6.3)])) + float(rng.normal(0, 0.08)),
        math.radians(float(rng.choice([rng.uniform(0, 15), rng.uniform(20, 70)]))),
    )
    about = (longest * float(rng.uniform(0.3, 0.7)), 0, 0)
    centre = (shape[0] * 0.5, shape[1] * 0.5)
    chip_half = between(rng, 60, 400)
    edge = float(rng.uniform(0, 25))
    block = slab(
        [(longest, -chip_half), (longest + 600, -chip_half), (longest + 600, chip_half), (longest, chip_half)],
        -90,
        -edge * 0.3,
        inset=0.0,
    )
    bevel = [
        np.array(
            [
                (longest - edge, -chip_half, -90.0),
                (longest, -chip_half, -edge * 0.3),
                (longest, chip_half, -edge * 0.3),
                (longest - edge, chip_half, -90),
            ]
        )
    ]
    mask = draw(scene, seen(block + bevel, view, unit, centre, about), float(rng.uniform(0.7, 1.1)))
    spacing = between(rng, 40, 90)
    value = float(rng.uniform(0.8, 1.3))
    for k in range(number):
        across = (k - (number - 1) / 2) * spacing
        length = longest * float(rng.uniform(0.45, 1.0)) if k else longest
        half = between(rng, 5, 16)
        if rng.random() < 0.35:  # two arms that meet
            wide, arm, start = half * rng.uniform(1.8, 3.2), half * 0.6, longest - length
            faces: list[Face] = []
            for sign in (-1, 1):
                faces += slab(
                    [
                        (start, across - arm * 0.7),
                        (start, across + arm * 0.7),
                        (longest + 2, across + sign * wide + arm * 0.7),
                        (longest + 2, across + sign * wide - arm * 0.7),
                    ],
                    -2.5,
                    0.0,
                )
        else:
            start = longest - length
            faces = slab(
                [
                    (start, across - half),
                    (longest + 2, across - half),
                    (longest + 2, across + half),
                    (start, across + half),
                    (start - half * rng.uniform(0, 1.2), across),
                ],
                -rng.uniform(1.5, 5),
                0.0,
            )
        mask |= draw(scene, seen(faces, view, unit, centre, about), value)
        small = pyramid(
            [(start + 3, across - 3), (start + 9, across - 3), (start + 9, across + 3), (start + 3, across + 3)],
            0.0,
            (start + 6, across, 11),
        )
        if rng.random() < 0.8:
            mask |= draw(scene, seen(small, view, unit, centre, about), 1.2)
    return _finish(rng, scene, mask, rng.uniform(0, 0.3))


def _lever_top(rng: Rng, shape: Shape) -> Scene:
    """Draw the end of a lever from straight above, the tip a small pyramid with its point in the middle."""
    scene = empty(rng, shape) if rng.random() < 0.8 else plain(rng, shape)
    unit = shape[1] / 256
    half = between(rng, 25, 85)
    view = camera(
        float(rng.choice([0, math.pi / 2, math.pi, -math.pi / 2, rng.uniform(0, 6.3)])) + float(rng.normal(0, 0.06)),
        math.radians(float(rng.uniform(0, 14))),
    )
    about = (half * float(rng.uniform(0.2, 1.2)), 0, 0)
    centre = (shape[0] * 0.5, shape[1] * 0.5)
    solid = _lever(rng, length=900, half=half, thick=8, pointed=float(rng.choice([0, half * rng.uniform(0.3, 1.3)])))
    mask = draw(scene, seen(solid, view, unit, centre, about), float(rng.uniform(0.7, 1.1)))
    at = half * float(rng.uniform(0.4, 1.2))
    base = half * float(rng.uniform(0.12, 0.5))
    if rng.random() < 0.85:
        tip = apex(rng, base, base * float(rng.uniform(0.8, 2.2)), (at, 0.0), low=0.0)
        mask |= draw(scene, seen(tip, view, unit, centre, about), 1.1)
    return _finish(rng, scene, mask, rng.uniform(0, 0.4))


def _colloid(rng: Rng, shape: Shape) -> Scene:
    """Draw a lever with a ball glued to its end."""
    scene = empty(rng, shape)
    unit = shape[1] / 256
    half = between(rng, 14, 50)
    lean = math.radians(float(rng.uniform(0, 85)))
    view = camera(float(rng.uniform(0, 6.3)), lean)
    r = half * float(rng.uniform(0.4, 1.5))
    about = (half * 0.6, 0, r * 0.5)
    centre = (shape[0] * float(rng.uniform(0.35, 0.65)), shape[1] * float(rng.uniform(0.35, 0.65)))
    solid = _lever(rng, length=900, half=half, thick=half * 0.15, pointed=float(rng.choice([0, half * 0.7])))
    mask = draw(scene, seen(solid, view, unit, centre, about), float(rng.uniform(0.7, 1.1)))
    y, x, z = spot((half * float(rng.uniform(0.2, 1.0)), 0, r * 0.9), view, unit, centre, about)
    material = scene.yields
    stamp_max(scene.height, ball(r * unit, sunk=1.0), float(y), float(x), base=float(z), material=material, value=1.1)
    if rng.random() < 0.6:  # glue
        y, x, z = spot((half * 0.7, 0, 0), view, unit, centre, about)
        stamp_max(
            scene.height,
            lump(rng, r * 0.9 * unit, flat=0.3),
            float(y),
            float(x),
            base=float(z) - 2,
            material=material,
            value=0.8,
        )
    return _finish(rng, scene, mask, rng.uniform(0, 0.3))


def _fork(rng: Rng, shape: Shape) -> Scene:
    """Draw a wire or needle glued to a prong: a tuning fork sensor, a mounted emitter on its filament."""
    scene = empty(rng, shape)
    unit = shape[1] / 256
    half = between(rng, 20, 60)
    view = camera(float(rng.choice([0, math.pi])) + float(rng.normal(0, 0.3)), math.radians(float(rng.uniform(5, 60))))
    centre, about = (shape[0] * 0.5, shape[1] * 0.5), (half * float(rng.uniform(0.5, 1.5)), 0, 0)
    solid = slab([(0, -half), (900, -half), (900, half), (0, half)], -half * 1.2, 0.0)
    mask = draw(scene, seen(solid, view, unit, centre, about), float(rng.uniform(0.7, 1.1)))
    foot = spot((half * 0.8, 0, 2), view, unit, centre, about)
    away = spot((-half * float(rng.uniform(0.8, 2.2)), float(rng.normal(0, 0.3)) * half, 4), view, unit, centre, about)
    t = np.linspace(0, 1, 40)[:, None]
    r = between(rng, 2, 9) * unit
    path = np.asarray(away) * (1 - t) + np.asarray(foot) * t
    radii = np.minimum(0.4 + t[:, 0] * r * 3.5, r)
    tubes(scene.height, [path], [radii], material=scene.yields, values=[1.1])
    stamp_max(
        scene.height,
        lump(rng, r * 3, flat=0.5),
        float(foot[0]),
        float(foot[1]),
        base=float(foot[2]) - 1,
        material=scene.yields,
        value=0.9,
    )
    return _finish(rng, scene, mask, rng.uniform(0, 0.5))


def _coated(rng: Rng, shape: Shape) -> Scene:
    """Draw a tip with a grainy coat, aslant: grains, peeled parts, a ragged foot."""
    scene = _tip_close(rng, shape)
    solid = scene.height > -0.75 * FAR * shape[1]
    grain = between(rng, 4, 14) * shape[1] / 256
    found = cells(rng, shape, scale=grain)
    peel = smooth(rng, shape, shape[1] * 0.3) > rng.uniform(0.8, 3)
    bump = np.sqrt(np.maximum(1 - np.square(found.distance / np.float32(grain * 0.75)), 0)) * np.float32(
        grain * rng.uniform(0.1, 0.35)
    )
    scene.height += np.where(solid & ~peel, bump + np.float32(grain * 0.3), np.float32(0))
    return scene


ROWS: list[tuple[str, Draw, tuple[float, float]]] = [
    ("tip on a lever", _on_lever, (5e-6, 150e-6)),
    ("tip, close", _tip_close, (1e-6, 40e-6)),
    ("chip with levers", _chip, (80e-6, 3e-3)),
    ("lever from above", _lever_top, (20e-6, 300e-6)),
    ("ball on a lever", _colloid, (10e-6, 200e-6)),
    ("needle on a prong", _fork, (50e-6, 1e-3)),
    ("coated tip", _coated, (0.5e-6, 20e-6)),
]
"""Name, drawing, width of the field in metres."""
