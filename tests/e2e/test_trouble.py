"""What can go wrong around a run: other runs, a full disk, readers that die, odd things in the tree, a read-only source."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time

import psutil
import pytest

from nffa_cli.fitness import SPECTRUM
from tests.e2e.room import finish, tree_hash, until, zeiss

BAD_READER = """
import os, sys
from nffa_cli import cli, pool
pool.WORKER = ("-c", '''
import os, signal, sys, time
from nffa_cli import extract, worker
read = extract.read
def bad(files, family):
    name = os.path.basename(files[0])
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "abort" in name:
        os._exit(7)
    if "hang" in name:
        while True: time.sleep(1)
    if "spin" in name:
        while True: pass
    if "slow" in name:
        time.sleep(1.5)
    held = []
    while "memory" in name:
        held.append(bytearray(32 << 20))
    if "recursion" in name:
        return bad(files, family)
    if "raise" in name:
        raise KeyError("AP_")
    return read(files, family)
extract.read = bad
worker.main()
''')
sys.exit(cli.run(sys.argv[1:]))
"""
"""The command with a reader that misbehaves where a file's name says so."""

LIMITS = {"NFFA_WORKER_SECONDS": "1", "NFFA_WORKER_MEMORY_MB": "400"}.items()


# --- readers that misbehave ---


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_reader_that_dies_harms_only_its_own_file(room, jobs):
    wanted = {"crash": "crashed", "abort": "crashed", "hang": "timeout", "spin": "timeout", "memory": "memory"}
    for name in wanted:
        room.put(f"{name}.tif")
    good = [f"{letter}.tif" for letter in "abdefgijklnoqtuvwxyz"]
    for name in good:
        room.put(name)
    run = room.ingest("--jobs", jobs, command=("-c", BAD_READER), env=LIMITS)
    assert run.status == 3
    assert not {name: run.outcomes[name]["reason"] for name in good if run.statuses[name] != "done"}
    assert {name: run.outcomes[f"{name}.tif"]["reason"].partition(":")[0] for name in wanted} == wanted
    assert {run.statuses[f"{name}.tif"] for name in wanted} == {"quarantined"}
    again = room.ingest("--jobs", jobs, command=("-c", BAD_READER), env=LIMITS)
    assert set(again.statuses.values()) == {"unchanged"}, "a quarantined file is not tried again until it changes"
    assert {line["path"].rpartition("/")[2] for line in room.json("status").of("held")} == {
        f"{name}.tif" for name in wanted
    }


@pytest.mark.parametrize("name", ["recursion", "raise"])
def test_a_reader_that_fails_in_python_is_an_outcome(room, name):
    room.put(f"{name}.tif")
    room.put("a.tif")
    run = room.ingest(command=("-c", BAD_READER), env=LIMITS)
    assert run.statuses["a.tif"] == "done"
    assert run.statuses[f"{name}.tif"] in ("quarantined", "failed")


@pytest.mark.parametrize(
    ("name", "how", "status"), [("slow", "SIGKILL", -9), ("slow", "SIGINT", 130), ("hang", "SIGINT", 130)]
)
def test_no_worker_outlives_the_command(room, name, how, status):
    room.put(f"{name}.tif")
    process = room.start("ingest", "inbox", "--settle", "0", "--json", command=("-c", BAD_READER))
    workers = until(lambda: psutil.Process(process.pid).children())
    time.sleep(0.5)
    os.kill(process.pid, getattr(signal, how))
    assert finish(process).status == status
    until(lambda: not [worker for worker in workers if worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE])


# --- other runs ---


def test_of_five_runs_at_once_one_works_and_the_others_say_so_at_once(room):
    for number in range(40):
        room.put(f"{number}.tif")
    holder = room.start(
        "ingest", "inbox", "--watch", "--every", "60", "--settle", "0", "--json", command=("-c", HOLDING)
    )
    until((room.home / "held").exists)
    began = time.monotonic()
    others = [room.start("ingest", "inbox", "--settle", "0", "--json") for _ in range(4)]
    runs = [finish(other) for other in others]
    assert [run.status for run in runs] == [7] * 4
    assert all("another run of nffa" in run.err and str(holder.pid) in run.err for run in runs)
    assert time.monotonic() - began < 8
    assert room.json("list").status == 0, "looking is allowed meanwhile"
    os.killpg(holder.pid, signal.SIGKILL)
    finish(holder)
    assert room.ingest().status == 0
    assert len(room.listed()) == 40


