"""NXem files read back: what nffa wrote, what others wrote, what somebody edited, and what is hostile."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from nxem_cases import ACQUISITIONS, Acquisition, acquisition, build, signal

from nffa_cli import extract, layouts, pixels, preview, reading, settings
from nffa_cli.errors import UnreadableFile
from nffa_cli.export import hdf5
from nffa_cli.identify import identify

TREE = {"EHT": 10.0, "a/b": [1, 2], "text": "1.0", "raw": {"@bytes": "AAE="}, "nothing": None, "odd.key": {"x": True}}
EVENT = "entry1/measurement/event1"


def samples_of(number, each):
    shape = each.shape
    made = np.arange(int(np.prod(shape))).reshape(shape) + number
    return (made * (1 + 2j) if each.dtype.startswith("complex") else made % 251).astype(each.dtype)


def write(path, case: Acquisition):
    held = [samples_of(number, each) for number, each in enumerate(case.signals)]
    hdf5.write(build(case), path, read=lambda number, picks: held[number][picks])
    return path


def read(path):
    return extract.read([str(path)], "emd")


def record_of(raw, **session):
    where = {"crosswalks": str(settings.shipped("crosswalks")), "digest": "", "session": session, "profiles": []}
    return reading.normalise(raw, where)[0]


def terms_of(path):
    return {name: quantity.as_json() for name, quantity in record_of(read(path)).terms.items()}


def codes(record):
    return [warning.code for warning in record.warnings]


def samples(found):
    return pixels.slab(found, tuple(slice(None) for _ in found.shape))


CASES = ACQUISITIONS | {
    "rows of flags": acquisition(signal("image", (4, 6), "bool", "y", "x")),
    "uncalibrated, of several": acquisition(
        signal("stack", (5, 4, 6), "uint8", "frame", "y", "x"), signal("spectrum", (9,), "float64", "channel", name="")
    ),
    "one pixel wide": acquisition(signal("image", (4, 1), "uint8", ("y", 1e-9, "m"), ("x", 2e-9, "m", 5e-9))),
    "backwards": acquisition(signal("image", (4, 6), "uint8", ("y", -1e-9, "m"), ("x", 2e-9, "m", -1e-3))),
    "far away": acquisition(signal("image", (4, 6), "uint8", ("y", 1e-12, "m", 1e4), ("x", 2e-12, "m", -0.1))),
    "nothing of it has a place": acquisition(signal("image", (2, 2, 2, 2, 2), "uint8", "a", "b", "c", "y", "x")),
    "a spectrum over a line": acquisition(
        signal("spectrum-image", (4, 8), "uint32", ("x", 1e-9, "m"), ("Energy", 0.25, "eV", -3.0), name="EDS")
    ),
    "volume": acquisition(signal("stack", (3, 4, 6), "float32", ("z", 1e-8, "m"), ("y", 1e-9, "m"), ("x", 1e-9, "m"))),
    "named twice": acquisition(
        *(signal("image", (4, 6), "uint8", "y", "x", name="HAADF") for _ in range(11)), tree={"text": '{"a": NaN}'}
    ),
}


# --- what we wrote ---


@pytest.mark.parametrize("name", CASES)
def test_what_nffa_wrote_comes_back_the_same(name, tmp_path):
    case = CASES[name]._replace(tree=CASES[name].tree | TREE)
    raw = read(write(tmp_path / "a.nxs", case))
    found = record_of(raw)
    assert (found.format, codes(found), raw.faults) == ("nxem", [], ())
    assert dict(found.terms) == case.terms
    assert [each.as_json() for each in found.signals] == [each.as_json() for each in case.signals]
    assert raw.tree["entry1"]["measurement"]["event1"]["vendor_metadata"]["json"] == case.tree
    json.dumps(raw.tree, allow_nan=False)


@pytest.mark.parametrize("name", [name for name in CASES if name != "nothing of it has a place"])
def test_the_samples_come_back_whole_and_in_parts(name, tmp_path):
    case = CASES[name]
    signals = read(write(tmp_path / "a.nxs", case)).signals
    for number, (found, each) in enumerate(zip(signals, case.signals, strict=True)):
        wanted = samples_of(number, each)
        assert np.array_equal(samples(found), wanted)
        assert samples(found).dtype == each.dtype
        part = tuple(slice(0 if n < 2 else 1, None, 2) for n in each.shape)
        with layouts.opened(found, None) as source:
            assert np.array_equal(source.read(part), wanted[part])


def test_a_preview_can_be_drawn(tmp_path):
    for name in ("sem", "colour", "complex", "4D-STEM", "spectrum image"):
        raw = read(write(tmp_path / f"{name}.nxs", ACQUISITIONS[name]))
        drawn = preview.render(raw.signals, str(tmp_path / f"{name}.png"), size=32, fmt="png")
        assert drawn, name


def test_what_is_stored_gives_the_same_record_without_the_file(tmp_path):
    raw = read(write(tmp_path / "a.nxs", CASES["sem"]))
    (tmp_path / "a.nxs").unlink()
    assert record_of(reading.unpack(reading.pack(raw))).as_json() == record_of(raw).as_json()


def test_a_session_adds_what_the_file_does_not_say(tmp_path):
    raw = read(write(tmp_path / "a.nxs", CASES["colour"]))
    assert record_of(raw, sample={"name": "W1"}).terms["sample.name"].value == "W1"


# --- what somebody edited: the fields are right ---


def edit(path, place, value=None, **attributes):
    with h5py.File(path, "a") as file:
        kept = dict(file[place].attrs) if place in file else {}
        if place in file:
            del file[place]
        if value is not None:
            made = file.create_dataset(place, data=value)
            made.attrs.update(kept | attributes)
    return path


@pytest.mark.parametrize(
    ("place", "value", "attributes", "term", "wanted", "unit"),
    [
        ("entry1/sample/name", "W13", {}, "sample.name", "W13", None),
        ("entry1/sample/atom_types", "Si, N", {}, "sample.atom_types", ["Si", "N"], None),
        ("entry1/sample/is_simulation", True, {}, "sample.is_simulation", True, None),
        ("entry1/sample/description", "new", {}, "sample.description", "new", None),
        (f"{EVENT}/instrument/optics/working_distance", 6.0, {"units": "mm"}, "optics.working_distance", 0.006, "m"),
        (
            f"{EVENT}/instrument/ebeam_column/electron_source/voltage",
            20.0,
            {"units": "kV"},
            "beam.accelerating_voltage",
            20000.0,
            "V",
        ),
        (f"{EVENT}/instrument/stage1/position", [0.01, 0.5, 0.03], {}, "stage.y", 0.5, "m"),
        ("entry1/start_time", "2024-05-07T01:02:03+01:00", {}, "acquisition.start", "2024-05-07T01:02:03+01:00", None),
    ],
)
def test_an_edited_field_wins(place, value, attributes, term, wanted, unit, tmp_path):
    case = CASES["sem"]
    found = record_of(read(edit(write(tmp_path / "a.nxs", case), place, value, **attributes)))
    assert (found.terms[term].value, found.terms[term].unit) == (wanted, unit)
    assert found.terms[term].source == f"/{place}"
    assert codes(found) == ["edited"]
    assert place in found.warnings[0].detail
    others = {name: each for name, each in found.terms.items() if name != term}
    assert others == {name: each for name, each in case.terms.items() if name != term}


def test_the_same_in_another_unit_is_no_edit(tmp_path):
    place = f"{EVENT}/instrument/optics/working_distance"
    found = record_of(read(edit(write(tmp_path / "a.nxs", CASES["sem"]), place, 5.0, units="mm")))
    assert (dict(found.terms), codes(found)) == (CASES["sem"].terms, [])


def test_what_was_taken_out_is_gone(tmp_path):
    path = write(tmp_path / "a.nxs", CASES["sem"])
    with h5py.File(path, "a") as file:
        del file["entry1/user1"]
    found = record_of(read(path))
    assert set(CASES["sem"].terms) - set(found.terms) == {"operator.name", "operator.orcid"}
    assert codes(found) == ["edited", "edited"]


def test_a_corrected_calibration_wins(tmp_path):
    path = write(tmp_path / "a.nxs", CASES["sem"])
    edit(path, f"{EVENT}/image1/image_2d/axis_i", np.arange(6) * 25.0, units="nm")
    found = record_of(read(path))
    y, x = found.signals[0].axes
    assert (y, x.name, x.scale, x.offset, x.unit) == (CASES["sem"].signals[0].axes[0], "x", 2.5e-8, 0.0, "m")
    assert codes(found) == ["edited"]


def test_replaced_samples_are_taken_as_they_are(tmp_path):
    path = write(tmp_path / "a.nxs", CASES["sem"])
    edit(path, f"{EVENT}/image1/image_2d/real", np.zeros((4, 6), np.float32))
    found = record_of(read(path))
    assert (found.signals[0].dtype, codes(found)) == ("float32", ["edited"])


def test_pictures_added_and_taken_away(tmp_path):
    path = write(tmp_path / "a.nxs", CASES["dm3 with three signals"])
    with h5py.File(path, "a") as file:
        file.move(f"{EVENT}/image1", f"{EVENT}/image9")
    found = record_of(read(path))
    assert [each.shape for each in found.signals] == [(8,), (4, 6), (4, 6)]
    assert codes(found) == ["edited", "edited"]


@pytest.mark.parametrize(
    "record",
    ["", "[]", "{}", '{"terms": 3}', '{"terms": {"beam.type": 3, "no.term": {}, "sample.name": {"value": 3}}}',
     '{"terms": {}, "signals": [3, {"name": 1}], "warnings": [1]}', "[" * 100_000],
)  # fmt: skip
def test_a_record_that_is_none_does_no_harm(record, tmp_path):
    path = edit(write(tmp_path / "a.nxs", CASES["sem"]), "entry1/nffa/record", record)
    found = record_of(read(path))
    assert found.terms["sample.name"].value == "W12"
    assert found.terms["sample.name"].source == "/entry1/sample/name"


# --- what others wrote ---


def group(parent, name, nx_class, **attributes):
    made = parent.create_group(name)
    made.attrs.update({"NX_class": nx_class} | attributes)
    return made


def field(parent, name, value, **attributes):
    parent[name] = value
    parent[name].attrs.update(attributes)


def foreign(path, *, entry="entry"):
    """An NXem file as another program may write it: names of its own, units of its own."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "default": entry})
        top = group(file, entry, "NXentry", default="measurement")
        field(top, "definition", np.bytes_("NXem"), version="v2026.01")
        top["start_time"] = "2024-05-06T07:05:00Z"
        sample = group(top, "sample_a", "NXsample")
        field(sample, "atom_types", "Au,C")
        field(sample, "is_simulation", np.bool_(False))
        sample["name"] = np.array(["grid 7"], dtype=object)
        group(top, "user_2", "NXuser")["name"] = "Bo"
        user = group(top, "user_1", "NXuser")
        field(user, "name", "Ada")
        measurement = group(top, "measurement", "NXem_measurement", default="event_2")
        instrument = group(measurement, "microscope", "NXem_instrument")
        group(instrument, "fabrication", "NXfabrication")["vendor"] = "Hitachi"
        program = group(instrument, "programID", "NXprogram")
        field(program, "program", "Acquire", version="3.1")
        for name, distance in (("event_10", 1.0), ("event_2", 4.5)):
            event = group(measurement, name, "NXem_event_data", default="image_1")
            state = group(event, "instrument", "NXem_instrument")
            column = group(state, "ebeam_column", "NXebeam_column")
            field(group(column, "source", "NXsource"), "voltage", [np.float32(15.0)], units="kV")
            optics = group(state, "optics", "NXem_optical_system")
            field(optics, "working_distance", distance, units="mm")
            field(optics, "magnification", 1200)
            field(optics, "defocus", 3.0)
            stage = group(state, "stage_x", "NXmanipulator")
            field(stage, "tilt1", np.pi / 6, units="rad")
            field(stage, "position", np.array([1.0, -2.0, 3.5]), units="mm")
        image = group(measurement["event_2"], "image_1", "NXimage", default="image_2d")
        data = group(image, "image_2d", "NXdata", signal="real", axes=["axis_j", "axis_i"])
        data.attrs.update({"axis_j_indices": np.uint64(0), "axis_i_indices": np.uint64(1)})
        data["title"] = "overview"
        data["real"] = np.arange(12, dtype=">u2").reshape(3, 4)
        field(data, "axis_j", np.arange(3) * 2.0, units="nm")
        field(data, "axis_i", np.arange(4) * 0.5 - 1, units="um")
        spectrum = group(measurement["event_2"], "spectrum_1", "NXspectrum")
        data = group(spectrum, "spectrum_0d", "NXdata", signal="intensity", axes="axis_energy")
        data["intensity"] = np.arange(8, dtype=np.int64)
        field(data, "axis_energy", np.arange(8) * 0.01, units="keV")
    return path


