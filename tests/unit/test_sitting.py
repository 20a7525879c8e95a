"""A person's sitting over a real catalogue: whatever is answered and taken back, the rows tell the same story."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nffa_cli.catalogue.opinions import Classification, Label, Look
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import models, waiting
from nffa_cli.classify.agreement import upper_bound
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
    store.opinions.say(Label(drawn.sha256, "label", "Tips", "Fibres", "bea", model=MODEL.sha256, how="check"))
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


# --- one acceptance after the other ---


def more(store, first, count, label="Fibres"):
    """Let the model look at more contents, all of one class, from number ``first`` on."""
    looks = []
    for n in range(first, first + count):
        made = Classification(
            hashlib.sha256(b"%d" % n).hexdigest(), (3.0, 0.0, 0.0), label, 0.95, 0.9, "accepted", None, (), b""
        )
        looks.append(Look(f"/more/{n:04d}.jpg", "s", "done", None, "plain-image", made))
    store.opinions.save(store.opinions.model(MODEL.sha256, "m", "1", LABELS), looks)


@pytest.fixture
def series(tmp_path):
    with Store.open(tmp_path / "s.sqlite") as opened:
        more(opened, 0, 400)
        yield opened


def lot(store, check=30):
    return accepting.lot(store, MODEL, "Fibres", 0.5, check=check)


def check(store, labeller="anna", count=None, wrong=0):
    """Answer ``count`` of what is still to be checked (all of it), the first ``wrong`` of them wrong; return how many."""
    which = lot(store)
    drawn = {each.sha256 for each in which.drawn}
    review = reviewing.Review(store, MODEL, labeller, accepting.still_to_check(store, which)[:count], drawn=drawn)
    asked = 0
    while review.question() is not None:
        review.take(Reply("label", "Tips") if asked < wrong else Reply("accept"))
        asked += 1
    return asked


def accept(store, labeller="anna"):
    """Accept the rest; return how many that were."""
    rest = accepting.rest(store, lot(store))
    accepting.accept(store, MODEL, rest, "Fibres", labeller, "n")
    return len(rest)


@pytest.mark.parametrize("who", ["anna", "bea"])
def test_what_was_checked_before_an_acceptance_says_nothing_of_new_pictures(series, who):
    assert (check(series), accept(series)) == (30, 370)
    assert lot(series).all == ()
    more(series, 400, 200)
    new = {f"/more/{n:04d}.jpg" for n in range(400, 600)}
    which = lot(series)
    assert {each.path for each in which.all} == new
    assert len(accepting.still_to_check(series, which)) == 30
    assert accepting.checked(series, which).bound == 1.0
    assert check(series, who, wrong=3) == 30
    found = accepting.checked(series, lot(series))
    assert (found.looked, found.wrong, found.bound) == (30, 3, upper_bound(3, 30))
    assert accept(series, who) == 170


def test_a_check_that_was_broken_off_goes_on_and_nothing_is_asked_twice(series):
    assert check(series, count=12) == 12
    assert accepting.checked(series, lot(series)).looked == 12
    assert check(series) == 18
    more(series, 400, 200)  # before anything was accepted: one lot, of which the first 30 are drawn
    which = lot(series)
    assert len(which.all) == 600
    asked = {label.sha256 for label in series.opinions.labelled()}
    again = accepting.still_to_check(series, which)
    assert not asked & {each.sha256 for each in again}
    assert len(again) == sum(each.sha256 not in asked for each in which.drawn)


def test_what_was_taken_back_makes_its_check_count_again(series):
    check(series, wrong=2)
    first = lot(series)
    accept(series)
    more(series, 400, 200)
    check(series)
    accept(series)
    assert lot(series).all == ()
    accepting.take_back(series, "Fibres", "anna")
    assert len(lot(series).all) == 600
    assert accepting.still_to_check(series, lot(series)) == []
    known = {each.sha256 for each in first.all}
    assert [each for each in lot(series, 600).drawn if each.sha256 in known][:30] == list(first.drawn)


def test_what_was_drawn_stays_drawn_whatever_else_is_said_of_it(series):
    check(series, wrong=2)
    first, found = lot(series), accepting.checked(series, lot(series))
    for said in list(series.opinions.labelled())[:2]:
        series.opinions.say(dataclasses.replace(said, labeller="bea", how="looked"))  # a second opinion
        series.opinions.say(dataclasses.replace(said, second="Dust", how="looked"))  # and a second thought
    assert lot(series) == first
    assert accepting.checked(series, lot(series)) == found


def test_an_acceptance_of_another_class_or_by_another_model_spends_no_check(series):
    check(series, count=12)
    more(series, 400, 1, label="Tips")
    (tip,) = accepting.lot(series, MODEL, "Tips", 0.5, check=0).all
    accepting.accept(series, MODEL, [tip], "Tips", "anna", "n")
    other = dataclasses.replace(MODEL, sha256="e" * 64)
    accepting.accept(series, other, accepting.rest(series, lot(series))[-1:], "Fibres", "anna", "n")
    assert accepting.checked(series, lot(series)).looked == 12


def test_a_check_belongs_to_the_model_it_was_drawn_for(series):
    check(series)
    newer = dataclasses.replace(MODEL, sha256="e" * 64)
    number = series.opinions.model(newer.sha256, "m", "2", LABELS)
    series.opinions.save(number, [Look(each.path, "s", "done", None, "plain-image",
                                       series.opinions.of(each.sha256, MODEL.sha256)) for each in lot(series).all])  # fmt: skip
    which = accepting.lot(series, newer, "Fibres", 0.5, check=30)
    assert len(which.all) == 370
    assert len(accepting.still_to_check(series, which)) == 30


# --- pictures that are named ---


def answers(store):
    """[(path, answer, label, second, how)] of all rows, oldest first."""
    return [(store.opinions.paths(each.sha256)[0], each.answer, each.label, each.second, each.how)
            for each in store.opinions.labelled()]  # fmt: skip


def test_a_second_category_belongs_to_the_picture_that_is_asked(store):
    review = sitting(store)
    review.take(Reply("second", second="Tips"))
    review.take(Reply("label", "Dust", target="1" * 64))
    review.take(Reply("accept"))
    review.take(Reply("second", second="Tips"))
    review.take(Reply("label", "Dust", target="2" * 64))  # it is asked, and answered by its name
    assert review.question().second is None
    review.take(Reply("accept"))
    assert answers(store) == [
        ("/p/1.jpg", "label", "Dust", None, "looked"),
        ("/p/0.jpg", "label", "Fibres", "Tips", "looked"),
        ("/p/2.jpg", "label", "Dust", "Tips", "looked"),
        ("/p/3.jpg", "label", "Fibres", None, "looked"),
    ]


def test_a_named_picture_counts_as_drawn_only_if_it_was_drawn(store):
    which = accepting.lot(store, MODEL, "Fibres", 0.5, check=2)
    drawn = [each.sha256 for each in which.drawn]
    other = next(each.sha256 for each in which.all if each.sha256 not in drawn)
    review = reviewing.Review(store, MODEL, "anna", which.drawn[1:], drawn=set(drawn))
    for named in (other, *drawn):  # the first that was drawn was answered in a sitting before: that is mended here
        review.take(Reply("label", "Tips", target=named))
    assert [label.how for label in store.opinions.labelled()] == ["looked", "check", "check"]


def test_what_is_taken_back_by_name_is_no_answer_of_the_sitting(store):
    store.opinions.say(Label("5" * 64, "label", "Tips", None, "anna"))
    review = sitting(store, fingerprint=lambda each: 1)
    review.take(Reply("undo", target="5" * 64))
    assert review.answered == 0
    review.take(Reply("label", "Tips", target="4" * 64))
    assert review.answered == 1
    review.take(Reply("undo", target="4" * 64))
    assert review.answered == 0
    review.take(Reply("accept"))  # of three that are alike
    review.take(Reply("undo", target="1" * 64))
    assert review.answered == 1
    assert len(review.take(Reply("undo")).labels) == 2
    assert review.answered == 0
    review.take(Reply("accept"))
    for named in "012":
        review.take(Reply("undo", target=named * 64))
    assert (review.answered, store.opinions.hold(), review.left) == (0, {}, 5)
    with pytest.raises(UsageError):
        review.take(Reply("undo"))


@pytest.mark.parametrize("target", ["\ud800.jpg", "caf\udce9", "nowhere.jpg", "a\0b"])
def test_a_name_that_leads_nowhere_is_told_so(store, target):
    with pytest.raises(UsageError, match="has not looked at it"):
        sitting(store).take(Reply("label", "Tips", target=target))


def test_a_name_that_is_no_text_is_a_name(store):
    made = store.opinions.of("1" * 64, MODEL.sha256)
    number = store.opinions.model(MODEL.sha256, "m", "1", LABELS)
    store.opinions.save(number, [Look("/p/caf\udce9.jpg", "s", "done", None, "plain-image", made)])
    assert sitting(store).take(Reply("none", target="/p/caf\udce9.jpg")).labels[0].sha256 == "1" * 64
