"""The whole way of a folder: read once, known for ever, due again only for what changed."""

from __future__ import annotations

import os
import shutil

import pytest

from nffa_cli import cli, samples, scan, settings
from tests.e2e.room import pure_lines, sha256, tree_hash, zeiss


def test_a_folder_is_read_listed_shown_found_and_proved(room):
    data = {"a.tif": zeiss(5.0, 1), "deep/b.tif": zeiss(20.0, 2), "c.tif": zeiss(30.0, 3)}
    for name, content in data.items():
        room.put(name, content)
    room.put("notes.txt", b"tomorrow")
    before = tree_hash(room.inbox)
    first = room.ingest()
    assert first.status == 0
    assert first.statuses == {"a.tif": "done", "b.tif": "done", "c.tif": "done", "notes.txt": "skipped"}
    assert first.summary["outcomes"] == {"done": 3, "skipped": 1}
    assert set(room.listed()) == {"a.tif", "b.tif", "c.tif"}
    shown = room.json("show", room.inbox / "deep" / "b.tif").of("acquisition")[0]
    assert shown["terms"]["beam.accelerating_voltage"]["value"] == 20000.0
    assert shown["files"][0]["sha256"] == sha256(data["deep/b.tif"])
    found = room.json("search", "accelerating_voltage>=20kV").of("acquisition")
    assert {line["path"].rpartition("/")[2] for line in found} == {"b.tif", "c.tif"}
    assert room.json("status").summary["acquisitions"] == 3
    assert room.json("check").summary["outcomes"] == {"done": 3}
    assert tree_hash(room.inbox) == before


def test_twice_is_once(room):
    for number in range(5):
        room.put(f"{number}.tif")
    room.ingest()
    before = room.dump()
    for _ in range(2):
        again = room.ingest()
        assert set(again.statuses.values()) == {"unchanged"}
        assert again.status == 0
    assert room.dump() == before


def test_a_changed_file_is_a_new_version_and_the_old_one_is_kept(room):
    path = room.put("a.tif", zeiss(5.0))
    room.ingest()
    path.write_bytes(zeiss(15.0))
    changed = room.ingest()
    assert (changed.outcomes["a.tif"]["status"], changed.outcomes["a.tif"]["due"]) == ("done", "changed")
    shown = room.json("show", path).of("acquisition")[0]
    assert [version["current"] for version in shown["versions"]].count(True) == 1
    assert len(shown["versions"]) == 2
    assert shown["terms"]["beam.accelerating_voltage"]["value"] == 15000.0


def test_a_newer_crosswalk_makes_records_due_but_no_file_is_read(room, monkeypatch, capsys, tmp_path):
    path = room.put("a.tif", zeiss(5.0))
    room.ingest()
    ours = tmp_path / "crosswalks"
    shutil.copytree(settings.shipped("crosswalks"), ours)
    rules = ours / "inward" / "zeiss-sem-tiff.yaml"
    rules.write_text(rules.read_text(encoding="utf-8") + "\n# newer\n", encoding="utf-8")
    monkeypatch.setenv("NFFA_HOME", str(room.home))
    monkeypatch.setattr(settings, "shipped", lambda name: ours)
    path.chmod(0)  # whoever opened it would fail, unless root
    monkeypatch.setattr("nffa_cli.pool.Pool.submit", lambda *_: pytest.fail("a file was read"))
    assert cli.run(["ingest", str(room.inbox), "--settle", "0", "--json"]) == 0
    outcome = pure_lines(capsys.readouterr().out.encode())[0]
    assert (outcome["status"], outcome["due"]) == ("done", "newer-crosswalk")
    assert cli.run(["ingest", str(room.inbox), "--settle", "0", "--json"]) == 0
    assert pure_lines(capsys.readouterr().out.encode())[0]["status"] == "unchanged"
    assert len(room.rows("SELECT 1 FROM version")) == 1


def test_a_session_file_and_a_profile_make_the_records_due(room):
    room.put("a.tif", zeiss(5.0))
    room.put("other/b.tif", zeiss(6.0, 1))
    room.ingest()
    room.put("other/nffa-session.yaml", b"sample: {name: W12}\nproposal: {id: 161}\n")
    added = room.ingest()
    assert added.statuses == {"a.tif": "unchanged", "b.tif": "done", "nffa-session.yaml": "skipped"}
    assert added.outcomes["b.tif"]["due"] == "session-changed"
    assert room.listed()["b.tif"]["terms"]["sample.name"]["value"] == "W12"
    assert room.nffa("profile", "add", "gemini", "--vendor", "Zeiss", "--serial", "X1").status == 0
    known = room.ingest()
    assert set(known.statuses.values()) == {"done", "skipped"}
    assert set(room.ingest().statuses.values()) == {"unchanged", "skipped"}
    stored = room.nffa("session", "new", "inbox", "--set", "sample.name=V7")
    assert stored.status == 0
    assert room.ingest().outcomes["a.tif"]["due"] == "session-changed"
    assert {name: line["terms"]["sample.name"]["value"] for name, line in room.listed().items()} == {
        "a.tif": "V7",
        "b.tif": "W12",
    }


