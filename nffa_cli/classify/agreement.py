"""How far persons and a model agree, and how wrong what nobody looked at may be.

Pure. The bound is that of C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404, one-sided; kappa that of J. Cohen,
Educational and Psychological Measurement 20 (1960) 37.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from nffa_cli.errors import UsageError

CONFIDENCE = 0.95


def upper_bound(wrong: int, of: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the share of wrong ones that is not exceeded with ``confidence``, when ``wrong`` of ``of`` drawn were wrong.

    Of none drawn nothing is known: 1. Draws without replacement from a small heap are only better than this says.
    """
    if not 0 <= wrong <= of:
        raise UsageError(f"{wrong} of {of} cannot be wrong")
    return 1.0 if wrong == of else _where(wrong, of, 1 - confidence)


def interval(hits: int, of: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval of a share; 0 to 1 where nothing was counted."""
    half = (1 + confidence) / 2
    return 1.0 - upper_bound(of - hits, of, confidence=half), upper_bound(hits, of, confidence=half)


def _where(wrong: int, of: int, chance: float) -> float:
    """Return the share at which no more than ``wrong`` of ``of`` have this chance; the chance falls as the share grows."""
    low, high = 0.0, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(wrong, of, middle) > chance else (low, middle)
    return high


def _at_most(wrong: int, of: int, share: float) -> float:
    """Return the chance that no more than ``wrong`` of ``of`` are wrong where ``share`` of all are."""
    if not 0 < share < 1:
        return float(share <= 0)
    yes, no = math.log(share), math.log1p(-share)
    ways = math.lgamma(of + 1)
    return math.fsum(
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(wrong + 1)
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two answered the same.

    kappa
        Agreement beyond chance: 1 always, 0 as chance would have it; None: too little to say.
    """

    n: int
    same: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """Of all pictures that both answered."""
        return self.same / self.n if self.n else None


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Return how far the pairs of answers agree."""
    n = len(pairs)
    same = sum(one == other for one, other in pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(first[answer] * second[answer] for answer in first) / (n * n) if n else 1.0
    kappa = None if by_chance >= 1 else (same / n - by_chance) / (1 - by_chance)
    return Agreement(n, same, kappa)


def consensus(answers: Iterable[Hashable]) -> Hashable | None:
    """Return the answer that more than half of the persons gave; None: there is none."""
    counts = Counter(answers)
    total = sum(counts.values())
    return next((answer for answer, count in counts.items() if 2 * count > total), None)
