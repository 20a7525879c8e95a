"""What an update would change, told field by field: a pure comparison of a bundle with what is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nffa_cli.delivery.differing import changes, told
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery, Holding, Plan

MAIN = AssetFile("main", "a.tif", "a.tif", None, b"", 3, "a" * 64, "image/tiff", "raw", {"accessMode": "managed"})
SAID = {
    "dataAssetName": "a.tif", "dataAssetType": "raw", "role": "main", "dataSize": 3, "mediaType": "image/tiff",
    "dataChecksum": {"algorithm": "sha-256", "value": "a" * 64}, "accessMode": "managed",
}  # fmt: skip
VOLTAGE = {"value": 10000.0, "unit": "V", "source": "tree.HV"}
SAMPLE = {"sampleName": "W11", "atomTypes": ["Si", "O"]}
RECORD = {"terms": {"sample.name": {"value": "W11", "unit": None, "source": "s", "raw": "W11"}}, "missing": []}
BUNDLE = Bundle(
    "sha256:x", "id", "a.tif", {"proposalId": "161", "proposalTitle": "Wires"}, {"experimentName": "Growth"},
    {"measurementName": "a.tif", "sample": SAMPLE, "settings": {"beam.accelerating_voltage": VOLTAGE}},
    {"nffa-record": RECORD}, (MAIN,), "digest",
)  # fmt: skip
HELD = Holding(BUNDLE.proposal, BUNDLE.experiment, BUNDLE.measurement, BUNDLE.documents, {"a.tif": SAID})


def lines(bundle=BUNDLE, held=HELD, **measurement):
    """The changes as (field, old, new), of a bundle whose measurement says something else."""
    bundle = replace(bundle, measurement={**bundle.measurement, **measurement})
    return [(each.field, each.old, each.new) for each in changes(bundle, held)]


def test_nothing_differs_from_itself():
    assert lines() == []


def test_fields_are_named_with_what_was_and_what_will_be():
    title = {"proposalId": "161", "proposalTitle": "Nanowires"}
    assert lines(replace(BUNDLE, proposal=title), sample={"sampleName": "W12", "atomTypes": ["Ge"]}) == [
        ("proposal/proposalTitle", "Wires", "Nanowires"),
        ("measurement/sample/sampleName", "W11", "W12"),
        ("measurement/sample/atomTypes", "Si, O", "Ge"),
    ]


@pytest.mark.parametrize(
    ("voltage", "wanted"),
    [
        ({"value": 12500.0}, ("", "10 kV", "12.5 kV")),
        ({"value": 10000.01}, ("", "10000.0 V", "10000.01 V")),
        ({"source": "session"}, ("/source", "tree.HV", "session")),
        ({"value": 1.0, "unit": "1"}, ("", "10 kV", "1")),
    ],
)
def test_quantities_are_told_as_people_write_them(voltage, wanted):
    below, old, new = wanted
    place = f"measurement/settings/beam.accelerating_voltage{below}"
    assert lines(settings={"beam.accelerating_voltage": {**VOLTAGE, **voltage}}) == [(place, old, new)]


def test_what_comes_and_goes():
    category = {"label": "Tips", "decision": "confirmed", "score": None, "by": "person"}
    assert lines(sample=None, category=category) == [
        ("measurement/sample/sampleName", "W11", None),
        ("measurement/sample/atomTypes", "Si, O", None),
        ("measurement/category/label", None, "Tips"),
        ("measurement/category/decision", None, "confirmed"),
        ("measurement/category/by", None, "person"),
    ]
    nxem = replace(
        MAIN, role="nxem", name="a.nxs", relative_path="a.nxs", size=1_200_000, sha256="b" * 64, kind="nexus"
    )
    other = replace(MAIN, sha256="c" * 64)
    assert lines(replace(BUNDLE, assets=(other, nxem)), replace(HELD, assets={"a.tif": SAID, "a.jpg": SAID})) == [
        ("assets/a.tif/dataChecksum", "aaaaaaaaaaaa", "cccccccccccc"),
        ("assets/a.nxs", None, "1.2 MB"),
        ("assets/a.jpg", "3 B", None),
    ]


def test_documents_are_told_term_by_term():
    tilt = {"value": 54.0, "unit": "degree", "source": "x", "raw": "54"}
    name = {"value": "W12", "unit": None, "source": "s", "raw": "W12"}
    record = {"terms": {"sample.name": name, "stage.tilt_alpha": tilt}, "missing": ["operator.name"]}
    assert lines(replace(BUNDLE, documents={"nffa-record": record, "more": {"a": 1, "b": 2}})) == [
        ("documents/nffa-record/terms/sample.name", "W11", "W12"),
        ("documents/nffa-record/terms/stage.tilt_alpha", None, "54°"),
        ("documents/nffa-record/missing", None, "operator.name"),
        ("documents/more", None, "2 fields"),
    ]


def test_long_texts_are_cut_where_they_differ():
    text = "The first growth of wires on silicon, seen from above; " * 3
    bundle = replace(BUNDLE, measurement={**BUNDLE.measurement, "measurementDescription": text + "bent at the top"})
    held = replace(HELD, measurement={**BUNDLE.measurement, "measurementDescription": text + "straight"})
    assert lines(bundle, held) == [
        ("measurement/measurementDescription", "…n, seen from above; straight", "…n, seen from above; bent at the top"),
    ]


def test_of_long_lists_only_what_comes_and_goes_is_told():
    terms = [f"term.number_{each}" for each in range(9)]
    said = {"nffa-record": {**RECORD, "missing": terms}}
    missing = "documents/nffa-record/missing"
    for now, wanted in (([*terms[1:], "b"], ("term.number_0", "b")), (terms[1:], ("term.number_0", None))):
        bundle = replace(BUNDLE, documents={"nffa-record": {**RECORD, "missing": now}})
        assert lines(bundle, replace(HELD, documents=said)) == [(missing, *wanted)]
    bundle = replace(BUNDLE, documents={"nffa-record": {**RECORD, "missing": [each + "b" for each in terms]}})
    ((_, old, new),) = lines(bundle, replace(HELD, documents=said))
    assert (old.startswith("term.number_0, "), new.startswith("term.number_0b, ")) == (True, True)


def test_what_stays_there_and_what_is_not_known_is_not_named():
    bundle = replace(BUNDLE, proposal={"proposalId": "162", "proposalTitle": "Dots"})
    stays = replace(HELD, stays=frozenset({"proposal/proposalTitle", "measurement/sample"}))
    assert lines(bundle, stays, sample={"sampleName": "W12"}) == [("proposal/proposalId", "161", "162")]
    assert lines(bundle, replace(HELD, proposal=None)) == []


@pytest.mark.parametrize("word", [float("inf"), 10**400, {"a": [{"b": "c"}]}, [[1], [2]], "x" * 10_000, True])
def test_whatever_a_destination_says_is_told_shortly(word):
    held = {**BUNDLE.measurement, "settings": {"beam.accelerating_voltage": {"value": word, "unit": "V"}}, "x": word}
    for _, old, new in lines(held=replace(HELD, measurement=held)):
        assert old != new
        assert all(each is None or len(each) <= 62 for each in (old, new))


def test_without_an_answer_nothing_is_said():
    assert told(Plan(Delivery(BUNDLE), "create")) is None
    assert told(Plan(Delivery(BUNDLE), "update", held=HELD)) == []
