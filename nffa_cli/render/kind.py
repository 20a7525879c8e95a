"""A sub-kind of picture: its name, the function that draws it, and how wide a field it is plausible for; not a drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.scene import Scene

Draw = Callable[[np.random.Generator, tuple[int, int]], Scene]
"""``(rng, (H, W)) -> Scene``: everything random comes from ``rng``; sizes follow from the shape, none is fixed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sub-kind of a category.

    Parameters
    ----------
    name
        Short, lower case, unique in its category.
    draw
        The function that draws it.
    width
        Least and greatest plausible width of the picture in metres; a render draws it log-uniformly.
    """

    name: str
    draw: Draw
    width: tuple[float, float]


def kinds(*rows: tuple[str, Draw, tuple[float, float]]) -> dict[str, Kind]:
    """Return name → kind of a table of ``(name, draw, width)`` rows; a name twice is an error."""
    found = {name: Kind(name, draw, width) for name, draw, width in rows}
    if len(found) != len(rows):
        raise ValueError("two sub-kinds of one category have the same name")
    return found
