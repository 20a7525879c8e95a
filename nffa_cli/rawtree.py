"""The vendor's tree as JSON without loss, and paths into it.

Text, integers, finite floats, booleans, None, lists and dicts are themselves. Everything else has one written form:

- bytes: ``{"@bytes": "<base64>"}``
- NaN and infinities: ``{"@float": "nan"|"inf"|"-inf"}``
- long number arrays: ``{"@array": "<u2", "shape": [...], "base64": "..."}`` (bytes as they lie in the file)
- complex numbers: ``{"@complex": [re, im]}``

A path is the keys and list indices joined by dots (``ImageList.1.ImageTags.Microscope Info.Voltage``). Vendor keys may
hold dots themselves, so ``get`` tries the longest key first.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from typing import Any

ABSENT = object()
"""What ``get`` returns where the tree has nothing; None is a value a vendor may write."""


def lossless(value: Any) -> Any:
    """Return ``value`` in the written form above; raises TypeError for what has none."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"@float": repr(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"@bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, complex):
        return {"@complex": [lossless(value.real), lossless(value.imag)]}
    if isinstance(value, Mapping):
        return {str(key): lossless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [lossless(item) for item in value]
    raise TypeError(f"no written form for {type(value).__name__}")


def array(dtype: str, shape: tuple[int, ...], data: bytes) -> dict[str, Any]:
    """Return the written form of a number array whose samples are ``data``."""
    return {"@array": dtype, "shape": list(shape), "base64": base64.b64encode(data).decode("ascii")}


def put(branch: dict[str, Any], key: str, value: Any) -> None:
    """Add ``value``, which is no list, under ``key``; a key that comes again makes a list, so that nothing is lost."""
    if key not in branch:
        branch[key] = value
    elif isinstance(branch[key], list):
        branch[key].append(value)
    else:
        branch[key] = [branch[key], value]


def free(branch: Mapping[str, Any], key: str) -> str:
    """Return ``key``, or ``key#2``, ``key#3`` … where the branch has it already.

    Names are given out in turn, so the last one is found by halving: a file may repeat one name a million times.
    """
    if key not in branch:
        return key
    taken, number = 1, 2
    while f"{key}#{number}" in branch:
        taken, number = number, number * 2
    while number - taken > 1:
        middle = (taken + number) // 2
        taken, number = (middle, number) if f"{key}#{middle}" in branch else (taken, middle)
    return f"{key}#{number}"


def is_leaf(value: Any) -> bool:
    """Tell a value from a branch; the written forms above are values."""
    if isinstance(value, (str, int, float)):  # nearly all
        return True
    if isinstance(value, Mapping):
        return any(key in value for key in ("@bytes", "@float", "@array", "@complex"))
    return not (isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value))


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, value) of every value, depth first, in the vendor's order."""
    if path and is_leaf(tree):
        yield path, tree
        return
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, value in items:
        yield from leaves(value, f"{path}.{key}" if path else str(key))


def get(tree: Any, path: str) -> Any:
    """Return the value at ``path``, or ``ABSENT``."""
    if path == "":
        return tree
    if isinstance(tree, list):
        head, _, rest = path.partition(".")
        return get(tree[int(head)], rest) if head.isdigit() and int(head) < len(tree) else ABSENT
    if not isinstance(tree, Mapping):
        return ABSENT
    if path in tree:
        return tree[path]
    cut = path.rfind(".")
    while cut > 0:
        if path[:cut] in tree:
            found = get(tree[path[:cut]], path[cut + 1 :])
            if found is not ABSENT:
                return found
        cut = path.rfind(".", 0, cut)
    return ABSENT
