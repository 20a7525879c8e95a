"""Forms that register a proposal, and an experiment of a proposal; what is wrong is said beside what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli import orcid as orcids
from nffa_cli.node import access, policies, records, resources, tables
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import render
from nffa_cli.node.pages.sessions import Form, Viewer, Viewing
from nffa_cli.node.problems import Problem
from nffa_cli.node.resources import Desk

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
PROPOSAL, EXPERIMENT = (records.BY_TYPE[name] for name in ("proposal", "experiment"))
INSTRUMENTS = 40
"""Of the registry, to choose from."""
Typed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; ``options``: value and name of each choice."""

    name: str
    label: str
    kind: Literal["line", "text", "day", "choice", "checks"] = "line"
    help: str = ""
    required: bool = False
    options: Sequence[tuple[str, str]] = ()
    size: int = 60


OF_PROPOSAL = (
    Field("proposalId", "Number", required=True, size=20, help="As the portal has it; it is unique in this node."),
    Field("proposalTitle", "Title", required=True),
    Field("abstract", "Abstract", "text"),
    Field("familyName", "Principal investigator, family name", size=30),
    Field("givenName", "Given name", size=30),
    Field("orcid", "ORCID", size=22,
          help="Whoever this node knows by this ORCID gets the rights of a principal investigator; a mere name gives none."),
    Field("team", "ORCIDs of team members", "text", "One on each line; they read and write. Others can be let in later."),
)  # fmt: skip
OF_EXPERIMENT = (
    Field("experimentName", "Name", required=True, help="It is unique in its proposal."),
    Field("description", "Description", "text"),
    Field("startDate", "First day", "day"),
    Field("endDate", "Last day", "day", "A data policy may count its embargo from this day."),
)


@router.get("/register/proposal")
def proposal_form(request: Request, viewer: Viewing, known: Known) -> Response:
    """Show the form of a new proposal, to who may make one."""
    with known.read() as connection:
        access.demand_creation(connection, viewer.caller, "proposal")
        return _proposal(request, viewer, connection, {"policy": policies.default(connection) or ""})


