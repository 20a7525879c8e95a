"""Photonic gratings: couplers with curved or straight lines at the end of a guide, ring gratings, metasurfaces.

Drawn for Patterned surface: the lines are what such a picture is about, even where they fill a fan in the middle of a
plain field; pads, heaters and rings beside a bus are MEMS (``circuits``).
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.plans import (
    Sheet,
    box,
    cover,
    disc,
    fill,
    hexagons,
    lattice,
    lay,
    log_uniform,
    orientation,
    rough,
    scene,
    sheet,
    soil,
    stripes,
    taper,
    within,
    without,
)
from nffa_cli.render.scene import Array, Scene

Rng = np.random.Generator
Shape = tuple[int, int]
Layout = tuple[Array, Array]
"""Distances of what stands (with its grooves filled) and of the grooves in it."""


def _field(rng: Rng, shape: Shape, *, zoom: float = 1.0, off: float = 20.0, tilted: float = 0.25) -> Sheet:
    """Return an empty sheet, mostly seen from above and along an edge of the picture."""
    unit = shape[1] / 256
    return sheet(
        shape,
        angle=float(rng.choice([0, 0, 180, 90, 270])) + float(rng.normal(0, rng.choice([0.5, 4]))),
        tilt=float(rng.uniform(20, 62)) if rng.random() < tilted else 0.0,
        relief=8,
        depth=4,
        ground=float(rng.uniform(0.45, 1.0)),
        zoom=zoom * unit,
        shift=(float(rng.normal(0, off)) * unit, float(rng.normal(0, 0.6 * off)) * unit),
    )


def _uneven(rng: Rng, far: Array, start: float, length: float) -> Array:
    """Return the run of the lines, stretched along the way: even, chirped, in two sections or with one line missing."""
    along = np.clip((far - np.float32(start)) / np.float32(max(length, 1)), 0, 1)
    how = rng.random()
    if how < 0.45:
        return far
    if how < 0.8:
        return far + np.square(along) * np.float32(length * rng.uniform(-0.3, 0.6))
    if how < 0.9:
        return far + (along > rng.uniform(0.3, 0.8)) * np.float32(rng.uniform(1, 5))
    return far + np.float32(rng.uniform(0.5, 2.5)) * np.sin(along * np.float32(rng.uniform(6, 20)))


def _grooves(rng: Rng, far: Array, start: float, length: float, period: float) -> Array:
    """Return grooves along a run, as wide everywhere or wider from line to line (apodised)."""
    run = _uneven(rng, far, start, length)
    duty = rng.uniform(0.3, 0.65)
    lines = stripes(run - np.float32(start), period, duty, 0.0)
    if rng.random() < 0.35:
        along = np.clip((far - np.float32(start)) / np.float32(max(length, 1)), 0, 1)
        lines = lines + (0.5 - along) * np.float32(period * 0.25 * rng.choice([-1, 1]))
    return lines


def _fan(rng: Rng, u: Array, v: Array, at: float) -> Layout:
    """A guide that opens into a fan of arcs, their middle at ``at``."""
    spread, length = math.tan(rng.uniform(0.12, 0.6)), float(rng.uniform(90, 170))
    thin, start = float(rng.uniform(0.6, 2.5)), length * float(rng.uniform(0.15, 0.72))
    u = u + np.float32((start + length) / 2 - at)
    bent = float(rng.choice([0, 0, rng.uniform(-0.25, 0.25)]))
    far = np.hypot(u, v) * (1 + bent * (1 - np.cos(np.arctan2(v, u))))
    cone = np.maximum(np.abs(v) - np.maximum(u, 0) * np.float32(spread) - np.float32(thin), -u)
    cone = cone * np.float32(1 / math.hypot(1, spread))
    fan = within(cone, far - np.float32(length))
    period = float(np.clip((length - start) / rng.uniform(6, 26), 2.8, 12))
    grooves = within(fan - 2, np.float32(start) - far, _grooves(rng, far, start, length - start, period))
    if rng.random() < 0.3:  # separate arcs, open at their sides, or arcs within a slab
        fan = within(far - np.float32(length), np.maximum(cone - np.float32(rng.uniform(3, 25)), -u))
        grooves = within(fan, np.float32(start) - far, grooves)
    return np.minimum(box(u, v, -200, 0, 203, thin), fan), grooves


def _round(rng: Rng, u: Array, v: Array, at: float) -> Layout:
    """A wide guide that ends as a wedge in a disc of rings about ``at``."""
    radius, half = float(rng.uniform(32, 70)), float(rng.uniform(3, 34))
    half = min(half, 0.8 * radius)
    x = radius * 0.9
    u = u + np.float32(x - at)
    far = disc(u, v, x, 0, 0)
    wedge = np.maximum(np.abs(v) - np.maximum(np.float32(x) - u, 0) * np.float32(rng.uniform(0.25, 0.9)), u - x)
    period = float(np.clip(radius / rng.uniform(5, 16), 3, 9))
    lines = _grooves(rng, far, 0, radius, period)
    grooves = within(far - np.float32(radius - 0.35 * period), lines)
    if rng.random() < 0.8:
        grooves = without(grooves, wedge)
    return np.minimum(far - np.float32(radius), box(u, v, -200, 0, 200 + 0.5 * radius, half)), grooves


def _straight(rng: Rng, u: Array, v: Array, at: float) -> Layout:
    """A long taper that ends in a field of straight lines, their middle at ``at``."""
    wide, length = float(rng.uniform(7, 50)), float(rng.uniform(15, 170))
    deep, thin = float(rng.uniform(20, 90)), float(rng.uniform(0.6, 2.5))
    period = float(np.clip(deep / rng.uniform(7, 25), 2.6, 10))
    u = u + np.float32(length + deep / 2 - at)
    field = box(u, v, length + deep / 2, 0, deep / 2, wide)
    solid = np.minimum(np.minimum(taper(u, v, (0, 0), (length, 0), thin, wide), box(u, v, -200, 0, 202, thin)), field)
    lines = _grooves(rng, u, length, deep, period)
    margin = float(rng.choice([-2.0, rng.uniform(1, 4)]))
    grooves = within(np.abs(v) - np.float32(wide - margin), np.float32(length + 1) - u, u - (length + deep + 2), lines)
    return solid, grooves


def _reach(on: Sheet) -> float:
    """Return how far the sheet goes along u, against along an upright picture's width."""
    return float(np.ptp(on.u) / max(np.ptp(on.u), np.ptp(on.v)))


