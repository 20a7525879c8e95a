"""Pictures that look like micrographs, drawn with numpy; floats from 0 to 1, not files.

Only integer bit streams are taken from numpy's generators (their streams are fixed, those of its distributions are not)
and everything is computed in double precision, so that one seed gives the same picture on every machine.
"""

from __future__ import annotations

import math
import random
from typing import Any

Picture = Any
"""A numpy array of float64, shape (height, width)."""

GLYPHS = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZkmnµ.-=:/ ",
        (
            "75557 26227 71747 71717 55711 74717 74757 71122 75757 75717 25755 65656 34443 65556 74647 74644 34553 55755 "
            "72227 11152 55655 44447 57755 65555 25552 65644 25563 65655 34216 72222 55557 55552 55775 55255 55222 71247 "
            "45655 00775 00655 05574 00002 00700 07070 02020 11244 00000"
        ).split(),
        strict=True,
    )
)
"""A 3 × 5 font: each glyph as five octal digits, the rows from the top."""


def stream(chance: random.Random, count: int) -> Any:
    """Return ``count`` random 64-bit numbers."""
    import numpy as np

    return np.random.PCG64(chance.getrandbits(64)).random_raw(count)


def noise(chance: random.Random, shape: tuple[int, ...]) -> Any:
    """Return bell-shaped noise of mean 0 and deviation 1: sums of four uniform numbers."""
    import numpy as np

    parts = stream(chance, math.prod(shape)).astype("<u8").view("<u2").reshape(-1, 4)
    return ((parts.sum(axis=1, dtype=np.int64) - 131070) / 37837.2).reshape(shape)


def smooth(chance: random.Random, height: int, width: int, cell: float) -> Picture:
    """Return a smooth random field from 0 to 1 whose hills are about ``cell`` pixels wide."""
    import numpy as np

    def between(size: int) -> tuple[Any, Any]:
        """Return for each pixel the node before it and how far it is from there to the next, eased."""
        at = np.arange(size) / cell
        low = at.astype(int)
        t = at - low
        return low, t * t * (3 - 2 * t)

    (row, down), (column, across) = between(height), between(width)
    nodes = (int(row[-1]) + 2, int(column[-1]) + 2)
    grid = ((stream(chance, math.prod(nodes)) >> np.uint64(11)) / 2.0**53).reshape(nodes)
    lines = grid[row] + (grid[row + 1] - grid[row]) * down[:, None]
    left = lines[:, column]
    return left + (lines[:, column + 1] - left) * across


def layers(chance: random.Random, height: int, width: int, cell: float, *, count: int = 4) -> Picture:
    """Return smooth fields of halving size, added with halving weight; 0 to 1."""
    found = smooth(chance, height, width, cell)
    for number in range(1, count):
        found = found + smooth(chance, height, width, max(2.0, cell / 2**number)) / 2**number
    return found / (2 - 2.0 ** (1 - count))


def particles(chance: random.Random, height: int, width: int) -> Picture:
    """Draw nanoparticles on a rough substrate: shaded from one side, bright at the edges, each with its shadow."""
    ground = 0.16 + 0.14 * layers(chance, height, width, width / 6, count=6)
    radius = width * chance.uniform(0.022, 0.034)
    for _ in range(chance.randrange(90, 130)):
        size = radius * math.exp(chance.gauss(0, 0.35))
        _stamp(ground, chance, size, sides=0, bright=chance.uniform(0.85, 1.1))
    return ground


def powder(chance: random.Random, height: int, width: int) -> Picture:
    """Heap up faceted grains of broad size."""
    ground = 0.08 + 0.1 * layers(chance, height, width, width / 4)
    sizes = sorted((width * 0.045 * math.exp(chance.gauss(0, 0.4)) for _ in range(170)), reverse=True)
    for depth, size in enumerate(sizes):
        _stamp(ground, chance, size, sides=chance.choice((4, 5, 6, 6)), bright=0.55 + 0.45 * depth / len(sizes))
    return ground


