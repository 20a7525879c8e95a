"""Which NXdata a signal becomes: names, order and calibration of its axes, by tables; pure, no sample is touched.

NeXus v2026.01: images have axis_m, axis_k, axis_j, axis_i (slow to fast), spectra end in axis_energy, which must be an
energy. ``nxem.py`` puts what is made here into a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from nffa_cli.export.tree import Ramp, Samples, Tree
from nffa_cli.records import Axis, Signal

COLOUR = "colour"
"""Name of the axis that runs over the colours of a pixel."""
CHANNELS = {3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}
UNCALIBRATED = "px"
"""Unit of an axis of which only the indices are known; judges take it wherever a length is wanted."""
LENGTH, ENERGY = "m", "eV"

SPECTRA = frozenset({"spectrum", "spectrum-image"})
"""Kinds whose last axis is a spectrum's."""

_FRAMES = {"image": 2, "stack": 2, "diffraction": 2, "diffraction-stack": 2, "4d-stem": 2, "complex": 2, "profile": 1}
"""How many of the last axes of each kind are one picture."""
_IMAGE = {
    1: ("axis_i",),
    2: ("axis_j", "axis_i"),
    3: ("axis_k", "axis_j", "axis_i"),
    4: ("axis_m", "axis_k", "axis_j", "axis_i"),
}
_SPECTRUM = {rank: (*_IMAGE.get(rank - 1, ()), "axis_energy") for rank in (1, 2, 3, 4)}
_PARTS: dict[Literal["real", "imag"], str] = {"real": "real part", "imag": "imaginary part"}
_COMPLEX = {"complex64": "float32", "complex128": "float64"}
_NUMBERS = frozenset(
    {"bool", "float16", "float32", "float64"} | {f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)}
)

POSITION = "position"
"""Beside the whole numbers that count the pictures of a stack: where they lie, when that is known."""


class Plot(NamedTuple):
    """One NXdata and where it belongs: ``family`` image or spectrum, ``name`` such as image_2d."""

    family: Literal["image", "spectrum"]
    name: str
    data: Tree


class Unplaced(NamedTuple):
    """A signal that NXem has no place for, and why."""

    why: str


def plots(number: int, signal: Signal, title: str) -> list[Plot] | Unplaced:
    """Return the NXdata of one signal, one for each colour.

    Parameters
    ----------
    number
        Of the signal in its record, from 0: what ``Samples`` name.
    title
        For people.
    """
    if 0 in signal.shape:
        return Unplaced("it holds no samples")
    if signal.dtype not in _NUMBERS and signal.dtype not in _COMPLEX:
        return Unplaced(f"its samples are of type {signal.dtype}")
    if not signal.axes:
        return Unplaced("it is a single number")
    axes = tuple(axis if axis.scale else Axis(axis.name, axis.size) for axis in signal.axes)
    channels = CHANNELS.get(signal.shape[-1]) if len(axes) > 1 and axes[-1].name == COLOUR else None
    if channels:
        axes = axes[:-1]
    shape = _shape(signal.kind, axes, signal.dtype)
    if isinstance(shape, Unplaced):
        return shape
    if channels is None:
        return [_plot(number, signal, axes, shape, title)]
    return [_plot(number, signal, axes, shape, title, colour=each) for each in enumerate(channels)]


class _Shape(NamedTuple):
    family: Literal["image", "spectrum"]
    name: str
    axes: tuple[str, ...]


def _shape(kind: str, axes: Sequence[Axis], dtype: str) -> _Shape | Unplaced:
    """Choose by kind, number of axes and what they measure; NXspectrum takes real intensities over an energy only."""
    rank = len(axes)
    if kind in SPECTRA and axes[-1].unit == ENERGY and dtype not in _COMPLEX:
        return _spectrum(axes)
    frame = 1 if kind in SPECTRA else _FRAMES[kind]
    if rank == frame + 1 and kind != "4d-stem" and kind not in SPECTRA and axes[0].unit != LENGTH:
        return _Shape("image", f"stack_{frame}d", ("indices_image", *_IMAGE[frame]))
    if rank in _IMAGE:
        return _Shape("image", f"image_{rank}d", _IMAGE[rank])
    return Unplaced(f"NXem has no place for {rank} dimensions")


def _spectrum(axes: Sequence[Axis]) -> _Shape | Unplaced:
    """Choose among spectra over a line, a map or a volume, and series of them."""
    rank = len(axes)
    strange = [number for number, axis in enumerate(axes[:-1]) if axis.unit not in (LENGTH, None)]
    if not strange and rank in _SPECTRUM:
        return _Shape("spectrum", f"spectrum_{rank - 1}d", _SPECTRUM[rank])
    if strange in ([], [0]) and rank - 1 in _SPECTRUM:
        return _Shape("spectrum", f"stack_{rank - 2}d", ("indices_spectrum", *_SPECTRUM[rank - 1]))
    if rank in _IMAGE:
        return _Shape("image", f"image_{rank}d", _IMAGE[rank])
    return Unplaced(f"NXem has no place for {rank} dimensions")


def _plot(
    number: int,
    signal: Signal,
    axes: Sequence[Axis],
    shape: _Shape,
    title: str,
    *,
    colour: tuple[int, str] | None = None,
) -> Plot:
    name = "intensity" if shape.family == "spectrum" else "real"
    data: Tree = {"@NX_class": "NXdata", "@signal": name, "@axes": list(shape.axes)}
    data |= {f"@{axis}_indices": place for place, axis in enumerate(shape.axes)}
    counted = shape.axes[0].startswith("indices_") and axes[0].unit is not None
    if counted:
        data[f"@{POSITION}_indices"] = 0
    label = "intensity"
    picks: tuple[slice, ...] = ()
    if colour is not None:
        index, label = colour
        title, picks = f"{title}, {label}", (*(slice(None) for _ in axes), slice(index, index + 1))
    data["title"] = title
    lengths = tuple(axis.size for axis in axes)
    if signal.dtype in _COMPLEX:
        for part, label in _PARTS.items():
            data[part] = Samples(number, lengths, _COMPLEX[signal.dtype], picks, part)
            data[f"{part}@long_name"] = label
    else:
        dtype = "uint8" if signal.dtype == "bool" else signal.dtype
        data[name] = Samples(number, lengths, dtype, picks)
        data[f"{name}@long_name"] = label
    for written, axis in zip(shape.axes, axes, strict=True):
        if written.startswith("indices_"):
            data[written] = Ramp(axis.size, 1, 0, whole=True)
            data[f"{written}@long_name"] = f"number along {axis.name}"
        else:
            _add_axis(data, written, axis)
    if counted:
        _add_axis(data, POSITION, axes[0])
    return Plot(shape.family, shape.name, data)


def _add_axis(data: Tree, name: str, axis: Axis) -> None:
    if axis.unit is None:
        data[name] = Ramp(axis.size)
        data[f"{name}@units"] = UNCALIBRATED
        data[f"{name}@long_name"] = f"{axis.name} (not calibrated)"
    else:
        data[name] = Ramp(axis.size, axis.scale, axis.offset)
        data[f"{name}@units"] = axis.unit
        data[f"{name}@long_name"] = f"{axis.name} ({axis.unit})"
