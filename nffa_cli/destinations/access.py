"""How a destination is connected to: its own token, certificates, pace; ``options`` that every kind over HTTP knows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from nffa_cli import secrets
from nffa_cli.destinations.answers import authorisation
from nffa_cli.destinations.http import Authorise, Connection
from nffa_cli.destinations.patience import Patience
from nffa_cli.destinations.registry import Place
from nffa_cli.errors import ConfigError

OPTIONS: dict[str, Any] = {"ca_bundle": str, "patience": (int, float)}
"""File of certificates to trust instead of the system's; seconds until a server without an answer is unreachable."""


def connection(place: Place, address: str, *, more: Collection[str] = ()) -> Connection:
    """Return the connection to a place; ``more``: options that its own kind knows.

    Raises
    ------
    ConfigError
        An option that there is not, or of another type.
    """
    for name, value in place.options.items():
        if name in OPTIONS and (isinstance(value, bool) or not isinstance(value, OPTIONS[name])):
            raise ConfigError(f"{name} of destination {place.name} cannot be {value!r}", where="nffa.toml")
        if name not in OPTIONS and name not in more:
            known = ", ".join(sorted({*OPTIONS, *more}))
            raise ConfigError(f"destination {place.name} knows no {name}", where="nffa.toml", hint=f"known: {known}")
    given = place.options.get("patience")
    return Connection(
        address,
        authorise=authorised(address, ca_bundle(place)),
        ca_bundle=ca_bundle(place),
        patience=Patience(budget=float(given)) if given is not None else None,
        pace=place.pace,
    )


def ca_bundle(place: Place) -> Path | None:
    """Return the file of certificates that a place trusts instead of the system's."""
    found = place.options.get("ca_bundle")
    return Path(found).expanduser() if isinstance(found, str) and found else None


def authorised(address: str, certificates: Path | None = None) -> Authorise:
    """Return what gives the Authorization header for an address: its token as it is kept, or a fresh one of its provider."""
    held: list[str | None] = []

    def authorise(fresh: bool) -> str | None:
        if fresh or not held:
            found = secrets.find(address)
            held[:] = [None if found is None else _header(address, found[0], certificates)]
        return held[0]

    return authorise


def _header(address: str, secret: secrets.Secret, certificates: Path | None) -> str | None:
    if secret.refresh is not None:
        from nffa_cli.destinations import oidc

        return authorisation(oidc.refreshed(address, secret, certificates))
    return authorisation(secret.token) if secret.token is not None else None
