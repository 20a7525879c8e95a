"""Routes of tus 1.0 uploads. While bytes flow no transaction is open and no lock but that of the one upload is held."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from nffa_cli.node import arriving, receiving, tus, uploads
from nffa_cli.node.callers import Named
from nffa_cli.node.config import Config, config
from nffa_cli.node.database import Database, database
from nffa_cli.node.problems import Problem
from nffa_cli.node.storage import Storage, storage

router = APIRouter(tags=["uploads"])
Settings = Annotated[Config, Depends(config)]


async def owner_of(asking: Named) -> str:
    """Return the person who asks (a FastAPI dependency)."""
    assert asking.person is not None
    return asking.person


Owner = Annotated[str, Depends(owner_of)]


class Desk:
    """What an upload is worked on with: database, storage and running digests of the node that was asked."""

    def __init__(self, known: Database, stored: Storage, digests: arriving.Digests) -> None:
        self.database = known
        self.storage = stored
        self.digests = digests

    def found(self, owner: str, id: str) -> uploads.Upload:
        """Return the caller's upload of this id."""
        with self.database.read() as connection:
            return uploads.found(connection, owner, id)

    def offset(self, upload: uploads.Upload) -> int:
        """Return how far an upload has come; one that is all there and was never proved (a crash) is proved now."""
        if upload.received:
            return upload.size
        path = self.storage.staged / upload.name
        at = arriving.offset(path)
        if at == upload.size:
            with self.storage.held(upload.name) as free:
                if not free:
                    raise locked()
                arriving.settled(path)
                self.finish(upload)
        return at

    def begin(self, upload: uploads.Upload, chunk: tus.Chunk) -> arriving.Arrival:
        """Return where a chunk goes; the caller holds the upload.

        Raises
        ------
        Problem
            409: the chunk begins elsewhere. 413: it would go beyond the end.
        """
        if uploads.is_stale(upload):
            with self.database.write() as connection:
                uploads.go_on(connection, upload)
        path = self.storage.staged / upload.name
        at = upload.size if upload.received else arriving.settled(path)
        if chunk.offset != at:
            headers = {**tus.SPOKEN, "Upload-Offset": str(at)}
            raise Problem(409, "Wrong offset", f"the upload has come to byte {at}, not {chunk.offset}", headers=headers)
        if chunk.length is not None and at + chunk.length > upload.size:
            raise arriving.overlong(upload.size)
        whole = self.digests.take(upload.id, at)
        return arriving.Arrival(path, chunk, size=upload.size, whole=whole)

    def interrupt(self, upload: uploads.Upload, arrival: arriving.Arrival) -> None:
        """Leave an upload as a cut connection may leave it."""
        arrival.interrupt()
        self.digests.put(upload.id, arrival.at, arrival.whole)

    def seal(self, upload: uploads.Upload, arrival: arriving.Arrival) -> int:
        """Let a chunk count and return how far the upload has come; after the last byte all of it is proved."""
        try:
            arrival.seal()
        except Problem:
            self.digests.put(upload.id, arrival.at, arrival.whole)
            raise
        if arrival.at < upload.size:
            self.digests.put(upload.id, arrival.at, arrival.whole)
        else:
            self.finish(upload, arrival.whole.hexdigest() if arrival.whole is not None else None)
        return arrival.at

    def finish(self, upload: uploads.Upload, digest: str | None = None) -> None:
        """Prove an upload that has all its bytes, and store it.

        Raises
        ------
        Problem
            460: the bytes are not those that were announced; the upload is gone.
        """
        path = self.storage.staged / upload.name
        path.touch()
        if (digest or arriving.digest_of(path)) != upload.sha256:
            with self.database.write() as connection:
                uploads.removed(connection, upload.id)
            arriving.forget(path)
            detail = "the whole is not what its sha256 says; the upload is gone: look at the file, then begin a new one"
            raise Problem(arriving.MISMATCH, "Checksum mismatch", detail, headers=tus.SPOKEN)
        with receiving.disk():
            self.storage.keep([(path, upload.sha256)])
        with self.database.write() as connection:
            uploads.finished(connection, self.storage, upload)


