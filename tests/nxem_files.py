"""NXem files that are right in every way, as trees and as HDF5 files, for tests to spoil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nffa_cli.export import hdf5
from nffa_cli.export.tree import Ramp, Samples, Tree

TIME = "2024-05-07T09:31:12+02:00"


def _note(**more: str) -> Tree:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    return {
        "@NX_class": "NXnote",
        "type": "image/tiff",
        "file_name": "a.tif",
        "checksum": digest,
        "algorithm": "sha256",
        **more,
    }


def _frame(kind: str) -> Tree:
    frame: Tree = {"@NX_class": "NXcoordinate_system", "alias": kind, "type": "cartesian", "origin": "front_top_left"}
    for name, vector, direction in (
        ("x", [1.0, 0.0, 0.0], "east"),
        ("y", [0.0, 1.0, 0.0], "south"),
        ("z", [0.0, 0.0, 1.0], "in"),
    ):
        frame |= {name: vector, f"{name}@units": "m", f"{name}_direction": direction}
    return frame


def _data(name: str, signal: str, axes: dict[str, tuple[int, str]], number: int = 0) -> Tree:
    """Return an NXdata; ``axes``: name → (size, unit), slow to fast."""
    data: Tree = {"@NX_class": "NXdata", "@signal": signal, "@axes": list(axes)}
    data |= {f"@{axis}_indices": position for position, axis in enumerate(axes)}
    data |= {
        "title": name,
        signal: Samples(number, tuple(size for size, _ in axes.values()), ("uint16", "float32")[number]),
        f"{signal}@long_name": "counts",
    }
    for axis, (size, unit) in axes.items():
        index = axis.startswith("indices_")
        data[axis] = Ramp(size, whole=index) if index else Ramp(size, 0.5, -3.0)
        data[f"{axis}@long_name"] = f"{axis} ({unit})" if unit else axis
        if unit:
            data[f"{axis}@units"] = unit
    return data


def _process() -> Tree:
    return {
        "@NX_class": "NXprocess",
        "detector_identifier": "detector1",
        "input": _note(context="the whole file"),
    }


def minimal() -> Tree:
    """The least that is valid and can be plotted: one SEM image."""
    return {
        "@NX_class": "NXroot",
        "@default": "entry1",
        "entry1": {
            "@NX_class": "NXentry",
            "@default": "measurement",
            "definition": "NXem",
            "definition@version": "v2026.01",
            "start_time": TIME,
            "sample": {
                "@NX_class": "NXsample",
                "is_simulation": False,
                "preparation_date": TIME,
                "atom_types": "Si, O",
            },
            "measurement": {
                "@NX_class": "NXem_measurement",
                "@default": "event1",
                "instrument": {
                    "@NX_class": "NXem_instrument",
                    "fabrication": {"@NX_class": "NXfabrication", "vendor": "ZEISS", "model": "Supra 40"},
                    "ebeam_column": {"@NX_class": "NXebeam_column"},
                },
                "event1": {
                    "@NX_class": "NXem_event_data",
                    "@default": "image1",
                    "image1": {
                        "@NX_class": "NXimage",
                        "@default": "image_2d",
                        "image_2d": _data("SE2", "real", {"axis_j": (6, "nm"), "axis_i": (8, "nm")}),
                    },
                },
            },
        },
    }


def full() -> Tree:
    """One SEM image with all that NXem knows of a session."""
    tree = minimal()
    entry = tree["entry1"]
    entry |= {
        "definition@URL": "https://github.com/nexusformat/definitions/tree/v2026.01",
        "end_time": TIME,
        "experiment_alias": "session 7",
        "note1": _note(),
        "user1": {
            "@NX_class": "NXuser",
            "name": "Ada",
            "identifier_orcid": "0000-0002-1825-0097",
            "identifier_orcid@type": "ORCID",
        },
        "consistent_rotations": {
            "@NX_class": "NXparameters",
            "rotation_handedness": "counter_clockwise",
            "rotation_convention": "passive",
            "euler_angle_convention": "zxz",
            "axis_angle_convention": "rotation_angle_on_interval_zero_to_pi",
            "sign_convention": "p_minus_one",
        },
        "processing_reference_frame": _frame("processing"),
        "sample_reference_frame": _frame("sample"),
        "profiling": {
            "@NX_class": "NXcs_profiling",
            "program1": {"@NX_class": "NXprogram", "program": "nffa", "program@version": "0.1"},
        },
        "nffa": {"@NX_class": "NXcollection", "key with blanks": "µ", "n": 3},
    }
    entry["sample"] |= {
        "name": "W12",
        "physical_form": "slab",
        "physical_form@custom": True,
        "identifier_sample": "10.1/x",
        "identifier_sample@type": "DOI",
        "identifier_parent": "10.1/y",
        "identifier_parent@type": "DOI",
        "thickness": 0.2,
        "thickness@units": "mm",
        "description": "a wafer",
    }
    instrument = entry["measurement"]["instrument"]
    instrument |= {
        "name": "SEM 1",
        "location": "lab 3",
        "type": "sem",
        "program1": {"@NX_class": "NXprogram", "program": "SmartSEM", "program@version": "5.05"},
        "detector1": {"@NX_class": "NXdetector", "name": "InLens"},
    }
    instrument["fabrication"]["serial_number"] = "4711"
    instrument["ebeam_column"]["electron_source"] = {"@NX_class": "NXsource", "emitter_type": "schottky"}
    event = entry["measurement"]["event1"]
    event |= {
        "start_time": TIME,
        "end_time": TIME,
        "identifier_sample": "10.1/x",
        "identifier_sample@type": "DOI",
        "vendor_metadata": {
            "@NX_class": "NXcollection",
            "json": "{}",
            "tree": {"@NX_class": "NXcollection", "AP_ACTUALKV": "EHT = 10.00 kV"},
        },
        "instrument": {
            "@NX_class": "NXem_instrument",
            "ebeam_column": {
                "@NX_class": "NXebeam_column",
                "operation_mode": "high vacuum",
                "electron_source": {"@NX_class": "NXsource", "voltage": 10000.0, "voltage@units": "V"},
                "scan_controller": {
                    "@NX_class": "NXscan_controller",
                    "scan_schema": "raster",
                    "dwell_time": 1e-6,
                    "dwell_time@units": "s",
                },
            },
            "optics": {
                "@NX_class": "NXem_optical_system",
                "working_distance": 4.1e-3,
                "working_distance@units": "m",
                "magnification": 5000.0,
                "magnification@units": "",
                "probe_current": 1e-10,
                "probe_current@units": "A",
            },
            "detector1": {"@NX_class": "NXdetector", "operation_mode": "secondary electrons"},
            "stage1": {
                "@NX_class": "NXmanipulator",
                "design": "eucentric",
                "tilt1": 0.1,
                "tilt1@units": "rad",
                "tilt2": 0.0,
                "tilt2@units": "rad",
                "rotation": 54.0,
                "rotation@units": "degree",
                "position": [1.0e-3, 2.0e-3, 3.0e-3],
                "position@units": "m",
            },
        },
    }
    event["image1"]["process"] = _process()
    return tree


def spectrum() -> Tree:
    """A TEM session: a spectrum image, not square."""
    tree = minimal()
    event = tree["entry1"]["measurement"]["event1"]
    del event["image1"]
    event["@default"] = "spectrum1"
    axes = {"axis_j": (3, "nm"), "axis_i": (5, "nm"), "axis_energy": (16, "eV")}
    event["spectrum1"] = {
        "@NX_class": "NXspectrum",
        "@default": "spectrum_2d",
        "process": _process(),
        "spectrum_2d": _data("EELS", "intensity", axes),
    }
    return tree


def stack() -> Tree:
    """A stack of diffraction patterns in reciprocal space, and an uncalibrated image beside it."""
    tree = minimal()
    event = tree["entry1"]["measurement"]["event1"]
    axes = {"indices_image": (4, ""), "axis_j": (6, "1/nm"), "axis_i": (8, "1/nm")}
    event["image1"] = {"@NX_class": "NXimage", "@default": "stack_2d", "stack_2d": _data("patterns", "real", axes, 1)}
    plain = {"axis_j": (6, "px"), "axis_i": (8, "px")}
    event["image2"] = {"@NX_class": "NXimage", "image_2d": _data("overview", "real", plain)}
    return tree


GOOD = {"minimal": minimal, "full": full, "spectrum": spectrum, "stack": stack}


def write(tree: Tree, path: Path) -> Path:
    """Write a tree; every sample is its number."""

    def read(number: int, picks: tuple[slice, ...]) -> Any:
        shape = [len(range(10**6)[pick]) for pick in picks]
        return np.arange(int(np.prod(shape)), dtype=("uint16", "float32")[number]).reshape(shape)

    hdf5.write(tree, path, read=read)
    return path
