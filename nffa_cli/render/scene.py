"""A scene: what the beam meets, as heights and materials in pixels; and how it is tilted or composed. Not its picture.

The tools to draw one come from ``fields`` (noise, cells), ``shapes`` (objects) and ``tubes`` and are all found here too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from nffa_cli.render.fields import (
    Array,
    Cells,
    Shape,
    blur,
    cells,
    fbm,
    grid,
    normal,
    resample,
    ridged,
    smooth,
    step,
    turned,
    unit,
    warp,
    warped,
)
from nffa_cli.render.shapes import (
    NOWHERE,
    ball,
    cone,
    convex,
    crystal,
    curve,
    disc,
    ellipsoid,
    lump,
    polyhedron,
    prism,
    ring,
    rod,
    rotation,
    scatter,
    stamp_all,
    stamp_max,
    tipped,
    upright,
)
from nffa_cli.render.tubes import Seen, tube, tubes

__all__ = [
    "NOWHERE", "Array", "Cells", "Scene", "Seen", "Shape", "ball", "blur", "cells", "cone", "convex", "crystal", "curve",
    "disc", "ellipsoid", "fbm", "grid", "ground", "lump", "normal", "perspective", "place", "polyhedron", "prism",
    "resample", "ridged", "ring", "rod", "rotation", "scatter", "slopes", "smooth", "stamp_all", "stamp_max", "step",
    "tilt", "tipped", "tube", "tubes", "turned", "unit", "upright", "warp", "warped",
]  # fmt: skip


@dataclass(slots=True)
class Scene:
    """What the beam meets.

    Parameters
    ----------
    height
        (H, W) float32, in pixels as x and y are.
    material
        (H, W) float32: relative yield, about 0.3 to 2; ones when left out.
    charge
        (H, W) float32 added to the signal (a surface that charges; 1 is as bright as flat ground), or None.
    shade
        0 to 1: how far slopes, edges and occlusion count; 1 is a normal secondary-electron picture.
    optics
        False: ``material`` is a finished picture in 0..1 (a drawing, a TEM picture); only grey levels are set.
    """

    height: Array
    material: Array | None = None
    charge: Array | None = None
    shade: float = 1.0
    optics: bool = True

    @property
    def shape(self) -> Shape:
        """(H, W)."""
        return (int(self.height.shape[0]), int(self.height.shape[1]))

    @property
    def yields(self) -> Array:
        """The material, ones when none is given."""
        return np.ones(self.shape, np.float32) if self.material is None else self.material


def ground(rng: np.random.Generator, shape: Shape, rough: float = 0.3, scale: float = 12.0) -> Scene:
    """Return an even substrate with a little roughness (``rough`` px), so that it is never perfectly flat."""
    height = fbm(rng, shape, scale, octaves=4) * np.float32(rough) if rough else np.zeros(shape, np.float32)
    return Scene(height, np.ones(shape, np.float32))


def slopes(height: Array) -> tuple[Array, Array]:
    """Return the derivatives (along y, along x) of ``height``, by central differences."""
    padded = np.pad(height, 1, mode="edge")
    half = np.float32(0.5)
    return (padded[2:, 1:-1] - padded[:-2, 1:-1]) * half, (padded[1:-1, 2:] - padded[1:-1, :-2]) * half


def mapped(scene: Scene, change: Callable[[Array], Array]) -> Scene:
    """Return the scene with ``change`` done to its height, material and charge."""
    return replace(
        scene,
        height=change(scene.height),
        material=None if scene.material is None else change(scene.material),
        charge=None if scene.charge is None else change(scene.charge),
    )


def tilt(scene: Scene, degrees: float) -> Scene:
    """Return the scene seen with the stage tilted by ``degrees`` (0 to 80), the near side at the bottom.

    Heights lean upwards and hide what is behind them, walls that face the viewer are seen, the ground is foreshortened.
    The middle of the scene is kept and enlarged by 1 / cos, so that the picture stays filled; up to 60 degrees looks
    sharp. Heights are measured from the tilted ground.
    """
    if abs(degrees) < 1:
        return scene
    rows, columns = scene.shape
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle_y, middle_x = (rows - 1) / 2, (columns - 1) / 2
    # Whole columns: half a column between a post and its ground would stand there as a ghost of half the height.
    nearest = np.rint(middle_x + (np.arange(columns) - middle_x) * c).astype(np.int64)
    column = np.arange(columns)[None, :]
    fine = 2  # source rows per pixel
    y = np.arange(rows * fine - 1, dtype=np.float32)[:, None] / fine
    taken = scene.height[:, nearest]
    height = np.repeat(taken, fine, axis=0)[: len(y)]
    height[1::fine] = (taken[1:] + taken[:-1]) * np.float32(0.5)
    level = float(np.median(height))
    seen_at = (y - np.float32(middle_y)) * np.float32(c) - (height - np.float32(level)) * np.float32(s)
    near_first = seen_at[::-1]
    front = np.minimum.accumulate(near_first, axis=0)
    out = (np.arange(rows, dtype=np.float32) - np.float32(middle_y)) * np.float32(c * c)
    # How many source rows, counted from the near side, are seen below each output row: a histogram, added up.
    bins = np.clip(np.ceil((front - out[0]) / np.float32(c * c)), 0, rows).astype(np.int64)
    flat = bins * columns + np.arange(columns)
    counts = np.bincount(flat.ravel(), minlength=(rows + 1) * columns).reshape(rows + 1, columns)
    below = counts[::-1].cumsum(axis=0)[::-1][1:]  # rows with front > out
    last = len(y) - 1
    after, before = np.clip(below, 0, last), np.clip(below - 1, 0, last)
    high, low = front[before, column], front[after, column]
    part = np.clip((high - out[:, None]) / np.maximum(high - low, np.float32(1e-4)), 0, 1)
    hidden = near_first[before, column] > high + np.float32(1e-3)  # the foot of a wall is behind something nearer

    def seen(a: Array) -> Array:
        # A wall that faces the viewer lies between a row of its foot and one of its top: it is of what stands there.
        there = np.clip((last - after) // fine, 0, rows - 1)
        return a[there, nearest[column]]

    near, far = height[::-1][before, column], height[::-1][after, column]
    wall = np.minimum(
        far, ((y[::-1, 0][after] - np.float32(middle_y)) * np.float32(c) - out[:, None]) / np.float32(s) + level
    )
    lifted = (np.where(hidden, wall, near + (far - near) * part) - np.float32(level)) / np.float32(c * c)
    tilted = mapped(scene, seen)
    lifted = lifted.astype(np.float32)
    # Columns seen twice leave stripes on slopes: they are smoothed, and cliffs are not.
    tilted.height = lifted + np.clip(blur(lifted, (0.0, 0.6 / c)) - lifted, np.float32(-1.2), np.float32(1.2))
    return tilted


def perspective(scene: Scene, strength: float) -> Scene:
    """Return the scene with its far side (top) made smaller by ``strength`` (0.3: by 30 %), as at low magnification."""
    rows, columns = scene.shape
    y, x = grid(scene.shape)
    depth = 1 - y / np.float32(rows)
    grow = 1 + np.float32(strength) * (depth - 1)
    source_y = np.float32(rows) * (1 - depth * (1 + np.float32(strength) * (depth - 1)))
    source_x = np.float32(columns / 2) + (x - np.float32(columns / 2)) * grow
    return mapped(scene, lambda a: resample(a, source_y, source_x))


def place(background: Scene, scene: Scene, mask: Array) -> Scene:
    """Return ``scene`` where ``mask`` (H, W; 0..1, soft edges allowed) is 1 and ``background`` where it is 0."""
    m = np.asarray(mask, np.float32)

    def mix(a: Array, b: Array) -> Array:
        return a + (b - a) * m

    charge = None
    if background.charge is not None or scene.charge is not None:
        none = np.zeros(scene.shape, np.float32)
        charge = mix(
            none if background.charge is None else background.charge, none if scene.charge is None else scene.charge
        )
    return Scene(
        mix(background.height, scene.height),
        mix(background.yields, scene.yields),
        charge,
        min(background.shade, scene.shade),
    )
