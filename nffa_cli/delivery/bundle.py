"""An acquisition as it is delivered: the NFFA model's JSON and its files. Pure: what it is made of was read before.

Which term goes where is data (``crosswalks/outward/nffa.yaml``); here is what no term says: files, digests, licence, what
the picture shows, and the whole record as the measurement's technique document. Nothing in it changes unless a source does:
no times of our own, no places of this computer (but of files that are linked).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nffa_cli.crosswalk.outward import Outward
from nffa_cli.crosswalk.place import place
from nffa_cli.destinations.base import AssetFile, Bundle
from nffa_cli.mediatypes import media_type
from nffa_cli.records import Quantity, Record
from nffa_cli.spectra import SUFFIX

VERSION = "2"
"""Changes when the same sources make another bundle, so that what was delivered is made anew, and sent if it differs.

2: with the embedding of what was classified, all its scores and what its preview is known again by; what was not classified
is as before, and is not sent again.
"""
SCHEME = "nffa"
"""Scheme of the external id by which a measurement is found again."""
DOCUMENT = "nffa-record"
UNNAMED = "unnamed"
"""Name of the experiment where nobody named one: every measurement of a proposal hangs under some experiment."""

KINDS = {
    "main": "raw", "sidecar": "raw", "nxem": "nexus", "preview": "preview", "spectra": "preview", "raw-metadata": "metadata",
}  # fmt: skip
"""Role of a file → its data asset type."""
_DATE = "acquisition.start"
_LICENCE = "data.licence"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that goes along; its ``role`` as in ``AssetFile``."""

    role: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Material:
    """What a bundle is made of, already as it may leave this computer.

    digest
        Of the version's files.
    raw
        The vendor's tree as JSON.
    seen
        What the picture shows: ``persons`` (oldest first) and ``model``; both may be missing.
    made
        Versions that made the record.
    embedding
        As in ``Bundle``.
    """

    acquisition: str
    shown: str
    digest: str
    record: Record
    raw: bytes
    files: Sequence[LocalFile]
    seen: Mapping[str, Any]
    made: Mapping[str, Any]
    embedding: Mapping[str, str] | None = None


