"""What senders say that a picture shows, as the review desk asks for it: columns from a delivery's record, and their rows.

Anybody may send anything there: what is not as nffa writes it is taken for not said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from nffa_cli.classify.replies import LONGEST
from nffa_cli.node import describing, tables

DOCUMENT = "nffa-record"
MOST = 100
"""Categories of one model that are kept."""
UNKNOWN = -1.0
"""Urgency of what no model has said how sure it is: asked last."""
DECISIONS = ("accepted", "uncertain", "none")
FINGERPRINT = re.compile(r"[0-9a-f]{32}")


def put(connection: sa.Connection, delivered: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what deliveries say; ``delivered``: measurement → item of the manifest.

    ``labels.settle`` is for those with answers that were given here.
    """
    if delivered:
        of = tables.opinion
        gone = of.delete().where(of.c.measurement == sa.bindparam("of"))
        connection.execute(gone, [{"of": each} for each in delivered])
        rows = [{"measurement": measurement, **columns(item)} for measurement, item in delivered.items()]
        connection.execute(of.insert(), rows)


def columns(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of what one item says: by its record, else by the category of its measurement."""
    seen = _held(_held(_held(item.get("documents")).get(DOCUMENT)).get("classification"))
    persons = seen.get("persons")
    last = _held(persons[-1]) if isinstance(persons, list) and persons else {}
    category = _held(item["measurement"].get("category"))
    by_person = bool(last) or category.get("by") == "person"
    model = _held(seen.get("model")) or ({} if by_person else category)
    doubt = _share(model.get("doubt"))
    decision = model.get("decision")
    fingerprint = seen.get("fingerprint")
    said_at = last.get("at")
    return {
        "model": _text(model.get("model_sha256")),
        "label": _text(model.get("label")),
        "score": _share(model.get("score")),
        "decision": decision if decision in DECISIONS else None,
        "urgency": UNKNOWN if doubt is None else doubt,
        "scores": _scores(model.get("scores")),
        "fingerprint": fingerprint if isinstance(fingerprint, str) and FINGERPRINT.fullmatch(fingerprint) else None,
        "by_person": by_person,
        "said_at": describing.moment(said_at) if isinstance(said_at, str) else None,
        "judged": by_person,
    }


def predicted(decision: str | None, label: str | None) -> str | None:
    """Return what a model says, ``none`` where it says none of its categories; None: there is no model's opinion."""
    return None if decision is None else "none" if decision == "none" else label


def _held(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST else None


def _share(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) and 0 <= value <= 1 else None


def _scores(value: Any) -> list[tuple[str, float]]:
    found = []
    for each in value[:MOST] if isinstance(value, Sequence) and not isinstance(value, str) else ():
        label, score = _text(_held(each).get("label")), _share(_held(each).get("score"))
        if label is not None and score is not None:
            found.append((label, score))
    return found
