"""What any real surface has besides what it shows: a fine grain, specks of dirt, stains; not a kind of picture.

All kinds get it alike, so that no category can be told by being clean.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.fields import blur, normal, smooth, step
from nffa_cli.render.pores import between, dust
from nffa_cli.render.scene import Scene

GRAIN, PATCHY, DIRT, STAIN = 0.55, 0.5, 0.22, 0.12
"""How often a scene has a fine grain (of those, how often in patches only), specks, dark or bright stains."""


def worn(scene: Scene, rng: np.random.Generator) -> Scene:
    """Return the scene with grain, specks and stains at random; changes it in place.

    Grain stands for what is smaller than a pixel here and still is there after shrinking: it is weak, in height
    (0.015 to 0.22 px) and in yield (up to some per cent).
    """
    draws = rng.random(4)
    unit = scene.shape[1] / 256
    if draws[0] < GRAIN:
        # Not the noise of splines: at this size one would see the lattice of its nodes.
        grain = normal(blur(rng.standard_normal(scene.shape, dtype=np.float32), between(rng, 0.5, 1.7) * unit))
        if draws[1] < PATCHY:
            grain = grain * step(smooth(rng, scene.shape, between(rng, 15, 90) * unit), float(rng.normal(0, 0.5)), 0.5)
        scene.height = scene.height + grain * np.float32(between(rng, 0.015, 0.22))
        scene.material = scene.yields * (1 + grain * np.float32(between(rng, 0.004, 0.05)))
    if draws[2] < DIRT:
        number = int(np.exp(rng.uniform(0.7, math.log(60))))
        if scene.material is not None:
            scene.material = scene.material.astype(np.float32, copy=True)
        scene.height = scene.height.astype(np.float32, copy=True)
        dust(scene, rng, number=number, size=between(rng, 0.6, 2.2) * unit)
    if draws[3] < STAIN:
        field = smooth(rng, scene.shape, between(rng, 12, 80) * unit)
        stain = step(field, float(rng.uniform(0.6, 1.6)), float(rng.uniform(0.05, 0.6)))
        scene.material = scene.yields * (1 + stain * np.float32(rng.normal(0, 0.12)))
    return scene
