"""What an administrator does on the database itself, also while the node serves it: tokens, users, policies."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from nffa_cli import orcid as orcids
from nffa_cli.errors import UsageError
from nffa_cli.node import audit, callers, moments, policies, records, tables
from nffa_cli.node.callers import NOBODY
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
        Who uses it where that is no person of the registry, such as an instrument PC; tokens of one name are one user, who
        may change what was delivered by any of them. With ``person``: what the token is called.
    person
        Id, ORCID or portal id of a person who is there and has these roles.
    days
        For how long it is good; None: until it is revoked.

    Raises
    ------
    UsageError
        There is no such person, or the person lacks a role; it is not said whose it is.
    """
    if name is None and person is None:
        hint = "--name sem-pc-3 for an instrument PC, each its own; --person ID for a person (nffa node user add NAME)"
        raise UsageError("say whose the token is", hint=hint)
    with database.write() as connection:
        if person is None:
            owner = user_named(connection, str(name), roles)
        else:
            row = person_named(connection, person)
            if lacks := sorted(set(roles) - set(row.roles)):
                hint = "an administrator changes roles: PATCH /persons/{id}"
                raise UsageError(f"has not the role {', '.join(lacks)}", where=row.family_name, hint=hint)
            owner = row.id
        expires_at = moments.later(days * DAY) if days else None
        return callers.made(connection, owner, label=name or roles[0], roles=sorted(roles), expires_at=expires_at)[1]


def user_named(connection: sa.Connection, name: str, roles: tuple[str, ...]) -> str:
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


def add_person(connection: sa.Connection, *, family_name: str, roles: tuple[str, ...], **more: str | None) -> str:
    """Put a person into the registry and return the id.

    Parameters
    ----------
    more
        ``portal_user_id``, ``orcid``, ``given_name``.
    """
    names = {"portal_user_id": "portalUserId", "orcid": "orcid", "given_name": "givenName"}
    fields = {"familyName": family_name, "roles": sorted(roles)} | {
        names[name]: more[name] for name in more if more[name]
    }
    identity = records.insert(connection, records.BY_TYPE["person"], fields, by=None)
    audit.note(connection, NOBODY, "create", "person", identity)
    return identity


def add_user(
    database: Database, *, family_name: str, roles: tuple[str, ...], given_name: str | None, orcid: str | None
) -> str:
    """Put a person into the registry and return the id.

    Raises
    ------
    UsageError
        The ORCID is none, or is another person's.
    """
    known = orcids.normal(orcid) if orcid else None
    if orcid and not known:
        raise UsageError("not an ORCID: a digit is missing or wrong", where=orcid)
    try:
        with database.write() as connection:
            return add_person(connection, family_name=family_name, roles=roles, given_name=given_name, orcid=known)
    except sa.exc.IntegrityError:
        raise UsageError("there is a person with this ORCID", where=known, hint="nffa node user list") from None


def users(database: Database) -> list[dict[str, Any]]:
    """Return all persons."""
    with database.read() as connection:
        rows = connection.execute(
            sa.select(tables.person).order_by(tables.person.c.family_name, tables.person.c.id)
        ).all()
        link = tables.external_id.c
        linked = connection.execute(
            sa.select(link.resource, link.scheme, link.value).where(link.type == "person")
        ).all()
    accounts: dict[str, list[str]] = {}
    for each in linked:
        accounts.setdefault(each.resource, []).append(f"{each.scheme} {each.value}")
    return [
        {"type": "user", "id": row.id, "familyName": row.family_name, "givenName": row.data.get("givenName"), "orcid": row.orcid,
         "portalUserId": row.portal_user_id, "roles": row.roles, "accounts": accounts.get(row.id, []),
         "disabled": callers.is_out(row.data)}
        for row in rows
    ]  # fmt: skip


def tokens(database: Database) -> list[dict[str, Any]]:
    """Return all tokens; nothing of them that would let anybody in."""
    token, person = tables.token, tables.person.c
    query = sa.select(token, person.family_name).join(tables.person, person.id == token.c.person).order_by(token.c.id)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [
        {"type": "token", "id": row.id, "user": row.family_name, "label": row.label, "roles": row.roles,
         "created": row.created_at,
         "expires": row.expires_at, "used": row.used_at, "revoked": row.revoked_at}
        for row in rows
    ]  # fmt: skip


def revoke_token(database: Database, given: str) -> None:
    """Revoke a token by its id, or by the token itself.

    Raises
    ------
    UsageError
        There is no such token.
    """
    found = callers.TOKEN.fullmatch(given)
    identity = str(uuid.UUID(found[1])) if found else given
    table = tables.token
    with database.write() as connection:
        row = connection.execute(sa.select(table.c.revoked_at).where(table.c.id == identity)).one_or_none()
        if row is None:
            raise UsageError("no such token", hint="nffa node token list")
        if row.revoked_at is None:
            connection.execute(table.update().where(table.c.id == identity).values(revoked_at=moments.now()))
            audit.note(connection, NOBODY, "delete", "token", identity)


def all_policies(database: Database) -> list[dict[str, Any]]:
    """Return all data policies."""
    registry = tables.registry
    with database.read() as connection:
        rows = connection.execute(sa.select(registry).where(registry.c.type == "policy").order_by(registry.c.id)).all()
    return [{"type": "policy", "id": row.id, "policyName": row.name, **row.data} for row in rows]


def add_policy(database: Database, fields: dict[str, Any]) -> str:
    """Make a data policy of these fields (those of the contract) and return its id.

    Raises
    ------
    UsageError
        There is one of that name.
    """
    kind = records.BY_TYPE["policy"]
    said = kind.model.model_validate(fields).fields()
    with database.write() as connection:
        if _policy(connection, said["policyName"]) is not None:
            raise UsageError("there is a policy of this name", where=said["policyName"], hint="nffa node policy list")
        identity = records.insert(connection, kind, said, by=None)
        audit.note(connection, NOBODY, "create", "policy", identity)
    return identity


def set_default_policy(database: Database, named: str) -> None:
    """Let proposals that name no policy get this one (its name or id) from now on.

    Raises
    ------
    UsageError
        There is no such policy.
    """
    with database.write() as connection:
        identity = _policy(connection, named)
        if identity is None:
            raise UsageError("no such policy", where=named, hint="nffa node policy list")
        policies.only(connection, identity)
        audit.note(connection, NOBODY, "update", "policy", identity, diff={"fields": [policies.FLAG]})


def _policy(connection: sa.Connection, named: str) -> str | None:
    registry = tables.registry.c
    query = sa.select(registry.id).where(
        registry.type == "policy", sa.or_(registry.id == named, registry.name == named)
    )
    found: str | None = connection.execute(query.order_by(registry.id)).scalars().first()
    return found


def person_named(connection: sa.Connection, named: str) -> sa.Row[Any]:
    """Return the person with this id, ORCID or portal id.

    Raises
    ------
    UsageError
        There is none.
    """
    person = tables.person.c
    query = sa.select(tables.person).where(
        sa.or_(*(each == named for each in (person.id, person.orcid, person.portal_user_id)))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UsageError("no such person", where=named, hint="nffa node user list")
    return row
