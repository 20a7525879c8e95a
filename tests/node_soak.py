"""A node that is killed again and again while clients upload and commit: nothing torn, nothing doubled, nothing lost."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import requests

from nffa_cli.node import admin, checking, sweeping
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database
from nffa_cli.node.storage import Storage
from tests.contract.node import parcels

CHUNK = 256 * 1024
CLIENTS = 3


class Process:
    """The real node, served by the command on one port however often it is started anew."""

    def __init__(self, config: Config) -> None:
        self.config, self.port = config, 0
        self.log = config.data.with_name(
            "served.err"
        )  # a pipe that nobody reads fills, and the node would wait for ever
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        more = ["--database", self.config.database] if self.config.database else []
        command = [sys.executable, "-m", "nffa_cli", "node", "serve", "--data", str(self.config.data), "--json",
                   "--port", str(self.port), *more]  # fmt: skip
        environment = {**os.environ, "NFFA_HOME": str(self.config.data / "home")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"the node did not start: {self.log.read_text()[-2000:]}"
        self.port = int(json.loads(line)["url"].rpartition(":")[2])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


class Sender(threading.Thread):
    """A client that delivers its measurements in rounds until told to stop, whatever becomes of its requests."""

    def __init__(self, node: Process, token: str, name: str, seed: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.node, self.name_, self.ended = node, name, ended
        self.chance = random.Random(seed)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.contents: dict[str, list[bytes]] = {}
        self.fault: BaseException | None = None

    def run(self) -> None:
        number, waiting = 0, []
        while not self.ended.is_set():
            if not waiting:
                for _ in range(self.chance.randint(1, 3)):
                    small = [self.chance.randbytes(self.chance.randrange(3000)) for _ in range(3)]
                    large = [self.chance.randbytes(self.chance.randrange(CHUNK, 6 * CHUNK))]
                    self.contents[f"{self.name_}-{number}"] = small + large
                    waiting.append(f"{self.name_}-{number}")
                    number += 1
            try:
                self.deliver(waiting)
                waiting = []
            except requests.RequestException:
                time.sleep(0.02)
            except BaseException as error:
                self.fault = error
                return

    def item(self, key: str) -> dict:
        return parcels.item(key, {f"{n}.tif": data for n, data in enumerate(self.contents[key])})

    def deliver(self, keys: list[str]) -> list[dict]:
        """Deliver measurements; what the node has of them already is not sent again."""
        api = f"{self.node.url}/api/v1"
        data = {parcels.sha256(each): each for key in keys for each in self.contents[key]}
        ingest = self.ask("POST", f"{api}/ingests", json={"items": [self.item(key) for key in keys]}).json()
        need = [data[each["sha256"]] for each in ingest["need"]]
        body = b"".join(parcels.frame(each) for each in need if len(each) < CHUNK)
        self.ask(
            "POST",
            f"{api}/ingests/{ingest['id']}/pack",
            data=body,
            headers={"Content-Type": "application/vnd.nffa.pack"},
        )
        for each in need:
            if len(each) >= CHUNK:
                self.upload(api, ingest, each)
        return self.ask("POST", f"{api}/ingests/{ingest['id']}:commit").json()["items"]

    def upload(self, api: str, ingest: dict, data: bytes) -> None:
        begun = self.ask("POST", f"{api}/uploads", headers=parcels.creation(ingest, data))
        at, place = int(begun.headers["Upload-Offset"]), begun.headers["Location"]
        while at < len(data):
            part = data[at : at + CHUNK]
            proof = part if self.chance.random() < 0.5 else None
            at = int(self.ask("PATCH", place, data=part, headers=parcels.chunk(at, proof)).headers["Upload-Offset"])

    def ask(self, method: str, url: str, **options) -> requests.Response:
        answer = self.session.request(method, url, timeout=60, **options)
        if answer.status_code in (409, 423, 503):  # a moment later it may be otherwise
            raise requests.ConnectionError(answer.text)
        assert answer.ok, (method, url, answer.status_code, answer.text)
        return answer


def node(rounds: int, seed: int, room: Path, database: str | None = None) -> dict[str, object]:
    """SIGKILL the node at random moments while clients deliver; then deliver all again in peace and compare every byte."""
    chance = random.Random(seed)
    config = Config(room / "node", database)
    config.data.mkdir(parents=True)
    known = Database(config.database_url)
    known.migrate()
    token = admin.create_token(known, ("depositor",), name="pc")
    process, ended = Process(config), threading.Event()
    process.start()
    senders = [Sender(process, token, f"pc{n}", seed + n, ended) for n in range(CLIENTS)]
    for sender in senders:
        sender.start()
    for _ in range(rounds):
        time.sleep(chance.uniform(0.02, 0.6))
        process.kill()
        process.start()
    ended.set()
    for sender in senders:
        sender.join(120)
        assert not sender.is_alive()
        if sender.fault is not None:
            raise sender.fault
    visible = _visible(known)
    for sender in senders:
        keys = list(sender.contents)
        for at in range(0, len(keys), 50):
            sender.deliver(keys[at : at + 50])
        assert all(_read(sender, key) for key in keys)
    process.stop()
    return {"kills": rounds, "visible_before": visible, **_proved(known, config, senders)}


def _visible(known: Database) -> int:
    with known.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM measurement").scalar_one()


def _read(sender: Sender, key: str) -> bool:
    """Tell whether the node gives back what was delivered, byte for byte."""
    api = f"{sender.node.url}/api/v1"
    query = {"externalId": f"nffa:sha256:{key}"}
    (found,) = sender.ask("GET", f"{api}/measurements", params=query).json()["items"]
    assets = sender.ask("GET", f"{api}/dataassets", params={"measurement": found["id"]}).json()["items"]
    got = {each["relativePath"]: sender.ask("GET", f"{api}/dataassets/{each['id']}/content").content for each in assets}
    return got == {f"{n}.tif": data for n, data in enumerate(sender.contents[key])}


def _proved(known: Database, config: Config, senders: list[Sender]) -> dict[str, object]:
    """Check database and folder against what was delivered, and return the figures."""
    delivered = sum(len(sender.contents) for sender in senders)
    storage = Storage(config.data)
    swept = sweeping.sweep(known, storage, grace=-1)
    checked = checking.Checked()
    wrong = [each.as_json() for each in checking.check(known, storage, checked, read_data=True)]
    with known.read() as connection:
        twice = connection.exec_driver_sql("SELECT count(*) FROM external_id GROUP BY value HAVING count(*) > 1").all()
        versions = connection.exec_driver_sql("SELECT count(*) FROM measurement WHERE version <> 1").scalar_one()
        experiments = connection.exec_driver_sql("SELECT count(*) FROM experiment").scalar_one()
        unfinished = connection.exec_driver_sql("SELECT count(*) FROM upload").scalar_one()
    made = _visible(known)
    assert (made, twice, versions, experiments) == (delivered, [], 0, 1), (
        made,
        delivered,
        twice,
        versions,
        experiments,
    )
    known.close()
    return {"measurements": made, "blobs": checked.blobs, "bytes": checked.bytes, "wrong": wrong,
            "strays_swept": swept.strays, "unfinished_uploads": unfinished}  # fmt: skip
