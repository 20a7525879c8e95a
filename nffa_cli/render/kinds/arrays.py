"""Arrays of elements on a lattice: holes, dots, pillars, pyramids and many shapes more; sub-kinds of `patterned`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nffa_cli.render.kind import Draw
from nffa_cli.render.plans import (
    Lattice,
    Sheet,
    bar,
    box,
    cover,
    fill,
    hexagons,
    lattice,
    log_uniform,
    lot,
    noise,
    orientation,
    ring,
    rough,
    scene,
    sheet,
    soil,
    stripes,
    taper,
    within,
    without,
)
from nffa_cli.render.scene import Array, Scene, blur, cells

Rng = np.random.Generator
Shape = tuple[int, int]


def _fold(rng: Rng, on: Sheet, pitch: float) -> Lattice:
    """Return a lattice of any of the usual kinds."""
    chosen = rng.integers(4)
    if chosen == 0:
        return hexagons(on.u, on.v, pitch)
    if chosen == 1:
        return lattice(on.u, on.v, pitch, stagger=True)
    return lattice(on.u, on.v, pitch, pitch_y=pitch * (rng.uniform(0.8, 1.5) if chosen == 2 else 1))


def _flawed(rng: Rng, on: Sheet, at: Lattice, distance: Array) -> Array:
    """Missing elements, a missing row, a region of failure or the edge of the array: each now and then."""
    if rng.random() < 0.25:
        distance = np.where(lot(rng, at, 0, 1) < rng.uniform(0.005, 0.08), np.float32(1e3), distance)
    if rng.random() < 0.12:
        distance = np.where(at.row == rng.integers(-2, 3), np.float32(1e3), distance)
    if rng.random() < 0.12:
        failed = noise(rng, distance.shape, rng.uniform(30, 90), octaves=3) > rng.uniform(0.7, 1.6)
        distance = np.where(failed, np.float32(rng.choice([1e3, 1.0])), distance)
    if rng.random() < 0.22:
        half = on.u if rng.random() < 0.5 else on.v
        distance = within(distance, half * np.float32(rng.choice([-1, 1])) - np.float32(rng.uniform(-10, 75)))
    return distance


def _sink_or_rise(rng: Rng, on: Sheet, distance: Array, size: float, *, sink: float = 0.3) -> None:
    """Make holes or bumps of the elements, flat and bright ones or deep ones."""
    deep = size * log_uniform(rng, 0.03, 0.8)
    if rng.random() < sink:
        fill(on, distance, -deep, rng.uniform(0.4, 1.0), rng.uniform(0.9, 1 + 0.15 * size))
    else:
        fill(on, distance, deep, rng.uniform(0.5, 1.7), rng.uniform(0.9, 1 + 0.15 * size))


def _holes(rng: Rng, shape: Shape) -> Scene:
    pitch = log_uniform(rng, 6, 80)
    deep = pitch * rng.uniform(0.3, 1.0)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, 0, rng.uniform(15, 50)]), depth=deep, relief=4)
    at = _fold(rng, on, pitch)
    radius = np.float32(pitch * rng.uniform(0.2, 0.45)) * lot(rng, at, rng.choice([0.85, 1]), 1)
    squash = rng.choice([1.0, 1.0, rng.uniform(0.6, 1.4)])
    holes = np.hypot(at.x, at.y * np.float32(squash)) - radius
    holes = _flawed(rng, on, at, holes)
    if rng.random() < 0.3:
        holes = rough(rng, holes, pitch * 0.02, pitch * 0.3)
    inside = fill(on, holes, -deep, rng.uniform(0.3, 0.9), rng.uniform(0.9, 1 + 0.1 * pitch))
    if rng.random() < 0.25:
        on.height += blur(inside, 1) * (1 - inside) * np.float32(rng.uniform(0.5, 3))
    soil(rng, on)
    return scene(on)


def _dots(rng: Rng, shape: Shape) -> Scene:
    """Thin discs, often metal on a darker ground."""
    pitch = log_uniform(rng, 5, 70)
    on = sheet(
        shape, angle=orientation(rng), tilt=rng.choice([0, 0, 0, rng.uniform(15, 60)]), ground=rng.uniform(0.4, 0.9)
    )
    at = _fold(rng, on, pitch)
    dots = np.hypot(at.x, at.y) - np.float32(pitch * rng.uniform(0.15, 0.42)) * lot(rng, at, rng.choice([0.8, 1]), 1)
    dots = rough(rng, _flawed(rng, on, at, dots), rng.choice([0, 0.3, pitch * 0.03]), 3 + pitch * 0.2)
    fill(on, dots, rng.uniform(0.3, 0.2 * pitch + 0.5), rng.uniform(0.9, 1.8), rng.uniform(0.9, 2.5))
    soil(rng, on)
    return scene(on)


def _pillars(rng: Rng, shape: Shape) -> Scene:
    """Tall posts, upright, seen from above or at a tilt; straight or tapered."""
    pitch = log_uniform(rng, 9, 70)
    tall, tilt = pitch * rng.uniform(0.4, 2.2), rng.choice([0, rng.uniform(20, 65), rng.uniform(20, 65)])
    on = sheet(shape, angle=orientation(rng), tilt=tilt, relief=tall, perspective=rng.uniform(0, 0.15))
    at = _fold(rng, on, pitch)
    radius = pitch * rng.uniform(0.12, 0.38)
    square = rng.random() < 0.25
    posts = box(at.x, at.y, 0, 0, radius, radius) if square else np.hypot(at.x, at.y) - np.float32(radius)
    posts = _flawed(rng, on, at, posts)
    top = tall * lot(rng, at, rng.choice([0.75, 0.97]), 1)
    fill(on, posts, top, rng.uniform(0.8, 1.5), rng.uniform(0.8, 0.9 * radius + 0.8))
    if rng.random() < 0.3:
        cap = posts + np.float32(radius * 0.25)
        fill(on, cap, top + tall * 0.1, rng.uniform(1.2, 1.8), 0.9)
    soil(rng, on, 0.7)
    return scene(on)


def _cones(rng: Rng, shape: Shape) -> Scene:
    """Cones, moth eyes, sharp or blunt."""
    pitch = log_uniform(rng, 4.5, 50)
    tall, tilt = pitch * rng.uniform(0.5, 1.6), rng.choice([0, rng.uniform(20, 60)])
    on = sheet(shape, angle=orientation(rng), tilt=tilt, relief=tall)
    at = _fold(rng, on, pitch) if rng.random() < 0.3 else hexagons(on.u, on.v, pitch)
    inside = 1 - np.hypot(at.x, at.y) / np.float32(pitch * rng.uniform(0.42, 0.58))
    inside = np.clip(inside, 0, rng.uniform(0.5, 1.0)) * lot(rng, at, rng.uniform(0.6, 1), 1)
    on.height += blur(inside.astype(np.float32) ** np.float32(rng.uniform(0.6, 1.6)) * np.float32(tall), 0.5)
    soil(rng, on, 0.6)
    return scene(on)


def _leaning(rng: Rng, shape: Shape) -> Scene:
    """Soft posts bent over: all one way, at random, or in bundles whose tops stick together."""
    pitch = log_uniform(rng, 11, 40)
    tall, tilt = pitch * rng.uniform(0.8, 1.8), rng.choice([0, rng.uniform(15, 42)])
    on = sheet(shape, angle=orientation(rng), tilt=tilt, relief=tall)
    at = lattice(on.u, on.v, pitch)
    radius = pitch * rng.uniform(0.13, 0.25)
    tip_x, tip_y = rng.uniform(-0.7, 0.7, (2, 16, 16))
    way, together = rng.integers(3), int(rng.choice([2, 4]))
    if way == 1:
        tip_x, tip_y = rng.uniform(-0.8, 0.8) + tip_x * 0.2, rng.uniform(-0.8, 0.8) + tip_y * 0.2
    elif way == 2:
        middle = ((together - 1) / 2 - np.arange(16) % together) * (0.62 if together == 2 else 0.35)
        tip_x, tip_y = middle[None, :] + tip_x * 0.1, middle[:, None] + tip_y * 0.1
    fallen = rng.random((16, 16)) < rng.uniform(0.5, 1.0)
    tips = np.stack([tip_x * fallen, tip_y * fallen]).astype(np.float32).reshape(2, 256)
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            here = ((at.row + b) & 15) * 16 + ((at.column + a) & 15)
            tip_x, tip_y = tips[0].take(here), tips[1].take(here)
            x, y = at.x / np.float32(pitch) - a, at.y / np.float32(pitch) - b
            length = tip_x**2 + tip_y**2
            along = np.clip((x * tip_x + y * tip_y) / (length + 1e-4), 0, 1)
            off = np.hypot(x - along * tip_x, y - along * tip_y) * np.float32(pitch) - np.float32(radius)
            rise = np.where(length < 0.01, 1, along) * (1 - 0.3 * length)
            np.maximum(on.height, cover(off, 1.5) * np.float32(tall) * rise.astype(np.float32), out=on.height)
    soil(rng, on, 0.6)
    return scene(on)


def _lenses(rng: Rng, shape: Shape) -> Scene:
    """Domes, touching or apart."""
    pitch = log_uniform(rng, 9, 80)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(20, 60)]), relief=pitch * 0.5)
    at = _flat = _fold(rng, on, pitch)
    radius = pitch * rng.uniform(0.35, 0.55)
    dome = np.sqrt(np.maximum(1 - (at.x**2 + at.y**2) / np.float32(radius**2), 0))
    dome = np.where(_flawed(rng, on, _flat, -dome) > 0, 0, dome)
    on.height += dome.astype(np.float32) * np.float32(radius * rng.uniform(0.2, 0.9))
    on.material = np.where(dome > 0, np.float32(rng.uniform(0.7, 1.4)), on.material)
    soil(rng, on)
    return scene(on)


def _pyramids(rng: Rng, shape: Shape) -> Scene:
    """Pyramids or pits with four faces, with or without a flat between them."""
    pitch = log_uniform(rng, 8, 90)
    deep = pitch * rng.uniform(0.25, 0.7)
    sink = rng.random() < 0.55
    tilt = rng.choice([0, 0, rng.uniform(15, 55)])
    on = sheet(shape, angle=orientation(rng), tilt=tilt, depth=deep if sink else 0, relief=0 if sink else deep)
    at = lattice(on.u, on.v, pitch, stagger=rng.random() < 0.3)
    faces = np.maximum(np.abs(at.x), np.abs(at.y)) / np.float32(pitch * rng.uniform(0.35, 0.5))
    inside = np.clip(1 - faces, 0, rng.choice([1.0, rng.uniform(0.3, 0.8)]))
    inside = np.where(_flawed(rng, on, at, -inside) > 0, 0, inside) * lot(rng, at, rng.choice([1, 0.8]), 1)
    on.height += blur(inside.astype(np.float32), 0.5) * np.float32(-deep if sink else deep)
    if rng.random() < 0.4:
        on.material += cover((inside <= 0) - np.float32(0.5)) * np.float32(rng.uniform(-0.3, 0.4))
    soil(rng, on)
    return scene(on)


def _triangles(rng: Rng, shape: Shape) -> Scene:
    """Islands left between spheres: small triangles in honeycombs, with the flaws of the mask."""
    pitch = log_uniform(rng, 11, 80)
    on = sheet(
        shape, angle=rng.uniform(0, 60), tilt=rng.choice([0, 0, 0, rng.uniform(20, 50)]), ground=rng.uniform(0.4, 0.9)
    )
    bent_u = on.u + noise(rng, on.u.shape, 60, octaves=2) * np.float32(pitch * rng.choice([0, 0.04, 0.08]))
    at = hexagons(bent_u, on.v, pitch)
    islands = np.float32(pitch * rng.uniform(0.5, 0.56)) - np.hypot(at.x, at.y)
    if rng.random() < 0.5:
        missing = lot(rng, at, 0, 1) < rng.uniform(0.01, 0.08)
        islands = np.where(missing, np.float32(-2), islands)
    if rng.random() < 0.35:
        seam = cells(rng, on.u.shape, scale=rng.uniform(60, 150)).border
        islands = np.minimum(islands, seam - np.float32(pitch * rng.uniform(0.03, 0.15)))
    fill(on, rough(rng, islands, 0.3, 3), rng.uniform(0.5, 3), rng.uniform(1.0, 1.7), 1.2)
    soil(rng, on, 0.7)
    return scene(on)


def _comb_cells(rng: Rng, shape: Shape) -> Scene:
    """Honeycomb or square walls around wells."""
    pitch = log_uniform(rng, 9, 90)
    tall = pitch * rng.uniform(0.2, 0.9)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(15, 50)]), relief=tall)
    wall = rng.uniform(0.03, 0.16) * pitch
    if rng.random() < 0.6:
        at = hexagons(on.u, on.v, pitch)
        x, y = np.abs(at.x), np.abs(at.y)
        inside = np.maximum(x, x * np.float32(0.5) + y * np.float32(math.sqrt(3) / 2)) - np.float32(pitch / 2 - wall)
    else:
        at = lattice(on.u, on.v, pitch, stagger=rng.random() < 0.3)
        inside = box(at.x, at.y, 0, 0, pitch / 2 - wall, pitch / 2 - wall, rng.choice([0, 0.2]) * pitch)
    fill(on, -_flawed(rng, on, at, inside), tall, rng.uniform(0.8, 1.5), rng.uniform(0.9, 2))
    soil(rng, on)
    return scene(on)


Motif = Callable[[Rng, Array, Array, float], Array]


def _cross(rng: Rng, x: Array, y: Array, r: float) -> Array:
    arm = rng.uniform(0.15, 0.35) * r
    return np.minimum(box(x, y, 0, 0, r, arm), box(x, y, 0, 0, arm, r))


def _square(rng: Rng, x: Array, y: Array, r: float) -> Array:
    found = box(x, y, 0, 0, r, r * rng.choice([1, 1, rng.uniform(0.4, 0.9)]), rng.choice([0, 0.2]) * r)
    return np.abs(found) - np.float32(0.15 * r) if rng.random() < 0.25 else found


def _hoop(rng: Rng, x: Array, y: Array, r: float) -> Array:
    found = ring(x, y, 0, 0, 0.8 * r, rng.uniform(0.08, 0.2) * r)
    if rng.random() < 0.3:
        found = np.minimum(found, np.hypot(x, y) - np.float32(0.3 * r))
    return found


def _split(rng: Rng, x: Array, y: Array, r: float) -> Array:
    wide = rng.uniform(0.12, 0.22) * r
    found = (
        ring(x, y, 0, 0, 0.8 * r, wide)
        if rng.random() < 0.5
        else np.abs(box(x, y, 0, 0, 0.8 * r, 0.8 * r)) - np.float32(wide)
    )
    return without(found, box(x, y, 0, -r, rng.uniform(0.1, 0.35) * r, 0.8 * r))


def _triangle(rng: Rng, x: Array, y: Array, r: float) -> Array:
    a = np.abs(x) * np.float32(0.866) + y * np.float32(0.5)
    return np.maximum(a, -y) - np.float32(0.5 * r)


def _bow_tie(rng: Rng, x: Array, y: Array, r: float) -> Array:
    return np.maximum(np.abs(y) - np.abs(x) * np.float32(0.7), np.maximum(np.abs(x) - r, 0.12 * r - np.abs(x)))


def _ell(rng: Rng, x: Array, y: Array, r: float) -> Array:
    arm = rng.uniform(0.15, 0.3) * r
    found = np.minimum(box(x, y, -r + arm, 0, arm, r), box(x, y, 0, r - arm, r, arm))
    return np.minimum(found, box(x, y, r - arm, 0, arm, r)) if rng.random() < 0.3 else found


def _star(rng: Rng, x: Array, y: Array, r: float) -> Array:
    points = rng.integers(3, 7)
    bend = np.cos(np.arctan2(y, x) * points)
    return np.hypot(x, y) - np.float32(r) * (0.7 + np.float32(rng.uniform(0.1, 0.3)) * bend)


def _rods(rng: Rng, x: Array, y: Array, r: float) -> Array:
    turn = rng.uniform(0, math.pi)
    end = (r * 0.8 * math.cos(turn), r * 0.8 * math.sin(turn))
    return bar(x, y, (-end[0], -end[1]), end, rng.uniform(0.15, 0.3) * r)


def _drops(rng: Rng, x: Array, y: Array, r: float) -> Array:
    return taper(x, y, (-r, 0), (r, 0), rng.uniform(0.1, 0.3) * r, rng.uniform(0.4, 0.8) * r)


def _curl(rng: Rng, x: Array, y: Array, r: float) -> Array:
    far, bearing = np.hypot(x, y), np.arctan2(y, x)
    turns = rng.uniform(0.25, 0.4) * r
    arms = stripes(
        far + bearing * np.float32(turns * rng.integers(1, 3) / (2 * math.pi)), turns, rng.uniform(0.35, 0.6)
    )
    return within(arms, far - np.float32(r))


def _motif(element: Motif, low: float = 12) -> Draw:
    """Return a sub-kind that repeats an element."""

    def draw(rng: Rng, shape: Shape) -> Scene:
        pitch = log_uniform(rng, low, 90)
        tilt = rng.choice([0, 0, 0, rng.uniform(15, 55)])
        on = sheet(shape, angle=orientation(rng), tilt=tilt, relief=0.4 * pitch, ground=rng.uniform(0.4, 1.1))
        at = _fold(rng, on, pitch)
        x, y = at.x, at.y
        if rng.random() < 0.25:
            x, y = np.where(at.row % 2 == 0, x, -y), np.where(at.row % 2 == 0, y, x)
        elements = element(rng, x, y, pitch * rng.uniform(0.28, 0.46))
        if rng.random() < 0.3:
            elements = elements + np.float32(pitch) * lot(rng, at, -0.04, 0.04)
        elements = _flawed(rng, on, at, elements.astype(np.float32))
        if rng.random() < 0.3:
            elements = rough(rng, elements, pitch * 0.015, pitch * 0.15)
        _sink_or_rise(rng, on, elements, pitch * 0.5)
        soil(rng, on)
        return scene(on)

    return draw


def _any_motif(rng: Rng, shape: Shape) -> Scene:
    """Rarer elements."""
    element = (_ell, _star, _rods, _drops, _bow_tie)[int(rng.integers(5))]
    return _motif(element)(rng, shape)


def _turning(rng: Rng, shape: Shape) -> Scene:
    """Bars that turn or grow from cell to cell: metasurfaces, gradients."""
    pitch = log_uniform(rng, 9, 40)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, rng.uniform(15, 50)]), relief=pitch * 0.5)
    at = lattice(on.u, on.v, pitch)
    place = at.column * np.float32(rng.normal(0, 0.3)) + at.row * np.float32(rng.normal(0, 0.2))
    if rng.random() < 0.5:
        turn = place
        x, y = at.x * np.cos(turn) + at.y * np.sin(turn), at.y * np.cos(turn) - at.x * np.sin(turn)
        pieces = box(x, y, 0, 0, pitch * 0.38, pitch * rng.uniform(0.1, 0.22))
    else:
        saw = place - np.floor(place)
        pieces = np.hypot(at.x, at.y) - np.float32(pitch) * (0.08 + 0.36 * saw)
    _sink_or_rise(rng, on, pieces.astype(np.float32), pitch)
    soil(rng, on)
    return scene(on)


def _crystal_defect(rng: Rng, shape: Shape) -> Scene:
    """Draw a photonic crystal with a missing row, a cavity or a bend."""
    pitch = log_uniform(rng, 9, 34)
    deep = pitch * rng.uniform(0.3, 0.8)
    on = sheet(shape, angle=orientation(rng), tilt=rng.choice([0, 0, rng.uniform(20, 50)]), depth=deep, relief=2)
    at = hexagons(on.u, on.v, pitch) if rng.random() < 0.7 else lattice(on.u, on.v, pitch)
    holes = np.hypot(at.x, at.y) - np.float32(pitch * rng.uniform(0.25, 0.4))
    way = rng.integers(3)
    if way == 0:
        spared = np.abs(on.v - np.floor(on.v * 0) - (0 if rng.random() < 0.7 else 20)) < pitch * 0.45
    elif way == 1:
        spared = (np.abs(on.v) < pitch * 0.45) & (np.abs(on.u) < pitch * rng.integers(1, 4))
    else:
        bent = np.where(on.u > 0, on.v - on.u * np.float32(1.732), on.v)
        spared = np.abs(bent) < np.where(on.u > 0, pitch * 0.9, pitch * 0.45)
    holes = np.where(spared, np.float32(1e3), holes)
    if rng.random() < 0.4:
        holes = within(holes, np.abs(on.v) - np.float32(rng.uniform(45, 85)))
    fill(on, holes, -deep, rng.uniform(0.3, 0.9), rng.uniform(0.9, 2))
    soil(rng, on)
    return scene(on)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("holes", _holes, (0.5e-6, 300e-6)),
    ("dots", _dots, (0.5e-6, 200e-6)),
    ("pillars", _pillars, (1e-6, 300e-6)),
    ("cones", _cones, (0.6e-6, 50e-6)),
    ("leaning_pillars", _leaning, (1e-6, 300e-6)),
    ("lenses", _lenses, (3e-6, 600e-6)),
    ("pyramids", _pyramids, (1e-6, 200e-6)),
    ("triangles", _triangles, (0.6e-6, 10e-6)),
    ("walls", _comb_cells, (1e-6, 600e-6)),
    ("crosses", _motif(_cross), (1e-6, 200e-6)),
    ("squares", _motif(_square, 8), (1e-6, 500e-6)),
    ("rings", _motif(_hoop), (1e-6, 100e-6)),
    ("split_rings", _motif(_split, 16), (1e-6, 300e-6)),
    ("triangle_array", _motif(_triangle), (1e-6, 200e-6)),
    ("spirals", _motif(_curl, 30), (2e-6, 200e-6)),
    ("other_elements", _any_motif, (1e-6, 200e-6)),
    ("turning_bars", _turning, (1e-6, 60e-6)),
    ("crystal_defect", _crystal_defect, (1e-6, 30e-6)),
)
