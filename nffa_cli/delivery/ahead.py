"""One step ahead: a generator runs in a thread of its own while what it made last is still being worked on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

T = TypeVar("T")


def ahead(source: Callable[[Event], Generator[T, None, None]]) -> Iterator[T]:
    """Yield what a generator yields, of which the next is made meanwhile; what it raises is raised in its turn.

    Parameters
    ----------
    source
        Makes the generator; it is called, runs and is closed in one and the same thread. The event is set when nobody wants
        anything any more: it should end soon then.
    """
    unwanted = Event()
    with ThreadPoolExecutor(1) as aside:
        items = aside.submit(source, unwanted).result()
        try:
            coming = aside.submit(next, items, None)
            while (item := coming.result()) is not None:
                coming = aside.submit(next, items, None)
                yield item
        finally:
            unwanted.set()
            aside.submit(items.close)
