"""Crosswalk × raw metadata → record and report. Pure: no files, no clock, no guess.

A value that cannot be used becomes a warning that says where the rule stands; a value that is not there stays absent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple, cast

from nffa_cli.crosswalk import clock, transforms, units
from nffa_cli.crosswalk.load import Condition, Crosswalk, Field, Rule
from nffa_cli.crosswalk.numbers import Unfit, parse, plain
from nffa_cli.crosswalk.paths import Found, Tree, wildcard
from nffa_cli.crosswalk.vocabulary import Term, Vocabulary
from nffa_cli.records import Axis, Quantity, RawMetadata, Record, Remark, Signal

PLACEHOLDERS = frozenset({
    "", "-", "--", "---", "?", "n/a", "n.a.", "none", "null", "nan", "unknown", "undefined", "not available", "not set",
    "unspecified", "not specified", "<unknown>", "(unknown)",
})  # fmt: skip
"""Texts that every vendor writes for "nothing here", in lower case."""

_DEFAULT = {"number": "quantity", "text": "text", "time": "local_datetime", "list": "text", "boolean": "text"}
_WORDS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
_YEARS = (1980, 2100)
KINDS, LEAVES = 32, 4000
"""Of how many sets of leaves, of how many leaves at most, it is remembered what a crosswalk can find in them."""


class Report(NamedTuple):
    """How a record came about.

    rules
        Term → ``file:line`` of the rule that gave its value.
    used
        Full paths whose values are in the record.
    mapped, ignored, unmapped
        Number of leaves that some rule reads, that ``ignore`` covers, and that are left over.
    tree, left
        The tree, and the paths in it that are left over, in no order.
    """

    rules: Mapping[str, str]
    used: frozenset[str]
    missing: tuple[str, ...]
    mapped: int
    ignored: int
    unmapped: int
    tree: Tree
    left: frozenset[str]

    @property
    def left_over(self) -> tuple[str, ...]:
        """Paths that no rule reads and ``ignore`` does not cover, in the tree's order."""
        return tuple(path for path in self.tree.flat if path in self.left)


class _Reach(NamedTuple):
    """What a crosswalk can find in trees with the same leaves, whatever their values.

    fields
        The fields of which some rule may find something, with these rules only.
    mapped, ignored, left
        As in ``Report``.
    """

    fields: tuple[tuple[Field, Term], ...]
    mapped: int
    ignored: int
    left: frozenset[str]


class Attempt(NamedTuple):
    """One value that was tried for a term, for ``explain``; ``verdict`` None: it was taken."""

    line: int
    source: str | None
    raw: Any
    unit: str | None
    verdict: str | None


class _Result(NamedTuple):
    quantity: Quantity
    line: int
    paths: tuple[str, ...]
    remarks: tuple[Remark, ...] = ()


def apply(
    crosswalk: Crosswalk,
    vocabulary: Vocabulary,
    raw: RawMetadata,
    *,
    date_order: str | None = None,
    timezone: str | None = None,
) -> tuple[Record, Report]:
    """Return the record of ``raw`` and the report of how it came about.

    Parameters
    ----------
    date_order
        DMY, MDY or YMD: how this instrument's PC writes dates, for those that can be read in two ways.
    timezone
        IANA name of the zone that this instrument's clock keeps, for times without offset.

    Raises
    ------
    CrosswalkError
        The crosswalk names a term that the vocabulary lacks.
    ConfigError
        ``timezone`` is no IANA name.
    """
    tree = Tree(crosswalk, raw)
    engine = _Engine(crosswalk, tree, cast("Any", date_order), timezone)
    terms: dict[str, Quantity] = {}
    rules: dict[str, str] = {}
    used: set[str] = set()
    remarks = list(raw.warnings)
    reach = _reach(tree, crosswalk, vocabulary, tuple(raw.anchors.items()))
    for item, term in reach.fields:
        result = engine.value(item, term, remarks)
        if result is not None and item.name not in terms:
            terms[item.name] = result.quantity
            rules[item.name] = f"{crosswalk.file}:{result.line}"
            used.update(result.paths)
    signals = tuple(engine.signal(signal, remarks, used) for signal in raw.signals)
    missing = tuple(name for name in vocabulary.expected if name not in terms)
    report = Report(
        rules=rules,
        used=frozenset(used),
        missing=missing,
        mapped=reach.mapped,
        ignored=reach.ignored,
        unmapped=len(reach.left),
        tree=tree,
        left=reach.left,
    )
    record = Record(crosswalk.format, terms, signals, missing, len(reach.left), tuple(dict.fromkeys(remarks)))
    return record, report


