"""What previews draw with: text, scale bar, labels, panels side by side, a line plot. Pillow only, no reading."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nffa_cli.charts import named_unit, nice_ticks, short
from nffa_cli.layouts import Array
from nffa_cli.records import Axis

INK, PAPER, LINE, GRID = (40, 40, 40), (255, 255, 255), (25, 85, 165), (228, 228, 228)
PLOT_MARGIN = (52, 14, 24, 38)
"""Left, right, top, bottom of a plot's box."""


def envelope(values: Array, columns: int) -> Array:
    """Return at most ``2 * columns`` values that keep every peak: the least and the greatest of each column."""
    if values.size <= 2 * columns:
        return values
    edges = np.linspace(0, values.size, columns + 1).astype(np.int64)[:-1]
    lows, highs = np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges)
    return np.stack([lows, highs], axis=1).reshape(-1)


@lru_cache(maxsize=8)
def _font(height: int) -> Any:

    return ImageFont.load_default(size=height)


def _text_size(text: str, height: int) -> tuple[int, int]:
    raised = _font(height * 2 // 3).getlength("-1") if text.endswith("⁻¹") else 0
    return math.ceil(_font(height).getlength(_plain(text)) + raised), math.ceil(height * 1.25)


def _plain(text: str) -> str:
    return text.removesuffix("⁻¹").replace("µ", "u")


def _write(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, height: int, fill: Any) -> None:
    """Write one line, its box's upper left corner ``at``.

    The built-in font lacks µ and ⁻¹: a u gets its tail drawn, and a small -1 is set high.
    """
    font = _font(height)
    draw.text(at, _plain(text), fill=fill, font=font)
    if text.endswith("⁻¹"):
        end = at[0] + font.getlength(_plain(text))
        draw.text((end, at[1] - height * 0.08), "-1", fill=fill, font=_font(height * 2 // 3))
    start = text.find("µ")
    while start >= 0:
        left = at[0] + font.getlength(_plain(text[:start])) + font.getbbox("u")[0]
        bottom = at[1] + font.getbbox("u")[3]
        thick = max(1, round(height / 10))
        draw.rectangle((left, bottom - height * 0.3, left + thick - 1, bottom + height * 0.2), fill=fill)
        start = text.find("µ", start + 1)


def has_data_bar(grey: Array) -> bool:
    """Tell whether the lowest quarter of a grey picture holds a row of one value: the edge of an instrument's data bar.

    A dark ground is taken for one too; then the scale bar stands at the top without need.
    """
    every = max(1, grey.shape[1] // 128)  # samples enough to tell nine tenths of a row
    rows = grey[grey.shape[0] * 3 // 4 :, every // 2 :: every]
    middle = rows[:, rows.shape[1] // 2, None].astype(np.int16)
    alike = np.count_nonzero(np.abs(rows - middle) <= 6, axis=1)  # a mean of truths takes four times as long
    return bool(alike.max(initial=0) >= 0.9 * rows.shape[1])


def scale_bar(picture: Image.Image, length: float, label: str, *, top: bool = False) -> None:
    """Draw a bar and its label, white on a black plate, so that they show on any ground.

    They stand in the lower left corner; with ``top`` in the upper right one, off an instrument's data bar.
    """
    plate = _plate(max(2, round(length)), label, max(11, min(16, picture.width // 20)), picture.mode)
    if plate.width + 12 > picture.width or plate.height + 12 > picture.height:
        return
    place = (picture.width - 6 - plate.width, 6) if top else (6, picture.height - 6 - plate.height)
    picture.paste(plate, place)


@lru_cache(maxsize=64)
def _plate(bar: int, label: str, height: int, mode: str) -> Image.Image:
    """Return a bar of so many pixels with its label above; the pictures of a day have few magnifications."""
    wide, tall = _text_size(label, height)
    white: Any = 255 if mode == "L" else (255, 255, 255)
    plate = Image.new(mode, (max(bar, wide) + 12, tall + 13))
    draw = ImageDraw.Draw(plate)
    _write(draw, ((plate.width - wide) // 2, 3), label, height, white)
    start = (plate.width - bar) // 2
    draw.rectangle((start, plate.height - 8, start + bar - 1, plate.height - 5), fill=white)
    return plate


def label(picture: Image.Image, text: str, *, right: bool = False) -> None:
    """Write a small text on a black plate in an upper corner, cut to the picture's width."""
    draw = ImageDraw.Draw(picture)
    height = max(10, min(14, picture.width // 24))
    while text and _text_size(text, height)[0] + 8 > picture.width - 8:
        text = text[:-1]
    wide, tall = _text_size(text, height)
    if not text or picture.height < tall + 8:
        return
    left = picture.width - wide - 12 if right else 4
    white: Any = 255 if picture.mode == "L" else (255, 255, 255)
    draw.rectangle((left, 4, left + wide + 7, 4 + tall + 1), fill=0 if picture.mode == "L" else (0, 0, 0))
    _write(draw, (left + 4, 4), text, height, white)


def named(picture: Image.Image, name: str | None) -> Image.Image:
    """Write the name, if there is one, on a panel and return the panel."""
    if name:
        label(picture, name)
    return picture


def grid(panels: Sequence[Image.Image]) -> Image.Image:
    """Put panels side by side, in two rows from three on, on white, a narrow gap between them."""
    gap, columns = 6, 2
    rows = [panels[i : i + columns] for i in range(0, len(panels), columns)]
    width = max(sum(p.width for p in row) + gap * (len(row) - 1) for row in rows)
    heights = [max(p.height for p in row) for row in rows]
    mode = "L" if all(p.mode == "L" for p in panels) else "RGB"
    paper = Image.new(mode, (width, sum(heights) + gap * (len(rows) - 1)), 255 if mode == "L" else PAPER)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for panel in row:
            paper.paste(panel, (left, top + (height - panel.height) // 2))
            left += panel.width + gap
        top += height + gap
    return paper


def plot(values: Array, axis: Axis, size: tuple[int, int], title: str | None) -> Image.Image:
    """Draw values against a calibrated axis: line, round ticks, unit. Twice the size, then halved: smooth lines."""
    size = max(size[0], 240), max(size[1], 150)  # below, the labels would leave no room for the line
    left, right, top, bottom = PLOT_MARGIN
    wide, tall = size[0] - left - right, size[1] - top - bottom
    values = np.clip(np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0), -1e300, 1e300)
    scale, offset, unit = axis.scale, axis.offset, axis.unit
    if not 1e-9 * abs(offset) < abs(scale) < 1e30 or abs(scale) < 1e-30:  # a broken calibration is none
        scale, offset, unit = 1.0, 0.0, None
    factor, unit = named_unit(Axis(axis.name, values.size, scale, offset, unit))
    scale, offset = scale * factor, offset * factor
    start, stop = sorted((offset, offset + scale * max(1, values.size - 1)))
    shown = values[::-1] if scale < 0 else values
    low, high = min(0.0, float(shown.min())), float(shown.max())
    if high <= low:
        high = low + 1.0
    high = max(high, low + 1e-300)
    high += 0.04 * (high - low)
    xs = {left + (t - start) / (stop - start) * wide: t for t in nice_ticks(start, stop)}
    ys = {top + (high - t) / (high - low) * tall: t for t in nice_ticks(low, high, 4)}
    paper = Image.new("RGB", (size[0] * 2, size[1] * 2), PAPER)
    draw = ImageDraw.Draw(paper)
    for x in xs:
        draw.line((2 * x, 2 * top, 2 * x, 2 * (top + tall)), fill=GRID, width=2)
    for y in ys:
        draw.line((2 * left, 2 * y, 2 * (left + wide), 2 * y), fill=GRID, width=2)
    line = envelope(shown, wide)
    across = 2 * (left + np.linspace(0, 1, max(2, line.size)) * wide)
    down = 2 * (top + (high - (line if line.size > 1 else np.repeat(line, 2))) / (high - low) * tall)
    draw.line(np.stack([across, down], axis=1).reshape(-1).tolist(), fill=LINE, width=3, joint="curve")
    draw.rectangle((2 * left, 2 * top, 2 * (left + wide), 2 * (top + tall)), outline=INK, width=2)
    paper = paper.reduce(2)
    draw = ImageDraw.Draw(paper)
    for x, value in xs.items():
        text = f"{value:.6g}"
        _write(draw, (x - _text_size(text, 12)[0] / 2, top + tall + 4), text, 12, INK)
    for y, value in ys.items():
        text = short(value)
        _write(draw, (left - 5 - _text_size(text, 12)[0], y - 7), text, 12, INK)
    under = f"{axis.name} ({unit})" if unit else axis.name
    _write(draw, (left + (wide - _text_size(under, 12)[0]) / 2, size[1] - 18), under, 12, INK)
    if title:
        _write(draw, (left, 5), title[: wide // 7], 12, INK)
    return paper