LAYOUTS = (_fan, _round, _straight)


def _etch(rng: Rng, on: Sheet, layout: Layout, *, rim: float | None = None) -> None:
    """Etch a layout: what stands gets bright rims and a dark seam about it, as backscattered or secondary electrons do.

    The grooves reach the ground or stop in the layer; at times only a trench about the guide is etched.
    """
    solid, grooves = layout
    bare = float(on.material.flat[0])
    thick, bright = float(rng.uniform(0.5, 4)), bare * float(rng.uniform(0.95, 1.7))
    through = float(rng.choice([1.0, rng.uniform(0.25, 0.9)]))
    if rng.random() < 0.15:
        solid = rough(rng, solid, 0.4, 4)
    edge = np.maximum(solid, -grooves)
    wall = float(rng.uniform(0.9, 2.0))
    if rng.random() < 0.18:  # a trench is cut about the guide, the field outside stands as high
        wide = float(rng.uniform(4, 22))
        trench = np.maximum(solid - np.float32(wide), -solid)
        fill(on, np.minimum(trench, within(grooves, solid)), -thick, bare * float(rng.uniform(0.5, 0.95)), wall)
        edge = np.minimum(edge, np.float32(wide) - solid)
    else:
        lay(on, solid, thick, bright, wall)
        open_ = within(grooves, solid)
        fill(on, open_, thick * (1 - through), bare + (bright - bare) * (1 - through) * 0.8, wall)
    glow = float(rng.uniform(0, 0.9)) if rng.random() < 0.75 else 0.0
    sharp = float(rng.uniform(0.9, 2.0)) if rim is None else rim
    on.material += np.float32(bright * glow) * np.exp(-np.square(np.minimum(edge, 0) / np.float32(sharp))) * cover(edge)
    if rng.random() < 0.7:
        reach = float(rng.uniform(1.2, 4.5))
        dark = np.float32(rng.uniform(0.1, 0.55)) * np.exp(-np.maximum(edge, 0) / np.float32(reach)) * cover(-edge)
        on.material *= 1 - dark


