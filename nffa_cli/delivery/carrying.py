"""Deliveries of imported records to one destination: due like those of the instruments' files, and kept in the same outbox.

A record is laid out anew only when something that it is made of has changed. One that cannot be laid out any more is told
and holds up no other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from nffa_cli import importing, settings
from nffa_cli.catalogue.imports import Candidate, Sent
from nffa_cli.catalogue.store import Store
from nffa_cli.crosswalk import incoming
from nffa_cli.delivery import delivering, differing
from nffa_cli.delivery.delivering import NO_PROPOSAL, Knowledge, Token, short
from nffa_cli.destinations.base import Bundle, Delivery, Destination, Receipt, Result
from nffa_cli.errors import NffaError
from nffa_cli.records import Outcome, Status

STAGE = "sync"
PAGE = 100
"""So many receipts are proved in one go."""
BAD = frozenset({"missing", "different"})
"""Proofs after which a delivery is due again."""


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery on its way."""

    candidate: Candidate
    reason: str
    token: str
    bundle: Bundle


def due(candidate: Candidate, knowledge: Knowledge) -> tuple[delivering.Action, str, str]:
    """Return what is to be done about an import, why, and the token to remember; makes nothing."""
    proposal = candidate.options.get("proposal")
    token = Token(
        content=short(candidate.stamp),
        session=short(),
        crosswalk=short(importing.VERSION, _crosswalks(candidate.system)),
        label=short(),
        nxem=short(),
        preview=short(),
        options=short(json.dumps(candidate.options, sort_keys=True)),
        portal=short(knowledge.said_of(proposal)),
    )
    return (*delivering.decided(candidate.sent, token), str(token))


