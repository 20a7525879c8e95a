"""Logging in at a provider of OpenID Connect by the device flow (RFC 8628): found by discovery, polled, refreshed.

A person opens an address on any device and types a code; no password ever comes here. Every endpoint must be on the
provider's own host. Refresh tokens are rotated: the new one is kept before the access token is used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nffa_cli import secrets
from nffa_cli.destinations.answers import Rejected, clean
from nffa_cli.destinations.http import Connection
from nffa_cli.errors import Refused, Unreachable

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = ("openid", "offline_access")
INTERVAL = 5.0
"""Seconds between two polls where the provider says nothing, and how many more after ``slow_down`` (RFC 8628, 3.5)."""
LONGEST = 1800.0
"""Seconds that a code is waited for at most."""
LOGIN = "log in again: nffa login ADDRESS --oidc"


@dataclass(frozen=True, slots=True)
class Provider:
    """What discovery found."""

    issuer: str
    token: str
    device: str | None
    revocation: str | None


@dataclass(frozen=True, slots=True)
class Code:
    """What a person needs: open ``address``, type ``code``."""

    address: str
    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gives; ``refresh``: None where the provider gives none."""

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


def provider(connection: Connection, issuer: str) -> Provider:
    """Find a provider's endpoints.

    Raises
    ------
    Refused
        It is not who it should be, or an endpoint is on another host.
    """
    found = connection.send("GET", ".well-known/openid-configuration", wants_json=True).value
    if not isinstance(found, dict) or str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise Refused("its discovery document is of another issuer", where=issuer)

    def endpoint(name: str) -> str | None:
        value = found.get(name)
        return connection.at(value) if isinstance(value, str) and "://" in value else None

    token = endpoint("token_endpoint")
    if token is None:
        raise Refused("its discovery document names no token endpoint", where=issuer)
    return Provider(issuer, token, endpoint("device_authorization_endpoint"), endpoint("revocation_endpoint"))


def login(
    issuer: str,
    client: str,
    show: Callable[[Code], None],
    *,
    scopes: tuple[str, ...] = SCOPES,
    ca_bundle: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Tokens:
    """Log a person in; ``show`` is told what to open and what to type there.

    Raises
    ------
    Refused
        The provider has no device flow, or the person said no, or waited too long.
    """
    connection = Connection(issuer, ca_bundle=ca_bundle)
    at = provider(connection, issuer)
    if at.device is None:
        raise Refused("the provider offers no device flow", where=issuer, hint="get a token there: nffa login ADDRESS")
    asked = _post(connection, at.device, {"client_id": client, "scope": " ".join(scopes)}, again=True)
    device, wait, left = (
        asked.get("device_code"),
        _seconds(asked, "interval", INTERVAL),
        _seconds(asked, "expires_in", 0),
    )
    show(_code(asked, issuer))
    if not isinstance(device, str):
        raise Refused("the provider gives no device code", where=issuer)
    until = clock() + min(left or LONGEST, LONGEST)
    while clock() < until:
        sleep(wait)
        try:
            return _tokens(
                _post(connection, at.token, {"grant_type": DEVICE, "device_code": device, "client_id": client})
            )
        except Unreachable:
            wait = min(2 * wait, 60)  # RFC 8628, 3.5: slower when it does not answer
        except Rejected as error:
            said = error.answer.problem().get("error")
            if said == "slow_down":
                wait += INTERVAL
            elif said == "access_denied":
                raise Refused("the login was denied there", where=issuer, hint=LOGIN) from None
            elif said == "expired_token":
                break
            elif said != "authorization_pending":
                raise
    raise Refused("nobody confirmed the code in time", where=issuer, hint=LOGIN)


def refreshed(address: str, secret: secrets.Secret, ca_bundle: Path | None = None) -> str:
    """Return a new access token for an address; a new refresh token is kept first.

    Raises
    ------
    Refused
        The provider does not know the refresh token any more.
    """
    if secret.issuer is None or secret.client is None or secret.refresh is None:
        raise Refused("what is kept of the login is not whole", where=address, hint=LOGIN)
    connection = Connection(secret.issuer, ca_bundle=ca_bundle)
    at = provider(connection, secret.issuer)
    form = {"grant_type": "refresh_token", "refresh_token": secret.refresh, "client_id": secret.client}
    try:
        tokens = _tokens(_post(connection, at.token, form))
    except Rejected as error:
        if error.answer.problem().get("error") != "invalid_grant":
            raise
        found = secrets.find(address)
        if found is not None and found[0].refresh not in (None, secret.refresh):
            return refreshed(address, found[0], ca_bundle)  # another run was quicker
        raise Refused("the login has ended", where=secret.issuer, hint=LOGIN) from None
    if tokens.refresh not in (None, secret.refresh):
        secrets.keep(address, secrets.Secret(None, tokens.refresh, secret.issuer, secret.client))
    return tokens.access


def revoked(secret: secrets.Secret, ca_bundle: Path | None = None) -> bool:
    """Tell the provider to forget a login; False: it does not take that."""
    if secret.issuer is None or secret.client is None or secret.refresh is None:
        return False
    connection = Connection(secret.issuer, ca_bundle=ca_bundle)
    at = provider(connection, secret.issuer).revocation
    if at is None:
        return False
    form = {"token": secret.refresh, "token_type_hint": "refresh_token", "client_id": secret.client}
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.send("POST", at, body=urlencode(form).encode("ascii"), headers=head, again=True)
    return True


def _post(connection: Connection, where: str, form: Mapping[str, str], *, again: bool = False) -> dict[str, Any]:
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form).encode("ascii")
    answer = connection.send("POST", where, body=body, headers=head, again=again, wants_json=True)
    if not isinstance(answer.value, dict):
        raise Refused("the provider's answer is not what OAuth says", where=answer.where)
    return answer.value


def _tokens(found: Mapping[str, Any]) -> Tokens:
    access, refresh = found.get("access_token"), found.get("refresh_token")
    if not isinstance(access, str) or str(found.get("token_type", "")).casefold() != "bearer":
        raise Refused("the provider gives no bearer token")
    return Tokens(access, refresh if isinstance(refresh, str) else None)


def _code(asked: Mapping[str, Any], issuer: str) -> Code:
    address, code = clean(asked.get("verification_uri", "")), clean(asked.get("user_code", ""), 40)
    if not address.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")) or not code:
        raise Refused("the provider says neither where to go nor what to type", where=issuer)
    return Code(address, code, _seconds(asked, "expires_in", LONGEST))


def _seconds(found: Mapping[str, Any], name: str, usual: float) -> float:
    value = found.get(name)
    return float(value) if isinstance(value, (int, float)) and 0 < value < 1e6 else usual
