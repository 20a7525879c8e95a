"""What is to be delivered, and why: a pure comparison of what the catalogue knows now with what was sent last.

It opens no file and asks no destination; ``syncing`` does what is decided here. Every input of a bundle has its part in the
token, so that a changed one is noticed without making the bundle, and can be named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from os.path import basename
from typing import Literal, NamedTuple

from nffa_cli.catalogue.outbox import Candidate

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
    """

    crosswalks: Mapping[str, str]
    outward: str
    proposal: str | None = None
    experiment: str | None = None
    link: bool = False


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
}
_TRY_AGAIN = {"sending": "interrupted", "failed": "failed-before", "refused": "refused-before", "again": "again"}


def due(candidate: Candidate, context: str | None, knowledge: Knowledge) -> Decision:
    """Return what is to be done about one acquisition at one destination.

    Parameters
    ----------
    context
        Digest of what session files and profiles say of its folder now.
    """
    stub = candidate.stub
    proposal = knowledge.proposal or (stub.proposal if stub else None)
    experiment = knowledge.experiment or (stub.experiment if stub else None)
    token = _token(candidate, context, knowledge, (proposal, experiment))

    def decided(action: Action, reason: str) -> Decision:
        return Decision(action, reason, str(token), proposal, experiment)

    if stub is None:
        return decided("send", "new")
    if stub.state == "dropped":
        return decided("nothing", "dropped")
    if stub.state in _TRY_AGAIN:
        return decided("send", _TRY_AGAIN[stub.state])
    if stub.token != str(token):
        return decided("send", _why(stub.token, token) if stub.state == "done" else "new")
    if stub.state in ("waiting", "conflict"):
        return decided("wait", stub.reason or stub.state)
    return decided("nothing", "unchanged")


def _token(
    candidate: Candidate, context: str | None, knowledge: Knowledge, said: tuple[str | None, str | None]
) -> Token:
    name = basename(candidate.path)  # noqa: PTH119
    return Token(
        content=_short(candidate.digest, name, candidate.made),
        session=_short(context),
        crosswalk=_short(knowledge.crosswalks.get(candidate.format), knowledge.outward),
        label=_short(candidate.opinions),
        nxem=_short(candidate.exports),
        preview=_short(candidate.preview),
        options=_short(*said, "link" if knowledge.link else "", candidate.path if knowledge.link else ""),
    )


def _why(before: str, now: Token) -> str:
    """Return which parts differ from what was sent."""
    was = before.split(".")
    if len(was) != len(now):
        return "changed"
    parts = [_CHANGED[name] for name, old, new in zip(Token._fields, was, now, strict=True) if old != new]
    return ", ".join(parts)


def _short(*parts: str | None) -> str:
    text = "\0".join(part or "" for part in parts)
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
