"""Resumable uploads by tus 1.0: the server's offset is the truth, it is asked for after every fault, never guessed.

Bytes flow from the file to the server; what came before a cut counts there. Where the server proves the whole in the end,
they are not hashed here once more, until it says that other bytes came: from then on each chunk carries a checksum, so that a
line that changes bytes costs a chunk and not the file. Where the upload lies is noted by the caller before the first byte
goes; integrity is proved by whoever owns the whole digest.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin

from nffa_cli.destinations.answers import Answer, Rejected, clean
from nffa_cli.destinations.http import Body, Connection
from nffa_cli.destinations.sources import Source
from nffa_cli.errors import Refused, Unreachable

CHUNK = 64 << 20
"""Bytes of a request: what a cut costs at most, where something on the way takes requests in whole."""
PROVED = 8 << 20
"""Bytes of a chunk with a checksum, which is held in memory, and counts as a whole or not at all."""
VERSION = {"Tus-Resumable": "1.0.0"}
GONE = frozenset({404, 410})
"""What a server says of an upload that is not there any more."""
MISPLACED = frozenset({409, 423})
"""The offset is another one, or another request still writes: ask again."""
MISMATCH = 460
MISMATCHES = 3
"""How often bytes may arrive as other bytes before something is wrong that trying does not mend."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an upload lies and how far it has come."""

    where: str
    offset: int


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be uploaded, and how.

    create
        Path at which uploads begin.
    metadata
        What the server is told of it.
    resume
        Where an earlier run left it; None: nowhere.
    checksum
        Whether each chunk is proved by its SHA-256 from the first on, and not only after other bytes came.
    """

    create: str
    metadata: Mapping[str, str]
    resume: str | None = None
    checksum: bool = True
    chunk: int = CHUNK


def send(connection: Connection, source: Source, upload: Upload, note: Callable[[str], None]) -> str:
    """Upload a source and return where it lies; ``note`` is told that before the first byte.

    Raises
    ------
    Unreachable
        No progress within the budget; the next run goes on there.
    Refused
        The server does not take it, or proves again and again that other bytes came.
    Changed
        The file changed meanwhile.
    """
    place = _resumed(connection, upload, source.size) or _created(connection, upload, source.size)
    note(place.where)
    where, offset = place.where, place.offset
    failures, mismatches, since = 0, 0, time.monotonic()
    while offset < source.size:
        body, size, head = _chunk(source, offset, upload, proved=upload.checksum or mismatches > 0)
        lost: Unreachable | None = None
        try:
            answer = connection.send("PATCH", where, body=body, size=size, headers=head, again=False, believed=_is_tus)
            source.check()
            if _offset(answer, source.size) == offset + size:
                offset, failures, since = offset + size, 0, time.monotonic()
                continue
        except Unreachable as error:
            lost = error
        except Rejected as error:
            if error.status == MISMATCH:
                source.prove()
                mismatches += 1
            if error.status not in MISPLACED | GONE | {MISMATCH} or mismatches >= MISMATCHES:
                raise
        failures += 1
        if time.monotonic() - since > connection.patience.budget:
            stays = Unreachable(
                f"the upload stays at {offset} of {source.size} bytes", where=where, hint="try again later"
            )
            raise lost or stays
        connection.rest(failures)
        found = _where_it_is(connection, where, source.size)
        if found is None:
            found = _created(connection, upload, source.size)
            note(found.where)
        elif found.offset > offset:
            failures, since = 0, time.monotonic()
        where, offset = found.where, found.offset
    return where


def _chunk(source: Source, offset: int, upload: Upload, *, proved: bool) -> tuple[Body, int, dict[str, str]]:
    """Return body, size and headers of the request with the bytes from ``offset``."""
    head = {**VERSION, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    if not proved:
        size = min(upload.chunk, source.size - offset)
        return partial(source.reader, offset, size), size, head
    block = source.read_at(offset, min(upload.chunk, PROVED))
    digest = base64.b64encode(hashlib.sha256(block).digest()).decode("ascii")
    return block, len(block), {**head, "Upload-Checksum": f"sha256 {digest}"}


def _resumed(connection: Connection, upload: Upload, size: int) -> Place | None:
    if upload.resume is None:
        return None
    try:
        return _where_it_is(connection, upload.resume, size)
    except Refused:  # noted for another server, or for other bytes
        return None


def _where_it_is(connection: Connection, where: str, size: int) -> Place | None:
    """Return how far an upload has come; None: it is not there any more."""
    try:
        answer = connection.send("HEAD", where, headers=VERSION, believed=_is_tus)
    except Rejected as error:
        if error.status in GONE:
            return None
        raise
    if answer.headers.get("Upload-Length", str(size)) != str(size):
        raise Refused("the upload that waits there is of another size", where=where)
    return Place(where, _offset(answer, size))


def _created(connection: Connection, upload: Upload, size: int) -> Place:
    pairs = (f"{name} {base64.b64encode(value.encode()).decode('ascii')}" for name, value in upload.metadata.items())
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": ",".join(pairs)}
    answer = connection.send(
        "POST", upload.create, headers=headers, body=b"", again=True, believed=_is_tus
    )  # twice: one idles
    location = answer.headers.get("Location")
    if not location:
        raise Refused("the server does not say where the upload lies", where=answer.where)
    where = connection.at(urljoin(answer.where, location))
    offset = _offset(answer, size) if "Upload-Offset" in answer.headers else 0
    return Place(where, offset)


def _is_tus(answer: Answer) -> bool:
    return "Tus-Resumable" in answer.headers


def _offset(answer: Answer, size: int) -> int:
    text = answer.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > size:
        raise Refused(f"the server gives no offset that can be ({clean(text, 40)!r})", where=answer.where)
    return int(text)
