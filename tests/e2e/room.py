"""A room for one trial: an inbox, a home, the command in processes of its own, and tiny files to put in.

The files here are the least that a reader takes (``nffa_cli.samples`` makes the true-to-life ones), so that a test can make
many of them, cut them and let them grow.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

PATIENCE = 60.0


def zeiss(kv=10.0, seed=0, side=16, name="InLens"):
    """A Zeiss SEM picture: one directory, tag 34118, one strip at the end; ``seed`` makes its pixels its own."""
    tag = f"0\r\n0\r\nAP_ACTUALKV\r\nEHT = {kv:.2f} kV\r\nAP_WD\r\nWD = 4.2 mm\r\nDP_DETECTOR_CHANNEL\r\nSignal A = {name}\r\n"
    text = tag.encode("cp1252") + b"\0"
    pixels = random.Random(seed).randbytes(side * side)
    at = 8 + 2 + 9 * 12 + 4
    fields = [(256, 3, 1, side), (257, 3, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
              (273, 4, 1, at + len(text)), (278, 4, 1, side), (279, 4, 1, len(pixels)), (34118, 2, len(text), at)]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", *field) for field in fields)
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + directory + bytes(4) + text + pixels


class Run:
    """What one run of the command left: status, streams, and its JSON Lines, which must be pure."""

    def __init__(self, process: subprocess.CompletedProcess[bytes]) -> None:
        self.status = process.returncode
        self.out = process.stdout or b""
        self.err = (process.stderr or b"").decode("utf-8", "replace")
        assert "Traceback" not in self.err, self.err

    @property
    def lines(self):
        return pure_lines(self.out)

    def of(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    @property
    def outcomes(self):
        """{name of the main file: outcome line}; one outcome for each acquisition and stage."""
        found = {}
        for line in self.of("outcome"):
            assert line["path"] not in found, f"two outcomes for {line['path']}"
            found[line["path"]] = line
        return {path.rpartition("/")[2]: line for path, line in found.items()}

    @property
    def statuses(self):
        return {name: line["status"] for name, line in self.outcomes.items()}

    @property
    def summary(self):
        assert self.lines[-1]["type"] == "summary"
        return self.lines[-1]


def pure_lines(out):
    """Return the objects of JSON Lines; anything but ASCII, finite, one object a line, is a fault."""
    assert out.isascii()
    assert not out or out.endswith(b"\n")

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    found = [json.loads(line, parse_constant=refuse) for line in out.decode("ascii").split("\n")[:-1]]
    assert all(isinstance(line, dict) and "type" in line for line in found)
    return found


class Room:
    """A folder with ``inbox`` and ``home``; ``nffa`` runs the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        self.home = folder / "home"
        self.inbox.mkdir()

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NFFA_")}
        return {**kept, "NFFA_HOME": str(self.home), "PYTHONWARNINGS": "default"}

    def start(self, *arguments, command=("-m", "nffa_cli"), env=(), **more):
        more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
        words = [sys.executable, *command, *map(os.fspath, map(str_or_path, arguments))]
        return subprocess.Popen(
            words, env={**self.environment, **dict(env)}, cwd=self.folder, start_new_session=True, **more
        )

    def nffa(self, *arguments, **more):
        return finish(self.start(*arguments, **more))

    def json(self, *arguments, **more):
        return self.nffa(*arguments, "--json", **more)

    def ingest(self, *arguments, settle=0, **more):
        return self.json("ingest", "inbox", "--settle", settle, *arguments, **more)

    def put(self, name, data=None, *, age=0.0):
        """Write a file of the inbox (a new Zeiss picture if no bytes are given), ``age`` seconds old."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zeiss(seed=name) if data is None else data)
        if age:
            os.utime(path, (time.time() - age,) * 2)
        return path

    def listed(self):
        """{name of the main file: line} of ``nffa list``."""
        return {line["path"].rpartition("/")[2]: line for line in self.json("list", "--limit", 10000).of("acquisition")}

    def rows(self, statement):
        with closing(sqlite3.connect(self.home / "catalogue.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return db.execute(statement).fetchall()

    def dump(self):
        from nffa_cli.catalogue.store import Store

        with Store.open(self.home / "catalogue.sqlite", readonly=True) as store:
            return store.dump()


def str_or_path(argument):
    return argument if isinstance(argument, (str, bytes, Path)) else str(argument)


def finish(process, *, within=PATIENCE):
    """Wait for a started command; one that hangs is killed and is a fault."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"still running after {within} s: {out[-500:]!r} {err[-500:]!r}") from None
    return Run(subprocess.CompletedProcess(process.args, process.returncode, out, err))


def until(true, *, within=20.0):
    """Wait until something is so."""
    end = time.monotonic() + within
    while not (found := true()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
    return found


def tree_hash(folder: Path):
    """A digest of all names, kinds, times and bytes below a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        total.update(os.fsencode(path) + b"\0%d\0%d\0%d\0" % (state.st_mtime_ns, state.st_size, state.st_mode))
        if path.is_file() and not path.is_symlink():
            total.update(path.read_bytes())
    return total.hexdigest()


def sha256(data: bytes):
    return hashlib.sha256(data).hexdigest()


def finite(value):
    """Tell whether no number in a JSON value is NaN or infinite."""
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)
