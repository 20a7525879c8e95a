"""What the tag tree of a DigitalMicrograph file says about its signals: sizes, sample types, axes, kinds, places.

Works on the tree that ``digitalmicrograph`` read; opens no file. Shapes and axes are those of RosettaSciIO after
HyperSpy's post-processing (dimensions of one element dropped, energy last), with three departures: colour is a last
axis of four, the reciprocal axes of 4D-STEM are last, and an axis without a usable scale counts pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli.records import Axis, Kind, Layout, Remark, Signal

PLAIN = {
    1: "int16", 2: "float32", 3: "complex64", 6: "uint8", 7: "int32", 9: "int8", 10: "uint16", 11: "uint32",
    12: "float64", 13: "complex128", 14: "bool", 39: "int64", 40: "uint64",
}  # fmt: skip
"""DigitalMicrograph's image data types that lie in the file as numpy has them."""
CODES = {
    "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2", "uint32": "u4",
    "uint64": "u8", "float32": "f4", "float64": "f8", "complex64": "c8", "complex128": "c16", "bool": "b1",
}  # fmt: skip
COLOUR = (8, 23)
"""Blue, green, red, unused: one byte each."""
PACKED = {5: "complex64", 27: "complex64", 28: "complex128"}
"""Half of a Fourier transform whose other half is its mirror image; RosettaSciIO unfolds it."""

ENERGY = {"ev", "kev", "mev"}
RECIPROCAL = {
    "1/nm",
    "1/å",
    "1/a",
    "1/pm",
    "1/µm",
    "1/μm",
    "1/um",
    "1/m",
    "nm^-1",
    "å^-1",
    "mrad",
    "µrad",
    "μrad",
    "rad",
}
NO_UNIT = {"", "pixel", "pixels", "px", "pix", "channel", "channels", "ch", "frame", "frames", "a.u.", "none"}
LONGEST_MM = 1e5
"""No microscope has a longer camera length."""
SPECTRAL_NAME = {"EELS": "Energy loss", "X-ray": "Energy", "EDS": "Energy", "CL": "Wavelength"}


@dataclass(frozen=True, slots=True)
class Found:
    """Signals, where they stand in the tree, and what is wrong with them."""

    signals: tuple[Signal, ...]
    anchors: Mapping[str, str]
    faults: tuple[Remark, ...]
    warnings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class _Image:
    """One entry of the image list; ``number``: its place in RosettaSciIO's list of signals."""

    key: str
    number: int
    data: Mapping[str, Any]
    tags: Mapping[str, Any]
    name: str | None


class _Unfit(Exception):
    """The entry makes no signal."""

    def __init__(self, what: str, *, code: str, is_fault: bool = False) -> None:
        super().__init__(what)
        self.code = code
        self.is_fault = is_fault


def build(path: str, tree: Mapping[str, Any], order: str, *, is_cut: bool = False) -> Found:
    """Return the signals of the tree.

    Parameters
    ----------
    path
        The file, for the layouts.
    order
        Byte order of the samples, ``<`` or ``>``.
    is_cut
        The file ended early. The list of thumbnails stands near the end; without it the first image, which
        DigitalMicrograph makes for it, is not counted.

    Returns
    -------
    Found
        One signal per entry of ImageList that is no thumbnail; anchors ``image``, ``image2``, … name the entries,
        ``tags`` the tags of the first one as they were when it was acquired; ``lengths`` or ``swapped`` its Microscope
        Info, if what stands there as the magnification is no magnification (see ``_confused``).
    """
    signals: list[Signal] = []
    anchors: dict[str, str] = {}
    faults: list[Remark] = []
    warnings: list[Remark] = []
    confused: str | None = None
    for image in _images(tree, is_cut=is_cut):
        where = f"ImageList.{image.key}"
        if not anchors:
            kept = _creation(image.tags)
            anchors["tags"] = ".".join((where, "ImageTags", *kept))
            confused = _confused(_group(image.tags, *kept, "Microscope Info"))
        anchors["image" if len(anchors) == 1 else f"image{len(anchors)}"] = where
        try:
            signal = _signal(path, image, order)
        except _Unfit as unfit:
            (faults if unfit.is_fault else warnings).append(Remark(unfit.code, f"{where}: {unfit}"))
            continue
        signals.append(signal)
    if confused:
        anchors[confused] = f"{anchors['tags']}.Microscope Info"
    return Found(tuple(signals), anchors, tuple(faults), tuple(warnings))


def _images(tree: Mapping[str, Any], *, is_cut: bool) -> list[_Image]:
    """Return the entries of ImageList that are no thumbnails; all of them if nothing would be left."""
    entries = [(key, entry) for key, entry in _group(tree, "ImageList").items() if isinstance(entry, Mapping)]
    places = set(range(len(entries)))
    listed = _numbers(tree, "Thumbnails", "ImageIndex") & places
    hidden = listed
    if "Thumbnails" not in tree:  # written before that list was: the thumbnail is what no document shows
        shown = _numbers(tree, "ImageSourceList", "ImageRef")
        hidden = {0} if is_cut or (len(entries) > 1 and shown and 0 not in shown) else set()
    if hidden == places and not is_cut:
        hidden = set()
    numbers: dict[int, int] = {}
    for place in range(len(entries)):
        if place not in listed:
            numbers[place] = len(numbers)
    return [
        _Image(key, numbers.get(place, 0), _group(entry, "ImageData"), _group(entry, "ImageTags"), _text(entry, "Name"))
        for place, (key, entry) in enumerate(entries)
        if place not in hidden
    ]


