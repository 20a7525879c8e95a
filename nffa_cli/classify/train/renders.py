"""Rendered pictures to learn from, made once and kept on disk: label and seed say what each is; not the renderer.

A file for each label lies in a folder named by the digest of what draws it, so that a changed renderer makes new ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from nffa_cli import render
from nffa_cli.classify.train.pictures import SHORT, WIDE, Pictures
from nffa_cli.progress import Reporter

CHUNK = 50
"""Pictures that a process draws at a time."""


Chunk = tuple[str, int, int]
"""Label, first seed, how many."""


def rendered(
    count: int, reporter: Reporter, *, seed: int, cache: Path, jobs: int, labels: Sequence[str] = tuple(render.MODULES)
) -> Pictures:
    """Return ``count`` pictures of each label, with the seeds from ``seed`` on.

    Parameters
    ----------
    cache
        Folder in which they are kept for the next time; about 50 kB a picture.
    jobs
        Processes that draw.
    """
    files = {label: _files(cache, label, seed, count) for label in labels}
    missing = {label: both for label, both in files.items() if not both[1].is_file()}
    if missing:
        _draw(missing, count, reporter, seed=seed, jobs=jobs)
    images: list[np.ndarray] = []
    kinds: list[str] = []
    widths: list[float] = []
    for label in labels:
        pixels, facts = files[label]
        images.extend(np.load(pixels, mmap_mode="r"))
        known = json.loads(facts.read_text(encoding="utf-8"))
        kinds.extend(f"{label}: {kind}" for kind in known["kinds"])
        widths.extend(known["widths"])
    pixel = np.array([math.log10(width / WIDE) for width in widths], np.float32)
    names = [label for label in labels for _ in range(count)]
    sources = [f"{label} {seed + n}" for label in labels for n in range(count)]
    return Pictures(images, names, pixel, kinds, sources)


def _draw(files: Mapping[str, tuple[Path, Path]], count: int, reporter: Reporter, *, seed: int, jobs: int) -> None:
    chunks = [(label, seed + n, min(CHUNK, count - n)) for label in files for n in range(0, count, CHUNK)]
    reporter.begin("drawing pictures", len(files) * count)
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        done = pool.imap(_chunk, chunks)
        for pixels, facts in files.values():
            pixels.parent.mkdir(parents=True, exist_ok=True)
            draft = pixels.with_suffix(f".{os.getpid()}.part")
            image = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=(count, SHORT, WIDE))
            known: dict[str, list[object]] = {"kinds": [], "widths": []}
            for first, drawn, kinds, widths in _taken(done, count):
                image[first : first + len(drawn)] = drawn
                known["kinds"].extend(kinds)
                known["widths"].extend(widths)
                reporter.advance(len(drawn))
            image.flush()
            draft.replace(pixels)
            facts.write_text(json.dumps(known), encoding="utf-8")
    reporter.end()


def _taken(
    done: Iterator[tuple[np.ndarray, list[str], list[float]]], count: int
) -> Iterator[tuple[int, np.ndarray, list[str], list[float]]]:
    first = 0
    while first < count:
        drawn, kinds, widths = next(done)
        yield first, drawn, kinds, widths
        first += len(drawn)


def _chunk(chunk: Chunk) -> tuple[np.ndarray, list[str], list[float]]:
    label, first, count = chunk
    found = [render.render(label, first + n, (SHORT, WIDE)) for n in range(count)]
    return np.stack([each.image for each in found]), [each.kind for each in found], [each.width_m for each in found]


def _files(cache: Path, label: str, seed: int, count: int) -> tuple[Path, Path]:
    stem = f"{render.MODULES[label]}-{seed}-{count}"
    folder = cache / digest(label)[:16]
    return folder / f"{stem}.npy", folder / f"{stem}.json"


def digest(label: str | None = None) -> str:
    """Return the SHA-256 of the source that draws a label, or all labels."""
    root = Path(render.__file__).parent
    others = {f"{module}.py" for name, module in render.MODULES.items() if label not in (None, name)}
    hashed = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.parent.name != "kinds" or path.name not in others:
            hashed.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()
