"""Records that were taken over from other repositories, and what became of their deliveries; whole, as they were given."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli.catalogue.connection import Connection, utc_now
from nffa_cli.catalogue.outbox import Row, State, restate

PAGE = 500


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
    """What became of an import at one destination: state as in the outbox, digest of what was sent, the receipt's JSON.

    ``token``: what decided that it was due (``delivering.Token``).
    """

    state: State
    reason: str | None
    digest: str
    receipt: Mapping[str, Any] | None
    token: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An import as far as one destination is concerned, with what decides whether it is due; its record is not read.

    ``stamp``: a digest of the record.
    """

    seq: int
    key: str
    system: str
    source: str
    options: Mapping[str, Any]
    stamp: str
    sent: Sent | None


class Imports:
    """The door to these tables; ``Store.imports`` gives it."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, key: str) -> Imported | None:
        """Return an import; None: it was never taken."""
        row = self._db.row("SELECT key, system, source, entry, options FROM import WHERE key = ?", (key,))
        if row is None:
            return None
        return Imported(row[0], row[1], row[2], json.loads(zlib.decompress(row[3])), json.loads(row[4]))

    def named(self, text: str) -> str | None:
        """Return the key of the import that a person names by its key or its source; None: there is none, or several."""
        found = self._db.rows("SELECT key FROM import WHERE key = ? OR source = ? LIMIT 2", (text, text))
        return str(found[0][0]) if len(found) == 1 else None

    def candidates(self, destination: str) -> Iterator[Candidate]:
        """Yield every import that may go to a destination, oldest first; rows may be written while this goes on."""
        last = 0
        while rows := self._db.rows(
            """SELECT i.seq, i.key, i.system, i.source, i.options, i.stamp, d.state, d.reason, d.digest, d.receipt, d.token
            FROM import i LEFT JOIN import_delivery d ON d.import = i.seq AND d.destination = ?
            WHERE i.seq > ? ORDER BY i.seq LIMIT ?""",
            (destination, last, PAGE),
        ):
            last = rows[-1][0]
            for row in rows:
                options = json.loads(row[4])
                if options.get("to") in (None, destination):
                    sent = None if row[6] is None else _sent(row[6:])
                    yield Candidate(row[0], row[1], row[2], row[3], options, row[5], sent)

    def save(self, item: Imported) -> None:
        """Remember an import; one of the same key is replaced, its deliveries stay known."""
        now = utc_now()
        written = json.dumps(item.entry, separators=(",", ":")).encode("ascii")
        stamp = hashlib.sha256(written).hexdigest()
        options = json.dumps(item.options, sort_keys=True)
        self._db.do(
            """INSERT INTO import (key, system, source, entry, options, stamp, imported_at, changed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET system = excluded.system,
                source = excluded.source, entry = excluded.entry, options = excluded.options, stamp = excluded.stamp,
                changed_at = excluded.changed_at""",
            (item.key, item.system, item.source, zlib.compress(written), options, stamp, now, now),
        )

    def begin(self, destination: str, intents: Iterable[tuple[str, str]]) -> None:
        """Note, in one transaction, what is about to be sent: (key, token)."""
        now = utc_now()
        with self._db.transaction():
            self._db.do_many(
                """INSERT INTO import_delivery (import, destination, state, digest, token, attempts, changed_at)
                SELECT seq, ?, 'sending', '', ?, 1, ? FROM import WHERE key = ?
                ON CONFLICT DO UPDATE SET state = 'sending', reason = NULL, token = excluded.token,
                    attempts = attempts + 1, changed_at = excluded.changed_at""",
                ((destination, token, now, key) for key, token in intents),
            )

    def settle(self, key: str, destination: str, sent: Sent) -> None:
        """Remember what became of an import; a receipt that was had before stays where there is none now."""
        receipt = json.dumps(sent.receipt) if sent.receipt is not None else None
        self._db.do(
            """INSERT INTO import_delivery (import, destination, state, reason, digest, receipt, token, changed_at)
            SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM import WHERE key = ?
            ON CONFLICT (import, destination) DO UPDATE SET state = excluded.state, reason = excluded.reason,
                digest = excluded.digest, receipt = coalesce(excluded.receipt, receipt), token = excluded.token,
                attempts = CASE WHEN excluded.state IN ('done', 'waiting') THEN 0 ELSE attempts END,
                proof = CASE WHEN excluded.receipt IS NULL THEN proof END, changed_at = excluded.changed_at""",
            (destination, sent.state, sent.reason, sent.digest, receipt, sent.token, utc_now(), key),
        )

    def proved(self, key: str, destination: str, proof: str, *, bad: bool) -> None:
        """Note what was proved of a delivery; ``bad``: it is to be made again."""
        now = utc_now()
        where = "WHERE destination = ? AND import = (SELECT seq FROM import WHERE key = ?)"
        with self._db.transaction():
            self._db.do(
                f"UPDATE import_delivery SET proof = ?, verified_at = ? {where}",  # noqa: S608
                (proof, now, destination, key),
            )
            if bad:
                self._db.do(
                    f"UPDATE import_delivery SET state = 'again', reason = ?, changed_at = ? {where} AND state = 'done'",  # noqa: S608
                    (f"check: {proof} there", now, destination, key),
                )

    def rows(self) -> Iterator[Row]:
        """Yield what was begun and is not done, oldest first, as lines of ``nffa outbox list``."""
        for row in self._db.rows(
            """SELECT d.destination, i.source, d.state, d.reason, d.attempts, d.changed_at, i.key FROM import_delivery d
            JOIN import i ON i.seq = d.import WHERE d.state <> 'done' ORDER BY d.destination, d.import"""
        ):
            yield Row(row[0], None, *row[1:])

    def set_state(self, state: State, *, key: str | None, destination: str | None, among: Sequence[State]) -> int:
        """Change what stands among ``among`` to ``state``, for one import or all; return how many rows."""
        which = {"import = (SELECT seq FROM import WHERE key = ?)": key, "destination = ?": destination}
        return restate(self._db, "import_delivery", state, among, which)


def _sent(row: Sequence[Any]) -> Sent:
    return Sent(row[0], row[1], row[2], json.loads(row[3]) if row[3] else None, row[4])
