"""SEM pictures with their maker's tags inside: Zeiss SmartSEM, FEI/Thermo xT, TESCAN."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from nffa_cli.samples import scenes
from nffa_cli.samples import tiff_bytes as tiff
from nffa_cli.samples.sample import Made, Sample, Sitting

Terms = dict[str, tuple[Any, str | None]]


def si(value: float, factor: float = 1.0) -> float:
    """Return a value in its SI unit without the last digits that the multiplication leaves."""
    return float(f"{value * factor:.12g}")


def picture(pixels: Any, step: float) -> tuple[Made, ...]:
    """Return the one signal of a picture with square pixels of ``step`` metres."""
    return (Made(pixels, ((step, "m"), (step, "m"))),)


def bar_length(step: float, width: int) -> tuple[float, str]:
    """Return the pixels and the label of a scale bar about a sixth of the picture long."""
    wanted = width * step / 6
    for factor, unit in ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm")):
        for zeros in (100, 10, 1):
            for digit in (5, 2, 1):
                if digit * zeros * factor <= wanted * 1.25:
                    return digit * zeros * factor / step, f"{digit * zeros} {unit}"
    return 1e-9 / step, "1 nm"


# --- Zeiss SmartSEM ---

ZEISS_SCREEN = 1024
"""SmartSEM counts its pixels on a screen of this width, and its magnification on the instant film it once went to."""
POLAROID = 0.1143


def zeiss(at: Sitting) -> Sample:
    """SmartSEM: directory first, tag 34118 with header numbers and a key line and a value line for each parameter."""
    width, height, bar = 512, 334, 50
    model, serial = at.pick(
        ("SUPRA 40", "SUPRA 40-31-07"), ("Sigma 300", "Sigma 300-44-90"), ("Merlin", "Merlin-61-12")
    )
    kv, magnification = at.pick(3.0, 5.0, 10.0, 15.0), at.pick(25000, 50000, 75000, 100000)
    wd, nano_amp = at.between(2.5, 8.5, 1), at.pick(0.12, 0.18, 0.3)
    screen = float(f"{POLAROID / magnification / ZEISS_SCREEN:.6e}")
    step = screen * ZEISS_SCREEN / width
    x, y, z, r = at.between(20, 100, 4), at.between(20, 100, 4), at.between(10, 45, 3), at.between(0, 359, 1)
    tilt, dwell = at.pick(0.0, 15.0, 45.0), at.pick(100, 200, 400)
    detector, aperture = at.pick("InLens", "SE2"), at.pick(20.0, 30.0)
    vacuum = at.pick(8.9e-7, 1.42e-6, 3.07e-6)
    image = scenes.grey(scenes.expose(at.chance, scenes.particles(at.chance, height, width)))
    micron, label = bar_length(step, width)
    shown = f"EHT={kv:.1f} kV  WD={wd:.1f} mm  Mag={magnification // 1000}.00 K X  {detector.upper()}"
    image = scenes.with_bar(image, bar, shown, micron=micron, caption=label)
    lines = {
        "DP_DWELL_TIME": f"Dwell Time = {dwell} ns", "DP_IMAGE_STORE": f"Store resolution = {width} * {height + bar}",
        "DP_FILAMENT_TYPE": "Filament Type = FE FEI", "DP_DETECTOR_CHANNEL": f"Signal A = {detector}",
        "DP_DETECTOR_TYPE": f"Detector = {detector}", "DP_SEM": f"Sem = {model}", "DP_VAC_MODE": "Vacuum Mode = High Vacuum",
        "DP_COLUMN_TYPE": f"Column = {model}", "DP_TILT_CORRECTION": "Tilt Corrn. = Off", "DP_SCAN_ROT": "Scan Rot = Off",
        "DP_FIB_IMAGING": "FIB Imaging = SEM", "DP_NOISE_REDUCTION": "Noise Reduction = Line Avg",
        "DP_SCANRATE": "Scan Speed = 6",
        "DP_HIGH_CURRENT": "High Current = Off", "DP_FROZEN": "Image = Frozen", "DP_BEAM_BLANKED": "Beam Blanked = Yes",
        "AP_MAG": f"Mag = {magnification / 1000:7.2f} K X", "AP_WD": f"WD = {wd:4.1f} mm", "AP_ACTUALKV": f"EHT = {kv:5.2f} kV",
        "AP_MANUALKV": f"EHT Target = {kv:5.2f} kV", "AP_IPROBE": f"I Probe = {nano_amp:6.2f} nA",
        "AP_BEAM_CURRENT": "Beam Current =   80.0 µA", "AP_ACTUALCURRENT": "Fil I =  2.320 A",
        "AP_ACTUALEXT": "Extractor V =  4.90 kV", "AP_APERTURESIZE": f"Aperture Size = {aperture:.2f} µm",
        "AP_PIXEL_SIZE": f"Pixel Size = {_four(screen * 1e9)} nm",
        "AP_IMAGE_PIXEL_SIZE": f"Image Pixel Size = {_four(step * 1e9)} nm",
        "AP_WIDTH": f"Width = {_four(step * width * 1e6)} µm", "AP_HEIGHT": f"Height = {_four(step * (height + bar) * 1e6)} µm",
        "AP_LINE_TIME": f"Line Time = {width * dwell * 1.1e-6:5.2f} ms", "AP_FRAME_TIME": "Cycle Time = 10.8 Secs",
        "AP_LINE_AVERAGE_COUNT": "Lines to average = 8     ",
        "AP_BRIGHTNESS": "Brightness =  49.3 %", "AP_CONTRAST": "Contrast =  35.6 %",
        "AP_SCANROTATION": "Scan Rotation =   0.0 °",
        "AP_TILT_ANGLE": "Tilt Angle =   0.0 °", "AP_STIG_X": "Stigmation X =  -2.3 %", "AP_STIG_Y": "Stigmation Y =   1.4 %",
        "AP_SYSTEM_VAC": f"System Vacuum = {vacuum:.2e} mbar", "AP_COLUMN_VAC": "Gun Vacuum = 4.21e-10 mbar",
        "AP_STAGE_AT_X": f"Stage at X = {x:7.4f} mm", "AP_STAGE_AT_Y": f"Stage at Y = {y:7.4f} mm",
        "AP_STAGE_AT_Z": f"Stage at Z = {z:6.3f} mm", "AP_STAGE_AT_R": f"Stage at R = {r:5.1f} °",
        "AP_STAGE_AT_T": f"Stage at T = {tilt:5.1f} °", "AP_STAGE_AT_M": "Stage at M =  0.000 mm",
        "AP_TIME": f"Time :{at.start:%H:%M:%S}", "AP_DATE": f"Date :{at.start.day} {_MONTHS[at.start.month - 1]} {at.start.year}",
        "SV_VERSION": "Version = V06.00.00.00 : 10-Dec-15", "SV_SERIAL_NUMBER": f"Serial No. = {serial}",
        "SV_USER_TEXT": "User Text = ", "SV_OPERATOR": "Operator = ", "SV_USER_NAME": "User Name = demo",
        "SV_FILE_NAME": f"File Name = particles_{at.number:02d}.tif", "SV_SAMPLE_ID": "Sample ID = ",
    }  # fmt: skip
    seven = [
        f"{screen:.6e}",
        f"{magnification:e}",
        "6",
        f"{kv * 1000:e}",
        "2.320000e+00",
        f"{nano_amp * 1e-9:e}",
        f"{wd / 1000:e}",
    ]
    header = ["0", "0"] + [text for zone in "0123" for text in (zone, *seven)] + [str(len(lines))]
    said = "\r\n".join([*header, *(part for pair in lines.items() for part in pair), ""])
    file = tiff.directory_first(image, {
        254: (tiff.LONG, 0), 282: (tiff.RATIONAL, [(1, 1)]), 283: (tiff.RATIONAL, [(1, 1)]), 296: (tiff.SHORT, 1),
        34118: (tiff.ASCII, said.encode("cp1252")),
    })  # fmt: skip
    terms: Terms = {
        "acquisition.start": (at.start.isoformat(), None), "instrument.vendor": ("Zeiss", None),
        "instrument.model": (model, None), "instrument.serial": (serial, None), "operator.name": ("demo", None),
        "beam.accelerating_voltage": (si(kv, 1e3), "V"), "beam.type": ("electron", None),
        "beam.probe_current": (si(nano_amp, 1e-9), "A"), "optics.magnification": (float(magnification), "1"),
        "optics.working_distance": (si(wd, 1e-3), "m"), "optics.aperture_diameter": (si(aperture, 1e-6), "m"),
        "scan.dwell_time": (si(dwell, 1e-9), "s"), "scan.frame_time": (10.8, "s"), "detector.name": (detector, None),
        "stage.x": (si(x, 1e-3), "m"), "stage.y": (si(y, 1e-3), "m"), "stage.z": (si(z, 1e-3), "m"),
        "stage.rotation": (r, "degree"), "stage.tilt_alpha": (tilt, "degree"),
        "vacuum.chamber_pressure": (si(vacuum, 100), "Pa"),
    }  # fmt: skip
    return Sample(
        "zeiss-sem-tiff", "zeiss-sem-tiff", {f"particles_{at.number:02d}.tif": file}, terms, picture(image, step)
    )


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _four(value: float) -> str:
    """Return a number with four digits, as SmartSEM writes sizes."""
    return f"{value:.{max(0, 3 - len(str(int(value))) + 1)}f}"


# --- FEI / Thermo Fisher xT ---


def fei(at: Sitting) -> Sample:
    """xT: one strip for each row, the directory behind the pixels, INI text in tag 34682, data bar below the picture."""
    width, height, bar = 512, 442, 29
    hv, current = at.pick(2000, 5000, 10000, 18000), at.pick("2.5e-011", "5e-011", "1.7e-010")
    field = at.pick("2.76e-006", "5.97e-006", "1.28e-005")
    step = float(f"{float(field) / width:.6g}")
    vertical = step * height
    wd = f"{at.between(0.0038, 0.0092, 8)}"
    x, y, z = (f"{at.between(-0.02, 0.02, 9):g}", f"{at.between(-0.02, 0.02, 9):g}", f"{at.between(0.004, 0.02, 9):g}")
    turn, tilt = f"{at.between(-3.1, 3.1, 5)}", at.pick("0", "0.261799", "0.785398")
    dwell, canvas = at.pick("1e-006", "3e-006", "1e-005"), "0.20720"
    pressure = at.pick("0.000584097", "0.00031207")
    image = scenes.grey(scenes.expose(at.chance, scenes.wires(at.chance, height, width)))
    micron, label = bar_length(step, width)
    shown = f"HV={hv / 1000:.2f} kV  HFW={float(field) * 1e6:.2f} µm  WD={float(wd) * 1e3:.1f} mm  ETD SE"
    image = scenes.with_bar(image, bar, shown, micron=micron, caption=label)
    stamp = f"{at.start:%I:%M:%S} {'AM' if at.start.hour < 12 else 'PM'}"
    stage = {"StageX": x, "StageY": y, "StageZ": z, "StageR": turn}
    scan = {
        "PixelWidth": f"{step:g}",
        "PixelHeight": f"{step:g}",
        "HorFieldsize": field,
        "VerFieldsize": f"{vertical:g}",
    }
    said = _ini({
        "User": {"Date": f"{at.start:%m/%d/%Y}", "Time": stamp, "User": "demo", "UserText": "nanowires", "UserTextUnicode": ""},
        "System": {"Type": "DualBeam", "Dnumber": "9900217", "Software": "5.5.1.3318", "BuildNr": "3318", "Source": "FEG",
                   "Column": "Elstar", "FinalLens": "Elstar", "Chamber": "xT-SDB", "Stage": "6inch", "Pump": "TMP", "ESEM": "no",
                   "SystemType": "Helios NanoLab 650", "DisplayWidth": "0.518", "DisplayHeight": "0.324"},
        "Beam": {"HV": str(hv), "Spot": "1", "StigmatorX": "0", "StigmatorY": "0", "BeamShiftX": "0", "BeamShiftY": "0",
                 "ScanRotation": "0", "ImageMode": "Normal", "Beam": "EBeam", "Scan": "EScan"},
        "EBeam": {"Source": "FEG", "ColumnType": "Elstar", "FinalLens": "Elstar", "Acq": "PIA 3.0", "Aperture": "AVA",
                  "ApertureDiameter": "3.2e-005", "HV": str(hv), "HFW": field, "VFW": f"{vertical:g}", "WD": wd,
                  "BeamCurrent": current, "TiltCorrectionIsOn": "no", "DynamicFocusIsOn": "no", "ScanRotation": "0",
                  "LensMode": "Field-Free", "ImageMode": "Normal", **stage, "StageTa": tilt, "StageTb": "0",
                  "BeamMode": "N-Beam"},
        "GIS": {"Number": "0"},
        "Scan": {"InternalScan": "true", "Dwelltime": dwell, **scan, "Average": "0", "Integrate": "1", "FrameTime": "2.62"},
        "EScan": {"Scan": "PIA 3.0", "InternalScan": "true", "Dwell": dwell, **scan, "FrameTime": "2.62", "LineTime": "0.0058"},
        "Stage": {**stage, "StageT": tilt, "StageTb": "0", "SpecTilt": "", "ActiveStage": "Bulk", "WorkingDistance": wd},
        "Image": {"DigitalContrast": "1", "DigitalBrightness": "0", "DigitalGamma": "1", "Average": "0", "Integrate": "1",
                  "ResolutionX": str(width), "ResolutionY": str(height), "DriftCorrected": "Off", "ZoomFactor": "1.000000",
                  "MagCanvasRealWidth": canvas, "MagnificationMode": "3"},
        "Vacuum": {"ChPressure": pressure, "Gas": "", "UserMode": "High vacuum", "Humidity": ""},
        "Specimen": {"Temperature": "", "SpecimenCurrent": "3.41e-013"},
        "Detectors": {"Number": "1", "Name": "ETD", "Mode": "SE"},
        "ETD": {"Contrast": "47.9156", "Brightness": "37.027", "Mix": "100", "Signal": "SE", "Grid": "250", "Setting": "250"},
        "Accessories": {"Number": "0"},
        "PrivateFei": {"BitShift": "0", "DataBarSelected": "HV curr mag HFW mode det WD Label MicronBar",
                       "TimeOfCreation": f"{at.start:%d.%m.%Y %H:%M:%S}", "DatabarHeight": str(bar)},
    })  # fmt: skip
    file = tiff.directory_last(image, {
        282: (tiff.RATIONAL, [(64, 1)]), 283: (tiff.RATIONAL, [(64, 1)]), 284: (tiff.SHORT, 1), 296: (tiff.SHORT, 2),
        34682: (tiff.ASCII, said.encode("latin-1")),
    }, rows=1)  # fmt: skip
    degree = 57.29577951308232
    terms: Terms = {
        "acquisition.start": (at.start.isoformat(), None), "instrument.vendor": ("FEI", None),
        "instrument.model": ("Helios NanoLab 650", None), "instrument.serial": ("9900217", None),
        "beam.accelerating_voltage": (float(hv), "V"), "beam.type": ("electron", None),
        "beam.probe_current": (float(current), "A"),
        "optics.magnification": (float(canvas) / float(field), "1"), "optics.working_distance": (float(wd), "m"),
        "optics.field_width": (float(field), "m"), "scan.dwell_time": (float(dwell), "s"), "scan.frame_time": (2.62, "s"),
        "stage.x": (float(x), "m"), "stage.y": (float(y), "m"), "stage.z": (float(z), "m"),
        "stage.rotation": (float(turn) * degree, "degree"), "stage.tilt_alpha": (float(tilt) * degree, "degree"),
        "vacuum.chamber_pressure": (float(pressure), "Pa"), "vacuum.mode": ("High vacuum", None),
    }  # fmt: skip
    return Sample(
        "fei-sem-tiff",
        "fei-sem-tiff",
        {f"nanowires_{at.number:03d}.tif": file},
        terms,
        picture(image, float(f"{step:g}")),
    )


def _ini(sections: Mapping[str, Mapping[str, str]]) -> str:
    blocks = (
        "\r\n".join([f"[{name}]", *(f"{key}={value}" for key, value in keys.items())])
        for name, keys in sections.items()
    )
    return "\r\n\r\n".join(blocks) + "\r\n"


# --- TESCAN ---


def tescan_keys(at: Sitting, step: str, detector: str) -> tuple[dict[str, str], dict[str, str], Terms]:
    """Return sections MAIN and SEM as TESCAN writes them (in the tag and in the .hdr), and what they say."""
    hv, wd = at.pick(5, 10, 15, 20), at.between(4.5, 14.0, 3)
    x, y, z = at.between(-20, 20, 4), at.between(-20, 20, 4), at.between(8, 60, 3)
    turn, tilt = at.between(-90, 90, 1), at.pick(0.0, 30.0)
    current, dwell = at.between(80, 400, 3), at.pick("3.2000e-6", "10.000e-6")
    magnification, pressure = at.pick("2500.0", "5000.0", "12500"), at.between(4, 40, 3)
    main = {
        "AccFrames": "1", "Date": f"{at.start:%Y-%m-%d}", "Description": "", "Device": "MIRA3 GMU", "FullUserName": "demo",
        "ImageStripSize": "44", "Magnification": magnification, "Note": "", "PixelSizeX": step, "PixelSizeY": step,
        "SerialNumber": "MI3290817IT", "Sign": "", "TagRevision": "2", "Time": f"{at.start:%H:%M:%S}", "UserName": "demo",
        "Version": "4.2.27.0",
    }  # fmt: skip
    sem = {
        "BeamIntensityIndex": "10.000", "ChamberPressure": f"{pressure}e-3", "Detector": detector, "DwellTime": dwell,
        "EmissionCurrent": "186.09e-6", "Gun": "Schottky", "GunShiftX": "0.0", "GunShiftY": "0.0", "HV": f"{hv}.0000e3",
        "ImageShiftX": "0.0", "ImageShiftY": "0.0", "LUTGamma": "1.0000", "LUTMaximum": "255", "LUTMinimum": "0",
        "PredictedBeamCurrent": f"{current}e-12", "PrimaryDetectorGain": "48.828", "PrimaryDetectorOffset": "92.500",
        "ScanMode": "RESOLUTION", "ScanRotation": "0.0", "ScanSpeed": "4", "SpotSize": "4.2523e-9",
        "StageRotation": f"{turn}", "StageTilt": f"{tilt}", "StageX": f"{x}e-3", "StageY": f"{y}e-3", "StageZ": f"{z}e-3",
        "StigmatorX": "-1.2000", "StigmatorY": "340.00e-3", "TiltCorrection": "0.0", "WD": f"{wd}e-3",
    }  # fmt: skip
    terms: Terms = {
        "acquisition.start": (at.start.isoformat(), None), "instrument.vendor": ("TESCAN", None),
        "instrument.model": ("MIRA3 GMU", None), "instrument.serial": ("MI3290817IT", None),
        "beam.accelerating_voltage": (hv * 1e3, "V"), "beam.type": ("electron", None), "beam.source": ("Schottky", None),
        "beam.probe_current": (si(current, 1e-12), "A"), "beam.emission_current": (186.09e-6, "A"),
        "optics.magnification": (float(magnification), "1"), "optics.working_distance": (si(wd, 1e-3), "m"),
        "scan.dwell_time": (float(dwell), "s"), "detector.name": (detector, None),
        "stage.x": (si(x, 1e-3), "m"), "stage.y": (si(y, 1e-3), "m"), "stage.z": (si(z, 1e-3), "m"),
        "stage.rotation": (turn, "degree"), "stage.tilt_alpha": (tilt, "degree"),
        "vacuum.chamber_pressure": (si(pressure, 1e-3), "Pa"),
    }  # fmt: skip
    return main, sem, terms


def tescan(at: Sitting) -> Sample:
    """TESCAN: directory last, maker in the common tags, tag 50431 with thumbnail, MAIN, SEM and an end mark."""
    width, height, bar = 400, 300, 46
    step = at.pick("20.000e-9", "41.500e-9", "9.7600e-9")
    main, sem, terms = tescan_keys(at, step, at.pick("SE", "InBeam"))
    image = scenes.grey(scenes.expose(at.chance, scenes.sponge(at.chance, height, width)))
    small = image[::8, ::8].copy()
    micron, label = bar_length(float(step), width)
    shown = f"HV {float(sem['HV']) / 1e3:.1f} kV  WD {float(sem['WD']) * 1e3:.2f} mm  DET {sem['Detector'].upper()}"
    image = scenes.with_bar(image, bar, shown, micron=micron, caption=label)
    sections = [(1, tiff.png(small)), (2, _lines(main)), (3, _lines(sem)), (0, b"")]
    tag = b"".join(struct.pack("<IH", len(body) + 2, number) + body for number, body in sections)
    dots = (0xFFFFFFFF, int(0xFFFFFFFF * float(step) / 0.0254))
    file = tiff.directory_last(image, {
        271: (tiff.ASCII, b"TESCAN - http://www.tescan.com/"), 272: (tiff.ASCII, b"MIRA3 GMU MI3290817IT"),
        274: (tiff.SHORT, 1), 282: (tiff.RATIONAL, [dots]), 283: (tiff.RATIONAL, [dots]), 284: (tiff.SHORT, 1),
        296: (tiff.SHORT, 2),
        306: (tiff.ASCII, f"{at.start:%Y:%m:%d %H:%M:%S}".encode()), 315: (tiff.ASCII, b"demo"), 50431: (tiff.BYTE, tag),
    }, rows=4)  # fmt: skip
    return Sample(
        "tescan-sem-tiff", "tescan-sem-tiff", {f"sponge_{at.number:03d}.tif": file}, terms, picture(image, float(step))
    )


def _lines(keys: Mapping[str, str]) -> bytes:
    return "".join(f"{key}={value}\r\n" for key, value in keys.items()).encode() + b"\0"


def tescan_hdr(at: Sitting) -> Sample:
    """TESCAN with its tags lost (saved anew by another program) and the .hdr file that lies beside each picture."""
    width, height = 240, 180
    step = at.pick("20.000e-9", "41.500e-9", "9.7600e-9")
    main, sem, terms = tescan_keys(at, step, "SE")
    image = scenes.grey(scenes.expose(at.chance, scenes.grating(at.chance, height, width)))
    blocks = (
        f"[{name}]\r\n" + "".join(f"{key}={value}\r\n" for key, value in keys.items())
        for name, keys in (("MAIN", main), ("SEM", sem))
    )
    name = f"grating_{at.number:03d}"
    files = {f"{name}.tif": tiff.directory_last(image, {}), f"{name}-tif.hdr": "\r\n".join(blocks).encode()}
    return Sample("tescan-sem-hdr", "tescan-sem-tiff", files, terms, picture(image, float(step)))
