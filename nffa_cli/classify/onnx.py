"""The door of onnxruntime: a model's bytes as a function from pictures to numbers, on the CPU, in one thread.

The caller has looked into the bytes before (``models``); they never come from a path, so that nothing beside the file is
ever read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from nffa_cli.errors import ModelError

Numbers: TypeAlias = NDArray[np.float32]
Network: TypeAlias = Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]
"""(images (N, 1, S, S) in 0..1, scale (N, 2)) → (logits (N, labels + 1), embedding (N, E))."""

FATAL = 4


def load(data: bytes, *, size: int, labels: int, where: str) -> Network:
    """Return the network that ``data`` holds, tried once on a blank picture.

    Raises
    ------
    ModelError
        It cannot be loaded or run, or gives other numbers than its labels ask for.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # ``models`` refuses weights in other files; should one slip through, they are looked for where nothing can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes derive from nothing that is public
        raise ModelError(f"the model cannot be loaded: {_first_line(error)}", where=where) from error

    def run(images: Numbers, scale: Numbers) -> tuple[Numbers, Numbers]:
        try:
            logits, embedding = session.run(["logits", "embedding"], {"image": images, "scale": scale})
        except Exception as error:
            raise ModelError(f"the model cannot be run: {_first_line(error)}", where=where) from error
        return logits, embedding

    _try(run, size, labels, where)
    return run


def _try(run: Network, size: int, labels: int, where: str) -> None:
    logits, embedding = run(np.zeros((2, 1, size, size), np.float32), np.zeros((2, 2), np.float32))
    if logits.shape != (2, labels + 1):
        what = f"the model gives logits of shape {logits.shape} for two pictures; its {labels} labels ask for {labels + 1} each"
        raise ModelError(what, where=where)
    if embedding.ndim != 2 or len(embedding) != 2:
        raise ModelError(f"the model gives an embedding of shape {embedding.shape} for two pictures", where=where)
    if not (np.isfinite(logits).all() and np.isfinite(embedding).all()):
        raise ModelError("the model gives numbers that are not finite for a blank picture", where=where)


def _first_line(error: Any) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__


def version() -> str:
    """Return the version of onnxruntime."""
    return str(onnxruntime.__version__)
