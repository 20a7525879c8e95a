"""MRC headers, their extended headers, and SerialEM's .mdoc, on files made here."""

from __future__ import annotations

import base64
import struct

import numpy as np
import pytest

from nffa_cli import pixels
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import mrc, mrc_fei
from nffa_cli.scan import walk


def make(path, *, cell=(40.0, 30.0, 0.0), extended=b"", kind=b"", order="<", mode=6, sections=2, words=(0, 0)):
    header = bytearray(1024)
    struct.pack_into(f"{order}4i", header, 0, 4, 3, sections, mode)
    struct.pack_into(f"{order}3i3f", header, 28, 4, 3, 1, *cell)
    struct.pack_into(f"{order}i", header, 92, len(extended))
    header[104 : 104 + len(kind)] = kind
    struct.pack_into(f"{order}2h", header, 128, *words)
    header[208:214] = b"MAP DD" if order == "<" else b"MAP \x11\x11"
    struct.pack_into(f"{order}i", header, 220, 1)
    header[224:238] = b"made by a test"
    samples = np.arange(12 * sections).astype(f"{order}u2").tobytes()
    path.write_bytes(bytes(header) + extended + samples)
    return str(path)


def record(*, mode=2, tilt=1.5, length=888):
    data = bytearray(length)
    struct.pack_into("<iiI", data, 0, length, 2, 1 << 5 | 1 << 7 | 3 << 14 | 3 << 25 | 1 << 31)
    struct.pack_into("<d", data, 84, 200000.0)
    struct.pack_into("<d", data, 100, tilt)
    struct.pack_into("<2d", data, 156, 2e-10, 2e-10)
    struct.pack_into("<2i", data, 244, mode, 1)
    struct.pack_into("<d", data, 289, 12345.0)
    return bytes(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sizes_cell_and_samples(tmp_path, order):
    raw = mrc.read([make(tmp_path / "a.mrc", order=order)])
    (found,) = raw.signals
    assert (raw.format, raw.faults, found.kind, found.shape, found.dtype) == ("mrc", (), "stack", (2, 3, 4), "uint16")
    assert [(axis.name, axis.scale, axis.unit) for axis in found.axes[1:]] == [("y", 10.0, "Å"), ("x", 10.0, "Å")]
    assert raw.tree["header"]["LABELS"] == ["made by a test"]
    assert pixels.slab(found, (slice(None),) * 3).reshape(-1).tolist() == list(range(24))


def test_a_cell_of_one_angstrom_a_pixel_is_nobodys(tmp_path):
    (found,) = mrc.read([make(tmp_path / "a.mrc", cell=(4.0, 3.0, 1.0))]).signals
    assert {axis.unit for axis in found.axes} == {None}


def test_fei2(tmp_path):
    raw = mrc.read([make(tmp_path / "a.mrc", kind=b"FEI2", extended=record(tilt=-2.0) + record(tilt=3.0))])
    fei = raw.tree["fei"]
    assert (fei["HT"], fei["Magnification"], fei["Alpha tilts"]) == (200000.0, 12345.0, [-2.0, 3.0])
    assert "Dose" not in fei
    assert (raw.signals[0].axes[-1].scale, raw.signals[0].axes[-1].unit) == (2e-10, "m")


def test_the_extended_header_is_kept_as_it_is(tmp_path, monkeypatch):
    path = make(tmp_path / "a.mrc", kind=b"XYZ", extended=bytes(range(200)))
    tree = mrc.read([path]).tree
    assert base64.b64decode(tree["extended"]["@bytes"]) == bytes(range(200))
    assert base64.b64decode(tree["header"]["EXTRA"]["@bytes"])[8:11] == b"XYZ"
    monkeypatch.setattr(mrc, "MOST_KEPT", 100)
    assert mrc.read([path]).tree["extended"]["@data"] == {"offset": 1024, "bytes": 200, "dtype": "|u1"}


def test_a_diffraction_pattern_keeps_no_metres(tmp_path):
    raw = mrc.read([make(tmp_path / "a.mrc", kind=b"FEI1", extended=record(mode=1, length=768) * 2)])
    assert {axis.unit for axis in raw.signals[0].axes} == {None}


@pytest.mark.parametrize("cut", range(0, 888, 37))
def test_cut_records_are_no_harm(cut):
    assert mrc_fei.sections(record()[:cut], 5) == {}
    assert isinstance(mrc_fei.sections(struct.pack("<i", cut) + record()[4:], 1), dict)


def test_serialem(tmp_path):
    extended = struct.pack("<5h", -1050, 100, -25, 500, 0)[:8] + struct.pack("<4h", 0, 0, 0, 0)
    raw = mrc.read([make(tmp_path / "a.mrc", kind=b"SERI", extended=extended, words=(8, 1 | 4 | 8))])
    assert raw.tree["serialem"] == {"TiltAngle": -10.5, "StagePosition": [4.0, -1.0], "Magnification": 50000}
    raw = mrc.read([make(tmp_path / "b.mrc", kind=b"SERI", extended=extended, words=(6, 1 | 4 | 8))])
    assert "serialem" not in raw.tree


@pytest.mark.parametrize("name", ["a.mdoc", "a.mrc.mdoc"])
def test_mdoc(tmp_path, name):
    make(tmp_path / "a.mrc", cell=(4.0, 3.0, 1.0))
    text = (
        "Voltage = 300\n\n[T = SerialEM: a test]\n\n[ZValue = 0]\nTiltAngle = 1.5\nStagePosition = 1 2\n[ZValue = 1]\n"
    )
    (tmp_path / name).write_text(text)
    (acquisition,) = walk(str(tmp_path))
    raw = mrc.read([stamp.path for stamp in acquisition.files])
    assert raw.tree["mdoc"]["Voltage"] == "300"
    assert raw.tree["mdoc"]["Titles"] == ["SerialEM: a test"]
    assert raw.tree["mdoc"]["Sections"] == [
        {"ZValue": "0", "TiltAngle": "1.5", "StagePosition": "1 2"},
        {"ZValue": "1"},
    ]


def test_the_mdoc_of_frames_has_its_title_without_brackets(tmp_path):
    path = make(tmp_path / "a.mrc")
    mdoc = tmp_path / "a.mrc.mdoc"
    mdoc.write_text("T = SerialEM: a test\nVoltage = 200\n\n[FrameSet = 0]\nT = 5\nBinning = 0.5\n")
    found = mrc.read([str(path), str(mdoc)]).tree["mdoc"]
    assert (found["Titles"], found["Voltage"]) == (["SerialEM: a test"], "200")
    assert found["Sections"] == [{"FrameSet": "0", "T": "5", "Binning": "0.5"}]


def test_short_and_odd_files(tmp_path):
    path = tmp_path / "a.mrc"
    make(path)
    whole = path.read_bytes()
    for cut in (0, 3, 500, 1023):
        path.write_bytes(whole[:cut])
        with pytest.raises(UnreadableFile):
            mrc.read([str(path)])
    path.write_bytes(whole[:-1])
    assert [fault.code for fault in mrc.read([str(path)]).faults] == ["truncated"]
    raw = mrc.read([make(path, mode=3)])
    assert (raw.signals, [remark.code for remark in raw.warnings]) == ((), ["unsupported-data-type"])


@pytest.mark.parametrize(("least", "codes"), [(1.0, ["zero-tail"]), (0.0, []), (-1.0, []), (300.0, [])])
def test_zeros_at_the_end_that_the_statistics_exclude(tmp_path, least, codes):
    path = tmp_path / "a.mrc"
    make(path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<3f", data, 76, least, 200.0, 100.0)
    path.write_bytes(data)
    assert not mrc.read([str(path)]).faults
    path.write_bytes(data[:-8] + bytes(8))
    assert [fault.code for fault in mrc.read([str(path)]).faults] == codes
