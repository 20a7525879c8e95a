"""All that is done to one acquisition, in one go, inside a worker: identify → read → judge → normalise → hash → preview.

Takes and gives plain JSON-able values, because it talks through a pipe. Writes nothing but the preview and, beside it, spectra
to look at, under the temporary name that the job gives. The files are looked at before and after: what changed meanwhile is
still being written.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from nffa_cli import __version__, extract, identify, rawtree, readiness, settings
from nffa_cli.catalogue.keys import content_digest
from nffa_cli.crosswalk import apply, load, merge, vocabulary
from nffa_cli.errors import NffaError, UnreadableFile
from nffa_cli.records import SPECTRAL, Axis, FileStamp, RawMetadata, Record, Remark, Signal

Result = tuple[dict[str, Any], bytes]
Drawn = tuple[str | None, str | None, list[Remark]]
"""Where the preview lies, and the spectra to look at; what could not be drawn."""

HELD = 32 << 20
"""Files of no more bytes than this in all are read once: what was hashed is drawn from memory."""
RUN = 256 << 10
"""Bytes read and hashed at a time, so that the hash finds them in the processor's cache."""
LARGE = 64 << 20
"""Bytes above which hashing takes long enough to draw the preview meanwhile."""


def warm_up() -> None:
    """Load the vocabulary ahead of the first job; if it is broken, that job will say so."""
    with suppress(NffaError):
        vocabulary.load(settings.shipped("crosswalks"))


def read(job: dict[str, Any]) -> Result:
    """Read one acquisition.

    The job says: ``files`` (stamps, main first), ``age`` and ``patience`` in seconds, ``partner_missing``, ``pictures``
    (take plain pictures too), ``context`` (crosswalk folder, session, profiles), ``preview`` (path, size, format, and
    whether ``spectra`` are wanted beside it) or None, ``hash``, ``raw`` (send the vendor's tree back, compressed) and
    ``text`` (send the record as JSON text before that, as it is to be kept; ``text`` of the answer is its length).
    """
    files = [FileStamp(*stamp) for stamp in job["files"]]
    taken = take(job, files)
    return _finish(job, files, taken) if isinstance(taken, RawMetadata) else taken


def take(job: Mapping[str, Any], files: Sequence[FileStamp]) -> RawMetadata | Result:
    """Identify the files and read their headers; what is not to be taken comes back as the answer that says why."""
    if change := moved(files):
        return verdict("waiting", change)
    try:
        identity = _identify(files)
        if identity.verdict != "ours":
            return verdict(*_not_read(identity, files[0], job))
        raw = extract.read([stamp.path for stamp in files], identity.family or "")
    except UnreadableFile as error:
        if error.code == "not-ours":
            return verdict("skipped", f"not-ours: {error.what}")
        state = readiness.incomplete(error.code, error.what, young=error.code in readiness.INCOMPLETE and _young(job))
        return verdict(state.state, state.reason)
    except PermissionError as error:
        return verdict(*_no_permission(error))
    if raw.format == identify.PLAIN_IMAGE and not job["pictures"]:
        return verdict(
            "skipped", f"{identify.PLAIN_IMAGE}: nothing of an instrument in it (--pictures takes it)", raw.format
        )
    if job["partner_missing"] and not any(remark.code == "partner-missing" for remark in raw.warnings):
        raw = _with_warning(raw, Remark("partner-missing", f"no {job['partner_missing']} file beside it"))
    return raw


def _finish(job: dict[str, Any], files: list[FileStamp], raw: RawMetadata) -> Result:
    state = readiness.judge(
        raw, files[0].size, partner_missing=job["partner_missing"], age=job["age"], patience=job["patience"]
    )
    record, provenance = normalise(raw, job["context"])
    listed = [{"path": stamp.path, "size": stamp.size, "role": stamp.role} for stamp in files]
    preview = spectra = None
    if state.state == "ready":
        hashes, (preview, spectra, problems) = _hash_and_draw(job, files, record.signals)
        for hashed, entry in zip(hashes, listed, strict=False):
            entry["sha256"] = hashed
        for problem in problems:
            record = _with_warning(record, problem)
    if change := moved(files):
        return verdict("waiting", change, raw.format)
    header: dict[str, Any] = {
        "state": state.state,
        "reason": state.reason,
        "format": raw.format,
        "files": listed,
        "digest": content_digest([str(entry["sha256"]) for entry in listed]) if "sha256" in listed[0] else None,
        "record": record.as_json(),
        "provenance": provenance,
        "preview": preview,
        "spectra": spectra,
    }
    blob = pack(raw) if job["raw"] else b""
    if job.get("text") and state.state == "ready":
        text = json_text({**header.pop("record"), "status": "ready"})
        header["text"] = len(text)
        blob = text + blob
    return header, blob


