"""What the database knows of bytes: which are stored, which an open ingest waits for, who may claim to have sent them.

A row in ``blob`` is written after its file is durable, and removed before: what has a row has its bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

import sqlalchemy as sa

from nffa_cli.node import access, audit, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.checking import LOST
from nffa_cli.node.problems import Problem
from nffa_cli.node.storage import Storage

SOME = 5_000
"""Values in one IN list; both databases take more."""


def some(values: Collection[str], count: int = SOME) -> Iterator[list[str]]:
    """Yield the values in lists that one statement can take."""
    source = iter(values)
    while part := list(islice(source, count)):
        yield part


def received(connection: sa.Connection, storage: Storage, owner: str, found: Mapping[str, int]) -> None:
    """Note that ``owner`` has sent these bytes (digest → size), which are stored; all his open ingests have them now.

    Data assets that had lost them, whosever they are, have them again: the digest proves it.

    Raises
    ------
    Problem
        503: they were swept away meanwhile.
    """
    if any(storage.size(sha256) != size for sha256, size in found.items()):
        detail = "the bytes were swept away meanwhile: send them again"
        raise Problem(503, "Unavailable", detail, headers={"Retry-After": "1"})
    stored = stored_of(connection, found)
    fresh = [sha256 for sha256 in found if sha256 not in stored]
    rows = [{"sha256": sha256, "size": found[sha256], "stored_at": moments.now()} for sha256 in fresh]
    if rows:
        connection.execute(tables.blob.insert(), rows)
        _found_again(connection, owner, fresh)
    waiting, ingest = tables.ingest_blob, tables.ingest.c
    mine = sa.select(ingest.id).where(ingest.owner == owner, ingest.state == "open")
    for part in some(found):
        query = waiting.update().where(waiting.c.sha256.in_(part), waiting.c.ingest.in_(mine))
        connection.execute(query.values(received=True))


def _found_again(connection: sa.Connection, owner: str, digests: Sequence[str]) -> None:
    asset = tables.asset
    for part in some(digests):
        lost = (asset.c.sha256.in_(part), asset.c.state == LOST)
        rows = connection.execute(sa.select(asset.c.id, asset.c.sha256).where(*lost)).all()
        if rows:
            change = {"state": "available", "version": asset.c.version + 1, "updated_at": moments.now()}
            connection.execute(asset.update().where(*lost).values(change))
        for row in rows:
            audit.note(connection, Caller(owner), "restore", "dataasset", row.id, diff={"sha256": row.sha256})


def stored_of(connection: sa.Connection, digests: Collection[str]) -> dict[str, int]:
    """Return those of the digests whose bytes are stored, with their size."""
    found: dict[str, int] = {}
    for part in some(digests):
        rows = connection.execute(
            sa.select(tables.blob.c.sha256, tables.blob.c.size).where(tables.blob.c.sha256.in_(part))
        )
        found |= {row.sha256: row.size for row in rows}
    return found


def had(connection: sa.Connection, caller: Caller, digests: Collection[str]) -> set[str]:
    """Return those of the digests whose bytes are stored and which the caller may read already, or has sent.

    That bytes are stored is itself something to know: who asks by digest learns it only of what is his to see.
    """
    asset, measurement, waiting = tables.asset.c, tables.measurement.c, tables.ingest_blob.c
    found: set[str] = set()
    for part in some(list(stored_of(connection, digests))):
        here = sa.select(asset.sha256).where(asset.sha256.in_(part), asset.state == "available")
        seen = sa.or_(
            access.readable(caller, moments.now(), "dataasset"),
            asset.measurement.in_(sa.select(measurement.id).where(measurement.deposited_by == caller.person)),
        )
        sent = sa.select(waiting.sha256).where(waiting.sha256.in_(part), waiting.received, _of(caller.person))
        found.update(connection.execute(sa.union(here.where(seen), sent)).scalars())
    return found


def _of(person: str | None) -> sa.ColumnElement[bool]:
    ingest = tables.ingest.c
    return tables.ingest_blob.c.ingest.in_(sa.select(ingest.id).where(ingest.owner == person, ingest.state == "open"))


def lacking(connection: sa.Connection, ingest: str) -> dict[str, int]:
    """Return what an ingest still waits for: digest → size."""
    waiting = tables.ingest_blob.c
    query = sa.select(waiting.sha256, waiting.size).where(waiting.ingest == ingest, sa.not_(waiting.received))
    return {row.sha256: row.size for row in connection.execute(query.order_by(waiting.sha256))}


def unreferenced(connection: sa.Connection, before: str, *, among: Sequence[str] | None = None) -> Sequence[str]:
    """Return the digests, stored before a moment, that no asset holds or held and no open ingest has received."""
    blob = tables.blob.c
    waiting = sa.select(tables.ingest_blob.c.sha256).join(tables.ingest).where(tables.ingest.c.state == "open")
    query = sa.select(blob.sha256).where(
        blob.stored_at < before,
        *(~sa.exists().where(table.c.sha256 == blob.sha256) for table in (tables.asset, tables.asset_version)),
        blob.sha256.not_in(waiting),
    )
    return connection.execute(query if among is None else query.where(blob.sha256.in_(among))).scalars().all()
