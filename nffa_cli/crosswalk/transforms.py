"""The closed list of tricks that a crosswalk may name under ``using``. No expressions, no code in YAML.

A transform takes named raw inputs and gives a Reading: number with the unit that the data name (else None), text, or a
moment. To add one: a function, a line in ``TABLE``, a test. Units, ranges and time zones are ``apply``'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, cast

from nffa_cli.crosswalk import clock, dates, units
from nffa_cli.crosswalk.numbers import Unfit, parse, plain

Inputs = Mapping[str, Any]


class Reading(NamedTuple):
    """What a transform made of its inputs.

    unit
        The one the data name.
    utc
        The vendor writes this moment in UTC.
    other
        What another clock of the file says of the same local moment: it shows whether that is local at all.
    """

    value: Any
    unit: str | None = None
    utc: bool = False
    other: datetime | None = None


class Situation(NamedTuple):
    """What a transform may know besides its inputs.

    options
        ``with:`` of the rule.
    unit
        ``unit:`` of the rule: of numbers for which the data name none.
    width
        Pixels along x of the first image signal; None: no image.
    date_order
        Day and month order of the instrument's profile.
    """

    options: Mapping[str, Any]
    unit: str | None = None
    width: int | None = None
    date_order: dates.Order | None = None


class Transform(NamedTuple):
    """A row of the table.

    inputs
        Names of the inputs that must be there; ``optional``: that may. None: any names, all of which must be there, or
        with ``partial`` at least one.
    options
        Option name → the types it may have; those in ``required`` must be given.
    """

    function: Callable[[Inputs, Situation], Reading]
    gives: Literal["number", "text", "time", "any"]
    inputs: tuple[str, ...] | None = ("value",)
    optional: tuple[str, ...] = ()
    options: Mapping[str, type | tuple[type, ...]] | None = None
    required: tuple[str, ...] = ()
    partial: bool = False


def quantity(inputs: Inputs, situation: Situation) -> Reading:
    """Return a number: from a number, or from text such as ``EHT = 10.00 kV`` with the unit it names."""
    number, unit = parse(inputs["value"])
    return Reading(number, unit)


def text(inputs: Inputs, situation: Situation) -> Reading:
    """Return text without quotes and blanks around it; a number or a list of values as text."""
    return Reading(_text(inputs["value"]))


def utf16_hex(inputs: Inputs, situation: Situation) -> Reading:
    """Return text from the hexadecimal digits of its UTF-16, low byte first: ``48006900`` is ``Hi``."""
    digits = _text(inputs["value"])
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{4}){1,100000}", digits):
        raise Unfit(None, "is no UTF-16 in hexadecimal digits")
    try:
        return Reading(plain(bytes.fromhex(digits).decode("utf-16-le").strip("\0")))
    except UnicodeDecodeError:
        raise Unfit("unreadable-value", "is no UTF-16") from None


def filetime(inputs: Inputs, situation: Situation) -> Reading:
    """Return the UTC moment of a Windows FILETIME (100 ns ticks since 1601).

    ``clock``: text of a local clock that must show the same minute and second in some time zone.
    """
    moment = dates.filetime(_whole(inputs["value"]))
    if "clock" in inputs and not dates.agree(moment, _text(inputs["clock"])):
        raise Unfit(None, "is not the time that stands beside it")
    return Reading(moment, utc=True)


def unix_time(inputs: Inputs, situation: Situation) -> Reading:
    """Return the UTC moment of seconds since 1970."""
    return _unix(inputs, 1)


def unix_ms(inputs: Inputs, situation: Situation) -> Reading:
    """Return the UTC moment of milliseconds since 1970."""
    return _unix(inputs, 1_000)


def unix_us(inputs: Inputs, situation: Situation) -> Reading:
    """Return the UTC moment of microseconds since 1970."""
    return _unix(inputs, 1_000_000)


def iso8601(inputs: Inputs, situation: Situation) -> Reading:
    """Return the moment of an ISO 8601 text; without offset it is the local clock's."""
    moment = dates.iso(_text(inputs["value"]))
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return Reading(moment, utc=not moment.utcoffset())
    return Reading(moment)