def _reach(tree: Tree, crosswalk: Crosswalk, vocabulary: Vocabulary, anchors: tuple[tuple[str, str], ...]) -> _Reach:
    """Return what can be found in ``tree``; worked out once for the files of one instrument, whose leaves are the same."""
    key = (id(crosswalk), id(vocabulary), anchors, frozenset(tree.flat))
    if (known := _reaches.get(key)) is not None:
        return known[0]
    fields = []
    for item in crosswalk.fields:
        term = vocabulary.term(item.name, f"{crosswalk.file}:{item.line}")
        if rules := tuple(rule for rule in item.rules if not tree.lacks(rule.inputs)):
            fields.append((item._replace(rules=rules), term))
    rest = tree.flat.keys() - tree.known(crosswalk.paths)
    left = tree.covered(crosswalk.ignore).outside(rest)
    reach = _Reach(tuple(fields), len(tree.flat) - len(rest), len(rest) - len(left), left)
    if len(tree.flat) <= LEAVES:
        if len(_reaches) >= KINDS:
            _reaches.clear()
        _reaches[key] = (reach, crosswalk, vocabulary)  # both are kept, so that their ids stay theirs
    return reach


def attempts(
    crosswalk: Crosswalk, term: Term, raw: RawMetadata, *, date_order: str | None = None, timezone: str | None = None
) -> tuple[Quantity | None, tuple[Attempt, ...], tuple[Remark, ...]]:
    """Return the value that ``term`` gets, all that was tried for it in order, and the warnings."""
    engine = _Engine(crosswalk, Tree(crosswalk, raw), cast("Any", date_order), timezone)
    engine.trace = []
    remarks: list[Remark] = []
    quantity = None
    for item in crosswalk.fields:
        if item.name == term.name and quantity is None:
            result = engine.value(item, term, remarks)
            quantity = result.quantity if result else None
    return quantity, tuple(engine.trace), tuple(remarks)


_reaches: dict[tuple[int, int, tuple[tuple[str, str], ...], frozenset[str]], tuple[_Reach, Crosswalk, Vocabulary]] = {}


