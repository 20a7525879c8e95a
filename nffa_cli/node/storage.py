"""The node's bytes on disk: each under the SHA-256 of its content, whole and durable, or not at all.

What arrives is written in ``staging`` and takes its name by ``keep``: fsync, rename, fsync of the folders. The names that
count are those the database knows; a file without a row is what a crash left, is never served, and is swept. Nothing here
knows the database. One node works on a folder at a time (its lock says so), hence the busy names are kept in memory.
"""

from __future__ import annotations

import math
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from fastapi import Request

STORE = "sha256"
"""The folder of 256 folders. A second level would cost a new folder, to be made durable too, for nearly every file."""
STAGING = "staging"
ASIDE = "damaged"
"""The folder of files that are not what they should be; nothing here removes them."""
SYNCING = 8
"""fsyncs at a time: file systems write many down in about the time of one (300 files: 40 ms, one by one 640 ms)."""


class Storage:
    """The folder of a node's bytes; may be used by many threads.

    Raises
    ------
    OSError
        The folders cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staged = folder / STAGING
        self._kept = folder / STORE
        self._turn = threading.Lock()
        self._busy: set[str] = set()
        for each in (self.staged, self._kept):
            each.mkdir(parents=True, exist_ok=True)
        self._syncing = ThreadPoolExecutor(SYNCING, thread_name_prefix="sync")

    def path(self, sha256: str) -> Path:
        """Return where the bytes with this digest (64 lower-case hex digits) lie, or would."""
        return self._kept.joinpath(sha256[:2], sha256)

    def size(self, sha256: str) -> int | None:
        """Return the size in bytes of what is kept under a digest; None: nothing is."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Give a fresh path in staging; what still lies there when the block ends is removed."""
        name = f"draft-{secrets.token_hex(16)}"
        with self.held(name):
            try:
                yield self.staged / name
            finally:
                with suppress(OSError):
                    (self.staged / name).unlink(missing_ok=True)

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """Hold a name in staging for the time of the block; gives False at once where another holds it."""
        with self._turn:
            free = name not in self._busy
            self._busy.add(name)
        try:
            yield free
        finally:
            if free:
                with self._turn:
                    self._busy.discard(name)

    def keep(self, drafts: Sequence[tuple[Path, str]]) -> None:
        """Make staged files durable under their digests, which the caller has proved; many cost little more than one.

        A crash in between leaves some of them under their names, whole. What is there already is replaced by the same.

        Raises
        ------
        OSError
            The disk is full or broken; nothing may be said to be kept.
        """
        self._sync([path for path, _ in drafts])
        changed: set[Path] = set()
        for path, sha256 in drafts:
            final = self.path(sha256)
            if final.parent not in changed:
                changed |= {final.parent, *_made(final.parent)}
            os.utime(path)  # the sweep leaves young files alone
            try:
                path.replace(final)
            except PermissionError:  # on Windows, where somebody reads what is there; it is the same
                if self.size(sha256) != path.stat().st_size:
                    raise
                path.unlink()
        if os.name != "nt":  # which knows no fsync of a folder
            self._sync(list(changed))

    def remove(self, sha256: str) -> None:
        """Remove the bytes with this digest, if they are there."""
        self.path(sha256).unlink(missing_ok=True)

    def set_aside(self, sha256: str) -> Path | None:
        """Move what lies under a digest out of the way and return its new place; None: nothing is there.

        Raises
        ------
        OSError
            It cannot be moved.
        """
        target = self.folder / ASIDE / f"{sha256}.{secrets.token_hex(4)}"
        target.parent.mkdir(exist_ok=True)
        try:
            self.path(sha256).replace(target)
        except FileNotFoundError:
            return None
        return target

    def stamp(self, sha256: str) -> tuple[int, int, int] | None:
        """Return what tells one file under a digest from a later one: size, time, number; None: nothing is there."""
        try:
            found = self.path(sha256).stat()
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def changed(self, sha256: str) -> float:
        """Return when the bytes with this digest took their name, in Unix time; infinity: they are not there."""
        try:
            return self.path(sha256).stat().st_mtime
        except FileNotFoundError:
            return math.inf

    def kept(self) -> Iterator[tuple[str, float]]:
        """Yield the digest of every file under its final name, in their order, and when it took that name."""
        for first in _names(self._kept):
            for name in _names(self._kept / first):
                yield name, self.changed(name)

    def sweep(self, wanted: Iterable[str]) -> int:
        """Remove from staging what nobody holds and is not ``wanted``, and return how many files that were.

        ``wanted`` is what upload names the files in staging may start with; drafts of a process that ended never are.
        """
        known = set(wanted)
        swept = 0
        for name in _names(self.staged):
            head = name.partition(".")[0]
            if head not in known:
                with self.held(head) as free:
                    if free:
                        (self.staged / name).unlink(missing_ok=True)
                        swept += 1
        return swept

    def close(self) -> None:
        """Let go of the threads."""
        self._syncing.shutdown()

    def _sync(self, paths: Sequence[Path]) -> None:
        for _ in self._syncing.map(_sync_all, (paths[first::SYNCING] for first in range(SYNCING))):
            pass


async def storage(request: Request) -> Storage:
    """Return the storage of the node that was asked (a FastAPI dependency)."""
    found: Storage = request.app.state.storage
    return found


def sync(path: Path) -> None:
    """Have the system write a file or folder down before it goes on."""
    file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _sync_all(paths: Iterable[Path]) -> None:
    for path in paths:
        sync(path)


def _made(folder: Path) -> set[Path]:
    """Make a folder and those above it; return the ones that hold a new name."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return {each.parent for each in missing}


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except FileNotFoundError:
        return []
