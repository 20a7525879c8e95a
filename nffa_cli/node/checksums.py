"""Digests as records say them. Bytes that are kept have a SHA-256; of bytes elsewhere it is what their archive says.

The length of a digest names its algorithm, so that one column holds them all.
"""

from __future__ import annotations

from collections.abc import Mapping

LENGTHS: Mapping[str, int] = {"sha-256": 64, "md5": 32, "sha-1": 40, "sha-512": 128}
"""Algorithm → hexadecimal digits of its digests."""
_NAMES = {length: name for name, length in LENGTHS.items()}


def said(digest: str) -> dict[str, str]:
    """Return a digest in hex as a record has it."""
    return {"algorithm": _NAMES[len(digest)], "value": digest}
