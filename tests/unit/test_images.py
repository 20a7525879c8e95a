"""Pictures of every kind become the same grey: nothing saturates, nothing is inverted, nothing is read twice as wide."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from nffa_cli import extract, identify, seeing
from nffa_cli.classify import images
from nffa_cli.classify.decide import BLANK, COLOURED
from nffa_cli.errors import UnreadableFile
from tests import bar_pictures as drawn

RNG = np.random.default_rng(0)
GREY = np.kron(RNG.integers(30, 220, (12, 16)), np.ones((10, 10))).astype(np.uint8)
PICTURE = Image.fromarray(GREY)
NEGATIVE = [255 - n // 3 for n in range(768)]


def palette(colours=None):
    image = Image.fromarray(GREY, "L").convert("P")
    if colours:
        image.putpalette(colours)
    return image


WRITERS = {
    "grey.jpg": lambda path: PICTURE.save(path, quality=100),
    "colour.jpg": lambda path: PICTURE.convert("RGB").save(path, quality=100),
    "cmyk.jpg": lambda path: PICTURE.convert("CMYK").save(path, quality=100),
    "grey.png": PICTURE.save,
    "alpha.png": lambda path: PICTURE.convert("RGBA").save(path),
    "grey_alpha.png": lambda path: PICTURE.convert("LA").save(path),
    "palette.png": lambda path: palette().save(path),
    "16bits.png": lambda path: Image.fromarray(GREY.astype(np.uint16) * 256).save(path),
    "grey.bmp": PICTURE.save,
    "grey.tif": PICTURE.save,
    "lzw.tif": lambda path: tifffile.imwrite(path, GREY, compression="lzw"),
    "12_of_16_bits.tif": lambda path: tifffile.imwrite(path, GREY.astype(np.uint16) * 16),
    "signed.tif": lambda path: tifffile.imwrite(path, GREY.astype(np.int16) - 100),
    "float.tif": lambda path: tifffile.imwrite(path, GREY.astype(np.float32) / 7e6),
    "colour16.tif": lambda path: tifffile.imwrite(
        path, np.dstack([GREY] * 3).astype(np.uint16) * 100, photometric="rgb"
    ),
    "alpha.tif": lambda path: tifffile.imwrite(path, np.dstack([GREY] * 4), photometric="rgb"),
    "palette.tif": lambda path: palette().save(path),
    "white_is_zero.tif": lambda path: tifffile.imwrite(path, 255 - GREY, photometric="miniswhite"),
    "pages.tif": lambda path: tifffile.imwrite(
        path, np.stack([GREY, 255 - GREY, 255 - GREY, GREY]), photometric="minisblack"
    ),
}


def seen(path):
    raw = extract.read([str(path)], identify.identify(path.name, path.read_bytes()[:4096]).family)
    return seeing._picture(raw, raw.signals[seeing._which(raw.signals)], short=64)[0]


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_samples_looks_the_same(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    picture = seen(path)
    assert (picture.grey.shape, picture.grey.dtype) == (GREY.shape, np.uint8)
    assert np.corrcoef(picture.grey.ravel(), GREY.ravel())[0, 1] > 0.99
    assert picture.remarks == ()
    stretched = any(word in name for word in ("16", "signed", "float"))
    assert (int(picture.grey.min()), int(picture.grey.max())) == pytest.approx(
        (0, 255) if stretched else (int(GREY.min()), int(GREY.max())), abs=16 if "cmyk" in name else 4
    )


def test_one_bit_is_black_and_white(tmp_path):
    path = tmp_path / "bit.tif"
    Image.fromarray(GREY > 120).save(path)
    assert set(np.unique(seen(path).grey)) == {0, 255}


def test_a_palette_may_turn_grey_around(tmp_path):
    path = tmp_path / "negative.tif"
    palette(NEGATIVE).save(path)
    assert np.corrcoef(seen(path).grey.ravel(), GREY.ravel())[0, 1] < -0.99


def test_a_few_hot_pixels_do_not_make_the_rest_black():
    samples = RNG.normal(1000, 50, (400, 400))
    samples[3, 3], samples[5, 5], samples[7, 7] = 1e9, np.inf, np.nan
    grey = images.from_samples(samples.astype(np.float32), short=400).grey
    assert 100 < grey.mean() < 155
    assert grey.std() > 20


def test_large_pictures_are_reduced_and_know_it():
    samples = RNG.integers(0, 255, (3000, 4000), np.uint8)
    picture = images.from_samples(samples, short=192)
    assert picture.grey.shape == (428, 571)
    assert picture.pixel == 7
    prepared = images.prepare(picture, size=160, short=192, views=3)
    assert prepared.views.shape == (3, 1, 160, 160)
    assert prepared.pixel == pytest.approx(3000 / 192, rel=0.01)


def test_a_large_jpeg_is_decoded_in_draft():
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 255, (2304, 3072), np.uint8)).convert("RGB").save(buffer, "JPEG")
    picture = images.decode(buffer.getvalue(), short=192, where="a.jpg")
    assert picture.grey.shape == (576, 768)
    assert picture.pixel == 4


def test_views_cover_the_picture_and_keep_its_aspect():
    grey = np.tile(np.arange(256, dtype=np.uint8), (192, 1))
    views = images.prepare(images.Picture(grey, 1.0), size=160, short=192, views=4).views
    assert views.min() >= 0
    assert views.max() <= 1
    assert views[0, 0, 0, 0] < 0.01
    assert views[3, 0, 0, 0] > 0.99  # mirrored
    assert (np.diff(views[0, 0, 0]) * 255).round() == pytest.approx(1)
    assert (np.diff(views[1, 0, 0]) * 255).round() == pytest.approx(-1)


def test_blank_and_coloured_pictures_are_remarked():
    blank = images.prepare(images.Picture(np.full((200, 300), 90, np.uint8), 1.0), size=64, short=64, views=1)
    assert blank.remarks == (BLANK,)
    hues = np.kron(RNG.integers(0, 256, (12, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    assert images.from_samples(hues, short=64).remarks == (COLOURED,)
    tint = (np.dstack([GREY * 1.0, GREY * 0.9, GREY * 0.6])).astype(np.uint8)
    assert images.from_samples(tint, short=64).remarks == ()


@pytest.mark.parametrize(("shape", "views"), [((32, 32), 1), ((33, 4000), 5), ((4000, 33), 5), ((50, 700), 2)])
def test_odd_shapes_make_squares(shape, views):
    picture = images.from_samples(RNG.integers(0, 255, shape, np.uint8), short=64)
    assert images.prepare(picture, size=64, short=64, views=views).views.shape == (views, 1, 64, 64)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(50), b"BM" + bytes(60)])
def test_what_is_no_picture_is_an_error_with_a_code(data):
    with pytest.raises(UnreadableFile) as error:
        images.decode(data, short=64, where="x")
    assert error.value.code in ("corrupt", "truncated")


def with_bar(maker, dark, kind="grains"):
    """A picture of the whole range in 8 bits with a bar, the same of 12 in 16 bits with the bar at the ends of 16, its rows."""
    plain = np.asarray(drawn.texture(3, kind), float)
    low, high = np.percentile(plain, images.TAILS)
    plain = ((plain - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)
    (light, rows), (other, _) = (maker(Image.fromarray(each), dark) for each in (plain, 255 - plain))
    is_drawn = np.asarray(light) == np.asarray(other)
    deep = np.where(is_drawn, np.asarray(light, np.uint16) * 257, plain.astype(np.uint16) * 16)
    return np.asarray(light), deep, rows


def difference(one, other):
    views = [images.prepare(each, size=160, short=192, views=3).views for each in (one, other)]
    return float(np.abs(views[0] - views[1]).mean()) * 255


@pytest.mark.parametrize("kind", ["grains", "noise", "wires"])
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
@pytest.mark.parametrize("maker", drawn.MAKERS, ids=lambda maker: maker.__name__)
def test_a_bar_has_no_say_in_what_16_bits_become(maker, dark, kind):
    light, deep, _ = with_bar(maker, dark, kind)
    plain = images.from_samples(light, short=192)
    for samples in (deep, deep.astype(np.float32) / 7e6, np.dstack([deep] * 3)):
        assert difference(plain, images.from_samples(samples, short=192)) < 3


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_so_it_is_in_pictures_that_are_reduced_first(dark):
    light, deep, _ = (np.kron(each, np.ones((3, 3), np.uint16)) for each in with_bar(drawn.zeiss, dark))
    light = images.from_samples(light.astype(np.uint8), short=192)
    found = images.from_samples(deep, short=192)
    assert found.pixel == 3
    assert difference(light, found) < 3


@pytest.mark.parametrize("kind", drawn.TEXTURES)
def test_16_bits_without_a_bar_are_kept_whole(kind):
    for seed in range(3):
        deep = np.asarray(drawn.texture(seed, kind), np.uint16) * 16
        whole = (slice(0, drawn.SIZE[1]), slice(0, drawn.SIZE[0]))
        assert images.from_samples(deep, short=192).proper == whole
        deep[350, 7:9] = 65535
        assert images.from_samples(deep, short=192).proper == whole


def test_a_bar_is_found_where_it_and_its_text_are_brighter_than_the_picture():
    _, deep, (_, top) = with_bar(drawn.hitachi, dark=True)
    deep[top:] = np.where(deep[top:] > 32768, 65535, 20000)
    rows, _ = images.from_samples(deep, short=192).proper
    assert top - 3 <= rows.stop <= top


def test_margins_have_no_say_either():
    inner = np.asarray(drawn.texture(1, "noise"), np.uint16)[:220, :340] * 16
    deep = np.full((300, 400), 65535, np.uint16)
    deep[40:260, 50:390] = inner
    picture = images.from_samples(deep, short=192)
    assert picture.proper == (slice(40, 260), slice(50, 390))
    assert difference(picture, images.from_samples(inner, short=192)) < 1


def png16(samples, kind):
    """A PNG of 16 bits, as Pillow writes none: ``kind`` 2 colour, 4 grey with alpha, 6 colour with alpha."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_png_of_16_bits_with_colour_or_alpha_keeps_them_all(tmp_path, kind, channels):
    deep = (GREY.astype(np.uint16) * 5)[..., None].repeat(channels, 2)
    if channels != 3:
        deep[..., -1] = 65535
    path = tmp_path / "a.png"
    path.write_bytes(png16(deep, kind))
    plain = images.from_samples(GREY.astype(np.uint16), short=64)
    assert seen(path).grey == pytest.approx(plain.grey, abs=1)
    assert seen(path).remarks == ()
    with pytest.raises(UnreadableFile) as error:
        images.decode(path.read_bytes()[:-200], short=64, where="a.png")
    assert error.value.code == "truncated"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "HELD", GREY.size)
        with pytest.raises(UnreadableFile, match="more than"):
            seen(path)


def test_alpha_has_no_say_in_what_16_bits_become():
    deep = np.dstack([GREY] * 3 + [np.full_like(GREY, 255)]).astype(np.uint16) * 16
    deep[..., 3] = 65535
    assert images.from_samples(deep, short=64).grey.max() > 250