def _coupler(draw: int, rng: Rng, shape: Shape) -> Scene:
    zoom = log_uniform(rng, 0.75, 1.5)
    on = _field(rng, shape, zoom=zoom)
    chosen = LAYOUTS[draw]
    _etch(rng, on, chosen(rng, on.u, on.v, float(rng.uniform(-15, 60)) * _reach(on) / zoom))
    soil(rng, on, 0.6)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def _focusing(rng: Rng, shape: Shape) -> Scene:
    """A fan of arcs at the end of a guide."""
    return _coupler(0, rng, shape)


def _focusing_round(rng: Rng, shape: Shape) -> Scene:
    """Rings about the end of a wide guide."""
    return _coupler(1, rng, shape)


def _tapered(rng: Rng, shape: Shape) -> Scene:
    """Straight lines at the end of a taper."""
    return _coupler(2, rng, shape)


def _close(rng: Rng, shape: Shape) -> Scene:
    """The lines of a coupler near enough to fill much of the picture."""
    zoom = log_uniform(rng, 1.8, 4.5)
    on = _field(rng, shape, zoom=zoom, off=8, tilted=0.45)
    chosen = LAYOUTS[int(rng.integers(3))]
    _etch(rng, on, chosen(rng, on.u, on.v - np.float32(rng.normal(0, 6)), float(rng.normal(0, 14))), rim=0.8)
    soil(rng, on, 0.6)
    return scene(on, shade=float(rng.uniform(0.6, 1)))


def _row(rng: Rng, shape: Shape) -> Scene:
    """Several couplers side by side, each with its guide, facing one way or each other."""
    zoom = log_uniform(rng, 0.3, 0.62)
    on = _field(rng, shape, zoom=zoom, off=10, tilted=0.2)
    pitch = float(rng.uniform(75, 160))
    at = lattice(on.v, on.v, pitch)
    turned = np.where(at.column % 2 == 0, on.u, -on.u) if rng.random() < 0.35 else on.u
    solid, grooves = LAYOUTS[int(rng.integers(3))](rng, turned, at.x, float(rng.uniform(0, 90)) * _reach(on) / zoom)
    gate = np.abs(at.x) - np.float32(pitch * 0.48)
    _etch(rng, on, (within(solid, gate), within(grooves, gate)), rim=2.5)
    soil(rng, on, 0.6)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def _bulls_eye(rng: Rng, shape: Shape) -> Scene:
    """Rings about a hole, a disc or a post, with plain ground around: a bull's eye, a ring grating, a Fresnel lens."""
    unit = shape[1] / 256
    on = _field(rng, shape, tilted=0.35, off=12)
    radius = float(rng.uniform(45, 95))
    squeeze = float(rng.choice([1.0, rng.uniform(0.75, 1)]))
    far = np.hypot(on.u, on.v * np.float32(squeeze))
    period = float(np.clip(radius / rng.uniform(5, 17), 3, 12)) / unit
    lines = stripes(_uneven(rng, far, 0, radius), period, rng.uniform(0.3, 0.65), rng.random())
    if rng.random() < 0.35:  # zones get narrower outwards
        lines = stripes(np.square(far), 2 * radius * period, 0.5, rng.random()) / np.maximum(2 * far, 4)
    core = far - np.float32(period * rng.choice([0.5, 1.0, rng.uniform(1, 4)]))
    grooves = within(far - np.float32(radius), -core, lines)
    grooves = np.minimum(grooves, core + period * 0.4) if rng.random() < 0.4 else grooves
    if rng.random() < 0.5:
        fill(on, grooves, -rng.uniform(0.5, 4), float(on.material.flat[0]) * rng.uniform(0.35, 0.95), 1.2)
    else:
        lay(on, grooves, rng.uniform(0.5, 4), rng.uniform(0.7, 1.6), 1.2)
    soil(rng, on, 0.6)
    return scene(on, shade=float(rng.uniform(0.5, 1)))


