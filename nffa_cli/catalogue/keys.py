"""What names an acquisition and a version of it: digests of a place and of contents; functions of texts only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256


def path_key(path: str) -> str:
    """Return the key of a file's place: the first 16 hex digits of the SHA-256 of its absolute path's bytes.

    Where the system does not tell ``A`` from ``a`` (Windows), neither does the key.
    """
    absolute = os.path.normcase(os.path.abspath(path))  # noqa: PTH100 (a link is a place of its own; runs 150,000 times)
    return sha256(os.fsencode(absolute)).hexdigest()[:16]


def content_digest(sha256s: Sequence[str]) -> str:
    """Return the digest of a version: main file's hash first, then the others in any order."""
    main, *others = sha256s
    return sha256(" ".join([main, *sorted(others)]).encode("ascii")).hexdigest()
