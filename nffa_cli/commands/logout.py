"""``nffa logout``: forget the token of a destination."""

from __future__ import annotations

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("logout", short_help="Forget the token of a destination.")
@click.argument("at", metavar="[NAME|URL]", required=False)
@output_options
def command(at: str | None, terminal: Terminal) -> int:
    """Drop what nffa login kept from keyring and file; a provider of OpenID Connect is told to end the login.

    A token itself stays good until it is revoked at the destination.

    \b
    Example:
      nffa logout https://idrp.example.org
    """  # noqa: D301
    from nffa_cli.delivery import logins

    place = logins.place(at)
    found, trouble = logins.logout(place)
    if trouble:
        terminal.say(f"the provider could not be told: {trouble}")
    terminal.data({"type": "logout", "address": place.address, "found": found})
    terminal.line(f"logged out of {place.address}" if found else f"nothing was kept for {place.address}")
    return 0
