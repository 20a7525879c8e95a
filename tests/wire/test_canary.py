"""No token ever shows: commands that take one run with a canary, good and bad, and everything they leave behind is searched."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest

from nffa_cli import samples
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.faults.proxy import Proxy

WRONG = "nffa_0123456789abcdef0123456789abcdef_CanaryThatNobodyKnowsXYZ"


def traces(token):
    """Return the forms in which a token could stand somewhere: itself, and its base64 at every alignment."""
    found = {token.encode()}
    for text in (token, f"Bearer {token}", f"ada:{token}"):
        for shift in range(3):
            found.add(base64.b64encode(b" " * shift + text.encode())[4:-4])
    return found | {token.rpartition("_")[2].encode()}


class Room:
    """An NFFA_HOME of its own and everything that was said in it."""

    def __init__(self, folder):
        self.home, self.folder, self.said = folder / "home", folder, b""

    def __call__(self, *args, status, token=None, stdin="", debug="1"):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NFFA_")}
        environment |= {"NFFA_HOME": str(self.home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        environment |= {"NFFA_DEBUG": debug} if debug else {}
        environment |= {"NFFA_TOKEN": token} if token else {}
        done = subprocess.run(
            [sys.executable, "-m", "nffa_cli", *args], env=environment, input=stdin.encode(), capture_output=True,
            cwd=self.folder, timeout=120,
        )  # fmt: skip
        self.said += done.stdout + done.stderr
        assert done.returncode == status, (args, done.stdout[-2000:], done.stderr[-4000:])
        return done.stdout

    def left(self, *more):
        """Yield what was said, and every file but the secrets themselves."""
        yield "output", self.said
        for root in (self.home, *more):
            for path in root.rglob("*"):
                if path.is_file() and path.name != "tokens.json":
                    yield str(path), path.read_bytes()


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
            for fault, status in (("401", 5), ("redirect", 5)):
                room.fault = fault
                room("login", proxy.url, "--token-stdin", "-vv", status=status, stdin=good)
                room("get", "tif", "--from", proxy.url, "-vv", status=status, token=good)
            room.fault = None
            room("logout", proxy.url, "-vv", status=0)
            room("get", "nothing", "--from", proxy.url, "-vv", status=2)
        room("login", "http://127.0.0.1:9", "--token-stdin", "-vv", status=4, stdin=good)
        room("login", node.url, "--token-stdin", status=1, stdin=f"{good} {good}")
        room("login", f"https://ada:{good}@idrp.example", "--token-stdin", status=2, stdin=good)
        room("config", "show", "-vv", status=0, token=good)
        for name, data in room.left(tmp_path / "node", tmp_path / "back"):
            for token in (good, WRONG):
                for trace in traces(token):
                    assert trace not in data, (name, token[:12])
        secret = room.home / "secrets" / "tokens.json"
        assert secret.stat().st_mode & 0o077 == 0
        secret.write_text(f'{{"x": "{good}"')
        room.said = b""
        room("get", "x", "--from", node.url, "-vv", status=1)
        assert good.encode() not in room.said