HOLDING = """
import sys, time
from nffa_cli import cli, pipeline, settings
def run(self, **more):
    (settings.home() / "held").touch()
    time.sleep(60)
    yield
pipeline.Ingest.run = run
sys.exit(cli.run(sys.argv[1:]))
"""
"""The command that takes the lock and then keeps it."""


def test_five_runs_at_once_lose_and_double_nothing(room):
    for number in range(30):
        room.put(f"{number}.tif")
    runs = [finish(each) for each in [room.start("ingest", "inbox", "--settle", "0", "--json") for _ in range(5)]]
    assert {run.status for run in runs} <= {0, 7}
    assert any(run.status == 0 for run in runs)
    assert len(room.listed()) == 30
    assert room.rows("SELECT count(*) FROM version") == [(30,)]


# --- the disk ---


def full_disk(limit):
    """A process that may write no file larger than ``limit`` bytes: what a full disk feels like."""

    def before():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return before


@pytest.mark.parametrize("limit", [0, 8_000, 100_000, 250_000])
def test_a_full_disk_ends_with_6_and_the_next_run_finishes(room, limit):
    for number in range(60):
        room.put(f"{number}.tif", zeiss(seed=number, side=96))
    full = room.start("ingest", "inbox", "--settle", "0", "--json", preexec_fn=full_disk(limit))
    run = finish(full)
    assert run.status == 6, (run.status, run.err)
    assert "space" in run.err
    assert not [line for line in run.of("outcome") if line["status"] == "quarantined"]
    assert room.ingest().status == 0
    assert len(room.listed()) == 60
    assert set(room.ingest().statuses.values()) == {"unchanged"}
    assert not list((room.home / "previews").glob(".tmp-*"))


def test_a_home_that_cannot_be_made_ends_with_6(room):
    room.put("a.tif")
    (room.folder / "file").write_bytes(b"")
    room.home = room.folder / "file" / "home"
    run = room.ingest()
    assert run.status == 6
    assert "NFFA_HOME" in run.err


def test_output_that_cannot_be_written_is_no_silent_success(room):
    room.put("a.tif")
    with open("/dev/full", "wb") as full:
        assert room.ingest(stdout=full).status == 6
    assert room.ingest().statuses == {"a.tif": "unchanged"}


def test_a_damaged_catalogue_is_said_and_kept(room):
    room.put("a.tif")
    room.ingest()
    catalogue = room.home / "catalogue.sqlite"
    catalogue.write_bytes(b"no database at all" * 1000)
    for name in ("catalogue.sqlite-wal", "catalogue.sqlite-shm"):
        (room.home / name).unlink(missing_ok=True)
    run = room.ingest()
    assert run.status == 1
    assert "damaged" in run.err
    assert "move this file away" in run.err
    assert catalogue.read_bytes().startswith(b"no database")


# --- what lies in the tree ---


def test_the_source_may_be_read_only_and_stays_as_it_was(room):
    for name in ("a.tif", "deep/b.tif"):
        room.put(name).chmod(0o444)
    for folder in (room.inbox / "deep", room.inbox):
        folder.chmod(0o555)
    before = tree_hash(room.inbox)
    try:
        assert room.ingest().statuses == {"a.tif": "done", "b.tif": "done"}
        room.json("inspect", "inbox")
        room.json("check")
        assert tree_hash(room.inbox) == before
    finally:
        for folder in (room.inbox, room.inbox / "deep"):
            folder.chmod(0o755)


