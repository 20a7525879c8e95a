"""One connection to the catalogue: opening, transactions, and the one place where SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nffa_cli.catalogue import migrations
from nffa_cli.errors import CatalogueDiskError, CatalogueError, LockedError

OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables came with this version."""

BUSY_SECONDS = 10.0
"""How long a statement waits for another program's transaction."""

_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def utc_now() -> str:
    """Return the time as it is stored: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def version() -> tuple[int, int, int]:
    """Return the version of the SQLite in this Python."""
    return sqlite3.sqlite_version_info


def has_full_text_search() -> bool:
    """Tell whether this Python's SQLite was built with FTS5, which the search index needs."""
    with closing(sqlite3.connect(":memory:")) as db:
        return bool(db.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone() == (1,))


class Translated:
    """Turns SQLite's errors about the file at ``path`` into ours; errors of our own making pass unchanged.

    A class, since a generator would double the cost of a short statement.
    """

    def __init__(self, path: Path) -> None:
        self._where = str(path)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, sqlite3.Error):
            return
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, the rest its variety
        if code in _DISK:
            what = f"the catalogue cannot be written or read ({error})"
            hint = "free space or check the folder's rights, then run it again"
            raise CatalogueDiskError(what, where=self._where, hint=hint) from error
        if code in _BUSY:
            what = "another program is writing to the catalogue"
            raise LockedError(what, where=self._where, hint="wait until it has ended, then run it again") from error
        if code in _DAMAGED:
            what = f"the catalogue is damaged ({error})"
            hint = "move this file away and run nffa ingest again: everything is made anew from the source files"
            raise CatalogueError(what, where=self._where, hint=hint) from error


class Connection:
    """A connection in WAL mode with the schema of this program; statements go through ``rows`` and ``do``."""

    def __init__(self, path: Path, *, readonly: bool = False, full_sync: bool = False) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            what = f"this Python brings SQLite {sqlite3.sqlite_version}, too old"
            raise CatalogueError(what, hint="use a Python with SQLite 3.37 or newer")
        if readonly and not path.exists():
            raise CatalogueError("there is no catalogue yet", where=str(path), hint="nffa ingest FOLDER makes one")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the folder of the catalogue cannot be made ({error.strerror})"
            raise CatalogueDiskError(
                what, where=str(path.parent), hint="set NFFA_HOME to a folder you may write to"
            ) from error
        self.path = path
        self._translated = Translated(path)
        with self._translated:
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
        try:
            with self._translated:
                self._prepare(readonly=readonly, full_sync=full_sync)
        except CatalogueError as error:
            self.close()
            error.where = error.where or str(path)
            raise
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, readonly: bool, full_sync: bool) -> None:
        db = self._db
        db.execute("PRAGMA foreign_keys = ON")
        # Of 150,000 records the indexes stay in memory for who asks; a run that writes must not grow with the catalogue.
        db.execute(f"PRAGMA cache_size = {-65536 if readonly else -4096}")  # KiB
        db.execute("PRAGMA temp_store = MEMORY")
        if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            migrations.pending(db)  # refuses other programs' files before anything is changed
            db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if full_sync else 'NORMAL'}")
        migrations.migrate(db, self.path, utc_now())
        if readonly:
            db.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Close the file; twice is harmless."""
        self._db.close()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return all rows of a query."""
        with self._translated:
            return self._db.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] = ()) -> Any | None:
        """Return the first row of a query, or None."""
        with self._translated:
            return self._db.execute(statement, values).fetchone()

    def do(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Carry out one change."""
        with self._translated:
            self._db.execute(statement, values)

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Carry out one change and return of how many rows."""
        with self._translated:
            return self._db.execute(statement, values).rowcount

    def insert(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Add one row and return its number."""
        with self._translated:
            return int(self._db.execute(statement, values).lastrowid or 0)

    def do_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Carry out one change for each row of values."""
        with self._translated:
            self._db.executemany(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another transaction it is part of that one."""
        if self._db.in_transaction:
            yield
            return
        self.do("BEGIN IMMEDIATE")
        try:
            yield
            self.do("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself may have rolled back, as it does when the disk is full
                self._db.execute("ROLLBACK")
            raise
