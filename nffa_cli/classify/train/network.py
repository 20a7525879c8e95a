"""The network: a body that sees, a second input for the pixel size, and two outputs; torch.

About 3.7 million weights. The picture is brought to one mean and deviation inside the graph, so that brightness and
contrast of a detector say nothing. ``embedding`` has unit length and the logits are cosines to one vector a class, so that
distances between embeddings mean what the classes mean.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from nffa_cli.classify.train.body import WIDTH, Body

EMBEDDING = 256
SHARPNESS = 16.0
"""By what a cosine is multiplied at first to make a logit; learned."""
MEAN, DEVIATION = -0.08, 0.45
"""Of photographs as the body's published weights saw them, (grey levels - 127) / 128."""
FAINT = 0.02
"""Deviation below which a picture counts as even, so that its noise is not blown up."""


class Network(nn.Module):  # type: ignore[misc]  # torch is an extra: mypy may not see it
    """``(image (N, 1, S, S) in 0..1, scale (N, 2)) -> (logits (N, labels + 1), embedding (N, 256))``; S a multiple of 32."""

    def __init__(self, classes: int, *, kinds: int = 0) -> None:
        super().__init__()
        self.body = Body()
        self.pixel = nn.Sequential(nn.Linear(2, 32), nn.ReLU(inplace=True))
        self.neck = nn.Sequential(nn.Dropout(0.2), nn.Linear(WIDTH + 32, EMBEDDING), nn.BatchNorm1d(EMBEDDING))
        self.classes = nn.Parameter(torch.randn(classes, EMBEDDING) / EMBEDDING**0.5)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))
        self.kinds = nn.Linear(EMBEDDING, kinds) if kinds else None

    def embed(self, image: Tensor, scale: Tensor) -> Tensor:
        """Return (N, 256) of unit length."""
        centred = image - image.mean(dim=(2, 3), keepdim=True)
        deviation = (centred * centred).mean(dim=(2, 3), keepdim=True).sqrt()
        x = self.body(centred * (DEVIATION / (deviation + FAINT)) + MEAN)
        found = self.neck(torch.cat([x.mean(dim=(2, 3)), self.pixel(scale)], dim=1))
        return cast(Tensor, found / (found * found).sum(dim=1, keepdim=True).clamp_min(1e-12).sqrt())

    def judge(self, embedding: Tensor) -> Tensor:
        """Return the logits of embeddings."""
        length = (self.classes * self.classes).sum(dim=1, keepdim=True).clamp_min(1e-12).sqrt()
        return self.sharpness * embedding @ (self.classes / length).t() + self.bias

    def forward(self, image: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        embedding = self.embed(image, scale)
        return self.judge(embedding), embedding
