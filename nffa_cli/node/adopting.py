"""Records of other repositories taken into an experiment: fetched or uploaded, looked at, and made a measurement.

What a record becomes is said by the import crosswalks; what is looked at waits in memory, for the one who looks, a while.
Bytes stay where they are: sizes and digests are what the repository says.
"""

from __future__ import annotations

import secrets
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from nffa_cli import repositories, settings, spoken
from nffa_cli.crosswalk import described
from nffa_cli.crosswalk.taking import Taken
from nffa_cli.errors import Unreachable
from nffa_cli.node import access, audit, blobs, history, ids, knowing, moments, planning, receiving, tables, writing
from nffa_cli.node.callers import Caller
from nffa_cli.node.manifest import Manifest
from nffa_cli.node.problems import Problem, pointer
from nffa_cli.node.storage import Storage

AT_ONCE = 4
"""Records that are fetched at a time."""
WAITS = 30 * 60
"""Seconds that a record which was looked at waits to be imported."""
EACH, ALL = 3, 200
"""Records that wait of one person, and of all."""
OURS = frozenset({
    "measurementName", "measurementDescription", "kind", "technique", "startTime", "endTime", "provenance",
})  # fmt: skip
"""Fields of a measurement that its record decides; the others stay what people made of them."""
SHOWN = 200
"""Experiments to choose from."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A record as it was read.

    where
        What it was called: an address, or a file's name.
    address
        Where it was fetched; None: it was uploaded.
    """

    entry: Mapping[str, Any]
    where: str
    address: str | None
    taken: Taken

    @property
    def system(self) -> str:
        """What its repository is called, as far as its address or its dialect says."""
        named = repositories.system_of(self.address) if self.address else None
        return named or self.taken.crosswalk.name


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of a record.

    version
        The version of the measurement that it may replace; None: none.
    """

    experiment: str
    kind: str
    as_one: bool
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of it.

    action
        ``create``, ``update`` or ``unchanged``; ``conflict``: it is there already and says something else.
    changes
        Field → what is said there now and what the record says, where that is a conflict.
    """

    measurement: str
    action: planning.Action
    version: int | None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


def looked(data: bytes, where: str, address: str | None = None) -> Looked:
    """Return what some bytes are as a record.

    Raises
    ------
    UnreadableFile
        They are no record of a dialect that we know.
    """
    entry = repositories.parsed(data, where)
    return Looked(entry, where, address, repositories.taken(entry, where, settings.shipped("crosswalks")))


class Intake:
    """What a node has at hand for imports; may be used by many threads. ``fetch``: what asks an address."""

    def __init__(self, hosts: Sequence[str], fetch: repositories.Fetch = repositories.fetch) -> None:
        self.hosts = tuple(hosts)
        self.fetch = fetch
        self._busy = threading.BoundedSemaphore(AT_ONCE)
        self._turn = threading.Lock()
        self._waiting: dict[str, tuple[str, float, bytes, str, str | None]] = {}

    def fetched(self, address: str) -> tuple[bytes, str]:
        """Return the bytes of the record at an address, and the address as it may be kept: without what may be secret.

        Raises
        ------
        UsageError
            It is not asked.
        Unreachable
            It does not answer as it should, or too many are asked now.
        """
        if not self._busy.acquire(blocking=False):
            raise Unreachable(
                "the node fetches other records now; try again in a moment", where=spoken.address(address)[:200]
            )
        try:
            return self.fetch(address, self.hosts), spoken.address(address)
        finally:
            self._busy.release()

    def put(self, person: str, data: bytes, where: str, address: str | None) -> str:
        """Let a record wait for the person who looked at it; return what it is asked for by."""
        name, now = secrets.token_urlsafe(16), time.monotonic()
        with self._turn:
            alive = {key: each for key, each in self._waiting.items() if each[1] > now - WAITS}
            mine = [key for key, each in alive.items() if each[0] == person]
            gone = {*mine[: max(0, len(mine) - EACH + 1)], *list(alive)[: max(0, len(alive) - ALL + 1)]}
            self._waiting = {key: each for key, each in alive.items() if key not in gone}
            self._waiting[name] = (person, now, zlib.compress(data, 1), where, address)
        return name

    def get(self, person: str | None, name: str) -> Looked | None:
        """Return a record that waits for a person; None: there is none."""
        with self._turn:
            found = self._waiting.get(name)
        if found is None or found[0] != person or found[1] <= time.monotonic() - WAITS:
            return None
        return looked(zlib.decompress(found[2]), found[3], found[4])

    def drop(self, name: str) -> None:
        """Forget a record."""
        with self._turn:
            self._waiting.pop(name, None)


def experiments(connection: sa.Connection, caller: Caller, chosen: str = "") -> list[sa.Row[Any]]:
    """Return the newest experiments that the caller may write in, ``chosen`` first where it is one of them."""
    of, above = tables.experiment.c, tables.proposal.c
    query = (
        sa.select(of.id, of.name, above.proposal_id, above.title)
        .join(tables.proposal, above.id == of.proposal)
        .where(access.writable(caller, moments.now(), "experiment"))
        .order_by(sa.case((of.id == chosen, 0), else_=1), of.id.desc())
    )
    return list(connection.execute(query.limit(SHOWN))) if caller.person else []


