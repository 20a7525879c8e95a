"""A vendor's XML text as a tree of dicts, lists and texts, without entities, external things or deep recursion.

An element is its text, or a dict of its children; children of one name make a list; attributes are keys that begin
with ``@`` and the text of an element that has either is ``#text``. Namespace prefixes stay part of the names.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from nffa_cli.rawtree import put

DEEPEST = 64
"""Levels of elements; vendors use up to 12."""


class _Builder:
    """The handlers of the parser and the open elements: name, children, texts."""

    def __init__(self) -> None:
        self.top: dict[str, Any] = {}
        self.open: list[tuple[str, dict[str, Any], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.open) >= DEEPEST:
            raise ValueError(f"the XML text is deeper than {DEEPEST} levels")
        self.open.append((name, {f"@{key}": value for key, value in attributes.items()}, []))

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1][2].append(text)

    def end(self, _: str) -> None:
        name, node, texts = self.open.pop()
        said = "".join(texts).strip()
        if node and said:
            node["#text"] = said
        value: Any = node or said
        parent = self.open[-1][1] if self.open else self.top
        put(parent, name, value)

    def refuse(self, *_: object) -> None:
        raise ValueError("the XML text has a document type, which no instrument writes")


def parse(text: str | bytes) -> tuple[dict[str, Any], str | None]:
    """Return ``{root name: tree}`` of an XML text, and why it could not be read to its end (None: it could).

    What is there of a text that is cut short or broken is kept. A document type ends the reading, because entities can
    be bombs. What follows the root element is not read.
    """
    builder = _Builder()
    # A text that was decoded already no longer has the encoding that its declaration names.
    parser = expat.ParserCreate("utf-8") if isinstance(text, str) else expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.refuse
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    why = None
    try:
        parser.Parse(data.strip(b"\0\1 \r\n\t"), True)
    except (expat.ExpatError, ValueError) as error:
        why = None if builder.top else str(error)
        while builder.open:
            builder.end("")
    return builder.top, why
