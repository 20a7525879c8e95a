"""Spectra that somebody sent: drawn where they are sound, a sentence where they are not, not there for whom they are closed."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import requests

from nffa_cli import spectra
from nffa_cli.records import Axis
from nffa_cli.spectra import Cube, View
from tests.contract.node.parcels import asset, delivered, item

HOSTILE = '=cmd|"</svg><script>alert(1)</script>\u202e&{{7*7}}'
HTML = {"Accept": "text/html"}


@pytest.fixture
def address():
    """Pages ask nothing of a database that the interface does not: SQLite will do."""


ENERGY = Axis("energy", 4, 10.0, 0.0, "eV")


def file(name="EDS", axis=ENERGY):
    values = np.arange(24, dtype=float).reshape(2, 3, 4)
    cube = Cube((Axis("y", 2, 1e-9, 0.0, "m"), Axis("x", 3, 1e-9, 0.0, "m"), axis), values, (1, 1, 1), (1, 1))
    view = View(name, "spectrum-image", (2, 3, 4), axis, values.sum(axis=(0, 1)), 1, cube)
    return spectra.pack([view])


@pytest.fixture
def shown(node):
    """Return what delivers a small file with a measurement, opens it to everybody, and answers for its address."""

    def show(data, opened=True):
        made = item("x", {"x.bcf": b"x"})
        made["assets"].append(
            asset("x.spectra.gz", data, role="spectra", dataAssetType="preview", mediaType="application/gzip")
        )
        (done,) = delivered(node.as_("depositor"), (made, [b"x", data]))["items"]
        address = f"/measurements/{done['measurementId']}"
        if opened:
            assert node.as_("admin").post(f"{address}/embargo:lift", json={}).status_code == 200
        return lambda path="": requests.get(f"{node.url}{address}{path}", headers=HTML, timeout=60)

    return show


def test_a_sound_one_is_drawn(shown):
    ask = shown(file())
    page = ask("?row=1&column=2&from=10&to=20").text
    assert 'class="chart"' in page
    assert "At <output>column 2, row 1 (x 1 nm, y 0 nm)</output>" in page
    head, *rows = csv.reader(io.StringIO(ask("/spectra/values.csv?row=1&column=2&at=1").text))
    assert head == ["energy (eV)", "at column 2, row 1 (x 1 nm, y 0 nm)"]
    assert rows == [["0", "4"], ["10", "5"], ["20", "6"], ["30", "7"]]


@pytest.mark.parametrize("query", [
    "?signal=99", "?signal=-1", "?row=0&column=999999999", "?row=x&column=", "?from=nan&to=inf", "?from=1e308&to=-1e308",
    "?at.x=99999&at.y=99999", "?scale=cubic", "?row=" + "9" * 5000, "?from=" + "9" * 5000, "?row=%D9%A3&column=2",
])  # fmt: skip
def test_whatever_is_asked_there_is_an_answer(shown, query):
    ask = shown(file())
    for path in ("", "/spectra/map.png", "/spectra/values.csv"):
        assert ask(path + query).status_code == 200


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no gzip at all", "it is not compressed as it should be"),
        (file()[:-9], "it ends too early, or something follows it"),
        (bytes(spectra.LARGEST + 1), "and at most 2,097,152 are read"),
    ],
)
def test_a_broken_one_is_refused_with_a_sentence(shown, data, why):
    ask = shown(data)
    page = ask()
    assert page.status_code == 200
    assert "The spectra cannot be shown: " in page.text
    assert why in page.text
    for path in ("/spectra/map.png", "/spectra/values.csv"):
        assert ask(path).status_code == 422
        assert why in ask(path).text


def test_names_are_only_ever_text(shown):
    ask = shown(file(HOSTILE, Axis(HOSTILE, 4, 10.0, 0.0, HOSTILE[:18])))
    page = ask().text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    heads = next(csv.reader(io.StringIO(ask("/spectra/values.csv").text)))
    assert heads[0].startswith("'=cmd")


def test_under_embargo_there_are_none(shown):
    ask = shown(file(), opened=False)
    assert "spectra" not in ask().text.lower()
    for path in ("/spectra/map.png", "/spectra/values.csv"):
        assert ask(path).status_code == 404


def test_a_last_sum_of_fewer_channels_is_given_but_not_drawn_as_a_fall(shown):
    axis = Axis("energy", 3, 20.0, 5.0, "eV")
    view = View("EDS", "spectrum", (5,), axis, np.array([10.0, 10.0, 5.0]), binned=2)
    ask = shown(spectra.pack([view]))
    page = ask().text
    assert "the highest of 2 values" in page
    assert "5 channels; 2 channels are added into one." in page
    assert ask("/spectra/values.csv").text.splitlines()[-1] == "45,5"
