"""Whose account a token of an issuer is: the person with this issuer and subject among the external ids, made at first sight.

Nobody is taken for a person of the registry by a name or an address that the issuer tells. Only where the operator has said
that a claim holds an ORCID iD to go by is it compared, and never gives rights over the whole node: those who have such are
linked by an administrator (``changed``).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from nffa_cli import orcid
from nffa_cli.errors import UsageError
from nffa_cli.node import admin, audit, moments, records, tables
from nffa_cli.node.callers import NOBODY, Caller, is_out
from nffa_cli.node.database import Database
from nffa_cli.node.issuer import OPAQUE_FOR, Issuer
from nffa_cli.node.problems import Problem
from nffa_cli.node.rights import EVERYWHERE

KIND = records.BY_TYPE["person"]
FIRST_ROLE = "reader"
NAMES = frozenset({"family_name", "name", "preferred_username"})
LONGEST_NAME = 200
DAY = 86_400


def caller(known: Database, issuer: Issuer, token: str) -> Caller | None:
    """Return whose a token of an issuer is; None: it is not good, or its person is kept out.

    Raises
    ------
    Problem
        503: the issuer has to be asked and does not answer.
    """
    said = issuer.claims(token)
    subject = said.get("sub") if said else None
    if said is None or not _is_subject(subject):
        return None
    name = issuer.settings.issuer
    with known.read() as connection:
        row = _linked(connection, name, subject)
    if row is None:
        said = {**_more(issuer, token, said), **said}
        with known.write() as connection:
            row = _linked(connection, name, subject) or _first_seen(connection, issuer, subject, said)
    if is_out(row.data):
        return None
    ends, now = said.get("exp"), time.time()
    ends = min(ends, now + DAY) if isinstance(ends, int | float) else now + OPAQUE_FOR
    expires_at = moments.shown(datetime.fromtimestamp(ends, UTC))
    return Caller(row.id, frozenset(row.roles), issuer=name, expires_at=expires_at)


def _more(issuer: Issuer, token: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the issuer's userinfo adds to a token that says no name, or not the claim that decides whose account it is."""
    claim = issuer.settings.orcid_claim
    decides = claim is not None and claim not in said
    if not decides and not NAMES.isdisjoint(said):
        return {}
    try:
        more = issuer.userinfo(token) or {}
    except Problem:
        if decides:
            raise
        return {}
    return more if more.get("sub") == said["sub"] else {}


def changed(
    database: Database,
    named: str,
    *,
    roles: tuple[str, ...] | None = None,
    account: tuple[str, str] | None = None,
    out: bool | None = None,
) -> str:
    """Change what an operator says of a person, and return the id.

    Parameters
    ----------
    named
        Id, ORCID or portal id.
    roles
        Those in the whole node, instead of those there are.
    account
        Issuer and subject whose tokens are the person's from now on, and nobody else's.
    out
        True: no token of the person is good, whoever made it.

    Raises
    ------
    UsageError
        There is no such person, or the subject is none.
    """
    if account is not None and not _is_subject(account[1]):
        raise UsageError("this is no subject of an issuer: 1 to 255 printable characters of ASCII")
    link = {"scheme": account[0], "value": account[1]} if account else None
    with database.write() as connection:
        row = admin.person_named(connection, named)
        said = records.fields_of(connection, KIND, [row])[0]
        if roles is not None:
            said["roles"] = sorted(set(roles))
        if out is not None:
            said["disabled"] = out or None
        if link is not None and link not in said["externalIds"]:
            if (held := _linked(connection, *link.values())) is not None:
                other = records.fields_of(connection, KIND, [admin.person_named(connection, held.id)])[0]
                rest = [each for each in other["externalIds"] if each != link]
                _put(connection, held.id, {**other, "externalIds": rest})
            said["externalIds"] = [*said["externalIds"], link]
        _put(connection, row.id, said)
        return str(row.id)


def _put(connection: sa.Connection, id: str, said: Mapping[str, Any]) -> None:
    """Let a person say this, where that is not so yet."""
    was = records.fields_of(connection, KIND, [admin.person_named(connection, id)])[0]
    if fields := sorted(name for name in said if said[name] != was.get(name)):
        now = {name: value for name, value in said.items() if value is not None}
        records.update(connection, KIND, id, now, by=None)
        audit.note(connection, NOBODY, "update", "person", id, diff={"fields": fields})


def _linked(connection: sa.Connection, issuer: str, subject: Any) -> sa.Row[Any] | None:
    person, link = tables.person.c, tables.external_id.c
    query: sa.Select[Any] = sa.select(person.id, person.roles, person.data)
    query = query.join(tables.external_id, link.resource == person.id)
    mine = (link.type == "person", link.scope == "", link.scheme == issuer, link.value == subject)
    return connection.execute(query.where(*mine)).one_or_none()


def _first_seen(connection: sa.Connection, issuer: Issuer, subject: Any, said: Mapping[str, Any]) -> sa.Row[Any]:
    """Link the person whom the claims name, where they may, or make one; return it."""
    name, claim = issuer.settings.issuer, issuer.settings.orcid_claim
    iD = orcid.normal(said.get(claim)) if claim else None
    person, link = tables.person, {"scheme": name, "value": subject}
    there = connection.execute(sa.select(person).where(person.c.orcid == iD)).one_or_none() if iD else None
    if there is not None and _may_be_taken(connection, there, name):
        was = records.fields_of(connection, KIND, [there])[0]
        fields = was | {"roles": was["roles"] or [FIRST_ROLE], "externalIds": [*was["externalIds"], link]}
        records.update(connection, KIND, there.id, fields, by=there.id)
        diff = {"fields": sorted(name for name in fields if fields[name] != was.get(name))}
        identity, action = there.id, "update"
    else:
        fields = {**_named(said, subject), "roles": [FIRST_ROLE], "externalIds": [link]}
        fields |= {"orcid": iD} if iD and there is None else {}
        identity, action, diff = records.insert(connection, KIND, fields, by=None), "create", {}
    audit.note(connection, Caller(identity, issuer=name), action, "person", identity, diff=diff)
    found = _linked(connection, name, subject)
    assert found is not None
    return found


def _may_be_taken(connection: sa.Connection, row: sa.Row[Any], issuer: str) -> bool:
    """Tell whether a claim may say that somebody is this person: not one with rights over all, nor one who has an account."""
    linked = records.external_ids(connection, "person", [row.id]).get(row.id, ())
    return not set(row.roles) & EVERYWHERE and all(each["scheme"] != issuer for each in linked)


def _named(said: Mapping[str, Any], subject: str) -> dict[str, str]:
    """Return the name that an issuer tells, as the registry has names; the subject where it tells none."""
    family, given = _text(said.get("family_name")), _text(said.get("given_name"))
    if family:
        return {"familyName": family, **({"givenName": given} if given else {})}
    return {"familyName": _text(said.get("name")) or _text(said.get("preferred_username")) or subject}


def _text(value: Any) -> str:
    return "".join(filter(str.isprintable, value)).strip()[:LONGEST_NAME] if isinstance(value, str) else ""


def _is_subject(value: Any) -> bool:
    plain = isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()
    return plain and 0 < len(value) <= 255
