"""Spectra made small: sums conserved, axes right, bounded bytes; and a file from elsewhere believed nothing."""

from __future__ import annotations

import gzip
import json
import random
import re
import tracemalloc

import numpy as np
import pytest

from nffa_cli import binning, spectra
from nffa_cli.errors import UnreadableFile
from nffa_cli.records import Axis, Layout, Signal

ENERGY = ("energy", 10.0, -200.0, "eV")


def signal(folder, values, kind, *, order=(), steps=((1e-9, 0.0), (2e-9, 5e-9)), name="EDS"):
    """A signal whose samples lie in a file of its own, in the order that ``order`` says."""
    path = folder / f"{name}.raw"
    stored = np.ascontiguousarray(values.transpose(np.argsort(order)) if order else values)
    path.write_bytes(stored.tobytes())
    outer = zip("yx"[3 - values.ndim :], values.shape, steps[3 - values.ndim :], strict=False)
    lead = [Axis(each, size, scale, offset, "m") for each, size, (scale, offset) in outer]
    last = Axis(ENERGY[0], values.shape[-1], *ENERGY[1:])
    layout = Layout(str(path), "raw", stored.dtype.str, (0,), stored.shape, tuple(order))
    return Signal(name, kind, values.shape, str(values.dtype), (*lead, last), layout)


def made(folder, *signals):
    out = folder / "out"
    assert binning.write(signals, str(out))
    written = out.read_bytes()
    assert len(written) <= spectra.MOST_BYTES
    return written, *spectra.unpack(written)


@pytest.mark.parametrize("order", [(), (1, 2, 0)], ids=["channels-fastest", "plane-by-plane"])
@pytest.mark.parametrize("shape", [(5, 7, 300), (70, 131, 1030), (1, 200, 64)])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_every_count_of_a_spectrum_image_is_in_the_small_one(tmp_path, shape, dtype, order):
    values = np.random.default_rng(1).integers(0, 9, shape).astype(dtype)
    _, (view,), left_out = made(tmp_path, signal(tmp_path, values, "spectrum-image", order=order))
    cube = view.cube
    assert (view.shape, left_out, cube.every) == (shape, 0, (1, 1))
    assert view.counts.tolist() == values.sum(axis=(0, 1), dtype=np.float64).tolist()
    assert cube.values.sum(dtype=np.float64) == values.sum(dtype=np.float64)
    down, across, by = cube.binned
    y, x = min(1, cube.values.shape[0] - 1), cube.values.shape[1] - 1
    part = values[y * down : (y + 1) * down, x * across :, 2 * by : 3 * by]
    assert cube.values[y, x, 2] == part.sum()


def test_axes_say_where_the_middle_of_what_was_added_lies(tmp_path):
    values = np.ones((128, 130, 512), "uint8")
    _, (view,), _ = made(tmp_path, signal(tmp_path, values, "spectrum-image"))
    assert view.axis == Axis("energy", 512, 10.0, -200.0, "eV")
    y, x, channel = view.cube.axes
    assert (y.size, y.scale, y.offset) == (64, 2e-9, 0.5e-9)
    assert (x.size, x.scale, x.offset) == (pytest.approx(44), pytest.approx(6e-9), pytest.approx(7e-9))
    assert (channel.size, channel.scale, channel.offset, channel.unit) == (256, 20.0, -195.0, "eV")


