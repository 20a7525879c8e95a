"""An IDRP node as a destination: the contract of docs/idrp.md, spoken by the client."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from nffa_cli.destinations import access
from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.base import (
    Answered,
    AssetFile,
    Capabilities,
    Delivery,
    Journal,
    Plan,
    Proof,
    Receipt,
    Result,
    Verification,
)
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.ingesting import ITEMS, Work
from nffa_cli.destinations.looking import GONE, Looking
from nffa_cli.destinations.registry import Place
from nffa_cli.downloading import Interrupted, Wanted, bring
from nffa_cli.errors import Refused

BASE = "/api/v1"
PAGE = 200
ID = re.compile(r"[A-Za-z0-9-]{1,64}")
SHA256 = re.compile(r"[0-9a-f]{64}")
ANSWERS = ("label", "none", "unclear", "undo")
HOW = ("looked", "duplicate")
LONGEST = 100
"""Characters of a category or of a name that somebody else wrote."""
PROOFS: tuple[Proof, ...] = ("digest", "size-only", "unknown", "different", "missing")
"""Best first."""


def make(place: Place) -> Idrp:
    """Open the node of a place."""
    return Idrp(place.name, access.connection(place, base(place.address)))


def base(address: str) -> str:
    """Return where the interface of a node begins."""
    address = address.rstrip("/")
    return address if address.endswith(BASE) else address + BASE


class Idrp:
    """The node at the other end of a connection."""

    kind = "idrp"

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection

    def capabilities(self) -> Capabilities:
        """Return what a node can do."""
        return Capabilities(resume="offset", digest=True, link=True, search=True, fetch=True, batch=ITEMS,
                            labels=self.connection.address.removesuffix(BASE))  # fmt: skip

    def whoami(self) -> Mapping[str, Any]:
        """Return the person behind the token, with roles."""
        return self._object("me")

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[Plan]:
        """Return what a delivery would do. What the node holds under another measurement counts as needed: nobody is asked."""
        looking = Looking(self._object, self._listed, lambda: self._person)
        return [self._planned(delivery, looking) for delivery in deliveries]

    def deliver(self, deliveries: Sequence[Delivery], journal: Journal) -> Iterator[Result]:
        """Deliver in batches; what the node wrote for us and answered into the void is found again."""
        yield from Work(self.connection, journal, lambda: self._person).deliver(deliveries)

    def verify(self, receipts: Sequence[tuple[str, Receipt]]) -> Iterator[tuple[str, Verification]]:
        """Yield what the node says of each receipt's files; it proved their digests itself when they came."""
        for key, receipt in receipts:
            held = {each.get("relativePath"): each for each in self._assets(receipt.measurement)}
            found = [_verified(path, sha256, held.get(path)) for path, _, sha256 in receipt.assets]
            worst = max(found, key=lambda each: PROOFS.index(each.proof), default=None)
            if worst is None or not held:
                worst = Verification("missing" if not self._is_there(receipt.measurement) else "digest", None)
            yield key, worst

    def find(self, query: str, limit: int) -> Iterator[Mapping[str, Any]]:
        """Yield the measurements that the node's search finds, with their assets."""
        parameters = {"q": query, "limit": min(limit, PAGE)}
        for found in self._listed("search", parameters, limit):
            yield {**found, "assets": list(self._assets(str(found.get("id"))))}

    def labels(self, since: str | None) -> Iterator[tuple[Sequence[Answered], str | None]]:
        """Yield pages of what persons answered at the node's review desk; nothing where it has none yet."""
        path, parameters = "labels", {"limit": PAGE} | ({"since": since} if since else {})
        while path:
            try:
                page = self._object(path, parameters, again=False)  # what does not come now comes with the next run
            except Rejected as error:
                if error.status == 404:  # a node that is older than its review desk
                    return
                raise
            items, last = page.get("items"), page.get("since")
            told = [answered(each) for each in items] if isinstance(items, list) else []
            if any(each is None for each in told) or not isinstance(last, str | None):
                raise Refused("the node's labels are not what IDRP v1 says", where=self.connection.address)
            yield [each for each in told if each is not None], last
            if not told or last == since:
                return
            since, parameters = last, {}
            path = str((page.get("links") or {}).get("next") or "")

    def measurement(self, id: str) -> Mapping[str, Any] | None:
        """Return a measurement by its id, with its assets, or the one of an asset by that one's; None: neither is there."""
        if not ID.fullmatch(id):
            return None
        for kind in ("measurements", "dataassets"):
            try:
                found = self._object(f"{kind}/{id}")
            except Rejected as error:
                if error.status in (400, 404, 422):
                    continue
                raise
            if kind == "dataassets":
                above = self.measurement(str(found.get("measurementId"))) or {}
                return {**above, "assets": [found]}
            return {**found, "assets": list(self._assets(id))}
        return None

    def fetch(self, asset: Mapping[str, Any], target: Path) -> Path:
        """Bring the bytes of an asset, going on where an earlier try broke off."""
        name, digest = str(asset.get("id")), asset.get("dataChecksum") or {}
        sha256, size = str(digest.get("value")), asset.get("dataSize")
        if not ID.fullmatch(name) or not SHA256.fullmatch(sha256) or not isinstance(size, int):
            raise Refused("the node says neither size nor digest of an asset", where=self.connection.address)
        path = f"dataassets/{name}/content"

        @contextmanager
        def opened(first: int) -> Iterator[tuple[int, Iterator[bytes]]]:
            headers = {"Range": f"bytes={first}-", "If-Range": f'"{sha256}"'} if first else {}
            with self.connection.opened(path, headers) as (answer, blocks):
                begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
                if answer.status not in (200, 206) or (answer.status == 206 and not begins):
                    raise Interrupted(f"the node answers {answer.status}")
                if sha256 not in answer.headers.get("ETag", ""):
                    raise Interrupted("what is answered are other bytes")
                yield int(begins[1]) if begins and answer.status == 206 else 0, blocks

        growing = target.with_name(f".{target.name[:80]}.{sha256[:16]}.part")
        return bring(
            Wanted(self.connection.at(path), size, "sha256", sha256),
            target,
            opened,
            growing=growing,
            told=lambda n: None,
        )

    @cached_property
    def _person(self) -> str | None:
        found = self.whoami().get("person")
        person = found.get("id") if isinstance(found, dict) else found
        return person if isinstance(person, str) else None

    def _planned(self, delivery: Delivery, looking: Looking) -> Plan:
        bundle, known = delivery.bundle, delivery.known
        (external, *_) = bundle.measurement["externalIds"]
        name = f"{external['scheme']}:{external['value']}"
        found = list(self._listed("measurements", {"externalId": name, "limit": 2}, 2))
        if not found:
            return _plan(delivery, "create", bundle.assets)
        assets = list(self._assets(str(found[0].get("id"))))
        held = {str((each.get("dataChecksum") or {}).get("value")) for each in assets if each.get("state") not in GONE}
        lacking = [asset for asset in bundle.assets if asset.sha256 not in held]
        current = known is not None and known.version == str(found[0].get("version"))
        if current and known is not None and known.digest == bundle.digest and not lacking:
            return _plan(delivery, "unchanged", [])
        return replace(_plan(delivery, "update", lacking), held=looking.holding(bundle, found[0], assets))

    def _is_there(self, measurement: str) -> bool:
        found = self.measurement(measurement)
        return found is not None and found.get("id") == measurement

    def _assets(self, measurement: str) -> Iterator[Mapping[str, Any]]:
        return self._listed("dataassets", {"measurement": measurement, "limit": PAGE}, 100_000)

    def _listed(self, path: str, parameters: Mapping[str, Any] | None, limit: int) -> Iterator[Mapping[str, Any]]:
        while path and limit > 0:
            page = self._object(path, parameters)
            items = page.get("items")
            for each in items if isinstance(items, list) else []:
                if isinstance(each, dict) and limit > 0:
                    limit -= 1
                    yield each
            path, parameters = str((page.get("links") or {}).get("next") or ""), None

    def _object(
        self, path: str, parameters: Mapping[str, Any] | None = None, *, again: bool | None = None
    ) -> Mapping[str, Any]:
        answer = self.connection.send("GET", path, params=parameters, wants_json=True, again=again)
        if not isinstance(answer.value, dict):
            raise Refused("the node's answer is not what IDRP v1 says", where=answer.where)
        return answer.value


