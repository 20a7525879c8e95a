"""Records of other repositories as JSON: from a file's bytes, or from an https address of one that may be asked.

Which hosts may be asked is the caller's to say; ``guarded`` keeps to it. What a record means is the import crosswalks'.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from nffa_cli import guarded
from nffa_cli.crosswalk import incoming, taking
from nffa_cli.errors import UnreadableFile, UsageError

SYSTEMS: Mapping[str, str] = MappingProxyType(
    {"materialscloud.org": "materials-cloud", "zenodo.org": "zenodo", "b2share.eudat.eu": "b2share"}
)
"""Host, with all below it → what the records there are called."""
HOSTS = tuple(SYSTEMS)
"""Repositories whose records may be fetched where nothing else is said."""
DEEPEST = 60
"""Levels of a record, and"""
LARGEST = 2**64
"""its whole numbers: more no node takes."""
MOST = 500_000
"""Values of a record: one of ten thousand files has a fifth of that."""
ACCEPT = "application/vnd.inveniordm.v1+json, application/json;q=0.8"
_PAGE = re.compile(r"(https://[^/?#]+)/(?:record|records|deposit)/([A-Za-z0-9._-]+)/?")
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")

Fetch = Callable[[str, Iterable[str]], bytes]
"""What asks an address, of one of these hosts."""


def fetch(address: str, hosts: Iterable[str], *, ask: Callable[..., bytes] = guarded.document) -> bytes:
    """Return what is at the address of a record; that of its page is taken for the record.

    Parameters
    ----------
    ask
        ``guarded.document``, except in tests.

    Raises
    ------
    UsageError, Unreachable
        As ``guarded.document``.
    """
    page = _PAGE.fullmatch(address)
    return ask(f"{page[1]}/api/records/{page[2]}" if page else address, hosts, accept=ACCEPT)


def system_of(address: str) -> str | None:
    """Return what the records of an address's host are called; None: nobody has named them."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    return next((name for each, name in SYSTEMS.items() if host == each or host.endswith(f".{each}")), None)


def parsed(data: bytes, where: str) -> Mapping[str, Any]:
    """Return the record that some bytes are; ``where`` is for the errors.

    Raises
    ------
    UnreadableFile
        They are no JSON object of at most 5 MiB.
    """
    if len(data) > guarded.LARGEST:
        raise UnreadableFile(f"has more than {guarded.LARGEST >> 20} MiB", code="too-large", where=where)
    try:
        entry = json.loads(data, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except _TooLarge as error:
        raise UnreadableFile("holds a number beyond all measure", code="no-json", where=where) from error
    except (ValueError, RecursionError) as error:
        hint = "the record's JSON is wanted: its export, or its page's address"
        raise UnreadableFile("is no JSON", code="no-json", where=where, hint=hint) from error
    if not isinstance(entry, dict):
        raise UnreadableFile("is no JSON object", code="no-json", where=where)
    try:
        return _clean(entry, 0, iter(range(MOST)))  # type: ignore[no-any-return]
    except RecursionError as error:
        raise UnreadableFile("is nested too deeply", code="no-json", where=where) from error
    except _TooLarge as error:
        raise UnreadableFile(f"holds more than {MOST:,} values", code="too-large", where=where) from error


def taken(entry: Mapping[str, Any], where: str, folder: Path, system: str | None = None) -> taking.Taken:
    """Return a record as the crosswalk of its dialect takes it.

    Parameters
    ----------
    folder
        The crosswalks.
    system
        Whose record it is said to be; None: whoever's dialect it is.

    Raises
    ------
    UsageError
        There is no such system.
    UnreadableFile
        It is of no dialect of the system's, or does not say which record it is.
    """
    known = incoming.of_system(system, folder) if system else [incoming.load(path) for path in incoming.files(folder)]
    if not known:
        names = ", ".join(incoming.systems(folder))
        raise UsageError(f"records of {system!r} cannot be imported", hint=f"one of {names}")
    for crosswalk in known:
        if taking.recognised(crosswalk, entry):
            found = taking.take(crosswalk, entry)
            if found is None:
                raise UnreadableFile("does not say which record it is", code="no-identity", where=where)
            return found
    dialects = " or ".join(each.dialect for each in known)
    raise UnreadableFile(f"is no {dialects}", code="unknown-dialect", where=where, hint="nffa crosswalk list")


class _TooLarge(ValueError):
    """A number that no database keeps, or too many values."""


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _finite(digits: str) -> float:
    if not math.isfinite(found := float(digits)):
        raise _TooLarge
    return found


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(found := int(digits)) >= LARGEST:
        raise _TooLarge
    return found


def _clean(value: Any, depth: int, budget: Iterator[int]) -> Any:
    """Return JSON in which every text is valid Unicode without NUL, as every database can hold it."""
    if depth > DEEPEST:
        raise RecursionError
    if next(budget, None) is None:
        raise _TooLarge
    if isinstance(value, str):
        return _FORBIDDEN.sub("�", value)
    if isinstance(value, dict):
        return {_FORBIDDEN.sub("�", key): _clean(item, depth + 1, budget) for key, item in value.items()}
    return [_clean(item, depth + 1, budget) for item in value] if isinstance(value, list) else value
