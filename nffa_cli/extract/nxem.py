"""Reader of NXem files (NeXus), ours and others': the whole HDF5 tree, and where the pictures and spectra lie.

A part of the ``emd`` reader, which opens the file and asks here first. What a field means as a term is
``crosswalk.backward``'s. Of a file that nffa wrote, the signals are as its own record describes them, where the NXdata still
say the same; where they do not, somebody edited the file, and the NXdata are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

from nffa_cli import rawtree
from nffa_cli.extract import hdf5, nxem_data
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

FORMAT = "nxem"
DEFINITION = "NXem"
NAMED = (".nxs", ".nx5")
"""Extensions that promise NeXus."""
MAX_GROUPS = 5000
MAX_DEPTH = 16

_PLOTS = re.compile(r"(image|stack|spectrum)_\d+d$")
_HOLDERS = {"NXimage": "image", "NXspectrum": "spectrum"}
_JSON = (("nffa", "record"), ("nffa", "plots"), ("measurement", "event1", "vendor_metadata", "json"))
"""Fields of ours that hold JSON, which is shown as the tree that it is."""


def definition(file: Any) -> str | None:
    """Return what NeXus calls the content of the file: NXem if any entry is of that definition; None: no NeXus."""
    found = [_definition(entry) for _, entry in _entries(file)]
    if DEFINITION in found:
        return DEFINITION
    return next(filter(None, found), "without a definition" if found else None)


def read(file: Any, path: str, end: int) -> RawMetadata:
    """Read an open NXem file: its default entry of that definition, else the first."""
    names = [name for name, entry in _entries(file) if _definition(entry) == DEFINITION]
    default = nxem_data.text(hdf5.attribute(file, "default"))
    name = default if default in names else names[0]
    tree = hdf5.Tree(parse_json=False).group(file)
    _open_json(tree, name)
    warnings = []
    if len(names) > 1:
        warnings.append(Remark("more-entries", f"{len(names)} NXem entries; this is what {name} says"))
    faults: list[Remark] = []
    plots = list(_plots(file, file[name], path, faults))
    own = rawtree.get(tree[name].get("nffa"), "record") if isinstance(tree.get(name), Mapping) else None
    if isinstance(own, Mapping):
        signals = list(_restored(own, tree[name]["nffa"].get("plots"), plots, f"/{name}", path, warnings))
    else:
        signals = [plot.signal for plot in plots]
        warnings += [warning for plot in plots for warning in plot.warnings]
    return RawMetadata(
        format=FORMAT,
        tree=tree,
        signals=tuple(signals),
        anchors={"entry": name},
        needs=end,
        faults=tuple(faults),
        warnings=tuple(warnings),
        reader="nffa nxem",
    )


def _entries(file: Any) -> list[tuple[str, Any]]:
    groups = [(name, group) for name, group in hdf5.groups(file) if nxem_data.class_of(group) == "NXentry"]
    return sorted(groups, key=lambda item: nxem_data.natural(item[0]))


def _definition(entry: Any) -> str | None:
    return (hdf5.text_of(hdf5.child(entry, "definition")) or "").strip() or None


def _open_json(tree: dict[str, Any], entry: str) -> None:
    for *groups, name in _JSON:
        here = tree[entry]
        for group in groups:
            here = here.get(group) if isinstance(here, dict) else None
        if isinstance(here, dict) and isinstance(here.get(name), str):
            parsed = hdf5.json_of(here[name])
            if isinstance(parsed, (dict, list)):
                here[name] = rawtree.lossless(parsed)


# --- which NXdata there are ---


def _plots(file: Any, entry: Any, path: str, faults: list[Remark]) -> Iterator[nxem_data.Plot]:
    """Yield the pictures and spectra of an entry, and what opens by default if it is none of these."""
    seen: set[str] = set()
    found: list[tuple[Any, str | None]] = [*_holders(entry, 0, iter(range(MAX_GROUPS)), set())]
    if (default := _default(file, entry)) is not None:
        found.append((default, None))
    for group, family in found:
        if group.name in seen:
            continue
        seen.add(group.name)
        plot = nxem_data.plot(file, group, family, path)
        if isinstance(plot, Remark):
            faults.append(plot)
        elif plot is not None:
            yield plot


def _holders(group: Any, depth: int, budget: Iterator[int], seen: set[int]) -> Iterator[tuple[Any, str]]:
    """Yield the NXdata in the NXimage and NXspectrum groups below a group, with what they hold; free zones left out."""
    for _, inner in sorted(hdf5.groups(group), key=lambda item: nxem_data.natural(item[0])):
        if next(budget, None) is None or (address := hdf5.address(inner)) in seen:
            continue
        seen.add(address)
        nx_class = nxem_data.class_of(inner)
        if nx_class in _HOLDERS:
            data = sorted(hdf5.groups(inner), key=lambda item: nxem_data.natural(item[0]))
            yield from (
                (each, _HOLDERS[nx_class])
                for name, each in data
                if _PLOTS.match(name) and nxem_data.class_of(each) == "NXdata"
            )
        elif nx_class not in ("NXcollection", "NXdata") and depth < MAX_DEPTH:
            yield from _holders(inner, depth + 1, budget, seen)


def _default(file: Any, entry: Any) -> Any:
    """Return the NXdata at the end of the chain of ``default`` attributes, or None."""
    here = entry
    for _ in range(MAX_DEPTH):
        if nxem_data.class_of(here) == "NXdata":
            return here
        name = nxem_data.text(hdf5.attribute(here, "default"))
        here = hdf5.follow(file, name, here.name) if name else None
        if not hdf5.is_group(here):
            return None
    return None


# --- the signals of a file of ours ---


def _restored(
    record: Mapping[str, Any],
    places: Any,
    plots: list[nxem_data.Plot],
    entry: str,
    path: str,
    warnings: list[Remark],
) -> Iterator[Signal]:
    """Yield the signals as our record has them, and then whatever somebody added."""
    left = {plot.place: plot for plot in plots}
    listed = places if isinstance(places, list) else []
    described = record.get("signals")
    for number, found in enumerate(described if isinstance(described, list) else []):
        known = _known(found)
        if known is None:
            warnings.append(Remark("edited", f"signal {number + 1}: what {entry}/nffa/record says of it is no signal"))
            continue
        names = listed[number] if number < len(listed) and isinstance(listed[number], list) else []
        mine = [left.pop(place, None) for place in (f"{entry}/{name}" for name in names)]
        if not mine:
            yield known  # NXem has no place for it: its samples are not here
        elif any(plot is None for plot in mine):
            warnings.append(Remark("edited", f"signal {number + 1}: its data are no longer at {entry}/{names[0]}"))
        else:
            yield from _held(known, [plot for plot in mine if plot is not None], path, warnings)
    for plot in left.values():
        warnings.append(Remark("edited", f"{plot.place} was added to the file"))
        warnings += plot.warnings
        yield plot.signal


def _held(known: Signal, plots: list[nxem_data.Plot], path: str, warnings: list[Remark]) -> Iterator[Signal]:
    """Yield a signal of ours with its samples; where its NXdata are of another size or type, these as they are."""
    first = plots[0]
    colours = len(plots) > 1
    shape = (*first.signal.shape, len(plots)) if colours else first.signal.shape
    dtype = "uint8" if known.dtype == "bool" else known.dtype
    if shape != known.shape or any(
        (each.signal.shape, each.signal.dtype) != (first.signal.shape, dtype) for each in plots
    ):
        warnings.append(Remark("edited", f"{first.place}: its data are not those that nffa wrote"))
        for plot in plots:
            warnings += plot.warnings
            yield plot.signal
        return
    axes = []
    for axis, position in zip(known.axes, (*first.positions, None), strict=False):
        if position is None or position.agrees(axis):
            axes.append(axis)
        else:
            warnings.append(Remark("edited", f"{position.place} is not the calibration that nffa wrote"))
            axes.append(replace(position.axis, name=axis.name))
    names = [name for plot in plots for name in plot.datasets]
    plain = len(names) == 1 and known.dtype != "bool"
    detail: dict[str, Any] = {"dataset": names[0]} if plain else {"datasets": names}
    layout = Layout(path=path, method="hdf5", dtype=first.dtype, detail=detail)
    yield replace(known, axes=tuple(axes), layout=layout)


def _known(found: Any) -> Signal | None:
    """Return the signal that JSON describes, None where it describes none."""
    try:
        axes = tuple(
            Axis(str(axis["name"]), int(axis["size"]), float(axis["scale"]), float(axis["offset"]), _unit(axis["unit"]))
            for axis in found["axes"]
        )
        name, kind, dtype = found["name"], found["kind"], found["dtype"]
        shape = tuple(map(int, found["shape"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    fits = isinstance(name, str | None) and kind in get_args(Kind) and isinstance(dtype, str)
    if not fits or shape != tuple(axis.size for axis in axes):
        return None
    return Signal(name, kind, shape, dtype, axes)


def _unit(unit: Any) -> str | None:
    if unit is not None and not isinstance(unit, str):
        raise TypeError("a unit is a text")
    return unit
