"""Films of flat grains of very different size, with thin dark borders: perovskites, oxides, annealed metal; for Films.

Against etched grains of a bulk metal: grains are domed or level, not scratched, their borders are grooves of a film, and
small grains, pinholes and left-over plates of a precursor lie between the large ones.
"""

from __future__ import annotations

import numpy as np

from nffa_cli.render.kinds.layers import leaned, specks
from nffa_cli.render.plans import log_uniform, noise
from nffa_cli.render.scene import Array, Scene, Shape, cells, grid, smooth, step, warped

Rng = np.random.Generator


def _mixed_grains(rng: Rng, shape: Shape, scale: float) -> tuple[Array, Array, Array]:
    """Return (border, random number, width of the grain) where some large cells stay whole and others hold small ones."""
    at = warped(rng, shape, scale * float(rng.uniform(0.04, 0.12)), scale * float(rng.uniform(0.5, 0.9)))
    fine = cells(rng, shape, scale=scale, at=at)
    coarse = cells(rng, shape, scale=scale * float(rng.uniform(1.7, 2.8)), at=at)
    whole = coarse.values(rng.random(coarse.count) < rng.uniform(0.15, 0.7))
    border = np.where(whole, coarse.border, np.minimum(fine.border, coarse.border + np.float32(0.08 * scale)))
    one, other = (found.values(rng.standard_normal(found.count).astype(np.float32)) for found in (fine, coarse))
    return border, np.where(whole, other, one), np.where(whole, np.float32(2 * scale), np.float32(scale))


def flat_grains(rng: Rng, shape: Shape) -> Scene:
    """Bright level grains, thin dark grooves; faint differences from grain to grain, steps or a grain of their own."""
    unit = shape[1] / 256
    scale = log_uniform(rng, 9, 42) * unit
    border, chance, size = _mixed_grains(rng, shape, scale)
    groove = float(rng.uniform(0.7, 1.6)) * unit
    edge = np.exp(-np.square(border / np.float32(groove)))
    dome = np.minimum(border / (size * np.float32(0.3)), 1)
    height = np.sqrt(dome) * np.float32(rng.uniform(0, 0.09) * scale) - edge * np.float32(rng.uniform(0.2, 2.2) * unit)
    height += chance * np.float32(rng.uniform(0, 0.35) * unit)
    material = 1 + chance * np.float32(rng.uniform(0.01, 0.09)) - edge * np.float32(rng.uniform(0.1, 0.5))
    rim = np.exp(-np.square((border - np.float32(2.2 * groove)) / np.float32(1.1 * groove)))
    material += rim * np.float32(rng.uniform(-0.03, 0.16))
    if rng.random() < 0.5:
        material += smooth(rng, shape, scale * 0.35) * np.float32(rng.uniform(0, 0.05))
    if rng.random() < 0.3:  # steps of growth on some
        there = (chance > rng.uniform(0, 1)).astype(np.float32)
        height += there * np.floor(border / np.float32(scale * 0.09)) * np.float32(rng.uniform(0.08, 0.3) * unit)
    found = Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))
    if rng.random() < 0.25:
        specks(rng, found, int(rng.integers(2, 20)), float(rng.uniform(0.8, 2.2)) * unit)
    return leaned(rng, found, 0.08)


