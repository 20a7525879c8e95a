"""How fast a node answers searches over 150,000 measurements: the whole answer in the server, from question to JSON.

SQLite, filled by bulk SQL: 300 proposals, the newest 40 % embargoed, every twentieth of those described; asked by nobody, a
member, an instrument PC, an instrument scientist and a data manager. 95th percentile in milliseconds, beside the ratio to a
bare look-up by primary key in the same run.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from nffa_cli.node import access, moments, search, tables, words
from nffa_cli.node.callers import NOBODY, Caller
from nffa_cli.node.database import Database
from tests.benchmarks.measure import show
from tests.benchmarks.scale import Scale
from tests.benchmarks.search import DETECTORS, MODELS, SAMPLES

BATCH = 2_000
PROPOSALS = 300
LABELS = [
    "Nanowires",
    "Particles",
    "Tips",
    "Porous sponge",
    "Biological",
    "Fibres",
    "Films",
    "MEMS",
    "Patterned",
    "Powder",
]
CALLERS = {
    "nobody": NOBODY,
    "a member": Caller("person0", frozenset({"reader"}), "t"),
    "an instrument PC": Caller("person1", frozenset({"depositor"}), "t"),
    "an instrument scientist": Caller("person2", frozenset({"instrumentScientist"}), "t"),
    "a data manager": Caller("person3", frozenset({"dataManager"}), "t"),
}


def fill(database: Database, records: int) -> None:
    """Put so many measurements into a node, oldest first."""
    chance, past = random.Random(1), "2020-01-01T00:00:00.000000Z"
    kept = {"version": 1, "created_at": past, "updated_at": past, "data": {}}
    with database.write() as connection:
        people = [{**kept, "id": f"person{n}", "family_name": f"Person {n}", "roles": []} for n in range(40)]
        connection.execute(tables.person.insert(), people)
        registry = [
            {**kept, "id": f"instrument{n}", "type": "instrument", "name": MODELS[n % len(MODELS)][2],
             "data": {"scientists": ["person2"] if n == 7 else [], "facilityId": f"facility{n % 4}"}}
            for n in range(20)
        ]  # fmt: skip
        connection.execute(tables.registry.insert(), registry)
        ids = [f"proposal{n}" for n in range(PROPOSALS)]
        proposals = [
            {**kept, "id": id_, "proposal_id": id_, "title": f"Growth of {id_}", "state": "open"} for id_ in ids
        ]
        connection.execute(tables.proposal.insert(), proposals)
        connection.execute(tables.experiment.insert(), [
            {**kept, "id": f"e{n}", "proposal": f"proposal{n % PROPOSALS}", "name": f"run {n}", "state": "open",
             "data": {"instrumentIds": [f"instrument{n % 20}"]}}
            for n in range(4 * PROPOSALS)
        ])  # fmt: skip
        members = [{"proposal": id_, "person": "person0", "role": "teamMember"} for id_ in ids[::60]]
        connection.execute(tables.member.insert(), members)
        for start in range(0, records, BATCH):
            rows, texts = [], []
            for number in range(start, min(start + BATCH, records)):
                row = measurement(number, records, chance)
                rows.append({**kept, **row})
                texts.append(
                    {"rowid": number + 1, "text": words.text_of(row["data"] | {"measurementName": row["name"]}, "run")}
                )
            connection.execute(tables.measurement.insert(), rows)
            connection.execute(search.WORDS.insert(), texts)


def measurement(number: int, records: int, chance: random.Random) -> dict[str, Any]:
    """Return one invented measurement with about 2 kB of fields, as sync sends them."""
    sample, (format_, vendor, model) = chance.choice(SAMPLES), chance.choice(MODELS)
    experiment, closed = chance.randrange(4 * PROPOSALS), number > 0.6 * records
    settings = {
        f"optics.setting_{n}": {"value": chance.random(), "unit": "m", "source": f"34118/{n}"} for n in range(24)
    }
    settings["detector.name"] = {"value": chance.choice(DETECTORS), "unit": None, "source": "34118/d"}
    start = f"{2010 + 16 * number // records}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}T10:00:00.000000Z"
    label, technique = chance.choice(LABELS), chance.choice(["SEM", "TEM", "STEM"])
    data = {
        "instrument": {"instrumentName": model, "manufacturer": vendor}, "sample": {"sampleName": sample}, "settings": settings,
        "category": {"label": label}, "technique": technique, "format": format_,
    }  # fmt: skip
    return {
        "seq": number + 1, "id": f"m{number:08d}", "data": data, "experiment": f"e{experiment}",
        "proposal": f"proposal{experiment % PROPOSALS}", "instrument": f"instrument{chance.randrange(20)}",
        "name": f"{sample.replace(' ', '_')}_{number:06d}", "kind": "measurement", "start_time": start, "instrument_name": model,
        "technique": technique, "sample": sample, "category": label, "format": format_,
        "voltage": chance.choice([3e3, 5e3, 1e4, 1.5e4, 2e4, 2e5]),
        "deposited_by": f"person{chance.randrange(40)}", "metadata_open": closed and number % 20 == 0,
        "released_at": "2099-01-01T00:00:00.000000Z" if closed else "2021-01-01T00:00:00.000000Z",
    }  # fmt: skip


def questions(chance: random.Random, records: int) -> dict[str, list[tuple[search.Question, str]]]:
    """Return what is asked by kind: common and rare words, values that many, few and no records have."""
    common = [
        *(word for sample in SAMPLES for word in sample.lower().split()),
        *map(str.lower, DETECTORS),
        "run",
        "absent",
    ]
    rare = [f"{chance.randrange(records):06d}" for _ in range(12)]
    equal = [
        ("technique", "SEM"),
        ("category", "Films"),
        ("sample", "graphene flake"),
        ("format", "tia"),
        ("sample", "none"),
    ]

    def of(text: str = "", **more: Any) -> search.Question:
        return search.Question(words.parsed(text), **more)

    filters = [of(equal=dict([each])) for each in equal]
    filters += [of(equal=dict(chance.sample(equal, 2))) for _ in range(8)]
    filters += [of(voltage=(1e5, None)), of(voltage=(4e5, None)), of(start=("2025-06", None)), of(start=(None, "2010-06")),
                of(open_only=True), of(instrument="Tecnai F20"), of(facility="facility1"), of(instrument="none")]  # fmt: skip
    return {
        "a word": [(of(text), "recent") for text in common + rare],
        "two words": [(of(f"{chance.choice(common)} {chance.choice(common + rare)}"), "recent") for _ in range(30)],
        "a beginning": [(of(f"{word[:chance.randint(1, len(word))]}*"), "recent") for word in common + rare],
        "filters": [(each, "recent") for each in filters],
        "a word and a filter": [(of(chance.choice(common), equal=dict([chance.choice(equal)])), "recent") for _ in range(30)],
        "everything by start": [(of(), "started"), (of(equal={"technique": "TEM"}), "started")] * 5,
    }  # fmt: skip


def ask(database: Database, caller: Caller, question: search.Question, sort: search.Sort, *, counts: bool) -> float:
    """Return the milliseconds that one answer took."""
    begun, now = time.perf_counter(), moments.now()
    with database.read() as connection:
        found = search.look(connection, caller, question, now=now, limit=50, sort=sort, facets=counts, count=counts)
        json.dumps([[[row.id, row.data] for row in found.rows], found.facets, found.total])
    return (time.perf_counter() - begun) * 1000


def percentile(times: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def benchmark(folder: Path, scale: Scale) -> None:
    """Fill a node, ask, print."""
    database = Database(f"sqlite:///{folder / 'node.sqlite'}")
    database.migrate()
    begun = time.perf_counter()
    fill(database, scale.records)
    taken = time.perf_counter() - begun
    show(f"filling a node with {scale.records:,} measurements", [taken / scale.records * 1e3], "", "each", unit="ms")
    with database.write() as connection:
        connection.exec_driver_sql("ANALYZE")
    chance = random.Random(2)
    with database.read() as connection:
        look = sa.select(tables.measurement.c.name).where(tables.measurement.c.id == sa.bindparam("id"))
        floor = []
        for _ in range(300):
            begun = time.perf_counter()
            connection.execute(look, {"id": f"m{chance.randrange(scale.records):08d}"}).one()
            floor.append((time.perf_counter() - begun) * 1000)
        seen = {name: connection.execute(sa.select(sa.func.count()).select_from(tables.measurement).where(
            access.seen(caller, moments.now()))).scalar_one() for name, caller in CALLERS.items()}  # fmt: skip
    print("seen: " + ", ".join(f"{name} {number:,}" for name, number in seen.items()))
    everything: list[float] = []
    for kind, texts in questions(chance, scale.records).items():
        times = {
            name: [ask(database, caller, *each, counts=False) for each in texts] for name, caller in CALLERS.items()
        }
        flat = [each for some in times.values() for each in some]
        everything += flat
        slowest = max(times, key=lambda name: percentile(times[name]))
        detail = f"median {statistics.median(flat):.1f} ms, {statistics.median(flat) / statistics.median(floor):.0f} x a look-up"
        detail += f"; slowest for {slowest}: {percentile(times[slowest]):.0f}; at most {max(flat):.0f} ms"
        show(f"search of a node by {kind}, 95th percentile", [percentile(flat)], "<= 100", detail, unit="ms")
    show("search of a node, all of these, 95th percentile", [percentile(everything)], "<= 100", unit="ms")
    counted = [
        ask(database, caller, *each, counts=True)
        for texts in questions(chance, scale.records).values() for each in texts[::3] for caller in CALLERS.values()
    ]  # fmt: skip
    detail = f"median {statistics.median(counted):.1f} ms"
    show("search with total and facets, 95th percentile", [percentile(counted)], "<= 300", detail, unit="ms")
    database.close()
