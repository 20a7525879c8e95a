"""The review desk over HTTP, on both databases: what is asked, what an answer does, which answer holds, what goes back."""

from __future__ import annotations

import base64
import csv
import html
import io
import re
import struct

import pytest
import sqlalchemy as sa

from nffa_cli.node import tables
from tests.contract.node.parcels import asset, delivered, item
from tests.contract.node.test_pages_served import PREVIEW, Person

LABELS = ("Nanowires", "Particles", "Tips")
MODEL = "5" * 64


def picture(key, *shares, data=None, persons=(), fingerprint=None, vector=None, **more):
    """A parcel with a preview, and what a model says of it: ``shares`` of ``LABELS``."""
    data = data or key.encode()
    made = item(key, {f"{key}.tif": data}, **more)
    made["assets"].append(asset(f"{key}.jpg", PREVIEW, role="preview", dataAssetType="preview", mediaType="image/jpeg"))
    first, second = sorted(shares, reverse=True)[:2] if shares else (0, 0)
    decision = "accepted" if first > 0.8 else "uncertain" if first > 0.3 else "none"
    label = LABELS[shares.index(first)] if shares else None
    seen = {}
    if shares:
        scores = [{"label": name, "score": share} for name, share in zip(LABELS, shares, strict=True)]
        seen["model"] = {"label": label, "score": first, "decision": decision, "model_sha256": MODEL, "scores": scores,
                         "doubt": 1 - (first - second)}  # fmt: skip
        made["measurement"]["category"] = {"label": label if decision == "accepted" else None, "decision": decision,
                                           "score": first, "by": "model"}  # fmt: skip
    if fingerprint is not None:
        seen["fingerprint"] = f"{fingerprint:032x}"
    if persons:
        seen["persons"] = [{"label": name, "at": at, "labeller": "p"} for name, at in persons]
        made["measurement"]["category"] = {"label": persons[-1][0], "decision": "confirmed", "by": "person"}
    if seen:
        made["documents"]["nffa-record"]["classification"] = seen
    if vector is not None:
        length = sum(each * each for each in vector) ** 0.5
        values = struct.pack(f"<{len(vector)}e", *(each / length for each in vector))
        made["embedding"] = {"model": MODEL, "values": base64.b64encode(values).decode()}
    return made, [data, PREVIEW]


SURE, UNSURE, TIE = (0.95, 0.03, 0.01), (0.5, 0.3, 0.1), (0.4, 0.05, 0.39)


@pytest.fixture
def place(node):
    """A node with three pictures of one PC, and a reviewer who is a member of their proposal, in a browser."""
    node.pc = node.as_("depositor", node.person("Microscope", "depositor"))
    told = delivered(node.pc, picture("a", *SURE), picture("b", *UNSURE), picture("c", *TIE))["items"]
    node.ids = {each["ref"]: each["measurementId"] for each in told}
    node.proposal = node.as_("admin").get("/proposals").json()["items"][0]["id"]
    node.reviewer = reviewer(node, "Curie")
    return node


def reviewer(node, name, role="teamMember"):
    """A browser of a new member of the proposal."""
    person = node.person(name, "reader")
    admin = node.as_("admin")
    found = admin.get(f"/proposals/{node.proposal}").json()
    members = [*found.get("members", []), {"personId": person, "role": role}]
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    answer = admin.patch(f"/proposals/{node.proposal}", json={"members": members}, headers=headers)
    assert answer.status_code == 200, answer.text
    made = Person(node, node.token("reader", person))
    made.id = person
    return made


def shown(browser, path="/review"):
    """The name of the picture that is asked; None: nothing is left."""
    found = re.search(r'<h2 id="asked" tabindex="-1">([^<]*)</h2>', browser.get(path).text)
    return found and html.unescape(found[1]).removesuffix(".tif")


def say(browser, node, name, path="/review/answer", **said):
    """Answer a picture; return where it leads."""
    answer = browser.submit(path, measurement=node.ids[name], **said)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def take_back(browser):
    batch = re.search(r'name="batch" value="([^"]*)"', browser.get("/review").text)[1]
    answer = browser.submit("/review/undo", batch=batch)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def category(node, name):
    """Its category over the interface, and its version."""
    found = node.as_("admin").get(f"/measurements/{node.ids[name]}").json()
    said = found.get("category") or {}
    return said.get("label"), said.get("by"), found["version"]