class _Engine:
    """The rules of one crosswalk at work on one tree."""

    def __init__(
        self, crosswalk: Crosswalk, tree: Tree, date_order: Literal["DMY", "MDY", "YMD"] | None, timezone: str | None
    ) -> None:
        self.file = crosswalk.file
        self.axes = {item.name: item for item in crosswalk.axes}
        self.tree = tree
        self.date_order = date_order
        self.timezone = timezone
        self.trace: list[Attempt] | None = None

    def value(self, item: Field, term: Term, remarks: list[Remark]) -> _Result | None:
        """Return the first value that a rule of the field yields; its troubles, if none does, become remarks."""
        troubles: list[Remark] = []
        for rule in item.rules:
            if (rule.when or rule.unless) and not self._applies(rule):
                self._tried(rule, None, None, None, "its condition does not hold")
                continue
            for sources in self._inputs(rule):
                raw = _raw(sources)
                cited = " + ".join(found.source for found in sources.values()) or f"crosswalk:{self.file}"
                try:
                    result = self._make(rule, term, sources, raw, cited)
                except Unfit as unfit:
                    self._tried(rule, cited, raw, None, unfit.why)
                    if unfit.code:
                        where = f"{self.file}:{rule.line}"
                        troubles.append(Remark(unfit.code, f"{item.name}: {cited} {_shown(raw)} {unfit.why} ({where})"))
                    continue
                self._tried(rule, cited, raw, result.quantity.unit, None)
                remarks += [trouble for trouble in troubles if trouble.code == "unit-conflict"]
                remarks += result.remarks
                return result
        remarks += troubles
        return None

    def signal(self, signal: Signal, remarks: list[Remark], used: set[str]) -> Signal:
        """Return the signal with calibrated, canonical axes."""
        return replace(signal, axes=tuple(self._axis(axis, remarks, used) for axis in signal.axes))

    def _axis(self, axis: Axis, remarks: list[Remark], used: set[str]) -> Axis:
        if axis.unit is not None:
            return _canonical(axis, remarks)
        item = self.axes.get(axis.name)
        if item is None:
            return axis
        for rule in item.rules:
            wanted = units.canonical(rule.unit)[1] if rule.unit else "m"
            term = Term(f"axis {axis.name}", "number", wanted, "")
            result = self.value(Field(term.name, rule.line, (rule,)), term, remarks)
            if result is None:
                continue
            scale = result.quantity.value
            if scale <= 0:
                where = f"{self.file}:{rule.line}"
                remarks.append(Remark("implausible", f"axis {axis.name}: a pixel size of {scale:g} {wanted} ({where})"))
                continue
            used.update(result.paths)
            return replace(axis, scale=scale * axis.scale, offset=scale * axis.offset, unit=wanted)
        return axis

    def _applies(self, rule: Rule) -> bool:
        return all(self._holds(condition) for condition in rule.when) and not any(
            self._holds(condition) for condition in rule.unless
        )

    def _holds(self, condition: Condition) -> bool:
        path, texts = condition
        for found in self.tree.find((path,)):
            text = _plain(found.value)
            if any(text == wanted or ("*" in wanted and text and wildcard(wanted).fullmatch(text)) for wanted in texts):
                return True
        return False

    def _inputs(self, rule: Rule) -> Iterator[dict[str, Found]]:
        """Yield what the rule may be fed with: each present value of its one input, or one set of named inputs."""
        if rule.constant:
            yield {}
            return
        if len(rule.inputs) == 1:
            name, paths = rule.inputs[0]
            nothing = True
            for found in self.tree.find(paths):
                nothing = False
                if _is_absent(found.value, rule.absent):
                    self._tried(rule, found.source, found.value, None, "means that nothing was recorded")
                else:
                    yield {name: found}
            if nothing and self.trace is not None:
                self._tried(rule, ", ".join(paths), None, None, "is not in the file")
            return
        sources: dict[str, Found] = {}
        row = transforms.TABLE[rule.using or "quantity"]
        for name, paths in rule.inputs:
            first = next((found for found in self.tree.find(paths) if not _is_absent(found.value, rule.absent)), None)
            if first is not None:
                sources[name] = first
            elif name in row.inputs if row.inputs is not None else not row.partial:
                self._tried(rule, ", ".join(paths), None, None, "is not in the file")
                return
        if sources:
            yield sources

    def _make(self, rule: Rule, term: Term, sources: dict[str, Found], raw: Any, cited: str) -> _Result:
        paths = tuple(found.path for found in sources.values() if found.path)
        if rule.constant:
            reading = transforms.Reading(rule.constant[0])
            raw = rule.constant[0]
        else:
            reading = self._read(rule, term, {name: found.value for name, found in sources.items()})
        unit: str | None = None
        extra: dict[str, Any] = {}
        remarks: list[Remark] = []
        where = f"{self.file}:{rule.line}"
        if term.type == "number":
            unit = term.unit
            value: Any = self._number(rule, term, reading)
            if term.plausible and not term.plausible[0] <= value <= term.plausible[1]:
                low, high = term.plausible
                if value <= 0 < low:  # -1 or 0 is how programs write "not known"
                    raise Unfit("implausible", f"is {value:g} {unit}, but can only be above zero")
                detail = f"{term.name}: {value:g} {unit} is outside {low:g} to {high:g} {unit} ({cited}, {where})"
                remarks.append(Remark("implausible", detail))
        elif term.type == "time":
            value, extra = self._moment(reading, term, cited, remarks)
        else:
            value = _worded(reading.value, term)
        return _Result(Quantity(value, unit, cited, raw, extra), rule.line, paths, tuple(remarks))

    def _read(self, rule: Rule, term: Term, inputs: dict[str, Any]) -> transforms.Reading:
        if rule.map is not None and rule.using is None:
            return transforms.Reading(_mapped(rule.map, _plain(next(iter(inputs.values())))))
        row = transforms.TABLE[rule.using or _DEFAULT[term.type]]
        if term.type == "list" and rule.using is None and isinstance(inputs["value"], list):
            return transforms.Reading(inputs["value"])
        situation = transforms.Situation(rule.options, rule.unit, self.tree.width, self.date_order)
        try:
            reading = row.function(inputs, situation)
        except units.UnknownUnit as error:
            raise Unfit("unknown-unit", f"has an {error.what}") from None
        if rule.map is not None:
            return transforms.Reading(_mapped(rule.map, _plain(reading.value)))
        return reading

    def _number(self, rule: Rule, term: Term, reading: transforms.Reading) -> float:
        number, unit = reading.value, reading.unit
        if not isinstance(number, float):
            number, unit = parse(number)
        if not math.isfinite(number):
            raise Unfit(None, "is not finite")
        if any(not isinstance(item, str | bool) and item is not None and number == item for item in rule.absent):
            raise Unfit(None, "means that nothing was recorded")
        unit = unit or self._unit_beside(rule) or rule.unit or ("1" if term.unit == "1" else None)
        if unit is None or term.unit is None:
            raise Unfit("no-unit", "has no unit, and the rule names none")
        try:
            value = units.convert(number, unit, term.unit)
        except units.UnknownUnit as error:
            raise Unfit("unknown-unit", f"has an {error.what}") from None
        except units.UnitMismatch as error:
            raise Unfit("unit-conflict", f"has a unit that does not fit: {error.what}") from None
        if not math.isfinite(value):
            raise Unfit(None, "is not finite")
        return value

    def _unit_beside(self, rule: Rule) -> str | None:
        for found in self.tree.find(rule.unit_from):
            if isinstance(found.value, str) and not _is_absent(found.value, ()):
                return plain(found.value)
        return None

    def _moment(
        self, reading: transforms.Reading, term: Term, cited: str, remarks: list[Remark]
    ) -> tuple[str, dict[str, Any]]:
        moment = reading.value
        if not isinstance(moment, date):
            raise Unfit("unreadable-date", "is no date")
        if not _YEARS[0] <= moment.year < _YEARS[1]:
            raise Unfit("implausible", f"is in the year {moment.year}")
        if not isinstance(moment, datetime):
            return moment.isoformat(), {"time_source": "file"}
        if moment.tzinfo is not None:
            return moment.isoformat(), {"time_source": "vendor-utc" if reading.utc else "file"}
        if reading.other is not None and abs(moment - reading.other) > clock.AGREE:
            perhaps = clock.maybe_utc(moment, reading.other)
            known = clock.by_two(moment, reading.other, self.timezone) if perhaps and self.timezone else None
            if known is not None:
                return known.isoformat(), {"time_source": "vendor-local+profile"}
            detail = (
                f"{term.name}: {moment.isoformat()}, but the other clock in the file says {reading.other.isoformat()}"
            )
            detail += ": one may be UTC and the other local time" if perhaps else ""
            remarks.append(Remark("clock-disagreement", f"{detail} ({cited})"))
            if perhaps:
                return moment.isoformat(), {"time_source": "file"}
        if self.timezone is None:
            return moment.isoformat(), {"time_source": "file"}
        settled, trouble = clock.zoned(moment, self.timezone)
        if trouble:
            remarks.append(Remark("ambiguous-time", f"{term.name}: {moment.isoformat()} {trouble} ({cited})"))
            return moment.isoformat(), {"time_source": "file"}
        return settled.isoformat(), {"time_source": "vendor-local+profile"}

    def _tried(self, rule: Rule, source: str | None, raw: Any, unit: str | None, verdict: str | None) -> None:
        if self.trace is not None:
            self.trace.append(Attempt(rule.line, source, raw, unit, verdict))


