"""Reader of the HDF5 files of microscopes: EMD of Velox (Thermo Fisher) and of NCEM/Berkeley, and NXem; never pixels.

RosettaSciIO is not asked, because it rounds the stage of Velox to micrometres and leaves out what NCEM files say of the
microscope. This module tells the kinds apart by what is in them and reads the NCEM one; ``velox`` and ``nxem`` read theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Literal

from nffa_cli.errors import UnreadableFile
from nffa_cli.extract import hdf5, nxem, velox
from nffa_cli.identify import extension_of
from nffa_cli.records import Axis, Kind, Layout, RawMetadata, Remark, Signal

Flavour = Literal["velox-emd", "ncem-emd", "foreign"]

NAMED = (".emd", ".de5")
"""Extensions of EMD files. Under any other name an HDF5 file is NXem or none of ours."""

_NAMES = ("data", "counted_datacube", "datacube", "diffractionslice", "realslice")
"""How EMD 0.x and 1.x call the dataset of a data group."""


def flavour(path: str) -> Flavour:
    """Say which kind of HDF5 file this is; ``foreign`` is somebody else's. Raises UnreadableFile for broken HDF5."""
    with hdf5.opened(path) as (file, _):
        return _flavour(file)


def read(files: Sequence[str]) -> RawMetadata:
    """Read an HDF5 file; raises UnreadableFile when it is broken (``not-ours`` when it is of no kind that we know)."""
    path = files[0]
    extension = extension_of(path)
    with ExitStack() as stack:
        try:
            file, end = stack.enter_context(hdf5.opened(path))
        except UnreadableFile as error:
            if extension in (*NAMED, *nxem.NAMED):
                raise
            raise UnreadableFile(f"hdf5, which cannot be opened: {error.what}", code="not-ours", where=path) from error
        if (definition := nxem.definition(file)) == nxem.DEFINITION:
            return nxem.read(file, path, end)
        if extension not in NAMED:
            what = "hdf5" if definition is None else f"NeXus {definition}, and only {nxem.DEFINITION} is read"
            raise UnreadableFile(what, code="not-ours", where=path)
        kind = _flavour(file)
        if kind == "velox-emd":
            return velox.read(file, path, end)
        if kind == "ncem-emd":
            return _ncem(file, path, end)
    raise UnreadableFile(
        "an HDF5 file, but neither Velox nor NCEM EMD", where=path, hint="if it is micrographs, tell us what wrote it"
    )


def _flavour(file: Any) -> Flavour:
    version = hdf5.json_of(hdf5.text_of(hdf5.child(file, "Version")))
    if isinstance(version, dict) and version.get("format") == "Velox":
        return "velox-emd"
    if any(hdf5.at(file, "Data", name) is not None for name in ("Image", "Spectrum", "SpectrumStream")):
        return "velox-emd"
    if "version_major" in file.attrs or _data_groups(file):
        return "ncem-emd"
    return "foreign"


# --- NCEM / Berkeley EMD (https://emdatasets.com/format) ---


def _data_groups(file: Any) -> list[tuple[Any, Any]]:
    """Return (group, dataset) of every group with the attribute ``emd_group_type``, at most three levels down."""
    found: list[tuple[Any, Any]] = []
    waiting = [(group, 1) for _, group in hdf5.groups(file)]
    while waiting and len(found) < 1000:
        group, depth = waiting.pop(0)
        if "emd_group_type" in group.attrs:
            dataset = next((item for name in _NAMES if (item := hdf5.child(group, name)) is not None), None)
            if dataset is not None and hasattr(dataset, "dtype"):
                found.append((group, dataset))
                continue
        if depth < 4:
            waiting += [(inner, depth + 1) for _, inner in hdf5.groups(group)]
    return found


def _ncem(file: Any, path: str, end: int) -> RawMetadata:
    signals, faults = [], []
    for group, dataset in _data_groups(file):
        if not hdf5.is_dataset(dataset):
            faults.append(Remark("elsewhere", f"the values of {dataset.name} lie in another file"))
        elif dataset.dtype.kind in "iufcb":
            signals.append(_signal(group, dataset, path))
    return RawMetadata(
        format="ncem-emd",
        tree=hdf5.Tree(parse_json=False).group(file),
        signals=tuple(signals),
        needs=end,
        faults=tuple(faults),
        reader="nffa emd",
    )


def _signal(group: Any, dataset: Any, path: str) -> Signal:
    first = 0 if hdf5.child(group, "dim0") is not None else 1
    axes = [
        _axis(hdf5.child(group, f"dim{first + i}"), length, f"dim{first + i}") for i, length in enumerate(dataset.shape)
    ]
    names = [axis.name.lower() for axis in axes]
    order = tuple(range(len(axes)))
    if "x" in names and "y" in names and names.index("x") < names.index("y"):  # written fast to slow: turn it round
        order = order[::-1]
    axes = [axes[i] for i in order]
    shape = tuple(int(dataset.shape[i]) for i in order)
    layout = Layout(
        path=path,
        method="hdf5",
        dtype=dataset.dtype.str,
        stored=tuple(int(n) for n in dataset.shape),
        order=order if order != tuple(sorted(order)) else (),
        detail={"dataset": dataset.name},
    )
    name = group.name.rsplit("/", 1)[-1]
    return Signal(name, _kind(axes, dataset.dtype.kind), shape, dataset.dtype.name, tuple(axes), layout)


def _axis(dim: Any, length: int, fallback: str) -> Axis:
    """Return the calibration that a ``dimN`` vector gives: its first value and its step, if the steps are even."""
    if not hdf5.is_dataset(dim) or dim.ndim != 1 or dim.dtype.kind not in "iuf" or dim.shape[0] > 1 << 20:
        return Axis(fallback, length)
    values = [float(value) for value in dim[()]]
    name = _text(dim.attrs.get("name")) or fallback
    name = name.lower() if len(name) == 1 else name
    unit = _unit(_text(dim.attrs.get("units")))
    if length < 2 or len(values) not in (2, length):
        return Axis(name, length)
    step = (values[-1] - values[0]) / (len(values) - 1)
    even = all(abs(values[i] - values[0] - i * step) <= 0.01 * abs(step) for i in range(len(values)))
    if not even or step == 0.0 or not abs(step) < float("inf"):
        return Axis(name, length)
    return Axis(name, length, step, values[0], unit)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).strip() or None if value is not None else None


def _unit(written: str | None) -> str | None:
    """Undo EMD's brackets and set-off prefixes: ``[n_m]``, ``[n_m^-1]``; ``[]`` and ``pixels`` say nothing."""
    if written is None:
        return None
    unit = written.strip("[] ").replace("_", "")
    inverse = unit.endswith("^-1")
    unit = {"A": "Å", "Angstrom": "Å"}.get(unit.removesuffix("^-1"), unit.removesuffix("^-1"))
    if unit.lower() in {"", "px", "pixel", "pixels", "none", "unitless", "n/a"}:
        return None
    return f"1/{unit}" if inverse else unit


def _kind(axes: Sequence[Axis], dtype_kind: str) -> Kind:
    if dtype_kind == "c":
        return "complex"
    reciprocal = bool(axes) and (axes[-1].unit or "").startswith("1/")
    if len(axes) == 1:
        return "spectrum" if (axes[0].unit or "").endswith("eV") else "profile"
    if (axes[-1].unit or "").endswith("eV"):
        return "spectrum-image"
    if len(axes) == 2:
        return "diffraction" if reciprocal else "image"
    if len(axes) == 4:
        return "4d-stem"
    return "diffraction-stack" if reciprocal else "stack"
