"""``nffa model measure``: what classify says of pictures whose categories are known, compared with these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nffa_cli import classifying, settings
from nffa_cli.classify.train import names
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.story import TROUBLE
from nffa_cli.terminal import Terminal

if TYPE_CHECKING:
    from nffa_cli.classify.models import Model

FIGURES = (
    ("accuracy", "accuracy"), ("balanced accuracy", "balanced_accuracy"), ("macro-F1", "macro_f1"),
    ("right among the first two", "top2"), ("expected calibration error", "ece"), ("AUROC of none", "rejection_auroc"),
)  # fmt: skip
SHEET_EACH = 32
"""Pictures of a category on a contact sheet at most."""
MISTAKES = 8
"""Kinds of mistakes that people are told."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture: its file as it is named to people, its path, its category as a person says, the line of ``classify``."""

    source: str
    path: Path
    truth: str
    line: Mapping[str, Any]

    @property
    def said(self) -> str:
        """What was said: the best label; of a picture of none, none where that was decided."""
        is_none = self.truth == names.NONE and self.line["decision"] == "none"
        return names.NONE if is_none else str(self.line["labels"][0]["label"])

    @property
    def score(self) -> float:
        """The score of what was said."""
        return float(self.line["none"] if self.said == names.NONE else self.line["labels"][0]["score"])


def measure(place: Path, wanted: str, sheet: Path | None, values: settings.Settings, terminal: Terminal) -> int:
    """Classify, compare, tell, and write the contact sheet; return the exit status.

    Raises
    ------
    UsageError
        There is no picture of a category that the model knows.
    """
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise UsageError("a contact sheet is a .png file", where=str(sheet))
    if sheet is not None and sheet.exists() and place.absolute() in sheet.absolute().parents:
        raise UsageError("is there already, among the pictures", where=str(sheet), hint="--sheet ELSEWHERE.png")
    wish = classifying.Wish(wanted)
    model = classifying.model_of(values, wish)
    known, strange, trouble = [], Counter[str](), 0
    for found in _judged(place, values, wish, terminal):
        if isinstance(found, str):
            trouble += 1
            terminal.data({"type": "problem", "where": None, "what": found, "hint": None})
            terminal.say(found)
        elif found.truth in (*model.labels, names.NONE):
            known.append(found)
        else:
            strange[found.truth] += 1
    if not any(each.truth != names.NONE for each in known):
        hint = f"a folder of pictures for each category, or a list of labels; known are {', '.join(model.labels)}"
        raise UsageError("no picture of a category that the model knows is there", where=str(place), hint=hint)
    figures = _figures(place, known, model)
    terminal.data({
        "type": "evaluation", "model": model.name, "model_sha256": model.sha256, "place": place.as_posix(), **figures,
        "unknown": dict(strange),
    })  # fmt: skip
    terminal.data({"type": "summary", "pictures": len(known)})
    _tell(figures, known, strange, model, terminal)
    if sheet is not None:
        _write(sheet, _contact(known))
        terminal.line(f"wrote {sheet}")
    return 3 if trouble else 0


def figure_rows(*parts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row of a table for each figure: its name, and what each part says of it."""
    return [(title, *("" if part.get(key) is None else f"{part[key]:.3f}" for part in parts)) for title, key in FIGURES]


def _judged(
    place: Path, values: settings.Settings, wish: classifying.Wish, terminal: Terminal
) -> Iterator[Judged | str]:
    """Yield each picture whose category is known, or why it could not be read."""
    from nffa_cli.classify.train import pictures

    found, left_out = pictures.files(place)
    yield from (f"not read: {path} ({why})" for path, why in left_out)
    listed = {path.absolute().as_posix(): (path, label) for path, label in found}
    reporter = terminal.reporter()
    reporter.begin("classifying", len(listed))
    for seen in classifying.measured(list(listed), values, wish):
        outcome = seen.outcome
        if seen.line is not None and outcome.path in listed:
            path, label = listed[outcome.path]
            yield Judged((path.relative_to(place) if place.is_dir() else path).as_posix(), path, label, seen.line)
        elif outcome.status in TROUBLE or outcome.reason == "vanished":
            yield f"not read: {outcome.path} ({outcome.reason})"
        reporter.advance()
    reporter.end()


def _figures(place: Path, known: Sequence[Judged], model: Model) -> dict[str, Any]:
    import numpy as np

    from nffa_cli.classify.train import measured, measures

    classes = (*model.labels, names.NONE)
    truth = np.array([classes.index(each.truth) for each in known], np.intp)
    scores = [{part["label"]: part["score"] for part in each.line["labels"]} for each in known]
    rows = [[each[label] for label in model.labels] for each in scores]
    chances = np.column_stack([np.array(rows), [each.line["none"] for each in known]])
    logits = np.log(np.maximum(chances, 1e-9))
    likeness = np.array([each.line["in_distribution"] for each in known])

    def report(some: Any) -> dict[str, Any]:
        return measures.report(
            logits[some], truth[some], labels=model.labels, temperature=1.0, likeness=likeness[some],
            decisions=[known[n].line["decision"] for n in some],
        )  # fmt: skip

    right = np.array([each.said == each.truth for each in known])
    return measured.figures(place, [each.source for each in known], right, report)


def _tell(
    figures: Mapping[str, Any], known: Sequence[Judged], strange: Counter[str], model: Model, terminal: Terminal
) -> None:
    terminal.line(f"{figures['n']} pictures of the labels of {model.name}, {figures['n_none']} of none of them")
    parts = {"all": figures} | ({"beyond doubt": figures["clear"]} if "clear" in figures else {})
    rows = figure_rows(*parts.values())
    rows += [(f"right among the surest {float(share):.0%}", f"{right:.3f}", *[""] * (len(parts) - 1))
             for share, right in figures["coverage"].items()]  # fmt: skip
    terminal.table(("figure", *(f">{name}" for name in parts)), rows)
    terminal.table(
        ("label", ">pictures", ">found"),
        [(label, each["n"], f"{each['recall']:.2f}") for label, each in figures["recall"].items()],
    )
    for whose, decided in figures["decisions"].items():
        if isinstance(decided, Mapping):
            said = ", ".join(f"{share:.0%} {name}" for name, share in decided.items())
            terminal.line(f"decided {whose.replace('_', ' ')}: {said}")
    wrong = Counter((each.truth, each.said) for each in known if each.said != each.truth)
    for (truth, said), count in wrong.most_common(MISTAKES):
        terminal.line(f"  {count} of {truth} taken for {said}")
    for label, count in strange.items():
        terminal.say(f"{label}: {count} left out, for the model has no such label")


def _contact(known: Sequence[Judged]) -> bytes:
    """Return a contact sheet: of each category the surest mistakes first, then what is right, the least sure first."""
    from nffa_cli import shrinking
    from nffa_cli.classify.train import drawing

    def order(each: Judged) -> tuple[str, bool, float]:
        right = each.said == each.truth
        return each.truth, right, each.score if right else -each.score

    shown: list[Judged] = []
    counts: Counter[str] = Counter()
    for each in sorted(known, key=order):
        counts[each.truth] += 1
        if counts[each.truth] <= SHEET_EACH:
            shown.append(each)
    pictures = shrinking.shrunk([each.path for each in shown], drawing.THUMB[1])
    return drawing.contact(
        (each.truth, picture.grey, f"{each.score:.2f} {each.said}", each.said == each.truth)
        for each, picture in zip(shown, pictures, strict=True)
        if not isinstance(picture, str)
    )


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise DiskError(f"the contact sheet cannot be written: {error.strerror}", where=str(path)) from error
