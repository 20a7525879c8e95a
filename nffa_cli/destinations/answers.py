"""What a server said, made fit to be shown; which addresses are talked to; nothing here talks to any."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nffa_cli import spoken
from nffa_cli.errors import Refused, UsageError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")
"""What changes how a terminal shows the rest: controls, zero widths, changes of direction, halves of characters."""

SHORTEST = 8
"""A secret of fewer characters could be any word; it is not looked for in what servers say."""

HINTS = {
    401: "nffa login ADDRESS, or a token in NFFA_TOKEN",
    403: "the token is not allowed to do this: ask who gave it to you",
    413: "the destination takes no files of this size",
    507: "the destination has no space left, or your quota is used up",
}
"""What to do about a status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end; ``value``: its JSON, where that was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    where: str
    value: Any = None

    def problem(self) -> Mapping[str, Any]:
        """Return what the server says went wrong (RFC 9457, or the ``error`` of OAuth), or nothing."""
        with suppress(ValueError, RecursionError):
            found = json.loads(self.body)
            return found if isinstance(found, dict) else {}
        return {}


class Rejected(Refused):
    """An answer of 300 and above that trying again does not change; what was said is in its text."""

    def __init__(self, answer: Answer, *, hint: str | None = None) -> None:
        super().__init__(said(answer), where=answer.where, hint=hint or HINTS.get(answer.status))
        self.answer = answer
        self.status = answer.status


def clean(text: object, limit: int = 300) -> str:
    """Return what somebody else wrote, on one line, without control characters, cut to ``limit``."""
    line = UNSHOWN.sub(" ", str(text)).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def told(address: str) -> str:
    """Return somebody else's address as it may be shown: without what may be secret, on one line."""
    return clean(spoken.address(address))


def said(answer: Answer) -> str:
    """Return what a refusal says: its status, title and detail of the problem, and the first fields that are wrong."""
    problem = answer.problem()
    wrong = problem.get("errors")
    fields = [
        f"{each.get('pointer', '')} {each.get('message', '')}"
        for each in (wrong if isinstance(wrong, list) else [])[:3]
        if isinstance(each, dict)
    ]
    words = (problem.get("title"), problem.get("detail"), problem.get("error"), problem.get("error_description"))
    texts = dict.fromkeys(clean(text) for text in (*words, *fields) if text)
    return f"the server answers {answer.status}" + (f" ({': '.join(texts)})" if texts else "")


def origin(address: str) -> str:
    """Return scheme, host and port of an address that is safe to talk to: https, or http on this computer.

    Raises UsageError for any other, and for one that holds a name or a password.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("this is no address", where=told(address)) from None
    if "@" in parts.netloc:
        raise UsageError("an address must not hold a name or a password", where=clean(host), hint="nffa login ADDRESS")
    if not host or parts.scheme not in ("http", "https") or UNSHOWN.search(address) or "\\" in address:
        raise UsageError("this is no address that begins with https://", where=told(address))
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UsageError("only https is talked to; http only on this computer", where=told(address))
    named = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{named}" + (f":{port}" if port not in (None, usual) else "")


def silent(header: str | None) -> tuple[bytes, ...]:
    """Return what is secret in an Authorization header, in each form in which a server could repeat it."""
    kind, _, given = (header or "").partition(" ")
    found = {given}
    if kind == "Basic":
        with suppress(ValueError):
            pair = base64.b64decode(given).decode()
            found |= {pair, pair.partition(":")[2]}
    return tuple(each.encode() for each in sorted(found, key=len, reverse=True) if len(each) >= SHORTEST)


def authorisation(token: str) -> str:
    """Return the Authorization header of a token: ``name:password`` is HTTP Basic, all else a bearer token."""
    if ":" in token:
        return "Basic " + base64.b64encode(token.encode()).decode("ascii")
    return f"Bearer {token}"
