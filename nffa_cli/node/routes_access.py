"""Routes of access: who may do what with a thing, until when it is closed, and what was done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from nffa_cli.node import access, audit, describing, embargo, moments, releasing, tables
from nffa_cli.node.callers import ROLES, Asking, Caller, Named
from nffa_cli.node.contract import Model, Moment
from nffa_cli.node.database import Database, database
from nffa_cli.node.paging import Pages
from nffa_cli.node.releasing import Embargoed
from nffa_cli.node.requests import Answer, IfMatch, Once, StrictRoute, etag
from nffa_cli.node.rights import Level, Type, allowed

router = APIRouter(route_class=StrictRoute)
Known = Annotated[Database, Depends(database)]
LISTED: Mapping[str, Type] = {
    "proposals": "proposal", "experiments": "experiment", "measurements": "measurement", "dataassets": "dataasset",
    "samples": "sample",
}  # fmt: skip
EMBARGOED: Mapping[str, Embargoed] = {
    "proposals": "proposal", "measurements": "measurement", "dataassets": "dataasset"
}  # fmt: skip
Reason = Annotated[str, Field(max_length=10_000)]


class Entry(Model):
    """One line of an access list. ``sid``: ``person:<id>`` or ``role:<role of the node>``."""

    sid: Annotated[str, Field(pattern=rf"^(person:[0-9A-Za-z-]{{1,100}}|role:({'|'.join(ROLES)}))$")]
    permission: Literal["READ", "WRITE", "ADMINISTRATE"]


class List(Model):
    """The access list of one thing; it holds for what hangs under it too, and takes no right away."""

    entries: Annotated[list[Entry], Field(max_length=1000)]


class Embargo(Model):
    """Until when content stays closed (last day); null: as the proposal and the policy say. An extension needs a reason."""

    until: Annotated[date, Field(strict=False)] | None
    reason: Reason = ""


class Lift(Model):
    """Why an embargo ends now."""

    reason: Reason = ""


def _add_list(plural: str, type: Type) -> None:
    place = f"/{plural}/{{id}}/acl"

    def read(id: str, asking: Asking, known: Known) -> Response:
        with known.read() as connection:
            access.demand(connection, asking, "acl", type, id)
            return _told(_listed(connection, type, id))

    def put(id: str, body: List, request: Request, asking: Named, expected: IfMatch, known: Known) -> Response:
        with known.write() as connection:
            access.demand(connection, asking, "acl", type, id)
            was = _listed(connection, type, id)
            expected.check(_version(was))
            rows = {entry.sid: entry.permission for entry in body.entries}
            connection.execute(tables.acl.delete().where(tables.acl.c.type == type, tables.acl.c.resource == id))
            if rows:
                values = [{"type": type, "resource": id, "sid": sid, "permission": name} for sid, name in rows.items()]
                connection.execute(tables.acl.insert(), values)
            found = _listed(connection, type, id)
            if found != was:
                diff = {"was": was["entries"], "is": found["entries"]}
                audit.note(connection, asking, "acl", type, id, diff=diff, request_id=request.state.request_id)
            return _told(found)

    _route("GET", place, read, "Who may do what, besides roles and members", plural)
    _route("PUT", place, put, "Say who may do what, besides roles and members", plural)


def _add_embargo(plural: str, type: Embargoed) -> None:
    place = f"/{plural}/{{id}}/embargo"

    def read(id: str, asking: Asking, known: Known) -> Response:
        with known.read() as connection:
            level = access.demand(connection, asking, "see", type, id)
            return _told(_embargo(connection, asking, level, type, id))

    def put(id: str, body: Embargo, request: Request, asking: Named, expected: IfMatch, known: Known) -> Response:
        with known.write() as connection:
            level = access.demand(connection, asking, "see", type, id)
            expected.check(_version(_embargo(connection, asking, level, type, id)))
            releasing.put(
                connection, asking, type, id, until=body.until, reason=body.reason, request_id=request.state.request_id
            )
            return _told(_embargo(connection, asking, level, type, id))

    def lift(id: str, body: Lift, request: Request, asking: Named, once: Annotated[Once, Depends()]) -> Response:
        def work(connection: sa.Connection) -> Answer:
            level = access.demand(connection, asking, "see", type, id)
            releasing.lift(connection, asking, type, id, reason=body.reason, request_id=request.state.request_id)
            found = _embargo(connection, asking, level, type, id)
            return Answer(200, found, {"ETag": etag(_version(found))})

        return once(work)

    _route("GET", place, read, "Until when content is closed", plural)
    _route("PUT", place, put, "Say until when content is closed", plural)
    _route("POST", f"{place}:lift", lift, "Open content now", plural)


def _route(method: str, place: str, endpoint: Callable[..., Any], summary: str, plural: str) -> None:
    name = f"{endpoint.__name__}_{place}"
    router.add_api_route(
        place, endpoint, methods=[method], summary=summary, tags=["access"], name=name, response_model=None
    )


for _plural, _type in LISTED.items():
    _add_list(_plural, _type)
for _plural, _embargoed in EMBARGOED.items():
    _add_embargo(_plural, _embargoed)


@router.get("/audit", tags=["access"], summary="What was done, oldest first")
def events(
    asking: Named,
    known: Known,
    pages: Pages,
    resource: Annotated[str | None, Query(max_length=100)] = None,
    since: Annotated[Moment | None, Query()] = None,
) -> dict[str, Any]:
    """List what was done to the things that the caller administrates; data managers and administrators see all."""
    of = tables.audit.c
    conditions = [_told_to(asking)]
    if resource is not None:
        conditions.append(of.resource == resource)
    if since is not None:
        conditions.append(of.at >= (describing.moment(since) or ""))
    with known.read() as connection:
        query = sa.select(tables.audit).where(*conditions).order_by(of.seq).limit(pages.limit + 1)
        if pages.after:
            query = query.where(of.seq > _number(pages.after))
        rows = connection.execute(query).all()
        total = None
        if pages.count:
            total = connection.execute(sa.select(sa.func.count()).select_from(tables.audit).where(*conditions)).scalar()
    more = (rows[pages.limit - 1].seq,) if len(rows) > pages.limit else None
    return pages.page([audit.as_json(row) for row in rows[: pages.limit]], more, total)


def _told_to(caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition on events that the caller may know of them."""
    if caller.roles & {"dataManager", "admin"}:
        return sa.true()
    of, now = tables.audit.c, moments.now()
    mine = []
    for kind in LISTED.values():
        table = access.table(kind)
        query = sa.select(table.c.id).where(access.at_least(Level.ADMINISTRATE, caller, now, kind))
        mine.append(sa.and_(of.type == kind, of.resource.in_(query)))
    return sa.or_(*mine)


