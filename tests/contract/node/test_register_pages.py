"""Pages that register proposals and experiments, and the history of what was changed: who may, who sees, what is only text."""

from __future__ import annotations

import re

import pytest

from tests.contract.node.test_pages_served import HOSTILE, Page, Person

ADA, EVE = "0000-0002-1825-0097", "0000-0001-5109-3700"


@pytest.fixture
def address(request):
    """SQLite in the node's folder, or where a test asks for it an empty PostgreSQL database."""
    return request.getfixturevalue("prepared")() if getattr(request, "param", None) else None


BOTH = pytest.mark.parametrize("address", [None, "postgresql"], indirect=True)


def person_of(node, name, orcid, *roles):
    """Add a person of the registry with an ORCID; returns the id."""
    admin = node.as_("admin")
    made = admin.post("/persons", json={"familyName": name, "orcid": orcid, "roles": list(roles or ("reader",))})
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.fixture
def lab(node):
    """A node with two persons and a proposal that a data manager registered on its page; browsers of all."""
    node.ada, node.eve = person_of(node, "Lovelace", ADA), person_of(node, "Moneypenny", EVE)
    node.manager = Person(node, node.token("dataManager"))
    said = {"proposalId": " 161 ", "proposalTitle": "Bands  of silver", "abstract": "why\r\nand how",
            "familyName": "Lovelace", "givenName": "Ada", "orcid": f"https://orcid.org/{ADA}", "team": f"{EVE}\r\n"}  # fmt: skip
    made = node.manager.submit("/register/proposal", **said)
    assert made.status_code == 303, made.text
    node.proposal = made.headers["Location"]
    node.leader, node.member = (Person(node, node.token("reader", each)) for each in (node.ada, node.eve))
    return node


@BOTH
def test_a_proposal_and_an_experiment_are_registered_by_who_may(lab):
    found = lab.as_("admin").get(lab.proposal).json()
    assert (found["proposalId"], found["proposalTitle"], found["abstract"]) == (
        "161",
        "Bands of silver",
        "why\nand how",
    )
    assert found["principalInvestigator"] == {"familyName": "Lovelace", "givenName": "Ada", "orcid": ADA}
    assert {(each["personId"], each["role"]) for each in found["members"]} == {
        (lab.ada, "principalInvestigator"), (lab.eve, "teamMember"),
    }  # fmt: skip
    assert found["policyId"]
    instrument = lab.as_("admin").post("/instruments", json={"instrumentName": "SEM 1"}).json()["id"]
    page = lab.member.get(lab.proposal).text
    assert f'href="{lab.proposal}/register"' in page
    assert "SEM 1" in lab.member.get(f"{lab.proposal}/register").text
    said = {"experimentName": "May", "description": "first", "startDate": "2026-05-01", "endDate": "2026-05-03",
            f"instrumentIds-{instrument}": "on"}  # fmt: skip
    made = lab.member.submit(f"{lab.proposal}/register", **said)
    assert made.status_code == 303, made.text
    held = lab.as_("admin").get(made.headers["Location"]).json()
    assert (held["experimentName"], held["endDate"], held["instrumentIds"]) == ("May", "2026-05-03", [instrument])
    assert f'href="/import?experiment={held["id"]}"' in lab.member.get(made.headers["Location"]).text


