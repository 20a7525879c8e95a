"""How a figure is taken: child processes with wall clock, CPU and resident memory, ratios pair by pair, one line each."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
MEGABYTE = 1e6


@dataclass(frozen=True)
class Run:
    """What one command cost: seconds, CPU seconds with all its children, and peaks of resident memory in MB.

    ``single``: the largest of its processes; ``total``: the most that all of them held at one time.
    """

    wall: float
    cpu: float
    single: float = 0.0
    total: float = 0.0
    peaks: Mapping[int, float] = field(default_factory=dict)
    output: str = ""


def environment(home: Path | None = None) -> dict[str, str]:
    """Return the environment of a child: byte code is kept, as on a user's machine; only ``home`` for nffa's state."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("NFFA_", "PYTHON"))}
    return {**kept, "NFFA_HOME": str(home)} if home else kept


def python(code: str, *arguments: object) -> list[str]:
    """Return the command that runs ``code`` in a fresh Python of ours."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def nffa(*arguments: object) -> list[str]:
    """Return the command of the installed ``nffa``, else of this checkout."""
    script = Path(sys.executable).with_name("nffa")
    return [*([str(script)] if script.exists() else [sys.executable, "-m", "nffa_cli"]), *map(str, arguments)]


def run(command: Sequence[str], *, home: Path | None = None, watch: bool = False, good: tuple[int, ...] = (0,)) -> Run:
    """Run a command to its end; ``watch``: look at the memory of all its processes every 20 ms, which costs CPU.

    Raises RuntimeError with the command's last words when it ends with a status that is not ``good``.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        command, env=environment(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=REPOSITORY, text=True,
    )  # fmt: skip
    watcher = _Watcher(process.pid) if watch else None
    output, errors = process.communicate()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    peaks = watcher.stop() if watcher else {}
    if process.returncode not in good:
        raise RuntimeError(f"{' '.join(command)[:200]} ended with {process.returncode}: {errors[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    total = watcher.total if watcher else 0.0
    return Run(wall, cpu, max(peaks.values(), default=0.0), total, peaks, output)


class _Watcher:
    """Looks at a process and its children until it is told to stop."""

    def __init__(self, pid: int) -> None:
        self.total = 0.0
        self._peaks: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(psutil.Process(pid),), daemon=True)
        self._thread.start()

    def _look(self, root: psutil.Process) -> None:
        while not self._ended.wait(0.02):
            now = 0.0
            try:
                family = [root, *root.children(recursive=True)]
            except psutil.Error:
                continue
            for process in family:
                try:
                    held = process.memory_info().rss / MEGABYTE
                except psutil.Error:
                    continue
                now += held
                self._peaks[process.pid] = max(self._peaks.get(process.pid, 0.0), held)
            self.total = max(self.total, now)

    def stop(self) -> dict[int, float]:
        self._ended.set()
        self._thread.join()
        return self._peaks


def pairs(ours: Callable[[], Run], floor: Callable[[], Run], rounds: int) -> list[tuple[Run, Run]]:
    """Run the two in turn, ``rounds`` times after one unmeasured round, so that both meet the same weather."""
    floor(), ours()
    return [(ours(), floor()) for _ in range(rounds)]


def show(what: str, ratios: Sequence[float], goal: str, detail: str = "", *, unit: str = "x") -> None:
    """Print one figure: what, median with range, the goal (``<= 1.3``) and whether it is met, what was compared."""
    median = statistics.median(ratios)
    sign, _, bound = goal.partition(" ")
    met = not goal or (median <= float(bound) if sign == "<=" else median >= float(bound))
    spread = f" [{min(ratios):.2f}-{max(ratios):.2f}]" if len(ratios) > 1 else ""
    aim = f"goal {goal}: {'met' if met else 'NOT MET'}" if goal else "no goal"
    print(f"{what:<58} {median:8.2f} {unit}{spread:<16} {aim:<22} {detail}".rstrip(), flush=True)


def milliseconds(label: str, values: Sequence[float]) -> str:
    """Return ``label`` with the median of ``values`` (seconds) in milliseconds."""
    return f"{label} {statistics.median(values) * 1e3:.1f} ms"
