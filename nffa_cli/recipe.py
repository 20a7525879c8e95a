"""What an export depends on beside the source's bytes, as a digest; light, since the parent asks it of every acquisition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nffa_cli import __version__, extract
from nffa_cli.crosswalk import digests

VERSION = "1"
"""Changes when the same record makes another file, so that what was exported before becomes due again."""


def of(format_: str, context: Mapping[str, Any], compression: str) -> str:
    """Return a digest of all that an export depends on beside the source's bytes."""
    folder = Path(context["crosswalks"])
    inward, shape = _knowledge(str(folder))
    parts = [VERSION, __version__, extract.VERSION, inward.get(format_), shape, context["digest"], compression]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def _knowledge(folder: str) -> tuple[Mapping[str, str], str]:
    outside = (Path(folder) / "outward" / "nxem.yaml").read_bytes()
    return digests.by_format(Path(folder)), hashlib.sha256(outside).hexdigest()
