"""What of a record can be searched: words by field, terms as numbers or folded text, the start. Pure, no SQL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath
from typing import Any

FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": (),
    "folder": (),
    "sample": ("sample.name", "sample.description", "sample.physical_form"),
    "operator": ("operator.name",),
    "detector": ("detector.name",),
    "instrument": ("instrument.vendor", "instrument.model", "instrument.facility"),
    "mode": ("optics.mode", "optics.illumination", "vacuum.mode"),
    "note": ("acquisition.title", "acquisition.note"),
    "format": (),
    "proposal": ("proposal.id", "proposal.title"),
    "experiment": ("experiment.name",),
}
"""Field of the full-text index → the terms whose text it holds; the order is that of the index's columns."""


def words(path: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the text of each of ``FIELDS``, in order, for a record whose main file is ``path``."""
    terms = record.get("terms", {})
    folder, name = os.path.split(os.fsencode(path).decode("utf-8", "replace"))
    names = [signal["name"] for signal in record.get("signals", ()) if signal.get("name")]
    own = {
        "name": [name],
        "folder": _folders(folder),
        "detector": names,
        "format": [record["format"]],
    }
    columns = []
    for field, sources in FIELDS.items():
        texts = [str(terms[term]["value"]) for term in sources if term in terms]
        columns.append(_storable("\n".join(dict.fromkeys(own.get(field, []) + texts))))
    return tuple(columns)


@lru_cache(maxsize=64)
def _folders(folder: str) -> list[str]:
    place = PurePath(folder)
    return [part for part in place.parts if part != place.anchor]


def term_rows(record: Mapping[str, Any]) -> list[tuple[str, str | None, float | None, str | None]]:
    """Return (term, unit, number, folded text) of each term with a number or a text; lists are joined with spaces."""
    rows: list[tuple[str, str | None, float | None, str | None]] = []
    for name, term in record.get("terms", {}).items():
        value = term["value"]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            rows.append((name, term.get("unit"), float(value), None))
            continue
        text = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        rows.append((name, None, None, _storable(text).casefold()))
    return rows


def started(record: Mapping[str, Any]) -> str | None:
    """Return the acquisition's start so that texts compare as times: UTC if the offset is known, else as it stands."""
    term = record.get("terms", {}).get("acquisition.start")
    if term is None:
        return None
    try:
        moment = datetime.fromisoformat(str(term["value"]))
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="seconds")


def _storable(text: str) -> str:
    """Replace lone surrogates, which SQLite cannot store as text."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
