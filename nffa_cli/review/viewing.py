"""What a person is shown of a content: its record's key settings and its preview, from the catalogue or made now.

Pictures that were classified and never ingested are read in a worker when they are asked for; their previews are kept in
``previews/review`` of ``NFFA_HOME``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from nffa_cli import settings
from nffa_cli.catalogue.store import Store
from nffa_cli.context import Contexts
from nffa_cli.look import read_job
from nffa_cli.pool import Pool, limits
from nffa_cli.records import Acquisition, FileStamp
from nffa_cli.scan import again

SIZE = 512
"""Longest side of a preview, where the settings want none."""


@dataclass(frozen=True, slots=True)
class View:
    """What there is to see; ``terms`` as in a record, ``problem``: why there is no picture."""

    terms: Mapping[str, Any]
    preview: Path | None
    problem: str | None = None


class Viewer:
    """Finds views; use as a context manager, since it may hold a worker."""

    def __init__(self, store: Store, values: settings.Settings) -> None:
        self._store = store
        self._values = values.over(preview_size=values["preview.size"] or SIZE)
        self._pool: Pool | None = None
        self._known: dict[str, View] = {}

    def __enter__(self) -> Viewer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.__exit__(kind, error, trace)

    def view(self, sha256: str, paths: Sequence[str]) -> View:
        """Return what there is to see of a content that lies at ``paths``."""
        if sha256 not in self._known:
            self._known[sha256] = self._ingested(sha256) or self._read(sha256, paths)
        return self._known[sha256]

    def _ingested(self, sha256: str) -> View | None:
        acquisition = self._store.opinions.acquisition(sha256)
        if acquisition is None:
            return None
        entry = self._store.show(acquisition).entry
        preview = None if entry.preview is None else settings.home() / "previews" / entry.preview
        return View(entry.record["terms"], preview) if preview is not None and preview.is_file() else None

    def _read(self, sha256: str, paths: Sequence[str]) -> View:
        problem = "the file is not where it was"
        for path in paths:
            for found in again([Acquisition(path.replace(os.sep, "/"), (FileStamp(path, 0, 0),))]):
                if found.skip:
                    continue
                view = self._drawn(sha256, found)
                if view.preview is not None:
                    return view
                problem = view.problem or problem
        return View({}, None, problem)

    def _drawn(self, sha256: str, found: Acquisition) -> View:
        """Read one acquisition in a worker and draw it."""
        folder = settings.make_home() / "previews" / "review"
        folder.mkdir(parents=True, exist_ok=True)
        final = folder / f"{sha256}.{'jpg' if self._values['preview.format'] == 'jpeg' else 'png'}"
        draft = folder / f".tmp-{os.getpid()}"
        place = os.path.dirname(found.main.path)  # noqa: PTH120 - a path may be any bytes
        context = Contexts(place, settings.home(), settings.shipped("crosswalks")).of(place)
        job = read_job(
            found, context, self._values, patience=0.0, pictures=True, hash_=True, raw=False, preview=str(draft)
        )
        if self._pool is None:
            self._pool = Pool(1, limits(self._values)).__enter__()
        self._pool.submit(job)
        header = next(self._pool.answers(wait=True)).header
        try:
            if header["state"] != "ready":
                return View({}, None, str(header["reason"]))
            if header["files"][0].get("sha256") != sha256:
                return View({}, None, "the file was changed since it was classified: run nffa classify again")
            terms = header["record"]["terms"]
            if header["preview"] is None:
                return View(terms, None, "there is nothing to draw")
            draft.replace(final)
            return View(terms, final)
        finally:
            draft.unlink(missing_ok=True)
