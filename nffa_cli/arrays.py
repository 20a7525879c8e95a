"""What numerical libraries hand over (numpy scalars and arrays, dates, containers) in the written forms of ``rawtree``.

Works by what a value offers, so that numpy itself is not imported here. Not a serialiser of data: an array above
``LONG`` bytes is pixels in disguise and is only described.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from typing import Any

from nffa_cli import rawtree

SHORT = 64
"""Number arrays of at most so many values are written as lists, which a crosswalk can index."""

LONG = 1 << 20
"""Arrays above so many bytes are described, not written."""

_MAX_DEPTH = 64


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as JSON without loss.

    Bytes that are UTF-8 text without NUL become text, as HDF5 and old file headers keep text in byte fields. Dates and
    times become ISO 8601 text. An object of any other class becomes ``{"@object": class name, "text": its text}``.
    Raises ValueError beyond 64 levels.
    """
    if depth > _MAX_DEPTH:
        raise ValueError("metadata nested too deeply")
    if value is None or isinstance(value, (str, bool, int, float, complex)):
        native = getattr(value, "item", None)  # numpy's float64 is a float, but prints itself as something else
        return rawtree.lossless(native() if native else value)
    if isinstance(value, (bytes, bytearray)):
        return _text_or_bytes(bytes(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "tobytes"):
        return _array(value, depth)
    return {"@object": type(value).__name__, "text": str(value)[:10_000]}


def _text_or_bytes(raw: bytes) -> Any:
    stripped = raw.rstrip(b"\0")
    if b"\0" not in stripped:
        try:
            return stripped.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return rawtree.lossless(raw)


def _array(value: Any, depth: int) -> Any:
    if not value.shape:
        if value.dtype.names:
            return {name: plain(value[name], depth + 1) for name in value.dtype.names}
        item = value.item()
        return _text_or_bytes(value.tobytes()) if value.dtype.kind == "V" else plain(item, depth + 1)
    if value.dtype.kind in "SUOV" or value.dtype.names:
        if value.size > LONG // 16:
            return described(value)
        return [plain(item, depth + 1) for item in value]
    if value.size <= SHORT:
        return plain(value.tolist(), depth + 1)
    if value.nbytes > LONG:
        return described(value)
    return rawtree.array(value.dtype.str, tuple(int(n) for n in value.shape), value.tobytes())


def described(value: Any) -> dict[str, Any]:
    """Return what stands in the tree for an array that is too long for it."""
    return {"@data": {"dtype": str(value.dtype), "shape": [int(n) for n in value.shape]}}
