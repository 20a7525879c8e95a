"""A model is looked into before anything of it runs; whatever its bytes are, the answer is a sentence."""

from __future__ import annotations

import hashlib
import random

import pytest

from nffa_cli import settings
from nffa_cli.classify import models, protobuf
from nffa_cli.errors import ModelError, UsageError
from tests import onnx_models


def read(tmp_path, data, sha256=None):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    return models.read(models.Place(path, "file", sha256))[0]


def trusting(place, sha256):
    """No trial: what a model does when it runs is tested with the command."""


def test_a_good_model_says_all_of_itself(tmp_path):
    data = onnx_models.good()
    model = read(tmp_path, data)
    assert (model.name, model.version, model.labels) == ("tiny", "1.0", onnx_models.LABELS)
    assert (model.preprocess.size, model.preprocess.views) == (onnx_models.SIZE, 2)
    assert model.sha256 == hashlib.sha256(data).hexdigest()
    assert not model.is_pinned
    assert set(protobuf.outline(data).inputs) == {"image", "scale"}


@pytest.mark.parametrize("key", sorted(onnx_models.metadata()))
def test_metadata_are_all_needed(tmp_path, key):
    with pytest.raises(ModelError, match=f"lack '{key}'"):
        read(tmp_path, onnx_models.without(key))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"schema": "2"}, "schema"),
        ({"name": "../evil"}, "file name"),
        ({"labels": ["a", "a"]}, "different words"),
        ({"labels": "{}"}, "list of words"),
        ({"temperature": "0"}, "temperature"),
        ({"temperature": "NaN"}, "no number"),
        ({"thresholds": {"Tips": 0.5}}, "not those of its labels"),
        ({"none": {"rule": "oracle"}}, "rule for none"),
        ({"none": {"rule": "logistic", "threshold": 0.5, "means": [[1], [0, 1]]}}, "different lengths"),
        ({"preprocess": {"bar": "keep"}}, "asks for bar"),
        ({"preprocess": {"bar": "crop", "levels": "native", "size": 1e9}}, "preprocess.size"),
        ({"metrics": "[" * 100_000}, "no JSON"),
    ],
)
def test_wrong_metadata_are_named(tmp_path, changes, what):
    with pytest.raises(ModelError, match=what):
        read(tmp_path, onnx_models.good(**changes))


@pytest.mark.parametrize(
    ("make", "what"),
    [(onnx_models.outside, "another file"), (onnx_models.custom, "evil.example"), (onnx_models.branching, "branches")],
)
def test_hostile_graphs_are_refused_unrun(tmp_path, make, what):
    with pytest.raises(ModelError, match=what):
        read(tmp_path, make())


def test_large_files_other_ports_and_other_bytes_are_refused(tmp_path, monkeypatch):
    nodes, weights = onnx_models.body()
    ports = [onnx_models.port("picture", "N", 1, 64, 64), onnx_models.port("scale", "N", 2)]
    with pytest.raises(ModelError, match="its inputs are picture, scale"):
        read(tmp_path, onnx_models.model(nodes, weights, inputs=ports))
    with pytest.raises(ModelError, match="another SHA-256"):
        read(tmp_path, onnx_models.good(), sha256="0" * 64)
    for data in (b"", b"not a model at all", bytes(1000), b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"):
        with pytest.raises(ModelError, match="no ONNX model"):
            read(tmp_path, data)
    monkeypatch.setattr(models, "LARGEST", 100)
    with pytest.raises(ModelError, match="larger than"):
        read(tmp_path, onnx_models.good())


def test_broken_bytes_are_a_sentence_whatever_they_are(tmp_path):
    good = onnx_models.good()
    chance = random.Random(5)
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read(tmp_path, bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
        except ModelError:
            continue


def test_models_are_found_by_name_and_trusted_by_list(tmp_path):
    path = tmp_path / "given.onnx"
    path.write_bytes(onnx_models.good())
    assert models.find(str(path)) == models.Place(path, "file")
    added = models.add(path, trial=trusting)
    assert (added.origin, added.is_pinned) == ("home", True)
    assert models.find("tiny").path == settings.home() / "models" / "tiny.onnx"
    with pytest.raises(ModelError, match=r"installed: .*tiny"):
        models.find("nosuch")
    models.remove("tiny")
    with pytest.raises(UsageError):
        models.remove("tiny")


def test_a_malformed_line_pins_nothing_and_blocks_nothing(tmp_path):
    path = tmp_path / "given.onnx"
    path.write_bytes(onnx_models.good())
    models.add(path, trial=trusting)
    sums = settings.home() / "models" / models.SUMS
    sums.write_text(f"nonsense\n\n{sums.read_text()}{'0' * 64} one-space.onnx\n")
    assert models.pinned(sums.parent) == {"tiny.onnx": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert models.read(models.find("tiny"))[0].is_pinned
    assert models.find("").path.suffix == models.SUFFIX
    problems = [place for place in models.places() if place.problem]
    assert [(place.path, place.problem[:6]) for place in problems] == [(sums, "line 1"), (sums, "line 4")]
    with pytest.raises(ModelError, match="line 4 is none as sha256sum writes it") as error:
        models.read(problems[1])
    assert error.value.where == str(sums)
    with pytest.raises(ModelError, match=r"installed: .*tiny.*line 4 is none"):
        models.find("one-space")
    models.remove("tiny")
    assert models.pinned(sums.parent) == {}


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"\xff\xfe0\0"), lambda path: path.mkdir()])
def test_a_list_that_cannot_be_read_is_named(make):
    sums = settings.make_home() / "models" / models.SUMS
    sums.parent.mkdir()
    make(sums)
    for ask in (models.find, models.remove):
        with pytest.raises(ModelError, match="list of trusted models cannot be read") as error:
            ask("tiny")
        assert error.value.where == str(sums)
        assert "nffa model add" in error.value.hint


def test_the_shipped_models_are_what_their_list_says():
    for place in models.places():
        assert place.origin == "shipped"
        assert models.read(place)[0].name == place.path.name.removesuffix(models.SUFFIX)
