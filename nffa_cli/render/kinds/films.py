"""Films and Coated Surface: a continuous layer, or what a layer does, fills the field.

Written rule: the picture is about a film or a coated surface: smooth with few flaws, granular, columnar, faceted,
cracked, wrinkled, blistered, in islands, in terraces, drying, peeling, or cut to show its layers. Texture is
stationary and belongs to the layer; it has no lattice (Patterned surface), no lay-out (MEMS), no pores that are its
substance (Porous Sponge). Loose grains may lie on it while the ground dominates; when they cover it, it is Powder or
Particles. Here: grains, cracks, wrinkles; grains of mixed size are in ``polycrystals``; coatings, flakes, edges and
sections are in ``coatings``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import coatings, polycrystals
from nffa_cli.render.kinds.layers import leaned, middles, specks
from nffa_cli.render.plans import log_uniform, noise, waves
from nffa_cli.render.scene import Array, Cells, Scene, blur, cells, ridged, step, warped

Rng = np.random.Generator
Shape = tuple[int, int]


def _smooth(rng: Rng, shape: Shape) -> Scene:
    """Draw an even film with few pinholes, grains of dust and scratches."""
    height = noise(rng, shape, rng.uniform(2, 12), octaves=3) * np.float32(log_uniform(rng, 0.02, 0.25))
    height += noise(rng, shape, rng.uniform(40, 120), octaves=2) * np.float32(rng.uniform(0, 1.5))
    if rng.random() < 0.3:
        height += noise(rng, shape, 90) * np.float32(0.5) + ridged(rng, shape, (160.0, 5.0), octaves=2) * np.float32(
            0.4
        )
    found = Scene(height, np.ones(shape, np.float32), shade=rng.uniform(0.7, 1))
    if rng.random() < 0.6:
        specks(rng, found, int(rng.integers(1, 30)), rng.uniform(0.8, 3), hole=True)
    if rng.random() < 0.7:
        specks(rng, found, int(rng.integers(1, 20)), rng.uniform(0.8, 4))
    if rng.random() < 0.3:
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        for _ in range(int(rng.integers(1, 6))):
            turn = rng.normal(0.6, 0.3)
            far = (y - rng.uniform(0, shape[0])) * math.cos(turn) - (x - rng.uniform(0, shape[1])) * math.sin(turn)
            found.height -= np.exp(-((far / rng.uniform(0.6, 2)) ** 2)) * np.float32(rng.uniform(0.5, 2))
    found.height = blur(found.height, 0.6)
    return leaned(rng, found, 0.15)


def _domed(field: Cells, round_: float) -> Array:
    """Return 0 at the borders to 1 inside, rounded over ``round_`` pixels."""
    inside = np.clip(field.border / np.float32(round_), 0, 1)
    return np.sqrt(1 - np.square(1 - inside))


def _nano_grains(rng: Rng, shape: Shape) -> Scene:
    """Draw fine grains, as of a sputtered or evaporated metal."""
    scale = log_uniform(rng, 4, 11)
    field = cells(rng, shape, scale=scale, jitter=rng.uniform(0.7, 1))
    height = _domed(field, scale * 0.6) * np.float32(scale * rng.uniform(0.1, 0.35))
    height += field.values(rng.normal(0, scale * rng.uniform(0.02, 0.2), field.count).astype(np.float32))
    height = blur(height, rng.uniform(0.4, 0.9)) + noise(rng, shape, scale * 5) * np.float32(
        scale * rng.uniform(0, 0.3)
    )
    found = Scene(height, 1 + field.values(rng.normal(0, rng.uniform(0, 0.12), field.count).astype(np.float32)))
    if rng.random() < 0.4:
        specks(rng, found, int(rng.integers(1, 12)), rng.uniform(1.5, 5), hole=rng.random() < 0.3)
    return leaned(rng, found)


def _columns(rng: Rng, shape: Shape) -> Scene:
    """Draw the tops of columns: domes of uneven height with gaps between."""
    scale = log_uniform(rng, 8, 32)
    at = warped(rng, shape, scale * 0.1, scale * 0.7)
    field = cells(
        rng, shape, scale=scale, jitter=rng.uniform(0.5, 1), at=at, stretch=rng.choice([1, 1, rng.uniform(1.2, 2.2)])
    )
    height = _domed(field, scale * rng.uniform(0.25, 0.6)) * np.float32(scale * rng.uniform(0.15, 0.5))
    height += field.values(rng.normal(0, scale * rng.uniform(0.03, 0.2), field.count).astype(np.float32))
    height += noise(rng, shape, rng.uniform(2, 5), octaves=2) * np.float32(rng.uniform(0.05, 0.5))
    material = 1 - np.float32(rng.uniform(0, 0.5)) * np.exp(-field.border / np.float32(rng.uniform(0.5, 2)))
    return leaned(rng, Scene(blur(height, 0.5), material))


def _cauliflower(rng: Rng, shape: Shape) -> Scene:
    """Draw nodules on nodules, as of electrodeposits and vapour-grown carbon."""
    scale = log_uniform(rng, 24, 80)
    height, size = np.zeros(shape, np.float32), scale
    for _ in range(2 if rng.random() < 0.6 else 3):
        field = cells(rng, shape, scale=size, jitter=0.85, at=warped(rng, shape, size * 0.1, size * 0.6))
        dome = np.sqrt(np.maximum(1 - np.square(field.distance / np.float32(size * 0.75)), 0.02))
        height += dome * np.float32(size * rng.uniform(0.25, 0.5))
        height += field.values(rng.normal(0, size * 0.025, field.count).astype(np.float32))
        size *= rng.uniform(0.28, 0.45)
        if size < 3:
            break
    return leaned(rng, Scene(blur(height, 0.6), np.ones(shape, np.float32)))


def _perovskite(rng: Rng, shape: Shape) -> Scene:
    """Draw flat polygonal grains with grooves; greys by grain, growth steps and pinholes here and there."""
    scale = log_uniform(rng, 9, 50)
    at = warped(rng, shape, scale * 0.1, scale * 0.8)
    field = cells(rng, shape, scale=scale, jitter=1.0, at=at)
    groove = rng.uniform(0.8, 0.06 * scale + 1.2)
    height = step(field.border, groove, groove * 2) * np.float32(rng.uniform(0.6, 3))
    y, x = middles(field)
    lean = rng.normal(0, rng.uniform(0.01, 0.08), (2, field.count)).astype(np.float32)
    height += field.values(lean[0]) * y + field.values(lean[1]) * x
    material = 1 + field.values(rng.normal(0, rng.uniform(0.02, 0.15), field.count).astype(np.float32))
    material -= np.float32(rng.uniform(0, 0.4)) * np.exp(-field.border / np.float32(groove))
    if rng.random() < 0.6:
        stepped = field.values((rng.random(field.count) < 0.35).astype(np.float32))
        far = np.hypot(y + scale * 0.2, x * rng.uniform(0.6, 1))
        height += stepped * np.floor(far / np.float32(scale * 0.14)) * np.float32(rng.uniform(0.1, 0.5))
    found = Scene(blur(height, 0.5), material)
    if rng.random() < 0.4:
        specks(rng, found, int(rng.integers(2, 25)), rng.uniform(1, 3))
    return leaned(rng, found, 0.15)


def _facets(rng: Rng, shape: Shape) -> Scene:
    """Draw intergrown crystals with facets, as of diamond, zinc oxide, tungsten."""
    scale = log_uniform(rng, 12, 60)
    field = cells(rng, shape, scale=scale, jitter=1.0)
    y, x = middles(field)
    sides, top = int(rng.choice([3, 3, 4, 4, 6])), rng.random() < 0.4
    turn = field.values(rng.uniform(0, 2 * math.pi, field.count).astype(np.float32))
    tip = np.float32(rng.uniform(0, 0.4)) * field.values(rng.standard_normal(field.count).astype(np.float32))
    height = np.full(shape, 1e6, np.float32)
    for side in range(sides):
        bearing = turn + np.float32(2 * math.pi * side / sides)
        plane = -(np.cos(bearing) * x + np.sin(bearing) * y) * (
            np.float32(rng.uniform(0.5, 1.0)) + (tip if side == 0 else 0)
        )
        np.minimum(height, plane, out=height)
    if top:
        height = np.minimum(height, np.float32(-scale * rng.uniform(0.05, 0.25)))
    height += field.values(rng.normal(0, scale * 0.15, field.count).astype(np.float32))
    if rng.random() < 0.4:
        fine = cells(rng, shape, scale=max(4.0, scale * 0.3))
        height += _domed(fine, scale * 0.1) * np.float32(scale * 0.05)
    return leaned(rng, Scene(blur(height, 0.5), np.ones(shape, np.float32)))


def _needles(rng: Rng, shape: Shape) -> Scene:
    """Draw a film of elongated or platy grains in all directions, rice or pebbles."""
    scale = log_uniform(rng, 5, 16)
    height = np.full(shape, -1e6, np.float32)
    for angle in (0.0, float(rng.uniform(0.5, 2.6))):
        field = cells(rng, shape, scale=scale, stretch=rng.uniform(1.8, 4), angle=angle)
        level = field.values(rng.uniform(-1, 1, field.count).astype(np.float32))
        np.maximum(height, (_domed(field, scale * 0.5) + level * 2) * np.float32(scale * 0.35), out=height)
    return leaned(rng, Scene(blur(height, 0.5), np.ones(shape, np.float32)))


def _mud_cracks(rng: Rng, shape: Shape) -> Scene:
    """Draw cracks that divide the film into plates, wide and narrow ones, plates flat or curled."""
    scale = log_uniform(rng, 18, 110)
    at = warped(rng, shape, scale * rng.uniform(0.03, 0.12), scale * 0.6)
    field = cells(rng, shape, scale=scale, jitter=1, at=at)
    width = scale * log_uniform(rng, 0.015, 0.09) + 0.3
    border = field.border
    if rng.random() < 0.5:
        border = np.minimum(border, cells(rng, shape, scale=scale * 0.4, at=at).border + width * rng.uniform(0.3, 0.7))
    border = border + noise(rng, shape, 8, octaves=2) * np.float32(rng.uniform(0, 0.4))
    plate = step(border, width, 1.2)
    thick = rng.uniform(2, 12)
    curl = np.exp(-border / np.float32(scale * 0.12)) * np.float32(rng.choice([0, rng.uniform(0, 0.1) * scale]))
    height = plate * (thick + curl + field.values(rng.normal(0, 0.5, field.count).astype(np.float32)))
    height += noise(rng, shape, rng.uniform(2, 7), octaves=2) * np.float32(rng.uniform(0.02, 0.4))
    material = np.float32(rng.uniform(0.4, 1.0)) * (1 - plate) + plate
    found = Scene(height, material)
    if rng.random() < 0.35:
        found.charge = plate * np.exp(-border / np.float32(4)) * np.float32(rng.uniform(0.1, 0.5))
    return leaned(rng, found, 0.25)


def _parallel_cracks(rng: Rng, shape: Shape) -> Scene:
    """Draw a film on a stretched or bent ground: cracks in parallel, some across, some that end."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    turn, pitch = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.3), log_uniform(rng, 14, 80)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    across = across + noise(rng, shape, pitch * 1.5, octaves=3) * np.float32(pitch * rng.uniform(0.04, 0.2))
    number = np.floor(across / np.float32(pitch))
    place = rng.uniform(0.1, 0.9, 64).astype(np.float32)[(number.astype(int)) & 63]
    crack = np.abs(across / np.float32(pitch) - number - place) * np.float32(pitch)
    ends = rng.uniform(-1.5, 0.8, 64).astype(np.float32)[(number.astype(int) * 7) & 63]
    crack = crack + np.maximum(noise(rng, shape, 90, octaves=1) * 2 + ends * 3 - 2, 0) * 3
    if rng.random() < 0.15:
        short = np.floor(along / np.float32(pitch * 1.3) + place * 3)
        other = np.abs(along / np.float32(pitch * 1.3) + place * 3 - short - 0.5) * np.float32(pitch * 1.3)
        crack = np.minimum(crack, other + 1)
    film = step(crack, rng.uniform(0.6, 3), 1.2)
    height = film * np.float32(rng.uniform(1.5, 7)) + noise(rng, shape, rng.uniform(2, 8)) * np.float32(
        rng.uniform(0.03, 0.3)
    )
    if rng.random() < 0.4:
        height += np.exp(-crack / 5) * np.float32(rng.uniform(-2, 4))
    return leaned(rng, Scene(height, 1 - (1 - film) * np.float32(rng.uniform(0.1, 0.6))), 0.2)