def test_a_huge_spectrum_image_is_read_in_strides_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(binning, "READ", 1 << 20)
    values = np.random.default_rng(2).integers(0, 200, (256, 200, 100)).astype("uint8")
    held = signal(tmp_path, values, "spectrum-image")
    tracemalloc.start()
    _, (view,), _ = made(tmp_path, held)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rows, columns = view.cube.every
    assert (rows, columns) == (4, 2)
    taken = values[rows // 2 :: rows, columns // 2 :: columns]
    assert view.counts.tolist() == taken.sum(axis=(0, 1), dtype=np.float64).tolist()
    first = view.cube.axes[0]
    assert (first.scale, first.offset) == (pytest.approx(4e-9), pytest.approx(2e-9))
    assert peak < 40e6


def test_noise_is_rounded_and_halved_until_it_is_small_enough(tmp_path):
    values = np.random.default_rng(3).normal(100, 30, (64, 64, 256)).astype("float32")
    written, (view,), _ = made(tmp_path, signal(tmp_path, values, "spectrum-image"))
    assert view.cube.values.shape[:2] == (32, 32)
    assert np.allclose(view.cube.values[0, 0], values[:2, :2].sum(axis=(0, 1)), rtol=6e-4)
    assert (tmp_path / "out").read_bytes() == written == spectra.pack([view])


def test_a_long_spectrum_is_added_up_and_several_stand_beside_each_other(tmp_path):
    values = np.arange(10_000, dtype="float64")
    long = signal(tmp_path, values, "spectrum", name="long")
    short = signal(tmp_path, np.array([1.0, np.nan, np.inf, -3.0]), "spectrum", name="short")
    image = Signal("picture", "image", (4, 4), "uint8", (), None)
    _, (first, second), left_out = made(tmp_path, image, long, short)
    assert (first.binned, first.axis.size, first.axis.scale, first.axis.offset) == (3, 3334, 30.0, -190.0)
    assert (first.counts.sum(), first.counts[0], first.counts[-1]) == (values.sum(), 3.0, 9999.0)
    assert (second.name, second.counts.tolist(), left_out) == ("short", [1.0, 0.0, 0.0, -3.0], 0)


def test_of_pictures_nothing_is_made(tmp_path):
    assert not binning.write([Signal("picture", "image", (4, 4), "uint8", (), None)], str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_numbers_beyond_measure_are_left_out(tmp_path):
    bad = signal(tmp_path, np.full((2, 2, 8), 1e300), "spectrum-image", name="bad")
    good = signal(tmp_path, np.ones(8), "spectrum", name="good")
    _, views, left_out = made(tmp_path, bad, good)
    assert ([view.name for view in views], left_out) == (["good"], 1)


# --- from elsewhere ---

AXIS = {"name": "energy", "size": 4, "scale": 1.0, "offset": 0.0, "unit": "eV"}
SIGNAL = {"name": "a", "kind": "spectrum", "shape": [4], "axis": AXIS, "binned": 1, "cube": None}
CUBE = {"axes": [{**AXIS, "size": 1}] * 3, "type": "uint16", "binned": [1, 1, 1], "every": [1, 1]}


def file(*signals, arrays=bytes(32), **head):
    said = {"nffa-spectra": 1, "left_out": 0, "signals": list(signals)} | head
    return gzip.compress(json.dumps(said).encode() + b"\n" + arrays, mtime=0)


def test_what_is_as_it_should_be_is_read():
    (view,), left_out = spectra.unpack(file(SIGNAL))
    assert (view.axis, view.counts.tolist(), left_out) == (Axis("energy", 4, 1.0, 0.0, "eV"), [0.0] * 4, 0)
    assert spectra.unpack(file({**SIGNAL, "cube": CUBE}, arrays=bytes(34)))[0][0].cube.values.shape == (1, 1, 1)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", "ends too early"),
        (b"not gzip", "not compressed"),
        (file(SIGNAL)[:-9], "ends too early"),
        (file(SIGNAL) + b"more", "something follows"),
        (gzip.compress(bytes(20 << 20), mtime=0), "unpacked it has more"),
        (bytes(3 << 20), "at most"),
        (gzip.compress(b"{" * 100_000, mtime=0), "begin with a line"),
        (gzip.compress(b"[" * 60_000 + b"\n", mtime=0), "no JSON"),
        (gzip.compress(b"[1]\n", mtime=0), "says nothing of spectra"),
        (file(SIGNAL, **{"nffa-spectra": 2}), "version 2"),
        (file(), "1 to 20 signals"),
        (file(*[SIGNAL] * 21), "1 to 20 signals"),
        (file(7), "no object"),
        (file({**SIGNAL, "kind": "image"}), "'image' is no kind"),
        (file({**SIGNAL, "kind": ["x"]}), "no kind"),
        (file({**SIGNAL, "shape": []}), "no shape"),
        (file({**SIGNAL, "binned": True}), "True is no whole number"),
        (file({**SIGNAL, "axis": {**AXIS, "size": 10**9}}), "no whole number"),
        (file({**SIGNAL, "axis": {**AXIS, "size": -1}}), "no whole number"),
        (file({**SIGNAL, "axis": {**AXIS, "scale": float("nan")}}), "no number"),
        (file({**SIGNAL, "axis": {**AXIS, "offset": 10**400}}), "no number"),
        (file({**SIGNAL, "axis": None}), "an axis is no object"),
        (file(SIGNAL, arrays=bytes(31)), "31 bytes where 32"),
        (file(SIGNAL, arrays=np.array([1, 2, np.nan, 4]).tobytes()), "no numbers"),
        (file({**SIGNAL, "cube": {**CUBE, "type": "object"}}), "no type"),
        (file({**SIGNAL, "cube": {**CUBE, "type": ["uint16"]}}), "no type"),
        (file({**SIGNAL, "cube": {**CUBE, "axes": [AXIS]}}), "list of 3"),
        (file({**SIGNAL, "cube": {**CUBE, "axes": [{**AXIS, "size": 65}] * 3}}), "no whole number"),
        (file({**SIGNAL, "cube": CUBE}), "32 bytes where 34"),
    ],
)
def test_what_is_not_is_refused_with_a_sentence(written, said):
    with pytest.raises(UnreadableFile, match=said):
        spectra.unpack(written)


