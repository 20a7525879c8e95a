"""Deliveries to one destination: what is due is made, checked against its sources, sent in batches, its receipts kept.

Intent before, receipt after: killed anywhere, the next run sends again what has no receipt, and the destination finds it by
its key. Sources are digested before they are sent and looked at again afterwards; what changed or vanished is told, and
nothing wrong leaves. While a batch is sent the next one is made. Held in memory are these two, however much is due.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from threading import Event
from typing import Any

from nffa_cli import reading
from nffa_cli.catalogue import outbox
from nffa_cli.catalogue.contents import Content
from nffa_cli.catalogue.outbox import Candidate, State, Stub
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery import differing, returning
from nffa_cli.delivery.ahead import ahead
from nffa_cli.delivery.carrying import Carrying
from nffa_cli.delivery.delivering import NO_PROPOSAL, Decision
from nffa_cli.delivery.gathering import Gathering
from nffa_cli.delivery.returning import Returned
from nffa_cli.destinations import registry
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery, Receipt, Result
from nffa_cli.destinations.registry import Place
from nffa_cli.records import Outcome, Status

STAGE = "sync"
BATCH = 250
"""Deliveries of a batch at most: larger ones save little, and smaller ones let more be made while others are sent."""
FIRST = 50
"""Deliveries of the first batch, which nothing can be sent beside."""
TOGETHER = 50
"""Of so many acquisitions the catalogue is asked at once; their vendors' trees are held in memory."""
BATCH_BYTES = 16 << 20
"""A batch is closed when so many bytes of it are held in memory."""
SETTLE = 100
"""So many results are kept in one commit."""
TOLD = 500
"""A batch is closed when so much is to be told of what needs no sending."""
BAD = frozenset({"missing", "different"})
"""Proofs after which a delivery is due again."""

