"""The way in: a command that surely needs a worker starts it first, so that both import side by side."""

import sys

READS = "inspect"
"""The command whose user waits for a single answer."""


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == [READS] and len(arguments) > 1 and not {"-h", "--help"} & set(arguments):
        from nffa_cli import pool

        pool.start_ahead()
    from nffa_cli import cli

    cli.main()
