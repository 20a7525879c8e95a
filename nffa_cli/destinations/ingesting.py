"""Delivering to an IDRP node: a manifest of many measurements, the bytes that it lacks, one commit.

The node decides what is new, the same or in conflict, and proves every byte; here is only the conversation. Nothing of a
batch is visible there before its commit, and everything may be said again: an answer that got lost costs a repetition.
"""

from __future__ import annotations

import json
import logging
import struct
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nffa_cli.destinations import sources, tus
from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery, Journal, Receipt, Result
from nffa_cli.destinations.http import Connection
from nffa_cli.errors import NffaError, Refused, Unreachable

logger = logging.getLogger(__name__)

ITEMS = 500
"""Measurements of one manifest."""
MANIFEST = 12 << 20
"""Bytes of one manifest; a node takes 16 MiB."""
SMALL = 1 << 20
"""Files up to this size travel together in packs,"""
PACK = 16 << 20
"""of about so many bytes."""
SINGLE = 16 << 20
"""Files up to this size travel in one request each; larger ones by tus."""
EMBEDDING = "embedding"
"""Field of an item that older nodes do not know."""
FRAME = struct.Struct(">32sQ")
WRONG = frozenset({400, 413, 422})
"""What is said of a manifest that is not as it should be: then the good items go on without the bad ones."""
ROUNDS = 3
"""How often a batch is begun again because something changed under it."""
TIMES = 3
"""How often bytes are sent that arrive as other bytes."""


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery with its place in a manifest."""

    delivery: Delivery
    match: int | None
    again: bool = False

    @property
    def insists(self) -> bool:
        """Whether what is here replaces whatever is there: a receipt without a version says so."""
        return self.delivery.known is not None and not self.delivery.known.version

    @property
    def bundle(self) -> Bundle:
        """What is delivered."""
        return self.delivery.bundle

    def written(self, ref: str, *, embeds: bool = True) -> bytes:
        """Return it as JSON; ``embeds``: with the embedding, where there is one."""
        known, bundle = self.delivery.known, self.bundle
        said: dict[str, Any] = {
            "ref": ref, "proposal": bundle.proposal, "experiment": bundle.experiment,
            "measurement": bundle.measurement, "documents": bundle.documents,
            "assets": [asset_json(asset) for asset in bundle.assets],
        }  # fmt: skip
        if known is not None and known.measurement:
            said["measurementId"] = known.measurement
        if self.match is not None:
            said["ifMatch"] = self.match
        if embeds and bundle.embedding is not None:
            said[EMBEDDING] = bundle.embedding
        return json.dumps(said, ensure_ascii=True, allow_nan=False, default=dict).encode("ascii")

    def result(self, told: Mapping[str, Any], status: Any, url: str) -> Result:
        """Return the result with its receipt; ``told``: what the node says of the item."""
        digests = {asset.relative_path: asset.sha256 for asset in self.bundle.assets}
        assets = tuple(
            (each["relativePath"], each["assetId"], digests.get(each["relativePath"], ""))
            for each in told.get("assets", ())
        )
        version = str(told["version"])
        receipt = Receipt(told["measurementId"], told.get("url") or url, version, self.bundle.digest, assets)
        return Result(self.delivery, status, receipt)


def asset_json(asset: AssetFile) -> dict[str, Any]:
    """Return what the node is told of a file."""
    return {
        "dataAssetName": asset.name,
        "relativePath": asset.relative_path,
        "dataAssetType": asset.kind,
        "role": asset.role,
        "dataSize": asset.size,
        "dataChecksum": {"algorithm": "sha-256", "value": asset.sha256},
        "mediaType": asset.media_type,
        **asset.fields,
    }


@dataclass(slots=True)
class Work:
    """What a run of deliveries is done with.

    person
        Says who we are there, asked for only when it matters.
    embeds
        Whether the node takes embeddings; one that is older than they are refuses the first and gets no other.
    """

    connection: Connection
    journal: Journal
    person: Callable[[], str | None]
    limit: int = MANIFEST
    embeds: bool = True
    _lost: dict[str, str] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    def deliver(self, deliveries: Iterable[Delivery]) -> Iterator[Result]:
        """Deliver, batch by batch."""
        items = (Item(delivery, _version(delivery.known)) for delivery in deliveries)
        while batch := list(islice(items, ITEMS)):
            for result in self._deliver(batch, ROUNDS):
                for sha256 in result.delivery.resume if result.receipt is not None else ():
                    self.journal.forget(sha256)  # it arrived, by whichever way
                yield result

    def _deliver(self, batch: Sequence[Item], rounds: int) -> Iterator[Result]:
        """Deliver one batch; each ``rounds`` is a new manifest."""
        if not batch:
            return
        if not rounds:
            raise Unreachable("what is there changes faster than it can be delivered", where=self.connection.address)
        manifest = self.manifest(batch)
        if len(manifest) > self.limit and len(batch) > 1:
            yield from self._halved(batch, rounds)
            return
        try:
            ingest = self.opened(manifest, len(batch))
        except Rejected as error:
            if error.status not in WRONG:
                raise
            if self.embeds and _refuses_embeddings(error):
                logger.info("%s takes no embeddings; it goes without", self.connection.address)
                self.embeds = False
                yield from self._deliver(batch, rounds)
                return
            yield from self._apart(batch, rounds, error)
            return
        told = {each["ref"]: each for each in ingest["items"]}
        pending: list[tuple[Item, Mapping[str, Any]]] = []
        conflicts: list[tuple[Item, Mapping[str, Any]]] = []
        for number, item in enumerate(batch):
            said = told[str(number)]
            if said["action"] == "unchanged" and not ingest["follows"]:
                yield item.result(said, "unchanged", self._url(said["measurementId"]))
            elif said["action"] in ("create", "update", "unchanged"):
                # also of what is unchanged: what it hangs under follows with the commit, and only then it is delivered
                pending.append((item, said))
            elif said["action"] == "conflict":
                conflicts.append((item, said))
            else:
                yield Result(item.delivery, "refused", reason=_problem(said))
        if pending:
            yield from self._finished(ingest, pending, rounds)
        else:
            self._cancel(ingest)
        yield from self._reconciled(conflicts, rounds)

    def manifest(self, batch: Sequence[Item]) -> bytes:
        """Return what an ingest of a batch is opened with."""
        written = (item.written(str(number), embeds=self.embeds) for number, item in enumerate(batch))
        return b'{"items":[' + b",".join(written) + b"]}"

    def opened(self, manifest: bytes, count: int) -> Mapping[str, Any]:
        """Open an ingest of so many items and return what the node says of it."""
        answer = self.connection.send(
            "POST", "ingests", body=manifest, headers={"Content-Type": "application/json"}, key=uuid.uuid4().hex,
            wants_json=True,
        )  # fmt: skip
        return _ingest(answer.value, count, answer.where)

    def _halved(self, batch: Sequence[Item], rounds: int) -> Iterator[Result]:
        half = len(batch) // 2
        yield from self._deliver(batch[:half], rounds)
        yield from self._deliver(batch[half:], rounds)

    def _apart(self, batch: Sequence[Item], rounds: int, error: Rejected) -> Iterator[Result]:
        """Go on without the items that the node finds wrong, or with each half where it does not say which."""
        if len(batch) == 1:
            yield Result(batch[0].delivery, "refused", reason=error.what)
            return
        wrong = _named(error, len(batch))
        if not wrong:
            yield from self._halved(batch, rounds)
            return
        for number in sorted(wrong):
            yield from self._deliver([batch[number]], rounds)  # alone, so that the reason is about it alone
        yield from self._deliver([item for number, item in enumerate(batch) if number not in wrong], rounds)

    def _finished(
        self, ingest: Mapping[str, Any], pending: Sequence[tuple[Item, Mapping[str, Any]]], rounds: int
    ) -> Iterator[Result]:
        """Send what is needed and commit."""
        items = [item for item, _ in pending]
        self._send(ingest["id"], items, {each["sha256"] for each in ingest["need"]})
        bad = dict(self._lost)
        broken = [item for item in items if any(asset.sha256 in bad for asset in item.bundle.assets)]
        if broken:
            for item in broken:
                why = next(bad[asset.sha256] for asset in item.bundle.assets if asset.sha256 in bad)
                yield Result(item.delivery, "failed", reason=why)
            self._lost.clear()
            yield from self._deliver([item for item in items if item not in broken], rounds - 1)
            return
        try:
            answer = self.connection.send("POST", f"ingests/{ingest['id']}:commit", again=True, wants_json=True)
        except Rejected as error:
            if error.status not in (404, 409):
                raise
            logger.info("%s; once more", error)
            yield from self._deliver(items, rounds - 1)
            return
        done = {each["ref"]: each for each in _items(answer.value, answer.where)}
        for item, said in pending:
            found = done.get(said["ref"], said)
            status = "unchanged" if said["action"] == "unchanged" else "done"
            yield item.result(found, status, self._url(found["measurementId"]))

    def _reconciled(self, conflicts: Sequence[tuple[Item, Mapping[str, Any]]], rounds: int) -> Iterator[Result]:
        """Replace, once, what we wrote last ourselves (its receipt was lost) and what we are told to; leave the rest alone."""
        again = []
        for item, said in conflicts:
            if item.again or not (item.insists or self._mine(said["measurementId"])):
                yield Result(item.delivery, "conflict", reason=_problem(said))
            else:
                again.append(replace(item, match=said["version"], again=True))
        yield from self._deliver(again, rounds)

    def _mine(self, measurement: str) -> bool:
        try:
            found = self.connection.send("GET", f"measurements/{measurement}", wants_json=True).value
        except Rejected as error:
            if error.status == 404:
                return False
            raise
        person = self.person()
        return person is not None and isinstance(found, dict) and found.get("updatedBy") == person

    def _send(self, ingest: str, items: Sequence[Item], need: set[str]) -> None:
        """Send the bytes that are needed, each once; what cannot be read is in ``_lost``."""
        files: dict[str, tuple[AssetFile, Delivery]] = {}
        for item in items:
            for asset in item.bundle.assets:
                if asset.sha256 in need:
                    files.setdefault(asset.sha256, (asset, item.delivery))
        if missing := need - files.keys():
            raise Refused(f"the node asks for bytes that nobody announced ({clean(min(missing), 64)})")
        for pack in _packs(asset for asset, _ in files.values() if asset.size <= SMALL):
            self._send_pack(ingest, pack)
        for asset, delivery in files.values():
            if asset.size > SMALL:
                with self._noting(asset):
                    self._send_one(ingest, asset, delivery)

    def _send_one(self, ingest: str, asset: AssetFile, delivery: Delivery) -> None:
        with sources.opened(asset) as source:
            if asset.size > SINGLE:
                noted = None if asset.sha256 in self._begun else delivery.resume.get(asset.sha256)
                self._begun.add(asset.sha256)  # a note that led nowhere is not followed twice
                wish = tus.Upload("uploads", {"ingest": ingest, "sha256": asset.sha256}, noted, chunk=tus.CHUNK)
                tus.send(self.connection, source, wish, lambda where: self.journal.note(asset.sha256, where))
                self.journal.forget(asset.sha256)
                return
            for time in range(TIMES):
                try:
                    self.connection.send(
                        "PUT", f"ingests/{ingest}/content/{asset.sha256}", body=source.reader, size=asset.size,
                        headers={"Content-Type": "application/octet-stream"}, believed=lambda answer: answer.status == 201,
                    )  # fmt: skip
                    source.check()
                    return
                except Rejected as error:
                    if error.status != 400 or time == TIMES - 1:
                        raise
                    source.prove()

    def _send_pack(self, ingest: str, pack: Sequence[AssetFile]) -> None:
        waiting = list(pack)
        for time in range(TIMES):
            parts, sent = [], []
            for asset in waiting:
                with self._noting(asset), sources.opened(asset) as source:
                    data = source.read_at(0, asset.size)
                    if time:
                        source.prove()
                    parts += [FRAME.pack(bytes.fromhex(asset.sha256), asset.size), data]
                    sent.append(asset)
            if not sent:
                return
            answer = self.connection.send(
                "POST", f"ingests/{ingest}/pack", body=b"".join(parts), again=True, wants_json=True,
                headers={"Content-Type": "application/vnd.nffa.pack"},
            )  # fmt: skip
            received = answer.value.get("received") if isinstance(answer.value, dict) else None
            waiting = [asset for asset in sent if asset.sha256 not in (received or ())]
        if waiting:
            raise Refused(
                f"the node does not take the bytes of {clean(waiting[0].name)}", where=self.connection.address
            )

    def _noting(self, asset: AssetFile) -> _Noting:
        return _Noting(self._lost, asset.sha256)

    def _cancel(self, ingest: Mapping[str, Any]) -> None:
        try:
            self.connection.send("POST", f"ingests/{ingest['id']}:cancel", again=True)
        except NffaError as error:
            logger.info("%s; it expires by itself", error)

    def _url(self, measurement: str) -> str:
        return f"{self.connection.address}/measurements/{measurement}"


class _Noting:
    """Takes down that a file changed or cannot be read, and lets the rest go on."""

    def __init__(self, lost: dict[str, str], sha256: str) -> None:
        self._lost = lost
        self._sha256 = sha256

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Take a ``Changed`` down."""
        if isinstance(error, sources.Changed):
            self._lost[self._sha256] = str(error)
            return True
        return False


