"""Takes a pack in: each frame that an ingest waits for becomes a staged file, is proved by its SHA-256, and is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from io import FileIO
from pathlib import Path

from nffa_cli.node import pack, receiving
from nffa_cli.node.storage import Storage

UNASKED = "the ingest does not wait for these bytes, or not for so many"
WRONG = "the bytes are not what the digest says"


class Unpacking:
    """One pack on its way in; ``wanted``: digest → size of what is taken. Use it in a ``with`` block.

    Attributes
    ----------
    received
        Digest → size of what was proved; stored once ``keep`` has returned.
    refused
        Digest → why.
    """

    def __init__(self, storage: Storage, wanted: Mapping[str, int]) -> None:
        self.received: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self._storage = storage
        self._wanted = wanted
        self._frames = pack.Frames()
        self._block = ExitStack()
        self._draft = Path()
        self._staged: list[Path] = []
        self._proved: dict[str, Path] = {}
        self._start = pack.Start("", 0)
        self._file: FileIO | None = None
        self._digest = hashlib.sha256()

    def __enter__(self) -> Unpacking:
        self._draft = self._block.enter_context(self._storage.draft())
        self._block.callback(self._clean)
        return self

    def __exit__(self, *_: object) -> None:
        self._block.close()

    def _clean(self) -> None:
        if self._file is not None:
            self._file.close()
        for path in self._staged:
            path.unlink(missing_ok=True)

    @property
    def whole(self) -> bool:
        """Whether the pack may end here."""
        return self._frames.whole

    def take(self, data: memoryview) -> None:
        """Take the next bytes of the pack.

        Raises
        ------
        Problem
            507: the disk is full.
        """
        for event in self._frames.feed(data):
            if isinstance(event, pack.Start):
                self._begin(event)
            elif isinstance(event, pack.End):
                self._end()
            elif self._file is not None:
                receiving.write(self._file, event.data)
                self._digest.update(event.data)

    def keep(self) -> None:
        """Store what was proved.

        Raises
        ------
        Problem
            507: the disk is full.
        """
        with receiving.disk():
            self._storage.keep([(path, sha256) for sha256, path in self._proved.items()])
        kept = set(self._proved.values())
        self._staged = [path for path in self._staged if path not in kept]
        self.received |= {sha256: self._wanted[sha256] for sha256 in self._proved}
        for sha256 in self.received:
            self.refused.pop(sha256, None)

    def _begin(self, start: pack.Start) -> None:
        self._start = start
        if self._wanted.get(start.sha256) != start.size:
            self.refused[start.sha256] = UNASKED
        else:
            path = self._draft.with_name(f"{self._draft.name}.{len(self._staged)}")
            self._staged.append(path)
            with receiving.disk():
                self._file = FileIO(path, "w")
            self._digest = hashlib.sha256()

    def _end(self) -> None:
        if self._file is None:
            return
        self._file.close()
        if self._digest.hexdigest() == self._start.sha256:
            self._proved[self._start.sha256] = self._staged[-1]
        else:
            self.refused[self._start.sha256] = WRONG
        self._file = None
