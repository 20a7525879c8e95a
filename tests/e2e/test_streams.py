"""What comes out: stdout is pure JSON Lines, stderr is talk without tracebacks, the exit status tells the truth."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys

import pytest

from tests.e2e.room import finish, finite, pure_lines, until, zeiss

NAMES = {
    "newline": b"a\nb.tif",
    "escape": b"\x1b[31mred\x1b[0m.tif",
    "carriage return": b"a\rb.tif",
    "not UTF-8": b"caf\xe9.tif",
    "emoji": "\U0001f52c.tif".encode(),
    "right to left": "\u202egpj.tif".encode(),
    "decomposed": "e\u0301.tif".encode(),
    "composed": "\u00e9.tif".encode(),
    "255 bytes": b"x" * 251 + b".tif",
    "leading dash": b"--help.tif",
    "quote": b"'; DROP TABLE version; --\".tif",
    "format": b"{0}%s%n.tif",
    "markup": b"[bold red]x.tif",
    "space": b"a .tif",
    "upper case": b"CASE.TIF",
    "lower case": b"case.tif",
}

COMMANDS = {
    "ingest": ["ingest", "inbox", "--settle", "0"],
    "ingest --dry-run": ["ingest", "inbox", "--dry-run"],
    "ingest --explain": ["ingest", "inbox", "--settle", "0", "--explain", "-vv"],
    "inspect": ["inspect", "inbox"],
    "inspect --raw": ["inspect", "inbox", "--raw"],
    "list": ["list"],
    "show": ["show", "inbox/a.tif", "--raw"],
    "search": ["search", "InLens"],
    "status": ["status"],
    "check": ["check"],
    "crosswalk list": ["crosswalk", "list"],
    "crosswalk check": ["crosswalk", "check"],
    "crosswalk explain": ["crosswalk", "explain", "inbox/a.tif", "beam.accelerating_voltage"],
    "profile list": ["profile", "list"],
    "profile add": ["profile", "add", "x", "--dry-run", "--model", "SUPRA 40"],
    "session show": ["session", "show", "inbox"],
    "session new": ["session", "new", "inbox", "--dry-run", "--set", "sample.name=W12"],
    "session check": ["session", "check", "inbox"],
    "config show": ["config", "show"],
    "config path": ["config", "path"],
}


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A room after one ingest of good, damaged, foreign and oddly named files."""
    from tests.e2e.room import Room

    room = Room(tmp_path_factory.mktemp("used"))
    room.put("a.tif", zeiss(5.0))
    room.put("cut.tif", zeiss(6.0)[:-100])
    room.put("notes.txt", b"\xff\x00")
    room.put("empty.dm3", b"")
    for number, name in enumerate(NAMES.values()):
        with open(os.path.join(os.fsencode(room.inbox), name), "wb") as file:
            file.write(zeiss(seed=number))
    assert room.ingest().status == 3
    return room


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_pure_whatever_the_command(used, name):
    run = used.json(*COMMANDS[name])
    assert run.status in (0, 3)
    assert [line["type"] for line in run.lines].index("summary") == len(run.lines) - 1
    assert finite(run.lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_text_holds_no_control_characters(used, name):
    run = used.nffa(*COMMANDS[name])
    said = (run.out + run.err.encode()).decode("utf-8")
    assert not [
        sign for sign in said if sign != "\n" and (ord(sign) < 32 or 127 <= ord(sign) < 160 or sign == "\u202e")
    ]


@pytest.fixture(scope="module")
def told(used):
    """Every path that ``ingest`` and ``list`` tell, as bytes."""
    lines = [*used.json("ingest", "inbox").of("outcome"), *used.json("list", "--limit", "99").of("acquisition")]
    return [base64.b64decode(line["path_b64"]) if "path_b64" in line else line["path"].encode() for line in lines]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_every_name_is_told_so_that_the_file_can_be_found(used, told, name):
    here = os.fsencode(used.inbox)
    assert b"inbox/" + name in told
    assert os.path.join(here, name) in told
    shown = used.json("show", os.path.join(here, name))
    assert shown.status == 0
    assert len(shown.of("acquisition")) == 1


def test_what_libraries_print_never_lands_between_the_lines(room):
    room.put("a.tif")
    loud = """
import os, sys
from nffa_cli import pool, cli
pool.WORKER = ("-c", '''
import os, sys
from nffa_cli import extract, worker
quiet = extract.read
def read(files, family):
    print("a library prints"); sys.stdout.flush()
    os.write(1, b"a C library prints\\\\n")
    return quiet(files, family)
extract.read = read
worker.main()
''')
sys.exit(cli.run(sys.argv[1:]))
"""
    run = room.ingest(command=("-c", loud))
    assert run.statuses == {"a.tif": "done"}


def test_inspect_prints_the_record_before_its_outcome_and_makes_no_home(room):
    room.put("a.tif", zeiss(5.0))
    run = room.json("inspect", "inbox/a.tif")
    assert [line["type"] for line in run.lines] == ["record", "outcome", "summary"]
    assert run.lines[0]["files"][0]["path"] == run.lines[1]["path"] == "inbox/a.tif"
    assert run.lines[0]["terms"]["beam.accelerating_voltage"]["raw"].endswith("5.00 kV")
    assert not room.home.exists()


# --- exit statuses ---


def test_0_when_done_and_when_nothing_is_due(room):
    room.put("a.tif")
    assert room.ingest().status == 0
    assert room.ingest().status == 0


@pytest.mark.parametrize("words", [["list"], ["show", "x"], ["search", "x"], ["status"], ["check"]])
def test_1_without_a_catalogue_and_it_says_what_makes_one(room, words):
    run = room.json(*words)
    assert run.status == 1
    assert "nffa ingest FOLDER" in run.err
    assert not (room.home / "catalogue.sqlite").exists()


def test_1_for_a_wrong_setting_with_the_place(room):
    room.home.mkdir()
    (room.home / "nffa.toml").write_text("[ingest]\nsetle = 3\n")
    run = room.ingest()
    assert run.status == 1
    assert "nffa.toml" in run.err
    assert "ingest.settle" in run.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ingst", "inbox"], "Did you mean ingest?"),
        (["ingest"], "FOLDER"),
        (["ingest", "inbox", "--settle", "soon"], "soon"),
        (["ingest", "no-such-folder"], "no-such-folder"),
        (["inspect", "no-such-file"], "no-such-file"),
        (["ingest", "inbox", "--jsn"], "--json"),
    ],
)
def test_2_for_wrong_usage_with_a_hint(room, words, says):
    run = room.nffa(*words)
    assert run.status == 2
    assert says in run.err
    assert not run.out


