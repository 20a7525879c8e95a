"""The node's pages over plain HTTP: who may send forms, what cookies and headers say, hostile names, what is not there."""

from __future__ import annotations

import re
import uuid
from html.parser import HTMLParser

import pytest
import requests

from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.contract.node.parcels import asset, delivered, item

HTML = {"Accept": "text/html"}
HOSTILE = '"><script src=//evil></script><img src=x onerror=alert(1)>\u202e{{"xy"*3}}'
PREVIEW = b"\xff\xd8\xff\xe0 a picture"


@pytest.fixture
def address():
    """Pages ask nothing of a database that the interface does not: SQLite will do."""


class Person(requests.Session):
    """A browser without a script."""

    def __init__(self, node, token=None):
        super().__init__()
        self.url, self.trust_env = node.url, False
        self.headers.update(HTML)
        if token:
            assert self.sign_in(token).status_code == 303

    def request(self, method, url, **options):
        return super().request(method, self.url + url, **options | {"allow_redirects": False, "timeout": 60})

    def proof(self, path):
        return re.search(r'name="proof" value="([0-9a-f]{64})"', self.get(path).text)[1]

    def sign_in(self, token, **more):
        return self.post("/sign-in", {"proof": self.proof("/sign-in"), "token": token, **more})

    def submit(self, path, **fields):
        return self.post(path, {"proof": self.proof("/proposals"), **fields})


def parcel(key="x", **said):
    tree = b'{"tree": {"Beam": {"HV": "<b>10</b>", "Spot": [1, 2]}, "Blob": {"@bytes": "AAAA"}}}'
    made = item(key, {f"{key}.tif": key.encode()}, **said)
    made["assets"] += [
        asset(f"{key}.jpg", PREVIEW, role="preview", dataAssetType="preview", mediaType="image/jpeg"),
        asset(f"{key}.json", tree, role="raw-metadata", dataAssetType="metadata", mediaType="application/json"),
    ]
    return made, [key.encode(), PREVIEW, tree]


@pytest.fixture
def filled(node):
    """A node with one measurement under embargo; its id as ``node.id``, its assets by role as ``node.assets``."""
    (made,) = delivered(node.as_("depositor"), parcel())["items"]
    node.id = made["measurementId"]
    found = node.as_("admin").get(f"/dataassets?measurement={node.id}").json()["items"]
    node.assets = {each["role"]: each["id"] for each in found}
    return node


def test_every_page_forbids_what_it_does_not_need(filled):
    admin = Person(filled, filled.token("admin"))
    for path in (
        "/",
        "/proposals",
        "/sign-in",
        "/collections",
        f"/measurements/{filled.id}",
        "/measurements/none",
        f"/measurements/{filled.id}/tree",
    ):
        answer = admin.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not re.search(r"<script(?! src=\"/static/)|<style|\sstyle=|\son[a-z]+=|https?://", answer.text), path


def test_static_files_are_kept_for_ever_at_an_address_of_their_own(node):
    page = Person(node).get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = Person(node).get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert Person(node).get("/static/0000/pages.css").status_code == 404
    assert Person(node).get("/static/0000/..%2fsite.py").status_code == 404


def test_a_session_is_a_cookie_for_us_alone_and_ends_with_its_token(filled):
    person, token = Person(filled), filled.token("admin")
    answer = person.sign_in(token, next=f"/measurements/{filled.id}?tag=x")
    assert answer.headers["Location"] == f"/measurements/{filled.id}?tag=x"
    (cookie,) = (each for each in answer.headers["Set-Cookie"].split(", ") if each.startswith("nffa-session"))
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert token.split("_", 2)[2] not in cookie
    assert person.get(f"/measurements/{filled.id}").status_code == 200
    held = person.cookies["nffa-session"]
    assert person.submit("/sign-out").status_code == 303
    stolen = {"Cookie": f"nffa-session={held}"}
    assert requests.get(f"{filled.url}/measurements/{filled.id}", headers=stolen | HTML, timeout=60).status_code == 404
    assert person.sign_in(token).status_code == 303
    admin = filled.as_("admin")
    admin.headers["Authorization"] = f"Bearer {token}"
    (mine,) = (
        each for each in admin.get("/tokens").json()["items"] if each["id"].replace("-", "") == token.split("_")[1]
    )
    assert admin.delete(f"/tokens/{mine['id']}").status_code == 204
    assert person.get(f"/measurements/{filled.id}").status_code == 404