def test_a_foreign_file(tmp_path):
    raw = read(foreign(tmp_path / "f.h5"))
    found = record_of(raw)
    values = {name: (each.value, each.unit) for name, each in found.terms.items()}
    assert {name: value for name, value in values.items() if isinstance(value[0], float)} == {
        "beam.accelerating_voltage": (15000.0, "V"),
        "optics.working_distance": (pytest.approx(0.0045), "m"),
        "optics.magnification": (1200.0, "1"),
        "stage.tilt_alpha": (pytest.approx(30.0), "degree"),
        "stage.x": (0.001, "m"),
        "stage.y": (-0.002, "m"),
        "stage.z": (0.0035, "m"),
    }
    assert {name: value[0] for name, value in values.items() if not isinstance(value[0], float)} == {
        "acquisition.start": "2024-05-06T07:05:00+00:00",
        "sample.name": "grid 7",
        "sample.atom_types": ["Au", "C"],
        "sample.is_simulation": False,
        "operator.name": "Ada",
        "instrument.vendor": "Hitachi",
        "instrument.software": "Acquire 3.1",
    }
    assert found.terms["optics.working_distance"].source == (
        "/entry/measurement/event_2/instrument/optics/working_distance"
    )
    assert found.terms["optics.working_distance"].raw == 4.5
    assert [(warning.code, "defocus" in warning.detail) for warning in found.warnings] == [("no-unit", True)]
    assert found.unmapped > 20
    assert "sample.preparation_date" in found.missing


