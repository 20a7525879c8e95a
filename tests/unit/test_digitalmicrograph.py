"""The DigitalMicrograph reader on files written here: forms of tags, signals, missing bytes, damage."""

from __future__ import annotations

import random
import struct
import time

import pytest

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import digitalmicrograph
from nffa_cli.records import Axis

LETTERS = {2: "h", 3: "i", 4: "H", 5: "I", 6: "f", 7: "d", 8: "B", 9: "b", 10: "B", 11: "q", 12: "Q"}


class Dm:
    """Writes tags as DigitalMicrograph does; ``version`` 3 or 4, ``order`` of the values ``<`` or ``>``."""

    def __init__(self, version: int = 4, order: str = "<") -> None:
        self.version, self.order = version, order

    def words(self, *values: int) -> bytes:
        return struct.pack(f">{len(values)}{'Q' if self.version == 4 else 'I'}", *values)

    def content(self, types: tuple[int, ...], data: bytes) -> bytes:
        body = b"%%%%" + self.words(len(types), *types) + data
        return (self.words(len(body)) if self.version == 4 else b"") + body

    def name(self, kind: int, name: str) -> bytes:
        raw = name.encode()
        return struct.pack(">BH", kind, len(raw)) + raw

    def one(self, code: int, value: float) -> bytes:
        return self.content((code,), struct.pack(self.order + LETTERS[code], value))

    def array(self, code: int, values: list[float]) -> bytes:
        return self.content((20, code, len(values)), struct.pack(f"{self.order}{len(values)}{LETTERS[code]}", *values))

    def text(self, value: str) -> bytes:
        data = value.encode("utf-16-le" if self.order == "<" else "utf-16-be")
        return self.content((20, 4, len(data) // 2), data)

    def fields(self, codes: tuple[int, ...], values: tuple[float, ...]) -> bytes:
        types = (15, 0, len(codes), *(word for code in codes for word in (0, code)))
        return self.content(types, struct.pack(self.order + "".join(LETTERS[code] for code in codes), *values))

    def table(self, codes: tuple[int, ...], rows: list[tuple[float, ...]]) -> bytes:
        types = (20, 15, 0, len(codes), *(word for code in codes for word in (0, code)), len(rows))
        form = self.order + "".join(LETTERS[code] for code in codes)
        return self.content(types, b"".join(struct.pack(form, *row) for row in rows))

    def group(self, tags: dict | list) -> bytes:
        body = self.tags(tags)
        return (self.words(len(body)) if self.version == 4 else b"") + body

    def tags(self, tags: dict | list) -> bytes:
        pairs = list(tags.items()) if isinstance(tags, dict) else [("", tag) for tag in tags]
        body = b"\1\0" + self.words(len(pairs))
        for name, tag in pairs:
            is_group = isinstance(tag, (dict, list))
            body += self.name(20 if is_group else 21, name) + (self.group(tag) if is_group else self.value(tag))
        return body

    def value(self, tag: object) -> bytes:
        if isinstance(tag, bytes):
            return tag
        if isinstance(tag, str):
            return self.text(tag)
        return self.one(7, tag) if isinstance(tag, float) else self.one(3, tag)

    def image(self, code: int, sizes: list[int], data: bytes, *, scales=(), tags=None, name: str = "picture") -> dict:
        """An entry of ImageList; sizes and scales (scale, origin, unit) with the fastest dimension first."""
        calibrations = [{"Origin": origin, "Scale": scale, "Units": unit} for scale, origin, unit in scales]
        return {
            "ImageData": {
                "Calibrations": {"Dimension": calibrations},
                "Data": self.content((20, 10, len(data)), data),
                "DataType": code,
                "Dimensions": list(sizes),
            },
            "ImageTags": tags or {},
            "Name": name,
        }

    def file(self, tags: dict) -> bytes:
        root = self.tags(tags)
        flag = struct.pack(">I", self.order == "<")
        return struct.pack(">I", self.version) + self.words(len(root)) + flag + root + bytes(8)


def outcome(read, data: bytes):
    """Return (code of the error or None, raw metadata or None)."""
    try:
        return None, read(data)
    except UnreadableFile as error:
        return error.code, None


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read it."""
    path = tmp_path / "a.dm4"

    def _read(data: bytes):
        path.write_bytes(data)
        return digitalmicrograph.read([str(path)])

    return _read


def plain(dm: Dm) -> bytes:
    """A small file with a thumbnail and an image."""
    scales = [(0.5, 2.0, "nm"), (0.25, 0.0, "nm")]
    return dm.file(
        {
            "ImageList": [
                dm.image(23, [1, 1], bytes(4), name="Image Of picture"),
                dm.image(10, [3, 2], bytes(range(12)), scales=scales, tags={"Microscope Info": {"Voltage": 2e5}}),
            ],
            "Thumbnails": [{"ImageIndex": 0}],
        }
    )


KINDS = [(version, order) for version in (3, 4) for order in "<>"]


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_every_form_of_tag_is_kept(read, version, order):
    dm = Dm(version, order)
    numbers = {
        f"n{code}": dm.one(code, value)
        for code, value in {
            2: -2,
            3: -3,
            4: 4,
            5: 5,
            6: 0.5,
            7: 0.1,
            8: 1,
            9: -9,
            10: 200,
            11: -(2**40),
            12: 2**63,
        }.items()
    }
    raw = read(
        dm.file(
            {
                **numbers,
                "text": "5 µm",
                "empty": "",
                "bytes": dm.content((18, 4), "µm ".encode()),
                "numbers": dm.array(4, [1, 2, 0xD800]),
                "floats": dm.array(6, [0.5, 1.5]),
                "long": dm.array(3, list(range(1000))),
                "rect": dm.fields((2, 7), (1, 2.5)),
                "rows": dm.table((4, 4), [(1, 2), (3, 4)]),
                "mixed rows": dm.table((2, 6), [(1, 0.5)] * 400),
                "squares": dm.content((20, 20, 2, 2, 2), struct.pack(order + "4h", 1, 2, 3, 4)),
                "not finite": dm.one(7, float("inf")),
                "a.b": {"c": 1},
                "list": [7, {"x": 8}],
            }
        )
    )
    tree = raw.tree
    assert [tree[name] for name in numbers] == [-2, -3, 4, 5, 0.5, 0.1, 1, -9, 200, -(2**40), 2**63]
    assert (tree["text"], tree["empty"], tree["bytes"]) == ("5 µm", "", "µm ")
    assert (tree["numbers"], tree["floats"], tree["rect"]) == ([1, 2, 0xD800], [0.5, 1.5], [1, 2.5])
    assert (tree["rows"], tree["squares"]) == ([[1, 2], [3, 4]], [1, 2, 3, 4])
    assert tree["long"]["@array"] == f"{order}i4"
    assert tree["long"]["shape"] == [1000]
    assert tree["mixed rows"]["@array"] == f"{order}i2,{order}f4"
    assert tree["not finite"] == {"@float": "inf"}
    assert (tree["a.b"], tree["list"]) == ({"c": 1}, {"0": 7, "1": {"x": 8}})
    assert (raw.faults, raw.warnings, raw.format) == ((), (), f"gatan-dm{version}")


def test_a_second_tag_of_the_same_name_is_kept(read):
    dm = Dm()
    twice = b"\1\0" + dm.words(2) + 2 * (dm.name(21, "a") + dm.one(3, 5))
    raw = read(struct.pack(">IQI", 4, len(twice), 1) + twice + bytes(8))
    assert raw.tree == {"a": 5, "a#2": 5}


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_the_image_is_found_and_the_thumbnail_is_not(read, version, order):
    data = plain(Dm(version, order))
    raw = read(data)
    (signal,) = raw.signals
    assert (signal.kind, signal.shape, signal.dtype) == ("image", (2, 3), "uint16")
    assert signal.axes == (Axis("y", 2, 0.25, 0.0, "nm"), Axis("x", 3, 0.5, -1.0, "nm"))
    assert signal.layout.dtype == f"{order}u2"
    assert data[signal.layout.offsets[0] :][:12] == bytes(range(12))
    assert raw.anchors == {"tags": "ImageList.1.ImageTags", "image": "ImageList.1"}
    assert raw.needs == len(data)
    assert raw.tree["ImageList"]["1"]["ImageData"]["Data"]["@data"]["bytes"] == 12


def test_without_a_list_of_thumbnails_the_image_that_is_shown_counts(read):
    dm = Dm(3)
    images = [dm.image(6, [2, 2], bytes(4), name="small"), dm.image(6, [4, 4], bytes(16), name="large")]
    raw = read(dm.file({"ImageList": images, "ImageSourceList": [{"ImageRef": 1}]}))
    assert [signal.name for signal in raw.signals] == ["large"]


def meta(form: str, signal: str = "EELS") -> dict:
    return {"Meta Data": {"Format": form, "Signal": signal}}


NM, INV, EV, NONE = (1.0, 0.0, "nm"), (1.0, 0.0, "1/nm"), (1.0, 0.0, "eV"), (1.0, 0.0, "")
ARRANGED = {
    "spectrum": ([8], [EV], meta("Spectrum"), "spectrum", ["Energy loss"]),
    "spectrum of two dimensions": ([8, 1], [EV, NONE], meta("Spectrum"), "spectrum", ["Energy loss"]),
    "line": ([8, 3], [EV, NM], meta("Spectrum image"), "spectrum-image", ["x", "Energy loss"]),
    "map": ([2, 3, 8], [NM, NM, EV], meta("Spectrum image"), "spectrum-image", ["y", "x", "Energy loss"]),
    "map, energy fastest": (
        [8, 2, 3], [EV, NM, NM], meta("Spectrum image"), "spectrum-image", ["y", "x", "Energy loss"],
    ),
    "map of light": ([2, 3, 8], [NM, NM, NM], meta("Spectrum image", "CL"), "spectrum-image", ["y", "x", "Wavelength"]),
    "profile": ([8], [NM], {}, "profile", ["x"]),
    "stack": ([2, 3, 8], [NM, NM, NONE], {}, "stack", ["z", "y", "x"]),
    "diffraction": ([2, 3], [INV, INV], {}, "diffraction", ["ky", "kx"]),
    "patterns": ([2, 3, 4], [INV, INV, NONE], {}, "diffraction-stack", ["z", "ky", "kx"]),
    "scan": ([2, 3, 4, 5], [INV, INV, NM, NM], {}, "4d-stem", ["y", "x", "ky", "kx"]),
    "scan, patterns slowest": ([4, 5, 2, 3], [NM, NM, INV, INV], {}, "4d-stem", ["y", "x", "ky", "kx"]),
    "uncalibrated diffraction": (
        [2, 3],
        [],
        {"Microscope Info": {"Illumination Mode": "TEM", "Imaging Mode": "DIFFRACTION"}},
        "diffraction",
        ["ky", "kx"],
    ),
    "scale of zero": ([2, 3], [(0.0, 0.0, "nm"), NM], {}, "image", ["y", "x"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ARRANGED)
def test_kind_and_order_of_axes(read, case):
    import numpy as np

    from nffa_cli.pixels import slab

    sizes, scales, tags, kind, names = ARRANGED[case]
    dm = Dm()
    count = int(np.prod(sizes))
    values = np.arange(count, dtype="<u2")
    raw = read(dm.file({"ImageList": [dm.image(10, sizes, values.tobytes(), scales=scales, tags=tags)]}))
    (signal,) = raw.signals
    assert (signal.kind, [axis.name for axis in signal.axes]) == (kind, names)
    stored = values.reshape([size for size in reversed(sizes) if size > 1])
    seen = slab(signal, [slice(None)] * len(signal.shape))
    turn = signal.layout.order or tuple(range(stored.ndim))
    assert (seen == stored.transpose(turn)).all()
    if kind == "spectrum-image":
        assert seen.shape[-1] == 8


def test_colour_complex_and_packed_images(read):
    dm = Dm()
    images = [
        dm.image(23, [2, 3], bytes(24)),
        dm.image(3, [2, 3], bytes(48)),
        dm.image(27, [4, 4], bytes(4 * 3 * 8)),
        dm.image(39, [2], bytes(16)),
    ]
    colour, direct, packed, wide = read(dm.file({"ImageList": images})).signals
    assert (colour.kind, colour.shape, colour.layout.method) == ("image", (3, 2, 4), "rosetta")
    assert (direct.kind, direct.dtype, direct.layout.dtype) == ("complex", "complex64", "<c8")
    assert (packed.kind, packed.shape, packed.layout.detail) == ("complex", (4, 4), {"plugin": "gatan-dm", "index": 2})
    assert (wide.kind, wide.dtype) == ("profile", "int64")


def test_colour_and_packed_samples_are_read(read):
    from nffa_cli.extract import rosetta
    from nffa_cli.pixels import slab

    dm = Dm()
    tables = dm.table((10,) * 4, [(1, 2, 3, 0)] * 6)
    colour = dm.image(23, [2, 3], bytes(24), scales=[NM, NM])
    colour["ImageData"]["Data"] = tables
    packed = dm.image(27, [4, 4], b"", scales=[INV, INV])
    packed["ImageData"]["Data"] = dm.array(6, list(range(24)))
    for image in (colour, packed):
        image["ImageData"]["Calibrations"]["Brightness"] = {"Origin": 0.0, "Scale": 1.0, "Units": ""}
    found = read(dm.file({"ImageList": [colour, packed]})).signals
    seen = [slab(signal, [slice(None)] * len(signal.shape), loaders={"rosetta": rosetta.load}) for signal in found]
    assert seen[0][0, 0].tolist() == [3, 2, 1, 0]
    assert (seen[1].shape, seen[1].dtype) == ((4, 4), "complex64")


def test_an_unknown_type_is_a_warning_and_missing_samples_a_fault(read):
    dm = Dm()
    raw = read(dm.file({"ImageList": [dm.image(99, [2], bytes(2)), dm.image(10, [3, 3], bytes(8))]}))
    assert not raw.signals
    assert [remark.code for remark in raw.warnings] == ["unsupported-data-type"]
    assert [remark.code for remark in raw.faults] == ["corrupt"]


def test_a_stack_of_single_images_keeps_the_tags_of_their_taking(read):
    dm = Dm()
    image = dm.image(6, [1], b"1", tags={"source": {"Tags at creation": {"Microscope Info": {"Voltage": 2e5}}}})
    assert read(dm.file({"ImageList": [image]})).anchors["tags"] == "ImageList.0.ImageTags.source.Tags at creation"


def test_a_stack_that_names_the_tags_of_each_plane_speaks_by_the_first(read):
    dm = Dm()
    planes = [{"source tags": {"Microscope Info": {"Voltage": volt}}} for volt in (2e5, 3e5)]
    image = dm.image(6, [1], b"1", tags={"plane info": planes})
    assert read(dm.file({"ImageList": [image]})).anchors["tags"] == "ImageList.0.ImageTags.plane info.0.source tags"


@pytest.mark.parametrize(
    ("shown", "length", "name"),
    [(245.00000000000003, 245.0, "lengths"), (60.0, 4e6, "swapped"), (2e5, 245.0, None), (0.0, 0.0, None)],
)
def test_a_camera_length_in_the_magnification_s_place_is_noticed(read, shown, length, name):
    dm = Dm()
    info = {"Indicated Magnification": shown, "STEM Camera Length": length}
    anchors = read(dm.file({"ImageList": [dm.image(6, [1], b"1", tags={"Microscope Info": info})]})).anchors
    assert anchors == {
        "image": "ImageList.0",
        "tags": "ImageList.0.ImageTags",
        **({name: "ImageList.0.ImageTags.Microscope Info"} if name else {}),
    }


@pytest.mark.parametrize("window", [100, 200, 1 << 18])
def test_a_small_window_reads_the_same(read, monkeypatch, window):
    data = plain(Dm())
    whole = read(data)
    monkeypatch.setattr(digitalmicrograph, "WINDOW", window)
    assert read(data) == whole


def test_long_arrays_are_referred_to_and_skipped(read, monkeypatch):
    monkeypatch.setattr(digitalmicrograph, "REFERRED", 100)
    monkeypatch.setattr(digitalmicrograph, "WINDOW", 64)
    raw = read(Dm().file({"a": Dm().array(3, list(range(1000))), "b": 5}))
    assert raw.tree["a"]["@data"]["bytes"] == 4000
    assert raw.tree["b"] == 5


@pytest.mark.parametrize(("version", "order"), KINDS)
def test_a_file_cut_anywhere_is_never_taken_for_whole(read, version, order):
    data = plain(Dm(version, order))
    for length in range(len(data)):
        code, raw = outcome(read, data[:length])
        if raw is None:
            assert code in ("empty", "truncated")
            assert length < 16
        else:
            assert [remark.code for remark in raw.faults] == ["truncated"]
            assert raw.needs > length
            assert raw.needs == len(data)


@pytest.mark.parametrize("version", [3, 4])
def test_a_tail_of_zeros_is_never_taken_for_content(read, version):
    data = plain(Dm(version))
    whole = read(data).tree
    last = max(place for place, byte in enumerate(data) if byte)
    for length in range(16, last):
        code, raw = outcome(read, data[:length] + bytes(len(data) - length))
        assert code == "corrupt" or raw.faults or raw.tree != whole


@pytest.mark.parametrize("version", [3, 4])
def test_flipped_bytes_end_in_a_sentence(read, version):
    data = plain(Dm(version))
    luck = random.Random(version)
    begin = time.process_time()
    for _ in range(1500):
        broken = bytearray(data)
        for _ in range(luck.choice((1, 1, 2, 8))):
            broken[luck.randrange(len(broken))] = luck.choice((0, 1, 127, 128, 255, luck.randrange(256)))
        assert outcome(read, bytes(broken))[0] in (None, "corrupt", "truncated")
    assert time.process_time() - begin < 20


@pytest.mark.parametrize("version", [3, 4])
def test_counts_that_the_file_cannot_hold_are_refused(read, version):
    dm = Dm(version)
    for tag in (
        dm.content((20, 3, 2**31), b""),
        dm.content((20, 77, 4), b"1234"),
        dm.content((15, 0, 0), b""),
        dm.content((20, 15, 0, 0, 2**30), b""),
        dm.content((20, 15, 0, 2, 0, 18, 0, 2, 2), b"123456"),
        dm.content((), b""),
    ):
        with pytest.raises(UnreadableFile, match="byte"):
            read(dm.file({"a": tag, "b": 1}))
    head = struct.pack(">IQI" if version == 4 else ">III", version, 100, 1)
    with pytest.raises(UnreadableFile, match="tags"):
        read(head + b"\1\0" + dm.words(2**31) + bytes(100))


def test_groups_too_deep_are_refused(read):
    tags: dict = {"a": 1}
    for _ in range(70):
        tags = {"g": tags}
    with pytest.raises(UnreadableFile, match="deep"):
        read(Dm().file(tags))


def test_the_lengths_in_a_version_4_file_are_checked(read):
    data = plain(Dm())
    at = data.index(b"Voltage") + 7
    raw = read(data[:at] + struct.pack(">Q", 27) + data[at + 8 :])
    assert [remark.code for remark in raw.faults] == ["corrupt"]


def test_a_wrong_root_length_is_a_warning_when_all_else_is_there(read):
    data = plain(Dm(3))
    declared = int.from_bytes(data[4:8], "big")
    assert not read(data[:4] + struct.pack(">I", declared + 4) + data[8:]).warnings
    raw = read(data[:4] + struct.pack(">I", declared + 5) + data[8:])
    assert [remark.code for remark in raw.warnings] == ["root-length"]
    assert not raw.faults
    more = read(data[:4] + struct.pack(">I", declared + 5) + data[8:] + b"more")
    assert [remark.code for remark in more.faults] == ["corrupt"]


def test_a_file_without_end_mark_is_damaged(read):
    assert [remark.code for remark in read(plain(Dm())[:-8] + b"12345678").faults] == ["corrupt"]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"", "empty"),
        (b"\0\0\0\3", "truncated"),
        (b"\0\0\0\5" + bytes(20), "corrupt"),
        (b"\0\0\0\3" + b"\1" * 20, "corrupt"),
    ],
)
def test_what_is_no_dm_file_is_said(read, head, code):
    with pytest.raises(UnreadableFile) as caught:
        read(head)
    assert caught.value.code == code
