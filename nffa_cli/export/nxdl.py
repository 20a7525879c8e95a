"""The NeXus definitions as tables: what NXem and its base classes know, require and recommend.

They are read from the NXDL files that the package nexusformat carries, which is found and never imported; a class is
read when it is met for the first time. Knows the language of the definitions, not what is wrong with a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from nffa_cli.errors import MissingPackage

APPLICATION = "NXem"
NAMESPACE = "{http://definition.nexusformat.org/nxdl/3.1}"
FOLDERS = ("base_classes", "applications", "contributed_definitions")
_CLASS = re.compile(r"NX[a-zA-Z0-9_]{1,60}")

Need = Literal["required", "recommended", "optional"]
Naming = Literal["specified", "partial", "any"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an NXDL file: a definition, group, field or attribute, without its prose.

    shape
        One entry for each dimension: its size, the symbol that stands for it, or None; None: the file does not say.
    """

    tag: str
    name: str
    naming: Naming
    need: Need
    type: str | None
    units: str | None
    values: tuple[str, ...] | None
    open: bool
    shape: tuple[int | str | None, ...] | None
    extends: str | None
    deprecated: str | None
    children: tuple[Element, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """A group, field or attribute that may occur at one place, with all that its classes say of it.

    name
        The name itself (``specified``), or its pattern: runs of capitals stand for any characters.
    type
        NeXus class of a group, NeXus type of a field or attribute.
    values
        The enumeration, if there is one; ``open``: other values are allowed too.
    layers
        The elements that say so, the most special first; of a group without those of its class.
    """

    tag: str
    name: str
    naming: Naming
    need: Need
    type: str
    units: str | None
    values: tuple[str, ...] | None
    open: bool
    shape: tuple[int | str | None, ...] | None
    deprecated: str | None
    layers: tuple[Element, ...]

    @property
    def example(self) -> str:
        """A name that fits."""
        if self.naming == "specified":
            return self.name
        return _CAPITALS.sub("", self.name).strip("_") or self.type.removeprefix("NX").lower()


@dataclass(frozen=True, slots=True)
class Members:
    """What may lie in a group, or what attributes a field may have."""

    groups: tuple[Concept, ...]
    fields: tuple[Concept, ...]
    attributes: tuple[Concept, ...]

    def group(self, name: str, nx_class: str) -> Concept | None:
        """Return the concept of a group of this name and class, or None."""
        return best(name, (each for each in self.groups if each.type == nx_class))

    def field(self, name: str) -> Concept | None:
        """Return the concept of a field of this name, or None."""
        return best(name, self.fields)

    def attribute(self, name: str) -> Concept | None:
        """Return the concept of an attribute of this name, or None."""
        return best(name, self.attributes)


_CAPITALS = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_FREE = "([a-zA-Z0-9_.]*)"


@lru_cache(maxsize=2048)
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_FREE.join(map(re.escape, _CAPITALS.split(name))))


def fit(name: str, concept: Concept | Element) -> int:
    """Return how well ``name`` fits the name of a concept; -1: not at all. A specified name fits best."""
    if name == concept.name:
        return 2 * len(name) + 1
    if concept.naming == "specified" or " " in name or name.startswith(".") or name.endswith("."):
        return -1
    found = _pattern(concept.name).fullmatch(name)
    if found is None:
        return 0 if concept.naming == "any" else -1
    capitals = _CAPITALS.findall(concept.name)
    runs = zip(capitals, found.groups(), strict=True)
    alike: int = sum(a == b for run, free in runs for a, b in zip(run, free.upper(), strict=False))
    return alike + (len(concept.name) - sum(map(len, capitals)) if concept.naming == "partial" else 0)


def best(name: str, concepts: Iterable[Concept]) -> Concept | None:
    """Return the concept that ``name`` fits best, the first of equals; None where it fits none."""
    found, most = None, -1
    for concept in concepts:
        score = fit(name, concept)
        if score > most:
            found, most = concept, score
    return found


