"""One reading at a time for people's eyes: ``inspect`` and ``crosswalk explain``; nothing is stored.

The jobs that a worker gets are made here too, so that a file is read the same way whoever asks.
"""

from __future__ import annotations

import os
import time
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
    """Read each acquisition below ``paths`` and yield what was found, in order.

    Yields dicts with ``acquisition``, ``answer`` (the worker's header), ``raw`` (the vendor's tree, on request) and
    ``hyperspy`` (HyperSpy's own tree, or why there is none, on request). Judged by format alone.
    ``pool``: one that was started ahead; the caller closes it.
    """
    with nullcontext(pool) if pool else Pool(1, limits(values)) as pool:
        for root in paths:
            contexts = Contexts(root, settings.home(), settings.shipped("crosswalks"))
            for found in scan.walk(root):
                if isinstance(found, scan.Unreadable):
                    yield {"acquisition": None, "shown": found.shown, "answer": _unreadable(found)}
                elif found.skip:
                    yield {
                        "acquisition": found,
                        "shown": found.shown,
                        "answer": {"state": "skipped", "reason": found.skip},
                    }
                else:
                    context = contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
                    answer = _ask(
                        pool, read_job(found, context, values, patience=0.0, pictures=True, hash_=True, raw=raw)
                    )
                    item: dict[str, Any] = {"acquisition": found, "shown": found.shown, "answer": answer.header}
                    if raw and answer.blob:
                        from nffa_cli.reading import unpack_json

                        item["raw"] = unpack_json(answer.blob)["tree"]
                    if second and answer.header["state"] != "skipped":
                        second_answer = _ask(pool, request("hyperspy", found, values)).header
                        item["hyperspy"] = second_answer.get("hyperspy") or {"error": second_answer["reason"]}
                    yield item


def explain(path: str, term: str) -> dict[str, Any]:
    """Return how ``term`` of the acquisition at ``path`` came to its value, as ``crosswalk.check.explain`` tells it."""
    values = settings.load()
    contexts = Contexts(path, settings.home(), settings.shipped("crosswalks"))
    with Pool(1, limits(values)) as pool:
        for found in scan.walk(path):
            if isinstance(found, Acquisition) and not found.skip:
                context = contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
                return _ask(pool, request("explain", found, values, term=term, context=context)).header
    return {"state": "skipped", "reason": "not-ours"}


def _ask(pool: Pool, job: Job) -> Answer:
    pool.submit(job)
    return next(pool.answers(wait=True))


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
    tag: Any = None,
) -> Job:
    """Return the job that reads one acquisition; ``preview`` is where to draw it, ``tag`` comes back with the answer."""
    drawing = {"path": preview, "size": values["preview.size"], "format": values["preview.format"]} if preview else None
    job = request(
        "read",
        found,
        values,
        age=readiness.age(found.files, time.time()),
        patience=patience,
        partner_missing=found.partner_missing,
        pictures=pictures,
        context=context,
        preview=drawing,
        hash=hash_,
        raw=raw,
    )
    return replace(job, tag=tag)


def _unreadable(found: scan.Unreadable) -> dict[str, Any]:
    return {"state": "failed", "reason": f"unreadable-folder: {found.reason}"}
