"""Making models: what a folder means, splits that leak nothing, honest figures, a layer put on a model without torch."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from nffa_cli.classify import models, onnx
from nffa_cli.classify.train import adapt, card, drawing, graft, measures, names, pictures, split, teach
from nffa_cli.errors import UsageError
from tests import onnx_models


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("Films_Coated_Surface", "Films and Coated Surface"),
        ("MEMS devices and electrodes", "MEMS devices and electrodes"),
        ("L0_Porous_Sponge", "Porous Sponge"),
        ("L9", "Fibres"),
        ("l3-films", "Films and Coated Surface"),
        ("Fibers", "Fibres"),
        ("nanowire", "Nanowires"),
        ("_ood", names.NONE),
        ("none of the ten", names.NONE),
        ("Quantum dots", "Quantum dots"),
        ("not_clear", None),
    ],
)
def test_a_folder_name_means_a_label_string(folder, label):
    assert names.label_of(folder) == label


def test_a_number_counted_by_the_alphabet_is_refused():
    # By the alphabet L0 would be Biological; in the published sets it is Porous Sponge.
    with pytest.raises(UsageError, match="L0 means 'Porous Sponge'"):
        names.label_of("L0_Biological")
    assert names.prefix_of("L7_0a1b2c.jpg") == "Biological"
    assert names.prefix_of("Laser_1.jpg") is None


def test_near_duplicates_stay_on_one_side():
    rng = np.random.default_rng(0)
    pictures = []
    for n in range(40):
        picture = np.kron(rng.integers(0, 255, (24, 32)), np.ones((8, 8))).astype(np.uint8)
        pictures += [picture, (picture * 0.7 + 20).astype(np.uint8)] if n % 2 else [picture]
    labels = ["a" if n < 30 else "b" for n in range(len(pictures))]
    grouped = split.groups(pictures)
    assert len(set(grouped.tolist())) == 40
    parts = split.split(labels, grouped, seed=1)
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    sides = [set(grouped[rows].tolist()) for rows in parts]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    for rows in parts:
        assert {labels[n] for n in rows} == {"a", "b"}
    assert 36 <= len(parts[0]) <= 48


def test_even_pictures_are_no_duplicates_of_each_other():
    assert len(set(split.groups([np.full((192, 256), level, np.uint8) for level in (10, 100, 200)]).tolist())) == 3


def test_figures_are_what_they_say():
    table = measures.confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 3)
    assert measures.accuracy(table) == 0.75
    assert measures.macro_f1(table) == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert np.isnan(measures.recalls(table)[2])
    assert measures.auroc(np.array([0.9, 0.8, 0.4]), np.array([0.4, 0.1])) == pytest.approx(5.5 / 6)
    scores, right = np.array([0.95] * 10), np.array([True] * 5 + [False] * 5)
    assert measures.calibration_error(scores, right) == pytest.approx(0.45)
    assert measures.coverage(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False]))["0.5"] == 1.0


def test_temperature_makes_scores_honest():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 5))
    truth = np.array([rng.choice(5, p=p) for p in measures.softmax(honest)])
    found = measures.temperature(honest * 3, truth)
    assert found == pytest.approx(3, rel=0.1)
    chances = measures.softmax(honest * 3 / found)
    assert measures.calibration_error(chances.max(axis=1), chances.argmax(axis=1) == truth) < 0.03


def test_a_threshold_keeps_its_promise_or_is_high():
    rng = np.random.default_rng(1)
    score = rng.uniform(0.5, 1, 2000)
    truth = (rng.random(2000) > score).astype(np.intp)  # label 0 is right as often as its score says
    chances = np.stack([score, 1 - score, np.zeros(2000)], axis=1)
    found = measures.thresholds(chances, truth, labels=("a", "b"), precision=0.9)
    kept = score >= found["a"]
    assert (truth[kept] == 0).mean() >= 0.88
    assert found["b"] == 0.99


def test_the_none_rule_parts_the_two_sides():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1, (400, 4))
    logits[:200, 0] += 6
    logits[200:, 3] += 6
    truth = np.array([0] * 200 + [3] * 200)
    rule = measures.none_rule(logits, truth, temperature=1.0)
    odds = np.log(np.exp(logits[:, :3]).sum(axis=1)) - logits[:, 3]
    likeness = 1 / (1 + np.exp(-(rule["bias"] + rule["weights"]["none"] * odds)))
    assert ((likeness >= rule["threshold"]) == (truth < 3)).mean() > 0.97


def seen(count=12, *, classes=("Particles", "Powder", "Quantum dots"), noise=0.15):
    """A handful of pictures as a model sees them: the embedding knows what the logits do not."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(len(classes), 16))
    labels = [label for label in classes for _ in range(count)]
    vectors = np.repeat(centres, count, axis=0)[:, None] + rng.normal(0, noise * 4, (len(labels), 2, 16))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    logits = np.zeros((len(labels), 2, 11))
    logits[:, :, 5] = 4  # the model takes all for Particles
    return adapt.Seen(logits, vectors, tuple(labels), np.arange(len(labels)))


