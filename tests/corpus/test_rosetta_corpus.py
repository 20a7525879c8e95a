"""EMD, Bruker, EMSA, EDAX, JEOL, Phenom, MRC and block files of the corpus: equal to RosettaSciIO, and never half a file."""

from __future__ import annotations

import importlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest

from nffa_cli import extract, pixels, reading
from nffa_cli.crosswalk import units

pytestmark = pytest.mark.corpus

FILES = {
    "emd/Acquisition_18.emd": ("emd", "emd"),
    "emd/Camera Ceta Imaging Micro.emd": ("emd", "emd"),
    "emd/EMDReader_SpectrumImage_Si.emd": ("emd", "emd"),
    "emd/SI_empty selection.emd": ("emd", "emd"),
    "eds-ebsd/Hitachi_TM3030Plus.bcf": ("rosetta", "bruker"),
    "eds-ebsd/16x16_12bit_packed_8bit.bcf": ("rosetta", "bruker"),
    "eds-ebsd/bruker_nano.spx": ("rosetta", "bruker"),
    "eds-ebsd/647_leo_edax_test.msa": ("rosetta", "msa"),
    "eds-ebsd/647_leo_edax_test.spc": ("rosetta", "edax"),
    "eds-ebsd/met03.EDS": ("rosetta", "jeol"),
    "eds-ebsd/Elid2Version4.elid": ("rosetta", "phenom"),
    "4dstem-misc/HAADFscan.mrc": ("mrc", "mrc"),
    "4dstem-misc/test1.blo": ("blockfile", "blockfile"),
}
UNKNOWN_END = {"eds-ebsd/met03.EDS": 34, "eds-ebsd/bruker_nano.spx": 1}
"""Bytes at the end that nothing announces: a table of unknown meaning; a line feed."""
CUTS = 20

READ = """
import os, sys
from nffa_cli import extract
from nffa_cli.errors import UnreadableFile
for path in sys.argv[2:]:
    try:
        raw = extract.read([path], sys.argv[1])
    except UnreadableFile as error:
        print("refused", error.code)
    else:
        print("fault" if raw.faults or (raw.needs or 0) > os.path.getsize(path) else "success", raw.needs)
"""


@pytest.mark.parametrize("name", FILES)
def test_samples_and_shapes_are_rosettasciios(corpus, name):
    family, plugin = FILES[name]
    reader = importlib.import_module(f"rsciio.{plugin}") if _available(plugin) else pytest.skip(f"needs {plugin}")
    raw = extract.read([str(corpus / name)], family)
    assert not raw.faults
    expected = reader.file_reader(str(corpus / name))
    assert len(raw.signals) == len(expected)
    loaders = reading.loaders({}, whole=True)  # opens the file once for all signals
    for signal, other in zip(raw.signals, expected, strict=True):
        data = other["data"].T if raw.format == "ncem-emd" else other["data"]  # RosettaSciIO turns NCEM's axes round
        if data.dtype.names:
            data = np.stack([data[field] for field in data.dtype.names], axis=-1)
        assert (signal.shape, signal.dtype) == (data.shape, data.dtype.name)
        got = pixels.slab(signal, tuple(slice(None) for _ in signal.shape), loaders=loaders)
        assert np.array_equal(got, data)


@pytest.mark.parametrize("name", [name for name, (family, _) in FILES.items() if family != "rosetta"])
def test_axes_of_our_own_readers_are_rosettasciios(corpus, name):
    family, plugin = FILES[name]
    reader = importlib.import_module(f"rsciio.{plugin}") if _available(plugin) else pytest.skip(f"needs {plugin}")
    compared = 0
    for signal, other in zip(
        extract.read([str(corpus / name)], family).signals, reader.file_reader(str(corpus / name)), strict=True
    ):
        theirs = other["axes"][::-1] if name.endswith("Acquisition_18.emd") else other["axes"]
        for ours, axis in zip(signal.axes, theirs, strict=True):
            assert ours.size == axis["size"]
            if ours.unit and axis["units"]:
                factor, unit = units.canonical(str(axis["units"]).replace("n_m", "nm"), "m")
                mine, same = units.canonical(ours.unit, "m")
                assert (ours.scale * mine, same) == (pytest.approx(axis["scale"] * factor), unit)
                compared += 1
    assert compared or family == "mrc"  # FEI's pixel size is behind the header, where RosettaSciIO does not look


def _available(plugin: str) -> bool:
    needed = {"blockfile": "skimage", "emd": "sparse"}.get(plugin)
    return needed is None or importlib.util.find_spec(needed) is not None


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_never_a_success(corpus, name, tmp_path):
    data = (corpus / name).read_bytes()
    chance = random.Random(name)
    most = len(data) - UNKNOWN_END.get(name, 0)
    cuts = sorted({0, 1, most - 1, *(chance.randrange(most) for _ in range(CUTS - 3))})
    paths = []
    for cut in cuts:
        path = tmp_path / f"{cut}{os.path.splitext(name)[1]}"
        path.write_bytes(data[:cut])
        paths.append(str(path))
    done = subprocess.run(
        [sys.executable, "-c", READ, FILES[name][0], *paths], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-500:]
    verdicts = done.stdout.splitlines()
    assert len(verdicts) == len(cuts)
    assert [cut for cut, verdict in zip(cuts, verdicts, strict=True) if verdict.startswith("success")] == []
