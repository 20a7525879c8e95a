"""Pages and failures: plots, screenshots, drawings, photographs, targets, empty and spoilt pictures; "none of the ten"."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.bars import write
from nffa_cli.render.kinds.methods import finished
from nffa_cli.render.scene import (
    Array,
    Scene,
    Shape,
    ball,
    blur,
    cells,
    curve,
    disc,
    fbm,
    grid,
    lump,
    scatter,
    smooth,
    stamp_all,
    step,
    tubes,
    turned,
    warped,
)

WORDS = (
    "Energy Counts Time Sample Intensity 2theta a.u. eV nm File Edit View Image Scan OK Cancel 0.5 10 20 100 keV Figure"
).split()


def _page(rng: np.random.Generator, shape: Shape) -> tuple[Array, float]:
    """Return an empty page (0..255) and the level of its ink."""
    white = rng.random() < 0.75
    paper = float(rng.uniform(225, 255)) if white else float(rng.uniform(0, 70))
    return np.full(shape, np.float32(paper)), float(rng.uniform(0, 90)) if white else float(rng.uniform(150, 255))


def _fill(page: Array, top: float, left: float, bottom: float, right: float, ink: float) -> None:
    page[max(round(top), 0) : max(round(bottom), 0), max(round(left), 0) : max(round(right), 0)] = ink


def _frame(page: Array, top: float, left: float, bottom: float, right: float, ink: float) -> None:
    _fill(page, top, left, top + 1, right, ink)
    _fill(page, bottom - 1, left, bottom, right, ink)
    _fill(page, top, left, bottom, left + 1, ink)
    _fill(page, top, right - 1, bottom, right, ink)


def _line(page: Array, y: Array, x: Array, ink: float, width: float = 0.8) -> None:
    """Draw a line through points on a page, in place."""
    mask = np.zeros(page.shape, np.float32)
    tubes(mask, [np.stack([y, x], axis=1)], [max(width, 0.5)], base=0.0)
    cover = np.clip(mask * np.float32(1.6), 0, 1)
    page += (np.float32(ink) - page) * cover


def _done(rng: np.random.Generator, page: Array) -> Scene:
    return finished(rng, page / np.float32(255), stretch=False, noise=float(rng.choice([0.0, 0.01])))


def _axes(rng: np.random.Generator, page: Array, ink: float) -> tuple[float, float, float, float]:
    """Draw axes with ticks and words; return top, left, bottom, right of the field."""
    rows, columns = page.shape
    top, left = rows * rng.uniform(0.04, 0.15), columns * rng.uniform(0.08, 0.2)
    bottom, right = rows * rng.uniform(0.78, 0.9), columns * rng.uniform(0.85, 0.98)
    if rng.random() < 0.6:
        _frame(page, top, left, bottom, right, ink)
    else:
        _fill(page, bottom - 1, left, bottom, right, ink)
        _fill(page, top, left, bottom, left + 1, ink)
    for k in range(int(rng.integers(4, 9))):
        x = left + (right - left) * k / 7
        _fill(page, bottom, x, bottom + 3, x + 1, ink)
        write(page, str(k * 10), bottom + 4, x - 3, max(round(rows * 0.05), 6), ink)
        y = bottom - (bottom - top) * k / 7
        _fill(page, y, left - 3, y + 1, left, ink)
    write(page, str(rng.choice(WORDS)), bottom + rows * 0.07, (left + right) / 2, max(round(rows * 0.06), 6), ink)
    return top, left, bottom, right


def plot(rng: np.random.Generator, shape: Shape) -> Scene:
    """A plot: curves, points or columns between axes with ticks and words."""
    page, ink = _page(rng, shape)
    top, left, bottom, right = _axes(rng, page, ink)
    at = np.linspace(0, 1, 80)
    for _ in range(int(rng.integers(1, 5))):
        pen = float(np.clip(ink + rng.uniform(-60, 60), 0, 255))
        values = np.clip(0.5 + 0.3 * np.cumsum(rng.normal(0, 0.15, 80)) * 0.5, 0.02, 0.98)
        y, x = bottom - (bottom - top) * values, left + (right - left) * at
        what = rng.integers(3)
        if what == 0:
            _line(page, y, x, pen, float(rng.uniform(0.5, 1.4)))
        elif what == 1:
            for py, px in zip(y[::4], x[::4], strict=True):
                _fill(page, py - 2, px - 2, py + 2, px + 2, pen)
        else:
            for py, px in zip(y[::6], x[::6], strict=True):
                _fill(page, py, px, bottom, px + (right - left) / 20, pen)
    return _done(rng, page)


def spectrum(rng: np.random.Generator, shape: Shape) -> Scene:
    """A spectrum: sharp peaks of all heights on a falling background, at times filled, labelled with elements."""
    page, ink = _page(rng, shape)
    top, left, bottom, right = _axes(rng, page, ink)
    at = np.linspace(0, 1, 300)
    values = 0.25 * np.exp(-at * rng.uniform(1, 6)) + 0.01 * rng.random(300)
    for _ in range(int(rng.integers(3, 14))):
        centre, tall = rng.uniform(0.02, 0.95), rng.exponential(0.25)
        values += tall * np.exp(-np.square((at - centre) / rng.uniform(0.004, 0.015)))
        if tall > 0.15:
            name = str(rng.choice(["O", "Si", "C", "Fe", "Al", "Au", "Cu", "Ti", "Ni"]))
            write(page, name, bottom - (bottom - top) * min(tall, 0.9) - 12, left + (right - left) * centre, 9, ink)
    y, x = bottom - (bottom - top) * np.clip(values, 0, 0.98), left + (right - left) * at
    if rng.random() < 0.5:
        pen = float(np.clip(ink + rng.uniform(0, 110), 0, 255))
        limit = np.interp(np.arange(shape[1]), x, y, left=1e9, right=1e9)
        rows = np.arange(shape[0])[:, None]
        page[(rows > limit[None, :]) & (rows < bottom)] = pen
    _line(page, y, x, ink, 0.7)
    return _done(rng, page)


def text(rng: np.random.Generator, shape: Shape) -> Scene:
    """A page of a document: a heading, paragraphs in one or two columns, a table, perhaps a little figure."""
    page, ink = _page(rng, shape)
    rows, columns = shape
    size = max(round(rows * float(rng.uniform(0.03, 0.08))), 5)
    number = int(rng.integers(1, 3))
    wide = columns / number
    for column in range(number):
        left, top = wide * (column + 0.05), rows * float(rng.uniform(0.02, 0.12))
        if rng.random() < 0.5:
            write(page, " ".join(rng.choice(WORDS, 3)), top, left, round(size * 1.6), ink)
            top += size * 2.4
        while top < rows:
            what = rng.random()
            if what < 0.04:
                tall = rows * float(rng.uniform(0.12, 0.3))
                _frame(page, top, left, top + tall, left + wide * 0.85, ink)
                _line(page, top + tall * rng.uniform(0.2, 0.8, 9), np.linspace(left + 3, left + wide * 0.8, 9), ink)
                top += tall + size
            elif what > 0.93:
                top += size * 1.2
            x, end = left, left + wide * (0.88 if rng.random() < 0.85 else float(rng.uniform(0.2, 0.8)))
            while x < end - size:
                x += write(page, str(rng.choice(WORDS)), top, x, size, ink) + size * 0.35
            top += size * 1.35
    return _done(rng, page)


def chart(rng: np.random.Generator, shape: Shape) -> Scene:
    """A map: contour lines or filled levels, roads, rivers, names, a grid over it."""
    page, ink = _page(rng, shape)
    hills = fbm(rng, shape, float(rng.uniform(40, 160)), octaves=4)
    levels = float(rng.uniform(2, 9))
    if rng.random() < 0.6:
        filled = np.floor(hills * np.float32(levels / 2)) * np.float32(rng.uniform(8, 30))
        page = np.clip(page * np.float32(0.8) + filled, 0, 255)
    near = np.abs(np.mod(hills * np.float32(levels), 1) - np.float32(0.5))
    page += (np.float32(ink) - page) * step(0.12 - near, 0, 0.12) * np.float32(rng.uniform(0, 0.8))
    for _ in range(int(rng.integers(0, 9))):
        start = rng.uniform(0, 1, 2) * shape
        road = curve(rng, tuple(start), float(rng.uniform(0, 6.3)), shape[1] * 0.9, bend=0.05)
        _line(page, road[:, 0], road[:, 1], float(rng.choice([ink, 255, 120])), float(rng.uniform(0.5, 2.5)))
    for k in np.arange(0, shape[1], float(rng.uniform(30, 80))) if rng.random() < 0.4 else ():
        _fill(page, 0, k, shape[0], k + 1, ink)
        _fill(page, k, 0, k + 1, shape[1], ink)
    for _ in range(int(rng.integers(0, 12))):
        y, x = rng.uniform(0, 0.9, 2) * shape
        write(page, str(rng.choice(WORDS)), y, x, max(round(shape[0] * 0.045), 6), ink)
    return _done(rng, page.astype(np.float32))


def screenshot(rng: np.random.Generator, shape: Shape) -> Scene:
    """A screen: windows with title bars, buttons, lists, and maybe a small picture in one of them."""
    rows, columns = shape
    page = np.full(shape, np.float32(rng.uniform(30, 230)))
    _fill(page, 0, 0, rows * 0.05, columns, float(rng.uniform(150, 240)))
    for k, word in enumerate(("File", "Edit", "View", "Tools", "Help")):
        write(page, word, 1, 3 + k * columns * 0.08, max(round(rows * 0.045), 6), 20)
    for _ in range(int(rng.integers(1, 5))):
        top, left = rng.uniform(0.05, 0.5) * rows, rng.uniform(0, 0.6) * columns
        bottom, right = top + rng.uniform(0.25, 0.6) * rows, left + rng.uniform(0.25, 0.6) * columns
        back = float(rng.uniform(180, 255))
        _fill(page, top, left, bottom, right, back)
        _fill(page, top, left, top + rows * 0.05, right, float(rng.uniform(20, 160)))
        _frame(page, top, left, bottom, right, float(rng.uniform(0, 120)))
        if rng.random() < 0.5:
            size = (max(int(bottom - top - rows * 0.1), 8), max(int(right - left - 12), 8))
            picture = np.clip(128 + 45 * fbm(rng, size, 20), 0, 255)
            y, x = int(top + rows * 0.07), int(left + 6)
            room = page[y : y + size[0], x : x + size[1]]
            room[...] = picture[: room.shape[0], : room.shape[1]]
        else:
            for line in np.arange(top + rows * 0.08, bottom - rows * 0.06, rows * 0.065):
                write(
                    page,
                    " ".join(rng.choice(WORDS, int(rng.integers(1, 4)))),
                    line,
                    left + 5,
                    max(round(rows * 0.05), 6),
                    30,
                )
    return _done(rng, page)


def drawing(rng: np.random.Generator, shape: Shape) -> Scene:
    """A drawing or a sketch: boxes, circles and arrows with words, hatched or in flat tones."""
    page, ink = _page(rng, shape)
    rows, columns = shape
    for _ in range(int(rng.integers(3, 12))):
        cy, cx = rng.uniform(0.15, 0.85) * rows, rng.uniform(0.15, 0.85) * columns
        half = rng.uniform(0.04, 0.2, 2) * rows
        what = rng.integers(4)
        if what == 0:
            if rng.random() < 0.5:
                _fill(page, cy - half[0], cx - half[1], cy + half[0], cx + half[1], float(rng.uniform(100, 240)))
            _frame(page, cy - half[0], cx - half[1], cy + half[0], cx + half[1], ink)
        elif what == 1:
            t = np.linspace(0, 2 * math.pi, 60)
            _line(page, cy + half[0] * np.sin(t), cx + half[1] * np.cos(t), ink, float(rng.uniform(0.5, 1.5)))
        elif what == 2:
            end = rng.uniform(0.1, 0.9, 2) * (rows, columns)
            _line(page, np.array([cy, end[0]]), np.array([cx, end[1]]), ink, float(rng.uniform(0.5, 1.5)))
        else:
            path = curve(rng, (cy, cx), float(rng.uniform(0, 6)), columns * 0.3, bend=0.6)
            _line(page, path[:, 0], path[:, 1], ink)
        if rng.random() < 0.6:
            write(page, str(rng.choice(WORDS)), cy - 4, cx - 8, max(round(rows * 0.06), 6), ink)
    return _done(rng, page)


def photograph(rng: np.random.Generator, shape: Shape) -> Scene:
    """A photograph of anything: a horizon, light from one side, soft shadows, things with smooth shading before it."""
    rows, columns = shape
    y, _ = grid(shape)
    horizon = rows * float(rng.uniform(0.3, 0.8)) + np.cumsum(rng.normal(0, 0.4, columns)).astype(np.float32)
    sky = np.float32(rng.uniform(0.5, 0.95)) - y / np.float32(rows) * np.float32(rng.uniform(-0.3, 0.4))
    floor = np.float32(rng.uniform(0.15, 0.6)) + fbm(rng, shape, (8, 30)) * np.float32(rng.uniform(0.01, 0.1))
    level = np.where(y < horizon, sky + fbm(rng, shape, (30, 70)) * np.float32(rng.uniform(0, 0.08)), floor)
    turn = float(rng.uniform(0, 6.28))
    for _ in range(int(rng.integers(1, 8))):
        cy, cx = rows * rng.uniform(0.2, 0.9), columns * rng.uniform(0, 1)
        ry, rx = rows * rng.uniform(0.05, 0.4, 2)
        v, u = turned(shape, float(rng.normal(0, 0.2)), centre=(cy, cx))
        d = np.hypot(v / ry, u / rx) if rng.random() < 0.5 else np.maximum(np.abs(v / ry), np.abs(u / rx))
        inside = step(-d.astype(np.float32), -1, float(rng.uniform(0.02, 0.1)))
        shadow = step(-np.hypot((v - ry) / (ry * 0.4), u / (rx * 1.3)).astype(np.float32), -1, 1.0)
        level = level * (1 - np.float32(0.4) * shadow * (1 - inside))
        tone = (
            rng.uniform(0.1, 0.9)
            + 0.25 * (v / ry * math.sin(turn) + u / rx * math.cos(turn))
            + 0.04 * fbm(rng, shape, 15)
        )
        level = level + (tone.astype(np.float32) - level) * inside
    return finished(rng, blur(np.clip(level, 0, 1).astype(np.float32), float(rng.uniform(0.3, 1.5))), noise=0.015)


def stub(rng: np.random.Generator, shape: Shape) -> Scene:
    """A sample on its holder at the least magnification: the stub's round edge, a piece of wafer, tape, a screw."""
    rows, columns = shape
    y, x = grid(shape)
    height = fbm(rng, shape, 30) * np.float32(0.3)
    material = np.full(shape, np.float32(0.55))
    cy, cx, r = rows * rng.uniform(0.3, 0.7), columns * rng.uniform(0.3, 0.7), rows * rng.uniform(0.5, 0.9)
    top = step(-np.hypot(y - cy, x - cx).astype(np.float32), -float(r), 2.0)
    height += top * np.float32(20)
    material += top * np.float32(0.3) + fbm(rng, shape, (3, 50)) * np.float32(0.04)
    for _ in range(int(rng.integers(1, 4))):
        v, u = turned(
            shape, float(rng.uniform(0, 3)), centre=(cy + rng.normal(0, r * 0.3), cx + rng.normal(0, r * 0.3))
        )
        half = rows * rng.uniform(0.08, 0.35, 2)
        ragged = fbm(rng, shape, 25) * np.float32(rng.choice([0.2, 3]))
        piece = step(np.minimum(half[0] - np.abs(v), half[1] - np.abs(u)).astype(np.float32) + ragged, 0, 1.5)
        height += piece * np.float32(rng.uniform(2, 9))
        material += (np.float32(rng.uniform(0.4, 1.3)) - material) * piece
    if rng.random() < 0.3:
        stamp_all(height, [disc(rows * 0.1, 25, dish=0.3)], rng.uniform((0, 0), shape, (1, 2)), material=material)
    points = scatter(rng, shape, 20)[: int(rng.integers(0, 20))]
    stamp_all(height, [lump(rng, float(rng.uniform(1, 4))) for _ in range(4)], points, base=None)
    return Scene(height.astype(np.float32), material.astype(np.float32))


