"""The door of ``requests``: one server, TLS always verified, its token for no other, tried again only where that is safe.

It knows nothing of any destination's contract. Not followed: redirects to another server. Not believed: a web page where
data was asked for, and a length that is not kept. Each try has a limit by the bytes that pass, so that a server which
answers a byte a second holds up nobody.
"""

from __future__ import annotations

import io
import json
import logging
import random
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from nffa_cli import __version__
from nffa_cli.destinations.answers import HINTS, Answer, Rejected, clean, origin, said, silent, told
from nffa_cli.destinations.heads import Whole
from nffa_cli.destinations.pace import Pace
from nffa_cli.destinations.patience import MALFORMED, REPEATABLE, Patience, passes, retry_after
from nffa_cli.downloading import Interrupted
from nffa_cli.errors import ConfigError, Refused, Unreachable, UsageError

logger = logging.getLogger(__name__)

BLOCK = 1 << 18
LARGEST = 64 << 20
"""Most bytes of an answer that is held in memory."""
REDIRECTS = 5
UNCHANGED = frozenset({307, 308})
"""Redirects that keep the method; others are followed for GET and HEAD only."""

Authorise = Callable[[bool], str | None]
"""Returns the Authorization header (None: none); called with True after a 401, when it should look for a newer one."""
T = TypeVar("T")


class Reader(Protocol):
    """A body that is read while it is sent."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; fewer only at the end."""
        ...


Body = bytes | Callable[[], Reader]
"""Bytes, or what opens the same body anew for every try."""


class Malformed(Interrupted):
    """An answer that is no answer: a web page, broken JSON, more than is held in memory."""


class Away(Interrupted):
    """No connection came to stand: nothing listens, no such name, no way there."""


