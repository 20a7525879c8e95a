"""How long data stay closed: arithmetic of dates and the rules of changing them; pure. ``releasing`` applies it to records.

An embargo is the last day on which content is closed; it opens at 00:00 UTC of the day after. The nearest one counts: that
of the measurement, else of its proposal, else what the data policy says.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

Start = Literal["experimentEnd", "collection", "ingest"]
STARTS: tuple[Start, ...] = ("experimentEnd", "collection", "ingest")
"""What an embargo is counted from; where it is not known, from the next."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a data policy says about embargoes.

    months
        How long; 0: not at all.
    most
        Months that nobody may go beyond.
    described
        Whether metadata are open while the content is not.
    """

    months: int = 36
    start: Start = "experimentEnd"
    most: int = 60
    described: bool = False

    @classmethod
    def of(cls, data: Mapping[str, Any] | None) -> Policy:
        """Return what the fields of a policy say; what it does not say is as in the default policy."""
        data, usual = data or {}, cls()
        months = usual.months if data.get("embargoMonths") is None else int(data["embargoMonths"])
        most = usual.most if data.get("embargoMaximumMonths") is None else int(data["embargoMaximumMonths"])
        start = data["embargoStart"] if data.get("embargoStart") in STARTS else usual.start
        return cls(months, start, max(most, months), bool(data.get("metadataPublic")))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the end of an embargo is reckoned from; dates and moments as the records hold them, None: not known."""

    experiment_end: str | None
    collected: str | None
    ingested: str
    of_measurement: str | None = None
    of_proposal: str | None = None


def day(text: str | None) -> date | None:
    """Return the day in UTC that a date or moment of a record names; without an offset as it is written; None: none."""
    if not text:
        return None
    try:
        if len(text) <= len("2026-11-21"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None


def months_after(start: date, months: int) -> date:
    """Return the same day so many months later; the last of the month where that has no such day."""
    years, month = divmod(start.month - 1 + months, 12)
    year = min(start.year + years, date.max.year - 1)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def started(policy: Policy, facts: Facts) -> date:
    """Return the day that months are counted from.

    Never before the data were collected: an experiment whose end is wrong, or was made up by whoever named it first, would
    open at once what is measured in it.
    """
    ends = {
        "experimentEnd": day(facts.experiment_end),
        "collection": day(facts.collected),
        "ingest": day(facts.ingested),
    }
    found = next(ends[start] for start in STARTS[STARTS.index(policy.start) :] if ends[start] is not None)
    assert found is not None
    collected = ends["collection"]
    return max(found, collected) if policy.start == "experimentEnd" and collected else found


def until(policy: Policy, facts: Facts) -> date | None:
    """Return the last day of the embargo; None: there is none."""
    own = day(facts.of_measurement) or day(facts.of_proposal)
    return own or (months_after(started(policy, facts), policy.months) if policy.months else None)


def latest(policy: Policy, facts: Facts) -> date:
    """Return the last day that an embargo may reach."""
    return months_after(started(policy, facts), policy.most)


def opens(last: date | None, ingested: str) -> str:
    """Return the moment from which on content is open whose embargo ends with this day; without one, from its ingest on."""
    return ingested if last is None else f"{last + timedelta(days=1)}T00:00:00.000000Z"


def released_at(policy: Policy, facts: Facts, *, was: str | None = None, now: str = "") -> str:
    """Return the moment from which on the content is open to all.

    Parameters
    ----------
    was
        The moment that held until now; once it has passed it stays: what was opened is not closed by reckoning anew.
    now
        This moment, where there is a ``was``.
    """
    return was if was is not None and was <= now else opens(until(policy, facts), facts.ingested)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an embargo cannot be set so. ``field``: the part of the request that is wrong; None: it is not theirs to do."""

    message: str
    field: Literal["until", "reason"] | None = None


def judged(
    wanted: date, *, current: date | None, limit: date, reason: str, may_shorten: bool, may_extend: bool
) -> Refusal | None:
    """Return why an embargo may not be set to end with this day; None: it may.

    Parameters
    ----------
    current
        Last day of the embargo as it is; None: there is none.
    limit
        The last day that the policy allows.
    """
    if current is not None and wanted <= current:
        return None if may_shorten else Refusal("only the principal investigator or a data manager shortens an embargo")
    if not may_extend:
        return Refusal("only a data manager extends an embargo")
    if wanted > limit:
        return Refusal(f"the policy allows no embargo after {limit}", "until")
    if not reason.strip():
        return Refusal("an extension needs a reason", "reason")
    return None
