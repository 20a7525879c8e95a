"""Records that were taken over from other repositories, and what became of their deliveries; whole, as they were given."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nffa_cli.catalogue.connection import Connection, utc_now


@dataclass(frozen=True, slots=True)
class Imported:
    """One record as it was imported.

    key
        Which record it is: the same at every import.
    system, source
        What it was called at the command line, and where it came from (file name or address).
    entry
        The record itself, as JSON that was read.
    options
        What was said with it: ``kind``, ``proposal``, ``experiment``, ``as_one``, ``to``.
    """

    key: str
    system: str
    source: str
    entry: Mapping[str, Any]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an import at one destination: state as in the outbox, digest of what was sent, the receipt's JSON."""

    state: str
    reason: str | None
    digest: str
    receipt: Mapping[str, Any] | None


class Imports:
    """The door to these tables; ``Store.imports`` gives it."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, key: str) -> Imported | None:
        """Return an import; None: it was never taken."""
        return next(self._select("WHERE key = ?", (key,)), None)

    def all(self) -> Iterator[Imported]:
        """Yield every import, oldest first."""
        return self._select("ORDER BY seq", ())

    def _select(self, clause: str, values: tuple[Any, ...]) -> Iterator[Imported]:
        for key, system, source, entry, options in self._db.rows(
            f"SELECT key, system, source, entry, options FROM import {clause}",  # noqa: S608
            values,
        ):
            yield Imported(key, system, source, json.loads(zlib.decompress(entry)), json.loads(options))

    def save(self, item: Imported) -> None:
        """Remember an import; one of the same key is replaced, its deliveries stay known."""
        now = utc_now()
        entry = zlib.compress(json.dumps(item.entry, separators=(",", ":")).encode("ascii"))
        self._db.do(
            """INSERT INTO import (key, system, source, entry, options, imported_at, changed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET system = excluded.system,
                source = excluded.source, entry = excluded.entry, options = excluded.options,
                changed_at = excluded.changed_at""",
            (item.key, item.system, item.source, entry, json.dumps(item.options, sort_keys=True), now, now),
        )

    def sent(self, key: str, destination: str) -> Sent | None:
        """Return what became of an import at a destination; None: nothing yet."""
        row = self._db.row(
            """SELECT d.state, d.reason, d.digest, d.receipt FROM import_delivery d JOIN import i ON i.seq = d.import
            WHERE i.key = ? AND d.destination = ?""",
            (key, destination),
        )
        return None if row is None else Sent(row[0], row[1], row[2], json.loads(row[3]) if row[3] else None)

    def settle(self, key: str, destination: str, sent: Sent) -> None:
        """Remember what became of an import; a receipt that was had before stays where there is none now."""
        receipt = json.dumps(sent.receipt) if sent.receipt is not None else None
        self._db.do(
            """INSERT INTO import_delivery (import, destination, state, reason, digest, receipt, changed_at)
            SELECT seq, ?, ?, ?, ?, ?, ? FROM import WHERE key = ?
            ON CONFLICT (import, destination) DO UPDATE SET state = excluded.state, reason = excluded.reason,
                digest = excluded.digest, receipt = coalesce(excluded.receipt, receipt), changed_at = excluded.changed_at""",
            (destination, sent.state, sent.reason, sent.digest, receipt, utc_now(), key),
        )
