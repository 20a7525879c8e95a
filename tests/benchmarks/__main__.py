"""``python -m tests.benchmarks [--smoke] [NAME…]``: how fast nffa is and how much memory it takes, one line a figure.

Every figure is a ratio to a floor or a peer taken in the same run, beside the goal it has; nothing is asserted, for a
clock on a shared machine proves nothing. ``--smoke`` runs each benchmark on almost nothing, to show that it still runs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import (
    classify,
    export,
    ingest,
    node,
    node_pages,
    node_search,
    report,
    search,
    startup,
    sync,
    validate,
)
from tests.benchmarks.scale import SMOKE, Scale

BENCHMARKS = {
    "help": startup.help_text,
    "inspect": startup.inspect,
    "small": ingest.small,
    "middle": ingest.middle,
    "big": ingest.big,
    "flat": ingest.flat,
    "search": search.benchmark,
    "node-search": node_search.benchmark,
    "node-pages": node_pages.benchmark,
    "node-upload": node.upload,
    "node-memory": node.memory,
    "writer": export.writer,
    "export": export.command,
    "validate": validate.command,
    "classify": classify.command,
    "sync": sync.benchmark,
    "report": report.command,
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--smoke", action="store_true", help="only show that they run")
    parser.add_argument("--peer", type=Path, help="a Python in whose environment NexusLIMS is installed")
    parser.add_argument("--folder", type=Path, help="where to put up to 5 GB of files for the time being")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    scale = SMOKE if given.smoke else replace(Scale(), peer=given.peer)
    if given.smoke:
        print(
            "smoke run: it shows that the benchmarks run; on so little work the verdicts beside the goals mean nothing"
        )
    for name in given.names or BENCHMARKS:
        folder = Path(tempfile.mkdtemp(prefix=f"nffa-bench-{name}-", dir=given.folder))
        try:
            BENCHMARKS[name](folder, scale)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
