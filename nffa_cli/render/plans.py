"""Plans of flat things: signed distances of shapes, laid on a sheet layer by layer, and the sheet seen at a tilt.

A distance is in pixels, negative inside the shape; shapes are joined with `numpy.minimum` and cut with ``without``.
A sheet keeps layout coordinates (u to the right, v down, origin at the centre, turned by an angle), so a layout is
written once and drawn turned and tilted. What electrons make of it is not decided here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

from nffa_cli.render.scene import Array, Scene, fbm, lump, stamp_max

Point = tuple[float, float]


@dataclass(slots=True)
class Sheet:
    """A surface under construction.

    ``u``, ``v``, ``height``, ``material`` have the shape of the drawing, which is taller than the picture when it is tilted;
    ``behind`` rows of it lie behind the picture, for what shows of the depths.
    """

    u: Array
    v: Array
    height: Array
    material: Array
    shape: tuple[int, int]
    tilt: float
    behind: int


def sheet(
    shape: tuple[int, int],
    *,
    angle: float = 0.0,
    tilt: float = 0.0,
    relief: float = 0.0,
    depth: float = 0.0,
    perspective: float = 0.0,
    ground: float = 1.0,
    zoom: float = 1.0,
    shift: Point = (0.0, 0.0),
) -> Sheet:
    """Return an empty sheet.

    Parameters
    ----------
    shape
        Of the picture, (rows, columns).
    angle, tilt
        Turn in the plane and tilt towards the viewer, degrees.
    relief, depth
        Greatest height above and below the ground that will be drawn, pixels (room for what leans into the picture).
    perspective
        How much larger the near edge is than the middle, as a fraction.
    ground
        Electron yield of the bare ground.
    zoom, shift
        How much larger the layout is drawn, and where its origin lies from the middle of the picture (x, y; pixels).
    """
    rows, columns = shape
    lean = math.radians(tilt)
    above = math.ceil(depth * math.tan(lean))
    tall = math.ceil(rows / math.cos(lean)) + math.ceil(relief * math.tan(lean)) + above + (2 if tilt else 0)
    tall += -tall % 32 if tilt else 0
    middle = rows / math.cos(lean) / 2 + above
    y = (np.arange(tall, dtype=np.float32) - middle + 0.5)[:, None]
    x = (np.arange(columns, dtype=np.float32) - columns / 2 + 0.5)[None, :]
    near = np.maximum(1 + perspective * y / middle, 0.2)
    x = (x / near - shift[0]) / zoom
    y = np.broadcast_to((y / near - shift[1]) / zoom, (tall, columns))
    turn = math.radians(angle)
    u = (x * math.cos(turn) + y * math.sin(turn)).astype(np.float32)
    v = (y * math.cos(turn) - x * math.sin(turn)).astype(np.float32)
    flat = np.zeros((tall, columns), np.float32)
    return Sheet(u, v, flat, np.full_like(flat, ground), shape, tilt, above)


def cover(distance: Array, wall: float = 1.0) -> Array:
    """Return how much of each pixel lies inside, with a wall ``wall`` pixels wide."""
    return np.clip(0.5 - distance / max(wall, 0.3), 0, 1)


def lay(on: Sheet, distance: Array, thickness: float, bright: float | Array, wall: float = 1.2) -> Array:
    """Put a layer on the sheet (conformal); returns its coverage."""
    inside = cover(distance, wall)
    on.height += inside * np.float32(thickness)
    on.material += inside * (bright - on.material)
    return inside


def fill(on: Sheet, distance: Array, level: float | Array, bright: float | Array, wall: float = 1.2) -> Array:
    """Bring the inside to a height of its own, whatever was there: a pit, a mesa, a floor; returns its coverage."""
    inside = cover(distance, wall)
    on.height += inside * (level - on.height)
    on.material += inside * (bright - on.material)
    return inside


def scene(on: Sheet, *, shade: float = 1.0, charge: Array | None = None) -> Scene:
    """Return the finished sheet as seen by the column: projected along the tilt, near things hiding far ones."""
    rows, columns = on.shape
    tall = on.height.shape[0]
    if not on.tilt:
        return Scene(height=on.height, material=np.maximum(on.material, 0.05), charge=charge, shade=shade)
    lean = math.radians(on.tilt)
    place = (np.arange(tall, dtype=np.float64)[:, None] - on.behind) * math.cos(lean) - on.height * math.sin(lean)
    front = np.minimum.accumulate(place[::-1], axis=0)[::-1]
    gap = 4.0 * (tall + rows) + 4 * float(np.abs(on.height).max())
    offset = np.arange(columns, dtype=np.float64) * gap
    wanted = np.arange(rows, dtype=np.float64)[None, :]
    found = np.searchsorted((front + offset).T.ravel(), (wanted + offset[:, None]).ravel(), side="right") - 1
    column = np.repeat(np.arange(columns), rows)
    row = np.clip(found - column * tall, 0, tall - 2)
    below, above = place[row, column], place[row + 1, column]
    part = np.clip((np.tile(wanted[0], columns) - below) / np.maximum(above - below, 1e-6), 0, 1).astype(np.float32)

    def look(values: Array) -> Array:
        seen = values[row, column] * (1 - part) + values[row + 1, column] * part
        return np.ascontiguousarray(seen.reshape(columns, rows).T)

    return Scene(
        height=look(on.height),
        material=np.maximum(look(on.material), 0.05),
        charge=None if charge is None else look(charge),
        shade=shade,
    )


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a size between ``low`` and ``high``, every factor as likely."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def framing(rng: np.random.Generator, spread: float = 22.0) -> tuple[float, Point]:
    """Return (zoom, shift) of a device that was not put in the middle: ``spread`` pixels off, nearer or farther."""
    return log_uniform(rng, 0.75, 1.9), (float(rng.normal(0, spread)), float(rng.normal(0, 0.7 * spread)))


def noise(rng: np.random.Generator, shape: tuple[int, int], scale: float, *, octaves: int = 4) -> Array:
    """Return fractal noise as ``fbm`` does, of the nearest of few scales: its weights are kept from picture to picture."""
    found: Array = fbm(rng, shape, 2 ** (round(2 * math.log2(max(scale, 1))) / 2), octaves=octaves)
    return found


def waves(
    rng: np.random.Generator,
    shape: tuple[int, int],
    period: float,
    width: float,
    *,
    spread: float = math.pi,
    angle: float = 0.0,
) -> Array:
    """Return noise of one period: waves of random directions, mean 0 and deviation 1.

    Parameters
    ----------
    period, width
        In pixels; how far periods spread, as a fraction.
    spread, angle
        Directions, radians: within ``spread`` about ``angle``.
    """
    rows, columns = (shape[0] + 15) // 16 * 16, (shape[1] + 15) // 16 * 16
    spectrum = np.fft.rfft2(rng.standard_normal((rows, columns)).astype(np.float32))
    ky, kx = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    keep = np.exp(-(((np.hypot(kx, ky) * period - 1) / width) ** 2))
    if spread < math.pi:
        off = np.mod(np.arctan2(ky, kx) - angle + math.pi / 2, math.pi) - math.pi / 2
        keep = keep * np.exp(-((off / spread) ** 2))
    summed = np.fft.irfft2(spectrum * keep, s=(rows, columns))[: shape[0], : shape[1]]
    found: Array = (summed / (summed.std() + 1e-9)).astype(np.float32)
    return found


def orientation(rng: np.random.Generator) -> float:
    """Return how a sample lies, degrees: mostly along an edge of the picture and a little off, else any way."""
    if rng.random() < 0.6:
        return float(rng.choice([0, 90]) + rng.normal(0, 2.5))
    return float(rng.uniform(0, 180))


# --- shapes ---------------------------------------------------------------------------------------------------------


def box(u: Array, v: Array, x: float, y: float, half_width: float, half_height: float, corner: float = 0.0) -> Array:
    """Return a rectangle about (x, y), corners rounded by ``corner``."""
    a = np.abs(u - np.float32(x)) - np.float32(half_width - corner)
    b = np.abs(v - np.float32(y)) - np.float32(half_height - corner)
    if not corner:
        return np.maximum(a, b)
    outside = np.hypot(np.maximum(a, 0), np.maximum(b, 0))
    return outside + np.minimum(np.maximum(a, b), 0) - np.float32(corner)


def disc(u: Array, v: Array, x: float, y: float, radius: float) -> Array:
    """Return a disc about (x, y)."""
    return np.hypot(u - np.float32(x), v - np.float32(y)) - np.float32(radius)


def ring(u: Array, v: Array, x: float, y: float, radius: float, half_width: float) -> Array:
    """Return a ring of middle radius ``radius``."""
    return np.abs(disc(u, v, x, y, radius)) - np.float32(half_width)


def bar(u: Array, v: Array, start: Point, end: Point, half_width: float) -> Array:
    """Return a straight bar with round ends."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    a, b = u - np.float32(x0), v - np.float32(y0)
    along = np.clip((a * np.float32(dx) + b * np.float32(dy)) / np.float32(max(dx * dx + dy * dy, 1e-6)), 0, 1)
    return np.hypot(a - along * np.float32(dx), b - along * np.float32(dy)) - np.float32(half_width)


