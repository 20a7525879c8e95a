"""The outbox: what was delivered where, what is on its way, which uploads are unfinished. Intent before, receipt after.

What is due is not kept here: it follows from what the catalogue knows and from these rows (``delivering.due``). A row is
written when a delivery begins (``sending``), and again when its outcome is known.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from nffa_cli.catalogue import contents
from nffa_cli.catalogue.connection import Connection, utc_now

State = Literal["sending", "done", "waiting", "failed", "refused", "conflict", "again", "dropped"]
"""How a delivery stands. again: it is to be sent although nothing has changed."""

PAGE = 500

_File = tuple[str, int, str, str]
"""Path, size, sha256, role."""


@dataclass(frozen=True, slots=True)
class Stub:
    """What was remembered of a delivery; ``proposal`` and ``experiment`` are what the command line said once."""

    state: State
    reason: str | None
    token: str
    proposal: str | None
    experiment: str | None
    attempts: int


class Receipt(NamedTuple):
    """What a destination answered, as it is kept; see ``destinations.base.Receipt``."""

    key: str
    measurement: str
    url: str
    version: str
    digest: str
    assets_json: str
    linked: bool

    @property
    def assets(self) -> tuple[tuple[str, str, str], ...]:
        """(relative path, id there, sha256) of each file, decoded at each call."""
        return tuple((path, name, sha256) for path, name, sha256 in json.loads(self.assets_json))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An acquisition at its current version with what decides whether it is due; nothing of it is opened for that.

    made
        Versions that made the record.
    opinions
        Numbers of the last label and the last classification of its content.
    exports
        Path, size, mtime_ns, recipe and operator policy of its NXem files, as text.
    stamp
        Of its files when they were read (``plan.stamp``).
    version
        Row number of the version.
    """

    seq: int
    id: str
    path: str
    digest: str
    format: str
    main_sha256: str
    context: str | None
    crosswalk: str | None
    made: str
    opinions: str
    exports: str
    preview: str | None
    stamp: str | None
    version: int
    stub: Stub | None
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ``nffa outbox list``: of an acquisition, or (``imported``) of a record of another repository."""

    destination: str
    acquisition: str | None
    path: str
    state: State
    reason: str | None
    attempts: int
    changed_at: str
    imported: str | None = None


class Outbox:
    """The door to these tables; ``Store.outbox`` gives it."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def destination(self, name: str) -> int:
        """Return the number of a destination, giving it one when it is new."""
        self._db.do(
            "INSERT INTO destination (name, first_used) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, utc_now())
        )
        return int(self._db.rows("SELECT seq FROM destination WHERE name = ?", (name,))[0][0])

    def labels_since(self, destination: int) -> str | None:
        """Return how far the labels of a destination were taken; None: none were."""
        found = self._db.row("SELECT labels_since FROM destination WHERE seq = ?", (destination,))
        return None if found is None else found[0]

    def labels_taken(self, destination: int, since: str) -> None:
        """Note how far the labels of a destination were taken."""
        self._db.do("UPDATE destination SET labels_since = ? WHERE seq = ?", (since, destination))

    def known(self, name: str) -> int:
        """Return the number of a destination; 0: nothing was ever sent there."""
        found = self._db.row("SELECT seq FROM destination WHERE name = ?", (name,))
        return 0 if found is None else int(found[0])

    def candidates(self, destination: int) -> Iterator[Candidate]:
        """Yield every acquisition, oldest first, as far as one destination is concerned.

        Rows may be written while this goes on.
        """
        last = 0
        while rows := self._db.rows(_CANDIDATES, (destination, destination, last, PAGE)):
            last = rows[-1][0]
            yield from map(_candidate, rows)

    def contents(self, candidates: Sequence[Candidate]) -> dict[int, contents.Content]:
        """Return what there is of each candidate, by its ``seq``."""
        return contents.of(self._db, candidates)

    def begin(self, destination: int, intents: Iterable[tuple[int, str, str | None, str | None]]) -> None:
        """Note, in one transaction, what is about to be sent: (acquisition, token, proposal, experiment said now)."""
        now = utc_now()
        with self._db.transaction():
            self._db.do_many(
                """INSERT INTO delivery (destination, acquisition, state, token, proposal, experiment, attempts, changed_at)
                VALUES (?, ?, 'sending', ?, ?, ?, 1, ?)
                ON CONFLICT DO UPDATE SET state = 'sending', reason = NULL, token = excluded.token,
                    proposal = excluded.proposal, experiment = excluded.experiment,
                    attempts = attempts + 1, changed_at = excluded.changed_at""",
                ((destination, seq, token, proposal, experiment, now) for seq, token, proposal, experiment in intents),
            )

    def settle(self, destination: int, outcomes: Iterable[tuple[int, State, str | None, Stub, Receipt | None]]) -> None:
        """Note, in one transaction, how deliveries ended: (acquisition, state, reason, what was sent, receipt)."""
        now = utc_now()
        receipts, states = [], []
        for seq, state, reason, stub, receipt in outcomes:
            if receipt is not None:
                receipts.append((destination, seq, *receipt[:6], int(receipt.linked), now))
            attempts = 0 if state in ("done", "waiting") else stub.attempts
            about = (stub.token, stub.proposal, stub.experiment, attempts, now)
            states.append((destination, seq, state, reason, *about))
        with self._db.transaction():
            self._keep(receipts)
            self._db.do_many(
                "INSERT OR REPLACE INTO delivery (destination, acquisition, state, reason, token, proposal, "
                "experiment, attempts, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                states,
            )

    def _keep(self, receipts: Sequence[tuple[Any, ...]]) -> None:
        """Keep receipts; a proof stands as long as what was proved has not changed."""
        self._db.do_many(
            """INSERT INTO receipt (destination, acquisition, key, measurement, url, version, digest, assets, linked,
                delivered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET key = excluded.key, measurement = excluded.measurement, url = excluded.url,
                version = excluded.version, digest = excluded.digest, linked = excluded.linked,
                proof = CASE WHEN assets = excluded.assets THEN proof END,
                verified_at = CASE WHEN assets = excluded.assets THEN verified_at END,
                assets = excluded.assets, delivered_at = excluded.delivered_at""",
            receipts,
        )

    # Proofs

    def receipts(self, destination: int) -> Iterator[tuple[int, str, Receipt]]:
        """Yield (acquisition's row, its path, receipt) of all that was delivered; rows may be written meanwhile."""
        last = 0
        while rows := self._db.rows(
            """SELECT r.acquisition, a.path, r.key, r.measurement, r.url, r.version, r.digest, r.assets, r.linked
            FROM receipt r JOIN acquisition a ON a.seq = r.acquisition
            WHERE r.destination = ? AND r.acquisition > ? ORDER BY r.acquisition LIMIT ?""",
            (destination, last, PAGE),
        ):
            last = rows[-1][0]
            yield from ((row[0], os.fsdecode(row[1]), _receipt(row[2:])) for row in rows)

    def proved(self, destination: int, proofs: Iterable[tuple[int, str]], *, bad: frozenset[str]) -> None:
        """Note what was proved of receipts: (acquisition, proof). What is among ``bad`` is to be delivered again."""
        now = utc_now()
        with self._db.transaction():
            for seq, proof in proofs:
                self._db.do("UPDATE receipt SET proof = ?, verified_at = ? WHERE destination = ? AND acquisition = ?",
                            (proof, now, destination, seq))  # fmt: skip
                if proof in bad:
                    self._db.do(
                        "UPDATE delivery SET state = 'again', reason = ?, changed_at = ? "
                        "WHERE destination = ? AND acquisition = ? AND state = 'done'",
                        (f"check: {proof} there", now, destination, seq),
                    )

    def proved_contents(self) -> Iterator[tuple[str, str, str, frozenset[str], str | None, tuple[_File, ...]]]:
        """Yield what a destination was proved to hold by digest, where that is the current version.

        Yields (id, destination, url, sha256s there, ``plan.stamp`` of the files when they were read, the files).
        """
        rows = self._db.rows(
            """SELECT a.id, a.version, d.name, r.url, r.assets, l.stamp FROM receipt r
            JOIN destination d ON d.seq = r.destination JOIN acquisition a ON a.seq = r.acquisition
            JOIN version v ON v.seq = a.version LEFT JOIN ledger l ON l.key = a.id
            WHERE r.proof = 'digest' AND NOT r.linked AND r.key = 'sha256:' || v.digest AND a.superseded_by IS NULL
            ORDER BY a.seq"""
        )
        for name, version, place, url, assets, stamp in rows:
            files = self._db.rows(
                "SELECT path, size, sha256, role FROM file WHERE version = ? ORDER BY seq", (version,)
            )
            there = frozenset(sha256 for _, _, sha256 in json.loads(assets))
            yield name, place, url, there, stamp, tuple((os.fsdecode(path), *rest) for path, *rest in files)

    # What a person asks and does

    def rows(self) -> Iterator[Row]:
        """Yield what was begun and is not done, oldest first."""
        for row in self._db.rows(
            """SELECT t.name, a.id, a.path, d.state, d.reason, d.attempts, d.changed_at FROM delivery d
            JOIN destination t ON t.seq = d.destination JOIN acquisition a ON a.seq = d.acquisition
            WHERE d.state <> 'done' AND a.superseded_by IS NULL ORDER BY d.destination, d.acquisition"""
        ):
            yield Row(row[0], row[1], os.fsdecode(row[2]), *row[3:])

    def addresses(self, acquisition: str) -> list[str]:
        """Return where an acquisition that was delivered can be seen, the newest delivery first."""
        rows = self._db.rows(
            """SELECT r.url FROM receipt r JOIN acquisition a ON a.seq = r.acquisition WHERE a.id = ?
            ORDER BY r.delivered_at DESC, r.destination DESC""",
            (acquisition,),
        )
        return [str(url) for (url,) in rows]

    def with_proposal(self) -> set[int]:
        """Return the rows of the acquisitions whose record names a proposal."""
        return {seq for (seq,) in self._db.rows(
            "SELECT acquisition FROM term WHERE name = (SELECT seq FROM term_name WHERE name = 'proposal.id')"
        )}  # fmt: skip

    def names(self) -> list[str]:
        """Return every destination that was ever used, first used first."""
        return [name for (name,) in self._db.rows("SELECT name FROM destination ORDER BY seq")]

    def set_state(
        self, state: State, *, acquisition: str | None, destination: str | None, among: Sequence[State]
    ) -> int:
        """Change what stands among ``among`` to ``state``, for one acquisition or all; return how many rows."""
        which = {
            "acquisition = (SELECT seq FROM acquisition WHERE id = ?)": acquisition,
            "destination = (SELECT seq FROM destination WHERE name = ?)": destination,
        }
        return restate(self._db, "delivery", state, among, which)

    def resume(self, destination: int) -> dict[str, str]:
        """Return the notes of unfinished uploads by sha256."""
        return dict(self._db.rows("SELECT sha256, token FROM upload WHERE destination = ?", (destination,)))


