"""TIA documents and series, from a small writer of invented ones: every generation, every way to be damaged."""

from __future__ import annotations

import contextlib
import random
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nffa_cli import pixels
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import tia, tia_emi, tia_ser

CODES = {"u1": 1, "u2": 2, "u4": 3, "i1": 4, "i2": 5, "i4": 6, "f4": 7, "f8": 8, "c8": 9, "c16": 10}
START = 1425550830  # 2015-03-05 10:20:30 UTC


def ser(
    data,
    *,
    dims=None,
    version=0x0220,
    scale=2e-9,
    offset=-1e-7,
    element=0,
    total=None,
    positions=None,
    apart=False,
    when=START,
):
    """A `.ser` of elements ``data[0], data[1], …`` (1-D or 2-D); ``apart``: tags behind all elements."""
    data = np.asarray(data)
    pictures, count = data.ndim == 3, len(data)
    total = count if total is None else total
    width, letter = (8, "Q") if version == 0x0220 else (4, "I")
    dims = [(total, 0.0, 1.0, 0, b"Number", b"")] if dims is None else dims
    records = b"".join(
        struct.pack("<IddII", n, o, d, e, len(name)) + name + struct.pack("<I", len(unit)) + unit
        for n, o, d, e, name, unit in dims
    )
    tag_type = 0x4142 if positions is not None else 0x4152
    table = 26 + width + len(records)
    at = table + 2 * width * total
    starts, tags, elements, tag_bytes = [], [], [], []
    for index, one in enumerate(data):
        calibration = struct.pack("<ddI", offset, scale, element)
        head = calibration * (2 if pictures else 1) + struct.pack("<H", CODES[one.dtype.str[1:]])
        head += struct.pack(f"<{one.ndim}I", *reversed(one.shape))
        elements.append(head + one.astype(one.dtype.newbyteorder("<")).tobytes())
        place = struct.pack("<dd", *positions[index]) if positions is not None else b""
        tag_bytes.append(struct.pack("<HHI", tag_type, 0, when + index) + place)
    if apart:
        for one in elements:
            starts.append(at)
            at += len(one)
        for one in tag_bytes:
            tags.append(at)
            at += len(one)
        body = b"".join(elements + tag_bytes)
    else:
        for one, tag in zip(elements, tag_bytes, strict=True):
            starts.append(at)
            tags.append(at + len(one))
            at += len(one) + len(tag)
        body = b"".join(one + tag for one, tag in zip(elements, tag_bytes, strict=True))
    blank = [0] * (total - count)
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, version, 0x4122 if pictures else 0x4120, tag_type, total, count)
    head += struct.pack(f"<{letter}I", table, len(dims)) + records
    return head + struct.pack(f"<{2 * total}{letter}", *starts, *blank, *tags, *blank) + body


def text(tag, value):
    raw = value.encode()
    return b"\x60\x00" + tag + struct.pack("<I", len(raw)) + raw


def info(*, mode=" TEM uP SA Zoom Image", date="Thu Mar 05 11:20:12 2015", acquire="", extra=""):
    rows = {"High tension": ("200", "kV"), "Mode": (mode, ""), "Stage X": ("1.5", "um")}
    data = "".join(
        f"<Data><Label>{label}</Label><Value>{value}</Value><Unit>{unit}</Unit></Data>"
        for label, (value, unit) in rows.items()
    )
    return (
        f"<Uuid>abc</Uuid><ExperimentalDescription><Root>{data}{extra}</Root>\n\t</ExperimentalDescription>"
        "<TrueImageHeaderInfo>&lt;Root&gt;&lt;Data&gt;&lt;Index&gt;5&lt;/Index&gt;&lt;Value&gt;2&lt;/Value&gt;"
        f"&lt;/Data&gt;&lt;/Root&gt;\n</TrueImageHeaderInfo><AcquireDate>{date}</AcquireDate>"
        f"<AcquireInfo>{acquire}</AcquireInfo>"
    )


