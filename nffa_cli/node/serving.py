"""Serving: uvicorn over the app, on an address that is safe to listen on; says where once it answers, stops gracefully."""

from __future__ import annotations

import gc
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from nffa_cli.catalogue.lock import locked
from nffa_cli.errors import LockedError, NffaError, UsageError
from nffa_cli.node.app import create_app
from nffa_cli.node.config import Config, is_loopback

LAST_ANSWERS = 60
"""Seconds that running requests have when the node is told to stop."""
COLLECTING = (10_000, 20, 20)
"""How rarely Python looks for rings of objects: a manifest is some 100,000 objects, and of a node's time a fifth went there."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where and how to listen.

    port
        0: any free one.
    behind_proxy
        Somebody else speaks TLS with the clients; what ``X-Forwarded-For`` and ``-Proto`` say is believed of a proxy on this
        machine, or of those that the variable ``FORWARDED_ALLOW_IPS`` lists.
    """

    host: str = "127.0.0.1"
    port: int = 8161
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False


def serve(config: Config, listen: Listen, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, then let running requests end; ``ready`` is told the address when it answers.

    Raises
    ------
    UsageError
        Tokens would travel in the clear, or certificate and key do not fit; nothing was started.
    LockedError
        Another process serves this folder.
    NffaError
        The address cannot be listened on.
    """
    check(listen)
    with ExitStack() as held:
        config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not held.enter_context(locked(config.data / "lock")):
            raise LockedError("another process serves this folder", where=str(config.data), hint="stop it first")
        door = held.enter_context(_bound(listen))
        host, port = door.getsockname()[:2]
        scheme = "https" if listen.certificate else "http"
        address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        settings = uvicorn.Config(
            create_app(config), log_config=None, access_log=False, server_header=False, date_header=True, lifespan="on",
            ssl_certfile=listen.certificate, ssl_keyfile=listen.key, proxy_headers=listen.behind_proxy,
            timeout_graceful_shutdown=LAST_ANSWERS, timeout_keep_alive=75,
        )  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _heard)
        gc.collect()
        gc.freeze()  # what is loaded stays, and need not be looked through anew after every large manifest
        gc.set_threshold(*COLLECTING)
        Server(settings, lambda: ready(config.base_url or address)).run(sockets=[door])


class Server(uvicorn.Server):
    """A uvicorn server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def check(listen: Listen) -> None:
    """Refuse to listen where tokens would travel in the clear.

    Raises
    ------
    UsageError
        That is so, or certificate and key are not both there and good.
    """
    if bool(listen.certificate) != bool(listen.key):
        raise UsageError("TLS takes both --tls-cert and --tls-key")
    if listen.certificate and listen.key:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(listen.certificate, listen.key, password="")
        except (OSError, ssl.SSLError) as error:
            what = f"certificate and key cannot be used ({error.strerror or error})"
            raise UsageError(
                what, where=str(listen.certificate), hint="both as PEM, the key without a password"
            ) from None
    elif not listen.behind_proxy and not is_loopback(listen.host):
        hint = "give --tls-cert and --tls-key; or --behind-proxy, where a proxy speaks TLS with the clients"
        raise UsageError("tokens would travel in the clear", where=listen.host, hint=hint)


def _bound(listen: Listen) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(listen.host, listen.port, type=socket.SOCK_STREAM)[0]
        door = socket.socket(family, kind, protocol)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where SO_REUSEADDR lets two listen
                door.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
        except BaseException:
            door.close()
            raise
    except (OSError, OverflowError) as error:
        what = f"cannot listen there ({getattr(error, 'strerror', None) or error})"
        raise NffaError(
            what, where=f"{listen.host}:{listen.port}", hint="is it in use? --port 0 takes a free one"
        ) from None
    return door


def _heard(_number: int, _frame: object) -> None:
    """Do nothing: uvicorn has its own handlers while it runs, and repeats the signal for ours when all is done."""
