"""The columns by which a measurement is searched, from what is said of it; pure. Its words are ``words``'s."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nffa_cli.node import moments

VOLTAGE = "beam.accelerating_voltage"


def columns(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the search columns of a measurement from its fields as they go over the wire."""
    category = about.get("category") or {}
    return {
        "name": about["measurementName"],
        "kind": about.get("kind", "measurement"),
        "start_time": moment(about.get("startTime")),
        "technique": about.get("technique"),
        "sample": (about.get("sample") or {}).get("sampleName"),
        "category": category.get("label"),
        "format": about.get("format"),
        "voltage": voltage(about.get("settings") or {}),
        "instrument_name": (about.get("instrument") or {}).get("instrumentName"),
    }


def moment(text: str | None) -> str | None:
    """Return a time in ISO 8601 as a moment that sorts; without an offset it is taken for UTC, to be found near its place."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return moments.shown(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def voltage(settings: Mapping[str, Any]) -> float | None:
    """Return the accelerating voltage in volts; None: there is none, or it has another unit."""
    said = settings.get(VOLTAGE)
    if not isinstance(said, Mapping) or said.get("unit") != "V":
        return None
    value = said.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
