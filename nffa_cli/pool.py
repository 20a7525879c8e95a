"""The parent's side of the workers: start them, hand out jobs, watch time and memory, replace the dead.

One thread for each worker blocks on its pipe; one watchdog thread looks at all of them. The caller submits jobs and takes
answers in the order in which they come.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from nffa_cli.errors import NffaError

if TYPE_CHECKING:
    from nffa_cli.settings import Settings

RECYCLE_JOBS = 2000
"""A worker is replaced after so many jobs, so that what a library leaks does not grow for ever."""
WATCH_SECONDS = 0.25
QUEUED = 32
"""Jobs under way for each worker: enough to keep it busy while the caller commits what came before."""
WORKER = ("-m", "nffa_cli.worker")
"""What Python is told to run."""
READING = "reading"
"""The module with a worker's usual jobs; it is told which one to import before the first job comes."""
UP = b"up\n"
"""What a worker says when it has imported what it needs."""
START_SECONDS = 120.0
"""How long that may take: on a slow PC a virus scanner looks at every library."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may cost: seconds (plus the time to hash, by size) and resident megabytes."""

    seconds: float = 60.0
    memory_mb: int = 2048
    bytes_per_second: float = 10e6

    def deadline(self, size: int) -> float:
        """Return the seconds allowed for a job over ``size`` bytes."""
        return self.seconds + size / self.bytes_per_second


def limits(values: Settings) -> Limits:
    """Return what the settings allow one reading to cost."""
    return Limits(values["worker.seconds"], values["worker.memory_mb"])


@dataclass(frozen=True, slots=True)
class Job:
    """What to do (JSON-able), and the caller's own word for it, which comes back with the answer."""

    request: dict[str, Any]
    size: int = 0
    tag: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker said of a job."""

    job: Job
    header: dict[str, Any]
    blob: bytes = b""


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    jobs_done: int = 0
    started: float = 0.0
    deadline: float | None = None
    killed_for: str | None = None
    is_up: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it has ended or is about to."""
        return self.killed_for is not None or self.process.poll() is not None


