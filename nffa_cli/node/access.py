"""Rights asked of the database: the table of ``rights`` as conditions on rows, and for one thing. No endpoint decides itself.

Below ``Level.SEE`` a thing answers as one that does not exist; ``demand`` is the one way to that answer. Every list, count,
facet and look-up takes its rows under ``seen`` or ``readable``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
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
    asked = _Asked(caller.roles, sa.literal(caller.person), sa.literal(now), _giving(type, least))
    return asked.condition(type, table(type) if of is None else of)


def level(connection: sa.Connection, caller: Caller, type: Type, id: str, *, now: str | None = None) -> Level:
    """Return what the caller may do with one thing; ``Level.NONE`` also where there is none."""
    given = {"person": caller.person, "now": now or moments.now(), "id": id}
    return Level(connection.execute(_level(type, caller.roles), given).scalar() or Level.NONE)


@lru_cache(maxsize=500)
def _level(type: Type, roles: frozenset[str]) -> sa.Select[Any]:
    """Return the query of the level on one thing; building it takes longer than asking it."""
    of, person, now = table(type), sa.bindparam("person", type_=sa.Text), sa.bindparam("now", type_=sa.Text)
    whens = []
    for least in reversed(Level):
        if least != Level.NONE:  # a CASE stops at the first that holds
            everywhere = any(RIGHTS[role][type] >= least for role in roles & EVERYWHERE)
            asked = _Asked(roles, person, now, _giving(type, least))
            whens.append((sa.true() if everywhere else asked.condition(type, of), int(least)))
    query = sa.select(sa.case(*whens, else_=int(Level.NONE))).where(of.c.id == sa.bindparam("id", type_=sa.Text))
    return query.where(of.c.type == type) if of is tables.registry else query


@lru_cache
def _giving(type: Type, least: Level) -> frozenset[str]:
    """Return the relations that give a level."""
    return frozenset(relation for relation, levels in RIGHTS.items() if levels[type] >= least)


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


# One alias for each use, made once: making them is what takes time. None is used within itself.
_MEMBER, _OTHER = tables.member.alias("member_in"), tables.member.alias("other_in")
_ACL, _SHARED, _ASSET = tables.acl.alias("acl_in"), tables.acl.alias("shared_in"), tables.asset.alias("asset_in")
_INSTRUMENT, _NAMING = tables.registry.alias("instrument_in"), tables.experiment.alias("naming_in")
_EXPERIMENT, _MEASUREMENT = tables.experiment.alias("experiment_in"), tables.measurement.alias("measurement_in")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks, when, and the relations that give what is asked for; ``person`` and ``now`` are values in SQL."""

    roles: frozenset[str]
    person: Any
    now: Any
    relations: frozenset[str]

    def condition(self, type: Type, of: Any) -> Condition:
        return sa.or_(sa.false(), *_OF.get(type, _of_registry)(self, of))

    @property
    def as_person(self) -> bool:
        return bool(self.roles & PERSONAL)

    @property
    def sids(self) -> list[Any]:
        """The names by which access lists know the caller."""
        person = [sa.literal("person:") + self.person] if self.as_person else []
        return [*person, *(f"role:{role}" for role in sorted(self.roles))]

    def member(self, proposal: Any) -> Iterator[Condition]:
        """Yield that the caller has a part in a proposal, as a person."""
        if roles := [role for role in callers.PROPOSAL_ROLES if role in self.relations and self.as_person]:
            of = _MEMBER.c
            mine = sa.select(of.proposal).where(of.person == self.person, of.role.in_(roles))
            yield proposal.in_(mine)

    def granted(self, places: Mapping[str, Any]) -> Iterator[Condition]:
        """Yield what access lists give on a thing or on what it hangs under; ``places``: type → column of ids."""
        permissions = [name for name in PERMISSIONS if f"granted{name}" in self.relations]
        if not (permissions and self.sids):
            return
        for place, column in places.items():
            lists = sa.select(_ACL.c.resource).where(_ACL.c.sid.in_(self.sids), _ACL.c.type == place)
            yield column.in_(lists.where(_ACL.c.permission.in_(permissions)))

    def depositor(self, by: Any) -> Iterator[Condition]:
        """Yield that a depositor made the thing."""
        if "depositor" in self.relations & self.roles:
            yield by == self.person

    def scientist(self, experiment: Any, instrument: Any = None) -> Iterator[Condition]:
        """Yield that the caller runs an instrument of a thing; both are columns of it (``experiment``: its id)."""
        if "scientist" not in self.relations or "instrumentScientist" not in self.roles:
            return
        listed = _Holds(_INSTRUMENT.c.data, "scientists", sa.select(self.person))
        instruments = sa.select(_INSTRUMENT.c.id).where(_INSTRUMENT.c.type == "instrument", listed)
        if instrument is not None:
            yield instrument.in_(instruments)
        yield experiment.in_(sa.select(_NAMING.c.id).where(_Holds(_NAMING.c.data, "instrumentIds", instruments)))

    def within(self, column: str, of: Any) -> Condition:
        """Return that a thing holds a measurement that the caller sees."""
        sees = replace(self, relations=_giving("measurement", Level.SEE)).condition("measurement", _MEASUREMENT)
        return sa.exists().where(_MEASUREMENT.c[column] == of.c.id, sees).correlate(of)