def _stamp(picture: Picture, chance: random.Random, radius: float, *, sides: int, bright: float) -> None:
    """Draw one grain over the picture: a ball (``sides`` 0) or a pyramid of so many facets."""
    import numpy as np

    height, width = picture.shape
    y, x = chance.uniform(-radius, height + radius), chance.uniform(-radius, width + radius)
    turn, squeeze = chance.uniform(0, math.tau), chance.uniform(0.78, 1.0)
    reach = 1.5 * radius + 3
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    bottom, right = min(height, int(y + reach) + 1), min(width, int(x + reach) + 1)
    if top >= bottom or left >= right:
        return
    v, u = np.mgrid[top:bottom, left:right]
    v, u = v - y, u - x
    a = u * math.cos(turn) + v * math.sin(turn)
    b = (v * math.cos(turn) - u * math.sin(turn)) / squeeze
    far = np.sqrt(a * a + b * b) / radius
    if sides:
        sector = math.tau / sides
        angle = np.arctan2(b, a)
        facing = np.floor(angle / sector) * sector + sector / 2 + turn
        far = far * np.cos((angle % sector) - sector / 2) / math.cos(sector / 2) * 1.05
        is_flat = far < 0.45
        light = np.where(is_flat, 0.5, 0.42 + 0.26 * np.cos(facing + 2.3))
        rim = 0.28 * np.exp(-(((far - 0.97) / 0.07) ** 2)) + 0.12 * np.exp(-(((far - 0.45) / 0.06) ** 2))
        body = light + rim
    else:
        up = np.sqrt(np.clip(1 - far * far, 0, 1))
        body = 0.36 + 0.16 * (-0.7 * u - 0.7 * v) / radius + 0.17 / (up + 0.28)
    shade = np.hypot(u - 0.25 * radius, v - 0.3 * radius) / radius
    part = picture[top:bottom, left:right]
    part *= 1 - 0.55 * np.exp(-((np.clip(shade - 0.8, 0, None) / 0.22) ** 2))
    cover = np.clip((1 - far) * radius / 1.2 + 0.5, 0, 1)
    part += cover * (bright * body - part)


def wires(chance: random.Random, height: int, width: int) -> Picture:
    """Draw nanowires lying over each other: bright flanks, a dark shadow along each."""
    import numpy as np

    picture = 0.12 + 0.08 * layers(chance, height, width, width / 5, count=5)
    v, u = np.mgrid[0:height, 0:width].astype(float)
    main = chance.uniform(0, math.pi)
    for number in range(26):
        turn = main + chance.gauss(0, 0.55)
        radius = width * chance.uniform(0.005, 0.011)
        y, x = chance.uniform(0, height), chance.uniform(0, width)
        along = (u - x) * math.cos(turn) + (v - y) * math.sin(turn)
        across = (v - y) * math.cos(turn) - (u - x) * math.sin(turn)
        across = (across + chance.gauss(0, 1e-4) * along * along * 512 / width) / radius
        reach = width * chance.uniform(0.25, 0.9)
        inside = np.clip((reach - np.abs(along)) / 2, 0, 1)
        picture *= 1 - 0.5 * inside * np.exp(-(((across - 0.9) / 1.1) ** 2))
        flank = np.clip(np.abs(across), 0, 1)
        body = (0.4 + 0.15 * number / 26) + 0.38 * flank**4 - 0.06 * np.clip(across, -1, 1)
        picture += inside * np.clip((1 - np.abs(across)) * radius / 1.2 + 0.5, 0, 1) * (body - picture)
    return picture


