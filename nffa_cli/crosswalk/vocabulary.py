"""The vocabulary: every term with its type, canonical unit, definition and the range in which it is believable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, cast, get_args

from nffa_cli.crosswalk import document, units
from nffa_cli.errors import CrosswalkError

Type = Literal["number", "text", "time", "list", "boolean"]
"""What a value of a term is. time: ISO 8601 text; list: a list of texts."""

_KEYS = frozenset({"type", "unit", "definition", "plausible", "expected"})


class Term(NamedTuple):
    """An entry of the vocabulary.

    unit
        Canonical unit of a number; None for everything else.
    plausible
        Lowest and highest value, in the canonical unit, that no one would doubt.
    expected
        A good record has it; what is absent is listed as missing.
    """

    name: str
    type: Type
    unit: str | None
    definition: str
    plausible: tuple[float, float] | None = None
    expected: bool = False


class Vocabulary(NamedTuple):
    """All terms by name, the expected ones in order, and the digest of the file."""

    terms: Mapping[str, Term]
    expected: tuple[str, ...]
    sha256: str

    def term(self, name: str, where: str) -> Term:
        """Return the term ``name``; raises CrosswalkError about ``where`` with the nearest name as hint."""
        if name not in self.terms:
            hint = document.nearest(name, frozenset(self.terms)) if len(name) > 3 else None
            raise CrosswalkError(f"no term '{name}' in the vocabulary", where=where, hint=hint)
        return self.terms[name]


@lru_cache(maxsize=4)
def load(folder: Path) -> Vocabulary:
    """Read ``vocabulary.yaml`` of a crosswalk folder, once per process; raises CrosswalkError with ``file:line``."""
    file, data = document.read(folder / "vocabulary.yaml")
    terms = {name: _term(file, name, node) for name, node in file.mapping(file.root, "the vocabulary").items()}
    expected = tuple(name for name, term in terms.items() if term.expected)
    return Vocabulary(terms, expected, hashlib.sha256(data).hexdigest())


def _term(file: document.Document, name: str, node: document.Node) -> Term:
    keys = file.known(node, f"term '{name}'", _KEYS)
    found = {key: item.python() for key, item in keys.items()}
    kind = found.get("type")
    if kind not in get_args(Type):
        raise file.wrong(f"type of '{name}' must be one of {', '.join(get_args(Type))}", node)
    if not isinstance(found.get("definition"), str):
        raise file.wrong(f"'{name}' has no definition", node)
    unit = file.text(keys["unit"], "unit") if "unit" in keys else None
    if (kind == "number") != (unit is not None):
        raise file.wrong(f"'{name}': numbers have a unit ('1' if dimensionless), other types have none", node)
    if unit is not None and units.canonical(unit) != (1.0, unit):
        raise file.wrong(f"'{unit}' of '{name}' is no canonical unit", keys["unit"])
    limits = found.get("plausible")
    if limits is not None and not (_is_range(limits) and kind == "number"):
        raise file.wrong(f"plausible of '{name}' must be [lowest, highest]", keys["plausible"])
    return Term(
        name=name,
        type=cast("Type", kind),
        unit=unit,
        definition=" ".join(found["definition"].split()),
        plausible=(float(limits[0]), float(limits[1])) if limits else None,
        expected=found.get("expected") is True,
    )


def _is_range(limits: object) -> bool:
    return (
        isinstance(limits, list)
        and len(limits) == 2
        and all(isinstance(limit, int | float) for limit in limits)
        and limits[0] <= limits[1]
    )
