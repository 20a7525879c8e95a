"""Routes about the node itself: what it is and can, whether it lives, who asks."""

from __future__ import annotations

import os
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from nffa_cli import __version__
from nffa_cli.node import published, tables
from nffa_cli.node.callers import Named
from nffa_cli.node.config import MIB, Config, config
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import absent

router = APIRouter(tags=["service"])
probes = APIRouter(tags=["service"])

LINKS = (
    "me",
    "tokens",
    "proposals",
    "experiments",
    "measurements",
    "dataassets",
    "ingests",
    "uploads",
    "search",
    "audit",
)


@router.get("", summary="What this node is and can")
def service(request: Request, settings: Annotated[Config, Depends(config)]) -> dict[str, Any]:
    """Return the service document: where everything is, how to log in, how to upload."""
    root = (settings.base_url or str(request.base_url).rstrip("/")) + "/api/v1"
    oidc = settings.oidc
    about = {"issuer": oidc.issuer, "clientId": oidc.client, "scopes": oidc.scopes} if oidc else None
    return {
        "name": settings.name,
        "version": "1",
        "software": f"nffa {__version__}",
        "authModes": ["pat", "oidc", "none"] if about else ["pat", "none"],
        **({"oidc": about} if about else {}),
        "uploads": {
            "protocols": ["tus-1.0.0", "single", "pack"],
            "maxSize": settings.upload_bytes,
            "maxSingle": settings.single_shot_bytes,
            "maxChunk": 64 * MIB,
            "digestAlgorithms": ["sha-256"],
        },
        "limits": {"requestsPerMinute": settings.requests_per_minute, "bodyBytes": settings.body_bytes, "page": 200},
        "vocabulary": {"sha256": published.vocabulary_sha256()},
        "documents": [
            {"name": name, "version": version, "schema": published.address(root, name, version)}
            for name, versions in published.VERSIONS.items()
            for version in versions
        ],
        "links": {"self": root, "openapi": f"{root}/openapi.json"} | {name: f"{root}/{name}" for name in LINKS},
    }


@router.get("/me", summary="Who asks")
def me(asking: Named, known: Annotated[Database, Depends(database)]) -> dict[str, Any]:
    """Return the person behind the token, with the roles that count and the proposals that the person is a member of."""
    person, token, member = tables.person.c, tables.token.c, tables.member.c
    with known.read() as connection:
        who = connection.execute(
            sa.select(person.id, person.family_name).where(person.id == asking.person)
        ).one_or_none()
        if who is None:
            raise absent()
        expires = asking.expires_at
        if asking.token:
            expires = connection.execute(sa.select(token.expires_at).where(token.id == asking.token)).scalar()
        query = sa.select(member.proposal, member.role).where(member.person == asking.person)
        grants = connection.execute(query.order_by(member.proposal, member.role)).all()
    return {
        "person": {"id": who.id, "familyName": who.family_name},
        "roles": sorted(asking.roles),
        "proposals": [{"proposalId": row.proposal, "role": row.role} for row in grants],
        "tokenExpiresAt": expires,
    }


@probes.get("/healthz", summary="Whether the process lives")
def healthz() -> dict[str, str]:
    """Answer; that is all."""
    return {"status": "ok"}


@probes.get("/readyz", summary="Whether database and storage can be used")
def readyz(known: Annotated[Database, Depends(database)], settings: Annotated[Config, Depends(config)]) -> Response:
    """Ask the database and the folder of the data."""
    checks = {"database": "ok", "storage": "ok"}
    try:
        with known.read() as connection:
            connection.execute(sa.select(sa.literal(1)))
    except sa.exc.SQLAlchemyError:
        checks["database"] = "unreachable"
    if not os.access(settings.data, os.W_OK):
        checks["storage"] = "not writable"
    good = set(checks.values()) == {"ok"}
    return JSONResponse({"status": "ok" if good else "failing", "checks": checks}, 200 if good else 503)