def target(rng: np.random.Generator, shape: Shape) -> Scene:
    """A calibration target: a chart of bars of falling size, numbers beside them, a star, a cross, tin balls' few sizes."""
    rows, columns = shape
    plan = np.zeros(shape, np.float32)
    what = rng.integers(3)
    if what == 0:
        size, y, x = rows * float(rng.uniform(0.25, 0.4)), rows * 0.05, columns * 0.05
        for _ in range(9):
            for k in range(3):
                w = size / 5
                _fill(plan, y + 2 * k * w, x, y + 2 * k * w + max(w, 1), x + size, 1)
                _fill(plan, y, x + size * 1.25 + 2 * k * w, y + size, x + size * 1.25 + 2 * k * w + max(w, 1), 1)
            write(plan, str(int(rng.integers(1, 9))), y + size * 0.3, x + size * 2.4, max(round(size * 0.3), 5), 1)
            y += size * 1.2
            size *= 0.72
            if y + size > rows * 0.95:
                y, x = rows * 0.05, x + columns * 0.42
    elif what == 1:
        y, x = grid(shape)
        cy, cx = rows * rng.uniform(0.3, 0.7), columns * rng.uniform(0.3, 0.7)
        spokes = np.sin(np.arctan2(y - cy, x - cx) * float(rng.integers(12, 40)))
        plan = step(spokes.astype(np.float32), 0, 0.3) * (np.hypot(y - cy, x - cx) < rows * rng.uniform(0.3, 0.8))
    else:
        y, x = grid(shape)
        for wide in (rows * 0.012, rows * 0.03):
            cy, cx = rows * rng.uniform(0.3, 0.7), columns * rng.uniform(0.3, 0.7)
            plan = np.maximum(plan, ((np.abs(y - cy) < wide) | (np.abs(x - cx) < wide)).astype(np.float32))
        for k in range(8):
            write(plan, str(k), rows * 0.1, columns * (0.05 + 0.12 * k), max(round(rows * 0.08), 6), 1)
    plan = blur(np.asarray(plan, np.float32), 0.4)
    tone = float(rng.choice([rng.uniform(0.3, 0.7), rng.uniform(1.3, 1.9)]))
    return Scene(
        plan * np.float32(rng.uniform(0, 4)) + fbm(rng, shape, 20) * np.float32(0.1), 1 + plan * np.float32(tone - 1)
    )


