"""The page itself: what the catalogue knows below a folder, or finds for a query, as one HTML file; the door of Jinja.

The file needs nothing beside itself: no script, no font, no picture from elsewhere, and its own policy forbids them.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nffa_cli import __version__, browse, scan, settings
from nffa_cli.catalogue.rows import Entry
from nffa_cli.catalogue.store import Store
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.progress import Reporter
from nffa_cli.report import plots, timeline
from nffa_cli.report.cards import Card, Held, card, common
from nffa_cli.terminal import printable

HELD = ("waiting", "quarantined", "failed")


@dataclass(frozen=True, slots=True)
class Group:
    """Cards under one heading: a sitting at the instrument, or what has no time."""

    title: str
    remark: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The page that was written: where, how many acquisitions and sittings it shows, its size in bytes."""

    path: Path
    acquisitions: int
    sittings: int
    held: int
    size: int


def write(target: str | None, out: Path, reporter: Reporter) -> Written:
    """Write the page of what ``target`` means: a folder, a query, or (None) all that the catalogue knows.

    Raises
    ------
    UsageError
        Nothing is found, or the page would replace a file that is no such page.
    DiskError
        It cannot be written; what was there before is still there.
    """
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        folder = scan.folder_of(target) if target is not None and os.path.lexists(target) else None
        query = "" if folder is not None or target is None else target
        entries = list(store.find(query, under=folder, order="path", limit=None))
        held = _held(store, folder) if not query else []
        if not entries and not held:
            hint = f"nffa ingest {target}" if folder is not None else "nffa list shows what there is"
            raise UsageError("the catalogue knows nothing of this", where=target, hint=hint)
        cards = [_card(store, entry) for entry in entries]
    groups = _groups(entries, cards)
    title = "Session report" if target is None else f"Session report: {browse.forward(target)}"
    parts = _text(title, cards, groups, held, _pictures(cards, reporter), _links(out))
    size = _replace(out, parts)
    return Written(out, len(cards), sum(bool(group.remark) for group in groups), len(held), size)


def _card(store: Store, entry: Entry) -> Card:
    score = None
    if entry.category is not None and entry.category.predicted is not None:
        current = next(version for version in store.show(entry.id).versions if version.current)
        newest = store.opinions.newest(current.files[0].sha256)
        score = newest[1].score if newest else None
    return card(entry, store.assets(entry.id), score)


def _held(store: Store, folder: str | None) -> list[Held]:
    rows = store.ledger(folder).values()
    found = [Held(row.status, browse.forward(row.path), row.reason or "") for row in rows if row.status in HELD]
    return sorted(found, key=lambda each: (HELD.index(each.status), each.path))


def _groups(entries: Sequence[Entry], cards: Sequence[Card]) -> list[Group]:
    """Return the cards by sitting, in the order of their making; those without a time last, by path."""
    known = {each.id: each for each in cards}
    moments = [timeline.moment(entry.id, entry.started) for entry in entries]
    timed = [each for each in moments if each is not None]
    groups = [
        Group(
            _day(known[str(sitting.moments[0].key)]),
            _remark(sitting),
            tuple(known[str(m.key)] for m in sitting.moments),
        )
        for sitting in timeline.sittings(timed)
    ]
    dated = {each.key for each in timed}
    rest = tuple(each for each in cards if each.id not in dated)
    return [*groups, Group("Time not known", "", rest)] if rest else groups


def _day(first: Card) -> str:
    return browse.when(first.started) if first.started else ""


def _remark(sitting: timeline.Sitting) -> str:
    number = len(sitting.moments)
    told = f"{number} acquisition{'s' * (number != 1)}"
    told += f" in {_duration(sitting.seconds)}" if sitting.seconds >= 1 else ""
    return told + (f", after a pause of {_duration(sitting.pause)}" if sitting.pause is not None else "")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _pictures(cards: Sequence[Card], reporter: Reporter) -> Callable[[Card], tuple[str | None, str | None]]:
    """Return what gives the picture of a card or, of a spectrum, its drawing; one at a time, for a page may be long."""
    from nffa_cli.report import thumbs

    previews = settings.home() / "previews"
    numbers = count(1)
    reporter.begin("making the page", len(cards))

    def picture(shown: Card) -> tuple[str | None, str | None]:
        reporter.advance()
        if shown.spectra and (drawn := plots.spectrum(previews / shown.spectra, shown.alt, f"line{next(numbers)}")):
            return None, drawn
        return thumbs.data_uri(previews / shown.preview) if shown.preview else None, None

    return picture