def answered(said: Any) -> Answered | None:
    """Return what a person said, as the node tells it; None: it is not what IDRP v1 says."""
    if not isinstance(said, dict):
        return None
    must = [said.get(name) for name in ("id", "sha256", "answer", "how", "personId", "at")]
    may = [said.get(name) for name in ("label", "second", "labeller", "modelSha256", "predicted")]
    if not all(isinstance(each, str) for each in must) or not all(isinstance(each, str | None) for each in may):
        return None
    name, sha256, answer, how, person, at = map(str, must)
    label, second, labeller, model, predicted = (None if each is None else clean(each, LONGEST) for each in may)
    fits = ID.fullmatch(name) and ID.fullmatch(person) and SHA256.fullmatch(sha256)
    if not fits or answer not in ANSWERS or how not in HOW or (answer == "label") != bool(label):
        return None
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return None
    return Answered(name, sha256, answer, label, second, how, person, labeller, moment, model, predicted)  # type: ignore[arg-type]


def _plan(delivery: Delivery, action: str, assets: Sequence[AssetFile]) -> Plan:
    sent = {asset.sha256: asset.size for asset in assets if asset.fields.get("accessMode") != "linked"}
    return Plan(delivery, action, tuple(sent), sum(sent.values()))


def _verified(path: str, sha256: str, held: Mapping[str, Any] | None) -> Verification:
    if held is None or held.get("state") in GONE:
        return Verification("missing", path)
    if (held.get("dataChecksum") or {}).get("value") != sha256:
        return Verification("different", path)
    if held.get("state") != "available":
        return Verification("unknown", f"{path}: only described there")
    return Verification("digest")
