"""Crosswalk files as checked, immutable objects, every rule with its line. Applies nothing and knows no vocabulary.

The grammar is described in ``crosswalks/README.md``. A mistake is a CrosswalkError that says ``file:line`` and what
was probably meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from nffa_cli.crosswalk import document, transforms
from nffa_cli.crosswalk.document import Document, Node

_FILE_KEYS = frozenset({"crosswalk", "version", "root", "fields", "axes", "ignore", "personal"})
_ALIAS_KEYS = frozenset({"crosswalk", "version", "same_as"})
_RULE_KEYS = frozenset({"from", "using", "with", "unit", "map", "absent", "when", "unless", "value"})
_FIELD_KEYS = _RULE_KEYS | {"term", "any"}
_AXIS_KEYS = _RULE_KEYS | {"any"}
_UNIT_KEYS = frozenset({"from", "else"})

Condition = tuple[str, tuple[str, ...]]
"""A path and the texts that its value may have; ``*`` in a text stands for anything."""


class Rule(NamedTuple):
    """One way to obtain a value.

    inputs
        (name, paths) in order; a rule with one input calls it ``value``. Empty for a constant.
    using
        Name of the transform; None: the one that suits the term's type.
    unit
        Unit of the file's number where the data name none. ``unit_from``: paths that hold the unit.
    map
        Raw text → value, ``*`` for any other text; None: no map.
    absent
        Raw values that mean "not recorded".
    constant
        The value that the format itself implies, in a tuple of one; empty: none.
    """

    line: int
    inputs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    using: str | None = None
    options: Mapping[str, Any] = MappingProxyType({})
    unit: str | None = None
    unit_from: tuple[str, ...] = ()
    map: Mapping[str, Any] | None = None
    absent: tuple[Any, ...] = ()
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    constant: tuple[Any, ...] = ()


class Field(NamedTuple):
    """What a term (or an axis) may be obtained from: rules in order of preference."""

    name: str
    line: int
    rules: tuple[Rule, ...]


class Crosswalk(NamedTuple):
    """An inward crosswalk: from one format's tree to terms.

    file
        Name for messages, e.g. ``fei-sem-tiff.yaml``. With ``same_as`` it is the file whose rules are used.
    paths
        Every path that some rule reads, as written.
    sha256
        Digest of the file's bytes (and of the file it is the same as).
    """

    format: str
    version: int
    file: str
    sha256: str
    root: str = ""
    fields: tuple[Field, ...] = ()
    axes: tuple[Field, ...] = ()
    ignore: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def empty(format: str) -> Crosswalk:
    """Return the crosswalk of a format that has none: no terms, all left over, axes still made canonical."""
    return Crosswalk(format, 0, "no crosswalk", "")


@lru_cache(maxsize=64)
def for_format(format: str, folder: Path) -> Crosswalk | None:
    """Return the crosswalk of a format from the folder of inward files, read once per process; None if it has none.

    ``rosetta-<plugin>`` without a file of its own is read by ``rosetta.yaml``.
    """
    names = (format, "rosetta") if format.startswith("rosetta-") else (format,)
    for name in names:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return load(path)
    return None


def load(path: Path) -> Crosswalk:
    """Read one inward crosswalk; raises CrosswalkError with ``file:line``."""
    file, data = document.read(path)
    head = file.mapping(file.root, "a crosswalk")
    if "same_as" not in head:
        return _crosswalk(file, path, data)
    file.known(file.root, "a crosswalk with same_as", _ALIAS_KEYS)
    _named(file, path)
    other = path.with_name(file.text(head["same_as"], "same_as") + ".yaml")
    target, more = document.read(other)
    if "same_as" in target.mapping(target.root, "a crosswalk"):
        raise file.wrong(f"'{other.stem}' is itself the same as another", head["same_as"], hint="name the last one")
    return _crosswalk(target, other, data + more, format=path.stem)


def _crosswalk(file: Document, path: Path, data: bytes, *, format: str | None = None) -> Crosswalk:
    head = file.known(file.root, "a crosswalk", _FILE_KEYS)
    version = _named(file, path)
    fields = tuple(_field(file, node) for node in file.sequence(head["fields"], "fields")) if "fields" in head else ()
    axes = file.mapping(head["axes"], "axes") if "axes" in head else {}
    calibrations = tuple(_rules(file, name, node, _AXIS_KEYS) for name, node in axes.items())
    return Crosswalk(
        format=format or path.stem,
        version=version,
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        root=file.text(head["root"], "root") if "root" in head else "",
        fields=fields,
        axes=calibrations,
        ignore=file.texts(head["ignore"], "ignore") if "ignore" in head else (),
        personal=file.texts(head["personal"], "personal") if "personal" in head else (),
        paths=tuple(dict.fromkeys(path for part in (*fields, *calibrations) for path in _paths(part))),
    )


def _named(file: Document, path: Path) -> int:
    head = file.mapping(file.root, "a crosswalk")
    for key in ("crosswalk", "version"):
        if key not in head:
            raise file.wrong(f"'{key}' is missing", file.root)
    if file.text(head["crosswalk"], "crosswalk") != path.stem:
        raise file.wrong(
            f"the file of '{head['crosswalk'].value}' must be called {head['crosswalk'].value}.yaml", head["crosswalk"]
        )
    version = head["version"].python()
    if not isinstance(version, int) or version < 1:
        raise file.wrong("version must be a whole number from 1", head["version"])
    return version


def _paths(field: Field) -> list[str]:
    found: list[str] = []
    for rule in field.rules:
        for _, paths in rule.inputs:
            found += paths
        found += rule.unit_from
        found += [path for path, _ in (*rule.when, *rule.unless)]
    return found


def _field(file: Document, node: Node) -> Field:
    keys = file.known(node, "a field", _FIELD_KEYS)
    if "term" not in keys:
        raise file.wrong("a field has no term", node)
    return _rules(file, file.text(keys["term"], "term"), node, _FIELD_KEYS)


def _rules(file: Document, name: str, node: Node, keys: frozenset[str]) -> Field:
    """Read the rules of a field; alternatives under ``any`` inherit what the field itself says."""
    own = {key: item for key, item in file.known(node, f"'{name}'", keys).items() if key != "term"}
    if "any" not in own:
        return Field(name, node.line, (_rule(file, name, own, node),))
    shared = {key: item for key, item in own.items() if key != "any"}
    if misplaced := {"from", "value"} & set(shared):
        raise file.wrong(f"'{name}' has both 'any' and '{misplaced.pop()}'", node, hint="move it under 'any'")
    alternatives = file.sequence(own["any"], "any")
    if not alternatives:
        raise file.wrong(f"'any' of '{name}' is empty", own["any"])
    rules = [_rule(file, name, shared | file.known(item, f"'{name}'", _RULE_KEYS), item) for item in alternatives]
    return Field(name, node.line, tuple(rules))


def _rule(file: Document, name: str, keys: dict[str, Node], node: Node) -> Rule:
    if ("from" in keys) == ("value" in keys):
        raise file.wrong(f"'{name}' needs either 'from' or 'value'", node)
    using = file.text(keys["using"], "using") if "using" in keys else None
    options = keys["with"].python() if "with" in keys else {}
    if using is not None and using not in transforms.TABLE:
        hint = document.nearest(using, frozenset(transforms.TABLE))
        raise file.wrong(f"unknown transform '{using}' of '{name}'", keys["using"], hint=hint)
    inputs = _inputs(file, keys["from"]) if "from" in keys else ()
    complaint = transforms.complaint(using, [key for key, _ in inputs], options) if inputs else None
    if complaint:
        raise file.wrong(f"'{name}': {complaint}", node)
    unit, unit_from = _unit(file, keys.get("unit"))
    return Rule(
        line=node.line,
        inputs=inputs,
        using=using,
        options=options,
        unit=unit,
        unit_from=unit_from,
        map=_map(file, keys["map"]) if "map" in keys else None,
        absent=_constants(keys["absent"]) if "absent" in keys else (),
        when=_conditions(file, keys["when"], "when") if "when" in keys else (),
        unless=_conditions(file, keys["unless"], "unless") if "unless" in keys else (),
        constant=(keys["value"].python(),) if "value" in keys else (),
    )


def _inputs(file: Document, node: Node) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if isinstance(node.value, dict):
        found = tuple((name, file.texts(item, f"'{name}'")) for name, item in node.value.items())
    else:
        found = (("value", file.texts(node, "from")),)
    if not found or any(not paths or "" in paths for _, paths in found):
        raise file.wrong("'from' names no path", node)
    return found


def _unit(file: Document, node: Node | None) -> tuple[str | None, tuple[str, ...]]:
    if node is None:
        return None, ()
    if not isinstance(node.value, dict):
        return file.text(node, "unit"), ()
    keys = file.known(node, "unit", _UNIT_KEYS)
    if "from" not in keys:
        raise file.wrong("unit needs 'from'", node)
    return (file.text(keys["else"], "else") if "else" in keys else None), file.texts(keys["from"], "from")


def _map(file: Document, node: Node) -> dict[str, Any]:
    return {key: item.python() for key, item in file.mapping(node, "map").items()}


def _constants(node: Node) -> tuple[Any, ...]:
    values = node.python()
    return tuple(values) if isinstance(values, list) else (values,)


def _conditions(file: Document, node: Node, what: str) -> tuple[Condition, ...]:
    return tuple((path, file.texts(item, what)) for path, item in file.mapping(node, what).items())
