"""What the review desk asks next: pictures that the caller may label, the least sure first, and how far the work is.

As at the terminal (``nffa review``): what nobody has answered, or what only others have; two pictures are answered together
only when the embedding and the fingerprint of their previews both take them for the same, or their files are the same.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa

from nffa_cli.classify import waiting
from nffa_cli.node import access, labels, opinions, tables
from nffa_cli.node.callers import Caller

State = Literal["open", "second", "mine"]
STATES: Mapping[State, str] = {
    "open": "Nobody has answered", "second": "Only others have answered", "mine": "You have answered"
}  # fmt: skip
COUNTED = 1_000
"""Pictures that are counted at most: it is done anew after each answer."""
FACETED = 1_000
"""Pictures that the lists of categories and experiments are made of, the most urgent."""
COMPARED = 5_000
"""Pictures of an experiment whose fingerprints are compared."""
VALUES = 20
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures are asked, as the address has it; empty: whatever.

    category
        What the model says; ``none``: that it is none of its categories.
    after
        Id of a measurement: go on behind it.
    """

    state: str = ""
    category: str = ""
    experiment: str = ""
    proposal: str = ""
    after: str = ""

    @property
    def which(self) -> State:
        """Who must have answered."""
        return next((state for state in STATES if state == self.state), "open")

    def said(self) -> dict[str, str]:
        """Return what is asked for, as the address has it."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name))}

    def address(self, **changes: str) -> str:
        """Return the address of the desk with some of it different."""
        said = {name: value for name, value in (self.said() | changes).items() if value}
        return f"/review?{urlencode(said)}" if said else "/review"

    def path(self, name: str) -> str:
        """Return the address of something that is made of the same pictures."""
        return self.address(after="").replace("/review", f"/review/{name}", 1)


def read(said: Mapping[str, str]) -> Wanted:
    """Return what the query of an address asks for."""
    return Wanted(**{each.name: " ".join(said.get(each.name, "").split())[:LONGEST] for each in fields(Wanted)})


def ahead(connection: sa.Connection, caller: Caller, wanted: Wanted, now: str, *, limit: int = 1) -> list[sa.Row[Any]]:
    """Return the next pictures: rows of ``opinion``."""
    of = tables.opinion
    query = _pictures(caller, wanted, now)
    if wanted.after:
        place = connection.execute(sa.select(of.c.urgency).where(of.c.measurement == wanted.after)).scalar()
        if place is not None:
            beyond = sa.and_(of.c.urgency == place, of.c.measurement > wanted.after)
            query = query.where(of.c.urgency <= place, sa.or_(of.c.urgency < place, beyond))
    order = (of.c.urgency.desc(), of.c.measurement)
    return list(connection.execute(query.with_only_columns(of).order_by(*order).limit(limit)).all())


def opinion(connection: sa.Connection, measurement: str) -> sa.Row[Any] | None:
    """Return what was delivered of what a measurement shows."""
    return connection.execute(tables.opinion.select().where(tables.opinion.c.measurement == measurement)).one_or_none()


def together(connection: sa.Connection, caller: Caller, asked: sa.Row[Any], wanted: Wanted, now: str) -> list[str]:
    """Return the near-duplicates of the picture that is asked (a row of ``opinion``), closest first, of those still open."""
    open_too = Wanted(state=wanted.state)
    found = list(dict.fromkeys([*_same(connection, caller, asked, open_too, now),
                                *_close(connection, caller, asked, open_too, now)]))  # fmt: skip
    return found[: waiting.MOST_TOGETHER]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pictures there are, ``COUNTED`` at most; how many of them are answered (None: not counted), and by the caller."""

    pictures: int
    answered: int | None
    mine: int


