"""Files to measure with: DM3, DM4, SER and TIFF true to their format, of any size, each with contents of its own.

Written from the formats' descriptions with the standard library, frame by frame, so that 2 GB need no memory. What they
show is noise on slow waves: it compresses and hashes like a micrograph and looks like nothing.
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

KINDS = ("dm3", "dm4", "ser", "tif")
TAGS = 300
"""Vendor tags of a DM file beside those that nffa maps; real ones hold 100 to 500."""

Tree = dict[str, Any]


class Pixels:
    """A stack of square uint16 frames to be poured into a file; ``seed`` makes each file's content its own."""

    def __init__(self, frames: int, side: int, seed: int) -> None:
        self.frames, self.side, self.seed = frames, side, seed
        self.frame_bytes = 2 * side * side

    def frame(self, number: int) -> Iterator[bytes]:
        """Yield the rows of one frame, rotated per frame, behind a mark that no other frame has."""
        rows = _rows(self.side)
        turn = (self.seed * 31 + number * 7) % len(rows)
        mark = struct.pack("<II", self.seed & 0xFFFFFFFF, number)
        yield mark + rows[turn][len(mark) :]
        for n in range(1, self.side):
            yield rows[(turn + n) % len(rows)]


_ROWS: dict[int, list[bytes]] = {}


def _rows(side: int) -> list[bytes]:
    if side not in _ROWS:
        chance = random.Random(side)
        wave = [int(9000 + 4000 * math.sin(x / side * 12)) for x in range(side)]
        _ROWS[side] = [
            struct.pack(
                f"<{side}H", *(level + noise for level, noise in zip(wave, chance.randbytes(side), strict=True))
            )
            for _ in range(min(side, 64))
        ]
    return _ROWS[side]


def write(path: Path, *, frames: int = 1, side: int = 512, seed: int = 0) -> None:
    """Write one file of the kind that its suffix names."""
    pixels = Pixels(frames, side, seed)
    kind = path.suffix[1:]
    with path.open("wb") as file:
        if kind == "ser":
            _ser(file, pixels)
        elif kind == "tif":
            _tif(file, pixels)
        else:
            _dm(file, pixels, version=int(kind[-1]))


def many(folder: Path, count: int, *, side: int | None = None, kinds: tuple[str, ...] = KINDS) -> list[Path]:
    """Write ``count`` files, 100 to a folder, kinds in turn; without ``side`` of 256 to 1024 pixels, 0.13 to 2 MB."""
    made = []
    for n in range(count):
        path = folder / f"day{n // 100:03d}" / f"scan_{n:05d}.{kinds[n % len(kinds)]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, side=side or (256, 512, 512, 1024)[n // len(kinds) % 4], seed=n + 1)
        made.append(path)
    return made


# --- Gatan DigitalMicrograph: a tree of tags, big-endian frame, little-endian values


def _dm(file: BinaryIO, pixels: Pixels, *, version: int) -> None:
    """Write a DM file; in version 4 counts are eight bytes and each entry says how long it is."""
    length = pixels.frame_bytes * pixels.frames
    before, after = _split(_group(_dm_tree(pixels), version, length))
    file.write(struct.pack(">I", version) + _count(len(before) + length + len(after), version) + struct.pack(">I", 1))
    file.write(before)
    _pour(file, pixels)
    file.write(after + bytes(8))


_HOLE = b"\0<pixels>\0"


def _split(tags: bytes) -> tuple[bytes, bytes]:
    before, _, after = tags.partition(_HOLE)
    return before, after