@pytest.mark.parametrize(("ours", "others", "spread"), [(6, 0, 4), (3, 0, 1), (2, -1, 3)])
def test_where_the_sides_overlap_the_rule_says_how_much(ours, others, spread):
    """Of two normal distributions the log odds are a line: slope (a - b) / s², through the middle."""
    rng = np.random.default_rng(7)
    odds = np.concatenate([rng.normal(ours, spread, 3000), rng.normal(others, spread, 300)])
    logits = np.stack([odds, np.zeros(3300)], axis=1)
    rule = measures.none_rule(logits, np.repeat([0, 1], [3000, 300]), temperature=1.0)
    weight = rule["weights"]["none"]
    assert weight == pytest.approx((ours - others) / spread**2, rel=0.15)
    assert -rule["bias"] / weight == pytest.approx((ours + others) / 2, abs=0.15 * spread)
    likeness = 1 / (1 + np.exp(-(rule["bias"] + weight * odds)))
    assert len(np.unique(likeness.round(6))) > 3000, "not a step: who is nearer can be told"


def test_what_is_decided_is_measured():
    logits = np.array([[9.0, 0, 0], [0, 9, 0], [9, 0, 0], [1, 0, 0], [0, 0, 9], [0, 0, 9], [9, 0, 0]])
    truth = np.array([0, 1, 1, 0, 0, 2, 2])
    rule = {"rule": "logistic", "threshold": 0.5, "bias": 0.0, "weights": {"none": 1.0}}
    fitted = {"labels": ("a", "b"), "temperature": 1.0}
    decisions = measures.decided(logits, **fitted, limits={"a": 0.9, "b": 0.9}, rule=rule)
    assert measures.report(logits, truth, **fitted, decisions=decisions)["decisions"] == {
        "of_labels": {"accepted": 0.6, "uncertain": 0.2, "none": 0.2},
        "of_none": {"accepted": 0.5, "uncertain": 0.0, "none": 0.5},
        "right_of_accepted": 0.5,
    }


def test_a_handful_of_some_labels_leaves_the_others_and_none_as_they_were():
    """The base is wrong about all it is taught, so it is not trusted there; what nobody taught is still what it said."""
    some = seen(classes=("Particles", "Powder"))
    found = adapt.adapt(some, names.LABELS, temperature=1.0)
    assert found.after["accuracy"] > 0.9
    logits = np.zeros((2, 2, 11))
    logits[0, :, names.LABELS.index("Tips")] = 9
    logits[1, :, 10] = 9
    strange = np.random.default_rng(8).normal(size=(2, 2, 16))
    strange /= np.linalg.norm(strange, axis=2, keepdims=True)
    said = adapt.judged(adapt.Seen(logits, strange, ("Tips", names.NONE), np.arange(2)), found.layer)
    assert said.argmax(axis=1).tolist() == [names.LABELS.index("Tips"), 10]


def test_a_handful_teaches_also_a_new_category():
    found = adapt.adapt(seen(), names.LABELS, temperature=1.0)
    assert found.labels == (*names.LABELS, "Quantum dots")
    assert found.before["accuracy"] < 0.4
    assert found.after["accuracy"] > 0.9
    assert found.after["recall"]["Quantum dots"]["n"] == 12


def test_labels_without_pictures_stay_as_they_were():
    some = seen(classes=("Particles", "Powder"))
    layer = adapt.learned(some, np.array([5] * 12 + [8] * 12), adapt.passing(10, 10), ridge=0.03)
    assert not layer.weights[:, 0].any()
    assert layer.bias[0] == 0
    assert layer.passed[0, 0] == 1


