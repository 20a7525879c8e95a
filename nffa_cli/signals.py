"""The door of HyperSpy: what a second, independent reader makes of a file, for ``inspect --reader hyperspy``.

Nothing else of nffa depends on it. It is there to compare with: its trees mix units between vendors. HyperSpy is told
which reader to use, for left to itself it reads anything as a picture.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import hyperspy.api as hs

from nffa_cli.arrays import plain
from nffa_cli.errors import MissingPackage, UnreadableFile

_READERS = {
    "DigitalMicrograph": (".dm3", ".dm4"),
    "TIFF": (".tif", ".tiff", ".tf8"),
    "TIA": (".emi", ".ser"),
    "EMD": (".emd", ".de5"),
    "Bruker": (".bcf", ".spx"),
    "MSA": (".msa", ".ems", ".mas", ".emsa"),
    "EDAX": (".spc", ".spd"),
    "JEOL": (".eds", ".pts"),
    "Phenom": (".elid",),
    "MRC": (".mrc", ".mrcs", ".map", ".ali", ".rec"),
    "Blockfile": (".blo",),
    "Ripple": (".rpl",),
    "QuantumDetector": (".mib",),
    "Semper": (".unf",),
    "TVIPS": (".tvips",),
    "PantaRhei": (".prz",),
    "DigitalSurf": (".sur",),
    "Image": (".jpg", ".jpeg", ".png", ".bmp"),
}
"""RosettaSciIO's name of a reader → the extensions for which HyperSpy is asked to use it."""


def hyperspy_tree(path: str) -> dict[str, Any]:
    """Return the trees that HyperSpy builds, one entry per signal, as lossless JSON.

    Without the package ``sparse`` the spectrum images of Velox files are left out.

    Raises
    ------
    UnreadableFile
        HyperSpy has no reader for it, failed, or found nothing.
    MissingPackage
        It needs a package that is not installed.
    """
    reader = _reader(path)
    keywords = {"select_type": "images"} if reader == "EMD" and find_spec("sparse") is None else {}
    try:
        with _silent():
            try:
                found = hs.load(path, lazy=True, reader=reader, **keywords)
            except NotImplementedError:
                found = hs.load(path, reader=reader, **keywords)
    except ImportError as error:
        raise MissingPackage.of(error) from error
    except Exception as error:  # what HyperSpy raises has no common base
        raise UnreadableFile(f"HyperSpy gave up: {type(error).__name__}: {error}", where=path) from error
    signals = found if isinstance(found, list) else [found]
    if not signals:
        raise UnreadableFile("HyperSpy found nothing in it", code="empty", where=path)
    return {"reader": f"hyperspy {hs.__version__}", "signals": [_tree(signal) for signal in signals]}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what HyperSpy and its readers log and print off stdout; readers come late, with handlers of their own."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _reader(path: str) -> str:
    extension = os.path.splitext(path)[1].lower()  # noqa: PTH122 - text paths may hold bytes that are no UTF-8
    found = next((name for name, extensions in _READERS.items() if extension in extensions), None)
    if found is None:
        raise UnreadableFile(f"HyperSpy is not asked to read {extension or 'a file without extension'}", where=path)
    return found


def _tree(signal: Any) -> dict[str, Any]:
    axes = [
        {"name": str(axis.name), "size": axis.size, "units": None if axis.units is None else str(axis.units)}
        | {key: getattr(axis, key) for key in ("scale", "offset") if hasattr(axis, key)}
        for axis in signal.axes_manager._axes
    ]
    return {
        "class": type(signal).__name__,
        "shape": [int(n) for n in signal.data.shape],
        "dtype": str(signal.data.dtype),
        "axes": plain(axes),
        "metadata": plain(signal.metadata.as_dictionary()),
        "original_metadata": plain(signal.original_metadata.as_dictionary()),
    }