def test_the_signals_of_a_foreign_file(tmp_path):
    image, spectrum = record_of(read(foreign(tmp_path / "f.h5"))).signals
    assert (image.name, image.kind, image.shape, image.dtype) == ("overview", "image", (3, 4), "uint16")
    assert [(a.name, a.scale, a.offset, a.unit) for a in image.axes] == [
        ("axis_j", pytest.approx(2e-9), 0.0, "m"),
        ("axis_i", pytest.approx(5e-7), pytest.approx(-1e-6), "m"),
    ]
    assert (spectrum.name, spectrum.kind, spectrum.axes[0].unit) == ("spectrum_1", "spectrum", "eV")
    assert spectrum.axes[0].scale == pytest.approx(10.0)
    assert np.array_equal(samples(image), np.arange(12).reshape(3, 4))


def plotted(path, change):
    """A foreign file whose image is changed; its signals and its record."""
    with h5py.File(foreign(path), "a") as file:
        change(file, file["entry/measurement/event_2/image_1/image_2d"])
    raw = read(path)
    return raw, record_of(raw)


def test_indices_tell_the_axes_apart_where_they_are_listed_the_other_way_round(tmp_path):
    def change(file, data):
        data.attrs["axes"] = ["axis_i", "axis_j"]

    _, found = plotted(tmp_path / "f.nxs", change)
    assert [axis.name for axis in found.signals[0].axes] == ["axis_j", "axis_i"]


