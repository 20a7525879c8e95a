"""Routes of every type of record, made from one table: list, make, read, replace, patch, remove."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Body, Depends, Header, Request
from starlette.responses import Response

from nffa_cli.node import access, contract, labels, moments, tables
from nffa_cli.node.answers import listed as pages_of
from nffa_cli.node.answers import record
from nffa_cli.node.callers import Asking, Caller, Named
from nffa_cli.node.database import Database, database
from nffa_cli.node.paging import Pages
from nffa_cli.node.problems import Problem
from nffa_cli.node.records import KINDS, Kind
from nffa_cli.node.requests import PATCH, Answer, Base, IfMatch, Once, StrictRoute, etag
from nffa_cli.node.resources import Desk, change, count, make, merged, remove, row_of, shown, some, validated

router = APIRouter(route_class=StrictRoute)
Known = Annotated[Database, Depends(database)]

FILTERS: Mapping[str, Mapping[str, sa.ColumnElement[Any]]] = {
    "proposal": {"proposalId": tables.proposal.c.proposal_id, "state": tables.proposal.c.state},
    "experiment": {"proposal": tables.experiment.c.proposal, "name": tables.experiment.c.name},
    "measurement": {
        "experiment": tables.measurement.c.experiment,
        "proposal": tables.measurement.c.proposal,
        "instrument": tables.measurement.c.instrument,
    },
    "dataasset": {"measurement": tables.asset.c.measurement, "role": tables.asset.c.role},
    "person": {"orcid": tables.person.c.orcid, "portalUserId": tables.person.c.portal_user_id},
}
"""Type → parameter of its list → the column that must have that value; those of the registry have ``name``."""
DIGEST = "sha-256:"


class Open:
    """What every route works with: who asks, which database, where we are (a FastAPI dependency)."""

    def __init__(self, request: Request, asking: Asking, known: Known, base: Base) -> None:
        self.known, self.caller, self.base = known, asking, base
        self.request_id: str | None = request.state.request_id

    def desk(self, connection: sa.Connection) -> Desk:
        """Return what works in one transaction."""
        return Desk(connection, self.caller, self.base, self.request_id)


Opened = Annotated[Open, Depends()]


def answer(found: Mapping[str, Any], status: int = 200) -> Answer:
    """Return the answer that shows one record."""
    headers = {"ETag": etag(found["version"])}
    return Answer(status, found, headers | ({"Location": found["links"]["self"]} if status == 201 else {}))


def _add(kind: Kind) -> None:
    """Add the routes of one type."""
    names = FILTERS.get(kind.type, {"name": tables.registry.c.name})
    told = sorted([*names, "externalId", *(["digest"] if kind.type == "dataasset" else [])])
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string", "maxLength": 1000}}
        for name in told
    ]
    where, one = f"/{kind.path}", f"/{kind.path}/{{id}}"

    def listed(request: Request, at: Opened, pages: Pages) -> dict[str, Any]:
        found = list(_conditions(kind, request, at.caller, names))
        with at.known.read() as connection:
            desk = at.desk(connection)
            items, more = some(desk, kind, found, after=_after(pages.after), limit=pages.limit)
            return pages.page(items, more, count(desk, kind, found) if pages.count else None)

    def made(body: contract.Kept, at: Opened, asking: Named, once: Annotated[Once, Depends()]) -> Response:
        def work(connection: sa.Connection) -> Answer:
            desk = at.desk(connection)
            row, level = row_of(desk, kind, make(desk, kind, body.fields()))
            return answer(shown(desk, kind, row, level), 201)

        return once(work)

    def read(id: str, at: Opened, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        with at.known.read() as connection:
            desk = at.desk(connection)
            row, level = row_of(desk, kind, id)
            is_known = if_none_match and etag(row.version) in (each.strip() for each in if_none_match.split(","))
            if is_known and not (kind.type == "measurement" and labels.labelled(connection, [id])):
                # an answer at the review desk changes the category and makes no version
                return Response(status_code=304, headers={"ETag": etag(row.version)})
            return answer(shown(desk, kind, row, level)).response()

    def replaced(id: str, body: contract.Kept, at: Opened, asking: Named, expected: IfMatch) -> Response:
        with at.known.write() as connection:
            desk = at.desk(connection)
            row, level = row_of(desk, kind, id, "write")
            change(desk, kind, row, body.fields(), expected)
            return answer(shown(desk, kind, row_of(desk, kind, id)[0], level)).response()

    def patched(
        id: str, body: Annotated[dict[str, Any], Body(media_type=PATCH)], at: Opened, asking: Named, expected: IfMatch
    ) -> Response:
        with at.known.write() as connection:
            desk = at.desk(connection)
            row, level = row_of(desk, kind, id, "write")
            now = {name: each for name, each in shown(desk, kind, row, level).items() if name != "links"}
            change(desk, kind, row, validated(kind, merged(now, body)), expected)
            return answer(shown(desk, kind, row_of(desk, kind, id)[0], level)).response()

    def removed(id: str, at: Opened, asking: Named, expected: IfMatch) -> Response:
        with at.known.write() as connection:
            desk = at.desk(connection)
            remove(desk, kind, row_of(desk, kind, id, "delete")[0], expected)
        return Response(status_code=204)

    for function in (made, replaced):
        function.__annotations__["body"] = kind.model
    shape = record(kind.model)
    listing: dict[str, Any] = {
        "openapi_extra": {"parameters": parameters},
        "responses": {200: {"model": pages_of(shape)}},
    }
    single: dict[str, Any] = {"responses": {200: {"model": shape}}}
    routes: tuple[tuple[str, str, Callable[..., Any], str, dict[str, Any]], ...] = (
        ("GET", where, listed, "List", listing),
        ("POST", where, made, "Make one of the", {"status_code": 201, "responses": {201: {"model": shape}}}),
        ("GET", one, read, "Read one of the", single),
        ("PUT", one, replaced, "Replace one of the", single),
        ("PATCH", one, patched, "Change fields of one of the", single),
        ("DELETE", one, removed, "Remove, where nothing hangs under it, one of the", {"status_code": 204}),
    )
    for method, path, endpoint, about, more in routes:
        router.add_api_route(
            path, endpoint, methods=[method], summary=f"{about} {kind.path}", name=f"{endpoint.__name__}_{kind.type}",
            tags=[kind.path], description=kind.model.__doc__, response_model=None, **more,
        )  # fmt: skip


def _after(place: tuple[Any, ...] | None) -> str | None:
    return str(place[0]) if place else None


def _conditions(
    kind: Kind, request: Request, caller: Caller, names: Mapping[str, sa.ColumnElement[Any]]
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield what the query asks of a list.

    Raises
    ------
    Problem
        400: a filter that there is not, or one that is written otherwise.
    """
    for name, value in request.query_params.multi_items():
        if name in ("limit", "cursor", "count"):
            continue
        if name in names:
            yield names[name] == value
        elif name == "externalId" and ":" in value:
            scheme, _, wanted = value.partition(":")
            external = tables.external_id.c
            query = sa.select(external.resource).where(external.type == kind.type, external.scheme == scheme)
            yield kind.table.c.id.in_(query.where(external.value == wanted))
        elif name == "digest" and kind.type == "dataasset" and value.startswith(DIGEST):
            yield tables.asset.c.sha256 == value.removeprefix(DIGEST)
            yield access.readable(caller, moments.now(), "dataasset")
        else:
            known = ", ".join(sorted([*names, "externalId=SCHEME:VALUE"]))
            detail = f"this list has no filter {name[:100]!r} of that form; it has {known}"
            raise Problem(400, "Bad request", detail)


for _kind in KINDS:
    _add(_kind)
