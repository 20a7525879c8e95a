"""The conversation of ``nffa review``: shows what is asked, hears keys or lines, says what was stored.

Keys come from a terminal one by one; lines come from a file or a pipe, so that a script or another program can answer, too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

from nffa_cli import story
from nffa_cli.classify import replies
from nffa_cli.classify.replies import Reply
from nffa_cli.classify.waiting import Waiting
from nffa_cli.errors import UsageError
from nffa_cli.review import inline, keyboard
from nffa_cli.review.reviewing import Question, Review, said_json
from nffa_cli.review.viewing import View, Viewer
from nffa_cli.terminal import Terminal

GLANCE = (
    "instrument.model", "beam.accelerating_voltage", "optics.magnification", "optics.field_width",
    "optics.working_distance", "detector.name", "sample.name",
)  # fmt: skip
"""Terms that are shown of a picture, where they are known."""

PICTURE = (64, 20)
"""Columns and lines of a picture at most."""
HELP = (
    "Enter or a  it is as predicted     1 … 9, 0  another category     c  a new category, by name",
    "+ and a key  a second category, before the answer            n  not clear     x  none of these",
    "d  this one apart from its near-duplicates     s  later     u  take back     q  enough",
)
"""What ``?`` says, and what a terminal is told first."""


class Hears(Protocol):
    """Gives one reply after the other; ``goes_on``: also when nothing is left to be asked, for pictures that are named."""

    goes_on: bool

    def next(self, question: Question | None, categories: tuple[str, ...]) -> Reply | None:
        """Return the next reply; None: there are no more."""

    def refused(self, error: UsageError) -> None:
        """Deal with a reply that meant nothing: a person is told, a file is wrong."""


def hears(answers: str | None, terminal: Terminal, stack: ExitStack) -> Hears:
    """Return who answers: the lines of the file ``answers`` (``-``: stdin), or the keys of a terminal.

    Raises UsageError where there is neither.
    """
    if answers is None:
        if terminal.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            what = "a review asks a person, and there is no terminal"
            raise UsageError(what, hint="add --answers FILE (or - for stdin), one answer a line")
        stack.enter_context(keyboard.attentive())
        return Keys(terminal)
    if answers == "-":
        return Lines(sys.stdin, "stdin")
    try:
        return Lines(stack.enter_context(open(answers, encoding="utf-8")), answers)  # noqa: PTH123
    except OSError as error:
        raise UsageError(f"the answers cannot be read: {error.strerror}", where=answers) from error


class Lines:
    """Answers, one a line; see ``replies.of_line``."""

    goes_on = True

    def __init__(self, lines: Any, where: str) -> None:
        self._lines = lines
        self._where = where
        self._number = 0

    def next(self, question: Question | None, categories: tuple[str, ...]) -> Reply | None:
        """Return the reply of the next line; empty ones, and those that begin with #, are passed over."""
        line = "\n"
        while line and (not line.strip() or line.startswith("#")):
            try:
                line = self._lines.readline()
            except UnicodeDecodeError as error:
                raise UsageError("the answers are no UTF-8 text", where=self._where) from error
            self._number += 1
        if not line:
            return None
        try:
            return replies.of_line(line, categories)
        except UsageError as error:
            self.refused(error)
            raise

    def refused(self, error: UsageError) -> None:
        """Raise it with the line it comes from; what came before is stored."""
        error.where = f"{self._where}:{self._number}" + (f": {error.where}" if error.where else "")
        raise error


class Keys:
    """A person at a terminal."""

    goes_on = False

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def next(self, question: Question | None, categories: tuple[str, ...]) -> Reply | None:
        """Return what the next keys mean; None at the end of the input."""
        while True:
            key = keyboard.key()
            if key == keyboard.END:
                return None
            if key == replies.NEW:
                typed = self._ask("name of the category (empty: none): ")
                reply = self._named(typed, categories)
            elif key == replies.SECOND:
                reply = self._second(categories)
            else:
                reply = replies.of_key(key, categories)
            if reply is not None:
                return reply

    def refused(self, error: UsageError) -> None:
        """Say what was wrong; the picture is asked again."""
        self._terminal.line(f"  {error.what}" + (f" ({error.hint})" if error.hint else ""))

    def _second(self, categories: tuple[str, ...]) -> Reply | None:
        self._terminal.prompt("second category: key or c ")
        key = keyboard.key()
        label = replies.of_digit(key, categories)
        if key == replies.NEW:
            found = self._named(self._ask("name: "), categories)
            label = found.label if found else None
        self._terminal.line(label or "none")
        return Reply("second", second=label) if label else None

    def _named(self, typed: str, categories: tuple[str, ...]) -> Reply | None:
        if not typed.strip():
            return None
        try:
            return Reply("label", replies.name(typed, categories))
        except UsageError as error:
            self.refused(error)
            return None

    def _ask(self, text: str) -> str:
        with keyboard.relaxed():  # before the question is seen: a quick typist's mistakes can be mended too
            self._terminal.prompt(text)
            return sys.stdin.readline()


