"""Options that mean the same on every command."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from nffa_cli.terminal import Terminal

PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path())


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, ``-q`` and ``-v``; the command gets a ``terminal`` instead."""

    @click.option("--json", "as_json", is_flag=True, help="JSON Lines on stdout, one object for each result.")
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing beside the result.")
    @click.option("-v", "--verbose", count=True, help="Say more; twice for every detail.")
    @functools.wraps(function)
    def wrapper(*args: Any, as_json: bool, quiet: bool, verbose: int, **kwargs: Any) -> Any:
        level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
        logging.basicConfig(level=logging.ERROR if quiet else level, format="nffa: %(message)s")
        return function(*args, terminal=Terminal(as_json=as_json, quiet=quiet, verbose=verbose), **kwargs)

    return wrapper


def with_more(modules: Mapping[str, str]) -> type[click.Group]:
    """Return a kind of group some of whose subcommands have modules of their own (name → module), imported when called."""

    class Group(click.Group):
        """The subcommands of the group's own module, and the others."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            """Return the names, in order."""
            return sorted({*super().list_commands(ctx), *modules})

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """Return one subcommand."""
            if cmd_name not in modules:
                return super().get_command(ctx, cmd_name)
            found: click.Command = import_module(f"nffa_cli.commands.{modules[cmd_name]}").command
            return found

    return Group


dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")


def jobs_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--jobs``; ``default`` says in words what holds without it."""
    return click.option("--jobs", type=click.IntRange(1, 64), help=f"Worker processes [{default}].")
