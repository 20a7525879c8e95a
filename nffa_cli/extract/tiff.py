"""The TIFF reader: which dialect a file speaks, its tree, its signals, and what is missing at its end.

``tiff_header.py`` reads the directories; each dialect's own tags are read by the function that ``DIALECTS`` names. What
a tag means in our terms is said in ``crosswalks/inward/<dialect>.yaml``, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from math import prod
from typing import Any

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract.tiff_header import Page, Source, Tag, Tiff, open_tiff, read_fields, text
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

__all__ = ["DIALECTS", "Page", "Tag", "Tiff", "Vendor", "open_tiff", "read", "recognise", "text"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a dialect adds to the plain reading.

    tree
        Added at the top of the tree. A key that is a tag's number ("34118") replaces that tag's raw value, unless a
        warning says that the text was broken.
    axes
        Axis name ("x", "y", "frame") → (scale, offset, unit) where the format itself calibrates.
    signals
        Changes the signals (drop, name, calibrate one by one); None: leave them.
    needs
        First byte after what only this dialect knows to be part of the file.
    """

    tree: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)
    signals: Callable[[tuple[Signal, ...]], tuple[Signal, ...]] | None = None
    anchors: Mapping[str, str] = field(default_factory=dict)
    needs: int = 0
    faults: tuple[Remark, ...] = ()
    warnings: tuple[Remark, ...] = ()


Recognise = Callable[[Tiff, Sequence[str]], bool]
"""Says whether a file (with its sidecars' paths) speaks a dialect; looks at page tags, reads no long values."""


DESCRIPTION_BYTES = 1 << 16
"""How much of an ImageDescription is looked at to recognise a dialect."""


def _has(*codes: int) -> Recognise:
    return lambda tiff, files: any(code in page.tags for page in tiff.pages[:4] for code in codes)


def _description(tiff: Tiff) -> str:
    """Return the beginning of the first page's ImageDescription, "" if there is none."""
    tag = tiff.pages[0].tags.get(270)
    return text(tag.head(DESCRIPTION_BYTES)) if tag else ""


def _openfibsem(tiff: Tiff, files: Sequence[str]) -> bool:
    said = _description(tiff)
    return said.lstrip().startswith("{") and all(
        word in said for word in ('"pixel_size"', '"beam_type"', '"dwell_time"')
    )


def _described(*starts: str) -> Recognise:
    return lambda tiff, files: _description(tiff).lstrip("\ufeff \t\r\n").startswith(starts)


def _holds(words: str) -> Recognise:
    return lambda tiff, files: words in _description(tiff)[:1024]


def _beside(name: str) -> Recognise:
    """Say yes when a text file beside the picture is a sidecar of this format."""
    return lambda tiff, files: any(
        import_module("nffa_cli.extract.sidecar").format_of(path) == name for path in files[1:]
    )


def _hitachi(tiff: Tiff, files: Sequence[str]) -> bool:
    page = tiff.pages[0]
    found = (page.tags[code] for code in (40092, 40093) if code in page.tags)
    return any("InstructName".encode("utf-16-le") in tag.raw for tag in found if tag.complete and tag.size < 1 << 20)


def _jeol(tiff: Tiff, files: Sequence[str]) -> bool:
    tag = tiff.pages[0].tags.get(37500)
    return tag is not None and any(sign in tag.head(DESCRIPTION_BYTES) for sign in (b"$CM_", b"$\0C\0M\0_\0"))


def _xml(codes: Sequence[int], *elements: bytes) -> Recognise:
    """Say yes when one of these tags of the first page holds an XML text with all of ``elements`` near its beginning."""

    def found(tiff: Tiff, files: Sequence[str]) -> bool:
        tags = tiff.pages[0].tags
        heads = (tags[code].head(1024) for code in codes if code in tags)
        return any(all(element in head for element in elements) for head in heads)

    return found


