"""The door of PyJWT: which JSON Web Tokens of an issuer are good for us; asks nobody.

Signed with one of three algorithms by a key that the issuer publishes and that fits the algorithm: never unsigned, never
by a shared secret. Accounts are found elsewhere (``accounts``), keys fetched elsewhere (``issuer``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from nffa_cli.errors import ConfigError

FITTING: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Algorithm → type and curve of its keys."""
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token's header may call it: ID and access tokens; not one of logging out, of proof, ..."""
RSA_BITS = 2048
LEEWAY = 30
"""Seconds that the issuer's clock may be off."""
SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)

log = logging.getLogger("nffa.node")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that an issuer publishes, for one algorithm."""

    id: str | None
    algorithm: str
    public: Any = field(repr=False)


def at_hand() -> None:
    """Refuse to begin without PyJWT and the package it verifies with.

    Raises
    ------
    ConfigError
        One of them is not installed.
    """
    if any(find_spec(name) is None for name in ("jwt", "cryptography")):
        raise ConfigError("tokens of an issuer need the package PyJWT", hint="pip install 'nffa-cli[oidc]'")


def keys(published: Iterable[Any]) -> tuple[Key, ...]:
    """Return the keys of a JSON Web Key Set that signatures are verified with; what does not fit is left out."""
    from jwt import PyJWK, PyJWTError

    found = []
    for each in published:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or "d" in each:
            continue
        for algorithm, fitting in FITTING.items():
            if (each.get("kty"), each.get("crv")) != fitting or each.get("alg", algorithm) != algorithm:
                continue
            with suppress(PyJWTError, ValueError, TypeError, KeyError, AttributeError):
                public = PyJWK(each, algorithm).key
                if fitting[0] != "RSA" or public.key_size >= RSA_BITS:
                    found.append(Key(each.get("kid"), algorithm, public))
    return tuple(found)


def head(token: str) -> tuple[str, str | None] | None:
    """Return by which algorithm and key a token says it is signed; None: in a way that we do not take.

    ``("", None)`` stands for a token that is no JWT at all.
    """
    from jwt import PyJWTError, get_unverified_header

    if not SHAPE.fullmatch(token):
        return "", None
    try:
        said = get_unverified_header(token)
    except (PyJWTError, ValueError, TypeError, RecursionError):
        return None
    algorithm, kid, called = str(said.get("alg")), said.get("kid"), str(said.get("typ", "JWT"))
    good = algorithm in FITTING and called.lower() in TYPES and isinstance(kid, str | None)
    return (algorithm, kid) if good else None


def claims(token: str, key: Key, *, issuer: str, client: str) -> dict[str, Any] | None:
    """Return what a token claims; None: its signature, issuer, time or audience is wrong, and the log says which."""
    import jwt

    options: Any = {"require": ["exp", "iss", "sub"], "verify_aud": False}
    try:
        said = jwt.decode(token, key.public, [key.algorithm], options, issuer=issuer, leeway=LEEWAY)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        log.info("a token is not taken: %s", type(error).__name__)
        return None
    if for_us(said, client):
        return said
    log.info("a token is not taken: it was not made for the client %s", client)
    return None


def for_us(said: Mapping[str, Any], client: str) -> bool:
    """Tell whether a token was made for us: by the client it was given to where it says so, else by whom it is meant for.

    One that is bound to a key of its holder (``cnf``) is no bearer token.
    """
    if "cnf" in said:
        return False
    party = said.get("azp", said.get("client_id"))
    meant = said.get("aud")
    return party == client if party is not None else client in (meant if isinstance(meant, list) else [meant])