def emi(*objects, version="4.5.1101.0", tail=b"\x03\x4d\x00\x08\0\0\0\0"):
    """An `.emi` of objects (name, space, ser path, inside of ObjectInfo); ``None`` leaves an item out."""
    out = b"JK\x00\x02\0\0\0\0\x04\x4d\x01\x00" + text(b"\x00\x01", "Acquire")
    out += text(b"\x12\x07", version) + b"\x06\x02"
    for name, space, path, inside in objects:
        out += b"\xb0\x49\x10\x06" + text(b"\x00\x01", name) + b"\0\0\0\0"
        before = space in ("Real Space", "Reciprocal Space")
        if space and before:
            out += text(b"\x00\x04", space)
        if path:
            out += text(b"\x40\x04", path)
        xml = f"<ObjectInfo>{inside}</ObjectInfo>\r\n".encode()
        out += b"\x32\x00\x42\x04\x02\x00\x60\x00\x19\x04" + struct.pack("<I", len(xml)) + xml
        if space and not before:
            out += text(b"\x00\x04", space)
        out += text(b"\x00\x05", "Normal")
    return out + tail


def put(folder, **files):
    """Write files (``a_1_ser=bytes`` becomes ``a_1.ser``); returns their paths in order."""
    paths = []
    for name, data in files.items():
        path = Path(folder) / f"{name[:-4]}.{name[-3:]}"
        path.write_bytes(data)
        paths.append(str(path))
    return paths


def picture(n=1, side=(4, 6), dtype="u2"):
    return np.arange(1, 1 + n * side[0] * side[1]).reshape(n, *side).astype(dtype)


def codes(remarks):
    return [remark.code for remark in remarks]


# -- series ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0x0210, 0x0220])
@pytest.mark.parametrize("dtype", list(CODES))
@pytest.mark.parametrize("apart", [False, True])
def test_samples_of_every_type_come_back_top_down(tmp_path, version, dtype, apart):
    data = picture(3, dtype=dtype)
    raw = tia.read(put(tmp_path, a_1_ser=ser(data, version=version, apart=apart)))
    (signal,) = raw.signals
    assert signal.shape == (3, 4, 6)
    assert signal.dtype == data.dtype.name
    assert isinstance(signal.layout.offsets, range)
    assert raw.needs == (tmp_path / "a_1.ser").stat().st_size
    assert not raw.faults
    found = pixels.slab(signal, [slice(1, None), slice(0, 3), slice(None, None, 2)])
    assert np.array_equal(found, data[:, ::-1][1:, 0:3, ::2])


@pytest.mark.parametrize(
    ("data", "scale", "kind", "unit", "names"),
    [
        (picture(), 2e-9, "image", "m", ("y", "x")),
        (picture(), 1.7e8, "diffraction", "1/m", ("ky", "kx")),
        (picture(), 1.0, "image", None, ("y", "x")),
        (picture(2), 2e-9, "stack", "m", ("number", "y", "x")),
        (picture(2), 1.7e8, "diffraction-stack", "1/m", ("number", "ky", "kx")),
        (picture(dtype="c8"), 1.7e8, "complex", "1/m", ("ky", "kx")),
        (picture()[0, :1], 0.2, "spectrum", "eV", ("energy",)),
        (picture()[0], 10.0, "spectrum-image", "eV", ("number", "energy")),
        (picture()[0, :1], 2e-10, "profile", "m", ("x",)),
        (picture()[0, :1], 5e6, "spectrum", None, ("channel",)),
        (picture()[0, :1], float("nan"), "spectrum", None, ("channel",)),
    ],
)
def test_series_alone_gets_a_unit_only_where_its_size_allows_one(tmp_path, data, scale, kind, unit, names):
    raw = tia.read(put(tmp_path, a_1_ser=ser(data, scale=scale)))
    (signal,) = raw.signals
    assert (signal.kind, signal.axes[-1].unit) == (kind, unit)
    assert tuple(axis.name for axis in signal.axes) == names
    assert codes(raw.warnings) == ["unit-inferred" if unit else "unit-unknown"]
    if unit is None:
        assert (signal.axes[-1].scale, signal.axes[-1].offset) == (1.0, 0.0)


