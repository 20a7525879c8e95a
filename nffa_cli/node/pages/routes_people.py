"""Pages of persons: signing in and out, what they say of measurements, what they collect. Every form carries a proof."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli.node import audit, callers, collecting, remarks
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import render, sessions
from nffa_cli.node.pages.sessions import Fields, Form, Viewing

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
MINUTES = 30
"""How long the form of signing in is good."""


@router.get("/sign-in")
def sign_in_form(request: Request, viewer: Viewing) -> Response:
    """Show the form that takes a token."""
    return _sign_in(request, viewer, _inside(request.query_params.get("next", "")), "", 200)


@router.post("/sign-in")
def sign_in(request: Request, viewer: Viewing, known: Known, given: Fields) -> Response:
    """Take a token and begin a session."""
    sessions.demand_proof(request, sessions.secret_of(request, "form"), given)
    after = _inside(given.get("next", ""))
    caller = callers.by_token(known, given.get("token", ""))
    if caller is None:
        wrong = "This token is not good: it is unknown, has expired or was revoked."
        return _sign_in(request, viewer, after, wrong, 401)
    request.app.state.uses.note(caller.token)
    with known.write() as connection:
        secret = sessions.begin(connection, caller)
        request_id = request.state.request_id
        audit.note(connection, caller, "sign-in", "token", caller.token or "", request_id=request_id)
        if viewer.secret:
            sessions.end(connection, viewer.secret)
    answer = _to(after)
    sessions.put_cookie(request, answer, "session", secret, sessions.HOURS * 3600)
    sessions.drop_cookie(request, answer, "form")
    return answer


@router.post("/sign-out")
def sign_out(request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """End the session."""
    with known.write() as connection:
        sessions.end(connection, viewer.secret or "")
    answer = _to("/")
    sessions.drop_cookie(request, answer, "session")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _sign_in(request: Request, viewer: sessions.Viewer, after: str, wrong: str, status: int) -> Response:
    secret = sessions.secret_of(request, "form") or secrets.token_urlsafe(32)
    proof = sessions.proof(secret)
    answer = render.page(
        request, viewer, "sign_in", status=status, title="Sign in", after=after, wrong=wrong, proof=proof
    )
    sessions.put_cookie(request, answer, "form", secret, MINUTES * 60)
    return answer


def _inside(path: str) -> str:
    """Return a path of this node; whatever leads elsewhere becomes its first page."""
    plain = path.isprintable() and path.isascii() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303, render.HEADERS)


@router.post("/measurements/{id}/tags")
def tag(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Put a tag on a measurement, or take the tag ``remove`` off."""
    with known.write() as connection:
        if "remove" in given:
            remarks.untag(connection, viewer.caller, id, given["remove"], request.state.request_id)
        else:
            remarks.tag(connection, viewer.caller, id, given.get("tag", ""), request.state.request_id)
    return _to(f"/measurements/{quote(id)}#remarks")


@router.post("/measurements/{id}/comments")
def comment(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Add a comment, or take the comment ``remove`` back."""
    with known.write() as connection:
        if "remove" in given:
            remarks.take_back(connection, viewer.caller, id, given["remove"], request.state.request_id)
        else:
            remarks.comment(connection, viewer.caller, id, given.get("text", ""))
    return _to(f"/measurements/{quote(id)}#remarks")


@router.post("/measurements/{id}/collect")
def collect(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Put a measurement into a collection."""
    with known.write() as connection:
        found = collecting.put(connection, viewer.caller, given.get("name", ""), id)
    return _to(f"/?collection={quote(found)}")


@router.get("/collections")
def collections(request: Request, viewer: Viewing, known: Known) -> Response:
    """List the viewer's collections."""
    with known.read() as connection:
        found = collecting.all_of(connection, viewer.caller)
    return render.page(request, viewer, "collections", title="Collections", collections=found)


@router.post("/collections/{id}/remove")
def removed(id: str, request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Take a measurement out of a collection."""
    with known.write() as connection:
        collecting.take_out(connection, viewer.caller, id, given.get("measurement", ""))
    return _to("/collections")
