"""Judge NeXus files: our checker over each, and on request pynxtools in a process of its own; nothing is written.

A file that cannot be read is an outcome like any other. Which defects there are is told by ``export.findings.RULES``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nffa_cli import scan, settings
from nffa_cli.errors import MissingPackage, UsageError
from nffa_cli.export import nxdl
from nffa_cli.export.findings import Finding, Level, valid
from nffa_cli.look import STATUS_OF
from nffa_cli.pool import Job, Pool, environment, limits
from nffa_cli.records import Outcome

EXTENSIONS = (".nxs", ".nx", ".h5", ".hdf5")
"""What is looked for in a folder; a file that is named is judged whatever it is called."""

PROGRAM = "pynx"

_VALID = re.compile(r"is valid according to the `NXem`")
_COMPLAINT = re.compile(r"^(?:WARNING|ERROR):? *|NOT valid|Could not find any valid entry")
_VERDICT = re.compile(r"is NOT valid according to|^The entry ")
_PATH = re.compile(r"(/[\w./@-]+)")


@dataclass(frozen=True, slots=True)
class Judged:
    """One file: what was found, and what it adds up to."""

    findings: tuple[Finding, ...]
    outcome: Outcome


def judge(paths: tuple[str, ...], values: settings.Settings, *, full: bool = False) -> Iterator[Judged]:
    """Yield each file in ``paths`` (and in folders those called .nxs, .nx, .h5 or .hdf5) with what was found in it.

    ``full``: ask pynxtools too.

    Raises
    ------
    UsageError
        One of ``paths`` cannot be looked at; nothing has been judged then.
    MissingPackage
        nexusformat is not installed; or pynxtools is not, and ``full`` asks for it.
    """
    for path in paths:
        scan.look_at(path)
    nxdl.folder()  # without definitions nothing can be judged
    program = find_program(values["validate.pynx"]) if full else None
    with Pool(1, limits(values), serves="judging") as pool:
        for path in paths:
            for shown, place in _files(path):
                yield _judged(pool, shown, place, program, values["validate.seconds"])


def _files(given: str) -> Iterator[tuple[str, str]]:
    """Yield (path as the user would type it, path) of a file, or of the NeXus files below a folder, by name."""
    if not os.path.isdir(given):  # noqa: PTH112 - text paths may hold bytes that are no UTF-8
        yield given.replace(os.sep, "/"), given
        return
    for folder, folders, names in os.walk(given):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(EXTENSIONS) and not name.startswith("."):
                place = os.path.join(folder, name)  # noqa: PTH118
                yield place.replace(os.sep, "/"), place


def _judged(pool: Pool, shown: str, path: str, program: str | None, seconds: float) -> Judged:
    size = os.path.getsize(path) if os.path.isfile(path) else 0  # noqa: PTH113, PTH202
    pool.submit(Job({"job": "judge", "path": path, "seconds": pool.limits.deadline(size)}, size))
    header = next(pool.answers(wait=True)).header
    if header["state"] != "ready":
        return Judged((), Outcome(shown, "validate", STATUS_OF[header["state"]], header["reason"]))
    found = [*map(Finding.of_json, header["findings"]), *(ask(program, path, seconds) if program else ())]
    counts = {f"{level}s": sum(finding.level == level for finding in found) for level in ("error", "warning", "note")}
    good = valid(found)
    reason = None if good else f"not-valid: {_counted(counts['errors'], 'error')}"
    return Judged(
        tuple(found), Outcome(shown, "validate", "done" if good else "failed", reason, {"valid": good, **counts})
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


# --- pynxtools ----------------------------------------------------------------------------------------------------


def find_program(given: str = "") -> str:
    """Return the program of pynxtools: ``given``, beside our Python, or on PATH; raises MissingPackage or UsageError."""
    import shutil

    if given:
        if found := shutil.which(given):
            return found
        raise UsageError(f"validate.pynx is no program: {given}", hint="nffa config show")
    beside = shutil.which(PROGRAM, path=str(Path(sys.executable).parent))
    if found := beside or shutil.which(PROGRAM):
        return found
    raise MissingPackage("pynxtools, which --full asks for, is not installed", hint="pip install 'nffa-cli[validate]'")


def ask(program: str, path: str, seconds: float) -> list[Finding]:
    """Return what pynxtools has to say about a file, judged by the definitions that nexusformat carries."""
    import subprocess

    told = {**environment(), "NEXUS_DEF_PATH": str(nxdl.folder())}
    command = [program, "validate", os.path.abspath(path)]  # noqa: PTH100
    try:
        run = subprocess.run(
            command, env=told, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [_said(f"pynxtools gave no answer in {seconds:g} s", "raise validate.seconds")]
    except OSError as error:
        return [_said(f"pynxtools cannot be started: {error}", "pip install 'nffa-cli[validate]'")]
    return heard(run.stdout.decode("utf-8", "replace"), run.returncode)


def heard(text: str, status: int) -> list[Finding]:
    """Return the findings that pynxtools' words amount to; its exit status is 0 even for files that are not valid."""
    lines = [line for line in text.splitlines() if line.strip()]
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    wrong = [_said(_COMPLAINT.sub("", line, count=1).strip()) for line in complaints if not _VERDICT.search(line)]
    if not wrong and (status or complaints or not any(map(_VALID.search, lines))):
        last = lines[-1][:500] if lines else "nothing"
        wrong = [_said(f"pynxtools does not call it valid (status {status}): {last}")]
    return wrong


def _said(what: str, hint: str = "mend it where it was written") -> Finding:
    level: Level = "error"
    found = _PATH.search(what)
    return Finding(found[1] if found else "/", "pynxtools", level, what, hint)
