"""How deliveries stand, from the catalogue alone: what is due, what waits, what may be deleted. Asks no destination."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from nffa_cli import plan
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery import carrying
from nffa_cli.delivery.delivering import NO_PROPOSAL
from nffa_cli.delivery.gathering import Gathering, knowledge
from nffa_cli.records import Acquisition, FileStamp

FAILED = frozenset({"failed", "refused", "conflict"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How the deliveries to one destination stand; ``waiting`` and ``failed`` are (path, reason)."""

    destination: str
    delivered: int
    due: int
    waiting: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Safe:
    """An acquisition whose files a destination was proved to hold, and that are here as they were then."""

    acquisition: str
    files: tuple[str, ...]
    bytes: int
    destination: str
    url: str


def standing(store: Store, destination: str) -> Standing:
    """Return how the deliveries to a destination stand; what names no proposal is waiting, seen by a sync or not."""
    outbox = store.outbox
    gathering = Gathering(knowledge())
    named = outbox.with_proposal()
    delivered = due = 0
    waiting, failed = [], []
    for each in outbox.candidates(outbox.known(destination)):
        decision = gathering.decide(each)
        delivered += each.receipt is not None
        if each.stub is not None and each.stub.state in FAILED:
            failed.append((each.path, each.stub.reason or each.stub.state))
        elif decision.action == "wait":
            waiting.append((each.path, decision.reason))
        elif decision.action == "send":
            has = decision.proposal or each.seq in named or gathering.proposal(each.path)
            if has:
                due += 1
            else:
                waiting.append((each.path, NO_PROPOSAL))
    for imported in store.imports.candidates(destination):
        action, reason, _ = carrying.due(imported, gathering.knowledge)
        sent = imported.sent
        delivered += sent is not None and sent.receipt is not None
        if sent is not None and sent.state in FAILED:
            failed.append((imported.source, sent.reason or sent.state))
        elif action == "wait" or (action == "send" and not imported.options.get("proposal")):
            waiting.append((imported.source, reason if action == "wait" else NO_PROPOSAL))
        else:
            due += action == "send"
    return Standing(destination, delivered, due, tuple(waiting), tuple(failed))


def safe_to_delete(store: Store, under: str | None) -> Iterator[Safe]:
    """Yield what may be deleted here: proved by digest on a destination, and unchanged here since it was ingested."""
    top = None if under is None else os.path.join(os.path.abspath(under), "")  # noqa: PTH100, PTH118
    seen: set[str] = set()
    for name, destination, url, there, stamp, files in store.outbox.proved_contents():
        if name in seen or not {sha256 for _, _, sha256, _ in files} <= set(there):
            continue
        paths = tuple(path for path, *_ in files)
        if top is not None and not paths[0].startswith(top):
            continue
        if _stamp(paths) == stamp:
            seen.add(name)
            yield Safe(name, paths, sum(size for _, size, _, _ in files), destination, url)


def _stamp(paths: tuple[str, ...]) -> str | None:
    """Return the stamp of files as they are now; None if one is not there."""
    found = []
    for path in paths:
        try:
            state = os.stat(path)  # noqa: PTH116
        except OSError:
            return None
        found.append(FileStamp(path, state.st_size, state.st_mtime_ns, state.st_ino))
    return plan.stamp(Acquisition(paths[0], tuple(found)))
