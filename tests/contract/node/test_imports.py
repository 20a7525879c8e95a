"""Records of other repositories on a real node: described, not kept, once, and updated."""

from __future__ import annotations

import json

from nffa_cli import cli, secrets

MD5 = "0cc175b9c0f1b6a831c399e269772661"
ENTRY = {
    "Title": "Invented bands", "Description": "<p>Words</p>", "Submission_Date": "2018-03-12", "License": "CC BY 4.0",
    "DOI": "10.0000/invented:2018.1",
    "File": [{"name": "in/a.tar.gz", "size_bytes": 12, "md5": MD5}, {"name": "b.txt", "size_bytes": 3, "md5": MD5[::-1]}],
}  # fmt: skip


def test_an_import_is_delivered_once_and_updated(node, tmp_path, monkeypatch, capsys):
    path = tmp_path / "entry.json"
    monkeypatch.setenv("NFFA_TOKEN", node.token())
    monkeypatch.setattr(secrets, "_first", {})  # each node is a run of its own
    reader = node.as_("admin")

    def delivered(entry, *arguments):
        path.write_text(json.dumps(entry), encoding="utf-8")
        assert cli.run(["crosswalk", "import", "materials-cloud", str(path), "--proposal", "161", *arguments]) == 0
        capsys.readouterr()
        assert cli.run(["sync", "--to", node.url, "--json"]) == 0
        (outcome,) = [
            line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["type"] == "outcome"
        ]
        return outcome["status"]

    assert delivered(ENTRY) == "done"
    assert delivered(ENTRY) == "unchanged"
    (asset, other) = reader.get("/dataassets").json()["items"]
    assert asset["dataChecksum"] == {"algorithm": "md5", "value": MD5}
    assert asset["state"] == other["state"] == "linked"
    assert asset["locations"][0]["uri"] == "https://doi.org/10.0000/invented:2018.1"
    assert asset["dateOfCollectionSource"] == "submission"
    assert reader.get(f"/dataassets/{asset['id']}/content").status_code == 409
    assert delivered({**ENTRY, "Title": "Better"}) == "done"
    assert delivered({**ENTRY, "Title": "Better"}, "--as-one") == "done"
    (measurement,) = reader.get("/measurements").json()["items"]
    assert (measurement["measurementName"], measurement["kind"], measurement["version"]) == ("Better", "calculation", 3)


def test_what_is_kept_is_known_by_sha_256_alone(node):
    asset = {"dataAssetName": "a", "relativePath": "a", "dataSize": 1}
    item = {"ref": "0", "proposal": {"proposalId": "161"}, "experiment": {"experimentName": "e"},
            "measurement": {"measurementName": "m", "externalIds": [{"scheme": "nffa", "value": "x"}]}}  # fmt: skip
    client = node.as_("depositor")
    for number, (more, status) in enumerate(
        (
            ({"dataChecksum": {"algorithm": "md5", "value": MD5}}, 422),
            (
                {"dataChecksum": {"algorithm": "md5", "value": MD5 * 2}, "accessMode": "linked", "uri": "https://a/b"},
                422,
            ),
            ({"dataChecksum": {"algorithm": "md5", "value": MD5}, "accessMode": "linked", "uri": "https://a/b"}, 201),
        )
    ):
        sent = {"items": [{**item, "assets": [{**asset, **more}]}]}
        answer = client.post("/ingests", json=sent, headers={"Idempotency-Key": f"key-{number}"})
        assert answer.status_code == status, answer.text
