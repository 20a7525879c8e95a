"""An open HDF5 file as the checker's nodes; values are read where they are short, whole arrays never.

A file is only what lies in it: an external link is looked at by name in the other file, nothing is read from there.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from nffa_cli.export.nodes import KINDS, SHORT, Broken, Kind, Link, Node, Value

MAX_BYTES = 1 << 20
"""An attribute or value that is longer is not looked at."""
MAX_CHUNK = 64 << 20
MAX_ATTRIBUTES = 1000
MAX_HOPS = 16
_TROUBLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, UnicodeError, MemoryError)


def of_file(file: Any) -> Node:
    """Return the root of an open ``h5py.File``."""
    return _Node("/", file, file, {}, {})


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    path: str
    item: Any
    file: Any
    kept: dict[str, Any]
    """What has been read of it."""
    known: dict[str, Any]
    """Path that a link of this file leads to → node."""

    @property
    def is_group(self) -> bool:
        return isinstance(self.item, h5py.Group)

    @property
    def identity(self) -> object:
        try:
            return h5py.h5o.get_info(self.item.id).addr
        except _TROUBLE as error:
            raise Broken(f"HDF5 cannot read it: {error}") from error

    def attributes(self) -> Mapping[str, Value]:
        if "attributes" not in self.kept:
            self.kept["attributes"] = self._attributes()
        found: Mapping[str, Value] = self.kept["attributes"]
        return found

    def _attributes(self) -> dict[str, Value]:
        try:
            names = [name for _, name in zip(range(MAX_ATTRIBUTES), self.item.attrs, strict=False)]
            return {name: _attribute(self.item, name) for name in names}
        except _TROUBLE as error:
            raise Broken(f"its attributes cannot be read: {error}") from error

    def members(self) -> Iterator[tuple[str, Node | Link]]:
        try:
            for name in self.item:
                if (found := self.get(name)) is not None:
                    yield name, found
        except _TROUBLE as error:
            raise Broken(f"its members cannot be listed: {error}") from error

    def get(self, name: str) -> Node | Link | None:
        known = self.kept.setdefault("members", {})
        if name not in known:
            try:
                there = self.item.id.links.exists(name.encode("utf-8", "surrogateescape"))
                known[name] = self._get(name) if there else None
            except _TROUBLE as error:
                raise Broken(f"{name[:80]!r} cannot be read: {error}") from error
        found: Node | Link | None = known[name]
        return found

    def _get(self, name: str) -> Node | Link | None:
        link = self.item.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            return _link(self, name, link)
        place = f"{self.path.rstrip('/')}/{name}"
        try:
            found = self.item[name]
        except _TROUBLE as error:
            return _Unreadable(place, str(error))
        if not isinstance(found, (h5py.Group, h5py.Dataset)):
            return _Unreadable(place, "a named data type, which is neither group nor field")
        return _Node(place, found, self.file, {}, self.known)

    def value(self) -> Value:
        if "value" not in self.kept:
            try:
                self.kept["value"] = _read(self.item)
            except _TROUBLE as error:
                raise Broken(f"its value cannot be read: {error}") from error
        found: Value = self.kept["value"]
        return found

    def ends(self) -> tuple[float, ...]:
        data, dtype = self.item, self.item.dtype
        if data.ndim != 1 or not data.size or dtype.kind not in "iuf" or not _sane(data, dtype):
            return ()
        try:
            return tuple(float(data[i]) for i in sorted({0, min(1, data.size - 1), data.size - 1}))
        except _TROUBLE as error:
            raise Broken(f"its values cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A member that is there and cannot be opened."""

    path: str
    why: str
    is_group: bool = False
    identity: object = None

    def attributes(self) -> Mapping[str, Value]:
        raise Broken(self.why)

    def members(self) -> Iterator[tuple[str, Node | Link]]:
        raise Broken(self.why)

    def get(self, name: str) -> Node | Link | None:
        raise Broken(self.why)

    def value(self) -> Value:
        raise Broken(self.why)

    def ends(self) -> tuple[float, ...]:
        raise Broken(self.why)


