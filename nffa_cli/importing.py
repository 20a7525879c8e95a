"""Records of other repositories taken over: read, shown, kept, and delivered like what the instruments made.

The record itself is kept whole; what is delivered is made of it anew by the import crosswalk, so that a better crosswalk
updates what was delivered. Sizes and digests are what the repository says: none of the bytes was read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nffa_cli import guarded, repositories, settings, spoken
from nffa_cli.catalogue.imports import Imported
from nffa_cli.catalogue.store import Store
from nffa_cli.crosswalk import described, taking
from nffa_cli.crosswalk.described import DOCUMENT, KINDS
from nffa_cli.destinations import registry
from nffa_cli.destinations.base import AssetFile, Bundle
from nffa_cli.errors import UsageError
from nffa_cli.settings import Settings

__all__ = ["DOCUMENT", "KINDS", "VERSION", "Import", "bundle", "made", "options", "read", "run", "take"]

VERSION = "2"
"""Changes when the same record makes another bundle, so that what was delivered becomes due as an update."""


@dataclass(frozen=True, slots=True)
class Import:
    """What an import found: the item to keep, the record in our model, and what is already known of it."""

    item: Imported
    taken: taking.Taken
    bundle: Bundle | None
    before: Imported | None

    @property
    def changed(self) -> bool:
        """Whether the catalogue does not hold exactly this yet."""
        return self.reason is not None

    @property
    def reason(self) -> str | None:
        """Why it is to be kept: ``new``, ``changed``, ``options-changed``; None: it is known exactly so."""
        if self.before is None:
            return "new"
        if self.before.entry != self.item.entry:
            return "changed"
        return "options-changed" if self.before.options != self.item.options else None

    def as_json(self) -> dict[str, Any]:
        """Return what a person or a program is told of it as a whole."""
        sizes = [file["dataSize"].value for file in self.taken.files if "dataSize" in file]
        crosswalk = self.taken.crosswalk
        return {
            "system": self.item.system, "key": self.taken.key, "source": self.item.source, "dialect": crosswalk.dialect,
            "crosswalk": crosswalk.name, "version": crosswalk.version, "files": len(self.taken.files),
            "assets": len(_described(self.item, self.taken).assets),
            "bytes": sum(sizes) if len(sizes) == len(self.taken.files) else None, "verified": False,
            "kind": self.item.options.get("kind") or KINDS[0], "proposal": self.item.options.get("proposal"),
            "experiment": self.item.options.get("experiment") or self.item.system, "to": self.item.options.get("to"),
            "warnings": [remark.as_json() for remark in self.taken.warnings],
        }  # fmt: skip


def run(system: str, source: str, said: Mapping[str, Any], values: Settings, *, dry_run: bool = False) -> Import:
    """Read a record, lay it out and keep it; ``dry_run``: all but the keeping. See ``read`` for what it raises."""
    if said["to"] is not None:
        said = {**said, "to": _destination(said["to"])}
    entry = read(source, values)
    source = spoken.address(source) if "://" in source else source
    path = settings.catalogue_path()
    if dry_run:
        if not path.is_file():
            return take(system, source, entry, said, None)
        with Store.open(path, readonly=True) as store:
            return take(system, source, entry, said, store)
    _taken(system, entry, source)  # what is no record makes no catalogue
    settings.make_home()
    with Store.open(path, full_sync=True) as store:
        found = take(system, source, entry, said, store)
        if found.changed:
            store.imports.save(found.item)
        return found


def read(source: str, values: Settings) -> Mapping[str, Any]:
    """Return the record in a file or at an https address of a known repository.

    Raises
    ------
    UsageError, Unreachable
        An address that is not asked, or does not answer; no such file.
    UnreadableFile
        What is there is no JSON object of at most 5 MiB.
    """
    if "://" in source:
        more = re.split(r"[\s,]+", values["import.hosts"].strip().lower())
        return repositories.parsed(
            repositories.fetch(source, (*repositories.HOSTS, *filter(None, more))), guarded.told(source)
        )
    try:
        with Path(source).open("rb") as file:
            return repositories.parsed(file.read(guarded.LARGEST + 1), source)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=source) from error


def take(system: str, source: str, entry: Mapping[str, Any], options: Mapping[str, Any], store: Store | None) -> Import:
    """Lay a record out in our model and compare it with what the catalogue holds; nothing is kept yet."""
    taken = _taken(system, entry, source)
    before = store.imports.get(taken.key) if store is not None else None
    if before is not None:  # what was said once of a record holds until something else is said
        options = {key: value if value is not None else before.options.get(key) for key, value in options.items()}
    item = Imported(taken.key, system, source, entry, options)
    return Import(item, taken, bundle(item, taken), before)


def made(item: Imported, proposals: Mapping[str, Mapping[str, Any]] = MappingProxyType({})) -> Bundle | None:
    """Return an import as it is delivered, laid out anew; None where nobody has said a proposal. See ``take`` for errors."""
    return bundle(item, _taken(item.system, item.entry, item.source), proposals)


def bundle(
    item: Imported, taken: taking.Taken, proposals: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Bundle | None:
    """Return an import as it is delivered; None where no proposal was said. ``proposals``: what the portal says of each."""
    proposal = item.options.get("proposal")
    if not proposal:
        return None
    parcel = _described(item, taken)
    assets = tuple(_asset(each, parcel.content) for each in parcel.assets)
    named = {**proposals.get(str(proposal), {}), "proposalId": str(proposal)}
    group = {"experimentName": item.options.get("experiment") or parcel.experiment or item.system}
    told = [_told(asset) for asset in assets]
    said = [parcel.key, named, group, parcel.measurement, parcel.documents, told]
    written = json.dumps(said, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(written.encode("ascii")).hexdigest()
    return Bundle(
        parcel.key, parcel.key, item.source, named, group, parcel.measurement, parcel.documents, assets, digest
    )


def options(
    *, kind: str | None = None, proposal: str | None = None, experiment: str | None = None,
    as_one: bool | None = None, to: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what is said with an import; None: not said now."""
    return {"kind": kind, "proposal": proposal, "experiment": experiment, "as_one": as_one, "to": to}


