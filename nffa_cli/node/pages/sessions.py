"""Who looks at a page: a token, once given, is a cookie for a working day; forms carry a proof that this browser was given them.

The cookie holds a random secret, the database its SHA-256. A session ends with its token, at sign-out, or by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, quote

import sqlalchemy as sa
from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from nffa_cli.node import callers, moments, tables
from nffa_cli.node.callers import NOBODY, Caller
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import Problem
from nffa_cli.node.requests import whole_body

HOURS = 12
"""How long a session lasts."""
LARGEST_FORM = 100_000
"""Bytes."""
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks.

    name
        Family name; None: nobody is signed in.
    secret
        What the browser's cookie holds; None: it has none.
    """

    caller: Caller = NOBODY
    name: str | None = None
    secret: str | None = None

    @property
    def proof(self) -> str:
        """What a form of this browser sends back; empty where it may send none."""
        return proof(self.secret) if self.secret and self.name else ""


def proof(secret: str) -> str:
    """Return what a form must send back to a browser whose cookie holds a secret."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def is_safe(request: Request) -> bool:
    """Tell whether this request came, and so cookies travel, over TLS."""
    settings: Config = request.app.state.config
    return request.url.scheme == "https" or (settings.base_url or "").startswith("https:")


def cookie_name(request: Request, purpose: str) -> str:
    """Return the name of a cookie; over TLS one that no other host can have set."""
    return f"__Host-nffa-{purpose}" if is_safe(request) else f"nffa-{purpose}"


def put_cookie(request: Request, response: Response, purpose: str, secret: str, seconds: int) -> None:
    """Let the browser keep a secret, for us alone and no script."""
    name, safe = cookie_name(request, purpose), is_safe(request)
    response.set_cookie(name, secret, max_age=seconds, path="/", secure=safe, httponly=True, samesite="strict")


def drop_cookie(request: Request, response: Response, purpose: str) -> None:
    """Let the browser forget a secret."""
    name, safe = cookie_name(request, purpose), is_safe(request)
    response.delete_cookie(name, path="/", secure=safe, httponly=True, samesite="strict")


def secret_of(request: Request, purpose: str) -> str | None:
    """Return the secret that a browser keeps; None: it has none, or no such one."""
    found = request.cookies.get(cookie_name(request, purpose), "")
    return found if SECRET.fullmatch(found) else None


def to_sign_in(request: Request) -> Response:
    """Return the way to the sign-in page, and from there back to what was asked for."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here)}", 303, {"Cache-Control": "no-store", "Vary": "Cookie"})


def viewer(request: Request, known: Annotated[Database, Depends(database)]) -> Viewer:
    """Return who looks (a FastAPI dependency); a session that is over is nobody's."""
    secret = secret_of(request, "session")
    if secret is None:
        return Viewer()
    session, token, person = tables.session.c, tables.token.c, tables.person.c
    now = moments.now()
    whose = (person.id.label("person"), person.roles.label("holds"), person.family_name, person.data)
    query = (
        sa.select(token.id, token.roles, *whose)
        .join(tables.token, token.id == session.token)
        .join(tables.person, person.id == token.person)
        .where(session.id == callers.digest(secret), session.expires_at > now, token.revoked_at.is_(None))
        .where(sa.or_(token.expires_at.is_(None), token.expires_at > now))
    )
    with known.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or callers.is_out(row.data):
        return Viewer()
    request.app.state.uses.note(row.id)
    return Viewer(Caller(row.person, frozenset(row.roles) & frozenset(row.holds), row.id), row.family_name, secret)


Viewing = Annotated[Viewer, Depends(viewer)]


def begin(connection: sa.Connection, caller: Caller) -> str:
    """Begin a session of a token and return the secret for its cookie; sessions that are over are forgotten."""
    secret, session = secrets.token_urlsafe(32), tables.session
    connection.execute(session.delete().where(session.c.expires_at <= moments.now()))
    values = {"id": callers.digest(secret), "token": caller.token, "created_at": moments.now()}
    connection.execute(session.insert().values(**values, expires_at=moments.later(HOURS * 3600)))
    return secret


def begun(connection: sa.Connection, viewer: Viewer) -> str:
    """Return when the viewer's session began."""
    of = tables.session.c
    found = connection.execute(sa.select(of.created_at).where(of.id == callers.digest(viewer.secret or ""))).scalar()
    return found or moments.now()


def end(connection: sa.Connection, secret: str) -> None:
    """End a session."""
    connection.execute(tables.session.delete().where(tables.session.c.id == callers.digest(secret)))


def fields(request: Request, body: Annotated[bytes, Depends(whole_body)]) -> Mapping[str, str]:
    """Return what a form sent (a FastAPI dependency); who sent it is not judged here.

    Raises
    ------
    Problem
        400: it is no form of ours. 413: it is too long for one.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Problem(400, "Bad request", "this is no form")
    if len(body) > LARGEST_FORM:
        raise Problem(413, "Too large", f"a form may have {LARGEST_FORM} bytes")
    try:
        found = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="replace", max_num_fields=50))
    except ValueError:
        raise Problem(400, "Bad request", "this is no form") from None
    if any("\0" in each for each in found.values()):
        raise Problem(400, "Bad request", "a field holds a NUL character")
    return found


def demand_proof(request: Request, secret: str | None, given: Mapping[str, str]) -> None:
    """Refuse a form that this browser was not given by us.

    Raises
    ------
    Problem
        403.
    """
    from_here = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    sent = given.get("proof", "").encode()
    if not from_here or secret is None or not hmac.compare_digest(sent, proof(secret).encode()):
        raise Problem(
            403, "Form expired", "go back, load the page again and send the form once more; nothing was changed"
        )


def form(request: Request, viewer: Viewing, given: Annotated[Mapping[str, str], Depends(fields)]) -> Mapping[str, str]:
    """Return what a form of somebody who is signed in sent (a FastAPI dependency).

    Raises
    ------
    Problem
        As ``fields`` and ``demand_proof``.
    """
    demand_proof(request, viewer.secret if viewer.name else None, given)
    return given


Form = Annotated[Mapping[str, str], Depends(form)]
Fields = Annotated[Mapping[str, str], Depends(fields)]
