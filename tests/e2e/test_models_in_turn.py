"""Two models over the same pictures: what searches, pages and deliveries go by is the word of the one that was used last."""

from __future__ import annotations

import json

import pytest

from nffa_cli.cli import run
from nffa_cli.samples import make
from tests import onnx_models

OTHER = (*onnx_models.LABELS[::-1],)


@pytest.fixture
def models(tmp_path):
    """Two that disagree about every picture: the second has the labels in the other order."""
    for name, labels in (("one", onnx_models.LABELS), ("two", OTHER)):
        (tmp_path / f"{name}.onnx").write_bytes(onnx_models.good(name=name, labels=list(labels)))
    return tmp_path / "one.onnx", tmp_path / "two.onnx"


@pytest.fixture
def predicted(tmp_path, capsys):
    make(tmp_path / "inbox", seed=1, kinds=["zeiss-sem-tiff"])
    assert run(["ingest", str(tmp_path / "inbox"), "--settle", "0"]) == 0
    capsys.readouterr()

    def after(*typed):
        """Return who holds and what they say, after a command: the model's name, its label, and what a search finds."""
        assert run([*map(str, typed), "--json"]) == 0
        capsys.readouterr()
        assert run(["list", "--json"]) == 0
        [shown] = [
            line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["type"] == "acquisition"
        ]
        assert run(["show", shown["acquisition"], "--json"]) == 0
        [whole] = [
            line for line in map(json.loads, capsys.readouterr().out.splitlines()) if line["type"] == "acquisition"
        ]
        told, said = shown["category"], whole["prediction"]
        assert (told and told["predicted"]) == (said and said["label"])
        return said and (said["model"], said["label"])

    return after


def test_the_word_of_the_model_that_looked_last_holds(tmp_path, models, predicted):
    inbox, (one, two) = tmp_path / "inbox", models
    first = predicted("classify", inbox, "--model", one)
    assert first[0] == "one"
    other = predicted("classify", inbox, "--model", two)
    assert other[0] == "two"
    assert other[1] != first[1]
    assert predicted("classify", inbox, "--model", one) == first, "nothing was due, and it holds again"


def test_measuring_a_model_leaves_searches_as_they_were(tmp_path, models, predicted):
    inbox, (one, two) = tmp_path / "inbox", models
    (tmp_path / "labels.csv").write_text(f"label,path\nTips,{next(inbox.rglob('*.tif'))}\n")
    assert predicted("model", "measure", tmp_path / "labels.csv", "--model", two) is None
    first = predicted("classify", inbox, "--model", one)
    assert predicted("model", "measure", tmp_path / "labels.csv", "--model", two) == first
    assert predicted("classify", inbox, "--model", two)[0] == "two", "known from measuring, and now it holds"
