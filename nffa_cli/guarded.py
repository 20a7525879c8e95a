"""One document from a host that is on a list, over TLS, from an address that was looked at before; standard library only.

For addresses that strangers may have given us. The name is resolved once, every address it has must be public, and the
connection goes to the very address that was judged, so that a second look-up cannot answer otherwise. A redirect is
followed only to the same host. No token is ever sent, no proxy is used.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from nffa_cli import __version__, spoken
from nffa_cli.errors import Unreachable, UsageError

LARGEST = 5 << 20
"""Most bytes of a document."""
SECONDS = 30.0
"""For how long a server may say nothing."""
WHOLE = 60.0
"""For how long an answer may take, however its bytes drip."""
REDIRECTS = 3
_SHARED = ipaddress.ip_network("100.64.0.0/10")
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""IPv6 that leads to an IPv4 address, which may be a private one."""

Resolve = Callable[..., list[Any]]
Connect = Callable[..., socket.socket]


def document(
    address: str, hosts: Iterable[str], *, accept: str = "application/json", context: ssl.SSLContext | None = None,
    resolve: Resolve | None = None, connect: Connect | None = None,
) -> bytes:  # fmt: skip
    """Return the bytes at an https address.

    Parameters
    ----------
    hosts
        Whom we ask: each name stands for itself and all below it.
    context, resolve, connect
        How TLS is judged, names are looked up and connections made; what Python does, except in tests.

    Raises
    ------
    UsageError
        The address is none that may be asked.
    Unreachable
        It does not answer, or not with a document of at most 5 MiB within a minute.
    """
    hosts = tuple(hosts)
    began = address
    for _ in range(REDIRECTS + 1):
        parts = allowed(address, hosts)
        place = public(parts, resolve or socket.getaddrinfo)
        status, target, body = _asked(parts, place, accept, context, connect or socket.create_connection)
        if status < 300:
            return body
        if not 300 <= status < 400 or not target:
            raise Unreachable(f"it answers {status}", where=told(address), hint="look at the address in a browser")
        address = urljoin(address, target)
        if urlsplit(address).hostname != parts.hostname:
            raise UsageError(
                "it redirects to another host", where=told(began), hint="give that address, if you trust it"
            )
    raise Unreachable(f"it redirects more than {REDIRECTS} times", where=told(began))


def told(address: str) -> str:
    """Return an address as it may be told: short, and without what may be secret."""
    return spoken.address(address)[:200]


def allowed(address: str, hosts: Iterable[str]) -> SplitResult:
    """Return the parts of an address that may be asked; raises UsageError for any other."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("this is no address", where=told(address)) from None
    if parts.scheme != "https":
        raise UsageError("only https is asked", where=told(address))
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address with a user or password is not asked", where=host)
    if not address.isascii() or any(character <= " " for character in address):
        raise UsageError("an address has no blanks and no letters but ASCII's", where=host)
    host = host.rstrip(".")
    if port not in (None, 443) or not any(host == each or host.endswith(f".{each}") for each in hosts):
        raise UsageError(
            f"{host or 'this'} is not on the list of hosts",
            where=told(address),
            hint=f"on it: {', '.join(hosts)}; import.hosts in nffa.toml adds to it",
        )
    return parts


def public(parts: SplitResult, resolve: Resolve) -> str:
    """Return the address to connect to; raises where any address of the name is not public."""
    host = parts.hostname or ""
    try:
        found = [entry[4][0] for entry in resolve(host, 443, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Unreachable("the host's name is not known (no network?)", where=host, hint="try again later") from error
    if not found:
        raise Unreachable("the host has no address", where=host)
    for each in found:
        if not is_public(str(each)):
            raise UsageError("the host's address is not a public one", where=f"{host} ({each})")
    return str(found[0])


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public network: not of this computer, this network or a reserved range."""
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address):
        inner = place.ipv4_mapped or place.sixtofour or (place.teredo[1] if place.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if any(place in network for network in _TRANSLATED):
            return False
    elif place in _SHARED:
        return False
    return place.is_global and not place.is_multicast and not place.is_reserved


class _Fixed(http.client.HTTPSConnection):
    """A connection to one IP address, with the certificate of the host's name."""

    def __init__(self, host: str, place: str, context: ssl.SSLContext, connect: Connect) -> None:
        super().__init__(host, 443, timeout=SECONDS, context=context)
        self._place = place
        self._connect = connect
        self._tls = context

    def connect(self) -> None:
        """Connect to the address that was judged, whatever the name leads to by now."""
        plain = self._connect((self._place, 443), SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()

    @contextmanager
    def for_a_while(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connection when the time is up; the event says that it was."""
        late = threading.Event()

        def cut() -> None:
            late.set()
            if self.sock is not None:
                with suppress(OSError):
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # TLS's own would take its words from under it

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()


def _asked(
    parts: SplitResult, place: str, accept: str, context: ssl.SSLContext | None, connect: Connect
) -> tuple[int, str | None, bytes]:
    connection = _Fixed(parts.hostname or "", place, context or ssl.create_default_context(), connect)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Accept": accept, "User-Agent": f"nffa/{__version__}", "Accept-Encoding": "identity"}
    late = threading.Event()
    try:
        with connection.for_a_while(WHOLE) as late:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(LARGEST + 1) if answer.status < 300 else b""
            target = answer.getheader("Location")
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            f"its certificate is not to be trusted ({error.verify_message})", where=parts.hostname
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set():
            raise _too_late(parts) from error
        raise Unreachable(
            f"it cannot be reached ({type(error).__name__})", where=parts.hostname, hint="try again later"
        ) from error
    finally:
        connection.close()
    if late.is_set():  # what came before it was cut may look whole
        raise _too_late(parts)
    if len(body) > LARGEST:
        raise Unreachable(f"it answers more than {LARGEST >> 20} MiB", where=parts.hostname)
    return answer.status, target, body


def _too_late(parts: SplitResult) -> Unreachable:
    return Unreachable(f"it takes more than {WHOLE:.0f} s", where=parts.hostname, hint="try again later")
