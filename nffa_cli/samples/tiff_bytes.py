"""TIFF, PNG and BMP containers, as far as microscopes use them: fields and pixels to bytes; no vendor's tags here."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

SHORT, LONG, ASCII, BYTE, RATIONAL, UNDEFINED = 3, 4, 2, 1, 5, 7
SIZES = {SHORT: 2, LONG: 4, ASCII: 1, BYTE: 1, RATIONAL: 8, UNDEFINED: 1}

Field = tuple[int, Any]
"""(TIFF type, value): bytes for texts and bytes, else a number or a list of numbers (pairs for rationals)."""


def _packed(kind: int, value: Any) -> tuple[int, bytes]:
    if kind in (ASCII, BYTE, UNDEFINED):
        data = value + b"\0" if kind == ASCII else value
        return len(data), data
    numbers = value if isinstance(value, list) else [value]
    if kind == RATIONAL:
        return len(numbers), b"".join(struct.pack("<II", *pair) for pair in numbers)
    return len(numbers), struct.pack(f"<{len(numbers)}{'H' if kind == SHORT else 'I'}", *numbers)


def _directory(fields: Mapping[int, Field], at: int) -> bytes:
    """Return a directory that begins at byte ``at``, with the long values behind it in the order of their tags."""
    entries, values = b"", b""
    behind = at + 2 + 12 * len(fields) + 4
    for code in sorted(fields):
        kind = fields[code][0]
        count, data = _packed(*fields[code])
        if len(data) > 4:
            values += b"\0" * (len(values) % 2)
            data, values = struct.pack("<I", behind + len(values)), values + data
        entries += struct.pack("<HHI", code, kind, count) + data.ljust(4, b"\0")
    return struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + values


def _basic(image: Any, rows: int, *, palette: bool) -> dict[int, Field]:
    height, width = image.shape
    fields: dict[int, Field] = {
        256: (SHORT, width), 257: (SHORT, height), 258: (SHORT, 8 * image.itemsize), 259: (SHORT, 1),
        262: (SHORT, 3 if palette else 1), 277: (SHORT, 1), 278: (LONG, rows),
    }  # fmt: skip
    if palette:
        fields[320] = (SHORT, [257 * level for level in range(256)] * 3)
    return fields


def directory_first(image: Any, more: Mapping[int, Field], *, palette: bool = True) -> bytes:
    """Return a TIFF file with its directory at the start and the pixels, one strip, at the end."""
    pixels: bytes = image.tobytes()
    fields = {**_basic(image, 0xFFFFFFFF, palette=palette), **more, 279: (LONG, len(pixels))}
    length = len(_directory({**fields, 273: (LONG, 0)}, 8))
    directory = _directory({**fields, 273: (LONG, 8 + length)}, 8)
    return b"II*\0" + struct.pack("<I", 8) + directory + pixels


def directory_last(image: Any, more: Mapping[int, Field], *, rows: int = 0, palette: bool = False) -> bytes:
    """Return a TIFF file with the pixels in strips of ``rows`` rows (0: one strip) and the directory behind them."""
    pixels: bytes = image.tobytes()
    height = image.shape[0]
    rows = rows or height
    line = len(pixels) // height
    starts = list(range(0, height, rows))
    fields = {
        **_basic(image, rows, palette=palette),
        273: (LONG, [8 + start * line for start in starts]),
        279: (LONG, [min(rows, height - start) * line for start in starts]),
        **more,
    }
    end = 8 + len(pixels)
    pad = end % 2
    return b"II*\0" + struct.pack("<I", end + pad) + pixels + b"\0" * pad + _directory(fields, end + pad)


def png(image: Any) -> bytes:
    """Return an 8-bit grey PNG; stored, not deflated, because zlib's versions compress differently."""
    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    blocks = [rows[at : at + 0xFFFF] for at in range(0, len(rows), 0xFFFF)]
    body = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks
    )
    data = b"\x78\x01" + body + struct.pack(">I", zlib.adler32(rows))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )
