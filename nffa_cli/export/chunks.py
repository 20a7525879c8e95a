"""How the samples of an HDF5 file are cut and packed: compressions, shapes of chunks, and blocks to go through an array.

Pure: knows neither HDF5 nor numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Compression:
    """A way to pack chunks; ``plugin``: the class of hdf5plugin that writes it and the arguments which it is given."""

    name: str
    describe: str
    plugin: tuple[str, dict[str, int | str]] | None = None


COMPRESSIONS = {
    each.name: each
    for each in (
        Compression("gzip", "deflate behind a byte shuffle; every program that reads HDF5 reads it"),
        Compression("none", "samples as they are, in one piece; the fastest to write, and other programs can map it"),
        Compression("lzf", "fast and light; read by h5py, and by other programs only with a plugin"),
        Compression("blosc2", "fast and small; readers need a plugin", ("Blosc2", {"cname": "zstd", "clevel": 3})),
        Compression("zstd", "fast and small, behind a byte shuffle; readers need a plugin", ("Zstd", {"clevel": 3})),
        Compression("lz4", "very fast, hardly smaller; readers need a plugin", ("LZ4", {})),
        Compression("bitshuffle", "very fast, smaller for counts; readers need a plugin", ("Bitshuffle", {})),
    )
}
"""By the name that a user types; the first is the default."""

SHUFFLED = frozenset({"gzip", "lzf", "zstd"})
"""Compressions that gain from a byte shuffle in front of them; the others shuffle themselves or not at all."""

SMALL = 64 << 10
"""Bytes of samples that are not worth a chunk unless packing saves more than the chunk's own index takes."""
INDEX = 4 << 10
TILE = 512 << 10
"""Bytes of a chunk of images; a part of it as long as fewer chunks would be smaller than a quarter of it."""
SPECTRA = 1 << 20
PATCH = 8
"""Spectra along each side of a chunk."""
LONGEST = 16 << 20
"""Bytes of the longest spectrum that is kept in one piece."""
BLOCK = 4 << 20
"""Bytes that are read at a time, at least one chunk."""


def chunk_shape(shape: Shape, itemsize: int, *, spectra: bool) -> Shape:
    """Return the shape of the chunks in which an array of at least one sample is kept.

    spectra
        The last axis is followed: it lies whole in a chunk, with some neighbours on the axes before. Else the last two
        axes are images: each whole if it is small, with some that follow it, or in tiles.
    """
    if not shape:
        return ()
    if spectra and len(shape) > 1 and shape[-1] * itemsize <= LONGEST:
        return _spectra(shape, itemsize)
    chunk = [1] * len(shape)
    room = max(1, TILE // itemsize)
    image = shape[-2:]
    if math.prod(image) <= 2 * room:
        chunk[-2:] = image
        room //= math.prod(image)
        for axis in reversed(range(len(shape) - 2)):  # small frames: some of them together
            chunk[axis] = _even(shape[axis], max(1, room))
            room //= chunk[axis]
            if chunk[axis] < shape[axis]:
                break
        return tuple(chunk)
    across = min(image[-1], math.isqrt(room) if len(image) == 2 else room)
    if len(image) == 2:
        across = max(across, min(image[-1], room // image[0]))  # flat pictures: wider tiles
        chunk[-2] = _even(image[0], max(1, room // across))
    chunk[-1] = _even(image[-1], across)
    return tuple(chunk)


def _spectra(shape: Shape, itemsize: int) -> Shape:
    room = max(1, SPECTRA // (shape[-1] * itemsize))
    lines = len(shape) - 1
    side = min(PATCH, math.isqrt(room)) if lines > 1 else min(PATCH * PATCH, room)
    chunk = [1] * lines + [shape[-1]]
    for axis in range(max(0, lines - 2), lines):
        chunk[axis] = min(shape[axis], max(1, side))
    return tuple(chunk)


def _even(size: int, most: int) -> int:
    """Return the length, ``most`` at the longest, of parts of ``size`` that leave the least over."""
    return -(-size // -(-size // most))


def blocks(shape: Shape, chunk: Shape, itemsize: int, most: int = BLOCK) -> Iterator[tuple[slice, ...]]:
    """Yield the parts of an array, in order, each of whole chunks and of about ``most`` bytes, or of one chunk.

    Every part is one run of chunks in C order; with chunks of one sample, one run of samples.
    """
    steps = list(chunk)
    room = max(1, most // (math.prod(chunk) * itemsize))
    for axis in reversed(range(len(shape))):
        across = -(-shape[axis] // chunk[axis])
        taken = min(across, room)
        steps[axis] = taken * chunk[axis]
        if taken < across:
            break
        room //= taken
    yield from grid(shape, steps)


def grid(shape: Shape, steps: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Yield the slices that cut ``shape`` into parts of ``steps``, in C order."""
    starts = (range(0, size, step) for size, step in zip(shape, steps, strict=True))
    for corner in product(*starts):
        yield tuple(slice(a, min(a + s, n)) for a, s, n in zip(corner, steps, shape, strict=True))


def signal_picks(picks: Sequence[slice], shape: Shape, block: Sequence[slice]) -> tuple[slice, ...]:
    """Return the slices of a signal's axes that give ``block`` of a field, which is ``picks`` of the signal.

    ``shape`` is the field's: as many axes as ``picks``, less those picked at one position.

    Raises
    ------
    ValueError
        The picks do not make an array of that shape.
    """
    if not picks:
        return tuple(block)
    kept = _kept([_length(pick) for pick in picks], shape)
    if kept is None:
        raise ValueError(f"{list(picks)} do not make an array of {shape}")
    parts = dict(zip(kept, block, strict=True))
    return tuple(_within(pick, parts[axis]) if axis in parts else pick for axis, pick in enumerate(picks))


def _length(pick: slice) -> int | None:
    """Return how many positions a slice takes; None where only the signal's size says."""
    return None if pick.stop is None else len(range(pick.start or 0, pick.stop, pick.step or 1))


def _kept(lengths: Sequence[int | None], shape: Shape, axis: int = 0) -> list[int] | None:
    """Return the axes which make ``shape`` when those of length 1 may be dropped."""
    if not lengths:
        return None if shape else []
    length, rest = lengths[0], lengths[1:]
    if shape and length in (None, shape[0]) and (found := _kept(rest, shape[1:], axis + 1)) is not None:
        return [axis, *found]
    return _kept(rest, shape, axis + 1) if length == 1 else None


def _within(pick: slice, part: slice) -> slice:
    start, step = pick.start or 0, pick.step or 1
    return slice(start + part.start * step, start + (part.stop - 1) * step + 1, step if step > 1 else None)
