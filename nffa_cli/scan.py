"""Walk a tree and group its files into acquisitions, by names and stamps; nothing is followed, and only a text opened.

That is a ``.txt`` beside a picture of its name, which may describe the picture or be a spectrum of its own.
Symbolic links, FIFOs, sockets and devices are reported and never opened; a folder that cannot be read is reported and
the walk goes on; a file that vanishes while we look is not there.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nffa_cli.errors import UsageError
from nffa_cli.identify import HEAD_BYTES, extension_of, identify
from nffa_cli.records import Acquisition, FileStamp

FURNITURE = re.compile(
    r"(thumbs\.db|desktop\.ini|\.ds_store|\.directory|nffa-session\.ya?ml|\._.*|~\$.*|\.~lock.*|.*\.(tmp|temp|partial|part|crdownload|swp|bak)|.*~)$",
    re.IGNORECASE,
)
"""Names that folders carry for the system's own ends, or that programs give to what is not finished."""

PICTURES = (".tif", ".tiff", ".bmp", ".png", ".jpg", ".jpeg")
"""Pictures that a vendor sidecar may describe; the first that exists gets it."""

COMPANIONS = {
    ".txt": PICTURES,
    ".hdr": (".tif", ".tiff", ".mib", ".png", ".bmp", ".jpg"),
    ".ipr": (".spd",),
    ".raw": (".rpl",),
    ".mdoc": (".mrc", ".mrcs", ".st", ".map"),
}
"""Sidecar extension → extensions of the main file of the same stem, in order of preference."""

