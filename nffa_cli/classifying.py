"""What many pictures show, the parent's side: what is due, what the numbers mean, what to remember.

Results are reported when they are true: after the commit that makes them so. Killed anywhere, a run loses nothing that it
reported, and the next one goes on. The sources are only read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nffa_cli import plan, scan, settings
from nffa_cli.catalogue.keys import path_key
from nffa_cli.catalogue.opinions import Classification, Look
from nffa_cli.catalogue.store import Store
from nffa_cli.classify import decide, models
from nffa_cli.errors import ModelError, UsageError
from nffa_cli.look import STATUS_OF, request
from nffa_cli.pool import Answer, Job, Pool, limits
from nffa_cli.records import Acquisition, FileStamp, Outcome, Status

STAGE = "classify"
PREPARED = "2"
"""Changes when the same bytes are prepared differently, so that what was classified before becomes due again."""
BATCH_LOOKS = 100
BATCH_SECONDS = 0.5
"""A commit covers so many pictures, or what came in so many seconds."""
TRIAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for.

    model
        Name or file; empty: as the settings say.
    threshold
        Score from which any label is accepted, instead of the model's own for each.
    """

    model: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one acquisition, and the ``classification`` line where there is one."""

    outcome: Outcome
    line: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Batch:
    """What waits for the next commit; ``again``: kept long ago, while another model's word has held since."""

    again: list[Classification] = field(default_factory=list)
    looks: list[tuple[Acquisition, Look]] = field(default_factory=list)
    told: list[Seen] = field(default_factory=list)
    began: float = 0.0


def model_of(values: settings.Settings, wish: Wish) -> models.Model:
    """Return the model to classify with; raises ModelError where there is none or it may not be used."""
    return models.read(models.find(wish.model or values["classify.model"]))[0]


def classify(targets: Iterable[str], values: settings.Settings, wish: Wish) -> Iterator[Seen]:
    """Classify what ``targets`` mean (files, folders, ids, or a query to the catalogue) and yield what becomes of each.

    Raises
    ------
    ModelError
        There is no model, or it may not or cannot be run.
    UsageError
        A target is none of these; nothing has been classified then.
    """
    model = model_of(values, wish)
    roots = [_root(target) for target in targets]
    yield from _Classify(model, values, wish).run(_items(roots))


def measured(paths: Sequence[str], values: settings.Settings, wish: Wish) -> Iterator[Seen]:
    """Classify these files, their paths absolute, and leave searches as they were; raises as ``classify``."""
    yield from _Classify(model_of(values, wish), values, wish, holds=False).run(_items([list(paths)]))


def recorded(folder: str, values: settings.Settings) -> Iterator[Seen]:
    """Classify what the catalogue holds below ``folder``; raises as ``classify``."""
    model = model_of(values, Wish())
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        known = (
            found
            for found in _items([folder])
            if isinstance(found, Acquisition) and store.holds(path_key(found.main.path))
        )
        yield from _Classify(model, values, Wish()).run(known)


def count(targets: Iterable[str]) -> int:
    """Return how many acquisitions there are to look at."""
    return sum(1 for _ in _items([_root(target) for target in targets]))


def try_model(place: models.Place, sha256: str, values: settings.Settings) -> None:
    """Load and run a model in a worker; raises ModelError with what it did there."""
    with Pool(1, limits(values), serves="seeing") as pool:
        _trial(pool, str(place.path), sha256)


def _trial(pool: Pool, path: str, sha256: str) -> None:
    asked = {"job": "try-model", "model": path, "model_sha256": sha256, "seconds": TRIAL_SECONDS}
    pool.submit(Job(asked))
    said = next(pool.answers(wait=True)).header
    if said["state"] != "ready":
        what = said["reason"] if said.get("code") == ModelError.code else f"running it failed: {said['reason']}"
        raise ModelError(str(what).removeprefix(f"{path}: "), where=path, hint=models.GET_ONE)


# --- what is meant ---


def _root(target: str) -> str | list[str]:
    """Return the path that a target means, or the paths of the acquisitions that the catalogue finds for it."""
    if os.path.lexists(target):
        return target
    hint = "name a file, a folder, an id, or what nffa search would find"
    if not settings.catalogue_path().exists():
        raise UsageError("no such file or folder, and there is no catalogue that knows more", where=target, hint=hint)
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        with suppress(UsageError):
            return [store.show(target).entry.path]
        found = [entry.path for entry in store.find(target, order="path", limit=None)]
    if not found:
        raise UsageError("no such file or folder, and the catalogue finds nothing for it", where=target, hint=hint)
    return found


def _items(roots: Sequence[str | list[str]]) -> Iterator[Acquisition | Outcome]:
    """Yield each acquisition once; what is none of ours as its outcome."""
    seen: set[str] = set()
    home = os.path.realpath(settings.home())
    for root in roots:
        for found in _walk(root, home):
            if isinstance(found, scan.Unreadable):
                yield Outcome(found.shown, STAGE, "failed", f"unreadable-folder: {found.reason}")
            elif found.skip:
                yield Outcome(found.shown, STAGE, "skipped", found.skip)
            elif found.main.path not in seen:
                if len(roots) > 1:
                    seen.add(found.main.path)
                yield found


def _walk(root: str | list[str], home: str) -> Iterator[Acquisition | scan.Unreadable]:
    if isinstance(root, str):
        yield from scan.walk(root, leave_out=lambda folder: os.path.realpath(folder) == home)
    else:
        yield from scan.again([Acquisition(path.replace(os.sep, "/"), (FileStamp(path, 0, 0),)) for path in root])