def montage(rng: np.random.Generator, shape: Shape) -> Scene:
    """Several small pictures of different things on one page, with letters and white gaps between."""
    across, down = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    page = np.full(shape, np.float32(rng.choice([0, 255])))
    gap = int(rng.integers(1, 5))
    tall, wide = shape[0] // down, shape[1] // across
    for row in range(down):
        for column in range(across):
            size = (tall - gap, wide - gap)
            what = rng.integers(4)
            if what == 0:
                level = fbm(rng, size, float(rng.uniform(4, 30)))
            elif what == 1:
                grains = cells(rng, size, scale=float(rng.uniform(8, 25)))
                level = np.minimum(grains.border, 5) / 2 + grains.values(
                    rng.normal(0, 0.5, grains.count).astype(np.float32)
                )
            elif what == 2:
                level = np.zeros(size, np.float32)
                stamp_all(level, [ball(float(rng.uniform(2, 9)))], scatter(rng, size, float(rng.uniform(8, 25))))
                level = level / max(float(level.max()), 1) * 3 - 1
            else:
                y, x = warped(rng, size, 3, 20)
                level = np.sin(y * np.float32(rng.uniform(0.1, 0.8)) + x * np.float32(rng.uniform(0, 0.5)))
            grey = np.clip(rng.uniform(90, 160) + rng.uniform(20, 60) * level, 0, 255)
            page[row * tall : row * tall + size[0], column * wide : column * wide + size[1]] = grey
            if rng.random() < 0.7:
                write(
                    page,
                    "abcdefghijklmnop"[row * across + column],
                    row * tall + 2,
                    column * wide + 3,
                    12,
                    float(rng.choice([0, 255])),
                )
    return _done(rng, page)


