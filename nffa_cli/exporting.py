"""NXem files of many acquisitions, the parent's side: where each goes, what is due, the final name, what to remember.

A file appears under its name when it is whole, or not at all; one that is not our own export of the same acquisition is
never replaced. The source is only read.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nffa_cli import plan, recipe, scan, settings
from nffa_cli.catalogue.assets import Asset
from nffa_cli.catalogue.keys import path_key
from nffa_cli.catalogue.store import Store
from nffa_cli.context import Contexts
from nffa_cli.errors import DiskError, UsageError
from nffa_cli.look import STATUS_OF, request
from nffa_cli.pool import Answer, Pool, is_alive, limits
from nffa_cli.records import Acquisition, Outcome, Status

STAGE = "export-nexus"
SUFFIX = ".nxs"
FILE_SUFFIXES = (".nxs", ".h5", ".hdf5")
"""What tells a file from a folder in ``-o``."""
DRAFT = ".nffa-{host}-{pid}-{number}.part"
"""Name of a file that is being written, beside its final place."""
HOST = re.sub(r"[^A-Za-z0-9]", "_", platform.node())


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for.

    out
        Folder or file to write to; None: ``NFFA_HOME/exports``.
    given
        What ``--set`` says, as a session.
    """

    out: str | None = None
    strict: bool = False
    validate: bool = False
    dry_run: bool = False
    given: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One acquisition with what is known for its folder and the place its file shall have."""

    acquisition: Acquisition
    context: Mapping[str, Any]
    target: str

    @property
    def id(self) -> str:
        """Id of the acquisition."""
        return path_key(self.acquisition.main.path)


def export(targets: Iterable[str], values: settings.Settings, wish: Wish) -> Iterator[Outcome]:
    """Export what lies below ``targets`` (files, folders, or ids of the catalogue) and yield an outcome for each.

    Raises
    ------
    UsageError
        A target is neither a path nor an id, or several files shall go into one; nothing has been written then.
    DiskError
        The disk is full, or the folder cannot be written. What was reported until then is whole.
    """
    roots = [_root(target) for target in targets]
    if wish.out and is_file(wish.out) and (len(roots) > 1 or os.path.isdir(roots[0])):  # noqa: PTH112
        raise UsageError("one file cannot hold several acquisitions", where=wish.out, hint="give -o a folder")
    if wish.out and not is_file(wish.out) and os.path.lexists(wish.out) and not os.path.isdir(wish.out):  # noqa: PTH112
        hint = f"give -o a folder, or a file called .nxs, such as {wish.out}.nxs"
        raise UsageError("this is no folder", where=wish.out, hint=hint)
    yield from _Export(values, wish).run(_items(roots, wish))


def after_ingest(folder: str, values: settings.Settings) -> Iterator[Outcome]:
    """Export what the catalogue holds below ``folder``, if the settings ask for it; what is not recorded was told of."""
    if not values["ingest.export"]:
        return
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        known = {entry.id for entry in store.find(under=scan.folder_of(folder), limit=None)}
    items = (item for item in _items([folder], Wish()) if isinstance(item, Item) and item.id in known)
    yield from _Export(values, Wish()).run(items)


def is_file(out: str) -> bool:
    """Tell whether ``-o`` names a file."""
    return out.lower().endswith(FILE_SUFFIXES) and not os.path.isdir(out)  # noqa: PTH112


def _root(target: str) -> str:
    """Return the path that a target means: itself, or where the acquisition of that id lies."""
    if os.path.lexists(target):
        return target
    if settings.catalogue_path().exists():
        with Store.open(settings.catalogue_path(), readonly=True) as store:
            return store.show(target).entry.path
    what = "no such file or folder, and there is no catalogue that knows an id"
    raise UsageError(what, where=target, hint="name a file, a folder, or an id that nffa list shows")


def _items(roots: Iterable[str], wish: Wish) -> Iterator[Item | Outcome]:
    """Yield each acquisition below ``roots`` once, with its place; what is none of ours as its outcome.

    All sessions above count, whatever was named: the file of an acquisition must not depend on how it was asked for.
    """
    roots = list(roots)
    seen: set[str] = set()
    ours = {os.path.realpath(path) for path in (settings.home(), wish.out) if path}
    for root in roots:
        top = Path(root).absolute().anchor
        contexts = Contexts(top, settings.home(), settings.shipped("crosswalks"), given=wish.given)
        for found in scan.walk(root, leave_out=lambda folder: os.path.realpath(folder) in ours):
            if isinstance(found, scan.Unreadable):
                yield Outcome(found.shown, STAGE, "failed", f"unreadable-folder: {found.reason}")
            elif found.skip:
                yield Outcome(found.shown, STAGE, "skipped", found.skip)
            elif found.main.path not in seen:
                if len(roots) > 1:
                    seen.add(found.main.path)
                context = contexts.of(os.path.dirname(found.main.path))  # noqa: PTH120
                yield Item(found, context, place(root, found.main.path, wish.out))


def place(root: str, path: str, out: str | None) -> str:
    """Return where the file of the acquisition at ``path``, found below ``root``, goes.

    A folder given by name is mirrored under that name; without ``out``, the whole path is, below ``NFFA_HOME/exports``.
    """
    if out is None:
        drive, below = os.path.splitdrive(path)
        top = os.path.join(settings.home(), "exports", drive.strip(":\\/").replace("\\", "_"))  # noqa: PTH118
        return os.path.join(top, below.lstrip("\\/")) + SUFFIX  # noqa: PTH118
    if is_file(out):
        return out
    if not os.path.isdir(root):  # noqa: PTH112
        return os.path.join(out, os.path.basename(path)) + SUFFIX  # noqa: PTH118, PTH119
    name = os.path.basename(os.path.normpath(root))  # noqa: PTH119
    below = os.path.relpath(path, os.path.abspath(root))  # noqa: PTH100
    return os.path.join(out, "" if name in (".", "..") else name, below) + SUFFIX  # noqa: PTH118


class _Export:
    """One run: hands out jobs, gives whole files their names, remembers them."""

    def __init__(self, values: settings.Settings, wish: Wish) -> None:
        self.values = values
        self.wish = wish
        self._secret = "00" if wish.dry_run else settings.secret("pseudonym")  # a dry run makes nothing
        self._drafts: set[str] = set()
        self._made = 0
        self._taken: set[str] = set()
        self._swept: set[str] = set()

    def run(self, items: Iterable[Item | Outcome]) -> Iterator[Outcome]:
        known = settings.catalogue_path().exists()
        with ExitStack() as stack:
            store = stack.enter_context(Store.open(settings.catalogue_path())) if known else None
            stack.callback(self._remove_drafts)
            pool = stack.enter_context(Pool(int(self.values["export.jobs"]) or 1, limits(self.values), serves="nexus"))
            for item in items:
                early = item if isinstance(item, Outcome) else self._start(item, pool, store)
                if early is not None:
                    yield early
                for answer in pool.answers(wait=pool.full):
                    yield self._keep(answer, store)
            while pool.under_way:
                for answer in pool.answers(wait=True):
                    yield self._keep(answer, store)

    def _start(self, item: Item, pool: Pool, store: Store | None) -> Outcome | None:
        """Hand out the job of one acquisition; what needs none is answered at once."""
        final = os.path.normcase(os.path.realpath(item.target))
        if final in self._taken:
            return _failed(item, f"exists: {item.target} was written for another acquisition in this run")
        self._taken.add(final)
        if store is not None and (asset := self._still_good(item, store)):
            return _told(item, "unchanged", {"complete": asset.complete, "missing": list(asset.missing)})
        job = request(
            "export", item.acquisition, self.values, age=0.0, patience=0.0, pictures=False, context=item.context,
            partner_missing=item.acquisition.partner_missing, acquisition=item.id, strict=self.wish.strict,
            compression=self.values["export.compression"], validate=self.wish.validate, secret=self._secret,
            target=item.target, draft=None if self.wish.dry_run else self._draft(item),
        )  # fmt: skip
        pool.submit(replace(job, tag=item))
        return None

    def _still_good(self, item: Item, store: Store) -> Asset | None:
        """Return what the catalogue remembers of this export if source, versions and file are what they were."""
        for asset in store.assets(item.id):
            if asset.path == os.path.abspath(item.target) and asset.source == plan.stamp(item.acquisition):  # noqa: PTH100
                wanted = recipe.of(asset.format, item.context, self.values["export.compression"])
                whole = (asset.complete or not self.wish.strict) and asset.policy is not None
                if whole and asset.recipe == wanted and _stamp(asset.path) == (asset.size, asset.mtime_ns):
                    return asset
        return None

    def _draft(self, item: Item) -> str:
        """Return a temporary name beside the final one; makes the folder and clears it of what dead runs left."""
        folder = os.path.dirname(os.path.abspath(item.target))  # noqa: PTH100, PTH120
        try:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        except OSError as error:
            what = f"the folder cannot be made: {error.strerror}"
            raise DiskError(what, where=folder, hint="give -o a folder that you may write to") from error
        if folder not in self._swept:
            self._swept.add(folder)
            _sweep(folder)
        draft = os.path.join(folder, DRAFT.format(host=HOST, pid=os.getpid(), number=self._made))  # noqa: PTH118
        self._made += 1
        self._drafts.add(draft)
        return draft

    def _keep(self, answer: Answer, store: Store | None) -> Outcome:
        """Finish one acquisition and leave no draft of it behind."""
        outcome = self._finish(answer, store)
        if draft := answer.job.request["draft"]:
            self._drafts.discard(draft)
            _remove(draft)
        return outcome

    def _finish(self, answer: Answer, store: Store | None) -> Outcome:
        """Give a written file its name, and remember it."""
        item, header = answer.job.tag, answer.header
        if header.get("code") == DiskError.code:
            what = header["reason"].removeprefix(f"{answer.job.request['draft']}: ")
            raise DiskError(what, where=item.target, hint=header["hint"])
        if header["state"] != "ready":
            return _told(item, STATUS_OF[header["state"]], {}, header["reason"])
        detail = {key: header[key] for key in ("format", "complete", "missing")}
        detail |= {key: header[key] for key in ("supply", "warnings") if header.get(key)}
        if header["unchanged"]:
            self._remember(item, header, store)
            return _told(item, "unchanged", detail)
        if self.wish.dry_run:
            return _told(item, "done", {**detail, "due": "write"})
        if self.wish.strict and header["missing"]:
            return _told(item, "failed", detail, f"incomplete: {', '.join(header['missing'])} not known")
        if wrong := header["findings"]:
            reason = f"invalid: {wrong[0]['at']}: {wrong[0]['what']}"
            return _told(item, "failed", {**detail, "findings": wrong}, reason)
        try:
            os.replace(answer.job.request["draft"], item.target)  # noqa: PTH105
        except OSError as error:  # on Windows, where another program has the older file open
            return _told(item, "failed", detail, f"not-replaced: {item.target}: {error.strerror}")
        self._remember(item, header, store)
        return _told(item, "done", detail)

    def _remember(self, item: Item, header: Mapping[str, Any], store: Store | None) -> None:
        if store is None or self.wish.dry_run:
            return
        path = os.path.abspath(item.target)  # noqa: PTH100
        size, mtime_ns = _stamp(path) or (0, 0)
        asset = Asset(
            "nxem", path, size, mtime_ns, header["format"], plan.stamp(item.acquisition), header["recipe"],
            header["complete"], tuple(header["missing"]), header["policy"],
        )  # fmt: skip
        store.save_asset(item.id, asset)

    def _remove_drafts(self) -> None:
        for draft in self._drafts:
            _remove(draft)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)  # noqa: PTH108


def _sweep(folder: str) -> None:
    """Remove the drafts of runs on this computer that have ended."""
    mine = re.compile(
        re.escape(DRAFT)
        .replace(r"\{host\}", re.escape(HOST))
        .replace(r"\{pid\}", r"(\d+)")
        .replace(r"\{number\}", r"\d+")
    )
    for name in os.listdir(folder):  # noqa: PTH208
        if (found := mine.fullmatch(name)) and not is_alive(int(found[1])):
            _remove(os.path.join(folder, name))  # noqa: PTH118


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _told(item: Item, status: Status, detail: Mapping[str, Any], reason: str | None = None) -> Outcome:
    output = {"output": item.target.replace(os.sep, "/")} if status in ("done", "unchanged") else {}
    return Outcome(item.acquisition.shown, STAGE, status, reason, {**output, "acquisition": item.id, **detail})


def _failed(item: Item, reason: str) -> Outcome:
    return _told(item, "failed", {}, reason)
