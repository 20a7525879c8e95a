"""The checker finds nothing in good files, and the right thing in spoilt ones."""

from __future__ import annotations

import h5py
import pytest

from nffa_cli.export import check, hdf5_nodes, nodes
from tests import nxem_files, nxem_mutations


def found(path):
    with h5py.File(path) as file:
        return check.check(hdf5_nodes.of_file(file))


def loud(findings):
    return [finding for finding in findings if finding.level != "note"]


@pytest.mark.parametrize("name", nxem_files.GOOD)
def test_no_false_alarm_on_a_good_file_planned_or_written(name, tmp_path):
    tree = nxem_files.GOOD[name]()
    assert loud(check.check(nodes.of_tree(tree))) == []
    assert loud(found(nxem_files.write(tree, tmp_path / "a.nxs"))) == []


def rules(findings):
    return [finding.rule for finding in findings]


@pytest.fixture(params=nxem_mutations.MUTATIONS, ids=lambda each: each.name)
def mutation(request):
    return request.param


def test_a_single_defect_is_found_by_its_rule(mutation, tmp_path):
    tree = nxem_mutations.spoil(nxem_files.GOOD[mutation.base](), mutation)
    if mutation.on_file is None:
        assert mutation.rule in rules(check.check(nodes.of_tree(tree)))
    findings = found(nxem_mutations.write(tree, mutation, tmp_path / "a.nxs"))
    assert mutation.rule in rules(findings)
    assert all(finding.path.startswith("/") and finding.what and finding.hint for finding in findings)
