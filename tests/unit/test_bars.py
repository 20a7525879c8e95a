"""The data bar is found where it is, and nowhere else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from nffa_cli.classify import bars
from tests import bar_pictures as drawn


def as_jpeg(image, quality):
    if quality is None:
        return np.asarray(image)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("quality", [None, 100, 80])
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("maker", drawn.MAKERS, ids=lambda maker: maker.__name__)
def test_a_bar_is_cut_off_and_little_else(maker, dark, quality):
    for seed, kind in enumerate(drawn.TEXTURES):
        image, (top, bottom) = maker(drawn.texture(seed, kind), dark)
        rows, columns = bars.kept(as_jpeg(image, quality))
        assert rows.start >= top - 1, (kind, rows)
        assert rows.stop <= bottom + 1, (kind, rows)
        assert rows.stop - rows.start >= 0.88 * (bottom - top), (kind, rows)
        assert columns.stop - columns.start >= 0.95 * drawn.SIZE[0], (kind, columns)


@pytest.mark.parametrize("quality", [None, 80])
@pytest.mark.parametrize("kind", drawn.TEXTURES)
def test_a_picture_without_a_bar_is_kept_whole(kind, quality):
    for seed in range(6):
        grey = as_jpeg(drawn.texture(seed, kind), quality)
        assert bars.find(grey) == []
        assert bars.kept(grey) == (slice(0, drawn.SIZE[1]), slice(0, drawn.SIZE[0]))


def test_even_margins_go_but_a_blank_picture_stays():
    grey = np.full((300, 400), 255, np.uint8)
    grey[40:260, 50:390] = np.asarray(drawn.texture(1, "noise"))[:220, :340]
    assert bars.kept(grey) == (slice(40, 260), slice(50, 390))
    blank = np.zeros((300, 400), np.uint8)
    assert bars.kept(blank) == (slice(0, 300), slice(0, 400))


@pytest.mark.parametrize("shape", [(2, 2), (1, 500), (500, 1), (47, 300), (48, 48)])
def test_tiny_pictures_are_no_trouble(shape):
    rows, columns = bars.kept(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert (rows.stop - rows.start, columns.stop - columns.start) == shape
