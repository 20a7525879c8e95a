"""Bringing measurements back from a destination: resumed, verified, under names that lead nowhere else, over no other file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nffa_cli.delivery.syncing import configured
from nffa_cli.destinations import bag, registry
from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.base import Destination
from nffa_cli.downloading import digest_of
from nffa_cli.errors import DiskError, Unreachable, UsageError
from nffa_cli.records import Outcome

DEEP = 32
"""Folders of a path that is made here; the rest of a deeper one goes into the last."""
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MARKS = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\x80-\x9f]")


def safe_join(root: Path, name: str) -> Path:
    """Return where a file goes that somebody else named: always below ``root``, by a name that every system can hold.

    Slashes of both kinds part folders. Steps upwards, drives, roots and streams become plain names, control characters and
    marks that turn the writing become ``_``; a folder that is a link to somewhere else raises DiskError.
    """
    parts = [part for part in re.split(r"[/\\]+", _MARKS.sub("_", name)) if part not in ("", ".")]
    parts = [*parts[:DEEP], "_".join(parts[DEEP:])] if len(parts) > DEEP else parts
    target = root.joinpath(*(bag.safe(part) for part in parts or ["_"]))
    above = target.parent
    while not above.exists() and above != root:
        above = above.parent
    if not above.resolve().is_relative_to(root.resolve()):
        raise DiskError("a link leads out of the folder", where=str(above), hint="-o another folder")
    return target


def source(wanted: str | None) -> Destination:
    """Open the destination that ``--from`` names, else the only one that is configured.

    Raises
    ------
    UsageError
        There is none, or more than one.
    """
    found = registry.chosen(wanted, configured())
    if len(found) != 1:
        names = ", ".join(place.name for place in found) or "none is configured"
        raise UsageError(f"from which destination? ({names})", hint="--from NAME, --from https://NODE or --from FOLDER")
    return registry.make(found[0])


def get(destination: Destination, wanted: str, to: Path, *, limit: int) -> Iterator[Outcome]:
    """Bring all files of the measurements that an id or a query names below ``to`` and yield what became of each.

    Raises
    ------
    UsageError
        Nothing is found.
    """
    nothing = True
    for measurement in _found(destination, wanted, limit):
        nothing = False
        key = str(measurement.get("id", ""))
        name = clean(measurement.get("measurementName") or key or "measurement")
        folder = safe_join(to, f"{name.replace('/', '_')}-{key.rpartition('/')[2][-8:]}")
        for asset in measurement.get("assets", ()):
            yield _brought(destination, key, asset, folder)
    if nothing:
        raise UsageError(f"nothing there is called or holds {wanted!r}", where=destination.name, hint="nffa search")


def _found(destination: Destination, wanted: str, limit: int) -> Iterator[Mapping[str, Any]]:
    by_id = getattr(destination, "measurement", None)
    if by_id is not None and ID.fullmatch(wanted.casefold()):
        found = by_id(wanted.casefold())
        if found is not None:
            yield found
        return
    yield from destination.find(wanted, limit)


def _brought(destination: Destination, key: str, asset: Mapping[str, Any], folder: Path) -> Outcome:
    name, named = str(asset.get("id", "")), str(asset.get("relativePath") or asset.get("dataAssetName") or "file")
    sha256 = str((asset.get("dataChecksum") or {}).get("value"))
    target = safe_join(folder, named)

    def got(status: Any, reason: str | None = None) -> Outcome:
        return Outcome(target.as_posix(), "get", status, reason, {"measurement": key, "asset": name})

    if asset.get("state") == "lost":
        return got("failed", "the node has lost its bytes")
    if asset.get("state") in ("linked", "withdrawn") or asset.get("accessMode") == "linked":
        return got("skipped", "not there: it was only described")
    try:
        if target.exists():
            same = target.is_file() and digest_of(target, "sha256") == sha256
            return got("unchanged") if same else got("failed", "another file of this name lies here; it is left alone")
        target.parent.mkdir(parents=True, exist_ok=True)
        destination.fetch(asset, target)
    except OSError as error:
        raise DiskError(
            f"cannot write ({error.strerror})", where=str(target), hint="free some space; run it again: it goes on"
        ) from error
    except Rejected as error:
        if error.status in (401, 403):
            raise
        return got("failed", error.what)
    except Unreachable as error:
        if "thrown away" not in error.what:
            raise
        return got("failed", error.what)
    return got("done")
