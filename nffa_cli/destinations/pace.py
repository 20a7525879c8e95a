"""How fast bytes may leave: one budget for all uploads of a run. Knows neither files nor networks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Lets ``bytes_per_second`` pass, half a second of it at once; None: everything, at once. Safe from several threads."""

    def __init__(
        self,
        bytes_per_second: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = bytes_per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_from = 0.0

    @property
    def chunk(self) -> int:
        """How many bytes to send between two calls of ``spend``, so that the rate is held evenly."""
        return 1 << 20 if self.rate is None else max(1024, min(1 << 20, int(self.rate / 4)))

    def spend(self, count: int) -> None:
        """Wait until ``count`` bytes may pass."""
        if self.rate is None:
            return
        with self._lock:
            now = self._clock()
            begin = max(self._free_from, now - 0.5)
            self._free_from = begin + count / self.rate
            wait = begin - now
        if wait > 0:
            self._sleep(wait)
