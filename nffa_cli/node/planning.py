"""What becomes of each item of an ingest: pure. It is planned when the ingest is opened and again when it is committed.

Known are only things that the caller may write; what he may not is, for the plan as for him, not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nffa_cli import vectors

Action = Literal["create", "update", "unchanged", "conflict", "refused"]
Change = Literal["new", "other", "same"]
"""An asset is new, has other bytes or says something else, or is as it was."""
Place = tuple[str, str]
"""An experiment: the portal's id of its proposal, and its name there."""
CHANGES = frozenset({"create", "update"})
ELSEWHERE = frozenset({"externalIds", "instrumentId"})
"""Fields of a measurement that lie in tables and columns of their own."""
COLUMNS = frozenset({"relativePath", "dataSize", "dataChecksum", "externalIds", "accessMode", "uri"})
"""Fields of an asset that are not in ``Wanted.about``."""


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """An asset as the database has it; ``about``: what is said of it, as in ``Wanted.about``."""

    id: str
    path: str
    version: int
    sha256: str
    size: int
    state: str
    uri: str | None
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A measurement as the database has it; ``about``: its fields, without those ``ELSEWHERE``. ``embedding``: model, vector."""

    id: str
    seq: int
    version: int
    place: Place
    about: Mapping[str, Any]
    external: frozenset[tuple[str, str]] = frozenset()
    instrument: str | None = None
    start_time: str | None = None
    documents: Mapping[str, Any] = field(default_factory=dict)
    embedding: tuple[str, bytes] | None = None
    assets: Mapping[str, HeldAsset] = field(default_factory=dict)
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of the things that a manifest names.

    proposals, experiments
        Id by the portal's id, and by place; None or absent: not there yet.
    barred
        Places that the caller may not deliver into, whether they are there or not.
    measurements
        By their id.
    external
        Id of the measurement by place, scheme and value.
    instruments
        Ids of the instruments that there are.
    """

    proposals: Mapping[str, str] = field(default_factory=dict)
    experiments: Mapping[Place, str] = field(default_factory=dict)
    barred: frozenset[Place] = frozenset()
    measurements: Mapping[str, Held] = field(default_factory=dict)
    external: Mapping[tuple[Place, str, str], str] = field(default_factory=dict)
    instruments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """An asset as the manifest has it; ``about`` is all that is said of it, without what columns hold."""

    path: str
    sha256: str
    size: int
    uri: str | None
    about: Mapping[str, Any]

    @property
    def state(self) -> str:
        """The state that it is in when it has come."""
        return "available" if self.uri is None else "linked"


Part = tuple[Wanted, str, Change, HeldAsset | None]
"""What is done for an asset: as it is wanted, its id, what changes, what the database has of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done for one item.

    version
        The one that the database has; None: none.
    withdrawn
        What the database has and the manifest does not name any more.
    """

    ref: str
    place: Place
    action: Action
    measurement: str | None = None
    version: int | None = None
    held: Held | None = None
    assets: tuple[Part, ...] = ()
    withdrawn: tuple[HeldAsset, ...] = ()
    problem: tuple[str, str] | None = None

    @property
    def takes_part(self) -> bool:
        """Whether a commit changes something for it."""
        return self.action in CHANGES


def place_of(item: Mapping[str, Any]) -> Place:
    """Return the experiment that an item of a manifest belongs to."""
    return item["proposal"]["proposalId"], item["experiment"]["experimentName"]


