"""``nffa export-nexus`` as a person or cron meets it, on samples of our own: what is written, when, and what never is."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

from nffa_cli import samples
from tests.e2e.room import finish, tree_hash, zeiss
from tests.e2e.test_trouble import full_disk
from tests.judges import complaints, ours

TOLD = ("--set", "sample.atom_types=Si,O", "--set", "sample.preparation_date=2024-05-06T08:00:00+02:00",
        "--set", "sample.is_simulation=true", "--set", "instrument.timezone=Europe/Rome", "--set", "instrument.date_order=DMY",
        "--set", "instrument.vendor=Maker", "--set", "instrument.model=Seer")  # fmt: skip
"""What the files cannot know."""


def bytes_below(folder):
    """{relative path: bytes} of every file."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """One sample of each kind beside a session file, exported: the room, the run, what was there before."""
    from tests.e2e.room import Room

    folder = tmp_path_factory.mktemp("export")
    room = Room(folder)
    samples.make_session(room.inbox)
    before = tree_hash(room.inbox)
    run = room.json("export-nexus", "inbox", "-o", "out")
    assert tree_hash(room.inbox) == before, "the source is only read"
    return room, run


def test_each_sample_becomes_a_file_that_is_complete(exported):
    room, run = exported
    assert run.status == 0
    made = {sample.main: sample for sample in samples.samples()}
    written = {name for name, line in run.outcomes.items() if line["status"] == "done"}
    assert written == {name for name, sample in made.items() if sample.kind != "plain-picture"}
    for name in written:
        line = run.outcomes[name]
        assert (line["stage"], line["complete"], line["missing"]) == ("export-nexus", True, [])
        assert (room.folder / line["output"]).is_file()
    assert {line["status"] for name, line in run.outcomes.items() if name not in written} == {"skipped"}
    assert run.summary["outcomes"]["done"] == len(written)


def test_the_tree_is_mirrored(room):
    names = ["a.tif", "deep/er/b.tif", "deep/a.tif"]
    for name in names:
        room.put(name)
    run = room.json("export-nexus", "inbox", "-o", "out", *TOLD)
    assert sorted(line["output"] for line in run.of("outcome")) == sorted(f"out/inbox/{name}.nxs" for name in names)
    assert sorted(bytes_below(room.folder / "out")) == sorted(f"inbox/{name}.nxs" for name in names)


def test_our_own_judge_finds_nothing(exported):
    room, run = exported
    for name, line in run.outcomes.items():
        if line["status"] == "done":
            with h5py.File(room.folder / line["output"]) as file:
                for check in (ours.classes, ours.data_rules, ours.default_chain, ours.empty_words):
                    assert check(file) == [], name
                made = next(sample for sample in samples.samples() if sample.main == name)
                hashes = {part: hashlib.sha256(data).hexdigest() for part, data in made.files.items()}
                assert ours.notes(file, hashes) == []


def test_samples_and_scales_are_those_that_were_drawn(exported):
    room, run = exported
    compared = 0
    for made in samples.samples():
        line = run.outcomes[made.main]
        if line["status"] != "done":
            continue
        with h5py.File(room.folder / line["output"]) as file:
            pieces = []
            for signal_ in made.signals:
                colours = (
                    len(signal_.steps) == 3 and signal_.pixels.shape[-1] in (3, 4) and signal_.steps[-1][1] is None
                )
                parts = np.moveaxis(signal_.pixels, -1, 0) if colours else [signal_.pixels]
                pieces += [ours.Piece(part, signal_.steps[: part.ndim]) for part in parts]
            assert ours.samples(file, pieces) == [], made.kind
            compared += len(pieces)
    assert compared >= len(samples.KINDS) - 2


def test_the_values_are_those_that_were_written_into_the_files(exported):
    room, run = exported
    compared = 0
    for made in samples.samples():
        line = run.outcomes[made.main]
        if line["status"] != "done":
            continue
        with h5py.File(room.folder / line["output"]) as file:
            for found in (ours.record_of(file)["terms"], ours.kept_terms(file)["terms"]):
                for term, (value, unit) in made.terms.items():
                    if term in found and isinstance(value, float):
                        assert found[term]["value"] == pytest.approx(value, rel=1e-9), (made.kind, term)
                        assert (found[term]["unit"] or "1") == unit, (made.kind, term)
                        compared += 1
            assert set(made.terms) <= set(ours.kept_terms(file)["terms"]), made.kind
    assert compared > 50


def test_the_judges_find_nothing(exported, judges):
    room, run = exported
    paths = [room.folder / line["output"] for line in run.of("outcome") if line["status"] == "done"]
    faults = {path.name: complaints(verdict) for path, verdict in judges(paths).items()}
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("remembered", [False, True])
def test_a_second_run_changes_no_byte(room, remembered):
    samples.make_session(room.inbox)
    if remembered:
        assert room.ingest().status == 0
    first = room.json("export-nexus", "inbox", "-o", "out")
    before, hashed = bytes_below(room.folder / "out"), tree_hash(room.folder / "out")
    again = room.json("export-nexus", "inbox", "-o", "out")
    assert (first.status, again.status) == (0, 0)
    assert {
        name: "unchanged" if status == "done" else status for name, status in first.statuses.items()
    } == again.statuses
    for name, line in again.outcomes.items():
        assert {key: line.get(key) for key in ("output", "complete", "missing")} == {
            key: first.outcomes[name].get(key) for key in ("output", "complete", "missing")
        }
    assert tree_hash(room.folder / "out") == hashed
    other = room.json("export-nexus", "inbox", "-o", "elsewhere")
    assert other.status == 0
    assert bytes_below(room.folder / "elsewhere") == before, "equal input gives equal bytes"


def test_what_changed_is_written_anew_and_nothing_else(room):
    for name in "abc":
        room.put(f"{name}.tif")
    room.json("export-nexus", "inbox", "-o", "out", *TOLD)
    before = bytes_below(room.folder / "out")
    room.put("b.tif", zeiss(seed="new", kv=5.0))
    run = room.json("export-nexus", "inbox", "-o", "out", *TOLD)
    assert run.statuses == {"a.tif": "unchanged", "b.tif": "done", "c.tif": "unchanged"}
    after = bytes_below(room.folder / "out")
    assert {name for name in after if after[name] != before[name]} == {"inbox/b.tif.nxs"}
    other = room.json("export-nexus", "inbox", "-o", "out", *TOLD, "--set", "sample.name=W12")
    assert set(other.statuses.values()) == {"done"}, "what is known of the sample is in the file"


@pytest.mark.parametrize("held", ["bytes", "hdf5", "ours"])
def test_a_file_that_is_not_ours_is_never_replaced(room, held):
    room.put("a.tif")
    target = room.folder / "out" / "inbox" / "a.tif.nxs"
    target.parent.mkdir(parents=True)
    if held == "bytes":
        target.write_bytes(b"somebody's work")
    elif held == "hdf5":
        with h5py.File(target, "w") as file:
            file["work"] = "somebody's"
    else:
        other = room.put("other.tif")
        room.json("export-nexus", other, "-o", target, *TOLD)
        other.unlink()
    before = target.read_bytes()
    run = room.json("export-nexus", "inbox", "-o", "out", *TOLD)
    assert run.status == 3
    assert run.statuses == {"a.tif": "failed"}
    assert "exists" in run.outcomes["a.tif"]["reason"]
    assert bytes_below(room.folder / "out") == {"inbox/a.tif.nxs": before}


def test_what_is_not_known_is_named_and_the_file_is_written(room):
    room.put("a.tif")
    run = room.json("export-nexus", "inbox", "-o", "out")
    line = run.outcomes["a.tif"]
    assert (run.status, line["status"], line["complete"]) == (3, "done", False)
    assert {"sample.atom_types", "sample.preparation_date", "acquisition.start"} <= set(line["missing"])
    assert {each["term"] for each in line["supply"]} == set(line["missing"])
    assert all(each["how"] for each in line["supply"])
    with h5py.File(room.folder / line["output"]) as file:
        assert not {"atom_types", "preparation_date"} & set(file["entry1/sample"])
        assert "start_time" not in file["entry1"]


def test_strict_writes_nothing_that_is_not_complete(room):
    room.put("a.tif")
    run = room.json("export-nexus", "inbox", "-o", "out", "--strict")
    assert run.status == 3
    assert run.statuses == {"a.tif": "failed"}
    assert "sample.atom_types" in run.outcomes["a.tif"]["missing"]
    assert bytes_below(room.folder / "out") == {}


def test_strict_leaves_an_older_file_as_it_is(room):
    room.put("a.tif")
    room.json("export-nexus", "inbox", "-o", "out")
    before = bytes_below(room.folder / "out")
    room.put("a.tif", zeiss(seed="new"))
    assert room.json("export-nexus", "inbox", "-o", "out", "--strict").status == 3
    assert bytes_below(room.folder / "out") == before


def test_strict_takes_no_older_incomplete_file_for_a_good_one(room):
    room.put("a.tif")
    assert room.ingest().status == 0
    for remembered in ("--compression=gzip", "--compression=none"):  # known to the catalogue or not, it is the same
        room.json("export-nexus", "inbox", "-o", f"out{remembered}", remembered)
        before = bytes_below(room.folder / f"out{remembered}")
        again = room.json("export-nexus", "inbox", "-o", f"out{remembered}", remembered, "--strict")
        assert (again.status, again.statuses) == (3, {"a.tif": "failed"})
        assert again.outcomes["a.tif"]["supply"]
        assert bytes_below(room.folder / f"out{remembered}") == before
    told = room.nffa("export-nexus", "inbox", "-o", f"out{remembered}", "--strict").out.decode()
    assert "--set sample.atom_types=" in told
    told = room.nffa("export-nexus", "inbox", "-o", "out--compression=gzip").out.decode()
    assert "1 unchanged file still without" in told


def test_the_same_is_written_however_it_was_asked_for(room):
    room.put("day/sample/a.tif")
    room.put("nffa-session.yaml", b"sample: {atom_types: [Si], name: W12}\n")
    room.ingest()
    wanted = room.json("export-nexus", "inbox").outcomes["a.tif"]
    assert "sample.atom_types" not in wanted["missing"]
    (acquisition,) = room.json("list").of("acquisition")
    for target in ("inbox/day", "inbox/day/sample", "inbox/day/sample/a.tif", acquisition["acquisition"]):
        run = room.json("export-nexus", target)
        assert run.statuses == {"a.tif": "unchanged"}, target
        assert run.outcomes["a.tif"]["output"] == wanted["output"]


def test_what_moved_is_still_the_same_acquisition(room):
    room.put("old/a.tif")
    room.json("export-nexus", "inbox/old/a.tif", "-o", "out", *TOLD)
    (room.inbox / "old").rename(room.inbox / "new")
    assert room.json("export-nexus", "inbox/new/a.tif", "-o", "out", *TOLD).statuses == {"a.tif": "unchanged"}
    run = room.json("export-nexus", "inbox/new/a.tif", "-o", "out", *TOLD, "--set", "sample.name=W12")
    assert run.statuses == {"a.tif": "done"}


def test_an_older_export_is_remembered_as_soon_as_there_is_a_catalogue(room):
    path = room.put("a.tif")
    room.json("export-nexus", "inbox", "-o", "out", *TOLD)
    room.ingest()
    assert room.json("export-nexus", "inbox", "-o", "out", *TOLD).statuses == {"a.tif": "unchanged"}
    (shown,) = room.json("show", path).of("acquisition")
    assert [asset["path"] for asset in shown["assets"]] == [(room.folder / "out/inbox/a.tif.nxs").as_posix()]


def test_what_is_no_file_at_the_place_ends_nothing_in_a_wait(room):
    path = room.put("a.tif")
    os.mkfifo(room.folder / "pipe.nxs")
    run = room.json("export-nexus", path, "-o", "pipe.nxs", *TOLD)
    assert (run.status, run.statuses) == (3, {"a.tif": "failed"})
    (room.folder / "mine").write_bytes(b"a file")
    wrong = room.nffa("export-nexus", path, "-o", "mine", *TOLD)
    assert wrong.status == 2
    assert "no folder" in wrong.err


def test_where_the_files_went_is_true_for_any_number_of_folders(room):
    for name in "abc":
        room.put(f"{name}/{name}.tif")
    told = room.nffa("export-nexus", "inbox/a", "inbox/b", "inbox/c", "-o", ".", *TOLD).out.decode()
    assert "written: 3 files below .\n" in told


def test_one_file_has_the_name_it_is_given(room):
    (room.inbox / "s").mkdir()
    (path,) = samples.make(room.inbox / "s", kinds=["gatan-dm3"])
    run = room.json("export-nexus", path, "-o", "mine.nxs", *TOLD)
    assert run.status == 0
    assert [line["output"] for line in run.of("outcome")] == ["mine.nxs"]
    assert h5py.is_hdf5(room.folder / "mine.nxs")
    both = room.nffa("export-nexus", path, "inbox", "-o", "other.nxs", *TOLD)
    assert both.status == 2
    assert "-o a folder" in both.err
    assert not (room.folder / "other.nxs").exists()


def test_a_file_of_several_names_the_content_as_the_catalogue_does(room):
    samples.make(room.inbox, kinds=["tia"])
    assert room.ingest().status == 0
    (line,) = room.json("export-nexus", "inbox", "-o", "out", *TOLD).of("outcome")
    with h5py.File(room.folder / line["output"]) as file:
        said = file["entry1/nffa/digest"][()].decode()
    assert [(said,)] == room.rows("SELECT digest FROM version")
    assert room.rows("SELECT count(*) > 1 FROM file") == [(1,)]


def test_without_a_place_it_goes_to_nffas_own_folder(room):
    path = room.put("a.tif")
    run = room.json("export-nexus", path, *TOLD)
    (line,) = run.of("outcome")
    assert line["output"].startswith((room.home / "exports").as_posix())
    assert line["output"].endswith("/inbox/a.tif.nxs")
    assert h5py.is_hdf5(line["output"])


def test_a_dry_run_writes_nothing(room):
    samples.make_session(room.inbox)
    before = tree_hash(room.folder)
    run = room.json("export-nexus", "inbox", "-o", "out", "--dry-run")
    assert tree_hash(room.folder) == before
    planned = {line["path"].rpartition("/")[2]: line for line in run.of("plan") if line["due"]}
    real = room.json("export-nexus", "inbox", "-o", "out")
    assert {name for name, status in real.statuses.items() if status == "done"} == set(planned)
    assert all(planned[name]["output"] == real.outcomes[name]["output"] for name in planned)


def test_what_is_recorded_is_exported_by_its_id_and_remembered(room):
    room.put("a.tif")
    room.ingest()
    (acquisition,) = room.json("list").of("acquisition")
    run = room.json("export-nexus", acquisition["acquisition"], "-o", "out", *TOLD)
    (line,) = run.of("outcome")
    assert line["status"] == "done"
    (shown,) = room.json("show", acquisition["acquisition"]).of("acquisition")
    assert [asset["path"] for asset in shown["assets"]] == [(room.folder / line["output"]).as_posix()]


# --- death and a full disk ---


def test_killed_at_any_moment_it_leaves_no_file_under_the_final_name(tmp_path):
    from tests import soak

    figures = soak.export(20, seed=5, room=tmp_path)
    assert figures["killed"] > 5
    assert figures["torn"] == []


@pytest.mark.parametrize("limit", [0, 20_000, 100_000])
def test_a_full_disk_ends_with_6_and_a_sentence(room, limit):
    for number in range(4):
        room.put(f"{number}.tif", zeiss(seed=number, side=700))
    full = room.start("export-nexus", "inbox", "-o", "out", "--json", *TOLD, preexec_fn=full_disk(limit))
    run = finish(full)
    assert run.status == 6, (run.status, run.err)
    assert "space" in run.err
    assert not [path for path in (room.folder / "out").rglob("*") if path.is_file()]
    assert set(room.json("export-nexus", "inbox", "-o", "out", *TOLD).statuses.values()) == {"done"}


def test_a_folder_that_may_not_be_written_ends_with_6(room):
    room.put("a.tif")
    (room.folder / "out").write_bytes(b"a file, not a folder")
    run = room.json("export-nexus", "inbox", "-o", "out/below", *TOLD)
    assert run.status == 6
    assert "folder" in run.err


def test_interrupted_it_leaves_nothing_half_done(room):
    for number in range(200):
        room.put(f"{number}.tif", zeiss(seed=number, side=200))
    process = room.start("export-nexus", "inbox", "-o", "out", *TOLD)
    end = time.monotonic() + 20
    while not list((room.folder / "out").rglob("*.nxs")) and time.monotonic() < end:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert finish(process).status == 130
    left = [path for path in (room.folder / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in left} <= {".nxs"}
    for path in left:
        with h5py.File(path) as file:
            assert "entry1/definition" in file
    assert subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True, check=False).stdout == b""
