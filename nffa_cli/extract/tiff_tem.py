"""TEM cameras' dialects of TIFF: JEOL SightX, TVIPS EM-MENU, Olympus SIS, AMT.

Standard library only; ``tiff.py`` calls these after it has read the pages. Where a format states its pixel size in a
way that needs arithmetic, the axes are calibrated here; what a key means is in the crosswalks.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import sidecar, xmltree
from nffa_cli.extract.tiff import Page, Tiff, Vendor
from nffa_cli.extract.tiff_sis import volume_end
from nffa_cli.records import Axis, Kind, Remark, Signal

Scale = tuple[float, float, str]
"""Scale, offset and unit of an axis."""


Plane = tuple[Scale, Scale]
"""The axes x and y of a picture."""

Change = Callable[[tuple[Signal, ...]], tuple[Signal, ...]]


def in_plane(plane: Plane | None, kind: Kind | None = None) -> Change:
    """Return a function that calibrates the image axes of every signal and, for diffraction, renames them.

    ``plane`` None leaves the scales alone; ``kind`` None leaves the kinds alone.
    """
    names = {"y": "ky", "x": "kx"} if kind == "diffraction" else {}
    scales = {"x": plane[0], "y": plane[1]} if plane else {}

    def axis(old: Axis) -> Axis:
        name = names.get(old.name, old.name)
        return Axis(name, old.size, *scales[old.name]) if old.name in scales else replace(old, name=name)

    def one(signal: Signal) -> Signal:
        stacked = kind == "diffraction" and signal.kind == "stack"
        new = "diffraction-stack" if stacked else kind or signal.kind
        return replace(signal, axes=tuple(axis(old) for old in signal.axes), kind=new)

    return lambda signals: tuple(one(signal) for signal in signals)


def resolution(page: Page, code: int) -> float | None:
    """Return pixels per unit of XResolution (282) or YResolution (283); None if absent or not positive."""
    value = page.get(code)
    if isinstance(value, tuple) and len(value) == 2 and value[0] > 0 and value[1] > 0:
        return float(value[0]) / float(value[1])
    return None


METRES = {2: 0.0254, 3: 0.01}
"""Metres in a TIFF resolution unit: inch, centimetre."""


# --- JEOL SightX ---


def wavelength(voltage: float) -> float:
    """Return the relativistic electron wavelength in m at ``voltage`` in V (CODATA 2018 constants)."""
    mass, charge, light, planck = 9.1093837015e-31, 1.602176634e-19, 299792458.0, 6.62607015e-34
    energy = charge * voltage
    return planck / math.sqrt(2 * mass * energy * (1 + energy / (2 * mass * light**2)))


def number(tree: Any, path: str) -> float | None:
    """Return the positive finite number at ``path``, None if there is none."""
    try:
        value = float(rawtree.get(tree, path))
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) and value > 0 else None


def _branches(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping):
        yield tree
    for item in tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list) else ():
        yield from _branches(item)


def _detector_pitch(report: Mapping[str, Any], page: Page) -> tuple[float, float] | None:
    """Return metres on the detector per pixel in x and y.

    The report gives whole pixels per metre for the picture; XResolution repeats them as whole pixels per inch, which
    is coarser, so it is only the second choice.
    """
    size = [str(page.width), str(page.height)]
    for branch in _branches(report):
        if [rawtree.get(branch, "ImageSize.Width"), rawtree.get(branch, "ImageSize.Height")] == size:
            x, y = (number(branch, f"PixelsPerMeter.{way}") for way in ("Horizontal", "Vertical"))
            if x and y:
                return 1 / x, 1 / y
    metres, x, y = METRES.get(page.get(296, 2)), resolution(page, 282), resolution(page, 283)
    return (metres / x, metres / y) if metres and x and y else None


def sightx(tiff: Tiff, files: object) -> Vendor:
    """Read JEOL's TemReporter XML in ImageDescription.

    A picture's pixel is the detector's pixel through the magnification; in a diffraction pattern it is that through
    the camera length and the wavelength. Scanned images have no such relation and stay uncalibrated.
    """
    page = tiff.pages[0]
    tree, why = xmltree.parse(page.text(270))
    report = tree.get("TemReporter")
    warnings = () if why is None else (Remark("broken-xml", f"the TemReporter XML ends early: {why}"),)
    if not isinstance(report, dict):
        return Vendor(warnings=warnings)
    pitch = _detector_pitch(report, page)
    unit = str(rawtree.get(report, "ImageFormingSystem.SelectorUnitString")).strip()
    selected = number(report, "ImageFormingSystem.SelectorValue")
    scanned = "ASID" in str(rawtree.get(report, "Eos.EosMode"))
    change = None
    if pitch and selected and not scanned and unit.upper() == "X":
        x, y = (step / selected * 1e9 for step in pitch)
        change = in_plane(((x, 0.0, "nm"), (y, 0.0, "nm")))
    voltage = number(report, "ElectronGun.AccelerationVoltage")
    metres = {"mm": 1e-3, "cm": 1e-2, "m": 1.0}.get(unit)
    if metres and not scanned:
        plane = None
        if pitch and selected and voltage:
            x, y = (step / (selected * metres * wavelength(voltage)) * 1e-9 for step in pitch)
            plane = (x, 0.0, "1/nm"), (y, 0.0, "1/nm")
        change = in_plane(plane, "diffraction")
    return Vendor({"270": tree}, signals=change, warnings=warnings)


# --- TVIPS ---

TVIPS_FIRST = (
    "Version", "Comment:80s", "HighTension", "SphericalAberration", "IlluminationAperture", "Magnification",
    "PostMagnification", "FocalLength", "Defocus", "Astigmatism", "AstigmatismDirection", "BiprismVoltage",
    "SpecimenTiltAngle", "SpecimenTiltDirection", "IlluminationTiltDirection", "IlluminationTiltAngle", "ImageMode",
    "EnergySpread", "ChromaticAberration", "ShutterType", "DefocusSpread", "CcdNumber", "CcdSize", "OffsetX", "OffsetY",
    "PhysicalPixelSize", "Binning", "ReadoutSpeed", "Gain", "Sensitivity", "ExposureTime", "FlatCorrected",
    "DeadPxCorrected", "ImageMean", "ImageStd", "DisplacementX", "DisplacementY", "Date", "Time", "ImageMin",
    "ImageMax", "ImageStatisticsQuality",
)  # fmt: skip
"""TVIPS TemData, version 1, in file order; whole numbers unless a ``struct`` code follows the name."""

TVIPS_SECOND = (
    "ImageName:160s", "ImageFolder:160s", "ImageSizeX", "ImageSizeY", "ImageSizeZ", "ImageSizeE", "ImageDataType",
    "Date", "Time", "Comment:1024s", "ImageHistory:1024s", "Scaling:16f", "ImageStatistics:32d", "ImageType",
    "ImageDisplayType", "PixelSizeX:f", "PixelSizeY:f", "ImageDistanceZ:f", "ImageDistanceE:f", "ImageMisc:32f",
    "TemType:160s", "TemHighTension:f", "TemAberrations:32f", "TemEnergy:32f", "TemMode", "TemMagnification:f",
    "TemMagnificationCorrection:f", "PostMagnification:f", "TemStageType", "TemStagePosition:5f", "TemImageShift:2f",
    "TemBeamShift:2f", "TemBeamTilt:2f", "TilingParameters:7f", "TemIllumination:3f", "TemShutter", "TemMisc:32f",
    "CameraType:160s", "PhysicalPixelSizeX:f", "PhysicalPixelSizeY:f", "OffsetX", "OffsetY", "BinningX", "BinningY",
    "ExposureTime:f", "Gain:f", "ReadoutRate:f", "FlatfieldDescription:160s", "Sensitivity:f", "Dose:f", "CamMisc:32f",
    "FeiMicroscopeInformation:1024s", "FeiSpecimenInformation:1024s", "Magic:I",
)  # fmt: skip
"""What version 2 appends; its texts are UTF-16. Source: the TemData structure in the EM-MENU help."""

TVIPS_DIFFRACTION = 3
"""``TemMode`` of a diffraction pattern: PixelSize and TemMagnification are then no length and no magnification."""


def tvips_fields(data: bytes, order: str) -> dict[str, Any]:
    """Return the two blocks of a TVIPS header as ``{"first": {…}, "second": {…}}``, as far as ``data`` reaches.

    Dates and times, packed into numbers in the file, are written as ``2017-04-12`` and ``09:01:17``.
    """
    tree: dict[str, Any] = {}
    at = 0
    for block, names in (("first", TVIPS_FIRST), ("second", TVIPS_SECOND)):
        found: dict[str, Any] = {}
        for entry in names:
            name, _, code = entry.partition(":")
            layout = struct.Struct(order + (code or "i"))
            if at + layout.size > len(data):
                return {**tree, block: found}
            values = layout.unpack_from(data, at)
            at += layout.size
            found[name] = _tvips_value(name, values, wide=block == "second", order=order)
        tree[block] = found
        if block == "first" and found["Version"] != 2:
            break
    return tree


def _tvips_value(name: str, values: tuple[Any, ...], *, wide: bool, order: str) -> Any:
    value = values[0]
    if isinstance(value, bytes):
        encoding = ("utf-16-le" if order == "<" else "utf-16-be") if wide else "cp1252"
        return value.decode(encoding, "replace").partition("\0")[0]
    if name == "Date" and value > 0:  # year, month, day in two, one and one bytes
        return f"{value >> 16:04d}-{value >> 8 & 255:02d}-{value & 255:02d}"
    if name == "Time" and 0 <= value < 86400:  # seconds since midnight
        return f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}"
    return rawtree.lossless(value if len(values) == 1 else list(values))


def tvips(tiff: Tiff, files: object) -> Vendor:
    """Read the TVIPS header: tag 37706 says where it lies, tags 37707 and 37708 hold its blocks.

    Version 2 states the pixel size in nm; version 1 only has the TIFF resolution, pixels per centimetre on the sample.
    """
    page = tiff.pages[0]
    at = page.get(37706)
    data = b""
    for code in (37708, 37707):
        tag = page.tags.get(code)
        if tag is not None and tag.complete and len(data) < tag.size:
            data = tag.raw
    if not data and isinstance(at, int) and at < tiff.size:
        data = tiff.source.read(at, min(8192, tiff.size - at))
    tree = tvips_fields(data, tiff.order)
    second = tree.get("second", {})
    pattern = second.get("TemMode") == TVIPS_DIFFRACTION
    x, y = (number(second, f"PixelSize{way}") for way in "XY")
    plane: Plane | None = None
    if x and y:
        plane = (x, 0.0, "nm"), (y, 0.0, "nm")
    elif not second:
        metres, across, down = METRES.get(page.get(296, 2)), resolution(page, 282), resolution(page, 283)
        if metres and across and down:
            plane = (metres / across, 0.0, "m"), (metres / down, 0.0, "m")
    change = in_plane(None, "diffraction") if pattern else in_plane(plane)
    return Vendor({"TVIPS": tree}, signals=change)


# --- Olympus SIS ---


def sis_fields(tiff: Tiff, at: int) -> dict[str, Any]:
    """Return what is known of the structure that tag 33560 points to: time, pixel size, magnification, camera.

    No specification is public. A header of 60 bytes (magic ``SIS0``, minute, hour, day, month from 0, year from 1900,
    name, number of parts) is followed by 8 bytes for each part: kind, count, offset; kind 1 is the calibration.
    """
    head = tiff.source.read(at, 60)
    magic, minute, hour, day, month, year, name, parts = struct.unpack("<4s6x5h6x32sH", head)
    if magic != b"SIS0":
        return {}
    tree: dict[str, Any] = {
        "Name": _latin(name),
        "DateTime": f"{year + 1900:04d}-{month + 1:02d}-{day:02d}T{hour:02d}:{minute:02d}",
    }
    for place in range(at + 60, min(at + 60 + 8 * parts, tiff.size - 7), 8):
        kind, _, offset = struct.unpack("<HHI", tiff.source.read(place, 8))
        if kind == 1 and offset + 112 <= tiff.size:
            block = tiff.source.read(offset, 112)
            power, x, y, magnification, camera, picture = struct.unpack("<10xhdd8xd2x34s32s", block)
            tree |= {
                "LengthExponent": power,
                "PixelSizeX": rawtree.lossless(x),
                "PixelSizeY": rawtree.lossless(y),
                "Magnification": rawtree.lossless(magnification),
                "CameraName": _latin(camera),
                "PictureType": _latin(picture),
            }
    return tree


def _latin(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("cp1252", "replace").strip()


def olympus_sis(tiff: Tiff, files: object) -> Vendor:
    """Read the SIS structure of the page that has it; the picture of equal size before it has the same calibration."""
    tree: dict[str, Any] = {}
    plane: Plane | None = None
    size = (0, 0)
    for page in tiff.pages[:16]:
        if 33471 in page.tags and "33471" not in tree:
            tree["33471"] = sidecar.parse_ini(page.text(33471))
        at = page.get(33560)
        if isinstance(at, int) and at < tiff.size and "SIS" not in tree:
            try:
                found = sis_fields(tiff, at)
            except UnreadableFile:
                continue
            tree["SIS"] = found
            power = found.get("LengthExponent")
            x, y = number(found, "PixelSizeX"), number(found, "PixelSizeY")
            if x and y and isinstance(power, int) and -15 <= power <= 0:
                plane = (x * 10.0**power, 0.0, "m"), (y * 10.0**power, 0.0, "m")
                size = (page.height, page.width)

    def change(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        def same(signal: Signal) -> bool:
            return size == tuple(axis.size for axis in signal.axes if axis.name in ("x", "y"))

        return tuple(in_plane(plane)((each,))[0] if same(each) else each for each in signals)

    needs = volume_end(tiff) if tiff.order == "<" else 0
    return Vendor(tree, signals=change, needs=needs)


# --- AMT ---

AMT_UNITS = {"micron": "um", "um": "um", "\xb5m": "um", "nm": "nm", "mm": "mm"}
AMT_UNSET = 150.0
"""Pixels per µm that AMT's software writes at every magnification as long as nobody has calibrated it."""


def amt(tiff: Tiff, files: object) -> Vendor:
    """Read AMT's ImageDescription: lines of which the first are name, date and time, and later ones ``key=value``.

    XpixCal and YpixCal are pixels per unit. What the lines between mean differs between versions: they stay a list.
    """
    said = [line.strip(" \0") for line in tiff.pages[0].text(270).splitlines()]
    pairs = [line.partition("=") for line in said if "=" in line]
    tree: dict[str, Any] = {"lines": [line for line in said if "=" not in line]}
    tree |= {key.strip(): value.strip() for key, _, value in pairs}
    unit = AMT_UNITS.get(str(tree.get("Unit", "")).lower())
    per = {key: str(tree.get(key, "")).replace(",", ".") for key in ("XpixCal", "YpixCal")}
    x, y = (number(per, key) for key in per)
    if not (unit and x and y) or (unit == "um" and x == y == AMT_UNSET):
        return Vendor({"270": tree})
    return Vendor({"270": tree}, signals=in_plane(((1 / x, 0.0, unit), (1 / y, 0.0, unit))))