def empty(rng: np.random.Generator, shape: Shape) -> Scene:
    """Nothing but a bare substrate: even grey with a trace of slow shading, a few specks, a faint scan frame."""
    level = np.float32(rng.uniform(0.1, 0.9)) + fbm(rng, shape, shape[0]) * np.float32(rng.uniform(0.002, 0.05))
    level = level + fbm(rng, shape, 3) * np.float32(rng.uniform(0, 0.015))
    if rng.random() < 0.5:
        specks = np.zeros(shape, np.float32)
        stamp_all(
            specks,
            [ball(float(rng.uniform(0.6, 2.5))) for _ in range(3)],
            rng.uniform((0, 0), shape, (int(rng.integers(1, 9)), 2)),
        )
        level = level + np.minimum(specks, 1) * np.float32(rng.normal(0, 0.2))
    return finished(rng, level, stretch=False, noise=0.04)


def failed(rng: np.random.Generator, shape: Shape) -> Scene:
    """A picture that is none: black, white, pure noise, lines only, or half a scan."""
    what = rng.integers(5)
    level = np.full(shape, np.float32(rng.choice([0.0, 0.02, 0.98, 1.0])))
    if what == 1:
        level = np.float32(rng.uniform(0.3, 0.7)) + rng.standard_normal(shape, dtype=np.float32) * np.float32(
            rng.uniform(0.05, 0.3)
        )
    elif what == 2:
        level = (
            np.float32(0.5)
            + rng.standard_normal((shape[0], 1)).astype(np.float32) * np.float32(0.2)
            + np.zeros(shape, np.float32)
        )
    elif what == 3:
        level = np.float32(0.5) + fbm(rng, shape, float(rng.uniform(3, 60))) * np.float32(0.15)
        level[int(shape[0] * rng.uniform(0.1, 0.7)) :] = 0
    elif what == 4:
        waves = np.sin(np.arange(shape[0]) * rng.uniform(0.1, 2)).astype(np.float32)[:, None]
        level = np.float32(0.5) + waves * np.float32(0.2) * (1 + smooth(rng, shape, 80) * np.float32(0.3))
    return finished(rng, level, stretch=False, noise=0.02)


def blurred(rng: np.random.Generator, shape: Shape) -> Scene:
    """Hopelessly out of focus: soft blobs and streaks of something that nobody can name."""
    level = fbm(rng, shape, float(rng.uniform(20, 70)), octaves=2)
    dots = np.zeros(shape, np.float32)
    points = rng.uniform((0, 0), shape, (int(rng.integers(0, 40)), 2)).astype(int)
    dots[tuple(points.T)] = 1
    spot = blur(dots, float(rng.uniform(5, 12)))
    level = level * np.float32(rng.uniform(0.1, 0.5)) + spot / max(float(spot.max()), 1e-6) * np.float32(
        rng.uniform(0, 2)
    )
    if rng.random() < 0.4:
        level = blur(level, tuple(rng.permutation([2.0, float(rng.uniform(8, 16))])))
    return finished(rng, blur(level, float(rng.uniform(3, 6))), noise=0.03)