def local_datetime(inputs: Inputs, situation: Situation) -> Reading:
    """Return the moment of a date text and a time text, or of one text that holds both.

    ``order`` (DMY, MDY, YMD): the order that this vendor always writes. Without it an ambiguous date needs the
    profile's. ``zone: UTC``: the vendor writes UTC. ``other``: text of the same moment by another clock, as TIFF writes it;
    where it shows the same time, that may be UTC or local, and no zone is told.
    """
    options = situation.options
    order = options.get("order") or situation.date_order
    if not inputs.keys() & {"value", "date"}:
        raise Unfit(None, "has no date")
    parts = [_text(inputs[name]) for name in ("value", "date") if name in inputs]
    parts += [dates.colons(_text(inputs["time"]))] if "time" in inputs else []
    moment = dates.local(" ".join(parts), cast("dates.Order | None", order))
    other = _other(inputs)
    if isinstance(moment, datetime) and moment.tzinfo is None and options.get("zone") == "UTC":
        alike = other is not None and abs(moment - other) <= clock.AGREE
        moment = moment if alike else moment.replace(tzinfo=UTC)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return Reading(moment, utc=not moment.utcoffset())
    return Reading(moment, other=other if isinstance(moment, datetime) else None)


def serial_date(inputs: Inputs, situation: Situation) -> Reading:
    """Return the local moment of an OLE automation date (days since 1899-12-30), as Delphi and Excel count."""
    return Reading(dates.serial(parse(inputs["value"])[0]))


def date_parts(inputs: Inputs, situation: Situation) -> Reading:
    """Return the local moment whose year, month, day, hour, minute and second the file keeps as separate numbers."""
    parts = [_whole(inputs[name]) for name in ("year", "month", "day", "hour", "minute", "second")]
    if parts[0] == 0:
        raise Unfit(None, "is zero")
    try:
        return Reading(datetime(*parts))  # type: ignore[arg-type]  # noqa: DTZ001 - the clock of the instrument's PC
    except (ValueError, OverflowError):
        raise Unfit("unreadable-date", "is no date") from None


def ratio(inputs: Inputs, situation: Situation) -> Reading:
    """Return numerator / denominator; units in the data cancel, a denominator of zero is absent."""
    above, unit_above = parse(inputs["numerator"])
    below, unit_below = parse(inputs["denominator"])
    if unit_below is not None:
        if unit_above is None:
            raise Unfit("unit-conflict", f"has a unit ('{unit_below}') in the denominator only")
        above, below = above * units.canonical(unit_above)[0], below * units.canonical(unit_below)[0]
        if units.canonical(unit_above)[1] != units.canonical(unit_below)[1]:
            raise Unfit("unit-conflict", f"divides '{unit_above}' by '{unit_below}'")
        unit_above = "1"
    if below == 0:
        raise Unfit(None, "has a denominator of zero")
    return Reading(above / below, unit_above)


def product(inputs: Inputs, situation: Situation) -> Reading:
    """Return the product of all inputs; at most one may name a unit, which is then the result's."""
    value, unit = 1.0, None
    for raw in inputs.values():
        number, named = parse(raw)
        if named is not None and unit is not None:
            raise Unfit("unit-conflict", f"multiplies '{unit}' by '{named}'")
        value, unit = value * number, unit or named
    return Reading(value, unit)


def negate(inputs: Inputs, situation: Situation) -> Reading:
    """Return the number with its sign turned."""
    number, unit = parse(inputs["value"])
    return Reading(-number if number else 0.0, unit)


def magnitude(inputs: Inputs, situation: Situation) -> Reading:
    """Return the number without its sign."""
    number, unit = parse(inputs["value"])
    return Reading(abs(number), unit)


def join(inputs: Inputs, situation: Situation) -> Reading:
    """Return the texts of all inputs that are there, in the order written, joined by ``sep`` (a blank)."""
    parts = (_text(value) for value in inputs.values())
    return Reading(str(situation.options.get("sep", " ")).join(part for part in parts if part))


def match(inputs: Inputs, situation: Situation) -> Reading:
    """Return group 1 of the regular expression ``pattern``, found anywhere in the text; no match is absent."""
    found = re.search(situation.options["pattern"], _text(inputs["value"])[:10_000])
    if found is None or found[1] is None:
        raise Unfit(None, "does not match the pattern")
    return Reading(found[1])


def scaled(inputs: Inputs, situation: Situation) -> Reading:
    """Return the number times ``factor``: a fixed factor that the vendor documents."""
    number, unit = parse(inputs["value"])
    return Reading(units.scaled(number, situation.options["factor"]), unit)


def element(inputs: Inputs, situation: Situation) -> Reading:
    """Return item ``index`` (from 0; -1 is the last) of a list, or of text split at blanks, commas and semicolons."""
    value = inputs["value"]
    items: Sequence[Any] = value if isinstance(value, list) else re.split(r"[\s,;]+", _text(value).strip("()[]{} "))
    index = situation.options["index"]
    if not -len(items) <= index < len(items):
        raise Unfit(None, f"has no item {index}")
    return Reading(items[index])


