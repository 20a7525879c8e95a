"""What comes back from a destination: what persons answered there becomes answers of persons in the catalogue.

One request a run where there is nothing new. Each answer is known by its id there, so that one which is told twice is taken
once; whatever goes wrong is told, and no delivery fails by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from nffa_cli.catalogue.opinions import Label
from nffa_cli.catalogue.store import Store
from nffa_cli.destinations.base import Answered, Answering, Destination
from nffa_cli.errors import NffaError


@dataclass(frozen=True, slots=True)
class Returned:
    """How many new labels a destination told, and what stopped it; None: nothing did."""

    destination: str
    labels: int
    problem: str | None = None


def take(store: Store, name: str, destination: Destination) -> Returned | None:
    """Take what was answered at a destination since the last time; None: nobody answers there."""
    origin = destination.capabilities().labels
    if origin is None:
        return None
    number, new = store.outbox.destination(name), 0
    try:
        for page, since in cast(Answering, destination).labels(store.outbox.labels_since(number)):
            with store.batch():
                new += store.opinions.take(label(each, origin) for each in page)
                if since is not None:
                    store.outbox.labels_taken(number, since)
    except NffaError as error:
        return Returned(name, new, error.what)
    return Returned(name, new)


def label(said: Answered, origin: str) -> Label:
    """Return an answer as the catalogue keeps it; a person whose name we may not know is called by the id."""
    labeller = said.labeller or f"person {said.person[-12:]} at {urlsplit(origin).hostname}"
    return Label(
        said.sha256, said.answer, said.label, said.second, labeller, None, said.model, said.predicted, said.at,
        how=said.how, origin=origin, origin_id=said.id, person=said.person,
    )  # fmt: skip
