"""The node's pages as a person uses them: a real node, filled by `nffa sync` with real samples, in a real headless Chromium."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from nffa_cli import samples
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.e2e.room import Room

AXE = Path(os.environ.get("NFFA_NPM", ""), "node_modules", "axe-core", "axe.min.js")
GRAVE = ("serious", "critical")
OPEN, CLOSED = "nanowires_045.tif", "particles_43.tif"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node with eleven measurements of one proposal, one of them opened to everybody."""
    folder = tmp_path_factory.mktemp("pages")
    room = Room(folder)
    samples.make_session(room.inbox)
    assert room.ingest().status in (0, 3)
    with serving(Config(folder / "node", name="Example facility")) as node:
        sent = room.nffa("sync", "--to", node.url, env={"NFFA_TOKEN": node.token("depositor")})
        assert sent.status == 0, sent.err
        admin = node.as_("admin")
        node.ids = {
            each["measurementName"]: each["id"] for each in admin.get("/measurements?limit=200").json()["items"]
        }
        assert len(node.ids) == 11
        lifted = admin.post(f"/measurements/{node.ids[OPEN]}/embargo:lift", json={"reason": "shown"})
        assert lifted.status_code == 200, lifted.text
        yield node


def signed_in(page, node, role, person=None):
    page.open(f"{node.url}/sign-in").type("#token", node.token(role, person)).enter()
    return page


def names(page):
    return page.all(".card .name")


def test_a_colleague_finds_narrows_opens_and_zooms(node, page):
    signed_in(page, node, "dataManager")
    assert page.text("[role=status]") == "11 measurements"
    page.type("#q", "demo").enter()
    page.click(".facets a", "SEM")
    assert [each.split()[:2] for each in page.all(".chips a")] == [["technique", "SEM"]]
    page.run("document.querySelector('.more').open = true")
    page.type("[name=kvMin]", "18").type("[name=kvMax]", "20").enter()
    assert names(page) == [OPEN]
    assert urlsplit(page.run("location.href")).query == "technique=SEM&q=demo&kvMin=18&kvMax=20&from=&to="
    page.click(".card .name a")
    assert page.text("h1") == OPEN
    page.until("document.querySelector('.viewer').dataset.bar")
    assert "2.76 µm × 2.539 µm, 5.391 nm per pixel" in page.text("figcaption")
    whole = calibration(page)
    page.run("document.querySelector('.frame').focus()")
    page.key("+", "Equal", "+").key("+", "Equal", "+")
    assert page.text("output") == "225 %"
    assert calibration(page) < whole
    page.key("0", "Digit0", "0")
    assert calibration(page) == whole


def calibration(page):
    """Metres of the scale bar; its pixels must mean just as many in the picture as it is shown."""
    bar, pixels, shown, width = page.run(
        "(() => { const figure = document.querySelector('.viewer'); return [Number(figure.dataset.bar), "
        "document.querySelector('.scale i').getBoundingClientRect().width, "
        "figure.querySelector('img').getBoundingClientRect().width, Number(figure.dataset.width)] })()"
    )
    assert pixels / shown * width == pytest.approx(bar, rel=0.01)
    return bar


def test_what_is_under_embargo_is_not_there_for_another(node, page):
    for who in ("nobody", "reader"):
        if who != "nobody":
            signed_in(page, node, who, node.person("Stranger", "reader"))
        page.open(node.url)
        assert names(page) == [OPEN], who
        assert all(each.endswith(" 1") for each in page.all(".facets li")), who
        page.open(f"{node.url}/?q=particles")
        assert names(page) == []
        page.open(f"{node.url}/measurements/{node.ids[OPEN]}")
        assert page.text(".embargo").startswith("Open to everybody since ")
    hidden = f"{node.url}/measurements/{node.ids[CLOSED]}"
    page.send("Log.disable")  # a page that is not there is a complaint of the browser's
    page.open(hidden)
    assert page.text("h1") == "Not found"
    page.browser.events.clear()


def test_the_embargo_is_said_in_words(node, page):
    signed_in(page, node, "dataManager").open(f"{node.url}/measurements/{node.ids[CLOSED]}")
    assert page.text(".embargo") == (
        "Closed until the end of 2027-05-06, as the data policy says: 36 months after the end of the experiment. "
        "Until then its proposal's members see the data, and whom they let in."
    )  # fmt: skip
    page.click(".path a")
    assert page.text("h1") == "Made-up files of many instruments"
    assert page.text(".embargo").startswith(
        "10 of 11 measurements under embargo; the data policy opens data 36 months after"
    )