DIALECTS: list[tuple[str, Recognise, str]] = [
    ("fibics-atlas-tiff", _has(51023), "nffa_cli.extract.tiff_vendors:fibics"),
    ("zeiss-orion-tiff", _xml([65000], b"<ImageTags"), "nffa_cli.extract.tiff_xml:orion"),
    ("phenom-sem-tiff", _xml([34683, 34682, 34680], b"<FeiImage"), "nffa_cli.extract.tiff_xml:phenom"),
    ("fei-tem-tiff", _xml([34683, 34682, 34680], b"<Root", b"<Label>"), "nffa_cli.extract.tiff_xml:tem"),
    ("fei-sem-tiff", _has(34680, 34682, 34683), "nffa_cli.extract.tiff_vendors:fei"),
    ("zeiss-sem-tiff", _has(34118, 34119), "nffa_cli.extract.tiff_vendors:zeiss"),
    ("openfibsem-tiff", _openfibsem, "nffa_cli.extract.tiff_vendors:openfibsem"),
    ("tescan-sem-tiff", _has(50431), "nffa_cli.extract.tiff_sem:tescan"),
    ("jeol-sightx-tiff", _holds("<TemReporter"), "nffa_cli.extract.tiff_tem:sightx"),
    ("tvips-tiff", _has(37706, 37707, 37708), "nffa_cli.extract.tiff_tem:tvips"),
    ("olympus-sis-tiff", _has(33471, 33560), "nffa_cli.extract.tiff_tem:olympus_sis"),
    ("tescan-sem-tiff", _beside("tescan-sem-tiff"), "nffa_cli.extract.tiff_sem:beside"),
    ("jeol-sem-tiff", _beside("jeol-sem-tiff"), "nffa_cli.extract.tiff_sem:beside"),
    ("hitachi-sem-tiff", _beside("hitachi-sem-tiff"), "nffa_cli.extract.tiff_sem:beside"),
    ("jeol-sem-tiff", _jeol, "nffa_cli.extract.tiff_sem:jeol"),
    ("hitachi-sem-tiff", _hitachi, "nffa_cli.extract.tiff_sem:hitachi"),
    ("amt-tiff", _holds("XpixCal="), "nffa_cli.extract.tiff_tem:amt"),
    ("gatan-dm-tiff", _has(*range(65003, 65012)), "nffa_cli.extract.tiff_software:gatan"),
    ("imagej-tiff", _described("ImageJ="), "nffa_cli.extract.tiff_software:imagej"),
]
"""(format, does this file speak it?, module:function that reads its tags); the first that says yes wins."""

ZEROS_AT_END = dict.fromkeys(("jeol-sightx-tiff", "tvips-tiff", "olympus-sis-tiff", "fei-tem-tiff", "amt-tiff"), 3 / 4)
"""Share of the pixels that may be exactly zero at the end of a camera's picture, where a grid bar can leave no electron;
of a scanned one (``*-sem-tiff``) it is an eighth. Pictures that programs made may hold what they like, and so may those
with something behind the pixels."""

NAMES = {
    254: "NewSubfileType", 255: "SubfileType", 256: "ImageWidth", 257: "ImageLength", 258: "BitsPerSample",
    259: "Compression", 262: "PhotometricInterpretation", 266: "FillOrder", 269: "DocumentName",
    270: "ImageDescription",
    271: "Make", 272: "Model", 274: "Orientation", 277: "SamplesPerPixel", 278: "RowsPerStrip", 280: "MinSampleValue",
    281: "MaxSampleValue", 282: "XResolution", 283: "YResolution", 284: "PlanarConfiguration", 285: "PageName",
    286: "XPosition", 287: "YPosition", 296: "ResolutionUnit", 297: "PageNumber", 301: "TransferFunction",
    305: "Software", 306: "DateTime", 315: "Artist", 316: "HostComputer", 317: "Predictor", 320: "ColorMap",
    322: "TileWidth", 323: "TileLength", 330: "SubIFDs", 338: "ExtraSamples", 339: "SampleFormat",
    340: "SMinSampleValue", 341: "SMaxSampleValue", 347: "JPEGTables", 700: "XMP", 33432: "Copyright",
    33434: "ExposureTime",
    33723: "IPTC", 34377: "Photoshop", 34665: "Exif", 34675: "ICCProfile", 34853: "GPS", 36864: "ExifVersion",
    36867: "DateTimeOriginal", 36868: "DateTimeDigitized", 40091: "XPTitle", 40092: "XPComment", 40093: "XPAuthor",
    40094: "XPKeywords", 40095: "XPSubject", 42016: "ImageUniqueID",
}  # fmt: skip
"""Names of the tags that any TIFF may have; the rest are written by number."""

WHERE_PIXELS_LIE = {273, 279, 324, 325, 330}
"""Tags that locate the pixels: layout, not metadata, so they are not part of the tree."""

DIRECTORIES = {34665, 34853}
"""Tags that point to a directory of further tags."""

LONG_ARRAY = 64
"""Numbers in a row beyond which a tag's value is written as one packed array."""

MAX_TREE_BYTES = 32 << 20
"""All values of one directory that are copied into the tree; what is more stays in the file, and the tree says where.

Together, because a thousand tags may point to the same bytes.
"""

