"""Who asks: a bearer token becomes a person with roles; without one the caller is nobody, who may see what is open.

Of a token only the SHA-256 of its secret is kept. What a caller may do is decided in ``access``, not here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import sqlalchemy as sa
from fastapi import Depends, Request

from nffa_cli.node import ids, moments, tables
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import Problem

Role = Literal["reader", "depositor", "instrumentScientist", "dataManager", "admin"]
ROLES: tuple[str, ...] = get_args(Role)
"""Roles in the whole node."""
ProposalRole = Literal["principalInvestigator", "coProposer", "teamMember", "dataCurator", "dataAnalyst"]
PROPOSAL_ROLES: tuple[str, ...] = get_args(ProposalRole)
"""Roles of a member in one proposal."""
TOKEN = re.compile(r"nffa_([0-9a-f]{32})_([A-Za-z0-9_-]{20,100})")

FOREIGN = re.compile(r"(?!nffa_)[A-Za-z0-9._~+/-]{10,16000}=*")
"""A token that is none of the node's own."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    person
        Id of the person; None: nobody, a request without a token.
    roles
        Those of ``ROLES`` that the person has and the token may use.
    token
        Id of the token; None: it is none of the node's own.
    issuer
        Who made it, where it is none of the node's own; and
    expires_at
        until when such a token is good.
    """

    person: str | None = None
    roles: frozenset[str] = frozenset()
    token: str | None = None
    issuer: str | None = None
    expires_at: str | None = None


NOBODY = Caller()


def caller(request: Request, known: Annotated[Database, Depends(database)]) -> Caller:
    """Return who sent a request (a FastAPI dependency).

    Raises
    ------
    Problem
        401: there is a token, and it is not good. Nobody learns why. 503: its issuer is needed and does not answer.
    """
    header = request.headers.get("authorization")
    if header is None:
        return NOBODY
    scheme, _, given = header.partition(" ")
    given, foreign = given.strip(), request.app.state.foreign
    asking = None
    if scheme.lower() == "bearer":
        asking = foreign(given) if foreign and FOREIGN.fullmatch(given) else by_token(known, given)
    if asking is None:
        raise refused("this token is not good: it is unknown, has expired or was revoked")
    request.app.state.uses.note(asking.token)
    return asking


def by_token(known: Database, token: str) -> Caller | None:
    """Return whose a token is; None: it is not good."""
    found = TOKEN.fullmatch(token.strip())
    return _known(known, *found.groups()) if found else None


def named(asking: Annotated[Caller, Depends(caller)]) -> Caller:
    """Return who sent a request that nobody may send (a FastAPI dependency).

    Raises
    ------
    Problem
        401: there is no token.
    """
    if asking.person is None:
        raise refused("this needs a token; an administrator of the node makes one: nffa node token create")
    return asking


Asking = Annotated[Caller, Depends(caller)]
Named = Annotated[Caller, Depends(named)]


def refused(detail: str) -> Problem:
    """Return the problem of a request whose sender is not known."""
    return Problem(401, "Not authenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="idrp"'})


def is_out(data: Mapping[str, Any]) -> bool:
    """Tell by what is kept of a person that no token of theirs is good."""
    return bool(data.get("disabled"))


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def made(
    connection: sa.Connection, person: str, *, label: str, roles: list[str], expires_at: str | None = None
) -> tuple[str, str]:
    """Make a token and return its id and the token itself, which is known to nobody afterwards."""
    identity, secret = ids.new(), secrets.token_urlsafe(32)
    connection.execute(
        tables.token.insert().values(
            id=identity, person=person, label=label, roles=roles, secret_sha256=digest(secret), created_at=moments.now(),
            expires_at=expires_at,
        )
    )  # fmt: skip
    return identity, f"nffa_{uuid.UUID(identity).hex}_{secret}"


def _known(known: Database, identity: str, secret: str) -> Caller | None:
    token, person = tables.token.c, tables.person.c
    whose = (person.id.label("person"), person.roles.label("holds"), person.data)
    query = (
        sa.select(token.id, token.secret_sha256, token.roles, *whose)
        .join(tables.person, person.id == token.person)
        .where(token.id == str(uuid.UUID(identity)), token.revoked_at.is_(None))
        .where(sa.or_(token.expires_at.is_(None), token.expires_at > moments.now()))
    )
    with known.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or is_out(row.data) or not hmac.compare_digest(row.secret_sha256, digest(secret)):
        return None
    return Caller(row.person, frozenset(row.roles) & frozenset(row.holds), row.id)


class Uses:
    """When each token was last used; kept in memory and written now and then, so that reading stays reading."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def note(self, token: str | None) -> None:
        """Remember that a token was used now."""
        if token:
            self._last[token] = moments.now()

    def write(self, known: Database) -> None:
        """Write what was noted since."""
        last, self._last = self._last, {}
        if not last:
            return
        with known.write() as connection:
            for token, at in last.items():
                connection.execute(tables.token.update().where(tables.token.c.id == token).values(used_at=at))
