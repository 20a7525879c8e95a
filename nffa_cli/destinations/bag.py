"""What stands in a bag (BagIt 1.0, RFC 8493) and in its RO-Crate 1.1, as bytes: pure, and knows no file system.

One measurement is one bag. Its payload (``data/``) is a research object crate: the files, ``ro-crate-metadata.json`` and
``nffa-measurement.json``, which says all that was delivered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nffa_cli.destinations.base import AssetFile, Bundle, Holding

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
FETCH = "fetch.txt"
MEASUREMENT = "nffa-measurement.json"
CRATE = "ro-crate-metadata.json"

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
LONGEST = 120


def safe(name: str) -> str:
    """Return a name that every file system of today can hold, and that leads nowhere else."""
    clean = _FORBIDDEN.sub("_", name).strip(" ")
    clean = clean.rstrip(". ") or "_"
    if _DEVICES.fullmatch(clean):
        clean = f"_{clean}"
    if len(clean.encode()) <= LONGEST:
        return clean
    stem, dot, suffix = clean.rpartition(".")
    if not stem or len(suffix) > 10:
        stem, dot, suffix = clean, "", ""
    start = stem.encode()[: LONGEST - len((dot + suffix).encode())].decode(errors="ignore")
    return (start + dot + suffix).rstrip(". ") or "_"  # the cut may have left a space at the end


def short(key: str) -> str:
    """Return the start of a bundle's key, which tells bags of one name apart."""
    return key.removeprefix("sha256:")[:16]


def place(bundle: Bundle) -> str:
    """Return where the bag of a bundle lies: proposal, experiment, name and the start of its key."""
    name = safe(f"{bundle.measurement['measurementName']}")
    group = safe(str(bundle.experiment["experimentName"]))
    return f"{safe(str(bundle.proposal['proposalId']))}/{group}/{name}-{short(bundle.key)}"


def payload(bundle: Bundle) -> list[tuple[AssetFile, str]]:
    """Return each file with its place below ``data/``; no two alike, however a file system compares them."""
    taken = {CRATE, MEASUREMENT}
    found = []
    for asset in bundle.assets:
        place = wanted = "/".join(safe(part) for part in asset.relative_path.split("/"))
        number = 1
        while place.casefold() in taken:
            number += 1
            place = f"{number}-{wanted}"
        taken.add(place.casefold())
        found.append((asset, place))
    return found


def is_linked(asset: AssetFile) -> bool:
    """Tell whether the bytes of an asset stay where they are."""
    return asset.fields.get("accessMode") == "linked"


def measurement(bundle: Bundle, files: Sequence[tuple[AssetFile, str]], version: int) -> bytes:
    """Return what was delivered, as the NFFA model says it."""
    assets = [
        {
            "dataAssetName": asset.name, "relativePath": asset.relative_path, "file": place, "role": asset.role,
            "dataAssetType": asset.kind, "dataSize": asset.size, "mediaType": asset.media_type,
            "dataChecksum": {"algorithm": "sha-256", "value": asset.sha256}, **asset.fields,
        }
        for asset, place in files
    ]  # fmt: skip
    return _json({
        "key": bundle.key, "digest": bundle.digest, "version": version, "proposal": bundle.proposal,
        "experiment": bundle.experiment, "measurement": bundle.measurement, "documents": bundle.documents,
        "assets": assets,
    })  # fmt: skip


def holding(said: Mapping[str, Any]) -> Holding:
    """Return what was delivered, of what ``measurement`` wrote."""
    assets = {
        each["relativePath"]: {name: value for name, value in each.items() if name not in ("relativePath", "file")}
        for each in said["assets"]
    }
    return Holding(said.get("proposal"), said.get("experiment"), said["measurement"], said.get("documents"), assets)


