"""A signal's ``Layout`` opened for reading: what turns slices of a signal into samples, whatever the file's kind.

Nothing is mapped into memory, because resident pages of a mapping count as ours: uncompressed samples are fetched by
seek and read through one small buffer. This module parses no headers and reduces nothing; ``pixels`` does.

It is the only place where tifffile, h5py and Pillow decode samples; they are imported when a layout asks for them.
Whatever a file does to them comes out as ``UnreadableFile``.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nffa_cli.errors import UnreadableFile
from nffa_cli.records import Layout, Signal

Array: TypeAlias = NDArray[Any]
Loaders: TypeAlias = Mapping[str, Callable[[Layout], Any]]
"""Layout method → function that returns an array-like of the signal's shape which can be sliced (numpy, dask).

That of ``raw`` returns the bytes of the layout's file where they are in memory already, else None.
"""
Picks: TypeAlias = tuple[slice, ...]
"""One slice of positive step per axis."""

LIMIT = 1 << 30
"""Most bytes that may be decoded at once. A picture that declares more is a bomb, or no preview is worth it."""
BUDGET = 8 << 20
"""Bytes read to make one view."""
RUN = 2 << 20
"""Most bytes of one read call and of its buffer."""
SPARSE = 8 << 10
"""Skipping fewer bytes than this costs more than reading them."""

PICTURE_FORMATS = ("JPEG", "PNG", "BMP", "GIF")


@dataclass(frozen=True, slots=True)
class Source:
    """An opened signal. ``read`` takes one slice per axis of the signal; ``seekable``: skipped rows cost nothing.

    ``in_memory``: what is read are views of bytes that are held, which nobody may write to.
    """

    read: Callable[[Picks], Array]
    seekable: bool
    in_memory: bool = False


@contextmanager
def opened(signal: Signal, loaders: Loaders | None) -> Iterator[Source]:
    """Open a signal's layout for the time of a ``with`` block.

    Raises
    ------
    UnreadableFile
        Whatever the file does to its decoder: code ``truncated``, ``corrupt``, ``empty`` or ``memory``.
    """
    layout = signal.layout
    if layout is None:
        raise ValueError("a signal without layout has no samples to read")
    try:
        loader = (loaders or {}).get(layout.method)
        if layout.method == "raw":
            with _raw(signal, layout, loader(layout) if loader else None) as source:
                yield source
        elif loader is not None:
            yield _foreign(signal, loader(layout))
        else:
            with METHODS[layout.method](signal, layout) as source:
                yield source
    except UnreadableFile:
        raise
    except MemoryError as error:
        raise UnreadableFile("its samples need more memory than there is", code="memory", where=layout.path) from error
    except Exception as error:  # decoders raise whatever they like at hostile bytes; each is this file's fault
        what = f"its samples cannot be read ({type(error).__name__}: {error})"
        raise UnreadableFile(what, where=layout.path) from error


def _need(size: int, layout: Layout, what: str) -> None:
    if size > LIMIT:
        raise UnreadableFile(
            f"{what} of {size:,} bytes would have to be held in memory at once",
            code="memory",
            where=layout.path,
            hint="open it in the vendor's program, or export a smaller part there",
        )


def _stored_view(signal: Signal, layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return the stored shape, the permutation and how many axes it puts before the signal's, proved to fit."""
    stored = layout.stored or signal.shape
    order = layout.order or tuple(range(len(stored)))
    extra = len(stored) - len(signal.shape)
    fits = (
        sorted(order) == list(range(len(stored))) and tuple(stored[i] for i in order)[max(0, extra) :] == signal.shape
    )
    if not fits or extra < 0:
        raise UnreadableFile(f"stored shape {stored} does not make a signal of {signal.shape}", where=layout.path)
    if any(n < 1 for n in stored):
        raise UnreadableFile(f"a signal of shape {signal.shape} has no samples", code="empty", where=layout.path)
    return stored, order, extra


def _as_stored(
    signal: Signal, layout: Layout, read: Callable[[Picks], Array], *, seekable: bool, in_memory: bool = False
) -> Source:
    """Wrap ``read``, which works in stored order, so that it takes and gives the signal's order.

    Axes that the file has before the signal's (one frame of many) are read at their first position. Axes in
    ``layout.detail["mirrored"]`` (numbers of the signal's axes) lie last to first.
    """
    _, order, extra = _stored_view(signal, layout)
    into = sorted(range(len(order)), key=order.__getitem__)
    mirrored = set(layout.detail.get("mirrored", ()))
    back = tuple(slice(None, None, -1 if n in mirrored else None) for n in range(len(signal.shape)))

    def turned(picks: Picks) -> Array:
        lying = [
            _mirror(pick, n) if i in mirrored else pick
            for i, (pick, n) in enumerate(zip(picks, signal.shape, strict=True))
        ]
        wanted = [slice(0, 1)] * extra + lying
        part = read(tuple(wanted[i] for i in into)).transpose(order)
        return _plain(part.reshape(part.shape[extra:])[back])

    return Source(turned, seekable, in_memory)


