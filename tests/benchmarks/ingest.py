"""What ``nffa ingest`` costs: many small files, files of 8 MB, of 2 GB, 10,000 of them, and a second run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import files, measure
from tests.benchmarks.measure import Run
from tests.benchmarks.scale import Scale

ROSETTA_LOOP = """
import importlib, os, sys
readers = {".dm3": "digitalmicrograph", ".dm4": "digitalmicrograph", ".ser": "tia", ".tif": "tiff"}
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        module = importlib.import_module("rsciio." + readers[os.path.splitext(name)[1]])
        module.file_reader(os.path.join(folder, name), lazy=True)
"""
NEXUSLIMS_LOOP = """
import json, logging, pathlib, sys, tempfile, time, warnings
warnings.simplefilter("ignore"); logging.disable()
from nexusLIMS.cli.extract import _generate_preview
from nexusLIMS.extractors import parse_metadata
paths, times, bad = json.loads(sys.argv[1]), [], 0
for path in map(pathlib.Path, paths):
    began = time.perf_counter()
    try:
        found, _ = parse_metadata(path, write_output=False, generate_preview=False)
        _generate_preview(path, preview_path=pathlib.Path(sys.argv[2], "preview.png"), overwrite=True)
    except Exception:
        bad += 1
    times.append(time.perf_counter() - began)
print(json.dumps([sum(times[4:]) / len(times[4:]), bad]))
"""
HASH_ALL = """
import hashlib, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            hashlib.file_digest(file, "sha256").hexdigest()
"""
STAT_WALK = """
import os, sys
def walk(folder):
    for entry in os.scandir(folder):
        walk(entry.path) if entry.is_dir() else entry.stat()
