"""The way in: a command that surely needs a worker starts it first, so that both import side by side."""

import gc
import sys

SERVED = {"ingest": "reading", "inspect": "reading", "export-nexus": "nexus", "validate": "judging"}
"""The commands whose users wait for a worker's first answer, and what their worker imports."""


INTERRUPTED = "run the same command again: it goes on where it stopped"


def main() -> None:
    """Run the command line; an interrupt is told in a sentence while it still loads too, and not after its end."""
    gc.set_threshold(10_000, 20, 50)  # as in the workers: little here is garbage, and looking for it took a tenth
    sys.setswitchinterval(0.0005)  # a worker's next job shall not wait for the thread that stores the last answer
    arguments = sys.argv[1:]
    try:
        if len(arguments) > 1 and arguments[0] in SERVED and not {"-h", "--help", "--dry-run"} & set(arguments):
            from nffa_cli import pool

            pool.start_ahead(SERVED[arguments[0]])
        from nffa_cli import cli

        cli.main()
    except KeyboardInterrupt:
        sys.stderr.write(f"nffa: interrupted\n      {INTERRUPTED}\n")
        sys.exit(130)
    finally:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is told: the exit status stays the one that is true
