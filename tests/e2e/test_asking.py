"""What a person asks of single files and folders: inspect by pattern, several at once, explain, coverage."""

from __future__ import annotations

import pytest

from tests.e2e.room import zeiss


def test_a_pattern_that_names_sidecars_too_reads_each_acquisition_once(room):
    room.put("x.tif")
    room.put("x.txt", b"$CM_FORMAT JEOL\n")
    room.put("y.tif")
    run = room.json("inspect", "inbox/x.tif", "inbox/x.txt", "inbox/y.tif", "inbox/y.tif")
    assert set(run.outcomes) == {"x.tif", "y.tif"}


def test_nothing_is_read_when_one_of_the_paths_is_wrong(room):
    room.put("a.tif")
    run = room.json("inspect", "inbox/a.tif", "inbox/b.tif")
    assert run.status == 2
    assert "inbox/b.tif" in run.err
    assert not run.lines


def test_several_readers_tell_the_same_in_the_same_order(room):
    for number in range(9):
        room.put(f"{number}.tif", zeiss(seed=number))
    room.put("cut.tif", zeiss()[:-9])
    assert room.json("inspect", "inbox", "--jobs", "2").lines[:-1] == room.json("inspect", "inbox").lines[:-1]


def test_explain_ends_with_an_outcome_and_tells_what_the_session_adds(room):
    room.put("a.tif")
    room.put("nffa-session.yaml", b"sample: {name: W12}\n")
    run = room.json("crosswalk", "explain", "inbox/a.tif", "sample.name")
    assert [line["type"] for line in run.lines] == ["explanation", "outcome", "summary"]
    assert run.lines[0]["result"] is None
    assert run.lines[0]["final"]["value"] == "W12"
    said = room.nffa("crosswalk", "explain", "inbox/a.tif", "sample.name").out.decode()
    assert "the record holds W12, from nffa-session.yaml/sample.name" in said


@pytest.mark.parametrize(("name", "status"), [("nffa-session.yaml", 0), ("cut.tif", 3)])
def test_explain_says_why_there_is_nothing_to_explain(room, name, status):
    room.put("nffa-session.yaml", b"sample: {name: W12}\n")
    room.put("cut.tif", zeiss()[:100])
    run = room.json("crosswalk", "explain", f"inbox/{name}", "stage.x")
    assert run.status == status
    assert run.of("outcome")[0]["reason"]


def test_explain_knows_the_terms(room):
    room.put("a.tif")
    run = room.json("crosswalk", "explain", "inbox/a.tif", "beam.acelerating_voltage")
    assert run.status == 2
    assert "beam.accelerating_voltage" in run.err


def test_coverage_counts_what_is_mapped_in_real_files(room):
    room.put("a.tif")
    room.put("b.tif", zeiss(seed=1))
    run = room.json("crosswalk", "check", "--coverage", "inbox")
    assert run.status == 0
    [line] = run.of("coverage")
    assert (line["format"], line["files"]) == ("zeiss-sem-tiff", 2)
    assert line["mapped"] >= 2 * 3


def test_check_tells_one_outcome_for_an_acquisition_and_names_the_file(room):
    room.put("x.tif")
    sidecar = room.put("x.txt", b"$CM_FORMAT JEOL\r\n$CM_ACCEL_VOLTAGE 5\r\n")
    assert room.ingest().status == 0
    assert set(room.json("check").statuses.values()) == {"done"}
    sidecar.write_bytes(sidecar.read_bytes()[::-1])
    run = room.json("check")
    assert run.status == 3
    assert run.statuses == {"x.tif": "failed"}
    assert "x.txt" in run.outcomes["x.tif"]["reason"]
    assert [each["result"] for each in run.outcomes["x.tif"]["files"]] == ["changed"]


def test_check_wants_a_crosswalk(room):
    run = room.nffa("crosswalk", "check", "inbox")
    assert run.status == 2
    assert "inbox" in run.err


def test_a_wrong_rule_is_told_once(room):
    (room.folder / "acme.yaml").write_text(
        "crosswalk: acme\nversion: 1\nfields:\n  - {term: stage.q, from: A.B, unit: m}\n"
    )
    (room.folder / "acme.examples.yaml").write_text("- {name: one, tree: {A: {B: 1}}, terms: {stage.q: [1, m]}}\n")
    run = room.json("crosswalk", "check", "acme.yaml")
    assert run.status == 1
    assert [line["where"] for line in run.of("problem")] == ["acme.yaml:4"]
