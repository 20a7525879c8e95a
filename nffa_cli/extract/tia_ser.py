"""The `.ser` half of a TIA acquisition: a series of spectra or pictures with a calibration each; headers only.

Layout (little endian), as TIA writes it: a fixed header, one record for each dimension of the series, a table with the
offset of each element and then of each tag, the elements (calibration, sample type, sizes, samples) and the tags (time,
and the beam's position in a scan). Version 0x0210 has offsets of 32 bits, 0x0220 of 64. What the numbers mean (metres
or reciprocal metres) is not written here; the `.emi` knows.
"""

from __future__ import annotations

import os
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from nffa_cli.errors import UnreadableFile
from nffa_cli.rawtree import lossless
from nffa_cli.records import Remark

MAGIC = b"II\x97\x01"
SPECTRA, PICTURES = 0x4120, 0x4122
TAG_BYTES = {0x4152: 8, 0x4142: 24}
"""Bytes of a tag: time alone, or time and position."""
DTYPES = {
    1: ("uint8", 1),
    2: ("uint16", 2),
    3: ("uint32", 4),
    4: ("int8", 1),
    5: ("int16", 2),
    6: ("int32", 4),
    7: ("float32", 4),
    8: ("float64", 8),
    9: ("complex64", 8),
    10: ("complex128", 16),
}
"""Sample type in an element's header: numpy name and bytes."""
SHORT = {"uint": "u", "int": "i", "float": "f", "complex": "c"}

HEADER_READ = 1 << 16
"""Bytes in which the header and its dimension records must lie; real ones have about 150."""
MOST_DIMENSIONS = 16
SAMPLED = 8
"""How many elements are looked at, whatever their number."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of the series: position of step i = offset + (i - element) × delta."""

    size: int
    offset: float
    delta: float
    element: int
    description: str
    units: str


@dataclass(frozen=True, slots=True)
class Element:
    """The header of one spectrum or picture: calibration along (x,) or (y, x), and its tag."""

    scales: tuple[float, ...]
    origins: tuple[float, ...]
    sizes: tuple[int, ...]
    code: int
    time: int
    position: tuple[float, float] | None
    tree: Mapping[str, Any]

    @property
    def like(self) -> tuple[tuple[int, ...], int]:
        """What all elements of a series share."""
        return self.sizes, self.code


@dataclass(frozen=True, slots=True)
class Series:
    """A parsed `.ser`.

    dtype, stored
        Numpy name and type string (``<u2``) of the samples; None when no element could be read.
    offsets
        Byte offset of the samples of each valid element; a ``range`` when they are regular.
    elements
        The looked-at elements by their number: the first two, the last, and some between.
    needs
        Bytes that the file must hold.
    """

    tree: Mapping[str, Any]
    pictures: bool
    total: int
    valid: int
    dimensions: tuple[Dimension, ...]
    offsets: Sequence[int]
    elements: Mapping[int, Element]
    needs: int
    faults: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()

    @property
    def first(self) -> Element | None:
        """The first element, which tells what all are."""
        return self.elements.get(0)

    @property
    def dtype(self) -> str:
        """Numpy name of the samples."""
        return DTYPES[self.elements[0].code][0]

    @property
    def stored(self) -> str:
        """Numpy type string of the samples as they lie in the file."""
        name, size = DTYPES[self.elements[0].code]
        return f"<{SHORT[name.rstrip('0123456789')]}{size}"


@dataclass(slots=True)
class _Head:
    """The fixed header and the dimension records, unchecked but for their place in the file."""

    version: int
    data_type: int
    tag_type: int
    total: int
    valid: int
    table: int
    width: int
    end: int
    dimensions: tuple[Dimension, ...]
    tree: dict[str, Any] = field(default_factory=dict)


def read_series(path: str) -> Series:
    """Read the headers of a `.ser`: its own, the offset tables in one go, and those of a bounded sample of elements.

    At most eight elements are looked at: the first two, the last, and evenly between. All must be like the first. An
    element further in that differs from it is not noticed.

    Raises
    ------
    UnreadableFile
        Empty, cut within the header, no TIA series, or counts that contradict the file.
    """
    with Path(path).open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise UnreadableFile("the file is empty", code="empty", where=path)
        head = _head(file, size, path)
        return _series(file, size, head)


def _head(file: BinaryIO, size: int, path: str) -> _Head:
    data = file.read(HEADER_READ)
    if data[:4] != MAGIC[:size]:
        raise UnreadableFile("no TIA series: it does not begin with II 0x0197", where=path)
    try:
        return _unpacked(data, path)
    except (struct.error, IndexError) as error:
        code = "truncated" if size < HEADER_READ else "corrupt"
        raise UnreadableFile(f"the header does not fit into {len(data)} bytes", code=code, where=path) from error


