"""TIA acquisitions (FEI, now Thermo Fisher): an `.emi` with its `.ser` files, or one of them alone, as raw metadata.

``tia_ser`` reads the numbers and ``tia_emi`` the descriptions; here they are paired, and the numbers get their meaning:
units, kinds, names of the signals. Pixels are not read. Rows lie bottom up in a `.ser`: the layouts say so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import tia_emi, tia_ser
from nffa_cli.rawtree import ABSENT, get
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

SPACE_UNITS = {"Real Space": "m", "Reciprocal Space": "1/m", "EDX": "eV", "PEELS": "eV"}
DIMENSION_UNITS = {"meters": "m", "1/meters": "1/m", "seconds": "s", "": None}
"""Units of the steps of a series, as TIA spells them; others are passed on as they are."""
SPECTRUM_NAMES = {"EDX": "EDS", "PEELS": "EELS"}
"""The space of a spectrum to the name of its signal."""

DETECTOR = re.compile(r"\b(?:HAADF|(?:[A-Z]{0,3}ADF|BF|DF|DPC|SE|BSE|CCD)\d{0,2}(?:-[A-Z0-9]{1,2})?)\b")
"""The detector in an object's name such as ``Acquire DF4`` or ``STEM HAADF Detector``."""

LARGEST_PIXEL_M = 1e-3
LEAST_PATTERN_PIXEL = 1e3
"""Steps that settle the unit. No microscope has pixels of 1 mm, and no camera length makes a pixel of a pattern finer
than 1000 1/m (15 um at a kilometre, 300 kV, make 8000)."""
ENERGY_STEPS = (1e-4, 1e3)
"""eV per channel that spectrometers have."""

CLOCK_SLACK = timedelta(minutes=1)
WIDEST_OFFSET = timedelta(hours=14)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class _Gathered:
    """What the files of one acquisition add up to."""

    trees: list[Mapping[str, Any]] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    faults: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


def read(files: Sequence[str]) -> RawMetadata:
    """Read the headers of a TIA acquisition.

    Parameters
    ----------
    files
        The `.emi` and its `.ser` files in order, a lone `.emi`, or a lone `.ser`.

    Returns
    -------
    RawMetadata
        ``tree``: ``emi`` (with every ``ObjectInfo``) and ``ser`` (a list of headers). Anchors: ``object``, the first
        object that has an experimental description (its date begins the acquisition), and ``signal``, the object
        of the first `.ser`. Axes are in m, 1/m and eV. The offsets count from the first pixel's place in the `.ser`
        (``CalibrationElement`` taken in), also along y, where TIA counts upwards.

    Raises
    ------
    UnreadableFile
        The main file is empty, no TIA file, or cut within its header.
    """
    found = _Gathered()
    if _is_series(files[0]):
        series = tia_ser.read_series(files[0])
        found.faults += series.faults
        _add(found, files[0], series, None, {})
        tree: dict[str, Any] = {"ser": found.trees}
        return _raw(tree, found, {"object": "emi.ObjectInfo.0", "signal": "emi.ObjectInfo.0"}, series.needs)

    document = tia_emi.read_document(files[0])
    found.faults += document.faults
    found.warnings += document.warnings
    paired = _paired(document, files[1:])
    for path, index in paired.items():
        _add_sidecar(found, path, index, document.objects)
    promised = document.series()
    if missing := sorted(set(promised) - {_number(path) for path in files[1:]}):
        names = ", ".join(f"_{number}.ser" for number in missing)
        found.warnings.append(
            Remark("partner-missing", f"{len(missing)} of {len(promised)} ser files are missing: {names}")
        )
    described = (index for index, info in enumerate(document.objects) if "ExperimentalDescription" in info)
    main = next(described, 0)
    first = next((index for index in (*paired.values(), *promised.values()) if index is not None), main)
    anchors = {"object": f"emi.ObjectInfo.{main}", "signal": f"emi.ObjectInfo.{first}"}
    tree = {"emi": document.tree, **({"ser": found.trees} if found.trees else {})}
    return _raw(tree, found, anchors, document.needs)


