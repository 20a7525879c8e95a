"""A WebDAV share as destination (NextCloud, datashare, any other): one bag for each measurement, as in a folder.

``nffa-measurement.json`` is written last: what has none is not whole. Such a server computes no digest by itself, so a
check proves sizes, and digests only where it keeps the checksum that was sent along (OC-Checksum).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nffa_cli.destinations import access, bag, sources
from nffa_cli.destinations.base import (
    AssetFile,
    Bundle,
    Capabilities,
    Delivery,
    Journal,
    Plan,
    Receipt,
    Result,
    Verification,
)
from nffa_cli.destinations.dav import Dav
from nffa_cli.destinations.idrp import PROOFS, SHA256
from nffa_cli.destinations.registry import Place
from nffa_cli.downloading import Interrupted, Wanted, bring
from nffa_cli.errors import Refused


def make(place: Place) -> WebDav:
    """Open the share of a place."""
    address = re.sub(r"^dav(s?)://", r"http\1://", place.address)
    return WebDav(place.name, Dav(access.connection(place, address)))


class WebDav:
    """See ``base.Destination``."""

    kind = "webdav"

    def __init__(self, name: str, dav: Dav) -> None:
        self.name = name
        self.dav = dav

    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        return Capabilities(resume="part", digest=False, link=True, search=True, fetch=True, batch=100)

    def whoami(self) -> Mapping[str, Any]:
        """Return the share, once it has let us in."""
        if self.dav.entry("") is None:
            raise Refused("there is no such folder on the server", where=self.dav.connection.address)
        return {"folder": self.dav.connection.address}

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[Plan]:
        """Return what ``deliver`` would do."""
        return [self._planned(delivery) for delivery in deliveries]

    def deliver(self, deliveries: Sequence[Delivery], journal: Journal) -> Iterator[Result]:
        """Send what is missing of each bag, and last what says that it is whole."""
        for delivery in deliveries:
            try:
                yield self._deliver(delivery, journal)
            except sources.Changed as error:
                yield Result(delivery, "failed", reason=str(error))

    def verify(self, receipts: Sequence[tuple[str, Receipt]]) -> Iterator[tuple[str, Verification]]:
        """Yield what the server says of each file: a checksum where it keeps one, else its size."""
        for key, receipt in receipts:
            held = self._held(receipt.measurement)
            if held is None:
                yield key, Verification("missing", receipt.measurement)
                continue
            listed = {each["relativePath"]: each for each in held["assets"]}
            found = [
                self._verified(receipt.measurement, path, sha256, listed.get(path))
                for path, _, sha256 in receipt.assets
            ]
            yield key, max(found, key=lambda each: PROOFS.index(each.proof), default=Verification("size-only"))

    def find(self, query: str, limit: int) -> Iterator[Mapping[str, Any]]:
        """Yield the measurements in whose description all words of ``query`` stand."""
        words = query.casefold().split()
        for place in self._places("", 3):
            held = self._held(place) if limit > 0 else None
            if held is None:
                continue
            text = json.dumps({**held, "documents": None}, ensure_ascii=False).casefold()
            if all(word in text for word in words):
                limit -= 1
                assets = [{**each, "id": f"{place}/data/{each['file']}"} for each in held["assets"]]
                yield {"id": place, "url": self.dav.url(place), **held["measurement"], "assets": assets}

    def fetch(self, asset: Mapping[str, Any], target: Path) -> Path:
        """Bring the bytes of an asset, going on where an earlier try broke off."""
        sha256, size = str((asset.get("dataChecksum") or {}).get("value")), asset.get("dataSize")
        if not SHA256.fullmatch(sha256) or not isinstance(size, int):
            raise Refused("nothing says size and digest of an asset", where=str(asset.get("id")))
        address = self.dav.url(str(asset["id"]))
        etag: list[str] = []

        @contextmanager
        def opened(first: int) -> Iterator[tuple[int, Iterator[bytes]]]:
            headers = {"Range": f"bytes={first}-", **({"If-Range": etag[0]} if etag else {})} if first else {}
            with self.dav.connection.opened(address, headers) as (answer, blocks):
                begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
                if answer.status not in (200, 206) or (answer.status == 206 and not begins):
                    raise Interrupted(f"the server answers {answer.status}")
                tag = answer.headers.get("ETag", "")
                etag[:] = [tag] if tag.startswith('"') else []
                yield int(begins[1]) if begins and answer.status == 206 else 0, blocks

        growing = target.with_name(f".{target.name[:80]}.{sha256[:16]}.part")
        return bring(Wanted(address, size, "sha256", sha256), target, opened, growing=growing, told=lambda n: None)

    def _held(self, place: str) -> dict[str, Any] | None:
        """Return what a bag says it holds; None: there is no whole one."""
        data = self.dav.read(f"{place}/data/{bag.MEASUREMENT}")
        try:
            found = json.loads(data) if data is not None else None
        except ValueError:
            return None
        whole = isinstance(found, dict) and {"digest", "version", "assets", "measurement"} <= found.keys()
        return found if whole else None

    def _places(self, folder: str, levels: int) -> Iterator[str]:
        for path, entry in sorted((self.dav.listed(folder, below=True) or {}).items()):
            if entry.folder and path != folder:
                if levels > 1:
                    yield from self._places(path, levels - 1)
                else:
                    yield path

    def _planned(self, delivery: Delivery) -> Plan:
        held = self._held(self._place(delivery))
        if held is not None and held["digest"] == delivery.bundle.digest:
            return Plan(delivery, "unchanged", (), 0)
        there = set() if held is None else {each["dataChecksum"]["value"] for each in held["assets"]}
        sizes = {
            each.sha256: each.size
            for each in delivery.bundle.assets
            if not bag.is_linked(each) and each.sha256 not in there
        }
        action, has = ("create", None) if held is None else ("update", bag.holding(held))
        return Plan(delivery, action, tuple(sizes), sum(sizes.values()), held=has)

    def _place(self, delivery: Delivery) -> str:
        """Return where the bag of a delivery lies or will lie; one that was delivered stays where it is."""
        known = delivery.known
        return known.measurement if known is not None and known.measurement else bag.place(delivery.bundle)

    def _deliver(self, delivery: Delivery, journal: Journal) -> Result:
        bundle, place = delivery.bundle, self._place(delivery)
        held = self._held(place)
        if held is not None and held["digest"] == bundle.digest:
            return Result(delivery, "unchanged", self._receipt(place, bundle, held["version"]))
        version = int(held["version"]) + 1 if held is not None else 1
        before = {} if held is None else {each["file"]: each["dataChecksum"]["value"] for each in held["assets"]}
        files = bag.payload(bundle)
        for asset, name in files:
            if bag.is_linked(asset) or not asset.sha256 or before.get(name) == asset.sha256:
                continue
            if not self._send(asset, f"{place}/data/{name}", journal, overwrite=name in before):
                where = f"{place}/data/{name}"
                return Result(delivery, "conflict", reason=f"another file of this name is there already: {where}")
        self._close(place, bundle, files, version)
        for name in before.keys() - {name for _, name in files}:
            self.dav.remove(f"{place}/data/{name}")
        return Result(delivery, "done", self._receipt(place, bundle, version))

    def _send(self, asset: AssetFile, path: str, journal: Journal, *, overwrite: bool) -> bool:
        self.dav.make_folders(path.rpartition("/")[0])
        with sources.opened(asset) as source:
            source.prove()  # nobody at the other end will
            done = self.dav.put(
                path, asset, source, overwrite=overwrite, note=lambda token: journal.note(asset.sha256, token)
            )
        journal.forget(asset.sha256)
        if done:
            return True
        there = self.dav.entry(path)  # of an earlier run that did not get to its end, if it is of this size
        return there is not None and there.size == asset.size and there.sha256 in (None, asset.sha256)

    def _close(self, place: str, bundle: Bundle, files: Sequence[tuple[AssetFile, str]], version: int) -> None:
        """Write what describes a bag; the measurement last, by which it is whole."""
        own = {bag.CRATE: bag.crate(bundle, files), bag.MEASUREMENT: bag.measurement(bundle, files, version)}
        here = [(asset, name) for asset, name in files if asset.sha256]  # the others lie elsewhere, by another digest
        sums = {name: asset.sha256 for asset, name in here}
        sums |= {name: hashlib.sha256(data).hexdigest() for name, data in own.items()}
        sizes = {name: asset.size for asset, name in here} | {name: len(data) for name, data in own.items()}
        linked = [(asset, name) for asset, name in here if bag.is_linked(asset)]
        self.dav.make_folders(f"{place}/data")
        for name, data in bag.tags(bundle, sums, sizes, linked).items():
            self.dav.write(f"{place}/{name}", data)
        for name, data in own.items():
            self.dav.write(f"{place}/data/{name}", data)

    def _receipt(self, place: str, bundle: Bundle, version: int) -> Receipt:
        assets = tuple(
            (asset.relative_path, f"{place}/data/{name}", asset.sha256) for asset, name in bag.payload(bundle)
        )
        return Receipt(place, self.dav.url(place), str(version), bundle.digest, assets)

    def _verified(self, place: str, path: str, sha256: str, held: Mapping[str, Any] | None) -> Verification:
        if held is None:
            return Verification("missing", path)
        if held["dataChecksum"]["value"] != sha256:
            return Verification("different", path)
        if held.get("accessMode") == "linked":
            return Verification("unknown", f"{path}: only described there")
        there = self.dav.entry(f"{place}/data/{held['file']}")
        if there is None:
            return Verification("missing", path)
        if there.size != held["dataSize"] or there.sha256 not in (None, sha256):
            return Verification("different", path)
        return Verification("digest") if there.sha256 else Verification("size-only")
