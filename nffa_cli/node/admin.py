"""What an administrator does on the database itself, also while the node serves it: tokens, users, policies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from nffa_cli.errors import UsageError
from nffa_cli.node import callers, ids, moments, tables
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database

DAY = 86_400


@contextmanager
def opened(config: Config) -> Iterator[Database]:
    """Give the database of a node with its tables up to date; a folder that is not there is made."""
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(config.database_url)
    try:
        database.migrate()
        yield database
    finally:
        database.close()


def create_token(
    database: Database,
    roles: tuple[str, ...],
    *,
    name: str | None = None,
    person: str | None = None,
    days: int | None = None,
) -> str:
    """Make a token and return it; it cannot be shown again.

    Parameters
    ----------
    roles
        Roles of the node that it may use.
    name
        Who uses it where that is no person of the registry, such as an instrument PC; tokens of one name are one user.
        None: named by the first role.
    person
        Id, ORCID or portal id of a person who is there and has these roles.
    days
        For how long it is good; None: until it is revoked.

    Raises
    ------
    UsageError
        There is no such person, or the person lacks a role.
    """
    with database.write() as connection:
        if person is None:
            owner = _user(connection, name or roles[0], roles)
        else:
            row = _person(connection, person)
            if lacks := sorted(set(roles) - set(row.roles)):
                hint = f"nffa node user add ... --role {lacks[0]}"
                raise UsageError(f"has not the role {', '.join(lacks)}", where=row.family_name, hint=hint)
            owner = row.id
        expires_at = moments.later(days * DAY) if days else None
        return callers.made(connection, owner, label=name or roles[0], roles=sorted(roles), expires_at=expires_at)[1]


def _user(connection: sa.Connection, name: str, roles: tuple[str, ...]) -> str:
    """Return the id of the user of that name, made or given the roles where that is due."""
    person, key = tables.person, f"node:{name}"
    row = connection.execute(sa.select(person.c.id, person.c.roles).where(person.c.portal_user_id == key)).one_or_none()
    if row is None:
        return add_person(connection, family_name=name, roles=roles, portal_user_id=key)
    if set(roles) - set(row.roles):
        wider = sorted({*row.roles, *roles})
        connection.execute(person.update().where(person.c.id == row.id).values(roles=wider, updated_at=moments.now()))
    found: str = row.id
    return found


def add_person(
    connection: sa.Connection, *, family_name: str, roles: tuple[str, ...], portal_user_id: str | None = None,
    orcid: str | None = None, given_name: str | None = None,
) -> str:  # fmt: skip
    """Put a person into the registry and return the id."""
    identity, at = ids.new(), moments.now()
    connection.execute(
        tables.person.insert().values(
            id=identity, version=1, created_at=at, updated_at=at, family_name=family_name, orcid=orcid,
            portal_user_id=portal_user_id, roles=sorted(roles), data={"givenName": given_name} if given_name else {},
        )
    )  # fmt: skip
    return identity


def _person(connection: sa.Connection, named: str) -> sa.Row[Any]:
    person = tables.person.c
    query = sa.select(tables.person).where(
        sa.or_(*(each == named for each in (person.id, person.orcid, person.portal_user_id)))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UsageError("no such person", where=named, hint="nffa node user list")
    return row
