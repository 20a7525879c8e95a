"""What is written now and then, in a thread: when tokens were used last; and old idempotency keys are forgotten."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from nffa_cli.node.callers import Uses
from nffa_cli.node.database import Database
from nffa_cli.node.requests import forget_keys

log = logging.getLogger("nffa.node")
EVERY = 60
"""Seconds."""
KEYS_EVERY = 60
"""Of these times, keys are looked at once."""


@contextmanager
def kept_up(database: Database, uses: Uses, days: int) -> Iterator[None]:
    """Write until the block ends, and once more then; keys live for ``days``."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep_on, args=(database, uses, days, ended), name="keeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        uses.write(database)


def _keep_on(database: Database, uses: Uses, days: int, ended: threading.Event) -> None:
    count = 0
    while not ended.wait(EVERY):
        count += 1
        try:
            uses.write(database)
            if count % KEYS_EVERY == 1:
                with database.write() as connection:
                    forget_keys(connection, days)
        except Exception:
            log.exception("could not note which tokens were used; it is tried again")
