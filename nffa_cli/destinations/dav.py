"""WebDAV as it is spoken (RFC 4918) and NextCloud's chunked uploads, version 2; knows no measurements.

A file appears under its name whole or not at all: it is sent under another name, or in chunks, and then moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

from nffa_cli.destinations.answers import Rejected
from nffa_cli.destinations.base import AssetFile
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.sources import Source
from nffa_cli.errors import Refused, Unreachable

CHUNK = 10 << 20
"""Bytes of a chunk; NextCloud takes 5 MB to 5 GB, and 10,000 of them."""
CHUNKS = 10_000
TRIES = 5
ASKED = (
    b'<?xml version="1.0"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:getcontentlength/>'
    b"<d:getetag/><d:resourcetype/><oc:checksums/></d:prop></d:propfind>"
)
_DAV = "{DAV:}"
_NEXTCLOUD = re.compile(r"(.*/remote\.php/dav)/files/([^/]+)(/.*)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a server says of a file or folder; ``sha256`` only where it keeps one."""

    path: str
    folder: bool
    size: int | None
    sha256: str | None


class Dav:
    """One folder on a server; all paths are below it, in plain characters with slashes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._root = unquote(urlsplit(connection.address).path).rstrip("/")
        self._made: set[str] = set()

    def url(self, path: str) -> str:
        """Return the whole address of a path."""
        return f"{self.connection.address}/{quote(path)}" if path else f"{self.connection.address}/"

    def listed(self, path: str, *, below: bool = False, at: str | None = None) -> dict[str, Entry] | None:
        """Return a file or folder, and with ``below`` what is in it, by path; None: it is not there."""
        head = {"Depth": "1" if below else "0", "Content-Type": "application/xml"}
        try:
            answer = self.connection.send(
                "PROPFIND", at or self.url(path), body=ASKED, headers=head, believed=lambda each: each.status == 207
            )
        except Rejected as error:
            if error.status in (404, 409):
                return None
            raise
        base = unquote(urlsplit(at).path).rstrip("/") if at else self._root
        return {each.path: each for each in _entries(answer.body, answer.where, base)}

    def entry(self, path: str) -> Entry | None:
        """Return one file or folder; None: it is not there."""
        found = self.listed(path)
        return next(iter(found.values()), None) if found else None

    def make_folders(self, path: str) -> None:
        """Make a folder and those above it, where they are not there."""
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            if folder and folder not in self._made:
                self._make(self.url(folder))
                self._made.add(folder)

    def put(self, path: str, asset: AssetFile, source: Source, *, overwrite: bool, note: Callable[[str], None]) -> bool:
        """Send a file and give it its name; False: another one has it and ``overwrite`` is not wished."""
        target = self.url(path)
        uploads = _uploads(self.connection.address)
        if uploads is not None and asset.size > CHUNK:
            note(f"nffa-{asset.sha256[:40]}")
            return self._in_chunks(f"{uploads}/nffa-{asset.sha256[:40]}", target, asset, source, overwrite=overwrite)
        folder, _, name = path.rpartition("/")
        growing = self.url(f"{folder}/.{name[:80]}.{asset.sha256[:16]}.part".lstrip("/"))
        head = {"OC-Checksum": f"SHA256:{asset.sha256}", "Content-Type": "application/octet-stream"}
        body = source.reader if asset.size else b""
        self.connection.send("PUT", growing, body=body, size=asset.size, headers=head, believed=_stored)
        source.check()
        return self._move(growing, target, asset.size, {}, overwrite=overwrite)

    def write(self, path: str, data: bytes) -> None:
        """Write a small file of our own, over an older one."""
        growing = self.url(f"{path}.part")
        self.connection.send("PUT", growing, body=data, believed=_stored)
        self._move(growing, self.url(path), len(data), {}, overwrite=True)

    def read(self, path: str) -> bytes | None:
        """Return a small file; None: it is not there."""
        try:
            return self.connection.send("GET", self.url(path)).body
        except Rejected as error:
            if error.status in (404, 409):
                return None
            raise

    def remove(self, path: str) -> None:
        """Remove a file or a folder with all that is in it, if it is there."""
        try:
            self.connection.send("DELETE", self.url(path))
        except Rejected as error:
            if error.status != 404:
                raise

    def _in_chunks(self, room: str, target: str, asset: AssetFile, source: Source, *, overwrite: bool) -> bool:
        """Send what is missing of the chunks and let the server put them together (NextCloud's chunking, version 2)."""
        chunk = max(CHUNK, -(-asset.size // CHUNKS))
        about = {"Destination": target, "OC-Total-Length": str(asset.size)}
        self._make(room, about)
        there = self.listed("", below=True, at=room) or {}
        sizes = {each.path: each.size for each in there.values()}
        for number, offset in enumerate(range(0, asset.size, chunk), 1):
            name, size = f"{number:05}", min(chunk, asset.size - offset)
            if sizes.get(name) != size:
                data = source.read_at(offset, size)
                self.connection.send("PUT", f"{room}/{name}", body=data, headers=about, believed=_stored)
        source.check()
        more = {**about, "OC-Checksum": f"SHA256:{asset.sha256}"}
        return self._move(f"{room}/.file", target, asset.size, more, overwrite=overwrite)

    def _make(self, address: str, headers: Mapping[str, str] | None = None) -> None:
        try:
            self.connection.send("MKCOL", address, headers=headers)
        except Rejected as error:
            if error.status != 405:  # it is there
                raise

    def _move(self, source: str, target: str, size: int, headers: Mapping[str, str], *, overwrite: bool) -> bool:
        """Move a file; an answer that got lost is found out by looking."""
        head = {**headers, "Destination": target, "Overwrite": "T" if overwrite else "F"}
        for tries in range(1, TRIES + 1):
            try:
                self.connection.send("MOVE", source, headers=head, again=False, believed=_stored)
                return True
            except Rejected as error:
                if error.status == 412 and not overwrite:
                    return tries > 1 and self._arrived(source, target, size)
                if error.status == 404 and tries > 1 and self._arrived(source, target, size):
                    return True
                raise
            except Unreachable:
                if tries == TRIES:
                    raise
                self.connection.rest(tries)
        return False

    def _arrived(self, source: str, target: str, size: int) -> bool:
        found = self.listed("", at=target)
        return bool(found) and next(iter((found or {}).values())).size == size and self.listed("", at=source) is None


def _stored(answer: object) -> bool:
    return getattr(answer, "status", 0) in (200, 201, 204) and not getattr(answer, "body", b"").startswith(b"{")


def _uploads(address: str) -> str | None:
    """Return where chunks go on a NextCloud; None: it is none, by its address."""
    found = _NEXTCLOUD.fullmatch(address)
    return None if found is None else f"{found[1]}/uploads/{found[2]}"


def _entries(body: bytes, where: str, root: str) -> list[Entry]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refused("the server's XML declares entities", where=where)
    try:
        tree = ElementTree.fromstring(body)  # noqa: S314 - without declarations there is nothing to expand
    except (ElementTree.ParseError, ValueError) as error:
        raise Refused("the server's XML is broken", where=where) from error
    found = []
    for response in tree.iter(f"{_DAV}response"):
        path = unquote(urlsplit(urljoin(where, response.findtext(f"{_DAV}href") or "")).path).rstrip("/")
        size = next((each.text or "" for each in response.iter(f"{_DAV}getcontentlength")), "")
        folder = any(True for _ in response.iter(f"{_DAV}collection"))
        sums = " ".join(each.text or "" for each in response.iter("{http://owncloud.org/ns}checksum"))
        digest = re.search(r"SHA256:([0-9a-fA-F]{64})\b", sums)
        if path == root or path.startswith(f"{root}/"):
            own = path[len(root) :].lstrip("/")
            found.append(
                Entry(own, folder, int(size) if size.isdecimal() else None, digest[1].lower() if digest else None)
            )
    return found
