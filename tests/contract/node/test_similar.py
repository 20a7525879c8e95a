"""Similar pictures over the interface, on both databases: the nearest first, of one model, and never what one may not read."""

from __future__ import annotations

import base64
import math
import random
import struct

import pytest
import sqlalchemy as sa

from nffa_cli import vectors
from nffa_cli.node import similar, tables
from tests.contract.node.parcels import asset, committed, delivered, item, opened, pack

MODEL, OTHER = "a" * 64, "b" * 64
MERGE = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}


def towards(angle, *, model=MODEL, width=32):
    """An embedding at an angle (in degrees) to the first axis."""
    numbers = [math.cos(math.radians(angle)), math.sin(math.radians(angle)), *[0.0] * (width - 2)]
    return vectors.written(model, struct.pack(f"<{width}e", *numbers))


def parcel(key, embedding=None, **more):
    made = item(key, {f"{key}.tif": key.encode()}, **more)
    return (made if embedding is None else made | {"embedding": embedding}), [key.encode()]


def near(client, id, **asked):
    answer = client.get(f"/measurements/{id}/similar", params=asked)
    assert answer.status_code == 200, answer.text
    return [(each["measurementName"].removesuffix(".tif"), each["similarity"]) for each in answer.json()["items"]]


def ids(client):
    items = client.get("/measurements?limit=200").json()["items"]
    return {each["measurementName"].removesuffix(".tif"): each["id"] for each in items}


@pytest.fixture
def owner(node):
    """A depositor who delivered five pictures at 0, 10, 30 and 80 degrees, one seen by another model, one by none."""
    owner = node.as_("depositor")
    angles = {"zero": 0, "ten": 10, "thirty": 30, "eighty": 80}
    delivered(
        owner, *(parcel(key, towards(angle)) for key, angle in angles.items()),
        parcel("other", towards(0, model=OTHER)), parcel("wide", towards(0, width=64)), parcel("none"),
    )  # fmt: skip
    return owner


def test_the_nearest_that_one_model_saw_come_first(owner):
    known = ids(owner)
    assert near(owner, known["zero"]) == [
        ("ten", pytest.approx(0.985, abs=1e-3)),
        ("thirty", pytest.approx(0.866, abs=1e-3)),
    ]
    assert [name for name, _ in near(owner, known["eighty"])] == ["thirty"]
    assert near(owner, known["zero"], limit=1)[0][0] == "ten"
    for key in ("other", "wide", "none"):
        assert near(owner, known[key]) == []
    assert owner.get(f"/measurements/{known['none']}/similar").json() == {"model": None, "items": []}
    assert owner.get(f"/measurements/{known['zero']}/similar").json()["model"] == MODEL
    assert owner.get(f"/measurements/{known['zero']}/similar?limit=51").status_code == 422


def test_what_is_delivered_anew_counts_and_what_is_gone_does_not(node, owner):
    known = ids(owner)
    assert [name for name, _ in near(owner, known["zero"])] == ["ten", "thirty"]
    changed, _ = parcel("eighty", towards(5))
    delivered(owner, (changed | {"ifMatch": 1}, []), parcel("new", towards(2)))
    assert [name for name, _ in near(owner, known["zero"])] == ["new", "eighty", "ten", "thirty"]
    without, _ = parcel("ten")
    delivered(owner, (without | {"ifMatch": 1}, []))
    lone = node.as_("admin")
    assert [name for name, _ in near(lone, known["zero"])] == ["new", "eighty", "thirty"]
    same, _ = parcel("eighty", towards(5))
    assert opened(owner, same)["counts"] == {"unchanged": 1}


def test_rows_that_were_replaced_are_forgotten(node, owner, monkeypatch):
    monkeypatch.setattr(similar, "SPARE", 2)
    known, lookup = ids(owner), node.app.state.similar
    near(owner, known["zero"])
    for time in range(8):
        with node.database.write() as connection:
            of = tables.measurement_embedding
            connection.execute(of.delete().where(of.c.measurement == known["ten"]))
            vector = base64.b64decode(towards(10 + time / 100)["values"])
            connection.execute(of.insert().values(measurement=known["ten"], model=MODEL, vector=vector))
        assert [name for name, _ in near(owner, known["zero"])] == ["ten", "thirty"]
    assert all(len(held.seqs) < 9 for held in lookup._held.values())


WRONG = {
    "not a number": struct.pack("<32e", math.nan, *[0.1] * 31),
    "infinite": struct.pack("<32e", math.inf, *[0.1] * 31),
    "long": struct.pack("<32e", *[1.0] * 32),
    "nothing": bytes(64),
    "odd": bytes(63),
    "short": struct.pack("<2e", 1.0, 0.0),
    "huge": struct.pack("<1026e", 1.0, *[0.0] * 1025),
}


