"""EMSA/MAS spectra (ISO 22029), text with ``#KEYWORD -unit: value``, as the dict that RosettaSciIO's readers give.

A part of the ``rosetta`` reader, in place of RosettaSciIO's, which finds no channels where nothing stands behind
``#SPECTRUM    :``, as Bruker writes it, loses a value that holds a colon, and fails without a DATATYPE. Keywords and values
stay as written; what their units are when they name none is in the crosswalk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nffa_cli import rawtree
from nffa_cli.errors import UnreadableFile

LARGEST = 64 << 20
"""Bytes of a spectrum that is read; real ones have up to 200 kB."""
HIGHEST_OF_SEM = 40.0
"""kV up to which a scanning microscope goes; transmission microscopes begin at 60."""
_LONG = ("TITLE", "COMMENT")
"""Keywords whose text goes on in another line of the same keyword."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+\b(?!\s*,)")
_TYPES = {"ELS": "EELS", "CLS": "CL"}


def file_reader(path: str, *, lazy: bool = False) -> list[dict[str, Any]]:
    """Return the one spectrum of the file, axis in the file's unit.

    Raises
    ------
    UnreadableFile
        No channels, channels that are no numbers, or a DATATYPE that is neither Y nor XY.
    """
    import numpy as np

    with Path(path).open("rb") as file:
        header, lines = _split(_decoded(file.read(LARGEST)))
    said = {re.split(r"[\s-]", key)[0].upper(): (key, value) for key, value in reversed(header.items())}
    comma = any(_DECIMAL_COMMA.fullmatch(str(said[key][1])) for key in ("XPERCHAN", "OFFSET") if key in said)
    try:
        values = [float(part) for line in lines for part in _parts(line, comma=comma)]
    except ValueError:
        raise UnreadableFile("its channels are no numbers", where=path) from None
    pairs = _pairs(said, len(values), path)
    counts = np.array(values[1::2] if pairs else values)
    if not counts.size:
        raise UnreadableFile("it has no channels", code="empty", where=path)
    unit = _text(said, "XUNITS") or said.get("XPERCHAN", ("", ""))[0].partition("-")[2].strip()
    axis: dict[str, Any] = {"name": _text(said, "XLABEL") or "Energy" * unit.upper().endswith("EV")}
    axis |= {"size": counts.size, "navigate": False, "units": unit}
    scale, offset = _number(said, "XPERCHAN"), _number(said, "OFFSET")
    if pairs and counts.size > 1 and (not scale or offset is None):
        scale, offset = _steps(values[0::2]) or (scale, offset)
    axis |= {"scale": scale or 0.0, "offset": offset or 0.0}
    return [
        {
            "data": counts,
            "axes": [axis],
            "metadata": {
                "General": {"title": _text(said, "TITLE")},
                "Signal": {"signal_type": _signal_type(_text(said, "SIGNALTYPE").upper(), _number(said, "BEAMKV"))},
            },
            "original_metadata": header,
        }
    ]


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _split(text: str) -> tuple[dict[str, Any], list[str]]:
    """Return keywords with their texts, and the lines of channels; a keyword that comes again makes a list."""
    header: dict[str, Any] = {}
    lines: list[str] = []
    begun = False
    for line in re.split(r"\r\n?|\n", text):
        stripped = line.strip()
        if not stripped.startswith("#"):
            lines += [stripped] if begun and stripped else []
            continue
        key, _, value = (part.strip() for part in stripped.lstrip("#").partition(":"))
        if key.upper() == "ENDOFDATA":
            break
        if key.upper() == "SPECTRUM":
            begun = True
        elif key:
            rawtree.put(header, key, value)
    for key in set(header).intersection(_LONG):
        if isinstance(header[key], list):
            header[key] = " ".join(part for part in header[key] if part)
    return header, lines


def _parts(line: str, *, comma: bool) -> Iterable[str]:
    """Return the numbers of a line, which stand between blanks, commas or semicolons."""
    text = re.sub(r"(?<=\d),(?=\d)", ".", line) if comma else line
    return re.split(r"[\s,;]+", text.strip(" \t,;"))


def _pairs(said: Mapping[str, tuple[str, Any]], count: int, path: str) -> bool:
    """Tell whether each channel stands behind its place on the axis; without DATATYPE, twice NPOINTS numbers tell."""
    kind = _text(said, "DATATYPE").upper()
    if kind in ("XY", "Y"):
        return kind == "XY"
    if kind:
        raise UnreadableFile(f"its DATATYPE is {kind}: only Y and XY are read", where=path)
    return count == 2 * (_number(said, "NPOINTS") or 0)


def _text(said: Mapping[str, tuple[str, Any]], keyword: str) -> str:
    value = said.get(keyword, ("", ""))[1]
    return value if isinstance(value, str) else ""


def _number(said: Mapping[str, tuple[str, Any]], keyword: str) -> float | None:
    """Return the number that a text begins with, whatever follows; None where several are listed."""
    text = _text(said, keyword)
    if _DECIMAL_COMMA.match(text):
        text = text.replace(",", ".", 1)
    found = _NUMBER.match(text)
    return float(found[0]) if found and not text[found.end() :].startswith(",") else None


def _steps(places: list[float]) -> tuple[float, float] | None:
    """Return step and start of evenly spaced places on the axis, None for others."""
    step = (places[-1] - places[0]) / (len(places) - 1)
    even = all(abs(place - places[0] - n * step) <= abs(step) / 2 for n, place in enumerate(places))
    return (step, places[0]) if step and even else None


def _signal_type(kind: str, voltage: float | None) -> str:
    """Return RosettaSciIO's word for a SIGNALTYPE; of EDS also the kind of microscope, by the beam's voltage in kV."""
    if kind.startswith("EDS") and voltage:
        return "EDS_SEM" if voltage <= HIGHEST_OF_SEM else "EDS_TEM"
    return _TYPES.get(kind, kind)