def test_a_broken_calibration_is_none():
    (view,), _ = spectra.unpack(file({**SIGNAL, "axis": {**AXIS, "scale": 0.0}}))
    assert (view.axis.scale, view.axis.unit) == (1.0, None)


def test_whatever_a_file_says_it_is_drawn_or_refused(tmp_path):
    """Numbers of the header replaced by odd ones, bytes turned: a page with a drawing, or a sentence; nothing else."""
    from nffa_cli.node.pages import spectral

    chance = random.Random(7)
    values = np.random.default_rng(4).integers(0, 50, (3, 4, 20)).astype("float32")
    cube, line = (tmp_path / each for each in ("cube", "line"))
    for folder in (cube, line):
        folder.mkdir()
    plain = gzip.decompress(
        made(tmp_path, signal(cube, values, "spectrum-image"), signal(line, values[0, 0], "spectrum"))[0]
    )
    head, _, arrays = plain.partition(b"\n")
    odd = [
        "0",
        "-1",
        "1e-29",
        "-1e29",
        "1e300",
        "1e-320",
        "NaN",
        "-Infinity",
        "null",
        "true",
        '"x"',
        "[]",
        "{}",
        "9" * 400,
        "1e9",
        "3",
    ]
    drawn = 0
    for _ in range(600):
        text = head.decode()
        for _ in range(chance.randint(1, 2)):
            found = chance.choice(list(re.finditer(r"-?\d[\d.e+-]*|null", text)))
            text = text[: found.start()] + chance.choice(odd) + text[found.end() :]
        tail = bytearray(arrays)
        if chance.random() < 0.3:
            tail[chance.randrange(len(tail))] ^= 1 << chance.randrange(8)
        try:
            views, _ = spectra.unpack(gzip.compress(text.encode() + b"\n" + tail, 1))
        except UnreadableFile:
            continue
        drawn += 1
        for query in ({}, {"scale": "log", "row": "2", "column": "9", "from": "1", "to": "1e5", "signal": "1"}):
            wanted = spectral.asked(query, views)
            shown = spectral.shown(views, wanted)
            assert "nan" not in shown.whole
            assert "inf" not in shown.whole
            spectral.table(views[wanted.signal], wanted, at=True)
            if views[wanted.signal].cube is not None:
                assert spectral.picture(views[wanted.signal], wanted)[:4] == b"\x89PNG"
    assert drawn > 40
