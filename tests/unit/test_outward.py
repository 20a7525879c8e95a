"""Outward crosswalks: every mistake is told with its line, the shipped one is right, and it can be read backwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from nffa_cli.crosswalk import check, merge, outward, vocabulary
from nffa_cli.errors import CrosswalkError

FOLDER = Path(__file__).parents[2] / "crosswalks"
WORDS = vocabulary.load(FOLDER)
SHIPPED = outward.load(FOLDER / "outward" / "nxem.yaml")

HEAD = """\
outward: mine
version: 1
definition: {name: Mine, release: "1"}
places: {deep: a/b}
groups:
  sample: {class: NXsample, needs: [name]}
  a: NXa
  deep: NXb
fields:
  - {term: sample.name, to: sample/name}
"""


def written(tmp_path, more, head=HEAD):
    path = tmp_path / "mine.yaml"
    path.write_text(head + more)
    return path


@pytest.mark.parametrize(
    ("more", "line", "what"),
    [
        ("  - {term: sample.name, from: x}\n", 11, "unknown key 'from' in a field"),
        ("  - {term: sample.name}\n", 11, "a field has no 'to'"),
        ("  - {to: title}\n", 11, "'title' needs one of 'term', 'terms' and 'value'"),
        ("  - {to: title, term: a, value: b}\n", 11, "'title' needs one of"),
        ("  - {to: x/title, term: sample.name}\n", 11, "which 'groups' does not name"),
        ("  - {to: title, term: stage.x, unit: parsec}\n", 11, "unknown unit 'parsec'"),
        ("  - {to: title, term: stage.x, type: number}\n", 11, "numbers have a unit"),
        ("  - {to: title, term: stage.x, type: float}\n", 11, "type of 'title' must be one of"),
        ("  - {to: title, value: a, match: '(x)'}\n", 11, "no group (?P<value>"),
        ("  - {to: title, value: a, match: '('}\n", 11, "no pattern"),
        ("  - {to: title, value: a, at_least: {stage.x: much}}\n", 11, "a number with its unit"),
        ("  - {to: title, term: a, any: [{term: b}]}\n", 11, "has both 'any' and 'term'"),
        ("  - {to: title, any: []}\n", 11, "'any' of 'title' is empty"),
        ("  - {to: title, term: a, open: maybe}\n", 11, "must be true or false"),
        ("  - {to: title, term: a, supply: {oracle: b}}\n", 11, "unknown key 'oracle' in supply"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, more, line, what):
    with pytest.raises(CrosswalkError) as caught:
        outward.load(written(tmp_path, more))
    assert what in caught.value.what
    assert caught.value.where.endswith(f"mine.yaml:{line}")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("outward: mine", "outward: yours", "must be called yours.yaml"),
        ("version: 1", "version: one", "whole number"),
        ("needs: [name]", "needs: [nme]", "needs 'nme', which no field fills"),
        ("  a: NXa\n", "", "lies in 'a', which has no class yet"),
        ('release: "1"', "url: x", "definition needs a name and a release"),
    ],
)
def test_a_mistake_in_the_head_is_told(tmp_path, old, new, what):
    with pytest.raises(CrosswalkError, match=what):
        outward.load(written(tmp_path, "", HEAD.replace(old, new)))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("  - {term: sample.nam, to: title}\n", "no term 'sample.nam'"),
        ("  - {value: x, to: title, when: {sample.nam: y}}\n", "no term 'sample.nam'"),
        ("  - {value: x, to: title, attributes: {v: {term: sample.nam}}}\n", "no term 'sample.nam'"),
        ("  - {term: sample.name, to: sample/name}\n", "'sample/name' is filled on line 10 already"),
        ("  - {term: stage.x, to: title, unit: V}\n", "cannot become"),
        ("  - {term: stage.x, to: title}\n", "'stage.x' is a number, the place takes a text"),
        ("  - {term: sample.name, to: title, unit: m}\n", "'sample.name' is a text"),
        ("  - {value: x, to: title, at_least: {beam.accelerating_voltage: 3 m}}\n", "cannot become"),
    ],
)
def test_check_holds_it_against_the_vocabulary(tmp_path, more, what):
    problems = check.check(written(tmp_path, more), WORDS)
    assert [what in problem.what for problem in problems][:1] == [True], problems
    assert problems[0].where.endswith("mine.yaml:11")


def test_check_of_a_folder_sees_the_shipped_one():
    assert [path.name for path in check.outward_files(FOLDER)] == ["nffa.yaml", "nxem.yaml"]
    assert check.check(FOLDER / "outward", WORDS) == []
    assert check.check(FOLDER / "outward" / "nxem.yaml", WORDS) == []


def test_every_term_has_a_place_in_the_nffa_model():
    shape = outward.load(FOLDER / "outward" / "nffa.yaml")
    asked = {name for field in shape.fields for rule in field.rules for name in rule.asked}
    assert set(WORDS.terms) - asked == {"data.licence"}, "which every file bears (bundle.py)"


def test_places_are_written_out_and_found_again(tmp_path):
    shape = outward.load(written(tmp_path, "  - {term: stage.x, to: deep/x, unit: mm}\n"))
    assert shape.field("a/b/x").terms == ("stage.x",)
    assert shape.places("stage.x") == ("a/b/x",)
    assert shape.field("a/b/y") is None


def test_an_empty_place_leads_to_the_term_and_to_who_can_say_it():
    field = SHIPPED.field("sample/atom_types")
    assert (field.terms, field.supply.session, field.supply.profile) == (
        ("sample.atom_types",), "sample.atom_types", None
    )  # fmt: skip
    assert SHIPPED.field("measurement/instrument/fabrication/vendor").supply == ("instrument.vendor", "vendor")
    assert SHIPPED.field("start_time").supply == ("instrument.timezone", "timezone")
    assert SHIPPED.field("sample/is_simulation").terms == ("sample.is_simulation",)


def test_what_a_session_says_of_the_sample_the_people_and_the_instrument_has_a_place():
    asked = {term for term in merge.SESSION_TERMS.values() if term.startswith(("sample.", "operator.", "instrument."))}
    assert asked <= set(SHIPPED.terms)
