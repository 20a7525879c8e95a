"""Pages of one measurement: all that is known of it, the vendor's tree, its files, its preview, its exports."""

from __future__ import annotations

import functools
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from nffa_cli.node import (
    access,
    collecting,
    exports,
    history,
    moments,
    nxem,
    policies,
    records,
    releasing,
    remarks,
    resources,
    routes_content,
    tables,
)
from nffa_cli.node.callers import Caller
from nffa_cli.node.config import Config, config
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import cards, looking, render, routes_edit, routes_embargo, routes_spectra, showing, tree
from nffa_cli.node.pages.sessions import Viewing
from nffa_cli.node.problems import absent
from nffa_cli.node.requests import Base
from nffa_cli.node.resources import Desk
from nffa_cli.node.rights import Level
from nffa_cli.node.similar import Similar, similar
from nffa_cli.node.storage import Storage, storage

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
Stored = Annotated[Storage, Depends(storage)]
MEASUREMENT = records.BY_TYPE["measurement"]
ROLES = {
    "main": "data", "sidecar": "data, beside it", "nxem": "NeXus (NXem)", "preview": "preview",
    "spectra": "spectra to look at",
    "raw-metadata": "vendor's metadata",
}  # fmt: skip
DOCUMENT = "nffa-record"


@router.get("/measurements/{id}")
def measurement(
    id: str, request: Request, viewer: Viewing, known: Known, stored: Stored,
    seen: Annotated[Similar, Depends(similar)],
) -> Response:  # fmt: skip
    """Show a measurement; ``tag`` searches the vendor's tree."""
    now, caller = moments.now(), viewer.caller
    with known.read() as connection:
        desk = Desk(connection, caller, "", None)
        row, level = resources.row_of(desk, MEASUREMENT, id)
        said = resources.shown(desk, MEASUREMENT, row, level)
        of = tables.document.c
        query = sa.select(of.body).where(of.measurement == id, of.schema == DOCUMENT)
        document = connection.execute(query).scalar()
        experiment, proposal = (
            connection.execute(table.select().where(table.c.id == key)).one()
            for table, key in ((tables.experiment, row.experiment), (tables.proposal, row.proposal))
        )
        files = _files(connection, caller, id, now)
        licence = policies.licence(connection, proposal.policy)
        for each in files:
            each["byPolicy"] = licence if policies.falls_under(each) else None
        state = releasing.state(connection, "measurement", id)
        told: dict[str, Any] = {
            "tags": remarks.tags(connection, caller, id), "comments": remarks.comments(connection, caller, id),
            "collections": collecting.all_of(connection, caller),
            "rules": routes_embargo.rules(connection, caller, "measurement", id),
            "events": history.events(connection, caller, "measurement", id),
            "nxem": "delivered" if nxem.delivered(connection, caller, id) else "made" if nxem.describes(document) else "",
            "preview": cards.previews(connection, caller, [id], now).get(id),
            "alike": looking.alike(connection, caller, id, seen, now), "original": looking.original(files, document),
        }  # fmt: skip
    found = _leaves(stored, files)
    return render.page(
        request, viewer, "measurement", title=row.name, row=row, said=said, experiment=experiment, proposal=proposal,
        files=files, roles=ROLES, embargo=showing.embargoed(state, now), is_open=row.released_at <= now,
        groups=showing.terms(document, said.get("settings") or {}), scale=showing.scale(document),
        provenance=list(showing.flat(said.get("provenance") or {})), warnings=_warnings(document),
        edits=routes_edit.edited("measurement", said) if level >= Level.WRITE else [],
        writes=level >= Level.WRITE, reads=level >= Level.READ, card=cards.card(row, told["preview"], now),
        **_tree(request, found), **routes_spectra.part(request, stored, files), **told,
    )  # fmt: skip


@router.get("/measurements/{id}/tree")
def vendor_tree(id: str, request: Request, viewer: Viewing, known: Known, stored: Stored) -> Response:
    """Show the rows of the vendor's tree that were asked for; a part of a page, for its script."""
    with known.read() as connection:
        access.demand(connection, viewer.caller, "see", "measurement", id)
        files = _files(connection, viewer.caller, id, moments.now())
    return render.page(request, viewer, "tree", title="", **_tree(request, _leaves(stored, files)))


