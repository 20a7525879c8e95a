"""Nanowires: wires, rods, tubes and belts of 10 to 500 nm, thin against their length, straight or gently bent.

Written rule, against Fibres: wires grow from a ground or lie on one; they have free ends, tips, droplets, facets; they
are mostly straight, taper, and come as forests, arrays, bundles, few on a wafer, or as a mat of very thin ones. Fibres
are thick against the picture, carry a texture, have no ends in the field and are woven, spun or felted. Short rods of
one length without a root are Particles; ordered pillars of lithography are Patterned surface. Here: wires that lie on
something; those that stand are in ``forests``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, lacey, log_uniform, membrane
from nffa_cli.render.crowd import Crowd, Rng, balls, crowd, doubled, put, wires
from nffa_cli.render.fields import Array, Shape, fbm, grid, step
from nffa_cli.render.habits import lying, table
from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import forests, sparse_wires
from nffa_cli.render.scene import Scene


def paths(
    rng: Rng,
    start: Array,
    angle: Array,
    length: Array,
    *,
    bend: float = 0.0,
    points: int = 2,
    level: Array | float = 0.0,
    rise: float = 0.0,
) -> Array:
    """Return wandering paths (N, P, 3) that begin at ``start`` (N, 2) towards ``angle`` (N,), of ``length`` (N,).

    ``bend`` is by how many radians (one deviation) the direction has changed at the end; ``level`` the height of the axis,
    ``rise`` its deviation along the wire, in pixels.
    """
    number = len(start)
    steps = rng.standard_normal((number, points - 1)) * (bend / math.sqrt(max(points - 1, 1)))
    steady = rng.standard_normal((number, 1)) * bend * 0.7
    way = angle[:, None] + np.cumsum(steps, axis=1) + steady * np.linspace(0, 1, points - 1)
    each = (length / (points - 1))[:, None]
    zero = np.zeros((number, 1))
    y = start[:, :1] + np.concatenate([zero, np.cumsum(np.sin(way), axis=1) * each], axis=1)
    x = start[:, 1:] + np.concatenate([zero, np.cumsum(np.cos(way), axis=1) * each], axis=1)
    z = np.broadcast_to(np.asarray(level, float).reshape(-1, 1), y.shape)
    if rise:
        z = z + np.cumsum(rng.standard_normal(y.shape), axis=1) * (rise / math.sqrt(points))
    return np.stack([y, x, z], axis=2)


def _middle(found: Array) -> Array:
    """Return the paths moved so that their middles are where they began."""
    half = found[:, found.shape[1] // 2, :2] if found.shape[1] > 2 else found[:, :, :2].mean(axis=1)
    found[:, :, :2] -= (half - found[:, 0, :2])[:, None]
    return found


def _anywhere(rng: Rng, shape: Shape, number: int, margin: float = 10) -> Array:
    return rng.uniform((-margin, -margin), (shape[0] + margin, shape[1] + margin), (number, 2))


def _dark(shape: Shape, rng: Rng) -> Crowd:
    return crowd(Scene(np.full(shape, -20, np.float32), np.full(shape, rng.uniform(0.3, 0.8), np.float32)))


def _mat(rng: Rng, shape: Shape) -> Scene:
    """A deep mat of thin wires at all angles, straight or curved, no ground to be seen."""
    on = _dark(shape, rng)
    r = log_uniform(rng, 0.45, 1.7)
    number = int(np.clip(rng.uniform(1.5, 3.2) * np.prod(shape) / (2 * r * 150), 40, 110))
    length = rng.uniform(70, 280, number)
    angle = rng.uniform(0, 2 * math.pi, number)
    if rng.random() < 0.25:
        angle = rng.normal(rng.uniform(0, math.pi), rng.uniform(0.25, 0.7), number)
    bend = float(rng.choice([0.05, 0.3, 1.0, 2.0]))
    level = rng.uniform(-18, 8, number)
    found = _middle(paths(rng, _anywhere(rng, shape, number), angle, length, bend=bend, points=9, level=level, rise=3))
    radii = r * np.exp(rng.normal(0, rng.uniform(0.05, 0.4), number))
    wires(on, found, radii, rng.normal(1.05, 0.06, number))
    doubled(on, rng, r * rng.uniform(1, 4), times=int(rng.integers(1, 4)))
    return on.scene()


def _network(rng: Rng, shape: Shape) -> Scene:
    """Silver wires spread on a wafer or film: long, straight, crossing, of one width; often a few particles."""
    on = crowd(bed(rng, shape, tone=(0.3, 1.0)))
    r = log_uniform(rng, 0.45, 2.5)
    number = int(np.clip(log_uniform(rng, 0.08, 0.8) * np.prod(shape) / (2 * r * 130), 8, 240))
    length = np.clip(rng.normal(rng.uniform(60, 260), 40, number), 20, 400)
    level = r + rng.uniform(0, 2.5 * r, number)
    angle = rng.uniform(0, math.pi, number)
    found = _middle(
        paths(rng, _anywhere(rng, shape, number), angle, length, bend=rng.uniform(0, 0.2), points=6, level=level)
    )
    wires(on, found, r * np.exp(rng.normal(0, 0.1, number)), rng.normal(log_uniform(rng, 1.0, 1.7), 0.06, number))
    if rng.random() < 0.4:
        few = int(rng.integers(2, 60))
        put(on, balls, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(0.6, 2.5 * r, few), 1.2, lift=0.6, first=5000)
    return on.scene()


def _chip(on: Crowd, rng: Rng) -> None:
    """Draw what chips carry: a grid of marks, a pad or a lead, a cross or an angle."""
    y, x = grid(on.shape)
    angle = rng.uniform(0, math.pi)
    v = (y - on.shape[0] / 2) * math.cos(angle) - (x - on.shape[1] / 2) * math.sin(angle)
    u = (x - on.shape[1] / 2) * math.cos(angle) + (y - on.shape[0] / 2) * math.sin(angle)
    if rng.random() < 0.6:
        pitch, dot = rng.uniform(16, 60), rng.uniform(0.5, 1.2)
        square = rng.choice([0.0, angle])
        a = y if square == 0 else v
        b = x if square == 0 else u
        marks = (
            np.hypot((a + rng.uniform(0, pitch)) % pitch - pitch / 2, (b + rng.uniform(0, pitch)) % pitch - pitch / 2)
            < dot
        )
        on.material += marks.astype(np.float32) * np.float32(rng.uniform(0.1, 0.6))
    if rng.random() < 0.5:
        at, half = rng.uniform(-80, 80), rng.uniform(8, 35)
        inside = step(half - np.abs(v - at), 0, 1.2) * step(u, rng.uniform(-120, 40), 1.2)
        on.height += (inside * rng.uniform(0.5, 3)).astype(np.float32)
        on.material *= (1 + inside * rng.uniform(-0.3, 0.7)).astype(np.float32)
    if rng.random() < 0.35:
        cy, cx, long, thin = *rng.uniform((0.1, 0.1), (0.9, 0.9)) * on.shape, rng.uniform(6, 18), rng.uniform(1.5, 4)
        arm = ((np.abs(y - cy) < thin) & (np.abs(x - cx) < long)) | ((np.abs(x - cx) < thin) & (np.abs(y - cy) < long))
        if rng.random() < 0.5:
            arm &= (y > cy - thin) & (x < cx + thin)
        on.height += arm.astype(np.float32) * 1.5
        on.material += arm.astype(np.float32) * np.float32(rng.uniform(0.1, 0.8))


def _on_chip(rng: Rng, shape: Shape) -> Scene:
    """A few wires on a chip with its marks, from far: they are short and thin against the field."""
    return _few(rng, shape, chip=1.0, longest=50)


def _few(rng: Rng, shape: Shape, *, chip: float = 0.45, longest: float = 150) -> Scene:
    """A few wires on a wafer or chip, single or stuck together in sheaves."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["wafer", "wafer", "rough", "tape"])), tone=(0.4, 0.9)))
    if rng.random() < chip:
        _chip(on, rng)
    groups = int(rng.integers(1, 18))
    size = 1 + rng.poisson(rng.choice([0.2, 1.5, 3.0]), groups)
    of = np.repeat(np.arange(groups), size)
    r = log_uniform(rng, 0.45, 2.0)
    length = log_uniform(rng, 14, longest) * np.clip(rng.normal(1, 0.3, len(of)), 0.3, 2)
    angle = rng.uniform(0, 2 * math.pi, groups)[of] + rng.normal(0, rng.choice([0.06, 0.15, 0.5]), len(of))
    start = rng.uniform((0.05, 0.05), (0.95, 0.95), (groups, 2)) * np.array(shape)
    start = start[of] + rng.normal(0, 2.5 * r, (len(of), 2))
    found = _middle(paths(rng, start, angle, length, bend=rng.choice([0.02, 0.3]), points=6, level=r * 1.2))
    tone = float(on.material.mean()) * log_uniform(rng, 0.95, 1.9)
    taper = np.linspace(1, rng.uniform(0.3, 1.0), 6)[None, :]
    wires(
        on,
        found,
        r * np.exp(rng.normal(0, 0.2, (len(of), 1))) * taper,
        rng.normal(tone, 0.08 * tone, len(of)),
    )
    if rng.random() < 0.3:
        tips = found[:, -1]
        put(on, balls, tips[:, :2], np.full(len(tips), r * 1.5), 1.7, z=np.zeros(len(tips)), lift=0.8, first=5000)
    if rng.random() < 0.4:
        few = int(rng.integers(2, 60))
        put(on, balls, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(0.5, 2, few), 1.0, lift=0.4, first=6000)
    return on.scene()


