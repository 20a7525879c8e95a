"""No token ever shows: commands that take one run with a canary, good and bad, and everything they leave behind is searched."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager

import pytest

from nffa_cli import cli, samples
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.faults.proxy import Proxy
from tests.wire.answering import Said, answering, said_json
from tests.wire.test_tls import certificate, context

WRONG = "nffa_0123456789abcdef0123456789abcdef_CanaryThatNobodyKnowsXYZ"


def traces(token):
    """Return the forms in which a token could stand somewhere: itself, and its base64 at every alignment."""
    found = {token.encode()}
    for text in (token, f"Bearer {token}", f"ada:{token}"):
        for shift in range(3):
            found.add(base64.b64encode(b" " * shift + text.encode())[4:-4])
    return found | {token.split("_", 2)[-1].encode()}


class Room:
    """An NFFA_HOME of its own and everything that was said in it."""

    def __init__(self, folder):
        self.home, self.folder, self.said = folder / "home", folder, b""

    def __call__(self, *args, status, token=None, stdin="", debug="1", **more):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NFFA_")}
        environment |= {"NFFA_HOME": str(self.home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        environment |= {"NFFA_DEBUG": debug} if debug else {}
        environment |= ({"NFFA_TOKEN": token} if token else {}) | more
        done = subprocess.run(
            [sys.executable, "-m", "nffa_cli", *args], env=environment, input=stdin.encode(), capture_output=True,
            cwd=self.folder, timeout=120,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        assert status in (None, done.returncode), (args, done.returncode, done.stdout[-2000:], done.stderr[-4000:])
        return done.stdout

    def left(self, *more):
        """Yield what was said, and every file but the secrets themselves."""
        yield "output", self.said
        for root in (self.home, *more):
            for path in root.rglob("*"):
                if path.is_file() and path.name != "tokens.json":
                    yield str(path), path.read_bytes()

    def judge(self, *tokens, more=()):
        """Find no trace of the tokens in anything that is left."""
        for name, data in self.left(*more):
            for token in tokens:
                for trace in traces(token):
                    assert trace not in data, (name, token[:12])


@pytest.fixture
def room(tmp_path):
    """A home of its own."""
    return Room(tmp_path)


def test_a_canary_shows_nowhere(room, tmp_path):
    pictures = tmp_path / "examples"
    samples.make(pictures, kinds=samples.KINDS[:2])
    with serving(Config(tmp_path / "node", None)) as node:
        good = node.token("depositor")
        room("ingest", str(pictures), "--settle", "0", "-vv", status=0)
        with Proxy(node.url, lambda request: room.fault) as proxy:
            room.fault = None
            for token, status in ((good, 0), (WRONG, 5)):
                room("login", proxy.url, "--token-stdin", "-vv", "--json", status=status, stdin=token + "\n")
            room("get", "nothing", "--from", proxy.url, "-vv", status=2)
            sync = ("sync", "--to", proxy.url, "--proposal", "P1", "-vv", "--json")
            room(*sync, status=5, token=WRONG)
            room(*sync, status=0, token=good)
            room("sync", "--check", "--to", proxy.url, "-vv", status=0)
            room("get", "tif", "--from", proxy.url, "-o", "back", "-vv", "--limit", "2", status=0, token=good)
            search = ("search", "--at", proxy.url, "-vv")
            assert b'"type": "measurement"' in room(*search, "tif", "--json", status=0, token=good)
            room(*search, "--limit", "1", status=0)  # by the token that login kept
            room(*search, status=5, token=WRONG)
            for fault, status in (("401", 5), ("redirect", 5)):
                room.fault = fault
                room("login", proxy.url, "--token-stdin", "-vv", status=status, stdin=good)
                room("get", "tif", "--from", proxy.url, "-vv", status=status, token=good)
                room(*search, "tif", status=status, token=good)
            room.fault = None
            room("logout", proxy.url, "-vv", status=0)
            room("get", "nothing", "--from", proxy.url, "-vv", status=2)
        room("login", "http://127.0.0.1:9", "--token-stdin", "-vv", status=4, stdin=good)
        room("login", node.url, "--token-stdin", status=1, stdin=f"{good} {good}")
        for address in (f"https://ada:{good}@idrp.example", f"https://ada:{good}@idrp.example:x", f"https://ada:{good}",
                        f"ftp://ada:{good}@idrp.example", f"https://idrp.invalid/?token={good}"):  # fmt: skip
            room("login", address, "--token-stdin", "-vv", status=2, stdin=good)
            for command in ("search", "--at"), ("sync", "--proposal", "P1", "--to"), ("get", "x", "--from"):
                room(*command, address, "-vv", status=2, token=WRONG)
        room("config", "show", "-vv", status=0, token=good)
        room.judge(good, WRONG, more=(tmp_path / "node", tmp_path / "back"))
        secret = room.home / "secrets" / "tokens.json"
        assert secret.stat().st_mode & 0o077 == 0
        secret.write_text(f'{{"x": "{good}"')
        room.said = b""
        room("get", "x", "--from", node.url, "-vv", status=1)
        assert good.encode() not in room.said


@contextmanager
def telling_portal(canary):
    """A portal that repeats the Authorization header of who asks, wherever an answer can; it can be told how to answer."""

    def answer(asked):
        heard = asked.headers.get("authorization", "")
        portal.heard.append(heard)
        document = {
            "title": heard,
            "detail": f"not with {heard}",
            "error": heard,
            "errors": [{"pointer": heard, "message": heard}],
        }
        match portal.mood:
            case "good":
                return said_json([{"portalId": "P1", "title": "Films", "state": "accepted"}])
            case "elsewhere":
                return Said(302, b"", {"Location": f"http://other.invalid/?seen={canary}"})
            case "page":
                return Said(200, f"<html>{heard}</html>".encode(), {"Content-Type": f"text/html; seen={canary}"})
            case "nothing":
                return said_json({"items": heard})
            case status:
                return said_json(document, int(status), **{"Retry-After": "0"})

    with answering(answer) as portal:
        portal.mood, portal.heard = "good", []
        yield portal


def test_the_portals_token_shows_nowhere_even_where_the_portal_repeats_it(room, tmp_path):
    canary = "CanaryOfThePortalThatNobodyKnows0123456789"
    pictures, hand_over = tmp_path / "examples", tmp_path / "disk"
    samples.make(pictures, kinds=samples.KINDS[:1])
    hand_over.mkdir()
    with telling_portal(canary) as portal:
        room.home.mkdir()
        settings = f'[portal]\nadapter = "rest"\nurl = "{portal.url}/api"\nitems = ""\nhours = 0\n'
        (room.home / "nffa.toml").write_text(settings)
        room("ingest", str(pictures), "--settle", "0", "-vv", status=0, NFFA_PORTAL_TOKEN=canary)
        room("proposal", "refresh", "-vv", "--json", status=0, NFFA_PORTAL_TOKEN=canary)
        assert set(portal.heard) == {f"Bearer {canary}"}
        room("login", portal.url, "--token-stdin", "-vv", status=0, stdin=canary)
        room("proposal", "refresh", "-vv", status=0)
        assert len(portal.heard) == portal.heard.count(f"Bearer {canary}") > 2
        for mood, status in (
            ("401", 5),
            ("403", 5),
            ("400", 5),
            ("elsewhere", 5),
            ("page", 4),
            ("nothing", 1),
            ("503", 4),
        ):
            portal.mood = mood
            if status != 4:  # which is waited for, each time anew
                room("login", portal.url, "--token-stdin", "-vv", status=None, stdin=canary)
            room("proposal", "refresh", "-vv", status=status, NFFA_PORTAL_TOKEN=canary)
            room("proposal", "list", "--json", status=0, NFFA_PORTAL_TOKEN=canary)
            room("proposal", "show", "P7", "-vv", "--json", status=None, NFFA_PORTAL_TOKEN=canary)
        room("sync", "--to", str(hand_over), "--proposal", "P1", "-vv", "--json", status=0, NFFA_PORTAL_TOKEN=canary)
        room("status", "-vv", status=None, NFFA_PORTAL_TOKEN=canary)
        room("doctor", "-vv", status=None, NFFA_PORTAL_TOKEN=canary)
        room("config", "show", "-vv", status=0, NFFA_PORTAL_TOKEN=canary)
        assert len(portal.heard) > 8
        room.judge(canary, more=(hand_over,))


def test_an_address_with_a_secret_in_it_is_asked_and_neither_told_nor_kept(room, tmp_path, monkeypatch, capsys):
    canary = "CanaryOfALinkThatIsShared0123456789"
    certificate(tmp_path, "zenodo", host="zenodo.org")
    trusting = ssl.create_default_context

    def connected(*args):
        door = socket.socket()
        door.connect(("127.0.0.1", port))
        return door

    record = {"id": "7", "links": {"self_html": "https://zenodo.org/records/7"}, "metadata": {"title": "Films"},
              "files": {"entries": {"a.dat": {"key": "a.dat", "size": 1, "checksum": "md5:" + "0" * 32}}}}  # fmt: skip
    moods = {"good": said_json(record), "no-record": said_json([]), "no-json": Said(200, b"{"), "gone": Said(404),
             "elsewhere": Said(302, b"", {"Location": f"https://other.example/?token={canary}"}),
             "plain": Said(302, b"", {"Location": f"http://zenodo.org/?token={canary}"}),
             "known": Said(302, b"", {"Location": f"https://ada:{canary}@zenodo.org/"})}  # fmt: skip
    with answering(lambda asked: moods[mood], context=context(tmp_path, "zenodo")) as server:
        port = int(server.url.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: [(0, 0, 0, "", ("9.9.9.9", 443))])
        monkeypatch.setattr(socket, "create_connection", connected)
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting(cafile=tmp_path / "zenodo.pem"))
        for name in ("NFFA_TOKEN", "NFFA_PORTAL_TOKEN"):
            monkeypatch.setenv(name, canary)
        monkeypatch.setenv("NFFA_HOME", str(room.home))
        for address in (f"https://zenodo.org/api/records/7?token={canary}", f"https://zenodo.org/records/7#{canary}"):
            for mood in moods:
                status = cli.run(["crosswalk", "import", "zenodo", address, "--proposal", "P1", "-vv", "--json"])
                assert (status == 0) == (mood == "good"), mood
        assert server.asked[0].path.endswith(f"?token={canary}")
        assert not [each for each in server.asked if canary in "".join(each.headers.values())]
    monkeypatch.undo()
    room.said += "".join(capsys.readouterr()).encode()
    for address in (f"http://ada:{canary}@zenodo.org/records/7", f"https://ada:{canary}@zenodo.org/records/7",
                    f"https://ada:{canary}", f"https://ada:{canary}@zenodo.org:x/", f"https://other.example/?token={canary}",
                    f"https://other.example:{canary}/", f"https://zenodo.org/{chr(233)}?token={canary}"):  # fmt: skip
        room("crosswalk", "import", "zenodo", address, "-vv", status=2, NFFA_TOKEN=canary)
    (tmp_path / "disk").mkdir()
    room("sync", "--to", str(tmp_path / "disk"), "-vv", "--json", status=0)
    room("status", "-vv", "--json", status=None)
    room.judge(canary, more=(tmp_path / "disk",))
