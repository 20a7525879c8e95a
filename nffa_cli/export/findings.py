"""What the checker may find: a rule for each defect, its level, and the list that a check fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["error", "warning", "note"]
"""error: the file is not valid; warning: valid, but probably not meant so; note: could be better."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule demands; ``about`` is a sentence for the docs."""

    level: Level
    about: str


RULES: dict[str, Rule] = {
    # what is there
    "no-entry": Rule("error", "The file holds an NXentry whose `definition` is NXem."),
    "wrong-definition": Rule("error", "An entry says by `definition` what it is, and it is NXem."),
    "missing-group": Rule("error", "A required group is there (where its parent is)."),
    "missing-field": Rule("error", "A required field is there (where its group is)."),
    "missing-attribute": Rule("error", "A required attribute is there."),
    "recommended": Rule("note", "A recommended group, field or attribute is there."),
    "other-version": Rule("warning", "`definition/@version` is the release that is checked against."),
    "no-version": Rule("note", "`definition/@version` says which release of NeXus is meant."),
    # names and classes
    "undocumented-group": Rule("error", "A group outside NXcollection is known to NXem by name and class."),
    "undocumented-field": Rule("error", "A field outside NXcollection is known to NXem."),
    "undocumented-attribute": Rule("error", "An attribute outside NXcollection is known to NXem."),
    "undocumented-link": Rule("error", "A link outside NXcollection has a name that NXem knows."),
    "no-class": Rule("error", "Every group says its NX_class."),
    "no-class-in-collection": Rule("warning", "Every group below an NXcollection says its NX_class, too."),
    "unknown-class": Rule("error", "NX_class is a class of NeXus."),
    "wrong-class": Rule("error", "A group whose name NXem defines has the class that NXem gives to this name."),
    "wrong-kind": Rule("error", "What NXem calls a group is no field, and the other way round."),
    "bad-name": Rule("error", "Names are letters, digits, underscores and inner dots."),
    "suffix-without-field": Rule("error", "A field such as `x_errors` belongs to a field `x` beside it."),
    "deprecated": Rule("note", "Nothing is used that NeXus has given up."),
    # values
    "type": Rule("error", "A value has the type that NXem asks for: text, number, integer, boolean, …"),
    "date-time": Rule("error", "A date-time is ISO 8601 with an offset: 2024-05-06T10:00:00+02:00."),
    "not-positive": Rule("error", "A positive integer is more than 0."),
    "closed-enumeration": Rule("error", "A value of a closed list is one of the list."),
    "open-enumeration": Rule("warning", "A value that an open list lacks is marked by `@custom` = true."),
    "empty-required": Rule("error", "A required text is not empty."),
    "empty-text": Rule("warning", "A text that is not required is left out rather than empty."),
    "placeholder": Rule("warning", "A required text is no stand-in such as unknown, n/a or ?."),
    "not-elements": Rule("warning", "`atom_types` lists symbols of elements, separated by commas."),
    "rank": Rule("error", "An array has as many dimensions as NXem gives it."),
    "size": Rule("error", "A dimension is as long as NXem says, and fields that share a dimension agree."),
    # units
    "unit-missing": Rule("error", "A quantity has `@units`."),
    "unit-unknown": Rule("error", "A unit is spelled so that programs understand it (um, not μm)."),
    "unit-dimension": Rule("error", "A unit measures what NXem asks for; pixels are a length on axes only."),
    "unit-forbidden": Rule("error", "A bare number has no `@units`."),
    "unit-undocumented": Rule("warning", "A field that NXem gives no unit has none."),
    # plots
    "signal": Rule("error", "`@signal` of an NXdata names a numeric field in it."),
    "axes": Rule("error", "`@axes` names a field for each dimension of the signal."),
    "axis-length": Rule("error", "An axis is as long as its dimension of the signal."),
    "indices-missing": Rule("error", "Every axis has its `@AXISNAME_indices`."),
    "indices-wrong": Rule("error", "`@AXISNAME_indices` is the position of the axis in `@axes`."),
    "axis-values": Rule("warning", "The positions along an axis are finite and differ."),
    "default-nowhere": Rule("error", "`@default` leads from the root to an NXdata with a signal."),
    "no-default": Rule("warning", "`@default` is there where there is something to plot."),
    # links and the file itself
    "dangling-link": Rule("error", "A link leads somewhere."),
    "link-target": Rule("error", "What a soft link leads to says its own path in `@target`."),
    "external-link": Rule("note", "Data lie in the file itself; what an external link leads to is not checked."),
    "unreadable": Rule("error", "Every part of the file can be read."),
    "too-much": Rule("error", "The file is of a sane size: 50 000 objects, 32 levels."),
    "pynxtools": Rule("error", "With `--full`: pynxtools has no complaint either."),
}
"""Rule → what it demands and how bad it is to break it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect: where, which rule, what is wrong and what to do.

    needs
        Of what is missing: the absolute paths of the fields and attributes that have to be supplied.
    """

    path: str
    rule: str
    level: Level
    what: str
    hint: str
    needs: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = {"at": self.path, "rule": self.rule, "level": self.level, "what": self.what, "hint": self.hint}
        return found | ({"needs": list(self.needs)} if self.needs else {})

    @classmethod
    def of_json(cls, line: Mapping[str, Any]) -> Finding:
        """Return the finding that ``as_json`` wrote."""
        return cls(line["at"], line["rule"], line["level"], line["what"], line["hint"], tuple(line.get("needs", ())))


MOST = 200
"""Findings of one rule in one file that are kept; a file with more is no better known by more."""


class Report:
    """The findings of one check, in the order of the file."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(self, path: str, rule: str, what: str, hint: str, needs: tuple[str, ...] = ()) -> None:
        """Note a defect."""
        self._counts[rule] += 1
        if self._counts[rule] <= MOST:
            self.findings.append(Finding(path, rule, RULES[rule].level, what, hint, needs))


def valid(findings: Iterable[Finding]) -> bool:
    """Tell whether no finding is an error."""
    return all(finding.level != "error" for finding in findings)


def missing(findings: Iterable[Finding]) -> list[str]:
    """Return the absolute paths of the required fields and attributes (``…/field@attribute``) that are not there.

    A group that is missing stands for what it would have to hold; one that may be empty stands for itself.
    """
    return list(dict.fromkeys(path for finding in findings for path in finding.needs))
