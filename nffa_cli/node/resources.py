"""What is done to records, under the caller's rights, in the caller's transaction: one, some, make, change, remove.

What hangs together is kept together here: a new policy or another end of an experiment reckons embargoes anew, another name
is found by the search, and everything is told in the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from nffa_cli.node import (
    access,
    audit,
    history,
    ids,
    labels,
    moments,
    policies,
    records,
    releasing,
    schemas,
    search,
    tables,
)
from nffa_cli.node.callers import Caller
from nffa_cli.node.problems import Problem, absent, pointer
from nffa_cli.node.records import Kind
from nffa_cli.node.requests import Expected
from nffa_cli.node.rights import Level

Row = sa.Row[Any]
GOVERNORS = frozenset({"dataManager", "admin"})
"""Who sets what rules data: the policy of a proposal."""
FIXED: Mapping[str, tuple[str, ...]] = {"experiment": ("proposalId",), "dataasset": ("measurementId",)}
"""Fields that stay as they were when the record was made."""
REINDEXED: Mapping[str, str] = {"measurement": "id", "experiment": "experiment", "proposal": "proposal"}
"""Type → the column of a measurement by which those are found whose words change with it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works on what: a transaction, the caller, the request's id and the address for links."""

    connection: sa.Connection
    caller: Caller
    base: str
    request_id: str | None


def row_of(desk: Desk, kind: Kind, id: str, action: str = "see") -> tuple[Row, Level]:
    """Return one record and what the caller may do with it.

    Raises
    ------
    Problem
        404, 401 or 403, as ``access.demand``.
    """
    level = access.demand(desk.connection, desk.caller, action, kind.type, id)
    row = desk.connection.execute(sa.select(kind.table).where(kind.table.c.id == id)).one_or_none()
    if row is None:
        raise absent()
    return row, level


def shown(desk: Desk, kind: Kind, row: Row, level: Level) -> dict[str, Any]:
    """Return one record as JSON."""
    reads = level >= Level.READ
    return records.as_json(desk.connection, kind, [row], desk.base, reads=lambda _: reads)[0]


def some(
    desk: Desk, kind: Kind, conditions: Sequence[sa.ColumnElement[bool]], *, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], tuple[str] | None]:
    """Return a page of what the caller sees, in the order it was made, and where it ends if there is more."""
    now, table = moments.now(), kind.table
    reads = sa.case((access.readable(desk.caller, now, kind.type), 1), else_=0).label("reads")
    query = sa.select(table, reads).where(*_mine(desk, kind, now), *conditions).order_by(table.c.id).limit(limit + 1)
    if after is not None:
        query = query.where(table.c.id > after)
    rows = desk.connection.execute(query).all()
    page = rows[:limit]
    found = records.as_json(desk.connection, kind, page, desk.base, reads=lambda row: bool(row.reads))
    return found, (page[-1].id,) if len(rows) > limit else None


