"""The door of RosettaSciIO: every format for which this project has no reader of its own, through an allow-list.

RosettaSciIO guesses by extension and falls back to reading anything as a picture; here the format is chosen first, the
file is proved complete as far as its container tells, and only then one plugin is imported. Nothing reaches stdout.

The tree has two branches: ``vendor`` holds the vendor's own tags, one sub-tree per signal; ``rosettasciio`` holds what
RosettaSciIO made of them. The second mixes units between formats (stage in mm, µm or m under one name): the vendor's
words come first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import rsciio

from nffa_cli.arrays import plain
from nffa_cli.errors import MissingPackage, UnreadableFile
from nffa_cli.extract import containers, velox_samples
from nffa_cli.extract.rosetta_signals import signal
from nffa_cli.records import Layout, RawMetadata, Remark

_LOGGER = logging.getLogger("rsciio")
for _handler in list(_LOGGER.handlers):  # RosettaSciIO installs one that writes to stdout when it is imported
    _LOGGER.removeHandler(_handler)
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

MOST_WHOLE = 512 << 20
"""Most bytes of a spectrum image that is decoded as a whole to be looked at."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A format that RosettaSciIO reads for us.

    module
        RosettaSciIO's, or one of ours that does as its readers do.
    lazy
        Ask for lazy loading. Off where laziness would hide missing bytes that no container check finds.
    whole
        Its lazy arrays decode everything for each slice.
    why
        Why it is on the list.
    """

    format: str
    module: str
    extensions: tuple[str, ...]
    starts: bytes
    why: str
    lazy: bool = True
    whole: bool = False
    keywords: Mapping[str, Any] = field(default_factory=dict)


PLUGINS: tuple[Plugin, ...] = (
    Plugin("bruker-bcf", "bruker", (".bcf",), b"AAMVHFSS", "EDS maps of Bruker Esprit", whole=True),
    Plugin("bruker-spx", "nffa_cli.extract.bruker_spx", (".spx",), b"", "EDS spectra of Bruker Esprit", lazy=False),
    Plugin("emsa-msa", "nffa_cli.extract.emsa", (".msa", ".ems", ".mas", ".emsa", ".txt"), b"",
           "ISO 22029 spectra, every maker exports them", lazy=False),
    Plugin("edax-spc", "edax", (".spc",), b"", "EDS spectra of EDAX Genesis and TEAM", keywords={"load_all_spc": True}),
    Plugin("edax-spd", "edax", (".spd",), b"MAPSPECTRA_DATA", "EDS maps of EDAX", keywords={"load_all_spc": True}),
    Plugin("jeol-eds", "jeol", (".eds",), b"", "EDS spectra of JEOL Analysis Station", lazy=False),
    Plugin("rosetta-jeol-pts", "jeol", (".pts",), b"\x30\x01\0\0", "EDS maps of JEOL Analysis Station", whole=True,
           lazy=False),
    Plugin("phenom-elid", "phenom", (".elid",), b"BZh", "images and EDS of Phenom desktop SEMs", lazy=False),
    Plugin("rosetta-ripple", "ripple", (".rpl",), b"", "spectrum images of Lispix, an export of INCA"),
    Plugin("rosetta-mib", "quantumdetector", (".mib",), b"MQ1", "4D-STEM of Merlin detectors"),
    Plugin("rosetta-semper", "semper", (".unf",), b"", "TEM images of SEMPER", lazy=False),
    Plugin("rosetta-tvips", "tvips", (".tvips",), b"", "TEM image streams of TVIPS cameras"),
    Plugin("rosetta-prz", "pantarhei", (".prz",), b"PK\x03\x04", "STEM and EELS of CEOS Panta Rhei", lazy=False),
    Plugin("gatan-dm", "digitalmicrograph", (), b"", "samples of colour and packed complex images; the rest is our own",
           lazy=False),
    Plugin("rosetta-digitalsurf", "digitalsurf", (".sur",), b"D", "cathodoluminescence of Attolight SEMs", lazy=False),
)  # fmt: skip
"""What is left out, and why: image, numpy (no metadata of an instrument); hspy, zspy, nexus, usid, netcdf (made by
programs, not by instruments); arina, delmic, tofwerk, topspin (general HDF5: another issue); mrcz (needs another
library); renishaw, jobinyvon, trivista, hamamatsu, quadstar (no electron microscope); dens, impulse, protochips (logs
of holders, without an end mark); empad and JEOL asw (lists of other files, and a data folder could aim their paths
anywhere); dm, tia, tiff, emd, blockfile, mrc (read by this project)."""


def read(files: Sequence[str]) -> RawMetadata:
    """Read a file of one of the formats above.

    Raises
    ------
    UnreadableFile
        No reader takes it, bytes are missing, or RosettaSciIO found nothing. What else it raises goes through.
    MissingPackage
        It needs a package that is not installed.
    """
    path = files[0]
    plugin = choose(path)
    size = os.stat(path).st_size  # noqa: PTH116 - text paths may hold bytes that are no UTF-8
    needs = containers.needs(path, plugin.format)
    if needs is not None and needs > size:
        what = f"{size} bytes of {needs}: the end of the file is missing"
        raise UnreadableFile(what, code="truncated", where=path, hint="wait until it is copied, or copy it again")
    with _quiet() as said:
        found = _file_reader(plugin, path)
    if not found:
        raise UnreadableFile("RosettaSciIO found nothing in it", code="empty", where=path, hint="copy the file again")
    if plugin.format == "rosetta-ripple":
        _check_raw(path, found)
    return RawMetadata(
        format=plugin.format,
        tree=_tree(found),
        signals=tuple(
            signal(each, Layout(path, "rosetta", "", detail={"plugin": plugin.format, "index": index}))
            for index, each in enumerate(found)
        ),
        needs=needs,
        warnings=tuple(Remark("rosettasciio", text) for text in dict.fromkeys(said)),
        reader="nffa rosetta" if "." in plugin.module else f"rosettasciio {rsciio.__version__}",
    )


def load(layout: Layout, *, opened: dict[str, Any] | None = None, whole: bool = False) -> Any:
    """Return an array-like of a signal whose layout has the method ``rosetta``; slices of it are (or become) arrays.

    Parameters
    ----------
    opened
        Keeps what was read of a file for its other signals, as long as the caller does.
    whole
        Take all of a stream, not only as much as a preview needs.

    Raises
    ------
    UnreadableFile
        ``memory``: the format must be decoded as a whole, and that is too much.
    """
    if "plugin" not in layout.detail:
        return velox_samples.load(layout, whole=whole)
    plugin = next(plugin for plugin in PLUGINS if plugin.format == layout.detail["plugin"])
    opened = {} if opened is None else opened
    with _quiet():
        if layout.path not in opened:
            opened[layout.path] = _file_reader(plugin, layout.path)
        data = opened[layout.path][layout.detail["index"]]["data"]
        if not plugin.whole or not hasattr(data, "compute"):
            return data
        if data.nbytes > MOST_WHOLE:
            what = f"a spectrum image of {data.nbytes:,} bytes must be decoded as a whole to be looked at"
            raise UnreadableFile(what, code="memory", where=layout.path)
        return data.compute(scheduler="synchronous")


def choose(path: str) -> Plugin:
    """Return the plugin for a file by its extension and first bytes; raises UnreadableFile when there is none."""
    extension = os.path.splitext(path)[1].lower()  # noqa: PTH122
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(16)
    named = [plugin for plugin in PLUGINS if extension in plugin.extensions]
    for plugin in named or PLUGINS[:1]:
        if head.startswith(plugin.starts):
            return plugin
    what = f"it does not start like a {extension} file" if named else f"no reader is allowed for {extension or 'it'}"
    raise UnreadableFile(what, where=path, hint="see `nffa inspect --help` for what is read")


def _file_reader(plugin: Plugin, path: str) -> list[dict[str, Any]]:
    try:
        module = plugin.module if "." in plugin.module else f"rsciio.{plugin.module}"
        reader = import_module(module).file_reader
        if plugin.lazy:
            with contextlib.suppress(NotImplementedError):
                return list(reader(path, lazy=True, **plugin.keywords) or ())
        return list(reader(path, lazy=False, **plugin.keywords) or ())
    except ImportError as error:
        raise MissingPackage.of(error) from error


@contextlib.contextmanager
def _quiet() -> Iterator[list[str]]:
    """Catch what RosettaSciIO says in its log and in warnings, and send anything that it prints to stderr."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear = Ear(logging.WARNING)
    _LOGGER.addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("always")
            yield said
        said += [str(each.message) for each in caught if issubclass(each.category, UserWarning)]
    finally:
        _LOGGER.removeHandler(ear)


