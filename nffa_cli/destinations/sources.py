"""The bytes of an asset as they are sent: from memory or from a file that must stay what it was when it was hashed.

Files are only read. What changed meanwhile is an error of that one acquisition, never half a file at a destination.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from nffa_cli.destinations.base import AssetFile
from nffa_cli.errors import NffaError

BLOCK = 1 << 20


class Changed(NffaError):
    """A file is not what it was when its digest was taken, or cannot be read any more."""

    code = "changed"


class Source:
    """An asset's bytes; reading raises Changed where they are not those that were hashed."""

    def __init__(self, asset: AssetFile, file: BinaryIO) -> None:
        self.size = asset.size
        self.sha256 = asset.sha256
        self._asset = asset
        self._file = file
        self._signature = self._stat()

    def check(self) -> None:
        """Raise Changed unless size, time and identity of the file are what they were at the beginning."""
        if self._stat() != self._signature:
            raise self._changed("it was changed while it was sent")

    def read_at(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes from ``offset``, fewer only at the end."""
        self.check()
        expected = max(0, min(count, self.size - offset))
        try:
            self._file.seek(offset)
            found = self._file.read(expected)
        except OSError as error:
            raise self._changed(f"it cannot be read ({error.strerror})") from error
        if len(found) != expected:
            raise self._changed("it became shorter while it was sent")
        return found

    def prove(self) -> None:
        """Raise Changed unless the bytes still have the digest; a destination found another one."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, BLOCK):
            digest.update(self.read_at(offset, BLOCK))
        if digest.hexdigest() != self.sha256:
            raise self._changed("its bytes are not those that were recorded")

    def reader(self, offset: int = 0, count: int | None = None) -> Reader:
        """Return ``count`` bytes (None: all) from ``offset`` in order, for one try of a request."""
        return Reader(self, offset, self.size if count is None else offset + count)

    def _stat(self) -> tuple[int, ...]:
        if self._asset.path is None:
            return (self.size,)
        try:
            now = os.stat(self._asset.path)  # noqa: PTH116 - of a path that may be changed under the open file
        except OSError as error:
            raise self._changed(f"it cannot be read ({error.strerror})") from error
        if now.st_size != self.size:
            raise self._changed(f"it has {now.st_size} bytes and had {self.size}")
        return now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev

    def _changed(self, why: str) -> Changed:
        return Changed(why, where=str(self._asset.path or self._asset.name), hint="nffa ingest takes it up anew")


class Reader:
    """The bytes of a source in order, from a place to another."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source = source
        self._at = start
        self._end = end

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none: the end."""
        block = self._source.read_at(self._at, min(size, self._end - self._at))
        self._at += len(block)
        return block


@contextmanager
def opened(asset: AssetFile) -> Iterator[Source]:
    """Give the bytes of an asset; raises Changed where they cannot be read."""
    try:
        file: BinaryIO = io.BytesIO(asset.content or b"") if asset.path is None else asset.path.open("rb")
    except OSError as error:
        hint = "nffa check finds where it went, nffa ingest takes it up anew"
        raise Changed(f"it cannot be read ({error.strerror})", where=str(asset.path), hint=hint) from error
    with file:
        yield Source(asset, file)