def _canonical(axis: Axis, remarks: list[Remark]) -> Axis:
    """Return an axis that the reader calibrated, in the canonical unit; uncalibrated where that is impossible."""
    bare = replace(axis, scale=1.0, offset=0.0, unit=None)
    try:
        unit = units.lookup(axis.unit or "", "m")
    except units.UnknownUnit:
        remarks.append(Remark("unknown-unit", f"axis {axis.name}: unit '{axis.unit}' is not known, left uncalibrated"))
        return bare
    if unit.canonical in units.UNCALIBRATED:
        return replace(axis, unit=None)
    scale = units.scaled(axis.scale, unit.factor)
    offset = units.scaled(axis.offset, unit.factor) + unit.shift
    if not (math.isfinite(scale) and math.isfinite(offset) and scale):
        remarks.append(Remark("implausible", f"axis {axis.name}: scale {axis.scale} {axis.unit}, left uncalibrated"))
        return bare
    return replace(axis, scale=scale, offset=offset, unit=unit.canonical)


def _is_absent(value: Any, absent: Sequence[Any]) -> bool:
    """Tell whether a raw value means "not recorded": None, a placeholder text, or one of the rule's own."""
    if isinstance(value, str):
        text = plain(value).casefold()
        if text in PLACEHOLDERS:
            return True
        if absent and any(isinstance(item, str) and text == item.casefold() for item in absent):
            return True
    elif value is None or isinstance(value, dict):
        return not value or "@float" in value
    elif isinstance(value, bool | list):
        return value == []
    if not absent or not any(not isinstance(item, str | bool) and item is not None for item in absent):
        return False
    try:
        number = parse(value)[0]
    except Unfit:
        return False
    return any(not isinstance(item, str | bool) and item is not None and number == item for item in absent)


