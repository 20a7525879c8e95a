"""What persons say of a measurement besides its record: tags that those who may change it set, comments of those who may read it.

Both are between people who are signed in; nobody without a name sees them, also when the data are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, audit, ids, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.rights import Level

LONGEST_TAG, LONGEST_COMMENT = 60, 5_000
"""Characters."""
MOST_TAGS = 50
"""Of one measurement."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A word on a measurement. ``author``: None where the caller may not know the person; ``mine``: he may take it off."""

    name: str
    author: str | None
    at: str
    mine: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said, and when; ``mine``: the caller may take it back."""

    id: str
    text: str
    author: str | None
    at: str
    mine: bool


def tagged(caller: Caller, name: str, now: str) -> sa.Select[Any]:
    """Return the query of the ids of measurements with a tag, as far as the caller knows of tags."""
    tag, of = tables.tag.c, tables.measurement.alias()
    may = access.at_least(Level.READ, caller, now, "measurement", of) if caller.person else sa.false()
    return sa.select(tag.measurement).join(of, of.c.id == tag.measurement).where(tag.name == name, may)


def tags(connection: sa.Connection, caller: Caller, measurement: str) -> list[Tag]:
    """Return the tags of a measurement, by name."""
    if not _reads(connection, caller, measurement):
        return []
    rows = connection.execute(_authored(tables.tag, caller).where(tables.tag.c.measurement == measurement))
    writes = access.may(connection, caller, "write", "measurement", measurement)
    found = (Tag(row.name, row.author, row.at, writes or row.person == caller.person) for row in rows)
    return sorted(found, key=lambda each: each.name.casefold())


def comments(connection: sa.Connection, caller: Caller, measurement: str) -> list[Comment]:
    """Return the comments on a measurement, oldest first."""
    if not _reads(connection, caller, measurement):
        return []
    writes = access.may(connection, caller, "write", "measurement", measurement)
    query = _authored(tables.comment, caller).where(tables.comment.c.measurement == measurement)
    rows = connection.execute(query.order_by(tables.comment.c.id))
    return [Comment(row.id, row.text, row.author, row.at, writes or row.person == caller.person) for row in rows]


def tag(connection: sa.Connection, caller: Caller, measurement: str, name: str, request_id: str | None) -> None:
    """Put a tag on a measurement; one that is there stays as it is.

    Raises
    ------
    Problem
        404, 401, 403: not for this caller. 422: it is no tag.
    """
    access.demand(connection, caller, "write", "measurement", measurement)
    said, of = " ".join(name.split()), tables.tag.c
    if not 1 <= len(said) <= LONGEST_TAG:
        raise Problem(422, "Invalid request", f"a tag has 1 to {LONGEST_TAG} characters")
    there = set(connection.execute(sa.select(of.name).where(of.measurement == measurement)).scalars())
    if said in there:
        return
    if len(there) >= MOST_TAGS:
        raise Problem(422, "Invalid request", f"a measurement has {MOST_TAGS} tags at most")
    values = {"measurement": measurement, "name": said, "person": caller.person, "at": moments.now()}
    connection.execute(tables.tag.insert().values(values))
    audit.note(connection, caller, "tag", "measurement", measurement, diff={"tag": said}, request_id=request_id)


def untag(connection: sa.Connection, caller: Caller, measurement: str, name: str, request_id: str | None) -> None:
    """Take a tag off a measurement: one's own, or any where one may change the measurement; else there is none to take.

    Raises
    ------
    Problem
        404, 401, 403: not for this caller.
    """
    if not any(each.name == name and each.mine for each in tags(connection, caller, measurement)):
        access.demand(connection, caller, "write", "measurement", measurement)
        return
    of = tables.tag
    connection.execute(of.delete().where(of.c.measurement == measurement, of.c.name == name))
    audit.note(connection, caller, "untag", "measurement", measurement, diff={"tag": name}, request_id=request_id)


def comment(connection: sa.Connection, caller: Caller, measurement: str, text: str) -> None:
    """Say something about a measurement.

    Raises
    ------
    Problem
        404, 401: not for this caller. 422: it says nothing, or too much.
    """
    access.demand(connection, caller, "read", "measurement", measurement)
    if caller.person is None:
        raise access.refused(caller)
    said = text.replace("\r\n", "\n").strip()
    if not 1 <= len(said) <= LONGEST_COMMENT:
        raise Problem(422, "Invalid request", f"a comment has 1 to {LONGEST_COMMENT} characters")
    values = {"id": ids.new(), "measurement": measurement, "person": caller.person, "at": moments.now(), "text": said}
    connection.execute(tables.comment.insert().values(values))


def take_back(connection: sa.Connection, caller: Caller, measurement: str, id: str, request_id: str | None) -> None:
    """Remove a comment: one's own, or any where one may change the measurement. The audit notes that, not what it said.

    Raises
    ------
    Problem
        404: there is none that the caller could remove.
    """
    if not any(each.id == id and each.mine for each in comments(connection, caller, measurement)):
        raise absent()
    connection.execute(tables.comment.delete().where(tables.comment.c.id == id))
    audit.note(connection, caller, "uncomment", "measurement", measurement, diff={"comment": id}, request_id=request_id)


def _reads(connection: sa.Connection, caller: Caller, measurement: str) -> bool:
    return caller.person is not None and access.may(connection, caller, "read", "measurement", measurement)


def _authored(table: sa.Table, caller: Caller) -> sa.Select[Any]:
    """Return the query of a table with the name of each row's person, where the caller may know it."""
    person = tables.person
    known = access.seen(caller, moments.now(), "person")
    joined = table.outerjoin(person, sa.and_(person.c.id == table.c.person, known))
    return sa.select(table, person.c.family_name.label("author")).select_from(joined)
