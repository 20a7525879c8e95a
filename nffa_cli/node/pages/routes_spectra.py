"""Spectra of a measurement: the part of its page that shows them, the map as a picture, the values as a table."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nffa_cli.errors import UnreadableFile
from nffa_cli.node import access, content, moments, records, tables
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import spectral
from nffa_cli.node.pages.sessions import Viewing
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.storage import Storage, storage
from nffa_cli.spectra import View

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
Stored = Annotated[Storage, Depends(storage)]
KEPT = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}


def part(request: Request, stored: Storage, files: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the page of a measurement is told of spectra: ``spectra``, or the ``spectra_problem``."""
    told: dict[str, Any] = {"spectra": None, "spectra_problem": "", "spectra_file": None}
    found = spectral.asset(files)
    if found is None:
        return told
    try:
        views = spectral.views(stored, found)
    except UnreadableFile as error:
        return told | {"spectra_problem": error.what}
    return told | {
        "spectra": spectral.shown(views, spectral.asked(request.query_params, views)),
        "spectra_file": found["id"],
    }


@router.get("/measurements/{id}/spectra/map.png")
def map_(id: str, request: Request, viewer: Viewing, known: Known, stored: Stored) -> Response:
    """Give the map of a spectrum image."""
    view, wanted = _found(id, request, viewer, known, stored)
    if view.cube is None:
        raise absent()
    return Response(spectral.picture(view, wanted), headers=KEPT, media_type="image/png")


@router.get("/measurements/{id}/spectra/values.csv")
def values(id: str, request: Request, viewer: Viewing, known: Known, stored: Stored) -> Response:
    """Give what is drawn as a table: the whole signal, or with ``at`` the spectrum at the position."""
    view, wanted = _found(id, request, viewer, known, stored)
    text = spectral.table(view, wanted, at="at" in request.query_params)
    saved = {"Content-Disposition": content.disposition(f"spectrum-{id}.csv")}
    return Response(text.encode("utf-8", "replace"), headers=KEPT | saved, media_type="text/csv; charset=utf-8")


def _found(id: str, request: Request, viewer: Viewing, known: Database, stored: Storage) -> tuple[View, spectral.Asked]:
    with known.read() as connection:
        access.demand(connection, viewer.caller, "see", "measurement", id)
        of = tables.asset
        mine = access.readable(viewer.caller, moments.now(), "dataasset")
        query = of.select().where(
            of.c.measurement == id, of.c.role == spectral.ROLE, of.c.state == "available", mine
        )  # fmt: skip
        rows = connection.execute(query.order_by(of.c.id)).all()
        fields = records.fields_of(connection, records.BY_TYPE["dataasset"], rows)
    found = spectral.asset([said | {"sha256": row.sha256} for row, said in zip(rows, fields, strict=True)])
    if found is None:
        raise absent()
    try:
        views = spectral.views(stored, found)
    except UnreadableFile as error:
        raise Problem(422, "Not to be shown", f"the spectra cannot be shown: {error.what}") from error
    wanted = spectral.asked(request.query_params, views)
    return views[wanted.signal], wanted
