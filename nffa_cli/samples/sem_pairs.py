"""SEM pictures whose meaning lies in a text file beside them (JEOL, Hitachi), and one that has none."""

from __future__ import annotations

from nffa_cli.samples import scenes
from nffa_cli.samples import tiff_bytes as tiff
from nffa_cli.samples.sample import Made, Sample, Sitting
from nffa_cli.samples.sem_files import Terms, picture, si


def jeol(at: Sitting) -> Sample:
    """JEOL: a palette tif without any vendor tag and $CM_/$$SM_ lines in the .txt, Western encoding."""
    width, height = 320, 240
    kv, magnification = at.pick(5.0, 10.0, 15.0), at.pick(1000, 2500, 5000)
    wd, micro_amp, frames = at.between(6, 15, 2), at.between(40, 90, 1), at.pick(1, 4, 8)
    x, y, z, turn, tilt = (
        at.between(-20, 20, 3),
        at.between(-20, 20, 3),
        at.between(8, 15, 1),
        at.between(0, 180, 1),
        0.0,
    )
    marker, bar = (
        (10, 1280 * 10e-6 * magnification / 0.128) if magnification < 2500 else (1, 1280 * 1e-6 * magnification / 0.128)
    )
    bar = float(round(bar))
    step = marker * 1e-6 / bar * 1280 / width
    detector = at.pick("LED", "UED", "BED-C")
    image = scenes.grey(scenes.expose(at.chance, scenes.powder(at.chance, height, width)))
    said = {
        "$SEM_DATA_VERSION": "1", "$CM_DATA_VERSION": "1", "$CM_SIGNAL_NAME": detector, "$CM_DETECTOR_NAME": detector,
        "$CM_CONTRAST": "1479", "$CM_BRIGHTNESS": "418", "$CM_ACCEL_VOLT": f"{kv:.2f}", "$$SM_WD": f"{wd:.2f}",
        "$CM_MAG": str(magnification), "$$SM_COLUMN_MODE": "SEM", "$$SM_OL_APERTURE": "4", "$$SM_PROBE_NO": "8",
        "$$SM_SCAN_ROTATION": "0.00", "$$SM_INTEG_NO": str(frames), "$CM_DETECTOR": detector, "$CM_SIGNAL": detector,
        "$CM_STAGE_POS": f"{x:.3f} {y:.3f} {z:.1f} {turn:.1f} {tilt:.1f} 0.000", "$SM_EMI_CURRENT": f"{micro_amp:.2f}",
        "$SM_PENNING_VAC": "9.634e-005", "$SM_PRESSURE_AT_LOW_VACUUM": "0.000", "$CM_FORMAT": "JEOL-SEM", "$CM_VERSION": "3.0",
        "$CM_COMMENT": "powder, 10 µm sieve", "$CM_DATE": f"{at.start:%Y/%m/%d}", "$CM_TIME": f"{at.start:%H:%M:%S}",
        "$CM_OPERATOR": "demo", "$CM_INSTRUMENT": "JSM-IT800", "$$SM_MICRON_MARKER": f"{marker}um",
        "$$SM_MICRON_BAR": f"{bar:.0f}",
        "$CM_FULL_SIZE": "1280 960", "$CM_COLOR_MODE": "0",
    }  # fmt: skip
    text = "".join(f"{key} {value}\r\n" for key, value in said.items()).encode("cp1252")
    file = tiff.directory_last(image, {254: (tiff.LONG, 0), 282: (tiff.RATIONAL, [(254000, 1000)]),
                                       283: (tiff.RATIONAL, [(254000, 1000)]), 296: (tiff.SHORT, 2)}, palette=True)  # fmt: skip
    terms: Terms = {
        "acquisition.start": (at.start.isoformat(), None), "acquisition.note": ("powder, 10 µm sieve", None),
        "instrument.vendor": ("JEOL", None), "instrument.model": ("JSM-IT800", None), "operator.name": ("demo", None),
        "beam.accelerating_voltage": (si(kv, 1e3), "V"), "beam.type": ("electron", None),
        "beam.emission_current": (si(micro_amp, 1e-6), "A"), "optics.magnification": (float(magnification), "1"),
        "optics.working_distance": (si(wd, 1e-3), "m"), "detector.name": (detector, None), "scan.averages": (float(frames), "1"),
        "stage.x": (si(x, 1e-3), "m"), "stage.y": (si(y, 1e-3), "m"), "stage.z": (si(z, 1e-3), "m"),
        "stage.rotation": (turn, "degree"), "stage.tilt_alpha": (tilt, "degree"),
    }  # fmt: skip
    name = f"powder_{at.number:03d}"
    return Sample(
        "jeol-sem-tiff", "jeol-sem-tiff", {f"{name}.tif": file, f"{name}.txt": text}, terms, picture(image, step)
    )


