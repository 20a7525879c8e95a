"""A proxy in front of one HTTP server that breaks some of the requests, by a script or by a seed.

python -m tests.faults.proxy --upstream 127.0.0.1:8443 [--port 0] [--seed 1] [--rate 0.2] [--faults drop,500,reset] [--only PUT]

It prints one JSON line when it is ready ({"type": "ready", "url": ...}) and one when it is told to stop ({"type": "summary",
"requests": ..., "faults": {...}}). As a library: ``with Proxy("127.0.0.1:8000", seeded(7, 0.3)) as proxy: ... proxy.url``.
The server may die and come back meanwhile: a connection that it does not take is closed without an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

BLOCK = 1 << 16
ELSEWHERE = "http://other.invalid/away"
"""Where the fault ``redirect`` sends clients."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request before it is passed on; ``number`` counts from 0, retries too."""

    number: int
    method: str
    path: str
    headers: dict[str, str]


Script = Callable[[Request], str | None]
"""Says which fault befalls a request; None: none."""


def page(status: str, body: bytes, *more: str, kind: str = "text/plain") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


ANSWERS: dict[str, Callable[[], bytes]] = {
    "500": lambda: page("500 Internal Server Error", b"boom"),
    "503": lambda: page("503 Service Unavailable", b"", "Retry-After: 0"),
    "503-date": lambda: page(
        "503 Service Unavailable", b"",
        "Retry-After: " + format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True),
    ),
    "429": lambda: page("429 Too Many Requests", b"", "Retry-After: 1"),
    "401": lambda: page("401 Unauthorized", b"", "WWW-Authenticate: Bearer"),
    "html": lambda: page("200 OK", b"<html><body>Please log in</body></html>", kind="text/html"),
    "bad-json": lambda: page("200 OK", b'{"items": [', kind="application/json"),
    "redirect": lambda: page("307 Temporary Redirect", b"", f"Location: {ELSEWHERE}"),
}  # fmt: skip
"""Faults that answer in the server's place: it never hears of the request."""

BREAKS = {
    "refuse": "closed before the request is read",
    "reset": "the connection is reset in the middle of the request's body",
    "drop": "the server does what it was asked, its answer is lost",
    "truncate": "the answer ends in the middle of its body",
    "wrong-length": "the answer is shorter than it says, after an orderly close",
    "slow": "the answer comes a byte at a time",
    "stall": "the server does what it was asked, and the answer never comes",
}
"""Faults of the way between."""

FAULTS = (*ANSWERS, *BREAKS)
PASSING = ("drop", "500", "503", "429", "reset", "refuse", "truncate", "wrong-length", "html", "bad-json")
"""Faults that a client gets over by trying again, quickly."""


def seeded(seed: int, rate: float, faults: Sequence[str] = PASSING, methods: Iterable[str] = ()) -> Script:
    """Return a script that breaks a request with probability ``rate``; ``methods``: only of these."""
    chance, only = random.Random(seed), frozenset(methods)

    def script(request: Request) -> str | None:
        hit, fault = chance.random() < rate, chance.choice(faults)
        return fault if hit and (not only or request.method in only) else None

    return script


def listed(faults: Sequence[str | None]) -> Script:
    """Return a script that breaks the n-th request by the n-th fault, and none after the last."""
    return lambda request: faults[request.number] if request.number < len(faults) else None


@dataclass(slots=True)
class Seen:
    """What passed: ``faults`` that were done, ``heads`` of requests as they came, ``sent`` bytes of bodies passed on."""

    faults: Counter[str] = field(default_factory=Counter)
    heads: list[Request] = field(default_factory=list)
    sent: int = 0


class Broken(Exception):
    """The connection to the client is to be reset now."""


class Ended(Exception):
    """The connection to the client is to be closed now, in order."""


