"""Tips: one sharp thing, made to touch, to emit or to be evaporated, mostly before empty dark space.

Written rule: the picture is about one tip or one cantilever (or a few of them in a row): probes of force and tunnelling
microscopes, their levers and chips, etched wires, field emitters, milled needles, drawn pipettes, indenters, blades. The
rest of the field is empty, out of focus or a plain holder. Many needles that grew are nanowires; many cones that repeat
over the field are a patterned surface; a lever that is a part of a larger device is MEMS. Here: wires, needles and other
tips seen from the side or the top; probes on levers are in ``probes``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import probes
from nffa_cli.render.kinds.probes import contaminate, empty, side_profile, skin
from nffa_cli.render.pores import between, dust, line, softened
from nffa_cli.render.scene import (
    Scene,
    Seen,
    Shape,
    ball,
    fbm,
    lump,
    smooth,
    stamp_max,
    tubes,
    turned,
)
from nffa_cli.render.solids import camera, draw, lathe, pyramid, seen, slab, spot

Rng = np.random.Generator


def _pointing(rng: Rng) -> float:
    """Draw where a tip points, radians from x: mostly along the picture's axes, up more than down."""
    return float(rng.choice([-math.pi / 2, -math.pi / 2, math.pi / 2, 0, math.pi, rng.uniform(0, 6.3)])) + float(
        rng.normal(0, 0.12)
    )


def _needle(
    rng: Rng,
    scene: Scene,
    point: tuple[float, float],
    angle: float,
    *,
    end: float,
    cone: float,
    flare: float = 0.0,
    stop: float | None = None,
    bend: float = 0.0,
    value: float = 1.0,
) -> Seen:
    """Draw a tip of radius ``end`` and half angle ``cone`` that points along ``angle``; ``stop`` is its shaft's radius."""
    long = 1.6 * math.hypot(*scene.shape)
    s = np.concatenate([np.linspace(0, 4 * end + 4, 24), np.geomspace(4 * end + 5, long, 60)])
    radius = np.minimum(side_profile(s, end, cone, flare, stop), 0.55 * scene.shape[1])
    radius = radius[: int(np.searchsorted(radius, 0.54 * scene.shape[1])) + 12]
    s = s[: len(radius)]
    curve = angle + bend * s / long
    direction = np.column_stack([np.sin(curve), np.cos(curve)])
    path = np.asarray(point) - np.concatenate([[[0.0, 0.0]], np.cumsum(direction[1:] * np.diff(s)[:, None], axis=0)])
    z = np.full(len(s), 0.0) + s * float(rng.normal(0, 0.08))
    material = scene.yields
    scene.material = material
    return tubes(scene.height, [np.column_stack([path, z])], [radius], material=material, values=[value])


def _place(rng: Rng, shape: Shape, angle: float, inside: float = 0.3) -> tuple[float, float]:
    """Draw where the point of a tip that points along ``angle`` lies: in the middle or further on."""
    on = rng.uniform(-0.1, inside)
    y = shape[0] * (0.5 + on * math.sin(angle) + rng.normal(0, 0.07))
    x = shape[1] * (0.5 + on * math.cos(angle) + rng.normal(0, 0.07))
    return float(np.clip(y, shape[0] * 0.1, shape[0] * 0.9)), float(np.clip(x, shape[1] * 0.1, shape[1] * 0.9))


