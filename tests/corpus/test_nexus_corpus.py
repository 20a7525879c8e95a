"""All real files as NXem, in one run: what is complete passes every judge, and what is not says what it lacks."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import pytest
import yaml

from nffa_cli import settings, validating
from tests.e2e.room import until
from tests.judges import complaints, ours
from tests.soak import lines, nffa, tree_hash

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(1200)]  # the judges take their time

SESSION = {
    "proposal.id": "161",
    "experiment.name": "all that there is",
    "sample.name": "many",
    "sample.atom_types": "Si,O",
    "sample.preparation_date": "2024-05-06T10:00:00+02:00",
    "sample.physical_form": "bulk",
    "sample.is_simulation": "false",
    "instrument.vendor": "Maker",
    "instrument.model": "Seer",
    "instrument.timezone": "Europe/Rome",
    "instrument.date_order": "DMY",
}
"""What the session says for the whole corpus; vendor and model only where the file does not."""

VENDORS = ("Zeiss", "FEI", "TESCAN", "JEOL", "Phenom", "Maker")
"""One profile each, which says that operators' names are kept."""

SAMPLE = 7
"""pynxtools, which takes seconds for a file, sees every so manieth; silx and our own judge see all that matter to them."""

AXES_DIFFER = {"tem-tif/JEOL-SightX-TEM-mag-dummy.tif"}
"""RosettaSciIO takes the TIFF resolution, in whole dots per inch; the pixel size is in the XML."""

SCHEMA_LACK = re.compile(
    r"WARNING: (The required (group|field|attribute) \S+ hasn't been supplied\.|Invalid: The entry .* is NOT valid .*)"
)


@dataclass(frozen=True)
class Exported:
    """One run of the command over the corpus, with what ``inspect`` says of the same files under the same context."""

    status: int
    stderr: str
    outcomes: dict[str, dict[str, Any]]
    records: dict[str, dict[str, Any]]
    verdicts: dict[str, dict[str, Any]]

    @property
    def written(self):
        """{relative path: outcome} of what was exported."""
        return {name: each for name, each in self.outcomes.items() if each["status"] == "done"}

    def opened(self):
        """Yield (relative path, open file) of what was exported."""
        for name, outcome in self.written.items():
            with h5py.File(outcome["output"]) as file:
                yield name, file


def export(corpus, folder, judges, *, told, sample=SAMPLE):
    """Export the whole corpus into ``folder``, with a session and profiles or (``told`` False) with nothing."""
    home, out = folder / "home", folder / "out"
    if told:
        pairs = [word for pair in SESSION.items() for word in ("--set", "=".join(pair))]
        assert nffa(home, "session", "new", corpus, *pairs).returncode == 0
        for name in VENDORS:
            words = ("--vendor", name, "--facility", "CNR-IOM", "--operator-policy", "keep")
            assert nffa(home, "profile", "add", name.lower(), *words).returncode == 0
    before = [tree_hash(each) for each in (corpus, corpus.parent / "corpus-stm")]
    run = nffa(home, "export-nexus", corpus, corpus.parent / "corpus-stm", "-o", out, "--json")
    assert "Traceback" not in run.stderr, run.stderr
    assert [tree_hash(each) for each in (corpus, corpus.parent / "corpus-stm")] == before
    outcomes = [line for line in lines(run) if line["type"] == "outcome"]
    records = [line for line in lines(nffa(home, "inspect", "--raw", "--json", corpus)) if line["type"] == "record"]

    def named(path):
        return Path(path).relative_to(corpus.parent).as_posix().removeprefix("corpus/")

    paths = [Path(each["output"]) for each in outcomes if each["status"] == "done"]
    verdicts = {}
    if judges:
        verdicts = (judges(paths, "silx") if told else {}) | judges(paths[::sample])
    found = {
        "status": run.returncode,
        "stderr": run.stderr,
        "outcomes": {named(each["path"]): each for each in outcomes},
        "records": {named(each["files"][0]["path"]): each for each in records},
        "verdicts": {
            named(each["path"]): verdicts[Path(each["output"])]
            for each in outcomes
            if "output" in each and Path(each["output"]) in verdicts
        },
    }
    assert len(found["outcomes"]) == len(outcomes), "one outcome each"
    return found


