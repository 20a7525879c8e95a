"""The review desk as a person uses it, in a real headless Chromium; and answers that go from there back to the PC."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from nffa_cli.classify import waiting
from nffa_cli.node import labels
from nffa_cli.node.config import Config
from nffa_cli.node.problems import Problem
from tests import onnx_models
from tests.contract.node.conftest import serving
from tests.contract.node.parcels import delivered, sha256
from tests.contract.node.test_desk import LABELS, picture
from tests.contract.node.test_pages_served import Person
from tests.e2e.room import Room

AXE = Path(os.environ.get("NFFA_NPM", ""), "node_modules", "axe-core", "axe.min.js")
GRAVE = ("serious", "critical")
MANY = 24


def blotches(seed, level=128, size=(640, 480)):
    """A grey JPEG of coarse blotches."""
    noise = np.random.default_rng(seed).normal(level, 45, (9, 12)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def parcel(number, *, unsure, **more):
    """A picture as a PC delivers it, with a preview that can be looked at; ``unsure``: 0 to 1."""
    first = 0.97 - 0.5 * unsure
    shares = [first, (1 - first) * 0.7, (1 - first) * 0.2]
    if number:
        random.Random(number).shuffle(shares)
    made, (data, _) = picture(f"sample {number:02}", *shares, **more)
    seen = blotches(number)
    made["assets"][1] |= {"dataSize": len(seen), "dataChecksum": {"algorithm": "sha-256", "value": sha256(seen)}}
    made["documents"]["nffa-record"] |= {
        "terms": {"optics.magnification": {"value": 20000.0, "unit": "1", "source": "x"}},
        "signals": [{"name": None, "kind": "image", "shape": [480, 640], "dtype": "uint8", "axes": [
            {"name": name, "size": size, "scale": 2e-9, "offset": 0.0, "unit": "m"} for name, size in (("y", 480), ("x", 640))]}],
    }  # fmt: skip
    return made, [data, seen]


@pytest.fixture
def node(tmp_path):
    """A node with pictures of one PC, two of them near-duplicates of the least sure, and their reviewer's token."""
    with serving(Config(tmp_path / "node", name="Example facility")) as node:
        vector = [1.0] * 8
        parcels = [parcel(0, unsure=1, fingerprint=0, vector=vector)]
        parcels += [parcel(n, unsure=0.9 - n / 100, fingerprint=n, vector=vector) for n in (1, 2)]
        parcels += [parcel(n, unsure=0.8 - n / 40, experiment="first" if n % 3 else "second") for n in range(3, MANY)]
        pc = node.as_("depositor", node.person("Microscope", "depositor"))
        told = delivered(pc, *parcels)["items"]
        node.ids = {each["ref"]: each["measurementId"] for each in told}
        admin = node.as_("admin")
        proposal = admin.get("/proposals").json()["items"][0]["id"]
        person = node.person("Curie", "reader")
        headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
        members = {"members": [{"personId": person, "role": "dataCurator"}]}
        assert admin.patch(f"/proposals/{proposal}", json=members, headers=headers).status_code == 200
        node.pc, node.curie = pc, node.token("reader", person)
        yield node


def signed_in(page, node, token):
    return page.open(f"{node.url}/sign-in?next=/review").type("#token", token).enter()


def asked(page):
    return page.text("#asked")


def press(page, key, code=None):
    """Press a key of the desk and wait until something else is asked, and the desk listens again."""
    before = page.run("document.querySelector('#desk').innerHTML.length + document.querySelector('#desk').innerText")
    page.key(key, code, text="\r" if key == "Enter" else key)
    page.until(
        "!document.querySelector('#desk').hasAttribute('aria-busy') && document.querySelector('#desk').innerHTML.length"
        f" + document.querySelector('#desk').innerText !== {json.dumps(before)}"
    )
    return page


def answers(node):
    """{name: (answer, label, second, how)} of what holds, as it goes back to the PC."""
    found = {}
    for each in node.pc.get("/labels?limit=200").json()["items"]:
        name = next(name for name, id in node.ids.items() if id == each["measurementId"])  # noqa: A001
        if each["answer"] == "undo":
            found.pop(name)
        else:
            found[name] = each["answer"], each["label"], each["second"], each["how"]
    return found


