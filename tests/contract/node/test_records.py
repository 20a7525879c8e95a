"""Records over HTTP: what is sent comes back, versions protect it, what refers to nothing is refused, and lists go on."""

from __future__ import annotations

import pytest

SHA = "a" * 64
VOLTS = {"beam.accelerating_voltage": {"value": 10000.0, "unit": "V", "source": "EHT"}}


@pytest.fixture
def admin(node):
    return node.as_("admin")


def make(client, path, **fields):
    answer = client.post(path, json=fields)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == answer.json()["links"]["self"]
    assert answer.headers["ETag"] == '"1"'
    return answer.json()


def tree(client):
    """Make a proposal with all that hangs under it."""
    proposal = make(client, "/proposals", proposalId="161", proposalTitle="Wires")
    experiment = make(client, "/experiments", experimentName="Day 1", proposalId=proposal["id"], endDate="2026-05-31")
    measurement = make(
        client, "/measurements", measurementName="a.tif", experimentId=experiment["id"], settings=VOLTS, technique="SEM",
        sample={"sampleName": "W12", "atomTypes": ["Si"]}, startTime="2026-05-06T10:00:00",
        externalIds=[{"scheme": "nffa", "value": "sha256:1"}],
    )  # fmt: skip
    asset = make(
        client, "/dataassets", dataAssetName="a.tif", relativePath="a.tif", dataSize=3, measurementId=measurement["id"],
        dataChecksum={"algorithm": "sha-256", "value": SHA}, locations=[{"uri": "file:///pc/a.tif"}],
    )  # fmt: skip
    return proposal, experiment, measurement, asset


def test_what_is_sent_comes_back_and_hangs_together(node, admin):
    proposal, experiment, measurement, asset = tree(admin)
    assert admin.get(f"/measurements/{measurement['id']}").json() == measurement
    assert measurement["settings"] == VOLTS
    assert measurement["sample"]["atomTypes"] == ["Si"]
    assert measurement["links"]["experiment"] == experiment["links"]["self"]
    assert asset["state"] == "linked"
    assert asset["locations"][0]["uri"] == "file:///pc/a.tif"
    default = admin.get("/policies").json()["items"][0]
    assert (default["embargoMonths"], default["metadataPublic"], default["isDefault"]) == (36, False, True)
    assert proposal["policyId"] == default["id"]
    for path in (
        "/proposals?proposalId=161", f"/experiments?proposal={proposal['id']}", "/measurements?externalId=nffa:sha256:1",
        f"/measurements?experiment={experiment['id']}", f"/dataassets?digest=sha-256:{SHA}",
    ):  # fmt: skip
        assert len(admin.get(path).json()["items"]) == 1, path
        assert node.client.get(path).json()["items"] == [], path
    assert admin.get("/measurements?wrong=1").status_code == 400
    for path in ("proposals", "experiments", "measurements", "dataassets"):
        assert admin.delete(f"/{path}/x", headers={"If-Match": "*"}).status_code == 404
    assert admin.delete(f"/experiments/{experiment['id']}", headers={"If-Match": "*"}).json()["title"] == "In use"
    for path, record in (
        ("dataassets", asset),
        ("measurements", measurement),
        ("experiments", experiment),
        ("proposals", proposal),
    ):
        assert admin.delete(f"/{path}/{record['id']}", headers={"If-Match": "*"}).status_code == 204
        assert admin.get(f"/{path}/{record['id']}").status_code == 404


def test_versions_protect_what_others_wrote(admin):
    _, _, measurement, asset = tree(admin)
    path, patch = f"/measurements/{measurement['id']}", {"measurementDescription": "good", "technique": None}
    assert admin.patch(path, json=patch).status_code == 428
    changed = admin.patch(path, json=patch, headers={"If-Match": '"1"', "Content-Type": "application/merge-patch+json"})
    assert changed.json()["measurementDescription"] == "good"
    assert "technique" not in changed.json()
    assert changed.headers["ETag"] == '"2"'
    stale = admin.patch(path, json={"technique": "TEM"}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"2"')
    same = admin.put(path, json=changed.json(), headers={"If-Match": '"2"'})
    assert (same.status_code, same.headers["ETag"]) == (200, '"2"')
    assert admin.get(path, headers={"If-None-Match": '"2"'}).status_code == 304
    wrong = admin.patch(path, json={"measurementName": 3, "odd": 1}, headers={"If-Match": '"2"'})
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"/measurementName", "/odd"}
    moved = admin.patch(f"/dataassets/{asset['id']}", json={"measurementId": "x"}, headers={"If-Match": '"1"'})
    assert moved.json()["errors"][0]["pointer"] == "/measurementId"