def route(u: Array, v: Array, points: Sequence[Point], half_width: float) -> Array:
    """Return a lead along ``points``; upright and level pieces keep square corners."""
    found: Array | None = None
    for (x0, y0), (x1, y1) in pairwise(points):
        if abs(x0 - x1) < 1e-6 or abs(y0 - y1) < 1e-6:
            piece = box(
                u, v, (x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) / 2 + half_width, abs(y1 - y0) / 2 + half_width
            )
        else:
            piece = bar(u, v, (x0, y0), (x1, y1), half_width)
        found = piece if found is None else np.minimum(found, piece)
    assert found is not None
    return found


def polygon(u: Array, v: Array, points: Sequence[Point]) -> Array:
    """Return any simple polygon."""
    best = np.full_like(u, 1e12)
    sign = np.ones(u.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        ex, ey = np.float32(x1 - x0), np.float32(y1 - y0)
        a, b = u - np.float32(x0), v - np.float32(y0)
        along = np.clip((a * ex + b * ey) / max(ex * ex + ey * ey, np.float32(1e-6)), 0, 1)
        np.minimum(best, (a - along * ex) ** 2 + (b - along * ey) ** 2, out=best)
        crossing = (b >= 0) != (v - np.float32(y1) >= 0)
        side = ex * b - ey * a > 0
        sign ^= crossing & (side == (ey > 0))
    root = np.sqrt(best)
    return np.where(sign, root, -root)


def taper(u: Array, v: Array, start: Point, end: Point, half_start: float, half_end: float) -> Array:
    """Return a lead that goes from one half width to another, with straight ends."""
    (x0, y0), (x1, y1) = start, end
    length = max(math.hypot(x1 - x0, y1 - y0), 1e-6)
    dx, dy = np.float32((x1 - x0) / length), np.float32((y1 - y0) / length)
    a, b = u - np.float32(x0), v - np.float32(y0)
    along, across = a * dx + b * dy, np.abs(b * dx - a * dy)
    half = half_start + (half_end - half_start) * np.clip(along / np.float32(length), 0, 1)
    return np.maximum(across - half, np.abs(along - np.float32(length / 2)) - np.float32(length / 2))


def stripes(u: Array, period: float, duty: float, phase: float = 0.0) -> Array:
    """Return parallel lines across u, each ``duty`` of the period wide."""
    inside = u / np.float32(period) + np.float32(phase)
    inside -= np.floor(inside)
    return (np.abs(inside - 0.5) - np.float32(duty / 2)) * np.float32(period)


def union(pieces: Iterable[Array]) -> Array:
    """Return all shapes together."""
    found: Array | None = None
    for piece in pieces:
        found = piece if found is None else np.minimum(found, piece)
    assert found is not None
    return found


def without(shape: Array, hole: Array) -> Array:
    """Return a shape less another."""
    return np.maximum(shape, -hole)


def within(*shapes: Array) -> Array:
    """Return what all shapes share."""
    found = shapes[0]
    for shape in shapes[1:]:
        found = np.maximum(found, shape)
    return found


@dataclass(slots=True)
class Lattice:
    """A lattice folded into one cell: coordinates from the cell's centre, and the cell's column and row numbers."""

    x: Array
    y: Array
    column: Array
    row: Array


def lattice(u: Array, v: Array, pitch: float, *, pitch_y: float | None = None, stagger: bool = False) -> Lattice:
    """Fold the plane into the cells of a rectangular lattice; ``stagger`` shifts every other row by half a pitch."""
    tall = pitch if pitch_y is None else pitch_y
    b = v / np.float32(tall)
    row = np.floor(b)
    a = u / np.float32(pitch)
    if stagger:
        a = a + 0.5 * (row % 2)
    column = np.floor(a)
    x = (a - column - 0.5) * np.float32(pitch)
    y = (b - row - 0.5) * np.float32(tall)
    return Lattice(x, y, column.astype(np.int32), row.astype(np.int32))


def hexagons(u: Array, v: Array, pitch: float) -> Lattice:
    """Fold the plane into the (hexagonal) cells of a triangular lattice."""
    one = lattice(u, v, pitch, pitch_y=pitch * math.sqrt(3))
    two = lattice(
        u + np.float32(pitch / 2), v + np.float32(pitch * math.sqrt(3) / 2), pitch, pitch_y=pitch * math.sqrt(3)
    )
    first = one.x**2 + one.y**2 < two.x**2 + two.y**2
    return Lattice(
        np.where(first, one.x, two.x),
        np.where(first, one.y, two.y),
        np.where(first, one.column * 2, two.column * 2 + 1),
        np.where(first, one.row * 2, two.row * 2 + 1),
    )


def lot(rng: np.random.Generator, at: Lattice, low: float, high: float) -> Array:
    """Return a random number for each cell, between ``low`` and ``high``."""
    table = rng.uniform(low, high, 1024).astype(np.float32)
    found: Array = table[(at.column * 37 + at.row * 101) & 1023]
    return found


def rough(rng: np.random.Generator, distance: Array, amplitude: float, scale: float) -> Array:
    """Return a shape with ragged edges: ``amplitude`` pixels, over ``scale`` pixels."""
    found: Array = distance + np.float32(amplitude) * noise(rng, distance.shape, scale, octaves=2)
    return found


# --- lettering ------------------------------------------------------------------------------------------------------

_GLYPHS = {
    "0": "7555557", "1": "2622227", "2": "7117447", "3": "7117117", "4": "5557111", "5": "7447117", "6": "7447557",
    "7": "7112222", "8": "7557557", "9": "7557117", "A": "2555755", "B": "6556556", "C": "3444443", "D": "6555556",
    "E": "7446447", "F": "7446444", "G": "3445553", "H": "5557555", "L": "4444447", "N": "5777755", "P": "6556444",
    "R": "6556655", "T": "7222222", "X": "5522255", "Z": "7112447", "+": "0027200", "-": "0007000", ".": "0000002",
}  # fmt: skip


def lettering(u: Array, v: Array, text: str, x: float, y: float, size: float) -> Array:
    """Return block letters ``size`` pixels tall, beginning at (x, y) (left, top)."""
    bits = np.zeros((9, 4 * len(text) + 1), np.float32)
    for number, letter in enumerate(text):
        for line, code in enumerate(_GLYPHS.get(letter, "0000000")):
            for bit in range(3):
                bits[line + 1, 4 * number + 1 + bit] = int(code) >> (2 - bit) & 1
    pixel = size / 7
    at = np.stack([(v - np.float32(y)) / pixel + 0.5, (u - np.float32(x)) / pixel + 0.5])
    ink = ndimage.map_coordinates(bits, at, order=1, mode="constant")
    found: Array = ((0.5 - ink) * pixel + np.where(ink <= 0, 20, 0)).astype(np.float32)
    return found


# --- what does not belong there -----------------------------------------------------------------------------------


def dust(rng: np.random.Generator, on: Sheet, count: int, size: float) -> None:
    """Scatter irregular grains about ``size`` pixels in radius."""
    tall, wide = on.height.shape
    grains = [
        lump(rng, size * math.exp(rng.normal(0, 0.5)), rough=rng.uniform(0.1, 0.4), flat=rng.uniform(0.4, 0.9))
        for _ in range(min(count, 3))
    ]
    for number in range(count):
        grain, bright = grains[number % 3][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])], rng.uniform(0.7, 1.5)
        y, x = rng.uniform(0, tall), rng.uniform(0, wide)
        stamp_max(on.height, grain, y, x, base=None, material=on.material, value=float(bright))


