"""The offset of a local clock from UTC; imports the time zone tables only when a zone is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

from nffa_cli.errors import ConfigError

AGREE = timedelta(minutes=2)
"""How far two clocks of one file may be apart: the picture is scanned between them."""

WIDEST = timedelta(hours=14)
"""The offset from UTC that no zone exceeds."""


def maybe_utc(moment: datetime, other: datetime) -> bool:
    """Tell whether one of two naive moments may be UTC and the other local: they differ by whole quarters of an hour."""
    apart, quarter = abs(moment - other), timedelta(minutes=15)
    off = apart % quarter
    return AGREE < apart <= WIDEST + AGREE and min(off, quarter - off) <= AGREE


def by_two(moment: datetime, other: datetime, zone: str) -> datetime | None:
    """Return a naive ``moment`` with its offset where another clock of the same file shows whether it is UTC or local.

    It is UTC if ``other`` then shows the time of ``zone``, local if ``other`` then shows UTC. None: neither. Raises
    ConfigError for an unknown zone.
    """
    rules = _rules(zone)
    if abs(_shown(moment, rules) - other) <= AGREE:
        return moment.replace(tzinfo=UTC).astimezone(rules)
    if abs(_shown(other, rules) - moment) <= AGREE:
        return moment.replace(tzinfo=timezone(_shown(other, rules) - other))
    return None


def _shown(moment: datetime, rules: tzinfo) -> datetime:
    """Return what the local clock shows at a naive moment in UTC."""
    return moment.replace(tzinfo=UTC).astimezone(rules).replace(tzinfo=None)


def zoned(moment: datetime, zone: str) -> tuple[datetime, str | None]:
    """Return a naive ``moment`` with the offset of ``zone``, or as it is with the reason why no offset can be told.

    In the hour that autumn repeats there are two offsets, in the hour that spring skips there is none. Raises
    ConfigError for an unknown zone.
    """
    rules = _rules(zone)
    first, second = moment.replace(tzinfo=rules, fold=0), moment.replace(tzinfo=rules, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return first, None
    return moment, f"{'happens twice' if before > after else 'does not exist'} in {zone} on that day"


def _rules(zone: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as exc:
        raise ConfigError(f"unknown time zone '{zone}'", hint="write an IANA name such as Europe/Rome") from exc
