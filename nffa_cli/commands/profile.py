"""``nffa profile``: what an instrument's files cannot know, said once."""

from __future__ import annotations

from typing import Any

import click

from nffa_cli import context, forms, settings, story
from nffa_cli.commands.options import dry_run_option, output_options
from nffa_cli.terminal import Terminal


@click.group("profile", short_help="Say once what an instrument's files cannot know.")
def command() -> None:
    """Say once what an instrument's files cannot know: time zone, order of dates, facility, a missing model.

    A profile is found by vendor, model or serial, as the files state them.
    """


def _form_options(function: Any) -> Any:
    for key in reversed(forms.PROFILE):
        function = click.option(f"--{key.place.replace('_', '-')}", key.place, help=key.about)(function)
    return function


@command.command("add")
@click.argument("name")
@click.option("--replace", is_flag=True, help="Write an existing profile anew.")
@_form_options
@dry_run_option
@output_options
def add(name: str, replace: bool, dry_run: bool, terminal: Terminal, **values: str | None) -> int:
    """Write the profile NAME; the records of that instrument become due for normalising.

    \b
    Example:
      nffa profile add supra40 --vendor Zeiss --model "SUPRA 40" --timezone Europe/Rome --date-order DMY
    """  # noqa: D301
    given = {key: value for key, value in values.items() if value is not None}
    home = settings.home() if dry_run else settings.make_home()
    path = context.save_profile(home, name, given, replace=replace, dry_run=dry_run)
    return story.tell_written({"type": "profile", "name": name, **given}, path, terminal, dry_run=dry_run)


@command.command("list")
@output_options
def list_(terminal: Terminal) -> int:
    """List the profiles."""
    found = context.profiles(settings.home())
    for profile in found:
        terminal.data({"type": "profile", **profile})
    terminal.data({"type": "summary", "profiles": len(found)})
    columns = ("name", "vendor", "model", "serial", "timezone", "date_order", "facility")
    if found:
        terminal.table(columns, [[profile.get(column) for column in columns] for profile in found])
    else:
        terminal.line("no profiles yet")
        terminal.hint("Next: nffa profile add --help")
    return 0


@command.command("show")
@click.argument("name")
@output_options
def show(name: str, terminal: Terminal) -> int:
    """Show the profile NAME."""
    profile = context.profile(settings.home(), name)
    terminal.data({"type": "profile", **profile})
    terminal.data({"type": "summary", "profiles": 1})
    terminal.table(
        ("key", "value", "meaning"), [(key.place, profile.get(key.place), key.about) for key in forms.PROFILE]
    )
    return 0