def test_irregular_positions_calibrate_nothing(tmp_path):
    def change(file, data):
        data["axis_i"][...] = [0.0, 1.0, 10.0, 11.0]
        data["axis_j"][...] = [0.0, np.nan, 2.0]

    _, found = plotted(tmp_path / "f.nxs", change)
    assert [(axis.name, axis.unit, axis.scale) for axis in found.signals[0].axes] == [
        ("axis_j", None, 1.0),
        ("axis_i", None, 1.0),
    ]
    assert codes(found).count("irregular-axis") == 2


def test_pixels_calibrate_nothing(tmp_path):
    def change(file, data):
        data["axis_i"].attrs["units"] = "px"
        del data["axis_j"]

    _, found = plotted(tmp_path / "f.nxs", change)
    assert [(axis.name, axis.unit) for axis in found.signals[0].axes] == [("dim0", None), ("axis_i", None)]


def test_real_and_imaginary_parts_are_one_complex_signal(tmp_path):
    def change(file, data):
        del data["real"]
        data["real"], data["imag"] = np.ones((3, 4), np.float32), np.full((3, 4), 2, np.float32)

    _, found = plotted(tmp_path / "f.nxs", change)
    assert (found.signals[0].kind, found.signals[0].dtype) == ("complex", "complex64")
    assert samples(found.signals[0])[2, 3] == 1 + 2j


