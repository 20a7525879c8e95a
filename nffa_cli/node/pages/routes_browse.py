"""Pages of many things: the search, proposals, one proposal, one experiment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from nffa_cli.node import access, collecting, history, moments, paging, records, releasing, resources, search, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.database import Database, database
from nffa_cli.node.pages import asking, cards, render, routes_edit, routes_embargo, showing
from nffa_cli.node.pages.sessions import Viewing
from nffa_cli.node.problems import Problem
from nffa_cli.node.resources import Desk
from nffa_cli.node.rights import CREATORS, Level

router = APIRouter(include_in_schema=False)
Known = Annotated[Database, Depends(database)]
PAGE = 48
"""Measurements of one page."""
PROPOSAL, EXPERIMENT = (records.BY_TYPE[name] for name in ("proposal", "experiment"))


@router.get("/")
def find(request: Request, viewer: Viewing, known: Known) -> Response:
    """Show what is found, all of it at first, newest first."""
    asked, wrong = asking.read(request.query_params)
    question, now = asked.question(), moments.now()
    sort: search.Sort = "started" if asked.sort else "recent"
    after = _after(request.query_params.get("cursor"), sort)
    with known.read() as connection:
        seen = search.look(
            connection, viewer.caller, question, now=now, limit=PAGE, sort=sort, after=after, facets=True
        )
        rows, counted = seen.rows, seen.facets or {}
        found = cards.cards(connection, viewer.caller, rows[:PAGE], now)
        chips = list(_chips(connection, viewer.caller, asked, now))
    more = None
    if len(rows) > PAGE:
        joint = "&" if asked.said() else "?"
        more = f"{asked.address()}{joint}cursor={paging.written(search.place(rows[PAGE - 1], sort))}"
    return render.page(
        request, viewer, "search", title=asked.q or "Measurements", asked=asked, cards=found, more=more, wrong=wrong,
        facets=asking.facets(asked, counted), counted=counted, chips=chips, later=after is not None,
    )  # fmt: skip


def _after(cursor: str | None, sort: search.Sort) -> tuple[Any, ...] | None:
    """Return where to go on; what is no cursor of ours begins anew."""
    try:
        found = paging.read(cursor[:500]) if cursor else ()
    except Problem:
        return None
    if len(found) != (1 if sort == "recent" else 2) or not isinstance(found[-1], int) or not 0 <= found[-1] < 2**31:
        return None
    return found if sort == "recent" else (str(found[0]) or None, found[1])


def _chips(connection: sa.Connection, caller: Caller, asked: asking.Asked, now: str) -> Iterator[tuple[str, str, str]]:
    """Yield (what, value, address without it) of all that narrows the hits."""
    for name, value in asked.filters().items():
        field = "from_" if name == "from" else name
        yield NAMES.get(name, name), _named(connection, caller, name, value, now), asked.address(**{field: ""})


NAMES = {"kvMin": "from kV", "kvMax": "to kV", "to": "until"}


def _named(connection: sa.Connection, caller: Caller, name: str, value: str, now: str) -> str:
    """Return the name of what an id means, where the caller sees it."""
    if name == "collection":
        return next((each.name for each in collecting.all_of(connection, caller) if each.id == value), value)
    if name not in ("proposal", "experiment"):
        return value
    table = PROPOSAL.table if name == "proposal" else EXPERIMENT.table
    title = table.c.title if name == "proposal" else table.c.name
    seen = access.seen(caller, now, "proposal" if name == "proposal" else "experiment")
    return connection.execute(sa.select(title).where(table.c.id == value, seen)).scalar() or value


@router.get("/proposals")
def proposals(request: Request, viewer: Viewing, known: Known) -> Response:
    """List the proposals that the viewer sees, by their number."""
    of, now = tables.proposal, moments.now()
    after = request.query_params.get("after", "")[:1000].replace("\0", "")
    with known.read() as connection:
        query = of.select().where(access.seen(viewer.caller, now, "proposal"), of.c.proposal_id > after)
        rows = connection.execute(query.order_by(of.c.proposal_id).limit(PAGE + 1)).all()
        counts = _counts(connection, viewer.caller, "proposal", [row.id for row in rows], now)
    items = [(row, showing.person(row.data.get("principalInvestigator")), counts.get(row.id, 0)) for row in rows[:PAGE]]
    more = rows[PAGE - 1].proposal_id if len(rows) > PAGE else None
    registers = bool(viewer.caller.roles & CREATORS["proposal"])
    return render.page(request, viewer, "proposals", title="Proposals", items=items, more=more, registers=registers)


@router.get("/proposals/{id}")
def proposal(id: str, request: Request, viewer: Viewing, known: Known) -> Response:
    """Show a proposal: who, what, its embargo in words, its experiments, its newest pictures."""
    now, of = moments.now(), tables.experiment
    with known.read() as connection:
        desk = Desk(connection, viewer.caller, "", None)
        row, level = resources.row_of(desk, PROPOSAL, id)
        said = resources.shown(desk, PROPOSAL, row, level)
        query = of.select().where(of.c.proposal == id, access.seen(viewer.caller, now, "experiment"))
        held = connection.execute(query.order_by(of.c.start_date.desc().nulls_last(), of.c.name)).all()
        counts = _counts(connection, viewer.caller, "experiment", [each.id for each in held], now)
        newest = _cards(connection, viewer.caller, {"proposal": id}, now, 12)
        opens = tables.measurement.c
        seen = sa.select(opens.released_at).where(opens.proposal == id, access.seen(viewer.caller, now))
        state = releasing.state(connection, "proposal", id)
        sentence = showing.proposal_embargo(state, connection.execute(seen).scalars().all(), now)
        members = list(_members(connection, viewer.caller, said.get("members", ()), now))
        rules = routes_embargo.rules(connection, viewer.caller, "proposal", id)
        events = history.events(connection, viewer.caller, "proposal", id)
    return render.page(
        request, viewer, "proposal", title=row.title, row=row, said=said, embargo=sentence, members=members, rules=rules,
        events=events,
        edits=routes_edit.edited("proposal", said) if level >= Level.WRITE else [],
        investigator=showing.person(said.get("principalInvestigator")), cards=newest,
        experiments=[(each, counts.get(each.id, 0)) for each in held],
    )  # fmt: skip


def _members(connection: sa.Connection, caller: Caller, members: Any, now: str) -> Iterator[tuple[str, str]]:
    """Yield name and role of each member whom the caller may know."""
    of = tables.person
    known = sa.select(of.c.id, of.c.family_name, of.c.data).where(access.seen(caller, now, "person"))
    wanted = known.where(of.c.id.in_([each["personId"] for each in members]))
    names = {row.id: showing.person(row.data | {"familyName": row.family_name}) for row in connection.execute(wanted)}
    for each in members:
        if each["personId"] in names:
            yield names[each["personId"]], _spaced(each["role"])


def _spaced(role: str) -> str:
    """Return a role as words: principal investigator."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in role)


