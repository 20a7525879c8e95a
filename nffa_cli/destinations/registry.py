"""Which kinds of destination there are, and how ``--to`` and ``[[destination]]`` become one; opens nothing itself.

A kind is a function of a ``Place``, named here or by an entry point of the group ``nffa.destinations``. Data folders name
neither kinds nor places: both come from what the user installed and wrote.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from nffa_cli.destinations.base import Destination
from nffa_cli.destinations.pace import Pace
from nffa_cli.errors import ConfigError, UsageError

GROUP = "nffa.destinations"
BUILT_IN = {
    "folder": "nffa_cli.destinations.folder",
    "idrp": "nffa_cli.destinations.idrp",
    "webdav": "nffa_cli.destinations.webdav",
}
"""Kind → module whose ``make(place)`` opens one."""

_SCHEMES = {"http": "idrp", "https": "idrp", "dav": "webdav", "davs": "webdav", "file": "folder"}
_KEYS = frozenset({"name", "kind", "url", "folder"})
_SECRETS = re.compile(r"token|password|passwd|secret|credential|api_?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """One destination as it was named.

    name
        As outbox and receipts call it: the name in ``nffa.toml``, else its address.
    address
        URL without user or password, or absolute path of a folder.
    options
        What else its table says; never a secret.
    pace
        How many bytes a second this run may send.
    """

    name: str
    kind: str
    address: str
    options: Mapping[str, Any] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)


def make(place: Place) -> Destination:
    """Open a destination; raises ConfigError for a kind that is not installed."""
    if place.kind in BUILT_IN:
        maker: Callable[[Place], Destination] = import_module(BUILT_IN[place.kind]).make
        return maker(place)
    from importlib.metadata import entry_points

    for found in entry_points(group=GROUP, name=place.kind):
        other: Callable[[Place], Destination] = found.load()
        return other(place)
    raise ConfigError(
        f"no such kind of destination: {place.kind}", where=place.name, hint=f"known: {', '.join(kinds())}"
    )


def kinds() -> tuple[str, ...]:
    """Return the kinds that are installed."""
    from importlib.metadata import entry_points

    return (*BUILT_IN, *sorted({found.name for found in entry_points(group=GROUP)} - set(BUILT_IN)))


def of_table(table: Mapping[str, Any], where: str) -> Place:
    """Return what a ``[[destination]]`` table means; raises ConfigError that says what is wrong with it."""
    name = table.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise ConfigError(f"a destination's name is letters, digits, dots and dashes, not {name!r}", where=where)
    for key in table:
        if _SECRETS.search(key):
            raise ConfigError(
                f"{key} of destination {name}: no secrets in this file", where=where, hint=f"nffa login {name}"
            )
    given = [key for key in ("url", "folder") if key in table]
    if len(given) != 1 or not isinstance(table[given[0]], str) or not table[given[0]]:
        raise ConfigError(f"destination {name} needs a url or a folder", where=where)
    place = of_address(table[given[0]])
    kind = table.get("kind", place.kind)
    if not isinstance(kind, str):
        raise ConfigError(f"kind of destination {name} must be a text, such as idrp", where=where)
    options = {key: value for key, value in table.items() if key not in _KEYS}
    return Place(name, kind, place.address, options)


def of_address(text: str) -> Place:
    """Return what an address means: ``https://…`` an IDRP node, ``davs://…`` WebDAV, anything else a folder."""
    scheme, sign, rest = text.partition("://")
    if not sign:
        folder = os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111
        return Place(folder, "folder", folder)
    if scheme.lower() not in _SCHEMES:
        known = ", ".join(f"{each}://" for each in _SCHEMES)
        raise UsageError(f"no destination is reached by {scheme}://", hint=f"{known}, or the path of a folder")
    host, slash, path = rest.partition("/")
    if "@" in host:
        raise UsageError("a user or password in an address is read by everyone", hint="nffa login ADDRESS")
    if "?" in rest or "#" in rest:
        raise UsageError("a destination's address has no ? and no #", hint="nffa login ADDRESS keeps a token")
    if scheme.lower() == "file":
        folder = os.path.abspath("/" + path)  # noqa: PTH100
        return Place(folder, "folder", folder)
    address = f"{scheme.lower()}://{host.lower()}{slash}{path}".rstrip("/")
    return Place(address, _SCHEMES[scheme.lower()], address)


def chosen(wanted: str | None, configured: Iterable[Place]) -> list[Place]:
    """Return the destination that ``--to`` names (a name, else an address), or all that are configured."""
    known = list(configured)
    if wanted is None:
        return known
    if named := [place for place in known if wanted in (place.name, place.address)]:
        return named
    if re.fullmatch(r"[A-Za-z0-9_-]+", wanted) and not os.path.isdir(wanted):  # noqa: PTH112
        names = ", ".join(place.name for place in known) or "none yet"
        raise UsageError(f"no destination is called {wanted} (known: {names})", hint=f"for a folder: --to ./{wanted}")
    place = of_address(wanted)
    return [each for each in known if (each.kind, each.address) == (place.kind, place.address)] or [place]
