"""Outward crosswalks as checked, immutable objects, every rule with its line: which place of a schema gets which term.

The grammar is described in ``crosswalks/README.md``; a mistake is a CrosswalkError that says ``file:line``. Fills no
place (``place.py``) and knows neither the vocabulary (``check.py`` holds both against each other) nor any file format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast, get_args

from nffa_cli.crosswalk import document, merge, units
from nffa_cli.crosswalk.document import Document, Node
from nffa_cli.errors import CrosswalkError

Type = Literal["text", "time", "number", "boolean", "list"]
"""How a value is written. time: only with an offset from UTC; list: one text, joined with commas."""

FORMAT = "@format"
"""What a condition calls the format of the acquisition."""

_FILE_KEYS = frozenset({
    "outward", "version", "definition", "places", "groups", "fields", "signals_named_by_detector",
})  # fmt: skip
_DEFINITION_KEYS = frozenset({"name", "release", "url"})
_GROUP_KEYS = frozenset({"class", "always", "needs", "one_source"})
_RULE_KEYS = frozenset({
    "term", "terms", "value", "map", "match", "when", "unless", "at_least", "at_most", "from_file", "attributes",
})  # fmt: skip
_FIELD_KEYS = _RULE_KEYS | {"to", "type", "unit", "words", "open", "supply", "any"}
_SUPPLY_KEYS = frozenset({"session", "profile"})
_QUANTITY = re.compile(r"([-+0-9.eE]+) ?(.*)")
_NOTHING: Mapping[str, Any] = MappingProxyType({})

Condition = tuple[str, tuple[str, ...]]
"""A term (or ``@format``) and the texts that its value may have; ``*`` in a text stands for anything."""
Bound = tuple[str, float, str]
"""A term, a number and its unit."""


class Rule(NamedTuple):
    """One way to fill a place.

    terms
        Terms whose values are written, several as one vector; empty for a constant.
    constant
        What is written whatever the record says, in a tuple of one.
    map
        Text → value, ``*`` for any other; None: no map.
    match
        Pattern whose group ``value`` is what is written; its other groups are attributes.
    from_file
        Terms that the instrument's file itself must hold.

    ``attributes`` are texts, or ``{"term": NAME}``; without that term the rule gives nothing.
    """

    line: int
    terms: tuple[str, ...] = ()
    constant: tuple[Any, ...] = ()
    map: Mapping[str, Any] | None = None
    match: re.Pattern[str] | None = None
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    at_least: tuple[Bound, ...] = ()
    at_most: tuple[Bound, ...] = ()
    from_file: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = _NOTHING

    @property
    def asked(self) -> tuple[str, ...]:
        """All terms that the rule looks at."""
        conditions = [name for name, _ in (*self.when, *self.unless) if name != FORMAT]
        bounds = [name for name, _, _ in (*self.at_least, *self.at_most)]
        attributes = [value["term"] for value in self.attributes.values() if isinstance(value, Mapping)]
        return tuple(dict.fromkeys((*self.terms, *conditions, *bounds, *self.from_file, *attributes)))


class Supply(NamedTuple):
    """Who can say what is missing: a key of the session file, a key of the instrument's profile."""

    session: str | None = None
    profile: str | None = None


class Field(NamedTuple):
    """A place of the schema, below the entry, and the rules that may fill it, in order of preference.

    unit
        Unit of the written number; ``"1"`` for dimensionless.
    words
        What the schema lets stand there; empty: any text. ``open``: other words too, marked as such.
    """

    to: str
    line: int
    type: Type
    unit: str | None
    rules: tuple[Rule, ...]
    words: tuple[str, ...] = ()
    open: bool = False
    supply: Supply = Supply()

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms that are written there."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.terms))


class Group(NamedTuple):
    """A group of the schema: its class, and when it is left out.

    always
        It is there even when empty. ``needs``: without all of these fields nothing of it is written.
    one_source
        Its fields come all from the instrument's file or all from outside; then what is said outside is written.
    """

    path: str
    line: int
    nx_class: str
    always: bool = False
    needs: tuple[str, ...] = ()
    one_source: bool = False


class Outward(NamedTuple):
    """An outward crosswalk: from terms to one schema.

    groups
        By path below the entry, parents first.
    detector_named
        Formats in which a signal bears its detector's name.
    """

    schema: str
    version: int
    file: str
    sha256: str
    definition: str
    release: str
    url: str | None
    groups: Mapping[str, Group]
    fields: tuple[Field, ...]
    detector_named: frozenset[str] = frozenset()

    @property
    def terms(self) -> tuple[str, ...]:
        """All terms that have a place."""
        return tuple(dict.fromkeys(name for field in self.fields for name in field.terms))

    def field(self, path: str) -> Field | None:
        """Return what fills the place ``path`` (below the entry); None: no term does."""
        return next((each for each in self.fields if each.to == path), None)

    def places(self, term: str) -> tuple[str, ...]:
        """Return where a term is written."""
        return tuple(each.to for each in self.fields if term in each.terms)