class Connection:
    """One server below one address; used by one thread at a time.

    Parameters
    ----------
    address
        All paths are below it, but for whole addresses of the same server.
    authorise
        Where the Authorization header comes from; None: none is ever sent.
    ca_bundle
        Certificates to trust instead of the system's (a facility's own authority).
    pace
        How fast bodies may leave.
    """

    def __init__(
        self,
        address: str,
        *,
        authorise: Authorise | None = None,
        ca_bundle: Path | None = None,
        patience: Patience | None = None,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if ca_bundle is not None and not ca_bundle.is_file():
            raise ConfigError("there is no such file of certificates", where=str(ca_bundle), hint="mend ca_bundle")
        self.origin = origin(address)
        if "?" in address or "#" in address:
            hint = "a token is kept by nffa login ADDRESS"
            raise UsageError("a service's address has no ? and no #", where=told(address), hint=hint)
        self.address = address.rstrip("/")
        self.patience = patience or Patience()
        self._authorise = authorise
        self._verify: bool | str = str(ca_bundle) if ca_bundle else True
        self._pace = pace or Pace()
        self._sleep = sleep
        self._chance = chance
        self._met = False
        self._silent: tuple[bytes, ...] = ()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": f"nffa/{__version__}", "Accept-Encoding": "identity"})
        self._session.mount("https://", _Adapter(self._sockets))
        self._session.mount("http://", _Adapter(self._sockets))

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def rest(self, tries: int) -> None:
        """Wait as after so many failed tries."""
        self._sleep(self.patience.pause(tries, None, self._chance()))

    def at(self, path: str) -> str:
        """Return the whole address of a path; raises Refused for one on another server."""
        whole = path if "://" in path else f"{self.address}/{path.lstrip('/')}" if path else self.address
        if not _same(whole, self.origin):
            raise Refused(f"it points to another server: {self._told(whole)}", where=self.address)
        return whole

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        size: int = 0,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        key: str | None = None,
        again: bool | None = None,
        wants_json: bool = False,
        believed: Callable[[Answer], bool] = lambda answer: True,
    ) -> Answer:
        """Send one request and return its whole answer.

        Parameters
        ----------
        body, size
            What is sent; ``size`` in bytes where it is not bytes already. ``data``: sent as JSON instead.
        key
            Idempotency-Key: makes any request safe to repeat.
        again
            Whether it is repeated after a broken connection or a passing status [by method and key].
        wants_json
            The answer must be JSON; its ``value`` has it.
        believed
            Whether an answer below 300 can be the service's; a web page with 200 never is.

        Raises
        ------
        Unreachable
            Nothing, or nothing that makes sense, was answered within the budget.
        Rejected
            A status of 300 or above that trying again does not change.
        """
        sent = dict(headers or {})
        if data is not None:
            body = json.dumps(data, ensure_ascii=True, allow_nan=False, default=dict).encode("ascii")
            sent.setdefault("Content-Type", "application/json")
        if wants_json:
            sent.setdefault("Accept", "application/json, application/problem+json")
        if key is not None:
            sent["Idempotency-Key"] = key
        size = len(body) if isinstance(body, bytes) else size
        address = self.at(path)

        def once(fresh: bool) -> tuple[Answer, None]:
            with self._response(method, address, body, size, sent, params, fresh=fresh) as response:
                answer = _answer(response, self._hushed(_whole(self._blocks(response))))
            if answer.status < 300:
                strange = answer.status == 200 and _is_page(answer)  # with 201, web servers greet a new file so
                if not wants_json and (strange or not believed(answer)):
                    raise Malformed(f"it answers {answer.status} in a way that is not the service's")
                answer = _with_value(answer) if wants_json else answer
            return answer, None

        repeats = (method in REPEATABLE or key is not None) if again is None else again
        return self._tried(once, address, repeats)[0]

    @contextmanager
    def opened(self, path: str, headers: Mapping[str, str]) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Give the head of the answer to a GET and its body in blocks, which raise Interrupted where it breaks off."""
        address = self.at(path)
        with ExitStack() as stack:

            def once(fresh: bool) -> tuple[Answer, requests.Response]:
                response = stack.enter_context(
                    self._response("GET", address, None, 0, dict(headers), None, fresh=fresh)
                )
                body = b"" if response.status_code < 300 else self._hushed(_whole(self._blocks(response)))
                return _answer(response, body), response

            answer, response = self._tried(once, address, True)
            yield answer, self._blocks(response)

    def _tried(self, once: Callable[[bool], tuple[Answer, T]], where: str, repeats: bool) -> tuple[Answer, T]:
        """Try until there is an answer, or it will not change, or the budget is used up."""
        began, tries, malformed, renewed = time.monotonic(), 0, 0, False
        while True:
            tries += 1
            asked: float | None = None
            away = False
            try:
                answer, more = once(renewed)
                if answer.status < 300:
                    return answer, more
                if answer.status == 401 and self._authorise is not None and not renewed:
                    renewed = True
                    continue
                asked = retry_after(answer.headers, datetime.now(UTC))
                if answer.status == 507:
                    raise Unreachable(said(answer), where=where, hint=HINTS[507])
                if not passes(answer.status, asked):
                    raise Rejected(answer, hint=f"nffa login {self.address}" if answer.status == 401 else None)
                reason = said(answer)
            except Interrupted as error:
                reason = self._hushed(str(error).encode()).decode()
                malformed += isinstance(error, Malformed)
                away = isinstance(error, Away)
            pause = self.patience.pause(tries, asked, self._chance())
            limit = self.patience.limit(met=self._met or not away)
            if not repeats or malformed >= MALFORMED or time.monotonic() - began + pause > limit:
                tried = f"; tried {tries} times" if tries > 1 else ""
                later = f"; it asks to come back in {asked:.0f} s" if asked else ""
                raise Unreachable(f"{reason}{tried}{later}", where=where, hint="the same command later goes on")
            logger.info("%s: %s; once more in %.1f s", where, reason, pause)
            self._sleep(pause)

    @contextmanager
    def _response(
        self, method: str, address: str, body: Body | None, size: int, headers: Mapping[str, str],
        params: Mapping[str, Any] | None, *, fresh: bool,
    ) -> Iterator[requests.Response]:  # fmt: skip
        """Give the answer to one try, redirects on the same server followed; Interrupted: another try may do better."""
        token = self._authorise(fresh) if self._authorise is not None else None
        self._silent = silent(token)
        limits = (self.patience.connect, self.patience.stall)
        for _ in range(REDIRECTS + 1):
            with _interruptions(), self._watched(self.patience.allowed(size)):
                response = self._session.request(
                    method, address, params=params, data=self._feed(body, size), headers=dict(headers),
                    auth=_Header(token), timeout=limits, allow_redirects=False, stream=True, verify=self._verify,
                )  # fmt: skip
            self._met = True
            with response:
                target = response.headers.get("Location")
                code = response.status_code
                if not (300 <= code < 400 and target and (code in UNCHANGED or method in ("GET", "HEAD"))):
                    yield response
                    return
            address, params = urljoin(address, target), None
            if not _same(address, self.origin):
                raise Refused(f"it redirects to another server: {self._told(address)}", where=self.address)
        raise Refused(f"it redirects more than {REDIRECTS} times", where=self._told(address))

    def _hushed(self, text: bytes) -> bytes:
        """Return what a server said without the token, should it repeat it: what it says is shown and kept."""
        for secret in self._silent:
            text = text.replace(secret, b"...")
        return text

    def _told(self, address: str) -> str:
        return self._hushed(told(address).encode()).decode()

    def _feed(self, body: Body | None, size: int) -> Any:
        if body is None or (isinstance(body, bytes) and (self._pace.rate is None or not body)):
            return body
        if not size:
            return b""
        return _Feed(io.BytesIO(body) if isinstance(body, bytes) else body(), size, self._pace)

    def _blocks(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the body as it comes; Interrupted: it broke off, or came too slowly."""
        began, got = time.monotonic(), 0
        while True:
            with _interruptions():
                block = response.raw.read1(BLOCK)
            if not block:
                return
            got += len(block)
            yield block
            if time.monotonic() - began > self.patience.allowed(got):
                raise Interrupted("the answer comes too slowly")

    @contextmanager
    def _watched(self, seconds: float) -> Iterator[None]:
        """Cut the connections of this server after so many seconds: a head that comes byte by byte has no other limit."""
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        for each in list(self._sockets):
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # not the TLS layer's, which is not made for two threads


