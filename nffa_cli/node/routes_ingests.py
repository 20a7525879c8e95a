"""Routes of ingests: open, look, commit, cancel, and the two ways for bytes that come in one request (the third is tus)."""

from __future__ import annotations

import base64
import hashlib
import re
from io import FileIO
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from nffa_cli.node import blobs, ingests, pack, receiving
from nffa_cli.node.callers import Caller, Named
from nffa_cli.node.database import Database, database
from nffa_cli.node.manifest import Manifest
from nffa_cli.node.problems import Problem
from nffa_cli.node.requests import Answer, Base, Once, StrictRoute
from nffa_cli.node.storage import Storage, storage
from nffa_cli.node.unpacking import Unpacking

router = APIRouter(tags=["ingests"], route_class=StrictRoute)
Known = Annotated[Database, Depends(database)]
Stored = Annotated[Storage, Depends(storage)]


@router.post("/ingests", summary="Open an ingest with its manifest", status_code=201)
def open_(manifest: Manifest, asking: Named, once: Annotated[Once, Depends()], base: Base) -> Response:
    """Say what will become of each measurement and which bytes are needed; nothing is visible before the commit."""
    sent = manifest.fields()

    def work(connection: sa.Connection) -> Answer:
        found = _linked(ingests.opened(connection, asking, sent), base)
        return Answer(201, found, {"Location": found["links"]["self"]})

    return once(work)


@router.get("/ingests/{id}", summary="How an ingest stands")
def look(id: str, asking: Named, known: Known, base: Base) -> dict[str, Any]:
    """Return state, items and the bytes that have not come yet."""
    with known.read() as connection:
        return _linked(ingests.shown(connection, asking, id), base)


@router.post("/ingests/{id}:commit", summary="Make all records of an ingest, at once")
def commit(id: str, request: Request, asking: Named, known: Known, base: Base) -> Response:
    """Make everything visible in one transaction, or nothing. Sent again, it is answered the same."""
    with known.write() as connection:
        found = ingests.committed(connection, asking, id, request.state.request_id)
    for item in found["items"]:
        item["url"] = f"{base}/measurements/{item['measurementId']}"
    return JSONResponse(_linked(found, base))


@router.post("/ingests/{id}:cancel", summary="Give an ingest up")
def cancel(id: str, asking: Named, known: Known, base: Base) -> dict[str, Any]:
    """Forget the manifest and the bytes; nothing of it ever becomes a record."""
    with known.write() as connection:
        return _linked(ingests.cancelled(connection, asking, id), base)


@router.put("/ingests/{id}/content/{sha256}", summary="Send one small file in one request", status_code=201)
async def put(id: str, sha256: str, request: Request, asking: Named, known: Known, stored: Stored) -> Response:
    """Take the bytes of one digest that the ingest waits for; for larger ones there is tus."""
    size = (await run_in_threadpool(_wanted, known, asking, id)).get(sha256)
    if size is None:
        raise Problem(409, "Conflict", "the manifest of this ingest names no such bytes")
    if (said := request.headers.get("content-digest")) is not None and sha256 not in digests_of(said):
        raise Problem(400, "Bad request", "Content-Digest has no sha-256, or another one than the address")
    with stored.draft() as path:
        taking = Taking(path)
        try:
            await receiving.pump(request.stream(), taking.take)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        finally:
            taking.file.close()
        if taking.digest.hexdigest() != sha256:
            raise Problem(400, "Checksum mismatch", "the bytes are not what the address says: send them again")
        await run_in_threadpool(_keep_one, known, stored, asking, path, sha256, size)
    return Response(status_code=201)


@router.post("/ingests/{id}/pack", summary="Send many small files in one request")
async def unpack(id: str, request: Request, asking: Named, known: Known, stored: Stored) -> Response:
    """Take a pack; what of it is whole counts, even when the connection is cut."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != pack.MEDIA_TYPE:
        raise Problem(415, "Wrong media type", f"a pack comes as {pack.MEDIA_TYPE}")
    wanted = await run_in_threadpool(_wanted, known, asking, id)
    with Unpacking(stored, wanted) as unpacking:
        cut = False
        try:
            await receiving.pump(request.stream(), unpacking.take)
        except ClientDisconnect:
            cut = True
        await run_in_threadpool(_keep_many, known, stored, asking, unpacking)
    if not cut and not unpacking.whole:
        count = len(unpacking.received)
        raise Problem(400, "Bad request", f"the pack ends within a frame; the {count} files before it were received")
    refused = [{"sha256": sha256, "detail": detail} for sha256, detail in unpacking.refused.items()]
    return JSONResponse({"received": sorted(unpacking.received), "refused": refused})


class Taking:
    """A file on its way in, with its digest."""

    def __init__(self, path: Path) -> None:
        with receiving.disk():
            self.file = FileIO(path, "w")
        self.digest = hashlib.sha256()

    def take(self, data: memoryview) -> None:
        """Write down what came."""
        receiving.write(self.file, data)
        self.digest.update(data)


def digests_of(header: str) -> set[str]:
    """Return the SHA-256 that a ``Content-Digest`` (RFC 9530) names, in hex: one or none."""
    found = re.search(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):", header)
    return {base64.b64decode(found[1]).hex()} if found else set()


def _wanted(known: Database, asking: Caller, id: str) -> dict[str, int]:
    with known.read() as connection:
        return ingests.wanted(connection, asking, id)


def _keep_one(known: Database, stored: Storage, asking: Caller, path: Path, sha256: str, size: int) -> None:
    with receiving.disk():
        stored.keep([(path, sha256)])
    _received(known, stored, asking, {sha256: size})


def _keep_many(known: Database, stored: Storage, asking: Caller, unpacking: Unpacking) -> None:
    unpacking.keep()
    _received(known, stored, asking, unpacking.received)


def _received(known: Database, stored: Storage, asking: Caller, found: dict[str, int]) -> None:
    assert asking.person is not None
    if found:
        with known.write() as connection:
            blobs.received(connection, stored, asking.person, found)


def _linked(found: dict[str, Any], base: str) -> dict[str, Any]:
    return found | {"links": {"self": f"{base}/ingests/{found['id']}"}}
