"""Forms of embargoes on the pages of proposals and measurements: until when, or open now, and why; ruled by ``releasing``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli.node import access, releasing
from nffa_cli.node.callers import Caller
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import render
from nffa_cli.node.pages.sessions import Form, Viewing
from nffa_cli.node.problems import Problem
from nffa_cli.node.releasing import Embargoed

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]


def rules(connection: sa.Connection, caller: Caller, type: Embargoed, id: str) -> bool:
    """Tell whether the caller is shown the form at all."""
    return any(access.may(connection, caller, action, type, id) for action in ("shorten", "extend"))


@router.post("/proposals/{id}/embargo")
def of_proposal(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Set or lift the embargo of a proposal."""
    return _set(request, viewer.caller, known, "proposal", id, given)


@router.post("/measurements/{id}/embargo")
def of_measurement(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Set or lift the embargo of one measurement."""
    return _set(request, viewer.caller, known, "measurement", id, given)


def _set(
    request: Request, caller: Caller, known: Database, type: Embargoed, id: str, given: Mapping[str, str]
) -> Response:
    reason, request_id = given.get("reason", "")[:10_000], request.state.request_id
    with known.write() as connection:
        access.demand(connection, caller, "see", type, id)
        if "open" in given:
            releasing.lift(connection, caller, type, id, reason=reason, request_id=request_id)
        else:
            until = _day(given.get("until", ""))
            releasing.put(connection, caller, type, id, until=until, reason=reason, request_id=request_id)
    return RedirectResponse(f"/{type}s/{quote(id)}", 303, render.HEADERS)


def _day(text: str) -> date | None:
    """Return the day that was typed; None: none was, so what proposal and policy say counts."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem(422, "Invalid request", f"{text[:40]} is not a day such as 2026-11-21") from None
