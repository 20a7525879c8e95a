"""A new last layer on an existing model file: logits = embedding @ W + old logits @ P + b, written without onnx or torch.

On request what the model knew weighs against "none of the ten" as much as before, however its labels share that now. The old
output ``logits`` gets another name inside the graph; everything before it stays bit for bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nffa_cli.classify import protobuf
from nffa_cli.classify.train.protowrite import METADATA, field, metadata, number

FLOAT = 1
"""TensorProto.DataType."""
GRAPH, NODE, NAME, INITIALIZER, OUTPUT = 7, 1, 2, 5, 12
"""Fields of ModelProto (the first) and GraphProto."""


@dataclass(frozen=True, slots=True)
class Layer:
    """What is put on: ``weights`` (E, K), ``passed`` (old K, K), ``bias`` (K,).

    energy
        (old K, L) or None. With it all labels are moved together, so that the log-sum-exp of the first L of them is that of
        ``old logits @ energy``; the last logit, none, stays where it is.
    """

    weights: NDArray[np.float32]
    passed: NDArray[np.float32]
    bias: NDArray[np.float32]
    energy: NDArray[np.float32] | None = None

    def __call__(self, embedding: NDArray[Any], old: NDArray[Any]) -> NDArray[Any]:
        """Return (…, K) logits of (…, E) embeddings and (…, old K) logits, as the model gives them."""
        found = embedding @ self.weights + old @ self.passed + self.bias
        if self.energy is not None:
            wanted = _energy(old @ self.energy)
            found[..., :-1] += wanted - _energy(found[..., : self.energy.shape[1]])
        return found


def _energy(logits: NDArray[Any]) -> NDArray[Any]:
    """Return (…, 1) the log-sum-exp."""
    top = logits.max(axis=-1, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=-1, keepdims=True)))


def grafted(data: bytes, layer: Layer, texts: Mapping[str, str]) -> bytes:
    """Return a model with a new last layer and new metadata.

    Parameters
    ----------
    data
        A model that ``classify.models`` takes.
    """
    kept = b"".join(
        _field(place, _graph(value, layer, data) if place == GRAPH and isinstance(value, memoryview) else value)
        for place, value in protobuf.fields(memoryview(data))
        if place != METADATA
    )
    return kept + metadata(texts)


def _field(place: int, value: int | memoryview | bytes) -> bytes:
    return number(place, value) if isinstance(value, int) else field(place, bytes(value))


def _graph(graph: memoryview, layer: Layer, data: bytes) -> bytes:
    before = "logits_" + hashlib.sha256(data).hexdigest()[:12]
    out = []
    for place, value in protobuf.fields(graph):
        if place == NODE and isinstance(value, memoryview):
            out.append(field(NODE, _renamed(value, before)))
        elif not (place == OUTPUT and isinstance(value, memoryview) and _name(value) == b"logits"):
            out.append(_field(place, value))

    def name(part: str) -> str:
        return f"{before}_{part}"

    def put(operator: str, inputs: tuple[str, ...], output: str) -> str:
        out.append(field(NODE, _node(operator, inputs, output)))
        return output

    def constant(part: str, values: NDArray[np.float32]) -> str:
        out.append(field(INITIALIZER, _tensor(name(part), values)))
        return name(part)

    new = put("MatMul", ("embedding", constant("weights", layer.weights)), name("new"))
    old = put("MatMul", (before, constant("passed", layer.passed)), name("old"))
    both = put("Add", (new, old), name("both"))
    found = put("Add", (both, constant("bias", layer.bias)), "logits" if layer.energy is None else name("found"))
    if layer.energy is not None:
        known, width = layer.energy.shape[1], len(layer.bias)
        first = constant("first", np.eye(width, known, dtype=np.float32))
        gap = []
        for part, logits, picked in (("is", found, first), ("was", before, constant("energy", layer.energy))):
            some = put("MatMul", (logits, picked), name(part))
            less = put("LogSoftmax", (some,), name(f"{part}_less"))
            gap.append(
                put("Sub", (some, less), name(f"{part}_energy"))
            )  # the log-sum-exp, as often as there are labels
        moved = put("Sub", (gap[1], gap[0]), name("moved"))
        spread = np.full((known, width), 1 / known, np.float32)
        spread[:, -1] = 0
        put("Add", (found, put("MatMul", (moved, constant("spread", spread)), name("spread_out"))), "logits")
    out.append(field(OUTPUT, _port("logits", len(layer.bias))))
    return b"".join(out)


def _renamed(node: memoryview, before: str) -> bytes:
    """Return a node in which the name ``logits`` is ``before``, as input (1) and as output (2)."""
    return b"".join(
        field(place, before.encode())
        if place in (1, 2) and isinstance(value, memoryview) and bytes(value) == b"logits"
        else _field(place, value)
        for place, value in protobuf.fields(node)
    )


def _name(port: memoryview) -> bytes:
    """Return the name of a ValueInfoProto."""
    return next((bytes(v) for place, v in protobuf.fields(port) if place == 1 and isinstance(v, memoryview)), b"")


def _node(operator: str, inputs: tuple[str, ...], output: str) -> bytes:
    return (
        b"".join(field(1, name.encode()) for name in inputs) + field(2, output.encode()) + field(4, operator.encode())
    )


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(number(1, n) for n in values.shape)
    raw = np.ascontiguousarray(values, "<f4").tobytes()
    return dims + number(2, FLOAT) + field(8, name.encode()) + field(9, raw)


def _port(name: str, width: int) -> bytes:
    shape = field(1, field(2, b"n")) + field(1, number(1, width))
    return field(1, name.encode()) + field(2, field(1, number(1, FLOAT) + field(2, shape)))
