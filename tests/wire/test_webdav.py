"""The WebDAV destination: against a real wsgidav, and NextCloud's chunks against a server that keeps their documented rules."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp

from nffa_cli.destinations import dav
from nffa_cli.destinations.answers import authorisation
from nffa_cli.destinations.base import Delivery
from nffa_cli.destinations.dav import Dav
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.patience import Patience
from nffa_cli.destinations.webdav import WebDav
from nffa_cli.errors import Refused, Unreachable
from tests.faults.proxy import Proxy, seeded
from tests.wire.answering import Said, answering
from tests.wire.test_idrp import Journal, asset, bundle, deliver

QUICK = Patience(connect=2, stall=3, slowest=100_000, budget=20, first=0.01, cap=0.1)


@contextmanager
def serving(folder):
    """Serve a folder by wsgidav, for ada with the password pw."""
    app = WsgiDAVApp({
        "provider_mapping": {"/": str(folder)}, "logging": {"enable": False}, "verbose": 0, "dir_browser": {"enable": False},
        "http_authenticator": {"domain_controller": None, "accept_basic": True, "accept_digest": False},
        "simple_dc": {"user_mapping": {"*": {"ada": {"password": "pw"}}}},
    })  # fmt: skip
    server = wsgi.Server(("127.0.0.1", 0), app)
    server.expiration_interval = 0.02  # seconds that its end may take
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join(5)


@pytest.fixture
def share(tmp_path):
    """A real WebDAV server: its address and its folder."""
    folder = tmp_path / "share"
    folder.mkdir()
    with serving(folder) as url:
        yield url, folder


def client(url, token="ada:pw"):
    return WebDav("share", Dav(Connection(url, authorise=lambda fresh: authorisation(token), patience=QUICK)))


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_bag_arrives_whole_and_twice_is_unchanged(share, tmp_path):
    url, folder = share
    destination = client(url)
    assert destination.whoami()["folder"] == url
    one = bundle(asset(b"x" * 100_000, "Bild ä #1 100%.tif"), asset(b"side", "s.txt", role="sidecar"), n=1)
    linked = bundle(asset(b"l", accessMode="linked", uri="file:///x/a.tif"), n=2)
    assert [plan.action for plan in destination.plan([Delivery(one)])] == ["create"]
    first = deliver(destination, one, linked)
    assert [result.status for result in first] == ["done", "done"]
    assert any(name.endswith("data/Bild ä #1 100%.tif") for name in files(folder))
    assert not any(".part" in name for name in files(folder))
    assert {result.status for result in deliver(destination, one, linked)} == {"unchanged"}
    proofs = dict(destination.verify([(each.delivery.bundle.key, each.receipt) for each in first]))
    assert [proof.proof for proof in proofs.values()] == ["size-only", "unknown"]
    (found,) = destination.find("m1", 10)
    back = destination.fetch(found["assets"][0], tmp_path / "back.tif")
    assert back.read_bytes() == b"x" * 100_000


def test_the_bag_is_what_a_folder_would_hold(share, tmp_path):
    from nffa_cli.destinations.folder import Folder

    url, folder = share
    one = bundle(asset(b"data"), asset(b"side", "s.txt", role="sidecar"), n=1)
    deliver(client(url), one)
    disk = tmp_path / "disk"
    (result,) = deliver(Folder("disk", disk), one)
    assert files(folder) == files(disk)
    assert all((folder / name).read_bytes() == (disk / name).read_bytes() for name in files(disk))
    proof = dict(Folder("share", folder).verify([(one.key, result.receipt)]))[one.key]
    assert proof.proof == "digest"


def test_an_update_replaces_what_changed_and_removes_what_went(share):
    url, folder = share
    destination = client(url)
    (first,) = deliver(destination, bundle(asset(b"one"), asset(b"old", "old.txt", role="sidecar"), n=1))
    (second,) = deliver(destination, bundle(asset(b"two!"), n=1), known={first.delivery.bundle.key: first.receipt})
    assert (second.status, second.receipt.version) == ("done", "2")
    (place,) = {name.partition("/data/")[0] for name in files(folder) if "/data/" in name}
    assert (folder / place / "data/a.tif").read_bytes() == b"two!"
    assert not (folder / place / "data/old.txt").exists()


def test_a_file_that_is_not_ours_is_never_overwritten(share):
    url, folder = share
    one = bundle(asset(b"ours"), n=1)
    from nffa_cli.destinations import bag

    foreign = folder / bag.place(one) / "data/a.tif"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"somebody else's")
    (result,) = deliver(client(url), one)
    assert result.status == "conflict"
    assert foreign.read_bytes() == b"somebody else's"


@pytest.mark.parametrize("seed", range(2))
def test_faults_on_the_way_leave_whole_bags(share, seed):
    url, _ = share
    bundles = [bundle(asset(bytes([n]) * 50_000), asset(b"s", "s.txt", role="sidecar"), n=n) for n in range(3)]
    faults = ("500", "503", "drop", "reset", "truncate", "refuse", "html")
    with Proxy(url, seeded(seed, 0.3, faults)) as proxy:
        done = deliver(client(proxy.url), *bundles)
    assert {result.status for result in done} <= {"done", "unchanged"}
    assert sum(proxy.seen.faults.values()) > 5
    proofs = client(url).verify([(each.delivery.bundle.key, each.receipt) for each in done])
    assert {proof.proof for _, proof in proofs} == {"size-only"}


def test_a_wrong_password_and_an_absent_folder_are_refused(share):
    url, _ = share
    with pytest.raises(Refused, match="401"):
        client(url, "ada:no").whoami()
    with pytest.raises(Refused, match="no such folder"):
        client(url + "/nowhere").whoami()


class NextCloud:
    """Chunked upload, version 2, as NextCloud documents it; files live in ``held``."""

    def __init__(self):
        self.held, self.rooms, self.puts, self.fails = {}, {}, [], False

    def __call__(self, asked):
        path = unquote(urlsplit(asked.path).path).rstrip("/")
        room = path.startswith("/remote.php/dav/uploads/ada/")
        if room and asked.method in ("MKCOL", "PUT", "MOVE"):
            assert asked.headers["destination"].startswith("http")
        if asked.method == "MKCOL":
            made = path in (self.rooms if room else self.held)
            (self.rooms if room else self.held).setdefault(path, {} if room else None)
            return Said(405 if made else 201)
        if asked.method == "PROPFIND":
            return self.listed(path)
        if asked.method == "GET":
            data = self.held.get(path)
            return Said(404) if data is None else Said(200, data, {"ETag": '"e"'})
        if asked.method == "PUT":
            self.puts.append((path, len(asked.body)))
            folder, _, name = path.rpartition("/")
            if room:
                if self.fails and name == "00002":
                    return Said(503)
                assert 1 <= int(name) <= 10_000
                self.rooms[folder][name] = asked.body
            else:
                self.held[path] = asked.body
            return Said(201)
        target = unquote(urlsplit(asked.headers["destination"]).path)
        if target in self.held and asked.headers["overwrite"] == "F":
            return Said(412)
        if room:
            chunks = self.rooms.pop(path.removesuffix("/.file"))
            data = b"".join(chunks[name] for name in sorted(chunks))
            assert len(data) == int(asked.headers["oc-total-length"])
            self.sums = asked.headers["oc-checksum"]
        else:
            data = self.held.pop(path)
        self.held[target] = data
        return Said(201)

    def listed(self, path):
        if path in self.rooms:
            found = {f"{path}/{name}": data for name, data in self.rooms[path].items()}
        elif path in self.held:
            found = {path: self.held[path]}
        elif path == "/remote.php/dav/files/ada":
            found = {path: None}
        else:
            return Said(404)
        rows = "".join(
            f"<d:response><d:href>{each}</d:href><d:propstat><d:prop>"
            f"<d:getcontentlength>{len(data or b'')}</d:getcontentlength>"
            f"<oc:checksums><oc:checksum>{getattr(self, 'sums', '')}</oc:checksum></oc:checksums>"
            f"</d:prop></d:propstat></d:response>"
            for each, data in found.items()
        )
        xml = f'<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">{rows}</d:multistatus>'
        return Said(207, xml.encode(), {"Content-Type": "application/xml"})


def test_nextcloud_gets_large_files_in_chunks_and_resumes(monkeypatch):
    monkeypatch.setattr(dav, "CHUNK", 100_000)
    cloud = NextCloud()
    one, journal = bundle(asset(bytes(range(256)) * 1000), n=1), Journal()
    with answering(cloud) as server:
        destination = client(server.url + "/remote.php/dav/files/ada")
        destination.dav.connection.patience = Patience(budget=0.1, first=0.01)
        cloud.fails = True
        with pytest.raises(Unreachable):
            deliver(destination, one, journal=journal)
        assert len(journal) == 1
        cloud.fails, sent = False, len(cloud.puts)
        (result,) = deliver(destination, one, journal=journal)
        assert result.status == "done"
        assert journal == {}
        assert [name[-5:] for name, _ in cloud.puts[sent:] if "/uploads/" in name] == ["00002", "00003"]
        proof = dict(destination.verify([(one.key, result.receipt)]))[one.key]
        assert proof.proof == "digest"
    (name,) = [name for name in cloud.held if name.endswith("a.tif")]
    assert cloud.held[name] == bytes(range(256)) * 1000


def test_hostile_xml_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    for body in (bomb, b"<a", b"\xff\xfe"):
        with answering(lambda asked, body=body: Said(207, body)) as server, pytest.raises(Refused):
            client(server.url).whoami()


def test_what_says_that_a_bag_is_whole_is_written_last(share):
    url, _ = share
    with Proxy(url) as proxy:
        deliver(client(proxy.url), bundle(asset(b"x"), n=1))
        moved = [head.headers["destination"] for head in proxy.seen.heads if head.method == "MOVE"]
    assert moved[-1].endswith("nffa-measurement.json")
    assert json.dumps(moved)
