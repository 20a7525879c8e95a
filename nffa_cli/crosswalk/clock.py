"""The offset of a local clock from UTC; imports the time zone tables only when a zone is asked for."""

from __future__ import annotations

from datetime import datetime

from nffa_cli.errors import ConfigError


def zoned(moment: datetime, zone: str) -> tuple[datetime, str | None]:
    """Return a naive ``moment`` with the offset of ``zone``, or as it is with the reason why no offset can be told.

    In the hour that autumn repeats there are two offsets, in the hour that spring skips there is none. Raises
    ConfigError for an unknown zone.
    """
    from zoneinfo import ZoneInfo

    try:
        rules = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as exc:
        raise ConfigError(f"unknown time zone '{zone}'", hint="write an IANA name such as Europe/Rome") from exc
    first, second = moment.replace(tzinfo=rules, fold=0), moment.replace(tzinfo=rules, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return first, None
    return moment, f"{'happens twice' if before > after else 'does not exist'} in {zone} on that day"
