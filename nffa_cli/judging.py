"""The judge's job, done in a worker: what is wrong with one NeXus file, which may be any bytes at all."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from typing import Any

from nffa_cli.errors import NffaError, UnreadableFile
from nffa_cli.export import check, hdf5_nodes, nxdl
from nffa_cli.export.findings import Finding
from nffa_cli.extract import hdf5


def warm_up() -> None:
    """Load what every file needs ahead of the first; if the definitions are not there, the first job will say so."""
    gc.set_threshold(50_000, 20, 100)  # what is loaded stays: looking through it for garbage is a fifth of the time
    with suppress(NffaError):
        nxdl.load()


def judge(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the findings about the file at ``path``."""
    try:
        return {"state": "ready", "reason": None, "findings": [each.as_json() for each in findings(job["path"])]}, b""
    except UnreadableFile as error:
        return {"state": "damaged", "reason": f"{error.code}: {error.what}"}, b""
    except OSError as error:
        return {"state": "failed", "reason": f"unreadable: {error.strerror or error}"}, b""


def findings(path: str) -> list[Finding]:
    """Check one file; raises UnreadableFile where it is none, or no HDF5."""
    if not os.path.isfile(path):  # noqa: PTH113
        raise UnreadableFile("this is no file", where=path)
    with hdf5.opened(path) as (file, _):
        return check.check(hdf5_nodes.of_file(file))
