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
_SCALARS = frozenset({str, int, float, bool})
_IMAGES = ("image", "stack", "diffraction", "diffraction-stack", "4d-stem")

Inputs = tuple[tuple[str, tuple[str, ...]], ...]
"""The inputs of a rule: (name, paths) of each."""

REMEMBERED = 20_000
"""Paths of which it is remembered whether globs cover them: the files of one instrument have nearly the same tags."""


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
        is_mapping = type(node) is dict or isinstance(node, Mapping)
        for key, value in node.items() if is_mapping else enumerate(node):
            path = f"{prefix}{key}"
            if type(value) in _SCALARS:  # nearly all
                flat[path] = value
            elif isinstance(value, dict):
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
        self._placed = _placed(crosswalk.root, tuple(raw.anchors.items()))
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
        found = self._placed.places.get(path)
        if found is None:
            found = self._placed.places[path] = self._place(path)
        return found

    def lacks(self, inputs: Inputs) -> bool:
        """Tell that ``find`` would yield nothing for any of these inputs; False where only ``find`` knows."""
        leads = self._placed.leads.get(inputs)
        if leads is None:
            leads = self._placed.leads[inputs] = self._leads(path for _, paths in inputs for path in paths)
        return leads.certain and self.flat.keys().isdisjoint(leads.exact)

    def known(self, paths: tuple[str, ...]) -> set[str]:
        """Return the leaves that these paths lead to; an item of a list of values leads to the list."""
        leads = self._placed.leads.get(paths)
        if leads is None:
            leads = self._placed.leads[paths] = self._leads(paths)
        known = self.flat.keys() & leads.exact
        known.update(found.path for found in self.find(leads.starred) if found.path)
        known.update(parent for full, parent in leads.numbered if full not in self.flat and parent in self.flat)
        return known

    def _leads(self, paths: Iterable[str]) -> _Leads:
        plain: list[str] = []
        starred: list[str] = []
        for path in paths:
            (starred if "*" in path else plain).append(path)
        fulls = [full for path in plain if path[0] != "@" and (full := self.place(path)[0]) is not None]
        numbered = [(full, full.rpartition(".")[0]) for full in fulls if full[-1:].isdigit()]
        certain = bool(plain) and not (
            starred or numbered or any(path[0] == "@" for path in plain) or any("*" in full for full in fulls)
        )
        return _Leads(frozenset(fulls), tuple(numbered), tuple(starred), certain)

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


class _Leads(NamedTuple):
    """Where some paths lead, as far as that can be told without a tree.

    exact, numbered
        The full paths; those that may be an item of a list, each with the path of that list.
    starred
        The paths that must be looked for, as written.
    certain
        Whether nothing but the leaves at ``exact`` can be found.
    """

    exact: frozenset[str]
    numbered: tuple[tuple[str, str], ...]
    starred: tuple[str, ...]
    certain: bool


class _Placed(NamedTuple):
    """What ``Tree`` remembers of the paths of a crosswalk."""

    places: dict[str, tuple[str | None, str]]
    leads: dict[tuple[Any, ...], _Leads]


@lru_cache(maxsize=64)
def _placed(root: str, anchors: tuple[tuple[str, str], ...]) -> _Placed:
    """Return where ``Tree`` keeps what it found: the files of one kind have the same root and anchors."""
    return _Placed({}, {})


class Covered:
    """What a list of globs covers; a glob that names a branch covers all that is in it."""

    def __init__(self, exact: frozenset[str], prefixes: tuple[str, ...], pattern: re.Pattern[str] | None) -> None:
        self._exact = exact
        self._prefixes = prefixes
        self._pattern = pattern
        self._inside: set[str] = set()
        self._outside: set[str] = set()

    def outside(self, paths: Set[str]) -> frozenset[str]:
        """Return those of ``paths`` that no glob covers."""
        new = paths - self._inside - self._outside
        left = {path for path in new - self._exact if not path.startswith(self._prefixes)}
        if self._pattern is not None:
            match = self._pattern.fullmatch
            left = {path for path in left if match(path) is None}
        found = frozenset(paths & self._outside | left)
        if len(self._inside) + len(self._outside) + len(new) > REMEMBERED:
            self._inside, self._outside = set(), set()
        if len(new) <= REMEMBERED:
            self._inside |= new - left
            self._outside |= left
        return found


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
