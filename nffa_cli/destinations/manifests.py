"""The manifest of an ingest as it is written for a node, and what a node says of one: pure, sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.base import AssetFile, Bundle, Delivery, Receipt, Result
from nffa_cli.errors import Refused

EMBEDDING = "embedding"
"""Field of an item that older nodes do not know."""


@dataclass(frozen=True, slots=True)
class Item:
    """One delivery with its place in a manifest."""

    delivery: Delivery
    match: int | None
    again: bool = False

    @property
    def insists(self) -> bool:
        """Whether what is here replaces whatever is there: a receipt without a version says so."""
        return self.delivery.known is not None and not self.delivery.known.version

    @property
    def bundle(self) -> Bundle:
        """What is delivered."""
        return self.delivery.bundle

    def written(self, ref: str, *, embeds: bool = True) -> bytes:
        """Return it as JSON; ``embeds``: with the embedding, where there is one."""
        known, bundle = self.delivery.known, self.bundle
        said: dict[str, Any] = {
            "ref": ref, "proposal": bundle.proposal, "experiment": bundle.experiment,
            "measurement": bundle.measurement, "documents": bundle.documents,
            "assets": [asset_json(asset) for asset in bundle.assets],
        }  # fmt: skip
        if known is not None and known.measurement:
            said["measurementId"] = known.measurement
        if self.match is not None:
            said["ifMatch"] = self.match
        if embeds and bundle.embedding is not None:
            said[EMBEDDING] = bundle.embedding
        return json.dumps(said, ensure_ascii=True, allow_nan=False, default=dict).encode("ascii")

    def result(self, told: Mapping[str, Any], status: Any, url: str) -> Result:
        """Return the result with its receipt; ``told``: what the node says of the item."""
        digests = {asset.relative_path: asset.sha256 for asset in self.bundle.assets}
        assets = tuple(
            (each["relativePath"], each["assetId"], digests.get(each["relativePath"], ""))
            for each in told.get("assets", ())
        )
        version = str(told["version"])
        receipt = Receipt(told["measurementId"], told.get("url") or url, version, self.bundle.digest, assets)
        return Result(self.delivery, status, receipt)


def asset_json(asset: AssetFile) -> dict[str, Any]:
    """Return what the node is told of a file."""
    return {
        "dataAssetName": asset.name,
        "relativePath": asset.relative_path,
        "dataAssetType": asset.kind,
        "role": asset.role,
        "dataSize": asset.size,
        "dataChecksum": {"algorithm": "sha-256", "value": asset.sha256},
        "mediaType": asset.media_type,
        **asset.fields,
    }


def manifest(batch: Sequence[Item], *, embeds: bool = True) -> bytes:
    """Return what an ingest of a batch is opened with; ``embeds``: with embeddings."""
    written = (item.written(str(number), embeds=embeds) for number, item in enumerate(batch))
    return b'{"items":[' + b",".join(written) + b"]}"


def version(receipt: Receipt | None) -> int | None:
    """Return the version that an update takes the place of; None: it is not known."""
    return int(receipt.version) if receipt is not None and receipt.version.isdecimal() else None


def named(error: Rejected, count: int) -> set[int]:
    """Return the numbers of the items that a problem names by its pointers (``/items/3/…``)."""
    parts = _pointers(error)
    numbers = {int(each[2]) for each in parts if len(each) > 2 and each[1] == "items" and each[2].isdecimal()}
    return {number for number in numbers if number < count} if len(numbers) < count else set()


def refuses_embeddings(error: Rejected) -> bool:
    """Tell whether a problem is that a node knows no embeddings."""
    return any(len(each) > 3 and each[3] == EMBEDDING for each in _pointers(error))


def _pointers(error: Rejected) -> list[list[str]]:
    """Return the parts of each place in the manifest that a problem names: ``/items/3/embedding``."""
    wrong = error.answer.problem().get("errors")
    pointers = [each.get("pointer") for each in (wrong if isinstance(wrong, list) else []) if isinstance(each, dict)]
    return [str(pointer).split("/") for pointer in pointers]


def why(said: Mapping[str, Any]) -> str:
    """Return why a node does not take an item."""
    problem = said.get("problem") or {}
    words = (clean(problem[name]) for name in ("title", "detail") if problem.get(name))
    return ": ".join(words) or f"the node answers {clean(said.get('action'), 40)}"


def ingest_told(value: Any, count: int, where: str) -> Mapping[str, Any]:
    """Return what a node says of an ingest; raises Refused where it is not what the contract says."""
    items = items_told(value, where)
    refs = {each["ref"] for each in items}
    needs = value.get("need")
    good = isinstance(value.get("id"), str) and value["id"].replace("-", "").isalnum() and isinstance(needs, list)
    if not good or refs < {str(number) for number in range(count)}:
        raise Refused("the node's answer is not what IDRP v1 says of an ingest", where=where)
    return {"id": value["id"], "items": items, "need": needs, "follows": bool(value.get("follows"))}


def items_told(value: Any, where: str) -> list[Mapping[str, Any]]:
    """Return what a node says of each item; raises Refused as ``ingest_told``."""
    found = value.get("items") if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) and "ref" in each for each in found):
        raise Refused("the node's answer is not what IDRP v1 says of an ingest", where=where)
    return found