def soil(rng: np.random.Generator, on: Sheet, amount: float = 1.0) -> None:
    """Now and then: dust, stains, scratches, a box burnt in by an earlier scan, grain of the surface."""
    if rng.random() < 0.45 * amount:
        dust(rng, on, int(rng.integers(1, 14)), rng.uniform(0.8, 3.0))
    if rng.random() < 0.1 * amount:
        dust(rng, on, int(rng.integers(1, 4)), rng.uniform(4, 10))
    if rng.random() < 0.18 * amount:
        on.material *= 1 + np.float32(rng.uniform(0.03, 0.12)) * fbm(
            rng, on.height.shape, rng.uniform(30, 120), octaves=3
        )
    if rng.random() < 0.2 * amount:
        on.height += np.float32(rng.uniform(0.03, 0.15)) * noise(rng, on.height.shape, rng.uniform(2, 8), octaves=2)
    if rng.random() < 0.06 * amount:
        for _ in range(int(rng.integers(1, 5))):
            ends = rng.uniform(-150, 150, 4)
            scratch = bar(on.u, on.v, (ends[0], ends[1]), (ends[2], ends[3]), rng.uniform(0.3, 1.2))
            lay(on, scratch, -rng.uniform(0.3, 2), float(rng.uniform(0.8, 1.3)))
    if rng.random() < 0.08 * amount:
        x, y = rng.uniform(-60, 60, 2)
        burnt = box(on.u, on.v, x, y, rng.uniform(20, 70), rng.uniform(15, 50))
        on.material *= 1 - np.float32(rng.uniform(0.05, 0.2)) * cover(burnt, 2)
