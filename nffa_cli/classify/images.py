"""A picture as the network sees it: grey, without its data bar, shrunk, in several crops; also the door of Pillow for that.

What becomes of samples is fixed here and named in the model's metadata (``bar: crop``, ``levels: native``):

=============  ========================================================================================
8 bits         as they are, 0 to 255
1 bit          0 and 255
16 bits, more  the 0.1 to 99.9 percentile of the picture becomes 0 to 255: no instrument uses all 65,536
floats         the same, over what is finite
palette        its colours
colour         to grey by ITU-R 601 (0.299, 0.587, 0.114); coloured bar text is common, coloured pictures are remarked
alpha          left out
several pages  the first
=============  ========================================================================================
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nffa_cli.classify import bars
from nffa_cli.classify.decide import BLANK, COLOURED
from nffa_cli.errors import UnreadableFile

Grey = NDArray[np.uint8]

PIXELS = 1 << 28
"""Most pixels that a picture may declare; more is a bomb."""
HELD = 1 << 30
"""Most bytes that its samples may take when they are decoded whole."""
LEAST_SIDE = 32
"""Pixels of a side below which there is nothing to see."""
ROWS = 384
"""Pixels of the short side down to which a picture is reduced before the bar is looked for: its text must stay text."""
LONGEST = 4
"""A strip longer than so many times its width is cut to its middle."""
TAILS = (0.1, 99.9)
"""Percentiles that become black and white where samples have more than 8 bits."""
FLAT = 1.5
"""Grey levels of standard deviation below which a picture shows nothing."""
TINTED = 24
"""Distance from grey (of Cb and Cr) from which a pixel is coloured."""
FORMATS = ("JPEG", "PNG", "BMP")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, reduced or not.

    grey
        (height, width).
    pixel
        How many pixels of the file one pixel is wide.
    remarks
        ``coloured``: it shows several colours.
    """

    grey: Grey
    pixel: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network gets: ``views`` (N, 1, S, S) in 0..1, how many pixels of the file one of its pixels is wide."""

    views: NDArray[np.float32]
    pixel: float
    remarks: tuple[str, ...]


# --- decoding ---


def decode(data: bytes | memoryview, *, short: int, where: str) -> Picture:
    """Decode a JPEG, PNG or BMP to grey, no larger than is needed for ``short`` pixels of the short side.

    Raises
    ------
    UnreadableFile
        Code ``truncated``, ``corrupt``, or ``memory`` for a picture that declares too many pixels.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's limit on pixels and its talk about EXIF; our own limit counts
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _decoded(image, short, where)
        except Image.DecompressionBombError as error:
            raise _bomb(where, str(error)) from error
        except (UnreadableFile, MemoryError):
            raise
        except Exception as error:  # decoders raise whatever they like at hostile bytes
            code = "truncated" if "truncated" in str(error) else "corrupt"
            raise UnreadableFile(f"the picture cannot be decoded ({error})", code=code, where=where) from error


