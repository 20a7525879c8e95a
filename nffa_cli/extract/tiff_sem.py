"""SEM dialects of TIFF: TESCAN's, JEOL's and Hitachi's own tags, and pictures with a text file beside them.

Standard library only; ``tiff.py`` calls these after it has read the pages. What a key means is in the crosswalks.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import sidecar
from nffa_cli.extract.tiff import Tiff, Vendor
from nffa_cli.records import Remark, Signal

TESCAN_TAG = 50431
HITACHI_TAGS = (40092, 40093)
"""Windows XPComment and XPAuthor, UTF-16: Hitachi's TM4000 writes parts of its ``[SemImageFile]`` there."""

JEOL_TAG = 37500
"""Exif MakerNote: newer JEOL software keeps the keys of the text file there, as ``UNICODE`` and UTF-16 text."""

TESCAN_SECTIONS = {2: "MAIN", 3: "SEM", 5: "FIB"}
"""Section number in tag 50431 to the heading of the same keys in the ``.hdr`` file; 1 is the thumbnail, 0 the end."""

MOST_SECTIONS = 99
"""A section number above this is taken for a tag without the frame; 5 is the highest that is known."""

FIB_KEYS = ("ColumnTilt", "ColumnType")
"""Keys that only the ion column of a TESCAN dual beam has."""


def tescan_sections(data: bytes) -> dict[str, Any]:
    """Return the tree of TESCAN's tag 50431: ``thumbnail`` (bytes), ``MAIN``, ``SEM`` or ``FIB``, unknown sections.

    The tag is a row of sections, each with its length (u32, of what follows), a number (u16) and its content: a
    JPEG 2000 or PNG thumbnail, then lines of ``key=value``. No specification is public; seen in MIRA3 4.2 and
    Essence 1.1. A tag cut short gives the keys up to there; a tag without this frame is searched for its lines.
    """
    tree: dict[str, Any] = {}
    at = 0
    while at + 6 <= len(data):
        length, number = struct.unpack_from("<IH", data, at)
        body = data[at + 6 : at + 4 + length]
        if length < 2 or number > MOST_SECTIONS or not (number in (0, 1) or b"=" in body):
            break
        if len(body) + 2 < length:
            body = body[: body.rfind(b"\n") + 1]  # half a number would be a wrong one
        if number == 1:
            tree["thumbnail"] = rawtree.lossless(body)
        elif number:
            _add_text(tree, TESCAN_SECTIONS.get(number, f"section-{number}"), body)
        at += 4 + length
    if at < len(data) and b"=" in data[at:]:
        lines = re.findall(rb"^(?=[ -~]*[\]=])[^\0-\x08\n]*+$", data[at:], re.MULTILINE)
        _add_text(tree, "MAIN" if "MAIN" not in tree else "rest", b"\n".join(lines))
    return tree


def _add_text(tree: dict[str, Any], name: str, body: bytes) -> None:
    for section, keys in sidecar.parse_ini(sidecar.decode(body), name).items():
        ion = section == "SEM" and any(key in keys for key in FIB_KEYS)
        tree[rawtree.free(tree, "FIB" if ion else section)] = keys


def hitachi_keys(tiff: Tiff) -> dict[str, str | list[str]]:
    """Return Hitachi's keys from all Windows tags together; empty when none of them names the instrument."""
    keys: dict[str, Any] = {}
    for code in HITACHI_TAGS:
        tag = tiff.pages[0].tags.get(code)
        if tag is not None and tag.complete and tag.size <= sidecar.LARGEST:
            for section in sidecar.parse_ini(tag.raw.decode("utf-16-le", "replace")).values():
                for key, value in section.items():
                    rawtree.put(keys, key, value)
    return keys if "InstructName" in keys else {}


JEOL_KEY = re.compile(r"(?<!\$)(\$++\w[\w%]*+)[ ]*=([^\t\r\n$\0]*)")


