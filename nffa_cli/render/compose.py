"""One rendered picture from a sub-kind: its scene, its crop, its mirror image, what is written on it; not the drawing."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.bars import annotate
from nffa_cli.render.electrons import picture
from nffa_cli.render.fields import Array, Shape, resample, smooth, step
from nffa_cli.render.figures import published
from nffa_cli.render.kind import Kind
from nffa_cli.render.scene import Scene, mapped, place
from nffa_cli.render.wear import worn

ZOOM = 0.35
"""How often a scene is drawn on a larger or smaller field and brought to size, and so has finer or coarser details."""
SMALLEST = 64
"""Least height and width of a picture, in pixels."""
FLIP = 0.5
"""How often a picture is mirrored left to right. Not upside down: tilted samples have their near side at the bottom."""
MIXED = {
    "Biological": 0.05,
    "Fibres": 0.06,
    "Films and Coated Surface": 0.1,
    "Nanowires": 0.05,
    "Particles": 0.06,
    "Porous Sponge": 0.06,
    "Powder": 0.06,
}
"""Labels whose sub-kinds fill a field, and how often a second one of the same label takes a part of it."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendered picture.

    Parameters
    ----------
    image
        (H, W) uint8.
    label, kind
        What it shows: the category and the name of the sub-kind.
    width_m
        How wide the field is, in metres.
    """

    image: Array
    label: str
    kind: str
    width_m: float


def compose(label: str, kinds: Mapping[str, Kind], seed: int, shape: Shape, *, kind: str | None = None) -> Rendering:
    """Return the picture of ``seed``: see ``nffa_cli.render.render``."""
    if min(shape) < SMALLEST:
        raise ValueError(f"a picture of {shape[0]} × {shape[1]} is too small to draw: at least {SMALLEST} × {SMALLEST}")
    rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
    names = sorted(kinds)
    drawn = names[int(rng.integers(len(names)))]
    chosen = kind or drawn
    zoom = float(np.exp(rng.normal(0, 0.16))) if rng.random() < ZOOM else 1.0
    zoom = min(max(zoom, 0.72), 1.35)
    field = (max(round(shape[0] * zoom), SMALLEST), max(round(shape[1] * zoom), SMALLEST))
    scene = kinds[chosen].draw(rng, field)
    if rng.random() < MIXED.get(label, 0.0):
        scene = beside(scene, kinds[names[int(rng.integers(len(names)))]].draw(rng, field), rng)
    scene = fitted(scene, shape)
    if rng.random() < FLIP and scene.optics:
        scene = mapped(scene, lambda a: np.ascontiguousarray(a[:, ::-1]))
    if scene.optics:
        scene = worn(scene, rng)
    image = published(annotate(picture(scene, rng), rng), rng)
    low, high = kinds[chosen].width
    return Rendering(image, label, chosen, float(np.exp(rng.uniform(np.log(low), np.log(high)))))


def beside(scene: Scene, other: Scene, rng: np.random.Generator) -> Scene:
    """Return the scene with a part of the field taken by another one: a sharp or torn border, one higher than the other."""
    if not (scene.optics and other.optics):
        return scene
    wide = scene.shape[1]
    field = smooth(rng, scene.shape, wide * float(rng.uniform(0.5, 1.4)))
    field = field + smooth(rng, scene.shape, wide * float(rng.uniform(0.03, 0.15))) * np.float32(rng.uniform(0, 0.2))
    mask = step(field, float(rng.uniform(0.2, 1.3)), 0.04)
    scene.height = scene.height - np.float32(np.median(scene.height))
    other.height = other.height - np.float32(np.median(other.height) + rng.normal(0, 4))
    return place(scene, other, mask)


def fitted(scene: Scene, shape: Shape) -> Scene:
    """Return the scene at another size, its heights along with it, so that its slopes stay."""
    rows, columns = scene.shape
    if (rows, columns) == shape:
        return scene
    y = (np.arange(shape[0], dtype=np.float32)[:, None] + np.float32(0.5)) * np.float32(rows / shape[0]) - np.float32(
        0.5
    )
    x = (np.arange(shape[1], dtype=np.float32)[None, :] + np.float32(0.5)) * np.float32(
        columns / shape[1]
    ) - np.float32(0.5)
    found = mapped(scene, lambda a: resample(np.asarray(a, np.float32), y, x))
    found.height = found.height * np.float32(shape[1] / columns)
    return found
