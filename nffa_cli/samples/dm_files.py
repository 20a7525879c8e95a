"""Gatan DigitalMicrograph files, versions 3 and 4: a tree of typed tags to bytes, and three acquisitions.

The thumbnail is the first image, as DigitalMicrograph has it. Values are little endian, the frame is big endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nffa_cli.samples import scenes
from nffa_cli.samples.sample import Made, Sample, Sitting
from nffa_cli.samples.sem_files import Terms, si

TYPES = {"i2": 2, "i4": 3, "u2": 4, "u4": 5, "f4": 6, "f8": 7, "b1": 8, "i1": 9, "u1": 10}
LETTERS = {"i2": "h", "i4": "i", "u2": "H", "u4": "I", "f4": "f", "f8": "d", "b1": "B", "u1": "B"}
IMAGE_TYPES = {"int16": 1, "float32": 2, "uint16": 10}
RGB = 23
EPOCH = datetime(1601, 1, 1)  # noqa: DTZ001 - FILETIME counts from here, in UTC
AHEAD = timedelta(hours=2)
"""How far the microscope PC's clock is ahead of UTC: summer in Trieste."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A tag whose type is not the usual one of its Python value; ``data``: an array's bytes."""

    kind: str
    value: Any = None
    data: bytes | None = None


def dm(tree: Mapping[str, Any], *, version: int) -> bytes:
    """Return a DM file of the tree: dicts and lists are groups, text is UTF-16, ints are i4, floats f8, tuples structures."""
    word = ">I" if version == 3 else ">Q"
    root = _group(tree, word)
    head = struct.pack(">I", version) + struct.pack(word, len(root)) + struct.pack(">I", 1)
    return head + root + bytes(8)


def _group(tree: Mapping[str, Any] | list[Any], word: str) -> bytes:
    named = isinstance(tree, Mapping)
    entries = (
        sorted(tree.items(), key=lambda entry: entry[0].casefold())
        if isinstance(tree, Mapping)
        else [("", one) for one in tree]
    )
    parts = [struct.pack(">BB", named, 0), struct.pack(word, len(entries))]
    for name, value in entries:
        spelled = name.encode("latin-1")
        is_group = isinstance(value, (Mapping, list))
        content = _group(value, word) if is_group else _value(value, word)
        length = struct.pack(">Q", len(content)) if word == ">Q" else b""
        parts.append(struct.pack(">BH", 20 if is_group else 21, len(spelled)) + spelled + length + content)
    return b"".join(parts)


def _value(value: Any, word: str) -> bytes:
    if isinstance(value, str):
        value = Typed("u2", data=value.encode("utf-16-le"))
    if isinstance(value, bool):
        value = Typed("b1", value)
    if isinstance(value, tuple):
        kinds = ["f4" if isinstance(each, float) else "i4" for each in value]
        words = [15, 0, len(value), *(number for kind in kinds for number in (0, TYPES[kind]))]
        data = struct.pack("<" + "".join(LETTERS[kind] for kind in kinds), *value)
    else:
        if not isinstance(value, Typed):
            value = Typed("f8" if isinstance(value, float) else "i4", value)
        if value.data is None:
            words, data = [TYPES[value.kind]], struct.pack("<" + LETTERS[value.kind], value.value)
        else:
            words, data = [20, TYPES[value.kind], len(value.data) // int(value.kind[1])], value.data
    return b"%%%%" + b"".join(struct.pack(word, number) for number in (len(words), *words)) + data


def _image(
    at: Sitting, pixels: Any, calibrations: list[tuple[float, float, str]], tags: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return one entry of ImageList; calibrations (origin, scale, unit) from the fastest dimension on."""
    code = IMAGE_TYPES[pixels.dtype.name]
    kind = {1: "i2", 2: "f4", 10: "u2"}[code]
    dimensions = [
        {"Origin": Typed("f4", origin), "Scale": Typed("f4", scale), "Units": unit}
        for origin, scale, unit in calibrations
    ]
    return {
        "ImageData": {
            "Calibrations": {
                "Brightness": {"Origin": Typed("f4", 0.0), "Scale": Typed("f4", 1.0), "Units": ""},
                "Dimension": dimensions,
                "DisplayCalibratedUnits": True,
            },
            "Data": Typed(kind, data=pixels.tobytes()),
            "DataType": Typed("u4", code),
            "Dimensions": [Typed("u4", size) for size in reversed(pixels.shape)],
            "PixelDepth": Typed("u4", pixels.itemsize),
        },
        "ImageTags": tags,
        "Name": name,
        "UniqueID": [Typed("u4", at.chance.getrandbits(31)) for _ in range(4)],
    }