def _tree(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return both branches; a sub-tree that several signals share is written once."""
    vendor: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for index, each in enumerate(found):
        for branch, tree in ((vendor, each.get("original_metadata")), (made, each.get("metadata"))):
            written = plain(tree or {})
            same = next((key for key, other in branch.items() if other == written), None)
            branch[str(index)] = written if same is None else {"@same_as": same}
    return {"vendor": vendor, "rosettasciio": made}


def _check_raw(path: str, found: Sequence[Mapping[str, Any]]) -> None:
    """Prove that the .raw beside a ripple header is long enough: a lazy array would notice only when it is used."""
    stem = os.path.splitext(path)[0]  # noqa: PTH122
    raw = next((stem + ending for ending in (".raw", ".RAW") if os.path.exists(stem + ending)), None)  # noqa: PTH110
    if raw is None:
        raise UnreadableFile("its .raw file is missing", code="truncated", where=path, hint="copy the .raw beside it")
    offset = int((found[0].get("original_metadata") or {}).get("offset") or 0)
    needs = offset + found[0]["data"].nbytes
    size = os.stat(raw).st_size  # noqa: PTH116
    if size < needs:
        raise UnreadableFile(f"{size} bytes of {needs} in {raw}", code="truncated", where=path, hint="copy it again")
