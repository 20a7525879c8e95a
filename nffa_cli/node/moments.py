"""Moments as the node keeps them: UTC, microseconds, text of one length, so that they compare as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> str:
    """Return this moment, such as ``2026-11-21T14:05:00.000000Z``."""
    return shown(datetime.now(UTC))


def later(seconds: float) -> str:
    """Return the moment that many seconds from now; negative: before."""
    return shown(datetime.now(UTC) + timedelta(seconds=seconds))


def shown(moment: datetime) -> str:
    """Return an aware moment in the one form."""
    return moment.astimezone(UTC).strftime(FORM)


def parsed(text: str) -> datetime:
    """Return the moment that a text of the one form means.

    Raises
    ------
    ValueError
        It is not of that form.
    """
    return datetime.strptime(text, FORM).replace(tzinfo=UTC)
