"""Just enough of Protocol Buffers to look into an ONNX file before anything executes it; standard library only.

It walks fields and copies nothing: a weight of 100 MB is a view. What does not parse is ``ModelError``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from nffa_cli.errors import ModelError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types (protobuf encoding, "Message Structure")."""

DEEPEST = 8
"""Graphs inside graphs are followed so far; a deeper one is refused."""


@dataclass(slots=True)
class Outline:
    """What an ONNX model says of itself.

    domains
        Of all operators and operator sets; the standard one is empty.
    outside
        Names of weights that lie in another file.
    subgraphs
        How many graphs lie inside operators, and how many functions the model brings.
    inputs, outputs
        Name → number of dimensions (None: not said).
    """

    metadata: dict[str, str] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    outside: list[str] = field(default_factory=list)
    subgraphs: int = 0
    nodes: int = 0
    inputs: dict[str, int | None] = field(default_factory=dict)
    outputs: dict[str, int | None] = field(default_factory=dict)


def outline(data: bytes) -> Outline:
    """Return what an ONNX file says of itself.

    Raises
    ------
    ModelError
        The bytes are no ONNX model.
    """
    found = Outline()
    try:
        graphs = 0
        for number, value in fields(memoryview(data)):
            if number == 7:
                graphs += 1
                _graph(_view(value), found, 0)
            elif number == 8:  # OperatorSetIdProto
                found.domains.add(_text(_last(_view(value), 1)))
            elif number == 14:  # StringStringEntryProto
                pair = _view(value)
                found.metadata[_text(_last(pair, 1))] = _text(_last(pair, 2))
            elif number in (20, 25):  # TrainingInfoProto, FunctionProto
                found.subgraphs += 1
        if graphs != 1 or not found.nodes:
            raise ValueError("it holds no graph")
    except (ValueError, struct.error, RecursionError) as error:
        raise ModelError(f"it is no ONNX model ({error})", hint="a model is one .onnx file") from error
    return found


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value) of one message: an int of a varint, else a view of the bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        value: int | memoryview
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind == BYTES:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"wire type {kind}")
        if at > end:
            raise ValueError("it ends too early")
        yield key >> 3, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends too early")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number has no end")


def _view(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a message was expected")
    return value


def _text(value: int | memoryview | None) -> str:
    return "" if value is None else bytes(_view(value)).decode("utf-8")


def _last(message: memoryview, wanted: int) -> int | memoryview | None:
    found = None
    for number, value in fields(message):
        if number == wanted:
            found = value
    return found


def _graph(graph: memoryview, found: Outline, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("graphs are nested too deeply")
    if depth:
        found.subgraphs += 1
    weights: set[str] = set()
    inputs: dict[str, int | None] = {}
    for number, value in fields(graph):
        if number == 1:
            _node(_view(value), found, depth)
        elif number == 5:
            weights.add(_tensor(_view(value), found))
        elif number in (11, 12):
            name, rank = _port(_view(value))
            if depth == 0:
                (inputs if number == 11 else found.outputs)[name] = rank
        elif number == 15:  # SparseTensorProto: values, indices
            for part, tensor in fields(_view(value)):
                if part in (1, 2):
                    _tensor(_view(tensor), found)
    if depth == 0:
        found.inputs = {name: rank for name, rank in inputs.items() if name not in weights}


def _node(node: memoryview, found: Outline, depth: int) -> None:
    found.nodes += 1
    for number, value in fields(node):
        if number == 7:
            found.domains.add(_text(value))
        elif number == 5:
            for part, inner in fields(_view(value)):  # AttributeProto
                if part in (5, 10):
                    _tensor(_view(inner), found)
                elif part in (6, 11):
                    _graph(_view(inner), found, depth + 1)


def _tensor(tensor: memoryview, found: Outline) -> str:
    name, is_outside = "", False
    for number, value in fields(tensor):
        if number == 8:
            name = _text(value)
        elif number == 13 or (number == 14 and value == 1):
            is_outside = True
    if is_outside:
        found.outside.append(name)
    return name


def _port(port: memoryview) -> tuple[str, int | None]:
    """Return name and rank of an input or output: ValueInfoProto → TypeProto → Tensor → TensorShapeProto."""
    name = _text(_last(port, 1))
    place: int | memoryview | None = port
    for number in (2, 1, 2):
        place = _last(_view(place), number) if place is not None else None
    return name, None if place is None else sum(number == 1 for number, _ in fields(_view(place)))