def _single(rng: Rng, shape: Shape) -> Scene:
    """One wire, close: tapered, kinked, facetted, segmented or rough, with its droplet; perhaps a second."""
    kind = str(rng.choice(["wafer", "rough", "granular", "lacey", "membrane"]))
    if kind in ("lacey", "membrane"):
        on = crowd(lacey(rng, shape) if kind == "lacey" else membrane(rng, shape))
    else:
        on = crowd(bed(rng, shape, kind=kind, tone=(0.25, 0.9)))
    number = int(rng.choice([1, 1, 1, 2, 3]))
    r = log_uniform(rng, 3, 22)
    angle = rng.uniform(0, 2 * math.pi) + rng.normal(0, rng.choice([0.1, 1.0]), number)
    start = rng.uniform((0.3, 0.3), (0.7, 0.7), (number, 2)) * np.array(shape)
    length = r * rng.uniform(10, 40, number)
    points = 14
    bend = float(rng.choice([0.02, 0.02, 0.02, 0.35]))
    found = paths(rng, start, angle, length, bend=bend, points=points, level=r)
    if rng.random() < 0.25:  # a kink
        turn = rng.choice([-1, 1]) * rng.uniform(0.5, 1.3)
        c, s = math.cos(turn), math.sin(turn)
        corner = found[:, 5:6, :2]
        found[:, 6:, :2] = (found[:, 6:, :2] - corner) @ np.array([[c, s], [-s, c]]) + corner
    if rng.random() < 0.55:
        found[:, :, :2] -= (found[:, -1, :2] - start)[:, None] * rng.uniform(0.4, 1.0)
    along = np.linspace(0, 1, points)
    radii = r * (1 - along * rng.choice([0.0, rng.uniform(0.2, 0.85)]))
    radii = np.broadcast_to(radii, (number, points)).copy()
    skin = rng.random()
    power = float(rng.choice([0.5, 0.5, 0.3, 0.12]))
    wires(on, found, radii, rng.uniform(0.9, 1.5), power=power)
    there = on.owner >= 0
    if skin < 0.25:
        on.height += np.where(
            there, fbm(rng, shape, max(r * 0.5, 2), octaves=3) * np.float32(r * rng.uniform(0.04, 0.15)), 0
        )
    elif skin < 0.5:  # segments, rings, stacking faults
        y, x = grid(shape)
        way = found[0, -1, :2] - found[0, 0, :2]
        way = way / max(np.linalg.norm(way), 1)
        lines = np.sin((y * way[0] + x * way[1]) / (r * rng.uniform(0.08, 0.5)) + fbm(rng, shape, 20))
        on.height += np.where(there, lines * np.float32(r * rng.uniform(0.03, 0.12)), 0).astype(np.float32)
    elif skin < 0.65:  # a core within a shell
        wires(
            on,
            found + np.array([0, 0, r * 0.2]),
            radii * rng.uniform(0.35, 0.7),
            rng.uniform(1.4, 2.2),
            power=0.4,
            first=50,
        )
    if rng.random() < 0.6:
        tip, size = found[:, -1], radii[:, -1] * rng.uniform(1.0, 1.6)
        put(on, balls, tip[:, :2], size, rng.uniform(1.0, 2.0), z=tip[:, 2], lift=0.0, first=100)
    if rng.random() < 0.35:
        few = int(rng.integers(5, 200))
        chosen = rng.integers(0, points - 1, few)
        spots = found[0, chosen, :2] + rng.normal(0, r * 0.9, (few, 2))
        put(on, balls, spots, rng.uniform(0.6, max(r * 0.25, 0.9), few), 1.3, lift=0.2, first=200)
    return on.scene()


