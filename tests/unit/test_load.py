"""Crosswalk files: what is understood, and that each mistake names its line."""

from __future__ import annotations

import time

import pytest

from nffa_cli.crosswalk import document, load, vocabulary
from nffa_cli.errors import CrosswalkError

HEAD = "crosswalk: x\nversion: 1\n"


def loaded(folder, text, name="x"):
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return load.load(path)


def test_rules_know_their_lines(tmp_path):
    table = loaded(
        tmp_path,
        HEAD
        + """root: 34682
fields:
  - term: acquisition.start
    unless: {A: Off}
    any:
      - {from: T, using: filetime}
      - from: {date: D, time: [U, V]}
        using: local_datetime
        with: {order: MDY}
  - {term: instrument.vendor, value: FEI}
axes:
  x: {from: P, unit: {from: P_unit, else: nm}}
ignore: B.*
""",
    )
    start, vendor = table.fields
    assert (table.root, start.line, vendor.line) == ("34682", 5, 12)
    assert [rule.line for rule in start.rules] == [8, 9]
    assert start.rules[1].inputs == (("date", ("D",)), ("time", ("U", "V")))
    assert all(rule.unless == (("A", ("Off",)),) for rule in start.rules)
    assert vendor.rules[0].constant == ("FEI",)
    assert (table.axes[0].rules[0].unit, table.axes[0].rules[0].unit_from) == ("nm", ("P_unit",))
    assert table.ignore == ("B.*",)
    assert set(table.paths) == {"T", "D", "U", "V", "A", "P", "P_unit"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("crosswalk: x\n", 1, "'version' is missing"),
        ("crosswalk: y\nversion: 1\n", 1, "must be called y.yaml"),
        ("crosswalk: x\nversion: one\n", 2, "version"),
        (HEAD + "field: []\n", 3, "unknown key 'field'"),
        (HEAD + "fields:\n  - term: a\n    form: b\n", 5, "unknown key 'form'"),
        (HEAD + "fields:\n  - term: a\n", 4, "either 'from' or 'value'"),
        (HEAD + "fields:\n  - from: a\n", 4, "no term"),
        (HEAD + "fields:\n  - {term: a, from: b, using: quantiti}\n", 4, "unknown transform"),
        (HEAD + "fields:\n  - {term: a, from: {x: b}}\n", 4, "no input 'x'"),
        (HEAD + "fields:\n  - {term: a, from: b, any: [{from: c}]}\n", 4, "both 'any' and 'from'"),
        (HEAD + "fields:\n  - {term: a, from: b, term: c}\n", 4, "written twice"),
        (HEAD + "fields: &a []\n", 3, "anchors"),
        (HEAD + "fields: !!python/name:os.system []\n", 3, "tags"),
        (HEAD + "fields: [\n", 4, "no valid YAML"),
        (HEAD + "fields: " + "[" * 100 + "]" * 100 + "\n", 3, "nested too deeply"),
        (HEAD + "---\na: 1\n", 3, "more than one document"),
        ("- a\n", 1, "must be a mapping"),
    ],
)
def test_a_mistake_names_its_line(tmp_path, text, line, says):
    with pytest.raises(CrosswalkError) as found:
        loaded(tmp_path, text)
    assert found.value.where == f"{tmp_path / 'x.yaml'}:{line}"
    assert says in found.value.what


def test_the_nearest_key_is_hinted(tmp_path):
    with pytest.raises(CrosswalkError) as found:
        loaded(tmp_path, HEAD + "fields:\n  - {term: a, from: b, usign: ratio}\n")
    assert found.value.hint == "did you mean 'using'?"


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a: \x00", b"- " * 200_000, b"{" * 100_000, b"a: *b", b"\t"])
def test_hostile_bytes_are_an_error(data):
    with pytest.raises(CrosswalkError):
        document.parse(data, name="x.yaml")


def test_scalars_are_read_as_json_would():
    node = document.parse(b"[On, yes, 12:30, 2020-01-01, 1e-3, 010, 7, -1.5, ~, true, '5', 1_000]", name="x").root
    assert node.python() == ["On", "yes", "12:30", "2020-01-01", 1e-3, "010", 7, -1.5, None, True, "5", "1_000"]


def test_formats_share_and_fall_back(tmp_path):
    loaded(tmp_path, "crosswalk: a\nversion: 1\nfields: [{term: t, from: p}]\n", "a")
    loaded(tmp_path, "crosswalk: rosetta\nversion: 1\n", "rosetta")
    (tmp_path / "b.yaml").write_text("crosswalk: b\nversion: 1\nsame_as: a\n")
    shared = load.for_format("b", tmp_path)
    assert (shared.format, shared.file, len(shared.fields)) == ("b", "a.yaml", 1)
    assert shared.sha256 != load.for_format("a", tmp_path).sha256
    assert load.for_format("rosetta-ripple", tmp_path).format == "rosetta"
    assert load.for_format("unheard-of", tmp_path) is None
    (tmp_path / "c.yaml").write_text("crosswalk: c\nversion: 1\nsame_as: b\n")
    with pytest.raises(CrosswalkError, match="itself the same"):
        load.for_format("c", tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: {type: number, definition: d}", "unit"),
        ("a: {type: text, unit: V, definition: d}", "unit"),
        ("a: {type: number, unit: kV, definition: d}", "no canonical unit"),
        ("a: {type: float, unit: V, definition: d}", "type"),
        ("a: {type: text}", "definition"),
        ("a: {type: number, unit: V, definition: d, plausible: [2, 1]}", "plausible"),
    ],
)
def test_a_wrong_vocabulary_is_refused(tmp_path, text, says):
    (tmp_path / "vocabulary.yaml").write_text(text)
    with pytest.raises(CrosswalkError, match=says) as found:
        vocabulary.load(tmp_path)
    assert found.value.where.endswith(":1")


def test_loading_is_cheap(tmp_path, request):
    """A 150-line file and the vocabulary: measured 4 ms; the worker pays it once a format."""
    shipped = request.config.rootpath / "crosswalks"
    rules = "".join(f"  - term: t{n}\n    from: [A.B{n}, C.D{n}]\n    unit: mm\n    absent: [0]\n" for n in range(37))
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + "fields:\n" + rules)
    best = 1.0
    for _ in range(5):
        vocabulary.load.cache_clear()
        began = time.process_time()
        vocabulary.load(shipped)
        load.load(path)
        best = min(best, time.process_time() - began)
    assert best < 0.016
