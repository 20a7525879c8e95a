"""An outward crosswalk used backwards: what stands at the places of a schema, as a record; pure, and knows no schema itself.

Places are found by name, else by class, since schemas let people name groups (``event1``, ``event_3``, ``my_event``). The
values then go through an inward crosswalk made of the same rules, so that types, units, placeholders and plausibility are
``apply``'s. Where nffa wrote the file, its own record is restored; a place that says something else than that record
would have written was edited, and is right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from nffa_cli import rawtree
from nffa_cli.crosswalk import apply, load, paths, place, units
from nffa_cli.crosswalk.outward import Field, Outward
from nffa_cli.crosswalk.outward import Rule as OutwardRule
from nffa_cli.crosswalk.vocabulary import Term, Vocabulary
from nffa_cli.errors import CrosswalkError
from nffa_cli.records import Quantity, RawMetadata, Record, Remark

EDITED = "edited"
_OWN = ("nffa", "record")
_MAX_HOPS = 8
_DIGITS = re.compile(r"(\d+)")
_CLASS = "NX_class"
_REMARK = frozenset({"code", "detail"})


class Stood(NamedTuple):
    """What stands at a place: the path in the file, the value, and the attributes beside it."""

    path: str
    value: Any
    attributes: Mapping[str, Any]


def record(
    raw: RawMetadata,
    outward: Outward,
    vocabulary: Vocabulary,
    *,
    date_order: str | None = None,
    timezone: str | None = None,
) -> Record:
    """Return the record of a file of the schema.

    Parameters
    ----------
    raw
        With the anchor ``entry``, the name of the group at which the crosswalk's places begin. Groups are dicts with the
        attribute ``NX_class``; a field with attributes is a dict with ``@value``; a link is ``{"@link": path}``.
    date_order, timezone
        As ``apply.apply`` takes them.
    """
    entry = raw.anchors["entry"]
    stood = {
        field.to: there for field in outward.fields if field.terms and (there := _stands(raw, entry, field, outward))
    }
    own = _own(raw.tree.get(entry), vocabulary)
    if own is None:
        found = _applied(raw, stood, outward, vocabulary, date_order, timezone)
        return replace(found, unmapped=max(0, len(paths.flatten(raw.tree)) - len(stood)))
    written = place.place(outward, own)
    changed = {
        field.to: stood[field.to]
        for field in outward.fields
        if field.to in stood and not _as_written(field, written.get(field.to), stood[field.to])
    }
    found = _applied(raw, changed, outward, vocabulary, date_order, timezone)
    terms = dict(own.terms)
    remarks: list[Remark] = []
    for name, quantity in found.terms.items():
        before = terms.get(name)
        if before is not None and _equal(before.value, quantity.value):
            continue
        terms[name] = quantity
        was = "nothing" if before is None else f"{before.value!r}"
        remarks.append(Remark(EDITED, f"{name}: {quantity.source} says {quantity.value!r}, nffa wrote {was}"))
    for name in _removed(outward, written, stood, own):
        if name not in found.terms:
            del terms[name]
            remarks.append(Remark(EDITED, f"{name}: what nffa wrote of it was taken out of the file"))
    missing = tuple(name for name in vocabulary.expected if name not in terms)
    warnings = tuple(dict.fromkeys((*own.warnings, *found.warnings, *remarks)))
    return replace(found, terms=terms, missing=missing, unmapped=own.unmapped, warnings=warnings)


# --- what stands where ---


def _stands(raw: RawMetadata, entry: str, field: Field, outward: Outward) -> Stood | None:
    """Return what stands at a field's place, by the names that the file gives its groups."""
    here, at, at_outward = raw.tree.get(entry), [entry], ""
    *groups, name = field.to.split("/")
    for part in groups:
        at_outward = f"{at_outward}/{part}" if at_outward else part
        found = _group(raw.tree, here, at, part, outward.groups[at_outward].nx_class)
        if found is None:
            return None
        here, actual = found
        at.append(actual)
    node = _linked(raw.tree, here.get(name), at) if isinstance(here, Mapping) else None
    attributes = node if isinstance(node, Mapping) and "@value" in node else {}
    value = attributes["@value"] if attributes else node
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or (isinstance(value, Mapping) and not rawtree.is_leaf(value)):
        return None
    rule = _rule(field)
    if rule is not None and rule.match is not None:
        parts = [attributes.get(each) for each in rule.match.groupindex if each != "value"]
        value = " ".join([str(value), *(part for part in parts if isinstance(part, str))])
    return Stood(f"/{'/'.join((*at, name))}", value, attributes)


def _group(
    tree: Mapping[str, Any], here: Any, at: list[str], name: str, nx_class: str
) -> tuple[Mapping[str, Any], str] | None:
    """Return the group of a name if it is of the class, else the first of that class, with its name."""
    if not isinstance(here, Mapping):
        return None
    for each in (name, *sorted(filter(lambda key: key != name, here), key=_natural)):
        node = here.get(each)
        if isinstance(node, Mapping):
            node = _linked(tree, node, at)
            if isinstance(node, Mapping) and node.get(_CLASS) == nx_class:
                return node, each
    return None


def _linked(tree: Mapping[str, Any], node: Any, at: Iterable[str]) -> Any:
    """Return what a link within the file leads to; what is no link is itself."""
    here = list(at)
    for _ in range(_MAX_HOPS):
        if not (isinstance(node, Mapping) and isinstance(node.get("@link"), str)):
            return node
        if "file" in node:
            return None
        link = node["@link"]
        parts = [part for part in ("" if link.startswith("/") else "/".join(here) + "/", link) if part]
        names = [name for name in "".join(parts).split("/") if name not in ("", ".")]
        node, here = tree, names[:-1]
        for name in names:
            node = node.get(name) if isinstance(node, Mapping) else None
    return None


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name[:200]) if part]


