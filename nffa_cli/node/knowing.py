"""What the database knows of all that a manifest names, asked for at once: a few statements, however many items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, blobs, labels, moments, records, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.planning import ELSEWHERE, Held, HeldAsset, Known, Place, place_of
from nffa_cli.node.rights import Level

TYPE = "measurement"
MEASUREMENT = records.BY_TYPE[TYPE]


def scopes(experiment: str, caller: Caller) -> tuple[str, str]:
    """Return the scopes of the external ids of measurements in an experiment: the common one, and the caller's own.

    The own one is for what somebody else delivered before, whose measurement the caller may not know of.
    """
    return experiment, f"{experiment} {caller.person}"


def known(connection: sa.Connection, caller: Caller, items: Sequence[Mapping[str, Any]]) -> Known:
    """Return what there is of what the items name, as far as the caller may write it."""
    places = {place_of(item) for item in items}
    proposals = _by(connection, tables.proposal.c.proposal_id, tables.proposal.c.id, {portal for portal, _ in places})
    experiments = _experiments(connection, places, proposals)
    external = _external(connection, caller, items, experiments)
    named = {item["measurementId"] for item in items if "measurementId" in item}
    measurements = _measurements(connection, caller, named | set(external.values()))
    instruments = {found for item in items if (found := item["measurement"].get("instrumentId"))}
    return Known(
        proposals, experiments, _barred(connection, caller, places, proposals, experiments), measurements,
        {key: held for key, held in external.items() if held in measurements},
        frozenset(_instruments(connection, tables.registry.c.id, instruments)),
    )  # fmt: skip


def taken(connection: sa.Connection, experiments: Sequence[str], values: Sequence[str]) -> set[tuple[str, str, str]]:
    """Return (scope, scheme, value) of the external ids that measurements of these experiments have, whoever's they are."""
    of = tables.external_id.c
    found: set[tuple[str, str, str]] = set()
    for part in blobs.some(values):
        query = sa.select(of.scope, of.scheme, of.value)
        rows = connection.execute(query.where(of.type == TYPE, of.scope.in_(experiments), of.value.in_(part)))
        found.update((row.scope, row.scheme, row.value) for row in rows)
    return found


def instruments_named(connection: sa.Connection, names: set[str]) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Return the instruments with these names: name → (id, fields) of each."""
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for row in _instruments(connection, tables.registry.c.name, names).values():
        found[row.name].append((row.id, row.data))
    return found


def _by(connection: sa.Connection, column: sa.Column[Any], result: sa.Column[Any], values: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in blobs.some(values):
        found.update((row[0], row[1]) for row in connection.execute(sa.select(column, result).where(column.in_(part))))
    return found


def _experiments(connection: sa.Connection, places: set[Place], proposals: Mapping[str, str]) -> dict[Place, str]:
    of, portals = tables.experiment.c, {proposal: portal for portal, proposal in proposals.items()}
    found: dict[Place, str] = {}
    for part in blobs.some({name for _, name in places}):
        rows = connection.execute(
            sa.select(of.proposal, of.name, of.id).where(of.proposal.in_(portals), of.name.in_(part))
        )
        found |= {(portals[row.proposal], row.name): row.id for row in rows}
    return found


def _barred(
    connection: sa.Connection,
    caller: Caller,
    places: set[Place],
    proposals: Mapping[str, str],
    experiments: Mapping[Place, str],
) -> frozenset[Place]:
    portals = {portal for portal, _ in places}
    open_to = {portal for portal in portals if access.may_deposit(connection, caller, proposals.get(portal))}
    return frozenset(
        place
        for place in places
        if place[0] not in open_to
        and not (place in experiments and access.may(connection, caller, "write", "experiment", experiments[place]))
    )


def _external(
    connection: sa.Connection,
    caller: Caller,
    items: Sequence[Mapping[str, Any]],
    experiments: Mapping[Place, str],
) -> dict[tuple[Place, str, str], str]:
    """Return the measurements by place and external id; the caller's own scope counts first."""
    of = tables.external_id.c
    values = {each["value"] for item in items for each in item["measurement"]["externalIds"]}
    common = {scopes(experiment, caller)[0]: place for place, experiment in experiments.items()}
    own = {scopes(experiment, caller)[1]: place for place, experiment in experiments.items()}
    found: dict[tuple[Place, str, str], str] = {}
    for part in blobs.some(values):
        query = sa.select(of.scope, of.scheme, of.value, of.resource)
        query = query.where(of.type == TYPE, of.scope.in_([*common, *own]), of.value.in_(part))
        rows = sorted(connection.execute(query), key=lambda row: row.scope in own)
        found |= {((common | own)[row.scope], row.scheme, row.value): row.resource for row in rows}
    return found


