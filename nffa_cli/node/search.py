"""Finding measurements: the full-text index of both databases behind ``index`` and ``find``, filters, pages and facets.

Everything is asked under ``access.seen`` in the one statement that finds: what a caller may not see is not fetched and then
dropped, it is never found. Hits come newest first straight from the index; counts end at ``COUNTED``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from nffa_cli.node import access, collecting, remarks, tables, words
from nffa_cli.node.callers import Caller

COUNTED = 10_000
"""Hits that are counted at most; a total beyond says so."""
FACETED = 3_000
"""Hits that facets are made of, the newest; where there are more they say so."""
FEW = 10_000
"""A filter that fewer measurements pass is asked first."""
VALUES = 20
"""Values that a facet names."""

Columns = Any
Sort = Literal["recent", "started"]
FACETS = {
    "technique": "technique", "sample": "sample", "category": "category", "format": "format", "instrument": "instrument",
    "instrumentName": "instrument_name", "kind": "kind",
}  # fmt: skip
"""Name of a facet → the column that it counts."""
WORDS = sa.table("measurement_words", sa.column("rowid", sa.BigInteger), sa.column("text", sa.Text), sa.column("words"))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; all of it must hold. ``voltage``: V, bounds included; ``start``: moments, the end not included.

    collection
        Id of a collection of the caller's that holds it.
    """

    phrases: tuple[words.Phrase, ...] = ()
    equal: Mapping[str, str] | None = None
    instrument: str | None = None
    facility: str | None = None
    voltage: tuple[float | None, float | None] = (None, None)
    start: tuple[str | None, str | None] = (None, None)
    open_only: bool = False
    closed_only: bool = False
    tag: str | None = None
    collection: str | None = None


def index(connection: sa.Connection, seq: int, text: str) -> None:
    """Let a measurement be found by a text (``words.text_of``), and by what it was found by before no more."""
    forget(connection, seq)
    connection.execute(WORDS.insert().values(rowid=seq, text=text))


def forget(connection: sa.Connection, seq: int) -> None:
    """Let a measurement not be found by words any more."""
    connection.execute(WORDS.delete().where(WORDS.c.rowid == seq))