def test_an_nxdata_of_any_place_is_found_by_the_default_chain(tmp_path):
    def change(file, data):
        entry = file["entry"]
        entry.attrs["default"] = "overview"
        plot = group(entry, "overview", "NXdata", signal="counts", axes=["e"])
        plot["counts"] = h5py.SoftLink("/entry/measurement/event_2/spectrum_1/spectrum_0d/intensity")
        field(plot, "e", np.arange(8) * 2.0, units="eV")

    _, found = plotted(tmp_path / "f.nxs", change)
    extra = found.signals[2]
    assert (extra.kind, extra.shape, extra.axes[0].scale) == ("spectrum", (8,), 2.0)
    assert samples(extra)[7] == 7


@pytest.mark.parametrize(
    ("unit", "name", "shape", "kind"),
    [
        ("1/nm", "image_2d", (3, 4), "diffraction"),
        ("1/nm", "stack_2d", (2, 3, 4), "diffraction-stack"),
        ("nm", "stack_2d", (2, 3, 4), "stack"),
        ("nm", "stack_3d", (2, 2, 3, 4), "stack"),
        ("1/nm", "image_4d", (2, 2, 3, 4), "4d-stem"),
        ("nm", "image_1d", (4,), "profile"),
        ("nm", "image_2d", (3, 4, 3), "image"),
    ],
)
def test_kinds_of_foreign_signals(unit, name, shape, kind, tmp_path):
    def change(file, data):
        holder = data.parent
        del holder["image_2d"]
        made = group(holder, name, "NXdata", signal="real")
        made["real"] = np.zeros(shape)
        axes = ["indices_image", "axis_k", "axis_j", "axis_i"][-min(len(shape), 4) :]
        if shape[-1] == 3:
            axes = ["axis_j", "axis_i"]
        made.attrs["axes"] = axes
        for axis, length in zip(axes, shape, strict=False):
            field(made, axis, np.arange(length) * 1.0, units="" if "indices" in axis else unit)

    _, found = plotted(tmp_path / "f.nxs", change)
    assert found.signals[0].kind == kind


