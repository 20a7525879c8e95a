"""Routes of what belongs to a record: technique documents of measurements, locations of assets, validation by a schema."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Body, Depends, Header
from starlette.responses import JSONResponse, Response

from nffa_cli.node import audit, published, records, resources, schemas, tables
from nffa_cli.node.callers import Named
from nffa_cli.node.contract import Free, Location
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.records import BY_TYPE
from nffa_cli.node.requests import Answer, IfMatch, Once, StrictRoute, etag, expected
from nffa_cli.node.routes_records import Opened

router = APIRouter(route_class=StrictRoute)
MEASUREMENT, ASSET, SCHEMA = (BY_TYPE[name] for name in ("measurement", "dataasset", "schema"))
document = tables.document
DOCUMENT = "/measurements/{id}/metadata/{schema}"


def _document(connection: sa.Connection, id: str, schema: str) -> sa.Row[Any] | None:
    query = sa.select(document).where(document.c.measurement == id, document.c.schema == schema)
    return connection.execute(query).one_or_none()


@router.get(
    "/measurements/{id}/metadata", summary="List the technique documents of a measurement", tags=["measurements"]
)
def documents(id: str, at: Opened) -> dict[str, Any]:
    """Say which there are, with version and address."""
    with at.known.read() as connection:
        resources.row_of(at.desk(connection), MEASUREMENT, id)
        query = sa.select(document).where(document.c.measurement == id)
        rows = connection.execute(query.order_by(document.c.schema)).all()
    own = f"{at.base}/measurements/{id}/metadata"
    return {"items": [_listed(row, at.base, own) for row in rows], "links": {"next": None}}


@router.get(DOCUMENT, summary="Read a technique document", tags=["measurements"], response_model=None)
def document_read(id: str, schema: str, at: Opened) -> Response:
    """Return it as it was sent; where its schema is one of ours, `Link` (`describedby`) says where."""
    with at.known.read() as connection:
        resources.row_of(at.desk(connection), MEASUREMENT, id)
        row = _document(connection, id, schema)
    if row is None:
        raise absent()
    found = published.address(at.base, schema, published.version_of(schema, row.body))
    links = {"Link": f'<{found}>; rel="describedby"'} if found else {}
    return JSONResponse(row.body, headers={"ETag": etag(row.version), **links})


@router.put(DOCUMENT, summary="Attach or replace a technique document", tags=["measurements"], response_model=None)
def document_put(
    id: str, schema: str, body: Free, at: Opened, asking: Named,
    if_match: Annotated[str | None, Header()] = None, if_none_match: Annotated[str | None, Header()] = None,
) -> Response:  # fmt: skip
    """Hold the document to the registered schema of that name, if there is one, and keep it. One that is there takes If-Match."""
    if not 1 <= len(schema) <= 100:
        raise Problem(422, "Invalid request", "the name of a schema has 1 to 100 characters")
    with at.known.write() as connection:
        resources.row_of(at.desk(connection), MEASUREMENT, id, "write")
        row = _document(connection, id, schema)
        if row is not None and if_none_match == "*":
            raise Problem(412, "Exists already", "there is such a document", headers={"ETag": etag(row.version)})
        if row is not None:
            expected(if_match).check(row.version)
        elif if_match is not None:
            raise Problem(412, "Changed meanwhile", "there is no such document now")
        if (rules := schemas.named(connection, schema)) is not None:
            schemas.validate(rules, body)
        version = 1 if row is None else row.version + 1
        values = {"measurement": id, "schema": schema, "version": version, "body": body}
        if row is None:
            connection.execute(document.insert().values(values))
        else:
            connection.execute(document.update().where(*_that(id, schema)).values(values))
        _changed(at, connection, asking, id, f"metadata/{schema}")
    return Response(status_code=201 if row is None else 204, headers={"ETag": etag(version)})


@router.delete(
    DOCUMENT, summary="Remove a technique document", tags=["measurements"], status_code=204, response_model=None
)
def document_removed(id: str, schema: str, at: Opened, asking: Named, match: IfMatch) -> Response:
    """Remove it."""
    with at.known.write() as connection:
        resources.row_of(at.desk(connection), MEASUREMENT, id, "write")
        row = _document(connection, id, schema)
        if row is None:
            raise absent()
        match.check(row.version)
        connection.execute(document.delete().where(*_that(id, schema)))
        _changed(at, connection, asking, id, f"metadata/{schema}")
    return Response(status_code=204)


def _listed(row: sa.Row[Any], base: str, own: str) -> dict[str, Any]:
    """Return what the list of a measurement's documents says of one."""
    said = published.version_of(row.schema, row.body)
    found = published.address(base, row.schema, said)
    links = {"self": f"{own}/{row.schema}"} | ({"schema": found} if found else {})
    of_ours = {"schemaVersion": said} if said else {}
    return {"schema": row.schema, "version": row.version, **of_ours, "links": links}


