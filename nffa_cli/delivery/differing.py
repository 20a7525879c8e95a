"""What an update would change at a destination, field by field: a pure comparison of a bundle with what is there.

Places are those of the outward crosswalk (``measurement/sample/sampleName``). Values are told as people write them, and cut
around where they differ. What a destination does not say is not compared, and nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nffa_cli import spoken
from nffa_cli.destinations.base import AssetFile, Bundle, Holding, Plan
from nffa_cli.destinations.manifests import asset_json

LONGEST = 60
"""Characters of a value, and of a name that somebody else gave."""
DEEPEST = 8
"""Levels below which values are told as wholes."""
DIGITS = 12
"""Digits of a digest, as many as tell two apart."""
BEFORE = 20
"""Characters that are told before the first difference of long texts."""
OPENED = ("proposal", "experiment", "measurement")
"""What is told leaf by leaf also where one side has nothing; of documents and files, that they come or go is enough."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field that would follow; ``old``, ``new``: None where there is, or will be, nothing."""

    field: str
    old: str | None
    new: str | None

    def as_json(self) -> dict[str, str | None]:
        """Return it as JSON has it."""
        return {"field": self.field, "old": self.old, "new": self.new}


def told(plan: Plan) -> list[dict[str, str | None]] | None:
    """Return the changes of a plan as JSON has them; None: it is no update, or what is there is not known."""
    if plan.held is None:
        return None
    return [each.as_json() for each in changes(plan.delivery.bundle, plan.held)]


def changes(bundle: Bundle, held: Holding) -> tuple[Change, ...]:
    """Return the fields that would follow if the bundle were delivered, in its order.

    Parameters
    ----------
    held
        What the destination has; a part that is None is not compared, and what ``stays`` does not follow.
    """
    parts = (
        ("proposal", held.proposal, bundle.proposal),
        ("experiment", held.experiment, bundle.experiment),
        ("measurement", held.measurement, bundle.measurement),
        ("documents", held.documents, bundle.documents),
        ("assets", held.assets, {asset.relative_path: _asset(asset) for asset in bundle.assets}),
    )
    found = (change for name, old, new in parts if old is not None for change in _between(name, old, new))
    return tuple(each for each in found if not any(_is_in(each.field, place) for place in held.stays))


def _asset(asset: AssetFile) -> dict[str, Any]:
    return {name: value for name, value in asset_json(asset).items() if name != "relativePath"}


def _is_in(field: str, place: str) -> bool:
    return field == place or field.startswith(f"{place}/")


def _between(place: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new or (_is_nothing(old) and _is_nothing(new)):
        return
    parts = _parts(place, old, new)
    if parts is None:
        yield Change(place, *_shown(old, new))
        return
    before, after = parts
    for name in {**after, **before}:
        yield from _between(f"{place}/{str(name)[:LONGEST]}", before.get(name), after.get(name))


def _parts(place: str, old: Any, new: Any) -> tuple[Mapping[Any, Any], Mapping[Any, Any]] | None:
    """Return the two sides as what they consist of; None: they are told as wholes."""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)) and len(old) == len(new):
        both = [*old, *new]
        return (dict(enumerate(old)), dict(enumerate(new))) if any(isinstance(each, Mapping) for each in both) else None
    sides = [each for each in (old, new) if not _is_nothing(each)]
    if place.count("/") > DEEPEST or not all(isinstance(each, Mapping) for each in sides):
        return None
    if any(map(_is_digest, sides)):
        return None
    if any(map(_is_quantity, sides)):
        same = len(sides) == 2 and all(old.get(name) == new.get(name) for name in ("value", "unit"))
        return (old, new) if same else None
    return (old or {}, new or {}) if len(sides) == 2 or place.split("/")[0] in OPENED else None


def _is_nothing(value: Any) -> bool:
    """Tell whether a value says nothing: many systems do not keep empty ones."""
    return value is None or (isinstance(value, (Mapping, list, tuple)) and not value)


def _is_quantity(value: Mapping[str, Any]) -> bool:
    return {"value", "unit"} <= value.keys()


def _is_digest(value: Mapping[str, Any]) -> bool:
    return {"algorithm", "value"} == value.keys()


def _shown(old: Any, new: Any) -> tuple[str | None, str | None]:
    """Return both sides as they are told: short, and never alike. Of long lists only what comes and goes."""
    before, after = _text(old), _text(new)
    if before is None or after is None:
        return before and _cut(before, 0), after and _cut(after, 0)
    if len(before) > LONGEST and isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
        if (gone or come) and len(gone) + len(come) < len(old) + len(new):
            return _shown(gone, come)
    if before == after:  # the same to a few digits, or another type
        before, after = _exactly(old), _exactly(new)
    first = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    start = max(0, first - BEFORE) if first > LONGEST - BEFORE else 0
    return _cut(before, start), _cut(after, start)


def _text(value: Any) -> str | None:
    """Return a value as people write it; None: there is none."""
    if _is_nothing(value):
        return None
    if isinstance(value, Mapping):
        if _is_quantity(value):
            return _quantity(value["value"], value["unit"])
        if _is_digest(value):
            return str(_text(value["value"]))[:DIGITS]
        if isinstance(size := value.get("dataSize"), int):
            return spoken.size(size)
        return f"{len(value)} field{'s' * (len(value) != 1)}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(each, (Mapping, list, tuple)) for each in value):
            return f"{len(value)} entr{'ies' if len(value) != 1 else 'y'}"
        return ", ".join(map(str, value))
    return _quantity(value, None)


def _quantity(value: Any, unit: Any) -> str | None:
    if isinstance(value, (Mapping, list, tuple)) or not isinstance(unit, str | None):
        return _text(value)
    try:
        return spoken.quantity(value, unit)
    except OverflowError:  # no number that an instrument has
        return str(value)


def _exactly(value: Any) -> str:
    """Return a value that its usual form does not tell apart."""
    if isinstance(value, Mapping) and _is_quantity(value):
        return f"{_exactly(value['value'])} {value['unit'] or ''}".rstrip()
    return repr(value) if isinstance(value, (str, int, float)) else str(_text(value))


def _cut(text: str, start: int) -> str:
    end = start + LONGEST
    return ("…" if start else "") + text[start:end] + ("…" if len(text) > end else "")
