"""Spectra and spectrum images on the node's pages: brought by `nffa sync`, drawn, browsed by pointer, keys and form."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
import requests

from nffa_cli import samples, spectra
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.e2e.room import Room

AXE = Path(os.environ.get("NFFA_NPM", ""), "node_modules", "axe-core", "axe.min.js")
CUBE, LINE = "cube", "line"
COUNTS = [5 + (900 if n == 30 else 0) + n % 7 for n in range(200)]


def emsa():
    """A spectrum in the ISO 22029 text format, of 200 channels of 20 eV."""
    head = {"FORMAT": "EMSA/MAS Spectral Data File", "VERSION": "1.0", "TITLE": "one line", "OWNER": "nobody",
            "NPOINTS": "200.", "NCOLUMNS": "1.", "XUNITS": "eV", "XLABEL": "Energy", "YUNITS": "counts", "DATATYPE": "Y",
            "XPERCHAN": "20.", "OFFSET": "0.", "SIGNALTYPE": "EDS", "SPECTRUM": ""}  # fmt: skip
    lines = [f"#{name:<13}: {value}" for name, value in head.items()]
    return "\r\n".join([*lines, *(f"{count}.," for count in COUNTS), "#ENDOFDATA  :", ""]).encode()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node with a spectrum image, a spectrum and a picture, open to everybody; addresses by what they are."""
    folder = tmp_path_factory.mktemp("spectra")
    room = Room(folder)
    samples.make(room.inbox, kinds=["gatan-dm4", "zeiss-sem-tiff"])
    room.put("one line.msa", emsa())
    assert room.ingest().status in (0, 3)
    with serving(Config(folder / "node", name="Example facility")) as node:
        sent = room.nffa("sync", "--to", node.url, "--proposal", "161", env={"NFFA_TOKEN": node.token("depositor")})
        assert sent.status == 0, sent.err
        admin = node.as_("admin")
        node.at, node.room = {}, room
        for each in admin.get("/measurements?limit=200").json()["items"]:
            assert admin.post(f"/measurements/{each['id']}/embargo:lift", json={"reason": "shown"}).status_code == 200
            kind = {".dm4": CUBE, ".msa": LINE}.get(Path(each["measurementName"]).suffix, "picture")
            node.at[kind] = f"{node.url}/measurements/{each['id']}"
        assert set(node.at) == {CUBE, LINE, "picture"}
        yield node


@pytest.fixture
def map_(node, page):
    """The page of the spectrum image, its script at work."""
    page.open(node.at[CUBE]).until("document.querySelector('[data-spectra]').dataset.live !== undefined")
    return page


def cube(node):
    """The small cube as it lies beside the preview."""
    files = node.room.home.joinpath("previews").rglob(f"*{spectra.SUFFIX}")
    views = [spectra.unpack(each.read_bytes())[0][0] for each in files]
    return next(view.cube for view in views if view.cube)


def line(page, which):
    return page.run(f"document.querySelector('.{which} .line').getAttribute('d')")


def point(page, selector, across, down):
    """Where a place within an element lies in the window."""
    page.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    box = page.run(f"(() => {{ const box = document.querySelector('{selector}').getBoundingClientRect(); "
                   "return [box.x, box.y, box.width, box.height] })()")  # fmt: skip
    return {"x": box[0] + across * box[2], "y": box[1] + down * box[3]}


def test_the_spectrum_follows_the_pointer_and_the_keys(node, map_):
    before, whole = line(map_, "at"), line(map_, "whole")
    map_.send("Input.dispatchMouseEvent", type="mouseMoved", **point(map_, "canvas", 0.05, 0.05))
    assert map_.text(".at output").startswith("column 1, row 1 (x 0 nm, y 0 nm)")
    moved = line(map_, "at")
    assert (moved != before, line(map_, "whole")) == (True, whole)
    map_.run("document.querySelector('canvas').focus()")
    map_.key("ArrowRight").key("ArrowDown").key("ArrowDown").key("ArrowLeft").key("ArrowLeft")
    assert map_.text(".at output").startswith("column 1, row 3")
    assert line(map_, "at") != moved
    assert map_.run("[...document.querySelectorAll('.choose input')].slice(0, 2).map(each => each.value)") == ["1", "3"]
    map_.until("location.search.includes('row=3')")
    said = line(map_, "at")
    map_.open(map_.run("location.href"))  # the server draws just what the script drew
    assert map_.text(".at output").startswith("column 1, row 3")
    assert [round(float(n), 0) for n in re.findall(r"[\d.]+", line(map_, "at"))] == pytest.approx(
        [round(float(n), 0) for n in re.findall(r"[\d.]+", said)], abs=1
    )


