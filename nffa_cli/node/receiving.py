"""Bytes on their way in: read from the network in the event loop, hashed and written by threads, some 8 MB in memory at most."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from io import FileIO

from starlette.concurrency import run_in_threadpool

from nffa_cli.node.problems import Problem

PIECE = 4 << 20
"""Bytes that are handed to a thread at a time: each time costs both threads as much as some 400 kB of them."""
PATIENCE = 60
"""Seconds without a byte after which a client is taken for gone."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
STEP = 5
"""Seconds within which the limit is not moved on: to do so for every piece costs as much as the piece."""

Take = Callable[[memoryview], None]


async def pump(stream: AsyncIterator[bytes], take: Take) -> None:
    """Give all of a request's body to ``take``, in a thread and in order, while the next bytes come.

    However it ends, all that came has been given to ``take`` then, and no thread is at it any more.

    Raises
    ------
    ClientDisconnect
        The connection was cut.
    Problem
        408: no byte came for ``PATIENCE`` seconds. Also what ``take`` raises.
    """
    filling, waiting = bytearray(PIECE), bytearray(PIECE)  # two for all: new ones cost more than the copy
    held = 0
    work: asyncio.Task[None] | None = None
    clock = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout_at((since := clock()) + PATIENCE) as limit:
            async for piece in stream:
                if (now := clock()) - since > STEP:
                    limit.reschedule((since := now) + PATIENCE)
                rest = memoryview(piece)
                while rest:
                    fits = min(len(rest), PIECE - held)
                    filling[held : held + fits] = rest[:fits]
                    held, rest = held + fits, rest[fits:]
                    if held == PIECE:
                        if work is not None:
                            limit.reschedule(None)  # a slow disk is not the client's fault
                            await work
                            limit.reschedule((since := clock()) + PATIENCE)
                        work = asyncio.create_task(run_in_threadpool(take, memoryview(filling)))
                        filling, waiting, held = waiting, filling, 0
    except TimeoutError:
        detail = f"no byte came for {PATIENCE} s"
        raise Problem(408, "Request timeout", detail, headers={"Connection": "close"}) from None
    finally:
        if work is not None:
            await work
        if held:
            await run_in_threadpool(take, memoryview(filling)[:held])


def write(file: FileIO, data: bytes | memoryview) -> None:
    """Write all of ``data`` to an unbuffered file.

    Raises
    ------
    Problem
        507: the disk is full.
    """
    view = memoryview(data)
    with disk():
        while view:
            view = view[file.write(view) :]


@contextmanager
def disk() -> Iterator[None]:
    """Tell the client when the disk is full; any other fault of it is one of ours.

    Raises
    ------
    Problem
        507.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        detail = "the disk of the node is full; nothing was lost: send it again later"
        raise Problem(507, "Insufficient storage", detail) from error
