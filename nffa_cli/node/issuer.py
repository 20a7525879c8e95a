"""The issuer of OpenID Connect that a node trusts: found by discovery, asked for its keys, and whose an opaque token is.

It may be slow, down or wrong. What it said is remembered; few requests at a time wait for it, all others are told at once to
come again, so that those with a token of the node's own never wait. Every address is on the issuer's own host, no redirect
is followed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from nffa_cli import __version__
from nffa_cli.node import bearers
from nffa_cli.node.config import MIB, Oidc, is_loopback
from nffa_cli.node.problems import Problem

log = logging.getLogger("nffa.node")
FRESH, KEPT = 600.0, 86_400.0
"""Seconds after which its keys are asked for anew, and for which they hold where it does not answer."""
PAUSE, PATIENT = 10.0, 60.0
"""Seconds between two tries, and where what is held will do."""
OPAQUE_FOR, OPAQUE_MOST = 60.0, 2_000
"""Seconds for which an answer about an opaque token holds, and how many are remembered."""
WAITING = 8
"""Requests that may wait for it at once."""
SECONDS, WHOLE = 5.0, 10.0
"""For how long it may say nothing, and an answer may take."""


class Silent(Exception):
    """It does not answer, or not as OpenID Connect says."""


@dataclass(frozen=True, slots=True)
class Known:
    """What it said of itself; ``at``: when, by the clock of ``Issuer``."""

    name: str
    userinfo: str | None
    keys: tuple[bearers.Key, ...]
    at: float


Ask = Callable[[str, str | None], tuple[int, Any]]
"""Address, token → status and JSON; raises ``Silent``."""


class Issuer:
    """One issuer, as the node knows it now; used by many threads."""

    def __init__(self, settings: Oidc, *, clock: Callable[[], float] = time.monotonic, ask: Ask | None = None) -> None:
        self.settings, self._clock, self._ask = settings, clock, ask or asked
        self._known: Known | None = None
        self._tried, self._silent = float("-inf"), False
        self._turn, self._noting = threading.Lock(), threading.Lock()
        self._door = threading.BoundedSemaphore(WAITING)
        self._opaque: dict[str, tuple[float, dict[str, Any] | None]] = {}

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return what the issuer says of the holder of a token; None: the token is not good.

        Raises
        ------
        Problem
            503: the issuer has to be asked and does not answer.
        """
        found = bearers.head(token)
        if found is None:
            return None
        algorithm, kid = found
        if not algorithm:
            if self.settings.opaque:
                return self.userinfo(token)
            log.info("a token is not taken: it is no JWT (--oidc-opaque)")
            return None
        known = self._knowing(lambda held: _key(held, algorithm, kid) is not None)
        key = _key(known, algorithm, kid)
        if key is None:
            if self._silent:  # it may have changed its keys since
                raise unavailable()
            return None
        return bearers.claims(token, key, issuer=known.name, client=self.settings.client)

    def userinfo(self, token: str) -> dict[str, Any] | None:
        """Return what its userinfo endpoint says of a token; None: it does not take it. Raises as ``claims``."""
        digest, now = hashlib.sha256(token.encode()).hexdigest(), self._clock()
        until, said = self._opaque.get(digest, (now, None))
        if until > now:
            return said
        where = self._knowing(lambda _: True).userinfo
        if where is None:
            return None
        with _Entered(self._door):
            try:
                status, said = self._ask(where, token)
                refuses = 400 <= status < 500 and status != 429
                if not refuses and (status != 200 or not isinstance(said, dict)):
                    raise Silent(f"its userinfo endpoint answers {status}, not with JSON of OpenID Connect")
            except Silent as error:
                log.warning("the issuer %s: %s", self.settings.issuer, error)
                raise unavailable() from None
        said = None if refuses else {name: each for name, each in said.items() if isinstance(each, str)}
        with self._noting:
            while len(self._opaque) >= OPAQUE_MOST:
                del self._opaque[next(iter(self._opaque))]
            self._opaque[digest] = now + OPAQUE_FOR, said
        return said

    def _knowing(self, enough: Callable[[Known], bool]) -> Known:
        """Return what it says of itself, asked anew where that is old or not ``enough``, at most once in ``PAUSE``."""
        known = self._known
        if known is None or not enough(known) or self._clock() - known.at > FRESH:
            if known is None or not enough(known):
                with _Entered(self._door), self._turn:
                    self._renew(known, PAUSE)
            elif self._turn.acquire(blocking=False):  # what is held will do for the others meanwhile
                try:
                    self._renew(known, PATIENT)
                finally:
                    self._turn.release()
        known = self._known
        if known is None or self._clock() - known.at > KEPT:
            raise unavailable()
        return known

    def _renew(self, seen: Known | None, pause: float) -> None:
        """Ask, unless somebody did meanwhile or only just did."""
        if self._known is not seen or self._clock() - self._tried < pause:
            return
        self._tried = self._clock()
        try:
            self._known, silent = self._discovered(), False
        except Silent as error:
            log.warning("the issuer %s: %s", self.settings.issuer, error)
            silent = True
        self._silent = silent

    def _discovered(self) -> Known:
        issuer = self.settings.issuer
        found = self._document(f"{issuer}/.well-known/openid-configuration")
        name = found.get("issuer")
        if not isinstance(name, str) or name.rstrip("/") != issuer:
            raise Silent("its discovery document is of another issuer")
        addresses = [found.get(each) for each in ("jwks_uri", "userinfo_endpoint")]
        jwks, userinfo = (
            each if isinstance(each, str) and _origin(each) == _origin(issuer) else None for each in addresses
        )
        if jwks is None:
            raise Silent("its discovery document names no keys on its own host")
        published = self._document(jwks).get("keys")
        keys = bearers.keys(published if isinstance(published, list) else ())
        if not keys:
            raise Silent(f"it publishes no key for {', '.join(bearers.FITTING)}")
        return Known(name, userinfo, keys, self._clock())

    def _document(self, address: str) -> dict[str, Any]:
        status, found = self._ask(address, None)
        if status != 200 or not isinstance(found, dict):
            raise Silent(f"it answers {status}, not with what OpenID Connect says, at {urlsplit(address).path[:200]}")
        return found