def test_over_tls_no_other_host_can_have_set_the_cookie(tmp_path):
    with serving(Config(tmp_path / "node", base_url="https://idrp.example.org")) as node:
        cookie = Person(node).get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("__Host-nffa-form=")
    assert "Secure" in cookie


@pytest.mark.parametrize("token", ["", "nonsense", "nffa_" + "0" * 32 + "_" + "x" * 43, HOSTILE])
def test_a_token_that_is_not_good_is_not_taken(node, token):
    answer = Person(node).sign_in(token)
    assert answer.status_code == 401
    assert "This token is not good" in answer.text
    assert "nffa-session" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("where", ["https://evil", "//evil", "/\\evil", "/a\r\nb: c", "javascript:alert(1)", "/\u202e"])
def test_signing_in_leads_nowhere_else(node, where):
    assert Person(node).sign_in(node.token("reader"), next=where).headers["Location"] == "/"


def test_a_form_without_our_proof_does_nothing(filled):
    person, of = Person(filled, filled.token("admin")), f"/measurements/{filled.id}"
    good = person.proof("/proposals")
    other = Person(filled, filled.token("reader")).proof("/proposals")
    tries = [
        ({}, {}),
        ({"proof": ""}, {}),
        ({"proof": other}, {}),
        ({"proof": "é"}, {}),
        ({"proof": good}, {"Sec-Fetch-Site": "cross-site"}),
    ]
    for path, fields in (
        (f"{of}/tags", {"tag": "x"}),
        (f"{of}/comments", {"text": "x"}),
        (f"{of}/collect", {"name": "x"}),
        (f"{of}/embargo", {"open": "now"}),
        (f"{of}/edit", {"version": "1", "measurementName": "x"}),
        ("/sign-out", {"x": ""}),
    ):
        for proof, headers in tries:
            assert person.post(path, fields | proof, headers=headers).status_code == 403, (path, proof)
        assert person.post(path, json=fields | {"proof": good}).status_code == 400
    page = person.get(of)
    assert page.status_code == 200, "still signed in"
    assert "/?tag=x" not in page.text
    assert 'class="comment"' not in page.text
    stranger = Person(filled)
    assert stranger.post("/sign-in", {"token": filled.token("admin"), "proof": good}).status_code == 403
    assert "nffa-session" not in stranger.cookies


def test_an_embargo_is_set_and_lifted_by_who_may(filled):
    of = f"/measurements/{filled.id}"
    manager, depositor = Person(filled, filled.token("dataManager")), Person(filled, filled.token("depositor"))
    assert "Change the embargo" not in depositor.get(of).text
    assert depositor.submit(f"{of}/embargo", open="now").status_code == 403
    too_late = manager.submit(f"{of}/embargo", until="2099-01-01", reason="patent")
    assert too_late.status_code == 422
    assert "the policy allows no embargo after" in too_late.text
    assert "is not a day" in manager.submit(f"{of}/embargo", until="soon").text
    assert manager.submit(f"{of}/embargo", until="2027-01-31", reason="early").status_code == 303
    assert "Closed until the end of 2027-01-31, as was set for this measurement." in manager.get(of).text
    assert manager.submit(f"{of}/embargo", reason="back").status_code == 303
    assert "as the data policy says: 36 months after" in manager.get(of).text
    assert Person(filled).get(of).status_code == 404
    proposal = re.search(r"/proposals/[0-9a-f-]{36}", manager.get(of).text)[0]
    assert manager.submit(f"{proposal}/embargo", open="now", reason="published").status_code == 303
    assert "Open to everybody" in Person(filled).get(of).text


