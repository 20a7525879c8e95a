"""``nffa model``: the models of ``nffa classify``, as data."""

from __future__ import annotations

import click

from nffa_cli import settings
from nffa_cli.commands.options import output_options, with_more
from nffa_cli.terminal import Terminal

MORE = {"measure": "model_measure", "report": "model_report", "train": "model_train"}
"""Subcommands with a module of their own, imported when they are called."""


@click.group(
    "model", cls=with_more(MORE), short_help="List, show, verify, add, remove and train the models of classify."
)
def command() -> None:
    """Models are data: one ONNX file with its labels, thresholds, licence and metrics inside, trusted by its SHA-256."""


@command.command("list")
@output_options
def list_(terminal: Terminal) -> int:
    """List the installed models."""
    from nffa_cli import modelling

    return modelling.tell_list(terminal)


@command.command("show")
@click.argument("model", required=False, default="", metavar="[NAME|FILE]")
@output_options
def show(model: str, terminal: Terminal) -> int:
    """Show what a model says of itself: labels, thresholds, data, licence, metrics with their sample sizes, card."""
    from nffa_cli import modelling

    return modelling.tell_one(model, terminal)


@command.command("verify")
@click.argument("model", required=False, default="", metavar="[NAME|FILE]")
@output_options
def verify(model: str, terminal: Terminal) -> int:
    """Prove that a model is the one on its list and does what it says, in a process with limits.

    \b
    Exit status:
      0  it may be used      1  it may not; the reason is said
    """  # noqa: D301
    from nffa_cli import modelling

    return modelling.verify(model, settings.load(), terminal)


@command.command("add")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--replace", is_flag=True, help="Take the place of the model that has this name.")
@output_options
def add(file: str, replace: bool, terminal: Terminal) -> int:
    """Verify a model, copy it into nffa's own folder and put it on the list of trusted ones."""
    from nffa_cli import modelling

    return modelling.add(file, settings.load(), terminal, replace=replace)


@command.command("remove")
@click.argument("name")
@output_options
def remove(name: str, terminal: Terminal) -> int:
    """Remove a model that was added; what it said of pictures stays in the catalogue."""
    from nffa_cli import modelling

    return modelling.remove(name, terminal)
