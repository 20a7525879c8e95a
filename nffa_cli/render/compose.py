"""One rendered picture from a sub-kind: random photometry, flips, data bars and the field of view; not the drawing."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.electrons import picture
from nffa_cli.render.fields import Array
from nffa_cli.render.kind import Kind


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


def compose(
    label: str, kinds: Mapping[str, Kind], seed: int, shape: tuple[int, int], *, kind: str | None = None
) -> Rendering:
    """Return the picture of ``seed``: see ``nffa_cli.render.render``."""
    rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
    names = sorted(kinds)
    chosen = names[int(rng.integers(len(names)))]
    chosen = kind or chosen
    image = picture(kinds[chosen].draw(rng, shape), rng)
    low, high = kinds[chosen].width
    return Rendering(image, label, chosen, float(np.exp(rng.uniform(np.log(low), np.log(high)))))
