"""Our own judge: what the others do not see in an exported file, and every number against readings that owe nothing to nffa.

Each check returns a list of complaints. ``tests/corpus/test_nexus_corpus.py`` asks it about the real files,
``tests/e2e/test_export.py`` about samples.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CLASSES = {
    "sample": "NXsample", "measurement": "NXem_measurement", "instrument": "NXem_instrument", "event": "NXem_event_data",
    "fabrication": "NXfabrication", "ebeam_column": "NXebeam_column", "electron_source": "NXsource",
    "optics": "NXem_optical_system", "scan_controller": "NXscan_controller", "detector": "NXdetector",
    "stage": "NXmanipulator", "image": "NXimage", "spectrum": "NXspectrum", "process": "NXprocess", "input": "NXnote",
    "note": "NXnote", "user": "NXuser", "profiling": "NXcs_profiling", "program": "NXprogram",
    "vendor_metadata": "NXcollection", "nffa": "NXcollection", "processing_reference_frame": "NXcoordinate_system",
}  # fmt: skip
"""Name of a group, less its number → its class."""

SPACE = {
    1: ["axis_i"],
    2: ["axis_j", "axis_i"],
    3: ["axis_k", "axis_j", "axis_i"],
    4: ["axis_m", "axis_k", "axis_j", "axis_i"],
}
DATA = {
    **{f"image_{n}d": axes for n, axes in SPACE.items()},
    "spectrum_0d": ["axis_energy"],
    **{f"spectrum_{n}d": [*SPACE[n], "axis_energy"] for n in (1, 2, 3)},
    **{f"image stack_{n}d": ["indices_image", *SPACE[n]] for n in (1, 2, 3)},
    "spectrum stack_0d": ["indices_spectrum", "axis_energy"],
    **{f"spectrum stack_{n}d": ["indices_spectrum", *SPACE[n], "axis_energy"] for n in (1, 2, 3)},
}
"""Name of an NXdata (a stack: with its parent's) → its axes, slow to fast."""

NOTHING = {"", "-", "n/a", "na", "none", "null", "unknown", "unnamed", "not available", "nan", "todo", "undefined"}
"""Texts that stand for a value that nobody knows."""

SI = {
    "V": (1.0, "V"), "kV": (1e3, "V"), "A": (1.0, "A"), "nA": (1e-9, "A"), "pA": (1e-12, "A"), "s": (1.0, "s"),
    "ms": (1e-3, "s"), "us": (1e-6, "s"), "m": (1.0, "m"), "mm": (1e-3, "m"), "um": (1e-6, "m"), "µm": (1e-6, "m"),
    "nm": (1e-9, "m"), "pm": (1e-12, "m"), "Å": (1e-10, "m"), "angstrom": (1e-10, "m"), "1/m": (1.0, "1/m"),
    "1/nm": (1e9, "1/m"), "1 / nm": (1e9, "1/m"), "eV": (1.0, "eV"), "keV": (1e3, "eV"), "degree": (1.0, "degree"),
    "deg": (1.0, "degree"), "rad": (180 / np.pi, "degree"), "mrad": (0.18 / np.pi, "degree"), "1": (1.0, "1"), "": (1.0, "1"),
}  # fmt: skip
"""Unit → (factor to the canonical unit, that unit)."""

READERS = {
    "tia": "tia", "velox-emd": "emd", "ncem-emd": "emd",
    "bruker-bcf": "bruker", "bruker-spx": "bruker", "emsa-msa": "msa", "edax-spc": "edax", "jeol-eds": "jeol",
    "phenom-elid": "phenom", "mrc": "mrc", "blockfile": "blockfile",
}  # fmt: skip
"""Format → RosettaSciIO's reader; DigitalMicrograph goes through HyperSpy, and all else is TIFF."""


@dataclass(frozen=True)
class Piece:
    """One array as an independent reader gives it, with (scale, unit) of each axis in SI; unit None: it does not say."""

    data: np.ndarray
    axes: tuple[tuple[float, str | None], ...]


def read_independently(path: Path, format: str) -> list[Piece]:
    """Read a vendor's file with RosettaSciIO and take apart what NXem keeps apart: colours, and parts of complex numbers."""
    logging.getLogger("rsciio").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if format.startswith("gatan-"):
            found = _with_hyperspy(path)
        else:
            reader = importlib.import_module(f"rsciio.{READERS.get(format, 'tiff')}")
            found = reader.file_reader(str(path))
    pieces = []
    for signal in found:
        data, axes = np.asarray(signal["data"]), [_si(axis) for axis in signal["axes"]]
        if format == "ncem-emd":  # RosettaSciIO turns NCEM's axes round
            data, axes = data.T, axes[::-1]
        if data.dtype.names:
            parts = [np.ascontiguousarray(data[name]) for name in data.dtype.names]
        elif len(axes) == 3 and data.shape[-1] in (3, 4) and format == "phenom-elid":
            parts, axes = [data[..., n] for n in range(data.shape[-1])], axes[:2]
        else:
            parts = [data]
        pieces += [Piece(part, tuple(axes)) for part in parts]
    return pieces


def _with_hyperspy(path: Path) -> list[dict[str, Any]]:
    """Read a DigitalMicrograph file with HyperSpy, which turns spectrum images round as RosettaSciIO tells it to."""
    import hyperspy.api as hs

    loaded = hs.load(path)
    found = []
    for signal in loaded if isinstance(loaded, list) else [loaded]:
        manager = signal.axes_manager
        axes = [*manager.navigation_axes[::-1], *manager.signal_axes[::-1]]
        found.append({"data": signal.data, "axes": [{"scale": axis.scale, "units": str(axis.units)} for axis in axes]})
    return found


def _si(axis: dict[str, Any]) -> tuple[float, str | None]:
    unit = str(axis.get("units") or "").replace("n_m", "nm")
    unit = "Å" if unit == "A" else unit  # on an axis
    factor, name = SI.get(unit, (1.0, None))
    return float(axis["scale"]) * factor, name if name != "1" else None


def groups(file: h5py.File, *, free: bool = False) -> Iterator[h5py.Group]:
    """Yield every group; ``free``: also what lies in collections."""

    def walk(group: h5py.Group) -> Iterator[h5py.Group]:
        yield group
        if free or group.attrs.get("NX_class") != "NXcollection":
            for item in group.values():
                if isinstance(item, h5py.Group):
                    yield from walk(item)

    return walk(file["/"])


def plots(file: h5py.File) -> list[h5py.Group]:
    """Return every NXdata."""
    return [group for group in groups(file) if group.attrs.get("NX_class") == "NXdata"]


def classes(file: h5py.File) -> list[str]:
    """Every group has a class, and a known name the class that belongs to it."""
    wrong = [f"{group.name} has no NX_class" for group in groups(file, free=True) if "NX_class" not in group.attrs]
    for group in groups(file):
        name = re.sub(r"\d+$", "", group.name.rpartition("/")[2])
        if name in CLASSES and group.attrs.get("NX_class") != CLASSES[name]:
            wrong.append(f"{group.name} is of class {group.attrs.get('NX_class')}")
    if file.attrs.get("NX_class") != "NXroot":
        wrong.append("the root is no NXroot")
    if not any(group.attrs.get("NX_class") == "NXsample" for group in groups(file)):
        wrong.append("there is no sample")
    return wrong


def data_rules(file: h5py.File) -> list[str]:
    """Each NXdata is consistent: signal, axes, indices, lengths, ranks, names."""
    wrong = []
    for group in plots(file):
        at, name = group.name, group.name.rpartition("/")[2]
        signal = group.get(group.attrs.get("signal", ""))
        axes = list(group.attrs.get("axes", ()))
        if not isinstance(signal, h5py.Dataset):
            wrong.append(f"{at}: @signal leads nowhere")
            continue
        family = re.sub(r"\d+$", "", group.parent.name.rpartition("/")[2])
        expected = DATA.get(name) or DATA.get(f"{family} {name}")
        if axes != expected:
            wrong.append(f"{at}: axes {axes}, expected {expected}")
        if len(axes) != signal.ndim:
            wrong.append(f"{at}: {len(axes)} axes for {signal.ndim} dimensions")
            continue
        if "units" in signal.attrs or not signal.attrs.get("long_name"):
            wrong.append(f"{at}: the signal has units, or no long_name")
        if "title" not in group:
            wrong.append(f"{at}: no title")
        for place, axis in enumerate(axes):
            index = group.attrs.get(f"{axis}_indices")
            if index is None or int(index) != place or np.asarray(index).dtype.kind != "u":
                wrong.append(f"{at}: @{axis}_indices is {index!r}, not unsigned {place}")
            field = group.get(axis)
            if not isinstance(field, h5py.Dataset) or field.shape != (signal.shape[place],):
                wrong.append(f"{at}: {axis} does not fit the signal")
            elif not field.attrs.get("long_name") or ("units" not in field.attrs and not axis.startswith("indices_")):
                wrong.append(f"{at}: {axis} has no long_name or no units")
    return wrong


def default_chain(file: h5py.File) -> list[str]:
    """@default leads from the root to an NXdata."""
    group = file["/"]
    for _ in range(9):
        if group.attrs.get("NX_class") == "NXdata":
            return []
        name = group.attrs.get("default")
        if name is None or not isinstance(group.get(name), h5py.Group):
            return [f"{group.name}: @default is {name!r}, which leads nowhere"]
        group = group[name]
    return ["@default goes round"]


def empty_words(file: h5py.File) -> list[str]:
    """No field outside the collections holds a text that stands for nothing."""
    wrong = []
    for group in groups(file):
        if group.attrs.get("NX_class") == "NXcollection":
            continue
        for name, item in group.items():
            if isinstance(item, h5py.Dataset) and h5py.check_string_dtype(item.dtype):
                texts = [item.asstr()[()]] if item.shape == () else item.asstr()[()].ravel().tolist()
                wrong += [f"{group.name}/{name}: {text!r}" for text in texts if text.strip().casefold() in NOTHING]
    return wrong


def notes(file: h5py.File, hashes: dict[str, str]) -> list[str]:
    """There is a note with the right hash for every source file; the first is the main file."""
    entry = file["entry1"]
    found = {}
    for name in sorted(name for name in entry if re.fullmatch(r"note\d+", name)):
        note = entry[name]
        found[text(note["file_name"])] = (text(note["checksum"]), text(note["algorithm"]))
    wrong = [f"notes of {list(found)}, not of {list(hashes)}"] if list(found) != list(hashes) else []
    return wrong + [
        f"{name}: {found.get(name)}" for name, digest in hashes.items() if found.get(name) != (digest, "sha256")
    ]


def vendor_tree(file: h5py.File) -> Any:
    """Return the vendor's tree as the file keeps it as JSON."""
    (group,) = [group for group in groups(file) if group.name.endswith("/vendor_metadata")]
    return json.loads(text(group["json"]))


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield where two trees of JSON differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if key in one and key in other:
                yield from differences(one[key], other[key], f"{place}/{key}")
            else:
                yield f"{place}/{key}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{place}/{number}")
    elif one != other or type(one) is not type(other):
        yield place


