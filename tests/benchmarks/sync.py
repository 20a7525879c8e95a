"""Records a second of ``nffa sync`` to a node, against the same deliveries one by one with a requests session.

One by one is a POST for each record, a PUT for each content that the node lacks and a POST that commits, over one connection
that is kept, of what was read and made beforehand: the least that delivers the same. Beside it the lightest of all floors,
which delivers less: one POST of a measurement's name for each record. Of sync all counts, the start of its process too.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks import measure
from tests.benchmarks.scale import Scale
from tests.e2e.room import zeiss
from tests.soak_sync import Bench, Node

PROPOSAL, EXPERIMENT = "161", "Growth"
KINDS: dict[str, tuple[str, ...]] = {"managed": (), "linked": ("--link",)}


def benchmark(folder: Path, scale: Scale) -> None:
    """Deliver small pictures, managed and linked, each in turn with the floors."""
    bench = Bench(folder)
    (bench.inbox / "nffa-session.yaml").unlink()  # no session: the command line says proposal and experiment
    for each in range(scale.small):
        (bench.inbox / f"{each:05d}.tif").write_bytes(zeiss(seed=each, side=32))
    ingested = bench.nffa("ingest", bench.inbox, "--settle", 0, "--json")
    assert ingested.returncode == 0, ingested.stderr
    shutil.copytree(bench.home, folder / "clean")
    few = max(8, scale.small // 5)  # the floors cost the same each, however many
    for kind, options in KINDS.items():
        rates = []
        for _ in range(max(1, scale.rounds // 2)):
            with empty_node(folder) as node:
                single = few / one_by_one(node, bench, few, link=bool(options))
            with empty_node(folder) as node:
                ours = scale.small / sync(node, bench, scale.small, options)
            with empty_node(folder) as node:
                rates.append((ours, single, few / bare(node, few)))
        detail = "; ".join("{:.0f}, {:.0f} and {:.0f} records/s".format(*each) for each in rates)
        measure.show(
            f"sync / the same one by one ({kind})", [ours / single for ours, single, _ in rates], ">= 15", detail
        )
        measure.show(f"sync / one POST of metadata each ({kind})", [ours / post for ours, _, post in rates], "")


@contextmanager
def empty_node(folder: Path) -> Iterator[Node]:
    """Serve a node that holds nothing yet: bytes that it has are not sent again.

    It has a folder of its own: where thousands of files were just removed, file systems make new ones many times slower.
    """
    node = Node(Path(tempfile.mkdtemp(dir=folder)))
    node.start()
    try:
        yield node
    finally:
        node.stop()


def fresh(bench: Bench) -> None:
    """Forget every delivery."""
    shutil.rmtree(bench.home)
    shutil.copytree(bench.home.with_name("clean"), bench.home)


def sync(node: Node, bench: Bench, number: int, options: Iterable[str]) -> float:
    """Run ``nffa sync`` and return its seconds from start to end."""
    fresh(bench)
    bench.env["NFFA_TOKEN"] = node.token("depositor")
    said = ("--proposal", PROPOSAL, "--experiment", EXPERIMENT, *options)
    began = time.perf_counter()
    run = bench.nffa("sync", "--to", node.url, *said)
    wall = time.perf_counter() - began
    assert f"{number} done" in run.stdout, run.stdout + run.stderr
    return wall


def one_by_one(node: Node, bench: Bench, number: int, *, link: bool) -> float:
    """Send what sync sends, one record after the other, and return the seconds."""
    from nffa_cli.destinations.manifests import Item
    from tests.benchmarks.bundles import bundles

    fresh(bench)
    made = bundles(bench.home, number, proposal=PROPOSAL, experiment=EXPERIMENT, link=link)
    assert len(made) == number
    base, token = f"{node.url}/api/v1", node.token("depositor")

    def all_of_them() -> None:
        with _session(token) as session:
            for delivery in made:
                body = b'{"items":[' + Item(delivery, None).written("0") + b"]}"
                headers = {"Content-Type": "application/json", "Idempotency-Key": delivery.bundle.key}
                opened = _said(session.post(f"{base}/ingests", data=body, headers=headers))
                needed = {content["sha256"] for content in opened["need"]}
                for asset in delivery.bundle.assets:
                    if asset.sha256 in needed:
                        data = asset.content if asset.path is None else asset.path.read_bytes()
                        where = f"{base}/ingests/{opened['id']}/content/{asset.sha256}"
                        session.put(where, data=data).raise_for_status()
                _said(session.post(f"{base}/ingests/{opened['id']}:commit"))

    return _timed(all_of_them)


def bare(node: Node, number: int) -> float:
    """Register records without files, a POST of a measurement each in an experiment that is there; return the seconds."""
    base = f"{node.url}/api/v1"
    with _session(node.token("admin")) as session:
        proposal = _said(session.post(f"{base}/proposals", json={"proposalId": PROPOSAL, "proposalTitle": "T"}))
        said = {"experimentName": EXPERIMENT, "proposalId": proposal["id"]}
        experiment = _said(session.post(f"{base}/experiments", json=said))

        def all_of_them() -> None:
            for count in range(number):
                said = {"measurementName": f"{count}.tif", "experimentId": experiment["id"], "kind": "measurement",
                        "technique": "SEM", "externalIds": [{"scheme": "nffa", "value": str(count)}]}  # fmt: skip
                _said(session.post(f"{base}/measurements", json=said))

        return _timed(all_of_them)


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
