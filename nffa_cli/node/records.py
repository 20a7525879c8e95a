"""Records as rows and as JSON: which field lies in which column, one table for every type; no rights and no requests here.

A field that is asked for has a column; the others lie in ``data`` as they were sent. What a measurement holds deep inside and is
searched by (sample, category, voltage, start) has a column besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import checksums, contract, describing, ids, moments, tables
from nffa_cli.node.rights import Type

Fields = Mapping[str, Any]
Model = type[contract.Kept]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of record.

    columns
        Column → the field that it holds.
    derived
        Fields → columns that are only searched by.
    parent
        Column and type of what it hangs under.
    refers
        Field → type of what its id, or each id of its list, must be.
    scope
        Column within which external ids are unique; None: in the whole node.
    inner
        Fields that are shown only to who may read, not to who may merely see.
    ruled
        Fields that only data managers and administrators set.
    apart
        The fields that lie in no ``data``: in columns, and in tables of their own.
    """

    type: Type
    path: str
    table: sa.Table
    model: Model
    columns: Mapping[str, str]
    derived: Callable[[Fields], dict[str, Any]] = lambda _: {}
    parent: tuple[str, Type] | None = None
    refers: Mapping[str, Type] = field(default_factory=dict)
    scope: str | None = None
    inner: frozenset[str] = frozenset()
    ruled: frozenset[str] = frozenset()
    apart: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        apart = frozenset({*self.columns.values(), "externalIds", "members", "locations", "dataChecksum"})
        object.__setattr__(self, "apart", apart)


def _of_asset(fields: Fields) -> dict[str, Any]:
    return {"sha256": fields["dataChecksum"]["value"]}


def _registry(type: Type, path: str, model: Model, **refers: Type) -> Kind:
    return Kind(type, path, tables.registry, model, {"name": f"{type}Name"}, refers=refers)


_PERSON = {"family_name": "familyName", "orcid": "orcid", "portal_user_id": "portalUserId", "roles": "roles"}
_PROPOSAL = {"proposal_id": "proposalId", "title": "proposalTitle", "state": "state", "policy": "policyId"}
_EXPERIMENT = {
    "name": "experimentName", "proposal": "proposalId", "start_date": "startDate", "end_date": "endDate", "state": "state",
}  # fmt: skip
_MEASUREMENT = {
    "name": "measurementName", "kind": "kind", "experiment": "experimentId", "instrument": "instrumentId",
    "technique": "technique", "format": "format",
}  # fmt: skip
_ASSET = {
    "relative_path": "relativePath", "role": "role", "size": "dataSize", "state": "state", "measurement": "measurementId",
}  # fmt: skip

KINDS: tuple[Kind, ...] = (
    _registry("facility", "facilities", contract.Facility, defaultPolicyId="policy"),
    _registry("instrument", "instruments", contract.Instrument, facilityId="facility", scientists="person"),
    Kind("person", "persons", tables.person, contract.Person, _PERSON, inner=frozenset({"externalIds", "disabled"})),
    Kind("sample", "samples", tables.registry, contract.Sample, {"name": "sampleName"}, refers={"parents": "sample"},
         scope="created_by"),
    _registry("archive", "archives", contract.Archive, facilityId="facility", policyId="policy"),
    _registry("policy", "policies", contract.Policy),
    _registry("schema", "schemas", contract.Schema),
    Kind("proposal", "proposals", tables.proposal, contract.Proposal, _PROPOSAL,
         refers={"policyId": "policy", "facilityIds": "facility"}, inner=frozenset({"abstract", "members"}),
         ruled=frozenset({"policyId"})),
    Kind("experiment", "experiments", tables.experiment, contract.Experiment, _EXPERIMENT, parent=("proposal", "proposal"),
         refers={"instrumentIds": "instrument"}, scope="proposal"),
    Kind("measurement", "measurements", tables.measurement, contract.Measurement, _MEASUREMENT, describing.columns,
         parent=("experiment", "experiment"), refers={"instrumentId": "instrument"}, scope="experiment"),
    Kind("dataasset", "dataassets", tables.asset, contract.DataAsset, _ASSET, _of_asset,
         parent=("measurement", "measurement"), scope="measurement"),
)  # fmt: skip
BY_TYPE: Mapping[str, Kind] = {kind.type: kind for kind in KINDS}


def values(kind: Kind, fields: Fields) -> dict[str, Any]:
    """Return the columns of a record with these fields, ``data`` among them; not its parents' columns or its version."""
    found = {column: fields.get(name) for column, name in kind.columns.items()}
    if kind.table is tables.registry:
        found["type"] = kind.type
    data = {name: each for name, each in fields.items() if name not in kind.apart}
    return found | kind.derived(fields) | {"data": data}


def insert(
    connection: sa.Connection, kind: Kind, fields: Fields, *, by: str | None, id: str | None = None, **more: Any
) -> str:
    """Make a record and return its id; its external ids too, not its members or locations.

    Parameters
    ----------
    by
        Id of the person who makes it.
    more
        Columns that no field says: of a measurement ``proposal``, ``deposited_by``, ``released_at`` and ``metadata_open``.
    """
    identity, at = id or ids.new(), moments.now()
    stamps = {"id": identity, "version": 1, "created_at": at, "created_by": by, "updated_at": at, "updated_by": by}
    row = stamps | values(kind, fields) | more
    connection.execute(kind.table.insert().values(row))
    put_external_ids(connection, kind, identity, scope_of(kind, row), fields.get("externalIds", ()))
    return identity