def _bundle(rng: Rng, shape: Shape) -> Scene:
    """Urchins and sheaves of wires that spread from points."""
    on = crowd(bed(rng, shape)) if rng.random() < 0.7 else _dark(shape, rng)
    clusters = int(rng.choice([1, 2, 3, 6, 12, 20]))
    size = min(shape) * rng.uniform(0.3, 0.9) / math.sqrt(clusters)
    each = int(np.clip(240 / clusters, 12, 110))
    r = max(size * log_uniform(rng, 0.006, 0.03), 0.45)
    middle = rng.uniform((0.1, 0.1), (0.9, 0.9), (clusters, 2)) * np.array(shape)
    ways = rng.standard_normal((clusters, each, 3))
    if rng.random() < 0.35:  # sheaves: two fans along an axis
        axis = rng.standard_normal((clusters, 1, 3))
        ways = ways * 0.3 + axis / np.linalg.norm(axis, axis=2, keepdims=True) * rng.choice(
            [-1, 1], (clusters, each, 1)
        )
    ways /= np.linalg.norm(ways, axis=2, keepdims=True)
    ways[..., 2] = np.abs(ways[..., 2]) * 0.8
    reach = size * np.clip(rng.normal(1, 0.2, (clusters, each)), 0.4, 1.5)
    t = np.array([0.0, 1.0])
    found = ways[:, :, None, :] * (reach[..., None] * t)[..., None]
    found[..., :2] += middle[:, None, None]
    found[..., 2] += r
    radii = np.stack([np.full(clusters * each, r), np.full(clusters * each, r * rng.uniform(0.2, 1))], axis=1)
    wires(on, found.reshape(-1, 2, 3), radii, rng.normal(1.1, 0.06, clusters * each))
    return on.scene()