def _links(out: Path) -> Callable[[str], str]:
    """Return what makes a path an address seen from the page: relative where it can be."""
    folder = out.absolute().parent

    def link(path: str) -> str:
        try:
            return quote(browse.forward(os.path.relpath(path, folder)))
        except ValueError:  # on another drive of Windows
            return Path(path).as_uri()

    return link


def _text(
    title: str, cards: Sequence[Card], groups: Sequence[Group], held: Sequence[Held],
    picture: Callable[[Card], tuple[str | None, str | None]], link: Callable[[str], str],
) -> Iterator[str]:  # fmt: skip
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("nffa_cli.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined, finalize=lambda value: printable(value) if type(value) is str else value,
    )  # fmt: skip
    made = dt.datetime.now().astimezone()
    return environment.get_template("report.html").generate(
        title=title, groups=groups, held=held, picture=picture, link=link, facts=_facts(cards, groups),
        plots=list(_plots(cards)), made=f"{made:%Y-%m-%d %H:%M}", version=__version__, total=len(cards),
        wrong=sum(bool(each.wrong) for each in cards),
    )  # fmt: skip


def _facts(cards: Sequence[Card], groups: Sequence[Group]) -> Iterator[tuple[str, str]]:
    """Yield what holds for many of the cards: (name, value)."""
    sittings = [group for group in groups if group.remark]
    if sittings:
        last = sittings[-1].cards[-1].started or ""
        yield "made", " to ".join(dict.fromkeys((sittings[0].title, browse.when(last))))
    for name, what in (
        ("instrument", "instrument"),
        ("proposal", "proposal"),
        ("experiment", "experiment"),
        ("sample", "sample"),
    ):
        if found := common(cards, what):
            yield name, ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
    counts = Counter(term for each in cards for term in each.missing)
    if counts:
        yield "not known", ", ".join(f"{term} ({number})" for term, number in counts.most_common())


def _plots(cards: Sequence[Card]) -> Iterator[tuple[str, str]]:
    """Yield title and drawing of each plot that has something to show."""
    pairs = [(each.voltage, each.field) for each in cards if each.voltage and each.field]
    drawn = {
        "Categories": plots.bars("Categories", _counted(cards, "category")),
        "Formats": plots.bars("Formats", _counted(cards, "format")),
        "Voltage and field of view": plots.points(
            "Voltage and field of view", "V", "m", [(v, f) for v, f in pairs if v and f]
        ),
    }
    yield from ((title, drawing) for title, drawing in drawn.items() if drawing)


def _counted(cards: Sequence[Card], what: str) -> list[tuple[str, int]]:
    return [(text, sum(getattr(each, what) == text for each in cards)) for text in common(cards, what)]


def _replace(out: Path, parts: Iterator[str]) -> int:
    """Write the page beside its place and give it its name when it is whole; return its size in bytes."""
    if out.is_dir() or (out.exists() and "nffa-report" not in _head(out)):
        raise UsageError("this is not a report, and it stays", where=str(out), hint="name another file with -o")
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(parts)
        size = draft.stat().st_size
        draft.replace(out)
    except OSError as error:
        what = f"the page cannot be written: {error.strerror}"
        raise DiskError(what, where=str(out), hint="free some space, or name another place with -o") from error
    finally:
        draft.unlink(missing_ok=True)
    return size


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(400).decode("utf-8", "replace")


def told(done: Written) -> Mapping[str, Any]:
    """Return the JSON line of a written page."""
    return {
        "type": "page", "path": browse.forward(str(done.path)), "acquisitions": done.acquisitions,
        "sittings": done.sittings, "held": done.held, "size": done.size,
    }  # fmt: skip


def sentence(done: Written) -> str:
    """Return what a person is told of a written page."""
    number = done.acquisitions
    parts = [f"{number} acquisition{'s' * (number != 1)}"]
    parts += [f"{done.sittings} sitting{'s' * (done.sittings != 1)}"] if done.sittings else []
    parts += [f"{done.held} not taken"] if done.held else []
    return f"{done.path}: {', '.join(parts)}, {browse.size(done.size)}"
