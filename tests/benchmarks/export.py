"""What ``nffa export-nexus`` costs: the writer against h5py alone and against a raw copy, the command against pynxtools."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np

from nffa_cli import layouts
from nffa_cli.export import chunks, hdf5, packing, sink
from nffa_cli.export.tree import Samples
from nffa_cli.records import Layout, Signal
from tests.benchmarks import files, measure
from tests.benchmarks.scale import Scale

PYNX_LOOP = """
import contextlib, io, json, pathlib, sys, time
import psutil
from pynxtools.dataconverter.convert import convert
times, held, bad = [], [], 0
for number, path in enumerate(json.loads(sys.argv[1])):
    began = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            convert(input_file=(path, sys.argv[2]), reader="em", nxdl="NXem", output=f"{sys.argv[3]}/{number}.nxs")
    except Exception:
        bad += 1
    times.append(time.perf_counter() - began)
    held.append(psutil.Process().memory_info().rss / 1e6)
print()
print(json.dumps([sum(times[2:]) / len(times[2:]), (held[-1] - held[1]) / (len(held) - 2), bad]))
"""
PYNX_FILES = 10
"""Enough to know what a file costs it; all 48 take it minutes."""


def writer(folder: Path, scale: Scale) -> None:
    """An image through the writer against h5py alone, a stack against a copy of the file, and 600 vendor tags."""
    image = micrograph(scale.side)
    tree = {"g": {"real": Samples(0, image.shape, "uint16")}}
    chunk = chunks.chunk_shape(image.shape, 2, spectra=False)
    for name in chunks.COMPRESSIONS:
        if (how := _h5py(name, chunk)) is None:
            continue
        ours, peer = folder / "ours.nxs", folder / "peer.nxs"

        def write(name: str = name, ours: Path = ours) -> None:
            ours.unlink(missing_ok=True)
            hdf5.write(tree, ours, read=lambda _, picks: image[picks], compression=name)

        def alone(how: dict[str, object] = how, peer: Path = peer) -> None:
            peer.unlink(missing_ok=True)
            with h5py.File(peer, "w") as file:
                file.create_dataset("g/real", data=image, **how)

        with _no_fsync():  # which h5py leaves out
            found = _in_turn(write, alone, scale.rounds)
        packed = (
            f", packed {image.nbytes / ours.stat().st_size:.2f} times (h5py {image.nbytes / peer.stat().st_size:.2f})"
        )
        what = f"write / h5py alone, {scale.side} x {scale.side} uint16, {name}"
        measure.show(what, [a / b for a, b in found], "<= 1.3", _both(found, "h5py") + packed)
    _contiguous(folder, scale, image)
    _tags(folder, scale)


def micrograph(side: int) -> np.ndarray:
    """Return slow waves with shot noise: they pack like a micrograph and look like nothing."""
    chance = np.random.default_rng(1)
    across = np.sin(np.arange(side) / 60)
    return np.stack([chance.poisson(2000 + 1200 * across * np.cos(y / 45)) for y in range(side)]).astype(np.uint16)


def _h5py(name: str, chunk: tuple[int, ...]) -> dict[str, object] | None:
    """Return what h5py must be told to write as we do; None where the filter is not installed."""
    if name == "none":
        return {}
    how: dict[str, object] = {"chunks": chunk, "shuffle": name in chunks.SHUFFLED}
    if plugin := chunks.COMPRESSIONS[name].plugin:
        if find_spec("hdf5plugin") is None:
            return None
        import hdf5plugin

        return how | dict(getattr(hdf5plugin, plugin[0])(**plugin[1]))
    return how | (
        {"compression": "gzip", "compression_opts": packing.LEVEL} if name == "gzip" else {"compression": name}
    )


def _contiguous(folder: Path, scale: Scale, image: np.ndarray) -> None:
    """A stack of 300 MB from a file of nothing but samples, against copying that file; with and without fsync."""
    raw, copy, ours = folder / "stack.raw", folder / "copy.raw", folder / "stack.nxs"
    with raw.open("wb") as file:
        for _ in range(8):
            image.tofile(file)
    shape = (8, *image.shape)
    signal = Signal(None, "stack", shape, "uint16", (), Layout(str(raw), "raw", "<u2", (0,)))

    def write() -> None:
        ours.unlink(missing_ok=True)
        with layouts.opened(signal, None) as source:
            hdf5.write(
                {"real": Samples(0, shape, "uint16")}, ours, read=lambda _, p: source.read(p), compression="none"
            )

    def copied() -> None:
        copy.unlink(missing_ok=True)
        shutil.copyfile(raw, copy)

    def copied_for_good() -> None:
        copied()
        with copy.open("r+b") as file:
            os.fsync(file.fileno())

    size = f"{raw.stat().st_size / 1e6:.0f} MB"
    found = _in_turn(write, copied_for_good, scale.rounds)
    measure.show(
        f"contiguous {size} / raw copy, both with fsync", [a / b for a, b in found], "<= 2", _both(found, "copy")
    )
    with _no_fsync():
        found = _in_turn(write, copied, scale.rounds)
    measure.show(
        f"contiguous {size} / raw copy, both without fsync", [a / b for a, b in found], "<= 2", _both(found, "copy")
    )


def _tags(folder: Path, scale: Scale) -> None:
    """600 small fields in 30 groups, against h5py's own way to write them."""
    tags = {f"Group {n}": {f"Parameter {m}": f"value {m}" if m % 3 else m * 1.5 for m in range(20)} for n in range(30)}

    def alone() -> None:
        with h5py.File(folder / "peer.nxs", "w", track_order=True) as file:
            for name, group in tags.items():
                made = file.create_group(name, track_order=True)
                for field, value in group.items():
                    made[field] = value

    def refuse(*_: object) -> np.ndarray:
        raise AssertionError("there are no samples")

    found = _in_turn(lambda: hdf5.write(tags, folder / "ours.nxs", read=refuse), alone, scale.rounds)
    measure.show("write / h5py alone, 600 vendor tags", [a / b for a, b in found], "", _both(found, "h5py"))


