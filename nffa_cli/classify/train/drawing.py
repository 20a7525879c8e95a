"""The confusion table as a small picture; a door of Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CELL = 44
LEFT, TOP, EDGE = 220, 150, 12


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
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=True)
    return out.getvalue()
