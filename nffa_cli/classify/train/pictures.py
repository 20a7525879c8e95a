"""Pictures to learn from, from a folder per category or a list of labels: without data bars, shrunk as for the network.

Who reads them is the caller's to say, so that training and use see the same. Not the split and not the augmentation.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nffa_cli import spreadsheet
from nffa_cli.classify.train import names
from nffa_cli.errors import UsageError
from nffa_cli.progress import Reporter

SHORT = 192
"""Pixels of the short side that training sees: a 1024 × 768 picture shrunk four times."""
WIDE = 256
FIELD = 1.2
"""The short side of a picture in sides of the square that the network sees."""
BESIDE = (".txt", ".hdr", ".xml", ".md", ".csv", ".json", ".yaml")
"""What lies beside pictures and is none."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A picture without its data bar, shrunk; ``pixel_size``: of its pixels in metres, None: not known."""

    grey: NDArray[np.uint8]
    pixel_size: float | None

    @property
    def told(self) -> float:
        """log10 of the pixel size; NaN: not known."""
        return math.nan if self.pixel_size is None else math.log10(self.pixel_size)


Read = Callable[[Sequence[Path], int], Iterable[Shrunk | str]]
"""Reads pictures, their short sides so many pixels, in the order of their paths; or says why one cannot be read."""


@dataclass(slots=True)
class Pictures:
    """Pictures with what is known of each.

    images
        Each (height, width) uint8, the short side ``SHORT`` pixels; a memory map or a list.
    labels
        What each shows.
    pixel
        (N,) log10 of the width of a pixel in metres; NaN: not known.
    kinds
        The sub-kind of a rendered picture; empty: not known.
    sources
        File or seed, for people.
    skipped
        (file, why) of what could not be read.
    doubts
        What looked wrong about the folder.
    """

    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    labels: list[str]
    pixel: NDArray[np.float32]
    kinds: list[str]
    sources: list[str]
    skipped: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, rows: Sequence[int] | NDArray[np.intp]) -> Pictures:
        """Return some of the pictures."""
        return Pictures(
            [self.images[n] for n in rows], [self.labels[n] for n in rows], self.pixel[np.asarray(rows, np.intp)],
            [self.kinds[n] for n in rows], [self.sources[n] for n in rows],
        )  # fmt: skip


def together(*parts: Pictures) -> Pictures:
    """Return all pictures of several sets."""
    return Pictures(
        [image for part in parts for image in part.images],
        [label for part in parts for label in part.labels],
        np.concatenate([part.pixel for part in parts]) if parts else np.zeros(0, np.float32),
        [kind for part in parts for kind in part.kinds],
        [source for part in parts for source in part.sources],
        [each for part in parts for each in part.skipped],
        [each for part in parts for each in part.doubts],
    )


def from_place(place: Path, read: Read, reporter: Reporter) -> Pictures:
    """Return the pictures of a folder per category or of a list; what cannot be read is named in ``skipped``.

    Raises
    ------
    UsageError
        There are no two categories with pictures that can be read, or a folder's name contradicts itself.
    """
    listed, left_out = files(place)
    doubts = _contradictions(listed) if place.is_dir() else []
    found = Pictures([], [], np.zeros(0, np.float32), [], [], left_out, doubts)
    kept: list[NDArray[np.uint8]] = []
    told: list[float] = []
    for path, label, picture in read_all(listed, read, SHORT, reporter):
        if isinstance(picture, str):
            found.skipped.append((str(path), picture))
            continue
        kept.append(picture.grey)
        told.append(picture.told)
        found.labels.append(label)
        found.sources.append((path.relative_to(place) if place.is_dir() else path).as_posix())
    if len(set(found.labels) - {names.NONE}) < 2:
        hint = "make a folder for each category, with its pictures inside: Nanowires/a.jpg, Powder/b.tif"
        why = f" ({found.skipped[0][0]}: {found.skipped[0][1]})" if found.skipped else ""
        raise UsageError(f"no two categories with pictures are there{why}", where=str(place), hint=hint)
    found.images, found.kinds, found.pixel = kept, [""] * len(kept), np.array(told, np.float32)
    return found