def index_measurements(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Index measurements anew by what their records say now; ``condition``: on measurement, experiment and proposal."""
    of, held, proposal = tables.measurement.c, tables.experiment.c, tables.proposal.c
    query = (
        sa.select(of.seq, of.data, of.name, held.name.label("experiment"), proposal.proposal_id, proposal.title)
        .join(tables.experiment, held.id == of.experiment)
        .join(tables.proposal, proposal.id == of.proposal)
        .where(condition)
    )
    for row in connection.execute(query).all():
        fields = {"measurementName": row.name} | row.data
        index(connection, row.seq, words.text_of(fields, row.experiment, row.proposal_id, row.title))


def find(
    connection: sa.Connection,
    caller: Caller,
    question: Question,
    *,
    now: str,
    limit: int,
    sort: Sort = "recent",
    after: tuple[Any, ...] | None = None,
) -> list[sa.Row[Any]]:
    """Return measurements (whole rows) that the caller sees and that meet a question, one more than ``limit`` if there is.

    Parameters
    ----------
    after
        ``place`` of the last row of the page before.
    """
    of = tables.measurement
    narrow = sa.select(of.c.seq).where(*_conditions(connection, caller, question, now))
    if sort == "recent":
        order: list[Any] = [of.c.seq.desc()]
        if after:
            narrow = narrow.where(of.c.seq < after[-1])
    else:
        order = [of.c.start_time.desc().nulls_last(), of.c.seq.desc()]
        if after:
            narrow = narrow.where(_started_after(*after))
    seqs = connection.execute(narrow.order_by(*order).limit(limit + 1)).scalars().all()
    rows = {row.seq: row for row in connection.execute(of.select().where(of.c.seq.in_(seqs)))} if seqs else {}
    return [rows[seq] for seq in seqs]


def place(row: sa.Row[Any], sort: Sort) -> tuple[Any, ...]:
    """Return what the next page goes on from after a row."""
    return (row.seq,) if sort == "recent" else (row.start_time, row.seq)


def count(connection: sa.Connection, caller: Caller, question: Question, *, now: str) -> int:
    """Return how many the caller sees, ``COUNTED`` at most."""
    some = sa.select(sa.literal(1)).select_from(tables.measurement)
    some = some.where(*_conditions(connection, caller, question, now)).limit(COUNTED)
    return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())


def facets(connection: sa.Connection, caller: Caller, question: Question, *, now: str) -> dict[str, Any]:
    """Return how often each value occurs among what the caller sees, over the ``FACETED`` newest of it."""
    of = tables.measurement.c
    columns = [of[column] for column in FACETS.values()]
    newest = sa.select(of.seq).where(*_conditions(connection, caller, question, now)).order_by(of.seq.desc())
    some = newest.limit(FACETED).subquery()  # from an index alone; only then are whole rows read
    query = sa.select(*columns, sa.case((of.released_at <= now, 1), else_=0).label("open"))
    rows = connection.execute(query.join(some, some.c.seq == of.seq)).all()
    found: dict[str, Any] = {}
    for at, name in enumerate((*FACETS, "open")):
        counted = Counter(row[at] for row in rows if row[at] is not None)
        common = sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))[:VALUES]
        found[name] = [{"value": bool(value) if name == "open" else value, "count": number} for value, number in common]
    return found | {"counted": len(rows), "complete": len(rows) < FACETED}


def _conditions(
    connection: sa.Connection, caller: Caller, question: Question, now: str
) -> Iterator[sa.ColumnElement[bool]]:
    of = tables.measurement
    if question.phrases:
        yield of.c.seq.in_(_matching(connection, question.phrases))
    yield access.seen(caller, now)
    for asked in _filters(connection, question):
        # Few rows that hold are asked for first; else the database reads all of them, newest first, to find those few.
        some = sa.select(of.c.seq).where(asked(of.c)).limit(FEW).subquery()
        if question.phrases or connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() == FEW:
            yield asked(of.c)
        else:
            inner = of.alias()
            yield of.c.seq.in_(sa.select(inner.c.seq).where(asked(inner.c)))
    if question.open_only:
        yield of.c.released_at <= now
    if question.closed_only:
        yield of.c.released_at > now
    if question.tag is not None:
        yield of.c.id.in_(remarks.tagged(caller, question.tag, now))
    if question.collection is not None:
        yield of.c.id.in_(collecting.held(caller, question.collection))


def _filters(connection: sa.Connection, question: Question) -> Iterator[Callable[[Columns], sa.ColumnElement[bool]]]:
    """Yield each filter on a column that has an index, as a function of the columns of a measurement."""
    for name, value in (question.equal or {}).items():
        yield lambda of, name=name, value=value: of[name] == value  # type: ignore[misc]
    registry = tables.registry.c
    instruments = sa.select(registry.id).where(registry.type == "instrument")
    if (instrument := question.instrument) is not None:
        named = connection.execute(instruments.where(registry.name == instrument)).scalars().all()
        inner = tables.measurement.alias().c
        of_it = (inner.instrument.in_([instrument, *named]), inner.instrument_name == instrument)
        either = sa.union_all(*(sa.select(inner.seq).where(each) for each in of_it))  # an OR would read everything
        yield lambda of: of.seq.in_(either)
    if question.facility is not None:
        there = instruments.where(registry.data["facilityId"].as_string() == question.facility)
        yield lambda of: of.instrument.in_(there)
    for name, (low, high), included in (("voltage", question.voltage, True), ("start_time", question.start, False)):
        if low is not None or high is not None:
            yield lambda of, name=name, low=low, high=high, included=included: sa.and_(  # type: ignore[misc]
                of[name] >= low if low is not None else sa.true(),
                sa.true() if high is None else of[name] <= high if included else of[name] < high,
            )


def _matching(connection: sa.Connection, phrases: tuple[words.Phrase, ...]) -> sa.Select[Any]:
    """Return the query of the rows of the index that hold all of the phrases."""
    query = sa.select(WORDS.c.rowid)
    if connection.dialect.name == "sqlite":
        return query.where(sa.literal_column("measurement_words").op("MATCH")(words.fts5(phrases)))
    return query.where(WORDS.c.words.op("@@")(sa.func.to_tsquery("simple", words.tsquery(phrases))))


def _started_after(start: str | None, seq: int) -> sa.ColumnElement[bool]:
    of = tables.measurement.c
    if start is None:
        return sa.and_(of.start_time.is_(None), of.seq < seq)
    return sa.or_(of.start_time < start, of.start_time.is_(None), sa.and_(of.start_time == start, of.seq < seq))