def _raw(tree: Mapping[str, Any], found: _Gathered, anchors: Mapping[str, str], needs: int | None) -> RawMetadata:
    return RawMetadata(
        format="tia",
        tree=tree,
        signals=tuple(found.signals),
        anchors=anchors,
        needs=needs,
        faults=tuple(found.faults),
        warnings=tuple(found.warnings),
        reader="nffa tia",
    )


def _is_series(path: str) -> bool:
    with Path(path).open("rb") as file:
        head = file.read(4)
    if not head:
        raise UnreadableFile("the file is empty", code="empty", where=path)
    return head[:2] == tia_ser.MAGIC[:2]


def _number(path: str) -> int | None:
    match = re.search(r"_(\d{1,9})\.ser$", path, re.IGNORECASE)
    return int(match[1]) if match else None


def _paired(document: tia_emi.Document, paths: Sequence[str]) -> dict[str, int | None]:
    """Return the index of each `.ser` file's object; None: the emi has none for it.

    The emi names the `.ser` of each object by the path at the microscope; its ending ``_1.ser`` outlives a renaming.
    Where no object names one (unknown generations of TIA) the order of the described objects decides.
    """
    promised = document.series()
    described = [index for index, info in enumerate(document.objects) if "ExperimentalDescription" in info]
    if not promised:
        promised = {place + 1: index for place, index in enumerate(described)}
    numbers = {path: _number(path) or place + 1 for place, path in enumerate(paths)}
    return {path: promised.get(number) for path, number in numbers.items()}


def _add_sidecar(found: _Gathered, path: str, index: int | None, objects: Sequence[Mapping[str, Any]]) -> None:
    name = Path(path).name
    try:
        series = tia_ser.read_series(path)
    except (UnreadableFile, OSError) as error:
        code = error.code if isinstance(error, UnreadableFile) else "unreadable"
        found.faults.append(Remark(code, f"{name}: {getattr(error, 'what', error)}"))
        return
    for fault in series.faults:
        # TIA leaves a single spectrum in the emi and writes a ser without elements beside it.
        target = found.warnings if fault.code == "empty" else found.faults
        target.append(Remark(fault.code, f"{name}: {fault.detail}"))
    if index is None:
        found.warnings.append(Remark("no-description", f"{name}: the emi has no object for it"))
    info = {} if index is None else objects[index]
    _add(found, path, series, name, info)


def _add(found: _Gathered, path: str, series: tia_ser.Series, label: str | None, info: Mapping[str, Any]) -> None:
    """Add one `.ser`: its tree, its signal when its elements could be read, and what a person should know of it."""
    found.trees.append(series.tree)
    if series.first is None:
        return
    where = f"{label}: " if label else ""
    signal, remarks = _signal(path, series, info)
    found.signals.append(signal)
    found.warnings += [Remark(remark.code, where + remark.detail) for remark in remarks]
    local, stamp = _ctime(str(info.get("AcquireDate", ""))), series.first.time
    if local and stamp and not _clocks_agree(local, stamp):
        utc = datetime(1970, 1, 1) + timedelta(seconds=stamp)  # noqa: DTZ001 compared with a local clock
        detail = f"the emi says {local.isoformat()} local time, the ser {utc.isoformat()} UTC: no time zone does that"
        found.warnings.append(Remark("clock-disagreement", where + detail))


def _ctime(text: str) -> datetime | None:
    """Return the moment of C's ``ctime``, always English: ``Sun Feb 21 17:50:18 2016``."""
    match = re.fullmatch(r"\s*\w{3} (\w{3}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})\s*", text)
    if match is None or match[1] not in MONTHS:
        return None
    day, hour, minute, second, year = (int(part) for part in match.groups()[1:])
    try:
        return datetime(year, MONTHS.index(match[1]) + 1, day, hour, minute, second)  # noqa: DTZ001 no zone is stored
    except ValueError:
        return None


