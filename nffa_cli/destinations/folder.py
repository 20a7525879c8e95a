"""A folder as destination, such as a disk that is handed over: one bag (``bag.py``) for each measurement.

``PROPOSAL/EXPERIMENT/NAME-KEY/`` appears whole, under its name, or not at all: it is written beside its place, flushed and
renamed. An update takes what has not changed from the bag that is there, and replaces it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nffa_cli.destinations import bag
from nffa_cli.destinations.base import (
    AssetFile,
    Bundle,
    Capabilities,
    Delivery,
    Journal,
    Plan,
    Proof,
    Receipt,
    Result,
    Verification,
)
from nffa_cli.destinations.pace import Pace
from nffa_cli.destinations.registry import Place
from nffa_cli.errors import DiskError, Unreachable

DRAFTS = ".nffa-incoming"
"""Folder of what is being written, on the same disk."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM})


class _Wrong(Exception):
    """The bytes of one asset are not what they should be, or cannot be had; says which and how."""


def make(place: Place) -> Folder:
    """Open a folder; it may not be there yet."""
    return Folder(place.name, Path(place.address), place.pace)


class Folder:
    """See ``base.Destination``."""

    kind = "folder"

    def __init__(self, name: str, root: Path, pace: Pace | None = None) -> None:
        self.name = name
        self.root = root
        self._pace = pace or Pace()
        self._places: dict[str, str] | None = None

    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        return Capabilities(resume="none", digest=True, link=True, search=True, fetch=True, batch=100)

    def whoami(self) -> Mapping[str, Any]:
        """Return how much room there is."""
        self._look()
        disk = self.root if self.root.exists() else self.root.parent
        return {"folder": str(self.root), "free": shutil.disk_usage(disk).free}

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[Plan]:
        """Return what ``deliver`` would do."""
        found = []
        for delivery in deliveries:
            held = self._held(delivery)
            if held is not None and held["digest"] == delivery.bundle.digest:
                found.append(Plan(delivery, "unchanged", (), 0))
                continue
            has = set() if held is None else {each["dataChecksum"]["value"] for each in held["assets"]}
            needed = [each for each in delivery.bundle.assets if not bag.is_linked(each) and each.sha256 not in has]
            sizes = {each.sha256: each.size for each in needed}
            action, there = ("create", None) if held is None else ("update", bag.holding(held))
            found.append(Plan(delivery, action, tuple(sizes), sum(sizes.values()), held=there))
        return found

    def deliver(self, deliveries: Sequence[Delivery], journal: Journal) -> Iterator[Result]:
        """Write each bag and give it its name."""
        self._look(write=True)
        try:
            for delivery in deliveries:
                try:
                    yield self._deliver(delivery)
                except _Wrong as error:
                    yield Result(delivery, "failed", reason=str(error))
        finally:
            with suppress(OSError):
                (self.root / DRAFTS).rmdir()

    def verify(self, receipts: Sequence[tuple[str, Receipt]]) -> Iterator[tuple[str, Verification]]:
        """Read every byte of every bag again."""
        self._look()
        for key, receipt in receipts:
            yield key, self._verify(receipt)

    def find(self, query: str, limit: int) -> Iterator[Mapping[str, Any]]:
        """Yield the measurements in whose description all words of ``query`` stand."""
        self._look()
        words = query.casefold().split()
        found = 0
        for place in sorted(self._index().values()):
            held = _read(self.root / place)
            if held is None:
                continue
            text = json.dumps({**held, "documents": None}, ensure_ascii=False).casefold()
            if found < limit and all(word in text for word in words):
                found += 1
                assets = [{**each, "id": f"{place}/data/{each['file']}"} for each in held["assets"]]
                yield {"id": place, "url": (self.root / place).as_uri(), **held["measurement"], "assets": assets}

    def fetch(self, asset: Mapping[str, Any], target: Path) -> Path:
        """Copy a file out of its bag."""
        source = (self.root / asset["id"]).resolve()
        if not source.is_relative_to(self.root.resolve()):
            raise DiskError("this leads out of the folder", where=str(asset["id"]))
        growing = target.with_name(target.name + ".part")
        digest = _copy(source, growing, self._pace)
        if digest != asset["dataChecksum"]["value"]:
            growing.unlink()
            raise DiskError("the bytes are not what was delivered", where=str(source), hint="nffa sync --check")
        growing.replace(target)
        return target

    # How it is done

    def _look(self, *, write: bool = False) -> None:
        """Raise Unreachable if the disk is not there; make the folder itself where the disk is."""
        if self.root.is_dir():
            if write:
                self._sweep()
            return
        if not self.root.parent.is_dir():
            hint = "connect the disk, then run it again: the outbox is kept"
            raise Unreachable("the folder is not there", where=str(self.root), hint=hint)
        if write:
            with _disk(self.root):
                self.root.mkdir(exist_ok=True)

    def _sweep(self) -> None:
        """Clear away what a killed run left half; give back their names to bags that it was about to replace."""
        drafts = self.root / DRAFTS
        for old in drafts.glob("*.old") if drafts.is_dir() else ():
            with _disk(old), suppress(OSError, ValueError, KeyError):
                note = json.loads((drafts / f"{old.name}.place").read_text(encoding="utf-8"))
                if not (self.root / note["new"]).exists() and not (self.root / note["old"]).exists():
                    old.replace(self.root / note["old"])
        with _disk(drafts):
            shutil.rmtree(drafts, ignore_errors=True)

    def _index(self) -> dict[str, str]:
        """Return key → place of every bag that lies here; read once, from names."""
        if self._places is None:
            self._places = {}
            for path in self.root.glob("*/*/*-*") if self.root.is_dir() else ():
                self._places[path.name.rpartition("-")[2]] = path.relative_to(self.root).as_posix()
        return self._places

    def _place(self, delivery: Delivery) -> str | None:
        """Return where the bag of a delivery lies now."""
        known = delivery.known
        if known is not None and known.measurement and (self.root / known.measurement / bag.MANIFEST).is_file():
            return known.measurement
        return self._index().get(bag.short(delivery.bundle.key))

    def _held(self, delivery: Delivery) -> dict[str, Any] | None:
        place = self._place(delivery)
        return None if place is None else _read(self.root / place)

    def _deliver(self, delivery: Delivery) -> Result:
        bundle = delivery.bundle
        old = self._place(delivery)
        held = None if old is None else _read(self.root / old)
        if old is not None and held is not None and held["digest"] == bundle.digest:
            receipt = _receipt(self.root, old, bundle, held["version"])
            # a receipt of just this says that it was whole; without one, the disk is asked
            if delivery.known is not None and delivery.known.digest == bundle.digest:
                return Result(delivery, "unchanged", receipt)
            if self._verify(receipt).proof in ("digest", "unknown"):
                return Result(delivery, "unchanged", receipt)
        version = held["version"] + 1 if held is not None else 1
        new = bag.place(bundle)
        draft = self.root / DRAFTS / bag.short(bundle.key)
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with _disk(self.root):
                self._write(draft, bundle, version, self.root / old if old is not None else None, held)
                self._swap(draft, new, old)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._index()[bag.short(bundle.key)] = new
        return Result(delivery, "done", _receipt(self.root, new, bundle, version))

    def _write(
        self, draft: Path, bundle: Bundle, version: int, old: Path | None, held: Mapping[str, Any] | None
    ) -> None:
        """Write a whole bag to ``draft`` and flush it to the disk."""
        there = {} if held is None else {each["dataChecksum"]["value"]: each["file"] for each in held["assets"]}
        files = bag.payload(bundle)
        sums: dict[str, str] = {}
        sizes: dict[str, int] = {}
        for asset, place in files:
            if not asset.sha256:  # lies elsewhere, under another digest: a bag's manifest has no place for it
                continue
            sums[place], sizes[place] = asset.sha256, asset.size
            if not bag.is_linked(asset):
                before = old / "data" / there[asset.sha256] if old is not None and asset.sha256 in there else None
                self._bring(asset, draft / "data" / place, before)
        own = {bag.MEASUREMENT: bag.measurement(bundle, files, version), bag.CRATE: bag.crate(bundle, files)}
        for place, data in own.items():
            _put(draft / "data" / place, data)
            sums[place], sizes[place] = hashlib.sha256(data).hexdigest(), len(data)
        linked = [(asset, place) for asset, place in files if bag.is_linked(asset) and asset.sha256]
        for name, data in bag.tags(bundle, sums, sizes, linked).items():
            _put(draft / name, data)
        for folder, _, _ in os.walk(draft):
            _flush(Path(folder))

    def _bring(self, asset: AssetFile, target: Path, before: Path | None) -> None:
        """Put the bytes of an asset at ``target``: from the older bag if they are right there, else from their source."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if asset.content is not None:
            _put(target, asset.content)
            return
        for source in (before, asset.path):
            if source is None:
                continue
            try:
                digest = _copy(source, target, self._pace)
            except FileNotFoundError:
                continue
            if digest == asset.sha256:
                return
        target.unlink(missing_ok=True)
        there = asset.path is not None and asset.path.exists()
        raise _Wrong(f"{'changed' if there else 'missing-source'}: {asset.path}")

    def _swap(self, draft: Path, new: str, old: str | None) -> None:
        """Give the bag its name; the one that it replaces is kept until then, with a note of where it belongs."""
        final = self.root / new
        final.parent.mkdir(parents=True, exist_ok=True)
        aside = None
        if old is not None and (self.root / old).exists():
            aside = self.root / DRAFTS / f"{draft.name}.old"
            _put(aside.with_name(f"{aside.name}.place"), json.dumps({"old": old, "new": new}).encode())
            _flush(aside.parent)
            (self.root / old).replace(aside)
        elif final.exists():  # not ours, or broken: never half of two
            aside = self.root / DRAFTS / f"{draft.name}.broken"
            final.replace(aside)
        draft.replace(final)
        _flush(final.parent)
        _flush(self.root)
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
            aside.with_name(f"{aside.name}.place").unlink(missing_ok=True)
            with suppress(OSError):  # an experiment, a proposal that is empty now
                (self.root / (old or new)).parent.rmdir()
                (self.root / (old or new)).parent.parent.rmdir()

    def _verify(self, receipt: Receipt) -> Verification:
        place = self.root / receipt.measurement
        held = _read(place)
        if held is None:
            return Verification("missing", receipt.measurement)
        worst: Proof = "digest"
        try:
            listed = bag.sums((place / bag.MANIFEST).read_bytes())
            tags = bag.sums((place / bag.TAG_MANIFEST).read_bytes())
            files = {f"data/{each['file']}": each for each in held["assets"]}
            wanted = {path for path, _, _ in receipt.assets}
            if wanted != {each["relativePath"] for each in held["assets"]}:
                return Verification("different", bag.MEASUREMENT)
            for path, digest in {**listed, **tags}.items():
                if path in files and files[path].get("accessMode") == "linked":
                    worst = "unknown"
                elif _digest(place / path) != digest:
                    return Verification("different", f"{receipt.measurement}/{path}")
        except FileNotFoundError as error:
            return Verification("missing", str(error.filename))
        except (OSError, ValueError, KeyError) as error:
            return Verification("different", f"{receipt.measurement}: {error}")
        sums = {each["relativePath"]: (each["dataChecksum"]["value"], listed.get(f"data/{each['file']}"))
                for each in held["assets"]}  # fmt: skip
        wrong = [path for path, _, sha256 in receipt.assets if sums[path] != (sha256, sha256)]
        return Verification("different", wrong[0]) if wrong else Verification(worst)


class _disk:
    """Turns what this disk refuses into DiskError; what a source refuses is told as ``_Wrong`` before it gets here."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno in _FULL:
            hint = "free some space or check the rights, then run it again: it goes on"
            raise DiskError(
                f"the disk cannot be written: {error.strerror}", where=str(self._where), hint=hint
            ) from error


