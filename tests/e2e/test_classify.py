"""``nffa classify`` and ``nffa model`` as a person or a script meets them, with tiny models made here."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image

from tests import onnx_models


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
    """A room where the tiny model is installed."""
    assert room.nffa("model", "add", model).status == 0
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
    run = ready.nffa("classify", "inbox/=HYPERLINK(1).jpg", "--csv", "out.csv", "--top", 2)
    assert run.status == 0
    data = (ready.folder / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    assert (row["label"], row["decision"]) == ("Particles", "accepted")
    assert row["path"] == "inbox/=HYPERLINK(1).jpg"
