"""Import crosswalks as checked, immutable objects, every rule with its line: from a repository's record to our model.

The grammar is described in ``crosswalks/README.md``; a mistake is a CrosswalkError that says ``file:line``. Reads no
record (``taking.py`` does) and fetches nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from nffa_cli.crosswalk import document, entries
from nffa_cli.crosswalk.document import Document, Node
from nffa_cli.errors import CrosswalkError

FREE = "measurement/provenance/"
"""Below this place a crosswalk may keep what the model has no field for."""
PLACES = frozenset({
    "proposal/proposalTitle", "proposal/abstract", "experiment/experimentName", "experiment/description",
    "measurement/measurementName", "measurement/measurementDescription", "measurement/kind", "measurement/technique",
    "measurement/startTime", "measurement/endTime",
})  # fmt: skip
"""Places of the model that a record as a whole may fill."""
ASSET_PLACES = frozenset({
    "dataAssetName", "relativePath", "dataSize", "dataChecksum", "mediaType", "dateOfCollection",
    "dateOfCollectionSource", "intellectualPropertyRights", "uri",
})  # fmt: skip
"""Places that a file of a record may fill; ``uri`` is where its bytes lie."""

_FILE_KEYS = frozenset({"import", "version", "dialect", "systems", "recognised_by", "key", "fields", "assets"})
_RULE_KEYS = frozenset({"from", "value", "using", "with", "each", "where", "all", "sets"})
_FIELD_KEYS = _RULE_KEYS | {"to", "any"}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Rule(NamedTuple):
    """One way to fill a place.

    inputs
        (name, paths) in order; a rule with one input calls it ``value``. Empty for a constant.
    each, where
        Look in each item of the list at this path that has one of these texts at these paths.
    all
        Every match counts, as a list, and not only the first.
    sets
        Other places that this rule fills with a text when it gives a value.
    """

    line: int
    inputs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    using: str = "text"
    options: Mapping[str, Any] = _NOTHING
    each: str | None = None
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    all: bool = False
    sets: Mapping[str, str] = _NOTHING
    constant: tuple[Any, ...] = ()


class Field(NamedTuple):
    """A place of our model and what may fill it, in order of preference."""

    to: str
    line: int
    rules: tuple[Rule, ...]


class Incoming(NamedTuple):
    """An import crosswalk: from one dialect of records to our model.

    systems
        What its records may be called at the command line.
    recognised_by
        Paths that a record of this dialect has, all of them.
    key
        Paths of which the first that is there says which record it is.
    each
        Paths of which the first that is there holds the files.
    """

    name: str
    version: int
    file: str
    sha256: str
    dialect: str
    systems: tuple[str, ...]
    recognised_by: tuple[str, ...]
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    each: tuple[str, ...] = ()
    assets: tuple[Field, ...] = ()


def files(folder: Path) -> list[Path]:
    """Return the import crosswalks of a folder of crosswalks, or of its ``import`` folder."""
    found = (folder if folder.name == "import" else folder / "import").glob("*.yaml")
    return sorted(path for path in found if not path.name.endswith(".examples.yaml"))


def of_system(system: str, folder: Path) -> list[Incoming]:
    """Return the crosswalks for the records of ``system``, the one of its own name first."""
    found = [load(path) for path in files(folder)]
    return sorted((each for each in found if system in each.systems), key=lambda each: each.name != system)


def systems(folder: Path) -> list[str]:
    """Return the systems whose records can be imported."""
    return sorted({system for path in files(folder) for system in load(path).systems})


@lru_cache(maxsize=16)
def load(path: Path) -> Incoming:
    """Read one import crosswalk, once per process; raises CrosswalkError with ``file:line``."""
    file, data = document.read(path)
    head = file.known(file.root, "an import crosswalk", _FILE_KEYS)
    for key in ("import", "version", "dialect", "systems", "recognised_by", "key", "fields"):
        if key not in head:
            raise file.wrong(f"'{key}' is missing", file.root)
    if file.text(head["import"], "import") != path.stem:
        raise file.wrong(
            f"the file of '{head['import'].value}' must be called {head['import'].value}.yaml", head["import"]
        )
    version = head["version"].python()
    if not isinstance(version, int) or version < 1:
        raise file.wrong("version must be a whole number from 1", head["version"])
    each, assets = _assets(file, head.get("assets"))
    return Incoming(
        name=path.stem,
        version=version,
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        dialect=file.text(head["dialect"], "dialect"),
        systems=file.texts(head["systems"], "systems"),
        recognised_by=file.texts(head["recognised_by"], "recognised_by"),
        key=file.texts(head["key"], "key"),
        fields=tuple(_field(file, node, asset=False) for node in file.sequence(head["fields"], "fields")),
        each=each,
        assets=assets,
    )


def twice(shape: Incoming) -> list[tuple[int, str]]:
    """Return (line, complaint) of every place that two fields fill."""
    found = []
    for fields in (shape.fields, shape.assets):
        first: dict[str, int] = {}
        for field in fields:
            if field.to in first:
                found.append((field.line, f"'{field.to}' is filled on line {first[field.to]} already"))
            first.setdefault(field.to, field.line)
    return found


def _assets(file: Document, node: Node | None) -> tuple[tuple[str, ...], tuple[Field, ...]]:
    if node is None:
        return (), ()
    keys = file.known(node, "assets", frozenset({"each", "fields"}))
    for key in ("each", "fields"):
        if key not in keys:
            raise file.wrong(f"assets have no '{key}'", node)
    fields = tuple(_field(file, item, asset=True) for item in file.sequence(keys["fields"], "fields"))
    for place in ("dataAssetName", "relativePath"):
        if place not in {field.to for field in fields}:
            raise file.wrong(f"no field fills '{place}' of an asset", node)
    return file.texts(keys["each"], "each"), fields


def _field(file: Document, node: Node, *, asset: bool) -> Field:
    keys = file.known(node, "a field", _FIELD_KEYS)
    if "to" not in keys:
        raise file.wrong("a field has no 'to'", node)
    to = _place(file, keys["to"], file.text(keys["to"], "to"), asset=asset)
    own = {key: item for key, item in keys.items() if key in _RULE_KEYS}
    if "any" not in keys:
        return Field(to, node.line, (_rule(file, to, own, node, asset=asset),))
    if misplaced := {"from", "value"} & set(own):
        raise file.wrong(f"'{to}' has both 'any' and '{misplaced.pop()}'", node, hint="move it under 'any'")
    alternatives = file.sequence(keys["any"], "any")
    if not alternatives:
        raise file.wrong(f"'any' of '{to}' is empty", keys["any"])
    rules = [_rule(file, to, own | file.known(item, f"'{to}'", _RULE_KEYS), item, asset=asset) for item in alternatives]
    return Field(to, node.line, tuple(rules))


def _place(file: Document, node: Node, place: str, *, asset: bool) -> str:
    known = ASSET_PLACES if asset else PLACES
    if place not in known and (asset or not place.startswith(FREE) or place == FREE):
        raise file.wrong(f"the model has no place '{place}'", node, hint=document.nearest(place, known))
    return place


def _rule(file: Document, to: str, keys: Mapping[str, Node], node: Node, *, asset: bool) -> Rule:
    if ("from" in keys) == ("value" in keys):
        raise file.wrong(f"'{to}' needs either 'from' or 'value'", node)
    using = file.text(keys["using"], "using") if "using" in keys else "text"
    if using not in entries.TABLE:
        raise file.wrong(
            f"unknown transform '{using}' of '{to}'",
            keys["using"],
            hint=document.nearest(using, frozenset(entries.TABLE)),
        )
    inputs = _inputs(file, keys["from"]) if "from" in keys else ()
    options = keys["with"].python() if "with" in keys else {}
    if inputs and (complaint := entries.complaint(using, [name for name, _ in inputs], options)):
        raise file.wrong(f"'{to}': {complaint}", node)
    every = keys["all"].python() if "all" in keys else False
    if not isinstance(every, bool):
        raise file.wrong("'all' must be true or false", keys["all"])
    if "where" in keys and "each" not in keys:
        raise file.wrong(f"'{to}' has a 'where' without an 'each'", keys["where"])
    sets = {}
    for place, item in file.mapping(keys["sets"], "sets").items() if "sets" in keys else ():
        sets[_place(file, item, place, asset=asset)] = file.text(item, place)
    return Rule(
        line=node.line,
        inputs=inputs,
        using=using,
        options=options,
        each=file.text(keys["each"], "each") if "each" in keys else None,
        where=tuple((path, file.texts(item, "where")) for path, item in file.mapping(keys["where"], "where").items())
        if "where" in keys
        else (),
        all=every,
        sets=sets,
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


def is_import(path: Path) -> bool:
    """Tell an import crosswalk by its first words; a file that cannot be parsed is none."""
    try:
        head = document.read(path)[0].root.value
    except CrosswalkError:
        return False
    return isinstance(head, dict) and "import" in head
