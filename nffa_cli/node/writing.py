"""The rows that a commit writes, kind by kind and each kind at once; what becomes of each item was planned before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import (
    checksums,
    ids,
    knowing,
    labels,
    moments,
    opinions,
    planning,
    policies,
    records,
    releasing,
    search,
    tables,
    words,
)
from nffa_cli.node.audit import told
from nffa_cli.node.callers import Caller
from nffa_cli.node.planning import HeldAsset, Known, Place, Step, Wanted, place_of

UNVERIFIED = "unverified"
"""State of a proposal and of an experiment that only an ingest has named so far."""
Rows = list[dict[str, Any]]


def written(
    connection: sa.Connection,
    caller: Caller,
    items: Sequence[Mapping[str, Any]],
    steps: Sequence[Step],
    known: Known,
    request_id: str | None,
) -> Rows:
    """Write what the steps say and return what the sender is told of each item."""
    commit = _Commit(connection, caller, moments.now(), request_id)
    pairs = [(item, step) for item, step in zip(items, steps, strict=True) if step.takes_part]
    experiments = commit.places([item for item, _ in pairs], known)
    commit.measurements(pairs, experiments)
    commit.assets([step for _, step in pairs])
    commit.audit()
    return [_told(step) for step in steps]


def _told(step: Step) -> dict[str, Any]:
    version = (step.version or 0) + 1 if step.takes_part else step.version
    assets = [
        {
            "assetId": given,
            "relativePath": asset.path,
            "dataChecksum": checksums.said(asset.sha256),
        }
        for asset, given, _, _ in step.assets
    ]
    return {"ref": step.ref, "measurementId": step.measurement, "version": version, "assets": assets}


class _Commit:
    """One commit: who, when, and what is told of it in the audit at its end."""

    def __init__(self, connection: sa.Connection, caller: Caller, now: str, request_id: str | None) -> None:
        self.connection = connection
        self.caller = caller
        self.now = now
        self.request_id = request_id
        self.notes: Rows = []

    def insert(self, table: sa.FromClause, rows: Rows) -> None:
        if rows:
            self.connection.execute(sa.insert(table), rows)  # type: ignore[arg-type]

    def note(self, action: str, type: str, resource: str, diff: Mapping[str, Any]) -> None:
        values = {"at": self.now, "actor": self.caller.person, "action": action, "type": type, "resource": resource}
        self.notes.append({**values, "request_id": self.request_id, "diff": told(self.caller, diff)})

    def audit(self) -> None:
        self.insert(tables.audit, self.notes)

    def new(self, type: str, id: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row of something new, without what it hangs under."""
        who = self.caller.person
        moment = {"created_at": self.now, "created_by": who, "updated_at": self.now, "updated_by": who}
        return {"id": id, "version": 1, **moment, **records.values(records.BY_TYPE[type], said)}

    # -- what measurements hang under ------------------------------------------------------------------------------------

    def places(self, items: Sequence[Mapping[str, Any]], known: Known) -> dict[Place, tuple[str, str]]:
        """Make the proposals and experiments that are not there, and return the ids of both by place."""
        proposals, experiments = dict(known.proposals), dict(known.experiments)
        new_proposals: Rows = []
        new_experiments: Rows = []
        found: dict[Place, tuple[str, str]] = {}
        for item in items:
            place = place_of(item)
            portal = place[0]
            if portal not in proposals:
                proposals[portal] = ids.new()
                new_proposals.append(self._proposal(proposals[portal], item["proposal"]))
            if place not in experiments:
                experiments[place] = ids.new()
                new_experiments.append(self._experiment(experiments[place], proposals[portal], item["experiment"]))
            found[place] = proposals[portal], experiments[place]
        self.insert(tables.proposal, new_proposals)
        self.insert(tables.experiment, new_experiments)
        return found

    def _proposal(self, id: str, said: Mapping[str, Any]) -> dict[str, Any]:
        title = said.get("proposalTitle") or said["proposalId"]
        self.note("create", "proposal", id, {"proposalId": said["proposalId"]})
        return self.new(
            "proposal",
            id,
            {**said, "proposalTitle": title, "state": UNVERIFIED, "policyId": policies.default(self.connection)},
        )

    def _experiment(self, id: str, proposal: str, said: Mapping[str, Any]) -> dict[str, Any]:
        self.note("create", "experiment", id, {"experimentName": said["experimentName"]})
        return self.new("experiment", id, {**said, "proposalId": proposal, "state": UNVERIFIED})

    # -- measurements ----------------------------------------------------------------------------------------------------

    def measurements(
        self, pairs: Sequence[tuple[Mapping[str, Any], Step]], experiments: Mapping[Place, tuple[str, str]]
    ) -> None:
        """Write the measurements with their documents, external ids and words."""
        instruments = self._instruments([item["measurement"] for item, _ in pairs])
        releases: dict[tuple[str, str | None], releasing.Release] = {}
        new: Rows = []
        changed: Rows = []
        moved: list[str] = []
        for item, step in pairs:
            said, (proposal, experiment) = item["measurement"], experiments[step.place]
            instrument = said.get("instrumentId") or instruments.get(_instrument_key(said))
            said = {**said, "experimentId": experiment, "instrumentId": instrument}
            columns = records.values(records.BY_TYPE["measurement"], said) | {"proposal": proposal}
            if step.held is None:
                day = (experiment, (columns["start_time"] or "")[:10])
                if day not in releases:
                    start = columns["start_time"]
                    releases[day] = releasing.first(
                        self.connection, experiment=experiment, collected=start, ingested=self.now
                    )
                row = self.new("measurement", step.measurement, said) | columns
                new.append({**row, "deposited_by": self.caller.person, **releases[day]._asdict()})
                self.note("create", "measurement", str(step.measurement), {"name": columns["name"]})
            else:
                who = {"updated_at": self.now, "updated_by": self.caller.person, "version": step.held.version + 1}
                changed.append({"of": step.held.id, **columns, **who, "category_sent": None})
                self.note("update", "measurement", step.held.id, {"version": step.held.version + 1})
                if step.held.place != step.place or step.held.start_time != columns["start_time"]:
                    moved.append(step.held.id)
        self.insert(tables.measurement, new)
        if changed:
            of = tables.measurement
            self.connection.execute(of.update().where(of.c.id == sa.bindparam("of")), changed)
        for measurement in moved:
            releasing.renew(
                self.connection, self.caller, ("measurement", measurement), why="moved, or another start", keep=True,
                request_id=self.request_id,
            )  # fmt: skip
        self._documents(pairs)
        self._embeddings(pairs)
        self._external_ids(pairs, experiments)
        self._words(pairs)
        opinions.put(self.connection, {str(step.measurement): item for item, step in pairs})
        labels.settle(
            self.connection, labels.labelled(self.connection, [step.held.id for _, step in pairs if step.held])
        )

    def _instruments(self, said: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str | None], str]:
        """Return the one instrument of the registry that a name, with a serial number where both know one, can mean."""
        keys = {_instrument_key(each) for each in said}
        named = knowing.instruments_named(self.connection, {name for name, _ in keys if name})
        found = {}
        for name, serial in keys:
            fits = [
                instrument
                for instrument, data in named.get(name, ())
                if serial is None or data.get("serial") is None or data["serial"] == serial
            ]
            if len(fits) == 1:
                found[name, serial] = fits[0]
        return found

    def _documents(self, pairs: Sequence[tuple[Mapping[str, Any], Step]]) -> None:
        of = tables.document
        rows: Rows = []
        gone: Rows = []
        for item, step in pairs:
            held = step.held.documents if step.held else {}
            for schema, body in item.get("documents", {}).items():
                if held.get(schema) != body:
                    rows.append(
                        {
                            "measurement": step.measurement,
                            "schema": schema,
                            "body": body,
                            "version": (step.version or 0) + 1,
                        }
                    )
            gone += [
                {"m": step.measurement, "s": schema}
                for schema in held
                if held[schema] != item.get("documents", {}).get(schema)
            ]
        if gone:
            mine = (of.c.measurement == sa.bindparam("m"), of.c.schema == sa.bindparam("s"))
            self.connection.execute(of.delete().where(*mine), gone)
        self.insert(of, rows)

    def _embeddings(self, pairs: Sequence[tuple[Mapping[str, Any], Step]]) -> None:
        """Write embeddings anew where they changed: a new row, by which whoever holds the old one in memory sees it."""
        of = tables.measurement_embedding
        wanted = [(step.held and step.held.embedding, planning.embedding(item), step) for item, step in pairs]
        gone = [{"m": step.measurement} for was, now, step in wanted if was is not None and was != now]
        if gone:
            self.connection.execute(of.delete().where(of.c.measurement == sa.bindparam("m")), gone)
        rows = [(step.measurement, *now) for was, now, step in wanted if now is not None and was != now]
        self.insert(of, [dict(zip(("measurement", "model", "vector"), row, strict=True)) for row in rows])

    def _external_ids(
        self, pairs: Sequence[tuple[Mapping[str, Any], Step]], experiments: Mapping[Place, tuple[str, str]]
    ) -> None:
        of = tables.external_id
        held = [step.held.id for _, step in pairs if step.held]
        if held:
            gone = of.delete().where(of.c.type == knowing.TYPE, of.c.resource == sa.bindparam("of"))
            self.connection.execute(gone, [{"of": each} for each in held])
        values = [each["value"] for item, _ in pairs for each in item["measurement"]["externalIds"]]
        scopes = [scope for _, experiment in experiments.values() for scope in knowing.scopes(experiment, self.caller)]
        taken = knowing.taken(self.connection, scopes, values)
        rows: Rows = []
        for item, step in pairs:
            for each in item["measurement"]["externalIds"]:
                for scope in knowing.scopes(experiments[step.place][1], self.caller):
                    if (key := (scope, each["scheme"], each["value"])) not in taken:
                        taken.add(key)
                        about = {"scope": scope, "scheme": each["scheme"], "value": each["value"]}
                        rows.append({"type": knowing.TYPE, **about, "resource": step.measurement})
                        break
        self.insert(of, rows)

    def _words(self, pairs: Sequence[tuple[Mapping[str, Any], Step]]) -> None:
        """Let the measurements be found by what is said of them now."""
        of, proposal = tables.measurement.c, tables.proposal.c
        held = [{"of": step.held.seq} for _, step in pairs if step.held]
        if held:
            gone = search.WORDS.delete().where(search.WORDS.c.rowid == sa.bindparam("of"))
            self.connection.execute(gone, held)
        query = sa.select(of.id, of.seq, proposal.title).join(tables.proposal, proposal.id == of.proposal)
        rows = self.connection.execute(query.where(of.id.in_([step.measurement for _, step in pairs])))
        about = {row.id: row for row in rows}
        texts: Rows = []
        for item, step in pairs:
            row = about[step.measurement]
            portal, name = step.place
            texts.append({"rowid": row.seq, "text": words.text_of(item["measurement"], name, portal, row.title)})
        self.insert(search.WORDS, texts)

    # -- assets ----------------------------------------------------------------------------------------------------------

    def assets(self, steps: Sequence[Step]) -> None:
        """Write the assets: new ones, new versions, and that some are named no more."""
        changes = [(step, *each) for step in steps for each in step.assets]
        new = [(step, wanted, given) for step, wanted, given, change, _ in changes if change == "new"]
        other = [(wanted, held) for _, wanted, _, change, held in changes if change == "other" and held is not None]
        gone = [held for step in steps for held in step.withdrawn]
        self.insert(tables.asset, [
            {**self.new("dataasset", given, _fields(wanted)), "measurement": step.measurement}
            for step, wanted, given in new
        ])  # fmt: skip
        self.insert(tables.asset_version, list(self._versions(other)))
        rows = [{"of": held.id, **_changed(wanted), **self._again(held)} for wanted, held in other]
        rows_gone = [{"of": held.id, "state": "withdrawn", **self._again(held)} for held in gone]
        of = tables.asset
        for part in (rows, rows_gone):
            if part:
                self.connection.execute(of.update().where(of.c.id == sa.bindparam("of")), part)
        self._locations(new, other)
        for held in gone:
            self.note("withdraw", "dataasset", held.id, {"relativePath": held.path})

    def _again(self, held: HeldAsset) -> dict[str, Any]:
        return {"version": held.version + 1, "updated_at": self.now, "updated_by": self.caller.person}

    def _versions(self, other: Sequence[tuple[Wanted, HeldAsset]]) -> Iterator[dict[str, Any]]:
        """Yield what assets held before, where they hold other bytes now."""
        for wanted, held in other:
            if wanted.sha256 != held.sha256:
                diff = {"sha256": {"was": held.sha256, "is": wanted.sha256}}
                self.note("replace", "dataasset", held.id, diff)
                was = {"sha256": held.sha256, "size": held.size, "replaced_at": self.now}
                yield {"asset": held.id, "version": held.version, **was}

    def _locations(self, new: Sequence[tuple[Step, Wanted, str]], other: Sequence[tuple[Wanted, HeldAsset]]) -> None:
        of = tables.location
        moved = [(wanted, held) for wanted, held in other if wanted.uri != held.uri]
        if moved:
            gone = of.delete().where(of.c.asset == sa.bindparam("a"), of.c.access_mode == "linked")
            self.connection.execute(gone, [{"a": held.id} for _, held in moved])
        places = [(given, wanted.uri) for _, wanted, given in new] + [(held.id, wanted.uri) for wanted, held in moved]
        self.insert(of, [
            {"id": ids.new(), "asset": asset, "uri": uri, "access_mode": "linked"} for asset, uri in places if uri
        ])  # fmt: skip


def _fields(wanted: Wanted) -> dict[str, Any]:
    """Return an asset as a record has it; what it hangs under is added."""
    held = {"relativePath": wanted.path, "dataSize": wanted.size, "state": wanted.state}
    return {**wanted.about, **held, "dataChecksum": checksums.said(wanted.sha256)}


def _changed(wanted: Wanted) -> dict[str, Any]:
    """Return the columns of an asset that holds or says something else now."""
    columns = records.values(records.BY_TYPE["dataasset"], _fields(wanted))
    return {name: value for name, value in columns.items() if name != "measurement"}


def _instrument_key(said: Mapping[str, Any]) -> tuple[str, str | None]:
    instrument = said.get("instrument") or {}
    return instrument.get("instrumentName", ""), instrument.get("serial")
