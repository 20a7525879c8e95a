"""Where a crosswalk's paths lead in one acquisition's tree; values only, no meaning.

The tree is flattened once, so that a plain path costs one look-up. ``*`` as a path part stands for any key; in the
globs of ``ignore`` and ``personal`` it stands for any text, dots included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from typing import Any, NamedTuple

from nffa_cli import rawtree
from nffa_cli.crosswalk.load import Crosswalk
from nffa_cli.records import RawMetadata

_ANCHOR = re.compile(r"\{([^{}]*)\}")
_IMAGES = ("image", "stack", "diffraction", "diffraction-stack", "4d-stem")


class Found(NamedTuple):
    """A value in the tree: its full path (None for pseudo paths), how the record cites it, and the value."""

    path: str | None
    source: str
    value: Any


def flatten(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return path → value of every leaf (``rawtree.is_leaf``) but pixel data; breadth first."""
    flat: dict[str, Any] = {}
    branches: list[tuple[str, Any]] = [("", tree)]
    for prefix, node in branches:  # grows while it is walked
        for key, value in node.items() if isinstance(node, Mapping) else enumerate(node):
            path = f"{prefix}{key}"
            if isinstance(value, dict):
                if "@data" in value:
                    continue
                if "@array" in value or "@bytes" in value or "@float" in value or "@complex" in value:
                    flat[path] = value
                else:
                    branches.append((path + ".", value))
            elif isinstance(value, list) and not rawtree.is_leaf(value):
                branches.append((path + ".", value))
            else:
                flat[path] = value
    return flat


class Tree:
    """One acquisition's tree as its crosswalk sees it."""

    def __init__(self, crosswalk: Crosswalk, raw: RawMetadata) -> None:
        self._anchors = raw.anchors
        self._tree = raw.tree
        self.root = self._anchored(crosswalk.root)
        self._places = _places(crosswalk.root, tuple(raw.anchors.items()))
        self.flat = flatten(raw.tree)
        first = next((signal for signal in raw.signals if signal.kind in _IMAGES), None)
        sizes = {axis.name.removeprefix("k"): axis.size for axis in first.axes} if first else {}
        self.width: int | None = sizes.get("x")
        kind = raw.signals[0].kind if raw.signals else None
        self._pseudo = {"@width": self.width, "@height": sizes.get("y"), "@kind": kind}

    def find(self, paths: Iterable[str]) -> Iterator[Found]:
        """Yield what there is at the paths, in their order; a path with ``*`` gives all its matches in tree order."""
        for path in paths:
            if path[0] == "@":
                if (value := self._pseudo.get(path)) is not None:
                    yield Found(None, path, value)
                continue
            full, source = self.place(path)
            if full is None:
                continue
            if "*" not in full:
                value = self._value(full)
                if value is not rawtree.ABSENT:
                    yield Found(full, source, value)
                continue
            shown = len(self.root or "") if source != full else -1
            for match, value in _matches(self._tree, "", full.split(".")):
                cited = f"{match[:shown]}/{match[shown + 1 :]}" if 0 < shown < len(match) else match
                yield Found(match, cited, value)

    def place(self, path: str) -> tuple[str | None, str]:
        """Return the full path and its citation (``root/path``); (None, path) where an anchor is not known."""
        found = self._places.get(path)
        if found is None:
            found = self._places[path] = self._place(path)
        return found

    def _place(self, path: str) -> tuple[str | None, str]:
        if path[0] == "/":
            full = self._anchored(path[1:])
            return full, full or path
        inner = self._anchored(path)
        if inner is None or self.root is None:
            return None, path
        if not self.root:
            return inner, inner
        return f"{self.root}.{inner}", f"{self.root}/{inner}"

    def covered(self, globs: Iterable[str]) -> Covered:
        """Return the matcher of a list of globs."""
        return _compiled(tuple(full for glob in globs if (full := self.place(glob)[0]) is not None))

    def _anchored(self, path: str) -> str | None:
        if "{" not in path:
            return path
        known = True

        def place(found: re.Match[str]) -> str:
            nonlocal known
            known = known and found[1] in self._anchors
            return self._anchors.get(found[1], "")

        path = _ANCHOR.sub(place, path)
        return path if known else None

    def _value(self, full: str) -> Any:
        value = self.flat.get(full, rawtree.ABSENT)
        if value is rawtree.ABSENT and full[-1:].isdigit():  # an item of a list of values
            value = rawtree.get(self._tree, full)
            if isinstance(value, dict):
                return rawtree.ABSENT
        return value


@lru_cache(maxsize=64)
def _places(root: str, anchors: tuple[tuple[str, str], ...]) -> dict[str, tuple[str | None, str]]:
    """Return where ``Tree.place`` keeps what it found: the files of one kind have the same root and anchors."""
    return {}


class Covered(NamedTuple):
    """What a list of globs covers; a glob that names a branch covers all that is in it."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]
    pattern: re.Pattern[str] | None

    def outside(self, paths: Set[str]) -> frozenset[str]:
        """Return those of ``paths`` that no glob covers."""
        left = [path for path in paths - self.exact if not path.startswith(self.prefixes)]
        if self.pattern is not None:
            match = self.pattern.fullmatch
            left = [path for path in left if match(path) is None]
        return frozenset(left)


@lru_cache(maxsize=128)
def _compiled(globs: tuple[str, ...]) -> Covered:
    plain = [glob.removesuffix(".*") for glob in globs if "*" not in glob.removesuffix(".*")]
    starred = [re.escape(glob).replace(r"\*", ".*") for glob in globs if "*" in glob.removesuffix(".*")]
    pattern = re.compile(rf"(?:{'|'.join(starred)})(?:\..*)?", re.DOTALL) if starred else None
    return Covered(frozenset(plain), tuple(f"{glob}." for glob in plain), pattern)


def _matches(node: Any, prefix: str, parts: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) for parts of which some hold ``*``; runs of plain parts go through ``rawtree.get``."""
    count = next((n for n, part in enumerate(parts) if "*" in part), len(parts))
    if count:
        step = ".".join(parts[:count])
        node = rawtree.get(node, step)
        prefix = f"{prefix}.{step}" if prefix else step
        parts = parts[count:]
    if node is rawtree.ABSENT:
        return
    if not parts:
        if rawtree.is_leaf(node):
            yield prefix, node
        return
    if isinstance(node, Mapping):
        items: Iterable[tuple[Any, Any]] = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    else:
        return
    any_key = parts[0] == "*"
    for key, value in items:
        if any_key or wildcard(parts[0]).fullmatch(str(key)):
            yield from _matches(value, f"{prefix}.{key}" if prefix else str(key), parts[1:])


@lru_cache(maxsize=256)
def wildcard(text: str) -> re.Pattern[str]:
    """Return the pattern of a text in which ``*`` stands for anything."""
    return re.compile(re.escape(text).replace(r"\*", ".*"), re.DOTALL)
