"""Every real TIA file: the same samples, shapes and scales as RosettaSciIO, and the hand-checked truths."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml

from nffa_cli import pixels
from nffa_cli.crosswalk import apply, load, vocabulary
from nffa_cli.extract import tia

pytestmark = pytest.mark.corpus

CROSSWALKS = Path(__file__).parents[2] / "crosswalks"
FACTORS = {"nm": (1e-9, "m"), "1 / nm": (1e9, "1/m"), "eV": (1.0, "eV")}

EMI = [
    "01_Si110_5images",
    "128x128-TEM_search",
    "16x16-line_profile_horizontal_5x128x128_EDS",
    "16x16-spectrum_image-5x5x1024",
    "16x16_STEM_BF_DF_acquire",
    "64x64_TEM_images_acquire",
    "64x64_diffraction_acquire",
    "no_AcquireDate",
]
SER = [
    "128x128-TEM_search_1",
    "16x16-line_profile_horizontal_5x128x128_EDS_1",
    "16x16-line_profile_horizontal_5x128x128_EDS_2",
    "16x16-spectrum_image-5x5x1024_1",
    "16x16_STEM_BF_DF_acquire_1",
    "16x16_STEM_BF_DF_acquire_2",
    "64x64_TEM_images_acquire_1",
    "64x64_diffraction_acquire_1",
    "X - Au NP EELS_2",
    "no_AcquireDate_1",
]


def acquisition(corpus, name):
    folder = corpus / "tia"
    files = [folder / f"{name}.emi", *(folder / f"{name}_{number}.ser" for number in range(1, 10))]
    return [str(path) for path in files if path.is_file()]


def oracle(path):
    from rsciio.tia import file_reader

    logging.getLogger("rsciio").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return file_reader(path)


def agrees(signal, found, *, patterns=True):
    """Compare with RosettaSciIO, whose own mistakes are left out: offsets in another unit than the scale, and the unit
    of the patterns of a series alone.
    """
    assert signal.shape == found["data"].shape
    assert signal.dtype == found["data"].dtype.name
    assert np.array_equal(pixels.slab(signal, [slice(None)] * len(signal.shape)), found["data"])
    for axis, other in zip(signal.axes, found["axes"], strict=True):
        assert axis.size == other["size"]
        if axis.unit != "1/m" or patterns:
            factor, unit = FACTORS[other["units"]]
            assert axis.unit == unit
            assert axis.scale == pytest.approx(other["scale"] * factor)


@pytest.mark.parametrize("name", EMI)
def test_document_with_its_series(corpus, name):
    files = acquisition(corpus, name)
    raw = tia.read(files)
    assert not raw.faults
    assert len(raw.signals) == len(files) - 1
    for signal, found in zip(raw.signals, oracle(files[0]), strict=True):
        agrees(signal, found)


@pytest.mark.parametrize("name", SER)
def test_series_alone(corpus, name):
    path = str(corpus / "tia" / f"{name}.ser")
    raw = tia.read([path])
    assert not raw.faults
    assert raw.needs <= Path(path).stat().st_size
    (signal,) = raw.signals
    agrees(signal, oracle(path)[0], patterns=False)
    assert "unit-inferred" in [remark.code for remark in raw.warnings]


@pytest.mark.parametrize(
    ("name", "signals"),
    [
        ("128x128-TEM_search", [("BM-Ceta", "image")]),
        ("16x16-line_profile_horizontal_5x128x128_EDS", [("EDS", "spectrum-image"), ("BM-Ceta", "diffraction-stack")]),
        ("16x16-spectrum_image-5x5x1024", [("EELS", "spectrum-image")]),
        ("16x16_STEM_BF_DF_acquire", [("BF", "image"), ("DF4", "image")]),
        ("64x64_TEM_images_acquire", [("WA-Orius", "image")]),
        ("64x64_diffraction_acquire", [("WA-Orius", "diffraction")]),
        ("no_AcquireDate", [("EDS", "spectrum")]),
    ],
)
def test_names_and_kinds(corpus, name, signals):
    raw = tia.read(acquisition(corpus, name))
    assert [(signal.name, signal.kind) for signal in raw.signals] == signals


def test_the_object_of_the_series_is_found_where_others_come_before_it(corpus):
    """RosettaSciIO takes the first of six objects, and finds no date."""
    raw = tia.read(acquisition(corpus, "no_AcquireDate"))
    assert raw.anchors == {"object": "emi.ObjectInfo.5", "signal": "emi.ObjectInfo.5"}


def test_every_cut_of_a_real_document_is_noticed(corpus, tmp_path):
    data = (corpus / "tia" / "16x16_STEM_BF_DF_acquire.emi").read_bytes()
    path = tmp_path / "a.emi"
    for cut in [*range(30, len(data), 97), len(data) - 1]:
        path.write_bytes(data[:cut])
        assert tia.read([str(path)]).faults, cut


def test_every_tia_file_of_the_corpus_is_named_here(corpus):
    names = {path.stem for path in (corpus / "tia").iterdir()}
    assert names == {*EMI, *SER}


def close(value, want):
    return value == pytest.approx(want, rel=1e-6, abs=1e-15)


@pytest.mark.parametrize("name", EMI)
def test_truths(corpus, name):
    entries = yaml.safe_load((corpus / "MANIFEST.yaml").read_text(encoding="utf-8"))["files"]
    truth = next(entry for entry in entries if entry["file"] == f"tia/{name}.emi")["ground_truth"]
    record, _ = apply.apply(
        load.load(CROSSWALKS / "inward" / "tia.yaml"), vocabulary.load(CROSSWALKS), tia.read(acquisition(corpus, name))
    )
    value = {term: quantity.value for term, quantity in record.terms.items()}
    if name == "no_AcquireDate":  # the first object has none; the ser's is UTC, 38 s after the sixth's local one
        assert value["acquisition.start"] == "2020-08-05T21:46:45+00:00"
        assert value["beam.accelerating_voltage"] == 300_000
        return
    assert close(value["beam.accelerating_voltage"], truth["beam_energy"]["value"] * 1000)
    wanted = truth["magnification"]["value"]
    assert ("optics.magnification" in value) == (wanted is not None)
    assert wanted is None or close(value["optics.magnification"], wanted)
    assert ("optics.camera_length" in value) == ("camera_length" in truth)
    assert "camera_length" not in truth or close(value["optics.camera_length"], truth["camera_length"]["value"])
    assert value["acquisition.start"] == truth["acquired"]["value"]
    for key, term in {"x": "x", "y": "y", "z": "z", "a": "tilt_alpha", "b": "tilt_beta"}.items():
        factor = 1e-6 if key in "xyz" else 1.0
        assert close(value[f"stage.{term}"], truth["stage"][key]["value"] * factor)
    assert value["instrument.model"] in truth["instrument"]["model"]
    assert value["operator.name"] == truth["operator"]
    assert value["optics.mode"] == truth["mode"]
    assert truth.get("camera") in (None, value.get("detector.name"))
