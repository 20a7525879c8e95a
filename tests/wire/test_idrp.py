"""The client of an IDRP node against the real node: delivered once, through faults, conflicts and changing files."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import struct
from dataclasses import replace

import pytest

from nffa_cli import vectors
from nffa_cli.destinations import contents, ingesting, manifests, tus
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery, Receipt
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.idrp import Idrp, base
from nffa_cli.destinations.patience import Patience
from nffa_cli.errors import Refused, Unreachable
from nffa_cli.node import tables
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.faults.proxy import PASSING, Proxy, seeded

QUICK = Patience(connect=2, stall=3, slowest=100_000, budget=20, first=0.01, cap=0.1)


class Journal(dict):
    """A journal in memory that remembers what it was told."""

    def __init__(self):
        self.told = []

    def note(self, sha256, token):
        self[sha256] = token
        self.told.append(sha256)

    def forget(self, sha256):
        self.pop(sha256, None)


@pytest.fixture
def node(tmp_path):
    """A real node on SQLite."""
    with serving(Config(tmp_path / "node", None)) as running:
        yield running


@pytest.fixture
def token(node):
    """A depositor's token, always of the same person."""
    return node.token("depositor")


def client(url, token, patience=QUICK):
    header = f"Bearer {token}" if token else None
    return Idrp("node", Connection(base(url), authorise=lambda fresh: header, patience=patience))


def asset(data, name="a.tif", *, path=None, role="main", **fields):
    digest = hashlib.sha256(data).hexdigest()
    kind = {"main": "raw", "sidecar": "raw", "preview": "preview"}[role]
    content = data if path is None else None
    if path is not None:
        path.write_bytes(data)
    return AssetFile(
        role, name, name, path, content, len(data), digest, "image/tiff", kind, {"accessMode": "managed", **fields}
    )


def bundle(*assets, n=0, proposal="P1", **measurement):
    key = f"sha256:{n:064x}"
    said = {"measurementName": f"m{n}", "externalIds": [{"scheme": "nffa", "value": key}], **measurement}
    where = {"proposalId": proposal, "proposalTitle": proposal}, {"experimentName": "E"}
    text = json.dumps([where, said, [(each.relative_path, each.sha256) for each in assets]])
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Bundle(key, f"id{n}", f"data/m{n}.tif", *where, said, {"nffa-record": {"n": n}}, assets, digest)


def deliver(destination, *bundles, known=None, journal=None):
    deliveries = [Delivery(each, (known or {}).get(each.key)) for each in bundles]
    return list(destination.deliver(deliveries, Journal() if journal is None else journal))


def held(node, role="admin"):
    found = node.as_(role).get("/measurements", params={"limit": 200}).json()["items"]
    return {each["measurementName"]: each for each in found}


def content(node, destination, receipt, tmp_path):
    out = {}
    for each in destination._assets(receipt.measurement):
        out[each["relativePath"]] = destination.fetch(each, tmp_path / f"got-{each['id']}").read_bytes()
    return out


def test_delivered_once_and_again_is_unchanged(node, token, tmp_path):
    destination = client(node.url, token)
    big, mid = random.Random(1).randbytes((17 << 20) + 5), random.Random(2).randbytes((2 << 20) + 1)
    bundles = [
        bundle(asset(big, path=tmp_path / "big"), asset(b"side", "s.txt", role="sidecar"), n=1),
        bundle(asset(mid, path=tmp_path / "mid"), asset(b"", "empty.txt", role="sidecar"), n=2),
        bundle(asset(b"l" * 50, uri="file:///x/a.tif", accessMode="linked"), n=3),
    ]  # fmt: skip
    journal = Journal()
    first = deliver(destination, *bundles, journal=journal)
    assert [result.status for result in first] == ["done"] * 3
    assert journal == {}
    assert len(journal.told) == 1
    got = content(node, destination, first[0].receipt, tmp_path)
    assert got == {"a.tif": big, "s.txt": b"side"}
    assert content(node, destination, first[1].receipt, tmp_path) == {"a.tif": mid, "empty.txt": b""}
    known = {result.delivery.bundle.key: result.receipt for result in first}
    assert {result.status for result in deliver(destination, *bundles, known=known)} == {"unchanged"}
    again = deliver(destination, *bundles)
    assert [result.receipt.measurement for result in again] == [result.receipt.measurement for result in first]
    assert [result.receipt for result in again] == [result.receipt for result in first]
    assert len(held(node)) == 3
    assert {plan.action for plan in destination.plan([Delivery(each, known[each.key]) for each in bundles])} == {
        "unchanged"
    }
    proofs = dict(destination.verify(list(known.items())))
    assert [proofs[each.key].proof for each in bundles] == ["digest", "digest", "unknown"]