def _wrinkles(rng: Rng, shape: Shape) -> Scene:
    """Draw buckles of a stiff skin: labyrinths, herringbones, parallel folds, of one or two sizes."""
    period = log_uniform(rng, 7, 45)
    spread = rng.choice([math.pi, rng.uniform(0.1, 0.5)])
    folds = waves(rng, shape, period, rng.uniform(0.2, 0.45), spread=spread, angle=rng.uniform(0, math.pi))
    if rng.random() < 0.3:
        folds = folds + waves(rng, shape, period * 0.35, 0.3) * np.float32(0.3)
    sharp = np.tanh(folds * rng.uniform(0.4, 2)) if rng.random() < 0.5 else 1 - np.abs(folds) * 0.6
    height = sharp.astype(np.float32) * np.float32(period * rng.uniform(0.06, 0.25))
    if rng.random() < 0.4:
        height *= step(noise(rng, shape, 90, octaves=2), rng.uniform(-1, 0.6), 0.8)
    height += noise(rng, shape, 3, octaves=2) * np.float32(rng.uniform(0, 0.15))
    found = Scene(height, np.ones(shape, np.float32))
    if rng.random() < 0.3:
        specks(rng, found, int(rng.integers(1, 10)), rng.uniform(1, 4))
    return leaned(rng, found)


