"""The nouns of nffa as frozen dataclasses; standard library only, no behaviour beyond their JSON form.

Acquisition → RawMetadata (vendor's words) → Record (our terms). Shapes and axes are in C order, slow to fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "image", "stack", "diffraction", "diffraction-stack", "4d-stem", "spectrum", "spectrum-image", "profile", "complex"
]
"""What a signal shows, which decides its preview and its NeXus class.

image: (y, x) or (y, x, 3|4 colour); stack: (n…, y, x); diffraction: (ky, kx); diffraction-stack: (n, ky, kx);
4d-stem: (y, x, ky, kx); spectrum: (channel,); spectrum-image: ([y,] x, channel), also line spectra;
profile: (x,) of intensity along a line; complex: (…, y, x) complex values such as an FFT.
"""
SPECTRAL: tuple[Kind, ...] = ("spectrum", "profile", "spectrum-image")
"""Kinds that are drawn as lines along their last axis."""

Status = Literal["done", "unchanged", "waiting", "skipped", "quarantined", "failed"]
"""How one acquisition fared in one stage."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as the walk saw it: enough to notice a change without opening it."""

    path: str
    size: int
    mtime_ns: int
    inode: int = 0
    role: Literal["main", "sidecar"] = "main"


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One thing the instrument produced: a main file and its sidecars.

    ``shown`` is the path as the user typed it joined with the relative path, with forward slashes: what JSON and tables
    print. ``skip`` is set, with its reason, when the name alone says that this is none of ours.
    """

    shown: str
    files: tuple[FileStamp, ...]
    partner_missing: str | None = None
    skip: str | None = None

    @property
    def main(self) -> FileStamp:
        """The file that names the acquisition."""
        return self.files[0]

    @property
    def sidecars(self) -> tuple[FileStamp, ...]:
        """All files but the main one."""
        return self.files[1:]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a person should know; ``code`` is stable, ``detail`` is a sentence."""

    code: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"code": self.code, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Axis:
    """One calibrated dimension: position of index i = offset + i × scale, in ``unit``.

    ``unit`` None: uncalibrated (pixels, frames, channels). Readers give the vendor's own unit ("nm", "1/nm", "eV");
    ``crosswalk.apply`` makes it canonical.
    """

    name: str
    size: int
    scale: float = 1.0
    offset: float = 0.0
    unit: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"name": self.name, "size": self.size, "scale": self.scale, "offset": self.offset, "unit": self.unit}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the samples of a signal lie, so that a frame can be read without reading the file.

    method
        ``raw``: uncompressed samples at ``offsets``. ``tiff``: let the TIFF library decode page ``detail["page"]``
        (``detail["pages"]`` for a stack). ``picture``: let Pillow decode the file into mode ``detail["mode"]``.
        ``rosetta``: let RosettaSciIO load signal number ``detail["index"]``. ``hdf5``: dataset ``detail["dataset"]``, or
        ``detail["datasets"]``: real and imaginary part of complex samples, or one for each colour (the last axis).
    dtype
        Numpy type string with byte order, e.g. ``<u2``.
    offsets
        Byte offset of each contiguous chunk; a ``range`` when they are regular. The chunks follow each other in C
        order of ``stored`` (their common size is the product of the trailing dimensions).
    stored
        Shape as it lies in the file, C order. Empty: the signal's own shape.
    order
        Axes permutation from ``stored`` to the signal's shape (numpy ``transpose``). Empty: none.
    detail
        What the method needs; for any: ``mirrored``, the signal's axes that run backwards in the file.
    """

    path: str
    method: Literal["raw", "tiff", "picture", "rosetta", "hdf5"]
    dtype: str
    offsets: Sequence[int] = ()
    stored: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """One array of the acquisition; an acquisition may hold several (detectors, map and spectrum)."""

    name: str | None
    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[Axis, ...]
    layout: Layout | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form; the layout stays inside the worker."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "axes": [axis.as_json() for axis in self.axes],
        }


@dataclass(frozen=True, slots=True)
class RawMetadata:
    """What a reader found: the vendor's tree whole, the signals, and what is wrong with the bytes.

    tree
        JSON-able and lossless (``rawtree.py`` says how bytes and non-finite numbers are written).
    anchors
        Named places in the tree that a crosswalk may start from, e.g. ``{"image": "ImageList.1"}``.
    needs
        How many bytes the main file must hold for the format to be complete; None: the reader cannot tell.
    faults
        Defects that make the acquisition damaged although something could be read (truncated strips, a broken tag).
    reader
        Who read it, e.g. ``nffa tiff`` or ``rosettasciio 0.15.0``.
    """

    format: str
    tree: Mapping[str, Any]
    signals: tuple[Signal, ...] = ()
    anchors: Mapping[str, str] = field(default_factory=dict)
    needs: int | None = None
    faults: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()
    reader: str = "nffa"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value of a term: number or text in the canonical unit, where it came from and how it was written there.

    ``unit``: canonical unit; ``"1"`` for dimensionless numbers; None for text. ``extra``: e.g. ``time_source``.
    """

    value: Any
    unit: str | None
    source: str
    raw: Any
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"value": self.value, "unit": self.unit, "source": self.source, "raw": self.raw, **self.extra}


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one acquisition, in the terms of the vocabulary."""

    format: str
    terms: Mapping[str, Quantity]
    signals: tuple[Signal, ...]
    missing: tuple[str, ...] = ()
    unmapped: int = 0
    warnings: tuple[Remark, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the parts of the JSON form that a record knows itself; the worker adds files and status."""
        return {
            "format": self.format,
            "signals": [signal.as_json() for signal in self.signals],
            "terms": {name: quantity.as_json() for name, quantity in self.terms.items()},
            "missing": list(self.missing),
            "unmapped": self.unmapped,
            "warnings": [warning.as_json() for warning in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one acquisition in one stage: the line that ``--json`` prints."""

    path: str
    stage: str
    status: Status
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        head = {"type": "outcome", "path": self.path, "stage": self.stage, "status": self.status, "reason": self.reason}
        return {**head, **self.detail}