class Pool:
    """``size`` persistent workers; use as a context manager.

    A caller that takes ``answers`` whenever it is ``full`` can feed it from a walk over any number of files. ``serves``
    names the module of the jobs that will come.
    """

    def __init__(
        self, size: int = 1, limits: Limits | None = None, *, serves: str = READING, log: IO[bytes] | None = None
    ) -> None:
        self.size = size
        self.serves = serves
        self.limits = limits or Limits()
        self.log = log
        self.under_way = 0
        self._todo: queue.Queue[Job | None] = queue.Queue()
        self._done: queue.Queue[Answer | BaseException] = queue.Queue()
        self._workers: dict[int, _Worker] = {}
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._watched = threading.Lock()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def full(self) -> bool:
        """Whether the caller should take answers before it submits more."""
        return self.under_way >= QUEUED * self.size

    def start(self) -> None:
        """Start the first worker ahead of its first job: its imports go on while the caller prepares that."""
        self._workers[0] = _Worker(self._spawn())

    def submit(self, job: Job) -> None:
        """Hand out a job; a worker is started for it while there are fewer than ``size``."""
        if len(self._threads) < self.size:
            slot = len(self._threads)
            self._threads.append(threading.Thread(target=self._serve, args=(slot,), daemon=True))
            if slot == 0:
                threading.Thread(target=self._watch, daemon=True).start()
            self._threads[-1].start()
        self.under_way += 1
        self._todo.put(job)

    def answers(self, *, wait: bool) -> Iterator[Answer]:
        """Yield what has come back; with ``wait``, at least one answer if any job is under way."""
        while self.under_way:
            try:
                item = self._done.get(block=wait)
            except queue.Empty:
                return
            if isinstance(item, BaseException):
                raise item
            self.under_way -= 1
            wait = False
            yield item

    def close(self) -> None:
        """Let the workers end; those still at a job are killed."""
        self._closing.set()
        for _ in self._threads:
            self._todo.put(None)
        for worker in list(self._workers.values()):
            _end(worker)
        self._workers.clear()

    def _serve(self, slot: int) -> None:
        try:
            while (job := self._todo.get()) is not None and not self._closing.is_set():
                self._done.put(self._ask(slot, job))
        except BaseException as error:  # the thread's boundary: the caller must hear of it
            self._done.put(error)

    def _ask(self, slot: int, job: Job) -> Answer:
        """Have a job done. What kills a worker that served others before is tried once more in a fresh one.

        A library may have been left broken, or fat, by an earlier file; only what kills a fresh worker is to blame.
        """
        worker = self._worker(slot)
        was_fresh = worker.jobs_done == 0
        answer = self._try(worker, job)
        if answer.header["state"] != "died":
            return answer
        if not was_fresh and not answer.header["reason"].startswith("timeout") and not self._closing.is_set():
            answer = self._try(self._worker(slot), job)
        if answer.header["state"] != "died":
            return answer
        if self._closing.is_set():
            return Answer(job, {"state": "failed", "reason": "interrupted"})
        return Answer(job, {"state": "damaged", "reason": answer.header["reason"]})

    def _worker(self, slot: int) -> _Worker:
        """Return the worker of a slot, a new one if there is none that can go on."""
        worker = self._workers.get(slot)
        if worker is not None and (worker.is_gone or worker.jobs_done >= RECYCLE_JOBS):
            _end(worker)
            worker = None
        if worker is None:
            worker = self._workers[slot] = _Worker(self._spawn())
        return worker

    def _spawn(self) -> subprocess.Popen[bytes]:
        memory_mb = self.limits.memory_mb
        return _taken_ahead(memory_mb) or _spawn(memory_mb, self.serves, self.log)

    def _try(self, worker: _Worker, job: Job) -> Answer:
        """Give a worker a job; state ``died`` if no whole answer came back."""
        process = worker.process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not worker.is_up:
                self._allow(worker, START_SECONDS)
                worker.is_up = process.stdout.readline() == UP
            if not worker.is_up:
                raise self._cannot_start(worker)
            self._allow(worker, self.limits.deadline(job.size))
            process.stdin.write(json.dumps(job.request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
            header = json.loads(line) if line.endswith(b"\n") else None
            blob = process.stdout.read(header["blob"]) if header else b""
        except (OSError, ValueError):
            header, blob = None, b""
        with self._watched:
            worker.deadline = None
        worker.jobs_done += 1
        if header is not None and len(blob) == header["blob"]:
            return Answer(job, header, blob)
        status = _end_of(process)
        reason = worker.killed_for or f"crashed: reading it killed the reader ({_signal_name(status)})"
        return Answer(job, {"state": "died", "reason": reason})

    def _allow(self, worker: _Worker, seconds: float) -> None:
        """Let the watchdog give a worker so much time from now."""
        with self._watched:
            worker.started = time.monotonic()
            worker.deadline = worker.started + seconds

    def _cannot_start(self, worker: _Worker) -> Exception:
        """Say that reading is not possible at all: no file is to blame, so none may be called damaged."""
        if self._closing.is_set():
            return OSError("closing")
        status = _signal_name(_end_of(worker.process))
        what = f"the process that reads files does not start ({worker.killed_for or status})"
        return NffaError(what, hint="nffa doctor says what is wrong; is worker.memory_mb too small?")

    def _watch(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            for worker in list(self._workers.values()):
                with self._watched:  # else a worker that has just answered could be killed, and its next job blamed
                    worker.killed_for = self._offence(worker)
                    if worker.killed_for:
                        worker.process.kill()

    def _offence(self, worker: _Worker) -> str | None:
        """Say what a worker does that it may not."""
        now = time.monotonic()
        if worker.killed_for or worker.deadline is None or now - worker.started < WATCH_SECONDS:
            return worker.killed_for
        if now > worker.deadline:
            return f"timeout: reading took more than {worker.deadline - worker.started:.0f} s"
        if _resident_mb(worker.process.pid) > self.limits.memory_mb:
            return f"memory: reading needed more than {self.limits.memory_mb} MB"
        return None


def environment() -> dict[str, str]:
    """Return the environment for a process that reads strangers' files: without our tokens."""
    return {name: value for name, value in os.environ.items() if not (name.startswith("NFFA_") and "TOKEN" in name)}


def _spawn(memory_mb: int, serves: str, log: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    told = environment()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        told[name] = "1"
    # Where the C library is glibc: keep what a picture took for the next one, instead of faulting it in anew.
    told |= {"MALLOC_TRIM_THRESHOLD_": str(64 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
    told["NFFA_WORKER_MEMORY_MB"] = str(memory_mb)
    return subprocess.Popen(
        [sys.executable, *WORKER, serves],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log if log is not None else subprocess.DEVNULL,
        env=told,
    )


_ahead: list[subprocess.Popen[bytes]] = []
"""The worker that ``start_ahead`` started and no pool has taken yet."""


def start_ahead(serves: str) -> None:
    """Start a worker with the default limits before anything else is imported; the first pool takes it.

    Where none can be started, the pool tries again, and says why not.
    """
    with suppress(OSError):
        _ahead.append(_spawn(Limits().memory_mb, serves))


def _taken_ahead(memory_mb: int) -> subprocess.Popen[bytes] | None:
    """Return the worker that was started ahead, if its limits are the ones wanted."""
    try:
        process = _ahead.pop()
    except IndexError:
        return None
    if memory_mb == Limits().memory_mb:
        return process
    process.kill()
    process.wait()
    return None


def _end_of(process: subprocess.Popen[bytes]) -> int:
    """Return the exit status of a process whose answer broke off; one that has not ended by itself is killed."""
    try:
        return process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end(worker: _Worker) -> None:
    process = worker.process
    if worker.deadline is not None:
        process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_alive(pid: int) -> bool:
    """Tell whether a process of this number runs on this computer."""
    import psutil

    return bool(psutil.pid_exists(pid))


def _resident_mb(pid: int) -> float:
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _signal_name(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    import signal

    return signal.Signals(-status).name
