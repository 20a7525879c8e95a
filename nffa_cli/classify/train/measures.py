"""How good a classifier is, and the numbers that make its scores honest; numpy only, nothing about networks.

Definitions: macro-F1 is the mean over classes that occur; the expected calibration error has 15 bins of equal width;
AUROC is the chance that a picture of one of the ten gets more likeness than one of none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

BINS = 15
COVERAGE = (0.25, 0.5, 0.75, 0.9, 1.0)
LEAST_THRESHOLD = 0.5


def softmax(logits: Numbers) -> Numbers:
    """Return (N, K) chances."""
    parts = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Numbers = parts / parts.sum(axis=1, keepdims=True)
    return found


def confusion(truth: NDArray[np.intp], said: NDArray[np.intp], classes: int) -> NDArray[np.int64]:
    """Return (classes, classes) counts: rows the truth, columns what was said."""
    found = np.zeros((classes, classes), np.int64)
    np.add.at(found, (truth, said), 1)
    return found


def accuracy(table: NDArray[np.int64]) -> float:
    """Return the share that is right."""
    return float(np.trace(table) / max(1, table.sum()))


def recalls(table: NDArray[np.int64]) -> Numbers:
    """Return (classes,) the share of each class that is found; NaN where there is none."""
    counts = table.sum(axis=1)
    found: Numbers = np.where(counts > 0, np.diag(table) / np.maximum(counts, 1), np.nan)
    return found


def macro_f1(table: NDArray[np.int64]) -> float:
    """Return the mean F1 of the classes that occur in the truth."""
    occurs = table.sum(axis=1) > 0
    both = table.sum(axis=0) + table.sum(axis=1)
    scores = 2 * np.diag(table) / np.maximum(both, 1)
    return float(scores[occurs].mean()) if occurs.any() else 0.0


def calibration_error(scores: Numbers, right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of top scores."""
    if not len(scores):
        return 0.0
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    gap = np.abs(np.bincount(place, right, BINS) - np.bincount(place, scores, BINS))
    return float(gap[counts > 0].sum() / len(scores))


def coverage(scores: Numbers, right: NDArray[np.bool_]) -> dict[str, float]:
    """Return share of pictures that are kept, surest first → share of them that is right."""
    order = np.argsort(-scores, kind="stable")
    kept = {f"{share:g}": order[: max(1, round(share * len(order)))] for share in COVERAGE}
    return {share: float(right[rows].mean()) for share, rows in kept.items()} if len(order) else {}