def shared(tmp_path_factory, name, make):
    """Make something once for all processes of a test run: the first makes the folder and then the JSON; others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / name
    kept, failed = folder.with_suffix(".json"), folder.with_suffix(".failed")
    try:
        folder.mkdir()
    except FileExistsError:
        until(lambda: kept.is_file() or failed.is_file(), within=1000)
    else:
        try:
            draft = folder.with_suffix(".draft")
            draft.write_text(json.dumps(make(folder)))
            draft.replace(kept)
        except BaseException:
            failed.touch()
            raise
    assert not failed.is_file(), "the export failed, see the first test that wanted it"
    return Exported(**json.loads(kept.read_text()))


@pytest.fixture(scope="module")
def told(corpus, tmp_path_factory, judges_or_none, pytestconfig):
    """The corpus exported with a session and profiles that say what files lack."""
    sample = 1 if pytestconfig.getoption("--judge-all") else SAMPLE
    make = partial(export, corpus, judges=judges_or_none, told=True, sample=sample)
    return shared(tmp_path_factory, "nexus-told", make)


@pytest.fixture(scope="module")
def bare(corpus, tmp_path_factory, judges_or_none):
    """The corpus exported with nothing known beside the files."""
    return shared(tmp_path_factory, "nexus-bare", partial(export, corpus, judges=judges_or_none, told=False))


@pytest.fixture(scope="module")
def manifest(corpus):
    """What is known of each real file, by its relative path."""
    found = yaml.safe_load((corpus / "MANIFEST.yaml").read_text(encoding="utf-8"))["files"]
    return {entry["file"]: entry for entry in found}


def start_of(record):
    return str(record["terms"].get("acquisition.start", {}).get("value", ""))


def whole(record):
    """Tell whether a record holds all that NXem requires and something to show."""
    needed = {"instrument.vendor", "instrument.model", "sample.atom_types", "sample.preparation_date"}
    return (
        bool(re.search(r"T.*([+-]\d\d:\d\d|Z)$", start_of(record)))
        and needed <= set(record["terms"])
        and bool(record["signals"])
    )


# --- outcomes ---


def test_every_acquisition_has_an_outcome_and_a_file_where_it_can_be_read(told, bare):
    for run in (told, bare):
        assert run.status == 3
        assert {each["status"] for each in run.outcomes.values()} == {"done", "skipped", "quarantined"}
        assert {each["stage"] for each in run.outcomes.values()} == {"export-nexus"}
        assert set(run.written) == {name for name, record in run.records.items() if record["status"] == "ready"}
        assert all(each["reason"] for each in run.outcomes.values() if each["status"] != "done")
        for name, each in run.written.items():
            assert each["output"].endswith(f"{name}.nxs")
            assert each["complete"] is (not each["missing"]), name


def test_what_holds_all_that_is_required_is_complete_and_only_that(told):
    complete = {name for name, each in told.written.items() if each["complete"]}
    expected = {name for name, record in told.records.items() if record["status"] == "ready" and whole(record)}
    assert complete == expected
    assert len(expected) > 40


def test_every_file_with_a_date_is_complete(told, manifest):
    """By the hand-checked truths, not by our own record."""
    dated = {
        name
        for name, entry in manifest.items()
        if name in told.written and any((entry["ground_truth"] or {}).get("acquired", {}).get(key) for key in
                                        ("value", "raw", "utc_from_filetime", "utc_from_unix_time", "utc_from_unix_time_tag"))
    }  # fmt: skip
    assert len(dated) > 30
    lacking = {name for name in dated if not told.written[name]["complete"] and told.records[name]["signals"]}
    # one zone was told for all: where a file's two clocks show that it keeps another, none is put on its time
    doubtful = {
        name for name in dated if any(each["code"] == "clock-disagreement" for each in told.records[name]["warnings"])
    }
    assert lacking <= doubtful
    assert len(lacking) <= 1
    assert all(
        "no zone that was told explains both" in each["how"]
        for name in lacking
        for each in told.written[name]["supply"]
    )


def test_what_is_incomplete_names_what_is_missing(told):
    for name, each in told.written.items():
        if not each["complete"] and not re.search(r"T.*([+-]\d\d:\d\d|Z)$", start_of(told.records[name])):
            assert "acquisition.start" in each["missing"], name
    assert any(not each["complete"] for each in told.written.values())


def test_without_a_session_nothing_is_complete_and_nothing_is_made_up(bare):
    for name, each in bare.written.items():
        assert each["complete"] is False, name
        assert {"sample.atom_types", "sample.preparation_date"} <= set(each["missing"]), name
    for name, file in bare.opened():
        sample = file["entry1/sample"]
        assert not {"atom_types", "preparation_date", "name", "physical_form"} & (
            set(sample) - {term.removeprefix("sample.") for term in bare.records[name]["terms"]}
        ), name
        if not re.search(r"([+-]\d\d:\d\d|Z)$", start_of(bare.records[name])):
            assert "start_time" not in file["entry1"], name


# --- the judges of others ---


def test_what_is_complete_passes_pynxtools_and_silx(told, judges):
    complete = {name: told.verdicts[name] for name, each in told.written.items() if each["complete"]}
    faults = {name: complaints(verdict) for name, verdict in complete.items()}
    assert {name: found for name, found in faults.items() if found} == {}
    assert sum({"official", "own"} <= set(verdict) for verdict in complete.values()) > 4


def test_what_is_complete_passes_our_own_judge(told):
    """It is as strict as pynxtools (tests/unit/test_validating.py), and quick enough for every file."""
    paths = tuple(each["output"] for each in told.written.values() if each["complete"])
    faults = {each.outcome.path: each.outcome for each in validating.judge(paths, settings.defaults())}
    assert len(faults) == len(paths) > 40
    assert {path: found for path, found in faults.items() if found.status != "done"} == {}


def test_what_is_incomplete_lacks_something_and_has_no_other_defect(told, bare, judges):
    faults = {}
    for run in (told, bare):
        for name, each in run.written.items():
            if each["complete"] or "official" not in run.verdicts.get(name, ()) or not run.records[name]["signals"]:
                continue
            for judge in ("official", "own"):
                verdict = run.verdicts[name][judge]
                other = [
                    line
                    for line in verdict["lines"]
                    if re.match("WARNING|ERROR", line) and not SCHEMA_LACK.fullmatch(line)
                ]
                if verdict["valid"] or other:
                    faults[f"{name} ({judge})"] = other or ["valid"]
            if not run.verdicts[name]["silx"]["valid"]:
                faults[f"{name} (silx)"] = run.verdicts[name]["silx"]["lines"]
    assert faults == {}


def test_the_default_plot_is_the_source(told, judges, corpus):
    compared, faults = 0, {}
    for name, file in told.opened():
        plot = told.verdicts[name]["silx"]
        record = told.records[name]
        if not record["signals"]:
            continue
        group = file[plot["group"]]
        digests = [
            hashlib.sha256(piece.data.astype(piece.data.dtype.newbyteorder("=")).tobytes()).hexdigest()
            for piece in ours.read_independently(corpus / name, record["format"])
        ]
        units = [group[axis].attrs.get("units") for axis in group.attrs["axes"]]
        agree = (
            plot["sha256"] in digests
            and [axis["name"] for axis in plot["axes"]] == list(group.attrs["axes"])
            and [len(axis["values"]) for axis in plot["axes"]] == plot["shape"]
            and [axis["units"] for axis in plot["axes"]] == units
        )
        if not agree:
            faults[name] = plot
        compared += 1
    assert faults == {}
    assert compared > 45


# --- our own judge ---


@pytest.mark.parametrize("check", [ours.classes, ours.data_rules, ours.empty_words], ids=lambda check: check.__name__)
def test_no_defect_that_the_others_overlook(told, bare, check):
    faults = {name: check(file) for run in (told, bare) for name, file in run.opened()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_default_plot_is_reached_from_the_root(told):
    faults = {name: ours.default_chain(file) for name, file in told.opened() if told.records[name]["signals"]}
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_hashes_are_those_of_the_sources(told, corpus):
    faults = {}
    for name, file in told.opened():
        parts = [Path(part["path"]) for part in told.records[name]["files"]]
        hashes = {part.name: hashlib.sha256(part.read_bytes()).hexdigest() for part in parts}
        faults[name] = ours.notes(file, hashes)
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_vendors_tree_can_be_recovered(told):
    faults = {}
    for name, file in told.opened():
        record = told.records[name]
        tree = record["raw"]
        faults[name] = list(ours.differences(ours.vendor_tree(file), tree))[:5]
    assert {name: found for name, found in faults.items() if found} == {}


def test_samples_scales_and_units_are_rosettasciios(told, corpus):
    faults, compared = {}, 0
    for name, file in told.opened():
        record = told.records[name]
        if record["signals"]:
            pieces = ours.read_independently(corpus / name, record["format"])
            faults[name] = ours.samples(file, pieces, axes=name not in AXES_DIFFER)
            compared += len(pieces)
    assert {name: found for name, found in faults.items() if found} == {}
    assert compared > 60


def test_pictures_that_are_not_square_lie_as_in_the_source(told):
    """The file of which every number differs along x and y: 128 wide, 64 high, two pixel sizes."""
    with h5py.File(told.written["dm/dmTest_float32_nonSquare_diffPixelSize.dm4"]["output"]) as file:
        (group,) = ours.plots(file)
        assert group["real"].shape == (64, 128)
        ((high, _), (wide, _)) = (ours.step_of(group, name) for name in group.attrs["axes"])
        assert list(group.attrs["axes"]) == ["axis_j", "axis_i"]
        assert not math.isclose(high, wide)


@pytest.mark.parametrize("reading", [ours.record_of, ours.kept_terms], ids=lambda reading: reading.__name__)
def test_voltage_stage_and_all_the_rest_are_the_hand_checked_truths(told, corpus, manifest, reading):
    scorer = scorer_of(corpus)
    wrong, right = [], {}
    for name, file in told.opened():
        if name not in manifest:
            continue
        record = reading(file)
        for term, check in scorer.truths(manifest[name]):
            verdict, want, got = check(record)
            if verdict == "wrong" and term != "acquisition.start":  # emi and ser keep clocks of their own
                wrong.append(f"{name}: {term}: want {want}, got {got}")
            right[term] = right.get(term, 0) + (verdict == "right")
    assert wrong == []
    assert right["beam.accelerating_voltage"] > 25
    assert right["axes (pixel size)"] > 10
    assert right["stage.x"] > (15 if reading is ours.kept_terms else 0)
    assert right["stage.tilt_alpha"] > (15 if reading is ours.kept_terms else 0)


def scorer_of(corpus):
    path = corpus.parent / "tools" / "score_records.py"
    if not path.is_file():
        pytest.skip("needs ../shared/tools/score_records.py")
    spec = importlib.util.spec_from_file_location("score_records", path)
    module = importlib.util.module_from_spec(spec)
    keep, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = keep
    return module


def test_a_stage_is_whole_or_not_there(told):
    for name, file in told.opened():
        for group in ours.groups(file):
            if re.search(r"/event1/instrument/stage\d+$", group.name):
                assert {"tilt1", "tilt2", "rotation", "position"} <= set(group), name