@router.get("/experiments/{id}")
def experiment(id: str, request: Request, viewer: Viewing, known: Known) -> Response:
    """Show an experiment: when, with what, and its measurements."""
    now = moments.now()
    with known.read() as connection:
        desk = Desk(connection, viewer.caller, "", None)
        row, level = resources.row_of(desk, EXPERIMENT, id)
        said = resources.shown(desk, EXPERIMENT, row, level)
        of, registry = tables.proposal, tables.registry
        above = connection.execute(of.select().where(of.c.id == row.proposal)).one()
        wanted = said.get("instrumentIds") or []
        names = connection.execute(sa.select(registry.c.name).where(registry.c.id.in_(wanted))).scalars().all()
        held = _cards(connection, viewer.caller, {"experiment": id}, now, PAGE)
        count = _counts(connection, viewer.caller, "experiment", [id], now).get(id, 0)
        events = history.events(connection, viewer.caller, "experiment", id)
    return render.page(
        request, viewer, "experiment", title=row.name, row=row, said=said, above=above, instruments=names, cards=held,
        edits=routes_edit.edited("experiment", said) if level >= Level.WRITE else [],
        count=count, events=events,
    )  # fmt: skip


def _counts(connection: sa.Connection, caller: Caller, column: str, wanted: list[str], now: str) -> dict[str, int]:
    """Return how many measurements of each thing the caller sees."""
    of = tables.measurement.c
    query = sa.select(of[column], sa.func.count()).where(of[column].in_(wanted), access.seen(caller, now))
    return {row[0]: row[1] for row in connection.execute(query.group_by(of[column]))}


def _cards(connection: sa.Connection, caller: Caller, equal: dict[str, str], now: str, most: int) -> list[cards.Card]:
    rows = search.find(connection, caller, search.Question(equal=equal), now=now, limit=most)
    return cards.cards(connection, caller, rows[:most], now)
