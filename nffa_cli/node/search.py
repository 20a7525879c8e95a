"""Finding measurements: the full-text index of both databases behind ``index`` and ``find``, filters, pages and facets.

Everything is asked under ``access.seen`` in the one statement that finds: what a caller may not see is not fetched and then
dropped, it is never found. Hits come newest first straight from the index; counts end at ``COUNTED``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from nffa_cli.node import access, collecting, remarks, tables, words
from nffa_cli.node.callers import Caller

COUNTED = 10_000
"""Hits that are counted at most; a total beyond says so."""
FACETED = 3_000
"""Hits that facets are made of, the first in the order asked for; where there are more they say so."""
FEW = 10_000
"""What fewer measurements meet is looked up first."""
VALUES = 20
"""Values that a facet names."""

Columns = Any
Sort = Literal["recent", "started"]
FACETS = {
    "technique": "technique", "sample": "sample", "category": "category", "format": "format", "instrument": "instrument",
    "instrumentName": "instrument_name", "kind": "kind",
}  # fmt: skip
"""Name of a facet → the column that it counts."""
DATES = {"year": len("2026"), "month": len("2026-11")}
"""Name of a facet → how much of a moment it counts by."""
WORDS = sa.table("measurement_words", sa.column("rowid", sa.BigInteger), sa.column("text", sa.Text), sa.column("words"))


@dataclass(frozen=True, slots=True)
class Found:
    """What is found: measurements (whole rows), one more than asked for if there is; ``total`` ends at ``COUNTED``."""

    rows: list[sa.Row[Any]]
    facets: dict[str, Any] | None = None
    total: int | None = None


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


def look(
    connection: sa.Connection,
    caller: Caller,
    question: Question,
    *,
    now: str,
    limit: int,
    sort: Sort = "recent",
    after: tuple[Any, ...] | None = None,
    facets: bool = False,
    count: bool = False,
) -> Found:
    """Return what the caller sees and what meets a question: a page, and what was asked for besides.

    Parameters
    ----------
    after
        ``place`` of the last row of the page before.
    facets, count
        Whether they are asked for. Facets are read from the rows that come first in this order, and so is the first page.
    """
    asked = _Asked(connection, caller, question, now, sort)
    first: Sequence[sa.Row[Any]] | None = None
    if facets:
        columns = [tables.measurement.c[column] for column in (*FACETS.values(), "released_at", "start_time")]
        first = connection.execute(asked.query(*columns).limit(FACETED)).all()
    if first is None or after is not None:
        seqs: Sequence[int] = connection.execute(asked.query(after=after).limit(limit + 1)).scalars().all()
    else:
        seqs = [row.seq for row in first[: limit + 1]]
    total = None
    if count:
        is_whole = first is not None and len(first) < FACETED
        total = len(first or ()) if is_whole else asked.counted()
    of = tables.measurement
    rows = {row.seq: row for row in connection.execute(of.select().where(of.c.seq.in_(seqs)))} if seqs else {}
    return Found([rows[seq] for seq in seqs], None if first is None else _facets(first, now), total)


def find(
    connection: sa.Connection, caller: Caller, question: Question, *, now: str, limit: int, sort: Sort = "recent"
) -> list[sa.Row[Any]]:
    """Return measurements (whole rows) that the caller sees and that meet a question, one more than ``limit`` if there is."""
    return look(connection, caller, question, now=now, limit=limit, sort=sort).rows


def place(row: sa.Row[Any], sort: Sort) -> tuple[Any, ...]:
    """Return what the next page goes on from after a row."""
    return (row.seq,) if sort == "recent" else (row.start_time, row.seq)


def _facets(rows: Sequence[sa.Row[Any]], now: str) -> dict[str, Any]:
    """Return how often each value occurs; of years and months (of UTC) the latest, of others the most frequent."""
    _, *columns = zip(*rows, strict=True) if rows else [()] * (len(FACETS) + 3)
    *plain, released, started = columns
    found: dict[str, Any] = {}
    for name, column in zip(FACETS, plain, strict=True):
        counted = Counter(column)
        counted.pop(None, None)
        common = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:VALUES]
        found[name] = [{"value": value, "count": number} for value, number in common]
    for name, length in DATES.items():
        months = Counter(each[:length] for each in started if each is not None)
        found[name] = [{"value": value, "count": months[value]} for value in sorted(months, reverse=True)[:VALUES]]
    is_open = Counter(each <= now for each in released)
    found["open"] = [{"value": value, "count": number} for value, number in is_open.most_common()]
    return found | {"counted": len(rows), "complete": len(rows) < FACETED}


class _Asked:
    """A question under the rights of who asks, and the way in which the database is to go about it.

    SQLite, left alone, takes whatever index fits a filter, finds half of everything and sorts that. So what many rows meet
    is asked of them one by one, in the order of the page, from an index that holds all of it; what few meet is looked up
    first. PostgreSQL is told nothing: it knows how many they are.
    """

    def __init__(self, connection: sa.Connection, caller: Caller, question: Question, now: str, sort: Sort) -> None:
        self._connection, self._sort = connection, sort
        self._source: sa.FromClause = tables.measurement
        self._seq: Any = tables.measurement.c.seq
        self._conditions = [access.seen(caller, now), *_kinds(caller, question, now)]
        matching = _matching(connection, question.phrases) if question.phrases else None
        has_few_words = matching is not None and self._is_few(matching)
        has_few = has_few_words
        for holds in _filters(connection, question):
            inner = tables.measurement.alias().c
            if not has_few_words and self._is_few(some := sa.select(inner.seq).where(holds(inner))):
                self._conditions.append(tables.measurement.c.seq.in_(some))
                has_few = True
            else:
                self._conditions.append(holds(_Unindexed()))
        if matching is None:
            return
        if has_few_words:
            self._conditions.append(tables.measurement.c.seq.in_(matching))
        elif has_few or sort != "recent" or connection.dialect.name != "sqlite":
            self._conditions.append(_Bare(tables.measurement.c.seq).in_(matching))
        else:  # the index of words is in the order of the page
            self._source = WORDS.join(tables.measurement, tables.measurement.c.seq == WORDS.c.rowid)
            self._conditions.append(_match(connection, question.phrases))
            self._seq = WORDS.c.rowid

    def _is_few(self, some: sa.Select[Any]) -> bool:
        query = sa.select(sa.func.count()).select_from(some.limit(FEW).subquery())
        return int(self._connection.execute(query).scalar_one()) < FEW

    def query(self, *columns: Any, after: tuple[Any, ...] | None = None) -> sa.Select[Any]:
        """Return the query of the row numbers of what is found, and columns beside them, in the order of the page."""
        of = tables.measurement.c
        query = sa.select(of.seq, *columns).select_from(self._source).where(*self._conditions)
        if self._sort == "recent":
            query = query.order_by(self._seq.desc())
            return query.where(self._seq < after[-1]) if after else query
        query = query.order_by(of.start_time.desc().nulls_last(), of.seq.desc())
        return query.where(_started_after(*after)) if after else query

    def counted(self) -> int:
        """Return how many there are, ``COUNTED`` at most."""
        some = sa.select(sa.literal(1)).select_from(self._source).where(*self._conditions).limit(COUNTED)
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())


class _Bare(sa.sql.expression.ColumnElement[Any]):
    """A column of which SQLite uses no index."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        self.column, self.type = column, column.type