# --- one run ---


class _Classify:
    """One run with one model: hands out jobs, says what the numbers mean, remembers them."""

    def __init__(self, model: models.Model, values: settings.Settings, wish: Wish, *, holds: bool = True) -> None:
        self.model = model
        self.holds = holds
        self.values = values
        given = wish.threshold
        self.thresholds = model.thresholds if given is None else dict.fromkeys(model.labels, given)
        self._context = {"crosswalks": str(settings.shipped("crosswalks"))}
        self._batch = _Batch()
        self._number = 0
        self._is_tried = False

    def run(self, items: Iterable[Acquisition | Outcome]) -> Iterator[Seen]:
        settings.make_home()
        jobs = int(self.values["classify.jobs"]) or os.cpu_count() or 1
        with (
            Store.open(settings.catalogue_path()) as store,
            Pool(jobs, limits(self.values), serves="seeing") as pool,
        ):
            model = self.model
            self._number = store.opinions.model(model.sha256, model.name, model.version, model.labels)
            for item in items:
                self._take(item, pool, store)
                for answer in pool.answers(wait=pool.full):
                    self._keep(answer)
                if self._due_for_commit():
                    yield from self._commit(store)
            while pool.under_way:
                for answer in pool.answers(wait=True):
                    self._keep(answer)
                if self._due_for_commit():
                    yield from self._commit(store)
            yield from self._commit(store)

    def _take(self, item: Acquisition | Outcome, pool: Pool, store: Store) -> None:
        """Decide one item: nothing due, or a job for a worker."""
        if isinstance(item, Outcome):
            self._batch.told.append(Seen(item))
            return
        known = store.opinions.look(item.main.path, self._number)
        if known is not None and known.stamp == _stamp(item) and known.status not in ("waiting", "failed"):
            status: Status = "skipped" if known.status == "skipped" else "unchanged"
            self._batch.told.append(self._told(item, status, known))
            if self.holds and not known.holds and known.classification is not None:
                self._batch.again.append(known.classification)
            return
        if not self._is_tried:
            _trial(pool, self.model.where, self.model.sha256)
            self._is_tried = True
        job = request(
            "classify", item, self.values, age=0.0, patience=0.0, pictures=True, partner_missing=item.partner_missing,
            context=self._context, model=self.model.where, model_sha256=self.model.sha256,
        )  # fmt: skip
        pool.submit(replace(job, tag=item))

    def _keep(self, answer: Answer) -> None:
        """Put what a worker said into the batch that the next commit makes true."""
        item: Acquisition = answer.job.tag
        header = answer.header
        if header.get("code") == ModelError.code:
            raise ModelError(header["reason"], hint=models.GET_ONE)
        found = None
        if header["state"] == "ready":
            opinion = self._opinion(header["logits"], header["in_distribution"], self.model.thresholds)
            found = Classification(
                header["sha256"], tuple(header["logits"]), opinion.label, opinion.score, opinion.in_distribution,
                opinion.decision, header["pixel_size"], tuple(header["remarks"]), answer.blob,
            )  # fmt: skip
        status = STATUS_OF[header["state"]]
        look = Look(item.main.path, _stamp(item), status, header["reason"], header.get("format"), found)
        self._batch.looks.append((item, look))

    def _opinion(self, logits: Iterable[float], likeness: float, thresholds: Mapping[str, float]) -> decide.Opinion:
        model = self.model
        return decide.opinion(
            tuple(logits), likeness, labels=model.labels, temperature=model.temperature, thresholds=thresholds,
            least_likeness=model.none.threshold,
        )  # fmt: skip

    def _told(self, item: Acquisition, status: Status, look: Look, reason: str | None = None) -> Seen:
        detail = {"format": look.format} if look.format else {}
        outcome = Outcome(item.shown, STAGE, status, reason or look.reason, detail)
        return Seen(outcome, None if look.classification is None else self._line(item.shown, look.classification))

    def _line(self, shown: str, found: Classification) -> dict[str, Any]:
        opinion = self._opinion(found.logits, found.in_distribution, self.thresholds)
        return {
            "type": "classification", "path": shown,
            "labels": [{"label": label, "score": round(score, 6)} for label, score in opinion.scores],
            "decision": opinion.decision, "in_distribution": found.in_distribution, "none": round(opinion.none, 6),
            "model": self.model.name, "sha256": found.sha256, "model_sha256": self.model.sha256,
            "pixel_size": found.pixel_size, "remarks": list(found.remarks),
        }  # fmt: skip

    def _due_for_commit(self) -> bool:
        batch = self._batch
        size = len(batch.looks) + len(batch.told)
        if not size:
            return False
        batch.began = batch.began or time.monotonic()
        return size >= BATCH_LOOKS or time.monotonic() - batch.began > BATCH_SECONDS

    def _commit(self, store: Store) -> Iterator[Seen]:
        """Make the batch true, then report it."""
        batch, self._batch = self._batch, _Batch()
        if batch.again:
            store.opinions.hold_again(batch.again)
        if batch.looks:
            new = store.opinions.save(self._number, [look for _, look in batch.looks], holds=self.holds)
            for (item, look), is_new in zip(batch.looks, new, strict=True):
                known = look.classification is not None and not is_new
                batch.told.append(
                    self._told(item, "unchanged", look, "same-content")
                    if known
                    else self._told(item, look.status, look)
                )
        yield from batch.told


def _stamp(item: Acquisition) -> str:
    return f"{PREPARED}:{plan.stamp(item)}"
