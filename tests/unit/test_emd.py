"""Velox and NCEM EMD on tiny files written here; hostile HDF5."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from nffa_cli import pixels
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import emd, hdf5, velox_samples

DETECTORS = {
    "Detector-0": {"DetectorName": "HAADF", "DetectorType": "ScanningDetector"},
    "Detector-1": {"DetectorName": "SuperX1", "Dispersion": "5", "OffsetEnergy": "-100"},
    "Detector-2": {"DetectorName": "SuperX2", "Dispersion": "5", "OffsetEnergy": "-100"},
}
LOADERS = {"rosetta": velox_samples.load}


def metadata(index, name, *, start=1_600_000_000, unit="m", **more):
    return {
        "Instrument": {"InstrumentModel": "Spectra"},
        "Acquisition": {"AcquisitionStartDatetime": {"DateTime": str(start)}},
        "Stage": {"Position": {"x": "5.0e-08"}},
        "Scan": {"FrameTime": "0.25", "ScanArea": {"left": "0", "top": "0", "right": "0.5", "bottom": "0.25"}},
        "Detectors": DETECTORS,
        "BinaryResult": {
            "DetectorIndex": index,
            "Detector": name,
            "PixelSize": {"width": "2e-09", "height": "3e-09"},
            "Offset": {"x": "-1e-08", "y": "0"},
            "PixelUnitX": unit,
        },
        **more,
    }


def text(group, name, value):
    group.create_dataset(name, data=[json.dumps(value).encode()], dtype=h5py.string_dtype("ascii"))


def block(file, kind, name, data, *frames, chunks=None, **filters):
    group = file.create_group(f"Data/{kind}/{name}")
    group.create_dataset("Data", data=data, chunks=chunks or (*data.shape[:-1], 1), **filters)
    columns = [np.frombuffer(json.dumps(each).encode().ljust(4000, b"\0"), np.uint8) for each in frames]
    group.create_dataset("Metadata", data=np.stack(columns, axis=1), chunks=(4000, 1))
    return group


@pytest.fixture
def velox(tmp_path):
    """A function that opens a new Velox file and gives its path and the file."""

    def make(name="a.emd"):
        file = h5py.File(tmp_path / name, "w")
        text(file, "Version", {"version": "11", "format": "Velox"})
        return str(tmp_path / name), file

    return make


def samples(signal):
    return pixels.slab(signal, tuple(slice(None) for _ in signal.shape), loaders=LOADERS)


def test_an_image(velox):
    path, file = velox()
    data = np.arange(12, dtype=np.int16).reshape(3, 4, 1)
    with file:
        block(file, "Image", "aa", data, metadata("0", "HAADF"))
    raw = emd.read([path])
    (signal,) = raw.signals
    assert (raw.format, raw.faults, signal.name, signal.kind, signal.dtype) == (
        "velox-emd",
        (),
        "HAADF",
        "image",
        "int16",
    )
    y, x = signal.axes
    assert (y.scale, y.offset, y.unit, x.scale, x.offset) == (3e-9, 0.0, "m", 2e-9, -1e-8)
    assert raw.anchors["metadata"] == "Data.Image.aa.Metadata"
    assert raw.anchors["detector"] == "Data.Image.aa.Metadata.Detectors.Detector-0"
    assert raw.tree["Data"]["Image"]["aa"]["Metadata"]["Stage"]["Position"]["x"] == "5.0e-08"
    assert raw.tree["Version"] == {"version": "11", "format": "Velox"}
    assert np.array_equal(samples(signal), data[..., 0])


@pytest.mark.parametrize("filters", [{}, {"compression": "gzip"}, {"chunks": (3, 4, 2)}])
def test_a_stack_keeps_the_words_of_every_frame(velox, filters):
    path, file = velox()
    data = np.arange(24, dtype=np.uint16).reshape(3, 4, 2)
    with file:
        block(file, "Image", "aa", data, metadata("0", "HAADF"), metadata("0", "HAADF", start=1_600_000_009), **filters)
    raw = emd.read([path])
    (signal,) = raw.signals
    assert (signal.kind, signal.shape, signal.axes[0].scale, signal.axes[0].unit) == ("stack", (2, 3, 4), 0.25, "s")
    block_ = raw.tree["Data"]["Image"]["aa"]
    assert block_["Metadata"]["Acquisition"]["AcquisitionStartDatetime"]["DateTime"] == "1600000000"
    assert block_["MetadataChanges"] == {"1": {"Acquisition.AcquisitionStartDatetime.DateTime": "1600000009"}}
    assert np.array_equal(samples(signal), data.transpose(2, 0, 1))


def test_the_frames_of_a_camera_do_not_last_as_long_as_a_scan(velox):
    data = np.arange(24, dtype=np.uint16).reshape(3, 4, 2)
    camera = {
        **DETECTORS,
        "Detector-3": {"DetectorName": "Ceta", "DetectorType": "ImagingDetector", "ExposureTime": "0.4"},
    }
    said = metadata("3", "Ceta", Detectors=camera)
    told = metadata("", "Ceta", Detectors={})
    told["BinaryResult"]["AcquisitionUnit"] = "CameraImage"
    for number, frames in enumerate((said, told)):
        path, file = velox(f"{number}.emd")
        with file:
            block(file, "Image", "aa", data, frames, frames)
        axis = emd.read([path]).signals[0].axes[0]
        assert (axis.name, axis.scale, axis.unit) == ("frame", 1.0, None)


def test_a_single_compressed_frame(velox):
    path, file = velox()
    data = np.arange(12, dtype=np.uint16).reshape(3, 4, 1)
    with file:
        block(file, "Image", "aa", data, metadata("0", "HAADF"), compression="gzip")
    assert np.array_equal(samples(emd.read([path]).signals[0]), data[..., 0])


def test_an_fft_is_complex_and_named_by_its_operation(velox):
    path, file = velox()
    data = np.zeros((3, 4, 1), dtype=[("realFloatHalfEven", "<f4"), ("imagFloatHalfEven", "<f4")])
    data["imagFloatHalfEven"] = 2.0
    with file:
        block(file, "Image", "ff", data, metadata("", "", unit="1/m"))
        text(file.create_group("Operations/FftOperation"), "op", {"imageOutputPath": "/Data/Image/ff"})
    (signal,) = emd.read([path]).signals
    assert (signal.name, signal.kind, signal.dtype, signal.axes[0].unit) == ("FFT", "complex", "complex64", "1/m")
    assert samples(signal)[0, 0] == 2.0j


def test_an_element_map_is_named_by_its_display(velox):
    path, file = velox()
    with file:
        block(file, "Image", "aa", np.zeros((3, 4, 1), np.uint16), metadata("", ""))
        text(file.create_group("SharedProperties/ImageSeriesDataReference"), "r", {"dataPath": "/Data/Image/aa"})
        display = {"data": "/SharedProperties/ImageSeriesDataReference/r", "id": "Au", "title": "Au"}
        text(file.create_group("Displays/ImageDisplay"), "d", display)
    assert emd.read([path]).signals[0].name == "Au"


def test_a_spectrum_image_is_the_sum_of_its_streams(velox):
    path, file = velox()
    end = velox_samples.PIXEL_END
    streams = [[3, end, end, 5, 5, end, end, end, end, 7, end, end, 3, end], [end, 3, end, 9]]
    with file:
        block(file, "Image", "aa", np.zeros((2, 4, 1), np.uint16), metadata("0", "HAADF"))
        block(file, "SpectrumImage", "si", np.zeros((5, 1), np.uint8), metadata(None, "SuperX"))
        for number, words in enumerate(streams, 1):
            name = f"SuperX{number}"
            data = np.array(words, dtype="<u2").reshape(-1, 1)
            group = block(file, "SpectrumStream", f"s{number}", data, metadata(str(number), name), chunks=(4, 1))
            settings = {"bincount": "16", "RasterScanDefinition": {"Width": "8", "Height": "8"}}
            text(group, "AcquisitionSettings", settings)
    raw = emd.read([path])
    _, cube = raw.signals
    assert (cube.kind, cube.shape, cube.name) == ("spectrum-image", (2, 4, 16), "SuperX1 + SuperX2")
    assert (cube.axes[2].scale, cube.axes[2].offset, cube.axes[2].unit) == (5.0, -100.0, "eV")
    assert raw.anchors["spectrometer"].endswith("s1.Metadata.Detectors.Detector-1")
    expected = np.zeros((8, 16), int)
    for words in streams:
        pixel = 0
        for word in words:
            if word == end:
                pixel += 1
            else:
                expected[pixel % 8, word] += 1
    expected = expected.reshape(2, 4, 16)
    assert np.array_equal(samples(cube), expected)
    some = (slice(1, 2), slice(0, 4, 3), slice(3, None, 2))
    assert np.array_equal(pixels.slab(cube, some, loaders=LOADERS), expected[some])


@pytest.mark.parametrize("last", [-50, -49])
def test_an_eels_map_lies_line_by_line(velox, last):
    path, file = velox()
    stored = np.arange(3 * 5 * 2, dtype=np.uint16).reshape(3, 5, 2)  # x, energy, y
    own = metadata(None, "Strip")
    del own["BinaryResult"]["PixelSize"]
    lines = [{"Type": "Eels", "Data": {"offset": offset, "dispersion": 0.5}} for offset in (-50, last)]
    columns = [np.frombuffer(json.dumps(line).encode().ljust(200, b"\0"), np.uint8) for line in lines]
    with file:
        block(file, "Image", "aa", np.zeros((2, 3, 1), np.uint16), metadata(None, "Strip"))
        group = block(file, "EelsSpectrumImage", "ee", stored, own)
        group.create_dataset("AcquisitionMetadata", data=np.stack(columns, axis=1))
    raw = emd.read([path])
    _, cube = raw.signals
    assert (cube.kind, cube.shape, cube.name) == ("spectrum-image", (2, 3, 5), "Strip")
    assert [(axis.scale, axis.unit) for axis in cube.axes[:2]] == [(3e-9, "m"), (2e-9, "m")]
    energy = cube.axes[2]
    assert (energy.scale, energy.offset, energy.unit) == ((0.5, -50.0, "eV") if last == -50 else (1.0, 0.0, None))
    assert np.array_equal(samples(cube), stored.transpose(2, 0, 1))
    assert raw.anchors["metadata"] == "Data.Image.aa.Metadata"


def test_broken_metadata_is_a_fault(velox):
    path, file = velox()
    with file:
        group = block(file, "Image", "aa", np.zeros((3, 4, 1), np.uint16), metadata("0", "HAADF"))
        group["Metadata"][...] = 1
    assert [fault.code for fault in emd.read([path]).faults] == ["corrupt"]


def test_a_velox_file_without_signals_is_empty(velox):
    path, file = velox()
    file.close()
    with pytest.raises(UnreadableFile) as caught:
        emd.read([path])
    assert caught.value.code == "empty"


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_cut_file_is_truncated(velox, share, tmp_path):
    path, file = velox()
    with file:
        block(file, "Image", "aa", np.zeros((30, 40, 1), np.uint16), metadata("0", "HAADF"))
    data = Path(path).read_bytes()
    (tmp_path / "cut.emd").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableFile) as caught:
        emd.read([str(tmp_path / "cut.emd")])
    assert caught.value.code == "truncated"


# --- NCEM ---


def ncem(path, *, names=("y", "x"), units="[n_m]", dims=None, data=None):
    data = np.arange(12, dtype=np.float32).reshape(3, 4) if data is None else data
    with h5py.File(path, "w") as file:
        file.attrs.update({"version_major": 0, "version_minor": 2})
        group = file.create_group("data/image")
        group.attrs["emd_group_type"] = 1
        group["data"] = data
        for number, (name, length) in enumerate(zip(names, data.shape, strict=True), 1):
            dim = group.create_dataset(
                f"dim{number}", data=np.arange(length) * 0.5 + 10 if dims is None else dims[:length]
            )
            dim.attrs.update({"name": np.bytes_(name), "units": np.bytes_(units)})
        file.create_group("microscope").attrs.update({"high tension": 300000.0, "name": "TEAM"})
        file.create_group("stage").attrs["position"] = np.arange(5.0)
    return str(path)


def test_ncem(tmp_path):
    raw = emd.read([ncem(tmp_path / "a.emd")])
    (signal,) = raw.signals
    assert (raw.format, signal.name, signal.kind, signal.shape) == ("ncem-emd", "image", "image", (3, 4))
    assert [(axis.name, axis.scale, axis.offset, axis.unit) for axis in signal.axes] == [
        ("y", 0.5, 10.0, "nm"),
        ("x", 0.5, 10.0, "nm"),
    ]
    assert raw.tree["microscope"] == {"high tension": 300000.0, "name": "TEAM"}
    assert raw.tree["stage"]["position"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert samples(signal)[2, 3] == 11


def test_ncem_written_fast_axis_first_is_turned(tmp_path):
    (signal,) = emd.read([ncem(tmp_path / "a.emd", names=("x", "y"))]).signals
    assert (signal.shape, signal.axes[0].name) == ((4, 3), "y")
    assert samples(signal)[3, 2] == 11


@pytest.mark.parametrize(
    ("units", "unit", "kind"),
    [("[n_m^-1]", "1/nm", "diffraction"), ("[u_m]", "um", "image"), ("[]", None, "image"), ("pixels", None, "image")],
)
def test_ncem_units(tmp_path, units, unit, kind):
    (signal,) = emd.read([ncem(tmp_path / "a.emd", units=units)]).signals
    assert (signal.axes[1].unit, signal.kind) == (unit, kind)


def test_ncem_uneven_steps_are_no_calibration(tmp_path):
    (signal,) = emd.read([ncem(tmp_path / "a.emd", dims=np.array([0.0, 1.0, 5.0, 6.0]))]).signals
    assert [axis.unit for axis in signal.axes] == [None, None]


# --- somebody else's, and hostile ---


def test_flavours(tmp_path, velox):
    path, file = velox()
    file.close()
    with h5py.File(tmp_path / "foreign.h5", "w") as other:
        other["entry/data"] = [1, 2]
    assert emd.flavour(path) == "velox-emd"
    assert emd.flavour(ncem(tmp_path / "n.emd")) == "ncem-emd"
    assert emd.flavour(str(tmp_path / "foreign.h5")) == "foreign"
    with pytest.raises(UnreadableFile):
        emd.read([str(tmp_path / "foreign.h5")])


def test_links_out_of_the_file_are_named_and_not_followed(tmp_path):
    secret = ncem(tmp_path / "secret.emd")
    path = ncem(tmp_path / "a.emd")
    with h5py.File(path, "a") as file:
        file["microscope/out"] = h5py.ExternalLink(secret, "/microscope")
        file["microscope/soft"] = h5py.SoftLink("/data")
        file["microscope/self"] = file["microscope"]
        group = file.create_group("data/away")
        group.attrs["emd_group_type"] = 1
        group.create_dataset("data", (2, 2), "u1", external=[(str(tmp_path / "pixels.bin"), 0, 4)])
        virtual = h5py.VirtualLayout((3, 4), "f4")
        virtual[...] = h5py.VirtualSource(secret, "data/image/data", (3, 4))
        other = file.create_group("data/virtual")
        other.attrs["emd_group_type"] = 1
        other.create_virtual_dataset("data", virtual)
    raw = emd.read([path])
    assert len(raw.signals) == 1
    assert [fault.code for fault in raw.faults] == ["elsewhere", "elsewhere"]
    assert raw.tree["microscope"]["out"] == {"@link": "/microscope", "file": secret}
    assert raw.tree["microscope"]["soft"] == {"@link": "/data"}
    assert "high tension" not in raw.tree["microscope"]["self"].get("self", {})
    json.dumps(raw.tree, allow_nan=False)


def test_a_tree_without_end_is_refused(tmp_path):
    path = ncem(tmp_path / "a.emd")
    with h5py.File(path, "a") as file:
        file.create_group("/".join("g" * 40))
    with pytest.raises(UnreadableFile, match="too deeply"):
        emd.read([path])


def test_a_huge_declared_dataset_is_only_described(tmp_path):
    path = ncem(tmp_path / "a.emd")
    with h5py.File(path, "a") as file:
        file.create_dataset("comments/huge", (1 << 40,), "u1", chunks=(1 << 20,))
    assert emd.read([path]).tree["comments"]["huge"]["@data"]["shape"] == [1 << 40]


def test_one_dataset_under_many_names_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "MAX_NUMBERS", 5000)
    path = ncem(tmp_path / "a.emd")
    with h5py.File(path, "a") as file:
        numbers = file.create_dataset("comments/n0", data=np.zeros(200))
        for number in range(1, 9):
            file[f"comments/n{number}"] = numbers
    found = emd.read([path]).tree["comments"]
    assert "@array" in found["n0"]
    assert "@data" in found["n8"]


def test_no_filter_plug_in_is_ever_loaded():
    assert h5py.h5pl.size() == 0
