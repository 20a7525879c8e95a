"""ORCID iDs: how they are written, and their check digit (ISO 7064 mod 11-2); says nothing about who has one."""

from __future__ import annotations

import re

FORM = re.compile(r"(https?://(?:www\.)?orcid\.org/)?(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])", re.ASCII)


def normal(text: object) -> str | None:
    """Return the iD as ``0000-0002-1825-0097``; None where it is none, or its check digit says that it was mistyped."""
    found = FORM.fullmatch(str(text).strip())
    if found is None:
        return None
    digits = "".join(found.groups()[1:]).upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    wanted = (12 - total % 11) % 11
    if digits[-1] != ("X" if wanted == 10 else str(wanted)):
        return None
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))
