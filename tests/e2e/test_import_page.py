"""Registering and importing as a person does it, in a real headless Chromium: proposal, experiment, record, history."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving

AXE = Path(os.environ.get("NFFA_NPM", ""), "node_modules", "axe-core", "axe.min.js")
GRAVE = ("serious", "critical")
MD5 = "0cc175b9c0f1b6a831c399e269772661"
RECORD = {
    "id": "abcde-12345", "pids": {"doi": {"identifier": "10.0000/invented.2"}},
    "links": {"self_html": "https://zenodo.org/records/abcde-12345",
              "files": "https://zenodo.org/api/records/abcde-12345/files"},
    "metadata": {"title": "Invented phonons", "publication_date": "2024-02-03", "rights": [{"id": "cc-by-4.0"}],
                 "description": "<p>Words of an invented record, for nobody.</p>", "funding": [{"award": {"number": "0"}}]},
    "files": {"enabled": True, "entries": {"x y.cif": {"key": "x y.cif", "size": 5, "checksum": f"md5:{MD5}"},
                                           "z.dat": {"key": "z.dat", "size": 7}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """An empty node that fetches one record, which the test has."""
    with serving(Config(tmp_path_factory.mktemp("import") / "node", name="Example facility")) as node:
        node.app.state.intake.fetch = lambda address, hosts: json.dumps(RECORD).encode()
        yield node


def enclose(page, selector, path):
    """Choose a file, as a person does in the dialog of the browser."""
    top = page.send("DOM.getDocument")["root"]["nodeId"]
    field = page.send("DOM.querySelector", nodeId=top, selector=selector)["nodeId"]
    page.send("DOM.setFileInputFiles", files=[str(path)], nodeId=field)


def register(page, node, number):
    """Register a proposal and an experiment of it, by the pages alone; ends on the experiment's page."""
    page.open(f"{node.url}/sign-in").type("#token", node.token("admin")).enter()
    page.open(f"{node.url}/proposals").click(".does a", "New proposal")
    page.type("#proposalId", number).type("#proposalTitle", "Bands of silver").type("#abstract", "why").click(
        "button", "Register"
    )
    assert page.text("h1") == "Bands of silver"
    page.click(".does a", "New experiment")
    page.type("#experimentName", "May").click("button", "Register")
    assert page.text("h1") == "May"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_from_nothing_to_an_imported_record_with_its_history(node, chromium, tmp_path, script):
    (tmp_path / "record.json").write_text(json.dumps(RECORD), encoding="utf-8")
    with chromium.page(script=script) as page:
        register(page, node, f"161-{script}")
        page.click(".does a")
        assert page.text("h1") == "Import a record"
        enclose(page, "#file", tmp_path / "record.json")
        page.click("button", "Look at it")
        assert page.text("h1") == "Invented phonons"
        assert "z.dat becomes no asset: the record says no digest." in page.text("main")
        rows = [row.split("\t") for row in page.all(".taken tbody tr")]
        assert ["measurement/measurementName", "Invented phonons", "metadata.title"] in rows
        assert page.run("document.querySelector('#experiment').selectedOptions[0].innerText").endswith(": May")
        page.click("form.say button", "Import")
        assert page.text("h1") == "Invented phonons"
        assert f"md5, as its archive says: {MD5}" in page.text("section[aria-labelledby=files]")
        page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.type("#measurementName", "Phonons, invented").click("button", "Save")
        page.run("document.querySelector('#history').open = true")
        told = page.all(".history li")
        assert "admin changed it" in told[0]
        assert "name: Invented phonons Phonons, invented" in told[0]
        assert "admin imported it: record.json; invenio 1" in told[1]
        assert page.complaints() == []


def test_an_address_that_is_imported_again_asks_first(node, chromium):
    with chromium.page() as page:
        register(page, node, "162")
        for _ in range(2):
            page.click(".does a")
            page.type("#address", "https://zenodo.org/records/abcde-12345").click("button", "Look at it")
            page.click("form.say button", "Import")
            page.click(".path li:nth-child(2) a")
        assert page.text("h2") == "1 measurement"
        page.click(".does a")
        page.type("#address", "https://zenodo.org/records/abcde-12345").click("button", "Look at it")
        page.run("document.querySelector('[value=one]').click()")
        page.send("Log.disable")  # a conflict is a complaint of the browser's
        page.click("form.say button", "Import")
        assert "It is there already" in page.text("[role=alert]")
        page.click("form.say button", "Replace what is there")
        assert "files.json" in page.text("section[aria-labelledby=files]")
        assert {urlsplit(each).hostname for each in page.requests() if not each.startswith(("data:", "about:"))} <= {
            "127.0.0.1"
        }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_grave_fault(node, chromium, tmp_path, dark):
    if not AXE.is_file():
        pytest.skip("needs Node (and NFFA_NPM, a folder with axe-core)")
    axe, found = AXE.read_text(encoding="utf-8"), []
    (tmp_path / "record.json").write_text(json.dumps(RECORD), encoding="utf-8")
    for width in (1280, 390):
        with chromium.page(width=width, dark=dark) as page:
            register(page, node, f"163-{dark}-{width}")
            held = page.run("location.href")
            proposal = page.run("document.querySelectorAll('.path a')[1].href")
            page.click(".does a")
            enclose(page, "#file", tmp_path / "record.json")
            page.click("button", "Look at it")
            record = page.run("location.href")
            places = [
                f"{node.url}/import",
                record,
                f"{node.url}/register/proposal",
                f"{proposal}/register",
                proposal,
                held,
            ]
            for place in places:
                page.open(place)
                page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
                page.run(f"(() => {{ {axe}; return 1 }})()")
                said = "axe.run(document, {resultTypes: ['violations']}).then(said => JSON.stringify(said.violations))"
                faults = json.loads(page.run(said))
                found += [
                    (place, width, each["id"], each["nodes"][0]["html"]) for each in faults if each["impact"] in GRAVE
                ]
                assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{place} is wider than {width}"
    assert found == []
