"""How a run is told: each outcome as it comes, then one sentence with counts and what to type next."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nffa_cli import rawtree
from nffa_cli.records import Outcome
from nffa_cli.scan import Unreadable
from nffa_cli.spoken import quantity as quantity
from nffa_cli.terminal import Column, Terminal

if TYPE_CHECKING:  # the catalogue is none of inspect's business, and takes as long to import as a reading
    from nffa_cli.pipeline import Step
    from nffa_cli.validating import Judged

TROUBLE = ("quarantined", "failed")
NOTHING: tuple[str, ...] = ()
LOUD = ("quarantined", "failed", "waiting")
"""Outcomes that a person is told one by one."""

TERMS = (Column("term"), Column("value", right=True, least=26), Column("source", least=18, tail=True),
         Column("as written", least=16, drop=1))  # fmt: skip
"""What a record shows of each term; how it was written goes first where the window is narrow."""


class Teller:
    """Tells outcomes to a terminal and knows the exit status they add up to."""

    def __init__(
        self,
        terminal: Terminal,
        *,
        explain: bool = False,
        changes_only: bool = False,
        hint: Callable[[Mapping[str, int]], str | None] | None = None,
    ) -> None:
        self.terminal = terminal
        self.hint = hint or (lambda counts: None)
        self.explain = explain
        self.changes_only = changes_only
        self.counts: Counter[str] = Counter()
        self._written = 0
        self._where: str | None = None
        self._as_before = 0
        self._lacking: Counter[tuple[str, str]] = Counter()
        self._began = time.monotonic()
        self._told: dict[str, tuple[str, str | None]] = {}

    def tell(self, outcomes: Iterable[Outcome]) -> int:
        """Tell every outcome and the summary; return the exit status."""
        reporter = self.terminal.reporter()
        reporter.begin("looking", None)
        try:
            for outcome in outcomes:
                self.one(outcome)
                reporter.advance()
        except KeyboardInterrupt:
            reporter.end()
            self.summary()
            raise
        finally:
            reporter.end()
        self.summary()
        return self.status()

    def status(self) -> int:
        """Return the exit status that the outcomes add up to."""
        return 3 if self._lacking or any(self.counts[status] for status in TROUBLE) else 0

    def one(self, outcome: Outcome) -> None:
        """Tell one outcome; in a watch only what differs from the last look."""
        now = (outcome.status, outcome.reason)
        known = outcome.status == "unchanged" or (outcome.status != "done" and self._told.get(outcome.path) == now)
        if self.changes_only and known:
            return
        if self.changes_only:
            self._told[outcome.path] = now
        self.counts[outcome.status] += 1
        self.terminal.data(outcome.as_json())
        if outcome.status == "done" and "output" in outcome.detail:
            place = outcome.detail["output"]
            self._written += 1
            self._where = place if self._where is None else os.path.commonpath([self._where, place])
        self._lacking.update((each["term"], each["how"]) for each in outcome.detail.get("supply", ()))
        self._as_before += outcome.status == "unchanged" and outcome.detail.get("complete") is False
        if outcome.status in LOUD or self.terminal.verbose or (self.explain and "due" in outcome.detail):
            why = outcome.detail.get("due") if self.explain and outcome.status == "done" else outcome.reason
            self.terminal.line(f"{outcome.status:<12} {outcome.path}" + (f"  ({why})" if why else ""))

    def summary(self) -> None:
        """Tell the counts, how long it took and the next command."""
        seconds = round(time.monotonic() - self._began, 2)
        self.terminal.data({"type": "summary", "outcomes": dict(self.counts), "seconds": seconds})
        self.terminal.line(sentence(self.counts, seconds))
        if self._written:
            below = f"{self._written} files below " if self._written > 1 else ""
            self.terminal.line(f"written: {below}{self._where or '.'}")
        self._tell_lacking()
        if self._as_before:
            files = f"{self._as_before} unchanged file{'s' * (self._as_before > 1)}"
            self.terminal.line(f"{files} still without what NXem requires: --strict says what is missing")
        if hint := self.hint(self.counts):
            self.terminal.hint(hint)

    def _tell_lacking(self) -> None:
        """Tell what the files lack, and who can supply it."""
        if self._lacking:
            self.terminal.line("Some of what NXem requires is not known, and nothing was invented. Who can supply it:")
        for (term, how), files in self._lacking.most_common():
            self.terminal.line(f"  {term:<25} {files:>5} file{'s' if files > 1 else ' '}  {how}")


def sentence(counts: Mapping[str, int], seconds: float) -> str:
    """Return the counts as one sentence."""
    order = ("done", "unchanged", "waiting", "skipped", "quarantined", "failed")
    said = ", ".join(f"{counts[status]} {status}" for status in order if counts.get(status))
    return f"{said or 'nothing found'} in {seconds:.1f} s"


def after_ingest(counts: Mapping[str, int]) -> str | None:
    """Return the command that helps most now."""
    if counts.get("quarantined") or counts.get("failed") or counts.get("waiting"):
        return "Next: nffa status   says what waits and what is damaged, and why"
    if counts.get("done"):
        return "Next: nffa list   shows what is known"
    return None


def after_check(counts: Mapping[str, int]) -> str | None:
    """Return what to do about files that are not what they were."""
    return "Next: copy them again from the instrument or the backup" if counts.get("failed") else None


def tell_plan(steps: Iterable[Step | Unreadable], terminal: Terminal) -> int:
    """Tell what would be done; return the exit status."""
    counts: Counter[str] = Counter()
    for step in steps:
        if isinstance(step, Unreadable):
            shown, stages, reason = step.shown, NOTHING, f"unreadable-folder: {step.reason}"
        else:
            shown, stages, reason = step.acquisition.shown, step.plan.stages, step.plan.reason
        counts["due" if stages else "nothing due"] += 1
        terminal.data({"type": "plan", "path": shown, "stage": "ingest", "due": list(stages), "reason": reason})
        if stages or terminal.verbose:
            terminal.line(f"{'+'.join(stages) or 'nothing':<24} {shown}  ({reason})")
    terminal.data({"type": "summary", "plan": dict(counts)})
    terminal.line(f"{counts['due']} due, {counts['nothing due']} with nothing to do; nothing was changed")
    return 0


def tell_export_plan(outcomes: Iterable[Outcome], terminal: Terminal) -> int:
    """Tell what an export would write and what would be missing in it; return the exit status."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        due = ["write"] if outcome.status == "done" else []
        counts["due" if due else "nothing due"] += 1
        keys = ("output", "complete", "missing", "supply")
        known = {key: outcome.detail[key] for key in keys if key in outcome.detail}
        reason = outcome.reason or outcome.status
        terminal.data(
            {"type": "plan", "path": outcome.path, "stage": outcome.stage, "due": due, "reason": reason, **known}
        )
        if due or terminal.verbose or outcome.status in TROUBLE:
            lacking = f"  (without {', '.join(known['missing'])})" if known.get("missing") else ""
            terminal.line(f"{'write' if due else reason:<12} {known.get('output', outcome.path)}{lacking}")
    terminal.data({"type": "summary", "plan": dict(counts)})
    terminal.line(f"{counts['due']} due, {counts['nothing due']} with nothing to do; nothing was changed")
    return 0


def tell_findings(judged: Judged, terminal: Terminal, *, notes: bool) -> None:
    """Tell what is wrong with one NeXus file, a line for each defect; ``notes``: also what could be better."""
    path = judged.outcome.path
    for finding in judged.findings:
        if finding.level != "note" or notes or terminal.verbose:
            terminal.data({"type": "finding", "path": path, **finding.as_json()})
            terminal.line(f"{finding.level:<12} {finding.path}  {finding.rule}: {finding.what}; {finding.hint}")
    if judged.outcome.status == "done" and not terminal.verbose:
        terminal.line(f"{'valid':<12} {path}")


def tell_written(
    line: Mapping[str, Any], path: Path, terminal: Terminal, *, dry_run: bool, then: str = "FOLDER"
) -> int:
    """Tell of a profile or session that was written to ``path``, or would be; return the exit status."""
    if dry_run:
        due = {"due": ["write"], "reason": "changed" if path.exists() else "new"}
        terminal.data({"type": "plan", "path": path.as_posix(), "stage": line["type"], **due})
        terminal.data({"type": "summary", "plan": {"due": 1}})
        terminal.line(f"would write {path}; nothing was changed")
        return 0
    terminal.data({**line, "path": path.as_posix()})
    terminal.data({"type": "summary", f"{line['type']}s": 1})
    terminal.line(f"wrote {path}")
    terminal.hint(f"Next: nffa ingest {then}")
    return 0


