"""What a person at a terminal meets: questions, tables in small windows, progress, and profiles that are said once."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

import pytest

from tests.e2e.room import zeiss

SESSION = ("session", "new", "inbox")


def own_terminal():
    """Make stdin the terminal that Ctrl-C comes from."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Dialogue:
    """A command in a terminal of its own; ``expect`` waits for a text, ``say`` types a line."""

    def __init__(self, room, *words, columns=80):
        environment = {**room.environment, "COLUMNS": str(columns), "TERM": "xterm-256color"}
        self.terminal, inside = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nffa_cli", *words], stdin=inside, stdout=inside, stderr=inside,
            env=environment, cwd=room.folder, start_new_session=True, preexec_fn=own_terminal,
        )  # fmt: skip
        os.close(inside)
        self.said = ""

    def _read(self):
        if select.select([self.terminal], [], [], 0.1)[0]:
            try:
                got = os.read(self.terminal, 65536)
            except OSError:
                got = b""
            self.said += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", got.decode("utf-8", "replace")).replace("\r\n", "\n")
            return bool(got)
        return True

    def expect(self, text):
        until = time.monotonic() + 30
        while text not in self.said:
            assert time.monotonic() < until, self.said
            assert self._read() or text in self.said, self.said
        before, _, self.said = self.said.partition(text)
        return before

    def say(self, text):
        os.write(self.terminal, text.encode() + b"\n")

    def end(self):
        while self._read():
            pass
        os.close(self.terminal)
        return self.process.wait(30)


def test_a_session_asks_five_questions_and_asks_again_when_an_answer_cannot_be(room):
    talk = Dialogue(room, *SESSION)
    talk.expect("Number of the proposal")
    talk.say("161")
    talk.expect("Name of the sample")
    talk.say("W12, left half")
    talk.expect("Chemical elements")
    talk.say("Si, Xx")
    assert "no such: Xx" in talk.expect("Chemical elements")
    talk.say("Si, O")
    talk.expect("Who measures")
    talk.say("")
    talk.expect("ORCID of that person")
    talk.say("0000-0002-1825-0098")
    assert "check digit" in talk.expect("ORCID of that person")
    talk.say("0000-0002-1825-0097")
    talk.expect("Next: nffa ingest inbox")
    assert talk.end() == 0
    known = {line["key"]: line["value"] for line in room.json("session", "show", "inbox").of("session-value")}
    assert known == {
        "proposal.id": "161", "sample.name": "W12, left half", "sample.atom_types": ["Si", "O"],
        "user.orcid": "0000-0002-1825-0097",
    }  # fmt: skip


def test_questions_that_are_broken_off_leave_nothing(room):
    talk = Dialogue(room, *SESSION)
    talk.expect("Number of the proposal")
    for _ in range(10):  # Python's line editor may miss one that comes while it starts
        os.write(talk.terminal, b"\x03")
        until = time.monotonic() + 3
        while talk._read() and "interrupted" not in talk.said and time.monotonic() < until:
            pass
        if "interrupted" in talk.said:
            break
    talk.expect("interrupted")
    assert talk.end() == 130
    assert not list(room.home.glob("sessions/*"))


def test_what_would_be_written_is_told_and_not_written(room):
    for words in (
        ("profile", "add", "x", "--model", "SUPRA 40", "--dry-run"),
        (*SESSION, "--set", "sample.name=W12", "--dry-run"),
        (*SESSION, "--set", "sample.name=W12", "--dry-run", "--here"),
    ):
        run = room.json(*words)
        assert run.status == 0
        assert run.of("plan")[0]["due"] == ["write"]
    assert not room.home.exists()
    assert not list(room.inbox.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("profile", "add", "x", "--model", "y", "--timezone", "Europe/Roma"),
        ("profile", "add", "x", "--model", "y", "--date-order", "dmy"),
        ("profile", "add", "a b", "--model", "y"),
        ("profile", "add", "x"),
        (*SESSION, "--set", "sample.naem=W12"),
        (*SESSION, "--set", "user.orcid=1"),
        (*SESSION,),
        ("session", "check", "no-such-folder"),
    ],
)
def test_2_for_answers_that_cannot_be(room, words):
    run = room.nffa(*words)
    assert run.status == 2
    assert run.err.startswith("nffa: ")
    assert not run.out


def test_file_then_session_then_profile_and_conflicts_are_told(room):
    room.put("a.tif", zeiss())
    model = ("--vendor", "Zeiss")
    assert room.nffa("profile", "add", "one", *model, "--model", "SUPRA 40", "--facility", "Trieste").status == 0
    [record] = room.json("inspect", "inbox").of("record")
    assert record["terms"]["instrument.model"]["value"] == "SUPRA 40"
    assert room.nffa(*SESSION, "--set", "instrument.model=Sigma 300", "--set", "instrument.vendor=JEOL").status == 0
    [record] = room.json("inspect", "inbox").of("record")
    assert record["terms"]["instrument.model"]["value"] == "Sigma 300"
    assert record["terms"]["instrument.vendor"]["value"] == "Zeiss"
    assert [each["detail"] for each in record["warnings"] if each["code"] == "conflict"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_list_shows_id_and_file_in_a_small_window(room, columns):
    room.put("a very long name of a picture.tif")
    room.ingest()
    talk = Dialogue(room, "list", columns=columns)
    talk.end()
    shown = next(line for line in talk.said.splitlines() if ".tif" in line)
    assert len(shown) <= columns
    assert re.match(r" [0-9a-f]{8} .*of a picture\.tif *$", shown)


def test_results_go_where_stdout_goes_while_progress_is_drawn(room):
    room.put("cut.tif", zeiss()[:-9])
    terminal, inside = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "nffa_cli", "ingest", "inbox", "--settle", "0"], stdout=subprocess.PIPE, stderr=inside,
        env=room.environment, cwd=room.folder,
    ) as process:  # fmt: skip
        os.close(inside)
        out = process.stdout.read().decode()
    os.close(terminal)
    assert process.returncode == 3
    assert out.startswith("quarantined  inbox/cut.tif  (truncated")