def _hash_and_draw(
    job: Mapping[str, Any], files: Sequence[FileStamp], signals: Sequence[Signal]
) -> tuple[list[str], Drawn]:
    """Hash the files and draw the preview, as the job asks; of large files both at once, since hashing needs no GIL."""
    paths = [stamp.path for stamp in files] if job["hash"] else []
    size = sum(stamp.size for stamp in files)
    if paths and job["preview"] and size <= HELD:
        hashes, held = _hold(files, size)
        return hashes, _preview(signals, job["preview"], held)
    if not job["preview"] or size < LARGE:
        return list(map(sha256, paths)), _preview(signals, job["preview"])
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as aside:
        hashing = aside.submit(lambda: list(map(sha256, paths)))
        preview = _preview(signals, job["preview"])
        return hashing.result(), preview


_buffer = bytearray()
"""Kept from one job to the next, for fresh memory costs as much as reading into it."""


def _hold(files: Sequence[FileStamp], size: int) -> tuple[list[str], dict[str, memoryview]]:
    """Read the files, ``size`` bytes in all, and return their digests and their bytes, which the next call overwrites.

    A file that is no longer as long as its stamp says is read as far as that; the look at the end finds it out.
    """
    global _buffer
    if len(_buffer) < size:
        _buffer = bytearray(size)
    free = memoryview(_buffer)
    hashes: list[str] = []
    held: dict[str, memoryview] = {}
    for stamp in files:
        mine, free = free[: stamp.size], free[stamp.size :]
        hashing, done = hashlib.sha256(), 0
        with open(stamp.path, "rb", buffering=0) as file:  # noqa: PTH123
            while got := file.readinto(mine[done : done + RUN]):
                hashing.update(mine[done : done + got])
                done += got
        hashes.append(hashing.hexdigest())
        held[stamp.path] = mine[:done]
    return hashes, held


def verdict(state: str, reason: str | None, format_: str | None = None) -> Result:
    """Return the answer that says why nothing was read."""
    return {"state": state, "reason": reason, "format": format_}, b""


def _young(job: Mapping[str, Any]) -> bool:
    return bool(job["age"] < job["patience"])


def moved(files: Sequence[FileStamp]) -> str | None:
    """Say how a file differs from its stamp; None: it does not."""
    for stamp in files:
        name = os.path.basename(stamp.path)  # noqa: PTH119 - text paths may hold bytes that are no UTF-8
        try:
            now = os.stat(stamp.path)  # noqa: PTH116
        except FileNotFoundError:
            return f"vanished: {name} is gone"
        if (now.st_size, now.st_mtime_ns) != (stamp.size, stamp.mtime_ns):
            return f"changing: {name} is being written"
    return None


def _identify(files: Sequence[FileStamp]) -> identify.Identity:
    found = identify.identify(os.path.basename(files[0].path), _head(files[0].path))  # noqa: PTH119
    if found.family == "picture" and len(files) > 1:
        beside = [identify.identify(os.path.basename(stamp.path), _head(stamp.path)) for stamp in files[1:]]  # noqa: PTH119
        if vendor := next((other for other in beside if other.family == "sidecar"), None):
            return vendor
    return found


