"""``nffa doctor``: everything is tried for real, and what is amiss is named with what to type."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

import pytest

from nffa_cli import cli, fitness, settings
from nffa_cli.catalogue import connection
from nffa_cli.catalogue.store import Store
from tests.e2e.room import pure_lines, tree_hash, zeiss


def test_a_fit_pc_is_fit_and_nothing_is_left_behind(room):
    room.put("a.tif")
    before = tree_hash(room.inbox)
    run = room.json("doctor", "inbox")
    items = run.of("check-item")
    assert not [item for item in items if item["status"] == "bad"], items
    assert run.status == 0
    assert run.summary["verdict"] in ("ok", "warn")
    wanted = """python, sqlite, reader, hyperspy, worker limits, clock, time zones, nffa home, disk, settings, profiles, sessions,
        crosswalks, catalogue, folder, folder disk"""
    assert {item["name"] for item in items} >= {name.strip() for name in wanted.split(",")}
    assert len([item for item in items if item["name"] == "reader"]) >= 5
    assert not room.home.exists()
    assert tree_hash(room.inbox) == before


@pytest.fixture
def doctor(room, monkeypatch, capsys):
    """The command in this process, without the slow checks; returns its status and its items by name."""
    monkeypatch.setenv("NFFA_HOME", str(room.home))
    slow = {fitness._readers, fitness._limits}
    monkeypatch.setattr(fitness, "CHECKS", tuple(check for check in fitness.CHECKS if check not in slow))

    def run(*words):
        status = cli.run(["doctor", *words, "--json"])
        lines = pure_lines(capsys.readouterr().out.encode())
        return status, {line["name"]: line for line in lines if line["type"] == "check-item"}

    return run


def test_wrong_settings_profiles_and_sessions_are_named_with_their_line(room, doctor):
    (room.home / "profiles").mkdir(parents=True)
    (room.home / "sessions").mkdir()
    (room.home / "nffa.toml").write_text("[ingest]\nsetle = 3\n")
    (room.home / "profiles" / "sem.yaml").write_text("vendor: Zeiss\ntimezone: Rome\n")
    (room.home / "sessions" / "abc.yaml").write_text("sample: {nmae: W12}\n")
    status, items = doctor()
    assert status == 3
    assert "nffa.toml" in items["settings"]["detail"]
    assert "sem.yaml:2" in items["profiles"]["detail"]
    assert "abc.yaml:1" in items["sessions"]["detail"]
    assert all(items[name]["status"] != "ok" for name in ("settings", "profiles", "sessions"))


def test_who_holds_the_lock_is_said(room, doctor):
    room.put("a.tif")
    room.ingest()
    with Store.open(settings.catalogue_path()) as store, store.lock():
        status, items = doctor()
    assert status == 0
    assert items["lock"]["status"] == "warn"
    assert str(os.getpid()) in items["lock"]["detail"]
    assert doctor()[1]["lock"]["status"] == "ok"


def test_a_damaged_catalogue_is_bad(room, doctor):
    room.home.mkdir()
    (room.home / "catalogue.sqlite").write_bytes(b"no database" * 1000)
    status, items = doctor()
    assert status == 3
    assert items["catalogue"]["status"] == "bad"
    assert items["catalogue"]["hint"]


def test_a_damaged_page_of_the_catalogue_is_found(room, doctor):
    for number in range(30):
        room.put(f"{number}.tif")
    room.ingest()
    path = room.home / "catalogue.sqlite"
    data = bytearray(path.read_bytes())
    data[4096 * 10 : -4096] = b"\xff" * (len(data) - 4096 * 11)
    path.write_bytes(data)
    status, items = doctor()
    assert status == 3
    assert items["catalogue"]["status"] == "bad"


def test_a_folder_that_is_not_there_empty_or_from_the_future_is_said(room, doctor):
    assert doctor("nowhere")[1]["folder"]["status"] == "bad"
    assert doctor(str(room.inbox))[1]["folder"]["status"] == "warn"
    path = room.put("a.tif", zeiss())
    os.utime(path, (time.time() + 500,) * 2)
    items = doctor(str(room.inbox))[1]
    assert items["folder"]["status"] == "ok"
    assert items["folder clock"]["status"] == "warn"


def test_little_space_is_bad_and_some_is_a_remark(doctor, monkeypatch):
    for free, verdict in ((100 << 20, "bad"), (1000 << 20, "warn"), (5000 << 20, "ok")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(fitness.shutil, "disk_usage", lambda place, usage=usage: usage)
        assert doctor()[1]["disk"]["status"] == verdict


def test_a_home_on_a_network_share_and_a_clock_that_is_wrong_are_said(doctor, monkeypatch):
    monkeypatch.setattr(fitness, "network", lambda place: "cifs")
    items = doctor()[1]
    assert items["nffa home"]["status"] == "warn"
    monkeypatch.setattr(fitness, "EARLIEST", fitness.dt.datetime(2999, 1, 1, tzinfo=fitness.dt.UTC))
    assert doctor()[1]["clock"]["status"] == "bad"


def test_an_old_sqlite_or_one_without_full_text_search_is_bad(doctor, monkeypatch):
    monkeypatch.setattr(connection, "has_full_text_search", lambda: False)
    assert doctor()[1]["sqlite"]["status"] == "bad"
    monkeypatch.setattr(connection, "version", lambda: (3, 31, 0))
    assert "too old" in doctor()[1]["sqlite"]["detail"]


def test_a_check_that_fails_unexpectedly_is_bad_and_stops_nothing(doctor, monkeypatch):
    def _broken():
        raise RuntimeError("surprise")
        yield

    monkeypatch.setattr(fitness, "CHECKS", (_broken, *fitness.CHECKS))
    status, items = doctor()
    assert status == 3
    assert "surprise" in items["broken"]["detail"]
    assert items["python"]["status"] == "ok"


def test_a_share_is_told_from_a_local_disk(monkeypatch, tmp_path):
    import psutil

    @contextmanager
    def mounts(*found):
        with monkeypatch.context() as here:
            made = [type("Mount", (), dict(zip(("mountpoint", "fstype", "opts"), each, strict=True))) for each in found]
            here.setattr(psutil, "disk_partitions", lambda all: made)  # noqa: A006
            yield

    with mounts(("/", "ext4", "rw"), (str(tmp_path), "nfs4", "rw")):
        assert fitness.network(str(tmp_path / "deep")) == "nfs4"
        assert fitness.network("/") is None
    with mounts(("/", "NTFS", "rw,remote")):
        assert fitness.network(str(tmp_path)) == "NTFS"


@pytest.mark.parametrize("how", ["memory", "time", "crash"])
def test_a_limit_that_does_not_work_is_bad(monkeypatch, how):
    def lenient(self, job):
        self.under_way += 1
        state = (
            {"state": "ready", "reason": None}
            if job.request["how"] == how
            else {"state": "damaged", "reason": "memory"}
        )
        self._done.put(fitness_answer(job, state))

    def fitness_answer(job, header):
        from nffa_cli.pool import Answer

        return Answer(job, header)

    monkeypatch.setattr(fitness.Pool, "submit", lenient)
    assert [item.status for item in fitness._limits()].count("bad") >= 1


def test_a_home_that_cannot_be_written_is_bad_with_a_way_out(room, doctor, monkeypatch):
    def refuse(**more):
        raise PermissionError(13, "Permission denied", str(room.home))

    monkeypatch.setattr(fitness.tempfile, "TemporaryDirectory", refuse)
    status, items = doctor()
    assert status == 3
    assert items["nffa home"]["detail"] == f"{room.home}: Permission denied"
    assert "NFFA_HOME" in items["nffa home"]["hint"]
