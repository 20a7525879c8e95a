"""The TIFF reader and its crosswalks on real files: against RosettaSciIO, raw pixels and hand-checked truths."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import yaml

from nffa_cli.crosswalk import apply, load, vocabulary
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import tiff

pytestmark = pytest.mark.corpus

CROSSWALKS = Path(__file__).resolve().parents[2] / "crosswalks"
OURS = ("zeiss", "fei-thermofisher", "fibics-atlas")

TERMS = {
    "beam_energy": ("beam.accelerating_voltage", {"kV": 1e3}),
    "magnification": ("optics.magnification", {"x": 1.0}),
    "working_distance": ("optics.working_distance", {"mm": 1e-3}),
    "probe_current": ("beam.probe_current", {"A": 1.0}),
    "dwell_time": ("scan.dwell_time", {"s": 1.0}),
}
STAGE = {"x": "x", "y": "y", "z": "z", "m": "m", "r": "rotation", "t": "tilt_alpha"}
UNITS = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "deg": 1.0, "rad": 180 / np.pi}


def pictures(corpus, folder="."):
    return sorted(path for path in (corpus / folder).rglob("*") if path.suffix.lower() == ".tif")


def sound(corpus):
    return [path for path in pictures(corpus) if path.parent.name != "damaged"]


def record_of(path):
    raw = tiff.read([str(path)])
    crosswalk = load.for_format(raw.format, CROSSWALKS / "inward")
    return apply.apply(crosswalk, vocabulary.load(CROSSWALKS), raw)[0]


def samples(signal):
    """The first plane of a signal, read at the offsets of its layout alone."""
    layout = signal.layout
    stored = layout.stored or signal.shape
    chunk = int(np.prod(stored)) // len(layout.offsets)
    parts = [np.memmap(layout.path, layout.dtype, "r", offset=at, shape=(chunk,)) for at in layout.offsets]
    array = np.concatenate(parts).reshape(stored)
    return array.transpose(layout.order) if layout.order else array


def test_same_signals_as_rosettasciio(corpus):
    from rsciio.tiff import file_reader

    logging.getLogger("rsciio").setLevel(logging.CRITICAL)
    for path in sound(corpus):
        signals = tiff.read([str(path)]).signals
        theirs = file_reader(str(path))
        assert len(signals) == len(theirs), path.name
        for signal, their in zip(signals, theirs, strict=True):
            data = np.asarray(their["data"])
            if data.dtype.names:  # they write colour as a structured type
                data = data.view(data.dtype[0]).reshape(*data.shape, len(data.dtype.names))
            assert signal.shape == data.shape, path.name
            assert np.dtype(signal.dtype) == data.dtype.newbyteorder("="), path.name
            if signal.layout.method == "raw":
                assert np.array_equal(samples(signal), data), path.name


def test_same_axes_as_rosettasciio(corpus):
    from rsciio.tiff import file_reader

    for folder in OURS[:2]:
        for path in pictures(corpus, f"sem-tif/{folder}"):
            ours = record_of(path).signals[0].axes
            theirs = file_reader(str(path))[0]["axes"]
            for axis, their in zip(ours, theirs, strict=True):
                assert axis.size == their["size"]
                assert axis.scale == pytest.approx(their["scale"], rel=1e-12), path.name
                assert (axis.unit == "m") == (their["units"] == "m"), path.name


def test_hand_checked_truths(corpus):
    entries = yaml.safe_load((corpus / "MANIFEST.yaml").read_text(encoding="utf-8"))["files"]
    ours = [entry for entry in entries if entry["file"].split("/")[1] in OURS]
    assert len(ours) == 11
    for entry in ours:
        record, truth, name = record_of(corpus / entry["file"]), entry["ground_truth"], entry["file"]
        for key, (term, factors) in TERMS.items():
            want = truth.get(key) or {}
            if want.get("value") is not None:
                value = want["value"] * factors[want["unit"]]
                assert record.terms[term].value == pytest.approx(value, rel=1e-5), (name, term)
            elif "value" in want:
                assert term not in record.terms, (name, term)
        for key, want in truth["stage"].items():
            value = want["value"] * UNITS[want["unit"]]
            assert record.terms[f"stage.{STAGE[key]}"].value == pytest.approx(value, rel=1e-9, abs=1e-12), (name, key)
        pixel = truth["pixel_size"]
        if pixel.get("value") is not None:
            scales = [axis.scale for axis in record.signals[0].axes]
            assert scales == [pytest.approx(pixel["value"] * UNITS[pixel["unit"]], rel=1e-3)] * 2, name
        acquired = truth["acquired"]["value"]
        assert record.terms["acquisition.start"].value.replace("000+02", "+02") == acquired, name
        for key in ("model", "serial"):
            if truth["instrument"].get(key):
                assert record.terms[f"instrument.{key}"].value == truth["instrument"][key], (name, key)
        assert record.terms["detector.name"].value.split()[0] == truth["detector"].split()[0], name
        assert record.terms.get("beam.type") is None or record.terms["beam.type"].value == truth.get(
            "beam_type", "electron"
        )
        assert not [warning for warning in record.warnings if warning.code != "blank-image"], name


def test_cut_real_files_are_never_a_success(corpus, tmp_path):
    for path in [
        *pictures(corpus, "sem-tif/zeiss"),
        *pictures(corpus, "sem-tif/fei-thermofisher"),
        *pictures(corpus, "tem-tif"),
    ]:
        data = path.read_bytes()
        copy = tmp_path / "cut.tif"
        for share in (0.02, 0.1, 0.37, 0.5, 0.9, 0.99, 0.9999):
            copy.write_bytes(data[: int(len(data) * share)])
            try:
                raw = tiff.read([str(copy)])
            except UnreadableFile:
                continue
            assert raw.faults, (path.name, share)


def test_half_zero_files_are_noticed(corpus, tmp_path):
    for path in pictures(corpus, "sem-tif/zeiss"):
        data = path.read_bytes()
        copy = tmp_path / "half.tif"
        copy.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
        try:
            raw = tiff.read([str(copy)])
        except UnreadableFile:
            continue
        assert [fault.code for fault in raw.faults] == ["zero-tail"], path.name


def test_a_file_that_went_through_a_text_conversion(corpus):
    with pytest.raises(UnreadableFile, match="strips"):
        tiff.read([str(corpus / "damaged" / "fei_quanta_textmode_corrupted.tif")])
