"""Every kind of sample: true to its format (others read it too), and read by nffa exactly as it was written."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nffa_cli import extract, identify, pixels, reading, samples, settings
from nffa_cli.samples import scenes
from nffa_cli.samples.sample import sitting

SEEDS = (0, 1, 20240506)
MOST_BYTES, MOST_IN_ALL = 300_000, 2_000_000


def written(folder, kind, seed):
    (made,) = samples.samples(seed=seed, kinds=[kind])
    return made, samples.make(folder, seed=seed, kinds=[kind])


def read(paths, folder, **more):
    """Read one acquisition as a worker does."""
    stamps = [(str(path), path.stat().st_size, path.stat().st_mtime_ns, 0, role)
              for path, role in zip(paths, ["main"] + ["sidecar"] * len(paths), strict=False)]  # fmt: skip
    where = {"crosswalks": str(settings.shipped("crosswalks"))}
    job = {"files": stamps, "age": 0.0, "patience": 0.0, "partner_missing": None, "pictures": True, "context": where,
           "preview": {"path": str(folder / "preview"), "size": 256, "format": "jpeg"}, "hash": True, "raw": True}  # fmt: skip
    return reading.read(job | more)[0]


def same(found, value, unit):
    if found["unit"] != unit:
        return False
    if isinstance(value, float):
        return math.isclose(found["value"], value, rel_tol=1e-9, abs_tol=1e-30)
    return found["value"] == value


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", samples.KINDS)
def test_nffa_reads_exactly_what_was_written(tmp_path, kind, seed):
    made, paths = written(tmp_path / "data", kind, seed)
    answer = read(paths, tmp_path)
    assert (answer["state"], answer["reason"], answer["format"]) == ("ready", None, made.format)
    record = answer["record"]
    terms = record["terms"]
    wrong = {
        name: terms.get(name)
        for name, (value, unit) in made.terms.items()
        if name not in terms or not same(terms[name], value, unit)
    }
    assert not wrong
    assert record["warnings"] == []
    assert len(record["signals"]) == len(made.signals)
    for found, signal in zip(record["signals"], made.signals, strict=True):
        assert (tuple(found["shape"]), found["dtype"]) == (signal.pixels.shape, signal.pixels.dtype.name)
        for axis, (step, unit) in zip(found["axes"], signal.steps, strict=True):
            assert axis["unit"] == unit
            assert axis["scale"] == pytest.approx(step, rel=1e-7)
    assert (tmp_path / "preview").stat().st_size > 500


@pytest.mark.parametrize("kind", samples.KINDS)
def test_nffa_finds_the_pixels_that_were_drawn(tmp_path, kind):
    made, paths = written(tmp_path, kind, 3)
    family = identify.identify(paths[0].name, paths[0].read_bytes()[: identify.HEAD_BYTES]).family
    raw = extract.read([str(path) for path in paths], family)
    for signal, drawn in zip(raw.signals, made.signals, strict=True):
        found = pixels.slab(signal, [slice(0, size) for size in signal.shape])
        assert np.array_equal(found, drawn.pixels)


@pytest.mark.parametrize("kind", samples.KINDS)
def test_names_and_bytes_come_from_the_seed(kind):
    (first,), (again,), (other,) = (samples.samples(seed=seed, kinds=[kind]) for seed in (5, 5, 6))
    assert dict(first.files) == dict(again.files)
    assert not set(first.files.values()) & set(other.files.values())


def test_they_are_small():
    for seed in SEEDS:
        sizes = [len(data) for made in samples.samples(seed=seed) for data in made.files.values()]
        assert max(sizes) <= MOST_BYTES
        assert sum(sizes) <= MOST_IN_ALL


def test_the_instruments_differ_in_their_settings_from_seed_to_seed():
    for kind in samples.KINDS[:-1]:
        terms = [dict(made.terms) for seed in range(6) for made in samples.samples(seed=seed, kinds=[kind])]
        assert (
            len(
                {
                    (
                        each["beam.accelerating_voltage"],
                        each.get("optics.magnification", each.get("optics.camera_length")),
                    )
                    for each in terms
                }
            )
            > 2
        )
        assert len({each["stage.x"][0] for each in terms}) == 6
        assert len({each["acquisition.start"][0] for each in terms}) == 6


def test_every_scene_keeps_between_dark_and_bright():
    chance = sitting("scenes", 0, 0).chance
    for scene in (
        scenes.particles,
        scenes.powder,
        scenes.wires,
        scenes.sponge,
        scenes.grating,
        scenes.columns,
        scenes.clusters,
    ):
        picture = scene(chance, 96, 128)
        assert picture.shape == (96, 128)
        assert picture.min() > -0.05
        assert picture.max() < 1.8
        assert picture.std() > 0.05, scene.__name__


# --- other people's readers as oracles ---

ROSETTA = {"zeiss-sem-tiff": True, "fei-sem-tiff": True, "tescan-sem-tiff": False, "jeol-sem-tiff": False,
           "hitachi-sem-tiff": False, "tescan-sem-hdr": False, "hitachi-sem-ascii": False,
           "gatan-dm3": True, "gatan-dm3-diffraction": True, "gatan-dm4": True, "tia": True}  # fmt: skip
"""Kind → does RosettaSciIO find its calibration?"""
TO_SI = {"nm": 1e-9, "µm": 1e-6, "m": 1.0, "1/nm": 1e9, "eV": 1.0}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ROSETTA)
def test_rosettasciio_reads_the_same(tmp_path, kind):
    digitalmicrograph = pytest.importorskip("rsciio.digitalmicrograph")
    from rsciio import tia, tiff

    reader = {"dm3": digitalmicrograph, "dm4": digitalmicrograph, "emi": tia, "tif": tiff}
    made, paths = written(tmp_path, kind, 4)
    found = reader[paths[0].suffix[1:]].file_reader(str(paths[0]))
    assert len(found) == len(made.signals)
    for theirs, ours in zip(found, made.signals, strict=True):
        data, axes = theirs["data"], theirs["axes"]
        if kind == "gatan-dm4":  # RosettaSciIO leaves the planes where they lie; HyperSpy moves the energy last
            data, axes = np.moveaxis(data, 0, -1), [*axes[1:], axes[0]]
        assert np.array_equal(data, ours.pixels)
        for axis, (step, _) in zip(axes, ours.steps, strict=True):
            if ROSETTA[kind]:
                assert axis["scale"] * TO_SI[axis["units"]] == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize("kind", ["gatan-dm3", "gatan-dm3-diffraction", "gatan-dm4", "tia"])
def test_ncempy_reads_the_same(tmp_path, kind):
    nio = pytest.importorskip("ncempy.io")
    made, paths = written(tmp_path, kind, 4)
    for number, ours in enumerate(made.signals):
        path = str(paths[number + 1] if kind == "tia" else paths[0])
        theirs = nio.ser.serReader(path) if kind == "tia" else nio.dm.dmReader(path)
        drawn = np.moveaxis(ours.pixels, -1, 0) if kind == "gatan-dm4" else ours.pixels
        assert np.array_equal(theirs["data"], drawn)
        sizes = [float(size) * TO_SI[unit] for size, unit in zip(theirs["pixelSize"], theirs["pixelUnit"], strict=True)]
        assert sorted(sizes) == pytest.approx(sorted(step for step, _ in ours.steps), rel=1e-6)


@pytest.mark.parametrize("name", ["tescan-sem-tiff", "plain-picture"])
def test_pillow_opens_the_pictures_that_lie_in_png(name):
    from io import BytesIO

    from PIL import Image

    (made,) = samples.samples(seed=2, kinds=[name])
    data = made.files[made.main]
    start = data.index(b"\x89PNG")
    with Image.open(BytesIO(data[start:])) as picture:
        assert np.asarray(picture).std() > 5


# --- a cut sample is never taken for a whole one ---


@pytest.mark.parametrize("kind", [kind for kind in samples.KINDS if kind != "plain-picture"])
def test_a_cut_sample_is_not_ready(tmp_path, kind):
    (made,) = samples.samples(seed=8, kinds=[kind])
    whole = made.files[made.main]
    for share in (0.05, 0.4, 0.8, 0.97):
        paths = []
        for name, data in made.files.items():
            paths.append(tmp_path / name)
            paths[-1].write_bytes(whole[: int(share * len(whole))] if name == made.main else data)
        assert read(paths, tmp_path, preview=None)["state"] == "damaged", share


# --- examples/ is what the generator makes ---

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_examples_are_what_the_generator_makes(tmp_path):
    made = samples.make_session(tmp_path / "session")
    assert {path.name: path.read_bytes() for path in made} == {
        path.name: path.read_bytes() for path in (EXAMPLES / "session-2024-05-06").iterdir()
    }
    assert sum(path.stat().st_size for path in made) <= 1_500_000


def test_the_examples_page_names_every_file():
    said = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in (EXAMPLES / "session-2024-05-06").iterdir() if f"`{path.name}`" not in said] == []


def test_a_session_that_is_there_is_left_alone(tmp_path):
    first = samples.make_session(tmp_path)
    times = [path.stat().st_mtime_ns for path in first]
    first[3].write_bytes(b"spoilt")
    samples.make_session(tmp_path)
    again = [path.stat().st_mtime_ns for path in first]
    assert [number for number, (a, b) in enumerate(zip(times, again, strict=True)) if a != b] == [3]
