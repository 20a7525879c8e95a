"""Resumable uploads by tus 1.0: the server's offset is the truth, it is asked for after every fault, never guessed.

A chunk carries a checksum where the server can prove it, so that a fault costs one chunk at most: its own, or, where the
server says that it knows that (nffa's node does), that of all bytes up to its end, which is one pass over the bytes for the
server, and not two. Where the upload lies is noted by the caller before the first byte goes; integrity is proved by whoever
owns the whole digest.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urljoin

from nffa_cli.destinations.answers import Answer, Rejected, clean
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.sources import Source
from nffa_cli.errors import Refused, Unreachable

CHUNK = 8 << 20
"""Bytes of a chunk: what a cut costs at most. Twice as many made uploads no faster."""
VERSION = {"Tus-Resumable": "1.0.0"}
GONE = frozenset({404, 410})
"""What a server says of an upload that is not there any more."""
MISPLACED = frozenset({409, 423})
"""The offset is another one, or another request still writes: ask again."""
SO_FAR = "sha256-so-far"
"""An algorithm of nffa's node (docs/idrp.md)."""
MISMATCH = 460
MISMATCHES = 3
"""How often bytes may arrive as other bytes before something is wrong that trying does not mend."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an upload lies and how far it has come; ``so_far``: the server proves chunks by ``SO_FAR``."""

    where: str
    offset: int
    so_far: bool


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
        Whether the server proves each chunk by its SHA-256.
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
    with ThreadPoolExecutor(1) as reading:
        return _sent(connection, Chunks(source, upload, reading, so_far=place.so_far), upload, note, place)


def _sent(connection: Connection, chunks: Chunks, upload: Upload, note: Callable[[str], None], place: Place) -> str:
    """Send what has not come yet, to the end."""
    source, failures, mismatches, since = chunks.source, 0, 0, time.monotonic()
    where, offset = place.where, place.offset
    while offset < source.size:
        block, head = chunks.at(offset)
        lost: Unreachable | None = None
        try:
            answer = connection.send("PATCH", where, body=block, headers=head, again=False, believed=_is_tus)
            source.check()
            if _offset(answer, source.size) == offset + len(block):
                offset, failures, since = offset + len(block), 0, time.monotonic()
                continue
        except Unreachable as error:
            lost = error
        except Rejected as error:
            if error.status == MISMATCH:
                chunks.prove()
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


class Chunks:
    """Chunks with their headers; while one is sent the next is read and hashed. Only the one reader touches the source."""

    def __init__(self, source: Source, upload: Upload, reading: ThreadPoolExecutor, *, so_far: bool) -> None:
        self.source = source
        self._so_far = so_far
        self._running: dict[int, hashlib._Hash] = {}
        self._upload = upload
        self._reading = reading
        self._next: tuple[int, Future[tuple[bytes, dict[str, str]]]] | None = None

    def at(self, offset: int) -> tuple[bytes, dict[str, str]]:
        """Return the chunk that begins at ``offset``; what was read ahead of another place is dropped."""
        ahead = self._next
        future = ahead[1] if ahead and ahead[0] == offset else self._reading.submit(self._read, offset)
        block, head = future.result()
        after = offset + len(block)
        self._next = (after, self._reading.submit(self._read, after)) if after < self.source.size else None
        return block, head

    def prove(self) -> None:
        """See ``Source.prove``."""
        self._reading.submit(self.source.prove).result()

    def _read(self, offset: int) -> tuple[bytes, dict[str, str]]:
        block = self.source.read_at(offset, self._upload.chunk)
        headers = {**VERSION, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        if self._upload.checksum:
            algorithm, digest = self._proof(block, offset)
            headers["Upload-Checksum"] = f"{algorithm} {base64.b64encode(digest).decode('ascii')}"
        return block, headers

    def _proof(self, block: bytes, offset: int) -> tuple[str, bytes]:
        """Return algorithm and digest of a chunk: of all up to its end where that is known and wanted, else its own.

        What came before an upload that another run began is not read for that.
        """
        before = hashlib.sha256() if not offset else self._running.get(offset)
        if before is None or not self._so_far:
            return "sha256", hashlib.sha256(block).digest()
        running = before.copy()
        running.update(block)
        kept = {at: each for at, each in self._running.items() if offset - self._upload.chunk <= at <= offset}
        self._running = {**kept, offset + len(block): running}  # the chunk before may have to be sent once more
        return SO_FAR, running.digest()


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
    return Place(where, _offset(answer, size), _knows_so_far(answer))


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
    return Place(where, offset, _knows_so_far(answer))


def _knows_so_far(answer: Answer) -> bool:
    return SO_FAR in map(str.strip, answer.headers.get("Tus-Checksum-Algorithm", "").split(","))


def _is_tus(answer: Answer) -> bool:
    return "Tus-Resumable" in answer.headers


def _offset(answer: Answer, size: int) -> int:
    text = answer.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > size:
        raise Refused(f"the server gives no offset that can be ({clean(text, 40)!r})", where=answer.where)
    return int(text)
