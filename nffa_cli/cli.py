"""The ``nffa`` command: a lazy group over one table, and the one place where an error becomes a message and a status."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from nffa_cli import __version__

COMMANDS = {
    "ingest": "Read a folder into the catalogue: record, preview, provenance.",
    "inspect": "Show what a file holds and what nffa makes of it; nothing is stored.",
    "export-nexus": "Write NXem files (NeXus) of files, folders or ids.",
    "classify": "Say what SEM pictures show, how sure that is, or none of it.",
    "review": "Confirm or correct what classify says, picture by picture.",
    "model": "List, show, verify, add, remove and train the models of classify.",
    "dataset": "List and fetch published picture sets to train on.",
    "validate": "Judge NeXus files by the definitions of NXem.",
    "sync": "Deliver what is due to a node, a disk or a share; once, exactly.",
    "outbox": "List, retry or drop what is still to be delivered.",
    "list": "List what the catalogue knows.",
    "show": "Show one acquisition: terms, files, versions.",
    "open": "Open a node's page, a report, a preview or a NeXus file.",
    "search": "Find acquisitions by words and by terms.",
    "status": "Say what waits, what is damaged, and how much there is.",
    "check": "Hash the files again and prove that nothing has rotted.",
    "report": "Make one page of pictures, settings and warnings.",
    "crosswalk": "How vendor tags become terms; take records over from repositories.",
    "profile": "Say once what an instrument's files cannot know.",
    "session": "Say for a folder who measured what, on which sample.",
    "node": "Serve an IDRP node that many PCs deliver to, and look after it.",
    "proposal": "Proposals as the portal tells them, kept for when it does not answer.",
    "schedule": "Let sync or ingest run by themselves: cron, systemd, Task Scheduler.",
    "get": "Bring measurements back from a destination, verified.",
    "login": "Keep a token for a destination, after trying it.",
    "logout": "Forget the token of a destination.",
    "config": "Show the settings, each with its source.",
    "doctor": "Find out whether this PC is fit, and what to type if not.",
    "demo": "See the whole story on sample files.",
}
"""Verb → the one line that ``nffa --help`` shows; the verb's module is ``nffa_cli.commands.<verb>``."""

EPILOG = "Start with: nffa demo   ·   then: nffa ingest FOLDER"


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb's module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"nffa_cli.commands.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest verb when one is mistyped."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no such command {args[0]!r}." + (f" Did you mean {close[0]}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, "-V", "--version", prog_name="nffa", message="%(prog)s %(version)s")
def root() -> None:
    """Keep the meaning of electron micrographs, from the microscope PC to the facility's repository."""


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with a status that tells the truth (``errors.EXIT_STATUS``)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(run(args))


def run(args: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    from nffa_cli.errors import NffaError

    try:
        status = root.main(args=args, prog_name="nffa", standalone_mode=False)
        sys.stdout.flush()
    except NffaError as error:
        return _failed(error, error.where, error.hint, error.exit_status)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        from nffa_cli.start import INTERRUPTED

        return _failed(KeyboardInterrupt("interrupted"), None, INTERRUPTED, 130)
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]
        return 1
    except OSError as error:
        return _os_error(error)
    except Exception as error:
        import os

        if os.environ.get("NFFA_DEBUG"):
            raise
        what = f"unexpected {type(error).__name__}: {error}"
        return _failed(Exception(what), None, "a fault of nffa: please report it with what NFFA_DEBUG=1 prints", 1)
    return status if isinstance(status, int) else 0


def _os_error(error: OSError) -> int:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG):
        return _failed(error, error.filename, "free some space, then run the same command again: it goes on", 6)
    return _failed(error, error.filename, None, 1)


def _failed(error: BaseException, where: str | None, hint: str | None, status: int) -> int:
    from nffa_cli.terminal import Terminal

    what = getattr(error, "what", None) or getattr(error, "strerror", None) or error
    Terminal().error(Exception(what), where, hint)
    return status
