"""Whether a viewer can plot it: signal, axes and their order in an NXdata, the way from the root to it, and links."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nffa_cli.export.findings import Report
from nffa_cli.export.nodes import Link, Node, Value, follow

MAX_HOPS = 16
NUMBERS = frozenset({"int", "uint", "whole", "float", "complex"})


def data(group: Node, report: Report) -> None:
    """Check an NXdata for itself: signal, axes, lengths and indices."""
    attributes = group.attributes()
    if "signal" not in attributes:
        return
    name = attributes["signal"].text
    signal = _field(group, name)
    if signal is None:
        what = f"@signal says {name!r}, and there is no such field" if name else "@signal must be the name of one field"
        report.add(group.path, "signal", what[:200], "name the field that is plotted")
        return
    given = signal.value()
    if given.kind not in NUMBERS:
        report.add(signal.path, "signal", "the signal is no array of numbers", "write numbers")
        return
    others = attributes.get("auxiliary_signals")
    for each in _names(others):
        other = _field(group, each)
        if other is None or other.value().shape != given.shape:
            what = f"the auxiliary signal {each!r} is not there, or of another shape"
            report.add(group.path, "signal", what, "name fields of the signal's shape")
    axes = _names(attributes.get("axes"))
    if "axes" in attributes:
        _axes(group, signal, given, axes, report)
    _indices(group, attributes, axes, len(given.shape), report)


def _axes(group: Node, signal: Node, given: Value, axes: list[str], report: Report) -> None:
    if len(axes) != len(given.shape):
        what = f"@axes names {len(axes)} axes, and the signal has {len(given.shape)} dimensions"
        report.add(group.path, "axes", what, "name one axis for each dimension, slow to fast")
    for position, name in enumerate(axes):
        axis = _field(group, name)
        if axis is None:
            what = f"@axes names {name[:80]!r}, and there is no such field"
            report.add(group.path, "axes", what, "write the axis: positions in its unit, or 0, 1, 2, … in px")
            continue
        shape = axis.value().shape
        if position >= len(given.shape):
            continue
        if shape != (given.shape[position],):
            what = (
                f"{name} has the shape {shape}, and dimension {position} of the signal is {given.shape[position]} long"
            )
            report.add(axis.path, "axis-length", what, "name the axes in the order of the dimensions, slow to fast")
        elif not _sane(axis.ends()):
            what = f"positions along {name} are not finite, or do not change"
            report.add(
                axis.path, "axis-values", what, "write the positions, or 0, 1, 2, … in px where nobody knows them"
            )


def _indices(group: Node, given: Mapping[str, Value], axes: list[str], rank: int, report: Report) -> None:
    for position, name in enumerate(axes):
        if _field(group, name) is None:
            continue
        place = f"{name}_indices"
        if place not in given:
            what = f"@{place[:80]} is missing"
            report.add(
                f"{group.path}@{place}", "indices-missing", what, f"write {position}", (f"{group.path}@{place}",)
            )
            continue
        content = given[place].content
        found = content[0] if isinstance(content, list) and len(content) == 1 else content
        if given[place].kind in ("int", "uint", "whole") and found != position:
            what = f"@{place[:80]} is {found!r}, and @axes has it at {position}"
            report.add(f"{group.path}@{place}", "indices-wrong", what[:200], f"write {position}")
    for place, value in given.items():
        name = place.removesuffix("_indices")
        if name != place and name not in axes:
            inside = isinstance(value.content, int) and 0 <= value.content < rank and _field(group, name) is not None
            if not inside:
                what = f"@{place[:80]} is about no axis of the signal"
                report.add(f"{group.path}@{place}", "indices-wrong", what, "leave it out, or name the axis in @axes")


def _sane(ends: tuple[float, ...]) -> bool:
    return all(map(math.isfinite, ends)) and (len(ends) < 2 or ends[0] != ends[-1])


def _field(group: Node, name: str | None) -> Node | None:
    found = follow(group.get(name)) if name and "/" not in name and name != "." else None
    return found if found is not None and not found.is_group else None


def _names(value: Value | None) -> list[str]:
    if value is None:
        return []
    content = value.content if isinstance(value.content, list) else [value.content]
    return [each for each in content if isinstance(each, str)]


def default_chain(root: Node, report: Report) -> None:
    """Follow ``@default`` from the root; say where it breaks."""
    node, hops = root, 0
    while not _is_data(node):
        default = node.attributes().get("default")
        if default is None:
            if _plots(root):
                what = "there is no @default, so that viewers do not know what to show"
                report.add(node.path, "no-default", what, "name the member that leads to the NXdata")
            return
        found = _at(node, default.text)
        hops += 1
        if found is None or not found.is_group or hops > MAX_HOPS:
            what = f"@default says {(default.text or '')[:80]!r}, which leads to no group"
            report.add(node.path, "default-nowhere", what, "name a group below this one that leads to an NXdata")
            return
        node = found
    if "signal" not in node.attributes():
        what = "@default leads to an NXdata without @signal"
        report.add(node.path, "default-nowhere", what, "name the signal, or another NXdata")


def _at(node: Node, path: str | None) -> Node | None:
    found: Node | None = node
    for name in (path or "").split("/"):
        found = follow(found.get(name)) if found is not None and found.is_group and name else None
    return found


def _is_data(node: Node) -> bool:
    nx_class = node.attributes().get("NX_class")
    return nx_class is not None and nx_class.text == "NXdata"


def _plots(node: Node, depth: int = 0) -> bool:
    """Tell whether there is an NXdata not too deep below a node."""
    if _is_data(node):
        return True
    nx_class = node.attributes().get("NX_class")
    if depth > 6 or (nx_class is not None and nx_class.text == "NXcollection"):
        return False
    below = (found for number, (_, found) in zip(range(1000), node.members(), strict=False))
    return any(not isinstance(found, Link) and found.is_group and _plots(found, depth + 1) for found in below)


def link(found: Link, report: Report) -> None:
    """Check that a link leads somewhere and that a soft one is labelled as NeXus wants it."""
    if not found.exists:
        what = f"the link leads to {found.target[:200]!r}, and nothing is there"
        report.add(found.path, "dangling-link", what, "mend the link, or leave it out")
    elif found.kind == "external":
        what = f"the data lie in another file: {found.target[:200]!r}"
        report.add(found.path, "external-link", what, "keep that file beside this one")
    elif found.kind == "soft" and found.label != found.target:
        said = f"says {found.label[:200]!r}" if found.label else "has none"
        what = f"{found.target[:200]} should say its own path in @target, and {said}"
        report.add(found.path, "link-target", what, f"write @target = {found.target[:200]} there")
