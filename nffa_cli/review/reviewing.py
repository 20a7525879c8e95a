"""A person's sitting: what is asked next, what an answer means, and what of it the catalogue remembers.

Every answer is in the catalogue before the next picture is asked, as a row that is never changed; killed anywhere, a sitting
loses nothing that was answered. Nothing here draws or reads keys (``asking`` does).
"""

from __future__ import annotations

import getpass
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli.catalogue.connection import utc_now
from nffa_cli.catalogue.opinions import Answer, Classification, How, Label
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import decide, waiting
from nffa_cli.classify.models import Model
from nffa_cli.classify.replies import Reply
from nffa_cli.classify.waiting import Waiting
from nffa_cli.errors import UsageError
from nffa_cli.settings import Settings

Fingerprint = Callable[[Waiting], int | None]
"""Gives the bits by which a picture is known again; see ``inline.fingerprint``."""


@dataclass(frozen=True, slots=True)
class Question:
    """One picture that waits for an answer.

    scores
        (label, score), descending.
    second
        The second category that was said beforehand.
    together
        Its near-duplicates, which get the same answer.
    """

    picture: Waiting
    paths: tuple[str, ...]
    scores: tuple[tuple[str, float], ...]
    second: str | None
    together: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What became of a reply: the rows that were stored, or none (``skip``, ``second``, …)."""

    reply: Reply
    labels: tuple[Label, ...] = ()


def who(given: str, values: Settings) -> tuple[str, str]:
    """Return the name under which answers are stored, and where it comes from.

    Raises UsageError where there is none, or one that cannot be written.
    """
    for said, whence in ((given, "--labeller"), (str(values["review.labeller"]), values.source("review.labeller"))):
        if name := " ".join(said.split()):
            if not name.isprintable():
                raise UsageError(f"{name!r} is no name of a person", where=whence, hint="write it in letters")
            return name, whence
    try:
        return getpass.getuser(), "the account of this computer"
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("nobody knows who you are", hint="add --labeller NAME") from error


def seen_by(store: Store, model: Model) -> Iterator[tuple[Waiting, Classification]]:
    """Yield everything that a model has looked at."""
    number = store.opinions.model(model.sha256, model.name, model.version, model.labels)
    for path, made in store.opinions.classifications(number):
        chances = decide.softmax([value / model.temperature for value in made.logits])
        doubt = waiting.doubt(chances)
        yield Waiting(made.sha256, path, made.label, made.score, made.decision, doubt, made.embedding), made


def open_questions(
    store: Store, model: Model, wanted: waiting.Filter, *, folder: str | None, labeller: str, second_opinion: bool
) -> Iterator[Waiting]:
    """Yield what waits for this person: what nobody has answered yet, or (``second_opinion``) only others have."""
    held = store.opinions.hold()
    below = None if folder is None else store.opinions.contents_below(folder)
    for each, _ in seen_by(store, model):
        by = {label.labeller for label in held.get(each.sha256, ())}
        is_open = bool(by) and labeller not in by if second_opinion else not by
        if is_open and wanted.passes(each) and (below is None or each.sha256 in below):
            yield each


def category(text: str | None, model: Model) -> str | None:
    """Return the category of a model that ``text`` means: its name or the start of it, whatever its case."""
    if text is None:
        return None
    found = [label for label in model.labels if label.casefold() == text.casefold()] or [
        label for label in model.labels if label.casefold().startswith(text.casefold())
    ]
    if len(found) != 1:
        raise UsageError(f"{text!r} is no category of {model.name}", hint="one of: " + ", ".join(model.labels))
    return found[0]


class Review:
    """One sitting: asks ``pictures`` in their order and stores what ``labeller`` says.

    drawn
        The contents of a spot check, drawn at random: each is asked for itself, and what is said of them counts as ``check``;
        None: this is none.
    fingerprint
        None: near-duplicates are not looked for.
    """

    def __init__(
        self,
        store: Store,
        model: Model,
        labeller: str,
        pictures: Sequence[Waiting],
        *,
        drawn: Collection[str] | None = None,
        fingerprint: Fingerprint | None = None,
    ) -> None:
        self.store = store
        self.model = model
        self.labeller = labeller
        self.pictures = pictures
        self._drawn = drawn
        self._fingerprint = fingerprint
        self._rows = waiting.vectors(pictures) if fingerprint is not None else None
        self._passed: set[int] = set()
        self._at = 0
        self._second: str | None = None
        self._alone = False
        self._together: dict[int, tuple[int, ...]] = {}
        self._history: list[tuple[int, tuple[int, ...], bool]] = []
        self._named_answers: Counter[str] = Counter()
        self._categories = dict.fromkeys((*model.labels, *store.opinions.categories()))

    @property
    def answered(self) -> int:
        """How many answers were given and not taken back; one for a group of near-duplicates."""
        return sum(was_said for _, _, was_said in self._history) + self._named_answers.total()

    @property
    def left(self) -> int:
        """How many pictures have neither been answered nor skipped."""
        return len(self.pictures) - len(self._passed)

    @property
    def categories(self) -> tuple[str, ...]:
        """The model's categories, then those that persons have added."""
        return tuple(self._categories)

    def question(self) -> Question | None:
        """Return what is asked now; None: nothing is left."""
        picture = self._asked()
        if picture is None:
            return None
        together = tuple(self.pictures[n] for n in self._near())
        paths = self.store.opinions.paths(picture.sha256) or (picture.path,)
        return Question(picture, paths, self._scores(picture.sha256), self._second, together)

    def take(self, reply: Reply) -> Said:
        """Do what a reply means; what it stores is in the catalogue when this returns.

        Raises UsageError where it means nothing here; nothing is changed then.
        """
        if reply.target is not None:
            return self._elsewhere(reply)
        if reply.kind == "undo":
            return Said(reply, self._undo())
        if reply.kind in ("quit", "help"):
            return Said(reply)
        if self.question() is None:
            raise UsageError("nothing is left to be answered", hint="u takes the last answer back")
        if reply.kind == "second":
            self._second = reply.second
            return Said(reply)
        if reply.kind == "apart":
            self._alone = True
            return Said(reply)
        numbers = (self._at,) if reply.kind == "skip" else (self._at, *self._near())
        labels: tuple[Label, ...] = ()
        if reply.kind != "skip":
            second = reply.second or self._second
            labels = tuple(self._label(self.pictures[n], reply, second, shown=n == self._at) for n in numbers)
            self._store(labels)
        self._history.append((self._at, numbers, bool(labels)))
        self._passed.update(numbers)
        self._move(self._at)
        return Said(reply, labels)

    # How it is done

    def _asked(self) -> Waiting | None:
        """Return the picture that is asked, the next that is still open; None: nothing is left."""
        while self._at < len(self.pictures) and self._at in self._passed:
            self._move(self._at + 1)  # what was said beforehand was said of that picture
        return self.pictures[self._at] if self._at < len(self.pictures) else None

    def _near(self) -> tuple[int, ...]:
        """Return the numbers of the near-duplicates of the picture that is asked, of those that are still open."""
        if self._rows is None or self._fingerprint is None or self._alone or self._drawn is not None:
            return ()
        if self._at not in self._together:
            mine = self._fingerprint(self.pictures[self._at])
            near = [] if mine is None else waiting.candidates(self.pictures, self._rows, self._at, self._passed)
            same = (n for n in near if waiting.is_same(mine, self._fingerprint(self.pictures[n])))
            self._together[self._at] = tuple(same)
        return self._together[self._at]

    def _scores(self, sha256: str) -> tuple[tuple[str, float], ...]:
        found = self.store.opinions.of(sha256, self.model.sha256)
        if found is None:
            return ()
        chances = decide.softmax([value / self.model.temperature for value in found.logits])
        return tuple(sorted(zip(self.model.labels, chances[:-1], strict=True), key=lambda pair: -pair[1]))

    def _label(self, picture: Waiting, reply: Reply, second: str | None = None, *, shown: bool = True) -> Label:
        """Return the row that an answer makes of one picture."""
        answers: Mapping[str, tuple[Answer, str | None]] = {
            "label": ("label", reply.label), "none": ("none", None), "unclear": ("unclear", None), "undo": ("undo", None),
            "accept": ("none", None) if self._prediction() == "none" else ("label", self._prediction()),
        }  # fmt: skip
        if reply.target is not None:
            answers = {**answers, "accept": ("none", None) if picture.decision == "none" else ("label", picture.label)}
        answer, label = answers[reply.kind]
        second = second if answer == "label" else None
        if second is not None and second == label:
            raise UsageError(f"{label} cannot be the second category, too", hint="answer with one of them")
        seen: How = "check" if self._drawn is not None and picture.sha256 in self._drawn else "looked"
        predicted = "none" if picture.decision == "none" else picture.label
        return Label(
            picture.sha256,
            answer,
            label,
            second,
            self.labeller,
            reply.note,
            self.model.sha256,
            predicted,
            utc_now(),
            how=seen if shown else "duplicate",
        )

    def _prediction(self) -> str:
        """Return what is accepted: the prediction of the picture that is shown, for its near-duplicates too."""
        if self._at >= len(self.pictures):
            return "none"
        picture = self.pictures[self._at]
        return "none" if picture.decision == "none" else picture.label

    def _store(self, labels: Sequence[Label]) -> None:
        with self.store.batch():
            for label in labels:
                self.store.opinions.say(label)
        self._categories |= {label.label: None for label in labels if label.label}

    def _undo(self) -> tuple[Label, ...]:
        if not self._history:
            raise UsageError(
                "there is nothing to take back in this sitting", hint="name a picture to take older ones back"
            )
        at, numbers, was_said = self._history.pop()
        labels: tuple[Label, ...] = ()
        if was_said:
            labels = tuple(self._label(self.pictures[n], Reply("undo"), shown=n == at) for n in numbers)
            self._store(labels)
        self._passed.difference_update(numbers)
        self._move(at)
        return labels

    def _elsewhere(self, reply: Reply) -> Said:
        """Take an answer to a picture that is named, whether or not it was asked."""
        if reply.kind not in ("accept", "label", "none", "unclear", "undo"):
            raise UsageError(f"{reply.kind!r} belongs to the picture that is asked, not to one that is named")
        picture = self._named(str(reply.target))
        asked = self._asked()
        beforehand = self._second if asked is not None and asked.sha256 == picture.sha256 else None
        labels = (self._label(picture, reply, reply.second or beforehand),)
        if reply.kind == "undo" and self.labeller not in {
            label.labeller for label in self.store.opinions.labels(picture.sha256)
        }:
            raise UsageError(f"{self.labeller} has not answered it", where=picture.path)
        self._store(labels)
        if reply.kind == "undo":
            self._forget(picture.sha256)
        else:
            self._named_answers[picture.sha256] += 1
        numbers = [n for n, each in enumerate(self.pictures) if each.sha256 == picture.sha256]
        (self._passed.difference_update if reply.kind == "undo" else self._passed.update)(numbers)
        self._together.clear()
        return Said(reply, labels)

    def _forget(self, sha256: str) -> None:
        """Count no longer what this sitting said last of a content; what was said in another one is not counted."""
        if self._named_answers[sha256]:
            self._named_answers[sha256] -= 1
            return
        for place, (at, numbers, was_said) in reversed(list(enumerate(self._history))):
            others = tuple(n for n in numbers if self.pictures[n].sha256 != sha256)
            if was_said and others != numbers:
                self._history[place : place + 1] = [(at, others, True)] if others else []
                return

    def _named(self, target: str) -> Waiting:
        opinions = self.store.opinions
        number = opinions.model(self.model.sha256, self.model.name, self.model.version, self.model.labels)
        try:
            look = opinions.look(os.path.abspath(target), number)  # noqa: PTH100 (as in path_key)
            made = look.classification if look is not None else opinions.of(target, self.model.sha256)
        except UnicodeEncodeError:  # half a character: no file is called so
            made = None
        if made is None:
            hint = "nffa classify it first, or write the whole SHA-256"
            raise UsageError(f"{self.model.name} has not looked at it", where=target, hint=hint)
        path = next(iter(opinions.paths(made.sha256)), "")
        return Waiting(made.sha256, path, made.label, made.score, made.decision, 0.0)

    def _move(self, at: int) -> None:
        self._at = at
        self._second = None
        self._alone = False
        self._together.clear()


def said_json(label: Label, picture_path: str) -> dict[str, Any]:
    """Return the ``answer`` line of a stored row."""
    return {"type": "answer", "path": picture_path.replace(os.sep, "/"), "sha256": label.sha256, **label.as_json()}