def _patch(rng: Rng, shape: Shape) -> Scene:
    """A field of lines with plain ground on two to four sides; fields may meet with a stitching fault."""
    unit = shape[1] / 256
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=float(rng.choice([0, 0, rng.uniform(20, 60)])),
        relief=6,
        depth=6,
        ground=rng.uniform(0.45, 1.0),
        zoom=unit,
        shift=(float(rng.normal(0, 30)) * unit, float(rng.normal(0, 20)) * unit),
    )
    period = log_uniform(rng, 3.2, 16)
    half = rng.uniform(40, 110, 2)
    u, v = on.u, on.v
    if rng.random() < 0.35:  # a stitching fault
        u = u + np.float32(rng.uniform(0.15, 0.5) * period) * (v > rng.uniform(-30, 30))
    run = _uneven(rng, u, -float(half[0]), 2 * float(half[0]))
    lines = stripes(run, period, rng.uniform(0.3, 0.65), rng.random())
    if rng.random() < 0.35:
        lines = rough(rng, lines, 0.25 + 0.03 * period, 4)
    frame = box(u, v, 0, 0, float(half[0]), float(half[1]))
    pattern = within(lines, frame)
    if rng.random() < 0.3:
        pattern = np.minimum(pattern, np.abs(frame - 1.5 * period) - rng.uniform(0.6, 4))
    level = rng.uniform(0.04, 0.5) * period * rng.choice([1, 1, -1])
    fill(on, pattern, level, float(on.material.flat[0]) * log_uniform(rng, 0.6, 1.9), 1.2)
    if rng.random() < 0.3:  # written in a window of a mask or a burnt field
        on.material *= 1 - np.float32(rng.uniform(0.05, 0.25)) * cover(frame - 4, 1.5)
    soil(rng, on, 0.7)
    return scene(on, shade=float(rng.uniform(0.4, 1)))


def _metasurface(rng: Rng, shape: Shape) -> Scene:
    """Posts or bars on a lattice whose size or turn follows a phase: rings of a lens, stripes of a deflector."""
    unit = shape[1] / 256
    pitch = log_uniform(rng, 5.5, 18) * unit
    tall = pitch * rng.uniform(0.3, 1.2)
    on = sheet(
        shape,
        angle=orientation(rng),
        tilt=float(rng.choice([0, rng.uniform(20, 50)])),
        relief=tall,
        ground=rng.uniform(0.5, 0.95),
    )
    at = hexagons(on.u, on.v, pitch) if rng.random() < 0.4 else lattice(on.u, on.v, pitch)
    # The phase belongs to the element, not to the pixel: it is read at the middle of the cell.
    x, y = on.u - at.x, on.v - at.y
    if rng.random() < 0.6:
        centre = rng.normal(0, 90, 2).astype(np.float32) * unit
        phase = np.hypot(x - centre[0], y - centre[1]) ** 2 / np.float32(rng.uniform(900, 6000) * unit**2)
    else:
        phase = x / np.float32(pitch * rng.uniform(4, 12))
    phase = phase - np.floor(phase)
    if rng.random() < 0.6:
        size = np.float32(pitch) * (np.float32(0.16) + np.float32(rng.uniform(0.15, 0.28)) * phase)
        square = rng.random() < 0.3
        posts = (np.maximum(np.abs(at.x), np.abs(at.y)) if square else np.hypot(at.x, at.y)) - size
    else:
        turn = phase * np.float32(math.pi)
        c, s = np.cos(turn), np.sin(turn)
        posts = box(
            at.x * c + at.y * s,
            at.y * c - at.x * s,
            0,
            0,
            pitch * rng.uniform(0.32, 0.46),
            pitch * rng.uniform(0.09, 0.2),
        )
    fill(on, posts, tall, rng.uniform(0.9, 1.7), 1.0 + 0.05 * pitch)
    soil(rng, on, 0.7)
    return scene(on)


ROWS = (
    ("focusing_coupler", _focusing, (5e-6, 120e-6)),
    ("round_coupler", _focusing_round, (5e-6, 120e-6)),
    ("tapered_coupler", _tapered, (5e-6, 200e-6)),
    ("coupler_close", _close, (2e-6, 30e-6)),
    ("couplers_in_a_row", _row, (30e-6, 600e-6)),
    ("bulls_eye", _bulls_eye, (2e-6, 300e-6)),
    ("grating_with_margin", _patch, (2e-6, 400e-6)),
    ("metasurface", _metasurface, (1e-6, 60e-6)),
)
