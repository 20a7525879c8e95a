"""The checker: whether a file, written or only planned, holds what NXem demands, under the names and classes it knows.

The walk over groups, fields, attributes and links; ``check_values`` judges each value, ``check_data`` plots and links.
Reads no file and no vendor's words; what is wrong comes out as findings, never as an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nffa_cli.export import check_data, check_values, nxdl
from nffa_cli.export.findings import Finding, Report, missing, valid
from nffa_cli.export.hints import supplier
from nffa_cli.export.nodes import Broken, Link, Node, Value, follow
from nffa_cli.export.nxdl import Concept, Definitions, Members

__all__ = ["Finding", "check", "missing", "valid"]

MAX_OBJECTS = 50_000
MAX_DEPTH = 32

ALWAYS = frozenset({"NX_class", "units", "target", "custom"})
"""Attributes that any object may have, or that are judged elsewhere."""

SUFFIXES = ("_end", "_increment_set", "_errors", "_indices", "_mask", "_set", "_weights", "_scaling_factor", "_offset")
"""Ends of a field's name that NeXus keeps for fields about another field."""

_NAME = re.compile(r"[a-zA-Z0-9_]([a-zA-Z0-9_.]*[a-zA-Z0-9_])?")


def check(root: Node, definitions: Definitions | None = None) -> list[Finding]:
    """Return everything that is wrong with a file, in the file's order.

    Parameters
    ----------
    root
        The file: ``nodes.of_tree(tree)`` or ``hdf5_nodes.of_file(file)``.
    definitions
        Those to check against; those of nexusformat unless given.

    Raises
    ------
    MissingPackage
        There are no definitions: nexusformat is not installed.
    """
    walk = _Walk(definitions or nxdl.load())
    try:
        walk.root(root)
    except Broken as error:
        walk.report.add(root.path, "unreadable", str(error), "copy the file again, or write it anew")
    return walk.report.findings


class _Stop(Exception):
    """The file is too large to be one of ours."""


