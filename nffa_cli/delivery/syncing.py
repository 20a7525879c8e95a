"""One run of ``nffa sync``: which destinations, one after the other, under one lock. How one is served is ``sending``'s.

A destination that cannot be reached, says no, has a full disk or a wrong table holds up no other; it is told at the end,
when the rest is done. What is wrong with the catalogue itself ends the run at once.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

from nffa_cli import settings
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery.gathering import Gathering, knowledge
from nffa_cli.delivery.returning import Returned
from nffa_cli.delivery.sending import Sending
from nffa_cli.destinations import registry
from nffa_cli.destinations.pace import Pace
from nffa_cli.destinations.registry import Place
from nffa_cli.errors import (
    CatalogueDiskError,
    CatalogueError,
    ConfigError,
    DiskError,
    NffaError,
    Refused,
    Unreachable,
    UsageError,
)
from nffa_cli.records import Outcome

logger = logging.getLogger(__name__)

LOCK = ".sync"
"""Suffix of the lock by which only syncs exclude each other: an ingest may go on meanwhile."""
TROUBLES: tuple[type[NffaError], ...] = (ConfigError, Refused, DiskError, Unreachable)
"""What stops one destination only; what somebody must act on first, first: the last one passes by itself."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; ``proposal`` and ``experiment`` hold for what no session names one."""

    to: str | None = None
    proposal: str | None = None
    experiment: str | None = None
    link: bool = False
    limit_rate: str = ""


class Sync:
    """One run over the destinations that were chosen.

    ``trouble`` is what stopped one of them; of several, the one whose kind comes first in ``TROUBLES``.
    """

    def __init__(self, wish: Wish) -> None:
        self.places = places(wish)
        self.wish = wish
        self.trouble: NffaError | None = None
        self.returned: list[Returned] = []
        """What persons answered at destinations, of each that was delivered to."""

    def deliver(self) -> Iterator[Outcome]:
        """Deliver what is due and yield an outcome for each acquisition and destination, once it is true."""
        return self._each(self._deliver)

    def _deliver(self, sending: Sending) -> Iterator[Outcome]:
        yield from chain(sending.deliver(), sending.imports.deliver())
        if (found := sending.returned()) is not None:
            self.returned.append(found)

    def check(self) -> Iterator[Outcome]:
        """Let each destination prove what it was given; what is missing or different is due again."""
        return self._each(lambda sending: chain(sending.check(), sending.imports.check()))

    def plan(self) -> Iterator[Outcome]:
        """Yield what ``deliver`` would do: ``done`` and ``due`` where it would send. Nothing is written anywhere."""
        return self._each(lambda sending: chain(sending.plan(), sending.imports.plan()), readonly=True)

    def _each(self, do: Callable[[Sending], Iterator[Outcome]], *, readonly: bool = False) -> Iterator[Outcome]:
        path = settings.catalogue_path()
        if not path.exists():
            raise CatalogueError("there is no catalogue yet", where=str(path), hint="nffa ingest FOLDER makes one")
        known = knowledge(proposal=self.wish.proposal, experiment=self.wish.experiment, link=self.wish.link)
        with ExitStack() as stack:
            store = stack.enter_context(Store.open(path, readonly=readonly, full_sync=not readonly))
            if not readonly:
                stack.enter_context(store.lock(LOCK))
            for place in self.places:
                try:
                    yield from do(Sending(store, place, Gathering(known)))
                except CatalogueDiskError:
                    raise
                except TROUBLES as error:
                    self._note(error)

    def _note(self, error: NffaError) -> None:
        """Keep what stopped a destination; of two the one that is not raised at the end is told now."""
        if self.trouble is None:
            self.trouble = error
            return
        first, other = sorted((self.trouble, error), key=_rank)
        self.trouble = first
        logger.warning("%s", other)


def _rank(error: NffaError) -> int:
    return next(rank for rank, kind in enumerate(TROUBLES) if isinstance(error, kind))


def configured() -> list[Place]:
    """Return the destinations of ``nffa.toml``; ConfigError says what is wrong there."""
    where = str(settings.home() / "nffa.toml")
    return [registry.of_table(table, where) for table in settings.destinations()]


def places(wish: Wish) -> list[Place]:
    """Return the destinations of a run; UsageError if there is none."""
    found = registry.chosen(wish.to, configured())
    if not found:
        hint = "nffa sync --to https://NODE, --to FOLDER, or a [[destination]] in nffa.toml"
        raise UsageError("there is no destination yet", hint=hint)
    pace = Pace(rate(wish.limit_rate))
    return [Place(each.name, each.kind, each.address, each.options, pace) for each in found]


def rate(text: str) -> float | None:
    """Return bytes a second of a text such as ``500K`` or ``2M`` (powers of 1024); None: no limit."""
    if not text.strip():
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?(?:/s)?\s*", text, re.IGNORECASE)
    if found is None or not float(found[1]):
        raise UsageError(f"{text!r} is no rate", hint="such as 500K or 2M, in bytes a second")
    return float(found[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[found[2].upper()]
