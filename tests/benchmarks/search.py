"""How fast the catalogue answers with 150,000 records, of the search itself (before records are fetched).

95th percentile in milliseconds, beside the ratio to a bare look-up by primary key in the same run.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from nffa_cli.catalogue import queries
from nffa_cli.catalogue.rows import HashedFile, NewVersion, Provenance
from nffa_cli.catalogue.store import FILE_NAME, Store
from nffa_cli.plan import LedgerRow
from tests.benchmarks.measure import show
from tests.benchmarks.scale import Scale

BATCH = 1_000
SAMPLES = ["silicon wafer", "gold nanowires", "graphene flake", "zeolite powder", "steel fracture", "TiO2 film",
           "perovskite cell", "carbon nanotubes", "pollen", "MEMS device", "copper grid", "lacey carbon"]  # fmt: skip
PEOPLE = ["rossi", "bianchi", "mueller", "dupont", "garcia", "novak", "kowalski", "jensen"]
DETECTORS = ["SE2", "InLens", "BSE", "HAADF", "BF", "ETD", "TLD"]
MODELS = [("zeiss-sem-tiff", "Carl Zeiss", "Supra 40"), ("fei-sem-tiff", "FEI", "Quanta 200"),
          ("tescan-sem-tiff", "TESCAN", "MIRA3"), ("gatan-dm3", "JEOL", "JEM-2100F"),
          ("tia", "FEI", "Tecnai F20")]  # fmt: skip
SETTINGS = ["optics.working_distance", "optics.field_width", "optics.aperture_diameter", "scan.dwell_time",
            "scan.line_time", "stage.x", "stage.y", "stage.z", "detector.exposure_time", "optics.defocus",
            "vacuum.chamber_pressure", "vacuum.gun_pressure", "beam.emission_current"]  # fmt: skip


def record(number: int, chance: random.Random) -> tuple[str, dict[str, object]]:
    """Return path and record of one invented acquisition."""
    sample, person = chance.choice(SAMPLES), chance.choice(PEOPLE)
    format_name, vendor, model = chance.choice(MODELS)
    year, month, day = chance.randint(2008, 2025), chance.randint(1, 12), chance.randint(1, 28)
    stem = f"{sample.replace(' ', '_')}_{chance.choice('ABCD')}{chance.randint(1, 40)}_{number:06d}"
    path = f"/data/{person}/{year}-{month:02d}-{day:02d}/{sample.split()[0]} run {chance.randint(1, 9)}/{stem}.tif"
    texts = {"sample.name": sample, "operator.name": person, "detector.name": chance.choice(DETECTORS),
             "instrument.vendor": vendor, "instrument.model": model,
             "optics.mode": chance.choice(["high vacuum", "STEM"]),
             "acquisition.start": f"{year}-{month:02d}-{day:02d}T10:00:00+01:00"}  # fmt: skip
    numbers = {"beam.accelerating_voltage": (chance.choice([3e3, 5e3, 1e4, 1.5e4, 2e4, 2e5]), "V"),
               "optics.magnification": (round(10 ** chance.uniform(1.5, 5.5)), "1")}  # fmt: skip
    numbers |= {name: (chance.uniform(1e-9, 1e-2), "m") for name in SETTINGS}
    terms = {
        name: {"value": value, "unit": None, "source": f"34118/{name}", "raw": value} for name, value in texts.items()
    }
    terms |= {name: {"value": value, "unit": unit, "source": f"34118/{name}", "raw": f"{value} {unit}"}
              for name, (value, unit) in numbers.items()}  # fmt: skip
    return path, {"format": format_name, "signals": [], "terms": terms, "missing": [], "warnings": []}


def fill(path: Path, records: int) -> float:
    """Make the catalogue and return the seconds that saving took."""
    chance, made = random.Random(1), Provenance("0.1", "nffa tiff", "crosswalk-1", "vocabulary-1")
    taken = 0.0
    with Store.open(path) as store:
        for start in range(0, records, BATCH):
            versions = []
            for number in range(start, start + BATCH):
                place, terms = record(number, chance)
                versions.append(NewVersion((HashedFile(place, 1000, f"{number:064x}"),), terms, b"x" * 200, made))
            begun = time.perf_counter()
            with store.batch():
                for version in versions:
                    store.save(version)
                store.save_ledger(
                    LedgerRow(version.id, version.files[0].path, version.digest, "done", None, "tia", "r", "c", None)
                    for version in versions
                )
            taken += time.perf_counter() - begun
    return taken


def measure(ask: Callable[[str], object], texts: list[str]) -> tuple[float, float]:
    """Return median and 95th percentile in milliseconds over ``texts``."""
    times = []
    for text in texts:
        begun = time.perf_counter()
        ask(text)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def questions(chance: random.Random, records: int) -> dict[str, list[str]]:
    """Return the texts to ask by kind; common and rare ones, hits in all records and in none."""
    names = [word for sample in SAMPLES for word in sample.lower().split()]
    common = [*names, *PEOPLE, *map(str.lower, DETECTORS), "data", "run", "tif", "absent"]
    rare = [f"{chance.randrange(records):06d}" for _ in range(40)]
    long = [word[: chance.randint(1, len(word))] for word in common + rare for _ in range(3)]
    filters = ["beam.accelerating_voltage=10kV", "magnification>5k", "magnification>300k", "magnification<32",
               "working_distance<1um", "format:tia", "after:2025-11", "before:2008-02", "stage.x>9.9mm",
               "instrument.vendor=FEI", "sample.name:wafer", "accelerating_voltage>500kV"]  # fmt: skip
    return {
        "term": common + rare,
        "two terms": [f"{chance.choice(common)} {chance.choice(common + rare)}" for _ in range(100)],
        "prefix": [f"{word}*" for word in long],
        "filter": filters * 4,
        "two filters": [" ".join(chance.sample(filters, 2)) for _ in range(60)],
        "term and filter": [f"{chance.choice(common)} {chance.choice(filters)}" for _ in range(100)],
    }


def benchmark(folder: Path, scale: Scale) -> None:
    """Make the catalogue, ask, print."""
    path = folder / FILE_NAME
    seconds = fill(path, scale.records)
    show(f"saving {scale.records:,} records", [seconds / scale.records * 1e3], "", "a record", unit="ms")
    chance = random.Random(2)
    with Store.open(path, readonly=True) as store:
        ids = list(store.ledger("/data"))
        bare = sqlite3.connect(path)
        look = "SELECT path FROM acquisition WHERE id = ?"
        floor, _ = measure(
            lambda name: bare.execute(look, (name,)).fetchone(), [chance.choice(ids) for _ in range(500)]
        )

        def ask(text: str) -> object:
            return queries.matching(store._db, text, under=None, order="recent", limit=50, offset=0)

        for kind, texts in questions(chance, scale.records).items():
            ask(texts[0])
            median, p95 = measure(ask, texts)
            goal = "<= 50" if kind == "prefix" else "<= 10"
            detail = f"median {median:.2f} ms, {median / floor:.0f} x look-up by key"
            show(f"search of {scale.records:,} records by {kind}, 95th percentile", [p95], goal, detail, unit="ms")
        bare.close()