def auroc(ours: Numbers, others: Numbers) -> float:
    """Return the area under the ROC curve of "ours" against "others"; ties count half; NaN if one is empty."""
    if not len(ours) or not len(others):
        return float("nan")
    both = np.concatenate([ours, others])
    _, place, counts = np.unique(both, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = ((ends - counts) + ends + 1) / 2
    total = ranks[place[: len(ours)]].sum()
    return float((total - len(ours) * (len(ours) + 1) / 2) / (len(ours) * len(others)))


def false_positives(ours: Numbers, others: Numbers, *, kept: float = 0.95) -> float:
    """Return the share of others that pass where ``kept`` of ours do."""
    if not len(ours) or not len(others):
        return float("nan")
    return float((others >= np.quantile(ours, 1 - kept)).mean())


def report(
    logits: Numbers,
    truth: NDArray[np.intp],
    *,
    labels: Sequence[str],
    temperature: float,
    decisions: Sequence[str] | None = None,
    likeness: Numbers | None = None,
) -> dict[str, Any]:
    """Return all figures of a set, as JSON takes them.

    Parameters
    ----------
    logits
        (N, labels + 1); the last column is "none of the ten".
    truth
        (N,) column of the truth.
    decisions
        (N,) what was decided of each picture; None: that is not told.
    likeness
        (N,) how much each looks like one of the labels; None: by the score of none.
    """
    none = len(labels)
    chances = softmax(logits / temperature)
    ours = truth < none
    ten = chances[ours][:, :none]
    if not len(ten):
        return {"n": 0, "n_none": int((~ours).sum())}
    said = ten.argmax(axis=1)
    right = said == truth[ours]
    table = confusion(truth[ours], said, none)
    share = recalls(table)
    likeness = 1 - chances[:, none] if likeness is None else likeness
    top2 = np.argsort(-ten, axis=1)[:, :2]
    scores = ten.max(axis=1)
    decided = {} if decisions is None else _shares(np.array(decisions), truth, chances[:, :none].argmax(axis=1), none)
    return {
        "n": int(ours.sum()), "n_none": int((~ours).sum()), "accuracy": _kept(accuracy(table)),
        "balanced_accuracy": _kept(float(np.nanmean(share))), "macro_f1": _kept(macro_f1(table)),
        "top2": _kept(float((top2 == truth[ours][:, None]).any(axis=1).mean())),
        "accuracy_with_none": _kept(accuracy(confusion(truth, chances.argmax(axis=1), none + 1))),
        "ece": _kept(calibration_error(chances.max(axis=1), chances.argmax(axis=1) == truth)), "ece_bins": BINS,
        "recall": {
            label: {"n": int(table[k].sum()), "recall": _kept(float(share[k]))}
            for k, label in enumerate(labels) if table[k].sum()
        },
        "coverage": {key: _kept(value) for key, value in coverage(scores, right).items()},
        "rejection_auroc": _kept(auroc(likeness[ours], likeness[~ours])),
        "rejection_fpr95": _kept(false_positives(likeness[ours], likeness[~ours])),
        "confusion": confusion(truth, chances.argmax(axis=1), none + 1).tolist(), **decided,
    }  # fmt: skip


def answers(logits: Numbers, truth: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return (N,) what is said: of pictures of the labels the best label, of pictures of none the best of all."""
    none = logits.shape[1] - 1
    found: NDArray[np.intp] = np.where(truth < none, logits[:, :none].argmax(axis=1), logits.argmax(axis=1))
    return found


def decided(
    logits: Numbers,
    *,
    labels: Sequence[str],
    temperature: float,
    limits: Mapping[str, float],
    rule: Mapping[str, Any],
) -> list[str]:
    """Return what ``nffa classify`` would decide of each picture, ``limits`` and ``rule`` as fitted below."""
    ten = softmax(logits / temperature)[:, :-1]
    accepted = ten.max(axis=1) >= np.array([limits[label] for label in labels])[ten.argmax(axis=1)]
    likely = rule["weights"]["none"] * odds(logits / temperature) + rule["bias"]
    is_none = likely < np.log(rule["threshold"] / (1 - rule["threshold"]))
    return list(np.where(is_none, "none", np.where(accepted, "accepted", "uncertain")))


def _shares(decisions: NDArray[np.str_], truth: NDArray[np.intp], said: NDArray[np.intp], none: int) -> dict[str, Any]:
    """Return what becomes of pictures of the labels and of none, as shares, and how much of what is accepted is right."""
    found: dict[str, Any] = {
        name: {each: _kept(float((decisions[rows] == each).mean())) for each in ("accepted", "uncertain", "none")}
        for name, rows in (("of_labels", truth < none), ("of_none", truth == none))
        if rows.any()
    }
    if (accepted := decisions == "accepted").any():
        found["right_of_accepted"] = _kept(float((said == truth)[accepted].mean()))
    return {"decisions": found}


def _kept(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


# --- fitted on validation only ---


def temperature(logits: Numbers, truth: NDArray[np.intp]) -> float:
    """Return by what the logits are to be divided so that the truth is least surprising (negative log likelihood).

    The truth counts (n + 1) / (n + 2) of n pictures, lest a handful without a mistake make the scores certain.
    Source: J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    count, classes = logits.shape
    right = (count + 1) / (count + 2)
    wanted = np.full(logits.shape, (1 - right) / (classes - 1))
    wanted[np.arange(count), truth] = right

    def surprise(logarithm: float) -> float:
        scaled = logits / np.exp(logarithm)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return float((wanted * (np.log(np.exp(scaled).sum(axis=1, keepdims=True)) - scaled)).sum(axis=1).mean())

    low, high = np.log(0.05), np.log(20.0)
    golden = (5**0.5 - 1) / 2
    for _ in range(60):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if surprise(a) < surprise(b) else (a, high)
    return round(float(np.exp((low + high) / 2)), 4)


def thresholds(
    chances: Numbers,
    truth: NDArray[np.intp],
    *,
    labels: Sequence[str],
    precision: float,
    least: float = LEAST_THRESHOLD,
) -> dict[str, float]:
    """Return label → the lowest score from which ``precision`` of what gets the label is right, not below ``least``.

    A label that was never said, or never right often enough, gets 0.99.
    """
    said = chances[:, : len(labels)].argmax(axis=1)
    found = {}
    for k, label in enumerate(labels):
        rows = np.flatnonzero(said == k)
        rows = rows[np.argsort(-chances[rows, k], kind="stable")]
        share = np.cumsum(truth[rows] == k) / np.arange(1, len(rows) + 1)
        good = np.flatnonzero(share >= precision)
        lowest = float(chances[rows[good[-1]], k]) if len(good) else 0.99
        found[label] = round(min(0.99, max(least, lowest)), 4)
    return found


def none_rule(logits: Numbers, truth: NDArray[np.intp], *, temperature: float) -> dict[str, Any]:
    """Return the rule that tells pictures of none: a logistic function of the log odds, both sides weighing the same.

    Without pictures of none the odds are taken as they are.
    """
    ours = truth < logits.shape[1] - 1
    if not ours.any() or ours.all():
        return {"rule": "logistic", "threshold": 0.5, "bias": 0.0, "weights": {"none": 1.0}}
    weight, bias = _logistic(odds(logits / temperature), ours)
    return {"rule": "logistic", "threshold": 0.5, "bias": round(bias, 4), "weights": {"none": round(weight, 4)}}


def odds(scaled: Numbers) -> Numbers:
    """Return (N,) log odds of one of the labels against none, from logits over the temperature."""
    top = scaled[:, :-1].max(axis=1)
    found: Numbers = top + np.log(np.exp(scaled[:, :-1] - top[:, None]).sum(axis=1)) - scaled[:, -1]
    return found


def _logistic(x: Numbers, ours: NDArray[np.bool_], *, steps: int = 50, ridge: float = 1e-3) -> tuple[float, float]:
    """Return weight and bias of a logistic regression in one number, classes balanced.

    Newton's steps, halved until each one helps: undamped they run away where the classes overlap.
    """
    share = np.where(ours, 0.5 / ours.sum(), 0.5 / (~ours).sum())
    sign, centre, spread = np.where(ours, 1.0, -1.0), float(x.mean()), max(float(x.std()), 1e-9)
    inputs = np.stack([(x - centre) / spread, np.ones_like(x)], axis=1)

    def loss(at: Numbers) -> float:
        return float(share @ np.logaddexp(0, -sign * (inputs @ at)) + ridge * at @ at / 2)

    at = np.zeros(2)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(inputs @ at, -50, 50)))
        slope = inputs.T @ (share * (p - ours)) + ridge * at
        curve = (inputs * (share * p * (1 - p))[:, None]).T @ inputs + ridge * np.eye(2)
        step = np.linalg.solve(curve, slope)
        while loss(at - step) > loss(at) and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at - step
    weight = max(float(at[0]) / spread, 0.05)
    return weight, float(at[1]) - weight * centre
