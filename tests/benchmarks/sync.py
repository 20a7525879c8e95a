"""Records a second of ``nffa sync`` to a node, against the same deliveries one by one with a requests session.

One by one is a POST for each record, a PUT for each of its contents and a POST that commits, over one connection that is kept:
the least that delivers the same. Beside it the lightest of all floors: one POST of metadata alone for each record.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks import measure
from tests.benchmarks.scale import Scale
from tests.e2e.room import zeiss
from tests.soak_sync import Bench, Node

SESSION = "proposal: {id: '161'}\nexperiment: {name: E}\n"


def benchmark(folder: Path, scale: Scale) -> None:
    """Deliver small pictures, managed and linked, in turn with the floors."""
    number = max(8, scale.small // 2)
    bench = Bench(folder)
    (bench.inbox / "nffa-session.yaml").write_text(SESSION, encoding="utf-8")
    for each in range(number):
        (bench.inbox / f"{each:05d}.tif").write_bytes(zeiss(seed=each, side=32))
    ingested = bench.nffa("ingest", bench.inbox, "--settle", 0, "--json")
    assert ingested.returncode == 0, ingested.stderr
    shutil.copytree(bench.home, folder / "clean")
    node = Node(folder)
    node.start()
    try:
        token = node.token("depositor")
        bench.env["NFFA_TOKEN"] = token
        rounds = max(1, scale.rounds // 3)
        single = [_one_by_one(node, token, bench, folder, number, each) for each in range(rounds)]
        bare = [_bare(node, token, number, each) for each in range(rounds)]
        for name, options in (("managed", ()), ("linked", ("--link",))):
            ours = [_sync(node, bench, folder, each, options, number) for each in range(rounds)]
            detail = (
                f"{number / ours[0]:.0f} records/s; one by one {number / single[0]:.0f}, bare {number / bare[0]:.0f}"
            )
            measure.show(f"sync / one by one, records/s ({name})",
                         [b / a for a, b in zip(ours, single, strict=True)], ">= 15", detail)  # fmt: skip
            measure.show(f"sync / one POST of metadata each ({name})",
                         [b / a for a, b in zip(ours, bare, strict=True)], "", detail)  # fmt: skip
    finally:
        node.stop()


def _fresh(bench: Bench, folder: Path) -> None:
    shutil.rmtree(bench.home)
    shutil.copytree(folder / "clean", bench.home)


def _sync(node: Node, bench: Bench, folder: Path, each: int, options: tuple[str, ...], number: int) -> float:
    _fresh(bench, folder)
    session = SESSION.replace("E}", f"sync {each} {len(options)}}}")
    (bench.inbox / "nffa-session.yaml").write_text(session, encoding="utf-8")
    began = time.perf_counter()
    run = bench.nffa("sync", "--to", node.url, *options)
    wall = time.perf_counter() - began
    assert f"{number} done" in run.stdout, run.stdout + run.stderr
    return wall


def _timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _session(token: str) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def _said(response: requests.Response) -> Any:
    response.raise_for_status()
    return response.json()


def _one_by_one(node: Node, token: str, bench: Bench, folder: Path, number: int, each: int) -> float:
    """Send what sync sends, made beforehand, one record after the other."""
    from nffa_cli.destinations.ingesting import Item
    from tests.benchmarks.bundles import bundles

    _fresh(bench, folder)
    made = bundles(bench.home, f"one by one {each}")
    assert len(made) == number
    base = f"{node.url}/api/v1"

    def all_of_them() -> None:
        with _session(token) as session:
            for delivery in made:
                body = b'{"items":[' + Item(delivery, None).written("0") + b"]}"
                headers = {"Content-Type": "application/json", "Idempotency-Key": delivery.bundle.key + str(each)}
                opened = _said(session.post(f"{base}/ingests", data=body, headers=headers))
                needed = {content["sha256"] for content in opened["need"]}
                for asset in delivery.bundle.assets:
                    if asset.sha256 in needed:
                        data = asset.content if asset.content is not None else asset.path.read_bytes()
                        session.put(
                            f"{base}/ingests/{opened['id']}/content/{asset.sha256}", data=data
                        ).raise_for_status()
                _said(session.post(f"{base}/ingests/{opened['id']}:commit"))

    return _timed(all_of_them)


def _bare(node: Node, token: str, number: int, each: int) -> float:
    """Register records without files: a POST of a measurement each, in an experiment that is there."""
    base = f"{node.url}/api/v1"
    manager = node.token("admin")
    with _session(manager) as session:
        proposal = _said(session.post(f"{base}/proposals", json={"proposalId": f"bare {each}", "proposalTitle": "T"}))
        experiment = _said(
            session.post(f"{base}/experiments", json={"experimentName": "E", "proposalId": proposal["id"]})
        )

        def all_of_them() -> None:
            for count in range(number):
                said = {"measurementName": f"{count}.tif", "experimentId": experiment["id"], "kind": "measurement",
                        "technique": "SEM", "externalIds": [{"scheme": "nffa", "value": f"bare {each} {count}"}]}  # fmt: skip
                _said(session.post(f"{base}/measurements", json=said))

        return _timed(all_of_them)