@contextmanager
def _no_fsync():
    """Leave the disk's own pace out."""
    real, sink._sync = sink._sync, lambda file: None
    try:
        yield
    finally:
        sink._sync = real


def _in_turn(ours: Callable[[], None], floor: Callable[[], None], rounds: int) -> list[tuple[float, float]]:
    def seconds(work: Callable[[], None]) -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    seconds(floor), seconds(ours)
    return [(seconds(ours), seconds(floor)) for _ in range(rounds)]


def _both(found: list[tuple[float, float]], other: str) -> str:
    return measure.milliseconds("ours", [a for a, _ in found]) + measure.milliseconds(
        f"; {other}", [b for _, b in found]
    )


def command(folder: Path, scale: Scale) -> None:
    """The command: memory of a large stack, one DM3 in a fresh process and 48 in one go, against pynxtools."""
    frames = max(1, round(scale.gigabytes * 1e9 / (2 * scale.side * scale.side)))
    big = folder / "stack.ser"
    files.write(big, frames=frames, side=scale.side, seed=1)
    for compression in ("gzip", "none"):
        found = _export(folder, big, folder / "big.nxs", compression=compression, watch=True)
        what = f"peak memory, export of {scale.gigabytes:g} GB, {compression}"
        detail = f"all processes together; the largest one {found.single:.0f} MB; {found.wall:.1f} s"
        measure.show(what, [found.total], "<= 400", detail, unit="MB")
        (folder / "big.nxs").unlink()
    big.unlink()
    paths = files.many(folder / "many", scale.export_files, side=256, kinds=("dm3",))
    ours = [_export(folder, paths[0], folder / "one.nxs", watch=True) for _ in range(scale.rounds)]
    several = [_export(folder, folder / "many", folder / "out", watch=True) for _ in range(max(1, scale.rounds // 2))]
    each = [run.wall / len(paths) for run in several]
    detail = f"one alone {ours[0].total:.0f} MB; {len(paths)} files {several[0].total:.0f} MB; " + measure.milliseconds(
        "a file", each
    )
    what = f"peak memory, {len(paths)} files / one"
    measure.show(what, [many.total / one.total for many, one in zip(several, ours, strict=False)], "<= 1.1", detail)
    _against_pynx(folder, scale, paths, ours, each)


def _export(folder: Path, source: Path, target: Path, *, compression: str = "gzip", watch: bool = False) -> measure.Run:
    """Export anew; files that lack what NXem requires are what these are, so status 3 is well done."""
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    how = ["--json", "--compression", compression, "-o", target]
    found = measure.run(measure.nffa("export-nexus", *how, source), home=folder / "home", watch=watch, good=(0, 3))
    counts = json.loads(found.output.splitlines()[-1])["outcomes"]
    if set(counts) != {"done"}:
        raise RuntimeError(f"not all files came out well: {counts}")
    return found


def _against_pynx(folder: Path, scale: Scale, paths: list[Path], ours: list[measure.Run], each: list[float]) -> None:
    pynx = os.environ.get("NFFA_PYNX") or shutil.which("pynx")
    if not pynx or not scale.peer_files:
        print(f"{'pynx convert / nffa export-nexus':<58} not measured: NFFA_PYNX names a pynx that has pynxtools-em")
        return
    empty = folder / "eln.yaml"
    empty.write_text("em_lab: {}\n")
    convert = [pynx, "convert", str(paths[0]), str(empty), "--reader", "em", "--nxdl", "NXem"]
    convert += ["--output", str(folder / "peer.nxs")]
    measure.run(convert)
    peer = [measure.run(convert, watch=True) for _ in ours]
    detail = measure.milliseconds("ours", [a.wall for a in ours]) + measure.milliseconds(
        "; pynx", [b.wall for b in peer]
    )
    detail += measure.milliseconds("; CPU", [a.cpu for a in ours]) + measure.milliseconds(
        ", pynx", [b.cpu for b in peer]
    )
    what = "pynx convert / nffa export-nexus, one dm3, fresh process"
    measure.show(what, [b.wall / a.wall for a, b in zip(ours, peer, strict=True)], ">= 8", detail)
    detail = f"ours {ours[0].total:.0f} MB; pynx {peer[0].total:.0f} MB"
    measure.show("memory, nffa export-nexus / pynx convert",
                 [a.total / b.total for a, b in zip(ours, peer, strict=True)], "<= 0.5", detail)  # fmt: skip
    some = json.dumps([str(path) for path in paths[:PYNX_FILES]])
    loop = [str(Path(pynx).with_name("python")), "-c", PYNX_LOOP, some, str(empty), str(folder)]
    seconds, growth, bad = json.loads(measure.run(loop).output.splitlines()[-1])
    detail = measure.milliseconds("pynxtools", [seconds]) + measure.milliseconds("; ours", each)
    detail += f"; pynxtools without its start-up, {growth:+.1f} MB a file, {bad} of {PYNX_FILES} failed"
    what = f"pynxtools in a loop / nffa export-nexus of {len(paths)}, a file"
    measure.show(what, [seconds / one for one in each], ">= 10", detail)