def test_twenty_pictures_are_reviewed_by_keyboard(node, chromium):
    with chromium.page() as page:
        signed_in(page, node, node.curie)
        assert asked(page) == "sample 00.tif"
        assert "0 of 24 answered" in page.text(".progress")
        assert "With 2 near-duplicates" in page.text(".near")
        assert "1.28 µm × 960 nm, 2 nm per pixel" in page.text("figcaption")
        assert page.run("document.querySelector('.large img').naturalWidth") == 640
        press(page, "Enter")  # as the model says, of the near-duplicates too
        assert "3 of 24 answered, 3 by you" in page.text(".progress")
        assert "sample 00.tif" in page.text("#told")
        assert asked(page) == "sample 03.tif"
        page.key("+", "Equal", "+")
        page.until("document.querySelector('#desk').className === 'awaits'")
        page.key("3", "Digit3", "3")  # a second category, before the first
        page.until("document.querySelector('#second').value === 'Tips'")
        press(page, "1")
        press(page, "n")
        press(page, "x")
        left = asked(page)
        press(page, "s")  # later
        page.key("c", text="c")
        page.until("document.activeElement.id === 'new'")
        assert page.run("document.activeElement.value") == ""
        page.type("#new", "Nanotubes <b>")
        press(page, "Enter")
        assert page.all(".choices button")[3].split("\n")[:2] == ["4", "Nanotubes <b>"]
        press(page, "4")  # its key from now on
        press(page, "2")
        assert "sample 09.tif" in page.text(".last")
        press(page, "u")  # taken back, and asked again
        assert asked(page) == "sample 09.tif"
        for _ in range(13):
            press(page, "a")
        found = answers(node)
        assert len(found) == 3 + 5 + 13
        assert found["sample 01"] == (*found["sample 00"][:3], "duplicate")
        assert found["sample 03"] == ("label", "Nanowires", "Tips", "looked")
        assert found["sample 04"][0] == "unclear"
        assert found["sample 05"][0] == "none"
        assert left == "sample 06.tif"
        assert "sample 06" not in found
        assert found["sample 07"][:2] == found["sample 08"][:2] == ("label", "Nanotubes <b>")
        assert found["sample 09"][1] in LABELS
        assert urlsplit(page.run("location.href")).path == "/review"
        assert page.complaints() == []
        assert {urlsplit(each).hostname for each in page.requests() if each.startswith("http")} == {"127.0.0.1"}
        page.open(f"{node.url}/?category=Nanotubes+%3Cb%3E")  # in the search straight away
        assert sorted(page.all(".card .name")) == ["sample 07.tif", "sample 08.tif"]
        assert page.all(".card .quiet")[0] == "person"


def test_keys_are_the_fields_own_while_one_types_and_can_be_switched_off(node, chromium):
    with chromium.page() as page:
        signed_in(page, node, node.curie)
        page.run("document.querySelector('#new').focus()")
        for key in "nax":
            page.key(key, text=key)
        assert page.run("document.querySelector('#new').value") == "nax"
        page.key("Escape")
        page.run("document.querySelector('#keys').open = true")
        page.press("#keys button", "Switch keys off")
        page.key("n", text="n").key("x", text="x")
        assert asked(page) == "sample 00.tif"
        page.press("#keys button", "Switch keys on")
        page.run("document.querySelector('#asked').focus()")
        page.key("d", text="d")
        assert page.run("document.querySelector('[name=alone]').checked") is True
        press(page, "x")
        assert set(answers(node)) == {"sample 00"}
        assert page.complaints() == []


def test_what_cannot_be_kept_is_said_and_nothing_is_lost(node, chromium):
    with chromium.page() as page:
        signed_in(page, node, node.curie)
        page.run("document.querySelector('#answers [name=measurement]').value = 'nothing'")
        page.key("n", text="n")
        page.until("!document.querySelector('#trouble').hidden")
        assert "Not found" in page.text("#trouble")
        page.run("window.fetch = () => Promise.reject(new TypeError('away'))")
        page.until("!document.querySelector('#desk').hasAttribute('aria-busy')")
        page.key("n", text="n")
        page.until("document.querySelector('#trouble').innerText.includes('not kept')")
        assert asked(page) == "sample 00.tif"
        assert answers(node) == {}


def test_it_works_without_a_script(node, chromium):
    with chromium.page(script=False) as page:
        signed_in(page, node, node.curie)
        page.run("document.querySelector('#second').value = 'Tips'")
        page.click("button.main")
        assert asked(page) == "sample 03.tif"
        page.type("#new", "Nanotubes").click("#naming button")
        page.click(".row button", "Not clear n")
        page.click(".row a", "Later s")
        assert asked(page) == "sample 06.tif"
        page.click(".last button")
        assert asked(page) == "sample 04.tif"
        assert {name: said[0] for name, said in answers(node).items()} == dict.fromkeys(
            ("sample 00", "sample 01", "sample 02", "sample 03"), "label"
        )
        page.click(".values a", "second")
        assert urlsplit(page.run("location.href")).query.startswith("experiment=")
        assert page.complaints() == []


