"""``nffa classify`` and ``nffa model`` as a person or a script meets them, with tiny models made here."""

from __future__ import annotations

import csv
import io
import os
import signal
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from tests import onnx_models
from tests.e2e.room import PATIENCE, pure_lines, tree_hash, until


def picture(level=200, spread=25, shape=(96, 128), seed=0):
    """A grey picture with texture: bright ones are Particles to the tiny model, dark ones Porous Sponge."""
    noise = np.random.default_rng(seed).normal(level, spread, shape).clip(0, 255)
    return Image.fromarray(noise.astype(np.uint8))


def saved(image, kind="JPEG", **how):
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


@pytest.fixture
def model(room):
    path = room.folder / "tiny.onnx"
    path.write_bytes(onnx_models.good())
    return path


@pytest.fixture
def ready(room, model):
    """A room where the tiny model is the one to use."""
    assert room.nffa("model", "add", model).status == 0
    (room.home / "nffa.toml").write_text('classify.model = "tiny"\n')
    return room


def test_without_a_model_it_says_what_to_do(room):
    room.put("a.jpg", saved(picture()))
    run = room.json("classify", "inbox", env={"NFFA_CLASSIFY_MODEL": "nobody"}.items())
    assert run.status == 1
    assert "nffa model add" in run.err


def test_pictures_get_all_labels_and_a_decision(ready):
    ready.put("bright.jpg", saved(picture(220)))
    ready.put("dark.png", saved(picture(40), "PNG"))
    ready.put("flat.bmp", saved(Image.new("L", (128, 96), 90), "BMP"))
    run = ready.json("classify", "inbox")
    assert run.status == 0
    found = {line["path"]: line for line in run.of("classification")}
    assert set(found) == {"inbox/bright.jpg", "inbox/dark.png", "inbox/flat.bmp"}
    for line in found.values():
        scores = [each["score"] for each in line["labels"]]
        assert sorted(each["label"] for each in line["labels"]) == sorted(onnx_models.LABELS)
        assert scores == sorted(scores, reverse=True)
        assert 0 <= line["in_distribution"] <= 1
        assert line["model"] == "tiny"
    assert [found[f"inbox/{name}"]["labels"][0]["label"] for name in ("bright.jpg", "dark.png")] == [
        "Particles",
        "Porous Sponge",
    ]
    assert [found[f"inbox/{name}"]["decision"] for name in ("bright.jpg", "dark.png", "flat.bmp")] == [
        "accepted",
        "accepted",
        "none",
    ]
    assert run.statuses == {"bright.jpg": "done", "dark.png": "done", "flat.bmp": "done"}


def test_twice_is_unchanged_and_still_printed(ready):
    ready.put("a.jpg", saved(picture()))
    first = ready.json("classify", "inbox")
    again = ready.json("classify", "inbox")
    assert again.statuses == {"a.jpg": "unchanged"}
    assert again.of("classification") == first.of("classification")
    ready.put("b/copy.jpg", saved(picture()))
    third = ready.json("classify", "inbox")
    assert third.outcomes["copy.jpg"]["reason"] == "same-content"
    assert ready.rows("SELECT count(*) FROM classification") == [(1,)]


def test_a_table_for_a_spreadsheet(ready):
    ready.put("=HYPERLINK(1).jpg", saved(picture()))
    run = ready.nffa("classify", "inbox/=HYPERLINK(1).jpg", "--csv", "out.CSV", "--top", 2)
    assert run.status == 0
    data = (ready.folder / "out.CSV").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    assert (row["label"], row["decision"]) == ("Particles", "accepted")
    assert row["path"] == "inbox/=HYPERLINK(1).jpg"


@pytest.mark.parametrize("name", ["inbox/a.jpg", "inbox/new.tif", "table", "out.csv.txt", ""])
def test_a_table_is_written_over_nothing_but_a_table(ready, name):
    ready.put("a.jpg", saved(picture()))
    ready.put("b.jpg", saved(picture(seed=1)))
    before = tree_hash(ready.folder)
    run = ready.nffa("classify", "--csv", name, "inbox/b.jpg")
    assert (run.status, ".csv" in run.err, run.out) == (2, True, b"")
    assert tree_hash(ready.folder) == before
    assert not (ready.home / "catalogue.sqlite").exists()