def feed(client, **asked):
    answer = client.get("/labels", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def redelivered(node, name, *shares, match=None, **more):
    made, contents = picture(name, *shares, **more)
    return delivered(node.pc, (made | ({"ifMatch": match} if match else {}), contents))["items"][0]


def test_the_least_sure_comes_first_and_what_is_answered_does_not_come_again(place):
    browser = place.reviewer
    assert shown(browser) == "c"  # nearly a tie
    assert "0 of 3 answered, 0 by you" in browser.get("/review").text
    assert say(browser, place, "c", answer="accept") == "/review"
    assert shown(browser) == "b"
    assert shown(browser, f"/review?after={place.ids['b']}") == "a"
    assert shown(browser, f"/review?after={place.ids['a']}") is None
    say(browser, place, "b", label="Tips")
    say(browser, place, "a", answer="unclear")
    assert shown(browser) is None
    assert "3 of 3 answered, 3 by you" in browser.get("/review").text
    assert shown(browser, "/review?state=mine") == "c"
    assert shown(browser, "/review?state=second") is None


def test_filters_are_in_the_address(place):
    browser = place.reviewer
    assert shown(browser, "/review?category=Nanowires") == "c"
    page = browser.get("/review").text
    assert "/review?category=Nanowires" in page
    assert shown(browser, "/review?category=Tips") is None
    assert shown(browser, "/review?category=none") is None
    assert shown(browser, "/review?experiment=other") is None
    assert say(browser, place, "c", answer="accept", asked="category=Nanowires&proposal=&x=y") == (
        "/review?category=Nanowires"
    )


def test_an_answer_is_found_at_once_and_can_be_taken_back(place):
    browser, admin = place.reviewer, place.as_("admin")
    before = category(place, "b")
    assert before == (None, "model", 1)
    say(browser, place, "b", answer="new", new="  Hairy   wires ", second="Tips")
    assert category(place, "b") == ("Hairy wires", "person", 1)
    assert [each["id"] for each in admin.get("/search?category=Hairy wires").json()["items"]] == [place.ids["b"]]
    assert [each["id"] for each in admin.get("/search?q=hairy tips").json()["items"]] == [place.ids["b"]]
    counted = admin.get("/search?facets=true").json()["facets"]["category"]
    assert {"value": "Hairy wires", "count": 1} in counted
    assert "Hairy wires" in browser.get("/review").text  # a key for the next picture, too
    assert take_back(browser) == f"/review?at={place.ids['b']}"
    assert category(place, "b") == before
    assert admin.get("/search?q=hairy").json()["items"] == []
    assert shown(browser) == "c"
    audit = admin.get(f"/audit?resource={place.ids['b']}").json()["items"]
    assert [each["action"] for each in audit] == ["create", "label", "unlabel"]
    with place.database.read() as connection:
        rows = connection.execute(sa.select(tables.label.c.answer).order_by(tables.label.c.seq)).scalars().all()
    assert rows == ["label", "undo"]


def test_only_the_last_answer_is_taken_back_and_only_once(place):
    browser = place.reviewer
    say(browser, place, "b", label="Tips")
    first = re.search(r'name="batch" value="([^"]*)"', browser.get("/review").text)[1]
    say(browser, place, "b", label="Particles")
    assert browser.submit("/review/undo", batch=first).status_code == 409
    take_back(browser)
    assert category(place, "b")[0] == "Tips"
    take_back(browser)
    assert category(place, "b") == (None, "model", 1)
    assert 'name="batch"' not in browser.get("/review").text
    assert browser.submit("/review/undo", batch=first).status_code == 409
    assert category(place, "b") == (None, "model", 1)


def test_what_is_no_answer_changes_nothing(place):
    browser = place.reviewer
    for said in (
        {}, {"answer": "maybe"}, {"answer": "new", "new": " "}, {"answer": "new", "new": "none"},
        {"label": "x" * 101}, {"label": "Tips", "second": "tips"}, {"answer": "new", "new": "a\u202eb"},
        {"label": "Tips", "together": ",".join(place.ids["a"] for _ in range(2)) + ",nothing"},
    ):  # fmt: skip
        answer = browser.submit("/review/answer", measurement=place.ids["b"], **said)
        assert answer.status_code in (404, 422), (said, answer.status_code)
    assert browser.post("/review/answer", {"measurement": place.ids["b"], "label": "Tips"}).status_code == 403
    assert category(place, "b") == (None, "model", 1)
    assert feed(place.pc)["items"] == []


def test_who_may_not_write_is_asked_nothing(place):
    stranger = Person(place, place.token("reader", place.person("Stranger", "reader")))
    analyst = reviewer(place, "Analyst", "dataAnalyst")
    nobody = Person(place)
    say(place.reviewer, place, "b", label="Secret growth")
    assert nobody.get("/review").headers["Location"] == "/sign-in?next=/review"
    assert nobody.post("/review/answer", {"measurement": place.ids["b"], "label": "Tips"}).status_code == 403
    for browser, status in ((stranger, 404), (analyst, 403)):
        page = browser.get("/review").text
        assert "0 of 0 answered" in page
        assert "Secret" not in page
        assert browser.get(f"/review?at={place.ids['b']}").status_code == status
        assert browser.submit("/review/answer", measurement=place.ids["b"], label="Tips").status_code == status
        assert "Secret" not in browser.get("/review/labels.csv").text
        assert "Nobody has answered yet" in browser.get("/review/agreement").text
    # who may label b but not what else is named gets nothing through
    say(place.reviewer, place, "b", label="Tips")
    with_other = place.reviewer.submit(
        "/review/answer", measurement=place.ids["b"], label="Particles", together="0192f0c1-0000-7000-8000-000000000000"
    )
    assert with_other.status_code == 404
    assert category(place, "b")[0] == "Tips"


def test_a_later_delivery_does_not_overwrite_an_answer(place):
    say(place.reviewer, place, "b", label="Tips", second="Particles")
    assert redelivered(place, "b", *UNSURE)["version"] == 1  # nothing differs from what was sent before
    assert category(place, "b") == ("Tips", "person", 1)
    assert redelivered(place, "b", *SURE, match=1)["version"] == 2
    assert category(place, "b") == ("Tips", "person", 2)
    assert [each["id"] for each in place.as_("admin").get("/search?q=tips").json()["items"]] == [place.ids["b"]]
    assert redelivered(place, "b", *SURE)["version"] == 2
    take_back(place.reviewer)
    assert category(place, "b") == ("Nanowires", "model", 2)


def test_the_newest_answer_of_a_person_holds_wherever_it_was_given(place):
    say(place.reviewer, place, "b", label="Tips")
    older = redelivered(place, "b", *UNSURE, match=1, persons=[("Particles", "2020-01-01T00:00:00+00:00")])
    assert (older["version"], category(place, "b")[0]) == (2, "Tips")
    newer = redelivered(place, "b", *UNSURE, match=2, persons=[("Particles", "2120-01-01T00:00:00+00:00")])
    assert (newer["version"], category(place, "b")[0]) == (3, "Particles")
    assert redelivered(place, "b", *UNSURE, persons=[("Particles", "2120-01-01T00:00:00+00:00")])["version"] == 3


def test_what_was_answered_before_it_was_delivered_is_not_asked(node):
    node.pc = node.as_("depositor")
    delivered(node.pc, picture("a", *SURE, persons=[("Tips", "2026-01-01T00:00:00+00:00")]), picture("b", *SURE))
    browser = Person(node, node.token("depositor"))
    assert shown(browser) == "b"
    assert shown(browser, "/review?state=second") == "a"


def test_near_duplicates_are_answered_together(node):
    node.pc = node.as_("depositor")
    near, far = [1.0] * 8, [1.0, -1.0] * 4
    parcels = [
        picture("a", *TIE, data=b"same", fingerprint=0, vector=near),
        picture("b", *UNSURE, data=b"same"),  # the same bytes under another name
        picture("c", *UNSURE, fingerprint=0b111, vector=near),  # another detector
        picture("d", *UNSURE, fingerprint=0b111, vector=far),  # only the pixels are alike
        picture("e", *UNSURE, fingerprint=(1 << 128) - 1, vector=near),  # only the network takes it for the same
        picture("f", *UNSURE, fingerprint=0, vector=near, experiment="another day"),
    ]
    told = delivered(node.pc, *parcels)["items"]
    node.ids = {each["ref"]: each["measurementId"] for each in told}
    browser = Person(node, node.token("depositor"))
    page = browser.get("/review").text
    together = re.search(r'name="together" value="([^"]*)"', page)[1].split(",")
    assert {name for name, each in node.ids.items() if each in together} == {"b", "c"}
    assert "With 2 near-duplicates" in page
    say(browser, node, "a", label="Tips", together=",".join(together))
    assert [category(node, name)[0] for name in "abcd"] == ["Tips", "Tips", "Tips", None]
    assert [each["how"] for each in feed(node.pc)["items"]] == ["looked", "duplicate", "duplicate"]
    take_back(browser)
    assert [category(node, name)[0] for name in "abc"] == [None, None, None]
    say(browser, node, "a", label="Tips", together=",".join(together), alone="1")
    assert [category(node, name)[0] for name in "abc"] == ["Tips", None, None]


def test_labels_go_back_to_who_delivered_page_by_page(place):
    browser = place.reviewer
    say(browser, place, "c", answer="accept")
    say(browser, place, "b", label="Tips", second="Particles")
    say(browser, place, "a", answer="none")
    take_back(browser)
    first = feed(place.pc, limit=2)
    assert first["links"]["next"]
    (accepted, tips) = first["items"]
    assert (accepted["answer"], accepted["label"], accepted["predicted"]) == ("label", "Nanowires", "Nanowires")
    assert (tips["label"], tips["second"], tips["modelSha256"]) == ("Tips", "Particles", MODEL)
    assert tips["sha256"] == asset("b", b"b")["dataChecksum"]["value"]
    assert (tips["personId"], tips["labeller"]) == (browser.id, None)  # an instrument's PC knows no persons
    second = place.pc.get(first["links"]["next"]).json()
    assert [each["answer"] for each in second["items"]] == ["none", "undo"]
    assert second["links"]["next"] is None
    assert feed(place.pc, since=second["since"]) == {"items": [], "links": {"next": None}, "since": second["since"]}
    say(browser, place, "a", label="Tips")
    assert [each["label"] for each in feed(place.pc, since=second["since"])["items"]] == ["Tips"]
    assert place.client.get("/labels").status_code == 401
    assert feed(place.as_("depositor"))["items"] == []  # another PC
    assert feed(place.as_("reader", browser.id))["items"] == []  # who answered, but did not deliver


def test_a_cursor_of_another_node_begins_anew(place):
    say(place.reviewer, place, "c", answer="accept")
    (told,) = feed(place.pc)["items"]
    for made_up in ("WzEsICJ4Il0", "WzIwMDAwMDAwMDAsICJ4Il0", "W10", "WyJ4Il0"):
        assert feed(place.pc, since=made_up)["items"] == [told], made_up
    assert place.pc.get("/labels", params={"since": "no cursor"}).status_code == 400


def test_reviewers_agree_as_far_as_they_do_and_have_names_only_for_colleagues(place):
    curie, other = place.reviewer, reviewer(place, "Meitner")
    for name, first, second in (("a", "Nanowires", "Nanowires"), ("b", "Tips", "Tips"), ("c", "Tips", "Particles")):
        say(curie, place, name, label=first)
        assert shown(other, "/review?state=second") is not None
        assert "Curie" not in other.get(f"/review?at={place.ids[name]}").text  # nobody goes along with others
        say(other, place, name, label=second)
    told = other.get(f"/review?at={place.ids['c']}").text
    assert "Curie said" in told
    assert "You said" in told
    page = curie.get("/review/agreement").text
    assert "Meitner" in page
    assert "2 of 3 (67%, kappa 0.50)" in page
    manager = Person(place, place.token("depositor", place.pc.get("/me").json()["person"]["id"]))
    page = manager.get("/review/agreement").text
    assert "2 of 3 (67%, kappa 0.50)" in page
    assert "Meitner" not in page
    assert "somebody (2)" in page


def test_the_summary_is_safe_in_a_spreadsheet(place):
    say(place.reviewer, place, "b", answer="new", new="=HYPERLINK(1)")
    answer = place.reviewer.get("/review/labels.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    told = {row["path"]: row for row in rows}
    assert told["b.tif"]["label"] == "'=HYPERLINK(1)"
    assert (told["b.tif"]["labeller"], told["b.tif"]["predicted"]) == ("Curie", "Nanowires")
    assert (told["a.tif"]["label"], told["a.tif"]["score"]) == ("", "0.95")
    only = place.reviewer.get("/review/labels.csv?state=mine").content.decode("utf-8-sig")
    assert len(only.strip().splitlines()) == 2


HOSTILE = '"><script>alert(1)</script>\u202e'


@pytest.mark.parametrize(
    "seen",
    [
        [1], "x", {"model": 3}, {"model": {"label": "x" * 5000, "score": 7, "decision": "yes", "doubt": "1"}},
        {"model": {"scores": [[1, 2], {"label": 3, "score": 1}, {"label": "x", "score": True}, None]}},
        {"persons": {"a": 1}}, {"persons": [None]}, {"persons": [{"at": "never"}]}, {"fingerprint": "zz"},
        {"model": {"label": HOSTILE, "decision": "accepted", "score": 0.5, "scores": [{"label": HOSTILE, "score": 0.5}]}},
    ],
)  # fmt: skip
def test_whatever_was_sent_is_asked_without_harm(node, seen):
    made, contents = picture("a", *UNSURE)
    made["documents"]["nffa-record"]["classification"] = seen
    (told,) = delivered(node.as_("depositor"), (made, contents))["items"]
    browser = Person(node, node.token("depositor"))
    for path in ("/review", f"/review?at={told['measurementId']}", "/review/labels.csv", "/review/agreement"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text or path.endswith(".csv")
        assert "\u202e" not in answer.text or path.endswith(".csv")


def test_an_edit_over_the_interface_keeps_the_answer(place):
    say(place.reviewer, place, "b", label="Tips")
    admin = place.as_("admin")
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    path = f"/measurements/{place.ids['b']}"
    assert admin.patch(path, json={"measurementName": "renamed"}, headers=headers).status_code == 200
    assert category(place, "b") == ("Tips", "person", 2)
    said = {"category": {"label": "Nanowires", "by": "model"}}
    assert admin.patch(path, json=said, headers=headers).status_code == 200
    assert category(place, "b") == ("Tips", "person", 3)
    take_back(place.reviewer)
    assert category(place, "b") == ("Nanowires", "model", 3)


def test_who_knows_the_version_is_told_of_the_answer(place):
    admin, path = place.as_("admin"), f"/measurements/{place.ids['b']}"
    tag = {"If-None-Match": admin.get(path).headers["ETag"]}
    assert admin.get(path, headers=tag).status_code == 304
    say(place.reviewer, place, "b", label="Tips")
    assert admin.get(path, headers=tag).json()["category"]["label"] == "Tips"
    take_back(place.reviewer)
    assert "label" not in admin.get(path, headers=tag).json()["category"]


def test_a_measurement_with_answers_can_be_removed(place):
    say(place.reviewer, place, "b", label="Tips")
    take_back(place.reviewer)
    say(place.reviewer, place, "b", label="Tips")
    admin = place.as_("admin")
    for each in admin.get(f"/dataassets?measurement={place.ids['b']}").json()["items"]:
        assert admin.delete(f"/dataassets/{each['id']}", headers={"If-Match": "*"}).status_code == 204
    assert admin.delete(f"/measurements/{place.ids['b']}", headers={"If-Match": "*"}).status_code == 204
    assert feed(place.pc)["items"] == []
