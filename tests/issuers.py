"""A small issuer of OpenID Connect for tests: its own keys, whatever token one wants, and moods in which it answers wrongly."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from contextlib import contextmanager
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.wire.answering import Said, answering, said_json

MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS512": lambda: rsa.generate_private_key(65537, 2048),
    "weak": lambda: rsa.generate_private_key(65537, 1024),
}


@cache
def key(name, algorithm="RS256"):
    """Return the private key of a name."""
    return MAKERS[algorithm]()


def published(name, algorithm="RS256", **more):
    """Return a key as a JSON Web Key."""
    signs = {"weak": "RS256"}.get(algorithm, algorithm)
    maker = jwt.get_algorithm_by_name(signs)
    return {**maker.to_jwk(key(name, algorithm).public_key(), as_dict=True), "kid": name, "use": "sig", **more}


def pem(name):
    """Return a public key as the text that a careless verifier would take for a shared secret."""
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key(name).public_key().public_bytes(*form)


def base64url(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(head, claims, secret=None):
    """Return a token that no library would make: unsigned, or signed with a secret."""
    text = f"{base64url(head)}.{base64url(claims)}"
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), hashlib.sha256)) if secret else ''}"


class Issuer:
    """What one issuer says; ``keys``, ``people`` (token → claims), ``mood`` and ``me`` (the same for that endpoint) can be
    changed at any time."""

    def __init__(self):
        self.keys, self.people, self.mood, self.discovery, self.heard = [published("one")], {}, None, {}, []
        self.me = None

    def __call__(self, asked):
        self.heard.append(asked.path)
        if self.mood is not None:
            return self.mood
        if asked.path.endswith("openid-configuration"):
            ends = {"jwks_uri": f"{self.url}/jwks", "userinfo_endpoint": f"{self.url}/me"}
            return said_json({"issuer": self.url, **ends, **self.discovery})
        if asked.path == "/jwks":
            return said_json({"keys": self.keys})
        who = self.people.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        return self.me or (said_json(who) if who else Said(401))

    def claims(self, **more):
        """Return what a good token claims; None takes a claim away."""
        said = {"iss": self.url, "sub": "ada-1", "aud": "node", "exp": int(time.time()) + 300, **more}
        return {name: value for name, value in said.items() if value is not None}

    def token(self, signed_by="one", algorithm="RS256", head=None, **more):
        """Return a token."""
        about = {name: value for name, value in {"kid": signed_by, **(head or {})}.items() if value is not None}
        return jwt.encode(self.claims(**more), key(signed_by, algorithm), algorithm, about)


@contextmanager
def issuing():
    """Serve an issuer."""
    issuer = Issuer()
    with answering(issuer) as server:
        issuer.url = server.url
        yield issuer
