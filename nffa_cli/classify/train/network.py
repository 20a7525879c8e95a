"""The network: a small residual CNN with squeeze and excitation, a second input for the pixel size, two outputs; torch.

About 1.7 million weights. The picture is brought to mean 0 and deviation 1 inside the graph, so that brightness and
contrast of a detector say nothing. ``embedding`` has unit length and the logits are cosines to one vector a class, so that
distances between embeddings mean what the classes mean.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

STAGES = ((24, 1), (48, 2), (96, 2), (192, 2))
"""Channels and blocks of each stage; each but the first halves the picture."""
HALVED = 3
"""Stages with ``HalfNorm``, from the first: what they see is texture and light, later ones see what it means."""
EMBEDDING = 256
SHARPNESS = 16.0
"""By what a cosine is multiplied at first to make a logit; learned."""


class HalfNorm(nn.Module):  # type: ignore[misc]  # torch is an extra: mypy may not see it
    """Half of the channels normalised picture by picture, the others over the batch.

    What differs from picture to picture (contrast, a detector, how a renderer shades) is taken out of the first half, what
    tells classes apart stays in the other: networks carry over better to pictures of other origin.
    Source: X. Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net", ECCV 2018.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.half = channels // 2
        self.each = nn.InstanceNorm2d(self.half, affine=True)
        self.all = nn.BatchNorm2d(channels - self.half)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W) normalised."""
        return torch.cat([self.each(x[:, : self.half]), self.all(x[:, self.half :])], dim=1)


class Block(nn.Module):  # type: ignore[misc]
    """Two 3 × 3 convolutions with squeeze and excitation and a way around them."""

    def __init__(self, before: int, after: int, *, stride: int, halved: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False),
            HalfNorm(after) if halved else nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        )
        self.second = nn.Sequential(nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after))
        self.squeeze = nn.Sequential(
            nn.Linear(after, after // 8), nn.ReLU(inplace=True), nn.Linear(after // 8, after), nn.Sigmoid()
        )
        self.around = nn.Identity()
        if stride > 1 or before != after:
            pool = [nn.AvgPool2d(2)] if stride > 1 else []
            self.around = nn.Sequential(*pool, nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        """Return the picture one block deeper."""
        y = self.second(self.first(x))
        weight = self.squeeze(y.mean(dim=(2, 3)))
        return torch.relu(self.around(x) + y * weight[:, :, None, None])


class Network(nn.Module):  # type: ignore[misc]
    """``(image (N, 1, S, S) in 0..1, scale (N, 2)) -> (logits (N, labels + 1), embedding (N, 256))``; S a multiple of 32."""

    def __init__(self, classes: int, *, kinds: int = 0) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.Conv2d(16, STAGES[0][0], 3, 2, 1, bias=False), nn.BatchNorm2d(STAGES[0][0]), nn.ReLU(inplace=True),
        )  # fmt: skip
        blocks: list[nn.Module] = []
        before = STAGES[0][0]
        for number, (channels, count) in enumerate(STAGES):
            for n in range(count):
                blocks.append(Block(before, channels, stride=2 if number and n == 0 else 1, halved=number < HALVED))
                before = channels
        self.body = nn.Sequential(*blocks)
        self.pixel = nn.Sequential(nn.Linear(2, 32), nn.ReLU(inplace=True))
        self.neck = nn.Sequential(nn.Dropout(0.1), nn.Linear(2 * before + 32, EMBEDDING), nn.BatchNorm1d(EMBEDDING))
        self.classes = nn.Parameter(torch.randn(classes, EMBEDDING) / EMBEDDING**0.5)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))
        self.kinds = nn.Linear(EMBEDDING, kinds) if kinds else None

    def embed(self, image: Tensor, scale: Tensor) -> Tensor:
        """Return (N, 256) of unit length."""
        mean = image.mean(dim=(2, 3), keepdim=True)
        centred = image - mean
        deviation = (centred * centred).mean(dim=(2, 3), keepdim=True).sqrt()
        x = self.body(self.stem(centred / (deviation + 0.02)))
        pooled = torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3)), self.pixel(scale)], dim=1)
        found = self.neck(pooled)
        return cast(Tensor, found / (found * found).sum(dim=1, keepdim=True).clamp_min(1e-12).sqrt())

    def judge(self, embedding: Tensor) -> Tensor:
        """Return the logits of embeddings."""
        length = (self.classes * self.classes).sum(dim=1, keepdim=True).clamp_min(1e-12).sqrt()
        return self.sharpness * embedding @ (self.classes / length).t() + self.bias

    def forward(self, image: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and embeddings."""
        embedding = self.embed(image, scale)
        return self.judge(embedding), embedding
