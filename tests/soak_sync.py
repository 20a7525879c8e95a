"""Trials of ``nffa sync`` by sudden death: to a folder, and to a node through a proxy that breaks requests.

Whatever dies whenever: as many measurements there as acquisitions here, every byte's digest right, nothing half visible,
nothing left in the outbox, and a last run finds nothing due.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

from tests.e2e.room import zeiss
from tests.faults.proxy import PASSING, Proxy, seeded

DRIVER = """
import os, sys
from pathlib import Path
countdown = int(os.environ["CRASH_AT"])
def step():
    global countdown
    countdown -= 1
    if countdown == 0:
        os._exit(137)
from nffa_cli.catalogue.connection import Connection
do, do_many, replace, fsync = Connection.do, Connection.do_many, Path.replace, os.fsync
def counted_do(self, statement, values=()):
    if statement.split(None, 1)[0] in ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE"):
        step()
    return do(self, statement, values)
def counted_replace(self, target):
    step()
    return replace(self, target)
def counted_fsync(handle):
    step()
    return fsync(handle)
Connection.do, Path.replace, os.fsync = counted_do, counted_replace, counted_fsync
try:
    from nffa_cli.destinations import http
except ImportError:
    pass
else:
    send = http.Connection.send
    def counted_send(self, *arguments, **more):
        step()
        answer = send(self, *arguments, **more)
        step()
        return answer
    http.Connection.send = counted_send
