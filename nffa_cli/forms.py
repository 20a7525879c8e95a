"""The two small YAML forms that people fill in, profile and session, as tables; checking and writing them.

Every complaint names the file and the line. Nothing here decides where the files live (``context.py``) or what their
values mean for a record (``crosswalk/merge.py``).
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli import orcid
from nffa_cli.crosswalk import document
from nffa_cli.errors import ConfigError, UsageError

ELEMENTS = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh "
    "Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr "
    "Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
)


def _text(value: Any) -> str | None:
    return None if isinstance(value, (str, int, float)) and str(value).strip() else "must be a text"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be true or false"


def _elements(value: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return "must be a list of chemical symbols, e.g. [Si, O]"
    unknown = [str(each) for each in value if str(each) not in ELEMENTS]
    return f"must hold chemical symbols (no such: {', '.join(unknown)})" if unknown else None


def _moment(value: Any) -> str | None:
    try:
        dt.datetime.fromisoformat(str(value))
    except ValueError:
        return "must be a date and time like 2024-05-06T10:00:00+02:00"
    return None


def _zone(value: Any) -> str | None:
    try:
        zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "must be a time zone like Europe/Rome"
    return None


def _one_of(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def _orcid(value: Any) -> str | None:
    if orcid.normal(value) is not None:
        return None
    if orcid.FORM.fullmatch(str(value)):
        return "must be an ORCID with the right check digit (mistyped?)"
    return "must be an ORCID like 0000-0002-1825-0097"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a form: its dotted place, how a value is checked (None: right), and what it means."""

    place: str
    check: Callable[[Any], str | None]
    about: str


INSTRUMENT = (
    ("vendor", _text, "Maker of the instrument."),
    ("model", _text, "Model, as the maker calls it."),
    ("serial", _text, "Serial number."),
    ("timezone", _zone, "Time zone of the instrument PC's clock; fills a missing offset, never replaces one."),
    ("date_order", _one_of("DMY", "MDY", "YMD"), "How the PC writes 04/11/2020; decides only what is ambiguous."),
    ("facility", _text, "Name of the facility."),
)

PROFILE = (
    *(Key(place, check, about) for place, check, about in INSTRUMENT),
    Key(
        "operator_policy",
        _one_of("keep", "pseudonym", "drop"),
        "What copies that leave the PC say of operators [pseudonym].",
    ),
)
"""What is said once of an instrument."""

SESSION = (
    Key("proposal.id", _text, "Number of the proposal."),
    Key("proposal.title", _text, "Its title."),
    Key("experiment.name", _text, "Name of the experiment."),
    Key("sample.name", _text, "Name of the sample."),
    Key("sample.description", _text, "What it is."),
    Key("sample.atom_types", _elements, "Chemical elements in it."),
    Key("sample.preparation_date", _moment, "When it was made or prepared."),
    Key("sample.physical_form", _text, "bulk, powder, thin film, …"),
    Key("sample.is_simulation", _flag, "Whether the data are simulated."),
    Key("user.name", _text, "Who measured."),
    Key("user.orcid", _orcid, "That person's ORCID."),
    *(Key(f"instrument.{place}", check, about) for place, check, about in INSTRUMENT),
    Key("licence", _text, "Licence of the data, e.g. CC-BY-4.0."),
)
"""What is said for a folder."""


QUESTIONS = (
    ("proposal.id", "Number of the proposal"),
    ("sample.name", "Name of the sample"),
    ("sample.atom_types", "Chemical elements in it (e.g. Si,O)"),
    ("user.name", "Who measures"),
    ("user.orcid", "ORCID of that person"),
)
"""What ``nffa session new`` asks."""

EXAMPLES = {
    "sample.atom_types": "Si,O",
    "sample.preparation_date": "2024-05-06T10:00:00+02:00",
    "sample.is_simulation": "false",
    "instrument.vendor": "Zeiss",
    "instrument.model": '"SUPRA 40"',
    "instrument.timezone": "Europe/Rome",
}
"""What a key of the session looks like, for whoever is told that it is missing."""


def from_pairs(pairs: Iterable[str], form: tuple[Key, ...]) -> dict[str, Any]:
    """Return {place: value} of texts like ``sample.atom_types=Si,O``; raises UsageError for what cannot be."""
    keys = {key.place: key for key in form}
    found: dict[str, Any] = {}
    for pair in pairs:
        place, sign, text = (part.strip() for part in pair.partition("="))
        if not sign or place not in keys:
            raise UsageError(f"{pair!r} is no KEY=VALUE of a session", hint=document.nearest(place, frozenset(keys)))
        if keys[place].check is _elements:
            found[place] = [each.strip() for each in text.split(",") if each.strip()]
        else:
            found[place] = (
                text.lower() == "true" if keys[place].check is _flag and text.lower() in ("true", "false") else text
            )
    check(found, form)
    return found


def read(path: Path, form: tuple[Key, ...]) -> dict[str, Any]:
    """Read and check a filled-in form.

    Raises
    ------
    ConfigError
        With ``file:line``: no YAML, an unknown key, a value that cannot be.
    """
    found, _ = document.read(path, error=ConfigError)
    _check(found, found.root, "", {key.place: key for key in form})
    value = found.root.python()
    return value if isinstance(value, dict) else {}


def _check(found: document.Document, node: document.Node, place: str, keys: Mapping[str, Key]) -> None:
    if place in keys:
        if (wrong := keys[place].check(node.python())) is not None:
            raise found.wrong(f"{place} {wrong}, not {node.python()!r}", node)
        return
    dot = place and place + "."
    known = frozenset(key[len(dot) :].partition(".")[0] for key in keys if key.startswith(dot))
    for name, item in found.known(node, f"'{place}'" if place else "the file", known).items():
        _check(found, item, dot + name, keys)


def check(values: Mapping[str, Any], form: tuple[Key, ...]) -> None:
    """Check values given by place (``{"sample.name": …}``) before they are written; raises UsageError."""
    keys = {key.place: key for key in form}
    for place, value in values.items():
        if (wrong := keys[place].check(value)) is not None:
            said = ", ".join(map(str, value)) if isinstance(value, list) else value
            raise UsageError(f"{place} {wrong}, not {said!r}")


def write(values: Mapping[str, Any], heading: str) -> str:
    """Return the YAML of values given by place; every scalar is written as JSON, which YAML reads too."""
    lines = [f"# {heading}"]
    section = None
    for place, value in values.items():
        head, _, rest = place.partition(".")
        if rest and head != section:
            lines.append(f"{head}:")
        section = head if rest else None
        lines.append(f"{'  ' if rest else ''}{rest or head}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def by_section(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values given by place as the form itself: ``{"sample": {"name": …}}``."""
    tree: dict[str, Any] = {}
    for place, value in values.items():
        section, _, key = place.rpartition(".")
        (tree.setdefault(section, {}) if section else tree)[key] = value
    return tree


def by_place(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return a filled-in form as {place: value}."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= by_place(value, f"{before}{key}.") if isinstance(value, Mapping) else {before + key: value}
    return found
