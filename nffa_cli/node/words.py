"""Words of records and of questions, cut alike for both databases; pure. Nothing that anybody types is ever query syntax.

A text becomes words of letters and digits, without case and accents. So neither the tokenizer of SQLite nor the parser of
PostgreSQL, which takes ``a_1.tif`` for a host, has anything left to decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 60
"""Characters of a word that count."""
MOST = 20
"""Words that a question may have; more are left aside."""
INDEXED = 20_000
"""Words of one record that are indexed."""

_WORD = re.compile(r"[^\W_]+")
_ITEM = re.compile(r'"(?P<phrase>[^"]*)"(?P<star>\*?)|(?P<word>[^\s"]+)')
_UNSHOWN = ("operator.", "user.")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another; ``prefix``: the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


def words(text: str) -> list[str]:
    """Return the words of a text, as they are indexed."""
    bare = text
    if not text.isascii():
        bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return [word[:LONGEST] for word in _WORD.findall(bare.casefold())]


def parsed(question: str) -> tuple[Phrase, ...]:
    """Return what a question asks for: all of it must be there; ``"two words"`` as they stand, ``pre*`` beginnings."""
    found = []
    for item in _ITEM.finditer(question):
        text = item["word"] if item["phrase"] is None else item["phrase"]
        prefix = bool(item["star"]) or text.endswith("*")
        if held := tuple(words(text)):
            found.append(Phrase(held, prefix))
    return tuple(found[:MOST])


def fts5(phrases: Iterable[Phrase]) -> str:
    """Return the question in the syntax of SQLite's FTS5."""
    return " AND ".join(f'"{" ".join(each.words)}"{"*" if each.prefix else ""}' for each in phrases)


def tsquery(phrases: Iterable[Phrase]) -> str:
    """Return the question in the syntax of PostgreSQL's ``to_tsquery``."""
    return " & ".join(
        "(" + " <-> ".join(f"'{word}'" for word in each.words) + (":*" if each.prefix else "") + ")" for each in phrases
    )


def text_of(measurement: Mapping[str, Any], *around: str | None) -> str:
    """Return the words by which a measurement is found: what whoever may see its metadata sees too, and nothing else.

    Parameters
    ----------
    measurement
        Its fields, as the contract names them. File names and digests are content, the operator a person: neither is here.
    around
        Names of what it belongs to: experiment, proposal.
    """
    named = ("measurementName", "measurementDescription", "technique", "format", "kind")
    texts = [*around, *(measurement.get(field) for field in named)]
    texts += [(measurement.get("category") or {}).get(each) for each in ("label", "second")]
    for field in ("sample", "instrument"):
        texts += [each for each in (measurement.get(field) or {}).values() if isinstance(each, str)]
    for term, setting in (measurement.get("settings") or {}).items():
        value = setting.get("value") if isinstance(setting, Mapping) else None
        if isinstance(value, str) and not term.startswith(_UNSHOWN):
            texts.append(value)
    return " ".join(words(" ".join(text for text in texts if text))[:INDEXED])


def highlight(fields: Mapping[str, str | None], phrases: Iterable[Phrase], *, width: int = 160) -> list[dict[str, Any]]:
    """Return where a question was met: field, a part of its text, and from where to where in it. Plain text, no markup."""
    wanted = [
        (word, each.prefix and at == len(each.words) - 1) for each in phrases for at, word in enumerate(each.words)
    ]
    found = []
    for field, text in fields.items():
        places = []
        for match in _WORD.finditer(text or ""):
            for said in words(match[0]):
                if any(said == word or (prefix and said.startswith(word)) for word, prefix in wanted):
                    places.append(match.span())
                    break
        if text and places:
            begin = max(0, min(places[0][0] - width // 4, len(text) - width))
            spans = [[a - begin, b - begin] for a, b in places if b <= begin + width]
            found.append({"field": field, "text": text[begin : begin + width], "at": spans})
    return found
