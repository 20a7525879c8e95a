"""Proposals from the facility's portal, kept in NFFA_HOME with their age, so that a portal that does not answer stops nothing.

There is no public description of the NFFA portal's interface: a portal is one of two adapters, ``file`` (a CSV, JSON or YAML
file that it drops) and ``rest`` (address, JSON pointers, a token), both described by settings. docs/portal.md has examples.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from nffa_cli import proposals, settings
from nffa_cli.crosswalk import document
from nffa_cli.errors import ConfigError, DiskError, NffaError, Refused, Unreachable, UsageError
from nffa_cli.proposals import Proposal, Shape
from nffa_cli.settings import Settings

ADAPTERS = ("file", "rest")
VARIABLE = "NFFA_PORTAL_TOKEN"
"""A token for the portal; ``NFFA_TOKEN`` is the node's and never goes there."""
LARGEST = 64 << 20
PAGES = 1_000
PAUSE = 900.0
"""Seconds after which a portal that did not answer is asked again by itself."""
BUDGET = 20.0
"""Seconds that a sync waits for the portal at most."""
_COLUMNS = {
    "id": "portalId",
    "pi_name": "name",
    "pi_orcid": "orcid",
    "pi_affiliation": "affiliation",
    "pi_email": "email",
}
_MEMBER = ("name", "orcid", "affiliation", "role", "email")
_ACCESS = ("facilityId", "accessStart", "accessEnd")


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the portal: its proposals by number, when they came (seconds since 1970), and the last failure."""

    source: str
    at: float | None
    proposals: Mapping[str, Proposal]
    tried: float | None = None
    problem: str | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the proposals came; None: they never did."""
        return None if self.at is None else max(0.0, time.time() - self.at)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How asking the portal went.

    problem
        Why it did not answer; then what was kept before still holds, ``age`` seconds old (None: nothing was).
    left_out
        Entries that are no proposals: they have no number.
    """

    source: str
    proposals: int
    new: int = 0
    changed: int = 0
    gone: int = 0
    left_out: int = 0
    age: float | None = 0.0
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def is_configured(values: Settings) -> bool:
    """Tell whether ``nffa.toml`` names a portal."""
    return bool(values["portal.adapter"])


def refresh(values: Settings) -> Refreshed:
    """Ask the portal for all its proposals and keep them; those that it does not name any more are dropped.

    Raises
    ------
    ConfigError
        The settings of ``[portal]``, or the file, are wrong.
    Unreachable, Refused
        The portal does not answer, or does not want to; what was kept stays.
    """
    before = kept(values)
    try:
        documents = list(_asked(values))
        found = _found(documents, values, before.source)
    except (Unreachable, Refused, ConfigError) as error:
        _save(Kept(before.source, before.at, before.proposals, time.time(), str(error)))
        raise
    now = time.time()
    _save(Kept(before.source, now, found, now))
    changed = sum(1 for name in found.keys() & before.proposals.keys() if found[name] != before.proposals[name])
    new, gone = len(found.keys() - before.proposals.keys()), len(before.proposals.keys() - found.keys())
    return Refreshed(before.source, len(found), new, changed, gone, len(documents) - len(found))


def _found(documents: list[Any], values: Settings, source: str) -> dict[str, Proposal]:
    shape, key = _shape(values), bytes.fromhex(settings.secret("pseudonym"))
    read = (proposals.read(each, shape, key) for each in documents)
    found = {each.id: each for each in read if each is not None}
    if documents and not found:
        raise ConfigError(
            "no entry of the portal has a number where it is looked for",
            where=source,
            hint="portal.items and portal.fields.id in nffa.toml",
        )
    return found


def refresh_if_due(values: Settings) -> Refreshed | None:
    """Ask the portal where what is kept is older than ``portal.hours``; None: nothing is due, or there is no portal.

    Never raises for what is wrong with the portal: ``Refreshed.problem`` says it, and how old is what still holds.
    """
    if not is_configured(values):
        return None
    try:
        before = kept(values)
        if before.age is not None and before.age < values["portal.hours"] * 3600:
            return None
        if before.problem and before.tried is not None and 0 <= time.time() - before.tried < PAUSE:
            return None
        return refresh(values)
    except NffaError as error:
        before = _read(_path())
        return Refreshed(before.source, len(before.proposals), age=before.age, problem=str(error))


def kept(values: Settings) -> Kept:
    """Return what is kept of the portal that is configured; of another one nothing is."""
    source = _source(values)
    found = _read(_path())
    return found if found.source == source else Kept(source, None, {})


def known(number: str) -> Proposal | None:
    """Return a proposal that is kept, however old; None: it is unverified."""
    return _read(_path()).proposals.get(number.strip())


def delivered() -> dict[str, dict[str, Any]]:
    """Return what a delivery says of each kept proposal, by number; nothing of those of which only that is known."""
    found = {number: each.as_delivered() for number, each in _read(_path()).proposals.items()}
    return {number: said for number, said in found.items() if said}


def offered() -> list[Proposal]:
    """Return the kept proposals under which data are taken in, by number."""
    found = _read(_path()).proposals.values()
    return sorted((each for each in found if each.takes_data), key=lambda each: each.id)


def one(number: str, values: Settings) -> Proposal | None:
    """Return a proposal that is kept, or ask the portal for it; None: it knows no such one. Keeps nothing."""
    found = kept(values).proposals.get(number)
    if found is not None or values["portal.adapter"] != "rest" or not values["portal.one"]:
        return found
    path = values["portal.one"].replace("{id}", quote(number, safe=""))
    answer = next(_answers(values, path, missing_is_nothing=True), None)
    return (
        None if answer is None else proposals.read(answer, _shape(values), bytes.fromhex(settings.secret("pseudonym")))
    )


def is_portal(address: str, values: Settings) -> bool:
    """Tell whether an address is on the server of the portal that is asked by REST."""
    from nffa_cli import secrets

    return values["portal.adapter"] == "rest" and secrets.server(address) == secrets.server(values["portal.url"])


def try_token(values: Settings, authorise: Callable[[bool], str | None]) -> None:
    """Ask the portal for the first page of its proposals with this Authorization header; raises as ``refresh`` does."""
    next(_answers(values, values["portal.list"], authorise=authorise))


def of_file(path: Path, values: Settings) -> Iterator[Proposal]:
    """Yield the proposals of a dropped file, by the shape that the settings describe; raises ConfigError."""
    shape, key = _shape(values), bytes.fromhex(settings.secret("pseudonym"))
    for each in _dropped(path, values["portal.items"]):
        if (found := proposals.read(each, shape, key)) is not None:
            yield found


def age_told(seconds: float | None) -> str:
    """Return an age in words: ``3 h old``."""
    if seconds is None:
        return "never heard"
    for size, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {name} old"
    return "new"


def _source(values: Settings) -> str:
    adapter = values["portal.adapter"]
    if adapter not in ADAPTERS:
        what = "no portal is configured" if not adapter else f"portal.adapter is file or rest, not {adapter!r}"
        raise ConfigError(what, where=str(settings.home() / "nffa.toml"), hint="docs/portal.md shows [portal]")
    key = "portal.file" if adapter == "file" else "portal.url"
    if not values[key]:
        raise ConfigError(f"the adapter {adapter} needs {key}", where=str(settings.home() / "nffa.toml"))
    return str(values[key])


def _shape(values: Settings) -> Shape:
    before = "portal.fields."
    names = [each.key.removeprefix(before) for each in settings.SETTINGS if each.key.startswith(before)]
    states: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in values["portal.states"].split(","))):
        word, _, ours = (part.strip() for part in pair.partition("="))
        if ours not in proposals.STATES:
            raise ConfigError(f"portal.states: {pair!r} names no state", hint=f"one of {', '.join(proposals.STATES)}")
        states[word] = ours
    return Shape({name: values[before + name] for name in names}, states)


def _asked(values: Settings) -> Iterator[Any]:
    if values["portal.adapter"] == "file":
        yield from _dropped(Path(values["portal.file"]).expanduser(), values["portal.items"])
        return
    for answer in _answers(values, values["portal.list"]):
        items = proposals.pointed(answer, values["portal.items"])
        if not isinstance(items, list):
            raise ConfigError("there is no list of proposals in the portal's answer", where=values["portal.url"],
                              hint="portal.items in nffa.toml is the JSON pointer to it")  # fmt: skip
        yield from items


# The adapter rest


def _answers(
    values: Settings,
    path: str,
    *,
    missing_is_nothing: bool = False,
    authorise: Callable[[bool], str | None] | None = None,
) -> Iterator[Any]:
    """Yield the answer to a path, and those to the pages after it."""
    from nffa_cli.destinations.answers import Rejected
    from nffa_cli.destinations.http import Connection
    from nffa_cli.destinations.patience import Patience

    bundle = Path(values["portal.ca_bundle"]).expanduser() if values["portal.ca_bundle"] else None
    patience = Patience(connect=5.0, stall=BUDGET, budget=BUDGET)
    connection = Connection(
        values["portal.url"],
        authorise=authorise or _authorise(values["portal.url"]),
        ca_bundle=bundle,
        patience=patience,
    )
    try:
        seen: set[str] = set()
        while path and path not in seen and len(seen) < PAGES:
            seen.add(path)
            answer = connection.send("GET", path, wants_json=True).value
            yield answer
            after = proposals.pointed(answer, values["portal.next"]) if values["portal.next"] else None
            path = urljoin(connection.at(path), after) if isinstance(after, str) and after else ""
    except Rejected as error:
        if missing_is_nothing and error.status == 404:
            return
        raise
    finally:
        connection.close()


def _authorise(address: str) -> Any:
    import os

    from nffa_cli import secrets
    from nffa_cli.destinations.answers import authorisation

    def header(fresh: bool) -> str | None:
        token = os.environ.get(VARIABLE, "").strip()
        if not token and (found := secrets.find(address, {})) is not None:
            token = found[0].token or ""
        return authorisation(token) if token else None

    return header


# The adapter file


def _dropped(path: Path, items: str) -> Iterator[Any]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Unreachable(f"the portal's file cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > LARGEST:
        raise ConfigError(f"the portal's file has more than {LARGEST >> 20} MiB", where=str(path))
    kind = path.suffix.lower()
    if kind in (".yaml", ".yml"):
        found = document.parse(data, name=str(path), error=ConfigError).root.python()
    elif kind == ".json":
        try:
            found = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"no valid JSON: {error}", where=str(path)) from error
    elif kind == ".csv":
        yield from _rows(data, path)
        return
    else:
        raise UsageError("the portal's file is .csv, .json or .yaml", where=str(path))
    found = proposals.pointed(found, items)
    found = found.get("proposals") if isinstance(found, dict) and "proposals" in found else found
    if not isinstance(found, list):
        raise ConfigError("holds no list of proposals", where=str(path), hint="docs/portal.md shows one of each kind")
    yield from found


def _rows(data: bytes, path: Path) -> Iterator[dict[str, Any]]:
    """Yield each row of a table as a document; commas, semicolons or tabs, whichever its first line has."""
    try:
        text = data.decode("utf-8-sig")
        head = text.partition("\n")[0]
        mark = max(",;\t", key=head.count)
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
        if "id" not in {(name or "").strip().lower() for name in rows.fieldnames or ()}:
            raise ConfigError("the first line names no column id", where=f"{path}:1", hint="docs/portal.md shows one")
        for row in rows:
            yield _of_row(
                {(name or "").strip().lower(): value for name, value in row.items() if isinstance(value, str)}
            )
    except UnicodeDecodeError as error:
        raise ConfigError("is no UTF-8", where=str(path), hint="save it as CSV UTF-8") from error
    except csv.Error as error:
        raise ConfigError(f"no valid CSV: {error}", where=f"{path}:{rows.line_num}") from error


def _of_row(row: Mapping[str, str]) -> dict[str, Any]:
    names = {"accepted": "acceptedAt", "updated": "updatedAt", "id": "portalId"}
    found: dict[str, Any] = {
        names.get(name, name): value for name, value in row.items() if not name.startswith("pi_") and value.strip()
    }
    if row.get("pi_name", "").strip():
        found["principalInvestigator"] = {
            _COLUMNS[name]: row[name] for name in _COLUMNS if name != "id" and row.get(name)
        }
    for name, parts in (("members", _MEMBER), ("facilities", _ACCESS)):
        entries = [each.split("|") for each in row.get(name, "").split(";") if each.strip()]
        found[name] = [dict(zip(parts, (part.strip() for part in each), strict=False)) for each in entries]
    return found


# What is kept


def _path() -> Path:
    return settings.home() / "portal" / "proposals.json"


def _read(path: Path) -> Kept:
    """Return what is kept; a file that was damaged is as none."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = json.loads(path.read_text(encoding="utf-8"))
        read = {each["portalId"]: proposals.again(each) for each in found["proposals"]}
        return Kept(found["source"], found["at"], read, found.get("tried"), found.get("problem"))
    return Kept("", None, {})


def _save(new: Kept) -> None:
    path = _path()
    text = json.dumps(
        {"source": new.source, "at": new.at, "tried": new.tried, "problem": new.problem,
         "proposals": [each.as_json() for each in _sorted(new.proposals.values())]},
        indent=1,
    )  # fmt: skip
    try:
        settings.make_home()
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{path.name}.tmp")
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise DiskError(f"the proposals cannot be kept ({error.strerror})", where=str(path)) from error


def _sorted(found: Iterable[Proposal]) -> list[Proposal]:
    return sorted(found, key=lambda each: each.id)
