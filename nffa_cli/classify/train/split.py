"""Parting pictures into training, validation and test so that near-duplicates stay on one side; numpy only.

A near-duplicate is a picture whose thumbnail is almost another's: the same field again, with another bar, brightness or
size. A split that ignores them flatters (1.3 points of macro-F1 on the published set).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIDE = 24
"""Pixels of a thumbnail's side."""
ALIKE = 0.93
"""Cosine of two thumbnails (mean 0, length 1) from which two pictures are of one group."""
SHARES = (0.7, 0.15, 0.15)
"""Of training, validation and test."""


def groups(images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return (N,) numbers; near-duplicates share one."""
    thumbs = [thumbnail(image) for image in images]
    return alike(np.stack(thumbs) if thumbs else np.zeros((0, 1), np.float32), ALIKE)


def alike(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.int64]:
    """Return (N,) numbers; vectors of unit length that are so near, directly or over others, share one."""
    count = len(vectors)
    parents = np.arange(count)

    def root(n: int) -> int:
        while parents[n] != n:
            parents[n] = parents[parents[n]]
            n = int(parents[n])
        return n

    for start in range(0, count, 2048):
        near = vectors[start : start + 2048] @ vectors[start:].T >= cosine
        for a, b in np.argwhere(near):
            if b > a:
                parents[root(int(b) + start)] = root(int(a) + start)
    return np.array([root(n) for n in range(count)], np.int64)


def thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a picture as ``SIDE``² numbers of mean 0 and length 1; of an even one, zeros."""
    rows = np.linspace(0, image.shape[0], SIDE + 1).astype(int)
    columns = np.linspace(0, image.shape[1], SIDE + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float32), rows[:-1], axis=0), columns[:-1], axis=1)
    flat = (sums / (np.diff(rows)[:, None] * np.diff(columns)[None])).ravel()
    flat -= flat.mean()
    length = float(np.linalg.norm(flat))
    found: NDArray[np.float32] = (flat / length if length > 1.0 else np.zeros_like(flat)).astype(np.float32)
    return found


def split(
    labels: Sequence[str], grouped: NDArray[np.int64], *, seed: int, shares: Sequence[float] = SHARES
) -> list[NDArray[np.intp]]:
    """Return the rows of each part; each category is shared out by whole groups, the largest group first.

    A group whose pictures have several labels goes by its first; a category with few groups serves training first.
    """
    rng = np.random.default_rng(seed)
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(grouped.tolist()):
        members[group].append(row)
    by_label: dict[str, list[list[int]]] = defaultdict(list)
    for rows in members.values():
        by_label[labels[rows[0]]].append(rows)
    parts: list[list[int]] = [[] for _ in shares]
    for label in sorted(by_label):
        found = by_label[label]
        order = rng.permutation(len(found))
        total = sum(map(len, found))
        filled = [0] * len(shares)
        for n in sorted(order.tolist(), key=lambda n: -len(found[n])):
            lacking = [share * total - done for share, done in zip(shares, filled, strict=True)]
            part = int(np.argmax(lacking))
            parts[part].extend(found[n])
            filled[part] += len(found[n])
    return [np.sort(np.array(part, np.intp)) for part in parts]


def folds(labels: Sequence[str], grouped: NDArray[np.int64], *, count: int, seed: int) -> list[NDArray[np.intp]]:
    """Return the rows of ``count`` folds of about the same size, near-duplicates together."""
    return split(labels, grouped, seed=seed, shares=[1 / count] * count)
