"""Porous Sponge: a solid that is holes for the most part, its walls or struts grown together everywhere.

Written rule: one connected solid with pores in it fills the field: foams open and closed, freeze-dried and salt-leached
scaffolds, aerogels, sintered and dealloyed metals, phase-inverted membranes, corals. The struts end in knots, not in
crossings (threads that pass over each other are fibres); what is cut is a lump of matter, not cells of a plant with
walls of their own and contents (biological); pores on a perfect lattice made by lithography are a patterned surface.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import porous_stone
from nffa_cli.render.pores import TURNS, backdrop, between, bubbles, dust, softened, sponge, struts
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    blur,
    cells,
    crystal,
    fbm,
    place,
    ridged,
    rotation,
    scatter,
    smooth,
    stamp_max,
    step,
    tilt,
    turned,
    warped,
)

Rng = np.random.Generator


def _even(rng: Rng, height: Array, dark: float = 0.0, depth: float = 1.0) -> Scene:
    """Make a scene of one matter; ``dark`` dims what lies ``depth`` px deep, where few electrons come out."""
    below = np.clip(-height / np.float32(max(depth, 1e-3)), 0, 1)
    return Scene(height, (np.float32(rng.uniform(0.8, 1.15)) * (1 - np.float32(dark) * below)).astype(np.float32))


def _framed(rng: Rng, scene: Scene, chance: float = 0.15) -> Scene:
    """Let the lump end inside the field, or lie among others, now and then."""
    if rng.random() > chance:
        return scene
    shape = scene.shape
    edge = smooth(rng, shape, shape[1] * 0.9) + np.float32(0.25) * fbm(rng, shape, shape[1] * 0.12)
    inside = step(edge, rng.uniform(-1.2, -0.2), 0.12)
    return place(backdrop(rng, shape, void=0.6), scene, inside)


def _open_foam(rng: Rng, shape: Shape) -> Scene:
    scale = between(rng, 16, 120) * shape[1] / 256
    height = struts(rng, shape, scale, thick=between(rng, 0.05, 0.17), layers=int(rng.integers(2, 5)),
                    jitter=rng.uniform(0.5, 1.0), node=rng.uniform(1.2, 2.2))  # fmt: skip
    if rng.random() < 0.5:
        height += fbm(rng, shape, max(scale * 0.06, 2)) * np.float32(scale * rng.uniform(0.002, 0.015))
    scene = _even(rng, height, rng.uniform(0.2, 0.7), scale * 3)
    if rng.random() < 0.3:
        dust(scene, rng, number=int(rng.integers(10, 200)), size=max(scale * 0.03, 0.8))
    return _framed(rng, scene)


def _skinned_foam(rng: Rng, shape: Shape) -> Scene:
    """Draw a foam whose cells partly keep their windows: thin skins, whole or holed."""
    scale = between(rng, 25, 110) * shape[1] / 256
    at = warped(rng, shape, scale * 0.1, scale)
    found = cells(rng, shape, scale=scale, jitter=0.9, at=at)
    half = np.float32(scale * rng.uniform(0.04, 0.1))
    wall = np.sqrt(np.maximum(half * half - np.square(found.border), 0))
    sag = np.float32(0.25 * scale) * np.clip(found.border / np.float32(scale * 0.5), 0, 1)
    skin = found.values(rng.uniform(0, 1, found.count)) < rng.uniform(0.15, 0.7)
    hole = found.distance < found.values(scale * rng.uniform(0, 0.4, found.count) * (rng.random(found.count) < 0.6))
    behind = struts(rng, shape, scale * 0.9, thick=0.1, layers=2) - np.float32(scale * 0.8)
    top = np.where(skin & ~hole, -sag, behind)
    height = np.where(found.border < half, wall, top)
    height += smooth(rng, shape, scale * 2) * np.float32(scale * 0.2)
    return _framed(rng, _even(rng, height, 0.4, scale * 2))


def _closed_foam(rng: Rng, shape: Shape) -> Scene:
    """Draw closed cells cut open: round bowls, or polygons where walls are thin."""
    radius = between(rng, 7, 55) * shape[1] / 256
    floor = fbm(rng, shape, radius * 2, octaves=3) * np.float32(radius * rng.uniform(0, 0.15))
    if rng.random() < 0.5:
        height = bubbles(rng, shape, radius, spread=rng.uniform(0.05, 0.5), overlap=rng.uniform(-0.05, 0.15), floor=floor,
                         cut=rng.uniform(0.2, 0.9))  # fmt: skip
    else:
        found = cells(rng, shape, scale=radius * 2, jitter=rng.uniform(0.5, 1), at=warped(rng, shape, radius * 0.1, radius * 2),
                      stretch=float(rng.uniform(1, 1.6)), angle=float(rng.uniform(0, 3.1)))  # fmt: skip
        wall = np.float32(radius * rng.uniform(0.02, 0.12))
        part = np.clip((found.border - wall) / np.float32(radius * 0.9), 0, 1)
        bowl = np.sqrt(np.maximum(1 - np.square(1 - part), 0)) * np.float32(radius * rng.uniform(0.6, 1.8))
        height = floor - bowl * found.values(rng.uniform(0.3, 1.2, found.count)).astype(np.float32)
    if rng.random() < 0.5:
        height += fbm(rng, shape, max(radius * 0.25, 2)) * np.float32(radius * rng.uniform(0.005, 0.03))
    return _framed(rng, _even(rng, height, rng.uniform(0, 0.4), radius))


def _windowed(rng: Rng, shape: Shape) -> Scene:
    """Draw an emulsion-templated solid: round voids that open into one another through round windows."""
    radius = between(rng, 10, 55) * shape[1] / 256
    height = bubbles(rng, shape, radius, spread=rng.uniform(0.05, 0.45), overlap=rng.uniform(0.05, 0.22), windows=0.95,
                     cut=rng.uniform(0.2, 0.7))  # fmt: skip
    height += fbm(rng, shape, max(radius * 0.2, 2)) * np.float32(radius * rng.uniform(0.0, 0.03))
    return _framed(rng, _even(rng, height, rng.uniform(0.2, 0.6), radius * 2))


def _lamellar(rng: Rng, shape: Shape) -> Scene:
    """Draw an ice-templated scaffold: thin walls side by side, bridged here and there, the gaps deep."""
    pitch = between(rng, 6, 40) * shape[1] / 256
    v, u = turned(shape, float(rng.uniform(0, math.pi)))
    bend = smooth(rng, shape, pitch * 9) * np.float32(pitch * rng.uniform(0.4, 1.8))
    bend += smooth(rng, shape, (pitch * 2.5, pitch * 2.5)) * np.float32(pitch * rng.uniform(0.05, 0.22))
    phase = (v + bend) / np.float32(pitch)
    which = np.floor(phase).astype(np.int32)
    part = phase - np.floor(phase)
    far = np.minimum(part, 1 - part) * np.float32(pitch)
    thick = np.float32(pitch * rng.uniform(0.06, 0.2))
    tops = rng.normal(0, 1, 512).astype(np.float32)[np.mod(np.round(phase).astype(np.int32), 512)] * np.float32(
        pitch * 0.5
    )
    tops = tops + fbm(rng, shape, pitch * 3) * np.float32(pitch * 0.25)
    height = np.where(far < thick, tops, np.float32(-pitch * rng.uniform(1.5, 3.5)))
    every = pitch * rng.uniform(1.2, 6)
    along = (
        u / np.float32(every) + rng.uniform(0, 1, 512).astype(np.float32)[np.mod(which, 512)] + bend / np.float32(every)
    )
    rib = np.abs(along - np.round(along)) * np.float32(every)
    bridge = (rib < thick * 0.8) & (
        rng.uniform(0, 1, 512)[np.mod(which + 7 * np.round(along).astype(np.int32), 512)] < 0.6
    )
    height = np.maximum(height, np.where(bridge, np.float32(-pitch * rng.uniform(0, 0.9)), np.float32(-1e6)))
    return _framed(rng, _even(rng, height.astype(np.float32), rng.uniform(0.2, 0.6), pitch * 3))


def _freeze_dried(rng: Rng, shape: Shape) -> Scene:
    """Draw a collagen or gel scaffold: thin crumpled sheets around big irregular holes, torn edges."""
    scale = between(rng, 22, 110) * shape[1] / 256
    height = np.full(shape, -scale * 3, np.float32)
    at = warped(rng, shape, scale * 0.18, scale * 0.7)
    found = cells(rng, shape, scale=scale, stretch=float(rng.uniform(1, 1.8)), angle=float(rng.uniform(0, 3.1)), at=at)
    for layer, turn in enumerate(TURNS[:3]):
        border = turn(found.border)
        rim = np.float32(scale * rng.uniform(0.02, 0.06)) * (1 + np.float32(0.4) * smooth(rng, shape, scale * 0.3))
        slope = turn(found.values(rng.uniform(0.6, 3.0, found.count)))  # how steeply each wall falls away
        sheet = np.float32(-layer * scale * 0.9) - np.maximum(border - rim, 0) * slope
        open_ = border > turn(found.values(scale * rng.uniform(0.06, 0.5, found.count)))
        height = np.maximum(
            height, np.where(open_, np.float32(-1e6), sheet + smooth(rng, shape, scale) * np.float32(scale * 0.2))
        )
    crumple = ridged(rng, shape, scale * 0.4, octaves=3) * np.float32(scale * rng.uniform(0.02, 0.1))
    return _framed(rng, _even(rng, height + crumple, rng.uniform(0.1, 0.5), scale * 3))


def _honeycomb(rng: Rng, shape: Shape) -> Scene:
    """Draw channels cut across: a directionally frozen or extruded body, walls thin and polygonal."""
    scale = between(rng, 9, 60) * shape[1] / 256
    found = cells(rng, shape, scale=scale, jitter=rng.uniform(0.4, 1.0), at=warped(rng, shape, scale * 0.08, scale),
                  stretch=float(rng.uniform(1, 2.2)), angle=float(rng.uniform(0, 3.1)))  # fmt: skip
    wall = np.float32(scale * rng.uniform(0.04, 0.13))
    depth = found.values(scale * rng.uniform(0.6, 3.5, found.count))
    height = -depth * step(found.border, wall, max(float(wall), 1.0))
    height = np.where(found.border > wall, height + smooth(rng, shape, scale * 0.5) * np.float32(scale * 0.12), height)
    height = height + fbm(rng, shape, scale * 2) * np.float32(scale * rng.uniform(0.02, 0.15))
    scene = _even(rng, height.astype(np.float32), rng.uniform(0.2, 0.6), scale * 2)
    return _framed(rng, tilt(scene, float(rng.choice([0, 0, rng.uniform(10, 35)]))))


def _aerogel(rng: Rng, shape: Shape) -> Scene:
    """Draw a fine cloudy network, pores and strands near the limit of what is resolved."""
    scale = between(rng, 2.5, 9) * shape[1] / 256
    height = sponge(rng, shape, scale, solid=rng.uniform(0.3, 0.5), depth=rng.uniform(2, 4), levels=12)
    height += fbm(rng, shape, scale * 8, octaves=3) * np.float32(scale * rng.uniform(0.5, 2.0))
    height += fbm(rng, shape, max(scale * 0.5, 1.5)) * np.float32(scale * 0.12)
    return _framed(rng, _even(rng, height, rng.uniform(0.2, 0.6), scale * 4))


def _ligaments(rng: Rng, shape: Shape) -> Scene:
    """Draw a dealloyed metal: smooth ligaments of one width, winding, the pores as wide as they are."""
    scale = between(rng, 8, 60) * shape[1] / 256
    height = sponge(rng, shape, scale, solid=rng.uniform(0.28, 0.5), depth=rng.uniform(1.6, 3))
    if rng.random() < 0.3:  # cracks between grains of the metal that was
        found = cells(rng, shape, scale=scale * rng.uniform(4, 9), at=warped(rng, shape, scale * 0.5, scale * 2))
        height = np.where(found.border < scale * 0.15, np.float32(-scale * 3), height)
    return _framed(rng, _even(rng, height, rng.uniform(0.2, 0.7), scale * 2), 0.1)


def _coral(rng: Rng, shape: Shape) -> Scene:
    """Draw a coarse sponge with a rough or grainy skin: coral, pumice, bone-like ceramic."""
    scale = between(rng, 18, 90) * shape[1] / 256
    height = sponge(rng, shape, scale, solid=rng.uniform(0.4, 0.62), depth=rng.uniform(1.2, 2.5))
    grain = between(rng, 2, max(scale * 0.15, 2.5))
    if rng.random() < 0.5:
        found = cells(rng, shape, scale=grain * 2)
        height += np.sqrt(np.maximum(1 - np.square(found.distance / np.float32(grain * 1.2)), 0)) * np.float32(
            grain * 0.8
        )
    else:
        height += fbm(rng, shape, grain * 2, gain=0.65) * np.float32(grain * rng.uniform(0.1, 0.4))
    return _framed(rng, _even(rng, height, rng.uniform(0.1, 0.5), scale * 2), 0.2)


def _sintered(rng: Rng, shape: Shape) -> Scene:
    """Draw grains grown together by necks with channels between them: a frit, a porous ceramic, a metal filter."""
    radius = between(rng, 4, 26) * shape[1] / 256
    height = np.full(shape, -radius * 5, np.float32)
    # Wide bells and a high threshold: necks as wide as half a grain, or one would see a powder.
    size = radius * float(rng.uniform(0.56, 0.75))
    threshold = float(rng.uniform(0.4, 0.68))
    for layer in range(3):
        points = np.rint(scatter(rng, shape, radius * float(rng.uniform(1.3, 1.6)))).astype(int)
        points = points[(points < np.array(shape)).all(axis=1)]
        seeds = np.zeros(shape, np.float32)
        seeds[points[:, 0], points[:, 1]] = np.exp(rng.normal(0, 0.25, len(points)))
        if layer == 0:
            seeds *= smooth(rng, shape, radius * 4) < rng.uniform(0.0, 1.0)
        field = ndimage.gaussian_filter(seeds, size, truncate=2.5) * np.float32(2 * math.pi * size * size)
        parts, _ = ndimage.label(field > threshold)
        field *= (np.bincount(parts.ravel()) > 9 * radius * radius)[parts]  # none lies there by itself
        top = np.sqrt(np.maximum(field - threshold, 0)) * np.float32(radius * 1.1) + smooth(
            rng, shape, radius * 3
        ) * np.float32(radius * 0.4)
        np.maximum(
            height, np.where(field > threshold, top - np.float32(layer * radius * 1.5), np.float32(-1e6)), out=height
        )
    if rng.random() < 0.4:
        found = cells(rng, shape, scale=radius * 1.4)
        height -= np.maximum(1 - found.border / np.float32(max(radius * 0.08, 1)), 0) * np.float32(
            radius * 0.12
        )  # grain borders
    return _framed(rng, _even(rng, height, rng.uniform(0, 0.5), radius * 4))


def _leached(rng: Rng, shape: Shape) -> Scene:
    """Draw a scaffold leached of salt: cubic and brick-shaped voids, tumbled, in a rough wall."""
    size = between(rng, 11, 50) * shape[1] / 256
    deep = np.full(shape, -size, np.float32)
    cubes = [crystal(rng, size * float(np.exp(rng.normal(0, 0.25))), "cube", turn=rotation(rng)) for _ in range(10)]
    points = scatter(rng, shape, size * float(rng.uniform(1.0, 1.5)), margin=size)
    for k, (y, x) in enumerate(points):
        stamp_max(deep, cubes[k % 10], y, x, base=float(rng.uniform(-1.3, -0.1)) * size)
    height = -np.maximum(deep, 0)
    fine = sponge(rng, shape, max(size * 0.15, 2.5), solid=0.55, depth=1.0, levels=8)
    height += (fine if rng.random() < 0.5 else fbm(rng, shape, size * 0.3) * np.float32(size * 0.03)).astype(np.float32)
    return _framed(rng, _even(rng, height, rng.uniform(0.4, 0.85), size * 1.2))


def _anodic(rng: Rng, shape: Shape) -> Scene:
    """Draw an anodised surface: round pores of nearly one width, ordered only in patches, or wormlike ends of tubes."""
    pitch = between(rng, 5, 28) * shape[1] / 256
    found = cells(rng, shape, scale=pitch, jitter=rng.uniform(0.25, 0.7), at=warped(rng, shape, pitch * 0.2, pitch * 6))
    radius = pitch * found.values(rng.normal(rng.uniform(0.2, 0.42), 0.035, found.count))
    inside = step(radius - np.minimum(found.distance, pitch), 0, 1.2)
    height = -inside * np.float32(pitch * 2)
    height += (1 - inside) * np.clip(found.border, 0, None) * np.float32(-rng.uniform(0, 0.5))
    height += fbm(rng, shape, pitch * 4) * np.float32(pitch * rng.uniform(0.0, 0.2))
    if rng.random() < 0.4:
        cover = fbm(rng, shape, pitch * 8) > rng.uniform(0.8, 1.8)  # a layer not yet dissolved
        height = np.where(cover, np.float32(0.4 * pitch) + fbm(rng, shape, pitch * 2) * np.float32(0.1 * pitch), height)
    return _even(rng, height.astype(np.float32), 0.3, pitch * 2)


def _cracked(rng: Rng, shape: Shape) -> Scene:
    """Draw a porous layer that dried and broke into plates."""
    scale = between(rng, 3, 14) * shape[1] / 256
    height = sponge(rng, shape, scale, solid=0.45, depth=2.0, levels=10)
    big = scale * float(rng.uniform(5, 14))
    found = cells(rng, shape, scale=big, at=warped(rng, shape, big * 0.1, big * 0.5))
    width = np.float32(big * rng.uniform(0.02, 0.08))
    crack = found.border < width * (1 + np.float32(0.5) * smooth(rng, shape, big))
    height += found.values(rng.normal(0, 0.3 * scale, found.count)).astype(np.float32)
    height = np.where(crack, np.float32(-scale * 5), height)
    return _even(rng, height, 0.4, scale * 4)


def _section(rng: Rng, shape: Shape) -> Scene:
    """Draw a cross-section: a porous wall between a dense skin or a support and empty space."""
    scale = between(rng, 4, 22) * shape[1] / 256
    v, _ = turned(shape, float(rng.normal(0, 0.12)))
    kind = rng.integers(3)
    body = (
        sponge(rng, shape, scale, solid=rng.uniform(0.4, 0.55), depth=2.0, cut=rng.random() < 0.5)
        if kind == 0
        else bubbles(rng, shape, scale * 0.8, spread=0.3, cut=0.6)
        if kind == 1
        else sponge(rng, shape, (scale * 3.5, scale * 0.9), solid=0.5, depth=2.0)
    )
    top = rng.uniform(-0.4, 0.1) * shape[0] + smooth(rng, shape, shape[1] * 0.5) * np.float32(3)
    bottom = rng.uniform(0.2, 0.6) * shape[0] + smooth(rng, shape, shape[1] * 0.5) * np.float32(2)
    scene = _even(rng, body, 0.4, scale * 2)
    material = scene.yields
    skin = float(rng.choice([0, scale * rng.uniform(0.3, 1.5)]))
    scene.height = np.where((v > top) & (v < top + skin), np.float32(0), scene.height)
    below = v > bottom
    support = fbm(rng, shape, (40, 5)) * np.float32(rng.uniform(0.3, 1.5))
    scene.height = np.where(below, support, scene.height)
    scene.material = np.where(below, np.float32(rng.uniform(0.6, 1.3)), material)
    return place(backdrop(rng, shape, void=0.7), scene, step(v - top, 0, 1.5))


def _fingers(rng: Rng, shape: Shape) -> Scene:
    """Draw a phase-inverted membrane cut across: long finger voids under a skin, small pores in the walls."""
    width = between(rng, 9, 40) * shape[1] / 256
    turn = float(rng.choice([0, 0, math.pi, math.pi / 2]) + rng.normal(0, 0.06))
    v, u = turned(shape, turn)
    wavy = u + smooth(rng, shape, (width * 7, width * 3)) * np.float32(width * rng.uniform(0.1, 0.45))
    phase = wavy / np.float32(width)
    which = np.mod(np.floor(phase).astype(np.int32), 256)
    part = np.abs(phase - np.floor(phase) - 0.5) * 2
    reach = shape[0] * 0.5
    start, end = rng.uniform(-0.95, -0.75, 256) * reach, rng.uniform(-0.1, 1.3, 256) * reach
    run = (v - start[which]) / np.maximum(end - start, 5)[which]
    wide = np.sqrt(np.clip(run, 0, 1)) * np.sqrt(np.clip(1 - run, 0, 1)) * 2.4
    wall = np.clip(rng.normal(rng.uniform(0.1, 0.4), 0.15, 256), 0.08, 0.8).astype(np.float32)[which]
    hollow = np.clip(np.minimum(wide, 1 - wall) - part, 0, 1)
    deep = np.sqrt(np.clip(hollow, 0, 1)) * np.float32(width * rng.uniform(0.8, 2.0))
    fine = sponge(rng, shape, max(width * 0.16, 2.5), solid=rng.uniform(0.5, 0.65), depth=1.2, levels=8)
    height = fine * np.float32(rng.uniform(0.4, 1)) - deep
    scene = _even(rng, height.astype(np.float32), 0.4, width)
    skin = v < np.float32(-reach * 0.97)
    return place(scene, backdrop(rng, shape, void=0.8), skin.astype(np.float32)) if rng.random() < 0.7 else scene


def _breath(rng: Rng, shape: Shape) -> Scene:
    """Draw a breath-figure film: round holes close together, in hexagons where it is good and in disorder elsewhere."""
    pitch = between(rng, 8, 60) * shape[1] / 256
    found = cells(
        rng, shape, scale=pitch, jitter=rng.uniform(0.15, 0.7), at=warped(rng, shape, pitch * 0.15, pitch * 5)
    )
    radius = pitch * np.clip(found.values(rng.normal(rng.uniform(0.33, 0.44), 0.04, found.count)), 0.1, 0.47)
    radius = np.minimum(radius, found.distance + found.border)
    inside = np.sqrt(np.maximum(1 - np.square(found.distance / radius), 0)).astype(np.float32)
    lean = float(rng.choice([0, 0, rng.uniform(15, 40)]))
    height = -inside * np.float32(pitch * rng.uniform(0.3, 0.45 if lean else 0.8))
    if not lean and rng.random() < 0.6:  # a second layer shows through the floor
        window = np.minimum(found.border, pitch * 0.5) - np.float32(pitch * rng.uniform(0.22, 0.36))
        height = np.where(window > 0, np.float32(-pitch * 1.2), height)
    height += smooth(rng, shape, pitch * 4) * np.float32(pitch * 0.1)
    return tilt(_even(rng, height, 0.3, pitch), lean)


def _hierarchy(rng: Rng, shape: Shape) -> Scene:
    """Draw big pores in a solid that is itself porous."""
    big = between(rng, 18, 70) * shape[1] / 256
    small = big * float(rng.uniform(0.07, 0.2))
    if rng.random() < 0.5:
        coarse = bubbles(rng, shape, big * 0.6, spread=0.35, overlap=rng.uniform(-0.2, 0.05), windows=0.4)
    else:
        coarse = sponge(rng, shape, big, solid=rng.uniform(0.4, 0.55), depth=1.5)
    fine = sponge(rng, shape, max(small, 2.2), solid=rng.uniform(0.45, 0.65), depth=1.5, levels=9)
    return _framed(rng, _even(rng, coarse + fine, 0.4, big))


def _gelled(rng: Rng, shape: Shape) -> Scene:
    """Draw beads or globules strung to a net: a colloidal gel, a monolith, a phase-separated polymer."""
    radius = between(rng, 1.8, 6) * shape[1] / 256
    net = sponge(rng, shape, radius * float(rng.uniform(4, 8)), solid=rng.uniform(0.35, 0.5), depth=2.0, levels=10)
    height = net - np.float32(radius)
    patches = [ball(radius * float(np.exp(rng.normal(0, 0.18))), sunk=1.0) for _ in range(8)]
    points = scatter(rng, shape, radius * 1.5, margin=radius)
    at = np.clip(np.rint(points).astype(int), 0, np.array(shape) - 1)
    for k, (y, x) in enumerate(points):
        stamp_max(height, patches[k % 8], y, x, base=float(net[at[k, 0], at[k, 1]]) - 0.85 * radius)
    height = blur(height, radius * 0.2)  # they are grown together
    return _framed(rng, _even(rng, height, rng.uniform(0.2, 0.6), radius * 10))


def _overview(rng: Rng, shape: Shape) -> Scene:
    """Draw a whole lump of sponge on its holder, pores small in the picture."""
    scale = between(rng, 4, 14) * shape[1] / 256
    body = sponge(rng, shape, scale, solid=rng.uniform(0.45, 0.6), depth=2.0, levels=10)
    v, u = turned(shape, float(rng.uniform(0, math.pi)), centre=tuple(rng.uniform(0.3, 0.7, 2) * shape))
    far = np.maximum(
        np.abs(u) / np.float32(shape[1] * rng.uniform(0.25, 0.5)),
        np.abs(v) / np.float32(shape[1] * rng.uniform(0.2, 0.4)),
    )
    if rng.random() < 0.5:
        far = np.hypot(
            u / np.float32(shape[1] * rng.uniform(0.25, 0.5)), v / np.float32(shape[1] * rng.uniform(0.2, 0.4))
        )
    rim = far + np.float32(0.06) * fbm(rng, shape, shape[1] * 0.1)
    inside = step(1 - rim, 0, 0.03)
    body = body - np.float32(shape[1] * 0.15) * np.clip(rim, 0, 1) ** 6 + np.float32(shape[1] * 0.2)
    return place(backdrop(rng, shape, void=0.3), _even(rng, body, 0.1, scale * 2), inside)


_ROWS = [
    ("open foam", _open_foam, (100e-6, 10e-3)),
    ("foam with skins", _skinned_foam, (50e-6, 5e-3)),
    ("closed foam", _closed_foam, (20e-6, 5e-3)),
    ("windowed voids", _windowed, (3e-6, 500e-6)),
    ("lamellar", _lamellar, (50e-6, 2e-3)),
    ("freeze-dried", _freeze_dried, (50e-6, 3e-3)),
    ("channels", _honeycomb, (20e-6, 2e-3)),
    ("aerogel", _aerogel, (0.5e-6, 20e-6)),
    ("ligaments", _ligaments, (0.3e-6, 20e-6)),
    ("coral", _coral, (10e-6, 5e-3)),
    ("sintered", _sintered, (2e-6, 2e-3)),
    ("leached", _leached, (100e-6, 5e-3)),
    ("anodised", _anodic, (0.5e-6, 10e-6)),
    ("cracked", _cracked, (2e-6, 500e-6)),
    ("layer cut across", _section, (1e-6, 500e-6)),
    ("fingers", _fingers, (20e-6, 400e-6)),
    ("breath figures", _breath, (5e-6, 100e-6)),
    ("two sizes of pores", _hierarchy, (2e-6, 1e-3)),
    ("gel of globules", _gelled, (1e-6, 100e-6)),
    ("lump", _overview, (300e-6, 10e-3)),
    *porous_stone.ROWS,
]

KINDS = kinds(*softened(_ROWS))
