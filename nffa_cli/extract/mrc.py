"""Reader of MRC images and stacks: the header of MRC2014, what FEI and SerialEM put behind it, and SerialEM's .mdoc.

Standard library only, reads headers and no samples. The extended header is kept as it is; what it holds is read for
the first section whole and for the others as far as it changes from section to section (tilts). The samples lie as they
are: the origin of an MRC picture is its lower left corner, and nothing is turned here.

Sources: the MRC2014 description (Cheng et al. 2015); for the extended headers the tables in EPU's manual as mrcfile
and ExifTool give them, and IMOD's description of its header; for .mdoc SerialEM's help, "File formats".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import containers, mrc_fei
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

HEADER_BYTES = 1024
_FIELDS = (
    "NX", "NY", "NZ", "MODE", "NXSTART", "NYSTART", "NZSTART", "MX", "MY", "MZ", "CELLA_X", "CELLA_Y", "CELLA_Z",
    "CELLB_ALPHA", "CELLB_BETA", "CELLB_GAMMA", "MAPC", "MAPR", "MAPS", "DMIN", "DMAX", "DMEAN", "ISPG", "NSYMBT",
)  # fmt: skip
_HEADER = "10i6f3i3f2i"
_MODES = {0: "|u1", 1: "i2", 2: "f4", 4: "c8", 6: "u2", 12: "f2"}
_NAMES = {
    "u1": "uint8",
    "i1": "int8",
    "i2": "int16",
    "u2": "uint16",
    "f4": "float32",
    "c8": "complex64",
    "f2": "float16",
}
_IMOD = 1146047817
"""The word ``IMOD`` at byte 152; the lowest bit of the next one says that bytes are signed."""
_SERIALEM = (("TiltAngle", "h", 0.01), ("PieceCoordinates", "3h", 1), ("StagePosition", "2h", 0.04),
             ("Magnification", "h", 100), ("Intensity", "h", 4e-5), ("ExposureDose", "4x", 0))  # fmt: skip
"""What SerialEM may write for each section, in the order of the bits that announce it: name, type, unit."""
MOST_SECTIONS = 4096
MOST_MDOC = 16 << 20
MOST_KEPT = 256 << 10
"""Bytes of an extended header that are copied into the tree as they are; of a longer one it is said where it lies."""
_WIDEST_PIXEL_M = 1e-4


def read(files: Sequence[str]) -> RawMetadata:
    """Read an MRC file and the .mdoc beside it; raises UnreadableFile when the header is missing or makes no sense."""
    path = files[0]
    needs = containers.needs(path, "mrc")
    with Path(path).open("rb") as file:
        data = file.read(HEADER_BYTES)
        if len(data) < HEADER_BYTES:
            what = f"the file ends at byte {len(data)}, within its header"
            raise UnreadableFile(what, code="truncated", where=path, hint="copy the file again")
        order = ">" if data[212:214] == b"\x11\x11" else "<"
        header = _header(data, order)
        extended = file.read(min(header["NSYMBT"], MOST_SECTIONS * mrc_fei.LONGEST))
        size = file.seek(0, 2)
        faults = _faults(file, header, needs, size)
    tree: dict[str, Any] = {"header": rawtree.lossless(header), **_sections(header, extended, order)}
    if header["NSYMBT"] > MOST_KEPT:
        tree["extended"] = {"@data": {"offset": HEADER_BYTES, "bytes": header["NSYMBT"], "dtype": "|u1"}}
    elif extended:
        tree["extended"] = rawtree.lossless(extended)
    warnings: list[Remark] = []
    for sidecar in files[1:]:
        if sidecar.lower().endswith(".mdoc"):
            tree["mdoc"] = _mdoc(sidecar, warnings)
    signals = _signals(path, header, tree, order, warnings)
    return RawMetadata(
        format="mrc",
        tree=tree,
        signals=signals,
        needs=needs,
        faults=faults,
        warnings=tuple(warnings),
        reader="nffa mrc",
    )


def _faults(file: BinaryIO, header: Mapping[str, Any], needs: int | None, size: int) -> tuple[Remark, ...]:
    """Say what is missing at the end: bytes, or samples that are zero where the header's least value is above zero.

    An eighth of the last section must be zero: a program may count its least value before it fills up the last rows.
    """
    if needs is None or needs > size:
        return (Remark("truncated", f"{size} bytes of {needs}"),) if needs is not None else ()
    known = 0 < header["DMIN"] <= header["DMEAN"] <= header["DMAX"]  # not known: the greatest is below the least
    section = (needs - HEADER_BYTES - header["NSYMBT"]) // max(1, header["NZ"])
    if not known or section < 8:
        return ()
    file.seek(needs - section // 8)
    if any(file.read(section // 8)):
        return ()
    what = f"the last eighth of the last section is zero, its least value {header['DMIN']:g}"
    return (Remark("zero-tail", f"{what}: was the file written to its end?"),)


def _header(data: bytes, order: str) -> dict[str, Any]:
    """Return the fields of the 1024 bytes by the names of MRC2014; FEI's and IMOD's own numbers in its spare bytes."""
    header: dict[str, Any] = dict(zip(_FIELDS, struct.unpack_from(order + _HEADER, data), strict=True))
    header["EXTTYP"] = data[104:108].decode("latin-1").strip("\0 ")
    header["NVERSION"], header["NINT"], header["NREAL"] = struct.unpack_from(f"{order}i16x2h", data, 108)
    header["IMODSTAMP"], header["IMODFLAGS"] = struct.unpack_from(f"{order}2i", data, 152)
    header["ORIGIN"] = list(struct.unpack_from(f"{order}3f", data, 196))
    (count,) = struct.unpack_from(f"{order}i", data, 220)
    labels = [data[224 + 80 * index : 304 + 80 * index] for index in range(min(max(count, 0), 10))]
    if any(spare := data[96:196]):
        header["EXTRA"] = spare
    header["LABELS"] = [text for label in labels if (text := label.decode("latin-1").strip("\0 "))]
    return header


def _sections(header: Mapping[str, Any], extended: bytes, order: str) -> dict[str, Any]:
    """Return what the extended header says of the sections, under the name of the program that wrote it."""
    sections = max(1, min(header["NZ"], MOST_SECTIONS))
    if header["EXTTYP"] in ("FEI1", "FEI2"):
        return {"fei": rawtree.lossless(found)} if (found := mrc_fei.sections(extended, sections)) else {}
    if header["NSYMBT"] == mrc_fei.OLD_BYTES:
        return {"fei_old": rawtree.lossless(mrc_fei.old(extended, order))}
    if header["EXTTYP"] == "SERI" or (header["IMODSTAMP"] == _IMOD and not header["EXTTYP"]):
        found = _serialem(header, extended, order)
        return {"serialem": found} if found else {}
    return {}


def _serialem(header: Mapping[str, Any], extended: bytes, order: str) -> dict[str, Any]:
    """Return what SerialEM wrote for the first section, in its own units; {} where the announced lengths disagree."""
    flags, length = header["NREAL"], header["NINT"]
    chosen = [item for bit, item in enumerate(_SERIALEM) if flags >> bit & 1]
    if not chosen or sum(struct.calcsize(order + form) for _, form, _ in chosen) != length or len(extended) < length:
        return {}
    found: dict[str, Any] = {}
    at = 0
    for name, form, unit in chosen:
        values = [round(value * unit, 9) for value in struct.unpack_from(order + form, extended, at)]
        at += struct.calcsize(order + form)
        if values:
            found[name] = values if len(values) > 1 else values[0]
    return found


# --- signals ---


def _signals(
    path: str, header: Mapping[str, Any], tree: Mapping[str, Any], order: str, warnings: list[Remark]
) -> tuple[Signal, ...]:
    stored = _MODES.get(header["MODE"])
    if stored is None:
        warnings.append(Remark("unsupported-data-type", f"samples of mode {header['MODE']} are not read"))
        return ()
    if stored == "|u1" and (header["NVERSION"] >= 20140 or (header["IMODSTAMP"] == _IMOD and header["IMODFLAGS"] & 1)):
        stored = "|i1"
    stored = stored if stored[0] == "|" else order + stored
    sizes = [int(header[name]) for name in ("NZ", "NY", "NX")]
    step = _pixel_sizes(header, tree)
    axes = [Axis("z", sizes[0]), *(_axis(name, size, *step[name]) for name, size in zip("yx", sizes[1:], strict=True))]
    kept = tuple(axis for axis in axes if axis.size > 1) or (axes[-1],)
    shape = tuple(axis.size for axis in kept)
    kind: Kind = "stack" if len(shape) == 3 else "image" if len(shape) == 2 else "profile"
    if stored.endswith("c8"):
        kind = "complex"
    dtype = _NAMES[stored[1:]]
    layout = Layout(path, "raw", stored, (HEADER_BYTES + header["NSYMBT"],), stored=shape)
    return (Signal(None, kind, shape, dtype, kept, layout),)


def _axis(name: str, size: int, step: float, unit: str) -> Axis:
    return Axis(name, size, step, 0.0, unit) if step > 0 and math.isfinite(step) else Axis(name, size)


def _pixel_sizes(header: Mapping[str, Any], tree: Mapping[str, Any]) -> dict[str, tuple[float, str]]:
    """Return the steps along x and y; 0 where nobody set them.

    FEI says them in metres, but not whether a diffraction pattern's are reciprocal: then they are left out. A cell of
    exactly one Å for each pixel, with nothing beside it, is what programs write that do not know.
    """
    record = tree.get("fei", {})
    if record.get("Instrument mode") == 1 and record.get("Projection mode") == 1:
        return {"x": (0.0, ""), "y": (0.0, "")}
    found = {name: (record.get(f"Pixel size {name.upper()}") or 0.0, "m") for name in "xy"}
    if old := tree.get("fei_old"):
        size = old["pixel_size"] if isinstance(old["pixel_size"], float) else 0.0
        found = dict.fromkeys("xy", (size if 0 < size < _WIDEST_PIXEL_M else 0.0, "m"))
    if all(isinstance(size, float) and 0 < size < _WIDEST_PIXEL_M for size, _ in found.values()):
        return found
    cell = {name: _quotient(header[f"CELLA_{name.upper()}"], header[f"M{name.upper()}"]) for name in "xy"}
    if set(cell.values()) == {1.0} and "mdoc" not in tree:
        return {"x": (0.0, ""), "y": (0.0, "")}
    return {name: (step, "Å") for name, step in cell.items()}


def _quotient(length: float, count: int) -> float:
    return length / count if count > 0 and math.isfinite(length) else 0.0


# --- SerialEM's .mdoc ---


def _mdoc(path: str, warnings: list[Remark]) -> dict[str, Any]:
    """Return the global keys, the titles (``[T = …]``, of frames ``T = …``) and the sections of an .mdoc as written."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(MOST_MDOC).decode("utf-8", "replace")
    except OSError as error:
        warnings.append(Remark("sidecar-unreadable", f"{Path(path).name}: {error.strerror}"))
        return {}
    own: dict[str, Any] = {}
    titles: list[str] = []
    sections: list[dict[str, Any]] = []
    for key, value, is_head in _lines(text):
        if key == "T" and (is_head or not sections):
            titles.append(value)
        elif is_head:
            sections.append({key: value})
        else:
            (sections[-1] if sections else own)[key] = value
    return {**own, "Titles": titles, "Sections": sections}


def _lines(text: str) -> Iterator[tuple[str, str, bool]]:
    """Yield key, value and whether it heads a section."""
    for line in text.splitlines():
        bare = line.strip()
        is_head = bare.startswith("[") and bare.endswith("]")
        key, equals, value = (bare[1:-1] if is_head else bare).partition("=")
        if equals and key.strip():
            yield key.strip(), value.strip(), is_head
