"""What is due, and why; and what is in a bundle, as pure functions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nffa_cli.catalogue.outbox import Candidate, Stub
from nffa_cli.crosswalk import outward
from nffa_cli.delivery import bundle, delivering
from nffa_cli.delivery.delivering import Knowledge
from nffa_cli.delivery.syncing import rate
from nffa_cli.destinations import bag, registry
from nffa_cli.destinations.pace import Pace
from nffa_cli.errors import ConfigError, UsageError
from nffa_cli.records import Quantity, Record

KNOWN = Knowledge({"tia": "walk-1"}, "1 shape")
SHAPE = outward.load(Path(__file__).parents[2] / "crosswalks" / "outward" / "nffa.yaml")
NEW = Candidate(
    1, "id", "/data/a.emi", "digest", "tia", "main", None, "walk-1", "made", " ", "", "p.jpg", "s", 1, None, None
)


def sent(candidate=NEW, context="c1", state="done", reason=None, knowledge=KNOWN):
    """The candidate as it stands after it was sent like that."""
    decision = delivering.due(candidate, context, knowledge)
    return replace(candidate, stub=Stub(state, reason, decision.token, decision.proposal, decision.experiment, 1))


def due(candidate, context="c1", knowledge=KNOWN):
    found = delivering.due(candidate, context, knowledge)
    return found.action, found.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"digest": "other"}, "changed"),
        ({"path": "/data/b.emi"}, "changed"),
        ({"opinions": "4 "}, "label-changed"),
        ({"exports": "x.nxs"}, "export-changed"),
        ({"preview": None}, "preview-changed"),
        ({"digest": "other", "opinions": "4 "}, "changed, label-changed"),
    ],
)
def test_what_changed_is_due_and_named(change, reason):
    assert due(replace(sent(), **change)) == ("send", reason)


def test_nothing_is_due_twice():
    assert due(NEW) == ("send", "new")
    assert due(sent()) == ("nothing", "unchanged")
    assert due(sent(), context="c2") == ("send", "session-changed")
    assert due(sent(), knowledge=replace(KNOWN, crosswalks={"tia": "walk-2"})) == ("send", "newer-crosswalk")
    assert due(sent(), knowledge=replace(KNOWN, outward="1 other")) == ("send", "newer-crosswalk")
    assert due(sent(), knowledge=replace(KNOWN, link=True)) == ("send", "options-changed")
    said = replace(KNOWN, proposals={"161": {"proposalTitle": "Wires"}})
    assert due(sent(), knowledge=said) == ("nothing", "unchanged")
    found = delivering.due(sent(), "c1", said, named="161")
    assert (found.action, found.reason) == ("send", "proposal-changed")


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("sending", ("send", "interrupted")),
        ("failed", ("send", "failed-before")),
        ("again", ("send", "again")),
        ("waiting", ("wait", "why")),
        ("conflict", ("wait", "why")),
        ("dropped", ("nothing", "dropped")),
    ],
)
def test_how_it_stands_decides(state, wanted):
    assert due(sent(state=state, reason="why")) == wanted


def test_what_the_command_line_said_once_is_remembered():
    told = replace(KNOWN, proposal="161")
    first = sent(knowledge=told)
    assert due(first) == ("nothing", "unchanged")
    assert delivering.due(first, "c1", KNOWN).proposal == "161"


def material(**more):
    terms = {
        "proposal.id": Quantity("161", None, "nffa-session.yaml/proposal.id", "161"),
        "beam.accelerating_voltage": Quantity(2e5, "V", "tree.HV", "200 kV"),
    }
    return replace(
        bundle.Material(
            "id", "/data/a.emi", "d" * 64, Record("tia", terms, ()), b"{}",
            [bundle.LocalFile("main", "/data/a.emi", 3, "a" * 64), bundle.LocalFile("sidecar", "/other/A.EMI", 3, "b" * 64)],
            {}, {},
        ),
        **more,
    )  # fmt: skip


def make(given, **more):
    return bundle.make(given, SHAPE, proposal=None, experiment=None, **more)


def test_a_bundle_says_what_is_known_and_invents_nothing():
    made = make(material())
    assert made.proposal == {"proposalId": "161"}
    assert made.experiment == {"experimentName": bundle.UNNAMED}
    assert made.measurement["settings"] == {
        "beam.accelerating_voltage": {"value": 2e5, "unit": "V", "source": "tree.HV"}
    }
    assert made.measurement["technique"] == "TEM"
    assert not {"startTime", "sample", "category", "measurementDescription"} & set(made.measurement)
    assert "dateOfCollection" not in made.assets[0].fields
    assert [asset.relative_path for asset in made.assets] == ["a.emi", "A-2.EMI", "a.emi.metadata.json"]
    assert make(material()).digest == made.digest
    assert make(material(raw=b"{ }")).digest != made.digest


def test_a_bundle_needs_a_proposal():
    record = Record("tia", {}, ())
    assert make(material(record=record)) is None
    assert bundle.make(material(record=record), SHAPE, proposal="7", experiment="E").proposal == {"proposalId": "7"}


def test_a_persons_word_stands_over_the_models_and_both_go_along():
    model = {"label": "Tips", "score": 0.9, "decision": "accepted"}
    both = {"persons": [{"label": "Nanowires", "labeller": "operator-1"}], "model": model}
    made = make(material(seen=both))
    assert made.measurement["category"]["label"] == "Nanowires"
    assert made.documents[bundle.DOCUMENT]["classification"] == both
    assert make(material(seen={"model": model})).measurement["category"]["label"] == "Tips"
    unsure = make(material(seen={"model": {**model, "decision": "uncertain"}})).measurement["category"]
    assert (unsure["label"], unsure["decision"]) == (None, "uncertain")


def test_texts_that_no_database_holds_are_replaced():
    terms = {"acquisition.note": Quantity("a\0b\ud800c", None, "x", "a\0b\ud800c")}
    made = bundle.make(material(record=Record("tia", terms, ())), SHAPE, proposal="7", experiment=None)
    said = json.dumps([made.measurement, made.documents])
    assert "\\u0000" not in said
    assert "\\ud800" not in said


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("https://Node.example.org/", "idrp", "https://node.example.org"),
        ("davs://cloud/remote.php/dav", "webdav", "davs://cloud/remote.php/dav"),
        ("file:///media/disk", "folder", "/media/disk"),
        ("/media/disk/", "folder", "/media/disk"),
    ],
)
def test_addresses(text, kind, address):
    place = registry.of_address(text)
    assert (place.kind, place.address) == (kind, address)


@pytest.mark.parametrize("text", ["ftp://x", "https://user:secret@host"])
def test_addresses_that_are_none(text):
    with pytest.raises(UsageError) as caught:
        registry.of_address(text)
    assert "secret" not in str(caught.value)


def test_a_kind_that_is_not_installed():
    with pytest.raises(ConfigError):
        registry.make(registry.Place("x", "s3", "s3://x"))


@pytest.mark.parametrize(
    ("text", "wanted"), [("", None), ("500K", 512000.0), ("2M", 2097152.0), ("1.5 k", 1536.0), ("100", 100.0)]
)
def test_rates(text, wanted):
    assert rate(text) == wanted


def test_a_pace_is_held():
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    pace = Pace(1000.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(100):
        pace.spend(100)
    assert 9.0 <= now[0] <= 10.0


@pytest.mark.parametrize(
    "name",
    ["../../x", "CON.txt", "a/b", "a:b", ".", "..", "", "x" * 300 + ".tif", "dot. ", "x" * 119 + " " + "y" * 20,
     ". " * 200 + "y" * 20, "é" * 300 + ".ééééé"],
)  # fmt: skip
def test_names_for_any_file_system(name):
    found = bag.safe(name)
    assert found
    assert found not in (".", "..")
    assert not set(found) & set('<>:"/\\|?*')
    assert len(found.encode()) <= bag.LONGEST
    assert found == found.rstrip(". ")
    assert bag.safe(found) == found
