"""The HDF5 writer: what a tree holds comes back, equal trees make equal files, a full disk and odd texts are borne."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import textwrap
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nffa_cli.errors import DiskError, MissingPackage, NffaError, UnreadableFile, UsageError
from nffa_cli.export import chunks, hdf5, packing, values
from nffa_cli.export.tree import Ramp, Samples

CHANCE = np.random.default_rng(7)
IMAGE = CHANCE.poisson(900, (700, 530)).astype(np.uint16)


def nothing(signal, picks):
    raise AssertionError("no samples to read")


def reader(*signals):
    return lambda signal, picks: signals[signal][picks]


@pytest.fixture
def written(tmp_path):
    """Write a tree and return the open file."""
    opened = []

    def write(tree, *signals, **how):
        hdf5.write(tree, tmp_path / "out.nxs", read=reader(*signals) if signals else nothing, **how)
        opened.append(h5py.File(tmp_path / "out.nxs"))
        return opened[-1]

    yield write
    for file in opened:
        file.close()


# --- values ---


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ("µm", "O", "µm"),
        ("", "O", ""),
        (True, "b", True),
        (False, "b", False),
        (-3, "i", -3),
        ((1 << 64) - 1, "u", (1 << 64) - 1),
        (2.5, "f", 2.5),
        (math.inf, "f", math.inf),
        (1 << 80, "O", str(1 << 80)),
        ([True, False], "b", [True, False]),
        ([1, 2, 3], "i", [1, 2, 3]),
        ([1, 2.5], "f", [1.0, 2.5]),
        ([[1, 2], [3, 4]], "i", [[1, 2], [3, 4]]),
        (["a", "", "µ"], "O", ["a", "", "µ"]),
        ([["a"], ["b"]], "O", [["a"], ["b"]]),
        ([-1, 1 << 63], "O", ["-1", str(1 << 63)]),
        ([], "f", []),
        ([[], []], "f", [[], []]),
    ],
)
def test_fields_and_attributes_come_back(written, value, kind, found):
    file = written({"g": {"@a": value, "f": value, "f@a": value}})
    field = file["g/f"]
    text = h5py.check_string_dtype(field.dtype)
    assert field.dtype.kind == kind
    assert (text is not None and text.encoding == "utf-8" and text.length is None) == (kind == "O")
    assert np.asarray(field.asstr()[()] if text else field[()]).tolist() == found
    for attributes in (file["g"].attrs, field.attrs):
        assert np.asarray(attributes["a"]).tolist() == found


def test_indices_are_unsigned_and_booleans_are_hdf5s_own(written):
    file = written({"@axis_i_indices": 1, "@axis_j_indices": [0, 2], "@other": 1, "is_simulation": False})
    assert file.attrs["axis_i_indices"].dtype == np.uint64
    assert file.attrs["axis_j_indices"].dtype == np.uint64
    assert file.attrs["other"].dtype == np.int64
    stored = file["is_simulation"].id.get_type()
    assert isinstance(stored, h5py.h5t.TypeEnumID)
    assert [stored.get_member_name(n) for n in range(2)] == [b"FALSE", b"TRUE"]


@pytest.mark.parametrize(
    ("hostile", "found"),
    [
        ("a\0b\0", "a\\u0000b\\u0000"),
        ("\udcff", "\\udcff"),
        ("\ud800x", "\\ud800x"),
        ("\u2028\ufeff😀", "\u2028\ufeff😀"),
    ],
)
def test_texts_that_hdf5_cannot_hold_are_escaped_as_in_json(written, hostile, found):
    file = written({"@a": hostile, "f": hostile, "list": [hostile, "x"], f"name {hostile}".replace("\0", ""): 1})
    assert file.attrs["a"] == found
    assert file["f"].asstr()[()] == found
    assert file["list"].asstr()[0] == found


@given(st.text(st.characters(exclude_categories=())))
def test_json_text_loses_nothing_whatever_is_in_it(text):
    assert json.loads(values.text(json.dumps(text, ensure_ascii=False))) == text


def test_order_is_kept_and_a_soft_link_marks_its_target(written):
    file = written({"z": {"b": 1, "a": 2}, "a": {">link": "/z/b", ">group": "/z"}, "b": 3})
    assert list(file) == ["z", "a", "b"]
    assert list(file["z"]) == ["b", "a"]
    assert file["a"].get("link", getlink=True).path == "/z/b"
    assert file["z/b"].attrs["target"] == "/z/b"
    assert file["z"].attrs["target"] == "/z"
    assert file["a/link"][()] == 1


def test_many_attributes_long_lists_and_long_texts(written):
    tree = {"g": {f"@a{n}": n for n in range(200)} | {"@long": list(range(20_000)), "json": "x" * 3_000_000}}
    file = written(tree)
    assert len(file["g"].attrs) == 201
    assert file["g"].attrs["long"][-1] == 19_999
    assert len(file["g/json"][()]) == 3_000_000


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({"g": {"a/b": 1}}, "/g/a/b"),
        ({"": 1}, "/"),
        ({".": 1}, "/."),
        ({"a\0b": {}}, "/a"),
        ({"g": {"@": 1}}, "/g@"),
        ({"f": [1, "a"]}, "/f"),
        ({"f": [[1, 2], [3]]}, "/f"),
        ({"f": [["a", "b"], "cd"]}, "/f"),
        ({"f": [[1], 2]}, "/f"),
        ({"f": None}, "/f"),
        ({"f": b"x"}, "/f"),
        ({">l": "/nowhere"}, "/nowhere"),
        ({">l": "relative"}, "/l"),
        ({"missing@units": "m"}, "/missing"),
        ({"f": Samples(0, (2,), "object")}, "/f"),
        ({"f": Samples(0, (2,), "no such type")}, "/f"),
    ],
)
def test_what_hdf5_cannot_hold_is_refused_with_its_place(tmp_path, tree, place):
    with pytest.raises(NffaError) as caught:
        hdf5.write(tree, tmp_path / "out.nxs", read=nothing)
    assert caught.value.where.startswith(place)
    assert list(tmp_path.glob("*.nxs")) == []


# --- samples ---


@pytest.mark.parametrize("compression", chunks.COMPRESSIONS)
def test_every_compression_gives_the_samples_back(written, compression):
    if chunks.COMPRESSIONS[compression].plugin:
        pytest.importorskip("hdf5plugin")
    cube = CHANCE.poisson(0.2, (20, 18, 333)).astype(np.uint8)
    tree = {
        "image": {"@axes": ["axis_j", "axis_i"], "real": Samples(0, IMAGE.shape, "uint16")},
        "cube": {"@axes": ["axis_j", "axis_i", "axis_energy"], "intensity": Samples(1, cube.shape, "uint8")},
        "axis": Ramp(100_000, 0.5, -3.0),
    }
    file = written(tree, IMAGE, cube, compression=compression)
    assert (file["image/real"][()] == IMAGE).all()
    assert (file["cube/intensity"][()] == cube).all()
    assert file["axis"][[0, 1, 99_999]].tolist() == [-3.0, -2.5, 49_996.5]
    assert (file["image/real"].chunks is None) == (compression == "none")
    assert file["cube/intensity"].chunks is None or file["cube/intensity"].chunks[-1] == 333


def test_gzip_is_the_plain_deflate_of_hdf5(written):
    dataset = written({"real": Samples(0, IMAGE.shape, "uint16")}, IMAGE)["real"]
    assert (dataset.compression, dataset.shuffle) == ("gzip", True)
    _, stored = dataset.id.read_direct_chunk((0, 0))
    size = math.prod(dataset.chunks)
    planes = np.frombuffer(zlib.decompress(stored), np.uint8).reshape(2, size)
    first = planes.T.copy().view(np.uint16).reshape(dataset.chunks)
    assert (first == IMAGE[tuple(slice(0, n) for n in dataset.chunks)]).all()


def test_parts_picks_and_booleans(written):
    waves = (CHANCE.normal(size=(4, 30, 40)) + 1j * CHANCE.normal(size=(4, 30, 40))).astype(np.complex64)
    mask = CHANCE.integers(0, 2, (50, 60)).astype(bool)
    third = (slice(2, 3), slice(None), slice(1, 40, 3))
    file = written(
        {
            "real": Samples(0, (30, 13), "float32", third, "real"),
            "imag": Samples(0, (30, 13), "float32", third, "imag"),
            "mask": Samples(1, (50, 60), "bool"),
        },
        waves,
        mask,
    )
    assert (file["real"][()] == waves[2, :, 1::3].real).all()
    assert (file["imag"][()] == waves[2, :, 1::3].imag).all()
    assert file["mask"].dtype == np.uint8
    assert (file["mask"][()] == mask).all()


@st.composite
def arrays(draw):
    """An array, picks, and the array that they give with some axes dropped."""
    shape = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    dtype = draw(st.sampled_from(["u1", "i2", "u4", "f4", "f8", "f2", "c16", "i8"]))
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    picks = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        stop = draw(st.integers(start + 1, size))
        step = draw(st.sampled_from([None, 1, 2, 3]))
        picks.append(draw(st.sampled_from([slice(None), slice(start, stop, step), slice(start, start + 1)])))
    if draw(st.booleans()):
        picks = []
    wanted = array[tuple(picks)]
    dropped = [axis for axis, pick in enumerate(picks) if pick.stop is not None and wanted.shape[axis] == 1]
    return array, tuple(picks), wanted.squeeze(tuple(dropped)) if dropped else wanted


@settings(max_examples=60, deadline=None)
@given(arrays(), st.sampled_from(["gzip", "none", "lzf"]), st.booleans(), st.sampled_from([64, 4096]))
def test_any_array_any_picks_in_small_pieces(tmp_path_factory, made, compression, spectra, piece):
    array, picks, wanted = made
    path = tmp_path_factory.mktemp("any") / "out.nxs"
    tree = {"@axes": ["axis_energy" if spectra else "axis_i"], "f": Samples(0, wanted.shape, str(array.dtype), picks)}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("INDEX", "SMALL", "TILE", "SPECTRA", "BLOCK"):
            patch.setattr(chunks, name, 0 if name in ("INDEX", "SMALL") else piece)
        patch.setattr(chunks.blocks, "__defaults__", (piece,))
        hdf5.write(tree, path, read=reader(array), compression=compression)
    with h5py.File(path) as file:
        assert file["f"].dtype == array.dtype
        assert np.array_equal(file["f"][()], wanted)


@given(st.lists(st.integers(1, 70_000), min_size=1, max_size=5), st.sampled_from([1, 2, 4, 8, 16]), st.booleans())
def test_chunks_fit_their_array_and_are_of_a_sane_size(shape, itemsize, spectra):
    chunk = chunks.chunk_shape(tuple(shape), itemsize, spectra=spectra)
    assert all(1 <= part <= size for part, size in zip(chunk, shape, strict=True))
    limit = chunks.LONGEST if spectra else 2 * chunks.TILE
    assert math.prod(chunk) * itemsize <= limit
    padded = math.prod(-(-size // part) * part for size, part in zip(shape, chunk, strict=True))
    assert spectra or padded <= 2 ** len(shape) * math.prod(shape)


@pytest.mark.parametrize(
    ("shape", "itemsize", "spectra", "chunk"),
    [
        ((4096, 4096), 2, False, (512, 512)),
        ((512, 512), 2, False, (512, 512)),
        ((943, 1280), 1, False, (472, 640)),
        ((300, 256, 256), 2, False, (4, 256, 256)),
        ((64, 2048, 2048), 2, False, (1, 512, 512)),
        ((256, 256, 128, 128), 2, False, (1, 16, 128, 128)),
        ((100, 100, 1024), 4, True, (8, 8, 1024)),
        ((64, 64, 20_000), 4, True, (3, 3, 20_000)),
        ((500, 2048), 4, True, (64, 2048)),
        ((2048,), 8, True, (2048,)),
    ],
)
def test_chunks_follow_what_is_looked_at(shape, itemsize, spectra, chunk):
    assert chunks.chunk_shape(shape, itemsize, spectra=spectra) == chunk


def test_small_samples_are_packed_only_where_that_saves(written):
    flat, noise = np.zeros((150, 200), np.uint16), CHANCE.integers(0, 1 << 16, (150, 200)).astype(np.uint16)
    file = written({"flat": Samples(0, flat.shape, "uint16"), "noise": Samples(1, noise.shape, "uint16")}, flat, noise)
    assert file["flat"].chunks == flat.shape
    assert file["noise"].chunks is None
    assert (file["noise"][()] == noise).all()


def test_no_samples_at_all(written):
    assert written({"f": Samples(0, (0, 5), "uint16")}, np.zeros((0, 5), np.uint16))["f"].shape == (0, 5)


@pytest.mark.parametrize("held", [np.zeros((3, 4), np.float64), np.zeros((3, 3), np.uint16)])
def test_samples_other_than_promised_are_an_error_of_the_file(tmp_path, held):
    with pytest.raises(UnreadableFile, match="promised") as caught:
        hdf5.write({"g": {"f": Samples(0, (3, 4), "uint16")}}, tmp_path / "out.nxs", read=lambda *_: held)
    assert caught.value.where == "/g/f"
    assert not (tmp_path / "out.nxs").exists()


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_a_reader_that_fails_midway_leaves_no_file(tmp_path, compression):
    def read(signal, picks):
        if picks[0].start:
            raise UnreadableFile("ends early", code="truncated")
        return np.zeros([pick.stop - pick.start for pick in picks], np.uint16)

    with pytest.raises(UnreadableFile, match="ends early"):
        hdf5.write({"f": Samples(0, (4096, 4096), "uint16")}, tmp_path / "out.nxs", read=read, compression=compression)
    assert not (tmp_path / "out.nxs").exists()


def test_an_unknown_compression_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError) as caught:
        hdf5.write({}, tmp_path / "out.nxs", read=nothing, compression="zip")
    assert all(name in caught.value.hint for name in chunks.COMPRESSIONS)


def test_a_missing_plugin_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(MissingPackage) as caught:
        hdf5.write({}, tmp_path / "out.nxs", read=nothing, compression="zstd")
    assert "pip install" in caught.value.hint
    assert "hdf5plugin" in caught.value.hint


# --- the file ---

TREE = {
    "@default": "entry1",
    "entry1": {
        "@NX_class": "NXentry",
        **{f"tag {n}": {"@NX_class": "NXcollection", "text": f"value {n}", "number": n * 0.5} for n in range(60)},
        "real": Samples(0, IMAGE.shape, "uint16"),
        "axis": Ramp(530, 0.1),
        ">link": "/entry1/real",
    },
}
WRITE = """
import sys
import numpy as np
from tests.unit.test_hdf5_writer import IMAGE, TREE
from nffa_cli.export import hdf5
hdf5.write(TREE, sys.argv[1], read=lambda signal, picks: IMAGE[picks], compression=sys.argv[2])
"""


def child(code, *arguments, good=True):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert not good or done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("compression", ["gzip", "none", "lzf"])
def test_equal_trees_make_equal_files(tmp_path, compression):
    child(WRITE, tmp_path / "other process.nxs", compression)
    hdf5.write(TREE, tmp_path / "here.nxs", read=reader(IMAGE), compression=compression)
    assert (tmp_path / "here.nxs").read_bytes() == (tmp_path / "other process.nxs").read_bytes()


def test_an_older_file_is_replaced(tmp_path):
    (tmp_path / "out.nxs").write_bytes(b"x" * 10_000_000)
    hdf5.write(TREE, tmp_path / "out.nxs", read=reader(IMAGE))
    hdf5.write(TREE, tmp_path / "new.nxs", read=reader(IMAGE))
    assert (tmp_path / "out.nxs").read_bytes() == (tmp_path / "new.nxs").read_bytes()


@pytest.mark.parametrize("compression", ["gzip", "none", "lzf"])
def test_a_killed_writer_leaves_nothing_that_opens(tmp_path, compression):
    code = WRITE.replace("lambda signal, picks: IMAGE[picks]", "read").replace(
        "hdf5.write",
        "import os, signal as s\n"
        "def read(signal, picks):\n"
        "    if picks[0].start: os.kill(os.getpid(), getattr(s, 'SIGKILL', s.SIGTERM))\n"
        "    return np.zeros([pick.stop - pick.start for pick in picks], np.uint16)\n"
        "TREE['big'] = TREE['entry1'].pop('real')\n"
        "TREE['entry1'].pop('>link')\n"
        "object.__setattr__(TREE['big'], 'shape', (6000, 4000))\n"
        "hdf5.write",
    )
    assert child(code, tmp_path / "out.nxs", compression, good=False).returncode != 0
    assert (tmp_path / "out.nxs").stat().st_size > 0
    with pytest.raises(OSError, match="signature"):
        h5py.File(tmp_path / "out.nxs")


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
@pytest.mark.parametrize("compression", ["gzip", "none", "lzf"])
def test_a_full_disk_is_a_disk_error_and_leaves_no_file(tmp_path, compression):
    code = """
    import resource, sys
    from nffa_cli.errors import DiskError
    from tests.unit.test_hdf5_writer import IMAGE, TREE
    from nffa_cli.export import hdf5
    for size in (0, 9, 3_000, 40_000, 200_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            hdf5.write(TREE, sys.argv[1], read=lambda signal, picks: IMAGE[picks], compression=sys.argv[2])
        except DiskError as error:
            print(error, "|", error.hint)
    """
    done = child(code, tmp_path / "out.nxs", compression)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert all("the disk is full" in line and "free some space" in line and "out.nxs" in line for line in lines)
    assert list(tmp_path.glob("*.nxs")) == []


def test_a_full_disk_ends_the_reading(tmp_path, monkeypatch):
    calls = []

    def read(signal, picks):
        calls.append(picks)
        return np.zeros([pick.stop - pick.start for pick in picks], np.uint16)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nffa_cli.export.sink._write_at", full)
    with pytest.raises(DiskError, match="the disk is full"):
        hdf5.write({"f": Samples(0, (400, 1024, 1024), "uint16")}, tmp_path / "out.nxs", read=read, compression="none")
    assert len(calls) < 5


def test_a_folder_that_is_not_there_is_a_disk_error(tmp_path):
    with pytest.raises(DiskError, match="No such file"):
        hdf5.write({}, tmp_path / "no" / "out.nxs", read=nothing)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((150, 1024, 1024), ["n", "axis_j", "axis_i"]), ((400, 400, 1000), ["axis_j", "axis_i", "axis_energy"])],
)
def test_samples_stream_through_little_memory(tmp_path, compression, shape, axes):
    code = """
    import json, sys
    import numpy as np
    from nffa_cli.export import hdf5
    from nffa_cli.export.tree import Samples
    shape, axes = json.loads(sys.argv[3])
    def peak():
        return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    def read(signal, picks):
        return np.zeros([pick.stop - pick.start for pick in picks], np.uint16)
    def write(shape):
        hdf5.write({"@axes": axes, "f": Samples(0, shape, "uint16")}, sys.argv[1], read=read, compression=sys.argv[2])
    write(tuple(min(n, 16) for n in shape))
    before = peak()
    write(tuple(shape))
    print(peak() - before)
    """
    grown = int(child(code, tmp_path / "out.nxs", compression, json.dumps([shape, axes])).stdout)
    assert grown < 64 << 10


def test_packing_is_the_same_whatever_the_number_of_threads(monkeypatch):
    def packed():
        return list(packing.packed(IMAGE.__getitem__, IMAGE.shape, (100, 100), 2))

    many = packed()
    monkeypatch.setattr(packing, "THREADS", 1)
    assert packed() == many
