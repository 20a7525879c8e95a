"""A TIA acquisition (FEI, now Thermo Fisher): the .emi document and a .ser for each of two STEM detectors.

The .emi is a row of items: two bytes of type, two of meaning, then the value; a group of items ends with two zero bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from nffa_cli.samples import scenes
from nffa_cli.samples.dm_files import AHEAD
from nffa_cli.samples.sample import Made, Sample, Sitting
from nffa_cli.samples.sem_files import Terms, si

TEXT, REAL, WHOLE, FLAG = 0x60, 0x41, 0x31, 0x70
TYPES = {TEXT: "", REAL: "<d", WHOLE: "<I", FLAG: "<B"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Unix time counts from here, in UTC
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _item(kind: int, meaning: int, value: Any) -> bytes:
    head = struct.pack("<HH", kind, meaning)
    if kind == TEXT:
        data: bytes = value.encode("latin-1")
        return head + struct.pack("<I", len(data)) + data
    return head + struct.pack(TYPES[kind], value)


def _group(kind: int, meaning: int, *items: bytes) -> bytes:
    return struct.pack("<HH", kind, meaning) + b"".join(items) + b"\0\0"


def ser(pixels: Any, step: float, unix: int) -> bytes:
    """Return a series of one picture (version 0x0210): header, offset table, calibration, rows bottom up, time."""
    height, width = pixels.shape
    record = struct.pack("<IddI", 1, 0.0, 1.0, 0) + struct.pack("<I", 6) + b"Number" + struct.pack("<I", 0)
    table = 30 + len(record)
    element: bytes = b"".join(struct.pack("<ddI", -step * size / 2, step, 0) for size in (width, height))
    element += struct.pack("<HII", 2, width, height) + pixels[::-1].astype("<u2").tobytes()
    head = struct.pack("<HHHIIIIII", 0x4949, 0x0197, 0x0210, 0x4122, 0x4152, 1, 1, table, 1)
    offsets = struct.pack("<II", table + 8, table + 8 + len(element))
    return head + record + offsets + element + struct.pack("<HHI", 0x4152, 0, unix)


def _xml(uuid: str, described: Mapping[str, tuple[str, str]], volt: int, date: str, info: Mapping[str, str]) -> str:
    rows = "".join(
        f"<Data><Label>{escape(label)}</Label><Value>{escape(value)}</Value><Unit>{escape(unit)}</Unit></Data>\r\n"
        for label, (value, unit) in described.items()
    )
    facts = "".join(f"<{key}>{escape(value)}</{key}>\r\n" for key, value in info.items())
    return (
        f"<ObjectInfo>\r\n<Uuid>{uuid}</Uuid>\r\n<ExperimentalConditions>\r\n<MicroscopeConditions>\r\n"
        f"<AcceleratingVoltage>{volt}</AcceleratingVoltage>\r\n<Tilt1>0.000000</Tilt1>\r\n<Tilt2>0.000000</Tilt2>\r\n"
        f"</MicroscopeConditions>\r\n</ExperimentalConditions>\r\n<ExperimentalDescription>\r\n<Root>\r\n{rows}</Root>\r\n"
        f"</ExperimentalDescription>\r\n<AcquireDate>{date}</AcquireDate>\r\n<AcquireInfo>\r\n{facts}</AcquireInfo>\r\n"
        "<Manufacturer>FEI (ISAS)</Manufacturer>\r\n<DetectorRange>\r\n<StartX>-0.312500</StartX>\r\n<EndX>0.312500</EndX>\r\n"
        "<StartY>-0.312500</StartY>\r\n<EndY>0.312500</EndY>\r\n</DetectorRange>\r\n</ObjectInfo>\r\n"
    )


def _picture_item(name: str, pixels: Any, step: float, series: str, xml: str) -> bytes:
    """Return the items of one picture: its name, its samples, their calibration, its space, its .ser, its description."""
    height, width = pixels.shape
    samples: bytes = struct.pack("<II", width, height) + pixels[::-1].astype("<u2").tobytes()
    axes = (
        item
        for place, size in ((0x00, width), (0x10, height))
        for item in (
            _item(REAL, 0x0100 + place, -step * size / 2),
            _item(REAL, 0x0120 + place, step),
            _item(WHOLE, 0x0140 + place, 0),
        )
    )
    return (
        struct.pack("<HH", 0x49B0, 0x0610) + _item(TEXT, 0x0100, name) + _item(FLAG, 0x0412, 1)
        + struct.pack("<HHB", 0x20, 0x0200, 2)
        + struct.pack("<HHI", 0x2206, 0x0202, len(samples)) + samples
        + _group(0x4102, 0x0300, *axes) + _item(TEXT, 0x0400, "Real Space") + _item(TEXT, 0x0440, series)
        + struct.pack("<HHH", 0x32, 0x0442, 2) + _item(TEXT, 0x0419, xml) + _item(TEXT, 0x0500, "Normal") + _item(FLAG, 0x0502, 1)
        + _item(FLAG, 0x0504, 0) + _item(WHOLE, 0x0506, 1) + b"\0\0"
    )  # fmt: skip


def stem_pair(at: Sitting) -> Sample:
    """Bright field and dark field of one scan over metal clusters."""
    import numpy as np

    size, step = 128, at.pick(3.4416070512524394e-10, 6.8832141025048788e-10)
    kilovolt, camera, emission = at.pick(120, 200), at.pick("0.040", "0.080", "0.200"), at.between(2, 9, 2)
    magnification, spot, dwell = at.pick(115_000, 225_000, 320_000), at.pick(5, 6, 7), at.pick("0.000012", "0.000024")
    x, y, z = at.between(-400, 400, 3), at.between(-400, 400, 3), at.between(-90, 90, 3)
    alpha, beta = at.between(-20, 20, 2), at.between(-12, 12, 2)
    described = {
        "Microscope": ("Microscope Tecnai 200 kV D2731 SuperTwin", ""), "User": ("demo", ""), "Gun type": ("LaB6", ""),
        "High tension": (str(kilovolt), "kV"), "Emission": (f"{emission:.2f}", "uA"),
        "Mode": (" STEM nP SA Zoom Diffraction", ""),
        "Defocus": ("0.000", "um"), "Magnification": (str(magnification), "x"), "Camera length": (camera, "m"),
        "Stem rotation": ("0.0", "deg"), "Spot size": (str(spot), ""), "Intensity": ("18.538", "%"),
        "Objective lens": ("92.693", "%"),
        "Diffraction lens": ("47.757", "%"), "Stage X": (f"{x:.3f}", "um"), "Stage Y": (f"{y:.3f}", "um"),
        "Stage Z": (f"{z:.3f}", "um"), "Stage A": (f"{alpha:.2f}", "deg"), "Stage B": (f"{beta:.2f}", "deg"),
        "Filter mode": ("", ""),
    }  # fmt: skip
    frame = f"{size * size * float(dwell) * 1.1:.6f}"
    info = {"Magnification": f"{magnification} X", "DwellTimePath": dwell, "FrameTime": frame}
    start = at.start
    date = f"{DAYS[start.weekday()]} {MONTHS[start.month - 1]} {start:%d %H:%M:%S} {start.year}"
    unix = int((start - AHEAD - _EPOCH) / timedelta(seconds=1))
    dark = scenes.clusters(at.chance, size, size)
    drawn = {"BF": 0.95 - 0.75 * dark, "DF4": dark}
    name = f"clusters_{at.number:02d}"
    files: dict[str, bytes] = {f"{name}.emi": b""}
    items, made = [], []
    for number, (detector, clean) in enumerate(drawn.items(), 1):
        shot = scenes.expose(at.chance, clean, electrons=120)
        pixels = np.clip(np.rint(shot * 3800 + 150), 1, 65535).astype("<u2")
        uuid = f"{at.chance.getrandbits(32):08x}-5edb-4c51-843c-{at.chance.getrandbits(48):012x}"
        xml = _xml(uuid, described, kilovolt * 1000, date, info)
        series = f"{name}_{number}.ser"
        files[series] = ser(pixels, step, unix)
        items.append(_picture_item(f"Acquire {detector}", pixels, step, f"D:\\Data\\{series}", xml))
        made.append(Made(pixels, ((step, "m"), (step, "m"))))
    files[f"{name}.emi"] = (
        b"JK\x00\x02\0\0\0\0" + struct.pack("<HH", 0x4D04, 0x0001) + _item(TEXT, 0x0100, f"{start:%H.%M.%S} Scanning Acquire")
        + _item(TEXT, 0x0712, "4.5.1101.0") + _item(TEXT, 0x0500, "Normal") + _item(FLAG, 0x0502, 1) + b"".join(items)
        + struct.pack("<HH", 0x4D03, 0x0800) + b"\0\0\0\0"
    )  # fmt: skip
    terms: Terms = {
        "acquisition.start": (start.isoformat(), None), "instrument.vendor": ("FEI", None),
        "instrument.model": ("Tecnai 200 kV D2731 SuperTwin", None), "instrument.serial": ("D2731", None),
        "beam.accelerating_voltage": (kilovolt * 1e3, "V"), "beam.type": ("electron", None), "beam.source": ("LaB6", None),
        "beam.emission_current": (si(emission, 1e-6), "A"), "optics.magnification": (float(magnification), "1"),
        "optics.camera_length": (float(camera), "m"), "optics.spot_size": (float(spot), "1"),
        "scan.dwell_time": (float(dwell), "s"), "scan.frame_time": (float(frame), "s"), "detector.name": ("BF", None),
        "stage.x": (si(x, 1e-6), "m"), "stage.y": (si(y, 1e-6), "m"), "stage.z": (si(z, 1e-6), "m"),
        "stage.tilt_alpha": (alpha, "degree"), "stage.tilt_beta": (beta, "degree"),
    }  # fmt: skip
    return Sample("tia", "tia", files, terms, tuple(made))
