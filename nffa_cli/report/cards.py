"""What a page says of each acquisition, and of the files that never became one; from the catalogue's answers, pure.

Numbers are written as people write them (10 kV, 54°), and what is not known is not there: no dash pretends to be a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli import browse, story
from nffa_cli.catalogue.assets import Asset
from nffa_cli.catalogue.rows import Entry
from nffa_cli.spectra import place

SETTINGS = {
    "beam.accelerating_voltage": "voltage",
    "optics.magnification": "magnification",
    "optics.field_width": "field",
    "optics.working_distance": "working distance",
    "detector.name": "detector",
    "optics.camera_length": "camera length",
    "stage.tilt_alpha": "tilt",
    "scan.dwell_time": "dwell",
    "beam.probe_current": "current",
}
"""Terms that stand beside a picture, most asked for first."""
SHOWN = 6
"""Settings of one picture at most."""
LINES = ({"spectrum"}, {"profile"})
"""Kinds of signals of an acquisition that one line shows."""
CERTAINTY = {"accepted": "sure", "uncertain": "not sure", "none": "none of the categories"}


@dataclass(frozen=True, slots=True)
class Card:
    """One acquisition on the page.

    preview
        Where its preview lies; None: there is nothing to show.
    spectra
        Where what a line is drawn from would lie; None: it is more than a spectrum.
    category, certainty
        What it shows, and who says so or how sure the model is; empty: nobody looked.
    settings
        (name, value) in words.
    wrong
        Sentences about what a person should know.
    missing
        Terms that every record should have and this one has not.
    """

    id: str
    name: str
    path: str
    started: str | None
    format: str
    preview: str | None
    spectra: str | None
    category: str
    certainty: str
    settings: tuple[tuple[str, str], ...]
    sample: str
    proposal: str
    experiment: str
    instrument: str
    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    nexus: tuple[str, ...]
    voltage: float | None
    field: float | None

    @property
    def time(self) -> str:
        """When it began, to the second, with the offset where one is known."""
        return re.sub(r"\.\d+", "", self.started or "").replace("T", " ")

    @property
    def alt(self) -> str:
        """What a screen reader says instead of the picture."""
        said = [self.category, *(f"{name} {value}" for name, value in self.settings[:3])]
        return ", ".join([f"preview of {self.name}", *filter(None, said)])


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is not in the catalogue: its status and why."""

    status: str
    path: str
    reason: str


def card(entry: Entry, assets: Iterable[Asset], score: float | None) -> Card:
    """Return what the page says of an acquisition; ``score``: how sure the model used last is, 0 to 1."""
    record = entry.record
    terms: Mapping[str, Mapping[str, Any]] = record["terms"]
    path = browse.forward(entry.path)
    start = terms.get("acquisition.start")
    texts = [(name, _words(terms, term)) for term, name in SETTINGS.items()]
    return Card(
        entry.id, path.rpartition("/")[2], path, str(start["value"]) if start else None, entry.format, entry.preview,
        place(entry.digest) if {each["kind"] for each in record["signals"]} in LINES else None,
        *_category(entry, score),
        tuple((name, text) for name, text in texts if text)[:SHOWN],
        _words(terms, "sample.name"), " ".join(filter(None, (_words(terms, "proposal.id"), _words(terms, "proposal.title")))),
        _words(terms, "experiment.name"), _words(terms, "instrument.model") or _words(terms, "instrument.vendor"),
        tuple(f"{each['code'].replace('-', ' ')}: {each['detail']}" for each in record["warnings"]), tuple(record["missing"]),
        tuple(browse.forward(each.path) for each in assets if each.kind == "nxem"),
        _number(terms, "beam.accelerating_voltage"), _number(terms, "optics.field_width"),
    )  # fmt: skip


def _words(terms: Mapping[str, Mapping[str, Any]], term: str) -> str:
    found = terms.get(term)
    return story.quantity(found["value"], found["unit"]) if found else ""


def _number(terms: Mapping[str, Mapping[str, Any]], term: str) -> float | None:
    value = terms[term]["value"] if term in terms else None
    return float(value) if isinstance(value, (int, float)) and value > 0 else None


def _category(entry: Entry, score: float | None) -> tuple[str, str]:
    known = entry.category
    if known is None:
        return "", ""
    if known.label is not None:
        return " + ".join(filter(None, (known.label, known.second))), "said by a person"
    told = CERTAINTY.get(known.decision or "", "")
    if known.decision == "none":
        return "none of the categories", "" if score is None else f"nearest: {known.predicted}"
    return known.predicted or "", f"{told}, {score:.0%}" if score is not None else told


def common(cards: Sequence[Card], what: str) -> list[str]:
    """Return the different texts that the cards hold of ``what`` (a field of ``Card``), the most frequent first."""
    counts: dict[str, int] = {}
    for each in cards:
        if text := getattr(each, what):
            counts[text] = counts.get(text, 0) + 1
    return sorted(counts, key=lambda text: (-counts[text], text))