class Carrying:
    """One run to one destination; ``name`` is what outbox and receipts call it."""

    def __init__(self, store: Store, name: str, to: Destination, knowledge: Knowledge) -> None:
        self._store = store
        self._imports = store.imports
        self._name = name
        self._to = to
        self._knowledge = knowledge

    def plan(self) -> Iterator[Outcome]:
        """Yield what ``deliver`` would do; nothing is written anywhere."""
        waiting: list[Item] = []
        for candidate in self._imports.candidates(self._name):
            made = self._made(candidate, keep=False)
            if isinstance(made, Outcome):
                yield made
            else:
                waiting.append(made)
            if len(waiting) >= self._to.capabilities().batch:
                yield from self._planned(waiting)
                waiting = []
        yield from self._planned(waiting)

    def deliver(self) -> Iterator[Outcome]:
        """Deliver what is due, oldest first, and yield an outcome for each import once it is true."""
        waiting: list[Item] = []
        for candidate in self._imports.candidates(self._name):
            made = self._made(candidate, keep=True)
            if isinstance(made, Outcome):
                yield made
            else:
                waiting.append(made)
            if len(waiting) >= self._to.capabilities().batch:
                yield from self._send(waiting)
                waiting = []
        yield from self._send(waiting)

    def check(self) -> Iterator[Outcome]:
        """Let the destination prove what it was given; what is missing or different is due again."""
        page: list[tuple[Candidate, Receipt]] = []
        for candidate in self._imports.candidates(self._name):
            if (receipt := _receipt(candidate.sent)) is not None:
                page.append((candidate, receipt))
            if len(page) >= PAGE:
                yield from self._proved(page)
                page = []
        yield from self._proved(page)

    def _made(self, candidate: Candidate, *, keep: bool) -> Item | Outcome:
        """Return what is to be sent of an import, or why nothing is; ``keep``: the outbox is told, too."""
        action, reason, token = due(candidate, self._knowledge)
        if action == "nothing":
            return self._told(candidate, "unchanged", None if reason == "unchanged" else reason)
        if action == "wait":
            conflict = candidate.sent is not None and candidate.sent.state == "conflict"
            return self._told(candidate, *(("failed", f"conflict: {reason}") if conflict else ("waiting", reason)))

        def settled(sent: Sent, status: Status) -> Outcome:
            if keep:
                self._imports.settle(candidate.key, self._name, sent)
            return self._told(candidate, status, sent.reason)

        try:
            item = self._imports.get(candidate.key)
            bundle = importing.made(item, self._knowledge.proposals) if item is not None else None
        except NffaError as error:
            return settled(Sent("failed", error.what, "", None, token), "failed")
        if bundle is None:
            return settled(Sent("waiting", NO_PROPOSAL, "", None, token), "waiting")
        if candidate.sent is not None and not _again(candidate):
            receipt = _receipt(candidate.sent)
            if receipt is not None and receipt.digest == bundle.digest:
                return settled(Sent("done", None, bundle.digest, None, token), "unchanged")
        return Item(candidate, reason, token, bundle)

    def _planned(self, items: Sequence[Item]) -> Iterator[Outcome]:
        deliveries = [Delivery(item.bundle, _known(item.candidate)) for item in items]
        for item, plan in zip(items, self._to.plan(deliveries) if items else (), strict=True):
            detail = {"due": [plan.action], "why": item.reason, "bytes": plan.bytes, "lost": list(plan.lost),
                      "needed": None if plan.needed is None else len(plan.needed),
                      "changes": differing.told(plan)}  # fmt: skip
            yield self._told(item.candidate, "done", plan.reason, **detail)

    def _send(self, items: Sequence[Item]) -> Iterator[Outcome]:
        if not items:
            return
        self._imports.begin(self._name, [(item.candidate.key, item.token) for item in items])
        by_key = {item.bundle.key: item for item in items}
        journal = self._store.journal(self._store.outbox.destination(self._name))
        for result in self._to.deliver([Delivery(item.bundle, _known(item.candidate)) for item in items], journal):
            yield self._kept(by_key[result.delivery.bundle.key], result)

    def _kept(self, item: Item, result: Result) -> Outcome:
        done = result.status in ("done", "unchanged")
        receipt = asdict(result.receipt) if result.receipt is not None else None
        state = "done" if result.status == "unchanged" else result.status
        sent = Sent(state, result.reason, item.bundle.digest, receipt, item.token)
        self._imports.settle(item.candidate.key, self._name, sent)
        told = f"{state}: {result.reason}" if state in ("conflict", "refused") else result.reason
        status: Status = "failed" if not done else "done" if result.status == "done" else "unchanged"
        shown = {"receipt": _shown(result.receipt)} if result.receipt is not None else {}
        return self._told(item.candidate, status, told, due=item.reason, **shown)

    def _proved(self, page: Sequence[tuple[Candidate, Receipt]]) -> Iterator[Outcome]:
        by_key = {candidate.key: (candidate, receipt) for candidate, receipt in page}
        asked = [(candidate.key, receipt) for candidate, receipt in page]
        for key, found in self._to.verify(asked) if page else ():
            candidate, receipt = by_key[key]
            bad = found.proof in BAD
            self._imports.proved(key, self._name, found.proof, bad=bad)
            reason = f"{found.proof}: {found.detail}" if found.detail else found.proof
            status: Status = "failed" if bad else "unchanged"
            yield self._told(candidate, status, reason if bad else None, proof=found.proof, receipt=_shown(receipt))

    def _told(self, candidate: Candidate, status: Status, reason: str | None, **detail: Any) -> Outcome:
        about: dict[str, Any] = {"import": candidate.key, "destination": self._name}
        receipt = _receipt(candidate.sent)
        if status == "unchanged" and receipt is not None:
            about["receipt"] = _shown(receipt)
        return Outcome(candidate.source, STAGE, status, reason, {**about, **detail})


@cache
def _crosswalks(system: str) -> str:
    """Return a digest of all that lays out the records of a system."""
    return " ".join(each.sha256 for each in incoming.of_system(system, settings.shipped("crosswalks")))


def _again(candidate: Candidate) -> bool:
    return candidate.sent is not None and candidate.sent.state == "again"


def _known(candidate: Candidate) -> Receipt | None:
    """Return the receipt that an update is made with; see ``sending``."""
    known = _receipt(candidate.sent)
    if not _again(candidate):
        return known
    return Receipt(known.measurement, known.url, "", "", known.assets) if known else Receipt("", "", "", "", ())


def _receipt(sent: Sent | None) -> Receipt | None:
    if sent is None or sent.receipt is None:
        return None
    return Receipt(**{**sent.receipt, "assets": tuple(tuple(each) for each in sent.receipt["assets"])})


def _shown(receipt: Receipt) -> dict[str, str]:
    return {"measurement": receipt.measurement, "url": receipt.url, "version": receipt.version}
