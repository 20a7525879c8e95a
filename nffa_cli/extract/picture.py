"""Header reader of JPEG, PNG and BMP pictures: size, sample type, texts, and whether the end of the file is there.

Standard library only; pixels are not decoded (``preview`` and the pixel reader use Pillow for that). A picture of this
kind has no scale of its own: a sidecar may give it one (``sidecar.py``).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.records import Axis, Layout, RawMetadata, Remark, Signal

READER = "nffa picture"
LARGEST_TEXT = 1 << 20
"""Bytes of the largest text chunk, comment or EXIF block that is read."""

CHANNELS = {"L": 1, "I;16": 1, "RGB": 3, "RGBA": 4}
"""Samples per pixel of a Pillow mode that the pixels are asked for."""


@dataclass(frozen=True, slots=True)
class Header:
    """Width and height in pixels, the Pillow mode that holds the samples, texts, bytes the file needs, defects."""

    width: int
    height: int
    mode: str
    tree: dict[str, Any]
    needs: int | None = None
    faults: tuple[Remark, ...] = ()


def _cut(what: str) -> tuple[Remark, ...]:
    return (Remark("truncated", what),)


def exif(block: bytes) -> dict[str, Any]:
    """Return ``{tag number: value}`` of the first directory of an EXIF block and of its EXIF directory (tag 34665).

    Numbers and texts only; anything outside the block is left out. Source: EXIF 2.32, section 4.6.
    """
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return {}

    def directory(start: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if start + 2 > len(block):
            return found
        (count,) = struct.unpack_from(order + "H", block, start)
        for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
            tag, kind, items = struct.unpack_from(order + "HHI", block, at)
            code, size = {2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 10: ("ii", 8)}.get(kind, ("", 0))
            place = at + 8 if size * items <= 4 else struct.unpack_from(order + "I", block, at + 8)[0]
            if not code or place + size * items > len(block):
                continue
            if kind == 2:
                found[str(tag)] = block[place : place + items].rstrip(b"\0 ").decode("utf-8", "replace")
                continue
            values = list(struct.unpack_from(order + code * items, block, place))
            if tag == 34665 and depth == 0 and values:
                found[str(tag)] = directory(values[0], 1)
            else:
                found[str(tag)] = values[0] if len(values) == 1 else values
        return found

    return directory(struct.unpack_from(order + "I", block, 4)[0], 0)


def _png_text(kind: bytes, body: bytes) -> tuple[str, str]:
    key, _, rest = body.partition(b"\0")
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:]
        _, _, rest = rest.partition(b"\0")  # language
        _, _, rest = rest.partition(b"\0")  # translated key
    else:
        packed, rest = kind == b"zTXt", rest[1:] if kind == b"zTXt" else rest
    if packed:
        try:
            rest = zlib.decompressobj().decompress(rest, LARGEST_TEXT)
        except zlib.error:
            rest = b""
    return key.decode("latin-1"), rest.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")


def read_png(file: BinaryIO, size: int) -> Header:
    """Read a PNG header and walk its chunks to IEND. Source: PNG specification, third edition."""
    file.seek(8)
    tree: dict[str, Any] = {}
    shape = (0, 0, 0, 0)
    clear = False
    at, ended = 8, False
    while at + 12 <= size and not ended:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if at + 12 + length > size:
            break
        if kind == b"IHDR" and length >= 13:
            shape = struct.unpack(">IIBB", file.read(10))
        elif kind in (b"tEXt", b"zTXt", b"iTXt") and length <= LARGEST_TEXT:
            key, text = _png_text(kind, file.read(length))
            tree.setdefault("text", {})[key] = text
        elif kind == b"eXIf" and length <= LARGEST_TEXT:
            tree["exif"] = exif(file.read(length))
        elif kind == b"pHYs" and length == 9:
            tree["pHYs"] = list(struct.unpack(">IIB", file.read(9)))
        clear = clear or kind == b"tRNS"
        ended = kind == b"IEND"
        at += 12 + length
    width, height, depth, colour = shape
    mode = "RGBA" if clear or colour in (4, 6) else "RGB"
    if colour == 0 and not clear:
        mode = "I;16" if depth == 16 else "L"
    tree["header"] = {"width": width, "height": height, "bit_depth": depth, "colour_type": colour}
    return Header(width, height, mode, tree, None, () if ended else _cut("the PNG picture ends before its IEND"))


def read_jpeg(file: BinaryIO, size: int) -> Header:
    """Read a JPEG's frame header, comments and EXIF, and look for its end marker. Source: ITU T.81, annex B."""
    tree: dict[str, Any] = {}
    width = height = parts = 0
    at = 2
    scan = 0
    while at + 4 <= size:
        file.seek(at)
        mark, kind, length = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF or length < 2:
            break
        if kind == 0xFF:  # a fill byte
            at += 1
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            frame = file.read(6)
            if len(frame) == 6:
                depth, height, width, parts = struct.unpack(">BHHB", frame)
                tree["header"] = {"width": width, "height": height, "bit_depth": depth, "components": parts}
        elif kind == 0xFE:
            tree.setdefault("comments", []).append(file.read(length - 2).decode("utf-8", "replace").rstrip("\0"))
        elif kind == 0xE1:
            block = file.read(length - 2)
            if block.startswith(b"Exif\0\0"):
                tree["exif"] = exif(block[6:])
            elif block.startswith(b"http://ns.adobe.com/xap/"):
                tree["xmp"] = block.partition(b"\0")[2].decode("utf-8", "replace")
        at += 2 + length
        if kind == 0xDA:
            scan = at
            break
    tail = min(max(scan, size - 65536), size)
    file.seek(tail)
    whole = scan > 0 and b"\xff\xd9" in file.read(size - tail)
    faults = () if whole else _cut("the JPEG picture ends before its end marker")
    return Header(width, height, "L" if parts == 1 else "RGB", tree, None, faults)


