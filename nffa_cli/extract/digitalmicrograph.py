"""Gatan DigitalMicrograph files, versions 3 and 4: bytes to the tag tree, in one pass, without the pixels.

Standard library only. Every count and length is checked against the file before use; pixel blocks are skipped by seek.
What the tree says about signals is read in ``dm_signals``; what a tag means in our terms stands in the crosswalk.

Layout of a file: version, length of the root group and byte order of the values (all big-endian), the root group, eight
zero bytes. A group is (sorted, open, number of tags) and its tags; a tag is (20 group | 21 value, name, content). A
value is ``%%%%``, a counted list of type words, and the samples. Version 4 has 64-bit counts and writes before each
tag's content how many bytes it has. Sources: C. Boothroyd's and G. Jefferis' descriptions of the format; the type table
also P. Cochrane's; lengths measured on files of DigitalMicrograph 1.7 to 3.5.
"""

from __future__ import annotations

import math
import os
import re
import struct
from codecs import utf_16_be_decode, utf_16_le_decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import dm_signals
from nffa_cli.records import RawMetadata, Remark

LETTERS = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "B", 11: "q", 12: "Q"}
"""``struct`` letter of each simple type word; 8 is a boolean, 9 a character, 10 an octet."""

NUMPY = {2: "i2", 3: "i4", 4: "u2", 5: "u4", 6: "f4", 7: "f8", 8: "u1", 9: "i1", 10: "u1", 11: "i8", 12: "u8", 18: "S1"}
"""Numpy's name of each, without byte order; 18 is a byte of text."""
SIZES = {code: int(name[1]) for code, name in NUMPY.items()}
WIDE, STRING, ARRAY = 4, 18, 20
GROUP, VALUE = 20, 21

WINDOW = 1 << 18
"""Bytes read at once; a small file is one read."""
LISTED = 1024
"""Arrays of up to this many bytes are lists in the tree, longer ones ``rawtree.array``."""
REFERRED = 1 << 20
"""Arrays of more bytes than this are not copied into the tree: an ``@data`` reference says where they lie."""
MAX_DEPTH = 64
MAX_TAGS = 2_000_000
MAX_WORDS = 1024
"""Deeper groups, more tags, or a longer type description than this are taken for damage."""
TRAILER = 8
"""Zero bytes that end a file."""

_WIDE_HEAD, _NARROW_HEAD = struct.Struct(">Q4sQQ"), struct.Struct(">4sII")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")


class _Short(Exception):
    """The bytes up to this offset of the file are wanted."""

    def __init__(self, upto: int) -> None:
        super().__init__(upto)
        self.upto = upto


class _Damage(Exception):
    """The bytes make no tag."""


def read(files: Sequence[str]) -> RawMetadata:
    """Return the tag tree and the signals of a DM3 or DM4 file.

    Parameters
    ----------
    files
        The file; sidecars are not looked at.

    Raises
    ------
    UnreadableFile
        ``empty``; ``truncated``: not even a header; ``corrupt``: bytes that make no tag, also where a file got its
        final size before its content. A file that merely ends early comes back with a fault and ``needs``.
    """
    path = files[0]
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(min(WINDOW, size))
        version, declared, order = _header(start, path)
        begin = 12 if version == 3 else 16
        walk = _Walk(file, start, wide=version == 4, order=order, size=size, horizon=max(size, begin + declared + 4))
        try:
            walk.run(begin)
        except _Damage as damage:
            hint = "copy the file again from the instrument; if it is the same there, it is damaged"
            raise UnreadableFile(str(damage), where=path, hint=hint) from None
        needs, faults, warnings = _completeness(walk, begin + declared)
    found = dm_signals.build(path, walk.tree, order, is_cut=walk.short_of is not None)
    return RawMetadata(
        format=f"gatan-dm{version}",
        tree=walk.tree,
        signals=found.signals,
        anchors=found.anchors,
        needs=needs,
        faults=(*faults, *found.faults),
        warnings=(*warnings, *found.warnings),
        reader="nffa digitalmicrograph",
    )


