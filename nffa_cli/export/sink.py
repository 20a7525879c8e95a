"""The file that HDF5 writes into: it bears a full disk quietly, and looks like nothing until all of it is on the disk.

HDF5 does not get over a write that fails: its state stays dirty, and closing the file fails again, or the program's end
does. So the first failure is kept here, what comes after it is swallowed, HDF5 closes in peace, and ``finish`` tells.
The file's first bytes, without which nobody takes it for HDF5, are written last of all.
"""

from __future__ import annotations

import errno
import io
import os
from typing import Any

from nffa_cli.errors import DiskError

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""No space left, no room in the largest file allowed, quota used up."""
_HEAD = 8
"""Bytes of the format's signature."""


class Sink(io.RawIOBase):
    """A new file, as h5py wants a Python file to be. An existing one is overwritten."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self.failure: OSError | None = None
        self._place = 0
        self._size = 0
        self._head = b""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise _disk_error(error, path) from error

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a place."""
        self._place = (0, self._place, self._size)[whence] + offset
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def write(self, data: Any, /) -> int:
        """Write all of ``data`` at the place, or remember why that failed."""
        view = memoryview(data).cast("B")
        size, place = len(view), self._place
        self._place = place + size
        self._size = max(self._size, self._place)
        if place == 0 and size >= _HEAD:
            self._head = bytes(view[:_HEAD])
            view, place = view[_HEAD:], _HEAD
        self._put(view, place)
        return size

    def _put(self, view: memoryview, place: int) -> None:
        try:
            while len(view) and self.failure is None:
                done = _write_at(self._file, view, place)
                view, place = view[done:], place + done
        except OSError as error:
            self.failure = error

    def readinto(self, buffer: Any, /) -> int:
        """Read what was written; zeros where nothing was."""
        view = memoryview(buffer).cast("B")
        place, self._place = self._place, self._place + len(view)
        got = _read_at(self._file, len(view), place)
        if place < _HEAD:
            head = self._head.ljust(_HEAD, b"\0")
            got = head[place:] + got[_HEAD - place :] if len(got) > _HEAD - place else head[place:]
        view[:] = got[: len(view)].ljust(len(view), b"\0")
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Set the file's size."""
        self._size = self._place if size is None else size
        try:
            if self.failure is None:
                os.ftruncate(self._file, self._size)
        except OSError as error:
            self.failure = error
        return self._size

    def flush(self) -> None:
        """Do nothing: only ``finish`` makes a file of it."""

    def finish(self) -> None:
        """Make sure that all of it is on the disk, then write the first bytes.

        Raises
        ------
        DiskError
            For this or for whatever failed before.
        """
        if self.failure is None:
            try:
                _sync(self._file)
                self._put(memoryview(self._head), 0)
                _sync(self._file)
            except OSError as error:
                self.failure = error
        self.check()

    def check(self) -> None:
        """Raise DiskError if anything could not be written so far."""
        if self.failure is not None:
            raise _disk_error(self.failure, self.path) from self.failure

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            os.close(self._file)
        super().close()


def _disk_error(error: OSError, path: str) -> DiskError:
    full = error.errno in _FULL
    what = "the disk is full" if full else f"cannot be written: {error.strerror or error}"
    hint = "free some space, then run the same command again" if full else "choose a folder that you may write to"
    return DiskError(what, where=path, hint=hint)


_sync = getattr(os, "fdatasync", os.fsync)
"""Waits until contents and size are on the disk; other facts, like times, may come later."""

if hasattr(os, "pwrite"):
    _write_at = os.pwrite

    def _read_at(file: int, size: int, place: int) -> bytes:
        return os.pread(file, size, place)

else:  # Windows has neither

    def _write_at(file: int, view: Any, place: int) -> int:
        os.lseek(file, place, os.SEEK_SET)
        return os.write(file, view)

    def _read_at(file: int, size: int, place: int) -> bytes:
        os.lseek(file, place, os.SEEK_SET)
        return os.read(file, size)