@router.post("/register/proposal")
def proposal(request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Register a proposal."""
    try:
        with known.write() as connection:
            access.demand_creation(connection, viewer.caller, "proposal")
            said = _lines(given, OF_PROPOSAL[:3]) | _people(connection, given)
            if given.get("policy"):
                said["policyId"] = given["policy"]
            desk = Desk(connection, viewer.caller, "", request.state.request_id)
            made = resources.make(desk, PROPOSAL, resources.validated(PROPOSAL, said))
    except Problem as problem:
        if problem.status_code not in (409, 422):
            raise
        with known.read() as connection:
            return _proposal(request, viewer, connection, given, problem)
    return _to(f"/proposals/{quote(made)}")


@router.get("/proposals/{id}/register")
def experiment_form(id: str, request: Request, viewer: Viewing, known: Known) -> Response:
    """Show the form of a new experiment, to who may write in the proposal."""
    with known.read() as connection:
        access.demand(connection, viewer.caller, "write", "proposal", id)
        return _experiment(request, viewer, connection, id, {})


@router.post("/proposals/{id}/register")
def experiment(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Register an experiment of a proposal."""
    try:
        with known.write() as connection:
            access.demand(connection, viewer.caller, "write", "proposal", id)
            used = [name.partition("-")[2] for name in given if name.startswith("instrumentIds-")]
            said = _lines(given, OF_EXPERIMENT) | {"proposalId": id, "instrumentIds": used}
            desk = Desk(connection, viewer.caller, "", request.state.request_id)
            made = resources.make(desk, EXPERIMENT, resources.validated(EXPERIMENT, said))
    except Problem as problem:
        if problem.status_code not in (409, 422):
            raise
        with known.read() as connection:
            return _experiment(request, viewer, connection, id, given, problem)
    return _to(f"/experiments/{quote(made)}")


def _proposal(
    request: Request, viewer: Viewer, connection: sa.Connection, typed: Typed, problem: Problem | None = None
) -> Response:
    options = _registered(connection, "policy")
    fields = [*OF_PROPOSAL, *([Field("policy", "Data policy", "choice", options=options)] if options else [])]
    return _form(request, viewer, "New proposal", "/register/proposal", fields, typed, problem)


def _experiment(
    request: Request, viewer: Viewer, connection: sa.Connection, id: str, typed: Typed, problem: Problem | None = None
) -> Response:
    of = tables.proposal
    above = connection.execute(of.select().where(of.c.id == id)).one()
    used = Field("instrumentIds", "Instruments", "checks", options=_registered(connection, "instrument")[:INSTRUMENTS])
    place = f"/proposals/{quote(id)}/register"
    return _form(request, viewer, "New experiment", place, [*OF_EXPERIMENT, used], typed, problem, above=above)


def _form(
    request: Request, viewer: Viewer, title: str, action: str, fields: Sequence[Field], typed: Typed,
    problem: Problem | None, above: sa.Row[Any] | None = None,
) -> Response:  # fmt: skip
    labels = {f"/{each.name}": each.label for each in fields}
    wrong, errors = ("", []) if problem is None else (str(problem.detail) or problem.title, problem.errors)
    return render.page(
        request, viewer, "register", status=200 if problem is None else problem.status_code, title=title, action=action,
        fields=fields, typed=typed, above=above, wrong=f"{wrong[:1].upper()}{wrong[1:]}." if wrong else "",
        errors=[f"{labels.get(each['pointer'], each['pointer'])}: {each['message']}" for each in errors],
    )  # fmt: skip


def _lines(given: Typed, fields: Sequence[Field]) -> dict[str, Any]:
    """Return what was typed; what is empty was not said."""
    found = {}
    for each in fields:
        text = given.get(each.name, "").replace("\r\n", "\n").strip()
        if text:
            found[each.name] = text if each.kind == "text" else " ".join(text.split())
    return found


def _people(connection: sa.Connection, given: Typed) -> dict[str, Any]:
    """Return the principal investigator by name, and as members all whom the registry knows by the ORCIDs that were typed.

    Raises
    ------
    Problem
        422: that is no ORCID, or a team member's that nobody of the registry has.
    """
    found: dict[str, Any] = {}
    members: dict[str, str] = {}
    leader = given.get("orcid", "").strip()
    if named := given.get("familyName", "").strip():
        person = {"familyName": named, "givenName": given.get("givenName", "").strip(), "orcid": leader}
        found["principalInvestigator"] = {name: value for name, value in person.items() if value}
    elif leader or given.get("givenName", "").strip():
        raise _wrong("familyName", "a principal investigator has a family name")
    if leader and (known := _person(connection, "orcid", leader)) is not None:
        members[known] = "principalInvestigator"
    for line in given.get("team", "").split():
        known = _person(connection, "team", line)
        if known is None:
            raise _wrong("team", f"nobody in this node has the ORCID {line[:50]}")
        members.setdefault(known, "teamMember")
    return found | {"members": [{"personId": person, "role": role} for person, role in members.items()]}


def _person(connection: sa.Connection, place: str, typed: str) -> str | None:
    orcid = orcids.normal(typed)
    if orcid is None:
        raise _wrong(place, f"{typed[:50]} is no ORCID: a digit is missing or wrong")
    of = tables.person.c
    found = connection.execute(sa.select(of.id).where(of.orcid == orcid)).scalar()
    return None if found is None else str(found)


def _wrong(place: str, message: str) -> Problem:
    return Problem(
        422, "Invalid request", "this cannot be registered", errors=[{"pointer": f"/{place}", "message": message}]
    )


def _registered(connection: sa.Connection, type: str) -> list[tuple[str, str]]:
    """Return id and name of what everybody may know of the registry."""
    of = tables.registry.c
    rows = connection.execute(sa.select(of.id, of.name).where(of.type == type).order_by(of.name, of.id).limit(200))
    return [(row.id, row.name) for row in rows]


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, render.HEADERS)
