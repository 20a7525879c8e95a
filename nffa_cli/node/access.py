"""Rights asked of the database: the table of ``rights`` as conditions on rows, and for one thing. No endpoint decides itself.

Below ``Level.SEE`` a thing answers as one that does not exist; ``demand`` is the one way to that answer. Every list, count,
facet and look-up takes its rows under ``seen`` or ``readable``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from nffa_cli.node import callers, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.rights import CREATORS, DEPOSITORS, EVERYWHERE, PERMISSIONS, PERSONAL, RIGHTS, Level, Type, allowed

Condition = sa.ColumnElement[bool]

TABLES: Mapping[Type, sa.Table] = {
    "proposal": tables.proposal,
    "experiment": tables.experiment,
    "measurement": tables.measurement,
    "dataasset": tables.asset,
    "person": tables.person,
}
"""Where things of a type lie; of any other: in the registry."""


def seen(caller: Caller, now: str, type: Type = "measurement") -> Condition:
    """Return the condition on the table of ``type`` that its rows may be known of."""
    return at_least(Level.SEE, caller, now, type)


def readable(caller: Caller, now: str, type: Type = "measurement") -> Condition:
    """Return the condition on the table of ``type`` that the content of its rows may be read."""
    return at_least(Level.READ, caller, now, type)


def writable(caller: Caller, now: str, type: Type = "measurement") -> Condition:
    """Return the condition on the table of ``type`` that its rows may be changed."""
    return at_least(Level.WRITE, caller, now, type)


def at_least(
    least: Level, caller: Caller, now: str, type: Type = "measurement", of: sa.FromClause | None = None
) -> Condition:
    """Return the condition that the caller has a level on rows of a type.

    Parameters
    ----------
    now
        The moment at which embargoes are judged, as ``moments.now`` gives it.
    of
        The table of the type, or an alias of it where it is asked for twice. Rows of the registry are all taken to be of
        ``type``.
    """
    if least == Level.NONE or any(RIGHTS[role][type] >= least for role in caller.roles & EVERYWHERE):
        return sa.true()
    asked = _Asked(caller, now, frozenset(relation for relation, levels in RIGHTS.items() if levels[type] >= least))
    conditions = _OF.get(type, _of_registry)(asked, table(type) if of is None else of)
    return sa.or_(sa.false(), *conditions)


def level(connection: sa.Connection, caller: Caller, type: Type, id: str, *, now: str | None = None) -> Level:
    """Return what the caller may do with one thing; ``Level.NONE`` also where there is none."""
    of, at = table(type), now or moments.now()
    # A CASE stops at the first that holds, and most callers of most things hold much or nothing.
    whens = ((at_least(least, caller, at, type), int(least)) for least in reversed(Level) if least != Level.NONE)
    query = sa.select(sa.case(*whens, else_=int(Level.NONE))).where(of.c.id == id)
    if of is tables.registry:
        query = query.where(of.c.type == type)
    return Level(connection.execute(query).scalar() or Level.NONE)


def may(connection: sa.Connection, caller: Caller, action: str, type: Type, id: str) -> bool:
    """Tell whether the caller may do ``action`` (of ``rights.ACTIONS``) to one thing."""
    return allowed(action, level(connection, caller, type, id), caller.roles)


def demand(connection: sa.Connection, caller: Caller, action: str, type: Type, id: str) -> Level:
    """Return the caller's level, or refuse.

    Raises
    ------
    Problem
        404 for what is not there and for what may not be seen, word for word the same; for what is seen 401 without
        a token, else 403.
    """
    found = level(connection, caller, type, id)
    if found < Level.SEE:
        raise absent()
    if not allowed(action, found, caller.roles):
        raise refused(caller)
    return found


def demand_creation(
    connection: sa.Connection, caller: Caller, type: Type, under: tuple[Type, str] | None = None
) -> None:
    """Refuse who may not make a ``type``; ``under``: type and id of what it is to hang under.

    Raises
    ------
    Problem
        As ``demand``.
    """
    if caller.person is None:
        raise refused(caller)
    if under is not None:
        demand(connection, caller, "write", *under)
    elif not caller.roles & CREATORS[type]:
        raise refused(caller)


def may_deposit(connection: sa.Connection, caller: Caller, proposal: str | None) -> bool:
    """Tell whether the caller may deliver into a proposal (its id; None: it is not there yet)."""
    if caller.person is None:
        return False
    return bool(caller.roles & DEPOSITORS) or (
        proposal is not None and may(connection, caller, "write", "proposal", proposal)
    )


def refused(caller: Caller) -> Problem:
    """Return the answer for what the caller knows of and may not do."""
    if caller.person is None:
        return callers.refused("this needs a token; an administrator of the node makes one: nffa node token create")
    return Problem(403, "Not allowed", "your roles do not allow this")


def table(type: Type) -> sa.Table:
    """Return the table whose rows are things of this type."""
    return TABLES.get(type, tables.registry)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, when, and the relations that give what is asked for."""

    caller: Caller
    now: str
    relations: frozenset[str]

    @property
    def as_person(self) -> bool:
        return bool(self.caller.roles & PERSONAL)

    @property
    def sids(self) -> list[str]:
        """The names by which access lists know the caller."""
        person = [f"person:{self.caller.person}"] if self.as_person else []
        return [*person, *(f"role:{role}" for role in sorted(self.caller.roles))]

    def member(self, proposal: Any) -> Iterator[Condition]:
        """Yield that the caller has a part in a proposal, as a person."""
        if roles := [role for role in callers.PROPOSAL_ROLES if role in self.relations and self.as_person]:
            member = tables.member.alias()
            mine = sa.select(member.c.proposal).where(member.c.person == self.caller.person, member.c.role.in_(roles))
            yield proposal.in_(mine)

    def granted(self, places: Mapping[str, Any]) -> Iterator[Condition]:
        """Yield what access lists give on a thing or on what it hangs under; ``places``: type → column of ids."""
        permissions = [name for name in PERMISSIONS if f"granted{name}" in self.relations]
        if not (permissions and self.sids):
            return
        for place, column in places.items():
            acl = tables.acl.alias()
            lists = sa.select(acl.c.resource).where(acl.c.sid.in_(self.sids), acl.c.type == place)
            yield column.in_(lists.where(acl.c.permission.in_(permissions)))

    def depositor(self, by: Any) -> Iterator[Condition]:
        """Yield that a depositor made the thing."""
        if "depositor" in self.relations & self.caller.roles:
            yield by == self.caller.person

    def scientist(self, experiment: Any, instrument: Any = None) -> Iterator[Condition]:
        """Yield that the caller runs an instrument of a thing; both are columns of it (``experiment``: its id)."""
        if "scientist" not in self.relations or "instrumentScientist" not in self.caller.roles:
            return
        registry, held = tables.registry.alias(), tables.experiment.alias()
        listed = _Holds(registry.c.data, "scientists", sa.select(sa.literal(self.caller.person)))
        instruments = sa.select(registry.c.id).where(registry.c.type == "instrument", listed)
        if instrument is not None:
            yield instrument.in_(instruments)
        yield experiment.in_(sa.select(held.c.id).where(_Holds(held.c.data, "instrumentIds", instruments)))

    def within(self, inner: Any, column: str, type: Type, of: Any) -> Condition:
        """Return that a thing holds one of ``inner`` that the caller sees."""
        condition = at_least(Level.SEE, self.caller, self.now, type, inner)
        return sa.exists().where(inner.c[column] == of.c.id, condition).correlate(of)