def load(path: Path) -> Outward:
    """Read one outward crosswalk, once per process; raises CrosswalkError with ``file:line``."""
    return _load(path)


@lru_cache(maxsize=8)
def _load(path: Path) -> Outward:
    file, data = document.read(path)
    head = file.known(file.root, "an outward crosswalk", _FILE_KEYS)
    for key in ("outward", "version", "definition", "groups", "fields"):
        if key not in head:
            raise file.wrong(f"'{key}' is missing", file.root)
    if file.text(head["outward"], "outward") != path.stem:
        raise file.wrong(
            f"the file of '{head['outward'].value}' must be called {head['outward'].value}.yaml", head["outward"]
        )
    version = head["version"].python()
    if not isinstance(version, int) or version < 1:
        raise file.wrong("version must be a whole number from 1", head["version"])
    definition = _definition(file, head["definition"])
    places = _places(file, head.get("places"))
    groups = _groups(file, head["groups"], places)
    fields = tuple(_field(file, node, places, groups) for node in file.sequence(head["fields"], "fields"))
    _needs_are_fields(file, head["groups"], groups, fields)
    named = file.texts(head[key], key) if (key := "signals_named_by_detector") in head else ()
    return Outward(
        schema=path.stem,
        version=version,
        file=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        definition=definition["name"],
        release=definition["release"],
        url=definition.get("url"),
        groups=groups,
        fields=fields,
        detector_named=frozenset(named),
    )


def _definition(file: Document, node: Node) -> dict[str, str]:
    keys = file.known(node, "definition", _DEFINITION_KEYS)
    if not {"name", "release"} <= set(keys):
        raise file.wrong("definition needs a name and a release", node)
    return {key: file.text(item, key) for key, item in keys.items()}


def _places(file: Document, node: Node | None) -> dict[str, str]:
    if node is None:
        return {}
    return {name: file.text(item, f"place '{name}'") for name, item in file.mapping(node, "places").items()}


def _full(path: str, places: Mapping[str, str]) -> str:
    head, slash, rest = path.partition("/")
    return f"{places.get(head, head)}{slash}{rest}"


def _groups(file: Document, node: Node, places: Mapping[str, str]) -> dict[str, Group]:
    found: dict[str, Group] = {}
    for written, item in file.mapping(node, "groups").items():
        path = _full(written, places)
        if path in found:
            raise file.wrong(f"group '{path}' stands on line {found[path].line} already", item)
        parent = path.rpartition("/")[0]
        if parent and parent not in found:
            raise file.wrong(f"group '{written}' lies in '{parent}', which has no class yet", item)
        if not isinstance(item.value, dict):
            found[path] = Group(path, item.line, file.text(item, f"class of '{written}'"))
            continue
        keys = file.known(item, f"group '{written}'", _GROUP_KEYS)
        if "class" not in keys:
            raise file.wrong(f"group '{written}' has no class", item)
        found[path] = Group(
            path,
            item.line,
            file.text(keys["class"], "class"),
            always=_flag(file, keys, "always"),
            needs=file.texts(keys["needs"], "needs") if "needs" in keys else (),
            one_source=_flag(file, keys, "one_source"),
        )
    return found


def _needs_are_fields(file: Document, node: Node, groups: Mapping[str, Group], fields: tuple[Field, ...]) -> None:
    known = {field.to for field in fields}
    for group in groups.values():
        for name in group.needs:
            if f"{group.path}/{name}" not in known:
                where = Node("", group.line)
                raise file.wrong(f"'{group.path}' needs '{name}', which no field fills", where)


def _flag(file: Document, keys: Mapping[str, Node], name: str) -> bool:
    if name not in keys:
        return False
    value = keys[name].python()
    if not isinstance(value, bool):
        raise file.wrong(f"'{name}' must be true or false", keys[name])
    return value


def _field(file: Document, node: Node, places: Mapping[str, str], groups: Mapping[str, Group]) -> Field:
    keys = file.known(node, "a field", _FIELD_KEYS)
    if "to" not in keys:
        raise file.wrong("a field has no 'to'", node)
    to = _full(file.text(keys["to"], "to"), places)
    parent = to.rpartition("/")[0]
    if parent and parent not in groups:
        raise file.wrong(f"'{to}' lies in '{parent}', which 'groups' does not name", keys["to"])
    unit = file.text(keys["unit"], "unit") if "unit" in keys else None
    if unit is not None:
        try:
            units.lookup(unit)
        except CrosswalkError as error:
            raise file.wrong(f"'{to}': {error.what}", keys["unit"], hint=error.hint) from None
    kind = file.text(keys["type"], "type") if "type" in keys else ("text" if unit is None else "number")
    if kind not in get_args(Type):
        raise file.wrong(f"type of '{to}' must be one of {', '.join(get_args(Type))}", node)
    if (kind == "number") != (unit is not None):
        raise file.wrong(f"'{to}': numbers have a unit ('1' if dimensionless), other types have none", node)
    rules = _rules(file, to, keys, node)
    return Field(
        to=to,
        line=node.line,
        type=cast("Type", kind),
        unit=unit,
        rules=rules,
        words=file.texts(keys["words"], "words") if "words" in keys else (),
        open=_flag(file, keys, "open"),
        supply=_supply(file, keys.get("supply"), rules),
    )


