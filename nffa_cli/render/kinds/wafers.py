"""A wafer, the metal of its process, and what is measured between electrodes; parts of the sub-kinds of ``mems``."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.plans import (
    Sheet,
    bar,
    cover,
    framing,
    lay,
    log_uniform,
    noise,
    orientation,
    polygon,
    rough,
    sheet,
    within,
)
from nffa_cli.render.scene import Array

Rng = np.random.Generator
Shape = tuple[int, int]


def wafer(rng: Rng, shape: Shape, *, relief: float = 12.0) -> Sheet:
    """Return a wafer: turned a little, now and then tilted, of any grey."""
    tilt = rng.choice([0, 0, 0, rng.uniform(10, 60)])
    zoom, shift = framing(rng)
    return sheet(
        shape, angle=orientation(rng), tilt=tilt, relief=relief, ground=rng.uniform(0.4, 1.1), zoom=zoom, shift=shift
    )


def metal(rng: Rng, on: Sheet, parts: Array) -> Array:
    """Lay a metal film with the edges of its process: clean, ragged, or with ears of the lift-off."""
    if rng.random() < 0.3:
        parts = rough(rng, parts, rng.uniform(0.2, 0.9), rng.uniform(3, 10))
    level, thick = rng.uniform(0.7, 1.8), log_uniform(rng, 0.2, 5)
    if abs(level - float(on.material.flat[0])) < 0.2:
        thick += 1.5
    covered = lay(on, parts, thick, level, rng.uniform(0.9, 2.0))
    if rng.random() < 0.2:
        ears = cover(np.abs(parts) - 0.7, 1.2) * (noise(rng, parts.shape, rng.uniform(5, 30)) > rng.uniform(-0.5, 0.8))
        on.height += ears * np.float32(rng.uniform(0.5, 2.5))
        on.material += ears * np.float32(0.2)
    if rng.random() < 0.25:
        grain = noise(rng, parts.shape, rng.uniform(2, 4), octaves=2)
        on.height += covered * grain * np.float32(rng.uniform(0.03, 0.18))
    return covered


def _flake(rng: Rng, on: Sheet, x: float, y: float, size: float) -> Array:
    """Return an exfoliated flake: an irregular polygon with straight sides."""
    corners = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(4, 8))))
    far = size * rng.uniform(0.5, 1.1, len(corners))
    return polygon(on.u, on.v, [(x + f * math.cos(a), y + f * math.sin(a)) for a, f in zip(corners, far, strict=True)])


def sample_between(rng: Rng, on: Sheet, length: float) -> None:
    """Put what is measured between electrodes: a wire, a flake, a tube, a tangle, or nothing."""
    chosen = rng.integers(5)
    if chosen == 0:
        turn = rng.normal(0, 0.25)
        end = (length * math.cos(turn), length * math.sin(turn))
        wire = bar(on.u, on.v, (-end[0], -end[1]), end, rng.uniform(0.6, 2.5))
        radius = np.maximum(-wire, 0)
        on.height += np.minimum(radius * 2, 4)
        on.material += cover(wire) * (np.float32(rng.uniform(1.0, 1.7)) - on.material)
    elif chosen == 1:
        flake = _flake(rng, on, rng.normal(0, 6), rng.normal(0, 6), length * rng.uniform(0.4, 0.9))
        lay(on, flake, rng.uniform(0.1, 1.5), rng.uniform(0.4, 1.3), 1.2)
    elif chosen == 2:
        bend = np.float32(rng.uniform(2, 12)) * np.sin(on.u * np.float32(rng.uniform(0.01, 0.06)) + rng.uniform(0, 6))
        thread = within(np.abs(on.v - bend) - np.float32(0.6), np.abs(on.u) - np.float32(length))
        on.material += cover(thread) * np.float32(rng.uniform(0.2, 0.8))
    elif chosen == 3:
        for _ in range(int(rng.integers(3, 9))):
            middle, turn = rng.normal(0, length * 0.35, 2), rng.uniform(0, math.pi)
            half = length * rng.uniform(0.15, 0.5)
            dx, dy = half * math.cos(turn), half * math.sin(turn)
            wire = bar(on.u, on.v, (middle[0] - dx, middle[1] - dy), (middle[0] + dx, middle[1] + dy), 0.8)
            lay(on, wire, 1.5, rng.uniform(0.9, 1.5))
