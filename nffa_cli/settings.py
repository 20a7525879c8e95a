"""Where things live and what the user has set: ``NFFA_HOME``, ``nffa.toml``, environment; every value knows its source.

Settings come from user-level places only: data folders do not steer. Precedence: command-line flag, ``NFFA_*`` variable,
``nffa.toml`` in ``NFFA_HOME``, default.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli.errors import ConfigError, DiskError


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of ``nffa.toml``: its default (whose type is the key's type) and what it does."""

    key: str
    default: Any
    about: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "NFFA_" + self.key.upper().replace(".", "_")


SETTINGS = (
    Setting(
        "ingest.settle", 10.0, "Seconds without a change after which a file counts as written (0: by format alone)."
    ),
    Setting("ingest.patience", 600.0, "Seconds to wait for a missing partner file or missing bytes."),
    Setting("ingest.jobs", 0, "Worker processes (0: one for each processor)."),
    Setting("ingest.pictures", False, "Take pictures without instrument metadata too."),
    Setting("ingest.export", False, "Write NXem files of what is recorded, as --export does."),
    Setting("ingest.every", 5.0, "Seconds between two looks of --watch."),
    Setting(
        "validate.pynx", "", "Program of pynxtools for validate --full (empty: looked for beside nffa, then on PATH)."
    ),
    Setting("validate.seconds", 300.0, "Time limit of pynxtools for one file."),
    Setting("worker.seconds", 60.0, "Time limit for reading one acquisition (hashing large files is added to it)."),
    Setting("worker.memory_mb", 2048, "Memory limit for reading one acquisition."),
    Setting("preview.size", 512, "Longest side of a preview in pixels (0: no previews)."),
    Setting("preview.format", "jpeg", "File format of previews: jpeg or png."),
    Setting("ingest.classify", False, "Classify what is recorded, as --classify does."),
    Setting("classify.model", "", "Name of the model (empty: the shipped one, or the one that was added)."),
    Setting("classify.jobs", 0, "Worker processes of classify (0: one for each processor)."),
    Setting("review.labeller", "", "Name under which review stores your answers (empty: the name of your account)."),
    Setting("portal.adapter", "", "Where proposals come from: file or rest (empty: from nowhere)."),
    Setting("portal.file", "", "CSV, JSON or YAML file of proposals that the portal drops, for the adapter file."),
    Setting("portal.url", "", "Address that the adapter rest asks; https, or this computer."),
    Setting("portal.list", "proposals", "Path of the list of proposals, below portal.url."),
    Setting("portal.one", "proposals/{id}", "Path of one proposal, below portal.url."),
    Setting("portal.items", "", "JSON pointer to the proposals in the list's answer (empty: the answer is the list)."),
    Setting("portal.next", "", "JSON pointer to the address of the next page (empty: there is one page)."),
    Setting("portal.states", "", "The portal's words for states, as SUBMITTED=submitted, OK=accepted."),
    Setting("portal.ca_bundle", "", "Certificates to trust instead of the system's when the portal is asked."),
    Setting("portal.hours", 24.0, "Age in hours from which sync asks for proposals again."),
    *(
        Setting(f"portal.fields.{name}", pointer, f"JSON pointer to {about}.")
        for name, pointer, about in (
            ("id", "/portalId", "the number of a proposal"),
            ("title", "/title", "its title"),
            ("abstract", "/abstract", "its abstract"),
            ("state", "/state", "its state"),
            ("call", "/call", "the call it belongs to"),
            ("investigator", "/principalInvestigator", "the principal investigator"),
            ("members", "/members", "the list of other members"),
            ("facilities", "/facilities", "the list of facilities with access"),
            ("accepted", "/acceptedAt", "when it was accepted"),
            ("updated", "/updatedAt", "when it was changed last"),
            ("person_name", "/name", "a person's name, in the person"),
            ("person_orcid", "/orcid", "a person's ORCID, in the person"),
            ("person_affiliation", "/affiliation", "a person's affiliation, in the person"),
            ("person_email", "/email", "a person's e-mail, in the person; only a hash of it is kept"),
            ("person_role", "/role", "a member's role, in the person"),
            ("facility_id", "/facilityId", "a facility's id, in the facility"),
            ("facility_techniques", "/techniques", "what is used there, in the facility"),
            ("facility_start", "/accessStart", "when access begins, in the facility"),
            ("facility_end", "/accessEnd", "when access ends, in the facility"),
        )
    ),
    Setting("import.hosts", "", "More hosts whose records crosswalk import may fetch, with commas between."),
    Setting("sync.every", 60.0, "Seconds between two looks of sync --watch."),
    Setting("sync.limit_rate", "", "Bytes a second that sync sends at most, such as 500K or 2M (empty: no limit)."),
    Setting("export.jobs", 1, "Worker processes of export-nexus."),
    Setting("export.compression", "gzip", "How export-nexus packs samples; gzip is read everywhere."),
)
"""Every key of ``nffa.toml`` that is a single value."""