def waves(chance: random.Random, height: int, width: int, length: float) -> Picture:
    """Return a random field of mean 0 and deviation 1 made of waves about ``length`` pixels long, alike in all directions."""
    import numpy as np

    down, across = [], []
    for _ in range(28):
        turn, phase = chance.uniform(0, math.pi), chance.uniform(0, math.tau)
        number = math.tau / length * chance.uniform(0.75, 1.25)
        v = np.arange(height) * (number * math.sin(turn))
        u = np.arange(width) * (number * math.cos(turn)) + phase
        down += [np.cos(v), -np.sin(v)]
        across += [np.cos(u), np.sin(u)]
    # Not a matrix product: its threads cost more than they save, and its last digits differ from machine to machine.
    return np.einsum("ni,nj->ij", np.array(down), np.array(across)) / math.sqrt(14)


def sponge(chance: random.Random, height: int, width: int) -> Picture:
    """Draw a porous sponge: ligaments with bright rims, darker ones seen deeper through the pores."""
    import numpy as np

    picture = np.full((height, width), 0.04)
    for depth, part in ((0.3, 15), (0.6, 12), (1.0, 10)):
        inside = 0.62 - np.abs(waves(chance, height, width, width / part))
        rim = np.exp(-((inside / 0.1) ** 2))
        body = depth * (0.36 + 0.3 * np.clip(inside, 0, 1) + 0.45 * rim)
        shadow = 1 - 0.5 * np.exp(-np.clip(-inside, 0, None) / 0.25)
        picture = np.where(inside > 0, body, picture * shadow)
    return picture * (0.9 + 0.2 * smooth(chance, height, width, width / 30))


def grating(chance: random.Random, height: int, width: int) -> Picture:
    """Draw etched lines: rough edges that shine, flat tops, dark trenches."""
    import numpy as np

    period, turn = width / chance.uniform(11, 17), chance.uniform(-0.12, 0.12)
    v, u = np.mgrid[0:height, 0:width].astype(float)
    place = (u + turn * v + 2.2 * layers(chance, height, width, width / 20)) % period / period
    edge = np.minimum(np.abs(place - 0.25), np.abs(place - 0.75)) * period
    top = (place > 0.25) & (place < 0.75)
    texture = layers(chance, height, width, width / 40, count=3)
    return np.where(top, 0.48 + 0.08 * texture, 0.14 + 0.06 * texture) + 0.42 * np.exp(-((edge / 1.8) ** 2))


def columns(chance: random.Random, height: int, width: int) -> Picture:
    """Draw atomic columns of a twinned crystal beside a thin amorphous edge."""
    import numpy as np

    v, u = np.mgrid[0:height, 0:width].astype(float)
    turn, pitch = chance.uniform(0.1, 0.5), width / chance.uniform(20, 26)
    wall = width * chance.uniform(0.4, 0.6) + 0.25 * (v - height / 2)
    mirrored = np.where(u < wall, u, 2 * wall - u)
    a = (mirrored * math.cos(turn) + v * math.sin(turn)) * math.tau / pitch
    b = (v * math.cos(turn) - mirrored * math.sin(turn)) * math.tau / (pitch * 0.707)
    heavy, light = np.exp(2.2 * (np.cos(a) + np.cos(b) - 2)), np.exp(3.0 * (np.cos(a + math.pi) + np.cos(b + 2.1) - 2))
    hills = layers(chance, height, width, width / 3)
    thick = 1 / (1 + np.exp(-(v + 0.2 * u - 0.22 * height + height * 0.12 * (hills - 0.5)) / (height * 0.03)))
    amorphous = layers(chance, height, width, max(3.0, pitch / 3), count=2)
    return (
        0.12 + 0.16 * amorphous * (1.2 - thick) + thick * (0.14 + (0.62 * heavy + 0.28 * light) * (0.75 + 0.4 * hills))
    )


