"""Every real file exported as NXem and read back: the record, the signals, the samples and the vendor's tree are the same."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from nffa_cli import extract, layouts, reading
from nffa_cli.identify import HEAD_BYTES, identify
from tests.soak import lines, nffa

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(600)]

VENDORS = ("Zeiss", "FEI", "TESCAN", "JEOL", "Phenom")
"""One profile each, which says that operators' names are kept."""
MOST = 1 << 22
"""Samples of a signal that are compared."""


@pytest.fixture(scope="module")
def trip(corpus, tmp_path_factory):
    """{relative path: (record of the source, record of its export, path of the export)}, both records with ``raw``."""
    folder = tmp_path_factory.mktemp("round-trip")
    home, out = folder / "home", folder / "out"
    for vendor in VENDORS:
        words = ("--vendor", vendor, "--operator-policy", "keep")
        assert nffa(home, "profile", "add", vendor.lower(), *words).returncode == 0
    exported = lines(nffa(home, "export-nexus", corpus, "-o", out, "--json"))
    outputs = {line["path"]: line["output"] for line in exported if line.get("status") == "done"}
    run = nffa(home, "inspect", "--raw", "--json", corpus, out)
    assert "Traceback" not in run.stderr
    records = {line["files"][0]["path"]: line for line in lines(run) if line["type"] == "record"}
    return {
        Path(source).relative_to(corpus).as_posix(): (records[source], records[output], Path(output))
        for source, output in outputs.items()
    }


def held(path):
    """The record in an export."""
    with h5py.File(path) as file:
        return json.loads(file["entry1/nffa/record"][()])


def hidden(value):
    """Tell whether a value is what stands for a person's name, where no profile says that names are kept."""
    return "operator-" in json.dumps(value)


@pytest.mark.parametrize("part", ["terms", "signals", "missing", "unmapped", "warnings"])
def test_the_record_comes_back_as_it_was_written(trip, part):
    assert {name for name, (_, after, path) in trip.items() if after[part] != held(path)[part]} == set()


@pytest.mark.parametrize("part", ["terms", "signals", "missing", "unmapped"])
def test_the_record_is_that_of_the_source(trip, part):
    assert len(trip) > 45
    differ = {name for name, (before, after, _) in trip.items() if before[part] != after[part]}
    assert {name for name in differ if not hidden(trip[name][1][part])} == set()
    assert len(differ) < 5


def test_the_vendors_tree_comes_back_the_same(trip):
    differ = {
        name
        for name, (before, after, _) in trip.items()
        if after["raw"]["entry1"]["measurement"]["event1"]["vendor_metadata"]["json"] != before["raw"]
    }
    assert {name for name in differ if not hidden(trip[name][1]["raw"])} == set()
    assert len(differ) < 5


def test_the_samples_come_back_the_same(trip, corpus):
    compared = 0
    for name, (before, _, path) in trip.items():
        loaders = reading.loaders({}, whole=True)
        files = [str(corpus / Path(name).parent / Path(each["path"]).name) for each in before["files"]]
        source = extract.read(files, _family(files[0]))
        export = extract.read([str(path)], "emd")
        for one, other in zip(source.signals, export.signals, strict=True):
            if one.layout is None or other.layout is None or np.prod(one.shape) > MOST:
                continue
            picks = tuple(slice(0, n, 1 + n // 64) for n in one.shape)
            with layouts.opened(one, loaders) as first, layouts.opened(other, None) as second:
                assert np.array_equal(first.read(picks), second.read(picks), equal_nan=one.dtype.startswith("float")), (
                    name
                )
            compared += 1
    assert compared > 50


def _family(path):
    with Path(path).open("rb") as file:
        return identify(Path(path).name, file.read(HEAD_BYTES)).family
