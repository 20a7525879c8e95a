"""Programs' dialects of TIFF: DigitalMicrograph's export and ImageJ. Second-hand files: a scale, rarely more.

Standard library only; ``tiff.py`` calls these after it has read the pages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from nffa_cli.extract.tiff import Tiff, Vendor
from nffa_cli.extract.tiff_tem import Plane, Scale, in_plane, number, resolution
from nffa_cli.records import Axis, Layout, Remark, Signal

# --- DigitalMicrograph's TIFF export ---


GATAN_AXES = (("x", 65003, 65006, 65009), ("y", 65004, 65007, 65010), ("frame", 65005, 65008, 65011))
"""Axis and the tags of its unit, origin and scale."""


def gatan(tiff: Tiff, files: object) -> Vendor:
    """Read the calibration tags of DigitalMicrograph's export.

    The tag group in 65027 stays as bytes.
    """
    page = tiff.pages[0]
    axes: dict[str, Scale] = {}
    for name, unit, origin, scale in GATAN_AXES:
        said, step, start = unit_name(page.text(unit)), page.get(scale), page.get(origin, 0.0)
        if said and isinstance(step, float) and math.isfinite(step) and step > 0:
            known = isinstance(start, float) and math.isfinite(start)
            axes[name] = (step, start if known else 0.0, said)
    if axes.get("x", (0, 0, ""))[2].startswith("1/"):
        return Vendor(signals=in_plane((axes["x"], axes.get("y", axes["x"])), "diffraction"))
    return Vendor(axes=axes)


# --- ImageJ ---

UNITS = {
    "pm": ("pm",), "nm": ("nm", "nanometer", "nanometers"), "mm": ("mm",), "cm": ("cm",), "m": ("m",),
    "s": ("s", "sec"),
    "um": ("um", "µm", "μm", "micron", "microns", "micrometer"), "Å": ("Å", "A", "angstrom"), "1/nm": ("1/nm",),
    "1/Å": ("1/Å", "1/A"), "1/um": ("1/um", "1/µm"), "1/m": ("1/m",),
}  # fmt: skip
"""Spellings of units by ImageJ and DigitalMicrograph; others ("pixel", "inch", a free text) calibrate nothing."""


def unit_name(said: str) -> str | None:
    """Return the unit that ``said`` means, None if it is none that we know; ImageJ writes µ as an escape of Java."""
    said = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), said)
    said = said.strip(" \0")
    return next((unit for unit, spellings in UNITS.items() if said in spellings), None)


PRINTED = 1000.0
"""Pixels per cm below which a scale in cm is the resolution of a print, as ImageJ takes it from a picture that had no other."""


def imagej_keys(said: str) -> dict[str, str]:
    """Return the ``key=value`` lines of ImageJ's ImageDescription."""
    pairs = (line.partition("=") for line in said.split("\n"))
    return {key.strip(): value.strip() for key, mark, value in pairs if mark and key.strip()}


def _count(keys: Mapping[str, str], name: str) -> int:
    said = keys.get(name, "1")
    return int(said) if said.isdecimal() and len(said) < 10 and int(said) > 0 else 1


def imagej(tiff: Tiff, files: object) -> Vendor:
    """Read ImageJ's description: unit and spacing, and stacks whose frames follow the first without directories.

    XResolution is pixels per ``unit``, whatever ResolutionUnit says. Not so for a print's resolution in cm.
    """
    page = tiff.pages[0]
    keys = imagej_keys(page.text(270))
    unit, across, down = unit_name(keys.get("unit", "")), resolution(page, 282), resolution(page, 283)
    below = unit_name(keys.get("yunit", "")) or unit
    plane: Plane | None = None
    if unit and below and across and down and not (unit == "cm" and across < PRINTED):
        plane = (1 / across, 0.0, unit), (1 / down, 0.0, below)
    frames, faults = _frames(tiff, _count(keys, "images"))
    extents = [("time", _count(keys, "frames")), ("z", _count(keys, "slices")), ("channel", _count(keys, "channels"))]
    extents = [(name, size) for name, size in extents if size > 1]
    steps: dict[str, Scale] = {}
    spacing, interval = number(keys, "spacing"), number(keys, "finterval")
    if spacing and unit:
        steps["z"] = (spacing, 0.0, unit)
    if interval:
        steps["time"] = (interval, 0.0, "s")

    def change(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        if frames is not None and len(signals) == 1:
            signals = (frames(signals[0]),)
        done = []
        for signal in in_plane(plane)(signals):
            if signal.axes[0].name == "frame" and math.prod(size for _, size in extents) == signal.shape[0]:
                axes = tuple(Axis(name, size, *steps.get(name, (1.0, 0.0, None))) for name, size in extents)
                axes += signal.axes[1:]
                signal = replace(signal, axes=axes, shape=tuple(axis.size for axis in axes))
            done.append(signal)
        return tuple(done)

    return Vendor({"270": keys}, signals=change, faults=faults)


def _frames(tiff: Tiff, count: int) -> tuple[Callable[[Signal], Signal] | None, tuple[Remark, ...]]:
    """Return a function that makes a stack of ``count`` frames out of the only page, and what is missing of it."""
    page = tiff.pages[0]
    if count == 1 or len(tiff.pages) > 1 or page.compression != 1 or not page.segment_offsets or page.tiled:
        return None, ()
    frame = page.width * page.height * page.samples * page.bits // 8
    start = page.segment_offsets[0]
    there = (tiff.size - start) // frame if frame else 0
    if there < 2:
        return None, (Remark("truncated", f"the stack has {count} frames, the file holds {there}"),)
    faults = (Remark("truncated", f"the stack has {count} frames, the file holds {there}"),) if there < count else ()
    held = min(there, count)

    def stack(signal: Signal) -> Signal:
        if not isinstance(signal.layout, Layout) or signal.layout.method != "raw" or signal.layout.order:
            return signal
        offsets = range(start, start + held * frame, frame)
        axes = (Axis("frame", held), *signal.axes)
        return replace(
            signal, kind="stack", shape=(held, *signal.shape), axes=axes, layout=replace(signal.layout, offsets=offsets)
        )

    return stack, faults