walk(sys.argv[1])
"""


def ingest(root: Path, home: Path, *, fresh: bool = True, jobs: int = 2, watch: bool = False) -> Run:
    """Ingest ``root`` into ``home``, made anew unless ``fresh`` is False; every file must come out well."""
    if fresh and home.exists():  # kept to the end: ext4 is slow to make files where thousands were just removed
        home.rename(home.with_name(f"{home.name}-{time.time_ns()}"))
    found = measure.run(measure.nffa("ingest", "--json", "--settle", 0, "--jobs", jobs, root), home=home, watch=watch)
    counts = json.loads(found.output.splitlines()[-1])["outcomes"]
    if set(counts) != ({"done"} if fresh else {"unchanged"}):
        raise RuntimeError(f"not all files came out well: {counts}")
    return found


def _ingests(root: Path, home: Path, **how: bool) -> Callable[[], Run]:
    return lambda: ingest(root, home, **how)  # type: ignore[arg-type]


def small(folder: Path, scale: Scale) -> None:
    """Small files with distinct contents, two workers, previews, start-up included, against the peers' loops."""
    root, home = folder / "small", folder / "home"
    paths = files.many(root, scale.small)
    found = measure.pairs(
        _ingests(root, home), lambda: measure.run(measure.python(ROSETTA_LOOP, root)), max(1, scale.rounds // 2 + 1)
    )
    each = [a.wall / len(paths) for a, _ in found]
    detail = (
        measure.milliseconds("per file", each)
        + measure.milliseconds("; RosettaSciIO", [b.wall / len(paths) for _, b in found])
        + measure.milliseconds("; CPU", [a.cpu / len(paths) for a, _ in found])
    )
    what = f"RosettaSciIO lazy loop / nffa ingest, {len(paths):,} small files"
    measure.show(what, [b.wall / a.wall for a, b in found], ">= 2", detail)
    floor = [measure.run(measure.python(HASH_ALL, root)) for _ in found]
    measure.show("nffa ingest / reading and hashing the small files",
                 [a.wall / c.wall for (a, _), c in zip(found, floor, strict=True)], "")  # fmt: skip
    what = "NexusLIMS metadata + preview / nffa ingest, per file"
    if scale.peer is None:
        print(f"{what:<58} not measured: NexusLIMS is absent (--peer PYTHON names one that has it)", flush=True)
        return
    some = json.dumps([str(path) for path in paths[:: max(1, len(paths) // scale.peer_files - 1)][: scale.peer_files]])
    seconds, bad = json.loads(
        measure.run([str(scale.peer), "-c", NEXUSLIMS_LOOP, some, str(folder)]).output.splitlines()[-1]
    )
    detail = (
        measure.milliseconds("NexusLIMS", [seconds])
        + f" a file without its start-up, {bad} of {scale.peer_files} failed"
    )
    measure.show(what, [seconds / one for one in each], ">= 20", detail)


def middle(folder: Path, scale: Scale) -> None:
    """Files of 8 MB, two workers, against one process that reads and hashes them."""
    root, home = folder / "middle", folder / "home"
    files.many(root, scale.middle, side=2048)
    found = measure.pairs(_ingests(root, home), lambda: measure.run(measure.python(HASH_ALL, root)), scale.rounds)
    detail = measure.milliseconds("wall", [a.wall for a, _ in found]) + measure.milliseconds(
        "; hash", [b.wall for _, b in found]
    )
    what = f"nffa ingest / hashing, {scale.middle} files of 8 MB"
    measure.show(what, [a.wall / b.wall for a, b in found], "<= 1.5", detail)


def big(folder: Path, scale: Scale) -> None:
    """One large file of each kind: time against hashing it, and the memory of all processes."""
    frames = max(1, round(scale.gigabytes * 1e9 / (2 * 4096 * 4096)))
    for kind in ("ser", "dm4", "tif"):
        root, home = folder / f"big-{kind}", folder / "home"
        root.mkdir(parents=True)
        files.write(root / f"stack.{kind}", frames=frames, side=4096, seed=1)
        found = measure.pairs(
            _ingests(root, home), lambda root=root: measure.run(measure.python(HASH_ALL, root)), scale.rounds
        )
        detail = measure.milliseconds("wall", [a.wall for a, _ in found]) + measure.milliseconds(
            "; hash", [b.wall for _, b in found]
        )
        what = f"nffa ingest / hashing, one {kind} of {scale.gigabytes:g} GB"
        measure.show(what, [a.wall / b.wall for a, b in found], "<= 1.2", detail)
        watched = ingest(root, home, watch=True)
        detail = f"all processes together; the largest one {watched.single:.0f} MB"
        measure.show(f"peak memory, one {kind} of {scale.gigabytes:g} GB", [watched.total], "<= 250", detail, unit="MB")
        shutil.rmtree(root)


def flat(folder: Path, scale: Scale) -> None:
    """Memory over many files against a tenth of them, the parent and the largest worker; then the second run."""
    peaks = []
    for count in (scale.flat // 10, scale.flat):
        root, home = folder / f"flat-{count}", folder / f"home-{count}"
        files.many(root, count, side=128)
        found = ingest(root, home, watch=True)
        parent, *others = found.peaks.values()
        peaks.append((parent, max(others, default=0.0), found.total))
    for n, who in enumerate(("parent", "largest worker", "all together")):
        few, lots = peaks[0][n], peaks[1][n]
        what = f"peak memory of {scale.flat:,} / {scale.flat // 10:,} files, {who}"
        measure.show(what, [lots / few], "<= 1.1", f"{lots:.0f} MB; {few:.0f} MB")
    again(folder / f"flat-{scale.flat}", folder / f"home-{scale.flat}", scale)


def again(root: Path, home: Path, scale: Scale) -> None:
    """A run with nothing due against a stat walk plus the start-up of ``nffa``, which is an ingest of an empty folder."""
    empty, nothing = root.parent / "empty", root.parent / "home-empty"
    empty.mkdir(exist_ok=True)
    ours, floors = [], []
    for n in range(scale.rounds + 1):
        a = ingest(root, home, fresh=False)
        walk = measure.run(measure.python(STAT_WALK, root))
        bare = measure.run(measure.python("pass"))
        start = measure.run(measure.nffa("ingest", "--json", empty), home=nothing)
        if n:
            ours.append(a.wall)
            floors.append(walk.wall - bare.wall + start.wall)
    detail = measure.milliseconds("wall", ours) + measure.milliseconds("; walk and start-up", floors)
    what = f"nffa ingest of {scale.flat:,} files, nothing due / stat walk"
    measure.show(what, [a / b for a, b in zip(ours, floors, strict=True)], "<= 3", detail)