from nffa_cli.cli import run
status = run(sys.argv[1:])
os._exit(status)
"""
"""The command with a death before its n-th durable step, and before and after each request."""


class Bench:
    """A home, an inbox of small pictures, and the command."""

    def __init__(self, room: Path) -> None:
        self.home, self.inbox = room / "home", room / "inbox"
        self.inbox.mkdir(parents=True)
        self.made = 0
        self.env: dict[str, str] = {}
        self.say("first")

    def say(self, sample: str) -> None:
        text = f"proposal: {{id: '161'}}\nexperiment: {{name: Growth}}\nsample: {{name: {sample}}}\n"
        draft = self.inbox / "draft.tmp"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.inbox / "nffa-session.yaml")

    def more(self, number: int) -> None:
        """Put so many new pictures in and ingest them."""
        for _ in range(number):
            (self.inbox / f"{self.made:05d}.tif").write_bytes(zeiss(seed=self.made, side=24))
            self.made += 1
        run = self.nffa("ingest", self.inbox, "--settle", 0, "--json")
        assert run.returncode == 0, run.stderr

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NFFA_")}
        return {**kept, "NFFA_HOME": str(self.home), **self.env}

    def start(self, *arguments: object, **more) -> subprocess.Popen:
        command = [sys.executable, "-m", "nffa_cli", *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                start_new_session=True, **more)  # fmt: skip

    def nffa(self, *arguments: object, driver: int | None = None):
        how = ["-m", "nffa_cli"] if driver is None else ["-c", DRIVER]
        env = self.environment() | ({} if driver is None else {"CRASH_AT": str(driver)})
        return subprocess.run([sys.executable, *how, *map(str, arguments)], env=env, capture_output=True, text=True,
                              check=False, timeout=600)  # fmt: skip

    def settled(self, to: str) -> None:
        """Sync until all is there, then once more: nothing may be due, and nothing may be left."""
        for _ in range(10):  # 401 in the middle, or a node that just came back
            run = self.nffa("sync", "--to", to, "--json")
            if run.returncode == 0:
                break
        assert run.returncode == 0, (run.returncode, run.stderr, run.stdout[-2000:])
        last = self.nffa("sync", "--to", to, "--json")
        told = map(json.loads, last.stdout.splitlines())
        statuses = Counter(line["status"] for line in told if line["type"] == "outcome")
        assert statuses == {"unchanged": self.made}, statuses
        left = self.nffa("outbox", "list", "--json").stdout.splitlines()
        assert json.loads(left[-1])["deliveries"] == 0, left
        with closing(sqlite3.connect(self.home / "catalogue.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT count(*) FROM upload").fetchone() == (0,)

    def digests(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.inbox.glob("*.tif")}


def bags(disk: Path, bench: Bench) -> None:
    """Every acquisition lies in exactly one bag, and every bag is as its manifests say."""
    found = {}
    for declared in disk.glob("*/*/*/bagit.txt"):
        bag = declared.parent
        for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
            for line in (bag / manifest).read_text().splitlines():
                digest, name = line.split(None, 1)
                assert hashlib.sha256((bag / name).read_bytes()).hexdigest() == digest, bag / name
        said = json.loads((bag / "data/nffa-measurement.json").read_bytes())
        name = said["measurement"]["measurementName"]
        assert name not in found, f"{name} is there twice"
        found[name] = said["assets"][0]["dataChecksum"]["value"]
    assert found == bench.digests()
    assert not list(disk.glob(".nffa*"))


def folder(rounds: int, seed: int, room: Path) -> dict[str, int]:
    """SIGKILL ``sync --to FOLDER`` at random moments; every other round changes the session, so that all is due."""
    chance = random.Random(seed)
    bench, disk = Bench(room), room / "disk"
    bench.more(10)
    killed = 0
    span = 1.5
    for number in range(rounds):
        if number % 2:
            bench.say(f"sample {number}")
        elif number % 8 == 4:
            bench.more(2)
        process = bench.start("sync", "--to", disk)
        try:
            process.wait(timeout=chance.uniform(0.2, span))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            killed += 1
    bench.settled(str(disk))
    bags(disk, bench)
    return {"rounds": rounds, "killed": killed, "measurements": bench.made}


def crash(room: Path, *, stride: int = 1) -> dict[str, int]:
    """Die before each durable step of a sync to a folder, of new things and of updates; all is there after each."""
    died = 0
    for number in count(1, stride):
        here = room / f"crash-{number}"
        bench, disk = Bench(here), here / "disk"
        bench.more(2)
        first = bench.nffa("sync", "--to", disk, "--json", driver=number)
        bench.say("second")
        second = bench.nffa("sync", "--to", disk, "--json", driver=number)
        bench.settled(str(disk))
        bags(disk, bench)
        shutil.rmtree(here)
        died += first.returncode == 137
        died += second.returncode == 137
        if first.returncode != 137 and second.returncode != 137:
            break
    return {"died": died, "proved": died + 2}


# --- a node ---


class Node:
    """``nffa node serve`` on a port of its own, to be killed and started again."""

    def __init__(self, room: Path, database: str | None = None) -> None:
        self.data = room / "node"
        self.database = [] if database is None else ["--database", database]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.killed = 0
        self._process: subprocess.Popen | None = None
        self.log = room / "node.err"
        self.room = room

    def environment(self) -> dict[str, str]:
        return {**os.environ, "NFFA_HOME": str(self.room / "node-home")}

    def start(self) -> None:
        command = [sys.executable, "-m", "nffa_cli", "node", "serve", "--data", str(self.data), "--port", str(self.port),
                   "--json", *self.database]  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=log,
                                             start_new_session=True)  # fmt: skip
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log.read_text()[-2000:]
        assert json.loads(line)["type"] == "ready"

    def kill(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        self.killed += 1

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=30)

    def token(self, role: str) -> str:
        command = [sys.executable, "-m", "nffa_cli", "node", "token", "create", "--role", role, "--name", role,
                   "--data", str(self.data), *self.database]  # fmt: skip
        found = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=True)
        return found.stdout.strip()

    def check(self) -> None:
        command = [sys.executable, "-m", "nffa_cli", "node", "check", "--data", str(self.data), *self.database]
        found = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout + found.stderr


def held(node: Node, token: str) -> tuple[Counter[str], dict[str, str]]:
    """Return how often each external id is there, and name → digest of the bytes that the node gives of each main file."""
    import requests

    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"

        def listed(path: str):
            url = f"{node.url}/api/v1/{path}"
            while url:
                page = session.get(url, timeout=60)
                page.raise_for_status()
                yield from page.json()["items"]
                url = page.json()["links"].get("next")
                if url and url.startswith("/"):
                    url = node.url + url

        ids = Counter(each["externalIds"][0]["value"] for each in listed("measurements?limit=200"))
        bytes_: dict[str, str] = {}
        for asset in listed("dataassets?limit=200"):
            if asset.get("state") == "withdrawn":
                continue
            body = session.get(f"{node.url}/api/v1/dataassets/{asset['id']}/content", timeout=60)
            body.raise_for_status()
            digest = hashlib.sha256(body.content).hexdigest()
            assert digest == asset["dataChecksum"]["value"], asset
            if asset["role"] == "main":
                assert asset["dataAssetName"] not in bytes_, asset
                bytes_[asset["dataAssetName"]] = digest
    return ids, bytes_


def node(
    acquisitions: int, kills: int, seed: int, room: Path, *, database: str | None = None, rate: float = 0.1
) -> dict[str, object]:
    """Kill client and node at random while they work, through a proxy that breaks requests; then prove what is there."""
    chance = random.Random(seed)
    bench, server = Bench(room), Node(room, database)
    faults = (*PASSING, "401")
    step = max(1, -(-acquisitions // kills))
    client_killed = rounds = 0
    statuses: Counter[int] = Counter()
    with ExitStack() as stack:
        server.start()
        stack.callback(server.stop)
        bench.env["NFFA_TOKEN"] = server.token("depositor")
        admin = server.token("admin")
        proxy = stack.enter_context(Proxy(f"127.0.0.1:{server.port}", seeded(seed, rate, faults)))
        while client_killed < kills or server.killed < kills or bench.made < acquisitions:
            rounds += 1
            if bench.made < acquisitions:
                bench.more(min(step, acquisitions - bench.made))
            if rounds % 5 == 0:
                bench.say(f"sample {rounds}")  # all that was delivered is due as an update
            process = bench.start("sync", "--to", proxy.url)
            victim = chance.choice(("client", "node", "both"))
            try:
                statuses[process.wait(timeout=chance.uniform(0.3, 2.5))] += 1
            except subprocess.TimeoutExpired:
                if victim != "client":
                    server.kill()
                    if victim == "node":
                        time.sleep(chance.uniform(0.0, 0.3))
                        server.start()
                        with_patience(process, statuses, 3.0)
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    client_killed += 1
                process.communicate()
                if victim == "both":
                    server.start()
        bench.settled(proxy.url)
        ids, bytes_ = held(server, admin)
        assert len(ids) == bench.made, (len(ids), bench.made)
        assert set(ids.values()) == {1}
        assert bytes_ == bench.digests()
    server.check()
    return {"acquisitions": bench.made, "rounds": rounds, "client killed": client_killed, "node killed": server.killed,
            "client ended": dict(statuses)}  # fmt: skip


def with_patience(process: subprocess.Popen, statuses: Counter[int], seconds: float) -> None:
    try:
        statuses[process.wait(timeout=seconds)] += 1
    except subprocess.TimeoutExpired:
        return
