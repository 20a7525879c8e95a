"""Metal powder as furnaces and printers use it: solidified drops of broad sizes, their satellites and flaws.

Against balls of Particles: sizes over a decade, satellites and odd drops on and among them, grooved or freckled skins;
a layer that nearly fills the field, or a heap. See ``powder``.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.beds import bed, log_uniform, part
from nffa_cli.render.crowd import Crowd, Rng, balls, crowd, put, wires
from nffa_cli.render.fields import Array, Shape, blur, fbm
from nffa_cli.render.habits import potatoes
from nffa_cli.render.heaps import Sizes, fallen, heap, satellites
from nffa_cli.render.scene import Scene, perspective
from nffa_cli.render.spheres import craters, debris, drops, freckled, laid, skin, toned


def _ground(rng: Rng, shape: Shape) -> Crowd:
    """Return carbon tape, which is nearly black beside metal, or at times another metal."""
    light = rng.random() < 0.15
    kind = str(rng.choice(["tape", "wafer", "rough"], p=[0.6, 0.25, 0.15]))
    on = crowd(bed(rng, shape, kind=kind, tone=(0.5, 0.9) if light else (0.1, 0.4)))
    on.height *= np.float32(0.5)
    return on


def _sizes(rng: Rng, middle: tuple[float, float] = (3.2, 10)) -> Sizes:
    centre = log_uniform(rng, *middle)
    return Sizes(centre, float(rng.uniform(1.4, 2.0)), max(1.0, centre * 0.22), min(centre * 4.5, 45))


def _soft(scene: Scene) -> Scene:
    """Smooth the stairs out of the outlines: between bright metal and black carbon one sees each of them."""
    scene.height, scene.material = blur(scene.height, 0.35), blur(scene.yields, 0.45)
    return scene


def _seen(rng: Rng, on: Crowd, lying: Array, *, charge: float = 0.25) -> Scene:
    """Return the scene, the large balls brighter than those in their shadow, a few of them charging."""
    size = lying[:, 2] / max(float(np.quantile(lying[:, 2], 0.8)), 1.0)
    values = np.clip(size, 0.3, 2) ** rng.uniform(0.0, 0.5) * rng.normal(1, rng.uniform(0.01, 0.08), len(lying))
    speckle = float(rng.uniform(0.05, 0.45)) * (rng.random() < 0.65)
    toned(on, rng, lying, values, rim=float(rng.uniform(0, 0.6)), speckle=speckle)
    found = _soft(on.scene(shade=float(rng.uniform(0.75, 1.0))))
    if rng.random() < charge:
        bright = rng.random(len(lying)) < 0.03
        mine = (on.owner >= 0) & (on.owner < len(lying))
        lit = (mine & bright[np.where(mine, on.owner, 0)]).astype(np.float32)
        found.charge = blur(lit, 1.2) * np.float32(rng.uniform(0.3, 0.9))
    if rng.random() < 0.1:
        found = perspective(found, float(rng.uniform(0.06, 0.2)))
    return found


def _strewn(rng: Rng, shape: Shape) -> Scene:
    """One layer on tape, each drop beside the next: what an operator strews to measure sizes."""
    on = _ground(rng, shape)
    where = None
    if rng.random() < 0.35:
        where = fbm(rng, shape, rng.uniform(30, 110), octaves=3) > rng.uniform(-1.8, -0.4)
    sizes = _sizes(rng)
    lying = laid(rng, on, sizes, cover=float(rng.uniform(0.6, 1.3)), where=where)
    if rng.random() < 0.7:
        small = Sizes(sizes.middle * rng.uniform(0.3, 0.6), 1.4, 1.0, sizes.middle)
        lying = laid(rng, on, small, cover=float(rng.uniform(0.05, 0.35)), where=where, among=lying)
    odd = float(rng.uniform(0.02, 0.25))
    put(on, drops(rng, len(lying), odd=odd), lying[:, :2], lying[:, 2], 1.0, z=np.zeros(len(lying)), lift=None)
    if rng.random() < 0.8:
        skin(on, rng, lying, scale=log_uniform(rng, 1.6, 4), depth=float(rng.uniform(0.05, 0.45)))
    freckled(on, rng, lying, per=float(rng.uniform(0.1, 1.4)))
    if rng.random() < 0.5:
        craters(on, rng, lying, per=float(rng.uniform(0.1, 0.8)))
    if rng.random() < 0.5:
        debris(on, rng, int(rng.integers(1, 6)), float(np.median(lying[:, 2])) * rng.uniform(0.8, 2))
    return _seen(rng, on, lying)


def _heaped(rng: Rng, shape: Shape) -> Scene:
    """Several layers: drops lie in the gaps of those below, which are lost in the dark."""
    floor = Scene(np.full(shape, -6, np.float32), np.full(shape, rng.uniform(0.2, 0.6), np.float32))
    on = crowd(floor)
    sizes = _sizes(rng, (4.5, 14))
    form = balls if rng.random() < 0.6 else potatoes(rng, 44, least=0.85, flat=0.8)
    where = part(rng, shape, share=float(rng.uniform(0.7, 0.97)), ragged=20) if rng.random() < 0.15 else None
    grown = heap(
        on, rng, lambda n: form, sizes, cover=rng.uniform(1.6, 3.2), sink=0.1, tone=0.04, tries=4, where=where, dust=False
    )  # fmt: skip
    deep = np.clip((on.height - np.quantile(on.height, 0.35)) / np.float32(2 * sizes.middle), -1, 0)
    on.material *= np.exp(deep * np.float32(rng.uniform(0.3, 1.3))).astype(np.float32)
    if rng.random() < 0.75:
        skin(on, rng, grown, scale=log_uniform(rng, 1.8, 5), depth=float(rng.uniform(0.05, 0.45)))
    satellites(on, rng, grown, rng.uniform(0.1, 2.0), (0.1, 0.35))
    if rng.random() < 0.3:
        craters(on, rng, grown, per=float(rng.uniform(0.1, 0.5)))
    return _seen(rng, on, grown)


def _near(rng: Rng, shape: Shape) -> Scene:
    """A few drops from near: their skin of dendrites or cells, satellites, necks, smaller drops behind them."""
    on = _ground(rng, shape)
    behind = laid(rng, on, Sizes(log_uniform(rng, 6, 13), 1.5, 2.5, 26), cover=float(rng.uniform(0.3, 0.9)))
    put(on, drops(rng, len(behind)), behind[:, :2], behind[:, 2], 1.0, z=np.zeros(len(behind)), lift=None)
    sizes = Sizes(float(rng.uniform(0.16, 0.38)) * shape[0], 1.3, 0.1 * shape[0], 0.5 * shape[0])
    front = laid(rng, on, sizes, cover=float(rng.uniform(0.3, 0.8)))
    first = len(behind)
    rise = np.full(len(front), rng.uniform(0, 12))
    put(on, drops(rng, len(front), odd=0.15), front[:, :2], front[:, 2], 1.0, z=rise, lift=None, first=first)
    everyone = np.concatenate([behind, front])
    skin(on, rng, everyone, scale=log_uniform(rng, 3, 13), depth=float(rng.uniform(0.1, 1.0)))
    if rng.random() < 0.5:
        skin(on, rng, everyone, scale=log_uniform(rng, 2, 4), depth=float(rng.uniform(0.05, 0.25)))
    freckled(on, rng, front, per=float(rng.uniform(0.5, 6)), size=(0.04, 0.3))
    if rng.random() < 0.5:
        craters(on, rng, everyone, per=float(rng.uniform(0.3, 1)))
    return _seen(rng, on, everyone, charge=0.1)


def _blended(rng: Rng, shape: Shape) -> Scene:
    """Two metals mixed, the heavier one brighter: as backscattered electrons show blends and contaminations."""
    on = _ground(rng, shape)
    lying = laid(rng, on, _sizes(rng), cover=float(rng.uniform(0.55, 0.95)))
    put(on, drops(rng, len(lying)), lying[:, :2], lying[:, 2], 1.0, z=np.zeros(len(lying)), lift=None)
    freckled(on, rng, lying, per=float(rng.uniform(0.1, 1)))
    other = rng.random(len(lying)) < rng.uniform(0.05, 0.5)
    toned(on, rng, lying, np.where(other, rng.uniform(1.3, 2.2), 1.0) * rng.normal(1, 0.04, len(lying)), rim=0.2)
    return _soft(on.scene(shade=float(rng.uniform(0.25, 0.8))))


def _ligaments(rng: Rng, shape: Shape) -> Scene:
    """Drops that froze too early: long and bent bodies, tails, dumb-bells and chains among the balls."""
    on = _ground(rng, shape)
    lying = laid(rng, on, _sizes(rng, (3.5, 8)), cover=float(rng.uniform(0.35, 0.75)))
    put(on, drops(rng, len(lying), odd=0.35), lying[:, :2], lying[:, 2], 1.0, z=np.zeros(len(lying)), lift=None)
    number = int(rng.uniform(12, 70))
    thick = np.median(lying[:, 2]) * np.exp(rng.normal(-0.1, 0.35, number))
    t = np.linspace(0, 1, 9)[None, :]
    heading = rng.uniform(0, 2 * math.pi, (number, 1)) + rng.normal(0, 0.7, (number, 1)) * t
    length = (thick * rng.uniform(1.5, 6, number))[:, None]
    start = fallen(rng, on, (number,))
    y = start[:, :1] + np.cumsum(np.sin(heading), axis=1) / 9 * length
    x = start[:, 1:] + np.cumsum(np.cos(heading), axis=1) / 9 * length
    necked = rng.random((number, 1)) < 0.5
    tapered = 1 - t * rng.uniform(0.3, 0.85, (number, 1))
    wavy = 0.75 + 0.25 * np.cos(2 * math.pi * t * rng.integers(1, 3, (number, 1)))
    radii = thick[:, None] * np.sqrt(np.clip(1.02 - np.square(2 * t - 1), 0, 1)) * np.where(necked, wavy, tapered)
    z = np.broadcast_to(thick[:, None] * rng.uniform(0.8, 2.0, (number, 1)), y.shape)
    wires(on, np.stack([y, x, z], axis=2), np.maximum(radii, 0.6), rng.normal(1, 0.08, number), first=20_000)
    freckled(on, rng, lying, per=float(rng.uniform(0.3, 2)))
    return _seen(rng, on, lying)


ROWS = (
    ("metal drops on tape", _strewn, (100e-6, 3e-3)),
    ("metal drops in layers", _heaped, (50e-6, 2e-3)),
    ("metal drops close-up", _near, (10e-6, 300e-6)),
    ("blended metals", _blended, (100e-6, 2e-3)),
    ("ligaments and drops", _ligaments, (100e-6, 2e-3)),
)
"""Rows of ``KINDS``."""