def _plain(value: Any) -> str:
    """Return a raw value as the text that ``map`` and ``when`` compare; "" for what is no single value."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""


def _mapped(table: Mapping[str, Any], text: str) -> Any:
    value = table[text] if text in table else table.get("*", ...)
    if value is ...:
        raise Unfit("unmapped-value", f"is none of {', '.join(table)}")
    if value is None:
        raise Unfit(None, "means that nothing was recorded")
    return text if value == "*" else value


def _worded(value: Any, term: Term) -> Any:
    """Return the value of a text, list or boolean term."""
    if term.type == "list":
        items = value if isinstance(value, list) else str(value).split(",")
        texts = [plain(str(item)) for item in items if not isinstance(item, dict | list)]
        texts = [text for text in texts if text.casefold() not in PLACEHOLDERS]
        if not texts:
            raise Unfit(None, "is empty")
        return texts
    text = _plain(value) if not isinstance(value, list) else ", ".join(_plain(item) for item in value)
    if text.casefold() in PLACEHOLDERS:
        raise Unfit(None, "means that nothing was recorded")
    if term.type == "boolean":
        if text.casefold() not in _WORDS:
            raise Unfit("unreadable-value", "is neither true nor false")
        return _WORDS[text.casefold()]
    # A vendor's JSON may hold half of a surrogate pair, which nothing outside can write.
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _raw(sources: Mapping[str, Found]) -> Any:
    if len(sources) == 1:
        return next(iter(sources.values())).value
    return {name: found.value for name, found in sources.items()} or None


def _shown(raw: Any) -> str:
    text = repr(" ".join(map(str, raw.values())) if isinstance(raw, Mapping) else raw)
    return text if len(text) <= 80 else f"{text[:77]}…"
