"""Free trees as nested NXcollection, for people who browse a file; what does not fit stays in the JSON beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from nffa_cli import rawtree
from nffa_cli.export.tree import Tree
from nffa_cli.records import Quantity

MAX_LIST = 1024
"""Longest list that is shown."""
MAX_LEAVES = 5000
"""Most values that are shown; a larger tree is in the JSON, and browsing it would help nobody."""
MAX_DEPTH = 64

_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")
_RESERVED = ("_end", "_errors", "_indices", "_mask", "_set", "_weights", "_scaling_factor", "_offset", "_log")
"""How NeXus names what accompanies another field; a name of ours that ends so gets one more underscore."""


def collection(tree: Mapping[str, Any]) -> Tree:
    """Return a tree as nested NXcollection: texts, numbers, booleans and short lists of one kind."""
    return _branch(tree.items(), iter(range(MAX_LEAVES)), 0)


def _branch(items: Any, budget: Iterator[int], depth: int) -> Tree:
    made: Tree = {"@NX_class": "NXcollection"}
    seen: dict[str, int] = {}
    for key, value in items:
        name = _free(made, safe(str(key)), seen)
        if not rawtree.is_leaf(value):
            if depth < MAX_DEPTH and value:
                inner = value.items() if isinstance(value, Mapping) else enumerate(value)
                made[name] = _branch(inner, budget, depth + 1)
        elif _shown(value):
            if next(budget, None) is None:
                return made
            made[name] = value
    return made


def _shown(value: Any) -> bool:
    if isinstance(value, list):
        kinds = {type(item) for item in value}
        return 0 < len(value) <= MAX_LIST and (kinds <= {int, float} or kinds in ({str}, {bool}))
    return isinstance(value, str | bool | int | float)


def _free(branch: Tree, name: str, seen: dict[str, int]) -> str:
    """Return the name, or with the next number where two keys became one name."""
    if name not in branch:
        return name
    number = seen.get(name, 2)
    while f"{name}_{number}" in branch:
        number += 1
    seen[name] = number + 1
    return f"{name}_{number}"


def safe(key: str) -> str:
    """Return what NeXus takes for a name: Latin letters, digits, underscores and, between them, dots."""
    name = _UNSAFE.sub("_", key)
    name = re.sub(r"^\.+|\.+$", "_", name) or "_"
    return f"{name}_" if name.endswith(_RESERVED) else name


def terms(found: Mapping[str, Quantity]) -> Tree:
    """Return the terms of a record as fields, with unit, source and raw text as attributes."""
    made: Tree = {"@NX_class": "NXcollection"}
    for term, quantity in found.items():
        name, value = safe(term), quantity.value
        made[name] = value if _shown(value) else json.dumps(value)
        if quantity.unit is not None:
            made[f"{name}@units"] = quantity.unit
        made[f"{name}@source"] = quantity.source
        if quantity.raw is not None:
            made[f"{name}@raw"] = quantity.raw if _shown(quantity.raw) else json.dumps(rawtree.lossless(quantity.raw))
        made |= {f"{name}@{key}": item for key, item in quantity.extra.items() if _shown(item)}
    return made
