"""How the cells of a plant's organ are arranged: rings of tissues, bundles, files of wood; where they lie, not their picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nffa_cli.render.pores import between
from nffa_cli.render.scene import Array, Shape

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Tissue:
    """One sort of cells, in units of the organ's own cell: radius, how flat, wall (in radii), cells deep, how round."""

    size: tuple[float, float]
    flat: tuple[float, float]
    wall: tuple[float, float]
    deep: tuple[float, float]
    round: tuple[float, float]


SKIN = Tissue((0.6, 1.0), (1.0, 2.4), (0.1, 0.3), (1.0, 1.6), (0.95, 1.3))
STRONG = Tissue((0.5, 0.9), (1.0, 1.7), (0.25, 0.55), (3.0, 8.0), (0.8, 1.05))
CORTEX = Tissue((0.9, 1.5), (1.0, 1.5), (0.06, 0.22), (3.0, 8.0), (0.95, 1.2))
PITH = Tissue((1.4, 3.0), (1.0, 1.25), (0.03, 0.12), (3.0, 9.0), (1.0, 1.25))
BAST = Tissue((0.35, 0.6), (1.0, 2.2), (0.08, 0.25), (2.0, 6.0), (0.9, 1.2))
XYLEM = Tissue((0.45, 0.85), (0.8, 1.3), (0.18, 0.4), (4.0, 12.0), (0.9, 1.15))
PLANS = (
    (SKIN, STRONG, CORTEX, BAST, XYLEM, PITH),
    (SKIN, CORTEX, BAST, XYLEM, PITH),
    (SKIN, STRONG, PITH),
    (STRONG, PITH),
    (SKIN, STRONG, CORTEX),
    (XYLEM, STRONG, PITH),
    (SKIN, CORTEX, STRONG, PITH, PITH),
    (SKIN, XYLEM, CORTEX),
)
"""Tissues from the skin inwards: herbs, roots, straws, needles; some begin below the skin."""
STRAWS = (
    (SKIN, STRONG, PITH),
    (SKIN, STRONG, CORTEX, PITH),
    (SKIN, STRONG, STRONG, PITH),
    (SKIN, STRONG, BAST, STRONG),
)
"""Those of straws and bast plants: below the skin, rings of cells with thick walls."""


@dataclass(slots=True)
class Organ:
    """Where an organ lies: its middle, its radius, and its cells as (N, 8): y, x, radius, squeeze, angle, wall, round, deep."""

    y: float
    x: float
    radius: float
    cells: Array


def placed(rng: Rng, shape: Shape, *, whole: float = 0.15) -> Organ:
    """Place an organ: its edge crosses the field, or (with the chance ``whole``) it is all in it, or only its inside is seen."""
    wide = math.hypot(*shape)
    all_in = rng.random() < whole
    radius = wide * (between(rng, 0.28, 0.6) if all_in else between(rng, 0.8, 6.0))
    away = float(rng.choice([0.5, 1.5, rng.uniform(0, 2)])) * math.pi + float(rng.normal(0, 0.25))
    inside = float(rng.uniform(-0.05, 0.42)) * wide if rng.random() < 0.75 else float(rng.uniform(0.6, 1.2)) * wide
    reach = float(rng.uniform(0, 0.4)) * wide if all_in else radius - inside
    return Organ(
        shape[0] * float(rng.uniform(0.35, 0.65)) + math.sin(away) * reach,
        shape[1] * float(rng.uniform(0.35, 0.65)) + math.cos(away) * reach,
        radius,
        np.zeros((0, 8)),
    )