def _mirror(pick: slice, size: int) -> slice:
    """Return the slice, of positive step, that takes the same samples from an axis that lies last to first."""
    span = range(size)[pick]
    return slice(size - 1 - span[-1], size - span[0], span.step) if span else slice(0, 0)


def _plain(part: Array) -> Array:
    """Return samples in native byte order; pairs of real and imaginary part as complex numbers."""
    if part.dtype.names and len(part.dtype.names) == 2:
        real, imaginary = (part[name] for name in part.dtype.names)
        return np.asarray(real + 1j * imaginary, np.complex64 if real.dtype.itemsize <= 4 else np.complex128)
    return part.astype(part.dtype.newbyteorder("="), copy=False)


# --- raw: uncompressed samples at known offsets -------------------------------------------------------------------


@contextmanager
def _raw(signal: Signal, layout: Layout, held: memoryview | None = None) -> Iterator[Source]:
    stored, _, _ = _stored_view(signal, layout)
    dtype = np.dtype(layout.dtype)
    if dtype.hasobject or dtype.itemsize == 0:
        raise UnreadableFile(f"{layout.dtype!r} is no type of stored samples", where=layout.path)
    total = math.prod(stored)
    chunk, offsets = _chunks(layout, stored, dtype.itemsize)
    if held is not None and len(offsets) == 1 and 0 <= offsets[0] <= len(held) - total * dtype.itemsize:
        samples = np.frombuffer(held, dtype, total, offsets[0]).reshape(stored)
        yield _as_stored(signal, layout, samples.__getitem__, seekable=True, in_memory=True)
        return
    with Path(layout.path).open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        if total * dtype.itemsize > size:
            what = f"holds {size:,} bytes but its samples alone are {total * dtype.itemsize:,}"
            raise UnreadableFile(what, code="truncated", where=layout.path)

        def read(picks: Picks) -> Array:
            return _read_raw(file, size, layout, dtype, stored, chunk, offsets, picks)

        yield _as_stored(signal, layout, read, seekable=True)


def _chunks(layout: Layout, stored: tuple[int, ...], size: int) -> tuple[int, Sequence[int]]:
    """Return samples per chunk and the offsets; chunks that touch become one."""
    offsets, total = layout.offsets, math.prod(stored)
    if not offsets:
        raise UnreadableFile("nothing says where its samples lie", where=layout.path)
    chunk = total // len(offsets)
    if chunk * len(offsets) != total:
        what = f"{len(offsets)} chunks do not divide samples of shape {stored}"
        raise UnreadableFile(what, where=layout.path)
    if isinstance(offsets, range):
        touching = offsets.step == chunk * size
    else:
        touching = bool((np.diff(np.asarray(offsets, dtype=np.int64)) == chunk * size).all())
    return (total, offsets[:1]) if touching else (chunk, offsets)


