"""Coatings, what lies on them and how they end: drops, drying, edges, sections, flakes, splats; sub-kinds of ``films``."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from nffa_cli.render.kind import Draw
from nffa_cli.render.kinds.layers import leaned, middles, specks
from nffa_cli.render.plans import log_uniform, noise, polygon, union, waves
from nffa_cli.render.scene import (
    Array,
    Scene,
    blur,
    cells,
    ellipsoid,
    fbm,
    grid,
    scatter,
    stamp_all,
    stamp_max,
    step,
    warped,
)

Rng = np.random.Generator
Shape = tuple[int, int]


def _plane(shape: Shape) -> tuple[Array, Array]:
    """Return (y, x) of each pixel."""
    y, x = np.broadcast_arrays(*grid(shape))
    return y, x


def _texture(rng: Rng, shape: Shape) -> Array:
    """Return the fine relief of some film: smooth, fine-grained or granular."""
    chosen = rng.random()
    if chosen < 0.35:
        return noise(rng, shape, rng.uniform(2, 8), octaves=3) * np.float32(rng.uniform(0.02, 0.3))
    if chosen < 0.6:
        return noise(rng, shape, rng.uniform(3, 6), octaves=2) * np.float32(rng.uniform(0.2, 0.7))
    if chosen < 0.78:
        period = rng.uniform(4, 12)
        return np.tanh(waves(rng, shape, period, rng.uniform(0.3, 0.6)) * 1.3) * np.float32(
            period * rng.uniform(0.03, 0.12)
        )
    scale = rng.uniform(5, 16)
    grains = cells(rng, shape, scale=scale, at=warped(rng, shape, scale * 0.12, scale * 0.7)).border
    return np.sqrt(np.minimum(grains / np.float32(scale * 0.25), 1)) * np.float32(scale * rng.uniform(0.04, 0.12))


def _drops(rng: Rng, shape: Shape) -> Scene:
    """Draw a film with drops or domes on it, of few or of many sizes."""
    radius = log_uniform(rng, 3, 26)
    height = _texture(rng, shape) * np.float32(0.5)
    points = scatter(rng, shape, radius * rng.uniform(1.6, 5), margin=radius)[:120]
    material = np.ones(shape, np.float32)
    spread, flat = rng.uniform(0.1, 0.7), rng.uniform(0.3, 1.0)
    sizes = radius * np.exp(rng.normal(0, spread, 6)).clip(0.3, 2.0)
    patches = [ellipsoid(a, a * rng.uniform(0.8, 1), a * flat, rng.uniform(0, 3), sunk=1.0) for a in sizes]
    tone = np.full(len(points), rng.uniform(0.7, 1.4), np.float32)
    stamp_all(height, patches, points, base=None, material=material, values=tone)
    return leaned(rng, Scene(blur(height, 0.4), material))


def _coffee(rng: Rng, shape: Shape) -> Scene:
    """Draw what drops leave when they dry: rims, inner rings, grains and cracks within."""
    y, x = _plane(shape)
    height, material = _texture(rng, shape) * np.float32(0.4), np.ones(shape, np.float32)
    tone = rng.uniform(-0.35, 0.35)
    for _ in range(int(rng.integers(1, 6))):
        radius = log_uniform(rng, 14, 120)
        far = np.hypot(y - rng.uniform(-10, shape[0]), x - rng.uniform(-10, shape[1]))
        far = (
            far
            + noise(rng, shape, radius, octaves=3) * np.float32(radius * rng.uniform(0.02, 0.12))
            - np.float32(radius)
        )
        wide = rng.uniform(1, 6)
        height += np.exp(-np.square(far / np.float32(wide)) * np.where(far > 0, 4, 0.5)) * np.float32(
            rng.uniform(0.8, 5)
        )
        inside = step(-far, 0, 2)
        material += inside * np.float32(tone)
        if rng.random() < 0.5:
            rings = np.sin(far / np.float32(rng.uniform(2, 8))) * inside
            height += rings.astype(np.float32) * np.float32(rng.uniform(0.1, 0.5))
        if rng.random() < 0.4:
            height += inside * np.maximum(noise(rng, shape, 4, octaves=2), 0) * np.float32(rng.uniform(0.3, 1.5))
    return leaned(rng, Scene(height, np.maximum(material, 0.3)), 0.15)


def _fronts(rng: Rng, shape: Shape) -> Scene:
    """Draw drying lines, striations of spin coating with comets, runs."""
    y, x = _plane(shape)
    turn = rng.uniform(0, math.pi)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    height = _texture(rng, shape) * np.float32(0.4)
    if rng.random() < 0.5:
        bent = (
            across
            + np.square(along - rng.uniform(0, 250)) / np.float32(rng.uniform(200, 900))
            + noise(rng, shape, 60) * 4
        )
        pitch = log_uniform(rng, 6, 40)
        place = bent / np.float32(pitch)
        number = np.floor(place)
        low = place - number
        strong = rng.uniform(0.2, 1.0, 64).astype(np.float32)[number.astype(int) & 63]
        height += (np.exp(-low * 6) * strong).astype(np.float32) * np.float32(rng.uniform(0.6, 4))
    else:
        long = (6.0, 300.0) if rng.random() < 0.5 else (300.0, rng.uniform(6, 20))
        height += fbm(rng, shape, long, octaves=3) * np.float32(rng.uniform(0.2, 1.2))
    found = Scene(height, np.ones(shape, np.float32) + noise(rng, shape, 70) * np.float32(rng.uniform(0, 0.08)))
    if rng.random() < 0.5:
        specks(rng, found, int(rng.integers(1, 12)), rng.uniform(1, 4), hole=rng.random() < 0.3)
    return leaned(rng, found, 0.1)


def _section(rng: Rng, shape: Shape) -> Scene:
    """Draw a broken edge: the top of the coating above, its columns or layers and the substrate in front."""
    y, x = _plane(shape)
    slant = (x - shape[1] / 2) * np.float32(rng.normal(0, 0.06))
    edge = y - slant - np.float32(shape[0] * rng.uniform(0.1, 0.55))
    ragged = noise(rng, (1, shape[1]), log_uniform(rng, 10, 80), octaves=3)
    edge = edge + ragged * np.float32(rng.uniform(0.2, 3.5))
    squeeze = rng.uniform(0.15, 0.7)
    tall = (math.ceil(shape[0]), shape[1])
    scale = log_uniform(rng, 5, 26)
    v, u = _plane(tall)
    top = cells(rng, tall, scale=scale, at=(v / np.float32(squeeze), u))
    domes = np.sqrt(np.minimum(top.border / np.float32(scale * 0.4), 1)) * np.float32(scale * rng.uniform(0.05, 0.3))
    if rng.random() < 0.3:
        domes = noise(rng, shape, 5, octaves=2) * np.float32(0.2)
    height, material = domes.astype(np.float32), np.full(shape, rng.uniform(0.8, 1.2), np.float32)
    face = step(edge, 0.5, 1.5)
    layers = int(rng.integers(1, 5))
    depth = edge.copy()
    inner = np.zeros(shape, np.float32)
    tone = np.full(shape, rng.uniform(0.4, 0.9), np.float32)
    for number in range(layers):
        thick = log_uniform(rng, 6, 80)
        here = step(depth, 0, 1.2) * (1 - step(depth - np.float32(thick), 0, 1.2))
        if number == 0 or rng.random() < 0.3:
            wide = rng.uniform(2, 9)
            grain = fbm(rng, shape, (wide * rng.uniform(1, 12), wide), octaves=2)
            inner += here * grain * np.float32(rng.uniform(0.1, 0.9))
        tone += here * (np.float32(rng.uniform(0.5, 1.6)) - tone)
        inner += np.exp(-np.square((depth - np.float32(thick)) / 1.2)) * np.float32(rng.normal(0, 0.6))
        depth = depth - np.float32(thick) + noise(rng, (1, shape[1]), 20)[:1] * np.float32(rng.uniform(0, 1.5))
    river = fbm(rng, shape, (rng.uniform(30, 150), rng.uniform(10, 40)), octaves=4)
    inner += step(depth, 0, 2) * river * np.float32(rng.uniform(0.1, 1.5))
    height = height * (1 - face) + (inner - np.float32(rng.uniform(2, 12))) * face
    material = material * (1 - face) + np.maximum(tone, 0.2) * face
    return Scene(height, material)


def _polished(rng: Rng, shape: Shape) -> Scene:
    """Draw a polished section: resin, coating with pores and layers, substrate; contrast by material."""
    y, x = _plane(shape)
    turn = rng.normal(0, 0.08) + rng.choice([0, 0, math.pi / 2, math.pi])
    at = (y - shape[0] / 2) * math.cos(turn) + (x - shape[1] / 2) * math.sin(turn)
    height = noise(rng, shape, 60) * np.float32(0.3)
    material = np.full(shape, rng.uniform(0.15, 0.5), np.float32)
    place = -rng.uniform(20, 90)
    for _ in range(int(rng.integers(2, 6))):
        rim = (
            at - np.float32(place) + noise(rng, shape, rng.uniform(10, 60), octaves=3) * np.float32(rng.uniform(0.3, 5))
        )
        layer = step(rim, 0, 1.2)
        pores = np.zeros(shape, np.float32)
        if rng.random() < 0.6:
            field = noise(rng, shape, rng.uniform(4, 16), octaves=3)
            pores = step(field, rng.uniform(1.2, 2.2), 0.2)
        cloud = noise(rng, shape, rng.uniform(4, 40), octaves=2)
        tone = np.float32(rng.uniform(0.5, 1.7)) + cloud * np.float32(rng.uniform(0, 0.08))
        material += layer * (tone * (1 - 0.6 * pores) - material)
        height -= layer * pores * np.float32(rng.uniform(0, 3))
        place += log_uniform(rng, 8, 90)
    if rng.random() < 0.4:
        crack = np.abs(at - np.float32(place * 0.5) + noise(rng, shape, 40) * 6)
        material *= 1 - 0.6 * np.exp(-np.square(crack / 1.2))
    return Scene(height, np.maximum(material, 0.08), shade=rng.uniform(0.2, 0.6))


def _sprayed(rng: Rng, shape: Shape) -> Scene:
    """Draw a thermally sprayed or aerosol coating: splats, lumps, fine cracks."""
    radius = log_uniform(rng, 9, 34)
    height = noise(rng, shape, radius * 3) * np.float32(radius * 0.2)
    material = np.ones(shape, np.float32)
    patches = []
    for _ in range(7):
        size = radius * math.exp(rng.normal(0, 0.4))
        reach = math.ceil(size * 1.3)
        b, a = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        ring_noise = noise(rng, a.shape, size * 0.7, octaves=2) * np.float32(0.2)
        far = np.hypot(a, b * rng.uniform(1, 1.5)) / np.float32(size) + ring_noise
        rim = np.exp(-np.square((far - 0.85) / 0.12)) * rng.uniform(0, 1.5)
        patches.append(
            np.where(far < 1, (rim + 2 + (1 - far) * rng.uniform(0, 2)).astype(np.float32), np.float32(-1e9))
        )
    points = scatter(rng, shape, radius * rng.uniform(0.45, 0.9), margin=radius)[:170]
    which = rng.integers(0, 7, len(points))
    for (y, x), number in zip(points, which, strict=True):
        stamp_max(
            height, patches[number], y, x, base=None, sink=0.6, material=material, value=float(rng.uniform(0.9, 1.1))
        )
    if rng.random() < 0.6:
        crack = cells(rng, shape, scale=radius * rng.uniform(0.5, 1), at=warped(rng, shape, 2, 12)).border
        height -= np.exp(-np.square(crack / 0.8)) * np.float32(rng.uniform(0.3, 1.2))
    found = Scene(blur(height, 0.4), material)
    if rng.random() < 0.6:
        specks(rng, found, int(rng.integers(5, 60)), rng.uniform(1, 4))
    return leaned(rng, found, 0.25)


def _window(shape: Shape, y: float, x: float, reach: float) -> tuple[slice, slice]:
    """Return the part of a picture within ``reach`` pixels of a place; it may be empty."""
    top, left = max(int(y - reach), 0), max(int(x - reach), 0)
    return slice(top, max(int(y + reach) + 2, top)), slice(left, max(int(x + reach) + 2, left))


def _blisters(rng: Rng, shape: Shape) -> Scene:
    """Draw blisters, some of them open, some run together."""
    y, x = _plane(shape)
    height = _texture(rng, shape) * np.float32(0.5)
    material, radius = np.ones(shape, np.float32), log_uniform(rng, 8, 55)
    ragged = noise(rng, shape, radius * 0.5, octaves=2) * np.float32(0.2)
    for py, px in scatter(rng, shape, radius * rng.uniform(1.6, 3), margin=radius)[: int(rng.integers(3, 24))]:
        size = radius * rng.uniform(0.4, 1.1)
        here = _window(shape, py, px, size)
        far = np.hypot(y[here] - py, x[here] - px) / np.float32(size)
        height[here] += np.maximum(1 - far * far, 0) ** np.float32(1.3) * np.float32(size * rng.uniform(0.15, 0.5))
        if rng.random() < 0.3:
            burst = far + ragged[here] < 0.55
            height[here] = np.where(burst, np.float32(-3), height[here])
            material[here] = np.where(burst, np.float32(rng.uniform(0.4, 0.9)), material[here])
    return leaned(rng, Scene(blur(height, 0.5), material), 0.5)


def _covered_edge(rng: Rng, shape: Shape) -> Scene:
    """Draw where a film ends on its ground: a masked, torn or wiped edge, two textures and two greys."""
    y, x = _plane(shape)
    turn = rng.uniform(0, 2 * math.pi)
    line = (x - shape[1] / 2) * math.cos(turn) + (y - shape[0] / 2) * math.sin(turn) + np.float32(rng.normal(0, 30))
    line = line + noise(rng, shape, rng.uniform(10, 90), octaves=4) * np.float32(rng.choice([0.5, rng.uniform(1, 14)]))
    film, thick = step(line, 0, rng.uniform(1, 4)), rng.uniform(0.5, 8)
    height = (
        _texture(rng, shape) * film + _texture(rng, shape) * (1 - film) * np.float32(0.5) + film * np.float32(thick)
    )
    if rng.random() < 0.4:
        height += np.exp(-np.square(line / np.float32(rng.uniform(2, 6)))) * np.float32(rng.uniform(0.5, 4))
    tone = rng.uniform(0.5, 1.4)
    found = Scene(height.astype(np.float32), 1 + film * np.float32(tone - 1))
    if rng.random() < 0.4:
        crumbs = step(noise(rng, shape, 8, octaves=2), 1.2, 0.2) * np.exp(-np.abs(line) / 25)
        found.height += crumbs * np.float32(thick)
    if rng.random() < 0.4:
        specks(rng, found, int(rng.integers(2, 25)), rng.uniform(1, 3))
    return leaned(rng, found)


def _peeling(rng: Rng, shape: Shape) -> Scene:
    """Draw a film in pieces: some curled up at their edges, some gone, the ground seen between."""
    scale = log_uniform(rng, 25, 110)
    field = cells(rng, shape, scale=scale, at=warped(rng, shape, scale * 0.05, scale * 0.5))
    y, x = middles(field)
    gone = field.values((rng.random(field.count) < rng.uniform(0.05, 0.45)).astype(np.float32)) > 0.5
    lift = field.values(
        (rng.random(field.count) < rng.uniform(0.2, 0.9)) * rng.uniform(0.02, 0.25, field.count).astype(np.float32)
    )
    bearing = field.values(rng.uniform(0, 2 * math.pi, field.count).astype(np.float32))
    reach = np.maximum(np.cos(bearing) * x + np.sin(bearing) * y, 0)
    plate = step(field.border, rng.uniform(0.5, 3), 1.2)
    height = plate * (rng.uniform(1.5, 5) + lift * np.minimum(reach**2 / np.float32(scale * 0.5), scale))
    height = np.where(gone, 0, height) + _texture(rng, shape) * np.float32(0.4)
    tone = np.float32(rng.uniform(0.5, 1.5))
    return leaned(
        rng,
        Scene(blur(height.astype(np.float32), 0.4), np.where(gone | (plate < 0.5), tone, 1).astype(np.float32)),
        0.4,
    )


def _flakes(rng: Rng, shape: Shape) -> Scene:
    """Draw thin crystals on a ground: triangles, hexagons, torn sheets with folds, of one or more layers."""
    y, x = _plane(shape)
    height = noise(rng, shape, rng.uniform(2, 8), octaves=2) * np.float32(rng.uniform(0.02, 0.12))
    material = np.ones(shape, np.float32)
    sides, dark = int(rng.choice([3, 3, 6, 0])), rng.uniform(0.12, 0.4) * rng.choice([-1, -1, 1])
    turn0, radius = rng.uniform(0, 2 * math.pi), log_uniform(rng, 10, 70)
    for _ in range(int(rng.integers(2, 5 + 300 // radius**1.2 + 1))):
        cy, cx, size = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), radius * rng.uniform(0.4, 1.2)
        count = sides or int(rng.integers(4, 8))
        turns = turn0 + rng.choice([0, math.pi]) + rng.normal(0, 0.06) + np.arange(count) * 2 * math.pi / count
        far = np.full(count, size) if sides else size * rng.uniform(0.4, 1.2, count)
        here = _window(shape, cy, cx, size * 1.25)
        corners = [(cx + f * math.cos(t), cy + f * math.sin(t)) for f, t in zip(far, turns, strict=True)]
        piece = polygon(x[here], y[here], corners)
        for layer in range(int(rng.choice([1, 1, 2, 3]))):
            inside = np.clip(0.5 - (piece + np.float32(layer * size * 0.22)), 0, 1)
            material[here] += inside * np.float32(dark / (1 + layer))
            height[here] += inside * np.float32(rng.uniform(0, 0.5))
    if rng.random() < 0.4:
        folds = np.abs(waves(rng, shape, rng.uniform(60, 110), 0.3)) * 30
        height += np.exp(-np.square(folds / 1.2)) * np.float32(rng.uniform(0.2, 0.8))
    found = Scene(height, np.maximum(material, 0.2), shade=rng.uniform(0.5, 1))
    if rng.random() < 0.4:
        specks(rng, found, int(rng.integers(1, 20)), rng.uniform(0.8, 2.5))
    return leaned(rng, found, 0.1)


def _outgrowths(rng: Rng, shape: Shape) -> Scene:
    """Draw a film with scattered drops, crystals or particles, the ground in the majority."""
    found = Scene(_texture(rng, shape), np.ones(shape, np.float32))
    for _ in range(int(rng.integers(1, 4))):
        specks(rng, found, int(rng.integers(4, 40)), log_uniform(rng, 1, 7))
    if rng.random() < 0.4:
        specks(rng, found, int(rng.integers(2, 12)), rng.uniform(1, 4), hole=True)
    return leaned(rng, found)


def _dendrites(rng: Rng, shape: Shape) -> Scene:
    """Draw branched crystals in a film: arms with side arms, one to several."""
    y, x = _plane(shape)
    best = np.full(shape, 1e3, np.float32)
    for _ in range(int(rng.integers(1, 6))):
        arms, size = int(rng.choice([2, 4, 4, 6])), log_uniform(rng, 30, 150)
        dy, dx = y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1])
        dy = dy + noise(rng, shape, 30, octaves=3) * np.float32(size * 0.03)
        far, bearing = np.hypot(dy, dx), np.arctan2(dy, dx) + rng.uniform(0, 6)
        fold = np.abs(np.mod(bearing + math.pi / arms, 2 * math.pi / arms) - math.pi / arms)
        along, across = far * np.cos(fold), far * np.sin(fold)
        trunk = across - np.float32(size * 0.03) * (1.2 - along / np.float32(size))
        lean, pitch = rng.uniform(0.4, 1.0), size * rng.uniform(0.06, 0.14)
        slant = along - across * np.float32(lean)
        branch = np.abs(np.mod(slant, pitch) - pitch / 2) - np.float32(pitch * rng.uniform(0.15, 0.28))
        branch = np.maximum(branch, across - (size - along) * np.float32(rng.uniform(0.25, 0.5)))
        best = np.minimum(best, np.maximum(np.minimum(trunk, branch), far - np.float32(size)))
    inside = np.clip(0.5 - best / 1.5, 0, 1)
    rise = np.sqrt(np.clip(-best / 3, 0, 1))
    height = _texture(rng, shape) * np.float32(0.5) + rise * np.float32(rng.uniform(0.8, 5))
    return leaned(rng, Scene(height.astype(np.float32), 1 + inside * np.float32(rng.uniform(-0.3, 0.5))), 0.15)


def _spherulites(rng: Rng, shape: Shape) -> Scene:
    """Draw round crystal fans that meet: rays from each centre, with bands now and then."""
    scale = log_uniform(rng, 40, 130)
    field = cells(rng, shape, scale=scale, at=warped(rng, shape, 2, 30))
    y, x = middles(field)
    far = field.distance
    bearing = np.arctan2(y, x)
    fine = rng.integers(20, 60)
    bent = bearing * fine + noise(rng, shape, rng.uniform(6, 14), octaves=3) * np.float32(rng.uniform(1.0, 3))
    height = np.sin(bent).astype(np.float32) * np.minimum(far / 20, 1) * np.float32(rng.uniform(0.3, 1.2))
    if rng.random() < 0.4:
        height += np.sin(far / np.float32(rng.uniform(1.5, 5))) * np.float32(rng.uniform(0.3, 1))
    height += np.minimum(field.border, 3) * np.float32(rng.uniform(0.1, 0.5)) - far * np.float32(rng.uniform(0, 0.05))
    return leaned(rng, Scene(blur(height, 0.5), np.ones(shape, np.float32)), 0.2)


def _brushed(rng: Rng, shape: Shape) -> Scene:
    """Draw a coating that follows a ground, brushed or rolled metal or paper, with pits and dust."""
    grooves = fbm(rng, shape, (rng.uniform(3, 12), rng.uniform(80, 400)), octaves=3)
    height = grooves * np.float32(log_uniform(rng, 0.15, 1.5))
    if rng.random() < 0.85:
        height = ndimage.rotate(
            np.pad(height, 60, mode="reflect"), rng.uniform(0, 90), reshape=False, order=1, mode="reflect"
        )
        height = np.ascontiguousarray(height[60:-60, 60:-60])
    height = height + _texture(rng, shape) * np.float32(0.7)
    found = Scene(height.astype(np.float32), np.ones(shape, np.float32))
    if rng.random() < 0.7:
        specks(rng, found, int(rng.integers(2, 30)), rng.uniform(0.8, 4), hole=rng.random() < 0.5)
    return leaned(rng, found, 0.2)


def _two_layers(rng: Rng, shape: Shape) -> Scene:
    """Draw a film worn or etched through in places, so that the layer below shows its own texture."""
    field = noise(rng, shape, rng.uniform(25, 110), octaves=5) - np.float32(rng.uniform(-0.8, 1.0))
    if rng.random() < 0.4:
        y, x = _plane(shape)
        spots = scatter(rng, shape, 45, margin=20)[: int(rng.integers(2, 12))]
        holes = union(
            (np.hypot(y - py, x - px) - np.float32(rng.uniform(5, 24))).astype(np.float32) for py, px in spots
        )
        field = np.minimum(holes, 20) / 10 + noise(rng, shape, 10, octaves=2) * np.float32(0.05)
    film = step(field, 0, 0.06)
    height = film * (_texture(rng, shape) + np.float32(rng.uniform(1, 6))) + (1 - film) * _texture(rng, shape)
    return leaned(rng, Scene(height.astype(np.float32), 1 + (1 - film) * np.float32(rng.uniform(-0.5, 0.5))), 0.2)


ROWS: tuple[tuple[str, Draw, tuple[float, float]], ...] = (
    ("drops", _drops, (1e-6, 500e-6)),
    ("coffee_stains", _coffee, (20e-6, 3e-3)),
    ("drying_fronts", _fronts, (10e-6, 3e-3)),
    ("broken_edge", _section, (0.5e-6, 100e-6)),
    ("polished_section", _polished, (5e-6, 1e-3)),
    ("sprayed", _sprayed, (20e-6, 1e-3)),
    ("blisters", _blisters, (5e-6, 2e-3)),
    ("covered_edge", _covered_edge, (1e-6, 1e-3)),
    ("peeling", _peeling, (5e-6, 2e-3)),
    ("flakes", _flakes, (2e-6, 200e-6)),
    ("outgrowths", _outgrowths, (1e-6, 100e-6)),
    ("dendrites", _dendrites, (5e-6, 1e-3)),
    ("spherulites", _spherulites, (5e-6, 500e-6)),
    ("brushed", _brushed, (10e-6, 3e-3)),
    ("worn_through", _two_layers, (2e-6, 1e-3)),
)
