"""Hash the catalogue's files again and say which still hold what was recorded; two threads, since hashing frees the GIL."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby

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
    """Hash every recorded file not checked since ``since`` (ISO 8601, UTC) and yield an outcome for each acquisition.

    Each file's result is kept as soon as it is known.
    """
    for _, files in groupby(_proved(store, since, under), key=lambda item: item[0].id):
        yield _told(store, list(files))


def _proved(store: Store, since: str, under: str | None) -> Iterator[tuple[FileToCheck, CheckResult]]:
    with ThreadPoolExecutor(2) as threads:
        waiting: deque[tuple[FileToCheck, Future[CheckResult]]] = deque()
        for file in store.files_to_check(since, under=under):
            waiting.append((file, threads.submit(_prove, file)))
            if len(waiting) >= 8:
                first, result = waiting.popleft()
                yield first, result.result()
        for file, result in waiting:
            yield file, result.result()


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


def _told(store: Store, files: list[tuple[FileToCheck, CheckResult]]) -> Outcome:
    """Return the outcome of one acquisition: that of its worst file, which is named where it is not the main one."""
    status, reason = SAYING["ok"]
    bad: list[dict[str, str]] = []
    for file, found in files:
        elsewhere = _moved_to(store, file) if found == "missing" else None
        store.record_check(file.number, "ok" if elsewhere else found)
        if elsewhere:
            reason = reason or f"moved: found at {elsewhere}"
        elif found != "ok":
            bad.append({"path": file.path.replace(os.sep, "/"), "result": found})
            if len(bad) == 1:
                status, reason = SAYING[found]
                if file.path != file.main:
                    reason = f"{reason} ({os.path.basename(file.path)})"  # noqa: PTH119
    main = files[0][0]
    detail = {"acquisition": main.id} | ({"files": bad} if bad else {})
    return Outcome(main.main.replace(os.sep, "/"), "check", status, reason, detail)


def _moved_to(store: Store, file: FileToCheck) -> str | None:
    """Return where a file that is gone lies now: at another path of its acquisition, or beside it under its old name."""
    for alias in store.aliases(file.id):
        beside = os.path.join(os.path.dirname(alias), os.path.basename(file.path))  # noqa: PTH118, PTH119, PTH120
        for path in (alias, beside):
            if _prove(file, path) == "ok":
                return path
    return None
