"""Whether a value is what its concept asks for: type, date, list of choices, unit, shape, and a word that says something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nffa_cli.export import dimensions
from nffa_cli.export.findings import Report
from nffa_cli.export.nodes import Kind, Node, Value, follow
from nffa_cli.export.nxdl import Concept, Members

TYPES: Mapping[str, frozenset[Kind]] = {
    "NX_CHAR": frozenset({"text", "bytes"}),
    "NX_DATE_TIME": frozenset({"text"}),
    "ISO8601": frozenset({"text"}),
    "NX_INT": frozenset({"int", "uint", "whole"}),
    "NX_UINT": frozenset({"uint", "whole"}),
    "NX_POSINT": frozenset({"int", "uint", "whole"}),
    "NX_FLOAT": frozenset({"float"}),
    "NX_NUMBER": frozenset({"int", "uint", "whole", "float"}),
    "NX_COMPLEX": frozenset({"complex"}),
    "NX_BOOLEAN": frozenset({"bool"}),
    "NX_BINARY": frozenset({"bytes"}),
    "NX_CHAR_OR_NUMBER": frozenset({"text", "bytes", "int", "uint", "whole", "float", "bool"}),
}
"""NeXus type → what a value of it may be made of; any other type takes anything."""

WORDS: Mapping[str, str] = {
    "NX_CHAR": "text", "NX_DATE_TIME": "a date-time as text", "NX_INT": "an integer", "NX_UINT": "an unsigned integer",
    "NX_POSINT": "a positive integer", "NX_FLOAT": "a floating-point number", "NX_NUMBER": "a number",
    "NX_COMPLEX": "a complex number", "NX_BOOLEAN": "a boolean", "NX_BINARY": "text of a fixed length",
    "NX_CHAR_OR_NUMBER": "text or a number", "ISO8601": "a date-time as text",
}  # fmt: skip

KIND_WORDS: Mapping[Kind, str] = {
    "text": "text", "bytes": "text of a fixed length", "bool": "a boolean", "int": "an integer",
    "uint": "an unsigned integer", "whole": "an integer", "float": "a floating-point number", "complex": "a complex number",
    "other": "of a type that NeXus does not know",
}  # fmt: skip

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*)?(Z|(?!-00:00)[+-]\d\d:\d\d)")
_STAND_IN = frozenset({"unknown", "n/a", "na", "none", "null", "nan", "?", "-", "--", "not available", "undefined", "tbd", "todo",
                       "not specified", "unspecified", "xxx"})  # fmt: skip
ELEMENTS = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc "
    "Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi "
    "Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
)


def value(
    path: str,
    given: Value,
    concept: Concept,
    attributes: Mapping[str, Value],
    report: Report,
    *,
    custom: str = "custom",
) -> None:
    """Check a field's or attribute's value; ``custom`` is the attribute that allows values an open list lacks."""
    allowed = TYPES.get(concept.type)
    if allowed is not None and given.kind not in allowed:
        exact = (
            concept.type == "NX_FLOAT" and "@" in path and given.kind in TYPES["NX_INT"]
        )  # an attribute may be whole
        if not exact:
            what = f"{_name(path)} must be {WORDS[concept.type]}, not {KIND_WORDS[given.kind]}"
            report.add(path, "type", what, f"write {WORDS[concept.type]} ({concept.type})")
            return
    if concept.type in ("NX_DATE_TIME", "ISO8601"):
        _dates(path, given, report)
    elif concept.type == "NX_POSINT" and any(isinstance(each, int) and each < 1 for each in _flat(given.content)):
        report.add(path, "not-positive", f"{_name(path)} must be more than 0", "write 1 or more")
    if concept.values:
        _choice(path, given, concept, attributes, report, custom)
    elif given.kind in ("text", "bytes") and given.content is not None:
        _words(path, given, concept, report)
    _shape(path, given, concept, report)


def _dates(path: str, given: Value, report: Report) -> None:
    for text in _flat(given.content):
        if isinstance(text, str) and not (_DATE.fullmatch(text) and _is_date(text)):
            has_offset = re.search(r"(Z|[+-]\d\d:?\d\d)$", text) if "T" in text else None
            why = "is no ISO 8601 date-time" if has_offset or "T" not in text else "says no offset from UTC"
            what = f"{_name(path)} {_shown(text)} {why}"
            report.add(
                path, "date-time", what, "write it like 2024-05-06T10:00:00+02:00; nffa profile add says the time zone"
            )


def _is_date(text: str) -> bool:
    import datetime as dt

    try:
        dt.datetime.fromisoformat(re.sub(r"\.\d*", "", text))
    except ValueError:
        return False
    return True


def _choice(
    path: str, given: Value, concept: Concept, attributes: Mapping[str, Value], report: Report, custom: str
) -> None:
    choices = concept.values or ()
    for each in _flat(given.content):
        if str(each) in choices:
            continue
        marked = attributes.get(custom)
        listed = ", ".join(choices[:20]) + (" …" if len(choices) > 20 else "")
        if not concept.open:
            what = f"{_name(path)} is {_shown(each)}, which is none of: {listed}"
            report.add(path, "closed-enumeration", what, _nearest(str(each), choices))
        elif marked is None or marked.content is not True:
            what = f"{_name(path)} is {_shown(each)}, which is none of: {listed}"
            report.add(path, "open-enumeration", what, f"take one of the list, or add the attribute {custom} = true")
        return


def _words(path: str, given: Value, concept: Concept, report: Report) -> None:
    texts = [each for each in _flat(given.content) if isinstance(each, str)]
    required = concept.need == "required"
    if not any(text.strip("\x00 \t\n") for text in texts):
        rule, hint = (
            ("empty-required", "supply it") if required else ("empty-text", "leave it out where nobody knows it")
        )
        report.add(path, rule, f"{_name(path)} is empty", hint)
    elif required and all(text.strip().lower() in _STAND_IN for text in texts):
        hint = "supply it; what is not known is not known"
        report.add(path, "placeholder", f"{_name(path)} is {_shown(texts[0])}, which says nothing", hint)
    elif concept.name == "atom_types":
        symbols = [symbol.strip() for text in texts for symbol in text.split(",")]
        if strange := [symbol for symbol in symbols if symbol not in ELEMENTS]:
            what = f"{_name(path)} holds {_shown(strange[0])}, which is no element"
            report.add(path, "not-elements", what, "write symbols with commas between them: Si, O")


def _shape(path: str, given: Value, concept: Concept, report: Report) -> None:
    wanted = concept.shape
    if wanted is None:
        return
    fixed = any(isinstance(size, int) and size > 1 for size in wanted)
    if len(given.shape) != len(wanted):
        if given.shape or fixed or len(wanted) > 1:
            what = f"{_name(path)} has {len(given.shape)} dimensions and must have {len(wanted)}"
            report.add(path, "rank", what, "write one array for each quantity; colours are arrays of their own")
        return
    for number, (size, should) in enumerate(zip(given.shape, wanted, strict=True)):
        if isinstance(should, int) and size != should:
            what = f"dimension {number} of {_name(path)} is {size} long and must be {should}"
            report.add(path, "size", what, f"write {should} values")


def symbols(group: Node, members: Members, report: Report) -> None:
    """Check that fields of a group that share a dimension agree on its size."""
    sizes: dict[str, dict[int, str]] = {}
    for concept in members.fields:
        if (
            concept.naming != "specified"
            or not concept.shape
            or not any(isinstance(each, str) for each in concept.shape)
        ):
            continue
        field = follow(group.get(concept.name))
        if field is None or field.is_group:
            continue
        shape = field.value().shape
        for symbol, size in zip(concept.shape, shape, strict=False) if len(shape) == len(concept.shape) else ():
            if isinstance(symbol, str):
                sizes.setdefault(symbol, {}).setdefault(size, concept.name)
    for symbol, met in sizes.items():
        if len(met) > 1:
            said = ", ".join(f"{size} in {name}" for size, name in met.items())
            what = f"fields disagree on the length of the dimension {symbol}: {said}"
            report.add(group.path, "size", what, "write arrays that belong together")


# --- units --------------------------------------------------------------------------------------------------------


def unit(field: Node, concept: Concept, below: Members, report: Report) -> None:
    """Check a field's ``@units`` against the category of its concept."""
    given = field.attributes().get("units")
    text = given.text if given is not None else None
    if given is not None and text is None:
        report.add(f"{field.path}@units", "type", "units must be text", "write the unit as text, such as nm")
    elif concept.units is None:
        _unasked(field.path, text, concept, below, report)
    elif concept.units in dimensions.WITHOUT:
        _bare(field.path, text, concept.units, report)
    elif text is None:
        what = f"{_name(field.path)} has no units ({concept.units})"
        report.add(field.path, "unit-missing", what, _usual(concept.units))
    elif not text and concept.units == "NX_ANY":
        return
    elif concept.units == "NX_TRANSFORMATION":
        kind = field.attributes().get("transformation_type")
        wanted = {"translation": "NX_LENGTH", "rotation": "NX_ANGLE"}.get(kind.text or "" if kind else "")
        if wanted is None:
            _bare(field.path, text, concept.units, report)
        else:
            _measure(field.path, text, wanted, report, axis=False)
    else:
        _measure(field.path, text, concept.units, report, axis=concept.name.startswith(("axis_", "AXISNAME")))