class Proxy:
    """The proxy; a context manager that runs it in a thread. ``cuts``: it resets once each, after so many bytes of bodies."""

    def __init__(
        self, upstream: str, script: Script = lambda request: None, *, port: int = 0, cuts: Sequence[int] = (),
        crawl: float = 0.05, stall: float = 30.0,
    ) -> None:  # fmt: skip
        host, _, number = upstream.removeprefix("http://").rstrip("/").rpartition(":")
        self.upstream = (host, int(number))
        self.script = script
        self.seen = Seen()
        self._cuts = sorted(cuts)
        self._crawl = crawl
        self._stall = stall
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.serve(), self._loop).result()
        return self

    def __exit__(self, *args: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def serve(self) -> None:
        self._server = await asyncio.start_server(self._client, sock=self._socket, limit=1 << 20)

    async def _end(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while head := await _head(reader):
                server = server or await asyncio.open_connection(*self.upstream, limit=1 << 20)
                await self._one(head, reader, writer, *server)
                if b"\nconnection: close" in head.lower():
                    break
        except Broken:
            _reset(writer)
        except (Ended, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # somebody went away: so does the proxy
        finally:
            for each in (writer, server[1] if server else None):
                if each is not None:
                    each.close()

    async def _one(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader, up_writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        method, path, headers = _parsed(head)
        request = Request(len(self.seen.heads), method, path, headers)
        self.seen.heads.append(request)
        fault = self.script(request)
        if fault is not None:
            self.seen.faults[fault] += 1
        if fault == "refuse":
            raise Broken
        if fault in ANSWERS:
            async for _ in _body(reader, headers):
                pass
            writer.write(ANSWERS[fault]())
            await writer.drain()
            raise Ended
        up_writer.write(head)
        half = int(headers.get("content-length") or 0) // 2
        passed = 0
        async for block in _body(reader, headers):
            passed += len(block)
            if fault == "reset" and passed >= half:
                up_writer.write(block[: max(0, len(block) - (passed - half))])
                await up_writer.drain()
                raise Broken
            await self._pass_on(block, up_writer)
        if fault == "reset":
            raise Broken
        await up_writer.drain()
        answer = await _head(up_reader)
        if not answer:
            raise Broken
        await self._answer(fault, method, answer, up_reader, writer)

    async def _pass_on(self, block: bytes, up_writer: asyncio.StreamWriter) -> None:
        if self._cuts and self.seen.sent + len(block) >= self._cuts[0]:
            keep = self._cuts.pop(0) - self.seen.sent
            self.seen.sent += max(0, keep)
            self.seen.faults["cut"] += 1
            up_writer.write(block[: max(0, keep)])
            await up_writer.drain()
            raise Broken
        self.seen.sent += len(block)
        up_writer.write(block)
        await up_writer.drain()

    async def _answer(
        self, fault: str | None, method: str, head: bytes, up_reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        _, status, headers = _parsed(head)
        bare = method == "HEAD" or status[:3] in ("204", "304") or status[0] == "1"
        whole = bytearray() if fault else None
        if whole is None:
            writer.write(head)
        if not bare:
            async for block in _body(up_reader, headers, answer=True):
                if whole is None:
                    writer.write(block)
                    await writer.drain()
                else:
                    whole += block
        if whole is None:
            await writer.drain()
            return
        if fault == "drop":
            raise Broken
        if fault == "stall":
            await asyncio.sleep(self._stall)
            raise Broken
        if fault == "slow":
            for byte in head + bytes(whole):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(self._crawl)
            return
        cut = (head + bytes(whole))[: len(head) + len(whole) // 2] if whole else head[: len(head) // 2]
        writer.write(cut)
        await writer.drain()
        if fault == "truncate":
            raise Broken
        raise Ended


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _parsed(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    words = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: dict[str, str], *, answer: bool = False):
    """Yield a body's bytes as they are on the wire."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            line = await reader.readuntil(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            yield await reader.readexactly(size + 2)
            if not size:
                return
    left = int(headers["content-length"]) if "content-length" in headers else (-1 if answer else 0)
    while left:
        block = await reader.read(BLOCK if left < 0 else min(BLOCK, left))
        if not block:
            if left < 0:
                return
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(block) if left > 0 else 0
        yield block


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side is told by RST, not by an orderly end."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def main(args: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.proxy", description=__doc__)
    parser.add_argument("--upstream", required=True, help="HOST:PORT of the server")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--faults", default=",".join(PASSING), help=f"of: {', '.join(FAULTS)}")
    parser.add_argument("--only", default="", help="methods, such as POST,PUT")
    given = parser.parse_args(args)
    faults = given.faults.split(",")
    if set(faults) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(sorted(set(faults) - set(FAULTS)))}")
    script = seeded(given.seed, given.rate, faults, filter(None, given.only.split(",")))
    over = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: over.set())
    with Proxy(given.upstream, script, port=given.port) as proxy:
        print(json.dumps({"type": "ready", "url": proxy.url}), flush=True)
        over.wait()
        seen = proxy.seen
        print(json.dumps({"type": "summary", "requests": len(seen.heads), "faults": seen.faults}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