def _rules(file: Document, to: str, keys: Mapping[str, Node], node: Node) -> tuple[Rule, ...]:
    """Read the rules of a field; alternatives under ``any`` inherit what the field itself says."""
    own = {key: item for key, item in keys.items() if key in _RULE_KEYS}
    if "any" not in keys:
        return (_rule(file, to, own, node),)
    if misplaced := {"term", "terms", "value"} & set(own):
        raise file.wrong(f"'{to}' has both 'any' and '{misplaced.pop()}'", node, hint="move it under 'any'")
    alternatives = file.sequence(keys["any"], "any")
    if not alternatives:
        raise file.wrong(f"'any' of '{to}' is empty", keys["any"])
    return tuple(_rule(file, to, own | file.known(item, f"'{to}'", _RULE_KEYS), item) for item in alternatives)


def _rule(file: Document, to: str, keys: Mapping[str, Node], node: Node) -> Rule:
    if len({"term", "terms", "value"} & set(keys)) != 1:
        raise file.wrong(f"'{to}' needs one of 'term', 'terms' and 'value'", node)
    terms: tuple[str, ...] = (file.text(keys["term"], "term"),) if "term" in keys else ()
    if "terms" in keys:
        terms = tuple(file.text(item, "terms") for item in file.sequence(keys["terms"], "terms"))
    return Rule(
        line=node.line,
        terms=terms,
        constant=(keys["value"].python(),) if "value" in keys else (),
        map={key: item.python() for key, item in file.mapping(keys["map"], "map").items()} if "map" in keys else None,
        match=_pattern(file, keys["match"]) if "match" in keys else None,
        when=_conditions(file, keys, "when"),
        unless=_conditions(file, keys, "unless"),
        at_least=_bounds(file, keys, "at_least"),
        at_most=_bounds(file, keys, "at_most"),
        from_file=file.texts(keys["from_file"], "from_file") if "from_file" in keys else (),
        attributes=_attributes(file, keys["attributes"]) if "attributes" in keys else _NOTHING,
    )


def _pattern(file: Document, node: Node) -> re.Pattern[str]:
    try:
        pattern = re.compile(file.text(node, "match"))
    except re.error as error:
        raise file.wrong(f"no pattern: {error}", node) from None
    if "value" not in pattern.groupindex:
        raise file.wrong("the pattern has no group (?P<value>…)", node)
    return pattern


def _conditions(file: Document, keys: Mapping[str, Node], what: str) -> tuple[Condition, ...]:
    if what not in keys:
        return ()
    return tuple((name, file.texts(item, what)) for name, item in file.mapping(keys[what], what).items())


def _bounds(file: Document, keys: Mapping[str, Node], what: str) -> tuple[Bound, ...]:
    found = []
    for name, item in file.mapping(keys[what], what).items() if what in keys else ():
        parts = _QUANTITY.fullmatch(file.text(item, what))
        try:
            number = float(parts[1]) if parts else None
        except ValueError:
            number = None
        if parts is None or number is None:
            raise file.wrong(f"{what} must be a number with its unit, as in 60 kV", item)
        found.append((name, number, parts[2]))
    return tuple(found)


def _attributes(file: Document, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, item in file.mapping(node, "attributes").items():
        if isinstance(item.value, dict):
            inner = file.known(item, f"attribute '{name}'", frozenset({"term"}))
            if "term" not in inner:
                raise file.wrong(f"attribute '{name}' needs a term", item)
            found[name] = {"term": file.text(inner["term"], "term")}
        else:
            found[name] = file.text(item, f"attribute '{name}'")
    return found


def _supply(file: Document, node: Node | None, rules: tuple[Rule, ...]) -> Supply:
    """Return who can supply a field: as written, else as the session file and the profile name its term."""
    if node is not None:
        keys = file.known(node, "supply", _SUPPLY_KEYS)
        return Supply(**{key: file.text(item, key) for key, item in keys.items()})
    term = next((name for rule in rules for name in rule.terms), None)
    session = next((key for key, name in merge.SESSION_TERMS.items() if name == term), None)
    return Supply(session, next((key for key, name in merge.PROFILE_TERMS.items() if name == term), None))
