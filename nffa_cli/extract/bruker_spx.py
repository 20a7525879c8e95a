"""Bruker spectra (.spx): XML of Delphi objects, as the dict that RosettaSciIO's readers give.

A part of the ``rosetta`` reader, in place of RosettaSciIO's, which raises KeyError where a spectrum has no detector
layers or no amplification, as exported and computed ones have not. Every object is kept, whatever its class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import xmltree

LARGEST = 64 << 20
"""Bytes of a spectrum that is read; real ones have up to 200 kB."""
_NAMES = {
    "TRTSpectrumHardwareHeader": "Hardware",
    "TRTDetectorHeader": "Detector",
    "TRTESMAHeader": "Analysis",
    "TRTSpectrumHeader": "Spectrum",
    "TRTSEMData": "Microscope",
    "TRTSEMStageData": "Stage",
    "TRTResult": "Results",
    "TRTPSEElementList": "Selected_elements",
}
"""Class of an object to its name in the tree, as RosettaSciIO calls it; another class keeps its own."""


def file_reader(path: str, *, lazy: bool = False) -> list[dict[str, Any]]:
    """Return the one spectrum of the file, axis in keV.

    Raises
    ------
    UnreadableFile
        No XML, no spectrum in it, or channels that are no numbers.
    """
    import numpy as np

    with Path(path).open("rb") as file:
        top, why = xmltree.parse(file.read(LARGEST))
    spectrum = next(_objects(top, "TRTSpectrum"), None)
    if why is not None or spectrum is None:
        hint = "copy the file again from the instrument"
        raise UnreadableFile(f"no Bruker spectrum: {why or 'it holds none'}", where=path, hint=hint)
    try:
        counts = np.array([float(part) for part in str(spectrum.get("Channels", "")).split(",") if part.strip()])
    except ValueError:
        raise UnreadableFile("its channels are no numbers", where=path) from None
    if not counts.size:
        raise UnreadableFile("it has no channels", code="empty", where=path)
    if np.all(counts == np.floor(counts)) and counts.min() >= 0 and counts.max() < 1 << 32:
        counts = counts.astype(np.uint64)
    tree: dict[str, Any] = {"Name": spectrum["@Name"]} if "@Name" in spectrum else {}
    for branch in _objects(spectrum):
        kind = str(branch["@Type"])
        if kind not in ("TRTSpectrum", "TRTHeaderedClass"):
            tree.setdefault(_NAMES.get(kind, kind), {key: item for key, item in branch.items() if key != "@Type"})
    header = tree.get("Spectrum", {})
    axis = {"name": "Energy", "size": counts.size, "navigate": False, "units": "keV"}
    for key, said in (("scale", "CalibLin"), ("offset", "CalibAbs")):
        axis[key] = str(header.get(said, 0.0)).replace(",", ".")  # Windows may write decimal commas
    general = {"title": str(spectrum.get("@Name", ""))}
    return [
        {
            "data": counts,
            "axes": [axis],
            "metadata": {"General": general, "Signal": {"signal_type": "EDS"}},
            "original_metadata": tree,
        }
    ]


def _objects(node: Any, kind: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the objects (elements with ``Type``) in a tree, outer ones first; of one class only, if it is named."""
    if isinstance(node, list):
        for item in node:
            yield from _objects(item, kind)
    elif isinstance(node, dict):
        if "@Type" in node and kind in (None, node["@Type"]):
            yield node
        for item in node.values():
            yield from _objects(item, kind)
