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


STARTED = """import os, signal, sys, types
from nffa_cli import start
def interrupt(): os.kill(os.getpid(), signal.SIGINT)
def told_then_interrupted():
    import atexit
    atexit.register(interrupt)
    sys.exit(3)
sys.argv = ["nffa", "list"]
sys.modules["nffa_cli.cli"] = nffa_cli.cli = types.SimpleNamespace(main={main})
start.main()"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself Ctrl-C on Windows")
@pytest.mark.parametrize(
    ("main", "status", "said"), [("interrupt", 130, "nffa: interrupted\n"), ("told_then_interrupted", 3, "")]
)
def test_an_interrupt_is_a_sentence_while_it_loads_and_nothing_when_all_is_told(main, status, said):
    code = "import nffa_cli\n" + STARTED.format(main=main)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == status
    assert run.stderr.startswith(said)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", ["ingest", "export_nexus", "inspect"])
def test_what_is_heavy_is_the_workers_business(command):
    loaded = loaded_after(f"import nffa_cli.commands.{command}, nffa_cli.pipeline, nffa_cli.exporting")
    assert not loaded & {"numpy", "h5py", "PIL", "rsciio", "onnxruntime"}


def test_each_line_of_help_is_the_commands_own():
    from nffa_cli.cli import COMMANDS, root

    for name, line in COMMANDS.items():
        command = root.get_command(None, name)
        assert command.get_short_help_str(200) == line, name
