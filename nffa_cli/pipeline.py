"""The order of the stages, and the only place that knows it: scan → plan → read in workers → save; plain generators.

``ingest`` yields outcomes when they are true: after the commit that makes them so. The parent writes the catalogue and
renames previews; workers read. Killed anywhere, a run loses nothing that it reported and leaves nothing half.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nffa_cli import extract, plan, readiness, scan, settings
from nffa_cli.catalogue.keys import path_key
from nffa_cli.catalogue.rows import HashedFile, NewVersion, Provenance
from nffa_cli.catalogue.store import Store
from nffa_cli.context import Contexts
from nffa_cli.crosswalk import digests
from nffa_cli.errors import LockedError, UsageError
from nffa_cli.look import STATUS_OF, read_job
from nffa_cli.pool import Answer, Pool, limits
from nffa_cli.records import Acquisition, FileStamp, Outcome, Status

logger = logging.getLogger(__name__)

BATCH_ANSWERS = 50
BATCH_SECONDS = 0.5
"""A commit covers so many answers, or what came in so many seconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One acquisition on its way through a run."""

    acquisition: Acquisition
    known: plan.LedgerRow | None
    plan: plan.Plan
    context: Mapping[str, Any]
    key: str


@dataclass(slots=True)
class _Batch:
    """What waits for the next commit."""

    versions: list[tuple[NewVersion, str | None, str | None]] = field(default_factory=list)
    """With the drafts of its preview and of its spectra."""

    ledger: list[plan.LedgerRow] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    began: float = 0.0


def workers(values: settings.Settings) -> int:
    """Return how many worker processes to use."""
    return int(values["ingest.jobs"]) or os.cpu_count() or 1


# --- ingest ---


class Planner:
    """What is due below one folder, from names, stamps and what the ledger remembers; nothing is changed."""

    def __init__(self, root: str, values: settings.Settings, ledger: Mapping[str, plan.LedgerRow]) -> None:
        home = settings.home()
        self.root = root
        self.folder = scan.folder_of(root)
        self.ledger = dict(ledger)
        self.contexts = Contexts(root, home, settings.shipped("crosswalks"))
        self.versions = plan.Versions(
            reader=extract.VERSION,
            crosswalks=digests.by_format(settings.shipped("crosswalks")),
            previews=values["preview.size"] > 0,
            pictures=values["ingest.pictures"],
        )
        self.seen: set[str] = set()
        self._home = str(home.resolve())

    def steps(self) -> Iterator[Step | scan.Unreadable]:
        """Yield each acquisition with what is due for it."""
        for found in scan.walk(self.root, leave_out=lambda folder: os.path.realpath(folder) == self._home):
            yield found if isinstance(found, scan.Unreadable) else self.step(found)

    def named(self, path: str) -> Acquisition:
        """Return the file at ``path``, below this folder, as the walk would name it; its stamp is still unknown."""
        below = path[len(self.folder.rstrip(os.sep)) :].replace(os.sep, "/")
        top = self.root if os.path.isdir(self.root) else os.path.dirname(self.root)  # noqa: PTH112, PTH120
        return Acquisition(top.replace(os.sep, "/").rstrip("/") + below, (FileStamp(path, 0, 0),))

    def step(self, found: Acquisition) -> Step:
        """Say what is due for one acquisition."""
        key = path_key(found.main.path)
        self.seen.add(key)
        known = self.ledger.get(key)
        context = self.contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
        versions = self.versions
        if context["digest"] != versions.context:
            versions = replace(versions, context=context["digest"])
        return Step(found, known, plan.due(found, known, versions), context, key)


class Ingest:
    """One run over one folder, against an open and locked catalogue."""

    def __init__(self, root: str, store: Store, values: settings.Settings) -> None:
        self.store = store
        self.values = values
        self.previews = str(settings.home() / "previews")
        self.planner = Planner(root, values, store.ledger(scan.folder_of(root)))
        self.versions = self.planner.versions
        self._batch = _Batch()
        self._young: list[Acquisition] = []
        self._released: list[str] = []
        self._drawn = 0

    def run(self, *, look_again: bool = True) -> Iterator[Outcome]:
        """Do what is due and yield an outcome for each acquisition.

        ``look_again``: at the end, wait for files that were too young and look at them once more.
        """
        self._sweep()
        with Pool(workers(self.values), limits(self.values)) as pool:
            yield from self._feed(pool, self.planner.steps())
            if look_again and self._young:
                young, self._young = self._young, []
                youngest = min(readiness.age(found.files, time.time()) for found in young)
                rest = max(0.0, self.values["ingest.settle"] - youngest) + 0.05
                logger.warning("waiting %.0f s for %d acquisitions that changed a moment ago", rest, len(young))
                time.sleep(rest)
                yield from self._feed(pool, map(self.planner.step, scan.again(young)))
            while self._released:
                yield from self._feed(pool, self._read_for_themselves())
        for found in self._young:
            row = self._row(self.planner.step(found), {"state": "waiting", "reason": "settling: changed a moment ago"})
            self._batch.ledger.append(row)
            self._batch.outcomes.append(self._outcome(found, "waiting", row.reason))
        self._young = []
        yield from self._commit()
        self._note_absence()

    def _note_absence(self) -> None:
        """Note the main files that are gone, and those that are back: a share may have been away for a night.

        What was recorded stays, and so does the memory of what was done; only what waited or failed is forgotten.
        """
        left = [row for key, row in self.planner.ledger.items() if key not in self.planner.seen]
        gone = [row for row in left if scan.is_gone(row.path)]
        back = self.store.vanished() & self.planner.seen
        if gone or back:
            with self.store.batch():
                self.store.set_vanished(row.key for row in gone)
                self.store.set_returned(back)
                self.store.forget(row.path for row in gone if row.status != "done")
                copies = self.store.aliases_of_vanished()
                self.store.forget(path for path in copies if not scan.is_gone(path))  # read again, it takes the record

    def _read_for_themselves(self) -> Iterator[Step]:
        """Say what is due for files that had the content of another one, which has just got a new content."""
        paths, self._released = self._released, []
        top = self.planner.folder.rstrip(os.sep) + os.sep
        below = [path for path in paths if path.startswith(top)]  # the others will be due when their folder is ingested
        mine = [path for path in below if not scan.is_gone(path)]
        for path in mine:
            self.planner.ledger.pop(path_key(path), None)
        return map(self.planner.step, scan.again([self.planner.named(path) for path in mine]))

    def _feed(self, pool: Pool, steps: Iterator[Step | scan.Unreadable]) -> Iterator[Outcome]:
        for each in steps:
            self._take(pool, each)
            for answer in pool.answers(wait=pool.full):
                self._keep(answer)
            if self._due_for_commit():
                yield from self._commit()
        while pool.under_way:
            for answer in pool.answers(wait=True):
                self._keep(answer)
            if self._due_for_commit():
                yield from self._commit()
        yield from self._commit()

    def _take(self, pool: Pool, each: Step | scan.Unreadable) -> None:
        """Decide one step: nothing due, not yet, or a job for a worker."""
        if isinstance(each, scan.Unreadable):
            self._batch.outcomes.append(Outcome(each.shown, "ingest", "failed", f"unreadable-folder: {each.reason}"))
            return
        found, due = each.acquisition, each.plan
        if found.skip:
            self._batch.outcomes.append(self._outcome(found, "skipped", found.skip))
        elif not due.stages:
            status: Status = "skipped" if each.known and each.known.status == "skipped" else "unchanged"
            reason = each.known.reason if each.known and each.known.status != "done" else None
            self._batch.outcomes.append(self._outcome(found, status, reason, each))
        elif plan.READ not in due.stages and plan.PREVIEW not in due.stages:
            self._normalise(each)
        elif not readiness.settled(found.files, time.time(), self.values["ingest.settle"]) and not self._still(each):
            self._young.append(found)
        else:
            self._submit(pool, each)

    def _still(self, each: Step) -> bool:
        """Tell whether an earlier run saw exactly these files, long enough ago; helps where clocks disagree."""
        if each.known is None or each.known.status != "waiting" or each.known.stamp != plan.stamp(each.acquisition):
            return False
        since = self.store.waiting_since(each.known.key)
        return readiness.settled(each.acquisition.files, time.time(), self.values["ingest.settle"], still_since=since)

    def _submit(self, pool: Pool, each: Step) -> None:
        preview = None
        if self.versions.previews:
            self._drawn += 1
            preview = f"{self.previews}/.tmp-{os.getpid()}-{self._drawn}"
        patience = self.values["ingest.patience"] if self.values["ingest.settle"] > 0 else 0.0
        job = read_job(
            each.acquisition, each.context, self.values,
            patience=patience, pictures=self.versions.pictures, hash_=True, raw=True, preview=preview,
            spectra=True, text=True, tag=each,
        )  # fmt: skip
        pool.submit(job)

    def _keep(self, answer: Answer) -> None:
        """Put what a worker said into the batch that the next commit makes true."""
        each: Step = answer.job.tag
        header = answer.header
        status = STATUS_OF[header["state"]]
        found = each.acquisition
        if status != "done":
            self._batch.ledger.append(self._row(each, header))
            self._batch.outcomes.append(self._outcome(found, status, header["reason"], each, header.get("format")))
            return
        files = tuple(HashedFile(**entry) for entry in header["files"])
        text, raw = answer.blob[: header["text"]], answer.blob[header["text"] :]
        record = json.loads(text)
        provenance = Provenance(**{**header["provenance"], "crosswalk": self.versions.crosswalks.get(header["format"])})
        preview = self._preview_name(header["digest"]) if header["preview"] else None
        version = NewVersion(files, record, raw, provenance, preview, text.decode())
        self._batch.versions.append((version, header["preview"], header["spectra"]))
        self._batch.ledger.append(self._row(each, header))
        self._batch.outcomes.append(self._outcome(found, "done", None, each, header["format"], record["warnings"]))

    def _normalise(self, each: Step) -> None:
        """Make the record anew from the vendor's tree that the catalogue keeps; the file is not opened."""
        from nffa_cli import reading

        assert each.known is not None
        if not self.store.holds(each.known.key):  # the same bytes as another acquisition, which has the record
            row = self._row(each, {"state": "ready", "format": each.known.format, "reason": None})
            self._batch.ledger.append(row)
            self._batch.outcomes.append(self._outcome(each.acquisition, "unchanged", "same-content", each))
            return
        raw = reading.unpack(self.store.raw(each.known.key))
        record, made = reading.normalise(raw, each.context)
        made["crosswalk"] = self.versions.crosswalks.get(raw.format)
        self.store.replace_record(each.known.key, {**record.as_json(), "status": "ready"}, Provenance(**made))
        self._batch.outcomes.append(self._outcome(each.acquisition, "done", each.plan.reason, each, raw.format))

    def _due_for_commit(self) -> bool:
        batch = self._batch
        if not batch.outcomes:
            return False
        batch.began = batch.began or time.monotonic()
        return len(batch.outcomes) >= BATCH_ANSWERS or time.monotonic() - batch.began > BATCH_SECONDS

    def _commit(self) -> Iterator[Outcome]:
        """Make the batch true, then report it: previews first, the catalogue's rows last."""
        batch, self._batch = self._batch, _Batch()
        doubles: dict[str, str] = {}
        if batch.versions or batch.ledger:
            for version, drawn, spectra in batch.versions:
                if drawn and version.preview:
                    self._place(drawn, version.preview)
                if spectra:
                    from nffa_cli.spectra import place

                    self._place(spectra, place(version.digest))
            with self.store.batch():
                self.store.save_ledger(batch.ledger)  # before the versions, which may make it forget some of these rows
                for version, _, _ in batch.versions:
                    self._save(version, doubles)
        for outcome in batch.outcomes:
            twin = doubles.get(str(outcome.detail.get("acquisition")))
            yield (
                outcome
                if twin is None
                else replace(
                    outcome, status="unchanged", reason="same-content", detail={**outcome.detail, "acquisition": twin}
                )
            )

    def _save(self, version: NewVersion, doubles: dict[str, str]) -> None:
        twin = self.store.find_content(version.digest)
        if twin is not None and twin != (name := version.id) and not self.store.holds(name):
            path = version.files[0].path
            doubles[name] = twin
            if not scan.is_gone(self.store.path(twin)):
                self.store.add_alias(twin, path)
                return
            self.store.move(twin, path)
            doubles[name] = name
        saved = self.store.save(version)
        self._released += saved.released
        for file in version.files[1:]:
            self._released += self.store.supersede_path(file.path, by=version.id)

    def _preview_name(self, digest: str) -> str:
        suffix = "jpg" if self.values["preview.format"] == "jpeg" else "png"
        return f"{digest[:2]}/{digest}.{suffix}"

    def _place(self, drawn: str, name: str) -> None:
        final = f"{self.previews}/{name}"
        try:
            os.replace(drawn, final)  # noqa: PTH105 - a path object for each of 150,000 costs
        except FileNotFoundError:  # the first preview of its folder
            os.makedirs(os.path.dirname(final), exist_ok=True)  # noqa: PTH103, PTH120
            os.replace(drawn, final)  # noqa: PTH105

    def _sweep(self) -> None:
        """Remove what a killed run left under temporary names; the lock says that no other run is at it."""
        previews = Path(self.previews)
        previews.mkdir(parents=True, exist_ok=True)
        for stale in previews.glob(".tmp-*"):
            stale.unlink(missing_ok=True)

    def _row(self, each: Step, header: Mapping[str, Any]) -> plan.LedgerRow:
        found = each.acquisition
        path = os.path.abspath(found.main.path)  # noqa: PTH100
        status = STATUS_OF[header["state"]]
        done = status == "done"
        return plan.LedgerRow(
            key=each.key,
            path=path,
            stamp=plan.stamp(found),
            status=status,
            reason=header.get("reason"),
            format=header.get("format"),
            reader=extract.VERSION,
            crosswalk=self.versions.crosswalks.get(header.get("format") or "") if done else None,
            context=each.context.get("digest") if done else None,
            preview=done and self.versions.previews,
            partner_missing=found.partner_missing is not None,
        )

    def _outcome(
        self,
        found: Acquisition,
        status: Status,
        reason: str | None,
        each: Step | None = None,
        format_: str | None = None,
        warnings: list[dict[str, str]] | None = None,
    ) -> Outcome:
        detail: dict[str, Any] = {}
        known = each.known if each else None
        if each is not None and status in ("done", "unchanged"):
            detail["acquisition"] = each.key
        if kind := format_ or (known.format if known else None):
            detail["format"] = kind
        if each is not None and each.plan.stages:
            detail["due"] = each.plan.reason
        if warnings:
            detail["warnings"] = warnings
        return Outcome(found.shown, "ingest", status, reason, detail)


