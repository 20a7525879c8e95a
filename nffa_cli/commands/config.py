"""``nffa config``: the settings and where each comes from."""

from __future__ import annotations

import click

from nffa_cli import settings, story
from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.group("config", short_help="Show the settings, each with its source.")
def command() -> None:
    """Show the settings, each with its source, and where nffa keeps its things."""


@command.command("show")
@output_options
def show(terminal: Terminal) -> int:
    """Show each setting with its value, its source and its meaning.

    A setting is changed in nffa.toml (nffa config path says where) or by an environment variable: ingest.settle is
    NFFA_INGEST_SETTLE. A flag of a command wins over both.
    """
    values = settings.load()
    for each in settings.SETTINGS:
        found = {"key": each.key, "value": values[each.key], "source": values.source(each.key), "about": each.about}
        terminal.data({"type": "setting", **found, "variable": each.variable})
    terminal.data({"type": "summary", "settings": len(settings.SETTINGS)})
    rows = [
        (each.key, story.quantity(values[each.key], None), values.source(each.key), each.about)
        for each in settings.SETTINGS
    ]
    terminal.table(("setting", ">value", "source", "meaning"), rows)
    return 0


@command.command("path")
@output_options
def path(terminal: Terminal) -> int:
    """Show where the settings, the catalogue, the previews, profiles and sessions are kept."""
    home = settings.home()
    for name, what in (
        ("nffa.toml", "settings"), (settings.catalogue_path().name, "catalogue"), ("previews", "previews"),
        ("profiles", "profiles of instruments"), ("sessions", "sessions by folder"),
    ):  # fmt: skip
        terminal.data(
            {"type": "place", "what": what, "path": (home / name).as_posix(), "exists": (home / name).exists()}
        )
        terminal.line(f"{what:<24} {home / name}" + ("" if (home / name).exists() else "  (not made yet)"))
    terminal.data({"type": "summary", "home": home.as_posix()})
    return 0