def test_3_when_something_is_damaged_and_the_rest_is_done(room):
    room.put("a.tif")
    room.put("cut.tif", zeiss()[:-9])
    run = room.ingest()
    assert run.status == 3
    assert run.statuses == {"a.tif": "done", "cut.tif": "quarantined"}
    assert run.outcomes["cut.tif"]["reason"].startswith("truncated")
    again = room.ingest()
    assert again.statuses == {"a.tif": "unchanged", "cut.tif": "unchanged"}
    assert again.status == 0
    assert room.json("status").of("held")[0]["reason"].startswith("truncated")


def test_130_when_interrupted_and_the_next_run_goes_on(room):
    for number in range(60):
        room.put(f"{number}.tif")
    process = room.start("ingest", "inbox", "--settle", "0", "--json")
    until((room.home / "catalogue.sqlite").exists)  # it has begun
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    run = finish(process)
    assert run.status in (0, 130)
    assert run.status == 0 or "interrupted" in run.err
    assert pure_lines(run.out) == run.lines
    room.ingest()
    assert len(room.listed()) == 60


def test_a_reader_that_goes_away_ends_the_command_quietly(room):
    for number in range(30):
        room.put(f"{number}.tif")
    room.ingest()
    for words in (
        ["list"],
        ["list", "--json"],
        ["ingest", "inbox"],
        ["check", "--json"],
        ["inspect", "inbox", "--json"],
    ):
        process = room.start(*words)
        process.stdout.close()
        process.stdout = None
        run = finish(process)
        assert "BrokenPipe" not in run.err
        assert "Exception ignored" not in run.err


def test_it_works_without_stdin_and_without_a_terminal_encoding(room):
    room.put("a.tif")
    run = room.ingest(env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}.items())
    assert run.status == 0
    assert room.nffa("list", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}.items()).status == 0
    closed = subprocess.run(
        [sys.executable, "-m", "nffa_cli", "ingest", "inbox", "--settle", "0", "--json"],
        env=room.environment, cwd=room.folder, capture_output=True, check=False, preexec_fn=lambda: os.close(0),
    )  # fmt: skip
    assert closed.returncode == 0, closed.stderr


def test_the_summary_comes_even_when_interrupted(room):
    room.put("a.tif")
    process = room.start("ingest", "inbox", "--watch", "--every", "0.2", "--settle", "0", "--json")
    until(lambda: room.listed())
    os.killpg(process.pid, signal.SIGINT)
    run = finish(process)
    assert run.status == 130
    assert run.summary["outcomes"] == {"done": 1}