def _unasked(path: str, text: str | None, concept: Concept, below: Members, report: Report) -> None:
    """Check the units of a field that the definitions give none; in an NXdata they may be there."""
    allowed = any(each.name == "units" for each in below.attributes) and concept.name.startswith(("axis_", "AXISNAME"))
    if text and not allowed:
        what = f"NXem gives {_name(path)} no unit, but it has {_shown(text)}"
        report.add(f"{path}@units", "unit-undocumented", what, "leave units out")
    elif text and dimensions.dimension(text) is None:
        _unknown(path, text, report)


def _bare(path: str, text: str | None, category: str, report: Report) -> None:
    if text:
        what = f"{_name(path)} is a bare number ({category}), but its units say {_shown(text)}"
        report.add(f"{path}@units", "unit-forbidden", what, "leave units out; say it in long_name where it helps")


def _measure(path: str, text: str, category: str, report: Report, *, axis: bool) -> None:
    if dimensions.dimension(text) is None:
        _unknown(path, text, report)
    elif category == "NX_ANY":
        return
    elif not dimensions.measures(text, category) or (dimensions.is_pixel(text) and not axis):
        what = f"{_shown(text)} does not measure {_name(path)} ({category})"
        report.add(f"{path}@units", "unit-dimension", what, _usual(category))


def _unknown(path: str, text: str, report: Report) -> None:
    better = dimensions.respelled(text) if text else None
    hint = f"write {better}" if better else "write a unit such as nm, um, kV, degree or 1/nm"
    report.add(
        f"{path}@units", "unit-unknown", f"no program understands the unit {_shown(text)} of {_name(path)}", hint
    )


def _usual(category: str) -> str:
    found = dimensions.USUAL.get(category)
    return f"write units, such as {found}" if found else f"write units that measure {category}"


# --- words --------------------------------------------------------------------------------------------------------


def _flat(content: Any) -> Iterator[Any]:
    if isinstance(content, (list, tuple)):
        for each in content:
            yield from _flat(each)
    elif content is not None:
        yield content


def _name(path: str) -> str:
    place, _, attribute = path.rpartition("/")[2].partition("@")
    return f"@{attribute}" if attribute else place


def _shown(content: object) -> str:
    text = repr(content)
    return text if len(text) <= 60 else text[:59] + "…"


def _nearest(text: str, choices: tuple[str, ...]) -> str:
    same = next((each for each in choices if each.lower() == text.lower()), None)
    return f"write {same}" if same else f"write one of them, such as {choices[0]}"