# --- places as terms ---


def _applied(
    raw: RawMetadata,
    stood: Mapping[str, Stood],
    outward: Outward,
    vocabulary: Vocabulary,
    date_order: str | None,
    timezone: str | None,
) -> Record:
    """Return what these places say, each term citing its path in the file."""
    tree = {to: {"value": found.value, "units": found.attributes.get("units")} for to, found in stood.items()}
    reduced = replace(raw, tree=tree, anchors={})
    found, _ = apply.apply(_turned(outward), vocabulary, reduced, date_order=date_order, timezone=timezone)
    terms = {name: replace(each, source=_path(each.source, stood)) for name, each in found.terms.items()}
    return replace(found, terms=terms, unmapped=0)


def _path(source: str, stood: Mapping[str, Stood]) -> str:
    """Return the path in the file for a path in the reduced tree."""
    return stood[source.partition(".value")[0]].path


def _turned(outward: Outward) -> load.Crosswalk:
    """Return the inward crosswalk from an outward one's places to its terms."""
    turned: list[load.Field] = []
    for field in outward.fields:
        rule = _rule(field)
        for number, term in enumerate(rule.terms if rule else ()):
            path = f"{field.to}.value" + (f".{number}" if rule and len(rule.terms) > 1 else "")
            unit = field.unit if field.unit == "1" else None
            beside = (f"{field.to}.units",) if field.unit is not None else ()
            made = load.Rule(field.line, (("value", (path,)),), unit=unit, unit_from=beside, map=_inverse(rule))
            turned.append(load.Field(term, field.line, (made,)))
    return load.Crosswalk(outward.schema, outward.version, outward.file, outward.sha256, fields=tuple(turned))


def _rule(field: Field) -> OutwardRule | None:
    """Return the rule that writes a term as it is, rather than a constant because of it."""
    return next((rule for rule in field.rules if rule.terms), None)


def _inverse(rule: OutwardRule | None) -> Mapping[str, Any] | None:
    """Return the map from what is written to what it means; what several texts become means none of them."""
    if rule is None or rule.map is None:
        return None
    written = list(rule.map.values())
    plain = {str(value): key for key, value in rule.map.items() if key != "*" and written.count(value) == 1}
    return plain | ({"*": "*"} if rule.map.get("*") == "*" else {})


# --- a file of ours ---


def _as_written(field: Field, placed: place.Placed | None, stood: Stood) -> bool:
    """Tell whether a place says what the record wrote there."""
    if placed is None:
        return False
    rule = _rule(field)
    if rule is not None and rule.match is not None:
        parts = (each for name, each in placed.attributes.items() if rule.match.groupindex.get(name))
        return _equal(" ".join([str(placed.value), *map(str, parts)]), stood.value)
    value = stood.value
    if field.unit is not None:
        try:
            value = _converted(value, stood.attributes.get("units"), field.unit)
        except (CrosswalkError, TypeError, ValueError):
            return False
    return _equal(placed.value, value)


def _converted(value: Any, unit: Any, wanted: str) -> Any:
    if isinstance(value, list):
        return [_converted(item, unit, wanted) for item in value]
    return units.convert(float(value), unit if isinstance(unit, str) else "", wanted)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and one == other


def _removed(
    outward: Outward, written: Mapping[str, place.Placed], stood: Mapping[str, Stood], own: Record
) -> list[str]:
    """Return the terms that our record wrote to one place or several, and of which none is left."""
    left = {name for to in stood if to in written for name in written[to].terms}
    gone = {name for to, placed in written.items() if to not in stood for name in placed.terms}
    return [name for name in own.terms if name in gone - left]


def _own(entry: Any, vocabulary: Vocabulary) -> Record | None:
    """Return the record that nffa put into the file, without what cannot be one; None where there is none."""
    held = rawtree.get(entry, ".".join(_OWN))
    if not isinstance(held, Mapping) or not isinstance(held.get("terms"), Mapping):
        return None
    terms, strange = {}, []
    for name, found in held["terms"].items():
        term = vocabulary.terms.get(name)
        quantity = None if term is None else _quantity(found, term)
        if quantity is None:
            strange.append(name)
        else:
            terms[name] = quantity
    listed = held.get("warnings")
    warnings = [
        Remark(str(each["code"]), str(each["detail"]))
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, Mapping) and each.keys() >= _REMARK
    ]
    if strange:
        warnings.append(
            Remark("unreadable-value", f"the record in the file says of {', '.join(strange)[:200]} what it cannot")
        )
    unmapped = held.get("unmapped")
    return Record(
        str(held.get("format")),
        terms,
        (),
        unmapped=unmapped if isinstance(unmapped, int) and not isinstance(unmapped, bool) else 0,
        warnings=tuple(warnings),
    )


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "number": (int, float), "text": str, "time": str, "boolean": bool, "list": list,
}  # fmt: skip


def _quantity(found: Any, term: Term) -> Quantity | None:
    if not isinstance(found, Mapping) or not isinstance(source := found.get("source"), str):
        return None
    value = found.get("value")
    if not isinstance(value, _TYPES[term.type]) or (isinstance(value, bool) and term.type != "boolean"):
        return None
    if found.get("unit") != term.unit or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        return None
    extra = {key: item for key, item in found.items() if key not in ("value", "unit", "source", "raw")}
    return Quantity(value, term.unit, source, found.get("raw"), extra)