def samples(file: h5py.File, pieces: list[Piece], *, axes: bool = True) -> list[str]:
    """Every independent piece is in the file, sample by sample, with its scales and units; nothing else is."""
    wrong, left = [], plots(file)
    for number, piece in enumerate(pieces):
        same = [group for group in left if equal(group[group.attrs["signal"]], piece.data)]
        if not same:
            wrong.append(f"piece {number} {piece.data.shape} {piece.data.dtype} is not in the file")
            continue
        left.remove(same[0])
        wrong += calibration(same[0], piece) if axes else []
    return wrong + [f"{group.name} is in no other reader's file" for group in left]


def equal(field: h5py.Dataset, data: np.ndarray) -> bool:
    return field.shape == data.shape and field.dtype == data.dtype.newbyteorder("=") and np.array_equal(field[()], data)


def calibration(group: h5py.Group, piece: Piece) -> list[str]:
    wrong = []
    for name, (scale, unit) in zip(group.attrs["axes"], piece.axes, strict=True):
        ours = step_of(group, name)
        if unit is None or (ours is None and len(group[name]) > 1):
            continue
        if ours is not None and (ours[1] != unit or not np.isclose(ours[0], scale, rtol=1e-5, atol=0)):
            wrong.append(f"{group.name}/{name}: step {ours}, another reader says {scale, unit}")
    return wrong