def test_it_is_hidden_from_another(node, chromium):
    with chromium.page() as page:
        signed_in(page, node, node.token("reader", node.person("Stranger", "reader")))
        assert "0 of 0 answered" in page.text(".progress")
        assert "sample" not in page.text("main")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_has_no_grave_fault_for_those_who_see_or_hear_it_otherwise(node, chromium, dark):
    if not AXE.is_file():
        pytest.skip("needs Node (and NFFA_NPM, a folder with axe-core)")
    axe, found = AXE.read_text(encoding="utf-8"), []
    for width in (1280, 390):
        with chromium.page(width=width, dark=dark) as page:
            signed_in(page, node, node.curie)
            for place in ("/review", "/review?state=mine", "/review?category=Tips", "/review/agreement"):
                page.open(node.url + place)
                page.run(f"(() => {{ {axe}; return 1 }})()")
                faults = json.loads(page.run(
                    "axe.run(document, {resultTypes: ['violations']}).then(said => JSON.stringify(said.violations))"
                ))  # fmt: skip
                found += [
                    (place, width, each["id"], each["nodes"][0]["html"]) for each in faults if each["impact"] in GRAVE
                ]
                assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{place} is wider than {width}"
                if folder := os.environ.get("NFFA_PICTURES"):
                    page.picture(
                        Path(
                            folder,
                            f"desk-{place.strip('/').replace('/', '-')}-{width}-{'dark' if dark else 'light'}.png",
                        )
                    )
            press(page.open(f"{node.url}/review"), "a")
    assert found == []


# --- back to the PC ---


class Pc(Room):
    """An instrument's PC that classifies with a tiny model and delivers to a node."""

    @property
    def environment(self):
        return {**super().environment, "NFFA_CLASSIFY_MODEL": "tiny", "NFFA_REVIEW_LABELLER": "anna", **self.tokens}

    tokens: dict[str, str] = {}  # noqa: RUF012

    def sync(self, *arguments):
        run = self.json("sync", "--to", self.node.url, "--proposal", "161", *arguments)
        assert run.status == 0, run.err
        return run


@pytest.fixture
def pc(tmp_path):
    """Three bright and a dark picture, classified and delivered; ``pc.ids``: name → id at ``pc.node``."""
    (tmp_path / "room").mkdir()
    room = Pc(tmp_path / "room")
    (room.folder / "tiny.onnx").write_bytes(onnx_models.good())
    assert room.nffa("model", "add", "tiny.onnx").status == 0
    for n, level in enumerate((190, 190, 190, 60)):
        room.put(f"p{n}.jpg", blotches(n, level, (128, 96)))
    assert room.ingest("--pictures", "--classify").status == 0
    with serving(Config(tmp_path / "node")) as node:
        room.node, room.person = node, node.person("Microscope", "depositor")
        room.tokens = {"NFFA_TOKEN": node.token("depositor", room.person)}
        room.sync()
        found = node.as_("admin").get("/measurements?limit=200").json()["items"]
        room.ids = {each["measurementName"]: each["id"] for each in found}
        assert len(room.ids) == 4
        yield room


def say(pc, name, **said):
    person = Person(pc.node, pc.node.token("admin"))
    answer = person.submit("/review/answer", measurement=pc.ids[name], **said)
    assert answer.status_code == 303, answer.text
    return person


def take_back(person):
    batch = re.search(r'name="batch" value="([^"]*)"', person.get("/review").text)[1]
    assert person.submit("/review/undo", batch=batch).status_code == 303


def labelled(pc, *arguments):
    """{name: (label, labeller)} of ``review export``."""
    run = pc.json("review", "export", *arguments)
    return {line["path"].rpartition("/")[2]: (line["label"], line["labeller"]) for line in run.of("label")}


def versions(pc):
    admin = pc.node.as_("admin")
    return {name: admin.get(f"/measurements/{each}").json()["version"] for name, each in pc.ids.items()}


