"""The way in: a command that surely needs a worker starts it first, so that both import side by side."""

import gc
import sys

SERVED = {"ingest": "reading", "inspect": "reading", "export-nexus": "nexus", "validate": "judging"}
"""The commands whose users wait for a worker's first answer, and what their worker imports."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(10_000, 20, 50)  # as in the workers: little here is garbage, and looking for it took a tenth
    arguments = sys.argv[1:]
    if len(arguments) > 1 and arguments[0] in SERVED and not {"-h", "--help", "--dry-run"} & set(arguments):
        from nffa_cli import pool

        pool.start_ahead(SERVED[arguments[0]])
    from nffa_cli import cli

    cli.main()