def test_what_a_picture_shows_is_searched_and_shown(ready):
    ready.put("bright.jpg", saved(picture(220)))
    ready.put("dark.jpg", saved(picture(40)))
    run = ready.ingest("--pictures", "--classify")
    assert (run.status, len(run.of("classification"))) == (0, 2)
    assert {(line["stage"], line["status"]) for line in run.of("outcome")} == {("ingest", "done"), ("classify", "done")}
    again = ready.ingest("--pictures", "--classify")
    assert {line["status"] for line in again.of("outcome")} == {"unchanged"}

    def found(query):
        return [line["path"].rpartition("/")[2] for line in ready.json("search", query).of("acquisition")]

    assert found("category:particles") == ["bright.jpg"]
    assert found("category=Particles") == ["bright.jpg"]
    assert found("predicted:sponge decision:accepted") == ["dark.jpg"]
    assert found("label:particles") == []
    (line,) = ready.json("show", "inbox/dark.jpg").of("acquisition")
    assert line["prediction"]["label"] == "Porous Sponge"
    assert line["category"]["label"] is None
    assert "tiny says: Porous Sponge" in ready.nffa("show", "inbox/dark.jpg").out.decode()
    assert "Porous Sponge" in ready.nffa("list").out.decode()


def test_persons_and_models_speak_apart(ready):
    from nffa_cli.catalogue.opinions import Label
    from nffa_cli.catalogue.store import Store

    ready.put("bright.jpg", saved(picture(220)))
    run = ready.ingest("--pictures", "--classify")
    sha256 = run.of("classification")[0]["sha256"]
    with Store.open(ready.home / "catalogue.sqlite") as store:
        store.opinions.say(Label(sha256, "label", "Powder", "Particles", "ada", "a heap"))
        store.opinions.say(Label(sha256, "label", "Tips", None, "ada"))
        store.opinions.say(Label(sha256, "undo", None, None, "ada"))
    (line,) = ready.json("show", "inbox/bright.jpg").of("acquisition")
    assert (line["category"]["label"], line["category"]["predicted"]) == ("Powder", "Particles")
    assert [(each["labeller"], each["label"], each["second"]) for each in line["labels"]] == [
        ("ada", "Powder", "Particles")
    ]
    for query, hits in (("category:powder", 1), ("label:particles", 1), ("category:tips", 0), ("predicted:powder", 0)):
        assert len(ready.json("search", query).of("acquisition")) == hits, query


def test_queries_and_ids_are_targets(ready):
    ready.put("bright.jpg", saved(picture(220)))
    ready.put("zeiss.tif", age=60)
    run = ready.ingest("--pictures")
    name = run.outcomes["bright.jpg"]["acquisition"]
    assert set(ready.json("classify", name).statuses) == {"bright.jpg"}
    assert set(ready.json("classify", "format:plain-image").statuses) == {"bright.jpg"}
    wrong = ready.json("classify", "nosuchword")
    assert (wrong.status, wrong.out) == (2, b"")


