"""Ids: UUIDv7 (RFC 9562), which sort by the time they were made, within one process even strictly."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_turn = threading.Lock()
_last = 0


def new() -> str:
    """Return a new id: 48 bits of milliseconds, 12 bits that count on within one, 62 random bits."""
    global _last
    with _turn:
        ticks = time.time_ns() * 4096 // 1_000_000  # 1/4096 ms
        _last = ticks = max(ticks, _last + 1)
    head = (ticks >> 12) << 16 | 0x7000 | (ticks & 0xFFF)
    digits = f"{head << 64 | 0b10 << 62 | secrets.randbits(62):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_id(text: str) -> bool:
    """Tell whether a text is an id as ``new`` writes them."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
