"""The judges: programs of others that say whether a file is NXem, asked through ``judge.py`` in an environment of their own.

``NFFA_JUDGE`` names that environment's interpreter; docs/develop.md says how it is made.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("judge.py")
ABSENT = "needs the judges (pynxtools, silx) in the environment that NFFA_JUDGE names: see docs/develop.md"
PARTS = ("pynxtools", "nexusformat", "silx", "h5py")


def interpreter() -> str | None:
    """Return the interpreter of the judges' environment, or None where there is none or it lacks one of them."""
    python = os.environ.get("NFFA_JUDGE")
    if not python:
        return None
    ask = f"import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, {PARTS!r})))"
    try:
        return python if subprocess.run([python, "-I", "-c", ask], check=False).returncode == 0 else None
    except OSError:
        return None


def judged(python: str, paths: Iterable[Path], *which: str) -> dict[Path, dict[str, Any]]:
    """Return {path: verdict} of the judges, or only of ``which``, as ``judge.py`` describes it; all files in one go."""
    paths = list(paths)
    asked = "".join(json.dumps(str(path)) + "\n" for path in paths)
    run = subprocess.run([python, "-I", SCRIPT, *which], input=asked, capture_output=True, text=True, check=False)
    verdicts = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each["path"] for each in verdicts] == [str(path) for path in paths], run.stderr[-2000:]
    return {Path(each["path"]): each for each in verdicts}


def complaints(verdict: dict[str, Any]) -> list[str]:
    """Return what the judges have against a file, each line with the judge's name; empty: it is valid for all asked."""
    return [
        f"{judge}: {line}"
        for judge in ("official", "own", "silx")
        if judge in verdict and not verdict[judge]["valid"]
        for line in verdict[judge]["lines"] or ["not valid"]
    ]
