"""An answer whose head broke off is no answer; ``http.client`` takes what came of it, half a ``Location`` for a whole one."""

from __future__ import annotations

import http.client
from typing import Any


class Whole(http.client.HTTPResponse):
    """An answer that raises ConnectionResetError where its head ends before the empty line."""

    def begin(self) -> None:
        """Read the head."""
        source: Any = self.fp
        self.fp = _Head(source)  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            self.fp = source


class _Head:
    """The lines of a head."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._begun = False

    def readline(self, limit: int) -> bytes:
        """Return the next line; nothing at all, before any, is the reader's to judge: the server hung up on an old connection."""
        line: bytes = self._source.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit and (line or self._begun):
            raise ConnectionResetError("the head of the answer broke off")
        self._begun = True
        return line
