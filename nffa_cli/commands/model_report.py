"""``nffa model report``: how far persons and a model agree."""

from __future__ import annotations

import click

from nffa_cli.commands.options import output_options
from nffa_cli.terminal import Terminal


@click.command("report")
@click.argument("model", required=False, default="", metavar="[NAME|FILE]")
@output_options
def command(model: str, terminal: Terminal) -> int:
    """Compare what a model says with what persons say of the same pictures: by decision, category, labeller and month.

    Every figure has its number of pictures, and a range in which the true share lies with 95 % confidence. Only pictures
    count that a person looked at; those of spot checks were drawn at random and speak for all, the others do not.
    """
    from nffa_cli.review import reporting

    return reporting.tell(model, terminal)
