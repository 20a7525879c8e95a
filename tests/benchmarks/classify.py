"""What ``nffa classify`` costs: end to end against decoding alone on the same cores, a second run, and its memory.

The pictures are RGB JPEGs of quality 100, 1024 × 768, as the published sets hold them. The model is the shipped one, else a
tiny one, which the output says.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from nffa_cli import settings
from nffa_cli.classify import models
from tests import onnx_models
from tests.benchmarks import measure
from tests.benchmarks.scale import Scale

DISTINCT = 25
"""Different pictures; each file has a comment of its own besides, so that none has another's content."""
WORKERS = 2
DECODE = """
import multiprocessing, pathlib, sys
from PIL import Image

def decode(paths):
    for path in paths:
        with Image.open(path) as image:
            image.load()

if __name__ == "__main__":
    paths = sorted(pathlib.Path(sys.argv[1]).rglob("*.jpg"))
    workers = int(sys.argv[2])
    made = [multiprocessing.Process(target=decode, args=(paths[n::workers],)) for n in range(workers)]
    [each.start() for each in made]
    [each.join() for each in made]
"""


def command(folder: Path, scale: Scale) -> None:
    """Classify many pictures from nothing and again, in turn with decoding them alone."""
    inbox, home = folder / "pictures", folder / "home"
    _pictures(inbox, scale.pictures)
    which = _model(folder)
    alone = folder / "decode.py"
    alone.write_text(DECODE, encoding="utf-8")
    peer = [sys.executable, str(alone), str(inbox), str(WORKERS)]
    ours = measure.nffa("classify", inbox, "--jobs", WORKERS, "--json", *which)
    ratios, efforts, againsts, rates, seconds = [], [], [], [], []
    for _ in range(min(scale.rounds, 3)):
        shutil.rmtree(home, ignore_errors=True)
        decoding = measure.run(peer)
        first = measure.run(ours, home=home)
        again = measure.run(ours, home=home)
        told = [json.loads(line) for line in first.output.splitlines()]
        assert sum(line["type"] == "classification" for line in told) == scale.pictures
        ratios.append(first.wall / decoding.wall)
        efforts.append(first.cpu / decoding.cpu)
        againsts.append(100 * again.wall / first.wall)
        rates.append(scale.pictures / first.wall)
        seconds.append((decoding.wall, first.wall, again.wall))
    name = "the shipped model" if not which else "a tiny model, for none is shipped"
    wall = "; ".join(" / ".join(f"{each:.2f}" for each in row) for row in seconds)
    what = f"classify {scale.pictures} JPEGs / decode them (wall, {WORKERS} cores)"
    measure.show(what, ratios, "<= 4", f"{name}; decode / first / again: {wall} s")
    measure.show("the same in CPU time, whoever else is at work", efforts, "<= 4")
    measure.show("classify again, nothing due, of the first run", againsts, "<= 5", unit="%")
    per_night = 150_000 / min(rates) / 3600
    measure.show("150,000 pictures at this rate", [per_night], "<= 8", "the worst round's rate", unit="h")
    shutil.rmtree(home, ignore_errors=True)
    held = measure.run(ours, home=home, watch=True)
    measure.show("memory of all processes", [held.total], "<= 400", f"largest {held.single:.0f} MB", unit="MB")


def _model(folder: Path) -> list[str]:
    if models.pinned(settings.shipped("models")):
        return []
    path = folder / "tiny.onnx"
    path.write_bytes(onnx_models.good())
    return ["--model", str(path)]


def _pictures(folder: Path, count: int) -> None:
    rng = np.random.default_rng(4)
    made = []
    for _ in range(min(DISTINCT, count)):
        coarse = Image.fromarray(rng.integers(0, 256, (48, 64), np.uint8)).resize((1024, 768), Image.Resampling.BICUBIC)
        noise = Image.fromarray(rng.integers(64, 192, (768, 1024), np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
        buffer = io.BytesIO()
        Image.blend(coarse, noise, 0.5).convert("RGB").save(buffer, "JPEG", quality=100)
        made.append(buffer.getvalue())
    for n in range(count):
        path = folder / f"{n // 500:03d}" / f"{n:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        comment = f"{n:08d}".encode()
        data = made[n % len(made)]
        path.write_bytes(data[:2] + struct.pack(">BBH", 0xFF, 0xFE, len(comment) + 2) + comment + data[2:])