MAX_PAGES_BYTES = 16 << 20
"""All values that pages after the first add to the tree."""

SAMPLES = {
    1: ((1, "bool", "?"), (8, "uint8", "u1"), (16, "uint16", "u2"), (32, "uint32", "u4"), (64, "uint64", "u8")),
    2: ((8, "int8", "i1"), (16, "int16", "i2"), (32, "int32", "i4"), (64, "int64", "i8")),
    3: ((16, "float16", "f2"), (32, "float32", "f4"), (64, "float64", "f8")),
    6: ((64, "complex64", "c8"), (128, "complex128", "c16")),
}
"""TIFF sample format → (up to this many bits, numpy name, numpy code). Undefined format (4) counts as unsigned."""

COLOUR = {2, 5, 6, 8}
"""Photometric interpretations whose three or four samples are one colour: RGB, CMYK, YCbCr, L*a*b*."""


def read(files: Sequence[str]) -> RawMetadata:
    """Read the headers of a TIFF file (``files[0]``; the rest are sidecars).

    Returns
    -------
    RawMetadata
        ``tree["tiff"]``: the first page's tags; ``tree["pages"]``: what later pages say differently, by page number;
        the dialect's sections by tag number. Missing bytes at the end show as ``needs`` and fault ``truncated``.

    Raises
    ------
    UnreadableFile
        No TIFF, no directory in the file yet, or strips that cannot make the image.
    """
    with open_tiff(files[0]) as tiff:
        name, reader = _dialect(tiff, files)
        vendor = _vendor(reader, tiff, files)
        tiff.needs = max(tiff.needs, vendor.needs)
        signals = tuple(_calibrated(signal, vendor.axes) for signal in _signals(tiff))
        if vendor.signals is not None:
            signals = vendor.signals(signals)
        faults, warnings = _end(tiff, signals, ZEROS_AT_END.get(name, 1 / 8 if name.endswith("-sem-tiff") else 1))
        whole = not any(remark.code in ("broken-xml", "broken-json") for remark in vendor.warnings)
        tree, left_out = _tree(tiff, {int(key) for key in vendor.tree if key.isdecimal()} if whole else set())
        return RawMetadata(
            name,
            {**tree, **vendor.tree},
            signals,
            anchors=vendor.anchors,
            needs=tiff.needs,
            faults=(*faults, *vendor.faults),
            warnings=(*warnings, *left_out, *vendor.warnings),
            reader="nffa tiff",
        )


def recognise(tiff: Tiff, files: Sequence[str]) -> str:
    """Return the dialect's name, ``plain-image`` for a TIFF without an instrument's tags."""
    return _dialect(tiff, files)[0]


def _dialect(tiff: Tiff, files: Sequence[str]) -> tuple[str, str | None]:
    for name, test, reader in DIALECTS:
        if test(tiff, files):
            return name, reader
    return "plain-image", None


def _vendor(reader: str | None, tiff: Tiff, files: Sequence[str]) -> Vendor:
    if reader is None:
        return Vendor()
    module, _, function = reader.partition(":")
    found: Vendor = getattr(import_module(module), function)(tiff, files)
    return found


# --- signals ---


def _signals(tiff: Tiff) -> list[Signal]:
    """Group the pages of equal size and type into signals, in file order; smaller copies are left out."""
    pages = [page for page in tiff.pages if not page.reduced] or tiff.pages
    groups: dict[tuple[object, ...], list[Page]] = {}
    for page in pages:
        key = (page.width, page.height, page.bits, page.samples, page.sample_format, page.planar, page.photometric)
        groups.setdefault(key, []).append(page)
    return [_signal(tiff, group) for group in groups.values()]


def _signal(tiff: Tiff, pages: list[Page]) -> Signal:
    first = pages[0]
    dtype, code = _sample_type(first)
    shape: tuple[int, ...] = (first.height, first.width)
    axes = [Axis("y", first.height), Axis("x", first.width)]
    stored: tuple[int, ...] = shape
    order: tuple[int, ...] = (0, 1)
    colour = first.samples in (3, 4) and first.photometric in COLOUR
    if first.samples > 1:
        stored = (*shape, first.samples) if first.planar == 1 else (first.samples, *shape)
        if colour:
            order = (0, 1, 2) if first.planar == 1 else (1, 2, 0)
            axes.append(Axis("colour", first.samples))
        else:
            order = (2, 0, 1) if first.planar == 1 else (0, 1, 2)
            axes.insert(0, Axis("sample", first.samples))
    if len(pages) > 1:
        stored = (len(pages), *stored)
        order = (0, *(place + 1 for place in order))
        axes.insert(0, Axis("frame", len(pages)))
    kind: Kind = "complex" if dtype.startswith("complex") else "image"
    if kind == "image" and len(axes) > 2 + colour:
        kind = "stack"
    byte_order = "|" if code[1:] in ("", "1") else tiff.order
    layout = _layout(tiff, pages, byte_order + code, stored, order)
    return Signal(None, kind, tuple(axis.size for axis in axes), dtype, tuple(axes), layout)


