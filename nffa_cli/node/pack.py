"""Many small files in one request: a row of frames, each a digest, a length and the bytes. Pure: bytes in, events out.

``application/vnd.nffa.pack``: [32 bytes SHA-256][8 bytes length, big-endian][that many bytes], again and again to the end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MEDIA_TYPE = "application/vnd.nffa.pack"
HEAD = struct.Struct(">32sQ")


@dataclass(frozen=True, slots=True)
class Start:
    """A frame begins; ``size`` bytes follow."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the frame that began last."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class End:
    """The frame that began last is whole; the digest is not proved here."""


Event = Start | Piece | End


class Frames:
    """Takes a pack in pieces of any size and says what is in it; holds no more than a frame's head."""

    def __init__(self) -> None:
        self._head = b""
        self._left: int | None = None

    @property
    def whole(self) -> bool:
        """Whether the pack may end here."""
        return self._left is None and not self._head

    def feed(self, data: bytes | memoryview) -> Iterator[Event]:
        """Yield what the next bytes of the pack mean."""
        view = memoryview(data)
        while view:
            if self._left is None:
                lacking = HEAD.size - len(self._head)
                self._head, view = self._head + bytes(view[:lacking]), view[lacking:]
                if len(self._head) < HEAD.size:
                    return
                digest, self._left = HEAD.unpack(self._head)
                self._head = b""
                yield Start(digest.hex(), self._left)
            else:
                piece, view = view[: self._left], view[self._left :]
                self._left -= len(piece)
                yield Piece(piece)
            if self._left == 0:
                self._left = None
                yield End()
