"""Delivering to an IDRP node: a manifest of many measurements, the bytes that it lacks, one commit.

The node decides what is new, the same or in conflict, and proves every byte; here is only the conversation. Nothing of a
batch is visible there before its commit, and everything may be said again: an answer that got lost costs a repetition.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from nffa_cli.destinations import manifests
from nffa_cli.destinations.answers import Rejected
from nffa_cli.destinations.base import Delivery, Journal, Result
from nffa_cli.destinations.contents import Contents
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.manifests import Item
from nffa_cli.errors import NffaError, Unreachable

logger = logging.getLogger(__name__)

ITEMS = 500
"""Measurements of one manifest."""
MANIFEST = 12 << 20
"""Bytes of one manifest; a node takes 16 MiB."""
WRONG = frozenset({400, 413, 422})
"""What is said of a manifest that is not as it should be: then the good items go on without the bad ones."""
ROUNDS = 3
"""How often a batch is begun again because something changed under it."""


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
    contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self.contents = Contents(self.connection, self.journal)

    def deliver(self, deliveries: Iterable[Delivery]) -> Iterator[Result]:
        """Deliver, batch by batch."""
        items = (Item(delivery, manifests.version(delivery.known)) for delivery in deliveries)
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
        manifest = manifests.manifest(batch, embeds=self.embeds)
        if len(manifest) > self.limit and len(batch) > 1:
            yield from self._halved(batch, rounds)
            return
        try:
            ingest = self.opened(manifest, len(batch))
        except Rejected as error:
            if error.status not in WRONG:
                raise
            if self.embeds and manifests.refuses_embeddings(error):
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
                yield Result(item.delivery, "refused", reason=manifests.why(said))
        if pending:
            yield from self._finished(ingest, pending, rounds)
        else:
            self._cancel(ingest)
        yield from self._reconciled(conflicts, rounds)

    def opened(self, manifest: bytes, count: int) -> Mapping[str, Any]:
        """Open an ingest of so many items and return what the node says of it."""
        answer = self.connection.send(
            "POST", "ingests", body=manifest, headers={"Content-Type": "application/json"}, key=uuid.uuid4().hex,
            wants_json=True,
        )  # fmt: skip
        return manifests.ingest_told(answer.value, count, answer.where)

    def _halved(self, batch: Sequence[Item], rounds: int) -> Iterator[Result]:
        half = len(batch) // 2
        yield from self._deliver(batch[:half], rounds)
        yield from self._deliver(batch[half:], rounds)

    def _apart(self, batch: Sequence[Item], rounds: int, error: Rejected) -> Iterator[Result]:
        """Go on without the items that the node finds wrong, or with each half where it does not say which."""
        if len(batch) == 1:
            yield Result(batch[0].delivery, "refused", reason=error.what)
            return
        wrong = manifests.named(error, len(batch))
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
        self.contents.send(ingest["id"], [item.delivery for item in items], {each["sha256"] for each in ingest["need"]})
        bad = dict(self.contents.lost)
        broken = [item for item in items if any(asset.sha256 in bad for asset in item.bundle.assets)]
        if broken:
            for item in broken:
                why = next(bad[asset.sha256] for asset in item.bundle.assets if asset.sha256 in bad)
                yield Result(item.delivery, "failed", reason=why)
            self.contents.lost.clear()
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
        done = {each["ref"]: each for each in manifests.items_told(answer.value, answer.where)}
        for item, said in pending:
            found = done.get(said["ref"], said)
            status = "unchanged" if said["action"] == "unchanged" else "done"
            yield item.result(found, status, self._url(found["measurementId"]))

    def _reconciled(self, conflicts: Sequence[tuple[Item, Mapping[str, Any]]], rounds: int) -> Iterator[Result]:
        """Replace, once, what we wrote last ourselves (its receipt was lost) and what we are told to; leave the rest alone."""
        again = []
        for item, said in conflicts:
            if item.again or not (item.insists or self._mine(said["measurementId"])):
                yield Result(item.delivery, "conflict", reason=manifests.why(said))
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

    def _cancel(self, ingest: Mapping[str, Any]) -> None:
        try:
            self.connection.send("POST", f"ingests/{ingest['id']}:cancel", again=True)
        except NffaError as error:
            logger.info("%s; it expires by itself", error)

    def _url(self, measurement: str) -> str:
        return f"{self.connection.address}/measurements/{measurement}"
