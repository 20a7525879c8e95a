"""What the file cannot know: session file and instrument profile, laid under the record. Reads neither of them itself.

Precedence: file > session > profile. A disagreement with the file is a warning that names both; the session's
instrument section over the profile is an intended override and is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from nffa_cli.crosswalk.vocabulary import Term, Vocabulary
from nffa_cli.records import Quantity, Record, Remark

SESSION_FILE = "nffa-session.yaml"
_INSTRUMENT = {"vendor": "instrument.vendor", "model": "instrument.model", "serial": "instrument.serial"}

SESSION_TERMS: dict[str, str] = {
    "proposal.id": "proposal.id",
    "proposal.title": "proposal.title",
    "experiment.name": "experiment.name",
    "sample.name": "sample.name",
    "sample.description": "sample.description",
    "sample.atom_types": "sample.atom_types",
    "sample.preparation_date": "sample.preparation_date",
    "sample.physical_form": "sample.physical_form",
    "sample.is_simulation": "sample.is_simulation",
    "user.name": "operator.name",
    "user.orcid": "operator.orcid",
    "licence": "data.licence",
    **{f"instrument.{key}": term for key, term in _INSTRUMENT.items()},
}
"""Key of the session file → term. ``instrument.timezone`` and ``.date_order`` steer ``apply`` instead."""

PROFILE_TERMS: dict[str, str] = {**_INSTRUMENT, "facility": "instrument.facility"}
"""Key of a profile → term."""

_MATCHED = ("serial", "model", "vendor")


def is_outside(quantity: Quantity) -> bool:
    """Tell whether a session file or a profile said this, and not the instrument's file."""
    return quantity.source.startswith((f"{SESSION_FILE}/", "profile:"))


def merge(
    record: Record, session: Mapping[str, Any] | None, profile: Mapping[str, Any] | None, vocabulary: Vocabulary
) -> Record:
    """Return the record with what session and profile add; ``missing`` is counted anew."""
    terms = dict(record.terms)
    warnings = list(record.warnings)
    from_file = frozenset(terms)
    for name, quantity in _outside(session or {}, profile or {}, vocabulary):
        held = terms.get(name)
        if held is None:
            terms[name] = quantity
        elif name in from_file and not same(held.value, quantity.value):
            detail = f"{name}: the file says {held.value!r} ({held.source}), {quantity.source} says {quantity.value!r}"
            warnings.append(Remark("conflict", detail))
    missing = tuple(name for name in vocabulary.expected if name not in terms)
    return replace(record, terms=terms, missing=missing, warnings=tuple(dict.fromkeys(warnings)))


def match_profile(
    record: Record, profiles: Iterable[Mapping[str, Any]], session: Mapping[str, Any] | None = None
) -> Mapping[str, Any] | None:
    """Return the profile of the instrument that made the record; None if none, or two equally well, fit.

    Each of serial, model and vendor that a profile names must agree with the record (file first, then the session's
    instrument section) or be unknown there; at least one must agree. Serial counts for more than model, model for
    more than vendor.
    """
    section = (session or {}).get("instrument") or {}
    known = {
        key: quantity.value if (quantity := record.terms.get(_INSTRUMENT[key])) else section.get(key)
        for key in _MATCHED
    }
    ranked: list[tuple[tuple[bool, ...], Mapping[str, Any]]] = []
    for profile in profiles:
        named = {key: profile[key] for key in _MATCHED if profile.get(key)}
        agree = {key for key, value in named.items() if known[key] is not None and same(known[key], value)}
        if agree and all(key in agree or known[key] is None for key in named):
            ranked.append((tuple(key in agree for key in _MATCHED), profile))
    if not ranked:
        return None
    best = max(rank for rank, _ in ranked)
    first, *others = [profile for rank, profile in ranked if rank == best]
    return None if others else first


def same(one: Any, other: Any) -> bool:
    """Tell whether two values say the same: case, blanks and punctuation aside, one text may contain the other."""
    if isinstance(one, list) or isinstance(other, list):
        return sorted(map(str, one if isinstance(one, list) else [one])) == sorted(
            map(str, other if isinstance(other, list) else [other])
        )
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    a, b = (_bare(str(value)) for value in (one, other))
    return a == b or (min(len(a), len(b)) >= 3 and (a in b or b in a))


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _outside(
    session: Mapping[str, Any], profile: Mapping[str, Any], vocabulary: Vocabulary
) -> Iterable[tuple[str, Quantity]]:
    for key, name in SESSION_TERMS.items():
        section, _, inner = key.rpartition(".")
        holder = session.get(section) if section else session
        if isinstance(holder, Mapping) and holder.get(inner) not in (None, "", []):
            yield name, _quantity(holder[inner], vocabulary.terms[name], f"{SESSION_FILE}/{key}")
    label = f"profile:{profile.get('name', '')}"
    for key, name in PROFILE_TERMS.items():
        if profile.get(key) not in (None, ""):
            yield name, _quantity(profile[key], vocabulary.terms[name], f"{label}/{key}")


def _quantity(value: Any, term: Term, source: str) -> Quantity:
    """Return a value of a session file or profile, validated before, in the type of its term."""
    raw = value.isoformat() if isinstance(value, date | datetime) else value
    if term.type == "list":
        items = value if isinstance(value, list) else str(value).replace(",", " ").split()
        return Quantity([str(item) for item in items], None, source, raw)
    return Quantity(raw if term.type == "boolean" else str(raw), None, source, raw)
