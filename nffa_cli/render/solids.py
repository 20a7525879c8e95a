"""Solids of plane faces seen from any side: boxes, slabs, pyramids, bodies turned on a lathe; not what they stand for.

A solid is a list of convex faces, each (K, 3) corners as (x, y, z), counter-clockwise seen from outside. ``seen`` turns
solids before the column; ``draw`` keeps the nearest of them in each pixel. Heights come out in pixels towards the viewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nffa_cli.render.scene import Array, Scene

Face = Array
"""(K, 3) corners of a convex plane polygon."""


def camera(turn: float, lean: float, roll: float = 0.0) -> Array:
    """Return the rotation (3, 3) of a solid: ``turn`` about its z, then leant back by ``lean``, rolled in the picture.

    ``lean`` 0 looks down on z, π/2 looks from the side with z upwards in the picture.
    """
    c, s = math.cos(turn), math.sin(turn)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = math.cos(lean), math.sin(lean)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    c, s = math.cos(roll), math.sin(roll)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ about_x @ about_z


def seen(
    faces: Sequence[Face], view: Array, scale: float, centre: tuple[float, float], about: Sequence[float]
) -> list[Face]:
    """Return faces as (y, x, height) in pixels: the point ``about`` of the solid comes to ``centre`` (y, x)."""
    sizes = [len(face) for face in faces]
    points = (np.concatenate(faces) - np.asarray(about)) @ view.T * scale
    flat = np.column_stack([centre[0] + points[:, 1], centre[1] + points[:, 0], points[:, 2]])
    return np.split(flat, np.cumsum(sizes)[:-1])


def spot(
    point: Sequence[float], view: Array, scale: float, centre: tuple[float, float], about: Sequence[float]
) -> Array:
    """Return where one point of a solid is seen: (y, x, height)."""
    found: Array = seen([np.asarray([point], float)], view, scale, centre, about)[0][0]
    return found


def draw(scene: Scene, faces: Sequence[Face], value: float = 1.0) -> Array:
    """Draw seen faces on a scene in place, the nearest in front; return where they are seen, (H, W) bool."""
    height = scene.height
    material = scene.yields
    scene.material = material
    mask = np.zeros(scene.shape, bool)
    for corners in faces:
        a, b = corners[1] - corners[0], corners[2] - corners[0]
        nz = a[1] * b[0] - a[0] * b[1]
        if nz < 1e-6:  # turned away
            continue
        top, left = np.maximum(np.floor(corners[:, :2].min(axis=0)).astype(int), 0)
        low, right = np.minimum(np.ceil(corners[:, :2].max(axis=0)).astype(int) + 1, scene.shape)
        if top >= low or left >= right:
            continue
        y = np.arange(top, low, dtype=np.float32)[:, None]
        x = np.arange(left, right, dtype=np.float32)[None, :]
        following = np.roll(corners, -1, axis=0)
        inside = None
        for p, q in zip(corners, following, strict=True):
            side = (y - np.float32(p[0])) * np.float32(q[1] - p[1]) - (x - np.float32(p[1])) * np.float32(q[0] - p[0])
            inside = side >= -1e-3 if inside is None else inside & (side >= -1e-3)
        slope_x, slope_y = _plane(corners)
        z = (
            np.float32(corners[0, 2])
            + slope_x * (x - np.float32(corners[0, 1]))
            + slope_y * (y - np.float32(corners[0, 0]))
        )
        part = height[top:low, left:right]
        nearer = inside & (z > part)
        part[nearer] = z[nearer]
        material[top:low, left:right][nearer] = value
        mask[top:low, left:right] |= nearer
    return mask


def _plane(corners: Array) -> tuple[np.float32, np.float32]:
    """Return the slopes (along x, along y) of the plane through the first three corners."""
    a, b = corners[1] - corners[0], corners[2] - corners[0]
    whole = a[1] * b[0] - a[0] * b[1]
    return np.float32((a[2] * b[0] - a[0] * b[2]) / whole), np.float32((a[1] * b[2] - a[2] * b[1]) / whole)


def _turning_left(outline: Sequence[tuple[float, float]]) -> Array:
    """Return an outline (N, 2) in the order in which it runs counter-clockwise."""
    points = np.asarray(outline, float)
    following = np.roll(points, -1, axis=0)
    area = np.sum(points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1])
    return points if area > 0 else points[::-1]


def slab(outline: Sequence[tuple[float, float]], low: float, high: float, *, inset: float = 0.0) -> list[Face]:
    """Return a plate with a convex outline in x, y between two heights; ``inset`` draws its top in towards the middle."""
    base = _turning_left(outline)
    middle = base.mean(axis=0)
    upper = middle + (base - middle) * (1 - inset)
    top = np.column_stack([upper, np.full(len(base), high)])
    bottom = np.column_stack([base, np.full(len(base), low)])
    sides = [
        np.array([bottom[k], bottom[(k + 1) % len(base)], top[(k + 1) % len(base)], top[k]]) for k in range(len(base))
    ]
    return [top, bottom[::-1], *sides]


def pyramid(outline: Sequence[tuple[float, float]], low: float, apex: Sequence[float]) -> list[Face]:
    """Return a pyramid on a convex outline at height ``low``."""
    base = np.column_stack([_turning_left(outline), np.full(len(outline), low)])
    return [np.array([base[k], base[(k + 1) % len(base)], np.asarray(apex, float)]) for k in range(len(base))]


def lathe(heights: Array, radii: Array, *, sides: int = 22, foot: Sequence[float] = (0.0, 0.0, 0.0)) -> list[Face]:
    """Return a body of revolution about the vertical through ``foot``, from the lowest ring to the highest."""
    turn = np.arange(sides + 1) * (2 * math.pi / sides)
    rings = [
        np.column_stack([r * np.cos(turn), r * np.sin(turn), np.full(sides + 1, z)]) + np.asarray(foot, float)
        for z, r in zip(heights, radii, strict=True)
    ]
    faces = []
    for lower, upper in pairwise(rings):
        faces += [np.array([lower[k], lower[k + 1], upper[k + 1], upper[k]]) for k in range(sides)]
    faces.append(rings[-1][:-1])
    return faces
