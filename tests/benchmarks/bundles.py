"""What ``nffa sync`` would send, made beforehand, for whoever sends the same in another way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from nffa_cli.catalogue.store import Store
from nffa_cli.delivery import delivering
from nffa_cli.delivery.gathering import Gathering, knowledge
from nffa_cli.destinations.base import Delivery


def bundles(home: Path, number: int, *, proposal: str, experiment: str, link: bool) -> list[Delivery]:
    """Return a delivery of each of the first acquisitions of a catalogue, as ``sync`` makes it with the same options."""
    with _home(home), Store.open(home / "catalogue.sqlite", readonly=True) as store:
        gathering = Gathering(knowledge(proposal=proposal, experiment=experiment, link=link))
        found = []
        candidates = list(islice(store.outbox.candidates(0), number))
        contents = store.outbox.contents(candidates)
        for each in candidates:
            decision = delivering.due(each, gathering.context(each.path)["digest"], gathering.knowledge)
            made = gathering.make(each, decision, contents[each.seq])
            assert made is not None
            found.append(Delivery(made, None))
        return found


@contextmanager
def _home(home: Path) -> Iterator[None]:
    before = os.environ.get("NFFA_HOME")
    os.environ["NFFA_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["NFFA_HOME"]
        else:
            os.environ["NFFA_HOME"] = before
