"""Figures of pictures that nothing was learned from: all together, those beyond doubt, and each series for itself."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def figures(
    place: Path,
    sources: Sequence[str],
    right: NDArray[np.bool_],
    report: Callable[[NDArray[np.intp]], dict[str, Any]],
) -> dict[str, Any]:
    """Return the figures of the pictures of a folder per category, or of a list of labels.

    Parameters
    ----------
    sources
        Their files, relative to a folder; there a series is a folder and the first word of the file's name.
    right
        (N,) whether what was said is right.
    report
        Gives the figures of some of the pictures, by their numbers.
    """
    result = report(np.arange(len(sources)))
    clear = _clear(place)
    if rows := [n for n, source in enumerate(sources) if source in clear]:
        only = report(np.array(rows, np.intp))
        result["clear"] = {key: only.get(key) for key in ("n", "accuracy", "balanced_accuracy", "macro_f1")}
    if not place.is_dir():
        return result
    series: dict[str, list[int]] = {}
    for n, source in enumerate(sources):
        series.setdefault(f"{source.partition('/')[0]}/{Path(source).stem.partition('_')[0]}", []).append(n)
    result["series"] = {
        name: {"n": len(rows), "right": int(right[rows].sum())} for name, rows in sorted(series.items())
    }
    return result


def _clear(place: Path) -> set[str]:
    """Return the pictures whose label is beyond doubt, where a table ``MANIFEST.csv`` (file, confidence) says so."""
    path = place / "MANIFEST.csv"
    if not path.is_file():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        return {row["file"] for row in csv.DictReader(file) if row.get("file") and row.get("confidence") == "clear"}