def test_loops_pipes_sockets_and_links_are_passed_by_quickly(room):
    room.put("a.tif")
    inside = room.inbox
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "dangling.tif").symlink_to(inside / "nothing.tif")
    outside = room.folder / "outside.tif"
    outside.write_bytes(zeiss(seed=9))
    (inside / "link.tif").symlink_to(outside)
    os.mkfifo(inside / "pipe.tif")
    ours = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(inside)  # the path of a socket is short
    try:
        ours.bind("socket.tif")
    finally:
        os.chdir(here)
    began = time.monotonic()
    run = room.ingest()
    ours.close()
    assert time.monotonic() - began < 5
    assert run.status == 0
    assert {name: line["reason"] for name, line in run.outcomes.items() if name != "a.tif"} == {
        "loop": "symlink", "dangling.tif": "symlink", "link.tif": "symlink", "pipe.tif": "special-file",
        "socket.tif": "special-file",
    }  # fmt: skip
    assert run.statuses["a.tif"] == "done"


def test_a_deep_tree_and_an_empty_one_are_walked(room):
    path = room.inbox
    for _ in range(60):
        path = path / "a-folder-with-a-rather-long-name"
        path.mkdir()
    (path / "a.tif").write_bytes(zeiss())
    assert room.ingest().statuses == {"a.tif": "done"}
    empty = room.folder / "empty"
    empty.mkdir()
    assert room.json("ingest", "empty").lines[0]["outcomes"] == {}


def test_a_home_inside_the_folder_is_passed_by(room):
    room.put("a.tif")
    room.home = room.inbox / "nffa"
    room.ingest()
    assert room.ingest().statuses == {"a.tif": "unchanged"}


def test_files_that_come_and_go_during_a_run_stop_nothing(room):
    for number in range(300):
        room.put(f"{number:03d}.tif")
    process = room.start("ingest", "inbox", "--settle", "0", "--json")
    for number in range(0, 300, 3):
        (room.inbox / f"{number:03d}.tif").unlink()
        (room.inbox / f"{number + 1:03d}.tif").rename(room.inbox / f"moved-{number + 1:03d}.tif")
        time.sleep(0.002)
    run = finish(process)
    assert run.status == 0, run.err
    assert room.ingest().status == 0
    kept = {path.name for path in room.inbox.iterdir()}
    last = room.ingest()
    assert set(last.statuses) == kept
    assert set(last.statuses.values()) == {"unchanged"}


def test_the_command_is_quick_to_say_what_it_can(room):
    began = time.monotonic()
    run = room.nffa("--help")
    assert run.status == 0
    assert time.monotonic() - began < 2
    assert sys.executable not in run.out.decode()


def test_when_no_reader_can_start_no_file_is_blamed(room):
    room.put("a.tif")
    broken = "import sys; from nffa_cli import cli, pool\n"
    broken += "pool.WORKER = ('-c', 'raise ImportError'); sys.exit(cli.run(sys.argv[1:]))"
    run = room.ingest(command=("-c", broken))
    assert run.status == 1
    assert "nffa doctor" in run.err
    assert not run.of("outcome")
    assert room.ingest(env={"NFFA_WORKER_MEMORY_MB": "3"}.items()).status == 1
    assert room.ingest().statuses == {"a.tif": "done"}


def test_a_package_that_is_missing_blames_no_file_and_the_next_run_reads_it(room):
    room.put("a.msa", SPECTRUM.encode("ascii"))
    room.put("b.tif")
    hidden = room.folder / "hidden"
    hidden.mkdir()
    (hidden / "rsciio.py").write_text("raise ModuleNotFoundError('No module named numba', name='numba.core')")
    run = room.ingest(env={"PYTHONPATH": str(hidden)}.items())
    assert run.statuses == {"a.msa": "failed", "b.tif": "done"}
    assert run.status == 3
    said = "missing-package: the package numba is not installed; pip install numba"
    assert run.outcomes["a.msa"]["reason"] == said
    (held,) = room.json("status").of("held")
    assert (held["status"], held["reason"]) == ("failed", said)
    assert room.ingest().statuses == {"a.msa": "done", "b.tif": "unchanged"}
