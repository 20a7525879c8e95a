"""Which pictures wait for a person, in which order, and which of them are the same picture again.

Pure. The least certain come first, for there an answer teaches most; what figures are taken from is drawn at random. Two
pictures are answered together only when the network and a fingerprint of the pixels both take them for the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Order = Literal["uncertain", "random", "path"]
ORDERS: tuple[Order, ...] = ("uncertain", "random", "path")

COSINE = 0.97
"""Near-duplicates have embeddings at least so close, by the cosine."""
DISTANCE = 24
"""And fingerprints that differ in no more of their 128 bits: the same place with two detectors differs in about 20, other
places of the same sample in 30 and more, two pictures with nothing in common in about 64."""
MOST_TOGETHER = 30
"""No more pictures than this are compared by their fingerprints, and answered with one key: one slip stays a small one."""
AT_ONCE = 8192
"""Rows that are compared at a time, so that memory does not grow with the catalogue."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One content that a model has looked at.

    label, score, decision
        What the model said.
    doubt
        0: certain; 1: two answers are equally likely.
    embedding
        float16 vector of unit length.
    """

    sha256: str
    path: str
    label: str
    score: float
    decision: str
    doubt: float
    embedding: bytes = b""


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; None: whatever. Scores are from ``above`` and below ``below``."""

    label: str | None = None
    above: float | None = None
    below: float | None = None
    decision: str | None = None

    def passes(self, each: Waiting) -> bool:
        """Tell whether a picture is asked for."""
        return (
            (self.label is None or (each.label == self.label and each.decision != "none"))
            and (self.above is None or each.score >= self.above)
            and (self.below is None or each.score < self.below)
            and (self.decision is None or each.decision == self.decision)
        )


def doubt(chances: Sequence[float]) -> float:
    """Return how undecided chances are that add up to 1: 1 less the lead of the first over the second."""
    first, second = sorted(chances)[-1:-3:-1]
    return 1.0 - (first - second)


def ordered(found: Iterable[Waiting], order: Order) -> list[Waiting]:
    """Return what waits in the order in which it is asked; the same for the same pictures, however they came."""
    keys: dict[Order, Any] = {
        "uncertain": lambda each: (-each.doubt, each.sha256),
        "random": lambda each: shuffled(each.sha256, "review"),
        "path": lambda each: (each.path, each.sha256),
    }
    return sorted(found, key=keys[order])


def shuffled(sha256: str, salt: str) -> bytes:
    """Return a key that sorts contents at random, but tomorrow as today: a sample cannot be drawn again until it pleases."""
    return hashlib.sha256(f"{salt}\0{sha256}".encode()).digest()


def sample(contents: Iterable[str], size: int, salt: str) -> list[str]:
    """Return ``size`` contents (all, if there are fewer) drawn at random by ``shuffled``.

    A larger sample of the same contents begins with the smaller one.
    """
    return sorted(set(contents), key=lambda sha256: shuffled(sha256, salt))[:size]


def vectors(found: Sequence[Waiting]) -> NDArray[np.float16]:
    """Return the embeddings as rows; what has none is a row of zeros, close to nothing."""
    import numpy as np

    length = max((len(each.embedding) for each in found), default=0)
    rows = np.zeros((len(found), max(1, length // 2)), np.float16)
    for number, each in enumerate(found):
        if each.embedding and len(each.embedding) == length:
            rows[number] = np.frombuffer(each.embedding, np.float16)
    return rows


def close(rows: NDArray[np.float16], number: int, *, cosine: float = COSINE) -> Iterator[int]:
    """Yield the numbers of the rows (unit vectors) that are as close to row ``number`` as near-duplicates, closest first."""
    import numpy as np

    mine = rows[number].astype(np.float32)
    parts = [rows[start : start + AT_ONCE].astype(np.float32) @ mine for start in range(0, len(rows), AT_ONCE)]
    nearness = np.concatenate(parts)
    near = np.flatnonzero(nearness >= cosine)  # what is no number is near nothing
    yield from (int(other) for other in near[np.argsort(-nearness[near], kind="stable")] if other != number)


def candidates(found: Sequence[Waiting], rows: NDArray[np.float16], number: int, passed: Collection[int]) -> list[int]:
    """Return the numbers of what may be near-duplicates of picture ``number``: of its own folder first, closest first.

    A series lies in one folder, and among 150,000 pictures many are close by chance. ``passed`` are left out.
    """
    folder = found[number].path.rpartition(os.sep)[0]
    near = [other for other in close(rows, number) if other not in passed]
    near.sort(key=lambda other: found[other].path.rpartition(os.sep)[0] != folder)  # a stable sort
    return near[:MOST_TOGETHER]


def is_same(one: int | None, other: int | None, *, distance: int = DISTANCE) -> bool:
    """Tell whether two fingerprints are of the same picture; one that could not be taken is like no other."""
    return one is not None and other is not None and (one ^ other).bit_count() <= distance
