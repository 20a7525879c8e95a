"""A copy of a node that can be served as it is: first the bytes' index stands still, then the database, then the bytes.

While it runs nothing is swept from the node, so that all that the copied database names is there to be copied. The copied
database takes its name last: a backup that was cut short leaves the one before as it was, and goes on where it stopped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nffa_cli.catalogue.lock import locked
from nffa_cli.errors import DiskError, LockedError, NffaError, UsageError
from nffa_cli.node import arriving, checking, sweeping
from nffa_cli.node.database import Database
from nffa_cli.node.storage import Storage, sync

SQLITE = "node.sqlite"
POSTGRESQL = "node.dump"
TOGETHER = 200
"""Files that are made durable at a time."""


@dataclass(slots=True)
class Backup:
    """What a backup did, counted while it goes on: files copied or linked, those that were there, and bytes of the first."""

    database: str = ""
    copied: int = 0
    linked: int = 0
    there: int = 0
    bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        counts = {"copied": self.copied, "linked": self.linked, "there": self.there, "bytes": self.bytes}
        return {"type": "backup", "database": self.database, **counts}


def backup(database: Database, storage: Storage, target: Path, done: Backup) -> Iterator[checking.Finding]:
    """Bring the copy in ``target`` up to date and yield what could not be copied because the node itself has lost it.

    Bytes are hard links where both folders lie on one disk, else copies; each is proved by its SHA-256 when it is new.

    Raises
    ------
    UsageError
        The target is the node itself, or PostgreSQL's ``pg_dump`` is needed and not there.
    LockedError
        Another backup runs, or the sweep.
    DiskError
        The target is full or cannot be written.
    """
    if target.exists() and target.samefile(storage.folder):
        raise UsageError("this is the node itself", where=str(target), hint="name another folder")
    with locked(storage.folder / sweeping.LOCK) as free:
        if not free:
            raise LockedError("another backup runs, or the node sweeps", where=str(storage.folder), hint="try again")
        with _disk(target):
            copy = Storage(target)
        try:
            with _disk(target), _snapshot(database, target, done):
                yield from checking.lost(database)
                yield from _bytes(database, storage, copy, done)
        finally:
            copy.close()


@contextmanager
def _snapshot(database: Database, target: Path, done: Backup) -> Iterator[None]:
    """Copy the database under another name; it takes its own when the block has ended well."""
    done.database = SQLITE if database.is_sqlite else POSTGRESQL
    draft = target / f"{done.database}.part"
    draft.unlink(missing_ok=True)
    (_copy if database.is_sqlite else _dump)(database, draft)
    sync(draft)
    yield
    draft.replace(target / done.database)
    if os.name != "nt":
        sync(target)


def _copy(database: Database, draft: Path) -> None:
    """Copy an SQLite database through its own online backup, whoever writes to it meanwhile."""
    engine = sa.create_engine(f"sqlite:///{draft}", poolclass=sa.NullPool)
    there, here = engine.raw_connection(), database.engine.raw_connection()
    try:
        here.driver_connection.backup(there.driver_connection)  # type: ignore[union-attr]
    finally:
        here.close()
        there.close()
        engine.dispose()


def _dump(database: Database, draft: Path) -> None:
    """Have PostgreSQL's own program copy the database; the password goes in the environment, where no list of processes is."""
    hint = "install the PostgreSQL client programs of the server's version"
    program = shutil.which("pg_dump")
    if program is None:
        raise UsageError("a backup of PostgreSQL takes its program pg_dump, which is not here", hint=hint)
    url = database.engine.url.set(drivername="postgresql", password=None)
    environment = {**os.environ, "PGPASSWORD": str(database.engine.url.password or "")}
    command = [program, "--format=custom", "--no-password", f"--file={draft}", f"--dbname={url.render_as_string()}"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise NffaError(f"pg_dump failed: {run.stderr.strip()[-300:]}", where=database.shown, hint=hint)


def _bytes(database: Database, storage: Storage, copy: Storage, done: Backup) -> Iterator[checking.Finding]:
    drafts: list[tuple[Path, str]] = []
    for row in checking.blobs(database):
        if copy.size(row.sha256) == row.size:
            done.there += 1
            continue
        draft = copy.staged / f"backup-{row.sha256}"
        draft.unlink(missing_ok=True)
        wrong = checking.judged(storage, row.sha256, row.size, read_data=False)
        if wrong is None:
            linked = _linked(storage.path(row.sha256), draft)
            if arriving.digest_of(draft) != row.sha256:
                draft.unlink()
                wrong = "damaged", "what was read of it has another SHA-256"
        if wrong is not None:
            yield checking.Finding(wrong[0], row.sha256, wrong[1])
            continue
        done.linked += linked
        done.copied += not linked
        done.bytes += row.size
        drafts.append((draft, row.sha256))
        if len(drafts) == TOGETHER:
            copy.keep(drafts)
            drafts = []
    copy.keep(drafts)


def _linked(source: Path, draft: Path) -> bool:
    """Link a file, or copy it where that is not possible; tell whether it was linked."""
    with suppress(OSError):
        os.link(source, draft)
        return True
    shutil.copyfile(source, draft)
    return False


@contextmanager
def _disk(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"the backup cannot be written ({error.strerror})"
        raise DiskError(what, where=str(target), hint="make room, or name another folder") from error
