"""One file brought to this computer: resumed where it broke off, verified by its digest, and only then given its name.

It does not know where the bytes come from: ``opened`` gives them from a place on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from nffa_cli.errors import Unreachable

BLOCK = 1 << 20
TRIES = 5
"""How often in a row a transfer may break off before the next mebibyte."""


class Interrupted(Exception):
    """A transfer broke off; what is missing may be asked for again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to arrive: where from, how many bytes, and its digest (hex) by an algorithm of ``hashlib``."""

    where: str
    size: int
    algorithm: str
    digest: str


Opened = Callable[[int], AbstractContextManager[tuple[int, Iterator[bytes]]]]
"""From which byte on → the byte at which it really begins, and the bytes; raises Interrupted where they break off."""


def part(target: Path) -> Path:
    """Return where a file grows until it is whole."""
    return target.with_name(f"{target.name}.part")


def size(path: Path) -> int:
    """Return how many bytes are there already."""
    return path.stat().st_size if path.exists() else 0


def bring(wanted: Wanted, target: Path, opened: Opened, *, growing: Path, told: Callable[[int], None]) -> Path:
    """Bring ``wanted`` to ``target``, going on with what an earlier run left in ``growing``; ``told``: bytes so far.

    Raises
    ------
    Unreachable
        It broke off too often (what came is kept for the next run), or what came is something else (it is thrown away).
    OSError
        The disk is full or not writable.
    """
    reason, idle = "it ended too early", 0
    growing.touch()
    while (before := size(growing)) < wanted.size:
        try:
            _go_on(wanted, growing, opened, told)
        except Interrupted as error:
            reason = str(error)
        idle = 0 if size(growing) >= before + BLOCK else idle + 1
        if idle >= TRIES and size(growing) < wanted.size:
            what = f"the transfer broke off at {size(growing)} of {wanted.size} bytes ({reason})"
            raise Unreachable(what, where=wanted.where, hint="run the same command again: it goes on")
    if size(growing) != wanted.size or digest_of(growing, wanted.algorithm) != wanted.digest:
        growing.unlink()
        what = f"what arrived is not what is listed (size or {wanted.algorithm.upper()}); it was thrown away"
        raise Unreachable(what, where=wanted.where, hint="run the same command again")
    growing.replace(target)
    return target


def digest_of(path: Path, algorithm: str) -> str:
    """Return a file's digest in hex."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _go_on(wanted: Wanted, growing: Path, opened: Opened, told: Callable[[int], None]) -> None:
    have = size(growing)
    with opened(have) as (first, blocks), growing.open("ab" if first == have and have else "wb") as file:
        done = have if first == have else 0
        for block in blocks:
            file.write(block[: wanted.size + 1 - done])
            done += len(block)
            told(min(done, wanted.size))
            if done > wanted.size:
                return