def _belts(rng: Rng, shape: Shape) -> Scene:
    """Belts and ribbons: flat, thin, bent over each other, seen on the face and on the edge."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.8))) if rng.random() < 0.5 else _dark(shape, rng)
    number = int(rng.integers(6, 60))
    width = log_uniform(rng, 2, 9)
    angle = rng.uniform(0, 2 * math.pi, number)
    length = rng.uniform(80, 330, number)
    level = rng.uniform(1, 22, number)
    bend = rng.uniform(0.05, 1.2)
    found = _middle(paths(rng, _anywhere(rng, shape, number), angle, length, bend=bend, points=10, level=level, rise=3))
    twist = np.abs(np.cos(rng.uniform(0, 3, (number, 1)) + rng.uniform(0, 2.5, (number, 1)) * np.linspace(0, 1, 10)))
    radii = width * np.exp(rng.normal(0, 0.35, (number, 1))) * np.clip(twist, 0.12, 1)
    wires(on, found, radii, rng.normal(1.05, 0.1, number), flat=0.12, power=0.2)
    return on.scene()


def _branched(rng: Rng, shape: Shape) -> Scene:
    """Trees: trunks with side branches at fixed angles, on a ground or in a thicket."""
    on = crowd(bed(rng, shape)) if rng.random() < 0.6 else _dark(shape, rng)
    trunks = int(rng.integers(1, 22))
    size = log_uniform(rng, 50, 260)
    r = max(size * rng.uniform(0.008, 0.03), 0.6)
    angle = rng.uniform(0, 2 * math.pi, trunks)
    start = _anywhere(rng, shape, trunks, 0)
    start[0] = rng.uniform(0.3, 0.7, 2) * shape
    level = rng.uniform(3, 25, trunks)
    trunk = _middle(paths(rng, start, angle, np.full(trunks, size), bend=0.05, points=12, level=level))
    each = int(np.clip(420 / trunks, 8, 40))
    t = rng.uniform(0.05, 0.97, (trunks, each))
    at = t * 11
    low = np.minimum(at.astype(int), 10)
    rows = np.arange(trunks)[:, None]
    roots = trunk[rows, low] + (trunk[rows, low + 1] - trunk[rows, low]) * (at - low)[..., None]
    side = rng.choice([-1, 1], (trunks, each)) * rng.choice([math.pi / 2, 1.1, 0.7]) + rng.normal(
        0, 0.06, (trunks, each)
    )
    way = angle[:, None] + side
    reach = size * rng.uniform(0.08, 0.3) * (1.1 - t) * rng.uniform(0.4, 1.2, (trunks, each))
    ends = roots + np.stack([np.sin(way) * reach, np.cos(way) * reach, rng.normal(0, 4, (trunks, each))], axis=2)
    branches = np.stack([roots, ends], axis=2).reshape(-1, 2, 3)
    wires(on, branches, np.array([[r * 0.6, r * 0.2]]).repeat(len(branches), axis=0), 1.1)
    wires(on, trunk, np.linspace(r, r * 0.4, 12)[None].repeat(trunks, axis=0), 1.1, first=3000)
    return on.scene()


def _whiskers(rng: Rng, shape: Shape) -> Scene:
    """Long whiskers that rise from a rough, crystalline ground, each from its foot."""
    on = crowd(bed(rng, shape, kind=str(rng.choice(["rough", "granular", "polycrystal"])), tone=(0.5, 0.9)))
    few = int(rng.integers(20, 260))
    form, lift = lying(rng, few, table(str(rng.choice(["cube", "octahedron"])), cut=0.3), tip=0.4)
    put(on, form, rng.uniform((0, 0), shape, (few, 2)), rng.uniform(1.5, 7, few), 0.9, lift=lift * 0.5, reach=1.1)
    number = int(rng.integers(4, 90))
    r = log_uniform(rng, 0.5, 2.6)
    length = r * rng.uniform(20, 90, number)
    found = paths(
        rng, _anywhere(rng, shape, number), rng.uniform(0, 2 * math.pi, number), length, bend=rng.choice([0.02, 0.02, 0.5]),
        points=7, level=2.0,
    )  # fmt: skip
    found[..., 2] += np.linspace(0, 1, 7) * (length * rng.uniform(0.1, 0.5, number))[:, None]
    wires(on, found, r * np.linspace(1, rng.uniform(0.3, 1), 7)[None].repeat(number, axis=0), 1.15, first=1000)
    return on.scene()


def _among_particles(rng: Rng, shape: Shape) -> Scene:
    """Wires with the particles they come with: crystals and lumps between and on them."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.8)))
    number = int(rng.integers(20, 130))
    r = log_uniform(rng, 0.5, 1.8)
    length = rng.uniform(30, 200, number)
    found = paths(
        rng, _anywhere(rng, shape, number), rng.uniform(0, 2 * math.pi, number), length, bend=rng.choice([0.05, 0.6]),
        points=7, level=rng.uniform(1, 12, number), rise=1,
    )  # fmt: skip
    wires(on, _middle(found), r * np.exp(rng.normal(0, 0.25, number)), 1.1)
    few = int(rng.integers(6, 140))
    form, lift = lying(rng, few, table(str(rng.choice(["cube", "octahedron", "tetrahedron"])), cut=0.2), tip=0.5)
    size = log_uniform(rng, 2, 9) * rng.uniform(0.6, 1.4, few)
    if rng.random() < 0.5:
        form, lift = balls, np.ones(few)
    put(on, form, rng.uniform((0, 0), shape, (few, 2)), size, rng.uniform(0.9, 1.3), lift=lift * 0.6, first=1000)
    return on.scene()


