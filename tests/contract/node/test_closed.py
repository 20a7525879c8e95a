"""Embargoes and access lists over HTTP: what changes them, who may, what opens, and that it is told."""

from __future__ import annotations

import pytest

from tests.contract.node.parcels import delivered, item

MERGE = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}


@pytest.fixture
def place(node):
    """A measurement in an experiment of Curie's proposal, and clients of all who have to do with it."""
    admin, manager, owner = node.as_("admin"), node.as_("dataManager"), node.as_("depositor")
    curie, member = node.person("Curie", "reader"), node.person("Meitner", "reader")
    (made,) = delivered(owner, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    found = admin.get(f"/measurements/{made['measurementId']}").json()
    experiment = admin.get(f"/experiments/{found['experimentId']}").json()
    proposal = f"/proposals/{experiment['proposalId']}"
    roles = {curie: "principalInvestigator", member: "teamMember"}
    members = [{"personId": person, "role": role} for person, role in roles.items()]
    assert admin.patch(proposal, json={"members": members}, headers=MERGE).status_code == 200
    return {
        "admin": admin, "manager": manager, "owner": owner, "nobody": node.client, "pi": node.as_("reader", curie),
        "member": node.as_("reader", member), "stranger": node.as_("reader", node.person("Somebody", "reader")),
        "measurement": f"/measurements/{found['id']}", "experiment": f"/experiments/{experiment['id']}", "proposal": proposal,
        "asset": f"/dataassets/{made['assets'][0]['assetId']}",
    }  # fmt: skip


def embargo(client, path):
    answer = client.get(f"{path}/embargo")
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(client, path, until, reason=""):
    tag = client.get(f"{path}/embargo").headers.get("ETag", '"0"')
    return client.put(f"{path}/embargo", json={"until": until, "reason": reason}, headers={"If-Match": tag})


def test_the_end_of_the_experiment_moves_it(place):
    admin, path = place["admin"], place["measurement"]
    assert embargo(admin, path)["until"] == "2029-11-20"
    assert admin.patch(place["experiment"], json={"endDate": "2026-12-31"}, headers=MERGE).status_code == 200
    found = embargo(admin, path)
    assert (found["until"], found["releasedAt"]) == ("2029-12-31", "2030-01-01T00:00:00.000000Z")
    assert found["history"][-1]["reason"] == "the end of the experiment changed"


def test_a_member_opens_nothing_by_another_end_of_the_experiment(place):
    late = place["admin"].patch(place["experiment"], json={"endDate": "2027-06-30"}, headers=MERGE)
    assert late.status_code == 200, late.text
    answer = place["member"].patch(place["experiment"], json={"endDate": "2026-11-20"}, headers=MERGE)
    assert answer.status_code == 403, answer.text
    assert place["pi"].patch(place["experiment"], json={"endDate": "2026-11-20"}, headers=MERGE).status_code == 200
    assert embargo(place["admin"], place["measurement"])["until"] == "2029-11-20"


def test_a_member_opens_nothing_by_moving_it_into_a_proposal_of_his(place):
    admin = place["admin"]
    policy = admin.post("/policies", json={"policyName": "none", "embargoMonths": 0}).json()["id"]
    who = place["member"].get("/me").json()["person"]["id"]
    member = [{"personId": who, "role": "principalInvestigator"}]
    own = admin.post(
        "/proposals", json={"proposalId": "own", "proposalTitle": "x", "policyId": policy, "members": member}
    )
    there = (
        place["member"].post("/experiments", json={"experimentName": "x", "proposalId": own.json()["id"]}).json()["id"]
    )
    place["member"].patch(place["measurement"], json={"experimentId": there}, headers=MERGE)
    assert place["nobody"].get(place["measurement"]).status_code == 404
    assert place["nobody"].get(f"{place['asset']}/content").status_code == 404


@pytest.mark.parametrize(("who", "thing", "until", "reason", "status"), [
    ("pi", "measurement", "2028-01-01", "", 200),
    ("pi", "proposal", "2028-01-01", "", 200),
    ("pi", "asset", "2028-01-01", "", 200),
    ("pi", "measurement", "2030-01-01", "please", 403),
    ("pi", "proposal", "2030-01-01", "please", 403),
    ("pi", "asset", "2030-01-01", "please", 403),
    ("member", "measurement", "2028-01-01", "please", 403),
    ("owner", "measurement", "2028-01-01", "please", 403),
    ("stranger", "measurement", "2028-01-01", "please", 404),
    ("nobody", "measurement", "2028-01-01", "please", 401),
    ("manager", "measurement", "2030-01-01", "a patent", 200),
    ("manager", "proposal", "2030-01-01", "a patent", 200),
    ("manager", "measurement", "2030-01-01", "", 422),
    ("manager", "measurement", "2040-01-01", "a patent", 422),
    ("manager", "measurement", "2028-01-01", "", 200),
    ("admin", "measurement", "2030-01-01", "a patent", 200),
    ("admin", "measurement", "no date", "a patent", 422),
])  # fmt: skip
def test_who_may_set_it_and_how_far(place, who, thing, until, reason, status):
    answer = put(place[who], place[thing], until, reason)
    assert answer.status_code == status, answer.text
    events = place["admin"].get(f"/audit?resource={place[thing].rpartition('/')[2]}").json()["items"]
    told = [each for each in events if each["action"] == "embargo"]
    assert len(told) == (1 if status == 200 else 0)
    if status == 200:
        assert embargo(place["admin"], place[thing])["until"] == until
        assert embargo(place["admin"], place[thing])["history"][-1]["reason"] == reason


def test_a_lift_opens_at_once_and_reckoning_does_not_close_it_again(place):
    assert place["nobody"].get(place["measurement"]).status_code == 404
    assert place["member"].post(f"{place['proposal']}/embargo:lift", json={}).status_code == 403
    assert place["pi"].post(f"{place['proposal']}/embargo:lift", json={"reason": "published"}).status_code == 200
    assert place["nobody"].get(f"{place['asset']}/content").content == b"one"
    assert place["nobody"].get("/search?q=a").json()["items"][0]["isOpen"] is True
    assert place["admin"].patch(place["experiment"], json={"endDate": "2027-12-31"}, headers=MERGE).status_code == 200
    assert place["nobody"].get(f"{place['asset']}/content").status_code == 200
    found = embargo(place["nobody"], place["measurement"])
    assert (found["isOpen"], "history" in found) == (True, False)


def test_an_asset_may_stay_closed_longer_than_its_measurement(place):
    assert put(place["manager"], place["asset"], "2030-01-01", "a patent").status_code == 200
    assert place["pi"].post(f"{place['measurement']}/embargo:lift", json={}).status_code == 200
    assert place["nobody"].get(place["measurement"]).status_code == 200
    assert place["nobody"].get(place["asset"]).status_code == 404
    assert place["pi"].get(place["asset"]).status_code == 200
    assert place["pi"].post(f"{place['asset']}/embargo:lift", json={}).status_code == 200
    assert place["nobody"].get(place["asset"]).status_code == 200


def test_a_stale_embargo_or_list_is_not_overwritten(place):
    old = {"If-Match": place["pi"].get(f"{place['measurement']}/embargo").headers["ETag"]}
    assert put(place["pi"], place["measurement"], "2028-01-01").status_code == 200
    body = {"until": "2027-01-01", "reason": ""}
    assert place["pi"].put(f"{place['measurement']}/embargo", json=body, headers=old).status_code == 412
    assert place["pi"].put(f"{place['measurement']}/embargo", json=body).status_code == 428
    assert place["pi"].put(f"{place['measurement']}/acl", json={"entries": []}).status_code == 428


def test_what_a_list_gives_reaches_downwards_and_is_told(place):
    stranger = place["stranger"]
    sid = f"person:{stranger.get('/me').json()['person']['id']}"
    tag = {"If-Match": place["pi"].get(f"{place['experiment']}/acl").headers["ETag"]}
    entries = {"entries": [{"sid": sid, "permission": "READ"}]}
    assert stranger.get(place["asset"]).status_code == 404
    assert place["member"].put(f"{place['experiment']}/acl", json=entries, headers=tag).status_code == 403
    assert place["pi"].put(f"{place['experiment']}/acl", json=entries, headers=tag).json() == entries
    assert stranger.get(f"{place['asset']}/content").content == b"one"
    assert "members" not in stranger.get(place["proposal"]).json()
    assert stranger.patch(place["measurement"], json={"technique": "x"}, headers=MERGE).status_code == 403
    assert stranger.get(f"{place['experiment']}/acl").status_code == 403
    told = place["pi"].get(f"/audit?resource={place['experiment'].rpartition('/')[2]}").json()["items"][-1]
    assert (told["action"], told["diff"]["is"]) == ("acl", entries["entries"])
    assert stranger.get("/audit").json()["items"] == []
    odd = {"entries": [{"sid": "person:x; DROP TABLE acl", "permission": "READ"}]}
    assert place["pi"].put(f"{place['experiment']}/acl", json=odd, headers={"If-Match": "*"}).status_code == 422


def test_another_policy_reckons_all_anew(place):
    policy = {"policyName": "short", "embargoMonths": 6, "metadataPublic": True}
    identity = place["manager"].post("/policies", json=policy).json()["id"]
    assert place["pi"].patch(place["proposal"], json={"policyId": identity}, headers=MERGE).status_code == 403
    assert place["admin"].patch(place["proposal"], json={"policyId": identity}, headers=MERGE).status_code == 200
    assert embargo(place["admin"], place["measurement"])["until"] == "2027-05-20"
    assert place["nobody"].get(place["measurement"]).status_code == 200
    assert place["nobody"].get(place["asset"]).status_code == 404
    closed = place["manager"].patch(f"/policies/{identity}", json={"metadataPublic": False}, headers=MERGE)
    assert closed.status_code == 200, closed.text
    assert place["nobody"].get(place["measurement"]).status_code == 404
