"""`nffa --help` is instant and stays so; reading a dm3 loads no numpy; a worker's prints never reach stdout."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "numpy",
    "yaml",
    "rich",
    "sqlite3",
    "h5py",
    "PIL",
    "rsciio",
    "hyperspy",
    "dask",
    "psutil",
    "platformdirs",
    "json.tool",
)


def loaded_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_help_loads_nothing_heavy(arguments):
    loaded = loaded_after(f"from nffa_cli.cli import run\nrun({arguments!r})")
    assert not loaded & set(HEAVY)
    assert not [name for name in loaded if name.startswith("nffa_cli.commands.")]


@pytest.mark.parametrize("command", ["ingest", "export_nexus", "inspect"])
def test_what_is_heavy_is_the_workers_business(command):
    loaded = loaded_after(f"import nffa_cli.commands.{command}, nffa_cli.pipeline, nffa_cli.exporting")
    assert not loaded & {"numpy", "h5py", "PIL", "rsciio", "onnxruntime"}


def test_each_line_of_help_is_the_commands_own():
    from nffa_cli.cli import COMMANDS, root

    for name, line in COMMANDS.items():
        command = root.get_command(None, name)
        assert command.get_short_help_str(200) == line, name