def _receipt(root: Path, place: str, bundle: Bundle, version: int) -> Receipt:
    assets = tuple((asset.relative_path, f"{place}/data/{file}", asset.sha256) for asset, file in bag.payload(bundle))
    return Receipt(place, (root / place).as_uri(), str(version), bundle.digest, assets)


def _read(place: Path) -> dict[str, Any] | None:
    """Return what a bag says it holds; None where there is no whole one."""
    try:
        found = json.loads((place / "data" / bag.MEASUREMENT).read_bytes())
        return found if {"digest", "version", "assets", "measurement"} <= found.keys() else None
    except (OSError, ValueError, AttributeError):
        return None


def _copy(source: Path, target: Path, pace: Pace) -> str:
    """Copy a file, flush it, and return the digest of what was copied."""
    found = hashlib.sha256()
    with target.open("wb") as writing:
        for block in _blocks(source, pace):
            found.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    return found.hexdigest()


def _blocks(source: Path, pace: Pace) -> Iterator[bytes]:
    try:
        with source.open("rb") as reading:
            while block := reading.read(pace.chunk):
                pace.spend(len(block))
                yield block
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Wrong(f"unreadable: {source}: {error.strerror}") from error


def _put(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as writing:
        writing.write(data)
        writing.flush()
        os.fsync(writing.fileno())


def _digest(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _flush(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power failure, where the system can."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(handle)