def adopt(
    connection: sa.Connection, stored: Storage, caller: Caller, record: Looked, wish: Wish, request_id: str | None
) -> Adopted:
    """Make a record a measurement of an experiment, or bring the one that it became before up to date.

    Raises
    ------
    Problem
        401, 403, 404: not for this caller. 422: the record says what the contract does not take.
    """
    access.demand(connection, caller, "write", "experiment", wish.experiment)
    assert caller.person is not None
    parcel = described.describe(
        record.taken, record.entry, system=record.system, address=record.address, kind=wish.kind, as_one=wish.as_one
    )
    item = _item(connection, parcel, wish.experiment)
    known = knowing.known(connection, caller, [item])
    step = _planned(item, known)
    if step.held is not None:
        item = _over(item, step.held, wish.version)
        step = _planned(item, known)
    if step.problem is not None or step.measurement is None:
        if step.action == "conflict" and step.held is not None:
            return Adopted(step.held.id, "conflict", step.held.version, dict(_changes(item, step.held)))
        raise Problem(409, *(step.problem or ("Conflict",)))
    if not step.takes_part:
        return Adopted(step.measurement, "unchanged", step.version)
    if parcel.content is not None:
        _keep(connection, stored, caller.person, parcel.content, item["assets"][0]["dataChecksum"]["value"])
    writing.written(connection, caller, [item], [step], known, request_id)
    crosswalk, was = record.taken.crosswalk, step.held.about if step.held is not None else None
    diff = {"record": record.taken.key, "from": record.where, "crosswalk": f"{crosswalk.name} {crosswalk.version}"}
    if was is not None:
        diff |= history.texts("measurement", was, item["measurement"])
    audit.note(connection, caller, "import", "measurement", step.measurement, diff=diff, request_id=request_id)
    return Adopted(step.measurement, step.action, step.version)


def _item(connection: sa.Connection, parcel: described.Parcel, experiment: str) -> dict[str, Any]:
    """Return a record as an item of a manifest, held to the contract."""
    of, above = tables.experiment.c, tables.proposal.c
    query = sa.select(of.name, above.proposal_id).join(tables.proposal, above.id == of.proposal)
    place = connection.execute(query.where(of.id == experiment)).one()
    said = {
        "ref": "record", "proposal": {"proposalId": place.proposal_id}, "experiment": {"experimentName": place.name},
        "measurement": parcel.measurement, "documents": parcel.documents, "assets": list(parcel.assets),
    }  # fmt: skip
    try:
        found: dict[str, Any] = Manifest.model_validate({"items": [said]}).fields()["items"][0]
    except ValidationError as error:
        errors = [{"pointer": pointer(("body", *each["loc"][2:])), "message": each["msg"]} for each in error.errors()]
        detail = "the record says what this node does not take: " + "; ".join(
            f"{each['pointer']}: {each['message']}" for each in errors[:5]
        )
        raise Problem(422, "Invalid record", detail, errors=errors[:100]) from None
    return found


def _planned(item: Mapping[str, Any], known: planning.Known) -> planning.Step:
    name: Callable[[str], str] = lambda _: ids.new()  # noqa: E731
    return planning.planned([item], known, name)[0]


def _over(item: Mapping[str, Any], held: planning.Held, version: int | None) -> dict[str, Any]:
    """Return an item as it is put over what is there: what the record does not decide stays."""
    stays = {name: value for name, value in held.about.items() if name not in OURS}
    external = dict.fromkeys(
        [*((each["scheme"], each["value"]) for each in item["measurement"]["externalIds"]), *sorted(held.external)]
    )
    measurement = {
        **stays,
        **item["measurement"],
        "externalIds": [{"scheme": scheme, "value": value} for scheme, value in external],
    }
    if held.instrument is not None:
        measurement["instrumentId"] = held.instrument
    found = {**item, "measurement": measurement, "documents": {**held.documents, **item["documents"]}}
    return found if version is None else found | {"ifMatch": version}


def _changes(item: Mapping[str, Any], held: planning.Held) -> Mapping[str, tuple[Any, Any]]:
    """Return field → what is said there and what the record says; of provenance each entry by itself."""
    was, said = _spread(held.about), _spread(planning.about(item))
    found = {name: (was.get(name), said.get(name)) for name in sorted({*was, *said}) if was.get(name) != said.get(name)}
    here = sorted(each.path for each in held.assets.values() if each.state != "withdrawn")
    there = sorted(each["relativePath"] for each in item.get("assets", ()))
    return found | ({"files": (", ".join(here), ", ".join(there))} if here != there else {})


def _spread(about: Mapping[str, Any]) -> dict[str, Any]:
    inner = {f"provenance.{name}": value for name, value in (about.get("provenance") or {}).items()}
    return {name: value for name, value in about.items() if name != "provenance"} | inner


def _keep(connection: sa.Connection, stored: Storage, owner: str, content: bytes, sha256: str) -> None:
    with receiving.disk(), stored.draft() as path:
        path.write_bytes(content)
        stored.keep([(path, sha256)])
    blobs.received(connection, stored, owner, {sha256: len(content)})
