"""A lock on a file, held by one process and let go of by the operating system however that process ends.

``flock`` where there is one, else (Windows) a lock on the file's first byte. Ours and not the ``filelock`` library's: that
one imports ``asyncio``, 27 ms of CPU (of 150 for ``nffa ingest`` of an empty folder), for a wait that we never ask for.
The file itself stays behind: to remove it would give two runs two files, and a lock each.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HELD = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})
"""What the systems say of a lock that is another's."""

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock at ``path`` for the time of a ``with`` block; gives False at once where another holds it.

    Raises OSError where it cannot be taken at all: no rights, no space, a share without locks.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # not inherited by the workers
    try:
        yield _taken(file)
    finally:
        os.close(file)  # which lets go of it


def _taken(file: int) -> bool:
    try:
        _take(file)
    except OSError as error:
        if error.errno in _HELD:
            return False
        raise
    return True