def test_a_broken_session_file_is_a_warning_until_it_is_mended(room):
    room.put("a.tif")
    room.put("nffa-session.yaml", b"sample: {nmae: W12}\n")
    broken = room.ingest()
    assert broken.status == 0
    warning = next(each for each in broken.outcomes["a.tif"]["warnings"] if each["code"] == "session-file")
    assert "nffa-session.yaml:1" in warning["detail"]
    assert room.json("session", "check", "inbox").status == 3
    room.put("nffa-session.yaml", b"sample: {name: W12}\n")
    assert room.ingest().outcomes["a.tif"]["due"] == "session-changed"
    assert room.listed()["a.tif"]["terms"]["sample.name"]["value"] == "W12"


def test_what_is_deleted_at_the_source_stays_known(room):
    for name in ("a.tif", "b.tif"):
        room.put(name)
    room.ingest()
    shutil.rmtree(room.inbox)
    room.inbox.mkdir()
    assert room.ingest().status == 0
    assert set(room.listed()) == {"a.tif", "b.tif"}
    gone = room.json("check")
    assert gone.status == 3
    assert all(line["reason"].startswith("missing") for line in gone.of("outcome"))


def test_the_same_content_is_recorded_once_wherever_it_lies(room):
    room.put("a.tif", zeiss())
    room.put("copy of a.tif", zeiss())
    both = room.ingest()
    assert sorted(both.statuses.values()) == ["done", "unchanged"]
    twin = next(line for line in both.of("outcome") if line["status"] == "unchanged")
    assert twin["reason"] == "same-content"
    assert len(room.listed()) == 1
    assert set(room.ingest().statuses.values()) == {"unchanged"}
    shown = room.json("show", twin["acquisition"]).of("acquisition")[0]
    assert len(shown["aliases"]) == 1
    by_alias = room.json("show", shown["aliases"][0]).of("acquisition")[0]
    assert by_alias["acquisition"] == shown["acquisition"]


def test_a_renamed_file_is_the_same_acquisition(room):
    room.put("a.tif")
    room.ingest()
    (room.inbox / "a.tif").rename(room.inbox / "better name.tif")
    moved = room.ingest()
    assert moved.outcomes["better name.tif"]["reason"] == "same-content"
    assert set(room.listed()) == {"better name.tif"}
    assert set(room.ingest().statuses.values()) == {"unchanged"}


def test_what_moved_is_listed_searched_and_shown_where_it_is_now(room):
    samples.make(room.inbox / "monday", seed=3, kinds=["jeol-sem-tiff"])
    room.ingest()
    (before,) = room.listed().values()
    (room.inbox / "monday").rename(room.inbox / "tuesday")
    said = room.ingest()
    (after,) = room.listed().values()
    now = before["path"].replace("/monday/", "/tuesday/")
    assert after | {"acquisition": None} == before | {"acquisition": None, "path": now}
    assert {line["acquisition"] for line in said.of("outcome") if line["status"] == "unchanged"} == {
        after["acquisition"]
    }
    assert room.json("list", "inbox/tuesday").of("acquisition") == [after]
    assert room.json("search", "tuesday").of("acquisition") == [after]
    assert not room.json("search", "monday").of("acquisition")
    for target in (before["path"], now, after["acquisition"]):
        (shown,) = room.json("show", target).of("acquisition")
        assert shown["path"] == now
        assert shown["vanished_at"] is None
        assert {file["path"].rpartition("/")[0] for file in shown["files"]} == {now.rpartition("/")[0]}
    assert room.json("check").status == 0
    assert set(room.ingest().statuses.values()) == {"unchanged"}
    (room.inbox / "tuesday").rename(room.inbox / "monday")
    room.ingest()
    assert list(room.listed().values()) == [before]


def test_a_copy_takes_over_when_the_first_file_goes(room):
    room.put("a.tif", zeiss())
    room.ingest()
    room.put("copy.tif", zeiss())
    room.ingest()
    (room.inbox / "a.tif").unlink()
    room.ingest()
    assert room.ingest().statuses == {"copy.tif": "unchanged"}
    assert set(room.listed()) == {"copy.tif"}
    room.put("copy.tif", zeiss(20.0))
    assert room.ingest().statuses == {"copy.tif": "done"}
    (line,) = room.listed().values()
    assert len(room.json("show", line["acquisition"]).of("acquisition")[0]["versions"]) == 2


def test_check_names_the_files_that_rotted(room):
    for number in range(6):
        room.put(f"{number}.tif")
    room.ingest()
    for number in (1, 4):
        path = room.inbox / f"{number}.tif"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    rotten = room.json("check")
    assert rotten.status == 3
    assert {line["path"].rpartition("/")[2] for line in rotten.of("outcome") if line["status"] == "failed"} == {
        "1.tif",
        "4.tif",
    }


