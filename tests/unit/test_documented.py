"""Everything a user can type, set or meet has a word of explanation, and the reference pages say what the code does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import click
import pytest

from nffa_cli import cli, errors, forms, settings
from nffa_cli.crosswalk import transforms, vocabulary

ROOT = Path(__file__).resolve().parents[2]


def every_command():
    def below(command, name):
        yield name, command
        if isinstance(command, click.Group):
            for sub in command.list_commands(None):
                yield from below(command.get_command(None, sub), f"{name} {sub}")

    for name in cli.COMMANDS:
        yield from below(cli.root.get_command(None, name), name)


@pytest.mark.parametrize(
    ("name", "command"), list(every_command()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_has_help(name, command):
    assert command.help, name
    assert len(command.help.split("\n")[0]) <= 120, name
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize(
    ("name", "command"), list(every_command()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_talks_json_and_can_be_quiet(name, command):
    if not isinstance(command, click.Group):
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "-q", "-v"} <= options, name


def test_settings_terms_and_transforms_say_what_they_mean():
    assert all(each.about.endswith(".") for each in settings.SETTINGS)
    assert all(key.about for key in (*forms.PROFILE, *forms.SESSION))
    words = vocabulary.load(settings.shipped("crosswalks"))
    assert all(term.definition for term in words.terms.values())
    readme = (ROOT / "crosswalks/README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in transforms.TABLE)


def test_every_error_has_an_exit_status_that_is_explained():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.NffaError)]
    assert all(kind.__doc__ and kind.exit_status in errors.EXIT_STATUS for kind in kinds)


def test_every_public_function_has_a_docstring():
    missing = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in (ROOT / "nffa_cli").rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not missing


def test_the_reference_pages_are_up_to_date():
    run = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "page", [*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "crosswalks/README.md"], ids=lambda p: p.name
)
def test_links_between_pages_lead_somewhere(page):
    import re

    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_type_of_line_is_in_the_page_about_json():
    import re

    page = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    node = ROOT / "nffa_cli/node"
    answers = {
        *node.glob("routes_*.py"),
        *node.glob("answers.py"),
        *node.glob("published.py"),
    }  # told by its OpenAPI and schemas
    said = {
        kind
        for path in {*(ROOT / "nffa_cli").rglob("*.py")} - answers
        for kind in re.findall(r'"type": "([a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert {"record", "outcome", "summary", "plan"} <= said
    assert not {kind for kind in said if f"`{kind}`" not in page}
