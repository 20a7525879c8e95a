"""The `.emi` half of a TIA acquisition: what each object in it is, and the XML that describes it.

An `.emi` is a binary document of tagged items, little endian: two bytes of type, two of meaning, then the value; a text
(type 0x0060) has its length in four bytes before it. No maker's description is public; what is used here was read off
documents of TIA 4.2, 4.5 and 4.11 from five microscopes. Only the items around each ``<ObjectInfo>`` are looked at: the
object's name, its space, the path of its `.ser`. Pictures never saved as `.ser` lie in the same document; they are
described but not read here.
"""

from __future__ import annotations

import mmap
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.rawtree import put
from nffa_cli.records import Remark

MAGIC = b"JK\x00\x02"

LARGEST_BLOCK = 1 << 22
"""Bytes of XML that one object may have; real ones have 7 KB."""
LARGEST_XML = 1 << 26
"""Bytes of XML that a document may have in all."""
MOST_OBJECTS = 10_000
"""Objects that a document may have; real ones have up to 9."""
DEEPEST = 24
"""Nesting of XML elements; real ones have 5."""

OPEN, CLOSE = b"<ObjectInfo>", b"</ObjectInfo>"
TITLE = b"\x04\x4d\x01\x00\x60\x00\x00\x01"
VERSION = b"\x60\x00\x12\x07"
OBJECT_NAME = b"\x10\x06\x60\x00\x00\x01"
SPACE = b"\x60\x00\x00\x04"
SERIES_PATH = b"\x60\x00\x40\x04"
XML_TEXT = b"\x60\x00\x19\x04"
LAST_SECTION = b"\x03\x4d\x00\x08"
"""The list of links between objects: the last item of every document seen."""

SPACES = ("Real Space", "Reciprocal Space", "EDX", "PEELS")
"""What the space item says: metres, reciprocal metres, electronvolts (the last two)."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed `.emi`.

    objects
        Every ``ObjectInfo`` whole, in file order, with the facts of the item around it under ``Item``: ``Name``,
        ``Space`` and ``SeriesFile`` (the path at the microscope).
    needs
        Bytes that the document must hold as far as its own lengths say; None when they say nothing.
    """

    tree: Mapping[str, Any]
    objects: tuple[Mapping[str, Any], ...]
    needs: int | None = None
    faults: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()

    def series(self) -> dict[int, int]:
        """Return the number of each `.ser` that the document promises (1 for ``name_1.ser``) and its object's index."""
        numbers: dict[int, int] = {}
        for index, item in enumerate(self.objects):
            match = re.search(r"_(\d{1,9})\.ser$", item["Item"].get("SeriesFile", ""), re.IGNORECASE)
            if match:
                numbers.setdefault(int(match[1]), index)
        return numbers


def read_document(path: str) -> Document:
    """Read the header, the items around each object and its XML; pictures in the document are passed over.

    Raises
    ------
    UnreadableFile
        Empty, shorter than its first item, or no TIA document.
    """
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise UnreadableFile("the file is empty", code="empty", where=path)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4] != MAGIC[:size]:
                raise UnreadableFile("no TIA document: it does not begin with JK", where=path)
            if size < 20:
                raise UnreadableFile(f"only {size} bytes of a TIA document", code="truncated", where=path)
            return _document(data, size)


@dataclass(slots=True)
class _Findings:
    """What is gathered while the document is walked."""

    needs: int | None = None
    faults: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


def _document(data: mmap.mmap, size: int) -> Document:
    found = _Findings()
    objects: list[Mapping[str, Any]] = []
    end, spent = 0, 0
    while (start := data.find(OPEN, end)) >= 0:
        before, end = end, _block_end(data, size, start, len(objects), found)
        spent += end - start
        if end - start > LARGEST_BLOCK or spent > LARGEST_XML or len(objects) >= MOST_OBJECTS:
            found.faults.append(Remark("corrupt", f"ObjectInfo {len(objects)}: longer or more than any real ones"))
            break
        info = _object_info(data[start:end], len(objects), found)
        objects.append({"Item": _item(data, before, start, end), **info})
    header = {
        "Title": _text(data, data.find(TITLE, 0, 64), len(TITLE)),
        "Version": _text(data, data.find(VERSION, 0, 4096), len(VERSION)),
    }
    tree = {**{key: value for key, value in header.items() if value}, "ObjectInfo": objects}
    _judge_end(data, size, end, str(header["Version"]), found)
    return Document(tree, tuple(objects), found.needs, tuple(found.faults), tuple(found.warnings))


def _block_end(data: mmap.mmap, size: int, start: int, number: int, found: _Findings) -> int:
    """Return where the XML that opens at ``start`` ends: with the file, and a fault, when nothing closes it."""
    declared = None
    if data[max(0, start - 8) : start - 4] == XML_TEXT:
        declared = start + int.from_bytes(data[start - 4 : start], "little")
        if declared > size:
            found.needs = declared
    close = data.find(CLOSE, start, min(size, declared or start + LARGEST_BLOCK))
    if close < 0:
        found.faults.append(Remark("truncated", f"ObjectInfo {number} is not closed"))
        return size
    return close + len(CLOSE)