def _rows(rng: Rng, organ: Organ, shape: Shape, tissue: Tissue, own: float, start: float, end: float) -> Array:
    """Return the cells of one ring, from ``start`` to ``end`` px below the skin, row by row."""
    flat = math.sqrt(float(rng.uniform(*tissue.flat)))
    wall, loose = float(rng.uniform(*tissue.wall)), float(rng.uniform(0.08, 0.5))
    bulge, spread = float(rng.uniform(*tissue.round)), float(rng.uniform(0.03, 0.2))
    middle = math.atan2(shape[0] / 2 - organ.y, shape[1] / 2 - organ.x)
    far = math.hypot(shape[0] / 2 - organ.y, shape[1] / 2 - organ.x)
    half_field = 0.6 * math.hypot(*shape) + 3 * own
    found = []
    depth = start + own / flat
    while depth < end + 0.3 * own:
        rho = organ.radius - depth
        if rho < own:
            break
        if abs(rho - far) < half_field:
            pitch = 2 * own * flat * 0.97
            half = min(math.pi, half_field / max(rho, 1) * 1.25) if rho > 0.4 * half_field else math.pi
            number = min(max(int(2 * half * rho / pitch), 1), 400)
            theta = middle + (np.arange(number) + rng.random()) / number * 2 * half - half
            at = rho + rng.normal(0, loose * own * 0.45, number)
            theta = theta + rng.normal(0, loose * own * 0.45, number) / rho
            size = own * np.exp(rng.normal(0, spread, number))
            y, x = organ.y + np.sin(theta) * at, organ.x + np.cos(theta) * at
            one = np.ones(number)
            found.append(
                np.column_stack(
                    [y, x, size, flat * one, theta + math.pi / 2, wall * size + 0.35, bulge * one, rng.random(number)]
                )
            )
        depth += 2 * own / flat * 0.9
    return np.concatenate(found) if found else np.zeros((0, 8))


def _within(cells: Array, shape: Shape) -> Array:
    """Return the cells that the field shows a part of."""
    margin = cells[:, 2] * 2
    keep = (np.abs(cells[:, 0] - shape[0] / 2) < shape[0] / 2 + margin) & (
        np.abs(cells[:, 1] - shape[1] / 2) < shape[1] / 2 + margin
    )
    return cells[keep]


def _replaced(cells: Array, new: Array, room: float = 0.6) -> Array:
    """Return the cells with ``new`` put in: those in their way go."""
    if not len(cells) or not len(new):
        return np.concatenate([cells, new])
    apart = np.hypot(cells[:, None, 0] - new[None, :, 0], cells[:, None, 1] - new[None, :, 1])
    free = (apart > new[None, :, 2] + cells[:, None, 2] * room).all(axis=1)
    return np.concatenate([cells[free], new])


def _wide(rng: Rng, points: Array, r: float, wall: float) -> Array:
    """Return vessels at ``points`` (N, 2), wide round cells; none in another's way."""
    kept: list[Array] = []
    for y, x in points:
        size = r * float(np.exp(rng.normal(0, 0.22)))
        if all(math.hypot(y - k[0], x - k[1]) > size + k[2] + 1 for k in kept):
            squeeze = float(rng.uniform(1, 1.2))
            one = [y, x, size, squeeze, rng.uniform(0, 6), wall * r, rng.uniform(0.92, 1.05), 0.5 + 0.5 * rng.random()]
            kept.append(np.array(one))
    return np.array(kept).reshape(-1, 8)


def herb(rng: Rng, organ: Organ, shape: Shape, grain: float, *, plans: tuple[tuple[Tissue, ...], ...] = PLANS) -> Array:
    """Fill an organ with the tissues of a stem, root, straw or needle; vessels and bundles among them."""
    plan = plans[int(rng.integers(len(plans)))]
    depth, parts = 0.0, []
    vessels = []
    for k, tissue in enumerate(plan):
        own = grain * float(rng.uniform(*tissue.size))
        end = depth + 2 * own * float(rng.uniform(*tissue.deep)) if k < len(plan) - 1 else organ.radius
        parts.append(_rows(rng, organ, shape, tissue, own, depth, min(end, organ.radius)))
        if tissue is XYLEM or (tissue in (STRONG, CORTEX) and rng.random() < 0.3):
            vessels.append((depth, end, own))
        depth = end
    cells = _within(np.concatenate(parts), shape)
    for start, end, own in vessels:
        rho = organ.radius - np.hypot(cells[:, 0] - organ.y, cells[:, 1] - organ.x)
        ring = cells[(rho > start) & (rho < end)]
        if len(ring):
            spots = ring[rng.integers(0, len(ring), int(rng.integers(2, 12))), :2]
            cells = _replaced(
                cells, _wide(rng, spots, own * float(rng.uniform(1.8, 4.2)), float(rng.uniform(0.06, 0.14)))
            )
    if plan[-1] is PITH and rng.random() < 0.4:  # a grass: bundles in the pith
        inner = cells[cells[:, 2] > grain * 1.1]
        for y, x in inner[rng.integers(0, len(inner), int(rng.integers(1, 6))), :2] if len(inner) else ():
            cells = _replaced(cells, _bundle(rng, y, x, grain), 0.9)
    return cells