def progress(connection: sa.Connection, caller: Caller, wanted: Wanted, now: str) -> Progress:
    """Return how far the work on these pictures is, whoever must have answered."""
    of, said = tables.opinion.c, tables.label.c
    whole = _pictures(caller, wanted, now, state=False)
    pictures = _count(connection, whole)
    mine = whole.join(tables.label, said.measurement == of.measurement).where(said.person == caller.person)
    mine = mine.where(labels.answered_by(caller.person, of.measurement))
    few = mine.with_only_columns(sa.func.count(said.measurement.distinct()))
    answered = _count(connection, whole.where(of.judged)) if pictures < COUNTED else None
    return Progress(pictures, answered, int(connection.execute(few).scalar_one()))


def facets(
    connection: sa.Connection, caller: Caller, wanted: Wanted, now: str
) -> dict[str, list[tuple[str, str, int]]]:
    """Return value, name and number for each category that the model says and each experiment, of what waits."""
    of, measurement, experiment = tables.opinion.c, tables.measurement.c, tables.experiment.c
    query = _pictures(caller, wanted, now).with_only_columns(of.label, of.decision, measurement.experiment)
    rows = connection.execute(query.order_by(of.urgency.desc(), of.measurement).limit(FACETED)).all()
    said = Counter(opinions.predicted(row.decision, row.label) for row in rows)
    held = Counter(row.experiment for row in rows)
    names = {
        row.id: row.name
        for row in connection.execute(sa.select(experiment.id, experiment.name).where(experiment.id.in_(held)))
    }
    categories = [(name, "none of these" if name == "none" else name, count) for name, count in said.items() if name]
    experiments = [(each, names[each], count) for each, count in held.items() if each in names]
    found = {"category": categories, "experiment": experiments}
    return {name: sorted(values, key=lambda each: (-each[2], each[1]))[:VALUES] for name, values in found.items()}


def categories(connection: sa.Connection, caller: Caller, asked: sa.Row[Any], now: str) -> list[str]:
    """Return the categories that an answer may name, as the keys count them: the model's, then those that persons added."""
    of, measurement = tables.opinion.c, tables.measurement
    scores = asked.scores
    if not scores:  # an older delivery, or none that a model has seen: as another picture of the same proposal has it
        alike = sa.select(of.scores).join(measurement, measurement.c.id == of.measurement)
        here = sa.select(measurement.c.proposal).where(measurement.c.id == asked.measurement).scalar_subquery()
        alike = alike.where(of.urgency > opinions.UNKNOWN, measurement.c.proposal == here, access.writable(caller, now))
        scores = connection.execute(alike.order_by(of.measurement.desc()).limit(1)).scalar() or []
    said = tables.label.c
    added = sa.select(said.label).join(measurement, measurement.c.id == said.measurement)
    known = [label for label, _ in scores]
    added = added.where(said.label.is_not(None), said.label.not_in(known), access.writable(caller, now))
    added = added.group_by(said.label).order_by(sa.func.min(said.seq))
    by_persons = connection.execute(added.limit(opinions.MOST)).scalars()
    return list(dict.fromkeys([*known, *by_persons]))


def pages(
    connection: sa.Connection, caller: Caller, wanted: Wanted, now: str, *, after: str, limit: int, judged: bool = False
) -> list[sa.Row[Any]]:
    """Return what a summary is made of, by id: opinions with ``name``, ``data``, ``experiment_name``, ``proposal_id``.

    ``judged``: only what somebody has answered.
    """
    of, measurement = tables.opinion, tables.measurement.c
    experiment, proposal = tables.experiment, tables.proposal
    query = _pictures(caller, wanted, now, state=bool(wanted.state)).where(of.c.measurement > after)
    query = query.where(of.c.judged) if judged else query
    query = query.join(experiment, experiment.c.id == measurement.experiment)
    query = query.join(proposal, proposal.c.id == measurement.proposal)
    told = (of, measurement.name, measurement.data, experiment.c.name.label("experiment_name"), proposal.c.proposal_id)
    return list(connection.execute(query.with_only_columns(*told).order_by(of.c.measurement).limit(limit)).all())