def _dm_tree(pixels: Pixels) -> Tree:
    def calibration(scale: float, unit: str) -> Tree:
        return {"Origin": 0.0, "Scale": scale, "Units": unit}

    sizes = [pixels.side, pixels.side] + ([pixels.frames] if pixels.frames > 1 else [])
    extra = {
        f"Group {n}": {f"Parameter {m}": f"value {m}" if m % 3 else m * 1.5 for m in range(20)}
        for n in range(TAGS // 20)
    }
    image = {
        "ImageData": {
            "Calibrations": {
                "Brightness": calibration(1.0, ""),
                "Dimension": [calibration(0.05, "nm"), calibration(0.05, "nm"), calibration(1.0, "s")][: len(sizes)],
            },
            "Data": None,
            "DataType": 10,
            "Dimensions": sizes,
            "PixelDepth": 2,
        },
        "ImageTags": {
            "Microscope Info": {
                "Voltage": 200000.0, "Indicated Magnification": 80000.0, "Microscope": "BENCH 200", "Operation Mode": "SCANNING",
                "Illumination Mode": "STEM NANOPROBE", "STEM Camera Length": 120.0,
                "Stage Position": {"Stage X": 12.5, "Stage Y": -7.25, "Stage Z": 1.5, "Stage Alpha": 0.5},
            },
            "DataBar": {"Acquisition Date": "2026-11-20", "Acquisition Time": "11:02:03", "Device Name": "DigiScan"},
            **extra,
        },
        "Name": f"scan {pixels.seed}",
    }  # fmt: skip
    return {
        "DocumentObjectList": [{"ImageSource": 0}],
        "ImageList": [image],
        "ImageSourceList": [{"ClassName": "ImageSource:Simple", "ImageRef": 0}],
    }


def _count(number: int, version: int) -> bytes:
    return struct.pack(">Q" if version == 4 else ">I", number)


def _group(tree: Tree | list[Any], version: int, length: int) -> bytes:
    items = list(tree.items()) if isinstance(tree, dict) else [("", item) for item in tree]
    parts = [b"\1\0", _count(len(items), version)]
    for name, value in items:
        branch = isinstance(value, dict | list)
        body = _group(value, version, length) if branch else _tag(value, version, length)
        written = len(body) + (length - len(_HOLE) if _HOLE in body else 0)
        parts += [b"\x14" if branch else b"\x15", struct.pack(">H", len(name)), name.encode()]
        parts += [struct.pack(">Q", written)] if version == 4 else []
        parts.append(body)
    return b"".join(parts)


def _tag(value: Any, version: int, length: int) -> bytes:
    """Return type description and value: float64 (7), uint32 (5), an array (20) of uint16 (4) for text and pixels."""
    if value is None:
        kind, data = [20, 4, length // 2], _HOLE
    elif isinstance(value, str):
        data = value.encode("utf-16-le")
        kind = [20, 4, len(data) // 2]
    elif isinstance(value, float):
        kind, data = [7], struct.pack("<d", value)
    else:
        kind, data = [5], struct.pack("<I", value)
    return b"%%%%" + b"".join(_count(number, version) for number in (len(kind), *kind)) + data


# --- TIA series: header, one dimension, offsets of data and of tags


def _ser(file: BinaryIO, pixels: Pixels) -> None:
    n = pixels.frames
    dimension = struct.pack("<IddI", n, 0.0, 1.0, 0) + struct.pack("<I", 6) + b"Number" + struct.pack("<I", 0)
    table = 30 + 4 + len(dimension)
    element = 50 + pixels.frame_bytes
    first = table + 16 * n
    file.write(struct.pack("<2sHHIIII", b"II", 0x0197, 0x0220, 0x4122, 0x4152, n, n))
    file.write(struct.pack("<QI", table, 1) + dimension)
    file.write(struct.pack(f"<{n}Q", *(first + element * i for i in range(n))))
    file.write(struct.pack(f"<{n}Q", *(first + element * n + 8 * i for i in range(n))))
    for i in range(n):
        file.write(struct.pack("<ddiddihii", 0.0, 5e-11, 0, 0.0, 5e-11, 0, 2, pixels.side, pixels.side))
        file.writelines(pixels.frame(i))
    for i in range(n):
        file.write(struct.pack("<HHI", 0x4152, 0, 1_750_000_000 + pixels.seed + i))


# --- TIFF with FEI's tag 34682; as BigTIFF where 32-bit offsets end


def _tif(file: BinaryIO, pixels: Pixels) -> None:
    big = pixels.frame_bytes * pixels.frames > 0xF000_0000
    entry, number = ("<HHQQ", "<Q") if big else ("<HHII", "<I")
    count_of = "<Q" if big else "<H"
    where = 16 if big else 8
    file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, where) if big else struct.pack("<2sHI", b"II", 42, where))
    for i in range(pixels.frames):
        text = _fei(pixels) if i == 0 else b""
        tags = [
            (256, 4, 1, pixels.side), (257, 4, 1, pixels.side), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1),
            (273, 16 if big else 4, 1, 0), (277, 3, 1, 1), (278, 4, 1, pixels.side),
            (279, 16 if big else 4, 1, pixels.frame_bytes),
        ]  # fmt: skip
        tags += [(34682, 2, len(text), 0)] if text else []
        directory = struct.calcsize(count_of) + len(tags) * struct.calcsize(entry) + struct.calcsize(number)
        at_text = where + directory
        at_pixels = at_text + len(text) + len(text) % 2
        after = at_pixels + pixels.frame_bytes
        places = {273: at_pixels, 34682: at_text}
        file.write(struct.pack(count_of, len(tags)))
        file.writelines(
            struct.pack(entry, tag, kind, count, places.get(tag, value)) for tag, kind, count, value in tags
        )
        file.write(struct.pack(number, after if i + 1 < pixels.frames else 0) + text + bytes(len(text) % 2))
        file.writelines(pixels.frame(i))
        where = after


def _fei(pixels: Pixels) -> bytes:
    sections = {
        "User": {"Date": "11/20/2026", "Time": "11:02:03 AM"},
        "System": {"SystemType": "Bench Nano 200", "Software": "1.2.3 (build 4567)"},
        "Beam": {"HV": 10000, "Spot": 3.0, "Beam": "EBeam", "Scan": "EScan"},
        "EBeam": {"HV": 10000, "HFW": 1e-5, "WD": 0.0051, "BeamCurrent": 1.2e-10},
        "EScan": {
            "Dwell": 1e-6,
            "PixelWidth": 1e-5 / pixels.side,
            "PixelHeight": 1e-5 / pixels.side,
            "HorFieldsize": 1e-5,
        },
        "Stage": {"StageX": 0.0012, "StageY": -0.0034, "StageZ": 0.005, "StageR": 0.1, "StageT": 0.0},
        "Image": {"ResolutionX": pixels.side, "ResolutionY": pixels.side, "MagCanvasRealWidth": 0.32},
        "Vacuum": {"ChPressure": 0.0002, "UserMode": "High vacuum"},
        "Detectors": {"Number": 1, "Name": "ETD", "Mode": "SE"},
        "ETD": {"Contrast": 70.5, "Brightness": 45.2, "Signal": "SE", "Grid": 250},
        "PrivateBench": {f"Value{n}": n * 0.25 for n in range(60)},
    }
    lines = [
        f"[{name}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in items.items())
        for name, items in sections.items()
    ]
    return "\r\n".join(lines).encode("ascii") + b"\0"


def _pour(file: BinaryIO, pixels: Pixels) -> None:
    for i in range(pixels.frames):
        file.writelines(pixels.frame(i))