def _cords(rng: Rng, shape: Shape) -> Scene:
    """Draw telephone-cord buckles and straight blisters that wander over a film."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    height = noise(rng, shape, rng.uniform(3, 8), octaves=2) * np.float32(rng.uniform(0.03, 0.2))
    for _ in range(int(rng.integers(1, 6))):
        turn, size = rng.uniform(0, math.pi), rng.uniform(4, 20)
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        along = (x - cx) * math.cos(turn) + (y - cy) * math.sin(turn)
        across = (y - cy) * math.cos(turn) - (x - cx) * math.sin(turn)
        across = across + noise(rng, shape, 120, octaves=1) * 12
        across = across - np.float32(size * rng.uniform(0.3, 1.0)) * np.sin(
            along / np.float32(size * rng.uniform(0.5, 0.9))
        )
        bump = np.maximum(1 - np.square(across / np.float32(size)), 0) * (
            along > rng.choice([-400, rng.uniform(-60, 60)])
        )
        np.maximum(height, bump.astype(np.float32) * np.float32(size * rng.uniform(0.3, 0.7)), out=height)
    return leaned(rng, Scene(blur(height, 0.8), np.ones(shape, np.float32)))


def _islands(rng: Rng, shape: Shape) -> Scene:
    """Draw a film that has not closed or has drawn back: islands, worms, a net with holes."""
    period = log_uniform(rng, 6, 40)
    field = waves(rng, shape, period, rng.uniform(0.3, 0.7)) if rng.random() < 0.6 else noise(rng, shape, period)
    field = field + noise(rng, shape, period * 4, octaves=2) * np.float32(rng.choice([0, 0.4]))
    inside = np.clip((field - np.float32(rng.uniform(-1.0, 0.9))) * rng.uniform(1, 4), 0, 1)
    island = np.sqrt(1 - np.square(1 - inside)).astype(np.float32)
    height = island * np.float32(period * rng.uniform(0.06, 0.35))
    height += noise(rng, shape, 3, octaves=2) * np.float32(rng.uniform(0.0, 0.2))
    ground = np.float32(rng.uniform(0.4, 1.1))
    return leaned(
        rng, Scene(blur(height, 0.5), ground + (np.float32(rng.uniform(0.9, 1.5)) - ground) * step(inside, 0.2, 0.3))
    )


def _terraces(rng: Rng, shape: Shape) -> Scene:
    """Draw growth steps, terraces and spirals of a film of good order."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    levels = rng.uniform(6, 26)
    slope = noise(rng, shape, rng.uniform(80, 200), octaves=3) * np.float32(rng.uniform(0.5, 1.5))
    slope = slope + (x * rng.normal(0, 0.01) + y * rng.normal(0, 0.01))
    twist = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(0, 5))):
        dy, dx = y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1])
        turn = np.arctan2(dy, dx) / np.float32(2 * math.pi)
        spiral = 2.2 - np.hypot(dy, dx) / 40 + turn * np.float32(4 / levels)
        twist = np.where(spiral > slope, turn, twist)
        slope = np.maximum(slope, spiral)
    slope = slope * np.float32(levels / 4)
    low = np.floor(slope)
    height = (low + step(slope - low, 0.9, 0.2) - twist) * np.float32(rng.uniform(0.3, 2.2))
    height += noise(rng, shape, 3, octaves=2) * np.float32(rng.uniform(0, 0.1))
    return leaned(rng, Scene(blur(height, 0.4), np.ones(shape, np.float32)), 0.2)


