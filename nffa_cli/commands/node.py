"""``nffa node``: serve a repository to many PCs, and look after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nffa_cli import settings
from nffa_cli.commands.options import output_options, with_more
from nffa_cli.terminal import Terminal

if TYPE_CHECKING:
    from nffa_cli.node.checking import Finding
    from nffa_cli.node.config import Config

ROLES = ("reader", "depositor", "instrumentScientist", "dataManager", "admin")
PATH = click.Path(path_type=Path)


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the two options that say which node is meant."""
    data = click.option("--data", type=PATH, envvar="NFFA_NODE_DATA", help="Folder of the node [NFFA_HOME/node].")
    help_ = "PostgreSQL instead of SQLite: postgresql://USER@HOST/NAME (also NFFA_NODE_DATABASE)."
    return data(click.option("--database", metavar="URL", envvar="NFFA_NODE_DATABASE", help=help_)(function))


def config(data: Path | None, database: str | None, **more: Any) -> Config:
    """Return which node is meant."""
    from nffa_cli.node.config import Config

    return Config(data or settings.home() / "node", database, **more)


def issuer_option(help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the option that says which issuer of OpenID Connect is meant."""
    return click.option("--oidc-issuer", metavar="URL", envvar="NFFA_NODE_OIDC_ISSUER", help=help)


MORE = {"proposals": "node_proposals"}
"""Subcommands with a module of their own, imported when they are called."""


@click.group("node", cls=with_more(MORE), short_help="Serve an IDRP node that many PCs deliver to, and look after it.")
def command() -> None:
    """Serve an IDRP node: it keeps proposals, experiments, measurements and their data behind a REST interface (docs/idrp.md)."""


@command.command("serve")
@place_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; another needs TLS.")
@click.option("--port", type=click.IntRange(0, 65535), default=8161, show_default=True, help="0: any free one.")
@click.option("--tls-cert", type=PATH, help="Certificate chain (PEM).")
@click.option("--tls-key", type=PATH, help="Its key (PEM, without a password).")
@click.option("--behind-proxy", is_flag=True, help="A proxy speaks TLS with the clients and tells who they are.")
@click.option("--base-url", metavar="URL", help="The address that clients know, where it is another.")
@click.option("--name", default="IDRP node", show_default=True, help="What the node calls itself.")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1),
    default=60_000,
    show_default=True,
    help="Most that one token may send.",
)
@click.option(
    "--import-host", "import_hosts", metavar="HOST", multiple=True,
    help="Host whose records may be fetched, repeatable; none: no host [Materials Cloud, Zenodo, B2SHARE].",
)  # fmt: skip
@issuer_option("Take tokens of this issuer of OpenID Connect too (also NFFA_NODE_OIDC_ISSUER).")
@click.option(
    "--oidc-client-id", metavar="ID", envvar="NFFA_NODE_OIDC_CLIENT_ID",
    help="As what it knows the programs that log in to this node; a node each its own (also NFFA_NODE_OIDC_CLIENT_ID).",
)  # fmt: skip
@click.option(
    "--oidc-scope", "oidc_scopes", metavar="NAME", multiple=True, help="Scope to ask it for besides, repeatable."
)
@click.option(
    "--oidc-opaque", is_flag=True,
    help="Its tokens need be no JWT: it is asked whose they are. It does not say for whom it made them: trust all its clients.",
)  # fmt: skip
@click.option(
    "--oidc-orcid-claim", metavar="NAME",
    help="Its claim whose ORCID iD says which person of the registry somebody is; only where it has proved that.",
)  # fmt: skip
@output_options
def serve(
    data: Path | None, database: str | None, host: str, port: int, tls_cert: Path | None, tls_key: Path | None,
    behind_proxy: bool, base_url: str | None, name: str, requests_per_minute: int, import_hosts: tuple[str, ...],
    terminal: Terminal, **oidc: Any,
) -> None:  # fmt: skip
    """Serve the node until SIGTERM or Ctrl-C; requests that run then are answered first.

    \b
    Example:
      nffa node serve
      nffa node serve --host 0.0.0.0 --tls-cert node.pem --tls-key node.key

    With --json the first line on stdout says where: {"type":"ready","url":...}. With -v every request is logged.
    """  # noqa: D301
    from nffa_cli.node.config import issuer_of
    from nffa_cli.node.serving import Listen, serve

    def ready(url: str) -> None:
        terminal.data({"type": "ready", "url": url})
        terminal.line(f"the node answers at {url}; stop it with Ctrl-C")
        terminal.flush()

    address = base_url.rstrip("/") if base_url else None
    hosts = {"import_hosts": tuple(each.lower() for each in import_hosts if each != "none")} if import_hosts else {}
    chosen = config(data, database, base_url=address, name=name, requests_per_minute=requests_per_minute,
                    oidc=issuer_of(**oidc), **hosts)  # fmt: skip
    serve(chosen, Listen(host, port, tls_cert, tls_key, behind_proxy), ready)


@command.group("token")
def token() -> None:
    """Make, list and revoke tokens. Only a hash is kept; a token is shown once."""


@token.command("create")
@place_options
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="What it may do; repeatable."
)
@click.option("--name", help="Who uses it, such as the PC; tokens of one name are one user.")
@click.option("--person", metavar="ID", help="A person of the registry instead: id, ORCID or portal id.")
@click.option("--days", type=click.IntRange(1, 36_500), help="For how long it is good [until it is revoked].")
@output_options
def token_create(
    data: Path | None, database: str | None, roles: tuple[str, ...], name: str | None, person: str | None,
    days: int | None, terminal: Terminal,
) -> None:  # fmt: skip
    """Make a token and print it, and nothing else. It says whose it is, by --name or --person: each PC its own.

    \b
    Example:
      nffa node token create --role depositor --name sem-pc-3
    """  # noqa: D301
    from nffa_cli.node import admin

    with admin.opened(config(data, database)) as known:
        made = admin.create_token(known, roles, name=name, person=person, days=days)
    terminal.data({"type": "token", "token": made})
    terminal.line(made)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@place_options
@output_options
def token_revoke(token_id: str, data: Path | None, database: str | None, terminal: Terminal) -> None:
    """Revoke a token by its id, at once and for good."""
    from nffa_cli.node import admin

    with admin.opened(config(data, database)) as known:
        admin.revoke_token(known, token_id)
    terminal.say("revoked")


@command.group("user", cls=with_more({"set": "node_user_set"}))
def user() -> None:
    """Add and list persons, who have roles and can be members of proposals."""


@user.command("add")
@click.argument("family_name", metavar="NAME")
@click.option("--given-name", metavar="NAME", help="Given name.")
@click.option("--orcid", metavar="ID", help="ORCID iD; at most one person has it.")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, help="A role in the whole node; repeatable.")
@place_options
@output_options
def user_add(
    family_name: str, given_name: str | None, orcid: str | None, roles: tuple[str, ...], data: Path | None,
    database: str | None, terminal: Terminal,
) -> None:  # fmt: skip
    """Add a person and print the id, to be named by: nffa node token create --person ID."""
    from nffa_cli.node import admin

    with admin.opened(config(data, database)) as known:
        made = admin.add_user(known, family_name=family_name, roles=roles, given_name=given_name, orcid=orcid)
    terminal.data({"type": "user", "id": made})
    terminal.line(made)


@command.group("policy")
def policy() -> None:
    """Say for how long data stay closed, under which licence, and for how long they are kept."""


@policy.command("add")
@click.argument("name")
@click.option("--months", type=click.IntRange(0, 1200), default=36, show_default=True, help="Length of the embargo.")
@click.option(
    "--start", type=click.Choice(("experimentEnd", "collection", "ingest")), default="experimentEnd", show_default=True,
    help="What it is counted from.",
)  # fmt: skip
@click.option("--most", type=click.IntRange(0, 1200), help="Months that nobody may extend it beyond [60].")
@click.option("--metadata-public", is_flag=True, help="Metadata are open before the data are.")
@click.option("--licence", help="Licence where nobody names one.")
@click.option("--retention", type=click.IntRange(0, 1000), metavar="YEARS", help="For how long data are kept.")
@place_options
@output_options
def policy_add(
    name: str, months: int, start: str, most: int | None, metadata_public: bool, licence: str | None, retention: int | None,
    data: Path | None, database: str | None, terminal: Terminal,
) -> None:  # fmt: skip
    """Add a data policy and print its id."""
    from nffa_cli.node import admin

    fields = {"policyName": name, "embargoMonths": months, "embargoStart": start, "embargoMaximumMonths": most,
              "metadataPublic": metadata_public, "defaultLicence": licence, "retentionYears": retention}  # fmt: skip
    with admin.opened(config(data, database)) as known:
        made = admin.add_policy(known, fields)
    terminal.data({"type": "policy", "id": made})
    terminal.line(made)


@policy.command("set-default")
@click.argument("name", metavar="NAME|ID")
@place_options
@output_options
def policy_set_default(name: str, data: Path | None, database: str | None, terminal: Terminal) -> None:
    """Let proposals that name no policy get this one from now on; those that are there keep theirs."""
    from nffa_cli.node import admin

    with admin.opened(config(data, database)) as known:
        admin.set_default_policy(known, name)
    terminal.say(f"new proposals get the policy {name}")


LISTS: tuple[tuple[click.Group, str, str, tuple[str, ...]], ...] = (
    (token, "tokens", "List the tokens: whose, which roles, when used last. None of them can be shown again.",
     ("id", "user", "label", "roles", "created", "expires", "used", "revoked")),
    (user, "users", "List the persons of the registry.",
     ("id", "familyName", "givenName", "orcid", "portalUserId", "roles", "accounts", "disabled")),
    (policy, "all_policies", "List the data policies.",
     ("id", "policyName", "embargoMonths", "embargoStart", "metadataPublic", "isDefault")),
)  # fmt: skip
"""Groups that have a command ``list``: the function of ``admin`` that gives its rows, its help, its columns."""


def _list(group: click.Group, rows: str, help_: str, columns: tuple[str, ...]) -> None:
    """Give a group its command ``list``."""

    @group.command("list", help=help_)
    @place_options
    @output_options
    def listed(data: Path | None, database: str | None, terminal: Terminal) -> None:
        from nffa_cli.node import admin

        with admin.opened(config(data, database)) as known:
            _tell(terminal, getattr(admin, rows)(known), columns)


for each in LISTS:
    _list(*each)


@command.command("backup")
@click.argument("target", metavar="TARGET", type=PATH)
@place_options
@output_options
def backup(target: Path, data: Path | None, database: str | None, terminal: Terminal) -> int:
    """Copy the node into the folder TARGET, also while it serves; what is there already is not copied again.

    TARGET can be served as it is (--data TARGET); of PostgreSQL it holds a dump for pg_restore. On the disk of the node itself
    bytes are hard links: that helps against a mistake, not against the death of the disk.

    \b
    Exit status:
      0  all of it is there      3  the node itself has lost bytes, which are named
    """  # noqa: D301
    from nffa_cli.node import admin
    from nffa_cli.node.backup import Backup, backup
    from nffa_cli.node.storage import Storage

    chosen, done = config(data, database), Backup()
    with admin.opened(chosen) as known:
        wrong = _found(terminal, backup(known, Storage(chosen.data), target, done))
    terminal.data(done.as_json())
    terminal.say(f"{done.copied} files copied, {done.linked} linked, {done.there} were there")
    return 3 if wrong else 0


@command.command("check")
@click.option("--read-data", is_flag=True, help="Read every file and compare its SHA-256.")
@click.option("--mend", is_flag=True, help="Have lost bytes asked for again; damaged files are moved aside.")
@place_options
@output_options
def check(read_data: bool, mend: bool, data: Path | None, database: str | None, terminal: Terminal) -> int:
    """Prove that every data asset has its bytes, also while the node serves; name what is wrong.

    With --mend data assets whose bytes are missing or damaged are lost until somebody delivers them again: on the PCs
    that did, nffa sync --check finds them missing, and the next nffa sync brings them. Nothing is deleted.

    \b
    Exit status:
      0  nothing is wrong      3  bytes are missing or damaged
    """  # noqa: D301
    from nffa_cli.node import admin, mending
    from nffa_cli.node.checking import Checked, check
    from nffa_cli.node.storage import Storage

    chosen, checked = config(data, database), Checked()
    with admin.opened(chosen) as known:
        stored = Storage(chosen.data)
        found = check(known, stored, checked, read_data=read_data)
        wrong = _found(terminal, mending.mend(known, stored, found) if mend else found)
    terminal.data({"type": "checked", "blobs": checked.blobs, "bytes": checked.bytes, "wrong": wrong})
    terminal.say(f"{checked.blobs} files, {checked.bytes} bytes: {wrong or 'nothing'} wrong")
    return 3 if wrong else 0


def _found(terminal: Terminal, findings: Iterable[Finding]) -> int:
    """Show what is not as it should be and return how much of it is wrong."""
    wrong = 0
    for finding in findings:
        wrong += finding.is_wrong
        terminal.data(finding.as_json())
        terminal.say(f"{finding.kind} {finding.sha256}: {finding.detail} {' '.join(finding.assets)}".rstrip())
    return wrong


def _tell(terminal: Terminal, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Show rows, as JSON or as a table."""
    for row in rows:
        terminal.data(row)
    shown = [
        [", ".join(row[name]) if isinstance(row.get(name), list) else row.get(name) for name in columns] for row in rows
    ]
    terminal.table(columns, shown)
