"""The tags of Zeiss SmartSEM, FEI/Thermo xT, Fibics ATLAS and OpenFIBSEM as trees.

``tiff.py`` chooses among these functions; each takes the open file and its sidecars and returns a ``Vendor``. They know
how a tag is written (key lines, INI, XML, JSON), not what it means.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nffa_cli.extract import xmltree
from nffa_cli.extract.tiff import Page, Tiff, Vendor, text
from nffa_cli.rawtree import free, get, lossless
from nffa_cli.records import Remark

ZEISS, ZEISS_UNICODE = 34118, 34119
FEI_SFEG, FEI_HELIOS, FEI_XML = 34680, 34682, 34683
FIBICS = 51023

EAST_ASIAN = ("cp932", "gbk", "cp949", "big5")
"""Code pages of Windows in which ° is two bytes, different ones in each."""

LOST_SIGN = re.compile(
    r"(?m)^((?:AP|DP)_\w+\r?\n[^\r\n=]*= *-?\d[\d.]*(?:[eE][-+]?\d+)? *)\?(?:(?=((?:[mAsVW]|rad|Ah)(?!\S)))|(?=C?(?!\S)))"
)
"""The line of a SmartSEM value whose µ (before a unit's letters) or ° was written as a question mark."""

PADDING = 16
"""Zeros behind a text that breaks off from which on they mean that the rest was never written."""

SCREEN_WIDTH = 1024
"""SmartSEM gives its pixel size for a picture of this width, whatever the width of the stored one."""

ROUNDING = 0.01
"""How far two writings of one pixel size (four digits in one of them) may differ."""


def _page(tiff: Tiff, *codes: int) -> Page:
    """Return the first page that has one of these tags: programs that pack pictures together may put another one first."""
    return next(page for page in tiff.pages if any(code in page.tags for code in codes))


def zeiss(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read tag 34118 (key line, value line) and its UTF-16 copy 34119.

    ``tree["34118"]``: "header" (the numbers before the first key, as written), then each key with its whole value line
    ("EHT = 10.00 kV"), with the µ and ° that were meant. ``tree["34119"]``: only lines that the copy writes differently
    (letters outside the code page).
    """
    page = _page(tiff, ZEISS, ZEISS_UNICODE)
    lines = page.tags[ZEISS].raw if page.get(ZEISS) is not None else b""
    tree: dict[str, Any] = {}
    keys = _zeiss_lines(_zeiss_text(lines))
    if ZEISS in page.tags:
        tree[str(ZEISS)] = keys
    if isinstance(page.get(ZEISS_UNICODE), (str, bytes)):
        copy = _zeiss_lines(page.tags[ZEISS_UNICODE].raw.decode("utf-16-le", "replace").rstrip("\0"))
        tree[str(ZEISS_UNICODE)] = {key: line for key, line in copy.items() if keys.get(key) != line}
    scale = _zeiss_pixel(keys, page.width)
    axes = {} if scale is None else {"x": (scale, 0.0, "m"), "y": (scale, 0.0, "m")}
    return Vendor(tree, axes, faults=_unwritten(page, ZEISS))


def _zeiss_text(raw: bytes) -> str:
    """Decode tag 34118: the code page of the PC, which the way it writes ° betrays, µ and ° also where they are "?".

    SmartSEM 7 writes ASCII here, with question marks. No unit of SmartSEM but those with µ, ° and ² (behind letters) has
    letters outside ASCII, so that one right behind the number can be nothing else.
    """
    said = text(raw)
    for code_page in EAST_ASIAN:
        degree = "°".encode(code_page)
        if degree in raw and re.search(rb"= *-?[\d.]+ *" + re.escape(degree) + rb"[ \r\n]", raw):
            with suppress(UnicodeDecodeError):
                said = raw.rstrip(b"\0").decode(code_page)
    return LOST_SIGN.sub(lambda found: f"{found[1]}{'µ' if found[2] else '°'}", said) if "?" in said else said


def _zeiss_lines(said: str) -> dict[str, Any]:
    """Return key → value line; lines that belong to no key are kept under "header"."""
    lines = said.replace("\r\n", "\n").split("\n")
    header: list[str] = []
    keys: dict[str, Any] = {"header": header}
    at = 0
    while at < len(lines):
        if re.fullmatch(r"(AP|DP|SV)_\w+", lines[at]) and at + 1 < len(lines):
            keys[lines[at]] = lines[at + 1]
            at += 2
        else:
            if lines[at].strip():
                header.append(lines[at])
            at += 1
    return keys


def _zeiss_pixel(keys: Mapping[str, Any], width: int) -> float | None:
    """Return the pixel size in m from the header, which has more digits than the lines below it.

    The fourth number is the size of a pixel on a 1024 pixels wide screen. None if the lines contradict it: those are
    what the microscope showed, and the crosswalk reads them. In a picture by the ion beam the number may be the other
    beam's.
    """
    try:
        scale = float(keys["header"][3]) * SCREEN_WIDTH / width
    except (IndexError, ValueError):
        return None
    if not (math.isfinite(scale) and scale > 0):
        return None
    shown = [_zeiss_length(keys.get("AP_IMAGE_PIXEL_SIZE"))]
    if re.search(r"=\s*FIB\s*$", str(keys.get("DP_FIB_IMAGING", ""))):
        on_screen = _zeiss_length(keys.get("AP_FIB_PIXEL_SIZE"))
        shown += [on_screen * SCREEN_WIDTH / width] if on_screen else []
    return scale if all(abs(size - scale) <= ROUNDING * scale for size in shown if size is not None) else None


def _zeiss_length(line: object) -> float | None:
    """Return the length in m that a line says, NaN in an unknown unit; None: it says none."""
    _, equals, said = str(line).rpartition("=")
    return _metres(said) if equals else None


def _metres(said: str) -> float | None:
    """Return a length with its unit in m, NaN in an unknown unit; None: it is no number with a unit."""
    found = re.fullmatch(r"\s*([\d.]++)\s*(\S+)\s*", said)
    if found is None:
        return None
    unit = found[2].replace("\u03bc", "µ").replace("¦Ì", "µ")  # the second is the micro sign of a Chinese PC (GBK)
    factor = {"fm": 1e-15, "pm": 1e-12, "nm": 1e-9, "µm": 1e-6, "um": 1e-6, "mm": 1e-3}.get(unit, math.nan)
    return _number(found[1]) * factor


def fei(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the INI text (tag 34682, in older software 34680), the XML (34683) and the base64 XML of 34680.

    Anchors: ``ini``, the section of the tree with the INI text; ``detector``, the INI section of the detector used. The
    SM-32 writes a text of this form with units of its own: of it only the field of view is read, and ``ini`` is nowhere.
    """
    page = _page(tiff, FEI_SFEG, FEI_HELIOS, FEI_XML)
    tree: dict[str, Any] = {}
    warnings: list[Remark] = []
    faults = list(_unwritten(page, FEI_SFEG, FEI_HELIOS, FEI_XML))
    for code in (FEI_SFEG, FEI_HELIOS):
        if code in page.tags and page.tags[code].complete:
            said, fault = _with_its_tail(tiff, page, code)
            faults += fault
            tree[str(code)] = _fei_text(said)
    if FEI_XML in page.tags and page.tags[FEI_XML].complete:
        tree[str(FEI_XML)], why = xmltree.parse(page.text(FEI_XML))
        if why:
            warnings.append(Remark("broken-xml", f"tag {FEI_XML}: {why}"))
    ini = str(FEI_HELIOS) if str(FEI_HELIOS) in tree else str(FEI_SFEG)
    name = get(tree, f"{ini}.Detectors.Name")
    detector = name if isinstance(name, str) and name else "Detectors"
    axes = {}
    if (field := _field_of_another_maker(get(tree, f"{ini}.Beam.HFW"))) is not None:
        warnings.append(Remark("foreign-tag", f"the text of tag {ini} is another maker's: its values are not read"))
        axes = {"x": (field / page.width, 0.0, "m")} if field > 0 else {}
        ini = detector = "of-another-maker"
    return Vendor(
        tree, axes, anchors={"ini": ini, "detector": detector}, faults=tuple(faults), warnings=tuple(warnings)
    )


def _field_of_another_maker(said: object) -> float | None:
    """Return the width in m of a field of view written with its unit, NaN in an unknown one; None: it is FEI's own.

    FEI writes it as a bare number, and in the section of the beam.
    """
    if isinstance(said, str) and re.fullmatch(r"\s*[\d.]+\s*[^\d\s.+-]+\s*", said):
        return _metres(said)
    return None


def _fei_text(said: str) -> Any:
    """Return an INI text or a base64-coded XML as a tree, anything else as the text it is."""
    if re.match(r"\s*\[[^\]\r\n]+\]", said):
        return ini(said)
    try:
        decoded = base64.b64decode(said, validate=True)
    except (binascii.Error, ValueError):
        return said
    if decoded.lstrip(b"\xef\xbb\xbf").startswith(b"<"):
        tree, why = xmltree.parse(decoded.removeprefix(b"\xef\xbb\xbf"))
        if why is None:
            return tree
    return said


def ini(said: str) -> dict[str, Any]:
    """Return section → key → text; a name that comes again becomes ``name#2``, a line without ``=`` is ``#line``."""
    tree: dict[str, Any] = {}
    section: dict[str, Any] = tree
    for line in said.splitlines():
        heading = re.fullmatch(r"\s*\[([^\]]+)\]\s*", line)
        key, equals, value = line.partition("=")
        if heading:
            section = {}
            tree[free(tree, heading[1])] = section
        elif equals:
            section[free(section, key.strip())] = value.strip()
        elif line.strip():
            section[free(section, "#line")] = line
    return tree


def _with_its_tail(tiff: Tiff, page: Page, code: int) -> tuple[str, list[Remark]]:
    """Return a text tag together with what its writer put at the end of the file.

    Two habits of xT software: the tag's count is some bytes too small and the text goes on behind it (to the end of the
    file); or the text is written once more behind the pixels. A second copy that breaks off shows a truncated file.
    """
    tag = page.tags[code]
    said, end = tag.raw, tag.offset + tag.size
    rest = tiff.size - tiff.needs
    if code != FEI_HELIOS or not 0 < rest <= max(len(said), 4096):
        return text(said), []
    tail = tiff.source.read(tiff.needs, rest)
    if end == tiff.needs and not said.endswith(b"\0"):
        broken = Remark("truncated", "the text behind the tag does not end with its closing zero")
        return text(said + tail), [] if tail.endswith(b"\0") else [broken]
    whole = said.rstrip(b"\0")
    if len(tail) < len(whole) and whole.startswith(tail):
        missing = len(whole) - len(tail)
        return text(said), [Remark("truncated", f"the last {missing} bytes are missing: the closing text breaks off")]
    return text(said), []


def _unwritten(page: Page, *codes: int) -> tuple[Remark, ...]:
    """Return a fault for each text tag that was not written to its end: nothing but zeros, or a line that ends in them."""
    tags = [page.tags[code] for code in codes if code in page.tags]
    return tuple(
        Remark("zero-tail", f"the text of tag {tag.code} ends in zeros: was the file written to its end?")
        for tag in tags
        if tag.complete and tag.size > 8 and _ends_in_zeros(tag.raw)
    )


def _ends_in_zeros(raw: bytes) -> bool:
    """Tell whether a text breaks off; a whole one may be padded, but an INI ends with its line and an XML with ``>``."""
    said = raw.rstrip(b"\0")
    is_text = said.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"[", b"<"))
    return not said or (is_text and len(raw) - len(said) >= PADDING and not said.endswith((b"\n", b"\r", b">", b"=")))


