"""What a later delivery says of proposals and experiments that are there: their fields follow it, until somebody else has spoken.

A field follows while the record is ``unverified`` (only deliveries have named it so far: the portal and persons give it another
state), while no person has changed that field, and only where the deliverer made the record or may write it. What a delivery
does not say stays. Nothing that was to open later is opened by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, blobs, records, resources, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.planning import Known, place_of
from nffa_cli.node.requests import Expected
from nffa_cli.node.rights import Type
from nffa_cli.node.writing import UNVERIFIED

FOLLOWED: Mapping[Type, tuple[str, ...]] = {
    "proposal": ("abstract", "principalInvestigator", "proposalTitle"),
    "experiment": ("description", "endDate", "startDate"),
}
"""Type → the fields that follow."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record, and what its fields are to say."""

    type: Type
    id: str
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what the deliverer is told of it."""
        return {"type": self.type, "id": self.id, "fields": sorted(self.fields)}


def due(connection: sa.Connection, caller: Caller, items: Sequence[Mapping[str, Any]], known: Known) -> list[Change]:
    """Return what is to follow; where items of one delivery differ, the last one counts."""
    said: dict[Type, dict[str, dict[str, Any]]] = {kind: defaultdict(dict) for kind in FOLLOWED}
    for item in items:
        if (place := place_of(item)) in known.barred:
            continue
        named: Mapping[Type, str | None] = {
            "proposal": known.proposals.get(place[0]),
            "experiment": known.experiments.get(place),
        }
        for kind, found in named.items():
            if found is not None:
                said[kind][found] |= {name: item[kind][name] for name in FOLLOWED[kind] if name in item[kind]}
    return [change for kind, each in said.items() for change in _of_type(connection, caller, kind, each)]


def follow(connection: sa.Connection, caller: Caller, changes: Iterable[Change], request_id: str | None) -> None:
    """Let the records say it."""
    desk = resources.Desk(connection, caller, "", request_id)
    for change in changes:
        kind = records.BY_TYPE[change.type]
        row = connection.execute(sa.select(kind.table).where(kind.table.c.id == change.id)).one()
        was = records.fields_of(connection, kind, [row])[0]
        resources.change(desk, kind, row, {**was, **change.fields}, Expected(None), delivered=True)


def _of_type(
    connection: sa.Connection, caller: Caller, type: Type, said: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    kind, other = records.BY_TYPE[type], {}
    of = kind.table
    for part in blobs.some([each for each, fields in said.items() if fields]):
        for row in connection.execute(sa.select(of).where(of.c.id.in_(part), of.c.state == UNVERIFIED)):
            was = dict(row.data) | {name: row._mapping[column] for column, name in kind.columns.items()}
            fields = {name: value for name, value in said[row.id].items() if was.get(name) != value}
            mine = row.created_by == caller.person and "depositor" in caller.roles
            if fields and (mine or access.may(connection, caller, "write", type, row.id)):
                other[row.id] = fields
    edited = _edited(connection, type, list(other))
    for each, fields in other.items():
        if rest := {name: value for name, value in fields.items() if name not in edited[each]}:
            yield Change(type, each, rest)


def _edited(connection: sa.Connection, type: Type, ids: Sequence[str]) -> dict[str, set[str]]:
    """Return the fields that persons have changed, by id."""
    of, found = tables.audit.c, defaultdict[str, set[str]](set)
    for part in blobs.some(ids):
        query = sa.select(of.resource, of.diff).where(of.type == type, of.resource.in_(part), of.action == "update")
        for row in connection.execute(query):
            found[row.resource].update(row.diff.get("fields", ()))
    return found