def test_what_refers_to_nothing_or_is_there_already_is_refused(node, admin):
    proposal, experiment, _, _ = tree(admin)
    nothing = admin.post("/experiments", json={"experimentName": "E", "proposalId": "x"})
    assert nothing.json()["errors"] == [
        {"pointer": "/proposalId", "message": "there is no such proposal, or none that you may see"}
    ]
    unseen = node.as_("reader").post("/experiments", json={"experimentName": "E", "proposalId": proposal["id"]})
    assert {**unseen.json(), "requestId": 0} == {**nothing.json(), "requestId": 0}
    twice = admin.post("/experiments", json={"experimentName": "Day 1", "proposalId": proposal["id"]})
    assert twice.status_code == 409
    known = [{"scheme": "nffa", "value": "sha256:1"}]
    body = {"measurementName": "b", "experimentId": experiment["id"], "externalIds": known}
    assert admin.post("/measurements", json=body).status_code == 409
    assert admin.post("/measurements", json={**body, "externalIds": [], "instrumentId": "x"}).status_code == 422
    for path in ("../x", "/x", "a//b", "a\\b", "."):
        body = {
            "dataAssetName": "x",
            "relativePath": path,
            "dataSize": 1,
            "dataChecksum": {"value": SHA},
            "measurementId": "x",
        }
        assert admin.post("/dataassets", json={**body, "locations": [{"uri": "file:///x"}]}).status_code == 422


def test_lists_go_on_where_they_stopped(admin):
    made = [make(admin, "/samples", sampleName=f"S{number}")["id"] for number in range(5)]
    found, address, pages = [], "/samples?limit=2&count=true", 0
    while address:
        page = admin.get(address).json()
        assert page["total"] == 5
        found += [each["id"] for each in page["items"]]
        address, pages = page["links"]["next"], pages + 1
    assert (found, pages) == (made, 3)
    assert admin.get("/samples?cursor=nonsense").status_code == 400
    assert admin.get("/samples?limit=201").status_code == 422


def test_documents_are_held_to_their_schema(node, admin):
    _, _, measurement, _ = tree(admin)
    own = f"/measurements/{measurement['id']}/metadata"
    rules = {"type": "object", "required": ["voltage"], "properties": {"voltage": {"type": "number"}}}
    schema = make(admin, "/schemas", schemaName="sem", document=rules)
    assert admin.post("/schemas", json={"schemaName": "bad", "document": {"type": 3}}).status_code == 422
    assert admin.post("/schemas", json={"schemaName": "sem", "document": {}}).status_code == 409
    wrong = admin.put(f"{own}/sem", json={"voltage": "high"})
    assert wrong.json()["errors"] == [{"pointer": "/voltage", "message": "'high' is not of type 'number'"}]
    assert admin.post(f"/schemas/{schema['id']}/validate", json={"voltage": 1}).status_code == 204
    assert admin.post(f"/schemas/{schema['id']}/validate", json={}).status_code == 422
    assert admin.put(f"{own}/sem", json={"voltage": 1}).status_code == 201
    assert admin.put(f"{own}/sem", json={"voltage": 2}).status_code == 428
    assert admin.put(f"{own}/sem", json={"voltage": 2}, headers={"If-Match": '"1"'}).headers["ETag"] == '"2"'
    assert admin.put(f"{own}/anything", json={"free": [1]}).status_code == 201
    assert [each["schema"] for each in admin.get(own).json()["items"]] == ["anything", "sem"]
    assert admin.get(f"{own}/sem").json() == {"voltage": 2}
    assert node.client.get(f"{own}/sem").status_code == 404
    far = make(admin, "/schemas", schemaName="far", document={"$ref": "http://127.0.0.1:9/schema"})
    assert "never fetched" in admin.post(f"/schemas/{far['id']}/validate", json={}).json()["detail"]


def test_an_asset_that_is_elsewhere_keeps_a_location(admin):
    *_, asset = tree(admin)
    own = f"/dataassets/{asset['id']}/locations"
    second = admin.post(own, json={"uri": "https://archive.example/a.tif", "accessMode": "external"})
    assert second.status_code == 201
    assert admin.post(own, json={"uri": "file:///pc/a.tif"}).status_code == 409
    assert admin.post(own, json={"uri": "no address"}).status_code == 422
    first, last = (each["id"] for each in admin.get(own).json()["items"])
    assert admin.delete(f"{own}/{first}", headers={"If-Match": '"1"'}).status_code == 412
    assert admin.delete(f"{own}/{first}", headers={"If-Match": '"2"'}).status_code == 204
    assert admin.delete(f"{own}/{last}", headers={"If-Match": '"3"'}).status_code == 409


def test_who_takes_part_is_not_for_everyone_to_say(node, admin):
    ada, bob = node.person("Ada", "reader"), node.person("Bob", "reader")
    proposal = make(
        admin,
        "/proposals",
        proposalId="7",
        proposalTitle="T",
        members=[{"personId": ada, "role": "principalInvestigator"}],
    )
    own, body = f"/proposals/{proposal['id']}", [{"personId": bob, "role": "teamMember"}]
    pi = node.as_("reader", ada)
    policy = pi.patch(own, json={"policyId": None}, headers={"If-Match": '"1"'})
    assert policy.status_code == 403
    assert node.as_("reader", bob).get(own).status_code == 404
    more = admin.patch(own, json={"members": [*proposal["members"], *body]}, headers={"If-Match": '"1"'})
    assert more.status_code == 200
    assert node.as_("reader", bob).get(own).status_code == 200
    out = node.as_("reader", bob).patch(own, json={"members": []}, headers={"If-Match": '"2"'})
    assert out.status_code == 403
    assert pi.patch(own, json={"members": proposal["members"]}, headers={"If-Match": '"2"'}).status_code == 200
    assert node.as_("reader", bob).get(own).status_code == 404
