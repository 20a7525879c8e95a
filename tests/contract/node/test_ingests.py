"""Ingests: planned, fed, committed at once; nothing is visible before, nothing is doubled after."""

from __future__ import annotations

import pytest

from tests.contract.node.parcels import asset, committed, delivered, item, opened, pack, sha256


@pytest.fixture
def depositor(node):
    """A client with the role of an instrument PC."""
    return node.as_("depositor")


def measurements(client):
    return client.get("/measurements").json()["items"]


def test_a_measurement_arrives_with_its_bytes(node, depositor):
    data = b"II*\0" + bytes(range(256))
    ingest = opened(depositor, item("a", {"a.tif": data}))
    (planned,) = ingest["items"]
    assert (planned["action"], planned["assets"][0]["status"]) == ("create", "need")
    assert ingest["need"] == [{"sha256": sha256(data), "size": len(data)}]
    assert measurements(depositor) == []
    assert pack(depositor, ingest, data) == {"received": [sha256(data)], "refused": []}
    assert measurements(depositor) == []
    done = committed(depositor, ingest)
    assert committed(depositor, ingest) == done
    assert done["state"] == "complete"
    (made,) = done["items"]
    assert (made["measurementId"], made["version"]) == (planned["measurementId"], 1)
    found = depositor.get(made["url"]).json()
    assert found["measurementName"] == "a.tif"
    assert found["externalIds"] == [{"scheme": "nffa", "value": "sha256:a"}]
    assert found["settings"]["beam.accelerating_voltage"]["value"] == 10000.0
    content = depositor.get(f"/dataassets/{made['assets'][0]['assetId']}/content")
    assert content.content == data
    assert content.headers["ETag"] == f'"{sha256(data)}"'


def test_the_same_again_is_unchanged_and_needs_nothing(node, depositor):
    parcel = item("a", {"a.tif": b"one", "a.png": b"two"})
    first = delivered(depositor, (parcel, [b"one", b"two"]))
    again = opened(depositor, parcel)
    assert [each["action"] for each in again["items"]] == ["unchanged"]
    assert again["need"] == []
    assert committed(depositor, again)["items"] == first["items"]
    assert len(measurements(depositor)) == 1


def test_what_changed_is_a_conflict_without_the_version_and_an_update_with_it(node, depositor):
    parcel = item("a", {"a.tif": b"one", "b.txt": b"two"})
    (first,) = delivered(depositor, (parcel, [b"one", b"two"]))["items"]
    other = item("a", {"a.tif": b"ONE", "c.txt": b"three"}, measurement={"technique": "STEM"})
    (told,) = opened(depositor, other)["items"]
    assert (told["action"], told["version"]) == ("conflict", 1)
    (told,) = opened(depositor, other | {"ifMatch": 7})["items"]
    assert told["action"] == "conflict"
    (second,) = delivered(depositor, (other | {"ifMatch": 1}, [b"ONE", b"three"]))["items"]
    assert (second["measurementId"], second["version"]) == (first["measurementId"], 2)
    assert depositor.get(second["url"]).json()["technique"] == "STEM"
    ids = {each["relativePath"]: each["assetId"] for each in first["assets"]}
    assert {each["relativePath"]: each["assetId"] for each in second["assets"]}["a.tif"] == ids["a.tif"]
    assert depositor.get(f"/dataassets/{ids['a.tif']}/content").content == b"ONE"
    assert depositor.get(f"/dataassets/{ids['b.txt']}/content").status_code == 410
    with node.database.read() as connection:
        kept = connection.exec_driver_sql("SELECT sha256 FROM asset_version").scalars().all()
    assert kept == [sha256(b"ONE".lower())]
    back = item("a", {"a.tif": b"ONE", "b.txt": b"two"}, measurement={"technique": "STEM"}, ifMatch=2)
    (third,) = delivered(depositor, (back, [b"two"]))["items"]
    assert third["version"] == 3
    assert depositor.get(f"/dataassets/{ids['b.txt']}/content").content == b"two"


