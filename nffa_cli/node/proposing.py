"""The portal's proposals put into the node's registry, on the database itself: made, or brought up to date.

The portal decides title, state, investigator and members of a proposal; policy and embargo stay the node's. A member is a
person with an ORCID: without one nobody could be told from a namesake, and no rights are given to a mere name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import sqlalchemy as sa

from nffa_cli.node import admin, callers, records, resources, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.database import Database
from nffa_cli.node.problems import Problem
from nffa_cli.node.requests import Expected
from nffa_cli.node.resources import Desk
from nffa_cli.proposals import UNVERIFIED, Person, Proposal, name_parts

Status = Literal["done", "unchanged", "failed"]
KIND = records.BY_TYPE["proposal"]
OURS = frozenset({"proposalId", "proposalTitle", "abstract", "state", "principalInvestigator", "members"})
"""Fields that the portal decides."""
PORTAL, ROLES = "portal", ("admin",)
"""Who the audit says that it was; nobody has a token of this user."""


def take(database: Database, proposals: Iterable[Proposal]) -> Iterator[tuple[str, Status, str | None]]:
    """Put proposals into the registry; yield the number of each, what became of it, and why it could not be taken."""
    with database.write() as connection:
        caller = Caller(admin.user_named(connection, PORTAL, ROLES), frozenset(ROLES))
    for each in proposals:
        try:
            with database.write() as connection:
                status: Status = "done" if _take(Desk(connection, caller, "", None), each) else "unchanged"
            yield each.id, status, None
        except Problem as problem:
            yield each.id, "failed", problem.detail


def _take(desk: Desk, wanted: Proposal) -> bool:
    """Take one proposal; return whether anything is different now."""
    fields = _fields(desk.connection, wanted)
    of = tables.proposal
    row = desk.connection.execute(of.select().where(of.c.proposal_id == wanted.id)).one_or_none()
    if row is None:
        resources.make(desk, KIND, resources.validated(KIND, fields))
        return True
    was = records.fields_of(desk.connection, KIND, [row])[0]
    kept = {name: value for name, value in was.items() if name not in OURS}
    if "members" not in fields:
        fields["members"] = was["members"]
    said = resources.validated(KIND, {**kept, **fields})
    resources.change(desk, KIND, row, said, Expected(frozenset({row.version})))
    version = desk.connection.execute(sa.select(of.c.version).where(of.c.id == row.id)).scalar_one()
    return bool(version != row.version)


def _fields(connection: sa.Connection, wanted: Proposal) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "proposalId": wanted.id,
        "proposalTitle": wanted.id[:1000],
        **wanted.as_delivered(),
        "state": wanted.state or UNVERIFIED,
    }
    if wanted.abstract:
        fields["abstract"] = wanted.abstract
    members: dict[str, str] = {}
    for person, role in [
        (wanted.investigator, "principalInvestigator"),
        *((each, _role(each)) for each in wanted.members),
    ]:
        if person is not None and person.orcid is not None:
            members.setdefault(_person(connection, person), role)
    if members:
        fields["members"] = [{"personId": person, "role": role} for person, role in members.items()]
    return fields


def _person(connection: sa.Connection, wanted: Person) -> str:
    """Return the id of the person with this ORCID, who is put into the registry if need be, without any role."""
    of = tables.person.c
    found = connection.execute(sa.select(of.id).where(of.orcid == wanted.orcid)).scalar()
    if found is not None:
        return str(found)
    name = name_parts(wanted.name)
    return admin.add_person(
        connection, family_name=name["familyName"], roles=(), orcid=wanted.orcid, given_name=name.get("givenName")
    )


def _role(person: Person) -> str:
    known = {role.casefold(): role for role in callers.PROPOSAL_ROLES}
    return known.get("".join((person.role or "").split()).casefold(), "teamMember")
