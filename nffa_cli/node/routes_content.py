"""Routes of the bytes of data assets: whole, or from one byte to another, with their digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from nffa_cli.node import access, content, tables
from nffa_cli.node.callers import Asking
from nffa_cli.node.checking import LOST
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import Problem
from nffa_cli.node.storage import Storage, storage

router = APIRouter(tags=["dataassets"])
PIECE = 1 << 18
"""Bytes that are read at a time."""


@router.head("/dataassets/{id}/content", summary="What the content of a data asset is like")
@router.get("/dataassets/{id}/content", summary="The content of a data asset")
def read(
    id: str,
    request: Request,
    asking: Asking,
    known: Annotated[Database, Depends(database)],
    stored: Annotated[Storage, Depends(storage)],
) -> Response:
    """Return the bytes, or the one range of them that was asked for."""
    with known.read() as connection:
        access.demand(connection, asking, "read", "dataasset", id)
        of = tables.asset
        row = connection.execute(of.select().where(of.c.id == id)).one()
        if row.state != "available":
            raise _elsewhere(connection, row)
    if stored.size(row.sha256) != row.size:
        raise Problem(
            500, "Bytes missing", "the node has lost these bytes; its administrator can see which: nffa node check"
        )
    about = content.About(row.sha256, row.size)
    headers = about.headers | {
        "Content-Type": content.media_type(row.data.get("mediaType")),
        "Content-Disposition": content.disposition(row.data.get("dataAssetName") or row.relative_path),
        "Content-Security-Policy": "sandbox",
    }
    wanted = content.wanted(request.headers, about)
    if wanted.status not in (200, 206):
        return Response(status_code=wanted.status, headers=about.headers | dict(wanted.headers))
    headers |= dict(wanted.headers)
    if request.method == "HEAD":
        return Response(status_code=wanted.status, headers=headers)
    return StreamingResponse(pieces(stored.path(row.sha256), wanted.first, wanted.length), wanted.status, headers)


def pieces(path: Path, first: int, length: int) -> Iterator[bytes]:
    """Yield so many bytes of a file from one on."""
    with path.open("rb") as file:
        file.seek(first)
        while length and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece


def _elsewhere(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Problem:
    """Return the problem of an asset whose bytes are not here."""
    if row.state == "withdrawn":
        return Problem(410, "Gone", "this data asset was withdrawn")
    if row.state == LOST:
        return Problem(
            409, "Bytes lost", "the node has lost these bytes; they are here again when they are delivered again"
        )
    of = tables.location.c
    uris = connection.execute(sa.select(of.uri).where(of.asset == row.id).order_by(of.uri)).scalars()
    errors = [{"pointer": "/locations", "message": uri} for uri in uris]
    return Problem(409, "Not here", "the bytes are elsewhere; `errors` names where", errors=errors)
