"""Rights asked of the database: the table of ``rights`` as conditions on rows, and for one thing. No endpoint decides itself.

Below ``Level.SEE`` a thing answers as one that does not exist; ``demand`` is the one way to that answer. Every list, count,
facet and look-up takes its rows under ``seen`` or ``readable``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from nffa_cli.node import callers, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.rights import CREATORS, DEPOSITORS, PERSONAL, RIGHTS, Level, Type, allowed, level_of

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
    if any(RIGHTS[role][type] >= least for role in _everywhere(caller)):
        return sa.true()
    found = _relations(type, caller, now, table(type) if of is None else of)
    return sa.or_(sa.false(), *(condition for relation, condition in found if RIGHTS[relation][type] >= least))


def level(connection: sa.Connection, caller: Caller, type: Type, id: str, *, now: str | None = None) -> Level:
    """Return what the caller may do with one thing; ``Level.NONE`` also where there is none."""
    of = table(type)
    found = list(_relations(type, caller, now or moments.now(), of))
    columns = [sa.case((condition, 1), else_=0).label(f"r{number}") for number, (_, condition) in enumerate(found)]
    query = sa.select(sa.literal(1), *columns).where(of.c.id == id)
    if of is tables.registry:
        query = query.where(of.c.type == type)
    row = connection.execute(query).first()
    if row is None:
        return Level.NONE
    holding = (relation for (relation, _), holds in zip(found, row[1:], strict=True) if holds)
    return level_of(type, frozenset({*_everywhere(caller), *holding}))


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


def _everywhere(caller: Caller) -> frozenset[str]:
    """Return the roles that are relations to everything."""
    return caller.roles & {"admin", "dataManager"}


def _relations(type: Type, caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    """Yield each relation in which the caller may stand to rows of ``of``, with the condition that he does."""
    if type in _OF:
        yield from _OF[type](caller, now, of)
    else:
        yield "anyone", sa.true()


def _of_proposal(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    yield from _member(caller, of.c.id)
    yield from _granted(caller, {"proposal": of.c.id})
    yield from _made(caller, of.c.created_by)
    inner = tables.experiment.alias()
    direct = [found for relation, found in _of_experiment(caller, now, inner) if relation != "above"]
    held = sa.exists().where(inner.c.proposal == of.c.id, sa.or_(sa.false(), *direct)).correlate(of)
    yield "above", sa.or_(held, _holds_seen(caller, now, "proposal", of))


def _of_experiment(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    yield from _member(caller, of.c.proposal)
    yield from _granted(caller, {"experiment": of.c.id, "proposal": of.c.proposal})
    yield from _made(caller, of.c.created_by)
    if (instruments := _instruments(caller)) is not None:
        yield "scientist", _Holds(of.c.data, "instrumentIds", instruments)
    yield "above", _holds_seen(caller, now, "experiment", of)


def _of_measurement(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    yield from _member(caller, of.c.proposal)
    yield from _granted(caller, {"measurement": of.c.id, "experiment": of.c.experiment, "proposal": of.c.proposal})
    yield from _made(caller, of.c.deposited_by)
    if (instruments := _instruments(caller)) is not None:
        at = tables.experiment.alias()
        named = sa.select(at.c.id).where(_Holds(at.c.data, "instrumentIds", instruments))
        yield "scientist", sa.or_(of.c.instrument.in_(instruments), of.c.experiment.in_(named))
    yield "released", of.c.released_at <= now
    yield "described", of.c.metadata_open
    if sids := _sids(caller):
        asset, acl = tables.asset.alias(), tables.acl.alias()
        granted = sa.select(asset.c.measurement).join(acl, acl.c.resource == asset.c.id)
        yield "above", of.c.id.in_(granted.where(acl.c.type == "dataasset", acl.c.sid.in_(sids)))


def _of_asset(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    own = dict(_granted(caller, {"dataasset": of.c.id}))
    inner = tables.measurement.alias()
    for relation, condition in _of_measurement(caller, now, inner):
        held: Condition = sa.exists().where(inner.c.id == of.c.measurement, condition).correlate(of)
        if relation == "released":
            held = sa.and_(held, sa.or_(of.c.embargo_until.is_(None), of.c.embargo_until < now[: len("2026-11-21")]))
        yield relation, sa.or_(held, own[relation]) if relation in own else held


def _of_sample(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    yield from _granted(caller, {"sample": of.c.id})
    yield from _made(caller, of.c.created_by)


def _of_person(caller: Caller, now: str, of: Any) -> Iterator[tuple[str, Condition]]:
    yield "self", of.c.id == caller.person
    if caller.roles & PERSONAL:
        mine, others = tables.member.alias(), tables.member.alias()
        shared = sa.select(others.c.person).join(mine, mine.c.proposal == others.c.proposal)
        yield "colleague", of.c.id.in_(shared.where(mine.c.person == caller.person))


_OF = {
    "proposal": _of_proposal,
    "experiment": _of_experiment,
    "measurement": _of_measurement,
    "dataasset": _of_asset,
    "sample": _of_sample,
    "person": _of_person,
}


def _member(caller: Caller, proposal: Any) -> Iterator[tuple[str, Condition]]:
    """Yield the roles that the caller has in a proposal, as a person."""
    if not caller.roles & PERSONAL:
        return
    for role in callers.PROPOSAL_ROLES:
        member = tables.member.alias()
        mine = sa.select(member.c.proposal).where(member.c.person == caller.person, member.c.role == role)
        yield role, proposal.in_(mine)


def _sids(caller: Caller) -> list[str]:
    """Return the names by which access lists know the caller."""
    person = [f"person:{caller.person}"] if caller.roles & PERSONAL else []
    return [*person, *(f"role:{role}" for role in sorted(caller.roles))]


def _granted(caller: Caller, places: Mapping[str, Any]) -> Iterator[tuple[str, Condition]]:
    """Yield what access lists give the caller on a thing or on what it hangs under; ``places``: type → column of ids."""
    sids = _sids(caller)
    for permission in ("READ", "WRITE", "ADMINISTRATE") if sids else ():
        found = []
        for place, column in places.items():
            acl = tables.acl.alias()
            lists = sa.select(acl.c.resource).where(acl.c.sid.in_(sids), acl.c.type == place)
            found.append(column.in_(lists.where(acl.c.permission == permission)))
        yield f"granted{permission}", sa.or_(*found)


def _made(caller: Caller, by: Any) -> Iterator[tuple[str, Condition]]:
    """Yield that a depositor made the thing."""
    if "depositor" in caller.roles:
        yield "depositor", by == caller.person


def _instruments(caller: Caller) -> sa.Select[Any] | None:
    """Return the query of the instruments that list the caller among their scientists."""
    if "instrumentScientist" not in caller.roles:
        return None
    registry = tables.registry.alias()
    of_him = sa.select(sa.literal(caller.person))
    return sa.select(registry.c.id).where(
        registry.c.type == "instrument", _Holds(registry.c.data, "scientists", of_him)
    )


def _holds_seen(caller: Caller, now: str, column: str, of: Any) -> Condition:
    """Return the condition that a thing holds a measurement which the caller sees."""
    inner = tables.measurement.alias()
    return sa.exists().where(inner.c[column] == of.c.id, at_least(Level.SEE, caller, now, of=inner)).correlate(of)


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
