"""``nffa model train`` from end to end: taught by a handful everywhere; trained where torch is."""

from __future__ import annotations

import importlib.util
import json
import sys

import numpy as np
import pytest
from PIL import Image

from nffa_cli import settings
from nffa_cli.catalogue.opinions import Label
from nffa_cli.catalogue.store import Store
from nffa_cli.cli import run
from tests import onnx_models

TORCH = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("onnx") is not None
needs_torch = pytest.mark.skipif(not TORCH, reason="needs torch")


def picture(path, level, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.normal(level, 25, (200, 260)).clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def base(tmp_path):
    """A model that takes bright pictures for Particles and dark ones for Porous Sponge."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(onnx_models.good())
    return path


@pytest.fixture
def handful(tmp_path):
    """Eight pictures each of two categories, one of them new, told apart by their brightness."""
    rng = np.random.default_rng(0)
    for n in range(8):
        picture(tmp_path / "handful/Tips" / f"{n}.png", 60, rng)
        picture(tmp_path / "handful/Quantum dots" / f"{n}.png", 190, rng)
    return tmp_path / "handful"


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_handful_makes_a_model_that_classifies(tmp_path, base, handful, capsys):
    out = tmp_path / "taught.onnx"
    assert run(["model", "train", "--few-shot", str(handful), "--base", str(base), "--out", str(out), "--json"]) == 0
    made = said(capsys)[0]
    assert made["labels"] == [*onnx_models.LABELS, "Quantum dots"]
    assert made["metrics"]["cross_validated"]["accuracy"] == 1.0
    assert made["metrics"]["before"]["accuracy"] < 0.6
    assert "each judged by a layer that had not learned from it" in out.with_suffix(".md").read_text()
    assert run(["classify", str(handful), "--model", str(out), "--json"]) == 0
    lines = [line for line in said(capsys) if line["type"] == "classification"]
    right = [line["labels"][0]["label"] == line["path"].split("/")[-2] for line in lines]
    assert len(right) == 16
    assert all(right)


def test_the_answers_of_a_review_make_a_model(tmp_path, base, handful, capsys):
    assert run(["classify", str(handful), "--model", str(base), "--json"]) == 0
    lines = [line for line in said(capsys) if line["type"] == "classification"]
    with Store.open(settings.catalogue_path()) as store:
        for line in lines:
            label = line["path"].split("/")[-2]
            store.opinions.say(Label(line["sha256"], "label", label, None, "ann", model=line["model_sha256"]))
        unsure = lines[0]["sha256"]  # two persons disagree: nobody learns from it
        store.opinions.say(Label(unsure, "label", "Powder", None, "bob"))
    out = tmp_path / "reviewed.onnx"
    assert run(["model", "train", "--from-review", "--base", str(base), "--out", str(out), "--json"]) == 0
    made = said(capsys)[0]
    assert sum(made["metrics"]["pictures"].values()) == 15
    assert made["metrics"]["cross_validated"]["accuracy"] == 1.0
    assert "answers of a review" in made["trained_on"]
    # and once more, when the new model has seen them, too
    assert run(["classify", str(handful), "--model", str(out), "--json"]) == 0
    again = tmp_path / "again.onnx"
    assert run(["model", "train", "--from-review", "--base", str(base), "-o", str(again), "--json"]) == 0
    assert sum(said(capsys)[-2]["metrics"]["pictures"].values()) == 15


def test_an_instruments_files_teach_with_their_pixel_size(tmp_path, base, capsys):
    """Training and use see the same: what classify reads is read, and the network is told what it is told there."""
    from nffa_cli import shrinking
    from nffa_cli.samples import make

    for label, kind in (("Tips", "zeiss-sem-tiff"), ("Powder", "jeol-sem-tiff")):
        for seed in range(3):
            make(tmp_path / "tifs" / label / str(seed), seed=seed, kinds=[kind])
    (tmp_path / "tifs" / "Tips" / "0" / "notes.txt").write_text("notes")
    paths = sorted((tmp_path / "tifs").rglob("*.tif"))
    found = list(shrinking.shrunk(paths, 192))
    assert {each.grey.shape[0] for each in found} == {192}
    assert all(1e-10 < each.pixel_size < 1e-5 for each in found)
    out = tmp_path / "taught.onnx"
    assert run(["model", "train", "--few-shot", str(tmp_path / "tifs"), "--base", str(base), "--out", str(out)]) == 0
    assert "not read" not in capsys.readouterr().err


def test_what_nothing_can_read_is_said_with_its_reason(tmp_path, base, capsys):
    for label in ("Tips", "Powder"):
        (tmp_path / "bad" / label).mkdir(parents=True)
        (tmp_path / "bad" / label / "a.tif").write_bytes(b"II*\0 no picture")
    assert run(["model", "train", "--few-shot", str(tmp_path / "bad"), "--base", str(base)]) == 2
    assert "a.tif" in capsys.readouterr().err


def test_a_damaged_picture_is_named_and_left_out(tmp_path, base, handful, capsys):
    (handful / "Tips" / "bad.jpg").write_bytes(b"\xff\xd8 no picture")
    assert (
        run(["model", "train", "--few-shot", str(handful), "--base", str(base), "--out", str(tmp_path / "t.onnx")]) == 0
    )
    assert "bad.jpg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([], "say what to learn from"),
        (["--few-shot", ".", "--from-review"], "in one way"),
        (["--from-review"], "catalogue"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, base, typed, told, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["model", "train", *typed, "--base", str(base)]) in (1, 2)
    assert told in capsys.readouterr().err


def test_a_model_is_refused_where_it_cannot_be_written_before_anything_is_read(tmp_path, base, handful, capsys):
    typed = ["model", "train", "--few-shot", str(handful), "--base", str(base)]
    assert run([*typed, "-o", str(tmp_path / "gone" / "x.onnx")]) == 6
    (tmp_path / "notes.md").write_text("mine")
    assert run([*typed, "-o", str(tmp_path / "notes.onnx")]) == 2
    assert (tmp_path / "notes.md").read_text() == "mine"
    assert "notes.md" in capsys.readouterr().err
    assert run([*typed, "-o", str(tmp_path / "x.onnx")]) == 0
    assert run([*typed, "-o", str(tmp_path / "x.onnx")]) == 0, "made again, in its own place"


@needs_torch
def test_too_few_pictures_to_hold_some_back_are_said_before_training(tmp_path, capsys):
    rng = np.random.default_rng(1)
    for n in range(4):
        picture(tmp_path / "ours/Dark things" / f"{n}.png", 70, rng)
        picture(tmp_path / "ours/Tips" / f"{n}.png", 180, rng)
    typed = ["model", "train", str(tmp_path / "ours"), "--size", "64", "--jobs", "1", "-o", str(tmp_path / "a.onnx")]
    assert run([*typed, "--cache", str(tmp_path / "cache")]) == 2
    assert "--few-shot" in capsys.readouterr().err


def test_without_torch_the_way_to_it_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert run(["model", "train", "--rendered", "4", "--out", str(tmp_path / "x.onnx")]) == 1
    assert 'pip install "nffa-cli[train]"' in capsys.readouterr().err


def test_the_published_sets_are_listed(capsys):
    assert run(["dataset", "list", "--json"]) == 0
    assert [line["name"] for line in said(capsys) if line["type"] == "dataset"] == ["nffa-sem", "nffa-sem-majority"]


@needs_torch
def test_a_folder_trains_a_model_twice_the_same(tmp_path, capsys):
    rng = np.random.default_rng(1)
    for n in range(30):
        picture(tmp_path / "ours/Dark things" / f"{n}.png", 70, rng)
        picture(tmp_path / "ours/L5_Tips" / f"L5_{n}.png", 180, rng)
    figures = []
    for name in ("a.onnx", "b.onnx"):
        typed = ["model", "train", str(tmp_path / "ours"), "--size", "64", "--epochs", "2", "--jobs", "1", "--json"]
        assert run([*typed, "--out", str(tmp_path / name), "--cache", str(tmp_path / "cache")]) == 0
        made = said(capsys)[0]
        assert made["labels"] == ["Dark things", "Tips"]
        assert made["metrics"]["pictures"]["training"] > 40
        figures.append(made["metrics"]["test"]["accuracy"])
    assert abs(figures[0] - figures[1]) <= 0.01
    assert run(["model", "verify", str(tmp_path / "a.onnx")]) == 0
    card = (tmp_path / "a.md").read_text()
    assert "pictures of the folder ours" in card
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