def step_of(group: h5py.Group, name: str) -> tuple[float, str] | None:
    """Return (step, unit) of an axis in SI; None where it is not calibrated or has one position only."""
    if name.startswith("indices_"):
        if "position" not in group:
            return None
        name = "position"
    field = group[name]
    unit = field.attrs.get("units")
    if unit in (None, "px") or field.size < 2:
        return None
    values = field[()]
    factor, canonical = SI[unit]
    return float(values[-1] - values[0]) / (field.size - 1) * factor, canonical


def record_of(file: h5py.File) -> dict[str, Any]:
    """Return terms and axes as NXem's own places give them, in the form that the scorer of ../shared judges."""
    state = "entry1/measurement/event1/instrument"
    places = {
        "beam.accelerating_voltage": f"{state}/ebeam_column/electron_source/voltage",
        "stage.tilt_alpha": f"{state}/stage1/tilt1",
        "stage.tilt_beta": f"{state}/stage1/tilt2",
        "stage.rotation": f"{state}/stage1/rotation",
        "optics.magnification": f"{state}/optics/magnification",
        "optics.working_distance": f"{state}/optics/working_distance",
        "optics.camera_length": f"{state}/optics/camera_length",
        "beam.probe_current": f"{state}/optics/probe_current",
        "scan.dwell_time": f"{state}/scan_controller/dwell_time",
        "acquisition.start": "entry1/start_time",
        "instrument.model": "entry1/measurement/instrument/fabrication/model",
        "instrument.serial": "entry1/measurement/instrument/fabrication/serial_number",
    }
    terms = {term: quantity(file[place]) for term, place in places.items() if place in file}
    if f"{state}/stage1/position" in file:
        field = file[f"{state}/stage1/position"]
        for axis, value in zip("xyz", field[()], strict=True):
            terms[f"stage.{axis}"] = {"value": float(value), "unit": field.attrs["units"]}
    return {"terms": terms, "signals": [{"axes": steps(group)} for group in plots(file)]}


