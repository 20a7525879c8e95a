"""What tests deliver to a node: manifests of small measurements, packs, and what a client says of bytes."""

from __future__ import annotations

import base64
import hashlib
import struct


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def frame(data: bytes, digest: str | None = None) -> bytes:
    return struct.pack(">32sQ", bytes.fromhex(digest or sha256(data)), len(data)) + data


def asset(path: str, data: bytes, **more) -> dict:
    found = {
        "dataAssetName": path.rpartition("/")[2], "relativePath": path, "dataAssetType": "raw", "role": "main",
        "dataSize": len(data), "dataChecksum": {"algorithm": "sha-256", "value": sha256(data)}, "mediaType": "image/tiff",
    }  # fmt: skip
    return found | more


def item(key: str, files: dict[str, bytes], *, proposal="161", experiment="first", measurement=None, **more) -> dict:
    said = {
        "measurementName": f"{key}.tif", "technique": "SEM", "format": "zeiss-sem-tiff", "startTime": "2026-11-20T10:00:00+01:00",
        "sample": {"sampleName": "wires"},
        "category": {"label": "Nanowires", "decision": "accepted", "score": 0.93, "by": "model"},
        "settings": {"beam.accelerating_voltage": {"value": 10000.0, "unit": "V", "source": "34118/AP_ACTUALKV"}},
        "externalIds": [{"scheme": "nffa", "value": f"sha256:{key}"}],
    }  # fmt: skip
    return {
        "ref": key, "proposal": {"proposalId": proposal, "proposalTitle": "Growth of wires"},
        "experiment": {"experimentName": experiment}, "measurement": said | (measurement or {}),
        "documents": {"nffa-record": {"format": "zeiss-sem-tiff", "terms": {}}},
        "assets": [asset(path, data) for path, data in files.items()],
    } | more  # fmt: skip


def opened(client, *items) -> dict:
    answer = client.post("/ingests", json={"items": list(items)})
    assert answer.status_code == 201, answer.text
    return answer.json()


def pack(client, ingest, *contents: bytes) -> dict:
    body = b"".join(map(frame, contents))
    headers = {"Content-Type": "application/vnd.nffa.pack"}
    answer = client.post(f"/ingests/{ingest['id']}/pack", data=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def committed(client, ingest) -> dict:
    answer = client.post(f"/ingests/{ingest['id']}:commit")
    assert answer.status_code == 200, answer.text
    return answer.json()


def delivered(client, *parcels: tuple[dict, list[bytes]]) -> dict:
    """Open, send what is needed, commit; return what commit answered."""
    ingest = opened(client, *(item for item, _ in parcels))
    need = {each["sha256"] for each in ingest["need"]}
    contents = {sha256(data): data for _, files in parcels for data in files}
    pack(client, ingest, *(data for digest, data in contents.items() if digest in need))
    return committed(client, ingest)


def base64_of(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def creation(ingest: dict, data: bytes, **more) -> dict[str, str]:
    said = f"ingest {base64_of(ingest['id'])},sha256 {base64_of(sha256(data))}"
    return {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data)), "Upload-Metadata": said} | more


def chunk(offset: int, data: bytes | None = None) -> dict[str, str]:
    found = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    if data is not None:
        found["Upload-Checksum"] = "sha256 " + base64_of(hashlib.sha256(data).digest())
    return found
