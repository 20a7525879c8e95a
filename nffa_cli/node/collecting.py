"""Collections: measurements that a person put together across experiments, for nobody else; they give no right to anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, ids, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent

LONGEST = 200
"""Characters of a name."""
MOST = 500
"""Collections of one person."""


@dataclass(frozen=True, slots=True)
class Collection:
    """One of them; ``count``: how many of its measurements the caller still sees."""

    id: str
    name: str
    count: int


def held(caller: Caller, id: str) -> sa.Select[Any]:
    """Return the query of the ids of measurements in a collection of the caller's."""
    of, inner = tables.collection.c, tables.collected.c
    query = sa.select(inner.measurement).join(tables.collection, of.id == inner.collection)
    return query.where(of.id == id, of.person == caller.person)


def all_of(connection: sa.Connection, caller: Caller) -> list[Collection]:
    """Return the caller's collections, by name."""
    if caller.person is None:
        return []
    of, inner, measurement = tables.collection.c, tables.collected.c, tables.measurement
    known = sa.and_(measurement.c.id == inner.measurement, access.seen(caller, moments.now()))
    query = (
        sa.select(of.id, of.name, sa.func.count(measurement.c.id).label("number"))
        .outerjoin(tables.collected, inner.collection == of.id)
        .outerjoin(measurement, known)
        .where(of.person == caller.person)
        .group_by(of.id, of.name)
    )
    found = (Collection(row.id, row.name, row.number) for row in connection.execute(query))
    return sorted(found, key=lambda each: each.name.casefold())


def one(connection: sa.Connection, caller: Caller, id: str) -> Collection:
    """Return a collection of the caller's.

    Raises
    ------
    Problem
        404: there is none.
    """
    found = next((each for each in all_of(connection, caller) if each.id == id), None)
    if found is None:
        raise absent()
    return found


def put(connection: sa.Connection, caller: Caller, name: str, measurement: str) -> str:
    """Put a measurement into the collection of that name, made if need be; return its id.

    Raises
    ------
    Problem
        404, 401: not for this caller. 422: no name for a collection.
    """
    access.demand(connection, caller, "see", "measurement", measurement)
    if caller.person is None:
        raise access.refused(caller)
    said, now = " ".join(name.split()), moments.now()
    if not 1 <= len(said) <= LONGEST:
        raise Problem(422, "Invalid request", f"the name of a collection has 1 to {LONGEST} characters")
    there = all_of(connection, caller)
    found = next((each.id for each in there if each.name == said), None)
    if found is None:
        if len(there) >= MOST:
            raise Problem(422, "Invalid request", f"{MOST} collections are the most")
        found = ids.new()
        connection.execute(tables.collection.insert().values(id=found, person=caller.person, name=said, at=now))
    row = {"collection": found, "measurement": measurement}
    of = tables.collected
    if connection.execute(sa.select(of.c.at).filter_by(**row)).first() is None:
        connection.execute(of.insert().values(**row, at=now))
    return found


def take_out(connection: sa.Connection, caller: Caller, id: str, measurement: str) -> None:
    """Take a measurement out of a collection; one that is empty then is gone.

    Raises
    ------
    Problem
        404: there is no such collection.
    """
    one(connection, caller, id)
    of = tables.collected
    connection.execute(of.delete().where(of.c.collection == id, of.c.measurement == measurement))
    if connection.execute(sa.select(of.c.at).where(of.c.collection == id)).first() is None:
        connection.execute(tables.collection.delete().where(tables.collection.c.id == id))
