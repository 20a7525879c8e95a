"""From a network's numbers to what may be said: calibrated scores, how much it looks like one of the ten, the decision.

Pure. The scores are the softmax over the ten labels and "none of the ten", with the model's temperature, so that they do
not add up to 1 for a picture of something else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Decision = Literal["accepted", "uncertain", "none"]

BLANK = "blank"
COLOURED = "coloured"
"""What ``images`` remarks of a picture: it has no contrast, so that nothing can be seen on it; it shows several colours."""

LIKENESS = {BLANK: 0.0, COLOURED: 0.4}
"""Remark → by which the likeness is multiplied: electrons have no colour, so a coloured picture is a map or a photograph."""


@dataclass(frozen=True, slots=True)
class NoneRule:
    """How a model tells a picture of none of its categories.

    ``in_distribution`` is the logistic function of ``bias`` + Σ weight × feature; below ``threshold`` the answer is *none*.
    Features: ``none`` (log odds of one of the ten against "none of the ten"), ``energy`` (log-sum-exp of the ten logits
    over the temperature), ``margin`` (top score less the second), ``cosine`` (of the embedding to the nearest of
    ``means``, unit vectors).
    """

    threshold: float = 0.5
    bias: float = 0.0
    weights: Mapping[str, float] = field(default_factory=lambda: {"none": 1.0})
    means: tuple[tuple[float, ...], ...] = ()


FEATURES = ("none", "energy", "margin", "cosine")
"""What a rule may weigh."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model thinks of one picture.

    scores
        (label, score 0 to 1), all ten, descending.
    none
        Score of "none of the ten".
    in_distribution
        0 to 1; higher: more like an SEM picture of the ten.
    """

    scores: tuple[tuple[str, float], ...]
    none: float
    in_distribution: float
    decision: Decision

    @property
    def label(self) -> str:
        """The label with the highest score."""
        return self.scores[0][0]

    @property
    def score(self) -> float:
        """The highest score."""
        return self.scores[0][1]


def opinion(
    logits: Sequence[float],
    in_distribution: float,
    *,
    labels: Sequence[str],
    temperature: float,
    thresholds: Mapping[str, float],
    least_likeness: float,
) -> Opinion:
    """Return what the numbers of one picture say.

    Parameters
    ----------
    logits
        One for each label, in order, and a last one for "none of the ten".
    in_distribution
        As ``likeness`` gives it.
    thresholds
        Label → score from which it is accepted.
    least_likeness
        ``in_distribution`` below which the answer is *none*.
    """
    chances = softmax([value / temperature for value in logits])
    ranked = sorted(zip(labels, chances[:-1], strict=True), key=lambda pair: -pair[1])
    decision = decide(*ranked[0], in_distribution, thresholds=thresholds, least_likeness=least_likeness)
    return Opinion(tuple(ranked), chances[-1], in_distribution, decision)


def likeness(
    logits: Sequence[float],
    embedding: Sequence[float],
    *,
    temperature: float,
    rule: NoneRule,
    remarks: Sequence[str] = (),
) -> float:
    """Return how much a picture looks like one of the categories, 0 to 1.

    ``embedding`` is the network's view of the picture, a unit vector; ``remarks`` what was noticed when it was prepared.
    """
    scaled = [value / temperature for value in logits]
    found = _logistic(rule.bias + _weighed(scaled, embedding, rule))
    return found * math.prod(LIKENESS.get(remark, 1.0) for remark in remarks)


def decide(
    label: str, score: float, in_distribution: float, *, thresholds: Mapping[str, float], least_likeness: float
) -> Decision:
    """Return the decision that a top score and the likeness make."""
    if in_distribution < least_likeness:
        return "none"
    return "accepted" if score >= thresholds[label] else "uncertain"


def softmax(values: Sequence[float]) -> list[float]:
    """Return the chances that logits stand for; they add up to 1."""
    top = max(values)
    parts = [math.exp(value - top) for value in values]
    total = sum(parts)
    return [part / total for part in parts]


def _weighed(scaled: Sequence[float], embedding: Sequence[float], rule: NoneRule) -> float:
    ten, chances = scaled[:-1], softmax(scaled)
    energy = max(ten) + math.log(sum(math.exp(value - max(ten)) for value in ten))
    first, second = sorted(chances[:-1])[-1:-3:-1]
    features = {"none": energy - scaled[-1], "energy": energy, "margin": first - second, "cosine": 0.0}
    if rule.means:
        features["cosine"] = max(sum(a * b for a, b in zip(mean, embedding, strict=True)) for mean in rule.means)
    return sum(weight * features[name] for name, weight in rule.weights.items())


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else (grown := math.exp(max(value, -700.0))) / (1 + grown)