def _sample_type(page: Page) -> tuple[str, str]:
    for bits, name, code in SAMPLES.get(1 if page.sample_format == 4 else page.sample_format, ()):
        if page.bits <= bits:
            return name, code
    what = f"samples of {page.bits} bits in format {page.sample_format} are no known number"
    raise UnreadableFile(what, where=page.source.path)


def _layout(
    tiff: Tiff, pages: list[Page], dtype: str, stored: tuple[int, ...], order: tuple[int, ...]
) -> Layout | None:
    """Return where the samples lie: in place if they are stored plainly, else the pages to decode."""
    chunks = [_chunks(page) for page in pages]
    if all(chunks) and len({len(chunk) for chunk in chunks if chunk}) == 1:
        offsets = _as_range([offset for chunk in chunks if chunk for offset in chunk])
        identity = order == tuple(range(len(order)))
        return Layout(tiff.path, "raw", dtype, offsets, () if identity else stored, () if identity else order)
    if any(not page.segment_offsets for page in pages):
        return None
    indices = [page.index for page in pages]
    detail = {"page": indices[0]} if len(indices) == 1 else {"pages": _as_range(indices)}
    return Layout(tiff.path, "tiff", dtype, detail=detail)


def _as_range(numbers: list[int]) -> Sequence[int]:
    if len(numbers) > 1 and numbers[1] > numbers[0]:
        steps = range(numbers[0], numbers[-1] + 1, numbers[1] - numbers[0])
        if len(steps) == len(numbers) and all(map(int.__eq__, numbers, steps)):
            return steps
    return tuple(numbers)


