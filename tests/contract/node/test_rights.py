# ruff: noqa: A001
"""The table of rights and what the database answers by it are the same, over random worlds; and what the table promises."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nffa_cli.node import access, tables
from nffa_cli.node.callers import PROPOSAL_ROLES, ROLES, Caller
from nffa_cli.node.database import Database
from nffa_cli.node.rights import PERSONAL, RIGHTS, Level, allowed

NOW, PAST, FUTURE = "2026-11-21T12:00:00.000000Z", "2026-11-21T11:59:59.999999Z", "2026-11-21T12:00:00.000001Z"
KEPT = {"version": 1, "created_at": PAST, "updated_at": PAST, "data": {}}


def level_of(type, relations):
    return max((RIGHTS[relation][type] for relation in relations), default=Level.NONE)


TYPES = ("proposal", "experiment", "measurement", "dataasset", "sample", "person", "instrument")


class World:
    """A few of everything, at random; ``things``: type → id → row."""

    def __init__(self, chance: random.Random):
        self.people = ["p0", "p1", "p2"]
        some = lambda of: [each for each in of if chance.random() < 0.4]  # noqa: E731
        any_of = lambda of: chance.choice([None, *of])  # noqa: E731
        at = lambda: chance.choice([PAST, NOW, FUTURE])  # noqa: E731
        persons = {
            id: KEPT | {"id": id, "family_name": id, "roles": list(ROLES), "created_by": None} for id in self.people
        }
        registry = {
            f"{type}{n}": KEPT
            | {
                "id": f"{type}{n}",
                "type": type,
                "name": f"{type}{n}",
                "created_by": any_of(self.people),
                "data": {"scientists": some(self.people)} if type == "instrument" and chance.random() < 0.8 else {},
            }
            for type in ("instrument", "sample")
            for n in range(2)
        }
        instruments = ["instrument0", "instrument1"]
        proposals = {
            f"a{n}": KEPT
            | {"id": f"a{n}", "created_by": any_of(self.people), "proposal_id": f"a{n}", "title": "", "state": ""}
            for n in range(3)
        }
        experiments = {
            f"e{n}": KEPT
            | {
                "id": f"e{n}",
                "created_by": any_of(self.people),
                "proposal": chance.choice([*proposals]),
                "name": f"e{n}",
                "state": "",
                "data": {"instrumentIds": some(instruments)} if chance.random() < 0.8 else {},
            }
            for n in range(3)
        }
        measurements = {}
        for n in range(4):
            held = experiments[chance.choice([*experiments])]
            measurements[f"m{n}"] = KEPT | {
                "id": f"m{n}",
                "seq": n + 1,
                "experiment": held["id"],
                "proposal": held["proposal"],
                "instrument": any_of(instruments),
                "name": "",
                "kind": "measurement",
                "deposited_by": any_of(self.people),
                "created_by": None,
                "released_at": at(),
                "metadata_open": chance.random() < 0.3,
            }
        assets = {
            f"f{n}": KEPT
            | {
                "id": f"f{n}",
                "measurement": chance.choice([*measurements]),
                "relative_path": f"f{n}",
                "role": "main",
                "sha256": "",
                "size": 0,
                "state": "available",
                "created_by": None,
                "embargo_until": chance.choice([None, "2026-11-20", "2026-11-21"]),
            }
            for n in range(4)
        }
        self.things = {
            "person": persons,
            "instrument": {id: row for id, row in registry.items() if row["type"] == "instrument"},
            "sample": {id: row for id, row in registry.items() if row["type"] == "sample"},
            "proposal": proposals,
            "experiment": experiments,
            "measurement": measurements,
            "dataasset": assets,
        }
        self.members = {
            (chance.choice([*proposals]), chance.choice(self.people), chance.choice(PROPOSAL_ROLES)) for _ in range(3)
        }
        sids = [*(f"person:{id}" for id in self.people), *(f"role:{role}" for role in ROLES)]
        self.acl = {}
        for type in ("proposal", "experiment", "measurement", "dataasset", "sample"):
            if chance.random() < 0.3:
                permission = chance.choice(["READ", "WRITE", "ADMINISTRATE"])
                self.acl[type, chance.choice([*self.things[type]]), chance.choice(sids)] = permission
        self.callers = [
            Caller(),
            *(Caller(id, frozenset(some(ROLES) or [chance.choice(ROLES)]), "t") for id in self.people),
        ]

    def insert(self, connection):
        for type in ("person", "instrument", "sample", "proposal", "experiment", "measurement", "dataasset"):
            connection.execute(access.table(type).insert(), list(self.things[type].values()))
        rows = [{"proposal": a, "person": p, "role": role} for a, p, role in self.members]
        connection.execute(tables.member.insert(), rows)
        for (type, id, sid), permission in self.acl.items():
            values = {"type": type, "resource": id, "sid": sid, "permission": permission}
            connection.execute(tables.acl.insert().values(values))

    # -- the same in the plainest Python that there is --------------------------------------------------------------------

    def above(self, type, id):
        """The thing and all that it hangs under."""
        row = self.things[type][id]
        if type == "dataasset":
            return {(type, id)} | self.above("measurement", row["measurement"])
        if type == "measurement":
            return {(type, id)} | self.above("experiment", row["experiment"])
        if type == "experiment":
            return {(type, id), ("proposal", row["proposal"])}
        return {(type, id)}

    def relations(self, caller, type, id):
        row, chain = self.things[type][id], dict(self.above(type, id))
        found = caller.roles & {"admin", "dataManager"}
        personal = bool(caller.roles & PERSONAL)
        sids = {f"role:{role}" for role in caller.roles} | ({f"person:{caller.person}"} if personal else set())
        found |= {f"granted{p}" for (t, i, sid), p in self.acl.items() if sid in sids and chain.get(t) == i}
        if personal:
            found |= {role for a, p, role in self.members if p == caller.person and chain.get("proposal") == a}
        measurement = self.things["measurement"].get(chain.get("measurement"))
        if "depositor" in caller.roles:
            made = measurement["deposited_by"] if measurement else row["created_by"]
            if made == caller.person and type in ("proposal", "experiment", "measurement", "dataasset", "sample"):
                found |= {"depositor"}
        if "instrumentScientist" in caller.roles and "experiment" in chain:
            at = set(self.things["experiment"][chain["experiment"]]["data"].get("instrumentIds", []))
            at |= {measurement["instrument"]} if measurement else set()
            runs = {i for i, r in self.things["instrument"].items() if caller.person in r["data"].get("scientists", [])}
            found |= {"scientist"} if at & runs else set()
        if measurement:
            closed = type == "dataasset" and row["embargo_until"] and row["embargo_until"] >= NOW[:10]
            found |= {"released"} if measurement["released_at"] <= NOW and not closed else set()
            found |= {"described"} if measurement["metadata_open"] else set()
        if type == "measurement":
            shared = {i for (t, i, sid) in self.acl if t == "dataasset" and sid in sids}
            found |= {"above"} if any(self.things["dataasset"][i]["measurement"] == id for i in shared) else set()
        if type in ("proposal", "experiment"):
            below = [t for t in ("experiment", "measurement") if t != type]
            held = [(t, i) for t in below for i, r in self.things[t].items() if r[type] == id]
            found |= {"above"} if any(self.level(caller, *each) >= Level.SEE for each in held) else set()
        if type == "person":
            found |= {"self"} if id == caller.person else set()
            mine = {a for a, p, _ in self.members if p == caller.person} if personal else set()
            found |= {"colleague"} if any(p == id and a in mine for a, p, _ in self.members) else set()
        if type == "instrument":
            found |= {"anyone"}
        return frozenset(found)

    def level(self, caller, type, id):
        return level_of(type, self.relations(caller, type, id))


@pytest.fixture
def empty(address, tmp_path):
    database = Database(address or f"sqlite:///{tmp_path / 'rights.sqlite'}")
    database.migrate()
    yield database
    database.close()


def test_lists_and_single_answers_are_as_the_table_says(empty):
    """One example is one world with all its callers: every level on every row, in one statement a type."""

    @settings(max_examples=20 if empty.is_sqlite else 10, deadline=None, database=None, phases=[Phase.generate])
    @given(st.randoms(use_true_random=False))
    def holds(chance):
        world = World(chance)
        with empty.engine.connect() as connection, connection.begin() as turn:
            world.insert(connection)
            for caller in world.callers:
                for kind in TYPES:
                    expected = {key: world.level(caller, kind, key) for key in world.things[kind]}
                    of = access.table(kind)
                    asked = (sa.case((access.at_least(least, caller, NOW, kind), 1), else_=0) for least in Level)
                    query = sa.select(of.c.id, *asked).where(of.c.id.in_([*expected]))
                    for key, *has in connection.execute(query):
                        assert has == [int(least <= expected[key]) for least in Level], (caller, kind, key)
                    key = chance.choice([*expected])
                    assert access.level(connection, caller, kind, key, now=NOW) == expected[key], (caller, kind, key)
            turn.rollback()

    holds()


@given(st.sets(st.sampled_from([*RIGHTS])), st.sets(st.sampled_from([*RIGHTS])), st.sampled_from(TYPES))
def test_another_relation_never_takes_a_right_away(some, more, type):
    assert level_of(type, frozenset(some | more)) >= level_of(type, frozenset(some))


def test_what_everybody_gets_is_reading_at_most():
    for relation in ("released", "described", "above", "anyone", "colleague"):
        assert max(RIGHTS[relation].values()) <= Level.READ


def test_only_a_data_manager_extends_an_embargo():
    assert not allowed("extend", Level.ADMINISTRATE, frozenset({"reader"}))
    assert allowed("extend", Level.READ, frozenset({"dataManager"}))
    assert not allowed("extend", Level.NONE, frozenset({"dataManager"}))


def test_the_token_of_an_instrument_pc_carries_no_membership(empty):
    with empty.write() as connection:
        kept = KEPT | {"family_name": "Ada", "roles": ["reader", "depositor"]}
        connection.execute(tables.person.insert().values(id="ada", **kept))
        connection.execute(tables.proposal.insert().values(id="a", proposal_id="1", title="", state="", **KEPT))
        connection.execute(tables.member.insert().values(proposal="a", person="ada", role="principalInvestigator"))
        assert access.level(connection, Caller("ada", frozenset({"reader"})), "proposal", "a") == Level.ADMINISTRATE
        assert access.level(connection, Caller("ada", frozenset({"depositor"})), "proposal", "a") == Level.NONE