class Journal:
    """Notes of unfinished uploads to one destination, kept through a power failure; safe from several threads."""

    def __init__(self, path: Path, destination: int) -> None:
        self._path = path
        self._destination = destination
        self._of_thread = threading.local()

    def note(self, sha256: str, token: str) -> None:
        """Remember ``token`` before the bytes of ``sha256`` are sent."""
        self._do(
            "INSERT OR REPLACE INTO upload (destination, sha256, token, noted_at) VALUES (?, ?, ?, ?)",
            (self._destination, sha256, token, utc_now()),
        )

    def forget(self, sha256: str) -> None:
        """Drop the note."""
        self._do("DELETE FROM upload WHERE destination = ? AND sha256 = ?", (self._destination, sha256))

    def _do(self, statement: str, values: Sequence[Any]) -> None:
        db = getattr(self._of_thread, "db", None)
        if db is None:  # a connection serves the thread that opened it
            db = self._of_thread.db = Connection(self._path, full_sync=True)
        db.do(statement, values)


def restate(db: Connection, table: str, state: State, among: Sequence[State], which: Mapping[str, str | None]) -> int:
    """Change, in a table of deliveries, what stands among ``among`` to ``state``; return how many rows.

    ``which``: test → its value; None: it is not asked.
    """
    asked = {test: value for test, value in which.items() if value is not None}
    where = " AND ".join((f"state IN ({', '.join('?' * len(among))})", *asked))
    return db.change(
        f"UPDATE {table} SET state = ?, changed_at = ? WHERE {where}",  # noqa: S608
        (state, utc_now(), *among, *asked.values()),
    )


