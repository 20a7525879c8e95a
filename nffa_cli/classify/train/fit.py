"""Training the network: batches of all classes, growing pictures, AdamW with a cosine, a running mean of the weights; torch.

The same pictures, plan and threads give the same network on one machine, and its figures within a point elsewhere.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from nffa_cli.classify import images
from nffa_cli.classify.train.augment import augment
from nffa_cli.classify.train.network import Network
from nffa_cli.classify.train.pictures import FIELD, SHORT, Pictures, window
from nffa_cli.progress import Reporter

GROWTH = ((0.4, 0.6), (0.7, 0.8), (1.0, 1.0))
"""(until this share of the training, share of the final side): small pictures first, they cost a third."""
STRIDE = 32
"""Sides are multiples of it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    size, views
        Side of the network's square; how many squares are judged for one picture.
    unknown
        Share of the training in which the pixel size is withheld.
    blended
        Share of the batches in which two pictures are mixed.
    kinds
        Weight of telling sub-kinds apart, where they are known.
    """

    epochs: int = 8
    seed: int = 0
    size: int = 160
    views: int = 4
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.05
    mean: float = 0.998
    smoothing: float = 0.05
    unknown: float = 0.65
    blended: float = 0.3
    kinds: float = 0.3
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns log10 of a pixel's width in metres into the network's second input."""

    mean: float
    deviation: float

    def told(self, pixel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 2): the standardised number and 1; 0 and 0 where it is NaN."""
        known = np.isfinite(pixel)
        number = np.where(known, (np.nan_to_num(pixel) - self.mean) / self.deviation, 0.0)
        return np.stack([number, known], axis=1).astype(np.float32)


def scale_of(pictures: Pictures) -> Scale:
    """Return mean and deviation of the known pixel sizes (without any: 10 nm and a decade)."""
    known = pictures.pixel[np.isfinite(pictures.pixel)]
    return Scale(float(known.mean()), max(float(known.std()), 0.1)) if len(known) > 1 else Scale(-8.0, 1.0)


def device() -> torch.device:
    """Return the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def fit(pictures: Pictures, classes: Sequence[str], plan: Plan, reporter: Reporter) -> tuple[Network, Scale]:
    """Return a network that tells ``classes`` apart, and the scale of its second input.

    Parameters
    ----------
    classes
        The labels in order, and "none of the ten" last.
    """
    torch.manual_seed(plan.seed)
    if plan.threads:
        torch.set_num_threads(plan.threads)
    rng = np.random.default_rng(plan.seed)
    there = device()
    chance = torch.Generator(device=there).manual_seed(plan.seed)
    kinds = {kind: n for n, kind in enumerate(sorted(set(pictures.kinds) - {""}))}
    network = Network(len(classes), kinds=len(kinds)).to(there, memory_format=torch.channels_last)
    mean = copy.deepcopy(network).eval()
    truth = np.array([classes.index(label) for label in pictures.labels])
    kind = np.array([kinds.get(each, -1) for each in pictures.kinds])
    scale = scale_of(pictures)
    optimizer = torch.optim.AdamW(_weights(network, plan.decay), lr=plan.rate)
    by_class = [rows for rows in (np.flatnonzero(truth == n) for n in range(len(classes))) if len(rows)]
    shares = np.sqrt([len(set(kind[rows])) for rows in by_class])  # more sub-kinds, more to learn
    steps = max(1, plan.epochs * len(pictures) // plan.batch)
    reporter.begin("training", steps)
    network.train()
    for step in range(steps):
        done = step / steps
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * done) + 1e-3)
        side = _side(plan.size, done)
        rows = _drawn(by_class, shares, plan.batch, rng)
        batch = torch.from_numpy(np.stack([window(pictures.images[n], rng) for n in rows])).to(there)
        squares, wider = augment(batch, side, chance, field=round(SHORT / FIELD))
        told = _told(pictures.pixel[rows] + wider.cpu().numpy(), scale, plan, rng).to(there)
        target, sub = (torch.from_numpy(values[rows]).to(there) for values in (truth, kind))
        loss = _loss(network, squares, told, target, sub, plan, rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        _average(mean, network, min(plan.mean, (1 + step) / (10 + step)))
        reporter.advance()
    reporter.end()
    return mean, scale


def _side(size: int, done: float) -> int:
    share = next(share for until, share in GROWTH if done < until)
    return max(2 * STRIDE, round(size * share / STRIDE) * STRIDE)


def _weights(network: Network, decay: float) -> list[dict[str, object]]:
    """Return the weights in two groups: what is one number a channel does not decay."""
    flat = [p for p in network.parameters() if p.ndim < 2]
    return [
        {"params": [p for p in network.parameters() if p.ndim > 1], "weight_decay": decay},
        {"params": flat, "weight_decay": 0.0},
    ]


def _drawn(
    by_class: Sequence[NDArray[np.intp]], shares: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return rows, of each class as many as its share says."""
    which = rng.choice(len(by_class), size=count, p=shares / shares.sum())
    return np.array([rng.choice(by_class[n]) for n in which], np.intp)


def _told(pixel: NDArray[np.float32], scale: Scale, plan: Plan, rng: np.random.Generator) -> torch.Tensor:
    """Return the second input, withheld from most and a little wrong for the others."""
    blurred = pixel + rng.normal(0, 0.1, len(pixel))
    return torch.from_numpy(scale.told(np.where(rng.random(len(pixel)) < plan.unknown, np.nan, blurred)))


def _loss(
    network: Network,
    squares: torch.Tensor,
    told: torch.Tensor,
    target: torch.Tensor,
    sub: torch.Tensor,
    plan: Plan,
    rng: np.random.Generator,
) -> torch.Tensor:
    if rng.random() < plan.blended:
        share = float(rng.beta(0.3, 0.3))
        order = torch.from_numpy(rng.permutation(len(squares))).to(squares.device)
        logits, _ = network(_laid_out(share * squares + (1 - share) * squares[order]), told)
        one = functional.cross_entropy(logits, target, label_smoothing=plan.smoothing)
        other = functional.cross_entropy(logits, target[order], label_smoothing=plan.smoothing)
        return share * one + (1 - share) * other
    logits, embedding = network(_laid_out(squares), told)
    loss = functional.cross_entropy(logits, target, label_smoothing=plan.smoothing)
    if network.kinds is not None and bool((sub >= 0).any()):
        loss = loss + plan.kinds * functional.cross_entropy(16 * network.kinds(embedding), sub, ignore_index=-1)
    return loss


def _laid_out(squares: torch.Tensor) -> torch.Tensor:
    return squares.contiguous(memory_format=torch.channels_last)


def _average(mean: Network, network: Network, keep: float) -> None:
    with torch.no_grad():
        for held, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if held.dtype.is_floating_point:
                held.lerp_(new, 1 - keep)
            else:
                held.copy_(new)


def predict(
    network: Network, pictures: Pictures, plan: Plan, scale: Scale, *, is_told: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return logits (N, classes) and embeddings (N, 256) as ``nffa classify`` makes them: the mean over the views.

    Parameters
    ----------
    is_told
        Whether the network is told the pixel size where it is known.
    """
    there = next(network.parameters()).device
    finer = np.float32(math.log10(SHORT / round(plan.size * FIELD)))
    pixel = pictures.pixel + finer if is_told else np.full(len(pictures), np.nan, np.float32)
    told = np.repeat(scale.told(pixel), plan.views, axis=0)
    logits, embeddings = [], []
    for start in range(0, len(pictures), 32):
        rows = range(start, min(start + 32, len(pictures)))
        views = np.concatenate(
            [
                images.squares(images.resized(pictures.images[n], round(plan.size * FIELD)), plan.size, plan.views)
                for n in rows
            ]
        )
        part = torch.from_numpy(told[start * plan.views : rows.stop * plan.views]).to(there)
        with torch.no_grad():
            found, embedding = network(_laid_out(torch.from_numpy(views).to(there)), part)
        logits.append(found.view(len(rows), plan.views, -1).mean(dim=1).cpu().numpy())
        mean = embedding.view(len(rows), plan.views, -1).mean(dim=1)
        embeddings.append(functional.normalize(mean, dim=1).cpu().numpy())
    return np.concatenate(logits).astype(np.float64), np.concatenate(embeddings)
