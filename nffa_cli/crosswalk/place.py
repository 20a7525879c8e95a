"""A record laid out as an outward crosswalk says: path of the schema → value; pure, and knows no schema itself.

What the record does not know is left out, and so is what a schema only takes together with something that is not known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from nffa_cli.crosswalk import merge, paths, units
from nffa_cli.crosswalk.outward import FORMAT, Bound, Condition, Field, Group, Outward, Rule
from nffa_cli.records import Quantity, Record


class Placed(NamedTuple):
    """A value as it is written, its attributes, and the terms that it came from (none: a constant)."""

    value: Any
    attributes: Mapping[str, Any]
    terms: tuple[str, ...] = ()


def place(outward: Outward, record: Record) -> dict[str, Placed]:
    """Return path (below the entry) → what is written there, in the order of the crosswalk."""
    found: dict[str, Placed] = {}
    for field in outward.fields:
        for rule in field.rules:
            if (
                rule.terms and rule.terms[0] not in record.terms
            ):  # as for most: no one record has many of a schema's terms
                continue
            if (placed := _filled(field, rule, record)) is not None:
                found[field.to] = placed
                break
    for group in outward.groups.values():
        if group.one_source:
            found = _of_one_source(group, found, record)
    incomplete = [
        f"{group.path}/"
        for group in outward.groups.values()
        if any(f"{group.path}/{name}" not in found for name in group.needs)
    ]
    return {path: placed for path, placed in found.items() if not path.startswith(tuple(incomplete))}


def _of_one_source(group: Group, found: Mapping[str, Placed], record: Record) -> dict[str, Placed]:
    """Drop what the file says of a person where somebody outside names one too: it may be another."""
    mine = {path: placed for path, placed in found.items() if path.startswith(f"{group.path}/")}
    outside = {
        path
        for path, placed in mine.items()
        if placed.terms and all(merge.is_outside(record.terms[name]) for name in placed.terms)
    }
    return {path: placed for path, placed in found.items() if not outside or path not in mine or path in outside}


def _filled(field: Field, rule: Rule, record: Record) -> Placed | None:
    known = [record.terms[name] for name in rule.terms if name in record.terms]
    if len(known) < len(rule.terms) or not _holds(rule, record):
        return None
    value: Any = rule.constant[0] if rule.constant else None
    attributes: dict[str, Any] = {}
    if known:
        if rule.match is not None:
            parts = rule.match.fullmatch(str(known[0].value))
            if parts is None:
                return None
            attributes |= {name: text for name, text in parts.groupdict().items() if name != "value"}
            known = [Quantity(parts["value"], None, known[0].source, known[0].raw)]
        value = _written(field, rule, known)
    if value is None or not _attributes_of(rule, record, attributes):
        return None
    if field.words and value not in field.words:
        if not field.open:
            return None
        attributes["custom"] = True
    if field.unit is not None and field.unit != "1":
        attributes["units"] = field.unit
    return Placed(value, attributes, rule.terms)


def _attributes_of(rule: Rule, record: Record, into: dict[str, Any]) -> bool:
    """Add the rule's attributes; tell whether all of them are known."""
    for name, value in rule.attributes.items():
        if isinstance(value, Mapping):
            quantity = record.terms.get(value["term"])
            if quantity is None:
                return False
            into[name] = str(quantity.value)
        else:
            into[name] = value
    return True


def _written(field: Field, rule: Rule, known: list[Quantity]) -> Any:
    if field.type == "number":
        numbers = [_number(quantity, field.unit or "1") for quantity in known]
        if any(number is None for number in numbers):
            return None
        return numbers if len(rule.terms) > 1 else numbers[0]
    value = known[0].value
    if rule.map is not None:
        value = rule.map.get(str(value), rule.map.get("*"))
        value = known[0].value if value == "*" else value
    if field.type == "boolean":
        return value if isinstance(value, bool) else None
    if field.type == "time":
        return value if _has_offset(value) else None
    if field.type == "list":
        return ", ".join(map(str, value)) or None if isinstance(value, list) else str(value)
    return str(value).strip() or None if value is not None else None


def _number(quantity: Quantity, unit: str) -> float | None:
    value = quantity.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(units.convert(value, quantity.unit or "1", unit))


_OFFSET = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")


def _has_offset(value: Any) -> bool:
    """Tell whether a text is a moment of a day with an offset from UTC, written as the schema's judges read it."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None and _OFFSET.search(value) is not None
    except (TypeError, ValueError):
        return False


def _holds(rule: Rule, record: Record) -> bool:
    return (
        all(_is_one_of(record, condition) for condition in rule.when)
        and not any(_is_one_of(record, condition) for condition in rule.unless)
        and all(_reaches(record, bound, at_least=True) for bound in rule.at_least)
        and all(_reaches(record, bound, at_least=False) for bound in rule.at_most)
        and _in_file(record, rule.from_file)
    )


def _in_file(record: Record, names: Iterable[str]) -> bool:
    return all(name in record.terms and not merge.is_outside(record.terms[name]) for name in names)


def _is_one_of(record: Record, condition: Condition) -> bool:
    name, texts = condition
    if name == FORMAT:
        value = record.format
    elif name in record.terms:
        value = str(record.terms[name].value)
    else:
        return False
    return any(value == text or paths.wildcard(text.casefold()).fullmatch(value.casefold()) for text in texts)


def _reaches(record: Record, bound: Bound, *, at_least: bool) -> bool:
    name, number, unit = bound
    quantity = record.terms.get(name)
    value = None if quantity is None else _number(quantity, quantity.unit or "1")
    if quantity is None or value is None:
        return False
    limit = units.convert(number, unit, quantity.unit or "1")
    return value >= limit if at_least else value <= limit