def test_names_and_descriptions_are_edited_by_who_may(filled):
    of, found = f"/measurements/{filled.id}", filled.as_("admin").get(f"/measurements/{filled.id}").json()
    person, manager = Person(filled, filled.token("admin")), Person(filled, filled.token("dataManager"))
    proposal = re.search(r"/proposals/[0-9a-f-]{36}", person.get(of).text)[0]
    for place, name, text in (
        (of, "measurementName", "measurementDescription"),
        (f"/experiments/{found['experimentId']}", "experimentName", "description"),
        (proposal, "proposalTitle", "abstract"),
    ):
        assert "Edit" not in manager.get(place).text
        assert manager.submit(f"{place}/edit", version="1", **{name: "mine"}).status_code == 403
        version = re.search(r'name="version" value="(\d+)"', person.get(place).text)[1]
        said = {name: "  A better   name ", text: "first line\r\nsecond line"}
        assert person.submit(f"{place}/edit", version=version, **said).status_code == 303
        assert "<h1>A better name</h1>" in person.get(place).text
        assert '<p class="text">first line\nsecond line</p>' in person.get(place).text
        assert "first line\nsecond line" in filled.as_("admin").get(place).json()[text]
        late = person.submit(f"{place}/edit", version=version, **{name: "too late"})
        assert late.status_code == 412
        assert "read it again" in late.text
        assert person.submit(f"{place}/edit", version="", **{name: "x"}).status_code == 412
        assert person.submit(f"{place}/edit", version=str(int(version) + 1), **{name: " "}).status_code == 422
        assert person.submit(f"{place}/edit", version=str(int(version) + 1), **{text: " "}).status_code == 303
        assert text not in filled.as_("admin").get(place).json()


def test_the_interface_takes_no_cookie(filled):
    person = Person(filled, filled.token("admin"))
    assert person.get(f"/api/v1/measurements/{filled.id}").status_code == 404


def test_what_is_hidden_answers_like_what_is_not_there(filled):
    for person in (
        Person(filled),
        Person(filled, filled.as_("reader", filled.person("S", "reader")).headers["Authorization"][7:]),
    ):
        for path in ("/measurements/{}", "/measurements/{}/tree", "/measurements/{}/export?format=ro-crate"):
            assert alike(person, path, filled.id)
        for role in ("main", "preview", "raw-metadata"):
            assert alike(person, "/files/{}", filled.assets[role])
            assert alike(person, "/previews/{}", filled.assets[role])
        found = filled.as_("admin").get(f"/measurements/{filled.id}").json()
        assert alike(person, "/experiments/{}", found["experimentId"])
        assert alike(person, "/?experiment={}", found["experimentId"])
        assert alike(person, "/?collection={}", found["experimentId"])
        assert "Nanowires" not in person.get("/").text
        assert "Growth of wires" not in person.get("/proposals").text


def alike(person, path, hidden):
    """Whether a hidden thing and one that is not there are answered in the same words."""
    unknown = str(uuid.uuid4())
    said = []
    for name in (hidden, unknown):
        answer = person.get(path.format(name))
        said.append((answer.status_code, answer.text.replace(name, "")))
    return said[0] == said[1]


def test_names_of_every_kind_are_only_ever_text(node):
    said = {
        "measurementName": HOSTILE, "measurementDescription": HOSTILE, "technique": HOSTILE, "format": HOSTILE,
        "sample": {"sampleName": HOSTILE}, "category": {"label": HOSTILE, "by": HOSTILE}, "provenance": {HOSTILE: HOSTILE},
        "instrument": {"instrumentName": HOSTILE}, "settings": {HOSTILE: {"value": HOSTILE, "unit": HOSTILE, "source": HOSTILE}},
        "externalIds": [{"scheme": HOSTILE, "value": HOSTILE}],
    }  # fmt: skip
    made, contents = parcel(measurement=said, proposal=HOSTILE, experiment=HOSTILE)
    made["proposal"]["proposalTitle"] = HOSTILE
    made["documents"]["nffa-record"] = {
        "terms": {HOSTILE: {"value": HOSTILE, "unit": HOSTILE, "source": HOSTILE, "raw": {HOSTILE: [HOSTILE]}}},
        "signals": HOSTILE, "warnings": [{"code": HOSTILE, "detail": HOSTILE}, HOSTILE],
    }  # fmt: skip
    for each in made["assets"]:
        each |= {"dataAssetName": HOSTILE, "intellectualPropertyRights": HOSTILE}
    (done,) = delivered(node.as_("depositor"), (made, contents))["items"]
    person, of = Person(node, node.token("admin")), f"/measurements/{done['measurementId']}"
    assert person.submit(f"{of}/tags", tag=HOSTILE[:60]).status_code == 303
    assert person.submit(f"{of}/comments", text=HOSTILE).status_code == 303
    assert person.submit(f"{of}/collect", name=HOSTILE).status_code == 303
    found = node.as_("admin").get(of).json()
    above = node.as_("admin").get(f"/experiments/{found['experimentId']}").json()["proposalId"]
    places = ["/", "/?view=table", "/proposals", f"/proposals/{above}", f"/experiments/{found['experimentId']}", of,
              "/collections", f"{of}/tree?tag={HOSTILE}",
              f"/?q={HOSTILE}&category={HOSTILE}&kvMin={HOSTILE}&experiment={HOSTILE}",
              f"/sign-in?next={HOSTILE}", f"/{HOSTILE}"]  # fmt: skip
    for place in places:
        text = person.get(place).text
        page = Page(text)
        assert page.strange == [], place
        assert "\u202e" not in text, f"{place}: a mark that turns text round"
        assert "evil" in text or place in places[-2:], place
        assert "xyxyxy" not in text, "nobody's text is a template"


