"""Rendered and real pictures made unlike each other before the network sees them: place, size, light, focus, bars; torch.

Nothing that would change what a picture shows: no negative (it turns pits into grains), no strong shear.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

ZOOM = (0.55, 1.2)
"""How much of a picture a square shows, least and most; 1: as much as in use."""


def augment(batch: Tensor, size: int, generator: torch.Generator, *, field: int) -> tuple[Tensor, Tensor]:
    """Return (N, 1, size, size) in 0..1 and (N,) log10 of how much wider a pixel has become.

    Parameters
    ----------
    batch
        (N, H, W) uint8 pictures.
    size
        Side of the squares that come out.
    field
        Pixels of the batch that a square shows at zoom 1.
    """
    grey = batch.to(torch.float32).div_(255).unsqueeze_(1)
    squares, zoom = _placed(grey, size, generator, field)
    return _written_on(_lit(squares, generator), generator), (zoom * (field / size)).log10()


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.empty(count, device=generator.device).uniform_(low, high, generator=generator)


def _some(count: int, share: float, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device) < share


def _placed(grey: Tensor, size: int, generator: torch.Generator, field: int) -> tuple[Tensor, Tensor]:
    """Return squares from random places, of random size, flipped and turned."""
    count, _, height, width = grey.shape
    zoom = _uniform(count, math.log(ZOOM[0]), math.log(ZOOM[1]), generator).exp()
    stretch = _uniform(count, -0.1, 0.1, generator).exp()
    half_y, half_x = zoom * field / height * stretch, zoom * field / width / stretch  # halves of 2 units
    flip_x = 1 - 2 * _some(count, 0.5, generator).float()
    flip_y = 1 - 2 * _some(count, 0.25, generator).float()
    angle = _some(count, 0.3, generator).float() * _uniform(count, -0.3, 0.3, generator)
    place_x = _uniform(count, -1, 1, generator) * (1 - half_x).clamp_min(0)
    place_y = _uniform(count, -1, 1, generator) * (1 - half_y).clamp_min(0)
    ratio = width / height
    rows = [
        torch.stack([half_x * flip_x * angle.cos(), -half_y * angle.sin() / ratio, place_x], dim=1),
        torch.stack([half_x * flip_x * angle.sin() * ratio, half_y * flip_y * angle.cos(), place_y], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), [count, 1, size, size], align_corners=False)
    return functional.grid_sample(grey, grid, padding_mode="reflection", align_corners=False), zoom


def _lit(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures of other detectors: gamma, contrast with clipping, a gradient, blur or sharpening, noise."""
    count, size = len(x), x.shape[-1]

    def each(values: Tensor) -> Tensor:
        return values[:, None, None, None]

    gamma = (_uniform(count, -1, 1, generator) * 0.55).exp()
    x = x.clamp(1e-4, 1).pow(each(gamma))
    mean = x.mean(dim=(2, 3), keepdim=True)
    gain = torch.where(
        _some(count, 0.3, generator), _uniform(count, 1.0, 1.9, generator), _uniform(count, 0.5, 1.2, generator)
    )
    x = (x - mean) * each(gain) + (mean + each(_uniform(count, -0.15, 0.15, generator)))
    ramp = torch.linspace(-0.5, 0.5, size, device=x.device)
    sloped = _some(count, 0.3, generator).float() * 0.35
    x = x + each(sloped * _uniform(count, -1, 1, generator)) * ramp[None, None, :, None]
    x = x + each(sloped * _uniform(count, -1, 1, generator)) * ramp[None, None, None, :]
    x = _focused(x, generator)
    noise = _some(count, 0.5, generator).float() * _uniform(count, 0, 1, generator).square() * 0.08
    x = x + each(noise) * torch.empty_like(x).normal_(generator=generator)
    return x.clamp_(0, 1)


def _focused(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return a third of the pictures blurred, a fifth sharpened, by a Gauss of one width for all."""
    sigma = float(_uniform(1, 0.4, 1.8, generator))
    along = torch.arange(-4, 5, device=x.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (along / sigma) ** 2)
    kernel = kernel / kernel.sum()
    choice = _uniform(len(x), 0, 1, generator)
    touched = choice < 0.53
    if not bool(touched.any()):
        return x
    part = x[touched]
    soft = functional.conv2d(functional.pad(part, (4, 4, 4, 4), mode="reflect"), kernel.view(1, 1, 1, 9))
    soft = functional.conv2d(soft, kernel.view(1, 1, 9, 1))
    blurred = (choice[touched] < 0.33)[:, None, None, None]
    x = x.clone()
    x[touched] = torch.where(blurred, soft, part + 0.8 * (part - soft))
    return x


def _written_on(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return an eighth of the pictures with a strip or a box of one grey over them, as bars and labels leave behind."""
    count, size = len(x), x.shape[-1]
    chosen = _some(count, 0.12, generator)
    numbers = torch.rand(count, 5, generator=generator, device=generator.device)
    for n in torch.nonzero(chosen).flatten().tolist():
        tall, wide, down, right, level = numbers[n].tolist()
        height = int(size * (0.04 + 0.14 * tall))
        width = size if wide > 0.4 else int(size * (0.1 + wide))
        top, left = int(down * (size - height)), int(right * (size - width))
        x[n, 0, top : top + height, left : left + width] = round(level) if level < 0.3 or level > 0.7 else level
    return x
