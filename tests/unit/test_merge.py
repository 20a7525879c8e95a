"""What session and profile add: precedence, conflicts, sources, and which profile is the instrument's."""

from __future__ import annotations

from pathlib import Path

import pytest

from nffa_cli.crosswalk import vocabulary
from nffa_cli.crosswalk.merge import PROFILE_TERMS, SESSION_TERMS, match_profile, merge, same
from nffa_cli.records import Quantity, Record

WORDS = vocabulary.load(Path(__file__).parents[2] / "crosswalks")


def record(**terms):
    held = {f"instrument.{name}": Quantity(value, None, f"tag/{name}", value) for name, value in terms.items()}
    return Record("x", held, ())


def test_every_key_leads_to_a_term():
    assert set(SESSION_TERMS.values()) | set(PROFILE_TERMS.values()) <= set(WORDS.terms)


def test_file_over_session_over_profile():
    session = {"instrument": {"vendor": "Zeiss", "model": "Auriga"}, "sample": {"name": "wires", "atom_types": ["Si"]}}
    profile = {"name": "sem1", "model": "Sigma", "serial": "7", "facility": "Lab"}
    made = merge(record(vendor="Carl Zeiss"), session, profile, WORDS)
    shown = {name: (held.value, held.source) for name, held in made.terms.items()}
    assert shown == {
        "instrument.vendor": ("Carl Zeiss", "tag/vendor"),
        "instrument.model": ("Auriga", "nffa-session.yaml/instrument.model"),
        "instrument.serial": ("7", "profile:sem1/serial"),
        "instrument.facility": ("Lab", "profile:sem1/facility"),
        "sample.name": ("wires", "nffa-session.yaml/sample.name"),
        "sample.atom_types": (["Si"], "nffa-session.yaml/sample.atom_types"),
    }
    assert made.warnings == ()
    assert "sample.name" not in made.missing
    assert "acquisition.start" in made.missing


def test_a_conflict_names_both():
    made = merge(record(vendor="FEI"), {"instrument": {"vendor": "JEOL"}}, None, WORDS)
    assert made.terms["instrument.vendor"].value == "FEI"
    (remark,) = made.warnings
    assert remark.code == "conflict"
    assert "tag/vendor" in remark.detail
    assert "nffa-session.yaml/instrument.vendor" in remark.detail


def test_numbers_and_flags_of_the_forms():
    made = merge(
        record(), {"proposal": {"id": 161}, "sample": {"is_simulation": False}, "licence": "CC0-1.0"}, {}, WORDS
    )
    assert made.terms["proposal.id"].value == "161"
    assert made.terms["sample.is_simulation"].value is False
    assert made.terms["data.licence"].value == "CC0-1.0"


def test_nothing_adds_nothing():
    before = record(vendor="FEI")
    assert merge(before, None, None, WORDS).terms == before.terms


PROFILES = [
    {"name": "any-zeiss", "vendor": "Zeiss"},
    {"name": "auriga", "vendor": "Zeiss", "model": "Auriga"},
    {"name": "auriga-18", "model": "Auriga", "serial": "60-46-18"},
    {"name": "titan", "vendor": "FEI", "model": "Titan"},
]


@pytest.mark.parametrize(
    ("known", "session", "name"),
    [
        ({"vendor": "Carl Zeiss", "model": "AURIGA", "serial": "60-46-18"}, None, "auriga-18"),
        ({"vendor": "Zeiss", "model": "Auriga", "serial": "other"}, None, "auriga"),
        ({"vendor": "Zeiss", "model": "Sigma"}, None, "any-zeiss"),
        ({"vendor": "JEOL"}, None, None),
        ({}, None, None),
        ({}, {"instrument": {"model": "Titan"}}, "titan"),
    ],
)
def test_the_profile_that_fits_best(known, session, name):
    found = match_profile(record(**known), PROFILES, session)
    assert (found or {}).get("name") == name


def test_two_equal_profiles_are_not_guessed():
    twins = [{"name": "one", "model": "Titan"}, {"name": "two", "model": "Titan"}]
    assert match_profile(record(model="Titan"), twins) is None


def test_same():
    assert same('Helios NanoLab" 660', "Helios NanoLab 660")
    assert same(["Si", "O"], ["O", "Si"])
    assert not same(True, "true")
    assert not same("60", "60-46-18")
