"""The text files that JEOL, Hitachi and TESCAN microscopes write beside a picture: found, decoded, parsed, read.

Standard library only. It knows the three syntaxes, their encodings and how each says the pixel size; what a key means
is written in the crosswalks ``jeol-sem-tiff``, ``hitachi-sem-tiff`` and ``tescan-sem-tiff``. A TIFF picture is read by
``tiff.py``, which asks this module for the text beside it; ``read`` here serves a text without a picture and the
JPEG, BMP and PNG pictures that these microscopes save as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import picture
from nffa_cli.rawtree import free, put
from nffa_cli.records import Axis, RawMetadata, Remark, Signal

LARGEST = 1 << 22
"""Bytes of the largest text that can be a sidecar; real ones have 1 to 20 KB."""

READER = "nffa sidecar"

EXTENSIONS = (".txt", ".hdr")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A parsed sidecar: the format that its picture has, the vendor's keys, what is wrong with the bytes."""

    format: str
    tree: Mapping[str, Any]
    faults: tuple[Remark, ...] = ()


def decode(data: bytes) -> str:
    """Return the text of a sidecar, whatever encoding its microscope PC wrote.

    UTF-16 with or without byte order mark (TM4000), UTF-8, the Japanese code page (Hitachi and JEOL in Japan), else
    Western, where the micro sign is one byte. Japanese is taken when bytes of 0x81 to 0x9F, which Western text hardly
    uses, begin valid double-byte characters.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0" and data[3:4] == b"\0":
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if re.search(rb"[\x81-\x9f][\x40-\x7e\x80-\xfc]", data):
        try:
            return data.decode("cp932")
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252", "replace")


def parse_ini(text: str, section: str = "") -> dict[str, Any]:
    """Return ``{section: {key: text}}`` of ``[section]`` and ``key=value`` lines (Hitachi, TESCAN).

    ``section`` takes the keys before the first heading. A line without ``=`` is a key with empty text.
    """
    tree: dict[str, Any] = {}
    branch: dict[str, Any] = {}
    for line in text.splitlines():
        line = line.strip(" \t\0")
        if line.startswith("[") and line.endswith("]") and len(line) > 2:
            section, branch = free(tree, line[1:-1]), {}
            tree[section] = branch
        elif line:
            key, _, value = line.partition("=")
            put(branch, key.strip(), value.strip())
            tree.setdefault(section, branch)
    return tree


def parse_jeol(text: str) -> dict[str, Any]:
    """Return ``{key: text}`` of ``$KEY value`` lines; the dollars belong to the key."""
    tree: dict[str, Any] = {}
    for line in text.splitlines():
        key, _, value = line.strip(" \t\0").partition(" ")
        if key:
            put(tree, key, value.strip())
    return tree


SIGNS = {
    "hitachi-sem-tiff": re.compile(r"^(?:\[(?:Sem|Tem)ImageFile\]|InstructName=)", re.MULTILINE),
    "tescan-sem-tiff": re.compile(r"^\[MAIN\]", re.MULTILINE),
    "jeol-sem-tiff": re.compile(r"^\$+(?:CM|SM|SEM|AN)_", re.MULTILINE),
}
"""Format to what the first lines of its sidecar say."""

HEAD = 4096
"""Bytes or characters from the start in which the sign stands."""


def _sign(text: str) -> str | None:
    head = text[:HEAD]
    return next((name for name, sign in SIGNS.items() if sign.search(head)), None)


def format_of(path: str) -> str | None:
    """Return the format of the picture that the text file ``path`` describes; None: it is no sidecar."""
    if Path(path).suffix.lower() not in EXTENSIONS:
        return None
    try:
        with Path(path).open("rb") as file:
            return _sign(decode(file.read(HEAD)))
    except OSError:
        return None


def parse(text: str) -> Sidecar | None:
    """Return the sidecar that ``text`` is, or None when it is none of the three.

    JEOL and Hitachi end every line: what stands behind the last line end was not written to its end, and is left out,
    for half a number would be a wrong one.
    """
    name = _sign(text)
    if name is None:
        return None
    zeros = "\0" in text.removesuffix("\0")  # one may close it
    faults = (Remark("truncated", "the text beside the picture ends in zero bytes"),) if zeros else ()
    if name != "tescan-sem-tiff" and (broken := re.split(r"[\r\n]", text)[-1]).strip(" \t\0\x1a"):
        text = text[: -len(broken)]
        faults = faults or (Remark("truncated", "the last line of the text beside the picture has no end"),)
    if name == "jeol-sem-tiff":
        return Sidecar(name, parse_jeol(text), faults)
    headless = name == "hitachi-sem-tiff" and "ImageFile]" not in text  # some of a TM3000
    return Sidecar(name, parse_ini(text, "SemImageFile" if headless else ""), faults)


def load(path: str) -> Sidecar:
    """Read and parse the text file ``path``.

    Raises
    ------
    UnreadableFile
        Empty, far too large for a sidecar, or text of another kind.
    """
    with Path(path).open("rb") as file:
        data = file.read(LARGEST + 1)
    if not data.strip(b"\0 \r\n\t"):
        raise UnreadableFile("the text beside the picture is empty", code="empty", where=path)
    found = parse(decode(data)) if len(data) <= LARGEST else None
    if found is None:
        raise UnreadableFile("this is no text of a JEOL, Hitachi or TESCAN microscope", where=path)
    return found


NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
LENGTH = re.compile(rf"(?<![\d.,])({NUMBER})\s*(nm|um|µm|μm|mm|pm|m)\b")


def lengths(text: object) -> list[tuple[float, str]]:
    """Return the (number, unit) of each length written in ``text``: ``500um``, ``1.5 nm/pixel``, ``96µm 72µm``."""
    return [(float(number), "um" if unit in ("µm", "μm") else unit) for number, unit in LENGTH.findall(str(text))]


def numbers(text: object) -> list[float]:
    """Return the numbers written in ``text``: ``1280 960``, ``1280x960``, ``1280 X 1024``."""
    return [float(number) for number in re.findall(NUMBER, str(text))]


def one(tree: Mapping[str, Any], *keys: str) -> Any:
    """Return the first non-empty text under one of ``keys``, or None."""
    return next((tree[key] for key in keys if isinstance(tree.get(key), str) and tree[key]), None)


def _jeol_pixel(tree: Mapping[str, Any], width: int) -> tuple[float, str] | None:
    # All three statements hold for a picture of CM_FULL_SIZE; a saved picture of another width was resampled.
    full = numbers(one(tree, "$CM_FULL_SIZE", "$CM_IMAGE_SIZE", "$CM_IMAGE_RES") or "")
    resampled = full[0] / width if full and full[0] > 0 else 1.0
    said = lengths(one(tree, "$CM_PIXEL_SIZE") or "")
    if said and said[0][0] > 0:
        return said[0][0] * resampled, said[0][1]
    field = lengths(one(tree, "$CM_FIELD_OF_VIEW") or "")
    if field and field[0][0] > 0:
        return field[0][0] / width, field[0][1]
    marker = lengths(one(tree, "$$SM_MICRON_MARKER", "$SM_MICRON_MARKER") or "")
    bar = numbers(one(tree, "$$SM_MICRON_BAR", "$SM_MICRON_BAR") or "")
    if marker and marker[0][0] > 0 and bar and bar[0] > 0:
        return marker[0][0] / bar[0] * resampled, marker[0][1]
    return None


HITACHI_FRAME = 127e6
"""Width in nm of the picture that a magnification of 1 refers to: a five-inch photograph."""


MAGNIFICATION = re.compile(r"x?\s*(\d{1,9}(?:\.\d{0,9})?)\s*(k?)", re.IGNORECASE)


def _hitachi_keys(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    branches = [branch for branch in tree.values() if isinstance(branch, Mapping)]
    return next((branch for name in ("PixelSize", "DataSize") for branch in branches if name in branch), {})


def _hitachi_magnified(tree: Mapping[str, Any]) -> float | None:
    """Return the magnification of a SEM picture, which refers to ``HITACHI_FRAME``; that of a TEM to something else."""
    keys = _hitachi_keys(tree)
    said = MAGNIFICATION.fullmatch(one(keys, "Magnification") or "")
    if said is None or keys is not tree.get("SemImageFile"):
        return None
    return float(said[1]) * (1000 if said[2] else 1)


def _hitachi_pixel(tree: Mapping[str, Any], width: int) -> tuple[float, str] | None:
    keys = _hitachi_keys(tree)
    text = one(keys, "PixelSize") or ""
    bare = [(float(text), "nm")] if re.fullmatch(NUMBER, text) else []
    said = lengths(text) or bare
    full = numbers(one(keys, "DataSize") or "")
    if said and said[0][0] > 0:
        return said[0][0] * (full[0] / width if full and full[0] > 0 else 1.0), said[0][1]
    if not text and full and full[0] == width > 0 and (magnified := _hitachi_magnified(tree)):  # S-4700 and its kin
        return HITACHI_FRAME / magnified / width, "nm"
    return None


PIXEL_SIZE = {"jeol-sem-tiff": _jeol_pixel, "hitachi-sem-tiff": _hitachi_pixel}
"""How a vendor's text says the pixel size of a picture of some width. TESCAN's plain keys are in its crosswalk."""


def doubts(form: str, tree: Mapping[str, Any], width: int = 0) -> tuple[Remark, ...]:
    """Return what is to be said of values that the text does not state plainly; ``width``: that of its picture, if any.

    The pixel size of a Hitachi may follow from the magnification; TESCAN's text may have the settings of both columns.
    """
    columns = [tree[name] for name in ("SEM", "FIB") if isinstance(tree.get(name), Mapping)]
    if form == "tescan-sem-tiff" and sum(one(column, "HV") is not None for column in columns) == 2:
        what = "the file has settings of the electron and of the ion column and does not say which made the picture"
        return (Remark("ambiguous-beam", what),)
    keys = _hitachi_keys(tree) if form == "hitachi-sem-tiff" else {}
    if one(keys, "PixelSize") or not keys or _hitachi_pixel(tree, width) is None:
        return ()
    what = "the text states no pixel size; it follows from the magnification, which refers to a picture of 127 mm"
    return (Remark("scale-inferred", what),)


def calibrated(signals: Sequence[Signal], form: str, tree: Mapping[str, Any]) -> tuple[Signal, ...]:
    """Return ``signals`` with y and x in the pixel size that the sidecar states; unchanged when it states none.

    Parameters
    ----------
    signals
        Images with axes named ``y`` and ``x``.
    form
        Format name, a key of ``PIXEL_SIZE``.
    tree
        The sidecar's own tree.
    """

    def scaled(signal: Signal) -> Signal:
        width = next((axis.size for axis in signal.axes if axis.name == "x"), 0)
        pixel = PIXEL_SIZE[form](tree, width) if form in PIXEL_SIZE and width else None
        if pixel is None:
            return signal
        axes = tuple(
            Axis(axis.name, axis.size, pixel[0], 0.0, pixel[1]) if axis.name in ("x", "y") else axis
            for axis in signal.axes
        )
        return replace(signal, axes=axes)

    return tuple(scaled(signal) for signal in signals)


def anchor(form: str, tree: Mapping[str, Any], root: str) -> dict[str, str]:
    """Return the anchor ``header``: the path under which the crosswalk of ``form`` finds its keys in ``tree``."""
    if form != "hitachi-sem-tiff":
        return {"header": root}
    section = next((name for name in tree if name.endswith("ImageFile")), next(iter(tree), ""))
    return {"header": f"{root}.{section}"}


def read(files: Sequence[str]) -> RawMetadata:
    """Read a sidecar that stands alone, or a JPEG, BMP or PNG picture with its sidecar.

    Parameters
    ----------
    files
        The text file alone, or the picture and the text file.

    Returns
    -------
    RawMetadata
        Without signals when there is no picture.

    Raises
    ------
    UnreadableFile
        The text is empty or no sidecar and there is no picture.
    """
    texts = [path for path in files if Path(path).suffix.lower() in EXTENSIONS]
    pictures = [path for path in files if path not in texts]
    if not pictures:
        found = load(texts[0])
        header = anchor(found.format, found.tree, "sidecar")
        warnings = doubts(found.format, found.tree)
        return RawMetadata(found.format, {"sidecar": found.tree}, (), header, None, found.faults, warnings, READER)
    raw = picture.read(pictures)
    return join(raw, texts[0]) if texts else raw


def join(raw: RawMetadata, path: str) -> RawMetadata:
    """Return ``raw``, a picture without a vendor's tags, with what the sidecar ``path`` says of it.

    The picture keeps its worth when the text cannot be used: then only a warning ``sidecar-unreadable`` is added.
    """
    try:
        found = load(path)
    except (UnreadableFile, OSError) as error:
        warning = Remark("sidecar-unreadable", f"{Path(path).name}: {error}")
        return replace(raw, warnings=(*raw.warnings, warning))
    width = next((axis.size for signal in raw.signals for axis in signal.axes if axis.name == "x"), 0)
    return replace(
        raw,
        format=found.format,
        tree={**raw.tree, "sidecar": found.tree},
        signals=calibrated(raw.signals, found.format, found.tree),
        anchors={**raw.anchors, **anchor(found.format, found.tree, "sidecar")},
        faults=raw.faults + found.faults,
        warnings=raw.warnings + doubts(found.format, found.tree, width),
    )