def test_uncalibrated_channels_are_not_energies(tmp_path):
    raw = tia.read(put(tmp_path, a_1_ser=ser(picture()[0, :1], scale=1.0, offset=0.0)))
    assert raw.signals[0].axes[0].unit is None


def scan(width, height, *, fast="x"):
    order = [(x, y) for y in range(height) for x in range(width)]
    if fast == "y":
        order = [(x, y) for x in range(width) for y in range(height)]
    return [(x * 1e-9, y * -1e-9) for x, y in order]


DIMS = [(3, -1e-9, 1e-9, 0, b"Position", b"meters"), (2, 5e-9, -1e-9, 5, b"Position", b"meters")]


def test_spectrum_image_is_y_x_energy_and_offsets_count_from_the_first_step(tmp_path):
    data = np.arange(60, dtype="u4").reshape(6, 10)
    raw = tia.read(put(tmp_path, a_1_ser=ser(data, scale=5.0, dims=DIMS, positions=scan(3, 2))))
    (signal,) = raw.signals
    assert signal.shape == (2, 3, 10)
    assert signal.kind == "spectrum-image"
    assert [axis.name for axis in signal.axes] == ["y", "x", "energy"]
    assert signal.axes[0].offset == pytest.approx(1e-8)
    assert np.array_equal(pixels.slab(signal, [slice(None)] * 3), data.reshape(2, 3, 10))


def test_scan_along_y_first_keeps_its_order(tmp_path):
    data = np.arange(60, dtype="u4").reshape(6, 10)
    raw = tia.read(put(tmp_path, a_1_ser=ser(data, scale=5.0, dims=DIMS, positions=scan(3, 2, fast="y"))))
    assert raw.signals[0].shape == (3, 2, 10)


def test_patterns_over_a_scan_are_4d_stem(tmp_path):
    raw = tia.read(put(tmp_path, a_1_ser=ser(picture(6), scale=1e8, dims=DIMS, positions=scan(3, 2))))
    (signal,) = raw.signals
    assert (signal.kind, signal.shape) == ("4d-stem", (2, 3, 4, 6))
    whole = pixels.slab(signal, [slice(None)] * 4)
    assert np.array_equal(whole, picture(6).reshape(2, 3, 4, 6)[:, :, ::-1])


def test_aborted_series_keeps_what_was_recorded(tmp_path):
    raw = tia.read(put(tmp_path, a_1_ser=ser(picture(2), total=5)))
    assert raw.signals[0].shape == (2, 4, 6)
    assert "aborted" in codes(raw.warnings)
    assert not raw.faults
    assert raw.tree["ser"][0]["TotalNumberElements"] == 5


def test_aborted_scan_keeps_its_complete_lines(tmp_path):
    dims = [DIMS[0], (4, 0.0, 1e-9, 0, b"Position", b"meters")]
    data = np.arange(80, dtype="u4").reshape(8, 10)
    raw = tia.read(put(tmp_path, a_1_ser=ser(data, scale=5.0, dims=dims, total=12, positions=scan(3, 4)[:8])))
    (signal,) = raw.signals
    assert signal.shape == (2, 3, 10)
    assert np.array_equal(pixels.slab(signal, [slice(None)] * 3), data[:6].reshape(2, 3, 10))


def test_dimensions_that_do_not_fit_become_one_axis(tmp_path):
    dims = [(2, 0.0, 1e-9, 0, b"Position", b"meters")] * 2
    raw = tia.read(put(tmp_path, a_1_ser=ser(picture(5), dims=dims)))
    assert raw.signals[0].shape == (5, 4, 6)
    assert "scan-shape" in codes(raw.warnings)


def test_series_without_dimensions_is_one_axis(tmp_path):
    raw = tia.read(put(tmp_path, a_1_ser=ser(picture(5), dims=[])))
    assert raw.signals[0].shape == (5, 4, 6)


def test_irregular_offsets_are_kept(tmp_path):
    data = bytearray(ser(picture(3)))
    first, second, third = struct.unpack_from("<3Q", data, 72)
    struct.pack_into("<3Q", data, 72, second, first, third)
    struct.pack_into("<3Q", data, 96, second + 98, first + 98, third + 98)
    raw = tia.read(put(tmp_path, a_1_ser=bytes(data)))
    whole = pixels.slab(raw.signals[0], [slice(None)] * 3)
    assert np.array_equal(whole, picture(3)[[1, 0, 2], ::-1])