def _walls(rng: Rng, shape: Shape) -> Scene:
    """Draw thin plates standing on edge, as of hydroxides, nanowalls, corroded or hydrated surfaces."""
    scale = log_uniform(rng, 10, 40)
    if rng.random() < 0.3:
        height = ridged(rng, shape, scale, octaves=2) ** np.float32(rng.uniform(2, 5))
    else:
        height = np.zeros(shape, np.float32)
        for size in (scale, scale * rng.uniform(0.5, 0.8)):
            field = cells(rng, shape, scale=size, at=warped(rng, shape, size * 0.08, size * 0.7))
            wall = np.exp(-np.square(field.border / np.float32(rng.uniform(0.7, 1.2))))
            height = np.maximum(height, wall * np.clip(0.6 + 0.4 * noise(rng, shape, size, octaves=2), 0, 1))
    height = height * np.float32(scale * rng.uniform(0.4, 0.9))
    return leaned(rng, Scene(blur(height, 0.4), np.ones(shape, np.float32)))


def _hillocks(rng: Rng, shape: Shape) -> Scene:
    """Draw a metal film after heating: grains, hillocks, voids at the corners of the grains."""
    scale = log_uniform(rng, 10, 45)
    field = cells(rng, shape, scale=scale)
    height = step(field.border, 0.8, 2) * np.float32(rng.uniform(0.3, 1.2))
    material = 1 + field.values(rng.normal(0, rng.uniform(0.03, 0.18), field.count).astype(np.float32))
    found = Scene(height + noise(rng, shape, 3, octaves=2) * np.float32(0.08), material)
    specks(rng, found, int(rng.integers(4, 40)), scale * rng.uniform(0.06, 0.2), hole=True)
    specks(rng, found, int(rng.integers(0, 20)), scale * rng.uniform(0.1, 0.35))
    return leaned(rng, found, 0.2)


KINDS = kinds(
    ("smooth", _smooth, (1e-6, 2e-3)),
    ("nano_grains", _nano_grains, (0.2e-6, 5e-6)),
    ("columns", _columns, (0.4e-6, 20e-6)),
    ("cauliflower", _cauliflower, (1e-6, 200e-6)),
    ("polygonal_grains", _perovskite, (0.8e-6, 30e-6)),
    ("facets", _facets, (1e-6, 100e-6)),
    ("rice_grains", _needles, (0.5e-6, 30e-6)),
    ("mud_cracks", _mud_cracks, (2e-6, 2e-3)),
    ("parallel_cracks", _parallel_cracks, (5e-6, 1e-3)),
    ("wrinkles", _wrinkles, (2e-6, 1e-3)),
    ("cord_buckles", _cords, (5e-6, 500e-6)),
    ("islands", _islands, (0.3e-6, 30e-6)),
    ("terraces", _terraces, (0.5e-6, 50e-6)),
    ("standing_plates", _walls, (0.5e-6, 30e-6)),
    ("hillocks", _hillocks, (1e-6, 50e-6)),
    *polycrystals.ROWS,
    *coatings.ROWS,
)
