"""What is over is cleared away, when the node starts and every hour: expired ingests and uploads, dead drafts, lost bytes.

Bytes go that no asset holds or held and that no open ingest has received; young ones stay, for their row may be on its way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from nffa_cli.catalogue.lock import locked
from nffa_cli.node import blobs, moments, tables, uploads
from nffa_cli.node.database import Database
from nffa_cli.node.storage import Storage

log = logging.getLogger("nffa.node")

HOUR = 3_600
GRACE = HOUR
"""Seconds for which bytes that nobody refers to are left alone."""
LOCK = "collect.lock"
"""Held while bytes are removed, and by a backup: what the copied database names must be there until it is copied."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was cleared away."""

    ingests: int = 0
    uploads: int = 0
    drafts: int = 0
    blobs: int = 0
    strays: int = 0


def sweep(database: Database, storage: Storage, *, grace: float = GRACE) -> Swept:
    """Clear away what is over, and say how much."""
    with database.write() as connection:
        ingests, ended = expire(connection)
        kept = connection.execute(sa.select(tables.upload.c.id)).scalars().all()
    drafts = storage.sweep(map(uploads.name, kept))
    with locked(storage.folder / LOCK) as free:
        if not free:  # a backup is copying
            return Swept(ingests, ended, drafts)
        gone = collect(database, storage, moments.later(-grace))
        return Swept(ingests, ended, drafts, gone, _strays(database, storage, time.time() - grace))


def expire(connection: sa.Connection) -> tuple[int, int]:
    """Close ingests that waited too long and forget the uploads of closed ones; return how many of each."""
    ingest, upload, now = tables.ingest, tables.upload, moments.now()
    over = ingest.update().where(ingest.c.state == "open", ingest.c.expires_at <= now)
    ingests = connection.execute(over.values(state="expired", updated_at=now)).rowcount
    going = sa.select(ingest.c.id).where(ingest.c.state == "open")
    ended = connection.execute(upload.delete().where(upload.c.ingest.not_in(going))).rowcount
    return ingests, ended


def collect(database: Database, storage: Storage, before: str) -> int:
    """Remove bytes that were stored before a moment and that nobody refers to; return how many."""
    with database.read() as connection:
        digests = blobs.unreferenced(connection, before)
    removed = 0
    for part in blobs.some(digests, 200):  # so that no other writer waits for long
        with database.write() as connection:
            still = blobs.unreferenced(connection, before, among=part)
            connection.execute(tables.blob.delete().where(tables.blob.c.sha256.in_(still)))
            for sha256 in still:
                storage.remove(sha256)
        removed += len(still)
    return removed


def _strays(database: Database, storage: Storage, before: float) -> int:
    """Remove files without a row that have lain there since before a moment (Unix time): a crash left them."""
    removed = 0
    for _, files in groupby(storage.kept(), lambda found: found[0][:2]):
        old = [sha256 for sha256, changed in files if changed < before]
        with database.read() as connection:
            suspects = set(old) - set(blobs.stored_of(connection, old))
        for sha256 in suspects:
            with database.write() as connection:  # alone with it: nobody can write its row meanwhile
                if not blobs.stored_of(connection, [sha256]) and storage.changed(sha256) < before:
                    storage.remove(sha256)
                    removed += 1
    return removed


@contextmanager
def swept(database: Database, storage: Storage) -> Iterator[None]:
    """Sweep at once and every hour, in a thread, until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep_on, args=(database, storage, ended), name="sweep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep_on(database: Database, storage: Storage, ended: threading.Event) -> None:
    while True:
        try:
            sweep(database, storage)
        except Exception:
            log.exception("the sweep failed; it is tried again in an hour")
        if ended.wait(HOUR):
            return
