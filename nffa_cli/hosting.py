"""A node of one's own on this computer for a while, in a process of its own; the demo delivers to one."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from nffa_cli import secrets, settings
from nffa_cli.errors import NffaError

STOPPING = 30
"""Seconds that a node has to end."""


@contextlib.contextmanager
def node(folder: Path, *, name: str) -> Iterator[str]:
    """Serve a node from ``folder`` on a free port of this computer and give its address.

    While the block runs, this process may deposit there, as the user ``name``.

    Raises
    ------
    NffaError
        The node does not start.
    """
    words = [sys.executable, "-m", "nffa_cli", "node", "serve", "--data", str(folder), "--port", "0", "--json"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            if not first:
                raise NffaError("the node did not start", where=str(folder), hint="nffa node serve   says why")
            with settings.variable(secrets.VARIABLE, _token(folder, name)):
                yield json.loads(first)["url"]
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOPPING)
            process.kill()


def _token(folder: Path, name: str) -> str:
    """Return a new token of the node's for a day; nothing keeps it."""
    from nffa_cli.node import admin
    from nffa_cli.node.config import Config

    with admin.opened(Config(folder)) as database:
        return admin.create_token(database, ("depositor",), name=name, days=1)
