"""What ``nffa validate`` of one file costs in a fresh process, against ``pynx validate`` of pynxtools (NFFA_PYNX, or on PATH)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests import nxem_files
from tests.benchmarks import measure
from tests.benchmarks.scale import Scale


def command(folder: Path, scale: Scale) -> None:
    """Judge one good file with both, turn and turn about."""
    path = nxem_files.write(nxem_files.full(), folder / "good.nxs")
    ours = measure.nffa("validate", path)
    peer = os.environ.get("NFFA_PYNX") or shutil.which("pynx")
    if peer is None:
        runs = [measure.run(ours, home=folder) for _ in range(scale.rounds)]
        measure.show(
            "nffa validate one file (wall)", [each.wall for each in runs], "<= 0.35", "no pynx to compare", unit="s"
        )
        return
    found = measure.pairs(
        lambda: measure.run(ours, home=folder), lambda: measure.run([peer, "validate", str(path)]), scale.rounds
    )
    detail = measure.milliseconds("wall", [a.wall for a, _ in found]) + measure.milliseconds(
        "; pynx", [b.wall for _, b in found]
    )
    measure.show("pynx validate / nffa validate (wall)", [b.wall / a.wall for a, b in found], ">= 5", detail)