def test_a_change_updates_by_receipt_and_without_one_by_asking_who_wrote_it(node, token):
    destination = client(node.url, token)
    (first,) = deliver(destination, bundle(asset(b"one"), n=1))
    changed = bundle(asset(b"one"), asset(b"p", "p.jpg", role="preview"), n=1, measurementDescription="more")
    (second,) = deliver(destination, changed, known={changed.key: first.receipt})
    assert (second.status, second.receipt.measurement) == ("done", first.receipt.measurement)
    assert int(second.receipt.version) > int(first.receipt.version)
    other = bundle(asset(b"one"), n=1, measurementDescription="less")
    (third,) = deliver(destination, other, known={changed.key: first.receipt})  # a receipt that is old
    assert third.status == "done"
    (fourth,) = deliver(destination, changed)  # and none at all
    assert fourth.status == "done"
    assert len(held(node)) == 1
    (plan,) = destination.plan([Delivery(other, fourth.receipt)])
    assert (plan.action, plan.bytes) == ("update", 0)
    manager = node.as_("admin")
    there = held(node)["m1"]
    answer = manager.patch(
        f"/measurements/{there['id']}", json={"measurementDescription": "mended by hand"},
        headers={"If-Match": f'"{there["version"]}"', "Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    (fifth,) = deliver(destination, other, known={changed.key: fourth.receipt})
    assert (fifth.status, fifth.receipt) == ("conflict", None)
    assert held(node)["m1"]["measurementDescription"] == "mended by hand"
    asked = replace(fourth.receipt, version="", digest="")  # a person decided: what is here holds
    (sixth,) = deliver(destination, other, known={changed.key: asked})
    assert (sixth.status, sixth.receipt.measurement) == ("done", first.receipt.measurement)
    assert held(node)["m1"]["measurementDescription"] == "less"
    manager.patch(
        f"/measurements/{there['id']}", json={"measurementDescription": "by hand again"},
        headers={"If-Match": f'"{sixth.receipt.version}"', "Content-Type": "application/merge-patch+json"},
    )  # fmt: skip
    (seventh,) = deliver(destination, other)
    assert seventh.status == "conflict"
    (eighth,) = deliver(destination, other, known={changed.key: Receipt("", "", "", "", ())})
    assert (eighth.status, eighth.receipt.measurement) == ("done", first.receipt.measurement)
    assert len(held(node)) == 1


def test_another_title_of_the_proposal_arrives_though_the_measurements_are_unchanged(node, token):
    destination = client(node.url, token)
    first, second = (bundle(asset(bytes([n])), n=n) for n in (1, 2))
    deliver(destination, first, second)
    titled = [
        replace(each, proposal={**each.proposal, "proposalTitle": "Films"}, digest="x") for each in (first, second)
    ]
    broken = Proxy(node.url, lambda request: "500" if request.path.endswith(":commit") else None)
    with broken as proxy, pytest.raises(Unreachable):  # nothing counts as delivered before it is there
        deliver(client(proxy.url, token, replace(QUICK, budget=0.3)), *titled)
    results = deliver(destination, *titled, bundle(asset(b"3"), n=3))
    assert [result.status for result in results] == ["unchanged", "unchanged", "done"]
    (found,) = node.as_("admin").get("/proposals").json()["items"]
    assert found["proposalTitle"] == "P1"  # the last of them says so
    results = deliver(destination, *titled)
    assert [result.status for result in results] == ["unchanged", "unchanged"]
    assert {each["version"] for each in held(node).values()} == {1}
    (found,) = node.as_("admin").get("/proposals").json()["items"]
    assert found["proposalTitle"] == "Films"


@pytest.mark.parametrize("seed", range(4))
def test_faults_on_the_way_lose_and_double_nothing(node, token, tmp_path, seed, monkeypatch):
    monkeypatch.setattr(contents, "SINGLE", 300_000)
    monkeypatch.setattr(contents, "SMALL", 50_000)
    monkeypatch.setattr(ingesting, "ITEMS", 4)
    monkeypatch.setattr(tus, "CHUNK", 100_000)
    chance = random.Random(seed)
    bundles = [
        bundle(*(asset(chance.randbytes(size), f"{size}.bin") for size in (10, 1000, 60_000, 400_000)), n=n)
        for n in range(10)
    ]  # fmt: skip
    results = {}
    faults = tuple(fault for fault in PASSING if fault != "429")
    with Proxy(node.url, seeded(seed, 0.25, faults), crawl=0) as proxy:
        for result in deliver(client(proxy.url, token), *bundles):
            results[result.delivery.bundle.key] = result
    assert {result.status for result in results.values()} <= {"done", "unchanged"}
    assert len(results) == len(held(node)) == 10
    assert sum(proxy.seen.faults.values()) >= 5
    destination = client(node.url, token)
    proofs = [each.proof for _, each in destination.verify([(key, each.receipt) for key, each in results.items()])]
    assert proofs == ["digest"] * 10


def test_a_bad_acquisition_stops_no_other(node, token, tmp_path):
    destination = client(node.url, token)
    gone, grown = tmp_path / "gone", tmp_path / "grown"
    bundles = [
        bundle(asset(b"gone", path=gone), n=1), bundle(asset(b"g" * 99, path=grown), n=2), bundle(asset(b"good"), n=3),
        bundle(asset(b"good"), asset(b"x", "../../evil"), n=4), bundle(asset(b"good"), n=5, technique=7),
    ]  # fmt: skip
    gone.unlink()
    grown.write_bytes(b"h" * 99)
    found = {result.delivery.bundle.key[-1]: result for result in deliver(destination, *bundles)}
    assert {key: result.status for key, result in found.items()} == {
        "1": "failed", "2": "failed", "3": "done", "4": "refused", "5": "refused",
    }  # fmt: skip
    assert "cannot be read" in found["1"].reason
    assert "not those that were recorded" in found["2"].reason
    assert "relativePath" in found["4"].reason
    assert set(held(node)) == {"m3"}


def test_no_token_and_a_wrong_one_are_refused_with_what_to_type(node):
    for wrong in (None, "nffa_0_wrong"):
        with pytest.raises(Refused) as error:
            deliver(client(node.url, wrong), bundle(asset(b"x"), n=1))
        assert error.value.exit_status == 5
        assert error.value.hint.startswith("nffa login")
    with pytest.raises(Unreachable):
        Idrp("n", Connection("http://127.0.0.1:9/api/v1", patience=Patience(budget=0.1))).whoami()


def test_many_go_in_batches_and_come_back_by_search(node, token):
    destination = client(node.url, token)
    bundles = [bundle(asset(f"data {n}".encode()), n=n, sample={"sampleName": "Wafer12"}) for n in range(600)]
    with Proxy(node.url) as proxy:
        results = deliver(client(proxy.url, token), *bundles)
        assert len(proxy.seen.heads) <= 8
    assert {result.status for result in results} == {"done"}
    assert destination.whoami()["roles"] == ["depositor"]
    assert destination.measurement(results[7].receipt.measurement)["assets"][0]["relativePath"] == "a.tif"
    assert destination.measurement("00000000-0000-7000-8000-000000000000") is None


def test_a_download_goes_on_where_it_broke(node, token, tmp_path):
    data = random.Random(3).randbytes(5 << 20)
    (result,) = deliver(client(node.url, token), bundle(asset(data), n=1))
    faults = iter(["truncate", "truncate", "500", "truncate"])
    with Proxy(node.url, lambda request: next(faults, None) if "content" in request.path else None) as proxy:
        destination = client(proxy.url, token)
        (one,) = destination._assets(result.receipt.measurement)
        assert destination.fetch(one, tmp_path / "back.tif").read_bytes() == data
        ranges = [head.headers["range"] for head in proxy.seen.heads if "range" in head.headers]
        assert len(ranges) == 4
        assert len(set(ranges)) == 3
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["back.tif"]


def unit(*numbers):
    """An embedding of 16 numbers that points where these say, as it travels."""
    whole = [*numbers, *[0.0] * (16 - len(numbers))]
    length = math.hypot(*whole)
    return vectors.written("a" * 64, struct.pack("<16e", *(each / length for each in whole)))


def kept(node):
    with node.database.read() as connection:
        rows = connection.execute(tables.measurement_embedding.select().order_by(tables.measurement_embedding.c.seq))
        return [
            (row.seq, row.model, vectors.of({"model": row.model, "values": base64.b64encode(row.vector)})[1])
            for row in rows
        ]


def test_what_a_model_saw_goes_along_and_is_replaced_with_it(node, token):
    destination = client(node.url, token)
    first = replace(bundle(asset(b"one"), n=1), embedding=unit(1, 2))
    (done,) = deliver(destination, first)
    assert (done.status, len(kept(node))) == ("done", 1)
    (again,) = deliver(destination, first, known={first.key: done.receipt})
    assert again.status == "unchanged"
    other = replace(first, embedding=unit(2, 1), digest="f" * 64)
    (changed,) = deliver(destination, other, known={first.key: done.receipt})
    assert changed.status == "done"
    ((seq, model, vector),) = kept(node)
    assert (seq, model, vector) == (2, *vectors.of(other.embedding))
    (gone,) = deliver(destination, bundle(asset(b"one"), n=1), known={first.key: changed.receipt})
    assert (gone.status, kept(node)) == ("done", [])


def test_a_node_that_knows_no_embeddings_gets_the_rest(node, token, monkeypatch):
    # under a name that this node does not know, as all are to an older one
    monkeypatch.setattr(manifests, "EMBEDDING", "embedding-")
    destination = client(node.url, token)
    bundles = [replace(bundle(asset(b"%d" % n), n=n), embedding=unit(1, n) if n else None) for n in range(3)]
    assert [each.status for each in deliver(destination, *bundles)] == ["done"] * 3
    assert (len(held(node)), kept(node)) == (3, [])


def test_what_is_too_much_for_one_manifest_is_sent_in_parts(node, token):
    destination = client(node.url, token)
    work = ingesting.Work(destination.connection, Journal(), lambda: None, limit=2_000)
    results = list(work.deliver(Delivery(bundle(asset(bytes([n])), n=n)) for n in range(9)))
    assert {(result.delivery.bundle.key, result.status) for result in results} == {
        (f"sha256:{n:064x}", "done") for n in range(9)
    }
    assert held(node).keys() == {f"m{n}" for n in range(9)}
    ingests = node.database.engine.connect().execute(tables.ingest.select()).all()
    assert 3 < len(ingests) <= 9
