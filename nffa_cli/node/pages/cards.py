"""Cards of measurements: what a gallery shows of each, with the address of its preview where the viewer may look at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli import spoken
from nffa_cli.node import access, tables
from nffa_cli.node.callers import Caller

PICTURES = ("image/jpeg", "image/png")
"""Media types of previews that a browser is given to draw."""


@dataclass(frozen=True, slots=True)
class Card:
    """One measurement in a gallery or table; what is not known is empty.

    preview
        Id of the data asset; None: there is none, or it is closed to this viewer.
    is_open
        Everybody may read it.
    """

    id: str
    name: str
    preview: str | None
    category: str
    by: str
    instrument: str
    voltage: str
    sample: str
    technique: str
    format: str
    started: str
    is_open: bool

    @property
    def alt(self) -> str:
        """What a screen reader says instead of the picture."""
        return ", ".join(filter(None, (f"Preview of {self.name}", self.category, self.voltage)))


def cards(connection: sa.Connection, caller: Caller, rows: Sequence[sa.Row[Any]], now: str) -> list[Card]:
    """Return the cards of measurements, which the caller sees, in their order."""
    shown = previews(connection, caller, [row.id for row in rows], now)
    return [card(row, shown.get(row.id), now) for row in rows]


def previews(connection: sa.Connection, caller: Caller, measurements: Iterable[str], now: str) -> dict[str, str]:
    """Return the asset with the preview of each measurement that has one which the caller may read."""
    wanted, of = list(measurements), tables.asset.c
    if not wanted:
        return {}
    mine = access.readable(caller, now, "dataasset")
    query = sa.select(of.measurement, of.id, of.data).where(
        of.measurement.in_(wanted), of.role == "preview", of.state == "available", mine
    )
    rows = connection.execute(query.order_by(of.id.desc()))
    return {row.measurement: row.id for row in rows if row.data.get("mediaType") in PICTURES}


def card(row: sa.Row[Any], preview: str | None, now: str) -> Card:
    """Return the card of one measurement; ``preview``: the asset that the caller may look at."""
    data = row.data
    said = data.get("category") or {}
    by = "person" if said.get("by") == "person" else f"{said['score']:.0%}" if said.get("score") is not None else ""
    started = data.get("startTime")
    return Card(
        row.id, row.name, preview, said.get("label") or "", by if said.get("label") else "", row.instrument_name or "",
        "" if row.voltage is None else spoken.quantity(row.voltage, "V"), row.sample or "", row.technique or "",
        row.format or "", spoken.when(started) if started else "", row.released_at <= now,
    )  # fmt: skip