def _judge_end(data: mmap.mmap, size: int, end: int, version: str, found: _Findings) -> None:
    """Look for the last section, which an `.emi` that was cut short lacks.

    Empty, the section is its tag and four zeros, and the document ends there. With links in it the lengths are not
    known, only that two closing items (eight zeros) end it: one byte less after a link whose last flag is off cannot be
    told. Documents of another generation than TIA 4 have not been seen, so there its absence is a warning only.
    """
    last = data.rfind(LAST_SECTION, end)
    if 0 <= last <= size - 8:
        empty = not any(data[last + 4 : last + 8])
        if last + 8 == size if empty else not any(data[size - 8 : size]):
            return
    if found.needs is not None or any(fault.code == "truncated" for fault in found.faults):
        return
    detail = "the document has no last section"
    if version.startswith("4.") or not version:
        found.faults.append(Remark("truncated", detail))
    else:
        found.warnings.append(Remark("end-unproved", f"{detail}; TIA {version} may not write one"))


def _text(data: mmap.mmap, at: int, skip: int = 4) -> str:
    """Return the text item whose tag stands at ``at``, or "" when there is none or it is no text."""
    if at < 0:
        return ""
    length = int.from_bytes(data[at + skip : at + skip + 4], "little")
    raw = data[at + skip + 4 : at + skip + 4 + min(length, 1024)]
    if not 0 < length <= 1024 or len(raw) < length or any(byte < 32 for byte in raw):
        return ""
    return _decoded(raw).strip()


def _decoded(raw: bytes) -> str:
    """Return text of a Windows program: UTF-8 where it is valid, else Western (every byte has a meaning)."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _item(data: mmap.mmap, before: int, start: int, end: int) -> dict[str, str]:
    """Return the facts of the item around the XML between ``start`` and ``end``; ``before``: the previous XML's end.

    The space of a picture stands before the XML, that of a spectrum or a profile right behind it.
    """
    near = max(before, start - 2048)
    name = _text(data, data.rfind(OBJECT_NAME, before, start), len(OBJECT_NAME))
    path = _text(data, data.rfind(SERIES_PATH, near, start))
    space = _text(data, data.rfind(SPACE, near, start))
    if space not in SPACES:
        space = _text(data, data.find(SPACE, end, end + 8))
    facts = {
        "Name": name,
        "Space": space if space in SPACES else "",
        "SeriesFile": path if path.lower().endswith(".ser") else "",
    }
    return {key: value for key, value in facts.items() if value}


def _object_info(raw: bytes, number: int, found: _Findings) -> dict[str, Any]:
    """Return one ``ObjectInfo`` as a tree; what is no XML is kept as text with a fault."""
    text = _decoded(raw)
    if "<!" in text:  # neither a document type nor an entity has a place here: expansion bombs need one
        found.faults.append(Remark("corrupt", f"ObjectInfo {number} holds a declaration"))
        return {"Text": text}
    try:
        tree = _branch(_parsed(text), 0)
    except (ET.ParseError, ValueError) as error:
        if not any(fault.code == "truncated" for fault in found.faults):
            found.faults.append(Remark("corrupt", f"ObjectInfo {number}: {error}"))
        return {"Text": text}
    return tree if isinstance(tree, dict) else {"Text": tree}


def _parsed(text: str) -> ET.Element:
    """Parse XML without declarations; characters that XML forbids become spaces."""
    return ET.fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", " ", text))  # noqa: S314 no declarations


def _branch(element: ET.Element, depth: int) -> Any:
    """Return an element as text or as a dict of its children; a tag that comes again makes a list.

    ``<Data><Label>L</Label><Value>V</Value><Unit>U</Unit></Data>`` becomes ``{L: {Value: V, Unit: U}}``, and so with
    ``Index`` for the list that TIA hides as escaped XML in ``TrueImageHeaderInfo``. A lone ``Root`` is passed through.
    """
    if depth > DEEPEST:
        raise ValueError("nested deeper than any real one")
    text = element.text or ""
    if not len(element) and text.lstrip().startswith("<Root>") and "<!" not in text:
        return _branch(_parsed(text), depth + 1)
    if not len(element):
        return text
    if [child.tag for child in element] == ["Root"]:
        return _branch(element[0], depth + 1)
    tree: dict[str, Any] = {}
    for child in element:
        label = child.find("Label") if child.tag == "Data" else None
        index = child.find("Index") if child.tag == "Data" else None
        if label is not None and label.text:
            rest = {part.tag: _branch(part, depth + 2) for part in child if part is not label}
            put(tree, label.text, rest)
        elif index is not None and index.text:
            put(tree, index.text, child.findtext("Value") or "")
        else:
            put(tree, child.tag, _branch(child, depth + 1))
    return tree
