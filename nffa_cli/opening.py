"""What ``nffa open`` opens, and with what: a node's page, a report, a preview, a NeXus file in a viewer. No shell, ever.

What is opened is decided first (``find``), then started (``start``); nothing is made, fetched or changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli import browse, settings
from nffa_cli.catalogue.store import Store
from nffa_cli.errors import NffaError, UsageError
from nffa_cli.terminal import printable

NEXUS = (".nxs", ".nx", ".nx5")
PAGES = (".html", ".htm")
PATIENCE = 1.5
"""Seconds in which a program that cannot do it has said so; one that still runs then is showing it."""
NODE = re.compile(r"(https?://[^\s/?#]+(?:/[^\s?#]*)?)/api/v\d+/(measurements/[0-9a-f-]{36})")
"""Address of a measurement at a node, as receipts have it; its page lies beside the interface."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that shows things: its name on PATH, and what it is called with before the thing."""

    name: str
    before: tuple[str, ...] = ()


VIEWERS = (
    Program("silx", ("view",)),
    Program("nexpy"),
    Program("h5view"),
    Program("hdfview"),
    Program("HDFView"),
    Program("vitables"),
    Program("argosw"),
)
"""What shows HDF5 files, the first one that is installed; those that know NeXus go first."""
OPENERS = {
    "darwin": (Program("open"),),
    "linux": (Program("xdg-open"), Program("gio", ("open",)), Program("wslview")),
}
"""What opens an address or a file as the desktop would, by the beginning of ``sys.platform``; Windows does it by itself."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What is to be opened.

    what
        ``page`` (at a node), ``report``, ``preview`` or ``nexus``.
    address
        A URL, or an absolute path.
    """

    what: str
    address: str
    acquisition: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON line, without the program."""
        is_url = self.what == "page"
        url, path = (self.address, None) if is_url else (None, browse.forward(self.address))
        return {"type": "opened", "what": self.what, "url": url, "path": path, "acquisition": self.acquisition}


def find(target: str) -> Thing:
    """Return what ``target`` means: a report, a NeXus file, or an acquisition by file, id or the start of its id.

    Raises
    ------
    UsageError
        It is none of these, or there is nothing to look at.
    """
    suffix = os.path.splitext(target)[1].lower()  # noqa: PTH122 - text paths may hold bytes that are no UTF-8
    place = os.path.abspath(target)  # noqa: PTH100
    if os.path.isdir(place):  # noqa: PTH112
        raise UsageError(
            "this is a folder", where=target, hint="nffa report FOLDER makes a page of it; nffa open report.html"
        )
    is_file = os.path.isfile(place)  # noqa: PTH113
    for endings, what in ((NEXUS, "nexus"), (PAGES, "report")):
        if suffix in endings:
            if not is_file:
                raise UsageError("there is no such file", where=target, hint="nffa show ID lists what was made of one")
            return Thing(what, place)
    return _acquisition(target, is_file=is_file)


def _acquisition(target: str, *, is_file: bool) -> Thing:
    """Return the page at the node where it was delivered last, else its preview."""
    if not settings.catalogue_path().exists():
        raise UsageError(
            "there is no catalogue yet, so nothing is known of it", where=target, hint=_ingest(target, is_file)
        )
    with Store.open(settings.catalogue_path(), readonly=True) as store:
        try:
            entry = store.show(target).entry
        except UsageError as error:
            if not is_file:
                raise
            what = "the catalogue does not know this file"
            raise UsageError(what, where=target, hint=_ingest(target, is_file)) from error
        pages = [page for each in store.outbox.addresses(entry.id) if (page := page_of(each)) is not None]
    if pages:
        return Thing("page", pages[0], entry.id)
    preview = settings.home() / "previews" / entry.preview if entry.preview else None
    if preview is None or not preview.is_file():
        what = "it was delivered to no node, and it has no preview"
        raise UsageError(
            what, where=browse.forward(entry.path), hint=f"nffa show {entry.id[:8]}, or nffa sync --to https://NODE"
        )
    return Thing("preview", str(preview.absolute()), entry.id)


def _ingest(target: str, is_file: bool) -> str:
    folder = os.path.dirname(target) or "."  # noqa: PTH120
    return f"nffa ingest {printable(folder)}" if is_file else "nffa ingest FOLDER"


def page_of(address: str) -> str | None:
    """Return the page of a measurement from where a receipt says that it is; None: no node said that."""
    found = NODE.fullmatch(address)
    return f"{found[1]}/{found[2]}" if found else None


# --- started ---


def start(thing: Thing) -> str:
    """Open it and return the name of what does.

    Raises
    ------
    NffaError
        No program for it is installed, or it could not.
    """
    if thing.what == "nexus":
        program = _first(VIEWERS)
        if program is None:
            raise NffaError(
                "no program that shows NeXus files is installed", where=thing.address,
                hint="pip install 'silx[full]' (or nexpy, or HDFView from hdfgroup.org); nffa open --print says where it lies",
            )  # fmt: skip
        return _run(program, thing)
    if sys.platform == "win32":
        return _by_windows(thing)
    kinds = next((known for system, known in OPENERS.items() if sys.platform.startswith(system)), OPENERS["linux"])
    program = _first(kinds)
    return _by_browser(thing) if program is None else _run(program, thing)


def _first(programs: tuple[Program, ...]) -> Program | None:
    return next((each for each in programs if shutil.which(each.name)), None)


def _run(program: Program, thing: Thing) -> str:
    """Start a program that goes on without us; one that ends in a moment with a status that is not 0 could not do it."""
    path = shutil.which(program.name)
    assert path is not None
    silent: Mapping[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    try:
        process = subprocess.Popen([path, *program.before, thing.address], start_new_session=True, **silent)
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return program.name
    except OSError as error:
        raise _could_not(program.name, thing, str(error.strerror)) from error
    if status:
        raise _could_not(program.name, thing, f"it ended with status {status}")
    return program.name


def _by_windows(thing: Thing) -> str:
    try:
        os.startfile(thing.address)  # type: ignore[attr-defined]  # noqa: S606
    except OSError as error:
        raise _could_not("Windows", thing, str(error.strerror)) from error
    return "Windows"


def _by_browser(thing: Thing) -> str:
    import webbrowser

    address = thing.address if thing.what == "page" else Path(thing.address).as_uri()
    if not webbrowser.open(address):
        raise _could_not("a browser", thing, "none is installed, or there is no screen")
    return "browser"


def _could_not(name: str, thing: Thing, why: str) -> NffaError:
    return NffaError(f"{name} could not open it: {why}", where=thing.address, hint="nffa open --print says where it is")