def kept_terms(file: h5py.File) -> dict[str, Any]:
    """Return the record as the file's collection of terms keeps it."""
    folder = file["entry1/nffa/terms"]
    found = {}
    folder.visititems(lambda name, item: found.update({name.replace("/", "."): item}))
    fields = {name.removesuffix("_"): item for name, item in found.items() if isinstance(item, h5py.Dataset)}
    terms = {name: quantity(item) for name, item in fields.items()}  # NeXus keeps names that end in _offset for itself
    return {"terms": terms, "signals": [{"axes": steps(group)} for group in plots(file)]}


def steps(group: h5py.Group) -> list[dict[str, Any]]:
    found = [step_of(group, name) for name in group.attrs["axes"]]
    return [{"scale": step[0], "unit": step[1]} for step in found if step]


def quantity(field: h5py.Dataset) -> dict[str, Any]:
    if h5py.check_string_dtype(field.dtype):
        value = text(field) if field.shape == () else field.asstr()[()].tolist()
    else:
        value = field[()].item() if field.shape == () else field[()].tolist()
    unit = field.attrs.get("units")
    factor, name = SI[unit] if unit in SI and isinstance(value, float) else (1.0, unit)
    return {"value": value * factor if isinstance(value, float) else value, "unit": name}


def text(field: h5py.Dataset) -> str:
    """Return the text of a field."""
    found: str = field.asstr()[()]
    return found
