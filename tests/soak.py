"""Long random trials against the installed command: ``python -m tests.soak [kill|crash|mutate|export|sync|node] [--rounds N]``.

kill    SIGKILL at random moments, new files each round; nothing lost, doubled or torn, and a last run finds nothing due.
crash   the same death before each durable step in turn (rename, commit), so that no step is left to chance.
mutate  damaged copies of every format: the run survives all, none that lost bytes from its end is called done.
export  SIGKILL at random moments of export-nexus; what has its final name is whole, and the next run writes the rest.
node    SIGKILL of a node at random moments while clients upload and commit; a delivery in peace then finds all of it whole.
sync    to a folder and to a node (both killed, requests broken on the way): delivered once, exactly (``soak_sync.py``).

The tests run these small; without arguments all of them run at full size and print their figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

from nffa_cli import samples
from tests import node_soak, postgres, soak_sync

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
SMALL = 1_200_000
"""Larger corpus files are left out of the mutations, to keep a thousand of them quick."""

DRIVER = """
import os, sys
from pathlib import Path
countdown = int(os.environ["CRASH_AT"])
def step():
    global countdown
    countdown -= 1
    if countdown == 0:
        os._exit(137)
from nffa_cli.catalogue.connection import Connection
do, replace = Connection.do, Path.replace
def counted_do(self, statement, values=()):
    if statement.split(None, 1)[0] in ("BEGIN", "COMMIT", "INSERT", "UPDATE", "DELETE"):
        step()
    return do(self, statement, values)
def counted_replace(self, target):
    step()
    return replace(self, target)
Connection.do, Path.replace = counted_do, counted_replace
from nffa_cli.cli import run
status = run(sys.argv[1:])
os._exit(status)
"""
"""The command with a death before its n-th durable step; the product itself knows nothing of it."""


def nffa(home: Path, *arguments: object, **more):
    environment = {**os.environ, "NFFA_HOME": str(home), **more.pop("env", {})}
    command = [sys.executable, "-m", "nffa_cli", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **more)


def lines(run) -> list[dict]:
    """Return the JSON Lines of a run; a line that is no JSON object is a fault and raises."""
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert all(isinstance(each, dict) for each in found)
    return found


def tree_hash(folder: Path) -> str:
    """Return a digest of all names, times and bytes below a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        state = path.stat()
        total.update(f"{path.relative_to(folder)}\0{state.st_mtime_ns}\0{state.st_size}\0".encode())
        if path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()


def prove(home: Path, inbox: Path) -> dict[str, int]:
    """Run once more without harm and check that catalogue and folder say the same; return the figures."""
    last = nffa(home, "ingest", inbox, "--settle", "0", "--json")
    assert last.returncode == 0, last.stderr
    clean = nffa(home, "ingest", inbox, "--settle", "0", "--json")
    outcomes = Counter(line["status"] for line in lines(clean) if line["type"] == "outcome")
    assert set(outcomes) <= {"unchanged", "skipped"}, outcomes
    with sqlite3.connect(home / "catalogue.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT f.path, f.sha256 FROM file f JOIN acquisition a ON a.version = f.version "
                          "WHERE a.superseded_by IS NULL").fetchall()  # fmt: skip
        twice = db.execute("SELECT digest, count(*) FROM version GROUP BY digest HAVING count(*) > 1").fetchall()
        previews = [row[0] for row in db.execute("SELECT preview FROM version WHERE preview IS NOT NULL")]
    recorded = {os.fsdecode(path): digest for path, digest in rows}
    on_disk = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in inbox.rglob("*") if path.is_file()}
    torn = [name for name in previews if (home / "previews" / name).stat().st_size == 0]
    assert recorded == on_disk, set(on_disk) ^ set(recorded)
    assert len(rows) == len(recorded)
    assert not twice
    assert not torn
    assert not list((home / "previews").glob(".tmp-*"))
    return {"files": len(on_disk), "recorded": len(recorded), "previews": len(previews)}


