"""Objects as height patches, and how they are put on a surface: balls, crystals, rods, lumps, tubes; not fields.

A patch is a float32 array of heights in pixels above the ground it stands on, −inf where the object is not. Putting it
down with the maximum of heights hides what lies below: true occlusion as seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from nffa_cli.render.fields import Array, Shape, fbm

NOWHERE = np.float32(-np.inf)


def _square(r: float, offset: tuple[float, float] = (0.0, 0.0)) -> tuple[Array, Array]:
    """Coordinates (y, x) of a square patch around a body of radius ``r``."""
    half = max(math.ceil(r + 0.5), 1)
    at = np.arange(-half, half + 1, dtype=np.float32)
    return at[:, None] - np.float32(offset[0]), at[None, :] - np.float32(offset[1])


def ellipsoid(a: float, b: float, c: float, angle: float = 0.0, *, sunk: float = 0.0) -> Array:
    """Return an ellipsoid of half axes ``a`` (along ``angle``), ``b`` and ``c`` (up); its middle is at c · (1 − sunk)."""
    y, x = _square(max(a, b))
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    rest = 1 - np.square(u / np.float32(max(a, 0.3))) - np.square(v / np.float32(max(b, 0.3)))
    top = np.float32(c) * (np.sqrt(np.maximum(rest, 0)) + np.float32(1 - sunk))
    return np.where(rest > 0, top, NOWHERE).astype(np.float32)


def ball(r: float, *, sunk: float = 0.0) -> Array:
    """Return a ball of radius ``r`` that lies on the ground, or is ``sunk`` in it by that part of its radius."""
    return ellipsoid(r, r, r, sunk=sunk)


def rotation(rng: np.random.Generator) -> Array:
    """Return a random rotation matrix (3, 3), evenly distributed."""
    q = rng.standard_normal(4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def upright(angle: float) -> Array:
    """Return the rotation by ``angle`` about the vertical axis."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def tipped(angle: float, tip: float) -> Array:
    """Return the rotation that tips a body by ``tip`` towards x and then turns it by ``angle`` about the vertical."""
    c, s = math.cos(tip), math.sin(tip)
    return upright(angle) @ np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


