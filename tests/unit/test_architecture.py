"""The layout keeps itself: import direction, one door for each heavy library, modules of a readable size."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "nffa_cli"
MODULES = {
    "nffa_cli." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts).replace(".__init__", ""): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py") or path.parent != PACKAGE
}

LAYERS = (
    {"errors", "records", "progress"},
    {"rawtree", "arrays", "identify", "readiness", "plan", "crosswalk", "scheduling", "orcid", "spoken", "spreadsheet",
     "proposals", "mediatypes", "vectors", "spectra", "charts"},
    {"settings", "downloading", "guarded", "repositories", "timers", "fetching", "forms", "context", "scan", "extract", "layouts",
     "pixels", "ink", "preview", "binning", "signals", "catalogue", "pool", "samples", "terminal", "export", "render", "classify",
     "destinations", "secrets", "portal", "node", "hosting"},
    {"reading", "recipe", "nexus", "judging", "seeing", "worker"},
    {"look", "pipeline", "verify", "validating"},
    {"exporting", "classifying", "importing", "shrinking"},
    {"story", "browse", "opening", "fitness", "tour", "sights", "modelling", "report", "review", "training", "measuring",
     "delivery"},
    {"commands", "cli", "start"},
)  # fmt: skip
"""Lowest first: a part imports from its own layer's package or from below."""

FREE_OF_EACH_OTHER = {
    "extract",
    "pixels",
    "preview",
    "signals",
    "catalogue",
    "pool",
    "scan",
    "samples",
    "export",
    "render",
    "classify",
    "destinations",
    "node",
}
"""Adapters, which do not import each other (preview draws with ink what pixels reads; classify trains on what is rendered; the
node takes the catalogue's kind of lock, its review desk the terminal's rules, and hands on what export lays out)."""
ALLOWED = {
    ("preview", "pixels"), ("preview", "ink"), ("classify", "render"),
    ("node", "catalogue"), ("node", "classify"), ("node", "export"),
}  # fmt: skip

DOORS = {
    "rsciio": {"extract.rosetta"},
    "hyperspy": {"signals"},
    "PIL": {
        "preview",
        "ink",
        "layouts",
        "render.bars",
        "classify.images",
        "review.inline",
        "report.thumbs",
        "classify.train.drawing",
    },
    "onnxruntime": {"classify.onnx"},
    "torch": {"classify.train"},
    "sqlite3": {"catalogue"},
    "rich": {"terminal"},
    "yaml": {"crosswalk.document"},
    "platformdirs": {"settings"},
    "psutil": {"pool", "fitness"},
    "click": {"cli", "commands"},
    "jinja2": {"report.page", "node.pages.render"},
    "requests": {"destinations.http"},
    "keyring": {"secrets"},
    "jwt": {"node.bearers"},
    **{name: {"node"} for name in ("fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy", "alembic")},
}
"""Library → the only parts that may import it."""


def part(name: str) -> str:
    return name.split(".")[1] if "." in name else name


@cache
def imports(path: Path):
    """Return (module, at top level) of every import in a file."""
    return list(_imports(path))


def _imports(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in top
            if node.module == "nffa_cli" or node.module.startswith("nffa_cli."):
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", id(node) in top


def layer(name: str) -> int | None:
    return next((number for number, parts in enumerate(LAYERS) if name in parts), None)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_from_below(module):
    here = layer(part(module))
    assert here is not None, f"{module}: give it a layer in this test, after thought"
    for found, _ in imports(MODULES[module]):
        if not found.startswith("nffa_cli."):
            continue
        there = layer(part(found))
        if there is None or part(found) == part(module):
            continue
        assert there <= here, f"{module} imports {found} from above"
        pair = (part(module), part(found))
        if set(pair) <= FREE_OF_EACH_OTHER and pair not in ALLOWED:
            pytest.fail(f"the adapters {pair[0]} and {pair[1]} should not know each other")


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_has_one_door(library):
    users = {module for module, path in MODULES.items() for found, _ in imports(path) if found.split(".")[0] == library}
    doors = {f"nffa_cli.{door}" for door in DOORS[library]}
    assert all(any(user == door or user.startswith(door + ".") for door in doors) for user in users), users - doors


def test_no_module_is_a_drawer_or_too_long():
    for path in PACKAGE.rglob("*.py"):
        assert path.stem not in {"utils", "helpers", "common", "misc"}, path
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 500, f"{path.relative_to(ROOT)} has {lines} lines: which two ideas are in it?"


def test_every_module_says_what_it_is():
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_only_the_terminal_prints():
    for module, path in MODULES.items():
        calls = (
            node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        )
        prints = any(isinstance(call, ast.Name) and call.id == "print" for call in calls)
        assert not prints or module == "nffa_cli.terminal", module


def test_command_bodies_only_parse_call_and_show():
    for path in (PACKAGE / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                assert lines <= 25, f"{path.name}: {node.name} has {lines} lines"