def test_the_default_of_several_entries(tmp_path):
    path = foreign(tmp_path / "f.nxs", entry="b")
    with h5py.File(path, "a") as file:
        other = group(file, "a", "NXentry")
        other["definition"] = "NXem"
    found = record_of(read(path))
    assert found.terms["sample.name"].source == "/b/sample_a/name"
    assert "more-entries" in codes(found)


# --- whose it is ---


@pytest.mark.parametrize("name", ["a.nxs", "a.NX5", "a.h5", "a.hdf5", "a", "a.dat"])
def test_contents_decide_and_not_the_extension(name, tmp_path):
    path = foreign(tmp_path / name)
    found = identify(name, path.read_bytes()[:4096])
    assert (found.verdict, found.format, found.family) == ("ours", "nxem", "emd")
    assert read(path).format == "nxem"


def nexus(path, definition):
    with h5py.File(path, "w") as file:
        entry = group(file, "entry", "NXentry")
        if definition:
            entry["definition"] = definition
    return path


@pytest.mark.parametrize(
    ("definition", "reason"),
    [("NXmx", "NeXus NXmx, and only NXem is read"), (None, "NeXus without a definition, and only NXem is read")],
)
def test_nexus_of_another_definition_is_not_ours(definition, reason, tmp_path):
    with pytest.raises(UnreadableFile, match=reason) as caught:
        read(nexus(tmp_path / "a.nxs", definition))
    assert caught.value.code == "not-ours"


def test_other_hdf5_is_not_ours_and_broken_nexus_is_damaged(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.zeros(1000)
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path / "a.h5")
    assert (caught.value.code, caught.value.what) == ("not-ours", "hdf5")
    data = foreign(tmp_path / "b.nxs").read_bytes()
    for name, code in (("cut.nxs", "truncated"), ("cut.h5", "not-ours")):
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(UnreadableFile) as caught:
            read(tmp_path / name)
        assert caught.value.code == code


# --- hostile files ---


