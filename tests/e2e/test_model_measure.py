"""``nffa model measure`` from end to end, with a model that takes bright pictures for Particles, dark ones for Porous Sponge."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from nffa_cli import settings
from nffa_cli.catalogue.opinions import Label
from nffa_cli.catalogue.store import Store
from nffa_cli.cli import run
from tests import onnx_models

BRIGHT, DARK = 190, 60


def picture(path, level, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.normal(level, 25, (200, 260)).clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(onnx_models.good())
    return path


@pytest.fixture
def labelled(tmp_path):
    """Six of each right, two called Particles that are dark, one of a category that the model does not know."""
    rng, place = np.random.default_rng(0), tmp_path / "labelled"
    for n in range(6):
        picture(place / "Particles" / f"a_{n}.png", BRIGHT, rng)
        picture(place / "L0_porous sponge" / f"a_{n}.png", DARK, rng)
    for n in range(2):
        picture(place / "Particles" / f"b_{n}.png", DARK, rng)
    picture(place / "Quantum dots" / "q.png", DARK, rng)
    picture(place / "not clear" / "n.png", DARK, rng)
    return place


def measured(capsys, *typed):
    status = run(["model", "measure", *map(str, typed), "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return status, next((line for line in lines if line["type"] == "evaluation"), None)


def test_what_is_said_is_compared_with_the_folders(labelled, model, capsys):
    status, found = measured(capsys, labelled, "--model", model)
    assert status == 0
    assert (found["n"], found["n_none"], found["unknown"]) == (14, 0, {"Quantum dots": 1})
    assert found["accuracy"] == pytest.approx(12 / 14, abs=1e-4)
    assert found["recall"]["Particles"] == {"n": 8, "recall": 0.75}
    assert found["series"]["Particles/a"] == {"n": 6, "right": 6}
    assert found["series"]["Particles/b"] == {"n": 2, "right": 0}


def test_it_says_the_same_as_classify(labelled, model, capsys):
    _, found = measured(capsys, labelled, "--model", model)
    assert run(["classify", str(labelled / "Particles"), "--model", str(model), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line for line in lines if line["type"] == "classification"]
    right = sum(line["labels"][0]["label"] == "Particles" for line in told)
    assert found["recall"]["Particles"]["recall"] == right / len(told)
    assert {line["status"] for line in lines if line["type"] == "outcome"} == {"unchanged"}, "measuring has kept them"


def test_people_get_a_table_the_mistakes_and_a_contact_sheet(labelled, model, tmp_path, capsys):
    sheet = tmp_path / "looked.png"
    assert run(["model", "measure", str(labelled), "--model", str(model), "--sheet", str(sheet)]) == 0
    told = capsys.readouterr()
    assert "2 of Particles taken for Porous Sponge" in told.out
    assert "Quantum dots: 1 left out" in told.err
    with Image.open(sheet) as page:
        seen = {colour for _, colour in page.convert("RGB").getcolors(1 << 24)}
    assert {(0x2A, 0x7F, 0x3F), (0xB3, 0x26, 0x1E)} <= seen, "frames: right ones green, wrong ones red"


def test_beyond_doubt_is_told_apart(labelled, model, capsys):
    table = (
        "file,confidence\n"
        + "".join(f"Particles/a_{n}.png,clear\n" for n in range(3))
        + "Particles/b_0.png,ambiguous\n"
    )
    (labelled / "MANIFEST.csv").write_text(table)
    _, found = measured(capsys, labelled, "--model", model)
    assert found["clear"]["n"] == 3
    assert found["clear"]["accuracy"] == 1.0


def test_a_damaged_picture_is_named_and_the_status_says_so(labelled, model, capsys):
    (labelled / "Particles" / "bad.jpg").write_bytes(b"\xff\xd8 no picture")
    assert run(["model", "measure", str(labelled), "--model", str(model)]) == 3
    assert "bad.jpg" in capsys.readouterr().err


def test_a_reviews_export_is_measured_and_teaches(labelled, model, tmp_path, capsys):
    """What persons have said is a list; nobody has to copy pictures into folders."""
    assert run(["classify", str(labelled), "--model", str(model), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with Store.open(settings.catalogue_path()) as store:
        for line in lines:
            if line["type"] == "classification" and "not clear" not in line["path"]:
                label = "Particles" if "Particles" in line["path"] else "Porous Sponge"
                store.opinions.say(Label(line["sha256"], "label", label, None, "ann", model=line["model_sha256"]))
    for name in ("labels.csv", "labels.jsonl"):
        given = tmp_path / "elsewhere" / name
        given.parent.mkdir(exist_ok=True)
        assert run(["review", "export", "-o", str(given)]) == 0
        capsys.readouterr()
        status, found = measured(capsys, given, "--model", model)
        assert status == 0
        assert found["n"] == 15
        assert found["accuracy"] == pytest.approx(13 / 15, abs=1e-4)
        assert "series" not in found
    taught = tmp_path / "taught.onnx"
    assert run(["model", "train", "--few-shot", str(given), "--base", str(model), "-o", str(taught)]) == 0
    assert "list labels.jsonl" in taught.with_suffix(".md").read_text()


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["list.txt"], "list.txt:2"),
        (["empty"], "no picture of a category that the model knows"),
        (["labelled", "--sheet", "sheet.jpg"], "a contact sheet is a .png file"),
        (["labelled", "--sheet", "gone/sheet.png"], "cannot be written"),
        (["labelled", "--sheet", "labelled/Particles/a_0.png"], "among the pictures"),
    ],
)
def test_what_cannot_be_measured_is_said(labelled, model, tmp_path, typed, told, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("a b c\n1 2 3\n")
    assert run(["model", "measure", *typed, "--model", str(model)]) != 0
    assert told in capsys.readouterr().err


def test_a_teaching_is_measured_afterwards(labelled, model, tmp_path, capsys):
    typed = ["model", "train", "--few-shot", str(labelled), "--base", str(model), "--measure", str(labelled)]
    assert run(typed) == 2
    assert "nffa model measure" in capsys.readouterr().err
