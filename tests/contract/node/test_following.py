"""What a later delivery says of a proposal and an experiment that are there: it follows, until somebody else has spoken."""

from __future__ import annotations

import pytest

from nffa_cli.node import proposing
from nffa_cli.proposals import Proposal
from tests.contract.node.parcels import committed, delivered, item, opened


@pytest.fixture
def depositor(node):
    """A client with the role of an instrument PC, which has delivered one measurement."""
    client = node.as_("depositor")
    delivered(client, (item("a", {"a.tif": b"one"}), [b"one"]))
    return client


def said(depositor, *, experiment=None, **proposal):
    """Deliver the same measurement again, with something else said of what it hangs under; return what was told to follow."""
    parcel = item("a", {"a.tif": b"one"})
    parcel["proposal"] |= proposal
    parcel["experiment"] |= experiment or {}
    ingest = opened(depositor, parcel)
    assert [each["action"] for each in ingest["items"]] == ["unchanged"]
    committed(depositor, ingest)
    return [(each["type"], each["fields"]) for each in ingest["follows"]]


def only(client, kind):
    (found,) = client.get(f"/{kind}").json()["items"]
    return found


def test_a_corrected_title_follows_once_and_is_found_and_audited(node, depositor):
    assert said(depositor, proposalTitle="Films of gold", abstract="Thin.") == [
        ("proposal", ["abstract", "proposalTitle"])
    ]
    found = only(node.as_("admin"), "proposals")
    assert (found["proposalTitle"], found["abstract"], found["version"]) == ("Films of gold", "Thin.", 2)
    assert only(depositor, "measurements")["version"] == 1
    assert len(depositor.get("/search", params={"q": "gold"}).json()["items"]) == 1
    events = node.as_("admin").get("/audit", params={"resource": found["id"]}).json()["items"]
    assert [each["action"] for each in events] == ["create", "deliver"]
    assert events[1]["diff"]["fields"] == ["abstract", "proposalTitle"]
    assert said(depositor, proposalTitle="Films of gold", abstract="Thin.") == []
    assert only(node.as_("admin"), "proposals")["version"] == 2


def test_what_is_not_said_stays_and_nothing_is_seen_before_the_commit(node, depositor):
    said(depositor, abstract="Thin.")
    parcel = item("a", {"a.tif": b"one"})
    parcel["proposal"] = {"proposalId": "161", "proposalTitle": "Other"}
    ingest = opened(depositor, parcel)
    found = only(node.as_("admin"), "proposals")
    assert (found["proposalTitle"], found["abstract"]) == ("Growth of wires", "Thin.")
    assert depositor.get(f"/ingests/{ingest['id']}").json()["follows"] == ingest["follows"]
    committed(depositor, ingest)
    found = only(node.as_("admin"), "proposals")
    assert (found["proposalTitle"], found["abstract"]) == ("Other", "Thin.")


def test_a_title_that_was_made_of_the_number_follows(node):
    client = node.as_("depositor")
    parcel = item("a", {"a.tif": b"one"}) | {"proposal": {"proposalId": "161"}}
    delivered(client, (parcel, [b"one"]))
    assert said(client, proposalTitle="Films") == [("proposal", ["proposalTitle"])]


def test_what_a_person_changed_stays_field_by_field(node, depositor):
    admin = node.as_("admin", node.person("Ada", "admin"))
    for kind, change in (("proposals", {"proposalTitle": "Mine"}), ("experiments", {"endDate": "2026-12-01"})):
        found = only(admin, kind)
        headers = {"If-Match": f'"{found["version"]}"', "Content-Type": "application/merge-patch+json"}
        assert admin.patch(f"/{kind}/{found['id']}", json=change, headers=headers).status_code == 200
    follows = said(depositor, proposalTitle="Theirs", abstract="Thin.",
                   experiment={"endDate": "2026-12-31", "startDate": "2026-11-01"})  # fmt: skip
    assert follows == [("proposal", ["abstract"]), ("experiment", ["startDate"])]
    assert only(admin, "proposals")["proposalTitle"] == "Mine"
    assert only(admin, "experiments")["endDate"] == "2026-12-01"


def test_what_the_portal_says_stays(node, depositor):
    (taken,) = proposing.take(node.database, [Proposal(id="161", title="Growth of wires", state="accepted")])
    assert taken[1] == "done"
    assert said(depositor, proposalTitle="Theirs", abstract="Thin.") == []
    assert only(node.as_("admin"), "proposals")["proposalTitle"] == "Growth of wires"


def test_only_who_made_it_or_may_write_it_is_followed(node, depositor):
    other = node.as_("depositor", node.person("Bea", "depositor"))
    parcel = item("b", {"b.tif": b"two"})
    parcel["proposal"]["proposalTitle"] = "Theirs"
    ingest = opened(other, parcel)
    assert ingest["follows"] == []
    delivered(other, (parcel, [b"two"]))
    assert only(node.as_("admin"), "proposals")["proposalTitle"] == "Growth of wires"
    admin = node.as_("admin")
    delivered(admin, (item("c", {"c.tif": b"three"}) | {"proposal": parcel["proposal"]}, [b"three"]))
    assert only(admin, "proposals")["proposalTitle"] == "Theirs"


def test_a_later_end_lengthens_the_embargo_and_an_earlier_one_opens_nothing(node, depositor):
    def released():
        with node.database.read() as connection:
            return connection.exec_driver_sql("SELECT released_at FROM measurement").scalar_one()[:10]

    first = released()
    assert said(depositor, experiment={"endDate": "2027-01-31"}) == [("experiment", ["endDate"])]
    assert (later := released()) > first
    assert said(depositor, experiment={"endDate": "1990-01-01"}) == [("experiment", ["endDate"])]
    assert released() == later
