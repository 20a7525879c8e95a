"""Every crosswalk that ships: it loads, its terms exist, its units fit, no term stands twice, its examples hold."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from nffa_cli.crosswalk import check, digests, load, transforms, units, vocabulary

FOLDER = Path(__file__).parents[2] / "crosswalks"
WORDS = vocabulary.load(FOLDER)
FILES = check.files(FOLDER)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_crosswalk_is_right(path):
    problems = check.check(path, WORDS)
    assert not problems, "\n".join(f"{each.where}: {each.what} {each.hint or ''}" for each in problems)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_crosswalk_has_examples(path):
    assert check.examples(path) or load.load(path).file != path.name, f"write {path.stem}.examples.yaml"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tags_that_name_the_operator_are_personal(path):
    crosswalk = load.load(path)
    root = re.sub(r"\{.*?\}", "anchor", crosswalk.root)

    def full(written):
        inner = written[1:] if written.startswith("/") else f"{root}.{written}" if root else written
        return re.sub(r"\{.*?\}", "anchor", inner)

    globs = [full(glob) for glob in crosswalk.personal]
    for item in crosswalk.fields:
        if item.name.startswith("operator."):
            named = [full(place) for rule in item.rules for _, places in rule.inputs for place in places]
            open_ = [place for place in named if not any(fnmatchcase(place, glob) for glob in globs)]
            # an anchor stands for a place inside what the glob's star covers
            assert [
                place for place in open_ if not any(place.endswith(glob.rpartition("*.")[2]) for glob in globs)
            ] == []


def test_every_example_file_has_its_crosswalk():
    beside = {path.name.removesuffix(check.EXAMPLES) for path in (FOLDER / "inward").glob(f"*{check.EXAMPLES}")}
    assert beside <= {path.stem for path in FILES}


def test_every_format_has_a_digest():
    assert set(digests.by_format(FOLDER)) >= {path.stem for path in FILES}


def test_every_transform_is_described():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in transforms.TABLE if f"`{name}`" not in text] == []


@pytest.mark.parametrize("term", WORDS.terms.values(), ids=lambda term: term.name)
def test_term_is_well_made(term):
    assert term.definition[0].isupper()
    assert term.definition.endswith(".")
    assert len(term.name.split(".")) == 2
    if term.unit:
        assert units.canonical(term.unit) == (1.0, term.unit)


def test_an_example_that_names_no_warning_fails_where_one_comes(tmp_path):
    for name in ("blockfile.yaml", f"blockfile{check.EXAMPLES}"):
        text = (FOLDER / "inward" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("25570.0]", "1.0]"), encoding="utf-8")
    problems = check.check(tmp_path / "blockfile.yaml", WORDS)
    assert ["implausible" in each.what for each in problems] == [True]