def _creation(tags: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where a stack builder put the tags of the images it stacked; nothing: the tags are the image's own.

    Of images stacked by hand each plane has its own; the first one's are taken.
    """
    places = (("source", "Tags at creation"), ("plane info", "0", "source tags"))
    return () if "Microscope Info" in tags else next((place for place in places if _group(tags, *place)), ())


def _confused(info: Mapping[str, Any]) -> str | None:
    """Return how magnification and STEM camera length (in mm) are confused there; None: they are not.

    ``lengths``: both hold the camera length; so it is when a camera sees a STEM's pattern. ``swapped``: a camera length
    beyond 100 m; in UUDIFF, a mode of JEOL's STEMs, DigitalMicrograph took the one for the other.
    """
    shown, length = info.get("Indicated Magnification"), info.get("STEM Camera Length")
    if not isinstance(shown, float) or not isinstance(length, float) or not 0 < shown < math.inf:
        return None
    return "lengths" if math.isclose(shown, length) else "swapped" if length > LONGEST_MM else None


def _signal(path: str, image: _Image, order: str) -> Signal:
    stored = _shape(image.data)
    place = image.data.get("Data")
    block = place.get("@data") if isinstance(place, Mapping) else None
    if block is None:
        raise _Unfit("no samples", code="no-samples")
    code = _number(image.data, "DataType")
    count = math.prod(stored)
    if code in PLAIN:
        dtype, stored_type = PLAIN[code], _stored_type(PLAIN[code], order)
        size = count * int(stored_type[2:])
    elif code in COLOUR:
        dtype, size = "uint8", 4 * count
    elif code in PACKED:
        if len(stored) != 2:
            raise _Unfit(f"a packed transform of {len(stored)} dimensions", code="unsupported-data-type")
        dtype = PACKED[code]
        size = 4 * count if code == 5 else stored[0] * (stored[1] // 2 + 1) * (16 if code == 28 else 8)
    else:
        raise _Unfit(f"image data type {code}", code="unsupported-data-type")
    if block["bytes"] < size:
        raise _Unfit(f"{block['bytes']} bytes of samples where {size} are needed", code="corrupt", is_fault=True)
    axes, turn, kind = _arrange(image, stored, is_complex=dtype.startswith("complex"))
    shape = tuple(axis.size for axis in axes)
    if code in PLAIN:
        lies = tuple(size for size in stored if size > 1) or (1,)
        plain = turn == tuple(range(len(turn)))
        layout = Layout(path, "raw", stored_type, (block["offset"],), () if plain else lies, () if plain else turn)
    else:
        layout = Layout(path, "rosetta", _stored_type(dtype, "<"), detail={"plugin": "gatan-dm", "index": image.number})
    if code in COLOUR:
        shape, axes = (*shape, 4), (*axes, Axis("colour", 4))
    return Signal(image.name, kind, shape, dtype, axes, layout)


def _shape(data: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the sizes in C order; DigitalMicrograph lists the fastest first."""
    sizes = list(_group(data, "Dimensions").values())
    if not sizes or len(sizes) > 8 or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise _Unfit("no dimensions", code="no-samples")
    return tuple(reversed(sizes))


def _arrange(
    image: _Image, stored: tuple[int, ...], *, is_complex: bool
) -> tuple[tuple[Axis, ...], tuple[int, ...], Kind]:
    """Return axes in the signal's order, the permutation that leads there, and the kind."""
    scales = list(_group(image.data, "Calibrations", "Dimension").values())
    scales += [{}] * (len(stored) - len(scales))
    axes = [_axis(size, scale) for size, scale in zip(stored, reversed(scales[: len(stored)]), strict=True)]
    meta = _group(image.tags, "Meta Data")
    form, signal = (_text(meta, "Format") or "").casefold(), _signal_type(image.tags, meta)
    is_spectral = form in ("spectrum", "spectrum image") or "spim" in image.tags
    channel = _channel(axes, is_spectral=is_spectral, is_map=form == "spectrum image" or "spim" in image.tags)
    if channel is not None and axes[channel].size == 1:
        channel = None
    kept = [place for place, axis in enumerate(axes) if axis.size > 1] or [len(axes) - 1]
    turn = [place for place in kept if place != channel] + ([channel] if channel in kept else [])
    reciprocal = [_is_reciprocal(axes[place]) for place in kept]
    is_diffraction = "diffraction" in form or _is_diffraction_mode(image.tags, [axes[place] for place in kept])
    kind = _kind(len(kept), reciprocal, is_complex=is_complex, has_channel=channel in kept, diffraction=is_diffraction)
    if kind == "4d-stem" and reciprocal == [True, True, False, False]:
        turn = [kept[2], kept[3], kept[0], kept[1]]
    names = _names(turn, channel, kind, signal)
    found = tuple(
        Axis(name, axes[place].size, axes[place].scale, axes[place].offset, axes[place].unit)
        for name, place in zip(names, turn, strict=True)
    )
    return found, tuple(kept.index(place) for place in turn), kind


def _axis(size: int, calibration: Any) -> Axis:
    """Return an axis without name: the position of index i is (i - Origin) x Scale."""
    entry = calibration if isinstance(calibration, Mapping) else {}
    scale, origin = entry.get("Scale"), entry.get("Origin")
    unit = _text(entry, "Units")
    if unit is not None and unit.casefold() in NO_UNIT:
        unit = None
    if not isinstance(scale, (int, float)) or scale == 0:
        return Axis("", size)
    offset = 0.0 - origin * scale if isinstance(origin, (int, float)) else 0.0
    return Axis("", size, float(scale), offset if math.isfinite(offset) else 0.0, unit)


def _channel(axes: Sequence[Axis], *, is_spectral: bool, is_map: bool) -> int | None:
    """Return which stored axis is that of the spectra: the one in eV, else where DigitalMicrograph puts it."""
    energies = [place for place, axis in enumerate(axes) if (axis.unit or "").casefold() in ENERGY]
    if not is_spectral:
        lengths = [axis.size for axis in axes if axis.size > 1]
        return energies[0] if len(energies) == 1 and len(lengths) == 1 and axes[energies[0]].size > 1 else None
    if len(energies) == 1:
        return energies[0]
    if len(axes) <= 2:
        return len(axes) - 1
    return 0 if is_map else None


def _kind(
    dimensions: int, reciprocal: Sequence[bool], *, is_complex: bool, has_channel: bool, diffraction: bool
) -> Kind:
    if is_complex:
        return "complex"
    if has_channel:
        return "spectrum" if dimensions == 1 else "spectrum-image"
    if dimensions == 1:
        return "profile"
    if dimensions == 4 and (diffraction or reciprocal in ([True, True, False, False], [False, False, True, True])):
        return "4d-stem"
    if all(reciprocal[-2:]) or diffraction:
        return "diffraction" if dimensions == 2 else "diffraction-stack"
    return "image" if dimensions == 2 else "stack"


def _is_reciprocal(axis: Axis) -> bool:
    return (axis.unit or "").replace(" ", "").casefold() in RECIPROCAL


def _is_diffraction_mode(tags: Mapping[str, Any], axes: Sequence[Axis]) -> bool:
    """Tell whether an uncalibrated picture was taken in diffraction mode of a TEM with parallel illumination."""
    info = _group(tags, "Microscope Info")
    mode = _text(info, "Imaging Mode") or _text(info, "Operation Mode") or ""
    is_parallel = (_text(info, "Illumination Mode") or "").upper() == "TEM"
    return is_parallel and mode.upper() == "DIFFRACTION" and all(axis.unit is None for axis in axes[-2:])


def _signal_type(tags: Mapping[str, Any], meta: Mapping[str, Any]) -> str | None:
    if signal := _text(meta, "Signal"):
        return signal
    if _group(tags, "Acquisition", "Monarc Spectrometer"):
        return "CL"
    return "EELS" if "eels" in _group(tags, "spim") else None


def _names(turn: Sequence[int], channel: int | None, kind: Kind, signal: str | None) -> list[str]:
    """Return the names of axes: the channels by what they count, the others x, y, z from the fastest on."""
    if kind == "4d-stem":
        return ["y", "x", "ky", "kx"]
    if kind in ("diffraction", "diffraction-stack"):
        return [*_plain_names(len(turn))[:-2], "ky", "kx"]
    if channel in turn:
        return [*_plain_names(len(turn) - 1), SPECTRAL_NAME.get(signal or "", "Energy")]
    return _plain_names(len(turn))


def _plain_names(count: int) -> list[str]:
    return [("x", "y", "z", "t")[place] if place < 4 else f"axis{place}" for place in reversed(range(count))]


def _stored_type(dtype: str, order: str) -> str:
    code = CODES[dtype]
    return ("|" if code[1:] == "1" else order) + code


def _group(tree: Any, *names: str) -> Mapping[str, Any]:
    """Return the group at a path of names; an empty one where there is none."""
    for name in names:
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree if isinstance(tree, Mapping) else {}


def _number(group: Any, name: str) -> int | None:
    value = _group(group).get(name)
    return value if isinstance(value, int) else None


def _numbers(tree: Mapping[str, Any], table: str, name: str) -> set[int]:
    """Return the numbers that the entries of a table hold under a name."""
    return {number for entry in _group(tree, table).values() if (number := _number(entry, name)) is not None}


def _text(group: Mapping[str, Any], name: str) -> str | None:
    """Return the text of a tag without blanks and end zeros around it; None where there is none."""
    value = group.get(name)
    return value.strip(" \0\t\r\n") or None if isinstance(value, str) else None
