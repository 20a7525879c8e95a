"""The page of a measurement over plain HTTP: similar pictures, the original to zoom into, and words that are taken back."""

from __future__ import annotations

import re

import pytest

from tests.contract.node.parcels import asset, delivered, item
from tests.contract.node.test_pages_served import PREVIEW, Person
from tests.contract.node.test_similar import towards


@pytest.fixture
def address():
    """SQLite will do: what the database is asked is asked of both elsewhere."""


def shown(key, angle, *, side=1024, media="image/jpeg", **said):
    """A parcel with a picture of ``side`` pixels that a model saw, and its preview."""
    made = item(key, {}, **said) | {"embedding": towards(angle)}
    data = f"bytes of {key}".encode()
    made["assets"] = [
        asset(f"{key}.jpg", data, mediaType=media),
        asset(f"{key}.preview.jpg", PREVIEW, role="preview", dataAssetType="preview", mediaType="image/jpeg"),
    ]
    axes = [{"name": name, "size": side, "scale": 1.0, "offset": 0.0, "unit": None} for name in "yx"]
    signal = {"name": "image", "kind": "image", "shape": [side, side], "dtype": "uint8", "axes": axes}
    made["documents"]["nffa-record"]["signals"] = [signal]
    return made, [data, PREVIEW]


def known(node):
    items = node.as_("admin").get("/measurements?limit=200").json()["items"]
    return {each["measurementName"].removesuffix(".tif"): each["id"] for each in items}


def alike(page):
    """What the row of similar pictures says: name → how alike."""
    part = page.partition('id="alike"')[2].partition("</section>")[0]
    return dict(
        re.findall(r'<h3 class="name"><a [^>]*>([^<]+)\.tif</a></h3>.*?(\d+ % alike|\d+% alike)', part, re.DOTALL)
    )


def test_similar_pictures_are_those_that_one_may_read(node):
    parcels = [shown("zero", 0), shown("ten", 10), shown("thirty", 30, proposal="P2"), shown("eighty", 80)]
    delivered(node.as_("depositor"), *parcels)
    there, manager = known(node), node.as_("dataManager")
    for key in ("zero", "thirty"):
        assert manager.post(f"/measurements/{there[key]}/embargo:lift", json={"reason": "x"}).status_code == 200
    path = f"/measurements/{there['zero']}"
    assert alike(Person(node, node.token("dataManager")).get(path).text) == {"ten": "98% alike", "thirty": "87% alike"}
    stranger = Person(node).get(path).text
    assert alike(stranger) == {"thirty": "87% alike"}
    assert there["ten"] not in stranger
    lone = Person(node, node.token("dataManager")).get(f"/measurements/{there['eighty']}").text
    assert list(alike(lone)) == ["thirty"]


@pytest.mark.parametrize(
    ("side", "media", "drawn", "told"),
    [
        (1024, "image/jpeg", True, "1024 × 1024 pixels, is drawn where you zoom in"),
        (1024, "image/png", True, "is drawn where you zoom in"),
        (1024, "image/tiff", False, "This is a preview; the file has 1024 × 1024 pixels."),
        (1024, "image/svg+xml", False, "This is a preview"),
        (10_000, "image/jpeg", False, "This is a preview; the file has 10000 × 10000 pixels."),
        (512, "image/jpeg", False, ""),
    ],
)
def test_the_original_is_drawn_where_a_browser_can_and_may(node, side, media, drawn, told):
    delivered(node.as_("depositor"), shown("x", 0, side=side, media=media))
    (id_,) = known(node).values()
    page = Person(node, node.token("admin")).get(f"/measurements/{id_}").text
    found = re.search(r'data-original="(/previews/[^"]+)"', page)
    assert bool(found) == drawn
    assert told in page
    if found:
        answer = Person(node, node.token("admin")).get(found[1])
        assert (answer.status_code, answer.content) == (200, b"bytes of x")
        assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (media, "inline")
        assert Person(node).get(found[1]).status_code == 404


SHAPES = ["x", [1e9, -1], [True, True], [[], {}], [5], None]


@pytest.mark.parametrize("signals", [None, 7, [], [{}], *([{"kind": "image", "shape": shape}] for shape in SHAPES)])
def test_a_record_that_makes_no_sense_has_no_original(node, signals):
    made, files = shown("x", 0)
    made["documents"]["nffa-record"]["signals"] = signals
    delivered(node.as_("depositor"), (made, files))
    (id_,) = known(node).values()
    answer = Person(node, node.token("admin")).get(f"/measurements/{id_}")
    assert answer.status_code == 200
    assert "data-original" not in answer.text


def removals(page, what):
    return re.findall(rf'action="/measurements/[^"]+/{what}"><input[^>]*><button name="remove" value="([^"]+)"', page)


def test_authors_and_those_who_may_write_take_words_back(node):
    delivered(node.as_("depositor"), shown("x", 0))
    (id_,) = known(node).values()
    path, admin = f"/measurements/{id_}", node.as_("admin")
    proposal = admin.get("/proposals").json()["items"][0]["id"]
    roles = {"Author": "teamMember", "Colleague": "teamMember", "Analyst": "dataAnalyst", "Other": "dataAnalyst"}
    people = {name: node.person(name, "reader") for name in roles}

    def members(**changed):
        wanted = [{"personId": people[name], "role": role} for name, role in (roles | changed).items()]
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
        assert admin.patch(f"/proposals/{proposal}", json={"members": wanted}, headers=headers).status_code == 200

    members()
    as_ = {name: Person(node, node.token("reader", each)) for name, each in people.items()}
    for name in ("one", "two"):
        assert as_["Author"].submit(f"{path}/tags", tag=name).status_code == 303
    assert as_["Analyst"].submit(f"{path}/comments", text="mine").status_code == 303
    members(Author="dataAnalyst")  # who may not write any more keeps the right to what he wrote himself
    (comment,) = removals(as_["Analyst"].get(path).text, "comments")
    assert removals(as_["Author"].get(path).text, "tags") == ["one", "two"]
    assert removals(as_["Other"].get(path).text, "tags") == removals(as_["Other"].get(path).text, "comments") == []
    assert as_["Other"].submit(f"{path}/tags", remove="one").status_code == 403
    assert as_["Other"].submit(f"{path}/comments", remove=comment).status_code == 404
    assert removals(as_["Colleague"].get(path).text, "comments") == [comment]
    assert as_["Author"].submit(f"{path}/tags", remove="one").status_code == 303
    assert as_["Colleague"].submit(f"{path}/tags", remove="two").status_code == 303
    assert as_["Colleague"].submit(f"{path}/comments", remove=comment).status_code == 303
    page = as_["Author"].get(path).text
    assert removals(page, "tags") == removals(page, "comments") == []
    told = admin.get(f"/audit?resource={id_}&limit=200").json()["items"]
    done = {(each["action"], each["actor"]) for each in told}
    assert {("untag", people["Author"]), ("untag", people["Colleague"]), ("uncomment", people["Colleague"])} <= done
    assert "mine" not in str([each["diff"] for each in told]), "what was taken back is not kept in the audit"
