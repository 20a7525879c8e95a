"""A NeXus file as plain data: nested dicts, and small stand-ins for the arrays that are only read when they are written.

Keys of a group's dict:

- ``name``: a dict is a group, anything else a field;
- ``@attribute``: an attribute of this group;
- ``field@attribute``: an attribute of that field;
- ``>name``: a soft link; its value is the absolute path of the target.

A field is text, a number, a boolean, a list of texts or numbers (nested for more dimensions), ``Samples`` or ``Ramp``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of signal number ``signal``, or a part of them, streamed when the file is written.

    shape, dtype
        Of the field, C order, numpy's name of the type in native byte order. Booleans are written as ``uint8``.
    picks
        One slice for each axis of the signal; empty: all of it. Axes that are picked at one position are dropped.
    part
        Of complex samples: which part.
    """

    signal: int
    shape: tuple[int, ...]
    dtype: str
    picks: tuple[slice, ...] = ()
    part: Literal["real", "imag"] | None = None


@dataclass(frozen=True, slots=True)
class Ramp:
    """The positions along a calibrated axis: ``offset + i × scale`` for i from 0 to ``size`` - 1.

    ``whole``: written as integers (positions in a stack) instead of as doubles.
    """

    size: int
    scale: float = 1.0
    offset: float = 0.0
    whole: bool = False


def fields(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (absolute path, value) of every field, depth first, in order."""
    for key, value in tree.items():
        if "@" in key or key.startswith(">"):
            continue
        if isinstance(value, dict):
            yield from fields(value, f"{path}/{key}")
        else:
            yield f"{path}/{key}", value


def get(tree: Tree, path: str) -> Any:
    """Return the group or field at an absolute path, or the attribute at ``path@name``; None where there is none."""
    place, _, attribute = path.partition("@")
    parts = [part for part in place.split("/") if part]
    for number, part in enumerate(parts):
        if attribute and number == len(parts) - 1 and not isinstance(tree.get(part), dict):
            return tree.get(f"{part}@{attribute}")
        found = tree.get(part)
        if number < len(parts) - 1 or attribute:
            if not isinstance(found, dict):
                return None
            tree = found
        else:
            return found
    return tree.get(f"@{attribute}") if attribute else tree
