"""What persons say at the node that a picture shows: rows that are only ever added, and the category that follows from them.

One rule says which answer holds: the newest of a person, given here or sent along, goes before any model. Here "newest" is by
the clock of whoever wrote it down. What was sent is kept beside (``category_sent``), so that a delivery is compared with what
it said before and not with what was answered here; an answer makes no new version of the measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from nffa_cli.node import access, audit, ids, moments, opinions, search, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem

Answer = Literal["label", "none", "unclear"]
"""As at the terminal: it shows a category; none of them; not clear."""
SECOND = len("2026-11-21T14:05:07")
"""Characters of a moment down to its second, which is what a PC tells: of one second, what was sent counts as the later one."""
TOGETHER = 31
"""Pictures that one answer is for at most: one that was looked at, and its near-duplicates."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer; ``second``: another category, where the picture lies between two."""

    answer: Answer
    label: str | None = None
    second: str | None = None

    @property
    def category(self) -> str:
        """The category, or the word for why there is none."""
        return self.label or self.answer


def say(
    connection: sa.Connection, caller: Caller, pictures: Sequence[str], said: Said, *, request_id: str | None
) -> str:
    """Keep what the caller says of a picture that was looked at, the first, and of its near-duplicates; return the answer's id.

    Raises
    ------
    Problem
        404, 401, 403: not for this caller. 422: too many, or both categories are the same.
    """
    wanted = list(dict.fromkeys(pictures))
    if len(wanted) > TOGETHER:
        raise Problem(422, "Invalid request", f"one answer is for {TOGETHER} pictures at most")
    if said.second is not None and said.second == said.label:
        raise Problem(422, "Invalid request", f"{said.label} cannot be the second category, too")
    for measurement in wanted:
        access.demand(connection, caller, "write", "measurement", measurement)
    contents, of = _contents(connection, wanted), tables.opinion
    seen = {row.measurement: row for row in connection.execute(of.select().where(of.c.measurement.in_(wanted)))}
    batch, now = ids.new(), moments.now()
    rows = []
    for measurement in wanted:
        model = seen.get(measurement)
        rows.append({
            "id": ids.new(), "measurement": measurement, "person": caller.person, "batch": batch, "at": now,
            "answer": said.answer, "label": said.label, "second": said.second,
            "how": "looked" if measurement == wanted[0] else "duplicate", "sha256": contents.get(measurement),
            "model": model.model if model else None,
            "predicted": opinions.predicted(model.decision, model.label) if model else None,
        })  # fmt: skip
    connection.execute(tables.label.insert(), rows)
    settle(connection, wanted)
    diff = {"category": said.category, "second": said.second}
    for measurement in wanted:
        audit.note(connection, caller, "label", "measurement", measurement, diff=diff, request_id=request_id)
    return batch


def last(connection: sa.Connection, caller: Caller, since: str) -> list[sa.Row[Any]]:
    """Return the caller's last answer since a moment that was not taken back, the picture that was looked at first."""
    of, measurement = tables.label, tables.measurement
    mine = (of.c.person == caller.person, of.c.answer != "undo", of.c.at >= since, ~_undone(of))
    newest = (
        sa.select(of.c.batch)
        .join(measurement, measurement.c.id == of.c.measurement)
        .where(*mine, access.writable(caller, moments.now()))
        .order_by(of.c.seq.desc())
        .limit(1)
    )
    query = sa.select(of, measurement.c.name).join(measurement, measurement.c.id == of.c.measurement)
    return list(connection.execute(query.where(of.c.batch == newest.scalar_subquery()).order_by(of.c.seq)).all())


def undo(connection: sa.Connection, caller: Caller, batch: str, since: str, *, request_id: str | None) -> list[str]:
    """Take the caller's last answer back, by a row for each picture; return them.

    Raises
    ------
    Problem
        409: ``batch`` is not the last answer any more; it was taken back, or there is a newer one. As ``access.demand``.
    """
    rows = last(connection, caller, since)
    if not rows or rows[0].batch != batch:
        raise Problem(409, "Not the last answer", "it was taken back already, or you have answered since")
    wanted = [row.measurement for row in rows]
    for measurement in wanted:
        access.demand(connection, caller, "write", "measurement", measurement)
    again, now = ids.new(), moments.now()
    connection.execute(tables.label.insert(), [
        {
            "id": ids.new(), "measurement": row.measurement, "person": caller.person, "batch": again, "at": now,
            "answer": "undo", "how": row.how, "sha256": row.sha256, "model": row.model, "predicted": row.predicted,
            "undoes": row.id,
        }
        for row in rows
    ])  # fmt: skip
    settle(connection, wanted)
    for measurement in wanted:
        audit.note(connection, caller, "unlabel", "measurement", measurement, request_id=request_id)
    return wanted