def test_a_measurement_moves_to_another_experiment(node, depositor):
    (first,) = delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    moved = item(
        "a", {"a.tif": b"one"}, proposal="162", experiment="second", measurementId=first["measurementId"], ifMatch=1
    )
    (second,) = delivered(depositor, (moved, [b"one"]))["items"]
    assert (second["measurementId"], second["version"]) == (first["measurementId"], 2)
    (found,) = measurements(depositor)
    experiment = depositor.get(f"/experiments/{found['experimentId']}").json()
    assert experiment["experimentName"] == "second"
    again = {name: value for name, value in moved.items() if name not in ("measurementId", "ifMatch")}
    assert opened(depositor, again)["items"][0]["action"] == "unchanged"


def test_nothing_is_made_while_bytes_are_missing(node, depositor):
    ingest = opened(depositor, item("a", {"a.tif": b"one", "b.tif": b"two"}))
    pack(depositor, ingest, b"one")
    answer = depositor.post(f"/ingests/{ingest['id']}:commit")
    assert answer.status_code == 409
    assert [error["message"] for error in answer.json()["errors"]] == [sha256(b"two")]
    assert measurements(depositor) == []
    assert depositor.get(f"/ingests/{ingest['id']}").json()["need"] == [{"sha256": sha256(b"two"), "size": 3}]


def test_a_cancelled_ingest_is_over(node, depositor):
    ingest = opened(depositor, item("a", {"a.tif": b"one"}))
    assert depositor.post(f"/ingests/{ingest['id']}:cancel").json()["state"] == "cancelled"
    assert depositor.post(f"/ingests/{ingest['id']}:cancel").status_code == 200
    assert depositor.post(f"/ingests/{ingest['id']}:commit").status_code == 409
    done = opened(depositor, item("a", {"a.tif": b"one"}))
    pack(depositor, done, b"one")
    committed(depositor, done)
    assert depositor.post(f"/ingests/{done['id']}:cancel").status_code == 409


def test_an_ingest_is_its_owners(node, depositor):
    ingest = opened(depositor, item("a", {"a.tif": b"one"}))
    other = node.as_("depositor", node.person("Bea", "depositor"))
    for method, path in (("get", ""), ("post", ":commit"), ("post", ":cancel"), ("put", f"/content/{sha256(b'one')}")):
        assert getattr(other, method)(f"/ingests/{ingest['id']}{path}").status_code == 404
    assert node.client.get(f"/ingests/{ingest['id']}").status_code == 401


def test_that_bytes_are_stored_is_told_only_to_who_may_know(node, depositor):
    delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))
    other = node.as_("depositor", node.person("Bea", "depositor"))
    ingest = opened(other, item("b", {"b.tif": b"one"}, proposal="162"))
    assert ingest["need"] == [{"sha256": sha256(b"one"), "size": 3}]
    assert other.post(f"/ingests/{ingest['id']}:commit").status_code == 409
    pack(other, ingest, b"one")
    committed(other, ingest)
    assert opened(depositor, item("c", {"c.tif": b"one"}))["need"] == []


def test_two_who_deliver_the_same_do_not_learn_of_each_other(node, depositor):
    other = node.as_("depositor", node.person("Bea", "depositor"))
    (first,) = delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    (second,) = delivered(other, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    assert first["measurementId"] != second["measurementId"]
    assert opened(other, item("a", {"a.tif": b"one"}))["items"][0]["measurementId"] == second["measurementId"]
    assert opened(depositor, item("a", {"a.tif": b"one"}))["items"][0]["measurementId"] == first["measurementId"]


def test_who_may_not_deliver_is_refused_alike_whatever_is_there(node, depositor):
    delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))
    stranger = node.as_("instrumentScientist")
    told = opened(stranger, item("a", {}, proposal="161"), item("b", {}, proposal="nobody's"))["items"]
    assert [each["action"] for each in told] == ["refused", "refused"]
    assert told[0]["problem"] == told[1]["problem"]
    assert "measurementId" not in told[0]


def test_bad_items_stop_no_others(node, depositor):
    delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))
    twin = item("c", {"a.tif": b"one"}) | {"ref": "d"}
    ingest = opened(depositor, item("a", {"a.tif": b"other"}), item("c", {"a.tif": b"one"}), twin)
    assert [each["action"] for each in ingest["items"]] == ["conflict", "create", "refused"]
    done = committed(depositor, ingest)
    assert [each["ref"] for each in done["items"]] == ["c"]
    assert len(measurements(depositor)) == 2


