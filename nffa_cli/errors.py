"""The errors that a user may see, by what the user can do about them.

Every error says *what* happened, *where*, and what to do next (*hint*). One boundary, in ``cli.py``, prints them and
chooses the exit status. Errors about a single acquisition become outcomes and never stop a run.
"""

from __future__ import annotations

EXIT_STATUS = {
    0: "done, or nothing due",
    1: "stopped by an error",
    2: "wrong usage",
    3: "finished, but some acquisitions failed, were quarantined or are incomplete",
    4: "destination unreachable: try again later",
    5: "destination refused (authorisation, schema)",
    6: "disk full or not writable",
    7: "another run holds the lock",
    130: "interrupted; run the same command again to go on",
}


class NffaError(Exception):
    """An error with a remedy.

    Parameters
    ----------
    what
        What happened, with the value that caused it; starts in lower case.
    where
        File, ``file:line``, term or address.
    hint
        What to type or do next.
    """

    code = "error"
    exit_status = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class UsageError(NffaError):
    """The command was called with something it cannot work on."""

    code = "usage"
    exit_status = 2


class ConfigError(NffaError):
    """A settings, profile or session file is wrong."""

    code = "config"


class CrosswalkError(NffaError):
    """A crosswalk or the vocabulary is wrong; ``where`` is ``file:line``."""

    code = "crosswalk"


class UnreadableFile(NffaError):
    """A file's bytes do not make what its format promises.

    ``code`` names the defect for machines: ``truncated``, ``corrupt``, ``empty``, ``timeout``, ``memory``, ``crashed``. It is
    ``not-ours`` where nothing is wrong with the file, and only its contents could say that it is somebody else's.
    """

    code = "corrupt"

    def __init__(self, what: str, *, code: str = "corrupt", where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class ModelError(NffaError):
    """A model is not there, is not what it should be, or cannot be trusted."""

    code = "model"


class MissingPackage(NffaError):
    """A package that is needed to read a file cannot be imported; the file is not to blame."""

    code = "missing-package"

    @classmethod
    def of(cls, error: ImportError) -> MissingPackage:
        """Return the error that names the package which could not be imported, and what to type."""
        name = (error.name or "").partition(".")[0]
        package = PACKAGES.get(name, name) or "nffa-cli"
        if isinstance(error, ModuleNotFoundError):
            return cls(f"the package {package} is not installed", hint=f"pip install {package}")
        what = f"the package {package} cannot be imported ({error})"
        return cls(what, hint=f"pip install --force-reinstall {package}")


PACKAGES = {"PIL": "pillow", "nffa_cli": "nffa-cli", "rsciio": "rosettasciio", "yaml": "pyyaml"}
"""Modules that pip knows under another name."""


class CatalogueError(NffaError):
    """The catalogue cannot be opened, is damaged or is newer than this program."""

    code = "catalogue"


class DiskError(NffaError):
    """The disk is full or a folder of ours cannot be written."""

    code = "disk"
    exit_status = 6


class CatalogueDiskError(DiskError):
    """The disk under ``NFFA_HOME`` is full or cannot be written: nothing can be kept, whatever else would be possible."""


class LockedError(NffaError):
    """Another run works on the same catalogue."""

    code = "locked"
    exit_status = 7


class Unreachable(NffaError):
    """What is somewhere else cannot be had now; the same command later may succeed."""

    code = "unreachable"
    exit_status = 4


class Refused(NffaError):
    """A destination says no (rights, schema), or cannot be trusted; the same command later gets the same answer."""

    code = "refused"
    exit_status = 5