def _clocks_agree(local: datetime, stamp: int) -> bool:
    """Tell whether a time zone (whole quarter hours) explains how far the local time is from the Unix time."""
    ahead = local - (datetime(1970, 1, 1) + timedelta(seconds=stamp))  # noqa: DTZ001 the difference is wanted
    quarter = timedelta(minutes=15)
    off = ahead % quarter
    return abs(ahead) <= WIDEST_OFFSET + CLOCK_SLACK and min(off, quarter - off) <= CLOCK_SLACK


def _signal(path: str, series: tia_ser.Series, info: Mapping[str, Any]) -> tuple[Signal, list[Remark]]:
    """Return the signal of one `.ser` and the remarks on it. The caller has checked that there is a first element."""
    first = series.elements[0]
    unit, remarks = _unit(series, first, info)
    steps = _steps(series, remarks)
    names: tuple[str, ...] = ({"m": "x", "eV": "energy"}.get(unit or "", "channel"),)
    if series.pictures:
        names = ("ky", "kx") if unit == "1/m" else ("y", "x")
    inner = tuple(
        Axis(name, size, scale if unit else 1.0, origin if unit else 0.0, unit)
        for name, size, scale, origin in zip(names, first.sizes, first.scales, first.origins, strict=True)
    )
    axes = (*steps, *inner)
    shape = tuple(axis.size for axis in axes)
    kind = _kind(series, unit, len(steps))
    count = math.prod(axis.size for axis in steps)
    layout = Layout(
        path=path,
        method="raw",
        dtype=series.stored,
        offsets=series.offsets[:count],
        detail={"mirrored": (len(shape) - 2,)} if series.pictures else {},
    )
    return Signal(_name(info), kind, shape, series.dtype, axes, layout), remarks


def _kind(series: tia_ser.Series, unit: str | None, depth: int) -> Kind:
    """Choose the kind by what an element is, its unit, and how many dimensions of steps there are."""
    if not series.pictures:
        if depth:
            return "spectrum-image"
        return "profile" if unit == "m" else "spectrum"
    if series.dtype.startswith("complex"):
        return "complex"
    if unit != "1/m":
        return "stack" if depth else "image"
    return ("diffraction", "diffraction-stack", "4d-stem")[min(depth, 2)]


def _name(info: Mapping[str, Any]) -> str | None:
    """Return the name of what took the data: camera, detector in the object's name, or kind of spectrum."""
    camera = get(info, "AcquireInfo.CameraNamePath")
    if isinstance(camera, str) and camera.strip():
        return camera.strip()
    item = info.get("Item", {})
    if spectrum := SPECTRUM_NAMES.get(item.get("Space", "")):
        return spectrum
    match = DETECTOR.search(item.get("Name", ""))
    return match[0] if match else item.get("Name")


def _unit(series: tia_ser.Series, first: tia_ser.Element, info: Mapping[str, Any]) -> tuple[str | None, list[Remark]]:
    """Return the unit of an element's axes: as the emi says; else, with a remark, as its size leaves no doubt.

    The `.ser` does not hold it (RosettaSciIO, which takes metres, is wrong by 18 orders of magnitude for patterns).
    """
    step = abs(first.scales[-1])
    if not math.isfinite(step) or step == 0:
        return None, [Remark("unit-unknown", f"a calibration of {step} has no meaning")]
    said = SPACE_UNITS.get(info.get("Item", {}).get("Space", "")) or _unit_by_mode(series, info)
    fits = _unit_by_size(series, first, step)
    if said and (fits is None or said == fits or not series.pictures):
        return said, []
    if fits is None:
        return None, [Remark("unit-unknown", f"nothing says the unit of a step of {step:g}")]
    why = f"the emi says {said}, but" if said else "no emi says it, but"
    return fits, [Remark("unit-inferred", f"{why} a step of {step:g} can only be in {fits}")]


