"""Spectra to look at, as they travel beside a preview: the small file that an ingest writes and a node or report reads; pure.

The file (``docs/node-pages.md`` describes it for others) is gzip of one line of JSON and, after it, little-endian arrays. When
it is read it comes from somewhere else: ``unpack`` holds it to its bounds and believes nothing that it has not counted.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.records import SPECTRAL, Axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
SUFFIX = ".spectra.gz"
MOST_BYTES = 1 << 20
"""Of a file that is written."""
LARGEST = 2 << 20
"""Bytes of a file that is still read."""
MOST_UNPACKED = 16 << 20
MOST_HEADER = 64 << 10
MOST_SIGNALS = 20
CHANNELS = 4096
"""Of the whole spectrum, at most."""
SIDE, COARSE = 64, 256
"""Positions along a side, and channels of each of them, of a reduced cube at most."""
LONGEST_NAME = 200
BEYOND = 1e30
"""Numbers as large as this are a fault."""
TYPES = {"uint16": "<u2", "float32": "<f4"}


@dataclass(frozen=True, slots=True)
class Cube:
    """A spectrum image made small: sums over neighbouring positions and channels.

    axes
        y, x, channel: positions are centres of what was added.
    values
        (y, x, channel).
    binned
        How many samples of each axis were added into one; the last of an axis may hold fewer.
    every
        Along y and x, of how many positions one was read (1: all).
    """

    axes: tuple[Axis, Axis, Axis]
    values: NDArray[Any]
    binned: tuple[int, int, int]
    every: tuple[int, int]


@dataclass(frozen=True, slots=True)
class View:
    """One signal to look at.

    kind
        ``spectrum``, ``profile`` or ``spectrum-image``.
    shape
        Of the signal in the data file.
    axis, counts
        The samples along its last axis, float64; of a spectrum image their sum over the positions that were read.
    binned
        How many channels were added into one; the last may hold fewer.
    """

    name: str | None
    kind: str
    shape: tuple[int, ...]
    axis: Axis
    counts: NDArray[np.float64]
    binned: int = 1
    cube: Cube | None = None


def place(digest: str) -> str:
    """Return where the file of a version lies in the folder of previews, if there is one."""
    return f"{digest[:2]}/{digest}{SUFFIX}"


def binned_axis(axis: Axis, size: int, by: int, every: int = 1) -> Axis:
    """Return an axis of ``size`` sums of ``by`` samples each, of which every n-th (from the middle of n on) was taken."""
    step = axis.scale * every
    start = axis.offset + axis.scale * (every // 2 if every > 1 else 0)
    return Axis(axis.name, size, step * by, start + step * (by - 1) / 2, axis.unit)


# --- written ---


def pack(views: Sequence[View], *, left_out: int = 0) -> bytes:
    """Return the file of these views; the same views give the same bytes. ``left_out``: signals that are not among them."""
    import numpy as np

    said: list[dict[str, Any]] = []
    arrays: list[bytes] = []
    for view in views:
        told: dict[str, Any] = {
            "name": view.name, "kind": view.kind, "shape": list(view.shape), "axis": view.axis.as_json(),
            "binned": view.binned, "cube": None,
        }  # fmt: skip
        arrays.append(np.ascontiguousarray(view.counts, "<f8").tobytes())
        if view.cube is not None:
            kind, values = _stored(view.cube.values)
            told["cube"] = {
                "axes": [axis.as_json() for axis in view.cube.axes], "type": kind, "binned": list(view.cube.binned),
                "every": list(view.cube.every),
            }  # fmt: skip
            arrays.append(values.tobytes())
        said.append(told)
    head = json.dumps({"nffa-spectra": VERSION, "left_out": left_out, "signals": said}, allow_nan=False)
    return gzip.compress(head.encode("ascii") + b"\n" + b"".join(arrays), 6, mtime=0)


def _stored(values: NDArray[Any]) -> tuple[str, NDArray[Any]]:
    """Return samples as they are written: counts as they are, else numbers rounded to a two-thousandth."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535 and bool((values == np.rint(values)).all()):
        return "uint16", np.ascontiguousarray(values, "<u2")
    whole = np.ascontiguousarray(values, "<f4")
    bits = whole.view("<u4")
    rounded = ((bits.astype(np.uint64) + (1 << 12)) & 0xFFFFE000).astype(
        "<u4"
    )  # 10 bits of 23: noise does not compress
    return "float32", rounded.view("<f4")


# --- read ---