def _listed(connection: sa.Connection, type: Type, id: str) -> dict[str, Any]:
    acl = tables.acl.c
    query = sa.select(acl.sid, acl.permission).where(acl.type == type, acl.resource == id).order_by(acl.sid)
    return {"entries": [{"sid": row.sid, "permission": row.permission} for row in connection.execute(query)]}


def _embargo(connection: sa.Connection, caller: Caller, level: Level, type: Embargoed, id: str) -> dict[str, Any]:
    """Return an embargo as JSON; why it was changed and by whom only for those who work with the data."""
    held = releasing.state(connection, type, id)
    # How far the embargo of a proposal may go follows from all of its measurements, which only its members know.
    limits = [embargo.latest(held.policy, facts) for facts in held.facts] if level >= Level.READ else []
    found: dict[str, Any] = {
        "until": None if held.until is None else held.until.isoformat(),
        "isOwn": held.own is not None,
        "releasedAt": held.released_at,
        "isOpen": held.released_at is not None and held.released_at <= moments.now(),
        "policyId": held.policy_id,
        "latest": min(limits).isoformat() if limits else None,
    }
    if allowed("history", level, caller.roles):
        found["history"] = releasing.history(connection, type, id)
    return found


def _version(found: Mapping[str, Any]) -> int:
    """Return a number that another content has another of: these have no version of their own."""
    said = json.dumps({name: value for name, value in found.items() if name != "isOpen"}, sort_keys=True)
    return int(hashlib.sha256(said.encode()).hexdigest()[:12], 16)


def _told(found: Mapping[str, Any]) -> Response:
    return JSONResponse(found, headers={"ETag": etag(_version(found))})


def _number(after: tuple[Any, ...]) -> int:
    """Return the number that a cursor goes on from; one that was made up goes on from the end."""
    return after[0] if isinstance(after[0], int) and 0 <= after[0] < 2**31 else 2**31 - 1
