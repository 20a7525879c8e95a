"""Routes of tokens: a person's own; of others for administrators. A token is shown once, when it is made or gets a new secret."""

from __future__ import annotations

import secrets
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from nffa_cli.node import audit, callers, moments, tables
from nffa_cli.node.callers import Caller, Named
from nffa_cli.node.contract import TokenWish
from nffa_cli.node.paging import Pages
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.requests import StrictRoute
from nffa_cli.node.routes_records import Opened

router = APIRouter(route_class=StrictRoute, tags=["tokens"])
DAY = 86_400


def as_json(row: sa.Row[Any]) -> dict[str, Any]:
    """Return what may be told of a token."""
    return {
        "id": row.id, "type": "token", "personId": row.person, "label": row.label, "roles": row.roles,
        "createdAt": row.created_at, "expiresAt": row.expires_at, "usedAt": row.used_at, "revokedAt": row.revoked_at,
    }  # fmt: skip


@router.post("/tokens", summary="Make a token", status_code=201, response_model=None)
def made(body: TokenWish, at: Opened, asking: Named) -> Response:
    """Make a token with at most the caller's roles, that lasts at most as long as the one it is made with.

    No ``Idempotency-Key`` counts here: the answer holds a secret and is kept nowhere. Revoke what you did not receive.
    """
    person = body.person_id or asking.person
    assert person is not None
    governs = "admin" in asking.roles
    if person != asking.person and not governs:
        raise Problem(403, "Not allowed", "only administrators make tokens for others")
    with at.known.write() as connection:
        own = tables.token.c
        ends = asking.expires_at
        if asking.token:
            ends = connection.execute(sa.select(own.expires_at).where(own.id == asking.token)).scalar()
        wanted = moments.later(body.days * DAY) if body.days else None
        expires_at = wanted if governs else min(filter(None, (wanted, ends)), default=None)
        holds = connection.execute(sa.select(tables.person.c.roles).where(tables.person.c.id == person)).scalar()
        most = set(asking.roles) if person == asking.person else set(holds or ())
        if holds is None or set(body.roles) - most:
            message = "roles that the person does not have" if governs else "roles that this token does not have"
            raise Problem(422, "Invalid request", message, errors=[{"pointer": "/roles", "message": message}])
        id_, token = callers.made(
            connection, person, label=body.label, roles=sorted(set(body.roles)), expires_at=expires_at
        )
        audit.note(connection, asking, "create", "token", id_, request_id=at.request_id)
        row = _row(connection, asking, id_)
    return JSONResponse(as_json(row) | {"token": token}, 201, {"Location": f"{at.base}/tokens/{id_}"})


@router.get("/tokens", summary="List tokens", response_model=None)
def listed(
    at: Opened, asking: Named, pages: Pages, person: Annotated[str | None, Query(max_length=100)] = None
) -> dict[str, Any]:
    """List the caller's tokens; ``person``: those of somebody else, for administrators."""
    token = tables.token.c
    wanted = token.person == (person if person and "admin" in asking.roles else asking.person)
    query = sa.select(tables.token).where(wanted).order_by(token.id).limit(pages.limit + 1)
    if pages.after:
        query = query.where(token.id > str(pages.after[0]))
    with at.known.read() as connection:
        rows = connection.execute(query).all()
        total = connection.execute(sa.select(sa.func.count()).select_from(tables.token).where(wanted)).scalar_one()
    more = (rows[pages.limit - 1].id,) if len(rows) > pages.limit else None
    return pages.page([as_json(row) for row in rows[: pages.limit]], more, total if pages.count else None)


@router.delete("/tokens/{id}", summary="Revoke a token", status_code=204, response_model=None)
def revoked(id: str, at: Opened, asking: Named) -> Response:
    """Revoke a token, at once and for good."""
    with at.known.write() as connection:
        row = _row(connection, asking, id)
        if row.revoked_at is None:
            connection.execute(tables.token.update().where(tables.token.c.id == id).values(revoked_at=moments.now()))
            audit.note(connection, asking, "delete", "token", id, request_id=at.request_id)
    return Response(status_code=204)


@router.post("/tokens/{id}/rotate", summary="Give a token a new secret", response_model=None)
def rotated(id: str, at: Opened, asking: Named) -> Response:
    """Give a token that is still good a new secret; the old one is not good any more."""
    secret = secrets.token_urlsafe(32)
    with at.known.write() as connection:
        row = _row(connection, asking, id)
        if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= moments.now()):
            raise Problem(409, "Not good any more", "this token was revoked or has expired; make another")
        if set(row.roles) - asking.roles and "admin" not in asking.roles:
            raise Problem(403, "Not allowed", "it has roles that this token does not have")
        changed = tables.token.update().where(tables.token.c.id == id)
        connection.execute(changed.values(secret_sha256=callers.digest(secret)))
        audit.note(connection, asking, "update", "token", id, request_id=at.request_id)
    return JSONResponse(as_json(row) | {"token": f"nffa_{uuid.UUID(id).hex}_{secret}"})


def _row(connection: sa.Connection, asking: Caller, id: str) -> sa.Row[Any]:
    """Return a token that is the caller's, or anybody's for an administrator."""
    row = connection.execute(sa.select(tables.token).where(tables.token.c.id == id)).one_or_none()
    if row is None or (row.person != asking.person and "admin" not in asking.roles):
        raise absent()
    return row