class Page(HTMLParser):
    """What a browser would make of a page; ``strange``: elements and attributes that are not ours."""

    def __init__(self, text):
        super().__init__()
        self.strange = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        ours = {"script": "/static/", "img": "/previews/"}.get(tag, "")
        if any(name.startswith("on") or name == "style" for name in named) or not named.get("src", ours).startswith(
            ours
        ):
            self.strange.append((tag, attrs))
        if (named.get("href") or "/").startswith(("javascript:", "//", "http")):
            self.strange.append((tag, attrs))


def test_a_preview_is_drawn_and_nothing_else_is(filled):
    person = Person(filled, filled.token("admin"))
    shown = person.get(f"/previews/{filled.assets['preview']}")
    assert shown.content == PREVIEW
    assert shown.headers["Content-Disposition"] == "inline"
    assert shown.headers["Cache-Control"] == "private, no-cache"
    again = person.get(f"/previews/{filled.assets['preview']}", headers={"If-None-Match": shown.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert person.get(f"/previews/{filled.assets['raw-metadata']}").status_code == 404
    saved = person.get(f"/files/{filled.assets['preview']}")
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in saved.headers["Content-Security-Policy"]


def test_the_vendors_tree_is_shown_and_searched(filled):
    person = Person(filled, filled.token("admin"))
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', person.get(f"/measurements/{filled.id}/tree").text)
    assert rows == [("Beam.HV", "&lt;b&gt;10&lt;/b&gt;"), ("Beam.Spot", "1, 2"), ("Blob", "(3 bytes)")]
    found = person.get(f"/measurements/{filled.id}/tree?tag=spot beam").text
    assert re.findall(r'<th scope="row">(.*?)</th>', found) == ["Beam.Spot"]


def test_a_search_that_makes_no_sense_says_so(filled):
    text = Person(filled, filled.token("admin")).get("/?kvMin=ten&from=yesterday&access=all&cursor=none-of-ours").text
    assert "Voltage: ten is not a number of kV" in text
    assert "Date: yesterday is not a day such as 2026-11-21" in text
    assert "1 measurement" in text


def test_pages_go_on_where_the_one_before_ended(node):
    delivered(node.as_("depositor"), *(parcel(f"n{number:03}") for number in range(60)))
    person = Person(node, node.token("admin"))
    for query in ("/?q=n0*", "/?sort=started&view=table"):
        first = person.get(query).text
        following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
        second = person.get(following).text
        shown = [re.findall(r"<a href=\"/measurements/[^>]*>(n\d+)\.tif", page) for page in (first, second)]
        assert [*map(len, shown)] == [48, 12]
        assert len({*shown[0], *shown[1]}) == 60


def test_a_link_from_elsewhere_is_opened_once_more_from_here(filled):
    person, of = Person(filled), f"/measurements/{filled.id}"
    assert 'http-equiv="refresh"' in person.get(of, headers={"Sec-Fetch-Site": "cross-site"}).text
    assert 'http-equiv="refresh"' not in person.get(of, headers={"Sec-Fetch-Site": "same-origin"}).text


def test_programs_are_still_answered_as_programs(node):
    answer = requests.get(f"{node.url}/nowhere", timeout=60)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Person(node).get("/api/v1/measurements/none").headers["Content-Type"] == "application/problem+json"
