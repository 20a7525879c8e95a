"""From a scene to a picture: electrons, detectors, charging, focus, noise and grey levels; not what is in the scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nffa_cli.render.fields import Array, smooth
from nffa_cli.render.scene import Scene, slopes


@dataclass(frozen=True, slots=True)
class Detector:
    """How a detector weighs what the beam brings out.

    Parameters
    ----------
    slope, edge, occlusion
        Weight of the local slope, of convex edges and of the sky that is hidden.
    side
        0 symmetric … 1 one-sided: how much more it sees of slopes that face it.
    material
        Exponent of the relative yield.
    charge
        How strongly charging shows.
    """

    slope: float
    edge: float
    occlusion: float
    side: float
    material: float
    charge: float


DETECTORS = {
    "chamber": Detector(slope=0.55, edge=0.9, occlusion=1.0, side=0.55, material=1.0, charge=1.0),
    "in-lens": Detector(slope=0.35, edge=1.3, occlusion=0.7, side=0.0, material=1.2, charge=1.5),
    "both": Detector(slope=0.5, edge=1.0, occlusion=0.9, side=0.25, material=1.0, charge=1.0),
    "low-vacuum": Detector(slope=0.45, edge=0.4, occlusion=0.7, side=0.35, material=1.1, charge=0.3),
    "backscattered": Detector(slope=0.15, edge=0.1, occlusion=0.6, side=0.25, material=2.0, charge=0.1),
}
"""Everhart-Thornley in the chamber, in the lens, a mixture, a gaseous one, and backscattered electrons."""
LIKELY = {"chamber": 0.38, "in-lens": 0.3, "both": 0.2, "low-vacuum": 0.05, "backscattered": 0.07}

DIRECTIONS = 8
NEAR, FAR = (1, 2, 4), (8, 16, 32)
"""How far to look for what hides the sky, in pixels; the far ones on a picture of a quarter."""


def picture(scene: Scene, rng: np.random.Generator, *, detector: str | None = None) -> Array:
    """Return the picture (H, W) uint8 of a scene.

    Parameters
    ----------
    detector
        A name in ``DETECTORS``; without it one is drawn at random.
    """
    name = detector or str(rng.choice(list(LIKELY), p=list(LIKELY.values())))
    signal = emission(scene, rng, DETECTORS[name]) if scene.optics else scene.yields
    return signal_to_grey(signal, rng)


def emission(scene: Scene, rng: np.random.Generator, by: Detector) -> Array:
    """Return the signal (H, W) float32 of a scene without noise; flat ground of yield 1 gives about 1."""
    height = scene.height
    down, right = slopes(height)
    toward = float(rng.uniform(0, 2 * math.pi))
    steep = np.sqrt(1 + np.square(down) + np.square(right))
    hidden, edge = _surroundings(height, toward, by.side)
    facing = (down * math.sin(toward) + right * math.cos(toward)) / steep
    shaded = (1 + by.slope * (np.minimum(steep, 4) - 1) + by.edge * edge + by.side * 0.6 * facing) * (
        1 - min(by.occlusion * 0.85, 0.95) * hidden
    )
    signal = 1 + scene.shade * (np.maximum(shaded, 0.02) - 1)
    signal = signal * scene.yields ** np.float32(by.material)
    if scene.charge is not None:
        signal = signal + by.charge * scene.charge
    return signal.astype(np.float32)


def _surroundings(height: Array, toward: float, side: float) -> tuple[Array, Array]:
    """How much of the sky is hidden (0..1), and how far the ground falls away around (0..1)."""
    hidden = np.zeros(height.shape, np.float32)
    edge = np.zeros(height.shape, np.float32)
    rows, columns = height.shape
    reach = max(NEAR)
    padded = np.pad(height, reach, mode="edge")
    weights = 0.0
    for k in range(DIRECTIONS):
        angle = 2 * math.pi * k / DIRECTIONS
        rise, fall = np.zeros(height.shape, np.float32), np.zeros(height.shape, np.float32)
        for far in NEAR:
            dy, dx = round(far * math.sin(angle)), round(far * math.cos(angle))
            other = padded[reach + dy : reach + dy + rows, reach + dx : reach + dx + columns]
            climb = (other - height) * np.float32(1 / math.hypot(dy, dx))
            np.maximum(rise, climb, out=rise)
            if far < 4:
                np.maximum(fall, -climb, out=fall)
        weight = 1 + side * math.cos(angle - toward)
        weights += weight
        hidden += rise / np.sqrt(1 + np.square(rise)) * np.float32(weight)
        edge += fall / (1 + fall)
    return hidden / np.float32(weights), edge / np.float32(DIRECTIONS)


def signal_to_grey(signal: Array, rng: np.random.Generator) -> Array:
    """Return grey levels of a signal: focus, weak noise, contrast, brightness and gamma drawn at random."""
    soft = float(rng.uniform(0.3, 0.9))
    signal = ndimage.gaussian_filter(signal, soft, truncate=2.5)
    signal = signal * (1 + np.float32(0.06) * smooth(rng, signal.shape, 200))
    low, high = np.percentile(signal[::3, ::3], (1, 99))
    level = (signal - np.float32(low)) / np.float32(max(high - low, 1e-3))
    dark, bright = float(rng.uniform(0, 0.25)), float(rng.uniform(0.7, 1.05))
    level = dark + np.clip(level, 0, 1.3) ** np.float32(rng.uniform(0.7, 1.4)) * (bright - dark)
    level = level + rng.standard_normal(signal.shape, dtype=np.float32) * np.float32(rng.uniform(0.004, 0.03))
    return np.clip(level * 255 + 0.5, 0, 255).astype(np.uint8)
