"""Routes of finding and handing on: search with facets, and measurements in other people's forms."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from nffa_cli.node import access, describing, exports, moments, nxem, search, words
from nffa_cli.node.callers import Asking
from nffa_cli.node.config import Config, config
from nffa_cli.node.contract import Day
from nffa_cli.node.database import Database, database
from nffa_cli.node.paging import Pages
from nffa_cli.node.requests import Base
from nffa_cli.node.similar import Similar, similar
from nffa_cli.node.storage import Storage, storage

router = APIRouter(tags=["search"])
Known = Annotated[Database, Depends(database)]
Value = Annotated[str | None, Query(max_length=1000)]
Volts = Annotated[float | None, Query(ge=-1e9, le=1e9, allow_inf_nan=False)]


def asked(
    q: Annotated[str, Query(max_length=1000, description='Words, all of them: `gold "two words" nano*`')] = "",
    type: Annotated[Literal["measurement", "calculation", "simulation"] | None, Query(description="Its kind")] = None,
    facility: Value = None,
    instrument: Annotated[str | None, Query(max_length=1000, description="Its id or its name")] = None,
    technique: Value = None,
    sample: Value = None,
    category: Value = None,
    format: Value = None,
    voltage_min: Annotated[Volts, Query(alias="voltageMin", description="V")] = None,
    voltage_max: Annotated[Volts, Query(alias="voltageMax", description="V")] = None,
    from_: Annotated[Day | None, Query(alias="from", description="Start at or after")] = None,
    to: Annotated[Day | None, Query(description="Start before")] = None,
    open_only: Annotated[bool, Query(alias="openOnly", description="Only what everybody may read")] = False,
) -> search.Question:
    """Return what the query asks for (a FastAPI dependency)."""
    equal = {"kind": type, "technique": technique, "sample": sample, "category": category, "format": format}
    return search.Question(
        phrases=words.parsed(q),
        equal={name: value for name, value in equal.items() if value is not None},
        instrument=instrument,
        facility=facility,
        voltage=(voltage_min, voltage_max),
        start=(describing.moment(from_), describing.moment(to)),
        open_only=open_only,
    )


@router.get("/search", summary="Find measurements", response_model=None)
def find(
    question: Annotated[search.Question, Depends(asked)],
    asking: Asking,
    known: Known,
    pages: Pages,
    base: Base,
    sort: search.Sort = "recent",
    facets: bool = False,
) -> dict[str, Any]:
    """Find what holds all that is asked, newest first. Totals end at 10,000, facets are of the first 3,000, and both say so."""
    now = moments.now()
    with known.read() as connection:
        seen = search.look(
            connection, asking, question, now=now, limit=pages.limit, sort=sort, after=_after(pages.after, sort),
            facets=facets, count=pages.count,
        )  # fmt: skip
        page = seen.rows[: pages.limit]
        items = [_summary(row, question.phrases, base, now) for row in page]
        more = tuple(each or "" for each in search.place(page[-1], sort)) if len(seen.rows) > pages.limit else None
        found = pages.page(items, more, seen.total)
        if seen.total is not None:
            found["totalIsAtLeast"] = seen.total == search.COUNTED
        if facets:
            found["facets"] = seen.facets
    return found


@router.get("/measurements/{id}/export", summary="A measurement in another form", response_model=None)
def export(
    id: str,
    format: exports.Format | Literal["nxem"],
    request: Request,
    asking: Asking,
    known: Known,
    stored: Annotated[Storage, Depends(storage)],
    base: Base,
    settings: Annotated[Config, Depends(config)],
) -> Response:
    """Return what describes a measurement, made from what the caller may see of it.

    `nxem`: the file that was delivered, else one of metadata alone, which says so; 409 where neither is possible.
    """
    if format == "nxem":
        return nxem.answer(id, request, asking, known, stored)
    now = moments.now()
    with known.read() as connection:
        access.demand(connection, asking, "see", "measurement", id)
        held = exports.gathered(connection, asking, id, base=base, publisher=settings.name, now=now)
    made, media_type = exports.FORMS[format]
    return JSONResponse(made(held), media_type=media_type)


@router.get("/measurements/{id}/similar", summary="Measurements whose pictures are similar", response_model=None)
def alike(
    id: str,
    asking: Asking,
    known: Known,
    base: Base,
    seen: Annotated[Similar, Depends(similar)],
    limit: Annotated[int, Query(ge=1, le=50)] = 12,
) -> dict[str, Any]:
    """List what looks most alike to the model that saw this picture, among what the caller may read.

    `similarity` is the cosine of two embeddings, 0.5 at least; `model` (SHA-256) is null where no model saw the picture.
    """
    now = moments.now()
    with known.read() as connection:
        access.demand(connection, asking, "read", "measurement", id)
        model, near = seen.to(connection, asking, id, now=now, limit=limit)
    items = [_summary(each.row, (), base, now) | {"similarity": round(each.cosine, 4)} for each in near]
    return {"model": model, "items": items}


def _after(after: tuple[Any, ...] | None, sort: search.Sort) -> tuple[Any, ...] | None:
    """Return where to go on; a cursor of another sort, or one that was made up, goes on from the end."""
    if not after:
        return None
    seq = after[-1] if isinstance(after[-1], int) and 0 <= after[-1] < 2**31 else 0
    return (seq,) if sort == "recent" else (str(after[0]) or None, seq) if len(after) == 2 else (None, seq)


def _summary(row: sa.Row[Any], phrases: tuple[words.Phrase, ...], base: str, now: str) -> dict[str, Any]:
    """Return what a list of hits shows of a measurement."""
    data = row.data
    instrument = (data.get("instrument") or {}).get("instrumentName")
    told = {
        "measurementName": row.name,
        "measurementDescription": data.get("measurementDescription"),
        "sample": row.sample,
        "technique": row.technique,
        "category": row.category,
        "instrument": instrument,
        "format": row.format,
    }
    found: dict[str, Any] = {
        "id": row.id, "type": "measurement", "version": row.version, "kind": row.kind, "createdAt": row.created_at,
        "experimentId": row.experiment, "proposalId": row.proposal, "instrumentId": row.instrument, "startTime": row.start_time,
        "acceleratingVoltage": row.voltage, "isOpen": row.released_at <= now, "links": {"self": f"{base}/measurements/{row.id}"},
    } | told  # fmt: skip
    found = {name: value for name, value in found.items() if value is not None}
    return found | ({"highlight": words.highlight(told, phrases)} if phrases else {})
