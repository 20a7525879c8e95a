"""Spectra as SVG: the line stands where the values are, axes are in units that people use, nothing in it is markup of others."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from nffa_cli import charts, spectra
from nffa_cli.records import Axis
from nffa_cli.report import plots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(values, axis, **more):
    said = {"title": "a < b", "told": "& more", "ident": "x"} | more
    text = charts.line(values, axis, **said)
    return ElementTree.fromstring(
        text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(" data-log", "")
    )


def points(svg):
    (line,) = (each.get("d") for each in svg.iter(f"{SVG}path") if each.get("class") == "line")
    return [tuple(map(float, each.split(","))) for each in re.split("[ML]", line)[1:]]


@pytest.mark.parametrize("log", [False, True])
def test_higher_values_stand_higher_inside_the_box(log):
    svg = drawn([0.0, 1.0, 10.0, 100.0], Axis("energy", 4, 10.0, 0.0, "eV"), log=log)
    left, top, wide, tall = map(int, svg.get("data-box").split())
    found = points(svg)
    assert [x for x, _ in found] == pytest.approx([left + wide * n / 3 for n in range(4)], abs=0.1)
    heights = [y for _, y in found]
    assert sorted(heights, reverse=True) == heights
    assert all(top <= y <= top + tall for y in heights)
    if log:
        assert heights[1] - heights[2] == pytest.approx(heights[2] - heights[3], abs=0.2)
    assert (svg.find(f"{SVG}title").text, svg.find(f"{SVG}desc").text) == ("a < b", "& more")
    assert {"0", "10", "20", "30", "energy (eV)"} <= {each.text for each in svg.iter(f"{SVG}text")}


def test_a_falling_axis_is_drawn_from_low_to_high():
    rising = points(drawn([1.0, 2.0, 3.0], Axis("x", 3, 1.0, 0.0, "m")))
    assert points(drawn([3.0, 2.0, 1.0], Axis("x", 3, -1.0, 2.0, "m"))) == rising


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        (Axis("Energy", 2048, 10.0, 0.0, "eV"), "Energy (keV)"),
        (Axis("Energy", 900, 10.0, 0.0, "eV"), "Energy (eV)"),
        (Axis("x", 10, 1e-9, 0.0, "m"), "x (nm)"),
        (Axis("k", 10, 1e8, 0.0, "1/m"), "k (1/nm)"),
        (Axis("", 10), "channel"),
    ],
)
def test_units_are_those_that_people_use(axis, said):
    assert charts.heading(axis) == said


@pytest.mark.parametrize("values", [[0.0], [5.0] * 3, [-3.0, -1.0], [1e300, 0.0], [1e-300, 2e-300], [0.0] * 5000])
@pytest.mark.parametrize("log", [False, True])
def test_odd_values_are_drawn_all_the_same(values, log):
    found = points(drawn(values, Axis("x", len(values)), log=log))
    assert len(found) >= 2
    assert all(0 <= y <= charts.SIZE[1] for _, y in found)


def test_every_peak_of_many_values_survives():
    values = [0.0] * 4096
    values[1234] = 7.0
    assert max(charts.envelope(values, 500)) == 7.0
    assert len(charts.envelope(values, 500)) == 1000


def test_a_report_draws_a_spectrum_and_passes_by_what_is_none(tmp_path):
    place = tmp_path / "a.spectra.gz"
    view = spectra.View("a", "spectrum", (4,), Axis("energy", 4, 1.0, 0.0, "eV"), np.arange(4.0))
    place.write_bytes(spectra.pack([view]))
    assert 'aria-labelledby="one-title one-told"' in plots.spectrum(place, "preview of a", "one")
    place.write_bytes(b"broken")
    assert plots.spectrum(place, "preview of a", "one") is None
    assert plots.spectrum(tmp_path / "none", "preview of a", "one") is None


def test_of_a_picture_an_ingest_loads_nothing_for_spectra():
    code = (
        "import sys\nfrom nffa_cli import reading\nfrom nffa_cli.records import Signal\n"
        "assert reading._spectra([Signal(None, 'image', (4, 4), 'uint8', ())], 'x', {}) is None\n"
        "assert not {'nffa_cli.binning', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