def _read_raw(
    file: Any,
    size: int,
    layout: Layout,
    dtype: np.dtype[Any],
    stored: tuple[int, ...],
    chunk: int,
    offsets: Sequence[int],
    picks: Picks,
) -> Array:
    """Read a slab straight into place, a strided one through one buffer: skip where skipping saves, else throw away."""
    spans = [range(n)[pick] for n, pick in zip(stored, picks, strict=True)]
    shape = tuple(len(span) for span in spans)
    _need(math.prod(shape) * dtype.itemsize, layout, "a part")
    out = np.empty(shape, dtype.newbyteorder("="))
    if out.size == 0:
        return out
    item = dtype.itemsize
    block = [math.prod(stored[i + 1 :]) for i in range(len(stored))]  # samples per step of 1 on axis i
    # One read covers axes axis+1… whole and `group` picks of axis; find the outermost such axis that is worth it.
    axis, reach, taken = len(stored) - 1, 1, 1
    while True:
        advance = spans[axis].step * block[axis]
        worth = advance * item <= SPARSE or taken * 8 >= advance
        inside = chunk % (block[axis] * stored[axis]) == 0  # so that no read crosses from chunk to chunk
        fits = max(1, (RUN // item - reach) // advance + 1)
        group = min(len(spans[axis]), fits) if worth and inside else 1
        if axis == 0 or group < len(spans[axis]) or not inside:
            break
        reach += (len(spans[axis]) - 1) * advance
        taken *= len(spans[axis])
        axis -= 1
    advance = spans[axis].step * block[axis]
    strides = tuple(span.step * unit * item for span, unit in zip(spans[axis:], block[axis:], strict=True))
    whole = all(len(span) == n for span, n in zip(spans[axis + 1 :], stored[axis + 1 :], strict=True))
    direct = whole and spans[axis].step == 1 and dtype == out.dtype  # it lies in the file as it is wanted
    buffer = bytearray(0 if direct else ((group - 1) * advance + reach) * item)
    view = memoryview(buffer)
    origin = sum(span.start * unit for span, unit in zip(spans[axis + 1 :], block[axis + 1 :], strict=True))
    for outer in itertools.product(*(range(n) for n in shape[:axis])):
        base = origin + sum(spans[i][n] * block[i] for i, n in enumerate(outer))
        for first in range(0, shape[axis], group):
            count = min(group, shape[axis] - first)
            start = base + spans[axis][first] * block[axis]
            length = ((count - 1) * advance + reach) * item
            place = offsets[start // chunk] + start % chunk * item
            if place + length <= size:
                file.seek(place)
            target: tuple[Any, ...] = (*outer, slice(first, first + count))
            into = memoryview(out[target].reshape(-1).view(np.uint8)) if direct else view[:length]
            if place + length > size or _fill(file, into) < length:
                what = f"ends before sample {start + length // item:,} of {math.prod(stored):,}"
                raise UnreadableFile(what, code="truncated", where=layout.path)
            if not direct:
                got: Array = np.ndarray((count, *shape[axis + 1 :]), dtype, buffer, 0, strides)
                out[target] = got
    return out


def _fill(file: Any, view: memoryview) -> int:
    """Read until ``view`` is full or the file ends; an unbuffered read may return less than asked for."""
    done = 0
    while done < len(view):
        got = file.readinto(view[done:])
        if not got:
            break
        done += got
    return done


# --- decoded: tifffile, h5py, Pillow, and what a loader returns ----------------------------------------------------


def _foreign(signal: Signal, array: Any) -> Source:
    """Wrap an array-like; records of named colours become a last axis."""

    def read(picks: Picks) -> Array:
        part = np.asarray(array[picks[: array.ndim]])
        if part.dtype.names and len(signal.shape) > array.ndim:
            rest: tuple[Any, ...] = (..., *picks[array.ndim :])
            part = np.stack([part[name] for name in part.dtype.names], axis=-1)[rest]
        return _plain(part)

    sizes = tuple(array.shape)
    if sizes != signal.shape[: len(sizes)]:
        path = signal.layout.path if signal.layout else None
        raise UnreadableFile(f"samples of shape {sizes} were read where {signal.shape} was promised", where=path)
    return Source(read, seekable=False)


@contextmanager
def _tiff(signal: Signal, layout: Layout) -> Iterator[Source]:
    import tifffile

    stored, _, _ = _stored_view(signal, layout)
    numbers = layout.detail["pages"] if "pages" in layout.detail else [layout.detail["page"]]
    kept: dict[int, Array] = {}

    with tifffile.TiffFile(layout.path) as tiff:

        def page(number: int, tail: tuple[int, ...]) -> Array:
            if number not in kept:
                held = tiff.pages[number]
                _need(math.prod(held.shape) * np.dtype(held.dtype).itemsize, layout, f"page {number}")
                ends = (o + n for o, n in zip(held.dataoffsets, held.databytecounts, strict=False))
                if max(ends, default=0) > tiff.filehandle.size:
                    raise UnreadableFile(f"ends inside page {number}", code="truncated", where=layout.path)
                kept.clear()
                kept[number] = held.asarray(maxworkers=1)
            return kept[number].reshape(tail)

        def read(picks: Picks) -> Array:
            lead = _lead_axes(stored, len(numbers), layout)
            spans = [range(n)[pick] for n, pick in zip(stored, picks, strict=True)]
            out = np.empty([len(span) for span in spans], np.dtype(layout.dtype).newbyteorder("="))
            for outer in itertools.product(*(range(len(span)) for span in spans[:lead])):
                place = [spans[i][n] for i, n in enumerate(outer)]
                flat = int(np.ravel_multi_index(place, stored[:lead])) if place else 0
                out[outer] = page(numbers[flat], stored[lead:])[picks[lead:]]
            return out

        yield _as_stored(signal, layout, read, seekable=False)


def _lead_axes(stored: tuple[int, ...], pages: int, layout: Layout) -> int:
    """Return how many axes count pages."""
    for lead in range(len(stored)):
        if math.prod(stored[:lead]) == pages:
            return lead
    raise UnreadableFile(f"{pages} pages do not make a signal of {stored}", where=layout.path)


@contextmanager
def _hdf5(signal: Signal, layout: Layout) -> Iterator[Source]:
    names = layout.detail.get("datasets")
    if names is None:
        with _dataset(signal, layout) as source:
            yield source
        return
    dtype = np.dtype(signal.dtype)
    colours = dtype.kind != "c" and len(names) > 1
    part = replace(signal, shape=signal.shape[:-1]) if colours else signal
    with ExitStack() as stack:
        reads = [stack.enter_context(_dataset(part, replace(layout, detail={"dataset": name}))).read for name in names]

        def read(picks: Picks) -> Array:
            if colours:
                *picks_, last = picks
                return np.stack([each(tuple(picks_)) for each in reads[last]], axis=-1).astype(dtype, copy=False)
            first = reads[0](picks)
            if len(reads) == 1:
                return first.astype(dtype, copy=False)
            made = np.empty(first.shape, dtype)
            made.real, made.imag = first, reads[1](picks)
            return made

        yield Source(read, seekable=False)


@contextmanager
def _dataset(signal: Signal, layout: Layout) -> Iterator[Source]:
    import h5py

    with h5py.File(layout.path, "r") as file:
        data = file[layout.detail["dataset"]]
        if not isinstance(data, h5py.Dataset) or data.file.filename != file.filename or data.dtype.hasobject:
            raise UnreadableFile(f"{layout.detail['dataset']} holds no samples", where=layout.path)
        if data.is_virtual or data.external:
            what = f"the samples of {layout.detail['dataset']} lie in another file"
            raise UnreadableFile(what, where=layout.path)
        here = replace(layout, dtype=data.dtype.str, stored=layout.stored or data.shape)
        stored, _, _ = _stored_view(signal, here)
        if stored != data.shape:
            raise UnreadableFile(f"a dataset of {data.shape} was promised as {stored}", where=layout.path)
        if data.chunks is None and (offset := data.id.get_offset()) is not None and data.dtype.kind in "iufc":
            with _raw(signal, replace(here, offsets=(offset,))) as source:
                yield source
            return
        _need(math.prod(data.chunks or data.shape) * data.dtype.itemsize, layout, "one chunk")

        def read(picks: Picks) -> Array:
            return _read_dataset(data, [range(n)[pick] for n, pick in zip(stored, picks, strict=True)], layout)

        yield _as_stored(signal, here, read, seekable=False)


def _read_dataset(data: Any, spans: list[range], layout: Layout) -> Array:
    """Read a strided part of a chunked dataset; HDF5's own strides are slow, so spans are read and then thinned."""
    shape = tuple(len(span) for span in spans)
    item = data.dtype.itemsize
    _need(math.prod(shape) * item, layout, "a part")
    if 0 in shape:
        return np.empty(shape, data.dtype.newbyteorder("="))
    reach = math.prod(span[-1] + 1 - span[0] for span in spans) * item
    strided = [i for i, span in enumerate(spans) if len(span) > 1 and span.step > 1]
    if reach > BUDGET and strided:
        axis = strided[0]
        parts = ([*spans[:axis], range(n, n + 1), *spans[axis + 1 :]] for n in spans[axis])
        return np.concatenate([_read_dataset(data, part, layout) for part in parts], axis=axis)
    whole = data[tuple(slice(span[0], span[-1] + 1) for span in spans)]
    thinned = whole[tuple(slice(None, None, span.step) for span in spans)]
    return np.asarray(thinned.astype(data.dtype.newbyteorder("="), copy=False))


@contextmanager
def _picture(signal: Signal, layout: Layout) -> Iterator[Source]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is the one that counts
        try:
            image = Image.open(layout.path, formats=PICTURE_FORMATS)
        except Image.DecompressionBombError as error:
            raise UnreadableFile(
                f"a picture too large to decode ({error})", code="memory", where=layout.path
            ) from error
    with image:
        _need(image.width * image.height * 4, layout, "a picture")
        mode = image.mode if image.mode.startswith("I") else layout.detail["mode"]  # 16 bits: I or I;16 by version
        decoded = np.asarray(image if image.mode == mode else image.convert(mode))
        yield _foreign(signal, decoded)


METHODS = {"raw": _raw, "tiff": _tiff, "hdf5": _hdf5, "picture": _picture}
"""Layout methods that need no loader."""
