"""Proofs about crosswalks: is a file right, do its examples hold, how much of real trees does it cover, why this value.

Reads crosswalk files and takes trees; which instrument files the trees come from is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli.crosswalk import apply, document, incoming, load, outward, taking, transforms, units
from nffa_cli.crosswalk.vocabulary import Term, Vocabulary
from nffa_cli.errors import CrosswalkError, NffaError
from nffa_cli.records import Axis, RawMetadata, Record, Signal

EXAMPLES = ".examples.yaml"
_EXAMPLE_KEYS = frozenset({
    "name", "tree", "anchors", "terms", "axes", "absent", "warnings", "image", "kind", "date_order", "timezone",
})  # fmt: skip

_IMPORT_EXAMPLE_KEYS = frozenset({"name", "entry", "key", "fields", "files", "warnings"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where (``file:line``), with what may help."""

    where: str
    what: str
    hint: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return the JSON form."""
        return {"where": self.where, "what": self.what, "hint": self.hint}


@dataclass(slots=True)
class Coverage:
    """What became of the leaves of all trees of one format; ``left_over``: path → number of files, commonest first."""

    format: str
    files: int
    mapped: int
    ignored: int
    unmapped: int
    left_over: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "format": self.format,
            "files": self.files,
            "mapped": self.mapped,
            "ignored": self.ignored,
            "unmapped": self.unmapped,
            "left_over": self.left_over,
        }


def files(path: Path) -> list[Path]:
    """Return the inward crosswalk files at ``path``: itself, or those in a folder or its ``inward`` folder."""
    if not path.is_dir():
        return [path]
    folder = path / "inward" if (path / "inward").is_dir() else path
    return sorted(
        item for item in folder.glob("*.yaml") if not item.name.endswith(EXAMPLES) and item.name != "vocabulary.yaml"
    )


def check(path: Path, vocabulary: Vocabulary) -> list[Problem]:
    """Return all that is wrong with the crosswalk files at ``path`` and the examples beside them."""
    inward = [item for item in files(path) if not is_outward(item) and not incoming.is_import(item)]
    found = [problem for item in inward for problem in _check_file(item, vocabulary)]
    found += [problem for item in outward_files(path) for problem in _check_outward(item, vocabulary)]
    return found + [problem for item in import_files(path) for problem in _check_import(item)]


def all_files(path: Path) -> set[Path]:
    """Return the crosswalk files of every kind at ``path``."""
    return {*files(path), *outward_files(path), *import_files(path)}


def import_files(path: Path) -> list[Path]:
    """Return the import crosswalk files at ``path``: itself, or those in its ``import`` folder."""
    if not path.is_dir():
        return [path] if incoming.is_import(path) else []
    return [item for item in incoming.files(path) if not item.name.endswith(EXAMPLES)]


def outward_files(path: Path) -> list[Path]:
    """Return the outward crosswalk files at ``path``: itself, or those in its ``outward`` folder."""
    if not path.is_dir():
        return [path] if is_outward(path) else []
    return sorted((path if path.name == "outward" else path / "outward").glob("*.yaml"))


def is_outward(path: Path) -> bool:
    """Tell an outward crosswalk by its first words; a file that cannot be parsed is none."""
    try:
        head = document.read(path)[0].root.value
    except CrosswalkError:
        return False
    return isinstance(head, dict) and "outward" in head


def examples(path: Path) -> int:
    """Return how many examples lie beside a crosswalk file."""
    beside = _beside(path)
    return len(document.read(beside)[0].root.value) if beside.is_file() else 0


def coverage(trees: Iterable[RawMetadata], folder: Path, vocabulary: Vocabulary) -> list[Coverage]:
    """Return, by format, how many leaves of real trees are mapped, ignored and left over.

    ``folder`` holds the inward crosswalks; a format without one has everything left over.
    """
    found: dict[str, Coverage] = {}
    for raw in trees:
        crosswalk = load.for_format(raw.format, folder) or load.empty(raw.format)
        _, report = apply.apply(crosswalk, vocabulary, raw)
        row = found.setdefault(raw.format, Coverage(raw.format, 0, 0, 0, 0, {}))
        row.files += 1
        row.mapped += report.mapped
        row.ignored += report.ignored
        row.unmapped += report.unmapped
        for path in report.left_over:
            row.left_over[path] = row.left_over.get(path, 0) + 1
    for row in found.values():
        row.left_over = dict(sorted(row.left_over.items(), key=lambda item: -item[1]))
    return [found[name] for name in sorted(found)]


def explain(
    crosswalk: load.Crosswalk,
    vocabulary: Vocabulary,
    raw: RawMetadata,
    term: str,
    *,
    date_order: str | None = None,
    timezone: str | None = None,
) -> dict[str, Any]:
    """Return how ``term`` came to its value, as JSON: the value, and every rule and path that was tried, in order."""
    entry = vocabulary.term(term, crosswalk.file)
    quantity, attempts, warnings = apply.attempts(crosswalk, entry, raw, date_order=date_order, timezone=timezone)
    taken = next((attempt for attempt in attempts if attempt.verdict is None), None)
    return {
        "term": term,
        "definition": entry.definition,
        "format": raw.format,
        "result": quantity.as_json() if quantity else None,
        "rule": f"{crosswalk.file}:{taken.line}" if taken else None,
        "attempts": [
            {
                "rule": f"{crosswalk.file}:{attempt.line}",
                "source": attempt.source,
                "raw": attempt.raw,
                "verdict": attempt.verdict or "taken",
            }
            for attempt in attempts
        ],
        "warnings": [warning.as_json() for warning in warnings],
    }


def _check_file(path: Path, vocabulary: Vocabulary) -> Iterator[Problem]:
    try:
        crosswalk = load.load(path)
    except CrosswalkError as error:
        yield Problem(error.where or str(path), error.what, error.hint)
        return
    wrong = list(check_rules(crosswalk, vocabulary, str(path.with_name(crosswalk.file))))
    yield from wrong
    if not wrong and _beside(path).is_file():  # what is wrong with a rule would be said again for each example
        yield from _check_examples(crosswalk, vocabulary, _beside(path))


def check_rules(crosswalk: load.Crosswalk, vocabulary: Vocabulary, file: str) -> Iterator[Problem]:
    """Yield what is wrong between a crosswalk and the vocabulary; ``file`` is the name to complain under."""
    first: dict[str, int] = {}
    for item in crosswalk.fields:
        where = f"{file}:{item.line}"
        if item.name in first:
            yield Problem(
                where, f"'{item.name}' is defined on line {first[item.name]} already", "join the two with 'any'"
            )
        first.setdefault(item.name, item.line)
        try:
            term = vocabulary.term(item.name, where)
        except CrosswalkError as error:
            yield Problem(where, error.what, error.hint)
            continue
        for rule in item.rules:
            if complaint := _rule_against_term(rule, term):
                yield Problem(f"{file}:{rule.line}", f"'{item.name}': {complaint}")
    for item in crosswalk.axes:
        for rule in item.rules:
            if complaint := _rule_of_axis(rule):
                yield Problem(f"{file}:{rule.line}", f"axis '{item.name}': {complaint}")


def _rule_against_term(rule: load.Rule, term: Term) -> str | None:
    gives = transforms.TABLE[rule.using].gives if rule.using else None
    if rule.map is None and gives in ("number", "time") and gives != term.type and term.type != "text":
        return f"transform '{rule.using}' gives a {gives}, the term is a {term.type}"
    if term.type == "time" and gives in ("number", "text"):
        return f"transform '{rule.using}' gives a {gives}, the term is a time"
    if term.type != "number":
        return "a unit is for numbers only" if rule.unit or rule.unit_from else None
    assert term.unit is not None
    if rule.unit is None:
        return None if not rule.constant or term.unit == "1" else f"the constant has no unit; the term's is {term.unit}"
    try:
        units.convert(1.0, rule.unit, term.unit)
    except CrosswalkError as error:
        return error.what
    return None


def _rule_of_axis(rule: load.Rule) -> str | None:
    if rule.using and transforms.TABLE[rule.using].gives not in ("number", "any"):
        return f"transform '{rule.using}' gives no number"
    if rule.unit is None:
        return None
    try:
        unit = units.lookup(rule.unit, "m")
    except CrosswalkError as error:
        return error.what
    return f"'{rule.unit}' calibrates nothing" if unit.canonical in units.UNCALIBRATED else None


def _check_outward(path: Path, vocabulary: Vocabulary) -> Iterator[Problem]:
    try:
        shape = outward.load(path)
    except CrosswalkError as error:
        yield Problem(error.where or str(path), error.what, error.hint)
        return
    first: dict[str, int] = {}
    for field in shape.fields:
        if field.to in first:
            where = f"{path}:{field.line}"
            yield Problem(where, f"'{field.to}' is filled on line {first[field.to]} already", "join the two with 'any'")
        first.setdefault(field.to, field.line)
        for rule in field.rules:
            where = f"{path}:{rule.line}"
            try:
                asked = {name: vocabulary.term(name, where) for name in rule.asked}
            except CrosswalkError as error:
                yield Problem(where, error.what, error.hint)
                continue
            for complaint in _rule_of_place(field, rule, asked):
                yield Problem(where, f"'{field.to}': {complaint}")


def _rule_of_place(field: outward.Field, rule: outward.Rule, asked: Mapping[str, Term]) -> Iterator[str]:
    for name in rule.terms:
        term = asked[name]
        if term.type != field.type and not (rule.map is not None and field.type == "boolean"):
            yield f"'{name}' is a {term.type}, the place takes a {field.type}"
    units_ = [(name, field.unit) for name in rule.terms if field.unit is not None]
    for name, unit in units_ + [(name, unit) for name, _, unit in (*rule.at_least, *rule.at_most)]:
        wanted = asked[name].unit
        try:
            if wanted is None:
                yield f"'{name}' has no unit to compare"
            else:
                units.convert(1.0, wanted, unit or "1")
        except CrosswalkError as error:
            yield error.what


def _check_import(path: Path) -> Iterator[Problem]:
    try:
        shape = incoming.load(path)
        for line, what in incoming.twice(shape):
            yield Problem(f"{path}:{line}", what, "join the two with 'any'")
        if not _beside(path).is_file():
            return
        file, _ = document.read(_beside(path))
        for node in file.sequence(file.root, "examples"):
            example = {key: item.python() for key, item in file.known(node, "an example", _IMPORT_EXAMPLE_KEYS).items()}
            for complaint in _import_example(shape, example):
                yield Problem(f"{_beside(path)}:{node.line}", f"example '{example.get('name')}': {complaint}")
    except CrosswalkError as error:
        yield Problem(error.where or str(path), error.what, error.hint)


def _import_example(shape: incoming.Incoming, example: Mapping[str, Any]) -> Iterator[str]:
    entry = example.get("entry")
    if not isinstance(entry, dict) or not taking.recognised(shape, entry):
        yield "its entry is not of this dialect"
        return
    taken = taking.take(shape, entry)
    if taken is None:
        yield "nothing says which record it is"
        return
    if taken.key != example.get("key", taken.key):
        yield f"its key is {taken.key!r}, not {example['key']!r}"
    pairs = [(example.get("fields") or {}, taken.fields)]
    wanted = example.get("files") or []
    if len(wanted) != len(taken.files):
        yield f"it has {len(taken.files)} files, not {len(wanted)}"
    pairs += list(zip(wanted, taken.files, strict=False))
    for expected, said in pairs:
        for place, value in expected.items():
            held = said[place].value if place in said else None
            if held != value:
                yield f"{place} is {held!r}, not {value!r}"
    codes = {remark.code for remark in taken.warnings}
    for code in set(example.get("warnings") or ()) - codes:
        yield f"no warning '{code}'"


def _beside(path: Path) -> Path:
    return path.with_name(path.stem + EXAMPLES)


def _check_examples(crosswalk: load.Crosswalk, vocabulary: Vocabulary, path: Path) -> Iterator[Problem]:
    try:
        file, _ = document.read(path)
        for node in file.sequence(file.root, "examples"):
            keys = {key: item.python() for key, item in file.known(node, "an example", _EXAMPLE_KEYS).items()}
            name = keys.get("name", "example")
            if not isinstance(keys.get("tree"), dict):
                raise file.wrong(f"'{name}' has no tree", node)
            where = f"{path}:{node.line}"
            for complaint in _example(crosswalk, vocabulary, keys):
                yield Problem(where, f"example '{name}': {complaint}")
    except NffaError as error:
        yield Problem(error.where or str(path), error.what, error.hint)


def _example(crosswalk: load.Crosswalk, vocabulary: Vocabulary, example: Mapping[str, Any]) -> Iterator[str]:
    record, _ = apply.apply(
        crosswalk,
        vocabulary,
        RawMetadata(crosswalk.format, example["tree"], _signals(example), example.get("anchors") or {}),
        date_order=example.get("date_order"),
        timezone=example.get("timezone"),
    )
    for name, wanted in (example.get("terms") or {}).items():
        held = record.terms.get(name)
        if held is None:
            reasons = "; ".join(remark.detail for remark in record.warnings if remark.detail.startswith(name))
            yield f"no {name}" + (f": {reasons}" if reasons else "")
        elif not _agrees((held.value, held.unit), wanted):
            yield f"{name} is {held.value!r} {held.unit or ''}, not {wanted!r}"
    for name in example.get("absent") or ():
        if name in record.terms:
            yield f"{name} is {record.terms[name].value!r}, not absent"
    codes = {remark.code for remark in record.warnings}
    for code in example.get("warnings") or ():
        if code not in codes:
            yield f"no warning '{code}'" + (f", only {', '.join(sorted(codes))}" if codes else "")
    if example.get("warnings") == [] and codes:
        yield f"warns of {', '.join(sorted(codes))}, where nothing is to warn of"
    yield from _example_axes(record, example.get("axes") or {})


def _example_axes(record: Record, wanted: Mapping[str, Any]) -> Iterator[str]:
    axes = {axis.name: axis for signal in record.signals for axis in signal.axes}
    for name, value in wanted.items():
        axis = axes.get(name)
        if axis is None or not _agrees((axis.scale, axis.unit), value):
            yield f"axis {name} is {axis and (axis.scale, axis.unit)}, not {value!r}"


def _signals(example: Mapping[str, Any]) -> tuple[Signal, ...]:
    """Return the one image of an example that gives its ``image: [height, width]``."""
    if "image" not in example:
        return ()
    height, width = example["image"]
    kind = example.get("kind", "image")
    return (Signal(None, kind, (height, width), "uint8", (Axis("y", height), Axis("x", width))),)


def _agrees(held: tuple[Any, str | None], wanted: Any) -> bool:
    """Compare with ``[value, unit]``, or with the value alone where there is no unit."""
    pair = isinstance(wanted, list) and (not isinstance(held[0], list) or isinstance(wanted[0], list))
    value, unit = (*wanted, None, None)[:2] if pair else (wanted, None)
    if held[1] != (None if unit is None else str(unit)):
        return False
    if isinstance(held[0], float) and isinstance(value, int | float):
        return math.isclose(held[0], value, rel_tol=1e-9, abs_tol=1e-300)
    return bool(held[0] == value)
