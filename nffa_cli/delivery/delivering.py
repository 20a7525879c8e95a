"""What is to be delivered, and why: a pure comparison of what the catalogue knows now with what was sent last.

It opens no file and asks no destination; ``syncing`` does what is decided here. Every input of a bundle has its part in the
token, so that a changed one is noticed without making the bundle, and can be named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from os.path import basename
from typing import Any, Literal, NamedTuple

from nffa_cli.catalogue.imports import Sent
from nffa_cli.catalogue.outbox import Candidate, Stub

NO_PROPOSAL = "no-proposal"

Action = Literal["send", "wait", "nothing"]


class Token(NamedTuple):
    """A digest of each thing that a bundle is made of, in the order in which a change is told."""

    content: str
    session: str
    crosswalk: str
    label: str
    nxem: str
    preview: str
    options: str
    portal: str

    def __str__(self) -> str:
        return ".".join(self)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What holds for all acquisitions of one run.

    crosswalks
        Digest of the inward one by format. ``outward``: of the outward one, with the version of the bundle.
    proposal, experiment
        What the command line says, for what no session names one.
    link
        Whether files stay where they are.
    proposals
        What the portal says of each proposal, by its number, as the model has it.
    told_by
        The node that is delivered to: what was answered there is not told to it again. None: everything is told.
    """

    crosswalks: Mapping[str, str]
    outward: str
    proposal: str | None = None
    experiment: str | None = None
    link: bool = False
    proposals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    told_by: str | None = None

    def said_of(self, proposal: str | None) -> str | None:
        """Return what the portal says of a proposal, as one text; None: nothing."""
        found = self.proposals.get(proposal or "")
        return None if found is None else json.dumps(found, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to send, and why; ``token`` is to be remembered with what becomes of it."""

    action: Action
    reason: str
    token: str
    proposal: str | None
    experiment: str | None


_CHANGED = {
    "content": "changed",
    "session": "session-changed",
    "crosswalk": "newer-crosswalk",
    "label": "label-changed",
    "nxem": "export-changed",
    "preview": "preview-changed",
    "options": "options-changed",
    "portal": "proposal-changed",
}
_TRY_AGAIN = {"sending": "interrupted", "failed": "failed-before", "refused": "refused-before", "again": "again"}


def due(candidate: Candidate, context: str | None, knowledge: Knowledge, *, named: str | None = None) -> Decision:
    """Return what is to be done about one acquisition at one destination.

    Parameters
    ----------
    context
        Digest of what session files and profiles say of its folder now.
    named
        The proposal that they name.
    """
    stub = candidate.stub
    proposal = knowledge.proposal or (stub.proposal if stub else None)
    experiment = knowledge.experiment or (stub.experiment if stub else None)
    token = _token(candidate, context, knowledge, (proposal, experiment), named or proposal)
    return Decision(*decided(stub, token), str(token), proposal, experiment)


def decided(stub: Stub | Sent | None, token: Token) -> tuple[Action, str]:
    """Return what is to be done, and why, from what was remembered of a delivery and what it would be made of now."""
    if stub is None:
        return "send", "new"
    if stub.state == "dropped":
        return "nothing", "dropped"
    if stub.state in _TRY_AGAIN:
        return "send", _TRY_AGAIN[stub.state]
    if stub.token != str(token):
        return "send", _why(stub.token, token) if stub.state == "done" else "new"
    if stub.state in ("waiting", "conflict"):
        return "wait", stub.reason or stub.state
    return "nothing", "unchanged"


def _token(
    candidate: Candidate, context: str | None, knowledge: Knowledge, said: tuple[str | None, str | None],
    proposal: str | None,
) -> Token:  # fmt: skip
    name = basename(candidate.path)  # noqa: PTH119
    return Token(
        content=short(candidate.digest, name, candidate.made),
        session=short(context),
        crosswalk=short(knowledge.crosswalks.get(candidate.format), knowledge.outward),
        label=short(candidate.opinions),
        nxem=short(candidate.exports),
        preview=short(candidate.preview),
        options=short(*said, "link" if knowledge.link else "", candidate.path if knowledge.link else ""),
        portal=short(knowledge.said_of(proposal)),
    )


def _why(before: str, now: Token) -> str:
    """Return which parts differ from what was sent."""
    was = before.split(".")
    if len(was) != len(now):
        return "changed"
    parts = [_CHANGED[name] for name, old, new in zip(Token._fields, was, now, strict=True) if old != new]
    return ", ".join(parts)


@lru_cache(maxsize=512)
def short(*parts: str | None) -> str:
    """Return a digest of texts, short enough to be kept for everything; most are of what thousands have in common."""
    text = "\0".join(part or "" for part in parts)
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
