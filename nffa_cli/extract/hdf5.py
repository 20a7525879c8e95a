"""The door of h5py: open a file that may be hostile, and write its groups as a tree.

A file is only what lies in it: external links, external storage and virtual datasets are named in the tree and never
followed, filters are never loaded from plug-ins, every read is bounded. Knows nothing of microscopes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from nffa_cli import rawtree
from nffa_cli.arrays import plain
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import containers

for _ in range(h5py.h5pl.size()):  # a filter plug-in is somebody's code: none is ever loaded
    h5py.h5pl.remove(0)

MAX_NODES = 50_000
MAX_TEXT = 64 << 20
MAX_NUMBERS = 32 << 20
MAX_CHUNK = 256 << 20
MAX_ATTRIBUTE = 1 << 20
TROUBLE = (OSError, RuntimeError, KeyError, TypeError, ValueError)
"""What h5py raises at a damaged object."""
_MAX_DEPTH = 32
_MAX_HOPS = 16
_MAX_TEXTS = 1024
_SMALL = 64 << 10


@contextmanager
def opened(path: str) -> Iterator[tuple[Any, int]]:
    """Open an HDF5 file to read; yield it with the number of bytes that its superblock asks for.

    Raises
    ------
    UnreadableFile
        ``truncated`` when the file is shorter than its superblock says, else ``corrupt``.
    """
    size = os.stat(path).st_size  # noqa: PTH116 - text paths may hold bytes that are no UTF-8
    end = containers.needs(path, "emd") or 0
    if end > size:
        what = f"{size} bytes of {end}: the end of the HDF5 file is missing"
        raise UnreadableFile(what, code="truncated", where=path, hint="wait until it is copied, or copy it again")
    try:
        file = h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError) as error:
        raise UnreadableFile(f"HDF5 cannot open it: {error}", where=path, hint="copy the file again") from error
    with file:
        yield file, end


def child(group: Any, name: str) -> Any:
    """Return the member ``name`` of a group if it is really stored there, else None."""
    try:
        if name not in group or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        return group[name]
    except (OSError, RuntimeError, KeyError):
        return None


def at(file: Any, *names: str) -> Any:
    """Return what lies at a path of member names, or None."""
    found = file
    for name in names:
        if not isinstance(found, h5py.Group) or (found := child(found, name)) is None:
            return None
    return found


def follow(file: Any, path: str, start: str = "/", hops: int = _MAX_HOPS) -> Any:
    """Return what lies at a path, over soft links of this very file, ``start`` being the group of relative ones; or None."""
    names = [name for name in (path if path.startswith("/") else f"{start}/{path}").split("/") if name not in ("", ".")]
    found, place = file, ""
    for number, name in enumerate(names):
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            rest = "/".join((link.path, *names[number + 1 :]))
            return follow(file, rest, place or "/", hops - 1) if hops else None
        if (found := child(found, name)) is None:
            return None
        place = f"{place}/{name}"
    return found


def groups(group: Any) -> list[tuple[str, Any]]:
    """Return the sub-groups of a group (or of None), by name."""
    if not isinstance(group, h5py.Group):
        return []
    found = ((name, child(group, name)) for name in group)
    return [(name, item) for name, item in found if isinstance(item, h5py.Group)]


def is_group(item: Any) -> bool:
    """Tell a group from all else."""
    return isinstance(item, h5py.Group)


def address(item: Any) -> int:
    """Return where an object lies: the same for each of its names."""
    return int(h5py.h5o.get_info(item.id).addr)


def is_dataset(item: Any) -> bool:
    """Tell a dataset of this very file whose chunks are of a sane size."""
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return False
    stored = item.id.get_create_plist()
    if stored.get_layout() == h5py.h5d.VIRTUAL or stored.get_external_count():
        return False
    chunk = 1
    if stored.get_layout() == h5py.h5d.CHUNKED:
        for length in stored.get_chunk():
            chunk *= length
    return bool(chunk * item.dtype.itemsize <= MAX_CHUNK)


def attribute(item: Any, name: str) -> Any:
    """Return the value of a short attribute; None where there is none, or none that can be read."""
    try:
        key = name.encode("utf-8", "surrogateescape")
        if not h5py.h5a.exists(item.id, key) or h5py.h5a.open(item.id, key).get_storage_size() > _SMALL:
            return None
        return item.attrs[name]
    except TROUBLE:
        return None


def text_of(dataset: Any) -> str | None:
    """Return the text of a dataset of one string, or None."""
    return _text(dataset) if is_dataset(dataset) else None


def _text(dataset: Any) -> str | None:
    if dataset.size != 1 or h5py.check_string_dtype(dataset.dtype) is None:
        return None
    raw = dataset[()] if dataset.shape == () else dataset[(0,) * dataset.ndim]
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def json_of(text: str | bytes | None) -> Any:
    """Return the JSON value that a text holds, or None."""
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class Tree:
    """Writes groups as nested dicts, within a budget of nodes, text and numbers; a group met twice is written once."""

    def __init__(self, *, parse_json: bool) -> None:
        self.nodes = 0
        self.text = 0
        self.numbers = 0
        self._parse_json = parse_json
        self._seen: set[int] = set()

    def group(self, group: Any, depth: int = 0) -> dict[str, Any]:
        """Return attributes and members of a group; an attribute named like a member is written with ``@`` before."""
        if depth > _MAX_DEPTH:
            raise UnreadableFile("HDF5 groups nested too deeply", hint="this is no microscope file")
        written = self.attributes(group)
        for name in group:
            self._count()
            if name in written:
                written[f"@{name}"] = written.pop(name)
            written[name] = self._member(group, name, depth)
        return written

    def _member(self, group: Any, name: str, depth: int) -> Any:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return {"@link": link.path, "file": str(link.filename)}
        if isinstance(link, h5py.SoftLink):
            return {"@link": link.path}
        try:
            item = group[name]
        except TROUBLE:
            item = None
        if isinstance(item, h5py.Group):
            if (place := address(item)) in self._seen:
                return {"@link": item.name}
            self._seen.add(place)
            return self.group(item, depth + 1)
        if isinstance(item, h5py.Dataset):
            return self.dataset(item)
        return {"@object": "unreadable" if item is None else type(item).__name__}

    def attributes(self, item: Any) -> dict[str, Any]:
        """Return an object's attributes."""
        written: dict[str, Any] = {}
        if not h5py.h5a.get_num_attrs(item.id):
            return written
        for name in item.attrs:
            self._count()
            try:
                low = h5py.h5a.open(item.id, name.encode("utf-8", "surrogateescape"))
                if low.get_storage_size() > MAX_ATTRIBUTE:
                    written[name] = {"@data": {"dtype": str(low.dtype), "shape": list(low.shape)}}
                else:
                    written[name] = plain(item.attrs[name])
            except TROUBLE as error:
                written[name] = {"@object": "unreadable", "text": str(error)}
        return written

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise UnreadableFile(f"more than {MAX_NODES} HDF5 objects", hint="this is no microscope file")

    def dataset(self, dataset: Any) -> Any:
        """Return the value of a small dataset, or the description of a long one; attributes beside it if it has any."""
        attributes = self.attributes(dataset)
        value = self._value(dataset)
        return {**attributes, "@value": value} if attributes else value

    def _value(self, dataset: Any) -> Any:
        if dataset.shape is None:
            return None
        if is_dataset(dataset):
            text = _text(dataset)
            if text is not None:
                self._keep(text)
                parsed = json_of(text) if self._parse_json else None
                return text if parsed is None else rawtree.lossless(parsed)
            if h5py.check_string_dtype(dataset.dtype) is not None and dataset.ndim == 1 and dataset.size <= _MAX_TEXTS:
                return [self._keep(dataset[number]) for number in range(dataset.size)]
            size = dataset.size * dataset.dtype.itemsize
            if dataset.dtype.kind in "iufbc" and size <= min(_SMALL, MAX_NUMBERS - self.numbers):
                self.numbers += size  # one dataset may be linked under any number of names
                return plain(dataset[()])
        described: dict[str, Any] = {"dataset": dataset.name, "dtype": str(dataset.dtype), "shape": list(dataset.shape)}
        if dataset.external or dataset.is_virtual:
            described["elsewhere"] = True
        return {"@data": described}

    def _keep(self, text: str | bytes) -> Any:
        """Return a text that stays in the tree, within the budget; read one by one, for many may be the same bytes."""
        self.text += len(text)
        if self.text > MAX_TEXT:
            raise UnreadableFile("more metadata text than any microscope writes")
        return plain(text)
