"""The gate that every request passes: its id, what is no request at all, how large and how often, faults of ours, the log.

Pure ASGI, outside the framework: bytes of any size stream through it unread.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nffa_cli.node.callers import TOKEN
from nffa_cli.node.config import Config
from nffa_cli.node.problems import Problem, absent, log, unexpected

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
WINDOW = 60
"""Seconds in which requests are counted."""
STREAMS = (
    (re.compile(r".*/uploads/[^/]+"), "upload_bytes"),
    (re.compile(r".*/ingests/[^/]+/(pack|content/.*)"), "single_shot_bytes"),
)
"""Where data comes in → the setting that limits it; anywhere else ``body_bytes`` does."""
PROBES = ("/healthz", "/readyz")
"""Never limited: who watches a node must not be told that it is busy."""


class Gate:
    """The app with a gate before it."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self.app = app
        self.config = config
        self.counts = Counts(config.requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        more = {"X-Request-Id": request_id, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        status, began = 0, time.monotonic()

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                found = MutableHeaders(scope=message)
                for name, value in more.items():
                    found.setdefault(name, value)
            await send(message)

        try:
            if scope["path"] not in PROBES:
                more |= self.counts.counted(_who(scope, headers))
            limited = self._limited(scope, headers, receive)
            await self.app(scope, limited, answered)
        except Problem as problem:
            await problem.answer(request_id)(scope, receive, answered)
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception as error:
            answer = unexpected(error, request_id)
            if status:
                raise
            await answer(scope, receive, answered)
        finally:  # no query and no header: either may hold what is nobody's business
            took = time.monotonic() - began
            log.info("%s %s %d %.3f s %s", scope["method"], _printable(scope["path"]), status, took, request_id)

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        """Return ``receive``, which stops where the body is larger than it may be.

        Raises
        ------
        Problem
            It says itself that it is, or the request has a NUL, which no text may hold.
        """
        if "\0" in scope["path"]:
            raise absent()
        if b"%00" in scope.get("query_string", b""):
            raise Problem(400, "Bad request", "the query holds a NUL character")
        setting = next((name for pattern, name in STREAMS if pattern.fullmatch(scope["path"])), "body_bytes")
        most: int = getattr(self.config, setting)
        too_large = Problem(413, "Too large", f"the body may have {most} bytes", headers={"Connection": "close"})
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            raise too_large
        got = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise too_large
            return message

        return counted


class Counts:
    """How many requests each sender sent in this window of time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._turn = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def counted(self, who: str) -> dict[str, str]:
        """Count one request and return the headers that say how many are left.

        Raises
        ------
        Problem
            429: there were too many.
        """
        moment = time.monotonic()
        left = WINDOW - int(moment % WINDOW)
        with self._turn:
            if int(moment // WINDOW) != self._window:
                self._window, self._counts = int(moment // WINDOW), {}
            count = self._counts[who] = self._counts.get(who, 0) + 1
        headers = {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(0, self.most - count)),
            "RateLimit-Reset": str(left),
        }
        if count > self.most:
            detail = f"{self.most} requests a minute are allowed; go on in {left} s"
            raise Problem(429, "Too many requests", detail, headers=headers | {"Retry-After": str(left)})
        return headers


def _printable(path: str) -> str:
    """Return a path that is one line of a log."""
    return path[:500].encode("unicode_escape").decode("ascii")


def _who(scope: Scope, headers: Headers) -> str:
    """Return who is counted: the id of a token (not yet known to be good, and bounded in number by that), else an address."""
    found = TOKEN.search(headers.get("authorization", ""))
    address = scope["client"][0] if scope.get("client") else ""
    return f"{address} {found[1]}" if found else address
