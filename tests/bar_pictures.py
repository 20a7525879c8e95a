"""Pictures with known data bars, in the manner of several makers, and pictures without any."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (512, 384)
WORDS = "EHT = 10.00 kV   Signal A = InLens   Mag = 20.00 K X   WD = 5.1 mm   Date: 6 May 2024   200 nm"


def texture(seed, kind):
    """A picture without a bar: grains, smooth hills, fine noise, a dark field with few wires, or stripes."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    noise = Image.fromarray(rng.integers(0, 256, (height, width), np.uint8))
    y, x = np.mgrid[:height, :width]
    if kind == "grains":
        base = np.asarray(noise.filter(ImageFilter.MedianFilter(7)), float) * 1.6 - 60
    elif kind == "hills":
        base = np.asarray(noise.resize((12, 9)).resize(SIZE, Image.Resampling.BICUBIC), float)
    elif kind == "noise":
        base = np.asarray(noise.filter(ImageFilter.GaussianBlur(1)), float)
    elif kind == "wires":
        image = Image.new("L", SIZE, 14)
        draw = ImageDraw.Draw(image)
        for _ in range(40):
            a, b = rng.integers(0, width, 2), rng.integers(0, height, 2)
            draw.line([(int(a[0]), int(b[0])), (int(a[1]), int(b[1]))], fill=200, width=3)
        base = np.asarray(image, float)
    else:
        base = 128 + 90 * np.sign(np.sin(x * 0.15 * np.cos(seed) + y * 0.15 * np.sin(seed)))
    return Image.fromarray((base + rng.normal(0, 4, base.shape)).clip(0, 255).astype(np.uint8))


TEXTURES = ("grains", "hills", "noise", "wires", "stripes")


def _write(image, top, bottom, *, ground, ink, lines=1, left=0, right=SIZE[0], size=10):
    draw = ImageDraw.Draw(image)
    draw.rectangle([left, top, right - 1, bottom - 1], fill=ground)
    step = (bottom - top) / lines
    for n in range(lines):
        draw.text((left + 6, top + n * step + (step - size) / 2), WORDS[n * 7 :][: (right - left) // 6], fill=ink,
                  font=ImageFont.load_default(size))  # fmt: skip
    return image


def zeiss(image, dark):
    """Inside the picture near 86 % of its height, with picture below."""
    ground, ink = (0, 255) if dark else (255, 0)
    top = round(0.863 * SIZE[1])
    return _write(image, top, top + 17, ground=ground, ink=ink), (0, top)


def zeiss_box(image, dark):
    """The same, but not over the whole width."""
    ground, ink = (70, 255) if dark else (235, 0)
    top = round(0.87 * SIZE[1])
    return _write(image, top, top + 26, ground=ground, ink=ink, left=30, right=480, lines=2), (0, top)


def hitachi(image, dark):
    ground, ink = (0, 255) if dark else (255, 10)
    top = SIZE[1] - 26
    return _write(image, top, SIZE[1], ground=ground, ink=ink), (0, top)


def fei(image, dark):
    ground, ink = (0, 255) if dark else (255, 0)
    top = SIZE[1] - 30
    image = _write(image, top, SIZE[1], ground=ground, ink=ink, lines=2)
    draw = ImageDraw.Draw(image)
    for x in range(0, SIZE[0], 64):
        draw.line([(x, top), (x, SIZE[1])], fill=ink)
    draw.line([(0, top), (SIZE[0], top)], fill=ink)
    return image, (0, top)


def tescan(image, dark):
    ground, ink = (52, 230) if dark else (190, 20)
    top = SIZE[1] - 48
    image = _write(image, top, SIZE[1], ground=ground, ink=ink, lines=3)
    ImageDraw.Draw(image).line([(0, top + 16), (SIZE[0], top + 16)], fill=97 if dark else 140)
    return image, (0, top)


def jeol(image, dark):
    ground, ink = (0, 255) if dark else (255, 0)
    top = SIZE[1] - 20
    return _write(image, top, SIZE[1], ground=ground, ink=ink, size=12), (0, top)


def above(image, dark):
    """At the upper edge."""
    ground, ink = (0, 255) if dark else (255, 0)
    return _write(image, 0, 24, ground=ground, ink=ink), (24, SIZE[1])


MAKERS = (zeiss, zeiss_box, hitachi, fei, tescan, jeol, above)
