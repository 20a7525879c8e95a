"""A trained network as one ONNX file with all that its use needs, proven to say what the network says; torch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import numpy as np
import torch

from nffa_cli.classify import onnx
from nffa_cli.classify.train.network import Network
from nffa_cli.classify.train.protowrite import metadata
from nffa_cli.errors import ModelError

OPSET = 17
AGREE = 2e-3
"""Most that a logit or a component of the embedding may differ between torch and onnxruntime."""


def exported(network: Network, *, size: int, texts: Mapping[str, str]) -> bytes:
    """Return the bytes of the model file.

    Raises
    ------
    ModelError
        onnxruntime says something else than the network.
    """
    network = network.cpu().eval()
    graph = io.BytesIO()
    inputs = (torch.zeros(2, 1, size, size), torch.zeros(2, 2))
    names = ["image", "scale", "logits", "embedding"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's advice to use the other exporter, which writes two files
        torch.onnx.export(
            network, inputs, graph, input_names=names[:2], output_names=names[2:], opset_version=OPSET, dynamo=False,
            dynamic_axes={name: {0: "n"} for name in names},
        )  # fmt: skip
    data = graph.getvalue() + metadata(texts)
    _prove(network, data, size)
    return data


def _prove(network: Network, data: bytes, size: int) -> None:
    rng = np.random.default_rng(0)
    images = (
        rng.random((8, 1, size, size), dtype=np.float32)
        ** np.linspace(0.3, 3, 8, dtype=np.float32)[:, None, None, None]
    )
    scale = rng.normal(size=(8, 2)).astype(np.float32)
    with torch.no_grad():
        wanted = [part.numpy() for part in network(torch.from_numpy(images), torch.from_numpy(scale))]
    found = onnx.load(data, size=size, labels=wanted[0].shape[1] - 1, where="the exported model")(images, scale)
    worst = max(float(np.abs(a - b).max()) for a, b in zip(wanted, found, strict=True))
    if worst > AGREE:
        raise ModelError(f"onnxruntime and torch differ by {worst:.2g}: the model is not kept")