Then = Callable[[], Iterator[Outcome]]
"""What follows when the catalogue is up to date, without its lock."""


def ingest(root: str, values: settings.Settings, *, then: Then = lambda: iter(())) -> Iterator[Outcome]:
    """Open and lock the catalogue, and bring it up to date with the folder ``root``."""
    settings.make_home()
    with Store.open(settings.catalogue_path()) as store, store.lock():
        yield from Ingest(root, store, values).run()
    yield from then()


def watch(root: str, values: settings.Settings, *, then: Then = lambda: iter(())) -> Iterator[Outcome]:
    """Ingest again and again; the lock is free between two looks. Yields until the caller stops.

    Once the first look has gone well, a folder that is away for a while or another run at work only costs a look.
    """
    settings.make_home()
    looks = 0
    while True:
        try:
            with Store.open(settings.catalogue_path()) as store, store.lock():
                yield from Ingest(root, store, values).run(look_again=False)
            yield from then()
        except (LockedError, UsageError) as error:
            if not looks:
                raise
            logger.warning("%s; looking again in %g s", error, values["ingest.every"])
        looks += 1
        time.sleep(values["ingest.every"])


def planned(root: str, values: settings.Settings) -> Iterator[Step | scan.Unreadable]:
    """Yield what an ingest would do, reading only names and the catalogue; nothing is made or changed."""
    path = settings.catalogue_path()
    ledger: Mapping[str, plan.LedgerRow] = {}
    if path.exists():
        with Store.open(path, readonly=True) as store:
            ledger = store.ledger(scan.folder_of(root))
    yield from Planner(root, values, ledger).steps()