def _measurements(connection: sa.Connection, caller: Caller, ids: set[str]) -> dict[str, Held]:
    of, experiment, proposal = tables.measurement, tables.experiment.c, tables.proposal.c
    found: dict[str, Held] = {}
    rules = access.at_least(Level.ADMINISTRATE, caller, moments.now())
    own = of.c.deposited_by == caller.person if "depositor" in caller.roles else sa.false()
    moves = sa.case((sa.or_(rules, own), 1), else_=0).label("moves")
    for part in blobs.some(ids):
        query = (
            sa.select(of, moves, proposal.proposal_id.label("portal"), experiment.name.label("experiment_name"))
            .join(tables.experiment, experiment.id == of.c.experiment)
            .join(tables.proposal, proposal.id == of.c.proposal)
            .where(of.c.id.in_(part), access.writable(caller, moments.now()))
        )
        rows = connection.execute(query).all()
        here = [row.id for row in rows]
        documents, assets = _documents(connection, here), _assets(connection, here)
        embeddings = _embeddings(connection, here)
        for row, fields in zip(rows, records.fields_of(connection, MEASUREMENT, rows), strict=True):
            sent = labels.as_sent(row, fields)
            about = {name: value for name, value in sent.items() if name not in (*ELSEWHERE, "experimentId")}
            external = frozenset((each["scheme"], each["value"]) for each in fields["externalIds"])
            found[row.id] = Held(
                row.id, row.seq, row.version, (row.portal, row.experiment_name), about, external, row.instrument,
                row.start_time, documents[row.id], embeddings.get(row.id), assets[row.id], not row.moves,
            )  # fmt: skip
    return found


def _documents(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in connection.execute(tables.document.select().where(tables.document.c.measurement.in_(ids))):
        found[row.measurement][row.schema] = row.body
    return found


def _embeddings(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    of = tables.measurement_embedding
    rows = connection.execute(of.select().where(of.c.measurement.in_(ids)))
    return {row.measurement: (row.model, row.vector) for row in rows}


def _assets(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, HeldAsset]]:
    asset, location = tables.asset, tables.location.c
    here = sa.select(asset.c.id).where(asset.c.measurement.in_(ids))
    linked = sa.select(location.asset, location.uri).where(location.asset.in_(here), location.access_mode == "linked")
    uris = {row.asset: row.uri for row in connection.execute(linked)}
    found: dict[str, dict[str, HeldAsset]] = defaultdict(dict)
    for row in connection.execute(asset.select().where(asset.c.measurement.in_(ids))):
        uri = uris.get(row.id) if row.state == "linked" else None
        held = HeldAsset(
            row.id, row.relative_path, row.version, row.sha256, row.size, row.state, uri, {**row.data, "role": row.role}
        )
        found[row.measurement][row.relative_path] = held
    return found


def _instruments(connection: sa.Connection, column: sa.Column[Any], values: set[str]) -> dict[str, sa.Row[Any]]:
    of = tables.registry
    found: dict[str, sa.Row[Any]] = {}
    for part in blobs.some(values):
        for row in connection.execute(of.select().where(of.c.type == "instrument", column.in_(part))):
            found[row.id] = row
    return found