def _pictures(caller: Caller, wanted: Wanted, now: str, *, state: bool = True) -> sa.Select[Any]:
    """Return the query of the pictures that the caller may label."""
    of, measurement = tables.opinion, tables.measurement
    query = sa.select(of.c.measurement).join(measurement, measurement.c.id == of.c.measurement)
    return query.where(*_conditions(caller, wanted, now, state=state))


def _conditions(caller: Caller, wanted: Wanted, now: str, *, state: bool) -> Iterator[sa.ColumnElement[bool]]:
    of, measurement, asset = tables.opinion.c, tables.measurement.c, tables.asset.c
    if state:
        mine = labels.answered_by(caller.person, of.measurement)
        yield of.judged if wanted.which != "open" else sa.not_(of.judged)
        if wanted.which != "open":
            yield mine if wanted.which == "mine" else ~mine
    yield access.writable(caller, now)
    yield sa.exists().where(asset.measurement == of.measurement, asset.role == "preview", asset.state == "available")
    if wanted.category == "none":
        yield of.decision == "none"
    elif wanted.category:
        yield sa.and_(of.label == wanted.category, of.decision != "none")
    if wanted.experiment:
        yield measurement.experiment == wanted.experiment
    if wanted.proposal:
        yield measurement.proposal == wanted.proposal


def _count(connection: sa.Connection, query: sa.Select[Any]) -> int:
    some = query.with_only_columns(sa.literal(1)).limit(COUNTED).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def _same(connection: sa.Connection, caller: Caller, asked: sa.Row[Any], wanted: Wanted, now: str) -> list[str]:
    """Return the measurements whose main file has the same bytes."""
    mine, theirs, of = tables.asset.alias("mine").c, tables.asset.alias("theirs").c, tables.opinion.c
    own = sa.select(mine.sha256).where(mine.measurement == asked.measurement, mine.role == "main")
    alike = sa.select(theirs.measurement).where(theirs.sha256.in_(own), theirs.role == "main")
    query = _pictures(caller, wanted, now).where(of.measurement.in_(alike), of.measurement != asked.measurement)
    return list(connection.execute(query.order_by(of.measurement).limit(waiting.MOST_TOGETHER)).scalars())


def _close(connection: sa.Connection, caller: Caller, asked: sa.Row[Any], wanted: Wanted, now: str) -> list[str]:
    """Return the measurements of the same experiment that show the same place, closest first."""
    of, measurement, embedding = tables.opinion.c, tables.measurement.c, tables.measurement_embedding.c
    own = connection.execute(
        sa.select(embedding.model, embedding.vector).where(embedding.measurement == asked.measurement)
    ).one_or_none()
    if own is None or asked.fingerprint is None:
        return []
    here = sa.select(measurement.experiment).where(measurement.id == asked.measurement).scalar_subquery()
    query = _pictures(caller, wanted, now).with_only_columns(of.measurement, of.fingerprint)
    query = query.where(
        measurement.experiment == here, of.fingerprint.is_not(None), of.measurement != asked.measurement
    )
    mine = int(asked.fingerprint, 16)
    alike = [
        row.measurement
        for row in connection.execute(query.limit(COMPARED))
        if waiting.is_same(mine, int(row.fingerprint, 16))
    ]
    vectors = sa.select(embedding.measurement, embedding.vector).where(embedding.model == own.model)
    near = [
        (cosine, row.measurement)
        for row in connection.execute(vectors.where(embedding.measurement.in_(alike[:COUNTED])))
        if (cosine := _cosine(own.vector, row.vector)) >= waiting.COSINE
    ]
    return [name for _, name in sorted(near, key=lambda pair: (-pair[0], pair[1]))]


def _cosine(one: bytes, other: bytes) -> float:
    """Return the cosine between vectors of unit length, float16, little-endian; 0: they are of different lengths."""
    if len(one) != len(other):
        return 0.0
    a, b = (struct.unpack(f"<{len(each) // 2}e", each) for each in (one, other))
    return math.fsum(left * right for left, right in zip(a, b, strict=True))
