"""``nffa validate``: verdicts, exit status, JSON, hostile files, and what pynxtools says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from nffa_cli import cli, settings, validating
from nffa_cli.errors import MissingPackage, UsageError
from nffa_cli.export import findings
from tests import nxem_files, nxem_mutations


def run(*arguments):
    return CliRunner().invoke(cli.root, ["validate", *map(str, arguments)], standalone_mode=False)


def judged(path):
    (found,) = validating.judge((str(path),), settings.defaults())
    return found


@pytest.fixture
def good(tmp_path):
    return nxem_files.write(nxem_files.full(), tmp_path / "good.nxs")


@pytest.fixture
def bad(tmp_path):
    tree = nxem_files.full()
    del tree["entry1"]["sample"]["atom_types"]
    return nxem_files.write(tree, tmp_path / "bad.nxs")


def test_a_valid_file_ends_with_0_and_another_with_3(good, bad):
    fine, wrong = run(good), run(good, bad)
    assert (fine.return_value, wrong.return_value) == (0, 3)
    assert f"valid        {good.as_posix()}" in fine.output
    assert "missing-field: the required field atom_types is missing" in wrong.output
    assert "nffa session new, sample.atom_types" in wrong.output


def test_json_names_the_defect_its_place_and_what_it_needs(bad):
    lines = [json.loads(line) for line in run("--json", bad).output.splitlines()]
    assert [line["type"] for line in lines] == ["finding", "outcome", "summary"]
    assert lines[0]["at"] == "/entry1/sample/atom_types"
    assert lines[0]["needs"] == ["/entry1/sample/atom_types"]
    assert lines[1]["stage"] == "validate"
    assert (lines[1]["valid"], lines[1]["errors"]) == (False, 1)


def test_notes_are_told_on_request_and_do_not_fail(good):
    assert "recommended:" not in run(good).output
    told = run("--notes", good)
    assert told.return_value == 0
    assert "recommended:" in told.output


def test_a_folder_is_searched_for_nexus_files(tmp_path, good, bad):
    (tmp_path / "a.txt").write_text("no")
    found = list(validating.judge((str(tmp_path),), settings.defaults()))
    assert [each.outcome.status for each in found] == ["failed", "done"]


def test_a_path_that_is_not_there_is_wrong_usage(tmp_path):
    with pytest.raises(UsageError):
        list(validating.judge((str(tmp_path / "no.nxs"),), settings.defaults()))


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(3000)])
def test_what_is_no_hdf5_is_an_outcome(content, tmp_path):
    path = tmp_path / "a.nxs"
    path.write_bytes(content)
    assert judged(path).outcome.status == "quarantined"


def test_a_file_cut_anywhere_is_never_valid(good, tmp_path):
    whole = good.read_bytes()
    for size in range(0, len(whole), 997):
        path = tmp_path / "cut.nxs"
        path.write_bytes(whole[:size])
        assert judged(path).outcome.status == "quarantined"


def test_bytes_changed_at_random_never_crash_it(good, tmp_path):
    whole, random = good.read_bytes(), np.random.default_rng(7)
    for _ in range(40):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), 8):
            changed[place] = random.integers(0, 256)
        path = tmp_path / "changed.nxs"
        path.write_bytes(changed)
        assert judged(path).outcome.status in ("done", "failed", "quarantined")


def hard_cycle(file):
    file["entry1/sample/again"] = file["entry1"]
    file["entry1/nffa/again"] = file["entry1/nffa"]


def deep(file):
    here = file["entry1/nffa"]
    for _ in range(200):
        here = here.create_group("a")
        here.attrs["NX_class"] = "NXcollection"


def many(file):
    group = file["entry1/nffa"]
    for number in range(50_100):
        group[f"x{number}"] = h5py.SoftLink("/entry1/definition")


def huge_attribute(file):
    file["entry1"].attrs["vast"] = "x" * 60_000
    file["entry1/sample/name"].attrs["vast"] = np.zeros(8000)


def named_type(file):
    del file["entry1/sample/description"]
    file["entry1/sample/description"] = np.dtype("int32")


HOSTILE = (
    ("too-much", deep),
    ("too-much", many),
    ("unreadable", named_type),
    ("undocumented-attribute", huge_attribute),
    ("undocumented-group", hard_cycle),
)


@pytest.mark.parametrize(("rule", "edit"), HOSTILE, ids=lambda each: getattr(each, "__name__", each))
def test_a_hostile_file_is_judged_in_bounded_time(rule, edit, good):
    with h5py.File(good, "r+") as file:
        edit(file)
    began = time.monotonic()
    found = judged(good)
    assert rule in {each.rule for each in found.findings}
    assert len(found.findings) <= 2 * findings.MOST
    assert time.monotonic() - began < 60


def test_an_external_link_is_never_read(good, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = "secret"
    with h5py.File(good, "r+") as file:
        del file["entry1/sample/description"]
        file["entry1/sample/description"] = h5py.ExternalLink("other.h5", "/x")
    found = judged(good)
    assert found.outcome.status == "done"
    assert "external-link" in {each.rule for each in found.findings}


def test_every_rule_is_documented_and_hit_by_a_test():
    hit = {mutation.rule for mutation in nxem_mutations.MUTATIONS} | {rule for rule, _ in HOSTILE}
    assert hit | {"external-link", "pynxtools"} == set(findings.RULES)


# --- pynxtools ---

GOOD = "The entry `entry1` in file `a.nxs` is valid according to the `NXem` application definition.\n"
BAD = "WARNING: Invalid: The entry `entry1` in file `a.nxs` is NOT valid according to the `NXem` application definition.\n"
FIELD = "WARNING: The required field /entry1/sample/atom_types hasn't been supplied.\n"


@pytest.mark.parametrize(
    ("text", "status", "paths"),
    [
        (GOOD, 0, []),
        (FIELD + BAD, 0, ["/entry1/sample/atom_types"]),
        (BAD, 0, ["/"]),
        (FIELD + GOOD, 0, ["/entry1/sample/atom_types"]),
        ("WARNING: Could not find any valid entry in file a.nxs", 0, ["/"]),
        ("Traceback (most recent call last):\nKeyError: 'x'", 1, ["/"]),
        (GOOD, 1, ["/"]),
        ("", 0, ["/"]),
    ],
)
def test_the_words_of_pynxtools_are_understood_and_its_status_alone_is_not_believed(text, status, paths):
    assert [finding.path for finding in validating.heard(text, status)] == paths


def test_pynxtools_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(validating.sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingPackage, match="not installed"):
        validating.find_program()
    with pytest.raises(UsageError, match=r"validate\.pynx"):
        validating.find_program("/nowhere/pynx")


def test_a_pynxtools_that_hangs_is_stopped(good, tmp_path):
    program = tmp_path / "pynx"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    program.chmod(0o755)
    (found,) = validating.ask(str(program), str(good), 0.5)
    assert "no answer" in found.what


def test_full_asks_the_real_pynxtools(good, bad):
    python = os.environ.get("NFFA_JUDGE")
    program = os.path.join(os.path.dirname(python), "pynx") if python else None
    if not program or not os.path.exists(program):
        pytest.skip("needs pynxtools beside the interpreter that NFFA_JUDGE names")
    values = settings.defaults().over(validate_pynx=program)
    fine, wrong = validating.judge((str(good), str(bad)), values, full=True)
    assert fine.outcome.status == "done"
    assert {each.rule for each in wrong.findings if each.level == "error"} == {"missing-field", "pynxtools"}


def test_judge_a_finds_nothing_in_what_ours_lets_pass(judges, tmp_path):
    """Ours finds every defect that makes a file invalid (test_check.py), so it remains to ask about all other files.

    A value that an open list lacks is a warning for both, which makes no file invalid.
    """
    paths = [nxem_files.write(make(), tmp_path / f"{name}.nxs") for name, make in nxem_files.GOOD.items()]
    for number, mutation in enumerate(nxem_mutations.MUTATIONS):
        if findings.RULES[mutation.rule].level != "error":
            tree = nxem_mutations.spoil(nxem_files.GOOD[mutation.base](), mutation)
            paths.append(nxem_mutations.write(tree, mutation, tmp_path / f"{number}.nxs"))
    verdicts = judges(paths)
    complaints = {
        (path.name, which): verdicts[path][which]["lines"]
        for path in paths
        for which in ("official", "own")
        if not verdicts[path][which]["valid"]
        and any("WARNING" in line and "open enumeration" not in line for line in verdicts[path][which]["lines"])
    }
    assert complaints == {}


def test_the_command_loads_no_h5py_for_its_help():
    code = "import sys; from nffa_cli.commands import validate; sys.exit('h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_hint_fits_what_is_missing():
    from nffa_cli.export.hints import supplier

    assert "profile" in supplier("/entry1/measurement/instrument/fabrication/vendor")
    assert "profile" not in supplier("/entry1/measurement/instrument/detector1/fabrication", required=False)
    assert "group" not in supplier("/entry1/sample/identifier_sample", required=False), "a sample is required"