def test_all_of_it_works_without_a_script(node, chromium):
    with chromium.page(script=False) as page:
        signed_in(page, node, "dataManager")
        page.open(f"{node.url}/?q=nanowires*").click(".card .name a")
        assert page.text("h1") == OPEN
        page.type("#tag", "highvoltage").type("#tag", "ebeam hv").enter()
        assert page.all("#tree th")
        assert all("EBeam" in each for each in page.all("#tree th"))
        assert page.complaints() == []


def test_the_vendors_tree_is_searched_while_typing(node, page):
    signed_in(page, node, "dataManager").open(f"{node.url}/measurements/{node.ids[OPEN]}")
    before = len(page.all("#tree th"))
    page.type("#tag", "stage")
    page.until("document.querySelector('#tree').innerText.includes('with “stage”')")
    found = page.all("#tree tr")
    assert 0 < len(found) < before
    assert all("stage" in each.casefold() for each in found)


def test_tags_comments_and_collections_across_experiments(node, page):
    signed_in(page, node, "admin").open(f"{node.url}/measurements/{node.ids[OPEN]}")
    page.type("#new-tag", "cover picture").enter()
    assert page.all("#remarks .chips a") == ["cover picture"]
    page.type("#text", "For the poster? <b>Ask Ada.</b>").click("button", "Say it")
    assert "admin, " in page.text(".comment")
    assert "<b>Ask Ada.</b>" in page.text(".comment")
    page.type("#collection", "Poster 8").enter()
    assert names(page) == [OPEN]
    page.open(f"{node.url}/measurements/{node.ids[CLOSED]}").type("#collection", "Poster 8").enter()
    assert sorted(names(page)) == [OPEN, CLOSED]
    page.click(".card button")
    assert page.all(".plain li") == ["Poster 8 1 measurement"]
    page.open(f"{node.url}/?tag=cover+picture")
    assert names(page) == [OPEN]
    page.open(f"{node.url}/measurements/{node.ids[OPEN]}").click("button", "Take back")
    assert page.all(".comment") == []
    page.click("button", "Sign out").open(f"{node.url}/measurements/{node.ids[OPEN]}")
    assert page.all("#remarks") == [], "what people say among themselves is not for everybody"
    page.open(f"{node.url}/?tag=cover+picture")
    assert names(page) == []


def test_files_are_saved_whole(node, chromium, tmp_path):
    with chromium.page(downloads=tmp_path) as page:
        signed_in(page, node, "dataManager").open(f"{node.url}/measurements/{node.ids[OPEN]}")
        told = dict(zip(page.all("#files ~ .wide th[scope=row]"), page.all("#files ~ .wide td code"), strict=False))
        page.press(".wide th[scope=row] a", OPEN)
        until = time.monotonic() + 20
        while not (tmp_path / OPEN).exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert hashlib.sha256((tmp_path / OPEN).read_bytes()).hexdigest() == told[OPEN]


def test_a_keyboard_is_enough(node, page):
    page.open(node.url)
    seen = []
    for _ in range(7):
        page.key("Tab")
        seen.append(page.run("document.activeElement.innerText || document.activeElement.id"))
    assert seen == ["To the content", "Example facility", "Measurements", "Proposals", "Sign in", "q", "Search"]


PLACES = (
    "/",
    "/?view=table",
    "/proposals",
    "/sign-in",
    "/collections",
    "/measurements/{id}",
    "/proposals/{proposal}",
    "/experiments/{experiment}",
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_has_a_grave_fault_for_those_who_see_or_hear_it_otherwise(node, chromium, dark):
    if not AXE.is_file():
        pytest.skip("needs Node (and NFFA_NPM, a folder with axe-core)")
    axe, found = AXE.read_text(encoding="utf-8"), []
    one = node.as_("admin").get(f"/measurements/{node.ids[OPEN]}").json()
    held = {"id": one["id"], "experiment": one["experimentId"]}
    held["proposal"] = node.as_("admin").get(f"/experiments/{one['experimentId']}").json()["proposalId"]
    for width in (1280, 390):
        with chromium.page(width=width, dark=dark) as page:
            signed_in(page, node, "admin")
            for place in PLACES:
                page.open(node.url + place.format(**held))
                page.run(f"(() => {{ {axe}; return 1 }})()")
                faults = json.loads(
                    page.run(
                        "axe.run(document, {resultTypes: ['violations']}).then(said => JSON.stringify(said.violations))"
                    )
                )
                found += [
                    (place, width, each["id"], each["nodes"][0]["html"]) for each in faults if each["impact"] in GRAVE
                ]
                assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{place} is wider than {width}"
    assert found == []