def _unpacked(data: bytes, path: str) -> _Head:
    order, series, version, data_type, tag_type, total, valid = struct.unpack_from("<HHHIIII", data)
    if version not in (0x0200, 0x0210, 0x0220) or data_type not in (SPECTRA, PICTURES) or tag_type not in TAG_BYTES:
        what = f"series version {version:#06x}, data type {data_type:#06x}, tag type {tag_type:#06x} are not known"
        raise UnreadableFile(what, where=path)
    width = 8 if version >= 0x0220 else 4
    table, count = struct.unpack_from("<QI" if width == 8 else "<II", data, 22)
    if count > MOST_DIMENSIONS or valid > total:
        raise UnreadableFile(f"{count} dimensions, {valid} of {total} elements valid: impossible", where=path)
    at, dimensions = 26 + width, []
    for _ in range(count):
        size, offset, delta, element = struct.unpack_from("<IddI", data, at)
        description, at = _string(data, at + 24)
        units, at = _string(data, at)
        dimensions.append(Dimension(size, offset, delta, element, description, units))
    tree = {
        "ByteOrder": order,
        "SeriesID": series,
        "SeriesVersion": version,
        "DataTypeID": data_type,
        "TagTypeID": tag_type,
        "TotalNumberElements": total,
        "ValidNumberElements": valid,
        "OffsetArrayOffset": table,
        "Dimensions": [
            {
                "DimensionSize": dimension.size,
                "CalibrationOffset": lossless(dimension.offset),
                "CalibrationDelta": lossless(dimension.delta),
                "CalibrationElement": dimension.element,
                "Description": dimension.description,
                "Units": dimension.units,
            }
            for dimension in dimensions
        ],
    }
    return _Head(version, data_type, tag_type, total, valid, table, width, at, tuple(dimensions), tree)


