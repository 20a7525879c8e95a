"""The data bars of real instruments' pictures are cut off, and their pixel size is known; by what a person sees in them."""

from __future__ import annotations

import pytest

from nffa_cli import extract, identify, seeing, settings
from nffa_cli.classify import bars

pytestmark = pytest.mark.corpus

ROWS = {
    "zeiss/1-as-cast_16_Sch_10k_InLens.tif": (346, 384),
    "zeiss/FeMoOx_AntiA_04_1k5x_CN.tif": (346, 384),
    "zeiss/Merlin_SE2_2kx.tif": (384, 384),
    "zeiss/NVision40_1kx.tif": (351, 384),
    "zeiss/NVision40_50kx.tif": (351, 384),
    "zeiss/test_tiff_Zeiss_SEM_512pix.tif": (351, 384),
    "tescan/AMBER_c.TIF": (385, 443),
    "fei-thermofisher/FEI-Helios-Ebeam-8bits.tif": (443, 471),
    "fei-thermofisher/HeliosG4PFIB_ionbeam.tif": (512, 512),
    "fei-thermofisher/SEM_Image-SliceImage-001.tif": (512, 512),
    "jeol/jeol_example_sem.tif": (480, 480),
    "fibics-atlas/SESI_keyframe_00001_slice_00006_z=1.6659um.tif": (511, 511),
}
"""File → rows of the picture proper, rows in all, after the reduction to 384 rows or a little more."""


def opened(corpus, name):
    path = corpus / "sem-tif" / name
    raw = extract.read([str(path)], identify.identify(path.name, path.read_bytes()[: identify.HEAD_BYTES]).family)
    number = seeing._which(raw.signals)
    return raw, number


@pytest.mark.parametrize("name", ROWS)
def test_real_bars_are_cut_off(corpus, name):
    raw, number = opened(corpus, name)
    picture, _ = seeing._picture(raw, raw.signals[number], short=192)
    rows, _ = bars.kept(picture.grey)
    below, height = ROWS[name]
    assert len(picture.grey) == height
    assert rows.start <= 2
    assert below - 3 <= rows.stop <= below


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("zeiss/1-as-cast_16_Sch_10k_InLens.tif", 1.1165e-08),
        ("fei-thermofisher/HeliosG4PFIB_ionbeam.tif", 9.76562e-08),
        ("tescan/AMBER_c.TIF", 3.973702e-09),
        ("jeol/jeol_example_sem.tif", None),
    ],
)
def test_the_size_of_real_pixels(corpus, name, size):
    raw, number = opened(corpus, name)
    found = seeing._pixel_size(raw, number, {"crosswalks": str(settings.shipped("crosswalks"))})
    assert found == (None if size is None else pytest.approx(size, rel=1e-5))
