"""From a scene to its signal: what secondary and backscattered electrons tell of slopes, edges, pits and materials.

Not a Monte Carlo: the terms that make SEM pictures look as they do, each cheap. The signal becomes grey in ``greys``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.fields import Array, blocks, blur, enlarge, shrink
from nffa_cli.render.greys import greys
from nffa_cli.render.scene import Scene


@dataclass(frozen=True, slots=True)
class Detector:
    """How a detector weighs what the beam brings out.

    Parameters
    ----------
    slope, edge, glow, occlusion
        Weight of the local slope, of sharp convex edges, of the bright seam that diffusion gives them, and of the part
        of the sky that is hidden.
    side
        0 symmetric … 1 one-sided: how much more it sees of slopes that face it.
    material
        Exponent of the relative yield.
    charge
        How strongly charging shows.
    """

    slope: float
    edge: float
    glow: float
    occlusion: float
    side: float
    material: float
    charge: float


DETECTORS = {
    "chamber": Detector(slope=0.5, edge=0.5, glow=0.8, occlusion=1.0, side=0.7, material=1.0, charge=1.0),
    "in-lens": Detector(slope=0.4, edge=0.9, glow=1.2, occlusion=0.8, side=0.0, material=1.2, charge=1.5),
    "both": Detector(slope=0.5, edge=0.7, glow=1.0, occlusion=0.9, side=0.3, material=1.0, charge=1.0),
    "low-vacuum": Detector(slope=0.45, edge=0.2, glow=0.4, occlusion=0.8, side=0.4, material=1.1, charge=0.3),
    "backscattered": Detector(slope=0.1, edge=0.05, glow=0.15, occlusion=0.7, side=0.35, material=2.0, charge=0.1),
}
"""Everhart-Thornley in the chamber, in the lens, a mixture, a gaseous one, and backscattered electrons."""
LIKELY = {"chamber": 0.38, "in-lens": 0.3, "both": 0.2, "low-vacuum": 0.05, "backscattered": 0.07}

DIRECTIONS = 8
NEAR, FAR = (1, 3), (2, 4, 9)
"""How far to look for what hides the sky: in pixels, and in blocks of ``BLOCK`` pixels."""
BLOCK = 4


def picture(scene: Scene, rng: np.random.Generator, *, detector: str | None = None) -> Array:
    """Return the picture (H, W) uint8 of a scene.

    Parameters
    ----------
    detector
        A name in ``DETECTORS``; without it one is drawn at random.
    """
    name = detector or str(rng.choice(list(LIKELY), p=list(LIKELY.values())))
    if not scene.optics:
        return greys(scene.yields, rng, finished=True)
    return greys(emission(scene, rng, DETECTORS[name]), rng)


def emission(scene: Scene, rng: np.random.Generator, by: Detector) -> Array:
    """Return the signal (H, W) float32 of a scene without noise; flat open ground of yield 1 gives 1.

    Everything is weighed by how the instrument happens to be set: the depth that electrons come from against the
    pixel size decides how wide edges glow, the field of the detector how dark pits get.
    """
    height = np.ascontiguousarray(scene.height, np.float32)
    toward = float(rng.uniform(0, 2 * math.pi)) if rng.random() < 0.5 else float(rng.normal(-math.pi / 2, 0.5))
    side = by.side * float(rng.uniform(0.5, 1.3))
    hidden, edge, steep, facing = _surroundings(height, toward, side)
    low = shrink(height, BLOCK) * np.float32(1 / BLOCK)
    # A block on a rim looks around from the rim, not from halfway down.
    rim = np.maximum(low, blocks(height, BLOCK, np.maximum) * np.float32(1 / BLOCK) - np.float32(0.5))
    hidden_far, _, _, _ = _surroundings(rim, toward, side, around=low, distances=FAR, sharp=False)
    far = enlarge(hidden_far, height.shape, BLOCK)
    depth = float(np.exp(rng.uniform(math.log(0.7), math.log(4.0))))
    seam = np.maximum(height - blur(height, depth), 0) * np.float32(1.6 / depth)
    glow = seam / (1 + seam)
    dark = by.occlusion * float(rng.uniform(0.75, 1.1))
    steepness = np.minimum(np.sqrt(1 + np.square(steep)) - 1, np.float32(2.2))
    shaded = (
        1
        + by.slope * float(rng.uniform(0.5, 1.3)) * steepness
        + by.edge * float(rng.uniform(0.3, 1.2)) * edge
        + by.glow * float(rng.uniform(0.3, 1.3)) * glow
        + np.float32(0.75 * side) * facing
    )
    shaded *= 1 - np.minimum(np.float32(dark * 1.15) * hidden, np.float32(0.93))
    shaded *= 1 - np.minimum(np.float32(dark * 0.95) * far, np.float32(0.9))
    signal = 1 + np.float32(scene.shade) * (np.maximum(shaded, np.float32(0.01)) - 1)
    if scene.material is not None:
        signal *= _power(np.maximum(scene.material, np.float32(0.02)), by.material)
    if scene.charge is not None:
        signal = signal + np.float32(by.charge) * scene.charge
    return np.asarray(signal, np.float32)


def _surroundings(
    height: Array,
    toward: float,
    side: float,
    *,
    around: Array | None = None,
    distances: tuple[int, ...] = NEAR,
    sharp: bool = True,
) -> tuple[Array, Array, Array, Array]:
    """Look around from each pixel in ``DIRECTIONS`` directions.

    Returns the part of the sky that is hidden (0..1; what lies towards the detector counts more, ``side``), how far
    the ground falls away within three pixels (0..1), the slope, and the slope towards the detector (−1..1). The last three
    are zeros unless ``sharp``. What may hide the sky is as high as ``around`` says (default: as ``height``).
    """
    rows, columns = height.shape
    reach = max(distances)
    padded = np.pad(height if around is None else around, reach, mode="edge")
    hidden, edge = np.zeros_like(height), np.zeros_like(height)
    rise, fall, spare = np.empty_like(height), np.empty_like(height), np.empty_like(height)
    steps: dict[int, Array] = {}
    for k in range(DIRECTIONS):
        angle = 2 * math.pi * k / DIRECTIONS
        for far in distances:
            dy, dx = round(far * math.sin(angle)), round(far * math.cos(angle))
            np.subtract(padded[reach + dy : reach + dy + rows, reach + dx : reach + dx + columns], height, out=spare)
            spare *= np.float32(1 / math.hypot(dy, dx))
            if sharp and k % 2 == 0:
                if far == 1:
                    steps[k] = spare.copy()
                    np.negative(spare, out=fall)
                else:
                    np.maximum(fall, -spare, out=fall)
            np.maximum(spare, np.float32(0) if far == distances[0] else rise, out=rise)
        np.add(rise, np.float32(0.75), out=spare)  # nearly the sine of the horizon's angle
        rise /= spare
        rise *= np.float32((1 + min(side, 1) * math.cos(angle - toward)) / DIRECTIONS)
        hidden += rise
        if sharp and k % 2 == 0:
            np.maximum(fall, np.float32(0), out=fall)
            np.add(fall, np.float32(1), out=spare)
            fall /= spare
            edge += fall
    if not sharp:
        return hidden, edge, edge, edge
    right, down = _limited(steps[0], steps[4]), _limited(steps[2], steps[6])
    steep = np.sqrt(np.square(right) + np.square(down))
    facing = -(down * np.float32(math.sin(toward)) + right * np.float32(math.cos(toward)))
    return hidden, edge * np.float32(2 / DIRECTIONS), steep, facing / np.sqrt(1 + np.square(steep))


def _limited(ahead: Array, behind: Array) -> Array:
    """Return the slope between two steps (the one behind counted backwards), not larger than thrice the lesser.

    A cliff between two flats is no slope: it is a wall that the beam does not see, and its edge glows by itself.
    """
    most = np.minimum(np.abs(ahead), np.abs(behind)) * np.float32(3) + np.float32(0.2)
    return np.clip((ahead - behind) * np.float32(0.5), -most, most)


def _power(a: Array, exponent: float) -> Array:
    """Return ``a`` to a power; the two usual ones need no logarithms."""
    return a if exponent == 1 else np.square(a) if exponent == 2 else a ** np.float32(exponent)
