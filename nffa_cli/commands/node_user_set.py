"""``nffa node user set``: what an operator says of one person."""

from __future__ import annotations

from pathlib import Path

import click

from nffa_cli.commands.node import ROLES, config, issuer_option, place_options
from nffa_cli.commands.options import output_options
from nffa_cli.errors import UsageError
from nffa_cli.terminal import Terminal


@click.command("set")
@click.argument("person", metavar="ID")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, help="Roles from now on, instead of all there are."
)
@click.option(
    "--subject", metavar="SUB", help="Their account at the issuer: tokens of it are theirs, and nobody else's."
)
@issuer_option("The issuer of that account (also NFFA_NODE_OIDC_ISSUER).")
@click.option("--disable/--enable", "out", default=None, help="No token of theirs is good any more; or they are again.")
@place_options
@output_options
def command(
    person: str, roles: tuple[str, ...], subject: str | None, oidc_issuer: str | None, out: bool | None,
    data: Path | None, database: str | None, terminal: Terminal,
) -> None:  # fmt: skip
    """Say what roles a person has, which account at an issuer, and whether they may come in.

    ID is that of the person, an ORCID or a portal id. What no option names stays as it is.

    \b
    Example:
      nffa node user set 0000-0002-1825-0097 --role reader --role depositor
      nffa node user set 0000-0002-1825-0097 --oidc-issuer https://login.example.org --subject 4f2a...
    """  # noqa: D301
    from nffa_cli.node import accounts, admin
    from nffa_cli.node.config import issuer_named

    if subject is not None and not oidc_issuer:
        raise UsageError("a subject of which issuer?", hint="--oidc-issuer URL, as nffa node serve has it")
    account = (issuer_named(oidc_issuer), subject) if oidc_issuer and subject is not None else None
    with admin.opened(config(data, database)) as known:
        done = accounts.changed(known, person, roles=roles or None, account=account, out=out)
    terminal.data({"type": "user", "id": done})
    terminal.line(done)
