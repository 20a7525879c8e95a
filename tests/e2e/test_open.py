"""`nffa open`: the right thing, by the desktop's opener or a viewer on PATH, never through a shell; or only said."""

from __future__ import annotations

import os
import sys

import pytest

from nffa_cli import opening
from tests.e2e.room import until, zeiss

PAGE = "https://idrp.example.org/facility"
needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="opens as a Linux desktop does")


@pytest.fixture
def desk(room):
    """A room with one picture in the catalogue, and a PATH of its own; ``desk.program`` puts a program there."""
    room.path = room.folder / "bin"
    room.path.mkdir()
    room.picture = room.put("it's $(touch hacked); one.tif", zeiss(side=128))
    assert room.ingest().status == 0
    (line,) = room.listed().values()
    room.id = line["acquisition"]
    room.preview = line["preview"]

    def program(name, status=0):
        path = room.path / name
        heard = room.folder / f"{name}.heard"
        path.write_text(
            f'#!/bin/sh\nfor each; do printf "%s\\n" "$each"; done > "{heard}.part"\n'
            f'/bin/mv "{heard}.part" "{heard}"\nexit {status}\n'
        )
        path.chmod(0o755)
        return lambda: until(lambda: heard.is_file() and heard.read_text().splitlines())

    room.program = program
    room.open = lambda *words: room.json("open", *words, env={"PATH": str(room.path)})
    return room


def delivered(room, url):
    """Note a receipt, as a sync would."""
    from nffa_cli.catalogue.store import Store

    with Store.open(room.home / "catalogue.sqlite") as store:
        number = store.outbox.destination(url)
        store._db.do(
            """INSERT INTO receipt (destination, acquisition, key, measurement, url, version, digest, assets, linked,
            delivered_at) SELECT ?, seq, 'k', 'm', ?, '1', 'd', '[]', 0, '2026-01-01T00:00:00Z' FROM acquisition""", (number, url)
        )  # fmt: skip


@needs_linux
def test_an_acquisition_is_seen_at_its_node_else_as_its_preview(desk):
    heard = desk.program("xdg-open")
    run = desk.open(desk.picture)
    assert (run.status, run.summary["opened"]) == (0, 1)
    (line,) = run.of("opened")
    assert (line["what"], line["path"], line["url"], line["with"]) == ("preview", desk.preview, None, "xdg-open")
    assert heard() == [desk.preview]
    assert not (desk.folder / "hacked").exists()
    key = "01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3"
    delivered(desk, f"file:///mnt/disk/{key}")
    assert desk.open(desk.id[:6]).of("opened")[0]["what"] == "preview"
    delivered(desk, f"{PAGE}/api/v1/measurements/{key}")
    (line,) = desk.open(desk.id[:6]).of("opened")
    assert (line["what"], line["url"], line["path"]) == ("page", f"{PAGE}/measurements/{key}", None)
    assert line["acquisition"] == desk.id
    assert until(lambda: heard() == [line["url"]])


def test_printing_needs_nothing_to_open_with(desk):
    run = desk.nffa("open", desk.id, "--print", env={"PATH": str(desk.path)})
    assert (run.status, run.out.decode().splitlines()) == (0, [desk.preview])
    assert desk.open(desk.id, "--print").summary == {"type": "summary", "opened": 0}


@needs_linux
def test_a_report_goes_to_the_browser_and_nexus_to_the_first_viewer(desk):
    browser, second, first = (desk.program(name) for name in ("xdg-open", "nexpy", "silx"))
    assert desk.nffa("report").status == 0
    report = desk.folder / "report.html"
    assert desk.open("report.html").of("opened")[0]["with"] == "xdg-open"
    assert browser() == [str(report)]
    file = desk.folder / "-a b;.nxs"
    file.write_bytes(b"")
    assert desk.open(f"./{file.name}").of("opened")[0]["with"] == "silx"
    assert first() == ["view", str(file)]
    (desk.path / "silx").unlink()
    assert desk.open(f"./{file.name}").of("opened")[0]["with"] == "nexpy"
    assert second() == [str(file)]


@needs_linux
def test_what_cannot_be_opened_is_said_with_what_to_do(desk):
    (desk.folder / "a.nxs").write_bytes(b"")
    run = desk.open("a.nxs")
    assert run.status == 1
    assert "no program that shows NeXus files is installed" in run.err
    assert "pip install 'silx[full]'" in run.err
    desk.program("xdg-open", status=3)
    run = desk.open(desk.id)
    assert run.status == 1
    assert "xdg-open could not open it: it ended with status 3" in run.err
    assert "nffa open --print" in run.err
    stray = desk.folder / "stray.tif"
    stray.write_bytes(zeiss(seed=9))
    for target, said in (
        ("stray.tif", "the catalogue does not know this file"),
        ("gone.nxs", "there is no such file"),
        ("inbox", "this is a folder"),
        ("ffff", "the catalogue knows no acquisition 'ffff'"),
    ):
        run = desk.open(target)
        assert (run.status, said in run.err) == (2, True), run.err


def test_before_anything_was_ingested_it_says_so(room):
    room.put("a.tif")
    run = room.json("open", "inbox/a.tif")
    assert run.status == 2
    assert "there is no catalogue yet" in run.err
    assert "nffa ingest inbox" in run.err


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("http://127.0.0.1:80/api/v1/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3",
         "http://127.0.0.1:80/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3"),
        ("https://a.example/nffa/api/v1/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3",
         "https://a.example/nffa/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3"),
        ("javascript:alert(1)//api/v1/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3", None),
        ("file:///disk/api/v1/measurements/01a1ff38-2b6b-7ef0-992b-3f3edbbd7fa3", None),
        ("https://a.example/remote.php/dav/files/x/1", None),
        ("https://a.example/api/v1/measurements/../../x", None),
    ],
)  # fmt: skip
def test_only_a_nodes_address_has_a_page(address, page):
    assert opening.page_of(address) == page


def test_every_viewer_is_a_plain_name():
    for each in (*opening.VIEWERS, *(program for programs in opening.OPENERS.values() for program in programs)):
        assert os.path.basename(each.name) == each.name