def _header(start: bytes, path: str) -> tuple[int, int, str]:
    """Return version, declared bytes of the root group, and byte order of the values as ``struct`` writes it."""
    if not start:
        raise UnreadableFile("the file is empty", code="empty", where=path)
    if len(start) < 16:
        what = f"the file ends at byte {len(start)}, within its header"
        raise UnreadableFile(what, code="truncated", where=path, hint="copy the file again")
    version = int.from_bytes(start[:4], "big")
    if version not in (3, 4):
        hint = "DigitalMicrograph files of version 3 and 4 can be read"
        raise UnreadableFile(f"no DM3 or DM4 file: its version is {version}", where=path, hint=hint)
    declared, flag = struct.unpack_from(">II" if version == 3 else ">QI", start, 4)
    if flag not in (0, 1):
        raise UnreadableFile(f"the byte order flag is {flag}, not 0 or 1", where=path, hint="copy the file again")
    return version, declared, "<" if flag else ">"


def _completeness(walk: _Walk, declared: int) -> tuple[int, list[Remark], list[Remark]]:
    """Return needs, faults and warnings: where the tags end, what the header declares and how long the file is.

    ``declared`` is the end of the root group after the header. DigitalMicrograph 1 and early 2 counted four bytes more.
    """
    size, short = walk.size, walk.short_of is not None
    needs = max(walk.end, walk.short_of or 0, declared if short else 0) + TRAILER
    if short or size < needs:
        return needs, [Remark("truncated", f"the file ends at byte {size} of at least {needs}")], []
    faults, warnings = [], []
    closed = walk.load(walk.end, TRAILER) == bytes(TRAILER)
    if not closed:
        faults.append(Remark("corrupt", f"no end mark behind the last tag, at byte {walk.end}"))
    if declared not in (walk.end, walk.end + 4):
        detail = f"the header declares tags up to byte {declared}, they end at byte {walk.end}"
        if closed and size == needs:
            warnings.append(Remark("root-length", detail))
        elif declared > size:
            needs = declared + TRAILER
            faults.append(Remark("truncated", detail))
        else:
            faults.append(Remark("corrupt", detail))
    if walk.mismatch is not None:
        faults.append(Remark("corrupt", f"the tag that ends at byte {walk.mismatch} is not as long as it says"))
    return needs, faults, warnings


