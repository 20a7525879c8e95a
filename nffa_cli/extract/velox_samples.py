"""Where the samples of a Velox file lie, and the decoder of its spectrum streams.

A part of the ``emd`` reader: ``layout`` is used while a file is read, ``load`` when somebody looks at the samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import hdf5
from nffa_cli.records import Layout

PIXEL_END = 65535
"""In a spectrum stream this word ends a pixel; any other word is the channel of one X-ray."""
MOST = 16 << 20
"""How many words of the streams are decoded: enough for a preview of any map, in bounded memory."""
WHOLE = 400 << 20
"""The longest streams, in words, that are decoded as a whole: two bytes are held for each."""
AT_ONCE = 4 << 20


def layout(data: Any, path: str, frames: int, dtype: str) -> Layout:
    """Return where the first ``frames`` frames lie; a frame is the last axis of the dataset, the first of the signal.

    Velox stores each frame as one uncompressed chunk: then its offset is all that is needed. Else the dataset is named.
    """
    plane = tuple(int(n) for n in data.shape[:-1])
    offsets = _chunk_offsets(data, frames)
    if offsets:
        return Layout(path, "raw", dtype, offsets, stored=plane if frames == 1 else (frames, *plane))
    if frames == 1:
        return Layout(path, "rosetta", dtype, detail={"frame": data.name})
    order = (data.ndim - 1, *range(data.ndim - 1))
    return Layout(path, "hdf5", dtype, stored=(*plane, int(data.shape[-1])), order=order, detail={"dataset": data.name})


def _chunk_offsets(data: Any, frames: int) -> tuple[int, ...]:
    filters = data.compression or data.shuffle or data.fletcher32 or data.scaleoffset is not None
    if filters or data.chunks != (*data.shape[:-1], 1):
        return ()
    start = (0,) * (data.ndim - 1)
    try:
        found = [data.id.get_chunk_info_by_coord((*start, frame)) for frame in range(frames)]
    except (RuntimeError, ValueError, KeyError):
        return ()
    if any(info.byte_offset is None or info.filter_mask for info in found):
        return ()
    return tuple(info.byte_offset + data.file.userblock_size for info in found)


def load(layout: Layout, *, whole: bool = False) -> Any:
    """Return an array-like of a signal that lies in no plain way: a spectrum stream, or a single compressed frame."""
    if "streams" in layout.detail:
        return Stream(layout, WHOLE if whole else MOST)
    with hdf5.opened(layout.path) as (file, _):
        return file[layout.detail["frame"]][..., 0]


class Stream:
    """A spectrum image decoded from its stream of X-rays, pixel by pixel, frame after frame; slices of it are arrays.

    Of each X-ray only its channel is kept, those of one pixel together. Only the first ``most`` words of all detectors
    together are taken; beyond ``WHOLE`` an UnreadableFile says that it is too much.
    """

    def __init__(self, layout: Layout, most: int) -> None:
        import numpy as np

        self.shape: tuple[int, ...] = layout.stored
        self.ndim = 3
        height, width, channels = self.shape
        count = height * width
        with hdf5.opened(layout.path) as (file, _):
            streams = [file[name] for name in layout.detail["streams"]]
            if most == WHOLE < sum(len(stream) for stream in streams):
                raise UnreadableFile("its spectrum stream is too long to be decoded", code="memory", where=layout.path)
            starts = np.zeros(count + 1, dtype=np.int64)
            for pixel, _ in _hits(streams, most // len(streams), count, channels):
                starts[1:] += np.bincount(pixel, minlength=count)
            self._starts = np.cumsum(starts)
            self._channel = np.empty(self._starts[-1], dtype=np.uint16)
            free = self._starts[:-1].copy()
            for pixel, hits in _hits(streams, most // len(streams), count, channels):
                order = np.argsort(pixel, kind="stable")
                sorted_, many = pixel[order], np.bincount(pixel, minlength=count)
                rank = np.arange(len(sorted_)) - np.repeat(np.cumsum(many) - many, many)
                self._channel[free[sorted_] + rank] = hits[order]
                free += many

    def __getitem__(self, picks: tuple[slice, ...]) -> Any:
        """Return the counts of a slab: one slice each for y, x and channel."""
        import numpy as np

        spans = [range(n)[pick] for n, pick in zip(self.shape, picks, strict=True)]
        sizes = [len(span) for span in spans]
        width = self.shape[1]
        places = [np.full(n, -1, dtype=np.int64) for n in self.shape]
        for place, span in zip(places, spans, strict=True):
            place[span.start : span.stop : span.step] = np.arange(len(span))
        top, bottom = spans[0].start * width, spans[0].stop * width
        many = np.diff(self._starts[top : bottom + 1])
        pixel = np.repeat(np.arange(top, bottom), many)
        hits = self._channel[self._starts[top] : self._starts[bottom]]
        y, x, c = places[0][pixel // width], places[1][pixel % width], places[2][hits]
        inside = (y >= 0) & (x >= 0) & (c >= 0)
        flat = (y[inside] * sizes[1] + x[inside]) * sizes[2] + c[inside]
        counts = np.bincount(flat, minlength=sizes[0] * sizes[1] * sizes[2]).reshape(sizes)
        return np.minimum(counts, 65535).astype(np.uint16)


def _hits(streams: Sequence[Any], most: int, pixels: int, channels: int) -> Iterator[tuple[Any, Any]]:
    """Yield (pixel, channel) of the X-rays in the first ``most`` words of each stream, some millions at a time."""
    import numpy as np

    for stream in streams:
        before = 0
        for start in range(0, min(most, len(stream)), AT_ONCE):
            words = stream[start : min(start + AT_ONCE, most), 0]
            ends = words == PIXEL_END
            real = ~ends & (words < channels)
            yield (before + np.cumsum(ends))[real] % pixels, words[real]
            before += int(ends.sum())