def test_a_layer_is_put_on_without_torch(tmp_path):
    data = onnx_models.good()
    rng = np.random.default_rng(4)
    layer = graft.Layer(*(rng.normal(size=shape).astype(np.float32) for shape in ((4, 12), (11, 12), (12,))))
    labels = [*onnx_models.LABELS, "Quantum dots"]
    texts = onnx_models.metadata(labels=labels, thresholds=dict.fromkeys(labels, 0.9), name="taught")
    path = tmp_path / "taught.onnx"
    path.write_bytes(graft.grafted(data, layer, texts))
    model, made = models.read(models.Place(path, "file"))
    assert model.labels[-1] == "Quantum dots"
    images = rng.random((3, 1, onnx_models.SIZE, onnx_models.SIZE), dtype=np.float32)
    scale = rng.normal(size=(3, 2)).astype(np.float32)
    old, embedding = onnx.load(data, size=onnx_models.SIZE, labels=10, where="old")(images, scale)
    new, same = onnx.load(made, size=onnx_models.SIZE, labels=11, where="new")(images, scale)
    assert np.allclose(same, embedding)
    assert np.allclose(new, embedding @ layer.weights + old @ layer.passed + layer.bias, atol=1e-4)
    # and once more, on top of what was put on
    again = graft.Layer(np.zeros((4, 12), np.float32), np.eye(12, dtype=np.float32), np.ones(12, np.float32))
    twice, _ = onnx.load(graft.grafted(made, again, texts), size=64, labels=11, where="twice")(images, scale)
    assert np.allclose(twice, new + 1, atol=1e-4)


def test_labels_can_be_held_against_none(tmp_path):
    """However the labels share it, together they weigh against none what they weighed before; as the model file says it."""
    rng = np.random.default_rng(5)
    shapes = ((4, 12), (11, 12), (12,))
    layer = graft.Layer(
        *(3 * rng.normal(size=shape).astype(np.float32) for shape in shapes), np.eye(11, 10, dtype=np.float32)
    )
    layer.weights[:, -1] = layer.bias[-1] = 0
    layer.passed[:, -1] = np.eye(11)[10]
    labels = [*onnx_models.LABELS, "Quantum dots"]
    texts = onnx_models.metadata(labels=labels, thresholds=dict.fromkeys(labels, 0.9), name="taught")
    data = onnx_models.good()
    images = rng.random((3, 1, onnx_models.SIZE, onnx_models.SIZE), dtype=np.float32)
    scale = rng.normal(size=(3, 2)).astype(np.float32)
    old, embedding = onnx.load(data, size=onnx_models.SIZE, labels=10, where="old")(images, scale)
    new, _ = onnx.load(graft.grafted(data, layer, texts), size=onnx_models.SIZE, labels=11, where="new")(images, scale)
    assert np.allclose(new, layer(embedding, old), atol=1e-4)
    assert np.allclose(np.log(np.exp(new[:, :10]).sum(axis=1)), np.log(np.exp(old[:, :10]).sum(axis=1)), atol=1e-4)
    assert np.allclose(new[:, 11], old[:, 10], atol=1e-4)


def test_without_pictures_of_none_none_is_told_as_before():
    """A handful that is told apart without a mistake makes the model sure of labels, not of what is a label at all."""
    some = seen(noise=0.02)
    found = adapt.adapt(some, names.LABELS, temperature=2.0)
    rng = np.random.default_rng(6)
    strange = rng.normal(size=(40, 2, 16))
    strange /= np.linalg.norm(strange, axis=2, keepdims=True)
    logits = rng.normal(0, 4, (40, 2, 11))
    others = adapt.Seen(logits, strange, (names.NONE,) * 40, np.arange(40))
    after = adapt.judged(adapt.Seen(logits[:, :1], strange[:, :1], others.labels, others.groups), found.layer)
    was = measures.softmax(logits[:, 0] / 2.0)
    odds = np.log(was[:, :10].sum(axis=1) / was[:, 10])
    kept = np.log(np.exp(after[:, :10]).sum(axis=1)) - after[:, -1]
    assert np.allclose(kept, odds, atol=1e-3)


def test_a_handful_without_a_mistake_makes_no_score_certain():
    logits = np.eye(4)[np.arange(12) % 4] * 9
    sharp = measures.temperature(logits, np.arange(12) % 4)
    assert 0.85 < measures.softmax(logits / sharp).max(axis=1).mean() < 0.95