def test_every_kind_of_trouble_has_an_outcome(ready):
    whole = saved(picture(seed=3, shape=(256, 256)), quality=95)
    ready.put("good.jpg", whole)
    ready.put("cut.jpg", whole[: len(whole) // 2])
    ready.put("text.tif", b"this is a text and no picture\n" * 20)
    ready.put("empty.jpg", b"")
    ready.put("bomb.png", bomb())
    ready.put("tiny.png", saved(Image.new("L", (8, 8), 7), "PNG"))
    ready.put("notes.txt", b"hello")
    ready.put("thumbs.db", b"x")
    run = ready.json("classify", "inbox")
    assert run.status == 3
    assert run.statuses == {
        "good.jpg": "done", "cut.jpg": "quarantined", "text.tif": "quarantined", "empty.jpg": "quarantined",
        "bomb.png": "quarantined", "tiny.png": "skipped", "notes.txt": "skipped", "thumbs.db": "skipped",
    }  # fmt: skip
    reasons = {name: line["reason"] for name, line in run.outcomes.items()}
    assert reasons["cut.jpg"].startswith("truncated: ")
    assert reasons["bomb.png"].startswith("memory: a picture too large")
    assert reasons["tiny.png"].startswith("too-small: 8 × 8")
    again = ready.json("classify", "inbox")
    assert again.statuses["cut.jpg"] == "unchanged"
    assert again.status == 0


def bomb():
    """A PNG of a few bytes that declares 60,000 × 60,000 pixels."""
    import struct
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


HOSTILE = {
    "outside": "another file",
    "custom": "not of the ONNX standard",
    "mismatched": "ask for 11",
    "greedy": "cannot be run",
    "branching": "loops, branches or functions",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_models_are_refused_with_a_sentence(room, name):
    path = room.folder / f"{name}.onnx"
    path.write_bytes(getattr(onnx_models, name)())
    room.put("a.jpg", saved(picture()))
    for command in (("model", "verify", path), ("model", "add", path), ("classify", "inbox", "--model", path)):
        run = room.nffa(*command)
        assert (run.status, HOSTILE[name] in run.err) == (1, True), run.err
    assert room.nffa("model", "list").status == 0
    assert not list((room.home / "models").glob("*.onnx"))


def test_a_model_that_was_changed_is_refused(ready):
    path = ready.home / "models" / "tiny.onnx"
    path.write_bytes(onnx_models.good(version="2.0"))
    ready.put("a.jpg", saved(picture()))
    run = ready.nffa("classify", "inbox", "--model", "tiny")
    assert (run.status, "another SHA-256" in run.err) == (1, True)
    assert ready.nffa("model", "list").status == 1


def test_models_come_and_go(ready, model):
    other = ready.folder / "other.onnx"
    other.write_bytes(onnx_models.good(version="2.0"))
    refused = ready.nffa("model", "add", other)
    assert (refused.status, "--replace" in refused.err) == (2, True)
    assert ready.nffa("model", "add", other, "--replace").status == 0
    listed = {line["name"]: line for line in ready.json("model", "list").of("model")}
    assert (listed["tiny"]["version"], listed["tiny"]["pinned"]) == ("2.0", True)
    shown = ready.nffa("model", "show", "tiny").out.decode()
    assert "licence: CC0-1.0" in shown
    assert ready.nffa("model", "remove", "tiny").status == 0
    assert "tiny" not in {line["name"] for line in ready.json("model", "list").of("model")}
    assert ready.nffa("model", "remove", "tiny").status == 2


def test_another_threshold_needs_no_second_look(ready):
    ready.put("bright.jpg", saved(picture(220)))
    (first,) = ready.json("classify", "inbox").of("classification")
    run = ready.json("classify", "inbox", "--threshold", 1)
    (second,) = run.of("classification")
    assert (first["decision"], second["decision"]) == ("accepted", "uncertain")
    assert run.statuses == {"bright.jpg": "unchanged"}


def test_killed_in_the_middle_nothing_is_lost_or_done_twice(ready):
    count = 240
    for n in range(count):
        ready.put(f"{n // 60}/{n:03d}.jpg", saved(picture(n, seed=n, shape=(600, 800)), quality=95))
    before = tree_hash(ready.inbox)
    reported, kills = set(), 0
    for _ in range(3):
        with (ready.folder / "told").open("wb") as output:  # a pipe that nobody reads would stop it when full
            process = ready.start("classify", "inbox", "--json", "--jobs", 2, stdout=output)
        until(gone_on(ready, process, len(kept(ready))), within=PATIENCE)
        kills += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        out = (ready.folder / "told").read_bytes()
        told = {line["path"] for line in pure_lines(out[: out.rfind(b"\n") + 1]) if line["type"] == "classification"}
        assert len(told) <= len(kept(ready)), "it reported what it had not kept"
        reported |= told
    assert kills, "it was never killed in the middle"
    run = ready.json("classify", "inbox", "--jobs", 2)
    assert (run.status, len(run.of("classification"))) == (0, count)
    assert {run.outcomes[path.rpartition("/")[2]]["status"] for path in reported} <= {"unchanged"}
    assert ready.rows("SELECT count(*), count(DISTINCT sha256) FROM classification") == [(count, count)]
    assert tree_hash(ready.inbox) == before


def gone_on(room, process, number):
    return lambda: len(kept(room)) > number or process.poll() is not None


def kept(room):
    """The classifications that the catalogue holds; none before there is one."""
    if not (room.home / "catalogue.sqlite").exists():
        return []
    with closing(sqlite3.connect(room.home / "catalogue.sqlite", timeout=10)) as db:
        try:
            return db.execute("SELECT seq FROM classification").fetchall()
        except sqlite3.OperationalError:
            return []


def test_samples_of_every_instrument_are_looked_at(ready):
    from nffa_cli import samples

    samples.make(ready.inbox)
    run = ready.json("classify", "inbox")
    assert run.status == 0
    sizes = {line["path"]: line["pixel_size"] for line in run.of("classification")}
    assert len(sizes) >= 8
    assert all(size is not None for path, size in sizes.items() if "zeiss" in path or "fei" in path or "tescan" in path)
