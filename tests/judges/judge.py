"""What independent readers say of NeXus files; run by the interpreter of the judges' own environment, which has no nffa.

Reads one path as JSON on each line of stdin and prints one verdict as JSON for each, in the same order:

    {"path": …, "official": {"valid": …, "lines": […]}, "own": {…}, "silx": {"valid": …, …}}

official, own
    What ``pynx validate`` (pynxtools) prints, with the NeXus definitions that nexusformat carries, and with its own. Its
    exit status is 0 whatever it finds, so the text decides.
silx
    The plot that a viewer opens first: its path, signal and axes; ``lines`` says what is wrong with it.

Arguments name the judges that are asked; without any, all are.

The judges take seconds to import and pynxtools keeps what it found in a global, so each is imported once, and a child is
forked for every file.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import re
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

SECONDS = 120
"""How long one judge may look at one file."""

GOOD = "is valid according to the `NXem`"
BAD = re.compile(r"^(WARNING|ERROR)|NOT valid|Could not find any valid entry", re.MULTILINE)


def definitions():
    """Return the folder of nexusformat's definitions, without importing it."""
    return Path(importlib.util.find_spec("nexusformat").origin).parent / "definitions"


def schema(source):
    """Return a judge: pynxtools with the definitions in ``source`` (None: its own)."""
    os.environ.pop("NEXUS_DEF_PATH", None)
    if source is not None:
        os.environ["NEXUS_DEF_PATH"] = str(source)
    from pynxtools.dataconverter.validate_file import validate  # it looks at the variable when it is imported
    from pynxtools.nexus import schema_resolver

    schema_resolver.generate_tree_from = functools.cache(schema_resolver.generate_tree_from)
    schema_resolver.generate_tree_from("NXem")  # once for all files: half of the time that one takes

    def judge(path):
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            try:
                validate(path)
            except BaseException:  # whatever it dies of is a verdict
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            said.seek(0)
            text = said.read()
        return {"valid": GOOD in text and not BAD.search(text) and "Traceback" not in text, "lines": text.splitlines()}

    return judge


def viewer():
    """Return a judge: the plot that silx opens first."""
    import silx.io
    from silx.io import nxdata

    def judge(path):
        with warnings.catch_warnings(), silx.io.open(path) as file:
            warnings.simplefilter("ignore")
            found = nxdata.get_default(file)
            if found is None:
                return {"valid": False, "lines": ["no default plot"]}
            if not found.is_valid:
                return {"valid": False, "lines": list(map(str, found.issues))}
            axes = [axis_of(name, axis) for name, axis in zip(found.axes_dataset_names, found.axes, strict=True)]
            data = found.signal[()]
            return {
                "valid": True,
                "lines": [],
                "group": found.group.name,
                "title": found.title,
                "signal": found.signal_dataset_name,
                "long_name": found.signal_name,
                "shape": list(data.shape),
                "dtype": data.dtype.name,
                "sha256": hashlib.sha256(data.tobytes()).hexdigest(),
                "axes": axes,
            }

    return judge


def axis_of(name, axis):
    if axis is None:
        return None
    units = axis.attrs.get("units")
    return {"name": name, "units": units if units is None else str(units), "values": axis[()].tolist()}


def bench(make, paths):
    """Let a process of its own import a judge and hand every path to a child of it; return where the verdicts come from."""
    out, into = os.pipe()
    parent = os.getpid()
    if os.fork():
        os.close(into)
        return os.fdopen(out, encoding="utf-8")
    try:
        os.close(out)
        judge = make()
        with os.fdopen(into, "w", encoding="utf-8") as verdicts:
            for path in paths:
                if os.getppid() != parent:
                    break  # nobody waits for the rest
                verdicts.write(in_child(judge, path) + "\n")
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def in_child(judge, path):
    out, into = os.pipe()
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            signal.alarm(SECONDS)
            try:
                verdict = judge(path)
            except Exception:
                verdict = {"valid": False, "lines": traceback.format_exc().splitlines()}
            with os.fdopen(into, "w", encoding="utf-8") as file:
                json.dump(verdict, file)
        os._exit(0)
    os.close(into)
    with os.fdopen(out, encoding="utf-8") as file:
        text = file.read()
    _, status = os.waitpid(child, 0)
    return text or json.dumps({"valid": False, "lines": [f"the judge died, wait status {status}"]})


def main():
    paths = [json.loads(line) for line in sys.stdin]
    judges = {"official": lambda: schema(definitions()), "own": lambda: schema(None), "silx": viewer}
    benches = {name: bench(judges[name], paths) for name in sys.argv[1:] or judges}
    for path in paths:
        print(
            json.dumps({"path": path, **{name: json.loads(next(said)) for name, said in benches.items()}}), flush=True
        )


if __name__ == "__main__":
    main()
