"""The door of h5py for writing: a ``Tree`` becomes a NeXus HDF5 file, samples streamed, equal trees giving equal bytes.

Knows nothing of microscopes and judges no tree: what NeXus wants is the builder's. Reading is ``extract.hdf5``'s.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5p, h5s, h5t, h5z
from numpy.typing import NDArray

from nffa_cli.errors import MissingPackage, NffaError, UnreadableFile, UsageError
from nffa_cli.export import chunks, packing, values
from nffa_cli.export.sink import Sink
from nffa_cli.export.tree import Ramp, Samples, Tree

Array: TypeAlias = NDArray[Any]
Read: TypeAlias = Callable[[int, tuple[slice, ...]], Array]
Part: TypeAlias = Callable[[tuple[slice, ...]], Array]

_TEXT = h5py.string_dtype()
_DTYPES: dict[values.Kind, np.dtype[Any]] = {
    "text": _TEXT,
    "boolean": np.dtype(np.bool_),
    "integer": np.dtype(np.int64),
    "unsigned": np.dtype(np.uint64),
    "number": np.dtype(np.float64),
}


def write(tree: Tree, path: str | Path, *, read: Read, compression: str = "gzip") -> None:
    """Write a tree as an HDF5 file, which is complete and on the disk when this returns.

    Equal trees and samples give equal bytes. Texts are variable-length UTF-8; NUL and lone surrogates, which HDF5 cannot
    keep, are escaped as JSON escapes them (so JSON texts lose nothing). Integers are 64 bits wide, unsigned where the
    attribute is an ``_indices`` or the number needs it; wider ones are written as text. Booleans are HDF5's own.
    The target of a soft link gets the attribute ``target``.

    Parameters
    ----------
    path
        Of the file, which is overwritten and removed again if this fails.
    read
        Returns the samples of a signal (by number) that slices of positive step select, one dimension per axis. Called
        from one thread, for parts of some megabytes in the order of the field.
    compression
        A name in ``chunks.COMPRESSIONS``.

    Raises
    ------
    DiskError
        The disk is full or the folder is not writable.
    UnreadableFile
        Samples are not as the tree promises; and whatever ``read`` raises.
    UsageError, MissingPackage
        No such compression, or its package is absent.
    NffaError
        The tree holds what HDF5 cannot: a name, a list of uneven parts, a link to nowhere.
    """
    filters = _Filters(compression)
    sink = Sink(os.fspath(path))
    try:
        with sink:
            try:
                with h5py.File(sink, "w", libver=("v108", "v108"), track_order=True) as file:
                    _Writer(tree, read, filters, sink).write(file)
            except (OSError, RuntimeError):
                sink.check()  # what HDF5 says of it, after a disk is full, comes of reading back what is not there
                raise
            sink.finish()
    except BaseException:
        with suppress(OSError):
            Path(path).unlink()
        raise


class _Filters:
    """The filters of one compression: what HDF5 is told of them, and writes them."""

    def __init__(self, name: str) -> None:
        if name not in chunks.COMPRESSIONS:
            known = ", ".join(chunks.COMPRESSIONS)
            raise UsageError(f"no such compression: {name}", hint=f"--compression takes one of: {known}")
        self.name = name
        self.ours = name == "gzip"
        self._plugin: Any = None
        if given := chunks.COMPRESSIONS[name].plugin:
            try:
                import hdf5plugin
            except ImportError as error:
                raise MissingPackage.of(error) from error
            self._plugin = getattr(hdf5plugin, given[0])(**given[1])

    def declare(self, properties: Any, itemsize: int) -> None:
        if itemsize > 1 and self.name in chunks.SHUFFLED:
            properties.set_shuffle()
        if self.ours:
            properties.set_deflate(packing.LEVEL)
        elif self._plugin is not None:
            properties.set_filter(self._plugin.filter_id, h5z.FLAG_MANDATORY, tuple(self._plugin.filter_options))
        else:
            properties.set_filter(h5z.FILTER_LZF, h5z.FLAG_OPTIONAL)


class _Writer:
    """Writes one tree; HDF5's types, spaces and property lists are made once, for they cost more than small values."""

    def __init__(self, tree: Tree, read: Read, filters: _Filters, sink: Sink) -> None:
        self._tree = tree
        self._read = read
        self._filters = filters
        self._sink = sink
        self._targets = set(_targets(tree))
        self._text = h5t.py_create(_TEXT, logical=True)
        self._held_text = h5t.py_create(_TEXT)
        self._scalar = h5s.create(h5s.SCALAR)
        self._types: dict[np.dtype[Any], Any] = {}
        self._groups = h5p.create(h5p.GROUP_CREATE)
        self._groups.set_link_creation_order(h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED)
        self._groups.set_obj_track_times(False)
        self._small = _properties()
        self._small.set_layout(h5d.COMPACT)
        self._list = _properties()
        self._plain = _properties(h5d.FILL_TIME_NEVER)

    def write(self, file: Any) -> None:
        self._group(file.id, self._tree, "")
        if self._targets:
            raise NffaError("a link leads nowhere", where=min(self._targets))

    def _group(self, group: Any, tree: Mapping[str, Any], path: str) -> None:
        of_fields: dict[str, dict[str, Any]] = {}
        for key, value in tree.items():
            field, at, attribute = key.partition("@")
            if at and not field:
                self._attribute(group, attribute, value, path or "/")
            elif at:
                of_fields.setdefault(field, {})[attribute] = value
        self._mark(group, path)
        spectra = _ends_in_energy(tree.get("@axes"))
        for key, value in tree.items():
            if "@" in key:
                continue
            here = f"{path}/{key.removeprefix('>')}"
            name = _name(key.removeprefix(">"), here)
            if key.startswith(">"):
                group.links.create_soft(name, _name_path(value, here))
            elif isinstance(value, dict):
                made = h5g.create(group, name, gcpl=self._groups)
                self._group(made, value, here)
            else:
                made = self._field(group, name, value, here, spectra=spectra)
                for attribute, content in of_fields.pop(key, {}).items():
                    self._attribute(made, attribute, content, here)
                self._mark(made, here)
        if of_fields:
            field = next(iter(of_fields))
            raise NffaError("attributes of a field that is not there", where=f"{path}/{field}")

    def _mark(self, item: Any, path: str) -> None:
        """Say on the target of a soft link where it lies, as NeXus wants it."""
        if path in self._targets:
            self._targets.remove(path)
            if not h5a.exists(item, b"target"):
                self._attribute(item, "target", path, path)

    def _attribute(self, item: Any, name: str, value: Any, where: str) -> None:
        place = f"{where}@{name}"
        data, type_, held = self._value(value, place, unsigned=name.endswith("_indices"))
        space = self._scalar if data.ndim == 0 else h5s.create_simple(data.shape)
        h5a.create(item, _name(name, place), type_, space).write(data, held)

    def _value(self, value: Any, where: str, *, unsigned: bool = False) -> tuple[Array, Any, Any]:
        """Return a value as an array, its type in the file and in memory."""
        form = values.form(value, where, unsigned=unsigned)
        data = np.empty(form.shape, _DTYPES[form.kind])
        data[...] = form.data
        if form.kind == "text":
            return data, self._text, self._held_text
        type_ = self._type(data.dtype)
        return data, type_, type_

    def _type(self, dtype: np.dtype[Any]) -> Any:
        if dtype not in self._types:
            self._types[dtype] = h5t.py_create(dtype, logical=True)
        return self._types[dtype]

    # --- fields ---

    def _field(self, group: Any, name: bytes, value: Any, where: str, *, spectra: bool) -> Any:
        if isinstance(value, Samples):
            dtype = _dtype(value, where)
            return self._array(group, name, value.shape, dtype, _samples(value, dtype, self._read, where), spectra)
        if isinstance(value, Ramp):
            dtype = np.dtype(np.int64 if value.whole else np.float64)
            return self._array(group, name, (value.size,), dtype, _ramp(value, dtype), spectra=False)
        data, type_, held = self._value(value, where)
        if data.ndim == 0:
            made = h5d.create(group, name, type_, self._scalar, dcpl=self._small)
        else:
            made = h5d.create(group, name, type_, h5s.create_simple(data.shape), dcpl=self._list)
        if data.size:
            made.write(h5s.ALL, h5s.ALL, data, held)
        return made

    def _array(
        self, group: Any, name: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], part: Part, spectra: bool
    ) -> Any:
        """Create a dataset and pour the parts of an array into it."""
        type_, space = self._type(dtype), h5s.create_simple(shape) if shape else self._scalar
        size = math.prod(shape) * dtype.itemsize
        chunk = chunks.chunk_shape(shape, dtype.itemsize, spectra=spectra) if size else ()
        if not chunk or self._filters.name == "none" or size <= chunks.INDEX:
            return self._pour(h5d.create(group, name, type_, space, dcpl=self._plain), shape, dtype, part, ())
        if size <= chunks.SMALL:
            whole = part(tuple(slice(0, n) for n in shape))
            if len(packing.pack(whole, shape)) + chunks.INDEX >= size:
                return self._pour(
                    h5d.create(group, name, type_, space, dcpl=self._plain), shape, dtype, whole.__getitem__, ()
                )
            chunk, part = shape, whole.__getitem__
        properties = _properties(h5d.FILL_TIME_NEVER)
        properties.set_chunk(chunk)
        self._filters.declare(properties, dtype.itemsize)
        made = h5d.create(group, name, type_, space, dcpl=properties)
        if not self._filters.ours:
            return self._pour(made, shape, dtype, part, chunk)
        for place, packed in packing.packed(part, shape, chunk, dtype.itemsize):
            self._sink.check()
            made.write_direct_chunk(place, packed)
        return made

    def _pour(self, made: Any, shape: tuple[int, ...], dtype: np.dtype[Any], part: Part, chunk: tuple[int, ...]) -> Any:
        if not math.prod(shape):
            return made
        type_ = self._type(dtype)
        for block in chunks.blocks(shape, chunk or (1,) * len(shape), dtype.itemsize):
            data = np.ascontiguousarray(part(block))
            target = made.get_space()
            if block:
                target.select_hyperslab(tuple(each.start for each in block), data.shape)
            self._sink.check()
            made.write(h5s.create_simple(data.shape) if block else h5s.ALL, target, data, type_)
        return made