_CANDIDATES = """SELECT a.seq, a.id, a.path, v.digest, v.format, f.sha256, v.context, v.crosswalk,
    v.nffa || ' ' || v.reader || ' ' || v.vocabulary || ' ' || coalesce(l.fate, '') || ' ' || coalesce(length(raw.data), ''),
    coalesce((SELECT max(seq) FROM label WHERE sha256 = f.sha256), '') || ' '
        || coalesce((SELECT current FROM category WHERE sha256 = f.sha256), ''),
    coalesce((SELECT group_concat(hex(path) || ' ' || size || ' ' || mtime_ns || ' ' || recipe || coalesce(policy, '')) FROM asset
        WHERE acquisition = a.seq AND kind = 'nxem'), ''),
    v.preview, l.stamp, v.seq, d.state, d.reason, d.token, d.proposal, d.experiment, d.attempts,
    r.key, r.measurement, r.url, r.version, r.digest, r.assets, r.linked
FROM acquisition a CROSS JOIN version v ON v.seq = a.version
    LEFT JOIN file f ON f.version = v.seq AND f.role = 'main'
    LEFT JOIN ledger l ON l.key = a.id LEFT JOIN raw ON raw.version = v.seq
    LEFT JOIN delivery d ON d.destination = ? AND d.acquisition = a.seq
    LEFT JOIN receipt r ON r.destination = ? AND r.acquisition = a.seq
WHERE a.seq > ? AND a.superseded_by IS NULL ORDER BY a.seq LIMIT ?"""


def _candidate(row: Sequence[Any]) -> Candidate:
    stub = None if row[14] is None else Stub(*row[14:20])
    receipt = None if row[20] is None else _receipt(row[20:27])
    return Candidate(row[0], row[1], os.fsdecode(row[2]), *row[3:14], stub, receipt)  # type: ignore[call-arg]


def _receipt(row: Sequence[Any]) -> Receipt:
    return Receipt(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]))
