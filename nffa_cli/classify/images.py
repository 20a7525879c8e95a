"""A picture as the network sees it: grey, without its data bar, shrunk, in several crops; also the door of Pillow for that.

What becomes of samples is fixed here and named in the model's metadata (``bar: crop``, ``levels: native``):

=============  ========================================================================================
8 bits         as they are, 0 to 255
1 bit          0 and 255
16 bits, more  the 0.1 to 99.9 percentile of the picture becomes 0 to 255: no instrument uses all 65,536; the data bar,
               burnt in at levels of its own, is no part of the picture and has no say in it
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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nffa_cli.classify import bars
from nffa_cli.classify.decide import BLANK, COLOURED
from nffa_cli.errors import UnreadableFile

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

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
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Parts of red, green and blue in grey, ITU-R 601."""
FORMATS = ("JPEG", "PNG", "BMP")
DEEP = {"LA;16B": ("RGBA",), "RGB;16B": ("RGB;16B", "RGB;16L"), "RGBA;16B": ("RGBA;16B", "RGBA;16L")}
"""PNGs of 16 bits of which Pillow keeps the upper 8: the raw modes that give all of their bytes.

Grey with alpha has as many bytes as RGBA has. Of a sample that begins with its upper byte, a mode for the other order keeps
the lower one.
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture, reduced or not.

    grey
        (height, width).
    pixel
        How many pixels of the file one pixel is wide.
    remarks
        ``coloured``: it shows several colours.
    proper
        Rows and columns without data bar and margins; None: not looked for yet.
    """

    grey: Grey
    pixel: float
    remarks: tuple[str, ...] = ()
    proper: tuple[slice, slice] | None = None


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
                raw_mode = image.tile[0][3] if image.format == "PNG" and image.tile else None
                if raw_mode in DEEP:
                    _refuse_huge(image, 4, where)  # of each sample its bytes apart and together
                    return from_samples(_deep(data, DEEP[raw_mode]), short=short)
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


def _refuse_huge(image: Image.Image, sample: int, where: str) -> None:
    """Raise for a picture that would take too much with ``sample`` bytes a sample (0: it is decoded in parts)."""
    width, height = image.size
    if width * height > PIXELS:
        raise _bomb(where, f"it declares {width} × {height} pixels")
    if width * height * len(image.getbands()) * sample > HELD:
        raise _bomb(where, f"its samples take more than {HELD >> 20} MB")


def _deep(data: bytes | memoryview, raw_modes: Sequence[str]) -> NDArray[np.uint16]:
    """Return the samples of a PNG of 16 bits, (height, width, 3|4) or, of grey with alpha, (height, width)."""
    halves = []
    for raw_mode in raw_modes:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.tile = [(*tile[:3], raw_mode) for tile in image.tile]  # type: ignore[misc]  # Pillow 10 knows no _Tile
            halves.append(np.asarray(image))
    upper, lower = halves if len(halves) == 2 else (halves[0][..., 0], halves[0][..., 1])
    samples: NDArray[np.uint16] = upper.astype(np.uint16) << 8 | lower
    return samples


def _decoded(image: Image.Image, short: int, where: str) -> Picture:
    least = wanted(short)
    width, height = image.size
    _refuse_huge(image, 0 if image.format == "JPEG" else 4 if image.mode in ("I", "F") else 1, where)
    if image.format == "JPEG":
        # A draft skips what is not needed: the half-size picture takes the decoder half the work, and so do bare YCbCr.
        keep = min(1.0, least / min(width, height))
        image.draft("L" if image.mode == "L" else "YCbCr", (-int(-width * keep // 1), -int(-height * keep // 1)))
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
    if samples.ndim == 3:
        samples = samples[..., :3]
    factor = max(1, min(samples.shape[:2]) // wanted(short))
    if factor > 1:
        rows, columns = (n // factor * factor for n in samples.shape[:2])
        blocks = samples[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, *samples.shape[2:])
        samples, dtype = blocks.mean(axis=(1, 3), dtype=np.float32), dtype or str(samples.dtype)
    kind = np.dtype(dtype or samples.dtype)
    if kind == np.uint8 or kind.kind == "b":
        levels, proper = _plain(samples, kind), None
    else:
        levels, proper = _stretched(samples.astype(np.float32))
    if levels.ndim == 2:
        return Picture(levels, pixel * factor, (), proper)
    ycc = np.asarray(Image.fromarray(np.ascontiguousarray(levels), "RGB").convert("YCbCr"))
    grey, remarks = _from_colour(ycc)
    return Picture(grey, pixel * factor, remarks, proper)


def _plain(samples: NDArray[Any], dtype: np.dtype[Any]) -> Grey:
    """Return samples of 8 bits or 1 bit, or means of them, as 8 bits."""
    if samples.dtype == np.uint8 == dtype:
        return samples
    levels = np.rint(samples) if dtype == np.uint8 else samples.astype(np.float32) * 255
    return levels.astype(np.uint8)


def _stretched(values: Floats) -> tuple[Grey, tuple[slice, slice]]:
    """Return samples of many levels as 8 bits, by the picture proper, and where in rows and columns that is."""
    rows = bars.between(_bars(values), len(values))
    proper = rows, slice(None)
    for _ in range(2):  # the second time without the margins, which have levels of their own too
        levels = _scaled(values, *_ends(values[proper], TAILS))
        proper = bars.without_margins(_luma(levels), rows)
    return levels, proper


def _bars(values: Floats) -> list[bars.Bar]:
    """Return the data bars of a picture that is not scaled yet.

    Where no bar is, the picture says what is black and white to it: a bar and its text are that or beyond. Only where both
    are beyond on one side does the whole range show them.
    """
    grey = _luma(values)
    for part, tails in ((grey[bars.middle(len(grey))], TAILS), (grey, (0, 100))):
        low, high = _ends(part, tails)
        if low < high and (found := bars.find(_scaled(grey, low, high))):
            return found
    return []


def _luma(colours: NDArray[Any]) -> NDArray[Any]:
    """Return what is grey of (height, width) or (height, width, 3)."""
    return colours if colours.ndim == 2 else colours @ LUMA


def _ends(values: Floats, tails: tuple[float, float]) -> tuple[float, float]:
    """Return the two percentiles of what is finite; equal where nothing is."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 0.0
    low, high = np.percentile(finite, tails)
    return float(low), float(high)


def _scaled(values: Floats, low: float, high: float) -> Grey:
    """Return values as 8 bits, ``low`` as 0 and ``high`` as 255; what is no number as 0."""
    span = max(high - low, float(np.finfo(np.float32).tiny))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.nan_to_num((values - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
    levels: Grey = np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)
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
    whole = _cut(picture.grey[picture.proper or bars.kept(picture.grey)])
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
