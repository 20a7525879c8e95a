"""TIFF and BigTIFF directories: tags, page geometry and where the pixels lie.

Standard library only; pixels are never read here. Every count and offset is checked against the file's size before use.
What a vendor's tag means is the business of the dialects named in ``tiff.py``. Source: TIFF 6.0 (Adobe, 1992), the
BigTIFF design (2007).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from nffa_cli.errors import UnreadableFile

MAX_PAGES = 100_000
"""More directories than this in one file are taken for damage."""

MAX_TAGS = 4096
"""More tags than this in one directory are taken for damage."""

MAX_SUB_PAGES = 64
"""More smaller copies of one image than this are not looked into."""

MAX_VALUE_BYTES = 64 << 20
"""A single value longer than this is never read at once: no instrument writes such a tag, hostile files claim them."""

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each TIFF field type."""

LETTERS = {1: "B", 3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d", 13: "I"}
LETTERS |= {16: "Q", 17: "q", 18: "Q"}
"""``struct`` letter of each numeric field type; rationals are pairs."""

ASCII, UNDEFINED, RATIONALS = 2, 7, (5, 10)


def text(data: bytes) -> str:
    """Return the text of an ASCII field: up to its trailing zeros; UTF-8 if it is that, else Windows-1252 or Latin-1.

    TIFF promises 7-bit ASCII; instruments write their PC's code page.
    """
    data = data.rstrip(b"\0")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


class Source:
    """An open file, its size and its byte order; reads are checked against the size."""

    __slots__ = ("file", "order", "path", "size")

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.size = file.seek(0, io.SEEK_END)
        self.order = "<"

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes at ``offset``; raise UnreadableFile (truncated) if the file ends before."""
        if 0 <= offset <= self.size - count:
            self.file.seek(offset)
            data = self.file.read(count)
            if len(data) == count:
                return data
        raise UnreadableFile(
            f"the file ends at byte {self.size}, but bytes up to {offset + count} are needed",
            code="truncated",
            where=self.path,
            hint="copy the file again when the instrument has finished writing it",
        )


@dataclass(frozen=True, slots=True)
class Tag:
    """One field of a directory; ``offset`` is where its value lies in the file, inline or not."""

    code: int
    type: int
    count: int
    offset: int
    source: Source = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of the value; 0 for a field type that no standard knows."""
        return SIZES.get(self.type, 0) * self.count

    @property
    def complete(self) -> bool:
        """Whether the value lies wholly inside the file."""
        return self.offset + self.size <= self.source.size

    @property
    def raw(self) -> bytes:
        """The value's bytes as they lie in the file; raises UnreadableFile (truncated; corrupt if absurdly long)."""
        if self.size > MAX_VALUE_BYTES and self.complete:
            raise UnreadableFile(f"tag {self.code} claims {self.size} bytes", where=self.source.path)
        return self.source.read(self.offset, self.size)

    def head(self, count: int) -> bytes:
        """Return the first ``count`` bytes of the value, fewer if it is shorter or the file ends before."""
        within = max(0, min(count, self.size, self.source.size - self.offset))
        return self.source.read(self.offset, within) if within else b""

    @property
    def value(self) -> Any:
        """The value: text (ASCII), bytes (UNDEFINED, BYTE arrays), number, tuple of numbers; a rational is (n, d).

        Raises UnreadableFile (truncated) if it lies beyond the end of the file.
        """
        data = self.raw
        if self.type == ASCII:
            return text(data)
        letter = LETTERS.get(self.type)
        if letter is None or (letter == "B" and self.count != 1):
            return data
        numbers = struct.unpack(f"{self.source.order}{len(data) // struct.calcsize(letter)}{letter}", data)
        if self.type in RATIONALS:
            pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
            return pairs[0] if self.count == 1 else pairs
        return numbers[0] if self.count == 1 else numbers


@dataclass(slots=True)
class Page:
    """One image directory. Sizes in pixels; strips and tiles are both called segments.

    ``needs``: the first byte after everything that this directory refers to. ``segment_offsets`` and
    ``segment_counts``: bytes of each strip or tile; a ``range`` when regular. ``tags`` is parsed on demand.
    """

    index: int
    source: Source = field(repr=False)
    entries: bytes = field(repr=False)
    start: int
    big: bool
    width: int = 0
    height: int = 0
    bits: int = 1
    samples: int = 1
    sample_format: int = 1
    compression: int = 1
    photometric: int = 1
    planar: int = 1
    predictor: int = 1
    fill_order: int = 1
    rows_per_strip: int = 0
    reduced: bool = False
    tiled: bool = False
    segment_offsets: Sequence[int] = ()
    segment_counts: Sequence[int] = ()
    needs: int = 0
    _tags: dict[int, Tag] | None = field(default=None, repr=False)

    @property
    def tags(self) -> dict[int, Tag]:
        """All fields of the directory by their number, in file order; the first of equal numbers counts."""
        if self._tags is None:
            self._tags = {}
            for tag in self.fields():
                self._tags.setdefault(tag.code, tag)
        return self._tags

    def fields(self) -> Iterator[Tag]:
        """Yield the fields one by one without keeping them."""
        step, inline = (20, 8) if self.big else (12, 4)
        layout = struct.Struct(self.source.order + ("HHQ" if self.big else "HHI"))
        where = struct.Struct(self.source.order + ("Q" if self.big else "I"))
        for position in range(0, len(self.entries), step):
            code, kind, count = layout.unpack_from(self.entries, position)
            offset = self.start + position + layout.size
            if SIZES.get(kind, 0) * count > inline:
                offset = where.unpack_from(self.entries, position + layout.size)[0]
            yield Tag(code, kind, count, offset, self.source)

    def get(self, code: int, default: Any = None) -> Any:
        """Return the value of a tag, or ``default`` if the tag is absent or not wholly in the file."""
        tag = self.tags.get(code)
        return tag.value if tag is not None and tag.complete else default

    def text(self, code: int) -> str:
        """Return a tag's value as text, "" if it is absent; bytes are decoded like text."""
        value = self.get(code, "")
        return value if isinstance(value, str) else text(value) if isinstance(value, bytes) else str(value)


@dataclass(slots=True)
class Tiff:
    """An open TIFF file. Close it (it is a context manager) when tag values have been read.

    ``needs``: bytes that the directories seen refer to. ``broken``: why the chain of directories ended early, or None.
    """

    path: str
    source: Source = field(repr=False)
    big: bool
    pages: list[Page] = field(default_factory=list)
    needs: int = 0
    broken: str | None = None

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.source.size

    @property
    def order(self) -> str:
        """Byte order as ``struct`` and numpy write it: ``<`` or ``>``."""
        return self.source.order

    def close(self) -> None:
        """Close the file."""
        self.source.file.close()

    def __enter__(self) -> Tiff:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_tiff(path: str) -> Tiff:
    """Open a TIFF or BigTIFF file and read its chain of directories.

    Raises
    ------
    UnreadableFile
        ``empty``, ``corrupt`` (not a TIFF, or no image in it), ``truncated`` (no first directory in the file).
    """
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed by Tiff.close
    except OSError as error:
        raise UnreadableFile(error.strerror or str(error), where=path) from error
    try:
        return _read_chain(path, file)
    except OSError as error:
        file.close()
        raise UnreadableFile(error.strerror or str(error), where=path) from error
    except BaseException:
        file.close()
        raise


def _read_chain(path: str, file: BinaryIO) -> Tiff:
    """Read the header and every directory that it leads to."""
    source = Source(path, file)
    if source.size == 0:
        raise UnreadableFile("the file is empty", code="empty", where=path)
    head = source.read(0, 8)
    source.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    magic = struct.unpack_from(source.order + "H", head, 2)[0] if source.order else None
    if magic not in (42, 43):
        raise UnreadableFile("the file does not begin like a TIFF", where=path)
    tiff = Tiff(path, source, big=magic == 43)
    if tiff.big:
        offset: int = struct.unpack(source.order + "Q", source.read(8, 8))[0]
    else:
        offset = struct.unpack_from(source.order + "I", head, 4)[0]
    if offset == 0:  # writers fill this in last
        raise UnreadableFile("the file has no image directory yet", code="truncated", where=path)
    seen: set[int] = set()
    while offset and not tiff.broken:
        if offset in seen:
            tiff.broken = f"the directories form a loop at byte {offset}"
        elif len(tiff.pages) == MAX_PAGES:
            tiff.broken = f"more than {MAX_PAGES} directories"
        else:
            seen.add(offset)
            offset = _read_directory(tiff, offset)
    return tiff


def _read_directory(tiff: Tiff, offset: int) -> int:
    """Add the page at ``offset`` and return where the next directory lies; 0 for none."""
    source, index = tiff.source, len(tiff.pages)
    try:
        page, after = read_page(source, offset, tiff.big, index)
        width = 8 if tiff.big else 4
        following: int = struct.unpack(source.order + ("Q" if tiff.big else "I"), source.read(after, width))[0]
    except UnreadableFile as error:
        if index == 0:
            raise
        tiff.needs = max(tiff.needs, offset + 2 if error.code == "truncated" else 0)
        tiff.broken = f"directory {index}: {error.what}"
        return 0
    tiff.pages.append(page)
    tiff.needs = max(tiff.needs, page.needs, after + width)
    return following


def read_page(source: Source, offset: int, big: bool, index: int) -> tuple[Page, int]:
    """Read the image directory at ``offset``; return it and the byte after its entries.

    Raises UnreadableFile: ``truncated`` if the directory is not in the file (or only zeros stand there),
    ``corrupt`` if it describes no image.
    """
    page = read_fields(source, offset, big, index)
    _measure(page)
    return page, page.start + len(page.entries)


def read_fields(source: Source, offset: int, big: bool, index: int = 0) -> Page:
    """Read a directory that need not describe an image (Exif, GPS); raises as ``read_page`` does."""
    head = 8 if big else 2
    total: int = struct.unpack(source.order + ("Q" if big else "H"), source.read(offset, head))[0]
    if total == 0:
        raise UnreadableFile("an image directory holds nothing but zeros", code="truncated", where=source.path)
    if total > MAX_TAGS:
        raise UnreadableFile(f"an image directory claims {total} tags", where=source.path)
    start = offset + head
    entries = source.read(start, total * (20 if big else 12))
    page = Page(index, source, entries, start, big)
    page.needs = start + len(entries)
    return page


GEOMETRY = {
    256: "width",
    257: "height",
    258: "bits",
    259: "compression",
    262: "photometric",
    266: "fill_order",
    277: "samples",
    278: "rows_per_strip",
    284: "planar",
    317: "predictor",
    339: "sample_format",
}
"""Tags that are one number (or the same number for each sample) and the Page field that holds it."""


def _measure(page: Page) -> None:
    """Fill in geometry, segments and ``needs`` from the directory's fields."""
    for tag in page.fields():
        page.needs = max(page.needs, tag.offset + tag.size)
        name = GEOMETRY.get(tag.code)
        if name is not None:
            value = _first_number(tag)
            if value is not None:
                setattr(page, name, value)
        elif tag.code in (254, 255):
            value = _first_number(tag)
            page.reduced = (
                page.reduced or (tag.code == 254 and bool(value and value & 1)) or (tag.code == 255 and value == 2)
            )
        elif tag.code in (273, 324):
            page.segment_offsets = _regular(tag)
            page.tiled = tag.code == 324
        elif tag.code in (279, 325):
            page.segment_counts = _regular(tag)
        elif tag.code == 330:
            page.needs = max(page.needs, _sub_needs(page, tag))
    if not (page.width > 0 and page.height > 0 and 0 < page.bits <= 128 and 0 < page.samples <= 4096):
        raise UnreadableFile("an image directory describes no image", where=page.source.path)
    if not page.segment_counts or not any(page.segment_counts):
        page.segment_counts = _expected_counts(page)
    ends = (at + size for at, size in zip(page.segment_offsets, page.segment_counts, strict=False))
    page.needs = max(page.needs, max(ends, default=0))


def _sub_needs(page: Page, pointers: Tag) -> int:
    """Return the first byte after what the sub-directories (smaller copies of the image) refer to."""
    if page.index < 0 or not pointers.complete or pointers.count > MAX_SUB_PAGES:
        return 0  # one level only: a copy has no copies
    needs = 0
    for offset in _regular(pointers):
        try:
            needs = max(needs, read_page(page.source, offset, page.big, -1)[0].needs)
        except UnreadableFile as error:
            needs = max(needs, offset + 2 if error.code == "truncated" else 0)
    return needs


def _first_number(tag: Tag) -> int | None:
    """Return the first number of a field, None if it has none or lies beyond the end of the file."""
    letter = LETTERS.get(tag.type)
    if letter is None or letter in "fd" or tag.count == 0 or not tag.complete:
        return None
    width = struct.calcsize(letter)
    return int(struct.unpack(tag.source.order + letter, tag.source.read(tag.offset, width))[0])


def _regular(tag: Tag) -> Sequence[int]:
    """Return the integers of a field, as a ``range`` when their steps are equal; () if they are not in the file."""
    if tag.type not in (3, 4, 13, 16, 18) or not tag.complete or tag.count == 0:
        return ()
    numbers: tuple[int, ...] = struct.unpack(f"{tag.source.order}{tag.count}{LETTERS[tag.type]}", tag.raw)
    if len(numbers) > 2:
        step = numbers[1] - numbers[0]
        steps = range(numbers[0], numbers[0] + step * len(numbers), step) if step else ()
        if len(steps) == len(numbers) and all(map(int.__eq__, numbers, steps)):
            return steps
    return numbers


def _expected_counts(page: Page) -> Sequence[int]:
    """Return the byte counts that uncompressed strips must have, for writers that leave them out."""
    if page.compression != 1 or page.tiled or not page.segment_offsets:
        return ()
    per_row = (page.width * page.bits * (page.samples if page.planar == 1 else 1) + 7) // 8
    rows = min(page.rows_per_strip or page.height, page.height)
    strips = -(-page.height // rows)
    planes = page.samples if page.planar == 2 else 1
    if strips * planes > len(page.segment_offsets):
        return ()
    plane = [per_row * rows] * (strips - 1) + [per_row * (page.height - rows * (strips - 1))]
    return plane * planes