def _taken(system: str, entry: Mapping[str, Any], source: str) -> taking.Taken:
    return repositories.taken(entry, source, settings.shipped("crosswalks"), system)


def _described(item: Imported, taken: taking.Taken) -> described.Parcel:
    return described.describe(
        taken, item.entry, system=item.system, address=item.source if "://" in item.source else None,
        kind=item.options.get("kind"), as_one=bool(item.options.get("as_one")),
    )  # fmt: skip


def _asset(said: Mapping[str, Any], content: bytes | None) -> AssetFile:
    """Return an asset as destinations are given it."""
    digest = said["dataChecksum"]
    own = {"role", "dataAssetName", "relativePath", "dataSize", "mediaType", "dataAssetType"}
    if content is not None:
        own.add("dataChecksum")
    fields = {name: value for name, value in said.items() if name not in own}
    sha256 = digest["value"] if digest["algorithm"] == "sha-256" else ""
    return AssetFile(said["role"], said["dataAssetName"], said["relativePath"], None, content, said["dataSize"], sha256,
                     said["mediaType"], said["dataAssetType"], fields)  # fmt: skip


def _told(asset: AssetFile) -> tuple[Any, ...]:
    return (asset.role, asset.name, asset.relative_path, asset.size, asset.sha256, asset.media_type, asset.kind,
            dict(asset.fields))  # fmt: skip


def _destination(wanted: str) -> str:
    """Return what outbox and receipts call a destination that was named or addressed."""
    where = str(settings.home() / "nffa.toml")
    return registry.chosen(wanted, [registry.of_table(table, where) for table in settings.destinations()])[0].name
