"""What is due for one acquisition, and why: a pure comparison of what the walk sees with what the ledger remembers.

It reads no file, no clock and no database. ``pipeline`` does what is planned here and writes the new ledger row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from os import fsencode
from os.path import basename
from typing import NamedTuple

from nffa_cli.identify import PLAIN_IMAGE
from nffa_cli.records import Acquisition, Status

READ = "read"
NORMALISE = "normalise"
PREVIEW = "preview"
STAGES = (READ, NORMALISE, PREVIEW)
"""In the order in which they run."""


class LedgerRow(NamedTuple):
    """What became of one acquisition the last time; a tuple, because one walk loads 150,000 of them.

    key
        Path key of the main file; also the id of the acquisition if it was recorded.
    path
        Absolute path of the main file.
    stamp
        ``stamp()`` of the whole group then.
    status, reason
        The outcome then; ``unchanged`` is never stored, the row keeps what it was before.
    reader, crosswalk, context
        The versions that made it (see ``Versions``); None where the stage was not reached.
    preview
        Whether a preview exists, or cannot exist (nothing to show).
    partner_missing
        Whether it was taken without its partner file.
    """

    key: str
    path: str
    stamp: str
    status: Status
    reason: str | None = None
    format: str | None = None
    reader: str | None = None
    crosswalk: str | None = None
    context: str | None = None
    preview: bool = False
    partner_missing: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """What the stages would be done with now.

    reader
        Changes when files are read differently.
    crosswalks
        Digest by format: of the crosswalk with the vocabulary. A format that is not listed has no crosswalk.
    context
        Digest of what the file cannot know, as it applies to this acquisition: session file and profile.
    previews
        Whether previews are wanted.
    pictures
        Whether plain pictures are taken.
    """

    reader: str
    crosswalks: Mapping[str, str]
    context: str | None = None
    previews: bool = True
    pictures: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages that are due, in order, and the reason; no stages: nothing is due."""

    stages: tuple[str, ...]
    reason: str


def stamp(acquisition: Acquisition) -> str:
    """Return a digest of the names, sizes and times of all files of the group: equal while nothing changed.

    Folders are left out: the row is found by the main file's absolute path, however the user typed it.
    """
    parts = [
        b"%s\0%d\0%d\0%d" % (fsencode(basename(file.path)), file.size, file.mtime_ns, file.inode)  # noqa: PTH119 (150,000 times)
        for file in acquisition.files
    ]
    return blake2b(b"\0\0".join(parts), digest_size=16).hexdigest()


def due(acquisition: Acquisition, known: LedgerRow | None, versions: Versions) -> Plan:
    """Return what is due for ``acquisition``.

    A read includes all that follows from it. A quarantined or skipped acquisition is looked at again when its files or
    the reader changed, not before; a waiting or failed one always, since time or the cause may have passed.
    """
    if acquisition.skip is not None:
        return Plan((), acquisition.skip)
    reason = _why_read(acquisition, known, versions)
    if reason is not None or known is None:
        return Plan((READ, NORMALISE, PREVIEW) if versions.previews else (READ, NORMALISE), reason or "new")
    if known.status != "done":
        return Plan((), "unchanged")
    stages: list[str] = []
    reasons: list[str] = []
    if known.crosswalk != versions.crosswalks.get(known.format or ""):
        stages.append(NORMALISE)
        reasons.append("newer-crosswalk")
    elif known.context != versions.context:
        stages.append(NORMALISE)
        reasons.append("session-changed")
    if versions.previews and not known.preview:
        stages.append(PREVIEW)
        reasons.append("preview-missing")
    return Plan(tuple(stages), ", ".join(reasons) or "unchanged")


def _why_read(acquisition: Acquisition, known: LedgerRow | None, versions: Versions) -> str | None:
    """Return why the files must be read, or None."""
    if known is None:
        return "new"
    if known.stamp != stamp(acquisition):
        arrived = known.partner_missing and acquisition.partner_missing is None
        return "partner-arrived" if arrived else "changed"
    if known.status in ("waiting", "failed"):
        return known.status
    if known.reader != versions.reader:
        return "newer-reader"
    if known.status == "skipped" and versions.pictures and (known.reason or "").startswith(PLAIN_IMAGE):
        return "pictures-wanted"
    return None
