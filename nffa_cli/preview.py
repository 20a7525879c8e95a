"""A small picture for people of what an acquisition holds: the door of Pillow.

It chooses the most telling signals, reads views of them through ``pixels``, stretches, labels and writes. It knows no
format and no catalogue. Pictures carry a scale bar only where the axes are calibrated.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from PIL import Image

from nffa_cli import layouts, pixels
from nffa_cli.ink import PAPER, PLOT_MARGIN, grid, has_data_bar, label, named, plot, scale_bar
from nffa_cli.layouts import Array, Loaders
from nffa_cli.records import Axis, Signal

ORDER = (
    "image",
    "stack",
    "diffraction",
    "diffraction-stack",
    "4d-stem",
    "spectrum-image",
    "complex",
    "spectrum",
    "profile",
)
"""Which kind stands for an acquisition that holds several."""

WHITE = 255 * (1 + 1e-6)
"""What the brightest sample is scaled to: a little above 255, lest rounding make it 254."""

SMALLEST_WITH_DATA_BAR = 256
"""Pixels of the shorter side below which no instrument burns a data bar in."""

METRES = {
    **dict.fromkeys(("m", "meter", "metre"), 1.0),
    "cm": 1e-2,
    "mm": 1e-3,
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer"), 1e-6),
    "nm": 1e-9,
    **dict.fromkeys(("A", "Å", "Å", "Angstrom", "angstrom"), 1e-10),
    "pm": 1e-12,
}
LENGTHS = ((1.0, 1.0, "m"), (1e-3, 1e-3, "mm"), (1e-6, 1e-6, "µm"), (1e-10, 1e-9, "nm"), (0.0, 1e-12, "pm"))
"""From which length on (m), written in which unit (m), its name."""
ANGLES = {"rad": 1e3, "mrad": 1.0, "degree": 1e3 * math.pi / 180, "deg": 1e3 * math.pi / 180, "°": 1e3 * math.pi / 180}


def render(
    signals: Sequence[Signal],
    out: str,
    *,
    size: int = 512,
    fmt: Literal["jpeg", "png"] = "jpeg",
    loaders: Loaders | None = None,
) -> dict[str, Any] | None:
    """Write a picture of the most telling signals to ``out``.

    Parameters
    ----------
    signals
        What a reader found. Up to four images of one kind are shown together, each with its name.
    out
        Path to write; the caller chooses a temporary name and renames.
    size
        Longest side of a single image in pixels; composed pictures may be half as large again.
    fmt
        ``jpeg`` (quality 85) or ``png``.
    loaders
        As for ``pixels.slab``.

    Returns
    -------
    dict or None
        ``{"kind", "width", "height", "signals"}`` of what was drawn; None where nothing can be drawn.

    Raises
    ------
    UnreadableFile
        When the samples cannot be read.
    """
    chosen = choose([s for s in signals if s.layout and s.layout.method in {*layouts.METHODS, *(loaders or {})}])
    if not chosen:
        return None
    if len(chosen) == 1:
        picture = _DRAW[chosen[0].kind](chosen[0], size, loaders)
    else:
        panels = [named(_DRAW[s.kind](s, size * 3 // 4, loaders), s.name) for s in chosen]
        picture = grid(panels)
    written = io.BytesIO()  # one write to the file costs less than Pillow's many
    if fmt == "jpeg":
        picture.save(written, "JPEG", quality=85)
    else:
        picture.save(written, "PNG", compress_level=4)
    with open(out, "wb", buffering=0) as file:  # noqa: PTH123
        file.write(written.getbuffer())
    names = [signal.name for signal in chosen]
    return {"kind": chosen[0].kind, "width": picture.width, "height": picture.height, "signals": names}


def choose(signals: Sequence[Signal]) -> list[Signal]:
    """Return the signals to draw: those of the most telling kind that has samples; at most four images, else one."""
    drawable = [
        s
        for s in signals
        if s.layout is not None and len(s.shape) >= _LEAST_AXES[s.kind] and all(n > 0 for n in s.shape)
    ]
    if not drawable:
        return []
    best = min((s.kind for s in drawable), key=ORDER.index)
    same = [s for s in drawable if s.kind == best]
    return same[:4] if best in ("image", "stack", "diffraction", "diffraction-stack") else same[:1]


# --- parts that only compute ---------------------------------------------------------------------------------------


def nice_length(longest: float) -> float:
    """Return the largest of 1, 2, 5 × 10^n that is not longer than ``longest`` (> 0)."""
    power = 10.0 ** math.floor(math.log10(longest))
    return next((step * power for step in (5.0, 2.0, 1.0) if step * power <= longest * (1 + 1e-9)), power)


def scale_label(axis: Axis, pixels_wide: float) -> tuple[float, str] | None:
    """Return (length in samples of ``axis``, label) of a scale bar for a view of ``pixels_wide`` samples.

    Lengths come in m to pm, reciprocal lengths in nm⁻¹, angles in mrad. None without a usable calibration.
    """
    scale, unit = abs(axis.scale), (axis.unit or "").strip()
    if not 1e-30 < scale < 1e30 or not unit:
        return None
    if unit in METRES:
        length = nice_length(0.3 * pixels_wide * scale * METRES[unit])
        factor, name = next((unit, name) for least, unit, name in LENGTHS if length >= least * 0.999)
        return length / (scale * METRES[unit]), f"{length / factor:.3g} {name}"
    if (per := reciprocal(unit)) is not None:
        length = nice_length(0.3 * pixels_wide * scale * per)
        return length / (scale * per), f"{length:.3g} nm⁻¹"
    if unit in ANGLES:
        length = nice_length(0.3 * pixels_wide * scale * ANGLES[unit])
        return length / (scale * ANGLES[unit]), f"{length:.3g} mrad"
    return None


def reciprocal(unit: str) -> float | None:
    """Return how many 1/nm one of ``unit`` is: "1/nm", "nm^-1", "1/Å", "m-1"; None for other units."""
    plain = unit.replace("⁻¹", "^-1").replace("**", "^").replace("{", "").replace("}", "").replace(" ", "")
    if plain.startswith("1/"):
        base = plain[2:]
    elif plain.endswith("^-1"):
        base = plain[:-3]
    elif plain.endswith("-1"):
        base = plain[:-2]
    else:
        return None
    return 1e-9 / METRES[base] if base in METRES else None


def stretch(view: Array, *, low: float = 0.5, high: float = 99.5, log: bool = False) -> Array:
    """Return ``view`` as uint8, its ``low`` to ``high`` percentiles spread over black to white.

    Percentiles come from a regular sample of 8,192 finite values at least. Not-a-number is black; a constant view is
    mid grey. ``log``: three decades below ``high`` are spread by logarithm, or down to single counts of integers.
    """
    flat = view.reshape(-1)
    sample = flat[:: max(1, flat.size // 8192)]
    whole = view.dtype.kind in "iub"
    if not whole:
        sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return np.zeros(view.shape, np.uint8)
    ranks = int((sample.size - 1) * low / 100), math.ceil((sample.size - 1) * high / 100)
    # Sorting is quicker than a partition where numpy has vector instructions for it, which it has not for single bytes.
    in_order = np.partition(sample, ranks) if sample.dtype.itemsize == 1 else np.sort(sample)
    darkest, brightest = in_order[list(ranks)]
    if darkest == brightest:  # mostly one value: sparse counts, a mask, or nothing at all
        finite = flat if whole else flat[np.isfinite(flat)]
        darkest, brightest = finite.min(), finite.max()
        if darkest == brightest:
            return np.full(view.shape, 128, np.uint8)
    scaled: Array = np.clip(view, darkest, brightest)
    bottom, top = float(darkest), float(brightest)
    span = float(brightest.item() - darkest.item())  # of whole numbers exact: two great ones may be one float
    if view.dtype.kind == "u" and not log:  # most pictures: exact to here, and one pass from here to bytes
        scaled -= darkest
        factor: Any = np.float32(WHITE / span)
    else:
        fine = view.dtype.itemsize > 4 or not max(1e-30, 1e-5 * abs(top)) <= span < 1e30
        scaled = scaled.astype(np.float64 if fine else np.float32, copy=False)
        with np.errstate(over="ignore"):
            scaled -= bottom
        if not whole and not math.isfinite(scaled.min() + span):  # the least of all is cheaper than looking at each
            scaled = np.nan_to_num(scaled, copy=False)
        if log:
            least = max(span / 1000, 1.0 if whole else 0.0)
            scaled /= least
            np.log1p(scaled, out=scaled)
            span = math.log1p(span / least)
        factor = WHITE / span
    picture: Array = np.empty(view.shape, np.uint8)
    np.multiply(scaled, factor, out=picture, casting="unsafe")
    return picture


# --- pictures by kind ----------------------------------------------------------------------------------------------


def _image(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    return _plane(signal, size, loaders, log=False)


def _diffraction(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    return _plane(signal, size, loaders, log=True)


def _plane(signal: Signal, size: int, loaders: Loaders | None, *, log: bool) -> Image.Image:
    """Draw one frame: the middle one of a series, with its number."""
    tail = 3 if pixels.is_colour(signal) else 2
    sizes = signal.shape[:-tail]
    index = tuple(n // 2 for n in sizes)
    height, width = signal.shape[len(sizes) : len(sizes) + 2]
    longest = max(height, width)
    # Whole-number reduction leaves 1 to 2 times the size wanted; the rest is Pillow's.
    view = pixels.frame(signal, index, max_side=-(-longest // max(1, longest // size)), loaders=loaders)
    y, x = _plane_axes(signal, len(sizes))
    picture = _picture(view, (height, width), y, x, size, log=log, colour=signal.dtype if tail == 3 else None)
    if math.prod(sizes) > 1:
        number = 1 + int(np.ravel_multi_index(index, sizes))
        label(picture, f"{number} of {math.prod(sizes)}", right=True)
    return picture


def _plane_axes(signal: Signal, lead: int) -> tuple[Axis, Axis]:
    axes = signal.axes[lead : lead + 2]
    if len(axes) == 2:
        return axes[0], axes[1]
    height, width = signal.shape[lead : lead + 2]
    return Axis("y", height), Axis("x", width)


def _picture(
    view: Array,
    shape: tuple[int, int],
    y: Axis,
    x: Axis,
    size: int,
    *,
    log: bool = False,
    colour: str | None = None,
    bar: bool = True,
) -> Image.Image:
    """Draw a view of a plane of ``shape`` samples, square on paper, with its scale bar; ``colour``: their type."""
    high = 99.9 if log else 99.5
    drawn = stretch(view, high=high, log=log) if colour is None else _colour(view, colour)
    picture = Image.fromarray(drawn)
    height, width = shape[0] * _aspect(y, x), float(shape[1])
    factor = size / max(height, width)
    if factor > 1:  # a small picture grows by whole pixels, so that none looks larger than its neighbour
        factor = max(1.0, math.floor(factor))
    target = (max(1, round(width * factor)), max(1, round(height * factor)))
    target = (max(target[0], min(24, size)), max(target[1], min(24, size)))
    if target != picture.size:
        grows = target[0] > picture.width
        picture = picture.resize(target, Image.Resampling.NEAREST if grows else Image.Resampling.BOX)
    if bar and (found := scale_label(x, shape[1])) is not None and min(picture.size) >= 48:
        top = min(shape) >= SMALLEST_WITH_DATA_BAR and has_data_bar(drawn if drawn.ndim == 2 else drawn[..., 1])
        scale_bar(picture, found[0] * picture.width / shape[1], found[1], top=top)
    return picture


def _aspect(y: Axis, x: Axis) -> float:
    """Return how much taller than wide a pixel is; 1 where unknown or beyond belief."""
    tall, wide = (abs(a.scale) * METRES.get((a.unit or "").strip(), 1.0) for a in (y, x))
    same = (y.unit in METRES) == (x.unit in METRES) and (y.unit in METRES or y.unit == x.unit)
    if not same or not y.unit or not (0 < wide < math.inf and 0 < tall < math.inf):
        return 1.0
    ratio = tall / wide
    return ratio if 1 / 16 <= ratio <= 16 and abs(ratio - 1) > 0.01 else 1.0


def _colour(view: Array, dtype: str) -> Array:
    samples = view[..., :3]
    return np.ascontiguousarray(samples if dtype == "uint8" else stretch(samples, low=0.0, high=100.0), np.uint8)


def _complex(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    return _plane(signal, size, loaders, log=True)


def _four_d(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    """Draw the image a bright-field detector would have made beside the mean pattern."""
    panel = size * 3 // 4
    pattern = pixels.mean_pattern(signal, loaders=loaders)
    height, width = signal.shape[-4:-2]
    axes = signal.axes if len(signal.axes) == len(signal.shape) else tuple(Axis("", n) for n in signal.shape)
    virtual = pixels.virtual_image(signal, loaders=loaders)
    left = _picture(virtual, (height, width), axes[-4], axes[-3], panel)
    shape = (signal.shape[-2], signal.shape[-1])
    right = _picture(pattern, shape, axes[-2], axes[-1], panel, log=True)
    return grid([named(left, "virtual bright field"), named(right, "mean pattern")])


def _spectrum(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    """Draw samples along the last axis as a line; of several spectra, their mean."""
    values = pixels.spectrum(signal, loaders=loaders)
    return plot(values, _last_axis(signal), (size, size * 5 // 8), signal.name)


def _spectrum_image(signal: Signal, size: int, loaders: Loaders | None) -> Image.Image:
    """Draw a map beside its mean spectrum; a line of spectra above it, on the same energies."""
    chart = plot(pixels.spectrum(signal, loaders=loaders), _last_axis(signal), (size, size * 5 // 8), signal.name)
    if len(signal.shape) < 3 or 1 in signal.shape[-3:-1]:
        flat = stretch(_lines(signal, size, loaders), low=0.5, high=99.5)
        left, right = PLOT_MARGIN[0], PLOT_MARGIN[1]
        box = (chart.width - left - right, max(48, min(size // 3, flat.shape[0] * (size // 3 // flat.shape[0] or 1))))
        band = Image.fromarray(flat).resize(box, Image.Resampling.BOX).convert("RGB")
        paper = Image.new("RGB", (chart.width, chart.height + band.height + 8), PAPER)
        paper.paste(band, (left, 8))
        paper.paste(chart, (0, band.height + 8))
        return paper
    shape = (signal.shape[-3], signal.shape[-2])
    y, x = signal.axes[-3:-1] if len(signal.axes) >= 3 else (Axis("y", shape[0]), Axis("x", shape[1]))
    summed = _picture(pixels.energy_map(signal, max_side=size, loaders=loaders), shape, y, x, size * 5 // 8)
    return grid([named(summed, "sum"), chart])


def _lines(signal: Signal, size: int, loaders: Loaders | None) -> Array:
    """Return the (position, channel) view of a line of spectra."""
    if len(signal.shape) == 2:
        return pixels.frame(signal, max_side=size, loaders=loaders)
    *outer, height, width, channels = signal.shape
    step, every = max(1, height * width // size), max(1, channels // size)
    lead = (slice(0, 1),) * len(outer)
    picks = (*lead, slice(None, None, step if width == 1 else 1), slice(None, None, step if height == 1 else 1))
    return pixels.slab(signal, (*picks, slice(None, None, every)), loaders=loaders).reshape(-1, -(-channels // every))


def _last_axis(signal: Signal) -> Axis:
    return signal.axes[-1] if len(signal.axes) == len(signal.shape) else Axis("channel", signal.shape[-1])


_DRAW = {
    "image": _image,
    "stack": _image,
    "diffraction": _diffraction,
    "diffraction-stack": _diffraction,
    "4d-stem": _four_d,
    "spectrum-image": _spectrum_image,
    "complex": _complex,
    "spectrum": _spectrum,
    "profile": _spectrum,
}
_LEAST_AXES = {kind: 1 if kind in ("spectrum", "profile") else 4 if kind == "4d-stem" else 2 for kind in ORDER}
