"""One NXdata of a NeXus file as a signal: its samples, its axes and how they are calibrated.

A part of the ``nxem`` reader. Axes are taken as NeXus has it: ``@AXIS_indices`` before the place in ``@axes``. Positions that
are no regular steps calibrate nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from nffa_cli.extract import hdf5
from nffa_cli.records import Axis, Kind, Layout, Remark, Signal

MAX_POSITIONS = 1 << 20
UNCALIBRATED = frozenset({"", "px", "pixel", "pixels", "1", "unitless", "none", "any"})
"""Units of an axis of which only the indices are known."""
COUNTING = "indices_"
"""How NXem calls an axis that only counts."""
COLOUR = "colour"
_SIGNALS = ("real", "intensity", "data")
"""What NXem calls samples, where no ``@signal`` says which they are."""
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Position:
    """What a file says of one axis: where it says it, the axis (unit None: not calibrated), its first and last value."""

    place: str
    axis: Axis
    ends: tuple[float, float] | None = None
    warning: Remark | None = None

    def agrees(self, known: Axis) -> bool:
        """Tell whether this is what nffa writes of an axis."""
        unit = known.unit if known.scale else None
        if self.ends is None or self.axis.unit != unit:
            return False
        scale, offset = (known.scale, known.offset) if unit is not None else (1.0, 0.0)
        last = offset + (known.size - 1) * scale
        near = [
            math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-6 * abs(scale))
            for got, want in zip(self.ends, (offset, last), strict=True)
        ]
        return all(near)


@dataclass(frozen=True, slots=True)
class Plot:
    """An NXdata: its path, the signal that it is by itself, and what is needed to see in it a part of another.

    datasets
        Paths of its samples: one, or real and imaginary part. ``dtype``: numpy's, with byte order, of the first.
    """

    place: str
    signal: Signal
    positions: tuple[Position, ...]
    datasets: tuple[str, ...]
    dtype: str

    @property
    def warnings(self) -> list[Remark]:
        """What is wrong with its axes."""
        return [position.warning for position in self.positions if position.warning is not None]


def plot(file: Any, group: Any, family: str | None, path: str) -> Plot | Remark | None:
    """Return an NXdata; None where it holds no numbers, a remark where these lie in another file.

    Parameters
    ----------
    family
        ``image`` or ``spectrum``, by the group that it lies in; None: its axes will tell.
    """
    name = text(hdf5.attribute(group, "signal"))
    candidates = (name,) if name else _SIGNALS
    data = next((found for each in candidates if (found := hdf5.follow(file, each, group.name)) is not None), None)
    if data is None or not hasattr(data, "dtype") or data.shape is None or data.dtype.kind not in "iufcb":
        return None
    if not hdf5.is_dataset(data):
        return Remark("elsewhere", f"the values of {data.name} lie in another file")
    if not data.shape:
        return None
    datasets, dtype = [data.name], data.dtype.name
    imaginary: Any = hdf5.follow(file, "imag", group.name) if name == "real" and data.dtype.kind == "f" else None
    if hdf5.is_dataset(imaginary) and (imaginary.shape, imaginary.dtype) == (data.shape, data.dtype):
        datasets.append(imaginary.name)
        dtype = "complex64" if data.dtype.itemsize <= 4 else "complex128"
    shape = tuple(int(length) for length in data.shape)
    positions = tuple(_positions(file, group, shape))
    axes = tuple(position.axis for position in positions)
    detail: dict[str, Any] = {"dataset": datasets[0]} if len(datasets) == 1 else {"datasets": datasets}
    layout = Layout(path=path, method="hdf5", dtype=data.dtype.str, detail=detail)
    title = (hdf5.text_of(hdf5.child(group, "title")) or text(hdf5.attribute(group, "title")) or "").strip()
    kind = _kind(group.name, family, axes, complex_=dtype.startswith("complex"))
    signal = Signal(title or group.name.strip("/").split("/")[-2], kind, shape, dtype, axes, layout)
    return Plot(group.name, signal, positions, tuple(datasets), data.dtype.str)


def _kind(place: str, family: str | None, axes: tuple[Axis, ...], *, complex_: bool) -> Kind:
    if complex_:
        return "complex"
    last, rank = axes[-1], len(axes)
    unit = last.unit or ""
    if family == "spectrum" or (family is None and unit.endswith("eV")):
        return "spectrum" if rank == 1 else "spectrum-image"
    if rank == 1:
        return "profile"
    if rank == 2 or (last.name == COLOUR and rank == 3):
        return "diffraction" if _reciprocal(unit) else "image"
    if rank == 4 and "stack_" not in place.rpartition("/")[2]:
        return "4d-stem"
    return "diffraction-stack" if _reciprocal(unit) and rank == 3 else "stack"


def _reciprocal(unit: str) -> bool:
    return unit.startswith("1/") or unit.endswith("-1")


# --- axes ---


def _positions(file: Any, group: Any, shape: tuple[int, ...]) -> list[Position]:
    """Return what the file says of each dimension."""
    named = texts(hdf5.attribute(group, "axes"))
    placed: dict[int, list[str]] = {}
    for number, name in enumerate(named):
        place = _index(hdf5.attribute(group, f"{name}_indices"))
        placed.setdefault(number if place is None else place, []).append(name)
    for attribute in sorted(group.attrs):  # beside the numbers of a series: where its members lie
        name = attribute.removesuffix("_indices")
        if name != attribute and name not in named and (place := _index(hdf5.attribute(group, attribute))) is not None:
            placed.setdefault(place, []).append(name)
    rank = len(shape)
    found = []
    for number, length in enumerate(shape):
        every = (_position(file, group, name, length) for name in placed.get(number, ()))
        said = [each for each in every if each is not None]
        best = next((each for each in said if each.axis.unit is not None), said[0] if said else None)
        name = COLOUR if number == rank - 1 > 1 and length in (3, 4) else f"dim{number}"
        found.append(best or Position(group.name, Axis(name, length)))
    return found


def _position(file: Any, group: Any, name: str, length: int) -> Position | None:
    import numpy as np

    data: Any = hdf5.follow(file, name, group.name) if name not in ("", ".") else None
    if not hdf5.is_dataset(data) or data.shape != (length,) or data.dtype.kind not in "iuf":
        return None
    bare = Axis(name, length)
    if not length or length > MAX_POSITIONS:
        return Position(data.name, bare)
    values = np.asarray(data[()], dtype=np.float64)
    first, last = float(values[0]), float(values[-1])
    if not (math.isfinite(first) and math.isfinite(last)):
        return Position(data.name, bare, None, _irregular(data.name))
    unit = (text(hdf5.attribute(data, "units")) or "").strip()
    calibrated = unit.lower() not in UNCALIBRATED and not name.startswith(COUNTING)
    if length == 1:
        return Position(data.name, Axis(name, 1, 1.0, first, unit) if calibrated else bare, (first, first))
    step = (last - first) / (length - 1)
    rounding = 4 * np.finfo(values.dtype).eps * max(abs(first), abs(last))
    if step == 0.0 or not np.abs(values - first - step * np.arange(length)).max() <= 0.01 * abs(step) + rounding:
        return Position(data.name, bare, None, _irregular(data.name))
    return Position(data.name, Axis(name, length, step, first, unit) if calibrated else bare, (first, last))


def _irregular(place: str) -> Remark:
    return Remark("irregular-axis", f"{place}: its positions are no regular steps, left uncalibrated")


def _index(value: Any) -> int | None:
    """Return the dimension that an ``_indices`` attribute names, None where it names none or several."""
    flat = getattr(value, "flat", None)
    values = [value] if flat is None else list(flat)[:2]
    return int(values[0]) if len(values) == 1 and _is_whole(values[0]) and 0 <= int(values[0]) < 32 else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u")


# --- attributes and names ---


def class_of(item: Any) -> str | None:
    """Return the NeXus class of a group."""
    return text(hdf5.attribute(item, "NX_class"))


def text(value: Any) -> str | None:
    """Return the text of an attribute, None where it is none."""
    found = texts(value)
    return found[0] if len(found) == 1 else None


def texts(value: Any) -> list[str]:
    """Return the texts of an attribute of one or several."""
    if value is None:
        return []
    items = [value] if isinstance(value, str | bytes) else list(getattr(value, "flat", ()))[:1024]
    items = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in items]
    return [str(item) for item in items] if all(isinstance(item, str) for item in items) else []


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort event2 before event10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(name[:200]) if part]