def _that(id: str, schema: str) -> tuple[sa.ColumnElement[bool], ...]:
    return document.c.measurement == id, document.c.schema == schema


def _changed(at: Opened, connection: sa.Connection, asking: Named, id: str, what: str) -> None:
    records.touch(connection, MEASUREMENT, id, by=asking.person)
    audit.note(connection, asking, "update", "measurement", id, diff={"fields": [what]}, request_id=at.request_id)


@router.get("/dataassets/{id}/locations", summary="Where the copies of an asset lie", tags=["dataassets"])
def locations(id: str, at: Opened) -> dict[str, Any]:
    """List them."""
    with at.known.read() as connection:
        resources.row_of(at.desk(connection), ASSET, id, "read")
        return {"items": records.locations(connection, [id]).get(id, []), "links": {"next": None}}


@router.post("/dataassets/{id}/locations", summary="Link a copy of an asset", tags=["dataassets"], status_code=201,
             response_model=None)  # fmt: skip
def location_made(id: str, body: Location, at: Opened, asking: Named, once: Annotated[Once, Depends()]) -> Response:
    """Say where another copy lies; its bytes are not read."""

    def work(connection: sa.Connection) -> Answer:
        desk = at.desk(connection)
        resources.row_of(desk, ASSET, id, "write")
        made = resources.put_location(desk, id, body.fields())
        version = records.touch(connection, ASSET, id, by=asking.person)
        diff = {"fields": ["locations"]}
        audit.note(connection, asking, "update", "dataasset", id, diff=diff, request_id=at.request_id)
        row = connection.execute(sa.select(tables.location).where(tables.location.c.id == made)).one()
        headers = {"Location": f"{at.base}/dataassets/{id}/locations/{made}", "ETag": etag(version)}
        return Answer(201, records.location(row), headers)

    return once(work)


@router.delete("/dataassets/{id}/locations/{location}", summary="Forget a copy of an asset", tags=["dataassets"],
               status_code=204, response_model=None)  # fmt: skip
def location_removed(id: str, location: str, at: Opened, asking: Named, match: IfMatch) -> Response:
    """Forget where a copy lies. If-Match takes the ETag of the asset; an asset whose bytes are not here keeps one location."""
    table = tables.location
    with at.known.write() as connection:
        asset, _ = resources.row_of(at.desk(connection), ASSET, id, "write")
        match.check(asset.version)
        rows = connection.execute(sa.select(table.c.id, table.c.access_mode).where(table.c.asset == id)).all()
        found = next((row for row in rows if row.id == location), None)
        if found is None:
            raise absent()
        if found.access_mode == "managed" or (asset.state == "linked" and len(rows) == 1):
            raise Problem(409, "In use", "without this location nobody would know where the bytes are")
        connection.execute(table.delete().where(table.c.id == location))
        records.touch(connection, ASSET, id, by=asking.person)
        diff = {"fields": ["locations"]}
        audit.note(connection, asking, "update", "dataasset", id, diff=diff, request_id=at.request_id)
    return Response(status_code=204)


@router.get("/schemas/{name}/{version}", summary="The schema of a document that nffa writes", tags=["schemas"])
def schema_published(name: str, version: str, at: Opened) -> dict[str, Any]:
    """Return it as JSON Schema; its address stays what it is."""
    found = published.schema(at.base, name, version)
    if found is None:
        raise absent()
    return found


@router.post("/schemas/{id}/validate", summary="Hold a document to a schema", tags=["schemas"], status_code=204,
             response_model=None)  # fmt: skip
def schema_validate(id: str, body: Annotated[Any, Body()], at: Opened) -> Response:
    """Answer 204 where it is as the schema says, else 422 with every place that is not."""
    with at.known.read() as connection:
        row, _ = resources.row_of(at.desk(connection), SCHEMA, id)
    schemas.validate(row.data["document"], body)
    return Response(status_code=204)
