"""What sub-kinds of ``films`` share: the tilt of a film, places inside its grains, specks and pits; no picture itself."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.scene import Array, Cells, Scene, grid, lump, stamp_max, tilt

Rng = np.random.Generator


def leaned(rng: Rng, flat: Scene, chance: float = 0.3) -> Scene:
    """Return the film as it lies, or, with ``chance``, seen at a tilt of 15 to 60 degrees."""
    return tilt(flat, float(rng.uniform(15, 60))) if rng.random() < chance else flat


def middles(field: Cells) -> tuple[Array, Array]:
    """Return (y, x) of each pixel from the centre of mass of its cell."""
    y, x = np.broadcast_arrays(*grid(field.label.shape))
    flat = field.label.ravel()
    size = np.maximum(np.bincount(flat, minlength=field.count), 1)
    mean_y = np.bincount(flat, y.ravel(), field.count) / size
    mean_x = np.bincount(flat, x.ravel(), field.count) / size
    return y - field.values(mean_y.astype(np.float32)), x - field.values(mean_x.astype(np.float32))


def specks(rng: Rng, film: Scene, count: int, size: float, *, hole: bool = False) -> None:
    """Put grains about ``size`` pixels in radius on a film, or holes in it; in place."""
    rows, columns = film.shape
    material = film.yields
    film.material = material
    rough = rng.uniform(0.0, 0.35)
    shapes = [lump(rng, size * math.exp(rng.normal(0, 0.4)), rough=rough, flat=rng.uniform(0.3, 0.9)) for _ in range(4)]
    bright = float(rng.uniform(0.7, 1.5))
    for _ in range(count):
        grain = shapes[int(rng.integers(4))][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
        y, x = rng.uniform(0, rows), rng.uniform(0, columns)
        if not hole:
            stamp_max(film.height, grain, y, x, base=None, material=material, value=bright)
            continue
        top, left = int(y) - grain.shape[0] // 2, int(x) - grain.shape[1] // 2
        window = film.height[max(top, 0) : top + grain.shape[0], max(left, 0) : left + grain.shape[1]]
        part = grain[max(-top, 0) :, max(-left, 0) :][: window.shape[0], : window.shape[1]]
        window -= np.maximum(part, 0)
