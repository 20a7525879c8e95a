"""When acquisitions were made, as sittings at the instrument: a sitting ends where the pause is long for its own rhythm; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SHORTEST, LONGEST = 30 * 60.0, 4 * 3600.0
"""Seconds: no shorter pause ends a sitting, and every longer one does."""
RHYTHM = 20
"""In between, a pause ends a sitting when it is so many times the usual step from one acquisition to the next."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One acquisition and when it began; a time whose offset nobody knows is taken as it was written."""

    key: Hashable
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Sitting:
    """Acquisitions of one stretch of work, first to last, and the pause in seconds before it (None: it is the first)."""

    moments: tuple[Moment, ...]
    pause: float | None

    @property
    def began(self) -> dt.datetime:
        """When its first acquisition began."""
        return self.moments[0].at

    @property
    def seconds(self) -> float:
        """From the beginning of the first to the beginning of the last."""
        return (self.moments[-1].at - self.moments[0].at).total_seconds()


def moment(key: Hashable, started: str | None) -> Moment | None:
    """Return when an acquisition began by its ISO 8601 text; None: nobody knows, or only the day is known."""
    if started is None or len(started) <= len("2024-05-06"):
        return None
    try:
        at = dt.datetime.fromisoformat(started)
    except ValueError:
        return None
    return Moment(key, at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC))


def longest_pause(moments: Iterable[Moment]) -> float:
    """Return the seconds from which a pause between two of these (in order) ends a sitting."""
    at = [each.at for each in moments]
    steps = [(after - before).total_seconds() for before, after in pairwise(at) if after > before]
    usual = median([step for step in steps if step < LONGEST] or [0.0])
    return min(LONGEST, max(SHORTEST, RHYTHM * usual))


def sittings(moments: Iterable[Moment]) -> list[Sitting]:
    """Return the sittings that these acquisitions, in any order, were made in, oldest first."""
    ordered = sorted(moments, key=lambda each: each.at)
    limit = longest_pause(ordered)
    found: list[Sitting] = []
    held: list[Moment] = []
    before: float | None = None
    for each in ordered:
        pause = (each.at - held[-1].at).total_seconds() if held else 0.0
        if held and pause > limit:
            found.append(Sitting(tuple(held), before))
            held, before = [], pause
        held.append(each)
    return [*found, Sitting(tuple(held), before)] if held else found