def _of_proposal(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.member(of.c.id)
    yield from asked.granted({"proposal": of.c.id})
    yield from asked.depositor(of.c.created_by)
    if "above" in asked.relations:
        sees = replace(asked, relations=_giving("experiment", Level.SEE))
        experiments = sa.or_(sa.false(), *_of_experiment(sees, _EXPERIMENT, above=False))
        yield sa.exists().where(_EXPERIMENT.c.proposal == of.c.id, experiments).correlate(of)
        yield asked.within("proposal", of)


def _of_experiment(asked: _Asked, of: Any, *, above: bool = True) -> Iterator[Condition]:
    """``above=False``: leave out what the experiment holds, which the proposal asks for itself."""
    yield from asked.member(of.c.proposal)
    yield from asked.granted({"experiment": of.c.id, "proposal": of.c.proposal})
    yield from asked.depositor(of.c.created_by)
    yield from asked.scientist(of.c.id)
    if above and "above" in asked.relations:
        yield asked.within("experiment", of)


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
        shared = sa.select(_ASSET.c.measurement).join(_SHARED, _SHARED.c.resource == _ASSET.c.id)
        yield of.c.id.in_(shared.where(_SHARED.c.type == "dataasset", _SHARED.c.sid.in_(asked.sids)))


def _of_asset(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.granted({"dataasset": of.c.id})
    inner = _MEASUREMENT
    held = replace(asked, relations=asked.relations - {"released"}).condition("measurement", inner)
    if "released" in asked.relations:
        ended = sa.or_(
            of.c.embargo_until.is_(None), of.c.embargo_until < sa.func.substr(asked.now, 1, len("2026-11-21"))
        )
        held = sa.or_(held, sa.and_(inner.c.released_at <= asked.now, ended))
    yield sa.exists().where(inner.c.id == of.c.measurement, held).correlate(of)


def _of_sample(asked: _Asked, of: Any) -> Iterator[Condition]:
    yield from asked.granted({"sample": of.c.id})
    yield from asked.depositor(of.c.created_by)


def _of_person(asked: _Asked, of: Any) -> Iterator[Condition]:
    if "self" in asked.relations:
        yield of.c.id == asked.person
    if "colleague" in asked.relations and asked.as_person:
        shared = sa.select(_OTHER.c.person).join(_MEMBER, _MEMBER.c.proposal == _OTHER.c.proposal)
        yield of.c.id.in_(shared.where(_MEMBER.c.person == asked.person))


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
