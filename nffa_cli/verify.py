"""Hash the catalogue's files again and say which still hold what was recorded; two threads, since hashing frees the GIL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from nffa_cli.catalogue.rows import CheckResult, FileToCheck
from nffa_cli.catalogue.store import Store
from nffa_cli.reading import sha256
from nffa_cli.records import Outcome, Status

SAYING: dict[CheckResult, tuple[Status, str | None]] = {
    "ok": ("done", None),
    "changed": ("failed", "changed: the bytes are not those that were recorded; nffa ingest records a rightful change"),
    "missing": ("failed", "missing: the file is gone; its record is kept"),
    "unreadable": ("failed", "unreadable: the file cannot be opened"),
}
"""What a check found → the outcome."""


def check(store: Store, since: str, *, under: str | None = None) -> Iterator[Outcome]:
    """Hash every recorded file not checked since ``since`` (ISO 8601, UTC); each result is kept as soon as it is known."""
    with ThreadPoolExecutor(2) as threads:
        waiting: list[tuple[FileToCheck, Future[CheckResult]]] = []
        for file in store.files_to_check(since, under=under):
            waiting.append((file, threads.submit(_prove, file)))
            if len(waiting) >= 8:
                yield _told(store, *waiting.pop(0))
        for file, result in waiting:
            yield _told(store, file, result)


def _prove(file: FileToCheck, path: str | None = None) -> CheckResult:
    path = path or file.path
    try:
        if os.stat(path).st_size != file.size:  # noqa: PTH116
            return "changed"
        return "ok" if sha256(path) == file.sha256 else "changed"
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"


def _told(store: Store, file: FileToCheck, result: Future[CheckResult]) -> Outcome:
    found = result.result()
    elsewhere = _moved_to(store, file) if found == "missing" else None
    store.record_check(file.number, "ok" if elsewhere else found)
    status, reason = ("done", f"moved: found at {elsewhere}") if elsewhere else SAYING[found]
    return Outcome(file.path.replace(os.sep, "/"), "check", status, reason, {"acquisition": file.id})


def _moved_to(store: Store, file: FileToCheck) -> str | None:
    """Return where a file that is gone lies now: at another path of its acquisition, or beside it under its old name."""
    for alias in store.aliases(file.id):
        beside = os.path.join(os.path.dirname(alias), os.path.basename(file.path))  # noqa: PTH118, PTH119, PTH120
        for path in (alias, beside):
            if _prove(file, path) == "ok":
                return path
    return None
