"""A repository's record, taken by an import crosswalk, as the measurement and the data assets that it becomes; pure.

JSON of the NFFA model, as it goes over the wire. Sizes and digests are what the repository says: none of the bytes was read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from nffa_cli import spoken
from nffa_cli.crosswalk import incoming
from nffa_cli.crosswalk.taking import Taken
from nffa_cli.mediatypes import media_type

KINDS = ("calculation", "measurement", "simulation")
"""What a record may be said to be; the first where nothing is said."""
SCHEME = "nffa"
"""Scheme of the external id by which a record is found again."""
DOCUMENT = "repository-record"
"""Name of the technique document that holds the record, whole."""
DOI = "/:;()-._~"
"""Characters of a DOI that an address holds as they are."""
LIST = "files.json"
"""Name of the one asset that lists all files."""


class Parcel(NamedTuple):
    """A record as it is delivered.

    key
        Who it is, everywhere and for ever; the measurement's external id.
    experiment
        What the record itself calls the experiment.
    content
        Bytes of the one asset that lists all files; None: every asset's bytes stay where they are.
    left_out
        Files of which too little is said to describe them: name, and what it lacks.
    """

    key: str
    experiment: str | None
    measurement: Mapping[str, Any]
    documents: Mapping[str, Any]
    assets: tuple[Mapping[str, Any], ...]
    content: bytes | None
    left_out: tuple[Mapping[str, str], ...]


def describe(
    taken: Taken, entry: Mapping[str, Any], *, system: str, address: str | None = None, kind: str | None = None,
    as_one: bool = False,
) -> Parcel:  # fmt: skip
    """Return what a record becomes.

    Parameters
    ----------
    entry
        The record itself; it goes along whole.
    system, address
        What its repository is called, and where it was fetched; None: it came as a file.
    as_one
        One asset that lists all files, and not each of them an asset.
    """
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
    linked, left_out = _linked(taken)
    content = _listed(linked, taken) if as_one and linked else None
    doi = provenance.get("doi")
    measurement |= {
        "measurementName": measurement.get("measurementName") or taken.key,
        "kind": kind or KINDS[0],
        "externalIds": [{"scheme": SCHEME, "value": key}, *([{"scheme": "doi", "value": doi}] if doi else [])],
        "provenance": {
            **provenance,
            "importedFrom": system,
            **({"importedAddress": spoken.address(address)} if address else {}),
            "importedRecord": taken.key,
            "crosswalk": f"{taken.crosswalk.name} {taken.crosswalk.version}",
            **({"filesLeftOut": left_out} if left_out else {}),
        },
    }
    assets = tuple(linked) if content is None else (_list_of(linked, content),)
    experiment = said.get("experiment/experimentName")
    return Parcel(key, experiment, measurement, {DOCUMENT: dict(entry)}, assets, content, tuple(left_out))


def _linked(taken: Taken) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the files, and those of which too little is said to describe them."""
    page = taken.fields.get("measurement/provenance/address")
    doi = taken.fields.get("measurement/provenance/doi")
    home = (
        page.value
        if page is not None
        else f"https://doi.org/{quote(str(doi.value), safe=DOI)}"
        if doi is not None
        else None
    )
    found = []
    left_out = []
    for file in taken.files:
        said = {place: each.value for place, each in file.items()}
        said["uri"] = said.get("uri") or home
        wanted = {"size": "dataSize", "digest": "dataChecksum", "address": "uri"}
        if lacks := [what for what, place in wanted.items() if said.get(place) is None]:
            left_out.append({"name": said["dataAssetName"], "lacks": ", ".join(lacks)})
            continue
        said["mediaType"] = said.get("mediaType") or media_type(said["relativePath"])
        found.append({**said, "dataAssetType": "raw", "role": "main", "accessMode": "linked"})
    return found, left_out


def _listed(files: Sequence[Mapping[str, Any]], taken: Taken) -> bytes:
    """Return the list of all files, with what is said of each, as JSON."""
    listed = [
        {"name": file["dataAssetName"], "size": file["dataSize"], "checksum": file["dataChecksum"], "uri": file["uri"]}
        for file in files
    ]
    total = sum(file["dataSize"] for file in files)
    return json.dumps({"record": taken.key, "files": listed, "bytes": total}, indent=1).encode("ascii")


def _list_of(files: Sequence[Mapping[str, Any]], content: bytes) -> dict[str, Any]:
    shared = ("dateOfCollection", "dateOfCollectionSource", "intellectualPropertyRights")
    return {
        "dataAssetName": LIST, "relativePath": LIST, "dataAssetType": "metadata", "role": "main",
        "dataSize": len(content), "mediaType": "application/json", "accessMode": "managed",
        "dataChecksum": {"algorithm": "sha-256", "value": hashlib.sha256(content).hexdigest()},
        **{name: files[0][name] for name in shared if name in files[0]},
    }  # fmt: skip
