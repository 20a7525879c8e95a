"""The pure part of review: the queue, near-duplicates, spot checks, the error bound, agreement, what keys and lines mean."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from nffa_cli.catalogue.opinions import Label, holding
from nffa_cli.classify import replies, waiting
from nffa_cli.classify.agreement import agreement, consensus, interval, upper_bound
from nffa_cli.classify.waiting import Filter, Waiting
from nffa_cli.errors import UsageError
from nffa_cli.review import inline

LABELS = ("Biological", "Fibres", "Nanowires")

waitings = st.builds(
    Waiting,
    sha256=st.text("0123456789abcdef", min_size=8, max_size=8),
    path=st.text("ab/", max_size=4),
    label=st.sampled_from(LABELS),
    score=st.floats(0, 1),
    decision=st.sampled_from(["accepted", "uncertain", "none"]),
    doubt=st.floats(0, 1),
)
queues = st.lists(waitings, max_size=20, unique_by=lambda each: each.sha256)


# --- the error bound ---


@pytest.mark.parametrize(
    ("wrong", "of", "bound"),
    [  # the 95 % quantile of the beta distribution with wrong + 1 and of - wrong
        (0, 1, 0.95), (0, 20, 0.1391083), (1, 20, 0.2161062), (0, 59, 0.0495076), (2, 50, 0.1206142),
        (10, 100, 0.1637176), (99, 100, 0.9994872), (5, 2000, 0.0052493), (7, 7, 1.0), (0, 0, 1.0),
    ],
)  # fmt: skip
def test_the_bound_is_that_of_clopper_and_pearson(wrong, of, bound):
    assert upper_bound(wrong, of) == pytest.approx(bound, abs=2e-7)


def test_the_two_sided_interval_is_that_of_the_tables():
    assert interval(8, 10) == pytest.approx((0.4439045, 0.9747893), abs=1e-6)
    assert interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 300).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_bound_lies_above_what_was_found_and_falls_with_more_pictures(pair):
    wrong, of = pair
    bound = upper_bound(wrong, of)
    assert wrong / of < bound <= 1 or wrong == of
    assert upper_bound(wrong, of + 1) <= bound
    assert upper_bound(min(wrong + 1, of), of) >= bound


def test_more_wrong_ones_than_pictures_is_refused():
    with pytest.raises(UsageError):
        upper_bound(3, 2)


# --- agreement ---


def test_kappa_is_that_of_the_textbook():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agreement(pairs)
    assert (found.n, found.same) == (50, 35)
    assert found.kappa == pytest.approx(0.4)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=30))
def test_agreement_does_not_depend_on_who_is_asked_first(pairs):
    one, other = agreement(pairs), agreement([(b, a) for a, b in pairs])
    assert (one.n, one.same) == (other.n, other.same)
    assert one.kappa == pytest.approx(other.kappa) if one.kappa is not None else other.kappa is None
    assert one.kappa is None or one.kappa <= 1


@given(st.lists(st.sampled_from("abc"), max_size=9))
def test_consensus_is_more_than_half(answers):
    found = consensus(answers)
    most = max((answers.count(each) for each in answers), default=0)
    assert (found is not None) == (2 * most > len(answers))
    assert found is None or 2 * answers.count(found) > len(answers)


# --- the queue ---


@given(queues, st.randoms())
def test_an_order_is_the_same_however_the_pictures_came(found, random):
    other = list(found)
    random.shuffle(other)
    for order in waiting.ORDERS:
        assert waiting.ordered(found, order) == waiting.ordered(other, order)
        assert sorted(each.sha256 for each in waiting.ordered(found, order)) == sorted(each.sha256 for each in found)
    doubts = [each.doubt for each in waiting.ordered(found, "uncertain")]
    assert doubts == sorted(doubts, reverse=True)


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=11))
def test_doubt_is_between_certain_and_a_tie(weights):
    chances = [weight / sum(weights) for weight in weights]
    assert -1e-9 <= waiting.doubt(chances) <= 1
    assert waiting.doubt([0.5, 0.5, 0.0]) == 1
    assert waiting.doubt([1.0, 0.0]) == 0


@given(queues, st.sampled_from(LABELS), st.floats(0, 1))
def test_filters_part_the_pictures(found, label, score):
    above, below = Filter(above=score), Filter(below=score)
    assert all(above.passes(each) != below.passes(each) for each in found)
    assert all(each.label == label and each.decision != "none" for each in found if Filter(label).passes(each))


@given(
    st.sets(st.text("0123456789abcdef", min_size=4, max_size=6), max_size=30), st.integers(0, 30), st.integers(0, 30)
)
def test_a_sample_is_drawn_once_and_grows_by_addition(contents, small, more):
    first, larger = waiting.sample(contents, small, "salt"), waiting.sample(contents, small + more, "salt")
    assert first == waiting.sample(sorted(contents), small, "salt")
    assert larger[: len(first)] == first
    assert len(set(larger)) == len(larger) == min(small + more, len(contents))


def test_samples_take_every_picture_alike():
    contents = [f"{n:03d}" for n in range(50)]
    drawn = [each for salt in range(400) for each in waiting.sample(contents, 10, str(salt))]
    counts = [drawn.count(each) for each in contents]
    assert 45 < min(counts) <= max(counts) < 120  # 80 each, give or take four deviations


# --- near-duplicates ---


def vector(*numbers):
    values = np.array(numbers, np.float32)
    return (values / np.linalg.norm(values)).astype(np.float16).tobytes()


def test_close_embeddings_come_closest_first_and_a_missing_one_never():
    found = [
        Waiting(str(n), "", "", 0, "", 0, embedding)
        for n, embedding in enumerate([vector(1, 0, 0), vector(1, 0.2, 0), vector(1, 0.05, 0), vector(0, 1, 0), b""])
    ]
    rows = waiting.vectors(found)
    assert list(waiting.close(rows, 0)) == [2, 1]
    assert list(waiting.close(rows, 4)) == []
    assert list(waiting.close(rows, 3)) == []


def test_candidates_are_of_the_same_folder_first_and_few():
    places = [*(f"/a/{n}" for n in range(40)), *(f"/b/{n}" for n in range(3))]
    found = [Waiting(str(n), place, "", 0, "", 0, vector(1, n / 1000)) for n, place in enumerate(places)]
    rows = waiting.vectors(found)
    assert waiting.candidates(found, rows, 41, {42})[0] == 40
    assert 42 not in waiting.candidates(found, rows, 41, {42})
    assert len(waiting.candidates(found, rows, 0, ())) == waiting.MOST_TOGETHER
    assert not {40, 41, 42} & set(waiting.candidates(found, rows, 0, ()))


def scene(seed, size=(256, 192)):
    noise = np.random.default_rng(seed).normal(128, 60, (12, 16)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def mark(image, path):
    image.save(path)
    return inline.fingerprint(path)


def test_a_fingerprint_knows_a_picture_again_and_no_other(tmp_path):
    first = scene(1)
    again = {
        "brighter.png": first.point(lambda v: min(255, v * 0.8 + 40)),
        "smaller.png": first.resize((180, 135)),
        "blurred.png": first.filter(ImageFilter.GaussianBlur(2)),
        "noisy.png": Image.fromarray(
            (np.asarray(first) + np.random.default_rng(0).normal(0, 8, (192, 256))).clip(0, 255).astype(np.uint8)
        ),
        "packed.jpg": first,
    }
    mine = mark(first, tmp_path / "first.png")
    for name, image in again.items():
        assert waiting.is_same(mine, mark(image, tmp_path / name)), name
    others = [mark(scene(seed), tmp_path / f"other{seed}.png") for seed in range(2, 40)]
    assert not any(waiting.is_same(mine, other) for other in others)


def test_what_shows_nothing_is_like_nothing(tmp_path):
    assert mark(Image.new("L", (64, 48), 90), tmp_path / "flat.png") is None
    (tmp_path / "text.png").write_text("no picture")
    assert inline.fingerprint(tmp_path / "text.png") is None
    assert not waiting.is_same(None, None)


# --- what a person says ---


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("a", replies.Reply("accept")),
        ("2", replies.Reply("label", "Fibres")),
        ("+3", replies.Reply("second", second="Nanowires")),
        ("+ nanowires", replies.Reply("second", second="Nanowires")),
        ("c  Dust   bunnies ", replies.Reply("label", "Dust bunnies")),
        ("c FIBRES", replies.Reply("label", "Fibres")),
        ("n", replies.Reply("unclear")),
        ("x", replies.Reply("none")),
        ("u", replies.Reply("undo")),
        ('{"label": "fibres", "second": "Dust", "path": "a.tif", "note": "why"}',
         replies.Reply("label", "Fibres", "Dust", "a.tif", "why")),
        ('{"answer": "none", "sha256": "ab"}', replies.Reply("none", target="ab")),
    ],
)  # fmt: skip
def test_a_line_means(line, reply):
    assert replies.of_line(line, LABELS) == reply


@pytest.mark.parametrize(
    "line",
    ["7", "0", "nn", "c", "+", "c none", "c a\x1b[31m", "{", "{}", '{"answer": "perhaps"}', '{"answer": "label"}',
     '{"label": 5}', '{"answer": "none", "label": "Fibres"}', '{"answer": "none", "second": "Fibres"}', '{"lable": "x"}',
     '{"answer": "second"}', "c " + "x" * 101, r'{"label": "Fibres", "note": "\ud800"}', r'{"label": "\ud800"}',
     '{"label": "Fibres", "note": "\udce9"}', r'{"label": "Fibres", "second": "a\udfff"}', r'{"\ud800": "a"}'],
)  # fmt: skip
def test_a_line_that_means_nothing_is_refused(line):
    with pytest.raises(UsageError):
        replies.of_line(line, LABELS)


def test_a_note_may_be_of_any_characters_and_a_path_of_any_bytes():
    line = r'{"answer": "none", "note": "\ud83d\ude00 \u0007", "path": "caf\udce9.tif"}'
    assert replies.of_line(line, LABELS) == replies.Reply("none", target="caf\udce9.tif", note="\U0001f600 \a")


@given(st.text(max_size=40))
def test_no_line_is_worse_than_refused(line):
    with suppress(UsageError):
        assert isinstance(replies.of_line(line, LABELS), replies.Reply)


@given(st.lists(st.tuples(st.sampled_from(["anna", "bea"]), st.sampled_from(["label", "none", "unclear", "undo"]))))
def test_what_holds_is_the_last_word_of_each_that_was_not_taken_back(script):
    said = [Label("ab", answer, "Fibres" if answer == "label" else None, None, who, seq=n)
            for n, (who, answer) in enumerate(script)]  # fmt: skip
    expected = {}
    for each in said:
        mine = expected.setdefault(each.labeller, [])
        if each.answer != "undo":
            mine.append(each)
        elif mine:
            mine.pop()
    found = {each.labeller: each for each in holding(said)}
    assert found == {who: mine[-1] for who, mine in expected.items() if mine}


# --- pictures in a terminal ---


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-sixel"}, "sixel"),
        ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "iTerm.app"}, "grey"),
        ({"TERM": "tmux-256color", "TMUX": "x", "COLORTERM": "truecolor", "KITTY_WINDOW_ID": "1"}, "colour"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "colour"),
        ({"WT_SESSION": "x"}, "colour"),
        ({"TERM": "xterm-256color"}, "grey"),
        ({"TERM": "xterm"}, None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, None),
        ({"TERM": "xterm-kitty", "NO_COLOR": ""}, None),
        ({}, None),
    ],
)
def test_what_a_terminal_can_is_taken_from_its_environment(environment, way):
    assert inline.way(environment) == way


@pytest.mark.parametrize(("way", "begins", "ends"), [
    ("iterm2", "\x1b]1337;File=inline=1;", "\x07\n"), ("kitty", "\x1b_Gf=100,a=T,", "\x1b\\\n"),
    ("sixel", '\x1bPq"1;1;', "\x1b\\\n"), ("colour", "\x1b[38;2;", "\x1b[0m"), ("grey", "\x1b[38;5;", "\x1b[0m"),
])  # fmt: skip
@pytest.mark.parametrize("size", [(256, 192), (1, 300), (300, 1), (3000, 20)])
def test_a_picture_is_drawn_within_its_place(tmp_path, way, begins, ends, size):
    path = tmp_path / "p.png"
    scene(3, size).save(path)
    drawn = inline.draw(path, way, columns=40, rows=12)
    assert drawn.startswith(begins)
    assert drawn.endswith(ends)
    if way in ("colour", "grey"):
        lines = drawn.split("\n")
        assert len(lines) <= 12
        assert all(line.count("▀") <= 40 for line in lines)


def test_sixels_say_every_pixel():
    """Read back by a reader of sixels of the test's own."""
    grey = np.random.default_rng(0).integers(0, 256, (13, 21)).astype(np.uint8)
    text = inline.sixels(grey)
    body = text[text.index("#0;2") :].removesuffix("\x1b\\")
    found = np.full((18, 21), -1)
    level = row = column = 0
    rest = body
    while rest:
        sign, rest = rest[0], rest[1:]
        if sign == "#":
            digits = ""
            while rest and (rest[0].isdigit() or rest[0] == ";"):
                digits, rest = digits + rest[0], rest[1:]
            level = int(digits.split(";")[0])
        elif sign == "$":
            column = 0
        elif sign == "-":
            row, column = row + 6, 0
        else:
            count = ""
            while sign == "!" or (count and sign.isdigit()):
                count, sign, rest = count + (sign if sign.isdigit() else " "), rest[0], rest[1:]
            end = column + int(count or 1)
            for bit in range(6):
                if ord(sign) - 63 >> bit & 1:
                    found[row + bit, column:end] = level
            column = end
    assert (found[:13] == grey.astype(int) * inline.LEVELS // 256).all()
    assert (found[13:] == -1).all()
