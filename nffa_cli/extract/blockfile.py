"""Reader of NanoMEGAS block files (.blo): the binary header, and where each diffraction pattern lies.

Standard library only, reads the header and no pattern. Field meanings as RosettaSciIO documents them; RosettaSciIO is
the oracle of the tests (asking it would cost scikit-image, which its reader imports and never needs to read).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import containers
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

_HEADER = struct.Struct("<6sHIIIHHHHHddIHId22d")
_FIELDS = (
    "ID", "MAGIC", "Data_offset_1", "Data_offset_2", "UNKNOWN1", "DP_SZ", "DP_rotation", "NX", "NY", "Scan_rotation",
    "SX", "SY", "Beam_energy", "SDP", "Camera_length", "Acquisition_time",
    *(f"Centering_N{i}" for i in range(8)), *(f"Distortion_N{i:02d}" for i in range(14)),
)  # fmt: skip
_FRAME_MARK = 6


def read(files: Sequence[str]) -> RawMetadata:
    """Read a block file; raises UnreadableFile when the header is missing or makes no sense."""
    path = files[0]
    needs = containers.needs(path, "blockfile")
    with open(path, "rb") as file:  # noqa: PTH123 - text paths may hold bytes that are no UTF-8
        raw = file.read(_HEADER.size)
        if len(raw) < _HEADER.size or not raw.startswith(b"IMGBLO"):
            raise UnreadableFile("no block file header", code="truncated", where=path, hint="copy the file again")
        values = dict(zip(_FIELDS, _HEADER.unpack(raw), strict=True))
        note = file.read(min(max(0, values["Data_offset_1"] - _HEADER.size), 1 << 16))
        size = file.seek(0, 2)
    values["ID"] = values["ID"].decode("latin-1")
    values["Note"] = note.rstrip(b"\0").decode("latin-1")
    faults = (Remark("truncated", f"{size} bytes of {needs}"),) if needs is not None and needs > size else ()
    return RawMetadata(
        format="blockfile",
        tree={"blockfile_header": rawtree.lossless(values)},
        signals=(_signal(path, values),),
        needs=needs,
        faults=faults,
        reader="nffa blockfile",
    )


def _signal(path: str, header: dict[str, int | float]) -> Signal:
    """Return the patterns over the scanned points that there is more than one of; the camera's pixels are in cm."""
    side, nx, ny = int(header["DP_SZ"]), int(header["NX"]), int(header["NY"])
    start = int(header["Data_offset_2"])
    frame = _FRAME_MARK + side * side
    scan = [_scan_axis("y", ny, header["SY"]), _scan_axis("x", nx, header["SX"])]
    camera = 100.0 / header["SDP"] if header["SDP"] else None
    pattern = [Axis(name, side, camera, 0.0, "cm") if camera else Axis(name, side) for name in ("ky", "kx")]
    axes = tuple(axis for axis in scan if axis.size > 1) + tuple(pattern)
    kinds: dict[int, Kind] = {2: "diffraction", 3: "diffraction-stack", 4: "4d-stem"}
    shape = tuple(axis.size for axis in axes)
    first = start + _FRAME_MARK
    layout = Layout(path, "raw", "|u1", range(first, first + nx * ny * frame, frame), stored=shape)
    return Signal(None, kinds[len(axes)], shape, "uint8", axes, layout)


def _scan_axis(name: str, size: int, scale: float) -> Axis:
    return Axis(name, size, float(scale), 0.0, "nm") if 0.0 < scale < float("inf") else Axis(name, size)