def _string(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", data, at)
    end = at + 4 + length
    if end > len(data):
        raise IndexError(end)
    return data[at + 4 : end].decode("latin-1"), end


def _series(file: BinaryIO, size: int, head: _Head) -> Series:
    table_end = head.table + 2 * head.width * head.total
    needs = max(head.end, table_end)
    pictures = head.data_type == PICTURES
    if head.valid == 0:
        remark = Remark("empty", f"none of its {head.total} elements was recorded")
        return Series(head.tree, pictures, head.total, 0, head.dimensions, (), {}, needs, (remark,))
    if table_end > size:
        remark = Remark("truncated", f"the offset table ends at {table_end}, the file at {size}")
        return Series(head.tree, pictures, head.total, head.valid, head.dimensions, (), {}, needs, (remark,))
    starts, tags = _tables(file, head)
    tree = {**head.tree, "DataOffsets": _summary(starts), "TagOffsets": _summary(tags)}
    (least, greatest), (least_tag, greatest_tag) = _limits(starts), _limits(tags)
    if least < head.end or least_tag < head.end:
        remark = Remark("truncated", "the offset table has empty entries among the valid elements")
        return Series(tree, pictures, head.total, head.valid, head.dimensions, (), {}, needs, (remark,))

    faults: list[Remark] = []
    elements = _sample(file, size, head, starts, tags, faults)
    prefix = 50 if pictures else 26
    needs = max(needs, greatest + prefix, greatest_tag + TAG_BYTES[head.tag_type])
    if first := elements.get(0):
        samples = DTYPES[first.code][1]
        for length in first.sizes:
            samples *= length
        needs = max(needs, greatest + prefix + samples)
        if head.valid * samples > needs:
            faults.append(Remark("corrupt", f"{head.valid} elements of {samples} bytes overlap in {needs} bytes"))
            elements = {}
    tree["Elements"] = {str(index): element.tree for index, element in elements.items()}
    if needs > size:
        faults.insert(0, Remark("truncated", f"{needs - size} of {needs} bytes are missing"))
    offsets = _shifted(starts, prefix)
    return Series(tree, pictures, head.total, head.valid, head.dimensions, offsets, elements, needs, tuple(faults))


def _tables(file: BinaryIO, head: _Head) -> tuple[Sequence[int], Sequence[int]]:
    """Return the offsets of the valid elements and tags; the caller has checked that the tables lie in the file."""
    both: list[Sequence[int]] = []
    for start in (head.table, head.table + head.width * head.total):
        numbers = array("Q" if head.width == 8 else "I")
        file.seek(start)
        numbers.frombytes(_exactly(file, head.width * head.valid))
        if sys.byteorder == "big":
            numbers.byteswap()
        both.append(_compact(numbers))
    return both[0], both[1]


def _exactly(file: BinaryIO, count: int) -> bytes:
    parts = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    if count > 0:
        raise UnreadableFile(f"{count} bytes fewer than a moment ago: it is being written", code="truncated")
    return b"".join(parts)


def _compact(numbers: array[int]) -> Sequence[int]:
    """Return the offsets as a ``range`` when their distance is constant, else as they are."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    if step <= 0:
        return numbers
    even = range(numbers[0], numbers[0] + step * len(numbers), step)
    return even if even[-1] == numbers[-1] and array(numbers.typecode, even) == numbers else numbers


def _limits(numbers: Sequence[int]) -> tuple[int, int]:
    return (numbers[0], numbers[-1]) if isinstance(numbers, range) else (min(numbers), max(numbers))


def _shifted(numbers: Sequence[int], by: int) -> Sequence[int]:
    if isinstance(numbers, range):
        return range(numbers.start + by, numbers.stop + by, numbers.step)
    return array("Q", [number + by for number in numbers])


def _summary(numbers: Sequence[int]) -> dict[str, Any]:
    """Return the offsets for the tree: start, step and count where regular, else where the table's values range."""
    if isinstance(numbers, range):
        return {"First": numbers.start, "Step": numbers.step, "Count": len(numbers)}
    least, greatest = _limits(numbers)
    return {"First": numbers[0], "Least": least, "Greatest": greatest, "Count": len(numbers)}


def _sample(
    file: BinaryIO, size: int, head: _Head, starts: Sequence[int], tags: Sequence[int], faults: list[Remark]
) -> dict[int, Element]:
    """Return the headers of some elements by number; what lies beyond the file's end is left to ``needs``."""
    last = head.valid - 1
    chosen = sorted({0, min(1, last), last, *(last * part // (SAMPLED - 2) for part in range(SAMPLED - 2))})
    elements: dict[int, Element] = {}
    for index in chosen:
        found = _element(file, size, head, starts[index], tags[index])
        if isinstance(found, Remark):
            faults.append(Remark(found.code, f"element {index}: {found.detail}"))
        elif found and index and 0 in elements and found.like != elements[0].like:
            faults.append(Remark("corrupt", f"element {index} has another shape or type than the first"))
        elif found:
            elements[index] = found
    return elements


def _element(file: BinaryIO, size: int, head: _Head, start: int, tag_at: int) -> Element | Remark | None:
    form = "<ddIddIHII" if head.data_type == PICTURES else "<ddIHI"
    length = struct.calcsize(form)
    if start + length > size:
        return None
    file.seek(start)
    raw = _exactly(file, length)
    if not any(raw):
        return Remark("zero-tail", "its header is all zero")
    values = struct.unpack(form, raw)
    calibrated = [values[0:3], values[3:6]] if head.data_type == PICTURES else [values[0:3]]
    code, sizes = values[3 * len(calibrated)], values[3 * len(calibrated) + 1 :]
    if code not in DTYPES or not all(sizes):
        return Remark("corrupt", f"sample type {code}, size {' × '.join(map(str, sizes))}")
    tag = _tag(file, size, head, tag_at)
    if isinstance(tag, Remark):
        return tag
    tree = {
        "Calibration": [
            {"Offset": lossless(offset), "Delta": lossless(delta), "Element": element}
            for offset, delta, element in calibrated
        ],
        "DataType": code,
        "ArraySize": list(sizes),
        **({"Tag": {key: lossless(value) for key, value in tag.items()}} if tag else {}),
    }
    position = (tag["PositionX"], tag["PositionY"]) if "PositionX" in tag else None
    return Element(
        scales=tuple(delta for _, delta, _ in reversed(calibrated)),
        origins=tuple(offset - element * delta for offset, delta, element in reversed(calibrated)),
        sizes=tuple(reversed(sizes)),
        code=code,
        time=int(tag.get("Time", 0)),
        position=position,
        tree=tree,
    )


def _tag(file: BinaryIO, size: int, head: _Head, at: int) -> dict[str, Any] | Remark:
    """Return an element's tag; {} beyond the file's end, which ``needs`` tells."""
    length = TAG_BYTES[head.tag_type]
    if at + length > size:
        return {}
    file.seek(at)
    raw = _exactly(file, length)
    if not any(raw):
        return Remark("zero-tail", "its tag is all zero")
    kind, _, time = struct.unpack_from("<HHI", raw)
    if kind != head.tag_type:
        return Remark("corrupt", f"its tag is {kind:#06x}, not {head.tag_type:#06x}")
    if length == 8:
        return {"Time": time}
    x, y = struct.unpack_from("<dd", raw, 8)
    return {"Time": time, "PositionX": x, "PositionY": y}