def unpack(written: bytes) -> tuple[tuple[View, ...], int]:
    """Return the views of a file, and how many signals were left out of it.

    Raises
    ------
    UnreadableFile
        It is no such file, a newer one, or it is larger or other than it says.
    """
    import numpy as np

    plain = _inflated(written)
    line, found, _ = plain[:MOST_HEADER].partition(b"\n")
    if not found:
        raise _wrong("it does not begin with a line of JSON")
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong("its first line is no JSON") from error
    if not isinstance(head, dict) or "nffa-spectra" not in head:
        raise _wrong("its first line says nothing of spectra")
    if head["nffa-spectra"] != VERSION:
        raise _wrong(f"it is of version {_short(head['nffa-spectra'])}, and this nffa reads {VERSION}")
    signals = head.get("signals")
    if not isinstance(signals, list) or not 1 <= len(signals) <= MOST_SIGNALS:
        raise _wrong(f"it holds no list of 1 to {MOST_SIGNALS} signals")
    told = [_told(each) for each in signals]
    need = sum(view.axis.size * 8 + (math.prod(cube.values.shape) * cube.values.itemsize if cube else 0)
               for view, cube in ((view, view.cube) for view in told))  # fmt: skip
    at = len(line) + 1
    if need != len(plain) - at:
        raise _wrong(f"its arrays have {len(plain) - at:,} bytes where {need:,} are promised")
    views = []
    for view in told:
        counts = np.frombuffer(plain, "<f8", view.axis.size, at)
        at += counts.nbytes
        cube = view.cube
        if cube is not None:
            values = np.frombuffer(plain, cube.values.dtype, math.prod(cube.values.shape), at).reshape(
                cube.values.shape
            )
            at += values.nbytes
            cube = Cube(cube.axes, values, cube.binned, cube.every)
        for held in (counts, None if cube is None else cube.values):
            if held is not None and not bool((np.abs(held) < BEYOND).all()):
                raise _wrong("it holds values that are no numbers, or beyond all measure")
        views.append(View(view.name, view.kind, view.shape, view.axis, counts, view.binned, cube))
    return tuple(views), _whole(head.get("left_out", 0), 0, 1 << 20)


def _inflated(written: bytes) -> bytes:
    if len(written) > LARGEST:
        raise _wrong(f"it has {len(written):,} bytes, and at most {LARGEST:,} are read")
    machine = zlib.decompressobj(31)
    try:
        plain = machine.decompress(written, MOST_UNPACKED + 1)
    except zlib.error as error:
        raise _wrong("it is not compressed as it should be") from error
    if len(plain) > MOST_UNPACKED:
        raise _wrong(f"unpacked it has more than {MOST_UNPACKED:,} bytes")
    if not machine.eof or machine.unused_data:
        raise _wrong("it ends too early, or something follows it")
    return plain


def _told(said: Any) -> View:
    """Return a view as the header tells it, its arrays of the right type and shape but nobody's values."""
    import numpy as np

    if not isinstance(said, dict):
        raise _wrong("a signal is no object")
    kind, name, shape = said.get("kind"), said.get("name"), said.get("shape")
    if kind not in SPECTRAL:
        raise _wrong(f"{_short(kind)} is no kind of spectrum")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 8:
        raise _wrong("a signal has no shape")
    axis = _axis(said.get("axis"), CHANNELS)
    cube = said.get("cube")
    view = View(
        name[:LONGEST_NAME] if isinstance(name, str) else None, kind, tuple(_whole(n, 1, 1 << 40) for n in shape), axis,
        np.empty(0), _whole(said.get("binned"), 1, 1 << 40),
    )  # fmt: skip
    if cube is None:
        return view
    if not isinstance(cube, dict) or str(cube.get("type")) not in TYPES:
        raise _wrong("a cube is of no type that is known")
    y, x, channel = (
        _axis(each, most) for each, most in zip(_list(cube.get("axes"), 3), (SIDE, SIDE, COARSE), strict=True)
    )
    values = np.broadcast_to(np.zeros((), TYPES[str(cube["type"])]), (y.size, x.size, channel.size))
    by = tuple(_whole(each, 1, 1 << 40) for each in _list(cube.get("binned"), 3))
    down, across = (_whole(each, 1, 1 << 40) for each in _list(cube.get("every"), 2))
    made = Cube((y, x, channel), values, (by[0], by[1], by[2]), (down, across))
    return View(view.name, kind, view.shape, axis, view.counts, view.binned, made)


def _axis(said: Any, most: int) -> Axis:
    if not isinstance(said, dict):
        raise _wrong("an axis is no object")
    name, unit = said.get("name"), said.get("unit")
    numbers = [_number(said.get(key)) for key in ("scale", "offset")]
    plain = Axis(str(name)[:LONGEST_NAME] if isinstance(name, str) else "", _whole(said.get("size"), 1, most))
    if not 1e-9 * abs(numbers[1]) < abs(numbers[0]) or abs(numbers[0]) < 1 / BEYOND:
        return plain  # a broken calibration is none
    return Axis(plain.name, plain.size, numbers[0], numbers[1], unit[:20] if isinstance(unit, str) else None)


def _list(found: Any, length: int) -> list[Any]:
    if not isinstance(found, list) or len(found) != length:
        raise _wrong(f"a list of {length} is missing")
    return found


def _whole(found: Any, least: int, most: int) -> int:
    if type(found) is not int or not least <= found <= most:
        raise _wrong(f"{_short(found)} is no whole number from {least} to {most}")
    return found


def _number(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < BEYOND:
        raise _wrong(f"{_short(found)} is no number to count with")
    return float(found)


def _short(found: Any) -> str:
    return repr(found)[:40] if not isinstance(found, list | dict | Mapping) else "a list or an object"


def _wrong(what: str) -> UnreadableFile:
    return UnreadableFile(what, code="corrupt")
