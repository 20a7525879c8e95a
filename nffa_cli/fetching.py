"""Public picture sets brought to this PC: listed by their repository, resumed, each file verified; standard library only.

B2SHARE lists a record as JSON (``/api/records/ID``: ``files`` with ``key``, ``size``, ``checksum`` and ``links.files``). Its
checksums are MD5: they prove that nothing was lost, not who wrote it. This was never run against the live service; the
tests run it against a server of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from nffa_cli.downloading import Interrupted, Wanted, bring, part, size
from nffa_cli.errors import DiskError, NffaError, Unreachable, UsageError
from nffa_cli.progress import Reporter

REPOSITORY = "https://b2share.eudat.eu"
BLOCK = 1 << 20
SECONDS = 60.0
LISTING = 16 << 20
"""Most bytes that a record's description may have."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One published set; ``doi`` ends in the record's number."""

    name: str
    doi: str
    pictures: int
    about: str

    @property
    def record(self) -> str:
        """The number of the record in its repository."""
        return self.doi.rpartition("b2share.")[2]


DATASETS = (
    Dataset(
        "nffa-sem", "10.23728/b2share.80df8606fcdb4b2bae1656f0dc6db8ba", 21169,
        "NFFA-EUROPE, 100% SEM dataset as corrected in 2019, about 13.6 GB in tar files",
    ),
    Dataset(
        "nffa-sem-majority", "10.23728/b2share.72758204db9044ab8b3e6b6c4d2eb576", 21272,
        "NFFA-EUROPE, Majority SEM dataset as corrected in 2019",
    ),
)  # fmt: skip
"""Aversa et al., Sci Data 5:180172 (2018), and the correction, doi 10.1038/s41597-019-0007-8."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a set."""

    name: str
    size: int
    md5: str
    address: str


def dataset(name: str) -> Dataset:
    """Return a set of the table; raises UsageError for another name."""
    found = {each.name: each for each in DATASETS}
    if name not in found:
        raise UsageError(f"there is no dataset {name!r}", hint=f"one of: {', '.join(found)}")
    return found[name]


def fetch(wanted: Dataset, to: Path, reporter: Reporter, *, repository: str = REPOSITORY) -> list[Path]:
    """Download a set into ``to``, going on where an earlier run stopped, and return its files, each verified.

    Raises
    ------
    Unreachable
        The repository does not answer, or not what it should.
    DiskError
        There is not room enough.
    """
    listed = list(files(wanted, repository=repository))
    try:
        to.mkdir(parents=True, exist_ok=True)
        missing = [each for each in listed if not _is_there(to / each.name, each)]
        needed = sum(each.size for each in missing) - sum(size(part(to / each.name)) for each in missing)
        if needed > shutil.disk_usage(to).free:
            raise DiskError(f"{needed / 1e9:.1f} GB are needed and not free", where=str(to), hint="--to another disk")
        reporter.begin("downloading (MB)", sum(each.size for each in missing) // 1_000_000)
        for each in missing:
            _download(each, to / each.name, reporter)
        reporter.end()
    except OSError as error:
        raise DiskError(f"cannot write: {error.strerror}", where=str(error.filename or to)) from error
    return [to / each.name for each in listed]


def files(wanted: Dataset, *, repository: str = REPOSITORY) -> Iterator[File]:
    """Yield what a set consists of, as its repository lists it."""
    address = f"{repository}/api/records/{wanted.record}"
    try:
        record = json.loads(_listing(address))
        bucket = record["links"]["files"]
        for each in record["files"]:
            name, kind = str(each["key"]), str(each["checksum"]).partition(":")
            if (
                not re.fullmatch(r"[\w][\w .()%+-]{0,200}", name)
                or kind[0] != "md5"
                or not isinstance(each["size"], int)
            ):
                raise ValueError(f"a file {name[:80]!r} that is not described as it should be")
            yield File(name, each["size"], kind[2].lower(), f"{bucket}/{quote(name)}")
    except Interrupted as error:
        raise Unreachable(
            f"the repository cannot be reached ({error})", where=address, hint="try again later"
        ) from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        what = f"the record is not what was expected ({type(error).__name__}: {error})"
        raise Unreachable(what, where=address, hint=f"see https://doi.org/{wanted.doi} in a browser") from error


def _listing(address: str) -> bytes:
    """Return a record's description; raises Interrupted where it breaks off."""
    with _opened(address) as answer:
        try:
            data: bytes = answer.read(LISTING)
        except (OSError, HTTPException) as error:
            raise Interrupted(str(error)) from error
        if answer.length and len(data) < LISTING:
            raise Interrupted("it ended too early")
        return data


def unpack(archives: list[Path], to: Path) -> list[Path]:
    """Unpack tar files, each into a folder of its own name, and return the folders; links and paths outside are refused.

    The name is all but the suffix: ``SEM.L0.tar`` and ``SEM.L1.tar.gz`` are two categories, ``SEM.L0`` and ``SEM.L1``.
    """
    folders = []
    for path in archives:
        folder = to / path.stem.removesuffix(".tar")
        try:
            if not tarfile.is_tarfile(path):
                continue
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise NffaError(f"the archive cannot be unpacked ({error})", where=str(path)) from error
        folders.append(folder)
    return folders


def _download(wanted: File, target: Path, reporter: Reporter) -> None:
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        reporter.advance(max(0, done // 1_000_000 - told))
        told = max(told, done // 1_000_000)

    @contextmanager
    def opened(first: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        with _opened(wanted.address, first=first) as answer:
            begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
            yield int(begins[1]) if answer.status == 206 and begins else 0, _blocks(answer)

    whole = Wanted(wanted.address, wanted.size, "md5", wanted.md5)
    bring(whole, target, opened, growing=part(target), told=tell)


def _blocks(answer: Any) -> Iterator[bytes]:
    while True:
        try:
            block = answer.read(BLOCK)
        except (OSError, HTTPException) as error:
            raise Interrupted(str(error)) from error
        if not block:
            return
        yield block


def _is_there(path: Path, wanted: File) -> bool:
    """Tell whether a file is there whole; its name is given only to what was verified."""
    return path.is_file() and path.stat().st_size == wanted.size


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follows redirects to safe addresses only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Refuse to leave https."""
        _refuse_unsafe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_unsafe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        raise Unreachable("only https is fetched from", where=address)


def _opened(address: str, *, first: int = 0) -> Any:
    _refuse_unsafe(address)
    request = urllib.request.Request(address, headers={"Range": f"bytes={first}-"} if first else {})  # noqa: S310
    try:
        return urllib.request.build_opener(_Careful).open(request, timeout=SECONDS)
    except urllib.error.HTTPError as error:
        raise Unreachable(f"the repository answers {error.code} {error.reason}", where=address) from error
    except (OSError, HTTPException) as error:
        raise Interrupted(str(getattr(error, "reason", None) or error)) from error