@compiles(_Bare)
def _bare(element: _Bare, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.column, **given)


@compiles(_Bare, "sqlite")
def _bare_in_sqlite(element: _Bare, compiler: SQLCompiler, **given: Any) -> str:
    return "+" + compiler.process(element.column, **given)


class _Unindexed:
    """The columns of a measurement, each ``_Bare``."""

    def __getitem__(self, name: str) -> Any:
        return _Bare(tables.measurement.c[name])

    __getattr__ = __getitem__


def _kinds(caller: Caller, question: Question, now: str) -> Iterator[sa.ColumnElement[bool]]:
    """Yield what is asked of embargo, tag and collection."""
    of = tables.measurement.c
    if question.open_only:
        yield of.released_at <= now
    if question.closed_only:
        yield of.released_at > now
    if question.tag is not None:
        yield of.id.in_(remarks.tagged(caller, question.tag, now))
    if question.collection is not None:
        yield of.id.in_(collecting.held(caller, question.collection))


def _filters(connection: sa.Connection, question: Question) -> Iterator[Callable[[Columns], sa.ColumnElement[bool]]]:
    """Yield each filter on a column that has an index, as a function of the columns of a measurement."""
    for name, value in (question.equal or {}).items():
        yield lambda of, name=name, value=value: of[name] == value  # type: ignore[misc]
    registry = tables.registry.c
    instruments = sa.select(registry.id).where(registry.type == "instrument")
    if (instrument := question.instrument) is not None:
        named = connection.execute(instruments.where(registry.name == instrument)).scalars().all()
        yield lambda of: sa.or_(of.instrument.in_([instrument, *named]), of.instrument_name == instrument)
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
    return sa.select(WORDS.c.rowid).where(_match(connection, phrases))


def _match(connection: sa.Connection, phrases: tuple[words.Phrase, ...]) -> sa.ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return sa.literal_column("measurement_words").op("MATCH")(words.fts5(phrases))
    return WORDS.c.words.op("@@")(sa.func.to_tsquery("simple", words.tsquery(phrases)))


def _started_after(start: str | None, seq: int) -> sa.ColumnElement[bool]:
    of = tables.measurement.c
    if start is None:
        return sa.and_(of.start_time.is_(None), of.seq < seq)
    return sa.or_(of.start_time < start, of.start_time.is_(None), sa.and_(of.start_time == start, of.seq < seq))