def _head(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.read(identify.HEAD_BYTES)


def _not_read(
    identity: identify.Identity, main: FileStamp, job: Mapping[str, Any]
) -> tuple[str, str | None, str | None]:
    if identity.verdict == "damaged":
        state = "waiting" if main.size == 0 and _young(job) else "damaged"
        return state, identity.reason, identity.format
    return "skipped", identity.reason, None


def _no_permission(error: PermissionError) -> tuple[str, str]:
    """On Windows a file that another program holds open cannot be opened: that one will come."""
    if getattr(error, "winerror", None) in (32, 33):
        return "waiting", "locked: another program holds it open"
    return "failed", f"unreadable: {error.strerror}"


def sha256(path: str) -> str:
    """Return the hex digest of a file's bytes."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while block := file.read(RUN):
            digest.update(block)
    return digest.hexdigest()


# --- normalise: pure, also run by the parent when only a crosswalk has changed ---


def normalise(raw: RawMetadata, where: Mapping[str, Any]) -> tuple[Record, dict[str, Any]]:
    """Turn the vendor's words into terms, then add what the session file and the instrument's profile know.

    A profile is found by what the file says of its instrument, so where there are profiles the crosswalk is applied twice:
    once to learn which instrument it was, once with its clock.
    """
    table, words = tables(raw.format, where)
    session = where.get("session") or {}
    profile, clock = instrument(table, words, raw, where)
    record = merge.merge(_record(table, words, raw, where, **clock), session, profile, words)
    for problem in where.get("problems") or []:
        record = _with_warning(record, Remark("session-file", problem))
    provenance = {
        "nffa": __version__,
        "reader": raw.reader,
        "crosswalk": None,
        "vocabulary": words.sha256,
        "context": where.get("digest"),
    }
    return record, provenance


def tables(format_: str, where: Mapping[str, Any]) -> tuple[load.Crosswalk, vocabulary.Vocabulary]:
    """Return the inward crosswalk of a format (an empty one if it has none) and the vocabulary."""
    return _tables(format_, where["crosswalks"])


def instrument(
    table: load.Crosswalk, words: vocabulary.Vocabulary, raw: RawMetadata, where: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, dict[str, str | None]]:
    """Return the profile of the instrument that a file names, and what is known of its clock (order of dates, zone)."""
    session = where.get("session") or {}
    if not where.get("profiles") and "instrument" not in session:
        return None, {}
    record = _record(table, words, raw, where)
    profile = merge.match_profile(record, where.get("profiles") or [], session)
    known = {**(profile or {}), **session.get("instrument", {})}
    return profile, {key: known.get(key) for key in ("date_order", "timezone")}


def policy(raw: RawMetadata, where: Mapping[str, Any]) -> str:
    """Return the operator policy of a file's instrument, which holds for all copies that leave this computer."""
    from nffa_cli.crosswalk import personal

    profile, _ = instrument(*tables(raw.format, where), raw, where)
    known = {**(profile or {}), **(where.get("session") or {}).get("instrument", {})}
    return str(known.get("operator_policy", personal.DEFAULT))


def _record(
    table: load.Crosswalk,
    words: vocabulary.Vocabulary,
    raw: RawMetadata,
    where: Mapping[str, Any],
    **clock: str | None,
) -> Record:
    """Return what the file itself says; one of a schema that we write says it where we would write it."""
    if schema := _schema(raw.format, where["crosswalks"]):
        from nffa_cli.crosswalk import backward, outward

        return backward.record(raw, outward.load(schema), words, **clock)
    return apply.apply(table, words, raw, **clock)[0]


@cache
def _tables(format_: str, folder: str) -> tuple[load.Crosswalk, vocabulary.Vocabulary]:
    place = Path(folder)
    return load.for_format(format_, place / "inward") or load.empty(format_), vocabulary.load(place)


@cache
def _schema(format_: str, folder: str) -> Path | None:
    path = Path(folder, "outward", f"{format_}.yaml")
    return path if path.is_file() else None


def _with_warning(thing: Any, remark: Remark) -> Any:
    from dataclasses import replace

    return replace(thing, warnings=(*thing.warnings, remark))


# --- the preview ---


def _preview(
    signals: Sequence[Signal], wanted: Mapping[str, Any] | None, held: Mapping[str, memoryview] | None = None
) -> Drawn:
    """Draw the preview; a picture that cannot be drawn is a warning, never the end of the reading.

    ``held``: the bytes of files that are in memory.
    """
    if not wanted:
        return None, None, []
    from nffa_cli import preview

    opening = loaders(held or {})
    places: list[str | None] = [None, None]
    try:
        if preview.render(signals, wanted["path"], size=wanted["size"], fmt=wanted["format"], loaders=opening):
            places[0] = wanted["path"]
        if wanted.get("spectra"):
            places[1] = _spectra(signals, wanted["path"], opening)
    except (NffaError, MemoryError) as error:
        code = "no-preview" if places[0] is None else "no-spectra"
        return places[0], None, [Remark(code, str(error))]
    return places[0], places[1], []


def _spectra(signals: Sequence[Signal], preview: str, opening: Mapping[str, Callable[[Any], Any]]) -> str | None:
    """Write, beside the preview, what a node draws spectra from; of pictures nothing is made, and nothing imported."""
    if not any(each.kind in SPECTRAL for each in signals):
        return None
    from nffa_cli import binning
    from nffa_cli.spectra import SUFFIX

    path = preview + SUFFIX
    return path if binning.write(signals, path, loaders=opening) else None


def loaders(held: Mapping[str, memoryview], *, whole: bool = False) -> Mapping[str, Callable[[Any], Any]]:
    """Return what opens samples that no module below can: other readers' signals, and files whose bytes are ``held``.

    ``whole``: every sample is wanted, not only what a preview needs.
    """
    opened: dict[str, Any] = {}

    def rosetta(layout: Any) -> Any:
        from nffa_cli.extract import rosetta as door

        return door.load(layout, opened=opened, whole=whole)

    return {"rosetta": rosetta, "raw": lambda layout: held.get(layout.path)}


# --- the written form of what a reader found ---


def as_json(raw: RawMetadata) -> dict[str, Any]:
    """Return the JSON form of what a reader found, without the layouts."""
    return {
        "format": raw.format,
        "reader": raw.reader,
        "tree": raw.tree,
        "anchors": dict(raw.anchors),
        "signals": [signal.as_json() for signal in raw.signals],
        "warnings": [remark.as_json() for remark in raw.warnings],
    }


def pack(raw: RawMetadata) -> bytes:
    """Return the compressed JSON that the catalogue keeps."""
    return zlib.compress(json_text(as_json(raw)), 1)


def json_text(value: Any) -> bytes:
    """Return compact JSON; a damaged file can turn any number into NaN, which goes in its written form."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        return json.dumps(rawtree.lossless(value), separators=(",", ":")).encode()


def unpack_json(blob: bytes) -> dict[str, Any]:
    """Return the JSON form that ``pack`` compressed."""
    found: dict[str, Any] = json.loads(zlib.decompress(blob))
    return found


def unpack(blob: bytes) -> RawMetadata:
    """Return what ``pack`` was given, without the layouts."""
    found = unpack_json(blob)
    signals = tuple(
        Signal(
            each["name"],
            each["kind"],
            tuple(each["shape"]),
            each["dtype"],
            tuple(Axis(**axis) for axis in each["axes"]),
        )
        for each in found["signals"]
    )
    warnings = tuple(Remark(**each) for each in found["warnings"])
    return RawMetadata(
        found["format"], found["tree"], signals, found["anchors"], warnings=warnings, reader=found["reader"]
    )


# --- other jobs ---


def explain(job: dict[str, Any]) -> Result:
    """Say how one term of one file came to its value."""
    from nffa_cli.crosswalk import check

    files = [FileStamp(*stamp) for stamp in job["files"]]
    identity = _identify(files)
    if identity.verdict != "ours":
        return verdict("skipped", identity.reason)
    raw = extract.read([stamp.path for stamp in files], identity.family or "")
    table, words = tables(raw.format, job["context"])
    _, clock = instrument(table, words, raw, job["context"])
    found = check.explain(table, words, raw, job["term"], **clock)
    record, _ = normalise(raw, job["context"])
    final = record.terms.get(job["term"])
    found["final"] = final.as_json() if final else None
    return {"state": "ready", "reason": None, "format": raw.format, "explanation": found}, b""


def second_reader(job: dict[str, Any]) -> Result:
    """Return what HyperSpy makes of the main file."""
    from nffa_cli import signals

    return {"state": "ready", "reason": None, "hyperspy": signals.hyperspy_tree(job["files"][0][0])}, b""
