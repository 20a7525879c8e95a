"""The form in HDF5 of a plain value of a ``Tree``: text, number, boolean, or a list of them. Pure; writes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nffa_cli.errors import NffaError

Kind = Literal["text", "boolean", "integer", "unsigned", "number"]


@dataclass(frozen=True, slots=True)
class Form:
    """``data``: the value itself, nested lists for ``shape``; texts are UTF-8 bytes."""

    kind: Kind
    data: Any
    shape: tuple[int, ...] = ()


def form(value: Any, where: str, *, unsigned: bool = False) -> Form:
    """Return the form of a value: 64 bits for every number; wider integers as text, for HDF5 would lose digits.

    An empty list is one of numbers.

    Raises
    ------
    NffaError
        A list of both texts and numbers, or of parts that are not equally long; what is neither text nor number.
    """
    if isinstance(value, str):
        return Form("text", text(value))
    if isinstance(value, float):
        return Form("number", value)
    leaves = list(_leaves(value, where))
    shape = _shape(value)
    if math.prod(shape) != len(leaves) or not _fits(value, shape):
        raise NffaError("a list of parts that are not equally long cannot be written", where=where)
    kind = _kind(leaves, unsigned=unsigned)
    if kind is None:
        raise NffaError("a list of both texts and numbers cannot be written", where=where)
    if kind == "text":
        value = _mapped(lambda leaf: text(str(leaf)), value)
    return Form(kind, value, shape)


def text(value: str) -> bytes:
    r"""Return UTF-8. What HDF5's texts cannot hold is escaped as JSON does it: NUL as ``\u0000``, lone surrogates too."""
    return value.replace("\0", "\\u0000").encode("utf-8", "backslashreplace")


def _kind(leaves: list[Any], *, unsigned: bool) -> Kind | None:
    """Return the kind that holds all leaves, None where there is none."""
    if not leaves:
        return "number"
    types = set(map(type, leaves))
    if types == {str}:
        return "text"
    if str in types:
        return None
    if types == {bool}:
        return "boolean"
    if float in types:
        return "number"
    low, high = min(leaves), max(leaves)
    if low < -(1 << 63) or high >= 1 << 64 or (low < 0 and high >= 1 << 63):
        return "text"
    return "unsigned" if high >= 1 << 63 or (unsigned and low >= 0) else "integer"


def _leaves(value: Any, where: str) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, where)
    elif type(value) in (str, bool, int, float):
        yield value
    else:
        raise NffaError(f"{type(value).__name__} has no form in HDF5", where=where)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the shape that the first parts have."""
    if not isinstance(value, list | tuple):
        return ()
    return (len(value), *_shape(value[0])) if value else (0,)


def _fits(value: Any, shape: tuple[int, ...]) -> bool:
    if not isinstance(value, list | tuple):
        return not shape
    return bool(shape) and len(value) == shape[0] and all(_fits(item, shape[1:]) for item in value)


def _mapped(change: Callable[[Any], bytes], value: Any) -> Any:
    return [_mapped(change, item) for item in value] if isinstance(value, list | tuple) else change(value)
