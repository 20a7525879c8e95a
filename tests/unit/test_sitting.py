"""A person's sitting over a real catalogue: whatever is answered and taken back, the rows tell the same story."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nffa_cli.catalogue.opinions import Classification, Label, Look
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import models, waiting
from nffa_cli.classify.decide import NoneRule
from nffa_cli.classify.replies import Reply
from nffa_cli.errors import UsageError
from nffa_cli.review import accepting, reviewing

LABELS = ("Fibres", "Tips")
MODEL = models.Model(
    "m", "1", "f" * 64, LABELS, models.Preprocess(64, 64, 1, -8.0, 1.0), 1.0, dict.fromkeys(LABELS, 0.5), NoneRule(), {},
    "m.onnx", "file", False, 1,
)  # fmt: skip
PICTURES = 6


def filled(store):
    """Six contents that the model has looked at: the first three are alike, all but the last are Fibres."""
    number = store.opinions.model(MODEL.sha256, "m", "1", LABELS)
    looks = []
    for n in range(PICTURES):
        vector = np.eye(4)[0 if n < 3 else n - 2].astype(np.float16).tobytes()
        logits = (3.0 - n / 10, 0.0, 0.0) if n < PICTURES - 1 else (0.0, 3.0, 0.0)
        made = Classification(
            str(n) * 64, logits, LABELS[n == PICTURES - 1], 0.9 - n / 100, 0.9, "accepted", None, (), vector
        )
        looks.append(Look(f"/p/{n}.jpg", "s", "done", None, "plain-image", made))
    store.opinions.save(number, looks)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "c.sqlite") as opened:
        filled(opened)
        yield opened


def sitting(store, **more):
    found = reviewing.open_questions(store, MODEL, waiting.Filter(), folder=None, labeller="anna", second_opinion=False)
    return reviewing.Review(store, MODEL, "anna", waiting.ordered(found, "path"), **more)


replies = st.sampled_from(
    [Reply("accept"), Reply("label", "Tips"), Reply("label", "Dust"), Reply("none"), Reply("unclear"), Reply("skip"),
     Reply("apart"), Reply("second", second="Tips"), Reply("undo")]
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(replies, max_size=14), st.booleans())
def test_whatever_is_answered_can_be_taken_back(script, alike):
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "c.sqlite") as store:
        filled(store)
        review = sitting(store, fingerprint=(lambda each: 1) if alike else None)
        rows = 0
        for reply in script:
            before = store.opinions.hold()
            try:
                said = review.take(reply)
            except UsageError:
                assert store.opinions.hold() == before
                continue
            rows += len(said.labels)
            assert len(list(store.opinions.labelled())) == rows, "rows are only added"
            assert {label.labeller for label in said.labels} <= {"anna"}
        held = store.opinions.hold()
        assert review.left <= PICTURES - len(held)
        while True:
            try:
                review.take(Reply("undo"))
            except UsageError:
                break
        assert (store.opinions.hold(), review.left, review.answered) == ({}, PICTURES, 0)
        assert review.question().picture.path == "/p/0.jpg"


def test_near_duplicates_share_an_answer_but_not_the_credit(store):
    review = sitting(store, fingerprint=lambda each: 1)
    assert [each.path for each in review.question().together] == ["/p/1.jpg", "/p/2.jpg"]
    labels = review.take(Reply("label", "Tips")).labels
    assert [label.how for label in labels] == ["looked", "duplicate", "duplicate"]
    assert review.question().picture.path == "/p/3.jpg"


def test_pictures_with_other_fingerprints_are_asked_one_by_one(store):
    review = sitting(
        store, fingerprint=lambda each: hash(each.path) & (1 << 128) - 1 if each.path != "/p/0.jpg" else None
    )
    assert review.question().together == ()


def test_the_same_category_twice_is_refused_and_nothing_is_stored(store):
    review = sitting(store)
    review.take(Reply("second", second="Fibres"))
    with pytest.raises(UsageError):
        review.take(Reply("accept"))
    assert store.opinions.hold() == {}


def test_a_lot_leaves_out_what_persons_have_labelled(store):
    store.opinions.say(Label("0" * 64, "label", "Tips", None, "bea"))
    lot = accepting.lot(store, MODEL, "Fibres", 0.5, check=2)
    assert [each.path for each in lot.all] == [f"/p/{n}.jpg" for n in range(1, 5)]
    drawn = lot.drawn[0]
    store.opinions.say(Label(drawn.sha256, "label", "Tips", "Fibres", "bea", how="check"))
    assert accepting.lot(store, MODEL, "Fibres", 0.5, check=2).drawn == lot.drawn
    found = accepting.checked(store, lot)
    assert (found.looked, found.wrong) == (1, 0), "a second category is not wrong"
    assert found.bound == pytest.approx(0.95)
    assert drawn not in accepting.rest(store, lot)


def test_an_undone_bulk_label_gives_way_to_what_was_said_before(store):
    lot = accepting.lot(store, MODEL, "Fibres", 0.5, check=0)
    accepting.accept(store, MODEL, lot.all, "Fibres", "anna", "n")
    assert {label.how for labels in store.opinions.hold().values() for label in labels} == {"bulk"}
    store.opinions.say(
        dataclasses.replace(store.opinions.labels("1" * 64)[0], labeller="bea", how="looked", label="Tips")
    )
    assert accepting.take_back(store, "Fibres", "anna") == 5
    assert {sha256: labels[0].label for sha256, labels in store.opinions.hold().items()} == {"1" * 64: "Tips"}
