"""Measurements handed on as NXem: the delivered file as it is; else metadata alone, valid, and saying that it is only that."""

from __future__ import annotations

import hashlib
import io
import json

import h5py
import pytest

from nffa_cli.export import check, hdf5_nodes
from nffa_cli.node import nxem
from tests.contract.node.parcels import asset, delivered, item
from tests.contract.node.test_pages_served import HOSTILE, Person

TERMS = {
    "acquisition.start": {"value": "2026-11-20T10:00:00+01:00", "unit": None, "source": "AP_DATE", "raw": "20 Nov 2026"},
    "beam.accelerating_voltage": {"value": 10000.0, "unit": "V", "source": "AP_ACTUALKV", "raw": "EHT = 10.00 kV"},
    "instrument.manufacturer": {"value": "ZEISS", "unit": None, "source": "rule", "raw": None},
    "no.such.term": {"value": 1, "unit": "1", "source": "x", "raw": 1},
}  # fmt: skip
RECORD = {
    "format": "zeiss-sem-tiff", "terms": TERMS, "missing": [], "warnings": [],
    "signals": [{"name": "InLens", "kind": "image", "shape": [4, 4], "dtype": "|u1", "axes": []}],
}  # fmt: skip
RAW = b'{"format": "zeiss-sem-tiff", "reader": "nffa tiff", "tree": {"Beam": {"HV": "10 kV"}}}'


@pytest.fixture
def address():
    """One file is made alike on every database: SQLite will do."""


def parcel(key="x", document=RECORD, more=(), **said):
    made = item(key, {f"{key}.tif": key.encode()}, **said)
    made["documents"] = {"nffa-record": document} if document else {}
    made["assets"].append(asset(f"{key}.json", RAW, role="raw-metadata", dataAssetType="metadata"))
    made["assets"] += [asset(name, data, role="nxem", dataAssetType="nexus") for name, data in more]
    return made, [key.encode(), RAW, *(data for _, data in more)]


def sent(node, *given, **said):
    (done,) = delivered(node.as_("depositor"), parcel(*given, **said))["items"]
    return f"/measurements/{done['measurementId']}"


def test_what_was_delivered_is_handed_on_as_it_is(node):
    of = sent(node, more=(("x.nxs", b"the delivered file"),))
    answer = node.as_("admin").get(f"{of}/export?format=nxem")
    assert (answer.status_code, answer.content) == (200, b"the delivered file")
    page = Person(node, node.token("admin"))
    assert page.get(f"{of}/export?format=nxem").content == b"the delivered file"
    assert "The NXem file is the one that was delivered." in page.get(of).text


def test_where_none_was_delivered_metadata_alone_make_a_valid_file_that_says_so(node):
    of = sent(node)
    admin = node.as_("admin")
    answer = admin.get(f"{of}/export?format=nxem")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-hdf5"
    assert answer.headers["Content-Disposition"].endswith('.nxs"')
    assert admin.get(f"{of}/export?format=nxem").content == answer.content, "the same bytes each time"
    with h5py.File(io.BytesIO(answer.content)) as file:
        found = check.check(hdf5_nodes.of_file(file))
        assert [each.path for each in found if each.level == "error" and not each.needs] == []
        own = file["entry1/nffa"]
        assert own["note"][()].decode() == nxem.NOTE
        assert json.loads(own["missing"][()])[0] == "signal"
        assert own["unplaced"][0].decode() == "signal 1 (InLens): its samples are not in this file"
        assert "beam.accelerating_voltage" in own["terms"]
        assert "no.such.term" not in own["terms"]
        assert file["entry1/note1/checksum"][()].decode() == hashlib.sha256(b"x").hexdigest()
        assert json.loads(file["entry1/measurement/event1/vendor_metadata/json"][()]) == {"Beam": {"HV": "10 kV"}}
        classes: list[str] = []
        file.visititems(lambda _, each: classes.append(str(each.attrs.get("NX_class"))))
        assert "NXdata" not in classes, "nothing stands in for the samples"
    page = Person(node, node.token("admin"))
    assert page.get(f"{of}/export?format=nxem").content == answer.content
    assert "this node makes one of the metadata alone" in page.get(of).text


def test_what_is_under_embargo_is_in_no_file(node):
    of = sent(node)
    stranger = node.as_("reader", node.person("Smith", "reader"))
    assert stranger.get(f"{of}/export?format=nxem").status_code == 404
    policy = node.as_("dataManager").post("/policies", json={"policyName": "described", "metadataPublic": True}).json()
    found = node.as_("admin").get(of).json()
    above = node.as_("admin").get(f"/experiments/{found['experimentId']}").json()["proposalId"]
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    changed = node.as_("admin").patch(f"/proposals/{above}", json={"policyId": policy["id"]}, headers=headers)
    assert changed.status_code == 200, changed.text
    answer = stranger.get(f"{of}/export?format=nxem")
    assert answer.status_code == 200, answer.text
    with h5py.File(io.BytesIO(answer.content)) as file:
        assert json.loads(file["entry1/measurement/event1/vendor_metadata/json"][()]) == {}
        assert "note1" not in file["entry1"]
        assert "beam.accelerating_voltage" in file["entry1/nffa/terms"]


def test_where_nothing_is_known_there_is_none(node):
    of = sent(node, document=None)
    answer = node.as_("admin").get(f"{of}/export?format=nxem")
    assert answer.status_code == 409
    assert "no NXem file was delivered" in answer.json()["detail"]
    assert "there is no record of an instrument" in Person(node, node.token("admin")).get(of).text


@pytest.mark.parametrize(
    "terms",
    [
        {"beam.accelerating_voltage": {"value": value, "unit": unit, "source": [HOSTILE], "raw": {HOSTILE: []}, HOSTILE: 1}}
        for value, unit in ((10**18, "V"), (1e308, "V"), (True, "V"), ("x", "V"), ([1], "V"), (1, "parsec"), (None, "V"))
    ]
    + [
        {"acquisition.start": {"value": HOSTILE, "unit": None}, "sample.name": {"value": HOSTILE, "unit": None}},
        {"sample.name": HOSTILE, HOSTILE: {"value": HOSTILE}},
    ],
)  # fmt: skip
def test_hostile_records_make_a_file_or_a_sentence(node, terms):
    document = {**RECORD, "terms": terms, "signals": [HOSTILE, {"name": [HOSTILE]}], "format": HOSTILE}
    of = sent(node, document=document)
    answer = node.as_("admin").get(f"{of}/export?format=nxem")
    assert answer.status_code in (200, 409), answer.text
    if answer.status_code == 200:
        with h5py.File(io.BytesIO(answer.content)) as file:
            assert file["entry1/definition"][()] == b"NXem"