def _wire(rng: Rng, shape: Shape) -> Scene:
    """Draw an etched wire, from far: shaft, shoulder and needle."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    found = _needle(
        rng,
        scene,
        _place(rng, shape, angle, 0.38),
        angle,
        end=between(rng, 0.5, 2) * unit,
        cone=rng.uniform(0.02, 0.16),
        flare=rng.uniform(0.2, 1.6),
        stop=between(rng, 12, 70) * unit,
        bend=float(rng.normal(0, 0.15)),
    )
    skin(rng, scene, found, along=rng.uniform(0, 1) < 0.6)
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(3, 30)), size=1.5 * unit, on=found.index >= 0)
    return scene


def _cone(rng: Rng, shape: Shape) -> Scene:
    """Draw the end of an etched wire or needle: a slender cone, sharp at this magnification."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    found = _needle(
        rng,
        scene,
        _place(rng, shape, angle),
        angle,
        end=between(rng, 0.6, 6) * unit,
        cone=between(rng, 0.04, 0.5),
        flare=rng.uniform(0, 0.5),
        bend=float(rng.normal(0, 0.1)),
    )
    skin(rng, scene, found, along=True)
    return scene


def _apex(rng: Rng, shape: Shape) -> Scene:
    """Draw the rounded end of a tip, close: a dome on a cone, smooth, faceted, grainy or dirty."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    end = between(rng, 8, 55) * unit
    point = _place(rng, shape, angle, 0.2)
    found = _needle(rng, scene, point, angle, end=end, cone=between(rng, 0.05, 0.4), bend=float(rng.normal(0, 0.1)))
    skin(rng, scene, found, along=rng.random() < 0.3, strength=0.5)
    if rng.random() < 0.6:
        contaminate(
            rng,
            scene,
            (point[0] - end * math.sin(angle) * 0.7, point[1] - end * math.cos(angle) * 0.7),
            end * 0.8,
            found,
        )
    return scene


def _bare_cone(rng: Rng, shape: Shape) -> Scene:
    """Draw a wide cone or a pyramid from the side: a silicon probe without its lever in sight, an emitter, a stylus."""
    scene = empty(rng, shape)
    angle = float(rng.choice([-math.pi / 2, -math.pi / 2, math.pi / 2, rng.uniform(0, 6.3)])) + float(
        rng.normal(0, 0.08)
    )
    unit = shape[1] / 256
    found = _needle(
        rng,
        scene,
        _place(rng, shape, angle, 0.35),
        angle,
        end=between(rng, 0.8, 5) * unit,
        cone=rng.uniform(0.2, 0.7),
        flare=rng.uniform(-0.15, 0.3),
    )
    if rng.random() < 0.5:  # facets instead of a round side
        sides = np.round(np.arcsin(np.clip(found.across, -0.99, 0.99)) * 1.2 + rng.uniform(-0.4, 0.4)) / 1.2
        there = found.index >= 0
        material = scene.yields
        material[there] *= (1 + np.float32(0.18) * np.sin(sides * 2 + 0.4))[there]
    skin(rng, scene, found, along=False)
    return scene


def _broken(rng: Rng, shape: Shape) -> Scene:
    """Draw a tip whose end is gone: a plateau, a melted ball, a hook."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    point = _place(rng, shape, angle, 0.2)
    wide = between(rng, 5, 40) * unit
    how = rng.integers(3)
    behind = scene.yields.copy()
    found = _needle(
        rng,
        scene,
        point,
        angle,
        end=0.3 * unit if how == 0 else wide * 0.5,
        cone=between(rng, 0.08, 0.4),
        flare=0.0,
        bend=float(rng.normal(0, 0.2)),
    )
    _, u = turned(shape, angle, centre=point)
    if how == 0:  # cut off across, the fracture rough
        gone = u > -wide * 1.6 + fbm(rng, shape, wide * 0.6) * np.float32(wide * 0.12)
        scene.height = np.where(gone, np.float32(-probes.FAR * shape[1]), scene.height)
        scene.material = np.where(gone, behind, scene.yields)
    elif how == 1:  # molten
        stamp_max(scene.height, ball(wide, sunk=1.0), *point, material=scene.yields, base=0.0)
    else:  # bent over
        hook = np.column_stack(
            [np.linspace(0, wide * 2.5, 20), np.square(np.linspace(0, 1, 20)) * wide * rng.uniform(-2.5, 2.5)]
        )
        out = (
            point + hook[:, :1] * [math.sin(angle), math.cos(angle)] + hook[:, 1:] * [math.cos(angle), -math.sin(angle)]
        )
        tubes(
            scene.height,
            [np.column_stack([out, np.zeros(20)])],
            [np.linspace(wide * 0.5, wide * 0.2, 20)],
            material=scene.yields,
            values=[1.0],
        )
    skin(rng, scene, found, along=rng.random() < 0.5)
    if rng.random() < 0.5:
        contaminate(rng, scene, point, wide, found)
    return scene