def about(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an item says of its measurement."""
    return {name: value for name, value in item["measurement"].items() if name not in ELSEWHERE}


def embedding(item: Mapping[str, Any]) -> tuple[str, bytes] | None:
    """Return model and vector of an item's embedding; None: it has none."""
    return vectors.of(item["embedding"]) if "embedding" in item else None


def wanted(item: Mapping[str, Any]) -> Iterable[Wanted]:
    """Yield the assets of an item."""
    for asset in item.get("assets", ()):
        said = {name: value for name, value in asset.items() if name not in COLUMNS}
        yield Wanted(asset["relativePath"], asset["dataChecksum"]["value"], asset["dataSize"], asset.get("uri"), said)


def planned(items: Sequence[Mapping[str, Any]], known: Known, name: Callable[[str], str]) -> list[Step]:
    """Return what is done for each item, in their order.

    Parameters
    ----------
    items
        As in the manifest, on the wire's names.
    name
        Gives the id of what is new: of the same label always the same id.
    """
    taken: set[object] = set()
    steps = []
    for item in items:
        step = _step(item, known, name)
        claims = {step.measurement, *((step.place, *each) for each in _externals(item))} if step.takes_part else set()
        if claims & taken:
            detail = "another item of this ingest has the same external id, or is the same measurement"
            step = Step(step.ref, step.place, "refused", problem=("Named twice", detail))
        else:
            taken |= claims
        steps.append(step)
    return steps


def _step(item: Mapping[str, Any], known: Known, name: Callable[[str], str]) -> Step:
    ref, place = item["ref"], place_of(item)
    if place in known.barred:
        detail = "there is no such proposal that you may deliver into"
        return Step(ref, place, "refused", problem=("Not found", detail))
    instrument = item["measurement"].get("instrumentId")
    if instrument is not None and instrument not in known.instruments:
        return Step(ref, place, "refused", problem=("Not found", f"there is no instrument {instrument}"))
    held = _found(item, place, known)
    if held is None:
        fresh: list[Part] = [(each, name(_label(ref, each.path)), "new", None) for each in wanted(item)]
        return Step(ref, place, "create", name(_label(ref)), assets=tuple(fresh))
    assets = tuple(_compared(each, held, name, ref) for each in wanted(item))
    named = {each.path for each, *_ in assets}
    withdrawn = tuple(each for path, each in held.assets.items() if path not in named and each.state != "withdrawn")
    same = (
        not withdrawn
        and all(change == "same" for _, _, change, _ in assets)
        and held.place == place
        and held.about == about(item)
        and held.external == set(_externals(item))
        and instrument in (None, held.instrument)
        and held.documents == item.get("documents", {})
        and held.embedding == embedding(item)
    )
    step = Step(ref, place, "unchanged", held.id, held.version, held, assets, withdrawn)
    if same:
        return step
    if held.stays and held.place[0] != place[0]:
        detail = "it belongs to another proposal, which only its depositor or its principal investigator changes"
        return Step(ref, place, "refused", held.id, held.version, held, problem=("Not allowed", detail))
    if item.get("ifMatch") == held.version:
        return Step(ref, place, "update", held.id, held.version, held, assets, withdrawn)
    detail = (
        f"it differs from what is here, which has version {held.version}: send ifMatch {held.version} to replace it"
    )
    return Step(ref, place, "conflict", held.id, held.version, held, problem=("Conflict", detail))


def _found(item: Mapping[str, Any], place: Place, known: Known) -> Held | None:
    if (held := known.measurements.get(item.get("measurementId", ""))) is not None:
        return held
    ids = (known.external.get((place, *each)) for each in _externals(item))
    return next((known.measurements[each] for each in ids if each is not None and each in known.measurements), None)


def _externals(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["scheme"], each["value"]) for each in item["measurement"]["externalIds"]]


def _compared(each: Wanted, held: Held, name: Callable[[str], str], ref: str) -> Part:
    known = held.assets.get(each.path)
    if known is None:
        return each, name(_label(ref, each.path)), "new", None
    here, there = ((one.sha256, one.size, one.state, one.uri, one.about) for one in (known, each))
    return each, known.id, "same" if here == there else "other", known


def _label(ref: str, path: str | None = None) -> str:
    """Return what an id is remembered under; a path has no line break, so that no two things share a label."""
    return f"measurement {ref}" if path is None else f"asset {ref}\n{path}"
