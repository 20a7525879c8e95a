"""What the checker sees of a file: groups, fields, attributes and links, whether written or only planned.

``of_tree`` shows the nested dict of ``export.tree`` before it is written; ``hdf5_nodes`` shows an open file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from nffa_cli.export.tree import Ramp, Samples, Tree, get

Kind = Literal["text", "bytes", "bool", "int", "uint", "whole", "float", "complex", "other"]
"""What a value is made of. bytes: text of a fixed length; whole: an integer that is not negative and not written yet."""

KINDS: Mapping[str, Kind] = {"i": "int", "u": "uint", "f": "float", "c": "complex", "b": "bool", "S": "bytes"}
"""Letter of numpy's kinds → kind."""

SHORT = 1024
"""Values up to this many are read."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its kind and shape; ``content`` is None where it is too long to be looked at."""

    kind: Kind
    content: Any
    shape: tuple[int, ...] = ()

    @property
    def text(self) -> str | None:
        """The value where it is one text, else None."""
        return self.content if isinstance(self.content, str) else None


class Broken(Exception):
    """A part of the file that cannot be read."""


class Node(Protocol):
    """A group or a field."""

    @property
    def path(self) -> str:
        """Where it lies, absolute."""
        ...

    @property
    def is_group(self) -> bool:
        """Whether it is a group, not a field."""
        ...

    @property
    def identity(self) -> object:
        """Equal for the same object under two names; raises Broken."""
        ...

    def attributes(self) -> Mapping[str, Value]:
        """Return the attributes; raises Broken."""
        ...

    def members(self) -> Iterator[tuple[str, Node | Link]]:
        """Yield what lies in a group, by name; raises Broken."""
        ...

    def get(self, name: str) -> Node | Link | None:
        """Return one member of a group; raises Broken."""
        ...

    def value(self) -> Value:
        """Return the value of a field, read where it is short; raises Broken."""
        ...

    def ends(self) -> tuple[float, ...]:
        """Return the first, second and last number of a field of one dimension; raises Broken."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is stored.

    kind
        ``soft`` (within the file), ``external`` (into another file) or ``other``.
    to
        What it leads to; None: nothing, or it lies in another file.
    label
        The attribute ``target`` of what it leads to.
    exists
        Whether it leads somewhere.
    """

    path: str
    kind: Literal["soft", "external", "other"]
    target: str
    to: Node | None = None
    label: str | None = None
    exists: bool = False


def follow(found: Node | Link | None) -> Node | None:
    """Return the node that a member is or leads to."""
    return found.to if isinstance(found, Link) else found


# --- the dict tree ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    path: str
    tree: Tree
    whole: Tree
    is_group: bool = True

    @property
    def identity(self) -> object:
        return id(self.tree)

    def attributes(self) -> Mapping[str, Value]:
        return {key[1:]: _value(value) for key, value in self.tree.items() if key.startswith("@")}

    def members(self) -> Iterator[tuple[str, Node | Link]]:
        for key in self.tree:
            name = key.removeprefix(">")
            if "@" not in key and (found := self.get(name)) is not None:
                yield name, found

    def get(self, name: str) -> Node | Link | None:
        place = f"{self.path.rstrip('/')}/{name}"
        if name in self.tree and "@" not in name and not name.startswith(">"):
            below = self.tree[name]
            return _Group(place, below, self.whole) if isinstance(below, dict) else _Field(place, name, self.tree)
        if f">{name}" not in self.tree:
            return None
        target = str(self.tree[f">{name}"])
        to = _at(self.whole, target)
        return Link(place, "soft", target, to, target, exists=to is not None)

    def value(self) -> Value:
        raise Broken("a group has no value")

    def ends(self) -> tuple[float, ...]:
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    path: str
    name: str
    tree: Tree
    is_group: bool = False

    @property
    def identity(self) -> object:
        return (id(self.tree), self.name)

    def attributes(self) -> Mapping[str, Value]:
        start = f"{self.name}@"
        return {key[len(start) :]: _value(value) for key, value in self.tree.items() if key.startswith(start)}

    def members(self) -> Iterator[tuple[str, Node | Link]]:
        return iter(())

    def get(self, name: str) -> Node | Link | None:
        return None

    def value(self) -> Value:
        return _value(self.tree[self.name])

    def ends(self) -> tuple[float, ...]:
        found = self.tree[self.name]
        if isinstance(found, Ramp):
            return tuple(found.offset + i * found.scale for i in sorted({0, min(1, found.size - 1), found.size - 1}))
        if isinstance(found, (list, tuple)) and found and all(isinstance(each, (int, float)) for each in found):
            return tuple(float(found[i]) for i in sorted({0, min(1, len(found) - 1), len(found) - 1}))
        return ()


def of_tree(tree: Tree) -> Node:
    """Return the root of a tree that ``export.tree`` describes. A link's target counts as labelled: writing does it."""
    return _Group("/", tree, tree)


def _at(tree: Tree, path: str) -> Node | None:
    parts = [part for part in path.split("/") if part]
    found = get(tree, path)
    if found is None or not parts:
        return None
    if isinstance(found, dict):
        return _Group(path, found, tree)
    return _Field(path, parts[-1], get(tree, "/".join(parts[:-1])))


def _value(given: Any) -> Value:
    """Return a value of the tree as the checker sees it."""
    if isinstance(given, Samples):
        letter = given.dtype.lstrip("<>=|")[:1]
        kinds = {"bool": "uint", "complex": "float"} if given.part else {"bool": "uint"}
        named = next((kind for name, kind in kinds.items() if given.dtype.startswith(name)), None)
        return Value(named or KINDS.get(letter) or _named(given.dtype), None, tuple(given.shape))  # type: ignore[arg-type]
    if isinstance(given, Ramp):
        return Value("whole" if given.whole else "float", None, (given.size,))
    if isinstance(given, (list, tuple)):
        parts = [_value(each) for each in given]
        kinds_met = {part.kind for part in parts}
        kind = (
            kinds_met.pop() if len(kinds_met) == 1 else "float" if kinds_met <= {"float", "int", "whole"} else "other"
        )
        below = parts[0].shape if parts else ()
        content = [part.content for part in parts] if len(parts) <= SHORT else None
        return Value("int" if kinds_met | {kind} == {"int", "whole"} else kind, content, (len(parts), *below))
    return Value(_scalar(given), given)


def _scalar(given: Any) -> Kind:
    if isinstance(given, str):
        return "text"
    if isinstance(given, bool):
        return "bool"
    if isinstance(given, int):
        return "whole" if given >= 0 else "int"
    if isinstance(given, (bytes, bytearray)):
        return "bytes"
    return "complex" if isinstance(given, complex) else "float" if isinstance(given, float) else "other"


def _named(dtype: str) -> Kind:
    """Return the kind of one of numpy's long names, such as ``uint16``."""
    names: tuple[tuple[str, Kind], ...] = (("uint", "uint"), ("int", "int"), ("float", "float"), ("complex", "complex"))
    return next((kind for start, kind in names if dtype.startswith(start)), "other")
