"""Is this PC fit? Each check tries the real thing and says in one line what it found, and what to type next.

Nothing is repaired here, nothing of the user's is changed: what must be written to be tried is taken away again.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import tempfile
import time
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nffa_cli import __version__, browse, context, look, scan, settings
from nffa_cli.catalogue import connection
from nffa_cli.catalogue.store import Store
from nffa_cli.errors import LockedError, NffaError
from nffa_cli.pool import Job, Limits, Pool
from nffa_cli.terminal import Terminal

MEGABYTE = 1 << 20
LITTLE_SPACE = 200 * MEGABYTE
SOME_SPACE = 2000 * MEGABYTE
"""Free bytes below which the disk of ``NFFA_HOME`` is bad, and below which it deserves a look."""

CLOCK_SECONDS = 2.0
"""Difference between a disk's clock and the system's that is not worth a word."""
EARLIEST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
"""No PC that runs this can rightly believe in an earlier time."""

LOOKED_AT = 200
"""Files of FOLDER whose rights and times are looked at."""

NETWORK = {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "davfs", "webdav", "ncpfs"}
"""File systems that lie on another machine, as psutil names them."""

SPECTRUM = """\
#FORMAT      : EMSA/MAS Spectral Data File
#VERSION     : 1.0
#TITLE       : nffa doctor
#DATE        :
#TIME        :
#OWNER       :
#NPOINTS     : 4.
#NCOLUMNS    : 1.
#XUNITS      : eV
#YUNITS      : counts
#DATATYPE    : Y
#XPERCHAN    : 10.0
#OFFSET      : 0.0
#SPECTRUM    : Spectral Data Starts Here
1.0,
2.0,
4.0,
3.0,
#ENDOFDATA   : End Of Data and File
"""
"""A file that only RosettaSciIO reads: it proves that library, not our own readers."""


@dataclass(frozen=True, slots=True)
class Item:
    """What one check found; ``hint`` is what to type or do next."""

    name: str
    status: Literal["ok", "warn", "bad"]
    detail: str
    hint: str | None = None


Check = Callable[[], Iterator[Item]]


def examine(folder: str | None = None) -> Iterator[Item]:
    """Yield what each check finds; with ``folder`` also whether its data can be taken from here.

    A check that fails in a way nobody thought of is itself bad news, and the others go on.
    """
    for check in CHECKS:
        yield from _guarded(check.__name__.strip("_").replace("_", " "), check)
    if folder is not None:
        yield from _guarded("folder", lambda: _folder(folder))


def _guarded(name: str, check: Check) -> Iterator[Item]:
    try:
        yield from check()
    except NffaError as error:
        yield Item(name, "bad", str(error), error.hint)
    except OSError as error:
        hint = "check the rights and the free space, or set NFFA_HOME to a folder you can write to"
        yield Item(name, "bad", f"{error.filename or settings.home()}: {error.strerror or error}", hint)
    except Exception as error:
        yield Item(name, "bad", f"{type(error).__name__}: {error}", "report this to the developers of nffa")


def tell(items: Iterator[Item], terminal: Terminal) -> int:
    """Tell each item as it comes, then the sum; return the exit status."""
    counts: Counter[str] = Counter()
    for item in items:
        counts[item.status] += 1
        line = {"name": item.name, "status": item.status, "detail": item.detail, "hint": item.hint}
        terminal.data({"type": "check-item", **line})
        terminal.line(f"{item.status:<5} {item.name:<14} {item.detail}")
        if item.hint:
            terminal.line(f"{'':<20} {item.hint}")
    verdict = "bad" if counts["bad"] else "warn" if counts["warn"] else "ok"
    terminal.data({"type": "summary", "verdict": verdict, "checks": dict(counts)})
    saying = {
        "ok": "this PC is fit",
        "warn": "this PC is fit, with a remark",
        "bad": "something must be put right first",
    }
    terminal.line(
        f"{saying[verdict]}. Next: {'nffa doctor, again' if counts['bad'] else 'nffa demo, or nffa ingest FOLDER'}"
    )
    return 3 if counts["bad"] else 0


# --- the programs ---


def _python() -> Iterator[Item]:
    found = f"Python {platform.python_version()}, nffa {__version__}, {platform.system()} {platform.release()}"
    yield Item("python", "ok", found)
    if platform.system() == "Windows":
        yield _long_paths()


def _long_paths() -> Item:
    import winreg

    registry: Any = winreg
    place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    try:
        with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as key:
            allowed = bool(registry.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        allowed = False
    if allowed:
        return Item("long paths", "ok", "paths longer than 260 characters can be read")
    hint = rf"as administrator: reg add HKLM\{place} /v LongPathsEnabled /t REG_DWORD /d 1 /f"
    return Item("long paths", "warn", "files with paths longer than 260 characters cannot be read", hint)


def _sqlite() -> Iterator[Item]:
    version = ".".join(map(str, connection.version()))
    if connection.version() < connection.OLDEST_SQLITE:
        yield Item("sqlite", "bad", f"SQLite {version} is too old", "install a Python from python.org (3.11 or newer)")
    elif not connection.has_full_text_search():
        yield Item(
            "sqlite", "bad", f"SQLite {version} lacks full-text search (FTS5)", "install a Python from python.org"
        )
    else:
        yield Item("sqlite", "ok", f"SQLite {version} with full-text search")


def _readers() -> Iterator[Item]:
    """Read a sample of each kind in a real worker, then ask RosettaSciIO and HyperSpy themselves."""
    from nffa_cli import samples

    values = settings.defaults()
    with tempfile.TemporaryDirectory(prefix="nffa-doctor-") as room:
        samples.make(Path(room), seed=1, kinds=samples.KINDS)
        Path(room, "spectrum.msa").write_text(SPECTRUM, encoding="ascii")
        for item in look.inspect([room], values):
            name = Path(item["shown"]).name
            answer = item["answer"]
            if answer["state"] == "ready":
                yield Item("reader", "ok", f"{answer['format']}: {name} in a worker")
            else:
                yield Item("reader", "bad", f"{name}: {answer['reason']}", REINSTALL)
        for item in look.inspect([str(Path(room, "spectrum.msa"))], values, second=True):
            if "error" not in item["hyperspy"]:
                yield Item("hyperspy", "ok", "HyperSpy reads too (nffa inspect --reader hyperspy)")
            else:
                yield Item("hyperspy", "bad", f"HyperSpy cannot be used: {item['hyperspy']['error']}", REINSTALL)


REINSTALL = "pip install --force-reinstall nffa-cli"


def _limits() -> Iterator[Item]:
    """Let a worker misbehave in each way, and see that it is stopped."""
    trials = (
        ("memory", "memory", "takes too much memory"),
        ("time", "timeout", "never ends"),
        ("crash", "crashed", "crashes"),
    )
    for how, reason, does in trials:
        with Pool(1, Limits(seconds=30.0 if how == "memory" else 1.0, memory_mb=256)) as pool:
            began = time.monotonic()
            pool.submit(Job({"job": "strain", "how": how, "seconds": 30}))
            answer = next(pool.answers(wait=True)).header
            took = time.monotonic() - began
        if answer["state"] == "damaged" and answer["reason"].startswith(reason):
            yield Item("worker limits", "ok", f"a reader that {does} is stopped ({took:.1f} s)")
        else:
            hint = "do not leave nffa unattended here; report this to the developers of nffa"
            yield Item("worker limits", "bad", f"a reader that {does} should be stopped, but: {answer['reason']}", hint)


# --- the machine ---


def _clock() -> Iterator[Item]:
    now = dt.datetime.now().astimezone()
    if now < EARLIEST:
        yield Item("clock", "bad", f"the clock says {now:%Y-%m-%d %H:%M}", "set the clock of this PC")
        return
    with tempfile.TemporaryFile(dir=_existing(settings.home())) as file:
        ahead = os.fstat(file.fileno()).st_mtime - time.time()
    if abs(ahead) > CLOCK_SECONDS:
        detail = f"the disk of NFFA_HOME is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this PC's clock"
        yield Item("clock", "warn", detail, "set both clocks by the network, or move NFFA_HOME to a local disk")
    else:
        yield Item("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} {now.tzname()} ({now:%z}); the disk agrees")
    try:
        zoneinfo.ZoneInfo("Europe/Rome")
    except zoneinfo.ZoneInfoNotFoundError:
        yield Item("time zones", "bad", "time zones of profiles cannot be looked up", "pip install tzdata")
    else:
        yield Item("time zones", "ok", "time zones can be looked up by name")


def _nffa_home() -> Iterator[Item]:
    home = settings.home()
    with tempfile.TemporaryDirectory(prefix=".nffa-doctor-", dir=_existing(home)) as room:
        draft = Path(room, "draft")
        draft.write_bytes(b"x")
        draft.replace(Path(room, "final"))
    made = "" if home.is_dir() else " (not made yet)"
    yield Item("nffa home", "ok", f"{home} can be written{made}")
    if kind := network(str(home)):
        hint = "set NFFA_HOME to a folder on a local disk: locks and databases are not safe on a share"
        yield Item("nffa home", "warn", f"{home} lies on a network share ({kind})", hint)
    if os.name == "posix" and home.is_dir() and home.stat().st_mode & 0o022:
        yield Item("nffa home", "warn", f"other users may change {home}", f"chmod go-w '{home}'")
    yield _space("disk", home)


def _space(name: str, place: Path) -> Item:
    free = shutil.disk_usage(_existing(place)).free
    status: Literal["ok", "warn", "bad"] = "bad" if free < LITTLE_SPACE else "warn" if free < SOME_SPACE else "ok"
    hint = None if status == "ok" else "free some space, or set NFFA_HOME to a folder on another disk"
    return Item(name, status, f"{browse.size(free)} free for {place}", hint)


def _existing(place: Path) -> Path:
    """Return the nearest folder at or above ``place`` that exists."""
    place = place.absolute()
    return next((each for each in (place, *place.parents) if each.is_dir()), Path(place.anchor))


def network(place: str) -> str | None:
    """Return the kind of network file system that ``place`` lies on; None: a local disk, or unknown."""
    path = os.path.realpath(place)
    if path.startswith("\\\\"):
        return "UNC"
    import psutil

    mounts = [each for each in psutil.disk_partitions(all=True) if _holds(each.mountpoint, path)]
    nearest = max(mounts, key=lambda each: len(each.mountpoint), default=None)
    if nearest is None:
        return None
    return nearest.fstype if nearest.fstype.lower() in NETWORK or "remote" in nearest.opts.split(",") else None


def _holds(mount: str, path: str) -> bool:
    return path == mount or path.startswith(mount.rstrip(os.sep) + os.sep)


# --- what nffa keeps, and what it is told ---


def _catalogue() -> Iterator[Item]:
    path = settings.catalogue_path()
    if not path.exists():
        yield Item("catalogue", "ok", "none yet; nffa ingest makes it")
        return
    with Store.open(path, readonly=True) as store:
        faults = store.faults()
        report = store.status()
        if faults:
            hint = "move this file away and run nffa ingest again: everything is made anew from the source files"
            yield Item("catalogue", "bad", f"{path} is damaged: {faults[0]}", hint)
        else:
            yield Item(
                "catalogue", "ok", f"{report.acquisitions} acquisitions, {browse.size(report.bytes_catalogue)}, whole"
            )
        try:
            with store.lock():
                yield Item("lock", "ok", "no other run is at work")
        except LockedError as error:
            yield Item("lock", "warn", error.what, "wait until it has ended; nffa ingest would stop with status 7")


def _settings() -> Iterator[Item]:
    settings.load()
    yield Item("settings", "ok", f"{settings.home() / 'nffa.toml'} and the environment are right")


def _profiles() -> Iterator[Item]:
    found = context.profiles(settings.home())
    yield Item("profiles", "ok", ", ".join(each["name"] for each in found) or "none yet; nffa profile add makes one")


def _sessions() -> Iterator[Item]:
    kept = settings.home() / "sessions"
    checked = [problem for _, problem in context.check_sessions([str(each) for each in kept.glob("*.yaml")])]
    wrong = [problem for problem in checked if problem]
    for problem in wrong:
        yield Item("sessions", "warn", problem, "correct it, or nffa session new FOLDER --replace")
    if not wrong:
        yield Item("sessions", "ok", f"{len(checked)} kept by folder, all right")


def _crosswalks() -> Iterator[Item]:
    from nffa_cli.crosswalk import check, vocabulary

    folder = settings.shipped("crosswalks")
    problems = check.check(folder, vocabulary.load(folder))
    if problems:
        detail = f"{len(problems)} problems; first: {problems[0].where}: {problems[0].what}"
        yield Item("crosswalks", "bad", detail, "nffa crosswalk check")
    else:
        yield Item("crosswalks", "ok", f"{len(check.files(folder))} crosswalks, all right")


def _model() -> Iterator[Item]:
    from nffa_cli import classifying
    from nffa_cli.classify import models

    values = settings.load()
    if not list(models.places()):
        yield Item("model", "warn", "there is none to classify pictures with", models.GET_ONE)
        return
    model = classifying.model_of(values, classifying.Wish())
    classifying.try_model(models.Place(Path(model.where), model.origin, model.sha256), model.sha256, values)
    yield Item("model", "ok", f"{model.name} {model.version} runs")


# --- the data ---


def _folder(folder: str) -> Iterator[Item]:
    """Look at names, rights and times of what an ingest would take; the walk ends after a few hundred files."""
    share = network(folder)
    where = f"{folder} on a network share ({share})" if share else folder
    looked, closed, ahead = 0, [], 0.0
    for found in scan.walk(folder):
        if isinstance(found, scan.Unreadable):
            closed.append(f"{found.shown} ({found.reason})")
            continue
        if found.skip:
            continue
        looked += 1
        ahead = max(ahead, found.main.mtime_ns / 1e9 - time.time())
        if not os.access(found.main.path, os.R_OK):
            closed.append(f"{found.shown} (no right to read it)")
        if looked >= LOOKED_AT:
            break
    if closed:
        hint = "give the user who runs nffa the right to read it"
        yield Item("folder", "bad", f"{len(closed)} in {where} cannot be read, such as {closed[0]}", hint)
    elif not looked:
        yield Item("folder", "warn", f"nothing to take in {where}", "is this the folder that the microscope writes to?")
    else:
        yield Item("folder", "ok", f"{where} can be read ({looked} looked at)")
    if ahead > CLOCK_SECONDS:
        hint = "set the clocks by the network; until then new files wait until they are seen unchanged twice"
        yield Item("folder clock", "warn", f"files in {folder} come up to {ahead:.0f} s from the future", hint)
    yield _space("folder disk", Path(folder))


CHECKS: tuple[Check, ...] = (
    _python, _sqlite, _readers, _limits, _clock, _nffa_home, _settings, _profiles, _sessions, _crosswalks, _catalogue,
    _model,
)  # fmt: skip
"""Every check, in the order in which a person wants to hear."""
