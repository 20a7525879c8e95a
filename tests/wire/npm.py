"""Independent servers from npm, started for a test: ``@tus/server`` and ``oidc-provider``.

They are looked for in the folder that NFFA_NPM names:
``npm install --prefix DIR @tus/server@2 @tus/file-store@2 oidc-provider@9``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

ABSENT = "needs Node (and NFFA_NPM, a folder with @tus/server, @tus/file-store and oidc-provider)"
HERE = Path(__file__).parent


@contextmanager
def running(script, room, *args):
    """Run a script of this folder and give its first line of output, as JSON; skips where Node is absent."""
    modules = Path(os.environ.get("NFFA_NPM", ""), "node_modules").absolute()
    node = shutil.which("node")
    if node is None or "NFFA_NPM" not in os.environ or not modules.is_dir():
        pytest.skip(ABSENT)
    room.mkdir(exist_ok=True)
    (room / "node_modules").symlink_to(modules)
    shutil.copy(HERE / script, room / script)
    with subprocess.Popen([node, script, *args], cwd=room, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
