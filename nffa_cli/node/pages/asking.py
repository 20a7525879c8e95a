"""What a person asks for, as the address of a page says it, and back; pure. A field without sense is told and left aside."""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from nffa_cli.node import describing, words
from nffa_cli.node.search import Question

LONGEST = 1000
CHOICES = {
    "access": ("open", "embargoed"), "view": ("table",), "sort": ("started",),
    "kind": ("measurement", "calculation", "simulation"),
}  # fmt: skip
"""Field → what it may say; nothing else than these."""
NUMBERS = ("kvMin", "kvMax")
DAYS = ("from", "to")
COLUMNS = {
    "kind": "kind", "technique": "technique", "sample": "sample", "category": "category", "format": "format",
    "experiment": "experiment", "proposal": "proposal",
}  # fmt: skip
"""Field → the column that is to be equal."""
FACETS = {
    "category": "Category", "instrument": "Instrument", "technique": "Technique", "sample": "Sample", "format": "Format",
    "kind": "Kind",
}  # fmt: skip
"""Field → heading of the list of its values."""


@dataclass(frozen=True, slots=True)
class Asked:
    """All fields of the search as the address has them; empty: not asked for. ``kvMin``, ``kvMax``: kV; ``to`` is included."""

    q: str = ""
    category: str = ""
    instrument: str = ""
    technique: str = ""
    sample: str = ""
    format: str = ""
    kind: str = ""
    tag: str = ""
    kvMin: str = ""
    kvMax: str = ""
    from_: str = ""
    to: str = ""
    access: str = ""
    proposal: str = ""
    experiment: str = ""
    collection: str = ""
    view: str = ""
    sort: str = ""

    def said(self) -> dict[str, str]:
        """Return what is asked for, as the address has it."""
        held = {each.name.rstrip("_"): getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in held.items() if value}

    def address(self, **changes: str) -> str:
        """Return the address of this question with some fields different."""
        said = replace(self, **changes).said()
        return "/?" + urlencode(said) if said else "/"

    def filters(self) -> dict[str, str]:
        """Return what narrows the hits besides words."""
        return {name: value for name, value in self.said().items() if name not in ("q", "view", "sort")}

    def question(self) -> Question:
        """Return what is asked of the database."""
        said = self.said()
        return Question(
            phrases=words.parsed(self.q),
            equal={column: said[name] for name, column in COLUMNS.items() if name in said},
            instrument=self.instrument or None,
            voltage=(_volts(self.kvMin), _volts(self.kvMax)),
            start=(describing.moment(self.from_ or None), _day_after(self.to)),
            open_only=self.access == "open",
            closed_only=self.access == "embargoed",
            tag=self.tag or None,
            collection=self.collection or None,
        )


def read(said: Mapping[str, str]) -> tuple[Asked, list[str]]:
    """Return what the query of an address asks for, and sentences about what in it makes no sense."""
    found: dict[str, str] = {}
    wrong = []
    for each in fields(Asked):
        name = each.name.rstrip("_")
        value = " ".join(said.get(name, "").split())[:LONGEST]
        if value and (fault := _fault(name, value)):
            wrong.append(fault)
        elif value:
            found[each.name] = value
    return Asked(**found), wrong


def _fault(name: str, value: str) -> str | None:
    if name in CHOICES:
        return None if value in CHOICES[name] else f"{name}: {value} is not one of {', '.join(CHOICES[name])}"
    if name in NUMBERS:
        return None if _volts(value) is not None else f"Voltage: {value} is not a number of kV"
    if name in DAYS:
        return None if _day(value) is not None else f"Date: {value} is not a day such as 2026-11-21"
    return None


def _volts(text: str) -> float | None:
    try:
        found = float(text.replace(",", ".")) * 1000
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= 1e9 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-21") else None
    except ValueError:
        return None


def _day_after(text: str) -> str | None:
    found = _day(text)
    if found is None or found == date.max:
        return None
    return describing.moment((found + timedelta(days=1)).isoformat())


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: what it is called, how many hits have it, where it leads; ``chosen``: it leads away from it."""

    name: str
    count: int
    address: str
    chosen: bool


def facets(asked: Asked, counted: Mapping[str, Any]) -> list[tuple[str, list[Value]]]:
    """Return heading and values of each facet that has any, from what ``search.facets`` counted."""
    found = []
    for name, heading in FACETS.items():
        chosen = getattr(asked, name)
        rows = counted["instrumentName" if name == "instrument" else name]
        values = [
            Value(row["value"], row["count"], asked.address(**{name: "" if row["value"] == chosen else row["value"]}),
                  row["value"] == chosen)
            for row in rows
        ]  # fmt: skip
        if chosen and not any(value.chosen for value in values):
            values.insert(0, Value(chosen, 0, asked.address(**{name: ""}), True))
        if values:
            found.append((heading, values))
    if dates := _dates(asked, counted):
        found.append(("Date", dates))
    names = {True: ("Open to everybody", "open"), False: ("Under embargo", "embargoed")}
    access = [
        Value(title, row["count"], asked.address(access="" if asked.access == word else word), asked.access == word)
        for row in counted["open"]
        for title, word in [names[row["value"]]]
    ]
    return [*found, ("Access", access)] if access else found


def _dates(asked: Asked, counted: Mapping[str, Any]) -> list[Value]:
    """Return the years of what is found or, where it is all of one, that and its months; each leads to its days."""
    years, months = counted["year"], counted["month"]
    year = years[0]["value"] if len(years) == 1 else ""
    found = [_span(asked, row["value"], row["count"], "") for row in years]
    return found + [_span(asked, row["value"], row["count"], year) for row in months] if year else found


def _span(asked: Asked, name: str, count: int, year: str) -> Value:
    """Return a year or month; chosen, it leads to ``year``, or to all time where that is empty."""
    days, whole = _days(name), _days(year) if year else ("", "")
    chosen = (asked.from_, asked.to) == days
    first, last = whole if chosen else days
    return Value(name, count, asked.address(from_=first, to=last), chosen)


def _days(name: str) -> tuple[str, str]:
    """Return the first and the last day of a year or month."""
    year, _, month = name.partition("-")
    if not month:
        return f"{year}-01-01", f"{year}-12-31"
    return f"{name}-01", f"{name}-{monthrange(int(year), int(month))[1]}"