# -- damage ----------------------------------------------------------------------------------------------------------


def complete(paths):
    """Whether the acquisition would pass as complete."""
    try:
        raw = tia.read(paths)
    except UnreadableFile:
        return False
    size = Path(paths[0]).stat().st_size
    return not raw.faults and (raw.needs is None or raw.needs <= size)


@pytest.mark.parametrize("positions", [None, scan(3, 1)])
@pytest.mark.parametrize("apart", [False, True])
def test_a_series_cut_anywhere_never_passes(tmp_path, positions, apart):
    data = ser(picture(3), positions=positions, apart=apart)
    assert complete(put(tmp_path, a_1_ser=data))
    for cut in range(len(data)):
        assert not complete(put(tmp_path, a_1_ser=data[:cut])), cut


@pytest.mark.parametrize("apart", [False, True])
def test_a_series_whose_end_is_still_zero_never_passes(tmp_path, apart):
    data = ser(picture(3), apart=apart)
    for cut in range(len(data) - 1):  # the last byte of a tag belongs to the time, which may be anything
        if any(data[cut : len(data) - 4]):
            assert not complete(put(tmp_path, a_1_ser=data[:cut] + bytes(len(data) - cut))), cut


def test_sidecars_are_judged_too(tmp_path):
    document = emi(("Acquire BF", "Real Space", "D:\\a_1.ser", info()))
    data = ser(picture(1))
    assert complete(put(tmp_path, a_emi=document, a_1_ser=data))
    for cut in range(len(data)):
        paths = put(tmp_path, a_emi=document, a_1_ser=data[:cut])
        assert not complete(paths), cut
        assert tia.read(paths).faults[0].detail.startswith("a_1.ser: ")


def test_an_emi_cut_anywhere_never_passes(tmp_path):
    data = emi(
        ("Acquire BF", "Real Space", "D:\\a_1.ser", info()),
        ("Acquire DF4", "Real Space", "D:\\a_2.ser", info()),
    )
    assert complete(put(tmp_path, a_emi=data))
    for cut in range(len(data)):
        assert not complete(put(tmp_path, a_emi=data[:cut])), cut


def test_links_at_the_end_of_an_emi_end_with_two_closing_items(tmp_path):
    links = b"\x03\x4d\x00\x08\x02\x4d\x00\x01" + text(b"\x00\x01", "Background")
    one = ("Acquire BF", "Real Space", "D:\\a_1.ser", info())
    assert complete(put(tmp_path, a_emi=emi(one, tail=links + bytes(8))))
    assert not complete(put(tmp_path, a_emi=emi(one, tail=links)))


def test_an_emi_of_an_unknown_generation_without_last_section_is_only_remarked(tmp_path):
    raw = tia.read(put(tmp_path, a_emi=emi(("Acquire", None, None, info()), version="5.0.0", tail=b"")))
    assert not raw.faults
    assert codes(raw.warnings) == ["end-unproved"]


def test_hostile_numbers_neither_allocate_nor_loop(tmp_path):
    rng = random.Random(7)
    good = ser(picture(3), positions=scan(3, 1))
    extremes = [0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 65535]
    began = time.perf_counter()
    tracemalloc.start()
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(6, 260)
            struct.pack_into("<I", data, at, rng.choice([*extremes, rng.getrandbits(32)]))
        try:
            raw = tia.read(put(tmp_path, a_1_ser=bytes(data)))
        except UnreadableFile:
            continue
        for signal in raw.signals:
            with contextlib.suppress(UnreadableFile):
                pixels.slab(signal, [slice(0, 1)] * len(signal.shape))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
    assert time.perf_counter() - began < 30


