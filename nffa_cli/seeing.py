"""The classify job, done in a worker: read → prepare → network; numbers come back, and pixels only for training.

The worker loads the model once, from bytes whose hash it checks. What the numbers mean is the parent's to say
(``classifying`` with ``classify.decide``), so that other thresholds need no second look.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nffa_cli import identify, pixels, readiness, reading
from nffa_cli.classify import decide, images, models, onnx
from nffa_cli.errors import ModelError, UnreadableFile
from nffa_cli.records import FileStamp, RawMetadata, Signal

WHITE_IS_ZERO, PALETTE = 0, 3
"""TIFF 6.0, PhotometricInterpretation."""

LEAST_PIXEL, LARGEST_PIXEL = 1e-12, 1e-3
"""Metres; what is said beyond is not believed."""

NO_IMAGE = "no-image: the files hold no image"


def warm_up() -> None:
    """Nothing more: what every job needs was imported with this module."""


def trial(job: dict[str, Any]) -> reading.Result:
    """Load a model and run it once, so that one that misbehaves is known before any picture is blamed."""
    _loaded(job["model"], job["model_sha256"])
    return reading.verdict("ready", None)


def classify(job: dict[str, Any]) -> reading.Result:
    """Look at one acquisition.

    The job says, beside what ``reading.take`` needs: ``model`` (path), ``model_sha256``, ``context`` (``crosswalks``). The
    answer has ``sha256`` (of the main file), ``logits`` (mean over the views), ``in_distribution``, ``remarks``,
    ``pixel_size`` (m, of the file's pixels; None: not known); its blob is the embedding, float16.
    """
    model, network = _loaded(job["model"], job["model_sha256"])
    wanted = model.preprocess
    found = _found(job, short=wanted.short)
    if not isinstance(found, _Found):
        return found
    raw = found.raw
    try:
        prepared = images.prepare(found.picture, size=wanted.size, short=wanted.short, views=wanted.views)
        sha256 = found.digest()
    except UnreadableFile as error:
        return _unreadable(error, raw)
    if change := reading.moved([FileStamp(*stamp) for stamp in job["files"]]):
        return reading.verdict("waiting", change, raw.format)
    pixel_size = _pixel_size(raw, found.number, job["context"])
    logits, embedding = network(prepared.views, _scale(pixel_size, prepared.pixel, wanted))
    mean = embedding.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    if not (np.isfinite(logits).all() and np.isfinite(mean).all()):
        raise ModelError("the model gives numbers that are not finite", where=job["model"])
    numbers = [round(float(value), 5) for value in logits.mean(axis=0)]
    likeness = decide.likeness(
        numbers, mean.tolist(), temperature=model.temperature, rule=model.none, remarks=prepared.remarks
    )
    header = {
        "state": "ready", "reason": None, "format": raw.format, "sha256": sha256, "pixel_size": pixel_size,
        "logits": numbers, "in_distribution": round(likeness, 6), "remarks": list(prepared.remarks),
    }  # fmt: skip
    return header, mean.astype(np.float16).tobytes()


def shrink(job: dict[str, Any]) -> reading.Result:
    """Look at one acquisition as a network that learns does, which is how one in use does.

    The job says, beside what ``reading.take`` needs: ``short`` (pixels of the short side), ``context``. The answer has
    ``shape`` and ``pixel_size`` (m, of these pixels; None: not known); its blob is the grey levels.
    """
    found = _found(job, short=job["short"])
    if not isinstance(found, _Found):
        return found
    try:
        grey, pixel = images.shrunk(found.picture, short=job["short"])
    except UnreadableFile as error:
        return _unreadable(error, found.raw)
    size = _pixel_size(found.raw, found.number, job["context"])
    told = {"shape": list(grey.shape), "pixel_size": None if size is None else size * pixel}
    return {"state": "ready", "reason": None, "format": found.raw.format, **told}, grey.tobytes()


class _Found(NamedTuple):
    """What an acquisition holds to look at: its picture, from which signal; the bytes of its main file, if held."""

    raw: RawMetadata
    number: int
    picture: images.Picture
    data: bytes | None

    def digest(self) -> str:
        """Return the SHA-256 of the main file."""
        layout = self.raw.signals[self.number].layout
        assert layout is not None
        return reading.sha256(layout.path) if self.data is None else hashlib.sha256(self.data).hexdigest()


def _found(job: dict[str, Any], *, short: int) -> _Found | reading.Result:
    """Return the picture of an acquisition, or why there is none."""
    files = [FileStamp(*stamp) for stamp in job["files"]]
    raw = reading.take(job, files)
    if not isinstance(raw, RawMetadata):
        return raw
    state = readiness.judge(
        raw, files[0].size, partner_missing=job["partner_missing"], age=job["age"], patience=job["patience"]
    )
    if state.state != "ready":
        return reading.verdict(state.state, state.reason, raw.format)
    number = _which(raw.signals)
    if number is None:
        return reading.verdict("skipped", NO_IMAGE, raw.format)
    try:
        return _Found(raw, number, *_picture(raw, raw.signals[number], short=short))
    except UnreadableFile as error:
        return _unreadable(error, raw)


def _unreadable(error: UnreadableFile, raw: RawMetadata) -> reading.Result:
    told = "skipped" if error.code == "too-small" else "damaged"
    return reading.verdict(told, f"{error.code}: {error.what}", raw.format)


@lru_cache(maxsize=1)
def _loaded(path: str, sha256: str) -> tuple[models.Model, onnx.Network]:
    model, data = models.read(models.Place(Path(path), "file", sha256))
    network = onnx.load(data, size=model.preprocess.size, labels=len(model.labels), where=path)
    return model, network


def _which(signals: Sequence[Signal]) -> int | None:
    """Return the number of the signal to look at: the first image or stack, but for small copies of a larger one."""
    areas = {
        n: math.prod(_frame_shape(each))
        for n, each in enumerate(signals)
        if each.kind in ("image", "stack") and each.layout is not None
    }
    return next((n for n, area in areas.items() if 4 * area >= max(areas.values())), None)


def _frame_shape(signal: Signal) -> tuple[int, ...]:
    """Return height and width of a signal's frames."""
    return signal.shape[-3:-1] if pixels.is_colour(signal) else signal.shape[-2:]


def _picture(raw: RawMetadata, signal: Signal, *, short: int) -> tuple[images.Picture, bytes | None]:
    """Return the picture, reduced as far as it may be, and the bytes of the main file, if it was read whole."""
    layout = signal.layout
    assert layout is not None
    if layout.method == "picture" and Path(layout.path).stat().st_size <= reading.HELD:
        data = Path(layout.path).read_bytes()
        return images.decode(data, short=short, where=layout.path), data
    height, width = _frame_shape(signal)
    if min(height, width) < images.LEAST_SIDE:
        raise UnreadableFile(f"{width} × {height} pixels show nothing", code="too-small")
    palette, is_negative = _stored_colours(raw.tree.get("tiff"))
    factor = 1 if palette is not None else max(1, min(height, width) // images.wanted(short))
    first = (0,) * (len(signal.shape) - 2 - pixels.is_colour(signal))
    samples = pixels.frame(signal, first, max_side=-(-max(height, width) // factor), loaders=reading.loaders({}))
    if palette is not None and signal.dtype == "uint8" and samples.ndim == 2:
        picture = images.from_samples(palette[samples.astype(np.uint8)], short=short)
    else:
        picture = images.from_samples(samples, short=short, dtype=signal.dtype, pixel=width / samples.shape[1])
    if is_negative:
        picture = replace(picture, grey=255 - picture.grey)
    return picture, None


def _stored_colours(tags: Any) -> tuple[images.Grey | None, bool]:
    """Return the palette (256, 3) of a TIFF whose samples are numbers of colours, and whether its zero is white.

    A palette that only says that grey is grey, as Zeiss writes it, is none.
    """
    how = tags.get("PhotometricInterpretation") if isinstance(tags, Mapping) else None
    colours = tags.get("ColorMap") if how == PALETTE else None
    if isinstance(colours, list):
        values = np.asarray(colours, np.uint16)
    elif isinstance(colours, Mapping) and colours.get("@array", "")[1:] == "u2":
        values = np.frombuffer(base64.b64decode(colours["base64"]), colours["@array"]).astype(np.uint16)
    else:
        return None, how == WHITE_IS_ZERO
    if not 6 <= values.size <= 768 or values.size % 3:
        return None, False
    table = np.zeros((256, 3), np.uint8)
    table[: values.size // 3] = (values.reshape(3, -1) >> 8).T if values.max() > 255 else values.reshape(3, -1).T
    is_plain = values.size == 768 and (table == np.arange(256)[:, None]).all()
    return None if is_plain else table, False


def _pixel_size(raw: RawMetadata, number: int, context: dict[str, Any]) -> float | None:
    """Return how wide a pixel is in metres, where the file or what lies beside it says so."""
    if raw.format == identify.PLAIN_IMAGE:
        return None
    record, _ = reading.normalise(raw, context)
    across = next((axis for axis in record.signals[number].axes if axis.name == "x"), None)
    if across is None:
        return None
    field = record.terms.get("optics.field_width")
    size = abs(across.scale) if across.unit == "m" else field.value / across.size if field else 0.0
    return size if LEAST_PIXEL < size < LARGEST_PIXEL else None


def _scale(pixel_size: float | None, pixel: float, wanted: models.Preprocess) -> onnx.Numbers:
    told = np.zeros((wanted.views, 2), np.float32)
    if pixel_size is not None:
        told[:] = (math.log10(pixel_size * pixel) - wanted.scale_mean) / wanted.scale_std, 1.0
    return told
