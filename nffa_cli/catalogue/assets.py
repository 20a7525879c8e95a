"""What was made of an acquisition and lies outside the catalogue, such as its NXem file: one row for each place."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from nffa_cli.catalogue.connection import Connection, utc_now


@dataclass(frozen=True, slots=True)
class Asset:
    """One data asset of an acquisition.

    kind
        What it is: ``nxem``.
    path, size, mtime_ns
        Where it lies (absolute), and its stamp when it was made.
    format, source
        Format of the acquisition's files that it was made from, and their stamp (``plan.stamp``).
    recipe
        Digest of everything else that it was made with: versions, session and profile, options.
    complete, missing
        Whether it holds all that its schema requires, and the terms that nobody knew.
    policy
        The operator policy under which it was made; None: not known.
    """

    kind: str
    path: str
    size: int
    mtime_ns: int
    format: str
    source: str
    recipe: str
    complete: bool
    missing: tuple[str, ...] = ()
    policy: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form, without what only tells whether it is still good."""
        path = self.path.replace(os.sep, "/")
        return {
            "kind": self.kind, "path": path, "size": self.size, "complete": self.complete, "missing": list(self.missing),
        }  # fmt: skip


_COLUMNS = "kind, path, size, mtime_ns, format, source, recipe, complete, missing, policy"


def save(db: Connection, acquisition: str, asset: Asset) -> None:
    """Remember an asset of a known acquisition; one that lay at the same path before is forgotten."""
    values = (
        asset.kind, os.fsencode(asset.path), asset.size, asset.mtime_ns, asset.format, asset.source, asset.recipe,
        int(asset.complete), json.dumps(asset.missing), asset.policy,
    )  # fmt: skip
    db.do(
        f"""INSERT OR REPLACE INTO asset (acquisition, made_at, {_COLUMNS})
        SELECT seq, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM acquisition WHERE id = ?""",  # noqa: S608
        (utc_now(), *values, acquisition),
    )


def of(db: Connection, acquisition: str) -> tuple[Asset, ...]:
    """Return the assets of an acquisition, oldest first."""
    rows = db.rows(
        f"""SELECT {_COLUMNS} FROM asset WHERE acquisition = (SELECT seq FROM acquisition WHERE id = ?)
        ORDER BY made_at, path""",  # noqa: S608
        (acquisition,),
    )
    return tuple(map(_asset, rows))


def of_many(db: Connection, acquisitions: Sequence[int]) -> dict[int, tuple[Asset, ...]]:
    """Return the assets of those acquisitions, given by row number, that have any; oldest first."""
    rows = db.rows(
        f"""SELECT acquisition, {_COLUMNS} FROM asset WHERE acquisition IN (SELECT value FROM json_each(?))
        ORDER BY acquisition, made_at, path""",  # noqa: S608
        (json.dumps(acquisitions),),
    )
    return {seq: tuple(_asset(row[1:]) for row in mine) for seq, mine in groupby(rows, itemgetter(0))}


def _asset(row: Sequence[Any]) -> Asset:
    kind, path, size, mtime_ns, format_, source, recipe, complete, missing, policy = row
    missing = tuple(json.loads(missing))
    return Asset(kind, os.fsdecode(path), size, mtime_ns, format_, source, recipe, bool(complete), missing, policy)
