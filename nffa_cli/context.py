"""What the files cannot know, found for a folder: session files upwards to the ingest root, and the instruments' profiles.

A session may lie beside the data (``nffa-session.yaml``) or, where nothing may be written there, in ``NFFA_HOME`` by
folder. The nearest folder wins, key by key. Data folders hold the documented keys only and steer nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nffa_cli import forms
from nffa_cli.errors import ConfigError, UsageError

logger = logging.getLogger(__name__)

FILE_NAMES = ("nffa-session.yaml", "nffa-session.yml")


def session_store(home: Path, folder: str) -> Path:
    """Return where ``NFFA_HOME`` keeps the session of a folder, however its name is typed where case says nothing."""
    place = os.path.normcase(os.path.abspath(folder))  # noqa: PTH100
    key = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
    return home / "sessions" / f"{key}.yaml"


def profile_folder(home: Path) -> Path:
    """Return where ``NFFA_HOME`` keeps the profiles."""
    return home / "profiles"


def profiles(home: Path) -> list[dict[str, Any]]:
    """Read all profiles, each with its ``name``; raises ConfigError for one that is wrong."""
    folder = profile_folder(home)
    found = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    return [{"name": path.stem, **forms.read(path, forms.PROFILE)} for path in found]


def profile(home: Path, name: str) -> dict[str, Any]:
    """Read one profile; raises UsageError when there is none of that name."""
    found = {each["name"]: each for each in profiles(home)}
    if name not in found:
        known = ", ".join(found) or "none yet"
        raise UsageError(f"there is no profile {name!r} (known: {known})", hint="nffa profile list")
    return found[name]


def save_session(
    home: Path,
    folder: str,
    values: Mapping[str, Any],
    *,
    here: bool = False,
    replace: bool = False,
    dry_run: bool = False,
) -> Path:
    """Write the session of a folder, beside the data (``here``) or into ``NFFA_HOME``, and return where it lies.

    Raises UsageError if there is one already. ``dry_run``: all but the writing.
    """
    if not values:
        raise UsageError("a session needs at least one answer", hint="nffa session new --set sample.name=W12")
    kept = [Path(folder, name) for name in FILE_NAMES] + [session_store(home, folder)]
    path = kept[0] if here else kept[-1]
    for other in (each for each in kept if each.is_file()):
        if other != path or not replace:
            hint = "add --replace to write it anew" if other == path else "change that file, or remove it"
            raise UsageError("this folder has a session already", where=str(other), hint=hint)
    return path if dry_run else write_form(path, values, f"nffa session of {os.path.abspath(folder)}")  # noqa: PTH100


def session_of(folder: str, home: Path) -> dict[str, Any]:
    """Return what is known for a folder from all sessions above it."""
    found: dict[str, Any] = Contexts(Path(folder).anchor or folder, home, Path()).of(folder)["session"]
    return found


def check_sessions(paths: Iterable[str], home: Path | None = None) -> Iterator[tuple[Path, str | None]]:
    """Yield each session file below ``paths`` with what is wrong with it (None: nothing).

    ``home``: look also at what it keeps for the folders that are named.
    """
    for given in map(Path, paths):
        files = [given] if given.is_file() else sorted(path for name in FILE_NAMES for path in given.rglob(name))
        if home is not None and (kept := session_store(home, str(given))).is_file():
            files.insert(0, kept)
        for path in files:
            try:
                forms.read(path, forms.SESSION)
            except ConfigError as error:
                yield path, str(error)
            else:
                yield path, None


def save_profile(
    home: Path, name: str, values: Mapping[str, Any], *, replace: bool = False, dry_run: bool = False
) -> Path:
    """Write a profile and return where it lies; raises for a bad name, a bad value, or one that exists already.

    ``dry_run``: all but the writing.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise UsageError(f"a profile's name is letters, digits, dots and dashes, not {name!r}")
    forms.check(values, forms.PROFILE)
    if not {"vendor", "model", "serial"} & set(values):
        raise UsageError(
            "a profile needs a vendor, a model or a serial to be found by", hint="--model, --serial or --vendor"
        )
    path = profile_folder(home) / f"{name}.yaml"
    if path.exists() and not replace:
        raise UsageError(f"there is a profile {name} already", where=str(path), hint="add --replace to write it anew")
    return path if dry_run else write_form(path, values, f"nffa profile of the instrument {name}")


def write_form(path: Path, values: Mapping[str, Any], heading: str) -> Path:
    """Write a form in one step: a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(forms.write(values, heading), encoding="utf-8")
    draft.replace(path)
    return path


class Contexts:
    """Gives each folder below an ingest root what is known of it; every file is read once a run.

    ``of`` returns a JSON-able dict for the worker: ``session`` (tree), ``problems`` (session files that could not be used),
    ``profiles``, ``crosswalks`` (folder) and ``digest`` (changes when any of these does). A wrong session file stops
    nothing: the records below it carry the complaint as a warning, and become due again when it is mended.
    ``given``: what the user says now, by key (``{"sample.name": …}``); it wins over every session.
    """

    def __init__(self, root: str, home: Path, crosswalks: Path, *, given: Mapping[str, Any] | None = None) -> None:
        top = os.path.abspath(root)  # noqa: PTH100 - text paths may hold bytes that are no UTF-8
        self._root = top if os.path.isdir(top) else os.path.dirname(top)  # noqa: PTH112, PTH120
        self._home = home
        self._crosswalks = str(crosswalks)
        self._given = forms.by_section(given or {})
        self._profiles = profiles(home)
        self._sessions: dict[str, tuple[dict[str, Any], list[str]]] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._stored = (
            {path.name for path in (home / "sessions").glob("*.yaml")} if (home / "sessions").is_dir() else set()
        )

    def of(self, folder: str) -> dict[str, Any]:
        """Return what is known of ``folder`` (absolute)."""
        if folder not in self._known:
            session, problems = self._session(folder)
            session = _over(self._given, session)
            known = {"session": session, "problems": problems, "profiles": self._profiles}
            text = json.dumps(known, sort_keys=True)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if any(known.values()) else None
            self._known[folder] = {"crosswalks": self._crosswalks, "digest": digest, **known}
        return self._known[folder]

    def _session(self, folder: str) -> tuple[dict[str, Any], list[str]]:
        """Merge the folder's own session over its parents', up to the root."""
        if folder not in self._sessions:
            parent = os.path.dirname(folder)  # noqa: PTH120
            inherited, problems = self._session(parent) if folder != self._root and parent != folder else ({}, [])
            try:
                own = self._own(folder)
            except ConfigError as error:
                logger.warning("%s; the records below this folder lack it", error)
                own, problems = {}, [*problems, str(error)]
            self._sessions[folder] = (_over(own, inherited) if own else inherited, problems)
        return self._sessions[folder]

    def _own(self, folder: str) -> dict[str, Any]:
        beside = [Path(folder, name) for name in FILE_NAMES if Path(folder, name).is_file()]
        stored = session_store(self._home, folder) if self._stored else None
        if stored is not None and stored.name in self._stored:
            beside.insert(0, stored)
        if len(beside) > 1:
            names = " and ".join(str(path) for path in beside)
            raise ConfigError(f"one folder has two sessions: {names}", where=folder, hint="remove one of them")
        return forms.read(beside[0], forms.SESSION) if beside else {}


def _over(near: Mapping[str, Any], far: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two sessions key by key; the near one wins."""
    found = dict(far)
    for key, value in near.items():
        below = far.get(key)
        found[key] = _over(value, below) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return found
