"""The extended headers that FEI's (Thermo Fisher's) programs write into MRC files; bytes to named values, no meaning.

FEI1 and FEI2 hold one record for each section. Four masks in a record say which of its fields were set: bit by bit, in
the fields' order. Only those are returned. The old header, before FEI1, has 1024 records of 32 floats. Sources: the
tables of EPU's manual as mrcfile and ExifTool give them; checked against a file that Velox 3.7 exported.
"""

from __future__ import annotations

import struct
from typing import Any

OLD_BYTES = 1024 * 128
LONGEST = 888
"""Bytes of a record of FEI2; one of FEI1 has 768."""

_TEXT = "16s"
_FIRST = (
    ("Timestamp", "d"), ("Microscope type", _TEXT), ("D-Number", _TEXT), ("Application", _TEXT),
    ("Application version", _TEXT), ("HT", "d"), ("Dose", "d"), ("Alpha tilt", "d"), ("Beta tilt", "d"),
    ("X-Stage", "d"), ("Y-Stage", "d"), ("Z-Stage", "d"), ("Tilt axis angle", "d"), ("Dual axis rotation", "d"),
    ("Pixel size X", "d"), ("Pixel size Y", "d"), *((None, "8s"),) * 6, ("Defocus", "d"), ("STEM Defocus", "d"),
    ("Applied defocus", "d"), ("Instrument mode", "i"), ("Projection mode", "i"), ("Objective lens mode", _TEXT),
    ("High magnification mode", _TEXT), ("Probe mode", "i"), ("EFTEM On", "?"), ("Magnification", "d"),
)  # fmt: skip
_SECOND = (
    ("Camera length", "d"), ("Spot index", "i"), ("Illuminated area", "d"), ("Intensity", "d"),
    ("Convergence angle", "d"), ("Illumination mode", _TEXT), ("Wide convergence angle range", "?"),
    ("Slit inserted", "?"), ("Slit width", "d"), ("Acceleration voltage offset", "d"), ("Drift tube voltage", "d"),
    ("Energy shift", "d"), ("Shift offset X", "d"), ("Shift offset Y", "d"), ("Shift X", "d"), ("Shift Y", "d"),
    ("Integration time", "d"), ("Binning Width", "i"), ("Binning Height", "i"), ("Camera name", _TEXT),
    ("Readout area left", "i"), ("Readout area top", "i"), ("Readout area right", "i"), ("Readout area bottom", "i"),
    ("Ceta noise reduction", "?"), ("Ceta frames summed", "i"), ("Direct detector electron counting", "?"),
    ("Direct detector align frames", "?"), *((None, "i"),) * 4,
)  # fmt: skip
_THIRD = (
    *((None, "i"),) * 6, ("Phase Plate", "?"), ("STEM Detector name", _TEXT), ("Gain", "d"), ("Offset", "d"),
    *((None, "i"),) * 5, ("Dwell time", "d"), ("Frame time", "d"), ("Scan size left", "i"), ("Scan size top", "i"),
    ("Scan size right", "i"), ("Scan size bottom", "i"), ("Full scan FOV X", "d"), ("Full scan FOV Y", "d"),
    ("Element", _TEXT), ("Energy interval lower", "d"), ("Energy interval higher", "d"), ("Method", "i"),
    ("Is dose fraction", "?"), ("Fraction number", "i"), ("Start frame", "i"), ("End frame", "i"),
    ("Input stack filename", "80s"),
)  # fmt: skip
_FOURTH = (
    ("Alpha tilt min", "d"), ("Alpha tilt max", "d"), ("Scan rotation", "d"), ("Diffraction pattern rotation", "d"),
    ("Image rotation", "d"), ("Scan mode enumeration", "i"), ("Acquisition time stamp", "q"),
    ("Detector commercial name", _TEXT), ("Start tilt angle", "d"), ("End tilt angle", "d"), ("Tilt per image", "d"),
    ("Tilt speed", "d"), ("Beam center X pixel", "i"), ("Beam center Y pixel", "i"), ("CFEG flash timestamp", "q"),
    ("Phase plate position index", "i"), ("Objective aperture name", _TEXT),
)  # fmt: skip
_OLD = ("a_tilt", "b_tilt", "x_stage", "y_stage", "z_stage", "x_shift", "y_shift", "defocus", "exp_time", "mean_int",
        "tilt_axis", "pixel_size", "magnification")  # fmt: skip


def sections(data: bytes, count: int) -> dict[str, Any]:
    """Return the fields set in the first section's record; with several, the tilts of all under ``Alpha tilts``."""
    if len(data) < 12:
        return {}
    length, version = struct.unpack_from("<ii", data)
    if not 300 <= length <= 4096 or len(data) < length:
        return {}
    first = {"Metadata version": version, **_record(data[:length])}
    if count > 1 and "Alpha tilt" in first:
        records = range(min(count, len(data) // length))
        first["Alpha tilts"] = [struct.unpack_from("<d", data, index * length + 100)[0] for index in records]
    return first


def _record(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 8
    for fields in (_FIRST, _SECOND, _THIRD, _FOURTH):
        if at + 4 > len(data):
            break
        (mask,) = struct.unpack_from("<I", data, at)
        at += 4
        for bit, (name, form) in enumerate(fields):
            end = at + struct.calcsize("<" + form)
            if end > len(data):
                return found
            if name is not None and mask >> bit & 1:
                (value,) = struct.unpack_from("<" + form, data, at)
                found[name] = value.split(b"\0")[0].decode("latin-1").strip() if isinstance(value, bytes) else value
            at = end
    return found


def old(data: bytes, order: str) -> dict[str, Any]:
    """Return the first record of the header before FEI1; {} when it is cut."""
    if len(data) < 128:
        return dict.fromkeys(_OLD, 0.0)
    return dict(zip(_OLD, struct.unpack_from(f"{order}{len(_OLD)}f", data), strict=True))
