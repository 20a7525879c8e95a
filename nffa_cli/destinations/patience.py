"""How long a request is tried again, and after which pause: pure decisions about statuses, headers and clocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LASTING = frozenset({501, 505, 507, 508})
"""Statuses of 500 and above that time does not mend: not implemented, HTTP version, no space left there, a loop."""
PASSING = frozenset({408, 425, 429})
"""Statuses below 500 that time mends."""
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "MKCOL"})
"""Methods that do the same when they are done twice."""
MALFORMED = 3
"""How often an answer may be no answer (a web page, broken JSON) before it is believed to stay so."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits of one request, in seconds.

    connect
        Until a connection stands.
    stall, slowest
        Without any byte; and the rate (bytes a second) below which a transfer counts as stalled.
    budget
        Of all tries together, pauses too: then it is Unreachable.
    contact
        The same while no connection stands and the server has never answered this run: it is not there, or we are offline.
    first, cap
        The first pause between two tries, and the longest (each is drawn from 0 to that, doubled every time).
    """

    connect: float = 10.0
    stall: float = 100.0
    slowest: float = 10_000.0
    budget: float = 120.0
    contact: float = 4.0
    first: float = 0.5
    cap: float = 60.0

    def allowed(self, size: int) -> float:
        """Return the seconds within which ``size`` bytes must have passed."""
        return self.stall + size / self.slowest

    def limit(self, *, met: bool) -> float:
        """Return the seconds of all tries together; ``met``: whether the server is known to be there."""
        return self.budget if met else min(self.contact, self.budget)

    def pause(self, tries: int, asked: float | None, chance: float) -> float:
        """Return the pause after so many ``tries``; ``asked``: what Retry-After says; ``chance``: drawn from [0, 1)."""
        drawn = chance * min(self.cap, self.first * 2 ** min(tries - 1, 30))
        return drawn if asked is None else asked + chance * min(self.first, asked)


def passes(status: int, asked: float | None) -> bool:
    """Tell whether the same request may get another answer later; ``asked``: the server itself says so (Retry-After)."""
    busy = status in (409, 423) and asked is not None
    return busy or status in PASSING or (500 <= status <= 599 and status not in LASTING)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for, given as seconds or as a date; None: it says nothing."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text):
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
