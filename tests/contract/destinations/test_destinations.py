"""What every destination promises (``destinations/base.py``), asked of every kind that there is."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from nffa_cli.delivery.differing import changes
from nffa_cli.destinations.base import Delivery
from nffa_cli.destinations.pace import Pace
from nffa_cli.errors import Unreachable

BAD = {"missing", "different"}


def places(receipt):
    return {(path, sha256) for path, _, sha256 in receipt.assets}


def test_what_is_delivered_is_there_and_proved(there):
    bundle = there.bundle(
        there.asset("a.tif"),
        there.asset("a.txt", b"kV=10", "sidecar"),
        there.asset("a.json", b"{}", "raw-metadata", content=True),
    )
    result = there.one(bundle)
    assert (result.status, result.receipt.digest) == ("done", bundle.digest)
    assert places(result.receipt) == {(asset.relative_path, asset.sha256) for asset in bundle.assets}
    assert result.receipt.measurement
    assert result.receipt.url
    assert there.proof(result.receipt) == there.proves


def test_twice_doubles_nothing_with_or_without_the_receipt(there):
    bundle = there.bundle(word="twice")
    first = there.one(bundle)
    for known in (first.receipt, None):
        again = there.one(bundle, known)
        assert (again.status, again.receipt.measurement) == ("unchanged", first.receipt.measurement)
    assert len(there.found("twice")) == 1


def test_an_update_replaces_and_doubles_nothing(there):
    asset = there.asset("a.tif", b"the bytes of update")
    bundle = there.bundle(asset, word="update")
    first = there.one(bundle)
    changed = there.bundle(
        asset, there.asset("a.tif.nxs", b"hdf5", "nxem"), word="update", key=bundle.key, sample={"sampleName": "W12"}
    )
    second = there.one(changed, first.receipt)
    assert second.status == "done"
    assert second.receipt.version != first.receipt.version
    assert places(second.receipt) > places(first.receipt)
    (found,) = there.found("update")
    assert "W12" in repr(found)
    assert there.one(changed, second.receipt).status == "unchanged"
    without = there.bundle(asset, word="update", key=bundle.key)
    third = there.one(without, second.receipt)
    assert places(third.receipt) == places(first.receipt)
    assert there.proof(second.receipt) in BAD, "what was withdrawn is missed by the older receipt"


def test_another_experiment_takes_it_along(there):
    asset = there.asset("a.tif", b"the bytes that move")
    bundle = there.bundle(asset, word="moving")
    first = there.one(bundle)
    second = there.one(there.bundle(asset, word="moving", key=bundle.key, experiment="Decay"), first.receipt)
    assert len(there.found("moving")) == 1
    assert there.proof(second.receipt) == there.proves


def test_new_bytes_of_the_same_acquisition_take_the_place_of_the_old(there):
    first = there.one(there.bundle(there.asset("a.tif", b"old bytes"), word="rewritten"))
    bundle = there.bundle(there.asset("a.tif", b"new bytes"), word="rewritten")
    second = there.one(bundle, first.receipt)
    assert len(there.found("rewritten")) == 1
    assert there.proof(second.receipt) == there.proves
    assert there.proof(first.receipt) in BAD


def test_a_missing_source_stops_no_other(there):
    gone, good = there.bundle(word="gone"), there.bundle(word="good")
    gone.assets[0].path.unlink()
    results = {result.delivery.bundle.key: result for result in there.deliver(Delivery(gone), Delivery(good))}
    assert (results[gone.key].status, results[good.key].status) == ("failed", "done")
    assert str(gone.assets[0].path) in results[gone.key].reason
    assert there.found("gone") == []


def test_wrong_bytes_never_arrive(there):
    bundle = there.bundle(there.asset("a.tif", b"as they were"), word="wrong")
    bundle.assets[0].path.write_bytes(b"as they wer_")
    (result,) = there.deliver(Delivery(bundle))
    assert (result.status, result.receipt) == ("failed", None)
    assert there.found("wrong") == []
    bundle.assets[0].path.write_bytes(b"as they were")
    assert there.one(bundle).status == "done"


def test_a_transfer_that_breaks_off_goes_on(there):
    data = hashlib.sha256(str(there.scratch).encode()).digest() * (20 << 15)
    bundle = there.bundle(there.asset("big.tif", data), word="large")

    class Cut(Pace):
        left = 12 << 20

        def spend(self, count):
            self.left -= count
            if self.left < 0:
                raise Unreachable("the cable was pulled")

    with pytest.raises(Unreachable):
        there.deliver(Delivery(bundle), pace=Cut(1e12))
    assert there.found("large") == []
    (result,) = there.deliver(Delivery(bundle, None, dict(there.journal)))
    assert result.status == "done"
    assert there.proof(result.receipt) == there.proves
    assert there.journal == {}


@pytest.mark.parametrize(
    "name", ["../../evil.tif", "/etc/passwd", "CON", "a:b?.tif", "new\nline.tif", "ü" * 200 + ".tif", "100%25.tif"]
)
def test_a_name_leads_nowhere_else(there, name):
    before = {path for path in there.scratch.parent.rglob("*") if "disk" not in path.parts}
    asset = replace(there.asset("x"), name=name, relative_path=name)
    bundle = there.bundle(asset, word="named")
    (result,) = there.deliver(Delivery(bundle))
    assert result.status in ("done", "refused")
    if result.status == "done":
        assert there.proof(result.receipt) == there.proves
    after = {path for path in there.scratch.parent.rglob("*") if "disk" not in path.parts}
    assert after - before <= {asset.path}


def test_empty_files_and_equal_ones_arrive(there):
    bundle = there.bundle(
        there.asset("a.tif", b""), there.asset("b.tif", b"twin", "sidecar"), there.asset("c.tif", b"twin", "sidecar")
    )
    twin = there.bundle(there.asset("a.tif", b"twin"))
    results = there.deliver(Delivery(bundle), Delivery(twin))
    assert [result.status for result in results] == ["done", "done"]
    assert [there.proof(result.receipt) for result in results] == [there.proves] * 2


def test_a_plan_writes_nothing_and_comes_true(there):
    bundle = there.bundle(word="planned")
    (plan,) = there.open().plan([Delivery(bundle)])
    assert (plan.action, plan.needed, plan.bytes) == ("create", (bundle.assets[0].sha256,), bundle.assets[0].size)
    assert there.found("planned") == []
    receipt = there.one(bundle).receipt
    (plan,) = there.open().plan([Delivery(bundle, receipt)])
    assert (plan.action, plan.bytes) == ("unchanged", 0)


def test_linked_files_stay_and_prove_nothing(there):
    asset = there.asset("a.tif", b"stays", accessMode="linked", uri="file:///data/a.tif")
    result = there.one(there.bundle(asset, word="linked"))
    assert there.proof(result.receipt) == "unknown"


def test_what_was_delivered_comes_back(there, tmp_path):
    there.one(there.bundle(there.asset("a.tif", b"there and back"), word="return"))
    (found,) = there.found("return")
    target = tmp_path / "back.tif"
    assert there.open().fetch(found["assets"][0], target) == target
    assert target.read_bytes() == b"there and back"
    assert not list(tmp_path.glob("*.part"))


def test_what_is_missing_there_is_found(there):
    result = there.one(there.bundle(word="vanishing"))
    elsewhere = replace(result.receipt, measurement="00000000-0000-7000-8000-000000000000")
    assert there.proof(elsewhere) == "missing"


def test_who_we_are_can_be_asked(there):
    assert there.open().whoami()
    capabilities = there.open().capabilities()
    assert capabilities.batch > 0


def test_a_plan_names_the_fields_that_would_follow(there):
    bundle = there.bundle(word="named", experiment="Named", sample={"sampleName": "W11"})
    receipt = there.one(bundle).receipt
    said = {**bundle.measurement, "sample": {"sampleName": "W12"}}
    other = replace(bundle, digest="another", measurement=said, assets=(*bundle.assets, there.asset("a.nxs", b"hdf5", "nxem")),
                    proposal={**bundle.proposal, "proposalTitle": "Wires"},
                    experiment={**bundle.experiment, "description": "The first"})  # fmt: skip
    (plan,) = there.open().plan([Delivery(other, receipt)])
    named = [(each.field, each.old, each.new) for each in changes(other, plan.held)]
    title = (bundle.proposal["proposalId"] if there.kind == "idrp" else None, "Wires")
    assert named == [
        ("proposal/proposalTitle", *title),
        ("experiment/description", None, "The first"),
        ("measurement/sample/sampleName", "W11", "W12"),
        ("assets/a.nxs", None, "4 B"),
    ]
    done = there.one(other, receipt).receipt
    (plan,) = there.open().plan([Delivery(replace(other, digest="again"), done)])
    assert changes(other, plan.held) == ()
    moved = replace(other, digest="moved", experiment={"experimentName": "Decay"})
    (plan,) = there.open().plan([Delivery(moved, done)])
    assert [
        (each.old, each.new) for each in changes(moved, plan.held) if each.field == "experiment/experimentName"
    ] == [("Named", "Decay")]