def wanted(short: int) -> int:
    """Return the pixels of the short side down to which a picture may be reduced ahead of everything else."""
    return max(ROWS, short + short // 2)


def _bomb(where: str, what: str) -> UnreadableFile:
    return UnreadableFile(f"a picture too large to decode ({what})", code="memory", where=where)


def _decoded(image: Image.Image, short: int, where: str) -> Picture:
    least = wanted(short)
    width, height = image.size
    if width * height > PIXELS:
        raise _bomb(where, f"it declares {width} × {height} pixels")
    if image.format == "JPEG":
        # A draft skips what is not needed: the half-size picture takes the decoder half the work, and so do bare YCbCr.
        keep = min(1.0, least / min(width, height))
        image.draft("L" if image.mode == "L" else "YCbCr", (-int(-width * keep // 1), -int(-height * keep // 1)))
    elif width * height * len(image.getbands()) * (4 if image.mode in ("I", "F") else 1) > HELD:
        raise _bomb(where, f"its samples take more than {HELD >> 20} MB")
    if image.mode in ("1", "L", "LA"):
        small = _reduced(image.convert("L"), least)
        return Picture(np.asarray(small), width / small.width)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return from_samples(np.asarray(image), short=short)
    small = _reduced(image if image.mode == "YCbCr" else image.convert("RGB"), least)
    grey, remarks = _from_colour(np.asarray(small if small.mode == "YCbCr" else small.convert("YCbCr")))
    return Picture(grey, width / small.width, remarks)


def _reduced(image: Image.Image, least: int) -> Image.Image:
    factor = min(image.size) // least
    return image.reduce(factor) if factor > 1 else image


def _from_colour(ycc: NDArray[np.uint8]) -> tuple[Grey, tuple[str, ...]]:
    """Return the grey part, and whether what is left shows several colours: one tint over all is none."""
    chroma = ycc[::4, ::4, 1:].reshape(-1, 2).astype(np.float32) - 128
    strength = np.hypot(chroma[:, 0], chroma[:, 1])
    strong = strength > TINTED
    coloured = False
    if strong.mean() > 0.1:
        directions = chroma[strong] / strength[strong, None]
        coloured = bool(np.hypot(*directions.mean(axis=0)) < 0.9)
    return ycc[..., 0], (COLOURED,) if coloured else ()


def from_samples(samples: NDArray[Any], *, short: int, dtype: str | None = None, pixel: float = 1.0) -> Picture:
    """Return the picture that an array of samples shows.

    Parameters
    ----------
    samples
        (height, width) or (height, width, 3|4), of any type.
    short
        As in ``decode``.
    dtype
        Type of the file's samples, where ``samples`` are means of them.
    pixel
        How many pixels of the file one sample is wide.
    """
    factor = max(1, min(samples.shape[:2]) // wanted(short))
    if factor > 1:
        rows, columns = (n // factor * factor for n in samples.shape[:2])
        blocks = samples[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, *samples.shape[2:])
        samples, dtype = blocks.mean(axis=(1, 3), dtype=np.float32), dtype or str(samples.dtype)
    levels = _levels(samples, np.dtype(dtype or samples.dtype))
    if levels.ndim == 2:
        return Picture(levels, pixel * factor)
    ycc = np.asarray(Image.fromarray(np.ascontiguousarray(levels[..., :3]), "RGB").convert("YCbCr"))
    grey, remarks = _from_colour(ycc)
    return Picture(grey, pixel * factor, remarks)


def _levels(samples: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    """Return samples as 8 bits, by the rules at the head of this module."""
    if dtype == np.uint8:
        return samples if samples.dtype == np.uint8 else np.rint(samples).astype(np.uint8)
    values = samples.astype(np.float32)
    if dtype.kind == "b":
        return (values * 255).astype(np.uint8)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(samples.shape, np.uint8)
    low, high = np.percentile(values[finite] if not finite.all() else values, TAILS)
    span = max(float(high - low), float(np.finfo(np.float32).tiny))
    scaled = np.nan_to_num((values - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    levels: NDArray[np.uint8] = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
    return levels


# --- preparing ---


def prepare(picture: Picture, *, size: int, short: int, views: int) -> Prepared:
    """Cut off the data bar, shrink the picture so that its short side has ``short`` pixels, and take ``views`` squares.

    Raises
    ------
    UnreadableFile
        Code ``too-small``.
    """
    small, pixel = shrunk(picture, short=short)
    remarks = picture.remarks
    if float(small.std()) < FLAT:
        remarks = (*remarks, BLANK)
    return Prepared(squares(small, size, views), pixel, remarks)


def shrunk(picture: Picture, *, short: int) -> tuple[Grey, float]:
    """Return the picture without its data bar, the short side ``short`` pixels, and how many pixels of the file one is wide.

    Raises
    ------
    UnreadableFile
        Code ``too-small``.
    """
    if min(picture.grey.shape) * picture.pixel < LEAST_SIDE:
        height, width = (round(n * picture.pixel) for n in picture.grey.shape)
        raise UnreadableFile(f"{width} × {height} pixels show nothing", code="too-small")
    rows, columns = bars.kept(picture.grey)
    whole = _cut(picture.grey[rows, columns])
    return resized(whole, short), picture.pixel * min(whole.shape) / short


def resized(whole: Grey, short: int) -> Grey:
    """Return a picture whose short side is ``short`` pixels."""
    height, width = whole.shape
    shrink = short / min(height, width)
    target = (max(short, round(width * shrink)), max(short, round(height * shrink)))
    how = Image.Resampling.BOX if shrink < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(np.ascontiguousarray(whole)).resize(target, how))


def _cut(grey: Grey) -> Grey:
    """Return the picture, of a long strip its middle."""
    for axis in (0, 1):
        other = grey.shape[1 - axis]
        if grey.shape[axis] > LONGEST * other:
            start = (grey.shape[axis] - LONGEST * other) // 2
            grey = grey[start : start + LONGEST * other] if axis == 0 else grey[:, start : start + LONGEST * other]
    return grey


def squares(small: Grey, size: int, views: int) -> NDArray[np.float32]:
    """Return ``views`` squares of ``size`` from one end of the picture to the other, every second one mirrored."""
    height, width = small.shape
    found = np.empty((views, 1, size, size), np.float32)
    for n in range(views):
        along = n / (views - 1) if views > 1 else 0.5
        top, left = round((height - size) * along), round((width - size) * along)
        square = small[top : top + size, left : left + size]
        found[n, 0] = square[:, ::-1] if n % 2 else square
    found /= 255
    return found