def _document(
    at: Sitting,
    pixels: Any,
    shown: Any,
    calibrations: list[tuple[float, float, str]],
    tags: Mapping[str, Any],
    name: str,
) -> dict[str, Any]:
    """Return the whole tree: the thumbnail, the image, and how the screen showed them."""
    import numpy as np

    small = shown[:: max(1, shown.shape[0] // 48), :: max(1, shown.shape[1] // 48)]
    level = np.clip(small.astype(float) / max(1.0, float(shown.max())) * 255, 0, 255).astype("<i4")
    version = {"GMS Version": {"Created": "2.32.888.0"}}
    thumbnail = _image(at, np.zeros(small.shape, "<i2"), [(0.0, 1.0, "")] * 2, version, f"Image Of {name}")
    thumbnail["ImageData"] |= {
        "Data": Typed("i4", data=(level * 0x010101).astype("<i4").tobytes()),
        "DataType": Typed("u4", RGB),
        "PixelDepth": Typed("u4", 4),
    }
    height, width = float(shown.shape[0]), float(shown.shape[1])
    box = (0.0, 0.0, height, width)
    return {
        "ApplicationBounds": (0, 0, 980, 1840),
        "DocumentObjectList": [{
            "AnnotationType": Typed("u4", 20), "ImageDisplayType": Typed("u4", 1), "ImageSource": Typed("u4", 0),
            "ImageDisplayInfo": {"Brightness": Typed("f4", 0.5), "Contrast": Typed("f4", 0.5), "Gamma": Typed("f4", 0.5),
                                 "LowLimit": Typed("f4", 0.0), "HighLimit": Typed("f4", float(pixels.max()))},
            "Rectangle": box, "UniqueID": Typed("u4", 8),
        }],
        "DocumentTags": {},
        "HasWindowPosition": True,
        "Image Behavior": {"DoIntegralZoom": False, "ImageDisplayBounds": box, "ViewDisplayID": Typed("u4", 8)},
        "ImageList": [thumbnail, _image(at, pixels, calibrations, tags, name)],
        "ImageSourceList": [{"ClassName": "ImageSource:Simple", "Id": [Typed("u4", 0)], "ImageRef": Typed("u4", 1)}],
        "InImageMode": True,
        "MinVersionList": [{"RequiredVersion": Typed("u4", 50659328)}],
        "NextDocumentObjectID": Typed("u4", 13),
        "Page Behavior": {"DrawPaper": True, "TargetDisplayID": Typed("u4", 0xFFFFFFFF)},
        "SentinelList": [],
        "Thumbnails": [{"ImageIndex": Typed("u4", 0), "SourceSize_Pixels": (int(height), int(width))}],
        "WindowPosition": (94, 139, 446, 491),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """The microscope as DigitalMicrograph saw it."""

    tags: dict[str, Any]
    terms: Terms


def _column(
    at: Sitting, *, illumination: str, imaging: str, operation: str, shown: float, camera_mm: float | None
) -> _Column:
    """Return ``Microscope Info``, ``Session Info``, ``DataBar`` and what they say; ``shown``: the Indicated Magnification."""
    volt = at.pick(80_000, 120_000, 200_000)
    x, y, z = at.between(-400, 400, 3), at.between(-400, 400, 3), at.between(-150, 150, 3)
    alpha, beta = at.between(-25, 25, 2), at.between(-15, 15, 2)
    utc = at.start - AHEAD
    info: dict[str, Any] = {
        "Cs(mm)": 1.2, "Emission Current (µA)": 0.0, "Formatted Indicated Mag": f"{shown / 1000:g}kx",
        "Formatted Voltage": f"{volt // 1000}kV", "HT Extrapolated": False, "Illumination Mode": illumination,
        "Imaging Mode": imaging, "Indicated Magnification": float(shown), "Name": "FEI Tecnai Remote",
        "Operation Mode": operation,
        "Probe Current (nA)": 0.0, "Probe Size (nm)": 0.0, "Voltage": float(volt),
        "Stage Position": {"Stage Alpha": alpha, "Stage Beta": beta, "Stage X": x, "Stage Y": y, "Stage Z": z},
    }  # fmt: skip
    if camera_mm is not None and illumination != "TEM":
        info["STEM Camera Length"] = camera_mm
    said = {"Specimen": "demo sample", "Operator": "demo", "Microscope": "FEI Talos F200"}
    items = [
        {"Data Type": Typed("u4", 20), "Label": label, "Tag path": f"Session Info:{label}", "Units": "", "Value": value}
        for label, value in said.items()
    ]
    bar = {
        "Acquisition Date": f"{at.start:%d.%m.%Y}", "Acquisition Time": f"{at.start:%H:%M:%S}",
        "Acquisition Time (OS)": float((utc - EPOCH) // timedelta(microseconds=1) * 10), "Exposure Number": 1191582 + at.number,
    }  # fmt: skip
    tags = {
        "DataBar": bar,
        "GMS Version": {"Created": "2.32.888.0", "Saved": "2.32.888.0"},
        "Microscope Info": info,
        "Session Info": {**said, "Items": items},
    }
    terms: Terms = {
        "acquisition.start": (f"{utc.isoformat()}+00:00", None), "instrument.model": ("FEI Talos F200", None),
        "instrument.vendor": ("FEI", None), "operator.name": ("demo", None), "sample.name": ("demo sample", None),
        "beam.accelerating_voltage": (float(volt), "V"), "beam.type": ("electron", None), "optics.mode": (operation, None),
        "stage.x": (si(x, 1e-6), "m"), "stage.y": (si(y, 1e-6), "m"), "stage.z": (si(z, 1e-6), "m"),
        "stage.tilt_alpha": (alpha, "degree"), "stage.tilt_beta": (beta, "degree"),
    }  # fmt: skip
    if illumination == "TEM":
        terms["optics.camera_length"] = (si(shown, 1e-3), "m")
    else:
        terms["optics.magnification"] = (float(shown), "1")
    if camera_mm is not None and illumination != "TEM":
        terms["optics.camera_length"] = (si(camera_mm, 1e-3), "m")
    return _Column(tags, terms)


def _single(value: float) -> float:
    """Return the number that remains of a value stored in four bytes."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def stem_image(at: Sitting) -> Sample:
    """DM3: a STEM picture with atomic columns, taken with DigiScan."""
    import numpy as np

    size, nm = 256, at.pick(0.0195, 0.0276, 0.0391)
    drawn = scenes.expose(at.chance, scenes.columns(at.chance, size, size), electrons=400)
    pixels = np.clip(np.rint(drawn * 5200 + 900), 1, 65535).astype("<u2")
    column = _column(at, illumination="STEM NANOPROBE", imaging="DIFFRACTION", operation="SCANNING",
                     shown=at.pick(5.1e6, 7.2e6, 3.6e6), camera_mm=at.pick(98.0, 135.0))  # fmt: skip
    dwell = at.pick(6.0, 8.0, 16.0)
    column.tags["DataBar"] |= {"Device Name": "DigiScan", "Signal Name": "HAADF"}
    column.tags["DigiScan"] = {
        "Flyback": 400.0, "Image Height": size, "Image Width": size, "Number Summing Frames": 1.0, "Rotation": 0.0,
        "Sample Time": dwell,
    }  # fmt: skip
    step = si(_single(nm), 1e-9)
    name = f"columns_{at.number:02d}"
    tree = _document(at, pixels, pixels, [(0.0, nm, "nm")] * 2, column.tags, name)
    terms = column.terms | {"scan.dwell_time": (si(dwell, 1e-6), "s"), "acquisition.title": (name, None)}
    return Sample(
        "gatan-dm3", "gatan-dm3", {f"{name}.dm3": dm(tree, version=3)}, terms, (Made(pixels, ((step, "m"),) * 2),)
    )


def diffraction(at: Sitting) -> Sample:
    """DM3: a diffraction pattern from a camera; the magnification tag is the camera length, the axes are in 1/nm."""
    import numpy as np

    size, camera, per_nm = 192, at.pick(300.0, 520.0, 770.0), at.pick(0.0512, 0.0874, 0.1016)
    drawn = scenes.expose(at.chance, scenes.pattern(at.chance, size, size, pitch=at.between(17, 23, 1)), electrons=9000)
    pixels = np.clip(np.rint(drawn * 24000 + 12), 0, 32767).astype("<i2")
    column = _column(
        at, illumination="TEM", imaging="DIFFRACTION", operation="DIFFRACTION", shown=camera, camera_mm=None
    )
    exposure = at.pick(0.1, 0.25, 0.5)
    column.tags["DataBar"] |= {"Device Name": "Orius", "Exposure Time (s)": exposure}
    column.tags["Acquisition"] = {"Parameters": {"High Level": {"Binning": (4, 4), "Exposure (s)": exposure}}}
    step = si(_single(per_nm), 1e9)
    middle = size / 2
    name = f"pattern_{at.number:02d}"
    tree = _document(at, pixels, np.log1p(pixels.clip(0)), [(middle, per_nm, "1/nm")] * 2, column.tags, name)
    terms = column.terms | {
        "detector.exposure_time": (exposure, "s"), "detector.name": ("Orius", None), "acquisition.title": (name, None),
    }  # fmt: skip
    return Sample(
        "gatan-dm3-diffraction",
        "gatan-dm3",
        {f"{name}.dm3": dm(tree, version=3)},
        terms,
        (Made(pixels, ((step, "1/m"),) * 2),),
    )


def spectrum_image(at: Sitting) -> Sample:
    """DM4: an EELS spectrum image: carbon everywhere, oxygen where the clusters are."""
    import numpy as np

    side, channels, nm, per_channel, first = 10, 256, at.pick(1.2, 2.5), at.pick(1.0, 1.5), at.pick(240.0, 255.0)
    energy = first + per_channel * np.arange(channels)
    oxygen = scenes.smooth(at.chance, side, side, 3.5)
    thick = 0.6 + 0.4 * scenes.smooth(at.chance, side, side, 5.0)

    def edge(onset: float) -> Any:
        over = np.clip(energy - onset, 0, None)
        return (
            (over > 0)
            * (over / (over + 6))
            * (onset / (onset + over)) ** 3
            * (1 + 0.9 * np.exp(-(((over - 8) / 5) ** 2)))
        )

    clean = thick[..., None] * (
        900 * (first / energy) ** 3.1 + 520 * edge(284.0) + 300 * oxygen[..., None] * edge(532.0)
    )
    counts = np.clip(np.rint(clean + np.sqrt(clean) * scenes.noise(at.chance, clean.shape)), 0, None)
    pixels = counts.transpose(2, 0, 1).astype("<f4")  # DigitalMicrograph keeps a spectrum image plane by plane
    column = _column(at, illumination="STEM NANOPROBE", imaging="EFTEM DIFFRACTION", operation="GIF SCANNING",
                     shown=at.pick(225e3, 640e3), camera_mm=at.pick(29.5, 38.0))  # fmt: skip
    convergence, collection, pixel_time = at.pick(14.5, 21.0), at.pick(24.0, 62.0), at.pick(0.02, 0.05)
    column.tags["Meta Data"] = {"Acquisition Mode": "Parallel dispersive", "Format": "Spectrum image", "Signal": "EELS"}
    column.tags["EELS"] = {
        "Acquisition": {"Exposure (s)": pixel_time, "Number of frames": 1},
        "Experimental Conditions": {"Collection semi-angle (mrad)": collection, "Convergence semi-angle (mrad)": convergence},
    }  # fmt: skip
    column.tags["EELS Spectrometer"] = {
        "Aperture label": "5 mm", "Dispersion (eV/ch)": per_channel, "Energy loss (eV)": first,
        "Instrument name": "GIF Quantum ER",
        "Slit inserted": 0, "Slit width (eV)": 20.0,
    }  # fmt: skip
    column.tags["SI"] = {
        "Acquisition": {
            "Date": f"{at.start:%d/%m/%Y}",
            "Pixel time (s)": pixel_time,
            "Start time": f"{at.start:%H:%M:%S}",
        }
    }
    name = f"oxide map_{at.number:02d}"
    calibrations = [(0.0, nm, "nm"), (0.0, nm, "nm"), (-first / per_channel, per_channel, "eV")]
    tree = _document(at, pixels, counts.sum(axis=2), calibrations, column.tags, name)
    degree = 0.05729577951308232
    terms = column.terms | {
        "scan.dwell_time": (pixel_time, "s"), "spectrometer.name": ("GIF Quantum ER", None),
        "spectrometer.dispersion": (per_channel, "eV"),
        "spectrometer.energy_offset": (first, "eV"), "spectrometer.entrance_aperture": (0.005, "m"),
        "spectrometer.collection_angle": (collection * degree, "degree"),
        "optics.convergence_angle": (convergence * degree, "degree"),
    }  # fmt: skip
    step = si(_single(nm), 1e-9)
    made = Made(counts.astype("<f4"), ((step, "m"), (step, "m"), (_single(per_channel), "eV")))
    return Sample("gatan-dm4", "gatan-dm4", {f"{name}.dm4": dm(tree, version=4)}, terms, (made,))
