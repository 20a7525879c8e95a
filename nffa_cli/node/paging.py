"""Lists, a page at a time: an opaque cursor that goes on after the last row, whatever was added or removed meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from nffa_cli.node.problems import Problem
from nffa_cli.node.requests import Base

MOST = 200
USUAL = 50


@dataclass(frozen=True, slots=True)
class Paging:
    """What a client asked of a list.

    after
        What the cursor holds: where the page before ended; None: from the start.
    count
        Whether to tell how many there are in all.
    """

    limit: int
    after: tuple[Any, ...] | None
    count: bool
    address: str

    def page(self, items: Sequence[Any], more: tuple[Any, ...] | None, total: int | None = None) -> dict[str, Any]:
        """Return the answer.

        Parameters
        ----------
        more
            Where this page ends, if there is another after it.
        """
        found: dict[str, Any] = {"items": list(items), "links": {"next": None}}
        if more is not None:
            joint = "&" if "?" in self.address else "?"
            found["links"]["next"] = f"{self.address}{joint}cursor={written(more)}"
        return found if total is None else found | {"total": total}


def written(place: tuple[Any, ...]) -> str:
    """Return a place in a list as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read(cursor: str) -> tuple[Any, ...]:
    """Return the place that a cursor means.

    Raises
    ------
    Problem
        400: it is none of ours.
    """
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, list) or not all(map(_may_be_ours, found)):
        raise Problem(400, "Bad cursor", "take the cursor from links.next of the page before")
    return tuple(found)


def _may_be_ours(value: Any) -> bool:
    """Tell whether every database can compare with a value of a cursor: a text without NUL and halves of pairs, or a number."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def paging(
    request: Request,
    base: Base,
    limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    count: bool = False,
) -> Paging:
    """Return what a client asked of a list (a FastAPI dependency)."""
    query = str(request.url.remove_query_params("cursor").query)
    address = base + request.url.path.removeprefix("/api/v1") + (f"?{query}" if query else "")
    return Paging(limit, read(cursor) if cursor else None, count, address)


Pages = Annotated[Paging, Depends(paging)]
