"""What pages say of records, in words: embargoes, terms by group, calibration, provenance; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nffa_cli import spoken
from nffa_cli.node import embargo
from nffa_cli.node.releasing import State

GROUPS = {
    "acquisition": "Acquisition", "instrument": "Instrument", "sample": "Sample", "operator": "Operator", "user": "User",
    "beam": "Beam", "optics": "Optics", "scan": "Scan", "detector": "Detector", "stage": "Stage", "vacuum": "Vacuum",
    "spectrometer": "Spectrometer", "proposal": "Proposal", "experiment": "Experiment", "data": "Data",
}  # fmt: skip
"""First word of a term → heading, in the order of a page."""
FROM = {"experimentEnd": "the end of the experiment", "collection": "the measurement", "ingest": "its delivery"}
PLANES = ("image", "stack", "diffraction", "diffraction-stack")
"""Kinds of signal whose picture is one plane."""
LONGEST_RAW = 120


@dataclass(frozen=True, slots=True)
class Row:
    """A term: its name within its group, the value in words, where it was found, and how it stood there."""

    name: str
    value: str
    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class Scale:
    """What a picture's width is in the sample: metres, or 1/m where ``reciprocal``."""

    width: float
    height: float
    pixel: float
    reciprocal: bool

    @property
    def words(self) -> str:
        """The field of view and the pixel size."""
        unit = "1/m" if self.reciprocal else "m"
        sides = f"{spoken.quantity(self.width, unit)} × {spoken.quantity(self.height, unit)}"
        return f"{sides}, {spoken.quantity(self.pixel, unit)} per pixel"


def terms(document: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> list[tuple[str, list[Row]]]:
    """Return the terms of a record by group; those of the measurement's settings where there is no whole record."""
    found: dict[str, list[Row]] = {}
    held = (document or {}).get("terms") or settings
    for term, said in held.items() if isinstance(held, Mapping) else ():
        if not isinstance(said, Mapping) or said.get("value") is None:
            continue
        group, _, name = str(term).partition(".")
        row = Row((name or group).replace("_", " "), _value(said), _text(said.get("source")), _raw(said))
        found.setdefault(group, []).append(row)
    order = [*GROUPS]
    groups = sorted(found, key=lambda group: order.index(group) if group in GROUPS else len(order))
    return [(GROUPS.get(group, group.capitalize()), found[group]) for group in groups]


def scale(document: Mapping[str, Any] | None) -> Scale | None:
    """Return what the preview's width is in the sample; None: it is not calibrated, or it shows several pictures."""
    planes = _planes(document)
    if len(planes) != 1:
        return None
    axes = [axis for axis in planes[0].get("axes") or () if isinstance(axis, Mapping)][-2:]
    if len(axes) != 2 or len({axis.get("unit") for axis in axes}) != 1 or axes[0].get("unit") not in ("m", "1/m"):
        return None
    steps, sizes = ([axis.get(name) for axis in axes] for name in ("scale", "size"))
    if not all(isinstance(each, int | float) and 0 < abs(each) < 1e30 for each in (*steps, *sizes)):
        return None
    (high, wide), (rows, columns) = [abs(float(each or 0)) for each in steps], [float(each or 0) for each in sizes]
    return Scale(wide * columns, high * rows, wide, axes[0]["unit"] == "1/m")


def plane(document: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """Return width and height, in pixels, of the one picture that a record tells of; None: it tells of none, or of several."""
    planes = _planes(document)
    shape = planes[0].get("shape") if len(planes) == 1 else None
    if not isinstance(shape, list) or len(shape) < 2 or planes[0].get("kind") != "image":
        return None
    height, width = shape[:2]
    return (width, height) if all(type(each) is int and 0 < each < 1 << 20 for each in (width, height)) else None


def _planes(document: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    signals = (document or {}).get("signals")
    return [each for each in signals if _is(each, PLANES)] if isinstance(signals, list) else []


def embargoed(state: State, now: str) -> str:
    """Return the sentence on the embargo of one measurement."""
    at = state.released_at or now
    if at <= now:
        return f"Open to everybody since {at[:10]}."
    last = embargo.day(at)
    until = (last - timedelta(days=1)).isoformat() if last else at[:10]
    facts = state.facts[0]
    if facts.of_measurement:
        why = "as was set for this measurement"
    elif facts.of_proposal:
        why = "as was set for its proposal"
    else:
        why = f"as the data policy says: {counted(state.policy)}"
    return (
        f"Closed until the end of {until}, {why}. Until then its proposal's members see the data, and whom they let in."
    )


def counted(policy: embargo.Policy) -> str:
    """Return what a policy counts, in words."""
    if not policy.months:
        return "open at once"
    return f"{policy.months} month{'s' * (policy.months != 1)} after {FROM[policy.start]}"


def proposal_embargo(state: State, opens: Sequence[str], now: str) -> str:
    """Return the sentence on the embargo of a proposal.

    Parameters
    ----------
    opens
        When each of the measurements that the viewer sees opens.
    """
    closed = sorted(at for at in opens if at > now)
    rule = (
        f"the data policy opens data {counted(state.policy)}"
        if state.policy.months
        else "the data policy knows no embargo"
    )
    if state.own:
        rule = f"an embargo until the end of {state.own} was set for this proposal"
    if not opens:
        return f"{rule[0].upper()}{rule[1:]}."
    total = f"{len(opens)} measurement{'s' * (len(opens) != 1)}"
    if not closed:
        return f"All of its {total} that you see are open to everybody." if len(opens) > 1 else "Open to everybody."
    number = "All" if len(closed) == len(opens) else f"{len(closed)}"
    days = [each.isoformat() for at in (closed[0], closed[-1]) if (each := embargo.day(at))]
    span = " to ".join(dict.fromkeys(days))
    return f"{number} of {total} under embargo; {rule}. They open on {span}, at 00:00 UTC."


def flat(value: Any, above: str = "") -> Iterable[tuple[str, str]]:
    """Yield the entries of a JSON object as (path, text)."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from flat(each, f"{above}.{name}" if above else str(name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from flat(each, f"{above}.{number}")
    elif value is not None:
        yield above, _text(value)


def person(named: Mapping[str, Any] | None) -> str:
    """Return the name of a person as records hold it; empty: there is none."""
    return " ".join(filter(None, ((named or {}).get("givenName"), (named or {}).get("familyName"))))


def _is(signal: Any, kinds: Sequence[str]) -> bool:
    return isinstance(signal, Mapping) and signal.get("kind") in kinds


def _value(said: Mapping[str, Any]) -> str:
    unit = said.get("unit")
    value = said["value"]
    if isinstance(value, str | int | float | bool | list):
        return spoken.quantity(value, unit if isinstance(unit, str) else None)
    return _text(value)


def _raw(said: Mapping[str, Any]) -> str:
    raw = said.get("raw")
    if raw is None or raw == said["value"]:
        return ""
    text = ", ".join(f"{name}: {each}" for name, each in raw.items()) if isinstance(raw, Mapping) else _text(raw)
    return text if len(text) <= LONGEST_RAW else f"{text[:LONGEST_RAW]}…"


def _text(value: Any) -> str:
    return "" if value is None else str(value)
