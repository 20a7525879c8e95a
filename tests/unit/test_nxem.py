"""The NXem builder: what it writes, what it leaves out, and what holds for whatever it is given."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nxem_cases import (
    ACQUISITIONS,
    KSPACE,
    OUTWARD,
    PICTURE,
    PROFILE,
    SESSION,
    acquisition,
    build,
    signal,
    terms,
)

from nffa_cli import samples
from nffa_cli.export import nxdata, nxem
from nffa_cli.export.tree import Ramp, Samples, get
from nffa_cli.records import Axis, Layout, Quantity, Signal

EVENT = "/entry1/measurement/event1"
INSTRUMENT = "/entry1/measurement/instrument"
IMAGE = signal("image", (4, 6), "uint16", *PICTURE)


def made(*signals, format="gatan-dm3", **values):
    return build(acquisition(*(signals or (IMAGE,)), format=format, **values))


def groups(tree, path=""):
    yield path, tree
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from groups(value, f"{path}/{key}")


# --- nothing is invented ---


def test_what_nobody_knows_is_left_out_required_or_not():
    tree = made()
    for path in ("start_time", "sample/is_simulation", "sample/atom_types", "sample/preparation_date", "user1"):
        assert get(tree, f"/entry1/{path}") is None, path
    assert get(tree, f"{INSTRUMENT}/fabrication") == {"@NX_class": "NXfabrication"}
    assert get(tree, f"{INSTRUMENT}/ebeam_column") == {"@NX_class": "NXebeam_column"}
    assert get(tree, f"{EVENT}/instrument/ebeam_column") == {"@NX_class": "NXebeam_column"}
    assert get(tree, f"{EVENT}/instrument/optics") is None


@pytest.mark.parametrize("moment", ["2024-05-06T09:05:00", "2024-05-06", "yesterday", "2024-05-06T09:05:00+02"])
def test_a_time_without_offset_is_no_time_for_nexus(moment):
    tree = made(acquisition__start=moment, acquisition__end=moment, sample__preparation_date=moment)
    assert get(tree, "/entry1/start_time") is None
    assert get(tree, f"{EVENT}/end_time") is None
    assert get(tree, "/entry1/sample/preparation_date") is None
    assert get(tree, "/entry1/nffa/terms/acquisition.start") == moment


@pytest.mark.parametrize("moment", ["2024-05-06T09:05:00Z", "2024-05-06T09:05:00.250+02:00"])
def test_a_time_with_offset_is_written_twice(moment):
    tree = made(acquisition__start=moment)
    assert get(tree, "/entry1/start_time") == get(tree, f"{EVENT}/start_time") == moment


def test_a_file_that_says_when_it_was_measured_is_no_simulation():
    assert get(made(acquisition__start="2024-05-06T09:05:00"), "/entry1/sample/is_simulation") is False
    outside = acquisition(IMAGE)._replace(terms=terms(SESSION, acquisition__start="2024-05-06T09:05:00"))
    assert get(build(outside), "/entry1/sample/is_simulation") is None
    said = acquisition(IMAGE)._replace(
        terms=terms(acquisition__start="2024-05-06T09:05:00") | terms(SESSION, sample__is_simulation=True)
    )
    assert get(build(said), "/entry1/sample/is_simulation") is True


def test_a_stage_is_written_whole_or_not_at_all():
    whole = {
        "stage__x": (0.1, "m"), "stage__y": (0.2, "m"), "stage__z": (0.3, "m"), "stage__tilt_alpha": (1.0, "degree"),
        "stage__tilt_beta": (2.0, "degree"), "stage__rotation": (3.0, "degree"),
    }  # fmt: skip
    assert get(made(**whole), f"{EVENT}/instrument/stage1/position") == [0.1, 0.2, 0.3]
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        assert get(made(**lacking), f"{EVENT}/instrument/stage1") is None, name


def test_the_voltage_of_an_ion_beam_is_no_electron_voltage():
    given = {"beam__accelerating_voltage": (30000.0, "V"), "beam__source": "Gallium", "optics__mode": "FIB"}
    ion = made(format="fei-sem-tiff", beam__type="ion", **given)
    assert get(ion, f"{EVENT}/instrument/ebeam_column") == {"@NX_class": "NXebeam_column"}
    assert get(ion, f"{INSTRUMENT}/ebeam_column") == {"@NX_class": "NXebeam_column"}
    assert get(ion, f"{INSTRUMENT}/type") == "fib"
    assert get(ion, "/entry1/nffa/terms/beam.accelerating_voltage") == 30000.0
    electron = made(format="fei-sem-tiff", beam__type="electron", **given)
    assert get(electron, f"{EVENT}/instrument/ebeam_column/electron_source/voltage") == 30000.0


@pytest.mark.parametrize(
    ("format", "model", "volts", "wanted"),
    [
        ("zeiss-sem-tiff", "SUPRA 40", 200e3, "sem"),
        ("zeiss-sem-tiff", "Auriga 60", 5e3, "fib"),
        ("fei-tem-tiff", None, 30e3, "tem"),
        ("velox-emd", None, None, "tem"),
        ("gatan-dm3", None, 200e3, "tem"),
        ("gatan-dm3", "FEI Titan", 60e3, "tem"),
        ("gatan-dm3", None, 30e3, "sem"),
        ("jeol-sem-tiff", "4700F", 5e3, "fib"),
        ("jeol-sem-tiff", "JSM-IT800", 5e3, "sem"),
        ("tia", None, 40e3, None),
        ("tia", None, None, None),
    ],
)
def test_the_type_of_instrument_is_told_by_format_model_or_voltage(format, model, volts, wanted):
    values = ({"instrument__model": model} if model else {}) | (
        {"beam__accelerating_voltage": (volts, "V")} if volts else {}
    )
    assert get(made(format=format, **values), f"{INSTRUMENT}/type") == wanted


def test_a_transmission_microscope_at_low_voltage_is_not_taken_for_an_sem():
    for mode, wanted in (("STEM NANOPROBE", None), ("TEM", None), ("SEM", "sem")):
        values = {"beam__accelerating_voltage": (30e3, "V"), "optics__illumination": mode}
        assert get(made(format="gatan-dm3", **values), f"{INSTRUMENT}/type") == wanted


def test_software_is_only_named_with_its_version():
    assert get(made(format="tia", instrument__software="4.2"), f"{INSTRUMENT}/program1") == {
        "@NX_class": "NXprogram", "program": "TIA", "program@version": "4.2"
    }  # fmt: skip
    velox = get(made(format="velox-emd", instrument__software="Velox 3.7.0-b0"), f"{INSTRUMENT}/program1")
    assert (velox["program"], velox["program@version"]) == ("Velox", "3.7.0-b0")
    assert get(made(format="fei-sem-tiff", instrument__software="5.5.1"), f"{INSTRUMENT}/program1") is None


def test_two_sources_that_name_a_person_may_mean_two_persons():
    mixed = acquisition(IMAGE)._replace(
        terms=terms(operator__name="operator-12345678") | terms(SESSION, operator__orcid="0000-0002-1825-0097")
    )
    assert get(build(mixed), "/entry1/user1") == {
        "@NX_class": "NXuser", "identifier_orcid": "0000-0002-1825-0097", "identifier_orcid@type": "ORCID"
    }  # fmt: skip


def test_a_dimensionless_number_has_no_unit():
    optics = get(made(optics__magnification=(5000.0, "1")), f"{EVENT}/instrument/optics")
    assert optics == {"@NX_class": "NXem_optical_system", "magnification": 5000.0}


def test_a_known_form_of_a_sample_is_not_custom():
    sample = get(made(sample__physical_form="thin_film"), "/entry1/sample")
    assert sample == {"@NX_class": "NXsample", "physical_form": "thin_film"}


# --- signals ---


@pytest.mark.parametrize(
    ("given", "family", "name", "axes"),
    [
        (signal("profile", (9,), "float32", ("x", 1e-9, "m")), "image", "image_1d", "i"),
        (signal("diffraction", (4, 6), "uint16", *KSPACE), "image", "image_2d", "ji"),
        (signal("stack", (3, 4, 6), "bool", "frame", "y", "x"), "image", "stack_2d", ["indices_image", "j", "i"]),
        (signal("stack", (3, 4, 6), "uint8", ("z", 1e-9, "m"), *PICTURE), "image", "image_3d", "kji"),
        (signal("stack", (2, 3, 4, 6), "uint8", "set", "frame", "y", "x"), "image", "image_4d", "mkji"),
        (signal("diffraction-stack", (3, 4, 6), "uint8", ("x", 1e-9, "m"), *KSPACE), "image", "image_3d", "kji"),
        (signal("diffraction-stack", (3, 4, 6), "uint8", "n", *KSPACE), "image", "stack_2d", ["indices_image", "j", "i"]),
        (signal("4d-stem", (3, 4, 6), "uint8", ("x", 1e-9, "m"), *KSPACE), "image", "image_3d", "kji"),
        (signal("spectrum", (8,), "uint32", ("E", 5.0, "eV")), "spectrum", "spectrum_0d", ["energy"]),
        (signal("spectrum", (8,), "uint32", ("wavelength", 1e-9, "m")), "image", "image_1d", "i"),
        (signal("spectrum", (8,), "uint32", "channel"), "image", "image_1d", "i"),
        (signal("spectrum", (8,), "complex64", ("E", 5.0, "eV")), "image", "image_1d", "i"),
        (signal("spectrum-image", (3, 8), "uint32", ("x", 1e-9, "m"), ("E", 5.0, "eV")), "spectrum", "spectrum_1d",
         ["i", "energy"]),
        (signal("spectrum-image", (3, 8), "uint32", "i", ("E", 5.0, "eV")), "spectrum", "spectrum_1d", ["i", "energy"]),
        (signal("spectrum-image", (3, 8), "uint32", ("t", 1.0, "s"), ("E", 5.0, "eV")), "spectrum", "stack_0d",
         ["indices_spectrum", "energy"]),
        (signal("spectrum-image", (2, 3, 8), "uint32", *PICTURE, ("w", 1e-9, "m")), "image", "image_3d", "kji"),
        (signal("spectrum-image", (2, 3, 4, 8), "uint8", ("z", 1e-9, "m"), *PICTURE, ("E", 5.0, "eV")), "spectrum",
         "spectrum_3d", ["k", "j", "i", "energy"]),
    ],
)  # fmt: skip
def test_place_and_axes_of_a_signal(given, family, name, axes):
    (plot,) = nxdata.plots(0, given, "t")
    assert (plot.family, plot.name) == (family, name)
    assert plot.data["@axes"] == [axis if axis.startswith("indices") else f"axis_{axis}" for axis in axes]


def test_what_nxem_has_no_place_for_is_reported_and_nothing_else_is_lost():
    deep = signal("stack", (1, 2, 3, 4, 6), "uint8", *"abcyx", name="deep")
    tree = made(deep, signal("image", (0, 6), "uint8", "y", "x"), signal("image", (4, 6), "str", "y", "x"), IMAGE)
    assert get(tree, "/entry1/nffa/unplaced") == [
        "signal 1 (deep): NXem has no place for 5 dimensions",
        "signal 2: it holds no samples",
        "signal 3: its samples are of type str",
    ]
    assert get(tree, f"{EVENT}/image1/image_2d/real").signal == 3
    assert get(tree, f"{EVENT}/image2") is None


def test_without_a_plot_there_is_no_default():
    tree = build(acquisition())
    assert not [path for path, group in groups(tree) if "@default" in group]
    assert get(tree, f"{EVENT}/vendor_metadata/json") == '{"a": 1}'


def test_an_axis_that_does_not_advance_is_not_calibrated():
    (plot,) = nxdata.plots(0, signal("image", (4, 6), "uint8", ("y", 0.0, "m"), ("x", 1e-9, "m")), "t")
    assert (plot.data["axis_j"], plot.data["axis_j@units"]) == (Ramp(4), "px")


def test_the_name_of_a_signal_is_a_detector_only_where_the_format_means_it():
    haadf, bf = replace(IMAGE, name="HAADF"), replace(IMAGE, name="BF")
    tree = made(haadf, bf, haadf, format="velox-emd", detector__name="HAADF")
    assert [get(tree, f"{INSTRUMENT}/detector{n}/name") for n in (1, 2)] == ["HAADF", "BF"]
    assert get(tree, f"{INSTRUMENT}/detector3") is None
    assert [get(tree, f"{EVENT}/image{n}/process/detector_identifier") for n in (1, 2, 3)] == ["HAADF", "BF", "HAADF"]
    tree = made(haadf, detector__name="UltraScan")
    assert get(tree, f"{INSTRUMENT}/detector1/name") == "UltraScan"
    assert get(made(haadf), f"{INSTRUMENT}/detector1") is None
    assert get(made(haadf), f"{EVENT}/image1/process") is None


def test_what_is_said_of_the_camera_does_not_hold_for_the_spectrometer():
    spectrum = signal("spectrum", (8,), "uint32", ("E", 5.0, "eV"))
    both = made(IMAGE, spectrum, detector__name="camera", spectrometer__name="EDS")
    assert get(both, f"{EVENT}/spectrum1/process/detector_identifier") == "EDS"
    assert get(both, f"{EVENT}/image1/process/detector_identifier") == "camera"
    assert get(made(IMAGE, spectrum, detector__name="camera"), f"{EVENT}/spectrum1/process") is None
    assert get(made(spectrum, detector__name="SDD"), f"{EVENT}/spectrum1/process/detector_identifier") == "SDD"


def test_the_note_of_a_signal_names_the_file_that_holds_its_samples():
    files = (nxem.SourceFile("a.emi", 9, "1" * 64), nxem.SourceFile("a_2.ser", 9, "2" * 64, "sidecar"))
    held = replace(IMAGE, name="BF", layout=Layout("/data/a_2.ser", "raw", "<u2"))
    tree = build(acquisition(held, format="tia"), files=files)
    note = get(tree, f"{EVENT}/image1/process/input")
    assert (note["file_name"], note["checksum"], note["context"]) == ("a_2.ser", "2" * 64, "signal 1 (BF)")
    assert [get(tree, f"/entry1/note{n}/file_name") for n in (1, 2)] == ["a.emi", "a_2.ser"]
    assert get(tree, f"{EVENT}/image1/image_2d/title") == "a.emi: BF"


def test_the_library_that_read_the_file_is_named():
    tree = build(acquisition(IMAGE, reader="rosettasciio 0.15.0"))
    assert get(tree, "/entry1/profiling/program2/program") == "RosettaSciIO"
    assert get(tree, "/entry1/profiling/program2/program@version") == "0.15.0"
    assert get(made(), "/entry1/profiling/program2") is None


# --- the vendor's tree, the record ---


def test_the_vendors_tree_is_whole_as_json_and_can_be_browsed():
    tree = {"a b": {"x/y": 1, "x y": 2.5, "@z": "t"}, "n": None, "big": list(range(2000)), "mixed": [1, "a"],
            "rows": [{"v": 1}, {"v": 2}], "b": {"@bytes": "AA=="}, "stage_offset": 3, "": "nameless", "..": True}  # fmt: skip
    found = get(build(acquisition(IMAGE, tree=tree)), f"{EVENT}/vendor_metadata")
    assert found["json"] == json.dumps(tree)
    assert found["tree"] == {
        "@NX_class": "NXcollection",
        "a_b": {"@NX_class": "NXcollection", "x_y": 1, "x_y_2": 2.5, "_z": "t"},
        "rows": {
            "@NX_class": "NXcollection",
            "0": {"@NX_class": "NXcollection", "v": 1},
            "1": {"@NX_class": "NXcollection", "v": 2},
        },
        "stage_offset_": 3,
        "_": "nameless",
        "__2": True,
    }


def test_numbers_that_are_none_do_not_stop_the_json():
    text = get(build(acquisition(IMAGE, tree={"x": float("nan")})), f"{EVENT}/vendor_metadata/json")
    assert json.loads(text) == {"x": {"@float": "nan"}}


def test_every_term_stands_in_the_file_with_unit_source_and_raw_text():
    quantity = Quantity(0.005, "m", "34118/AP_WD", "WD = 5.0 mm", {"note": "n"})
    case = acquisition(IMAGE)._replace(
        terms={"optics.working_distance": quantity, "spectrometer.energy_offset": Quantity(1.0, "eV", "s", [1, {}])}
    )
    own = get(build(case), "/entry1/nffa")
    assert own["terms"] == {
        "@NX_class": "NXcollection",
        "optics.working_distance": 0.005,
        "optics.working_distance@units": "m",
        "optics.working_distance@source": "34118/AP_WD",
        "optics.working_distance@raw": "WD = 5.0 mm",
        "optics.working_distance@note": "n",
        "spectrometer.energy_offset_": 1.0,
        "spectrometer.energy_offset_@units": "eV",
        "spectrometer.energy_offset_@source": "s",
        "spectrometer.energy_offset_@raw": "[1, {}]",
    }
    assert json.loads(own["record"])["terms"]["optics.working_distance"] == quantity.as_json()


# --- whatever comes in ---

KINDS = [
    "image",
    "stack",
    "diffraction",
    "diffraction-stack",
    "4d-stem",
    "spectrum",
    "spectrum-image",
    "profile",
    "complex",
]
UNITS = [None, "m", "1/m", "eV", "s", "degree"]
NAMES = st.text(max_size=8)


@st.composite
def signals(draw):
    axes = draw(
        st.lists(
            st.builds(
                Axis,
                st.one_of(NAMES, st.just("colour")),
                st.integers(1, 5),
                st.floats(-1e3, 1e3),
                st.floats(-1e3, 1e3),
                st.sampled_from(UNITS),
            ),
            min_size=1,
            max_size=6,
        )
    )
    dtype = draw(st.sampled_from(["uint8", "bool", "float32", "complex64", "complex128", "int64", "object"]))
    return Signal(
        draw(st.none() | NAMES), draw(st.sampled_from(KINDS)), tuple(a.size for a in axes), dtype, tuple(axes)
    )


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=6), inner, max_size=4) | st.lists(inner, max_size=3),
    max_leaves=20,
)


@given(st.lists(signals(), max_size=4), st.dictionaries(st.text(max_size=6), TREES, max_size=5))
def test_every_tree_is_well_formed(given_signals, vendor):
    tree = build(acquisition(*given_signals, format="tia", tree=vendor))
    assert tree == build(acquisition(*copy.deepcopy(given_signals), format="tia", tree=copy.deepcopy(vendor)))
    for path, group in groups(tree):
        assert group["@NX_class"].startswith("NX"), path
        assert "@default" not in group or isinstance(group[group["@default"]], dict)
        for key in group:
            name = key.partition("@")[0]
            assert not name or re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.]*[A-Za-z0-9_])?", name), f"{path}/{key}"
            assert "@" not in key or not name or name in group, f"{path}/{key} has no field"
        if group["@NX_class"] == "NXdata":
            _is_consistent(group, given_signals)
    placed = {value.signal for _, group in groups(tree) for value in group.values() if isinstance(value, Samples)}
    unplaced = get(tree, "/entry1/nffa/unplaced") or []
    assert len(placed) + len(unplaced) == len(given_signals)


def _is_consistent(data, given_signals):
    held = data[data["@signal"]]
    assert len(data["@axes"]) == len(held.shape)
    for place, axis in enumerate(data["@axes"]):
        assert data[f"@{axis}_indices"] == place
        assert data[axis].size == held.shape[place]
        assert data[f"{axis}@long_name"]
    source = given_signals[held.signal]
    assert held.shape == source.shape or (held.picks and held.shape == source.shape[:-1])
    assert f"{data['@signal']}@units" not in data
    calibrated = [data[axis] for axis in data["@axes"] if data.get(f"{axis}@units") not in (None, "px")]
    assert all(
        any((ramp.scale, ramp.offset) == (axis.scale, axis.offset) for axis in source.axes) for ramp in calibrated
    )


@pytest.mark.parametrize("kind", samples.SMALL_KINDS)
def test_a_sample_that_was_really_read_becomes_a_tree(kind, tmp_path):
    from nffa_cli import extract, identify, reading, settings

    files = samples.make(tmp_path, kinds=[kind])
    family = identify.identify(files[0].name, files[0].read_bytes()[: identify.HEAD_BYTES]).family
    raw = extract.read([str(path) for path in files], family)
    record, _ = reading.normalise(raw, {"crosswalks": str(settings.shipped("crosswalks"))})
    listed = tuple(nxem.SourceFile(path.name, path.stat().st_size, "0" * 64) for path in files)
    tree = nxem.build(record, raw, nxem.Source("a", "d", listed, "1", "k"), OUTWARD)
    if record.signals:
        first = get(tree, EVENT)[get(tree, EVENT)["@default"]]
        assert isinstance(first[first["@default"]], dict)


def test_only_ascii_units_are_written():
    for case in ACQUISITIONS.values():
        for _, group in groups(build(case)):
            assert all(value.isascii() for key, value in group.items() if key.endswith("@units"))


def test_profile_and_session_may_fill_the_same_group():
    case = acquisition(IMAGE)._replace(terms=terms(PROFILE, instrument__vendor="V") | terms(instrument__model="M"))
    assert get(build(case), f"{INSTRUMENT}/fabrication") == {"@NX_class": "NXfabrication", "vendor": "V", "model": "M"}