def _beaded(rng: Rng, shape: Shape) -> Scene:
    """Wires strung with beads or coated with grains, crossing on a ground."""
    on = crowd(bed(rng, shape, tone=(0.3, 0.8)))
    number = int(rng.integers(4, 40))
    r = log_uniform(rng, 0.8, 3.5)
    length = rng.uniform(60, 300, number)
    found = _middle(
        paths(
            rng, _anywhere(rng, shape, number), rng.uniform(0, math.pi, number), length, bend=rng.choice([0.02, 0.4]), points=24,
            level=r + rng.uniform(0, 6, number),
        )
    )  # fmt: skip
    wires(on, found, r, 1.05)
    at = rng.uniform(0, 22.99, (number, int(min(1800 / number, 90))))
    low = at.astype(int)
    rows = np.arange(number)[:, None]
    spots = (found[rows, low] + (found[rows, low + 1] - found[rows, low]) * (at - low)[..., None]).reshape(-1, 3)
    spots[:, :2] += rng.normal(0, r * 0.6, (len(spots), 2))
    size = r * rng.uniform(0.25, 0.6) * np.exp(rng.normal(0, 0.2, len(spots)))
    put(on, balls, spots[:, :2], np.maximum(size, 0.6), 1.25, z=spots[:, 2] + r * 0.4, lift=0.0, first=1000)
    return on.scene()