def holed_grains(rng: Rng, shape: Shape) -> Scene:
    """Such grains with black pinholes where several meet, or bright plates of what did not react along the borders."""
    unit = shape[1] / 256
    scale = log_uniform(rng, 8, 34) * unit
    border, chance, size = _mixed_grains(rng, shape, scale)
    dome = np.sqrt(np.clip(border / (size * np.float32(0.25)), 0, 1))
    height = dome * np.float32(rng.uniform(0.03, 0.14) * scale) + chance * np.float32(0.3 * unit)
    material = 1 + chance * np.float32(rng.uniform(0.01, 0.08))
    meet = smooth(rng, shape, scale * 0.8) - np.float32(1.1) * border / np.float32(scale * 0.25)
    if rng.random() < 0.55:
        hole = step(meet, float(rng.uniform(0.3, 1.0)), 0.25)
        height -= hole * np.float32(rng.uniform(2, 7) * unit)
        material *= 1 - hole * np.float32(rng.uniform(0.3, 0.8))
    else:
        plates = step(meet, float(rng.uniform(0.0, 0.6)), 0.25)
        height += plates * np.float32(rng.uniform(0.3, 2) * unit)
        material += plates * np.float32(rng.uniform(0.2, 0.7))
    height += noise(rng, shape, 3 * unit, octaves=2) * np.float32(rng.uniform(0, 0.12))
    found = Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.5, 1)))
    return leaned(rng, found, 0.15)


def stack_section(rng: Rng, shape: Shape) -> Scene:
    """A broken edge looked at straight: vacuum above, layers of columns, grains or nothing, each even, on a substrate."""
    unit = shape[1] / 256
    rows, columns = shape
    y, x = grid(shape)
    lean = np.float32(rng.normal(0, 0.03))
    down = y - lean * (x - columns / 2)
    height, material = np.zeros(shape, np.float32), np.full(shape, np.float32(rng.uniform(0.15, 0.5)))
    top = float(rng.uniform(0.08, 0.4)) * rows
    level = float(rng.uniform(0, 3)) * unit
    for number in range(int(rng.integers(2, 6))):
        wave = smooth(rng, (1, columns), (1, float(rng.uniform(5, 40)) * unit)) * np.float32(
            rng.uniform(0.1, 2.2) * unit
        )
        here = step(down - np.float32(top) - wave, 0, 1.4)
        thick = log_uniform(rng, 6, 70) * unit
        tone = float(rng.uniform(0.55, 1.5))
        how = rng.random()
        texture = smooth(rng, shape, (4 * unit, 25 * unit)) * np.float32(rng.uniform(0, 0.4) * unit)
        grey = np.full(shape, np.float32(tone))
        if how < 0.4:  # columns
            wide = float(rng.uniform(3.5, 14)) * unit
            found = cells(
                rng, shape, scale=wide, at=warped(rng, shape, 1.0 * unit, 12 * unit), stretch=4, angle=np.pi / 2
            )
            lift = found.values(rng.standard_normal(found.count).astype(np.float32))
            texture = lift * np.float32(rng.uniform(0.2, 1.0) * unit) - np.exp(-found.border) * np.float32(unit)
            grey = grey * (1 + lift * np.float32(rng.uniform(0, 0.1)))
        elif how < 0.7:  # grains
            found = cells(rng, shape, scale=float(rng.uniform(4, 0.3 * thick / unit + 6)) * unit)
            lift = found.values(rng.standard_normal(found.count).astype(np.float32))
            dome = np.sqrt(np.clip(found.border / np.float32(3 * unit), 0, 1))
            texture = lift * np.float32(0.4 * unit) + dome * np.float32(rng.uniform(0.3, 1.8) * unit)
            grey = grey * (1 + lift * np.float32(rng.uniform(0, 0.1)))
        level += float(rng.normal(0.6, 1.2)) * unit
        height = height + ((texture + np.float32(level + 5 * unit * (number == 0))) - height) * here
        material = material + (grey - material) * here
        top += thick
        if top > 0.9 * rows:
            break
    found_scene = Scene(height.astype(np.float32), material.astype(np.float32), shade=float(rng.uniform(0.4, 1)))
    if rng.random() < 0.3:
        specks(rng, found_scene, int(rng.integers(2, 15)), float(rng.uniform(0.8, 2.0)) * unit)
    return found_scene


ROWS = (
    ("flat_grains", flat_grains, (0.8e-6, 30e-6)),
    ("flat_grains_with_holes", holed_grains, (0.8e-6, 30e-6)),
    ("stack_in_section", stack_section, (0.5e-6, 60e-6)),
)
