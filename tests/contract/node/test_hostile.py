"""Whatever is sent, the node answers as its contract says: never a fault of its own, never another text than was sent."""

from __future__ import annotations

import base64
import json
import random

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from nffa_cli.node.app import BASE
from tests.contract.node.parcels import delivered, item

HOSTILE = [
    "'; DROP TABLE measurement; --", '" OR 1=1 --', "<script>alert(1)</script>", "{{7*7}} ${7*7} %s %d {0}",
    "\u202egnp.exe\u202c",
    "a\u0301\u0300" * 50, "\U0001f52c" * 20, "\ufeffbom", "line\nbreak\ttab\rreturn", "x" * 1000, "../../etc/passwd", "C:\\con",
    "\x7f\x1b[31mred", "\ufffe\uffff", " ", "NULL", "true", "\\u0000", "%00", "\u2028\u2029", "'" * 200, "0x" + "f" * 100,
]  # fmt: skip
BROKEN = ["\0", "a\0b", "\ud800", "\udfff\ud800", "x" * 2_000_000]
MERGE = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}


@pytest.fixture
def place(node):
    """Ids of one measurement with all it hangs under, and clients of three roles."""
    owner, admin = node.as_("depositor"), node.as_("admin")
    (made,) = delivered(owner, (item("a", {"a.tif": b"one"}), [b"one"]))["items"]
    found = admin.get(f"/measurements/{made['measurementId']}").json()
    proposal = admin.get(f"/experiments/{found['experimentId']}").json()["proposalId"]
    ids = {"measurements": found["id"], "experiments": found["experimentId"], "proposals": proposal,
           "dataassets": made["assets"][0]["assetId"]}  # fmt: skip
    ids["policies"] = admin.get("/policies").json()["items"][0]["id"]
    return ids, {"reader": node.as_("reader"), "depositor": owner, "admin": admin}


def fields(text, place):
    """Every type of record with this text in all of its free fields."""
    ids, more = place[0], {"externalIds": [{"scheme": text[:100], "value": text}]}
    settings = {text: {"value": text, "unit": text}}
    return {
        "facilities": {"facilityName": text, "ror": text, "site": text} | more,
        "instruments": {"instrumentName": text, "model": text, "techniques": [text]} | more,
        "persons": {"familyName": text, "givenName": text, "portalUserId": text, "affiliation": {text: text}} | more,
        "samples": {"sampleName": text, "formula": text, "description": text} | more,
        "archives": {"archiveName": text, "kind": text, "baseUrl": text, "capabilities": {text: [text]}} | more,
        "policies": {"policyName": text, "defaultLicence": text} | more,
        "proposals": {"proposalId": text, "proposalTitle": text, "abstract": text, "state": text} | more,
        "experiments": {"experimentName": text, "description": text, "proposalId": ids["proposals"]} | more,
        "measurements": {"measurementName": text, "measurementDescription": text, "technique": text, "format": text,
                         "sample": {"sampleName": text}, "settings": settings, "provenance": {text: text},
                         "experimentId": ids["experiments"]} | more,
    }  # fmt: skip


def test_a_text_comes_back_as_it_was_sent_or_is_refused(place):
    for text in HOSTILE:
        comes_back(place, place[1]["admin"], text)


def comes_back(place, admin, text):
    for path, body in fields(text, place).items():
        answer = admin.post(f"/{path}", json=body)
        assert answer.status_code in (201, 422), (path, answer.text)
        if answer.status_code == 201:
            found = admin.get(answer.json()["links"]["self"]).json()
            assert {name: found.get(name) for name in body} == body, path
    for answer in (
        admin.get("/search", params={"q": text[:1000], "sample": text[:1000], "facets": "true", "count": "true"}),
        admin.get("/measurements", params={"externalId": f"{text[:100]}:{text}"}),
        admin.get("/samples", params={"name": text}),
        admin.get("/audit", params={"resource": text[:100]}),
        admin.put(f"/measurements/{place[0]['measurements']}/embargo", json={"until": None, "reason": text},
                  headers={"If-Match": "*"}),
        admin.get("/measurements", headers={"Idempotency-Key": "x", "If-None-Match": "'\"*"}),
    ):  # fmt: skip
        assert answer.status_code < 500, (answer.request.method, answer.url, answer.text)
        assert answer.headers["Content-Type"] in ("application/json", "application/problem+json")


def test_what_no_database_holds_is_refused(place):
    for text in BROKEN:
        is_refused(place, place[1]["admin"], text)


def is_refused(place, admin, text):
    for path, body in fields(text, place).items():
        answer = admin.post(f"/{path}", data=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 413, 422), (path, answer.status_code)
        assert answer.headers["Content-Type"] == "application/problem+json"
    patch = json.dumps({"measurementDescription": text})
    answer = admin.patch(f"/measurements/{place[0]['measurements']}", data=patch, headers=MERGE)
    assert answer.status_code in (400, 422)


def test_a_cursor_that_was_made_up_does_no_harm(place):
    for value in (
        [],
        [""],
        ["\ud800"],
        [10**40],
        [True],
        [1, 2, 3],
        ["a", 1],
        None,
        {},
        [[]],
        [-1],
        [0],
        ["z"],
        [1.5],
        "x",
    ):
        harmless(place, base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("="))
    harmless(place, "////")


def harmless(place, cursor):
    for path in (
        "search",
        "search?sort=started",
        "audit",
        "tokens",
        "measurements",
        "dataassets",
        "persons",
        "policies",
    ):
        joint = "&" if "?" in path else "?"
        answer = place[1]["admin"].get(f"/{path}{joint}cursor={cursor}")
        assert answer.status_code in (200, 400), (path, answer.text)


def test_nothing_in_the_contract_brings_the_node_to_a_fault(node, place):
    """An example or two of every operation for every role, half of them about things that are there."""
    ids, clients = place
    schema = schemathesis.openapi.from_dict(node.client.get("/openapi.json").json())
    number, chance, faults = 2 if node.database.is_sqlite else 1, random.Random(5), []

    def send(role, operation, case):
        known = ids.get(operation.path.removeprefix(BASE).strip("/").split("/")[0])
        if known and "id" in case.path_parameters and chance.random() < 0.6:
            case.path_parameters["id"] = known
        arguments = case.as_transport_kwargs(base_url=node.url)
        headers = dict(arguments.pop("headers") or {})
        arguments["headers"] = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        answer = clients[role].request(**arguments)
        if answer.status_code >= 500:
            faults.append((role, operation.method, arguments["url"], arguments.get("json"), answer.text))

    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(max_examples=number, deadline=None, database=None, phases=[Phase.generate], derandomize=True,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(operation.as_strategy())
        def ask(case):
            for role in clients:
                send(role, operation, case)  # noqa: B023

        ask()
    assert faults == []
