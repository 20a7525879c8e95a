"""``nffa model report``: how far persons and a model agree, with the number of pictures behind every figure.

Only what a person looked at counts. What was reviewed because it was uncertain says nothing about all pictures: spot checks
are drawn at random, so their figure stands apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from nffa_cli import settings
from nffa_cli.catalogue.opinions import SEEN, Label
from nffa_cli.catalogue.store import Store
from nffa_cli.classify.agreement import Agreement, agreement, interval
from nffa_cli.classify.models import Model
from nffa_cli.classify.waiting import Waiting
from nffa_cli.classifying import Wish, model_of
from nffa_cli.review.reviewing import seen_by
from nffa_cli.terminal import Column, Terminal

CLASSES = (
    Column("category", least=10), Column("predicted", right=True), Column("accepted", right=True),
    Column("answered", right=True), Column("confirmed", right=True), Column("persons say", right=True),
    Column("model found", right=True),
)  # fmt: skip
PERSONS = (
    Column("labeller"), Column("looked", right=True), Column("agree", right=True), Column("not clear", right=True),
    Column("none", right=True), Column("first"), Column("last"),
)  # fmt: skip
DECISIONS = ("accepted", "uncertain", "none")


@dataclass(frozen=True, slots=True)
class Pair:
    """What a model and one person who looked at it say of one content."""

    picture: Waiting
    label: Label

    @property
    def predicted(self) -> str:
        """What the model says."""
        return prediction(self.picture)

    @property
    def agrees(self) -> bool:
        """Whether the person names the prediction, first or second."""
        return self.predicted in (self.label.category, self.label.second)


def prediction(each: Waiting) -> str:
    """Return what a model says of a picture, or that it is none of its categories."""
    return "none" if each.decision == "none" else each.label


def pairs(seen: Mapping[str, Waiting], held: Mapping[str, Iterable[Label]]) -> list[Pair]:
    """Return what can be compared: every answer of a person who looked at a picture that the model has looked at."""
    return [
        Pair(seen[sha256], label)
        for sha256, labels in held.items()
        if sha256 in seen
        for label in labels
        if label.how in SEEN
    ]


def tell(wanted: str, terminal: Terminal) -> int:
    """Compare a model with persons; return the exit status."""
    model = model_of(settings.load(), Wish(wanted))
    with Store.open(settings.catalogue_path()) as store:
        seen = {each.sha256: each for each, _ in seen_by(store, model)}
        held = store.opinions.hold()
    found = pairs(seen, held)
    unseen = Counter(label.how for sha256, labels in held.items() if sha256 in seen for label in labels)
    _tell_all(model, list(seen.values()), found, unseen, terminal)
    _tell_classes(model, list(seen.values()), found, terminal)
    _tell_persons(found, terminal)
    _tell_between(list(held.values()), terminal)
    _tell_months(found, terminal)
    terminal.data({"type": "summary", "classified": len(seen), "answers": len(found)})
    if not found:
        terminal.hint("Next: nffa review")
    return 0


def _tell_all(
    model: Model, seen: Sequence[Waiting], found: Sequence[Pair], how: Mapping[Any, int], terminal: Terminal
) -> None:
    decisions = Counter(each.decision for each in seen)
    clear = _clear(found)
    parts = {"all": clear, "spot checks": [pair for pair in clear if pair.label.how == "check"]}
    parts |= {name: [pair for pair in clear if pair.picture.decision == name] for name in DECISIONS}
    shares = {name: _agreement(part) for name, part in parts.items()}
    terminal.data(
        {
            "type": "report", "model": model.name, "version": model.version, "model_sha256": model.sha256,
            "classified": len(seen), "decisions": {name: decisions.get(name, 0) for name in DECISIONS},
            "answers": len(found), "not_clear": len(found) - len(clear),
            "agreement": {name.replace(" ", "_"): _json(share) for name, share in shares.items()},
            "not_looked_at": {name: how.get(name, 0) for name in ("duplicate", "bulk")},
        }
    )  # fmt: skip
    terminal.line(f"{model.name} {model.version} has looked at {len(seen)} pictures: "
                  + ", ".join(f"{decisions.get(name, 0)} {name} ({_percent(decisions.get(name, 0), len(seen))})"
                              for name in DECISIONS))  # fmt: skip
    terminal.line(f"persons looked at them {len(found)} times and found {len(found) - len(clear)} not clear")
    terminal.line(f"agreement: {_words(shares['all'])}; drawn at random: {_words(shares['spot checks'])}")
    by = "; ".join(f"{name} {_words(shares[name])}" for name in DECISIONS if shares[name].n)
    if by:
        terminal.line(f"by decision: {by}")
    if how.get("bulk") or how.get("duplicate"):
        terminal.line(f"not counted: {how.get('bulk', 0)} accepted with their class, {how.get('duplicate', 0)} "
                      "near-duplicates of what was looked at")  # fmt: skip


def _tell_classes(model: Model, seen: Sequence[Waiting], found: Sequence[Pair], terminal: Terminal) -> None:
    clear = _clear(found)
    added = sorted({pair.label.category for pair in clear} - {*model.labels, "none"})
    rows = []
    for name in (*model.labels, *added, "none"):
        predicted = [each for each in seen if prediction(each) == name]
        accepted = sum(each.decision == "accepted" for each in predicted)
        mine = [pair for pair in clear if pair.predicted == name]
        theirs = [pair for pair in clear if pair.label.category == name]
        confirmed, hit = sum(pair.agrees for pair in mine), sum(pair.agrees for pair in theirs)
        if not (predicted or theirs):
            continue
        low, high = interval(confirmed, len(mine))
        terminal.data(
            {
                "type": "report-class", "label": name, "predicted": len(predicted), "accepted": accepted,
                "answered": len(mine), "confirmed": confirmed, "confirmed_from": round(low, 4),
                "confirmed_to": round(high, 4), "persons_say": len(theirs), "model_found": hit,
            }
        )  # fmt: skip
        range_ = f" ({low:.0%} to {high:.0%})" if mine else ""
        rows.append((name, len(predicted), accepted, len(mine), f"{confirmed}{range_}", len(theirs), hit))
    if rows:
        terminal.table(CLASSES, rows)


def _tell_persons(found: Sequence[Pair], terminal: Terminal) -> None:
    rows = []
    for name in sorted({pair.label.labeller for pair in found}):
        mine = [pair for pair in found if pair.label.labeller == name]
        share = _agreement(_clear(mine))
        answers = Counter(pair.label.answer for pair in mine)
        first, last = (each(str(pair.label.made_at) for pair in mine) for each in (min, max))
        terminal.data(
            {
                "type": "report-labeller", "labeller": name, "looked": len(mine), "agreement": _json(share),
                "not_clear": answers["unclear"], "none": answers["none"], "first": first, "last": last,
            }
        )  # fmt: skip
        rows.append((name, len(mine), _words(share), answers["unclear"], answers["none"], first[:10], last[:10]))
    if rows:
        terminal.table(PERSONS, rows)


def _tell_between(held: Sequence[Iterable[Label]], terminal: Terminal) -> None:
    """Tell how far persons agree with each other on what both of them looked at."""
    both: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for labels in held:
        mine = sorted((label.labeller, label.category) for label in labels if label.how in SEEN)
        for (one, said), (other, also) in combinations(mine, 2):
            both.setdefault((one, other), []).append((said, also))
    for (one, other), answers in sorted(both.items()):
        share = agreement(answers)
        terminal.data({"type": "report-pair", "labellers": [one, other], "agreement": _json(share)})
        terminal.line(f"{one} and {other}: {_words(share)}")


def _tell_months(found: Sequence[Pair], terminal: Terminal) -> None:
    months = sorted({str(pair.label.made_at)[:7] for pair in found})
    for month in months:
        share = _agreement(_clear([pair for pair in found if str(pair.label.made_at).startswith(month)]))
        terminal.data({"type": "report-month", "month": month, "agreement": _json(share)})
        if len(months) > 1:
            terminal.line(f"{month}: {_words(share)}")


def _clear(found: Iterable[Pair]) -> list[Pair]:
    return [pair for pair in found if pair.label.answer != "unclear"]


def _agreement(found: Sequence[Pair]) -> Agreement:
    """Return the agreement; a second category that is the predicted one counts as the same."""
    return agreement([(pair.predicted, pair.predicted if pair.agrees else pair.label.category) for pair in found])


def _json(share: Agreement) -> dict[str, Any]:
    low, high = interval(share.same, share.n)
    return {
        "n": share.n, "same": share.same, "share": None if share.share is None else round(share.share, 4),
        "from": round(low, 4), "to": round(high, 4), "kappa": None if share.kappa is None else round(share.kappa, 4),
    }  # fmt: skip


def _words(share: Agreement) -> str:
    if not share.n:
        return "n = 0"
    low, high = interval(share.same, share.n)
    kappa = "" if share.kappa is None else f", kappa {share.kappa:.2f}"
    return f"{share.same} of {share.n} ({low:.0%} to {high:.0%}{kappa})"


def _percent(count: int, of: int) -> str:
    return f"{count / of:.0%}" if of else "–"
