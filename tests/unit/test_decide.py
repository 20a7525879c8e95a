"""Scores are calibrated chances, and every answer of the three is given for its own reason."""

from __future__ import annotations

import math

import pytest

from nffa_cli.classify import decide
from nffa_cli.classify.decide import NoneRule

LABELS = ("a", "b", "c")
THRESHOLDS = {"a": 0.6, "b": 0.95, "c": 0.5}


def opinion(logits, likeness=0.9, temperature=1.0):
    return decide.opinion(
        logits, likeness, labels=LABELS, temperature=temperature, thresholds=THRESHOLDS, least_likeness=0.5
    )


def test_scores_descend_and_add_up_with_none():
    found = opinion([1.0, 3.0, 2.0, 0.5])
    assert [label for label, _ in found.scores] == ["b", "c", "a"]
    assert sum(score for _, score in found.scores) + found.none == pytest.approx(1)


def test_a_higher_temperature_is_less_sure():
    assert opinion([5.0, 0, 0, 0]).score > opinion([5.0, 0, 0, 0], temperature=3.0).score > 0.25


@pytest.mark.parametrize(
    ("logits", "likeness", "decision"),
    [([3, 0, 0, 0], 0.9, "accepted"), ([0, 3, 0, 0], 0.9, "uncertain"), ([9, 0, 0, 0], 0.4, "none")],
)
def test_thresholds_are_each_labels_own(logits, likeness, decision):
    assert opinion(logits, likeness).decision == decision


def test_likeness_weighs_what_the_rule_says():
    def like(logits, embedding=(1.0, 0.0), remarks=(), **rule):
        return decide.likeness(logits, embedding, temperature=1.0, rule=NoneRule(**rule), remarks=remarks)

    assert like([9, 0, 0, 0]) > 0.99 > 0.01 > like([0, 0, 0, 9])
    means = ((1.0, 0.0), (0.0, 1.0))
    near, far = (
        like([1, 1, 1, 1], vector, weights={"cosine": 10.0}, bias=-8.0, means=means)
        for vector in ((1.0, 0.0), (math.sqrt(0.5), -math.sqrt(0.5)))
    )
    assert near > 0.8 > 0.3 > far
    assert like([9, 0, 0, 0], remarks=(decide.BLANK,)) == 0
    assert like([9, 0, 0, 0], remarks=(decide.COLOURED,)) < 0.5
    assert like([1e6, 0, 0, -1e6]) == 1
    assert like([-1e6, -1e6, -1e6, 1e6]) < 1e-300