class Definitions:
    """The definitions in a folder, read as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._classes: dict[str, Element | None] = {}
        self._members: dict[Concept, Members] = {}
        self.root = _concept(self._chain("NXroot"))
        self.entry = self._entry()

    @property
    def version(self) -> str:
        """The release of NeXus, such as ``v2026.01``."""
        return (self.folder / "NXDL_VERSION").read_text(encoding="utf-8").strip()

    def known(self, nx_class: str) -> bool:
        """Tell whether there is a class of this name."""
        return self._definition(nx_class) is not None

    def members(self, concept: Concept) -> Members:
        """Return what may lie in a group, or the attributes of a field."""
        if concept not in self._members:
            layers = concept.layers
            if concept.tag == "group":
                layers += self._chain(concept.type)
            self._members[concept] = Members(tuple(_groups(layers)), tuple(_fields(layers)), tuple(_attributes(layers)))
        return self._members[concept]

    def _entry(self) -> Concept:
        application = self._definition(APPLICATION)
        group = next(each for each in application.children if each.tag == "group") if application else None
        if group is None:
            what = f"the NeXus definitions lack {APPLICATION}"
            raise MissingPackage(what, where=str(self.folder), hint="pip install --upgrade nexusformat")
        return _concept((group,))

    def _definition(self, nx_class: str) -> Element | None:
        if nx_class not in self._classes:
            self._classes[nx_class] = self._read(nx_class) if _CLASS.fullmatch(nx_class) else None
        return self._classes[nx_class]

    def _read(self, nx_class: str) -> Element | None:
        for folder in FOLDERS:
            path = self.folder / folder / f"{nx_class}.nxdl.xml"
            if path.is_file():
                tree = ElementTree.parse(path).getroot()  # noqa: S314 - a file of an installed package
                return _element(tree, tree.get("category") == "application")
        return None

    def _chain(self, nx_class: str) -> tuple[Element, ...]:
        """Return the class and those it extends."""
        chain: list[Element] = []
        name: str | None = nx_class
        while name and (found := self._definition(name)) is not None and found not in chain:
            chain.append(found)
            name = found.extends
        return tuple(chain)


def _groups(layers: tuple[Element, ...]) -> Iterator[Concept]:
    seen = set()
    for number, layer in enumerate(layers):
        for child in layer.children:
            if child.tag == "group" and (child.name, child.type) not in seen:
                seen.add((child.name, child.type))
                yield _concept((child, *_inherited(child, layers[number + 1 :])))


def _inherited(group: Element, layers: Iterable[Element]) -> Iterator[Element]:
    """Yield, layer by layer, the group of the same class that ``group`` is a case of."""
    for layer in layers:
        alike = [each for each in layer.children if each.tag == "group" and each.type == group.type]
        fits = [(fit(group.name, each), each) for each in alike]
        score, found = max(fits, key=lambda pair: pair[0], default=(-1, None))
        if found is not None and score >= 0:
            yield found


def _fields(layers: tuple[Element, ...]) -> Iterator[Concept]:
    by_layer = [[each for each in layer.children if each.tag == "field"] for layer in layers]
    seen = set()
    for number, fields in enumerate(by_layer):
        below = [each for low in by_layer[number + 1 :] for each in low]
        open_names = [each for each in below if each.naming != "specified"]
        for child in fields:
            if child.name not in seen:
                seen.add(child.name)
                same = [each for each in below if each.name == child.name]
                wider = [each for each in open_names if each.name != child.name and fit(child.name, each) >= 0]
                yield _concept((child, *same, *(wider if child.naming != "any" else ())))


def _attributes(layers: tuple[Element, ...]) -> Iterator[Concept]:
    found: dict[str, list[Element]] = {}
    for layer in layers:
        for child in layer.children:
            if child.tag == "attribute":
                found.setdefault(child.name, []).append(child)
    return (_concept(tuple(alike)) for alike in found.values())


def _concept(layers: tuple[Element, ...]) -> Concept:
    first = layers[0]
    type_, units, values, open_, shape = first.type, first.units, first.values, first.open, first.shape
    for each in layers[1:]:
        type_, units = type_ or each.type, units or each.units
        if values is None:
            values, open_ = each.values, each.open
        if shape is None:
            shape = each.shape
    return Concept(
        first.tag, first.name, first.naming, first.need, type_ or "NX_CHAR", units, values, open_, shape, first.deprecated, layers
    )  # fmt: skip


def _element(xml: ElementTree.Element, application: bool) -> Element:
    tag = xml.tag.removeprefix(NAMESPACE)
    kind, name = xml.get("type"), xml.get("name")
    enumeration = xml.find(f"{NAMESPACE}enumeration")
    naming = xml.get("nameType") or ("specified" if name else "any")
    return Element(
        tag=tag,
        name=name or (kind or "").removeprefix("NX").upper(),
        naming=naming if naming in ("partial", "any") else "specified",  # type: ignore[arg-type]
        need=_need(xml, application),
        type=None if tag == "definition" else kind,
        units=xml.get("units"),
        values=None
        if enumeration is None
        else tuple(item.get("value", "") for item in enumeration if item.get("value")),
        open=enumeration is not None and enumeration.get("open") == "true",
        shape=_shape(xml.find(f"{NAMESPACE}dimensions")),
        extends=xml.get("extends"),
        deprecated=xml.get("deprecated"),
        children=tuple(_children(xml, application)),
    )


def _children(xml: ElementTree.Element, application: bool) -> Iterator[Element]:
    for child in xml:
        tag = child.tag.removeprefix(NAMESPACE) if isinstance(child.tag, str) else ""
        if tag in ("group", "field", "attribute"):
            yield _element(child, application)
        elif tag == "choice":  # one of several classes under one name
            for group in child.iterfind(f"{NAMESPACE}group"):
                group.set("name", child.get("name", ""))
                yield _element(group, application=False)


def _need(xml: ElementTree.Element, application: bool) -> Need:
    least = xml.get("minOccurs")
    if xml.get("recommended") == "true":
        return "recommended"
    if xml.get("required") == "true" or (least is not None and least != "0"):
        return "required"
    if xml.get("optional") == "true" or least == "0" or not application:
        return "optional"
    return "required"


def _shape(dimensions: ElementTree.Element | None) -> tuple[int | str | None, ...] | None:
    if dimensions is None or not (rank := dimensions.get("rank", "")).isdigit():
        return None
    sizes: list[int | str | None] = [None] * int(rank)
    for dim in dimensions.iterfind(f"{NAMESPACE}dim"):
        index, value = dim.get("index", ""), dim.get("value")
        if index.isdigit() and 1 <= int(index) <= len(sizes) and value:
            sizes[int(index) - 1] = int(value) if value.isdigit() else value
    return tuple(sizes)


@lru_cache(maxsize=1)
def load() -> Definitions:
    """Return the definitions that the package nexusformat carries; raises MissingPackage where it is not installed."""
    return Definitions(folder())


def folder() -> Path:
    """Return the folder of the definitions, without importing the package; raises MissingPackage."""
    from importlib.util import find_spec

    found = find_spec("nexusformat")
    for place in (found.submodule_search_locations or ()) if found else ():
        if (Path(place) / "definitions" / "base_classes").is_dir():
            return Path(place) / "definitions"
    what = "the package nexusformat, which carries the NeXus definitions, is not installed"
    raise MissingPackage(what, hint="pip install 'nexusformat>=2.1'")
