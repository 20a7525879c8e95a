"""The review desk in a browser: one picture after the other, answered by a key or a button, and how far reviewers agree.

Every page is whole without a script; ``desk.js`` adds the terminal's keys and lets the next picture come without a new page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from nffa_cli import spreadsheet
from nffa_cli.classify import replies
from nffa_cli.errors import UsageError
from nffa_cli.node import access, agreeing, labels, moments, opinions, reviewing, tables
from nffa_cli.node.database import Database, database
from nffa_cli.node.labels import Said
from nffa_cli.node.pages import cards, render, sessions, showing
from nffa_cli.node.pages.sessions import Form, Viewer, Viewing
from nffa_cli.node.problems import Problem
from nffa_cli.node.reviewing import STATES, Wanted

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
PART = "x-nffa-part"
"""Header by which the script asks for the desk alone, without the page around it."""
GLANCE = (
    "instrument.model", "beam.accelerating_voltage", "optics.magnification", "optics.field_width",
    "optics.working_distance", "detector.name",
)  # fmt: skip
"""Terms that are shown of a picture, where they are known; as at the terminal."""
NEAR = 8
"""Near-duplicates that are shown as pictures."""


@router.get("/review")
def desk(request: Request, viewer: Viewing, known: Known) -> Response:
    """Ask the next picture; ``at``: this one, whoever has answered it."""
    if viewer.name is None:
        return sessions.to_sign_in(request)
    wanted, at, is_part = (
        reviewing.read(request.query_params),
        request.query_params.get("at", ""),
        PART in request.headers,
    )
    with known.read() as connection:
        told = _desk(connection, viewer, wanted, at, moments.now(), whole=not is_part)
    return render.page(request, viewer, "desk" if is_part else "review", title="Review", **told)


@router.post("/review/answer")
def answer(request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Keep an answer and ask the next picture."""
    wanted = _asked(given)
    pictures = [given.get("measurement", "")]
    if not given.get("alone"):
        pictures += [each for each in given.get("together", "").split(",") if each]
    now = moments.now()
    with known.write() as connection:
        access.demand(connection, viewer.caller, "write", "measurement", pictures[0])
        opinion = reviewing.opinion(connection, pictures[0])
        names = reviewing.categories(connection, viewer.caller, opinion, now) if opinion else []
        said = _said(given, opinion, names)
        labels.say(connection, viewer.caller, pictures, said, request_id=request.state.request_id)
    behind = {} if wanted.which != "mine" else {"after": pictures[0]}
    return _to(wanted.address(**behind))


@router.post("/review/undo")
def undo(request: Request, viewer: Viewing, known: Known, given: Form) -> Response:
    """Take the last answer of this session back and ask its picture again."""
    with known.write() as connection:
        since = sessions.begun(connection, viewer)
        pictures = labels.undo(
            connection, viewer.caller, given.get("batch", ""), since, request_id=request.state.request_id
        )
    return _to(_asked(given).address(at=pictures[0]))


@router.get("/review/agreement")
def agreement(request: Request, viewer: Viewing, known: Known) -> Response:
    """Show how far reviewers agree with each other and with the model."""
    if viewer.name is None:
        return sessions.to_sign_in(request)
    wanted = reviewing.read(request.query_params)
    with known.read() as connection:
        persons, pairs = agreeing.reviewers(connection, viewer.caller, wanted, moments.now())
    return render.page(
        request, viewer, "agreement", title="Agreement", persons=persons, pairs=pairs, wanted=wanted, words=_words
    )


@router.get("/review/labels.csv")
def summary(request: Request, viewer: Viewing, known: Known) -> Response:
    """Give what persons and the model say of each picture, as a table for a spreadsheet."""
    if viewer.name is None:
        return sessions.to_sign_in(request)
    wanted, now = reviewing.read(request.query_params), moments.now()

    def pages() -> Iterator[bytes]:
        yield ("\ufeff" + spreadsheet.rows([agreeing.COLUMNS])).encode()
        last, is_more = "", True
        while is_more:
            with known.read() as connection:
                rows, last = agreeing.summary(connection, viewer.caller, wanted, now, last)
            is_more = bool(last)
            yield spreadsheet.rows(rows).encode("utf-8", "replace")

    saved = {"Content-Disposition": 'attachment; filename="labels.csv"', "Cache-Control": "no-store", "Vary": "Cookie"}
    return StreamingResponse(pages(), media_type="text/csv; charset=utf-8", headers=saved)