def converse(review: Review, viewer: Viewer, who: Hears, terminal: Terminal, *, pictures: bool) -> bool:
    """Ask until nothing is left, nobody answers any more, or ``quit``; return whether nothing is left."""
    show = _shower(terminal, pictures=pictures)
    if not who.goes_on:
        _help(review.categories, terminal)
    shown: tuple[Any, ...] | None = None
    while True:
        question = review.question()
        asked = None if question is None else (question.picture.sha256, question.second, len(question.together))
        if question is not None and asked != shown:
            _tell(question, viewer.view(question.picture.sha256, question.paths), review, terminal, show)
        if question is None and not who.goes_on:
            if not review.answered:
                return True
            terminal.line("nothing is left (u takes the last answer back; any other key ends)")
        shown = asked
        reply = who.next(question, review.categories)
        if reply is None or reply.kind == "quit" or (question is None and not who.goes_on and reply.kind != "undo"):
            return question is None
        if reply.kind == "help":
            _help(review.categories, terminal)
            continue
        try:
            said = review.take(reply)
        except UsageError as error:
            who.refused(error)
            continue
        for label in said.labels:
            path = next(iter(review.store.opinions.paths(label.sha256)), "")
            terminal.data(said_json(label, path))
        terminal.line(f"  → {_words(said.labels)}" if said.labels else f"  → {reply.kind}")
        terminal.flush()


def fingerprints(viewer: Viewer, paths: Callable[[str], tuple[str, ...]]) -> Callable[[Waiting], int | None]:
    """Return a function that gives the fingerprint of a picture from its preview, each taken once."""
    known: dict[str, int | None] = {}

    def of(picture: Waiting) -> int | None:
        if picture.sha256 not in known:
            preview = viewer.view(picture.sha256, paths(picture.sha256)).preview
            known[picture.sha256] = None if preview is None else inline.fingerprint(preview)
        return known[picture.sha256]

    return of


# --- what is shown ---


def _words(labels: Any) -> str:
    first = labels[0]
    words = first.answer if first.answer in ("none", "unclear") else f"{first.label}"
    words = "taken back" if first.answer == "undo" else words + (f" and {first.second}" if first.second else "")
    return words + (f", and of {len(labels) - 1} near-duplicates" if len(labels) > 1 else "")


def _tell(question: Question, view: View, review: Review, terminal: Terminal, show: Callable[[Any], None]) -> None:
    """Show one question: to a person as a card, to a program as a line."""
    picture = question.picture
    terms = {name: view.terms[name] for name in GLANCE if name in view.terms}
    preview = None if view.preview is None else view.preview.as_posix()
    terminal.data(
        {
            "type": "question", "path": question.paths[0].replace(os.sep, "/"), "sha256": picture.sha256,
            "labels": [{"label": label, "score": round(score, 6)} for label, score in question.scores],
            "decision": picture.decision, "doubt": round(picture.doubt, 6), "model_sha256": review.model.sha256,
            "terms": terms, "preview": preview, "second": question.second, "left": review.left,
            "together": [{"path": each.path.replace(os.sep, "/"), "sha256": each.sha256} for each in question.together],
        }
    )  # fmt: skip
    terminal.line()
    if view.preview is not None:
        show(view.preview)
    terminal.line(f"{question.paths[0]}   ({review.left} left)")
    best = "   ".join(f"{_key(label, review)} {label} {score:.2f}" for label, score in question.scores[:3])
    terminal.line(f"  {picture.decision}: {best}")
    if terms:
        terminal.line("  " + " · ".join(_setting(name, term) for name, term in terms.items()))
    terminal.line(f"  preview: {preview}" if preview else f"  no picture: {view.problem}")
    if question.together:
        names = ", ".join(os.path.basename(each.path) for each in question.together[:3])  # noqa: PTH119
        more = ", …" if len(question.together) > 3 else ""
        terminal.line(f"  with {len(question.together)} near-duplicates, answered together (d: apart): {names}{more}")
    if question.second:
        terminal.line(f"  second category: {question.second}")
    terminal.flush()


def _key(label: str, review: Review) -> str:
    number = review.model.labels.index(label)
    return replies.DIGITS[number] if number < len(replies.DIGITS) else " "


def _setting(name: str, term: Mapping[str, Any]) -> str:
    return f"{name.rpartition('.')[2].replace('_', ' ')} {story.quantity(term['value'], term['unit'])}"


def _help(categories: tuple[str, ...], terminal: Terminal) -> None:
    for line in HELP:
        terminal.line(line)
    keys = (f"{replies.DIGITS[n]} {name}" for n, name in enumerate(categories[: len(replies.DIGITS)]))
    terminal.line("   ".join(keys))
    if more := categories[len(replies.DIGITS) :]:
        terminal.line("by name: " + ", ".join(more))


def _shower(terminal: Terminal, *, pictures: bool) -> Callable[[Any], None]:
    """Return what draws a preview on this terminal, if it can."""
    how = inline.way(os.environ) if pictures and terminal.draws_pictures else None
    if how is None:
        return lambda path: None
    columns, rows = terminal.window()
    size = {"columns": min(PICTURE[0], columns - 1), "rows": max(4, min(PICTURE[1], rows - 8))}

    def show(path: Any) -> None:
        try:
            terminal.picture(inline.draw(path, how, **size))
        except OSError as error:
            terminal.line(f"  the preview cannot be shown: {error}")

    return show
