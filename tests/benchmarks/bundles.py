"""What ``nffa sync`` would send, made beforehand, for whoever sends the same in another way."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

from nffa_cli import delivering
from nffa_cli.catalogue.store import Store
from nffa_cli.destinations.base import Delivery
from nffa_cli.gathering import Gathering, knowledge


def bundles(home: Path, experiment: str) -> list[Delivery]:
    """Return a delivery of each acquisition of a catalogue, in an experiment of its own."""
    with _home(home), Store.open(home / "catalogue.sqlite", readonly=True) as store:
        gathering = Gathering(store, knowledge(proposal=experiment, experiment=experiment))
        found = []
        for each in store.outbox.candidates(0):
            decision = delivering.due(each, gathering.context(each.path)["digest"], gathering.knowledge)
            made = gathering.make(each, decision)
            assert made is not None
            named = {**made.experiment, "experimentName": experiment}
            found.append(Delivery(_in(made, named)))
        return found


def _in(bundle, experiment):
    from dataclasses import replace

    return replace(bundle, experiment=experiment)


@contextmanager
def _home(home: Path):
    before = os.environ.get("NFFA_HOME")
    os.environ["NFFA_HOME"] = str(home)
    try:
        yield
    finally:
        if before is None:
            del os.environ["NFFA_HOME"]
        else:
            os.environ["NFFA_HOME"] = before
