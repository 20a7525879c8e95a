"""The child process in which vendor files are parsed: ``python -m nffa_cli.worker``, the same on every system.

It reads jobs as JSON lines from stdin and answers each with one JSON line, followed by as many bytes as the line's
``blob`` says. Limits are set before the first job; whatever a reader prints lands on stderr, never between the answers.
A job that kills this process harms nobody else: ``pool.py`` notices and starts another one.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import sys
import time
from importlib import import_module
from typing import Any, BinaryIO

MEGABYTE = 1 << 20

JOBS = {
    "read": ("reading", "read"),
    "explain": ("reading", "explain"),
    "hyperspy": ("reading", "second_reader"),
    "export": ("nexus", "export"),
    "judge": ("judging", "judge"),
    "classify": ("seeing", "classify"),
    "try-model": ("seeing", "trial"),
    "shrink": ("seeing", "shrink"),
    "strain": ("worker", "strain"),
}
"""What a worker can do: the job's name → module and function."""


def main() -> None:
    """Serve jobs until stdin closes."""
    answers = _private_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    faulthandler.enable()
    _limit_memory(int(os.environ.get("NFFA_WORKER_MEMORY_MB", "2048")))
    _warm_up()
    answers.write(b"up\n")
    answers.flush()
    for line in iter(sys.stdin.buffer.readline, b""):
        header, blob = answer(json.loads(line))
        header["blob"] = len(blob)
        answers.write(_line(header) + blob)
        answers.flush()
    os._exit(0)  # all is flushed, and taking the libraries down takes longer than a job


def _line(header: dict[str, Any]) -> bytes:
    """Return an answer's JSON line; a vendor's NaN goes in its written form, never as the word that is no JSON."""
    try:
        return json.dumps(header, allow_nan=False).encode() + b"\n"
    except ValueError:
        from nffa_cli.rawtree import lossless

        return json.dumps(lossless(header)).encode() + b"\n"


def _private_stdout() -> BinaryIO:
    """Keep the pipe for answers and point file descriptor 1 at stderr: libraries print, some of them in C."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _warm_up() -> None:
    """Import what every job needs while the parent still looks for one, and keep it out of the garbage collector's way."""
    gc.disable()
    import_module(f"nffa_cli.{(sys.argv[1:] or ['reading'])[0]}").warm_up()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)  # a job leaves few cycles, and its trees make many objects
    gc.enable()


def _limit_memory(megabytes: int) -> None:
    """Cap what this process may allocate (RLIMIT_DATA: RLIMIT_AS would refuse to map large files).

    Where the system has no such limit (Windows), the parent's watch over the resident size is all there is.
    """
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MEGABYTE, megabytes * MEGABYTE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Do one job; a failure becomes an answer, so that nothing but a killed process is ever silent."""
    from nffa_cli.errors import MissingPackage, NffaError

    if hasattr(signal, "alarm"):  # should the parent be gone, a reader that never returns must still end
        signal.alarm(int(job.get("seconds", 60)) + 30)
    try:
        module, name = JOBS[job["job"]]
        done: tuple[dict[str, Any], bytes] = getattr(import_module(f"nffa_cli.{module}"), name)(job)
        return done
    except MemoryError:
        return {"state": "damaged", "reason": "memory: reading it needs more memory than a worker may use"}, b""
    except (MissingPackage, ImportError) as error:
        missing = MissingPackage.of(error) if isinstance(error, ImportError) else error
        return {"state": "failed", "reason": f"{missing.code}: {missing.what}; {missing.hint}"}, b""
    except NffaError as error:
        return {"state": "failed", "reason": str(error), "code": error.code, "hint": error.hint}, b""
    except Exception as error:  # the boundary of the worker: a fault of ours must not look like a dead process
        import traceback

        traceback.print_exc()
        return {"state": "failed", "reason": f"internal: {type(error).__name__}: {error}"}, b""
    finally:
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def strain(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Misbehave as a bad reader does (``memory``, ``time`` or ``crash``), so that ``doctor`` sees it stopped."""
    how, held = job["how"], []
    while how == "memory":
        held.append(b"\1" * (16 * MEGABYTE))
    while how == "time":
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGSEGV)
    return {"state": "ready", "reason": None}, b""


if __name__ == "__main__":
    main()
