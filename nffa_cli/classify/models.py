"""Models as data: one ``.onnx`` file whose metadata say all that its use needs, found by name, looked into before use.

A model is trusted when its SHA-256 stands in the list beside it (``SHA256SUMS``, shipped or in ``NFFA_HOME/models``). Its
bytes are read once, hashed, and taken apart (``protobuf``): weights in other files, operators that are not of the ONNX
standard, graphs inside graphs and missing metadata are refused before anything executes. What it allocates when it runs is
the worker's limit to hold.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nffa_cli import settings
from nffa_cli.classify import protobuf
from nffa_cli.classify.decide import FEATURES, NoneRule
from nffa_cli.errors import DiskError, ModelError, UsageError

SUFFIX = ".onnx"
SUMS = "SHA256SUMS"
"""Name of the list of trusted models in a folder of models; as ``sha256sum`` writes it."""
SCHEMA = "1"
LARGEST = 256 << 20
"""Bytes of the largest model that is looked at."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
BAR_RULES = ("crop",)
LEVEL_RULES = ("native",)
"""Ways to prepare a picture that ``images`` knows: the data bar cut off; 8 bits as they are, others by percentiles."""


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a model wants its pictures.

    size
        Side of the square that the network sees, in pixels.
    short
        Pixels to which the short side of the picture is brought; ``size`` or more.
    views
        How many crops (some mirrored) the logits are averaged over.
    scale_mean, scale_std
        log10 of the pixel size in metres, less the mean, by the deviation, is what the network is told.
    """

    size: int
    short: int
    views: int
    scale_mean: float
    scale_std: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its metadata describe it; ``where`` is its file, ``origin`` ``shipped``, ``home`` or ``file``."""

    name: str
    version: str
    sha256: str
    labels: tuple[str, ...]
    preprocess: Preprocess
    temperature: float
    thresholds: Mapping[str, float]
    none: NoneRule
    about: Mapping[str, Any]
    where: str
    origin: str
    is_pinned: bool
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form, without what only the decision needs."""
        return {
            "name": self.name, "version": self.version, "sha256": self.sha256, "path": self.where.replace(os.sep, "/"),
            "origin": self.origin, "pinned": self.is_pinned, "size": self.size, "labels": list(self.labels),
            "temperature": self.temperature, "thresholds": dict(self.thresholds), **self.about,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model lies and what its bytes should hash to (None: nobody has said).

    ``problem``: ``path`` is a list of models, and this is what is wrong with one of its lines.
    """

    path: Path
    origin: str
    sha256: str | None = None
    problem: str = ""


# --- finding ---


def folders() -> tuple[tuple[str, Path], ...]:
    """Return the folders in which models are looked for by name, in order."""
    return ("home", settings.home() / "models"), ("shipped", settings.shipped("models"))


def places() -> Iterator[Place]:
    """Yield every model that a list names, and every line that names none, which ``read`` refuses.

    Raises
    ------
    ModelError
        A list cannot be read.
    """
    for origin, folder in folders():
        trusted, malformed = _lines(folder)
        for name, digest in trusted.items():
            yield Place(folder / name, origin, digest)
        for number in malformed:
            yield Place(folder / SUMS, origin, problem=f"line {number} is none as sha256sum writes it")


def find(wanted: str) -> Place:
    """Return where the model lies that ``wanted`` means: a file, or the name of an installed one; empty: the default.

    Raises
    ------
    ModelError
        There is none.
    """
    found = list(places())
    known = [place for place in found if not place.problem]
    broken = "".join(f"; {place.path}: {place.problem}" for place in found if place.problem)
    if not wanted:
        if not known:
            raise ModelError(f"there is no model to classify with{broken}", hint=GET_ONE)
        return next((place for place in known if place.origin == "shipped"), known[0])
    if wanted.endswith(SUFFIX) or os.sep in wanted or "/" in wanted:
        path = Path(wanted)
        same = (place for place in known if place.path.resolve() == path.resolve())
        return next(same, Place(path, "file"))
    for place in known:
        if place.path.name == wanted + SUFFIX:
            return place
    names = ", ".join(place.path.name.removesuffix(SUFFIX) for place in known) or "none"
    raise ModelError(f"there is no model {wanted!r} (installed: {names}){broken}", hint=GET_ONE)


GET_ONE = "nffa model add FILE.onnx installs one; nffa classify --model FILE.onnx uses one as it is"


def pinned(folder: Path) -> dict[str, str]:
    """Return the trusted models of a folder: file name → SHA-256; raises ModelError where its list cannot be read."""
    return _lines(folder)[0]


