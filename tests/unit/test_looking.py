"""What a node has of a measurement, asked for once, and which fields of what it hangs under its own word holds for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nffa_cli.destinations.looking import Looking
from tests.unit.test_differing import BUNDLE, lines

PROPOSAL = {
    "id": "p1", "proposalId": "161", "proposalTitle": "Wires", "state": "unverified", "createdBy": "me", "members": [],
}  # fmt: skip
EXPERIMENT = {
    "id": "e1", "proposalId": "p1", "experimentName": "Growth", "description": "Old", "state": "unverified", "createdBy": "me",
}  # fmt: skip
MEASUREMENT = {
    "id": "m1", "experimentId": "e1", **BUNDLE.measurement, "version": 3, "createdBy": "me",
    "externalIds": [{"scheme": "a", "value": "2"}, {"value": "1", "scheme": "nffa"}],
}  # fmt: skip
SAID = replace(
    BUNDLE, proposal={"proposalId": "161", "proposalTitle": "Nanowires"}, documents={}, assets=(),
    experiment={"experimentName": "Growth", "description": "New"},
    measurement={**BUNDLE.measurement,
                 "externalIds": [{"scheme": "nffa", "value": "1"}, {"scheme": "a", "value": "2"}]},
)  # fmt: skip
TITLE = ("proposal/proposalTitle", "Wires", "Nanowires")
DESCRIPTION = ("experiment/description", "Old", "New")


class Node:
    """A node that counts how often it is asked; records by path."""

    def __init__(self, **records):
        self.asked = []
        self.records = {"proposals": [PROPOSAL], "experiments": [EXPERIMENT], **records}

    def read(self, path):
        self.asked.append(path)
        kind, _, name = path.partition("/")
        return next((each for each in self.records.get(kind, []) if each["id"] == name), self.records.get(path, {}))

    def listed(self, path, parameters, limit):
        self.asked.append(path)
        wanted = {"proposals": "proposalId", "experiments": "experimentName"}[path]
        asked = parameters.get("name", parameters.get("proposalId"))
        yield from [each for each in self.records[path] if each[wanted] == asked][:limit]

    def looking(self):
        return Looking(self.read, self.listed, lambda: "me")


def changed(node, bundle=SAID, there=MEASUREMENT):
    return lines(bundle, node.looking().holding(bundle, there, []))


@pytest.mark.parametrize(
    ("proposal", "experiment", "wanted"),
    [
        ({}, {}, [TITLE, DESCRIPTION]),
        ({"state": "accepted"}, {}, [DESCRIPTION]),
        ({"createdBy": "other"}, {"state": "open"}, []),
    ],
)
def test_fields_of_shared_records_follow_until_somebody_else_has_spoken(proposal, experiment, wanted):
    node = Node(proposals=[{**PROPOSAL, **proposal}], experiments=[{**EXPERIMENT, **experiment}])
    assert changed(node) == wanted


def test_what_moves_is_told_with_where_it_was():
    bundle = replace(SAID, proposal={"proposalId": "162", "proposalTitle": "Dots"})
    assert changed(Node(), bundle)[:2] == [
        ("proposal/proposalId", "161", "162"),
        ("proposal/proposalTitle", None, "Dots"),
    ]


def test_what_many_share_is_asked_for_once():
    node = Node()
    looking = node.looking()
    for _ in range(3):
        looking.holding(SAID, MEASUREMENT, [])
    assert node.asked == ["proposals", "experiments"]


def test_an_answer_of_the_review_desk_holds():
    model = {"label": "Tips", "decision": "accepted", "by": "model"}
    said = replace(SAID, measurement={**SAID.measurement, "category": model}, documents={"nffa-record": {"x": 1}})
    there = {**MEASUREMENT, "category": {"label": "Wires", "decision": "confirmed", "by": "person"}}
    node = Node(**{"measurements/m1/metadata/nffa-record": {"classification": {"model": model}, "x": 1}})
    assert not [each for each in changed(node, said, there) if each[0].startswith("measurement/category")]
    persons = {"classification": {"persons": [{"label": "Wires"}]}, "x": 1}  # it was ours: it came with the record
    node = Node(**{"measurements/m1/metadata/nffa-record": persons})
    assert ("measurement/category/label", "Wires", "Tips") in changed(node, said, there)


@pytest.mark.parametrize("word", [None, 7, "../../me", ["x"], {"id": "y"}])
def test_an_odd_answer_is_no_error(word):
    there = {**MEASUREMENT, "experimentId": word, "settings": word, "category": word, "externalIds": word}
    node = Node(proposals=[{**PROPOSAL, "id": "p2"}])
    assert isinstance(changed(node, SAID, there), list)
    assert not [path for path in node.asked if ".." in path]
