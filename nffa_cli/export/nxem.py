"""An acquisition as an NXem tree: a pure function of record, vendor's tree and files; reads nothing, writes nothing.

What the record does not know is left out, required or not: ``check.py`` says what is missing. Which term goes where is
data (``crosswalks/outward/nxem.yaml``); which NXdata a signal becomes is ``nxdata.py``'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli import rawtree
from nffa_cli.crosswalk.outward import Outward
from nffa_cli.crosswalk.place import place
from nffa_cli.export import browsable, nxdata
from nffa_cli.export.tree import Tree, get
from nffa_cli.mediatypes import media_type
from nffa_cli.records import RawMetadata, Record, Signal

ENTRY = "entry1"
EVENT = "measurement/event1"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the acquisition: base name, bytes, hex SHA-256 and role (main or sidecar)."""

    name: str
    size: int
    sha256: str
    role: str = "main"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data come from, and by whose hand.

    acquisition, digest
        The acquisition's id and the digest of its files.
    files
        The main file first.
    version
        Of nffa.
    key
        Equal keys mean an equal file: there is nothing to do.
    """

    acquisition: str
    digest: str
    files: tuple[SourceFile, ...]
    version: str
    key: str


def build(record: Record, raw: RawMetadata, source: Source, outward: Outward) -> Tree:
    """Return the tree of an NXem file; equal input gives an equal tree.

    Parameters
    ----------
    record
        In canonical units, after the operator policy. The samples of its signal number n (from 0) are what
        ``Samples.signal`` n asks for.
    raw
        The vendor's tree, after the operator policy.
    """
    entry: Tree = {
        "@NX_class": "NXentry",
        "definition": outward.definition,
        "definition@version": outward.release,
        **({"definition@URL": outward.url} if outward.url else {}),
    }
    entry["profiling"] = _profiling(raw, source)
    for number, file in enumerate(source.files, 1):
        entry[f"note{number}"] = _note(file)
    _add_terms(entry, record, outward)
    plots, unplaced = _add_signals(entry, record, source, outward)
    _group(entry, EVENT, outward)["vendor_metadata"] = _vendor(raw)
    entry["nffa"] = _own(record, source, plots, unplaced)
    return {
        "@NX_class": "NXroot",
        **({"@default": ENTRY} if "@default" in entry else {}),
        "@creator": "nffa",
        "@creator_version": source.version,
        "@NeXus_release": outward.release,
        ENTRY: entry,
    }


# --- terms ---


def _add_terms(entry: Tree, record: Record, outward: Outward) -> None:
    placed = place(outward, record)
    for path, item in placed.items():
        parent, _, name = path.rpartition("/")
        group = _group(entry, parent, outward)
        group[name] = item.value
        group |= {f"{name}@{attribute}": value for attribute, value in item.attributes.items()}
    for path, each in outward.groups.items():  # in the crosswalk's order, for people who browse
        parent, _, name = path.rpartition("/")
        if each.always or get(entry, path) is not None:
            _group(entry, path, outward)
            above = _group(entry, parent, outward)
            above[name] = above.pop(name)


def _group(entry: Tree, path: str, outward: Outward) -> Tree:
    """Return the group at a path below the entry, made with all groups above it if need be."""
    here, at = entry, ""
    for part in path.split("/") if path else ():
        at = f"{at}/{part}" if at else part
        here = here.setdefault(part, {"@NX_class": outward.groups[at].nx_class})
    return here


# --- signals ---


def _add_signals(entry: Tree, record: Record, source: Source, outward: Outward) -> tuple[list[list[str]], list[str]]:
    """Add the pictures, the spectra and their detectors.

    Returns the paths of each signal's NXdata, below the entry, and which signals have no place, and why.
    """
    plots: list[list[str]] = []
    unplaced: list[str] = []
    counts = {"image": 0, "spectrum": 0}
    detectors = _detectors(record, outward)
    for number, signal in enumerate(record.signals):
        made = nxdata.plots(number, signal, _title(signal, record, source))
        plots.append([])
        if isinstance(made, nxdata.Unplaced):
            unplaced.append(f"{_context(number, signal)}: {made.why}")
            continue
        event = _group(entry, EVENT, outward)
        for plot in made:
            counts[plot.family] += 1
            name = f"{plot.family}{counts[plot.family]}"
            group: Tree = {"@NX_class": f"NX{plot.family}", "@default": plot.name}
            if (detector := detectors[number]) is not None:
                group["process"] = _process(number, signal, detector, source)
            event[name] = group | {plot.name: plot.data}
            plots[-1].append(f"{EVENT}/{name}/{plot.name}")
            _lead_to(entry, name)
    for number, name in enumerate(dict.fromkeys(filter(None, detectors)), 1):
        instrument = _group(entry, "measurement/instrument", outward)
        instrument[f"detector{number}"] = {"@NX_class": "NXdetector", "name": name}
    return plots, unplaced


def _lead_to(entry: Tree, name: str) -> None:
    """Make the first plot the one that opens when the file is opened."""
    here = entry
    for part in (*EVENT.split("/"), name):
        if "@default" in here:
            return
        here["@default"] = part
        here = here[part]


def _title(signal: Signal, record: Record, source: Source) -> str:
    title = record.terms.get("acquisition.title")
    name = signal.name or (str(title.value) if title else None)
    return ": ".join(filter(None, (source.files[0].name, name)))


def _context(number: int, signal: Signal) -> str:
    return f"signal {number + 1} ({signal.name})" if signal.name else f"signal {number + 1}"


def _detectors(record: Record, outward: Outward) -> list[str | None]:
    """Return what recorded each signal, None where it is not known.

    What the record says of the detector holds for the pictures, and for spectra only if there is nothing else.
    """
    terms = {
        name: str(record.terms[name].value) for name in ("detector.name", "spectrometer.name") if name in record.terms
    }
    only_spectra = all(signal.kind in nxdata.SPECTRA for signal in record.signals)
    found: list[str | None] = []
    for signal in record.signals:
        if signal.name and record.format in outward.detector_named:
            found.append(signal.name)
        elif signal.kind not in nxdata.SPECTRA:
            found.append(terms.get("detector.name"))
        else:
            found.append(terms.get("spectrometer.name") or (terms.get("detector.name") if only_spectra else None))
    return found


def _process(number: int, signal: Signal, detector: str, source: Source) -> Tree:
    named = os.path.basename(signal.layout.path) if signal.layout else None  # noqa: PTH119 - a name may hold bytes
    file = next((each for each in source.files if each.name == named), source.files[0])
    return {
        "@NX_class": "NXprocess",
        "detector_identifier": detector,
        "input": {**_note(file), "context": _context(number, signal)},
    }


# --- whence ---


def _note(file: SourceFile) -> Tree:
    return {
        "@NX_class": "NXnote",
        "type": media_type(file.name),
        "file_name": file.name,
        "checksum": file.sha256,
        "algorithm": "sha256",
    }


def _profiling(raw: RawMetadata, source: Source) -> Tree:
    programs = [("nffa", source.version)]
    library, _, version = raw.reader.partition(" ")
    if library == "rosettasciio" and version:
        programs.append(("RosettaSciIO", version))
    made = {
        f"program{number}": {"@NX_class": "NXprogram", "program": name, "program@version": version}
        for number, (name, version) in enumerate(programs, 1)
    }
    return {"@NX_class": "NXcs_profiling", **made}


def _vendor(raw: RawMetadata) -> Tree:
    return {
        "@NX_class": "NXcollection",
        "format": raw.format,
        "reader": raw.reader,
        "json": as_json(raw.tree),
        "tree": browsable.collection(raw.tree),
    }


def as_json(tree: Mapping[str, Any]) -> str:
    """Return the vendor's tree as the JSON text that stands in the file."""
    try:
        return json.dumps(tree, allow_nan=False)
    except ValueError:  # a damaged file can turn any number into NaN
        return json.dumps(rawtree.lossless(tree))


def _own(record: Record, source: Source, plots: Sequence[Sequence[str]], unplaced: Sequence[str]) -> Tree:
    own: Tree = {
        "@NX_class": "NXcollection",
        "acquisition": source.acquisition,
        "digest": source.digest,
        "key": source.key,
        "record": json.dumps(record.as_json()),
        "plots": json.dumps(plots),
        "terms": browsable.terms(record.terms),
    }
    if unplaced:
        own["unplaced"] = list(unplaced)
    return own
