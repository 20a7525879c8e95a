"""The words of tus 1.0 (core, creation, checksum, termination, expiration): headers in, values or problems out. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime

from nffa_cli.node.moments import parsed
from nffa_cli.node.problems import Problem

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,termination,expiration"
MEDIA_TYPE = "application/offset+octet-stream"
SPOKEN = {"Tus-Resumable": VERSION}
"""In every answer to a client of tus."""
ALGORITHM = "sha256"
"""Of ``Upload-Checksum``."""
SHA256 = re.compile(r"[0-9a-f]{64}")
SIZE = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks to upload: the bytes of one digest for one ingest."""

    ingest: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a client says of the bytes it sends: where they begin, how many (None: it does not say), their SHA-256."""

    offset: int
    length: int | None
    digest: bytes | None


def options(largest: int) -> dict[str, str]:
    """Return the headers that say what is spoken here."""
    return {
        **SPOKEN,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(largest),
        "Tus-Checksum-Algorithm": ALGORITHM,
    }


def wanted(headers: Mapping[str, str], largest: int) -> Wanted:
    """Return what a creation asks for.

    Raises
    ------
    Problem
        412: another version of tus. 413: larger than ``largest`` bytes. 400: a header is missing or not as it should be.
    """
    spoken(headers)
    if "upload-defer-length" in headers:
        raise wrong("Upload-Defer-Length is not known here: the manifest of the ingest says the size")
    size = _number(headers, "Upload-Length")
    if size > largest:
        raise Problem(413, "Too large", f"an upload may have {largest} bytes", headers=SPOKEN)
    given = metadata(headers.get("upload-metadata", ""))
    if not given.get("ingest") or not SHA256.fullmatch(given.get("sha256", "")):
        raise wrong("Upload-Metadata must hold ingest (its id) and sha256 (64 lower-case hex digits)")
    return Wanted(given["ingest"], given["sha256"], size)


def chunk(headers: Mapping[str, str]) -> Chunk:
    """Return what is said of a chunk.

    Raises
    ------
    Problem
        412: another version of tus. 415: not ``MEDIA_TYPE``. 400: a header is missing or not as it should be.
    """
    spoken(headers)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Problem(415, "Wrong media type", f"the bytes of an upload come as {MEDIA_TYPE}", headers=SPOKEN)
    length = _number(headers, "Content-Length") if "content-length" in headers else None
    return Chunk(_number(headers, "Upload-Offset"), length, checksum(headers.get("upload-checksum")))


def checksum(text: str | None) -> bytes | None:
    """Return the digest that ``Upload-Checksum`` names; None: there is no such header.

    Raises
    ------
    Problem
        400: another algorithm, or not a digest of it.
    """
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm != ALGORITHM:
        raise wrong(f"Upload-Checksum: the algorithm must be {ALGORITHM}")
    digest = _decoded(value)
    if digest is None or len(digest) != 32:
        raise wrong("Upload-Checksum: not the base64 of a SHA-256 digest")
    return digest


def metadata(text: str) -> dict[str, str]:
    """Return what ``Upload-Metadata`` holds: ``name base64,name base64``; what is no UTF-8 is left out.

    Raises
    ------
    Problem
        400: it is not of that form.
    """
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, _, value = pair.partition(" ")
        data = _decoded(value)
        if data is None:
            raise wrong("Upload-Metadata: a value is not base64")
        try:
            found[name] = data.decode()
        except UnicodeDecodeError:
            continue
    return found


def spoken(headers: Mapping[str, str]) -> None:
    """Refuse who does not speak this version of tus.

    Raises
    ------
    Problem
        412.
    """
    if headers.get("tus-resumable") != VERSION:
        headers = {**SPOKEN, "Tus-Version": VERSION}
        raise Problem(412, "Wrong version of tus", f"send the header Tus-Resumable: {VERSION}", headers=headers)


def expires(moment: str) -> str:
    """Return a moment as ``Upload-Expires`` says it (RFC 9110)."""
    return format_datetime(parsed(moment), usegmt=True)


def wrong(detail: str) -> Problem:
    """Return the problem of a header that is not as it should be."""
    return Problem(400, "Bad request", detail, headers=SPOKEN)


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name.lower(), "")
    if not SIZE.fullmatch(text):
        raise wrong(f"{name} must be a whole number")
    return int(text)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
