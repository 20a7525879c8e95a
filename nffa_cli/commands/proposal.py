"""``nffa proposal``: what the facility's portal says of proposals, kept for when it does not answer."""

from __future__ import annotations

import click

from nffa_cli import portal, settings
from nffa_cli.commands.options import output_options
from nffa_cli.errors import UsageError
from nffa_cli.proposals import Proposal
from nffa_cli.terminal import Column, Terminal


@click.group("proposal", short_help="Proposals as the portal tells them, kept for when it does not answer.")
def command() -> None:
    """Proposals as the portal tells them, kept in NFFA_HOME for when it does not answer; docs/portal.md sets one up."""


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those under which no data are taken in, too.")
@output_options
def list_(every: bool, terminal: Terminal) -> int:
    """List the proposals that are kept, and how old they are; nobody is asked.

    \b
    Example:
      nffa proposal list
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    found = portal.kept(settings.load())
    shown = [each for _, each in sorted(found.proposals.items()) if every or each.takes_data]
    for each in shown:
        terminal.data({"type": "proposal", **each.as_json()})
    terminal.data({"type": "summary", "proposals": len(shown), "age": found.age, "problem": found.problem})
    columns = (Column("proposal"), Column("state"), Column("title", least=20), Column("investigator", least=12, drop=1))
    rows = [
        (each.id, each.state or each.word, each.title, each.investigator and each.investigator.name) for each in shown
    ]
    terminal.table(columns, rows)
    terminal.line(f"{len(shown)} of {len(found.proposals)} proposals, {portal.age_told(found.age)}")
    if found.problem:
        terminal.line(f"the portal did not answer when it was asked last: {found.problem}")
    if found.at is None:
        terminal.hint("Next: nffa proposal refresh")
    return 0


@command.command("show")
@click.argument("number", metavar="ID")
@output_options
def show(number: str, terminal: Terminal) -> int:
    """Show one proposal: what is kept of it, else what the portal answers.

    \b
    Exit status:
      0  shown      2  no such proposal      4  not kept, and the portal does not answer
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    found = portal.one(number, settings.load())
    if found is None:
        raise UsageError(f"the portal knows no proposal {number}", hint="nffa proposal list --all")
    terminal.data({"type": "proposal", **found.as_json()})
    terminal.data({"type": "summary", "proposals": 1})
    terminal.table(("key", "value"), _lines(found))
    return 0


@command.command("refresh")
@output_options
def refresh(terminal: Terminal) -> int:
    """Ask the portal for its proposals now; sync does it once a day. What it does not name any more is dropped.

    \b
    Exit status:
      0  kept      1  settings or file are wrong      4  no answer: what was kept still holds      5  refused
    """  # noqa: D301 - \b is Click's mark for text that is not to be wrapped
    done = portal.refresh(settings.load())
    terminal.data({"type": "portal", **done.as_json()})
    terminal.data({"type": "summary", "proposals": done.proposals})
    what = f"{done.proposals} proposals: {done.new} new, {done.changed} changed, {done.gone} gone"
    terminal.line(what + (f"; {done.left_out} entries without a number" if done.left_out else ""))
    return 0


def _lines(found: Proposal) -> list[tuple[str, object]]:
    persons = [each for each in (found.investigator, *found.members) if each is not None]
    rows: list[tuple[str, object]] = [
        ("proposal", found.id), ("title", found.title), ("state", found.state or f"{found.word} (unknown word)"),
        ("call", found.call), ("abstract", found.abstract), ("accepted", found.accepted),
    ]  # fmt: skip
    for each in persons:
        told = ", ".join(part for part in (each.name, each.orcid, each.affiliation, each.role) if part)
        rows.append(("investigator" if each is found.investigator else "member", told))
    rows += [("access", " ".join(filter(None, (each.facility, each.start, each.end)))) for each in found.facilities]
    return [row for row in rows if row[1]]
