"""Files on their way: growing, without their partner, from a clock that is ahead, seen by a watch."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from nffa_cli.catalogue.store import Store
from nffa_cli.errors import LockedError
from tests.e2e.room import finish, pure_lines, sha256, until, zeiss
from tests.unit.test_tia import emi, info, ser


def series(seed=0):
    return ser(np.random.default_rng(seed).integers(0, 4000, (1, 8, 8)).astype("u2"))


def document():
    return emi(("Acquire", "Real Space", "C:\\data\\x_1.ser", info()))


def test_a_young_file_is_looked_at_once_more_in_the_same_run(room):
    room.put("old.tif", age=100)
    room.put("young.tif")
    began = time.monotonic()
    run = room.ingest(settle=1.5)
    assert run.statuses == {"old.tif": "done", "young.tif": "done"}
    assert 1.0 < time.monotonic() - began < 6


def test_a_file_that_grows_waits_and_is_taken_whole(room):
    whole = zeiss(seed=3, side=256)
    path = room.put("a.tif", whole[:5000])
    stop = threading.Event()

    def write():
        with open(path, "ab", buffering=0) as file:
            for start in range(5000, len(whole), 2000):
                file.write(whole[start : start + 2000])
                if stop.wait(0.12):
                    return

    writer = threading.Thread(target=write)
    writer.start()
    early = room.ingest(settle=0.8)
    stop_was_needed = writer.is_alive()
    writer.join()
    assert stop_was_needed, "the file was complete before the run ended"
    assert early.statuses == {"a.tif": "waiting"}
    assert early.status == 0
    assert room.ingest(settle=0.8).statuses == {"a.tif": "done"}
    assert room.json("show", path).of("acquisition")[0]["files"][0]["sha256"] == sha256(whole)
    assert len(room.rows("SELECT 1 FROM version")) == 1


def test_missing_bytes_wait_while_the_file_is_young_and_are_damage_when_it_is_old(room):
    room.put("young.tif", zeiss(seed=1)[:-50], age=30)
    room.put("old.tif", zeiss(seed=2)[:-50], age=3600)
    run = room.ingest(settle=0.5)
    assert run.statuses == {"young.tif": "waiting", "old.tif": "quarantined"}
    assert run.status == 3


def test_a_damaged_file_is_tried_again_when_it_changes(room):
    path = room.put("a.tif", zeiss()[:-50])
    assert room.ingest().statuses == {"a.tif": "quarantined"}
    path.write_bytes(zeiss())
    assert room.ingest().statuses == {"a.tif": "done"}
    assert not room.json("status").of("held")


def test_a_clock_that_is_ahead_needs_two_looks(room):
    path = room.put("a.tif", age=-5000)
    first = room.ingest(settle=1)
    assert first.statuses == {"a.tif": "waiting"}
    time.sleep(2.1)
    assert room.ingest(settle=1).statuses == {"a.tif": "done"}
    path.write_bytes(zeiss(7.0))
    os.utime(path, (time.time() + 5000,) * 2)
    assert room.ingest(settle=1).statuses == {"a.tif": "waiting"}, "the change starts the waiting anew"


@pytest.mark.parametrize("year", [1971, 1999, 2030, 2099])
def test_file_times_of_any_year_do(room, year):
    path = room.put("a.tif")
    os.utime(path, ((year - 1970) * 31556952,) * 2)
    assert room.ingest().statuses == {"a.tif": "done"}
    assert room.ingest().statuses == {"a.tif": "unchanged"}


def test_an_emi_waits_for_its_ser_and_takes_it_when_it_comes(room):
    room.put("x.emi", document(), age=20)
    waiting = room.ingest(settle=0.5)
    assert waiting.statuses == {"x.emi": "waiting"}
    assert waiting.outcomes["x.emi"]["reason"].startswith("partner-missing")
    room.put("x_1.ser", series(), age=20)
    assert room.ingest(settle=0.5).statuses == {"x.emi": "done"}
    shown = room.json("show", room.inbox / "x.emi").of("acquisition")[0]
    assert [each["role"] for each in shown["files"]] == ["main", "sidecar"]
    assert not [each for each in shown["warnings"] if each["code"] == "partner-missing"]


def test_an_old_emi_is_taken_alone_with_a_warning_and_again_when_its_ser_comes(room):
    room.put("x.emi", document(), age=3600)
    alone = room.ingest(settle=0.5)
    assert alone.statuses == {"x.emi": "done"}
    assert "partner-missing" in [each["code"] for each in alone.outcomes["x.emi"]["warnings"]]
    room.put("x_1.ser", series(), age=20)
    arrived = room.ingest(settle=0.5)
    assert (arrived.outcomes["x.emi"]["status"], arrived.outcomes["x.emi"]["due"]) == ("done", "partner-arrived")
    assert len(room.listed()) == 1


def test_a_lone_ser_gives_way_to_its_emi(room):
    room.put("x_1.ser", series())
    alone = room.ingest()
    assert alone.statuses == {"x_1.ser": "done"}
    assert "partner-missing" in [each["code"] for each in alone.outcomes["x_1.ser"]["warnings"]]
    room.put("x.emi", document())
    assert room.ingest().statuses == {"x.emi": "done"}
    assert set(room.listed()) == {"x.emi"}
    assert room.json("search", "tia").summary["acquisitions"] == 1
    assert room.ingest().statuses == {"x.emi": "unchanged"}
    assert room.json("status").summary["acquisitions"] == 1
    assert room.json("check").status == 0


def test_a_ser_that_waited_is_taken_with_the_emi_that_came_meanwhile(room):
    room.put("x_1.ser", series())
    room.put("x_2.ser", series(1))
    process = room.start("ingest", "inbox", "--settle", "2", "--json")
    time.sleep(0.8)
    room.put("x.emi", document(), age=1)
    run = finish(process)
    assert run.statuses == {"x.emi": "done"}
    assert set(room.listed()) == {"x.emi"}


def test_a_ser_that_lost_its_emi_is_known_by_itself_again(room):
    room.put("x.emi", document())
    room.put("x_1.ser", series())
    room.ingest()
    (room.inbox / "x.emi").unlink()
    again = room.ingest()
    assert again.status == 0
    assert room.ingest().status == 0
    assert "x.emi" in room.listed(), "a deletion loses no record"


def test_a_watch_takes_what_comes_and_what_changes_and_survives_ctrl_c(room):
    room.put("a.tif", zeiss(5.0))
    process = room.start("ingest", "inbox", "--watch", "--every", "0.2", "--settle", "0", "--json")

    def known():
        return set(room.listed()) if (room.home / "catalogue.sqlite").exists() else set()

    until(lambda: known() == {"a.tif"})
    room.put("deep/b.tif", zeiss(6.0, 1))
    until(lambda: known() == {"a.tif", "b.tif"})
    room.put("a.tif", zeiss(9.0))
    until(lambda: room.listed()["a.tif"]["terms"]["beam.accelerating_voltage"]["value"] == 9000.0)
    os.killpg(process.pid, signal.SIGINT)
    run = finish(process)
    assert run.status == 130
    told = [(line["path"], line["status"]) for line in pure_lines(run.out) if line["type"] == "outcome"]
    assert told == [("inbox/a.tif", "done"), ("inbox/deep/b.tif", "done"), ("inbox/a.tif", "done")]
    assert set(room.ingest().statuses.values()) == {"unchanged"}


def test_a_watch_lets_others_in_between_two_looks(room):
    room.put("a.tif")
    process = room.start("ingest", "inbox", "--watch", "--every", "2", "--settle", "0")
    until(lambda: (room.home / "catalogue.sqlite").exists() and room.listed())
    until(lambda: room.ingest().status == 0)
    process.send_signal(signal.SIGINT)
    assert finish(process).status == 130


def test_a_watched_file_that_is_written_slowly_is_taken_once(room):
    whole = zeiss(seed=5, side=128)
    process = room.start("ingest", "inbox", "--watch", "--every", "0.2", "--settle", "1", "--json")
    path = room.put("a.tif", whole[:100])
    with open(path, "ab", buffering=0) as file:
        for start in range(100, len(whole), 4000):
            time.sleep(0.3)
            file.write(whole[start : start + 4000])
    until(lambda: (room.home / "catalogue.sqlite").exists() and room.listed())
    process.send_signal(signal.SIGINT)
    finish(process)
    assert room.rows("SELECT count(*) FROM version") == [(1,)]
    assert room.rows("SELECT sha256 FROM file") == [(sha256(whole),)]


def test_a_watch_outlasts_another_run_and_a_folder_that_is_away(room):
    room.put("a.tif")
    process = room.start("ingest", "inbox", "--watch", "--every", "0.2", "--settle", "0", "--json")
    until(lambda: (room.home / "catalogue.sqlite").exists() and room.listed())
    with Store.open(room.home / "catalogue.sqlite") as store, waited_for(store):
        time.sleep(0.7)
    room.inbox.rename(room.folder / "away")
    time.sleep(0.7)
    (room.folder / "away").rename(room.inbox)
    room.put("b.tif")
    until(lambda: len(room.listed()) == 2)
    process.send_signal(signal.SIGINT)
    run = finish(process)
    assert run.status == 130
    assert "works on this catalogue" in run.err
    assert "inbox" in run.err


@contextmanager
def waited_for(store):
    """The lock, as soon as the watch lets go of it."""
    while True:
        held = store.lock()
        try:
            held.__enter__()
            break
        except LockedError:
            time.sleep(0.01)
    try:
        yield
    finally:
        held.__exit__(None, None, None)