def _attribute(item: Any, name: str) -> Value:
    try:
        low = h5py.h5a.open(item.id, name.encode("utf-8", "surrogateescape"))
        dtype, shape = low.dtype, low.shape
        if low.get_storage_size() > MAX_BYTES or low.get_space().get_simple_extent_type() == h5py.h5s.NULL:
            return Value(_kind(dtype), None, shape or ())
        raw = np.empty(shape, dtype)
        low.read(raw)
        return Value(_kind(dtype), _plain(raw.tolist()), shape)
    except _TROUBLE:
        return Value("other", None)


def _read(data: Any) -> Value:
    """Return the value of a dataset, read only where it is short."""
    dtype, shape = data.dtype, data.shape
    if shape is None:
        return Value("other", None)
    size = math.prod(shape)
    if size > SHORT or size * dtype.itemsize > MAX_BYTES or not _sane(data, dtype):
        return Value(_kind(dtype), None, shape)
    raw = data[()]
    return Value(_kind(dtype), _plain(raw.tolist() if hasattr(raw, "tolist") else raw), shape)


def _sane(data: Any, dtype: Any) -> bool:
    """Tell a dataset of this very file whose chunks are of a sane size."""
    if data.external or data.is_virtual:
        return False
    return bool(math.prod(data.chunks or (1,)) * dtype.itemsize <= MAX_CHUNK)


def _kind(dtype: Any) -> Kind:
    text = h5py.check_string_dtype(dtype)
    if text is not None:
        return "text" if text.length is None else "bytes"
    return KINDS.get(dtype.kind, "other")


def _plain(raw: Any) -> Any:
    if isinstance(raw, (list, tuple)):
        return [_plain(each) for each in raw]
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


# --- links --------------------------------------------------------------------------------------------------------


def _link(node: _Node, name: str, link: Any) -> Link:
    place = f"{node.path.rstrip('/')}/{name}"
    if isinstance(link, h5py.SoftLink):
        to = _led_to(node, link.path)
        label = to.attributes().get("target") if to is not None else None
        return Link(place, "soft", link.path, to, label.text if label else None, exists=to is not None)
    if isinstance(link, h5py.ExternalLink):
        target = f"{link.filename}:{link.path}"
        return Link(place, "external", target, exists=_elsewhere(node.file, str(link.filename), link.path))
    return Link(place, "other", "another kind of link")


def _led_to(node: _Node, path: str) -> _Node | None:
    """Return what a soft link leads to; kept, for a file may hold any number of links to one object."""
    known = node.known
    place = path if path.startswith("/") else f"{node.path.rstrip('/')}/{path}"
    if place not in known:
        known[place] = _resolve(node.file, "/", place, MAX_HOPS)
    found: _Node | None = known[place]
    return found


def _resolve(file: Any, start: str, path: str, hops: int) -> _Node | None:
    """Follow a soft link by hand: within this file, and over no more than ``hops`` further links."""
    parts = path if path.startswith("/") else f"{start}/{path}"
    here, place = file, ""
    names = [part for part in parts.split("/") if part and part != "."]
    for number, name in enumerate(names):
        if not isinstance(here, h5py.Group):
            return None
        link = here.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            rest = "/".join([link.path, *names[number + 1 :]])
            return _resolve(file, place or "/", rest, hops - 1) if hops else None
        if not isinstance(link, h5py.HardLink):
            return None
        here, place = here[name], f"{place}/{name}"
    return _Node(path, here, file, {}, {}) if isinstance(here, (h5py.Group, h5py.Dataset)) else None


def _elsewhere(file: Any, name: str, path: str) -> bool:
    """Tell whether the other file is there and holds something at ``path``; nothing of it is read."""
    beside = os.path.join(os.path.dirname(file.filename), name)  # noqa: PTH118, PTH120
    if not os.path.isfile(beside):  # noqa: PTH113
        return False
    try:
        with h5py.File(beside, "r", locking=False) as other:
            return _resolve(other, "/", path, MAX_HOPS) is not None
    except _TROUBLE:
        return False