_Stamp = tuple[int, int, int]
_Settled = tuple[int, State, str | None, Stub, outbox.Receipt | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery on its way, with the stamps that its sources had when they were digested."""

    candidate: Candidate
    decision: Decision
    bundle: Bundle
    stamps: Mapping[str, _Stamp]


@dataclass(slots=True)
class _Batch:
    """What is sent together; what needs no sending is in ``outcomes``, and in ``settled`` where that is to be kept."""

    items: list[Item] = field(default_factory=list)
    settled: list[_Settled] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    bytes: int = 0


class Sending:
    """One run to one destination."""

    def __init__(self, store: Store, place: Place, gathering: Gathering) -> None:
        self._store = store
        self._outbox = store.outbox
        self._place = place
        self._to = registry.make(place)
        gathering.knowledge = replace(gathering.knowledge, told_by=self._to.capabilities().labels)
        self._gathering = gathering

    def returned(self) -> Returned | None:
        """Take what persons answered at the destination; None: nobody answers there."""
        return returning.take(self._store, self._place.name, self._to)

    # What is due

    @cached_property
    def imports(self) -> Carrying:
        """Deliveries of what was taken over from other repositories, to the same destination."""
        return Carrying(self._store, self._place.name, self._to, self._gathering.knowledge)

    def plan(self) -> Iterator[Outcome]:
        """Yield what ``deliver`` would do; nothing is written anywhere."""
        waiting: list[Item] = []
        most = self._to.capabilities().batch
        for candidate, decision, contents in self._decided(self._outbox, self._outbox.known(self._place.name)):
            if decision.action != "send":
                yield self._told(candidate, "unchanged" if decision.action == "nothing" else "waiting", decision.reason)
                continue
            bundle = self._gathering.make(candidate, decision, contents[candidate.seq])
            if bundle is None:
                yield self._told(candidate, "waiting", NO_PROPOSAL)
            elif candidate.receipt is not None and candidate.receipt.digest == bundle.digest and not _again(candidate):
                yield self._told(candidate, "unchanged", None)
            else:
                waiting.append(Item(candidate, decision, bundle, {}))
            if len(waiting) >= most:
                yield from self._planned(waiting)
                waiting = []
        yield from self._planned(waiting)

    def _planned(self, items: Sequence[Item]) -> Iterator[Outcome]:
        if not items:
            return
        deliveries = [Delivery(item.bundle, _known(item.candidate)) for item in items]
        for item, plan in zip(items, self._to.plan(deliveries), strict=True):
            needed = None if plan.needed is None else len(plan.needed)
            detail = {"due": [plan.action], "why": item.decision.reason, "needed": needed, "bytes": plan.bytes,
                      "lost": [*plan.lost, *self._stale(item.candidate)], "changes": differing.told(plan)}  # fmt: skip
            if wrong := _wrong(item.bundle, item.candidate, {}):
                yield self._told(item.candidate, "failed", wrong, detail)
            else:
                yield self._told(item.candidate, "done", plan.reason, detail)

    def _stale(self, candidate: Candidate) -> list[str]:
        return [self._gathering.stale[candidate.id]] if candidate.id in self._gathering.stale else []

    def _decided(self, box: outbox.Outbox, number: int) -> Iterator[tuple[Candidate, Decision, Mapping[int, Content]]]:
        """Yield every acquisition, what is to be done about it, and what there is of those that are to be sent."""
        candidates = box.candidates(number)
        while some := list(islice(candidates, TOGETHER)):
            decisions = [self._gathering.decide(each) for each in some]
            contents = box.contents([each for each, it in zip(some, decisions, strict=True) if it.action == "send"])
            for each, decision in zip(some, decisions, strict=True):
                yield each, decision, contents

    # Sending it

    def deliver(self) -> Iterator[Outcome]:
        """Deliver what is due, oldest first, and yield an outcome for each acquisition once it is true."""
        number = self._outbox.destination(self._place.name)
        most = min(BATCH, self._to.capabilities().batch)
        for batch in ahead(lambda unwanted: self._batches(number, most, unwanted)):
            yield from self._send(number, batch)

    def _batches(self, number: int, most: int, unwanted: Event) -> Generator[_Batch, None, None]:
        """Yield what is to be sent and told; it reads only, in a thread of its own and hence over a connection of its own."""
        with self._store.reader() as store:
            batch, enough = _Batch(), min(FIRST, most)
            for candidate, decision, contents in self._decided(store.outbox, number):
                if decision.action == "nothing":
                    reason = None if decision.reason == "unchanged" else decision.reason
                    batch.outcomes.append(self._told(candidate, "unchanged", reason))
                elif decision.action == "wait":
                    batch.outcomes.append(self._told(candidate, *_waits(candidate)))
                else:
                    self._take(batch, candidate, decision, contents[candidate.seq])
                if len(batch.items) >= enough or batch.bytes >= BATCH_BYTES or len(batch.outcomes) >= TOLD:
                    yield batch
                    batch, enough = _Batch(), most
                if unwanted.is_set():
                    return
            yield batch

    def _take(self, batch: _Batch, candidate: Candidate, decision: Decision, content: Content) -> None:
        """Make a bundle and put it into the batch, or note why it is not sent now."""

        def settle(state: State, status: Status, reason: str | None) -> None:
            batch.settled.append((candidate.seq, state, reason, _stub(candidate, decision), None))
            batch.outcomes.append(self._told(candidate, status, reason))

        try:
            bundle = self._gathering.make(candidate, decision, content)
        except OSError as error:
            settle("failed", "failed", f"unreadable: {error.filename}: {error.strerror}")
            return
        if bundle is None:
            settle("waiting", "waiting", NO_PROPOSAL)
            return
        if candidate.receipt is not None and candidate.receipt.digest == bundle.digest and not _again(candidate):
            settle("done", "unchanged", None)
            return
        stamps: dict[str, _Stamp] = {}
        if wrong := _wrong(bundle, candidate, stamps):
            settle("failed", "failed", wrong)
            return
        batch.items.append(Item(candidate, decision, bundle, stamps))
        batch.bytes += sum(asset.size for asset in bundle.assets if asset.content is not None)

    def _send(self, number: int, batch: _Batch) -> Iterator[Outcome]:
        """Send a batch; what has arrived is kept whatever happens to the rest."""
        if batch.settled:
            self._outbox.settle(number, batch.settled)
        yield from batch.outcomes
        if not batch.items:
            return
        self._outbox.begin(
            number,
            ((item.candidate.seq, item.decision.token, item.decision.proposal, item.decision.experiment)
             for item in batch.items),
        )  # fmt: skip
        resume = self._outbox.resume(number)
        by_key = {item.bundle.key: item for item in batch.items}
        deliveries = []
        for item in batch.items:
            mine = {asset.sha256: resume[asset.sha256] for asset in item.bundle.assets if asset.sha256 in resume}
            deliveries.append(Delivery(item.bundle, _known(item.candidate), mine))
        results: list[Result] = []
        try:
            for result in self._to.deliver(deliveries, self._store.journal(number)):
                results.append(result)
                if len(results) >= SETTLE:
                    yield from self._keep(number, by_key, results)
                    results = []
        except Exception:
            yield from self._keep(number, by_key, results)  # what has arrived has arrived
            raise
        except KeyboardInterrupt:
            list(self._keep(number, by_key, results))
            raise
        yield from self._keep(number, by_key, results)

    def _keep(self, number: int, by_key: Mapping[str, Item], results: Sequence[Result]) -> Iterator[Outcome]:
        """Keep receipts and reasons in one commit, then tell them."""
        settled: list[_Settled] = []
        outcomes = []
        for result in results:
            item = by_key[result.delivery.bundle.key]
            state, reason = _state(result), result.reason
            receipt = None if result.receipt is None else _kept(item.bundle, result.receipt)
            if state == "done" and (moved := _moved(item)):
                state, reason = "failed", moved
            settled.append((item.candidate.seq, state, reason, _stub(item.candidate, item.decision), receipt))
            outcomes.append(self._result(item, result, state, reason))
        if settled:
            self._outbox.settle(number, settled)
            yield from outcomes

    # Proving it

    def check(self) -> Iterator[Outcome]:
        """Let the destination prove what it was given; what is missing or different is due again."""
        number = self._outbox.known(self._place.name)
        page: list[tuple[int, str, outbox.Receipt]] = []
        for row in self._outbox.receipts(number):
            page.append(row)
            if len(page) >= SETTLE:
                yield from self._proved(number, page)
                page = []
        yield from self._proved(number, page)

    def _proved(self, number: int, page: Sequence[tuple[int, str, outbox.Receipt]]) -> Iterator[Outcome]:
        if not page:
            return
        rows = {receipt.key: (seq, path, receipt) for seq, path, receipt in page}
        asked = [(receipt.key, _receipt(receipt)) for _, _, receipt in page]
        proofs, outcomes = [], []
        for key, found in self._to.verify(asked):
            seq, path, receipt = rows[key]
            proofs.append((seq, found.proof))
            reason = f"{found.proof}: {found.detail}" if found.detail else found.proof
            detail = {"destination": self._place.name, "proof": found.proof, "receipt": _shown(receipt)}
            bad = found.proof in BAD
            shown = path.replace(os.sep, "/")
            outcomes.append(Outcome(shown, STAGE, "failed" if bad else "unchanged", reason if bad else None, detail))
        self._outbox.proved(number, proofs, bad=BAD)
        yield from outcomes

    # Telling it

    def _told(
        self, candidate: Candidate, status: Status, reason: str | None, detail: Mapping[str, Any] | None = None
    ) -> Outcome:
        about: dict[str, Any] = {"acquisition": candidate.id, "destination": self._place.name}
        if status == "unchanged" and candidate.receipt is not None:
            about["receipt"] = _shown(candidate.receipt)
        return Outcome(candidate.path.replace(os.sep, "/"), STAGE, status, reason, {**about, **(detail or {})})

    def _result(self, item: Item, result: Result, state: State, reason: str | None) -> Outcome:
        detail: dict[str, Any] = {"due": item.decision.reason}
        if result.receipt is not None:
            detail["receipt"] = _shown(_kept(item.bundle, result.receipt))
        status: Status = "failed"
        if state == "done":
            status = "done" if result.status == "done" else "unchanged"
        told = f"{state}: {reason}" if state in ("conflict", "refused") else reason
        return self._told(item.candidate, status, told, detail)


def _waits(candidate: Candidate) -> tuple[Status, str | None]:
    stub = candidate.stub
    if stub is not None and stub.state == "conflict":
        return "failed", f"conflict: {stub.reason}"
    return "waiting", NO_PROPOSAL


def _again(candidate: Candidate) -> bool:
    """Tell whether it is to be sent although nothing has changed."""
    return candidate.stub is not None and candidate.stub.state == "again"


def _stub(candidate: Candidate, decision: Decision) -> Stub:
    attempts = candidate.stub.attempts + 1 if candidate.stub else 1
    return Stub("sending", None, decision.token, decision.proposal, decision.experiment, attempts)


def _known(candidate: Candidate) -> Receipt | None:
    """Return the receipt that an update is made with.

    It bears no version and no digest where it is not true any more: a check found something else there, or a person decided
    that what is here holds, even where no receipt was ever had.
    """
    known = None if candidate.receipt is None else _receipt(candidate.receipt)
    if not _again(candidate):
        return known
    return Receipt("", "", "", "", ()) if known is None else replace(known, version="", digest="")


def _receipt(kept: outbox.Receipt) -> Receipt:
    return Receipt(kept.measurement, kept.url, kept.version, kept.digest, kept.assets)


def _kept(bundle: Bundle, receipt: Receipt) -> outbox.Receipt:
    import json

    linked = any(_is_linked(asset) for asset in bundle.assets)
    return outbox.Receipt(
        bundle.key,
        receipt.measurement,
        receipt.url,
        receipt.version,
        receipt.digest,
        json.dumps(receipt.assets),
        linked,
    )


def _shown(receipt: outbox.Receipt) -> dict[str, str]:
    return {"measurement": receipt.measurement, "url": receipt.url, "version": receipt.version}


def _state(result: Result) -> State:
    return "done" if result.status == "unchanged" else result.status


def _is_linked(asset: AssetFile) -> bool:
    return asset.fields.get("accessMode") == "linked"


# --- the sources ---


def _wrong(bundle: Bundle, candidate: Candidate, stamps: dict[str, _Stamp]) -> str | None:
    """Return why a bundle must not be sent: a source is not what was ingested. Notes the stamps of what is right.

    What the destination holds already needs no source: files may go when ``list --safe-to-delete`` names them.
    """
    there = set()
    if candidate.receipt is not None and not candidate.receipt.linked and not _again(candidate):
        there = {sha256 for _, _, sha256 in candidate.receipt.assets}
    for asset in bundle.assets:
        if asset.path is None:
            continue
        path = str(asset.path)
        held = asset.sha256 in there and not _is_linked(asset)
        try:
            before = _stamp(path)
            same = before[0] == asset.size and reading.sha256(path) == asset.sha256 and _stamp(path) == before
        except OSError as error:
            if held:
                continue
            gone = isinstance(error, FileNotFoundError)
            return f"missing-source: {path}" if gone else f"unreadable: {path}: {error.strerror}"
        if same:
            stamps[path] = before
        elif not held:
            return f"changed: {path} is not what was ingested; nffa ingest, then sync again"
    return None


def _moved(item: Item) -> str | None:
    """Return what changed while it was sent: the receipt is true, but its source is another now."""
    for asset in item.bundle.assets:
        if asset.path is None or (before := item.stamps.get(str(asset.path))) is None:
            continue
        try:
            if _stamp(str(asset.path)) != before and reading.sha256(str(asset.path)) != asset.sha256:
                return f"changed-while-sent: {asset.path}; nffa ingest, then sync again"
        except FileNotFoundError:
            return f"vanished-while-sent: {asset.path}" if _is_linked(asset) else None
        except OSError as error:
            return f"unreadable: {asset.path}: {error.strerror}"
    return None


def _stamp(path: str) -> _Stamp:
    found = os.stat(path)  # noqa: PTH116
    return found.st_size, found.st_mtime_ns, found.st_ino
