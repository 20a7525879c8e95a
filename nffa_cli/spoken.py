"""Quantities, sizes, times and addresses as people are told them; pure, the same in the terminal, the report and the pages."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
PREFIXED = {"V", "A", "m", "s", "Pa", "eV"}


def quantity(value: Any, unit: str | None) -> str:
    """Return a value as people write it: 10 kV, 1.117 nm, 54°, 0.05 1/nm, 3600000."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (int, float)):
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    value += 0  # there is no minus nothing
    if unit in PREFIXED and value:
        power = max(-15, min(9, 3 * math.floor(math.log10(abs(value)) / 3 + 1e-9)))
        return f"{value / 10**power:.4g} {PREFIXES[power]}{unit}"
    if unit == "1/m":
        return f"{value / 1e9:.4g} 1/nm"
    sign = {"degree": "°", "1": "", None: ""}.get(unit, f" {unit}")
    return f"{value:.0f}{sign}" if 1e5 <= abs(value) < 1e15 else f"{value:.6g}{sign}"


def when(stamp: str) -> str:
    """Return an ISO 8601 time to the minute, with its offset where one is known (UTC: Z); a bare date as it is."""
    if len(stamp) <= len("2024-05-06"):
        return stamp
    moment = dt.datetime.fromisoformat(stamp)
    offset = "" if moment.tzinfo is None else moment.strftime("%z").removesuffix("00")
    return f"{moment:%Y-%m-%d %H:%M}" + ("Z" if offset == "+00" else offset)


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"


def address(text: str) -> str:
    """Return an address as it may be told and kept: without user, password, query and fragment, where secrets are."""
    before, sign, rest = text.partition("://")
    host, path = re.fullmatch(r"([^/?#]*)([^?#]*).*", rest if sign else before, re.DOTALL).groups()  # type: ignore[union-attr]
    host = re.sub(r":(?!\d{1,5}$)[^\]]*$", "", host.rpartition("@")[2])  # what stands in a port's place and is none
    return (before + sign if sign else "") + host + path
