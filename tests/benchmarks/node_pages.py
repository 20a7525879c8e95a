"""How fast a node makes pages over 150,000 measurements: the whole page in the server, from session to HTML, and similar images.

The node is that of ``node_search``, each measurement with a preview and an embedding. Asked are the first page, searches, the
page of a measurement; by nobody, a reader who is a member, and a data manager. 95th percentile in milliseconds of processor
time, which on a shared machine is steadier than a clock; beside it the clock, and the ratio to the same page of an empty node.
"""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request

from nffa_cli.node import moments, similar, tables
from nffa_cli.node.app import create_app
from nffa_cli.node.callers import Caller
from nffa_cli.node.config import Config
from nffa_cli.node.database import Database
from nffa_cli.node.pages import routes_browse, routes_measurement
from nffa_cli.node.pages.sessions import Viewer
from tests.benchmarks.measure import show
from tests.benchmarks.node_search import BATCH, CALLERS, fill, percentile
from tests.benchmarks.scale import Scale

VIEWERS = {
    "nobody": Viewer(),
    "a reader": Viewer(CALLERS["a member"], "Reader", "s" * 43),
    "a manager": Viewer(CALLERS["a data manager"], "Manager", "s" * 43),
}
SEARCHES = {
    "the first page": ["/", "/?view=table"],
    "newest taken": ["/?sort=started", "/?sort=started&technique=TEM"],
    "voltage and category": ["/?kvMin=10&kvMax=20&category=Films", "/?kvMin=100&category=Tips"],
    "a word and a filter": ["/?q=run&technique=SEM", "/?q=graphene&category=Films", "/?q=lacey&instrument=Tecnai+F20"],
    "days": ["/?from=2025-01-01&to=2025-12-31", "/?from=2012-03-01&to=2012-03-31&sort=started"],
}
WIDTH, KINDS = 256, 40
"""Numbers of an embedding, and places in their space around which pictures lie."""


def embed(database: Database, records: int) -> None:
    """Give each measurement a preview, a main file and an embedding; what is of one kind is alike."""
    import numpy as np

    chance = np.random.default_rng(1)
    centres = chance.normal(size=(KINDS, WIDTH))
    kept = {
        "version": 1,
        "created_at": "",
        "updated_at": "",
        "data": {"mediaType": "image/jpeg", "dataAssetName": "a.jpg"},
    }
    with database.write() as connection:
        for start in range(0, records, BATCH):
            ids = [f"m{number:08d}" for number in range(start, min(start + BATCH, records))]
            found = centres[chance.integers(0, KINDS, len(ids))] + 0.8 * chance.normal(size=(len(ids), WIDTH))
            found = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype("<f2")
            connection.execute(tables.measurement_embedding.insert(), [
                {"measurement": id_, "model": "a" * 64, "vector": vector.tobytes()}
                for id_, vector in zip(ids, found, strict=True)
            ])  # fmt: skip
            connection.execute(tables.asset.insert(), [
                {**kept, "id": f"{role}-{id_}", "measurement": id_, "relative_path": role, "role": role,
                 "sha256": "0" * 64, "size": 1, "state": "available"}
                for id_ in ids for role in ("main", "preview")
            ])  # fmt: skip


def asked(app: FastAPI, address: str) -> Request:
    """Return the request of a browser for an address."""
    parts = urlsplit(address)
    scope: dict[str, Any] = {
        "type": "http", "app": app, "method": "GET", "path": parts.path, "query_string": parts.query.encode(),
        "headers": [], "scheme": "http", "server": ("node", 80), "root_path": "",
    }  # fmt: skip
    return Request(scope)


def page(app: FastAPI, viewer: Viewer, address: str) -> tuple[float, float]:
    """Make a page, and return its milliseconds by processor and by clock."""
    request, state = asked(app, address), app.state
    begun, clock = time.process_time(), time.perf_counter()
    if address.startswith("/measurements/"):
        id_ = address.rpartition("/")[2]
        answer = routes_measurement.measurement(id_, request, viewer, state.database, state.storage, state.similar)
    else:
        answer = routes_browse.find(request, viewer, state.database)
    assert answer.status_code == 200
    return (time.process_time() - begun) * 1e3, (time.perf_counter() - clock) * 1e3


def near(app: FastAPI, caller: Caller, id_: str) -> tuple[float, float]:
    """Find what is similar, and return its milliseconds by processor and by clock."""
    begun, clock = time.process_time(), time.perf_counter()
    with app.state.database.read() as connection:
        app.state.similar.to(connection, caller, id_, now=moments.now(), limit=12)
    return (time.process_time() - begun) * 1e3, (time.perf_counter() - clock) * 1e3


def benchmark(folder: Path, scale: Scale) -> None:
    """Fill a node, look at it, print."""
    empty, app = (create_app(Config(folder / name)) for name in ("empty", "full"))
    database = app.state.database
    fill(database, scale.records)
    embed(database, scale.records)
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    chance, times = random.Random(3), 4 * scale.rounds
    newest = f"/measurements/m{int(0.55 * scale.records):08d}"
    everything: list[float] = []
    for address in ("/", "/?view=table", newest):  # templates are made ready once
        page(app, VIEWERS["a manager"], address)
    for kind, addresses in (SEARCHES | {"a measurement": [newest]}).items():
        floor = statistics.median(page(empty, VIEWERS["nobody"], "/")[0] for _ in range(10))
        took = {
            name: [page(app, viewer, address) for address in addresses for _ in range(times)]
            for name, viewer in VIEWERS.items()
        }
        worst = max(took, key=lambda name: percentile([cpu for cpu, _ in took[name]]))
        found = percentile([cpu for cpu, _ in took[worst]])
        everything += [cpu for some in took.values() for cpu, _ in some]
        told = ", ".join(
            f"{name} {statistics.median(cpu for cpu, _ in some):.0f} (clock at best {min(clock for _, clock in some):.0f})"
            for name, some in took.items()
        )
        detail = f"{found / floor:.0f} x an empty page; medians: {told}"
        show(f"page of a node, {kind}, 95th percentile, {worst}", [found], "<= 150", detail, unit="ms")
    show("page of a node, all of these, 95th percentile", [percentile(everything)], "<= 150", unit="ms")
    first = near(app, VIEWERS["a manager"].caller, "m00000007")
    held = [each.vectors.nbytes for each in similar_of(app)._held.values()]
    show("similar images, the first time, which reads all", [first[0]], "", f"{sum(held) / 1e6:.0f} MB held", unit="ms")
    for name, viewer in VIEWERS.items():
        places = [f"m{chance.randrange(int(0.6 * scale.records)):08d}" for _ in range(times)]
        some = [near(app, viewer.caller, place) for place in places]
        detail = f"clock at best {min(clock for _, clock in some):.0f}"
        show(
            f"similar images, 95th percentile, {name}",
            [percentile([cpu for cpu, _ in some])],
            "<= 100",
            detail,
            unit="ms",
        )
    for each in (empty, app):
        each.state.storage.close()
        each.state.database.close()


def similar_of(app: FastAPI) -> similar.Similar:
    """Return what holds the embeddings of a node."""
    found: similar.Similar = app.state.similar
    return found