class _Feed:
    """A body of a known length for ``requests``."""

    def __init__(self, source: Reader, size: int, pace: Pace) -> None:
        self._source = source
        self._size = size
        self._pace = pace

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(BLOCK), b"")

    def read(self, size: int = BLOCK) -> bytes:
        """Return the next bytes."""
        block = self._source.read(size if self._pace.rate is None else min(size, self._pace.chunk))
        self._pace.spend(len(block))
        return block


class _Header(requests.auth.AuthBase):
    """Sets our header or none; given always, because requests would else look into ``.netrc``."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the header."""
        r.headers.pop("Authorization", None)
        if self._value is not None:
            r.headers["Authorization"] = self._value
        return r


class _Adapter(HTTPAdapter):
    """Remembers its sockets, sends in large blocks, and leaves trying again to us."""

    def __init__(self, sockets: weakref.WeakSet[socket.socket]) -> None:
        self._sockets = sockets
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **more, blocksize=BLOCK)  # type: ignore[no-untyped-call]
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        """Return the pools of connections through a proxy that the environment names."""
        manager = super().proxy_manager_for(*args, **more)
        self._watch(manager)
        return manager

    def _watch(self, manager: Any) -> None:
        kinds = manager.pool_classes_by_scheme
        manager.pool_classes_by_scheme = {scheme: _watching(kind, self._sockets) for scheme, kind in kinds.items()}


def _watching(kind: Any, sockets: weakref.WeakSet[socket.socket]) -> Any:
    """Return a class of connection pools whose connections put their sockets into ``sockets`` and believe whole heads only."""

    def connect(self: Any) -> None:
        kind.ConnectionCls.connect(self)
        sockets.add(self.sock)

    connections = type("Watched", (kind.ConnectionCls,), {"connect": connect, "response_class": Whole})
    return type("WatchedPool", (kind,), {"ConnectionCls": connections})


@contextmanager
def _interruptions() -> Iterator[None]:
    """Turn what the libraries raise into Interrupted, or Refused where a certificate is not to be trusted."""
    try:
        yield
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader) as error:
        raise UsageError(f"this cannot be sent ({clean(type(error).__name__)})") from None
    except (requests.RequestException, HTTPError, OSError) as error:
        chain = list(_causes(error))
        untrusted = next((each for each in chain if isinstance(each, ssl.SSLCertVerificationError)), None)
        if untrusted is not None:
            raise Refused(
                f"its certificate is not to be trusted ({clean(untrusted.verify_message or untrusted)})",
                hint="ask who runs it; for an authority of your facility's own: ca_bundle in nffa.toml",
            ) from None
        away = any(isinstance(each, (NewConnectionError, ConnectTimeoutError)) for each in chain)
        raise (Away if away else Interrupted)(_reason(chain)) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that it was made of."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _reason(chain: list[BaseException]) -> str:
    for kind, words in (
        (requests.exceptions.ProxyError, "the proxy of the environment does not let it through"),
        (socket.gaierror, "the host's name is not known (no network?)"),
        (ConnectionRefusedError, "nothing listens there"),
        (requests.exceptions.ConnectTimeout, "no connection within the time"),
        (requests.exceptions.Timeout, "no answer within the time"),
        (TimeoutError, "no answer within the time"),
        (requests.exceptions.SSLError, "the TLS handshake failed"),
    ):
        if any(isinstance(each, kind) for each in chain):
            return words
    return f"the connection broke ({clean(type(chain[-1]).__name__)})"


def _same(address: str, mine: str) -> bool:
    try:
        return origin(address) == mine
    except UsageError:
        return False


def _answer(response: requests.Response, body: bytes) -> Answer:
    return Answer(response.status_code, response.headers, body, response.url.partition("?")[0])


def _whole(blocks: Iterator[bytes]) -> bytes:
    found = bytearray()
    for block in blocks:
        found += block
        if len(found) > LARGEST:
            raise Malformed(f"the answer has more than {LARGEST >> 20} MiB")
    return bytes(found)


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("Content-Type", "").casefold()


def _with_value(answer: Answer) -> Answer:
    kind = answer.headers.get("Content-Type", "")
    if "json" not in kind:
        what = "a web page" if _is_page(answer) else f"{clean(kind, 60) or 'something'}"
        raise Malformed(f"it answers {what} where JSON was expected: is this the address of the service?")
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Malformed("it answers JSON that is broken") from None
    return Answer(answer.status, answer.headers, answer.body, answer.where, value)
