"""Similar images, zoom into the original, dates to narrow by, and words taken back, in a real headless Chromium."""

from __future__ import annotations

import hashlib
import io
import json
import struct

import pytest
from PIL import Image

from nffa_cli.catalogue.opinions import Classification, Look
from nffa_cli.catalogue.store import Store
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.contract.node.parcels import asset, delivered, item
from tests.contract.node.test_similar import towards
from tests.e2e.room import Room
from tests.e2e.test_pages import AXE, GRAVE, names, signed_in

SIDE = 1024


def drawn(level, side):
    """A JPEG of a gradient, ``side`` pixels wide and three quarters as high."""
    picture = Image.linear_gradient("L").resize((side, side * 3 // 4)).point(lambda value: (value + level) % 256)
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def parcel(key, angle, started, level):
    main, preview = drawn(level, SIDE), drawn(level, 512)
    made = item(key, {}, measurement={"startTime": started}) | {"embedding": towards(angle)}
    made["assets"] = [
        asset(f"{key}.jpg", main, mediaType="image/jpeg"),
        asset(f"{key}.preview.jpg", preview, role="preview", dataAssetType="preview", mediaType="image/jpeg"),
    ]
    axes = [{"name": name, "size": size, "scale": 2e-9, "offset": 0.0, "unit": "m"}
            for name, size in (("y", SIDE * 3 // 4), ("x", SIDE))]  # fmt: skip
    signal = {"name": "image", "kind": "image", "shape": [SIDE * 3 // 4, SIDE], "dtype": "uint8", "axes": axes}
    made["documents"]["nffa-record"]["signals"] = [signal]
    return made, [main, preview]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node with four pictures, three of them alike, of two years."""
    with serving(Config(tmp_path_factory.mktemp("similar") / "node", name="Example facility")) as node:
        delivered(
            node.as_("depositor"), parcel("wires", 0, "2025-03-01T10:00:00Z", 0), parcel("more", 12, "2026-05-06T10:00:00Z", 40),
            parcel("alike", 25, "2026-05-07T10:00:00Z", 80), parcel("other", 90, "2026-11-20T10:00:00Z", 160),
        )  # fmt: skip
        admin = node.as_("admin")
        items = admin.get("/measurements?limit=200").json()["items"]
        node.ids = {each["measurementName"].removesuffix(".tif"): each["id"] for each in items}
        for key in ("wires", "alike"):
            assert admin.post(f"/measurements/{node.ids[key]}/embargo:lift", json={"reason": "x"}).status_code == 200
        yield node


def at(node, key):
    return f"{node.url}/measurements/{node.ids[key]}"


def test_what_the_pc_classified_is_similar_on_the_node(tmp_path):
    room = Room(tmp_path)
    digests = [hashlib.sha256(room.put(f"{n}.tif").read_bytes()).hexdigest() for n in range(4)]
    assert room.ingest().status == 0
    with serving(Config(tmp_path / "node")) as node:
        sync = ("sync", "--to", node.url, "--proposal", "161")
        env = {"NFFA_TOKEN": node.token("depositor")}
        assert set(room.json(*sync, env=env).statuses.values()) == {"done"}
        with Store.open(room.home / "catalogue.sqlite") as store:
            number = store.opinions.model("c" * 64, "model", "1", ["Nanowires"])
            looks = []
            for n, vector in ((0, (1, 0)), (1, (0.8, 0.6)), (2, (0.3, 0.3))):  # the last is no vector of unit length
                packed = struct.pack("<32e", *vector, *[0.0] * 30)
                made = Classification(digests[n], (2.0, 0.0), "Nanowires", 0.9, 0.9, "accepted", None, (), packed)
                looks.append(Look(str(room.inbox / f"{n}.tif"), "s", "done", None, "zeiss-sem-tiff", made))
            store.opinions.save(number, looks)
        again = room.json(*sync, env=env)
        assert again.statuses == {"0.tif": "done", "1.tif": "done", "2.tif": "done", "3.tif": "unchanged"}
        admin = node.as_("admin")
        ids = {each["measurementName"]: each["id"] for each in admin.get("/measurements").json()["items"]}
        found = {name: admin.get(f"/measurements/{id_}/similar").json() for name, id_ in ids.items()}
        assert {name: each["model"] for name, each in found.items()} == {
            "0.tif": "c" * 64, "1.tif": "c" * 64, "2.tif": None, "3.tif": None,
        }  # fmt: skip
        assert [(each["measurementName"], each["similarity"]) for each in found["0.tif"]["items"]] == [
            ("1.tif", 0.7998)
        ]
        assert set(room.json(*sync, env=env).statuses.values()) == {"unchanged"}


def test_similar_images_lead_from_one_to_the_next(node, page):
    signed_in(page, node, "dataManager").open(at(node, "wires"))
    assert page.text("#alike") == "Similar images"
    assert names(page) == ["more.tif", "alike.tif"]
    assert [each.splitlines()[-1] for each in page.all(".card")] == ["98% alike", "91% alike"]
    page.click(".card .name a")
    assert page.text("h1") == "more.tif"
    page.click("button", "Sign out").open(at(node, "wires"))
    assert names(page) == ["alike.tif"], "what one may not see is not similar"


def test_zoom_goes_on_into_the_original(node, page):
    signed_in(page, node, "admin").open(at(node, "wires"))
    page.until("document.querySelector('.viewer').dataset.bar")
    assert "1024 × 768 pixels" in page.text("figcaption")
    assert page.run("document.querySelector('.frame img').naturalWidth") == 512
    assert page.run("document.querySelector('.viewer').dataset.drawn") is None
    before = page.run("document.querySelector('.viewer').dataset.bar")
    page.run("document.querySelector('.frame').focus()")
    page.key("+", "Equal", "+")
    page.until("document.querySelector('.viewer').dataset.drawn === 'original'")
    page.until("document.querySelector('.frame img').naturalWidth === 1024")
    page.key("0", "Digit0", "0")
    assert page.run("document.querySelector('.viewer').dataset.bar") == before, "the scale bar means what it meant"


def test_without_a_script_the_original_is_a_link_and_words_are_taken_back(node, chromium):
    with chromium.page(script=False) as page:
        signed_in(page, node, "admin").open(at(node, "other"))
        assert page.run("document.querySelector('figcaption a').pathname").startswith("/previews/")
        page.type("#new-tag", "for the poster").enter()
        page.type("#text", "Is this the right one?").click("button", "Say it")
        page.click("#remarks .chips button")
        page.click("button", "Take back")
        assert page.all("#remarks .chips a") == page.all(".comment") == []
        assert page.complaints() == []


def test_years_and_months_narrow_what_is_found(node, page):
    signed_in(page, node, "dataManager")
    assert names(page) == ["other.tif", "alike.tif", "more.tif", "wires.tif"]
    page.click(".facets a", "2026")
    assert names(page) == ["other.tif", "alike.tif", "more.tif"]
    assert page.run("[document.querySelector('[name=from]').value, document.querySelector('[name=to]').value]") == [
        "2026-01-01", "2026-12-31",
    ]  # fmt: skip
    page.click(".facets a", "2026-05")
    assert names(page) == ["alike.tif", "more.tif"]
    page.click(".facets a", "2026-05").click(".facets a", "2026")
    assert len(names(page)) == 4


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_grave_fault_for_those_who_see_or_hear_it_otherwise(node, chromium, dark, tmp_path):
    if not AXE.is_file():
        pytest.skip("needs Node (and NFFA_NPM, a folder with axe-core)")
    axe, found = AXE.read_text(encoding="utf-8"), []
    for width in (1280, 390):
        with chromium.page(width=width, dark=dark) as page:
            signed_in(page, node, "admin")
            for place in (at(node, "wires"), f"{node.url}/?from=2026-01-01&to=2026-12-31"):
                page.open(place)
                page.run(f"(() => {{ {axe}; return 1 }})()")
                said = "axe.run(document, {resultTypes: ['violations']}).then(said => JSON.stringify(said.violations))"
                faults = json.loads(page.run(said))
                found += [
                    (place, width, each["id"], each["nodes"][0]["html"]) for each in faults if each["impact"] in GRAVE
                ]
                assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{place} is wider than {width}"
    assert found == []
