"""The node under large uploads by our own client: proved by their digest against mere bytes, and its memory."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from nffa_cli.destinations import sources, tus
from nffa_cli.destinations.base import AssetFile
from nffa_cli.destinations.http import Connection
from nffa_cli.node import admin
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database
from tests.benchmarks import measure
from tests.benchmarks.scale import Scale
from tests.contract.node import parcels

MODES = {"as sync sends": False, "each chunk proved besides": True}
"""What is timed: name → whether chunks carry checksums, as they do after other bytes came."""
SERVER = """
import json, os, sys
from pathlib import Path
import uvicorn
from fastapi import Request
from nffa_cli.node.app import create_app
from nffa_cli.node.config import Config
from nffa_cli.node.serving import Listen, Server, _bound
app = create_app(Config(Path(sys.argv[1])))
@app.put("/api/v1/uploads/plain")
async def plain(request: Request):
    path = Path(sys.argv[1]) / "plain"
    with path.open("wb") as file:
        async for piece in request.stream():
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    path.rename(path.with_name(f"plain-{os.urandom(8).hex()}"))
door = _bound(Listen(port=0))
settings = uvicorn.Config(app, log_config=None, access_log=False)
Server(settings, lambda: print(door.getsockname()[1], flush=True)).run(sockets=[door])
"""
"""The node with one more route: a streamed PUT into a file, durable when it is answered, without any digest."""


def upload(folder: Path, scale: Scale) -> None:
    """Upload a file by tus, and put as many bytes plainly to the same server, in turn; the manifest is made before."""
    size = int(scale.gigabytes * 0.25e9)
    source = folder / "source"
    _make(source, size)
    ours: dict[str, list[float]] = {what: [] for what in MODES}
    plain = []
    with _served(folder / "node") as (url, _, session):
        for number in range(scale.rounds + 1):
            for place, (what, proved) in enumerate(MODES.items()):
                begun = _begun(session, url, source, f"{number}-{place}", stamp=2 * number + place)
                ours[what].append(
                    _timed(lambda begun=begun, proved=proved: _send(session, begun, source, proved=proved))
                )
            plain.append(_timed(lambda: _plain(session, url, source)))
    floor = size / 1e6 / statistics.median(plain[1:])
    for what, seconds in ours.items():
        detail = f"{size / 1e6 / statistics.median(seconds[1:]):.0f} MB/s; plain {floor:.0f} MB/s"
        ratios = [plainly / our for our, plainly in zip(seconds[1:], plain[1:], strict=True)]
        goal = "" if MODES[what] else ">= 0.7"
        measure.show(f"upload with digest, {what} / plain PUT", ratios, goal, detail)


def memory(folder: Path, scale: Scale) -> None:
    """Watch the node's resident memory while a large file is uploaded."""
    size = int(scale.gigabytes * 1e9)
    source = folder / "source"
    _make(source, size)
    with _served(folder / "node") as (url, pid, session):
        small = folder / "small"
        _make(small, 1_000_000)
        _send(session, _begun(session, url, small, "warm"), small)
        place = _begun(session, url, source, "large")
        watched = psutil.Process(pid)
        before = watched.memory_info().rss / measure.MEGABYTE
        watcher = measure._Watcher(pid)
        _send(session, place, source)
        peak = max(watcher.stop().values())
    what = f"resident memory of the node, upload of {size / 1e9:g} GB, growth"
    measure.show(what, [peak - before], "<= 50", f"{before:.0f} MB before, {peak:.0f} MB at most", unit="MB")


def _timed(work: Callable[[], None]) -> float:
    """Return how many seconds it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _served(data: Path) -> Iterator[tuple[str, int, requests.Session]]:
    data.mkdir(parents=True)
    database = Database(Config(data).database_url)
    database.migrate()
    token = admin.create_token(database, ("depositor",), name="pc")
    database.close()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data)], stdout=subprocess.PIPE, text=True, cwd=measure.REPOSITORY
    )
    try:
        port = int(server.stdout.readline())
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        yield f"http://127.0.0.1:{port}/api/v1", server.pid, session
    finally:
        server.terminate()
        server.wait()


def _make(path: Path, size: int) -> None:
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        for at in range(0, size, len(block)):
            file.write(block[: size - at])


def _begun(session: requests.Session, url: str, source: Path, key: str, *, stamp: int | None = None) -> str:
    """Return the address of an upload of the file that was just begun; ``stamp`` makes its bytes others than before."""
    with source.open("r+b") as file:
        if stamp is not None:
            file.write(stamp.to_bytes(8, "big"))
            file.seek(0)
        digest, size = hashlib.file_digest(file, "sha256"), source.stat().st_size
    sent = parcels.item(key, {}) | {"assets": [parcels.asset("a.dat", b"", dataSize=size)]}
    sent["assets"][0]["dataChecksum"]["value"] = digest.hexdigest()
    ingest = session.post(f"{url}/ingests", json={"items": [sent]}).json()
    named = f"ingest {parcels.base64_of(ingest['id'])},sha256 {parcels.base64_of(digest.hexdigest())}"
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": named}
    return session.post(f"{url}/uploads", headers=headers).headers["Location"]


def _send(session: requests.Session, place: str, source: Path, *, proved: bool = False) -> None:
    """Upload a file as ``nffa sync`` does; ``proved``: with a checksum of each chunk."""
    connection = Connection(place, authorise=lambda fresh: session.headers["Authorization"])
    asset = AssetFile(
        "main", source.name, source.name, source, None, source.stat().st_size, "", "application/octet-stream", "raw"
    )
    with sources.opened(asset) as opened:
        tus.send(connection, opened, tus.Upload("uploads", {}, place, checksum=proved), lambda where: None)
    connection.close()


def _plain(session: requests.Session, url: str, source: Path) -> None:
    """Put a file plainly, streamed."""
    with source.open("rb") as file:
        assert session.put(f"{url}/uploads/plain", data=file).status_code == 200