def record_line(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the ``record`` line of what ``pipeline.inspect`` yields; None where nothing could be read."""
    answer = item["answer"]
    if "record" not in answer:
        return None
    record = answer["record"]
    folder = item["shown"].rpartition("/")[0]
    files = [{**each, "path": _beside(folder, each["path"])} for each in answer["files"]]
    line = {"type": "record", "format": answer["format"], "status": answer["state"], "files": files}
    line |= {key: record[key] for key in ("signals", "terms", "missing", "unmapped", "warnings")}
    return line | {extra: item[extra] for extra in ("raw", "hyperspy") if extra in item}


def _beside(folder: str, path: str) -> str:
    name = os.path.basename(path)  # noqa: PTH119
    return f"{folder}/{name}" if folder else name


def inspected(item: Mapping[str, Any]) -> Outcome:
    """Return the outcome line of what ``pipeline.inspect`` yields."""
    from nffa_cli.look import STATUS_OF  # which loads what reads files; few commands do

    answer = item["answer"]
    detail = {"format": answer["format"]} if answer.get("format") else {}
    return Outcome(item["shown"], "inspect", STATUS_OF[answer["state"]], answer["reason"], detail)


def show_record(line: Mapping[str, Any], terminal: Terminal) -> None:
    """Show one record to a person: what it is, its signals, its terms with their sources, and what is wrong."""
    files = ", ".join(each["path"] for each in line["files"])
    terminal.line(f"{files}   {line['format']}   {line['status']}")
    for signal in line["signals"]:
        shape = " × ".join(str(size) for size in signal["shape"])
        steps = ", ".join(
            f"{axis['name']} {quantity(axis['scale'], axis['unit'])}" for axis in signal["axes"] if axis["unit"]
        )
        name = f"{signal['name']}: " if signal["name"] else ""
        terminal.line(
            f"  {name}{signal['kind']}, {shape}, {signal['dtype']}" + (f"; step {steps}" if steps else "; uncalibrated")
        )
    rows = [
        (name, quantity(term["value"], term["unit"]), term["source"], shortened(term["raw"]))
        for name, term in line["terms"].items()
    ]
    if rows:
        terminal.table(TERMS, rows)
    for warning in line["warnings"]:
        terminal.line(f"  ! {warning['code']}: {warning['detail']}")
    if line["missing"]:
        terminal.line(f"  missing: {', '.join(line['missing'])}")
    if line["unmapped"]:
        terminal.line(f"  {line['unmapped']} more vendor tags are kept but not mapped (--raw shows all)")


def shortened(raw: Any, most: int = 60) -> str:
    """Return the text as written, cut to what a table can show."""
    if isinstance(raw, Mapping):
        raw = " ".join(str(part) for part in raw.values())
    elif isinstance(raw, list):
        raw = ", ".join(map(str, raw))
    text = " ".join(str(raw).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def show_trees(item: Mapping[str, Any], terminal: Terminal) -> None:
    """Show the vendor's tree and HyperSpy's, where they were asked for, one value a line."""
    for name in ("raw", "hyperspy"):
        if name in item and not terminal.as_json:
            terminal.line(f"  {name}:")
            for path, value in rawtree.leaves(item[name]):
                terminal.line(f"    {path} = {str(value)[:200]}")
