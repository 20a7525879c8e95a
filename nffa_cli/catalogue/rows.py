"""What goes into the catalogue and what comes out, as frozen dataclasses; no SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from nffa_cli.catalogue.keys import content_digest, path_key


@dataclass(frozen=True, slots=True)
class HashedFile:
    """One file of a version as it was hashed; ``path`` is absolute, ``size`` in bytes."""

    path: str
    size: int
    sha256: str
    role: Literal["main", "sidecar"] = "main"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which versions made a record.

    ``crosswalk`` and ``context`` mean what they mean in ``plan.Versions``; ``vocabulary`` is the vocabulary's digest.
    """

    nffa: str
    reader: str
    crosswalk: str | None
    vocabulary: str
    context: str | None = None


@dataclass(frozen=True)  # no slots: what is derived is kept
class NewVersion:
    """One acquisition as it was just read.

    files
        The main file first.
    record
        ``Record.as_json()`` with whatever the pipeline adds; must hold ``format``, ``terms`` and ``signals``.
    raw
        What is needed to normalise again without the file; opaque bytes, compressed by the caller.
    preview
        Where the preview lies, as the caller names it.
    text
        The record as JSON, where the caller has it so.
    """

    files: tuple[HashedFile, ...]
    record: Mapping[str, Any]
    raw: bytes
    provenance: Provenance
    preview: str | None = None
    text: str | None = None

    @cached_property
    def id(self) -> str:
        """Id of the acquisition."""
        return path_key(self.files[0].path)

    @cached_property
    def digest(self) -> str:
        """Digest of the content."""
        return content_digest([file.sha256 for file in self.files])


@dataclass(frozen=True, slots=True)
class Saved:
    """What ``save`` did: the acquisition, its version, and whether that version is new.

    ``released``: paths of copies of what the acquisition held before. They are forgotten: each is now to be read for itself.
    """

    id: str
    digest: str
    new: bool
    released: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    """What the picture shows: a person's label (and a second one), and apart from it the newest prediction."""

    label: str | None
    second: str | None
    predicted: str | None
    decision: str | None

    def as_json(self) -> dict[str, str | None]:
        """Return the JSON form."""
        return {"label": self.label, "second": self.second, "predicted": self.predicted, "decision": self.decision}


@dataclass(frozen=True, slots=True)
class Entry:
    """One acquisition as a list shows it, at its current version. Times are ISO 8601 text.

    ``started`` is comparable: UTC where the offset is known, else as recorded.
    """

    id: str
    path: str
    digest: str
    format: str
    started: str | None
    ingested_at: str
    size: int
    preview: str | None
    record_json: str
    category: Category | None = None

    @property
    def record(self) -> dict[str, Any]:
        """The record, decoded at each call."""
        return dict(json.loads(self.record_json))


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an acquisition's content."""

    digest: str
    format: str
    ingested_at: str
    current: bool
    provenance: Provenance
    files: tuple[HashedFile, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one acquisition; versions from oldest to newest."""

    entry: Entry
    versions: tuple[Version, ...]
    aliases: tuple[str, ...]
    superseded_by: str | None
    vanished_at: str | None


@dataclass(frozen=True, slots=True)
class DueRecord:
    """A record that a newer crosswalk makes due: enough to make it again."""

    id: str
    digest: str
    path: str
    format: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class FileToCheck:
    """A file of a current version whose hash is to be proved again; ``number`` names it to ``record_check``.

    ``id`` and ``main`` name its acquisition and that one's main file.
    """

    number: int
    id: str
    path: str
    size: int
    sha256: str
    main: str


CheckResult = Literal["ok", "changed", "missing", "unreadable"]
"""What a re-hash found."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The catalogue in numbers.

    ``by_status`` counts ledger rows; ``held`` lists the waiting, quarantined and failed ones as (status, path, reason);
    ``bytes_described`` is the size of all files of current versions; ``bytes_catalogue`` that of the database.
    """

    by_status: Mapping[str, int]
    by_format: Mapping[str, int]
    held: tuple[tuple[str, str, str | None], ...]
    acquisitions: int
    versions: int
    bytes_described: int
    bytes_catalogue: int
    bad_files: tuple[tuple[str, str], ...]
