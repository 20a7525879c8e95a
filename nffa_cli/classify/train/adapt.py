"""Teaching an existing model from a handful of pictures: a new last layer on its embedding; numpy only, no torch.

A multinomial logistic regression that starts from what the model says already, so that a label without pictures stays as it
was and a new category can be added. How strongly the old answer counts and how much the new weights may grow is chosen by
cross-validation among the same pictures, near-duplicates kept together; so are temperature and thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nffa_cli.classify.train import measures, names, split
from nffa_cli.classify.train.graft import Layer

Numbers = NDArray[np.float64]

FOLDS = 5
STRETCH = 8.0
"""By which the embedding, of unit length, is multiplied before its weights are learned."""
TRUST = (0.0, 0.25, 0.5, 1.0)
"""What the old logits of labels with pictures may be multiplied by; of the others nothing better is known."""
RIDGE = (0.003, 0.03, 0.3)
STEPS = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model makes of pictures whose labels are known.

    logits
        (N, V, old + 1), V views each.
    embeddings
        (N, V, E).
    labels
        What each picture shows, by a person.
    groups
        (N,) near-duplicates share a number.
    """

    logits: Numbers
    embeddings: Numbers
    labels: tuple[str, ...]
    groups: NDArray[np.int64]

    def only(self, rows: NDArray[np.intp]) -> Seen:
        """Return some of the pictures."""
        return Seen(self.logits[rows], self.embeddings[rows], tuple(self.labels[n] for n in rows), self.groups[rows])


@dataclass(frozen=True, slots=True)
class Adapted:
    """A new layer with the labels it is for, what was fitted, and what it brought.

    before, after
        Figures of the pictures, each judged without it having been learned from.
    alone
        Labels whose pictures are all alike, so that near-duplicates could not be kept together: their figures flatter.
    """

    layer: Layer
    labels: tuple[str, ...]
    temperature: float
    trust: float
    ridge: float
    before: dict[str, Any]
    after: dict[str, Any]
    held_out: Numbers
    truth: NDArray[np.intp]
    alone: tuple[str, ...]


def adapt(seen: Seen, labels: Sequence[str], *, temperature: float, seed: int = 0) -> Adapted:
    """Return a layer learned from all pictures, and its figures by cross-validation.

    Without pictures of none among them, none is told as the model told it: nothing better is known.

    Parameters
    ----------
    labels
        Of the model; categories of the pictures that it does not know come after them.
    temperature
        Of the model.
    """
    known = (*labels, *sorted(set(seen.labels) - {*labels, names.NONE}))
    truth = np.array([known.index(each) if each != names.NONE else len(known) for each in seen.labels], np.intp)
    groups, alone = _parted(seen.groups, truth)
    folds = [rows for rows in split.folds(seen.labels, groups, count=FOLDS, seed=seed) if len(rows)]
    old = passing(len(labels), len(known)) / temperature
    taught = np.isin(np.arange(len(known) + 1), truth)

    def held_out(trust: float, ridge: float, end: Callable[[Layer], Layer] = lambda layer: layer) -> Numbers:
        logits = np.zeros((len(truth), len(known) + 1))
        for rows in folds:
            others = np.setdiff1d(np.arange(len(truth)), rows)
            layer = learned(seen.only(others), truth[others], old * np.where(taught, trust, 1), ridge=ridge)
            logits[rows] = judged(seen.only(rows), end(layer))
        return logits

    tried = {(trust, ridge): held_out(trust, ridge) for trust in TRUST for ridge in RIDGE}
    (trust, ridge), found = min(tried.items(), key=lambda each: _surprise(each[1], truth))
    sharp = measures.temperature(found, truth)
    layer = learned(seen, truth, old * np.where(taught, trust, 1), ridge=ridge)
    if not taught[-1]:
        warm = measures.temperature(found[:, :-1], truth)
        layer, sharp = closed(layer, old, warm), 1.0
        found = held_out(trust, ridge, lambda layer: closed(layer, old, warm))
    before = seen.logits.mean(axis=1) @ old
    return Adapted(
        layer, known, sharp, trust, ridge, measures.report(before, truth, labels=known, temperature=1.0),
        measures.report(found, truth, labels=known, temperature=sharp), found, truth,
        tuple(known[n] if n < len(known) else names.NONE for n in alone),
    )  # fmt: skip


