"""The whole story on sample files, for ``nffa demo``: from what a microscope wrote to what a node finds.

The demo has a catalogue of its own in its folder: for as long as it runs, ``NFFA_HOME`` points there, for the workers
too. The user's catalogue is never opened.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from nffa_cli import browse, classifying, exporting, hosting, pipeline, samples, settings, story
from nffa_cli.catalogue.rows import Entry
from nffa_cli.catalogue.store import Store
from nffa_cli.delivery import syncing
from nffa_cli.destinations import registry
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.records import Outcome
from nffa_cli.terminal import Terminal

DATA, HOME = "session-2024-05-06", "nffa-home"
"""The demo's folders: what the microscopes wrote, and what nffa keeps of it."""

IN_SHORT = (
    "acquisition.start", "instrument.model", "beam.accelerating_voltage", "optics.magnification", "optics.working_distance",
    "stage.x", "detector.name", "sample.name",
)  # fmt: skip
"""Terms of the one record that is shown."""


def default_folder() -> Path:
    """Return where the demo lives when the user names no folder."""
    return settings.home() / "demo"


def run(folder: Path, terminal: Terminal, *, jobs: int | None = None) -> int:
    """Make the samples in ``folder``, ingest them into a catalogue beside them and show it; return the exit status.

    Run again it finds the samples in place and nothing due.

    Raises
    ------
    UsageError
        ``folder`` holds something else already.
    DiskError
        It cannot be written.
    """
    _check(folder)
    terminal.say(f"Writing made-up files, true to the formats of many instruments, into {folder / DATA}")
    try:
        samples.make_session(folder / DATA)
    except OSError as error:
        what = f"the demo cannot be written here: {error.strerror}"
        raise DiskError(what, where=str(folder), hint="nffa demo --folder FOLDER") from error
    with settings.variable("NFFA_HOME", str((folder / HOME).absolute())):
        told = Telling(terminal)
        values = settings.load().over(ingest_settle=0.0, ingest_jobs=jobs)
        told.stage("1. nffa ingest: read what each instrument wrote", pipeline.ingest(str(folder / DATA), values))
        with Store.open(settings.catalogue_path(), readonly=True) as store:
            known = list(store.find("", order="started", limit=100))
        _show(known, terminal)
        looked = classifying.recorded(str(folder / DATA), values)
        told.stage("2. nffa classify: say what the pictures show", _seen(looked, terminal))
        exports = exporting.export([str(folder / DATA)], values, exporting.Wish())
        told.stage("3. nffa export-nexus: write open files, inventing nothing", exports)
        with hosting.node(settings.home() / "node", name="demo PC") as address:
            terminal.line(f"4. nffa node serve: a repository of your own, for now at {address}")
            _configure(address)
            told.stage("5. nffa sync: deliver records and files to it", _synced())
            told.stage("6. nffa sync again: nothing is due", _synced())
            _found("particles", terminal)
        told.teller.summary()
    terminal.line(
        f"All of it lies in {folder}. To look closer, set NFFA_HOME to {(folder / HOME).absolute()} and try: nffa show ID"
    )
    terminal.hint("Next: nffa ingest FOLDER   with a folder of your own; nothing is ever written to it")
    return told.teller.status()


class Telling:
    """Tells stage after stage to one terminal, with one summary at the end."""

    def __init__(self, terminal: Terminal) -> None:
        self.teller = story.Teller(terminal)

    def stage(self, title: str, outcomes: Iterable[Outcome]) -> None:
        """Tell one stage as it goes, and how it went."""
        self.teller.terminal.line(title)
        before, began = Counter(self.teller.counts), time.monotonic()
        for outcome in outcomes:
            self.teller.one(outcome)
        self.teller.terminal.line("   " + story.sentence(self.teller.counts - before, time.monotonic() - began))


def _seen(looked: Iterable[classifying.Seen], terminal: Terminal) -> Iterator[Outcome]:
    for seen in looked:
        if seen.line is not None:
            terminal.data(seen.line)
        yield seen.outcome


def _configure(address: str) -> None:
    """Let the demo's settings name its node; under one name, for its port is another each time."""
    table = f'[[destination]]\nname = "demo"\nkind = "idrp"\nurl = "{address}"\n'
    (settings.home() / "nffa.toml").write_text(table, encoding="utf-8")


def _synced() -> Iterator[Outcome]:
    sync = syncing.Sync(syncing.Wish())
    yield from sync.deliver()
    if sync.trouble is not None:
        raise sync.trouble


def plan(folder: Path, terminal: Terminal) -> int:
    """Say what ``run`` would write; return the exit status."""
    _check(folder)
    names = ["nffa-session.yaml", *(name for sample in samples.samples() for name in sample.files)]
    for name in names:
        due = {"due": ["write"], "reason": "demo"}
        terminal.data({"type": "plan", "path": (folder / DATA / name).as_posix(), "stage": "demo", **due})
        terminal.line(f"{'write':<8} {folder / DATA / name}")
    terminal.data({"type": "summary", "plan": {"due": len(names)}})
    terminal.line(f"then a catalogue, exports and a node of its own in {folder / HOME}; nothing was changed")
    return 0


def _check(folder: Path) -> None:
    if folder.is_dir() and (strange := {each.name for each in folder.iterdir()} - {DATA, HOME}):
        what = f"the folder holds other things already, for example {min(strange)}"
        raise UsageError(what, where=str(folder), hint="nffa demo --folder NEW-FOLDER")


def _found(word: str, terminal: Terminal) -> None:
    """Ask the node as others would."""
    terminal.line(f"7. nffa search --at demo {word}: what others find there, by words and by terms")
    for each in registry.make(syncing.configured()[0]).find(word, 100):
        terminal.data({**each, "type": "measurement"})
        terminal.line(f"   {each['measurementName']}  {each['id']}")


def _show(known: list[Entry], terminal: Terminal) -> None:
    """Show a person the table, where the previews lie, and one record in short."""
    browse.table(known, terminal)
    terminal.line("Previews:")
    for entry in known:
        if entry.preview:
            terminal.line(f"  {Path(entry.path).name:<24} {browse.preview_path(entry)}")
    entry = next((each for each in known if each.format == "zeiss-sem-tiff"), known[0])
    terminal.line(
        f"One record in short, {Path(entry.path).name}: each value with its unit, its source and as it was written"
    )
    terms = entry.record["terms"]
    rows = [
        (
            name,
            story.quantity(terms[name]["value"], terms[name]["unit"]),
            terms[name]["source"],
            story.shortened(terms[name]["raw"]),
        )
        for name in IN_SHORT
        if name in terms
    ]
    terminal.table(story.TERMS, rows)
