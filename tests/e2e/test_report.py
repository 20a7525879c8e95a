"""``nffa report`` as a person meets it: one page that needs nothing else, true to the catalogue, safe with any name."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from nffa_cli import samples
from tests.e2e.room import Room, zeiss

HOSTILE = "<img src=x onerror=alert(1)>&amp;\"'\u202e.tif"


class Page(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def report(room, *arguments):
    done = room.json("report", *arguments)
    assert done.status == 0, done.err
    line = done.of("page")[0]
    assert done.summary == {"type": "summary", "acquisitions": line["acquisitions"]}
    return line, Page((room.folder / line["path"]).read_text(encoding="utf-8"))


def test_the_page_shows_each_acquisition_of_the_folder_with_its_settings(room):
    samples.make_session(room.inbox)
    assert room.ingest().status == 0
    line, page = report(room, "inbox", "-o", "pages/evening.html")
    listed = room.listed()
    assert line["acquisitions"] == len(listed)
    assert len(page.all("img")) == len([each for each in listed.values() if each["preview"]])
    assert all(name in page.text for name in listed)
    assert all(each["alt"].startswith("preview of ") for each in page.all("img"))
    assert "10 kV" in page.text
    assert "Made-up files of many instruments" in page.text
    assert line["size"] <= 15_000 * line["acquisitions"] + 12_000


def test_nothing_on_the_page_comes_from_elsewhere_or_runs(room):
    samples.make(room.inbox, kinds=samples.SMALL_KINDS)
    room.ingest()
    _, page = report(room, "inbox")
    assert not page.all("script") + page.all("link") + page.all("iframe")
    assert all(each["src"].startswith("data:image/jpeg;base64,") for each in page.all("img"))
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert not [each for each in page.elements for key in each[1] if key.startswith("on")]
    assert not [each for each in page.all("a") if re.match(r"[a-z]+:", each["href"])]


def test_a_hostile_name_is_only_a_name(room):
    path = room.put(HOSTILE)
    room.ingest()
    _, page = report(room, "inbox")
    assert len(page.all("img")) == 1
    assert path.name.replace("\u202e", "\\u202e") in page.text


def test_what_was_not_taken_is_named_with_its_reason(room):
    room.put("good.tif")
    room.put("cut.tif", room.put("whole.tif").read_bytes()[:200])
    room.ingest()
    line, page = report(room)
    assert (line["acquisitions"], line["held"]) == (2, 1)
    assert "Not taken" in page.text
    assert "quarantined" in page.text
    assert "cut.tif" in page.text


def test_a_query_makes_a_page_of_what_it_finds(room):
    room.put("a.tif", zeiss(5.0))
    room.put("b.tif", zeiss(20.0))
    room.ingest()
    line, page = report(room, "accelerating_voltage=5kV")
    assert line["acquisitions"] == 1
    assert "b.tif" not in page.text


def test_a_page_is_replaced_and_nothing_else_is(room):
    room.put("a.tif")
    room.ingest()
    report(room, "inbox")
    report(room, "inbox")
    (room.folder / "thesis.html").write_text("mine", encoding="utf-8")
    refused = room.nffa("report", "inbox", "-o", "thesis.html")
    assert refused.status == 2
    assert "name another file" in refused.err
    assert (room.folder / "thesis.html").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in room.folder.iterdir()) == ["home", "inbox", "report.html", "thesis.html"]


def test_an_unknown_folder_says_what_to_type(room):
    room.put("a.tif")
    room.ingest()
    (room.folder / "other").mkdir()
    refused = room.nffa("report", "other")
    assert refused.status == 2
    assert "nffa ingest other" in refused.err
