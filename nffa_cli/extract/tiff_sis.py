"""Where an Olympus SIS TIFF ends: its software puts a volume of linked fields before, between and behind the pages.

No tag points to it; it begins at byte 8, and its last field is the last thing in the file, so it alone tells a file
that was cut behind its pages. Only the chain is followed; what the fields mean is not read. Layout as seen in a real
file (Quemesa camera): a 24-byte head (its size, "IS", version, offset of the first field), then fields of type, tag,
offset of the next one from the head (0: last) and size.
"""

from __future__ import annotations

import struct

from nffa_cli.extract.tiff_header import Tiff

HEAD = b"\x18\0IS"
NESTED, INLINE = 0x10000000, 0x40000000
"""Bits of a field's type: a volume follows; the size is itself the value."""
DEEPEST, LONGEST = 16, 10_000


def volume_end(tiff: Tiff) -> int:
    """Return the byte after the last field of the volume, 0 if there is none or its links make no chain.

    A link past the end of the file, or to a field of zeros, gives a value greater than its size: the rest is missing.
    """
    start = 8
    for _ in range(DEEPEST):
        if start + 24 > tiff.size:
            return start + 24
        head = tiff.source.read(start, 24)
        if not head.startswith(HEAD):
            return 0
        at: int = start + struct.unpack_from("<I", head, 8)[0]
        for _ in range(LONGEST):
            if at + 16 > tiff.size:
                return at + 16
            kind, tag, following, size = struct.unpack("<IIII", tiff.source.read(at, 16))
            if not (kind or tag or following or size):
                return tiff.size + 1
            if not following:
                break
            if start + following <= at:
                return 0
            at = start + following
        if not kind & NESTED:
            return int(at + 16 + (0 if kind & INLINE else size))
        start = at + 16
    return 0
