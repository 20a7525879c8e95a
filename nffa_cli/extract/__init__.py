"""From an acquisition's files to the vendor's words: choose one reader by format and import only that one.

Readers may raise anything on hostile bytes; only here is everything caught and given one name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from math import isfinite

from nffa_cli.errors import MissingPackage, UnreadableFile
from nffa_cli.records import Axis, RawMetadata, Remark

VERSION = "1"
"""Changes when files are read differently, so that what was read before becomes due again."""

READERS = {
    "tiff": "nffa_cli.extract.tiff",
    "dm": "nffa_cli.extract.digitalmicrograph",
    "tia": "nffa_cli.extract.tia",
    "sidecar": "nffa_cli.extract.sidecar",
    "picture": "nffa_cli.extract.picture",
    "emd": "nffa_cli.extract.emd",
    "blockfile": "nffa_cli.extract.blockfile",
    "mrc": "nffa_cli.extract.mrc",
    "rosetta": "nffa_cli.extract.rosetta",
}
"""Reader family, as ``identify`` names it, to the module whose ``read`` does the work."""


def read(files: Sequence[str], family: str) -> RawMetadata:
    """Read the headers of one acquisition.

    Parameters
    ----------
    files
        Paths, the main file first.
    family
        A key of ``READERS``.

    Raises
    ------
    UnreadableFile
        Whatever went wrong, with the reader's own words.
    MissingPackage
        The reader needs a package that is not installed.
    """
    try:
        raw: RawMetadata = import_module(READERS[family]).read(files)
    except (UnreadableFile, MissingPackage, MemoryError):
        raise
    except ImportError as error:
        raise MissingPackage.of(error) from error
    except Exception as error:
        what = f"the {family} reader gave up: {type(error).__name__}: {error}"
        raise UnreadableFile(what, where=files[0], hint="copy the file again from the instrument") from error
    if not raw.signals and not raw.tree:
        raise UnreadableFile("nothing was found in the file", code="empty", where=files[0])
    if raw.signals and all(0 in signal.shape for signal in raw.signals):
        raise UnreadableFile("the file describes a signal and holds no sample of it", code="empty", where=files[0])
    return _sane(raw)


def _sane(raw: RawMetadata) -> RawMetadata:
    """Take away calibrations that are no numbers: damaged bytes can make any float."""
    strange = [
        axis for signal in raw.signals for axis in signal.axes if not (isfinite(axis.scale) and isfinite(axis.offset))
    ]
    if not strange:
        return raw
    signals = tuple(
        replace(signal, axes=tuple(Axis(axis.name, axis.size) if axis in strange else axis for axis in signal.axes))
        for signal in raw.signals
    )
    remark = Remark("no-calibration", f"the calibration of axis {strange[0].name} is not a number")
    return replace(raw, signals=signals, warnings=(*raw.warnings, remark))