def _parted(groups: NDArray[np.int64], truth: NDArray[np.intp]) -> tuple[NDArray[np.int64], list[int]]:
    """Return groups of which every class has two at least, and the classes whose only group was taken apart for that."""
    found = groups.copy()
    alone = [int(k) for k in np.unique(truth) if len(np.unique(groups[truth == k])) < 2]
    for k in alone:
        rows = np.flatnonzero(truth == k)
        found[rows] = found.max() + 1 + np.arange(len(rows))
    return found, alone


def closed(layer: Layer, old: Numbers, temperature: float) -> Layer:
    """Return the layer at a temperature, its labels together weighing against none as the model's own did.

    Parameters
    ----------
    old
        As ``passing`` gives it, over the model's temperature.
    """
    scale = np.full(len(layer.bias), 1 / temperature)
    scale[-1] = 1
    return Layer(
        (layer.weights * scale).astype(np.float32), (layer.passed * scale).astype(np.float32),
        (layer.bias * scale).astype(np.float32), old[:, : len(old) - 1].astype(np.float32),
    )  # fmt: skip


def passing(old: int, new: int) -> Numbers:
    """Return (old + 1, new + 1): each old logit to its place; a new category begins where "none of the ten" is."""
    found = np.zeros((old + 1, new + 1))
    found[np.arange(old), np.arange(old)] = 1
    found[old, old:] = 1
    return found


def learned(seen: Seen, truth: NDArray[np.intp], passed: Numbers, *, ridge: float) -> Layer:
    """Return the layer of least surprise; each class weighs the same, and only classes with pictures learn."""
    _, views, width = seen.embeddings.shape
    inputs = seen.embeddings.reshape(-1, width)
    centre = inputs.mean(axis=0)
    inputs = (inputs - centre) * STRETCH
    start = seen.logits.reshape(-1, passed.shape[0]) @ passed
    wanted = np.repeat(truth, views)
    taught = np.bincount(truth, minlength=passed.shape[1])
    share = 1.0 / (taught[wanted] * views * (taught > 0).sum())
    right = np.zeros_like(start)
    right[np.arange(len(wanted)), wanted] = 1
    weights, bias = np.zeros((width, passed.shape[1])), np.zeros(passed.shape[1])
    speed_w, speed_b = np.zeros_like(weights), np.zeros_like(bias)
    rate = 1.0 / (0.5 * STRETCH**2 * float((inputs / STRETCH).var() * width + 0.1) + ridge)
    for step in range(STEPS):  # Nesterov's gradient descent
        keep = step / (step + 3)
        at_w, at_b = weights + keep * speed_w, bias + keep * speed_b
        gap = (measures.softmax(start + inputs @ at_w + at_b) - right) * share[:, None]
        gap[:, taught == 0] = 0
        new_w = at_w - rate * (inputs.T @ gap + ridge * at_w)
        new_b = at_b - rate * (gap.sum(axis=0) + ridge * at_b)
        speed_w, speed_b = new_w - weights, new_b - bias
        weights, bias = new_w, new_b
    turned = weights * STRETCH
    return Layer(
        turned.astype(np.float32), passed.astype(np.float32), (bias - centre @ turned).astype(np.float32)
    )  # fmt: skip


def judged(seen: Seen, layer: Layer) -> Numbers:
    """Return (N, new + 1) logits, the mean over the views."""
    found: Numbers = layer(seen.embeddings, seen.logits).mean(axis=1)
    return found


def _surprise(logits: Numbers, truth: NDArray[np.intp]) -> float:
    """Return the mean surprise of a class, at the best temperature."""
    chances = measures.softmax(logits / measures.temperature(logits, truth))
    each = -np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12))
    return float(np.mean([each[truth == k].mean() for k in np.unique(truth)]))