class _Walk:
    """One check: the definitions, the report, and how much has been seen."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.report = Report()
        self._objects = 0
        self._seen: set[tuple[object, Concept]] = set()

    def root(self, root: Node) -> None:
        """Check the whole file."""
        try:
            self._root(root)
        except _Stop as stop:
            self.report.add(root.path, "too-much", str(stop), "this is no file of a microscope")

    def _root(self, root: Node) -> None:
        members = self.definitions.members(self.definitions.root)
        nx_class = _text(root.attributes(), "NX_class")
        if nx_class is None:
            self.report.add("/", "no-class-in-collection", "the root says no NX_class", "write NX_class = NXroot at /")
        elif nx_class != "NXroot":
            self.report.add(
                "/", "wrong-class", f"the root is an NXroot, not {_quoted(nx_class)}", "write NX_class = NXroot"
            )
        self._attributes(root, members)
        entries = 0
        for name, found in root.members():
            self._count()
            node = follow(found)
            if node is None or not node.is_group or _text(node.attributes(), "NX_class") != "NXentry":
                self._stray(root, name, found, members)
            elif not isinstance(found, Link):
                entries += 1
                self._entry(node)
        if not entries:
            self.report.add("/", "no-entry", "there is no NXentry", "write an NXentry, such as /entry1")
        check_data.default_chain(root, self.report)

    def _stray(self, root: Node, name: str, found: Node | Link, members: Members) -> None:
        """Check what lies beside the entries."""
        if isinstance(found, Link):
            check_data.link(found, self.report)
        elif found.is_group:
            self._child_group(name, found, members, 1)
        else:
            what = f"{name} lies beside the entry, where NeXus knows groups only"
            self.report.add(found.path, "undocumented-field", what, "put it into an NXcollection of the entry")

    def _entry(self, entry: Node) -> None:
        """Check an entry, if it wants to be one of NXem."""
        found = follow(entry.get("definition"))
        said = None if found is None or found.is_group else found.value().text
        if found is not None and said != nxdl.APPLICATION:
            what = f"the entry is {_quoted(said)}, not {nxdl.APPLICATION}"
            self.report.add(found.path, "wrong-definition", what, "nffa validate knows NXem only")
            return
        if found is not None:
            self._version(found)
        self._group(entry, self.definitions.entry, 1)

    def _version(self, definition: Node) -> None:
        said, ours = _text(definition.attributes(), "version"), self.definitions.version
        if said is None:
            hint = f"write @version = {ours}"
            self.report.add(definition.path, "no-version", "the release of NeXus is not said", hint)
        elif said != ours:
            what = f"made for {_quoted(said)}, checked against {ours}"
            self.report.add(definition.path, "other-version", what, f"write it anew for {ours}")

    # --- groups ---------------------------------------------------------------------------------------------------

    def _group(self, group: Node, concept: Concept, depth: int) -> None:
        """Check a group whose concept is known, and all below it."""
        if depth > MAX_DEPTH:
            raise _Stop(f"groups lie more than {MAX_DEPTH} deep, at {group.path[:200]}")
        if (group.identity, concept) in self._seen:
            return
        self._seen.add((group.identity, concept))
        members = self.definitions.members(concept)
        if concept.deprecated:
            self.report.add(group.path, "deprecated", f"NeXus has given up {concept.name}", concept.deprecated)
        self._attributes(group, members)
        met: set[Concept] = set()
        names = []
        for name, found in group.members():
            self._count()
            names.append(name)
            try:
                fits = self._member(name, found, concept, members, depth)
            except Broken as error:
                hint = "copy the file again, or write it anew"
                self.report.add(f"{group.path.rstrip('/')}/{name}", "unreadable", str(error), hint)
                fits = members.field(name)
            met |= {fits} if fits else set()
        for each in (*members.groups, *members.fields):
            if each not in met:
                self._absent(group, each)
        if concept.type == "NXdata":
            check_data.data(group, self.report)
        self._suffixes(group, names, concept)
        check_values.symbols(group, members, self.report)

    def _member(self, name: str, found: Node | Link, concept: Concept, members: Members, depth: int) -> Concept | None:
        """Check one member and return the concept that it is."""
        collection = concept.type == "NXcollection"
        if isinstance(found, Link):
            return self._link(name, found, members, free=collection)
        if collection:
            self._free(found, depth + 1)
            return (
                members.group(name, _text(found.attributes(), "NX_class") or "")
                if found.is_group
                else members.field(name)
            )
        if not _NAME.fullmatch(name):
            what = f"{_quoted(name)} is no name of NeXus"
            self.report.add(found.path, "bad-name", what, "use letters, digits and underscores, or an NXcollection")
        return (
            self._child_group(name, found, members, depth + 1) if found.is_group else self._field(name, found, members)
        )

    def _child_group(self, name: str, group: Node, members: Members, depth: int) -> Concept | None:
        """Check a group by its name and class; return its concept."""
        nx_class = _text(group.attributes(), "NX_class")
        if nx_class is None:
            self.report.add(
                group.path, "no-class", "the group says no NX_class", f"write NX_class = {_likely(name, members)}"
            )
            return None
        if not self.definitions.known(nx_class):
            what = f"NeXus has no class {_quoted(nx_class)}"
            self.report.add(group.path, "unknown-class", what, f"write NX_class = {_likely(name, members)}")
            return None
        named = _named(name, members)
        if named and nx_class not in {each.type for each in named}:
            what = f"{name} is an {named[0].type}, not an {nx_class}"
            self.report.add(
                group.path, "wrong-class", what, f"write NX_class = {named[0].type}, or choose another name"
            )
            return named[0]
        if any(each.name == name and each.naming == "specified" for each in members.fields):
            what = f"{name} is a field for NXem, not a group"
            self.report.add(group.path, "wrong-kind", what, "write a field, or choose another name")
            return members.field(name)
        concept = members.group(name, nx_class)
        if concept is None:
            what = f"NXem knows no {nx_class} of the name {_quoted(name)} here"
            known = [each.example for each in members.groups if each.type == nx_class]
            hint = f"call it {known[0]}" if known else "put it into an NXcollection"
            self.report.add(group.path, "undocumented-group", what, hint)
            return None
        self._group(group, concept, depth)
        return concept

    def _free(self, node: Node, depth: int) -> None:
        """Look through what lies below an NXcollection, where only classes are asked for."""
        if depth > MAX_DEPTH:
            raise _Stop(f"groups lie more than {MAX_DEPTH} deep, at {node.path[:200]}")
        if not node.is_group or (node.identity, self.definitions.root) in self._seen:
            return
        self._seen.add((node.identity, self.definitions.root))
        nx_class = _text(node.attributes(), "NX_class")
        if nx_class is None:
            hint = "write NX_class = NXcollection"
            self.report.add(node.path, "no-class-in-collection", "the group says no NX_class", hint)
        elif not self.definitions.known(nx_class):
            what = f"NeXus has no class {_quoted(nx_class)}"
            self.report.add(node.path, "unknown-class", what, "write NX_class = NXcollection")
        for _, found in node.members():
            self._count()
            if isinstance(found, Link):
                check_data.link(found, self.report)
            else:
                self._free(found, depth + 1)

    # --- fields, attributes, links --------------------------------------------------------------------------------

    def _field(self, name: str, field: Node, members: Members) -> Concept | None:
        concept = members.field(name)
        groups = [each for each in members.groups if each.name == name and each.naming == "specified"]
        if groups and (concept is None or concept.naming != "specified"):
            what = f"{name} is a group for NXem ({groups[0].type}), not a field"
            self.report.add(field.path, "wrong-kind", what, "write a group, or choose another name")
            return groups[0]
        if concept is None:
            what = f"NXem knows no field {_quoted(name)} here"
            self.report.add(field.path, "undocumented-field", what, _nearest(name, members))
            return None
        below = self.definitions.members(concept)
        if concept.deprecated:
            self.report.add(field.path, "deprecated", f"NeXus has given up {name}", concept.deprecated)
        self._attributes(field, below)
        value = field.value()
        check_values.value(field.path, value, concept, field.attributes(), self.report)
        check_values.unit(field, concept, below, self.report)
        return concept

    def _attributes(self, node: Node, members: Members) -> None:
        given = node.attributes()
        met: set[Concept] = set()
        for name, value in given.items():
            self._count()
            if name in ALWAYS or name.endswith("_custom"):
                continue
            concept = members.attribute(name)
            if concept is None:
                what = f"NXem knows no attribute {_quoted(name)} here"
                hint = "leave it out, or put what it says into an NXcollection"
                self.report.add(f"{node.path}@{name}", "undocumented-attribute", what, hint)
                continue
            met.add(concept)
            if concept.deprecated:
                self.report.add(f"{node.path}@{name}", "deprecated", f"NeXus has given up {name}", concept.deprecated)
            check_values.value(f"{node.path}@{name}", value, concept, given, self.report, custom=f"{name}_custom")
        for concept in members.attributes:
            if concept in met or concept.need == "optional" or concept.name == "units":
                continue
            place = f"{node.path}@{concept.name}"
            if concept.need == "required":
                if concept.naming == "specified":
                    what = f"the required attribute {concept.name} is missing"
                    self.report.add(place, "missing-attribute", what, supplier(place), (place,))
            else:
                self.report.add(
                    place,
                    "recommended",
                    f"the recommended attribute {concept.name} is missing",
                    supplier(place, required=False),
                )

    def _link(self, name: str, link: Link, members: Members, *, free: bool) -> Concept | None:
        """Check a link; what it leads to is judged as if it lay here, but for what lies below a group."""
        check_data.link(link, self.report)
        if free:
            return None
        if link.to is None:
            known = [*_named(name, members), members.field(name)]
            concept = next((each for each in known if each is not None), None)
        elif link.to.is_group:
            concept = members.group(name, _text(link.to.attributes(), "NX_class") or "")
        else:
            concept = members.field(name)
        if concept is None:
            what = f"NXem knows no {_quoted(name)} here"
            self.report.add(link.path, "undocumented-link", what, "put the link into an NXcollection")
        elif link.to is not None and not link.to.is_group:
            attributes = link.to.attributes()
            check_values.value(link.path, link.to.value(), concept, attributes, self.report)
        return concept

    # --- what is not there ----------------------------------------------------------------------------------------

    def _absent(self, group: Node, concept: Concept) -> None:
        """Note a member that is required or recommended and not there."""
        place = f"{group.path.rstrip('/')}/{concept.example}"
        if concept.need == "recommended":
            self.report.add(
                place,
                "recommended",
                f"the recommended {concept.tag} {concept.example} is missing",
                supplier(place, required=False),
            )
        elif concept.need == "required":
            needs = tuple(self._needs(place, concept))
            sort = f" ({concept.type})" if concept.tag == "group" else ""
            holds = ", ".join(each[len(place) + 1 :] for each in needs if each != place)
            what = f"the required {concept.tag} {concept.example}{sort} is missing" + (
                f"; it must hold {holds}" if holds else ""
            )
            self.report.add(place, f"missing-{concept.tag}", what, supplier(place), needs)

    def _needs(self, place: str, concept: Concept, depth: int = 0) -> Iterator[str]:
        """Yield the fields that have to be supplied where ``concept`` is missing; the place itself if it needs none."""
        members = self.definitions.members(concept)
        if concept.tag == "field":
            yield place
            yield from (f"{place}@{each.name}" for each in members.attributes if each.need == "required")
            return
        wanted = [each for each in (*members.fields, *members.groups) if each.need == "required"]
        for each in wanted:
            if depth < MAX_DEPTH:
                yield from self._needs(f"{place}/{each.example}", each, depth + 1)
        if not wanted:
            yield place

    def _suffixes(self, group: Node, names: list[str], concept: Concept) -> None:
        if concept.type == "NXcollection":
            return
        given = set(names)
        for name in names:
            end = next((each for each in SUFFIXES if name.endswith(each) and name != each), None)
            if end is None or name.removesuffix(end) in given:
                continue
            node = follow(group.get(name))
            if node is not None and not node.is_group:
                what = f"{name} is about a field {name.removesuffix(end)}, which is not there"
                self.report.add(
                    node.path, "suffix-without-field", what, f"write {name.removesuffix(end)}, or choose another name"
                )

    def _count(self) -> None:
        self._objects += 1
        if self._objects > MAX_OBJECTS:
            raise _Stop(f"it holds more than {MAX_OBJECTS} objects")


def _text(attributes: object, name: str) -> str | None:
    value = attributes.get(name) if hasattr(attributes, "get") else None
    return value.text if isinstance(value, Value) else None


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else repr(text if len(text) <= 80 else text[:79] + "…")


def _named(name: str, members: Members) -> list[Concept]:
    """Return the groups that this very name stands for: specified, or a pattern with a number in it (``detector1``)."""
    found = [each for each in members.groups if each.naming == "specified" and each.name == name]
    if found:
        return found
    stem = name.rstrip("0123456789")
    return [each for each in members.groups if each.naming == "partial" and stem in (each.name.removesuffix("ID"),)]


def _likely(name: str, members: Members) -> str:
    """Return the class that a group of this name should have."""
    found = _named(name, members) or [each for each in members.groups if nxdl.fit(name, each) > 0]
    return found[0].type if found else "NXcollection"


def _nearest(name: str, members: Members) -> str:
    import difflib

    known = [each.example for each in members.fields]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"did you mean {close[0]}? Else put it into an NXcollection" if close else "put it into an NXcollection"