def count(desk: Desk, kind: Kind, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
    """Return how many of those the caller sees."""
    query = sa.select(sa.func.count()).select_from(kind.table)
    query = query.where(*_mine(desk, kind, moments.now()), *conditions)
    return int(desk.connection.execute(query).scalar_one())


def _mine(desk: Desk, kind: Kind, now: str) -> Iterator[sa.ColumnElement[bool]]:
    yield access.seen(desk.caller, now, kind.type)
    if kind.table is tables.registry:
        yield tables.registry.c.type == kind.type


def make(desk: Desk, kind: Kind, fields: Mapping[str, Any]) -> str:
    """Make a record and return its id.

    Raises
    ------
    Problem
        401, 403: not for this caller. 409: there is one of that name or external id. 422: it refers to nothing.
    """
    under = _above(desk, kind, fields)
    access.demand_creation(desk.connection, desk.caller, kind.type, under)
    _judge_references(desk, kind, fields, {})
    if kind.type == "schema":
        schemas.judge(desk.connection, fields)
    said, more, identity = dict(fields), {}, ids.new()
    if kind.type == "measurement":
        more = _measured(desk, fields) | {"deposited_by": desk.caller.person}
    if kind.type == "dataasset":
        said["state"] = "linked"
        if not said["locations"] or any(each["accessMode"] == "managed" for each in said["locations"]):
            message = "say where its bytes are; those that the node is to keep come in by an ingest"
            raise Problem(422, "Invalid request", message, errors=[{"pointer": "/locations", "message": message}])
    if kind.type == "proposal":
        said.setdefault("policyId", policies.default(desk.connection))
    with _taken():
        records.insert(desk.connection, kind, said, by=desk.caller.person, id=identity, **more)
        _put_parts(desk, kind, identity, said, new=True)
    _index(desk, kind, identity)
    audit.note(desk.connection, desk.caller, "create", kind.type, identity, request_id=desk.request_id)
    return identity


def change(
    desk: Desk, kind: Kind, row: Row, fields: Mapping[str, Any], expected: Expected, *, delivered: bool = False
) -> None:
    """Let a record say this and nothing else; nothing is done where it says so already.

    Parameters
    ----------
    delivered
        A delivery says so, and no person: it opens nothing, and the audit tells it apart.

    Raises
    ------
    Problem
        412: it is another version. 403: a field that the caller may not set. 409, 422 as ``make``.
    """
    expected.check(row.version)
    was = records.fields_of(desk.connection, kind, [row])[0]
    said = _settled(kind, row, was, fields)
    changed = {name for name in {*was, *said} if was.get(name) != said.get(name)}
    if not changed:
        return
    _judge_change(desk, kind, row, said, changed)
    more = _measured(desk, said) if "experimentId" in changed else {}
    held = {name: more[name] for name in ("proposal",) if name in more}  # when it opens is `releasing`'s to reckon anew
    with _taken():
        records.update(desk.connection, kind, row.id, said, by=desk.caller.person, **held)
        _put_parts(desk, kind, row.id, said, new=False)
    if kind.type == "measurement" and "category" in changed:
        labels.said_anew(desk.connection, row.id)
    _renew(desk, kind, row.id, changed, keep=delivered)
    _index(desk, kind, row.id)
    diff = {"fields": sorted(changed), **history.texts(kind.type, was, said)}
    action = "deliver" if delivered else "update"
    audit.note(desk.connection, desk.caller, action, kind.type, row.id, diff=diff, request_id=desk.request_id)


def remove(desk: Desk, kind: Kind, row: Row, expected: Expected) -> None:
    """Remove a record that nothing hangs under.

    Raises
    ------
    Problem
        412: it is another version. 409: something refers to it.
    """
    expected.check(row.version)
    parts: Mapping[str, Sequence[sa.ColumnElement[Any]]] = {
        "proposal": (tables.member.c.proposal,),
        "measurement": tuple(
            table.c.measurement
            for table in (
                tables.document,
                tables.tag,
                tables.comment,
                tables.collected,
                tables.opinion,
                tables.label,
                tables.measurement_embedding,
            )
        ),
        "dataasset": (tables.location.c.asset, tables.asset_version.c.asset),
    }
    connection = desk.connection
    records.put_external_ids(connection, kind, row.id, "", ())
    connection.execute(tables.acl.delete().where(tables.acl.c.type == kind.type, tables.acl.c.resource == row.id))
    try:
        for column in parts.get(kind.type, ()):
            connection.execute(sa.delete(column.table).where(column == row.id))
        connection.execute(kind.table.delete().where(kind.table.c.id == row.id))
    except sa.exc.IntegrityError:
        raise Problem(409, "In use", "other records refer to it; remove those first") from None
    if kind.type == "measurement":
        search.forget(connection, row.seq)
    audit.note(connection, desk.caller, "delete", kind.type, row.id, request_id=desk.request_id)


def validated(kind: Kind, value: Any) -> dict[str, Any]:
    """Return the fields of a body that was put together here (a patch on what there was).

    Raises
    ------
    Problem
        422: they are not as the contract says.
    """
    try:
        return kind.model.model_validate(value).fields()
    except ValidationError as error:
        errors = [{"pointer": pointer(("body", *each["loc"])), "message": each["msg"]} for each in error.errors()]
        raise Problem(
            422, "Invalid request", "with this patch it is not as the contract says", errors=errors[:100]
        ) from None


def merged(target: Any, patch: Any) -> Any:
    """Return a document with a merge patch applied (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def _above(desk: Desk, kind: Kind, fields: Mapping[str, Any]) -> tuple[Any, str] | None:
    """Return type and id of what a record is to hang under."""
    if kind.parent is None:
        return None
    column, above = kind.parent
    name = kind.columns[column]
    if not access.may(desk.connection, desk.caller, "see", above, fields[name]):
        if desk.caller.person is None:
            raise access.refused(desk.caller)
        raise _nothing(f"/{name}", above)
    return above, fields[name]


def _nothing(place: str, type: str) -> Problem:
    message = f"there is no such {type}, or none that you may see"
    return Problem(422, "Invalid request", message, errors=[{"pointer": place, "message": message}])


def _judge_references(desk: Desk, kind: Kind, fields: Mapping[str, Any], was: Mapping[str, Any]) -> None:
    for name, wanted in kind.refers.items():
        if fields.get(name) == was.get(name):
            continue
        named = fields.get(name) or ()
        several = (
            [(f"/{name}", named)]
            if isinstance(named, str)
            else [(f"/{name}/{at}", each) for at, each in enumerate(named)]
        )
        for place, one in several:
            if not access.may(desk.connection, desk.caller, "see", wanted, one):
                raise _nothing(place, wanted)
    before = was.get("members") or ()
    for at, member in enumerate(fields.get("members") or ()):
        if member not in before and not access.may(desk.connection, desk.caller, "see", "person", member["personId"]):
            raise _nothing(f"/members/{at}/personId", "person")


def _judge_change(desk: Desk, kind: Kind, row: Row, said: Mapping[str, Any], changed: set[str]) -> None:
    if changed & kind.ruled and not desk.caller.roles & GOVERNORS:
        raise Problem(403, "Not allowed", f"only data managers set {', '.join(sorted(changed & kind.ruled))}")
    if "members" in changed:
        access.demand(desk.connection, desk.caller, "acl", "proposal", row.id)
    if "experimentId" in changed and (under := _above(desk, kind, said)):
        access.demand(desk.connection, desk.caller, "write", *under)
        if _measured(desk, said)["proposal"] != row.proposal:  # another principal investigator could open it there
            access.demand(desk.connection, desk.caller, "shorten", kind.type, row.id)
    _judge_references(desk, kind, said, records.fields_of(desk.connection, kind, [row])[0])
    if kind.type == "schema":
        schemas.judge(desk.connection, said, but=row.id)


def _settled(kind: Kind, row: Row, was: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as they will be; those that only the node sets are as they were.

    Raises
    ------
    Problem
        422: a field that cannot be changed.
    """
    said = dict(fields)
    for name in FIXED.get(kind.type, ()):
        if said.get(name) != was.get(name):
            raise _stays(name)
    if kind.type == "dataasset":
        said |= {"state": row.state, "locations": was["locations"]}
        if row.state != "linked":  # else the name of bytes would be enough to get them
            for name in ("dataChecksum", "dataSize"):
                if said[name] != was[name]:
                    raise _stays(name)
    return said


def _stays(name: str) -> Problem:
    message = "this cannot be changed"
    return Problem(422, "Invalid request", f"{name}: {message}", errors=[{"pointer": f"/{name}", "message": message}])


def _measured(desk: Desk, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a measurement that follow from where it hangs."""
    experiment = tables.experiment.c
    query = sa.select(experiment.proposal).where(experiment.id == fields["experimentId"])
    at = records.BY_TYPE["measurement"].derived(fields)["start_time"]
    release = releasing.first(desk.connection, experiment=fields["experimentId"], collected=at, ingested=moments.now())
    return {"proposal": desk.connection.execute(query).scalar_one()} | release._asdict()


def _put_parts(desk: Desk, kind: Kind, id: str, fields: Mapping[str, Any], *, new: bool) -> None:
    """Write what lies elsewhere: members of a proposal, first locations of an asset, which policy is the default."""
    connection = desk.connection
    if kind.type == "proposal":
        connection.execute(tables.member.delete().where(tables.member.c.proposal == id))
        rows = {(each["personId"], each["role"]) for each in fields.get("members", ())}
        if rows:
            values = [{"proposal": id, "person": person, "role": role} for person, role in sorted(rows)]
            connection.execute(tables.member.insert(), values)
    if kind.type == "dataasset" and new:
        for each in fields["locations"]:
            put_location(desk, id, each)
    if kind.type == "policy" and fields["isDefault"]:
        policies.only(connection, id, by=desk.caller.person)


def put_location(desk: Desk, asset: str, fields: Mapping[str, Any]) -> str:
    """Add a place where an asset lies and return its id.

    Raises
    ------
    Problem
        422: no such archive.
    """
    archive = fields.get("archiveId")
    if archive and not access.may(desk.connection, desk.caller, "see", "archive", archive):
        raise _nothing("/archiveId", "archive")
    identity = ids.new()
    values = {
        "id": identity, "asset": asset, "archive": archive, "uri": fields["uri"], "access_mode": fields["accessMode"],
        "verified_at": fields.get("verifiedAt"), "verified_digest": fields.get("verifiedDigest"),
    }  # fmt: skip
    with _taken():
        desk.connection.execute(tables.location.insert().values(values))
    return identity


def _renew(desk: Desk, kind: Kind, id: str, changed: set[str], *, keep: bool) -> None:
    """Reckon embargoes anew where one of these fields has a say in them; ``keep``: open nothing earlier."""
    causes: Mapping[str, tuple[set[str], str]] = {
        "experiment": ({"endDate"}, "the end of the experiment changed"),
        "proposal": ({"policyId"}, "the policy of the proposal changed"),
        "policy": ({"embargoMonths", "embargoStart", "embargoMaximumMonths", "metadataPublic"}, "the policy changed"),
        "measurement": ({"startTime", "experimentId"}, "the measurement has another start or experiment"),
    }
    names, why = causes.get(kind.type, (set(), ""))
    if changed & names:
        cause: Any = (kind.type, id)
        releasing.renew(desk.connection, desk.caller, cause, why=why, request_id=desk.request_id, keep=keep)


def _index(desk: Desk, kind: Kind, id: str) -> None:
    if kind.type in REINDEXED:
        search.index_measurements(desk.connection, tables.measurement.c[REINDEXED[kind.type]] == id)


@contextmanager
def _taken() -> Iterator[None]:
    """Say it in words where a name, path or external id is another's; under the same parent, so that nothing is given away."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise Problem(409, "Exists already", "another record has this name, path, address or external id") from None