def test_a_range_of_channels_makes_another_map(node, map_):
    pixels = "document.querySelector('canvas').toDataURL()"
    before = map_.run(pixels)
    start, stop = (point(map_, ".whole svg", across, 0.5) for across in (0.6, 0.7))
    map_.send("Input.dispatchMouseEvent", type="mousePressed", button="left", clickCount=1, **start)
    map_.send("Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, **stop)
    map_.send("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **stop)
    assert map_.run(pixels) != before
    first, last = map_.run("['from', 'to'].map(name => Number(document.querySelector(`[name=${name}]`).value))")
    assert 255 < first < last < 640
    assert map_.run("Number(document.querySelector('.range').getAttribute('width'))") > 20
    map_.until("location.search.includes('from=')")
    assert f"from={first:g}" in map_.run("[...document.querySelectorAll('[data-keep]')].map(each => each.href).join()")
    map_.type("[name=from]", "").type("[name=to]", "")
    map_.run("document.querySelector('[name=to]').dispatchEvent(new Event('input', {bubbles: true}))")
    assert map_.run(pixels) == before


@pytest.mark.parametrize("script", [True, False], ids=["script", "none"])
def test_scales_are_a_link_and_values_a_download(node, chromium, script):
    with chromium.page(script=script) as page:
        page.open(node.at[LINE])
        assert page.text("#spectra") == "Spectrum"
        assert page.run("document.querySelector('.whole svg desc').textContent") == (
            "Energy from 0 eV to 3980 eV; the highest of 200 values, 907, is at 600 eV."
        )
        linear = line(page, "whole")
        page.click(".spectra a", "Logarithmic scale")
        assert line(page, "whole") != linear
        assert page.all(".links a") == ["Linear scale", "Values as CSV"]
        where = page.run("document.querySelectorAll('.links a')[1].href")
        assert page.complaints() == []
    answer = requests.get(where, timeout=60)
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert (answer.headers["Content-Type"], head) == ("text/csv; charset=utf-8", ["Energy (eV)", "intensity"])
    assert [(float(x), float(y)) for x, y in rows] == [(20.0 * n, count) for n, count in enumerate(COUNTS)]


def test_a_map_works_without_a_script(node, chromium):
    held = cube(node)
    with chromium.page(script=False) as page:
        page.open(node.at[CUBE])
        brightest = page.text(".at output")
        page.type("[name=column]", "2").type("[name=row]", "9").enter()
        assert page.text(".at output").startswith("column 2, row 9") != brightest.startswith("column 2, row 9")
        where = page.run("document.querySelectorAll('.links a')[2].href")
        page.type("[name=from]", "520").type("[name=to]", "560").enter()
        assert page.text(".at output").startswith("column 2, row 9")
        assert page.run("document.querySelector('.range') !== null")
        picture = page.run("document.querySelector('[type=image]').src")
        there = point(page, "[type=image]", 0.75, 0.25)
        page._forget()
        for kind in ("mousePressed", "mouseReleased"):
            page.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **there)
        page.browser.wait("Page.loadEventFired", page.session)
        assert page.text(".at output").startswith("column 8, row 3")
        assert page.complaints() == []
    _, *rows = csv.reader(io.StringIO(requests.get(where, timeout=60).text))
    assert [float(y) for _, y in rows] == held.values[8, 1].tolist()
    whole = requests.get(picture.partition("?")[0], timeout=60)
    assert (whole.headers["Content-Type"], whole.content[:4]) == ("image/png", b"\x89PNG")
    assert requests.get(picture, timeout=60).content != whole.content


def test_pictures_have_no_spectra_and_load_nothing_for_them(node, page):
    page.open(node.at["picture"])
    assert page.run("document.querySelector('#spectra, script[src*=spectra]')") is None
    assert requests.get(f"{node.at['picture']}/spectra/values.csv", timeout=60).status_code == 404
    assert requests.get(f"{node.at[LINE]}/spectra/map.png", timeout=60).status_code == 404


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_grave_is_in_the_way_of_anybody(node, chromium, dark):
    if not AXE.is_file():
        pytest.skip("needs Node (and NFFA_NPM, a folder with axe-core)")
    axe = AXE.read_text(encoding="utf-8")
    for width in (1280, 390):
        with chromium.page(width=width, dark=dark) as page:
            for kind in (CUBE, LINE):
                page.open(f"{node.at[kind]}?scale=log&from=300&to=400")
                page.run(f"(() => {{ {axe}; return 1 }})()")
                told = page.run(
                    "axe.run(document, {resultTypes: ['violations']}).then(said => JSON.stringify(said.violations))"
                )
                assert [each["id"] for each in json.loads(told) if each["impact"] in ("serious", "critical")] == []
                assert page.run("document.documentElement.scrollWidth <= innerWidth"), (kind, width)


def test_the_small_file_is_delivered_beside_the_preview_and_is_nobodys_data(node, tmp_path):
    key = node.at[CUBE].rpartition("/")[2]
    found = {each["role"]: each for each in node.as_("admin").get(f"/dataassets?measurement={key}").json()["items"]}
    small = found["spectra"]
    assert (small["dataAssetType"], small["mediaType"]) == ("preview", "application/gzip")
    assert small["dataAssetName"].endswith(".dm4.spectra.gz")
    checked = node.room.nffa(
        "sync", "--to", node.url, "--proposal", "161", "--check", env={"NFFA_TOKEN": node.token("depositor")}
    )
    assert checked.status == 0, checked.err
    safe = node.room.json("list", "--safe-to-delete").lines
    assert any(".dm4" in json.dumps(line) for line in safe)
    assert not [line for line in safe if spectra.SUFFIX in json.dumps(line)]
    again = node.room.nffa("sync", "--to", node.url, "--proposal", "161", env={"NFFA_TOKEN": node.token("depositor")})
    assert again.status == 0
    versions = node.as_("admin").get(f"/dataassets?measurement={key}").json()["items"]
    assert {each["role"]: each["version"] for each in versions} == {
        role: each["version"] for role, each in found.items()
    }