def clusters(chance: random.Random, height: int, width: int) -> Picture:
    """Draw the projected thickness of metal clusters on a carbon film: what a dark-field detector sees."""
    import numpy as np

    picture = 0.08 + 0.07 * layers(chance, height, width, width / 5)
    v, u = np.mgrid[0:height, 0:width].astype(float)
    for _ in range(chance.randrange(26, 38)):
        radius = width * 0.045 * math.exp(chance.gauss(0, 0.3))
        y, x = chance.uniform(0, height), chance.uniform(0, width)
        far = ((u - x) ** 2 + (v - y) ** 2) / radius**2
        picture += chance.uniform(0.35, 0.65) * np.sqrt(np.clip(1 - far, 0, 1))
    return np.clip(picture, 0, 1)


def pattern(chance: random.Random, height: int, width: int, *, pitch: float) -> Picture:
    """Draw an electron diffraction pattern: spots ``pitch`` pixels apart, rings of a polycrystal, the bright beam; 0 to 1."""
    import numpy as np

    v, u = np.mgrid[0:height, 0:width].astype(float)
    v, u = v - height / 2, u - width / 2
    turn = chance.uniform(0.1, 1.2)
    a = (u * math.cos(turn) + v * math.sin(turn)) * math.tau / pitch
    b = (v * math.cos(turn) - u * math.sin(turn)) * math.tau / (pitch * 1.1547)
    far = np.hypot(u, v)
    sharp = (pitch / 5.5) ** 2
    spots = np.exp(sharp * (np.cos(a) + np.cos(b) - 2)) * np.exp(-((far / (0.38 * width)) ** 2))
    rings = sum(np.exp(-(((far - pitch * step) / 1.4) ** 2)) for step in (1.31, 1.52, 2.15, 2.52))
    glow = 1 / (1 + (far / (0.04 * width)) ** 2) ** 1.5
    return 0.002 + 0.25 * spots + 0.012 * rings + 0.12 * glow + np.exp(-((far / (0.012 * width)) ** 2))


def expose(chance: random.Random, picture: Picture, *, electrons: float = 180.0) -> Picture:
    """Return the picture as a detector saw it: blurred by the beam, with shot noise of so many electrons at full white."""
    import numpy as np

    padded = np.pad(picture, 1, mode="edge")
    rows = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    beam = np.clip((rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4, 0, None)
    grain = noise(chance, beam.shape)
    grain[:, 1:] = 0.8 * grain[:, 1:] + 0.45 * grain[:, :-1]
    return beam + np.sqrt(beam / electrons) * grain


def grey(picture: Picture) -> Any:
    """Return the picture in 8 bits; the darkest is 1, because no real detector gives long rows of zeros."""
    import numpy as np

    return np.clip(np.rint(picture * 255), 1, 255).astype(np.uint8)


def with_bar(image: Any, bar: int, text: str, *, micron: float, caption: str) -> Any:
    """Return the 8-bit image with a data bar of ``bar`` rows below: a scale bar ``micron`` pixels long and a text."""
    import numpy as np

    scale = 2
    strip = np.full((bar, image.shape[1]), 12, dtype=np.uint8)
    strip[0] = strip[-1] = 200
    middle = (bar - 5 * scale) // 2
    strip[middle + 5 * scale - 2 : middle + 5 * scale, 8 : 8 + round(micron)] = 255
    _write(strip, caption, 8, max(1, middle - 4), scale)
    _write(strip, text, 8 + round(micron) + 14, middle, scale)
    return np.vstack([image, strip])


def _write(picture: Any, text: str, x: int, y: int, scale: int) -> None:
    import numpy as np

    for letter in text:
        rows = GLYPHS.get(letter) or GLYPHS.get(letter.upper(), GLYPHS[" "])
        dots = np.array([[int(row) >> bit & 1 for bit in (2, 1, 0)] for row in rows], dtype=np.uint8)
        dots = np.kron(dots, np.ones((scale, scale), dtype=np.uint8))
        place = picture[y : y + 5 * scale, x : x + 3 * scale]
        place[dots[: place.shape[0], : place.shape[1]] > 0] = 235
        x += 4 * scale
