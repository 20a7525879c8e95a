"""The door of ``keyring``: one token for each server, in the system's keyring, else in a file that only its user can read.

``NFFA_TOKEN`` wins, for the first server of a run that asks and for no other. Nothing here prints, logs or sends a token.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from nffa_cli.errors import ConfigError, DiskError
from nffa_cli.settings import home, make_home

SERVICE = "nffa"
VARIABLE = "NFFA_TOKEN"
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a server: a ``token``, or what a provider of OpenID Connect gives new ones for (``refresh``)."""

    token: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    issuer: str | None = None
    client: str | None = None

    def written(self) -> str:
        """Return it as JSON."""
        said = {"token": self.token, "refresh": self.refresh, "issuer": self.issuer, "client": self.client}
        return json.dumps({name: value for name, value in said.items() if value is not None})


Kept = Literal["variable", "keyring", "file"]

_first: dict[str, str] = {}
"""The server that the variable's token is for, once one has asked."""


def server(address: str) -> str:
    """Return the name under which an address's secret is kept: host, and port where it is not the usual one."""
    parts = urlsplit(address)
    return (parts.hostname or "") + (f":{parts.port}" if parts.port not in (None, 80, 443) else "")


def find(address: str, environment: Mapping[str, str] | None = None) -> tuple[Secret, Kept] | None:
    """Return the secret of an address and where it was found; None: there is none.

    Raises
    ------
    ConfigError
        The file can be read by others, or holds something else.
    """
    environment = os.environ if environment is None else environment
    name = server(address)
    if (token := environment.get(VARIABLE, "").strip()) and _first.setdefault(VARIABLE, name) == name:
        checked(token, f"${VARIABLE}")
        return Secret(token), "variable"
    ring = _keyring()
    if ring is not None:
        with suppress(ring.errors.KeyringError):
            if text := ring.get_password(SERVICE, name):
                return _read(text, f"keyring, {name}"), "keyring"
    if (found := _file().get(name)) is not None:
        return _read(json.dumps(found), str(path())), "file"
    return None


def keep(address: str, secret: Secret) -> Kept:
    """Keep a secret and return where: ``file`` deserves a warning.

    Raises
    ------
    DiskError
        The file cannot be written.
    """
    for text in (secret.token, secret.refresh):
        if text is not None:
            checked(text)
    name, ring = server(address), _keyring()
    if ring is not None:
        with suppress(ring.errors.KeyringError, OSError):
            ring.set_password(SERVICE, name, secret.written())
            _forget_in_file(name)
            return "keyring"
    _write({**_file(), name: json.loads(secret.written())})
    return "file"


def forget(address: str) -> bool:
    """Drop the secret of an address from keyring and file; False: there was none."""
    name, ring, found = server(address), _keyring(), False
    if ring is not None:
        with suppress(ring.errors.KeyringError):
            if ring.get_password(SERVICE, name):
                ring.delete_password(SERVICE, name)
                found = True
    return _forget_in_file(name) or found


def checked(token: str, where: str = "the token") -> None:
    """Raise ConfigError for what can be no token; it is not repeated."""
    if not token.isascii() or not token.isprintable() or " " in token or len(token) > 16_384:
        raise ConfigError("this is no token: one line of printable characters without blanks", where=where)


def path() -> Path:
    """Return the file of secrets where there is no keyring."""
    return home() / "secrets" / "tokens.json"


def _keyring() -> Any:
    """Return the ``keyring`` library where it has a place that is one; None: it has none."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as Nowhere
    except ImportError:
        return None
    chosen = keyring.get_keyring()
    return None if isinstance(chosen, Nowhere) or getattr(chosen, "priority", 0) <= 0 else keyring


def _read(text: str, where: str) -> Secret:
    try:
        found = json.loads(text)
        if not all(value is None or isinstance(value, str) for value in found.values()):
            raise ValueError
        return Secret(**found)
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(
            "what is kept there is no secret of nffa", where=where, hint="nffa logout, nffa login"
        ) from None


def _file() -> dict[str, Any]:
    place = path()
    try:
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"the tokens cannot be read ({error.strerror})", where=str(place)) from None
    with os.fdopen(handle, encoding="utf-8") as file:
        for name, about in ((place, os.fstat(handle)), (place.parent, place.parent.stat())):
            if sys.platform != "win32" and stat.S_IMODE(about.st_mode) & 0o077:
                hint = f"chmod {'700' if name == place.parent else '600'} {name}; then get new tokens: these were read"
                raise ConfigError("others can read the tokens there", where=str(name), hint=hint)
        try:
            found = json.loads(file.read(LARGEST))
        except ValueError:
            found = None
    if not isinstance(found, dict):
        raise ConfigError("what is kept there are no secrets of nffa", where=str(place), hint="remove it; nffa login")
    return found


def _forget_in_file(name: str) -> bool:
    kept = _file()
    if name not in kept:
        return False
    _write({each: secret for each, secret in kept.items() if each != name})
    return True


def _write(secrets: Mapping[str, Any]) -> None:
    make_home()
    place = path()
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(secrets, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    except OSError as error:
        raise DiskError(f"the token cannot be kept ({error.strerror})", where=str(place)) from None
