"""What a bad line costs: an upload cut at random offsets, against the real node; every endpoint under every fault."""

from __future__ import annotations

import os
import random
import re
from dataclasses import replace

import pytest

from nffa_cli.destinations import contents, tus
from nffa_cli.destinations.base import Delivery
from nffa_cli.errors import Refused, Unreachable
from nffa_cli.node import tables, uploads
from nffa_cli.node.config import Config
from tests.contract.node.conftest import serving
from tests.faults.proxy import Proxy
from tests.wire.test_idrp import QUICK, Journal, asset, bundle, client, deliver, held

SIZE = int(os.environ.get("NFFA_CUT_MB", "24")) << 20
"""The figure that counts is of 200 MB: NFFA_CUT_MB=200."""


@pytest.fixture
def node(tmp_path):
    """A real node on SQLite."""
    with serving(Config(tmp_path / "node", None)) as running:
        yield running


def test_ten_cuts_cost_a_chunk_each_at_most(node, tmp_path, monkeypatch):
    chunk = min(tus.CHUNK, SIZE // 24)
    monkeypatch.setattr(tus, "CHUNK", chunk)
    chance = random.Random(SIZE)
    cuts = sorted(chance.sample(range(SIZE), 10))
    data = chance.randbytes(SIZE)
    made = asset(data, path=tmp_path / "large.emd")
    with Proxy(node.url, cuts=cuts) as proxy:
        (result,) = deliver(client(proxy.url, node.token("depositor")), bundle(made, n=1))
        again = proxy.seen.sent - SIZE
        assert proxy.seen.faults["cut"] == 10
    assert result.status == "done"
    assert again <= 10 * chunk + 100_000
    destination = client(node.url, node.token("admin"))
    (one,) = destination._assets(result.receipt.measurement)
    assert destination.fetch(one, tmp_path / "back").read_bytes() == data
    print(f"{SIZE >> 20} MB, 10 cuts, chunk {chunk >> 10} KiB: {again / chunk:.1f} chunks sent again")


@pytest.mark.parametrize("there", ["waits", "is complete", "was given up"])
def test_an_upload_goes_on_by_our_own_journal_where_the_node_hands_none_back(node, tmp_path, monkeypatch, there):
    """A node need not find an upload again that waits for the same bytes: where it lies stands in the journal."""
    monkeypatch.setattr(contents, "SMALL", 1_000)
    monkeypatch.setattr(contents, "SINGLE", 5_000)
    monkeypatch.setattr(tus, "CHUNK", 100_000)
    opened = uploads.opened

    def forgetful(connection, owner, wanted):
        connection.execute(tables.upload.update().values(sha256="0" * 64))  # as a node that looks for none
        return opened(connection, owner, wanted)

    monkeypatch.setattr(uploads, "opened", forgetful)
    data, journal, token = random.Random(1).randbytes(1_000_000), Journal(), node.token("depositor")
    made = bundle(asset(data, path=tmp_path / "large.emd"), n=1)
    quick = replace(QUICK, budget=0.2)
    chunks = []

    def sixth(request):
        chunks.extend([1] * (request.method == "PATCH"))
        return "refuse" if len(chunks) > 5 else None

    with Proxy(node.url, sixth) as proxy, pytest.raises(Unreachable):
        deliver(client(proxy.url, token, quick), made, journal=journal)
    (place,) = journal.values()
    place = place.replace(proxy.url, node.url)
    with node.database.write() as connection:
        connection.execute(tables.upload.update().values(sha256=made.assets[0].sha256))
    one = client(node.url, token).connection
    if there == "is complete":
        head = {"Tus-Resumable": "1.0.0", "Upload-Offset": "500000", "Content-Type": "application/offset+octet-stream"}
        one.send("PATCH", place, body=data[500_000:], headers=head, again=False)
    elif there == "was given up":
        one.send("DELETE", place, headers={"Tus-Resumable": "1.0.0"})
    with Proxy(node.url) as proxy:
        delivery = Delivery(made, None, {made.assets[0].sha256: place.replace(node.url, proxy.url)})
        (result,) = client(proxy.url, token).deliver([delivery], journal)
    assert result.status == "done"
    assert len(journal) == 0
    needed = {"waits": 500_000, "is complete": 0, "was given up": 1_000_000}[there]
    assert needed <= proxy.seen.sent < needed + 20_000


ENDPOINTS = {
    "open": ("POST", r".*/ingests"), "pack": ("POST", r".*/pack"), "single": ("PUT", r".*/content/.*"),
    "create": ("POST", r".*/uploads"), "chunk": ("PATCH", r".*/uploads/.*"), "commit": ("POST", r".*:commit"),
    "assets": ("GET", r".*/dataassets\?.*"), "bytes": ("GET", r".*/content"),
}  # fmt: skip
FAULTS = (
    "refuse", "reset", "drop", "truncate", "wrong-length", "500", "503", "html", "bad-json", "429", "401", "redirect",
)  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_every_endpoint_gets_over_every_fault_or_says_so(node, tmp_path, monkeypatch, fault):
    """The first request to each endpoint meets the fault; a redirect to another server stops the run each time."""
    monkeypatch.setattr(contents, "SMALL", 1_000)
    monkeypatch.setattr(contents, "SINGLE", 5_000)
    monkeypatch.setattr(tus, "CHUNK", 4_000)
    chance, hits, stopped, out = random.Random(fault), [], 0, tmp_path / "out"
    out.mkdir()
    made = bundle(*(asset(chance.randbytes(size), f"{size}") for size in (10, 3_000, 9_000)), n=1)

    def script(request):
        for name, (method, pattern) in ENDPOINTS.items():
            if name not in hits and request.method == method and re.fullmatch(pattern, request.path):
                hits.append(name)
                return fault
        return None

    with Proxy(node.url, script, crawl=0) as proxy:
        destination = client(proxy.url, node.token("depositor"))
        while sorted(path.name for path in out.iterdir()) != ["10", "3000", "9000"]:
            try:
                (result,) = deliver(destination, made)
                assert result.status in ("done", "unchanged")
                for one in destination._assets(result.receipt.measurement):
                    destination.fetch(one, out / one["relativePath"])
            except Refused as error:
                if "another server" not in str(error):
                    raise
                stopped += 1
    assert sorted(hits) == sorted(ENDPOINTS)
    assert stopped == (len(ENDPOINTS) if fault == "redirect" else 0)
    assert {each.relative_path: each.content for each in made.assets} == {
        path.name: path.read_bytes() for path in out.iterdir()
    }
    assert set(held(node)) == {"m1"}


def test_a_token_that_ends_in_the_middle_stops_the_run_and_the_next_goes_on(node):
    token = node.token("depositor")
    bundles = [bundle(asset(bytes([n]) * 2_000_000), n=n) for n in range(3)]
    ended = Proxy(node.url, lambda request: "401" if request.method == "PUT" and request.number > 2 else None)
    with ended, pytest.raises(Refused, match="401"):
        deliver(client(ended.url, token), *bundles)
    assert held(node) == {}
    assert {result.status for result in deliver(client(node.url, token), *bundles)} == {"done"}


def test_a_node_that_is_away_is_unreachable_and_nothing_is_half(node):
    token = node.token("depositor")
    destination = client(node.url, token)
    with Proxy(node.url, lambda request: "refuse" if request.path.endswith(":commit") else None) as proxy:
        away = client(proxy.url, token)
        away.connection.patience = type(away.connection.patience)(budget=0.3, first=0.01)
        with pytest.raises(Unreachable):
            deliver(away, bundle(asset(b"x"), n=1))
    assert held(node) == {}
    (result,) = deliver(destination, bundle(asset(b"x"), n=1))
    assert result.status == "done"
