"""Single defects of good NXem files: what is done to which file, and the rule that must find it.

An edit of a tree is (path, value): the last name may be ``@attribute``, ``field@attribute`` or ``>link``; DROP removes.
An edit of a written file is a function of the open file, for what a tree cannot say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from nffa_cli.export.tree import Ramp, Samples, Tree
from tests import nxem_files

DROP = object()

ENTRY = "entry1"
SAMPLE = f"{ENTRY}/sample"
TOOL = f"{ENTRY}/measurement/instrument"
EVENT = f"{ENTRY}/measurement/event1"
STATE = f"{EVENT}/instrument"
DATA = f"{EVENT}/image1/image_2d"
SPECTRA = f"{EVENT}/spectrum1/spectrum_2d"
PATTERNS = f"{EVENT}/image1/stack_2d"


class Mutation(NamedTuple):
    """One defect: its name, the rule, the good file that is spoilt and how."""

    name: str
    rule: str
    edits: tuple[tuple[str, Any], ...] = ()
    base: str = "full"
    on_file: Callable[[Any], None] | None = None


def one(name: str, rule: str, path: str, value: Any = DROP, *, base: str = "full") -> Mutation:
    return Mutation(name, rule, ((path, value),), base)


def on_file(name: str, rule: str, edit: Callable[[Any], None], *, base: str = "full") -> Mutation:
    return Mutation(name, rule, (), base, edit)


def spoil(tree: Tree, mutation: Mutation) -> Tree:
    """Do to a tree what the mutation says."""
    for path, value in mutation.edits:
        *groups, last = path.split("/")
        here = tree
        for name in groups:
            here = here[name]
        if value is DROP:
            for key in [key for key in here if key == last or ("@" not in last and key.startswith(f"{last}@"))]:
                del here[key]
        else:
            here[last] = value
    return tree


def write(tree: Tree, mutation: Mutation, path: Path) -> Path:
    """Write a spoilt tree, links to nowhere included, and do to the file what a tree cannot say."""
    links = _taken(tree)
    nxem_files.write(tree, path)
    with h5py.File(path, "r+", track_order=True) as file:
        for place, target in links:
            file[place] = h5py.SoftLink(target)
        if mutation.on_file:
            mutation.on_file(file)
    return path


def _taken(tree: Tree, path: str = "") -> list[tuple[str, str]]:
    """Take the links to nowhere out of a tree."""
    found = []
    for key in list(tree):
        if key.startswith(">") and "nowhere" in tree[key]:
            found.append((f"{path}/{key[1:]}", tree.pop(key)))
        elif isinstance(tree[key], dict):
            found += _taken(tree[key], f"{path}/{key}")
    return found


def _rewritten(path: str, value: Any, **how: Any) -> Callable[[Any], None]:
    """Replace a field, its attributes kept."""

    def edit(file: Any) -> None:
        kept = dict(file[path].attrs)
        del file[path]
        made = file.create_dataset(path, data=value, **how)
        for name, each in kept.items():
            made.attrs[name] = each

    return edit


def _unlabelled_link(file: Any) -> None:
    file[f"{EVENT}/image1/title"] = h5py.SoftLink("/entry1/experiment_alias")


def _no_such_field(file: Any) -> None:
    file[f"{SAMPLE}/situation"] = h5py.ExternalLink("nowhere.h5", "/x")


def _cycle_of_links(file: Any) -> None:
    file[f"{SAMPLE}/description2"] = h5py.SoftLink("/entry1/sample/description3")
    file[f"{SAMPLE}/description3"] = h5py.SoftLink("/entry1/sample/description2")


COLLECTION = {"@NX_class": "NXcollection", "x": 1}

MUTATIONS = (
    # what is there
    one("no definition", "missing-field", f"{ENTRY}/definition"),
    one("another definition", "wrong-definition", f"{ENTRY}/definition", "NXarpes"),
    one("unknown definition", "wrong-definition", f"{ENTRY}/definition", "NXnonsense"),
    one("no entry", "no-entry", ENTRY),
    one("no start_time", "missing-field", f"{ENTRY}/start_time"),
    one("no sample at all", "missing-group", SAMPLE),
    one("no atom_types", "missing-field", f"{SAMPLE}/atom_types"),
    one("no is_simulation", "missing-field", f"{SAMPLE}/is_simulation"),
    one("no preparation_date", "missing-field", f"{SAMPLE}/preparation_date"),
    one("no instrument", "missing-group", TOOL),
    one("no fabrication", "missing-group", f"{TOOL}/fabrication"),
    one("no vendor", "missing-field", f"{TOOL}/fabrication/vendor"),
    one("no model", "missing-field", f"{TOOL}/fabrication/model"),
    one("no ebeam_column", "missing-group", f"{TOOL}/ebeam_column"),
    one("no ebeam_column in the event", "missing-group", f"{STATE}/ebeam_column"),
    one("no emitter_type", "missing-field", f"{TOOL}/ebeam_column/electron_source/emitter_type"),
    one("no detector name", "missing-field", f"{TOOL}/detector1/name"),
    one("no operation_mode of a detector", "missing-field", f"{STATE}/detector1/operation_mode"),
    one("no voltage", "missing-field", f"{STATE}/ebeam_column/electron_source/voltage"),
    one("no dwell_time", "missing-field", f"{STATE}/ebeam_column/scan_controller/dwell_time"),
    one("no tilt1", "missing-field", f"{STATE}/stage1/tilt1"),
    one("no rotation of the stage", "missing-field", f"{STATE}/stage1/rotation"),
    one("no rotation_convention", "missing-field", f"{ENTRY}/consistent_rotations/rotation_convention"),
    one("no axis of a frame", "missing-field", f"{ENTRY}/processing_reference_frame/y"),
    one("no file_name in a note", "missing-field", f"{ENTRY}/note1/file_name"),
    one("no context of the input", "missing-field", f"{EVENT}/image1/process/input/context"),
    one("no detector_identifier", "missing-field", f"{EVENT}/image1/process/detector_identifier"),
    one("no type of an identifier", "missing-attribute", f"{SAMPLE}/identifier_sample@type"),
    one("no version of a program", "missing-attribute", f"{ENTRY}/profiling/program1/program@version"),
    one("no program", "missing-field", f"{ENTRY}/profiling/program1/program"),
    one("another release", "other-version", f"{ENTRY}/definition@version", "v1999.01"),
    one("no release", "no-version", f"{ENTRY}/definition@version"),
    one("no recommended name of the sample", "recommended", f"{SAMPLE}/name"),
    # names and classes
    one("undocumented field", "undocumented-field", f"{SAMPLE}/my_extra", "x"),
    one("undocumented attribute", "undocumented-attribute", f"{SAMPLE}/@colour", "grey"),
    one("undocumented attribute of a field", "undocumented-attribute", f"{SAMPLE}/name@colour", "grey"),
    one("undocumented group", "undocumented-group", f"{SAMPLE}/furnace", {"@NX_class": "NXinsertion_device"}),
    one("event called evt1", "undocumented-group", f"{ENTRY}/measurement/evt1", {"@NX_class": "NXem_event_data"}),
    one("undocumented link", "undocumented-link", f"{SAMPLE}/>elsewhere", f"/{DATA}/title"),
    one("group without NX_class", "no-class", f"{TOOL}/fabrication/@NX_class"),
    one("group without NX_class in a collection", "no-class-in-collection", f"{EVENT}/vendor_metadata/tree/@NX_class"),
    one("unknown NX_class", "unknown-class", f"{TOOL}/fabrication/@NX_class", "NXfabric"),
    one("fabrication is an NXcollection", "wrong-class", f"{TOOL}/fabrication", COLLECTION),
    one("detector1 is an NXcollection", "wrong-class", f"{TOOL}/detector1/@NX_class", "NXcollection"),
    one("sample is an NXuser", "wrong-class", f"{SAMPLE}/@NX_class", "NXuser"),
    one("field where a group belongs", "wrong-kind", f"{TOOL}/fabrication", "ZEISS"),
    one("group where a field belongs", "wrong-kind", f"{SAMPLE}/name", COLLECTION),
    one("name with a dash", "bad-name", f"{DATA}/half-life", [1.0]),
    one("errors of no field", "suffix-without-field", f"{SAMPLE}/mass_errors", 0.1),
    one("deprecated attribute", "deprecated", "@NeXus_version", "4.4.3"),
    # values
    one("text where a number belongs", "type", f"{STATE}/optics/working_distance", "4 mm"),
    one("number where text belongs", "type", f"{SAMPLE}/atom_types", 14),
    one("integer where a boolean belongs", "type", f"{SAMPLE}/is_simulation", 0),
    one("text where a boolean belongs", "type", f"{SAMPLE}/is_simulation", "false"),
    one("real is text", "type", f"{DATA}/real", [["a"] * 8] * 6),
    one("boolean image", "type", f"{DATA}/real", [[True] * 8] * 6),
    one("date that is none", "date-time", f"{ENTRY}/start_time", "7 May 2024, 9:31"),
    one("date without offset", "date-time", f"{ENTRY}/start_time", "2024-05-07T09:31:12"),
    one("date without a time", "date-time", f"{SAMPLE}/preparation_date", "2024-05-06"),
    one("date of the 45th of May", "date-time", f"{ENTRY}/end_time", "2024-05-45T09:31:12+02:00"),
    one("unknown date", "date-time", f"{SAMPLE}/preparation_date", "unknown"),
    one("position that is no position", "not-positive", f"{DATA}/axis_i@axis", 0),
    one("value none of a closed list", "closed-enumeration", f"{ENTRY}/consistent_rotations/rotation_convention", "both"),
    one("type of instrument in capitals", "closed-enumeration", f"{TOOL}/type", "SEM"),
    one("value none of an open list", "open-enumeration", f"{SAMPLE}/physical_form@custom"),
    one("identifier of an unknown type", "open-enumeration", f"{SAMPLE}/identifier_sample@type", "local"),
    one("empty atom_types", "empty-required", f"{SAMPLE}/atom_types", ""),
    one("empty vendor", "empty-required", f"{TOOL}/fabrication/vendor", " "),
    one("empty description", "empty-text", f"{SAMPLE}/description", ""),
    one("vendor unknown", "placeholder", f"{TOOL}/fabrication/vendor", "Unknown"),
    one("atom_types of no elements", "not-elements", f"{SAMPLE}/atom_types", "Si, Oxygen"),
    one("RGB in an image of two dimensions", "rank", f"{DATA}/real", Samples(0, (6, 8, 3), "uint16")),
    one("vector of two numbers", "size", f"{ENTRY}/processing_reference_frame/x", [1.0, 0.0]),
    # units
    one("length without unit", "unit-missing", f"{STATE}/optics/working_distance@units"),
    one("angle without unit", "unit-missing", f"{STATE}/stage1/tilt1@units"),
    one("voltage without unit", "unit-missing", f"{STATE}/ebeam_column/electron_source/voltage@units"),
    one("frame without unit", "unit-missing", f"{ENTRY}/processing_reference_frame/x@units"),
    one("length in seconds", "unit-dimension", f"{STATE}/optics/working_distance@units", "s"),
    one("voltage in metres", "unit-dimension", f"{STATE}/ebeam_column/electron_source/voltage@units", "m"),
    one("angle in metres", "unit-dimension", f"{STATE}/stage1/rotation@units", "m"),
    one("energy in nanometres", "unit-dimension", f"{SPECTRA}/axis_energy@units", "nm", base="spectrum"),
    one("working distance in pixels", "unit-dimension", f"{STATE}/optics/working_distance@units", "px"),
    one("length without a unit in it", "unit-unknown", f"{STATE}/optics/working_distance@units", ""),
    one("nonsense unit", "unit-unknown", f"{STATE}/optics/working_distance@units", "flurbs"),
    one("Greek mu", "unit-unknown", f"{STATE}/optics/working_distance@units", "μm"),
    one("Angstrom in capitals", "unit-unknown", f"{SAMPLE}/thickness@units", "Angstrom"),
    one("nonsense unit of an axis", "unit-unknown", f"{DATA}/axis_i@units", "flurbs"),
    one("counts as unit of the signal", "unit-forbidden", f"{DATA}/real@units", "counts"),
    one("unit of a text", "unit-undocumented", f"{SAMPLE}/name@units", "m"),
    one("unit that is a number", "type", f"{STATE}/optics/working_distance@units", 3),
    # plots
    one("no real", "missing-field", f"{DATA}/real"),
    one("no axis_i", "missing-field", f"{DATA}/axis_i"),
    one("no intensity of a spectrum", "missing-field", f"{SPECTRA}/intensity", base="spectrum"),
    one("no indices_image of a stack", "missing-field", f"{PATTERNS}/indices_image", base="stack"),
    one("no long_name of the signal", "missing-attribute", f"{DATA}/real@long_name"),
    one("no long_name of an axis", "missing-attribute", f"{DATA}/axis_j@long_name"),
    one("no signal", "missing-attribute", f"{DATA}/@signal"),
    one("no axes", "missing-attribute", f"{DATA}/@axes"),
    one("signal is nowhere", "signal", f"{DATA}/@signal", "data"),
    one("signal of another shape beside it", "signal", f"{DATA}/@auxiliary_signals", ["axis_i"]),
    one("axes is a dot", "axes", f"{DATA}/@axes", [".", "axis_i"]),
    one("one axis for two dimensions", "axes", f"{DATA}/@axes", ["axis_j"]),
    one("axis too long", "axis-length", f"{DATA}/axis_i", Ramp(9)),
    one("axes the wrong way round", "axis-length", f"{DATA}/@axes", ["axis_i", "axis_j"]),
    one("one index of two", "indices-missing", f"{DATA}/@axis_i_indices"),
    Mutation("no index", "indices-missing", ((f"{DATA}/@axis_i_indices", DROP), (f"{DATA}/@axis_j_indices", DROP))),
    one("wrong index", "indices-wrong", f"{DATA}/@axis_i_indices", 0),
    one("index beyond the rank", "indices-wrong", f"{DATA}/@axis_i_indices", 7),
    one("index of no axis", "indices-wrong", f"{DATA}/@axis_q_indices", 1),
    one("axis that stands still", "axis-values", f"{DATA}/axis_i", Ramp(8, 0.0)),
    one("axis that is not finite", "axis-values", f"{DATA}/axis_i", Ramp(8, 1.0, float("nan"))),
    one("default points nowhere", "default-nowhere", "@default", "entry9"),
    one("default of an image points nowhere", "default-nowhere", f"{EVENT}/image1/@default", "image_3d"),
    one("default points at a field", "default-nowhere", f"{ENTRY}/@default", "start_time"),
    one("no default", "no-default", "@default"),
    # links and the file itself
    one("dangling link", "dangling-link", f"{DATA}/>extra_errors", "/entry1/nowhere"),
    on_file("dangling external link", "dangling-link", _no_such_field),
    on_file("links in a circle", "dangling-link", _cycle_of_links),
    on_file("link without target", "link-target", _unlabelled_link),
    on_file("integer of the wrong sign", "type", lambda file: file[DATA].attrs.create("axis_i_indices", np.int8(1))),
    on_file("start_time is a number", "type", _rewritten(f"{ENTRY}/start_time", 20240507)),
    on_file("start_time of fixed length", "type", _rewritten(f"{ENTRY}/start_time", np.bytes_(b"2024-05-07T09:31:12Z"))),
    on_file("magnification of integers", "type", _rewritten(f"{STATE}/optics/magnification", "5000x")),
)  # fmt: skip
"""Every rule but those about hostile files is in here."""
