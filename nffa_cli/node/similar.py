"""Similar pictures: the nearest by cosine among all that one model saw. What one may not read is never among them.

All embeddings of a model are held in memory, whoever may read them: only they say which row of the database to ask for next.
What is answered was found in the database, under the caller's rights, in the caller's transaction; a row that is not there any
more, or is not there yet, is not found.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from numpy.typing import NDArray

from nffa_cli.node import access, tables
from nffa_cli.node.callers import Caller

LEAST = 0.5
"""Cosine below which two pictures are not called similar."""
MODELS = 4
"""Models whose embeddings are held at a time: a kilobyte for each picture that the shipped one saw."""
STEPS = (100, 1_000)
"""So many of the nearest are looked up first; whoever may read few of those is asked what else he may read."""

SPARE = 100
"""Vectors that are held in vain, besides half as many as there are, before all are read anew."""

_EMBEDDING, _MEASUREMENT = tables.measurement_embedding, tables.measurement


@dataclass(frozen=True, slots=True)
class Near:
    """A measurement (its whole row), and the cosine of its picture to the one that was asked for."""

    row: sa.Row[Any]
    cosine: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a model saw: numbers of rows, ascending, and a vector (float32) for each."""

    seqs: NDArray[Any]
    vectors: NDArray[Any]


class Similar:
    """The embeddings of this node, brought up to date with the database by each question; may be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, int], _Seen] = OrderedDict()

    def to(
        self, connection: sa.Connection, caller: Caller, measurement: str, *, now: str, limit: int
    ) -> tuple[str | None, list[Near]]:
        """Return the model that saw a measurement's picture, and the most similar of those that the caller may read.

        No model: nobody classified the picture, or the caller may not read it.
        """
        import numpy as np

        mine = _EMBEDDING.select().where(_EMBEDDING.c.measurement == measurement, _readable(caller, now))
        own = connection.execute(mine).one_or_none()
        if own is None:
            return None, []
        seen = self._up_to_date(connection, own.model, len(own.vector))
        cosines = seen.vectors @ np.frombuffer(own.vector, "<f2").astype(np.float32)
        cosines[seen.seqs == own.seq] = -1
        return own.model, next(_nearest(connection, caller, seen.seqs, cosines, now, limit))

    def _up_to_date(self, connection: sa.Connection, model: str, size: int) -> _Seen:
        with self._lock:
            held = self._held.pop((model, size), None)
            self._held[model, size] = found = _grown(connection, model, size, held)
            while len(self._held) > MODELS:
                self._held.popitem(last=False)
        return found


def _grown(connection: sa.Connection, model: str, size: int, held: _Seen | None) -> _Seen:
    """Return what is held with what the database has besides; anew where most of it was replaced meanwhile."""
    import numpy as np

    of = _EMBEDDING.c
    mine = (of.model == model, sa.func.length(of.vector) == size)
    last = int(held.seqs[-1]) if held is not None and len(held.seqs) else 0
    rows = connection.execute(sa.select(of.seq, of.vector).where(*mine, of.seq > last).order_by(of.seq)).all()
    if held is not None and not rows:
        return held
    there = connection.execute(sa.select(sa.func.count()).where(*mine)).scalar_one() if held is not None else 0
    if held is not None and len(held.seqs) + len(rows) > 1.5 * there + SPARE:
        return _grown(connection, model, size, None)
    seqs = np.array([row.seq for row in rows], np.int64)
    vectors = np.frombuffer(b"".join(row.vector for row in rows), "<f2").reshape(-1, size // 2).astype(np.float32)
    if held is not None:
        seqs, vectors = np.concatenate([held.seqs, seqs]), np.concatenate([held.vectors, vectors])
    return _Seen(seqs, vectors)


def _nearest(
    connection: sa.Connection, caller: Caller, seqs: NDArray[Any], cosines: NDArray[Any], now: str, limit: int
) -> Iterator[list[Near]]:
    """Yield the nearest that the caller may read: from the first step with enough, in the end from all that there is."""
    import numpy as np

    of, embedding = _MEASUREMENT.c, _EMBEDDING.c
    mine = _readable(caller, now)
    alike = np.flatnonzero(cosines >= LEAST)
    query = sa.select(_MEASUREMENT, embedding.seq.label("embedding")).join(_EMBEDDING, embedding.measurement == of.id)

    def found(picked: NDArray[Any]) -> list[Near]:
        asked = connection.execute(query.where(embedding.seq.in_(seqs[picked].tolist()), mine))
        rows = {row.embedding: row for row in asked}
        return [Near(rows[seq], min(1.0, float(cosines[at]))) for at in picked if (seq := int(seqs[at])) in rows][
            :limit
        ]

    for step in STEPS:
        picked = _first(alike, cosines, step)
        if len(near := found(picked)) >= limit or len(picked) == len(alike):
            yield near
    whole = sa.select(of.id).where(access.readable(caller, now))
    allowed = connection.execute(sa.select(embedding.seq).where(embedding.measurement.in_(whole))).scalars().all()
    yield found(_first(alike[np.isin(seqs[alike], np.array(allowed, np.int64))], cosines, max(limit, STEPS[-1])))


def _readable(caller: Caller, now: str) -> sa.ColumnElement[bool]:
    """Return the condition on embeddings that the caller may read the file that the picture was made from."""
    of = tables.asset
    mine = (
        of.c.measurement == _EMBEDDING.c.measurement,
        of.c.role == "main",
        access.readable(caller, now, "dataasset"),
    )
    return sa.exists().where(*mine).correlate(_EMBEDDING)


def _first(alike: NDArray[Any], cosines: NDArray[Any], count: int) -> NDArray[Any]:
    """Return so many of these places, those with the largest cosine, largest first."""
    import numpy as np

    some = alike if len(alike) <= count else alike[np.argpartition(-cosines[alike], count)[:count]]
    return some[np.argsort(-cosines[some], kind="stable")]


async def similar(request: Request) -> Similar:
    """Return what finds similar pictures of the node that was asked (a FastAPI dependency)."""
    found: Similar = request.app.state.similar
    return found