def crate(bundle: Bundle, files: Sequence[tuple[AssetFile, str]]) -> bytes:
    """Return the crate's metadata: the measurement as its root, and a file entity for each asset."""
    about = bundle.measurement
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": about["measurementName"],
        "description": about.get("measurementDescription") or f"A measurement of proposal {_proposal(bundle)}.",
        "identifier": bundle.key,
        "isPartOf": {"@id": "#experiment"},
        "hasPart": [{"@id": _id(asset, place)} for asset, place in files] + [{"@id": MEASUREMENT}],
    }
    dates = [asset.fields["dateOfCollection"] for asset in bundle.assets if "dateOfCollection" in asset.fields]
    if dates:
        root["dateCreated"] = dates[0]
    rights = [asset.fields["intellectualPropertyRights"] for asset in bundle.assets
              if "intellectualPropertyRights" in asset.fields]  # fmt: skip
    if rights:
        root["license"] = rights[0]
    entities: list[dict[str, Any]] = [
        {
            "@id": CRATE, "@type": "CreativeWork", "about": {"@id": "./"},
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        },
        root,
        {"@id": "#experiment", "@type": "Dataset", "name": bundle.experiment.get("experimentName"),
         "isPartOf": {"@id": "#proposal"}},
        {"@id": "#proposal", "@type": "Project", "identifier": _proposal(bundle),
         "name": bundle.proposal.get("proposalTitle") or _proposal(bundle)},
        {"@id": MEASUREMENT, "@type": "File", "name": MEASUREMENT, "encodingFormat": "application/json",
         "description": "The measurement as the NFFA model says it, with every term, its unit and its source."},
        *(_entity(asset, place) for asset, place in files),
    ]  # fmt: skip
    if instrument := about.get("instrument"):
        root["instrument"] = {"@id": "#instrument"}
        named = {"name": instrument.get("instrumentName"), "manufacturer": instrument.get("manufacturer"),
                 "model": instrument.get("model"), "serialNumber": instrument.get("serial")}  # fmt: skip
        entities.append(
            {"@id": "#instrument", "@type": "IndividualProduct"}
            | {key: value for key, value in named.items() if value is not None}
        )
    return _json({"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": entities})


def tags(
    bundle: Bundle, sums: Mapping[str, str], sizes: Mapping[str, int], linked: Sequence[tuple[AssetFile, str]]
) -> dict[str, bytes]:
    """Return the tag files by name; ``sums`` and ``sizes`` are of the payload, below ``data/``, linked files too."""
    info = [
        f"External-Identifier: {bundle.key}",
        f"Internal-Sender-Identifier: {_one_line(_proposal(bundle))}",
        f"Payload-Oxum: {sum(sizes.values())}.{len(sizes)}",
        "BagIt-Profile-Identifier: https://w3id.org/ro/crate/1.1",
    ]
    found = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": ("\n".join(info) + "\n").encode(),
        MANIFEST: "".join(f"{sums[place]}  {_written(f'data/{place}')}\n" for place in sorted(sums)).encode(),
    }
    if linked:
        lines = (f"{asset.fields['uri']} {asset.size} {_written(f'data/{place}')}\n" for asset, place in linked)
        found[FETCH] = "".join(lines).encode()
    listed = "".join(f"{hashlib.sha256(found[name]).hexdigest()}  {name}\n" for name in sorted(found))
    return found | {TAG_MANIFEST: listed.encode()}


def sums(manifest: bytes) -> dict[str, str]:
    """Return path → digest as a manifest says; raises ValueError for what is none."""
    found = {}
    for line in manifest.decode("utf-8").splitlines():
        digest, path = line.split(None, 1)
        if not re.fullmatch(r"[0-9a-f]{64}", digest.lower()):
            raise ValueError(line)
        found[re.sub(r"%(0[AaDd]|25)", lambda code: chr(int(code[1], 16)), path)] = digest.lower()
    return found


def _proposal(bundle: Bundle) -> str:
    return str(bundle.proposal["proposalId"])


def _id(asset: AssetFile, place: str) -> str:
    return str(asset.fields["uri"]) if is_linked(asset) else _quoted(place)


def _entity(asset: AssetFile, place: str) -> dict[str, Any]:
    return {
        "@id": _id(asset, place), "@type": "File", "name": asset.name, "contentSize": str(asset.size),
        "encodingFormat": asset.media_type, **({"sha256": asset.sha256} if asset.sha256 else {}),
    }  # fmt: skip


def _quoted(place: str) -> str:
    from urllib.parse import quote

    return quote(place)


def _written(path: str) -> str:
    return path.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True, default=dict) + "\n").encode("ascii")