@pytest.mark.parametrize("vector", WRONG.values(), ids=WRONG)
def test_what_is_no_embedding_is_refused(node, vector):
    wrong, _ = parcel("x", {"model": MODEL, "values": base64.b64encode(vector).decode()})
    answer = node.as_("depositor").post("/ingests", json={"items": [wrong]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/items/0/embedding/values"


def test_base64_and_model_are_held_to_their_form(node):
    owner, good = node.as_("depositor"), towards(1)
    for wrong in (
        good | {"values": good["values"] + "\n"}, good | {"values": good["values"].rstrip("=")}, good | {"values": "!" * 88},
        good | {"model": "x" * 64}, good | {"model": "a" * 63}, good | {"more": 1}, {"model": MODEL}, good | {"values": 7},
        good | {"values": "é" * 10},
    ):  # fmt: skip
        assert owner.post("/ingests", json={"items": [parcel("x", wrong)[0]]}).status_code == 422, wrong


def test_random_bytes_never_do_more_than_be_refused():
    chance = random.Random(7)
    for _ in range(2000):
        vector = chance.randbytes(chance.choice((16, 64, 512, 15)))
        wrong = vectors.fault(vector)
        if wrong is None:
            assert abs(math.hypot(*struct.unpack(f"<{len(vector) // 2}e", vector)) - 1) <= vectors.SLACK


@pytest.mark.parametrize("steps", [similar.STEPS, (1, 2)], ids=["at once", "step by step"])
def test_what_one_may_not_read_is_never_similar(node, monkeypatch, steps):
    monkeypatch.setattr(similar, "STEPS", steps)
    owner, manager = node.as_("depositor"), node.as_("dataManager")
    policy = manager.post("/policies", json={"policyName": "described", "metadataPublic": True}).json()["id"]
    named = {
        "open1": ("P-open", 0), "open2": ("P-open", 20), "closed": ("P-closed", 1), "closed2": ("P-closed", 2),
        "described": ("P-described", 3), "apart": ("P-apart", 4),
    }  # fmt: skip
    delivered(owner, *(parcel(key, towards(angle), proposal=portal) for key, (portal, angle) in named.items()))
    known = ids(manager)
    for key in ("open1", "open2", "apart"):
        assert manager.post(f"/measurements/{known[key]}/embargo:lift", json={"reason": "open"}).status_code == 200
    (held,) = manager.get(f"/dataassets?measurement={known['apart']}").json()["items"]
    until = {"until": "2099-01-01", "reason": "the picture alone is closed"}
    with node.database.write() as connection:
        of = tables.asset
        connection.execute(of.update().where(of.c.id == held["id"]).values(embargo_until=until["until"]))
    admin = node.as_("admin")
    proposal = next(
        each["id"] for each in admin.get("/proposals").json()["items"] if each["proposalId"] == "P-described"
    )
    assert admin.patch(f"/proposals/{proposal}", json={"policyId": policy}, headers=MERGE).status_code == 200
    stranger = node.as_("reader", node.person("Stranger", "reader"))
    assert stranger.get(f"/measurements/{known['described']}").status_code == 200
    for client in (node.client, stranger):
        assert [name for name, _ in near(client, known["open1"])] == ["open2"]
        assert client.get(f"/measurements/{known['apart']}/similar").json() == {"model": None, "items": []}
    everything = ["closed", "closed2", "described", "apart", "open2"]
    assert [name for name, _ in near(manager, known["open1"])] == everything
    assert [name for name, _ in near(owner, known["open1"])] == everything
    assert [name for name, _ in near(stranger, known["open1"])] == ["open2"], "what others asked for is not remembered"
    for key, status in (("closed", 404), ("described", 403)):
        assert stranger.get(f"/measurements/{known[key]}/similar").status_code == status
    assert node.client.get(f"/measurements/{known['described']}/similar").status_code == 401
    hidden, absent = (stranger.get(f"/measurements/{each}/similar").json() for each in (known["closed"], "none"))
    assert {**hidden, "requestId": 0} == {**absent, "requestId": 0}


def test_an_ingest_that_is_not_committed_shows_nothing_to_look_for(node, owner):
    known = ids(owner)
    waiting, files = parcel("waiting", towards(1))
    ingest = opened(owner, waiting)
    pack(owner, ingest, *files)
    assert [name for name, _ in near(owner, known["zero"])] == ["ten", "thirty"]
    committed(owner, ingest)
    assert [name for name, _ in near(owner, known["zero"])] == ["waiting", "ten", "thirty"]


def test_a_measurement_is_removed_with_its_embedding(node):
    admin = node.as_("admin")
    delivered(admin, ((made := parcel("x", towards(1))[0] | {"assets": []}), []))
    assert made["embedding"]
    (one,) = ids(admin).values()
    answer = admin.delete(f"/measurements/{one}", headers={"If-Match": "*"})
    assert answer.status_code == 204, answer.text
    with node.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.measurement_embedding)).scalar() == 0


def test_a_linked_picture_is_found_too(node):
    owner = node.as_("depositor")
    linked = parcel("l", towards(1))[0]
    linked["assets"] = [asset("l.tif", b"l", accessMode="linked", uri="file:///l.tif")]
    delivered(owner, (linked, []), parcel("k", towards(2)))
    assert [name for name, _ in near(owner, ids(owner)["k"])] == ["l"]
