"""The confusion table and a contact sheet of what was said of pictures, for people; a door of Pillow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

CELL = 44
LEFT, TOP, EDGE = 220, 150, 12
THUMB, LINE, COLUMNS = (160, 120), 16, 8
"""Pixels of a picture on a contact sheet and of a line of text; pictures in a row."""
COLOURS = {True: "#2a7f3f", False: "#b3261e"}


def confusion(table: Sequence[Sequence[int]], classes: Sequence[str]) -> bytes:
    """Return a PNG: rows the truth, columns what was said, the share of the row as darkness, counts as numbers."""
    side = CELL * len(classes)
    image = Image.new("RGB", (LEFT + side + EDGE, TOP + side + EDGE), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=12)
    for row, counts in enumerate(table):
        total = max(1, sum(counts))
        y = TOP + row * CELL
        draw.text((LEFT - 8, y + CELL // 2), classes[row], fill="black", font=font, anchor="rm")
        for column, count in enumerate(counts):
            x = LEFT + column * CELL
            light = round(255 - 200 * count / total)
            colour = (light, 255 - (255 - light) // 3, light) if row == column else (255, light, light)
            draw.rectangle((x, y, x + CELL - 2, y + CELL - 2), fill=colour)
            if count:
                draw.text((x + CELL // 2, y + CELL // 2), str(count), fill="black", font=font, anchor="mm")
    for column, name in enumerate(classes):
        draw.text(
            (LEFT + column * CELL + CELL // 2, TOP - 8), name.split()[0][:6], fill="black", font=font, anchor="ms"
        )
    draw.text((LEFT, 24), "said", fill="black", font=font)
    draw.text((EDGE, TOP - 20), "truth", fill="black", font=font)
    return _png(image)


def contact(shown: Iterable[tuple[str, NDArray[np.uint8], str, bool]]) -> bytes:
    """Return a PNG of pictures under the headline of their category, each with what was said: green where it is right.

    Parameters
    ----------
    shown
        (category, grey levels (H, W), what was said, whether that is right), sorted by category.
    """
    parts = [(title, list(each)) for title, each in groupby(shown, key=lambda row: row[0])]
    wide, tall = THUMB[0] + EDGE, THUMB[1] + LINE + EDGE
    rows = [-(-len(each) // COLUMNS) for _, each in parts]
    page = Image.new("RGB", (EDGE + COLUMNS * wide, EDGE + sum(2 * LINE + n * tall for n in rows)), "white")
    draw = ImageDraw.Draw(page)
    title_font, font = ImageFont.load_default(size=14), ImageFont.load_default(size=11)
    top = EDGE
    for (title, pictures), count in zip(parts, rows, strict=True):
        draw.text((EDGE, top), title, fill="black", font=title_font)
        top += 2 * LINE
        for n, (_, grey, said, is_right) in enumerate(pictures):
            x, y = EDGE + n % COLUMNS * wide, top + n // COLUMNS * tall
            page.paste(ImageOps.pad(Image.fromarray(grey), THUMB, color=255), (x, y))
            draw.rectangle((x - 2, y - 2, x + THUMB[0] + 1, y + THUMB[1] + 1), outline=COLOURS[is_right], width=2)
            while font.getlength(said) > THUMB[0]:
                said = said.rstrip("…")[:-1] + "…"
            draw.text((x, y + THUMB[1] + 2), said, fill=COLOURS[is_right], font=font)
        top += count * tall
    return _png(page)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()
