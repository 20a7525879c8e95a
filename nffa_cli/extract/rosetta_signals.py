"""From a signal as RosettaSciIO describes it (a dict) to one of ours: kind, axes, name. Imports no library."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nffa_cli.records import Axis, Kind, Layout, Signal

_NO_UNIT = {"", "pix", "px", "pixel", "pixels", "point", "points", "none", "<undefined>", "t.undefined", "undefined"}
_SPECTRAL = re.compile(r"EDS|EELS|CL|XRF|Luminescence|PES", re.IGNORECASE)


def signal(found: Mapping[str, Any], layout: Layout) -> Signal:
    """Return the signal that ``found`` describes; records of named colours become a last axis of unsigned bytes."""
    data = found["data"]
    shape = tuple(int(n) for n in data.shape)
    listed = sorted(
        enumerate(found["axes"]), key=lambda item: item[1].get("index_in_array", item[0]) % max(1, len(shape))
    )
    axes = [_axis(axis, shape[i]) for i, (_, axis) in enumerate(listed)][: len(shape)]
    axes += [Axis(f"axis{i}", shape[i]) for i in range(len(axes), len(shape))]
    general = (found.get("metadata") or {}).get("General") or {}
    navigation = sum(bool(axis.get("navigate")) for axis in found["axes"])
    kind = _kind(found, axes, len(shape) - navigation, data.dtype)
    name = str(general.get("title") or "") or None
    dtype, text = data.dtype.name, data.dtype.str
    if data.dtype.names:
        dtype, text = "uint8" if data.dtype.itemsize <= 4 else "uint16", data.dtype.str
        axes.append(Axis("colour", len(data.dtype.names)))
        shape = (*shape, len(data.dtype.names))
    return Signal(name, kind, shape, dtype, tuple(axes), replace(layout, dtype=text))


def _axis(axis: Mapping[str, Any], size: int) -> Axis:
    name = str(axis.get("name") or "axis").strip()
    name = {"height": "y", "width": "x"}.get(name.lower(), name.lower() if len(name) == 1 else name)
    unit = _unit(axis.get("units"))
    try:
        scale, offset = float(axis.get("scale", 1.0)), float(axis.get("offset", 0.0))
    except (TypeError, ValueError):
        return Axis(name, size)
    if unit is None or scale == 0.0 or not (math.isfinite(scale) and math.isfinite(offset)):
        return Axis(name, size)
    return Axis(name, size, scale, offset, unit)


def _unit(written: Any) -> str | None:
    """Return the unit: of ``Energy (EV)``, as the EMSA format writes it, what stands in brackets."""
    text = str(written or "").strip()
    if (inside := re.fullmatch(r".*\(([^()]+)\)", text)) is not None:
        text = inside[1].strip()
    if text.lower() in _NO_UNIT:
        return None
    return {"ev": "eV", "kev": "keV"}.get(text.lower(), text)


def _kind(found: Mapping[str, Any], axes: Sequence[Axis], dimensions: int, dtype: Any) -> Kind:
    """Decide by the axes that belong to the signal itself; two navigation axes without any are an image (Phenom)."""
    if dtype.kind == "c":
        return "complex"
    rank = len(axes)
    signal_type = str(((found.get("metadata") or {}).get("Signal") or {}).get("signal_type") or "")
    if dimensions == 0:
        return "image" if rank == 2 else "stack" if rank > 2 else "profile"
    if dimensions == 1:
        last = axes[-1]
        spectral = (last.unit or "").endswith("eV") or _SPECTRAL.search(signal_type) or "energy" in last.name.lower()
        if rank == 1:
            return "spectrum" if spectral or last.unit is None else "profile"
        return "spectrum-image"
    unit = axes[-1].unit or ""
    diffraction = "diffraction" in signal_type.lower() or unit.startswith("1/") or unit.endswith(("^-1", "rad"))
    if rank == 2:
        return "diffraction" if diffraction else "image"
    if rank == 4 and dimensions == 2:
        return "4d-stem"
    return "diffraction-stack" if diffraction and rank == 3 else "stack"