def _unit_by_mode(series: tia_ser.Series, info: Mapping[str, Any]) -> str | None:
    """Return the unit that the optics' mode implies for a picture whose object does not tell its space."""
    mode = get(info, "ExperimentalDescription.Mode.Value")
    if not series.pictures or not isinstance(mode, str) or not mode.strip():
        return None
    camera = get(info, "AcquireInfo.CameraNamePath") is not ABSENT
    pattern = camera if "STEM" in mode else "Diffraction" in mode
    return "1/m" if pattern else "m"


def _unit_by_size(series: tia_ser.Series, first: tia_ser.Element, step: float) -> str | None:
    """Return the only unit in which a step of this size is possible, or None."""
    if step < (LARGEST_PIXEL_M if series.pictures else ENERGY_STEPS[0]):
        return "m"
    if series.pictures:
        return "1/m" if step >= LEAST_PATTERN_PIXEL else None
    uncalibrated = step == 1 and not any(first.origins)
    return "eV" if step <= ENERGY_STEPS[1] and not uncalibrated else None


def _steps(series: tia_ser.Series, remarks: list[Remark]) -> tuple[Axis, ...]:
    """Return the axes over the elements, slow to fast; those of one step are dropped.

    An aborted series keeps its valid elements, an aborted scan its complete lines: RosettaSciIO fills the rest with
    zeros, which nobody measured.
    """
    dimensions = list(series.dimensions)
    if len(dimensions) > 1 and _first_is_fastest(series):
        dimensions.reverse()
    product = math.prod(dimension.size for dimension in dimensions)
    if series.valid < series.total:
        remarks.append(Remark("aborted", f"{series.valid} of {series.total} elements were recorded"))
    if not dimensions or product < series.valid or (product > series.valid and len(dimensions) != 2):
        if len(dimensions) > 1 or product < series.valid:
            shape = " × ".join(str(dimension.size) for dimension in dimensions)
            remarks.append(Remark("scan-shape", f"{series.valid} elements do not make {shape or 'a scan'}"))
        sizes = [series.valid]
        dimensions = dimensions[:1] or [tia_ser.Dimension(series.valid, 0.0, 1.0, 0, "", "")]
    elif product > series.valid:
        lines = series.valid // dimensions[1].size
        sizes = [lines, dimensions[1].size] if lines else [1, series.valid]
    else:
        sizes = [dimension.size for dimension in dimensions]
    names = _step_names(dimensions)
    axes = (_step(name, size, one) for name, size, one in zip(names, sizes, dimensions, strict=True))
    return tuple(axis for axis in axes if axis.size != 1)


def _first_is_fastest(series: tia_ser.Series) -> bool:
    """Tell by the beam's positions whether the scan moved along x first, which is the first dimension."""
    places = [series.elements[index].position for index in (0, 1) if index in series.elements]
    return len(places) == 2 and None not in places and places[0][1] == places[1][1]  # type: ignore[index]


def _step_names(dimensions: Sequence[tia_ser.Dimension]) -> list[str]:
    """Name two positions y and x, one x, and any other step by its own description."""
    places = [place for place, dimension in enumerate(dimensions) if dimension.units == "meters"]
    names = [dimension.description.strip().lower() or "index" for dimension in dimensions]
    for place, name in zip(reversed(places), ("x", "y"), strict=False):
        names[place] = name
    return names


def _step(name: str, size: int, dimension: tia_ser.Dimension) -> Axis:
    unit = DIMENSION_UNITS.get(dimension.units.strip(), dimension.units.strip())
    offset = dimension.offset - dimension.element * dimension.delta
    if unit is None or not math.isfinite(offset) or not math.isfinite(dimension.delta):
        return Axis(name, size)
    return Axis(name, size, dimension.delta, offset, unit)
