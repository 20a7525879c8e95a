"""Numbers as vendors write them in text: "EHT = 10.00 kV", "Mag = 10.00 K X", "5.73e-006 mbar", "10,5".

A comma is read only where it can mean one thing. Not a unit table: the unit comes back as text.
"""

from __future__ import annotations

import math
import re
from typing import Any

_NUMBER = re.compile(
    r"""(?P<label>[^=]*=)?\s*
        (?P<times>[xX×]\s?)?
        (?P<number>[-+]?(?:\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,4})?)
        \s*(?P<unit>(?:1\s?/|[^\d\s.,:;=+*-]).{0,23})?""",
    re.VERBOSE,
)
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+\.\d*|[-+]?\d{1,3}(?:,\d{3}){2,}")
_DECIMAL_COMMA = re.compile(r"[-+]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?:[eE][-+]?\d+)?")
_LONGEST = 200


class Unfit(Exception):
    """A value is there and cannot be used; ``code`` becomes the warning's, None: it is merely absent."""

    def __init__(self, code: str | None, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


def plain(text: str) -> str:
    """Return text without the quotes, NULs and blanks around it."""
    text = text.replace("\x00", "").strip()
    while len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


def parse(value: Any) -> tuple[float, str | None]:
    """Return (number, unit named in the data or None) of a raw value; raises Unfit.

    Accepts numbers, text with an optional leading ``Name =`` and trailing unit, and a list that holds one of them.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit("unreadable-value", "is no number")
    if not isinstance(value, str):
        return _finite(value), None
    text = plain(value)
    found = _NUMBER.fullmatch(text.replace("−", "-")) if len(text) <= _LONGEST else None
    if found is None:
        raise Unfit("unreadable-value", "is no number")
    unit = found["unit"].strip() if found["unit"] else None
    if found["times"]:
        if unit not in (None, "k", "K"):  # "x10.0k" is a magnification
            raise Unfit("unreadable-value", "is no number")
        unit = "k" if unit else "x"
    return _finite(_without_commas(found["number"])), unit or None


def _without_commas(text: str) -> str:
    if "," not in text:
        return text
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    raise Unfit("ambiguous-number", "has a comma that may mean a decimal point or thousands")


def _finite(value: str | float) -> float:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Unfit("unreadable-value", "is no number") from None
    if not math.isfinite(number):
        raise Unfit(None, "is not finite")
    return number