def hitachi(at: Sitting) -> Sample:
    """Hitachi TM4000: the text is UTF-16 with a byte order mark and names its units."""
    return _hitachi(at, "hitachi-sem-tiff", ("TM4000Plus", "407213-05"), units=True)


def hitachi_ascii(at: Sitting) -> Sample:
    """Hitachi SU and S series: the text is plain ASCII, most numbers without their unit."""
    return _hitachi(at, "hitachi-sem-ascii", ("SU8010", "HI-0821-0007"), units=False)


def _hitachi(at: Sitting, kind: str, instrument: tuple[str, str], *, units: bool) -> Sample:
    width, height = 256, 192
    model, serial = instrument
    volt, magnification, wd = at.pick(5000, 10000, 15000), at.pick(500, 1200, 3000), at.between(5000, 9000, 1)
    nm = round(127e6 / 256 / magnification, 3)
    x, y, z = (
        at.chance.randrange(-9_000_000, 9_000_000),
        at.chance.randrange(-9_000_000, 9_000_000),
        at.chance.randrange(5_000_000),
    )
    turn, tilt, micro_amp = at.between(0, 359, 1), at.pick(0.0, 20.0), at.chance.randrange(8000, 12000)
    scene = scenes.sponge if units else scenes.grating
    image = scenes.grey(scenes.expose(at.chance, scene(at.chance, height, width), electrons=90))
    name = f"{'foam' if units else 'lines'}_{at.number:03d}"
    said = {
        "InstructName": model, "SerialNumber": serial, "DataNumber": "", "SampleName": "demo sample", "Format": "tif",
        "ImageName": f"{name}.tif", "Directory": "C:\\Data\\", "Date": f"{at.start:%Y/%m/%d}", "Time": f"{at.start:%H:%M:%S}",
        "Media": "File", "DataSize": f"{width}x{height}", "PixelSize": f"{nm}", "SignalName": "BSE" if units else "SE(U)",
        "AcceleratingVoltage": f"{volt} Volt", "DecelerationVoltage": "0 Volt", "Magnification": str(magnification),
        "WorkingDistance": f"{wd} um" if units else f"{wd:g}", "EmissionCurrent": f"{micro_amp} nA" if units else str(micro_amp),
        "LensMode": "Normal", "Vacuum": "Image", "ScanSpeed": "Slow3", "StagePositionX": str(x), "StagePositionY": str(y),
        "StagePositionZ": str(z), "StagePositionR": f"{turn}", "StagePositionT": f"{tilt}", "Comment": "",
    }  # fmt: skip
    text = "[SemImageFile]\r\n" + "".join(f"{key}={value}\r\n" for key, value in said.items())
    terms: Terms = {
        "acquisition.start": (at.start.isoformat(), None), "instrument.vendor": ("Hitachi", None),
        "instrument.model": (model, None), "instrument.serial": (serial, None), "sample.name": ("demo sample", None),
        "beam.accelerating_voltage": (float(volt), "V"), "beam.type": ("electron", None),
        "beam.emission_current": (si(micro_amp, 1e-9), "A"), "optics.magnification": (float(magnification), "1"),
        "optics.working_distance": (si(wd, 1e-6), "m"), "detector.name": (said["SignalName"], None),
        "stage.x": (si(x, 1e-9), "m"), "stage.y": (si(y, 1e-9), "m"), "stage.z": (si(z, 1e-9), "m"),
        "stage.rotation": (turn, "degree"), "stage.tilt_alpha": (tilt, "degree"),
    }  # fmt: skip
    beside = b"\xff\xfe" + text.encode("utf-16-le") if units else text.encode("ascii")
    files = {f"{name}.tif": tiff.directory_last(image, {}), f"{name}.txt": beside}
    return Sample(kind, "hitachi-sem-tiff", files, terms, picture(image, si(nm, 1e-9)))


def plain(at: Sitting) -> Sample:
    """Save a picture as some program does, with nothing of an instrument in it."""
    image = scenes.grey(scenes.expose(at.chance, scenes.particles(at.chance, 150, 200)))
    return Sample(
        "plain-picture",
        "plain-image",
        {f"for the poster {at.number}.png": tiff.png(image)},
        {},
        (Made(image, ((1.0, None),) * 2),),
    )