def test_nothing_is_followed_out_of_the_file(tmp_path):
    secret = foreign(tmp_path / "secret.nxs")

    def change(file, data):
        place = "/entry/measurement/event_2/image_1/image_2d/real"
        del data["real"], file["entry/sample_a"]
        data["real"] = h5py.ExternalLink(secret.name, place)
        file["entry/sample_a"] = h5py.ExternalLink(secret.name, "/entry/sample_a")
        file["entry/outside"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["entry/nowhere"] = h5py.SoftLink("/entry/nowhere")

    raw, found = plotted(tmp_path / "f.nxs", change)
    assert [each.kind for each in found.signals] == ["spectrum"]
    assert "sample.name" not in found.terms
    assert raw.tree["entry"]["sample_a"] == {"@link": "/entry/sample_a", "file": "secret.nxs"}
    assert raw.tree["entry"]["nowhere"] == {"@link": "/entry/nowhere"}


def test_samples_that_lie_elsewhere_are_a_fault(tmp_path):
    def change(file, data):
        del data["real"]
        data.create_dataset("real", (3, 4), "u2", external=[("/dev/zero", 0, 24)])

    raw, _ = plotted(tmp_path / "f.nxs", change)
    assert [fault.code for fault in raw.faults] == ["elsewhere"]


def test_rings_of_links_end(tmp_path):
    def change(file, data):
        file["entry/measurement/again"] = file["entry"]
        file["entry/root"] = file["/"]
        entry = file["entry"]
        entry["a"], entry["b"] = h5py.SoftLink("/entry/b"), h5py.SoftLink("/entry/a")
        entry.attrs["default"] = "a"
        data.attrs["axes"] = ["ring", "ring"]
        data["ring"] = h5py.SoftLink("ring")

    _, found = plotted(tmp_path / "f.nxs", change)
    assert [each.kind for each in found.signals] == ["image", "spectrum"]
    assert "stage.x" in found.terms


def test_depth_and_number_are_bounded(tmp_path):
    def deep(file, data):
        file["entry"].create_group("/".join("d" * 100))

    def many(file, data):
        for number in range(60):
            for inner in range(1000):
                file["entry"].create_group(f"g{number}/{inner}")

    for number, change in enumerate((deep, many)):
        with pytest.raises(UnreadableFile, match=r"nested too deeply|more than"):
            plotted(tmp_path / f"{number}.nxs", change)


def test_odd_attributes_do_no_harm(tmp_path):
    def change(file, data):
        data.attrs["axes"] = 3
        data.attrs["axis_i_indices"] = np.array([0, 1, 2])
        data.attrs["axis_j_indices"] = -5
        data.attrs["title"] = h5py.Empty("f")
        del data["title"]
        data["title"] = np.zeros(3)
        file["entry/measurement"].attrs["default"] = np.zeros(4)
        file["entry"].attrs["default"] = "../../.."
        state = file["entry/measurement/event_2/instrument"]
        del state["optics/working_distance"], state["stage_x/position"]
        field(state["optics"], "working_distance", "a lot", units=3)
        field(state["stage_x"], "position", np.array(["x", "y"], dtype=object))

    _, found = plotted(tmp_path / "f.nxs", change)
    assert found.signals[0].name == "image_1"
    assert not {"optics.working_distance", "stage.x"} & set(found.terms)


def test_random_damage_is_an_error_or_a_record(tmp_path):
    whole = bytearray(write(tmp_path / "a.nxs", CASES["sem"]).read_bytes())
    chance = np.random.default_rng(7)
    for _ in range(80):
        data = bytearray(whole)
        for place in chance.integers(0, len(data), 6):
            data[place] = chance.integers(0, 256)
        path = Path(tmp_path / "b.nxs")
        path.write_bytes(data)
        try:
            raw = read(path)
        except UnreadableFile:
            continue
        record_of(raw)
        reading.pack(raw)


# --- other programs see the same ---


def test_nexusformat_sees_the_same(tmp_path):
    nexusformat = pytest.importorskip("nexusformat.nexus", reason="needs nexusformat")
    path = write(tmp_path / "a.nxs", CASES["sem"])
    found = nexusformat.nxload(path)
    plot = found.plottable_data
    (ours,) = read(path).signals
    assert plot.nxsignal.shape == ours.shape
    assert [axis.nxname for axis in plot.nxaxes] == ["axis_j", "axis_i"]
    for theirs, mine in zip(plot.nxaxes, ours.axes, strict=True):
        assert theirs.nxvalue[1] - theirs.nxvalue[0] == pytest.approx(mine.scale)
        assert theirs.attrs["units"] == mine.unit
    assert str(plot.nxtitle) == "pic.tif"


def test_the_reader_keeps_the_whole_tree(tmp_path):
    path = foreign(tmp_path / "f.nxs")
    with h5py.File(path, "a") as file:
        zone = group(file["entry"], "free", "NXcollection")
        zone["words"] = ["a", "b µ"]
        zone["long"] = np.zeros((300, 300))
        zone["short"] = np.arange(3, dtype=np.uint8)
        field(zone, "with unit", 2.5, units="s")
        zone["looks like JSON"] = '{"a": 1}'
    tree = read(path).tree["entry"]["free"]
    assert tree == {
        "NX_class": "NXcollection",
        "words": ["a", "b µ"],
        "long": {"@data": {"dataset": "/entry/free/long", "dtype": "float64", "shape": [300, 300]}},
        "short": [0, 1, 2],
        "with unit": {"units": "s", "@value": 2.5},
        "looks like JSON": '{"a": 1}',
    }


def test_signals_know_where_their_samples_lie_only_in_the_worker(tmp_path):
    for found in read(foreign(tmp_path / "f.nxs")).signals:
        assert found.layout is not None
        assert "layout" not in replace(found, layout=None).as_json()