def test_what_is_answered_at_the_node_comes_back_with_the_next_sync(pc):
    page = Person(pc.node, pc.node.token("admin")).get("/review").text
    assert "Particles" in page
    assert "Porous Sponge" in page  # all the scores are there
    say(pc, "p0.jpg", label="Tips")
    person = say(pc, "p1.jpg", answer="new", new="Nanotubes")
    run = pc.sync()
    (told,) = run.of("labels")
    assert told == {"type": "labels", "destination": told["destination"], "labels": 2, "problem": None}
    assert pc.json("list").status == 0
    given = pc.json("show", next(iter(pc.json("search", "category:Tips").of("acquisition")))["acquisition"])
    (line,) = given.of("acquisition")[0]["labels"]
    assert (line["label"], line["origin"], line["how"]) == ("Tips", pc.node.url, "looked")
    assert {name: label for name, (label, _) in labelled(pc).items()} == {"p0.jpg": "Tips", "p1.jpg": "Nanotubes"}
    assert all(re.fullmatch(r"person [0-9a-f]{12} at 127.0.0.1", who) for _, who in labelled(pc).values())
    assert {each["path"].rpartition("/")[2] for each in pc.json("review", "list").of("waiting")} == {"p2.jpg", "p3.jpg"}
    # delivered again it is as it was, however often
    before = versions(pc)
    again = pc.sync()
    assert set(again.statuses.values()) == {"unchanged"}
    assert again.of("labels") == []
    assert versions(pc) == before == dict.fromkeys(pc.ids, 1)
    # taken back there, it is taken back here
    take_back(person)
    assert pc.sync().of("labels")[0]["labels"] == 1
    assert set(labelled(pc)) == {"p0.jpg"}


def test_a_later_answer_at_the_pc_holds_there_and_here(pc):
    say(pc, "p0.jpg", label="Tips")
    pc.sync()
    (pc.folder / "answers").write_text(
        json.dumps({"path": str(pc.inbox / "p0.jpg"), "label": "Fibres"}) + "\n", encoding="utf-8"
    )
    assert pc.nffa("review", "--answers", "answers").status == 0
    run = pc.sync()
    assert run.statuses["p0.jpg"] == "done"
    at_node = pc.node.as_("admin").get(f"/measurements/{pc.ids['p0.jpg']}").json()
    assert at_node["category"]["label"] == "Fibres"
    found = pc.json("search", "category:Fibres").of("acquisition")
    assert [each["path"].rpartition("/")[2] for each in found] == ["p0.jpg"]
    # who disagrees is told in the report, not lost
    assert {line["labellers"][0] for line in pc.json("model", "report").of("report-pair")} == {"anna"}


def test_the_node_is_told_what_the_terminal_knows(pc):
    with Image.open(pc.inbox / "p0.jpg") as opened:
        opened.save(pc.inbox / "p9.jpg", "JPEG", quality=60)
    assert pc.ingest("--pictures", "--classify").status == 0
    pc.sync()
    admin = pc.node.as_("admin")
    told = {}
    for each in admin.get("/measurements?limit=200").json()["items"]:
        document = admin.get(f"/measurements/{each['id']}/metadata/nffa-record").json()
        told[each["measurementName"]] = find(document, "classification")
    model = told["p0.jpg"]["model"]
    assert [each["label"] for each in model["scores"]] == list(onnx_models.LABELS)
    assert max(each["score"] for each in model["scores"]) == pytest.approx(model["score"], abs=1e-5)
    assert 0 <= model["doubt"] <= 1
    one, same, other = (int(told[name]["fingerprint"], 16) for name in ("p0.jpg", "p9.jpg", "p1.jpg"))
    assert waiting.is_same(one, same)
    assert not waiting.is_same(one, other)


def find(value, name):
    """What lies under a name, however deep."""
    if isinstance(value, dict):
        return value[name] if name in value else next(filter(None, (find(each, name) for each in value.values())), None)
    return next(filter(None, (find(each, name) for each in value)), None) if isinstance(value, list) else None


def test_labels_that_do_not_come_stop_no_delivery(pc, monkeypatch):
    say(pc, "p0.jpg", label="Tips")
    for problem in (Problem(503, "Away", "later"), Problem(403, "Not allowed", "never")):
        with monkeypatch.context() as patch:
            patch.setattr(labels, "fed", raising(problem))
            run = pc.sync()
        (told,) = run.of("labels")
        assert told["labels"] == 0
        assert told["problem"]
        assert set(run.statuses.values()) == {"unchanged"}
    assert pc.sync().of("labels")[0]["labels"] == 1


def raising(error):
    def fails(*_):
        raise error

    return fails


def test_the_summary_is_what_the_pc_exports(pc):
    person = say(pc, "p0.jpg", label="Tips")
    pc.sync()
    rows = csv.DictReader(io.StringIO(person.get("/review/labels.csv?state=mine").content.decode("utf-8-sig")))
    at_node = [(row["label"], row["sha256"], row["how"]) for row in rows]
    here = [(line["label"], line["sha256"], line["how"]) for line in pc.json("review", "export").of("label")]
    assert at_node == here