def test_what_changed_between_plan_and_commit_is_not_overwritten(node, depositor):
    (first,) = delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    mine = opened(depositor, item("a", {"a.tif": b"mine"}, ifMatch=1))
    theirs = opened(depositor, item("a", {"a.tif": b"theirs"}, ifMatch=1))
    pack(depositor, mine, b"mine")
    pack(depositor, theirs, b"theirs")
    committed(depositor, theirs)
    answer = depositor.post(f"/ingests/{mine['id']}:commit")
    assert answer.status_code == 409
    assert answer.json()["title"] == "Changed meanwhile"
    assert depositor.get(f"/dataassets/{first['assets'][0]['assetId']}/content").content == b"theirs"


def test_two_ingests_of_the_same_make_one_measurement(node, depositor):
    ingests = [opened(depositor, item("a", {"a.tif": b"one"})) for _ in range(2)]
    pack(depositor, ingests[0], b"one")
    first, second = (committed(depositor, ingest) for ingest in ingests)
    assert first["items"] == second["items"]
    assert len(measurements(depositor)) == 1


def test_linked_assets_send_no_bytes(node, depositor):
    parcel = item("a", {})
    parcel["assets"] = [asset("a.tif", b"far away", accessMode="linked", uri="file:///archive/a.tif")]
    ingest = opened(depositor, parcel)
    assert ingest["need"] == []
    assert ingest["items"][0]["assets"][0]["status"] == "linked"
    (made,) = committed(depositor, ingest)["items"]
    answer = depositor.get(f"/dataassets/{made['assets'][0]['assetId']}/content")
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["message"] == "file:///archive/a.tif"
    assert opened(depositor, parcel)["items"][0]["action"] == "unchanged"
    managed = item("a", {"a.tif": b"far away"}, ifMatch=1)
    delivered(depositor, (managed, [b"far away"]))
    assert depositor.get(f"/dataassets/{made['assets'][0]['assetId']}/content").content == b"far away"


def test_it_is_found_by_columns_and_words(node, depositor):
    delivered(depositor, (item("a", {"a.tif": b"one"}), [b"one"]))
    with node.database.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT technique, sample, category, format, voltage, start_time, name, kind FROM measurement"
        ).one()
        text = connection.exec_driver_sql("SELECT text FROM measurement_words").scalar_one()
    assert tuple(row) == (
        "SEM", "wires", "Nanowires", "zeiss-sem-tiff", 10000.0, "2026-11-20T09:00:00.000000Z", "a.tif", "measurement",
    )  # fmt: skip
    assert "nanowires" in text
    assert "growth of wires" in text


@pytest.mark.parametrize("wrong", [
    {"ref": ""}, {"assets": [asset("../a.tif", b"x")]}, {"assets": [asset("a", b"x"), asset("a", b"x")]},
    {"assets": [asset("a", b"x"), asset("b", b"x", dataSize=2)]}, {"assets": [asset("a", b"x", accessMode="linked")]},
    {"unknown": 1}, {"measurement": {"measurementName": "x", "externalIds": []}},
    {"experiment": {}}, {"ifMatch": -1}, {"assets": [asset("/etc/passwd", b"x")]},
])  # fmt: skip
def test_a_manifest_that_is_wrong_is_refused_with_the_place(node, depositor, wrong):
    answer = depositor.post("/ingests", json={"items": [item("a", {}) | wrong]})
    assert answer.status_code == 422
    assert all(error["pointer"].startswith("/items") or not error["pointer"] for error in answer.json()["errors"])


def test_more_than_500_items_are_refused(node, depositor):
    answer = depositor.post("/ingests", json={"items": [item(str(n), {}) for n in range(501)]})
    assert answer.status_code == 422


def test_the_key_makes_one_ingest_of_two_requests(node, depositor):
    body = {"items": [item("a", {"a.tif": b"one"})]}
    first = depositor.post("/ingests", json=body, headers={"Idempotency-Key": "k"})
    second = depositor.post("/ingests", json=body, headers={"Idempotency-Key": "k"})
    assert second.headers["Idempotency-Replayed"] == "true"
    assert first.json()["id"] == second.json()["id"]
