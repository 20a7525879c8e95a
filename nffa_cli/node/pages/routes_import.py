"""Pages that import a record: its address or file, what it becomes field by field, into which experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli.crosswalk import described, taking
from nffa_cli.errors import NffaError
from nffa_cli.node import access, adopting
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import render
from nffa_cli.node.pages.enclosed import Enclosing
from nffa_cli.node.pages.sessions import Form, Viewer, Viewing
from nffa_cli.node.problems import Problem, absent
from nffa_cli.node.storage import Storage, storage

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
Stored = Annotated[Storage, Depends(storage)]
SHOWN = 200
"""Files, and things that were not taken, on a page."""
LONGEST = 400
"""Characters of a value on a page."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of what a record becomes: place of our model, value, and the path of the record that it came from."""

    place: str
    value: str
    source: str


@router.get("/import")
def begin(request: Request, viewer: Viewing, known: Known) -> Response:
    """Show the form that takes an address or a file."""
    return _form(request, viewer, known, request.query_params.get("experiment", "")[:100])


@router.post("/import")
def look(request: Request, viewer: Viewing, known: Known, given: Enclosing) -> Response:
    """Fetch or take a record and let it wait; what is no record is told in a sentence."""
    with known.read() as connection:
        may = bool(adopting.experiments(connection, viewer.caller))
    if not may or viewer.caller.person is None:
        raise access.refused(viewer.caller)
    intake: adopting.Intake = request.app.state.intake
    chosen, address = given.fields.get("experiment", "")[:100], given.fields.get("address", "").strip()
    name, data = given.files.get("file", ("", b""))
    try:
        if not data and not address:
            raise Problem(422, "Invalid request", "give an address, or choose a file")
        if not data:
            data, where = intake.fetched(address)
        else:
            address, where = "", name or "a file"
        adopting.looked(data, where)
    except (NffaError, Problem) as error:
        return _form(request, viewer, known, chosen, wrong=_sentence(error), address=address)
    waits = intake.put(viewer.caller.person, data, where, where if address else None)
    return _to(f"/import/{waits}" + (f"?experiment={quote(chosen)}" if chosen else ""))


@router.get("/import/{name}")
def show(name: str, request: Request, viewer: Viewing, known: Known) -> Response:
    """Show what a record becomes, field by field, and ask into which experiment."""
    record = _waiting(request, viewer, name)
    wish = adopting.Wish(request.query_params.get("experiment", "")[:100], described.KINDS[0], as_one=False)
    return _shown(request, viewer, known, name, record, wish)


@router.post("/import/{name}")
def take(name: str, request: Request, viewer: Viewing, known: Known, stored: Stored, given: Form) -> Response:
    """Import a record that waits; what it would replace is shown first."""
    record, version = _waiting(request, viewer, name), given.get("version", "")
    kind = given.get("kind", "")
    if kind not in described.KINDS:
        raise Problem(422, "Invalid request", f"say what it is: {', '.join(described.KINDS)}")
    held = int(version) if version.isascii() and version.isdecimal() and len(version) < 16 else None
    wish = adopting.Wish(given.get("experiment", ""), kind, given.get("files") == "one", held)
    with known.write() as connection:
        done = adopting.adopt(connection, stored, viewer.caller, record, wish, request.state.request_id)
    if done.action == "conflict":
        return _shown(request, viewer, known, name, record, wish, done)
    request.app.state.intake.drop(name)
    return _to(f"/measurements/{quote(done.measurement)}")


def _waiting(request: Request, viewer: Viewer, name: str) -> adopting.Looked:
    found: adopting.Looked | None = request.app.state.intake.get(viewer.caller.person, name)
    if found is None:
        raise absent()
    return found


def _form(
    request: Request, viewer: Viewer, known: Database, chosen: str, *, wrong: str = "", address: str = ""
) -> Response:
    with known.read() as connection:
        found = adopting.experiments(connection, viewer.caller, chosen)
    into = next((each for each in found if each.id == chosen), None)
    return render.page(
        request, viewer, "import", status=422 if wrong else 200, title="Import a record", wrong=wrong, address=address,
        may=bool(found), into=into, hosts=request.app.state.intake.hosts,
    )  # fmt: skip


def _shown(
    request: Request, viewer: Viewer, known: Database, name: str, record: adopting.Looked, wish: adopting.Wish,
    there: adopting.Adopted | None = None,
) -> Response:  # fmt: skip
    with known.read() as connection:
        found = adopting.experiments(connection, viewer.caller, wish.experiment)
    taken = record.taken
    parcel = described.describe(taken, record.entry, system=record.system, address=record.address)
    left = [(path, _text(value)) for path, value in islice(taking.untaken(taken, record.entry), SHOWN + 1)]
    return render.page(
        request, viewer, "import_record", status=409 if there else 200, title=parcel.measurement["measurementName"],
        record=record, wish=wish, there=there, experiments=found, name=name, kinds=described.KINDS, key=taken.key,
        rows=_rows(taken.fields), files=[_file(file) for file in taken.files[:SHOWN]], count=len(taken.files),
        as_assets=len(parcel.assets), left_out=parcel.left_out, warnings=taken.warnings[:SHOWN], left=left[:SHOWN],
        more=len(left) > SHOWN,
        changes=[(field, _text(was), _text(now)) for field, (was, now) in there.changes.items()] if there else [],
    )  # fmt: skip


def _rows(said: Mapping[str, taking.Said]) -> list[Row]:
    return [Row(place, _text(each.value), each.source) for place, each in said.items()]


def _file(said: Mapping[str, taking.Said]) -> tuple[str, Sequence[Row]]:
    return str(said["relativePath"].value), _rows(
        {place: each for place, each in said.items() if place != "relativePath"}
    )


def _text(value: Any) -> str:
    """Return a value as a person reads it."""
    if isinstance(value, Mapping) and {"algorithm", "value"} == set(value):
        text = f"{value['algorithm']} {value['value']}"
    elif isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        text = ", ".join(map(str, value))
    elif isinstance(value, str):
        text = value
    else:
        text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _sentence(error: NffaError | Problem) -> str:
    """Return what is wrong, as a sentence."""
    if isinstance(error, Problem):
        text = str(error.detail)
        return f"{text[:1].upper()}{text[1:]}."
    where = f"{error.where[:200]}: " if error.where else ""
    return f"{where}{error.what}."


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, render.HEADERS)