def _lines(folder: Path) -> tuple[dict[str, str], list[int]]:
    """Return what a folder's list pins, and the numbers of its lines that pin nothing because they are malformed."""
    path = folder / SUMS
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, []
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        hint = "mend it, or delete it and add its models again: nffa model add FILE.onnx"
        raise ModelError(f"the list of trusted models cannot be read: {what}", where=str(path), hint=hint) from error
    trusted: dict[str, str] = {}
    malformed = []
    for number, line in enumerate(text.splitlines(), 1):
        digest, _, name = line.partition("  ")
        if re.fullmatch(r"[0-9a-f]{64}", digest) and _is_file_name(name):
            trusted[name] = digest
        elif line.strip():
            malformed.append(number)
    return trusted, malformed


def _is_file_name(name: str) -> bool:
    return name.endswith(SUFFIX) and bool(NAME.fullmatch(name.removesuffix(SUFFIX)))


# --- reading ---


def read(place: Place) -> tuple[Model, bytes]:
    """Return a model and its bytes.

    Raises
    ------
    ModelError
        It is not there, is not the one that the list names, or is none that may be run; or no line of a list names it.
    """
    if place.problem:
        raise ModelError(place.problem, where=str(place.path), hint="mend or delete the line")
    data = _bytes(place.path)
    digest = hashlib.sha256(data).hexdigest()
    where = str(place.path)
    if place.sha256 not in (None, digest):
        hint = "it was changed or damaged: install it anew, or nffa model remove it"
        raise ModelError("the file is not the model that its list names (another SHA-256)", where=where, hint=hint)
    try:
        return _model(data, digest, place), data
    except ModelError as error:
        error.where = where
        raise


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ModelError(f"the model cannot be read: {error.strerror}", where=str(path), hint=GET_ONE) from error
    if len(data) > LARGEST:
        raise ModelError(f"the model is larger than {LARGEST >> 20} MB", where=str(path))
    return data


def _model(data: bytes, digest: str, place: Place) -> Model:
    found = protobuf.outline(data)
    _refuse(found)
    take = _Metadata(found.metadata)
    if (schema := take.text("schema")) != SCHEMA:
        raise ModelError(f"its metadata have schema {schema!r}; this nffa knows {SCHEMA!r}", hint="upgrade nffa")
    labels = take.labels()
    name = take.text("name")
    if not NAME.fullmatch(name):
        raise ModelError(f"its name {name!r} would make no file name", hint="letters, digits, dots and dashes")
    about = {key: take.text(key) for key in ("licence", "trained_on", "trainer", "card")}
    return Model(
        name, take.text("version"), digest, labels, take.preprocess(), take.number("temperature", 1e-3, 1e3),
        take.thresholds(labels), take.none(), {**about, "metrics": take.json("metrics")}, str(place.path), place.origin,
        place.sha256 is not None, len(data),
    )  # fmt: skip


INPUTS = {"image": 4, "scale": 2}
OUTPUTS = {"logits": 2, "embedding": 2}
"""What goes in and out, with the number of dimensions."""


def _refuse(found: protobuf.Outline) -> None:
    """Raise for what may not be run."""
    if found.outside:
        what = f"{len(found.outside)} of its weights lie in another file"
        raise ModelError(what, hint="export it again with all weights inside")
    if strange := sorted(found.domains - {"", "ai.onnx"}):
        raise ModelError(f"it uses operators that are not of the ONNX standard ({', '.join(strange)[:100]})")
    if found.subgraphs:
        raise ModelError("it holds loops, branches or functions, which a network for pictures does not need")
    for ports, wanted, kind in ((found.inputs, INPUTS, "inputs"), (found.outputs, OUTPUTS, "outputs")):
        if set(ports) != set(wanted):
            raise ModelError(f"its {kind} are {_listed(ports)}; they must be {_listed(wanted)}")
        for name, rank in wanted.items():
            if ports[name] not in (None, rank):
                raise ModelError(f"{name} has {ports[name]} dimensions; it must have {rank}")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))[:200] or "none"


