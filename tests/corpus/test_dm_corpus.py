"""The DigitalMicrograph reader on real files, against RosettaSciIO and ncempy."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest

from nffa_cli.extract import digitalmicrograph
from nffa_cli.pixels import slab

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def files(corpus):
    """All DM files of the corpus."""
    return sorted((corpus / "dm").glob("*.dm[34]"))


@pytest.fixture(scope="module")
def oracle():
    """RosettaSciIO's reader, with its log handler on stdout removed."""
    import logging

    from rsciio.digitalmicrograph import _api

    logging.getLogger("rsciio").handlers.clear()
    return _api


def rosetta_name(tree: dict, parent: str = "") -> dict:
    """Name unnamed tags as RosettaSciIO does: Data0 and TagGroup0, each with its own count, and no dots."""
    named, counts = {}, {"Data": 0, "TagGroup": 0}
    for place, (key, value) in enumerate(tree.items()):
        is_group = isinstance(value, dict) and not any(name.startswith("@") for name in value)
        if key == str(place) and parent != "UID":  # there the tags are named 0 to 3
            kind = "TagGroup" if is_group else "Data"
            key, counts[kind] = f"{kind}{counts[kind]}", counts[kind] + 1
        named[key.replace(".", "")] = rosetta_name(value, key) if is_group else value
    return named


def flat(tree: dict, prefix: str = ""):
    for key, value in tree.items():
        if isinstance(value, dict) and "@array" not in value and "@data" not in value and "size_bytes" not in value:
            yield from flat(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", value


def same(ours, theirs) -> bool:
    if isinstance(theirs, list) and theirs and isinstance(theirs[0], bytes):  # characters; to us numbers, with sign
        theirs = [int.from_bytes(each, "little", signed=True) for each in theirs]
    if isinstance(ours, dict) and "@array" in ours:
        values = np.frombuffer(base64.b64decode(ours["base64"]), np.dtype(ours["@array"])).reshape(ours["shape"])
        return same(values.tolist(), theirs)
    if isinstance(ours, dict) and "@data" in ours:
        return (ours["@data"]["offset"], ours["@data"]["bytes"]) == (theirs["offset"], theirs["size_bytes"])
    if isinstance(ours, list):
        pair = np.asarray(ours), np.asarray(theirs)
        if pair[0].dtype.kind == "i" and pair[0].min() >= 0 > pair[1].min() and pair[0].max() < 256:
            pair = pair[0], pair[1] % 256  # octets, which RosettaSciIO reads with a sign
        return np.array_equal(*pair)
    if ours == "":
        return theirs in ("", [])
    return ours == theirs


def test_every_tag_is_rosettasciios(files, oracle):
    compared = 0
    for path in files:
        ours = dict(flat(rosetta_name(digitalmicrograph.read([str(path)]).tree)))
        with path.open("rb") as file:
            reader = oracle.DigitalMicrographReader(file)
            reader.parse_file()
        theirs = dict(flat(reader.tags_dict))
        assert ours.keys() == theirs.keys()
        different = [name for name in ours if not same(ours[name], theirs[name])]
        assert not different, (path.name, different)
        compared += len(ours)
    assert compared > 2000


def test_scalar_tags_are_ncempys(files):
    from ncempy.io.dm import fileDM

    compared = 0
    for path in files:
        ours = {}
        for name, value in flat(digitalmicrograph.read([str(path)]).tree):
            parts = [str(int(part) + 1) if part.isdigit() else part for part in name.split("/")]
            ours["." + ".".join(parts)] = value
        with fileDM(str(path)) as dm:
            dm.parseHeader()
            theirs = dm.allTags
        for name, value in theirs.items():
            if ".UID." not in name and name in ours and np.isscalar(value) and isinstance(ours[name], (int, float)):
                assert math.isclose(float(value), float(ours[name]), rel_tol=1e-6) or ours[name] != ours[name], name
                compared += 1
    assert compared > 1000


def test_signals_are_rosettasciios(files, oracle):
    import hyperspy.api as hs

    for path in files:
        found = digitalmicrograph.read([str(path)]).signals
        loaded = hs.load(path)
        loaded = loaded if isinstance(loaded, list) else [loaded]
        assert len(found) == len(loaded)
        for ours, theirs in zip(found, loaded, strict=True):
            assert ours.shape == theirs.data.shape
            assert ours.dtype == theirs.data.dtype.name
            manager = theirs.axes_manager
            for axis, other in zip(
                ours.axes, (*manager.navigation_axes[::-1], *manager.signal_axes[::-1]), strict=True
            ):
                assert (axis.size, axis.unit or "") == (other.size, other.units)
                assert (axis.scale, axis.offset) == pytest.approx((other.scale, other.offset))
                assert axis.name.removeprefix("k") == other.name
            assert np.array_equal(slab(ours, [slice(None)] * len(ours.shape)), theirs.data)


def test_each_file_is_complete_and_no_shorter_one_is(files, tmp_path):
    cut = tmp_path / "cut.dm4"
    for path in files:
        data = path.read_bytes()
        raw = digitalmicrograph.read([str(path)])
        assert (raw.needs, raw.faults, raw.warnings) == (len(data), (), ())
        for missing in (1, 2, 7, 8, 9, 16, 100, 5000, len(data) // 2):
            cut.write_bytes(data[:-missing])
            assert [remark.code for remark in digitalmicrograph.read([str(cut)]).faults] == ["truncated"]
