"""``nffa review`` and ``nffa model report`` as persons and scripts meet them: lines, keys on a real terminal, sudden ends."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import numpy as np
import pytest
from PIL import Image

from tests import onnx_models
from tests.e2e.room import Room, finish, zeiss


def picture(level, seed, quality=95):
    """A grey JPEG of coarse blotches: bright ones are Particles to the tiny model, dark ones Porous Sponge."""
    noise = np.random.default_rng(seed).normal(level, 25, (9, 12)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((128, 96), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


class Sitting(Room):
    """A room with a tiny model that has looked at what lies in the inbox."""

    @property
    def environment(self):
        kept = {name: value for name, value in super().environment.items() if name not in ("COLORTERM", "TMUX", "STY")}
        return {**kept, "NFFA_CLASSIFY_MODEL": "tiny", "NFFA_REVIEW_LABELLER": "anna", "TERM": "xterm-256color"}

    def review(self, answers, *arguments, **more):
        """Answer from a file; return the run with ``--json``."""
        path = self.folder / "answers"
        path.write_text(answers, encoding="utf-8")
        return self.json("review", *arguments, "--answers", path, **more)

    def said(self):
        """[(name, answer, label, second, labeller, how)] of all rows, oldest first."""
        rows = self.rows(
            """SELECT DISTINCT l.seq, k.path, l.answer, l.label, l.second, l.labeller, l.how FROM label l
            JOIN classification c ON c.sha256 = l.sha256 JOIN looked k ON k.classification = c.seq ORDER BY l.seq"""
        )
        return [(os.fsdecode(path).rpartition("/")[2], *rest) for _, path, *rest in rows]


@pytest.fixture
def sitting(tmp_path):
    """Five pictures that are classified: three bright, two dark."""
    (tmp_path / "room").mkdir()
    room = Sitting(tmp_path / "room")
    (room.folder / "tiny.onnx").write_bytes(onnx_models.good())
    assert room.nffa("model", "add", "tiny.onnx").status == 0
    for n in range(3):
        room.put(f"bright{n}.jpg", picture(190, n))
    for n in range(2):
        room.put(f"dark{n}.jpg", picture(60, 10 + n))
    assert room.nffa("classify", "inbox").status == 0
    return room


# --- lines ---


def test_answers_are_stored_with_what_was_predicted_and_by_whom(sitting):
    run = sitting.review("a\n+2\n5\nc Dust\nn\nx\n", "--by", "path")
    assert run.status == 0
    assert run.summary == {"type": "summary", "answers": 5, "left": 0, "labeller": "anna"}
    assert sitting.said() == [
        ("bright0.jpg", "label", "Particles", None, "anna", "looked"),
        ("bright1.jpg", "label", "Nanowires", "Fibres", "anna", "looked"),
        ("bright2.jpg", "label", "Dust", None, "anna", "looked"),
        ("dark0.jpg", "unclear", None, None, "anna", "looked"),
        ("dark1.jpg", "none", None, None, "anna", "looked"),
    ]
    lines = run.of("answer")
    assert {line["predicted"] for line in lines[:3]} == {"Particles"}
    assert all(line["at"] and line["model_sha256"] for line in lines)
    assert [line["left"] for line in run.of("question")] == [5, 4, 4, 3, 2, 1]
    assert all(os.path.isfile(line["preview"]) for line in run.of("question"))
    assert sitting.review("").summary["left"] == 0


def test_the_least_certain_come_first_and_filters_choose(sitting):
    sitting.put("middling.jpg", picture(100, 20))
    sitting.nffa("classify", "inbox")
    listed = sitting.json("review", "list").of("waiting")
    assert [line["doubt"] for line in listed] == sorted((line["doubt"] for line in listed), reverse=True)
    assert listed[0]["path"].endswith("middling.jpg")
    particles = sitting.json("review", "list", "--label", "part", "--above", 0.5).of("waiting")
    assert {os.path.basename(line["path"]) for line in particles} == {"bright0.jpg", "bright1.jpg", "bright2.jpg"}
    assert sitting.json("review", "list", "--folder", "inbox/none").of("waiting") == []
    assert sitting.json("review", "list", "--decision", "none", "--limit", 1).summary["shown"] <= 1
    assert sitting.json("review", "list", "--label", "p").status == 2


def test_near_duplicates_are_answered_together_and_apart(sitting):
    sitting.put("again.jpg", picture(190, 0, quality=50))
    sitting.nffa("classify", "inbox")
    run = sitting.review("5\nu\nd\n5\nq\n", "--label", "Particles", "--by", "path")
    first = run.of("question")[0]
    assert [os.path.basename(each["path"]) for each in first["together"]] == ["bright0.jpg"]
    assert [(name, answer, how) for name, answer, _, _, _, how in sitting.said()] == [
        ("again.jpg", "label", "looked"),
        ("bright0.jpg", "label", "duplicate"),
        ("again.jpg", "undo", "looked"),
        ("bright0.jpg", "undo", "duplicate"),
        ("again.jpg", "label", "looked"),
    ]
    assert run.summary["answers"] == 1
    alone = sitting.review("q\n", "--alone", "--labeller", "bea")
    assert alone.of("question")[0]["together"] == []


def test_undo_asks_the_picture_again_and_skip_leaves_it_for_later(sitting):
    run = sitting.review("s\n1\nu\nu\n2\nq\n", "--by", "path")
    assert [os.path.basename(line["path"]) for line in run.of("question")] == [
        "bright0.jpg", "bright1.jpg", "bright2.jpg", "bright1.jpg", "bright0.jpg", "bright1.jpg",
    ]  # fmt: skip
    assert [row[:3] for row in sitting.said()] == [
        ("bright1.jpg", "label", "Biological"),
        ("bright1.jpg", "undo", None),
        ("bright0.jpg", "label", "Fibres"),
    ]
    assert sitting.review("u\n").status == 2


def test_a_picture_can_be_named(sitting):
    lines = [{"path": "inbox/dark1.jpg", "label": "Tips", "note": "seen before"}]
    assert sitting.review("\n# a comment\n" + json.dumps(lines[0]) + "\n").status == 0
    assert sitting.said() == [("dark1.jpg", "label", "Tips", None, "anna", "looked")]
    assert sitting.review('{"path": "inbox/dark1.jpg", "answer": "undo"}\n').status == 0
    assert sitting.review('{"path": "inbox/dark1.jpg", "answer": "undo"}\n').status == 2
    assert sitting.review('{"path": "inbox/nowhere.jpg", "label": "Tips"}\n').status == 2
    assert len(sitting.review("").of("question")) == 1


def test_a_wrong_line_is_named_and_what_came_before_is_kept(sitting):
    run = sitting.review("1\n\nperhaps\n2\n", "--by", "path")
    assert run.status == 2
    assert "answers:3" in run.err
    assert len(sitting.said()) == 1


def test_two_persons_agree_or_not(sitting):
    sitting.review("a\na\n5\nn\n", "--by", "path")
    second = sitting.review("a\n5\n5\na\na\n", "--second-opinion", "--labeller", "bea", "--by", "path")
    assert len(second.of("answer")) == 4
    run = sitting.json("model", "report")
    assert run.status == 0
    (pair,) = run.of("report-pair")
    assert pair["labellers"] == ["anna", "bea"]
    assert (pair["agreement"]["n"], pair["agreement"]["same"]) == (4, 2)
    (whole,) = run.of("report")
    assert whole["classified"] == 5
    assert whole["decisions"] == {"accepted": 5, "uncertain": 0, "none": 0}
    assert (whole["answers"], whole["not_clear"]) == (8, 1)
    assert (whole["agreement"]["all"]["n"], whole["agreement"]["all"]["same"]) == (7, 4)
    classes = {line["label"]: line for line in run.of("report-class")}
    assert (classes["Particles"]["predicted"], classes["Particles"]["answered"]) == (3, 6)
    assert (classes["Particles"]["confirmed"], classes["Nanowires"]["persons_say"]) == (3, 3)
    persons = {line["labeller"]: line for line in run.of("report-labeller")}
    assert (persons["anna"]["looked"], persons["anna"]["not_clear"], persons["bea"]["looked"]) == (4, 1, 4)
    assert "n = 0" in sitting.nffa("model", "report").out.decode()  # no spot check


def test_a_name_that_cannot_be_written_is_no_labeller(sitting):
    for run in (sitting.review("a\n", "--labeller", "a\udcff"),
                sitting.review("a\n", env={"NFFA_REVIEW_LABELLER": "a\udcff"}.items())):  # fmt: skip
        assert (run.status, "is no name of a person" in run.err) == (2, True), run.err
    assert sitting.said() == []


def test_nobody_to_ask_is_said_and_so_is_nothing_classified(sitting, tmp_path):
    run = sitting.nffa("review")
    assert run.status == 2
    assert "--answers" in run.err
    (tmp_path / "other").mkdir()
    room = Sitting(tmp_path / "other")
    (room.folder / "tiny.onnx").write_bytes(onnx_models.good())
    run = room.nffa("review", "--model", "tiny.onnx", "--answers", "-")
    assert run.status == 2
    assert "nffa classify" in run.err


# --- a whole class ---


def test_a_class_is_accepted_after_a_spot_check_and_taken_back(sitting):
    asked = sitting.review("a\n", "accept", "--class", "Particles", "--above", 0.5, "--check", 2)
    assert asked.of("accepted")[0]["accepted"] == 0, "the check is not finished"
    bound = sitting.review("a\n", "accept", "--class", "Particles", "--above", 0.5, "--check", 2)
    assert bound.status == 2, "nobody says yes"
    assert "--at-most" in bound.err
    good = sitting.review("", "accept", "--class", "particles", "--above", 0.5, "--check", 2, "--at-most", 0.8)
    (line,) = good.of("accepted")
    assert (line["pictures"], line["checked"], line["wrong"], line["accepted"]) == (3, 2, 0, 1)
    assert line["error_bound"] == pytest.approx(1 - 0.05**0.5, abs=1e-6)
    assert sorted(row[-1] for row in sitting.said()) == ["bulk", "check", "check"]
    assert sitting.json("review", "list", "--label", "Particles").of("waiting") == []
    (whole,) = sitting.json("model", "report").of("report")
    assert whole["agreement"]["spot_checks"]["n"] == 2
    assert whole["not_looked_at"]["bulk"] == 1
    back = sitting.json("review", "accept", "--class", "Particles", "--take-back")
    assert back.summary["taken_back"] == 1
    assert len(sitting.json("review", "list", "--label", "Particles").of("waiting")) == 1


def test_a_bad_sample_is_neither_accepted_nor_drawn_again(sitting):
    sitting.review("5\na\n", "accept", "--class", "Particles", "--above", 0.5, "--check", 2, "--at-most", 0.8)
    again = sitting.review("a\na\n", "accept", "--class", "Particles", "--above", 0.5, "--check", 2, "--at-most", 0.8)
    (line,) = again.of("accepted")
    assert (line["checked"], line["wrong"], line["accepted"]) == (2, 1, 0)
    assert not again.of("question")


def test_new_pictures_of_an_accepted_class_get_a_sample_of_their_own(sitting):
    choice = ("accept", "--class", "Particles", "--above", 0.5, "--check", 2, "--at-most", 0.8)
    (line,) = sitting.review("a\na\n", *choice).of("accepted")
    assert (line["checked"], line["accepted"]) == (2, 1)
    (line,) = sitting.review("", *choice).of("accepted")
    assert (line["pictures"], line["checked"], line["accepted"]) == (0, 0, 0)
    for n in range(4):
        sitting.put(f"new/bright{n}.jpg", picture(190, 50 + n))
    assert sitting.nffa("classify", "inbox").status == 0
    run = sitting.review("a\na\n", *choice)
    assert {os.path.dirname(line["path"]).rpartition("/")[2] for line in run.of("question")} == {"new"}
    (line,) = run.of("accepted")
    assert (line["pictures"], line["checked"], line["accepted"]) == (4, 2, 2)
    assert line["error_bound"] == pytest.approx(1 - 0.05**0.5, abs=1e-6)


def test_what_is_named_in_a_spot_check_was_not_drawn(sitting):
    named = json.dumps({"path": "inbox/dark0.jpg", "label": "Tips"})
    sitting.review(f"{named}\na\n", "accept", "--class", "Particles", "--above", 0.5, "--check", 1, "--at-most", 1)
    assert [row[-1] for row in sitting.said()] == ["looked", "check", "bulk", "bulk"]
    (whole,) = sitting.json("model", "report").of("report")
    assert whole["agreement"]["spot_checks"]["n"] == 1


def test_a_random_order_is_no_spot_check(sitting):
    sitting.review("a\na\n", "--by", "random")
    (whole,) = sitting.json("model", "report").of("report")
    assert (whole["agreement"]["all"]["n"], whole["agreement"]["spot_checks"]["n"]) == (2, 0)


@pytest.mark.parametrize("answer", [r'{"label": "Fibres", "note": "\ud800"}', r'{"path": "\ud800", "label": "Fibres"}',
                                    r'{"path": "inbox/\udce9.jpg", "label": "Fibres"}'])  # fmt: skip
def test_half_a_character_is_refused_with_a_sentence(sitting, answer):
    run = sitting.review(f"a\n{answer}\n", "--by", "path")
    assert run.status == 2
    assert "answers:2" in run.err
    assert "unexpected" not in run.err
    assert len(sitting.said()) == 1


# --- labels go on ---


def test_labels_are_exported_where_persons_agree(sitting):
    sitting.review("a\n5\nn\nx\n", "--by", "path")
    sitting.review("a\n6\n", "--second-opinion", "--labeller", "bea", "--by", "path")
    run = sitting.json("review", "export", "-o", "labels.csv")
    assert run.status == 0
    assert run.summary["left_out"] == {"disagreed on": 1, "not clear": 1}
    rows = list(csv.DictReader(io.StringIO((sitting.folder / "labels.csv").read_text(encoding="utf-8-sig"))))
    found = {os.path.basename(row["path"]): (row["label"], row["labeller"], row["how"]) for row in rows}
    assert found == {"bright0.jpg": ("Particles", "anna; bea", "looked"), "dark0.jpg": ("none", "anna", "looked")}
    assert all(len(row["sha256"]) == 64 for row in rows)
    sitting.nffa("review", "export", "-o", "labels.jsonl")
    lines = [json.loads(line) for line in (sitting.folder / "labels.jsonl").read_text().splitlines()]
    assert [line["label"] for line in lines] == [row["label"] for row in rows]
    assert sitting.nffa("review", "export", "-o", "labels.txt").status == 2


def test_an_exported_path_is_one_that_is_there(sitting):
    sitting.review("a\n", "--by", "path")

    def exported():
        return [line["path"].rpartition("room/")[2] for line in sitting.json("review", "export").of("label")]

    assert exported() == ["inbox/bright0.jpg"]
    sitting.inbox.rename(sitting.folder / "moved")
    assert exported() == ["inbox/bright0.jpg"], "the last that is known"
    assert sitting.nffa("classify", "moved").status == 0
    assert exported() == ["moved/bright0.jpg"]


def test_a_label_is_found_and_shown_before_the_prediction(sitting):
    sitting.put("sem.tif", zeiss(side=64, seed=1))
    assert sitting.ingest().status == 0
    assert sitting.nffa("classify", "inbox/sem.tif").status == 0
    run = sitting.review('{"path": "inbox/sem.tif", "label": "Tips", "second": "Wafer dust"}\n')
    assert run.status == 0
    for query in ("category:tips", 'category:"wafer dust"', "label=Tips"):
        assert len(sitting.json("search", query).of("acquisition")) == 1, query
    shown = sitting.nffa("show", "inbox/sem.tif").out.decode()
    assert "anna says: Tips or Wafer dust" in shown
    assert shown.index("anna says") < shown.index("tiny says")


def test_key_settings_of_the_record_are_shown(sitting):
    sitting.put("sem.tif", zeiss(side=64, seed=1))
    sitting.nffa("classify", "inbox/sem.tif")
    questions = sitting.review("q\n", "--folder", "inbox", "--by", "path").of("question")
    assert questions[0]["terms"] == {}
    run = sitting.review("s\ns\ns\ns\ns\nq\n", "--folder", "inbox", "--by", "path")
    last = run.of("question")[-1]
    assert last["path"].endswith("sem.tif")
    assert last["terms"]["detector.name"]["value"] == "InLens"
    assert last["terms"]["beam.accelerating_voltage"]["value"] == 10000.0


def test_a_file_that_is_gone_or_changed_is_said_and_can_be_answered(sitting):
    (sitting.inbox / "bright0.jpg").unlink()
    sitting.put("bright1.jpg", picture(30, 99))
    (sitting.folder / "answers").write_text("a\na\nq\n")
    run = sitting.nffa("review", "--by", "path", "--answers", "answers")
    assert "not where it was" in run.out.decode()
    assert "changed since" in run.out.decode()
    assert len(sitting.said()) == 2


# --- sudden ends ---


def test_killed_in_the_middle_nothing_that_was_answered_is_lost(sitting):
    process = sitting.start("review", "--json", "--by", "path", "--answers", "-", stdin=subprocess.PIPE)
    told = []
    for line in iter(process.stdout.readline, b""):
        told.append(json.loads(line))
        if told[-1]["type"] == "question":
            if len([each for each in told if each["type"] == "answer"]) == 2:
                break
            process.stdin.write(b"a\n")
            process.stdin.flush()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [row[0] for row in sitting.said()] == ["bright0.jpg", "bright1.jpg"]
    assert len(sitting.json("review", "list").of("waiting")) == 3


# --- keys on a terminal ---


class Person:
    """Somebody at a terminal of 100 × 40 characters."""

    def __init__(self, room, *arguments, **environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.process = room.start(*arguments, stdin=slave, stdout=slave, env=environment.items())
        self.slave = slave
        self.seen = ""

    def sees(self, text, *, within=30.0):
        end = time.monotonic() + within
        while text not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def types(self, keys):
        os.write(self.master, keys.encode())

    def ends(self):
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:  # a terminal that nobody reads blocks who writes
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
        self.run = finish(self.process)
        echo = termios.tcgetattr(self.slave)[3] & (termios.ECHO | termios.ICANON)
        os.close(self.slave)
        os.close(self.master)
        assert echo == termios.ECHO | termios.ICANON, "the terminal is not itself again"
        return self.run


def test_keys_on_a_real_terminal(sitting):
    person = Person(sitting, "review", "--by", "path")
    drawn = person.sees("(5 left)")
    assert "▀" in drawn
    assert "1 Biological" in drawn
    person.types("\r")
    person.sees("→ Particles")
    person.sees("(4 left)")
    person.types("+")
    person.sees("second category: key or c ")
    person.types("2")
    person.sees("second category: Fibres")
    person.types("5")
    person.sees("→ Nanowires and Fibres")
    person.types("c")
    person.sees("name of the category")
    person.types("Dusk\x7ft bunnies\n")
    person.sees("→ Dust bunnies")
    person.types("\x1b[A?")  # an arrow is passed over
    person.sees("by name: Dust")
    person.types("n")
    person.sees("→ unclear")
    person.types("u")
    person.sees("→ taken back")
    person.types("s")
    person.sees("→ skip")
    person.types("x")
    person.sees("→ none")
    person.sees("nothing is left")
    person.types("u")
    person.sees("→ taken back")
    person.types("q")
    person.sees("3 answers by anna; 1 pictures left")
    assert person.ends().status == 0
    assert [(name, answer, label, second) for name, answer, label, second, _, _ in sitting.said()] == [
        ("bright0.jpg", "label", "Particles", None),
        ("bright1.jpg", "label", "Nanowires", "Fibres"),
        ("bright2.jpg", "label", "Dust bunnies", None),
        ("dark0.jpg", "unclear", None, None),
        ("dark0.jpg", "undo", None, None),
        ("dark1.jpg", "none", None, None),
        ("dark1.jpg", "undo", None, None),
    ]


def test_an_interrupt_leaves_the_terminal_as_it_was(sitting):
    person = Person(sitting, "review", "--no-pictures", "--by", "path")
    assert "▀" not in person.sees("(5 left)")
    person.types("1")
    person.sees("(4 left)")
    person.process.send_signal(signal.SIGINT)
    assert person.ends().status == 130
    assert len(sitting.said()) == 1


def test_a_person_says_yes_to_the_rest_of_a_class(sitting):
    person = Person(sitting, "review", "accept", "--class", "Particles", "--above", "0.5", "--check", "1", TERM="dumb")
    person.sees("(1 left)")
    person.types("\r")
    person.sees("nothing is left")
    person.types("q")
    person.sees("0 of 1 checked were wrong: with 95% confidence no more than 95.0%")
    person.sees("accept the other 2 as Particles unseen? [y/N]")
    person.types("y\n")
    person.sees("2 pictures accepted as Particles by anna")
    assert person.ends().status == 0


def test_terminals_with_a_protocol_of_their_own_get_it(sitting):
    for environment, mark in (({"KITTY_WINDOW_ID": "1"}, "\x1b_G"), ({"TERM": "foot"}, "\x1bPq"),
                              ({"TERM_PROGRAM": "iTerm.app"}, "\x1b]1337;File=")):  # fmt: skip
        person = Person(sitting, "review", "--by", "path", **environment)
        assert mark in person.sees("(5 left)")
        person.types("q")
        assert person.ends().status == 0