class _Metadata:
    """The texts of a model, taken out one by one with a sentence for each that is wrong."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def text(self, key: str) -> str:
        if not self._texts.get(key, "").strip():
            raise ModelError(f"its metadata lack {key!r}", hint="nffa model train writes all that is needed")
        return self._texts[key]

    def json(self, key: str) -> Any:
        try:
            return json.loads(self.text(key), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"its {key} are no JSON: {error}") from error

    def number(self, key: str, low: float, high: float) -> float:
        return _number(self.json(key), low, high, key)

    def labels(self) -> tuple[str, ...]:
        found = self.json("labels")
        if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
            raise ModelError("its labels are no list of words")
        if not 2 <= len(found) <= 200 or len(set(found)) != len(found):
            raise ModelError("its labels must be 2 to 200 different words")
        return tuple(found)

    def preprocess(self) -> Preprocess:
        found = self._object("preprocess")
        for key, known in (("bar", BAR_RULES), ("levels", LEVEL_RULES)):
            if found.get(key) not in known:
                raise ModelError(
                    f"its preprocess asks for {key} {found.get(key)!r}; this nffa knows {', '.join(known)}"
                )
        size = int(_number(found.get("size"), 16, 1024, "preprocess.size"))
        short = int(_number(found.get("short", size), size, 2048, "preprocess.short"))
        views = int(_number(found.get("views", 1), 1, 32, "preprocess.views"))
        mean = _number(found.get("scale_mean"), -20, 20, "preprocess.scale_mean")
        return Preprocess(size, short, views, mean, _number(found.get("scale_std"), 1e-6, 100, "preprocess.scale_std"))

    def thresholds(self, labels: Sequence[str]) -> dict[str, float]:
        found = self._object("thresholds")
        if set(found) != set(labels):
            raise ModelError("its thresholds are not those of its labels")
        return {label: _number(found[label], 0, 1, f"thresholds: {label}") for label in labels}

    def none(self) -> NoneRule:
        found = self._object("none")
        weights = found.get("weights", {})
        if found.get("rule") != "logistic" or not isinstance(weights, dict) or set(weights) - set(FEATURES):
            raise ModelError(f"its rule for none is not known: 'logistic' with weights of {', '.join(FEATURES)}")
        means = found.get("means", [])
        try:
            vectors = tuple(tuple(_number(x, -1.01, 1.01, "none.means") for x in mean) for mean in means)
        except TypeError as error:
            raise ModelError("its none.means are no vectors") from error
        if len({len(vector) for vector in vectors}) > 1:
            raise ModelError("its none.means are of different lengths")
        return NoneRule(
            _number(found.get("threshold"), 0, 1, "none.threshold"),
            _number(found.get("bias", 0), -1e6, 1e6, "none.bias"),
            {key: _number(weight, -1e6, 1e6, "none.weights") for key, weight in weights.items()},
            vectors,
        )

    def _object(self, key: str) -> dict[str, Any]:
        found = self.json(key)
        if not isinstance(found, dict):
            raise ModelError(f"its {key} are no JSON object")
        return found


def _number(value: Any, low: float, high: float, what: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not low <= value <= high
    ):
        raise ModelError(f"its {what} must be a number from {low:g} to {high:g}, not {str(value)[:40]}")
    return float(value)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


# --- installing ---

Try = Callable[[Place, str], None]
"""Loads and runs a model (place, its SHA-256) in a process with limits; raises ModelError if it fails."""


def add(path: Path, *, trial: Try, replace: bool = False) -> Model:
    """Copy a model into ``NFFA_HOME/models`` and put it on the list of trusted ones.

    Raises
    ------
    ModelError
        It may not or cannot be run.
    UsageError
        Another model has its name, and ``replace`` was not said.
    """
    model, data = read(Place(path, "file"))
    trial(Place(path, "file"), model.sha256)
    folder = settings.make_home() / "models"
    target = folder / f"{model.name}{SUFFIX}"
    known = pinned(folder)
    if known.get(target.name, model.sha256) != model.sha256 and not replace:
        raise UsageError(f"another model is called {model.name}", where=str(target), hint="add --replace")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(target, data)
        _write(folder / SUMS, _sums({**known, target.name: model.sha256}))
    except OSError as error:
        raise DiskError(f"the model cannot be kept: {error.strerror}", where=str(target)) from error
    return read(Place(target, "home", model.sha256))[0]


def remove(name: str) -> Path:
    """Take a model out of ``NFFA_HOME/models`` and return where it lay; what it said of pictures stays in the catalogue."""
    folder = settings.home() / "models"
    known = pinned(folder)
    target = folder / f"{name}{SUFFIX}"
    if known.pop(target.name, None) is None:
        names = ", ".join(each.removesuffix(SUFFIX) for each in known) or "none"
        what = f"no model {name!r} was added (there are: {names})"
        raise UsageError(what, hint="nffa model list; the shipped one cannot be removed")
    _write(folder / SUMS, _sums(known))  # first of all it is no longer trusted
    target.unlink(missing_ok=True)
    return target


def _sums(known: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())).encode()


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
