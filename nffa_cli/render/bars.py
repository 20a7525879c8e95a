"""Data bars, scale bars, panel letters and arrows, drawn on rendered pictures as makers and authors put them on real ones.

They are there so that what learns from the pictures learns that they mean nothing: each label gets them alike. Text is
drawn with Pillow's own font (it has no µ: micrometres are um); words and logos are made up, in the manner of the instruments'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nffa_cli.render.fields import Array

BAR, LETTER, SCALE, MARKS = 0.6, 0.12, 0.22, 0.07
"""How often a picture has a data bar, a panel letter, a scale bar of its own, arrows or measured lines."""


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(size, 5))


@lru_cache(maxsize=4096)
def _glyphs(text: str, size: int) -> Array:
    """Return text as coverage 0..1 (h, w)."""
    left, top, right, bottom = (int(v) for v in _font(size).getbbox(text))
    found = Image.new("L", (max(right - left, 1) + 2, max(bottom - top, 1) + 2))
    ImageDraw.Draw(found).text((1 - left, 1 - top), text, fill=255, font=_font(size))
    return np.asarray(found, np.float32) / 255


def write(level: Array, text: str, y: float, x: float, size: int, ink: float) -> int:
    """Write ``text`` on a picture of 0..255 with its upper left corner at (y, x); return its width."""
    glyphs = _glyphs(text, size)
    _blend(level, glyphs, round(y), round(x), ink)
    return int(glyphs.shape[1])


def _blend(level: Array, cover: Array, top: int, left: int, ink: float) -> None:
    first, low = max(top, 0), max(left, 0)
    last, high = min(top + cover.shape[0], level.shape[0]), min(left + cover.shape[1], level.shape[1])
    if first < last and low < high:
        part = cover[first - top : last - top, low - left : high - left]
        under = level[first:last, low:high]
        under += (np.float32(ink) - under) * part


def _box(level: Array, top: float, left: float, bottom: float, right: float, ink: float) -> None:
    """Fill a box; edges between pixels cover them in part."""
    y, x = np.arange(level.shape[0])[:, None], np.arange(level.shape[1])[None, :]
    rows = np.clip(np.minimum(y + 1, bottom) - np.maximum(y, top), 0, 1)
    columns = np.clip(np.minimum(x + 1, right) - np.maximum(x, left), 0, 1)
    low, high = max(int(top), 0), max(int(np.ceil(bottom)), 0)
    part = (rows[low:high] * columns).astype(np.float32)
    level[low:high] += (np.float32(ink) - level[low:high]) * part


def _words(rng: np.random.Generator) -> dict[str, str]:
    """Made-up settings, as instruments write them."""
    number = f"{rng.choice([1, 2, 3, 5, 7, 10, 15, 20, 30])}.{rng.integers(0, 100):02d}"
    length = int(rng.choice([1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500]))
    unit = str(rng.choice(["nm", "um", "mm"], p=[0.38, 0.55, 0.07]))
    day = f"{rng.integers(1, 29)} {rng.choice(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Sep', 'Oct', 'Nov'])}"
    clock = f"{rng.integers(8, 20)}:{rng.integers(10, 60)}"
    return {
        "kv": f"{number} kV",
        "ev": f"EHT = {number} kV",
        "wd": f"WD = {rng.uniform(2, 15):.1f} mm",
        "mag": f"Mag = {rng.uniform(0.1, 300):.2f} K X",
        "times": f"x{rng.integers(1, 300)},000" if rng.random() < 0.5 else f"{rng.uniform(0.3, 200):.1f}k",
        "scale": f"{length} {unit}",
        "tight": f"{length}.0{unit}",
        "signal": f"Signal A = {rng.choice(['InLens', 'SE2', 'BSD', 'AsB', 'ESB'])}",
        "detector": str(rng.choice(["SE(M)", "SE(U)", "SE(L)", "BSE", "SEI", "LEI", "ETD", "TLD", "SE", "COMPO"])),
        "date": f"Date :{day} {rng.integers(1999, 2026)}",
        "day": f"{rng.integers(1, 13)}/{rng.integers(1, 29)}/{rng.integers(1999, 2026)} {clock}",
        "time": f"Time :{clock}:{rng.integers(10, 60)}",
        "place": str(rng.choice(["LAB", "CENTRE FOR MICROSCOPY", "NANO LAB", "IMF", "PHYSICS", "SEM-2", "INSTITUTE", "UNI"])),
        "file": f"File = {rng.choice(['S', 'sample', 'A', 'run', 'x'])}{rng.integers(1, 99)}_{rng.integers(1, 40):02d}.tif",
    }  # fmt: skip


Bar = Callable[[Array, np.random.Generator, dict[str, str]], None]


def zeiss(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw a white bar that lies in the picture at about 86 % of its height, with picture below it; or at the bottom."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.04, 0.075))
    top = rows * float(np.clip(rng.normal(0.862, 0.012), 0.8, 0.9)) if rng.random() < 0.75 else rows - tall
    paper, ink = (250.0, 10.0) if rng.random() < 0.7 else (float(rng.uniform(190, 240)), float(rng.uniform(0, 70)))
    left, right = (0.0, float(columns)) if rng.random() < 0.7 else (columns * 0.02, columns * 0.98)
    _box(level, top, left, top + tall, right, paper)
    size = max(round(tall * 0.42), 5)
    _scale(
        level,
        rng,
        top + tall * 0.12,
        left + columns * 0.02,
        tall * 0.8,
        columns * float(rng.uniform(0.05, 0.2)),
        ink,
        words["scale"],
    )
    for k, pair in enumerate((("mag", "wd"), ("ev", "signal"), ("date", "time"), ("place", "file"))):
        for row, word in enumerate(pair):
            write(level, words[word], top + tall * (0.06 + 0.46 * row), left + columns * (0.27 + 0.19 * k), size, ink)
    if rng.random() < 0.4:
        _box(level, top, left, top + 1, right, ink)


def _scale(
    level: Array, rng: np.random.Generator, top: float, left: float, tall: float, wide: float, ink: float, text: str
) -> None:
    """Draw a scale bar under or beside its number: a line with end strokes, or a filled bar."""
    write(level, text, top, left + wide * 0.1, max(round(tall * 0.5), 5), ink)
    y = top + tall * 0.8
    thick = max(tall * float(rng.uniform(0.08, 0.2)), 0.7)
    _box(level, y - thick / 2, left, y + thick / 2, left + wide, ink)
    if rng.random() < 0.6:
        for x in (left, left + wide - 0.8):
            _box(level, y - tall * 0.16, x, y + tall * 0.16, x + 0.8, ink)


def hitachi(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Write white words on black along the very bottom, a row of ticks at the right as the scale."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.055, 0.08))
    top = rows - tall
    _box(level, top, 0, rows, columns, 0)
    text = f"{words['kv']} {words['wd'][5:]} {words['times']} {words['detector']} {words['day'] if rng.random() < 0.7 else ''}"
    write(level, text, top + tall * 0.32, columns * 0.008, max(round(tall * 0.62), 6), 250)
    right, wide = columns * 0.985, columns * float(rng.uniform(0.18, 0.34))
    for k in range(11):
        x = right - wide + wide * k / 10
        _box(level, top + tall * 0.08, x, top + tall * (0.3 if k % 5 else 0.42), x + 0.8, 250)
    write(level, words["tight"], top + tall * 0.45, right - columns * 0.1, max(round(tall * 0.5), 5), 250)


def fei(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw a black bar with fields in columns, thin lines between them, a scale with end strokes at the right."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.06, 0.085))
    top = rows - tall
    paper, ink = (0.0, 245.0) if rng.random() < 0.85 else (30.0, 220.0)
    _box(level, top, 0, rows, columns, paper)
    size, x = max(round(tall * 0.4), 5), columns * float(rng.uniform(0.0, 0.12))
    for name, word in (("HV", "kv"), ("mag", "times"), ("det", "detector"), ("WD", "wd"), ("HFW", "scale")):
        write(level, name, top + tall * 0.06, x + 2, size, ink * 0.9)
        x += (
            max(write(level, words[word].replace("WD = ", ""), top + tall * 0.52, x + 2, size, ink), 12)
            + columns * 0.02
        )
        _box(level, top, x - columns * 0.012, rows, x - columns * 0.012 + 0.7, ink * 0.7)
    _scale(
        level,
        rng,
        top + tall * 0.1,
        columns * 0.72,
        tall * 0.8,
        columns * float(rng.uniform(0.08, 0.24)),
        ink,
        words["scale"],
    )


def tescan(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw a tall bar of three rows with a name at the right; black, or grey on white."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.09, 0.125))
    top = rows - tall
    paper, ink = (0.0, 240.0) if rng.random() < 0.7 else (245.0, 20.0)
    _box(level, top, 0, rows, columns, paper)
    size = max(round(tall * 0.27), 5)
    for row, words_of in enumerate((("kv", "wd"), ("times", "detector"), ("file", "day"))):
        for k, word in enumerate(words_of):
            write(level, words[word], top + tall * (0.05 + 0.31 * row), columns * (0.01 + 0.2 * k), size, ink)
    _scale(
        level,
        rng,
        top + tall * 0.35,
        columns * 0.45,
        tall * 0.5,
        columns * float(rng.uniform(0.1, 0.25)),
        ink,
        words["scale"],
    )
    write(level, words["place"], top + tall * 0.1, columns * 0.76, max(round(tall * 0.36), 6), ink)
    if rng.random() < 0.5:
        _box(level, top, columns * 0.42, rows, columns * 0.42 + 0.8, ink)


def jeol(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Write white words right on the picture near the bottom, at times on a black strip, with a white bar as the scale."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.05, 0.09))
    top = rows - tall * 1.1
    if rng.random() < 0.6:
        _box(level, top, 0, rows, columns, 0)
    size = max(round(tall * float(rng.uniform(0.5, 0.75))), 6)
    x = columns * 0.015
    for word in ("place", "detector", "kv", "times"):
        x += write(level, words[word], top + tall * 0.15, x, size, 250) + columns * 0.025
    _box(level, rows - tall * 0.35, columns * 0.72, rows - tall * 0.22, columns * float(rng.uniform(0.76, 0.86)), 250)
    write(level, words["scale"], top + tall * 0.12, columns * 0.88, size, 250)


def strip(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw a bar of anyone's: any grey, at the top or the bottom, a line or two of words, tinted bars turned to grey."""
    rows, columns = level.shape
    tall = rows * float(rng.uniform(0.035, 0.13))
    top = rows - tall if rng.random() < 0.85 else 0.0
    paper = float(rng.choice([0, 255, rng.uniform(0, 255)]))
    ink = float(rng.uniform(180, 255)) if paper < 128 else float(rng.uniform(0, 80))
    _box(level, top, 0, top + tall, columns, paper)
    lines = 2 if tall > rows * 0.08 else 1
    for row in range(lines):
        chosen = rng.choice(list(words), int(rng.integers(2, 6)), replace=False)
        text = "  ".join(words[str(word)] for word in chosen)
        y, x = top + tall * (0.12 + 0.45 * row), columns * float(rng.uniform(0, 0.3))
        write(level, text, y, x, max(round(tall * 0.7 / lines), 5), ink)
    if rng.random() < 0.7:
        _scale(
            level,
            rng,
            top + tall * 0.1,
            columns * float(rng.uniform(0.02, 0.8)),
            tall * 0.8,
            columns * float(rng.uniform(0.06, 0.2)),
            ink,
            words["scale"],
        )


