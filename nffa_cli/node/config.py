"""What one node runs with; made once by the command and never changed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import Request

from nffa_cli.errors import UsageError
from nffa_cli.repositories import HOSTS

MIB = 1024 * 1024
SCOPES = ("openid", "offline_access", "profile")
"""What a login asks an issuer for: who it is, to be asked no more for a while, and a name."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """An issuer of OpenID Connect whose tokens the node takes beside its own; made by ``issuer_of``.

    issuer
        Its address, without a slash at the end.
    client
        As what it knows the programs that log in to this node.
    scopes
        What they ask it for.
    opaque
        Tokens that are no JWT count too: it is asked whose they are, and does not say for which client they were made.
    orcid_claim
        The claim whose ORCID iD says which person of the registry somebody is; None: only issuer and subject do.
    """

    issuer: str
    client: str
    scopes: tuple[str, ...] = SCOPES
    opaque: bool = False
    orcid_claim: str | None = None


def issuer_of(
    *, oidc_issuer: str | None, oidc_client_id: str | None, oidc_scopes: tuple[str, ...], oidc_opaque: bool,
    oidc_orcid_claim: str | None,
) -> Oidc | None:  # fmt: skip
    """Return which issuer is meant; ``oidc_scopes`` are those besides the usual ones.

    Raises
    ------
    UsageError
        Its address is none that tokens may be trusted by, or only a part of it was said.
    """
    if not oidc_issuer and not oidc_client_id:
        if oidc_scopes or oidc_opaque or oidc_orcid_claim:
            raise UsageError("which issuer?", hint="--oidc-issuer URL --oidc-client-id ID")
        return None
    if not oidc_issuer or not oidc_client_id:
        raise UsageError("an issuer takes both --oidc-issuer and --oidc-client-id")
    scopes = tuple(dict.fromkeys((*SCOPES, *oidc_scopes)))
    return Oidc(issuer_named(oidc_issuer), oidc_client_id, scopes, oidc_opaque, oidc_orcid_claim)


def issuer_named(address: str) -> str:
    """Return the address of an issuer in the one form.

    Raises
    ------
    UsageError
        It is none: https, or this machine; no user, query or fragment; at most 100 characters, as external ids have.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise UsageError("this is no address of an issuer") from None
    plain = address.isascii() and address.isprintable() and " " not in address and len(address) <= 100
    if not plain or not host or "@" in parts.netloc or "?" in address or "#" in address:
        raise UsageError(
            "this is no address of an issuer", where=host, hint="such as https://login.example.org/realms/x"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError("whoever is between could make tokens of this issuer", where=host, hint="https://...")
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a node.

    data
        Its folder: database (unless ``database`` says otherwise), bytes, lock.
    database
        Address of a PostgreSQL database; None: SQLite in ``data``.
    base_url
        The address that clients know it by, without a slash at the end; None: what a request came to.
    requests_per_minute
        Requests that one token, or one address without a token, may send in a minute.
    body_bytes
        Largest body of a request that is not a stream of data, in bytes.
    import_hosts
        Hosts, each with all below it, whose records may be fetched for an import; no other is ever asked.
    oidc
        Whose tokens count besides those of the node; None: nobody's.
    """

    data: Path
    database: str | None = None
    base_url: str | None = None
    name: str = "IDRP node"
    requests_per_minute: int = 60_000
    body_bytes: int = 16 * MIB
    single_shot_bytes: int = 64 * MIB
    upload_bytes: int = 5 * 1024 * 1024 * MIB
    idempotency_days: int = 7
    import_hosts: tuple[str, ...] = HOSTS
    oidc: Oidc | None = None

    @property
    def database_url(self) -> str:
        """Address of the database, whichever it is."""
        return self.database or f"sqlite:///{(self.data / 'node.sqlite').absolute()}"


def config(request: Request) -> Config:
    """Return the settings of the node that was asked (a FastAPI dependency)."""
    found: Config = request.app.state.config
    return found
