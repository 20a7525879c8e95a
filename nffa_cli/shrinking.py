"""Pictures to learn from, read by workers as ``nffa classify`` reads them: all that it takes, with the pixel size it knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nffa_cli import scan, settings
from nffa_cli.classify.train.pictures import Shrunk
from nffa_cli.look import request
from nffa_cli.pool import Answer, Pool, limits
from nffa_cli.records import Acquisition, FileStamp


def shrunk(paths: Sequence[Path], short: int) -> Iterator[Shrunk | str]:
    """Yield each picture, its short side ``short`` pixels, or why it cannot be read; in the order of the paths."""
    values = settings.load()
    context = {"crosswalks": str(settings.shipped("crosswalks"))}
    numbers = {str(path.absolute()): number for number, path in enumerate(paths)}
    found: dict[int, Shrunk | str] = {}
    turn = 0
    with Pool(int(values["classify.jobs"]) or os.cpu_count() or 1, limits(values), serves="seeing") as pool:
        for item in _acquisitions(numbers):
            found |= {numbers[path]: why for path, why in _left_out(item, numbers)}
            if item.main.path in numbers and not item.skip:
                job = request(
                    "shrink", item, values, age=0.0, patience=0.0, pictures=True, partner_missing=item.partner_missing,
                    context=context, short=short,
                )  # fmt: skip
                pool.submit(replace(job, tag=numbers[item.main.path]))
            for answer in pool.answers(wait=pool.full):
                found[answer.job.tag] = _picture(answer)
            while turn in found:
                yield found.pop(turn)
                turn += 1
        while pool.under_way:
            for answer in pool.answers(wait=True):
                found[answer.job.tag] = _picture(answer)
    for number in range(turn, len(paths)):
        yield found.get(number, "not a name that is looked at")


def _acquisitions(paths: Mapping[str, int]) -> Iterator[Acquisition]:
    """Yield what the files belong to, with what instruments wrote beside them; each once."""
    named = [Acquisition(path.replace(os.sep, "/"), (FileStamp(path, 0, 0),)) for path in paths]
    return scan.again(named)


def _left_out(item: Acquisition, paths: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield those of the paths that are not to be read for themselves, and why."""
    if item.skip and item.main.path in paths:
        yield item.main.path, item.skip
    for stamp in item.files[1:]:
        if stamp.path in paths:
            yield stamp.path, f"a part of {os.path.basename(item.main.path)}"  # noqa: PTH119 - as all paths of a scan


def _picture(answer: Answer) -> Shrunk | str:
    import numpy as np

    head = answer.header
    if head["state"] != "ready":
        return str(head["reason"])
    return Shrunk(np.frombuffer(answer.blob, np.uint8).reshape(head["shape"]), head["pixel_size"])
