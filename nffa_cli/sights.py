"""How classifications are told: a line for each picture, a table by label and decision, a CSV file for a spreadsheet."""

from __future__ import annotations

import csv
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nffa_cli import classifying, exporting
from nffa_cli.classifying import Seen
from nffa_cli.errors import DiskError, NffaError, UsageError
from nffa_cli.progress import Reporter
from nffa_cli.records import Outcome
from nffa_cli.settings import Settings
from nffa_cli.spreadsheet import cell
from nffa_cli.story import Teller
from nffa_cli.terminal import Column, Terminal

DECISIONS = ("accepted", "uncertain", "none")

Row = Callable[[Mapping[str, Any]], None]


def check_table(path: str | None) -> None:
    """Raise UsageError if ``path`` has not the name of a table: a shell makes pictures of ``--csv *.tif``."""
    if path is not None and not path.lower().endswith(".csv"):
        raise UsageError(f"a table is a .csv file, not {path!r}", hint="--csv labels.csv, then the pictures")


def tell(found: Iterable[Seen], terminal: Terminal, *, top: int, csv_path: str | None, total: Callable[[], int]) -> int:
    """Tell everything that a run yields, as it comes; return the exit status.

    ``top``: how many labels of each picture people and the CSV file are shown; ``total`` counts, while the run goes on, how
    much there is to do.
    """
    teller = Teller(terminal)
    decisions: Counter[tuple[str, str]] = Counter()
    reporter = terminal.reporter()
    reporter.begin("classifying", None)
    if reporter.draws:
        threading.Thread(target=_count, args=(total, reporter), daemon=True).start()
    try:
        with _table(csv_path, top) as write:
            for seen in found:
                if seen.line is not None:
                    label = seen.line["labels"][0]["label"]
                    decision = seen.line["decision"]
                    decisions["" if decision == "none" else label, decision] += 1
                    terminal.data(seen.line)
                    write(seen.line)
                    terminal.line(_sentence(seen.line, top))
                teller.one(seen.outcome)
                reporter.advance()
    except KeyboardInterrupt:
        reporter.end()
        teller.summary()
        raise
    finally:
        reporter.end()
    _summary(decisions, terminal)
    teller.summary()
    return teller.status()


def after_ingest(folder: str, values: Settings, terminal: Terminal) -> Callable[[], Iterator[Outcome]]:
    """Return what is done, and told, of what an ingest has recorded: exports and classifications, as the settings ask.

    Raises ModelError if there is no model to classify with, before anything is ingested.
    """
    if values["ingest.classify"]:
        classifying.model_of(values, classifying.Wish())

    def then() -> Iterator[Outcome]:
        yield from exporting.after_ingest(folder, values)
        for seen in classifying.recorded(folder, values) if values["ingest.classify"] else ():
            if seen.line is not None and seen.outcome.status == "done":
                terminal.data(seen.line)
            yield seen.outcome

    return then


def _count(total: Callable[[], int], reporter: Reporter) -> None:
    with suppress(NffaError, OSError):  # a folder that goes while it is counted is the run's own trouble
        reporter.expect(total())


def _sentence(line: Mapping[str, Any], top: int) -> str:
    best = ", ".join(f"{each['label']} {each['score']:.2f}" for each in line["labels"][:top])
    return f"{line['decision']:<12} {line['path']}  {best}"


def _summary(decisions: Mapping[tuple[str, str], int], terminal: Terminal) -> None:
    if not decisions:
        return
    labels = sorted({label for label, decision in decisions if decision != "none"})
    rows: list[tuple[object, ...]] = [
        (label, *(decisions.get((label, decision), 0) for decision in DECISIONS[:2])) for label in labels
    ]
    if none := decisions.get(("", "none"), 0):
        rows.append(("none of these", none, ""))
    terminal.table((Column("label"), Column("accepted", right=True), Column("uncertain", right=True)), rows)


@contextmanager
def _table(path: str | None, top: int) -> Iterator[Row]:
    """Give a function that adds a line to the CSV file; the file appears under its name when it is whole.

    It begins with a byte order mark, by which spreadsheets know UTF-8; a text that a spreadsheet would take for a formula
    gets an apostrophe before it.
    """
    if path is None:
        yield lambda line: None
        return
    final = Path(path)
    draft = final.with_name(f".{final.name}.{os.getpid()}.part")
    extra = [name for n in range(2, top + 1) for name in (f"label_{n}", f"score_{n}")]
    try:
        with _writing(path):
            file = draft.open("w", encoding="utf-8-sig", errors="replace", newline="")
            writer = csv.writer(file)
            writer.writerow(
                ("path", "decision", "label", "score", *extra, "in_distribution", "model", "sha256", "remarks")
            )

        def write(line: Mapping[str, Any]) -> None:
            best = line["labels"][:top]
            scores = [part for each in best for part in (cell(each["label"]), f"{each['score']:.4f}")]
            scores += [""] * (2 * top - len(scores))
            tail = (f"{line['in_distribution']:.4f}", cell(line["model"]), line["sha256"], " ".join(line["remarks"]))
            with _writing(path):
                writer.writerow((cell(line["path"]), line["decision"], *scores, *tail))

        yield write
        with _writing(path):
            file.close()
            draft.replace(final)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"the table cannot be written: {error.strerror}"
        raise DiskError(what, where=path, hint="give --csv a file that you may write") from error
