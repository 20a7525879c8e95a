"""What of a file a request asks for (RFC 9110: Range, If-Range, If-None-Match), and what its answer says; pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class About:
    """The bytes: their digest in hex, and how many."""

    sha256: str
    size: int

    @property
    def etag(self) -> str:
        """The strong ETag: the digest."""
        return f'"{self.sha256}"'

    @property
    def headers(self) -> dict[str, str]:
        """What every answer says of the whole."""
        digest = base64.b64encode(bytes.fromhex(self.sha256)).decode()
        return {"ETag": self.etag, "Repr-Digest": f"sha-256=:{digest}:", "Accept-Ranges": "bytes"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answer: its status (200, 206, 304, 412 or 416), the bytes it holds, and the headers that go with them."""

    status: int
    first: int = 0
    length: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


def wanted(headers: Mapping[str, str], about: About) -> Wanted:
    """Return what is asked for. A range that is not understood, or several, are answered with the whole, as RFC 9110 allows."""
    if (match := headers.get("if-match")) is not None and not _names(match, about, weak=False):
        return Wanted(412)
    if (match := headers.get("if-none-match")) is not None and _names(match, about, weak=True):
        return Wanted(304)
    whole = Wanted(200, 0, about.size, {"Content-Length": str(about.size)})
    asked = headers.get("range")
    if asked is None or headers.get("if-range", about.etag) != about.etag:
        return whole
    found = RANGE.fullmatch(asked)
    if found is None or found[0].strip() == "bytes=-":
        return whole
    first, last = _span(found[1], found[2], about.size)
    if first > last:
        if found[1] and found[2] and int(found[1]) > int(found[2]):
            return whole  # no range at all
        return Wanted(416, headers={"Content-Range": f"bytes */{about.size}"})
    length = last - first + 1
    more = {"Content-Length": str(length), "Content-Range": f"bytes {first}-{last}/{about.size}"}
    return Wanted(206, first, length, more)


def _span(first: str, last: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a range; the first beyond the last where there is none."""
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else (size, size - 1)
    return int(first), min(int(last), size - 1) if last else size - 1


def _names(header: str, about: About, *, weak: bool) -> bool:
    tags = [each.strip() for each in header.split(",")]
    return tags == ["*"] or any((tag.removeprefix("W/") if weak else tag) == about.etag for tag in tags)


def media_type(said: str | None) -> str:
    """Return a media type that is safe to send; a page of somebody's never runs as one of ours."""
    return said if said and MEDIA_TYPE.fullmatch(said) and said.lower() not in ACTIVE else UNKNOWN


ACTIVE = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"})
"""What browsers run; it is sent as mere bytes."""


def disposition(name: str) -> str:
    """Return a ``Content-Disposition`` that saves under a name (RFC 6266); never more than a name."""
    last = re.split(r"[/\\]", name)[-1]
    plain = (
        "".join(each if each.isascii() and each.isprintable() and each not in '"%;' else "_" for each in last) or "_"
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"