def _chunks(page: Page) -> Sequence[int] | None:
    """Return the offsets of equally long stretches that make the page's samples, None if it has to be decoded.

    Raises UnreadableFile (corrupt) if uncompressed strips are too few or too short for the image.
    """
    if page.compression != 1 or page.tiled or not page.segment_offsets or not page.segment_counts:
        return None
    row = (page.width * page.bits * (page.samples if page.planar == 1 else 1) + 7) // 8
    expected = row * page.height * (page.samples if page.planar == 2 else 1)
    offsets, counts = page.segment_offsets, page.segment_counts
    if sum(counts) < expected or len(counts) != len(offsets):
        what = f"the strips of page {page.index} hold {sum(counts)} bytes, the image needs {expected}"
        raise UnreadableFile(what, where=page.source.path, hint="copy the file again in binary mode")
    if page.predictor != 1 or page.fill_order != 1 or page.bits not in (8, 16, 32, 64, 128):
        return None
    rows = min(page.rows_per_strip or page.height, page.height)
    strip, even = row * rows, page.height % rows == 0
    if len(offsets) != -(-page.height // rows) * (page.samples if page.planar == 2 else 1):
        return None
    if any(count < strip for count in (counts if even else counts[:-1])) or (page.planar == 2 and not even):
        return None
    if all(offsets[i] + strip == offsets[i + 1] for i in range(len(offsets) - 1)):
        return offsets[:1]  # a writer may pad strips, so their counts do not tell
    return offsets if even else None


def _calibrated(signal: Signal, axes: Mapping[str, tuple[float, float, str]]) -> Signal:
    """Return the signal with the axes that the format calibrates."""
    if not axes:
        return signal
    done = tuple(Axis(axis.name, axis.size, *axes[axis.name]) if axis.name in axes else axis for axis in signal.axes)
    return replace(signal, axes=done)


# --- the end of the file ---


def _end(tiff: Tiff, signals: Sequence[Signal], share: float) -> tuple[list[Remark], list[Remark]]:
    """Return faults and warnings about bytes that are missing or were never written."""
    faults: list[Remark] = []
    warnings: list[Remark] = []
    if tiff.needs > tiff.size:
        faults.append(Remark("truncated", f"{tiff.needs - tiff.size} of {tiff.needs} bytes are missing"))
    elif tiff.broken:
        faults.append(Remark("corrupt", tiff.broken))
    elif share < 1 and len(signals) == 1 and signals[0].kind in ("image", "diffraction"):
        found = _zero_tail(tiff.source, signals[0], share)
        if found is not None:
            (faults if found.code == "zero-tail" else warnings).append(found)
    return faults, warnings


def _zero_tail(source: Source, signal: Signal, share: float) -> Remark | None:
    """Say whether more than this share of the pixels, the last, is exactly zero, as in a file that was half written.

    What was written behind the pixels shows that they were written too, and that zeros are what they are: a trench that
    an ion beam cut, a picture without its data bar.
    """
    layout = signal.layout
    if layout is None or layout.method != "raw" or len(layout.offsets) != 1:
        return None
    begin, length = layout.offsets[0], prod(signal.shape) * int(layout.dtype[2:])
    zeros = _zeros_before(source, begin, begin + length)
    if zeros == length:
        return Remark("blank-image", "every pixel is zero")
    if zeros > length * share and _zeros_before(source, begin + length, source.size) == source.size - begin - length:
        return Remark(
            "zero-tail", f"the last {zeros} of {length} pixel bytes are zero: was the file written to its end?"
        )
    return None


def _zeros_before(source: Source, begin: int, end: int) -> int:
    """Return how many bytes before ``end``, down to ``begin``, are zero; reads 4 KiB, and only if they are zero more."""
    at, block = end, 4096
    while at > begin:
        size = min(block, at - begin)
        kept = len(source.read(at - size, size).rstrip(b"\0"))
        at -= size - kept
        if kept:
            break
        block = 1 << 16
    return end - at


# --- the tree ---


def _tree(tiff: Tiff, claimed: set[int]) -> tuple[dict[str, Any], list[Remark]]:
    """Return the tags of all pages as a tree; tags in ``claimed`` are the dialect's and left out of the first page."""
    skipped = WHERE_PIXELS_LIE | claimed
    first = tiff.pages[0]
    tree: dict[str, Any] = {"tiff": _values(_written(first, skipped), tiff.big)}
    later: dict[str, Any] = {}
    budget = MAX_PAGES_BYTES
    for page in tiff.pages[1:]:
        differing = [tag for tag in _fields_once(page) if tag.code not in WHERE_PIXELS_LIE and _differs(tag, first)]
        budget -= sum(64 + tag.size for tag in differing)
        if budget < 0:
            what = f"the tags of pages from {page.index} on are not kept: they are more than {MAX_PAGES_BYTES} bytes"
            return {**tree, "pages": later}, [Remark("tags-left-out", what)]
        if differing:
            later[str(page.index)] = _values(differing, tiff.big)
    return ({**tree, "pages": later} if later else tree), []


def _values(tags: Iterable[Tag], big: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    left = MAX_TREE_BYTES
    for tag in tags:
        if tag.size <= left:
            left -= tag.size
            values[_name(tag)] = _value(tag, big)
        else:
            values[_name(tag)] = {"@data": {"offset": tag.offset, "bytes": tag.size, "dtype": "|u1"}}
    return values


def _name(tag: Tag) -> str:
    return NAMES.get(tag.code, str(tag.code))


def _written(page: Page, skipped: set[int]) -> list[Tag]:
    return [tag for tag in page.tags.values() if tag.code not in skipped and tag.complete]


def _fields_once(page: Page) -> list[Tag]:
    """Return the complete fields of a page without keeping them on it: a stack may have many pages."""
    return [tag for tag in page.fields() if tag.complete]


def _differs(tag: Tag, first: Page) -> bool:
    same = first.tags.get(tag.code)
    if same is None or (same.type, same.count) != (tag.type, tag.count):
        return True
    return same.offset != tag.offset and (tag.size > MAX_TREE_BYTES or same.raw != tag.raw)


def _value(tag: Tag, big: bool) -> Any:
    """Return a tag's value in the tree's written form."""
    if tag.code in DIRECTORIES and tag.count == 1:
        return _directory(tag, big)
    value = tag.value
    if isinstance(value, tuple) and len(value) > LONG_ARRAY and isinstance(value[0], (int, float)):
        code = {3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 11: "f4", 12: "f8", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
        order = tag.source.order if tag.type != 6 else "|"
        return rawtree.array(order + code[tag.type], (tag.count,), tag.raw)
    return rawtree.lossless(value)


def _directory(tag: Tag, big: bool) -> Any:
    """Return the fields of an Exif or GPS directory; the bare pointer if there is none where it points."""
    try:
        inner = read_fields(tag.source, tag.value, big)
    except UnreadableFile:
        return rawtree.lossless(tag.value)
    return _values((each for each in inner.tags.values() if each.complete and each.code not in DIRECTORIES), big)
