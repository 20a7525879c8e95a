"""The verbs of ``nffa review`` from beginning to end: ask, list what waits, accept a class, take that back."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from nffa_cli import settings
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import waiting
from nffa_cli.classify.agreement import CONFIDENCE
from nffa_cli.classify.models import Model
from nffa_cli.classify.waiting import Waiting
from nffa_cli.classifying import Wish, model_of
from nffa_cli.errors import UsageError
from nffa_cli.review import accepting, asking, reviewing
from nffa_cli.review.viewing import Viewer
from nffa_cli.settings import Settings
from nffa_cli.terminal import Column, Terminal

COLUMNS = (
    Column("predicted", least=10), Column("score", right=True), Column("decision", drop=1),
    Column("doubt", right=True, drop=2), Column("file", least=20, tail=True),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """What the user asked for; see the options of ``nffa review``."""

    model: str = ""
    labeller: str = ""
    label: str | None = None
    above: float | None = None
    below: float | None = None
    decision: str | None = None
    folder: str | None = None
    order: waiting.Order = "uncertain"
    second_opinion: bool = False
    alone: bool = False
    pictures: bool = True
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class _Room:
    """What every verb needs."""

    store: Store
    model: Model
    labeller: str
    whence: str


@contextmanager
def _room(ask: Ask, values: Settings) -> Iterator[_Room]:
    labeller, whence = reviewing.who(ask.labeller, values)
    model = model_of(values, Wish(ask.model))
    hint = "nffa classify FOLDER comes first"
    if not settings.catalogue_path().exists():
        raise UsageError(f"{model.name} has looked at no picture yet", hint=hint)
    with Store.open(settings.catalogue_path(), full_sync=True) as store:  # an answer cannot be made again
        number = store.opinions.model(model.sha256, model.name, model.version, model.labels)
        if next(store.opinions.classifications(number), None) is None:
            raise UsageError(f"{model.name} has looked at no picture yet", hint=hint)
        yield _Room(store, model, labeller, whence)


def _waiting(room: _Room, ask: Ask) -> list[Waiting]:
    wanted = waiting.Filter(reviewing.category(ask.label, room.model), ask.above, ask.below, ask.decision)
    found = reviewing.open_questions(
        room.store, room.model, wanted, folder=ask.folder, labeller=room.labeller, second_opinion=ask.second_opinion
    )
    return waiting.ordered(found, ask.order)


def review(ask: Ask, terminal: Terminal) -> int:
    """Ask a person, picture by picture; return the exit status."""
    values = settings.load()
    with _room(ask, values) as room:
        pictures = _waiting(room, ask)
        said = _converse(room, ask, pictures, values, terminal)
        terminal.data({"type": "summary", "answers": said.answered, "left": said.left, "labeller": room.labeller})
        what = f"{said.answered} answer{'s' * (said.answered != 1)} by {room.labeller}; {said.left} pictures left"
        terminal.line(what if pictures else "nothing waits")
        terminal.hint("Next: nffa model report" if said.answered else "nffa review list shows what waits")
    return 0


def _converse(
    room: _Room, ask: Ask, pictures: list[Waiting], values: Settings, terminal: Terminal,
    *, drawn: Collection[str] | None = None,
) -> reviewing.Review:  # fmt: skip
    """Hold the conversation over ``pictures`` and return the sitting; ``drawn`` as of ``Review``."""
    with ExitStack() as stack:
        who = asking.hears(ask.answers, terminal, stack)
        viewer = stack.enter_context(Viewer(room.store, values))
        fingerprint = None if ask.alone else asking.fingerprints(viewer, room.store.opinions.paths)
        sitting = reviewing.Review(
            room.store, room.model, room.labeller, pictures, drawn=drawn, fingerprint=fingerprint
        )
        terminal.say(f"answers are stored under the name {room.labeller} (from {room.whence}; --labeller changes it)")
        asking.converse(sitting, viewer, who, terminal, pictures=ask.pictures)
    return sitting


def tell_waiting(ask: Ask, limit: int, terminal: Terminal) -> int:
    """Show what waits; return the exit status."""
    with _room(ask, settings.load()) as room:
        found = _waiting(room, ask)
    for each in found[:limit]:
        terminal.data(
            {
                "type": "waiting", "path": each.path.replace(os.sep, "/"), "sha256": each.sha256, "label": each.label,
                "score": round(each.score, 6), "decision": each.decision, "doubt": round(each.doubt, 6),
            }
        )  # fmt: skip
    shown = [(e.label, f"{e.score:.2f}", e.decision, f"{e.doubt:.2f}", e.path) for e in found[:limit]]
    terminal.data({"type": "summary", "waiting": len(found), "shown": len(shown)})
    if shown:
        terminal.table(COLUMNS, shown)
    more = f", {len(shown)} shown (--limit)" if len(shown) < len(found) else ""
    terminal.line(f"{len(found)} pictures wait for {room.labeller}{more}" if found else "nothing waits")
    return 0


def accept(ask: Ask, label: str, above: float, check: int, at_most: float | None, terminal: Terminal) -> int:
    """Let a person look at a sample of a class, say how wrong the rest may be, and accept it; return the exit status.

    ``at_most``: accept if the error bound is no higher, and nothing otherwise; None: ask.
    """
    values = settings.load()
    with _room(ask, values) as room:
        name = str(reviewing.category(label, room.model))
        lot = accepting.lot(room.store, room.model, name, above, check=check, below=ask.folder)
        todo = accepting.still_to_check(room.store, lot)
        terminal.line(
            f"{len(lot.all)} pictures are {name} with a score from {above:g}; {len(lot.drawn)} drawn at random"
        )
        if todo:
            _converse(room, ask, todo, values, terminal, drawn={each.sha256 for each in lot.drawn})
        found, rest = accepting.checked(room.store, lot), accepting.rest(room.store, lot)
        if lot.all:
            _tell_bound(found, terminal)
        is_done = not accepting.still_to_check(room.store, lot)
        yes = (
            is_done
            and bool(rest)
            and _is_good(found, len(rest), name, at_most, terminal, is_scripted=bool(ask.answers))
        )
        if yes:
            note = f"score from {above:g}; spot check: {found.wrong} of {found.looked} wrong"
            accepting.accept(room.store, room.model, rest, name, room.labeller, note)
        terminal.data(accepting.as_json(lot, found, len(rest) if yes else 0, room.labeller))
        terminal.data({"type": "summary", "accepted": len(rest) if yes else 0})
        if yes:
            terminal.line(
                f"{len(rest)} pictures accepted as {name} by {room.labeller}, marked as not looked at one by one"
            )
            terminal.hint(f'nffa review accept --class "{name}" --take-back takes them back')
        else:
            why = "nothing is left to accept" if is_done and not rest else "nothing was accepted"
            terminal.line(why if is_done else f"{why}: the spot check is not finished; run it again to go on")
    return 0


def _tell_bound(found: accepting.Checked, terminal: Terminal) -> None:
    if not found.looked:
        terminal.line("no picture was checked: how many of them are wrong is not known")
        return
    terminal.line(
        f"{found.wrong} of {found.looked} checked were wrong: with {CONFIDENCE:.0%} confidence no more than "
        f"{found.bound:.1%} of all are (Clopper-Pearson)"
    )


def _is_good(
    found: accepting.Checked, rest: int, name: str, at_most: float | None, terminal: Terminal, *, is_scripted: bool
) -> bool:
    if at_most is not None:
        return found.bound <= at_most
    if is_scripted or terminal.as_json:
        raise UsageError("nobody is there to accept this", hint=f"add --at-most {min(1.0, found.bound + 0.0005):.3f}")
    return terminal.confirm(f"accept the other {rest} as {name} unseen? [y/N] ")


def take_back(ask: Ask, label: str, terminal: Terminal) -> int:
    """Take back what this person accepted of a class without looking; return the exit status."""
    with _room(ask, settings.load()) as room:
        name = str(reviewing.category(label, room.model))
        taken = accepting.take_back(room.store, name, room.labeller)
        terminal.data({"type": "summary", "taken_back": taken})
        terminal.line(f"{taken} pictures are no longer accepted as {name}; what was looked at stays")
    return 0
