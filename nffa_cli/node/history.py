"""What was done to a proposal, experiment or measurement, by whom and when, as its page tells it; read from the audit.

Shown to those who may change the thing, and to data managers. Names of persons only where the caller may know them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, moments, tables
from nffa_cli.node.callers import Caller
from nffa_cli.node.rights import Type

SHOWN = 50
"""Events, the newest first."""
LONGEST = 2_000
"""Characters of a text that the audit keeps of what there was and is."""
TEXTS: Mapping[str, Mapping[str, str]] = {
    "proposal": {"proposalTitle": "title", "abstract": "abstract"},
    "experiment": {"experimentName": "name", "description": "description"},
    "measurement": {"measurementName": "name", "measurementDescription": "description"},
}
"""Type → fields of which the audit keeps what there was, and what they are called."""
DONE: Mapping[str, str] = {
    "create": "registered it", "update": "changed it", "import": "imported it", "embargo": "set the embargo",
    "lift": "opened it to everybody", "acl": "changed who may do what", "tag": "put a tag on", "untag": "took a tag off",
    "uncomment": "took a comment back", "deliver": "delivered something else of it",
    "lose": "lost the bytes of a file",
    "restore": "brought lost bytes again", "replace": "delivered other bytes", "withdraw": "withdrew a file",
    "delete": "removed it",
}  # fmt: skip
"""Action → what somebody did, in words; any other is told by its own name."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    who
        Family name; None: somebody whom the caller may not know, or the node itself.
    about
        What it was done with, in words; may be empty.
    texts
        (field, what it said before, what it says now).
    """

    at: str
    who: str | None
    what: str
    about: str
    texts: tuple[tuple[str, str, str], ...]


def texts(type: str, was: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit keeps of texts that are different now: field → ``was`` and ``is``; empty: of none."""
    found = {
        name: {"was": _cut(was.get(name)), "is": _cut(said.get(name))}
        for name in TEXTS.get(type, ())
        if was.get(name) != said.get(name)
    }
    return {"texts": found} if found else {}


def events(connection: sa.Connection, caller: Caller, type: Type, id: str) -> list[Event]:
    """Return what was done to a thing and to its files, the newest first; empty for whom it is not for."""
    if caller.person is None or not access.may(connection, caller, "history", type, id):
        return []
    of, person = tables.audit, tables.person
    files = sa.select(tables.asset.c.id).where(tables.asset.c.measurement == id)
    mine = sa.and_(of.c.type == type, of.c.resource == id)
    if type == "measurement":
        mine = sa.or_(mine, sa.and_(of.c.type == "dataasset", of.c.resource.in_(files)))
    known = sa.and_(person.c.id == of.c.actor, access.seen(caller, moments.now(), "person"))
    query = sa.select(of, person.c.family_name.label("who")).select_from(of.outerjoin(person, known))
    rows = connection.execute(query.where(mine).order_by(of.c.seq.desc()).limit(SHOWN))
    return [_event(row) for row in rows]


def _event(row: sa.Row[Any]) -> Event:
    diff = row.diff if isinstance(row.diff, Mapping) else {}
    told = tuple(_texts(row.type, diff.get("texts")))
    return Event(row.at, row.who, DONE.get(row.action, row.action), "; ".join(_about(row.type, diff, told)), told)


def _texts(type: str, held: Any) -> Iterator[tuple[str, str, str]]:
    for name, each in held.items() if isinstance(held, Mapping) else ():
        if isinstance(each, Mapping):
            yield TEXTS.get(type, {}).get(name, name), str(each.get("was") or ""), str(each.get("is") or "")


def _about(type: str, diff: Mapping[str, Any], told: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    """Yield what else an event says; never ids of persons."""
    called = TEXTS.get(type, {})
    shown = {name for name, _, _ in told}
    fields = [called.get(str(name), str(name)) for name in diff.get("fields") or ()]
    if others := [name for name in fields if name not in shown]:
        yield ", ".join(others)
    for name in ("name", "tag", "relativePath", "from", "crosswalk", "reason"):
        if isinstance(diff.get(name), str) and diff[name]:
            yield diff[name]
    if isinstance(until := diff.get("embargoUntil"), Mapping):
        yield f"last day {until.get('is') or 'as the policy says'}"


def _cut(value: Any) -> Any:
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value