@dataclass(frozen=True, slots=True)
class Maker:
    """A way to draw a data bar and how often it is drawn."""

    draw: Bar
    share: float


MAKERS = {
    "zeiss": Maker(zeiss, 0.36),
    "hitachi": Maker(hitachi, 0.16),
    "fei": Maker(fei, 0.16),
    "tescan": Maker(tescan, 0.1),
    "jeol": Maker(jeol, 0.12),
    "strip": Maker(strip, 0.1),
}


def annotate(image: Array, rng: np.random.Generator) -> Array:
    """Return the picture (uint8) with what people and instruments add to it, at random; often nothing."""
    draws = rng.random(4)
    if (draws >= (BAR, LETTER, SCALE, MARKS)).all():
        return image
    level = image.astype(np.float32)
    words = _words(rng)
    if draws[0] < BAR:
        names = list(MAKERS)
        maker = str(rng.choice(names, p=[MAKERS[name].share for name in names]))
        MAKERS[maker].draw(level, rng, words)
    if draws[1] < LETTER:
        _letter(level, rng)
    if draws[2] < SCALE:
        _own_scale(level, rng, words)
    if draws[3] < MARKS:
        _marks(level, rng, words)
    return np.clip(level + np.float32(0.5), 0, 255).astype(np.uint8)


