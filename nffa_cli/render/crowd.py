"""Crowds: thousands of bodies or wires put into a scene at once, the nearest seen; and heaps that bodies are dropped on.

What ``shapes`` and ``tubes`` do one by one is done here for whole groups with arrays, for powders, particles and
forests. Bodies are balls, ellipsoids or convex solids given by their faces. Not the grounds they lie on (``beds``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.fields import Array, Shape
from nffa_cli.render.scene import Scene

Rng = np.random.Generator
SPACING = np.float32(0.7)
"""Pixels between the points that a wire is sampled at."""
PORTION = 250_000
"""Numbers in one array of a group: more are done in portions, to stay in the cache."""
LOWEST = np.float32(-1e9)


@dataclass(slots=True)
class Crowd:
    """A field that bodies are put on.

    Parameters
    ----------
    height, material
        (H, W) float32, as in a ``Scene``.
    owner
        (H, W) int32: number of the body seen, −1 for the ground.
    """

    height: Array
    material: Array
    owner: Array

    @property
    def shape(self) -> Shape:
        """(H, W)."""
        return (int(self.height.shape[0]), int(self.height.shape[1]))

    def scene(self, *, shade: float = 1.0, charge: Array | None = None) -> Scene:
        """Return what is there as a scene."""
        return Scene(self.height, self.material, charge, shade)


def crowd(bed: Scene) -> Crowd:
    """Return an empty field on a bed, whose arrays are copied."""
    return Crowd(
        np.array(bed.height, np.float32), np.array(bed.yields, np.float32), np.full(bed.shape, -1, np.int32)
    )  # fmt: skip


def splat(on: Crowd, at: Array, top: Array, owner: Array, value: Array, cover: Array | None = None) -> None:
    """Put points on the field: the highest of all at a pixel is seen.

    Parameters
    ----------
    at
        (N,) whole numbers: row × W + column, all inside the field.
    top, owner, value
        (N,): height, number of the body, yield.
    cover
        (N,) 0..1: how much of the pixel is covered; the rest shows what was there (smooth edges of thin wires).
    """
    height, material, owners = on.height.ravel(), on.material.ravel(), on.owner.ravel()
    if cover is not None:
        below = height[at]
        top = below + (top - below) * cover
        value = material[at] + (value - material[at]) * cover
    higher = np.flatnonzero(top > height[at])
    at, top = at[higher], top[higher]
    np.maximum.at(height, at, top)
    seen = np.flatnonzero(top >= height[at])
    at, of = at[seen], higher[seen]
    material[at], owners[at] = value[of], owner[of]


def wires(
    on: Crowd,
    paths: Array,
    radii: float | Array,
    values: float | Array = 1.0,
    *,
    flat: float = 1.0,
    power: float = 0.5,
    first: int = 0,
) -> None:
    """Put wires on the field.

    Parameters
    ----------
    paths
        (N, P, 3): for each of N wires P points (y, x, z), z the height of the axis.
    radii
        A number, (N,), or (N, P) for tapers; what is below 0.3 px counts as that.
    values
        A number, (N,), or (N, P): the yield.
    flat, power
        Height of the section over its half width, and its form: 0.5 round, 0.15 nearly a box.
    first
        Number of the first wire in ``owner``.
    """
    paths = np.asarray(paths, np.float32)
    number, points = paths.shape[:2]
    radii, values = (_spread(a, number, points) for a in (radii, values))
    lengths = np.hypot(*np.moveaxis(np.diff(paths[:, :, :2], axis=1), 2, 0)).sum(axis=1)
    classes = np.ceil(np.log2(np.maximum(lengths, 1.0)) * 1.5).astype(int)
    for size in np.unique(classes):
        chosen = np.flatnonzero(classes == size)
        samples = int(2 ** (size / 1.5) / float(SPACING)) + 2
        portion = max(PORTION // (samples * 8), 1)
        for start in range(0, len(chosen), portion):
            part = chosen[start : start + portion]
            _wires(on, paths[part], radii[part], values[part], samples, flat, power, part + first)


def _spread(a: float | Array, number: int, points: int) -> Array:
    a = np.asarray(a, np.float32)
    return np.broadcast_to(a[:, None] if a.ndim == 1 else a, (number, points))


def _wires(
    on: Crowd, paths: Array, radii: Array, values: Array, samples: int, flat: float, power: float, owner: Array
) -> None:
    """Put wires that take about the same number of samples."""
    rows, columns = on.shape
    at = np.linspace(0, paths.shape[1] - 1, samples, dtype=np.float32)
    low = np.minimum(at.astype(int), paths.shape[1] - 2)
    part = (at - low).astype(np.float32)

    def along(a: Array) -> Array:
        return a[:, low] + (a[:, low + 1] - a[:, low]) * part

    y, x, z, r, value = (along(a) for a in (paths[..., 0], paths[..., 1], paths[..., 2], radii, values))
    # The direction turns evenly from point to point: a jump would leave wedges open on the outer side of bends.
    step_y, step_x = (along(np.gradient(paths[..., axis], axis=1)) for axis in (0, 1))
    norm = np.maximum(np.hypot(step_y, step_x), np.float32(1e-4))
    ny, nx = -step_x / norm, step_y / norm
    r = np.maximum(r, np.float32(0.3))
    near = (y > -r - 1) & (y < rows + r) & (x > -r - 1) & (x < columns + r)
    k = np.broadcast_to(owner.astype(np.int32)[:, None], near.shape)[near]
    y, x, z, r, value, ny, nx = (a[near] for a in (y, x, z, r, value, ny, nx))
    if not len(y):
        return
    classes = np.ceil((r + np.float32(0.5)) / SPACING).astype(np.int32)
    for reach in np.unique(classes):
        c = np.flatnonzero(classes == reach)
        off = np.arange(-reach, reach + 1, dtype=np.float32) * SPACING
        py, px = np.rint(y[c, None] + ny[c, None] * off), np.rint(x[c, None] + nx[c, None] * off)
        away = np.abs((py - y[c, None]) * ny[c, None] + (px - x[c, None]) * nx[c, None])
        cover = np.minimum(r[c, None] + np.float32(0.5) - away, np.minimum(2 * r[c, None], np.float32(1)))
        good = np.nonzero((cover > 0.03) & (py >= 0) & (py < rows) & (px >= 0) & (px < columns))
        sample = c[good[0]]
        place = (py[good] * np.float32(columns) + px[good]).astype(np.intp)
        rest = np.maximum(1 - np.square(away[good] / r[sample]), np.float32(0))
        bulge = np.sqrt(rest) if power == 0.5 else rest ** np.float32(power)
        top = z[sample] + r[sample] * np.float32(flat) * bulge
        splat(on, place, top, k[sample], value[sample], np.minimum(cover[good], 1))


def standing(
    feet: Array, lengths: Array, *, view: float, lean: Array, points: int = 2, bow: Array | None = None
) -> Array:
    """Return the paths (N, P, 3) of wires that grow from a ground seen under an angle.

    Parameters
    ----------
    feet
        (N, 2): where they stand in the picture, (y, x).
    lengths
        (N,) in pixels.
    view
        Tilt of the stage in degrees, 0 (from above) to 80; heights are measured from the tilted ground.
    lean
        (N, 2): sideways part of the direction along the ground, towards the viewer and to the right (0: upright).
    bow
        (N, 2): how far the middle bends out, as a part of the length; needs ``points`` of 4 or more.
    """
    s, c = math.sin(math.radians(view)), math.cos(math.radians(view))
    t = np.linspace(0, 1, points)[None, :]
    up = 1 / np.sqrt(1 + np.square(lean).sum(axis=1))
    along = lengths[:, None] * t
    near, right, high = (along * (up * k)[:, None] for k in (lean[:, 0], lean[:, 1], np.ones(len(feet))))
    if bow is not None:
        sag = t * t * lengths[:, None]
        near, right, high = (
            near + sag * bow[:, :1],
            right + sag * bow[:, 1:],
            high - sag * 0.5 * np.abs(bow).sum(1)[:, None],
        )
    y = feet[:, :1] + near * c - high * s
    depth = near * s + high * c
    return np.stack([y, feet[:, 1:] + right, depth - (y - feet[:, :1]) * (s / max(c, 0.15))], axis=2)


Form = Callable[[Array, Array, Array], tuple[Array, Array]]
"""(v, u, which) -> (top, bottom), in units of the radius; v, u (n, K) from the centre, ``which`` (n,) the bodies."""


def balls(v: Array, u: Array, which: Array) -> tuple[Array, Array]:
    """Balls of radius 1."""
    rest = 1 - v * v - u * u
    top = np.where(rest > 0, np.sqrt(np.maximum(rest, 0)), LOWEST)
    return top, -top


def ellipsoids(axes: Array, turns: Array) -> Form:
    """Return the form of ellipsoids with semi-axes (n, 3), turned by rotations (n, 3, 3)."""
    weights = 1 / np.square(axes)
    q = np.einsum("nik,nk,njk->nij", turns, weights, turns).astype(np.float32)

    def form(v: Array, u: Array, which: Array) -> tuple[Array, Array]:
        m = q[which][:, :, :, None]
        b = m[:, 0, 2] * u + m[:, 1, 2] * v
        c = m[:, 0, 0] * u * u + m[:, 1, 1] * v * v + 2 * m[:, 0, 1] * u * v - 1
        inside = b * b - m[:, 2, 2] * c
        root = np.sqrt(np.maximum(inside, 0))
        out = inside <= 0
        return (
            np.where(out, LOWEST, (root - b) / m[:, 2, 2]),
            np.where(out, -LOWEST, -(root + b) / m[:, 2, 2]),
        )

    return form


def solids(normals: Array, distances: Array) -> Form:
    """Return the form of convex solids: (n, F, 3) normals (x, y, z) and (n, F) distances of the faces."""
    normals, distances = np.asarray(normals, np.float32), np.asarray(distances, np.float32)

    nz = np.where(np.abs(normals[..., 2]) < 1e-3, np.float32(1e-3), normals[..., 2])
    planes = np.stack([distances / nz, -normals[..., 0] / nz, -normals[..., 1] / nz], axis=2)
    upward = nz > 0

    def form(v: Array, u: Array, which: Array) -> tuple[Array, Array]:
        if len(which) == 1:
            all_of = planes[which[0]] @ np.concatenate([np.ones_like(u), u, v])
            up = upward[which[0]]
            top = all_of[up].min(axis=0, initial=np.float32(1e9))[None, :]
            bottom = all_of[~up].max(axis=0, initial=LOWEST)[None, :]
        else:
            top, bottom = np.full(v.shape, 1e9, np.float32), np.full(v.shape, LOWEST)
            for face in range(normals.shape[1]):
                c = planes[which, face]
                plane = c[:, 1:2] * u
                plane += c[:, 2:] * v
                plane += c[:, :1]
                rises = upward[which, face][:, None]
                np.minimum(top, np.where(rises, plane, np.float32(1e9)), out=top)
                np.maximum(bottom, np.where(rises, LOWEST, plane), out=bottom)
        out = top <= bottom
        return np.where(out, LOWEST, top), np.where(out, -LOWEST, bottom)

    return form


def put(
    on: Crowd,
    form: Form,
    points: Array,
    r: Array,
    values: float | Array = 1.0,
    *,
    z: Array | None = None,
    reach: float = 1.0,
    lift: float | Array | None = 1.0,
    first: int = 0,
) -> None:
    """Put bodies on the field, wherever they are: they may run into each other.

    Parameters
    ----------
    points, r, values
        (N, 2) centres (y, x), (N,) radii, and the yields.
    z
        (N,) height of what they stand on; None: the ground at their centre.
    reach
        How many radii a body reaches sideways.
    lift
        Height of the centre above what they stand on, in radii; None: they lie on their lowest point.
    first
        Number of the first body in ``owner``.
    """
    rows, columns = on.shape
    points, r = np.asarray(points, np.float32), np.asarray(r, np.float32)
    values = np.broadcast_to(np.asarray(values, np.float32), r.shape)
    lifts = np.broadcast_to(np.asarray(1.0 if lift is None else lift, np.float32), r.shape)
    near = np.rint(points).astype(np.intp)
    if z is None:
        z = on.height[near[:, 0].clip(0, rows - 1), near[:, 1].clip(0, columns - 1)]
    z = np.asarray(z, np.float32)
    halves = np.ceil(r * np.float32(reach) + np.float32(0.5)).astype(int)
    classes = np.ceil(np.log2(np.maximum(halves, 1)) * 2).astype(int)
    for size in np.unique(classes):
        chosen = np.flatnonzero(classes == size)
        half = int(halves[chosen].max())
        dy, dx = (a.ravel() for a in np.mgrid[-half : half + 1, -half : half + 1])
        portion = max(PORTION // len(dy), 1)
        for start in range(0, len(chosen), portion):
            k = chosen[start : start + portion]
            py, px = near[k, :1] + dy, near[k, 1:] + dx
            v, u = (py - points[k, :1]) / r[k, None], (px - points[k, 1:]) / r[k, None]
            top, bottom = form(v.astype(np.float32), u.astype(np.float32), k)
            base = z[k] + (lifts[k] * r[k] if lift is not None else -np.minimum(bottom.min(axis=1), 0) * r[k])
            good = np.nonzero((top > LOWEST) & (py >= 0) & (py < rows) & (px >= 0) & (px < columns))
            of = k[good[0]]
            splat(
                on,
                py[good] * columns + px[good],
                base[good[0]] + top[good] * r[of],
                (of + first).astype(np.int32),
                values[of],
            )


@dataclass(frozen=True, slots=True)
class Patch:
    """A body ready to be dropped: top and bottom (h, w) in pixels from its centre, mirrored and turned in eight ways.

    Outside the body the top is far below and the bottom far above everything.
    """

    tops: tuple[Array, ...]
    bottoms: tuple[Array, ...]


def patches(form: Form, radii: Array, reach: float = 1.0) -> list[Patch]:
    """Return one patch for each of the bodies of a form, with these radii."""
    found = []
    for k, r in enumerate(np.asarray(radii, float)):
        half = math.ceil(r * reach)
        line = np.arange(-half, half + 1, dtype=np.float32) / np.float32(r)
        size = len(line)
        top, bottom = form(np.repeat(line, size)[None, :], np.tile(line, size)[None, :], np.array([k]))
        pair = [(a.reshape(size, size) * np.float32(r)).astype(np.float32) for a in (top, bottom)]
        tops, bottoms = (tuple(b[::m, ::n] for b in (a, a.T) for m in (1, -1) for n in (1, -1)) for a in pair)
        found.append(Patch(tops, bottoms))
    return found


def drop(
    on: Crowd,
    rng: Rng,
    pool: Sequence[Patch],
    which: Array,
    points: Array,
    *,
    sink: float = 0.3,
    values: Array | None = None,
    first: int = 0,
) -> Array:
    """Drop bodies one after the other: each comes to rest on what lies there already; return their places (N, 2).

    Parameters
    ----------
    pool, which
        Patches, and which of them each body is; they are mirrored and turned at random.
    points
        (N, tries, 2) places (y, x) to fall on: the lowest is taken.
    sink
        0: they touch at one point; 1: they settle onto what is below their middle.
    values
        (N,) yields.
    """
    rows, columns = on.shape
    number = len(which)
    margin = max(patch.tops[0].shape[0] // 2 for patch in pool) + 5
    height = np.pad(on.height, margin, mode="edge")
    owner = np.full(height.shape, -1, np.int32)
    limits = (rows + 2 * margin, columns + 2 * margin)
    places = np.rint(points).astype(np.intp) + margin
    for axis in (0, 1):
        np.clip(places[..., axis], margin - 5, limits[axis] - margin + 4, out=places[..., axis])
    flat = height.ravel()
    at = places[..., 0] * limits[1] + places[..., 1]
    flips = rng.integers(0, 8, number)
    there: Array = np.zeros((number, 2), int)
    for k in range(number):
        patch, flip = pool[which[k]], flips[k]
        top, bottom = patch.tops[flip], patch.bottoms[flip]
        levels = flat[at[k]]
        lowest = levels.argmin()
        y, x = places[k, lowest]
        there[k] = y, x
        half = top.shape[0] // 2
        window = (slice(y - half, y + half + 1), slice(x - half, x + half + 1))
        under = height[window]
        base = (under - bottom).max()
        if sink:
            base += np.float32(sink) * min(levels[lowest] - bottom[half, half] - base, np.float32(0))
        raised = top + base
        seen = raised > under
        np.copyto(under, raised, where=seen)
        np.copyto(owner[window], k, where=seen)
    inner = (slice(margin, margin + rows), slice(margin, margin + columns))
    on.height[...] = height[inner]
    new = owner[inner] >= 0
    if values is not None:
        on.material[new] = np.asarray(values, np.float32)[owner[inner][new]]
    on.owner[new] = owner[inner][new] + first
    return there - margin


def doubled(on: Crowd, rng: Rng, depth: float, *, times: int = 1) -> None:
    """Fill the gaps of a heap with the heap itself ``depth`` px deeper, turned or enlarged: a bed many grains deep."""
    for k in range(times):
        if k == 0:
            turn = (slice(None, None, -1), slice(None, None, -1))
            copies = [a[turn] for a in (on.height, on.material, on.owner)]
        else:
            copies = _enlarged(on, rng, float(rng.uniform(1.2, 1.6)))
        below = copies[0] - np.float32(depth * (k + 1))
        seen = below > on.height
        for mine, copy in zip((on.height, on.material, on.owner), (below, *copies[1:]), strict=True):
            np.copyto(mine, copy.copy(), where=seen)


def _enlarged(on: Crowd, rng: Rng, by: float) -> list[Array]:
    """Return height, material and owner of a part of the field, ``by`` times enlarged and mirrored to fill it."""
    parts = []
    for length in on.shape:
        at = rng.uniform(0, length * (1 - 1 / by)) + np.arange(length, dtype=np.float32) / by
        parts.append(at[:: int(rng.choice([-1, 1]))])
    near = [np.minimum(np.rint(at).astype(np.intp), length - 1) for at, length in zip(parts, on.shape, strict=True)]
    low = [np.minimum(at.astype(np.intp), length - 2) for at, length in zip(parts, on.shape, strict=True)]
    share = [(at - k).astype(np.float32) for at, k in zip(parts, low, strict=True)]
    height = on.height[low[0]] + (on.height[low[0] + 1] - on.height[low[0]]) * share[0][:, None]
    height = height[:, low[1]] + (height[:, low[1] + 1] - height[:, low[1]]) * share[1]
    return [height * np.float32(by), *(a[near[0]][:, near[1]] for a in (on.material, on.owner))]
