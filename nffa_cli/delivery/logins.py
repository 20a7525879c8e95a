"""Logging in to a destination and out of it: a token is tried before it is kept, and never shown again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nffa_cli import portal, secrets, settings
from nffa_cli.delivery.syncing import configured
from nffa_cli.destinations import access, oidc, registry
from nffa_cli.destinations.answers import authorisation, clean
from nffa_cli.destinations.dav import Dav
from nffa_cli.destinations.http import Connection
from nffa_cli.destinations.idrp import Idrp, base
from nffa_cli.destinations.patience import Patience
from nffa_cli.destinations.registry import Place
from nffa_cli.destinations.webdav import WebDav
from nffa_cli.errors import NffaError, Refused, UsageError

PATIENCE = Patience(budget=15.0)
"""Somebody waits at the keyboard."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a server now, and where the secret is kept (``file`` deserves a word)."""

    address: str
    kept: secrets.Kept
    who: Mapping[str, Any] = field(default_factory=dict)


def place(wanted: str | None) -> Place:
    """Return the destination that is meant: by name or address, or the only one that is configured over a network.

    Raises
    ------
    UsageError
        There is none, or more than one, or it needs no login.
    """
    found = [each for each in registry.chosen(wanted, configured()) if wanted is not None or each.kind != "folder"]
    if len(found) != 1:
        names = ", ".join(each.name for each in found) or "none is configured"
        raise UsageError(f"log in where? ({names})", hint="nffa login https://NODE")
    if found[0].kind == "folder":
        raise UsageError("a folder needs no login", where=found[0].address)
    return found[0]


def login(at: Place, token: str) -> Login:
    """Try a token and keep it.

    Raises
    ------
    Refused
        The server does not take it; nothing is kept.
    """
    secrets.checked(token)
    header = authorisation(token)
    who = _who(at, lambda fresh: header)
    return Login(_address(at), secrets.keep(_address(at), secrets.Secret(token)), who)


def login_by_device(at: Place, show: Callable[[oidc.Code], None], issuer: str | None, client: str | None) -> Login:
    """Log in at the provider that the server names (or that is given) by the device flow, and keep what it gives.

    Raises
    ------
    UsageError
        Nobody says which provider.
    Refused
        The provider or the server says no.
    """
    ca_bundle = access.ca_bundle(at)
    scopes: tuple[str, ...] = oidc.SCOPES
    if issuer is None or client is None:
        connection = Connection(base(_address(at)), ca_bundle=ca_bundle, patience=PATIENCE)
        said = connection.send("GET", "", wants_json=True).value
        about = said.get("oidc") if isinstance(said, dict) else None
        if not isinstance(about, dict) or not about.get("issuer") or not about.get("clientId"):
            what = "this server names no provider to log in at"
            raise UsageError(
                what, where=_address(at), hint="nffa login ADDRESS asks for a token; or --issuer, --client-id"
            )
        issuer, client = str(about["issuer"]), str(about["clientId"])
        scopes = tuple(dict.fromkeys((*scopes, *(str(each) for each in about.get("scopes") or ()))))
    tokens = oidc.login(issuer, client, show, scopes=scopes, ca_bundle=ca_bundle)
    if tokens.refresh is None:
        raise Refused("the provider gives no refresh token", where=issuer, hint="ask who runs it for offline_access")
    header = authorisation(tokens.access)
    who = _who(at, lambda fresh: header)
    kept = secrets.keep(_address(at), secrets.Secret(None, tokens.refresh, issuer, client))
    return Login(_address(at), kept, who)


def logout(at: Place) -> tuple[bool, str | None]:
    """Forget the secret of a server; also says why a provider could not be told (None: it was, or need not be)."""
    trouble, address = None, _address(at)
    found = secrets.find(address, {})
    if found is not None and found[0].refresh is not None:
        try:
            oidc.revoked(found[0], access.ca_bundle(at))
        except NffaError as error:
            trouble = str(error)
    return secrets.forget(address), trouble


def told(who: Mapping[str, Any]) -> str:
    """Return who we are, for a person."""
    person = who.get("person")
    name = person.get("familyName") if isinstance(person, dict) else None
    roles = ", ".join(clean(role, 40) for role in who.get("roles", ()))
    return clean(name or who.get("folder") or "somebody", 100) + (f" ({roles})" if roles else "")


def _who(at: Place, authorise: Callable[[bool], str | None]) -> Mapping[str, Any]:
    address = _address(at)
    if at.kind == "idrp" and portal.is_portal(address, values := settings.load()) and at not in configured():
        portal.try_token(values, authorise)
        return {"person": {"familyName": "somebody whom the portal answers"}}
    if at.kind == "idrp":
        address = base(address)
    connection = Connection(address, authorise=authorise, ca_bundle=access.ca_bundle(at), patience=PATIENCE)
    if at.kind == "webdav":
        return WebDav(at.name, Dav(connection)).whoami()
    return Idrp(at.name, connection).whoami()


def _address(at: Place) -> str:
    return re.sub(r"^dav(s?)://", r"http\1://", at.address)
