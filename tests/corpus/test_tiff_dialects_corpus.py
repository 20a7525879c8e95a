"""Real pictures of TESCAN, JEOL, TVIPS, Olympus and ImageJ against what other readers see in the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nffa_cli import extract, pixels
from nffa_cli.crosswalk import apply, load, vocabulary

CROSSWALKS = Path(__file__).parents[2] / "crosswalks"
PICTURES = {
    "sem-tif/tescan/MIRA3_108x.tif": "tescan-sem-tiff",
    "sem-tif/tescan/AMBER_c.TIF": "tescan-sem-tiff",
    "tem-tif/JEOL-SightX-TEM-mag-dummy.tif": "jeol-sightx-tiff",
    "tem-tif/TVIPS_bin4.tif": "tvips-tiff",
    "tem-tif/olympus_SIS.tif": "olympus-sis-tiff",
    "tem-tif/test_loading_image_saved_with_imageJ.tif": "imagej-tiff",
}
METRES = {"m": 1.0, "um": 1e-6, "µm": 1e-6, "nm": 1e-9}


def metres(scale: float, unit: str | None) -> float | None:
    return scale * METRES[unit] if unit in METRES else None


@pytest.mark.parametrize(("name", "dialect"), PICTURES.items())
def test_shape_type_and_scale_are_those_of_rosettasciio(corpus, name, dialect):
    tiff = pytest.importorskip("rsciio.tiff")
    raw = extract.read([str(corpus / name)], "tiff")
    other = tiff.file_reader(str(corpus / name))
    assert (raw.format, raw.faults, len(raw.signals)) == (dialect, (), len(other))
    for ours, theirs in zip(raw.signals, other, strict=True):
        planes = [axis for axis in ours.axes if axis.name != "colour"]
        assert tuple(axis.size for axis in planes) == theirs["data"].shape
        assert ours.dtype == (theirs["data"].dtype.name if theirs["data"].dtype.names is None else "uint8")
        for ours_axis, axis in zip(planes, theirs["axes"], strict=True):
            wanted = metres(axis["scale"], axis["units"])
            if wanted is not None:
                # SightX: RosettaSciIO takes the TIFF resolution, whole dots per inch (93 for 92.5); ours is in the XML.
                near = 0.006 if dialect == "jeol-sightx-tiff" else 1e-4
                assert metres(ours_axis.scale, ours_axis.unit) == pytest.approx(wanted, rel=near)


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_are_those_of_tifffile(corpus, name):
    tifffile = pytest.importorskip("tifffile")
    if name.endswith("olympus_SIS.tif"):
        pytest.importorskip("imagecodecs")
    raw = extract.read([str(corpus / name)], "tiff")
    with tifffile.TiffFile(corpus / name) as other:
        ours = pixels.slab(raw.signals[0], [slice(None)] * len(raw.signals[0].shape))
        np.testing.assert_array_equal(ours, other.pages[0].asarray())


def test_tvips_header_is_decoded_as_tifffile_does(corpus):
    tifffile = pytest.importorskip("tifffile")
    path = corpus / "tem-tif/TVIPS_bin4.tif"
    ours = extract.read([str(path)], "tiff").tree["TVIPS"]["second"]
    with tifffile.TiffFile(path) as other:
        theirs = other.pages[0].tags[37706].value
    same = [key for key in theirs if key in ours and key not in ("Date", "Time", "ImageStatistics")]
    assert len(same) > 40
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    assert (ours["Date"], ours["Time"]) == ("2017-04-12", "09:01:17")  # the picture's name says 12-04-2017


def test_a_jeol_picture_takes_its_text_along(corpus):
    folder = corpus / "sem-tif/jeol"
    files = [str(folder / "jeol_example_sem.tif"), str(folder / "jeol_example_sem.txt")]
    raw = extract.read(files, "tiff")
    assert (raw.format, raw.signals[0].shape) == ("jeol-sem-tiff", (960, 1280))
    assert raw.tree["sidecar"] == extract.read(files[1:], "sidecar").tree["sidecar"]
    assert raw.signals[0].axes[1].unit is None  # the text gives the marker's length but not its pixels


def test_a_lone_tescan_header(corpus):
    raw = extract.read([str(corpus / "sem-tif/tescan/tescan-minimal.hdr")], "sidecar")
    assert (raw.format, raw.signals) == ("tescan-sem-tiff", ())
    assert raw.tree["sidecar"]["3DTomo"] == {"CrossSectionAngle": "90.0"}


@pytest.mark.parametrize("zone", [None, "Europe/Rome", "Europe/Kyiv"])
def test_two_tescan_clocks(corpus, zone):
    raw = extract.read([str(corpus / "sem-tif/tescan/AMBER_c.TIF")], "tiff")
    words = vocabulary.load(CROSSWALKS)
    record, _ = apply.apply(load.load(CROSSWALKS / "inward/tescan-sem-tiff.yaml"), words, raw, timezone=zone)
    assert record.terms["acquisition.start"].value == "2025-05-03T16:10:24+00:00"
    assert not record.warnings
