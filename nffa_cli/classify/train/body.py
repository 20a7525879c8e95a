"""The body of the network: EfficientNet-lite0 (Tan and Le 2019, less squeeze and excitation, with ReLU6), for grey; torch.

Its parts are named as in the published weights, without their leading underscores, so that these load by name
(``start``). One channel goes in: what the weights of the three colours are for a grey picture is their sum.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)  # fmt: skip
"""By how much a block widens inside, channels that come out, blocks, stride of the first, side of the kernel."""
STEM = 32
WIDTH = 1280
"""Channels that come out at the end."""
EPSILON = 1e-3
"""Of the batch normalisation, as the published weights were trained."""


class Convolution(nn.Conv2d):  # type: ignore[misc]  # torch is an extra: mypy may not see it
    """A convolution without bias, padded as the published weights want: at stride 2 more below and right than above and left."""

    def __init__(self, before: int, after: int, side: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(before, after, side, stride, side // 2 if stride == 1 else 0, groups=groups, bias=False)
        least = max(side - stride, 0) // 2
        self.around = (least, max(side - stride, 0) - least) * 2 if stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the picture convolved; sides are even."""
        return super().forward(functional.pad(x, self.around) if self.around else x)


class Block(nn.Module):  # type: ignore[misc]
    """A picture widened, convolved channel by channel, and made narrow again, with a way around where shapes allow it."""

    def __init__(self, before: int, after: int, *, wider: int, stride: int, side: int) -> None:
        super().__init__()
        inside = before * wider
        if wider > 1:
            self.expand_conv, self.bn0 = Convolution(before, inside, 1), _norm(inside)
        self.depthwise_conv, self.bn1 = Convolution(inside, inside, side, stride=stride, groups=inside), _norm(inside)
        self.project_conv, self.bn2 = Convolution(inside, after, 1), _norm(after)
        self.is_wider, self.is_around = wider > 1, stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        """Return the picture one block deeper."""
        y = functional.relu6(self.bn0(self.expand_conv(x))) if self.is_wider else x
        y = functional.relu6(self.bn1(self.depthwise_conv(y)))
        y = self.bn2(self.project_conv(y))
        return x + y if self.is_around else y


class Body(nn.Module):  # type: ignore[misc]
    """``(N, 1, S, S) -> (N, 1280, S / 32, S / 32)``; S a multiple of 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = Convolution(1, STEM, 3, stride=2), _norm(STEM)
        blocks: list[nn.Module] = []
        before = STEM
        for wider, channels, count, stride, side in STAGES:
            for n in range(count):
                blocks.append(Block(before, channels, wider=wider, stride=1 if n else stride, side=side))
                before = channels
        self.blocks = nn.ModuleList(blocks)
        self.conv_head, self.bn1 = Convolution(before, WIDTH, 1), _norm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the last convolution sees in each place."""
        x = functional.relu6(self.bn0(self.conv_stem(x)))
        for block in self.blocks:
            x = block(x)
        return functional.relu6(self.bn1(self.conv_head(x)))


def _norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=0.01)
