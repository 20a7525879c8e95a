"""The judges themselves: a good file made by hand passes all of them, and one defect more fails the one that should see it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.judges import SCRIPT, complaints

PIXELS = np.arange(6 * 8, dtype="u2").reshape(6, 8)
EVENT = "entry1/measurement/event1"
IMAGE = f"{EVENT}/image1/image_2d"
GOOD = {
    "/": ("NXroot", {"@default": "entry1"}),
    "entry1": ("NXentry", {"@default": "measurement", "definition": "NXem", "start_time": "2024-05-07T09:31:12+02:00"}),
    "entry1/sample": (
        "NXsample",
        {"is_simulation": False, "preparation_date": "2024-05-06T08:00:00+02:00", "atom_types": "Si, O"},
    ),
    "entry1/measurement": ("NXem_measurement", {"@default": "event1"}),
    "entry1/measurement/instrument": ("NXem_instrument", {}),
    "entry1/measurement/instrument/fabrication": ("NXfabrication", {"vendor": "Maker", "model": "Seer"}),
    "entry1/measurement/instrument/ebeam_column": ("NXebeam_column", {}),
    EVENT: ("NXem_event_data", {"@default": "image1"}),
    f"{EVENT}/image1": ("NXimage", {"@default": "image_2d"}),
    IMAGE: (
        "NXdata",
        {
            "@signal": "real",
            "@axes": ["axis_j", "axis_i"],
            "@axis_j_indices": np.uint32(0),
            "@axis_i_indices": np.uint32(1),
            "title": "a ramp",
            "real": PIXELS,
            "axis_j": np.arange(6) * 1.5,
            "axis_i": np.arange(8) * 2.5,
        },
    ),
}
"""The least that NXem asks of an image."""


def write(path: Path, change=lambda file: None) -> Path:
    with h5py.File(path, "w") as file:
        for place, (kind, values) in GOOD.items():
            group = file.require_group(place)
            group.attrs["NX_class"] = kind
            for name, value in values.items():
                if name.startswith("@"):
                    group.attrs[name[1:]] = value
                else:
                    group[name] = value
        data = file[IMAGE]
        for name, words in {"real": "counts", "axis_j": "down (nm)", "axis_i": "right (nm)"}.items():
            data[name].attrs["long_name"] = words
            if name != "real":
                data[name].attrs["units"] = "nm"
        change(file)
    return path


def remove(place):
    return lambda file: file.__delitem__(place)


def put(place, value):
    def change(file):
        file.pop(place, None)
        file[place] = value

    return change


def attribute(place, name, value):
    return lambda file: file[place].attrs.__setitem__(name, value)


def groups(file, place, **classes):
    """Make groups one in the other, given as name=class; return the innermost."""
    group = file[place or "."]
    for name, kind in classes.items():
        group = group.require_group(name)
        group.attrs["NX_class"] = kind
    return group


def voltage(units):
    def change(file):
        source = groups(
            file, EVENT, instrument="NXem_instrument", ebeam_column="NXebeam_column", electron_source="NXsource"
        )
        source["voltage"] = 1e4
        source["voltage"].attrs["units"] = units

    return change


def corrector(file):
    """A part of the column of which only the definitions that pynxtools brings along ask for more."""
    column = groups(file, EVENT, instrument="NXem_instrument", ebeam_column="NXebeam_column")
    groups(column, "", corrector_ax1="NXcomponent")


GOOD_ONES = {"least": lambda file: None, "voltage": voltage("V")}

BAD_ONES = {
    "no elements": (remove("entry1/sample/atom_types"), "sample/atom_types"),
    "no start": (remove("entry1/start_time"), "start_time"),
    "no offset": (put("entry1/start_time", "2024-05-07T09:31:12"), "start_time"),
    "date only": (put("entry1/sample/preparation_date", "2024-05-06"), "preparation_date"),
    "flag as number": (put("entry1/sample/is_simulation", 0), "is_simulation"),
    "no fabrication": (remove("entry1/measurement/instrument/fabrication"), "fabrication"),
    "no signal": (remove(f"{IMAGE}/real"), "real"),
    "axis too short": (put(f"{IMAGE}/axis_i", np.arange(7.0)), "axis_i"),
    "no sample": (remove("entry1/sample"), "sampleID"),
    "counts as unit": (attribute(f"{IMAGE}/real", "units", "counts"), "real"),
    "volts in metres": (voltage("m"), "voltage"),
    "own field": (put("entry1/sample/favourite", "yes"), "favourite"),
    "no definition": (remove("entry1/definition"), "Could not find any valid entry"),
    "unknown definition": (put("entry1/definition", "NXnone"), "Error"),
}
"""Defect → (what is done, a word of the complaint)."""


BLIND = {
    "one of the indices missing": lambda file: file[IMAGE].attrs.__delitem__("axis_i_indices"),
    "group without a class": lambda file: file["entry1/measurement"].create_group("cellar"),
    "class of another": attribute("entry1/measurement/instrument/fabrication", "NX_class", "NXcollection"),
    "default to nowhere": attribute("entry1", "default", "nothing"),
}
"""What pynxtools does not see; ours to check."""


@pytest.fixture(scope="module")
def verdicts(judges, tmp_path_factory):
    """The verdicts on all hand-made files, by name."""
    folder = tmp_path_factory.mktemp("judged")
    changes = {**GOOD_ONES, **{name: change for name, (change, _) in BAD_ONES.items()}, **BLIND, "corrector": corrector}
    paths = {name: write(folder / f"{name}.nxs", change) for name, change in changes.items()}
    paths["no HDF5"] = folder / "no HDF5.nxs"
    paths["no HDF5"].write_bytes(b"not at all")
    found = judges(paths.values())
    return {name: found[path] for name, path in paths.items()}


@pytest.mark.parametrize("name", GOOD_ONES)
def test_a_good_file_is_valid_with_nothing_to_say(verdicts, name):
    verdict = verdicts[name]
    assert complaints(verdict) == []
    for judge in ("official", "own"):
        (line,) = verdict[judge]["lines"]
        assert re.fullmatch(
            r"The entry `entry1` in file `.*` is valid according to the `NXem` application definition.", line
        )


def test_the_plot_is_what_was_written(verdicts):
    plot = verdicts["least"]["silx"]
    assert (plot["group"], plot["signal"], plot["title"]) == (f"/{IMAGE}", "real", "a ramp")
    assert (plot["shape"], plot["dtype"]) == ([6, 8], "uint16")
    assert [(axis["name"], axis["units"]) for axis in plot["axes"]] == [("axis_j", "nm"), ("axis_i", "nm")]
    assert plot["axes"][0]["values"] == [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]


@pytest.mark.parametrize("name", BAD_ONES)
def test_one_defect_is_enough(verdicts, name):
    for judge in ("official", "own"):
        assert not verdicts[name][judge]["valid"]
        assert BAD_ONES[name][1] in "\n".join(verdicts[name][judge]["lines"])


def test_the_viewer_sees_a_broken_plot(verdicts):
    for name in ("default to nowhere", "axis too short", "no signal", "no HDF5"):
        assert not verdicts[name]["silx"]["valid"], name
        assert verdicts[name]["silx"]["lines"]


def test_what_pynxtools_does_not_see_is_left_to_our_own_tests(verdicts):
    """The day that this fails, that tool has learnt it: good."""
    for name in BLIND:
        assert verdicts[name]["official"]["valid"], name
        assert verdicts[name]["own"]["valid"], name


def test_the_two_sets_of_definitions_are_two(verdicts):
    assert verdicts["corrector"]["official"]["valid"]
    assert "corrector_ax1/value_x" in "\n".join(verdicts["corrector"]["own"]["lines"])


def test_what_is_no_hdf5_is_a_verdict_too(verdicts):
    assert {verdicts["no HDF5"][judge]["valid"] for judge in ("official", "own", "silx")} == {False}


def test_the_text_is_that_of_the_command_itself(verdicts):
    verdict = verdicts["no elements"]
    command = [Path(os.environ["NFFA_JUDGE"]).with_name("pynx"), "validate", verdict["path"]]
    environment = {key: value for key, value in os.environ.items() if key != "NEXUS_DEF_PATH"}
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert sorted((said.stdout + said.stderr).splitlines()) == sorted(verdict["own"]["lines"])


def test_the_script_needs_nothing_of_ours():
    assert "nffa_cli" not in SCRIPT.read_text(encoding="utf-8")