class _Walk:
    """One pass over the tags, with a window of the file in memory.

    tree
        The root group.
    end
        Offset behind the last tag, or of the tag at which the file ended.
    short_of
        Offset that the file should have reached there; None: all tags are there.
    mismatch
        Offset at which the first tag of a version 4 file ended that is not as long as it says.
    """

    def __init__(self, file: BinaryIO, start: bytes, *, wide: bool, order: str, size: int, horizon: int) -> None:
        self.file, self.size, self.horizon = file, size, horizon
        self.buffer, self.base = start, 0
        self.wide, self.order = wide, order
        self.smallest = 21 if wide else 9
        self.word = struct.Struct(">Q" if wide else ">I")
        self.pair = struct.Struct(">QQ" if wide else ">II")
        self.simple = {code: struct.Struct(order + letter) for code, letter in LETTERS.items()}
        self.tree: dict[str, Any] = {}
        self.end = 0
        self.short_of: int | None = None
        self.mismatch: int | None = None

    def load(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``offset``; a file that shrank meanwhile ends where reading ended."""
        self.file.seek(offset)
        wanted = min(count, self.size - offset)
        data = self.file.read(wanted)
        if len(data) < wanted:
            self.size = offset + len(data)
        return data

    def run(self, begin: int) -> None:
        """Read the root group, whose header is at ``begin``, into ``tree``.

        Raises
        ------
        _Damage
            The bytes make no tag.
        """
        try:
            (left,) = self.word.unpack_from(self.buffer, begin + 2)
        except struct.error:
            self.end, self.short_of = begin, self.size + 1
            return
        position = begin + 2 + self.word.size
        self.check_count(left, position)
        group, parent, index, ends = self.tree, "", 0, 0
        stack: list[tuple[dict[str, Any], str, int, int, int]] = []
        names = {b"": ""}
        seen = 0
        while left or stack:
            if not left:
                if ends and ends != self.base + position:
                    self.mismatch = self.mismatch or self.base + position
                group, parent, index, left, ends = stack.pop()
                continue
            buffer = self.buffer
            try:
                kind = buffer[position]
                at = position + 3 + (buffer[position + 1] << 8 | buffer[position + 2])
                raw = buffer[position + 3 : at]
                name = names.get(raw)
                if name is None:
                    name = names[raw] = _narrow_text(raw)
                if kind == VALUE:
                    value, position = self.value(at, is_pixels=name == "Data" and parent == "ImageData")
                elif kind == GROUP:
                    number, inner_ends, position = self.group(at)
                    value = {}
                else:
                    raise _Damage(f"no tag begins at byte {self.base + position}: its kind is {kind}")
            except (IndexError, struct.error, _Short) as short:
                have = self.base + len(buffer)
                upto = short.upto if isinstance(short, _Short) else have + 1
                if upto > self.size:
                    self.end, self.short_of = self.base + position, upto
                    return
                if position == 0 and upto == have + 1:
                    raise _Damage(f"an endless tag at byte {self.base}") from None
                self.base, position = self.base + position, 0
                self.buffer = self.load(self.base, max(WINDOW, upto - self.base))
                continue
            seen += 1
            if seen > MAX_TAGS:
                raise _Damage(f"more than {MAX_TAGS} tags")
            key = name or str(index)
            group[key if key not in group else rawtree.free(group, key)] = value
            index += 1
            left -= 1
            if position > len(buffer):
                self.base, position = self.base + position, 0
                self.buffer = self.load(self.base, WINDOW)
            if kind == GROUP:
                if len(stack) == MAX_DEPTH:
                    raise _Damage(f"groups more than {MAX_DEPTH} deep at byte {self.base + position}")
                stack.append((group, parent, index, left, ends))
                group, parent, index, left, ends = value, name, 0, number, inner_ends
        self.end = self.base + position

    def group(self, at: int) -> tuple[int, int, int]:
        """Return number of tags, offset of its end (0: not said) and position behind the header of the group there."""
        ends = 0
        if self.wide:
            (length,) = self.word.unpack_from(self.buffer, at)
            at += 8
            ends = self.base + at + length if length else 0
        (number,) = self.word.unpack_from(self.buffer, at + 2)
        at += 2 + self.word.size
        self.check_count(number, at)
        return number, ends, at

    def check_count(self, number: int, at: int) -> None:
        """Refuse more tags than the rest of the file can hold."""
        if number > (self.horizon - self.base - at) // self.smallest:
            raise _Damage(f"a group of {number} tags at byte {self.base + at}")

    def value(self, at: int, *, is_pixels: bool) -> tuple[Any, int]:
        """Return the value of the tag whose content is at ``at``, and the position behind it."""
        buffer = self.buffer
        promised = 0
        if self.wide:
            promised, mark, words, code = _WIDE_HEAD.unpack_from(buffer, at)
            promised += at + 8 if promised else 0
            at += 28
        else:
            mark, words, code = _NARROW_HEAD.unpack_from(buffer, at)
            at += 12
        if mark != b"%%%%":
            raise _Damage(f"no value where one should be, before byte {self.base + at}")
        if words == 1:
            reader = self.simple.get(code)
            if reader is None:
                raise _Damage(f"a value of unknown type {code} at byte {self.base + at}")
            (value,) = reader.unpack_from(buffer, at)
            at += reader.size
            if value - value:  # NaN, or an infinity
                value = rawtree.lossless(value)
        else:
            shape: tuple[int, ...]
            types: tuple[int, ...]
            if words == 3 and code == ARRAY:
                element, number = self.pair.unpack_from(buffer, at)
                at += self.pair.size
                end = at + 2 * number
                if element == WIDE and number <= LISTED and end <= len(buffer) and not is_pixels:
                    value = _wide_text(buffer[at:end], self.order)
                    if value is not None:
                        if promised and promised != end:
                            self.mismatch = self.mismatch or self.base + end
                        return value, end
                shape, types = (number,), (element,)
            else:
                shape, types, at = self.describe(at, words, code)
            if not types or not SIZES.keys() >= set(types) or (STRING in types and len(types) > 1):
                raise _Damage(f"an array of unknown type at byte {self.base + at}")
            count = math.prod(shape) * sum([SIZES[each] for each in types])
            begin, at = at, at + count
            if self.base + at > self.horizon:
                raise _Damage(f"an array of {count} bytes at byte {self.base + begin}")
            if is_pixels or count > REFERRED:
                if self.base + at > self.size:
                    raise _Short(self.base + at)
                dtype = _dtype(types, self.order)
                value = {"@data": {"offset": self.base + begin, "bytes": count, "dtype": dtype}}
            else:
                if at > len(buffer):
                    raise _Short(self.base + at)
                value = _compound(buffer[begin:at], shape, types, self.order)
        if promised and promised != at:
            self.mismatch = self.mismatch or self.base + at
        return value, at

    def describe(self, at: int, words: int, code: int) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Return shape (empty: one structure), member types and position behind the type words after ``code``.

        Strings are arrays of type 18, of one byte each.
        """
        if not 2 <= words <= MAX_WORDS:
            raise _Damage(f"{words} type words before byte {self.base + at}")
        kinds = struct.unpack_from(f">{words - 1}{'Q' if self.wide else 'I'}", self.buffer, at)
        at += (words - 1) * self.word.size
        match (code, *kinds):
            case (18, length):
                return (length,), (STRING,), at
            case (15, 0, number, *members) if len(members) == 2 * number and not any(members[::2]):
                return (), tuple(members[1::2]), at
            case (20, 15, 0, number, *members, size) if len(members) == 2 * number and not any(members[::2]):
                return (size,), tuple(members[1::2]), at
            case (20, 18, length, size):
                return (size, length), (STRING,), at
            case (20, 20, element, length, size):
                return (size, length), (element,), at
        raise _Damage(f"no known type in the words before byte {self.base + at}")


def _compound(data: bytes, shape: tuple[int, ...], types: tuple[int, ...], order: str) -> Any:
    """Return the samples ``data`` as text, list or ``rawtree.array``."""
    if types == (STRING,):
        return _narrow_text(data)  # an array of strings stays one text: no such file is known
    if types == (WIDE,) and len(shape) == 1:
        text = _wide_text(data, order)
        if text is not None:
            return text
    if len(data) > LISTED:
        members = (len(types),) if len(types) > 1 and len(set(types)) == 1 else ()
        return rawtree.array(_dtype(types, order), (*shape, *members), data)
    letters = order + "".join([LETTERS[each] for each in types])
    if not shape:
        return _finite(list(struct.unpack(letters, data)))
    if len(types) == 1:
        return _finite(list(struct.unpack(f"{order}{len(data) // SIZES[types[0]]}{LETTERS[types[0]]}", data)))
    return [_finite(list(each)) for each in struct.iter_unpack(letters, data)]


def _finite(values: list[Any]) -> list[Any]:
    total = sum(values)
    return rawtree.lossless(values) if total - total else values


def _dtype(types: tuple[int, ...], order: str) -> str:
    """Return the numpy type of one element; of a structure of several types numpy's comma-separated form."""
    parts = [("" if SIZES[each] == 1 else order) + NUMPY[each] for each in types]
    return parts[0] if len(set(parts)) == 1 else ",".join(parts)


def _wide_text(data: bytes, order: str) -> str | None:
    """Return the text in an array of 16-bit numbers, as DigitalMicrograph keeps texts; None: it holds numbers."""
    try:
        decode = utf_16_le_decode if order == "<" else utf_16_be_decode  # a third of bytes.decode's time
        text, _ = decode(data, "strict", True)
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() or not _CONTROL.search(text.rstrip("\0")) else None


def _narrow_text(data: bytes) -> str:
    """Return a name or an old text: UTF-8, else Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