def _spaghetti(rng: Rng, shape: Shape) -> Scene:
    """Nanotubes: curly, very thin, in ropes and loops, with catalyst specks."""
    on = _dark(shape, rng) if rng.random() < 0.6 else crowd(bed(rng, shape, tone=(0.3, 0.8)))
    r = log_uniform(rng, 0.4, 1.3)
    number = int(rng.integers(40, 170))
    length = rng.uniform(60, 260, number)
    found = paths(
        rng, _anywhere(rng, shape, number), rng.uniform(0, 2 * math.pi, number), length, bend=rng.uniform(2, 5), points=20,
        level=rng.uniform(-16, 10, number), rise=5,
    )  # fmt: skip
    wires(on, found, r * np.exp(rng.normal(0, 0.3, number)), 1.05)
    if rng.random() < 0.5:
        doubled(on, rng, rng.uniform(2, 6), times=int(rng.integers(1, 4)))
    if rng.random() < 0.5:
        few = int(rng.integers(5, 120))
        put(
            on,
            balls,
            rng.uniform((0, 0), shape, (few, 2)),
            rng.uniform(0.6, 2 * r + 0.4, few),
            1.6,
            lift=0.2,
            first=1000,
        )
    return on.scene()


KINDS = kinds(
    ("mat", _mat, (1e-6, 60e-6)),
    ("network", _network, (2e-6, 60e-6)),
    ("few on a wafer", _few, (1e-6, 60e-6)),
    ("few on a marked chip", _on_chip, (5e-6, 80e-6)),
    ("single", _single, (0.3e-6, 5e-6)),
    ("bundles", _bundle, (1e-6, 40e-6)),
    ("belts", _belts, (1e-6, 40e-6)),
    ("branched", _branched, (1e-6, 20e-6)),
    ("whiskers", _whiskers, (2e-6, 60e-6)),
    ("among particles", _among_particles, (1e-6, 30e-6)),
    ("beaded", _beaded, (0.5e-6, 10e-6)),
    ("nanotubes", _spaghetti, (0.5e-6, 20e-6)),
    *sparse_wires.ROWS,
    *forests.ROWS,
)
