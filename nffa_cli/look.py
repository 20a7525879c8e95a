"""One reading at a time for people's eyes: ``inspect`` and ``crosswalk explain``; nothing is stored.

The jobs that a worker gets are made here too, so that a file is read the same way whoever asks.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from nffa_cli import readiness, scan, settings
from nffa_cli.context import Contexts
from nffa_cli.pool import Answer, Job, Pool, limits
from nffa_cli.records import Acquisition, Status

STATUS_OF: Mapping[str, Status] = {
    "ready": "done", "waiting": "waiting", "damaged": "quarantined", "skipped": "skipped", "failed": "failed",
}  # fmt: skip
"""What a worker says of an acquisition → the outcome's status."""


def inspect(
    paths: list[str], values: settings.Settings, *, raw: bool = False, second: bool = False, pool: Pool | None = None
) -> Iterator[dict[str, Any]]:
    """Read each acquisition below ``paths`` once and yield what was found, in order.

    Yields dicts with ``acquisition``, ``shown``, ``answer`` (the worker's header), ``raw`` and ``anchors`` (the vendor's
    tree, on request) and ``hyperspy`` (HyperSpy's own tree, or why there is none, on request). Judged by format alone.
    ``pool``: one that was started ahead; the caller closes it. Its size says how many are read at once.

    Raises
    ------
    UsageError
        One of ``paths`` cannot be looked at; nothing has been read then.
    """
    for root in paths:
        scan.look_at(root)
    waiting: deque[dict[str, Any]] = deque()
    with nullcontext(pool) if pool else Pool(1, limits(values)) as pool:
        for item, context in _items(paths):
            waiting.append(item)
            if context is not None:
                found = item["acquisition"]
                job = read_job(found, context, values, patience=0.0, pictures=True, hash_=True, raw=raw, tag=item)
                pool.submit(job)
            yield from _finished(waiting, pool, values, second=second, all_=False)
        yield from _finished(waiting, pool, values, second=second, all_=True)


def _items(paths: list[str]) -> Iterator[tuple[dict[str, Any], Mapping[str, Any] | None]]:
    """Yield each acquisition once, with its context if it is to be read, else with its answer."""
    seen: set[str] = set()  # a shell's pattern names the sidecars too
    for root in paths:
        contexts = Contexts(root, settings.home(), settings.shipped("crosswalks"))
        for found in scan.walk(root):
            item: dict[str, Any] = {"acquisition": found, "shown": found.shown}
            if isinstance(found, scan.Unreadable):
                yield item | {"answer": _unreadable(found)}, None
            elif found.main.path in seen:
                continue
            elif found.skip:
                yield item | {"answer": {"state": "skipped", "reason": found.skip}}, None
            else:
                yield item, contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
            if len(paths) > 1 and isinstance(found, Acquisition):
                seen.add(found.main.path)


def _finished(
    waiting: deque[dict[str, Any]], pool: Pool, values: settings.Settings, *, second: bool, all_: bool
) -> Iterator[dict[str, Any]]:
    """Yield, in order, what has been answered; wait where the workers have enough to do, or for ``all_``."""
    while waiting:
        if "answer" in waiting[0]:
            yield waiting.popleft()
        elif all_ or pool.full:
            for answer in pool.answers(wait=True):
                if more := _noted(answer, values, second=second):
                    pool.submit(more)
        else:
            return


def _noted(answer: Answer, values: settings.Settings, *, second: bool) -> Job | None:
    """Put an answer into its item; return the job for HyperSpy if the item is not done before that has read it too."""
    item, header = answer.job.tag, answer.header
    if answer.job.request["job"] == "hyperspy":
        item["hyperspy"] = header.get("hyperspy") or {"error": header["reason"]}
        item["answer"] = item.pop("read")
        return None
    if answer.blob:
        from nffa_cli.reading import unpack_json

        tree = unpack_json(answer.blob)
        item |= {"raw": tree["tree"], "anchors": tree["anchors"]}
    if not second or header["state"] == "skipped":
        item["answer"] = header
        return None
    item["read"] = header
    return replace(request("hyperspy", item["acquisition"], values), tag=item)


def explain(path: str, term: str) -> dict[str, Any]:
    """Return how ``term`` of the acquisition at ``path`` came to its value, as ``crosswalk.check.explain`` tells it."""
    values = settings.load()
    contexts = Contexts(path, settings.home(), settings.shipped("crosswalks"))
    with Pool(1, limits(values)) as pool:
        for found in scan.walk(path):
            if isinstance(found, Acquisition) and not found.skip:
                context = contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
                pool.submit(request("explain", found, values, term=term, context=context))
                return next(pool.answers(wait=True)).header
            reason = found.skip if isinstance(found, Acquisition) else found.reason
    return {"state": "skipped", "reason": reason}


def request(job: str, found: Acquisition, values: settings.Settings, **more: Any) -> Job:
    """Return a job for a worker over one acquisition, with its time limit."""
    files = [[stamp.path, stamp.size, stamp.mtime_ns, stamp.inode, stamp.role] for stamp in found.files]
    size = sum(stamp.size for stamp in found.files)
    return Job({"job": job, "files": files, "seconds": limits(values).deadline(size), **more}, size)


def read_job(
    found: Acquisition,
    context: Mapping[str, Any],
    values: settings.Settings,
    *,
    patience: float,
    pictures: bool,
    hash_: bool,
    raw: bool,
    preview: str | None = None,
    spectra: bool = False,
    text: bool = False,
    tag: Any = None,
) -> Job:
    """Return the job that reads one acquisition; ``preview`` is where to draw it, ``tag`` comes back with the answer.

    ``spectra``: write them, made small, beside the preview. ``text``: the record comes as text, to be kept as it is.
    """
    drawing = {"path": preview, "size": values["preview.size"], "format": values["preview.format"], "spectra": spectra}
    job = request(
        "read",
        found,
        values,
        age=readiness.age(found.files, time.time()),
        patience=patience,
        partner_missing=found.partner_missing,
        pictures=pictures,
        context=context,
        preview=drawing if preview else None,
        hash=hash_,
        raw=raw,
        text=text,
    )
    return replace(job, tag=tag)


def _unreadable(found: scan.Unreadable) -> dict[str, Any]:
    return {"state": "failed", "reason": f"unreadable-folder: {found.reason}"}
