"""How far persons at the review desk agree, with each other and with the model, and the summary of what they said.

Only what a person looked at counts, as in ``nffa model report``. A person whom the caller may not know has no name here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from nffa_cli.classify.agreement import Agreement, agreement, consensus
from nffa_cli.node import access, labels, opinions, reviewing, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.reviewing import Wanted

MOST = 50_000
"""Pictures with answers that figures are made of."""
PAGE = 500
SOMEBODY = "somebody"
COLUMNS = (
    "label", "path", "sha256", "second", "labeller", "how", "at", "answers", "measurement", "experiment", "proposal",
    "predicted", "score", "decision",
)  # fmt: skip
"""Of the summary; the first seven as ``nffa review export`` writes them."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person's answers. ``model``: how far they and the model agree, where they found it clear."""

    name: str
    looked: int
    unclear: int
    none: int
    model: Agreement


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons, and how far they agree on what both looked at."""

    one: str
    other: str
    both: Agreement


def reviewers(connection: sa.Connection, caller: Caller, wanted: Wanted, now: str) -> tuple[list[Reviewer], list[Pair]]:
    """Return who has answered of the pictures that the caller may label, most answers first, and each pair of them."""
    by_picture: dict[str, list[sa.Row[Any]]] = {}
    last = ""
    while (page := reviewing.pages(connection, caller, wanted, now, after=last, limit=PAGE, judged=True)) and (
        len(by_picture) < MOST
    ):
        last = page[-1].measurement
        by_picture |= labels.hold(connection, [row.measurement for row in page])
    mine: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    both: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for rows in by_picture.values():
        seen = sorted((row for row in rows if row.how == "looked"), key=lambda row: str(row.person))
        for row in seen:
            mine[row.person].append(row)
        for one, other in combinations(seen, 2):
            both[one.person, other.person].append((_category(one), _category(other)))
    names = numbered(names_of(connection, caller, mine, now), sorted(mine, key=lambda each: (-len(mine[each]), each)))
    found = [_reviewer(names[person], mine[person]) for person in names]
    pairs = [Pair(names[one], names[other], agreement(said)) for (one, other), said in both.items()]
    return found, sorted(pairs, key=lambda pair: (-pair.both.n, pair.one, pair.other))


def names_of(connection: sa.Connection, caller: Caller, persons: Iterable[str], now: str) -> dict[str, str]:
    """Return the names of those persons whom the caller may know."""
    of = tables.person
    query = sa.select(of.c.id, of.c.family_name, of.c.data).where(of.c.id.in_(list(persons)))
    rows = connection.execute(query.where(access.seen(caller, now, "person")))
    return {row.id: " ".join(filter(None, (row.data.get("givenName"), row.family_name))) for row in rows}


def numbered(names: Mapping[str, str], persons: Sequence[str]) -> dict[str, str]:
    """Return a name for each person, in their order; those without one, and namesakes, are told apart by numbers."""
    found: dict[str, str] = {}
    for person in persons:
        name = base = names.get(person, SOMEBODY)
        while name in found.values():
            name = f"{base} ({sum(each.partition(' (')[0] == base for each in found.values()) + 1})"
        found[person] = name
    return found


def summary(connection: sa.Connection, caller: Caller, wanted: Wanted, now: str, after: str) -> tuple[list[Any], str]:
    """Return a page of the summary, one row of ``COLUMNS`` a picture, and where the next begins; empty: there is none."""
    page = reviewing.pages(connection, caller, wanted, now, after=after, limit=PAGE)
    ids = [row.measurement for row in page]
    held, asset = labels.hold(connection, ids), tables.asset.c
    files = sa.select(asset.measurement, asset.relative_path, asset.sha256).where(asset.measurement.in_(ids))
    main = {row.measurement: row for row in connection.execute(files.where(asset.role == "main"))}
    names = names_of(connection, caller, {row.person for rows in held.values() for row in rows}, now)
    rows = [_line(row, held.get(row.measurement, []), main.get(row.measurement), names) for row in page]
    return rows, ids[-1] if len(ids) == PAGE else ""


def _line(row: sa.Row[Any], answers: Sequence[sa.Row[Any]], main: Any, names: Mapping[str, str]) -> list[Any]:
    sent = row.data.get("category") or {}
    said = consensus(_category(each) for each in answers)
    chosen = [each for each in answers if _category(each) == said]
    seconds = {each.second for each in chosen if each.second}
    label, how, at = said, min((each.how for each in chosen), key=("looked", "duplicate").index, default=None), None
    if answers:
        at = (chosen or answers)[-1].at
    elif row.by_person:
        label, how, at = sent.get("label"), "delivered", row.said_at
    return [
        label, main.relative_path if main else row.name, main.sha256 if main else None,
        next(iter(seconds)) if len(seconds) == 1 else None,
        "; ".join(sorted(names.get(each.person, SOMEBODY) for each in chosen)), how, at,
        "; ".join(sorted(map(_category, answers))), row.measurement, row.experiment_name, row.proposal_id,
        opinions.predicted(row.decision, row.label), row.score, row.decision,
    ]  # fmt: skip


def _reviewer(name: str, rows: Sequence[sa.Row[Any]]) -> Reviewer:
    said = Counter(row.answer for row in rows)
    clear = [row for row in rows if row.answer != "unclear" and row.predicted]
    # as in `nffa model report`: naming the prediction second is agreeing, too
    pairs = [(row.predicted, row.predicted if row.predicted == row.second else _category(row)) for row in clear]
    return Reviewer(name, len(rows), said["unclear"], said["none"], agreement(pairs))


def _category(row: sa.Row[Any]) -> str:
    return str(row.label or row.answer)
