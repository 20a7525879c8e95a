"""Is a file complete, judged from outside: tiny generated files of each container, whole and cut."""

from __future__ import annotations

import bz2
import io
import struct
import zipfile

import pytest

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import containers


def hdf5_file():
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["values"] = list(range(1000))
    return buffer.getvalue()


def hdf5_late_file():
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest", userblock_size=1024) as file:
        file["values"] = list(range(1000))
    return buffer.getvalue()


def sfs_file():
    """One entry of 3000 bytes in chunks of 1024: the container's own, file table, pointer table, four of data."""
    chunk, payload = 1024, b"\x01" * 3000
    usable = chunk - 32
    head = struct.pack("<iIII16x", -1, 0, 6, 0)
    table = struct.pack("<iQQQQIi176s?3s256s32s", 2, len(payload), 0, 0, 0, 0, -1, b"", False, b"", b"EDS", b"")
    pointers = struct.pack("<4I", 3, 4, 5, 6)
    parts = [b"", table, pointers, *(payload[i : i + usable] for i in range(0, len(payload), usable))]
    whole = bytearray(0x118) + b"".join(head + part.ljust(usable, b"\0") for part in parts)
    whole[:8] = b"AAMVHFSS"
    struct.pack_into("<fI", whole, 0x124, 2.6, chunk)
    struct.pack_into("<III", whole, 0x140, 1, 1, len(parts))
    return bytes(whole)


def mrc_file():
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 8, 4, 2, 1)
    struct.pack_into("<i", header, 92, 128)
    header[208:212] = b"MAP "
    header[212:214] = b"DD"
    return bytes(header) + bytes(128) + bytes(8 * 4 * 2 * 2)


def blo_file():
    header = bytearray(4096)
    header[:6] = b"IMGBLO"
    struct.pack_into("<II", header, 8, 4096, 4112)
    struct.pack_into("<HHHH", header, 20, 4, 0, 2, 3)
    return bytes(header) + bytes(16) + (b"\xaa\x55" + bytes(4) + bytes(16)) * 6


def spc_file():
    header = bytearray(3840)
    struct.pack_into("<ff", header, 0, 0.61, 3.0)
    struct.pack_into("<iihh", header, 24, 0, 3840, 128, 0)
    return bytes(header) + bytes(4 * 128)


def spd_file():
    header = bytearray(1024)
    header[:15] = b"MAPSPECTRA_DATA"
    struct.pack_into("<2i5I", header, 16, 1, 6, 3, 2, 10, 2, 1024)
    return bytes(header) + bytes(3 * 2 * 10 * 2)


def zip_file():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.npy", bytes(500))
    return buffer.getvalue()


def eds_file(trailer=bytes(8) + b"\1" + bytes(25)):
    """Two channels, no tables, the parameters, and what Analysis Station writes behind them."""
    return bytes(454) + struct.pack("<3i", 2, 7, 9) + bytes(16) + struct.pack("<i", 5) + b"\2" * 340 + trailer


def mib_file():
    head = b"MQ1,000001,00384,01,0004,0002,U16,   1x1,01,2020-01-01 00:00:00.0,0.001".ljust(384, b"\0")
    return (head + bytes(16)) * 3


def tvips_file():
    head = struct.pack("<13I", 256, 2, 4, 3, 16, 0, 0, 1, 1, 10, 200, 1000, 60).ljust(256, b"\0")
    return head + b"".join(struct.pack("<III48x24x", number, 1_600_000_000, 0) for number in range(5))


WHOLE = {
    "emd": hdf5_file,
    "velox-emd": hdf5_late_file,
    "bruker-bcf": sfs_file,
    "bruker-spx": lambda: b'<?xml version="1.0"?><TRTSpectrum><Channels>1,2</Channels></TRTSpectrum>',
    "emsa-msa": lambda: b"#FORMAT : EMSA/MAS\n#NPOINTS: 2\n#SPECTRUM:\n1.0,\n2.0,\n#ENDOFDATA   :",
    "phenom-elid": lambda: bz2.compress(b"EID2" + bytes(range(256)) * 50),
    "mrc": mrc_file,
    "blockfile": blo_file,
    "edax-spc": spc_file,
    "edax-spd": spd_file,
    "jeol-eds": eds_file,
    "rosetta-prz": zip_file,
    "rosetta-mib": mib_file,
    "rosetta-tvips": tvips_file,
}


def judged(path, name, data):
    """Return True when the container says that nothing is missing."""
    path.write_bytes(data)
    try:
        return containers.needs(str(path), name) <= len(data)
    except UnreadableFile:
        return False


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_needs_what_it_has(name, tmp_path):
    data = eds_file(b"") if name == "jeol-eds" else WHOLE[name]()
    (tmp_path / "file").write_bytes(data)
    assert containers.needs(str(tmp_path / "file"), name) == len(data)


@pytest.mark.parametrize("name", [name for name in WHOLE if name not in {"rosetta-mib", "rosetta-tvips"}])
def test_a_cut_file_needs_more(name, tmp_path):
    data = WHOLE[name]()
    for cut in {0, 1, len(data) // 3, len(data) // 2, len(data) - 20, len(data) - 1}:
        assert not judged(tmp_path / "file", name, data[:cut]), cut


@pytest.mark.parametrize("name", ["rosetta-mib", "rosetta-tvips"])
def test_a_stream_must_end_with_a_whole_frame(name, tmp_path):
    data = WHOLE[name]()
    for cut in (0, 10, len(data) - 1, len(data) - 20):
        assert not judged(tmp_path / "file", name, data[:cut]), cut


@pytest.mark.parametrize("name", WHOLE)
def test_garbage_is_refused_or_judged(name, tmp_path):
    for pattern in (b"\xff", b"\0", bytes(range(256))):
        (tmp_path / "file").write_bytes(pattern * (5000 // len(pattern)))
        try:
            needs = containers.needs(str(tmp_path / "file"), name)
        except UnreadableFile:
            continue
        assert needs is not None


@pytest.mark.parametrize(
    ("name", "zeros"), [("bruker-bcf", 1024), ("blockfile", 22), ("rosetta-mib", 400), ("rosetta-tvips", 84)]
)
def test_a_last_piece_without_its_mark_was_never_written(name, zeros, tmp_path):
    data = WHOLE[name]()
    (tmp_path / "file").write_bytes(data[:-zeros] + bytes(zeros))
    with pytest.raises(UnreadableFile) as caught:
        containers.needs(str(tmp_path / "file"), name)
    assert caught.value.code == "zero-tail"


@pytest.mark.parametrize("trailer", [b"", b"\2" * 20, bytes(40)])
def test_an_unknown_end_of_a_jeol_spectrum_is_taken_as_it_is(trailer, tmp_path):
    assert judged(tmp_path / "file", "jeol-eds", eds_file(trailer))


def test_sfs_pointing_outside_is_corrupt(tmp_path):
    data = bytearray(sfs_file())
    struct.pack_into("<I", data, 0x118 + 2 * 1024 + 32 + 4, 999)
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(UnreadableFile, match="points beyond"):
        containers.needs(str(tmp_path / "file"), "bruker-bcf")


def test_an_unknown_format_is_not_judged(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    assert containers.needs(str(tmp_path / "file"), "rosetta-semper") is None
