"""The vendor's tree, as it came in the raw-metadata asset, as rows that can be searched; pure and bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LARGEST = 8 * 1024 * 1024
"""Bytes of a tree that is still shown; a larger one can be downloaded."""
LEAVES = 50_000
SHOWN = 200
"""Rows that a page shows at once."""
LONGEST = 400
"""Characters of a value that a page shows."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry: keys and list indices joined by dots, and the value as text."""

    path: str
    value: str


def leaves(written: bytes) -> list[Leaf] | None:
    """Return the entries of a tree that is written as JSON, in its order; None: it is none.

    nffa writes what read it beside the tree; only the tree is the vendor's.
    """
    try:
        found = json.loads(written)
        tree = found["tree"] if isinstance(found, dict) and isinstance(found.get("tree"), dict) else found
        return [leaf for _, leaf in zip(range(LEAVES), _walk(tree, ()), strict=False)]
    except (ValueError, RecursionError):
        return None


def matching(found: Sequence[Leaf], asked: str) -> list[Leaf]:
    """Return the entries whose path and value together hold all words of what is asked, whatever their case."""
    wanted = asked.casefold().split()
    return [leaf for leaf in found if all(word in f"{leaf.path} {leaf.value}".casefold() for word in wanted)]


def _walk(value: Any, above: tuple[str, ...]) -> Iterator[Leaf]:
    if (told := _written(value)) is not None:
        yield Leaf(".".join(above), told if len(told) <= LONGEST else f"{told[:LONGEST]}…")
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield from _walk(each, (*above, str(key)))


def _written(value: Any) -> str | None:
    """Return what is shown of a leaf; None: it is a branch."""
    if isinstance(value, dict):
        if "@bytes" in value:
            return f"({len(str(value['@bytes'])) * 3 // 4} bytes)"
        if "@array" in value:
            shape = value.get("shape")
            return f"(array of {' × '.join(map(str, shape)) if isinstance(shape, list) else '?'} numbers)"
        if "@float" in value:
            return str(value["@float"])
        return None if value else "(empty)"
    if isinstance(value, list):
        if value and len(value) <= 16 and all(isinstance(each, int | float) for each in value):
            return ", ".join(map(str, value))
        return None if value else "(empty)"
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
