"""The staged file of an upload and the chunk that is on its way into it. The disk is the truth of how far it has come.

A chunk with a checksum counts as a whole or not at all: where it began is written beside the file before its first byte,
and what a crash left after that place is cut off. A chunk without one counts as far as it came. The digest of the whole runs
along in memory; where it is not known (the node was started anew in between) the file is read once at the end.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request

from nffa_cli.node import receiving, tus
from nffa_cli.node.problems import Problem

if TYPE_CHECKING:
    from hashlib import _Hash

MISMATCH = 460
"""The status that tus gives to bytes which are not what their checksum says."""
AHEAD = 8 << 20
"""Bytes after which the disk begins to write them, so that little is left to wait for when the last have come."""
RUNNING = 1_000
"""Digests that are kept under way; the oldest is given up for a newer one."""


class Digests:
    """Running SHA-256 of the uploads under way, by id, each with the number of bytes it has seen."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._running: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def take(self, upload: str, at: int) -> _Hash | None:
        """Take out the digest of the first ``at`` bytes; None: it is not known."""
        with self._turn:
            seen, digest = self._running.pop(upload, (0, hashlib.sha256()))
        return digest if seen == at else None

    def put(self, upload: str, at: int, digest: _Hash | None) -> None:
        """Keep the digest of the first ``at`` bytes for the next chunk."""
        if digest is not None and at:
            with self._turn:
                self._running[upload] = (at, digest)
                while len(self._running) > RUNNING:
                    self._running.popitem(last=False)


async def digests(request: Request) -> Digests:
    """Return the running digests of the node that was asked (a FastAPI dependency)."""
    found: Digests = request.app.state.digests
    return found


def offset(path: Path) -> int:
    """Return how many bytes of a staged file count, also while a chunk is on its way into it."""
    size = _size(path)
    try:
        text = _mark(path).read_text()
    except FileNotFoundError:
        return size
    return min(size, int(text)) if text.isdecimal() else 0  # no text: killed before it could be written


def settled(path: Path) -> int:
    """Cut off what an interrupted chunk left that does not count, and return how many bytes are left."""
    at = offset(path)
    if _size(path) > at:
        os.truncate(path, at)
    _mark(path).unlink(missing_ok=True)
    return at


def forget(path: Path) -> None:
    """Remove a staged file."""
    path.unlink(missing_ok=True)
    _mark(path).unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Arrival:
    """One chunk on its way into the staged file at ``path``, which the caller holds and has settled at the chunk's offset.

    Parameters
    ----------
    size
        Bytes that the whole file shall have.
    whole
        Digest of what is there already; None: not known.
    """

    def __init__(self, path: Path, chunk: tus.Chunk, *, size: int, whole: _Hash | None) -> None:
        self.path = path
        self.chunk = chunk
        self.size = size
        self.at = chunk.offset
        self._before = whole.copy() if whole and chunk.digest else None
        self.whole = whole
        is_whole = whole is not None and chunk.offset == 0  # then ``whole`` is the chunk's own, too
        self._own = None if chunk.digest is None or is_whole else hashlib.sha256()
        if chunk.digest is not None:
            with receiving.disk():
                _mark(path).write_text(str(self.at))
        with receiving.disk():
            self._file = FileIO(path, "r+" if path.exists() else "w+")
        self._file.seek(self.at)
        self._begun = self.at

    def take(self, data: memoryview) -> None:
        """Write down what came.

        Raises
        ------
        Problem
            413: more than the file shall have; the chunk does not count. 507: the disk is full.
        """
        if self.at + len(data) > self.size:
            self.drop()
            raise overlong(self.size)
        receiving.write(self._file, data)
        self.at += len(data)
        for digest in filter(None, (self.whole, self._own)):
            digest.update(data)
        self._write_out()

    def _write_out(self) -> None:
        """Let the disk begin with what is written, and memory forget what it has; what fails, the sync at the end says."""
        if self.at - self._begun >= AHEAD and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file.fileno(), 0, self.at, os.POSIX_FADV_DONTNEED)
            self._begun = self.at

    def seal(self) -> None:
        """Let the chunk count, all of which has come.

        Raises
        ------
        Problem
            460: it is not what its checksum says; it does not count.
        """
        if self.chunk.digest is not None:
            own = self._own or self.whole
            if own is None or own.digest() != self.chunk.digest:
                self.drop()
                detail = "the bytes are not what Upload-Checksum says; the offset is where it was: send the chunk again"
                raise Problem(MISMATCH, "Checksum mismatch", detail, headers=tus.SPOKEN)
            _mark(self.path).unlink()
        self.close()

    def interrupt(self) -> None:
        """Keep what may be kept of a chunk that was cut off."""
        if self.chunk.digest is not None:
            self.drop()
        else:
            self.close()
            os.truncate(self.path, self.at)  # a full disk may have taken a part of a piece

    def drop(self) -> None:
        """Let the chunk not count."""
        if not self._file.closed:
            self.close()
            self.at = self.chunk.offset
            self.whole = self._before
            os.truncate(self.path, self.at)
            _mark(self.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._file.close()


def overlong(size: int) -> Problem:
    """Return the problem of a body that goes beyond the end of its file."""
    detail = f"the body goes beyond the {size} bytes of the upload; the offset is where it was"
    return Problem(413, "Too large", detail, headers={**tus.SPOKEN, "Connection": "close"})


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".from")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