def update(connection: sa.Connection, kind: Kind, id: str, fields: Fields, *, by: str | None, **more: Any) -> int:
    """Replace the fields of a record and return its new version; the parameters are those of ``insert``."""
    table = kind.table
    said = values(kind, fields) | {"updated_at": moments.now(), "updated_by": by, "version": table.c.version + 1} | more
    connection.execute(table.update().where(table.c.id == id).values(said))
    row = connection.execute(sa.select(table).where(table.c.id == id)).one()
    put_external_ids(connection, kind, id, scope_of(kind, dict(row._mapping)), fields.get("externalIds", ()))
    version: int = row.version
    return version


def touch(connection: sa.Connection, kind: Kind, id: str, *, by: str | None) -> int:
    """Give a record a new version because something that belongs to it changed; return it."""
    table = kind.table
    said = {"updated_at": moments.now(), "updated_by": by, "version": table.c.version + 1}
    connection.execute(table.update().where(table.c.id == id).values(said))
    version: int = connection.execute(sa.select(table.c.version).where(table.c.id == id)).scalar_one()
    return version


def scope_of(kind: Kind, row: Mapping[str, Any]) -> str:
    """Return within what the external ids of a record are unique."""
    return (row[kind.scope] or "") if kind.scope else ""


def put_external_ids(
    connection: sa.Connection, kind: Kind, id: str, scope: str, external: Sequence[Mapping[str, str]]
) -> None:
    """Let a record have exactly these external ids; IntegrityError where another has one of them."""
    table = tables.external_id
    connection.execute(table.delete().where(table.c.type == kind.type, table.c.resource == id))
    wanted = {(each["scheme"], each["value"]) for each in external}
    if wanted:
        rows = [
            {"type": kind.type, "scope": scope, "scheme": scheme, "value": value, "resource": id}
            for scheme, value in sorted(wanted)
        ]
        connection.execute(table.insert(), rows)


def external_ids(connection: sa.Connection, type: str, wanted: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the external ids of records of a type, by id."""
    table = tables.external_id.c
    query = sa.select(table.resource, table.scheme, table.value).where(table.type == type, table.resource.in_(wanted))
    found: dict[str, list[dict[str, str]]] = {}
    for row in connection.execute(query.order_by(table.scheme, table.value)):
        found.setdefault(row.resource, []).append({"scheme": row.scheme, "value": row.value})
    return found


def members(connection: sa.Connection, wanted: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the members of proposals, by id."""
    table = tables.member.c
    query = sa.select(table.proposal, table.person, table.role).where(table.proposal.in_(wanted))
    found: dict[str, list[dict[str, str]]] = {}
    for row in connection.execute(query.order_by(table.person, table.role)):
        found.setdefault(row.proposal, []).append({"personId": row.person, "role": row.role})
    return found


def locations(connection: sa.Connection, wanted: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return where the copies of assets lie, by id."""
    table = tables.location
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(sa.select(table).where(table.c.asset.in_(wanted)).order_by(table.c.id)):
        found.setdefault(row.asset, []).append(location(row))
    return found


def location(row: sa.Row[Any]) -> dict[str, Any]:
    """Return one location as JSON."""
    said = {
        "id": row.id, "uri": row.uri, "accessMode": row.access_mode, "archiveId": row.archive, "verifiedAt": row.verified_at,
        "verifiedDigest": row.verified_digest,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def fields_of(connection: sa.Connection, kind: Kind, rows: Sequence[sa.Row[Any]]) -> list[dict[str, Any]]:
    """Return the fields of records, whole, as a client sends them."""
    wanted = [row.id for row in rows]
    external = external_ids(connection, kind.type, wanted)
    apart: dict[str, dict[str, list[dict[str, Any]]]] = {}
    if kind.type == "proposal":
        apart["members"] = members(connection, wanted)
    if kind.type == "dataasset":
        apart["locations"] = locations(connection, wanted)
    found = []
    for row in rows:
        said = dict(row.data) | {name: row._mapping[column] for column, name in kind.columns.items()}
        if kind.type == "dataasset":
            said["dataChecksum"] = checksums.said(row.sha256)
        said |= {name: lists.get(row.id, []) for name, lists in apart.items()}
        found.append(
            {name: each for name, each in said.items() if each is not None} | {"externalIds": external.get(row.id, [])}
        )
    return found


def as_json(
    connection: sa.Connection,
    kind: Kind,
    rows: Sequence[sa.Row[Any]],
    base: str,
    *,
    reads: Callable[[sa.Row[Any]], bool],
) -> list[dict[str, Any]]:
    """Return records as the contract says.

    Parameters
    ----------
    base
        Address of the interface, for the links.
    reads
        Whether the caller may read a row, and not merely see it.
    """
    found = []
    for row, fields in zip(rows, fields_of(connection, kind, rows), strict=True):
        own = fields if reads(row) else {name: each for name, each in fields.items() if name not in kind.inner}
        stamps = {
            "id": row.id, "type": kind.type, "version": row.version, "createdAt": row.created_at, "createdBy": row.created_by,
            "updatedAt": row.updated_at, "updatedBy": row.updated_by,
        }  # fmt: skip
        found.append(stamps | own | {"links": links(kind, row, base)})
    return found


def links(kind: Kind, row: sa.Row[Any], base: str) -> dict[str, str]:
    """Return the addresses of a record and of what it hangs under or holds."""
    own = f"{base}/{kind.path}/{row.id}"
    found = {"self": own}
    if kind.parent:
        column, above = kind.parent
        found[above] = f"{base}/{BY_TYPE[above].path}/{row._mapping[column]}"
    if kind.type == "dataasset":
        found["content"] = f"{own}/content"
    if kind.type == "measurement":
        found |= {"dataassets": f"{base}/dataassets?measurement={row.id}", "metadata": f"{own}/metadata"}
    return found