async def working(
    known: Annotated[Database, Depends(database)],
    stored: Annotated[Storage, Depends(storage)],
    digests: Annotated[arriving.Digests, Depends(arriving.digests)],
) -> Desk:
    """Return what an upload is worked on with (a FastAPI dependency)."""
    return Desk(known, stored, digests)


Working = Annotated[Desk, Depends(working)]


@router.options("/uploads", summary="What of tus is spoken here", status_code=204)
def options(settings: Settings) -> Response:
    """Say version, extensions and limits."""
    return Response(status_code=204, headers=tus.options(settings.upload_bytes))


@router.post("/uploads", summary="Begin an upload, or find the one that waits", status_code=201)
def create(request: Request, owner: Owner, settings: Settings, desk: Working) -> Response:
    """Create an upload for bytes that an ingest of the caller's waits for; 200 when it was begun before."""
    wanted = tus.wanted(request.headers, settings.upload_bytes)
    with desk.database.write() as connection:
        upload, new = uploads.opened(connection, owner, wanted)
    if upload.size == 0 and not upload.received:
        desk.finish(upload)
    root = settings.base_url or str(request.base_url).rstrip("/")
    headers = _told(upload, desk.offset(upload)) | {"Location": f"{root}/api/v1/uploads/{upload.id}"}
    return Response(status_code=201 if new else 200, headers=headers)


@router.head("/uploads/{id}", summary="How far an upload has come")
def offset(id: str, request: Request, owner: Owner, desk: Working) -> Response:
    """Say the offset at which the next byte goes."""
    tus.spoken(request.headers)
    upload = desk.found(owner, id)
    more = {"Upload-Length": str(upload.size), "Cache-Control": "no-store"}
    return Response(headers=_told(upload, desk.offset(upload)) | more)


@router.patch("/uploads/{id}", summary="Go on with an upload", status_code=204)
async def append(id: str, request: Request, owner: Owner, desk: Working) -> Response:
    """Append a chunk at the offset; with the last byte all of it is proved by its SHA-256 and stored."""
    chunk = tus.chunk(request.headers)
    upload = await run_in_threadpool(desk.found, owner, id)
    with desk.storage.held(upload.name) as free:
        if not free:
            raise locked()
        arrival = await run_in_threadpool(desk.begin, upload, chunk)
        try:
            await receiving.pump(request.stream(), arrival.take)
        except ClientDisconnect:
            await run_in_threadpool(desk.interrupt, upload, arrival)
            return Response(status_code=400)  # nobody is there to read it
        except BaseException:
            desk.interrupt(upload, arrival)
            raise
        at = await run_in_threadpool(desk.seal, upload, arrival)
    return Response(status_code=204, headers=_told(upload, at))


@router.delete("/uploads/{id}", summary="Give an upload up", status_code=204)
def terminate(id: str, request: Request, owner: Owner, desk: Working) -> Response:
    """Forget an upload and its bytes."""
    tus.spoken(request.headers)
    upload = desk.found(owner, id)
    with desk.storage.held(upload.name) as free:
        if not free:
            raise locked()
        with desk.database.write() as connection:
            uploads.removed(connection, upload.id)
        arriving.forget(desk.storage.staged / upload.name)
    return Response(status_code=204, headers=tus.SPOKEN)


def locked() -> Problem:
    """Return the problem of an upload that another request is writing to."""
    headers = {**tus.SPOKEN, "Retry-After": "1"}
    return Problem(
        423, "Locked", "another request is writing to this upload: ask again for its offset", headers=headers
    )


def _told(upload: uploads.Upload, at: int) -> dict[str, str]:
    return {**tus.SPOKEN, "Upload-Offset": str(at), "Upload-Expires": tus.expires(upload.expires_at)}