class _Entered:
    """One of the few that may wait for the issuer; the others are not let in."""

    def __init__(self, door: threading.BoundedSemaphore) -> None:
        self._door = door

    def __enter__(self) -> None:
        if not self._door.acquire(blocking=False):
            raise unavailable()

    def __exit__(self, *_: object) -> None:
        self._door.release()


def unavailable() -> Problem:
    """Return the problem of a token that nobody can judge now."""
    detail = "the identity provider does not answer; try again. Tokens of the node itself (nffa_...) go on working"
    return Problem(503, "Identity provider unavailable", detail, headers={"Retry-After": str(int(PAUSE))})


def asked(address: str, token: str | None) -> tuple[int, Any]:
    """Ask one address, with a token where there is one; return status and JSON (None: it is none)."""
    headers = {"Accept": "application/json", "User-Agent": f"nffa/{__version__}"}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310  (https, or this machine: see Oidc)
    if token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    how: list[urllib.request.BaseHandler] = [_Staying()]
    if is_loopback(urlsplit(address).hostname or ""):
        how.append(urllib.request.ProxyHandler({}))
    if address.startswith("https:"):
        how.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    opener = urllib.request.build_opener(*how)
    began = time.monotonic()
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            body = b""
            while (more := answer.read1(65_536)) and len(body) <= MIB and time.monotonic() - began < WHOLE:
                body += more
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, None
    except (OSError, HTTPException) as error:
        raise Silent(f"it cannot be reached ({type(getattr(error, 'reason', error)).__name__})") from None
    except ValueError:
        raise Silent("its answer is no HTTP") from None
    if more:
        raise Silent("its answer is too large or takes too long")
    try:
        return answer.status, json.loads(body)
    except (ValueError, RecursionError):
        return answer.status, None


class _Staying(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect: it is answered as it is."""


def _key(known: Known, algorithm: str, kid: str | None) -> bearers.Key | None:
    """Return the key that a token names; one that names none is of the only key there is for its algorithm."""
    found = [each for each in known.keys if each.algorithm == algorithm and kid in (None, each.id)]
    return found[0] if found and (kid is not None or len(found) == 1) else None


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc
