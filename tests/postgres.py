"""A PostgreSQL of our own for the tests: from the installed binaries, in a temporary folder, on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ABSENT = "needs PostgreSQL (Debian's package: postgresql)"


def binaries() -> Path | None:
    """Return the folder of initdb, wherever Debian or the PATH has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running():
    """Run a server and give a function that makes a database and returns its address; None without binaries.

    The database is empty, or holds what the one at the address ``like`` does, with which nobody may be connected.
    """
    where = binaries()
    if where is None:
        yield None
        return
    room = Path(tempfile.mkdtemp(prefix="nffa-pg-"))
    as_user = []
    if os.name == "posix" and os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(room, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def do(*command):
        subprocess.run([*as_user, *command], check=True, cwd=room, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    data = room / "data"
    options = f"-F -p {port} -k {room} -c listen_addresses=127.0.0.1 -c max_connections=300 -c synchronous_commit=off"
    try:
        do(where / "initdb", "-D", data, "-U", "nffa", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        do(where / "pg_ctl", "-D", data, "-w", "-l", room / "log", "-o", options, "start")
        try:
            yield partial(_made, port)
        finally:
            do(where / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _made(port, like=None):
    import psycopg

    name, template = f"n{uuid.uuid4().hex}", "template1" if like is None else like.rpartition("/")[2]
    with psycopg.connect(f"postgresql://nffa@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return f"postgresql://nffa@127.0.0.1:{port}/{name}"