def _pipette(rng: Rng, shape: Shape) -> Scene:
    """Draw a drawn glass capillary or an optical fibre probe: open or flat at its end, straight or bent."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    point = np.array(_place(rng, shape, angle, 0.3))
    end = between(rng, 2, 40) * unit
    s = np.linspace(0, 1.6 * math.hypot(*shape), 80)
    stop = end * between(rng, 1.5, 12)
    radius = np.minimum(
        end + s * rng.uniform(0.005, 0.12) + np.square(s / (150 * unit)) * rng.uniform(0, 10) * unit, stop
    )
    curve = angle + float(rng.choice([0, 0, rng.normal(0, 0.9)])) * (1 - np.exp(-s / (70 * unit)))
    way = np.column_stack([np.sin(curve), np.cos(curve)])
    path = point - np.concatenate([[[0.0, 0.0]], np.cumsum(way[1:] * np.diff(s)[:, None], axis=0)])
    material = scene.yields
    scene.material = material
    found = tubes(scene.height, [np.column_stack([path, np.zeros(len(s))])], [radius], material=material, values=[1.0])
    v, u = turned(shape, angle, centre=(float(point[0]), float(point[1])))
    squash = float(rng.uniform(0.15, 0.6))
    far = np.hypot(u / np.float32(end * squash), v / np.float32(end))
    face = far < 1
    scene.height = np.where(face, np.float32(end * 0.5) - u * np.float32(1.2), scene.height)
    material[face] = 1.05
    hollow = float(rng.uniform(0.35, 0.85))
    if rng.random() < 0.75:
        scene.height = np.where(far < hollow, np.float32(-end * 2), scene.height)
        material[far < hollow] = 0.45
    skin(rng, scene, found, along=False, strength=0.4)
    return scene


def _milled(rng: Rng, shape: Shape) -> Scene:
    """Draw a milled specimen: a needle on a wedge on a post, with the terraces and curtains of the ion beam."""
    scene = empty(rng, shape)
    unit = shape[1] / 256
    tall = between(rng, 40, 130) * unit
    foot = tall * float(rng.uniform(0.12, 0.4))
    post = foot * float(rng.uniform(1.1, 2.5))
    z = np.concatenate([[-tall * 1.2, 0, 0.001], tall * np.array([0.25, 0.5, 0.75, 0.92, 1.0])])
    r = np.concatenate([[post * 1.15, post, foot], foot * np.array([0.72, 0.48, 0.27, 0.13, 0.03])])
    view = camera(float(rng.uniform(0, 6)), math.radians(float(rng.uniform(35, 88))), float(rng.normal(0, 0.08)))
    centre = (shape[0] * float(rng.uniform(0.35, 0.75)), shape[1] * float(rng.uniform(0.35, 0.65)))
    body = lathe(z, r, sides=20)
    if rng.random() < 0.6:  # weld and wedge
        body += slab([(-foot, -foot), (foot, -foot), (foot, foot), (-foot, foot)], -tall * 0.25, tall * 0.2, inset=0.25)
    mask = draw(scene, seen(body, view, 1.0, centre, (0, 0, 0)))
    if rng.random() < 0.6:
        ground = slab([(-400, -400), (400, -400), (400, 400), (-400, 400)], -tall * 2.2, -tall * 1.2)
        draw(scene, seen(ground, view, unit, centre, (0, 0, 0)), float(rng.uniform(0.5, 0.9)))
    lines = line(rng, shape[1], 3)
    scene.height += mask * lines * np.float32(rng.uniform(0, 0.6)) + mask * fbm(rng, shape, 5) * np.float32(
        rng.uniform(0, 0.4)
    )
    return scene


def _row(rng: Rng, shape: Shape) -> Scene:
    """Draw a few posts or emitters in a row or a small square, tilted."""
    unit = shape[1] / 256
    scene = Scene(np.full(shape, -probes.FAR * shape[1], np.float32), np.full(shape, rng.uniform(0.2, 0.5), np.float32))
    pitch = between(rng, 55, 110)
    tall = pitch * float(rng.uniform(0.5, 1.3))
    foot = tall * float(rng.uniform(0.12, 0.4))
    view = camera(float(rng.normal(0, 0.5)), math.radians(float(rng.uniform(25, 72))))
    centre = (shape[0] * float(rng.uniform(0.45, 0.7)), shape[1] / 2)
    floor = slab([(-900, -900), (900, -900), (900, 900), (-900, 900)], -10, 0)
    draw(scene, seen(floor, view, unit, centre, (0, 0, 0)), float(rng.uniform(0.6, 1.0)))
    power = float(rng.uniform(0.7, 2.0))
    t = np.array([0, 0.2, 0.5, 0.8, 1.0])
    r = foot * np.maximum((1 - t) ** power, 0.03)
    gate = rng.random() < 0.35
    rows = int(rng.integers(1, 4))
    half = int((tall + 2 * foot) * unit) + 2
    small = Scene(np.full((2 * half + 1, 2 * half + 1), -np.inf, np.float32))
    draw(small, seen(lathe(t * tall, r, sides=14), view, unit, (half, half), (0, 0, 0)))
    hole = lathe(np.array([0.0, 0.2]), np.array([foot * 2.0, foot * 1.5]), sides=20)
    reach = int(130 / pitch) + 1
    for k in range(rows):
        for j in range(-reach, reach + 1):
            at = (j * pitch + rng.normal(0, 1), (k - (rows - 1) / 2) * pitch * 1.2, 0.0)
            y, x, z = spot(at, view, unit, centre, (0, 0, 0))
            if gate:
                draw(scene, seen(hole, view, unit, (float(y), float(x)), (0, 0, -z / unit)), 0.35)
            stamp_max(scene.height, small.height, y, x, base=float(z), material=scene.yields, value=1.1)
    scene.height += fbm(rng, shape, 8) * np.float32(rng.uniform(0, 0.4))
    return scene


def _blade(rng: Rng, shape: Shape) -> Scene:
    """Draw a cutting edge: two ground facets that meet in a line, with burrs, nicks and grinding marks."""
    angle = float(rng.choice([0, math.pi / 2, rng.uniform(0, 3.1)])) + float(rng.normal(0, 0.1))
    centre = (shape[0] * float(rng.uniform(0.3, 0.7)), shape[1] * float(rng.uniform(0.3, 0.7)))
    v, u = turned(shape, angle, centre=centre)
    nicked = line(rng, 1024, between(rng, 3, 30), octaves=4)
    at = np.clip(u + 512, 0, 1023).astype(np.int32)
    marks = line(rng, 1024, between(rng, 1.5, 6))
    lean = float(rng.uniform(-0.6, 0.6))
    relief = marks[np.clip(u + v * lean + 512, 0, 1023).astype(np.int32)] * np.float32(rng.uniform(0.05, 0.5))
    nick = np.maximum(nicked[at] - np.float32(rng.uniform(0.2, 2)), 0) * np.float32(rng.uniform(0.5, 4))
    v = v - nick * np.exp(-np.abs(v) / np.float32(10))
    edge_on = rng.random() < 0.5
    width = np.float32(between(rng, 20, 120) * shape[1] / 256)
    facet = -np.maximum(v, 0) * np.float32(rng.uniform(0.5, 1.4)) + relief
    behind = empty(rng, shape)
    if edge_on:
        other = np.maximum(-v, 0) * np.float32(-rng.uniform(0.5, 2.0)) + relief
        height = np.where(v > 0, facet, other)
        return Scene(height, np.full(shape, 1.0, np.float32))
    height = np.where(v > width, np.float32(-width * 0.9) - (v - width) * np.float32(0.15) + relief * 0.5, facet)
    there = v > 0
    return Scene(np.where(there, height, behind.height), np.where(there, np.float32(1.0), behind.yields))


def _indenter(rng: Rng, shape: Shape) -> Scene:
    """Draw a pyramid from above or aslant: a diamond indenter, a cube corner, a pyramid probe; alone in the field."""
    unit = shape[1] / 256
    scene = Scene(np.full(shape, -probes.FAR * shape[1], np.float32), np.full(shape, rng.uniform(0.1, 0.5), np.float32))
    sides = int(rng.choice([3, 3, 4, 4, 6]))
    r = between(rng, 45, 260)
    tall = r * float(rng.uniform(0.3, 1.4))
    turn = np.arange(sides) * 2 * math.pi / sides
    outline = [(r * math.cos(t), r * math.sin(t)) for t in turn]
    view = camera(float(rng.uniform(0, 6.3)), math.radians(float(rng.uniform(0, 60))))
    centre = (shape[0] * float(rng.uniform(0.35, 0.65)), shape[1] * float(rng.uniform(0.35, 0.65)))
    body = pyramid(outline, -tall, (0, 0, 0)) + slab(outline, -tall - r, -tall)
    mask = draw(scene, seen(body, view, unit, centre, (0, 0, 0)))
    flat = slab(
        [(-900, -900), (900, -900), (900, 900), (-900, 900)],
        -tall - r * 0.4 - 5,
        -tall - float(rng.uniform(0, 0.4)) * r,
    )
    draw(scene, seen(flat, view, unit, centre, (0, 0, 0)), float(rng.uniform(0.5, 1.1)))
    lines = np.where(
        mask,
        fbm(rng, shape, between(rng, 3, 20)) * np.float32(rng.uniform(0, 0.7)),
        fbm(rng, shape, 10) * np.float32(0.4),
    )
    scene.height += lines
    if rng.random() < 0.6:
        contaminate(rng, scene, centre, between(rng, 3, 16) * unit, None)
    return scene


def _above(rng: Rng, shape: Shape) -> Scene:
    """Draw a needle or an emitter seen nearly along its axis: a bright point on a cone that falls away."""
    unit = shape[1] / 256
    centre = (shape[0] * float(rng.uniform(0.35, 0.65)), shape[1] * float(rng.uniform(0.35, 0.65)))
    v, u = turned(shape, float(rng.uniform(0, 3.1)), centre=centre)
    u = u * np.float32(rng.uniform(0.75, 1))
    far = np.hypot(u, v)
    far = far * (1 + np.float32(0.02) * smooth(rng, shape, 90 * unit))
    end = np.float32(between(rng, 1.5, 30) * unit)
    steep = float(rng.uniform(0.7, 3))
    height = -np.float32(steep) * (np.sqrt(far * far + end * end) - end)
    height -= u * np.float32(rng.normal(0, 0.25) * steep)
    shoulder = between(rng, 60, 400) * unit
    height = np.where(far > shoulder, height - (far - shoulder) * np.float32(3), height)
    angle = np.arctan2(v, u)
    height += (
        np.cos(angle * int(rng.integers(3, 24)) + far * np.float32(0.03))
        * far
        * np.float32(rng.choice([0, rng.uniform(0, 0.03)]))
    )
    height += fbm(rng, shape, between(rng, 3, 25)) * np.float32(rng.uniform(0, 0.45))
    scene = Scene(height.astype(np.float32), np.full(shape, 1.0, np.float32))
    if rng.random() < 0.4:
        contaminate(rng, scene, centre, float(end) + 4 * unit, None)
    return scene


def _topped(rng: Rng, shape: Shape) -> Scene:
    """Draw a tip that carries something: a ball, a grain, a thin tube or wire, a flake."""
    scene = empty(rng, shape)
    angle = _pointing(rng)
    unit = shape[1] / 256
    point = _place(rng, shape, angle, 0.12)
    end = between(rng, 1.5, 12) * unit
    found = _needle(rng, scene, point, angle, end=end, cone=between(rng, 0.08, 0.5), flare=rng.uniform(0, 0.2))
    skin(rng, scene, found, along=rng.random() < 0.4)
    size = end * between(rng, 1.3, 6)
    out = np.array(point)
    way = np.array([math.sin(angle), math.cos(angle)])
    what = rng.integers(3)
    if what == 0:
        stamp_max(
            scene.height, ball(size, sunk=1.0), *(out + way * size * 0.8), material=scene.yields, base=0.0, value=1.1
        )
    elif what == 1:
        stamp_max(
            scene.height,
            lump(rng, size, rough=0.3),
            *(out + way * size * 0.6),
            material=scene.yields,
            base=-size * 0.5,
            value=1.1,
        )
    else:
        long = between(rng, 30, 110) * unit
        tilted = angle + float(rng.normal(0, 0.25))
        t = np.linspace(-0.3, 1, 20)[:, None] * long
        bow = np.square(np.linspace(0, 1, 20))[:, None] * float(rng.normal(0, 8)) * unit
        line = out + t * [math.sin(tilted), math.cos(tilted)] + bow * [math.cos(tilted), -math.sin(tilted)]
        tubes(
            scene.height,
            [np.column_stack([line, np.full(20, end * 0.5)])],
            [between(rng, 0.6, 3) * unit],
            material=scene.yields,
            values=[1.2],
        )
    return scene


def _pair(rng: Rng, shape: Shape) -> Scene:
    """Draw two to four probe needles that meet: contacts, manipulators, a break junction."""
    scene = empty(rng, shape) if rng.random() < 0.5 else probes.plain(rng, shape)
    unit = shape[1] / 256
    number = int(rng.integers(2, 5))
    start = float(rng.uniform(0, 6.3))
    for k in range(number):
        angle = start + k * 2 * math.pi / number + float(rng.normal(0, 0.3))
        near = np.array(shape) / 2 - between(rng, 4, 30) * unit * np.array([math.sin(angle), math.cos(angle)])
        found = _needle(
            rng,
            scene,
            (float(near[0]), float(near[1])),
            angle,
            end=between(rng, 1, 5) * unit,
            cone=rng.uniform(0.05, 0.25),
            stop=between(rng, 15, 45) * unit,
            bend=float(rng.normal(0, 0.2)),
        )
        skin(rng, scene, found, along=True, strength=0.5)
    return scene


_ROWS = [
    ("etched wire", _wire, (5e-6, 1.5e-3)),
    ("slender cone", _cone, (0.5e-6, 100e-6)),
    ("apex", _apex, (50e-9, 10e-6)),
    ("wide cone", _bare_cone, (0.5e-6, 60e-6)),
    ("broken", _broken, (0.3e-6, 60e-6)),
    ("pipette", _pipette, (0.5e-6, 300e-6)),
    ("milled needle", _milled, (0.3e-6, 20e-6)),
    ("few in a row", _row, (1e-6, 100e-6)),
    ("blade", _blade, (0.5e-6, 300e-6)),
    ("pyramid", _indenter, (1e-6, 150e-6)),
    ("from above", _above, (0.1e-6, 30e-6)),
    ("tip that carries", _topped, (0.3e-6, 60e-6)),
    ("needles that meet", _pair, (5e-6, 500e-6)),
    *probes.ROWS,
]

KINDS = kinds(*softened(probes.settled(_ROWS)))