def jeol_keys(data: bytes) -> dict[str, str | list[str]]:
    """Return the keys of JEOL's tag: ``$CM_MAG=500``, divided by tabs; the dollars belong to the key.

    What else stands there is kept under ``#rest``.
    """
    said = sidecar.decode(data.removeprefix(b"UNICODE").removeprefix(b"\0"))
    keys: dict[str, Any] = {}
    for key, value in JEOL_KEY.findall(said):
        rawtree.put(keys, key, value.strip())
    rest = JEOL_KEY.sub("", said).strip("\0\t\r\n ")
    return {**keys, "#rest": rest} if rest else keys


def _loaded(files: Sequence[str]) -> tuple[sidecar.Sidecar | None, tuple[Remark, ...]]:
    """Return the sidecar among ``files``, and what is to be said of one that cannot be used."""
    remarks: tuple[Remark, ...] = ()
    for path in files[1:]:
        if Path(path).suffix.lower() in sidecar.EXTENSIONS:
            try:
                found = sidecar.load(path)
            except (UnreadableFile, OSError) as error:
                remarks += (Remark("sidecar-unreadable", f"{Path(path).name}: {error}"),)
            else:
                return found, remarks
    return None, remarks


def _change(name: str, tree: Mapping[str, Any]) -> Callable[[tuple[Signal, ...]], tuple[Signal, ...]]:
    return lambda signals: sidecar.calibrated(signals, name, tree)


def tescan(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read TESCAN's tag 50431, and the ``.hdr`` beside the picture, which repeats the keys, as ``sidecar``."""
    page = next(page for page in tiff.pages if TESCAN_TAG in page.tags)
    tag = page.tags[TESCAN_TAG]
    data = tag.raw if tag.complete else b""
    keys = tescan_sections(data)
    beside, remarks = _loaded(files)
    tree: dict[str, Any] = {}
    if keys:
        tree[str(TESCAN_TAG)] = keys
    if beside is not None:
        tree["sidecar"] = beside.tree
    if "MAIN" in keys or beside is None:
        remarks += (beside.faults if beside else ()) + sidecar.doubts("tescan-sem-tiff", keys)
        return Vendor(tree, anchors={"header": str(TESCAN_TAG)}, warnings=remarks)
    remarks += sidecar.doubts("tescan-sem-tiff", beside.tree)
    return Vendor(tree, anchors={"header": "sidecar"}, faults=beside.faults, warnings=remarks)


def beside(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the sidecar of a picture that has no vendor's tags of its own."""
    found, remarks = _loaded(files)
    if found is None:
        return Vendor(warnings=remarks)
    anchors = sidecar.anchor(found.format, found.tree, "sidecar")
    remarks += sidecar.doubts(found.format, found.tree, tiff.pages[0].width)
    return Vendor(
        {"sidecar": found.tree},
        signals=_change(found.format, found.tree),
        anchors=anchors,
        faults=found.faults,
        warnings=remarks,
    )


def hitachi(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the keys that Hitachi wrote into the Windows tags of a picture whose sidecar is lost."""
    tree = {"SemImageFile": hitachi_keys(tiff)}
    return Vendor(
        {"windows": tree},
        signals=_change("hitachi-sem-tiff", tree),
        anchors=sidecar.anchor("hitachi-sem-tiff", tree, "windows"),
        warnings=_loaded(files)[1] + sidecar.doubts("hitachi-sem-tiff", tree, tiff.pages[0].width),
    )


def jeol(tiff: Tiff, files: Sequence[str]) -> Vendor:
    """Read the keys that newer JEOL software writes into the picture itself, and when its XMP says it was made."""
    page = tiff.pages[0]
    tag = page.tags[JEOL_TAG]
    keys = jeol_keys(tag.raw) if tag.complete and tag.size <= sidecar.LARGEST else {}
    xmp = page.tags[700].head(sidecar.LARGEST) if 700 in page.tags else b""
    made = re.search(rb"CreateDate(?:>|=[\"'])([-0-9T:.+Z]{10,35})", xmp)
    tree: dict[str, Any] = {str(JEOL_TAG): keys}
    if made:
        tree["xmp"] = {"CreateDate": made[1].decode()}
    return Vendor(
        tree,
        signals=_change("jeol-sem-tiff", keys),
        anchors={"header": str(JEOL_TAG)},
        warnings=_loaded(files)[1],
    )
