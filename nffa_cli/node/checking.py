"""Proof that a node still has all its bytes: every asset its blob, every blob its file, on demand every file hashed anew.

It only reads, and may run while the node serves. What it finds wrong is named here; ``mending`` does something about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from nffa_cli.node import arriving, tables
from nffa_cli.node.database import Database
from nffa_cli.node.storage import Storage

Kind = Literal["missing", "damaged", "unreadable", "unstored", "lost", "orphan"]
SOME = 1_000
LOST = "lost"
"""State of a data asset whose bytes the node had and has no more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be; ``orphan`` alone is harmless: the next sweep removes it.

    kind
        missing: a blob has no file. damaged: its file has another size or digest. unreadable: the disk does not give it.
        unstored: an asset names bytes that were never stored. lost: mended before, and not delivered again since.
        orphan: a file that no row names.
    assets
        Ids of the data assets that hold these bytes, or held them before.
    mended
        Whether the node says now that it lost them, and asks for them.
    aside
        Where a damaged file lies now.
    """

    kind: Kind
    sha256: str
    detail: str
    assets: tuple[str, ...] = ()
    mended: bool = False
    aside: Path | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether data are lost or in danger."""
        return self.kind != "orphan"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        names = {"sha256": self.sha256, "detail": self.detail, "assets": list(self.assets)}
        aside = {} if self.aside is None else {"aside": str(self.aside)}
        return {"type": "finding", "kind": self.kind, **names, "mended": self.mended, **aside}


@dataclass(slots=True)
class Checked:
    """How much was looked at, counted while ``check`` goes on."""

    blobs: int = 0
    bytes: int = 0


def check(database: Database, storage: Storage, checked: Checked, *, read_data: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with the bytes of a node; ``read_data``: hash every file anew, which reads all of them."""
    yield from lost(database)  # first, so that what is mended on the way is told once
    for row in blobs(database):
        checked.blobs += 1
        checked.bytes += row.size
        if (found := judged(storage, row.sha256, row.size, read_data=read_data)) is not None:
            kind, detail = found
            yield Finding(kind, row.sha256, detail, _holders(database, row.sha256))
    yield from _unstored(database)
    for sha256, _ in storage.kept():
        with database.read() as connection:
            known = connection.execute(sa.select(tables.blob.c.size).where(tables.blob.c.sha256 == sha256)).scalar()
        if known is None:
            yield Finding("orphan", sha256, "no row names this file; the sweep removes it when it is an hour old")


def judged(storage: Storage, sha256: str, size: int, *, read_data: bool) -> tuple[Kind, str] | None:
    """Return what is wrong with one file; None: nothing."""
    try:
        held = storage.size(sha256)
        if held is None:
            return "missing", "the file is not there"
        if held != size:
            return "damaged", f"it has {held} bytes, not {size}"
        if read_data and (digest := arriving.digest_of(storage.path(sha256))) != sha256:
            return "damaged", f"its SHA-256 is {digest}"
    except OSError as error:
        return "unreadable", f"the file cannot be read ({error.strerror})"
    return None


def blobs(database: Database) -> Iterator[sa.Row[str, int]]:
    """Yield digest and size of all that is stored, a part of them at a time: no transaction stays open."""
    of, last = tables.blob.c, ""
    while True:
        with database.read() as connection:
            query = sa.select(of.sha256, of.size).where(of.sha256 > last).order_by(of.sha256).limit(SOME)
            rows = connection.execute(query).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].sha256


def _unstored(database: Database) -> Iterator[Finding]:
    asset, blob = tables.asset.c, tables.blob.c
    stored = sa.select(blob.sha256)
    query = sa.select(asset.id, asset.sha256).where(asset.state == "available", asset.sha256.not_in(stored))
    with database.read() as connection:
        rows = connection.execute(query).all()
    for row in rows:
        yield Finding("unstored", row.sha256, "the data asset names bytes that are not stored", (row.id,))


def lost(database: Database) -> Iterator[Finding]:
    """Yield what is noted as lost: data assets whose bytes nobody has delivered again."""
    asset = tables.asset.c
    with database.read() as connection:
        query = sa.select(asset.id, asset.sha256).where(asset.state == LOST).order_by(asset.id)
        rows = connection.execute(query).all()
    for row in rows:
        yield Finding("lost", row.sha256, "the bytes were lost, and nobody delivered them again", (row.id,))


def _holders(database: Database, sha256: str) -> tuple[str, ...]:
    asset, version = tables.asset.c, tables.asset_version.c
    now = sa.select(asset.id).where(asset.sha256 == sha256)
    with database.read() as connection:
        both = sa.union(now, sa.select(version.asset).where(version.sha256 == sha256))
        return tuple(sorted(connection.execute(both).scalars()))
