"""What is done about bytes that a node has lost: it says so, and hence asks for them again when they are delivered again.

The data assets that hold them are in the state ``lost`` until the bytes come back (``blobs.received``), whoever brings them.
Nothing is removed: a damaged file is moved aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from nffa_cli.catalogue.lock import locked
from nffa_cli.errors import DiskError, LockedError
from nffa_cli.node import audit, checking, moments, sweeping, tables
from nffa_cli.node.callers import NOBODY
from nffa_cli.node.checking import Finding
from nffa_cli.node.database import Database
from nffa_cli.node.storage import Storage

MENDED = frozenset({"missing", "damaged", "unstored"})
"""Kinds of findings about which something is done; what the disk does not give may be given again tomorrow."""


def mend(database: Database, storage: Storage, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what was found, once it is noted which data assets lost their bytes; the node may serve meanwhile.

    Parameters
    ----------
    findings
        Of ``checking.check``; those of ``MENDED`` kinds come back ``mended``, unless their bytes are there again.

    Raises
    ------
    LockedError
        A backup runs, or the sweep: what the copied database names must be there until it is copied.
    DiskError
        A damaged file cannot be moved aside; nothing was changed for it.
    """
    with locked(storage.folder / sweeping.LOCK) as free:
        if not free:
            what = "a backup runs, or the node sweeps"
            raise LockedError(what, where=str(storage.folder), hint="try again when it has ended")
        for finding in findings:
            yield _mended(database, storage, finding) if finding.kind in MENDED else finding


def _mended(database: Database, storage: Storage, finding: Finding) -> Finding:
    """Give up the bytes of a finding, unless they were brought again in the meantime."""
    sha256, before = finding.sha256, storage.stamp(finding.sha256)
    if finding.kind != "unstored" and not _is_wrong(database, storage, sha256):
        return finding
    with database.write() as connection:
        if storage.stamp(sha256) != before:
            return finding
        lost = _given_up(connection, finding)
        aside = None
        if finding.kind == "damaged":
            try:
                aside = storage.set_aside(sha256)
            except OSError as error:
                what = f"a damaged file cannot be moved aside ({error.strerror})"
                hint = "check the rights, then try again"
                raise DiskError(what, where=str(storage.path(sha256)), hint=hint) from error
    return replace(finding, detail=_told(finding.detail, lost, aside), mended=True, aside=aside)


def _is_wrong(database: Database, storage: Storage, sha256: str) -> bool:
    with database.read() as connection:
        size = connection.execute(sa.select(tables.blob.c.size).where(tables.blob.c.sha256 == sha256)).scalar()
    found = None if size is None else checking.judged(storage, sha256, size, read_data=True)
    return found is not None and found[0] in MENDED


def _given_up(connection: sa.Connection, finding: Finding) -> int:
    """Forget that bytes are stored, and return how many data assets lost them; what they held before stays named."""
    asset, blob, waiting, ingest = tables.asset, tables.blob, tables.ingest_blob, tables.ingest.c
    sha256, now = finding.sha256, moments.now()
    if finding.kind == "unstored" and connection.execute(blob.select().where(blob.c.sha256 == sha256)).first():
        return 0
    connection.execute(blob.delete().where(blob.c.sha256 == sha256))
    still_open = sa.select(ingest.id).where(ingest.state == "open")
    again = waiting.update().where(waiting.c.sha256 == sha256, waiting.c.ingest.in_(still_open))
    connection.execute(again.values(received=False))
    held = (asset.c.sha256 == sha256, asset.c.state == "available")
    lost = connection.execute(sa.select(asset.c.id).where(*held)).scalars().all()
    change = {"state": checking.LOST, "version": asset.c.version + 1, "updated_at": now}
    connection.execute(asset.update().where(*held).values(change))
    for each in sorted({*lost, *finding.assets}):
        diff = {"sha256": sha256, "reason": finding.detail, "isNow": each in lost}
        audit.note(connection, NOBODY, "lose", "dataasset", each, diff=diff)
    return len(lost)


def _told(detail: str, lost: int, aside: Path | None) -> str:
    moved = [] if aside is None else [f"moved aside to {aside}"]
    said = f"{lost} data asset{'s are' if lost != 1 else ' is'} lost until the bytes are delivered again"
    return "; ".join([detail, *moved, said])
