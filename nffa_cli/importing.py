"""Records of other repositories taken over: read, shown, kept, and delivered like what the instruments made.

The record itself is kept whole; what is delivered is made of it anew by the import crosswalk, so that a better crosswalk
updates what was delivered. Sizes and digests are what the repository says: none of the bytes was read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nffa_cli import guarded, settings
from nffa_cli.catalogue.imports import Imported
from nffa_cli.catalogue.store import Store
from nffa_cli.crosswalk import incoming, taking
from nffa_cli.destinations import registry
from nffa_cli.destinations.base import AssetFile, Bundle
from nffa_cli.errors import UnreadableFile, UsageError
from nffa_cli.export.nxem import media_type
from nffa_cli.settings import Settings

HOSTS = ("materialscloud.org", "zenodo.org", "b2share.eudat.eu")
"""Repositories whose records may be fetched; ``import.hosts`` adds others."""
KINDS = ("calculation", "measurement", "simulation")
"""What a record may be said to be; the first where nothing is said."""
SCHEME = "nffa"
VERSION = "1"
"""Changes when the same record makes another bundle, so that what was delivered becomes due as an update."""
DOCUMENT = "repository-record"
_ACCEPT = "application/vnd.inveniordm.v1+json, application/json;q=0.8"
_PAGE = re.compile(r"(https://[^/?#]+)/(?:record|records|deposit)/([A-Za-z0-9._-]+)/?")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


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
            "assets": len(_assets(self.item, self.taken)[0]),
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
        page = _PAGE.fullmatch(source)
        address = f"{page[1]}/api/records/{page[2]}" if page else source
        data = guarded.document(address, (*HOSTS, *filter(None, more)), accept=_ACCEPT)
    else:
        try:
            with Path(source).open("rb") as file:
                data = file.read(guarded.LARGEST + 1)
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=source) from error
    if len(data) > guarded.LARGEST:
        raise UnreadableFile(f"has more than {guarded.LARGEST >> 20} MiB", code="too-large", where=source)
    try:
        entry = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        hint = "the record's JSON is wanted: its export, or its page's address"
        raise UnreadableFile("is no JSON", code="no-json", where=source, hint=hint) from error
    if not isinstance(entry, dict):
        raise UnreadableFile("is no JSON object", code="no-json", where=source)
    try:
        return _clean(entry, 0)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise UnreadableFile("is nested too deeply", code="no-json", where=source) from error


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
    key = f"sha256:{hashlib.sha256(taken.key.encode()).hexdigest()}"
    said = {place: each.value for place, each in taken.fields.items()}
    measurement = {
        name.removeprefix("measurement/"): value
        for name, value in said.items()
        if name.startswith("measurement/") and not name.startswith(incoming.FREE)
    }
    provenance = {
        name.removeprefix(incoming.FREE): value for name, value in said.items() if name.startswith(incoming.FREE)
    }
    assets, left_out = _assets(item, taken)
    measurement |= {
        "measurementName": measurement.get("measurementName") or taken.key,
        "kind": item.options.get("kind") or KINDS[0],
        "externalIds": _external_ids(key, provenance),
        "provenance": {
            **provenance,
            "importedFrom": item.system,
            "importedRecord": taken.key,
            "crosswalk": f"{taken.crosswalk.name} {taken.crosswalk.version}",
            **({"filesLeftOut": left_out} if left_out else {}),
        },
    }
    named = {**proposals.get(str(proposal), {}), "proposalId": str(proposal)}
    group = {"experimentName": item.options.get("experiment") or said.get("experiment/experimentName") or item.system}
    documents = {DOCUMENT: dict(item.entry)}
    told = [_told(asset) for asset in assets]
    written = json.dumps([key, named, group, measurement, documents, told], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(written.encode("ascii")).hexdigest()
    return Bundle(key, key, item.source, named, group, measurement, documents, assets, digest)


def options(
    *, kind: str | None = None, proposal: str | None = None, experiment: str | None = None,
    as_one: bool | None = None, to: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what is said with an import; None: not said now."""
    return {"kind": kind, "proposal": proposal, "experiment": experiment, "as_one": as_one, "to": to}


