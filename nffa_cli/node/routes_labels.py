"""The route by which labels go back to who delivered: what persons answered here of the caller's own measurements."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from nffa_cli.node import labels, paging
from nffa_cli.node.answers import Links
from nffa_cli.node.callers import Named
from nffa_cli.node.database import Database, database
from nffa_cli.node.requests import Base

router = APIRouter(tags=["labels"])
Known = Annotated[Database, Depends(database)]


class Given(BaseModel):
    """What a person said; rows are never changed. ``labeller``: the name, where the caller may know it.

    ``undo`` takes back what this person said of it before. ``sha256`` is of the main file that was shown.
    """

    id: str
    measurementId: str
    sha256: str
    answer: Literal["label", "none", "unclear", "undo"]
    label: str | None
    second: str | None
    how: Literal["looked", "duplicate"]
    personId: str
    labeller: str | None
    at: str
    modelSha256: str | None
    predicted: str | None


class Feed(BaseModel):
    """What was said, oldest first; ``since``: where to go on the next time."""

    items: list[Given]
    links: Links
    since: str | None


@router.get("/labels", summary="What persons answered of your measurements", response_model=Feed)
def labels_since(
    asking: Named,
    known: Known,
    base: Base,
    since: Annotated[str | None, Query(max_length=500, description="From the answer before")] = None,
    limit: Annotated[int, Query(ge=1, le=paging.MOST)] = paging.USUAL,
) -> dict[str, Any]:
    """Tell what persons answered at the review desk of the measurements that the caller delivered, in the order it was said."""
    with known.read() as connection:
        rows, is_more = labels.fed(connection, asking, _place(since), limit)
    last = paging.written((rows[-1].seq, rows[-1].id)) if rows else since
    more = f"{base}/labels?{urlencode({'since': last, 'limit': limit})}" if is_more else None
    return {"items": [_told(row) for row in rows], "links": {"next": more}, "since": last}


def _place(since: str | None) -> tuple[int, str] | None:
    """Return number and id of the row that a client has last; one that was made up means the start."""
    found = paging.read(since) if since else ()
    is_ours = len(found) == 2 and isinstance(found[0], int) and isinstance(found[1], str)
    return (found[0], found[1]) if is_ours else None


def _told(row: sa.Row[Any]) -> dict[str, Any]:
    name = (
        None
        if row.family_name is None
        else " ".join(filter(None, ((row.about or {}).get("givenName"), row.family_name)))
    )
    return {
        "id": row.id, "measurementId": row.measurement, "sha256": row.sha256, "answer": row.answer, "label": row.label,
        "second": row.second, "how": row.how, "personId": row.person, "labeller": name, "at": row.at,
        "modelSha256": row.model, "predicted": row.predicted,
    }  # fmt: skip
