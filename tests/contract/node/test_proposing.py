"""The portal's proposals in the node: made, updated, left alone, with rights for who has an ORCID."""

from __future__ import annotations

from dataclasses import replace

from nffa_cli.node import proposing
from nffa_cli.proposals import Person, Proposal

PI = Person("Carberry, Josiah", "0000-0002-1825-0097", "Brown")
MEMBER = Person("Roe, R.", "0000-0002-1694-233X", role="Data Analyst")
WANTED = Proposal("161", "Invented films", "accepted", investigator=PI, members=(MEMBER, Person("Nobody, N.")))


def test_proposals_are_made_updated_and_left_alone(node):
    def taken(*proposals):
        told = list(proposing.take(node.database, proposals))
        return [status if why is None else why for _, status, why in told]

    assert taken(WANTED, Proposal("7")) == ["done", "done"]
    assert taken(WANTED, Proposal("7")) == ["unchanged", "unchanged"]
    admin = node.as_("admin")
    found = {each["proposalId"]: each for each in admin.get("/proposals").json()["items"]}
    assert found["7"]["state"] == "unverified"
    assert found["161"]["proposalTitle"] == "Invented films"
    assert found["161"]["principalInvestigator"] == {
        "familyName": "Carberry", "givenName": "Josiah", "orcid": "0000-0002-1825-0097",
    }  # fmt: skip
    assert sorted(each["role"] for each in found["161"]["members"]) == ["dataAnalyst", "principalInvestigator"]
    assert taken(replace(WANTED, title="Better", state="closed", members=())) == ["done"]
    again = admin.get(f"/proposals/{found['161']['id']}").json()
    assert (again["proposalTitle"], again["state"], again["version"]) == ("Better", "closed", 2)
    assert [each["role"] for each in again["members"]] == ["principalInvestigator"]


def test_what_a_depositor_named_before_is_brought_up_to_date(node):
    pc = node.as_("depositor")
    item = {"ref": "0", "proposal": {"proposalId": "161"}, "experiment": {"experimentName": "e"},
            "measurement": {"measurementName": "m", "externalIds": [{"scheme": "nffa", "value": "x"}]}}  # fmt: skip
    ingest = pc.post("/ingests", json={"items": [item]}, headers={"Idempotency-Key": "one"}).json()
    assert pc.post(f"/ingests/{ingest['id']}:commit", headers={"Idempotency-Key": "two"}).status_code == 200
    (before,) = pc.get("/proposals").json()["items"]
    assert before["state"] == "unverified"
    assert [status for _, status, _ in proposing.take(node.database, [WANTED])] == ["done"]
    assert node.as_("admin").get(f"/proposals/{before['id']}").json()["state"] == "accepted"
