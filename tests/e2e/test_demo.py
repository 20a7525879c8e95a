"""``nffa demo`` and the examples: a newcomer's first two minutes, in real processes."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.room import finite, tree_hash

EXAMPLES = Path(__file__).parents[2] / "examples"
SESSION = EXAMPLES / "session-2024-05-06"


def test_the_demo_tells_the_whole_story_and_leaves_the_users_catalogue_alone(room):
    run = room.nffa("demo")
    said = run.out.decode()
    assert run.status == 0, run.err
    assert "11 done, 2 skipped" in said
    assert "6. nffa sync again: nothing is due\n   11 unchanged in" in said
    assert "\n   particles_43.tif  " in said
    assert "Sigma 300" in said
    assert "Next: nffa ingest FOLDER" in said
    previews = [line.split()[-1] for line in said.splitlines() if line.endswith(".jpg")]
    assert len(previews) == 11
    assert all(Path(path).stat().st_size > 500 for path in previews)
    assert sorted(path.name for path in room.home.iterdir()) == ["demo"]
    assert sorted(path.name for path in (room.home / "demo").iterdir()) == ["nffa-home", "session-2024-05-06"]


def test_the_demo_speaks_json_and_finds_nothing_due_the_second_time(room):
    first = room.json("demo", "--folder", "tour", "--jobs", 1)
    assert first.status == 0, first.err
    stages = [(line["stage"], line["status"]) for line in first.of("outcome")]
    told = {stage: stages.count((stage, "done")) for stage, _ in stages}
    assert told == {"ingest": 11, "classify": 9, "export-nexus": 11, "sync": 11}
    assert first.summary["outcomes"] == {"done": 42, "unchanged": 11, "skipped": 6}
    assert [line["measurementName"] for line in first.of("measurement")] == ["particles_43.tif"]
    before = tree_hash(room.folder / "tour" / "session-2024-05-06")
    again = room.json("demo", "--folder", "tour", "-q")
    assert again.summary["outcomes"] == {"unchanged": 53, "skipped": 6}
    assert [line["id"] for line in again.of("measurement")] == [line["id"] for line in first.of("measurement")]
    assert again.err == ""
    assert tree_hash(room.folder / "tour" / "session-2024-05-06") == before
    assert not room.home.exists()


def test_the_demo_does_not_touch_a_folder_with_other_things(room):
    mine = room.put("mine.tif")
    run = room.nffa("demo", "--folder", room.inbox)
    assert run.status == 2
    assert "mine.tif" in run.err
    assert [path.name for path in room.inbox.iterdir()] == [mine.name]


def test_a_dry_demo_writes_nothing(room):
    run = room.json("demo", "--dry-run", "--folder", "tour")
    assert run.status == 0
    assert {line["due"][0] for line in run.of("plan")} == {"write"}
    assert not (room.folder / "tour").exists()


def test_what_the_examples_page_shows(room):
    """The commands of examples/README.md."""
    before = tree_hash(SESSION)
    assert room.json("ingest", SESSION, "--settle", 0).summary["outcomes"] == {"done": 11, "skipped": 2}
    listed = room.listed()
    assert len(listed) == 11
    assert all(finite(line) for line in listed.values())
    assert {line["terms"]["sample.name"]["value"] for line in listed.values()} == {"demo sample"}
    assert {line["terms"]["proposal.id"]["value"] for line in listed.values()} == {"161"}
    starts = {name: line["terms"]["acquisition.start"]["value"] for name, line in listed.items()}
    assert starts["particles_43.tif"] == "2024-05-06T09:07:14+02:00"
    pattern = room.json("inspect", SESSION / "pattern_09.dm3").of("record")[0]
    assert pattern["signals"][0]["kind"] == "diffraction"
    assert pattern["signals"][0]["axes"][0]["unit"] == "1/m"
    found = room.json("search", "magnification>10k", "accelerating_voltage=3kV").of("acquisition")
    assert [Path(line["path"]).name for line in found] == ["particles_43.tif"]
    assert room.json("ingest", SESSION, "--settle", 0).summary["outcomes"] == {"unchanged": 11, "skipped": 2}
    assert tree_hash(SESSION) == before
