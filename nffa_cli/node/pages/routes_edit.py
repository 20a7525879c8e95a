"""Forms that change names and descriptions, as the interface does: held to the version that was looked at, and noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli.node import records, resources
from nffa_cli.node.callers import Caller
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import render
from nffa_cli.node.pages.sessions import Form, Viewing
from nffa_cli.node.requests import Base, Expected
from nffa_cli.node.resources import Desk
from nffa_cli.node.rights import Type

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "proposal": (("proposalTitle", "Title"), ("abstract", "Abstract")),
    "experiment": (("experimentName", "Name"), ("description", "Description")),
    "measurement": (("measurementName", "Name"), ("measurementDescription", "Description")),
}
"""Type → the fields that a person edits here, the name first, with their labels."""


def edited(type: Type, said: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, label and value of each field of the form of a record."""
    return [(name, label, str(said.get(name) or "")) for name, label in FIELDS[type]]


@router.post("/proposals/{id}/edit")
def proposal(id: str, request: Request, viewer: Viewing, known: Known, base: Base, given: Form) -> Response:
    """Change title and abstract of a proposal."""
    return _edit(request, viewer.caller, known, base, "proposal", id, given)


@router.post("/experiments/{id}/edit")
def experiment(id: str, request: Request, viewer: Viewing, known: Known, base: Base, given: Form) -> Response:
    """Change name and description of an experiment."""
    return _edit(request, viewer.caller, known, base, "experiment", id, given)


@router.post("/measurements/{id}/edit")
def measurement(id: str, request: Request, viewer: Viewing, known: Known, base: Base, given: Form) -> Response:
    """Change name and description of a measurement."""
    return _edit(request, viewer.caller, known, base, "measurement", id, given)


def _edit(
    request: Request, caller: Caller, known: Database, base: str, type: Type, id: str, given: Mapping[str, str]
) -> Response:
    kind, version = records.BY_TYPE[type], given.get("version", "")
    patch = {name: " ".join(given[name].split()) if at == 0 else _text(given[name])
             for at, (name, _) in enumerate(FIELDS[type]) if name in given}  # fmt: skip
    looked_at = Expected(
        frozenset({int(version)} if version.isascii() and version.isdecimal() and len(version) < 16 else ())
    )
    with known.write() as connection:
        desk = Desk(connection, caller, base, request.state.request_id)
        row, level = resources.row_of(desk, kind, id, "write")
        now = {name: each for name, each in resources.shown(desk, kind, row, level).items() if name != "links"}
        resources.change(desk, kind, row, resources.validated(kind, resources.merged(now, patch)), looked_at)
    return RedirectResponse(f"/{kind.path}/{quote(id)}", 303, render.HEADERS)


def _text(typed: str) -> str | None:
    """Return a text as it is kept; None: it is to be no more."""
    return typed.replace("\r\n", "\n").strip() or None
