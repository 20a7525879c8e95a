"""Previews: what is chosen, how it is stretched and labelled, and that every kind makes a sensible picture."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from nffa_cli import ink, preview
from nffa_cli.errors import UnreadableFile
from nffa_cli.records import Axis, Layout, Signal

NM = 1e-9


def signal(folder, data, kind, *axes, name=None):
    path = folder / f"{len(list(folder.iterdir()))}.raw"
    data.tofile(path)
    axes = axes or tuple(Axis(n, size) for n, size in zip("abcd", data.shape, strict=False))
    return Signal(name, kind, data.shape, data.dtype.name, axes, Layout(str(path), "raw", data.dtype.str, (0,)))


def plane(height, width, scale=2 * NM, unit="m"):
    return Axis("y", height, scale, 0.0, unit), Axis("x", width, scale, 0.0, unit)


def waves(*shape, dtype="u2"):
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    return np.broadcast_to(1000 + 500 * np.sin(x / 9) * np.cos(y / 7), shape).astype(dtype)


def drawn(folder, *signals, **options):
    out = folder / "out.png"
    told = preview.render(signals, str(out), fmt="png", **options)
    assert told is not None
    with Image.open(out) as picture:
        picture.load()
    assert picture.size == (told["width"], told["height"])
    return told, np.asarray(picture)


# --- parts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("longest", "length"),
    [(1, 1), (1.99, 1), (2, 2), (4.9, 2), (5, 5), (9.99, 5), (10, 10), (3e-9, 2e-9), (1e-9, 1e-9), (7e5, 5e5)],
)
def test_nice_length(longest, length):
    assert preview.nice_length(longest) == pytest.approx(length)


@pytest.mark.parametrize(
    ("scale", "unit", "label"),
    [
        (1.1165e-8, "m", "2 µm"),
        (1, "nm", "200 nm"),
        (1e-3, "mm", "200 µm"),
        (5, "µm", "1 mm"),
        (0.01, "Å", "0.2 nm"),
        (1e-14, "m", "2 pm"),
        (0.01, "1/nm", "2 nm⁻¹"),
        (1e7, "1/m", "2 nm⁻¹"),
        (0.01, "Å^-1", "20 nm⁻¹"),
        (0.1, "mrad", "20 mrad"),
        (-1, "nm", "200 nm"),
    ],
)
def test_scale_labels(scale, unit, label):
    length, text = preview.scale_label(Axis("x", 1024, scale, 0.0, unit), 1024)
    assert text == label
    assert 0.1 * 1024 < length <= 0.3 * 1024 * 1.0001


@pytest.mark.parametrize(
    "axis",
    [Axis("x", 9), Axis("x", 9, 0.0, 0, "nm"), Axis("x", 9, float("nan"), 0, "nm"), Axis("x", 9, 1, 0, "furlong")],
)
def test_no_scale_bar_without_calibration(axis):
    assert preview.scale_label(axis, 9) is None


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "u4", "i8", "f4", "f8"])
def test_stretch_spreads_the_percentiles(dtype):
    ramp = np.arange(100, dtype=dtype).reshape(10, 10) + 20 if dtype == "u1" else np.arange(10_000, dtype=dtype)
    got = preview.stretch(ramp)
    assert got.dtype == np.uint8
    assert got.min() == 0
    assert got.max() >= 254
    assert (np.diff(got.reshape(-1).astype(int)) >= 0).all()


def test_stretch_survives_what_detectors_write():
    assert (preview.stretch(np.full((4, 4), 7, "u2")) == 128).all()
    assert (preview.stretch(np.full((4, 4), np.nan, "f4")) == 0).all()
    holes = np.linspace(0, 1, 10_000, dtype="f4")
    holes[[5, 6, 7]] = np.nan, np.inf, -np.inf
    assert preview.stretch(holes)[[5, 6, 7]].tolist() == [0, 255, 0]
    sparse = np.zeros((100, 100), "u2")
    sparse[3, 3] = 9
    assert preview.stretch(sparse)[3, 3] == 255
    offset = 1e9 + np.arange(1000, dtype="f8")
    assert np.unique(preview.stretch(offset)).size > 200
    hot = np.tile(np.arange(100, dtype="f4"), 100)
    hot[0] = 1e30
    assert preview.stretch(hot)[50] == pytest.approx(128, abs=3)
    near = np.arange(2**64 - 1000, 2**64 - 1, dtype="u8")  # as floats all the same
    assert np.unique(preview.stretch(near)).size > 200


def test_log_stretch_shows_weak_spots_beside_a_strong_one():
    pattern = np.ones((64, 64), "u4") * 10
    pattern[30:34, 30:34] = 1_000_000
    pattern[10:12, 10:12] = 5_000
    linear, log = preview.stretch(pattern, high=99.9), preview.stretch(pattern, high=99.9, log=True)
    assert linear[10, 10] < 5
    assert log[10, 10] > 40
    assert log[31, 31] == 255


def test_ticks_and_envelope():
    assert ink.nice_ticks(0, 10) == [0, 2, 4, 6, 8, 10]
    assert ink.nice_ticks(-0.3, 0.31) == pytest.approx([-0.2, 0, 0.2])
    assert ink.nice_ticks(5, 5) == [5]
    values = np.zeros(100_000)
    values[77_777] = 5
    thinned = ink.envelope(values, 400)
    assert thinned.size == 800
    assert thinned.max() == 5


def test_what_is_chosen(tmp_path):
    image, other = (signal(tmp_path, waves(8, 8), "image", name=n) for n in "ab")
    spectrum = signal(tmp_path, np.arange(9.0), "spectrum")
    nowhere = Signal(None, "image", (4, 4), "uint8", ())
    assert preview.choose([spectrum, image, other, nowhere]) == [image, other]
    assert preview.choose([image] * 9) == [image] * 4
    assert preview.choose([spectrum, spectrum]) == [spectrum]
    assert preview.choose([nowhere]) == []
    out = tmp_path / "none"
    assert preview.render([], str(out)) is None
    assert preview.render([nowhere], str(out)) is None
    foreign = Signal(None, "image", (4, 4), "uint8", (), Layout("x", "rosetta", "|u1"))
    assert preview.render([foreign], str(out)) is None
    assert not out.exists()


# --- pictures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1024, 1024), (512, 512)), ((768, 1024), (512, 384)), ((3000, 2000), (341, 512)), ((600, 600), (512, 512)),
     ((64, 64), (512, 512)), ((300, 200), (200, 300)), ((2, 2), (512, 512)), ((1, 400), (400, 24))],
)  # fmt: skip
def test_sizes_of_images(tmp_path, shape, size):
    told, _ = drawn(tmp_path, signal(tmp_path, waves(*shape), "image", *plane(*shape)))
    assert (told["width"], told["height"]) == size


def test_non_square_pixels_become_square(tmp_path):
    axes = Axis("y", 100, 4.0, 0, "nm"), Axis("x", 400, 1e-3, 0, "µm")
    told, _ = drawn(tmp_path, signal(tmp_path, waves(100, 400), "image", *axes))
    assert told["width"] == told["height"] == 400


@pytest.mark.parametrize("ground", [0, 255])
def test_the_scale_bar_shows_on_any_ground_and_is_as_long_as_it_says(tmp_path, ground):
    data = np.random.default_rng(1).integers(0, 8, (512, 512)).astype("u1") + (0 if ground == 0 else 247)
    _, bare = drawn(tmp_path, signal(tmp_path, data, "image"))
    _, ruled = drawn(tmp_path, signal(tmp_path, data, "image", *plane(512, 512)))
    y, x = np.nonzero(bare != ruled)
    assert y.min() > 440
    assert x.max() < 200
    plate = ruled[y.min() : y.max() + 1, x.min() : x.max() + 1]
    runs = (plate == 255).sum(axis=1)
    assert plate.min() == 0
    assert runs.max() == 100  # 200 nm at 2 nm a pixel


def test_the_scale_bar_leaves_an_instruments_data_bar_alone(tmp_path):
    data = np.random.default_rng(1).integers(0, 255, (768, 1024)).astype("u1")
    data[700:] = 0
    data[700:702] = 255
    _, bare = drawn(tmp_path, signal(tmp_path, data, "image"))
    _, ruled = drawn(tmp_path, signal(tmp_path, data, "image", *plane(768, 1024)))
    assert np.nonzero(bare != ruled)[0].max() < 60


def test_large_images_are_reduced_not_skipped(tmp_path):
    data = np.zeros((2048, 2048), "u2")
    data[::2] = 60_000  # a pattern that every-other-row reading would show as plain white or black
    data[:, 1024:] = 60_000
    _, picture = drawn(tmp_path, signal(tmp_path, data, "image"))
    assert picture[100, 400] == 255
    assert picture[100, 100] == 0
    assert preview.pixels.frame(signal(tmp_path, data, "image"), max_side=512)[5, 5] == 30_000


def test_colour_pictures_stay_as_they_are(tmp_path):
    data = np.zeros((600, 600, 3), "u1")
    data[...] = 200, 30, 90
    _, picture = drawn(tmp_path, signal(tmp_path, data, "image"))
    assert (picture == (200, 30, 90)).all()


def test_a_stack_shows_its_middle_frame_and_says_so(tmp_path):
    data = np.stack([np.full((64, 64), n, "u1") for n in range(5)])
    data[2] = waves(64, 64)
    _, picture = drawn(tmp_path, signal(tmp_path, data, "stack"))
    assert len(np.unique(picture)) > 100
    assert picture[4:20, -60:].min() == 0


def test_detectors_stand_side_by_side_with_their_names(tmp_path):
    pair = [signal(tmp_path, waves(100, 100), "image", *plane(100, 100), name=n) for n in ("BF", "DF4")]
    told, _ = drawn(tmp_path, *pair)
    assert told["signals"] == ["BF", "DF4"]
    assert (told["width"], told["height"]) == (606, 300)
    told, _ = drawn(tmp_path, *pair, *pair)
    assert (told["width"], told["height"]) == (606, 606)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("diffraction", (87, 87)), ("diffraction-stack", (3, 40, 50)), ("complex", (64, 64)), ("complex", (2, 64, 64)),
        ("4d-stem", (4, 5, 32, 32)), ("4d-stem", (1, 1, 3, 3)), ("spectrum", (1,)), ("spectrum", (3,)),
        ("spectrum", (4096,)), ("spectrum", (7, 100)), ("profile", (77,)), ("spectrum-image", (5, 6, 300)),
        ("spectrum-image", (1, 6, 300)), ("spectrum-image", (6, 1, 300)), ("spectrum-image", (5, 300)),
        ("spectrum-image", (1, 2048)), ("spectrum-image", (2, 3, 4, 50)), ("spectrum-image", (3000, 20)),
        ("stack", (2, 2, 9, 9)), ("image", (1, 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [512, 64])
def test_every_kind_makes_a_picture(tmp_path, kind, shape, size):
    data = np.random.default_rng(2).poisson(3, shape).astype("c8" if kind == "complex" else "u2")
    told, picture = drawn(tmp_path, signal(tmp_path, data, kind), size=size)
    assert told["kind"] == kind
    assert max(picture.shape) <= max(2 * size, 360)
    assert data.size == 1 or picture.min() < picture.max()


def test_spectra_of_odd_values_are_drawn(tmp_path):
    energy = Axis("Energy", 5, -10.0, 20_000.0, "eV")
    for values in ([np.nan] * 5, [0.0] * 5, [-1.0, -2, np.inf, 3, 1e30], [-5.0, -4, -3, -2, -1]):
        drawn(tmp_path, signal(tmp_path, np.array(values, "f4"), "spectrum", energy, name="very long name " * 20))
    for values in ([1e-310, 0, 5e-324, 0, 0], [1.7e308, -1.7e308, 0, 0, 0]):
        drawn(tmp_path, signal(tmp_path, np.array(values), "spectrum", energy))
    for scale, offset in ((0.0, 5.0), (1.0, float("nan")), (1e-320, 0.0), (1e-9, 1e9), (1e308, 1e308), (-1e-3, -50.0)):
        drawn(tmp_path, signal(tmp_path, np.ones(5, "f4"), "spectrum", Axis("Energy", 5, scale, offset, "eV")))
        axes = Axis("y", 64, scale, offset, "nm"), Axis("x", 64, scale, offset, "nm")
        drawn(tmp_path, signal(tmp_path, waves(64, 64), "image", *axes))


def test_jpeg_is_the_default_and_read_errors_are_told(tmp_path):
    good = signal(tmp_path, waves(64, 64), "image")
    preview.render([good], str(tmp_path / "a"))
    with Image.open(tmp_path / "a") as picture:
        assert picture.format == "JPEG"
    (tmp_path / "b").write_bytes(b"short")
    bad = Signal(None, "image", (64, 64), "uint16", (), Layout(str(tmp_path / "b"), "raw", "<u2", (0,)))
    with pytest.raises(UnreadableFile) as caught:
        preview.render([bad], str(tmp_path / "c"))
    assert caught.value.code == "truncated"
    assert not (tmp_path / "c").exists()


def test_every_letter_of_a_label_has_a_glyph():
    missing = bytes(ink._font(14).getmask("\uffff"))
    for letter in "0123456789.nmpuradN-of ":
        assert bytes(ink._font(14).getmask(letter)) != missing


def test_importing_costs_no_decoder():
    heavy = ("tifffile", "h5py", "dask", "matplotlib")
    code = f"import sys, nffa_cli.preview; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_ordinary_image_takes_milliseconds(tmp_path):
    """A floor in the same run keeps this honest on slow machines: Pillow's own reduce, equalise and save."""
    image = signal(tmp_path, waves(1024, 1024), "image", *plane(1024, 1024))
    plain = Image.fromarray(waves(1024, 1024, dtype="u1"))

    def cost(work):
        work()
        times = []
        for _ in range(15):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
        return sorted(times)[5]

    ours = cost(lambda: preview.render([image], str(tmp_path / "a")))
    floor = cost(lambda: plain.reduce(2).save(io.BytesIO(), "JPEG", quality=85))
    assert ours < 6 * floor + 0.002
