"""What every destination promises, and the nouns that it speaks: bundle, delivery, result, receipt. No destination is here.

A destination is told what is due and says what became of it. It never decides what is due, never reads the catalogue and
never looks into a data file. A bad acquisition is a ``Result``; what stops the whole run is an error: ``Unreachable`` (try
again later), ``Refused`` (authorisation, schema) or ``DiskError``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Status = Literal["done", "unchanged", "failed", "conflict", "refused"]
Proof = Literal["digest", "size-only", "unknown", "missing", "different"]


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One file of a bundle.

    role
        ``main``, ``sidecar``, ``nxem``, ``preview``, ``spectra`` or ``raw-metadata``.
    name, relative_path
        Name alone, and the place within the measurement: forward slashes, unique in its bundle.
    path, content
        Where its bytes lie (never to be written to); None: ``content`` holds them.
    size, sha256
        In bytes; hexadecimal.
    kind
        Data asset type: ``raw``, ``processed``, ``preview``, ``metadata`` or ``nexus``.
    fields
        What else the NFFA model says of it: ``dateOfCollection``, ``dateOfCollectionSource``,
        ``intellectualPropertyRights`` where they are known, and always ``accessMode``: ``managed``, or ``linked`` with its
        ``uri``, whose bytes stay where they are and are not sent.
    """

    role: str
    name: str
    relative_path: str
    path: Path | None
    content: bytes | None
    size: int
    sha256: str
    media_type: str
    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One acquisition as it is delivered: the NFFA model's JSON (camelCase) and the files.

    key
        Who it is, everywhere and for ever: ``sha256:<digest of the version's files>``; a measurement's external id.
    acquisition, shown
        Its id in the catalogue, and its path as people are shown it.
    digest
        Of all that is in it: another digest means that a delivery is due.
    embedding
        The picture as a model sees it, by which a node finds similar ones: ``model`` (SHA-256) and ``values`` (Base64 of
        little-endian float16, of unit length). None: no model looked at it.
    """

    key: str
    acquisition: str
    shown: str
    proposal: Mapping[str, Any]
    experiment: Mapping[str, Any]
    measurement: Mapping[str, Any]
    documents: Mapping[str, Any]
    assets: tuple[AssetFile, ...]
    digest: str
    embedding: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a destination answered when a bundle had arrived.

    measurement, url, version
        Its id there, where it can be seen, and which version of it this is.
    digest
        ``Bundle.digest`` of what arrived.
    assets
        (relative path, id there, sha256) of each file.
    """

    measurement: str
    url: str
    version: str
    digest: str
    assets: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A bundle that is due, the receipt of what was delivered before, and the journal of unfinished uploads by sha256.

    ``known`` without version and digest: what is there now is not known, and whatever version it has is to become this
    bundle; its ``measurement`` may be empty, too.
    """

    bundle: Bundle
    known: Receipt | None = None
    resume: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one delivery; ``receipt`` when it is ``done`` or ``unchanged``, ``reason`` when it is not."""

    delivery: Delivery
    status: Status
    receipt: Receipt | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """What a destination has of a measurement, in the words of a bundle; what it does not say is None.

    assets
        What is said of each file, by relative path.
    stays
        Places (``proposal/proposalTitle``) of which its own word holds, whatever is delivered.
    """

    proposal: Mapping[str, Any] | None
    experiment: Mapping[str, Any] | None
    measurement: Mapping[str, Any] | None
    documents: Mapping[str, Any] | None
    assets: Mapping[str, Any] | None
    stays: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a delivery would do, found without writing.

    action
        ``create``, ``update``, ``unchanged``, ``conflict`` or ``refused``.
    needed, bytes
        sha256 of the contents that the destination does not have, and their bytes together; None: it cannot be asked.
    lost
        What the destination could not hold (``measurement/embargo`` ...).
    held
        Of an update: what is there; None: the destination does not say.
    """

    delivery: Delivery
    action: str
    needed: tuple[str, ...] | None = None
    bytes: int | None = None
    lost: tuple[str, ...] = ()
    reason: str | None = None
    held: Holding | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a destination holds of a receipt, and how surely that is known: the worst of its files."""

    proof: Proof
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a destination can do.

    resume
        Whether an upload goes on at an ``offset``, at a ``part``, or starts again (``none``).
    digest
        Whether ``verify`` compares digests that the destination itself computed from the bytes.
    link
        Whether files may stay where they are and only be described.
    search, fetch
        Whether ``find`` and ``fetch`` do anything.
    batch
        How many deliveries it likes to be given at once.
    labels
        The address by which its answers of persons are known; it has ``labels``, as ``Answering``. None: nobody answers there.
    """

    resume: Literal["offset", "part", "none"] = "none"
    digest: bool = False
    link: bool = False
    search: bool = False
    fetch: bool = True
    batch: int = 100
    labels: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What a person said at a destination of a content that was delivered there; see ``catalogue.opinions.Label``.

    id, person
        The answer's and the person's there. ``labeller``: the name, where we may know it.
    at
        ISO 8601, UTC, whole seconds.
    """

    id: str
    sha256: str
    answer: Literal["label", "none", "unclear", "undo"]
    label: str | None
    second: str | None
    how: Literal["looked", "duplicate"]
    person: str
    labeller: str | None
    at: str
    model: str | None
    predicted: str | None


class Journal(Protocol):
    """Where a destination notes unfinished uploads; what is noted outlives a power failure."""

    def note(self, sha256: str, token: str) -> None:
        """Remember ``token`` (what is needed to go on) before the bytes of ``sha256`` are sent."""
        ...

    def forget(self, sha256: str) -> None:
        """Drop the note: the upload is finished or lost."""
        ...


class Answering(Protocol):
    """A destination where persons say what pictures show."""

    def labels(self, since: str | None) -> Iterator[tuple[Sequence[Answered], str | None]]:
        """Yield, page by page, what was said after ``since`` (None: ever) of what we delivered, and the next ``since``."""
        ...


class Destination(Protocol):
    """A place that can be delivered to. Every call may raise Unreachable, Refused or DiskError."""

    kind: str
    name: str

    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        ...

    def whoami(self) -> Mapping[str, Any]:
        """Return who we are to it, and what we may do there."""
        ...

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[Plan]:
        """Return what ``deliver`` would do, without writing."""
        ...

    def deliver(self, deliveries: Sequence[Delivery], journal: Journal) -> Iterator[Result]:
        """Deliver, yielding a result for each as soon as it is durable there; delivering again changes nothing."""
        ...

    def verify(self, receipts: Sequence[tuple[str, Receipt]]) -> Iterator[tuple[str, Verification]]:
        """Yield for each (key, receipt) what is there of it."""
        ...

    def find(self, query: str, limit: int) -> Iterator[Mapping[str, Any]]:
        """Yield measurements that match, at most ``limit``, as JSON of the NFFA model with their ``assets``."""
        ...

    def fetch(self, asset: Mapping[str, Any], target: Path) -> Path:
        """Bring the bytes of an asset that ``find`` named to ``target``: ``.part``, digest verified, then renamed."""
        ...
