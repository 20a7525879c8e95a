"""Searching a node, alike on both databases; exports; and what a node holds as the command line shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from nffa_cli.node import policies, search
from tests.contract.node.parcels import delivered, item
from tests.contract.node.test_pages_served import Person

RESOURCE_TYPES = {"Dataset"}
DATE_TYPES = {"Accepted", "Available", "Copyrighted", "Collected", "Created", "Issued", "Submitted", "Updated", "Valid",
              "Withdrawn", "Other"}  # fmt: skip
DESCRIPTION_TYPES = {"Abstract", "Methods", "SeriesInformation", "TableOfContents", "TechnicalInfo", "Other"}
DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?(/\d{4}(-\d\d(-\d\d)?)?)?")


def said(name, **more):
    return {"measurementName": name, "externalIds": [{"scheme": "nffa", "value": name}]} | more


@pytest.fixture
def filled(node):
    """A node with four measurements of a depositor, and its client."""
    owner = node.as_("depositor")
    about = [
        said("Gold_wires_01.tif", technique="SEM", sample={"sampleName": "Größe A"}, startTime="2024-05-01T10:00:00Z"),
        said("gold wires 02", technique="TEM", sample={"sampleName": "B"}, startTime="2025-05-01T10:00:00+02:00"),
        said(
            "graphene",
            technique="SEM",
            sample={"sampleName": "C"},
            measurementDescription="flakes on gold",
            category={"label": "Films"},
        ),
        said("O'Brien's <b>film</b>", technique="SEM", instrument={"instrumentName": "Supra 40"}),
    ]
    settings = {"settings": {"beam.accelerating_voltage": {"value": 200e3, "unit": "V"}}}
    about[1] |= settings
    parcels = [(item(str(n), {f"{n}.tif": b"%d" % n}, measurement=each), [b"%d" % n]) for n, each in enumerate(about)]
    for item_, _ in parcels:
        item_["proposal"]["proposalTitle"] = "Growth"
        item_["measurement"].setdefault("category", {"label": "Nanowires"})
    delivered(owner, *parcels)
    return owner


FOUND = [
    ("q=gold", 3), ("q=GOLD wires", 2), ('q="gold wires"', 2), ('q="wires gold"', 0), ("q=gol*", 3), ("q=gol", 0), ("q=01", 1),
    ("q=grosse", 1), ("q=größe", 1), ("q=o'brien", 1), ("q=film", 1), ("q=flakes on", 1), ("q=supra", 1), ("q=Growth", 4),
    ("q=161", 4), ("technique=SEM", 3), ("technique=SEM&q=gold", 2),
    ("sample=B", 1), ("category=Films", 1), ("type=simulation", 0),
    ("voltageMin=150000", 1), ("voltageMin=200000&voltageMax=200000", 1), ("from=2025-01-01", 3), ("to=2025-01-01", 1),
    ("from=2024-05-01T10:00:00Z&to=2024-05-01T10:00:01Z", 1), ("openOnly=true", 0), ("instrument=Supra 40", 1),
    ("format=zeiss-sem-tiff", 4), ("facility=none", 0), ("q=", 4), ("q=%2B %26 | ! ( ) * : ^ ~", 4), ("q=NEAR(gold wires)", 0),
    ('q="', 4), ("q=gold AND NOT wires", 0), ("q='; DROP TABLE measurement;--", 0), ("q=" + "x" * 1000, 0), ("q=\u202egold", 3),
    ("q=1.tif", 0), ("q=-gold", 3), ("q=text:gold", 0), ("sort=started", 4),
]  # fmt: skip
REFUSED = [
    "limit=201", "limit=0", "voltageMin=nan", "voltageMin=1e999", "from=yesterday", "sort=best",
    "cursor=%00", "cursor=bm8", "q=" + "x" * 1001, "type=proposal"
]  # fmt: skip


def test_what_is_asked_is_found(filled):
    for query, expected in FOUND:
        answer = filled.get(f"/search?{query}&count=true&facets=true")
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (len(found["items"]), found["total"], found["facets"]["counted"]) == (expected,) * 3, query


@pytest.mark.parametrize("few", [0, 2, 3])
def test_it_is_found_whichever_way_the_database_goes_about_it(filled, monkeypatch, few):
    monkeypatch.setattr(search, "FEW", few)  # below it something is looked up first, else it is asked row by row
    for query, expected in FOUND:
        for sort in ("recent", "started"):
            page = filled.get(f"/search?{query}&sort={sort}&facets=true&count=true").json()
            assert (len(page["items"]), page["total"], page["facets"]["counted"]) == (expected,) * 3, query
            first = filled.get(f"/search?{query}&sort={sort}&limit=1").json()["items"]
            assert [each["id"] for each in first] == [each["id"] for each in page["items"][:1]], query


def test_years_and_months_lead_to_what_they_count(filled):
    facets = filled.get("/search?facets=true").json()["facets"]
    assert facets["year"] == [
        {"value": "2026", "count": 2},
        {"value": "2025", "count": 1},
        {"value": "2024", "count": 1},
    ]
    assert [each["value"] for each in facets["month"]] == ["2026-11", "2025-05", "2024-05"]
    for each in facets["year"]:
        year = int(each["value"])
        page = filled.get(f"/search?from={year}-01-01&to={year + 1}-01-01&facets=true").json()
        assert (len(page["items"]), page["facets"]["year"]) == (each["count"], [each])


def test_what_is_no_question_is_refused(filled):
    for query in REFUSED:
        assert filled.get(f"/search?{query}").status_code in (400, 422), query


@pytest.mark.parametrize("sort", ["recent", "started"])
def test_pages_hold_everything_once(filled, sort):
    address, names = f"/search?limit=1&sort={sort}", []
    while address:
        page = filled.get(address).json()
        names += [each["measurementName"] for each in page["items"]]
        address = page["links"]["next"]
    whole = [each["measurementName"] for each in filled.get(f"/search?sort={sort}").json()["items"]]
    assert names == whole
    assert len(set(names)) == 4
    if sort == "started":
        starts = [each.get("startTime") for each in filled.get("/search?sort=started").json()["items"]]
        assert starts == sorted(starts, reverse=True)


def test_a_hit_says_where_in_plain_text(filled):
    (found,) = filled.get("/search?q=wires 01").json()["items"]
    assert found["highlight"][0] == {"field": "measurementName", "text": "Gold_wires_01.tif", "at": [[5, 10], [11, 13]]}
    (odd,) = filled.get("/search?q=film").json()["items"]
    assert odd["measurementName"] == "O'Brien's <b>film</b>"


def test_datacite_has_what_datacite_wants(node, filled):
    (found,) = filled.get("/search?q=graphene").json()["items"]
    curie = {"familyName": "Curie", "givenName": "Marie", "orcid": "0000-0002-1825-0097"}
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": "*"}
    path = f"/measurements/{found['id']}/export?format=datacite-json"
    before = filled.get(path).json()
    assert before["creators"] == [{"name": ":unkn"}]
    patch = {"principalInvestigator": curie}
    assert node.as_("admin").patch(f"/proposals/{found['proposalId']}", json=patch, headers=headers).status_code == 200
    answer = filled.get(path)
    record = answer.json()
    assert answer.headers["Content-Type"] == "application/vnd.datacite.datacite+json"
    for name in ("identifiers", "creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"):
        assert record[name], name
    assert re.fullmatch(r"\d{4}", record["publicationYear"])
    assert record["types"]["resourceTypeGeneral"] in RESOURCE_TYPES
    assert record["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    assert record["creators"][0]["name"] == "Curie, Marie"
    assert record["creators"][0]["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert all(each["dateType"] in DATE_TYPES and DATE.fullmatch(each["date"]) for each in record["dates"])
    assert all(each["descriptionType"] in DESCRIPTION_TYPES for each in record["descriptions"])
    assert all(
        {"alternateIdentifier", "alternateIdentifierType"} == each.keys() for each in record["alternateIdentifiers"]
    )


def test_an_ro_crate_names_its_files_and_every_reference_is_there(filled):
    (found,) = filled.get("/search?q=supra").json()["items"]
    crate = filled.get(f"/measurements/{found['id']}/export?format=ro-crate").json()
    things = {each["@id"]: each for each in crate["@graph"]}
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert things["ro-crate-metadata.json"]["about"] == {"@id": "./"}
    assert things["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert {"name", "description", "datePublished", "license"} <= things["./"].keys()
    (part,) = things["./"]["hasPart"]
    assert things[part["@id"]]["@type"] == "File"
    assert filled.get(part["@id"]).content == b"3"
    references = re.findall(r'\{"@id": ?"([^"]+)"\}', json.dumps(crate["@graph"]))
    assert set(references) - {"https://w3id.org/ro/crate/1.1"} <= set(things)
    assert filled.get(f"/measurements/{found['id']}/export?format=marc").status_code == 422


def test_the_licence_of_the_policy_holds_where_a_file_names_none(node, filled):
    own = item("own", {"own.tif": b"own"}, measurement=said("owned"))
    own["assets"][0]["intellectualPropertyRights"] = "MIT"
    delivered(filled, (own, [b"own"]))
    (bare,), (named,) = (filled.get(f"/search?q={word}").json()["items"] for word in ("graphene", "owned"))

    def exported(found, form):
        return filled.get(f"/measurements/{found['id']}/export?format={form}").json()

    assert "rightsList" not in exported(bare, "datacite-json"), "the default policy names none"
    chief, headers = node.as_("admin"), {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    policy = chief.post("/policies", json={"policyName": "Open", "defaultLicence": "CC-BY-4.0"}).json()
    patched = chief.patch(f"/proposals/{bare['proposalId']}", json={"policyId": policy["id"]}, headers=headers)
    assert patched.status_code == 200
    (rights,) = exported(bare, "datacite-json")["rightsList"]
    assert rights["rights"].startswith("CC-BY-4.0 (default of the proposal's data policy")
    assert exported(named, "datacite-json")["rightsList"] == [{"rights": "MIT"}]
    things = {each["@id"]: each for each in exported(bare, "ro-crate")["@graph"]}
    (file,) = (each for each in things.values() if each["@type"] == "File")
    assert things[file["license"]["@id"]]["name"] == "CC-BY-4.0"
    assert "default of the proposal's data policy" in things["./"]["license"]
    assert {each["license"] for each in exported(named, "ro-crate")["@graph"] if each["@type"] == "File"} == {"MIT"}
    person = Person(node, node.token("depositor"))
    assert (
        'CC-BY-4.0 <span class="quiet">by the proposal\'s policy</span>'
        in person.get(f"/measurements/{bare['id']}").text
    )
    assert "by the proposal's policy" not in person.get(f"/measurements/{named['id']}").text
    for asset in filled.get("/dataassets?limit=50").json()["items"]:
        assert asset.get("intellectualPropertyRights") in (None, "MIT"), "it is written into no asset"
        elsewhere = {"uri": "https://archive.example.org/1", "accessMode": "external"}
        assert not policies.falls_under(asset | {"locations": [elsewhere]}), "another archive's rules hold there"


def test_the_command_line_lists_what_a_node_holds(node, filled):
    told = {name: value for name, value in os.environ.items() if name != "NFFA_TOKEN"}
    token = filled.headers["Authorization"].removeprefix("Bearer ")
    search = [sys.executable, "-m", "nffa_cli", "search", "--at", node.url, "--json"]

    def lines(*words, token=token):
        environment = told | ({"NFFA_TOKEN": token} if token else {})
        done = subprocess.run([*search, *words], capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    *hits, summary = lines()
    assert summary == {"type": "summary", "measurements": 4}
    assert {hit["type"] for hit in hits} == {"measurement"}
    assert [each["relativePath"] for each in hits[0]["assets"]] == ["3.tif"]
    assert [hit["measurementName"] for hit in lines("gold", "wires*")[:-1]] == ["gold wires 02", "Gold_wires_01.tif"]
    assert lines(token=None) == [{"type": "summary", "measurements": 0}]