def test_who_may_not_is_told_so_and_is_shown_no_way(lab):
    stranger = Person(lab, lab.token("reader", lab.person("Smith", "reader")))
    for person, status in ((lab.member, 403), (stranger, 403), (Person(lab), 401)):
        assert 'href="/register/proposal"' not in person.get("/proposals").text
        assert person.get("/register/proposal").status_code == status
    assert 'href="/register/proposal"' in lab.manager.get("/proposals").text
    assert lab.member.submit("/register/proposal", proposalId="2", proposalTitle="x").status_code == 403
    assert stranger.get(f"{lab.proposal}/register").status_code == 404
    assert stranger.submit(f"{lab.proposal}/register", experimentName="x").status_code == 404
    assert lab.manager.get(f"{lab.proposal}/register").status_code == 403, "a data manager reads, but does not write"
    assert "/register" not in lab.manager.get(lab.proposal).text
    for path, fields in (("/register/proposal", {"proposalId": "2", "proposalTitle": "x"}),
                         (f"{lab.proposal}/register", {"experimentName": "x"})):  # fmt: skip
        proof = lab.leader.proof("/proposals")
        assert lab.manager.post(path, fields | {"proof": proof}).status_code == 403
        assert lab.manager.post(path, fields).status_code == 403


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"proposalId": "161"}, "Another record has this name"),
        ({"proposalId": ""}, "Field required"),
        ({"team": "0000-0002-1825-0098"}, "0000-0002-1825-0098 is no ORCID"),
        ({"team": "0000-0003-1415-9269"}, "nobody in this node has the ORCID"),
        ({"orcid": ADA}, "a principal investigator has a family name"),
        ({"familyName": "X", "orcid": "joke"}, "joke is no ORCID"),
        ({"policy": "none"}, "there is no such policy"),
        ({"proposalTitle": HOSTILE, "proposalId": "161"}, "Another record has this name"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(lab, said, sentence):
    typed = {"proposalId": "162", "proposalTitle": 'A "title" <b>', "abstract": "kept", **said}
    answer = lab.manager.submit("/register/proposal", **typed)
    assert answer.status_code in (409, 422)
    assert sentence in answer.text
    assert ">kept</textarea>" in answer.text
    assert Page(answer.text).strange == []
    wrong = lab.member.submit(f"{lab.proposal}/register", experimentName="e", endDate="soon", description="kept")
    assert wrong.status_code == 422
    assert "Last day: " in wrong.text
    assert ">kept</textarea>" in wrong.text


def history(person, path):
    return re.findall(r"<li>\n<p><span class=\"quiet\">[^<]*</span> ([^\n]*)</p>", person.get(path).text)


@BOTH
def test_history_tells_who_changed_what_to_those_who_may_edit(lab):
    version = lab.as_("admin").get(lab.proposal).json()["version"]
    edited = lab.member.submit(f"{lab.proposal}/edit", version=str(version), proposalTitle="Bands of gold", abstract="")
    assert edited.status_code == 303
    assert history(lab.leader, lab.proposal) == ["Moneypenny changed it", "somebody registered it"]
    text = lab.leader.get(lab.proposal).text
    assert "title: <del>Bands of silver</del> <ins>Bands of gold</ins>" in text
    assert "abstract: <del>why\nand how</del>" in text
    assert history(lab.manager, lab.proposal)[0] == "Moneypenny changed it", "data managers see what was done"
    assert lab.manager.submit(f"{lab.proposal}/embargo", open="now", reason="paper <i>").status_code == 303
    assert history(lab.leader, lab.proposal)[0].startswith(
        "somebody opened it to everybody: paper &lt;i&gt;; last day "
    )
    reader = lab.person("Reader", "reader")
    entries = {"entries": [{"sid": f"person:{reader}", "permission": "READ"}]}
    assert lab.as_("admin").put(f"{lab.proposal}/acl", json=entries, headers={"If-Match": "*"}).status_code == 200
    other = Person(lab, lab.token("reader", reader))
    assert "Bands of gold" in other.get(lab.proposal).text
    assert "History" not in other.get(lab.proposal).text
    assert "Bands of silver" not in other.get(lab.proposal).text
    assert reader not in lab.leader.get(lab.proposal).text, "the audit's ids of persons are not shown"


def test_history_of_hostile_texts_is_only_text(lab):
    version = lab.as_("admin").get(lab.proposal).json()["version"]
    for number, title in enumerate((HOSTILE, "x" * 900)):
        said = {"version": str(version + number), "proposalTitle": title, "abstract": HOSTILE * 100}
        assert lab.member.submit(f"{lab.proposal}/edit", **said).status_code == 303
    page = lab.leader.get(lab.proposal).text
    assert Page(page).strange == []
    assert "\u202e" not in page
    event = lab.as_("admin").get(f"/audit?resource={lab.proposal.rpartition('/')[2]}").json()["items"][1]
    assert len(event["diff"]["texts"]["abstract"]["is"]) == 2001, "the audit keeps the beginning of a long text"
