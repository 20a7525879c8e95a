"""YAML with line numbers, and only the part of YAML that people need; the door of PyYAML for crosswalk files.

Built from libyaml's event stream: quicker than composing nodes, and a hostile depth cannot exhaust the C stack.
Anchors, aliases, merge keys and tags are refused. Plain scalars are read as JSON would: YAML 1.1's yes/no/on/off,
dates and base-60 numbers stay text, because vendors write "On" and "12:30" and mean just that.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from nffa_cli.errors import CrosswalkError, NffaError

MAX_BYTES = 1_000_000
_MAX_DEPTH = 40
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class Node:
    """A scalar's text, a list of nodes or a mapping of nodes, and the line (from 1) on which it begins."""

    __slots__ = ("line", "plain", "value")

    def __init__(self, value: str | list[Node] | dict[str, Node], line: int, plain: bool = False) -> None:
        self.value = value
        self.line = line
        self.plain = plain

    def python(self) -> Any:
        """Return the value without lines: None, bool, int, float, text, list or dict."""
        if isinstance(self.value, dict):
            return {key: node.python() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.python() for node in self.value]
        return _scalar(self.value) if self.plain else self.value


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) < 300:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class Document:
    """A parsed file that knows its name, so that every complaint about it says ``file:line``."""

    def __init__(self, root: Node, name: str, error: type[NffaError]) -> None:
        self.root = root
        self.name = name
        self._error = error

    def wrong(self, what: str, node: Node, *, hint: str | None = None) -> NffaError:
        """Return the error to raise about ``node``."""
        return self._error(what, where=f"{self.name}:{node.line}", hint=hint)

    def mapping(self, node: Node, what: str) -> dict[str, Node]:
        """Return the node's mapping, or raise."""
        if not isinstance(node.value, dict):
            raise self.wrong(f"{what} must be a mapping (key: value)", node)
        return node.value

    def sequence(self, node: Node, what: str) -> list[Node]:
        """Return the node's list, or raise."""
        if not isinstance(node.value, list):
            raise self.wrong(f"{what} must be a list", node)
        return node.value

    def text(self, node: Node, what: str) -> str:
        """Return the node's text as written, or raise; ``34682`` is text here, quotes or not."""
        if not isinstance(node.value, str):
            raise self.wrong(f"{what} must be text", node)
        return node.value

    def texts(self, node: Node, what: str) -> tuple[str, ...]:
        """Return one text or a list of texts as a tuple, or raise."""
        if isinstance(node.value, list):
            return tuple(self.text(item, what) for item in node.value)
        return (self.text(node, what),)

    def known(self, node: Node, what: str, keys: frozenset[str]) -> dict[str, Node]:
        """Return the node's mapping; raise at the first key that is not in ``keys``, with the nearest one as hint."""
        found = self.mapping(node, what)
        for key, item in found.items():
            if key not in keys:
                raise self.wrong(f"unknown key '{key}' in {what}", item, hint=nearest(key, keys))
        return found


def nearest(word: str, words: frozenset[str]) -> str:
    """Return a hint that names the closest of ``words``, or all of them."""
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(words))}"


def read(path: Path, *, error: type[NffaError] = CrosswalkError) -> tuple[Document, bytes]:
    """Read a YAML file; return it with its bytes. Raises ``error`` with ``file:line`` for whatever is wrong."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise error(f"cannot be read: {exc.strerror}", where=str(path)) from exc
    return parse(data, name=str(path), error=error), data


def parse(data: bytes, *, name: str, error: type[NffaError] = CrosswalkError) -> Document:
    """Parse the bytes of a YAML file called ``name``; raises ``error`` with ``name:line``."""
    import yaml

    if len(data) > MAX_BYTES:
        raise error(f"too large: {len(data)} bytes, at most {MAX_BYTES}", where=name)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
    try:
        return Document(_build(loader, yaml, name, error), name, error)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise error(f"no valid YAML: {exc.problem or exc.context}", where=f"{name}:{line}") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise error(f"no valid YAML: {str(exc).splitlines()[0]}", where=f"{name}:1") from exc
    finally:
        loader.dispose()


def _build(loader: Any, yaml: Any, name: str, error: type[NffaError]) -> Node:
    """Build the tree with a stack of our own; a branch waits on the stack beside its pending key."""
    stack: list[Node] = []
    keys: list[str | None] = []
    root: Node | None = None
    documents = 0
    scalar, mapping, sequence = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
    while True:
        event = loader.get_event()
        if event is None:
            break
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            stack.pop()
            keys.pop()
            continue
        if kind not in (scalar, mapping, sequence, yaml.AliasEvent):
            documents += kind is yaml.DocumentStartEvent
            if documents > 1:
                raise error("holds more than one document", where=f"{name}:{event.start_mark.line + 1}")
            if kind is yaml.StreamEndEvent:
                break
            continue
        line = event.start_mark.line + 1
        if event.anchor is not None:
            raise error("anchors and aliases (& and *) are not allowed", where=f"{name}:{line}", hint="quote the text")
        if event.tag is not None:
            raise error(f"tags such as '{event.tag}' are not allowed", where=f"{name}:{line}", hint="quote the text")
        if kind is scalar:
            node = Node(event.value, line, event.style is None or event.style == "")
        else:
            node = Node({} if kind is mapping else [], line)
        if not stack:
            root = node
        else:
            parent = stack[-1].value
            if isinstance(parent, list):
                parent.append(node)
            elif isinstance(parent, dict):
                key = keys[-1]
                if key is None:
                    if not isinstance(node.value, str):
                        raise error("a key must be text", where=f"{name}:{line}")
                    if node.value in parent:
                        raise error(f"'{node.value}' is written twice", where=f"{name}:{line}")
                    keys[-1] = node.value
                    continue
                parent[key] = node
                keys[-1] = None
        if kind is not scalar:
            if len(stack) >= _MAX_DEPTH:
                raise error("nested too deeply", where=f"{name}:{line}")
            stack.append(node)
            keys.append(None)
    return root if root is not None else Node({}, 1)