def kill(rounds: int, seed: int, room: Path) -> dict[str, int]:
    """SIGKILL the whole run, workers included, at a random moment of each round."""
    chance = random.Random(seed)
    home, inbox = room / "home", room / "inbox"
    inbox.mkdir()
    killed = 0
    span = 1.0
    for number in range(rounds):
        samples.make(inbox / f"{number:04d}", seed=seed + number, kinds=chance.sample(samples.SMALL_KINDS, 3))
        command = [sys.executable, "-m", "nffa_cli", "ingest", str(inbox), "--settle", "0", "--json"]
        began = time.monotonic()
        process = subprocess.Popen(command, env={**os.environ, "NFFA_HOME": str(home)}, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        try:
            process.wait(timeout=chance.uniform(0.05, span))
            span = max(0.3, 0.9 * span + 0.1 * (time.monotonic() - began))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
    return {"rounds": rounds, "killed": killed, **prove(home, inbox)}


def crash(seed: int, room: Path, *, stride: int = 1) -> dict[str, int]:
    """Die before step 1, 2, 3, … of an ingest (or every ``stride``-th) until a run ends without dying; prove after each."""
    died = 0
    for number in count(1, stride):
        here = room / f"crash-{number}"
        home, inbox = here / "home", here / "inbox"
        samples.make(inbox, seed=seed, kinds=samples.SMALL_KINDS[:2])
        command = [sys.executable, "-c", DRIVER, "ingest", str(inbox), "--settle", "0", "--json"]
        run = subprocess.run(command, env={**os.environ, "NFFA_HOME": str(home), "CRASH_AT": str(number)},
                             capture_output=True, text=True, check=False)  # fmt: skip
        prove(home, inbox)
        shutil.rmtree(here)
        if run.returncode != 137:
            break
        died += 1
    return {"steps": died, "proved": died + 1}


def seeds(room: Path) -> list[Path]:
    """Return good files of every format: our own samples, and the corpus where it is at hand."""
    ours = samples.make(room / "seeds", seed=1)
    theirs = (
        [path for path in CORPUS.rglob("*") if path.is_file() and path.stat().st_size < SMALL]
        if CORPUS.is_dir()
        else []
    )
    kept = [
        path
        for path in theirs
        if path.parent.name not in ("spm", "damaged") and path.suffix not in (".yaml", ".txt", ".hdr")
    ]
    return sorted(path for path in [*ours, *kept] if path.suffix.lower() not in (".txt", ".hdr"))


def mutated(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Return (what was done, the damaged bytes)."""
    kind = chance.choice(("cut", "cut", "zeroed tail", "flipped", "hostile size", "zeroed block", "doubled block"))
    cut = chance.randrange(len(data)) if chance.random() < 0.8 else len(data) - chance.randrange(1, min(64, len(data)))
    if kind == "cut":
        return kind, data[:cut]
    if kind == "zeroed tail":
        return kind, data[:cut] + bytes(len(data) - cut)
    changed = bytearray(data)
    if kind == "flipped":
        for _ in range(chance.randrange(1, 40)):
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "hostile size":
        place = chance.randrange(max(1, min(4096, len(data) - 8)))
        changed[place : place + 4] = chance.choice(
            (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff", b"\0\0\0\0")
        )
    else:
        start = chance.randrange(len(data))
        length = min(chance.randrange(1, 5000), len(data) - start)
        changed[start : start + length] = (
            bytes(length) if kind == "zeroed block" else bytes(changed[start : start + length]) * 2
        )
    return kind, bytes(changed)


def mutate(count: int, seed: int, room: Path, *, seconds: float = 10.0) -> dict[str, object]:
    """Ingest damaged copies; every one must come to an outcome, and a cut one never to ``done``."""
    chance = random.Random(seed)
    home, inbox = room / "home", room / "inbox"
    good = seeds(room)
    done_to: dict[str, str] = {}
    lost: set[str] = set()
    for number in range(count):
        source = good[number % len(good)]
        data = source.read_bytes()
        kind, damaged = mutated(data, chance)
        path = inbox / f"{number:05d}" / source.name
        path.parent.mkdir(parents=True)
        path.write_bytes(damaged)
        done_to[str(path)] = kind
        if len(damaged) < len(data):
            lost.add(str(path))
        for partner in source.parent.glob(f"{source.stem}*"):
            if source.suffix.lower() == ".emi" and partner.suffix.lower() == ".ser":
                shutil.copy(partner, path.parent)
            if source.suffix.lower() == ".tif" and partner.suffix.lower() in (".txt", ".hdr"):
                shutil.copy(partner, path.parent)
    before = tree_hash(inbox)
    began = time.monotonic()
    run = nffa(home, "ingest", inbox, "--settle", "0", "--json", env={"NFFA_WORKER_SECONDS": str(seconds)})
    took = time.monotonic() - began
    found = {line["path"]: line for line in lines(run) if line["type"] == "outcome"}
    assert run.returncode in (0, 3), run.stderr[-2000:]
    assert "Traceback" not in run.stderr, run.stderr[-2000:]
    assert set(done_to) <= set(found), set(done_to) - set(found)
    assert tree_hash(inbox) == before
    taken = sorted(path for path in lost if found[path]["status"] in ("done", "unchanged"))
    internal = sorted(path for path in found if "internal" in str(found[path]["reason"]))
    statuses = Counter(found[path]["status"] for path in done_to)
    by_kind = Counter(f"{kind}: {found[path]['status']}" for path, kind in done_to.items())
    killed = Counter(str(found[path]["reason"]).partition(":")[0] for path in done_to)
    return {
        "mutations": count,
        "cut": len(lost),
        "cut_but_done": taken,
        "internal": internal,
        "statuses": dict(statuses),
        "by_kind": dict(sorted(by_kind.items())),
        "timeouts": killed["timeout"],
        "crashes": killed["crashed"],
        "memory": killed["memory"],
        "seconds": round(took, 1),
    }


def export(rounds: int, seed: int, room: Path) -> dict[str, object]:
    """SIGKILL an export, workers included, at a random moment of each round; compare with one that nobody disturbed."""
    chance = random.Random(seed)
    inbox, calm = room / "inbox", room / "calm"
    samples.make_session(inbox)
    began = time.monotonic()
    assert nffa(room / "home", "export-nexus", inbox, "-o", calm, "--json").returncode == 0
    span = time.monotonic() - began
    wanted = {path.relative_to(calm): path.read_bytes() for path in calm.rglob("*.nxs")}
    killed, whole, torn = 0, 0, set()
    for number in range(rounds):
        home, out = room / "home", room / f"out{number}"
        command = [sys.executable, "-m", "nffa_cli", "export-nexus", str(inbox), "-o", str(out), "--json"]
        began = time.monotonic()
        process = subprocess.Popen(command, env={**os.environ, "NFFA_HOME": str(home)}, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
        try:
            process.wait(timeout=chance.uniform(0.1, 1.0) * span)
            span = min(span, time.monotonic() - began)  # the machine may have been busier at first
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        left = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.nxs")}
        whole += len(left)
        torn |= {f"{number}: {path}" for path, data in left.items() if wanted.get(path) != data}
        if number % 10 == 9:
            assert nffa(home, "export-nexus", inbox, "-o", out, "--json").returncode == 0
            after = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
            torn |= {f"{number}, afterwards: {path}" for path in set(after) ^ set(wanted)}
            torn |= {f"{number}, afterwards: {path}" for path in wanted if after.get(path) != wanted[path]}
        shutil.rmtree(out, ignore_errors=True)
    return {"rounds": rounds, "killed": killed, "whole": whole, "torn": sorted(torn)}


def sync(rounds: int, seed: int, room: Path) -> dict[str, object]:
    """All trials of deliveries: 1,000 acquisitions to a node, and as many kills of client and node as ``rounds``."""
    return {
        "folder": soak_sync.folder(rounds, seed, room / "folder"),
        "crash": soak_sync.crash(room / "crash"),
        "node": soak_sync.node(5 * rounds, rounds, seed, room / "node"),
        "postgresql": on_postgresql(max(2, rounds // 10), seed, room / "postgresql"),
    }


def on_postgresql(kills: int, seed: int, room: Path) -> dict[str, object]:
    """The same with a node on PostgreSQL, where that is at hand."""
    with postgres.running() as make:
        if make is None:
            return {"skipped": postgres.ABSENT}
        return soak_sync.node(2 * kills, kills, seed, room, database=make())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", nargs="*", choices=["kill", "crash", "mutate", "export", "sync", "node", []], default=[]
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20240506)
    options = parser.parse_args()
    trials = {
        "kill": lambda room: kill(options.rounds, options.seed, room),
        "crash": lambda room: crash(options.seed, room),
        "mutate": lambda room: mutate(options.mutations, options.seed, room),
        "export": lambda room: export(options.rounds, options.seed, room),
        "node": lambda room: node_soak.node(options.rounds, options.seed, room),
        "sync": lambda room: sync(options.rounds, options.seed, room),
    }
    bad = False
    for name in options.what or trials:
        with tempfile.TemporaryDirectory(prefix="nffa-soak-") as room:
            figures = trials[name](Path(room))
            bad = bad or any(figures.get(name) for name in ("cut_but_done", "internal", "torn", "wrong"))
            print(name, json.dumps(figures, indent=1), flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