def screen_pixel(inputs: Inputs, situation: Situation) -> Reading:
    """Return the pixel size from one that holds for a screen 1024 pixels wide: value × 1024 / width of the image.

    Zeiss SmartSEM writes AP_PIXEL_SIZE so (hyperspy issue 2056, checked on images of 512 to 2048 pixels).
    """
    if not situation.width:
        raise Unfit(None, "needs an image")
    number, unit = parse(inputs["value"])
    return Reading(number * 1024 / situation.width, unit)


TABLE: dict[str, Transform] = {
    "quantity": Transform(quantity, "number"),
    "text": Transform(text, "text"),
    "utf16_hex": Transform(utf16_hex, "text"),
    "filetime": Transform(filetime, "time", optional=("clock",)),
    "unix_time": Transform(unix_time, "time"),
    "unix_ms": Transform(unix_ms, "time"),
    "unix_us": Transform(unix_us, "time"),
    "iso8601": Transform(iso8601, "time"),
    "local_datetime": Transform(
        local_datetime,
        "time",
        (),
        optional=("value", "date", "time", "other"),
        options={"order": str, "zone": str},
    ),
    "serial_date": Transform(serial_date, "time"),
    "date_parts": Transform(date_parts, "time", ("year", "month", "day", "hour", "minute", "second")),
    "ratio": Transform(ratio, "number", ("numerator", "denominator")),
    "product": Transform(product, "number", None),
    "negate": Transform(negate, "number"),
    "magnitude": Transform(magnitude, "number"),
    "join": Transform(join, "text", None, options={"sep": str}, partial=True),
    "match": Transform(match, "any", options={"pattern": str}, required=("pattern",)),
    "scaled": Transform(scaled, "number", options={"factor": (int, float)}, required=("factor",)),
    "element": Transform(element, "any", options={"index": int}, required=("index",)),
    "screen_pixel": Transform(screen_pixel, "number"),
}


def complaint(using: str | None, inputs: Sequence[str], options: Any) -> str | None:
    """Return what is wrong with a rule's inputs and options for the transform ``using``; None: nothing."""
    row = TABLE[using or "quantity"]
    name = f"transform '{using}'" if using else "a rule without 'using'"
    if row.inputs is not None:
        known = (*row.inputs, *row.optional)
        if unknown := [key for key in inputs if key not in known]:
            return f"{name} has no input '{unknown[0]}' (known: {', '.join(known)})"
        if lacking := [key for key in row.inputs if key not in inputs]:
            return f"{name} needs the input '{lacking[0]}'"
    if using == "local_datetime" and "value" not in inputs and "date" not in inputs:
        return f"{name} needs the input 'date' or a path"
    if not isinstance(options, dict):
        return "'with' must be a mapping"
    for key, value in options.items():
        wanted = (row.options or {}).get(key)
        if wanted is None or isinstance(value, bool) or not isinstance(value, wanted):
            return f"{name} cannot take with.{key}: {value!r}"
    if lacking := [key for key in row.required if key not in options]:
        return f"{name} needs with.{lacking[0]}"
    return _wrong_option(options)


def _wrong_option(options: Mapping[str, Any]) -> str | None:
    if options.get("order", "DMY") not in dates.ORDERS:
        return f"with.order must be one of {', '.join(dates.ORDERS)}"
    if options.get("zone", "UTC") != "UTC":
        return "with.zone can only be UTC; other zones belong to the profile"
    if "pattern" in options:
        try:
            groups = re.compile(options["pattern"]).groups
        except re.error as exc:
            return f"with.pattern is no regular expression: {exc}"
        if groups < 1:
            return "with.pattern needs a group ( ) around what is wanted"
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return (
            repr(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)
        )
    if isinstance(value, list) and len(value) <= 1000 and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(_text(item) for item in value if item is not None)
    raise Unfit("unreadable-value", "is no text")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit("unreadable-date", "is no whole number")
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise Unfit("unreadable-date", "is no whole number") from None


def _other(inputs: Inputs) -> datetime | None:
    """Return the naive moment of the input ``other``; None where it has none."""
    try:
        moment = dates.local(_text(inputs["other"]), "YMD")
    except (KeyError, Unfit):
        return None
    return moment if isinstance(moment, datetime) and moment.tzinfo is None else None


def _unix(inputs: Inputs, per_second: int) -> Reading:
    value = inputs["value"]
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,20}\s*", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        value = parse(value)[0]
    return Reading(dates.unix(value, per_second), utc=True)
