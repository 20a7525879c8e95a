"""Embeddings as they travel: what a model sees in a picture, a vector of unit length in float16; pure, without numpy.

Whoever sends one and whoever takes one hold it to the same rule, ``fault``.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Mapping

LEAST, MOST = 8, 1024
"""Numbers that a vector may have; the shipped model gives 256."""
SLACK = 0.01
"""How far from 1 its length may be: float16 keeps three digits."""


def fault(vector: bytes) -> str | None:
    """Return what is wrong with the bytes of a vector (little-endian float16); None: nothing."""
    if len(vector) % 2 or not LEAST <= len(vector) // 2 <= MOST:
        return f"an embedding has {LEAST} to {MOST} numbers of two bytes"
    numbers = struct.unpack(f"<{len(vector) // 2}e", vector)
    if not all(map(math.isfinite, numbers)):
        return "an embedding holds numbers"
    if abs(math.hypot(*numbers) - 1) > SLACK:
        return "an embedding has the length 1"
    return None


def written(model: str, vector: bytes) -> dict[str, str] | None:
    """Return an embedding as it travels, with the SHA-256 of its model; None where there is something wrong with it."""
    if fault(vector) is not None:
        return None
    return {"model": model, "values": base64.b64encode(vector).decode("ascii")}


def values(text: str) -> bytes:
    """Return the bytes of a vector from Base64; raises ValueError that says what is wrong with them."""
    try:
        vector = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is no Base64") from None
    if (wrong := fault(vector)) is not None:
        raise ValueError(wrong)
    if base64.b64encode(vector).decode("ascii") != text:
        raise ValueError("this is no Base64 as it is written")
    return vector


def of(said: Mapping[str, str]) -> tuple[str, bytes]:
    """Return model and bytes of an embedding that was found good."""
    return said["model"], base64.b64decode(said["values"])