def read_bmp(file: BinaryIO, size: int) -> Header:
    """Read a BMP header and its palette. Source: Microsoft, BITMAPFILEHEADER and BITMAPINFOHEADER."""
    file.seek(0)
    head = file.read(54 + 1024)
    if len(head) < 30:
        return Header(0, 0, "L", {}, None, _cut("the BMP picture ends inside its header"))
    start, info = struct.unpack_from("<II", head, 10)
    if info == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", head, 18)
        packing, entry = 0, 3
    else:
        width, height, _, depth = struct.unpack_from("<iiHH", head, 18)
        packing, entry = struct.unpack_from("<I", head, 30)[0] if len(head) >= 34 else 0, 4
    height = abs(height)
    palette = head[14 + info : min(start, 14 + info + entry * (1 << min(depth, 8)))]
    grey = all(len(set(palette[i : i + 3])) == 1 for i in range(0, len(palette) - entry + 1, entry))
    mode = "L" if depth <= 8 and grey else "RGBA" if depth == 32 and packing == 3 else "RGB"
    needs = start + (width * depth + 31) // 32 * 4 * height if packing in (0, 3) else None
    header = {"width": width, "height": height, "bit_depth": depth, "compression": packing}
    faults = _cut(f"the BMP picture needs {needs} bytes, the file has {size}") if needs and needs > size else ()
    return Header(width, height, mode, {"header": header}, needs, faults)


KINDS = {b"\x89PNG\r\n\x1a\n": read_png, b"\xff\xd8\xff": read_jpeg, b"BM": read_bmp}
"""First bytes of a picture to the function that reads its header."""


def read(files: Sequence[str]) -> RawMetadata:
    """Read the header of the picture ``files[0]`` as format ``plain-image``.

    Raises
    ------
    UnreadableFile
        Empty, none of the three kinds, or without a size.
    """
    path = files[0]
    size = Path(path).stat().st_size
    if not size:
        raise UnreadableFile("the picture is empty", code="empty", where=path)
    with Path(path).open("rb") as file:
        first = file.read(8)
        reader = next((reader for magic, reader in KINDS.items() if first.startswith(magic)), None)
        if reader is None:
            raise UnreadableFile("the file is no JPEG, PNG or BMP picture", where=path)
        try:
            header = reader(file, size)
        except struct.error as error:
            raise UnreadableFile(f"the picture ends inside its header: {error}", code="truncated", where=path) from None
    if header.width <= 0 or header.height <= 0:
        code = "truncated" if header.faults else "corrupt"
        raise UnreadableFile("the picture's header holds no size", code=code, where=path)
    return RawMetadata(
        "plain-image",
        rawtree.lossless(header.tree),
        (signal(path, header),),
        needs=header.needs,
        faults=header.faults,
        reader=READER,
    )


def signal(path: str, header: Header) -> Signal:
    """Return the image that ``header`` announces; its layout leaves the decoding to Pillow (method ``picture``)."""
    parts = CHANNELS[header.mode]
    dtype = "uint16" if header.mode == "I;16" else "uint8"
    axes = [Axis("y", header.height), Axis("x", header.width)]
    shape: tuple[int, ...] = (header.height, header.width)
    if parts > 1:
        axes.append(Axis("colour", parts))
        shape = (*shape, parts)
    layout = Layout(path, "picture", "<u2" if dtype == "uint16" else "|u1", detail={"mode": header.mode})
    return Signal(None, "image", shape, dtype, tuple(axes), layout)
