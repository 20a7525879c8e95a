"""Is an acquisition complete, or still being written? Pure decisions on sizes, times and what a reader found.

Two clocks matter. A file *settles*: nobody changed it for some seconds. And there is *patience*: how long something that
is incomplete by its format (a missing partner, missing bytes) may still be on its way before it counts as damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nffa_cli.records import FileStamp, RawMetadata

SETTLE_SECONDS = 10.0
"""Default time without a change after which a file counts as written."""
PATIENCE_SECONDS = 600.0
"""How long a partner or missing bytes are waited for."""

INCOMPLETE = {"truncated", "zero-tail", "empty"}
"""Faults that a file still being written shows too."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """ready, waiting or damaged, and why."""

    state: Literal["ready", "waiting", "damaged"]
    reason: str | None = None


def age(files: Sequence[FileStamp], now: float) -> float:
    """Return the seconds since the youngest file changed; a time in the future counts as just now."""
    youngest = max(stamp.mtime_ns for stamp in files) / 1e9
    return max(0.0, now - youngest)


def settled(files: Sequence[FileStamp], now: float, settle: float, *, still_since: float | None = None) -> bool:
    """Tell whether nobody has touched the files for ``settle`` seconds.

    ``still_since``: when this program first saw exactly these sizes and times; it counts where the instrument's clock is
    ahead of ours.
    """
    if settle <= 0 or age(files, now) >= settle:
        return True
    return still_since is not None and now - still_since >= settle


def judge(raw: RawMetadata, size: int, *, partner_missing: str | None, age: float, patience: float) -> Readiness:
    """Decide by format whether what was read is all there is.

    Parameters
    ----------
    raw
        What the reader found.
    size
        Bytes of the main file.
    partner_missing
        The kind of partner that should lie beside it and does not.
    age
        Seconds since the last change.
    patience
        Seconds to wait for what is missing; 0: decide at once.
    """
    young = age < patience
    if raw.needs is not None and raw.needs > size:
        return incomplete("truncated", f"{raw.needs - size} of {raw.needs} bytes are missing", young=young)
    for fault in raw.faults:
        if fault.code in INCOMPLETE:
            return incomplete(fault.code, fault.detail, young=young)
    if raw.faults:
        return Readiness("damaged", f"{raw.faults[0].code}: {raw.faults[0].detail}")
    if partner_missing and young:
        return Readiness("waiting", f"partner-missing: no {partner_missing} beside it yet")
    return Readiness("ready")


def incomplete(code: str, detail: str, *, young: bool) -> Readiness:
    """Something is missing: it may still come while the file is young, and is lost when it is not."""
    return Readiness("waiting" if young else "damaged", f"{code}: {detail}")
