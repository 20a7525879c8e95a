"""The catalogue as the pipeline sees it: one object that remembers, asks and is locked by one run at a time.

Changes are made here; questions are answered in ``queries``. Nothing is ever deleted but what can be derived again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from nffa_cli.catalogue import assets, indexing, lock, queries
from nffa_cli.catalogue.connection import Connection, utc_now
from nffa_cli.catalogue.imports import Imports
from nffa_cli.catalogue.keys import path_key
from nffa_cli.catalogue.opinions import Opinions
from nffa_cli.catalogue.outbox import Journal, Outbox
from nffa_cli.catalogue.rows import (
    CheckResult,
    DueRecord,
    Entry,
    FileToCheck,
    HashedFile,
    NewVersion,
    Provenance,
    Saved,
    Shown,
    StatusReport,
)
from nffa_cli.errors import CatalogueDiskError, CatalogueError, LockedError
from nffa_cli.plan import LedgerRow

FILE_NAME = "catalogue.sqlite"
"""Name of the catalogue inside ``NFFA_HOME``."""


class Store:
    """The open catalogue; use as a context manager."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._term_names: dict[tuple[str, str | None], int] = {}
        self._fates: dict[tuple[Any, ...], int] = {}

    @classmethod
    def open(cls, path: str | Path, *, readonly: bool = False, full_sync: bool = False) -> Store:
        """Open the catalogue, making or upgrading it as needed.

        ``readonly``: nothing can be saved, and a missing catalogue is a CatalogueError instead of a new file.
        ``full_sync``: what was saved outlives a power failure. Raises CatalogueError when it is damaged, not ours or from
        a newer nffa; CatalogueDiskError when it cannot be read or written.
        """
        return cls(Connection(Path(path), readonly=readonly, full_sync=full_sync))

    def reader(self) -> Store:
        """Open the same catalogue once more, to read it in another thread."""
        return Store.open(self._db.path, readonly=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def lock(self, what: str = "") -> Iterator[None]:
        """Hold the catalogue for one run; the operating system lets go of it however the run ends.

        ``what``: a lock of its own for runs that only exclude each other. Raises LockedError at once when another run
        holds it.
        """
        path, note = self._beside(f"{what}.lock"), self._beside(f"{what}.holder")
        with ExitStack() as held:
            try:
                free = held.enter_context(lock.locked(path))
                if free:
                    note.write_text(str(os.getpid()), encoding="ascii")
            except OSError as error:
                what = f"the lock of the catalogue cannot be taken ({error.strerror})"
                hint = "check the rights and the free space of NFFA_HOME"
                raise CatalogueDiskError(what, where=str(path), hint=hint) from error
            if not free:
                who = f" (process {pid})" if (pid := _read_pid(note)) else ""
                what = f"another run of nffa{who} works on this catalogue"
                raise LockedError(what, where=str(self._db.path), hint="wait until it has ended, then run it again")
            try:
                yield
            finally:
                note.unlink(missing_ok=True)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """All that is saved inside is committed together at the end, or not at all."""
        try:
            with self._db.transaction():
                yield
        except BaseException:
            self._term_names.clear()  # these numbers may have been rolled back
            self._fates.clear()
            raise

    # The ledger

    def ledger(self, root: str | None = None) -> dict[str, LedgerRow]:
        """Return what was seen below ``root`` (None: everywhere), by path key."""
        return queries.ledger(self._db, root)

    def save_ledger(self, rows: Iterable[LedgerRow]) -> None:
        """Remember what became of these acquisitions."""
        now = utc_now()
        with self.batch():
            values = [(os.fsencode(row.path), row.key, row.stamp, self._fate(row[3:]), now, now) for row in rows]
            self._db.do_many(
                """INSERT INTO ledger (path, key, stamp, fate, first_seen, last_changed) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (path) DO UPDATE SET stamp = excluded.stamp, fate = excluded.fate, last_changed =
                    CASE WHEN stamp = excluded.stamp THEN last_changed ELSE excluded.last_changed END""",
                values,
            )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop the ledger rows of main files that are no acquisition of their own any more; records stay."""
        with self.batch():
            self._db.do_many("DELETE FROM ledger WHERE path = ?", ((os.fsencode(path),) for path in paths))

    # Acquisitions

    def save(self, version: NewVersion) -> Saved:
        """Record what was read; the same content again replaces record, raw tree and provenance of that version."""
        name, digest, path = version.id, version.digest, version.files[0].path
        with self.batch():
            self._db.do("DELETE FROM alias WHERE path = ?", (os.fsencode(path),))
            found = self._db.row("SELECT seq FROM acquisition WHERE id = ?", (name,))
            if found is None:  # nothing to be cleared away or compared with: most of a first ingest
                self._save_new(name, digest, version)
                return Saved(name, digest, new=True)
            seq = int(found[0])
            known = self._db.row("SELECT seq FROM version WHERE acquisition = ? AND digest = ?", (seq, digest))
            number = self._insert_version(seq, digest, version) if known is None else int(known[0])
            self._db.do("UPDATE acquisition SET version = ?, superseded_by = NULL, vanished_at = NULL WHERE seq = ?",
                        (number, seq))  # fmt: skip
            self._write_files(number, version.files)
            released = self._release_copies(seq, digest)
            self._db.do("INSERT INTO raw (version, data) VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
                        (number, version.raw))  # fmt: skip
            self._write_record(seq, number, path, version.record, version.provenance)
            if version.preview is not None:
                self._db.do("UPDATE version SET preview = ? WHERE seq = ?", (version.preview, number))
        return Saved(name, digest, known is None, released)

    def replace_record(self, acquisition: str, record: Mapping[str, Any], provenance: Provenance) -> None:
        """Replace the record of the current version by one that was made anew from its raw tree."""
        with self.batch():
            seq, path, number = self._known(acquisition)
            self._write_record(seq, number, path, record, provenance)
            if (known := queries.ledger_row(self._db, acquisition)) is not None:
                self.save_ledger([known._replace(crosswalk=provenance.crosswalk, context=provenance.context)])

    def save_preview(self, acquisition: str, preview: str | None) -> None:
        """Note where the preview of the current version lies (None: there is nothing to show)."""
        with self.batch():
            _, _, number = self._known(acquisition)
            self._db.do("UPDATE version SET preview = ? WHERE seq = ?", (preview, number))
            if (known := queries.ledger_row(self._db, acquisition)) is not None:
                self.save_ledger([known._replace(preview=True)])

    def path(self, acquisition: str) -> str:
        """Return where the main file of an acquisition lies, as far as is known."""
        return self._known(acquisition)[1]

    def move(self, acquisition: str, path: str) -> None:
        """Note that the main file of an acquisition lies at ``path`` now, which gives it its id; ``save`` it there next.

        The path that it had is remembered among its aliases.
        """
        name = path_key(path)
        with self.batch():
            seq, old, _ = self._known(acquisition)
            self.forget([old])
            place = os.fsencode(os.path.abspath(path))  # noqa: PTH100 (as in path_key)
            self._db.do("UPDATE acquisition SET id = ?, path = ? WHERE seq = ?", (name, place, seq))
            self._db.do(
                """UPDATE acquisition SET superseded_by = ? WHERE superseded_by = ? AND path IN
                    (SELECT f.path FROM version v JOIN file f ON f.version = v.seq WHERE v.acquisition = ?)""",
                (name, acquisition, seq),
            )
            self.add_alias(name, old)

    def add_alias(self, acquisition: str, path: str) -> None:
        """Note that the main file at ``path`` has the same content as ``acquisition``."""
        with self.batch():
            seq, _, number = self._known(acquisition)
            self._db.do(
                """INSERT INTO alias (path, acquisition, digest) SELECT ?, ?, digest FROM version WHERE seq = ?
                ON CONFLICT DO UPDATE SET acquisition = excluded.acquisition, digest = excluded.digest""",
                (os.fsencode(os.path.abspath(path)), seq, number),  # noqa: PTH100 (as in path_key)
            )

    def aliases(self, acquisition: str) -> list[str]:
        """Return the other paths at which the content of an acquisition was seen."""
        rows = self._db.rows(
            "SELECT alias.path FROM alias JOIN acquisition a ON a.seq = alias.acquisition WHERE a.id = ? ORDER BY 1",
            (acquisition,),
        )
        return [os.fsdecode(path) for (path,) in rows]

    def aliases_of_vanished(self) -> list[str]:
        """Return the other paths of acquisitions whose main files were not there when last looked for."""
        rows = self._db.rows(
            """SELECT alias.path FROM alias JOIN acquisition a ON a.seq = alias.acquisition
            WHERE a.vanished_at IS NOT NULL"""
        )
        return [os.fsdecode(path) for (path,) in rows]

    def save_asset(self, acquisition: str, asset: assets.Asset) -> None:
        """Remember what was made of an acquisition; nothing happens if the catalogue does not know it."""
        assets.save(self._db, acquisition, asset)

    def assets(self, acquisition: str) -> tuple[assets.Asset, ...]:
        """Return what was made of an acquisition, oldest first."""
        return assets.of(self._db, acquisition)

    @property
    def opinions(self) -> Opinions:
        """What models and persons say the pictures show."""
        return Opinions(self._db)

    @property
    def imports(self) -> Imports:
        """Records that were taken over from other repositories."""
        return Imports(self._db)

    @property
    def outbox(self) -> Outbox:
        """What was delivered, and what is on its way."""
        return Outbox(self._db)

    def journal(self, destination: int) -> Journal:
        """Return where unfinished uploads to a destination are noted."""
        return Journal(self._db.path, destination)

    def supersede(self, acquisition: str, by: str) -> tuple[str, ...]:
        """Hide an acquisition, which turned out to be a part of ``by``; its versions are kept.

        Returns the paths of its copies, which stand for themselves from now on (see ``rows.Saved``).
        """
        with self.batch():
            seq, path, _ = self._known(acquisition)
            self._db.do("UPDATE acquisition SET superseded_by = ? WHERE seq = ?", (by, seq))
            self._clear_index(seq)
            self.forget([path])
            return self._release_copies(seq, None)

    def supersede_path(self, path: str, by: str) -> tuple[str, ...]:
        """Hide the acquisition whose main file lies at ``path``, if there is one; see ``supersede``."""
        key = path_key(path)
        return self.supersede(key, by) if key != by and self.holds(key) else ()

    def holds(self, acquisition: str) -> bool:
        """Tell whether there is a record under this id."""
        return self._db.row("SELECT 1 FROM acquisition WHERE id = ?", (acquisition,)) is not None

    def waiting_since(self, key: str) -> float | None:
        """Return when (seconds since 1970) the ledger first saw the files of ``key`` as they are now."""
        found = self._db.row("SELECT strftime('%s', last_changed) FROM ledger WHERE key = ?", (key,))
        return None if found is None else float(found[0])

    def set_vanished(self, acquisitions: Iterable[str]) -> None:
        """Note that the main files of these acquisitions are no longer there; ``save`` takes the note back."""
        now = utc_now()
        with self.batch():
            self._db.do_many("UPDATE acquisition SET vanished_at = ? WHERE id = ? AND vanished_at IS NULL",
                             ((now, name) for name in acquisitions))  # fmt: skip

    def vanished(self) -> set[str]:
        """Return the ids of the acquisitions whose main files were not there when last looked for."""
        return {row[0] for row in self._db.rows("SELECT id FROM acquisition WHERE vanished_at IS NOT NULL")}

    def set_returned(self, acquisitions: Iterable[str]) -> None:
        """Take back the note that ``set_vanished`` made: the files are there again, unchanged."""
        with self.batch():
            self._db.do_many(
                "UPDATE acquisition SET vanished_at = NULL WHERE id = ?", ((name,) for name in acquisitions)
            )

    def find_content(self, digest: str) -> str | None:
        """Return the id of an acquisition whose current version has this content."""
        found = self._db.row(
            """SELECT a.id FROM version v JOIN acquisition a ON a.seq = v.acquisition AND a.version = v.seq
            WHERE v.digest = ? AND a.superseded_by IS NULL ORDER BY a.seq""",
            (digest,),
        )
        return None if found is None else str(found[0])

    def raw(self, acquisition: str) -> bytes:
        """Return the raw blob of the current version as it was given to ``save``."""
        _, _, number = self._known(acquisition)
        return bytes(self._db.rows("SELECT data FROM raw WHERE version = ?", (number,))[0][0])

    def due_for_normalise(self, crosswalks: Mapping[str, str | None]) -> Iterator[DueRecord]:
        """Yield the acquisitions whose record was made with another crosswalk than ``crosswalks`` names by format.

        Records may be replaced while this goes on.
        """
        for name, crosswalk in crosswalks.items():
            last = 0
            while rows := self._db.rows(
                """SELECT v.seq, a.id, v.digest, a.path, v.format, raw.data FROM version v
                JOIN acquisition a ON a.seq = v.acquisition AND a.version = v.seq JOIN raw ON raw.version = v.seq
                WHERE v.format = ? AND v.crosswalk IS NOT ? AND a.superseded_by IS NULL AND v.seq > ?
                ORDER BY v.seq LIMIT 100""",
                (name, crosswalk, last),
            ):
                last = rows[-1][0]
                yield from (DueRecord(row[1], row[2], os.fsdecode(row[3]), row[4], row[5]) for row in rows)

    # Questions

    def find(
        self,
        text: str = "",
        *,
        under: str | None = None,
        order: queries.Order = "recent",
        limit: int | None = 50,
        offset: int = 0,
    ) -> Iterator[Entry]:
        """Yield what matches ``text`` (see ``catalogue.search``) below ``under``; UsageError if it is malformed."""
        return queries.find(self._db, text, under=under, order=order, limit=limit, offset=offset)

    def show(self, target: str) -> Shown:
        """Return all that is known of one acquisition, given by path, id or the start of an id."""
        return queries.show(self._db, target)

    def status(self) -> StatusReport:
        """Return the catalogue in numbers."""
        return queries.status(self._db)

    # Proving that nothing rotted

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file itself; empty: nothing."""
        found = [str(row[0]) for row in self._db.rows("PRAGMA quick_check(10)")]
        return [] if found == ["ok"] else found

    def files_to_check(self, since: str, *, under: str | None = None) -> Iterator[FileToCheck]:
        """Yield the files of current versions that were not checked since ``since`` (ISO 8601, UTC).

        Results may be recorded while this goes on; after an interruption the same ``since`` goes on where it stopped.
        """
        yield from queries.files_to_check(self._db, since, under)

    def record_check(self, number: int, result: CheckResult) -> None:
        """Note what the re-hash of a file found."""
        self._db.do("UPDATE file SET checked_at = ?, check_result = ? WHERE seq = ?", (utc_now(), result, number))

    def dump(self) -> str:
        """Return everything but times as text, one row a line: what must not change when nothing is due."""
        return queries.dump(self._db)

    # How it is done

    def _release_copies(self, seq: int, digest: str | None) -> tuple[str, ...]:
        """Forget and return the copies that hold other content than the acquisition does now (None: all of them)."""
        rows = self._db.rows("SELECT path FROM alias WHERE acquisition = ? AND digest IS NOT ?", (seq, digest))
        self._db.do_many("DELETE FROM alias WHERE path = ?", rows)
        self._db.do_many("DELETE FROM ledger WHERE path = ?", rows)
        return tuple(os.fsdecode(path) for (path,) in rows)

    def _known(self, acquisition: str) -> tuple[int, str, int]:
        """Return row number, path and current version of an acquisition."""
        found = self._db.row("SELECT seq, path, version FROM acquisition WHERE id = ?", (acquisition,))
        if found is None:
            raise CatalogueError(f"the catalogue knows no acquisition {acquisition!r}", where=str(self._db.path))
        return found[0], os.fsdecode(found[1]), found[2]

    def _save_new(self, name: str, digest: str, version: NewVersion) -> None:
        """Write all rows of an acquisition that was never seen before."""
        record, path = version.record, version.files[0].path
        seq = self._db.insert(
            "INSERT INTO acquisition (id, path, format, started) VALUES (?, ?, ?, ?)",
            (name, os.fsencode(os.path.abspath(path)), record["format"], indexing.started(record)),  # noqa: PTH100 (as in path_key)
        )
        number = self._insert_version(seq, digest, version)
        self._db.do("UPDATE acquisition SET version = ? WHERE seq = ?", (number, seq))
        self._insert_files(number, _file_rows(version.files))
        self._db.do("INSERT INTO raw (version, data) VALUES (?, ?)", (number, version.raw))
        self._index(seq, path, record)

    def _insert_version(self, seq: int, digest: str, version: NewVersion) -> int:
        columns = _record_columns(version.record, version.provenance, version.text)
        return self._db.insert(
            """INSERT INTO version (record, format, nffa, reader, crosswalk, vocabulary, context,
                acquisition, digest, preview, ingested_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (*columns, seq, digest, version.preview, utc_now()),
        )

    def _write_files(self, number: int, files: tuple[HashedFile, ...]) -> None:
        """Write the files of a version, keeping the results of checks where nothing changed."""
        rows = _file_rows(files)
        known = self._db.rows("SELECT path, size, sha256, role FROM file WHERE version = ? ORDER BY seq", (number,))
        if rows == known:
            return
        self._db.do("DELETE FROM file WHERE version = ?", (number,))
        self._insert_files(number, rows)

    def _insert_files(self, number: int, rows: Iterable[tuple[bytes, int, str, str]]) -> None:
        self._db.do_many(
            "INSERT INTO file (version, path, size, sha256, role) VALUES (?, ?, ?, ?, ?)",
            ((number, *row) for row in rows),
        )

    def _write_record(self, seq: int, number: int, path: str, record: Mapping[str, Any], made: Provenance) -> None:
        """Write the record of a version, and what is searched of it."""
        self._db.do(
            """UPDATE version SET record = ?, format = ?, nffa = ?, reader = ?, crosswalk = ?, vocabulary = ?,
                context = ? WHERE seq = ?""",
            (*_record_columns(record, made), number),
        )
        self._db.do(
            "UPDATE acquisition SET format = ?, started = ? WHERE seq = ?",
            (record["format"], indexing.started(record), seq),
        )
        self._clear_index(seq)
        self._index(seq, path, record)

    def _index(self, seq: int, path: str, record: Mapping[str, Any]) -> None:
        """Write what is searched of a record; nothing of it may be there yet."""
        marks = ", ".join("?" * (len(indexing.FIELDS) + 1))
        self._db.do(f"INSERT INTO words VALUES ({marks})", (seq, *indexing.words(path, record)))  # noqa: S608
        terms = [(self._term_name(term, unit), number, text) for term, unit, number, text in indexing.term_rows(record)]
        numbers = [(seq, name, number) for name, number, _ in terms if number is not None]
        texts = [(seq, name, text) for name, _, text in terms if text is not None]
        # Two statements, for binding a None costs half as much as a row.
        self._db.do_many("INSERT INTO term (acquisition, name, number) VALUES (?, ?, ?)", numbers)
        self._db.do_many("INSERT INTO term (acquisition, name, text) VALUES (?, ?, ?)", texts)

    def _clear_index(self, seq: int) -> None:
        self._db.do("DELETE FROM words WHERE acquisition = ?", (seq,))
        self._db.do("DELETE FROM term WHERE acquisition = ?", (seq,))

    def _term_name(self, name: str, unit: str | None) -> int:
        """Return the number of a term's name, giving it one when it is new."""
        known = self._term_names.get((name, unit))
        if known is not None:
            return known
        self._db.do(
            """INSERT INTO term_name (name, unit) VALUES (?, ?)
            ON CONFLICT DO UPDATE SET unit = excluded.unit WHERE unit IS NOT excluded.unit""",
            (name, unit),
        )
        number = int(self._db.rows("SELECT seq FROM term_name WHERE name = ?", (name,))[0][0])
        self._term_names[name, unit] = number
        return number

    def _fate(self, fate: tuple[Any, ...]) -> int:
        """Return the number of a fate (a ledger row from its status on), giving it one when it is new."""
        number = self._fates.get(fate)
        if number is None:
            columns = ("status", "reason", "format", "reader", "crosswalk", "context", "preview", "partner_missing")
            same = " AND ".join(f"{column} IS ?" for column in columns)
            found = self._db.row(f"SELECT seq FROM fate WHERE {same}", fate)  # noqa: S608
            number = found[0] if found is not None else self._db.insert(
                f"INSERT INTO fate ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", fate  # noqa: S608
            )  # fmt: skip
            self._fates[fate] = number
        return number

    def _beside(self, suffix: str) -> Path:
        return self._db.path.with_name(self._db.path.name + suffix)


def _file_rows(files: Iterable[HashedFile]) -> list[tuple[bytes, int, str, str]]:
    return [(os.fsencode(file.path), file.size, file.sha256, file.role) for file in files]


def _record_columns(record: Mapping[str, Any], made: Provenance, text: str | None = None) -> tuple[str | None, ...]:
    """Return a version's record as text, its format, and the versions that made it."""
    text = text or json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text, record["format"], made.nffa, made.reader, made.crosswalk, made.vocabulary, made.context


def _read_pid(note: Path) -> str:
    """Return the process number that the holder of the lock noted; empty if it did not get that far."""
    try:
        text = note.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if text.isdigit() else ""