def _letter(level: Array, rng: np.random.Generator) -> None:
    """Draw a panel letter in a corner, on a little box or straight on the picture."""
    rows, columns = level.shape
    size = round(rows * float(rng.uniform(0.06, 0.13)))
    text = str(rng.choice(["a", "b", "c", "d", "A", "B", "C", "(a)", "(b)", "(c)", "1", "2", "ii"]))
    y, x = rows * 0.02, columns * float(rng.choice([0.02, 0.02, 0.9]))
    ink = float(rng.choice([255, 0, 255, rng.uniform(80, 220)]))
    if rng.random() < 0.35:
        _box(level, 0, x - 3, size * 1.25, x + size * 1.1, 255 - ink)
    write(level, text, y, x, size, ink)


def _own_scale(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw a scale bar that an author drew in a corner, with or without its number."""
    rows, columns = level.shape
    wide, thick = columns * float(rng.uniform(0.08, 0.3)), rows * float(rng.uniform(0.006, 0.025))
    x, y = columns * float(rng.choice([0.04, 0.66])), rows * float(rng.uniform(0.88, 0.95))
    ink = float(rng.choice([255, 255, 0]))
    if rng.random() < 0.3:
        _box(level, y - rows * 0.09, x - 4, y + thick + 4, x + wide + 4, 255 - ink)
    _box(level, y, x, y + thick, x + wide, ink)
    if rng.random() < 0.75:
        write(level, words["scale"], y - rows * 0.075, x + wide * 0.15, round(rows * 0.06), ink)


def _marks(level: Array, rng: np.random.Generator, words: dict[str, str]) -> None:
    """Draw arrows, measured lines with their numbers, circles or dashed boxes."""
    rows, columns = level.shape
    canvas = Image.new("L", (columns, rows))
    pen = ImageDraw.Draw(canvas)
    ink = float(rng.choice([255, 255, 0, rng.uniform(60, 220)]))
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.1, 0.8) * columns, rng.uniform(0.1, 0.75) * rows
        dx, dy = rng.normal(0, 0.12, 2) * columns
        end = (x + dx, y + dy)
        what = rng.integers(4)
        if what == 0:
            turn = np.arctan2(dy, dx)
            pen.line([(x, y), end], fill=255, width=int(rng.integers(1, 3)))
            pen.polygon(
                [end, *((end[0] - 7 * np.cos(turn + t), end[1] - 7 * np.sin(turn + t)) for t in (0.45, -0.45))],
                fill=255,
            )
        elif what == 1:
            pen.line([(x, y), end], fill=255)
            write(level, words["scale"], y - 10, x + 2, round(rows * 0.05), ink)
        elif what == 2:
            pen.ellipse([x, y, x + abs(dx) + 8, y + abs(dx) + 8], outline=255, width=1)
        else:
            pen.rectangle([x, y, x + abs(dx) + 10, y + abs(dy) + 10], outline=255, width=1)
    _blend(level, np.asarray(canvas, np.float32) / 255, 0, 0, ink)


def save(image: Array, path: Path) -> None:
    """Write a uint8 picture as the file that ``path`` names (PNG, TIFF …)."""
    Image.fromarray(image).save(path)