def _bundle(rng: Rng, y: float, x: float, grain: float) -> Array:
    """Return a bundle: two to four vessels in a sheath of small cells with thick walls."""
    small, wide = grain * float(rng.uniform(0.35, 0.55)), grain * float(rng.uniform(0.8, 1.6))
    turn = float(rng.uniform(0, 6.3))
    reach = wide * float(rng.uniform(2.0, 3.0))
    n = int(reach / small / 0.9) + 1
    row, column = np.mgrid[-n : n + 1, -n : n + 1]
    dy = row.ravel() * 1.7 * small
    dx = (column.ravel() + 0.5 * (row.ravel() % 2)) * 1.95 * small
    there = np.hypot(dy, dx * 0.85) < reach
    dy, dx = dy[there] + rng.normal(0, 0.2 * small, there.sum()), dx[there] + rng.normal(0, 0.2 * small, there.sum())
    one = np.ones(len(dy))
    size = small * np.exp(rng.normal(0, 0.15, len(dy)))
    cells = np.column_stack([y + dy, x + dx, size, one, one, 0.35 * size + 0.3, one * 0.95, rng.random(len(dy))])
    angles = turn + np.array([0.0, math.pi, math.pi / 2, -math.pi / 2])[: int(rng.integers(2, 5))]
    out = np.array([1.15, 1.15, 1.0, 1.2])[: len(angles)] * wide
    spots = np.column_stack([y + np.sin(angles) * out, x + np.cos(angles) * out])
    return _replaced(cells, _wide(rng, spots, wide * 0.85, 0.12))


def timber(rng: Rng, organ: Organ, shape: Shape, grain: float) -> Array:
    """Fill an organ with wood: files of cells along the radius, rings of growth, rays, resin ducts or vessels."""
    across = grain * float(rng.uniform(0.6, 1.0)) * 2
    ring = across * float(rng.uniform(6, 30))
    late, thick = float(rng.uniform(0.35, 0.9)), float(rng.uniform(0.12, 0.3))
    centre = math.hypot(shape[0] / 2 - organ.y, shape[1] / 2 - organ.x)
    middle = math.atan2(shape[0] / 2 - organ.y, shape[1] / 2 - organ.x)
    reach = 0.55 * math.hypot(*shape) + across
    files = int(2 * reach / across) + 1
    every = int(rng.integers(4, 18))
    phase, hard = float(rng.uniform(0, 1)), rng.random() < 0.45
    found = []
    for file in range(files):
        offset = (file - files / 2) * across
        ray = file % every == 0
        at = centre - reach + float(rng.uniform(0, across))
        while at < centre + reach:
            part = (at / ring + phase) % 1.0
            tall = across * (float(rng.uniform(2, 5)) if ray else 1.15 - late * max(part - 0.55, 0) / 0.45)
            if not ray:
                tall *= float(np.exp(rng.normal(0, 0.1)))
            broad = across * (0.55 if ray else 1.0)
            r = math.sqrt(tall * broad) / 2
            thickness = r * thick * (1 + 1.3 * max(part - 0.6, 0)) + 0.3
            found.append([at + tall / 2, offset, r, math.sqrt(broad / tall), thickness, 0.0 if ray else rng.random()])
            at += tall
    rows = np.array(found)
    rho, side = rows[:, 0], rows[:, 1] + rng.normal(0, 0.06 * across, len(rows))
    theta = middle + side / max(centre, 0.5 * reach)
    one = np.ones(len(rows))
    cells = np.column_stack(
        [
            organ.y + np.sin(theta) * rho,
            organ.x + np.cos(theta) * rho,
            rows[:, 2],
            rows[:, 3],
            theta + math.pi / 2,
            rows[:, 4],
            one * rng.uniform(1.0, 1.35),
            rows[:, 5],
        ]
    )
    cells = _within(cells[rho < organ.radius - 0.3 * across], shape)
    if hard or rng.random() < 0.3:
        number = int(rng.integers(3, 22)) if hard else int(rng.integers(1, 3))
        spots = rng.uniform(-0.05, 1.05, (number * 2, 2)) * shape
        if hard and rng.random() < 0.6:  # in the early part of the year
            parts = (np.hypot(spots[:, 0] - organ.y, spots[:, 1] - organ.x) / ring + phase) % 1.0
            spots = spots[parts < 0.35]
        cells = _replaced(cells, _wide(rng, spots[:number], across * float(rng.uniform(0.8, 2.2)), 0.1))
    return cells
