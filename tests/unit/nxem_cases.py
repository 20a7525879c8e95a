"""Small acquisitions of each kind, the trees that they become, and such a tree as readable lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from nffa_cli.crosswalk import outward
from nffa_cli.export import nxem
from nffa_cli.export.tree import Ramp, Samples, Tree
from nffa_cli.records import Axis, Quantity, RawMetadata, Record, Signal

OUTWARD = outward.load(Path(__file__).parents[2] / "crosswalks" / "outward" / "nxem.yaml")
SESSION, PROFILE = "nffa-session.yaml/x", "profile:p/x"


class Acquisition(NamedTuple):
    format: str
    signals: tuple[Signal, ...]
    terms: dict[str, Quantity]
    tree: dict[str, Any]
    reader: str = "nffa tiff"


def signal(kind, shape, dtype, *axes, name=None):
    """Return a signal; an axis is (name, scale, unit) or (name, scale, unit, offset) or a bare name."""
    made = []
    for size, axis in zip(shape, axes, strict=True):
        axis_name, scale, unit, offset = (*((axis, 1.0, None) if isinstance(axis, str) else axis), 0.0)[:4]
        made.append(Axis(axis_name, size, scale, offset, unit))
    return Signal(name, kind, tuple(shape), dtype, tuple(made))


def terms(source="file/tag", **values):
    """Return terms from keyword arguments like ``beam__type="ion"`` or ``stage__x=(0.1, "m")``."""
    found = {}
    for key, value in values.items():
        number, unit = value if isinstance(value, tuple) else (value, None)
        found[key.replace("__", ".")] = Quantity(number, unit, source, number)
    return found


def acquisition(*signals, format="gatan-dm3", tree=None, reader="nffa tiff", **values):
    return Acquisition(format, signals, terms(**values), tree or {"a": 1}, reader)


def build(case: Acquisition, *, files=None, outward_=OUTWARD) -> Tree:
    record = Record(case.format, case.terms, case.signals)
    raw = RawMetadata(case.format, case.tree, case.signals, reader=case.reader)
    listed = files or (nxem.SourceFile("pic.tif", 100, "0" * 64),)
    return nxem.build(record, raw, nxem.Source("a1", "d1", listed, "1.2", "k1"), outward_)


NM, PER_M = (1e-9, "m"), (1e6, "1/m")
PICTURE = (("y", *NM), ("x", *NM))
KSPACE = (("ky", *PER_M), ("kx", *PER_M))

ACQUISITIONS = {
    "sem": Acquisition(
        "zeiss-sem-tiff",
        (signal("image", (4, 6), "uint8", ("y", 1e-8, "m"), ("x", 2e-8, "m")),),
        terms(
            acquisition__start="2024-05-06T09:05:00+02:00",
            beam__type="electron",
            beam__source="Schottky",
            beam__accelerating_voltage=(10000.0, "V"),
            optics__magnification=(20000.0, "1"),
            optics__working_distance=(0.005, "m"),
            stage__x=(0.01, "m"),
            stage__y=(0.02, "m"),
            stage__z=(0.03, "m"),
            stage__tilt_alpha=(1.5, "degree"),
            stage__tilt_beta=(0.0, "degree"),
            stage__rotation=(15.0, "degree"),
            detector__name="InLens",
            instrument__vendor="Zeiss",
            instrument__model="SUPRA 40",
            instrument__serial="77",
            instrument__software="V06.00",
        )
        | terms(PROFILE, instrument__facility="Trieste")
        | terms(
            SESSION,
            sample__name="W12",
            sample__atom_types=["Si", "O"],
            sample__preparation_date="2024-05-06T08:00:00+02:00",
            sample__physical_form="nanowires",
            operator__name="Jane",
            operator__orcid="0000-0002-1825-0097",
        ),
        {"EHT": 10.0, "a/b": [1, 2]},
    ),
    "dm3 with three signals": acquisition(
        signal("image", (4, 6), "uint16", *PICTURE, name="HAADF"),
        signal("spectrum", (8,), "float32", ("Energy loss", 0.5, "eV", -20.0), name="EELS"),
        signal("diffraction", (4, 6), "int32", ("ky", *PER_M, -2.0), ("kx", *PER_M, -3.0), name="SAED"),
    ),
    "spectrum image": acquisition(
        signal("spectrum-image", (3, 4, 8), "float32", *PICTURE, ("Energy", 10.0, "eV"), name="EELS")
    ),
    "4D-STEM": acquisition(signal("4d-stem", (2, 3, 4, 5), "uint16", *PICTURE, *KSPACE)),
    "colour": acquisition(signal("image", (4, 6, 3), "uint8", "y", "x", "colour")),
    "complex": acquisition(signal("complex", (4, 6), "complex64", ("y", *PER_M), ("x", *PER_M), name="FFT")),
    "stack": acquisition(signal("stack", (5, 4, 6), "uint16", ("time", 0.1, "s"), *PICTURE)),
}


def outline(tree: Tree, path: str = "/") -> str:
    """Return a tree as lines: a group by its path and class, its fields below it, attributes behind either."""
    lines = [f"{path} {tree['@NX_class']}{_attributes(tree, '')}"]
    groups = []
    for key, value in tree.items():
        if "@" in key:
            continue
        if isinstance(value, dict):
            groups.append((f"{path.rstrip('/')}/{key}", value))
        else:
            lines.append(f"  {key} = {_value(value)}{_attributes(tree, key)}")
    return "\n".join([*lines, *(outline(group, place) for place, group in groups)])


def _attributes(tree: Tree, field: str) -> str:
    found = [(key.partition("@"), value) for key, value in tree.items() if key.startswith(f"{field}@")]
    return "".join(
        f" @{name}={','.join(value) if isinstance(value, list) else value}"
        for (_, _, name), value in found
        if name != "NX_class"
    )


def _value(value: Any) -> str:
    if isinstance(value, Samples):
        picks = ",".join(":" if pick == slice(None) else f"{pick.start}:{pick.stop}" for pick in value.picks)
        more = f" [{picks}]" if picks else f" {value.part}" if value.part else ""
        return f"signal {value.signal} {value.shape} {value.dtype}{more}"
    if isinstance(value, Ramp):
        return f"{value.size} whole" if value.whole else f"{value.size} from {value.offset} by {value.scale}"
    return "000..." if value == "0" * 64 else str(value)
