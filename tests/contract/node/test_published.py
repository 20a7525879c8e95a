"""Schemas of our own documents: at addresses that stay, true of what we write, and in nobody's way."""

from __future__ import annotations

import jsonschema
import pytest

from nffa_cli import samples, secrets
from nffa_cli.cli import run
from tests.contract.node.parcels import delivered, item


def test_each_document_that_we_write_is_as_its_schema_says(node, tmp_path, monkeypatch, capsys):
    (told,) = node.client.get("").json()["documents"]
    schema = node.client.get(told["schema"]).json()
    assert schema["$id"] == told["schema"]
    assert schema["$id"].endswith("/api/v1/schemas/nffa-record/1")
    assert schema["vocabularySha256"] == node.client.get("").json()["vocabulary"]["sha256"]
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    samples.make(tmp_path / "pictures")
    assert run(["ingest", str(tmp_path / "pictures"), "--settle", "0", "--quiet"]) in (0, 3)
    capsys.readouterr()
    monkeypatch.setenv("NFFA_TOKEN", node.token())
    monkeypatch.setattr(secrets, "_first", {})
    assert run(["sync", "--to", node.url, "--proposal", "161", "--quiet"]) in (0, 3)
    client, documents = node.as_("admin"), []
    for each in client.get("/measurements", params={"limit": 200}).json()["items"]:
        documents.append(client.get(f"/measurements/{each['id']}/metadata/nffa-record").json())
        assert not [(error.json_path, error.message) for error in check.iter_errors(documents[-1])]
    assert len(documents) > 3
    assert list(check.iter_errors({**documents[0], "terms": {"beam.accelerating_voltage": {"value": "high"}}}))


@pytest.mark.parametrize(("said", "version", "known"), [({}, "1", True), ({"schemaVersion": "1"}, "1", True),
                                                        ({"schemaVersion": "7", "new": {}}, "7", False)])  # fmt: skip
def test_a_document_says_its_version_and_one_from_the_future_is_kept(node, said, version, known):
    client = node.as_("depositor")
    body = {"format": "x", "terms": {}, **said}
    (done,) = delivered(client, (item("a", {"a.tif": b"one"}) | {"documents": {"nffa-record": body}}, [b"one"]))[
        "items"
    ]
    (listed,) = client.get(f"{done['url']}/metadata").json()["items"]
    assert (listed["schema"], listed["schemaVersion"]) == ("nffa-record", version)
    address = listed["links"].get("schema")
    assert (address is not None) == known
    answer = client.get(f"{done['url']}/metadata/nffa-record")
    assert answer.json() == body
    assert answer.headers.get("Link") == (f'<{address}>; rel="describedby"' if known else None)


def test_what_is_not_ours_has_no_version_and_unknown_ones_are_not_there(node):
    client = node.as_("depositor")
    parcel = item("a", {"a.tif": b"one"}) | {"documents": {"mine": {"schemaVersion": "1"}}}
    (done,) = delivered(client, (parcel, [b"one"]))["items"]
    (listed,) = client.get(f"{done['url']}/metadata").json()["items"]
    assert "schemaVersion" not in listed
    for path in ("nffa-record/2", "nffa-record/01", "mine/1"):
        assert node.client.get(f"/schemas/{path}").status_code == 404