def _taken(system: str, entry: Mapping[str, Any], source: str) -> taking.Taken:
    folder = settings.shipped("crosswalks")
    known = incoming.of_system(system, folder)
    if not known:
        names = ", ".join(incoming.systems(folder))
        raise UsageError(f"records of {system!r} cannot be imported", hint=f"one of {names}")
    for crosswalk in known:
        if taking.recognised(crosswalk, entry):
            taken = taking.take(crosswalk, entry)
            if taken is None:
                raise UnreadableFile("does not say which record it is", code="no-identity", where=source)
            return taken
    dialects = " or ".join(each.dialect for each in known)
    raise UnreadableFile(f"is no {dialects}", code="unknown-dialect", where=source, hint="nffa crosswalk list")


def _assets(item: Imported, taken: taking.Taken) -> tuple[tuple[AssetFile, ...], list[dict[str, str]]]:
    """Return the files, and those of which too little is said to describe them."""
    page = taken.fields.get("measurement/provenance/address")
    doi = taken.fields.get("measurement/provenance/doi")
    home = page.value if page is not None else f"https://doi.org/{doi.value}" if doi is not None else None
    found: list[AssetFile] = []
    left_out = []
    for file in taken.files:
        said = {place: each.value for place, each in file.items()}
        name, path = said.pop("dataAssetName"), said.pop("relativePath")
        digest, where = said.get("dataChecksum"), said.pop("uri", None) or home
        size = said.pop("dataSize", None)
        lacks = [what for what, value in (("size", size), ("digest", digest), ("address", where)) if value is None]
        if lacks:
            left_out.append({"name": name, "lacks": ", ".join(lacks)})
            continue
        kind = said.pop("mediaType", None) or media_type(path)
        fields = {**said, "accessMode": "linked", "uri": where}
        sha256 = digest["value"] if digest and digest["algorithm"] == "sha-256" else ""
        found.append(AssetFile("main", name, path, None, None, size, sha256, kind, "raw", fields))
    if item.options.get("as_one") and found:
        return (_as_one(found, taken),), left_out
    return tuple(found), left_out


def _as_one(files: Sequence[AssetFile], taken: taking.Taken) -> AssetFile:
    """Return one asset for all files: the list of them, with what is said of each. Its own bytes are that list."""
    listed = [
        {"name": file.name, "size": file.size, "checksum": file.fields["dataChecksum"], "uri": file.fields["uri"]}
        for file in files
    ]
    total = sum(file.size for file in files)
    content = json.dumps({"record": taken.key, "files": listed, "bytes": total}, indent=1).encode("ascii")
    shared = ("dateOfCollection", "dateOfCollectionSource", "intellectualPropertyRights")
    fields = {name: files[0].fields[name] for name in shared if name in files[0].fields}
    sha256 = hashlib.sha256(content).hexdigest()
    return AssetFile("main", "files.json", "files.json", None, content, len(content), sha256, "application/json",
                     "metadata", {**fields, "accessMode": "managed"})  # fmt: skip


def _external_ids(key: str, provenance: Mapping[str, Any]) -> list[dict[str, str]]:
    doi = provenance.get("doi")
    return [{"scheme": SCHEME, "value": key}, *([{"scheme": "doi", "value": doi}] if doi else [])]


def _told(asset: AssetFile) -> tuple[Any, ...]:
    return (asset.role, asset.name, asset.relative_path, asset.size, asset.sha256, asset.media_type, asset.kind,
            dict(asset.fields))  # fmt: skip


def _destination(wanted: str) -> str:
    """Return what outbox and receipts call a destination that was named or addressed."""
    where = str(settings.home() / "nffa.toml")
    return registry.chosen(wanted, [registry.of_table(table, where) for table in settings.destinations()])[0].name


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _clean(value: Any, depth: int) -> Any:
    """Return JSON in which every text is valid Unicode without NUL, as every database can hold it."""
    if depth > 100:
        raise RecursionError
    if isinstance(value, str):
        return _FORBIDDEN.sub("�", value)
    if isinstance(value, dict):
        return {_clean(key, depth): _clean(item, depth + 1) for key, item in value.items()}
    return [_clean(item, depth + 1) for item in value] if isinstance(value, list) else value
