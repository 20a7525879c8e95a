"""What stands beside a measurement's preview: its picture as it was made, where a browser can draw that, and similar ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli.node.callers import Caller
from nffa_cli.node.pages import cards, showing
from nffa_cli.node.similar import Similar

SIMILAR = 6
"""Similar pictures that a page shows."""
LARGEST = 32 << 20
"""Bytes of an original that a browser is given to draw,"""
PIXELS = 64 << 20
"""and so many pixels, as its record tells them."""
PREVIEW = 512
"""Pixels of the longest side of a preview: what has more can be seen closer."""


@dataclass(frozen=True, slots=True)
class Original:
    """A picture as it was made, in pixels; ``asset``: the file that a browser can draw (None: there is none for it)."""

    width: int
    height: int
    asset: str | None


def original(files: Sequence[Mapping[str, Any]], document: Mapping[str, Any] | None) -> Original | None:
    """Return the picture that a preview was made from; None: it has no more pixels, or nobody said how many.

    Parameters
    ----------
    files
        What the viewer may read of the measurement.
    document
        Its whole record: the node opens no data file, and takes what this says for what it is, a claim.
    """
    size = showing.plane(document)
    if size is None or max(size) <= PREVIEW:
        return None
    is_safe = size[0] * size[1] <= PIXELS
    drawn = (
        each["id"] for each in files
        if is_safe and each["role"] == "main" and each["state"] == "available"
        and each.get("mediaType") in cards.PICTURES and each["dataSize"] <= LARGEST
    )  # fmt: skip
    return Original(*size, next(drawn, None))


def alike(
    connection: sa.Connection, caller: Caller, measurement: str, similar: Similar, now: str
) -> tuple[list[cards.Card], dict[str, str]]:
    """Return the cards of similar pictures that the viewer may read, and how alike each is, by its id."""
    _, near = similar.to(connection, caller, measurement, now=now, limit=SIMILAR)
    found = cards.cards(connection, caller, [each.row for each in near], now)
    return found, {each.row.id: f"{each.cosine:.0%} alike" for each in near}