def test_elements_that_overlap_cannot_promise_more_than_the_file(tmp_path):
    data = bytearray(ser(picture(40)))
    first = struct.unpack_from("<Q", data, 72)[0]
    struct.pack_into("<40Q", data, 72, *[first] * 40)
    raw = tia.read(put(tmp_path, a_1_ser=bytes(data)))
    assert raw.signals[0].shape == (40, 4, 6)  # 40 times the same picture still fits into the file's size
    struct.pack_into("<II", data, first + 42, 40, 60)
    raw = tia.read(put(tmp_path, a_1_ser=bytes(data)))
    assert "corrupt" in codes(raw.faults)
    assert not raw.signals


def test_an_element_unlike_the_first_is_a_fault(tmp_path):
    data = bytearray(ser(picture(3)))
    last = struct.unpack_from("<Q", data, 72 + 16)[0]
    struct.pack_into("<H", data, last + 40, 5)
    assert codes(tia.read(put(tmp_path, a_1_ser=bytes(data))).faults) == ["corrupt"]


def test_empty_table_entries_are_a_fault(tmp_path):
    data = bytearray(ser(picture(3)))
    struct.pack_into("<Q", data, 72 + 8, 0)
    raw = tia.read(put(tmp_path, a_1_ser=bytes(data)))
    assert codes(raw.faults) == ["truncated"]


@pytest.mark.parametrize(("name", "data"), [("a_1_ser", b""), ("a_emi", b"")])
def test_empty_files_say_so(tmp_path, name, data):
    with pytest.raises(UnreadableFile) as caught:
        tia.read(put(tmp_path, **{name: data}))
    assert caught.value.code == "empty"


def test_an_unreadable_sidecar_does_not_hide_the_rest(tmp_path):
    document = emi(
        ("Acquire BF", "Real Space", "D:\\a_1.ser", info()),
        ("Acquire DF4", "Real Space", "D:\\a_2.ser", info()),
    )
    raw = tia.read(put(tmp_path, a_emi=document, a_1_ser=b"", a_2_ser=ser(picture())))
    assert codes(raw.faults) == ["empty"]
    assert [signal.name for signal in raw.signals] == ["DF4"]


# -- documents -------------------------------------------------------------------------------------------------------


def test_series_are_paired_by_the_name_the_document_holds(tmp_path):
    document = emi(
        ("Survey Scanning", "Real Space", None, info(date="Thu Mar 05 11:00:00 2015")),
        ("Live Time", "Real Space", None, "<Uuid>x</Uuid>"),
        ("CCD Profile", "Reciprocal Space", "D:\\old_2.ser", info(acquire="<CameraNamePath>BM-Cam</CameraNamePath>")),
        ("Acquire EDX", "EDX", "D:\\old_1.ser", info(acquire="<IntegrationTime>1</IntegrationTime>")),
    )
    files = {"a_1_ser": ser(picture()[0, :1], scale=5.0), "a_2_ser": ser(picture(3), scale=1e8)}
    raw = tia.read(put(tmp_path, a_emi=document, **files))
    assert [signal.name for signal in raw.signals] == ["EDS", "BM-Cam"]
    assert [signal.kind for signal in raw.signals] == ["spectrum", "diffraction-stack"]
    assert raw.anchors == {"object": "emi.ObjectInfo.0", "signal": "emi.ObjectInfo.3"}
    assert not raw.warnings
    assert len(raw.tree["emi"]["ObjectInfo"]) == 4


def test_documents_that_name_no_series_are_paired_in_order(tmp_path):
    document = emi(("Acquire BF", None, None, info()), ("Acquire DF", None, None, info()))
    raw = tia.read(
        put(tmp_path, a_emi=document, a_1_ser=ser(picture()), a_2_ser=ser(picture()), a_3_ser=ser(picture()))
    )
    assert [signal.name for signal in raw.signals] == ["BF", "DF", None]
    assert "no-description" in codes(raw.warnings)