def make(
    material: Material,
    shape: Outward,
    *,
    proposal: str | None,
    experiment: str | None,
    link: bool = False,
    proposals: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Bundle | None:
    """Return the bundle; None where no proposal is known.

    Parameters
    ----------
    proposal, experiment
        What holds where neither the files nor a session say one.
    link
        The instrument's files stay where they are and are only described.
    proposals
        What the portal says of each, by number; what files and session say goes before it.
    """
    model = _model(shape, material.record)
    named = model["proposal"] or ({"proposalId": proposal} if proposal else {})
    if not named:
        return None
    named = {**proposals.get(named["proposalId"], {}), **named}
    group = model["experiment"] or {"experimentName": experiment or UNNAMED}
    key = f"sha256:{material.digest}"
    name = text(os.path.basename(material.files[0].path))  # noqa: PTH119
    measurement: dict[str, Any] = {
        "measurementName": name,
        **model["measurement"],
        "format": material.record.format,
        "externalIds": [{"scheme": SCHEME, "value": key}],
        "provenance": dict(material.made),
        "settings": _settings(model["settings"], shape, material.record),
    }
    if category := _category(material.seen):
        measurement["category"] = category
    documents = {DOCUMENT: _document(material)}
    assets = _assets(material, name, link=link)
    said: Any = (key, named, group, measurement, documents, [_told(asset) for asset in assets])
    said = said if material.embedding is None else (*said, dict(material.embedding))
    written = _canonical(said)
    if "\\ud" in written or "\\u0000" in written:  # only what databases may not hold, and emoji, need a look
        key, named, group, measurement, documents, *_ = said = _clean(said)
        written = _canonical(said)
    digest = hashlib.sha256(written.encode("ascii")).hexdigest()
    about = (key, material.acquisition, material.shown, named, group, measurement, documents, assets, digest)
    return Bundle(*about, material.embedding)


def text(name: str) -> str:
    """Return a name as JSON and other systems can hold it: what is not UTF-8 is replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _model(shape: Outward, record: Record) -> dict[str, dict[str, Any]]:
    """Return the entities that the outward crosswalk fills, each as a tree."""
    found: dict[str, dict[str, Any]] = {group: {} for group in shape.groups if "/" not in group}
    for path, placed in place(shape, record).items():
        *above, last = path.split("/")
        node: dict[str, Any] = found
        for part in above:
            node = node.setdefault(part, {})
        node[last] = placed.value if above != ["settings"] else placed
    return found


def _settings(placed: Mapping[str, Any], shape: Outward, record: Record) -> dict[str, Any]:
    """Return term → value, unit and source."""
    found = {}
    for name, each in placed.items():
        field = shape.field(f"settings/{name}")
        unit = field.unit if field is not None else None
        source = record.terms[each.terms[0]].source if each.terms else None
        found[name] = {"value": each.value, "unit": unit, "source": source}
    return found


def _document(material: Material) -> dict[str, Any]:
    """Return the whole record: every term with unit and source, and both opinions on what it shows."""
    record = material.record
    found: dict[str, Any] = {
        "format": record.format,
        "terms": {name: quantity.as_json() for name, quantity in record.terms.items()},
        "signals": [signal.as_json() for signal in record.signals],
        "missing": list(record.missing),
        "warnings": [remark.as_json() for remark in record.warnings],
    }
    return found | ({"classification": dict(material.seen)} if material.seen else {})


def _category(seen: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the picture shows: by the last person who said so, else by the model where it is sure."""
    if persons := seen.get("persons"):
        return {"label": persons[-1]["label"], "decision": "confirmed", "score": None, "by": "person"}
    model = seen.get("model")
    if model is None:
        return None
    label = model["label"] if model["decision"] == "accepted" else None
    return {"label": label, "decision": model["decision"], "score": model["score"], "by": "model"}


def _assets(material: Material, name: str, *, link: bool) -> tuple[AssetFile, ...]:
    fields = _fields(material.record)
    taken: set[str] = set()
    found = []
    for file in material.files:
        drawn = f"{name}.preview{Path(file.path).suffix}"
        shown = {"nxem": f"{name}.nxs", "preview": drawn, "spectra": f"{name}{SUFFIX}"}.get(file.role)
        own = shown or text(os.path.basename(file.path))  # noqa: PTH119
        stays = link and file.role in ("main", "sidecar")
        access = {"accessMode": "linked", "uri": Path(file.path).as_uri()} if stays else {"accessMode": "managed"}
        about = (own, _unique(own, taken), Path(file.path), None, file.size, file.sha256, media_type(own))
        found.append(AssetFile(file.role, *about, KINDS[file.role], {**fields, **access}))
    raw = f"{name}.metadata.json"
    sha256 = hashlib.sha256(material.raw).hexdigest()
    tree = (raw, _unique(raw, taken), None, material.raw, len(material.raw), sha256, "application/json")
    found.append(AssetFile("raw-metadata", *tree, KINDS["raw-metadata"], {**fields, "accessMode": "managed"}))
    return tuple(found)


def _unique(name: str, taken: set[str]) -> str:
    """Return a name that no file of the bundle has yet, however a system compares them."""
    stem, dot, suffix = name.rpartition(".")
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem}-{number}{dot}{suffix}" if stem else f"{name}-{number}"
    taken.add(found.casefold())
    return found


def _fields(record: Record) -> dict[str, Any]:
    """Return what the model says of each file alike: when it was collected and how that is known, and its licence."""
    found: dict[str, Any] = {}
    if (when := record.terms.get(_DATE)) is not None:
        found |= {"dateOfCollection": when.value, "dateOfCollectionSource": _source(when)}
    if (licence := record.terms.get(_LICENCE)) is not None:
        found["intellectualPropertyRights"] = licence.value
    return found


def _source(quantity: Quantity) -> str:
    kind = quantity.extra.get("time_source")
    return f"{quantity.source} ({kind})" if kind else quantity.source


def _told(asset: AssetFile) -> tuple[Any, ...]:
    return (asset.role, asset.name, asset.relative_path, asset.size, asset.sha256, asset.media_type, asset.kind,
            dict(asset.fields))  # fmt: skip


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _clean(value: Any) -> Any:
    """Return a value in which every text is valid Unicode without NUL, as every database can hold it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, (list, tuple)) else value