SERIES = re.compile(r"(?P<stem>.+)_\d+\.ser$", re.IGNORECASE)
TESCAN_HEADER = re.compile(r"(?P<stem>.+)[-.](?P<kind>tiff?|png|bmp|jpe?g)\.hdr$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be listed."""

    shown: str
    path: str
    reason: str


def walk(root: str, *, leave_out: Callable[[str], bool] = lambda _: False) -> Iterator[Acquisition | Unreadable]:
    """Yield every acquisition below ``root`` in name order, one folder after the other.

    Parameters
    ----------
    root
        A folder or a file, as the user typed it. A file is grouped with its partners in the same folder.
    leave_out
        Tells of an absolute folder path whether to pass it by (our own state).
    """
    mode = look_at(root)
    path = Path(root)
    shown = root.replace(os.sep, "/").rstrip("/") or "/"
    if not stat.S_ISDIR(mode):
        yield from _one_file(path, shown)
        return
    todo = [(os.path.abspath(root), shown)]  # noqa: PTH100 - text paths: resolving would follow links
    seen: set[tuple[int, int]] = set()
    while todo:
        folder, shown = todo.pop()
        if _been_there(folder, seen):
            yield Acquisition(shown, (FileStamp(folder, 0, 0),), skip="loop")
            continue
        entries = _listing(folder)
        if isinstance(entries, str):
            yield Unreadable(shown, folder, entries)
            continue
        files, folders, odd = entries
        yield from group(folder, shown, files, alone=stands_alone)
        yield from odd_ones(folder, shown, odd)
        below = [name for name in sorted(folders, reverse=True) if not leave_out(os.path.join(folder, name))]  # noqa: PTH118
        todo.extend((f"{folder.rstrip(os.sep)}{os.sep}{name}", f"{shown.rstrip('/')}/{name}") for name in below)


def look_at(root: str) -> int:
    """Return the mode of the file or folder that the user named; raises UsageError if it cannot be looked at."""
    try:
        return Path(root).stat().st_mode
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot look at it: {what}", where=root, hint="check the path") from error


def _been_there(folder: str, seen: set[tuple[int, int]]) -> bool:
    """Tell whether the walk has been in this folder by another way: Windows junctions and bind mounts make loops."""
    try:
        state = os.stat(folder)  # noqa: PTH116 - text paths may hold bytes that are no UTF-8
    except OSError:
        return False  # the listing will say why
    place = (state.st_dev, state.st_ino)
    known = place in seen
    seen.add(place)
    return known


def _one_file(path: Path, shown: str) -> Iterator[Acquisition]:
    """Yield the acquisition that a single file, given by name, belongs to."""
    folder = os.path.abspath(path.parent)  # noqa: PTH100
    entries = _listing(folder)
    head = shown.rpartition("/")[0]
    if isinstance(entries, str):
        entries = ({path.name: path.stat()}, [], {})
    files, _, odd = entries
    whole = group(folder, head, files, alone=stands_alone)
    mine = [found for found in whole if any(os.path.basename(stamp.path) == path.name for stamp in found.files)]  # noqa: PTH119
    yield from mine or odd_ones(folder, head, {path.name: odd.get(path.name, "special-file")})


def again(before: Sequence[Acquisition]) -> Iterator[Acquisition]:
    """Look once more at the files of these acquisitions and yield what they belong to now, each once.

    A partner may have come or gone meanwhile; what is no longer there is yielded as skipped. Every folder is listed once.
    """
    folders: dict[str, dict[str, Acquisition]] = {}
    for found in before:
        folder, name = os.path.split(found.main.path)
        folders.setdefault(folder, {})[name] = found
    for folder, wanted in folders.items():
        entries = _listing(folder)
        files = {} if isinstance(entries, str) else entries[0]
        shown = next(iter(wanted.values())).shown.rpartition("/")[0]
        names = {os.path.basename(stamp.path) for found in wanted.values() for stamp in found.files}  # noqa: PTH119
        for now in group(folder, shown, files, alone=stands_alone):
            if any(os.path.basename(stamp.path) in names for stamp in now.files):  # noqa: PTH119
                yield now
        yield from (replace(found, skip="vanished") for name, found in wanted.items() if name not in files)


def is_gone(path: str) -> bool:
    """Tell whether there is surely nothing at ``path``: a folder that may not be looked into proves nothing."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def folder_of(root: str) -> str:
    """Return the absolute path of the folder that a walk of ``root`` lists first: itself, or a file's own."""
    path = os.path.abspath(root)  # noqa: PTH100 - text paths: resolving would follow links
    return path if os.path.isdir(path) else os.path.dirname(path)  # noqa: PTH112, PTH120


def _listing(folder: str) -> tuple[dict[str, os.stat_result], list[str], dict[str, str]] | str:
    """Return (regular files with their stat, sub-folders, odd entries with a reason), or why it cannot be listed."""
    files: dict[str, os.stat_result] = {}
    folders: list[str] = []
    odd: dict[str, str] = {}
    try:
        with os.scandir(folder) as found:
            for entry in found:
                try:
                    if entry.is_symlink():
                        odd[entry.name] = "symlink"
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file(follow_symlinks=False):
                        files[entry.name] = entry.stat(follow_symlinks=False)
                    else:
                        odd[entry.name] = "special-file"
                except FileNotFoundError:
                    continue  # vanished between the listing and the look
                except OSError as error:
                    odd[entry.name] = f"unreadable: {error.strerror}"
    except OSError as error:
        return error.strerror or type(error).__name__
    return files, folders, odd


def odd_ones(folder: str, shown: str, odd: dict[str, str]) -> Iterator[Acquisition]:
    """Yield what is no regular file as skipped, with the reason."""
    for name, reason in sorted(odd.items()):
        yield Acquisition(_join(shown, name), (FileStamp(os.path.join(folder, name), 0, 0),), skip=reason)  # noqa: PTH118


def stands_alone(path: str) -> bool:
    """Tell whether the text file ``path`` is a measurement of its own, a spectrum saved as text; its beginning is read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - text paths may hold bytes that are no UTF-8
            found = identify(os.path.basename(path), file.read(HEAD_BYTES))  # noqa: PTH119
    except OSError:
        return False
    return found.verdict == "ours" and found.family != "sidecar"


def group(
    folder: str, shown: str, files: dict[str, os.stat_result], *, alone: Callable[[str], bool] = lambda _: False
) -> Iterator[Acquisition]:
    """Yield the acquisitions of one folder, in order of their main files' names.

    Names are compared without regard to case, but an exact match of the stem wins, so that two files whose names differ
    only in case stay two. ``alone`` is asked of a ``.txt`` beside a picture of its name whether it stands for itself.
    """
    mains = dict.fromkeys(sorted(files), ())  # type: dict[str, tuple[str, ...]]
    by_stem: dict[str, list[str]] = {}
    for name in mains:
        by_stem.setdefault(_stem(name).casefold(), []).append(name)
    for name in list(mains):
        owner = _owner(name, by_stem)
        if owner is not None and not (extension_of(name) == ".txt" and alone(f"{folder.rstrip(os.sep)}{os.sep}{name}")):
            mains[owner] += (name,)
            del mains[name]
    for main, sidecars in mains.items():
        names = (main, *sorted(sidecars, key=_natural))
        stamps = tuple(_stamp(folder, name, files[name], "main" if name == main else "sidecar") for name in names)
        skip = "furniture" if FURNITURE.fullmatch(main) else None
        yield Acquisition(_join(shown, main), stamps, partner_missing=_partner(main, sidecars), skip=skip)


def _owner(name: str, by_stem: dict[str, list[str]]) -> str | None:
    """Return the main file that a sidecar belongs to; None for a file that stands for itself."""
    extension = extension_of(name)
    if extension == ".ser" and (series := SERIES.fullmatch(name)):
        return _pick(series["stem"], (".emi",), by_stem)
    if extension not in COMPANIONS:
        return None
    if extension == ".mdoc" and (own := extension_of(_stem(name))) in COMPANIONS[extension]:  # SerialEM: a.mrc.mdoc
        return _pick(_stem(_stem(name)), (own,), by_stem)
    if extension == ".hdr" and (header := TESCAN_HEADER.fullmatch(name)):
        return _pick(header["stem"], (f".{header['kind'].lower()}",), by_stem)
    return _pick(_stem(name), COMPANIONS[extension], by_stem)


def _pick(stem: str, extensions: tuple[str, ...], by_stem: dict[str, list[str]]) -> str | None:
    kin = by_stem.get(stem.casefold(), [])
    for extension in extensions:
        fits = [name for name in kin if extension_of(name) == extension]
        if fits:
            return next((name for name in fits if _stem(name) == stem), fits[0])
    return None


def _partner(main: str, sidecars: tuple[str, ...]) -> str | None:
    """Return what kind of file should lie beside the main one and does not."""
    extension = extension_of(main)
    if extension == ".emi" and not sidecars:
        return ".ser"
    if extension == ".ser" and SERIES.fullmatch(main):
        return ".emi"
    return None


def _stamp(folder: str, name: str, found: os.stat_result, role: Literal["main", "sidecar"]) -> FileStamp:
    return FileStamp(f"{folder.rstrip(os.sep)}{os.sep}{name}", found.st_size, found.st_mtime_ns, found.st_ino, role)


def _join(shown: str, name: str) -> str:
    return f"{shown.rstrip('/')}/{name}" if shown else name


def _stem(name: str) -> str:
    extension = extension_of(name)
    return name[: -len(extension)] if extension else name


def _natural(name: str) -> list[object]:
    """Sort ``_2`` before ``_10``."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.casefold()) for part in re.split(r"(\d+)", name)]
