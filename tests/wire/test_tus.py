"""Our tus client: against the independent server from npm, and against one that proves checksums, through cuts and faults."""

from __future__ import annotations

import base64
import hashlib
import os
import random

import pytest

from nffa_cli.destinations import sources, tus
from nffa_cli.destinations.base import AssetFile
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.patience import Patience
from nffa_cli.errors import Refused, Unreachable
from tests.faults.proxy import Proxy, listed, seeded
from tests.wire import npm
from tests.wire.answering import Said, answering

QUICK = Patience(connect=1, stall=2, slowest=100_000, budget=5, first=0.01, cap=0.05)
MIB = 1 << 20
SPOKEN = {"Tus-Resumable": "1.0.0"}


def asset(path):
    data = path.read_bytes()
    return AssetFile(
        "main", path.name, path.name, path, None, len(data), hashlib.sha256(data).hexdigest(), "x/y", "raw"
    )


@pytest.fixture
def file(tmp_path):
    """A file of some megabytes that nothing compresses."""
    path = tmp_path / "big.tif"
    path.write_bytes(random.Random(5).randbytes(6 * MIB + 12345))
    return path


class Proving:
    """A tus server in memory that counts a chunk as a whole or not at all, by its checksum; ``whole``: and proves the end."""

    def __init__(self, whole=None):
        self.uploads = {}
        self.size = {}
        self.patched = 0
        self.lies = 0
        self.whole = whole
        self.proved = []

    def __call__(self, asked):
        if asked.method == "POST":
            where = f"/u/{len(self.uploads)}"
            self.uploads[where], self.size[where] = b"", int(asked.headers["upload-length"])
            return Said(201, headers={"Location": where, **SPOKEN})
        have = self.uploads.get(asked.path)
        if have is None:
            return Said(404)
        if asked.method == "PATCH":
            self.patched += len(asked.body)
            if int(asked.headers["upload-offset"]) != len(have):
                return Said(409)
            if len(asked.body) < int(asked.headers["content-length"]):
                return Said(400)
            kind, digest = asked.headers.get("upload-checksum", "none ").split(" ")
            self.proved.append(kind == "sha256")
            if self.proved[-1] and (base64.b64decode(digest) != hashlib.sha256(asked.body).digest() or self.lies > 0):
                self.lies -= 1
                return Said(460)
            self.uploads[asked.path] = have = have + asked.body
            if self.whole and len(have) == self.size[asked.path] and (have != self.whole or self.lies > 0):
                self.lies -= 1
                del self.uploads[asked.path]
                return Said(460)
        return Said(204 if asked.method == "PATCH" else 200, headers={**SPOKEN,
            "Upload-Offset": str(len(have)), "Upload-Length": str(self.size[asked.path]),
        })  # fmt: skip


def upload(url, file, *, resume=None, notes=None, **more):
    with sources.opened(asset(file)) as source:
        wish = tus.Upload("files", {"name": file.name}, resume, **{"chunk": MIB, **more})
        return tus.send(Connection(url, patience=QUICK), source, wish, (notes if notes is not None else []).append)


def stored(folder, where):
    return (folder / where.rpartition("/")[2]).read_bytes()


@pytest.fixture
def independent(tmp_path):
    """The server from npm: its address, and the folder of what it stores."""
    folder = tmp_path / "stored"
    folder.mkdir()
    with npm.running("tus_server.mjs", tmp_path / "node", str(folder)) as ready:
        yield ready["url"], folder


def test_an_independent_server_gets_the_file_through_cuts_and_faults(independent, file):
    url, folder = independent
    chance = random.Random(3)
    cuts = [chance.randrange(file.stat().st_size) for _ in range(5)]
    with Proxy(url, cuts=cuts) as proxy:
        where = upload(proxy.url, file, checksum=False)
        assert proxy.seen.faults["cut"] == 5
        assert proxy.seen.sent <= file.stat().st_size + 5 * MIB
    assert stored(folder, where) == file.read_bytes()
    with Proxy(url, seeded(12, 0.5, ("500", "503", "drop", "reset", "truncate", "refuse"))) as proxy:
        assert stored(folder, upload(proxy.url, file, checksum=False)) == file.read_bytes()
        assert sum(proxy.seen.faults.values()) >= 3