def fibics(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the ATLAS XML of tag 51023; its scan vectors U and V (µm per pixel) or its field of view calibrate the axes.

    BeamInfo and DetectorInfo are lists of named items; in the tree they are name → text.
    """
    page = _page(tiff, FIBICS)
    if not page.tags[FIBICS].complete:
        return Vendor()
    tree, why = xmltree.parse(page.tags[FIBICS].raw.rstrip(b"\0 \r\n"))
    for section in ("BeamInfo", "DetectorInfo"):
        items = get(tree, f"Fibics.{section}")
        if isinstance(items, dict) and "item" in items:
            tree["Fibics"][section] = _named(items)
    warnings = [Remark("broken-xml", f"tag {FIBICS}: {why}")] if why else []
    axes = _fibics_axes(tree, page.width, page.height)
    if axes is None:
        warnings.append(
            Remark("no-calibration", f"tag {FIBICS} describes a picture of another size: was this one resized?")
        )
    return Vendor({str(FIBICS): tree}, axes or {}, faults=_unwritten(page, FIBICS), warnings=tuple(warnings))


def _fibics_axes(tree: Mapping[str, Any], width: int, height: int) -> dict[str, tuple[float, float, str]] | None:
    """Return the axes of a picture of ``width`` × ``height`` pixels; None: the text describes one of another size.

    A pixel is as long as its scan vector; without vectors, the field of view divided by the pixels. A picture that has
    kept one side was cut, not resized.
    """
    axes = {}
    other_size = []
    for name, vector, side, pixels in (("x", "U", "Width", width), ("y", "V", "Height", height)):
        field = get(tree, f"Fibics.Scan.FOV_{name.upper()}")
        seen = _number(field) if not isinstance(field, Mapping) or field.get("@units", "um") == "um" else math.nan
        scale = math.hypot(*(_number(get(tree, f"Fibics.Scan.{vector}{part}")) for part in "xy"))
        described = _number(get(tree, f"Fibics.Image.{side}"))
        if math.isfinite(described):
            other_size.append(described != pixels and not abs(scale * pixels - seen) <= ROUNDING * seen)
        scale = scale if scale > 0 else seen / (described if described > 0 else max(pixels, 1))
        if math.isfinite(scale) and scale > 0:
            axes[name] = (scale, 0.0, "um")
    return None if other_size and all(other_size) else axes


def _named(branch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a branch whose ``<item name="A">text</item>`` became ``A: text``; what has no name stays as it is."""
    items = branch["item"] if isinstance(branch["item"], list) else [branch["item"]]
    named = {key: value for key, value in branch.items() if key != "item"}
    rest = []
    for item in items:
        name = item.get("@name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(name, str) and name and set(item) <= {"@name", "#text"}:
            named[free(named, name)] = item.get("#text", "")
        else:
            rest.append(item)
    return {**named, "item": rest} if rest else named


def _number(value: Any) -> float:
    """Return the number that an XML element says, NaN for none."""
    said = value.get("#text") if isinstance(value, Mapping) else value
    try:
        return float(said) if isinstance(said, str) else math.nan
    except ValueError:
        return math.nan


def openfibsem(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the JSON that OpenFIBSEM writes into ImageDescription; ``tree["270"]`` is its content."""
    said = tiff.pages[0].text(270)
    try:
        return Vendor({"270": lossless(json.loads(said))})
    except (ValueError, RecursionError) as error:
        return Vendor(warnings=(Remark("broken-json", f"the description is no JSON: {error}"),))
