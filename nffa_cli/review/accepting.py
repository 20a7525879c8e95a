"""Accepting a whole class above a score, after a person has looked at a few of it drawn at random.

How wrong the rest may be is said before anything is accepted. The sample is the same whenever it is drawn (``waiting.sample``),
so that a bad one cannot be drawn again until it pleases; what was answered of it is not asked again.

A sample speaks for the lot it was drawn from. Once the rest of that lot is accepted, it is spent: nothing that it was drawn from
is left, and beside new pictures it would fill the places of a sample of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli.catalogue.connection import utc_now
from nffa_cli.catalogue.opinions import Label
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import waiting
from nffa_cli.classify.agreement import CONFIDENCE, upper_bound
from nffa_cli.classify.models import Model
from nffa_cli.classify.waiting import Waiting
from nffa_cli.review.reviewing import seen_by


@dataclass(frozen=True, slots=True)
class Lot:
    """A class above a score, as one model sees it.

    all
        What is still to be accepted, and what a spot check has looked at.
    drawn
        The sample that a person looks at first.
    """

    label: str
    above: float
    all: tuple[Waiting, ...]
    drawn: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a person found in the sample; ``bound``: how wrong the lot may be at most, with ``CONFIDENCE``."""

    looked: int
    wrong: int
    bound: float


def lot(store: Store, model: Model, label: str, above: float, *, check: int, below: str | None = None) -> Lot:
    """Return what ``review accept`` is about: pictures that nobody has labelled, but in a spot check that still counts.

    A check counts for the model that it was drawn for (another one may have learnt from it), until somebody, whoever it is,
    accepts the class; when that is taken back, it counts again. Till then its pictures stay, whatever else is said of them.
    ``below``: only pictures of this folder.
    """
    held = store.opinions.hold()
    checked = _checked_since(store, model, _last_acceptance(held, model, label))
    inside = None if below is None else store.opinions.contents_below(below)
    wanted = waiting.Filter(label, above)
    found = {}
    for each, _ in seen_by(store, model):
        is_open = each.sha256 not in held or each.sha256 in checked
        if is_open and wanted.passes(each) and (inside is None or each.sha256 in inside):
            found[each.sha256] = each
    drawn = waiting.sample(found, check, f"check {model.sha256} {label}")
    return Lot(label, above, tuple(found.values()), tuple(found[sha256] for sha256 in drawn))


def _last_acceptance(held: Mapping[str, Sequence[Label]], model: Model, label: str) -> int:
    """Return the number of the last row that accepts the class without looking and was not taken back; 0: there is none."""
    return max(
        (
            said.seq or 0
            for labels in held.values()
            for said in labels
            if said.how == "bulk" and said.label == label and said.model == model.sha256
        ),
        default=0,
    )


def _checked_since(store: Store, model: Model, seq: int) -> set[str]:
    """Return the contents that were drawn for this model and answered later than row ``seq``."""
    return {
        said.sha256
        for said in store.opinions.labelled()
        if said.how == "check" and said.model == model.sha256 and (said.seq or 0) > seq
    }


def still_to_check(store: Store, which: Lot) -> list[Waiting]:
    """Return what of the sample nobody has looked at."""
    return [each for each in which.drawn if not store.opinions.labels(each.sha256)]


def checked(store: Store, which: Lot) -> Checked:
    """Return what persons say of the sample so far; anything but the class, first or second, counts as wrong."""
    looked = wrong = 0
    for each in which.drawn:
        said = store.opinions.labels(each.sha256)
        looked += bool(said)
        wrong += bool(said) and not all(which.label in (one.label, one.second) for one in said)
    return Checked(looked, wrong, upper_bound(wrong, looked))


def rest(store: Store, which: Lot) -> list[Waiting]:
    """Return what would be accepted unseen."""
    return [each for each in which.all if not store.opinions.labels(each.sha256)]


def accept(store: Store, model: Model, pictures: Sequence[Waiting], label: str, labeller: str, note: str) -> None:
    """Store the class as the label of all ``pictures``, in one transaction; each row says that nobody looked."""
    now = utc_now()
    with store.batch():
        for each in pictures:
            store.opinions.say(
                Label(each.sha256, "label", label, None, labeller, note, model.sha256, each.label, now, how="bulk")
            )


def as_json(which: Lot, found: Checked, accepted: int, labeller: str) -> Mapping[str, Any]:
    """Return the ``accepted`` line."""
    return {
        "type": "accepted", "label": which.label, "above": which.above, "pictures": len(which.all),
        "checked": found.looked, "wrong": found.wrong, "error_bound": round(found.bound, 6), "confidence": CONFIDENCE,
        "accepted": accepted, "labeller": labeller,
    }  # fmt: skip


def take_back(store: Store, label: str, labeller: str) -> int:
    """Undo, by a row for each, what a person accepted of a class without looking; return how many there were."""
    now = utc_now()
    mine = [
        said
        for labels in store.opinions.hold().values()
        for said in labels
        if said.how == "bulk" and said.label == label and said.labeller == labeller
    ]
    with store.batch():
        for said in mine:
            store.opinions.say(Label(said.sha256, "undo", None, None, labeller, None, said.model, said.predicted, now))
    return len(mine)