_SIGNS = [(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]
CUBE = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
OCTAHEDRON = [(a / 3**0.5, b / 3**0.5, c / 3**0.5) for a, b, c in _SIGNS]
DODECAHEDRON = [
    tuple(v / (2**0.5) for v in face)
    for face in [(a, b, 0) for a in (-1, 1) for b in (-1, 1)]
    + [(a, 0, b) for a in (-1, 1) for b in (-1, 1)]
    + [(0, a, b) for a in (-1, 1) for b in (-1, 1)]
]
"""Outward unit normals of faces: cube {100}, octahedron {111}, rhombic dodecahedron {110}."""
TETRAHEDRON = [(a / 3**0.5, b / 3**0.5, c / 3**0.5) for a, b, c in _SIGNS if a * b * c > 0]


def prism(sides: int, *, length: float = 1.0, pointed: float = 0.0) -> tuple[Array, Array]:
    """Return (normals, distances) of a prism of ``sides`` and inradius 1, ``length`` its half height along z.

    ``pointed`` > 0 ends it in pyramids whose faces rise at that slope (1: 45 degrees).
    """
    turn = np.arange(sides) * (2 * np.pi / sides)
    walls = np.stack([np.cos(turn), np.sin(turn), np.zeros(sides)], axis=1)
    if not pointed:
        ends = np.array([[0, 0, 1.0], [0, 0, -1.0]])
        return np.concatenate([walls, ends]), np.concatenate([np.ones(sides), [length, length]])
    norm = math.hypot(1.0, pointed)
    caps = [
        np.stack([np.cos(turn) * pointed, np.sin(turn) * pointed, np.full(sides, float(up))], axis=1) / norm
        for up in (1, -1)
    ]
    distances = np.concatenate([np.ones(sides), np.full(2 * sides, (length + pointed) / norm)])
    return np.concatenate([walls, *caps]), distances


def convex(normals: Any, distances: Any, r: float, turn: Array | None = None, *, ground: bool = True) -> Array:
    """Return a convex body given by faces: ``normals`` (F, 3) as (x, y, z) and ``distances`` (F,) in units of ``r``.

    ``turn`` is a rotation (3, 3). With ``ground`` the body lies on the ground; else z = 0 is its middle.
    """
    n = np.asarray(normals, np.float64)
    d = np.broadcast_to(np.asarray(distances, np.float64), (len(n),)) * r
    if turn is not None:
        n = n @ turn.T
    y, x = _square(float(d.max()) * 1.9)
    up, down, side = n[:, 2] > 1e-3, n[:, 2] < -1e-3, np.abs(n[:, 2]) <= 1e-3

    def plane(which: Array) -> Array:
        a, b = -n[which, 0] / n[which, 2], -n[which, 1] / n[which, 2]
        c = d[which] / n[which, 2]
        a, b, c = (k.astype(np.float32)[:, None, None] for k in (a, b, c))
        return a * x + b * y + c

    top = plane(up).min(axis=0)
    bottom = plane(down).max(axis=0)
    inside = top > bottom
    for nx, ny, reach in zip(n[side, 0], n[side, 1], d[side], strict=True):
        inside &= np.float32(nx) * x + np.float32(ny) * y < np.float32(reach)
    if not inside.any():
        return np.full((1, 1), np.float32(r))
    lift = -float(bottom[inside].min()) if ground else 0.0
    return trimmed(np.where(inside, top + np.float32(lift), NOWHERE).astype(np.float32))


def trimmed(patch: Array) -> Array:
    """Return a patch without empty margins, still centred."""
    there = np.isfinite(patch)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    middle = (patch.shape[0] // 2, patch.shape[1] // 2)
    tall = max(middle[0] - rows[0], rows[-1] - middle[0])
    wide = max(middle[1] - columns[0], columns[-1] - middle[1])
    return patch[middle[0] - tall : middle[0] + tall + 1, middle[1] - wide : middle[1] + wide + 1]


def polyhedron(
    rng: np.random.Generator, r: float, faces: int = 14, *, uneven: float = 0.25, flat: float = 1.0
) -> Array:
    """Return an irregular convex grain of about ``faces`` flat faces, turned at random; ``flat`` < 1 makes a plate."""
    n = rng.standard_normal((max(faces, 4), 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    n = np.concatenate([n, CUBE])
    d = 1 + rng.uniform(-uneven, uneven, len(n))
    d[-6:] = 1.15
    squash = np.array([1, 1, max(flat, 0.05)])
    n = n / squash
    length = np.linalg.norm(n, axis=1)
    return convex(
        n / length[:, None], d / length, r, rotation(rng) if flat >= 0.6 else tipped(*rng.uniform(-0.4, 0.4, 2))
    )


def crystal(
    rng: np.random.Generator, r: float, habit: str = "cube", *, cut: float = 0.0, turn: Array | None = None
) -> Array:
    """Return a crystal of a habit: cube, octahedron, dodecahedron, tetrahedron, prism, plate, needle, pyramid.

    ``cut`` 0..1 truncates its corners; ``turn`` None turns it at random (plates and prisms lie mostly flat).
    """
    sides = int(rng.choice([4, 6, 6, 8]))
    flat = tipped(float(rng.uniform(0, 2 * np.pi)), float(rng.normal(0, 0.12)))
    if habit in ("cube", "octahedron", "dodecahedron", "tetrahedron"):
        table = {"cube": CUBE, "octahedron": OCTAHEDRON, "dodecahedron": DODECAHEDRON, "tetrahedron": TETRAHEDRON}
        n = np.array(table[habit], float)
        d = np.ones(len(n)) * {"cube": 0.8, "tetrahedron": 0.55}.get(habit, 0.85)
        if cut:
            others = np.array({"cube": OCTAHEDRON, "octahedron": CUBE}.get(habit, CUBE), float)
            reach = {"cube": 1.386, "octahedron": 1.472, "tetrahedron": 0.95}.get(habit, 1.2)
            n, d = np.concatenate([n, others]), np.concatenate([d, np.full(len(others), reach * (1 - 0.4 * cut))])
        return convex(n, d, r, rotation(rng) if turn is None else turn)
    if habit == "plate":
        n, d = prism(sides, length=float(rng.uniform(0.06, 0.3)))
    elif habit == "pyramid":
        n, d = prism(4, length=0.01, pointed=float(rng.uniform(0.8, 1.6)))
    else:
        long = float(rng.uniform(3.0, 7.0) if habit == "needle" else rng.uniform(1.2, 2.6))
        n, d = prism(sides, length=1.0, pointed=float(rng.choice([0.0, 0.6])))
        d[sides:] = d[sides:] * long
        d = d / long
        flat = flat @ tipped(0.0, np.pi / 2)
    return convex(n, d, r, flat if turn is None else turn)


def lump(rng: np.random.Generator, r: float, *, rough: float = 0.25, flat: float = 0.8, detail: int = 3) -> Array:
    """Return an irregular rounded grain (a potato): an ellipsoid whose outline and surface are roughened."""
    y, x = _square(r * (1.3 + rough))
    angle, aspect = rng.uniform(0, np.pi), rng.uniform(0.6, 1.0)
    u, v = x * np.cos(angle) + y * np.sin(angle), (y * np.cos(angle) - x * np.sin(angle)) / aspect
    shape = (y.shape[0], x.shape[1])
    noise = fbm(rng, shape, max(r * 0.9, 2.0), octaves=detail)
    rest = 1 - (np.square(u) + np.square(v)) / np.float32(r * r) + np.float32(rough) * noise
    top = np.float32(r * flat) * (np.sqrt(np.maximum(rest, 0)) + np.float32(0.6))
    return np.where(rest > 0, top, NOWHERE).astype(np.float32)


def rod(length: float, radius: float, angle: float, *, rise: float = 0.0, round_ends: bool = True) -> Array:
    """Return a lying rod; ``rise`` is how much its far end is higher than its near end (pixels)."""
    y, x = _square(length / 2 + radius)
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    over = np.maximum(np.abs(u) - np.float32(length / 2), 0)
    d2 = np.square(v) + (np.square(over) if round_ends else np.where(over > 0, np.float32(1e9), np.float32(0)))
    rest = np.float32(radius * radius) - d2
    slope = np.float32(rise) * np.clip(u / np.float32(max(length, 1e-3)) + np.float32(0.5), 0, 1)
    return np.where(rest > 0, np.sqrt(np.maximum(rest, 0)) + np.float32(radius) + slope, NOWHERE).astype(np.float32)


def disc(r: float, thick: float, *, dish: float = 0.0) -> Array:
    """Return a flat disc of height ``thick``; ``dish`` > 0 hollows its middle by that part of the height."""
    y, x = _square(r)
    d = np.sqrt(np.square(y) + np.square(x)) / np.float32(max(r, 0.3))
    top = np.float32(thick) * (1 - np.float32(dish) * np.clip(1 - d * d * 1.6, 0, 1))
    return np.where(d < 1, top, NOWHERE).astype(np.float32)


def cone(r: float, tall: float, *, power: float = 1.0, blunt: float = 0.0) -> Array:
    """Return a cone; ``power`` > 1 is a slender spike on a wide foot, ``blunt`` 0..1 cuts its top."""
    y, x = _square(r)
    d = np.sqrt(np.square(y) + np.square(x)) / np.float32(max(r, 0.3))
    top = np.float32(tall) * np.minimum(np.maximum(1 - d, 0) ** np.float32(power), np.float32(1 - blunt))
    return np.where(d < 1, top, NOWHERE).astype(np.float32)


def ring(r: float, thick: float) -> Array:
    """Return a torus of mean radius ``r`` and tube radius ``thick`` that lies on the ground."""
    y, x = _square(r + thick)
    d = np.sqrt(np.square(y) + np.square(x)) - np.float32(r)
    rest = np.float32(thick * thick) - np.square(d)
    return np.where(rest > 0, np.sqrt(np.maximum(rest, 0)) + np.float32(thick), NOWHERE).astype(np.float32)


def stamp_max(
    height: Array,
    patch: Array,
    y: float,
    x: float,
    *,
    base: float | None = 0.0,
    sink: float = 0.4,
    material: Array | None = None,
    value: float = 1.0,
) -> None:
    """Put ``patch`` on ``height`` in place, its middle at (y, x) to the nearest pixel; the higher of the two is seen.

    Parameters
    ----------
    base
        Height that the patch stands on; None lets it rest on what is below: between the highest point under it
        (``sink`` 0) and the mean (``sink`` 1).
    material, value
        Where the patch is seen, ``material`` becomes ``value``.
    """
    top, left = round(y) - patch.shape[0] // 2, round(x) - patch.shape[1] // 2
    first, low = max(top, 0), max(left, 0)
    last, high = min(top + patch.shape[0], height.shape[0]), min(left + patch.shape[1], height.shape[1])
    if first >= last or low >= high:
        return
    under = height[first:last, low:high]
    part = patch[first - top : last - top, low - left : high - left]
    if base is None:
        there = under[part > NOWHERE]
        if not there.size:
            return
        base = float(there.max()) * (1 - sink) + float(there.mean()) * sink
    part = part + np.float32(base)
    if material is not None:
        material[first:last, low:high][part > under] = value
    np.maximum(under, part, out=under)


def stamp_all(
    height: Array,
    patches: Sequence[Array],
    points: Array,
    *,
    base: float | None = 0.0,
    sink: float = 0.4,
    material: Array | None = None,
    values: Array | None = None,
    which: Array | None = None,
) -> None:
    """Put patches at ``points`` (N, 2) as (y, x) in order: the k-th takes patch ``which[k]`` (default k modulo)."""
    for k, (y, x) in enumerate(np.asarray(points, float)):
        patch = patches[int(which[k]) if which is not None else k % len(patches)]
        value = 1.0 if values is None else float(values[k])
        stamp_max(height, patch, y, x, base=base, sink=sink, material=material, value=value)


def scatter(
    rng: np.random.Generator, shape: Shape, radius: float, jitter: float = 1.0, *, margin: float = 0.0
) -> Array:
    """Return points (N, 2) as (y, x), no two nearer than ``radius`` (with ``jitter`` 1), in random order.

    ``jitter`` 1 is a dense random packing (dart throwing), less moves towards a hexagonal lattice, 0 is one.
    ``margin`` extends the field on all sides by that many pixels.
    """
    tall, wide = shape[0] + 2 * margin, shape[1] + 2 * margin
    radius = max(radius, 0.5)
    if jitter < 1:
        rows, columns = int(tall / radius / 0.866) + 2, int(wide / radius) + 2
        y = np.repeat(np.arange(rows) * 0.866, columns) * radius
        x = (np.tile(np.arange(columns), rows) + 0.5 * (np.repeat(np.arange(rows), columns) % 2)) * radius
        points = np.stack([y, x], axis=1) + rng.uniform(-0.5, 0.5, (len(y), 2)) * radius * jitter
        points += rng.uniform(-radius, 0, 2)
    else:
        number = int(tall * wide / radius**2 * 2.2) + 1
        points = rng.uniform((0, 0), (tall, wide), (number, 2))
        points = points[_apart(points, radius)]
    inside = (points[:, 0] >= 0) & (points[:, 0] < tall) & (points[:, 1] >= 0) & (points[:, 1] < wide)
    points = points[inside]
    return points[rng.permutation(len(points))] - margin


def _apart(points: Array, radius: float) -> Array:
    """Which points stay when of each two too near the later one goes (a point that went removes no other)."""
    pairs = cKDTree(points).query_pairs(radius, output_type="ndarray")
    alive = np.ones(len(points), bool)
    settled = np.zeros(len(points), bool)
    while len(pairs):
        blocked = np.zeros(len(points), bool)
        blocked[pairs[:, 1]] = True  # query_pairs gives i < j
        chosen = alive & ~blocked & ~settled
        settled |= chosen
        alive[pairs[chosen[pairs[:, 0]], 1]] = False
        pairs = pairs[alive[pairs].all(axis=1) & ~settled[pairs[:, 0]]]
    return alive


def curve(
    rng: np.random.Generator,
    start: tuple[float, float],
    angle: float,
    length: float,
    *,
    bend: float = 0.1,
    period: float = 40.0,
    step: float = 3.0,
) -> Array:
    """Return a wandering curve (N, 2) as (y, x): its direction varies by ``bend`` radians over ``period`` pixels."""
    number = max(int(length / step), 1) + 1
    turns = rng.standard_normal(max(int(length / period), 1) + 3)
    at = np.linspace(0, len(turns) - 1, number)
    direction = angle + bend * np.interp(at, np.arange(len(turns)), np.cumsum(turns))
    steps = np.stack([np.sin(direction), np.cos(direction)], axis=1) * (length / (number - 1))
    return np.concatenate([[start], np.asarray(start) + np.cumsum(steps[:-1], axis=0)])