@pytest.mark.parametrize(
    ("space", "mode", "acquire", "scale", "unit", "code"),
    [
        ("Real Space", " TEM uP SA Zoom Diffraction", "", 2e-9, "m", None),
        ("Reciprocal Space", " TEM uP SA Zoom Image", "", 1e8, "1/m", None),
        (None, " TEM uP SA Zoom Diffraction", "", 1e8, "1/m", None),
        (None, " STEM nP SA Zoom Diffraction", "", 2e-9, "m", None),
        (None, " STEM nP SA Zoom Diffraction", "<CameraNamePath>C</CameraNamePath>", 1e8, "1/m", None),
        (None, " TEM uP SA Zoom Image", "", 1e8, "1/m", "unit-inferred"),
        ("Real Space", " TEM uP SA Zoom Image", "", 1e8, "1/m", "unit-inferred"),
    ],
)
def test_the_document_decides_the_unit(tmp_path, space, mode, acquire, scale, unit, code):
    document = emi(("Acquire", space, "D:\\a_1.ser", info(mode=mode, acquire=acquire)))
    raw = tia.read(put(tmp_path, a_emi=document, a_1_ser=ser(picture(), scale=scale)))
    assert raw.signals[0].axes[-1].unit == unit
    assert codes(raw.warnings) == ([code] if code else [])


@pytest.mark.parametrize(
    ("date", "agree"),
    [
        ("Thu Mar 05 11:20:12 2015", True),
        ("Thu Mar 05 16:05:30 2015", True),  # Nepal, UTC + 5:45
        ("Thu Mar 05 11:27:30 2015", False),
        ("Fri Mar 06 12:20:30 2015", False),
        ("Thu Mar  5 10:21:20 2015", True),
        ("yesterday", True),
    ],
)
def test_clocks_that_no_time_zone_explains_are_remarked(tmp_path, date, agree):
    document = emi(("Acquire BF", "Real Space", "D:\\a_1.ser", info(date=date)))
    raw = tia.read(put(tmp_path, a_emi=document, a_1_ser=ser(picture())))
    assert codes(raw.warnings) == ([] if agree else ["clock-disagreement"])


def test_a_document_alone_is_read_and_its_partners_are_missed(tmp_path):
    raw = tia.read(put(tmp_path, a_emi=emi(("Acquire BF", "Real Space", "D:\\a_1.ser", info()))))
    assert not raw.signals
    assert codes(raw.warnings) == ["partner-missing"]
    described = raw.tree["emi"]["ObjectInfo"][0]["ExperimentalDescription"]
    assert described["High tension"] == {"Value": "200", "Unit": "kV"}
    assert raw.tree["emi"]["ObjectInfo"][0]["TrueImageHeaderInfo"] == {"5": "2"}
    assert raw.tree["emi"]["Version"] == "4.5.1101.0"


def test_labels_that_come_twice_are_both_kept(tmp_path):
    extra = "<Data><Label>Stage X</Label><Value>9</Value><Unit>um</Unit></Data>"
    raw = tia.read(put(tmp_path, a_emi=emi(("A", None, None, info(extra=extra)))))
    values = raw.tree["emi"]["ObjectInfo"][0]["ExperimentalDescription"]["Stage X"]
    assert [one["Value"] for one in values] == ["1.5", "9"]


def test_text_that_is_not_utf8_is_western(tmp_path):
    data = emi(("A", None, None, info(extra="<Data><Label>User</Label><Value>@@</Value><Unit></Unit></Data>")))
    raw = tia.read(put(tmp_path, a_emi=data.replace(b"@@", b"\xe9\xb5")))
    assert raw.tree["emi"]["ObjectInfo"][0]["ExperimentalDescription"]["User"]["Value"] == "éµ"


def test_a_spectrum_kept_in_the_document_leaves_an_empty_series(tmp_path):
    document = emi(("Acquire EDX", "EDX", "D:\\a_1.ser", info()))
    empty = ser(np.zeros((0, 8), "u4"), total=1)
    raw = tia.read(put(tmp_path, a_emi=document, a_1_ser=empty))
    assert not raw.faults
    assert codes(raw.warnings) == ["empty"]
    assert codes(tia.read(put(tmp_path, a_1_ser=empty)).faults) == ["empty"]


