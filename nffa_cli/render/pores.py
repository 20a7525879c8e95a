"""Porous solids seen from above: sponges hit at their first solid point, cut bubbles, nets of struts; not their light.

Heights are in pixels, 0 is the uppermost level and depths are negative. ``backdrop`` gives the plain grounds that things
of any category lie on, so that no category owns one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from scipy.spatial import cKDTree

from nffa_cli.render.kind import Draw
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    blur,
    cells,
    ellipsoid,
    fbm,
    grid,
    ridged,
    scatter,
    smooth,
    stamp_all,
    stamp_max,
    step,
    tubes,
    turned,
    warped,
)

Rng = np.random.Generator


def between(rng: Rng, low: float, high: float) -> float:
    """Draw log-uniformly from ``low`` to ``high`` (both positive)."""
    return float(np.exp(rng.uniform(math.log(low), math.log(high))))


def sponge(
    rng: Rng,
    shape: Shape,
    scale: float | tuple[float, float],
    *,
    solid: float = 0.4,
    depth: float = 2.0,
    levels: int = 14,
    cut: bool = False,
) -> Array:
    """Return the height of a bicontinuous solid: 0 at the top, down to about −``depth`` · scale where the beam gets lost.

    A random field in three dimensions (two-dimensional noise whose weights turn with depth) is solid where it is high;
    the beam stops at the first solid point. ``solid`` is the part of the volume that is solid; with ``cut`` the top is
    a level cut through it, else the solid thins out upwards, so that its uppermost parts are round.
    """
    across = min(scale) if isinstance(scale, tuple) else scale
    waves = [(smooth(rng, shape, scale), smooth(rng, shape, scale)) for _ in range(3)]
    pitch = np.array([0.55, 1.0, 1.5]) * 2.2 / across
    threshold = math.sqrt(3) * 2.5 * (0.5 - solid)
    height = np.full(shape, -(depth + 0.7) * across, np.float32)
    open_ = np.ones(shape, bool)
    before = None
    start = 0 if cut else -0.7 * across
    spacing = (depth * across - start) / (levels - 1)
    for z in start + spacing * np.arange(levels):
        field = np.zeros(shape, np.float32)
        for (even, odd), turn in zip(waves, pitch, strict=True):
            field += even * np.float32(math.cos(turn * z)) + odd * np.float32(math.sin(turn * z))
        over = field - np.float32(threshold + (0 if cut else 2.6 * max(0.4 - z / across, 0) ** 2))
        hit = open_ & (over > 0)
        if before is None:
            height[hit] = (1 - np.exp(-2 * over[hit])) * np.float32(across * 0.12)
        else:
            part = over[hit] / np.maximum(over[hit] - before[hit], np.float32(1e-3))
            height[hit] = part * np.float32(spacing) - np.float32(z - start)
        open_ &= ~hit
        before = over
    return height


def bubbles(
    rng: Rng,
    shape: Shape,
    radius: float,
    *,
    spread: float = 0.3,
    overlap: float = 0.05,
    windows: float = 0.0,
    floor: Array | None = None,
    cut: float = 0.5,
) -> Array:
    """Return the height of a solid full of round bubbles, cut level: 0 on the walls, bowls where bubbles were.

    Parameters
    ----------
    radius, spread
        Median radius in pixels and the relative spread of radii (log-normal).
    overlap
        How much nearer than two radii the bubbles stand, as a part: walls between them open.
    windows
        Chance of each bubble to have openings into the bubbles behind it.
    floor
        The surface that is cut, in place of a level one.
    cut
        How far from the middle bubbles may be cut, in radii (1: anywhere).
    """
    height = np.zeros(shape, np.float32) if floor is None else floor.copy()
    deep = np.zeros(shape, np.float32)
    big = radius * math.exp(1.5 * spread)
    points = scatter(rng, shape, 2 * radius * (1 - overlap), 0.75, margin=big)
    tree = cKDTree(points)
    near, _ = tree.query(points, k=2)
    sizes = np.minimum(radius * np.exp(rng.normal(0, spread, len(points))), near[:, 1] * (0.55 + overlap))
    if spread > 0.25:
        extra = scatter(rng, shape, radius * 0.9, margin=radius)
        gap = (np.hypot(*(extra[:, None] - points[None]).transpose(2, 0, 1)) - sizes).min(axis=1)
        extra, gap = extra[gap > radius * 0.12], gap[gap > radius * 0.12]
        points, sizes = np.concatenate([points, extra]), np.concatenate([sizes, np.minimum(gap * 0.9, radius)])
    for (y, x), r in zip(points, sizes, strict=True):
        lift = float(rng.uniform(-cut, cut)) * r
        aspect = float(rng.uniform(0.85, 1.0))
        bowl = ellipsoid(r, r * aspect, r, float(rng.uniform(0, 3.14)), sunk=1.0)
        stamp_max(deep, bowl, y, x, base=lift)
        if windows and rng.random() < windows and r > 4.5:
            for _ in range(int(rng.integers(1, 5))):
                turn, out = rng.uniform(0, 2 * math.pi), r * rng.uniform(0.15, 0.75)
                hole = ball(r * float(rng.uniform(0.12, 0.36)), sunk=1.0)
                stamp_max(deep, hole, y + out * math.sin(turn), x + out * math.cos(turn), base=r * 1.15)
    return np.minimum(height, height - deep) if floor is not None else -deep


def struts(
    rng: Rng,
    shape: Shape,
    scale: float,
    *,
    thick: float = 0.12,
    layers: int = 3,
    jitter: float = 0.8,
    node: float = 1.6,
) -> Array:
    """Return the height of an open-celled foam: nets of struts about ``scale`` px wide behind one another.

    ``thick`` is the half width of a strut in cells; it grows by ``node`` towards the knots.
    """
    height = np.full(shape, -scale * (layers + 0.3), np.float32)
    found = cells(rng, shape, scale=scale, jitter=jitter, at=warped(rng, shape, scale * 0.1, scale))
    wall = np.float32(scale * thick)
    knot = np.clip(found.distance / np.float32(scale * 0.75), 0, 1) ** 3
    half = wall * (np.float32(0.75) + np.float32(node - 0.75) * knot)
    net = np.sqrt(np.maximum(np.square(half) - np.square(found.border), 0))
    net = np.where(found.border < half, net, np.float32(-1e6))
    for layer in range(layers):
        lay = smooth(rng, shape, scale * 1.6) * np.float32(0.28 * scale) - np.float32(layer * scale * 0.8)
        np.maximum(height, TURNS[layer % 4](net) + lay, out=height)
    return height


TURNS: tuple[Callable[[Array], Array], ...] = (
    lambda a: a,
    lambda a: a[::-1, ::-1],
    lambda a: a[:, ::-1],
    lambda a: a[::-1],
)
"""Ways to use one net for several layers: nobody sees that it is the same one."""


def _smooth(rng: Rng, shape: Shape) -> Scene:
    wavy = fbm(rng, shape, shape[1] * 0.6, octaves=2) * np.float32(rng.uniform(0, 1.5))
    return Scene(wavy, np.full(shape, rng.uniform(0.5, 1.1), np.float32))


def _rough(rng: Rng, shape: Shape) -> Scene:
    scale = between(rng, 4, 40)
    height = fbm(rng, shape, scale, octaves=5, gain=0.6) * np.float32(scale * rng.uniform(0.02, 0.12))
    return Scene(height, np.full(shape, rng.uniform(0.5, 1.1), np.float32))


def _tape(rng: Rng, shape: Shape) -> Scene:
    """Carbon tape: dull, with shallow pits and dark blots."""
    blots = fbm(rng, shape, shape[1] * 0.15, octaves=4)
    material = np.float32(rng.uniform(0.35, 0.6)) * (1 + np.float32(0.12) * blots)
    height = fbm(rng, shape, shape[1] * 0.1, octaves=3) * np.float32(rng.uniform(0.3, 2.0))
    pits = scatter(rng, shape, shape[1] * rng.uniform(0.06, 0.25))
    for y, x in pits:
        r = between(rng, 1.0, 1.0 + shape[1] * 0.025)
        dent = ellipsoid(r, r * float(rng.uniform(0.6, 1)), r * 0.5, float(rng.uniform(0, 3)), sunk=1.0)
        stamp_max(height, dent, y, x, base=None)
    return Scene(-height, material.astype(np.float32))


def _scratched(rng: Rng, shape: Shape) -> Scene:
    """Machined or polished metal."""
    angle = float(rng.uniform(0, math.pi))
    v, _ = turned(shape, angle)
    lines = rng.standard_normal(1024).astype(np.float32)
    pitch = between(rng, 0.4, 2.5)
    at = np.clip((v / pitch + 512).astype(np.int32), 0, 1023)
    height = lines[at] * np.float32(rng.uniform(0.1, 0.7)) + fbm(rng, shape, 30) * np.float32(0.5)
    return Scene(height, np.full(shape, rng.uniform(0.7, 1.2), np.float32))


def _pored(rng: Rng, shape: Shape) -> Scene:
    """Draw a track-etched filter membrane."""
    height = fbm(rng, shape, 20) * np.float32(0.3)
    r = between(rng, 1.0, 1.0 + shape[1] * 0.025)
    material = np.full(shape, rng.uniform(0.6, 1.1), np.float32)
    for y, x in rng.uniform(0, 1, (int(rng.integers(10, 120)), 2)) * shape:
        hole = ball(r, sunk=1.0)
        stamp_max(material, np.where(hole > 0, np.float32(5), hole), y, x)
    height[material > 3] -= np.float32(r * 4)
    material[material > 3] = 0.4
    return Scene(height, material)


def _dusty(rng: Rng, shape: Shape) -> Scene:
    scene = _smooth(rng, shape)
    dust(scene, rng, number=int(rng.integers(5, 60)), size=shape[1] * 0.012)
    return scene


def _void(rng: Rng, shape: Shape) -> Scene:
    """Nothing: far below, dark, at most a dim gradient."""
    y, x = grid(shape)
    slope = np.float32(rng.normal(0, 0.12)) * (y / shape[0]) + np.float32(rng.normal(0, 0.12)) * (x / shape[1])
    material = np.clip(np.float32(rng.uniform(0.05, 0.4)) + slope, 0.03, 0.6)
    material = material * (1 + np.float32(rng.uniform(0, 0.15)) * smooth(rng, shape, shape[1] * 0.4))
    return Scene(np.full(shape, -float(shape[1]), np.float32), material.astype(np.float32))


def _creased(rng: Rng, shape: Shape) -> Scene:
    """Draw a foil or a dried layer with folds or cracks."""
    scene = _smooth(rng, shape)
    crest = ridged(rng, shape, shape[1] * rng.uniform(0.2, 0.6), octaves=2)
    scene.height += step(crest, 0.9, 0.12) * np.float32(rng.uniform(-3, 3))
    return scene


BACKDROPS = (_smooth, _smooth, _rough, _tape, _scratched, _pored, _dusty, _creased)


def backdrop(rng: Rng, shape: Shape, *, void: float = 0.0) -> Scene:
    """Return a plain ground of any kind; with the chance ``void`` it is empty space, far below."""
    if rng.random() < void:
        return _void(rng, shape)
    chosen = BACKDROPS[int(rng.integers(len(BACKDROPS)))]
    return chosen(rng, shape)


def dust(scene: Scene, rng: Rng, *, number: int, size: float, on: Array | None = None) -> None:
    """Put small irregular grains on a scene in place; ``on`` (H, W) bool says where they may lie."""
    shape = scene.shape
    material = scene.material if scene.material is not None else np.ones(shape, np.float32)
    scene.material = material
    points = rng.uniform(0, 1, (number, 2)) * shape
    if on is not None and on.any():
        rows, columns = np.nonzero(on)
        pick = rng.integers(0, len(rows), number)
        points = np.stack([rows[pick], columns[pick]], axis=1).astype(float)
    patches = []
    for _ in range(min(number, 8)):
        r = max(size * float(np.exp(rng.normal(0, 0.6))), 0.6)
        patches.append(ellipsoid(r, r * float(rng.uniform(0.5, 1)), r * 0.8, float(rng.uniform(0, 3)), sunk=0.3))
    bright = float(rng.uniform(0.8, 1.6))
    if patches:
        stamp_all(scene.height, patches, points, base=None, material=material, values=np.full(number, bright))


def threads(
    scene: Scene, rng: Rng, number: int, radius: tuple[float, float], *, bright: float = 1.0, bend: float = 0.25
) -> None:
    """Lay a few stray threads over a scene in place."""
    shape = scene.shape
    base = float(np.median(scene.height))
    paths, radii = [], []
    for _ in range(number):
        paths.append(crossing(rng, shape, float(rng.uniform(0, math.pi)), bend=bend))
        radii.append(between(rng, *radius))
    material = scene.material if scene.material is not None else np.ones(shape, np.float32)
    scene.material = material
    tubes(scene.height, paths, radii, base=base, material=material, values=np.full(number, bright))


def crossing(
    rng: Rng, shape: Shape, angle: float, *, bend: float = 0.2, period: float = 60.0, central: float | None = None
) -> Array:
    """Return a smooth path (N, 2) that crosses the whole picture through a random point of it.

    With ``central`` the point is the middle, but for a normal deviation of that part of the picture.
    """
    through = None if central is None else (0.5 + rng.normal(0, central, (1, 2))) * shape
    return crossings(rng, shape, np.array([angle]), bend=bend, period=period, through=through)[0]


def crossings(
    rng: Rng, shape: Shape, angles: Array, *, bend: float = 0.2, period: float = 60.0, through: Array | None = None
) -> list[Array]:
    """Return one such path for each angle, through points (F, 2) or random ones.

    ``bend`` is the change of direction, in radians (one deviation), over ``period`` pixels.
    """
    stride = 4.0
    number = int(1.35 * math.hypot(*shape) / stride)
    knots = int(2 * number * stride / period) + 5
    turns = np.cumsum(rng.normal(0, bend, (knots, len(angles))), axis=0)
    heading = bent(turns, np.linspace(-1, 1, 2 * number + 1))
    heading += angles - heading[number]
    path = np.cumsum(np.stack([np.sin(heading), np.cos(heading)], axis=2) * stride, axis=0)
    path += (rng.uniform(-0.1, 1.1, (len(angles), 2)) * shape if through is None else through) - path[number]
    seen: Array = (np.abs(path - np.array(shape) / 2) < np.array(shape) * 0.6 + 30).all(axis=2)
    seen[number - 1 : number + 2] = True
    first, last = seen.argmax(axis=0), len(seen) - seen[::-1].argmax(axis=0)
    return [path[first[k] : last[k], k] for k in range(len(angles))]


def bent(knots: Array, at: Array) -> Array:
    """Interpolate values, even over −1..1 along the first axis, smoothly at the places ``at`` (cubic B-spline)."""
    place = (at + 1) / 2 * (len(knots) - 3.001)
    low = place.astype(int)
    t = place - low
    weights = np.zeros((len(at), len(knots)))
    rows = np.arange(len(at))
    taps = ((1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6, (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6)
    for k, tap in enumerate(taps):
        weights[rows, low + k] = tap
    return weights @ knots


def line(rng: Rng, number: int, scale: float, *, octaves: int = 3, gain: float = 0.6) -> Array:
    """Return noise along a line: ``number`` values of mean 0 and deviation about 1 that change over ``scale`` of them."""
    at = np.arange(number)
    total = np.zeros(number, np.float32)
    for octave in range(octaves):
        step = max(scale / 2**octave, 1.0)
        knots = rng.standard_normal(int(number / step) + 3)
        total += np.interp(at / step, np.arange(len(knots)), knots).astype(np.float32) * np.float32(gain**octave)
    return total * np.float32(1.3 * math.sqrt((1 - gain**2) / (1 - gain ** (2 * octaves))))


def softened(rows: Iterable[tuple[str, Draw, tuple[float, float]]]) -> Iterator[tuple[str, Draw, tuple[float, float]]]:
    """Go through a table of sub-kinds and smooth the stairs of pixels out of what they draw: a picture is a mean of them."""

    def drawn(draw: Draw) -> Draw:
        def soft(rng: Rng, shape: Shape) -> Scene:
            scene = draw(rng, shape)
            scene.height = blur(scene.height, 0.5)
            return scene

        return soft

    for name, draw, width in rows:
        yield name, drawn(draw), width