def _of_proposal(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.member(of.c.id)
    yield from asked.granted({"proposal": of.c.id})
    yield from asked.depositor(of.c.created_by)
    if "above" in asked.relations:
        inner = tables.experiment.alias()
        experiments = sa.or_(sa.false(), *_of_experiment(asked, inner, above=False))
        yield sa.exists().where(inner.c.proposal == of.c.id, experiments).correlate(of)
        yield asked.within(tables.measurement.alias(), "proposal", "measurement", of)


def _of_experiment(asked: _Asked, of: Any, *, above: bool = True) -> Iterator[Condition]:
    """``above=False``: leave out what the experiment holds, which the proposal asks for itself."""
    yield from asked.member(of.c.proposal)
    yield from asked.granted({"experiment": of.c.id, "proposal": of.c.proposal})
    yield from asked.depositor(of.c.created_by)
    yield from asked.scientist(of.c.id)
    if above and "above" in asked.relations:
        yield asked.within(tables.measurement.alias(), "experiment", "measurement", of)


def _of_measurement(asked: _Asked, of: Any) -> Iterator[Condition]:
    if "released" in asked.relations:
        yield of.c.released_at <= asked.now
    if "described" in asked.relations:
        yield of.c.metadata_open
    yield from asked.member(of.c.proposal)
    yield from asked.granted({"measurement": of.c.id, "experiment": of.c.experiment, "proposal": of.c.proposal})
    yield from asked.depositor(of.c.deposited_by)
    yield from asked.scientist(of.c.experiment, of.c.instrument)
    if "above" in asked.relations and asked.sids:
        asset, acl = tables.asset.alias(), tables.acl.alias()
        shared = sa.select(asset.c.measurement).join(acl, acl.c.resource == asset.c.id)
        yield of.c.id.in_(shared.where(acl.c.type == "dataasset", acl.c.sid.in_(asked.sids)))


def _of_asset(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.granted({"dataasset": of.c.id})
    inner = tables.measurement.alias()
    held = sa.or_(sa.false(), *_of_measurement(replace(asked, relations=asked.relations - {"released"}), inner))
    if "released" in asked.relations:
        today = asked.now[: len("2026-11-21")]
        ended = sa.or_(of.c.embargo_until.is_(None), of.c.embargo_until < today)
        held = sa.or_(held, sa.and_(inner.c.released_at <= asked.now, ended))
    yield sa.exists().where(inner.c.id == of.c.measurement, held).correlate(of)


def _of_sample(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.granted({"sample": of.c.id})
    yield from asked.depositor(of.c.created_by)


def _of_person(asked: _Asked, of: Any) -> Iterator[Condition]:
    if "self" in asked.relations:
        yield of.c.id == asked.caller.person
    if "colleague" in asked.relations and asked.as_person:
        mine, others = tables.member.alias(), tables.member.alias()
        shared = sa.select(others.c.person).join(mine, mine.c.proposal == others.c.proposal)
        yield of.c.id.in_(shared.where(mine.c.person == asked.caller.person))


def _of_registry(asked: _Asked, of: Any) -> Iterator[Condition]:
    if "anyone" in asked.relations:
        yield sa.true()


_OF = {
    "proposal": _of_proposal,
    "experiment": _of_experiment,
    "measurement": _of_measurement,
    "dataasset": _of_asset,
    "sample": _of_sample,
    "person": _of_person,
}


class _Holds(FunctionElement[bool]):
    """Whether the list of texts under a key of a JSON column holds one that a query gives."""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: Any, key: str, values: sa.Select[Any]) -> None:
        super().__init__(column, sa.literal(key), values.scalar_subquery())


@compiles(_Holds)
def _holds(element: _Holds, compiler: SQLCompiler, **given: Any) -> str:
    column, key, values = (compiler.process(clause, **given) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}, '$.' || {key}) AS held WHERE held.value IN {values})"  # noqa: S608


@compiles(_Holds, "postgresql")
def _holds_in_postgresql(element: _Holds, compiler: SQLCompiler, **given: Any) -> str:
    column, key, values = (compiler.process(clause, **given) for clause in element.clauses)
    path = f"jsonb_path_query_array({column}, CAST('$.' || {key} || '[*]' AS jsonpath))"
    return f"EXISTS (SELECT 1 FROM jsonb_array_elements_text({path}) AS held(value) WHERE held.value IN {values})"  # noqa: S608
