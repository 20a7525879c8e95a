"""The query language of ``list`` and ``search``, as a pure parser; ``queries`` turns what it finds into SQL.

``word`` ``"two words"`` ``pre*``     anywhere in the indexed fields; all must be there
``sample:wafer`` ``folder:"run 7"``   in one field (``FIELDS``); ``format:`` and ``id`` are exact
``magnification>5k``                  a term and a number: ``=`` (within 0.5 %) ``>`` ``>=`` ``<`` ``<=``
``beam.accelerating_voltage=10kV``    with a unit; a short name will do where it is unambiguous
``instrument.vendor=FEI``             a term and a text: ``=`` the whole, ``:`` a part; case does not matter
``category:nanowires``                what the picture shows; also ``label:``, ``predicted:``, ``decision:uncertain``
``after:2024-05`` ``before:2024-06-01``   start of the acquisition, from and until (not included)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nffa_cli.catalogue.indexing import FIELDS
from nffa_cli.crosswalk.units import convert
from nffa_cli.errors import CrosswalkError, UsageError

Comparison = Literal["=", ">", ">=", "<", "<="]

TOLERANCE = 0.005
"""``=`` on numbers accepts this relative difference: instruments report 10.01 kV for 10 kV."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text to be found as it stands (``prefix``: its last word may go on), in one field or in any."""

    text: str
    prefix: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class NumberIs:
    """A term's number lies between ``low`` and ``high``; None: no bound. ``open``: the bounds are not included."""

    term: str
    low: float | None
    high: float | None
    open: bool = False


@dataclass(frozen=True, slots=True)
class TextIs:
    """A term's folded text equals ``text``, or holds it (``part``)."""

    term: str
    text: str
    part: bool = False


@dataclass(frozen=True, slots=True)
class FormatIs:
    """The format is exactly this one."""

    format: str


@dataclass(frozen=True, slots=True)
class StartIs:
    """The acquisition started at or after ``after``, and before ``before``; both are leading parts of ISO 8601."""

    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class CategoryIs:
    """What the picture shows is ``text``, or holds it (``part``); ``field``: one of ``CATEGORIES``."""

    field: str
    text: str
    part: bool = False


CATEGORIES = ("category", "label", "predicted", "decision")
"""What counts (a person's label, else an accepted prediction); what persons say; what a model says; how sure it is."""

Filter = NumberIs | TextIs | FormatIs | StartIs | CategoryIs


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked; everything must hold."""

    words: tuple[Words, ...] = ()
    filters: tuple[Filter, ...] = ()


_ITEM = re.compile(
    r"""(?P<name>[A-Za-z_][\w.]*)(?P<op>>=|<=|=|>|<|:)(?:"(?P<quoted>[^"]*)"|(?P<value>\S*))"""
    r"""|"(?P<phrase>[^"]*)"(?P<star>\*?)|(?P<word>\S+)"""
)
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d)?)?)?)?)?")


def parse(text: str, terms: Mapping[str, str | None]) -> Query:
    """Return what ``text`` asks for.

    Parameters
    ----------
    text
        See the head of this module.
    terms
        The names that may be filtered on, each with its canonical unit (None: text).

    Raises
    ------
    UsageError
        For a name that is no term and no field, a value that does not fit the term, a date that is none.
    """
    words: list[Words] = []
    filters: list[Filter] = []
    for item in _ITEM.finditer(text):
        if item["name"] is None:
            words += _words(item["phrase"] if item["word"] is None else item["word"], star=bool(item["star"]))
            continue
        name, op = item["name"], item["op"]
        value = item["value"] if item["quoted"] is None else item["quoted"]
        if not value:
            raise UsageError(f"no value after {name}{op}", hint=f"for example {name}{op}10 or {name}{op}text")
        if name in ("after", "before") and op == ":":
            filters.append(_start(name, value))
        elif name == "format" and op in ":=":
            filters.append(FormatIs(value.casefold()))
        elif name in CATEGORIES and op in ":=":
            filters.append(CategoryIs(name, value, part=op == ":"))
        elif name in FIELDS and op in ":=":
            words += _words(value, field=name)
        else:
            filters.append(_condition(_term(name, terms), op, value, terms))
    return Query(tuple(words), tuple(filters))


def match_expression(words: tuple[Words, ...]) -> str:
    """Return the FTS5 expression: each text quoted, so that nothing a user types is ever FTS5 syntax."""
    parts = []
    for item in words:
        quoted = '"' + item.text.replace('"', '""') + '"' + ("*" if item.prefix else "")
        parts.append(f"{item.field} : {quoted}" if item.field else quoted)
    return " AND ".join(parts)


def _words(text: str, *, star: bool = False, field: str | None = None) -> list[Words]:
    """Return the text to look for; none if it holds no letter or digit, which the index does not hold either."""
    prefix = star or text.endswith("*")
    text = text.rstrip("*").encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    return [Words(text, prefix, field)] if any(character.isalnum() for character in text) else []


def _start(name: str, value: str) -> StartIs:
    if not _DATE.fullmatch(value):
        raise UsageError(f"{value!r} is not a date", hint=f"{name}:2024, {name}:2024-05-31 or {name}:2024-05-31T14:00")
    moment = value.replace(" ", "T")
    return StartIs(after=moment) if name == "after" else StartIs(before=moment)


def _term(name: str, terms: Mapping[str, str | None]) -> str:
    """Return the full name of a term that may be given by its last part."""
    if name in terms:
        return name
    matches = sorted(term for term in terms if term.rpartition(".")[2] == name)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"{name!r} may mean {' or '.join(matches)}", hint=f"write {matches[0]}")
    from difflib import get_close_matches

    short = [term.rpartition(".")[2] for term in terms]
    close = [term for term in short if name in term] or get_close_matches(name, [*FIELDS, *terms, *short], n=1)
    hint = (
        f"did you mean {' or '.join(close[:3])}?"
        if close
        else f'put quotes around a text that is no filter: "{name}:…"'
    )
    raise UsageError(f"no record has a term or field {name!r}", hint=hint)


def _condition(term: str, op: str, value: str, terms: Mapping[str, str | None]) -> Filter:
    unit = terms[term]
    if unit is None:
        if op not in ":=":
            raise UsageError(f"{term} is a text and has no order", hint=f"{term}={value} or {term}:{value}")
        return TextIs(term, value.casefold(), part=op == ":")
    number = quantity(value, unit, term)
    if op in ":=":
        margin = abs(number) * TOLERANCE
        return NumberIs(term, number - margin, number + margin)
    low, high = (number, None) if op.startswith(">") else (None, number)
    return NumberIs(term, low, high, open=not op.endswith("="))


def quantity(text: str, unit: str, term: str) -> float:
    """Return ``text`` (``10kV``, ``5k``, ``1.2 mm``) in the canonical ``unit``; no unit means the canonical one."""
    parts = _NUMBER.fullmatch(text.strip())
    if parts is None:
        raise UsageError(f"{text!r} is not a number, which {term} is", hint=f"for example {term}>5{_shown(unit)}")
    try:
        return convert(float(parts[1]), parts[2].strip() or unit, unit)
    except CrosswalkError as error:
        raise UsageError(f"{term}: {error}", hint=f"for example {term}>5{_shown(unit)}") from error


def _shown(unit: str) -> str:
    return "k" if unit == "1" else unit
