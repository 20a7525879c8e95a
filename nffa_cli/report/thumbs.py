"""Previews made small enough to travel inside a page; a door of Pillow."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

SIDE = 288
"""Pixels of the longest side."""
MOST_BYTES = 9_000
"""Of one picture; as base64 it is a third more."""
QUALITIES = (72, 55, 40, 25)


def data_uri(preview: Path) -> str | None:
    """Return a preview as the address of a picture that is in the page itself; None: it cannot be read."""
    try:
        with Image.open(preview, formats=("JPEG", "PNG")) as image:
            image.draft(None, (SIDE, SIDE))
            small = image.convert("L" if image.mode in ("1", "L", "LA", "I", "I;16") else "RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    for quality in QUALITIES:
        packed = io.BytesIO()
        small.save(packed, "JPEG", quality=quality)
        if packed.tell() <= MOST_BYTES:
            break
    return "data:image/jpeg;base64," + base64.b64encode(packed.getvalue()).decode()