DESTINATIONS = "destination"
"""The tables of ``nffa.toml`` that each describe one destination."""


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and where it came from (``default``, the file, or the variable)."""

    value: Any
    source: str


class Settings:
    """The settings in force; ``settings["ingest.settle"]`` is a value, ``settings.source(key)`` says where from."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> Any:
        return self._values[key].value

    def source(self, key: str) -> str:
        """Return where the value of ``key`` came from."""
        return self._values[key].source

    def over(self, **flags: Any) -> Settings:
        """Return settings in which the given flags (``ingest_settle=0``; None: not given) win."""
        given = {
            key: Value(flags[name], "flag")
            for key in self._values
            if flags.get(name := key.replace(".", "_")) is not None
        }
        return Settings({**self._values, **given})


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Let a variable of the environment have a value for a while, for the processes that are started meanwhile too."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def home() -> Path:
    """Return the folder of nffa's own state; ``NFFA_HOME`` moves it."""
    if given := os.environ.get("NFFA_HOME"):
        return Path(given)
    import platformdirs

    return platformdirs.user_data_path("nffa", appauthor=False)


def make_home() -> Path:
    """Return ``home()``, made if need be."""
    folder = home()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"cannot make nffa's folder: {error.strerror}",
            where=str(folder),
            hint="set NFFA_HOME to a folder you can write to",
        ) from error
    return folder


def catalogue_path() -> Path:
    """Return where the catalogue lies."""
    return home() / "catalogue.sqlite"


def secret(name: str) -> str:
    """Return a secret of this installation in hex, made at the first call and kept where only its user can read it."""
    path = make_home() / "secrets" / name
    if not path.is_file():
        import secrets

        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_name(f".{name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        draft.replace(path)
    return path.read_text(encoding="ascii")


def shipped(name: str) -> Path:
    """Return a folder that ships with nffa (``crosswalks``): inside the wheel, else beside the package."""
    package = Path(__file__).parent
    inside, beside = package / "_data" / name, package.parent / name
    return inside if inside.is_dir() else beside


def defaults() -> Settings:
    """Return the settings as they ship, whatever the user has set."""
    return Settings(_defaults())


def _defaults() -> dict[str, Value]:
    return {each.key: Value(each.default, "default") for each in SETTINGS}


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``nffa.toml`` and the environment.

    Raises
    ------
    ConfigError
        For a key that does not exist (with the nearest one that does) or a value of the wrong type.
    """
    environment = os.environ if environment is None else environment
    path = home() / "nffa.toml"
    values = _defaults()
    known = {each.key: each for each in SETTINGS}
    tree = _read(path)
    tree.pop(DESTINATIONS, None)
    for key, value in _flat(tree).items():
        if key not in known:
            raise ConfigError(f"unknown key {key}", where=str(path), hint=_nearest(key, known))
        values[key] = Value(_typed(known[key], value, str(path)), str(path))
    for each in SETTINGS:
        if each.variable in environment:
            text = environment[each.variable]
            values[each.key] = Value(_typed(each, _from_text(text), f"${each.variable}"), f"${each.variable}")
    if values["preview.format"].value not in ("jpeg", "png"):
        raise ConfigError("preview.format is jpeg or png", where=values["preview.format"].source)
    return Settings(values)


def destinations() -> list[dict[str, Any]]:
    """Return the ``[[destination]]`` tables of ``nffa.toml`` as they are written."""
    path = home() / "nffa.toml"
    found = _read(path).get(DESTINATIONS, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ConfigError("destinations are written as [[destination]] tables", where=str(path), hint="docs/sync.md")
    return found


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"no valid TOML: {error}", where=str(path), hint="nffa config show") from error


def _flat(tree: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


def _from_text(text: str) -> Any:
    lower = text.strip().lower()
    if lower in ("true", "yes", "on", "false", "no", "off"):
        return lower in ("true", "yes", "on")
    try:
        return float(text) if any(sign in lower for sign in ".e") else int(text)
    except ValueError:
        return text


def _typed(setting: Setting, value: Any, source: str) -> Any:
    wanted = type(setting.default)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted or (wanted in (int, float) and not 0 <= value < 1e12):
        kind = {float: "a number, 0 or more", int: "a whole number, 0 or more", bool: "true or false", str: "a text"}[
            wanted
        ]
        raise ConfigError(f"{setting.key} must be {kind}, not {value!r}", where=source)
    return value


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "nffa config show lists the keys"
