"""What a person may say about a picture, as keys and as lines of a file; pure.

A key or a line becomes a ``Reply``; what it does is ``reviewing``'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from nffa_cli.errors import UsageError

Kind = Literal["accept", "label", "second", "none", "unclear", "undo", "skip", "apart", "quit", "help"]
"""What is meant: it is as predicted; it is ``label``; ``second`` applies beside what comes next; none of the categories; not
clear; take back what I said last; later; this picture apart from its near-duplicates; enough; which keys there are."""

KEYS: dict[str, Kind] = {
    "\r": "accept", "\n": "accept", "a": "accept", "n": "unclear", "x": "none", "u": "undo", "s": "skip", "d": "apart",
    "q": "quit", "?": "help",
}  # fmt: skip
NEW, SECOND = "c", "+"
"""Before the name of a category; before the key (or name) of a second one."""
DIGITS = "1234567890"
"""Key → first, second, … tenth category."""
LONGEST = 100
"""Characters of the name of a category."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    target
        SHA-256 or path of the picture that is meant; None: the one that was asked.
    """

    kind: Kind
    label: str | None = None
    second: str | None = None
    target: str | None = None
    note: str | None = None


def of_key(key: str, labels: Sequence[str]) -> Reply | None:
    """Return what a single key means; None: nothing (``NEW`` and ``SECOND`` need more)."""
    if key in KEYS:
        return Reply(KEYS[key])
    label = of_digit(key, labels)
    return Reply("label", label) if label else None


def of_digit(key: str, labels: Sequence[str]) -> str | None:
    """Return the category of a digit."""
    number = DIGITS.find(key) if len(key) == 1 else -1
    return labels[number] if 0 <= number < len(labels) else None


def of_line(line: str, labels: Sequence[str]) -> Reply:
    r"""Return what a line of a file of answers means: a key, ``c NAME``, ``+KEY`` or ``+NAME``, or a JSON object.

    An object has ``answer`` (a word of ``Kind``; not needed beside a ``label``), ``label``, ``second``, ``note``, and
    ``sha256`` or ``path`` of the picture that is meant.

    Raises
    ------
    UsageError
        It means nothing.
    """
    text = line.strip()
    if text.startswith("{"):
        return _of_object(text, labels)
    if text.startswith(SECOND):
        return Reply("second", second=_category(text[1:], labels))
    if text[:2].rstrip() == NEW and len(text) > 1:
        return Reply("label", name(text[1:], labels))
    reply = of_key(text, labels)
    if reply is None:
        raise UsageError(f"{text[:60]!r} is no answer", hint=HINT)
    return reply


HINT = f"a accepts; {DIGITS} a category; {NEW} NAME; {SECOND}KEY; n, x, u, s, d, q; or a JSON object"


def name(text: str, known: Iterable[str]) -> str:
    """Return the name of a category: as it is known, whatever its case, else as it was typed, blanks made one."""
    clean = " ".join(text.split())
    if not clean or len(clean) > LONGEST or not clean.isprintable():
        raise UsageError(f"{text[:60]!r} is no name of a category", hint=f"1 to {LONGEST} characters")
    if clean.casefold() in ("none", "unclear", "uncertain"):
        raise UsageError(f"{clean!r} has a meaning of its own", hint="answer x (none of these) or n (not clear)")
    return next((each for each in known if each.casefold() == clean.casefold()), clean)


def _category(text: str, labels: Sequence[str]) -> str:
    return of_digit(text.strip(), labels) or name(text, labels)


def _of_object(text: str, labels: Sequence[str]) -> Reply:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no JSON: {error}", hint=HINT) from error
    strange = sorted(set(given) - {"answer", "label", "second", "note", "sha256", "path"})
    if strange or not all(value is None or isinstance(value, str) for value in given.values()):
        raise UsageError(f"an answer has no {strange[0]!r}" if strange else "its values are texts", hint=HINT)
    kind = given.get("answer") or ("label" if given.get("label") else None)
    if kind not in get_args(Kind) or (kind == "label") != bool(given.get("label")):
        raise UsageError("an answer needs a label, or one of: " + ", ".join(get_args(Kind)), hint=HINT)
    label, second = (name(given[key], labels) if given.get(key) else None for key in ("label", "second"))
    if second is not None and kind not in ("accept", "label", "second"):
        raise UsageError(f"{kind!r} has no second category", hint=HINT)
    if kind == "second" and second is None:
        raise UsageError("'second' needs a second category", hint=HINT)
    return Reply(cast(Kind, kind), label, second, given.get("sha256") or given.get("path"), _note(given))


def _note(given: dict[str, Any]) -> str | None:
    note = given.get("note")
    if note and any("\ud800" <= sign <= "\udfff" for sign in note):
        raise UsageError(
            "the note holds half a character (a surrogate by itself)", hint="write it in UTF-8, or leave it out"
        )
    return note[:1000] if note else None
