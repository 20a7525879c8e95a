"""Fetching a published set: resumed, verified, nothing unsafe; against a server of our own."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
from http.client import HTTPResponse, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nffa_cli import downloading, fetching
from nffa_cli.errors import NffaError, Unreachable, UsageError
from nffa_cli.progress import Silent

SET = fetching.Dataset("test", "10.23728/b2share.0123abcd", 2, "for tests")


def archive():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for n in range(40):
            body = hashlib.sha512(bytes([n])).digest() * 200
            info = tarfile.TarInfo(f"L6_{n}.jpg")
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


class Server:
    """A repository as B2SHARE documents it; ``breaks`` cuts so many transfers in the middle."""

    def __init__(self):
        self.content = {"L6_Nanowires.tar": archive(), "read me.txt": b"hello"}
        self.breaks = 0
        self.ranges = []
        self.md5 = {}
        self.ignores_ranges = False
        self.names = {}
        self.redirect = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.answer(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, ask):
        if ask.path == f"/api/records/{SET.record}":
            rows = [
                {
                    "key": self.names.get(name, name), "size": len(data),
                    "checksum": "md5:" + self.md5.get(name, hashlib.md5(data).hexdigest()),
                }
                for name, data in self.content.items()
            ]  # fmt: skip
            return self.send(
                ask, 200, json.dumps({"links": {"files": f"{self.address}/api/files/b"}, "files": rows}).encode()
            )
        if self.redirect:
            ask.send_response(302)
            ask.send_header("Location", self.redirect)
            return ask.end_headers()
        data = self.content[ask.path.rpartition("/")[2].replace("%20", " ")]
        first = re.match(r"bytes=(\d+)-", ask.headers.get("Range", ""))
        self.ranges.append(int(first[1]) if first else 0)
        if first and not self.ignores_ranges:
            return self.send(ask, 206, data, int(first[1]))
        return self.send(ask, 200, data)

    def send(self, ask, status, data, first=0):
        ask.send_response(status)
        ask.send_header("Content-Length", str(len(data) - first))
        if status == 206:
            ask.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        ask.end_headers()
        body = data[first:]
        if self.breaks and len(body) > 1000:
            self.breaks -= 1
            body = body[: len(body) // 2]
        ask.wfile.write(body)
        ask.close_connection = True


@pytest.fixture
def server():
    """A repository of our own."""
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def get(server, folder):
    return fetching.fetch(SET, folder, Silent(), repository=server.address)


def test_a_set_arrives_whole_and_twice_costs_nothing(server, tmp_path):
    found = get(server, tmp_path)
    assert [path.name for path in found] == ["L6_Nanowires.tar", "read me.txt"]
    assert all(path.read_bytes() == server.content[path.name] for path in found)
    asked = len(server.ranges)
    get(server, tmp_path)
    assert len(server.ranges) == asked
    (folder,) = fetching.unpack(found, tmp_path)
    assert folder.name == "L6_Nanowires"
    assert len(list(folder.iterdir())) == 40


def test_a_broken_transfer_is_taken_up_where_it_broke(server, tmp_path):
    server.breaks = 2
    found = get(server, tmp_path)
    assert found[0].read_bytes() == server.content["L6_Nanowires.tar"]
    assert [n > 0 for n in server.ranges[:3]] == [False, True, True]


def test_a_later_run_goes_on(server, tmp_path):
    server.breaks = downloading.TRIES
    with pytest.raises(Unreachable, match="broke off"):
        get(server, tmp_path)
    assert (tmp_path / "L6_Nanowires.tar.part").stat().st_size > 0
    assert not (tmp_path / "L6_Nanowires.tar").exists()
    before = len(server.ranges)
    get(server, tmp_path)
    assert server.ranges[before] > 0


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    server.breaks, server.ignores_ranges = 1, True
    assert get(server, tmp_path)[0].read_bytes() == server.content["L6_Nanowires.tar"]


def test_what_is_not_as_listed_is_thrown_away(server, tmp_path):
    server.md5["L6_Nanowires.tar"] = "0" * 32
    with pytest.raises(Unreachable, match="not what is listed"):
        get(server, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../evil.tar", "/etc/passwd", "a/b.tar", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(server, tmp_path, name):
    server.names["L6_Nanowires.tar"] = name
    with pytest.raises(Unreachable, match="not what was expected"):
        get(server, tmp_path)
    assert not list(tmp_path.rglob("*"))


def test_only_https_is_fetched_from(server, tmp_path):
    with pytest.raises(Unreachable, match="only https"):
        fetching.fetch(SET, tmp_path, Silent(), repository="http://example.org")
    server.redirect = "http://example.org/file"
    with pytest.raises(Unreachable, match="only https"):
        get(server, tmp_path)


def test_an_archive_cannot_write_outside(tmp_path):
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    with pytest.raises(Exception, match="cannot be unpacked"):
        fetching.unpack([path], tmp_path)


def test_archives_whose_names_differ_after_a_dot_stay_apart(tmp_path):
    paths = [tmp_path / name for name in ("SEM.L0.tar", "SEM.L1.tar", "SEM.L2.tar.gz", "SEM.L3.tgz")]
    for path in paths:
        path.write_bytes(archive() if path.suffix == ".tar" else gzip.compress(archive()))
    folders = fetching.unpack(paths, tmp_path / "to")
    assert [folder.name for folder in folders] == ["SEM.L0", "SEM.L1", "SEM.L2", "SEM.L3"]
    assert [len(list(folder.iterdir())) for folder in folders] == [40] * 4


def test_an_archive_that_ends_too_early_is_an_error(tmp_path):
    path = tmp_path / "SEM.tar.gz"
    whole = gzip.compress(archive())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NffaError, match="cannot be unpacked"):
        fetching.unpack([path], tmp_path)


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError("late"), IncompleteRead(b"{", 9)])
def test_a_description_that_breaks_off_while_it_is_read_is_an_error(server, tmp_path, monkeypatch, error):
    def broken(answer, most=None):
        raise error

    monkeypatch.setattr(HTTPResponse, "read", broken)
    with pytest.raises(Unreachable, match="cannot be reached") as told:
        get(server, tmp_path)
    assert told.value.where.endswith(SET.record)


def test_a_description_that_ends_too_early_is_an_error(server, tmp_path):
    server.content |= {f"{n}.txt": b"" for n in range(20)}
    server.breaks = 1
    with pytest.raises(Unreachable, match="ended too early"):
        get(server, tmp_path)


def test_the_table_names_the_corrected_sets():
    assert fetching.dataset("nffa-sem").record == "80df8606fcdb4b2bae1656f0dc6db8ba"
    with pytest.raises(UsageError, match="no dataset"):
        fetching.dataset("imagenet")
