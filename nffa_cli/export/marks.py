"""What a file that nffa exported says of itself: enough to know it again. Knows nothing of NXem."""

from __future__ import annotations

import json
from typing import Any

FORMAT = "nxem"
"""How ``identify`` calls our exports, and what others make of the same kind."""
PLACE = "/entry1/nffa"


def read(path: str) -> dict[str, Any] | None:
    """Return ``acquisition``, ``digest``, ``key`` and ``missing`` of one of our exports; None for any other file."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            group = file[PLACE]
            found = {name: group[name][()] for name in ("acquisition", "digest", "key", "missing")}
            return {
                **{name: found[name].decode() for name in ("acquisition", "digest", "key")},
                "missing": json.loads(found["missing"]),
            }
    except (OSError, KeyError, ValueError, AttributeError, TypeError, RuntimeError):  # a foreign file may hold anything
        return None