def _packs(assets: Iterable[AssetFile]) -> Iterator[list[AssetFile]]:
    pack: list[AssetFile] = []
    size = 0
    for asset in assets:
        if pack and size + asset.size > PACK:
            yield pack
            pack, size = [], 0
        pack.append(asset)
        size += asset.size
    if pack:
        yield pack


def _version(receipt: Receipt | None) -> int | None:
    return int(receipt.version) if receipt is not None and receipt.version.isdecimal() else None


def _named(error: Rejected, count: int) -> set[int]:
    """Return the numbers of the items that a problem names by its pointers (``/items/3/…``)."""
    parts = _pointers(error)
    numbers = {int(each[2]) for each in parts if len(each) > 2 and each[1] == "items" and each[2].isdecimal()}
    return {number for number in numbers if number < count} if len(numbers) < count else set()


def _refuses_embeddings(error: Rejected) -> bool:
    return any(len(each) > 3 and each[3] == EMBEDDING for each in _pointers(error))


def _pointers(error: Rejected) -> list[list[str]]:
    """Return the parts of each place in the manifest that a problem names: ``/items/3/embedding``."""
    wrong = error.answer.problem().get("errors")
    pointers = [each.get("pointer") for each in (wrong if isinstance(wrong, list) else []) if isinstance(each, dict)]
    return [str(pointer).split("/") for pointer in pointers]


def _problem(said: Mapping[str, Any]) -> str:
    problem = said.get("problem") or {}
    words = (clean(problem[name]) for name in ("title", "detail") if problem.get(name))
    return ": ".join(words) or f"the node answers {clean(said.get('action'), 40)}"


def _ingest(value: Any, count: int, where: str) -> Mapping[str, Any]:
    """Return what a node says of an ingest; raises Refused where it is not what the contract says."""
    items = _items(value, where)
    refs = {each["ref"] for each in items}
    needs = value.get("need")
    good = isinstance(value.get("id"), str) and value["id"].replace("-", "").isalnum() and isinstance(needs, list)
    if not good or refs < {str(number) for number in range(count)}:
        raise Refused("the node's answer is not what IDRP v1 says of an ingest", where=where)
    return {"id": value["id"], "items": items, "need": needs, "follows": bool(value.get("follows"))}


def _items(value: Any, where: str) -> list[Mapping[str, Any]]:
    found = value.get("items") if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) and "ref" in each for each in found):
        raise Refused("the node's answer is not what IDRP v1 says of an ingest", where=where)
    return found