def test_a_later_run_goes_on_where_an_independent_server_says(independent, file):
    url, folder = independent
    notes = []
    with Proxy(url, cuts=[2 * MIB + 5]) as proxy:
        proxy.script = lambda request: "refuse" if proxy.seen.faults["cut"] else None
        with pytest.raises(Unreachable):
            upload(proxy.url, file, notes=notes, checksum=False)
    (where,) = notes
    with Proxy(url) as proxy:
        there = where.replace(where.split("/files")[0], proxy.url)
        assert upload(proxy.url, file, resume=there, checksum=False) == there
        assert file.stat().st_size - 2 * MIB - 5 <= proxy.seen.sent < file.stat().st_size - MIB
        assert proxy.seen.heads[0].method == "HEAD"
    assert stored(folder, where) == file.read_bytes()


def test_an_upload_that_is_gone_begins_anew(file):
    server = Proving()
    with answering(server) as running:
        where = upload(running.url, file, resume=f"{running.url}/u/77")
        assert server.uploads["/u/0"] == file.read_bytes()
        assert where == f"{running.url}/u/0"


def test_cuts_and_faults_cost_a_chunk_each_at_most(file):
    server, size = Proving(), file.stat().st_size
    with answering(server) as running:
        with Proxy(running.url, cuts=[1, MIB - 1, MIB, 3 * MIB + 7, size - 1]) as proxy:
            upload(proxy.url, file)
            assert proxy.seen.faults["cut"] == 5
            assert proxy.seen.sent <= size + 5 * MIB
        assert server.uploads["/u/0"] == file.read_bytes()
        with Proxy(running.url, listed([None, "drop", None, "500", None, "truncate", "503"])) as proxy:
            upload(proxy.url, file)
            assert server.uploads["/u/1"] == file.read_bytes()


def test_bytes_that_arrive_as_others_are_sent_again_but_not_for_ever(file):
    server = Proving()
    with answering(server) as running:
        server.lies = 2
        upload(running.url, file)
        server.lies = 100
        with pytest.raises(Refused, match="460"):
            upload(running.url, file)


def test_a_file_that_changes_meanwhile_is_not_finished(file):
    server = Proving()

    def change(asked):
        if asked.method == "PATCH" and asked.headers["upload-offset"] != "0":
            file.write_bytes(bytes(file.stat().st_size))
        return server(asked)

    with answering(change) as running, pytest.raises(sources.Changed, match="changed"):
        upload(running.url, file)


@pytest.mark.parametrize("headers", [
    {}, {"Location": "http://elsewhere.invalid/1"}, {"Location": "/u", "Upload-Offset": "99999999999"},
    {"Location": "/u", "Upload-Offset": "-1"}, {"Location": "/u", "Upload-Offset": "x"},
])  # fmt: skip
def test_nonsense_of_a_server_is_refused(file, headers):
    with answering(lambda asked: Said(201, headers={**SPOKEN, **headers})) as running, pytest.raises(Refused):
        upload(running.url, file)


def test_who_does_not_speak_tus_is_not_believed(file):
    with answering(lambda asked: Said(201, headers={"Location": "/u"})) as running, pytest.raises(Unreachable):
        upload(running.url, file)


def test_a_server_without_progress_is_given_up(file):
    still = {**SPOKEN, "Upload-Offset": "0", "Upload-Length": str(file.stat().st_size)}

    def answer(asked):
        return (
            Said(201, headers={"Location": "/u", **SPOKEN})
            if asked.method == "POST"
            else Said(409 if asked.method == "PATCH" else 200, headers=still)
        )

    with answering(answer) as running, pytest.raises((Unreachable, Refused)):
        upload(running.url, file)


def test_chunks_are_proved_only_after_other_bytes_came_where_the_whole_is(file):
    server = Proving(file.read_bytes())
    with answering(server) as running:
        upload(running.url, file, checksum=False, chunk=4 * MIB)
        assert (server.proved, server.patched) == ([False] * 2, len(server.whole))
        server.lies, server.proved = 2, []
        where = upload(running.url, file, checksum=False, chunk=4 * MIB)
        assert server.uploads[where.removeprefix(running.url)] == server.whole
        assert server.proved == [False, False, True, True, True], "of the proved one is sent once more"
        server.lies = 100
        with pytest.raises(Refused, match="460"):
            upload(running.url, file, checksum=False)


def test_an_empty_file_is_an_upload_without_chunks(tmp_path):
    (tmp_path / "empty").touch()
    server = Proving()
    with answering(server) as running:
        upload(running.url, tmp_path / "empty")
    assert server.uploads == {"/u/0": b""}


def test_what_cannot_be_read_is_said(tmp_path, file):
    made = asset(file)
    os.truncate(file, 10)
    with pytest.raises(sources.Changed, match="10 bytes"), sources.opened(made):
        pass
    file.unlink()
    with pytest.raises(sources.Changed, match="cannot be read"), sources.opened(made):
        pass