@pytest.mark.parametrize(
    "inside",
    [
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><Uuid>&b;</Uuid>',
        "<a>" * 5000 + "</a>" * 5000,
        "<Uuid>&undefined;</Uuid>",
        "<TrueImageHeaderInfo>&lt;Root&gt;&lt;!ENTITY b 'c'&gt;</TrueImageHeaderInfo><Uuid>",
    ],
)
def test_hostile_xml_is_a_fault_and_stays_text(tmp_path, inside):
    raw = tia.read(put(tmp_path, a_emi=emi(("A", None, None, inside))))
    assert codes(raw.faults) == ["corrupt"]
    assert "Text" in raw.tree["emi"]["ObjectInfo"][0]


def test_a_block_whose_length_is_a_lie_ends_the_reading(tmp_path):
    data = emi(("A", None, None, info()))
    at = data.index(b"<ObjectInfo>") - 4
    for length in (0, 1, 12, 0xFFFFFFFF):
        raw = tia.read(put(tmp_path, a_emi=data[:at] + struct.pack("<I", length) + data[at + 4 :]))
        assert raw.faults or raw.needs > len(data)


def test_more_objects_than_any_real_document_has_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tia_emi, "MOST_OBJECTS", 3)
    raw = tia.read(put(tmp_path, a_emi=emi(*[("A", None, None, "<Uuid>x</Uuid>")] * 5)))
    assert codes(raw.faults)[0] == "corrupt"
    assert len(raw.tree["emi"]["ObjectInfo"]) == 3


def test_flipped_bytes_of_a_document_raise_nothing_unforeseen(tmp_path):
    rng = random.Random(3)
    good = emi(("BF", "Real Space", "D:\\a_1.ser", info()), ("EDX", "EDX", "D:\\a_2.ser", info()))
    for _ in range(400):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        assert tia.read(put(tmp_path, a_emi=bytes(data), a_1_ser=ser(picture()))).format == "tia"


def test_a_block_longer_than_any_real_one_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(tia_emi, "LARGEST_BLOCK", 100)
    raw = tia.read(put(tmp_path, a_emi=emi(("A", None, None, info()))))
    assert codes(raw.faults)[0] == "corrupt"


def test_a_large_series_is_read_by_its_headers_alone(tmp_path):
    count, channels = 262_144, 1024
    table = 72
    stride = 26 + 4 * channels + 24
    begin = table + 16 * count
    path = tmp_path / "a_1.ser"
    dims = [(512, 0.0, 1e-9, 0, b"Position", b"meters")] * 2
    records = b"".join(
        struct.pack("<IddII", n, o, d, e, 8) + name + struct.pack("<I", 6) + u for n, o, d, e, name, u in dims
    )
    begin += len(records) + 34 - table
    table = 34 + len(records)
    with path.open("wb") as file:
        file.write(struct.pack("<HHHIIII", 0x4949, 0x0197, 0x0220, 0x4120, 0x4142, count, count))
        file.write(struct.pack("<QI", table, 2) + records)
        file.write(np.arange(begin, begin + stride * count, stride, dtype="<u8").tobytes())
        file.write(np.arange(begin + stride - 24, begin + stride * (count + 1) - 24, stride, dtype="<u8").tobytes())
        for index in range(0, count):
            if index < 2 or index == count - 1 or index in {(count - 1) * part // 6 for part in range(6)}:
                file.seek(begin + index * stride)
                file.write(struct.pack("<ddIHI", 0.0, 5.0, 0, 3, channels))
                file.seek(begin + (index + 1) * stride - 24)
                file.write(struct.pack("<HHIdd", 0x4142, 0, START, float(index), 0.0))
    tracemalloc.start()
    raw = tia.read([str(path)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raw.signals[0].shape == (512, 512, channels)
    assert raw.needs == path.stat().st_size
    assert isinstance(raw.signals[0].layout.offsets, range)
    assert peak < 16 << 20
    assert not raw.faults


def test_reading_needs_no_numpy():
    import subprocess
    import sys

    code = "import sys, nffa_cli.extract.tia; sys.exit('numpy' in sys.modules or 'yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_offsets_read_back(tmp_path):
    series = tia_ser.read_series(put(tmp_path, a_1_ser=ser(picture(2), element=3, scale=2e-9, offset=0.0))[0])
    assert series.elements[0].origins == (pytest.approx(-6e-9), pytest.approx(-6e-9))