def _desk(
    connection: sa.Connection, viewer: Viewer, wanted: Wanted, at: str, now: str, *, whole: bool
) -> dict[str, Any]:
    caller = viewer.caller
    before = labels.last(connection, caller, sessions.begun(connection, viewer))
    told: dict[str, Any] = {
        "wanted": wanted, "states": STATES, "last": before, "progress": reviewing.progress(connection, caller, wanted, now),
        "facets": reviewing.facets(connection, caller, wanted, now) if whole else {}, "said": _told,
    }  # fmt: skip
    following = reviewing.ahead(connection, caller, wanted, now, limit=2)
    opinion = following[0] if following else None
    if at:
        access.demand(connection, caller, "write", "measurement", at)
        opinion = reviewing.opinion(connection, at)
    if opinion is None:
        return told | {"picture": None}
    row, experiment, document = _measurement(connection, opinion.measurement)
    near = reviewing.together(connection, caller, opinion, wanted, now)
    shown = [opinion.measurement, *near[:NEAR], *(each.measurement for each in following[1:])]
    previews = cards.previews(connection, caller, shown, now)
    of = tables.measurement.c
    names = {each.id: each.name for each in connection.execute(sa.select(of.id, of.name).where(of.id.in_(near)))}
    categories = reviewing.categories(connection, caller, opinion, now)
    holds = labels.hold(connection, [row.id]).get(row.id, [])
    terms = (document or {}).get("terms")
    glance = {name: terms[name] for name in GLANCE if name in terms} if isinstance(terms, Mapping) else {}
    return told | {
        "picture": cards.card(row, previews.get(row.id), now), "opinion": opinion, "experiment": experiment,
        "scale": showing.scale(document), "terms": [each for _, rows in showing.terms({"terms": glance}, {}) for each in rows],
        "predicted": opinions.predicted(opinion.decision, opinion.label), "scores": dict(opinion.scores),
        "keys": list(zip(replies.DIGITS, categories, strict=False)), "others": categories[len(replies.DIGITS) :],
        "together": near, "near": [(each, names.get(each, ""), previews.get(each)) for each in near[:NEAR]],
        "next": next((previews[each.measurement] for each in following[1:] if each.measurement in previews), None),
        "holds": _holds(connection, viewer, holds, now),
    }  # fmt: skip


def _measurement(connection: sa.Connection, id: str) -> tuple[sa.Row[Any], sa.Row[Any], Any]:
    of, document = tables.measurement, tables.document.c
    row = connection.execute(of.select().where(of.c.id == id)).one()
    experiment = connection.execute(tables.experiment.select().where(tables.experiment.c.id == row.experiment)).one()
    body = sa.select(document.body).where(document.measurement == id, document.schema == opinions.DOCUMENT)
    return row, experiment, connection.execute(body).scalar()


def _holds(
    connection: sa.Connection, viewer: Viewer, holds: Sequence[sa.Row[Any]], now: str
) -> list[tuple[str, str, str]]:
    """Return who said what, when; nothing as long as the viewer has not answered, so that nobody goes along with others."""
    if not any(row.person == viewer.caller.person for row in holds):
        return []
    names = agreeing.names_of(connection, viewer.caller, {row.person for row in holds}, now)
    return [
        ("you" if row.person == viewer.caller.person else names.get(row.person, agreeing.SOMEBODY), _told(row), row.at)
        for row in holds
    ]


def _asked(given: Mapping[str, str]) -> Wanted:
    """Return which pictures a form was about."""
    return reviewing.read(dict(parse_qsl(given.get("asked", ""), max_num_fields=20)))


def _said(given: Mapping[str, str], opinion: sa.Row[Any] | None, names: Sequence[str]) -> Said:
    """Return what a form says.

    Raises
    ------
    Problem
        422: it says nothing that can be kept.
    """
    try:
        second = replies.name(given["second"], names) if given.get("second") else None
        if given.get("label"):
            return Said("label", replies.name(given["label"], names), second)
        kind = given.get("answer")
        if kind == "new":
            return Said("label", replies.name(given.get("new", ""), names), second)
    except UsageError as error:
        raise Problem(422, "Invalid request", f"{error.what}" + (f": {error.hint}" if error.hint else "")) from None
    if kind == "accept":
        model = opinions.predicted(opinion.decision, opinion.label) if opinion else None
        if model is None:
            raise Problem(422, "Invalid request", "no model has said anything that could be accepted")
        return Said("none") if model == "none" else Said("label", model, second)
    if kind in ("none", "unclear"):
        return Said("none" if kind == "none" else "unclear")
    raise Problem(422, "Invalid request", "this is no answer")


def _told(row: Any) -> str:
    """Return an answer in words."""
    if row.answer == "none":
        return "none of these"
    if row.answer == "unclear":
        return "not clear"
    return f"{row.label} and {row.second}" if row.second else str(row.label)


def _words(share: Any) -> str:
    """Return how often two agree, in words."""
    if not share.n:
        return "–"
    kappa = "" if share.kappa is None else f", kappa {share.kappa:.2f}"
    return f"{share.same} of {share.n} ({share.share:.0%}{kappa})"


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, render.HEADERS)
