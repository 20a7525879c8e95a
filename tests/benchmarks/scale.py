"""How much is measured: the whole, or a tiny part of each benchmark that shows only that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scale:
    """Counts and sizes; ``peer``: a Python in whose environment NexusLIMS is installed."""

    rounds: int = 5
    small: int = 1_000
    middle: int = 200
    gigabytes: float = 2.0
    flat: int = 10_000
    records: int = 150_000
    peer_files: int = 48
    export_files: int = 48
    side: int = 4096
    pictures: int = 2_000
    reported: int = 500
    peer: Path | None = None


SMOKE = Scale(
    rounds=1,
    small=40,
    middle=4,
    gigabytes=0.04,
    flat=200,
    records=2_000,
    peer_files=0,
    export_files=2,
    side=512,
    pictures=30,
    reported=24,
)
