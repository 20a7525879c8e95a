"""``nffa login``: keep a token for a destination."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nffa_cli.commands.options import output_options
from nffa_cli.errors import UsageError
from nffa_cli.terminal import Terminal

if TYPE_CHECKING:
    from nffa_cli.destinations.oidc import Code


@click.command("login", short_help="Keep a token for a destination, after trying it.")
@click.argument("at", metavar="[NAME|URL]", required=False)
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input, for scripts.")
@click.option(
    "--oidc", "by_device", is_flag=True, help="Log in at the facility's provider: open an address, type a code."
)
@click.option("--issuer", metavar="URL", help="With --oidc: the provider [the one that the destination names].")
@click.option("--client-id", metavar="ID", help="With --oidc: as what nffa is known there [as the destination says].")
@output_options
def command(
    at: str | None, token_stdin: bool, by_device: bool, issuer: str | None, client_id: str | None, terminal: Terminal
) -> int:
    """Ask for a token (it is not shown), try it, and keep it in the system's keyring, else in a file only you can read.

    A share (WebDAV) takes USER:APP-PASSWORD. Without a destination the only configured one is meant. In CI the variable
    NFFA_TOKEN does without a login. A token is never an argument: others could read it. The address of the portal that
    nffa.toml names keeps the portal's token.

    \b
    Example:
      nffa login https://idrp.example.org
      nffa login https://idrp.example.org --token-stdin < token.txt
      nffa login davs://cloud.example.org/remote.php/dav/files/ada

    \b
    Exit status:
      0  logged in      4  unreachable      5  the token is not taken; nothing is kept
    """  # noqa: D301
    from nffa_cli.delivery import logins

    place = logins.place(at)

    def show(code: Code) -> None:
        terminal.say(f"Open {code.address} and type {code.code}")

    if by_device:
        done = logins.login_by_device(place, show, issuer, client_id)
    else:
        done = logins.login(place, _token(token_stdin, place.name))
    if done.kept == "file":
        terminal.say("there is no keyring here: the token is in a file that only your account can read")
    terminal.data({"type": "login", "address": done.address, "kept": done.kept, "who": logins.told(done.who)})
    terminal.line(f"logged in at {done.address} as {logins.told(done.who)}")
    return 0


def _token(from_stdin: bool, name: str) -> str:
    if from_stdin:
        token = sys.stdin.readline(20_000).strip()
    elif sys.stdin.isatty():
        token = str(click.prompt(f"Token for {name}", hide_input=True, err=True)).strip()
    else:
        raise UsageError(
            "nobody is here to be asked for a token", hint="--token-stdin < FILE, or NFFA_TOKEN without a login"
        )
    if not token:
        raise UsageError("no token was given")
    return token