def test_pictures_that_are_all_alike_are_named():
    some = seen()
    alike = adapt.Seen(some.logits, some.embeddings, some.labels, np.where(np.arange(36) < 12, 0, np.arange(36)))
    found = adapt.adapt(alike, names.LABELS, temperature=1.0)
    assert found.alone == ("Particles",)
    assert found.after["recall"]["Particles"]["recall"] > 0.9, "they are judged, though near-duplicates helped"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "label,path\nfibers,a.jpg\n'=Odd,b.jpg\nnone ,c.jpg\nNot clear,d.jpg\nL3 alloy,e.jpg\n"),
        ("a.csv", "\ufefflabel;path;note\r\nfibers;a.jpg;x\r\n'=Odd;b.jpg;\r\n none;c.jpg;\r\nL3 alloy;e.jpg\r\n"),
        (
            "a.jsonl",
            '{"label":"fibers","path":"a.jpg"}\n\n{"label":"=Odd","path":"b.jpg"}\n{"label":"none","path":"c.jpg"}\n'
            '{"label":"unclear","path":"d.jpg"}\n{"label":"L3 alloy","path":"e.jpg"}\n',
        ),
    ],
)
def test_a_list_means_labels_however_they_are_spelled(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    found, left_out = pictures.files(tmp_path / name)
    told = [("a.jpg", "Fibres"), ("b.jpg", "=Odd"), ("c.jpg", names.NONE), ("e.jpg", "L3 alloy")]
    assert found == [(tmp_path / path, label) for path, label in told]
    assert left_out == []


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.csv", "label,path\nFibres,a.jpg\n,b.jpg\n", "a.csv:3"),
        ("a.jsonl", '{"label":"Fibres","path":"a.jpg"}\n\n{"label":null,"path":"b.jpg"}\n', "a.jsonl:3"),
        ("a.jsonl", "{broken\n", "a.jsonl"),
        ("a.csv", "\x00\xff", "a.csv"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_line(tmp_path, name, text, where):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        pictures.files(tmp_path / name)
    assert caught.value.where.endswith(where)


def test_a_list_is_not_believed_where_other_bytes_lie_now(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"one")
    (tmp_path / "b.jpg").write_bytes(b"two")
    one = hashlib.sha256(b"one").hexdigest()
    rows = "".join(f"Tips,{name}.jpg,{one}\n" for name in "abc")
    (tmp_path / "l.csv").write_text(f"label,path,sha256\n{rows}")
    found, left_out = pictures.files(tmp_path / "l.csv")
    assert [path.name for path, _ in found] == ["a.jpg", "c.jpg"], "what is gone its reader tells"
    assert left_out == [("b.jpg", "other bytes than those that got the label")]


def test_too_few_pictures_are_said(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(onnx_models.good())
    model, data = models.read(models.Place(path, "file"))
    few = seen(count=1)
    with pytest.raises(UsageError, match="too few pictures"):
        teach.teach(few, model, data, name="taught", seed=0, origin="test")


def test_a_review_teaches_from_what_the_catalogue_keeps():
    some = seen()
    rows = [
        (some.logits[n].mean(axis=0).tolist(), some.embeddings[n, 0].astype(np.float16).tobytes(), label)
        for n, label in enumerate(some.labels)
    ]
    found = teach.from_answers(rows)
    assert found.embeddings.shape == (36, 1, 16)
    assert np.allclose(np.linalg.norm(found.embeddings[:, 0], axis=1), 1, atol=1e-5)
    assert found.labels == some.labels


def figures():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 11, 300)
    return measures.report(
        np.eye(11)[truth] * 4 + rng.normal(0, 1, (300, 11)), truth, labels=names.LABELS, temperature=1.0
    )


def test_the_card_and_the_picture_tell_the_same_figures():
    found = figures()
    texts = {
        "name": "x", "trained_on": "3 pictures", "version": "1", "licence": "CC0-1.0", "trainer": "t", "temperature": "1.2",
        "thresholds": json.dumps(dict.fromkeys(names.LABELS, 0.9)),
    }  # fmt: skip
    metrics = {"test": found, "pictures": {"training": 3}, "calibrated": False}
    text = card.card(
        texts, metrics, card.Facts("nffa model train x", 1.0, 2, {"seed": 0}, 1_700_000, {"Tips": 4}, "ab" * 32)
    )
    assert f"| macro-F1 | {found['macro_f1']:.3f} |" in text
    assert "nffa model train x" in text
    assert "Not calibrated" in text
    assert all(label in text for label in names.LABELS)
    assert drawing.confusion(found["confusion"], (*names.LABELS, names.NONE)).startswith(b"\x89PNG")
    json.dumps(found, allow_nan=False)
