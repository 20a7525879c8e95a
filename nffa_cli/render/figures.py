"""What happens to a picture on its way into a paper: sharpened, a margin, an inset, words on it; not its data bar."""

from __future__ import annotations

import numpy as np

from nffa_cli.render.bars import write
from nffa_cli.render.fields import Array, blur, resample

SHARPENED, INSET, MARGIN, CAPTION = 0.1, 0.05, 0.04, 0.05
"""How often each happens."""
WORDS = (
    "substrate",
    "RIE",
    "SiO2",
    "film",
    "Au",
    "as grown",
    "annealed",
    "tip",
    "300 K",
    "5 min",
    "top view",
    "defect",
)


def published(image: Array, rng: np.random.Generator) -> Array:
    """Return the picture (H, W) uint8 as people show it; mostly as it is."""
    draws = rng.random(4)
    if (draws >= (SHARPENED, INSET, MARGIN, CAPTION)).all():
        return image
    level = image.astype(np.float32)
    if draws[0] < SHARPENED:
        level = level + (level - blur(level, float(rng.uniform(0.7, 2.0)))) * np.float32(rng.uniform(0.4, 1.8))
    if draws[1] < INSET:
        _inset(level, rng)
    if draws[2] < MARGIN:
        _margin(level, rng)
    if draws[3] < CAPTION:
        rows, columns = level.shape
        for _ in range(int(rng.integers(1, 4))):
            y, x = float(rng.uniform(0.03, 0.85)) * rows, float(rng.uniform(0.03, 0.7)) * columns
            size = max(round(rows * float(rng.uniform(0.05, 0.1))), 6)
            write(level, str(rng.choice(WORDS)), y, x, size, float(rng.choice([0, 255, 255])))
    return np.clip(level + np.float32(0.5), 0, 255).astype(np.uint8)


def _inset(level: Array, rng: np.random.Generator) -> None:
    """Paste an enlarged or reduced part of the picture into a corner, in place, framed or not."""
    rows, columns = level.shape
    tall, wide = (round(k * float(rng.uniform(0.25, 0.42))) for k in (rows, columns))
    scale = float(rng.uniform(0.3, 1.4))
    y0, x0 = rng.uniform(0, 1, 2) * (max(rows - tall * scale, 1), max(columns - wide * scale, 1))
    y = np.float32(y0) + np.arange(tall, dtype=np.float32)[:, None] * np.float32(scale)
    x = np.float32(x0) + np.arange(wide, dtype=np.float32)[None, :] * np.float32(scale)
    part = resample(level, y, x)
    if rng.random() < 0.7:
        ink = np.float32(rng.choice([0, 255]))
        part[:1], part[-1:], part[:, :1], part[:, -1:] = ink, ink, ink, ink
    top = 2 if rng.random() < 0.6 else rows - tall - 2
    left = 2 if rng.random() < 0.5 else columns - wide - 2
    level[top : top + tall, left : left + wide] = part


def _margin(level: Array, rng: np.random.Generator) -> None:
    """Leave blank paper, or a strip of the neighbouring panel's margin, at one or two sides, in place."""
    rows, columns = level.shape
    paper = np.float32(rng.choice([255, 255, 255, 0]))
    for side in rng.permutation(4)[: int(rng.integers(1, 4))]:
        size = max(round(float(rng.exponential(0.03)) * rows), 1)
        region = (
            (slice(0, size), slice(None)),
            (slice(rows - size, None), slice(None)),
            (slice(None), slice(0, size)),
            (slice(None), slice(columns - size, None)),
        )[int(side)]
        level[region] = paper
