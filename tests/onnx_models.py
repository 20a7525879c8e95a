"""Tiny ONNX models, good and hostile, written byte by byte: neither the onnx package nor a trained network is needed.

The good one measures a picture (mean, brightest, darkest pixel) and maps that to logits by a fixed matrix, so that a test
knows what it will say.
"""

from __future__ import annotations

import json
import struct

LABELS = (
    "Biological", "Fibres", "Films and Coated Surface", "MEMS devices and electrodes", "Nanowires", "Particles",
    "Patterned surface", "Porous Sponge", "Powder", "Tips",
)  # fmt: skip
SIZE = 64
FLOAT, INT64 = 1, 7
INT, TENSOR, INTS = 2, 4, 7
"""AttributeProto.AttributeType."""


def varint(number):
    out = b""
    number &= (1 << 64) - 1
    while True:
        number, low = number >> 7, number & 127
        out += bytes([low | (128 if number else 0)])
        if not number:
            return out


def part(number, value):
    """One field: an int as varint, bytes and text with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name, dims, values, kind=FLOAT, outside=None):
    data = struct.pack(f"<{len(values)}{'f' if kind == FLOAT else 'q'}", *values)
    body = b"".join(part(1, n) for n in dims) + part(2, kind) + part(8, name)
    if outside:
        return body + part(13, part(1, "location") + part(2, outside)) + part(14, 1)
    return body + part(9, data)


def node(kind, inputs, outputs, *attributes, domain=""):
    body = b"".join(part(1, each) for each in inputs) + b"".join(part(2, each) for each in outputs)
    return body + part(4, kind) + b"".join(part(5, each) for each in attributes) + (part(7, domain) if domain else b"")


def attribute(name, value):
    if isinstance(value, bytes):
        return part(1, name) + part(5, value) + part(20, TENSOR)
    if isinstance(value, int):
        return part(1, name) + part(3, value) + part(20, INT)
    return part(1, name) + b"".join(part(8, each) for each in value) + part(20, INTS)


def port(name, *dims):
    sizes = b"".join(part(1, part(2, n) if isinstance(n, str) else part(1, n)) for n in dims)
    return part(1, name) + part(2, part(1, part(1, FLOAT) + part(2, sizes)))


def metadata(**changes):
    """The metadata of a good model; ``key=None`` leaves one out."""
    texts = {
        "schema": "1",
        "name": "tiny",
        "version": "1.0",
        "labels": list(LABELS),
        "preprocess": {
            "size": SIZE, "short": SIZE, "views": 2, "bar": "crop", "levels": "native", "scale_mean": -8.0, "scale_std": 1.0,
        },
        "temperature": 1.0,
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "none": {"rule": "logistic", "threshold": 0.5, "bias": 0.0, "weights": {"none": 1.0}},
        "trained_on": "nothing",
        "licence": "CC0-1.0",
        "metrics": {"rendered": {"n": 0}},
        "trainer": "tests",
        "card": "# tiny\n\nMade by a test.",
    } | changes  # fmt: skip
    return {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in texts.items() if value is not None
    }


def model(nodes, weights, *, inputs=None, outputs=None, meta=None, domains=("",), more=b""):
    inputs = inputs or [port("image", "N", 1, SIZE, SIZE), port("scale", "N", 2)]
    outputs = outputs or [port("logits", "N", len(LABELS) + 1), port("embedding", "N", 4)]
    graph = b"".join(part(1, each) for each in nodes) + part(2, "g") + b"".join(part(5, each) for each in weights)
    graph += b"".join(part(11, each) for each in inputs) + b"".join(part(12, each) for each in outputs)
    opsets = b"".join(part(8, part(1, domain) + part(2, 17 if not domain else 1)) for domain in domains)
    pairs = metadata() if meta is None else meta
    texts = b"".join(part(14, part(1, key) + part(2, text)) for key, text in pairs.items())
    return part(1, 8) + part(7, graph) + opsets + texts + more


def body(outside=None, outputs=11):
    """Nodes and weights: bright pictures are Particles, dark ones Porous Sponge, even grey is none; scale moves Tips."""
    weights = [[0.0] * outputs for _ in range(5)]  # rows: mean, max, -min, scale, scale known
    bias = [0.0] * outputs
    if outputs == len(LABELS) + 1:
        weights[0][5], bias[5] = 20.0, -8.0
        weights[0][7], bias[7] = -20.0, 8.0
        weights[3][9] = 0.5
        weights[1][10], weights[2][10], bias[10] = -12.0, -12.0, 3.0
    nodes = [
        node("GlobalAveragePool", ["image"], ["mean4"]),
        node("GlobalMaxPool", ["image"], ["max4"]),
        node("Neg", ["image"], ["negative"]),
        node("GlobalMaxPool", ["negative"], ["min4"]),
        *(node("Flatten", [f"{name}4"], [name], attribute("axis", 1)) for name in ("mean", "max", "min")),
        node("Concat", ["mean", "max", "min", "scale"], ["features"], attribute("axis", 1)),
        node("Gemm", ["features", "w", "b"], ["logits"]),
        node("Gemm", ["features", "we", "be"], ["raw"]),
        node("LpNormalization", ["raw"], ["embedding"], attribute("axis", 1), attribute("p", 2)),
    ]
    tensors = [
        tensor("w", (5, outputs), [x for row in weights for x in row], outside=outside),
        tensor("b", (outputs,), bias),
        tensor("we", (5, 4), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        tensor("be", (4,), [0.1, 0.1, 0.1, 0.1]),
    ]
    return nodes, tensors


def good(**changes):
    """A model that may be used."""
    return model(*body(), meta=metadata(**changes))


def outside():
    """Its weights lie in a file of the attacker's choice."""
    return model(*body(outside="../../etc/passwd"))


def custom():
    """It calls an operator that only a custom library has."""
    nodes, weights = body()
    nodes[2] = node("Backdoor", ["image"], ["negative"], domain="evil.example")
    return model(nodes, weights, domains=("", "evil.example"))


def mismatched():
    """It gives three numbers where its labels ask for eleven."""
    return model(*body(outputs=3), outputs=[port("logits", "N", "C"), port("embedding", "N", 4)])


def greedy(gigabytes=24):
    """A hundred bytes that ask for gigabytes of memory."""
    nodes, weights = body()
    shape = tensor("shape", (1,), (gigabytes << 28,), INT64)
    nodes += [
        node("ConstantOfShape", ["shape"], ["huge"]),
        node("ReduceSum", ["huge"], ["sum"], attribute("keepdims", 0)),
        node("Mul", ["negative0", "sum"], ["negative"]),
    ]
    nodes[2] = node("Neg", ["image"], ["negative0"])
    order = [*nodes[:3], *nodes[-3:], *nodes[3:-3]]
    return model(order, [*weights, shape])


def branching():
    """It holds a graph inside an operator."""
    nodes, weights = body()
    inner = part(1, node("Neg", ["image"], ["n"])) + part(2, "then") + part(12, port("n", "N"))
    branch = part(1, "then_branch") + part(6, inner) + part(20, 5)
    nodes.append(node("If", ["image"], ["unused"], branch))
    return model(nodes, weights)


def without(key):
    """A good model whose metadata lack something."""
    return good(**{key: None})
