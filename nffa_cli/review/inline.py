"""A preview as a terminal shows it, and as 128 bits that know it again: the door of Pillow for people at a keyboard.

What a terminal can do is taken from its environment and never asked of it, so that nothing hangs on an answer that does not
come: the protocols of iTerm2 and kitty, sixels, else two pixels a character in 24-bit colour or in 24 greys, else nothing.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Way = Literal["iterm2", "kitty", "sixel", "colour", "grey"]
"""How a terminal shows a picture; ``colour`` and ``grey``: half-block characters."""

CELL = (8, 16)
"""Pixels of a character, wide and tall, where nobody says: most terminals' are near it, and twice as tall as wide."""
LEVELS = 48
"""Greys of a sixel picture."""
CHUNK = 4096
"""Characters of base64 that kitty takes at a time."""
PROGRAMS: Mapping[str, Way] = {
    "iTerm.app": "iterm2", "WezTerm": "iterm2", "mintty": "iterm2", "ghostty": "kitty", "kitty": "kitty",
    "contour": "sixel",
}  # fmt: skip
"""What ``TERM_PROGRAM`` says → what it understands."""
TERMS: Mapping[str, Way] = {
    "xterm-kitty": "kitty", "xterm-ghostty": "kitty", "foot": "sixel", "foot-extra": "sixel", "mlterm": "sixel",
    "yaft-256color": "sixel", "vt340": "sixel",
}  # fmt: skip
"""What ``TERM`` says → what it understands."""


def way(environment: Mapping[str, str]) -> Way | None:
    """Return how the terminal of this environment shows pictures; None: not at all.

    Inside tmux and screen only characters are drawn: they swallow the rest, whatever the terminal around them can.
    """
    term = environment.get("TERM", "")
    if term in ("dumb", "linux") or "NO_COLOR" in environment:
        return None
    if not (environment.get("TMUX") or environment.get("STY") or term.startswith(("tmux", "screen"))):
        if environment.get("KITTY_WINDOW_ID"):
            return "kitty"
        named = TERMS.get(term) or PROGRAMS.get(environment.get("TERM_PROGRAM", ""))
        if named is None and environment.get("LC_TERMINAL") == "iTerm2":
            named = "iterm2"
        if named is not None or "sixel" in term:
            return named or "sixel"
    if environment.get("COLORTERM", "") in ("truecolor", "24bit") or environment.get("WT_SESSION"):
        return "colour"
    return "grey" if "256color" in term else None


def draw(path: Path, how: Way, *, columns: int, rows: int) -> str:
    """Return the characters that show the picture at ``path`` in no more than ``columns`` × ``rows`` characters.

    Raises OSError if it is no picture.
    """
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    wide, tall = _fitted(picture.size, columns, rows)
    if how in ("colour", "grey"):
        return "\n".join(_blocks(picture, wide, tall, how))
    picture.thumbnail((2 * CELL[0] * wide, 2 * CELL[1] * tall), Image.Resampling.BOX)
    if how == "iterm2":
        data = _png(picture)
        size = f"width={wide};height={tall};preserveAspectRatio=1;size={len(data) * 3 // 4}"
        return f"\x1b]1337;File=inline=1;{size}:{data}\x07\n"
    if how == "kitty":
        return "".join(_kitty(_png(picture), wide, tall)) + "\n"
    grey = picture.convert("L").resize((wide * CELL[0], tall * CELL[1]), Image.Resampling.BOX)
    return sixels(np.asarray(grey)) + "\n"


def fingerprint(path: Path) -> int | None:
    """Return 128 bits that stay nearly the same when a picture is brightened, sharpened, scaled or packed anew.

    Each bit says whether one of 8 × 8 fields is brighter than its neighbour, to the right or below (a "difference hash").
    The lowest fifth, where data bars are, is left out. None: there is no picture, or nothing can be seen on it.
    """
    try:
        with Image.open(path) as opened:
            grey = opened.convert("L")
    except OSError:
        return None
    upper = grey.crop((0, 0, grey.width, max(8, grey.height * 4 // 5)))
    across, down = (np.asarray(upper.resize(size, Image.Resampling.BOX), np.int16) for size in ((9, 8), (8, 9)))
    if int(across.max()) - int(across.min()) < 3:
        return None
    bits = np.concatenate([(across[:, 1:] > across[:, :-1]).ravel(), (down[1:] > down[:-1]).ravel()])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _fitted(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """Return how many characters wide and tall a picture of ``size`` pixels is drawn."""
    width, height = size
    wide = min(columns, max(1, rows * 2 * width // max(1, height)))
    return max(1, wide), max(1, min(rows, round(wide * height / (2 * max(1, width)))))


def _blocks(picture: Image.Image, wide: int, tall: int, how: Way) -> Iterator[str]:
    """Yield lines of upper half blocks: the foreground is the upper pixel, the background the lower."""
    small = np.asarray(picture.resize((wide, 2 * tall), Image.Resampling.BOX), np.uint8)
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        cells = (f"\x1b[38;{_tone(a, how)};48;{_tone(b, how)}m▀" for a, b in zip(upper, lower, strict=True))
        yield "".join(cells) + "\x1b[0m"


def _tone(pixel: NDArray[np.uint8], how: Way) -> str:
    red, green, blue = map(int, pixel)
    if how == "colour":
        return f"2;{red};{green};{blue}"
    return f"5;{232 + min(23, (red + green + blue) * 24 // 766)}"


def _png(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _kitty(data: str, wide: int, tall: int) -> Iterator[str]:
    pieces = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    for number, piece in enumerate(pieces):
        head = f"f=100,a=T,q=2,c={wide},r={tall}," if number == 0 else ""
        yield f"\x1b_G{head}m={int(number < len(pieces) - 1)};{piece}\x1b\\"


def sixels(grey: NDArray[np.uint8]) -> str:
    """Return a grey picture (H, W) as sixels: bands of six rows, one colour after the other, runs counted."""
    height, width = grey.shape
    levels = (grey.astype(np.uint16) * LEVELS // 256).astype(np.uint8)
    tones = "".join(f"#{n};2;{(v := n * 100 // (LEVELS - 1))};{v};{v}" for n in range(LEVELS))
    padded = np.full((-(-height // 6) * 6, width), LEVELS, np.uint8)  # a level that no row draws
    padded[:height] = levels
    weights = (1 << np.arange(6, dtype=np.uint8))[:, None]
    bands = []
    for band in padded.reshape(-1, 6, width):
        rows = [
            f"#{level}" + _runs(((band == level) * weights).sum(axis=0)) for level in np.unique(band[band < LEVELS])
        ]
        bands.append("$".join(rows))
    return f'\x1bPq"1;1;{width};{height}{tones}' + "-".join(bands) + "\x1b\\"


def _runs(codes: NDArray[np.int64]) -> str:
    """Return sixel codes as characters, equal ones in a row counted."""
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    lengths = np.diff(starts, append=len(codes))
    return "".join(
        (f"!{length}" if length > 3 else "") + chr(63 + int(codes[start])) * (1 if length > 3 else int(length))
        for start, length in zip(starts, lengths, strict=True)
    )
