"""What it costs to start: ``nffa --help`` against a bare Click group, ``nffa inspect`` of one DM3 against hashing it."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import files, measure
from tests.benchmarks.scale import Scale

CLICK = """
import click
root = click.Group("bare", help="A group with four commands.")
for name in ("one", "two", "three", "four"):
    root.add_command(click.Command(name, callback=lambda: None, help=f"Command {name}."))
root(["--help"])
"""
HASH = "import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256').hexdigest())"
ROSETTA = """
import json, sys
from rsciio.digitalmicrograph import file_reader
found = file_reader(sys.argv[1], lazy=True)
print(json.dumps(found[0]["original_metadata"], default=str)[:100])
"""


def help_text(folder: Path, scale: Scale) -> None:
    """``nffa --help`` and ``--version``: CPU, since that is what a user's every call pays."""
    for flag in ("--help", "--version"):
        found = measure.pairs(
            lambda flag=flag: measure.run(measure.nffa(flag), home=folder),
            lambda: measure.run(measure.python(CLICK)),
            scale.rounds * 3,
        )
        detail = measure.milliseconds("CPU", [a.cpu for a, _ in found]) + measure.milliseconds(
            "; Click", [b.cpu for _, b in found]
        )
        measure.show(f"nffa {flag} / bare Click group", [a.cpu / b.cpu for a, b in found], "<= 1.3", detail)


def inspect(folder: Path, scale: Scale) -> None:
    """One DM3 in a fresh process, against hashing it in a fresh Python and against a bare RosettaSciIO call."""
    path = folder / "one.dm3"
    files.write(path, side=256, seed=1)
    ours, floor, peer = [], [], []
    for n in range(scale.rounds * 2 + 1):
        a = measure.run(measure.nffa("inspect", "--json", path), home=folder)
        b = measure.run(measure.python(HASH, path))
        c = measure.run(measure.python(ROSETTA, path))
        if n:
            ours.append(a)
            floor.append(b)
            peer.append(c)
    detail = (
        measure.milliseconds("wall", [a.wall for a in ours])
        + measure.milliseconds("; hash", [b.wall for b in floor])
        + measure.milliseconds("; CPU", [a.cpu for a in ours])
        + measure.milliseconds(", hash", [b.cpu for b in floor])
    )
    measure.show("nffa inspect --json one.dm3 / hashing it (wall)", _ratios(ours, floor), "<= 10", detail)
    measure.show("RosettaSciIO lazy one.dm3 / nffa inspect (wall)", _ratios(peer, ours), "",
                 measure.milliseconds("RosettaSciIO", [c.wall for c in peer]))  # fmt: skip


def _ratios(ours: list[measure.Run], others: list[measure.Run]) -> list[float]:
    return [a.wall / b.wall for a, b in zip(ours, others, strict=True)]