def read_all(
    listed: Sequence[tuple[Path, str]], read: Read, short: int, reporter: Reporter
) -> Iterator[tuple[Path, str, Shrunk | str]]:
    """Yield file, label and picture, or why it cannot be read."""
    reporter.begin("reading pictures", len(listed))
    for (path, label), picture in zip(listed, read([path for path, _ in listed], short), strict=True):
        yield path, label, picture
        reporter.advance()
    reporter.end()


def files(place: Path) -> tuple[list[tuple[Path, str]], list[tuple[str, str]]]:
    """Return files with their labels, no text beside pictures; and what of a list is left out, with the reason.

    Parameters
    ----------
    place
        A folder per category, whose files come in the order of their names; or a list as ``nffa review export -o`` writes
        it (.csv or .jsonl; ``label``, ``path`` relative to the list, ``sha256`` if known), in its order.
    """
    if place.is_file():
        return _listed(place)
    found: list[tuple[Path, str]] = []
    for each in sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")):
        label = names.label_of(each.name)
        if label is None:
            continue
        below = sorted(path for path in each.rglob("*") if path.is_file() and not path.name.startswith("."))
        found += [(path, label) for path in below if path.suffix.lower() not in BESIDE]
    return found, []


def _listed(place: Path) -> tuple[list[tuple[Path, str]], list[tuple[str, str]]]:
    found: list[tuple[Path, str]] = []
    left_out: list[tuple[str, str]] = []
    for number, row in _rows(place):
        word, path = (row.get(key) for key in ("label", "path"))
        if not (isinstance(word, str) and word.strip() and isinstance(path, str) and path):
            hint = "a list has the columns label and path, as nffa review export -o labels.csv writes it"
            raise UsageError("no label or no path in this line of the list", where=f"{place}:{number}", hint=hint)
        label = names.listed(word)
        if label is None:
            continue
        if row.get("sha256") and _digest(place.parent / path) not in (None, row["sha256"]):
            left_out.append((path, "other bytes than those that got the label"))
        else:
            found.append((place.parent / path, label))
    return found, left_out


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None: it cannot be read, which its reader will say."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _rows(place: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield number and content of the lines of a list; separated by commas, or by semicolons as some spreadsheets do."""
    try:
        with place.open(encoding="utf-8-sig", newline="") as file:
            if place.suffix.lower() == ".jsonl":
                for number, line in enumerate(file, 1):
                    row = json.loads(line) if line.strip() else None
                    if isinstance(row, dict):
                        yield number, row
                return
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if head.count(";") > head.count(",") else ",")
            for row in reader:
                yield reader.line_num, {key: spreadsheet.text(row[key] or "") for key in row if key}
    except (ValueError, csv.Error) as error:
        raise UsageError(f"no list of labels: {error}", where=str(place)) from error


def _contradictions(files: Sequence[tuple[Path, str]]) -> list[str]:
    """Return a sentence for each category whose files carry the published number of another one."""
    wrong: Counter[tuple[str, str]] = Counter()
    for path, label in files:
        meant = names.prefix_of(path.name)
        if meant is not None and meant != label:
            wrong[label, meant] += 1
    return [
        f"{count} files in {label!r} have the number that means {meant!r} in the published sets; the folder was believed"
        for (label, meant), count in sorted(wrong.items())
    ]


def window(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return ``SHORT`` × ``WIDE`` pixels of a picture from a random place, mirrored outward where it is narrower."""
    height, width = image.shape
    if (height, width) == (SHORT, WIDE):
        return image
    top = int(rng.integers(max(1, height - SHORT + 1)))
    left = int(rng.integers(max(1, width - WIDE + 1)))
    part = image[top : top + SHORT, left : left + WIDE]
    missing = (SHORT - part.shape[0], WIDE - part.shape[1])
    if max(missing) > 0:
        part = np.pad(part, [(n // 2, math.ceil(n / 2)) for n in missing], mode="reflect")
    return part