def hold(connection: sa.Connection, measurements: Sequence[str]) -> dict[str, list[sa.Row[Any]]]:
    """Return what holds of each measurement: the last answer of each person who has not taken it back, oldest first."""
    of = tables.label
    query = of.select().where(of.c.measurement.in_(measurements), of.c.answer != "undo", ~_undone(of))
    by_person: dict[str, dict[str, sa.Row[Any]]] = {}
    for row in connection.execute(query.order_by(of.c.seq)):
        by_person.setdefault(row.measurement, {})[row.person] = row
    return {name: sorted(rows.values(), key=lambda row: row.seq) for name, rows in by_person.items()}


def answered_by(person: str | None, measurement: Any) -> sa.ColumnElement[bool]:
    """Return the condition that an answer of a person to a measurement (a column) holds."""
    of = tables.label.alias("answered")
    return sa.exists().where(
        of.c.measurement == measurement, of.c.person == person, of.c.answer != "undo", ~_undone(of)
    )


def labelled(connection: sa.Connection, measurements: Sequence[str]) -> list[str]:
    """Return those of the measurements that anybody has ever said anything of here."""
    of = tables.label.c
    query = sa.select(of.measurement).where(of.measurement.in_(measurements)).distinct()
    return list(connection.execute(query).scalars())


def settle(connection: sa.Connection, measurements: Sequence[str]) -> None:
    """Let measurements have the category that follows from all that was said, and be found by it."""
    of, opinion = tables.measurement, tables.opinion
    held = hold(connection, measurements)
    query = sa.select(of.c.id, of.c.data, of.c.category_sent, opinion.c.by_person, opinion.c.said_at)
    query = query.outerjoin(opinion, opinion.c.measurement == of.c.id).where(of.c.id.in_(measurements))
    for row in connection.execute(query).all():
        sent = row.data.get("category") if row.category_sent is None else row.category_sent or None
        newest = held[row.id][-1] if row.id in held else None
        is_later = (
            row.by_person
            and row.said_at is not None
            and newest is not None
            and row.said_at[:SECOND] >= newest.at[:SECOND]
        )
        here = None if newest is None or is_later else _category(newest)
        data = {name: value for name, value in row.data.items() if name != "category"}
        if (category := here or sent) is not None:
            data["category"] = category
        values = {
            "data": data, "category": (category or {}).get("label"),
            "category_sent": None if here is None else sent or {},
        }  # fmt: skip
        connection.execute(of.update().where(of.c.id == row.id).values(values))
        judged = newest is not None or bool(row.by_person)
        connection.execute(opinion.update().where(opinion.c.measurement == row.id).values(judged=judged))
    search.index_measurements(connection, of.c.id.in_(measurements))


def said_anew(connection: sa.Connection, measurement: str) -> None:
    """Take the category that a measurement has now for the one that was sent; an answer that was given here still holds."""
    of = tables.measurement
    connection.execute(of.update().where(of.c.id == measurement).values(category_sent=None))
    settle(connection, labelled(connection, [measurement]))


def as_sent(row: sa.Row[Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a measurement (``row``) as its sender said them."""
    if row.category_sent is None:
        return dict(fields)
    found = {name: value for name, value in fields.items() if name != "category"}
    return found | ({"category": row.category_sent} if row.category_sent else {})


def fed(
    connection: sa.Connection, caller: Caller, since: tuple[int, str] | None, limit: int
) -> tuple[list[sa.Row[Any]], bool]:
    """Return what was said of the measurements that the caller delivered, in the order it was said, and whether there is more.

    Parameters
    ----------
    since
        Number and id of the last row that the caller has. Where they do not belong together (the node was set up anew, or from
        a backup), all is told from the start: whoever takes labels knows each by its id.
    """
    of, measurement, person, now = tables.label, tables.measurement, tables.person, moments.now()
    known = access.seen(caller, now, "person")
    query = (
        sa.select(of, person.c.family_name, person.c.data.label("about"))
        .join(measurement, measurement.c.id == of.c.measurement)
        .outerjoin(person, sa.and_(person.c.id == of.c.person, known))
        .where(measurement.c.deposited_by == caller.person, access.readable(caller, now), of.c.sha256.is_not(None))
    )
    if since is not None and connection.execute(sa.select(of.c.id).where(of.c.seq == since[0])).scalar() == since[1]:
        query = query.where(of.c.seq > since[0])
    rows = list(connection.execute(query.order_by(of.c.seq).limit(limit + 1)).all())
    return rows[:limit], len(rows) > limit


def _category(row: sa.Row[Any]) -> dict[str, Any]:
    """Return an answer as a measurement has it."""
    found = {"label": row.label or row.answer, "decision": "confirmed", "by": "person"}
    return found | ({"second": row.second} if row.second else {})


def _contents(connection: sa.Connection, measurements: Sequence[str]) -> dict[str, str]:
    """Return the SHA-256 of the main file of each measurement."""
    of = tables.asset.c
    query = sa.select(of.measurement, of.sha256).where(of.measurement.in_(measurements), of.role == "main")
    rows = connection.execute(query.where(of.state != "withdrawn").order_by(of.id.desc()))
    return {row.measurement: row.sha256 for row in rows}


def _undone(of: Any) -> sa.ColumnElement[bool]:
    later = tables.label.alias("undone")
    return sa.exists().where(later.c.undoes == of.c.id)