def test_dry_run_tells_and_makes_nothing(room):
    room.put("a.tif")
    planned = room.ingest("--dry-run")
    assert planned.status == 0
    assert planned.of("plan")[0]["due"]
    assert not room.home.exists()
    room.ingest()
    before = room.dump()
    room.put("b.tif")
    assert [line["reason"] for line in room.ingest("--dry-run").of("plan")] == ["unchanged", "new"]
    assert room.dump() == before


def test_explain_says_why(room):
    path = room.put("a.tif")
    said = room.nffa("ingest", "inbox", "--settle", "0", "--explain").out.decode()
    assert "(new)" in said
    path.write_bytes(zeiss(12.0))
    assert "(changed)" in room.nffa("ingest", "inbox", "--settle", "0", "--explain").out.decode()


def test_a_single_file_is_ingested_once_too(room):
    room.put("a.tif")
    room.put("b.tif")
    path = "inbox/a.tif"
    assert [line["status"] for line in room.json("ingest", path, "--settle", 0).of("outcome")] == ["done"]
    assert [line["status"] for line in room.json("ingest", path, "--settle", 0).of("outcome")] == ["unchanged"]
    assert room.ingest().statuses == {"a.tif": "unchanged", "b.tif": "done"}
    assert len(room.listed()) == 2


def test_a_folder_that_may_not_be_read_is_told_and_loses_nothing(room, monkeypatch, capsys):
    path = room.put("closed/a.tif")
    room.put("b.tif")
    room.ingest()
    monkeypatch.setenv("NFFA_HOME", str(room.home))
    looked, refused = scan._listing, str(path)
    with monkeypatch.context() as closed:  # root may read everything, so the refusal is played
        closed.setattr(
            scan, "_listing", lambda folder: "Permission denied" if folder == str(path.parent) else looked(folder)
        )
        closed.setattr(os, "lstat", lambda name, **more: refuse() if str(name) == refused else os.stat(name, **more))
        assert cli.run(["ingest", str(room.inbox), "--settle", "0", "--json"]) == 3
    lines = pure_lines(capsys.readouterr().out.encode())
    assert lines[-2]["reason"] == "unreadable-folder: Permission denied"
    assert room.ingest().statuses == {"a.tif": "unchanged", "b.tif": "unchanged"}
    assert room.json("show", path).of("acquisition")[0]["vanished_at"] is None


def refuse():
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize("look_between", [True, False])
@pytest.mark.parametrize("name", ["kept.tif", "a.tif", "deep/kept.tif"])
@pytest.mark.parametrize("how", ["copy", "rename"])
def test_a_name_that_is_used_again_hides_no_earlier_picture(room, how, name, look_between):
    path = room.put("image001.tif", zeiss(5.0))
    room.ingest()
    kept = room.inbox / name
    kept.parent.mkdir(exist_ok=True)
    shutil.copy2(path, kept) if how == "copy" else path.rename(kept)
    if look_between:
        room.ingest()
    path.write_bytes(zeiss(25.0))
    room.ingest()
    shown = {name: line["terms"]["beam.accelerating_voltage"]["value"] for name, line in room.listed().items()}
    assert shown == {"image001.tif": 25000.0, kept.name: 5000.0}
    assert set(room.ingest().statuses.values()) == {"unchanged"}
    assert {line["status"] for line in room.json("check").of("outcome")} == {"done"}


def test_a_share_that_was_away_for_a_run_comes_back_to_the_same_records(room):
    for number in range(5):
        room.put(f"{number}.tif")
    room.ingest()
    away = room.folder / "away"
    room.inbox.rename(away)
    room.inbox.mkdir()
    assert room.ingest().status == 0
    room.inbox.rmdir()
    away.rename(room.inbox)
    assert set(room.ingest().statuses.values()) == {"unchanged"}, "nothing is read again"
    assert len(room.listed()) == 5
    assert room.rows("SELECT count(*) FROM version") == [(5,)]
    assert room.json("show", room.inbox / "0.tif").of("acquisition")[0]["vanished_at"] is None
    assert set(room.ingest().statuses.values()) == {"unchanged"}


def test_a_moved_file_is_proved_where_it_lies_now(room):
    path = room.put("a.tif")
    room.ingest()
    path.rename(room.inbox / "b.tif")
    room.ingest()
    proved = room.json("check")
    assert proved.status == 0, proved.lines
    (room.inbox / "b.tif").unlink()
    assert room.json("check").status == 3


def test_pictures_left_out_at_first_are_taken_when_they_are_wanted(room):
    (path,) = samples.make(room.inbox, seed=3, kinds=["plain-picture"])
    assert room.ingest().statuses == {path.name: "skipped"}
    assert room.ingest().statuses == {path.name: "skipped"}
    assert room.ingest("--pictures").statuses == {path.name: "done"}
    assert room.ingest().statuses == {path.name: "unchanged"}
