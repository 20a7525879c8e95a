"""Reading samples through layouts: exactness over types and orders, reductions, memory, hostile layouts."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from nffa_cli import layouts, pixels
from nffa_cli.errors import UnreadableFile
from nffa_cli.records import Axis, Layout, Signal

ALL_TYPES = ["|u1", "|i1", *(f"{end}{code}" for end in "<>" for code in ("u2", "i2", "u4", "i4", "f4", "f8", "c8"))]


def make(path, data, kind="image", *, dtype=None, before=16, stored=None, order=(), chunks=1, gap=0):
    """Write ``data`` (in stored order) raw, in ``chunks`` chunks with a gap behind each, and return its signal."""
    dtype = dtype or data.dtype.str
    raw = np.ascontiguousarray(data.astype(dtype)).tobytes()
    step = len(raw) // chunks
    with path.open("wb") as file:
        file.write(b"\xee" * before)
        for n in range(chunks):
            file.write(raw[n * step : (n + 1) * step] + b"\xdd" * gap)
    shape = tuple(data.shape[i] for i in order) if order else data.shape
    offsets = range(before, before + chunks * (step + gap), step + gap)
    layout = Layout(str(path), "raw", dtype, offsets, data.shape if order else (), order)
    axes = tuple(Axis(name, n) for name, n in zip("abcde", shape, strict=False))
    return Signal(None, kind, shape, np.dtype(dtype).newbyteorder("=").name, axes, layout)


def numbers(*shape, dtype="u2", seed=1):
    return np.random.default_rng(seed).integers(0, 120, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ALL_TYPES)
def test_every_type_and_byte_order_is_read_exactly(tmp_path, dtype):
    data = numbers(7, 9)
    signal = make(tmp_path / "a", data, dtype=dtype)
    got = pixels.slab(signal, (slice(None), slice(None)))
    assert got.dtype.isnative
    assert got.dtype == np.dtype(signal.dtype)
    assert (got == data.astype(dtype)).all()


@pytest.mark.parametrize("run", [1, 64, 1 << 20])
@pytest.mark.parametrize("sparse", [1, 1 << 20])
@pytest.mark.parametrize(("chunks", "gap"), [(1, 0), (6, 0), (6, 10), (24, 3), (12, 5)])
def test_strided_slabs_equal_numpy_whatever_the_way_of_reading(tmp_path, monkeypatch, run, sparse, chunks, gap):
    monkeypatch.setattr(layouts, "RUN", run)
    monkeypatch.setattr(layouts, "SPARSE", sparse)
    data = numbers(6, 4, 10)
    for order in ((), (0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)):
        signal = make(tmp_path / "a", data, "stack", order=order, chunks=chunks, gap=gap)
        whole = data.transpose(order) if order else data
        for picks in (
            (slice(None), slice(None), slice(None)),
            (slice(1, None, 2), slice(0, 3), slice(None, None, 3)),
            (slice(3, 4), slice(1, 2), slice(2, 3)),
            (slice(None, None, 5), slice(None), slice(1, -1)),
            (slice(2, 2), slice(None), slice(None)),
        ):
            got = pixels.slab(signal, picks)
            assert got.shape == whole[picks].shape
            assert (got == whole[picks]).all(), (order, picks)


def test_a_frame_of_a_stack_is_pixel_exact(tmp_path):
    data = numbers(5, 6, 7)
    signal = make(tmp_path / "a", data, "stack", chunks=5, gap=8)
    assert (pixels.frame(signal, (3,)) == data[3]).all()
    with pytest.raises(ValueError, match="does not address"):
        pixels.frame(signal, (5,))
    with pytest.raises(ValueError, match="does not address"):
        pixels.frame(signal)


@pytest.mark.parametrize("budget", [1, 1300, 3000, 1 << 24])
def test_reduced_frames_are_block_means(tmp_path, monkeypatch, budget):
    monkeypatch.setattr(pixels, "BUDGET", budget)
    data = numbers(41, 64)
    got = pixels.frame(make(tmp_path / "a", data), max_side=16)
    assert got.shape == (10, 16)
    assert got.dtype == np.float32
    blocks = data[:40].reshape(10, 4, 16, 4)
    if budget > data.nbytes:
        assert (got == blocks.mean((1, 3))).all()
    elif budget == 1:  # one sample of each block
        assert (got == blocks[:, 2, :, 2]).all()
    elif budget == 1300:  # one row of each block: its middle
        assert (got == blocks[:, 2].mean(-1)).all()
    else:
        assert (got == blocks[:, [1, 3]].mean((1, 3))).all()


def test_bands_do_not_show_in_a_reduced_frame(tmp_path, monkeypatch):
    data = numbers(64, 64, dtype="f4")
    signal = make(tmp_path / "a", data)
    whole = pixels.frame(signal, max_side=16)
    monkeypatch.setattr(pixels, "RUN", 300)
    assert (pixels.frame(signal, max_side=16) == whole).all()
    assert np.allclose(whole, data.reshape(16, 4, 16, 4).mean((1, 3)))


def test_single_counts_survive_reduction(tmp_path):
    data = np.zeros((64, 64), "u2")
    data[3, 5] = 1
    assert pixels.frame(make(tmp_path / "a", data), max_side=16)[0, 1] == 1 / 16


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f8"])
def test_extreme_values_do_not_overflow_when_reduced(tmp_path, dtype):
    kind = np.dtype(dtype)
    top = (
        np.finfo(kind).max / 1e10 if kind.kind == "f" else np.iinfo(kind).max // (1 << 12 if kind.itemsize == 8 else 1)
    )
    data = np.full((32, 32), top, dtype)
    got = pixels.frame(make(tmp_path / "a", data), max_side=2)
    assert np.allclose(got / data[0, 0], 1, rtol=1e-6)


def test_sides_shorter_than_a_block_survive(tmp_path):
    assert pixels.frame(make(tmp_path / "a", numbers(3, 1000)), max_side=100).shape == (1, 100)
    assert pixels.frame(make(tmp_path / "a", numbers(1000, 1)), max_side=100).shape == (100, 1)


def test_colour_interleaved_and_planar(tmp_path):
    data = numbers(6, 8, 3, dtype="u1")
    assert (pixels.frame(make(tmp_path / "a", data)) == data).all()
    planar = make(tmp_path / "b", np.moveaxis(data, 2, 0).copy(), order=(1, 2, 0))
    assert (pixels.frame(planar) == data).all()
    assert (pixels.frame(planar, max_side=4) == data.reshape(3, 2, 4, 2, 3).mean((1, 3))).all()


def test_complex_frames_come_as_modulus(tmp_path):
    data = (numbers(4, 4) + 1j * numbers(4, 4, seed=2)).astype("c8")
    assert np.allclose(pixels.frame(make(tmp_path / "a", data, "complex")), np.abs(data))


@pytest.mark.parametrize("order", [(), (1, 2, 0)])
def test_spectrum_images(tmp_path, order):
    cube = numbers(5, 6, 30)
    stored = np.moveaxis(cube, 2, 0).copy() if order else cube
    signal = make(tmp_path / "a", stored, "spectrum-image", order=order)
    assert (pixels.spectrum(signal, (2, 3)) == cube[2, 3]).all()
    assert np.allclose(pixels.spectrum(signal), cube.mean((0, 1)))
    assert np.allclose(pixels.energy_map(signal), cube.sum(2))
    assert (pixels.energy_map(signal, max_side=3) == cube.sum(2)[1::2, 1::2]).all()


@pytest.mark.parametrize("order", [(), (1, 2, 0)])
def test_large_spectrum_images_are_sampled(tmp_path, monkeypatch, order):
    monkeypatch.setattr(pixels, "BUDGET", 20_000)
    cube = np.broadcast_to(np.arange(100, dtype="u2"), (40, 40, 100)) + np.arange(40, dtype="u2")[:, None, None]
    stored = np.moveaxis(cube, 2, 0).copy() if order else cube.copy()
    signal = make(tmp_path / "a", stored, "spectrum-image", order=order)
    mean = pixels.spectrum(signal)
    assert mean.shape == (100,)
    assert np.allclose(np.diff(mean), 1)
    chart = pixels.energy_map(signal)
    assert chart.shape[0] == chart.shape[1] >= 8
    assert (np.diff(chart[:, 0]) > 0).all()


def test_plain_spectra_and_lines_of_spectra(tmp_path):
    one = numbers(20, dtype="f4")
    assert (pixels.spectrum(make(tmp_path / "a", one, "spectrum")) == one).all()
    line = numbers(4, 20)
    signal = make(tmp_path / "b", line, "spectrum-image")
    assert np.allclose(pixels.spectrum(signal), line.mean(0))
    assert (pixels.spectrum(signal, (1,)) == line[1]).all()


def test_scanned_diffraction(tmp_path):
    data = numbers(4, 5, 16, 16)
    signal = make(tmp_path / "a", data, "4d-stem", chunks=20, gap=6)
    assert np.allclose(pixels.mean_pattern(signal), data.mean((0, 1)))
    assert np.allclose(pixels.virtual_image(signal), data[:, :, 6:10, 6:10].sum((2, 3)))
    assert (pixels.frame(signal, (3, 2)) == data[3, 2]).all()


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_pages(tmp_path, compression):
    data = numbers(3, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, photometric="minisblack")
    layout = Layout(str(tmp_path / "a.tif"), "tiff", "<u2", detail={"pages": range(3)})
    signal = Signal(None, "stack", data.shape, "uint16", tuple(Axis(n, 1) for n in "nyx"), layout)
    assert (pixels.frame(signal, (2,)) == data[2]).all()
    assert (pixels.slab(signal, (slice(None, None, 2), slice(1, 9, 3), slice(None))) == data[::2, 1:9:3]).all()


@pytest.mark.parametrize("options", [{}, {"chunks": (8, 8, 1), "compression": "gzip", "shuffle": True}])
def test_hdf5_datasets_frame_axis_last(tmp_path, monkeypatch, options):
    monkeypatch.setattr(layouts, "BUDGET", 2000)
    data = numbers(20, 30, 4, dtype=">u2")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=data, **options)
    layout = Layout(str(tmp_path / "a.h5"), "hdf5", "<u2", stored=data.shape, order=(2, 0, 1), detail={"dataset": "d"})
    signal = Signal(None, "stack", (4, 20, 30), "uint16", tuple(Axis(n, 1) for n in "nyx"), layout)
    assert (pixels.frame(signal, (3,)) == data[..., 3]).all()
    assert (pixels.slab(signal, (slice(1, 2), slice(None, None, 7), slice(2, None, 9)))[0] == data[::7, 2::9, 1]).all()


def test_an_axis_that_lies_last_to_first(tmp_path):
    data = numbers(3, 10, 7)
    signal = make(tmp_path / "a", data, "stack")
    signal = replace(signal, layout=replace(signal.layout, detail={"mirrored": (1,)}))
    right = data[:, ::-1]
    assert (pixels.frame(signal, (1,)) == right[1]).all()
    for pick in (slice(None, None, 3), slice(2, 9, 4), slice(5, 5), slice(9, None)):
        assert (pixels.slab(signal, (slice(None), pick, slice(None))) == right[:, pick]).all()


def test_one_frame_of_a_dataset_of_many_and_complex_pairs(tmp_path):
    pairs = np.zeros((6, 5, 2), [("realFloatHalfEven", "<f4"), ("imagFloatHalfEven", "<f4")])
    pairs["realFloatHalfEven"][..., 0], pairs["imagFloatHalfEven"][..., 0] = 3, 4
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["d"] = pairs
    detail = {"dataset": "d"}
    layout = Layout(str(tmp_path / "a.h5"), "hdf5", pairs.dtype.str, stored=(6, 5, 2), order=(2, 0, 1), detail=detail)
    signal = Signal(None, "complex", (6, 5), "complex64", (), layout)
    assert (pixels.slab(signal, (slice(None), slice(None))) == 3 + 4j).all()
    assert (pixels.frame(signal) == 5).all()


def test_hdf5_may_not_lead_to_another_file(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["d"] = numbers(4, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["d"] = h5py.ExternalLink("other.h5", "d")
    layout = Layout(str(tmp_path / "a.h5"), "hdf5", "<u2", detail={"dataset": "d"})
    with pytest.raises(UnreadableFile):
        pixels.frame(Signal(None, "image", (4, 4), "uint16", (), layout))


@pytest.mark.parametrize(("mode", "shape"), [("L", (5, 7)), ("RGB", (5, 7, 3)), ("RGBA", (5, 7, 4)), ("I;16", (5, 7))])
def test_pictures(tmp_path, mode, shape):
    data = numbers(*shape, dtype="u2" if mode == "I;16" else "u1")
    Image.fromarray(data).save(tmp_path / "a.png")
    layout = Layout(str(tmp_path / "a.png"), "picture", data.dtype.str, detail={"mode": mode})
    assert (pixels.frame(Signal(None, "image", shape, data.dtype.name, (), layout)) == data).all()


def test_a_picture_beyond_pillows_limit_is_refused(tmp_path, monkeypatch):
    Image.fromarray(numbers(5, 7, dtype="u1")).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    layout = Layout(str(tmp_path / "a.png"), "picture", "|u1", detail={"mode": "L"})
    with pytest.raises(UnreadableFile) as caught:
        pixels.frame(Signal(None, "image", (5, 7), "uint8", (), layout))
    assert caught.value.code == "memory"


def test_a_loader_reads_what_this_module_cannot(tmp_path):
    data = numbers(3, 4, 5)
    layout = Layout("x.bcf", "rosetta", "<u2", detail={"index": 0})
    signal = Signal(None, "stack", data.shape, "uint16", (), layout)
    assert (pixels.frame(signal, (1,), loaders={"rosetta": lambda _: data}) == data[1]).all()
    with pytest.raises(UnreadableFile, match="promised"):
        pixels.frame(signal, (1,), loaders={"rosetta": lambda _: data[:2]})


def test_records_of_colours_become_an_axis():
    data = np.zeros((2, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    data["G"] = 7
    signal = Signal(None, "image", (2, 3, 3), "uint8", (), Layout("x", "rosetta", "|u1"))
    assert pixels.frame(signal, loaders={"rosetta": lambda _: data}).tolist() == [[[0, 7, 0]] * 3] * 2


# --- hostile -------------------------------------------------------------------------------------------------------


def hostile(path, code, **changes):
    (path).write_bytes(b"x" * 1000)
    base = {"path": str(path), "method": "raw", "dtype": "|u1", "offsets": (0,)}
    shape = changes.pop("shape", (10, 10))
    signal = Signal(None, "image", shape, "uint8", (), Layout(**(base | changes)))
    for read in (pixels.frame, lambda s: pixels.frame(s, max_side=2)):
        with pytest.raises(UnreadableFile) as caught:
            read(signal)
        assert caught.value.code == code
        assert caught.value.where == str(path)


def test_offsets_outside_the_file(tmp_path):
    hostile(tmp_path / "a", "truncated", offsets=(950,))
    hostile(tmp_path / "a", "truncated", offsets=(1 << 60,))
    hostile(tmp_path / "a", "corrupt", offsets=(-5,))
    hostile(tmp_path / "a", "corrupt", offsets=(1 << 70,))


def test_shapes_that_the_file_cannot_hold(tmp_path):
    hostile(tmp_path / "a", "truncated", shape=(1 << 40, 1 << 40))
    hostile(tmp_path / "a", "empty", shape=(0, 10))
    hostile(tmp_path / "a", "corrupt", offsets=())
    hostile(tmp_path / "a", "corrupt", offsets=(0, 10, 20))
    hostile(tmp_path / "a", "corrupt", stored=(5, 10), order=(0, 1))
    hostile(tmp_path / "a", "corrupt", stored=(10, 10), order=(0, 0))
    hostile(tmp_path / "a", "corrupt", dtype="O")
    hostile(tmp_path / "a", "corrupt", dtype="nonsense")


def test_files_that_are_not_what_they_say(tmp_path):
    hostile(tmp_path / "a", "corrupt", method="tiff", detail={"page": 0})
    hostile(tmp_path / "a", "corrupt", method="hdf5", detail={"dataset": "d"})
    hostile(tmp_path / "a", "corrupt", method="picture", detail={"mode": "L"})
    hostile(tmp_path / "a", "corrupt", method="rosetta")


def test_bombs_are_refused_before_they_are_decoded(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", (60_000, 60_000), "u1", chunks=(60_000, 60_000), compression="gzip")
    layout = Layout(str(tmp_path / "a.h5"), "hdf5", "|u1", detail={"dataset": "d"})
    with pytest.raises(UnreadableFile) as caught:
        pixels.frame(Signal(None, "image", (60_000, 60_000), "uint8", (), layout), max_side=100)
    assert caught.value.code == "memory"
    strip = b"\0" * 100
    tags = {256: 60_000, 257: 60_000, 258: 8, 259: 8, 262: 1, 273: 8, 277: 1, 278: 60_000, 279: len(strip)}
    entries = b"".join(np.array([(t, 4, 1, v)], "<u2,<u2,<u4,<u4").tobytes() for t, v in tags.items())
    head = b"II*\0" + np.uint32(8 + len(strip)).tobytes()
    directory = np.uint16(len(tags)).tobytes() + entries + b"\0" * 4
    (tmp_path / "a.tif").write_bytes(head + strip + directory)
    layout = Layout(str(tmp_path / "a.tif"), "tiff", "|u1", detail={"page": 0})
    with pytest.raises(UnreadableFile) as caught:
        pixels.frame(Signal(None, "image", (60_000, 60_000), "uint8", (), layout), max_side=100)
    assert caught.value.code == "memory"


LARGE = {
    "one image": ("image", (32768, 32768), (), ()),
    "a stack": ("stack", (64, 4096, 4096), (), (32,)),
    "one wide row": ("image", (1, 1 << 30), (), ()),
    "a spectrum image": ("spectrum-image", (1024, 512, 2048), (), None),
    "its channels slowest": ("spectrum-image", (2048, 1024, 512), (1, 2, 0), None),
    "scanned diffraction": ("4d-stem", (128, 128, 256, 256), (), None),
}


@pytest.mark.skipif(sys.platform == "win32", reason="measures resident memory by the resource module")
@pytest.mark.parametrize("what", LARGE)
def test_two_gigabytes_cost_little_memory(tmp_path, what):
    kind, stored, order, index = LARGE[what]
    with (tmp_path / "big").open("wb") as file:
        file.truncate(2 * np.prod(stored, dtype=np.int64) + 64)
    script = f"""
        import resource
        from nffa_cli import pixels
        from nffa_cli.records import Layout, Signal
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        order = {order}
        stored = {stored}
        shape = tuple(stored[i] for i in order) if order else stored
        layout = Layout({str(tmp_path / "big")!r}, "raw", "<u2", (64,), stored, order)
        signal = Signal(None, {kind!r}, shape, "uint16", (), layout)
        if {kind!r} == "spectrum-image":
            pixels.energy_map(signal), pixels.spectrum(signal)
        elif {kind!r} == "4d-stem":
            pixels.mean_pattern(signal), pixels.virtual_image(signal)
        else:
            assert max(pixels.frame(signal, {index}, max_side=512).shape) <= 512
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30_000, f"{done.stdout} KiB more than numpy alone"


@pytest.mark.parametrize(("before", "chunks", "gap"), [(16, 1, 0), (17, 1, 0), (3, 4, 0), (16, 4, 6)])
@pytest.mark.parametrize("dtype", ["<u2", ">i4", "<f8"])
def test_a_file_in_memory_gives_the_same_samples(tmp_path, dtype, before, chunks, gap):
    data = numbers(4, 12, 10)
    signal = make(tmp_path / "held.bin", data, "stack", dtype=dtype, before=before, chunks=chunks, gap=gap)
    held = memoryview((tmp_path / "held.bin").read_bytes())
    loaders = {"raw": lambda _: held}
    picks = (slice(1, 4, 2), slice(2, None, 3), slice(None))
    assert (pixels.slab(signal, picks, loaders=loaders) == data[picks]).all()
    for side in (12, 6):
        from_memory = pixels.frame(signal, (2,), max_side=side, loaders=loaders)
        assert (from_memory == pixels.frame(signal, (2,), max_side=side)).all()
    (tmp_path / "held.bin").write_bytes(held[:-40])
    with pytest.raises(UnreadableFile):
        pixels.slab(signal, (slice(None),) * 3, loaders={"raw": lambda _: held[:-40]})
