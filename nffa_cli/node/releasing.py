"""Embargoes applied to records: when each measurement opens, reckoned anew whenever something it depends on changes.

``measurement.released_at`` and ``metadata_open`` are what every request goes by; this module alone writes them, and tells of
each change in ``embargo_change`` and in the audit. The rules are ``embargo``'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from nffa_cli.node import access, audit, embargo, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem

Embargoed = Literal["proposal", "measurement", "dataasset"]
Cause = Literal["proposal", "experiment", "measurement", "policy"]


class Release(NamedTuple):
    """The columns of a measurement that say when it opens; ``Release(...)._asdict()`` goes into an insert."""

    released_at: str
    metadata_open: bool


@dataclass(frozen=True, slots=True)
class State:
    """The embargo of one thing as it is.

    own
        Last day that was set for the thing itself; None: nothing was.
    facts
        Of each measurement that it rules; of a proposal also of those that the caller may not know of.
    released_at
        When it opens; of a proposal None.
    """

    own: str | None
    policy: embargo.Policy
    policy_id: str | None
    facts: tuple[embargo.Facts, ...]
    released_at: str | None

    @property
    def until(self) -> date | None:
        """The last day that counts; of a proposal without its own: none, for each measurement has another."""
        own = embargo.day(self.own)
        if own is not None or self.released_at is None:
            return own
        return embargo.until(self.policy, self.facts[0])


def first(
    connection: sa.Connection, *, experiment: str, collected: str | None, ingested: str, until: str | None = None
) -> Release:
    """Return when a measurement opens that is about to be made in an experiment.

    Parameters
    ----------
    collected
        Its ``start_time``.
    ingested
        Its ``created_at``.
    until
        Last day of an embargo of its own, where one is set with it.
    """
    held, proposal = tables.experiment.c, tables.proposal.c
    query = (
        sa.select(held.end_date, proposal.embargo_until, tables.registry.c.data)
        .join(tables.proposal, proposal.id == held.proposal)
        .outerjoin(tables.registry, tables.registry.c.id == proposal.policy)
        .where(held.id == experiment)
    )
    row = connection.execute(query).one()
    policy = embargo.Policy.of(row.data)
    facts = embargo.Facts(row.end_date, collected, ingested, until, row.embargo_until)
    return Release(embargo.released_at(policy, facts), policy.described)


def renew(
    connection: sa.Connection,
    caller: Caller,
    cause: tuple[Cause, str],
    *,
    why: str,
    request_id: str | None = None,
    keep: bool = False,
) -> int:
    """Reckon anew when measurements open, after something was changed; return of how many that changed.

    Parameters
    ----------
    cause
        Type and id of what was changed: the end of an experiment, the policy or embargo of a proposal, a policy, or a
        measurement that has another start or experiment.
    why
        Why, in a few words: "the end of the experiment changed".
    keep
        Leave what would open earlier as it was, whoever asks: what a machine delivers anew opens nothing.

    Raises
    ------
    Problem
        403: content would open earlier, and the caller may not shorten an embargo.
    """
    now, table = moments.now(), tables.measurement
    may_shorten = cause[0] == "policy" or access.may(connection, caller, "shorten", *cause)
    changed = []
    for row in connection.execute(_reckoned().where(_ruled(*cause))):
        policy = embargo.Policy.of(row.policy)
        at = embargo.released_at(policy, _facts(row), was=row.released_at, now=now)
        if at < row.released_at and keep:
            at = row.released_at
        if at < row.released_at and not may_shorten:
            detail = "content would open earlier; only its principal investigator or a data manager does that"
            raise Problem(403, "Not allowed", detail)
        if at != row.released_at or policy.described != row.metadata_open:
            changed.append({"of": row.id, "released_at": at, "metadata_open": policy.described})
    if changed:
        connection.execute(table.update().where(table.c.id == sa.bindparam("of")), changed)
        _tell(connection, caller, cause, was=None, until=None, reason=why, request_id=request_id, count=len(changed))
    return len(changed)


def state(connection: sa.Connection, type: Embargoed, id: str) -> State:
    """Return the embargo of one thing, which is there."""
    if type == "proposal":
        proposal, registry = tables.proposal.c, tables.registry
        query = sa.select(proposal.embargo_until, proposal.policy, registry.c.data.label("rules"))
        of = connection.execute(
            query.outerjoin(registry, registry.c.id == proposal.policy).where(proposal.id == id)
        ).one()
        rows = connection.execute(
            _reckoned().where(_ruled("proposal", id), tables.measurement.c.embargo_until.is_(None))
        )
        facts = tuple(_facts(row) for row in rows)
        return State(of.embargo_until, embargo.Policy.of(of.rules), of.policy, facts, None)
    asset = tables.asset.c
    if type == "dataasset":
        measurement, own = connection.execute(
            sa.select(asset.measurement, asset.embargo_until).where(asset.id == id)
        ).one()
    row = connection.execute(
        _reckoned().where(tables.measurement.c.id == (id if type == "measurement" else measurement))
    ).one()
    policy = embargo.Policy.of(row.policy)
    if type == "measurement":
        return State(row.own, policy, row.policy_id, (_facts(row),), row.released_at)
    opens = embargo.opens(embargo.day(own), row.released_at)
    return State(own, policy, row.policy_id, (_facts(row),), max(row.released_at, opens))


def put(
    connection: sa.Connection,
    caller: Caller,
    type: Embargoed,
    id: str,
    *,
    until: date | None,
    reason: str,
    request_id: str | None,
) -> None:
    """Set the last day of an embargo; None: as the proposal and the policy say.

    Raises
    ------
    Problem
        403: not for this caller. 422: beyond the policy, or without a reason.
    """
    held = state(connection, type, id)
    may_shorten = access.may(connection, caller, "shorten", type, id)
    may_extend = access.may(connection, caller, "extend", type, id)
    today = moments.now()
    for facts in held.facts or (embargo.Facts(None, None, today, None, held.own),):
        current = embargo.until(held.policy, facts) if type != "dataasset" else held.until
        wanted = until or embargo.until(held.policy, _without(type, facts)) or date.min
        limit = embargo.latest(held.policy, facts)
        refusal = embargo.judged(
            wanted, current=current, limit=limit, reason=reason, may_shorten=may_shorten, may_extend=may_extend
        )
        if refusal is not None:
            raise _problem(caller, refusal)
    _apply(connection, caller, type, id, held.own, until, reason=reason, request_id=request_id, action="embargo")


def lift(
    connection: sa.Connection, caller: Caller, type: Embargoed, id: str, *, reason: str, request_id: str | None
) -> None:
    """End an embargo now.

    Raises
    ------
    Problem
        403: not for this caller.
    """
    if not access.may(connection, caller, "shorten", type, id):
        raise access.refused(caller)
    held = state(connection, type, id)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    own = embargo.day(held.own)
    last = min(own, yesterday) if own else yesterday
    _apply(connection, caller, type, id, held.own, last, reason=reason, request_id=request_id, action="lift")


def history(connection: sa.Connection, type: Embargoed, id: str) -> list[dict[str, Any]]:
    """Return what changed the embargo of one thing, oldest first: its own changes and those of what it hangs under."""
    measurement, asset, proposal = tables.measurement.c, tables.asset.c, tables.proposal.c
    query = sa.select(measurement.id, measurement.experiment, measurement.proposal, proposal.policy)
    query = query.join(tables.proposal, proposal.id == measurement.proposal)
    if type == "proposal":
        row: Any = connection.execute(sa.select(proposal.policy).where(proposal.id == id)).one()
    elif type == "measurement":
        row = connection.execute(query.where(measurement.id == id)).one()
    else:
        row = connection.execute(
            query.join(tables.asset, asset.measurement == measurement.id).where(asset.id == id)
        ).one()
    change = tables.embargo_change
    found = connection.execute(
        change.select().where(change.c.resource.in_({id, *filter(None, row)})).order_by(change.c.seq)
    )
    return [
        {
            "at": each.at, "actor": each.actor, "resource": {"type": each.type, "id": each.resource},
            "was": each.was, "until": each.until, "reason": each.reason,
        }
        for each in found
    ]  # fmt: skip


def _apply(
    connection: sa.Connection,
    caller: Caller,
    type: Embargoed,
    id: str,
    was: str | None,
    until: date | None,
    *,
    reason: str,
    request_id: str | None,
    action: str,
) -> None:
    table, text = access.table(type), None if until is None else until.isoformat()
    if text == was:
        return
    connection.execute(table.update().where(table.c.id == id).values(embargo_until=text))
    if type != "dataasset":
        rule = _ruled(type, id)
        of = tables.measurement
        changed = []
        for row in connection.execute(_reckoned().where(rule)):
            # Somebody says so, with his name on it: this alone may close again what was open.
            at = embargo.released_at(embargo.Policy.of(row.policy), _facts(row))
            if at != row.released_at:
                changed.append({"of": row.id, "released_at": at})
        if changed:
            connection.execute(of.update().where(of.c.id == sa.bindparam("of")), changed)
    _tell(connection, caller, (type, id), was=was, until=text, reason=reason, request_id=request_id, action=action)


def _tell(
    connection: sa.Connection,
    caller: Caller,
    cause: tuple[str, str],
    *,
    was: str | None,
    until: str | None,
    reason: str,
    request_id: str | None,
    action: str = "embargo",
    count: int | None = None,
) -> None:
    values = {
        "type": cause[0],
        "resource": cause[1],
        "at": moments.now(),
        "actor": caller.person,
        "was": was,
        "until": until,
    }
    connection.execute(tables.embargo_change.insert().values(**values, reason=reason))
    diff: dict[str, Any] = {"embargoUntil": {"was": was, "is": until}} if count is None else {"measurements": count}
    audit.note(connection, caller, action, *cause, diff=diff | {"reason": reason}, request_id=request_id)


def _reckoned() -> sa.Select[Any]:
    """Return the query of all that the end of an embargo is reckoned from."""
    of, proposal, held = tables.measurement.c, tables.proposal.c, tables.experiment.c
    return (
        sa.select(
            of.id, of.released_at, of.metadata_open, of.start_time, of.created_at, of.embargo_until.label("own"),
            proposal.embargo_until.label("proposals"), held.end_date, tables.registry.c.data.label("policy"),
            tables.registry.c.id.label("policy_id"),
        )
        .join(tables.experiment, held.id == of.experiment)
        .join(tables.proposal, proposal.id == of.proposal)
        .outerjoin(tables.registry, tables.registry.c.id == proposal.policy)
    )  # fmt: skip


def _ruled(type: Cause, id: str) -> sa.ColumnElement[bool]:
    """Return the condition on measurements that this thing has a say in when they open."""
    columns: Mapping[Cause, sa.ColumnElement[Any]] = {
        "measurement": tables.measurement.c.id,
        "experiment": tables.measurement.c.experiment,
        "proposal": tables.measurement.c.proposal,
        "policy": tables.proposal.c.policy,
    }
    return columns[type] == id


def _facts(row: Any) -> embargo.Facts:
    return embargo.Facts(row.end_date, row.start_time, row.created_at, row.own, row.proposals)


def _without(type: Embargoed, facts: embargo.Facts) -> embargo.Facts:
    """Return the facts without what was set for the thing itself."""
    if type == "dataasset":
        return facts
    return replace(facts, of_proposal=None) if type == "proposal" else replace(facts, of_measurement=None)


def _problem(caller: Caller, refusal: embargo.Refusal) -> Problem:
    if refusal.field is None:
        return access.refused(caller) if caller.person is None else Problem(403, "Not allowed", refusal.message)
    errors = [{"pointer": f"/{refusal.field}", "message": refusal.message}]
    return Problem(422, "Invalid request", refusal.message, errors=errors)
