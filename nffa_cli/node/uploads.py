"""The rows of tus uploads: who uploads which bytes for which ingest, and until when. Their bytes are ``arriving``'s."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from nffa_cli.node import blobs, ids, moments, tables, tus
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.storage import Storage

SECONDS = 7 * 24 * 3600
"""How long an ingest and its uploads wait for their next byte."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload; ``received``: all of it is stored."""

    id: str
    ingest: str
    owner: str
    sha256: str
    size: int
    expires_at: str
    received: bool

    @property
    def name(self) -> str:
        """The name of its bytes in staging."""
        return name(self.id)


def name(id: str) -> str:
    """Return the name in staging of the bytes of an upload."""
    return f"upload-{id}"


def opened(connection: sa.Connection, owner: str, wanted: tus.Wanted) -> tuple[Upload, bool]:
    """Return the caller's upload of these bytes, and whether it is a new one; one that waits in any ingest is gone on with.

    Raises
    ------
    Problem
        404: no such ingest of the caller. 409: it is closed, or does not wait for these bytes or for so many.
    """
    ingest, waiting = tables.ingest.c, tables.ingest_blob.c
    state = connection.execute(
        sa.select(ingest.state).where(ingest.id == wanted.ingest, ingest.owner == owner)
    ).scalar()
    if state is None:
        raise absent()
    query = sa.select(waiting.size).where(waiting.ingest == wanted.ingest, waiting.sha256 == wanted.sha256)
    size = connection.execute(query).scalar()
    if state != "open" or size != wanted.size:
        why = f"the ingest is {state}" if state != "open" else "its manifest names no such bytes of this size"
        raise Problem(409, "Conflict", f"nothing to upload: {why}", headers=tus.SPOKEN)
    upload, now, until = tables.upload, moments.now(), moments.later(SECONDS)
    query = sa.select(upload.c.id).where(
        upload.c.owner == owner, upload.c.sha256 == wanted.sha256, upload.c.expires_at > now
    )
    known = connection.execute(query.order_by(upload.c.ingest != wanted.ingest, upload.c.id).limit(1)).scalar()
    new = ids.new()
    if known is not None:
        connection.execute(upload.update().where(upload.c.id == known).values(ingest=wanted.ingest, expires_at=until))
    else:
        values = {
            "id": (new := ids.new()),
            "ingest": wanted.ingest,
            "owner": owner,
            "sha256": wanted.sha256,
            "size": size,
        }
        connection.execute(upload.insert().values(**values, created_at=now, expires_at=until))
    return found(connection, owner, known or new), known is None


def found(connection: sa.Connection, owner: str, id: str) -> Upload:
    """Return an upload of the caller's.

    Raises
    ------
    Problem
        404: there is none. 410: it waited too long.
    """
    upload, waiting = tables.upload.c, tables.ingest_blob.c
    beside = sa.and_(waiting.ingest == upload.ingest, waiting.sha256 == upload.sha256)
    query = (
        sa.select(
            upload.id, upload.ingest, upload.owner, upload.sha256, upload.size, upload.expires_at, waiting.received
        )
        .join(tables.ingest_blob, beside)
        .where(upload.id == id, upload.owner == owner)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise absent()
    if row.expires_at <= moments.now():
        raise Problem(410, "Gone", "this upload waited too long: begin a new one", headers=tus.SPOKEN)
    return Upload(*row)


def go_on(connection: sa.Connection, upload: Upload) -> None:
    """Let an upload and its ingest wait anew for their next byte."""
    until = {"expires_at": moments.later(SECONDS)}
    connection.execute(tables.upload.update().where(tables.upload.c.id == upload.id).values(until))
    ingest = tables.ingest
    connection.execute(ingest.update().where(ingest.c.id == upload.ingest, ingest.c.state == "open").values(until))


def is_stale(upload: Upload) -> bool:
    """Tell whether half of the time that it may wait is over."""
    return upload.expires_at < moments.later(SECONDS / 2)


def removed(connection: sa.Connection, id: str) -> None:
    """Forget an upload."""
    connection.execute(tables.upload.delete().where(tables.upload.c.id == id))


def finished(connection: sa.Connection, storage: Storage, upload: Upload) -> None:
    """Note that all of an upload is stored. Its row stays, so that a client whose answer was lost learns that it is done."""
    blobs.received(connection, storage, upload.owner, {upload.sha256: upload.size})