@router.get("/measurements/{id}/export")
def export(
    id: str, request: Request, viewer: Viewing, known: Known, stored: Stored, base: Base,
    settings: Annotated[Config, Depends(config)],
) -> Response:  # fmt: skip
    """Hand a measurement on in another form, as a file."""
    wanted = request.query_params.get("format")
    if wanted == "nxem":
        return nxem.answer(id, request, viewer.caller, known, stored)
    form = next((each for each in exports.FORMS if each == wanted), None)
    if form is None:
        raise absent()
    made, media_type = exports.FORMS[form]
    with known.read() as connection:
        access.demand(connection, viewer.caller, "see", "measurement", id)
        held = exports.gathered(connection, viewer.caller, id, base=base, publisher=settings.name, now=moments.now())
    saved = {"Content-Disposition": f'attachment; filename="{form}-{id}.json"'}
    return JSONResponse(made(held), headers=saved, media_type=media_type)


@router.head("/files/{id}")
@router.get("/files/{id}")
def file(id: str, request: Request, viewer: Viewing, known: Known, stored: Stored) -> Response:
    """Give the content of a data asset, to be saved."""
    return routes_content.read(id, request, viewer.caller, known, stored)


@router.get("/previews/{id}")
def preview(id: str, request: Request, viewer: Viewing, known: Known, stored: Stored) -> Response:
    """Give a preview to be drawn; kept by the browser, and asked for again each time: rights change."""
    found = routes_content.read(id, request, viewer.caller, known, stored)
    if found.status_code in (200, 206):
        if found.headers["content-type"] not in cards.PICTURES:
            raise absent()
        found.headers["Content-Disposition"] = "inline"
    found.headers.update({"Cache-Control": "private, no-cache", "Vary": "Cookie"})
    return found


def _files(connection: sa.Connection, caller: Caller, measurement: str, now: str) -> list[dict[str, Any]]:
    """Return the files that the caller may read: as records, with ``state``, what they held before and where copies lie."""
    of, old = tables.asset, tables.asset_version
    mine = access.readable(caller, now, "dataasset")
    query = of.select().where(of.c.measurement == measurement, of.c.state != "withdrawn", mine)
    rows = connection.execute(query.order_by(of.c.id)).all()
    fields = records.fields_of(connection, records.BY_TYPE["dataasset"], rows)
    before: dict[str, list[sa.Row[Any]]] = {}
    for each in connection.execute(
        old.select().where(old.c.asset.in_([row.id for row in rows])).order_by(old.c.version)
    ):
        before.setdefault(each.asset, []).append(each)
    return [
        said | {"id": row.id, "sha256": row.sha256, "version": row.version, "before": before.get(row.id, [])}
        for row, said in zip(rows, fields, strict=True)
    ]


def _leaves(stored: Storage, files: list[dict[str, Any]]) -> list[tree.Leaf] | None:
    """Return the vendor's tree as rows; None: there is none that this viewer may read."""
    of = (each for each in files if each["role"] == "raw-metadata" and each["state"] == "available")
    found = next((each for each in of if each["dataSize"] <= tree.LARGEST), None)
    try:
        return None if found is None else _read(stored, found["sha256"])
    except OSError:  # not kept in memory: it may come back
        return None


@functools.lru_cache(maxsize=8)
def _read(stored: Storage, sha256: str) -> list[tree.Leaf] | None:
    return tree.leaves(stored.path(sha256).read_bytes())


def _tree(request: Request, found: list[tree.Leaf] | None) -> dict[str, Any]:
    asked = request.query_params.get("tag", "")[:200]
    rows = tree.matching(found or [], asked)
    return {
        "tag": asked,
        "leaves": rows[: tree.SHOWN],
        "matching": len(rows),
        "all": None if found is None else len(found),
    }


def _warnings(document: Any) -> list[str]:
    held = document.get("warnings") if isinstance(document, dict) else None
    known = [each for each in held or () if isinstance(each, dict)]
    return [f"{str(each.get('code', '')).replace('-', ' ')}: {each.get('detail', '')}" for each in known]