def _properties(fill: int = h5d.FILL_TIME_IFSET) -> Any:
    made = h5p.create(h5p.DATASET_CREATE)
    made.set_obj_track_times(False)
    made.set_fill_time(fill)
    return made


# --- samples ---


def _dtype(value: Samples, where: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(value.dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "biufc":
        raise NffaError(f"samples of type {value.dtype} cannot be written", where=where)
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype


def _samples(value: Samples, dtype: np.dtype[Any], read: Read, where: str) -> Part:
    def part(block: tuple[slice, ...]) -> Array:
        try:
            picks = chunks.signal_picks(value.picks, value.shape, block)
        except ValueError as error:
            raise NffaError(str(error), where=where) from error
        got = read(value.signal, picks)
        if value.part:
            got = getattr(got, value.part)
        shape = tuple(each.stop - each.start for each in block)
        if got.size != math.prod(shape) or not np.can_cast(got.dtype, dtype):
            what = f"{got.dtype} samples of {got.shape} were read where {dtype} of {shape} were promised"
            raise UnreadableFile(what, where=where)
        return np.asarray(got.reshape(shape), dtype)

    return part


def _ramp(value: Ramp, dtype: np.dtype[Any]) -> Part:
    def part(block: tuple[slice, ...]) -> Array:
        (span,) = block
        positions = np.arange(span.start, span.stop, dtype=dtype)
        made: Array = dtype.type(value.offset) + positions * dtype.type(value.scale)
        return made

    return part


# --- names ---


def _name(name: str, where: str) -> bytes:
    """Return the name of a group, field, link or attribute."""
    if not name or name == "." or "/" in name or "\0" in name:
        raise NffaError(f"{name!r} cannot be a name in HDF5", where=where)
    return values.text(name)


def _name_path(path: Any, where: str) -> bytes:
    if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        raise NffaError(f"{path!r} is no absolute path to link to", where=where)
    return values.text(path)


def _targets(tree: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _targets(value)
        elif key.startswith(">") and isinstance(value, str):
            yield value


def _ends_in_energy(axes: Any) -> bool:
    return isinstance(axes, Sequence) and not isinstance(axes, str) and bool(axes) and "energy" in str(axes[-1])
